//! Leads, named events and order hints from the snippet.

use super::{At, Result, Tx};
use crate::exec;
use chrono::NaiveDate;
use sqlx::types::Json;
use uuid::Uuid;

/// An event as stored.
#[derive(Debug, Clone)]
pub struct Event {
    pub id: Uuid,
    pub at: At,
    pub day: NaiveDate,
    pub kind: String,
    pub name: Option<String>,
    pub visitor_id: Option<String>,
    pub customer_id: Option<String>,
    pub click_id: Option<String>,
    pub url: Option<String>,
    pub body: serde_json::Value,
}

/// Stores an event that is not there yet.
pub async fn insert(tx: &mut Tx, event: &Event) -> Result<()> {
    exec!(tx, {
        sqlx::query(
            "INSERT INTO events (id, at, day, kind, name, visitor_id, customer_id, click_id, url, body) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (id) DO NOTHING",
        )
        .bind(event.id)
        .bind(event.at)
        .bind(event.day)
        .bind(&event.kind)
        .bind(&event.name)
        .bind(&event.visitor_id)
        .bind(&event.customer_id)
        .bind(&event.click_id)
        .bind(&event.url)
        .bind(Json(&event.body))
    })?;
    Ok(())
}
