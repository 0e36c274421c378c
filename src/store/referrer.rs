//! Customers who recommend: which partner each is, with their link and code.

use super::{At, Reader, Result, Tx, taken};
use crate::domain::id::{LinkId, PartnerId, ProgramId, PromoCodeId, ReferrerId};
use crate::{read, run};

/// A customer in a referral program, as stored.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Referrer {
    pub id: ReferrerId,
    pub program_id: ProgramId,
    pub partner_id: PartnerId,
    /// The customer's id in the shop.
    pub customer_id: String,
    pub link_id: LinkId,
    pub promo_code_id: PromoCodeId,
    pub created_at: At,
}

const SELECT: &str = "SELECT id, program_id, partner_id, customer_id, link_id, promo_code_id, created_at FROM referrers";

/// Stores a referrer; its `id` is ignored and given anew.
pub async fn insert(tx: &mut Tx, referrer: &Referrer) -> Result<ReferrerId> {
    taken(
        run!(tx, |c| {
            sqlx::query_scalar(
                "INSERT INTO referrers (program_id, partner_id, customer_id, link_id, promo_code_id, created_at) \
                 VALUES ($1, $2, $3, $4, $5, $6) RETURNING id",
            )
            .bind(referrer.program_id)
            .bind(referrer.partner_id)
            .bind(&referrer.customer_id)
            .bind(referrer.link_id)
            .bind(referrer.promo_code_id)
            .bind(referrer.created_at)
            .fetch_one(c)
            .await
        }),
        "customer",
    )
}

pub async fn by_id<'a>(on: impl Into<Reader<'a>>, id: ReferrerId) -> Result<Option<Referrer>> {
    let sql = sqlx::AssertSqlSafe(format!("{SELECT} WHERE id = $1"));
    Ok(read!(on.into(), |c| sqlx::query_as(sql).bind(id).fetch_optional(c).await)?)
}

/// A customer in all programs, oldest first.
pub async fn of_customer<'a>(on: impl Into<Reader<'a>>, customer: &str) -> Result<Vec<Referrer>> {
    let sql = sqlx::AssertSqlSafe(format!("{SELECT} WHERE customer_id = $1 ORDER BY id"));
    Ok(read!(on.into(), |c| sqlx::query_as(sql).bind(customer).fetch_all(c).await)?)
}

/// Which customer a partner is.
pub async fn customer_of<'a>(on: impl Into<Reader<'a>>, partner: PartnerId) -> Result<Option<String>> {
    Ok(read!(on.into(), |c| {
        sqlx::query_scalar("SELECT customer_id FROM referrers WHERE partner_id = $1 ORDER BY id LIMIT 1")
            .bind(partner)
            .fetch_optional(c)
            .await
    })?)
}

/// Oldest first, after `after`; one customer's, if given.
pub async fn list<'a>(on: impl Into<Reader<'a>>, customer: Option<&str>, after: i64, limit: i64) -> Result<Vec<Referrer>> {
    let condition = if customer.is_some() { "AND customer_id = $3" } else { "AND $3 = ''" };
    let sql = sqlx::AssertSqlSafe(format!("{SELECT} WHERE id > $1 {condition} ORDER BY id LIMIT $2"));
    let customer = customer.unwrap_or_default();
    Ok(read!(on.into(), |c| sqlx::query_as(sql).bind(after).bind(limit).bind(customer).fetch_all(c).await)?)
}

/// Makes the discount of all referrers' codes in a program that of its terms.
pub async fn set_discounts(tx: &mut Tx, program: ProgramId, ppm: Option<i64>, minor: Option<i64>) -> Result<()> {
    crate::exec!(tx, {
        sqlx::query(
            "UPDATE promo_codes SET discount_ppm = $2, discount_minor = $3 \
             WHERE id IN (SELECT r.promo_code_id FROM referrers r WHERE r.program_id = $1)",
        )
        .bind(program)
        .bind(ppm)
        .bind(minor)
    })?;
    Ok(())
}
