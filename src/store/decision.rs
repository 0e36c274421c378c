//! Which partner an order is owed to: stored once with its trace, never changed.

use super::{At, Error, Reader, Result, Tx};
use crate::domain::commission::Rule;
use crate::domain::id::{OrderId, PartnerId, ProgramId, PromoCodeId};
use crate::domain::payable::{Basis, Reason, TraceItem, Via};
use crate::domain::program::CreditPolicy;
use crate::{exec, read};
use sqlx::types::Json;
use std::collections::BTreeMap;

/// A decision as stored.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct StoredDecision {
    pub order_id: OrderId,
    pub decided_at: At,
    pub policy: CreditPolicy,
    pub partner_id: Option<PartnerId>,
    pub program_id: Option<ProgramId>,
    pub via: Via,
    pub reason: Reason,
    pub touch: Option<String>,
    pub promo_code_id: Option<PromoCodeId>,
    pub trace: Json<Vec<TraceItem>>,
    pub other_policies: Json<BTreeMap<String, Option<PartnerId>>>,
    /// The commission rules in force when the order was placed, as they were then.
    pub rules: Json<Vec<Rule>>,
    /// What it was made on; decisions older than this column have none.
    pub basis: Option<Json<Basis>>,
    /// Who would have been owed it without the winner's partner.
    pub loser: Option<String>,
}

const SELECT: &str = "SELECT order_id, decided_at, policy, partner_id, program_id, via, reason, touch, promo_code_id, trace, \
     other_policies, rules, basis, loser FROM payable_decisions";

pub async fn insert(tx: &mut Tx, decision: &StoredDecision) -> Result<()> {
    exec!(tx, {
        sqlx::query(
            "INSERT INTO payable_decisions (order_id, decided_at, policy, partner_id, program_id, via, reason, touch, \
             promo_code_id, trace, other_policies, rules, basis, loser) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
        )
        .bind(decision.order_id)
        .bind(decision.decided_at)
        .bind(decision.policy)
        .bind(decision.partner_id)
        .bind(decision.program_id)
        .bind(decision.via)
        .bind(decision.reason)
        .bind(&decision.touch)
        .bind(decision.promo_code_id)
        .bind(&decision.trace)
        .bind(&decision.other_policies)
        .bind(&decision.rules)
        .bind(&decision.basis)
        .bind(&decision.loser)
    })?;
    Ok(())
}

pub async fn of_order<'a>(on: impl Into<Reader<'a>>, order: OrderId) -> Result<Option<StoredDecision>> {
    let sql = sqlx::AssertSqlSafe(format!("{SELECT} WHERE order_id = $1"));
    Ok(read!(on.into(), |c| sqlx::query_as(sql).bind(order).fetch_optional(c).await)?)
}

/// The orders of the decisions after `after`, oldest first.
pub async fn orders_decided<'a>(on: impl Into<Reader<'a>>, after: i64, limit: i64) -> Result<Vec<OrderId>> {
    Ok(read!(on.into(), |c| {
        sqlx::query_scalar("SELECT order_id FROM payable_decisions WHERE order_id > $1 ORDER BY order_id LIMIT $2")
            .bind(after)
            .bind(limit)
            .fetch_all(c)
            .await
    })?)
}

/// The decisions on orders from `first` to `last`, both included, in order.
pub async fn between<'a>(on: impl Into<Reader<'a>>, first: OrderId, last: OrderId) -> Result<Vec<StoredDecision>> {
    let sql = sqlx::AssertSqlSafe(format!("{SELECT} WHERE order_id >= $1 AND order_id <= $2 ORDER BY order_id"));
    Ok(read!(on.into(), |c| sqlx::query_as(sql).bind(first).bind(last).fetch_all(c).await)?)
}

/// As [`of_order`], for one that must be there.
pub async fn must_be<'a>(on: impl Into<Reader<'a>>, order: OrderId) -> Result<StoredDecision> {
    of_order(on, order).await?.ok_or_else(|| Error::missing(&format!("the decision on {order}")))
}
