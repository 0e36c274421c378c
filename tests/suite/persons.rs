//! Who is one person: by evidence in any order, with shared devices set aside, and taken back where it was wrong.

use crate::support::*;
use chrono::TimeDelta;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use tributary::domain::id::PersonId;
use tributary::domain::person::union::{Statement, persons};
use tributary::domain::person::{Identifier, IdentifierKind};
use tributary::service::stitch;
use tributary::store::person;

/// `v1 c2 k3 e4 p5`: a visitor, a customer, a click, an e-mail, a phone.
fn identifiers(text: &str) -> Vec<Identifier> {
    let of = |word: &str| match &word[..1] {
        "v" => Identifier::new(IdentifierKind::Visitor, word),
        "c" => Identifier::new(IdentifierKind::Customer, word),
        "k" => stitch::click_identifier(word),
        "e" => Identifier::new(IdentifierKind::Email, word),
        _ => Identifier::new(IdentifierKind::Phone, word),
    };
    text.split_whitespace().map(of).collect()
}

/// The persons that are stored, without lone identifiers; only those whose values begin with a prefix, which is dropped.
async fn stored(app: &TestApp, prefix: &str) -> BTreeSet<BTreeSet<Identifier>> {
    let mut found: BTreeMap<PersonId, BTreeSet<Identifier>> = BTreeMap::new();
    let pages = person::page(&app.service.db, PersonId(0), 100_000).await.unwrap();
    for row in person::of_persons(&app.service.db, &pages).await.unwrap() {
        if let Some(value) = row.value.strip_prefix(prefix) {
            found.entry(row.person_id).or_default().insert(Identifier::new(row.kind, value));
        }
    }
    found.into_values().filter(|person| person.len() > 1).collect()
}

async fn say(app: &TestApp, statement: &Statement, prefix: &str) {
    let context = app.service.context("test");
    let named = |identifiers: &[Identifier]| -> Vec<Identifier> {
        identifiers.iter().map(|i| Identifier::new(i.kind, format!("{prefix}{}", i.value))).collect()
    };
    let mut tx = app.service.db.begin().await.unwrap();
    match statement {
        Statement::Evidence { source, identifiers } => {
            stitch::join(&mut tx, &context, &named(identifiers), &format!("{prefix}{source}")).await.unwrap();
        }
        Statement::Claim { at, hit, identifiers } => {
            stitch::attach(&mut tx, &context, &named(identifiers), *at, *hit).await.unwrap();
        }
    }
    tx.commit().await.unwrap();
}

fn statement() -> impl Strategy<Value = Statement> {
    let some = |letter: &'static str, most: u8| prop::option::weighted(0.5, (0..most).prop_map(move |n| format!("{letter}{n}")));
    let words = |parts: Vec<Option<String>>| identifiers(&parts.into_iter().flatten().collect::<Vec<_>>().join(" "));
    prop_oneof![
        (0..10u8, some("v", 3), some("c", 5), some("e", 3), some("p", 3), some("k", 3)).prop_map(
            move |(source, v, c, e, p, k)| {
                Statement::Evidence { source: format!("order {source}"), identifiers: words(vec![v, c, e, p, k]) }
            }
        ),
        (0..40i64, some("v", 5), some("c", 6), some("k", 5)).prop_map(move |(minute, v, c, k)| {
            let identifiers = words(vec![v, c, k]);
            let text: String = identifiers.iter().map(|i| i.value.as_str()).collect();
            let hit = text.bytes().fold(minute as u128, |sum, byte| sum.wrapping_mul(257).wrapping_add(byte.into()));
            let at = chrono::DateTime::from_timestamp(minute * 60, 0).unwrap();
            Statement::Claim { at, hit: uuid::Uuid::from_u128(hit), identifiers }
        }),
    ]
}

fn order(app: &TestApp, external_id: &str, more: Value) -> Value {
    let mut body = json!({ "external_id": external_id, "placed_at": app.now(), "currency": "RUB", "total": "100.00" });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

async fn person_of(app: &TestApp, external_id: &str) -> PersonId {
    tributary::store::order::by_external_id(&app.service.db, external_id).await.unwrap().unwrap().person
}

async fn touches_of(app: &TestApp, external_id: &str) -> usize {
    app.get(&format!("/v1/orders/{external_id}/attribution")).await["touches"].as_array().unwrap().len()
}

/// A click of somebody new; answers the visitor.
async fn clicking_visitor(app: &TestApp) -> String {
    let response = app.visitor(Method::GET, "/r/anna").send().await.unwrap();
    let cookie = response.headers()["set-cookie"].to_str().unwrap();
    cookie.split(';').next().unwrap().split('=').nth(1).unwrap().to_owned()
}

both_stores! {
    async fn any_order_of_arrival_ends_in_the_same_persons(app: &TestApp) {
        let mut runner = TestRunner::new(Config::default());
        let strategy = prop::collection::vec(statement(), 2..16).prop_flat_map(|statements| {
            let shuffled = Just([statements.clone(), statements.clone()].concat()).prop_shuffle();
            (Just(statements), shuffled)
        });
        let mut tx = app.service.db.begin().await.unwrap();
        stitch::set_most_customers(&mut tx, &app.service.context("test"), 2).await.unwrap();
        tx.commit().await.unwrap();
        // On a store so young that persons and identifiers still have the same numbers.
        let minute = |minute: i64, identified: &str| Statement::Claim {
            at: chrono::DateTime::from_timestamp(minute * 60, 0).unwrap(),
            hit: uuid::Uuid::from_u128(minute as u128),
            identifiers: identifiers(identified),
        };
        let evidence = |source: &str, named: &str| Statement::Evidence { source: source.to_owned(), identifiers: identifiers(named) };
        let first = [
            minute(11, "v4 k1"),
            evidence("order 7", "e2 p0"),
            evidence("order 7", "v0 c3 p1 k1"),
            evidence("order 3", "v0 c2 e2 p1 k2"),
            evidence("order 6", "v0 e2"),
            minute(9, "v3 k1"),
        ];
        for (step, statement) in first.iter().enumerate() {
            say(app, statement, "first ").await;
            assert_eq!(stored(app, "first ").await, persons(&first[..=step], 2), "after step {step}");
        }
        for number in 0..60 {
            let (statements, shuffled) = strategy.new_tree(&mut runner).unwrap().current();
            let expected = persons(&statements, 2);
            for (run, sequence) in [("a", &statements), ("b", &shuffled)] {
                let prefix = format!("{number}{run} ");
                for (step, statement) in sequence.iter().enumerate() {
                    say(app, statement, &prefix).await;
                    let so_far = persons(&sequence[..=step], 2);
                    assert_eq!(stored(app, &prefix).await, so_far, "after step {step} of {sequence:#?}");
                }
                assert_eq!(stored(app, &prefix).await, expected, "{sequence:#?}");
            }
        }
    }

    async fn what_a_shared_browser_saw_is_nobodys(app: &TestApp) {
        let ids = app.set_up().await;
        let kiosk = clicking_visitor(app).await;
        app.advance(TimeDelta::hours(1));
        for number in 1..=5 {
            let customer = json!({ "visitor_id": kiosk, "customer": { "id": format!("c{number}") } });
            app.make("/v1/orders", order(app, &format!("K-{number}"), customer)).await;
        }
        assert_eq!(person_of(app, "K-1").await, person_of(app, "K-5").await);
        assert_eq!(touches_of(app, "K-5").await, 1);
        let decided = app.get("/v1/orders/K-1").await["payable"].clone();
        assert_eq!(decided["partner"], ids["partner"]);
        let balance = app.get(&format!("/v1/partners/{}/statement", ids["partner"].as_str().unwrap())).await;

        // The sixth customer shows that it is nobody's own; a seventh is a guest, an eighth has nothing else.
        app.make("/v1/orders", order(app, "K-6", json!({ "visitor_id": kiosk, "customer": { "id": "c6" } }))).await;
        app.make("/v1/orders", order(app, "K-7", json!({ "visitor_id": kiosk, "customer": { "email": "guest@mail.example" } }))).await;
        let eighth = app.make("/v1/orders", order(app, "K-8", json!({ "visitor_id": kiosk }))).await;
        assert_eq!(eighth["payable"]["partner"], Value::Null);
        app.make("/v1/orders", order(app, "K-8", json!({ "visitor_id": kiosk }))).await;
        let mut apart = BTreeSet::new();
        for number in 1..=8 {
            let external_id = format!("K-{number}");
            apart.insert(person_of(app, &external_id).await);
            assert_eq!(touches_of(app, &external_id).await, 0, "{external_id}");
        }
        assert_eq!(apart.len(), 8);
        // What was decided stays, and so does the money.
        assert_eq!(app.get("/v1/orders/K-1").await["payable"], decided);
        assert_eq!(app.get(&format!("/v1/partners/{}/statement", ids["partner"].as_str().unwrap())).await, balance);
        // Evidence of its own still joins: c1 on another device.
        app.make("/v1/orders", order(app, "K-9", json!({ "visitor_id": "phone", "customer": { "id": "c1" } }))).await;
        assert_eq!(person_of(app, "K-9").await, person_of(app, "K-1").await);

        // A larger family.
        let mut tx = app.service.db.begin().await.unwrap();
        let concerned = stitch::set_most_customers(&mut tx, &app.service.context("test"), 7).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(concerned, 1);
        assert_eq!(person_of(app, "K-1").await, person_of(app, "K-8").await);
        assert_eq!(touches_of(app, "K-8").await, 1);
    }

    async fn a_reversed_merge_is_not_made_again_by_the_same_evidence(app: &TestApp) {
        app.set_up().await;
        let (laptop, telephone) = (clicking_visitor(app).await, clicking_visitor(app).await);
        app.advance(TimeDelta::hours(1));
        app.make("/v1/orders", order(app, "R-1", json!({ "visitor_id": laptop, "customer": { "id": "anna" } }))).await;
        app.make("/v1/orders", order(app, "R-2", json!({ "visitor_id": telephone, "customer": { "id": "boris" } }))).await;
        assert_eq!(app.get("/v1/person-merges").await["data"], json!([]));
        // Boris pays with Anna's address.
        let wrong = order(app, "R-3", json!({ "customer": { "id": "boris", "email": "anna@mail.example" } }));
        app.make("/v1/orders", order(app, "R-4", json!({ "customer": { "id": "anna", "email": "anna@mail.example" } }))).await;
        app.make("/v1/orders", wrong.clone()).await;
        app.make("/v1/orders", wrong.clone()).await;
        let merges = app.get("/v1/person-merges").await["data"].clone();
        assert_eq!(merges.as_array().unwrap().len(), 1, "{merges}");
        assert_eq!((merges[0]["because"].as_str(), merges[0]["reversed_at"].clone()), (Some("order R-3"), Value::Null));
        assert_eq!(person_of(app, "R-1").await, person_of(app, "R-2").await);
        assert_eq!((touches_of(app, "R-1").await, touches_of(app, "R-3").await), (2, 2));
        let decided = app.get("/v1/orders/R-3").await["payable"].clone();

        let path = format!("/v1/person-merges/{}/reverse", merges[0]["id"].as_str().unwrap());
        assert_eq!(app.refused(&path, json!({ "reason": " " })).await, (422, vec!["/reason".to_owned()]));
        assert_eq!(app.refused("/v1/person-merges/mrg_99/reverse", json!({ "reason": "x" })).await.0, 404);
        let reversed = app.make(&path, json!({ "reason": "she paid for him" })).await;
        assert_eq!(reversed["reversed_because"], "she paid for him");
        assert!(reversed["reversed_by"].as_str().unwrap().contains("test"), "{reversed}");
        let again = app.make(&path, json!({ "reason": "twice" })).await;
        assert_eq!(again, reversed);
        app.make("/v1/orders", wrong).await;
        assert_ne!(person_of(app, "R-1").await, person_of(app, "R-2").await);
        assert_eq!(person_of(app, "R-3").await, person_of(app, "R-2").await);
        assert_eq!(person_of(app, "R-4").await, person_of(app, "R-1").await);
        for external_id in ["R-1", "R-2", "R-3", "R-4"] {
            let answer = app.get(&format!("/v1/orders/{external_id}/attribution")).await;
            assert_eq!(answer["touches"].as_array().unwrap().len(), 1, "{external_id}");
            assert_eq!(answer["models"]["linear"].as_array().unwrap().len(), 1, "{external_id}");
        }
        assert_eq!(app.get("/v1/orders/R-3").await["payable"], decided);
        assert_eq!(app.get("/v1/person-merges").await["data"].as_array().unwrap().len(), 1);
        let log = tributary::store::audit::latest(&app.service.db, 50).await.unwrap();
        assert_eq!(log.iter().filter(|line| line.act == "person.reverse_merge").count(), 1);
        assert_eq!(app.broken().await, Vec::<String>::new());

        // At the terminal too: reversed already, and the number of the guard.
        let data = app.folder.path().join("data").display().to_string();
        let person = |words: &[&str]| run(&[&["--database-url", app.database_url.as_str(), "--data-dir", &data, "person"], words].concat(), "");
        let (code, out, errors) = person(&["split", merges[0]["id"].as_str().unwrap(), "--reason", "again"]);
        assert!(code == 0 && out.contains("is reversed"), "{out}{errors}");
        let (code, out, errors) = person(&["merges"]);
        assert!(code == 0 && out.contains("order R-3") && out.contains("she paid for him"), "{out}{errors}");
        assert_eq!(person(&["split", "mrg_99", "--reason", "x"]).0, 1);
        assert_eq!((person(&["guard"]).1.trim(), person(&["guard", "--customers", "0"]).0), ("5", 1));

        // Another source says the same: that is new.
        app.make("/v1/orders", order(app, "R-5", json!({ "customer": { "id": "boris", "email": "anna@mail.example" } }))).await;
        assert_eq!(person_of(app, "R-1").await, person_of(app, "R-2").await);
        assert_eq!(app.get("/v1/person-merges").await["data"].as_array().unwrap().len(), 2);
    }

    async fn what_came_after_a_merge_goes_with_its_side(app: &TestApp) {
        let statements: Vec<(&str, &str)> = vec![
            ("order 1", "c1 v1"), ("order 2", "c2 v2"), ("order 3", "v1 c2"),
            ("order 4", "v2 e2"), ("order 5", "c1 e1"), ("order 6", "v2 c1"),
        ];
        for (source, named) in &statements {
            say(app, &Statement::Evidence { source: (*source).to_owned(), identifiers: identifiers(named) }, "").await;
        }
        let mut tx = app.service.db.begin().await.unwrap();
        let merges = tributary::store::person_merge::list(&mut tx, 0, 10).await.unwrap();
        assert_eq!(merges.len(), 1);
        let why = stitch::ReverseInput { reason: Some("two people".to_owned()) };
        stitch::reverse(&mut tx, &app.service.context("test"), merges[0].id, &why).await.unwrap();
        tx.commit().await.unwrap();
        let wanted: BTreeSet<BTreeSet<Identifier>> =
            ["c1 v1 e1", "c2 v2 e2"].iter().map(|person| identifiers(person).into_iter().collect()).collect();
        assert_eq!(stored(app, "").await, wanted);
        for (source, named) in &statements {
            say(app, &Statement::Evidence { source: (*source).to_owned(), identifiers: identifiers(named) }, "").await;
        }
        assert_eq!(stored(app, "").await, wanted);
    }

    async fn what_a_browser_joined_is_reversed_too(app: &TestApp) {
        let claim = |minute: i64, named: &str| Statement::Claim {
            at: chrono::DateTime::from_timestamp(minute * 60, 0).unwrap(),
            hit: uuid::Uuid::from_u128(minute as u128),
            identifiers: identifiers(named),
        };
        let guest = Statement::Evidence { source: "order 1".to_owned(), identifiers: identifiers("v1 e1") };
        for statement in [&guest, &claim(1, "v2 c1"), &claim(2, "v1 c1")] {
            say(app, statement, "").await;
        }
        assert_eq!(stored(app, "").await.len(), 1);
        let mut tx = app.service.db.begin().await.unwrap();
        let merges = tributary::store::person_merge::list(&mut tx, 0, 10).await.unwrap();
        let why = stitch::ReverseInput { reason: Some("a borrowed telephone".to_owned()) };
        stitch::reverse(&mut tx, &app.service.context("test"), merges[0].id, &why).await.unwrap();
        tx.commit().await.unwrap();
        let wanted: BTreeSet<BTreeSet<Identifier>> =
            ["v1 e1", "v2 c1"].iter().map(|person| identifiers(person).into_iter().collect()).collect();
        assert_eq!(stored(app, "").await, wanted);
        for statement in [&claim(3, "v1 c1"), &claim(2, "v1 c1"), &guest] {
            say(app, statement, "").await;
        }
        assert_eq!(stored(app, "").await, wanted);
    }

    async fn a_phone_is_the_same_however_it_is_typed_and_a_bad_one_is_left_out(app: &TestApp) {
        app.set_up().await;
        for (external_id, phone) in [("P-1", "8 (912) 345-67-89"), ("P-2", "+7 912 345 67 89 доб. 3"), ("P-3", "не дам"), ("P-4", "не дам")] {
            app.make("/v1/orders", order(app, external_id, json!({ "customer": { "phone": phone } }))).await;
        }
        assert_eq!(person_of(app, "P-1").await, person_of(app, "P-2").await);
        assert_ne!(person_of(app, "P-3").await, person_of(app, "P-4").await);
    }

    async fn doctor_finds_persons_that_were_tampered_with(app: &TestApp) {
        say(app, &Statement::Evidence { source: "order 1".to_owned(), identifiers: identifiers("c1 v1 e1") }, "").await;
        say(app, &Statement::Evidence { source: "order 2".to_owned(), identifiers: identifiers("c2 v2") }, "").await;
        let tamper = async |sql: &'static str| {
            let mut tx = app.service.db.begin().await.unwrap();
            tributary::exec!(&mut tx, sqlx::query(sql)).unwrap();
            tx.commit().await.unwrap();
        };
        tamper("UPDATE identifiers SET person_id = (SELECT person_id FROM identifiers WHERE value = 'c2') WHERE value = 'v1'").await;
        assert!(app.broken().await.iter().any(|b| b.contains("should be one person")));
        tamper("UPDATE identifiers SET person_id = (SELECT person_id FROM identifiers WHERE value = 'c1') WHERE value = 'v1'").await;
        tamper("UPDATE identifiers SET customers = 3 WHERE value = 'v1'").await;
        assert!(app.broken().await.iter().any(|b| b.contains("tied to 1 customers, not 3")));
        tamper("UPDATE identifiers SET customers = 1 WHERE value = 'v1'").await;
    }
}

/// A store of the version before evidence was kept: six customers joined by the browser at a counter, and one of two devices.
const OLD_PERSONS: [(i64, &str, &str); 10] = [
    (1, "visitor", "counter"),
    (1, "customer", "c1"),
    (1, "customer", "c2"),
    (1, "customer", "c3"),
    (1, "customer", "c4"),
    (1, "customer", "c5"),
    (1, "customer", "c6"),
    (2, "visitor", "laptop"),
    (2, "customer", "c7"),
    (2, "click", "0199aaaa-0000-7000-8000-000000000001"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn persons_of_an_older_version_keep_what_is_not_shared() {
    let folder = tempfile::tempdir().unwrap();
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let Some(url) = fresh_database(kind, &folder).await else { return };
        let (zero, no) = if kind == Kind::Sqlite { ("0", "'{}'") } else { ("TIMESTAMPTZ 'epoch'", "'{}'") };
        let mut sql = vec![
            format!("INSERT INTO persons (created_at) VALUES ({zero})"),
            format!("INSERT INTO persons (created_at) VALUES ({zero})"),
        ];
        for (person, kind, value) in OLD_PERSONS {
            sql.push(format!("INSERT INTO identifiers (kind, value, person_id) VALUES ('{kind}', '{value}', {person})"));
        }
        for (number, visitor) in
            [(1, "counter"), (2, "counter"), (3, "counter"), (4, "counter"), (5, "counter"), (6, "counter"), (7, "laptop")]
        {
            sql.push(format!(
                "INSERT INTO orders (external_id, status, placed_at, day, currency, total_minor, tax_minor, shipping_minor, discount_minor, items, \
                 customer_id, visitor_id, promo_codes, utm, metadata, person_id, created_at, updated_at) VALUES ('O-{number}', 'pending', {zero}, \
                 '1970-01-01', 'RUB', 100, 0, 0, 0, '[]', 'c{number}', '{visitor}', '[]', {no}, {no}, {}, {zero}, {zero})",
                if number == 7 { 2 } else { 1 }
            ));
        }
        match kind {
            Kind::Sqlite => {
                let options = sqlx::sqlite::SqliteConnectOptions::new()
                    .filename(url.strip_prefix("sqlite://").unwrap())
                    .create_if_missing(true);
                let pool = sqlx::SqlitePool::connect_with(options).await.unwrap();
                sqlx::migrate!("migrations/sqlite").run_to(4, &pool).await.unwrap();
                for sql in sql {
                    sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&pool).await.unwrap();
                }
                pool.close().await;
            }
            Kind::Postgres => {
                let pool = sqlx::PgPool::connect(&url).await.unwrap();
                sqlx::migrate!("migrations/postgres").run_to(4, &pool).await.unwrap();
                for sql in sql {
                    sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&pool).await.unwrap();
                }
                pool.close().await;
            }
        }
        for _ in 0..2 {
            let service = tributary::service::Tributary::open(&url, None, tributary::clock::Clock::system()).await.unwrap();
            let of = async |kind: IdentifierKind, value: &str| {
                person::of_identifier(&service.db, &Identifier::new(kind, value)).await.unwrap().unwrap()
            };
            assert_eq!(of(IdentifierKind::Visitor, "laptop").await, of(IdentifierKind::Customer, "c7").await);
            let counter = of(IdentifierKind::Visitor, "counter").await;
            // What joined them else is not known any more, so they stay together, without the counter's touches.
            assert_eq!(of(IdentifierKind::Customer, "c1").await, of(IdentifierKind::Customer, "c6").await);
            assert_ne!(of(IdentifierKind::Customer, "c1").await, counter);
            let findings = tributary::service::doctor::examine(&service).await.unwrap();
            let broken: Vec<_> = findings.iter().filter(|f| f.what.contains("persons")).flat_map(|f| &f.broken).collect();
            assert!(broken.is_empty(), "{broken:?}");
            service.db.close().await;
        }
    }
}
