//! What a person does to a balance by hand, and chargebacks.

use crate::support::*;
use chrono::TimeDelta;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};
use reqwest::Method;
use serde_json::{Value, json};
use tributary::service::access::Scope;

async fn earn(app: &TestApp, id: &str, total: &str) {
    let (_, click_id) = app.click("anna").await;
    let order = json!({ "external_id": id, "placed_at": app.now(), "currency": "RUB", "total": total, "click_id": click_id });
    app.make("/v1/orders", order).await;
}

/// A partner with 100.00 available.
async fn with_a_hundred(app: &TestApp) -> String {
    let ids = app.set_up().await;
    earn(app, "A-1", "1000.00").await;
    app.advance(TimeDelta::days(15));
    ids["partner"].as_str().unwrap().to_owned()
}

async fn statement(app: &TestApp, partner: &str) -> Value {
    app.get(&format!("/v1/partners/{partner}/statement")).await
}

fn field<'a>(statement: &'a Value, name: &str) -> &'a str {
    statement["data"][0][name]["amount"].as_str().unwrap_or("-")
}

both_stores! {
    async fn a_correction_up_or_down_has_a_reason_and_is_in_the_statement(app: &TestApp) {
        let partner = with_a_hundred(app).await;
        let path = format!("/v1/partners/{partner}/adjustments");
        let up = app.make(&path, json!({ "amount": "25.50", "currency": "RUB", "reason": "A bonus promised by letter" })).await;
        assert_eq!((up["kind"].as_str(), up["amount"]["amount"].as_str()), (Some("adjusted"), Some("25.50")));
        assert_eq!((up["before"]["available"]["amount"].as_str(), up["after"]["available"]["amount"].as_str()), (Some("100.00"), Some("125.50")));
        app.make(&path, json!({ "amount": "-200", "currency": "RUB", "reason": "Paid twice in May", "order": "A-1" })).await;
        let said = statement(app, &partner).await;
        assert_eq!((field(&said, "opening"), field(&said, "adjusted"), field(&said, "closing")), ("100.00", "-174.50", "-74.50"));
        assert_eq!(balances(&said), ("0.00".into(), "-74.50".into(), "0.00".into()));
        let lines = said["data"][0]["lines"].as_array().unwrap();
        assert_eq!((lines[1]["note"].as_str(), lines[1]["order"].as_str()), (Some("Paid twice in May"), Some("A-1")));
        let entries = app.get(&format!("/v1/ledger/entries?kind=adjusted&partner={partner}")).await;
        let last = entries["data"].as_array().unwrap().last().unwrap();
        assert_eq!((last["act"]["act"].as_str(), last["note"].as_str()), (Some("ledger.adjust"), Some("Paid twice in May")));
        let audit = tributary::store::audit::latest(&app.service.db, 1).await.unwrap().remove(0);
        assert_eq!((audit.act.as_str(), audit.subject.as_str()), ("ledger.adjust", partner.as_str()));
        assert!(audit.actor.starts_with("key key_"));
        assert_eq!((&audit.detail.0["before"]["available"]["amount"], &audit.detail.0["after"]["available"]["amount"]), (&json!("125.50"), &json!("-74.50")));
        assert_eq!(last["act"]["id"], json!(audit.id));
    }

    async fn what_is_kept_back_is_owed_but_in_no_run_until_released(app: &TestApp) {
        let partner = with_a_hundred(app).await;
        let path = format!("/v1/partners/{partner}/withholdings");
        let kept = app.make(&path, json!({ "amount": "40.00", "currency": "RUB", "reason": "Clicks from one address are looked at" })).await;
        let said = statement(app, &partner).await;
        assert_eq!((field(&said, "closing"), field(&said, "withheld")), ("100.00", "40.00"));
        assert_eq!(balances(&said), ("40.00".into(), "60.00".into(), "0.00".into()), "held + available + in_payment = closing");
        assert_eq!(said["data"][0]["withholdings"][0]["reason"], "Clicks from one address are looked at");
        assert_eq!(said["data"][0]["lines"], json!([]), "nothing was earned or lost");
        let month = json!({ "period": "2026-12", "early": true });
        let run = app.make("/v1/payout-runs", month).await;
        assert_eq!(run["total"]["amount"], "60.00");
        let id = kept["id"].as_str().unwrap();
        let released = app.make(&format!("/v1/withholdings/{id}/release"), json!({ "reason": "All real" })).await;
        assert_eq!(released["released_because"], "All real");
        let again = app.make(&format!("/v1/withholdings/{id}/release"), json!({})).await;
        assert_eq!(again, released, "once only");
        let said = statement(app, &partner).await;
        assert_eq!((field(&said, "withheld"), balances(&said)), ("0.00", ("0.00".into(), "40.00".into(), "60.00".into())));
        assert_eq!(said["data"][0]["withholdings"], json!([]));
        let all = app.get(&path).await;
        assert_eq!(all["data"].as_array().unwrap().len(), 1);
        let entries = app.get("/v1/ledger/entries?kind=withholding_released").await;
        assert_eq!(entries["data"][0]["takes_back"], kept["id"]);
        assert_eq!(app.refused("/v1/withholdings/jrn_1/release", json!({})).await.0, 404, "an order's journal is no withholding");
        assert_eq!(app.refused("/v1/withholdings/par_1/release", json!({})).await.0, 404);
    }

    async fn what_was_kept_back_after_a_months_end_is_not_paid_for_it(app: &TestApp) {
        let partner = with_a_hundred(app).await;
        earn(app, "A-2", "500.00").await;
        // 2027-01-05: 50 more came free on 21 December.
        app.advance(TimeDelta::days(29));
        app.make("/v1/periods/2026-12/close", json!({})).await;
        earn(app, "A-3", "900.00").await;
        app.advance(TimeDelta::days(15));
        let path = format!("/v1/partners/{partner}/withholdings");
        app.make(&path, json!({ "amount": "100.00", "currency": "RUB", "reason": "Disputed" })).await;
        let run = app.make("/v1/payout-runs", json!({ "period": "2026-12" })).await;
        assert_eq!(run["total"]["amount"], "50.00", "the 90 that came free in January are January's");
    }

    async fn a_balance_below_zero_or_unclaimed_can_be_written_off(app: &TestApp) {
        let partner = with_a_hundred(app).await;
        let path = format!("/v1/partners/{partner}/write-offs");
        let some = app.make(&path, json!({ "amount": "30.00", "currency": "RUB", "reason": "Unclaimed for three years" })).await;
        assert_eq!(some["amount"]["amount"], "-30.00");
        let month = json!({ "period": "2026-12", "early": true });
        let id = app.make("/v1/payout-runs", month).await["id"].as_str().unwrap().to_owned();
        app.make(&format!("/v1/payout-runs/{id}/approve"), json!({})).await;
        app.make(&format!("/v1/payout-runs/{id}/paid"), json!({})).await;
        app.make("/v1/orders/A-1/refunds", json!({ "refund_id": "r", "amount": "500.00" })).await;
        let said = statement(app, &partner).await;
        assert_eq!(balances(&said), ("0.00".into(), "-50.00".into(), "0.00".into()));
        let rest = app.make(&path, json!({ "currency": "RUB", "reason": "The partner is no more" })).await;
        assert_eq!((rest["amount"]["amount"].as_str(), rest["after"]["available"]["amount"].as_str()), (Some("50.00"), Some("0.00")));
        let said = statement(app, &partner).await;
        assert_eq!((field(&said, "adjusted"), field(&said, "written_off"), field(&said, "closing")), ("20.00", "20.00", "0.00"));
        let (status, _) = app.post(&path, json!({ "currency": "RUB", "reason": "again" })).await;
        assert_eq!(status, 409, "nothing is left");
        let trial = app.get("/v1/ledger/trial-balance").await;
        let written_off = trial["data"].as_array().unwrap().iter().find(|row| row["account"] == "written_off").unwrap();
        assert_eq!(written_off["amount"]["amount"], "-20.00", "30 came to us, 50 went");
        assert_eq!(trial["sums"][0]["amount"], "0.00");
    }

    async fn acts_by_hand_are_refused_with_the_field_named(app: &TestApp) {
        let partner = with_a_hundred(app).await;
        let before = app.get("/v1/ledger/entries?limit=1000").await;
        let [adjust, withhold, write_off] = ["adjustments", "withholdings", "write-offs"].map(|act| format!("/v1/partners/{partner}/{act}"));
        let with = |fields: Value| {
            let mut body = json!({ "amount": "1.00", "currency": "RUB", "reason": "so" });
            for (name, value) in fields.as_object().unwrap() {
                body[name] = value.clone();
            }
            body
        };
        for (path, fields, pointer) in [
            (&adjust, json!({ "amount": "0" }), "/amount"),
            (&adjust, json!({ "amount": null }), "/amount"),
            (&adjust, json!({ "amount": "1.001" }), "/amount"),
            (&adjust, json!({ "amount": "99999999999999999999" }), "/amount"),
            (&adjust, json!({ "amount": { "amount": "1.00", "currency": "EUR" } }), "/amount"),
            (&adjust, json!({ "currency": "XXY" }), "/currency"),
            (&adjust, json!({ "currency": null }), "/currency"),
            (&adjust, json!({ "reason": " " }), "/reason"),
            (&adjust, json!({ "reason": "a\nb" }), "/reason"),
            (&adjust, json!({ "reason": "x".repeat(501) }), "/reason"),
            (&adjust, json!({ "order": "nowhere" }), "/order"),
            (&adjust, json!({ "currency": "EUR", "order": "A-1" }), "/order"),
            (&adjust, json!({ "more": 1 }), "/more"),
            (&withhold, json!({ "amount": "-1.00" }), "/amount"),
            (&withhold, json!({ "amount": "100.01" }), "/amount"),
            (&withhold, json!({ "currency": "EUR" }), "/amount"),
            (&write_off, json!({ "amount": "-1.00" }), "/amount"),
            (&write_off, json!({ "amount": "100.01" }), "/amount"),
        ] {
            assert_eq!(app.refused(path, with(fields.clone())).await, (422, vec![pointer.to_owned()]), "{path} {fields}");
        }
        assert_eq!(app.refused("/v1/partners/par_99/adjustments", with(json!({}))).await.0, 404);
        for scope in [Scope::Read, Scope::Write] {
            let key = app.key(scope).await;
            for path in [adjust.as_str(), &withhold, &write_off, "/v1/withholdings/jrn_1/release"] {
                let body = if path.ends_with("release") { json!({}) } else { with(json!({})) };
                let asked = app.visitor(Method::POST, path).bearer_auth(&key).json(&body).send().await.unwrap();
                assert_eq!(asked.status(), 403, "{path}");
            }
        }
        assert_eq!(app.get("/v1/ledger/entries?limit=1000").await, before, "nothing was posted");
        // The same key and body: once.
        let post = async || {
            let request = app.request(Method::POST, &adjust).header("idempotency-key", "one").json(&with(json!({})));
            request.send().await.unwrap().json::<Value>().await.unwrap()
        };
        assert_eq!(post().await, post().await);
        let entries = app.get(&format!("/v1/ledger/entries?kind=adjusted&partner={partner}")).await;
        assert_eq!(entries["data"].as_array().unwrap().len(), 1);
    }

    async fn two_accountants_release_once(app: &TestApp) {
        let partner = with_a_hundred(app).await;
        let body = json!({ "amount": "40.00", "currency": "RUB", "reason": "Disputed" });
        let kept = app.make(&format!("/v1/partners/{partner}/withholdings"), body).await;
        let path = format!("/v1/withholdings/{}/release", kept["id"].as_str().unwrap());
        let (one, other) = tokio::join!(app.post(&path, json!({ "reason": "one" })), app.post(&path, json!({ "reason": "other" })));
        assert_eq!((one.0, &one.1), (200, &other.1));
        let entries = app.get("/v1/ledger/entries?kind=withholding_released").await;
        assert_eq!(entries["data"].as_array().unwrap().len(), 2, "one journal");
    }

    async fn a_chargeback_is_a_reversal_by_name(app: &TestApp) {
        let partner = with_a_hundred(app).await;
        let refund = json!({ "refund_id": "cb", "amount": "400.00", "reason": "chargeback" });
        app.make("/v1/orders/A-1/refunds", refund.clone()).await;
        app.make("/v1/orders/A-1/refunds", refund).await;
        assert_eq!(app.get("/v1/orders/A-1").await["refunds"][0]["reason"], "chargeback");
        let said = statement(app, &partner).await;
        let line = said["data"][0]["lines"].as_array().unwrap().last().unwrap();
        assert_eq!((line["kind"].as_str(), line["note"].as_str(), line["amount"]["amount"].as_str()), (Some("reversed"), Some("chargeback"), Some("-40.00")));
        let entries = app.get("/v1/ledger/entries?kind=reversed").await;
        assert_eq!(entries["data"][0]["act"]["act"], "order.chargeback");
        // A whole order, by cancelling it.
        let (_, click_id) = app.click("anna").await;
        let order = |status: &str, reason: Value| json!({ "external_id": "A-9", "status": status, "reason": reason, "placed_at": "2026-12-07T12:00:00Z", "currency": "RUB", "total": "100.00", "click_id": click_id });
        assert_eq!(app.refused("/v1/orders", order("approved", json!("chargeback"))).await, (422, vec!["/reason".to_owned()]));
        assert_eq!(app.refused("/v1/orders", order("cancelled", json!("whim"))).await, (422, vec!["/reason".to_owned()]));
        app.make("/v1/orders", order("approved", Value::Null)).await;
        app.make("/v1/orders", order("cancelled", json!("chargeback"))).await;
        app.make("/v1/orders", order("cancelled", json!("chargeback"))).await;
        let notes: Vec<_> = statement(app, &partner).await["data"][0]["lines"].as_array().unwrap().iter().map(|l| l["note"].clone()).collect();
        assert_eq!(notes, [json!("chargeback"), Value::Null, json!("chargeback")]);
        let audit = tributary::store::audit::latest(&app.service.db, 10).await.unwrap();
        assert_eq!(audit.iter().filter(|line| line.act == "order.chargeback").count(), 2, "each once");
    }

    async fn any_sequence_of_acts_ends_at_what_an_oracle_says(app: &TestApp) {
        let partner = with_a_hundred(app).await;
        let mut runner = TestRunner::new(Config::default());
        let strategy = prop::collection::vec((0u8..9, 1i64..9_000), 120);
        let acts = strategy.new_tree(&mut runner).unwrap().current();
        // What the oracle knows: earned and not yet free, free, kept back, written off; it shares no code with the service.
        let (mut held, mut available, mut written_off, mut kept) = (0i64, 100_00i64, 0i64, Vec::<(String, i64)>::new());
        let (mut orders, mut corrected) = (Vec::<(String, i64)>::new(), 0i64);
        let mut earned = 100_00i64;
        let money = |minor: i64| format!("{}{}.{:02}", if minor < 0 { "-" } else { "" }, minor.abs() / 100, minor.abs() % 100);
        for (number, (act, amount)) in acts.iter().enumerate() {
            let body = |minor: i64| json!({ "amount": money(minor), "currency": "RUB", "reason": format!("no. {number}") });
            let path = |act: &str| format!("/v1/partners/{partner}/{act}");
            match act {
                0 | 1 => {
                    let id = format!("R-{number}");
                    earn(app, &id, &money(amount * 10)).await;
                    orders.push((id, *amount));
                    held += amount;
                    earned += amount;
                }
                2 => {
                    // What is taken back is held if its hold is not over: here always, for only days of 15 pass at once.
                    let Some((id, of)) = orders.pop() else { continue };
                    let refund = json!({ "refund_id": "all", "amount": money(of * 10), "reason": if amount % 2 == 0 { json!("chargeback") } else { Value::Null } });
                    app.make(&format!("/v1/orders/{id}/refunds"), refund).await;
                    held -= of;
                    earned -= of;
                }
                3 => {
                    app.advance(TimeDelta::days(15));
                    available += std::mem::take(&mut held);
                    orders.clear();
                }
                4 | 5 => {
                    let by = if act == &4 { *amount } else { -*amount };
                    app.make(&path("adjustments"), body(by)).await;
                    available += by;
                    corrected += by;
                }
                6 => {
                    let (status, answer) = app.post(&path("withholdings"), body(*amount)).await;
                    assert_eq!(status == 201, *amount <= available, "{answer}");
                    if status == 201 {
                        kept.push((answer["id"].as_str().unwrap().to_owned(), *amount));
                        available -= amount;
                    }
                }
                7 => {
                    let Some((id, amount)) = kept.pop() else { continue };
                    app.make(&format!("/v1/withholdings/{id}/release"), json!({})).await;
                    available += amount;
                }
                _ => {
                    let (status, answer) = app.post(&path("write-offs"), body(*amount)).await;
                    assert_eq!(status == 201, *amount <= available.abs() && available != 0, "{answer}");
                    if status == 201 {
                        let taken = if available > 0 { *amount } else { -*amount };
                        available -= taken;
                        written_off += taken;
                    }
                }
            }
            let said = statement(app, &partner).await;
            let withheld: i64 = kept.iter().map(|(_, minor)| minor).sum();
            assert_eq!(balances(&said), (money(held + withheld), money(available), money(0)), "after {number}: {act} {amount} of {acts:?}");
            assert_eq!(field(&said, "closing"), money(held + withheld + available));
        }
        let trial = app.get("/v1/ledger/trial-balance").await;
        let of = |account: &str| trial["data"].as_array().unwrap().iter().find(|row| row["account"] == account).unwrap()["amount"]["amount"].as_str().unwrap().to_owned();
        assert_eq!((of("written_off"), of("expense")), (money(written_off), money(-(earned + corrected))));
        assert_eq!(trial["sums"], json!([{ "amount": "0.00", "currency": "RUB" }]));
    }
}
