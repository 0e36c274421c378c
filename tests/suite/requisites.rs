//! Requisites: checked when asked, refused when saved wrong, and a payment blocked without them.

use crate::support::*;
use chrono::TimeDelta;
use reqwest::Method;
use serde_json::{Map, Value, json};
use std::fs;
use tributary::service::access::Scope;

/// The vendored cases, as bodies of a check beside what is expected of them.
fn cases() -> Vec<(Value, Value, Option<bool>)> {
    let path = format!("{}/tests/fixtures/requisites/ru_requisites.jsonl", env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(path).unwrap();
    text.lines()
        .map(|line| {
            let case: Value = serde_json::from_str(line).unwrap();
            let field = match case["kind"].as_str().unwrap() {
                "ogrnip" => "ogrn",
                "corr_account" => "correspondent_account",
                kind => kind,
            };
            let mut body = Map::new();
            body.insert(field.to_owned(), case["value"].clone());
            if case["bik"].is_string() {
                body.insert("bik".to_owned(), case["bik"].clone());
            }
            let valid = case["valid"].as_bool();
            (case, Value::Object(body), valid)
        })
        .collect()
}

async fn check(app: &TestApp, body: Value) -> Value {
    app.make("/v1/requisites/check", body).await
}

fn pointers(answer: &Value) -> Vec<&str> {
    answer["errors"].as_array().unwrap().iter().map(|error| error["pointer"].as_str().unwrap()).collect()
}

async fn earn(app: &TestApp, id: &str) {
    let (_, click_id) = app.click("anna").await;
    app.make(
        "/v1/orders",
        json!({ "external_id": id, "placed_at": app.now(), "currency": "RUB", "total": "1000.00", "click_id": click_id }),
    )
    .await;
}

both_stores! {
    async fn every_public_case_is_answered_rightly(app: &TestApp) {
        let cases = cases();
        let mut wrong = Vec::new();
        for (case, body, expected) in &cases {
            let answer = check(app, body.clone()).await;
            if expected.is_some_and(|expected| answer["valid"] != expected) {
                wrong.push(format!("{case}: {answer}"));
            }
        }
        assert_eq!((cases.len(), wrong), (130, Vec::new()));
    }

    async fn a_check_names_the_fields_and_what_is_wrong_with_them(app: &TestApp) {
        assert_eq!(check(app, json!({})).await, json!({ "valid": true, "errors": [] }));
        let company = json!({
            "country": "RU", "kind": "company", "inn": "7707083893", "kpp": "773601001", "ogrn": "1027700132195",
            "bik": "044525974", "account": "40702810 5840 4476 9531", "iban": null, "swift": "",
        });
        assert_eq!(check(app, company).await, json!({ "valid": true, "errors": [] }));
        let answer = check(app, json!({ "kind": "sole_trader", "inn": "7707083894", "kpp": "773601001", "ogrn": "1027700132195", "bik": "044525225", "account": "40702810584044769531" })).await;
        assert_eq!((answer["valid"].clone(), pointers(&answer)), (json!(false), vec!["/inn", "/kpp", "/ogrn", "/account", "/account"]));
        assert_eq!(answer["errors"][0], json!({ "pointer": "/inn", "detail": "fails its check digit: at least one digit is wrong" }));
        let abroad = check(app, json!({ "country": "DE", "iban": "DE89 3704 0044 0532 0130 00", "swift": "BNPAFRPP" })).await;
        assert_eq!(pointers(&abroad), ["/swift"]);
    }

    async fn a_check_that_cannot_be_read_is_a_problem(app: &TestApp) {
        let send = |body: &'static str| app.request(Method::POST, "/v1/requisites/check").body(body).send();
        assert_eq!(send("{\"inn\":").await.unwrap().status(), 400);
        for (body, pointer) in [(json!({ "inm": "7707083893" }), "/inm"), (json!({ "inn": 7707083893_i64 }), "/inn"), (json!({ "kind": "firm" }), "/kind")] {
            assert_eq!(app.refused("/v1/requisites/check", body).await, (422, vec![pointer.to_owned()]));
        }
        let ask = |key: Option<String>| {
            let request = app.visitor(Method::POST, "/v1/requisites/check").json(&json!({ "inn": "7707083893" }));
            let request = match key { Some(key) => request.bearer_auth(key), None => request };
            async move { request.send().await.unwrap().status().as_u16() }
        };
        assert_eq!((ask(None).await, ask(Some(app.key(Scope::Read).await)).await), (401, 200));
    }

    async fn wrong_requisites_are_not_saved_and_missing_ones_are(app: &TestApp) {
        let ids = app.set_up().await;
        let partner = format!("/v1/partners/{}", ids["partner"].as_str().unwrap());
        for (payout, pointer) in [
            (json!({ "method": "bank_ru", "inn": "7707083894" }), "/payout/inn"),
            (json!({ "method": "bank_ru", "kind": "sole_trader", "kpp": "773601001" }), "/payout/kpp"),
            (json!({ "method": "bank_ru", "bik": "044525225", "account": "40702810584044769531" }), "/payout/account"),
            (json!({ "method": "sepa", "iban": "DE88370400440532013000" }), "/payout/iban"),
            (json!({ "method": "paypal", "email": "anna" }), "/payout/email"),
            (json!({ "method": "cheque" }), "/payout/method"),
            (json!({ "method": 5 }), "/payout/method"),
            (json!({ "inn": "7707083893" }), "/payout/method"),
            (json!({ "method": "bank_ru", "inn": 7707083893_i64 }), "/payout/inn"),
            (json!({ "method": "bank_ru", "note": "two\nlines" }), "/payout/note"),
            (json!({ "method": "bank_ru", "kind": "self_employed", "npd_checked_on": "yesterday" }), "/payout/npd_checked_on"),
        ] {
            let (status, answer) = app.patch(&partner, json!({ "payout": payout })).await;
            assert_eq!((status, pointers(&answer)), (422, vec![pointer]), "{payout}: {answer}");
        }
        assert_eq!(app.get(&partner).await["payout"], json!({ "method": "manual" }), "nothing was stored");
        let (status, answer) = app.patch(&partner, json!({ "payout": { "method": "bank_ru", "kind": "self_employed", "npd_since": "2026-02-01", "inn": " 0058 2610 7187", "kpp": "", "bank": "Olga knows" } })).await;
        assert_eq!(status, 200, "{answer}");
        let stored = json!({ "method": "bank_ru", "kind": "self_employed", "npd_since": "2026-02-01", "inn": "005826107187", "bank": "Olga knows" });
        assert_eq!(app.get(&partner).await["payout"], stored);
    }

    async fn a_payment_without_its_requisites_is_blocked_and_says_why(app: &TestApp) {
        let ids = app.set_up().await;
        let partner = format!("/v1/partners/{}", ids["partner"].as_str().unwrap());
        earn(app, "R-1").await;
        app.advance(TimeDelta::days(15));
        let run = json!({ "period": "2026-12", "early": true });
        app.patch(&partner, json!({ "payout": { "method": "bank_ru", "inn": "7707083893", "account": "40702810584044769531" } })).await;
        let (status, answer) = app.post("/v1/payout-runs", run.clone()).await;
        assert_eq!(status, 409);
        assert!(answer["detail"].as_str().unwrap().ends_with("requisites: the BIK is missing"), "{answer}");
        app.patch(&partner, json!({ "payout": { "method": "bank_ru", "inn": "7707083893", "bik": "044525974", "account": "40702810584044769531" } })).await;
        let paid = app.make("/v1/payout-runs", run).await;
        assert_eq!((paid["lines"][0]["disposition"].as_str(), paid["total"]["amount"].as_str()), (Some("due"), Some("100.00")));
    }

    async fn a_payout_stored_before_requisites_were_checked_is_read_and_blocks_with_its_fault(app: &TestApp) {
        let ids = app.set_up().await;
        earn(app, "R-2").await;
        app.advance(TimeDelta::days(15));
        let mut tx = app.service.db.begin().await.unwrap();
        let id = ids["partner"].as_str().unwrap().parse().unwrap();
        let mut partner = tributary::store::partner::by_id(&mut tx, id).await.unwrap().unwrap();
        partner.payout.0 = json!({ "method": "bank_ru", "kind": "individual", "account": "ask Olga", "bank": "Sber", "bik": "044525225" });
        tributary::store::partner::update(&mut tx, &partner).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(app.get("/v1/partners").await["data"][0]["payout"]["account"], "ask Olga");
        let renamed = app.patch(&format!("/v1/partners/{}", ids["partner"].as_str().unwrap()), json!({ "name": "Anna B." })).await;
        assert_eq!((renamed.0, renamed.1["payout"]["bank"].as_str()), (200, Some("Sber")), "what is not sent is not checked again");
        let (_, answer) = app.post("/v1/payout-runs", json!({ "period": "2026-12", "early": true })).await;
        assert!(answer["detail"].as_str().unwrap().contains("requisites: the account is no Russian account"), "{answer}");
    }
}
