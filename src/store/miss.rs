//! What found no match, each with the nearest one.

use super::{At, Reader, Result, Tx};
use crate::domain::id::MissId;
use crate::{exec, read};

/// A miss as stored. `kind`: `promo_code`, `link`, `refund`.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Miss {
    pub id: MissId,
    pub kind: String,
    pub value: String,
    pub nearest: Option<String>,
    pub detail: String,
    pub count: i64,
    pub first_at: At,
    pub last_at: At,
}

/// Records a miss, or counts it up if it is known.
pub async fn record(tx: &mut Tx, kind: &str, value: &str, nearest: Option<&str>, detail: &str, at: At) -> Result<()> {
    exec!(tx, {
        sqlx::query(
            "INSERT INTO misses (kind, value, nearest, detail, count, first_at, last_at) VALUES ($1, $2, $3, $4, 1, $5, $5) \
             ON CONFLICT (kind, value) DO UPDATE SET count = misses.count + 1, nearest = excluded.nearest, last_at = excluded.last_at",
        )
        .bind(kind)
        .bind(value)
        .bind(nearest)
        .bind(detail)
        .bind(at)
    })?;
    Ok(())
}

/// Oldest first, after `after`.
pub async fn list<'a>(on: impl Into<Reader<'a>>, after: i64, limit: i64) -> Result<Vec<Miss>> {
    Ok(read!(on.into(), |c| {
        sqlx::query_as(
            "SELECT id, kind, value, nearest, detail, count, first_at, last_at FROM misses WHERE id > $1 ORDER BY id LIMIT $2",
        )
        .bind(after)
        .bind(limit)
        .fetch_all(c)
        .await
    })?)
}

/// How many there are of each kind.
pub async fn counts<'a>(on: impl Into<Reader<'a>>) -> Result<Vec<(String, i64)>> {
    Ok(read!(on.into(), |c| sqlx::query_as("SELECT kind, COUNT(*) FROM misses GROUP BY kind ORDER BY kind").fetch_all(c).await)?)
}

/// The ones that came last.
pub async fn latest<'a>(on: impl Into<Reader<'a>>, limit: i64) -> Result<Vec<Miss>> {
    Ok(read!(on.into(), |c| {
        sqlx::query_as(
            "SELECT id, kind, value, nearest, detail, count, first_at, last_at FROM misses ORDER BY last_at DESC, id DESC LIMIT $1",
        )
        .bind(limit)
        .fetch_all(c)
        .await
    })?)
}
