//! Who changed money, terms or access, and when.

use super::{At, Reader, Result, Tx};
use crate::{read, run};
use sqlx::types::Json;

/// A line of the audit log.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct AuditLine {
    pub id: i64,
    pub at: At,
    pub actor: String,
    pub act: String,
    pub subject: String,
    pub detail: Json<serde_json::Value>,
}

pub async fn record(tx: &mut Tx, actor: &str, act: &str, subject: &str, detail: &serde_json::Value, at: At) -> Result<()> {
    record_line(tx, actor, act, subject, detail, at).await?;
    Ok(())
}

/// [`record`], answering the line's id.
pub async fn record_line(tx: &mut Tx, actor: &str, act: &str, subject: &str, detail: &serde_json::Value, at: At) -> Result<i64> {
    Ok(run!(tx, |c| {
        sqlx::query_scalar("INSERT INTO audit_log (at, actor, act, subject, detail) VALUES ($1, $2, $3, $4, $5) RETURNING id")
            .bind(at)
            .bind(actor)
            .bind(act)
            .bind(subject)
            .bind(Json(detail))
            .fetch_one(c)
            .await
    })?)
}

/// Newest first.
pub async fn latest<'a>(on: impl Into<Reader<'a>>, limit: i64) -> Result<Vec<AuditLine>> {
    Ok(read!(on.into(), |c| {
        sqlx::query_as("SELECT id, at, actor, act, subject, detail FROM audit_log ORDER BY id DESC LIMIT $1")
            .bind(limit)
            .fetch_all(c)
            .await
    })?)
}
