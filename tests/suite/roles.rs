//! Only the accountant and the owner move money, and every act that does is in the audit log. The lists here are held against
//! the routes themselves, so that a new one cannot be forgotten.

use crate::pages::cookie_of;
use crate::support::*;
use chrono::TimeDelta;
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use tributary::service::access::{Role, Scope, add_user};
use tributary::service::worker;
use tributary::store::audit;

/// The forms of the console, and who of owner, accountant, marketer and viewer may send each.
const MONEY: &[Role] = &[Role::Owner, Role::Accountant];
const CHANNELS: &[Role] = &[Role::Owner, Role::Marketer];
const OWNER: &[Role] = &[Role::Owner];
const FORMS: [(&str, &[Role]); 16] = [
    ("/admin/channel-rules", CHANNELS),
    ("/admin/commission-rules", MONEY),
    ("/admin/commissions/{id}/{act}", MONEY),
    ("/admin/payouts/{period}/close", MONEY),
    ("/admin/payouts/{period}/build", MONEY),
    ("/admin/payout-runs/{id}/approve", MONEY),
    ("/admin/payout-runs/{id}/paid", MONEY),
    ("/admin/payout-runs/{id}/lines", MONEY),
    ("/admin/payout-runs/{id}/cancel", MONEY),
    ("/admin/payout-runs/{id}/statement", MONEY),
    ("/admin/payout-runs/{id}/statement/apply", MONEY),
    ("/admin/payout-settings", OWNER),
    ("/admin/ledger/{partner}", MONEY),
    ("/admin/withholdings/{id}/release", MONEY),
    ("/admin/documents/issue", MONEY),
    ("/admin/receipts/{id}", MONEY),
];
/// Forms that send a file.
const UPLOADS: [&str; 2] = ["/admin/payout-runs/{id}/statement", "/admin/payout-runs/{id}/statement/apply"];
/// Pages that hand out or prepare what only they may do.
const GUARDED_PAGES: [(&str, &[Role]); 3] =
    [("/admin/payout-runs/{id}/export", MONEY), ("/admin/commission-rules/edit", MONEY), ("/admin/channel-rules/edit", CHANNELS)];

/// What needs an admin's key: it moves money, or says where it goes.
const ADMIN: [&str; 22] = [
    "post /v1/periods/{period}/close",
    "post /v1/payout-runs",
    "post /v1/payout-runs/{id}/approve",
    "post /v1/payout-runs/{id}/paid",
    "get /v1/payout-runs/{id}/export",
    "post /v1/payout-runs/{id}/retake-payer",
    "put /v1/payer",
    "post /v1/commissions/{id}/approve",
    "post /v1/commissions/{id}/decline",
    "post /v1/commissions/{id}/restore",
    "post /v1/documents",
    "post /v1/partners/{id}/adjustments",
    "post /v1/partners/{id}/withholdings",
    "post /v1/partners/{id}/write-offs",
    "post /v1/payout-runs/{id}/cancel",
    "post /v1/payout-runs/{id}/lines/{partner}/failed",
    "post /v1/payout-runs/{id}/statement/apply",
    "post /v1/receipts/{id}/annul",
    "post /v1/receipts/{id}/received",
    "post /v1/receipts/{id}/reminded",
    "post /v1/withholdings/{id}/release",
    "put /v1/payout-settings",
];
/// What changes nothing, though it is sent with a body.
const READ: [&str; 5] = [
    "post /v1/classify",
    "post /v1/commission-rules/test",
    "post /v1/promo-codes/check",
    "post /v1/requisites/check",
    "post /v1/payout-runs/{id}/statement",
];

/// A path with something in its places.
fn filled(path: &str) -> String {
    let ids = [
        ("/receipts/", "rcp_1"),
        ("/payout-runs/", "pay_1"),
        ("/commissions/", "com_1"),
        ("/commission-rules/", "rul_1"),
        ("/partners/", "par_1"),
    ];
    let id = ids.into_iter().find(|(under, _)| path.contains(under)).map_or("x_1", |(_, id)| id);
    let places = [
        ("{id}", id),
        ("{partner}", "par_1"),
        ("{act}", "approve"),
        ("{period}", "2026-10"),
        ("{external_id}", "x"),
        ("{name}", "x"),
    ];
    places.into_iter().fold(path.to_owned(), |path, (place, with)| path.replace(place, with))
}

/// The value of the first hidden field of a name on a page.
fn hidden(page: &str, name: &str) -> String {
    page.split(&format!("name=\"{name}\" value=\"")).nth(1).unwrap_or_default().split('"').next().unwrap_or_default().to_owned()
}

async fn staff(app: &TestApp, role: Role) -> (String, String) {
    let email = format!("{}@shop.example", role.name());
    let partner = (role == Role::Partner).then(|| "par_1".parse().unwrap());
    let mut tx = app.service.db.begin().await.unwrap();
    add_user(&mut tx, &app.service.context("test"), &email, role, partner, "a long password").await.unwrap();
    tx.commit().await.unwrap();
    let cookie = cookie_of(app, &email).await;
    let home = if role == Role::Partner { "/cabinet" } else { "/admin" };
    let page = app.visitor(Method::GET, home).header("cookie", &cookie).send().await.unwrap().text().await.unwrap();
    (cookie, hidden(&page, "csrf"))
}

/// The routes of the console as the code has them.
fn routes_of_pages() -> Vec<(String, bool)> {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/src/web/mod.rs")).unwrap();
    let pages = text.split("fn page_routes").nth(1).unwrap();
    let lines = pages.lines().filter(|line| line.contains("\"/admin"));
    lines.map(|line| (line.split('"').nth(1).unwrap().to_owned(), line.contains("post("))).collect()
}

#[test]
fn every_form_of_the_console_says_who_may_send_it() {
    let known: BTreeSet<String> = FORMS.iter().map(|(path, _)| (*path).to_owned()).collect();
    let there: BTreeSet<String> = routes_of_pages().into_iter().filter(|(_, posts)| *posts).map(|(path, _)| path).collect();
    assert_eq!(there, known, "add the form to FORMS, with who may send it");
}

both_stores! {
    async fn only_those_who_may_move_money_do(app: &TestApp) {
        app.set_up().await;
        for role in [Role::Owner, Role::Accountant, Role::Marketer, Role::Viewer, Role::Partner] {
            let (cookie, csrf) = staff(app, role).await;
            for (path, may) in FORMS {
                let sent = async |csrf: &str| {
                    let request = app.visitor(Method::POST, &filled(path)).header("cookie", &cookie);
                    let request = match UPLOADS.contains(&path) {
                        false => request.form(&[("csrf", csrf), ("act", "none")]),
                        true => request
                            .header("content-type", "multipart/form-data; boundary=part")
                            .body(format!("--part\r\ncontent-disposition: form-data; name=\"csrf\"\r\n\r\n{csrf}\r\n--part--\r\n")),
                    };
                    request.send().await.unwrap().status().as_u16()
                };
                let status = sent(&csrf).await;
                assert_eq!(status == 403, !may.contains(&role), "{} posts {path}: {status}", role.name());
                assert_eq!(sent("guessed").await, 403, "{} posts {path} without a token", role.name());
            }
            for (path, may) in GUARDED_PAGES {
                let status = app.visitor(Method::GET, &filled(path)).header("cookie", &cookie).send().await.unwrap().status().as_u16();
                assert_eq!(status == 403, !may.contains(&role), "{} gets {path}: {status}", role.name());
            }
            // What may be seen shows no button that would be refused.
            if role != Role::Partner {
                let page = app.visitor(Method::GET, "/admin/commission-rules").header("cookie", &cookie).send().await.unwrap();
                assert_eq!(page.status(), 200);
                assert_eq!(page.text().await.unwrap().contains("/admin/commission-rules/edit"), MONEY.contains(&role), "{}", role.name());
            }
        }
    }

    async fn keys_do_no_more_than_their_scope(app: &TestApp) {
        app.set_up().await;
        let document: Value = serde_json::from_str(&tributary::web::openapi::text()).unwrap();
        let (read, write) = (app.key(Scope::Read).await, app.key(Scope::Write).await);
        let mut admin: BTreeSet<&str> = ADMIN.into();
        for (path, methods) in document["paths"].as_object().unwrap() {
            for method in methods.as_object().unwrap().keys() {
                let name = format!("{method} {path}");
                let needs_admin = admin.remove(name.as_str());
                let needs_write = method != "get" && !READ.contains(&name.as_str());
                let body = match path.as_str() {
                    "/v1/payout-runs" => r#"{"period":"2026-10"}"#,
                    path if path.ends_with("/decline") => r#"{"reason":"x"}"#,
                    _ => "{}",
                };
                for (key, scope) in [(&read, Scope::Read), (&write, Scope::Write)] {
                    let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
                    let request = app.visitor(method, &filled(path)).bearer_auth(key).body(body);
                    let status = request.send().await.unwrap().status().as_u16();
                    let refused = needs_admin || needs_write && scope == Scope::Read;
                    match refused {
                        true if needs_admin => assert_eq!(status, 403, "{name} with a {} key", scope.name()),
                        // What is wrong with the body may be said first; success may not.
                        true => assert!((400..500).contains(&status), "{name} with a {} key: {status}", scope.name()),
                        false => assert_ne!(status, 403, "{name} with a {} key", scope.name()),
                    }
                }
            }
        }
        assert!(admin.is_empty(), "no such route: {admin:?}");
    }

    async fn every_act_of_money_is_in_the_audit_log(app: &TestApp) {
        let ids = app.set_up().await;
        let id = |name: &str| ids[name].as_str().unwrap().to_owned();
        let logged = async |acts: &[(&str, bool)]| {
            let lines = audit::latest(&app.service.db, acts.len() as i64).await.unwrap();
            let seen: Vec<&str> = lines.iter().rev().map(|line| line.act.as_str()).collect();
            assert_eq!(seen, acts.iter().map(|(act, _)| *act).collect::<Vec<_>>());
            for (line, (act, differs)) in lines.iter().rev().zip(acts) {
                assert!(line.actor.starts_with("key ") && !line.subject.is_empty(), "{line:?}");
                if *differs {
                    let detail = line.detail.0.as_object().unwrap();
                    assert!(detail.contains_key("before") && detail.contains_key("after"), "{act}: {detail:?}");
                    assert_ne!(detail["before"], detail["after"], "{act}");
                }
            }
        };
        let patched = async |path: String, body: Value| {
            let (status, answer) = app.patch(&path, body).await;
            assert_eq!(status, 200, "{answer}");
        };
        logged(&[("partner.save", true), ("commission_rule.save", true)]).await;
        patched(format!("/v1/commission-rules/{}", id("rule")), json!({ "percent": "12" })).await;
        logged(&[("commission_rule.save", true)]).await;
        let draft = app.make("/v1/commission-rules", json!({ "percent": "1", "category": "x", "state": "draft" })).await;
        patched(format!("/v1/commission-rules/{}", draft["id"].as_str().unwrap()), json!({ "state": "published" })).await;
        logged(&[("commission_rule.save", true), ("commission_rule.save", true)]).await;
        patched(format!("/v1/partners/{}", id("partner")), json!({ "payout": { "method": "sepa", "iban": "DE02120300000000202051" } })).await;
        logged(&[("partner.save", true)]).await;
        patched(format!("/v1/programs/{}", id("program")), json!({ "approval": "manual", "hold_days": 0 })).await;
        logged(&[("program.save", true)]).await;
        let payer = app.request(Method::PUT, "/v1/payer").json(&json!({ "name": "Shop" })).send().await.unwrap();
        assert_eq!(payer.status(), 200, "{}", payer.text().await.unwrap());
        logged(&[("payer.replace", true)]).await;
        let (_, click_id) = app.click("anna").await;
        app.mover_done().await;
        let placed = app.make("/v1/orders", json!({ "external_id": "A-1", "placed_at": app.now(), "currency": "RUB", "total": "1000.00", "click_id": click_id })).await;
        let commission = placed["commissions"][0]["id"].as_str().unwrap().to_owned();
        for (act, body) in [("decline", json!({ "reason": "a coupon site" })), ("restore", json!({})), ("approve", json!({}))] {
            app.make(&format!("/v1/commissions/{commission}/{act}"), body).await;
        }
        logged(&[("commission.decline", true), ("commission.restore", true), ("commission.approve", true)]).await;
        app.advance(TimeDelta::days(20));
        worker::run_once(&app.service).await.unwrap();
        app.make("/v1/periods/2026-11/close", json!({})).await;
        logged(&[("period.close", true)]).await;
        let run = app.make("/v1/payout-runs", json!({ "period": "2026-11" })).await;
        let run = format!("/v1/payout-runs/{}", run["id"].as_str().unwrap());
        logged(&[("payout_run.build", false)]).await;
        app.make(&format!("{run}/approve"), json!({})).await;
        logged(&[("payout_run.approve", false)]).await;
        app.request(Method::GET, &format!("{run}/export?format=csv")).send().await.unwrap();
        logged(&[("payout_run.export", false)]).await;
        app.make(&format!("{run}/paid"), json!({ "bank_reference": "42" })).await;
        logged(&[("payout_run.paid", false)]).await;
        app.make("/v1/exchange-rates", json!({ "date": "2026-11-20", "from": "USD", "to": "RUB", "rate": "80" })).await;
        app.make("/v1/exchange-rates", json!({ "date": "2026-11-20", "from": "USD", "to": "RUB", "rate": "81" })).await;
        logged(&[("exchange_rate.save", false), ("exchange_rate.change", true)]).await;
        // What was known already happens once.
        app.make(&format!("{run}/paid"), json!({ "bank_reference": "42" })).await;
        logged(&[("exchange_rate.change", true)]).await;
    }
}
