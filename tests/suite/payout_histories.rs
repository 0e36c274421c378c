//! Whatever happens to the runs of several months, in whatever order, each partner is owed what was earned less what is paid,
//! and nothing is paid twice.
//!
//! The oracle below keeps its own books of a few numbers a partner; it shares no code with the service.

use crate::support::*;
use chrono::TimeDelta;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};
use std::collections::HashMap;

#[derive(Debug, Clone)]
enum Step {
    Order { partner: usize, total: i64 },
    Refund { which: usize, part: i64 },
    Days(i64),
    Close,
    Build { early: bool },
    Approve,
    PayAll,
    PayPart(usize),
    Fail(usize),
    Cancel,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0usize..3, 10_00i64..5_000_00).prop_map(|(partner, total)| Step::Order { partner, total }),
        1 => (0usize..30, 1i64..10).prop_map(|(which, part)| Step::Refund { which, part }),
        3 => (1i64..25).prop_map(Step::Days),
        2 => Just(Step::Close),
        4 => any::<bool>().prop_map(|early| Step::Build { early }),
        4 => Just(Step::Approve),
        1 => Just(Step::PayAll),
        3 => (0usize..3).prop_map(Step::PayPart),
        3 => (0usize..3).prop_map(Step::Fail),
        1 => Just(Step::Cancel),
    ]
}

/// What the oracle knows of a partner.
#[derive(Debug, Clone, Copy, Default)]
struct Books {
    earned: i64,
    paid: i64,
    in_payment: i64,
}

fn decimal(minor: i64) -> String {
    format!("{}.{:02}", minor / 100, minor % 100)
}

fn minor(value: &Value) -> i64 {
    value["amount"].as_str().unwrap().replace('.', "").parse().unwrap()
}

/// The oracle's copy of a run: partner and amount, and whether it is due, paid or done with.
struct Run {
    id: String,
    approved: bool,
    lines: HashMap<usize, (i64, &'static str)>,
}

async fn live(app: &TestApp, history: &[Step]) {
    app.set_up().await;
    let mut partners = Vec::new();
    for code in ["a", "b", "c"] {
        let partner = app.make("/v1/partners", json!({ "name": code, "email": format!("{code}@blog.example") })).await;
        app.make("/v1/links", json!({ "partner": partner["id"], "code": code, "url": "https://shop.example/" })).await;
        partners.push(partner["id"].as_str().unwrap().to_owned());
    }
    let mut books = [Books::default(); 3];
    let mut orders: Vec<(usize, i64, i64)> = Vec::new();
    let mut runs: Vec<Run> = Vec::new();
    for step in history {
        match step {
            Step::Order { partner, total } => {
                let (_, click_id) = app.click(["a", "b", "c"][*partner]).await;
                let total = total / 10 * 10;
                let body = json!({ "external_id": format!("H-{}", orders.len()), "placed_at": app.now(), "currency": "RUB",
                                   "total": decimal(total), "click_id": click_id });
                app.make("/v1/orders", body).await;
                orders.push((*partner, total, total));
                books[*partner].earned += total / 10;
            }
            Step::Refund { which, part } => {
                let Some((partner, total, left)) = orders.get_mut(*which) else { continue };
                let amount = (*total / 10 / 10 * part * 10).min(*left);
                if amount == 0 {
                    continue;
                }
                *left -= amount;
                books[*partner].earned -= amount / 10;
                let body = json!({ "refund_id": format!("{left}"), "amount": decimal(amount) });
                app.make(&format!("/v1/orders/H-{which}/refunds"), body).await;
            }
            Step::Days(days) => app.advance(TimeDelta::days(*days)),
            Step::Close => {
                let month = (app.clock.now() - TimeDelta::days(31)).format("%Y-%m").to_string();
                app.post(&format!("/v1/periods/{month}/close"), json!({})).await;
            }
            Step::Build { early } => {
                let back = if *early { 0 } else { 31 };
                let month = (app.clock.now() - TimeDelta::days(back)).format("%Y-%m").to_string();
                let (code, run) = app.post("/v1/payout-runs", json!({ "period": month, "early": early })).await;
                if code != 201 {
                    assert!(code == 409, "{run}");
                    continue;
                }
                let mut lines = HashMap::new();
                for line in run["lines"].as_array().unwrap().iter().filter(|l| l["state"] == "due") {
                    let Some(partner) = partners.iter().position(|p| line["partner"] == p.as_str()) else { continue };
                    books[partner].in_payment += minor(&line["amount"]);
                    lines.insert(partner, (minor(&line["amount"]), "due"));
                }
                runs.push(Run { id: run["id"].as_str().unwrap().to_owned(), approved: false, lines });
            }
            Step::Approve => {
                let Some(run) = runs.last_mut() else { continue };
                let (code, _) = app.post(&format!("/v1/payout-runs/{}/approve", run.id), json!({})).await;
                run.approved |= code == 200;
            }
            Step::PayAll => {
                let Some(run) = runs.last_mut() else { continue };
                let (code, answer) = app.post(&format!("/v1/payout-runs/{}/paid", run.id), json!({})).await;
                let over = run.lines.values().all(|(_, state)| !matches!(*state, "due" | "paid"));
                assert_eq!(code == 200, run.approved && !over, "{answer}");
                if code == 200 {
                    for (partner, (amount, state)) in run.lines.iter_mut().filter(|(_, (_, state))| *state == "due") {
                        *state = "paid";
                        books[*partner].in_payment -= *amount;
                        books[*partner].paid += *amount;
                    }
                }
            }
            Step::PayPart(partner) => {
                let Some(run) = runs.last_mut() else { continue };
                let body = json!({ "lines": [partners[*partner]] });
                let (code, answer) = app.post(&format!("/v1/payout-runs/{}/paid", run.id), body).await;
                let line = run.lines.get_mut(partner).filter(|(_, state)| run.approved && matches!(*state, "due" | "paid"));
                assert_eq!(code == 200, line.is_some(), "{answer}");
                if let Some((amount, state @ "due")) = line {
                    *state = "paid";
                    books[*partner].in_payment -= *amount;
                    books[*partner].paid += *amount;
                }
            }
            Step::Fail(partner) => {
                let Some(run) = runs.last_mut() else { continue };
                let path = format!("/v1/payout-runs/{}/lines/{}/failed", run.id, partners[*partner]);
                let (code, answer) = app.post(&path, json!({ "reason": "so" })).await;
                let line =
                    run.lines.get_mut(partner).filter(|(_, state)| *state == "failed" || run.approved && *state != "cancelled");
                assert_eq!(code == 200, line.is_some(), "{answer}");
                match line {
                    Some((amount, state @ "due")) => {
                        *state = "failed";
                        books[*partner].in_payment -= *amount;
                    }
                    Some((amount, state @ "paid")) => {
                        *state = "failed";
                        books[*partner].paid -= *amount;
                    }
                    _ => {}
                }
            }
            Step::Cancel => {
                let Some(run) = runs.last_mut() else { continue };
                let (code, answer) = app.post(&format!("/v1/payout-runs/{}/cancel", run.id), json!({ "reason": "so" })).await;
                let paid = run.lines.values().any(|(_, state)| *state == "paid");
                assert_eq!(code == 200, !paid, "{answer}");
                for (partner, (amount, state)) in run.lines.iter_mut().filter(|(_, (_, state))| !paid && *state == "due") {
                    *state = "cancelled";
                    books[*partner].in_payment -= *amount;
                }
            }
        }
        for (partner, books) in partners.iter().zip(&books) {
            let statement = app.get(&format!("/v1/partners/{partner}/statement")).await;
            let Some(told) = statement["data"].get(0) else { continue };
            let whole = minor(&told["held"]) + minor(&told["available"]) + minor(&told["in_payment"]);
            assert_eq!(
                (whole, minor(&told["in_payment"])),
                (books.earned - books.paid, books.in_payment),
                "{step:?} of {history:?}"
            );
        }
    }
    // What is left is paid in one last run, and then nobody is owed but who owes us.
    app.advance(TimeDelta::days(70));
    let month = app.clock.now().format("%Y-%m").to_string();
    let (code, run) = app.post("/v1/payout-runs", json!({ "period": month, "early": true })).await;
    if code == 201 {
        let id = run["id"].as_str().unwrap();
        app.make(&format!("/v1/payout-runs/{id}/approve"), json!({})).await;
        app.make(&format!("/v1/payout-runs/{id}/paid"), json!({})).await;
    }
    for run in &runs {
        let (code, _) = app.post(&format!("/v1/payout-runs/{}/approve", run.id), json!({})).await;
        if code == 200 {
            app.post(&format!("/v1/payout-runs/{}/paid", run.id), json!({})).await;
        }
    }
    for partner in &partners {
        let statement = app.get(&format!("/v1/partners/{partner}/statement")).await;
        let Some(told) = statement["data"].get(0) else { continue };
        assert!(minor(&told["closing"]) <= 0, "{partner} is still owed: {statement}");
    }
}

both_stores! {
    async fn any_history_of_runs_keeps_the_balances_and_pays_nothing_twice(app: &TestApp) {
        let mut runner = TestRunner::new(Config::default());
        let history = prop::collection::vec(step(), 60).new_tree(&mut runner).unwrap().current();
        live(app, &history).await;
    }
}
