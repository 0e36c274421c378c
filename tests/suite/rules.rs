//! Commission rules of all kinds, as the shop and the partner see them.

use crate::support::*;
use chrono::TimeDelta;
use serde_json::{Value, json};
use tributary::service::worker;

/// A program without rules, and Anna with her link.
async fn bare(app: &TestApp) -> Value {
    let ids = app.set_up().await;
    let (code, answer) = app.patch(&format!("/v1/commission-rules/{}", text(&ids["rule"])), json!({ "percent": "0" })).await;
    assert_eq!(code, 200, "{answer}");
    app.advance(TimeDelta::hours(1));
    ids
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// A rule that stands before the program's general one.
async fn rule(app: &TestApp, ids: &Value, more: Value) -> Value {
    let mut rule = json!({ "program": ids["program"], "priority": 5 });
    for (key, value) in more.as_object().unwrap() {
        rule[key] = value.clone();
    }
    app.make("/v1/commission-rules", rule).await
}

/// An order by Anna's link.
async fn order(app: &TestApp, number: &str, total: &str, more: Value) -> Value {
    let (_, click_id) = app.click("anna").await;
    app.mover_done().await;
    let mut order =
        json!({ "external_id": number, "placed_at": app.now(), "currency": "RUB", "total": total, "click_id": click_id });
    for (key, value) in more.as_object().unwrap() {
        order[key] = value.clone();
    }
    app.make("/v1/orders", order).await
}

/// What an order owes by a rule.
fn owed<'a>(order: &'a Value, rule: &Value) -> &'a str {
    let commission = order["commissions"].as_array().unwrap().iter().find(|c| c["rule"] == rule["id"]);
    commission.map_or("none", |c| text(&c["amount"]["amount"]))
}

async fn volumes(app: &TestApp) -> Vec<(String, String)> {
    let all = app.get("/v1/commissions?limit=1000").await;
    let of_volume = all["data"].as_array().unwrap().iter().filter(|c| c["kind"] == "volume");
    of_volume.map(|c| (text(&c["period"]).to_owned(), text(&c["amount"]["amount"]).to_owned())).collect()
}

async fn earned(app: &TestApp, ids: &Value) -> String {
    let statement = app.get(&format!("/v1/partners/{}/statement?period={}", text(&ids["partner"]), &app.now()[..7])).await;
    text(&statement["data"][0]["closing"]["amount"]).to_owned()
}

both_stores! {
    async fn tiers_pay_by_the_months_volume_whatever_happens_to_its_orders(app: &TestApp) {
        let ids = bare(app).await;
        let steps = json!([{ "from": "0", "percent": "5" }, { "from": "1000.00", "percent": "10" }]);
        let tiers = rule(app, &ids, json!({ "tiers": { "mode": "whole_month", "steps": steps } })).await;
        assert_eq!((&tiers["tiers"]["by"], &tiers["tiers"]["steps"][1]["from"]), (&json!("revenue"), &json!("1000.00")));
        let first = order(app, "T-1", "600.00", json!({})).await;
        assert_eq!((owed(&first, &tiers), volumes(app).await), ("30.00", vec![]));
        order(app, "T-2", "600.00", json!({})).await;
        // 1,200 reach the second step: 10 % of all, less what was earned at once.
        assert_eq!((volumes(app).await, earned(app, &ids).await), (vec![("2026-11".into(), "60.00".into())], "120.00".into()));
        app.make("/v1/orders/T-2/refunds", json!({ "refund_id": "r", "amount": "300.00" })).await;
        assert_eq!((volumes(app).await, earned(app, &ids).await), (vec![("2026-11".into(), "0.00".into())], "45.00".into()));
        let third = order(app, "T-3", "200.00", json!({})).await;
        assert_eq!((owed(&third, &tiers), earned(app, &ids).await), ("10.00", "110.00".into()));
        // An order that moves to another month takes its volume along.
        let mut moved = json!({ "external_id": "T-3", "placed_at": "2026-10-31T10:00:00Z", "currency": "RUB", "total": "200.00" });
        app.make("/v1/orders", moved.clone()).await;
        assert_eq!(volumes(app).await, [("2026-11".into(), "0.00".into())]);
        moved["placed_at"] = json!(app.now());
        app.make("/v1/orders", moved).await;
        assert_eq!(volumes(app).await, [("2026-11".into(), "55.00".into())]);
        assert_eq!(app.broken().await, Vec::<String>::new());
        // The second version goes on from the volume of the first.
        let marginal = json!({ "tiers": { "mode": "marginal", "steps": [{ "from": "0", "percent": "5" }, { "from": "1500.00", "percent": "20" }] } });
        let (code, answer) = app.patch(&format!("/v1/commission-rules/{}", text(&tiers["id"])), marginal).await;
        assert_eq!(code, 200, "{answer}");
        app.advance(TimeDelta::hours(1));
        let fourth = order(app, "T-4", "1000.00", json!({})).await;
        assert_eq!((owed(&fourth, &tiers), fourth["commissions"][0]["rule_version"].as_i64()), ("50.00", Some(2)));
        // 1,100 at 10 % by the first; of 1,100 to 2,100 by the second: 400 at 5 %, 600 at 20 %.
        assert_eq!(earned(app, &ids).await, "250.00");
        assert_eq!(app.broken().await, Vec::<String>::new());
        for (tiers, pointer) in [
            (json!([]), "/tiers"),
            (json!([{ "from": "10.00", "percent": "5" }]), "/tiers/0/from"),
            (json!([{ "from": "0", "percent": "5" }, { "from": "0", "percent": "6" }]), "/tiers/1/from"),
            (json!([{ "from": "0", "percent": "105" }]), "/tiers/0/percent"),
            (json!([{ "from": "0", "percent": "5" }, { "from": "7", "fixed": "6" }]), "/tiers/1"),
            (json!({ "by": "orders", "steps": [{ "from": "0", "percent": "5" }] }), "/tiers"),
            (json!({ "by": "weight", "steps": [{ "from": "0", "percent": "5" }] }), "/tiers/by"),
        ] {
            let refused = app.refused("/v1/commission-rules", json!({ "program": ids["program"], "tiers": tiers })).await;
            assert_eq!(refused, (422, vec![pointer.to_owned()]), "{tiers}");
        }
    }

    async fn a_cap_pays_what_is_left_and_then_nothing(app: &TestApp) {
        let ids = bare(app).await;
        app.patch(&format!("/v1/commission-rules/{}", text(&ids["rule"])), json!({ "ends_at": app.now() })).await;
        app.advance(TimeDelta::hours(1));
        let capped = rule(app, &ids, json!({ "percent": "10", "cap": { "amount": "25.00", "per": "month" } })).await;
        let orders = [order(app, "C-1", "200.00", json!({})).await, order(app, "C-2", "200.00", json!({})).await];
        assert_eq!([owed(&orders[0], &capped), owed(&orders[1], &capped)], ["20.00", "5.00"]);
        assert!(text(&orders[1]["commissions"][0]["formula"]).contains("5.00 left of the cap"));
        let third = order(app, "C-3", "200.00", json!({})).await;
        assert_eq!((&third["payable"]["partner"], &third["payable"]["reason"]), (&Value::Null, &json!("cap_reached")));
        // The next month begins anew.
        app.advance(TimeDelta::days(20));
        let next = order(app, "C-4", "200.00", json!({})).await;
        assert_eq!(owed(&next, &capped), "20.00");
        assert_eq!(app.broken().await, Vec::<String>::new());
    }

    async fn rules_bound_recur_add_and_leave_out(app: &TestApp) {
        let ids = bare(app).await;
        let percent = rule(app, &ids, json!({ "percent": "10", "minimum": "15.00", "maximum": "50.00", "base": { "less_shipping": false }, "recurring": { "orders": 2 } })).await;
        let bonus = rule(app, &ids, json!({ "kind": "bonus", "customer": "new", "fixed": "7.00" })).await;
        app.patch(&format!("/v1/programs/{}", text(&ids["program"])), json!({ "excluded_categories": ["Gifts"] })).await;
        let customer = json!({ "customer": { "id": "c" }, "shipping": "100.00" });
        let first = order(app, "B-1", "200.00", customer.clone()).await;
        assert_eq!([owed(&first, &percent), owed(&first, &bonus)], ["20.00", "7.00"]);
        let second = order(app, "B-2", "120.00", customer.clone()).await;
        assert_eq!([owed(&second, &percent), owed(&second, &bonus)], ["15.00", "none"]);
        let third = order(app, "B-3", "120.00", customer).await;
        assert_eq!(owed(&third, &percent), "none");
        let once = rule(app, &ids, json!({ "kind": "bonus", "priority": 9, "percent": "1", "recurring": false })).await;
        assert_eq!(once["recurring"]["orders"], 1);
        let fourth = order(app, "B-3a", "120.00", json!({ "customer": { "id": "c" } })).await;
        assert_eq!(owed(&fourth, &once), "none");
        let large = order(app, "B-4", "9000.00", json!({})).await;
        assert_eq!(owed(&large, &percent), "50.00");
        let items = json!({ "items": [{ "sku": "a", "category": "gifts", "amount": "400.00" }, { "sku": "b", "category": "tea", "amount": "100.00" }] });
        let part = order(app, "B-5", "500.00", items).await;
        assert_eq!(owed(&part, &percent), "15.00");
        let gifts = order(app, "B-6", "400.00", json!({ "items": [{ "sku": "a", "category": "GIFTS", "amount": "400.00" }] })).await;
        assert_eq!((&gifts["payable"]["partner"], &gifts["payable"]["reason"]), (&Value::Null, &json!("excluded_category")));
        // What comes back by line takes from that line alone; without lines, from all in proportion.
        let flat = rule(app, &ids, json!({ "percent": "10", "priority": 9 })).await;
        let tea = rule(app, &ids, json!({ "percent": "20", "category": "tea" })).await;
        let items = json!({ "items": [{ "sku": "tea", "category": "tea", "amount": "100.00" }, { "sku": "cup", "category": "cups", "amount": "100.00" }] });
        let lines = order(app, "B-7", "200.00", items).await;
        assert_eq!([owed(&lines, &flat), owed(&lines, &tea)], ["10.00", "20.00"]);
        let refund = json!({ "refund_id": "1", "amount": "50.00", "items": [{ "sku": "tea", "amount": "50.00" }] });
        let lines = app.make("/v1/orders/B-7/refunds", refund).await;
        assert_eq!([owed(&lines, &flat), owed(&lines, &tea)], ["10.00", "10.00"]);
        let lines = app.make("/v1/orders/B-7/refunds", json!({ "refund_id": "2", "amount": "75.00" })).await;
        assert_eq!([owed(&lines, &flat), owed(&lines, &tea)], ["5.00", "5.00"]);
        assert_eq!(app.broken().await, Vec::<String>::new());
    }

    async fn the_second_tier_goes_to_who_recruited_the_partner(app: &TestApp) {
        let ids = app.set_up().await;
        let zoe = app.make("/v1/partners", json!({ "name": "Zoe" })).await;
        let path = format!("/v1/partners/{}", text(&ids["partner"]));
        let (code, answer) = app.patch(&path, json!({ "recruited_by": zoe["id"] })).await;
        assert_eq!((code, &answer["recruited_by"]), (200, &zoe["id"]));
        let (code, answer) = app.patch(&format!("/v1/partners/{}", text(&zoe["id"])), json!({ "recruited_by": ids["partner"] })).await;
        assert_eq!((code, &answer["errors"][0]["pointer"]), (422, &json!("/recruited_by")));
        rule(app, &ids, json!({ "kind": "second_tier", "percent": "5" })).await;
        let placed = order(app, "Z-1", "1000.00", json!({})).await;
        let of = |order: &Value, partner: &Value| {
            let found = order["commissions"].as_array().unwrap().iter().find(|c| &c["partner"] == partner).cloned().unwrap();
            (text(&found["amount"]["amount"]).to_owned(), text(&found["kind"]).to_owned())
        };
        assert_eq!(of(&placed, &ids["partner"]), ("100.00".into(), "order".into()));
        assert_eq!(of(&placed, &zoe["id"]), ("5.00".into(), "second_tier".into()));
        let back = app.make("/v1/orders/Z-1/refunds", json!({ "refund_id": "r", "amount": "500.00" })).await;
        assert_eq!(of(&back, &zoe["id"]).0, "2.50");
        // Declined: nothing of it, and nothing for who recruited.
        let anna = back["commissions"].as_array().unwrap().iter().find(|c| c["partner"] == ids["partner"]).unwrap();
        app.make(&format!("/v1/commissions/{}/decline", text(&anna["id"])), json!({ "reason": "a test" })).await;
        let declined = app.get("/v1/orders/Z-1").await;
        assert_eq!((of(&declined, &ids["partner"]).0, of(&declined, &zoe["id"]).0), ("0.00".into(), "0.00".into()));
        let refused = app.refused("/v1/commission-rules", json!({ "program": ids["program"], "kind": "second_tier", "fixed": "5", "category": "x" })).await;
        assert_eq!(refused, (422, vec!["/percent".into(), "/kind".into()]));
        assert_eq!(app.broken().await, Vec::<String>::new());
    }

    async fn verified_clicks_of_a_day_are_paid_once(app: &TestApp) {
        let ids = bare(app).await;
        rule(app, &ids, json!({ "on": "click", "fixed": "1.50", "cap": { "amount": "4.00" } })).await;
        for _ in 0..2 {
            app.click("anna").await;
        }
        let robot = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap().get(app.url("/r/anna")).header("user-agent", "Googlebot/2.1").send().await.unwrap();
        assert_eq!(robot.status(), 302);
        app.mover_done().await;
        let clicks = async || {
            worker::run_once(&app.service).await.unwrap();
            let all = app.get("/v1/commissions").await;
            let clicks = all["data"].as_array().unwrap().iter().filter(|c| c["kind"] == "clicks");
            clicks.map(|c| (text(&c["amount"]["amount"]).to_owned(), text(&c["formula"]).to_owned())).collect::<Vec<_>>()
        };
        assert_eq!(clicks().await, [], "the day is not over");
        app.advance(TimeDelta::days(1));
        assert_eq!(clicks().await, [("3.00".into(), "2 × 1.50 a verified click = 3.00 RUB".into())]);
        app.click("anna").await;
        app.mover_done().await;
        app.advance(TimeDelta::days(1));
        assert_eq!(clicks().await[0], ("1.00".into(), "1 × 1.50 a verified click, 1.00 left of the cap = 1.00 RUB".into()));
        assert_eq!(clicks().await.len(), 2);
        assert_eq!(earned(app, &ids).await, "4.00");
        let refused = app.refused("/v1/commission-rules", json!({ "program": ids["program"], "on": "click", "percent": "5" })).await;
        assert_eq!(refused, (422, vec!["/fixed".into()]));
        assert_eq!(app.broken().await, Vec::<String>::new());
    }

    async fn leads_are_paid_by_name_and_stage_once_each(app: &TestApp) {
        let ids = bare(app).await;
        let any = rule(app, &ids, json!({ "on": "lead", "fixed": "10.00" })).await;
        let won = rule(app, &ids, json!({ "on": "lead", "lead": "Qualified", "fixed": "50.00" })).await;
        let (_, click_id) = app.click("anna").await;
        app.mover_done().await;
        let lead = |more: Value| {
            let mut lead = json!({ "external_id": "L-1", "click_id": click_id, "customer": { "id": "c" } });
            for (key, value) in more.as_object().unwrap() {
                lead[key] = value.clone();
            }
            lead
        };
        let (code, first) = app.post("/v1/leads", lead(json!({ "name": "signup" }))).await;
        assert_eq!(code, 201, "{first}");
        assert_eq!((&first["payable"]["partner"], &first["payable"]["reason"]), (&ids["partner"], &json!("latest_click_in_window")));
        assert_eq!([owed(&first, &any), owed(&first, &won)], ["10.00", "none"]);
        let (code, again) = app.post("/v1/leads", lead(json!({ "name": "signup" }))).await;
        assert_eq!((code, again["commissions"].as_array().unwrap().len()), (200, 1));
        let (code, staged) = app.post("/v1/leads", lead(json!({ "stage": "qualified" }))).await;
        assert_eq!((code, [owed(&staged, &any), owed(&staged, &won)]), (200, ["10.00", "50.00"]));
        assert_eq!(staged["stages"].as_array().unwrap().len(), 2);
        assert!(text(&staged["commissions"][1]["formula"]).starts_with("50.00 for 'qualified'"));
        let cancelled = app.post("/v1/leads", lead(json!({ "stage": "lost", "status": "cancelled" }))).await.1;
        assert_eq!([owed(&cancelled, &any), owed(&cancelled, &won)], ["0.00", "0.00"]);
        let back = app.post("/v1/leads", lead(json!({ "stage": "qualified" }))).await.1;
        assert_eq!([owed(&back, &any), owed(&back, &won)], ["10.00", "50.00"]);
        let path = format!("/v1/commissions/{}/decline", text(&back["commissions"][0]["id"]));
        app.make(&path, json!({ "reason": "twice" })).await;
        assert_eq!(owed(&app.get("/v1/leads/L-1").await, &any), "0.00");
        assert_eq!(earned(app, &ids).await, "50.00");
        // Nobody brought this one.
        let alone = app.make("/v1/leads", json!({ "external_id": "L-2", "name": "call", "customer": { "id": "d" } })).await;
        assert_eq!((&alone["payable"]["partner"], &alone["payable"]["reason"]), (&Value::Null, &json!("no_partner")));
        // The lead is what W-shaped looks at.
        order(app, "L-3", "100.00", json!({ "customer": { "id": "c" } })).await;
        let models = app.get("/v1/orders/L-3/attribution").await["models"].clone();
        assert!(models["w_shaped"].as_array().unwrap().iter().all(|c| c["weight"] != json!(0.0)), "{models}");
        for (body, pointer) in [
            (json!({ "name": "x" }), "/external_id"),
            (json!({ "external_id": "x" }), "/name"),
            (json!({ "external_id": "x", "name": "y", "at": "2999-01-01T00:00:00Z" }), "/at"),
            (json!({ "external_id": "x", "name": "y", "status": "perhaps" }), "/status"),
        ] {
            assert_eq!(app.refused("/v1/leads", body).await, (422, vec![pointer.to_owned()]));
        }
        let refused = app.refused("/v1/commission-rules", json!({ "program": ids["program"], "on": "lead", "percent": "5" })).await;
        assert_eq!(refused, (422, vec!["/fixed".into()]));
        assert_eq!(app.broken().await, Vec::<String>::new());
    }

    async fn a_person_approves_or_declines_with_a_reason(app: &TestApp) {
        let ids = app.set_up().await;
        let program = format!("/v1/programs/{}", text(&ids["program"]));
        app.patch(&program, json!({ "approval": "manual", "group_hold_days": { "vip": 2 } })).await;
        app.patch(&format!("/v1/partners/{}", text(&ids["partner"])), json!({ "group": "vip" })).await;
        let placed = order(app, "M-1", "1000.00", json!({})).await;
        let commission = placed["commissions"][0].clone();
        assert_eq!(commission["needs_approval"], true);
        let path = |act: &str| format!("/v1/commissions/{}/{act}", text(&commission["id"]));
        app.advance(TimeDelta::days(3));
        worker::run_once(&app.service).await.unwrap();
        assert_eq!(app.get("/v1/orders/M-1").await["commissions"][0]["state"], "pending", "the hold is over, nobody has approved");
        assert_eq!(app.refused(&path("decline"), json!({ "reason": " " })).await, (422, vec!["/reason".into()]));
        let declined = app.make(&path("decline"), json!({ "reason": "a coupon site" })).await;
        assert_eq!((&declined["state"], &declined["declined_because"], &declined["amount"]["amount"]), (&json!("rejected"), &json!("a coupon site"), &json!("0.00")));
        assert_eq!(earned(app, &ids).await, "0.00");
        // What happens to the order changes nothing of it.
        app.make("/v1/orders/M-1/refunds", json!({ "refund_id": "r", "amount": "400.00" })).await;
        assert_eq!(app.get("/v1/orders/M-1").await["commissions"][0]["amount"]["amount"], "0.00");
        assert_eq!(app.refused(&path("approve"), json!({})).await.0, 409);
        let restored = app.make(&path("restore"), json!({})).await;
        assert_eq!((&restored["state"], &restored["amount"]["amount"]), (&json!("pending"), &json!("60.00")));
        assert_eq!(app.refused(&path("restore"), json!({})).await.0, 409);
        let approved = app.make(&path("approve"), json!({})).await;
        assert_eq!((&approved["state"], &approved["needs_approval"]), (&json!("approved"), &json!(false)));
        app.make("/v1/payout-runs", json!({ "period": "2026-11", "early": true })).await;
        assert_eq!(app.refused(&path("decline"), json!({ "reason": "too late" })).await.0, 409);
        assert_eq!(app.broken().await, Vec::<String>::new());
    }

    async fn the_tester_says_which_rule_pays_and_why_the_others_do_not(app: &TestApp) {
        let ids = app.set_up().await;
        let tea = rule(app, &ids, json!({ "percent": "20", "category": "tea" })).await;
        let draft = rule(app, &ids, json!({ "percent": "50", "state": "draft" })).await;
        let vip = rule(app, &ids, json!({ "percent": "30", "group": "vip" })).await;
        let second = rule(app, &ids, json!({ "kind": "second_tier", "percent": "5" })).await;
        let made_up = json!({ "currency": "RUB", "total": "300.00", "tax": "100.00", "items": [
            { "sku": "a", "category": "Tea", "amount": "100.00" }, { "sku": "b", "amount": "200.00" },
        ]});
        let said = app.make("/v1/commission-rules/test", json!({ "partner": ids["partner"], "made_up": made_up })).await;
        assert_eq!((&said["lines"][0]["rule"], &said["lines"][1]["rule"]), (&tea["id"], &ids["rule"]), "{said}");
        assert_eq!((&said["lines"][0]["second_tier"], &said["lines"][0]["bonus"]), (&second["id"], &Value::Null));
        let why = |of: &Value, rule: &Value| {
            of.as_array().unwrap().iter().find(|j| j["rule"] == rule["id"]).unwrap()["why_not"].clone()
        };
        assert_eq!((why(&said["left_out"], &draft), why(&said["left_out"], &vip)), (json!("draft"), json!("other_group")));
        assert_eq!(why(&said["lines"][0]["rules"], &json!({ "id": ids["rule"] })), "fewer_dimensions");
        assert_eq!(why(&said["lines"][1]["rules"], &tea), "other_category");
        assert_eq!(said["commissions"][0]["formula"], "20 % × 66.67 of (300.00 − 100.00 tax) = 13.33 RUB");
        // Past: as it would be paid by today's rules. A draft pays once it is published.
        order(app, "Q-1", "1000.00", json!({})).await;
        let past = app.make("/v1/commission-rules/test", json!({ "order": "Q-1" })).await;
        assert_eq!(past["commissions"][0]["amount"]["amount"], "100.00");
        let path = format!("/v1/commission-rules/{}", text(&draft["id"]));
        let (code, published) = app.patch(&path, json!({ "state": "published", "percent": "40" })).await;
        assert_eq!((code, &published["version"], &published["percent"]), (200, &json!(1), &json!("40")), "{published}");
        let past = app.make("/v1/commission-rules/test", json!({ "order": "Q-1" })).await;
        assert_eq!(past["commissions"][0]["amount"]["amount"], "400.00");
        assert_eq!(app.get("/v1/orders/Q-1").await["commissions"][0]["amount"]["amount"], "100.00");
        assert_eq!(app.patch(&path, json!({ "state": "draft" })).await.0, 422);
        for (body, status, pointer) in [
            (json!({}), 422, "/order"),
            (json!({ "order": "nothing" }), 404, ""),
            (json!({ "made_up": { "currency": "RUB", "total": "1" } }), 422, "/partner"),
            (json!({ "partner": "par_99", "made_up": { "currency": "RUB", "total": "1" } }), 422, "/partner"),
            (json!({ "partner": ids["partner"], "made_up": { "currency": "RUB", "total": "-1" } }), 422, "/made_up/total"),
        ] {
            let (code, pointers) = app.refused("/v1/commission-rules/test", body.clone()).await;
            assert_eq!((code, pointers.first().map_or("", String::as_str)), (status, pointer), "{body}");
        }
    }

    async fn rules_that_contradict_are_refused_and_overlaps_are_told(app: &TestApp) {
        let ids = app.set_up().await;
        let make = |more: Value| {
            let mut rule = json!({ "program": ids["program"] });
            for (key, value) in more.as_object().unwrap() {
                rule[key] = value.clone();
            }
            rule
        };
        let (status, answer) = app.post("/v1/commission-rules", make(json!({ "percent": "20" }))).await;
        assert_eq!((status, text(&answer["type"])), (409, "about:tributary/contradicting-rule"), "{answer}");
        assert!(text(&answer["detail"]).contains(text(&ids["rule"])), "{answer}");
        let higher = app.make("/v1/commission-rules", make(json!({ "percent": "20", "priority": 1 }))).await;
        assert_eq!(higher["warnings"], json!([{ "rule": ids["rule"], "wins": higher["id"], "because": "higher_priority",
            "detail": format!("{} can hold for the same; {} wins there: its priority is higher", text(&ids["rule"]), text(&higher["id"])) }]));
        let tea = app.make("/v1/commission-rules", make(json!({ "percent": "5", "category": "tea" }))).await;
        assert_eq!(tea["warnings"].as_array().unwrap().len(), 2);
        assert_eq!((&tea["warnings"][1]["wins"], &tea["warnings"][1]["because"]), (&tea["id"], &json!("more_dimensions")));
        assert_eq!(app.refused("/v1/commission-rules", make(json!({ "percent": "5", "category": "TEA" }))).await.0, 409);
        let coffee = app.make("/v1/commission-rules", make(json!({ "percent": "5", "category": "coffee" }))).await;
        assert!(coffee["warnings"].as_array().unwrap().iter().all(|w| w["rule"] != tea["id"]));
        // Drafts may say anything until they are published.
        let draft = app.make("/v1/commission-rules", make(json!({ "percent": "7", "category": "tea", "state": "draft" }))).await;
        let path = format!("/v1/commission-rules/{}", text(&draft["id"]));
        assert_eq!(app.patch(&path, json!({ "state": "published" })).await.0, 409);
        assert_eq!(app.get(&path).await["state"], "draft");
        assert_eq!(app.patch(&path, json!({ "state": "published", "priority": 3 })).await.0, 200);
        assert_eq!(app.patch(&path, json!({ "priority": 0 })).await.0, 409);
        // One after the other is no contradiction; moving the end into the other is.
        let first = app.make("/v1/commission-rules", make(json!({ "percent": "5", "product": "a", "ends_at": "2026-12-01T00:00:00Z" }))).await;
        app.make("/v1/commission-rules", make(json!({ "percent": "6", "product": "a", "starts_at": "2026-12-01T00:00:00Z" }))).await;
        let path = format!("/v1/commission-rules/{}", text(&first["id"]));
        assert_eq!(app.patch(&path, json!({ "ends_at": null })).await.0, 409);
        assert_eq!(app.patch(&path, json!({ "percent": "5.5" })).await.0, 200);
        for (body, pointer) in [
            (json!({ "percent": "5", "partner": ids["partner"], "group": "vip" }), "/group"),
            (json!({ "percent": "5", "category": "x", "minimum": "5", "maximum": "4" }), "/minimum"),
            (json!({ "fixed": "5", "category": "x", "minimum": "6" }), "/minimum"),
            (json!({ "fixed": "5", "category": "x", "maximum": "4" }), "/maximum"),
            (json!({ "percent": "100.01", "category": "x" }), "/percent"),
            (json!({ "percent": "5", "category": "x", "starts_at": "2026-12-02T00:00:00Z", "ends_at": "2026-12-01T00:00:00Z" }), "/ends_at"),
            (json!({ "category": "x", "tiers": [{ "from": "0", "to": "10", "percent": "5" }, { "from": "20", "percent": "6" }] }), "/tiers/0/to"),
            (json!({ "category": "x", "tiers": [{ "from": "0", "to": "30", "percent": "5" }, { "from": "20", "percent": "6" }] }), "/tiers/0/to"),
            (json!({ "category": "x", "tiers": [{ "from": "0", "percent": "5" }, { "from": "20", "to": "30", "percent": "6" }] }), "/tiers/1/to"),
        ] {
            assert_eq!(app.refused("/v1/commission-rules", make(body.clone())).await, (422, vec![pointer.to_owned()]), "{body}");
        }
        let steps = json!([{ "from": "0", "to": "20", "percent": "5" }, { "from": "20", "percent": "6" }]);
        app.make("/v1/commission-rules", make(json!({ "category": "x", "tiers": steps }))).await;
        // The tester tells of pairs that stood before this was refused.
        let made_up = json!({ "currency": "RUB", "total": "300.00" });
        let said = app.make("/v1/commission-rules/test", json!({ "partner": ids["partner"], "made_up": made_up })).await;
        assert_eq!(said["warnings"], json!([]));
    }
}
