//! Promo codes, and how often they were used.

use super::{At, Reader, Result, Tx, taken};
use crate::domain::id::{OrderId, PartnerId, ProgramId, PromoCodeId};
use crate::{exec, read, run};

/// A promo code as stored. One of `discount_ppm` and `discount_minor` may be set; the amount is in the program's currency.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct PromoCode {
    pub id: PromoCodeId,
    pub code: String,
    pub program_id: ProgramId,
    pub partner_id: Option<PartnerId>,
    pub discount_ppm: Option<i64>,
    pub discount_minor: Option<i64>,
    pub starts_at: Option<At>,
    pub ends_at: Option<At>,
    pub max_uses: Option<i64>,
    pub created_at: At,
}

const SELECT: &str = "SELECT id, code, program_id, partner_id, discount_ppm, discount_minor, starts_at, ends_at, max_uses, \
     created_at FROM promo_codes";

/// Stores a code; its `id` is ignored and given anew.
pub async fn insert(tx: &mut Tx, promo: &PromoCode, code_key: &str) -> Result<PromoCodeId> {
    taken(
        run!(tx, |c| {
            sqlx::query_scalar(
                "INSERT INTO promo_codes (code, code_key, program_id, partner_id, discount_ppm, discount_minor, starts_at, \
                 ends_at, max_uses, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) RETURNING id",
            )
            .bind(&promo.code)
            .bind(code_key)
            .bind(promo.program_id)
            .bind(promo.partner_id)
            .bind(promo.discount_ppm)
            .bind(promo.discount_minor)
            .bind(promo.starts_at)
            .bind(promo.ends_at)
            .bind(promo.max_uses)
            .bind(promo.created_at)
            .fetch_one(c)
            .await
        }),
        "code",
    )
}

pub async fn update(tx: &mut Tx, promo: &PromoCode) -> Result<()> {
    exec!(tx, {
        sqlx::query(
            "UPDATE promo_codes SET partner_id = $2, discount_ppm = $3, discount_minor = $4, starts_at = $5, ends_at = $6, \
             max_uses = $7 WHERE id = $1",
        )
        .bind(promo.id)
        .bind(promo.partner_id)
        .bind(promo.discount_ppm)
        .bind(promo.discount_minor)
        .bind(promo.starts_at)
        .bind(promo.ends_at)
        .bind(promo.max_uses)
    })?;
    Ok(())
}

pub async fn by_id<'a>(on: impl Into<Reader<'a>>, id: PromoCodeId) -> Result<Option<PromoCode>> {
    let sql = sqlx::AssertSqlSafe(format!("{SELECT} WHERE id = $1"));
    Ok(read!(on.into(), |c| sqlx::query_as(sql).bind(id).fetch_optional(c).await)?)
}

pub async fn by_key<'a>(on: impl Into<Reader<'a>>, code_key: &str) -> Result<Option<PromoCode>> {
    let sql = sqlx::AssertSqlSafe(format!("{SELECT} WHERE code_key = $1"));
    Ok(read!(on.into(), |c| sqlx::query_as(sql).bind(code_key).fetch_optional(c).await)?)
}

/// Oldest first, after `after`; of one partner, if given.
pub async fn list<'a>(on: impl Into<Reader<'a>>, partner: Option<PartnerId>, after: i64, limit: i64) -> Result<Vec<PromoCode>> {
    let sql = sqlx::AssertSqlSafe(format!("{SELECT} WHERE id > $1 AND ($3 = 0 OR partner_id = $3) ORDER BY id LIMIT $2"));
    let partner = partner.map_or(0, |p| p.0);
    Ok(read!(on.into(), |c| sqlx::query_as(sql).bind(after).bind(limit).bind(partner).fetch_all(c).await)?)
}

/// The keys of all codes, to find the one nearest to a mistyped one.
pub async fn all_keys<'a>(on: impl Into<Reader<'a>>) -> Result<Vec<String>> {
    Ok(read!(on.into(), |c| sqlx::query_scalar("SELECT code_key FROM promo_codes ORDER BY code_key").fetch_all(c).await)?)
}

/// How many orders that stand hold the code, without `except`.
pub async fn uses<'a>(on: impl Into<Reader<'a>>, id: PromoCodeId, except: Option<OrderId>) -> Result<i64> {
    Ok(read!(on.into(), |c| {
        sqlx::query_scalar(
            "SELECT COUNT(*) FROM order_promo_codes u JOIN orders o ON o.id = u.order_id \
             WHERE u.promo_code_id = $1 AND o.status <> 'cancelled' AND o.id <> $2",
        )
        .bind(id)
        .bind(except.map_or(0, |o| o.0))
        .fetch_one(c)
        .await
    })?)
}

/// Replaces which codes an order holds.
pub async fn set_order_codes(tx: &mut Tx, order: OrderId, codes: &[PromoCodeId]) -> Result<()> {
    exec!(tx, sqlx::query("DELETE FROM order_promo_codes WHERE order_id = $1").bind(order))?;
    for code in codes {
        exec!(tx, {
            sqlx::query("INSERT INTO order_promo_codes (order_id, promo_code_id) VALUES ($1, $2) ON CONFLICT DO NOTHING")
                .bind(order)
                .bind(code)
        })?;
    }
    Ok(())
}

/// The texts of codes by id.
pub async fn codes<'a>(on: impl Into<Reader<'a>>, ids: &[i64]) -> Result<std::collections::HashMap<i64, String>> {
    let list = ids.iter().map(i64::to_string).collect::<Vec<_>>().join(", ");
    if list.is_empty() {
        return Ok(std::collections::HashMap::new());
    }
    // The list is of our own whole numbers.
    let sql = sqlx::AssertSqlSafe(format!("SELECT id, code FROM promo_codes WHERE id IN ({list})"));
    let rows: Vec<(i64, String)> = crate::read!(on.into(), |c| sqlx::query_as(sql).fetch_all(c).await)?;
    Ok(rows.into_iter().collect())
}
