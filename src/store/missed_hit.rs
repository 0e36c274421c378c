//! Clicks on codes nobody knows, as received.

use super::{At, Result, Tx};
use crate::{exec, run};
use uuid::Uuid;

/// Keeps a hit; answers whether it is new.
pub async fn insert(tx: &mut Tx, id: Uuid, at: At, code: &str, hit: &[u8]) -> Result<bool> {
    let rows = exec!(tx, {
        sqlx::query("INSERT INTO missed_hits (id, at, code, hit) VALUES ($1, $2, $3, $4) ON CONFLICT (id) DO NOTHING")
            .bind(id)
            .bind(at)
            .bind(code)
            .bind(hit)
    })?;
    Ok(rows > 0)
}

/// Takes out the oldest hits of a code, at most `limit`.
pub async fn take(tx: &mut Tx, code: &str, limit: i64) -> Result<Vec<Vec<u8>>> {
    let rows: Vec<(Uuid, Vec<u8>)> = run!(tx, |c| {
        sqlx::query_as("SELECT id, hit FROM missed_hits WHERE code = $1 ORDER BY at, id LIMIT $2")
            .bind(code)
            .bind(limit)
            .fetch_all(c)
            .await
    })?;
    for (id, _) in &rows {
        exec!(tx, sqlx::query("DELETE FROM missed_hits WHERE id = $1").bind(*id))?;
    }
    Ok(rows.into_iter().map(|(_, hit)| hit).collect())
}

/// Forgets what came before an instant.
pub async fn forget(tx: &mut Tx, before: At) -> Result<u64> {
    Ok(exec!(tx, sqlx::query("DELETE FROM missed_hits WHERE at < $1").bind(before))?)
}
