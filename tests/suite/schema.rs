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
        tamper("INSERT INTO ledger_entries (journal_id, account, partner_id, currency, amount_minor, day) SELECT id, 'available', 1, 'RUB', -5, day FROM journals").await;
    }
}
