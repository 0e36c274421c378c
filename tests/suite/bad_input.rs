//! Bad input gets an error that names the field, and leaves nothing half-written.

use crate::support::*;
use chrono::TimeDelta;
use reqwest::Method;
use serde_json::{Value, json};
use tributary::service::access::Scope;

fn order(change: Value) -> Value {
    let mut order = json!({ "external_id": "B-1", "placed_at": "2026-11-22T11:00:00Z", "currency": "RUB", "total": "100.00" });
    for (field, value) in change.as_object().unwrap() {
        order[field] = value.clone();
    }
    order
}

both_stores! {
    async fn each_wrong_field_of_an_order_is_named(app: &TestApp) {
        app.set_up().await;
        for (change, pointer) in [
            (json!({ "total": "100.001" }), "/total"),
            (json!({ "total": "-1.00" }), "/total"),
            (json!({ "total": "92233720368547758.08" }), "/total"),
            (json!({ "total": "1e5" }), "/total"),
            (json!({ "total": "" }), "/total"),
            (json!({ "total": null }), "/total"),
            (json!({ "total": ["1"] }), "/total"),
            (json!({ "tax": "x" }), "/tax"),
            (json!({ "currency": "EUR" }), "/currency"),
            (json!({ "currency": "ZZZ" }), "/currency"),
            (json!({ "currency": null }), "/currency"),
            (json!({ "placed_at": "2026-11-22T13:00:00Z" }), "/placed_at"),
            (json!({ "placed_at": "yesterday" }), "/placed_at"),
            (json!({ "placed_at": null }), "/placed_at"),
            (json!({ "external_id": "" }), "/external_id"),
            (json!({ "external_id": "a\u{0}b" }), ""),
            (json!({ "status": "shipped" }), "/status"),
            (json!({ "totl": "1.00" }), "/totl"),
            (json!({ "customer": { "id": "c", "mail": "x" } }), "/customer/mail"),
            (json!({ "customer": { "email": "nobody" } }), "/customer/email"),
            (json!({ "items": [{ "sku": "a", "amount": "-5.00" }] }), "/items/0/amount"),
            (json!({ "items": [{ "sku": "a", "price": "5.00" }] }), "/items/0/price"),
        ] {
            let (status, pointers) = app.refused("/v1/orders", order(change.clone())).await;
            assert_eq!((status, pointers.first().map(String::as_str)), (422, Some(pointer)), "{change}");
        }
        assert_eq!(app.get("/v1/orders").await["data"], json!([]), "nothing was stored");
    }

    async fn malformed_and_oversized_bodies_are_told_apart(app: &TestApp) {
        app.set_up().await;
        let send = |body: Vec<u8>| app.request(Method::POST, "/v1/orders").header("content-type", "application/json").body(body).send();
        for broken in [&b"{"[..], b"", b"{\"total\": }", b"\xff\xfe"] {
            let response = send(broken.to_vec()).await.unwrap();
            assert_eq!(response.status(), 400);
            assert_eq!(response.headers()["content-type"], "application/problem+json");
        }
        assert_eq!(send(vec![b' '; 6 * 1024 * 1024]).await.unwrap().status(), 413);
        assert_eq!(app.request(Method::GET, "/v1/nothing").send().await.unwrap().status(), 404);
        assert_eq!(app.request(Method::GET, "/v1/orders?limit=x").send().await.unwrap().status(), 422);
        assert_eq!(app.request(Method::GET, "/v1/orders?limit=0").send().await.unwrap().status(), 422);
    }

    async fn keys_and_scopes_hold(app: &TestApp) {
        app.set_up().await;
        let with = |key: String, method: Method, path: &str| {
            let request = app.visitor(method, path).json(&json!({ "name": "x" }));
            let request = if key.is_empty() { request } else { request.bearer_auth(key) };
            async move { request.send().await.unwrap().status().as_u16() }
        };
        assert_eq!(with(String::new(), Method::GET, "/v1/orders").await, 401);
        assert_eq!(with("trb_wrong".into(), Method::GET, "/v1/orders").await, 401);
        let read = app.key(Scope::Read).await;
        assert_eq!(with(read.clone(), Method::GET, "/v1/orders").await, 200);
        assert_eq!(with(read.clone(), Method::POST, "/v1/partners").await, 403);
        let write = app.key(Scope::Write).await;
        assert_eq!(with(write.clone(), Method::POST, "/v1/partners").await, 201);
        assert_eq!(with(write, Method::POST, "/v1/periods/2026-10/close").await, 403);
        // A key that is gone is taken for good for a second at most.
        app.behind_its_back("DELETE FROM api_keys WHERE scope = 'read'").await;
        tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
        assert_eq!(with(read, Method::GET, "/v1/orders").await, 401);
    }

    async fn unknown_ids_duplicate_codes_and_foreign_currencies_are_refused(app: &TestApp) {
        let ids = app.set_up().await;
        let program = ids["program"].clone();
        assert_eq!(app.refused("/v1/links", json!({ "program": "pro_999", "url": "https://shop.example/" })).await, (422, vec!["/program".into()]));
        assert_eq!(app.refused("/v1/links", json!({ "partner": "par_999", "url": "https://shop.example/" })).await, (422, vec!["/partner".into()]));
        assert_eq!(app.refused("/v1/links", json!({ "url": "https://evil.example/" })).await, (422, vec!["/url".into()]));
        assert_eq!(app.refused("/v1/links", json!({ "url": "javascript:alert(1)" })).await, (422, vec!["/url".into()]));
        assert_eq!(app.refused("/v1/links", json!({ "code": "ANNA", "url": "https://shop.example/" })).await.0, 409);
        assert_eq!(app.refused("/v1/links", json!({ "code": "a/b", "url": "https://shop.example/" })).await, (422, vec!["/code".into()]));
        assert_eq!(app.refused("/v1/promo-codes", json!({ "code": "aNNa10" })).await.0, 409);
        let euros = json!({ "code": "E", "discount": { "amount": "5.00", "currency": "EUR" } });
        assert_eq!(app.refused("/v1/promo-codes", euros).await, (422, vec!["/discount/currency".into()]));
        let rule = json!({ "program": program, "fixed": { "amount": "5.00", "currency": "EUR" } });
        assert_eq!(app.refused("/v1/commission-rules", rule).await, (422, vec!["/fixed".into()]));
        assert_eq!(app.refused("/v1/commission-rules", json!({ "program": program, "percent": "101" })).await, (422, vec!["/percent".into()]));
        assert_eq!(app.refused("/v1/commission-rules", json!({ "program": program, "tiers": [] })).await, (422, vec!["/tiers".into()]));
        let both = app.refused("/v1/programs", json!({ "name": "", "currency": "RUB", "hold_days": -1, "credit_policy": "best" })).await;
        assert_eq!(both, (422, vec!["/name".into(), "/credit_policy".into(), "/hold_days".into()]));
        assert_eq!(app.refused("/v1/orders/none/refunds", json!({ "refund_id": "r", "amount": "1" })).await.0, 404);
        assert_eq!(app.request(Method::GET, "/v1/partners/par_999").send().await.unwrap().status(), 404);
        assert_eq!(app.request(Method::GET, "/v1/partners/lnk_1").send().await.unwrap().status(), 404);
        assert_eq!(app.request(Method::GET, "/v1/reports/channels?model=best").send().await.unwrap().status(), 422);
        assert_eq!(app.request(Method::GET, "/v1/reports/channels?from=2026-11-02&to=2026-11-01").send().await.unwrap().status(), 422);
    }

    async fn refunds_stay_within_what_is_left(app: &TestApp) {
        app.set_up().await;
        app.make("/v1/orders", order(json!({}))).await;
        let refund = |id: &str, amount: &str| json!({ "refund_id": id, "amount": amount, "refunded_at": "2026-11-22T11:30:00Z" });
        assert_eq!(app.refused("/v1/orders/B-1/refunds", refund("r1", "100.01")).await, (422, vec!["/amount".into()]));
        assert_eq!(app.refused("/v1/orders/B-1/refunds", refund("r1", "0.00")).await, (422, vec!["/amount".into()]));
        assert_eq!(app.post("/v1/orders/B-1/refunds", refund("r1", "60.00")).await.0, 201);
        assert_eq!(app.post("/v1/orders/B-1/refunds", refund("r1", "60.00")).await.0, 200);
        assert_eq!(app.refused("/v1/orders/B-1/refunds", refund("r1", "50.00")).await.0, 409);
        assert_eq!(app.refused("/v1/orders/B-1/refunds", refund("r2", "40.01")).await.0, 422);
        assert_eq!(app.refused("/v1/orders", order(json!({ "total": "59.99" }))).await, (422, vec!["/total".into()]));
        assert_eq!(app.refused("/v1/orders/B-1/refunds", json!({ "refund_id": "r3", "amount": "1.00", "refunded_at": "2027-01-01T00:00:00Z" })).await.0, 422);
        assert_eq!(app.get("/v1/orders/B-1").await["refunded"]["amount"], "60.00");
    }

    async fn an_orders_currency_never_changes(app: &TestApp) {
        app.set_up().await;
        app.make("/v1/programs", json!({ "name": "Euro", "currency": "EUR", "destination_hosts": ["shop.example"] })).await;
        app.make("/v1/orders", order(json!({}))).await;
        assert_eq!(app.refused("/v1/orders", order(json!({ "currency": "EUR" }))).await.0, 409);
        assert_eq!(app.get("/v1/orders/B-1").await["currency"], "RUB");
    }

    async fn an_idempotency_key_answers_once(app: &TestApp) {
        app.set_up().await;
        let send = |body: Value| {
            let request = app.request(Method::POST, "/v1/partners").header("idempotency-key", "k-1").json(&body);
            async move {
                let response = request.send().await.unwrap();
                (response.status().as_u16(), response.json::<Value>().await.unwrap())
            }
        };
        let first = send(json!({ "name": "Clara" })).await;
        assert_eq!(first.0, 201);
        assert_eq!(send(json!({ "name": "Clara" })).await, first);
        assert_eq!(send(json!({ "name": "Dora" })).await.0, 422);
        let partners = app.get("/v1/partners").await;
        assert_eq!(partners["data"].as_array().unwrap().len(), 2, "Anna of the set-up, and Clara once");
        // Ten at once: one is made.
        let body = json!({ "name": "Emil" });
        let requests = (0..10).map(|_| app.request(Method::POST, "/v1/partners").header("idempotency-key", "k-2").json(&body).send());
        let answers = futures_util::future::join_all(requests).await;
        assert!(answers.iter().all(|a| a.as_ref().unwrap().status() == 201));
        assert_eq!(app.get("/v1/partners").await["data"].as_array().unwrap().len(), 3);
    }

    async fn the_same_order_sent_at_once_is_stored_once(app: &TestApp) {
        app.set_up().await;
        let (_, click_id) = app.click("anna").await;
        let body = order(json!({ "placed_at": app.now(), "click_id": click_id }));
        let answers = futures_util::future::join_all((0..8).map(|_| app.post("/v1/orders", body.clone()))).await;
        assert_eq!(answers.iter().filter(|(status, _)| *status == 201).count(), 1);
        assert_eq!(answers.iter().filter(|(status, _)| *status == 200).count(), 7);
        let order = app.get("/v1/orders/B-1").await;
        assert_eq!(order["commissions"].as_array().unwrap().len(), 1);
    }

    async fn promo_checks_say_why(app: &TestApp) {
        app.set_up().await;
        app.make("/v1/promo-codes", json!({ "code": "ONCE", "max_uses": 1, "discount": { "amount": "50.00" } })).await;
        app.make("/v1/promo-codes", json!({ "code": "OVER", "ends_at": "2026-11-22T11:00:00Z" })).await;
        let check = |code: &str, total: &str| app.make("/v1/promo-codes/check", json!({ "code": code, "total": total }));
        assert_eq!(check("anna10", "99.95").await, json!({ "valid": true, "reason": null, "discount": { "amount": "10.00", "currency": "RUB" }, "partner": "par_1" }));
        assert_eq!(check("once", "30.00").await["discount"]["amount"], "30.00");
        assert_eq!(check("nope", "30.00").await["reason"], "promo_unknown");
        assert_eq!(check("over", "30.00").await["reason"], "promo_expired");
        app.make("/v1/orders", order(json!({ "promo_codes": ["ONCE"] }))).await;
        assert_eq!(check("once", "30.00").await["reason"], "promo_exhausted");
        app.advance(TimeDelta::hours(1));
    }
}
