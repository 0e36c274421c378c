//! What reports are added up from says what the orders, leads and touches themselves say, whatever happens to them and whenever
//! it is added up; and a roll-up that was changed is found.
//!
//! `convert=true` reckons from the orders alone, so it is what roll-ups are compared with.

use crate::support::*;
use chrono::TimeDelta;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::HashMap;
use tributary::service::import::{ImportKind, import};
use tributary::service::{rollup, worker};

#[derive(Debug, Clone)]
enum Act {
    Click {
        visitor: u8,
    },
    Visit {
        visitor: u8,
        source: u8,
    },
    LateTouch {
        visitor: u8,
        days_ago: i64,
    },
    Order {
        number: u8,
        visitor: u8,
        customer: u8,
        days_ago: i64,
        total: i64,
        code: bool,
    },
    Status {
        number: u8,
        status: &'static str,
    },
    Refund {
        number: u8,
        amount: i64,
    },
    Lead {
        number: u8,
        visitor: u8,
        days_ago: i64,
    },
    BrowserLead {
        visitor: u8,
    },
    Identify {
        visitor: u8,
        customer: u8,
    },
    LeadStatus {
        number: u8,
        status: &'static str,
    },
    /// The same order again, with the code or without.
    Codes {
        number: u8,
        code: bool,
    },
    Decline {
        nth: usize,
    },
    CodeGoes {
        back: bool,
    },
    Kind {
        offline: bool,
    },
    Day,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        2 => (0u8..12).prop_map(|visitor| Act::Click { visitor }),
        2 => (0u8..12, 0u8..3).prop_map(|(visitor, source)| Act::Visit { visitor, source }),
        3 => (0u8..12, 1i64..120).prop_map(|(visitor, days_ago)| Act::LateTouch { visitor, days_ago }),
        5 => (0u8..6, 0u8..12, 0u8..3, 0i64..100, 100i64..90_000, any::<bool>())
            .prop_map(|(number, visitor, customer, days_ago, total, code)| Act::Order { number, visitor, customer, days_ago, total, code }),
        2 => (0u8..6, prop::sample::select(vec!["approved", "pending", "cancelled"])).prop_map(|(number, status)| Act::Status { number, status }),
        2 => (0u8..6, 1i64..9_000).prop_map(|(number, amount)| Act::Refund { number, amount }),
        1 => (0u8..3, 0u8..12, 0i64..60).prop_map(|(number, visitor, days_ago)| Act::Lead { number, visitor, days_ago }),
        1 => (0u8..12).prop_map(|visitor| Act::BrowserLead { visitor }),
        1 => (0u8..12, 0u8..3).prop_map(|(visitor, customer)| Act::Identify { visitor, customer }),
        1 => (0u8..3, prop::sample::select(vec!["approved", "cancelled"])).prop_map(|(number, status)| Act::LeadStatus { number, status }),
        2 => (0u8..6, any::<bool>()).prop_map(|(number, code)| Act::Codes { number, code }),
        1 => (0usize..8).prop_map(|nth| Act::Decline { nth }),
        1 => any::<bool>().prop_map(|back| Act::CodeGoes { back }),
        1 => any::<bool>().prop_map(|offline| Act::Kind { offline }),
        1 => Just(Act::Day),
    ]
}

fn visitor_id(number: u8) -> String {
    format!("0198a000-0000-7000-8000-0000000000{number:02}")
}

fn decimal(minor: i64) -> String {
    format!("{}.{:02}", minor / 100, minor % 100)
}

struct World<'a> {
    app: &'a TestApp,
    partner: String,
    other: String,
    promo: String,
    touches: u32,
    refunds: u32,
    orders: HashMap<u8, Value>,
}

impl World<'_> {
    fn ago(&self, days: i64) -> String {
        let now: chrono::DateTime<chrono::Utc> = self.app.now().parse().unwrap();
        (now - TimeDelta::days(days) - TimeDelta::minutes(7)).to_rfc3339()
    }

    async fn event(&self, visitor: u8, body: Value) {
        let answer = self
            .app
            .visitor(Method::POST, "/e")
            .header("cookie", format!("trb_vid={}", visitor_id(visitor)))
            .json(&body)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 202);
        self.app.mover_done().await;
    }

    async fn act(&mut self, act: &Act) {
        let app = self.app;
        match act {
            Act::Click { visitor } => {
                app.visitor(Method::GET, "/r/anna")
                    .header("cookie", format!("trb_vid={}", visitor_id(*visitor)))
                    .send()
                    .await
                    .unwrap();
                app.mover_done().await;
            }
            Act::Visit { visitor, source } => {
                let url = [
                    "https://shop.example/",
                    "https://shop.example/?utm_source=google&utm_medium=cpc&utm_campaign=a",
                    "https://shop.example/?utm_source=news&utm_medium=email",
                ][usize::from(*source)];
                self.event(*visitor, json!({ "type": "visit", "url": url, "ref": "" })).await;
            }
            Act::LateTouch { visitor, days_ago } => {
                self.touches += 1;
                let url = "https://shop.example/?utm_source=vk&utm_medium=social";
                let file = format!(
                    "id,at,visitor_id,kind,url,country\nlate{},{},{},visit,{url},DE\n",
                    self.touches,
                    self.ago(*days_ago),
                    visitor_id(*visitor)
                );
                let mut tx = app.service.db.begin().await.unwrap();
                let context = app.service.context("test");
                import(&mut tx, &context, ImportKind::Touches, file.as_bytes(), &HashMap::new(), |_| ()).await.unwrap();
                tx.commit().await.unwrap();
            }
            Act::Order { number, visitor, customer, days_ago, total, code } => {
                let codes = if *code { json!(["ANNA10"]) } else { json!([]) };
                let order = json!({
                    "external_id": format!("O-{number}"), "placed_at": self.ago(*days_ago), "currency": "RUB", "total": decimal(*total),
                    "discount": "1.50", "visitor_id": visitor_id(*visitor), "customer": { "id": format!("c{customer}") }, "promo_codes": codes,
                });
                if app.post("/v1/orders", order.clone()).await.0 < 300 {
                    self.orders.insert(*number, order);
                }
            }
            Act::Status { number, status } => {
                let Some(mut order) = self.orders.get(number).cloned() else { return };
                order["status"] = json!(status);
                if app.post("/v1/orders", order.clone()).await.0 < 300 {
                    self.orders.insert(*number, order);
                }
            }
            Act::Refund { number, amount } => {
                self.refunds += 1;
                app.post(
                    &format!("/v1/orders/O-{number}/refunds"),
                    json!({ "refund_id": self.refunds.to_string(), "amount": decimal(*amount) }),
                )
                .await;
            }
            Act::Lead { number, visitor, days_ago } => {
                app.post("/v1/leads", json!({ "external_id": format!("L-{number}"), "name": "call", "at": self.ago(*days_ago), "visitor_id": visitor_id(*visitor) })).await;
            }
            Act::LeadStatus { number, status } => {
                app.post("/v1/leads", json!({ "external_id": format!("L-{number}"), "name": "call", "status": status })).await;
            }
            Act::Codes { number, code } => {
                let Some(mut order) = self.orders.get(number).cloned() else { return };
                order["promo_codes"] = if *code { json!(["ANNA10"]) } else { json!([]) };
                if app.post("/v1/orders", order.clone()).await.0 < 300 {
                    self.orders.insert(*number, order);
                }
            }
            Act::Decline { nth } => {
                let all = app.get("/v1/commissions").await;
                let Some(found) = all["data"].as_array().unwrap().get(*nth) else { return };
                app.post(&format!("/v1/commissions/{}/decline", found["id"].as_str().unwrap()), json!({ "reason": "not ours" }))
                    .await;
            }
            Act::BrowserLead { visitor } => self.event(*visitor, json!({ "type": "lead", "name": "signup" })).await,
            Act::Identify { visitor, customer } => {
                self.event(*visitor, json!({ "type": "identify", "customer": format!("c{customer}") })).await
            }
            Act::CodeGoes { back } => {
                let to = if *back { &self.partner } else { &self.other };
                assert!(app.patch(&format!("/v1/promo-codes/{}", self.promo), json!({ "partner": to })).await.0 < 300);
            }
            Act::Kind { offline } => {
                let kind = if *offline { "offline" } else { "affiliate" };
                assert!(app.patch(&format!("/v1/partners/{}", self.partner), json!({ "kind": kind })).await.0 < 300);
            }
            Act::Day => {
                app.advance(TimeDelta::days(1));
                worker::run_once(&app.service).await.unwrap();
            }
        }
    }

    /// Every answer out of roll-ups is that out of the orders.
    async fn answers_agree(&self, after: &Act, in_full: bool) {
        let to = self.app.now()[..10].to_owned();
        let (models, cuts): (&[&str], &[&str]) = match in_full {
            true => (
                &["last_click", "w_shaped", "markov", "shapley"],
                &["channel,customer", "source,promo_code,link", "day", "partner,country,device"],
            ),
            false => (&["w_shaped"], &["day,channel,customer", "month,source,partner,promo_code"]),
        };
        let spans: &[&str] = if in_full { &["2026-07-01", "2026-11-10"] } else { &["2026-07-01"] };
        for model in models {
            for group_by in cuts {
                for span in spans {
                    self.agrees(&format!("channels?model={model}&group_by={group_by}&from={span}&to={to}"), after).await;
                }
            }
        }
        self.agrees(&format!("partners?group_by=partner,month&from=2026-07-01&to={to}"), after).await;
    }

    async fn agrees(&self, question: &str, after: &Act) {
        let path = format!("/v1/reports/{question}");
        for last in [false, true] {
            let (rolled, raw) = (self.app.get(&path).await, self.app.get(&format!("{path}&convert=true")).await);
            let same = rolled["data"] == raw["data"] && rolled["totals"] == raw["totals"];
            if same {
                return;
            }
            // Between the two the clockwork may have struck.
            let only = |these: &Value, those: &Value| -> Vec<String> {
                let those = those["data"].as_array().unwrap();
                these["data"].as_array().unwrap().iter().filter(|row| !those.contains(row)).map(Value::to_string).collect()
            };
            let (here, there) = (only(&rolled, &raw), only(&raw, &rolled));
            assert!(!last, "{path} after {after:?}\nrolled up: {here:#?}\nas it is: {there:#?}");
        }
    }
}

both_stores! {
    async fn roll_ups_say_what_is_stored_whatever_happens(app: &TestApp) {
        let ids = app.set_up().await;
        let other = app.make("/v1/partners", json!({ "name": "Boris", "email": "boris@blog.example" })).await;
        app.make("/v1/commission-rules", json!({ "program": ids["program"], "on": "lead", "fixed": "50.00" })).await;
        app.make("/v1/commission-rules", json!({ "program": ids["program"], "on": "click", "fixed": "1.00" })).await;
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let (partner, other, promo) = (text(&ids["partner"]), text(&other["id"]), text(&ids["promo"]));
        let mut world = World { app, partner, other, promo, touches: 0, refunds: 0, orders: HashMap::new() };
        let mut runner = TestRunner::new_with_rng(Config::default(), proptest::test_runner::TestRng::deterministic_rng(proptest::test_runner::RngAlgorithm::ChaCha));
        let acts = prop::collection::vec(act(), 120).new_tree(&mut runner).unwrap().current();
        for (number, act) in acts.iter().enumerate() {
            // Whatever a single act changes is seen at once.
            if number % 10 != 0 {
                rollup::refresh(&app.service).await.unwrap();
            }
            world.act(act).await;
            world.answers_agree(act, number % 25 == 0).await;
        }
        rollup::refresh(&app.service).await.unwrap();
        assert_eq!(rollup::refresh(&app.service).await.unwrap(), (0, 0), "nothing is out of date any more");
        world.answers_agree(&Act::Day, true).await;
        assert_eq!(app.broken().await, Vec::<String>::new());
    }

    async fn a_roll_up_that_was_changed_by_one_is_found(app: &TestApp) {
        app.set_up().await;
        let (_, click_id) = app.click("anna").await;
        app.make("/v1/orders", json!({ "external_id": "R-1", "placed_at": app.now(), "currency": "RUB", "total": "100.00", "click_id": click_id })).await;
        rollup::refresh(&app.service).await.unwrap();
        assert_eq!(app.broken().await, Vec::<String>::new());
        for (column, by) in [("orders_millionths", 1), ("net_revenue_minor", 1), ("commission_minor", -1), ("net_revenue_squares", 1)] {
            app.behind_its_back(&format!("UPDATE credit_days SET {column} = {column} + {by} WHERE model IN ('linear', 'payable')")).await;
            let broken = app.broken().await;
            assert_eq!(broken.iter().filter(|line| line.contains("the credit kept by day")).count(), 2, "{column}: {broken:?}");
            assert_eq!(broken.iter().filter(|line| line.contains("add up")).count(), 2, "{column}: {broken:?}");
            app.behind_its_back(&format!("UPDATE credit_days SET {column} = {column} - {by} WHERE model IN ('linear', 'payable')")).await;
        }
        app.behind_its_back("UPDATE credit_days SET partner_id = partner_id + 1 WHERE model = 'shapley'").await;
        let broken = app.broken().await;
        assert_eq!(broken.iter().filter(|line| line.contains("the credit kept by day")).count(), 2, "one row too many, one too few: {broken:?}");
        app.behind_its_back("UPDATE visitor_sketches SET partner_id = 9 WHERE cut = 'all'").await;
        assert_eq!(app.broken().await.iter().filter(|line| line.contains("sketches of visitors")).count(), 2);
        app.behind_its_back("UPDATE touch_days SET counted = counted + 1").await;
        assert_eq!(app.broken().await.iter().filter(|line| line.contains("counted by day")).count(), 1);
        app.behind_its_back("UPDATE touch_days SET counted = counted - 1").await;
        for table in ["touch_sums SET not_counted = not_counted", "credit_sums SET discount_minor = discount_minor"] {
            app.behind_its_back(&format!("UPDATE {table} + 1")).await;
            assert!(app.broken().await.iter().any(|line| line.contains("add up")), "{table}");
            app.behind_its_back(&format!("UPDATE {table} - 1")).await;
        }
        rollup::rebuild(&app.service).await.unwrap();
        assert_eq!(app.broken().await, Vec::<String>::new(), "made anew, all of it is right");
    }

    async fn visitors_of_much_traffic_are_estimated_within_what_is_said(app: &TestApp) {
        app.set_up().await;
        // 16,500 visits of 9,000 visitors by two channels over 55 days, a whole month among them.
        let mut file = "id,at,visitor_id,kind,url\n".to_owned();
        let first: chrono::DateTime<chrono::Utc> = "2026-09-20T10:00:00Z".parse().unwrap();
        for number in 0..16_500_u32 {
            let at = (first + TimeDelta::days(i64::from(number % 55)) + TimeDelta::seconds(i64::from(number))).to_rfc3339();
            let visitor = number.wrapping_mul(7_919) % 9_000;
            let medium = if visitor % 3 == 0 { "cpc" } else { "email" };
            file.push_str(&format!("much{number},{at},visitor-{visitor},visit,https://shop.example/?utm_source=s&utm_medium={medium}\n"));
        }
        let mut tx = app.service.db.begin().await.unwrap();
        import(&mut tx, &app.service.context("test"), ImportKind::Touches, file.as_bytes(), &HashMap::new(), |_| ()).await.unwrap();
        tx.commit().await.unwrap();
        let ask = async |question: &str| app.get(&format!("/v1/reports/channels?from=2026-09-20&to=2026-11-20{question}")).await;
        let marked = ask("").await;
        rollup::refresh(&app.service).await.unwrap();
        let kept = ask("").await;
        assert_eq!((&kept["data"], &kept["totals"]), (&marked["data"], &marked["totals"]), "days out of date are sketched alike");
        assert_eq!(kept["visitors_error_percent"], 3.25);
        let visitors = |row: &Value| row["visitors"].as_f64().unwrap();
        let near = |found: f64, there: f64| (found - there).abs() / there < 0.05;
        assert!(near(visitors(&kept["totals"]), 9_000.0), "{}", kept["totals"]["visitors"]);
        for row in kept["data"].as_array().unwrap() {
            let there = if row["channel"] == "email" { 6_000.0 } else { 3_000.0 };
            assert!(near(visitors(row), there), "{row}");
        }
        let by_device = ask("&group_by=device,channel").await;
        assert_eq!(by_device["totals"]["visitors"], kept["totals"]["visitors"], "another cut of the same");
        // Few of them are counted one by one.
        let few = app.get("/v1/reports/channels?from=2026-09-20&to=2026-09-29").await;
        let exact: std::collections::HashSet<u32> = (0..16_500_u32).filter(|number| number % 55 < 10).map(|number| number.wrapping_mul(7_919) % 9_000).collect();
        assert_eq!((visitors(&few["totals"]), &few["visitors_error_percent"]), (exact.len() as f64, &Value::Null));
    }

    async fn several_who_add_up_at_once_leave_it_right(app: &TestApp) {
        app.set_up().await;
        let adding = async || {
            for _ in 0..12 {
                rollup::refresh(&app.service).await.unwrap();
            }
        };
        let ordering = async || {
            for number in 0..24 {
                let order = json!({ "external_id": format!("C-{number}"), "placed_at": app.now(), "currency": "RUB", "total": "10.00", "promo_codes": ["ANNA10"], "customer": { "id": "c" } });
                app.make("/v1/orders", order).await;
            }
        };
        tokio::join!(adding(), ordering(), adding());
        rollup::refresh(&app.service).await.unwrap();
        let today = app.now()[..10].to_owned();
        assert_eq!(app.get(&format!("/v1/reports/channels?from={today}&to={today}")).await["totals"]["orders"], 24.0);
        assert_eq!(app.broken().await, Vec::<String>::new());
    }

    async fn filters_cut_every_figure_and_the_rest_adds_up(app: &TestApp) {
        app.set_up().await;
        let visitor = visitor_id(1);
        let world = World { app, partner: String::new(), other: String::new(), promo: String::new(), touches: 0, refunds: 0, orders: HashMap::new() };
        for url in ["https://shop.example/?utm_source=google&utm_medium=cpc&utm_campaign=a", "https://shop.example/?utm_source=news&utm_medium=email"] {
            world.event(1, json!({ "type": "visit", "url": url, "ref": "" })).await;
            app.advance(TimeDelta::hours(1));
        }
        app.make("/v1/costs", json!([{ "date": "2026-11-22", "source": "google", "medium": "cpc", "campaign": "a", "amount": "30.00", "currency": "RUB", "impressions": 900, "clicks": 3 }])).await;
        app.make("/v1/orders", json!({ "external_id": "F-1", "placed_at": app.now(), "currency": "RUB", "total": "100.01", "discount": "10.00", "visitor_id": visitor, "customer": { "id": "c" } })).await;
        app.make("/v1/orders", json!({ "external_id": "F-2", "placed_at": app.now(), "currency": "RUB", "total": "50.00", "visitor_id": visitor, "customer": { "id": "c" } })).await;
        let totals = async |query: &str| app.get(&format!("/v1/reports/channels?model=linear&{query}")).await["totals"].clone();
        let (paid, rest) = (totals("f=channel:is:paid_search").await, totals("f=channel:is_not:paid_search").await);
        assert_eq!((paid["net_revenue"]["amount"].as_str(), rest["net_revenue"]["amount"].as_str()), (Some("75.01"), Some("75.00")));
        assert_eq!((paid["ad_cost"]["amount"].as_str(), rest["ad_cost"]["amount"].as_str()), (Some("30.00"), Some("0.00")));
        assert_eq!((paid["clicks"].as_i64(), paid["visitors"].as_i64(), rest["clicks"].as_i64()), (Some(1), Some(1), Some(1)));
        assert_eq!((paid["platform_clicks"].as_i64(), paid["platform_clicks_difference"].as_i64()), (Some(3), Some(-2)));
        assert_eq!(paid["roi"], 150.03);
        assert_eq!(totals("f=customer:is:returning").await["orders"], 1.0);
        assert_eq!(totals("f=source:contains:oog&f=campaign:is:a").await["orders"], 1.0);
        assert_eq!(totals("f=device:is:desktop").await["orders"], 2.0);
        let costly = totals("discount_is_cost=true&margin=40").await;
        assert_eq!((costly["cost"]["amount"].as_str(), costly["gross_profit"]["amount"].as_str()), (Some("40.00"), Some("60.00")));
        assert_eq!((costly["roi"].as_f64(), costly["romi"].as_f64(), costly["drr"].as_f64()), (Some(275.02), Some(50.0), Some(26.66)));
        for (query, pointer) in [("f=chanel:is:x", "/f"), ("f=channel:like:x", "/f"), ("margin=120", "/margin"), ("cmp=last", "/cmp"), ("group_by=day&cmp=prev", "/cmp"), ("from=0001-01-01", "/from"), ("to=0001-02-01", "/to"), ("from=1970-01-01&to=1970-02-01&cmp=year", "/cmp"), ("format=pdf", "/format")] {
            let answer = app.request(Method::GET, &format!("/v1/reports/channels?{query}")).send().await.unwrap();
            assert_eq!(answer.status(), 422, "{query}");
            assert_eq!(answer.json::<Value>().await.unwrap()["errors"][0]["pointer"], pointer, "{query}");
        }
    }

    async fn cohorts_refuse_what_they_do_not_look_at(app: &TestApp) {
        app.set_up().await;
        for (query, pointer) in [("group_by=channel", "/group_by"), ("f=channel:is:email", "/f"), ("cmp=prev", "/cmp"), ("model=linear", "/model"), ("from=2026-11-02&to=2026-11-01", "/to"), ("format=pdf", "/format")] {
            let answer = app.request(Method::GET, &format!("/v1/reports/cohorts?{query}")).send().await.unwrap();
            assert_eq!(answer.status(), 422, "{query}");
            assert_eq!(answer.json::<Value>().await.unwrap()["errors"][0]["pointer"], pointer, "{query}");
        }
        assert_eq!(app.get("/v1/reports/cohorts?margin=40").await["data"], json!([]));
    }

    async fn models_and_spans_stand_side_by_side(app: &TestApp) {
        app.set_up().await;
        let world = World { app, partner: String::new(), other: String::new(), promo: String::new(), touches: 0, refunds: 0, orders: HashMap::new() };
        for number in 0..24 {
            let visitor = number % 24;
            world.event(visitor, json!({ "type": "visit", "url": "https://shop.example/?utm_source=google&utm_medium=cpc", "ref": "" })).await;
            app.advance(TimeDelta::minutes(5));
            world.event(visitor, json!({ "type": "visit", "url": "https://shop.example/?utm_source=news&utm_medium=email", "ref": "" })).await;
            app.make("/v1/orders", json!({ "external_id": format!("S-{number}"), "placed_at": app.now(), "currency": "RUB", "total": "10.00", "visitor_id": visitor_id(visitor) })).await;
            if number == 3 {
                // Four in the first ten days, twenty in the next.
                app.advance(TimeDelta::days(10));
            }
        }
        let to = app.now()[..10].to_owned();
        let from = (to.parse::<chrono::NaiveDate>().unwrap() - TimeDelta::days(9)).to_string();
        let path = format!("/v1/reports/channels?from={from}&to={to}&model=first_click&other_model=last_click&cmp=prev");
        let report = app.get(&path).await;
        let row = |channel: &str| report["data"].as_array().unwrap().iter().find(|row| row["channel"] == channel).unwrap().clone();
        assert_eq!((row("paid_search")["orders"].as_f64(), row("paid_search")["other_model"]["orders"].as_f64()), (Some(20.0), Some(0.0)));
        assert_eq!((row("email")["orders"].as_f64(), row("email")["other_model"]["orders"].as_f64()), (Some(0.0), Some(20.0)));
        assert_eq!(row("paid_search")["before"]["orders"], 4.0);
        assert_eq!(row("paid_search")["changes"]["orders"], json!({ "change": 400.0, "p_value": null, "verdict": "not_enough_data" }));
        assert_eq!(row("email")["changes"]["clicks"]["verdict"], "not_enough_data");
        assert_eq!(report["totals"]["changes"]["clicks"]["verdict"], "not_enough_data", "eight before are too few");
        assert_eq!(report["compared_with"]["to"], (from.parse::<chrono::NaiveDate>().unwrap() - TimeDelta::days(1)).to_string());
        // API, file and command line agree.
        let csv = app.request(Method::GET, &format!("{path}&format=csv")).send().await.unwrap().text().await.unwrap();
        let head: Vec<&str> = csv.lines().next().unwrap().split(',').collect();
        let cell = |line: &str, name: &str| line.split(',').nth(head.iter().position(|known| *known == name).unwrap()).unwrap().to_owned();
        let total = csv.lines().last().unwrap();
        assert_eq!(cell(total, "net_revenue"), report["totals"]["net_revenue"]["amount"].as_str().unwrap());
        assert_eq!((cell(total, "other_model_orders"), cell(total, "before_orders"), cell(total, "verdict_orders")), ("20".to_owned(), "4".to_owned(), "not_enough_data".to_owned()));
        let xlsx = app.request(Method::GET, &format!("{path}&format=xlsx")).send().await.unwrap();
        assert!(xlsx.headers()["content-disposition"].to_str().unwrap().contains("channels-"));
        assert!(xlsx.bytes().await.unwrap().starts_with(b"PK"));
    }
}
