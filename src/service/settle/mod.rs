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

use super::terms::Terms;
use super::{Context, Error, Result};
use crate::domain::commission::{CommissionState, Explanation};
use crate::domain::id::{CommissionId, LeadId, OrderId, PartnerId};
use crate::domain::ledger::{Account, Journal, JournalKind};
use crate::domain::money::Currency;
use crate::domain::order::ReversalReason;
use crate::domain::payout_run::LineState;
use crate::domain::program::Program;
use crate::domain::time::Period;
use crate::store::commission::Commission;
use crate::store::decision::StoredDecision;
use crate::store::ledger::{Because, Posting};
use crate::store::order::Order;
use crate::store::rows::Rows;
use crate::store::{Reader, Tx, commission, decision, ledger, payout, refund};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use due::nothing;
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
async fn open_day(tx: &mut Tx, context: &Context, terms: &Terms, day: NaiveDate) -> Result<(NaiveDate, bool)> {
    let latest = terms.latest_closed(&mut Reader::from(tx)).await?;
    let closed = latest.is_some_and(|closed| Period::of(day).to_string() <= closed);
    Ok(if closed { (context.today(), true) } else { (day.min(context.today()), false) })
}

/// Settles an order, and answers its commissions. `fact` is what changed: the order, a refund, or something today.
pub async fn settle(tx: &mut Tx, context: &Context, order: &Order, fact: Fact) -> Result<Vec<Commission>> {
    let Some(decided) = decision::of_order(&mut *tx, order.id).await? else { return Ok(Vec::new()) };
    let before = commission::of_order(&mut *tx, order.id).await?;
    let settling = Settling::begin(tx, context, fact).await?;
    settle_by(tx, settling, order, &decided, before).await
}

/// As [`settle`], by the order's decision and the commissions it has.
pub(super) async fn settle_by(
    tx: &mut Tx,
    mut settling: Settling<'_>,
    order: &Order,
    decided: &StoredDecision,
    before: Vec<Commission>,
) -> Result<Vec<Commission>> {
    if decided.partner_id.is_none() {
        return Ok(before);
    }
    let by_line = order.amounts.refunded_minor > 0 && !order.amounts.items.is_empty();
    let refunds = if by_line { refund::of_order(&mut *tx, order.id).await? } else { Vec::new() };
    let declined =
        |partner, rule| before.iter().any(|c| (c.partner_id, c.rule_id) == (partner, rule) && c.declined_because.is_some());
    let owed = due(order, decided, &refunded_lines(&refunds), declined).map_err(|e| Error::field("/total", e))?;
    let same = |c: &Commission, due: &Due| (c.partner_id, c.rule_id) == (due.partner, due.explanation.rule());
    let origin = Origin::of(order);
    let mut now = Vec::with_capacity(owed.len());
    for due in &owed {
        let old = before.iter().find(|old| same(old, due));
        now.extend(settling.bring(tx, old, due, &origin).await?);
    }
    for old in before.iter().filter(|old| !owed.iter().any(|due| same(old, due))) {
        let explanation = nothing(order, &old.explanation.0);
        let due = Due { partner: old.partner_id, program: old.program_id, explanation };
        now.extend(settling.bring(tx, Some(old), &due, &origin).await?);
    }
    settling.finish(tx).await?;
    now.sort_by_key(|commission| commission.id);
    Ok(now)
}

/// A new order with its decision, and who recorded it.
pub(super) struct Decided<'a> {
    pub context: &'a Context,
    pub order: &'a Order,
    pub decision: &'a StoredDecision,
}

/// What a new order owes; its commissions have no ids yet. Where a rule has a cap, that hangs on the orders before it.
pub(super) async fn newly_owed(tx: &mut Tx, terms: &Terms, new: Decided<'_>) -> Result<Vec<Commission>> {
    let Decided { context, order, decision } = new;
    let settling = Settling::under(terms.clone(), context, Fact::on(order.day));
    let mut owed = Vec::new();
    if decision.partner_id.is_some() {
        let all = due(order, decision, &[], |_, _| false).map_err(|e| Error::field("/total", e))?;
        for due in all.iter().filter(|due| due.owes_something()) {
            owed.push(settling.commission(tx, due, &Origin::of(order)).await?);
        }
    }
    Ok(owed)
}

/// Adds what new orders owe to what is to be stored, with a journal each.
pub(super) async fn add_owed(
    tx: &mut Tx,
    rows: &mut Rows,
    terms: &Terms,
    new: &[(Decided<'_>, &[Commission])],
    journal_ids: impl Iterator<Item = i64>,
) -> Result<()> {
    let mut postings = Vec::new();
    for (Decided { context, order, .. }, owed) in new {
        let settling = Settling::under(terms.clone(), context, Fact::on(order.day));
        for commission in *owed {
            postings.extend(settling.posting(tx, commission, commission.amount_minor).await?);
        }
    }
    let Some((Decided { context, .. }, _)) = new.first() else { return Ok(()) };
    commission::add(rows, new.iter().flat_map(|(_, owed)| owed.iter()), context.at())?;
    Ok(ledger::add(rows, tx, &postings, journal_ids, context.at()).await?)
}

/// Settles what hangs on the volumes of new orders, once what they owe is stored.
pub(super) async fn settle_volumes(tx: &mut Tx, terms: &Terms, new: &[(Decided<'_>, &[Commission])]) -> Result<()> {
    for (Decided { context, order, .. }, owed) in new {
        let mut settling = Settling::under(terms.clone(), context, Fact::on(order.day));
        for commission in *owed {
            settling.volumes.add(commission, 1);
        }
        settling.finish(tx).await?;
    }
    Ok(())
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

    fn of(order: &Order) -> Origin {
        let month = Period::of(order.day).to_string();
        Origin { order: Some(order.id), ..Origin::new(month, order.amounts.currency, order.placed_at) }
    }
}

/// What goes along while something is settled.
pub(super) struct Settling<'a> {
    context: &'a Context,
    terms: Terms,
    fact: Fact,
    volumes: Volumes,
}

impl<'a> Settling<'a> {
    pub(super) async fn begin(tx: &mut Tx, context: &'a Context, fact: Fact) -> Result<Settling<'a>> {
        Ok(Settling::under(context.terms(tx).await?, context, fact))
    }

    /// Under terms that were read before.
    pub(super) fn under(terms: Terms, context: &'a Context, fact: Fact) -> Settling<'a> {
        Settling { context, terms, fact, volumes: Volumes::default() }
    }

    /// Settles what hangs on the volumes of all that was brought.
    async fn finish(self, tx: &mut Tx) -> Result<()> {
        self.volumes.settle(tx, self.context, &self.terms, self.fact).await
    }

    /// Brings one commission to what is due now: makes it if there is none, changes it, or leaves it as it is. Answers it
    /// as it now is; none if nothing was owed and nothing is.
    async fn bring(&mut self, tx: &mut Tx, old: Option<&Commission>, due: &Due, origin: &Origin) -> Result<Option<Commission>> {
        let Some(old) = old else {
            if !due.owes_something() {
                return Ok(None);
            }
            let new = self.make(tx, due, origin).await?;
            self.volumes.add(&new, 1);
            return Ok(Some(new));
        };
        if old.explanation.0 == due.explanation && old.period == origin.period {
            return Ok(Some(old.clone()));
        }
        self.volumes.add(old, -1);
        let changed = self.change(tx, old, due.explanation.clone()).await?;
        let changed = Commission { period: origin.period.clone(), ..changed };
        commission::update(tx, &changed, self.context.at()).await?;
        self.volumes.add(&changed, 1);
        Ok(Some(changed))
    }

    /// How long commissions of a partner wait in a program.
    async fn hold_days(&self, tx: &mut Tx, program: &Program, id: PartnerId) -> Result<i64> {
        if program.group_hold_days.is_empty() {
            return Ok(program.hold_days);
        }
        let found = self.terms.partner(&mut Reader::from(tx), id).await?;
        Ok(program.hold_days_of(found.and_then(|found| found.group.clone()).as_deref()))
    }

    /// Stores a commission and posts what it is.
    async fn make(&self, tx: &mut Tx, due: &Due, origin: &Origin) -> Result<Commission> {
        let mut new = self.commission(tx, due, origin).await?;
        new.id = commission::insert(tx, &new, self.context.at()).await?;
        self.post_difference(tx, &new, new.amount_minor).await?;
        Ok(new)
    }

    /// A new commission, not yet stored.
    async fn commission(&self, tx: &mut Tx, due: &Due, origin: &Origin) -> Result<Commission> {
        let program = self.terms.program(&mut Reader::from(&mut *tx), due.program).await?;
        let program = program.ok_or_else(|| Error::not_found(due.program))?;
        let hold = self.hold_days(tx, &program, due.partner).await?;
        Ok(Commission {
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
        })
    }

    /// What a commission becomes when something else is owed, and the difference posted; the caller stores it.
    async fn change(&self, tx: &mut Tx, old: &Commission, now_owed: Explanation) -> Result<Commission> {
        let owed_minor = now_owed.owed_minor();
        let was_off = matches!(old.state, CommissionState::Reversed | CommissionState::Rejected);
        let state = match (old.declined_because.is_some(), owed_minor) {
            (true, _) => CommissionState::Rejected,
            (false, 0) => CommissionState::Reversed,
            (false, _) if was_off => state_before_reversal(tx, old).await?,
            (false, _) => old.state,
        };
        let posted_as = Commission { state: if was_off { state } else { old.state }, ..old.clone() };
        self.post_difference(tx, &posted_as, owed_minor - old.amount_minor).await?;
        Ok(Commission {
            state,
            amount_minor: owed_minor,
            rule_version: now_owed.rule_version(),
            explanation: Json(now_owed),
            ..old.clone()
        })
    }

    /// Posts to where the commission's money is: in hold while it is pending, else in what is available.
    async fn post_difference(&self, tx: &mut Tx, commission: &Commission, difference: i64) -> Result<()> {
        if let Some(posting) = self.posting(tx, commission, difference).await? {
            ledger::post(tx, &posting, self.context.at()).await?;
        }
        Ok(())
    }

    /// What [`Self::post_difference`] posts; none for no difference.
    async fn posting(&self, tx: &mut Tx, commission: &Commission, difference: i64) -> Result<Option<Posting>> {
        let account = match commission.state {
            CommissionState::Pending => Account::Held(commission.partner_id),
            CommissionState::Approved
            | CommissionState::Payable
            | CommissionState::Paid
            | CommissionState::Reversed
            | CommissionState::Rejected => Account::Available(commission.partner_id),
        };
        let (day, moved) = open_day(tx, self.context, &self.terms, self.fact.day).await?;
        let kind = match (moved, difference > 0) {
            (true, _) => JournalKind::Adjusted,
            (false, true) => JournalKind::Earned,
            (false, false) => JournalKind::Reversed,
        };
        let Some(journal) = Journal::transfer(kind, commission.currency, Account::Expense, account, difference) else {
            return Ok(None);
        };
        let closed = moved.then(|| format!("of {}, whose month is closed", self.fact.day));
        let notes: Vec<String> = self.fact.reason.map(|reason| reason.word().to_owned()).into_iter().chain(closed).collect();
        let because = Because {
            order: commission.order_id,
            commission: Some(commission.id),
            note: (!notes.is_empty()).then(|| notes.join(", ")),
            act: self.fact.act,
            ..Because::by(&self.context.actor)
        };
        Ok(Some(Posting { journal, day, because }))
    }
}

/// Where a commission stood before it owed nothing: in its run, or back in hold, which may be over.
async fn state_before_reversal(tx: &mut Tx, commission: &Commission) -> Result<CommissionState> {
    let Some(run) = commission.payout_run_id else { return Ok(CommissionState::Pending) };
    let line = payout::line_state(&mut *tx, run, commission.partner_id).await?;
    Ok(if line == Some(LineState::Paid) { CommissionState::Paid } else { CommissionState::Payable })
}
