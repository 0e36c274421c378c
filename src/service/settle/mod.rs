//! Brings the ledger to what an order owes now: posts the difference to what was posted before.
//!
//! Nothing here knows how the order came to its state, so every history ends at the same balance.

mod clicks;
mod due;
mod judgement;
mod lead;
mod release;
mod volume;

pub use clicks::settle_clicks;
pub use due::{Due, due, refunded_lines};
pub use judgement::{approve, decline, restore};
pub use lead::{lead_due, settle_lead};
pub use release::release;
pub use volume::owed_for_month;

use super::{Context, Error, Result};
use crate::domain::commission::{CommissionState, Explanation, Volume};
use crate::domain::id::{CommissionId, LeadId, OrderId, PartnerId};
use crate::domain::ledger::{Account, Journal, JournalKind};
use crate::domain::money::Currency;
use crate::domain::order::ReversalReason;
use crate::domain::payout_run::LineState;
use crate::domain::program::Program;
use crate::domain::time::Period;
use crate::store::commission::Commission;
use crate::store::ledger::Because;
use crate::store::order::Order;
use crate::store::{Tx, commission, decision, ledger, partner, payout, program, refund};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use due::{counted, nothing};
use sqlx::types::Json;
use volume::Volumes;

/// What changed that is to be settled.
#[derive(Debug, Clone, Copy)]
pub struct Fact {
    /// When it happened: its postings are of this day, or of today if the day's month is closed.
    pub day: NaiveDate,
    /// Why money went back, if that has a name.
    pub reason: Option<ReversalReason>,
    /// The line of the audit log.
    pub act: Option<i64>,
}

impl Fact {
    pub fn on(day: NaiveDate) -> Fact {
        Fact { day, reason: None, act: None }
    }
}

/// Whether the month of `day` is closed: it or a later one was.
pub async fn is_closed(tx: &mut Tx, day: NaiveDate) -> Result<bool> {
    let latest = payout::latest_closed(&mut *tx).await?;
    Ok(latest.is_some_and(|closed| Period::of(day).to_string() <= closed))
}

/// The day to post on: the fact's own, or today if its month is closed.
async fn open_day(tx: &mut Tx, context: &Context, day: NaiveDate) -> Result<(NaiveDate, bool)> {
    if is_closed(tx, day).await? { Ok((context.today(), true)) } else { Ok((day.min(context.today()), false)) }
}

/// Settles an order. `fact` is what changed: the order, a refund, or something today.
pub async fn settle(tx: &mut Tx, context: &Context, order: &Order, fact: Fact) -> Result<Vec<Commission>> {
    let Some(decided) = decision::of_order(&mut *tx, order.id).await? else { return Ok(Vec::new()) };
    if decided.partner_id.is_none() {
        return Ok(Vec::new());
    }
    let before = commission::of_order(&mut *tx, order.id).await?;
    let by_line = order.amounts.refunded_minor > 0 && !order.amounts.items.is_empty();
    let refunds = if by_line { refund::of_order(&mut *tx, order.id).await? } else { Vec::new() };
    let declined =
        |partner, rule| before.iter().any(|c| (c.partner_id, c.rule_id) == (partner, rule) && c.declined_because.is_some());
    let owed = due(order, &decided, &refunded_lines(&refunds), declined).map_err(|e| Error::field("/total", e))?;
    let same = |c: &Commission, due: &Due| (c.partner_id, c.rule_id) == (due.partner, due.explanation.rule());
    let origin = Origin {
        order: Some(order.id),
        ..Origin::new(Period::of(order.day).to_string(), order.amounts.currency, order.placed_at)
    };
    let mut volumes = Volumes::default();
    for due in &owed {
        let old = before.iter().find(|old| same(old, due));
        bring(tx, context, old, due, &origin, fact, &mut volumes).await?;
    }
    for old in before.iter().filter(|old| !owed.iter().any(|due| same(old, due))) {
        let explanation = nothing(order, &old.explanation.0);
        let due = Due { partner: old.partner_id, program: old.program_id, explanation };
        bring(tx, context, Some(old), &due, &origin, fact, &mut volumes).await?;
    }
    volumes.settle(tx, context, fact).await?;
    Ok(commission::of_order(&mut *tx, order.id).await?)
}

/// What commissions are of, and when their hold begins.
struct Origin {
    order: Option<OrderId>,
    lead: Option<LeadId>,
    /// Of clicks.
    day: Option<NaiveDate>,
    period: String,
    currency: Currency,
    held_from: DateTime<Utc>,
}

impl Origin {
    fn new(period: String, currency: Currency, held_from: DateTime<Utc>) -> Origin {
        Origin { order: None, lead: None, day: None, period, currency, held_from }
    }
}

/// Brings one commission to what is due now: makes it if there is none, changes it, or leaves it as it is. What lies under
/// its rule goes along into `volumes`, which the caller settles.
async fn bring(
    tx: &mut Tx,
    context: &Context,
    old: Option<&Commission>,
    due: &Due,
    origin: &Origin,
    fact: Fact,
    volumes: &mut Volumes,
) -> Result<()> {
    let Some(old) = old else {
        if due.explanation.owed_minor() == 0 && counted(&due.explanation).unwrap_or_default() == Volume::default() {
            return Ok(());
        }
        let new = make(tx, context, due, origin, fact).await?;
        volumes.add(&new, 1);
        return Ok(());
    };
    if old.explanation.0 == due.explanation && old.period == origin.period {
        return Ok(());
    }
    volumes.add(old, -1);
    let changed = change(tx, context, old, due.explanation.clone(), fact).await?;
    let changed = Commission { period: origin.period.clone(), ..changed };
    commission::update(tx, &changed, context.at()).await?;
    volumes.add(&changed, 1);
    Ok(())
}

/// How long commissions of a partner wait in a program.
async fn hold_days(tx: &mut Tx, program: &Program, id: PartnerId) -> Result<i64> {
    if program.group_hold_days.is_empty() {
        return Ok(program.hold_days);
    }
    let found = partner::by_id(&mut *tx, id).await?;
    Ok(program.hold_days_of(found.and_then(|found| found.group_name).as_deref()))
}

/// Stores a commission and posts what it is.
async fn make(tx: &mut Tx, context: &Context, due: &Due, origin: &Origin, fact: Fact) -> Result<Commission> {
    let program = program::by_id(&mut *tx, due.program).await?.ok_or_else(|| Error::not_found(due.program))?;
    let hold = hold_days(tx, &program, due.partner).await?;
    let mut new = Commission {
        id: CommissionId(0),
        kind: due.explanation.kind(),
        order_id: origin.order,
        lead_id: origin.lead,
        partner_id: due.partner,
        program_id: due.program,
        rule_id: due.explanation.rule(),
        rule_version: due.explanation.rule_version(),
        period: origin.period.clone(),
        day: origin.day,
        currency: origin.currency,
        state: CommissionState::Pending,
        amount_minor: due.explanation.owed_minor(),
        explanation: Json(due.explanation.clone()),
        hold_until: (origin.held_from + TimeDelta::days(hold)).into(),
        payout_run_id: None,
        needs_approval: program.manual_approval,
        judged_by: None,
        declined_because: None,
    };
    new.id = commission::insert(tx, &new, context.at()).await?;
    post_difference(tx, context, &new, new.amount_minor, fact).await?;
    Ok(new)
}

/// What a commission becomes when something else is owed, and the difference posted; the caller stores it.
async fn change(tx: &mut Tx, context: &Context, old: &Commission, now_owed: Explanation, fact: Fact) -> Result<Commission> {
    let owed_minor = now_owed.owed_minor();
    let was_off = matches!(old.state, CommissionState::Reversed | CommissionState::Rejected);
    let state = match (old.declined_because.is_some(), owed_minor) {
        (true, _) => CommissionState::Rejected,
        (false, 0) => CommissionState::Reversed,
        (false, _) if was_off => state_before_reversal(tx, old).await?,
        (false, _) => old.state,
    };
    let posted_as = Commission { state: if was_off { state } else { old.state }, ..old.clone() };
    post_difference(tx, context, &posted_as, owed_minor - old.amount_minor, fact).await?;
    Ok(Commission {
        state,
        amount_minor: owed_minor,
        rule_version: now_owed.rule_version(),
        explanation: Json(now_owed),
        ..old.clone()
    })
}

/// Where a commission stood before it owed nothing: in its run, or back in hold, which may be over.
async fn state_before_reversal(tx: &mut Tx, commission: &Commission) -> Result<CommissionState> {
    let Some(run) = commission.payout_run_id else { return Ok(CommissionState::Pending) };
    let line = payout::line_state(&mut *tx, run, commission.partner_id).await?;
    Ok(if line == Some(LineState::Paid) { CommissionState::Paid } else { CommissionState::Payable })
}

/// Posts to where the commission's money is: in hold while it is pending, else in what is available.
async fn post_difference(tx: &mut Tx, context: &Context, commission: &Commission, difference: i64, fact: Fact) -> Result<()> {
    let account = match commission.state {
        CommissionState::Pending => Account::Held(commission.partner_id),
        CommissionState::Approved
        | CommissionState::Payable
        | CommissionState::Paid
        | CommissionState::Reversed
        | CommissionState::Rejected => Account::Available(commission.partner_id),
    };
    let (day, moved) = open_day(tx, context, fact.day).await?;
    let kind = match (moved, difference > 0) {
        (true, _) => JournalKind::Adjusted,
        (false, true) => JournalKind::Earned,
        (false, false) => JournalKind::Reversed,
    };
    let Some(journal) = Journal::transfer(kind, commission.currency, Account::Expense, account, difference) else {
        return Ok(());
    };
    let closed = moved.then(|| format!("of {}, whose month is closed", fact.day));
    let notes: Vec<String> = fact.reason.map(|reason| reason.word().to_owned()).into_iter().chain(closed).collect();
    let because = Because {
        order: commission.order_id,
        commission: Some(commission.id),
        note: (!notes.is_empty()).then(|| notes.join(", ")),
        act: fact.act,
        ..Because::by(&context.actor)
    };
    ledger::post(tx, &journal, day, &because, context.at()).await?;
    Ok(())
}
