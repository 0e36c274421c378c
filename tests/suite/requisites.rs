//! Requisites, checked when asked.

use crate::support::*;
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
}
