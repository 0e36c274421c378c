//! From a click to the payout file, as a shop, a partner and an accountant live it.

use crate::support::*;
use chrono::TimeDelta;
use reqwest::Method;
use serde_json::{Value, json};

both_stores! {
    async fn a_click_becomes_a_payout(app: &TestApp) {
        let ids = app.set_up().await;
        let (location, click_id) = app.click("anna").await;
        assert_eq!(location, format!("https://shop.example/?trb_click={click_id}"));

        app.advance(TimeDelta::minutes(5));
        let order = json!({
            "external_id": "A-1", "placed_at": app.now(), "currency": "RUB", "total": "1200.00", "tax": "200.00",
            "click_id": click_id, "customer": { "id": "c1", "email": "buyer@mail.example" },
        });
        let (status, answer) = app.post("/v1/orders", order.clone()).await;
        assert_eq!(status, 201);
        assert_eq!(answer["payable"]["partner"], ids["partner"]);
        assert_eq!(answer["payable"]["via"], "click");
        assert_eq!(answer["payable"]["reason"], "latest_click_in_window");
        assert_eq!(answer["commissions"][0]["amount"], json!({ "amount": "100.00", "currency": "RUB" }));
        assert_eq!(answer["commissions"][0]["state"], "pending");
        assert_eq!(answer["commissions"][0]["formula"], "10 % × (1200.00 − 200.00 tax) = 100.00 RUB");
        let (status, again) = app.post("/v1/orders", order).await;
        assert_eq!((status, &again["commissions"]), (200, &answer["commissions"]));

        let why = app.get("/v1/orders/A-1/attribution").await;
        assert_eq!(why["payable"]["trace"][0]["verdict"], "won");
        assert_eq!(why["payable"]["trace"][0]["touch"], Value::String(click_id));
        assert_eq!(why["models"]["linear"][0]["amount"]["amount"], "1200.00");
        assert_eq!(why["models"]["linear"][0]["channel"], "affiliate");

        let report = app.get("/v1/reports/channels?from=2026-11-01&to=2026-11-30").await;
        assert_eq!(report["data"][0]["channel"], "affiliate");
        assert_eq!(report["data"][0]["clicks"], 1);
        assert_eq!(report["data"][0]["cost"]["amount"], "100.00");
        assert_eq!(report["data"][0]["roi"], 1100.0);
        assert_eq!(report["totals"]["net_revenue"]["amount"], "1200.00");

        let statement = format!("/v1/partners/{}/statement", ids["partner"].as_str().unwrap());
        assert_eq!(balances(&app.get(&statement).await), ("100.00".into(), "0.00".into(), "0.00".into()));
        app.advance(TimeDelta::days(15));
        assert_eq!(balances(&app.get(&statement).await), ("0.00".into(), "100.00".into(), "0.00".into()));

        let (status, _) = app.refused("/v1/payout-runs", json!({ "period": "2026-12" })).await;
        assert_eq!(status, 409, "the month is not closed");
        app.advance(TimeDelta::days(30));
        app.make("/v1/periods/2026-12/close", json!({})).await;
        let run = app.make("/v1/payout-runs", json!({ "period": "2026-12" })).await;
        assert_eq!(run["total"]["amount"], "100.00");
        let id = run["id"].as_str().unwrap();
        app.make(&format!("/v1/payout-runs/{id}/approve"), json!({})).await;
        let file = || async { app.request(Method::GET, &format!("/v1/payout-runs/{id}/export?format=csv")).send().await.unwrap().bytes().await.unwrap() };
        let first = file().await;
        insta::assert_snapshot!("payout_run_csv", String::from_utf8(first.to_vec()).unwrap());
        let paid = app.make(&format!("/v1/payout-runs/{id}/paid"), json!({ "bank_reference": "P-77" })).await;
        assert_eq!(paid["state"], "paid");
        assert_eq!(file().await, first, "the same to the byte");
        let known = app.get("/v1/orders/A-1").await;
        assert_eq!(known["commissions"][0]["state"], "paid");
        let statement = app.get(&statement).await;
        assert_eq!(statement["data"][0]["closing"]["amount"], "0.00");
        assert_eq!(statement["data"][0]["paid"]["amount"], "100.00");
    }

    async fn a_promo_code_outranks_the_click_of_another(app: &TestApp) {
        let ids = app.set_up().await;
        let other = app.make("/v1/partners", json!({ "name": "Boris", "email": "boris@blog.example" })).await;
        app.make("/v1/links", json!({ "partner": other["id"], "code": "boris", "url": "https://shop.example/b" })).await;
        let (_, click_id) = app.click("boris").await;
        app.advance(TimeDelta::hours(1));
        let order = app.make("/v1/orders", json!({
            "external_id": "A-2", "placed_at": app.now(), "currency": "RUB", "total": "500.00", "click_id": click_id, "promo_codes": ["anna10", "NOPE"],
        })).await;
        assert_eq!(order["payable"]["partner"], ids["partner"]);
        assert_eq!(order["payable"]["via"], "promo_code");
        let why = app.get("/v1/orders/A-2/attribution").await;
        insta::with_settings!({ filters => vec![(r"[0-9a-f]{8}-[0-9a-f-]{27}", "[click]")] }, {
            insta::assert_json_snapshot!("trace_of_promo_against_click", why["payable"]["trace"]);
        });
        assert_eq!(why["payable"]["other_policies"]["last_click_then_promo"], other["id"]);
        let misses = app.get("/v1/misses").await;
        assert_eq!((misses["data"][0]["kind"].as_str(), misses["data"][0]["value"].as_str()), (Some("promo_code"), Some("NOPE")));
    }

    async fn an_unknown_code_never_kills_the_links_credit(app: &TestApp) {
        let ids = app.set_up().await;
        let (_, click_id) = app.click("ANNA").await;
        let order = app.make("/v1/orders", json!({
            "external_id": "A-3", "placed_at": app.now(), "currency": "RUB", "total": "500.00", "click_id": click_id, "promo_codes": ["ANA10"],
        })).await;
        assert_eq!(order["payable"]["partner"], ids["partner"]);
        assert_eq!(order["payable"]["via"], "click");
        assert_eq!(app.get("/v1/misses").await["data"][0]["nearest"], "anna10");
    }

    async fn a_decision_is_frozen_when_the_order_is_first_approved(app: &TestApp) {
        let ids = app.set_up().await;
        let (_, click_id) = app.click("anna").await;
        let order = |status: &str, total: &str| json!({
            "external_id": "A-4", "status": status, "placed_at": "2026-11-22T12:00:00Z", "currency": "RUB", "total": total, "click_id": click_id,
        });
        let pending = app.make("/v1/orders", order("pending", "100.00")).await;
        assert_eq!((pending["payable"]["via"].as_str(), pending["commissions"].as_array().unwrap().len()), (Some("none"), 0));
        let approved = app.make("/v1/orders", order("approved", "100.00")).await;
        assert_eq!(approved["commissions"][0]["amount"]["amount"], "10.00");
        // Terms and status that change later move no money of this order.
        let rule = format!("/v1/commission-rules/{}", ids["rule"].as_str().unwrap());
        assert_eq!(app.patch(&rule, json!({ "percent": "50" })).await.1["version"], 2);
        app.patch(&format!("/v1/partners/{}", ids["partner"].as_str().unwrap()), json!({ "status": "suspended" })).await;
        let amended = app.make("/v1/orders", order("approved", "200.00")).await;
        assert_eq!(amended["commissions"][0]["amount"]["amount"], "20.00");
        assert_eq!(amended["payable"]["partner"], ids["partner"]);
        let cancelled = app.make("/v1/orders", order("cancelled", "200.00")).await;
        assert_eq!((cancelled["commissions"][0]["amount"]["amount"].as_str(), cancelled["commissions"][0]["state"].as_str()), (Some("0.00"), Some("reversed")));
    }

    async fn a_second_device_is_joined_by_the_customer_id(app: &TestApp) {
        let ids = app.set_up().await;
        let response = app.visitor(Method::GET, "/r/anna").send().await.unwrap();
        let cookie = response.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
        let visitor = cookie.split('=').nth(1).unwrap().to_owned();
        let seen = app.visitor(Method::POST, "/e").header("cookie", &cookie).json(&json!({ "type": "identify", "customer": "c9" })).send().await.unwrap();
        assert_eq!(seen.status(), 202);
        app.advance(TimeDelta::hours(1));
        let order = app.make("/v1/orders", json!({
            "external_id": "A-5", "placed_at": app.now(), "currency": "RUB", "total": "100.00", "customer": { "id": "c9" },
        })).await;
        assert_eq!(order["payable"]["partner"], ids["partner"]);
        let why = app.get("/v1/orders/A-5/attribution").await;
        assert_eq!(why["touches"][0]["visitor"], Value::String(visitor));
    }

    async fn own_purchases_and_touches_outside_the_window_are_not_paid(app: &TestApp) {
        app.set_up().await;
        let (_, click_id) = app.click("anna").await;
        let own = app.make("/v1/orders", json!({
            "external_id": "A-6", "placed_at": app.now(), "currency": "RUB", "total": "100.00", "click_id": click_id, "customer": { "email": "Anna@Blog.example" },
        })).await;
        assert_eq!((own["payable"]["partner"].clone(), own["payable"]["reason"].as_str()), (Value::Null, Some("own_purchase")));
        // The same buyer, known by the customer id alone.
        let known = json!({ "id": "a", "email": "anna@blog.example" });
        app.make("/v1/orders", json!({ "external_id": "A-8", "placed_at": app.now(), "currency": "RUB", "total": "1.00", "customer": known })).await;
        let again = app.make("/v1/orders", json!({
            "external_id": "A-9", "placed_at": app.now(), "currency": "RUB", "total": "100.00", "click_id": click_id, "customer": { "id": "a" },
        })).await;
        assert_eq!(again["payable"]["reason"], "own_purchase");
        app.advance(TimeDelta::days(32) + TimeDelta::hours(4));
        let late = app.make("/v1/orders", json!({
            "external_id": "A-7", "placed_at": app.now(), "currency": "RUB", "total": "100.00", "click_id": click_id,
        })).await;
        assert_eq!(late["payable"]["reason"], "outside_window");
        let why = app.get("/v1/orders/A-7/attribution").await;
        assert_eq!(why["payable"]["trace"][0]["detail"], "outside the 30-day window by 2 d 4 h");
    }
}
