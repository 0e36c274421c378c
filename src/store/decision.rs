//! Which partner an order is owed to: stored once with its trace, never changed.

use super::{At, Error, Reader, Result, Tx};
use crate::domain::commission::Rule;
use crate::domain::id::{OrderId, PartnerId, ProgramId, PromoCodeId};
use crate::domain::payable::{Reason, TraceItem, Via};
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
}

pub async fn insert(tx: &mut Tx, decision: &StoredDecision) -> Result<()> {
    exec!(tx, {
        sqlx::query(
            "INSERT INTO payable_decisions (order_id, decided_at, policy, partner_id, program_id, via, reason, touch, \
             promo_code_id, trace, other_policies, rules) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
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
    })?;
    Ok(())
}

pub async fn of_order<'a>(on: impl Into<Reader<'a>>, order: OrderId) -> Result<Option<StoredDecision>> {
    Ok(read!(on.into(), |c| {
        sqlx::query_as(
            "SELECT order_id, decided_at, policy, partner_id, program_id, via, reason, touch, promo_code_id, trace, \
             other_policies, rules FROM payable_decisions WHERE order_id = $1",
        )
        .bind(order)
        .fetch_optional(c)
        .await
    })?)
}

/// As [`of_order`], for one that must be there.
pub async fn must_be<'a>(on: impl Into<Reader<'a>>, order: OrderId) -> Result<StoredDecision> {
    of_order(on, order).await?.ok_or_else(|| Error::missing(&format!("the decision on {order}")))
}
