//! Months, runs, minimums, and what changes after payment.

use crate::support::*;
use chrono::TimeDelta;
use serde_json::{Value, json};

async fn earn(app: &TestApp, id: &str, total: &str) -> String {
    let (_, click_id) = app.click("anna").await;
    app.make(
        "/v1/orders",
        json!({ "external_id": id, "placed_at": app.now(), "currency": "RUB", "total": total, "click_id": click_id }),
    )
    .await;
    id.to_owned()
}

async fn pay(app: &TestApp, body: Value) -> Value {
    let run = app.make("/v1/payout-runs", body).await;
    let id = run["id"].as_str().unwrap();
    app.make(&format!("/v1/payout-runs/{id}/approve"), json!({})).await;
    app.make(&format!("/v1/payout-runs/{id}/paid"), json!({ "bank_reference": "1" })).await
}

both_stores! {
    async fn a_refund_after_payment_is_carried_into_the_next_run(app: &TestApp) {
        let ids = app.set_up().await;
        earn(app, "P-1", "1000.00").await;
        app.advance(TimeDelta::days(15));
        let paid = pay(app, json!({ "period": "2026-12", "early": true })).await;
        assert_eq!(paid["total"]["amount"], "100.00");
        let answer = app.make("/v1/orders/P-1/refunds", json!({ "refund_id": "r", "amount": "400.00" })).await;
        assert_eq!((answer["commissions"][0]["amount"]["amount"].as_str(), answer["commissions"][0]["state"].as_str()), (Some("60.00"), Some("paid")));
        let statement = format!("/v1/partners/{}/statement", ids["partner"].as_str().unwrap());
        assert_eq!(balances(&app.get(&statement).await), ("0.00".into(), "-40.00".into(), "0.00".into()));
        earn(app, "P-2", "1000.00").await;
        app.advance(TimeDelta::days(30));
        let next = pay(app, json!({ "period": "2027-01", "early": true })).await;
        assert_eq!(next["total"]["amount"], "60.00");
        assert_eq!(app.get("/v1/orders/P-2").await["commissions"][0]["state"], "paid");
    }

    async fn a_refund_during_hold_cancels_the_commission(app: &TestApp) {
        let ids = app.set_up().await;
        earn(app, "P-3", "1000.00").await;
        let answer = app.make("/v1/orders/P-3/refunds", json!({ "refund_id": "r", "amount": "1000.00" })).await;
        assert_eq!(answer["commissions"][0]["state"], "reversed");
        app.advance(TimeDelta::days(15));
        let statement = format!("/v1/partners/{}/statement", ids["partner"].as_str().unwrap());
        assert_eq!(balances(&app.get(&statement).await), ("0.00".into(), "0.00".into(), "0.00".into()));
        assert_eq!(app.refused("/v1/payout-runs", json!({ "period": "2026-12", "early": true })).await.0, 409);
    }

    async fn a_closed_month_never_changes(app: &TestApp) {
        let ids = app.set_up().await;
        let partner = ids["partner"].as_str().unwrap();
        earn(app, "P-4", "1000.00").await;
        assert_eq!(app.refused("/v1/periods/2026-11/close", json!({})).await.0, 409, "it is not over");
        app.advance(TimeDelta::days(10));
        app.make("/v1/periods/2026-11/close", json!({})).await;
        let november = format!("/v1/partners/{partner}/statement?period=2026-11");
        let before = app.get(&november).await;
        assert_eq!(before["data"][0]["earned"]["amount"], "100.00");
        // An order of November that comes late, and a refund dated in November.
        let (_, click_id) = app.click("anna").await;
        app.make("/v1/orders", json!({ "external_id": "P-5", "placed_at": "2026-11-30T20:59:59Z", "currency": "RUB", "total": "500.00", "click_id": click_id, "visitor_id": "x" })).await;
        app.make("/v1/orders/P-4/refunds", json!({ "refund_id": "r", "amount": "100.00", "refunded_at": "2026-11-25T10:00:00Z" })).await;
        assert_eq!(app.get(&november).await, before);
        let december = app.get(&format!("/v1/partners/{partner}/statement?period=2026-12")).await;
        assert_eq!(december["data"][0]["adjusted"]["amount"], "-10.00");
        assert_eq!(december["data"][0]["opening"]["amount"], "100.00");
    }

    async fn minimums_carry_over_and_suspended_partners_are_blocked(app: &TestApp) {
        let ids = app.set_up().await;
        app.patch(&format!("/v1/programs/{}", ids["program"].as_str().unwrap()), json!({ "min_payout": "150.00" })).await;
        earn(app, "P-6", "1000.00").await;
        app.advance(TimeDelta::days(15));
        let (status, _) = app.post("/v1/payout-runs", json!({ "period": "2026-12", "early": true })).await;
        assert_eq!(status, 409, "nothing is over the minimum");
        earn(app, "P-7", "1000.00").await;
        let other = app.make("/v1/partners", json!({ "name": "=cmd|'/c calc'!A1", "email": "b@blog.example" })).await;
        app.make("/v1/links", json!({ "partner": other["id"], "code": "b", "url": "https://shop.example/" })).await;
        let (_, click_id) = app.click("b").await;
        app.make("/v1/orders", json!({ "external_id": "P-8", "placed_at": app.now(), "currency": "RUB", "total": "2000.00", "click_id": click_id })).await;
        app.advance(TimeDelta::days(15));
        app.patch(&format!("/v1/partners/{}", ids["partner"].as_str().unwrap()), json!({ "status": "suspended" })).await;
        let run = app.make("/v1/payout-runs", json!({ "period": "2026-12", "early": true })).await;
        assert_eq!(run["total"]["amount"], "200.00");
        let dispositions: Vec<&str> = run["lines"].as_array().unwrap().iter().map(|l| l["disposition"].as_str().unwrap()).collect();
        assert_eq!(dispositions, ["blocked", "due"]);
        assert_eq!(app.refused("/v1/payout-runs", json!({ "period": "2026-12", "early": true })).await.0, 409);
        let id = run["id"].as_str().unwrap();
        assert_eq!(app.refused(&format!("/v1/payout-runs/{id}/paid"), json!({})).await.0, 409, "it is not approved");
        let file = app.request(reqwest::Method::GET, &format!("/v1/payout-runs/{id}/export?format=csv")).send().await.unwrap().text().await.unwrap();
        assert!(file.contains(";'=cmd|"), "{file}");
    }

    async fn a_month_that_is_run_late_pays_what_was_due_in_it(app: &TestApp) {
        app.set_up().await;
        earn(app, "L-1", "1000.00").await;
        app.advance(TimeDelta::days(20));
        earn(app, "L-2", "500.00").await;
        app.advance(TimeDelta::days(20));
        earn(app, "L-3", "600.00").await;
        // 2027-01-20: 100 came free on 6 December, 50 on 26 December, 60 on 15 January.
        app.advance(TimeDelta::days(19));
        app.make("/v1/periods/2026-12/close", json!({})).await;
        let early = pay(app, json!({ "period": "2027-01", "early": true })).await;
        assert_eq!(early["total"]["amount"], "210.00");
        assert_eq!(app.refused("/v1/payout-runs", json!({ "period": "2026-12" })).await.0, 409, "the early run took it all");
        earn(app, "L-4", "700.00").await;
        app.advance(TimeDelta::days(60));
        app.make("/v1/periods/2027-02/close", json!({})).await;
        earn(app, "L-5", "10.00").await;
        let run = pay(app, json!({ "period": "2027-02" })).await;
        assert_eq!(run["total"]["amount"], "70.00");
    }

    async fn a_run_marks_only_the_commissions_whose_money_it_holds(app: &TestApp) {
        app.set_up().await;
        earn(app, "M-1", "1000.00").await;
        app.advance(TimeDelta::days(42));
        app.make("/v1/periods/2026-12/close", json!({})).await;
        // An order of November that comes in January: its hold ended in December, its money is January's.
        let late = json!({ "external_id": "M-2", "placed_at": "2026-11-25T10:00:00Z", "currency": "RUB", "total": "500.00", "promo_codes": ["ANNA10"] });
        app.make("/v1/orders", late).await;
        let run = pay(app, json!({ "period": "2026-12" })).await;
        assert_eq!(run["total"]["amount"], "100.00");
        let state = async |order: &str| app.get(&format!("/v1/orders/{order}")).await["commissions"][0]["state"].clone();
        assert_eq!((state("M-1").await, state("M-2").await), (json!("paid"), json!("approved")));
    }

    async fn an_order_cancelled_and_restored_after_payment_stays_paid(app: &TestApp) {
        let ids = app.set_up().await;
        let (_, click_id) = app.click("anna").await;
        let placed_at = app.now();
        let order = |status: &str| json!({ "external_id": "U-1", "status": status, "placed_at": placed_at, "currency": "RUB", "total": "100.00", "click_id": click_id });
        app.make("/v1/orders", order("approved")).await;
        app.advance(TimeDelta::days(15));
        pay(app, json!({ "period": "2026-12", "early": true })).await;
        assert_eq!(app.make("/v1/orders", order("cancelled")).await["commissions"][0]["state"], "reversed");
        assert_eq!(app.make("/v1/orders", order("approved")).await["commissions"][0]["state"], "paid");
        let statement = format!("/v1/partners/{}/statement", ids["partner"].as_str().unwrap());
        assert_eq!(balances(&app.get(&statement).await), ("0.00".into(), "0.00".into(), "0.00".into()));
    }

    async fn rules_by_category_and_group_each_take_their_lines(app: &TestApp) {
        let ids = app.set_up().await;
        app.make("/v1/commission-rules", json!({ "program": ids["program"], "category": "books", "percent": "20" })).await;
        app.make("/v1/commission-rules", json!({ "program": ids["program"], "group": "vip", "fixed": "5.00", "starts_at": "2026-12-01T00:00:00Z" })).await;
        app.patch(&format!("/v1/partners/{}", ids["partner"].as_str().unwrap()), json!({ "group": "vip" })).await;
        let (_, click_id) = app.click("anna").await;
        let order = app.make("/v1/orders", json!({
            "external_id": "P-9", "placed_at": app.now(), "currency": "RUB", "total": "110.00", "shipping": "10.00", "click_id": click_id,
            "items": [{ "sku": "b", "category": "Books", "amount": "30.00" }, { "sku": "t", "category": "toys", "amount": "70.00" }],
        })).await;
        let amounts: Vec<&str> = order["commissions"].as_array().unwrap().iter().map(|c| c["amount"]["amount"].as_str().unwrap()).collect();
        assert_eq!(amounts, ["6.00", "7.00"]);
        app.advance(TimeDelta::days(10));
        let (_, click_id) = app.click("anna").await;
        let order = app.make("/v1/orders", json!({ "external_id": "P-10", "placed_at": app.now(), "currency": "RUB", "total": "100.00", "click_id": click_id })).await;
        assert_eq!(order["commissions"][0]["amount"]["amount"], "5.00", "the group's rule has begun");
    }
}
