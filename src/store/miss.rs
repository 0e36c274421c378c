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
    /// Since when it is settled; a later one opens it again.
    pub resolved_at: Option<At>,
}

const SELECT: &str = "SELECT id, kind, value, nearest, detail, count, first_at, last_at, resolved_at FROM misses";

/// Records a miss, or counts it up if it is known. One that is settled comes back if it happened after that.
pub async fn record(tx: &mut Tx, kind: &str, value: &str, nearest: Option<&str>, detail: &str, at: At) -> Result<()> {
    exec!(tx, {
        sqlx::query(
            "INSERT INTO misses (kind, value, nearest, detail, count, first_at, last_at) VALUES ($1, $2, $3, $4, 1, $5, $5) \
             ON CONFLICT (kind, value) DO UPDATE SET count = misses.count + 1, nearest = excluded.nearest, \
             last_at = excluded.last_at, \
             resolved_at = CASE WHEN misses.resolved_at >= excluded.last_at THEN misses.resolved_at END",
        )
        .bind(kind)
        .bind(value)
        .bind(nearest)
        .bind(detail)
        .bind(at)
    })?;
    Ok(())
}

pub async fn by_id<'a>(on: impl Into<Reader<'a>>, id: MissId) -> Result<Option<Miss>> {
    let sql = sqlx::AssertSqlSafe(format!("{SELECT} WHERE id = $1"));
    Ok(read!(on.into(), |c| sqlx::query_as(sql).bind(id).fetch_optional(c).await)?)
}

/// Takes all misses of a kind off the list whose value is `key` in lower case.
pub async fn resolve(tx: &mut Tx, kind: &str, key: &str, at: At) -> Result<()> {
    exec!(tx, {
        sqlx::query("UPDATE misses SET resolved_at = $3 WHERE kind = $1 AND LOWER(value) = $2 AND resolved_at IS NULL")
            .bind(kind)
            .bind(key)
            .bind(at)
    })?;
    Ok(())
}

/// Those that are not settled, oldest first, after `after`.
pub async fn list<'a>(on: impl Into<Reader<'a>>, after: i64, limit: i64) -> Result<Vec<Miss>> {
    let sql = sqlx::AssertSqlSafe(format!("{SELECT} WHERE id > $1 AND resolved_at IS NULL ORDER BY id LIMIT $2"));
    Ok(read!(on.into(), |c| sqlx::query_as(sql).bind(after).bind(limit).fetch_all(c).await)?)
}

/// How many of each kind are not settled.
pub async fn counts<'a>(on: impl Into<Reader<'a>>) -> Result<Vec<(String, i64)>> {
    Ok(read!(on.into(), |c| {
        sqlx::query_as("SELECT kind, COUNT(*) FROM misses WHERE resolved_at IS NULL GROUP BY kind ORDER BY kind")
            .fetch_all(c)
            .await
    })?)
}

/// The ones that came last.
pub async fn latest<'a>(on: impl Into<Reader<'a>>, limit: i64) -> Result<Vec<Miss>> {
    let sql = sqlx::AssertSqlSafe(format!("{SELECT} WHERE resolved_at IS NULL ORDER BY last_at DESC, id DESC LIMIT $1"));
    Ok(read!(on.into(), |c| sqlx::query_as(sql).bind(limit).fetch_all(c).await)?)
}
