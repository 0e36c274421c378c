//! Hundreds of orders out of files, their holds, the month and its run: what is stored and posted by the hundred is what
//! would have been stored one by one, and `doctor` proves it; what is changed behind its back it finds.

use crate::support::*;
use chrono::TimeDelta;
use serde_json::json;
use std::collections::HashMap;
use tributary::service::import::{ImportKind, import};

/// More than are recorded or posted in one go, and no multiple of what a statement takes.
const ORDERS: i64 = 1_370;

async fn take_in(app: &TestApp, kind: ImportKind, text: &str) {
    let mut tx = app.service.db.begin().await.unwrap();
    let context = app.service.context("test");
    let done = import(&mut tx, &context, kind, text.as_bytes(), &HashMap::new(), |_| {}).await.unwrap();
    assert_eq!(done.rows, done.new);
    tx.commit().await.unwrap();
}

/// Half-even tenth of `minor`.
fn a_tenth(minor: i64) -> i64 {
    let (whole, rest) = (minor / 10, minor % 10);
    whole + i64::from(rest > 5 || (rest == 5 && whole % 2 == 1))
}

both_stores! {
    async fn hundreds_of_orders_are_recorded_released_and_paid_to_the_kopeck(app: &TestApp) {
        let ids = app.set_up().await;
        let (anna, began) = (ids["partner"].as_str().unwrap().to_owned(), app.clock.now());
        let total = |number: i64| 10_001 + number * 37;
        let mut touches = "id,at,kind,visitor_id,partner,program\n".to_owned();
        let mut orders = "external_id,placed_at,currency,total,customer_id,visitor_id\n".to_owned();
        for number in 0..ORDERS {
            let at = began + TimeDelta::minutes(number - ORDERS);
            touches += &format!("click-{number},{},click,visitor-{number},{anna},Shop\n", (at - TimeDelta::hours(1)).to_rfc3339());
            let (total, at) = (total(number), at.to_rfc3339());
            orders += &format!("N-{number},{at},RUB,{}.{:02},customer-{number},visitor-{number}\n", total / 100, total % 100);
        }
        take_in(app, ImportKind::Touches, &touches).await;
        take_in(app, ImportKind::Orders, &orders).await;
        assert_eq!(app.broken().await, Vec::<String>::new());
        let owed: i64 = (0..ORDERS).map(|number| a_tenth(total(number))).sum();
        let minor = |text: &str| text.replace('.', "").parse::<i64>().unwrap();
        let statement = |month: String| {
            let path = format!("/v1/partners/{anna}/statement?period={month}");
            async move { app.get(&path).await["data"][0].clone() }
        };
        let now = statement(began.format("%Y-%m").to_string()).await;
        assert_eq!([minor(now["closing"]["amount"].as_str().unwrap()), minor(now["held"]["amount"].as_str().unwrap())], [owed, owed]);

        app.advance(TimeDelta::days(40));
        // What is released and what is put into the run are one transaction, and one chain.
        let month = app.clock.now().format("%Y-%m").to_string();
        let run = app.make("/v1/payout-runs", json!({ "period": month, "early": true })).await;
        assert_eq!(minor(run["total"]["amount"].as_str().unwrap()), owed, "{run}");
        assert_eq!(app.broken().await, Vec::<String>::new());
    }

    async fn doctor_finds_what_is_held_though_its_hold_is_over_or_not_whole(app: &TestApp) {
        app.set_up().await;
        let (_, click_id) = app.click("anna").await;
        app.mover_done().await;
        app.make("/v1/orders", json!({ "external_id": "H-1", "currency": "RUB", "total": "100.00", "placed_at": app.now(), "click_id": click_id })).await;
        assert_eq!(app.broken().await, Vec::<String>::new());
        app.behind_its_back("UPDATE commissions SET state = 'approved'").await;
        let broken = app.broken().await;
        assert!(broken.iter().any(|said| said.contains("is approved, and 1000 of it is held")), "{broken:?}");
        app.behind_its_back("UPDATE commissions SET state = 'pending', amount_minor = 1001").await;
        let broken = app.broken().await;
        assert!(broken.iter().any(|said| said.contains("of 1001 is pending, and 1000 of it is held")), "{broken:?}");
        app.behind_its_back("UPDATE commissions SET amount_minor = 1000").await;
    }
}
