//! Exchange rates come in by file and API; reports convert by the rate of each amount's day, or say which is missing.

use crate::support::*;
use reqwest::Method;
use serde_json::{Value, json};
use std::fs;
use tributary::service::access::Scope;
use tributary::store::audit;

const CBR: &str = "<?xml version=\"1.0\" encoding=\"windows-1251\"?>\n<ValCurs Date=\"20.11.2026\" name=\"Foreign Currency Market\">\n\
<Valute ID=\"R01235\"><NumCode>840</NumCode><CharCode>USD</CharCode><Nominal>1</Nominal><Name>Доллар США</Name><Value>80,5000</Value><VunitRate>80,5</VunitRate></Valute>\n\
<Valute ID=\"R01239\"><NumCode>978</NumCode><CharCode>EUR</CharCode><Nominal>1</Nominal><Name>Евро</Name><Value>92,1234</Value><VunitRate>92,1234</VunitRate></Valute>\n\
<Valute ID=\"R01335\"><NumCode>398</NumCode><CharCode>KZT</CharCode><Nominal>100</Nominal><Name>Тенге</Name><Value>15,5000</Value><VunitRate>0,155</VunitRate></Valute>\n</ValCurs>\n";

fn windows_1251(text: &str) -> Vec<u8> {
    encoding_rs::WINDOWS_1251.encode(text).0.into_owned()
}

async fn import(app: &TestApp, bytes: &[u8], more: &[&str]) -> (i32, String, String) {
    let path = app.folder.path().join("rates.xml");
    fs::write(&path, bytes).unwrap();
    let (path, data) = (path.display().to_string(), app.folder.path().join("cli").display().to_string());
    let mut arguments = vec!["--database-url", &app.database_url, "--data-dir", &data, "import", "rates", &path];
    arguments.extend(more);
    run(&arguments, "")
}

fn amount(value: &Value) -> (&str, &str) {
    (value["amount"].as_str().unwrap(), value["currency"].as_str().unwrap())
}

fn cost(date: &str, campaign: &str, amount: &str, currency: &str) -> Value {
    json!({ "date": date, "source": "google", "medium": "cpc", "campaign": campaign, "amount": amount, "currency": currency })
}

both_stores! {
    async fn rates_of_the_bank_of_russia_come_in_once_and_all_or_nothing(app: &TestApp) {
        let (code, out, errors) = import(app, &windows_1251(CBR), &["--dry-run"]).await;
        assert_eq!((code, out.contains("3 new, 0 changed, 0 known (dry run: nothing stored)")), (0, true), "{out}{errors}");
        assert_eq!(app.get("/v1/exchange-rates").await["data"], json!([]));
        for said in ["rates of cbr, 2026-11-20 to 2026-11-20: 3 new, 0 changed, 0 known", "0 new, 0 changed, 3 known"] {
            let (code, out, errors) = import(app, &windows_1251(CBR), &[]).await;
            assert_eq!((code, out.contains(said)), (0, true), "{out}{errors}");
        }
        let (code, out, _) = import(app, CBR.replace("80,5000", "80,7500").replace("80,5<", "80,75<").as_bytes(), &[]).await;
        assert_eq!((code, out.contains("0 new, 1 changed, 2 known")), (0, true), "{out}");
        let changed = audit::latest(&app.service.db, 1).await.unwrap().remove(0);
        assert_eq!((changed.act.as_str(), changed.subject.as_str()), ("exchange_rate.change", "cbr USD/RUB 2026-11-20"));
        assert_eq!(changed.detail.0, json!({ "before": "1 USD = 80.5 RUB", "after": "1 USD = 80.75 RUB" }));

        let broken = CBR.replace("15,5000", "x").replace("20.11.2026", "21.11.2026");
        let (code, _, errors) = import(app, &windows_1251(&broken), &[]).await;
        assert_eq!(code, 1);
        assert!(errors.contains("rates.xml:5: Value: 'x' is not a rate") && errors.contains("nothing was stored"), "{errors}");
        let listed = app.get("/v1/exchange-rates?source=cbr&currency=USD&from=2026-11-20&to=2026-11-30").await;
        assert_eq!(listed["data"].as_array().unwrap().len(), 1);
        assert_eq!(listed["data"][0]["rate"], "80.75");
        let (code, out, errors) = import(app, b"Date, USD, JPY, \n20 November 2026, 1.1500, 163.40, \n", &[]).await;
        assert_eq!((code, out.contains("rates of ecb, 2026-11-20 to 2026-11-20: 2 new")), (0, true), "{out}{errors}");
        let (code, _, errors) = import(app, b"currency;rate\nUSD;80\n", &[]).await;
        assert!(code == 1 && errors.contains("--date"), "{errors}");
        assert_eq!(import(app, b"currency;rate\nUSD;81\n", &["--date", "2026-11-21"]).await.0, 0);
    }

    async fn rates_by_the_api_are_stored_once_by_source_day_and_currencies(app: &TestApp) {
        let rate = |value: &str| json!({ "date": "2026-11-20", "from": "USD", "to": "RUB", "rate": value });
        let first = app.post("/v1/exchange-rates", rate("80.5")).await;
        assert_eq!(first, (201, json!({ "new": 1, "changed": 0, "known": 0 })));
        assert_eq!(app.post("/v1/exchange-rates", rate("80.50")).await, (200, json!({ "new": 0, "changed": 0, "known": 1 })));
        assert_eq!(app.post("/v1/exchange-rates", json!([rate("81")])).await, (200, json!({ "new": 0, "changed": 1, "known": 0 })));
        assert_eq!(app.get("/v1/exchange-rates").await["data"][0]["rate"], "81");
        for (body, pointer) in [
            (json!({ "from": "USD", "to": "RUB", "rate": "80" }), "/date"),
            (json!({ "date": "2026-11-20", "from": "USD", "to": "USD", "rate": "80" }), "/to"),
            (json!({ "date": "2026-11-20", "from": "USD", "to": "RUB", "rate": "0" }), "/rate"),
            (json!({ "date": "2026-11-20", "from": "XXY", "to": "RUB", "rate": "80" }), "/from"),
            (json!({ "date": "2027-11-20", "from": "USD", "to": "RUB", "rate": "80" }), "/date"),
            (json!({ "date": "2026-11-20", "from": "USD", "to": "EUR", "rate": "80", "source": "cbr" }), "/to"),
            (json!({ "date": "2026-11-20", "from": "USD", "to": "EUR", "rate": "80", "source": "ecb" }), "/from"),
            (json!({ "date": "2026-11-20", "from": "USD", "to": "RUB", "rate": "80", "units": 0 }), "/units"),
        ] {
            assert_eq!(app.refused("/v1/exchange-rates", body).await, (422, vec![pointer.to_owned()]));
        }
        let (status, pointers) = app.refused("/v1/exchange-rates", json!([rate("82"), { "date": "x" }])).await;
        assert_eq!((status, pointers[0].as_str()), (422, "/1/date"));
        assert_eq!(app.get("/v1/exchange-rates").await["data"][0]["rate"], "81", "nothing of it was stored");
        let reader = app.key(Scope::Read).await;
        let refused = app.visitor(Method::POST, "/v1/exchange-rates").bearer_auth(reader).json(&rate("80")).send().await.unwrap();
        assert_eq!(refused.status(), 403);
    }

    async fn a_report_converts_by_the_rate_of_each_day_and_shows_it(app: &TestApp) {
        app.set_up().await;
        app.make("/v1/programs", json!({ "name": "Abroad", "currency": "EUR", "destination_hosts": ["shop.example"], "hold_days": 0 })).await;
        app.make("/v1/commission-rules", json!({ "program": "Abroad", "percent": "10" })).await;
        app.make("/v1/links", json!({ "program": "Abroad", "partner": "par_1", "code": "abroad", "url": "https://shop.example/" })).await;
        let (_, click) = app.click("abroad").await;
        app.make("/v1/costs", json!([
            cost("2026-11-20", "a", "10.00", "USD"), cost("2026-11-21", "b", "3.00", "EUR"), cost("2026-11-21", "c", "50.00", "RUB"),
        ])).await;
        app.make("/v1/orders", json!({ "external_id": "E-1", "placed_at": app.now(), "currency": "EUR", "total": "100.01", "click_id": click })).await;
        app.make("/v1/orders/E-1/refunds", json!({ "refund_id": "r", "amount": "50.00" })).await;
        app.make("/v1/orders", json!({ "external_id": "R-1", "placed_at": app.now(), "currency": "RUB", "total": "1000.00" })).await;
        let apart = app.get("/v1/reports/channels").await;
        assert_eq!(amount(&apart["totals"]["revenue"]), ("1000.00", "RUB"));
        assert_eq!(apart["other_currencies"].as_array().unwrap().len(), 2);

        let missing = app.request(Method::GET, "/v1/reports/channels?convert=true&currency=RUB").send().await.unwrap();
        assert_eq!(missing.status(), 422);
        let missing: Value = missing.json().await.unwrap();
        assert_eq!(missing["type"], "about:tributary/no-exchange-rate");
        let said: Vec<&str> = missing["errors"].as_array().unwrap().iter().map(|e| e["detail"].as_str().unwrap()).collect();
        assert_eq!(said.len(), 3, "{said:?}");
        assert!(said.iter().any(|s| s.contains("USD") && s.contains("2026-11-20")), "{said:?}");

        // The rate of Friday holds over the week-end.
        assert_eq!(import(app, &windows_1251(CBR), &[]).await.0, 0);
        let report = app.get("/v1/reports/channels?convert=true&currency=RUB").await;
        // 10 USD × 80.5 + 3 EUR × 92.1234 + 50; 100.01 EUR × 92.1234 + 1000
        assert_eq!(amount(&report["totals"]["ad_cost"]), ("1131.37", "RUB"));
        assert_eq!(amount(&report["totals"]["revenue"]), ("10213.26", "RUB"));
        assert_eq!(amount(&report["totals"]["net_revenue"]), ("5607.09", "RUB"));
        assert_eq!(amount(&report["totals"]["commission"]), ("460.62", "RUB"));
        assert_eq!(report["other_currencies"], json!([]));
        for figure in ["revenue", "net_revenue", "ad_cost", "commission"] {
            let minor = |v: &Value| v["amount"].as_str().unwrap().replace('.', "").parse::<i64>().unwrap();
            let rows: i64 = report["data"].as_array().unwrap().iter().map(|row| minor(&row[figure])).sum();
            assert_eq!(rows, minor(&report["totals"][figure]), "{figure}");
        }
        let lines: Vec<&Value> = report["data"].as_array().unwrap().iter().filter_map(|row| row["converted"].as_array()).flatten().collect();
        assert_eq!(lines.len(), 3);
        let order = lines.iter().find(|line| line["date"] == "2026-11-22").unwrap();
        assert_eq!((amount(&order["revenue"]), amount(&order["converted"]["revenue"])), (("100.01", "EUR"), ("9213.26", "RUB")));
        assert_eq!((order["rate"]["rate"].as_str(), order["rate"]["date"].as_str(), order["rate"]["source"].as_str()), (Some("92.1234"), Some("2026-11-20"), Some("cbr")));
        let partners = app.get("/v1/reports/partners?convert=true&currency=USD").await;
        // Through the rouble: 50.01 × 92.1234 / 80.5
        assert_eq!(amount(&partners["data"][0]["net_revenue"]), ("57.23", "USD"));
        assert_eq!(partners["data"][0]["converted"][0]["rate"]["rates"].as_array().unwrap().len(), 2);
        let csv = app.request(Method::GET, "/v1/reports/partners?convert=true&currency=USD").header("accept", "text/csv").send().await.unwrap().text().await.unwrap();
        assert!(csv.lines().nth(1).unwrap().ends_with("USD,\"2026-11-22: 1 EUR = 92.1234 RUB (cbr, 2026-11-20), 1 USD = 80.5 RUB (cbr, 2026-11-20)\""), "{csv}");
        let data = app.folder.path().join("cli").display().to_string();
        let (code, out, errors) = run(&["--database-url", &app.database_url, "--data-dir", &data, "report", "channels", "--from", "2026-11-01", "--to", "2026-11-22", "--currency", "RUB", "--convert"], "");
        assert_eq!(code, 0, "{errors}");
        assert!(out.contains("5607.09") && out.contains("converted on 2026-11-22: 1 EUR = 92.1234 RUB (cbr, 2026-11-20)"), "{out}");
        assert_eq!(app.request(Method::GET, "/v1/reports/channels?convert=maybe").send().await.unwrap().status(), 422);
    }

    async fn costs_are_summed_by_currency_or_converted_line_by_line(app: &TestApp) {
        app.set_up().await;
        app.make("/v1/costs", json!([cost("2026-11-20", "a", "10.00", "USD"), cost("2026-11-21", "b", "5.00", "USD"), cost("2026-11-21", "c", "50.00", "RUB")])).await;
        let apart = app.get("/v1/costs").await;
        assert_eq!(apart["totals"], json!([{ "amount": "50.00", "currency": "RUB" }, { "amount": "15.00", "currency": "USD" }]));
        assert!(apart.get("total").is_none() && apart["data"][0].get("converted").is_none());
        let missing = app.request(Method::GET, "/v1/costs?convert=true&currency=RUB").send().await.unwrap();
        assert_eq!(missing.status(), 422);
        app.make("/v1/exchange-rates", json!({ "date": "2026-11-20", "from": "USD", "to": "RUB", "rate": "80.5", "source": "cbr" })).await;
        let converted = app.get("/v1/costs?convert=true&currency=RUB&from=2026-11-01&to=2026-11-30").await;
        assert_eq!(amount(&converted["total"]), ("1257.50", "RUB"));
        assert_eq!(amount(&converted["data"][0]["converted"]["amount"]), ("805.00", "RUB"));
        assert_eq!(converted["data"][1]["converted"]["rate"]["date"], "2026-11-20");
        assert_eq!(converted["data"][2]["converted"]["rate"], Value::Null);
    }
}
