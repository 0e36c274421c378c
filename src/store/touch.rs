//! Touches: written in batches, once each, and read by person.

use super::{At, Dialect, Reader, Result, Tx};
use crate::domain::channel::Channel;
use crate::domain::id::*;
use crate::domain::touch::{Mark, Touch, TouchKind};
use crate::{read, run};
use chrono::NaiveDate;
use sqlx::QueryBuilder;
use sqlx::types::Json;
use std::collections::BTreeMap;
use uuid::Uuid;

#[derive(sqlx::FromRow)]
struct Row {
    id: Uuid,
    external_id: Option<String>,
    at: At,
    kind: TouchKind,
    visitor_id: Option<String>,
    customer_id: Option<String>,
    channel: Channel,
    source: Option<String>,
    medium: Option<String>,
    campaign: Option<String>,
    content: Option<String>,
    term: Option<String>,
    link_id: Option<LinkId>,
    partner_id: Option<PartnerId>,
    program_id: Option<ProgramId>,
    promo_code_id: Option<PromoCodeId>,
    mark: Option<Mark>,
    mark_reason: Option<String>,
    consent_denied: bool,
    url: Option<String>,
    referrer: Option<String>,
    user_agent: Option<String>,
    language: Option<String>,
    ip: Option<String>,
    click_ids: Json<BTreeMap<String, String>>,
    subs: Json<BTreeMap<String, String>>,
}

impl From<Row> for Touch {
    fn from(r: Row) -> Touch {
        Touch {
            id: r.id,
            external_id: r.external_id,
            at: r.at.into(),
            kind: r.kind,
            visitor_id: r.visitor_id,
            customer_id: r.customer_id,
            channel: r.channel,
            source: r.source,
            medium: r.medium,
            campaign: r.campaign,
            content: r.content,
            term: r.term,
            link_id: r.link_id,
            partner_id: r.partner_id,
            program_id: r.program_id,
            promo_code_id: r.promo_code_id,
            mark: r.mark,
            mark_reason: r.mark_reason,
            consent_denied: r.consent_denied,
            url: r.url,
            referrer: r.referrer,
            user_agent: r.user_agent,
            language: r.language,
            ip: r.ip,
            click_ids: r.click_ids.0,
            subs: r.subs.0,
        }
    }
}

const COLUMNS: &str = "id, external_id, at, kind, visitor_id, customer_id, channel, source, medium, campaign, content, term, \
     link_id, partner_id, program_id, promo_code_id, mark, mark_reason, consent_denied, url, referrer, user_agent, language, \
     ip, click_ids, subs";

/// Rows a statement: 27 columns each stay below both drivers' limits of bound values.
const ROWS_A_STATEMENT: usize = 200;

/// Stores touches that are not there yet; answers how many were new.
pub async fn insert(tx: &mut Tx, touches: &[(Touch, NaiveDate)]) -> Result<u64> {
    let mut new = 0;
    for chunk in touches.chunks(ROWS_A_STATEMENT) {
        new += run!(tx, |c| {
            let mut query = QueryBuilder::new(format!("INSERT INTO touches ({COLUMNS}, day) "));
            query.push_values(chunk, |mut row, (touch, day)| {
                row.push_bind(touch.id)
                    .push_bind(&touch.external_id)
                    .push_bind(At::from(touch.at))
                    .push_bind(touch.kind)
                    .push_bind(&touch.visitor_id)
                    .push_bind(&touch.customer_id)
                    .push_bind(touch.channel)
                    .push_bind(&touch.source)
                    .push_bind(&touch.medium)
                    .push_bind(&touch.campaign)
                    .push_bind(&touch.content)
                    .push_bind(&touch.term)
                    .push_bind(touch.link_id)
                    .push_bind(touch.partner_id)
                    .push_bind(touch.program_id)
                    .push_bind(touch.promo_code_id)
                    .push_bind(touch.mark)
                    .push_bind(&touch.mark_reason)
                    .push_bind(touch.consent_denied)
                    .push_bind(&touch.url)
                    .push_bind(&touch.referrer)
                    .push_bind(&touch.user_agent)
                    .push_bind(&touch.language)
                    .push_bind(&touch.ip)
                    .push_bind(Json(&touch.click_ids))
                    .push_bind(Json(&touch.subs))
                    .push_bind(*day);
            });
            query.push(" ON CONFLICT (id) DO NOTHING");
            query.build().execute(c).await.map(|done| done.rows_affected())
        })?;
    }
    Ok(new)
}

/// How a click identifier, kept as the text of an UUID, finds its touch.
pub(super) fn click_matches_touch(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Sqlite => "t.id = unhex(i.value, '-')",
        Dialect::Postgres => "t.id = CASE WHEN i.kind = 'click' THEN CAST(i.value AS UUID) END",
    }
}

/// The touches of a person, by the identifiers joined in them, in order of time.
pub async fn of_person<'a>(on: impl Into<Reader<'a>>, person: PersonId) -> Result<Vec<Touch>> {
    let mut connection = on.into().connect().await?;
    let columns = COLUMNS.split(", ").map(|c| format!("t.{}", c.trim())).collect::<Vec<_>>().join(", ");
    let joined = |kind: &str, condition: &str| {
        format!("SELECT {columns} FROM identifiers i JOIN touches t ON {condition} WHERE i.person_id = $1 AND i.kind = '{kind}'")
    };
    let sql = [
        joined("visitor", "t.visitor_id = i.value"),
        joined("customer", "t.customer_id = i.value"),
        joined("click", click_matches_touch(connection.dialect())),
    ]
    .join(" UNION ALL ");
    let sql = sqlx::AssertSqlSafe(sql);
    let rows: Vec<Row> = run!(connection, |c| sqlx::query_as(sql).bind(person).fetch_all(c).await)?;
    let mut touches: Vec<Touch> = rows.into_iter().map(Touch::from).collect();
    touches.sort_by_cached_key(Touch::order_key);
    touches.dedup_by_key(|t| t.id);
    Ok(touches)
}

pub async fn by_id<'a>(on: impl Into<Reader<'a>>, id: Uuid) -> Result<Option<Touch>> {
    let sql = sqlx::AssertSqlSafe(format!("SELECT {COLUMNS} FROM touches WHERE id = $1"));
    let row: Option<Row> = read!(on.into(), |c| sqlx::query_as(sql).bind(id).fetch_optional(c).await)?;
    Ok(row.map(Touch::from))
}

/// Newest first.
pub async fn latest<'a>(on: impl Into<Reader<'a>>, limit: i64) -> Result<Vec<Touch>> {
    let sql = sqlx::AssertSqlSafe(format!("SELECT {COLUMNS} FROM touches ORDER BY at DESC, id DESC LIMIT $1"));
    let rows: Vec<Row> = read!(on.into(), |c| sqlx::query_as(sql).bind(limit).fetch_all(c).await)?;
    Ok(rows.into_iter().map(Touch::from).collect())
}

/// Clicks and visits of a partner in a span of days: those that count, and those that do not.
pub async fn count_of_partner<'a>(
    on: impl Into<Reader<'a>>,
    partner: PartnerId,
    from: NaiveDate,
    to: NaiveDate,
) -> Result<(i64, i64)> {
    Ok(read!(on.into(), |c| {
        sqlx::query_as(
            "SELECT COUNT(*) FILTER (WHERE mark IS NULL), COUNT(*) FILTER (WHERE mark IS NOT NULL) FROM touches \
             WHERE partner_id = $1 AND day >= $2 AND day <= $3 AND kind IN ('click', 'visit')",
        )
        .bind(partner)
        .bind(from)
        .bind(to)
        .fetch_one(c)
        .await
    })?)
}

/// Clicks and visits of a partner that count, by day; days without any are left out.
pub async fn days_of_partner<'a>(
    on: impl Into<Reader<'a>>,
    partner: PartnerId,
    from: NaiveDate,
    to: NaiveDate,
) -> Result<Vec<(NaiveDate, i64)>> {
    Ok(read!(on.into(), |c| {
        sqlx::query_as(
            "SELECT day, COUNT(*) FROM touches WHERE partner_id = $1 AND day >= $2 AND day <= $3 AND mark IS NULL \
             AND kind IN ('click', 'visit') GROUP BY day ORDER BY day",
        )
        .bind(partner)
        .bind(from)
        .bind(to)
        .fetch_all(c)
        .await
    })?)
}
