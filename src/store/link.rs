//! Tracking links.

use super::{At, Reader, Result, Tx, program, settings, taken};
use crate::domain::ad_marking::is_unmarked;
use crate::domain::id::{CreativeId, LinkId, PartnerId, ProgramId, TargetId};
use crate::domain::link_target::{Country, Device};
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
    /// Where it leads when paused or expired; else the program's.
    pub fallback_url: Option<String>,
    pub created_at: At,
    pub creative_id: Option<CreativeId>,
    /// Its own; see [`Link::erid`].
    pub erid: Option<String>,
    pub creative_erid: Option<String>,
}

impl Link {
    /// The token that its clicks carry: its own, else its creative's.
    pub fn erid(&self) -> Option<&str> {
        self.erid.as_deref().or(self.creative_erid.as_deref())
    }
}

const SELECT: &str = "SELECT id, code, program_id, partner_id, url, utm, expires_at, paused, fallback_url, created_at, creative_id, \
     erid, (SELECT c.erid FROM creatives c WHERE c.id = links.creative_id) AS creative_erid FROM links";

/// Stores a link; its `id` is ignored and given anew.
pub async fn insert(tx: &mut Tx, link: &Link, code_key: &str) -> Result<LinkId> {
    taken(
        run!(tx, |c| {
            sqlx::query_scalar(
                "INSERT INTO links (code, code_key, program_id, partner_id, url, utm, expires_at, paused, fallback_url, created_at, \
                 creative_id, erid) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) RETURNING id",
            )
            .bind(&link.code)
            .bind(code_key)
            .bind(link.program_id)
            .bind(link.partner_id)
            .bind(&link.url)
            .bind(&link.utm)
            .bind(link.expires_at)
            .bind(link.paused)
            .bind(&link.fallback_url)
            .bind(link.created_at)
            .bind(link.creative_id)
            .bind(&link.erid)
            .fetch_one(c)
            .await
        }),
        "code",
    )
}

pub async fn update(tx: &mut Tx, link: &Link) -> Result<()> {
    exec!(tx, {
        sqlx::query(
            "UPDATE links SET partner_id = $2, url = $3, utm = $4, expires_at = $5, paused = $6, fallback_url = $7, \
             creative_id = $8, erid = $9 WHERE id = $1",
        )
        .bind(link.id)
        .bind(link.partner_id)
        .bind(&link.url)
        .bind(&link.utm)
        .bind(link.expires_at)
        .bind(link.paused)
        .bind(&link.fallback_url)
        .bind(link.creative_id)
        .bind(&link.erid)
    })?;
    Ok(())
}

/// Tells the link books that a link, its targets or its aliases have changed.
pub async fn changed(tx: &mut Tx, id: LinkId) -> Result<()> {
    let version = settings::catalog_changed(tx).await?;
    exec!(tx, sqlx::query("UPDATE links SET catalog_version = $2 WHERE id = $1").bind(id).bind(version))?;
    Ok(())
}

/// [`changed`] for all links of a creative.
pub async fn changed_with_creative(tx: &mut Tx, creative: CreativeId) -> Result<()> {
    let version = settings::catalog_changed(tx).await?;
    exec!(tx, sqlx::query("UPDATE links SET catalog_version = $2 WHERE creative_id = $1").bind(creative).bind(version))?;
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

/// Links that [`is_unmarked`] is true of.
const UNMARKED: &str = "partner_id IS NOT NULL AND erid IS NULL \
     AND NOT EXISTS (SELECT 1 FROM creatives c WHERE c.id = links.creative_id AND c.erid IS NOT NULL) \
     AND program_id IN (SELECT p.id FROM programs p WHERE p.ad_marking_required)";

/// Links of partners that lack the mark their program requires: oldest first, after `after`.
pub async fn unmarked<'a>(on: impl Into<Reader<'a>>, after: i64, limit: i64) -> Result<Vec<Link>> {
    let sql = sqlx::AssertSqlSafe(format!("{SELECT} WHERE id > $1 AND {UNMARKED} ORDER BY id LIMIT $2"));
    Ok(read!(on.into(), |c| sqlx::query_as(sql).bind(after).bind(limit).fetch_all(c).await)?)
}

pub async fn count_unmarked<'a>(on: impl Into<Reader<'a>>) -> Result<i64> {
    let sql = sqlx::AssertSqlSafe(format!("SELECT COUNT(*) FROM links WHERE {UNMARKED}"));
    Ok(read!(on.into(), |c| sqlx::query_scalar(sql).fetch_one(c).await)?)
}

/// One of a link's several destinations, as stored.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct TargetRow {
    pub id: TargetId,
    pub link_id: LinkId,
    pub url: String,
    pub weight: i64,
    pub device: Option<Device>,
    pub country: Option<Country>,
}

/// Stores a target; its `id` is ignored and given anew.
pub async fn insert_target(tx: &mut Tx, target: &TargetRow) -> Result<TargetId> {
    Ok(run!(tx, |c| {
        sqlx::query_scalar(
            "INSERT INTO link_targets (link_id, url, weight, device, country) VALUES ($1, $2, $3, $4, $5) RETURNING id",
        )
        .bind(target.link_id)
        .bind(&target.url)
        .bind(target.weight)
        .bind(target.device)
        .bind(target.country)
        .fetch_one(c)
        .await
    })?)
}

pub async fn weigh_target(tx: &mut Tx, id: TargetId, weight: i64) -> Result<()> {
    exec!(tx, sqlx::query("UPDATE link_targets SET weight = $2 WHERE id = $1").bind(id).bind(weight))?;
    Ok(())
}

/// Nobody is sent there any more; clicks go on naming it.
pub async fn remove_target(tx: &mut Tx, id: TargetId, at: At) -> Result<()> {
    exec!(tx, sqlx::query("UPDATE link_targets SET removed_at = $2 WHERE id = $1").bind(id).bind(at))?;
    Ok(())
}

/// The targets of the links from `first` to `last`, oldest first.
pub async fn targets<'a>(on: impl Into<Reader<'a>>, first: LinkId, last: LinkId) -> Result<Vec<TargetRow>> {
    Ok(read!(on.into(), |c| {
        sqlx::query_as(
            "SELECT id, link_id, url, weight, device, country FROM link_targets \
             WHERE link_id BETWEEN $1 AND $2 AND removed_at IS NULL ORDER BY id",
        )
        .bind(first)
        .bind(last)
        .fetch_all(c)
        .await
    })?)
}

/// A further code of a link.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Alias {
    pub code_key: String,
    pub link_id: LinkId,
}

pub async fn insert_alias(tx: &mut Tx, code_key: &str, link: LinkId, at: At) -> Result<()> {
    taken(
        run!(tx, |c| {
            sqlx::query("INSERT INTO link_aliases (code_key, link_id, created_at) VALUES ($1, $2, $3)")
                .bind(code_key)
                .bind(link)
                .bind(at)
                .execute(c)
                .await
                .map(|_| ())
        }),
        "code",
    )
}

pub async fn delete_alias(tx: &mut Tx, code_key: &str) -> Result<()> {
    exec!(tx, sqlx::query("DELETE FROM link_aliases WHERE code_key = $1").bind(code_key))?;
    Ok(())
}

/// The link that a code is an alias of.
pub async fn by_alias<'a>(on: impl Into<Reader<'a>>, code_key: &str) -> Result<Option<LinkId>> {
    Ok(read!(on.into(), |c| {
        sqlx::query_scalar("SELECT link_id FROM link_aliases WHERE code_key = $1").bind(code_key).fetch_optional(c).await
    })?)
}

/// The aliases of the links from `first` to `last`, by code.
pub async fn aliases<'a>(on: impl Into<Reader<'a>>, first: LinkId, last: LinkId) -> Result<Vec<Alias>> {
    Ok(read!(on.into(), |c| {
        sqlx::query_as("SELECT code_key, link_id FROM link_aliases WHERE link_id BETWEEN $1 AND $2 ORDER BY code_key")
            .bind(first)
            .bind(last)
            .fetch_all(c)
            .await
    })?)
}

/// A link with all that hangs on it.
#[derive(Debug, Clone)]
pub struct LinkDetails {
    pub link: Link,
    pub targets: Vec<TargetRow>,
    pub aliases: Vec<String>,
    /// The first of its program's own domains.
    pub domain: Option<String>,
    /// Its program requires a mark that it lacks.
    pub unmarked: bool,
}

/// What hangs on links; `links` go up by id.
pub async fn details<'a>(on: impl Into<Reader<'a>>, links: Vec<Link>) -> Result<Vec<LinkDetails>> {
    let (Some(first), Some(last)) = (links.first().map(|l| l.id), links.last().map(|l| l.id)) else { return Ok(Vec::new()) };
    let mut on = on.into();
    let programs = program::all(on.again()).await?;
    let mut details: Vec<LinkDetails> = links
        .into_iter()
        .map(|link| {
            let program = programs.iter().find(|p| p.id == link.program_id);
            let domain = program.and_then(|p| p.link_domains.first().cloned());
            let unmarked = is_unmarked(program.is_some_and(|p| p.ad_marking_required), link.partner_id.is_some(), link.erid());
            LinkDetails { link, targets: Vec::new(), aliases: Vec::new(), domain, unmarked }
        })
        .collect();
    for target in targets(on.again(), first, last).await? {
        if let Ok(index) = details.binary_search_by_key(&target.link_id, |d| d.link.id) {
            details[index].targets.push(target);
        }
    }
    for alias in aliases(on, first, last).await? {
        if let Ok(index) = details.binary_search_by_key(&alias.link_id, |d| d.link.id) {
            details[index].aliases.push(alias.code_key);
        }
    }
    Ok(details)
}

/// What the link book reads of each link.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct BookRow {
    pub id: LinkId,
    pub code: String,
    pub code_key: String,
    pub program_id: ProgramId,
    pub partner_id: Option<PartnerId>,
    pub partner_kind: Option<PartnerKind>,
    pub url: String,
    pub utm: Json<BTreeMap<String, String>>,
    pub expires_at: Option<At>,
    pub paused: bool,
    pub fallback_url: Option<String>,
    /// The token that its clicks carry.
    pub erid: Option<String>,
}

/// A page of the links that changed after a version of the catalog, by id, after `after`.
pub async fn book<'a>(on: impl Into<Reader<'a>>, since: i64, after: LinkId, limit: i64) -> Result<Vec<BookRow>> {
    Ok(read!(on.into(), |c| {
        sqlx::query_as(
            "SELECT l.id, l.code, l.code_key, l.program_id, l.partner_id, a.kind AS partner_kind, l.url, l.utm, l.expires_at, \
             l.paused, l.fallback_url, COALESCE(l.erid, r.erid) AS erid FROM links l \
             LEFT JOIN partners a ON a.id = l.partner_id LEFT JOIN creatives r ON r.id = l.creative_id \
             WHERE l.catalog_version > $1 AND l.id > $2 ORDER BY l.id LIMIT $3",
        )
        .bind(since)
        .bind(after)
        .bind(limit)
        .fetch_all(c)
        .await
    })?)
}

/// Targets and aliases of the links from `first` to `last` that changed after a version of the catalog.
pub async fn book_parts<'a>(
    on: impl Into<Reader<'a>>,
    since: i64,
    first: LinkId,
    last: LinkId,
) -> Result<(Vec<TargetRow>, Vec<Alias>)> {
    let mut on = on.into();
    let targets = read!(on.again(), |c| {
        sqlx::query_as(
            "SELECT t.id, t.link_id, t.url, t.weight, t.device, t.country FROM link_targets t JOIN links l ON l.id = t.link_id \
             WHERE t.link_id BETWEEN $1 AND $2 AND t.removed_at IS NULL AND l.catalog_version > $3 ORDER BY t.id",
        )
        .bind(first)
        .bind(last)
        .bind(since)
        .fetch_all(c)
        .await
    })?;
    let aliases = read!(on, |c| {
        sqlx::query_as(
            "SELECT s.code_key, s.link_id FROM link_aliases s JOIN links l ON l.id = s.link_id \
             WHERE s.link_id BETWEEN $1 AND $2 AND l.catalog_version > $3 ORDER BY s.code_key",
        )
        .bind(first)
        .bind(last)
        .bind(since)
        .fetch_all(c)
        .await
    })?;
    Ok((targets, aliases))
}
