//! Refunds, each once by the id it has in the shop.

use super::{At, Reader, Result, Tx};
use crate::domain::id::OrderId;
use crate::domain::order::{OrderItem, ReversalReason};
use crate::{exec, read};
use sqlx::types::Json;

/// A refund as stored.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Refund {
    pub refund_id: String,
    pub amount_minor: i64,
    pub refunded_at: At,
    pub items: Json<Vec<OrderItem>>,
    pub reason: Option<ReversalReason>,
}

pub async fn insert(tx: &mut Tx, order: OrderId, refund: &Refund, now: At) -> Result<()> {
    exec!(tx, {
        sqlx::query(
            "INSERT INTO refunds (order_id, refund_id, amount_minor, refunded_at, items, created_at, reason) VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(order)
        .bind(&refund.refund_id)
        .bind(refund.amount_minor)
        .bind(refund.refunded_at)
        .bind(&refund.items)
        .bind(now)
        .bind(refund.reason)
    })?;
    Ok(())
}

pub async fn of_order<'a>(on: impl Into<Reader<'a>>, order: OrderId) -> Result<Vec<Refund>> {
    Ok(read!(on.into(), |c| {
        sqlx::query_as(
            "SELECT refund_id, amount_minor, refunded_at, items, reason FROM refunds WHERE order_id = $1 ORDER BY refunded_at, refund_id",
        )
        .bind(order)
        .fetch_all(c)
        .await
    })?)
}

/// The refunds of the orders from `first` to `last`, both included; of an order as [`of_order`].
pub async fn between<'a>(on: impl Into<Reader<'a>>, first: OrderId, last: OrderId) -> Result<Vec<(OrderId, Refund)>> {
    #[derive(sqlx::FromRow)]
    struct Row {
        order_id: OrderId,
        #[sqlx(flatten)]
        refund: Refund,
    }
    let rows: Vec<Row> = read!(on.into(), |c| {
        sqlx::query_as(
            "SELECT order_id, refund_id, amount_minor, refunded_at, items, reason FROM refunds \
             WHERE order_id >= $1 AND order_id <= $2 ORDER BY order_id, refunded_at, refund_id",
        )
        .bind(first)
        .bind(last)
        .fetch_all(c)
        .await
    })?;
    Ok(rows.into_iter().map(|row| (row.order_id, row.refund)).collect())
}

pub async fn by_id<'a>(on: impl Into<Reader<'a>>, order: OrderId, refund_id: &str) -> Result<Option<Refund>> {
    Ok(read!(on.into(), |c| {
        sqlx::query_as(
            "SELECT refund_id, amount_minor, refunded_at, items, reason FROM refunds WHERE order_id = $1 AND refund_id = $2",
        )
        .bind(order)
        .bind(refund_id)
        .fetch_optional(c)
        .await
    })?)
}
