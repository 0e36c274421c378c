//! Resellers: price lists with their versions, prices that were seen, and notices while one is too low.

use crate::support::*;
use chrono::TimeDelta;
use reqwest::Method;
use serde_json::{Value, json};

async fn put(app: &TestApp, path: &str, body: Value) -> (u16, Value) {
    let response = app.request(Method::PUT, path).json(&body).send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

/// Two resellers, and a price list that the first one has.
async fn set_up(app: &TestApp) {
    app.make("/v1/partners", json!({ "name": "Market", "external_id": "market", "kind": "reseller" })).await;
    app.make("/v1/partners", json!({ "name": "Depot", "external_id": "depot", "kind": "reseller" })).await;
    let body = json!({
        "currency": "RUB", "valid_from": "2026-11-01", "partners": ["market"],
        "items": [
            { "sku": "A-1", "wholesale": "700", "recommended": "1200", "minimum": "1000" },
            { "sku": "B-2", "wholesale": "50.50" },
        ],
    });
    let (status, answer) = put(app, "/v1/price-lists/Retail", body).await;
    assert_eq!(status, 201, "{answer}");
}

fn seen(at: &str, partner: &str, sku: &str, price: &str, url: &str) -> Value {
    json!({ "at": format!("2026-11-{at}:00:00Z"), "partner": partner, "sku": sku, "price": price, "url": url })
}

/// Notices of a state, each as sku, seen, minimum, since, last seen, whether closed.
async fn notices(app: &TestApp, state: &str) -> Vec<String> {
    let found = app.get(&format!("/v1/notices?kind=dumping&state={state}")).await;
    let text = |v: &Value| v.as_str().unwrap_or("-").to_owned();
    let line = |n: &Value| {
        [&n["name"], &n["sku"], &n["seen"]["amount"], &n["minimum"]["amount"], &n["since"], &n["last_seen"], &n["closed_at"]]
            .map(text)
            .join(" ")
            .replace("2026-11-", "")
            .replace(":00:00Z", "")
    };
    found["data"].as_array().unwrap().iter().map(line).collect()
}

both_stores! {
    async fn a_price_list_has_versions(app: &TestApp) {
        app.set_up().await;
        set_up(app).await;
        let item = json!([{ "sku": "A", "minimum": "1" }]);
        for (name, body, pointer) in [
            ("New", json!({ "items": item }), "/currency"),
            ("New", json!({ "currency": "RUB" }), "/items"),
            ("New", json!({ "currency": "XXQ", "items": item }), "/currency"),
            ("New", json!({ "currency": "RUB", "items": [{ "minimum": "1" }] }), "/items/0/sku"),
            ("New", json!({ "currency": "RUB", "items": [{ "sku": "A" }] }), "/items/0"),
            ("New", json!({ "currency": "RUB", "items": [{ "sku": "A", "minimum": "1.001" }] }), "/items/0/minimum"),
            ("New", json!({ "currency": "RUB", "items": [{ "sku": "A", "minimum": "2", "recommended": "1" }] }), "/items/0/minimum"),
            ("New", json!({ "currency": "RUB", "items": [{ "sku": "A", "minimum": "1" }, { "sku": " A", "minimum": "1" }] }), "/items/1/sku"),
            ("New", json!({ "currency": "RUB", "items": item, "valid_from": "1.9.2026" }), "/valid_from"),
            ("New", json!({ "currency": "RUB", "items": item, "partners": ["market"] }), "/partners/0"),
            ("New", json!({ "currency": "RUB", "items": item, "partners": ["depot", "anna@blog.example"] }), "/partners/1"),
            ("New", json!({ "currency": "RUB", "items": item, "partners": ["nobody"] }), "/partners/0"),
            ("New", json!({ "currency": "RUB", "items": item, "colour": "red" }), "/colour"),
            ("Retail", json!({ "currency": "EUR", "items": item }), "/currency"),
        ] {
            let (status, answer) = put(app, &format!("/v1/price-lists/{name}"), body.clone()).await;
            assert_eq!((status, answer["errors"][0]["pointer"].as_str()), (422, Some(pointer)), "{body}: {answer}");
        }
        let first = app.get("/v1/price-lists/Retail").await;
        assert_eq!((&first["items"][0]["minimum"], &first["items"][1]["minimum"]), (&json!({ "amount": "1000.00", "currency": "RUB" }), &json!(null)));
        assert_eq!(first["partners"], json!(["par_2"]));
        let (status, _) = put(app, "/v1/price-lists/Retail", json!({ "valid_from": "2026-12-01", "items": [{ "sku": "A-1", "minimum": "1100" }] })).await;
        assert_eq!(status, 201);
        assert_eq!(app.get("/v1/price-lists/Retail?on=2026-11-30").await, first, "not in force yet");
        let second = app.get("/v1/price-lists/Retail?on=2026-12-01").await;
        assert_eq!((&second["items"][0]["minimum"]["amount"], &second["partners"]), (&json!("1100.00"), &json!(["par_2"])));
        let (status, answer) = put(app, "/v1/price-lists/Retail", json!({ "valid_from": "2026-12-01", "items": [{ "sku": "C", "wholesale": "5" }], "partners": [] })).await;
        assert_eq!((status, answer["items"].as_array().unwrap().len(), &answer["partners"]), (200, 1, &json!([])), "replaced whole");
        assert_eq!(app.get("/v1/price-lists").await["data"].as_array().unwrap().len(), 2);
        let early = app.request(Method::GET, "/v1/price-lists/Retail?on=2026-10-31").send().await.unwrap();
        assert_eq!(early.status(), 404);
    }

    async fn a_price_below_the_minimum_raises_one_notice_until_it_is_back(app: &TestApp) {
        app.set_up().await;
        set_up(app).await;
        for (item, pointer) in [
            (json!({}), "/1/at"),
            (json!({ "at": "yesterday", "partner": "market", "sku": "A-1", "price": "1" }), "/1/at"),
            (json!({ "at": "2027-01-01T00:00:00Z", "partner": "market", "sku": "A-1", "price": "1" }), "/1/at"),
            (seen("10T10", "nobody", "A-1", "1", ""), "/1/partner"),
            (seen("10T10", "anna@blog.example", "A-1", "1", ""), "/1/partner"),
            (seen("10T10", "depot", "A-1", "1", ""), "/1/partner"),
            (seen("10T10", "market", "", "1", ""), "/1/sku"),
            (seen("10T10", "market", "A-1", "-1", ""), "/1/price"),
            (seen("10T10", "market", "A-1", "1.001", ""), "/1/price"),
            (json!({ "at": "2026-11-10T10:00:00Z", "partner": "market", "sku": "A-1", "price": { "amount": "1", "currency": "EUR" } }), "/1/price"),
            (seen("10T10", "market", "A-1", "1", "javascript:x"), "/1/url"),
        ] {
            let (status, pointers) = app.refused("/v1/seen-prices", json!([seen("01T10", "market", "A-1", "1", ""), item])).await;
            assert_eq!((status, pointers[0].as_str()), (422, pointer), "{item}");
        }
        assert!(notices(app, "all").await.is_empty(), "all or nothing");

        let (a, b) = ("https://market.example/a", "https://market.example/b");
        let first = app.make("/v1/seen-prices", json!([
            seen("10T10", "market", "A-1", "1000", a), seen("11T10", "market", "A-1", "990", a), seen("12T10", "market", "A-1", "950", a),
            seen("12T10", "market", "B-2", "1", a), seen("12T10", "market", "Z-9", "1", a),
        ])).await;
        assert_eq!((&first["new"], &first["known"], first["notices"].as_array().unwrap().len()), (&json!(5), &json!(0), 1));
        assert_eq!(notices(app, "open").await, ["Market A-1 950.00 1000.00 11T10 12T10 -"]);
        let id = first["notices"][0]["id"].clone();
        // Back at one address, too low at another: it is not over.
        app.make("/v1/seen-prices", json!([seen("13T10", "market", "A-1", "900", b), seen("13T11", "market", "A-1", "1000", a)])).await;
        assert_eq!(notices(app, "open").await, ["Market A-1 900.00 1000.00 11T10 13T10 -"]);
        // Told late and twice: the same.
        let again = app.make("/v1/seen-prices", json!([seen("10T12", "market", "A-1", "980", a), seen("13T10", "market", "A-1", "900", b)])).await;
        assert_eq!((&again["new"], &again["known"], &again["notices"][0]["id"]), (&json!(1), &json!(1), &id));
        assert_eq!(notices(app, "open").await, ["Market A-1 900.00 1000.00 10T12 13T10 -"]);
        app.make("/v1/seen-prices", json!([seen("14T10", "market", "A-1", "1000", b)])).await;
        assert!(notices(app, "open").await.is_empty());
        assert_eq!(notices(app, "closed").await, ["Market A-1 900.00 1000.00 10T12 13T10 14T10"]);
        app.make("/v1/seen-prices", json!([seen("15T10", "market", "A-1", "1", a)])).await;
        assert_eq!(notices(app, "all").await, ["Market A-1 900.00 1000.00 10T12 13T10 14T10", "Market A-1 1.00 1000.00 15T10 15T10 -"]);
        for query in ["state=old", "kind=weather"] {
            assert_eq!(app.request(Method::GET, &format!("/v1/notices?{query}")).send().await.unwrap().status(), 422, "{query}");
        }
    }

    async fn a_new_version_judges_what_was_seen_since_its_day(app: &TestApp) {
        set_up(app).await;
        app.make("/v1/seen-prices", json!([seen("10T10", "market", "A-1", "1000", ""), seen("20T10", "market", "A-1", "1000", "")])).await;
        assert!(notices(app, "all").await.is_empty());
        put(app, "/v1/price-lists/Retail", json!({ "valid_from": "2026-11-15", "items": [{ "sku": "A-1", "minimum": "1100" }] })).await;
        assert_eq!(notices(app, "open").await, ["Market A-1 1000.00 1100.00 20T10 20T10 -"], "the earlier day keeps its own minimum");
        // Days are the merchant's: 14 November, 21:30 in UTC is the 15th in Moscow.
        app.make("/v1/seen-prices", json!([{ "at": "2026-11-14T21:30:00Z", "partner": "market", "sku": "A-1", "price": "1050", "url": "https://m.example/" }])).await;
        assert_eq!(notices(app, "open").await, ["Market A-1 1000.00 1100.00 14T21:30:00Z 20T10 -"]);
        // Who no longer has the list is no longer watched.
        put(app, "/v1/price-lists/Retail", json!({ "items": [{ "sku": "A-1", "minimum": "1100" }], "partners": ["depot"] })).await;
        assert!(notices(app, "open").await.is_empty());
        assert_eq!(app.refused("/v1/seen-prices", json!([seen("21T10", "market", "A-1", "1", "")])).await.1, ["/0/partner"]);
        app.advance(TimeDelta::days(1));
        app.make("/v1/seen-prices", json!([seen("22T13", "depot", "A-1", "1", "")])).await;
        assert_eq!(notices(app, "open").await, ["Depot A-1 1.00 1100.00 22T13 22T13 -"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_command_line_takes_seen_prices() {
    let app = TestApp::spawn(Kind::Sqlite).await.unwrap();
    set_up(&app).await;
    let file = app.folder.path().join("seen.csv");
    let data = app.folder.path().join("cli").display().to_string();
    let import = |text: &str| {
        std::fs::write(&file, text).unwrap();
        run(&["--database-url", &app.database_url, "--data-dir", &data, "import", "seen-prices", file.to_str().unwrap()], "")
    };
    let (code, _, error) = import(
        "at;partner;sku;price;url\n2026-11-10T10:00:00Z;market;A-1;990;\n2026-11-11T10:00:00Z;depot;A-1;x;\n2026-11-12T10:00:00Z;market;A-1;1,5;\n",
    );
    assert_eq!(code, 1);
    assert!(error.contains("seen.csv:3: partner: par_2 has no price list") && error.contains("seen.csv:4: price: "), "{error}");
    assert!(notices(&app, "all").await.is_empty());
    let good = "at;partner;sku;price;currency\n2026-11-10T10:00:00Z;market;A-1;990;RUB\n2026-11-11T10:00:00Z;market;A-1;1000.00;RUB\n2026-11-12T10:00:00Z;market;A-1;985.50;\n";
    let (code, out, error) = import(good);
    assert!(code == 0 && out.contains("3 rows: 3 new, 0 known"), "{out}{error}");
    assert!(import(good).1.contains("0 new, 3 known"));
    assert_eq!(
        notices(&app, "all").await,
        ["Market A-1 990.00 1000.00 10T10 10T10 11T10", "Market A-1 985.50 1000.00 12T10 12T10 -"]
    );
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_home_page_says_what_needs_doing() {
    use tributary::service::access::{Role, add_user};
    let app = TestApp::spawn(Kind::Sqlite).await.unwrap();
    let ids = app.set_up().await;
    set_up(&app).await;
    let mut tx = app.service.db.begin().await.unwrap();
    add_user(&mut tx, &app.service.context("test"), "o@shop.example", Role::Owner, None, "long enough!").await.unwrap();
    tx.commit().await.unwrap();
    let form = [("email", "o@shop.example"), ("password", "long enough!")];
    let signed = app.visitor(Method::POST, "/signin").form(&form).send().await.unwrap();
    let cookie = signed.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let home = async |language: &str| {
        let request = app.visitor(Method::GET, "/admin").header("cookie", &cookie).header("accept-language", language);
        request.send().await.unwrap().text().await.unwrap()
    };
    assert!(!home("en").await.contains("What needs doing"));
    app.patch(&format!("/v1/programs/{}", ids["program"].as_str().unwrap()), json!({ "ad_marking_required": true })).await;
    app.make("/v1/seen-prices", json!([seen("10T10", "market", "A-1", "990", "")])).await;
    let english = home("en").await;
    for text in ["What needs doing", "1 link of a partner has no erid", "1 price of a reseller is below", "Market, A-1: RUB"] {
        assert!(english.contains(text) || text.ends_with("RUB") && english.contains("Market, A-1:"), "no {text}");
    }
    let russian = home("ru").await;
    for text in ["Что нужно сделать", "У 1 ссылки партнёра нет erid", "1 цена реселлеров ниже минимальной", "Market, A-1: 990"]
    {
        assert!(russian.contains(text), "no {text}");
    }
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn partners_see_their_own_creatives_and_price_list() {
    use tributary::service::access::{Role, add_user};
    let app = TestApp::spawn(Kind::Sqlite).await.unwrap();
    app.set_up().await;
    set_up(&app).await;
    app.make("/v1/programs", json!({ "name": "Other", "currency": "RUB" })).await;
    app.make(
        "/v1/creatives",
        json!({ "program": "Shop", "name": "Autumn", "kind": "banner", "erid": "Tok1", "html": "<b>Sale</b>" }),
    )
    .await;
    app.make("/v1/creatives", json!({ "program": "Other", "name": "Secret", "kind": "text" })).await;
    let mut tx = app.service.db.begin().await.unwrap();
    for (email, partner) in [("anna@blog.example", "par_1"), ("market@m.example", "par_2"), ("depot@m.example", "par_3")] {
        let id = Some(partner.parse().unwrap());
        add_user(&mut tx, &app.service.context("test"), email, Role::Partner, id, "long enough!").await.unwrap();
    }
    tx.commit().await.unwrap();
    let cabinet = async |email: &str, language: &str| {
        let signed =
            app.visitor(Method::POST, "/signin").form(&[("email", email), ("password", "long enough!")]).send().await.unwrap();
        let cookie = signed.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
        let request = app.visitor(Method::GET, "/cabinet").header("cookie", cookie).header("accept-language", language);
        request.send().await.unwrap().text().await.unwrap()
    };
    let anna = cabinet("anna@blog.example", "en").await;
    assert!(anna.contains("Autumn") && anna.contains("erid Tok1") && !anna.contains("<b>Sale"), "{anna}");
    assert!(!anna.contains("Secret") && !anna.contains("Price list"));
    let market = cabinet("market@m.example", "ru").await;
    assert!(
        market.contains("Прайс-лист, действует с")
            && market.contains("A-1")
            && market.contains("50,50")
            && !market.contains("Autumn")
    );
    assert!(!cabinet("depot@m.example", "en").await.contains("Price list"), "another's list");
    app.finish().await;
}
