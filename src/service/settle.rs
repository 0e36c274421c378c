//! Brings the ledger to what an order owes now: posts the difference to what was posted before.
//!
//! Nothing here knows how the order came to its state, so every history ends at the same balance.

use super::{Context, Error, Result};
use crate::domain::commission::{CommissionState, OrderState, Owed, assess};
use crate::domain::ledger::{Account, Journal, JournalKind};
use crate::domain::time::Period;
use crate::store::commission::Commission;
use crate::store::decision::Owing;
use crate::store::ledger::Because;
use crate::store::order::Order;
use crate::store::{Tx, commission, decision, ledger, payout, program};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use sqlx::types::Json;

/// Whether the month of `day` is closed: it or a later one was.
pub async fn is_closed(tx: &mut Tx, day: NaiveDate) -> Result<bool> {
    let latest = payout::latest_closed(&mut *tx).await?;
    Ok(latest.is_some_and(|closed| Period::of(day).to_string() <= closed))
}

/// The day to post on: the fact's own, or today if its month is closed.
async fn open_day(tx: &mut Tx, context: &Context, day: NaiveDate) -> Result<(NaiveDate, bool)> {
    if is_closed(tx, day).await? { Ok((context.today(), true)) } else { Ok((day.min(context.today()), false)) }
}

/// Settles an order. `fact_day` is the day of what changed: of the order, of the refund, or today.
pub async fn settle(tx: &mut Tx, context: &Context, order: &Order, fact_day: NaiveDate) -> Result<Vec<Commission>> {
    let Some(decided) = decision::of_order(&mut *tx, order.id).await? else { return Ok(Vec::new()) };
    let touches = decided.touches_shared();
    let owing = decided.owing(&touches);
    let mut owed: Vec<(Owing<'_>, Owed)> = Vec::new();
    for part in owing {
        let state = OrderState { status: order.status, amounts: &order.amounts, portion: part.portion };
        let reckoned = assess(state, part.rules).map_err(|e| Error::field("/total", e))?;
        owed.extend(reckoned.into_iter().map(|owed| (part, owed)));
    }
    let before = commission::of_order(&mut *tx, order.id).await?;
    let same = |commission: &Commission, part: &Owing<'_>, owed: &Owed| {
        (commission.partner_id, commission.rule_id) == (part.partner, owed.rule)
    };

    for (part, now_owed) in &owed {
        if now_owed.owed_minor == 0 || before.iter().any(|c| same(c, part, now_owed)) {
            continue;
        }
        let program = program::by_id(&mut *tx, part.program).await?.ok_or_else(|| Error::not_found(part.program))?;
        let mut new = Commission {
            id: crate::domain::id::CommissionId(0),
            order_id: order.id,
            partner_id: part.partner,
            program_id: part.program,
            rule_id: now_owed.rule,
            rule_version: now_owed.rule_version,
            currency: order.amounts.currency,
            state: CommissionState::Pending,
            amount_minor: now_owed.owed_minor,
            explanation: Json(now_owed.clone()),
            hold_until: (order.placed_at + TimeDelta::days(program.hold_days)).into(),
            payout_run_id: None,
        };
        new.id = commission::insert(tx, &new, context.at()).await?;
        post_difference(tx, context, order, &new, now_owed.owed_minor, fact_day).await?;
    }
    for old in &before {
        // A rule that no longer wins any line owes nothing.
        let now_owed = owed.iter().find(|(part, owed)| same(old, part, owed));
        let now_owed = now_owed.map(|(_, owed)| owed.clone()).unwrap_or_else(|| Owed {
            status: order.status,
            total_minor: order.amounts.total_minor,
            tax_minor: order.amounts.tax_minor,
            shipping_minor: order.amounts.shipping_minor,
            refunded_minor: order.amounts.refunded_minor,
            commissionable_minor: order.amounts.commissionable_minor(),
            base_minor: 0,
            full_minor: 0,
            owed_minor: 0,
            ..old.explanation.0.clone()
        });
        if now_owed == old.explanation.0 {
            continue;
        }
        let difference = now_owed.owed_minor - old.amount_minor;
        let state = match (now_owed.owed_minor, old.state) {
            (0, _) => CommissionState::Reversed,
            (_, CommissionState::Reversed) => state_before_reversal(tx, old).await?,
            (_, state) => state,
        };
        commission::update(tx, old.id, state, &now_owed, context.at()).await?;
        let posted_as =
            Commission { state: if old.state == CommissionState::Reversed { state } else { old.state }, ..old.clone() };
        post_difference(tx, context, order, &posted_as, difference, fact_day).await?;
    }
    Ok(commission::of_order(&mut *tx, order.id).await?)
}

/// Where a reversed commission stood: in its run, or back in hold, which may be over.
async fn state_before_reversal(tx: &mut Tx, commission: &Commission) -> Result<CommissionState> {
    let Some(run) = commission.payout_run_id else { return Ok(CommissionState::Pending) };
    let paid = payout::by_id(&mut *tx, run).await?.is_some_and(|run| run.state == "paid");
    Ok(if paid { CommissionState::Paid } else { CommissionState::Payable })
}

/// Posts to where the commission's money is: in hold while it is pending, else in what is available.
async fn post_difference(
    tx: &mut Tx,
    context: &Context,
    order: &Order,
    commission: &Commission,
    difference: i64,
    fact_day: NaiveDate,
) -> Result<()> {
    let account = match commission.state {
        CommissionState::Pending => Account::Held(commission.partner_id),
        CommissionState::Approved | CommissionState::Payable | CommissionState::Paid | CommissionState::Reversed => {
            Account::Available(commission.partner_id)
        }
    };
    let (day, moved) = open_day(tx, context, fact_day).await?;
    let kind = match (moved, difference > 0) {
        (true, _) => JournalKind::Adjusted,
        (false, true) => JournalKind::Earned,
        (false, false) => JournalKind::Reversed,
    };
    let Some(journal) = Journal::transfer(kind, commission.currency, Account::Expense, account, difference) else {
        return Ok(());
    };
    let note = moved.then(|| format!("of {fact_day}, whose month is closed"));
    let because = Because { order: Some(order.id), commission: Some(commission.id), run: None, note };
    ledger::post(tx, &journal, day, &because, context.at()).await?;
    Ok(())
}

/// Makes available what has been held long enough. Safe to run at any time and twice.
pub async fn release(tx: &mut Tx, context: &Context) -> Result<usize> {
    let due = commission::hold_over(&mut *tx, context.at()).await?;
    for commission in &due {
        let (held, last_day) = ledger::held_of_commission(&mut *tx, commission.id).await?;
        let over_on = context.day(DateTime::<Utc>::from(commission.hold_until));
        let (day, _) = open_day(tx, context, over_on.max(last_day.unwrap_or(over_on))).await?;
        let (from, to) = (Account::Held(commission.partner_id), Account::Available(commission.partner_id));
        if let Some(journal) = Journal::transfer(JournalKind::Released, commission.currency, from, to, held) {
            let because = Because { order: Some(commission.order_id), commission: Some(commission.id), ..Because::default() };
            ledger::post(tx, &journal, day, &because, context.at()).await?;
        }
        commission::set_state(tx, commission.id, CommissionState::Approved, context.at()).await?;
    }
    Ok(due.len())
}
