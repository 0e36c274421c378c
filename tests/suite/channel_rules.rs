//! The merchant's own channel rules, from the list to what is recorded.

use crate::pages::cookie_of;
use crate::support::*;
use reqwest::Method;
use serde_json::{Value, json};
use tributary::service::access::{Role, add_user};
use tributary::store::{audit, touch};

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

const PAGE: &str = "/admin/channel-rules";

/// The value of the first hidden field of a name on a page.
fn hidden(page: &str, name: &str) -> String {
    let after = page.split(&format!("name=\"{name}\" value=\"")).nth(1).unwrap_or_default();
    after.split('"').next().unwrap_or_default().to_owned()
}

/// Somebody at the page of channel rules.
struct Reader<'a> {
    app: &'a TestApp,
    cookie: String,
}

impl Reader<'_> {
    async fn get(&self, path: &str) -> (u16, String) {
        let answer = self.app.visitor(Method::GET, path).header("cookie", &self.cookie).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    async fn post(&self, fields: &[(&str, &str)]) -> (u16, String) {
        let request = self.app.visitor(Method::POST, PAGE).header("cookie", &self.cookie).form(fields);
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }
}

async fn reader<'a>(app: &'a TestApp, role: Role) -> Reader<'a> {
    let email = format!("{}@shop.example", role.name());
    let mut tx = app.service.db.begin().await.unwrap();
    add_user(&mut tx, &app.service.context("test"), &email, role, None, "a long password").await.unwrap();
    tx.commit().await.unwrap();
    Reader { app, cookie: cookie_of(app, &email).await }
}

both_stores! {
    async fn own_rules_are_set_on_their_page_by_those_who_may(app: &TestApp) {
        app.set_up().await;
        let marketer = reader(app, Role::Marketer).await;
        let (status, edit) = marketer.get(&format!("{PAGE}/edit")).await;
        assert_eq!(status, 200);
        let (csrf, seen) = (hidden(&edit, "csrf"), hidden(&edit, "seen"));
        let rule = |name: &'static str, value: &'static str, seen: &str, was: &'static str, act: &'static str| {
            [("csrf", csrf.clone()), ("seen", seen.to_owned()), ("rule", was.to_owned()), ("act", act.to_owned()), ("name", name.to_owned()),
             ("channel", "audio".to_owned()), ("source", "radio".to_owned()), ("medium", String::new()),
             ("field_1", "campaign".to_owned()), ("is_1", "starts_with".to_owned()), ("value_1", value.to_owned()),
             ("field_2", String::new()), ("is_2", "equals".to_owned()), ("value_2", String::new()),
             ("url", "https://shop.example/?utm_campaign=Radio-1&utm_source=a".to_owned())]
        };
        let post = async |fields: [(&str, String); 15]| {
            let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
            marketer.post(&fields).await
        };
        let names = async || -> Vec<String> {
            app.get(RULES).await["rules"].as_array().unwrap().iter().map(|r| r["name"].as_str().unwrap().to_owned()).collect()
        };
        // A draft is tried without being saved.
        let (status, tried) = post(rule("Radio", "radio-", &seen, "", "try")).await;
        assert!(status == 200 && tried.contains("Your rule “Radio” decided"), "{status} {tried}");
        assert!(names().await.is_empty());
        let (status, refused) = post(rule("Radio", "", &seen, "", "save")).await;
        assert!(status == 422 && refused.contains("condition 1 needs a value"), "{status} {refused}");
        let (status, refused) = post(rule("", "x", &seen, "", "save")).await;
        assert!(status == 422 && refused.contains("needs a name"), "{status}");

        assert_eq!(post(rule("Radio", "radio-", &seen, "", "save")).await.0, 303);
        assert_eq!(app.get(RULES).await["rules"][0], json!({ "name": "Radio", "channel": "audio", "source": "radio",
            "when": [{ "field": "campaign", "is": "starts_with", "value": "radio-" }] }));
        // Whoever has the old list overwrites nothing, and loses nothing that was typed.
        let (status, told) = post(rule("Other", "kept-text", &seen, "", "save")).await;
        assert!(status == 409 && told.contains("somebody else has changed the rules") && told.contains("kept-text"), "{status}");
        let fresh = hidden(&told, "seen");
        assert_ne!(fresh, seen);
        assert_eq!(names().await, ["Radio"]);
        assert_eq!(post(rule("Other", "kept-text", &fresh, "", "save")).await.0, 303);
        let seen = hidden(&marketer.get(PAGE).await.1, "seen");
        assert_eq!(post(rule("Other", "x", &seen, "Radio", "save")).await.0, 422, "a name is given once");
        let arrange = async |name: &str, seen: &str, act: &str| {
            marketer.post(&[("csrf", &csrf), ("seen", seen), ("rule", name), ("act", act)]).await
        };
        assert_eq!(arrange("Other", &seen, "up").await.0, 303);
        assert_eq!(names().await, ["Other", "Radio"]);
        let (status, told) = arrange("Radio", &seen, "remove").await;
        assert!(status == 409 && told.contains("Nothing was changed"), "{status}");
        let seen = hidden(&marketer.get(PAGE).await.1, "seen");
        assert_eq!(arrange("Other", &seen, "down").await.0, 303);
        let seen = hidden(&marketer.get(PAGE).await.1, "seen");
        assert_eq!(arrange("Other", &seen, "remove").await.0, 303);
        assert_eq!(names().await, ["Radio"]);
        let line = &audit::latest(&app.service.db, 1).await.unwrap()[0];
        assert_eq!((line.act.as_str(), line.actor.as_str()), ("channel_rules.replace", "marketer@shop.example"));
        assert_eq!(line.detail.0["before"].as_array().unwrap().len(), 2);
        assert_eq!(line.detail.0["after"], app.get(RULES).await["rules"]);

        assert_eq!(marketer.post(&[("csrf", "guessed"), ("rule", "Radio"), ("act", "remove")]).await.0, 403);
        assert_eq!(marketer.get(&format!("{PAGE}/edit?rule=Nothing")).await.0, 404);
        for role in [Role::Viewer, Role::Accountant] {
            let other = reader(app, role).await;
            let (status, page) = other.get(PAGE).await;
            assert!(status == 200 && page.contains("Radio") && !page.contains("name=\"seen\""), "{role:?}");
            assert_eq!(other.get(&format!("{PAGE}/edit")).await.0, 403);
            let csrf = hidden(&page, "csrf");
            assert_eq!(other.post(&[("csrf", &csrf), ("seen", &seen), ("rule", "Radio"), ("act", "remove")]).await.0, 403);
        }
        assert_eq!(names().await, ["Radio"]);
    }

    async fn the_tester_names_the_rule_that_decides(app: &TestApp) {
        app.set_up().await;
        let when = json!([{ "field": "landing_path", "is": "like", "value": "/radio*" }]);
        assert_eq!(put(app, json!([{ "name": "partner", "when": when, "channel": "audio" }])).await.0, 200);
        let viewer = reader(app, Role::Viewer).await;
        for (query, channel, rule) in [
            ("url=https://shop.example/radio/1", "Audio", "Your rule “partner” decided"),
            ("url=https://go.shop.example/r/ANNA?sub1=x", "Affiliate", "Built-in rule 2 decided: partner"),
            ("url=https://shop.example/&referrer=https://www.google.com/", "Organic search", "Built-in rule 13"),
            ("url=https://shop.example/&referrer=https://shop.example/cart", "Direct", "starts no new touch"),
            ("url=https://shop.example/&user_agent=Googlebot/2.1", "Direct", "A machine, kept and not counted"),
        ] {
            let (status, page) = viewer.get(&format!("{PAGE}?{query}")).await;
            let result = page.split("class=\"tested\"").nth(1).unwrap_or_default().split("</section>").next().unwrap_or_default();
            assert_eq!(status, 200);
            assert!(result.contains(&format!("<b>{channel}</b>")) && result.contains(rule), "{query}: {result}");
        }
        assert!(!viewer.get(PAGE).await.1.contains("class=\"tested\""), "nothing is asked");
    }

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
