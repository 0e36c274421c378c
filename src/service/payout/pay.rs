//! What becomes of an approved run's payments: paid, whole or in part; failed, before or after; or the run is cancelled.
//! Each act finds its lines where they stand and changes only those it may, so that doing it twice does nothing.

use super::{RunWithLines, load};
use crate::domain::id::{PartnerId, PayoutRunId};
use crate::domain::ledger::{Account, Journal, JournalKind};
use crate::domain::money::Money;
use crate::domain::payout_run::{LineState, RunState};
use crate::domain::text;
use crate::service::{Context, Error, Refusal, Result, documents};
use crate::store::ledger::{Because, Posting};
use crate::store::payout::{PayoutRunLine, Settled};
use crate::store::{Tx, audit, commission, ledger, payout};
use serde_json::json;
use std::collections::HashMap;

const LONGEST_REASON: usize = 500;

/// Which of a run's due lines an act is about.
#[derive(Debug, Clone, Default)]
pub struct Payments {
    /// Paid now; they are due.
    pub paid: Vec<Settled>,
    /// Failed now; they are due, or paid and came back.
    pub failed: Vec<Settled>,
}

/// Marks what is due of an approved run as paid. Known: nothing happens.
///
/// Errors: the run is not approved, or cancelled.
pub async fn mark_paid(tx: &mut Tx, context: &Context, id: PayoutRunId, bank_reference: Option<&str>) -> Result<RunWithLines> {
    let loaded = load(&mut *tx, id).await?;
    if loaded.run.state == RunState::Paid {
        return Ok(loaded);
    }
    must_be_approved(loaded.run.state)?;
    let due = loaded.lines.iter().filter(|line| line.state == LineState::Due);
    let paid = due.map(|line| Settled { bank_reference: bank_reference.map(str::to_owned), ..Settled::of(line.partner_id) });
    let payments = Payments { paid: paid.collect(), ..Payments::default() };
    settle(tx, context, &loaded, &payments, bank_reference).await
}

/// Marks some lines of an approved run as paid. Those that are paid already stay as they are.
///
/// Errors: the run is not approved, or cancelled; a partner has no line that was due; a line has failed.
pub async fn mark_lines_paid(
    tx: &mut Tx,
    context: &Context,
    id: PayoutRunId,
    partners: &[PartnerId],
    bank_reference: Option<&str>,
) -> Result<RunWithLines> {
    let loaded = load(&mut *tx, id).await?;
    must_be_approved(loaded.run.state)?;
    if partners.is_empty() {
        return Err(Error::refused(Refusal::NoSuchLine, "name at least one partner"));
    }
    let lines: HashMap<PartnerId, &PayoutRunLine> = loaded.lines.iter().map(|line| (line.partner_id, line)).collect();
    let mut paid: Vec<Settled> = Vec::new();
    let mut named = std::collections::HashSet::new();
    for partner in partners.iter().filter(|partner| named.insert(**partner)) {
        match lines.get(partner).map(|line| line.state) {
            Some(LineState::Due) => {
                paid.push(Settled { bank_reference: bank_reference.map(str::to_owned), ..Settled::of(*partner) });
            }
            Some(LineState::Paid) => {}
            Some(LineState::Failed) => {
                let detail = format!("the payment to {partner} has failed; its money goes into the next run");
                return Err(Error::refused(Refusal::LineFailed, detail));
            }
            Some(LineState::Cancelled | LineState::Carried | LineState::Blocked) | None => {
                return Err(Error::refused(Refusal::NoSuchLine, format!("nothing is due to {partner} in this run")));
            }
        }
    }
    if paid.is_empty() {
        return Ok(loaded);
    }
    let payments = Payments { paid, ..Payments::default() };
    settle(tx, context, &loaded, &payments, None).await
}

/// Marks a payment as failed: the money is available again, also where it had been marked as paid and came back. Known:
/// nothing happens.
///
/// Errors: no reason; the run is not approved, or cancelled; the partner has no line that was due.
pub async fn fail_line(
    tx: &mut Tx,
    context: &Context,
    id: PayoutRunId,
    partner: PartnerId,
    reason: &str,
) -> Result<RunWithLines> {
    let reason = reason_of(reason)?;
    let loaded = load(&mut *tx, id).await?;
    let line = loaded.lines.iter().find(|line| line.partner_id == partner).ok_or_else(|| Error::not_found(partner))?;
    match line.state {
        LineState::Failed => return Ok(loaded),
        LineState::Carried | LineState::Blocked => {
            return Err(Error::refused(Refusal::NoSuchLine, format!("nothing is due to {partner} in this run")));
        }
        LineState::Due | LineState::Paid | LineState::Cancelled => {}
    }
    must_be_approved(loaded.run.state)?;
    let failed = Settled { failed_because: Some(reason), ..Settled::of(partner) };
    let payments = Payments { failed: vec![failed], ..Payments::default() };
    settle(tx, context, &loaded, &payments, None).await
}

/// Cancels a run of which nothing is paid: its money is available again and its month may have another run. Known: nothing
/// happens.
///
/// Errors: no reason; something is paid.
pub async fn cancel(tx: &mut Tx, context: &Context, id: PayoutRunId, reason: &str) -> Result<RunWithLines> {
    let reason = reason_of(reason)?;
    let loaded = load(&mut *tx, id).await?;
    match loaded.run.state {
        RunState::Cancelled => return Ok(loaded),
        RunState::PartlyPaid | RunState::Paid => {
            return Err(Error::refused(Refusal::AlreadyPaid, "payments of the run are paid; it cannot be cancelled any more"));
        }
        RunState::Built | RunState::Approved => {}
    }
    let due: Vec<&PayoutRunLine> = loaded.lines.iter().filter(|line| line.state == LineState::Due).collect();
    let back: Vec<Posting> =
        due.iter().filter_map(|line| posting(&loaded, line, Step::TakeOut, Some(&reason), context)).collect();
    ledger::post_all(tx, &back, context.at()).await?;
    let settled: Vec<Settled> = due.iter().map(|line| Settled::of(line.partner_id)).collect();
    payout::settle_lines(tx, id, LineState::Cancelled, &settled, &context.actor, context.at()).await?;
    commission::lines_were_taken_out(tx, id, context.at()).await?;
    payout::cancel(tx, id, &reason, &context.actor, context.at()).await?;
    let detail = json!({
        "before": loaded.run.state, "after": RunState::Cancelled, "reason": reason, "lines": due.len(),
        "total": Money::new(due.iter().map(|line| line.amount_minor).sum(), loaded.run.currency),
    });
    audit::record(tx, &context.actor, "payout_run.cancel", &id.to_string(), &detail, context.at()).await?;
    load(&mut *tx, id).await
}

fn must_be_approved(state: RunState) -> Result<()> {
    match state {
        RunState::Approved | RunState::PartlyPaid | RunState::Paid => Ok(()),
        RunState::Built => Err(Error::refused(Refusal::NotApproved, "the run is built, it must be approved first")),
        RunState::Cancelled => Err(Error::refused(Refusal::RunCancelled, "the run is cancelled")),
    }
}

fn reason_of(reason: &str) -> Result<String> {
    text::line(reason, LONGEST_REASON).map_err(|error| Error::field("/reason", error))
}

/// What moves a line's money.
#[derive(Clone, Copy)]
enum Step {
    Pay,
    TakeOut,
    Return,
}

fn posting(loaded: &RunWithLines, line: &PayoutRunLine, step: Step, note: Option<&str>, context: &Context) -> Option<Posting> {
    let (available, in_payment) = (Account::Available(line.partner_id), Account::InPayment(line.partner_id));
    let (kind, from, to) = match step {
        Step::Pay => (JournalKind::Paid, in_payment, Account::Cash),
        Step::TakeOut => (JournalKind::TakenOutOfRun, in_payment, available),
        Step::Return => (JournalKind::Returned, Account::Cash, available),
    };
    let journal = Journal::transfer(kind, loaded.run.currency, from, to, line.amount_minor)?;
    let because = Because { run: Some(loaded.run.id), note: note.map(str::to_owned), ..Because::by(&context.actor) };
    Some(Posting { journal, day: context.today(), because })
}

/// Posts payments and brings lines, commissions and run to where they stand then. What is paid comes before what failed.
pub(in crate::service) async fn settle(
    tx: &mut Tx,
    context: &Context,
    loaded: &RunWithLines,
    payments: &Payments,
    reference_of_run: Option<&str>,
) -> Result<RunWithLines> {
    let id = loaded.run.id;
    let lines: HashMap<PartnerId, &PayoutRunLine> = loaded.lines.iter().map(|line| (line.partner_id, line)).collect();
    let mut states: HashMap<PartnerId, LineState> = lines.iter().map(|(partner, line)| (*partner, line.state)).collect();
    let mut postings = Vec::new();
    let mut total_paid = 0;
    for settled in &payments.paid {
        let Some(line) = lines.get(&settled.partner).filter(|_| states.get(&settled.partner) == Some(&LineState::Due)) else {
            return Err(Error::refused(Refusal::NoSuchLine, format!("nothing is due to {} in this run", settled.partner)));
        };
        postings.extend(posting(loaded, line, Step::Pay, settled.bank_reference.as_deref(), context));
        states.insert(settled.partner, LineState::Paid);
        total_paid += line.amount_minor;
    }
    let mut failures = Vec::new();
    for settled in &payments.failed {
        let was = states.get(&settled.partner).copied();
        let (Some(line), Some(step)) = (lines.get(&settled.partner), was.and_then(step_of_failure)) else {
            return Err(Error::refused(Refusal::NoSuchLine, format!("nothing is due to {} in this run", settled.partner)));
        };
        postings.extend(posting(loaded, line, step, settled.failed_because.as_deref(), context));
        states.insert(settled.partner, LineState::Failed);
        failures.push(json!({
            "partner": settled.partner, "amount": Money::new(line.amount_minor, loaded.run.currency), "before": was,
            "after": LineState::Failed, "reason": settled.failed_because,
        }));
    }
    ledger::post_all(tx, &postings, context.at()).await?;
    let (by, at) = (context.actor.as_str(), context.at());
    if !payments.paid.is_empty() {
        payout::settle_lines(tx, id, LineState::Paid, &payments.paid, by, at).await?;
        tx.for_many().await?;
        commission::lines_were_paid(tx, id, at).await?;
    }
    // Both go through all commissions of the run.
    if !payments.failed.is_empty() {
        payout::settle_lines(tx, id, LineState::Failed, &payments.failed, by, at).await?;
        commission::lines_were_taken_out(tx, id, at).await?;
    }
    let state = RunState::of_lines(states.into_values());
    if state == RunState::Cancelled {
        payout::cancel(tx, id, "no payment of it went through", by, at).await?;
    } else {
        payout::set_state(tx, id, state, reference_of_run, by, at).await?;
    }
    documents::payments_changed(tx, context, id).await?;
    if !payments.paid.is_empty() {
        let whole = payments.paid.len() == loaded.lines.iter().filter(|l| l.disposition == LineState::Due.name()).count();
        let partners = (!whole).then(|| payments.paid.iter().map(|settled| settled.partner).collect::<Vec<_>>());
        let detail = json!({
            "before": loaded.run.state, "after": state, "bank_reference": reference_of_run, "lines": payments.paid.len(),
            "total": Money::new(total_paid, loaded.run.currency), "partners": partners,
        });
        audit::record(tx, by, "payout_run.paid", &id.to_string(), &detail, at).await?;
    }
    for detail in failures {
        audit::record(tx, by, "payout_run.line_failed", &id.to_string(), &detail, at).await?;
    }
    load(&mut *tx, id).await
}

fn step_of_failure(was: LineState) -> Option<Step> {
    match was {
        LineState::Due => Some(Step::TakeOut),
        LineState::Paid => Some(Step::Return),
        LineState::Failed | LineState::Cancelled | LineState::Carried | LineState::Blocked => None,
    }
}
