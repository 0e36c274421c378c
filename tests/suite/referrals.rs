//! Offers with two sides: the friend's discount and the referrer's reward, and the page where a referrer sees theirs.

use crate::support::*;
use chrono::TimeDelta;
use reqwest::Method;
use serde_json::{Value, json};

/// A referral program: 5 % for the referrer, 10 % off for the friend.
async fn program(app: &TestApp) -> Value {
    app.make(
        "/v1/programs",
        json!({
            "name": "Friends", "currency": "RUB", "destination_hosts": ["shop.example"], "hold_days": 14, "kind": "referral",
            "reward": { "percent": "5" }, "friend_discount": { "percent": "10" },
        }),
    )
    .await
}

async fn join(app: &TestApp, customer: &str) -> Value {
    let body = json!({ "customer": { "id": customer, "email": format!("{customer}@mail.example") }, "name": format!("Name of {customer}"), "program": "Friends" });
    app.make("/v1/referrers", body).await
}

fn text<'a>(value: &'a Value, path: &str) -> &'a str {
    value.pointer(path).and_then(Value::as_str).unwrap_or_else(|| panic!("no {path} in {value}"))
}

fn order(app: &TestApp, id: &str, total: &str, more: Value) -> Value {
    let mut body = json!({ "external_id": id, "placed_at": app.now(), "currency": "RUB", "total": total });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

/// The page at an address that was answered: status and text.
async fn page(app: &TestApp, url: &str, language: &str) -> (u16, String) {
    let path = &url[url.find("/refer/").unwrap()..];
    let response = app.visitor(Method::GET, path).header("accept-language", language).send().await.unwrap();
    assert_eq!(response.headers()["cache-control"], "no-store");
    assert_eq!(response.headers()["x-robots-tag"], "noindex");
    (response.status().as_u16(), response.text().await.unwrap())
}

both_stores! {
    async fn commission_is_on_what_the_discount_left(app: &TestApp) {
        app.set_up().await;
        let check = app.make("/v1/promo-codes/check", json!({ "code": "ANNA10", "total": "1000.00" })).await;
        assert_eq!(check["discount"]["amount"], "100.00");
        // The buyer pays 900: the discount is off the total already, and is not taken off again.
        let placed = app.make("/v1/orders", order(app, "D-1", "900.00", json!({ "discount": "100.00", "promo_codes": ["anna10"] }))).await;
        let commission = &placed["commissions"][0];
        assert_eq!((text(commission, "/amount/amount"), text(commission, "/explanation/base/amount")), ("90.00", "900.00"));
    }

    async fn a_referral_program_has_a_reward_and_a_discount(app: &TestApp) {
        let base = json!({ "name": "Friends", "currency": "RUB", "destination_hosts": ["shop.example"] });
        let with = |more: Value| {
            let mut body = base.clone();
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            body
        };
        for (more, pointer) in [
            (json!({ "kind": "referral" }), "/reward"),
            (json!({ "kind": "club", "reward": { "percent": "5" } }), "/kind"),
            (json!({ "reward": { "percent": "5" } }), "/reward"),
            (json!({ "kind": "referral", "reward": {} }), "/reward"),
            (json!({ "kind": "referral", "reward": { "percent": "5", "fixed": "1" } }), "/reward/fixed"),
            (json!({ "kind": "referral", "reward": { "percent": "101" } }), "/reward/percent"),
            (json!({ "kind": "referral", "reward": { "fixed": "1.001" } }), "/reward/fixed"),
            (json!({ "kind": "referral", "reward": { "fixed": "1" }, "friend_discount": { "amount": { "amount": "1", "currency": "EUR" } } }), "/friend_discount/amount"),
            (json!({ "kind": "referral", "reward": { "fixed": "1" }, "friend_discount": {} }), "/friend_discount"),
            (json!({ "kind": "referral", "reward": { "fixed": "1" }, "referral_url": "https://evil.example/" }), "/referral_url"),
        ] {
            assert_eq!(app.refused("/v1/programs", with(more.clone())).await, (422, vec![pointer.to_owned()]), "{more}");
        }
        let made = program(app).await;
        assert_eq!((text(&made, "/kind"), text(&made, "/reward/percent"), text(&made, "/friend_discount/percent")), ("referral", "5", "10"));
        assert_eq!(text(&made, "/referral_url"), "https://shop.example/");
        let rules = app.get("/v1/commission-rules").await;
        assert_eq!((text(&rules, "/data/0/program"), text(&rules, "/data/0/percent")), (text(&made, "/id"), "5"));

        let referrer = join(app, "c1").await;
        let path = format!("/v1/programs/{}", text(&made, "/id"));
        app.advance(TimeDelta::seconds(1));
        let (_, changed) = app.patch(&path, json!({ "reward": { "fixed": "300" }, "friend_discount": { "amount": "150" } })).await;
        assert_eq!((text(&changed, "/reward/fixed/amount"), text(&changed, "/friend_discount/amount/amount")), ("300.00", "150.00"));
        let placed = app.make("/v1/orders", order(app, "R-1", "1000.00", json!({ "promo_codes": [referrer["promo_code"]["code"]], "customer": { "id": "f1" } }))).await;
        assert_eq!(text(&placed, "/commissions/0/amount/amount"), "300.00");
        let check = app.make("/v1/promo-codes/check", json!({ "code": referrer["promo_code"]["code"], "total": "1000.00" })).await;
        assert_eq!(text(&check, "/discount/amount"), "150.00", "codes follow the terms");
        let (status, answer) = app.patch(&path, json!({ "kind": "affiliate" })).await;
        assert_eq!((status, text(&answer, "/errors/0/pointer")), (422, "/kind"));
        let (_, renamed) = app.patch(&path, json!({ "name": "Friends of ours" })).await;
        assert_eq!(text(&renamed, "/reward/fixed/amount"), "300.00", "what is left out stays");
        assert_eq!(app.get("/v1/commission-rules").await["data"].as_array().unwrap().len(), 1);
    }

    async fn each_customer_gets_a_link_and_a_code_once(app: &TestApp) {
        let ids = app.set_up().await;
        program(app).await;
        for (body, pointers) in [
            (json!({ "program": "Friends" }), vec!["/customer/id"]),
            (json!({ "customer": { "id": "c1" }, "program": ids["program"] }), vec!["/program"]),
            (json!({ "customer": { "id": "c1" } }), vec!["/program"]),
            (json!({ "customer": { "id": "c1", "email": "nobody" }, "program": "Friends", "page_days": 0 }), vec!["/customer/email", "/page_days"]),
            (json!({ "customer": { "id": "c1", "phone": "1" }, "program": "Friends" }), vec!["/customer/phone"]),
        ] {
            assert_eq!(app.refused("/v1/referrers", body.clone()).await, (422, pointers.iter().map(|p| (*p).to_owned()).collect()), "{body}");
        }
        let body = json!({ "customer": { "id": "c1" }, "program": "Friends" });
        let (status, first) = app.post("/v1/referrers", body.clone()).await;
        assert_eq!(status, 201, "{first}");
        let (status, again) = app.post("/v1/referrers", body).await;
        assert_eq!((status, &again["id"], &again["link"], &again["promo_code"]), (200, &first["id"], &first["link"], &first["promo_code"]));
        let partner = app.get(&format!("/v1/partners/{}", text(&first, "/partner"))).await;
        assert_eq!((text(&partner, "/kind"), text(&partner, "/name"), &partner["email"]), ("referrer", "c1", &json!(null)));
        let named = join(app, "c1").await;
        assert_eq!(named["partner"], first["partner"]);
        let partner = app.get(&format!("/v1/partners/{}", text(&first, "/partner"))).await;
        assert_eq!((text(&partner, "/name"), text(&partner, "/email")), ("Name of c1", "c1@mail.example"));
        let other = join(app, "c2").await;
        assert_ne!((&other["partner"], &other["promo_code"]["code"]), (&first["partner"], &first["promo_code"]["code"]));
        assert_eq!(app.get("/v1/referrers?customer=c2").await["data"][0]["id"], other["id"]);
        assert_eq!(app.get("/v1/referrers").await["data"].as_array().unwrap().len(), 2);
        assert_eq!(app.get(&format!("/v1/referrers/{}", text(&other, "/id"))).await["link"], other["link"]);
        // The same customer in a second program is the same partner.
        app.make("/v1/programs", json!({ "name": "VIP", "currency": "RUB", "destination_hosts": ["shop.example"], "kind": "referral", "reward": { "fixed": "100" } })).await;
        let second = app.make("/v1/referrers", json!({ "customer": { "id": "c1" }, "program": "VIP" })).await;
        assert_eq!(second["partner"], first["partner"]);
        assert_ne!(second["id"], first["id"]);
    }

    async fn friends_bring_a_reward_and_own_purchases_do_not(app: &TestApp) {
        program(app).await;
        let referrer = join(app, "c1").await;
        let (code, partner) = (text(&referrer, "/promo_code/code").to_owned(), text(&referrer, "/partner").to_owned());
        let (location, click_id) = app.click(text(&referrer, "/link/code")).await;
        assert!(location.starts_with("https://shop.example/?trb_click="), "{location}");
        let placed = app.make("/v1/orders", order(app, "F-1", "1000.00", json!({ "click_id": click_id, "customer": { "id": "f1" } }))).await;
        assert_eq!((text(&placed, "/payable/partner"), text(&placed, "/commissions/0/amount/amount")), (partner.as_str(), "50.00"));
        let trace = app.get("/v1/orders/F-1/attribution").await;
        assert_eq!(text(&trace, "/models/last_click/0/channel"), "referral_program");
        let placed = app.make("/v1/orders", order(app, "F-2", "900.00", json!({ "promo_codes": [code.to_lowercase()], "customer": { "id": "f2" } }))).await;
        assert_eq!((text(&placed, "/payable/via"), text(&placed, "/commissions/0/amount/amount")), ("promo_code", "45.00"));

        // By the customer id, by the e-mail address alone, and by a browser that the customer was seen in.
        let own = async |id: &str, more: Value| {
            let placed = app.make("/v1/orders", order(app, id, "500.00", more)).await;
            assert_eq!((&placed["payable"]["partner"], placed["commissions"].as_array().unwrap().len()), (&json!(null), 0), "{placed}");
            let trace = app.get(&format!("/v1/orders/{id}/attribution")).await;
            assert!(trace["payable"]["trace"].as_array().unwrap().iter().any(|t| t["reason"] == "own_purchase"), "{trace}");
        };
        own("O-1", json!({ "promo_codes": [code], "customer": { "id": "c1" } })).await;
        own("O-2", json!({ "promo_codes": [code], "customer": { "email": "C1@mail.example" } })).await;
        app.make("/v1/orders", order(app, "O-3", "10.00", json!({ "visitor_id": "v-of-c1", "customer": { "id": "c1" } }))).await;
        own("O-4", json!({ "promo_codes": [code], "visitor_id": "v-of-c1" })).await;
    }

    async fn a_referrer_sees_their_own_page_and_nothing_of_their_friends(app: &TestApp) {
        program(app).await;
        let referrer = join(app, "c1").await;
        let other = join(app, "c2").await;
        let code = text(&referrer, "/promo_code/code").to_owned();
        app.click(text(&referrer, "/link/code")).await;
        let friend = json!({ "promo_codes": [code], "customer": { "id": "friend-id", "email": "friend@secret.example", "phone": "+79161234567" } });
        app.make("/v1/orders", order(app, "SECRET-77", "987654.00", friend)).await;
        let url = text(&referrer, "/page/url").to_owned();
        let (status, english) = page(app, &url, "en").await;
        assert_eq!(status, 200);
        for shown in [code.as_str(), text(&referrer, "/link/short_url"), "Name of c1", "You get 5", "382.70", "<dd>1</dd>"] {
            assert!(english.contains(shown), "no {shown} in {english}");
        }
        for hidden in ["SECRET-77", "friend-id", "secret.example", "987", "654", text(&other, "/promo_code/code"), "Name of c2"] {
            assert!(!english.replace(text(&referrer, "/link/short_url"), "").contains(hidden), "{hidden} is in {english}");
        }
        let (_, russian) = page(app, &url, "ru").await;
        assert!(russian.contains("Рекомендуйте друзьям") && russian.contains("382,70"), "{russian}");
        let (_, others) = page(app, text(&other, "/page/url"), "en").await;
        assert!(others.contains("Name of c2") && !others.contains(&code) && !others.contains("382.70"));

        // A token that was changed, cut or made up opens nothing.
        let token = url.rsplit('/').next().unwrap();
        let swapped = format!("{}{}", if token.starts_with('A') { "B" } else { "A" }, &token[1..]);
        for forged in [swapped.as_str(), &token[..40], "x"] {
            let (status, answer) = page(app, &format!("/refer/{forged}"), "en").await;
            assert!(status == 404 && answer.contains("no longer valid") && !answer.contains(&code), "{forged}");
        }
        app.advance(TimeDelta::days(30));
        assert_eq!(page(app, &url, "en").await.0, 200);
        app.advance(TimeDelta::seconds(1));
        let (status, over) = page(app, &url, "ru").await;
        assert!(status == 410 && over.contains("больше не действует") && !over.contains(&code));
        let fresh = app.make("/v1/referrers", json!({ "customer": { "id": "c1" }, "program": "Friends", "page_days": 1 })).await;
        assert_eq!(page(app, text(&fresh, "/page/url"), "en").await.0, 200);
        // Before anything is earned, nothing is shown in the program's own currency.
        let amis = json!({
            "name": "Amis", "currency": "EUR", "destination_hosts": ["shop.example"], "kind": "referral", "reward": { "percent": "5" },
            "friend_discount": { "percent": "5" }, "referral_url": "https://shop.example/",
        });
        app.make("/v1/programs", amis).await;
        let first = app.make("/v1/referrers", json!({ "customer": { "id": "c9" }, "program": "Amis" })).await;
        let (_, shown) = page(app, text(&first, "/page/url"), "en").await;
        assert!(shown.contains("€0.00"), "{shown}");
    }
}
