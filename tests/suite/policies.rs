//! Policies under which an order is owed to whoever brought the customer first, or to several at once.

use crate::support::*;
use chrono::TimeDelta;
use serde_json::{Value, json};
use tributary::service::access::{Role, add_user};

/// Anna and Boris with a link each in a program under a policy.
async fn two_partners(app: &TestApp, terms: Value) -> (Value, Value) {
    let ids = app.set_up().await;
    let boris = app.make("/v1/partners", json!({ "name": "Boris", "email": "boris@blog.example" })).await;
    let link = json!({ "program": ids["program"], "partner": boris["id"], "code": "boris", "url": "https://shop.example/" });
    app.make("/v1/links", link).await;
    let (code, answer) = app.patch(&format!("/v1/programs/{}", ids["program"].as_str().unwrap()), terms).await;
    assert_eq!(code, 200, "{answer}");
    (ids["partner"].clone(), boris["id"].clone())
}

const VISITOR: &str = "0198f000-0000-7000-8000-000000000001";

/// A click of the visitor; answers its id.
async fn click(app: &TestApp, code: &str) -> String {
    let request = app.visitor(reqwest::Method::GET, &format!("/r/{code}")).header("cookie", format!("trb_vid={VISITOR}"));
    let answer = request.send().await.unwrap();
    let location = answer.headers()["location"].to_str().unwrap().to_owned();
    let id = location.split("trb_click=").nth(1).unwrap().to_owned();
    app.mover_done().await;
    app.advance(TimeDelta::hours(1));
    id
}

async fn order_page(app: &TestApp, number: &str) -> String {
    let mut tx = app.service.db.begin().await.unwrap();
    let context = app.service.context("test");
    add_user(&mut tx, &context, "owner@shop.example", Role::Owner, None, "a long password").await.unwrap();
    tx.commit().await.unwrap();
    let cookie = crate::pages::cookie_of(app, "owner@shop.example").await;
    let answer = app
        .visitor(reqwest::Method::GET, &format!("/admin/orders/{number}"))
        .header("cookie", cookie)
        .header("accept-language", "en");
    answer.send().await.unwrap().text().await.unwrap()
}

async fn order(app: &TestApp, number: &str, click_id: Option<&str>, more: Value) -> Value {
    let mut order = json!({
        "external_id": number, "placed_at": app.now(), "currency": "RUB", "total": "120.01", "tax": "20.00",
        "click_id": click_id, "customer": { "id": "C-1" },
    });
    for (key, value) in more.as_object().unwrap() {
        order[key] = value.clone();
    }
    app.make("/v1/orders", order).await
}

fn amounts(order: &Value) -> Vec<(String, String)> {
    let text = |v: &Value| v.as_str().unwrap().to_owned();
    order["commissions"].as_array().unwrap().iter().map(|c| (text(&c["partner"]), text(&c["amount"]["amount"]))).collect()
}

async fn what_if(app: &TestApp, arguments: &[&str]) -> Value {
    let folder = app.folder.path().display().to_string();
    let mut all = vec!["--database-url", &app.database_url, "--data-dir", &folder, "what-if", "--format", "json"];
    all.extend(arguments);
    let (code, out, err) = run(&all, "");
    assert_eq!(code, 0, "{err}");
    serde_json::from_str(&out).unwrap()
}

fn explain(app: &TestApp, number: &str, language: &str) -> String {
    let folder = app.folder.path().display().to_string();
    let (code, out, err) =
        run(&["--database-url", &app.database_url, "--data-dir", &folder, "explain", number, "--lang", language], "");
    assert_eq!(code, 0, "{err}");
    out
}

both_stores! {
    async fn the_first_partner_keeps_the_customer_as_long_as_the_program_says(app: &TestApp) {
        let terms = json!({ "credit_policy": "lifetime", "lifetime_days": 90, "lifetime_orders": 3 });
        let (anna, boris) = two_partners(app, terms).await;
        click(app, "anna").await;
        let latest = click(app, "boris").await;
        let first = order(app, "L-1", Some(&latest), json!({})).await;
        assert_eq!((&first["payable"]["partner"], &first["payable"]["reason"]), (&anna, &json!("first_click")));
        app.advance(TimeDelta::days(40));
        let later = click(app, "boris").await;
        let second = order(app, "L-2", Some(&later), json!({})).await;
        assert_eq!(
            [&second["payable"]["partner"], &second["payable"]["via"], &second["payable"]["reason"], &second["payable"]["policy"]],
            [&anna, &json!("lifetime"), &json!("lifetime"), &json!("lifetime")]
        );
        assert_eq!(amounts(&second), [(anna.as_str().unwrap().to_owned(), "10.00".to_owned())]);
        let told = explain(app, "L-2", "en");
        for said in [
            "by keeping the customer. The first partner keeps the customer.",
            "The first partner keeps the customer for 90 d, for 3 orders.",
            "Customer since order L-1 · Anna. Won:",
            "Without Anna it would have been owed to Boris",
            "Under “Last touch” it would have been Boris.",
        ] {
            assert!(told.contains(said), "'{said}' is missing in:\n{told}");
        }
        assert!(explain(app, "L-2", "ru").contains("Клиент остаётся за первым партнёром на 90 д, на 3 заказа."));
        // The page says the same.
        let page = order_page(app, "L-2").await;
        assert!(page.contains("Customer since order L-1"), "{page}");
        // No touch at all leads to the third, and nothing but the customer says whose it is.
        app.advance(TimeDelta::days(35));
        let third = order(app, "L-3", None, json!({ "customer": { "id": "C-1" } })).await;
        assert_eq!(third["payable"]["partner"], anna);
        app.advance(TimeDelta::hours(1));
        // Three were paid: the next is whose click is first in its window, who then keeps the customer.
        let latest = click(app, "boris").await;
        let fourth = order(app, "L-4", Some(&latest), json!({})).await;
        assert_eq!((&fourth["payable"]["partner"], &fourth["payable"]["reason"]), (&boris, &json!("first_click")));
        let trace = &app.get("/v1/orders/L-4/attribution").await["payable"]["trace"];
        assert_eq!((&trace[0]["touch"], &trace[0]["reason"]), (&json!("lifetime:L-1"), &json!("cap_reached")));
        let fifth = order(app, "L-5", None, json!({})).await;
        assert_eq!((&fifth["payable"]["partner"], &fifth["payable"]["reason"]), (&boris, &json!("lifetime")));
        // Days over.
        app.advance(TimeDelta::days(91));
        let sixth = order(app, "L-6", None, json!({})).await;
        assert_eq!((&sixth["payable"]["partner"], &sixth["payable"]["reason"]), (&Value::Null, &json!("outside_window")));
        // What was decided under the policy is what the policy says of history.
        let again = what_if(app, &["--window", "30"]).await;
        assert_eq!((again["orders"].as_i64(), again["other_partner"].as_i64()), (Some(6), Some(0)), "{again}");
        let last = what_if(app, &["--policy", "last_touch"]).await;
        assert_eq!((last["other_partner"].as_i64(), last["partners"][0]["what_if"]["orders"].as_i64()), (Some(3), Some(2)), "{last}");
        let program = app.get("/v1/programs").await["data"][0].clone();
        assert_eq!((&program["lifetime_days"], &program["lifetime_orders"]), (&json!(90), &json!(3)));
        let path = format!("/v1/programs/{}", program["id"].as_str().unwrap());
        for (body, pointer) in [
            (json!({ "lifetime_days": 0 }), "/lifetime_days"),
            (json!({ "lifetime_orders": -1 }), "/lifetime_orders"),
            (json!({ "new_customers_only": true }), "/new_customers_only"),
        ] {
            let (code, answer) = app.patch(&path, body).await;
            assert_eq!((code, &answer["errors"][0]["pointer"]), (422, &json!(pointer)), "{answer}");
        }
        let (code, answer) = app.patch(&path, json!({ "lifetime_days": null })).await;
        assert_eq!((code, &answer["lifetime_days"]), (200, &Value::Null));
    }

    async fn an_order_is_split_among_all_who_brought_the_customer(app: &TestApp) {
        let (anna, boris) = two_partners(app, json!({ "credit_policy": "split_linear" })).await;
        let mut click_id = String::new();
        for code in ["anna", "boris", "boris"] {
            click_id = click(app, code).await;
        }
        let split = order(app, "S-1", Some(&click_id), json!({})).await;
        // A third and two thirds of 100.01, at 10 %.
        let (a, b) = (anna.as_str().unwrap().to_owned(), boris.as_str().unwrap().to_owned());
        assert_eq!(amounts(&split), [(a.clone(), "3.33".to_owned()), (b.clone(), "6.67".to_owned())]);
        assert_eq!((&split["payable"]["partner"], &split["payable"]["reason"]), (&boris, &json!("split")));
        let shares: Vec<_> = split["payable"]["shares"].as_array().unwrap().iter().map(|s| (s["partner"].clone(), s["touches"].clone())).collect();
        assert_eq!(shares, [(anna.clone(), json!(1)), (boris.clone(), json!(2))]);
        let told = explain(app, "S-1", "en");
        for said in ["It is shared by touches and codes: Anna 1/3, Boris 2/3.", "Anna earns by", "(1/3 of the order) = 3.33 RUB", "Boris earns by"] {
            assert!(told.contains(said), "'{said}' is missing in:\n{told}");
        }
        assert!(explain(app, "S-1", "ru").contains("(2/3 заказа) = 6,67"));
        // Half comes back: half of each.
        let (code, refunded) = app.post("/v1/orders/S-1/refunds", json!({ "refund_id": "r", "amount": "60.00" })).await;
        assert_eq!(code, 201, "{refunded}");
        assert_eq!(amounts(&refunded), [(a.clone(), "1.67".to_owned()), (b.clone(), "3.33".to_owned())]);
        let statement = |id: String| async move { app.get(&format!("/v1/partners/{id}/statement?period={}", &app.now()[..7])).await };
        let closing = statement(a.clone()).await["data"][0]["closing"]["amount"].clone();
        assert_eq!(closing, "1.67");
        // Each sees the order in the report, in part; parts add up.
        let day = &app.now()[..10];
        let report = app.get(&format!("/v1/reports/partners?from={day}&to={day}")).await;
        let of = |id: &str, what: &str| report["data"].as_array().unwrap().iter().find(|r| r["partner"] == id).unwrap()[what].clone();
        assert_eq!((of(&a, "net_revenue")["amount"].as_str(), of(&b, "net_revenue")["amount"].as_str()), (Some("20.00"), Some("40.01")));
        assert_eq!(report["totals"]["net_revenue"]["amount"], "60.01");
        assert_eq!(report["totals"]["commission"]["amount"], "5.00");
        let channels = app.get(&format!("/v1/reports/channels?from={day}&to={day}")).await;
        assert_eq!(channels["totals"]["commission"]["amount"], "5.00");
        // A code on the order shares like a click.
        let coded = order(app, "S-2", Some(&click_id), json!({ "promo_codes": ["anna10"], "customer": { "id": "C-2" } })).await;
        assert_eq!(amounts(&coded), [(a.clone(), "5.00".to_owned()), (b.clone(), "5.00".to_owned())]);
        // Cancelled: nobody is owed anything; approved again: the same as before.
        let cancelled = json!({ "external_id": "S-2", "status": "cancelled", "placed_at": coded["placed_at"], "currency": "RUB", "total": "120.01", "tax": "20.00" });
        let (_, answer) = app.post("/v1/orders", cancelled.clone()).await;
        assert_eq!(amounts(&answer), [(a.clone(), "0.00".to_owned()), (b.clone(), "0.00".to_owned())]);
        let mut approved = cancelled;
        approved["status"] = json!("approved");
        let (_, answer) = app.post("/v1/orders", approved).await;
        assert_eq!(amounts(&answer), [(a.clone(), "5.00".to_owned()), (b.clone(), "5.00".to_owned())]);
        let again = what_if(app, &["--window", "30"]).await;
        assert_eq!((again["other_partner"].as_i64(), again["totals"][0]["difference"]["amount"].as_str()), (Some(0), Some("0.00")), "{again}");
        let other = what_if(app, &["--policy", "first_click"]).await;
        assert_eq!(other["partners"].as_array().unwrap().iter().map(|p| p["what_if"]["commission"]["amount"].clone()).collect::<Vec<_>>(), ["15.00", "0.00"], "{other}");
        assert_eq!(app.broken().await, Vec::<String>::new());
        // Whoever changes a share is found.
        let mut tx = app.service.db.begin().await.unwrap();
        tributary::exec!(tx, sqlx::query("UPDATE payable_shares SET touches = 5 WHERE position = 2")).unwrap();
        tx.commit().await.unwrap();
        let broken = app.broken().await;
        assert!(broken.iter().any(|b| b.contains("the stored split is not what comes out")), "{broken:?}");
        let mut tx = app.service.db.begin().await.unwrap();
        tributary::exec!(tx, sqlx::query("UPDATE payable_shares SET touches = 2 WHERE position = 2")).unwrap();
        tx.commit().await.unwrap();
    }
}
