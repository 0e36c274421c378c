//! Hits that the store refused, as received, each with the reason.

use super::{At, Reader, Result, Tx};
use crate::{exec, read, run};
use uuid::Uuid;

/// A refused hit. `hit` is the record as the edge wrote it.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct RejectedHit {
    pub id: i64,
    pub hit_id: Option<Uuid>,
    pub at: At,
    pub reason: String,
    pub hit: Vec<u8>,
}

/// Keeps a hit with the reason; answers whether it was new. One whose batch is replayed is kept once.
pub async fn insert(tx: &mut Tx, hit_id: Option<Uuid>, at: At, reason: &str, hit: &[u8]) -> Result<bool> {
    let known: Option<i64> = run!(tx, |c| {
        let same_id = if hit_id.is_some() { "hit_id = $1" } else { "hit_id IS NULL AND $1 IS NULL" };
        let sql = sqlx::AssertSqlSafe(format!("SELECT id FROM rejected_hits WHERE {same_id} AND hit = $2 LIMIT 1"));
        sqlx::query_scalar(sql).bind(hit_id).bind(hit).fetch_optional(c).await
    })?;
    if known.is_some() {
        return Ok(false);
    }
    exec!(tx, {
        sqlx::query("INSERT INTO rejected_hits (hit_id, at, reason, hit) VALUES ($1, $2, $3, $4)")
            .bind(hit_id)
            .bind(at)
            .bind(reason)
            .bind(hit)
    })?;
    Ok(true)
}

/// Oldest first, after `after`.
pub async fn list<'a>(on: impl Into<Reader<'a>>, after: i64, limit: i64) -> Result<Vec<RejectedHit>> {
    Ok(read!(on.into(), |c| {
        sqlx::query_as("SELECT id, hit_id, at, reason, hit FROM rejected_hits WHERE id > $1 ORDER BY id LIMIT $2")
            .bind(after)
            .bind(limit)
            .fetch_all(c)
            .await
    })?)
}

/// How many there are.
pub async fn count<'a>(on: impl Into<Reader<'a>>) -> Result<i64> {
    Ok(read!(on.into(), |c| sqlx::query_scalar("SELECT COUNT(*) FROM rejected_hits").fetch_one(c).await)?)
}
