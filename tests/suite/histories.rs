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

/// An order of a month as it stands in the end.
#[derive(Debug, Clone)]
struct Final {
    month: String,
    placed_at: String,
    click_id: String,
    total: i64,
    refunded: i64,
    cancelled: bool,
    declined: bool,
}

fn half_even(numerator: i128, denominator: i128) -> i64 {
    let (whole, rest) = (numerator / denominator, numerator % denominator);
    let up = rest * 2 > denominator || (rest * 2 == denominator && whole % 2 == 1);
    (whole + i128::from(up)) as i64
}

/// 5 % of what lies under 500, 10 % up to 1,500, 20 % above, of all that is left of each month's orders.
fn tiers_oracle(orders: &[Final]) -> i64 {
    let mut months: std::collections::BTreeMap<&str, i64> = std::collections::BTreeMap::new();
    for order in orders.iter().filter(|o| !o.cancelled && !o.declined) {
        *months.entry(&order.month).or_default() += order.total - order.refunded;
    }
    let part = |volume: i64, from: i64, to: i64| i128::from((volume.min(to) - from).max(0));
    let owed =
        |v: i64| half_even(part(v, 0, 500_00) * 5 + part(v, 500_00, 1_500_00) * 10 + part(v, 1_500_00, i64::MAX) * 20, 100);
    months.values().map(|volume| owed(*volume)).sum()
}

async fn act_on(app: &TestApp, number: usize, order: &mut Final, act: u8, amount: i64) {
    let body = |order: &Final| {
        json!({ "external_id": format!("M-{number}"), "placed_at": order.placed_at, "currency": "RUB", "total": decimal(order.total),
                "click_id": order.click_id, "status": if order.cancelled { "cancelled" } else { "approved" } })
    };
    match act {
        0..=3 => order.total = amount.max(order.refunded).max(1),
        4 => order.cancelled = !order.cancelled,
        5..=6 => {
            let refund = (amount / 20).min(order.total - order.refunded);
            if refund > 0 {
                order.refunded += refund;
                let refund = json!({ "refund_id": format!("r{}", order.refunded), "amount": decimal(refund) });
                app.make(&format!("/v1/orders/M-{number}/refunds"), refund).await;
            }
        }
        _ => {
            let shown = app.get(&format!("/v1/orders/M-{number}")).await;
            let Some(commission) = shown["commissions"].as_array().and_then(|all| all.first().cloned()) else { return };
            let act = if order.declined { "restore" } else { "decline" };
            let path = format!("/v1/commissions/{}/{act}", commission["id"].as_str().unwrap());
            let (code, answer) = app.post(&path, json!({ "reason": "so" })).await;
            // What is in a run or paid is declined no more.
            assert!(code == 200 || code == 409, "{answer}");
            order.declined ^= code == 200;
        }
    }
    app.make("/v1/orders", body(order)).await;
}

both_stores! {
    async fn any_history_of_a_months_orders_ends_at_what_its_tiers_owe(app: &TestApp) {
        let ids = app.set_up().await;
        let steps = json!([{ "from": "0", "percent": "5" }, { "from": "500", "percent": "10" }, { "from": "1500", "percent": "20" }]);
        app.make("/v1/commission-rules", json!({ "program": ids["program"], "tiers": steps, "priority": 1 })).await;
        let mut runner = TestRunner::new(Config::default());
        let step = (0usize..20, 0u8..8, 1i64..200_000, 0i64..60);
        let history = prop::collection::vec(step, 150).new_tree(&mut runner).unwrap().current();
        let mut orders: Vec<Final> = Vec::new();
        for (which, act, amount, days) in &history {
            if *which >= orders.len() && orders.len() < 20 {
                let (_, click_id) = app.click("anna").await;
                app.mover_done().await;
                let month = (app.clock.now() + TimeDelta::hours(3)).format("%Y-%m").to_string();
                let order = Final { month, placed_at: app.now(), click_id, total: *amount, refunded: 0, cancelled: false, declined: false };
                orders.push(order);
                act_on(app, orders.len() - 1, orders.last_mut().unwrap(), 0, *amount).await;
            } else {
                act_on(app, *which, &mut orders[*which], *act, *amount).await;
            }
            if *days > 55 {
                app.advance(TimeDelta::days(days - 50));
                let last_month = (app.clock.now() - TimeDelta::days(31)).format("%Y-%m").to_string();
                app.post(&format!("/v1/periods/{last_month}/close"), json!({})).await;
            }
            if *days == 55 {
                app.post("/v1/payout-runs", json!({ "period": app.clock.now().format("%Y-%m").to_string(), "early": true })).await;
            }
        }
        let all = app.get("/v1/commissions?limit=1000").await;
        let said: i64 = all["data"].as_array().unwrap().iter().map(|c| c["amount"]["amount"].as_str().unwrap().replace('.', "").parse::<i64>().unwrap()).sum();
        assert_eq!(said, tiers_oracle(&orders), "{history:?}: {orders:?}");
        let statement = app.get(&format!("/v1/partners/{}/statement", ids["partner"].as_str().unwrap())).await;
        let of = |what: &str| minor(statement["data"][0][what]["amount"].as_str().unwrap());
        assert_eq!(of("closing"), said);
    }

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
