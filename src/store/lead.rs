//! Leads, by the id they have elsewhere.

use super::{At, Reader, Result, Tx};
use crate::domain::commission::Rule;
use crate::domain::id::{LeadId, PartnerId, PersonId, ProgramId};
use crate::domain::lead::{LeadStage, NewLead};
use crate::domain::order::OrderStatus;
use crate::domain::payable::{Basis, Reason, TraceItem, Via};
use crate::domain::program::CreditPolicy;
use crate::{exec, read, run};
use chrono::{DateTime, NaiveDate, Utc};
use sqlx::types::Json;

/// Whom a lead is owed to: decided once, with the rules in force then.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct LeadDecision {
    pub decided_at: DateTime<Utc>,
    pub policy: CreditPolicy,
    pub owed_to: Option<(PartnerId, ProgramId)>,
    pub via: Via,
    pub reason: Reason,
    pub touch: Option<String>,
    pub trace: Vec<TraceItem>,
    pub basis: Basis,
    pub rules: Vec<Rule>,
}

/// A lead as stored.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Lead {
    pub id: LeadId,
    pub external_id: String,
    pub name: Option<String>,
    /// In the order in which they were reached.
    pub stages: Json<Vec<LeadStage>>,
    pub status: OrderStatus,
    pub at: At,
    pub day: NaiveDate,
    pub customer_id: Option<String>,
    pub email_hash: Option<String>,
    pub person_id: PersonId,
    pub decision: Option<Json<LeadDecision>>,
    pub created_at: At,
    pub updated_at: At,
}

const SELECT: &str = "SELECT id, external_id, name, stages, status, at, day, customer_id, email_hash, person_id, decision, created_at, \
     updated_at FROM leads";

pub async fn insert(tx: &mut Tx, lead: &NewLead, day: NaiveDate, person: PersonId, now: At) -> Result<LeadId> {
    Ok(run!(tx, |c| {
        sqlx::query_scalar(
            "INSERT INTO leads (external_id, name, stages, status, at, day, customer_id, email_hash, phone_hash, visitor_id, \
             click_id, person_id, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $13) \
             RETURNING id",
        )
        .bind(&lead.external_id)
        .bind(&lead.name)
        .bind(Json(lead.reached()))
        .bind(lead.status)
        .bind(At::from(lead.at))
        .bind(day)
        .bind(&lead.who.customer_id)
        .bind(&lead.who.email_hash)
        .bind(&lead.who.phone_hash)
        .bind(&lead.who.visitor_id)
        .bind(&lead.who.click_id)
        .bind(person)
        .bind(now)
        .fetch_one(c)
        .await
    })?)
}

/// Stores what changed of a known lead: its status, stages and person. When it came stays.
pub async fn update(tx: &mut Tx, id: LeadId, status: OrderStatus, stages: &[LeadStage], person: PersonId, now: At) -> Result<()> {
    exec!(tx, {
        sqlx::query("UPDATE leads SET status = $2, stages = $3, person_id = $4, updated_at = $5 WHERE id = $1")
            .bind(id)
            .bind(status)
            .bind(Json(stages))
            .bind(person)
            .bind(now)
    })?;
    Ok(())
}

pub async fn set_decision(tx: &mut Tx, id: LeadId, decision: &LeadDecision) -> Result<()> {
    exec!(tx, {
        sqlx::query("UPDATE leads SET decision = $2, partner_id = $3 WHERE id = $1")
            .bind(id)
            .bind(Json(decision))
            .bind(decision.owed_to.map(|(partner, _)| partner))
    })?;
    Ok(())
}

pub async fn by_external_id<'a>(on: impl Into<Reader<'a>>, external_id: &str) -> Result<Option<Lead>> {
    let sql = sqlx::AssertSqlSafe(format!("{SELECT} WHERE external_id = $1"));
    Ok(read!(on.into(), |c| sqlx::query_as(sql).bind(external_id).fetch_optional(c).await)?)
}

pub async fn by_id<'a>(on: impl Into<Reader<'a>>, id: LeadId) -> Result<Option<Lead>> {
    let sql = sqlx::AssertSqlSafe(format!("{SELECT} WHERE id = $1"));
    Ok(read!(on.into(), |c| sqlx::query_as(sql).bind(id).fetch_optional(c).await)?)
}

/// Newest first, before `before`.
pub async fn latest<'a>(on: impl Into<Reader<'a>>, before: i64, limit: i64) -> Result<Vec<Lead>> {
    let sql = sqlx::AssertSqlSafe(format!("{SELECT} WHERE id < $1 ORDER BY id DESC LIMIT $2"));
    Ok(read!(on.into(), |c| sqlx::query_as(sql).bind(before).bind(limit).fetch_all(c).await)?)
}

/// Oldest first, after `after`.
pub async fn list<'a>(on: impl Into<Reader<'a>>, after: i64, limit: i64) -> Result<Vec<Lead>> {
    let sql = sqlx::AssertSqlSafe(format!("{SELECT} WHERE id > $1 ORDER BY id LIMIT $2"));
    Ok(read!(on.into(), |c| sqlx::query_as(sql).bind(after).bind(limit).fetch_all(c).await)?)
}
