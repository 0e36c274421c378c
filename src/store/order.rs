//! Orders, by the id they have in the shop.

use super::codec::{json_look_up, json_text};
use super::rows::{Holds, Rows, Table, next_ids, row};
use super::touch::click_matches_touch;
use super::{At, Dialect, Error, Reader, Result, Tx};
use crate::domain::id::{OrderId, PartnerId, PersonId};
use crate::domain::money::Currency;
use crate::domain::order::{NewOrder, OrderAmounts, OrderItem, OrderStatus};
use crate::domain::time::FAR_DAY;
use crate::{exec, read, run};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use serde_json::Value;
use sqlx::types::Json;
use std::collections::{HashMap, HashSet};
use uuid::Uuid;

/// An order as stored, with what was refunded.
#[derive(Debug, Clone)]
pub struct Order {
    pub id: OrderId,
    pub external_id: String,
    pub status: OrderStatus,
    pub placed_at: DateTime<Utc>,
    pub day: NaiveDate,
    pub amounts: OrderAmounts,
    pub customer_id: Option<String>,
    pub email_hash: Option<String>,
    pub promo_codes: Vec<String>,
    pub person: PersonId,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: OrderId,
    external_id: String,
    status: OrderStatus,
    placed_at: At,
    day: NaiveDate,
    currency: Currency,
    total_minor: i64,
    tax_minor: i64,
    shipping_minor: i64,
    discount_minor: i64,
    refunded_minor: i64,
    items: Json<Vec<OrderItem>>,
    customer_id: Option<String>,
    email_hash: Option<String>,
    promo_codes: Json<Vec<String>>,
    person_id: PersonId,
    created_at: At,
    updated_at: At,
}

impl From<Row> for Order {
    fn from(r: Row) -> Order {
        Order {
            id: r.id,
            external_id: r.external_id,
            status: r.status,
            placed_at: r.placed_at.into(),
            day: r.day,
            amounts: OrderAmounts {
                currency: r.currency,
                total_minor: r.total_minor,
                tax_minor: r.tax_minor,
                shipping_minor: r.shipping_minor,
                discount_minor: r.discount_minor,
                refunded_minor: r.refunded_minor,
                items: r.items.0,
            },
            customer_id: r.customer_id,
            email_hash: r.email_hash,
            promo_codes: r.promo_codes.0,
            person: r.person_id,
            created_at: r.created_at.into(),
            updated_at: r.updated_at.into(),
        }
    }
}

const SELECT: &str = "SELECT o.id, o.external_id, o.status, o.placed_at, o.day, o.currency, o.total_minor, o.tax_minor, \
     o.shipping_minor, o.discount_minor, (SELECT CAST(COALESCE(SUM(r.amount_minor), 0) AS BIGINT) FROM refunds r \
     WHERE r.order_id = o.id) AS refunded_minor, o.items, o.customer_id, o.email_hash, o.promo_codes, o.person_id, \
     o.created_at, o.updated_at FROM orders o";

/// A new order with what it gets here.
#[derive(Debug, Clone, Copy)]
pub struct Arriving<'a> {
    pub id: OrderId,
    pub new: &'a NewOrder,
    pub day: NaiveDate,
    pub person: PersonId,
}

static TABLE: Table = Table {
    name: "orders",
    columns: &[
        ("id", Holds::Number),
        ("external_id", Holds::Text),
        ("status", Holds::Text),
        ("placed_at", Holds::Instant),
        ("day", Holds::Day),
        ("currency", Holds::Text),
        ("total_minor", Holds::Number),
        ("tax_minor", Holds::Number),
        ("shipping_minor", Holds::Number),
        ("discount_minor", Holds::Number),
        ("items", Holds::Json),
        ("customer_id", Holds::Text),
        ("email_hash", Holds::Text),
        ("phone_hash", Holds::Text),
        ("visitor_id", Holds::Text),
        ("click_id", Holds::Text),
        ("promo_codes", Holds::Json),
        ("utm", Holds::Json),
        ("referrer", Holds::Text),
        ("metadata", Holds::Json),
        ("person_id", Holds::Number),
        ("created_at", Holds::Instant),
        ("updated_at", Holds::Instant),
    ],
};

impl Arriving<'_> {
    /// The order as it will be stored.
    pub fn stored(&self, now: At) -> Order {
        let new = self.new;
        Order {
            id: self.id,
            external_id: new.external_id.clone(),
            status: new.status,
            placed_at: At::from(new.placed_at).into(),
            day: self.day,
            amounts: new.amounts.clone(),
            customer_id: new.who.customer_id.clone(),
            email_hash: new.who.email_hash.clone(),
            promo_codes: new.promo_codes.clone(),
            person: self.person,
            created_at: now.into(),
            updated_at: now.into(),
        }
    }

    fn row(&self, dialect: Dialect, now: At) -> Result<Vec<Value>> {
        let Arriving { id, new, day, person } = self;
        let (amounts, who) = (&new.amounts, &new.who);
        Ok(row![dialect;
            id, new.external_id, new.status, At::from(new.placed_at), day, amounts.currency, amounts.total_minor, amounts.tax_minor,
            amounts.shipping_minor, amounts.discount_minor, Json(&amounts.items), who.customer_id, who.email_hash, who.phone_hash,
            who.visitor_id, who.click_id, Json(&new.promo_codes), Json(&new.utm), new.referrer, Json(&new.metadata), person, now, now,
        ])
    }
}

/// Adds new orders to what is to be stored.
pub fn add(rows: &mut Rows, orders: &[Arriving<'_>], now: At) -> Result<()> {
    let dialect = rows.dialect;
    rows.add(&TABLE, orders.iter().map(|order| order.row(dialect, now)).collect::<Result<_>>()?);
    Ok(())
}

/// Stores a new order, and answers it as stored.
pub async fn insert(tx: &mut Tx, new: &NewOrder, day: NaiveDate, person: PersonId, now: At) -> Result<Order> {
    let [mut ids] = next_ids(tx, [(TABLE.name, 1)]).await?;
    let arriving = Arriving { id: OrderId(ids.next().ok_or_else(|| Error::missing("an id"))?), new, day, person };
    let mut rows = Rows::new(tx.dialect());
    add(&mut rows, &[arriving], now)?;
    rows.store(tx).await?;
    Ok(arriving.stored(now))
}

/// Those of `external_ids` that orders have, and those of `clicks` that are in the store, each with its visitor.
pub async fn known_and_clicked<'a>(
    on: impl Into<Reader<'a>>,
    external_ids: &[&str],
    clicks: &[Uuid],
) -> Result<(HashSet<String>, HashMap<Uuid, Option<String>>)> {
    let mut connection = on.into().connect().await?;
    let dialect = connection.dialect();
    let click = click_matches_touch(dialect, "v.value->>0", "v.value->>1");
    let sql = format!(
        "SELECT o.external_id, CAST(NULL AS UUID) AS click, CAST(NULL AS TEXT) AS visitor FROM {} UNION ALL \
         SELECT CAST(NULL AS TEXT), t.id, t.visitor_id FROM {}",
        json_look_up(dialect, "orders o", "v.value->>0 = 'order' AND o.external_id = v.value->>1"),
        json_look_up(dialect, "touches t", &format!("v.value->>0 = 'click' AND {click}")),
    );
    let orders = external_ids.iter().map(|id| ("order", (*id).to_owned()));
    let rows = json_text(orders.chain(clicks.iter().map(|id| ("click", id.to_string()))))?;
    let found: Vec<(Option<String>, Option<Uuid>, Option<String>)> =
        run!(connection, |c| { sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(&rows).fetch_all(c).await })?;
    let (mut known, mut clicked) = (HashSet::new(), HashMap::new());
    for (external_id, click, visitor) in found {
        known.extend(external_id);
        clicked.extend(click.map(|click| (click, visitor)));
    }
    Ok((known, clicked))
}

/// Replaces everything but the external id, the currency and when it first came.
pub async fn replace(tx: &mut Tx, id: OrderId, order: &NewOrder, day: NaiveDate, person: PersonId, now: At) -> Result<()> {
    exec!(tx, {
        sqlx::query(
            "UPDATE orders SET status = $2, placed_at = $3, day = $4, total_minor = $5, tax_minor = $6, shipping_minor = $7, \
             discount_minor = $8, items = $9, customer_id = $10, email_hash = $11, phone_hash = $12, visitor_id = $13, \
             click_id = $14, promo_codes = $15, utm = $16, referrer = $17, metadata = $18, person_id = $19, updated_at = $20 \
             WHERE id = $1",
        )
        .bind(id)
        .bind(order.status)
        .bind(At::from(order.placed_at))
        .bind(day)
        .bind(order.amounts.total_minor)
        .bind(order.amounts.tax_minor)
        .bind(order.amounts.shipping_minor)
        .bind(order.amounts.discount_minor)
        .bind(Json(&order.amounts.items))
        .bind(&order.who.customer_id)
        .bind(&order.who.email_hash)
        .bind(&order.who.phone_hash)
        .bind(&order.who.visitor_id)
        .bind(&order.who.click_id)
        .bind(Json(&order.promo_codes))
        .bind(Json(&order.utm))
        .bind(&order.referrer)
        .bind(Json(&order.metadata))
        .bind(person)
        .bind(now)
    })?;
    Ok(())
}

pub async fn by_external_id<'a>(on: impl Into<Reader<'a>>, external_id: &str) -> Result<Option<Order>> {
    let sql = sqlx::AssertSqlSafe(format!("{SELECT} WHERE o.external_id = $1"));
    let row: Option<Row> = read!(on.into(), |c| sqlx::query_as(sql).bind(external_id).fetch_optional(c).await)?;
    Ok(row.map(Order::from))
}

pub async fn by_id<'a>(on: impl Into<Reader<'a>>, id: OrderId) -> Result<Order> {
    let sql = sqlx::AssertSqlSafe(format!("{SELECT} WHERE o.id = $1"));
    let row: Option<Row> = read!(on.into(), |c| sqlx::query_as(sql).bind(id).fetch_optional(c).await)?;
    row.map(Order::from).ok_or_else(|| Error::missing(&id.to_string()))
}

/// The orders from `first` to `last`, both included.
pub async fn between<'a>(on: impl Into<Reader<'a>>, first: OrderId, last: OrderId) -> Result<Vec<Order>> {
    let sql = sqlx::AssertSqlSafe(format!("{SELECT} WHERE o.id >= $1 AND o.id <= $2 ORDER BY o.id"));
    let rows: Vec<Row> = read!(on.into(), |c| sqlx::query_as(sql).bind(first).bind(last).fetch_all(c).await)?;
    Ok(rows.into_iter().map(Order::from).collect())
}

/// Oldest first, after `after`; those owed to one partner, if given.
pub async fn list<'a>(on: impl Into<Reader<'a>>, partner: Option<PartnerId>, after: i64, limit: i64) -> Result<Vec<Order>> {
    let sql = sqlx::AssertSqlSafe(format!(
        "{SELECT} WHERE o.id > $1 AND ($3 = 0 OR o.id IN (SELECT order_id FROM payable_decisions WHERE partner_id = $3 \
         UNION SELECT order_id FROM payable_shares WHERE partner_id = $3)) ORDER BY o.id LIMIT $2"
    ));
    let partner = partner.map_or(0, |p| p.0);
    let rows: Vec<Row> = read!(on.into(), |c| sqlx::query_as(sql).bind(after).bind(limit).bind(partner).fetch_all(c).await)?;
    Ok(rows.into_iter().map(Order::from).collect())
}

/// Approved orders placed from one day to another, both included, oldest first, after `after`.
pub async fn approved<'a>(
    on: impl Into<Reader<'a>>,
    from: Option<NaiveDate>,
    to: Option<NaiveDate>,
    after: i64,
    limit: i64,
) -> Result<Vec<Order>> {
    let sql = sqlx::AssertSqlSafe(format!(
        "{SELECT} WHERE o.id > $1 AND o.status = 'approved' AND o.day >= $3 AND o.day <= $4 ORDER BY o.id LIMIT $2"
    ));
    // No order is of before 1970, but for the time zone.
    let from = from.unwrap_or(NaiveDate::default() - TimeDelta::days(1));
    let to = to.unwrap_or(FAR_DAY);
    let rows: Vec<Row> =
        read!(on.into(), |c| sqlx::query_as(sql).bind(after).bind(limit).bind(from).bind(to).fetch_all(c).await)?;
    Ok(rows.into_iter().map(Order::from).collect())
}

/// Whether the person had another order that stands before this one.
pub async fn person_ordered_before<'a>(
    on: impl Into<Reader<'a>>,
    person: PersonId,
    order: OrderId,
    placed_at: At,
) -> Result<bool> {
    let earlier: i64 = read!(on.into(), |c| {
        sqlx::query_scalar(
            "SELECT COUNT(*) FROM (SELECT id FROM orders WHERE person_id = $1 AND id <> $2 AND status <> 'cancelled' \
             AND (placed_at < $3 OR (placed_at = $3 AND id < $2)) LIMIT 1) e",
        )
        .bind(person)
        .bind(order)
        .bind(placed_at)
        .fetch_one(c)
        .await
    })?;
    Ok(earlier > 0)
}

/// A currency that orders are in, if there is one.
pub async fn first_currency<'a>(on: impl Into<Reader<'a>>) -> Result<Option<Currency>> {
    Ok(read!(on.into(), |c| sqlx::query_scalar("SELECT currency FROM orders ORDER BY id LIMIT 1").fetch_optional(c).await)?)
}

/// Approved orders that are owed to a partner, by day; days without any are left out.
pub async fn days_of_partner<'a>(
    on: impl Into<Reader<'a>>,
    partner: PartnerId,
    from: NaiveDate,
    to: NaiveDate,
) -> Result<Vec<(NaiveDate, i64)>> {
    Ok(read!(on.into(), |c| {
        sqlx::query_as(
            "SELECT o.day, COUNT(*) FROM orders o WHERE o.id IN (SELECT order_id FROM payable_decisions WHERE partner_id = $1 \
             UNION SELECT order_id FROM payable_shares WHERE partner_id = $1) AND o.day >= $2 AND o.day <= $3 AND o.status = 'approved' GROUP BY o.day ORDER BY o.day",
        )
        .bind(partner)
        .bind(from)
        .bind(to)
        .fetch_all(c)
        .await
    })?)
}

/// An order as a list shows it.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct OrderLine {
    pub id: OrderId,
    pub external_id: String,
    pub status: OrderStatus,
    pub placed_at: At,
    pub currency: Currency,
    pub total_minor: i64,
    pub refunded_minor: i64,
    pub partner_id: Option<PartnerId>,
    pub via: Option<crate::domain::payable::Via>,
    pub commission_minor: i64,
}

/// Newest first, before `before`; only those owed to a partner, if wanted.
pub async fn lines<'a>(on: impl Into<Reader<'a>>, only_owed: bool, before: i64, limit: i64) -> Result<Vec<OrderLine>> {
    Ok(read!(on.into(), |c| {
        sqlx::query_as(
            "SELECT o.id, o.external_id, o.status, o.placed_at, o.currency, o.total_minor, \
             (SELECT CAST(COALESCE(SUM(r.amount_minor), 0) AS BIGINT) FROM refunds r WHERE r.order_id = o.id) AS refunded_minor, \
             d.partner_id, d.via, \
             (SELECT CAST(COALESCE(SUM(m.amount_minor), 0) AS BIGINT) FROM commissions m WHERE m.order_id = o.id) AS commission_minor \
             FROM orders o LEFT JOIN payable_decisions d ON d.order_id = o.id \
             WHERE o.id < $1 AND ($2 = 0 OR d.partner_id IS NOT NULL) ORDER BY o.id DESC LIMIT $3",
        )
        .bind(before)
        .bind(i64::from(only_owed))
        .bind(limit)
        .fetch_all(c)
        .await
    })?)
}
