//! Touches: once each, narrow as stored, whole as read.

use super::codec::{json_look_up, json_text};
use super::dictionary::Dictionary;
use super::{At, Dialect, Error, Reader, Result, Tx, partition, touch_day};
use crate::domain::channel::Channel;
use crate::domain::id::*;
use crate::domain::link_target::{Country, Device};
use crate::domain::payable::TouchClaim;
use crate::domain::person::Identifier;
use crate::domain::touch::{Mark, Touch, TouchKind, label};
use crate::{exec, read, run};
use chrono::NaiveDate;
use sqlx::QueryBuilder;
use std::collections::{HashMap, HashSet};
use uuid::Uuid;

/// Source, medium, campaign, content, term.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin<'a>(pub [Option<&'a str>; 5]);

impl Origin<'_> {
    /// A text that is the same for the same origin; empty if all is.
    pub(super) fn write_key(&self, key: &mut String) {
        key.clear();
        if self.0.iter().any(Option::is_some) {
            for field in self.0 {
                key.push_str(field.unwrap_or("\u{1e}"));
                key.push('\u{1f}');
            }
        }
    }
}

/// A touch as it is stored.
#[derive(Debug, Clone, Copy)]
pub struct TouchRow<'a> {
    pub touch: &'a Touch,
    pub day: NaiveDate,
    pub origin_id: Option<i64>,
    pub page_id: Option<i64>,
    pub query: Option<&'a str>,
    pub referrer_id: Option<i64>,
    pub referrer_query: Option<&'a str>,
    pub user_agent_id: Option<i64>,
    pub language_id: Option<i64>,
}

#[derive(sqlx::FromRow)]
pub(super) struct Row {
    id: Uuid,
    external_id: Option<String>,
    at: At,
    kind: TouchKind,
    visitor_id: Option<String>,
    customer_id: Option<String>,
    channel: Channel,
    channel_given: bool,
    source: Option<String>,
    medium: Option<String>,
    campaign: Option<String>,
    content: Option<String>,
    term: Option<String>,
    link_id: Option<LinkId>,
    target_id: Option<i64>,
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
    device: Option<Device>,
    country: Option<Country>,
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
            channel_given: r.channel_given,
            source: r.source,
            medium: r.medium,
            campaign: r.campaign,
            content: r.content,
            term: r.term,
            link_id: r.link_id,
            target_id: r.target_id,
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
            device: r.device,
            country: r.country,
        }
    }
}

/// What is read of a touch; `t` and the tables of [`JOINED`].
pub(super) const SELECTED: &str = "t.id, t.external_id, t.at, t.kind, t.visitor_id, t.customer_id, t.channel, t.channel_given, \
     o.source, o.medium, o.campaign, o.content, o.term, t.link_id, t.target_id, t.partner_id, t.program_id, t.promo_code_id, \
     t.mark, t.mark_reason, t.consent_denied, \
     CASE WHEN t.query IS NULL THEN p.text ELSE p.text || '?' || t.query END AS url, \
     CASE WHEN t.referrer_query IS NULL THEN f.text ELSE f.text || '?' || t.referrer_query END AS referrer, \
     a.text AS user_agent, l.text AS language, t.ip, t.device, t.country";
pub(super) const JOINED: &str = "LEFT JOIN origins o ON o.id = t.origin_id LEFT JOIN texts p ON p.id = t.page_id \
     LEFT JOIN texts f ON f.id = t.referrer_id LEFT JOIN texts a ON a.id = t.user_agent_id LEFT JOIN texts l ON l.id = t.language_id";

/// The columns of a row, in the order in which all three writers fill them. `channel_given` is for imports alone, which
/// come in by [`insert`].
pub(super) const COLUMNS: &str = "id, external_id, at, day, kind, visitor_id, customer_id, channel, origin_id, link_id, target_id, \
     partner_id, program_id, promo_code_id, mark, mark_reason, consent_denied, page_id, query, referrer_id, referrer_query, \
     user_agent_id, language_id, ip, device, country";

/// Rows a statement: 27 columns each stay below both drivers' limits of bound values.
const ROWS_A_STATEMENT: usize = 200;
const IDS_A_STATEMENT: usize = 1_000;

/// Stores touches that are not there yet; answers how many were new.
pub async fn insert(tx: &mut Tx, dictionary: &mut Dictionary, touches: &[(Touch, NaiveDate)]) -> Result<u64> {
    partition::ensure(tx, touches.iter().map(|(touch, _)| touch.at)).await?;
    dictionary.learn(tx, touches).await?;
    let mut new = 0;
    for chunk in touches.chunks(ROWS_A_STATEMENT) {
        let rows = dictionary.rows(chunk).ok_or_else(|| Error::missing("a dictionary entry"))?;
        let ids: Vec<Uuid> = run!(tx, |c| {
            let mut query = QueryBuilder::new(format!("INSERT INTO touches ({COLUMNS}, channel_given) "));
            query.push_values(&rows, |mut row, r| {
                row.push_bind(r.touch.id)
                    .push_bind(&r.touch.external_id)
                    .push_bind(At::from(r.touch.at))
                    .push_bind(r.day)
                    .push_bind(r.touch.kind)
                    .push_bind(&r.touch.visitor_id)
                    .push_bind(&r.touch.customer_id)
                    .push_bind(r.touch.channel)
                    .push_bind(r.origin_id)
                    .push_bind(r.touch.link_id)
                    .push_bind(r.touch.target_id)
                    .push_bind(r.touch.partner_id)
                    .push_bind(r.touch.program_id)
                    .push_bind(r.touch.promo_code_id)
                    .push_bind(r.touch.mark)
                    .push_bind(&r.touch.mark_reason)
                    .push_bind(r.touch.consent_denied)
                    .push_bind(r.page_id)
                    .push_bind(r.query)
                    .push_bind(r.referrer_id)
                    .push_bind(r.referrer_query)
                    .push_bind(r.user_agent_id)
                    .push_bind(r.language_id)
                    .push_bind(&r.touch.ip)
                    .push_bind(r.touch.device)
                    .push_bind(r.touch.country)
                    .push_bind(r.touch.channel_given);
            });
            query.push(" ON CONFLICT DO NOTHING RETURNING id");
            query.build_query_scalar().fetch_all(c).await
        })?;
        new += ids.len() as u64;
        // One that comes twice in these rows is counted once.
        let mut ids: HashSet<Uuid> = ids.into_iter().collect();
        touch_day::count(tx, touch_day::totals(rows.iter().filter(|row| ids.remove(&row.touch.id)))).await?;
    }
    Ok(new)
}

/// Shortens addresses of one day's touches to their network (IPv4 /24, IPv6 /48); answers of how many, at most `limit`.
pub async fn shorten_addresses(tx: &mut Tx, day: NaiveDate, limit: i64) -> Result<u64> {
    let whole: Vec<(Uuid, At, String)> = run!(tx, |c| {
        sqlx::query_as("SELECT id, at, ip FROM touches WHERE day = $1 AND ip IS NOT NULL AND ip NOT LIKE '%/%' LIMIT $2")
            .bind(day)
            .bind(limit)
            .fetch_all(c)
            .await
    })?;
    for (id, at, ip) in &whole {
        let network = crate::domain::text::network_of(ip);
        exec!(tx, sqlx::query("UPDATE touches SET ip = $3 WHERE id = $1 AND at = $2").bind(*id).bind(*at).bind(&network))?;
    }
    Ok(whole.len() as u64)
}

/// The first day of a touch that has an address.
pub async fn first_day<'a>(on: impl Into<Reader<'a>>) -> Result<Option<NaiveDate>> {
    Ok(read!(on.into(), |c| sqlx::query_scalar("SELECT MIN(day) FROM touches").fetch_one(c).await)?)
}

/// How a click's id, the text of an UUID in `value` where `kind` says so, finds its touch.
pub(super) fn click_matches_touch(dialect: Dialect, kind: &str, value: &str) -> String {
    match dialect {
        Dialect::Sqlite => format!("t.id = unhex({value}, '-')"),
        Dialect::Postgres => format!("t.id = CASE WHEN {kind} = 'click' THEN CAST({value} AS UUID) END"),
    }
}

/// The touches of a person, by the identifiers joined in them, in order of time.
pub async fn of_person<'a>(on: impl Into<Reader<'a>>, person: PersonId) -> Result<Vec<Touch>> {
    let mut connection = on.into().connect().await?;
    let joined = |kind: &str, condition: &str| {
        format!(
            "SELECT {SELECTED} FROM identifiers i JOIN touches t ON {condition} {JOINED} WHERE i.person_id = $1 AND i.kind = '{kind}'"
        )
    };
    let sql = [
        joined("visitor", "t.visitor_id = i.value"),
        joined("customer", "t.customer_id = i.value"),
        joined("click", &click_matches_touch(connection.dialect(), "i.kind", "i.value")),
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
    let sql = sqlx::AssertSqlSafe(format!("SELECT {SELECTED} FROM touches t {JOINED} WHERE t.id = $1"));
    let row: Option<Row> = read!(on.into(), |c| sqlx::query_as(sql).bind(id).fetch_optional(c).await)?;
    Ok(row.map(Touch::from))
}

/// What of a touch a payable decision looks at.
#[derive(sqlx::FromRow)]
pub(super) struct ClaimRow {
    id: Uuid,
    external_id: Option<String>,
    at: At,
    kind: TouchKind,
    mark: Option<Mark>,
    mark_reason: Option<String>,
    partner_id: Option<PartnerId>,
    program_id: Option<ProgramId>,
}

impl From<ClaimRow> for TouchClaim {
    fn from(row: ClaimRow) -> TouchClaim {
        TouchClaim {
            touch: label(row.id, row.external_id.as_deref()),
            at: row.at.into(),
            kind: row.kind,
            mark: row.mark,
            mark_reason: row.mark_reason,
            speaks_for: row.partner_id.zip(row.program_id),
        }
    }
}

/// What payable decisions look at, of the touches with these ids that lie between two instants, both included. The
/// instants spare PostgreSQL the partitions of other months.
pub async fn claims<'a>(on: impl Into<Reader<'a>>, ids: &[Uuid], earliest: At, latest: At) -> Result<Vec<(Uuid, TouchClaim)>> {
    let mut connection = on.into().connect().await?;
    let mut claims = Vec::with_capacity(ids.len());
    for chunk in ids.chunks(IDS_A_STATEMENT) {
        let rows: Vec<ClaimRow> = run!(connection, |c| {
            let mut query = QueryBuilder::new(
                "SELECT id, external_id, at, kind, mark, mark_reason, partner_id, program_id FROM touches WHERE at >= ",
            );
            query.push_bind(earliest).push(" AND at <= ").push_bind(latest).push(" AND id IN (");
            let mut list = query.separated(", ");
            for id in chunk {
                list.push_bind(*id);
            }
            query.push(")");
            query.build_query_as().fetch_all(c).await
        })?;
        claims.extend(rows.into_iter().map(|row| (row.id, row.into())));
    }
    Ok(claims)
}

/// A touch that belongs to a person, as payable decisions look at it.
#[derive(Debug, Clone)]
pub struct ClaimOfPerson {
    pub person_id: PersonId,
    pub channel: Channel,
    pub claim: TouchClaim,
}

/// The touches of persons, by the identifiers joined in them, each once a person; in order of person, time and id.
pub async fn claims_of_persons<'a>(on: impl Into<Reader<'a>>, persons: &[PersonId]) -> Result<Vec<ClaimOfPerson>> {
    #[derive(sqlx::FromRow)]
    struct Row {
        person_id: PersonId,
        channel: Channel,
        #[sqlx(flatten)]
        claim: ClaimRow,
    }
    if persons.is_empty() {
        return Ok(Vec::new());
    }
    let mut connection = on.into().connect().await?;
    let list = persons.iter().map(|person| person.0.to_string()).collect::<Vec<_>>().join(", ");
    let joined = |kind: &str, condition: &str| {
        format!(
            "SELECT i.person_id, t.channel, t.id, t.external_id, t.at, t.kind, t.mark, t.mark_reason, t.partner_id, t.program_id \
             FROM identifiers i JOIN touches t ON {condition} WHERE i.kind = '{kind}' AND i.person_id IN ({list})"
        )
    };
    let sql = [
        joined("visitor", "t.visitor_id = i.value"),
        joined("customer", "t.customer_id = i.value"),
        joined("click", &click_matches_touch(connection.dialect(), "i.kind", "i.value")),
    ]
    .join(" UNION ALL ");
    // The list is of our own whole numbers.
    let sql = sqlx::AssertSqlSafe(sql);
    let rows: Vec<Row> = run!(connection, |c| sqlx::query_as(sql).fetch_all(c).await)?;
    let mut claims: Vec<ClaimOfPerson> = rows
        .into_iter()
        .map(|row| ClaimOfPerson { person_id: row.person_id, channel: row.channel, claim: row.claim.into() })
        .collect();
    claims.sort_by(|a, b| (a.person_id, a.claim.at, &a.claim.touch).cmp(&(b.person_id, b.claim.at, &b.claim.touch)));
    claims.dedup_by(|a, b| a.person_id == b.person_id && a.claim.touch == b.claim.touch);
    Ok(claims)
}

/// The touches that identifiers name, by the place of whose they are, each once a place; in order of time and id.
pub async fn claims_of_identifiers<'a>(
    on: impl Into<Reader<'a>>,
    named: &[(i64, &Identifier)],
) -> Result<HashMap<i64, Vec<TouchClaim>>> {
    #[derive(sqlx::FromRow)]
    struct Row {
        place: i64,
        #[sqlx(flatten)]
        claim: ClaimRow,
    }
    let mut connection = on.into().connect().await?;
    let dialect = connection.dialect();
    let named_by = |kind: &str, condition: &str| {
        format!(
            "SELECT CAST(v.value->>0 AS BIGINT) AS place, t.id, t.external_id, t.at, t.kind, t.mark, t.mark_reason, t.partner_id, \
             t.program_id FROM {}",
            json_look_up(dialect, "touches t", &format!("v.value->>1 = '{kind}' AND {condition}"))
        )
    };
    let click = click_matches_touch(dialect, "v.value->>1", "v.value->>2");
    let sql = [
        named_by("visitor", "t.visitor_id = v.value->>2"),
        named_by("customer", "t.customer_id = v.value->>2"),
        named_by("click", &click),
    ]
    .join(" UNION ALL ");
    let rows = json_text(named.iter().map(|(place, identifier)| (place, identifier.kind, &identifier.value)))?;
    let found: Vec<Row> = run!(connection, |c| sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(&rows).fetch_all(c).await)?;
    let mut claims: HashMap<i64, Vec<TouchClaim>> = HashMap::new();
    for row in found {
        claims.entry(row.place).or_default().push(row.claim.into());
    }
    for claims in claims.values_mut() {
        claims.sort_by(|a, b| (a.at, &a.touch).cmp(&(b.at, &b.touch)));
        claims.dedup_by(|a, b| a.touch == b.touch);
    }
    Ok(claims)
}

/// Whether a touch is in the store.
pub async fn is_stored<'a>(on: impl Into<Reader<'a>>, id: Uuid) -> Result<bool> {
    let found: Option<i64> = read!(on.into(), |c| {
        sqlx::query_scalar("SELECT CAST(1 AS BIGINT) FROM touches WHERE id = $1").bind(id).fetch_optional(c).await
    })?;
    Ok(found.is_some())
}

/// Newest first.
pub async fn latest<'a>(on: impl Into<Reader<'a>>, limit: i64) -> Result<Vec<Touch>> {
    let sql = sqlx::AssertSqlSafe(format!("SELECT {SELECTED} FROM touches t {JOINED} ORDER BY t.at DESC, t.id DESC LIMIT $1"));
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
            "SELECT CAST(COALESCE(SUM(counted), 0) AS BIGINT), CAST(COALESCE(SUM(not_counted), 0) AS BIGINT) FROM touch_days \
             WHERE partner_id = $1 AND partner_id <> 0 AND day >= $2 AND day <= $3 AND kind IN ('click', 'visit')",
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
            "SELECT day, CAST(SUM(counted) AS BIGINT) FROM touch_days WHERE partner_id = $1 AND partner_id <> 0 AND day >= $2 AND day <= $3 \
             AND counted > 0 AND kind IN ('click', 'visit') GROUP BY day ORDER BY day",
        )
        .bind(partner)
        .bind(from)
        .bind(to)
        .fetch_all(c)
        .await
    })?)
}
