//! Orders that come at the same time go into the store together; what becomes of each is what would have become of it alone.

use crate::support::*;
use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::join_all;
use futures_util::{StreamExt, stream};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use tributary::service::import::{ImportKind, import};
use tributary::service::order::{OrderInput, Sent, record_together};

async fn import_touches(app: &TestApp, text: &str) {
    let mut tx = app.service.db.begin().await.unwrap();
    let context = app.service.context("test");
    import(&mut tx, &context, ImportKind::Touches, text.as_bytes(), &HashMap::new(), |_| {}).await.unwrap();
    tx.commit().await.unwrap();
}

/// Numbers that look like chance and are the same in each run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

/// Buyers with touches and orders: each order comes after a touch of its own, so that who comes first decides nothing.
fn shopping(partners: [&str; 2], now: DateTime<Utc>) -> (String, Vec<Value>) {
    let mut dice = Dice(20_261_122);
    let mut touches = "id,at,kind,visitor_id,partner,program\n".to_owned();
    let mut orders = Vec::new();
    for buyer in 0..40 {
        let began = now - TimeDelta::days(20) + TimeDelta::minutes(buyer);
        for number in 0..=dice.roll(3) {
            let touched = began + TimeDelta::hours(10 * number as i64);
            let click = format!("click-{buyer}-{number}");
            let partner = partners[dice.roll(2) as usize];
            touches += &format!("{click},{},click,visitor-{buyer},{partner},Shop\n", touched.to_rfc3339());
            let total = 1 + dice.roll(500_000);
            let mut order = json!({
                "external_id": format!("order-{buyer}-{number}"), "placed_at": (touched + TimeDelta::hours(1)).to_rfc3339(),
                "currency": "RUB", "total": format!("{}.{:02}", total / 100, total % 100), "tax": "0.01",
                "customer": { "id": format!("customer-{buyer}") },
            });
            match dice.roll(3) {
                0 => order["visitor_id"] = json!(format!("visitor-{buyer}")),
                1 => order["click_id"] = json!(click),
                _ => {
                    order["click_id"] = json!(click);
                    order["customer"]["email"] = json!(format!("buyer-{buyer}@mail.example"));
                }
            }
            match dice.roll(8) {
                0 => order["promo_codes"] = json!(["ANNA10"]),
                1 => order["status"] = json!("pending"),
                2 => orders.push(order.clone()),
                _ => {}
            }
            orders.push(order);
        }
    }
    (touches, orders)
}

/// Anna has 10 %, Boris tiers by the month.
async fn two_partners(app: &TestApp) -> [String; 2] {
    let of = app.set_up().await;
    let boris = app.make("/v1/partners", json!({ "name": "Boris", "email": "boris@blog.example" })).await;
    let tiers = json!([{ "from": "0", "percent": "5" }, { "from": "20000", "percent": "8" }]);
    app.make(
        "/v1/commission-rules",
        json!({ "program": of["program"], "partner": boris["id"], "tiers": { "mode": "marginal", "steps": tiers } }),
    )
    .await;
    [of["partner"].as_str().unwrap().to_owned(), boris["id"].as_str().unwrap().to_owned()]
}

/// What became of orders: whose each is, by what, and what it owes; why, and what other policies say, of those that `why`
/// is asked of.
async fn became(app: &TestApp, orders: &[Value], why: impl Fn(&Value) -> bool) -> BTreeMap<String, Value> {
    let mut became = BTreeMap::new();
    for order in orders {
        let id = order["external_id"].as_str().unwrap();
        let attribution = app.get(&format!("/v1/orders/{id}/attribution")).await;
        let payable = &attribution["payable"];
        let commissions = attribution["commissions"].as_array().unwrap();
        let commissions: Vec<Value> =
            commissions.iter().map(|c| json!([c["partner"], c["amount"], c["state"], c["kind"]])).collect();
        let mut said = json!([payable["partner"], payable["via"], payable["reason"], commissions]);
        if why(order) {
            said.as_array_mut().unwrap().extend([payable["trace"].clone(), payable["other_policies"].clone()]);
        }
        became.insert(id.to_owned(), said);
    }
    became
}

fn kind(app: &TestApp) -> Kind {
    if app.database_url.starts_with("sqlite") { Kind::Sqlite } else { Kind::Postgres }
}

fn sent(app: &TestApp, order: Value) -> Sent {
    let input: OrderInput = serde_json::from_value(order).unwrap();
    Sent { order: input.check(&app.service.context("test")).unwrap(), actor: "test".to_owned() }
}

/// Which of the orders are recorded together, in one transaction that is kept.
async fn together(app: &TestApp, orders: &[Value]) -> Vec<bool> {
    let sent: Vec<Sent> = orders.iter().map(|order| sent(app, order.clone())).collect();
    let mut tx = app.service.db.begin().await.unwrap();
    let context = app.service.context("orders");
    let recorded = record_together(&mut tx, &context, app.clock.now(), &sent).await.unwrap();
    tx.commit().await.unwrap();
    for (recorded, order) in recorded.iter().zip(orders) {
        if let Some(recorded) = recorded {
            assert_eq!(recorded.order.external_id, order["external_id"].as_str().unwrap());
        }
    }
    recorded.iter().map(Option::is_some).collect()
}

both_stores! {
    async fn orders_at_once_become_what_each_would_alone(app: &TestApp) {
        let alone = TestApp::spawn(kind(app)).await.unwrap();
        let partners = two_partners(app).await;
        assert_eq!(two_partners(&alone).await, partners);
        let (touches, orders) = shopping([&partners[0], &partners[1]], app.clock.now());
        import_touches(app, &touches).await;
        import_touches(&alone, &touches).await;

        let sent = stream::iter(&orders).map(|order| app.post("/v1/orders", order.clone())).buffer_unordered(12);
        let answers: Vec<(u16, Value)> = sent.collect().await;
        let new = answers.iter().filter(|(status, _)| *status == 201).count();
        for order in &orders {
            alone.make("/v1/orders", order.clone()).await;
        }

        // With more orders of a buyer, why hangs on which of them was known first.
        let buyer = |order: &Value| order["customer"]["id"].clone();
        let is_only = |order: &Value| !orders.iter().any(|o| buyer(o) == buyer(order) && o["external_id"] != order["external_id"]);
        let theirs = became(&alone, &orders, is_only).await;
        assert_eq!(new, theirs.len(), "each order is new once");
        assert!(theirs.values().filter(|order| !order[0].is_null()).count() > 40, "{theirs:?}");
        let ours = became(app, &orders, is_only).await;
        let other: Vec<_> = ours.iter().filter(|(id, order)| theirs[*id] != **order).map(|(id, ours)| (id, ours, &theirs[id])).collect();
        assert!(other.is_empty(), "{other:#?}");
        for partner in &partners {
            let statement = format!("/v1/partners/{partner}/statement");
            let (ours, theirs) = (app.get(&statement).await, alone.get(&statement).await);
            assert_eq!(balances(&ours), balances(&theirs));
            assert_ne!(ours["data"][0]["closing"]["amount"], "0.00", "{ours}");
        }
        alone.finish().await;
    }

    async fn orders_of_a_file_become_what_each_would_in_its_turn(app: &TestApp) {
        let alone = TestApp::spawn(kind(app)).await.unwrap();
        let partners = two_partners(app).await;
        two_partners(&alone).await;
        let (touches, mut orders) = shopping([&partners[0], &partners[1]], app.clock.now());
        orders.sort_by_key(|order| order["placed_at"].as_str().unwrap().to_owned());
        import_touches(app, &touches).await;
        import_touches(&alone, &touches).await;
        let mut text = "external_id,placed_at,currency,total,tax,customer_id,customer_email,visitor_id,click_id,promo_codes,status\n".to_owned();
        for order in &orders {
            let cell = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let cells = ["external_id", "placed_at", "currency", "total", "tax"].map(|name| cell(&order[name]));
            let who = [&order["customer"]["id"], &order["customer"]["email"], &order["visitor_id"], &order["click_id"]].map(cell);
            text += &[&cells[..], &who[..], &[cell(&order["promo_codes"][0]), cell(&order["status"])]].concat().join(",");
            text += "\n";
        }
        let mut tx = app.service.db.begin().await.unwrap();
        let context = app.service.context("test");
        let done = import(&mut tx, &context, ImportKind::Orders, text.as_bytes(), &HashMap::new(), |_| {}).await.unwrap();
        tx.commit().await.unwrap();
        for order in &orders {
            alone.make("/v1/orders", order.clone()).await;
        }

        let theirs = became(&alone, &orders, |_| true).await;
        assert_eq!((done.new as usize, done.known as usize), (theirs.len(), orders.len() - theirs.len()));
        let ours = became(app, &orders, |_| true).await;
        let other: Vec<_> = ours.iter().filter(|(id, order)| theirs[*id] != **order).map(|(id, ours)| (id, ours, &theirs[id])).collect();
        assert!(other.is_empty(), "{other:#?}");
        alone.finish().await;
    }

    async fn plain_orders_go_together_and_others_wait(app: &TestApp) {
        let [anna, _] = two_partners(app).await;
        let order = |id: &str, more: Value| {
            let mut order = json!({ "external_id": id, "placed_at": app.now(), "currency": "RUB", "total": "100.00" });
            order.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            order
        };
        let at = (app.clock.now() - TimeDelta::hours(1)).to_rfc3339();
        import_touches(app, &format!("id,at,kind,visitor_id,partner,program\nc1,{at},click,v1,{anna},Shop\nc2,{at},click,v1,{anna},Shop\n")).await;
        let first = [
            order("a", json!({ "click_id": "c1", "customer": { "id": "1", "email": "one@mail.example" } })),
            order("b", json!({ "customer": { "id": "2" } })),
            order("c", json!({})),
            // The visitor of the first one's click.
            order("d", json!({ "click_id": "c2" })),
            order("e", json!({ "customer": { "id": "2" } })),
            order("f", json!({ "promo_codes": ["ANNA10"] })),
            order("g", json!({ "status": "pending" })),
            order("b", json!({ "customer": { "id": "3" } })),
        ];
        assert_eq!(together(app, &first).await, [true, true, true, false, false, false, false, false]);
        let shown = app.get("/v1/orders/a").await;
        assert_eq!((&shown["payable"]["via"], &shown["commissions"][0]["amount"]["amount"]), (&json!("click"), &json!("10.00")));

        let young = uuid::Uuid::now_v7();
        app.clock.advance(Utc::now() - app.clock.now());
        let second = [
            // They come again, each known with all that joins them, with a new click.
            order("h", json!({ "visitor_id": "v1", "customer": { "id": "1" } })),
            order("i", json!({ "customer": { "id": "2", "email": "two@mail.example" } })),
            // Two persons who would be one; another customer by a known address; a click that may be on its way.
            order("j", json!({ "visitor_id": "v9", "customer": { "id": "1", "email": "two@mail.example" } })),
            order("k", json!({ "customer": { "id": "4", "email": "one@mail.example" } })),
            order("l", json!({ "click_id": young.to_string() })),
            order("a", json!({})),
        ];
        assert_eq!(together(app, &second).await, [true, true, false, false, false, false]);
        for order in first.into_iter().skip(3).chain(second.into_iter().skip(2)).filter(|o| o["external_id"] != "a" && o["external_id"] != "b") {
            app.make("/v1/orders", order).await;
        }
        let shown = app.get("/v1/orders/h").await;
        assert_eq!(shown["payable"]["partner"], json!(anna), "{shown}");
    }

    async fn a_rule_with_a_cap_takes_orders_one_by_one(app: &TestApp) {
        let of = app.set_up().await;
        let order = |id: &str| json!({ "external_id": id, "placed_at": app.now(), "currency": "RUB", "total": "100.00", "promo_codes": [] });
        assert_eq!(together(app, &[order("a"), order("b")]).await, [true, true]);
        app.make(
            "/v1/commission-rules",
            json!({ "program": of["program"], "percent": "10", "priority": 5, "cap": { "amount": "1000.00", "per": "month" } }),
        )
        .await;
        assert_eq!(together(app, &[order("c"), order("d")]).await, [false, false]);
    }

    async fn one_bad_order_keeps_none_of_the_others(app: &TestApp) {
        // The database refuses whatever goes together with this one.
        let now = if kind(app) == Kind::Sqlite { "0" } else { "NOW()" };
        app.behind_its_back(&format!("INSERT INTO evidence (source, at) VALUES ('order good-3', {now})")).await;
        let of = app.set_up().await;
        app.make(
            "/v1/commission-rules",
            json!({ "program": of["program"], "percent": "90", "priority": 5 }),
        )
        .await;
        let (_, click) = app.click("anna").await;
        app.mover_done().await;
        let order = |id: String, total: &str| {
            json!({ "external_id": id, "placed_at": app.now(), "currency": "RUB", "total": total, "customer": { "id": id } })
        };
        let mut posts: Vec<Value> = (0..12).map(|number| order(format!("good-{number}"), "10.00")).collect();
        posts[5]["currency"] = json!("USD");
        posts[7]["click_id"] = json!(click);
        let all: Vec<Sent> = posts.iter().enumerate().filter(|(n, _)| *n != 5).map(|(_, post)| sent(app, post.clone())).collect();
        let mut tx = app.service.db.begin().await.unwrap();
        let refused = record_together(&mut tx, &app.service.context("orders"), app.clock.now(), &all).await;
        assert!(refused.is_err(), "nothing of what went with it stays");
        drop(tx);
        let answers = join_all(posts.iter().map(|post| app.post("/v1/orders", post.clone()))).await;
        let statuses: Vec<u16> = answers.iter().map(|(status, _)| *status).collect();
        let expected: Vec<u16> = (0..12).map(|number| if number == 5 { 422 } else { 201 }).collect();
        assert_eq!(statuses, expected);
        assert_eq!(answers[5].1["errors"][0]["pointer"], "/currency");
        assert_eq!(answers[7].1["commissions"][0]["amount"]["amount"], "9.00");
    }
}
