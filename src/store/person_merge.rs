//! The record of merges of persons, and of their reversals.

use super::{At, Reader, Result, Tx};
use crate::domain::id::{MergeId, PersonId};
use crate::domain::person::IdentifierKind;
use crate::{exec, read};
use sqlx::types::Json;

/// A merge: all of one person became another's.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Merge {
    pub id: MergeId,
    pub kept_person_id: PersonId,
    pub merged_person_id: PersonId,
    /// What was moved, as kind and value.
    pub identifiers: Json<Vec<(IdentifierKind, String)>>,
    /// The source of the evidence, or whose claim it was.
    pub because: String,
    /// The evidence; `None` for a claim, and for what an older version merged.
    pub evidence_id: Option<i64>,
    pub at: At,
    pub reversed_at: Option<At>,
    pub reversed_by: Option<String>,
    pub reversed_because: Option<String>,
}

const COLUMNS: &str =
    "id, kept_person_id, merged_person_id, identifiers, because, evidence_id, at, reversed_at, reversed_by, reversed_because";

pub async fn insert(
    tx: &mut Tx,
    kept: PersonId,
    merged: PersonId,
    moved: &[(IdentifierKind, String)],
    because: (&str, Option<i64>),
    now: At,
) -> Result<()> {
    exec!(tx, {
        sqlx::query(
            "INSERT INTO person_merges (kept_person_id, merged_person_id, identifiers, because, evidence_id, at) \
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(kept)
        .bind(merged)
        .bind(Json(moved))
        .bind(because.0)
        .bind(because.1)
        .bind(now)
    })?;
    Ok(())
}

pub async fn by_id<'a>(on: impl Into<Reader<'a>>, id: MergeId) -> Result<Option<Merge>> {
    let sql = sqlx::AssertSqlSafe(format!("SELECT {COLUMNS} FROM person_merges WHERE id = $1"));
    Ok(read!(on.into(), |c| sqlx::query_as(sql).bind(id).fetch_optional(c).await)?)
}

/// Oldest first, after `after`.
pub async fn list<'a>(on: impl Into<Reader<'a>>, after: i64, limit: i64) -> Result<Vec<Merge>> {
    let sql = sqlx::AssertSqlSafe(format!("SELECT {COLUMNS} FROM person_merges WHERE id > $1 ORDER BY id LIMIT $2"));
    Ok(read!(on.into(), |c| sqlx::query_as(sql).bind(after).bind(limit).fetch_all(c).await)?)
}

pub async fn set_reversed(tx: &mut Tx, id: MergeId, by: &str, because: &str, now: At) -> Result<()> {
    exec!(tx, {
        sqlx::query("UPDATE person_merges SET reversed_at = $2, reversed_by = $3, reversed_because = $4 WHERE id = $1")
            .bind(id)
            .bind(now)
            .bind(by)
            .bind(because)
    })?;
    Ok(())
}
