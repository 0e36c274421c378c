//! A backup holds everything, and is the way from one database to the other.

use crate::support::*;
use serde_json::json;
use std::fs;
use tributary::clock::Clock;
use tributary::service::{Tributary, doctor};
use tributary::store::dump;

async fn contents(database_url: &str) -> Vec<(String, Vec<serde_json::Value>)> {
    let service = Tributary::open(database_url, None, Clock::system()).await.unwrap();
    let mut tx = service.db.begin().await.unwrap();
    let mut all = Vec::new();
    for table in dump::TABLES {
        let rows = dump::rows(&mut tx, table, 0, 10_000).await.unwrap();
        // JSON columns are texts here, and PostgreSQL keeps their fields in another order.
        let rows = rows.iter().map(|row| sorted(serde_json::from_str(row).unwrap())).collect();
        all.push((table.to_owned(), rows));
    }
    drop(tx);
    assert!(doctor::examine(&service).await.unwrap().iter().all(|f| f.broken.is_empty()));
    service.db.close().await;
    all
}

fn sorted(value: serde_json::Value) -> serde_json::Value {
    match value {
        serde_json::Value::String(text) if text.starts_with(['{', '[']) => {
            serde_json::from_str(&text).map(sorted).unwrap_or(serde_json::Value::String(text))
        }
        serde_json::Value::Array(items) => items.into_iter().map(sorted).collect(),
        serde_json::Value::Object(fields) => {
            let mut fields: Vec<_> = fields.into_iter().map(|(k, v)| (k, sorted(v))).collect();
            fields.sort_by(|a, b| a.0.cmp(&b.0));
            fields.into_iter().collect()
        }
        other => other,
    }
}

both_stores! {
    async fn everything_comes_back_in_either_database(app: &TestApp) {
        app.set_up().await;
        let (_, click_id) = app.click("anna").await;
        app.make("/v1/orders", json!({
            "external_id": "Z-1", "placed_at": app.now(), "currency": "RUB", "total": "99.99", "click_id": click_id,
            "customer": { "id": "ц", "email": "a@b.example" }, "metadata": { "note": "кавычка \" и ; , \n" }, "promo_codes": ["x"],
        })).await;
        app.make("/v1/orders/Z-1/refunds", json!({ "refund_id": "r", "amount": "9.99" })).await;
        app.visitor(reqwest::Method::POST, "/e").json(&json!({ "type": "lead", "name": "n", "customer": "ц" })).send().await.unwrap();
        app.mover_done().await;
        let file = app.folder.path().join("backup.gz").display().to_string();
        let data = app.folder.path().display().to_string();
        let (code, out, errors) = run(&["--database-url", &app.database_url, "--data-dir", &data, "backup", &file], "");
        assert_eq!(code, 0, "{out}{errors}");
        let before = contents(&app.database_url).await;
        for kind in [Kind::Sqlite, Kind::Postgres] {
            let folder = tempfile::tempdir().unwrap();
            let Some(url) = fresh_database(kind, &folder).await else { continue };
            let data = folder.path().display().to_string();
            let restore = |file: &str| run(&["--database-url", &url, "--data-dir", &data, "restore", file], "");
            let broken = folder.path().join("broken.gz").display().to_string();
            let bytes = fs::read(&file).unwrap();
            fs::write(&broken, &bytes[..bytes.len() / 2]).unwrap();
            assert_eq!(restore(&broken).0, 1, "a broken file is refused whole");
            let (code, out, errors) = restore(&file);
            assert_eq!(code, 0, "{out}{errors}");
            assert_eq!(contents(&url).await, before);
            let (code, _, errors) = restore(&file);
            assert_eq!((code, errors.contains("not empty")), (1, true));
            // New ids follow the restored ones.
            let (code, _, errors) = run(&["--database-url", &url, "--data-dir", &data, "key", "add", "--name", "n", "--scope", "read"], "");
            assert_eq!(code, 0, "{errors}");
        }
    }
}
