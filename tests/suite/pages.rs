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
        for path in ["/admin", "/admin?group_by=day&model=linear", "/admin/orders", "/admin/orders/anna-order", "/admin/payouts/2026-11"] {
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
        for path in ["/admin", "/admin/orders", "/admin/orders/secret-order", "/admin/payouts/2026-11"] {
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
}
