//! Commissions: what an order owes a partner under a rule, and where that stands.

use super::{At, Reader, Result, Tx};
use crate::domain::commission::{CommissionState, Owed};
use crate::domain::id::*;
use crate::domain::money::Currency;
use crate::{exec, read, run};
use chrono::NaiveDate;
use sqlx::types::Json;

/// A commission as stored. `amount_minor` equals the sum of its ledger entries.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Commission {
    pub id: CommissionId,
    pub order_id: OrderId,
    pub partner_id: PartnerId,
    pub program_id: ProgramId,
    pub rule_id: RuleId,
    pub rule_version: i64,
    pub currency: Currency,
    pub state: CommissionState,
    pub amount_minor: i64,
    pub explanation: Json<Owed>,
    pub hold_until: At,
    pub payout_run_id: Option<PayoutRunId>,
}

const SELECT: &str = "SELECT id, order_id, partner_id, program_id, rule_id, rule_version, currency, state, amount_minor, \
     explanation, hold_until, payout_run_id FROM commissions";

/// Stores a commission; its `id` is ignored and given anew.
pub async fn insert(tx: &mut Tx, commission: &Commission, now: At) -> Result<CommissionId> {
    Ok(run!(tx, |c| {
        sqlx::query_scalar(
            "INSERT INTO commissions (order_id, partner_id, program_id, rule_id, rule_version, currency, state, amount_minor, \
             explanation, hold_until, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11) RETURNING id",
        )
        .bind(commission.order_id)
        .bind(commission.partner_id)
        .bind(commission.program_id)
        .bind(commission.rule_id)
        .bind(commission.rule_version)
        .bind(commission.currency)
        .bind(commission.state)
        .bind(commission.amount_minor)
        .bind(&commission.explanation)
        .bind(commission.hold_until)
        .bind(now)
        .fetch_one(c)
        .await
    })?)
}

pub async fn update(tx: &mut Tx, id: CommissionId, state: CommissionState, explanation: &Owed, now: At) -> Result<()> {
    exec!(tx, {
        sqlx::query("UPDATE commissions SET state = $2, amount_minor = $3, explanation = $4, updated_at = $5 WHERE id = $1")
            .bind(id)
            .bind(state)
            .bind(explanation.owed_minor)
            .bind(Json(explanation))
            .bind(now)
    })?;
    Ok(())
}

pub async fn set_state(tx: &mut Tx, id: CommissionId, state: CommissionState, now: At) -> Result<()> {
    exec!(tx, {
        sqlx::query("UPDATE commissions SET state = $2, updated_at = $3 WHERE id = $1").bind(id).bind(state).bind(now)
    })?;
    Ok(())
}

pub async fn of_order<'a>(on: impl Into<Reader<'a>>, order: OrderId) -> Result<Vec<Commission>> {
    let sql = sqlx::AssertSqlSafe(format!("{SELECT} WHERE order_id = $1 ORDER BY id"));
    Ok(read!(on.into(), |c| sqlx::query_as(sql).bind(order).fetch_all(c).await)?)
}

/// What each order from `first` to `last`, both included, owes each partner.
pub async fn sums<'a>(on: impl Into<Reader<'a>>, first: OrderId, last: OrderId) -> Result<Vec<(OrderId, PartnerId, i64)>> {
    Ok(read!(on.into(), |c| {
        sqlx::query_as(
            "SELECT order_id, partner_id, CAST(SUM(amount_minor) AS BIGINT) FROM commissions \
             WHERE order_id >= $1 AND order_id <= $2 GROUP BY order_id, partner_id",
        )
        .bind(first)
        .bind(last)
        .fetch_all(c)
        .await
    })?)
}

/// In hold, though the hold is over.
pub async fn hold_over<'a>(on: impl Into<Reader<'a>>, now: At) -> Result<Vec<Commission>> {
    let sql = sqlx::AssertSqlSafe(format!("{SELECT} WHERE state = 'pending' AND hold_until <= $1 ORDER BY id"));
    Ok(read!(on.into(), |c| sqlx::query_as(sql).bind(now).fetch_all(c).await)?)
}

/// Newest first, before `before`; of one partner, if given.
pub async fn list<'a>(on: impl Into<Reader<'a>>, partner: Option<PartnerId>, before: i64, limit: i64) -> Result<Vec<Commission>> {
    let sql = sqlx::AssertSqlSafe(format!("{SELECT} WHERE id < $1 AND ($3 = 0 OR partner_id = $3) ORDER BY id DESC LIMIT $2"));
    let partner = partner.map_or(0, |p| p.0);
    Ok(read!(on.into(), |c| sqlx::query_as(sql).bind(before).bind(limit).bind(partner).fetch_all(c).await)?)
}

/// Marks a partner's commissions that were released up to and including `until` as part of a run.
pub async fn put_in_run(
    tx: &mut Tx,
    run: PayoutRunId,
    partner: PartnerId,
    currency: Currency,
    until: NaiveDate,
    now: At,
) -> Result<()> {
    exec!(tx, {
        sqlx::query(
            "UPDATE commissions SET state = 'payable', payout_run_id = $1, updated_at = $5 \
             WHERE partner_id = $2 AND currency = $3 AND state = 'approved' \
             AND NOT EXISTS (SELECT 1 FROM journals j WHERE j.commission_id = commissions.id AND j.kind = 'released' AND j.day > $4)",
        )
        .bind(run)
        .bind(partner)
        .bind(currency)
        .bind(until)
        .bind(now)
    })?;
    Ok(())
}

pub async fn run_was_paid(tx: &mut Tx, run: PayoutRunId, now: At) -> Result<()> {
    exec!(tx, {
        sqlx::query("UPDATE commissions SET state = 'paid', updated_at = $2 WHERE payout_run_id = $1 AND state = 'payable'")
            .bind(run)
            .bind(now)
    })?;
    Ok(())
}

/// A commission with its order, and why the order is owed to the partner.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct CommissionOfOrder {
    #[sqlx(flatten)]
    pub commission: Commission,
    pub order_external_id: String,
    pub placed_at: At,
    pub via: crate::domain::payable::Via,
    pub reason: crate::domain::payable::Reason,
}

/// A partner's commissions with their orders, the latest order first.
pub async fn of_partner_with_orders<'a>(
    on: impl Into<Reader<'a>>,
    partner: PartnerId,
    limit: i64,
) -> Result<Vec<CommissionOfOrder>> {
    Ok(read!(on.into(), |c| {
        sqlx::query_as(
            "SELECT m.id, m.order_id, m.partner_id, m.program_id, m.rule_id, m.rule_version, m.currency, m.state, m.amount_minor, \
             m.explanation, m.hold_until, m.payout_run_id, o.external_id AS order_external_id, o.placed_at, \
             COALESCE(s.via, d.via) AS via, d.reason FROM commissions m JOIN orders o ON o.id = m.order_id \
             JOIN payable_decisions d ON d.order_id = m.order_id LEFT JOIN payable_shares s ON s.order_id = m.order_id \
             AND s.partner_id = m.partner_id AND s.program_id = m.program_id \
             WHERE m.partner_id = $1 ORDER BY o.placed_at DESC, m.id DESC LIMIT $2",
        )
        .bind(partner)
        .bind(limit)
        .fetch_all(c)
        .await
    })?)
}

/// When the next of a partner's held commissions is released, by currency.
pub async fn next_releases<'a>(on: impl Into<Reader<'a>>, partner: PartnerId) -> Result<Vec<(Currency, At)>> {
    Ok(read!(on.into(), |c| {
        sqlx::query_as(
            "SELECT currency, MIN(hold_until) FROM commissions WHERE partner_id = $1 AND state = 'pending' AND amount_minor <> 0 \
             GROUP BY currency ORDER BY currency",
        )
        .bind(partner)
        .fetch_all(c)
        .await
    })?)
}
