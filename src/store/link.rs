//! Tracking links.

use super::{At, Reader, Result, Tx, taken};
use crate::domain::id::{LinkId, PartnerId, ProgramId};
use crate::domain::partner::PartnerKind;
use crate::{exec, read, run};
use sqlx::types::Json;
use std::collections::BTreeMap;

/// A link as stored.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Link {
    pub id: LinkId,
    pub code: String,
    pub program_id: ProgramId,
    pub partner_id: Option<PartnerId>,
    pub url: String,
    /// `source`, `medium`, `campaign`, `content`, `term`.
    pub utm: Json<BTreeMap<String, String>>,
    pub expires_at: Option<At>,
    pub paused: bool,
    pub created_at: At,
}

const SELECT: &str = "SELECT id, code, program_id, partner_id, url, utm, expires_at, paused, created_at FROM links";

/// Stores a link; its `id` is ignored and given anew.
pub async fn insert(tx: &mut Tx, link: &Link, code_key: &str) -> Result<LinkId> {
    taken(
        run!(tx, |c| {
            sqlx::query_scalar(
                "INSERT INTO links (code, code_key, program_id, partner_id, url, utm, expires_at, paused, created_at) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING id",
            )
            .bind(&link.code)
            .bind(code_key)
            .bind(link.program_id)
            .bind(link.partner_id)
            .bind(&link.url)
            .bind(&link.utm)
            .bind(link.expires_at)
            .bind(link.paused)
            .bind(link.created_at)
            .fetch_one(c)
            .await
        }),
        "code",
    )
}

pub async fn update(tx: &mut Tx, link: &Link) -> Result<()> {
    exec!(tx, {
        sqlx::query("UPDATE links SET partner_id = $2, url = $3, utm = $4, expires_at = $5, paused = $6 WHERE id = $1")
            .bind(link.id)
            .bind(link.partner_id)
            .bind(&link.url)
            .bind(&link.utm)
            .bind(link.expires_at)
            .bind(link.paused)
    })?;
    Ok(())
}

pub async fn by_id<'a>(on: impl Into<Reader<'a>>, id: LinkId) -> Result<Option<Link>> {
    let sql = sqlx::AssertSqlSafe(format!("{SELECT} WHERE id = $1"));
    Ok(read!(on.into(), |c| sqlx::query_as(sql).bind(id).fetch_optional(c).await)?)
}

pub async fn by_code_key<'a>(on: impl Into<Reader<'a>>, code_key: &str) -> Result<Option<Link>> {
    let sql = sqlx::AssertSqlSafe(format!("{SELECT} WHERE code_key = $1"));
    Ok(read!(on.into(), |c| sqlx::query_as(sql).bind(code_key).fetch_optional(c).await)?)
}

/// Oldest first, after `after`; of one partner, if given.
pub async fn list<'a>(on: impl Into<Reader<'a>>, partner: Option<PartnerId>, after: i64, limit: i64) -> Result<Vec<Link>> {
    let sql = sqlx::AssertSqlSafe(format!("{SELECT} WHERE id > $1 AND ($3 = 0 OR partner_id = $3) ORDER BY id LIMIT $2"));
    let partner = partner.map_or(0, |p| p.0);
    Ok(read!(on.into(), |c| sqlx::query_as(sql).bind(after).bind(limit).bind(partner).fetch_all(c).await)?)
}

/// What the edge keeps in memory for each link.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct LinkTarget {
    pub id: LinkId,
    pub code_key: String,
    pub program_id: ProgramId,
    pub partner_id: Option<PartnerId>,
    pub partner_kind: Option<PartnerKind>,
    pub url: String,
    pub utm: Json<BTreeMap<String, String>>,
    /// The same as a query; made by who reads it.
    #[sqlx(skip)]
    pub utm_query: String,
    pub expires_at: Option<At>,
    pub paused: bool,
    pub destination_hosts: Json<Vec<String>>,
    pub fallback_url: Option<String>,
}

pub async fn all_targets<'a>(on: impl Into<Reader<'a>>) -> Result<Vec<LinkTarget>> {
    Ok(read!(on.into(), |c| {
        sqlx::query_as(
            "SELECT l.id, l.code_key, l.program_id, l.partner_id, a.kind AS partner_kind, l.url, l.utm, l.expires_at, \
             l.paused, p.destination_hosts, p.fallback_url \
             FROM links l JOIN programs p ON p.id = l.program_id LEFT JOIN partners a ON a.id = l.partner_id",
        )
        .fetch_all(c)
        .await
    })?)
}
