//! The totals and streams behind every report. Days are inclusive.

use super::touch::click_matches_touch;
use super::{At, Reader, Result};
use crate::domain::channel::Channel;
use crate::domain::id::{OrderId, PartnerId, PersonId};
use crate::domain::money::Currency;
use crate::domain::partner::PartnerKind;
use crate::domain::touch::TouchKind;
use crate::{read, run};
use chrono::NaiveDate;
use uuid::Uuid;

/// Clicks and visits of one day and origin.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct TouchTotal {
    pub day: NaiveDate,
    pub channel: Channel,
    pub source: Option<String>,
    pub medium: Option<String>,
    pub campaign: Option<String>,
    pub partner_id: Option<PartnerId>,
    pub visitor: String,
    pub counted: i64,
    pub not_counted: i64,
}

/// Clicks and visits by origin and visitor; a touch without a visitor id is a visitor of its own.
pub async fn touch_totals<'a>(on: impl Into<Reader<'a>>, from: NaiveDate, to: NaiveDate) -> Result<Vec<TouchTotal>> {
    let mut connection = on.into().connect().await?;
    let own_id = match connection.dialect() {
        super::Dialect::Sqlite => "COALESCE(t.visitor_id, hex(t.id))",
        super::Dialect::Postgres => "COALESCE(t.visitor_id, CAST(t.id AS TEXT))",
    };
    let sql = sqlx::AssertSqlSafe(format!(
        "SELECT t.day, t.channel, o.source, o.medium, o.campaign, t.partner_id, {own_id} AS visitor, \
         COUNT(*) FILTER (WHERE t.mark IS NULL) AS counted, COUNT(*) FILTER (WHERE t.mark IS NOT NULL) AS not_counted \
         FROM touches t LEFT JOIN origins o ON o.id = t.origin_id WHERE t.day >= $1 AND t.day <= $2 AND t.kind IN ('click', 'visit') \
         GROUP BY t.day, t.channel, o.source, o.medium, o.campaign, t.partner_id, {own_id}"
    ));
    Ok(run!(connection, |c| sqlx::query_as(sql).bind(from).bind(to).fetch_all(c).await)?)
}

/// An approved order as reports see it.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct ReportOrder {
    pub id: OrderId,
    pub person_id: PersonId,
    pub day: NaiveDate,
    pub placed_at: At,
    pub currency: Currency,
    pub total_minor: i64,
    pub refunded_minor: i64,
    /// The person had no other order that stands before.
    pub is_new: bool,
    pub partner_id: Option<PartnerId>,
    /// The touch or code that won the payable credit.
    pub won_touch: Option<String>,
    pub commission_minor: i64,
}

pub async fn orders<'a>(on: impl Into<Reader<'a>>, from: NaiveDate, to: NaiveDate) -> Result<Vec<ReportOrder>> {
    Ok(read!(on.into(), |c| {
        sqlx::query_as(
            "SELECT o.id, o.person_id, o.day, o.placed_at, o.currency, o.total_minor, \
             (SELECT CAST(COALESCE(SUM(r.amount_minor), 0) AS BIGINT) FROM refunds r WHERE r.order_id = o.id) AS refunded_minor, \
             NOT EXISTS (SELECT 1 FROM orders e WHERE e.person_id = o.person_id AND e.status <> 'cancelled' \
             AND (e.placed_at < o.placed_at OR (e.placed_at = o.placed_at AND e.id < o.id))) AS is_new, \
             d.partner_id, d.touch AS won_touch, \
             (SELECT CAST(COALESCE(SUM(m.amount_minor), 0) AS BIGINT) FROM commissions m WHERE m.order_id = o.id) AS commission_minor \
             FROM orders o LEFT JOIN payable_decisions d ON d.order_id = o.id \
             WHERE o.status = 'approved' AND o.day >= $1 AND o.day <= $2 ORDER BY o.id",
        )
        .bind(from)
        .bind(to)
        .fetch_all(c)
        .await
    })?)
}

/// A touch that belongs to the person of an order.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct OrderTouch {
    pub order_id: OrderId,
    pub id: Uuid,
    pub external_id: Option<String>,
    pub at: At,
    pub kind: TouchKind,
    pub channel: Channel,
    pub source: Option<String>,
    pub medium: Option<String>,
    pub campaign: Option<String>,
    pub partner_id: Option<PartnerId>,
}

/// The touches of each order's person that no mark takes out and that are not a second or more after the order, by order. One touch may
/// come twice, through two identifiers.
pub async fn order_touches<'a>(on: impl Into<Reader<'a>>, from: NaiveDate, to: NaiveDate) -> Result<Vec<OrderTouch>> {
    let mut connection = on.into().connect().await?;
    // A conversion in whole seconds stands for its whole second; what is exactly after it is dropped by the caller.
    let end = match connection.dialect() {
        super::Dialect::Sqlite => "o.placed_at + 1000000",
        super::Dialect::Postgres => "o.placed_at + INTERVAL '1 second'",
    };
    // `CROSS JOIN` keeps SQLite at this order of tables: without statistics it would go through all identifiers.
    let joined = |kind: &str, condition: &str| {
        format!(
            "SELECT o.id AS order_id, t.id, t.external_id, t.at, t.kind, t.channel, g.source, g.medium, g.campaign, t.partner_id \
             FROM orders o CROSS JOIN identifiers i CROSS JOIN touches t LEFT JOIN origins g ON g.id = t.origin_id \
             WHERE i.person_id = o.person_id AND i.kind = '{kind}' AND {condition} \
             AND o.status = 'approved' AND o.day >= $1 AND o.day <= $2 AND t.mark IS NULL AND t.at < {end}"
        )
    };
    let sql = [
        joined("visitor", "t.visitor_id = i.value"),
        joined("customer", "t.customer_id = i.value"),
        joined("click", &click_matches_touch(connection.dialect(), "i.kind", "i.value")),
    ]
    .join(" UNION ALL ");
    let sql = sqlx::AssertSqlSafe(sql);
    Ok(run!(connection, |c| sqlx::query_as(sql).bind(from).bind(to).fetch_all(c).await)?)
}

/// A partner's promo code on an order.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct OrderPromo {
    pub order_id: OrderId,
    pub code: String,
    pub partner_id: PartnerId,
    pub kind: PartnerKind,
}

pub async fn order_promos<'a>(on: impl Into<Reader<'a>>, from: NaiveDate, to: NaiveDate) -> Result<Vec<OrderPromo>> {
    Ok(read!(on.into(), |c| {
        sqlx::query_as(
            "SELECT u.order_id, m.code, m.partner_id, a.kind FROM orders o JOIN order_promo_codes u ON u.order_id = o.id \
             JOIN promo_codes m ON m.id = u.promo_code_id JOIN partners a ON a.id = m.partner_id \
             WHERE o.status = 'approved' AND o.day >= $1 AND o.day <= $2 ORDER BY u.order_id, m.id",
        )
        .bind(from)
        .bind(to)
        .fetch_all(c)
        .await
    })?)
}

/// The same for one order, whatever its status.
pub async fn promos_of_order<'a>(on: impl Into<Reader<'a>>, order: OrderId) -> Result<Vec<OrderPromo>> {
    Ok(read!(on.into(), |c| {
        sqlx::query_as(
            "SELECT u.order_id, m.code, m.partner_id, a.kind FROM order_promo_codes u \
             JOIN promo_codes m ON m.id = u.promo_code_id JOIN partners a ON a.id = m.partner_id WHERE u.order_id = $1 ORDER BY m.id",
        )
        .bind(order)
        .fetch_all(c)
        .await
    })?)
}

/// First and last day that anything happened on.
pub async fn span<'a>(on: impl Into<Reader<'a>>) -> Result<Option<(NaiveDate, NaiveDate)>> {
    let row: (Option<NaiveDate>, Option<NaiveDate>) =
        read!(on.into(), |c| sqlx::query_as("SELECT MIN(day), MAX(day) FROM orders").fetch_one(c).await)?;
    Ok(row.0.zip(row.1))
}
