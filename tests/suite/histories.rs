//! Whatever happens to an order, in whatever order, the balance is what its final state owes.
//!
//! The oracle below knows only the final state and the rate; it shares no code with the service.

use crate::support::*;
use chrono::TimeDelta;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};
use serde_json::json;

#[derive(Debug, Clone)]
enum Step {
    Order { total: i64, tax: i64, status: &'static str },
    Refund { id: u8, amount: i64 },
    Repeat,
    Days(i64),
    CloseMonth,
    PayEarly,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (1i64..500_000, 0i64..50_000, prop::sample::select(vec!["approved", "approved", "approved", "pending", "cancelled"]))
            .prop_map(|(total, tax, status)| Step::Order { total, tax: tax.min(total), status }),
        4 => (0u8..6, 1i64..200_000).prop_map(|(id, amount)| Step::Refund { id, amount }),
        1 => Just(Step::Repeat),
        2 => (0i64..20).prop_map(Step::Days),
        1 => Just(Step::CloseMonth),
        1 => Just(Step::PayEarly),
    ]
}

/// half-even(10 % × (total − tax) × (total − refunded) / total), by schoolbook fractions.
fn oracle(total: i64, tax: i64, refunded: i64, status: &str) -> i64 {
    if status != "approved" {
        return 0;
    }
    let numerator = i128::from(total - tax) * i128::from(total - refunded);
    let denominator = 10 * i128::from(total);
    let (whole, rest) = (numerator / denominator, numerator % denominator);
    let up = rest * 2 > denominator || (rest * 2 == denominator && whole % 2 == 1);
    (whole + i128::from(up)) as i64
}

fn decimal(minor: i64) -> String {
    format!("{}.{:02}", minor / 100, minor % 100)
}

fn minor(text: &str) -> i64 {
    text.replace('.', "").parse().unwrap()
}

async fn live_through(app: &TestApp, external_id: &str, history: &[Step], partner: &str) -> i64 {
    let (_, click_id) = app.click("anna").await;
    let placed_at = app.now();
    let (mut total, mut tax, mut status, mut refunded) = (100_00, 0, "approved", 0);
    let mut decided = false;
    let mut refunds: std::collections::HashMap<u8, i64> = std::collections::HashMap::new();
    let body = |total, tax, status| {
        json!({ "external_id": external_id, "placed_at": placed_at, "currency": "RUB", "total": decimal(total), "tax": decimal(tax),
                "status": status, "click_id": click_id })
    };
    app.make("/v1/orders", body(total, tax, status)).await;
    decided |= status == "approved";
    for step in history {
        match step {
            Step::Order { total: new_total, tax: new_tax, status: new_status } => {
                let (code, answer) = app.post("/v1/orders", body(*new_total, *new_tax, new_status)).await;
                if *new_total < refunded {
                    assert_eq!(code, 422, "{answer}");
                } else {
                    assert_eq!(code, 200, "{answer}");
                    (total, tax, status) = (*new_total, *new_tax, new_status);
                }
            }
            Step::Refund { id, amount } => {
                let path = format!("/v1/orders/{external_id}/refunds");
                let (code, answer) = app.post(&path, json!({ "refund_id": format!("r{id}"), "amount": decimal(*amount) })).await;
                match refunds.get(id) {
                    Some(known) => assert_eq!(code, if known == amount { 200 } else { 409 }, "{answer}"),
                    None if *amount > total - refunded => assert_eq!(code, 422, "{answer}"),
                    None => {
                        assert_eq!(code, 201, "{answer}");
                        refunds.insert(*id, *amount);
                        refunded += amount;
                    }
                }
            }
            Step::Repeat => {
                app.make("/v1/orders", body(total, tax, status)).await;
            }
            Step::Days(days) => app.advance(TimeDelta::days(*days)),
            Step::CloseMonth => {
                let last_month = (app.clock.now() - TimeDelta::days(31)).format("%Y-%m").to_string();
                app.post(&format!("/v1/periods/{last_month}/close"), json!({})).await;
            }
            Step::PayEarly => {
                let month = app.clock.now().format("%Y-%m").to_string();
                let (code, run) = app.post("/v1/payout-runs", json!({ "period": month, "early": true })).await;
                if code == 201 {
                    let id = run["id"].as_str().unwrap();
                    app.make(&format!("/v1/payout-runs/{id}/approve"), json!({})).await;
                    app.make(&format!("/v1/payout-runs/{id}/paid"), json!({})).await;
                }
            }
        }
        decided |= status == "approved";
    }
    let owed = if decided { oracle(total, tax, refunded, status) } else { 0 };
    let answer = app.get(&format!("/v1/orders/{external_id}")).await;
    let said: i64 =
        answer["commissions"].as_array().unwrap().iter().map(|c| minor(c["amount"]["amount"].as_str().unwrap())).sum();
    assert_eq!(said, owed, "{external_id} after {history:?} for {partner}: {answer}");
    owed
}

both_stores! {
    async fn any_history_ends_at_what_the_final_state_owes(app: &TestApp) {
        let ids = app.set_up().await;
        let partner = ids["partner"].as_str().unwrap();
        let mut runner = TestRunner::new(Config::default());
        let strategy = prop::collection::vec(step(), 1..10);
        let mut owed = 0;
        for number in 0..25 {
            let history = strategy.new_tree(&mut runner).unwrap().current();
            owed += live_through(app, &format!("H-{number}"), &history, partner).await;
        }
        // What was paid and what is left make what is owed for all orders together.
        let entries = app.get("/v1/ledger/entries?limit=1000").await;
        assert!(entries["data"].as_array().unwrap().len() > 50);
        let mut sum = 0;
        let mut cursor = String::new();
        loop {
            let page = app.get(&format!("/v1/ledger/entries?limit=1000&cursor={cursor}")).await;
            for entry in page["data"].as_array().unwrap() {
                if entry["account"] == "expense" {
                    sum -= minor(entry["amount"]["amount"].as_str().unwrap());
                }
            }
            match page["next_cursor"].as_str() {
                Some(next) => cursor = next.to_owned(),
                None => break,
            }
        }
        assert_eq!(sum, owed);
    }
}
