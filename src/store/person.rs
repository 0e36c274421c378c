//! Persons: which identifiers are known to be the same, and the record of each merge.

use super::{At, Reader, Result, Tx};
use crate::domain::id::PersonId;
use crate::domain::person::{Identifier, IdentifierKind};
use crate::{exec, read, run};
use sqlx::types::Json;

pub async fn insert(tx: &mut Tx, now: At) -> Result<PersonId> {
    Ok(run!(tx, |c| {
        sqlx::query_scalar("INSERT INTO persons (created_at) VALUES ($1) RETURNING id").bind(now).fetch_one(c).await
    })?)
}

pub async fn of_identifier<'a>(on: impl Into<Reader<'a>>, identifier: &Identifier) -> Result<Option<PersonId>> {
    Ok(read!(on.into(), |c| {
        sqlx::query_scalar("SELECT person_id FROM identifiers WHERE kind = $1 AND value = $2")
            .bind(identifier.kind)
            .bind(&identifier.value)
            .fetch_optional(c)
            .await
    })?)
}

/// Whether a person has an identifier of some kind.
pub async fn has_kind<'a>(on: impl Into<Reader<'a>>, person: PersonId, kind: IdentifierKind) -> Result<bool> {
    let count: i64 = read!(on.into(), |c| {
        sqlx::query_scalar("SELECT COUNT(*) FROM identifiers WHERE person_id = $1 AND kind = $2")
            .bind(person)
            .bind(kind)
            .fetch_one(c)
            .await
    })?;
    Ok(count > 0)
}

pub async fn add_identifier(tx: &mut Tx, person: PersonId, identifier: &Identifier) -> Result<()> {
    exec!(tx, {
        sqlx::query("INSERT INTO identifiers (kind, value, person_id) VALUES ($1, $2, $3) ON CONFLICT (kind, value) DO NOTHING")
            .bind(identifier.kind)
            .bind(&identifier.value)
            .bind(person)
    })?;
    Ok(())
}

/// Moves all of `merged` to `kept`, and records what was moved and why.
pub async fn merge(tx: &mut Tx, kept: PersonId, merged: PersonId, because: &str, now: At) -> Result<()> {
    let moved: Vec<(IdentifierKind, String)> = run!(tx, |c| {
        sqlx::query_as("SELECT kind, value FROM identifiers WHERE person_id = $1 ORDER BY kind, value")
            .bind(merged)
            .fetch_all(c)
            .await
    })?;
    exec!(tx, {
        sqlx::query(
            "INSERT INTO person_merges (kept_person_id, merged_person_id, identifiers, because, at) VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(kept)
        .bind(merged)
        .bind(Json(&moved))
        .bind(because)
        .bind(now)
    })?;
    exec!(tx, { sqlx::query("UPDATE identifiers SET person_id = $1 WHERE person_id = $2").bind(kept).bind(merged) })?;
    exec!(tx, sqlx::query("UPDATE orders SET person_id = $1 WHERE person_id = $2").bind(kept).bind(merged))?;
    Ok(())
}
