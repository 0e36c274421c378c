//! Ad marking: the erid travels with every click, what is unmarked is told, and the register's figures add up.

use crate::support::*;
use reqwest::Method;
use serde_json::{Value, json};

fn path_of(ids: &Value, what: &str) -> String {
    format!("/v1/{what}s/{}", ids[what].as_str().unwrap())
}

/// A creative with a token and a contract.
async fn creative(app: &TestApp, ids: &Value) -> Value {
    app.make(
        "/v1/creatives",
        json!({
            "program": ids["program"], "name": "Autumn banner", "kind": "banner", "erid": "2VtzqAutumn1",
            "advertiser": { "name": "ООО «Лавка»", "inn": "7707083893" },
            "contract": { "number": "Д-17/26", "date": "2026-09-01" },
            "url": "https://cdn.shop.example/autumn.png", "html": "<a href=\"…\">\n<img></a>",
        }),
    )
    .await
}

async fn pointer_of(app: &TestApp, path: &str, body: Value) -> (u16, String) {
    let (status, answer) = app.patch(path, body).await;
    (status, answer["errors"][0]["pointer"].as_str().unwrap_or_default().to_owned())
}

both_stores! {
    async fn a_creative_is_kept_as_it_was_given(app: &TestApp) {
        let ids = app.set_up().await;
        for (body, pointers) in [
            (json!({}), vec!["/name", "/kind"]),
            (json!({ "name": "A", "kind": "poster" }), vec!["/kind"]),
            (json!({ "name": "A", "kind": "text", "erid": "not one" }), vec!["/erid"]),
            (json!({ "name": "A", "kind": "text", "advertiser": { "inn": "7707083893" } }), vec!["/advertiser/name"]),
            (json!({ "name": "A", "kind": "text", "advertiser": { "name": "A", "inn": "7707083894" } }), vec!["/advertiser/inn"]),
            (json!({ "name": "A", "kind": "text", "contract": { "number": "1", "date": "1.9.26" } }), vec!["/contract/date"]),
            (json!({ "name": "A", "kind": "text", "contract": {} }), vec!["/contract/number", "/contract/date"]),
            (json!({ "name": "A", "kind": "text", "url": "ftp://x" }), vec!["/url"]),
            (json!({ "name": "A", "kind": "text", "colour": "red" }), vec!["/colour"]),
            (json!({ "name": "A", "kind": "text", "program": "pro_99" }), vec!["/program"]),
        ] {
            assert_eq!(app.refused("/v1/creatives", body.clone()).await, (422, pointers.iter().map(|p| (*p).to_owned()).collect()), "{body}");
        }
        let made = creative(app, &ids).await;
        let path = format!("/v1/creatives/{}", made["id"].as_str().unwrap());
        assert_eq!(app.get(&path).await, made);
        assert_eq!(app.get("/v1/creatives").await["data"], json!([made]));
        assert_eq!((&made["contract"]["date"], &made["html"]), (&json!("2026-09-01"), &json!("<a href=\"…\">\n<img></a>")));
        let (status, changed) = app.patch(&path, json!({ "name": "Winter", "erid": null, "contract": null })).await;
        assert_eq!((status, &changed["name"], &changed["erid"], &changed["contract"]), (200, &json!("Winter"), &json!(null), &json!(null)));
        assert_eq!(changed["advertiser"], made["advertiser"], "what is left out stays");
        assert_eq!(pointer_of(app, &path, json!({ "program": "Shop" })).await, (422, "/program".to_owned()));
    }

    async fn the_erid_of_link_and_creative_is_carried_to_the_destination(app: &TestApp) {
        let ids = app.set_up().await;
        let link = path_of(&ids, "link");
        assert!(!app.click("anna").await.0.contains("erid"));
        let made = creative(app, &ids).await;
        let (_, saved) = app.patch(&link, json!({ "creative": made["id"] })).await;
        assert_eq!((&saved["creative"], &saved["erid"]), (&made["id"], &json!("2VtzqAutumn1")));
        assert!(app.click("anna").await.0.starts_with("https://shop.example/?erid=2VtzqAutumn1&trb_click="));
        // The visitor cannot change it, on a deep link neither.
        let response = app.visitor(Method::GET, "/r/anna?erid=forged&to=/sale&a=1").send().await.unwrap();
        let location = response.headers()["location"].to_str().unwrap();
        assert!(location.starts_with("https://shop.example/sale?erid=2VtzqAutumn1&a=1&trb_click="), "{location}");
        // A new token of the creative is carried from now on.
        let path = format!("/v1/creatives/{}", made["id"].as_str().unwrap());
        app.patch(&path, json!({ "erid": "2VtzqAutumn2" })).await;
        assert!(app.click("anna").await.0.contains("?erid=2VtzqAutumn2&"));
        app.patch(&link, json!({ "creative": null, "erid": "OwnToken" })).await;
        assert!(app.click("anna").await.0.contains("?erid=OwnToken&"));
        // What stands in the address is the link's own.
        let (_, saved) = app.patch(&link, json!({ "url": "https://shop.example/?erid=InUrl", "erid": null })).await;
        assert_eq!(saved["erid"], "InUrl");
        assert!(app.click("anna").await.0.starts_with("https://shop.example/?erid=InUrl&trb_click="));
        let (_, saved) = app.patch(&link, json!({ "url": "https://shop.example/?erid=Other" })).await;
        assert_eq!(saved["erid"], "Other", "a new address brings its own");
        for (body, pointer) in [
            (json!({ "erid": "a-b" }), "/erid"),
            (json!({ "erid": "Another" }), "/erid"),
            (json!({ "url": "https://shop.example/?erid=" }), "/url"),
            (json!({ "creative": made["id"] }), "/erid"),
            (json!({ "creative": "cre_99" }), "/creative"),
            (json!({ "creative": "Autumn banner" }), "/creative"),
        ] {
            assert_eq!(pointer_of(app, &link, body.clone()).await, (422, pointer.to_owned()), "{body}");
        }
        let other = app.make("/v1/programs", json!({ "name": "Other", "currency": "RUB" })).await;
        let foreign = app.make("/v1/creatives", json!({ "program": other["id"], "name": "F", "kind": "text" })).await;
        assert_eq!(pointer_of(app, &link, json!({ "creative": foreign["id"] })).await, (422, "/creative".to_owned()));
    }

    async fn unmarked_links_are_told(app: &TestApp) {
        let ids = app.set_up().await;
        let link = path_of(&ids, "link");
        assert_eq!(app.get(&link).await["warnings"], json!([]), "nothing requires it yet");
        app.patch(&path_of(&ids, "program"), json!({ "ad_marking_required": true })).await;
        assert_eq!(app.get(&path_of(&ids, "program")).await["ad_marking_required"], true);
        assert_eq!(app.get(&link).await["warnings"][0]["code"], "unmarked");
        let made = app.make("/v1/links", json!({ "partner": ids["partner"], "code": "anna2", "url": "https://shop.example/" })).await;
        assert_eq!(made["warnings"][0]["code"], "unmarked");
        let own = app.make("/v1/links", json!({ "code": "own", "url": "https://shop.example/" })).await;
        assert_eq!(own["warnings"], json!([]), "the merchant's own");
        let unmarked = async || {
            let found = app.get("/v1/links?unmarked=true").await;
            found["data"].as_array().unwrap().iter().map(|l| l["code"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(unmarked().await, ["anna", "anna2"]);
        assert_eq!(app.get("/v1/links").await["data"].as_array().unwrap().len(), 3);
        let bare = app.make("/v1/creatives", json!({ "name": "Bare", "kind": "text" })).await;
        app.patch(&link, json!({ "creative": bare["id"] })).await;
        assert_eq!(unmarked().await, ["anna", "anna2"], "a creative without a token marks nothing");
        app.patch(&format!("/v1/creatives/{}", bare["id"].as_str().unwrap()), json!({ "erid": "Tok1" })).await;
        assert_eq!(unmarked().await, ["anna2"]);
        app.patch(&format!("/v1/links/{}", made["id"].as_str().unwrap()), json!({ "erid": "Tok2" })).await;
        assert!(unmarked().await.is_empty());
    }

    async fn the_registers_figures_come_by_contract_creative_and_platform(app: &TestApp) {
        let ids = app.set_up().await;
        app.patch(&path_of(&ids, "program"), json!({ "ad_marking_required": true, "hold_days": 0 })).await;
        let made = creative(app, &ids).await;
        app.patch(&path_of(&ids, "link"), json!({ "creative": made["id"] })).await;
        let boris = app.make("/v1/partners", json!({ "name": "Boris" })).await;
        app.make("/v1/links", json!({ "partner": boris["id"], "code": "boris", "url": "https://shop.example/" })).await;
        app.make("/v1/links", json!({ "code": "ads", "url": "https://shop.example/", "erid": "Own1", "utm": { "source": "vk" } })).await;
        for code in ["anna", "ANNA", "nobody"] {
            let shown = app.visitor(Method::GET, &format!("/px.gif?type=impression&link={code}")).send().await.unwrap();
            assert_eq!(shown.status(), 200);
        }
        let (_, click_id) = app.click("anna").await;
        app.visitor(Method::HEAD, "/r/anna").send().await.unwrap();
        app.click("boris").await;
        app.click("ads").await;
        let order = |id: &str, more: Value| {
            let mut body = json!({ "external_id": id, "placed_at": app.now(), "currency": "RUB", "total": "1000.00" });
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            body
        };
        app.make("/v1/orders", order("A-1", json!({ "click_id": click_id, "customer": { "id": "c1" } }))).await;
        app.make("/v1/orders", order("A-2", json!({ "promo_codes": ["ANNA10"], "customer": { "id": "c2" } }))).await;
        app.make("/v1/orders/A-1/refunds", json!({ "refund_id": "R", "amount": "200.00" })).await;
        let found = app.get("/v1/reports/ad-marking?period=2026-11").await;
        let brief = |found: &Value| {
            let row = |r: &Value| {
                let amount = |name: &str| r[name][0]["amount"].as_str().unwrap_or("").to_owned();
                (r["contract"]["number"].clone(), r["erid"].clone(), r["platform"].clone(), r["impressions"].clone(), r["clicks"].clone(), amount("commission"), amount("paid"))
            };
            found["data"].as_array().unwrap().iter().map(row).collect::<Vec<_>>()
        };
        let none = Value::Null;
        let row = |contract: &Value, erid: &Value, platform: &str, counts: (i64, i64), commission: &str, paid: &str| {
            (contract.clone(), erid.clone(), json!(platform), json!(counts.0), json!(counts.1), commission.to_owned(), paid.to_owned())
        };
        assert_eq!(brief(&found), [
            row(&json!("Д-17/26"), &json!("2VtzqAutumn1"), "Anna", (2, 1), "80.00", ""),
            row(&none, &none, "Anna", (0, 0), "100.00", ""),
            row(&none, &none, "Boris", (0, 1), "", ""),
            row(&none, &json!("Own1"), "vk", (0, 1), "", ""),
        ], "{found}");
        assert_eq!((&found["totals"]["impressions"], &found["totals"]["clicks"]), (&json!(2), &json!(3)));
        assert_eq!((&found["totals"]["commission"][0]["amount"], &found["unmarked_links"]), (&json!("180.00"), &json!(1)));
        assert_eq!(found["data"][0]["advertiser"]["inn"], "7707083893");
        assert_eq!(app.get("/v1/reports/ad-marking?period=2026-10").await["data"], json!([]));

        let csv = app.request(Method::GET, "/v1/reports/ad-marking?period=2026-11").header("accept", "text/csv").send().await.unwrap().text().await.unwrap();
        let lines: Vec<&str> = csv.lines().collect();
        assert_eq!(lines[0], "period,program,contract_number,contract_date,advertiser,inn,creative,creative_name,kind,erid,platform,partner,impressions,clicks,currency,commission,paid");
        assert_eq!(lines[1], "2026-11,pro_1,Д-17/26,2026-09-01,ООО «Лавка»,7707083893,cre_1,Autumn banner,banner,2VtzqAutumn1,Anna,par_1,2,1,RUB,80.00,0.00");
        assert_eq!(lines.len(), 5);

        // Paid in the next month: it is that month's payment and this month's commission.
        app.advance(chrono::TimeDelta::days(10));
        app.make("/v1/periods/2026-11/close", json!({})).await;
        let run = app.make("/v1/payout-runs", json!({ "period": "2026-11" })).await;
        let run = format!("/v1/payout-runs/{}", run["data"][0]["id"].as_str().or(run["id"].as_str()).unwrap());
        app.make(&format!("{run}/approve"), json!({})).await;
        app.make(&format!("{run}/paid"), json!({ "bank_reference": "B-1" })).await;
        // Taken back after it was paid: an act of December.
        app.make("/v1/orders/A-1/refunds", json!({ "refund_id": "R2", "amount": "300.00" })).await;
        assert_eq!(brief(&app.get("/v1/reports/ad-marking?period=2026-11").await), brief(&found), "a closed month stays");
        let december = app.get("/v1/reports/ad-marking?period=2026-12").await;
        assert_eq!(brief(&december), [
            row(&json!("Д-17/26"), &json!("2VtzqAutumn1"), "Anna", (0, 0), "-30.00", "80.00"),
            row(&none, &none, "Anna", (0, 0), "", "100.00"),
        ], "{december}");
        for query in ["", "?period=2026-13", "?period=October"] {
            let response = app.request(Method::GET, &format!("/v1/reports/ad-marking{query}")).send().await.unwrap();
            assert_eq!(response.status(), 422, "{query}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_command_line_reports_and_takes_creatives_with_links() {
    let app = TestApp::spawn(Kind::Sqlite).await.unwrap();
    let ids = app.set_up().await;
    creative(&app, &ids).await;
    let file = app.folder.path().join("links.csv");
    std::fs::write(
        &file,
        "code,url,partner,creative,erid\nvera,https://shop.example/,par_1,cre_1,\nzoya,https://shop.example/,par_1,,Zoya1\n",
    )
    .unwrap();
    let url = app.database_url.clone();
    let data = app.folder.path().join("cli").display().to_string();
    let (code, _, error) = run(&["--database-url", &url, "--data-dir", &data, "import", "links", file.to_str().unwrap()], "");
    assert_eq!(code, 0, "{error}");
    std::fs::write(&file, "code,url,partner,erid\nq1,https://shop.example/,par_1,\nq2,https://shop.example/,par_1,a b\n")
        .unwrap();
    let (code, _, error) = run(&["--database-url", &url, "--data-dir", &data, "import", "links", file.to_str().unwrap()], "");
    assert_eq!(code, 1);
    assert!(error.contains("links.csv:3: erid: an erid has"), "{error}");
    app.make("/v1/links", json!({ "code": "fresh", "url": "https://shop.example/" })).await;
    for code in ["vera", "zoya", "zoya"] {
        app.click(code).await;
    }
    app.mover_done().await;
    let (code, out, error) =
        run(&["--database-url", &url, "--data-dir", &data, "report", "ad-marking", "--period", "2026-11"], "");
    assert_eq!(code, 0, "{error}");
    assert!(out.lines().any(|l| l.starts_with("Д-17/26") && l.contains("2VtzqAutumn1")), "{out}");
    let (_, csv, _) =
        run(&["--database-url", &url, "--data-dir", &data, "report", "ad-marking", "--period", "2026-11", "--format", "csv"], "");
    let answered =
        app.request(Method::GET, "/v1/reports/ad-marking?period=2026-11").header("accept", "text/csv").send().await.unwrap();
    assert_eq!(csv, answered.text().await.unwrap(), "the same figures everywhere");
    let (code, ..) = run(&["--database-url", &url, "--data-dir", &data, "report", "ad-marking", "--period", "2026-13"], "");
    assert_eq!(code, 2);
    app.finish().await;
}
