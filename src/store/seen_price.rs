//! Prices that were seen at resellers, each with the minimum in force then.

use super::{At, Reader, Result, Tx};
use crate::domain::id::PartnerId;
use crate::domain::money::Currency;
use crate::domain::price_watch::SeenPrice;
use crate::{exec, read};
use chrono::NaiveDate;

/// Whose price of what was seen.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, sqlx::FromRow)]
pub struct PriceOf {
    pub partner_id: PartnerId,
    pub sku: String,
}

/// Stores a price; a known one (same partner, SKU, instant and address) is corrected. Answers whether it is new.
pub async fn put(tx: &mut Tx, of: &PriceOf, day: NaiveDate, seen: &SeenPrice) -> Result<bool> {
    let at = At::from(seen.at);
    let corrected = exec!(tx, {
        sqlx::query(
            "UPDATE seen_prices SET price_minor = $5, minimum_minor = $6 WHERE partner_id = $1 AND sku = $2 AND at = $3 AND url = $4",
        )
        .bind(of.partner_id)
        .bind(&of.sku)
        .bind(at)
        .bind(&seen.url)
        .bind(seen.price_minor)
        .bind(seen.minimum_minor)
    })?;
    if corrected > 0 {
        return Ok(false);
    }
    exec!(tx, {
        sqlx::query(
            "INSERT INTO seen_prices (partner_id, sku, at, day, url, currency, price_minor, minimum_minor) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind(of.partner_id)
        .bind(&of.sku)
        .bind(at)
        .bind(day)
        .bind(&seen.url)
        .bind(seen.currency)
        .bind(seen.price_minor)
        .bind(seen.minimum_minor)
    })?;
    Ok(true)
}

#[derive(sqlx::FromRow)]
struct Row {
    at: At,
    url: String,
    currency: Currency,
    price_minor: i64,
    minimum_minor: Option<i64>,
}

/// All that was seen of a price.
pub async fn of<'a>(on: impl Into<Reader<'a>>, of: &PriceOf) -> Result<Vec<SeenPrice>> {
    let rows: Vec<Row> = read!(on.into(), |c| {
        sqlx::query_as(
            "SELECT at, url, currency, price_minor, minimum_minor FROM seen_prices WHERE partner_id = $1 AND sku = $2 ORDER BY at, url",
        )
        .bind(of.partner_id)
        .bind(&of.sku)
        .fetch_all(c)
        .await
    })?;
    let seen = |r: Row| SeenPrice {
        at: r.at.0,
        url: r.url,
        currency: r.currency,
        price_minor: r.price_minor,
        minimum_minor: r.minimum_minor,
    };
    Ok(rows.into_iter().map(seen).collect())
}

/// Judges what was seen of a list's partners from a day on by the versions in force; answers whose prices that were.
pub async fn judge_anew(tx: &mut Tx, list: &str, from: NaiveDate) -> Result<Vec<PriceOf>> {
    const OF_LIST: &str = "day >= $2 AND partner_id IN (SELECT a.partner_id FROM price_list_partners a WHERE a.name = $1)";
    let judge = format!(
        "UPDATE seen_prices SET minimum_minor = (SELECT i.minimum_minor FROM price_list_items i \
         JOIN price_lists v ON v.id = i.price_list_id WHERE v.name = $1 AND i.sku = seen_prices.sku AND v.currency = seen_prices.currency \
         AND v.valid_from = (SELECT MAX(w.valid_from) FROM price_lists w WHERE w.name = $1 AND w.valid_from <= seen_prices.day)) \
         WHERE {OF_LIST}"
    );
    exec!(tx, sqlx::query(sqlx::AssertSqlSafe(judge.clone())).bind(list).bind(from))?;
    let sql =
        sqlx::AssertSqlSafe(format!("SELECT DISTINCT partner_id, sku FROM seen_prices WHERE {OF_LIST} ORDER BY partner_id, sku"));
    Ok(crate::run!(tx, |c| sqlx::query_as(sql).bind(list).bind(from).fetch_all(c).await)?)
}
