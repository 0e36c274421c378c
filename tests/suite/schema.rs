//! Both databases have the same tables and columns, and a backup knows them all.

use crate::support::*;
use tributary::store::{Db, dump};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_databases_have_the_same_tables_and_columns() {
    let folder = tempfile::tempdir().unwrap();
    let mut found = Vec::new();
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let Some(url) = fresh_database(kind, &folder).await else { return };
        let db = Db::open(&url).await.unwrap();
        let mut tx = db.begin().await.unwrap();
        let mut tables = Vec::new();
        for table in dump::tables(&mut tx).await.unwrap() {
            let columns: Vec<String> = dump::columns(&mut tx, &table).await.unwrap().into_iter().map(|(name, _)| name).collect();
            tables.push((table, columns));
        }
        let mut known: Vec<&str> = dump::TABLES.to_vec();
        known.sort_unstable();
        assert_eq!(tables.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), known);
        found.push(tables);
    }
    assert_eq!(found[0], found[1]);
}

both_stores! {
    async fn the_ledger_refuses_change_and_deletion(app: &TestApp) {
        app.set_up().await;
        let (_, click_id) = app.click("anna").await;
        app.make("/v1/orders", serde_json::json!({ "external_id": "S-1", "placed_at": app.now(), "currency": "RUB", "total": "10.00", "click_id": click_id })).await;
        for sql in ["UPDATE ledger_entries SET amount_minor = 1", "DELETE FROM ledger_entries", "UPDATE journals SET note = 'x'", "DELETE FROM journals"] {
            let mut tx = app.service.db.begin().await.unwrap();
            let refused = tributary::exec!(&mut tx, sqlx::query(sql));
            assert!(refused.unwrap_err().to_string().contains("never"), "{sql}");
        }
    }

    async fn doctor_finds_what_was_tampered_with(app: &TestApp) {
        app.set_up().await;
        let (_, click_id) = app.click("anna").await;
        app.make("/v1/orders", serde_json::json!({ "external_id": "S-2", "placed_at": app.now(), "currency": "RUB", "total": "100.00", "click_id": click_id })).await;
        let tamper = async |sql: &'static str| {
            let mut tx = app.service.db.begin().await.unwrap();
            tributary::exec!(&mut tx, sqlx::query(sql)).unwrap();
            tx.commit().await.unwrap();
        };
        tamper("UPDATE commissions SET amount_minor = 999").await;
        let broken = app.broken().await;
        assert!(broken.iter().any(|b| b.contains("the ledger 1000")), "{broken:?}");
        assert!(broken.iter().any(|b| b.contains("what the order's state owes")), "{broken:?}");
        tamper("UPDATE commissions SET amount_minor = 1000").await;
        tamper("INSERT INTO ledger_entries (journal_id, account, partner_id, currency, amount_minor, day) SELECT id, 'available', 1, 'RUB', 5, day FROM journals").await;
        assert!(app.broken().await.iter().any(|b| b.contains("sums to 5")));
        app.behind_its_back("DELETE FROM ledger_entries WHERE amount_minor = 5").await;
    }
}

/// The touches of a store of version 0.1: one with everything, one with nothing, one that repeats the first's texts.
const FIRST_TOUCHES: [&str; 3] = [
    "'0199aaaa000070008000000000000001', 'c1', '2025-12-31 23:30:00', '2026-01-01', 'click', 'v1', 'k1', 'paid_search', 'google', 'cpc', 'spring', NULL, 'shoes', \
     'https://shop.example/p?a=1&gclid=X', 'https://www.google.com/', 'Browser/1', 'en', '198.51.100.1', NULL, NULL",
    "'0199aaaa000070008000000000000002', NULL, '2026-02-01 10:00:00', '2026-02-01', 'visit', NULL, NULL, 'direct', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL",
    "'0199aaaa000070008000000000000003', NULL, '2026-02-01 11:00:00', '2026-02-01', 'click', 'v1', NULL, 'paid_search', 'google', 'cpc', 'spring', NULL, 'shoes', \
     'https://shop.example/p?a=2', 'https://www.google.com/', 'Browser/1', NULL, NULL, 'bot', 'crawler x'",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn touches_of_the_first_version_are_read_as_they_were() {
    let folder = tempfile::tempdir().unwrap();
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let Some(url) = fresh_database(kind, &folder).await else { return };
        const COLUMNS: &str = "id, external_id, at, day, kind, visitor_id, customer_id, channel, source, medium, campaign, content, term, \
             url, referrer, user_agent, language, ip, mark, mark_reason, consent_denied, click_ids, subs";
        match kind {
            Kind::Sqlite => {
                let options = sqlx::sqlite::SqliteConnectOptions::new()
                    .filename(url.strip_prefix("sqlite://").unwrap())
                    .create_if_missing(true);
                let pool = sqlx::SqlitePool::connect_with(options).await.unwrap();
                sqlx::migrate!("migrations/sqlite").run_to(1, &pool).await.unwrap();
                for row in FIRST_TOUCHES {
                    let (id, rest) = row.split_once(", ").unwrap();
                    let (external, rest) = rest.split_once(", ").unwrap();
                    let (at, rest) = rest.split_once(", ").unwrap();
                    let sql = format!(
                        "INSERT INTO touches ({COLUMNS}) VALUES (unhex({id}), {external}, CAST(strftime('%s', {at}) AS INTEGER) * 1000000, {rest}, 0, '{{}}', '{{}}')"
                    );
                    sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&pool).await.unwrap();
                }
                pool.close().await;
            }
            Kind::Postgres => {
                let pool = sqlx::PgPool::connect(&url).await.unwrap();
                sqlx::migrate!("migrations/postgres").run_to(1, &pool).await.unwrap();
                for row in FIRST_TOUCHES {
                    let sql =
                        format!("SET TIME ZONE 'UTC'; INSERT INTO touches ({COLUMNS}) VALUES ({row}, FALSE, '{{}}', '{{}}')");
                    sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&pool).await.unwrap();
                }
                pool.close().await;
            }
        }
        let service = tributary::service::Tributary::open(&url, None, tributary::clock::Clock::system()).await.unwrap();
        let touch = async |number: u128| {
            let id = uuid::Uuid::from_u128(0x0199_aaaa_0000_7000_8000_0000_0000_0000 + number);
            tributary::store::touch::by_id(&service.db, id).await.unwrap().unwrap()
        };
        let whole = touch(1).await;
        assert_eq!(
            (whole.url.as_deref(), whole.referrer.as_deref()),
            (Some("https://shop.example/p?a=1&gclid=X"), Some("https://www.google.com/"))
        );
        assert_eq!(
            (whole.source.as_deref(), whole.campaign.as_deref(), whole.term.as_deref()),
            (Some("google"), Some("spring"), Some("shoes"))
        );
        assert_eq!(
            (whole.user_agent.as_deref(), whole.language.as_deref(), whole.ip.as_deref()),
            (Some("Browser/1"), Some("en"), Some("198.51.100.1"))
        );
        assert_eq!((whole.external_id.as_deref(), whole.at.to_rfc3339().as_str()), (Some("c1"), "2025-12-31T23:30:00+00:00"));
        let bare = touch(2).await;
        assert_eq!((bare.url, bare.source, bare.user_agent), (None, None, None));
        let marked = touch(3).await;
        assert_eq!(
            (marked.url.as_deref(), marked.mark_reason.as_deref()),
            (Some("https://shop.example/p?a=2"), Some("crawler x"))
        );
        let findings = tributary::service::doctor::examine(&service).await.unwrap();
        assert!(findings.iter().all(|f| f.broken.is_empty()), "{findings:?}");
        service.db.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commissions_and_runs_keep_what_refers_to_them_when_their_tables_are_made_anew() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("old.db");
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&path).create_if_missing(true).foreign_keys(true);
    let pool = sqlx::SqlitePool::connect_with(options).await.unwrap();
    sqlx::migrate!("migrations/sqlite").run_to(9, &pool).await.unwrap();
    const ROWS: &str = "
        INSERT INTO programs VALUES (1, 'Shop', 'RUB', '[]', 30, 0, 14, 'last_touch', 0, 0, NULL, 0, '[]', NULL, NULL);
        INSERT INTO partners VALUES (1, NULL, 'Anna', NULL, NULL, 'affiliate', 'approved', NULL, '{\"method\":\"manual\"}', 0);
        INSERT INTO commission_rules VALUES (1, 1, 0);
        INSERT INTO persons VALUES (1, 0);
        INSERT INTO orders (id, external_id, status, placed_at, day, currency, total_minor, tax_minor, shipping_minor, discount_minor,
            items, promo_codes, utm, metadata, person_id, created_at, updated_at)
            VALUES (1, 'O-1', 'approved', 0, '1970-01-01', 'RUB', 100, 0, 0, 0, '[]', '[]', '{}', '{}', 1, 0, 0);
        INSERT INTO commissions VALUES (7, 1, 1, 1, 1, 1, 'RUB', 'pending', 10, '{}', 0, NULL, 0, 0);
        INSERT INTO journals VALUES (1, 'earned', 'RUB', 0, '1970-01-01', 1, 7, NULL, NULL);
        INSERT INTO payout_runs VALUES (3, '1970-01', 'RUB', 0, 'paid', 10, 0, 'b', 1, 'a', 2, 'p', 'PP 1');
        INSERT INTO payout_runs VALUES (4, '1970-02', 'RUB', 0, 'built', 10, 0, 'b', NULL, NULL, NULL, NULL, NULL);
        INSERT INTO payout_run_lines VALUES (3, 1, 10, 'due', NULL, 'Anna', NULL, '{}'), (4, 1, 10, 'due', NULL, 'Anna', NULL, '{}');
        INSERT INTO partners VALUES (2, NULL, 'Boris', NULL, NULL, 'affiliate', 'approved', NULL, '{\"method\":\"manual\"}', 0);
        INSERT INTO payout_run_lines VALUES (3, 2, 5, 'carried', 'below', 'Boris', NULL, '{}');
        INSERT INTO payout_exports VALUES (3, 'csv', 'x', 1, 0);";
    sqlx::raw_sql(ROWS).execute(&pool).await.unwrap();
    pool.close().await;
    let url = format!("sqlite://{}", path.display());
    let service = tributary::service::Tributary::open(&url, None, tributary::clock::Clock::system()).await.unwrap();
    let mut tx = service.db.begin().await.unwrap();
    let kept: i64 = tributary::run!(&mut tx, |c| {
        let sql =
            "SELECT COUNT(*) FROM commissions m JOIN journals j ON j.commission_id = m.id WHERE m.id = 7 AND m.amount_minor = 10";
        sqlx::query_scalar(sql).fetch_one(c).await
    })
    .unwrap();
    assert_eq!(kept, 1);
    // Runs, too, are made anew: their lines say where they stand.
    let lines: Vec<(i64, String, Option<String>)> = tributary::run!(&mut tx, |c| {
        let sql = "SELECT l.payout_run_id, l.state, l.bank_reference FROM payout_run_lines l JOIN payout_runs r ON r.id = l.payout_run_id \
                   ORDER BY l.payout_run_id, l.partner_id";
        sqlx::query_as(sql).fetch_all(c).await
    })
    .unwrap();
    let line = |run: i64, state: &str, reference: Option<&str>| (run, state.to_owned(), reference.map(str::to_owned));
    assert_eq!(lines, [line(3, "paid", Some("PP 1")), line(3, "carried", None), line(4, "due", None)]);
    let orphan = "INSERT INTO journals (kind, currency, at, day, commission_id) VALUES ('earned', 'RUB', 0, '1970-01-01', 99)";
    let refused: std::result::Result<(), sqlx::Error> = async {
        tributary::exec!(tx, sqlx::query(orphan))?;
        Ok(())
    }
    .await;
    assert!(refused.unwrap_err().to_string().contains("FOREIGN KEY"));
}
