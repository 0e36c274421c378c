//! The pages answer on both databases, and nobody sees what is not theirs. How they look is tested in a browser.

use crate::support::*;
use reqwest::Method;
use serde_json::json;
use tributary::domain::id::PartnerId;
use tributary::service::access::{Role, add_user};

async fn sign_in(app: &TestApp, email: &str, password: &str) -> reqwest::Response {
    app.visitor(Method::POST, "/signin")
        .header("origin", app.url(""))
        .form(&[("email", email), ("password", password)])
        .send()
        .await
        .unwrap()
}

pub async fn cookie_of(app: &TestApp, email: &str) -> String {
    let answer = sign_in(app, email, "a long password").await;
    assert_eq!(answer.status(), 303);
    let cookie = answer.headers()["set-cookie"].to_str().unwrap().to_owned();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"), "{cookie}");
    cookie.split(';').next().unwrap().to_owned()
}

both_stores! {
    async fn each_sees_their_own_pages_and_no_others(app: &TestApp) {
        let ids = app.set_up().await;
        let other = app.make("/v1/partners", json!({ "name": "Boris Secret", "email": "b@blog.example" })).await;
        app.make("/v1/links", json!({ "partner": other["id"], "code": "secret", "url": "https://shop.example/" })).await;
        for code in ["anna", "secret"] {
            let (_, click_id) = app.click(code).await;
            app.make("/v1/orders", json!({ "external_id": format!("{code}-order"), "placed_at": app.now(), "currency": "RUB", "total": "1000.00", "click_id": click_id, "customer": { "id": code, "email": "buyer@mail.example" } })).await;
        }
        let mut tx = app.service.db.begin().await.unwrap();
        let context = app.service.context("test");
        let partner: PartnerId = ids["partner"].as_str().unwrap().parse().unwrap();
        for (email, role, partner) in [("owner@shop.example", Role::Owner, None), ("viewer@shop.example", Role::Viewer, None), ("anna@blog.example", Role::Partner, Some(partner))] {
            add_user(&mut tx, &context, email, role, partner, "a long password").await.unwrap();
        }
        tx.commit().await.unwrap();

        assert_eq!(sign_in(app, "owner@shop.example", "not the password").await.status(), 401);
        assert_eq!(sign_in(app, "nobody@shop.example", "a long password").await.status(), 401);
        let page = async |cookie: &str, path: &str| {
            let answer = app.visitor(Method::GET, path).header("cookie", cookie).header("accept-language", "ru").send().await.unwrap();
            (answer.status().as_u16(), answer.text().await.unwrap())
        };
        let owner = cookie_of(app, "owner@shop.example").await;
        for path in ["/admin", "/admin?group_by=day&model=linear", "/admin/orders", "/admin/orders/anna-order", "/admin/payouts/2026-11", "/admin/ledger", "/admin/ledger?partner=par_1&kind=earned&from=2026-11-01&to=2026-11-30&at=2026-11-22"] {
            let (status, text) = page(&owner, path).await;
            assert_eq!(status, 200, "{path}");
            assert!(text.contains("<html lang=\"ru\"") && !text.contains("<script"), "{path}");
        }
        // The filter names the model that the figures are by, also one that is on no list.
        for model in ["w_shaped", "custom:40/20/40"] {
            let text = page(&owner, &format!("/admin?model={model}")).await.1;
            assert!(text.contains(&format!("<option value=\"{model}\" selected>")), "{model}");
            assert_eq!(text.contains("custom:"), model.starts_with("custom:"), "{model}");
        }
        assert_eq!(page(&owner, "/admin?model=markov").await.0, 200);
        assert_eq!(page(&owner, "/cabinet").await.0, 403);
        let anna = cookie_of(app, "anna@blog.example").await;
        let (status, text) = page(&anna, "/cabinet").await;
        assert_eq!(status, 200);
        assert!(text.contains("anna-order") && text.contains("100,00"), "{text}");
        for foreign in ["secret", "Boris", "buyer@mail.example"] {
            assert!(!text.contains(foreign), "the cabinet shows '{foreign}'");
        }
        for path in ["/admin", "/admin/orders", "/admin/orders/secret-order", "/admin/payouts/2026-11", "/admin/ledger"] {
            assert_eq!(page(&anna, path).await.0, 403, "{path}");
            assert_eq!(page("", path).await.0, 303, "{path}");
        }
        // A viewer sees the run and may not move money; without the form's own token nobody may.
        for cookie in [cookie_of(app, "viewer@shop.example").await, owner, anna] {
            let answer = app.visitor(Method::POST, "/admin/payouts/2026-10/close").header("cookie", cookie).form(&[("csrf", "guessed")]).send().await.unwrap();
            assert_eq!(answer.status(), 403);
        }
        assert_eq!(app.get("/v1/payout-runs").await["data"], json!([]));
    }

    async fn balances_are_moved_by_forms_once_and_by_accountants_only(app: &TestApp) {
        let ids = app.set_up().await;
        let partner = ids["partner"].as_str().unwrap();
        let (_, click_id) = app.click("anna").await;
        app.make("/v1/orders", json!({ "external_id": "L/1", "placed_at": app.now(), "currency": "RUB", "total": "1000.00", "click_id": click_id })).await;
        app.advance(chrono::TimeDelta::days(15));
        let mut tx = app.service.db.begin().await.unwrap();
        let context = app.service.context("test");
        let own = Some(partner.parse::<PartnerId>().unwrap());
        for (email, role, partner) in [("a@shop.example", Role::Accountant, None), ("m@shop.example", Role::Marketer, None), ("v@shop.example", Role::Viewer, None), ("anna@blog.example", Role::Partner, own)] {
            add_user(&mut tx, &context, email, role, partner, "a long password").await.unwrap();
        }
        tx.commit().await.unwrap();
        let page = async |cookie: &str, path: &str| {
            let answer = app.visitor(Method::GET, path).header("cookie", cookie).header("accept-language", "en").send().await.unwrap();
            (answer.status().as_u16(), answer.text().await.unwrap())
        };
        let post = async |cookie: &str, path: &str, fields: &[(&str, &str)]| {
            let answer = app.visitor(Method::POST, path).header("cookie", cookie).header("accept-language", "en").form(fields).send().await.unwrap();
            (answer.status().as_u16(), answer.text().await.unwrap())
        };
        let token = |text: &str| text.split("name=\"csrf\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        let accountant = cookie_of(app, "a@shop.example").await;
        let ledger = format!("/admin/ledger?partner={partner}");
        let (status, text) = page(&accountant, &ledger).await;
        assert_eq!(status, 200);
        assert!(text.contains("/admin/orders/L%2F1") && text.contains("rule rul_1, version 1") || text.contains("rul_1"), "{text}");
        assert!(text.contains("name=\"available_was\" value=\"10000\""), "{text}");
        let csrf = token(&text);
        let path = format!("/admin/ledger/{partner}");
        let withhold = [("csrf", csrf.as_str()), ("act", "withhold"), ("currency", "RUB"), ("amount", "40,00"), ("reason", "Clicks <are> looked at"), ("available_was", "10000")];
        assert_eq!(post(&accountant, &path, &withhold).await.0, 303);
        let (status, text) = post(&accountant, &path, &withhold).await;
        assert_eq!(status, 409, "the form again");
        assert!(text.contains("Nothing was kept back") && text.contains("60.00 RUB is available"), "{text}");
        assert!(text.contains("Clicks &#60;are&#62; looked at"), "{text}");
        let kept = app.get(&format!("/v1/partners/{partner}/withholdings")).await["data"][0]["id"].as_str().unwrap().to_owned();
        let anna = cookie_of(app, "anna@blog.example").await;
        let (_, cabinet) = page(&anna, "/cabinet").await;
        assert!(cabinet.contains("of it ₽40.00 is kept back: Clicks &#60;are&#62; looked at"), "{cabinet}");
        let release = format!("/admin/withholdings/{kept}/release");
        for email in ["m@shop.example", "v@shop.example"] {
            let cookie = cookie_of(app, email).await;
            let (status, text) = page(&cookie, &ledger).await;
            assert_eq!((status, text.contains("name=\"act\"")), (200, false), "{email} reads and has no form");
            let csrf = token(&text);
            let fields = [("csrf", csrf.as_str()), ("act", "adjust"), ("currency", "RUB"), ("amount", "1"), ("reason", "so"), ("available_was", "6000")];
            assert_eq!(post(&cookie, &path, &fields).await.0, 403, "{email}");
            assert_eq!(post(&cookie, &release, &fields).await.0, 403, "{email}");
        }
        assert_eq!(post(&accountant, &release, &[("csrf", "guessed")]).await.0, 403);
        assert_eq!(post(&accountant, &release, &[("csrf", &csrf)]).await.0, 303);
        let statement = app.get(&format!("/v1/partners/{partner}/statement")).await;
        assert_eq!(balances(&statement), ("0.00".into(), "100.00".into(), "0.00".into()));
        let wrong = [("csrf", csrf.as_str()), ("act", "adjust"), ("currency", "RUB"), ("amount", "much"), ("reason", "so"), ("available_was", "10000")];
        let (status, text) = post(&accountant, &path, &wrong).await;
        assert!(status == 422 && text.contains("value=\"much\"") && text.contains("value=\"so\""), "what was typed is kept: {text}");
        for (query, status) in [("partner=par_99", 422), ("kind=x", 422), ("from=x", 422), ("partner=anna@blog.example", 200)] {
            assert_eq!(page(&accountant, &format!("/admin/ledger?{query}")).await.0, status, "{query}");
        }
        // Further back by the address alone.
        let (_, text) = page(&accountant, "/admin/ledger?before=ent_3").await;
        assert!(text.contains("ent_2") && !text.contains("ent_3<"), "{text}");
    }
}
