//! Analytic credit over history: the fitted models, leads, options of a report, and `recompute`.

use crate::support::*;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::ops::ControlFlow;
use std::sync::Arc;
use tributary::domain::attribution::Model;
use tributary::service::credit::{Asked, Recomputed, Stage, recompute};
use tributary::service::import::{ImportKind, import};

async fn bring_in(app: &TestApp, kind: ImportKind, text: &str) {
    let mut tx = app.service.db.begin().await.unwrap();
    let done = import(&mut tx, &app.service.context("test"), kind, text.as_bytes(), &HashMap::new(), |_| {}).await;
    done.map_err(|error| format!("{error:?}")).unwrap();
    tx.commit().await.unwrap();
}

/// Touches as `visitor day channel`, a line each, at noon.
async fn touches(app: &TestApp, lines: &[(&str, &str, &str)]) {
    let mut text = "id,at,visitor_id,kind,channel\n".to_owned();
    for (number, (visitor, day, channel)) in lines.iter().enumerate() {
        text += &format!("{visitor}-{day}-{number},{day}T12:00:00Z,{visitor},visit,{channel}\n");
    }
    bring_in(app, ImportKind::Touches, &text).await;
}

async fn order(app: &TestApp, number: &str, visitor: &str, day: &str, total: &str) {
    app.make("/v1/orders", json!({ "external_id": number, "placed_at": format!("{day}T13:00:00Z"), "currency": "RUB", "total": total, "visitor_id": visitor })).await;
}

/// The five journeys that docs/models.md reckons by hand, those that lead to nothing early enough to be over in October.
async fn journeys_by_hand(app: &TestApp) {
    app.set_up().await;
    touches(
        app,
        &[
            ("v1", "2026-10-01", "email"),
            ("v1", "2026-10-02", "display"),
            ("v1", "2026-10-03", "sms"),
            ("v2", "2026-07-09", "email"),
            ("v2", "2026-07-10", "sms"),
            ("v3", "2026-07-11", "display"),
            ("v4", "2026-10-05", "display"),
            ("v4", "2026-10-06", "sms"),
            ("v5", "2026-07-12", "display"),
            ("v5", "2026-07-13", "sms"),
        ],
    )
    .await;
    order(app, "M-1", "v1", "2026-10-10", "100.00").await;
    order(app, "M-2", "v4", "2026-10-11", "20.00").await;
}

fn weights(attribution: &Value, model: &str) -> BTreeMap<String, f64> {
    let credits = attribution["models"][model].as_array().unwrap_or_else(|| panic!("no {model}"));
    credits.iter().map(|c| (c["channel"].as_str().unwrap().to_owned(), c["weight"].as_f64().unwrap())).collect()
}

fn assert_near(found: &BTreeMap<String, f64>, wanted: &[(&str, f64)]) {
    assert_eq!(found.len(), wanted.len(), "{found:?}");
    for (channel, weight) in wanted {
        assert!((found[*channel] - weight).abs() < 1e-9, "{channel}: {found:?}");
    }
}

async fn anew(app: &TestApp, asked: Asked) -> Recomputed {
    let go_on = Arc::new(|_| ControlFlow::Continue(()));
    recompute(&app.service, &app.service.context("test"), &asked, go_on).await.unwrap()
}

fn all_models() -> Asked {
    Asked { models: Model::ALL.to_vec(), ..Asked::default() }
}

both_stores! {
    async fn an_order_is_shared_by_what_its_month_says_of_the_channels(app: &TestApp) {
        journeys_by_hand(app).await;
        let first = app.get("/v1/orders/M-1/attribution").await;
        assert_near(&weights(&first, "markov"), &[("sms", 16.0 / 35.0), ("display", 12.0 / 35.0), ("email", 7.0 / 35.0)]);
        let second = app.get("/v1/orders/M-2/attribution").await;
        assert_near(&weights(&second, "markov"), &[("sms", 4.0 / 7.0), ("display", 3.0 / 7.0)]);
        // Rates: of {d} 0, {e} and {s} 0, {d,s} 1/3, {e,s} 0, {d,e} 0, all 2/5.
        let rate = weights(&first, "shapley_rate");
        let (d, e) = ((1.0 / 3.0) / 6.0 + (2.0 / 5.0) / 3.0, (2.0 / 5.0 - 1.0 / 3.0) / 3.0);
        let s = 2.0 / 5.0 - d - e;
        assert_near(&rate, &[("display", d / 0.4), ("email", e / 0.4), ("sms", s / 0.4)]);

        let report = app.get("/v1/reports/channels?model=markov&from=2026-10-01&to=2026-10-31").await;
        let orders: BTreeMap<&str, f64> = report["data"].as_array().unwrap().iter()
            .map(|row| (row["channel"].as_str().unwrap(), row["orders"].as_f64().unwrap())).filter(|row| row.1 > 0.0).collect();
        assert!((orders["sms"] - (16.0 / 35.0 + 4.0 / 7.0)).abs() < 1e-5, "{orders:?}");
        assert_eq!(report["totals"]["net_revenue"]["amount"], "120.00");
    }

    async fn a_journey_still_open_is_no_null_one(app: &TestApp) {
        journeys_by_hand(app).await;
        // Its window is over in January only.
        touches(app, &[("v6", "2026-10-20", "sms"), ("v7", "2026-10-20", "email")]).await;
        let first = app.get("/v1/orders/M-1/attribution").await;
        assert_near(&weights(&first, "markov"), &[("sms", 16.0 / 35.0), ("display", 12.0 / 35.0), ("email", 7.0 / 35.0)]);
    }

    async fn two_browsers_of_one_customer_are_one_journey(app: &TestApp) {
        app.set_up().await;
        touches(app, &[("phone", "2026-10-01", "email"), ("desk", "2026-10-05", "sms")]).await;
        for (number, visitor) in [("T-0", "phone"), ("T-1", "desk")] {
            app.make("/v1/orders", json!({ "external_id": number, "placed_at": "2026-10-06T00:00:00Z", "currency": "RUB", "total": "9.99", "visitor_id": visitor, "customer": { "id": "c" } })).await;
        }
        let attribution = app.get("/v1/orders/T-1/attribution").await;
        assert_near(&weights(&attribution, "linear"), &[("email", 0.5), ("sms", 0.5)]);
        let done = anew(app, all_models()).await;
        let linear: BTreeMap<&str, i64> = done.changes.iter().filter(|c| c.key.model == "linear")
            .map(|c| (c.key.channel.name(), c.after.orders_millionths)).collect();
        assert_eq!(linear, BTreeMap::from([("email", 1_000_000), ("sms", 1_000_000)]));
    }

    async fn recompute_says_what_changed_and_keeps_it(app: &TestApp) {
        journeys_by_hand(app).await;
        order(app, "M-3", "v2", "2026-11-01", "50.01").await;
        let dry = anew(app, Asked { dry_run: true, ..all_models() }).await;
        assert_eq!((dry.months, dry.orders), (2, 3));
        assert!(!dry.changes.is_empty() && dry.changes.iter().all(|change| change.before.is_none()));
        assert_eq!(anew(app, Asked { dry_run: true, ..all_models() }).await, dry, "a dry run keeps nothing");
        assert_eq!(anew(app, all_models()).await.changes, dry.changes);
        assert_eq!(anew(app, all_models()).await.changes, [], "the second time nothing is new");

        // Sums are those of the report, to the kopeck.
        for model in Model::ALL {
            for (from, to, month) in [("2026-10-01", "2026-10-31", "2026-10"), ("2026-11-01", "2026-11-30", "2026-11")] {
                let report = app.get(&format!("/v1/reports/channels?model={model}&from={from}&to={to}")).await;
                for row in report["data"].as_array().unwrap() {
                    let kept = dry.changes.iter().find(|c| c.key.model == model.name() && c.key.period.to_string() == month && c.key.channel.name() == row["channel"]);
                    let net: i64 = row["net_revenue"]["amount"].as_str().unwrap().replace('.', "").parse().unwrap();
                    assert_eq!(kept.map_or(0, |c| c.after.net_revenue_minor), net, "{model} {month} {}", row["channel"]);
                }
            }
        }

        // A late touch and a refund change credit, and only that.
        let ledger = app.get("/v1/ledger/entries").await;
        touches(app, &[("v4", "2026-10-07", "push")]).await;
        let late = anew(app, Asked { models: vec![Model::LastClick], ..Asked::default() }).await;
        let moved: Vec<(&str, i64)> = late.changes.iter()
            .map(|c| (c.key.channel.name(), c.after.net_revenue_minor - c.before.unwrap().net_revenue_minor)).collect();
        assert_eq!(moved, [("sms", -2_000), ("push", 2_000)]);
        assert_eq!(app.get("/v1/ledger/entries").await, ledger);
        app.make("/v1/orders/M-2/refunds", json!({ "refund_id": "r", "amount": "5.00" })).await;
        let refunded = anew(app, Asked { models: vec![Model::LastClick], ..Asked::default() }).await;
        assert_eq!(refunded.changes.len(), 1);
        assert_eq!(refunded.changes[0].after.net_revenue_minor, 1_500);
    }

    async fn recompute_looks_at_months_that_have_orders_or_had_them(app: &TestApp) {
        journeys_by_hand(app).await;
        let years = |from: &str, to: &str| Asked { from: from.parse().ok(), to: to.parse().ok(), dry_run: true, ..all_models() };
        let wide = anew(app, years("0001-01-01", "9999-12-31")).await;
        assert_eq!((wide.months, wide.orders), (1, 2));
        let later = anew(app, years("2030-01-01", "2031-01-01")).await;
        assert_eq!((later.span, later.months), (None, 0));
        anew(app, all_models()).await;
        for (number, visitor, total) in [("M-1", "v1", "100.00"), ("M-2", "v4", "20.00")] {
            order(app, number, visitor, "2026-11-20", total).await;
        }
        let moved = anew(app, all_models()).await;
        assert_eq!(moved.span.map(|(from, to)| format!("{from} {to}")).as_deref(), Some("2026-10 2026-11"));
        let in_october: i64 = moved.changes.iter().filter(|c| c.key.period.to_string() == "2026-10").map(|c| c.after.net_revenue_minor).sum();
        assert_eq!(in_october, 0, "what was kept of the month they left is gone");
        assert_eq!(anew(app, all_models()).await.changes, []);
    }

    async fn looking_up_the_buyers_gives_what_reading_everything_gives(app: &TestApp) {
        journeys_by_hand(app).await;
        let (_, click) = app.click("anna").await;
        app.make("/v1/orders", json!({ "external_id": "M-4", "placed_at": app.now(), "currency": "RUB", "total": "7.77", "click_id": click, "promo_codes": ["ANNA10"] })).await;
        let all = anew(app, Asked { dry_run: true, ..all_models() }).await;
        for model in [Model::LastClick, Model::Linear, Model::TimeDecay, Model::WShaped, Model::Shapley] {
            let alone = anew(app, Asked { dry_run: true, models: vec![model], ..Asked::default() }).await;
            let of_all: Vec<_> = all.changes.iter().filter(|c| c.key.model == model.name()).cloned().collect();
            assert_eq!(alone.changes, of_all, "{model}");
            assert!(of_all.iter().any(|c| c.key.channel.name() == "affiliate"), "{model}");
        }
    }

    async fn an_interrupted_recompute_goes_on_where_it_was(app: &TestApp) {
        journeys_by_hand(app).await;
        order(app, "M-3", "v2", "2026-11-01", "50.01").await;
        let stop = Arc::new(|stage| if matches!(stage, Stage::Months(1, _)) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) });
        let cut = recompute(&app.service, &app.service.context("test"), &all_models(), stop).await.unwrap();
        assert_eq!(cut.interrupted_after.map(|p| p.to_string()).as_deref(), Some("2026-10"));
        let rest = anew(app, all_models()).await;
        assert_eq!(rest.resumed_after, cut.interrupted_after);
        assert_eq!((rest.months, rest.orders), (1, 1));
        assert!(rest.changes.iter().all(|change| change.key.period.to_string() == "2026-11" && change.before.is_none()));
        let whole = anew(app, all_models()).await;
        assert_eq!((whole.resumed_after, whole.months, whole.changes.len()), (None, 2, 0));
    }

    async fn the_touch_before_the_lead_has_its_part(app: &TestApp) {
        app.set_up().await;
        let visitor = uuid::Uuid::now_v7().to_string();
        let send = async |body: Value| {
            let answer = app.visitor(reqwest::Method::POST, "/e").header("cookie", format!("trb_vid={visitor}")).json(&body).send().await.unwrap();
            assert_eq!(answer.status(), 202);
            app.advance(chrono::TimeDelta::hours(1));
        };
        for (medium, source) in [("cpc", "google"), ("email", "newsletter")] {
            send(json!({ "type": "visit", "url": format!("https://shop.example/?utm_source={source}&utm_medium={medium}") })).await;
        }
        send(json!({ "type": "lead", "name": "call back", "url": "https://shop.example/" })).await;
        for (medium, source) in [("social", "vk"), ("display", "banner")] {
            send(json!({ "type": "visit", "url": format!("https://shop.example/?utm_source={source}&utm_medium={medium}") })).await;
        }
        app.make("/v1/orders", json!({ "external_id": "W-1", "placed_at": app.now(), "currency": "RUB", "total": "100.00", "visitor_id": visitor })).await;
        let attribution = app.get("/v1/orders/W-1/attribution").await;
        assert_near(&weights(&attribution, "w_shaped"), &[("paid_search", 0.3), ("email", 0.3), ("organic_social", 0.1), ("display", 0.3)]);
        let report = app.get("/v1/reports/channels?model=w_shaped").await;
        let email = report["data"].as_array().unwrap().iter().find(|row| row["channel"] == "email").unwrap();
        assert_eq!(email["net_revenue"]["amount"], "30.00");
        let kept = anew(app, all_models()).await;
        let email = kept.changes.iter().find(|c| c.key.model == "w_shaped" && c.key.channel.name() == "email").unwrap();
        assert_eq!(email.after.net_revenue_minor, 3_000);
    }

    async fn a_report_has_windows_half_life_and_split_of_its_own(app: &TestApp) {
        app.set_up().await;
        touches(app, &[("v", "2026-10-01", "email"), ("v", "2026-10-15", "sms")]).await;
        order(app, "O-1", "v", "2026-10-08", "10.00").await;
        order(app, "O-2", "v", "2026-10-15", "30.00").await;
        let net = async |query: &str| -> BTreeMap<String, String> {
            let report = app.get(&format!("/v1/reports/channels?from=2026-10-01&to=2026-10-31&{query}")).await;
            report["data"].as_array().unwrap().iter()
                .map(|row| (row["channel"].as_str().unwrap().to_owned(), row["net_revenue"]["amount"].as_str().unwrap().to_owned()))
                .filter(|row| row.1 != "0.00").collect()
        };
        let map = |pairs: &[(&str, &str)]| pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect::<BTreeMap<_, _>>();
        assert_eq!(net("model=linear").await, map(&[("email", "25.00"), ("sms", "15.00")]));
        assert_eq!(net("model=linear&split=conversion").await, map(&[("email", "20.00"), ("sms", "20.00")]));
        assert_eq!(net("model=linear&click_window_days=10").await, map(&[("email", "10.00"), ("sms", "30.00")]));
        // 14 days apart: 1 : 4 by 7 days, 1 : 2 by 14.
        assert_eq!(net("model=time_decay").await, map(&[("email", "16.00"), ("sms", "24.00")]));
        assert_eq!(net("model=time_decay&half_life_days=14").await, map(&[("email", "20.00"), ("sms", "20.00")]));
        assert_eq!(net("model=markov&click_window_days=10").await, map(&[("email", "10.00"), ("sms", "30.00")]));
        for (query, pointer) in [("half_life_days=0", "/half_life_days"), ("split=x", "/split"), ("click_window_days=-1", "/click_window_days"), ("view_window_days=9999", "/view_window_days")] {
            let refused = app.request(reqwest::Method::GET, &format!("/v1/reports/channels?{query}")).send().await.unwrap();
            assert_eq!(refused.status(), 422, "{query}");
            assert_eq!(refused.json::<Value>().await.unwrap()["errors"][0]["pointer"], pointer);
        }
    }

    async fn touches_of_one_instant_go_by_the_id_they_came_with(app: &TestApp) {
        app.set_up().await;
        let at = "2026-10-01T12:00:00Z";
        bring_in(app, ImportKind::Touches, &format!("id,at,visitor_id,kind,channel\nb,{at},v,visit,email\na,{at},v,visit,sms\nc,{at},v,visit,push\n")).await;
        order(app, "O-1", "v", "2026-10-02", "10.00").await;
        let attribution = app.get("/v1/orders/O-1/attribution").await;
        assert_near(&weights(&attribution, "first_click"), &[("sms", 1.0)]);
        let done = anew(app, all_models()).await;
        let of = |model: &str| done.changes.iter().find(|c| c.key.model == model).unwrap().key.channel.name();
        assert_eq!((of("first_click"), of("last_click")), ("sms", "push"));
    }
}

both_stores! {
    async fn what_cannot_have_happened_is_refused_and_named(app: &TestApp) {
        app.set_up().await;
        for (at, why) in [("2099-01-01T00:00:00Z", "is in the future"), ("1999-12-31T23:59:59Z", "is before the year 2000"), ("yesterday", "must be a time")] {
            let text = format!("id,at,visitor_id,kind,channel\na,2026-10-01T00:00:00Z,v,visit,email\nb,{at},v,visit,email\n");
            let mut tx = app.service.db.begin().await.unwrap();
            let refused = import(&mut tx, &app.service.context("test"), ImportKind::Touches, text.as_bytes(), &HashMap::new(), |_| {}).await;
            let problem = format!("{:?}", refused.err().unwrap());
            assert!(problem.contains(why) && problem.contains("line: 3"), "{problem}");
        }
        let (status, pointers) = app.refused("/v1/orders", json!({ "external_id": "B-1", "placed_at": "1999-12-31T00:00:00Z", "currency": "RUB", "total": "1.00" })).await;
        assert_eq!((status, pointers), (422, vec!["/placed_at".to_owned()]));
        // No address, so it says nothing; the touch stands.
        bring_in(app, ImportKind::Touches, "id,at,visitor_id,kind,url,referrer\na,2026-10-01T00:00:00Z,v,visit,https://shop.example/,not an address\n").await;
        order(app, "B-2", "v", "2026-10-02", "1.00").await;
        let attribution = app.get("/v1/orders/B-2/attribution").await;
        assert_eq!(attribution["touches"][0]["channel"], "direct");
    }

    async fn somebody_with_a_hundred_thousand_touches_is_shared_exactly(app: &TestApp) {
        app.set_up().await;
        let mut text = "id,at,visitor_id,kind,channel\n".to_owned();
        let start = "2026-10-01T00:00:00Z".parse::<chrono::DateTime<chrono::Utc>>().unwrap();
        for number in 0..100_000 {
            let channel = ["email", "sms", "push"][number % 3];
            text += &format!("n{number},{},v,visit,{channel}\n", (start + chrono::TimeDelta::seconds(number as i64)).to_rfc3339());
        }
        bring_in(app, ImportKind::Touches, &text).await;
        order(app, "H-1", "v", "2026-10-05", "100.00").await;
        let report = app.get("/v1/reports/channels?model=linear&from=2026-10-01&to=2026-10-31").await;
        let net: BTreeMap<&str, &str> = report["data"].as_array().unwrap().iter()
            .map(|row| (row["channel"].as_str().unwrap(), row["net_revenue"]["amount"].as_str().unwrap())).collect();
        // 10,000 kopecks among 100,000 touches: the first 10,000 have one each.
        assert_eq!(net, BTreeMap::from([("email", "33.34"), ("sms", "33.33"), ("push", "33.33")]));
        let attribution = app.get("/v1/orders/H-1/attribution").await;
        assert_eq!(attribution["touches_left_out"], 99_000);
        for model in Model::ALL {
            let credits = attribution["models"][model.name()].as_array().unwrap();
            assert!(credits.len() <= 1_003, "{model}");
            let weight: f64 = credits.iter().map(|c| c["weight"].as_f64().unwrap()).sum();
            let kopecks: i64 = credits.iter().map(|c| c["amount"]["amount"].as_str().unwrap().replace('.', "").parse::<i64>().unwrap()).sum();
            assert!((weight - 1.0).abs() < 1e-9 && kopecks == 10_000, "{model}: {weight} {kopecks}");
        }
    }
}
