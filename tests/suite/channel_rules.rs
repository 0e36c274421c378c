//! The merchant's own channel rules, from the list to what is recorded.

use crate::support::*;
use reqwest::Method;
use serde_json::{Value, json};
use tributary::store::touch;

const RULES: &str = "/v1/channel-rules";

async fn put(app: &TestApp, rules: Value) -> (u16, Value) {
    let response = app.request(Method::PUT, RULES).json(&json!({ "rules": rules })).send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

/// What a touch with this address and referrer would become, and by which rule.
async fn classified(app: &TestApp, url: &str, referrer: &str) -> (String, String) {
    let (status, answer) = app.post("/v1/classify", json!([{ "url": url, "referrer": referrer }])).await;
    assert_eq!(status, 200, "{answer}");
    let text = |field: &str| answer["data"][0][field].as_str().unwrap_or_default().to_owned();
    (text("channel"), text("rule"))
}

/// Waits until every node knows: at most two seconds.
async fn becomes(app: &TestApp, url: &str, referrer: &str, channel: &str, rule: &str) {
    let mut found = Default::default();
    for _ in 0..40 {
        found = classified(app, url, referrer).await;
        if found.0 == channel && found.1.contains(rule) {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("{url} from '{referrer}' is {found:?}, not {channel} by {rule}");
}

both_stores! {
    async fn own_rules_are_asked_before_all_others(app: &TestApp) {
        app.set_up().await;
        let (url, blog) = ("https://shop.example/?utm_source=anna&utm_medium=cpc", "https://blog.example/post");
        let without = classified(app, url, blog).await;
        assert_eq!(app.get(RULES).await, json!({ "rules": [] }));
        let rules = json!([
            { "name": "Blog", "when": [{ "field": "referrer_host", "is": "equals", "value": "blog.example" }], "channel": "email" },
            { "name": "Anna", "when": [{ "field": "source", "is": "starts_with", "value": "ann" }], "channel": "audio", "source": "radio" },
        ]);
        let (status, saved) = put(app, rules.clone()).await;
        assert_eq!((status, &saved["rules"]), (200, &rules), "{saved}");
        assert_eq!(app.get(RULES).await["rules"], rules);
        becomes(app, url, blog, "email", "Blog").await;
        becomes(app, url, "", "audio", "Anna").await;

        // A partner's link is a rule of its own, and comes after the merchant's.
        let click = app.visitor(Method::GET, "/r/anna").header("referer", blog).send().await.unwrap();
        assert_eq!(click.status(), 302);
        app.mover_done().await;
        let stored = touch::latest(&app.service.db, 1).await.unwrap();
        assert_eq!(stored[0].channel.name(), "email");

        assert_eq!(put(app, json!([])).await.0, 200);
        becomes(app, url, blog, &without.0, &without.1).await;
    }

    async fn a_rule_that_cannot_be_is_refused_by_name_and_nothing_changes(app: &TestApp) {
        let good = json!({ "name": "Blog", "when": [{ "field": "source", "is": "present" }], "channel": "email" });
        assert_eq!(put(app, json!([good])).await.0, 200);
        for (bad, pointer) in [
            (json!({ "name": "", "when": [{ "field": "source", "is": "present" }], "channel": "email" }), "/rules/1"),
            (json!({ "name": "x", "when": [], "channel": "email" }), "/rules/1"),
            (json!({ "name": "x", "when": [{ "field": "source", "is": "present" }], "channel": "carrier pigeon" }), "/rules/1"),
            (good.clone(), "/rules/1/name"),
        ] {
            let (status, answer) = put(app, json!([good, bad])).await;
            let pointed = answer["errors"][0]["pointer"].as_str().unwrap_or_default();
            assert!(status == 422 && pointed.starts_with(pointer), "{bad}: {status} {answer}");
        }
        assert_eq!(app.get(RULES).await["rules"], json!([good]));
    }
}
