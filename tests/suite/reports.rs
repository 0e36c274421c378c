//! Rows add up to totals, whatever the cut and the model.

use crate::support::*;
use chrono::TimeDelta;
use reqwest::Method;
use serde_json::{Value, json};

fn minor(value: &Value) -> i64 {
    value["amount"].as_str().unwrap().replace('.', "").parse().unwrap()
}

async fn visit(app: &TestApp, cookie: &str, url: &str) {
    let answer = app
        .visitor(Method::POST, "/e")
        .header("cookie", format!("trb_vid={cookie}"))
        .json(&json!({ "type": "visit", "url": url, "ref": "" }))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 202);
    app.advance(TimeDelta::hours(1));
}

both_stores! {
    async fn rows_add_up_to_totals_in_every_cut_and_model(app: &TestApp) {
        app.set_up().await;
        let visitor = uuid::Uuid::now_v7().to_string();
        visit(app, &visitor, "https://shop.example/?utm_source=google&utm_medium=cpc&utm_campaign=a").await;
        visit(app, &visitor, "https://shop.example/?utm_source=newsletter&utm_medium=email").await;
        visit(app, &visitor, "https://shop.example/").await;
        app.make("/v1/costs", json!([
            { "date": "2026-11-22", "source": "Google", "medium": "CPC", "campaign": "a", "amount": "30.00", "currency": "RUB" },
            { "date": "2026-11-22", "source": "x", "medium": "y", "amount": "5.00", "currency": "EUR" },
        ])).await;
        app.make("/v1/orders", json!({ "external_id": "R-1", "placed_at": app.now(), "currency": "RUB", "total": "100.01", "visitor_id": visitor, "customer": { "id": "c" } })).await;
        app.make("/v1/orders/R-1/refunds", json!({ "refund_id": "r", "amount": "33.34" })).await;
        app.make("/v1/orders", json!({ "external_id": "R-2", "placed_at": app.now(), "currency": "RUB", "total": "50.00" })).await;
        for model in ["last_click", "last_non_direct", "first_click", "linear"] {
            for group_by in ["channel", "source,campaign", "day", "partner", "channel,medium,day"] {
                let report = app.get(&format!("/v1/reports/channels?model={model}&group_by={group_by}")).await;
                for figure in ["revenue", "refunds", "net_revenue", "cost", "ad_cost", "commission"] {
                    let sum: i64 = report["data"].as_array().unwrap().iter().map(|row| minor(&row[figure])).sum();
                    assert_eq!(sum, minor(&report["totals"][figure]), "{figure} by {group_by}, {model}");
                }
                assert_eq!(report["totals"]["net_revenue"]["amount"], "116.67");
                assert_eq!(report["totals"]["orders"], 2.0);
                assert_eq!(report["totals"]["visitors"], 1);
                assert_eq!(report["other_currencies"][0]["ad_cost"]["amount"], "5.00");
            }
        }
        let credited = async |model: &str| -> Vec<(String, f64)> {
            let report = app.get(&format!("/v1/reports/channels?model={model}")).await;
            let mut rows: Vec<(String, f64)> = report["data"].as_array().unwrap().iter()
                .map(|r| (r["channel"].as_str().unwrap().to_owned(), r["orders"].as_f64().unwrap())).filter(|r| r.1 > 0.0).collect();
            rows.sort_by(|a, b| a.0.cmp(&b.0));
            rows
        };
        assert_eq!(credited("last_click").await, [("direct".to_owned(), 2.0)]);
        assert_eq!(credited("last_non_direct").await, [("direct".to_owned(), 1.0), ("email".to_owned(), 1.0)]);
        assert_eq!(credited("first_click").await, [("direct".to_owned(), 1.0), ("paid_search".to_owned(), 1.0)]);
        assert_eq!(credited("linear").await, [("direct".to_owned(), 1.0), ("email".to_owned(), 0.5), ("paid_search".to_owned(), 0.5)]);
        let unobserved = app.get("/v1/orders/R-2/attribution").await;
        assert_eq!(unobserved["models"]["linear"][0]["unobserved"], true);
    }

    async fn lists_and_reports_come_as_csv_too(app: &TestApp) {
        app.set_up().await;
        app.click("anna").await;
        let csv = async |path: &str| app.request(Method::GET, path).header("accept", "text/csv").send().await.unwrap().text().await.unwrap();
        assert!(csv("/v1/links").await.starts_with("id,code,short_url,program,partner,url"));
        let report = csv("/v1/reports/channels").await;
        assert!(report.starts_with("channel,clicks,"), "{report}");
        assert!(report.lines().last().unwrap().starts_with("total,1,"), "{report}");
        let page = app.get("/v1/links?limit=1").await;
        assert_eq!(page["next_cursor"], "1");
        assert_eq!(app.get("/v1/links?limit=1&cursor=1").await, json!({ "data": [], "next_cursor": null }));
    }

    async fn costs_of_the_same_day_and_keys_are_replaced(app: &TestApp) {
        app.set_up().await;
        let cost = |amount: &str| json!([{ "date": "2026-11-22", "source": "google", "medium": "cpc", "campaign": "a", "amount": amount, "currency": "RUB" }]);
        app.make("/v1/costs", cost("30.00")).await;
        app.make("/v1/costs", cost("20.00")).await;
        let report = app.get("/v1/reports/channels").await;
        assert_eq!(report["data"][0]["ad_cost"]["amount"], "20.00");
        assert_eq!(report["data"][0]["roi"], -100.0);
        let (status, pointers) = app.refused("/v1/costs", json!([cost("1.00")[0], { "date": "2026-13-01", "amount": "1", "currency": "RUB" }])).await;
        assert_eq!((status, pointers), (422, vec!["/1/date".to_owned()]));
        assert_eq!(app.get("/v1/reports/channels").await["data"][0]["ad_cost"]["amount"], "20.00");
    }
}
