//! Hits that the store refused, as received, each with the reason.

use super::{At, Reader, Result, Tx};
use crate::{exec, read};
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

/// Keeps a hit with the reason.
pub async fn insert(tx: &mut Tx, hit_id: Option<Uuid>, at: At, reason: &str, hit: &[u8]) -> Result<()> {
    exec!(tx, {
        sqlx::query("INSERT INTO rejected_hits (hit_id, at, reason, hit) VALUES ($1, $2, $3, $4)")
            .bind(hit_id)
            .bind(at)
            .bind(reason)
            .bind(hit)
    })?;
    Ok(())
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
