//! Files of a payout run over HTTP: what they hold, that they stay the same, and what stands in their way.

use crate::pages::cookie_of;
use crate::support::*;
use chrono::TimeDelta;
use reqwest::Method;
use serde_json::{Value, json};
use tributary::service::access::{Role, Scope, add_user};
use tributary::service::{payout, payout_file};
use tributary::store::audit;

/// A partner that has earned commission of an order, by a link of its own.
async fn earns(app: &TestApp, code: &str, name: &str, payout: Value, total: &str) -> String {
    let email = format!("{code}@blog.example");
    let partner = app.make("/v1/partners", json!({ "name": name, "email": email, "payout": payout })).await;
    app.make("/v1/links", json!({ "partner": partner["id"], "code": code, "url": "https://shop.example/" })).await;
    orders(app, code, &format!("{code}-1"), total).await;
    partner["id"].as_str().unwrap().to_owned()
}

async fn orders(app: &TestApp, code: &str, id: &str, total: &str) {
    let (_, click_id) = app.click(code).await;
    let order = json!({ "external_id": id, "placed_at": app.now(), "currency": "RUB", "total": total, "click_id": click_id });
    app.make("/v1/orders", order).await;
}

fn bank_ru() -> Value {
    json!({ "method": "bank_ru", "country": "RU", "kind": "sole_trader", "account": "40802810100000005678", "bik": "044525974", "inn": "005826107187" })
}

/// A run of one bank transfer of 100, a PayPal payment of 50 and one of 20 by hand.
async fn run(app: &TestApp) -> (String, String) {
    app.set_up().await;
    let anna = earns(app, "a", "ИП Иванова Анна", bank_ru(), "1000.00").await;
    earns(app, "b", "Boris", json!({ "method": "paypal", "email": "b@blog.example" }), "500.00").await;
    earns(app, "c", "=cmd|'/c calc'!A1", json!({ "method": "manual" }), "200.00").await;
    app.advance(TimeDelta::days(15));
    let run = app.make("/v1/payout-runs", json!({ "period": "2026-12", "early": true })).await;
    let id = run["id"].as_str().unwrap().to_owned();
    app.make(&format!("/v1/payout-runs/{id}/approve"), json!({})).await;
    (id, anna)
}

async fn put_payer(app: &TestApp, name: &str) {
    let payer = json!({
        "name": name, "inn": "7707083893", "kpp": "773601001", "account": "40702 810 5 0000 0001234", "bik": "044525225",
        "correspondent_account": "30101810400000000225", "bank_name": "ПАО СБЕРБАНК",
    });
    let answer = app.request(Method::PUT, "/v1/payer").json(&payer).send().await.unwrap();
    assert_eq!(answer.status(), 200, "{}", answer.text().await.unwrap());
}

struct File {
    status: u16,
    kind: String,
    name: String,
    counts: (String, String),
    bytes: Vec<u8>,
}

impl File {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    fn pointers(&self) -> Vec<String> {
        let problem: Value = serde_json::from_slice(&self.bytes).unwrap();
        problem["errors"].as_array().unwrap().iter().map(|e| e["pointer"].as_str().unwrap().to_owned()).collect()
    }
}

async fn export(app: &TestApp, id: &str, query: &str) -> File {
    let answer = app.request(Method::GET, &format!("/v1/payout-runs/{id}/export?{query}")).send().await.unwrap();
    let header = |name: &str| answer.headers().get(name).map_or(String::new(), |v| v.to_str().unwrap().to_owned());
    File {
        status: answer.status().as_u16(),
        kind: header("content-type"),
        name: header("content-disposition"),
        counts: (header("x-payments"), header("x-payments-left-out")),
        bytes: answer.bytes().await.unwrap().to_vec(),
    }
}

/// Text of windows-1251, as far as Russian letters go.
fn cp1251(text: &str) -> Vec<u8> {
    text.chars()
        .map(|c| match c {
            'А'..='я' => (u32::from(c) - u32::from('А')) as u8 + 0xc0,
            ascii => u8::try_from(u32::from(ascii)).unwrap(),
        })
        .collect()
}

fn holds(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

both_stores! {
    async fn a_file_that_names_the_payer_keeps_the_payer_and_the_date_of_its_first_export(app: &TestApp) {
        let (id, _) = run(app).await;
        let refused = export(app, &id, "format=1c").await;
        assert_eq!((refused.status, refused.pointers()), (422, ["name", "inn", "account", "bik", "correspondent_account", "bank_name"].map(|f| format!("/payer/{f}")).to_vec()));
        put_payer(app, "ООО Ромашка").await;
        let first = export(app, &id, "format=1c").await;
        assert_eq!((first.status, first.kind.as_str()), (200, "text/plain; charset=windows-1251"));
        assert_eq!(first.name, format!("attachment; filename=\"{id}.txt\""));
        assert_eq!(first.counts, ("1".into(), "2".into()));
        assert!(holds(&first.bytes, &cp1251("\r\nПлательщик1=ООО Ромашка\r\n")) && holds(&first.bytes, &cp1251("\r\nСумма=100.00\r\n")));
        assert!(holds(&first.bytes, &cp1251("\r\nДата=07.12.2026\r\n")), "the day on which it was asked for");

        app.advance(TimeDelta::days(3));
        put_payer(app, "ООО Лютик").await;
        assert_eq!(export(app, &id, "format=1c").await.bytes, first.bytes);
        app.make(&format!("/v1/payout-runs/{id}/retake-payer"), json!({})).await;
        let anew = export(app, &id, "format=1c").await;
        assert!(holds(&anew.bytes, &cp1251("\r\nПлательщик1=ООО Лютик\r\n")) && holds(&anew.bytes, &cp1251("\r\nДата=10.12.2026\r\n")));
        let logged = audit::latest(&app.service.db, 1).await.unwrap().remove(0);
        assert_eq!(logged.act, "payout_run.export");
        let detail = &logged.detail.0;
        assert_eq!(detail["total"], json!({ "amount": "100.00", "currency": "RUB" }));
        assert_eq!(detail["left_out_total"], json!({ "amount": "70.00", "currency": "RUB" }));
        assert_eq!((detail["format"].as_str(), detail["payments"].as_i64(), detail["left_out"].as_i64()), (Some("1c"), Some(1), Some(2)));
        assert_eq!(detail["sha256"].as_str().unwrap().len(), 64);
        app.make(&format!("/v1/payout-runs/{id}/paid"), json!({})).await;
        assert_eq!(app.refused(&format!("/v1/payout-runs/{id}/retake-payer"), json!({})).await.0, 409);
    }

    async fn every_file_is_the_same_to_the_byte_whatever_happens_after_it(app: &TestApp) {
        let (id, anna) = run(app).await;
        put_payer(app, "ООО Ромашка").await;
        let queries = ["", "format=csv&delimiter=comma", "format=xlsx", "format=1c", "format=paypal"];
        let mut before = Vec::new();
        for query in queries {
            let file = export(app, &id, query).await;
            assert_eq!(file.status, 200, "{query}: {}", file.text());
            before.push(file.bytes);
        }
        assert!(String::from_utf8_lossy(&before[0]).contains(";'=cmd|"));
        assert_eq!(before[4], format!("b@blog.example,50.00,RUB,PAY{0}-PAR3,Commission 2026-12 PAY{0}-PAR3,PAYPAL\r\n", id.trim_start_matches("pay_")).into_bytes());
        // The partner changes, is paid, loses an order, earns another, and is paid again.
        app.patch(&format!("/v1/partners/{anna}"), json!({ "name": "Anna", "payout": { "method": "manual" } })).await;
        app.make(&format!("/v1/payout-runs/{id}/paid"), json!({})).await;
        app.make("/v1/orders/a-1/refunds", json!({ "refund_id": "r", "amount": "400.00" })).await;
        orders(app, "a", "a-2", "3000.00").await;
        app.advance(TimeDelta::days(30));
        let next = app.make("/v1/payout-runs", json!({ "period": "2027-01", "early": true })).await;
        assert_eq!(next["total"]["amount"], "260.00");
        let next = next["id"].as_str().unwrap();
        assert_eq!(export(app, next, "format=xlsx").await.status, 200);
        // What the first run took is not told again by the second.
        for (id, expected) in [(id.as_str(), vec![("a-1", 100_00)]), (next, vec![("a-1", -40_00), ("a-2", 300_00)])] {
            let loaded = payout::load(&app.service.db, id.parse().unwrap()).await.unwrap();
            let batch = payout_file::batch(&loaded, None).unwrap();
            let parts = payout_file::parts((&app.service.db).into(), &loaded.run, &batch).await.unwrap();
            let of_anna = parts[&anna.parse().unwrap()].iter().map(|p| (p.order.as_deref().unwrap_or(""), p.amount_minor));
            assert_eq!(of_anna.collect::<Vec<_>>(), expected);
        }
        for (query, before) in queries.iter().zip(before) {
            assert!(export(app, &id, query).await.bytes == before, "{query}");
        }
    }

    async fn what_cannot_be_written_names_the_partner_and_can_be_left_out(app: &TestApp) {
        app.set_up().await;
        put_payer(app, "ООО Ромашка").await;
        let odd = earns(app, "odd", "Łukasz 🦔", bank_ru(), "300.00").await;
        earns(app, "a", "ИП Иванова Анна", bank_ru(), "1000.00").await;
        app.advance(TimeDelta::days(15));
        let run = app.make("/v1/payout-runs", json!({ "period": "2026-12", "early": true })).await;
        let id = run["id"].as_str().unwrap();
        let refused = export(app, id, "format=1c").await;
        assert_eq!((refused.status, refused.pointers()), (422, vec![format!("/payments/{odd}/name")]));
        assert!(refused.text().contains("'Ł' (U+0141), which windows-1251 does not have"), "{}", refused.text());
        let without = export(app, id, &format!("format=1c&without={odd}")).await;
        assert_eq!((without.status, without.counts), (200, ("1".into(), "1".into())));
        assert_eq!(export(app, id, &format!("format=1c&without={odd}")).await.bytes, without.bytes);
        for (query, status, pointer) in [
            ("format=pdf", 422, Some("/format")),
            ("format=csv&part=1", 422, Some("/part")),
            ("format=pain001&version=10", 422, Some("/version")),
            ("format=1c&without=lnk_1", 422, Some("/without")),
            ("format=wise", 409, None),
            ("format=pain001", 409, None),
        ] {
            let refused = export(app, id, query).await;
            assert_eq!((refused.status, refused.pointers().first().map(String::as_str)), (status, pointer), "{query}");
        }
        assert_eq!(export(app, "pay_999", "format=1c").await.status, 404);

        let files = app.get(&format!("/v1/payout-runs/{id}/files")).await;
        let of = |format: &str| files["data"].as_array().unwrap().iter().find(|f| f["format"] == format).unwrap().clone();
        assert_eq!((of("csv")["payments"].as_i64(), of("csv")["total"]["amount"].as_str()), (Some(2), Some("130.00")));
        assert!(of("1c")["problem"].as_str().unwrap().contains("Łukasz"));
        assert_eq!(of("wise")["left_out"][0]["reason"], "is paid by bank_ru");
        assert_eq!(of("wise")["parts"], 0);
    }

    async fn a_statement_tells_which_payments_went_out(app: &TestApp) {
        let (id, anna) = run(app).await;
        put_payer(app, "ООО Ромашка").await;
        let orders = export(app, &id, "format=1c").await.bytes;
        let told = async |bytes: Vec<u8>| {
            let answer = app.request(Method::POST, &format!("/v1/payout-runs/{id}/statement")).body(bytes).send().await.unwrap();
            (answer.status().as_u16(), answer.json::<Value>().await.unwrap())
        };
        let (status, answer) = told(orders.clone()).await;
        assert_eq!(status, 200, "{answer}");
        let entry = &answer["entries"][0];
        assert_eq!((entry["verdict"].as_str(), entry["partner"].as_str(), entry["amount"]["amount"].as_str()), (Some("paid"), Some(anna.as_str()), Some("100.00")));
        assert_eq!(answer["not_found"].as_array().unwrap().len(), 2);
        let text = |account: &str, to: &str| format!("1CClientBankExchange\nКодировка=UTF-8\nДатаКонца={to}\nРасчСчет={account}\nКонецФайла").into_bytes();
        assert_eq!(told(text("40702810500000001234", "07.12.2026")).await.0, 200);
        assert_eq!(told(text("40702810500000001234", "06.12.2026")).await.0, 409, "it ends too early");
        assert_eq!(told(text("40702810500000009999", "07.12.2026")).await.0, 409, "it is another bank's");
        assert_eq!(told(text("40702810500000001234", "7.13.2026")).await.0, 422);
        assert_eq!(told(b"%PDF".to_vec()).await.0, 422);
    }

    async fn the_payer_is_checked_and_only_an_admin_sets_it(app: &TestApp) {
        assert_eq!(app.get("/v1/payer").await["inn"], Value::Null);
        let put = async |key: Option<&str>, body: Value| {
            let request = app.request(Method::PUT, "/v1/payer").json(&body);
            let request = match key { Some(key) => app.visitor(Method::PUT, "/v1/payer").bearer_auth(key).json(&body), None => request };
            let answer = request.send().await.unwrap();
            (answer.status().as_u16(), answer.json::<Value>().await.unwrap())
        };
        let (status, problem) = put(None, json!({ "inn": "770", "bik": "x", "iban": "?", "name": "" })).await;
        let pointers: Vec<&str> = problem["errors"].as_array().unwrap().iter().map(|e| e["pointer"].as_str().unwrap()).collect();
        assert_eq!((status, pointers), (422, vec!["/inn", "/bik", "/iban"]));
        assert_eq!(put(None, json!({ "inn": "7707083893" })).await.1["errors"][0]["pointer"], "/name");
        let mistyped = json!({ "name": "Shop", "inn": "7707083894", "bik": "044525225", "account": "40702810600000001234", "bic": "DEUTXXFF0" });
        let problem = put(None, mistyped).await.1;
        let pointers: Vec<&str> = problem["errors"].as_array().unwrap().iter().map(|e| e["pointer"].as_str().unwrap()).collect();
        assert_eq!(pointers, ["/inn", "/bic", "/account"], "{problem}");
        let key = app.key(Scope::Write).await;
        assert_eq!(put(Some(&key), json!({ "name": "Shop" })).await.0, 403);
        put_payer(app, "ООО Ромашка").await;
        assert_eq!(app.get("/v1/payer").await["account"], "40702810500000001234");
        let logged = audit::latest(&app.service.db, 1).await.unwrap().remove(0);
        assert_eq!((logged.act.as_str(), &logged.detail.0["before"], logged.detail.0["after"]["name"].as_str()), ("payer.replace", &Value::Null, Some("ООО Ромашка")));
    }

    async fn the_page_offers_the_files_that_fit_and_says_why_one_was_not_written(app: &TestApp) {
        let (id, _) = run(app).await;
        let mut tx = app.service.db.begin().await.unwrap();
        add_user(&mut tx, &app.service.context("test"), "books@shop.example", Role::Accountant, None, "a long password").await.unwrap();
        tx.commit().await.unwrap();
        let cookie = cookie_of(app, "books@shop.example").await;
        let page = async |path: &str| {
            let answer = app.visitor(Method::GET, path).header("cookie", &cookie).header("accept-language", "en").send().await.unwrap();
            (answer.status().as_u16(), answer.bytes().await.unwrap().to_vec())
        };
        let (_, text) = page("/admin/payouts/2026-12").await;
        let text = String::from_utf8(text).unwrap();
        for link in ["format=csv\">Download CSV<", "format=xlsx\">Excel<", "format=1c\">1C bank file (1 of 3)<", "format=paypal\">PayPal (1 of 3)<"] {
            assert!(text.contains(link), "{link}");
        }
        assert!(!text.contains("format=wise") && !text.contains("format=pain001"));
        let (status, text) = page(&format!("/admin/payout-runs/{id}/export?format=1c")).await;
        assert!(status == 422 && String::from_utf8(text).unwrap().contains("The file was not written"));
        let (status, bytes) = page(&format!("/admin/payout-runs/{id}/export?format=xlsx")).await;
        assert!(status == 200 && bytes.starts_with(b"PK"));
    }
}
