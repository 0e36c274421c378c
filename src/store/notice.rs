//! Notices: what needs a person's look, from when to when.

use super::seen_price::PriceOf;
use super::{At, Reader, Result, Tx};
use crate::domain::id::{NoticeId, PartnerId};
use crate::domain::money::Currency;
use crate::domain::price_watch::Dumping;
use crate::{exec, read};

/// A notice of a price below the minimum, as stored.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Notice {
    pub id: NoticeId,
    /// `dumping`.
    pub kind: String,
    pub partner_id: PartnerId,
    pub sku: String,
    pub currency: Currency,
    pub seen_minor: i64,
    pub minimum_minor: i64,
    /// Empty if nobody said where.
    pub url: String,
    pub since: At,
    pub last_seen_at: At,
    pub closed_at: Option<At>,
}

const SELECT: &str =
    "SELECT id, kind, partner_id, sku, currency, seen_minor, minimum_minor, url, since, last_seen_at, closed_at FROM notices";

/// Makes the notices of a price those spans, in order of time; one that is there keeps its id.
pub async fn put_dumpings(tx: &mut Tx, of: &PriceOf, spans: &[Dumping]) -> Result<()> {
    let known: Vec<NoticeId> = crate::run!(tx, |c| {
        sqlx::query_scalar("SELECT id FROM notices WHERE kind = 'dumping' AND partner_id = $1 AND sku = $2 ORDER BY since, id")
            .bind(of.partner_id)
            .bind(&of.sku)
            .fetch_all(c)
            .await
    })?;
    for (index, span) in spans.iter().enumerate() {
        let last = &span.last;
        let (since, last_seen_at, closed_at) = (At::from(span.since), At::from(last.at), span.closed_at.map(At::from));
        let minimum_minor = last.minimum_minor.unwrap_or(0);
        match known.get(index) {
            Some(id) => exec!(tx, {
                sqlx::query(
                    "UPDATE notices SET currency = $2, seen_minor = $3, minimum_minor = $4, url = $5, since = $6, last_seen_at = $7, \
                     closed_at = $8 WHERE id = $1",
                )
                .bind(*id)
                .bind(last.currency)
                .bind(last.price_minor)
                .bind(minimum_minor)
                .bind(&last.url)
                .bind(since)
                .bind(last_seen_at)
                .bind(closed_at)
            })?,
            None => exec!(tx, {
                sqlx::query(
                    "INSERT INTO notices (kind, partner_id, sku, currency, seen_minor, minimum_minor, url, since, last_seen_at, closed_at) \
                     VALUES ('dumping', $1, $2, $3, $4, $5, $6, $7, $8, $9)",
                )
                .bind(of.partner_id)
                .bind(&of.sku)
                .bind(last.currency)
                .bind(last.price_minor)
                .bind(minimum_minor)
                .bind(&last.url)
                .bind(since)
                .bind(last_seen_at)
                .bind(closed_at)
            })?,
        };
    }
    for gone in known.iter().skip(spans.len()) {
        exec!(tx, sqlx::query("DELETE FROM notices WHERE id = $1").bind(*gone))?;
    }
    Ok(())
}

/// Closes what is open of a partner's prices.
pub async fn close_dumpings(tx: &mut Tx, partner: PartnerId, at: At) -> Result<()> {
    exec!(tx, {
        sqlx::query("UPDATE notices SET closed_at = $2 WHERE kind = 'dumping' AND partner_id = $1 AND closed_at IS NULL")
            .bind(partner)
            .bind(at)
    })?;
    Ok(())
}

/// The open notice of a price.
pub async fn open_of<'a>(on: impl Into<Reader<'a>>, of: &PriceOf) -> Result<Option<Notice>> {
    let sql =
        sqlx::AssertSqlSafe(format!("{SELECT} WHERE kind = 'dumping' AND partner_id = $1 AND sku = $2 AND closed_at IS NULL"));
    Ok(read!(on.into(), |c| sqlx::query_as(sql).bind(of.partner_id).bind(&of.sku).fetch_optional(c).await)?)
}

/// Oldest first, after `after`; `open`: only those, or only the others.
pub async fn list<'a>(on: impl Into<Reader<'a>>, open: Option<bool>, after: i64, limit: i64) -> Result<Vec<Notice>> {
    let condition = match open {
        None => "",
        Some(true) => "AND closed_at IS NULL",
        Some(false) => "AND closed_at IS NOT NULL",
    };
    let sql = sqlx::AssertSqlSafe(format!("{SELECT} WHERE id > $1 {condition} ORDER BY id LIMIT $2"));
    Ok(read!(on.into(), |c| sqlx::query_as(sql).bind(after).bind(limit).fetch_all(c).await)?)
}
