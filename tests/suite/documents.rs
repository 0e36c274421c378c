//! Statements and acts, taxes withheld, receipts of the self-employed.

use crate::pages::cookie_of;
use crate::support::*;
use chrono::TimeDelta;
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use tributary::domain::id::PartnerId;
use tributary::service::access::{Role, add_user};

fn bank(kind: &str, inn: &str, account: &str) -> Value {
    json!({
        "method": "bank_ru", "country": "RU", "kind": kind, "inn": inn, "account": account, "bik": "044525974",
        "contract_number": "17/П", "contract_date": "2026-01-15", "npd_since": "2026-01-01",
    })
}

/// A partner with a link of its own.
async fn partner(app: &TestApp, code: &str, name: &str, payout: Value) -> String {
    let made = app.make("/v1/partners", json!({ "name": name, "email": format!("{code}@blog.example"), "payout": payout })).await;
    app.make("/v1/links", json!({ "partner": made["id"], "code": code, "url": "https://shop.example/" })).await;
    made["id"].as_str().unwrap().to_owned()
}

/// An order by a click on a link, placed now.
async fn earn(app: &TestApp, code: &str, order: &str, total: &str) {
    let (_, click_id) = app.click(code).await;
    app.make(
        "/v1/orders",
        json!({ "external_id": order, "placed_at": app.now(), "currency": "RUB", "total": total, "click_id": click_id }),
    )
    .await;
}

/// A shop without hold, whose requisites are set.
async fn shop(app: &TestApp) -> Value {
    let ids = app.set_up().await;
    app.patch(&format!("/v1/programs/{}", ids["program"].as_str().unwrap()), json!({ "hold_days": 0 })).await;
    let payer = json!({
        "name": "ООО «Ромашка»", "inn": "7707083893", "kpp": "773601001", "account": "40702810600000000009", "bik": "044525225",
        "correspondent_account": "30101810400000000225", "bank_name": "ПАО СБЕРБАНК",
        "address": "Москва, ул. Лесная, 1", "signatory": "Генеральный директор Иванов И. И.",
    });
    let answer = app.request(Method::PUT, "/v1/payer").json(&payer).send().await.unwrap();
    let (status, text) = (answer.status(), answer.text().await.unwrap());
    assert_eq!(status, 200, "{text}");
    ids
}

async fn page(app: &TestApp, path: &str) -> (String, String) {
    let answer = app.request(Method::GET, path).send().await.unwrap();
    assert_eq!(answer.status(), 200, "{path}");
    let tag = answer.headers()["etag"].to_str().unwrap().trim_matches('"').to_owned();
    (tag, answer.text().await.unwrap())
}

async fn run_of(app: &TestApp, period: &str) -> Value {
    app.make("/v1/payout-runs", json!({ "period": period, "early": true })).await
}

async fn pay(app: &TestApp, run: &Value) {
    let id = run["id"].as_str().unwrap();
    app.make(&format!("/v1/payout-runs/{id}/approve"), json!({})).await;
    app.make(&format!("/v1/payout-runs/{id}/paid"), json!({ "bank_reference": "1" })).await;
}

/// The line of a partner.
fn line<'a>(run: &'a Value, partner: &str) -> &'a Value {
    run["lines"].as_array().unwrap().iter().find(|l| l["partner"] == partner).unwrap()
}

const PERSON: (&str, &str) = ("005826107187", "40817810800000000007");

both_stores! {
    async fn documents_are_issued_once_and_stay_as_they_are(app: &TestApp) {
        let ids = shop(app).await;
        let anna = ids["partner"].as_str().unwrap().to_owned();
        earn(app, "anna", "D-1", "12010.50").await;
        app.make("/v1/orders/D-1/refunds", json!({ "refund_id": "r", "amount": "1000.00" })).await;
        let body = json!({ "period": "2026-11", "partner": anna });
        assert_eq!(app.refused("/v1/documents", body.clone()).await.0, 409, "the month is open");
        app.advance(TimeDelta::days(10));
        app.make("/v1/periods/2026-11/close", json!({})).await;
        let issued = app.make("/v1/documents", body.clone()).await;
        let documents = issued["data"].as_array().unwrap();
        assert_eq!(documents.iter().map(|d| d["number"].as_str().unwrap()).collect::<Vec<_>>(), ["S-2026-1", "A-2026-1"]);

        // The document says what the statement says, and the run pays it.
        let statement = app.get(&format!("/v1/partners/{anna}/statement?period=2026-11")).await["data"][0].clone();
        for name in ["opening", "earned", "reversed", "adjusted", "paid", "closing"] {
            assert_eq!(documents[0][name], statement[name], "{name}");
        }
        assert_eq!(documents[0]["amount"], statement["closing"]);
        assert_eq!(documents[1]["amount"]["amount"], "1101.05");
        let run = app.make("/v1/payout-runs", json!({ "period": "2026-11" })).await;
        assert_eq!(line(&run, &anna)["amount"], documents[1]["amount"]);

        let act = documents[1]["id"].as_str().unwrap();
        let known = app.get(&format!("/v1/documents/{act}")).await;
        let hash = |lang: &str| known["pages"].as_array().unwrap().iter().find(|p| p["language"] == lang).unwrap()["sha256"].clone();
        let (tag, russian) = page(app, &format!("/v1/documents/{act}/page")).await;
        assert_eq!(json!(tag), hash("ru"));
        for said in ["Акт № A-2026-1 от 30.11.2026", "Одна тысяча сто один рубль 05 копеек", "1\u{a0}101,05", "ООО «Ромашка»", "7707083893", "Генеральный директор Иванов И. И."] {
            assert!(russian.contains(said), "{said}: {russian}");
        }
        assert!(!russian.contains("style=") && !russian.contains("<script") && !russian.contains("<style"));
        let (tag, english) = page(app, &format!("/v1/documents/{act}/page?lang=en")).await;
        assert_eq!(json!(tag), hash("en"));
        assert!(english.contains("One thousand one hundred and one roubles 05 kopecks"), "{english}");
        let (_, statement_page) = page(app, &format!("/v1/documents/{}/page", documents[0]["id"].as_str().unwrap())).await;
        assert!(statement_page.contains("D-1") && statement_page.contains("задолженность заказчика перед исполнителем"), "{statement_page}");

        let pdf = |query: &'static str| async move {
            let answer = app.request(Method::GET, &format!("/v1/documents/{act}/page?{query}")).send().await.unwrap();
            let kind = answer.headers()["content-type"].to_str().unwrap().to_owned();
            (answer.status().as_u16(), kind, answer.bytes().await.unwrap())
        };
        let (code, kind, bytes) = pdf("format=pdf&lang=en").await;
        if cfg!(feature = "pdf") {
            assert_eq!((code, kind.as_str()), (200, "application/pdf"));
            assert!(bytes.starts_with(b"%PDF-") && bytes == pdf("format=pdf&lang=en").await.2);
            assert_ne!(bytes, pdf("format=pdf").await.2);
        } else {
            assert_eq!((code, kind.as_str()), (422, "application/problem+json"));
        }
        assert_eq!(pdf("format=doc").await.0, 422);

        // Whatever changes later, and however often they are issued.
        app.patch(&format!("/v1/partners/{anna}"), json!({ "name": "Anna the Second" })).await;
        app.make("/v1/orders/D-1/refunds", json!({ "refund_id": "r2", "amount": "500.00" })).await;
        assert_eq!(app.make("/v1/documents", body).await["data"], issued["data"]);
        let all = app.make("/v1/documents", json!({ "period": "2026-11" })).await;
        assert_eq!((all["statements"].as_i64(), all["acts"].as_i64()), (Some(1), Some(1)));
        assert_eq!(page(app, &format!("/v1/documents/{act}/page")).await.1, russian);
        assert_eq!(app.get("/v1/documents?kind=act&period=2026-11").await["data"].as_array().unwrap().len(), 1);
        assert_eq!(app.get("/v1/documents?period=2026-10").await["data"], json!([]));
        // The database itself refuses.
        for sql in ["UPDATE documents SET number = 7", "DELETE FROM documents", "DELETE FROM document_texts", "UPDATE document_texts SET sha256 = ''"] {
            let mut tx = app.service.db.begin().await.unwrap();
            assert!(tributary::exec!(&mut tx, sqlx::query(sql)).unwrap_err().to_string().contains("never"), "{sql}");
        }
    }

    async fn numbers_have_no_gaps_however_many_issue_at_once(app: &TestApp) {
        shop(app).await;
        let mut partners = Vec::new();
        for n in 0..6 {
            let code = format!("n{n}");
            partners.push(partner(app, &code, &format!("Partner {n}"), json!({ "method": "manual" })).await);
            earn(app, &code, &format!("N-{n}"), "100.00").await;
        }
        app.advance(TimeDelta::days(10));
        app.make("/v1/periods/2026-11/close", json!({})).await;
        let one = |partner: Option<String>| async move { app.post("/v1/documents", json!({ "period": "2026-11", "partner": partner })).await };
        let bodies = partners.iter().cloned().map(Some).chain([None, None, Some(partners[0].clone()), None]);
        let answers = futures_util::future::join_all(bodies.map(one)).await;
        assert!(answers.iter().all(|(status, _)| *status == 200), "{answers:?}");
        // One that fails on the way takes no number.
        assert_eq!(app.refused("/v1/documents", json!({ "period": "2026-11", "partner": "par_999" })).await.0, 404);
        for kind in ["statement", "act"] {
            let found = app.get(&format!("/v1/documents?kind={kind}")).await;
            let numbers: BTreeSet<i64> = found["data"].as_array().unwrap().iter().map(|d| d["number"].as_str().unwrap().rsplit('-').next().unwrap().parse().unwrap()).collect();
            assert_eq!(numbers, (1..=6).collect(), "{kind}");
        }
    }

    async fn of_an_individual_the_tax_is_withheld_and_the_ledger_ties(app: &TestApp) {
        shop(app).await;
        let ivan = partner(app, "ivan", "Иван Петров", bank("individual", PERSON.0, PERSON.1)).await;
        earn(app, "ivan", "T-1", "10005.00").await;
        app.advance(TimeDelta::days(1));
        let run = run_of(app, "2026-11").await;
        let of_ivan = line(&run, &ivan);
        assert_eq!((of_ivan["amount"]["amount"].as_str(), of_ivan["tax"]["amount"].as_str(), of_ivan["net"]["amount"].as_str()), (Some("1000.50"), Some("130.00"), Some("870.50")));
        assert_eq!(of_ivan["standing"], "individual");
        let id = run["id"].as_str().unwrap();
        app.make(&format!("/v1/payout-runs/{id}/approve"), json!({})).await;
        let file = app.request(Method::GET, &format!("/v1/payout-runs/{id}/export?format=1c")).send().await.unwrap();
        assert_eq!(file.status(), 200);
        let bytes = file.bytes().await.unwrap();
        let text = encoding_rs::WINDOWS_1251.decode(&bytes).0.into_owned();
        assert!(text.contains("Сумма=870.50\r\n"), "the bank is told the net: {text}");
        assert_eq!(app.broken().await, Vec::<String>::new());
        app.make(&format!("/v1/payout-runs/{id}/paid"), json!({})).await;
        // All of it is paid for the partner; the tax is the tax office's.
        let statement = app.get(&format!("/v1/partners/{ivan}/statement?period=2026-11")).await["data"][0].clone();
        assert_eq!((statement["paid"]["amount"].as_str(), statement["closing"]["amount"].as_str()), (Some("1000.50"), Some("0.00")));
        let entries = app.get("/v1/ledger/entries").await;
        let sum = |account: &str| entries["data"].as_array().unwrap().iter().filter(|e| e["account"] == account).map(|e| e["amount"]["amount"].as_str().unwrap().replace('.', "").parse::<i64>().unwrap()).sum::<i64>();
        assert_eq!((sum("cash"), sum("tax")), (870_50, 130_00));
        let taxes = app.get("/v1/withheld-taxes").await;
        assert_eq!((taxes["total"]["amount"].as_str(), taxes["data"][0]["net"]["amount"].as_str(), taxes["data"][0]["partner"].as_str()), (Some("130.00"), Some("870.50"), Some(ivan.as_str())));
        assert_eq!(app.get("/v1/withheld-taxes?year=2025").await["data"], json!([]));
        // Half a rouble of tax waits: 2001.00 in the year owe 260.13, that is 260.
        earn(app, "ivan", "T-2", "10005.00").await;
        app.advance(TimeDelta::days(10));
        let next = run_of(app, "2026-12").await;
        assert_eq!(line(&next, &ivan)["tax"]["amount"], "130.00");
        pay(app, &next).await;
        app.make("/v1/periods/2026-11/close", json!({})).await;
        let issued = app.make("/v1/documents", json!({ "period": "2026-11", "partner": ivan })).await;
        assert_eq!(issued["data"][0]["tax_withheld"]["amount"], "130.00");
        let (_, act) = page(app, &format!("/v1/documents/{}/page", issued["data"][1]["id"].as_str().unwrap())).await;
        assert!(act.contains("Договор № 17/П от 15.01.2026") && act.contains("удерживает заказчик"), "{act}");
    }

    async fn a_self_employed_partner_is_paid_up_to_the_limit_and_owes_a_receipt(app: &TestApp) {
        shop(app).await;
        let olga = partner(app, "olga", "Ольга Смирнова", bank("self_employed", PERSON.0, PERSON.1)).await;
        let other = partner(app, "other", "Other", json!({ "method": "manual" })).await;
        earn(app, "olga", "R-1", "23000000.00").await;
        app.advance(TimeDelta::days(1));
        let run = run_of(app, "2026-11").await;
        assert_eq!((line(&run, &olga)["net"]["amount"].as_str(), line(&run, &olga)["disposition"].as_str()), (Some("2300000.00"), Some("due")));
        assert_eq!(app.get("/v1/receipts").await["data"], json!([]), "nothing is paid yet");
        pay(app, &run).await;
        let asked = app.get("/v1/receipts?state=missing").await["data"][0].clone();
        assert_eq!((asked["state"].as_str(), asked["paid_on"].as_str(), asked["due_on"].as_str()), (Some("asked"), Some("2026-11-23"), Some("2026-12-09")));

        // 100,000 are left of the limit.
        earn(app, "olga", "R-2", "1000000.10").await;
        earn(app, "other", "R-3", "100.00").await;
        app.advance(TimeDelta::days(10));
        let next = run_of(app, "2026-12").await;
        let blocked = line(&next, &olga);
        assert_eq!(blocked["disposition"], "blocked");
        assert_eq!(blocked["reason"], "npd: 2300000.00 RUB paid this year and 100000.01 RUB due are 0.01 RUB over the yearly limit of the self-employed, 2400000.00 RUB");
        assert_eq!(line(&next, &other)["disposition"], "due");

        // The receipt is held against the payment.
        let id = asked["id"].as_str().unwrap();
        let received = format!("/v1/receipts/{id}/received");
        let link = format!("https://lknpd.nalog.ru/api/v1/receipt/{}/200abc12d/print", PERSON.0);
        let given = |number: &str, amount: &str| json!({ "number": number, "link": link, "date": "2026-12-01", "amount": amount });
        assert_eq!(app.refused(&received, given("", "2300000.01")).await, (422, vec!["/amount".into()]));
        assert_eq!(app.refused(&received, given("another", "2300000.00")).await, (422, vec!["/link".into()]));
        assert_eq!(app.refused(&received, json!({ "number": "x", "date": "2027-01-01", "amount": "2300000.00" })).await, (422, vec!["/date".into()]));
        app.make(&format!("/v1/receipts/{id}/reminded"), json!({})).await;
        let kept = app.make(&received, given("", "2300000.00")).await;
        assert_eq!((kept["state"].as_str(), kept["number"].as_str(), kept["reminders"].as_i64()), (Some("received"), Some("200abc12d"), Some(1)));
        assert_eq!(app.make(&received, given("", "2300000.00")).await, kept, "the same once more");
        assert_eq!(app.refused(&received, json!({ "number": "y", "amount": "2300000.00" })).await.0, 409);
        assert_eq!(app.refused(&format!("/v1/receipts/{id}/reminded"), json!({})).await.0, 409);
        assert_eq!(app.get("/v1/receipts?state=missing").await["data"], json!([]));
        let annul = format!("/v1/receipts/{id}/annul");
        assert_eq!(app.refused(&annul, json!({})).await, (422, vec!["/reason".into()]));
        assert_eq!(app.make(&annul, json!({ "reason": "wrong name of the service" })).await["state"], "annulled");
        assert_eq!(app.get("/v1/receipts?state=missing").await["data"][0]["id"], asked["id"], "another one is needed");
        assert_eq!(app.refused(&received, given("", "2300000.00")).await, (422, vec!["/number".into()]), "that one was annulled");
        assert_eq!(app.make(&received, json!({ "number": "200abc99", "amount": "2300000.00" })).await["state"], "received");
    }

    async fn a_partner_sees_only_their_own_documents_and_gives_their_receipts(app: &TestApp) {
        shop(app).await;
        let olga = partner(app, "olga", "Ольга", bank("self_employed", PERSON.0, PERSON.1)).await;
        let boris = partner(app, "boris", "Борис", json!({ "method": "manual" })).await;
        earn(app, "olga", "C-1", "1000.00").await;
        earn(app, "boris", "C-2", "1000.00").await;
        app.advance(TimeDelta::days(1));
        pay(app, &run_of(app, "2026-11").await).await;
        app.advance(TimeDelta::days(10));
        app.make("/v1/periods/2026-11/close", json!({})).await;
        let mut tx = app.service.db.begin().await.unwrap();
        let context = app.service.context("test");
        let id = |text: &str| Some(text.parse::<PartnerId>().unwrap());
        for (email, role, partner) in [
            ("accountant@shop.example", Role::Accountant, None), ("viewer@shop.example", Role::Viewer, None),
            ("olga@blog.example", Role::Partner, id(&olga)), ("boris@blog.example", Role::Partner, id(&boris)),
        ] {
            add_user(&mut tx, &context, email, role, partner, "a long password").await.unwrap();
        }
        tx.commit().await.unwrap();
        let accountant = cookie_of(app, "accountant@shop.example").await;
        let [viewer, olga_cookie, boris_cookie] = [cookie_of(app, "viewer@shop.example").await, cookie_of(app, "olga@blog.example").await, cookie_of(app, "boris@blog.example").await];
        let get = async |cookie: &str, path: &str| {
            let answer = app.visitor(Method::GET, path).header("cookie", cookie).header("accept-language", "ru").send().await.unwrap();
            (answer.status().as_u16(), answer.text().await.unwrap())
        };
        let csrf = |text: &str| text.split("name=\"csrf\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        let send = async |cookie: &str, path: &str, fields: &[(&str, &str)]| {
            let answer = app.visitor(Method::POST, path).header("cookie", cookie).header("origin", app.url("")).form(fields).send().await.unwrap();
            (answer.status().as_u16(), answer.text().await.unwrap())
        };
        // The accountant issues the month; a viewer may not.
        let (status, text) = get(&accountant, "/admin/documents?period=2026-11").await;
        assert_eq!(status, 200);
        let token = csrf(&text);
        assert_eq!(send(&viewer, "/admin/documents/issue", &[("csrf", &csrf(&get(&viewer, "/admin/documents").await.1)), ("period", "2026-11")]).await.0, 403);
        assert_eq!(send(&accountant, "/admin/documents/issue", &[("csrf", "guessed"), ("period", "2026-11")]).await.0, 403);
        assert_eq!(send(&accountant, "/admin/documents/issue", &[("csrf", &token), ("period", "2026-12")]).await.0, 409, "December is open");
        assert_eq!(send(&accountant, "/admin/documents/issue", &[("csrf", &token), ("period", "2026-11")]).await.0, 303);
        let (_, text) = get(&accountant, "/admin/documents?period=2026-11&partner=%D0%BE%D0%BB%D1%8C%D0%B3").await;
        assert!(text.contains("Ольга") && !text.contains("Борис"), "found by part of the name: {text}");
        assert!(!text.contains("<script"));
        let documents = app.get("/v1/documents").await["data"].as_array().unwrap().clone();
        assert_eq!(documents.len(), 4);
        let of = |partner: &str| documents.iter().find(|d| d["partner"] == partner).unwrap()["id"].as_str().unwrap().to_owned();
        let (own, foreign) = (of(&olga), of(&boris));
        let (status, list) = get(&olga_cookie, "/cabinet/documents").await;
        assert_eq!(status, 200);
        assert!(list.contains(&format!("/cabinet/documents/{own}")) && !list.contains(&foreign), "{list}");
        assert_eq!(get(&olga_cookie, &format!("/cabinet/documents/{own}")).await.0, 200);
        assert_eq!(get(&olga_cookie, &format!("/cabinet/documents/{foreign}")).await.0, 404);
        assert_eq!(get(&olga_cookie, "/cabinet/documents/doc_999").await.0, 404);
        assert_eq!(get(&olga_cookie, &format!("/admin/documents/{own}")).await.0, 403);
        assert_eq!(get(&viewer, &format!("/admin/documents/{own}")).await.0, 403);
        assert_eq!(get("", &format!("/admin/documents/{own}")).await.0, 303);
        assert_eq!(get(&accountant, &format!("/admin/documents/{own}?lang=en")).await.0, 200);
        assert_eq!(get(&accountant, &format!("/admin/documents/{own}?lang=xx")).await.0, 422);

        // The receipt comes from the partner it is asked of, and from nobody else.
        let receipt = app.get("/v1/receipts").await["data"][0]["id"].as_str().unwrap().to_owned();
        let path = format!("/cabinet/receipts/{receipt}");
        let link = format!("https://lknpd.nalog.ru/api/v1/receipt/{}/200abc12d/print", PERSON.0);
        let give = async |cookie: &str, link: &str, amount: &str| {
            let token = csrf(&get(cookie, "/cabinet/documents").await.1);
            send(cookie, &path, &[("csrf", &token), ("link", link), ("amount", amount), ("date", "2026-12-01")]).await
        };
        assert_eq!(give(&boris_cookie, &link, "100,00").await.0, 404);
        let (status, text) = give(&olga_cookie, &link, "99,00").await;
        assert!(status == 422 && text.contains("role=\"alert\""), "{status} {text}");
        assert_eq!(give(&olga_cookie, "javascript:alert(1)", "100,00").await.0, 422);
        assert_eq!(give(&olga_cookie, &link, "100,00").await.0, 303);
        let kept = app.get("/v1/receipts?state=received").await["data"][0].clone();
        assert_eq!((kept["number"].as_str(), kept["received_by"].as_str()), (Some("200abc12d"), Some("olga@blog.example")));
        let (_, text) = get(&accountant, "/admin/receipts?state=received").await;
        assert!(text.contains("200abc12d") && text.contains("Ольга"), "{text}");
        let token = csrf(&text);
        assert_eq!(send(&accountant, &format!("/admin/receipts/{receipt}"), &[("csrf", &token), ("act", "annul"), ("reason", "")]).await.0, 422);
        assert_eq!(send(&accountant, &format!("/admin/receipts/{receipt}"), &[("csrf", &token), ("act", "annul"), ("reason", "ошибка")]).await.0, 303);
        assert_eq!(get(&accountant, "/admin/receipts").await.1.matches("ошибка").count(), 1);
    }

    async fn documents_need_the_merchants_name(app: &TestApp) {
        let ids = app.set_up().await;
        earn(app, "anna", "M-1", "100.00").await;
        app.advance(TimeDelta::days(10));
        app.make("/v1/periods/2026-11/close", json!({})).await;
        let body = json!({ "period": "2026-11", "partner": ids["partner"] });
        assert_eq!(app.refused("/v1/documents", body).await, (422, vec!["/payer/name".into()]));
        assert_eq!(app.refused("/v1/documents", json!({ "period": "2026-11" })).await, (422, vec!["/payer/name".into()]));
        assert_eq!(app.refused("/v1/documents", json!({ "period": "2026-13" })).await, (422, vec!["/period".into()]));
        assert_eq!(app.refused("/v1/documents", json!({})).await, (422, vec!["/period".into()]));
        assert_eq!(app.get("/v1/documents").await["data"], json!([]));
        let reader = app.key(tributary::service::access::Scope::Write).await;
        let answer = app.visitor(Method::POST, "/v1/documents").bearer_auth(reader).json(&json!({ "period": "2026-11" })).send().await.unwrap();
        assert_eq!(answer.status(), 403);
    }
}
