//! The totals and streams behind every report. Days are inclusive.

use super::touch::click_matches_touch;
use super::{At, Dialect, Reader, Result};
use crate::domain::channel::Channel;
use crate::domain::id::{LeadId, LinkId, OrderId, PartnerId, PersonId, PromoCodeId};
use crate::domain::link_target::{Country, Device};
use crate::domain::money::Currency;
use crate::domain::partner::PartnerKind;
use crate::domain::touch::TouchKind;
use crate::{read, run};
use chrono::NaiveDate;
use uuid::Uuid;

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
    pub discount_minor: i64,
    /// The person had no other order that stands before.
    pub is_new: bool,
    pub partner_id: Option<PartnerId>,
    /// The touch or code that won the payable credit.
    pub won_touch: Option<String>,
}

pub async fn orders<'a>(on: impl Into<Reader<'a>>, from: NaiveDate, to: NaiveDate) -> Result<Vec<ReportOrder>> {
    Ok(read!(on.into(), |c| {
        sqlx::query_as(
            "SELECT o.id, o.person_id, o.day, o.placed_at, o.currency, o.total_minor, \
             (SELECT CAST(COALESCE(SUM(r.amount_minor), 0) AS BIGINT) FROM refunds r WHERE r.order_id = o.id) AS refunded_minor, \
             o.discount_minor, NOT EXISTS (SELECT 1 FROM orders e WHERE e.person_id = o.person_id AND e.status <> 'cancelled' \
             AND (e.placed_at < o.placed_at OR (e.placed_at = o.placed_at AND e.id < o.id))) AS is_new, \
             d.partner_id, d.touch AS won_touch \
             FROM orders o LEFT JOIN payable_decisions d ON d.order_id = o.id \
             WHERE o.status = 'approved' AND o.day >= $1 AND o.day <= $2 ORDER BY o.id",
        )
        .bind(from)
        .bind(to)
        .fetch_all(c)
        .await
    })?)
}

/// A touch on somebody's way to an order or lead.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct StepTouch {
    pub id: Uuid,
    pub external_id: Option<String>,
    pub at: At,
    pub kind: TouchKind,
    pub channel: Channel,
    pub origin_id: Option<i64>,
    pub source: Option<String>,
    pub medium: Option<String>,
    pub campaign: Option<String>,
    pub link_id: Option<LinkId>,
    pub partner_id: Option<PartnerId>,
    pub country: Option<Country>,
    pub device: Option<Device>,
}

const STEP: &str = "t.id, t.external_id, t.at, t.kind, t.channel, t.origin_id, g.source, g.medium, g.campaign, t.link_id, t.partner_id, \
     t.country, t.device";

/// A touch that belongs to the person of an order.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct OrderTouch {
    pub order_id: OrderId,
    #[sqlx(flatten)]
    pub touch: StepTouch,
}

/// A second after `instant`: a conversion in whole seconds stands for its whole second; what is exactly after it is dropped by
/// the caller.
fn a_second_after(dialect: Dialect, instant: &str) -> String {
    match dialect {
        Dialect::Sqlite => format!("{instant} + 1000000"),
        Dialect::Postgres => format!("{instant} + INTERVAL '1 second'"),
    }
}

/// The touches of each order's person that no mark takes out and that are not a second or more after the order, by order. One touch may
/// come twice, through two identifiers.
pub async fn order_touches<'a>(on: impl Into<Reader<'a>>, from: NaiveDate, to: NaiveDate) -> Result<Vec<OrderTouch>> {
    let mut connection = on.into().connect().await?;
    let dialect = connection.dialect();
    let sql = touches_of_persons(dialect, "o.id AS order_id", "orders o", "o.person_id", &a_second_after(dialect, "o.placed_at"));
    let sql = sqlx::AssertSqlSafe(sql.replace(CONDITION, "o.status = 'approved' AND o.day >= $1 AND o.day <= $2"));
    Ok(run!(connection, |c| sqlx::query_as(sql).bind(from).bind(to).fetch_all(c).await)?)
}

/// Stands for which conversions are meant.
const CONDITION: &str = "{condition}";

/// The touches of the persons of conversions `table`, through each kind of identifier.
fn touches_of_persons(dialect: Dialect, key: &str, table: &str, person: &str, end: &str) -> String {
    // `CROSS JOIN` keeps SQLite at this order of tables: without statistics it would go through all identifiers.
    let joined = |kind: &str, condition: &str| {
        format!(
            "SELECT {key}, {STEP} FROM {table} CROSS JOIN identifiers i CROSS JOIN touches t LEFT JOIN origins g ON g.id = t.origin_id \
             WHERE i.person_id = {person} AND i.kind = '{kind}' AND {condition} AND {CONDITION} AND t.mark IS NULL AND t.at < {end}"
        )
    };
    [
        joined("visitor", "t.visitor_id = i.value"),
        joined("customer", "t.customer_id = i.value"),
        joined("click", &click_matches_touch(dialect, "i.kind", "i.value")),
    ]
    .join(" UNION ALL ")
}

/// A lead that was sent to the server and stands.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct ReportLead {
    pub id: LeadId,
    pub day: NaiveDate,
    pub at: At,
    /// Whom it is owed to, and by which touch or code.
    pub partner_id: Option<PartnerId>,
    pub won_touch: Option<String>,
}

pub async fn leads<'a>(on: impl Into<Reader<'a>>, from: NaiveDate, to: NaiveDate) -> Result<Vec<ReportLead>> {
    Ok(read!(on.into(), |c| {
        sqlx::query_as("SELECT id, day, at, partner_id, decision->>'touch' AS won_touch FROM leads WHERE status <> 'cancelled' AND day >= $1 AND day <= $2 ORDER BY id")
            .bind(from)
            .bind(to)
            .fetch_all(c)
            .await
    })?)
}

/// A touch that belongs to the person of a lead.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct LeadTouch {
    pub lead_id: LeadId,
    #[sqlx(flatten)]
    pub touch: StepTouch,
}

/// As [`order_touches`], of leads.
pub async fn lead_touches<'a>(on: impl Into<Reader<'a>>, from: NaiveDate, to: NaiveDate) -> Result<Vec<LeadTouch>> {
    let mut connection = on.into().connect().await?;
    let dialect = connection.dialect();
    let sql = touches_of_persons(dialect, "o.id AS lead_id", "leads o", "o.person_id", &a_second_after(dialect, "o.at"));
    let sql = sqlx::AssertSqlSafe(sql.replace(CONDITION, "o.status <> 'cancelled' AND o.day >= $1 AND o.day <= $2"));
    Ok(run!(connection, |c| sqlx::query_as(sql).bind(from).bind(to).fetch_all(c).await)?)
}

/// A lead that a browser sent, which the server has not.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct BrowserLead {
    pub id: Uuid,
    pub day: NaiveDate,
    pub at: At,
}

/// Which events are leads from browsers: those of [`crate::store::lead`] have its id in their body.
const FROM_BROWSER: &str = "o.kind = 'lead' AND o.day >= $1 AND o.day <= $2 \
     AND NOT EXISTS (SELECT 1 FROM leads l WHERE l.external_id = o.body->>'lead')";

pub async fn browser_leads<'a>(on: impl Into<Reader<'a>>, from: NaiveDate, to: NaiveDate) -> Result<Vec<BrowserLead>> {
    let sql = sqlx::AssertSqlSafe(format!("SELECT o.id, o.day, o.at FROM events o WHERE {FROM_BROWSER} ORDER BY o.id"));
    Ok(read!(on.into(), |c| sqlx::query_as(sql).bind(from).bind(to).fetch_all(c).await)?)
}

/// A touch of whoever sent a lead from a browser.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct BrowserLeadTouch {
    pub event_id: Uuid,
    #[sqlx(flatten)]
    pub touch: StepTouch,
}

/// As [`order_touches`], of leads from browsers: of their visitor and customer, and of the persons these are known to be.
pub async fn browser_lead_touches<'a>(
    on: impl Into<Reader<'a>>,
    from: NaiveDate,
    to: NaiveDate,
) -> Result<Vec<BrowserLeadTouch>> {
    let mut connection = on.into().connect().await?;
    let dialect = connection.dialect();
    let (key, end) = ("o.id AS event_id", a_second_after(dialect, "o.at"));
    let known = |kind: &str| {
        let sql = touches_of_persons(dialect, key, "events o CROSS JOIN identifiers k", "k.person_id", &end);
        sql.replace(CONDITION, &format!("k.kind = '{kind}' AND k.value = o.{kind}_id AND {FROM_BROWSER}"))
    };
    let own = |kind: &str| {
        format!(
            "SELECT {key}, {STEP} FROM events o CROSS JOIN touches t LEFT JOIN origins g ON g.id = t.origin_id \
             WHERE t.{kind}_id = o.{kind}_id AND {FROM_BROWSER} AND t.mark IS NULL AND t.at < {end}"
        )
    };
    let sql = [known("visitor"), known("customer"), own("visitor"), own("customer")].join(" UNION ALL ");
    let sql = sqlx::AssertSqlSafe(sql);
    Ok(run!(connection, |c| sqlx::query_as(sql).bind(from).bind(to).fetch_all(c).await)?)
}

/// What a day's orders, leads, clicks and volumes owe a partner.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct ReportCommission {
    pub day: NaiveDate,
    pub order_id: Option<OrderId>,
    pub lead_id: Option<LeadId>,
    pub partner_id: PartnerId,
    pub kind: PartnerKind,
    /// The touch or code that won it, as decisions name it; none: of no order and no lead.
    pub touch: Option<String>,
    pub currency: Currency,
    pub amount_minor: i64,
}

/// Commissions on the day of their order, lead or clicks, and of a month's volume on its first.
pub async fn commissions<'a>(on: impl Into<Reader<'a>>, from: NaiveDate, to: NaiveDate) -> Result<Vec<ReportCommission>> {
    let mut connection = on.into().connect().await?;
    let (first_day, touch_of_lead) = match connection.dialect() {
        Dialect::Sqlite => ("m.period || '-01'", "l.decision->>'touch'"),
        Dialect::Postgres => ("CAST(m.period || '-01' AS DATE)", "l.decision->>'touch'"),
    };
    let sql = sqlx::AssertSqlSafe(format!(
        "SELECT o.day, m.order_id, m.lead_id, m.partner_id, a.kind, COALESCE(s.touch, d.touch) AS touch, m.currency, m.amount_minor \
         FROM orders o CROSS JOIN commissions m JOIN partners a ON a.id = m.partner_id \
         LEFT JOIN payable_decisions d ON d.order_id = o.id \
         LEFT JOIN payable_shares s ON s.order_id = o.id AND s.partner_id = m.partner_id AND s.program_id = m.program_id \
         WHERE m.order_id = o.id AND o.day >= $1 AND o.day <= $2 AND m.amount_minor <> 0 \
         UNION ALL SELECT l.day, m.order_id, m.lead_id, m.partner_id, a.kind, {touch_of_lead}, m.currency, m.amount_minor \
         FROM leads l CROSS JOIN commissions m JOIN partners a ON a.id = m.partner_id \
         WHERE m.lead_id = l.id AND l.day >= $1 AND l.day <= $2 AND m.amount_minor <> 0 \
         UNION ALL SELECT COALESCE(m.day, {first_day}), m.order_id, m.lead_id, m.partner_id, a.kind, NULL, m.currency, m.amount_minor \
         FROM commissions m JOIN partners a ON a.id = m.partner_id WHERE m.order_id IS NULL AND m.lead_id IS NULL \
         AND COALESCE(m.day, {first_day}) >= $1 AND COALESCE(m.day, {first_day}) <= $2 AND m.amount_minor <> 0"
    ));
    Ok(run!(connection, |c| sqlx::query_as(sql).bind(from).bind(to).fetch_all(c).await)?)
}

/// A partner's promo code on an order.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct OrderPromo {
    pub order_id: OrderId,
    pub promo_code_id: PromoCodeId,
    pub code: String,
    pub partner_id: PartnerId,
    pub kind: PartnerKind,
}

pub async fn order_promos<'a>(on: impl Into<Reader<'a>>, from: NaiveDate, to: NaiveDate) -> Result<Vec<OrderPromo>> {
    Ok(read!(on.into(), |c| {
        sqlx::query_as(
            "SELECT u.order_id, u.promo_code_id, m.code, m.partner_id, a.kind FROM orders o JOIN order_promo_codes u ON u.order_id = o.id \
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
            "SELECT u.order_id, u.promo_code_id, m.code, m.partner_id, a.kind FROM order_promo_codes u \
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

/// First and last day that an order, lead or commission may stand on.
pub async fn conversion_days<'a>(on: impl Into<Reader<'a>>) -> Result<Option<(NaiveDate, NaiveDate)>> {
    let rows: Vec<(Option<NaiveDate>, Option<NaiveDate>)> = read!(on.into(), |c| {
        sqlx::query_as(
            "SELECT MIN(day), MAX(day) FROM orders UNION ALL SELECT MIN(day), MAX(day) FROM leads \
             UNION ALL SELECT MIN(day), MAX(day) FROM events WHERE kind = 'lead' UNION ALL SELECT MIN(day), MAX(day) FROM commissions \
             UNION ALL SELECT MIN(day), MAX(day) FROM credit_days",
        )
        .fetch_all(c)
        .await
    })?;
    let first = rows.iter().filter_map(|row| row.0).min();
    Ok(first.zip(rows.iter().filter_map(|row| row.1).max()))
}

/// How many orders were placed on each day that has any.
pub async fn orders_by_day<'a>(on: impl Into<Reader<'a>>, from: NaiveDate, to: NaiveDate) -> Result<Vec<(NaiveDate, i64)>> {
    Ok(read!(on.into(), |c| {
        sqlx::query_as("SELECT day, COUNT(*) FROM orders WHERE day >= $1 AND day <= $2 GROUP BY day")
            .bind(from)
            .bind(to)
            .fetch_all(c)
            .await
    })?)
}
