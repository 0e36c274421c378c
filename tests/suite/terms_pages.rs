//! Commission rules, leads and what a person says of a commission, on the console's pages: forms alone, no script.

use crate::pages::cookie_of;
use crate::support::*;
use reqwest::Method;
use serde_json::{Value, json};
use tributary::service::access::{Role, add_user};

const PAGE: &str = "/admin/commission-rules";

struct Reader<'a> {
    app: &'a TestApp,
    cookie: String,
    csrf: String,
}

impl Reader<'_> {
    async fn of(app: &TestApp, role: Role) -> Reader<'_> {
        let email = format!("{}@shop.example", role.name());
        let mut tx = app.service.db.begin().await.unwrap();
        add_user(&mut tx, &app.service.context("test"), &email, role, None, "a long password").await.unwrap();
        tx.commit().await.unwrap();
        let mut reader = Reader { app, cookie: cookie_of(app, &email).await, csrf: String::new() };
        let home = reader.get("/admin").await.1;
        let csrf = home.split("name=\"csrf\" value=\"").nth(1).unwrap().split('"').next().unwrap();
        reader.csrf = csrf.to_owned();
        reader
    }

    async fn get(&self, path: &str) -> (u16, String) {
        let answer = self.app.visitor(Method::GET, path).header("cookie", &self.cookie).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    async fn post(&self, path: &str, fields: &[(&str, &str)]) -> (u16, String) {
        let fields: Vec<(&str, &str)> = fields.iter().copied().chain([("csrf", self.csrf.as_str())]).collect();
        let answer = self.app.visitor(Method::POST, path).header("cookie", &self.cookie).form(&fields).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }
}

async fn newest(app: &TestApp) -> Value {
    app.get("/v1/commission-rules").await["data"].as_array().unwrap().last().unwrap().clone()
}

both_stores! {
    async fn rules_are_drafted_published_changed_and_tried_on_their_page(app: &TestApp) {
        let ids = app.set_up().await;
        let (program, rule) = (ids["program"].as_str().unwrap(), ids["rule"].as_str().unwrap());
        let accountant = Reader::of(app, Role::Accountant).await;
        let (status, list) = accountant.get(PAGE).await;
        assert!(status == 200 && list.contains("10%") && list.contains("all partners and goods") && !list.contains("<script"), "{status} {list}");
        assert_eq!(accountant.get(&format!("{PAGE}/edit?program={program}")).await.0, 200);
        assert_eq!(accountant.get(&format!("{PAGE}/edit?rule=rul_99")).await.0, 404);
        let new = [("program", program), ("base", "1"), ("less_tax", "1"), ("less_discount", "1"), ("kind", "ordinary"), ("on", "order"), ("customer", "any"), ("category", "Tea"), ("terms", "percent")];
        let with = |more: &[(&'static str, &'static str)]| new.iter().map(|(a, b)| (*a, *b)).chain(more.iter().copied()).collect::<Vec<_>>();
        // What is wrong is said with its field, and what was typed is kept.
        let (status, told) = accountant.post(PAGE, &with(&[("percent", "120"), ("state", "draft")])).await;
        assert!(status == 422 && told.contains("Percent: ") && told.contains("value=\"120\"") && told.contains("value=\"Tea\""), "{status} {told}");
        assert_eq!(accountant.post(PAGE, &with(&[("percent", "12,5"), ("state", "draft"), ("starts", "2026-12-01"), ("ends", "2026-12-31")])).await.0, 303);
        let draft = newest(app).await;
        assert_eq!((&draft["state"], &draft["percent"], &draft["category"]), (&json!("draft"), &json!("12.5"), &json!("Tea")));
        assert_eq!((&draft["starts_at"], &draft["ends_at"]), (&json!("2026-11-30T21:00:00Z"), &json!("2026-12-31T21:00:00Z")));
        assert_eq!(draft["base"], json!({ "less_tax": true, "less_shipping": false, "less_discount": true }));
        let edit = accountant.get(&format!("{PAGE}/edit?rule={}", draft["id"].as_str().unwrap())).await.1;
        for text in ["value=\"12.5\"", "value=\"2026-12-01\"", "value=\"2026-12-31\"", "Publish", "category “"] {
            assert!(edit.contains(text), "no {text} in {edit}");
        }
        let id = draft["id"].as_str().unwrap();
        let published = [("rule", id), ("base", "1"), ("less_tax", "1"), ("less_shipping", "1"), ("less_discount", "1"), ("terms", "percent"), ("percent", "15"), ("state", "published"), ("priority", "2")];
        assert_eq!(accountant.post(PAGE, &published).await.0, 303);
        let rule_now = newest(app).await;
        assert_eq!((&rule_now["state"], &rule_now["percent"], &rule_now["version"], &rule_now["priority"]), (&json!("published"), &json!("15"), &json!(1), &json!(2)));
        // A change of a published rule is a new version, from now or from a day on.
        let planned = [("rule", rule), ("base", "1"), ("less_tax", "1"), ("less_shipping", "1"), ("less_discount", "1"), ("terms", "tiers"), ("by", "revenue"), ("mode", "marginal"), ("unit", "percent"), ("from_1", "0"), ("pays_1", "5"), ("from_2", "1 000,00"), ("pays_2", "7"), ("starts", "2026-12-01"), ("state", "published")];
        assert_eq!(accountant.post(PAGE, &planned).await.0, 303);
        let changed = app.get(&format!("/v1/commission-rules/{rule}")).await;
        assert_eq!((&changed["version"], &changed["starts_at"], &changed["tiers"]["steps"][1]["from"]), (&json!(2), &json!("2026-11-30T21:00:00Z"), &json!("1000.00")));
        let (_, list) = accountant.get(PAGE).await;
        assert!(list.contains("Planned") && list.contains("from ₽1,000.00: 7%") && list.contains("until then 10%"), "{list}");
        // A contradiction is told by its name.
        let (status, told) = accountant.post(PAGE, &with(&[("percent", "9"), ("priority", "2"), ("state", "published")])).await;
        assert!(status == 409 && told.contains("Contradiction: ") && told.contains(id), "{status} {told}");

        let (status, tried) = accountant.get(&format!("{PAGE}?partner={}&total=1%20000,00&category=tea", ids["partner"].as_str().unwrap())).await;
        assert_eq!(status, 200);
        // The first version still pays; the second, and the rule for tea, begin later.
        for said in ["₽100.00", "10% × ₽1,000.00", "rule rul_1, version 1", "not in force yet", "no longer in force"] {
            assert_eq!(tried.contains(said), said != "no longer in force", "{said} in {tried}");
        }
        let (status, tried) = accountant.get(&format!("{PAGE}?order=nothing")).await;
        assert!(status == 200 && tried.contains("That cannot be answered") && tried.contains("nothing"), "{tried}");
        let viewer = Reader::of(app, Role::Viewer).await;
        assert_eq!(viewer.get(PAGE).await.0, 200);
        assert_eq!(viewer.post(PAGE, &published).await.0, 403);
    }

    async fn commissions_are_judged_on_their_order_and_lead(app: &TestApp) {
        let ids = app.set_up().await;
        app.patch(&format!("/v1/programs/{}", ids["program"].as_str().unwrap()), json!({ "approval": "manual" })).await;
        app.make("/v1/commission-rules", json!({ "on": "lead", "fixed": "50.00" })).await;
        let (_, click_id) = app.click("anna").await;
        app.mover_done().await;
        let placed = app.make("/v1/orders", json!({ "external_id": "J/1", "placed_at": app.now(), "currency": "RUB", "total": "1000.00", "click_id": click_id })).await;
        let lead = app.make("/v1/leads", json!({ "external_id": "L-1", "name": "signup", "stage": "qualified", "click_id": click_id })).await;
        let accountant = Reader::of(app, Role::Accountant).await;
        let commission = placed["commissions"][0]["id"].as_str().unwrap();
        let act = |act: &str| format!("/admin/commissions/{commission}/{act}");
        let page = "/admin/orders/J%2F1";
        let (_, text) = accountant.get(page).await;
        assert!(text.contains(&act("approve")) && text.contains(&act("decline")) && !text.contains(&act("restore")), "{text}");
        let (status, told) = accountant.post(&act("decline"), &[("reason", " ")]).await;
        assert!(status == 422 && told.contains("Nothing was changed") && told.contains("J/1"), "{status} {told}");
        assert_eq!(accountant.post(&act("decline"), &[("reason", "a coupon site")]).await.0, 303);
        let (_, text) = accountant.get(page).await;
        assert!(text.contains("Declined: ") && text.contains("a coupon site") && text.contains(&act("restore")) && !text.contains(&act("approve")), "{text}");
        assert_eq!(accountant.post(&act("approve"), &[]).await.0, 409);
        assert_eq!(accountant.post(&act("restore"), &[]).await.0, 303);
        assert_eq!(accountant.post(&act("approve"), &[]).await.0, 303);
        assert_eq!(app.get("/v1/orders/J%2F1").await["commissions"][0]["needs_approval"], false);
        assert_eq!(accountant.post(&act("unknown"), &[]).await.0, 404);
        assert_eq!(accountant.post("/admin/commissions/com_99/approve", &[]).await.0, 404);

        let (status, text) = accountant.get("/admin/leads").await;
        assert_eq!(status, 200);
        for said in ["L-1", "signup", "qualified", "Anna", "50.00", "Waits for approval"] {
            assert!(text.contains(said), "no {said} in {text}");
        }
        let of_lead = lead["commissions"][0]["id"].as_str().unwrap();
        assert_eq!(accountant.post(&format!("/admin/commissions/{of_lead}/decline"), &[("reason", "twice")]).await.0, 303);
        assert!(accountant.get("/admin/leads").await.1.contains("Declined: "));
        let viewer = Reader::of(app, Role::Viewer).await;
        let (status, text) = viewer.get("/admin/leads").await;
        assert!(status == 200 && !text.contains("/admin/commissions/"), "{text}");
        let (_, text) = viewer.get(page).await;
        assert!(!text.contains("/admin/commissions/"));
    }
}
