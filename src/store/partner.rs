//! Partners, and since when they have which status.

use super::{At, Reader, Result, Tx, taken};
use crate::domain::id::PartnerId;
use crate::domain::partner::{PartnerKind, PartnerStatus};
use crate::{exec, read, run};
use sqlx::QueryBuilder;
use sqlx::types::Json;
use std::collections::HashMap;

/// A partner as stored.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Partner {
    pub id: PartnerId,
    pub external_id: Option<String>,
    pub name: String,
    pub email: Option<String>,
    pub email_hash: Option<String>,
    pub kind: PartnerKind,
    pub status: PartnerStatus,
    pub group_name: Option<String>,
    /// The partner who recruited this one, and has the second tier.
    pub recruiter_id: Option<PartnerId>,
    /// `{"method": "manual", …requisites}`.
    pub payout: Json<serde_json::Value>,
    pub created_at: At,
}

const SELECT: &str =
    "SELECT id, external_id, name, email, email_hash, kind, status, group_name, recruiter_id, payout, created_at FROM partners";

/// Stores a partner; its `id` is ignored and given anew.
pub async fn insert(tx: &mut Tx, partner: &Partner) -> Result<PartnerId> {
    let id = taken(
        run!(tx, |c| {
            sqlx::query_scalar(
                "INSERT INTO partners (external_id, name, email, email_hash, kind, status, group_name, payout, created_at, \
                 recruiter_id) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) RETURNING id",
            )
            .bind(&partner.external_id)
            .bind(&partner.name)
            .bind(&partner.email)
            .bind(&partner.email_hash)
            .bind(partner.kind)
            .bind(partner.status)
            .bind(&partner.group_name)
            .bind(&partner.payout)
            .bind(partner.created_at)
            .bind(partner.recruiter_id)
            .fetch_one(c)
            .await
        }),
        "external_id",
    )?;
    set_status_since(tx, id, partner.status, partner.created_at).await?;
    Ok(id)
}

pub async fn update(tx: &mut Tx, partner: &Partner) -> Result<()> {
    taken(
        exec!(tx, {
            sqlx::query(
                "UPDATE partners SET external_id = $2, name = $3, email = $4, email_hash = $5, kind = $6, status = $7, \
                 group_name = $8, payout = $9, recruiter_id = $10 WHERE id = $1",
            )
            .bind(partner.id)
            .bind(&partner.external_id)
            .bind(&partner.name)
            .bind(&partner.email)
            .bind(&partner.email_hash)
            .bind(partner.kind)
            .bind(partner.status)
            .bind(&partner.group_name)
            .bind(&partner.payout)
            .bind(partner.recruiter_id)
        }),
        "external_id",
    )?;
    Ok(())
}

pub async fn set_status_since(tx: &mut Tx, id: PartnerId, status: PartnerStatus, since: At) -> Result<()> {
    exec!(tx, {
        sqlx::query(
            "INSERT INTO partner_statuses (partner_id, since, status) VALUES ($1, $2, $3) \
             ON CONFLICT (partner_id, since) DO UPDATE SET status = excluded.status",
        )
        .bind(id)
        .bind(since)
        .bind(status)
    })?;
    Ok(())
}

/// Since when a partner had which status, oldest first.
pub async fn statuses<'a>(on: impl Into<Reader<'a>>, id: PartnerId) -> Result<Vec<(At, PartnerStatus)>> {
    Ok(read!(on.into(), |c| {
        sqlx::query_as("SELECT since, status FROM partner_statuses WHERE partner_id = $1 ORDER BY since")
            .bind(id)
            .fetch_all(c)
            .await
    })?)
}

pub async fn by_id<'a>(on: impl Into<Reader<'a>>, id: PartnerId) -> Result<Option<Partner>> {
    let sql = sqlx::AssertSqlSafe(format!("{SELECT} WHERE id = $1"));
    Ok(read!(on.into(), |c| sqlx::query_as(sql).bind(id).fetch_optional(c).await)?)
}

/// Those of the ids that there are, by id.
pub async fn by_ids<'a>(on: impl Into<Reader<'a>>, ids: &[PartnerId]) -> Result<HashMap<PartnerId, Partner>> {
    let mut reader = on.into();
    let mut found = HashMap::new();
    for chunk in ids.chunks(500) {
        let partners: Vec<Partner> = read!(reader.again(), |c| {
            let mut query = QueryBuilder::new(SELECT);
            query.push(" WHERE id IN (");
            let mut list = query.separated(", ");
            for id in chunk {
                list.push_bind(*id);
            }
            query.push(")");
            query.build_query_as().fetch_all(c).await
        })?;
        found.extend(partners.into_iter().map(|partner| (partner.id, partner)));
    }
    Ok(found)
}

/// By the id it has elsewhere, or by e-mail address.
pub async fn by_reference<'a>(on: impl Into<Reader<'a>>, reference: &str) -> Result<Option<Partner>> {
    let sql = sqlx::AssertSqlSafe(format!(
        "{SELECT} WHERE external_id = $1 OR email = LOWER($1) ORDER BY CASE WHEN external_id = $1 THEN 0 ELSE 1 END, id LIMIT 1"
    ));
    Ok(read!(on.into(), |c| sqlx::query_as(sql).bind(reference).fetch_optional(c).await)?)
}

/// What kind every partner is of.
pub async fn kinds<'a>(on: impl Into<Reader<'a>>) -> Result<HashMap<PartnerId, PartnerKind>> {
    let kinds: Vec<(PartnerId, PartnerKind)> =
        read!(on.into(), |c| sqlx::query_as("SELECT id, kind FROM partners").fetch_all(c).await)?;
    Ok(kinds.into_iter().collect())
}

/// Oldest first, after `after`.
pub async fn list<'a>(on: impl Into<Reader<'a>>, after: i64, limit: i64) -> Result<Vec<Partner>> {
    let sql = sqlx::AssertSqlSafe(format!("{SELECT} WHERE id > $1 ORDER BY id LIMIT $2"));
    Ok(read!(on.into(), |c| sqlx::query_as(sql).bind(after).bind(limit).fetch_all(c).await)?)
}
