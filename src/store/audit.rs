//! Who changed money, terms or access, and when.

use super::{At, Reader, Result, Tx};
use crate::{exec, read};
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
    exec!(tx, {
        sqlx::query("INSERT INTO audit_log (at, actor, act, subject, detail) VALUES ($1, $2, $3, $4, $5)")
            .bind(at)
            .bind(actor)
            .bind(act)
            .bind(subject)
            .bind(Json(detail))
    })?;
    Ok(())
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
