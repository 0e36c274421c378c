//! The accountant's month: close and build; `payout/` approves, pays and cancels, `payout_file` exports.

mod approval;
mod pay;

pub use approval::{PayoutSettings, approve, change_settings, settings};
pub(in crate::service) use pay::settle;
pub use pay::{Payments, cancel, fail_line, mark_lines_paid, mark_paid};

use super::{Context, Error, Refusal, Result, documents, settle};
use crate::domain::commission::CommissionState;
use crate::domain::id::{PartnerId, PayoutRunId};
use crate::domain::ledger::{Account, Journal, JournalKind};
use crate::domain::money::{Currency, Money};
use crate::domain::partner::PartnerStatus;
use crate::domain::payout_run::{LineState, RunState};
use crate::domain::requisites::{Fault, Payout, ready_for_payment};
use crate::domain::time::Period;
use crate::store::ledger::{Because, Posting};
use crate::store::partner::Partner;
use crate::store::payout::{PayoutRun, PayoutRunLine};
use crate::store::{Reader, Tx, audit, commission, ledger, partner, payout, program};
use chrono::NaiveDate;
use std::collections::HashMap;

/// Closes a month, and with it all before it. Known: nothing happens.
///
/// Errors: the month is not over.
pub async fn close(tx: &mut Tx, context: &Context, period: Period) -> Result<()> {
    if period.last_day() >= context.today() {
        return Err(Error::refused(Refusal::MonthNotOver, format!("{period} is not over yet")));
    }
    if payout::closing(&mut *tx, &period.to_string()).await?.is_some() {
        return Ok(());
    }
    settle::settle_clicks(tx, context).await?;
    settle::release(tx, context).await?;
    payout::close(tx, &period.to_string(), &context.actor, context.at()).await?;
    let detail = serde_json::json!({ "before": "open", "after": "closed" });
    audit::record(tx, &context.actor, "period.close", &period.to_string(), &detail, context.at()).await?;
    Ok(())
}

/// A run with its lines.
#[derive(Debug, Clone)]
pub struct RunWithLines {
    pub run: PayoutRun,
    pub lines: Vec<PayoutRunLine>,
}

/// Builds the run of a month in one currency: what became available up to its last day and is over the minimum.
///
/// A month that is not closed needs `early`; then all that is available now is paid, and the month stays open.
/// Errors: not closed, a run is there already, nothing is due, several currencies and none named.
pub async fn build(
    tx: &mut Tx,
    context: &Context,
    period: Period,
    currency: Option<Currency>,
    early: bool,
) -> Result<RunWithLines> {
    settle::release(tx, context).await?;
    let today = context.today();
    let closed = settle::is_closed(tx, period.last_day()).await?;
    if !closed && !early {
        let detail = format!("{period} is not closed; close it, or say \"early\": true");
        return Err(Error::refused(Refusal::MonthNotClosed, detail));
    }
    if period.first_day() > today {
        return Err(Error::refused(Refusal::MonthInFuture, "lies in the future"));
    }
    let until = if closed { period.last_day() } else { today };
    let due = due_by(&mut *tx, until).await?;
    let currency = match currency {
        Some(currency) => currency,
        None => only_currency(tx, &due).await?,
    };
    let known = payout::of_period(&mut *tx, &period.to_string()).await?;
    if let Some(known) = known.iter().find(|r| r.currency == currency && r.state != RunState::Cancelled) {
        let detail = format!("{} is the run of {period} in {currency} already", known.id);
        return Err(Error::refused(Refusal::RunExists, detail));
    }
    let mut lines = Vec::new();
    let due: Vec<(PartnerId, i64)> =
        due.into_iter().filter(|(_, c, minor)| *c == currency && *minor != 0).map(|(id, _, minor)| (id, minor)).collect();
    let least = least_payout(tx, currency).await?;
    let mut partners = partner::by_ids(&mut *tx, &due.iter().map(|(id, _)| *id).collect::<Vec<_>>()).await?;
    for (id, minor) in due {
        let found = partners.remove(&id).ok_or_else(|| Error::not_found(id))?;
        let line = line_for(found, currency, least, minor);
        lines.push(documents::by_tax_law(tx, context, currency, line).await?);
    }
    let total: i64 = lines.iter().filter(|l| l.state == LineState::Due).map(|l| l.amount_minor).sum();
    if total == 0 {
        let why = lines.first().and_then(|l| l.reason.clone()).unwrap_or_else(|| "no balance is available".to_owned());
        return Err(Error::refused(Refusal::NothingDue, format!("nothing is due in {currency} for {period}: {why}")));
    }
    let run = payout::insert(tx, &period.to_string(), currency, !closed, total, &context.actor, context.at()).await?;
    payout::insert_lines(tx, run, &lines).await?;
    let into_payment = lines.iter().filter(|l| l.state == LineState::Due).filter_map(|line| {
        let (from, to) = (Account::Available(line.partner_id), Account::InPayment(line.partner_id));
        let journal = Journal::transfer(JournalKind::PutInRun, currency, from, to, line.amount_minor)?;
        Some(Posting { journal, day: today, because: Because { run: Some(run), ..Because::by(&context.actor) } })
    });
    ledger::post_all(tx, &into_payment.collect::<Vec<_>>(), context.at()).await?;
    tx.for_many().await?;
    commission::put_in_run(tx, run, currency, until, context.at()).await?;
    let total = Money::new(total, currency);
    let detail = serde_json::json!({
        "before": null, "after": RunState::Built, "period": period, "currency": currency, "total": total, "early": !closed,
    });
    audit::record(tx, &context.actor, "payout_run.build", &run.to_string(), &detail, context.at()).await?;
    load(&mut *tx, run).await
}

/// What was available at the end of a day, less what later runs have taken of it, and never more than is available now;
/// below zero where it is.
pub async fn due_by<'a>(on: impl Into<Reader<'a>>, until: NaiveDate) -> Result<Vec<(PartnerId, Currency, i64)>> {
    let mut reader = on.into();
    let available = ledger::available(reader.again(), until).await?;
    let taken_since = ledger::taken_after(reader, until).await?;
    let taken_since: HashMap<_, _> = taken_since.into_iter().map(|(id, currency, minor)| ((id, currency), minor)).collect();
    let due = available.into_iter().map(|(id, currency, then, now)| {
        let taken = taken_since.get(&(id, currency)).copied().unwrap_or(0);
        (id, currency, (then - taken).min(now))
    });
    Ok(due.collect())
}

async fn only_currency(tx: &mut Tx, due: &[(PartnerId, Currency, i64)]) -> Result<Currency> {
    let mut due: Vec<Currency> = due.iter().filter(|(.., minor)| *minor > 0).map(|(_, c, _)| *c).collect();
    due.sort();
    due.dedup();
    match due.as_slice() {
        [only] => Ok(*only),
        [] => Ok(program::all(&mut *tx).await?.first().map_or(Currency::RUB, |p| p.currency)),
        several => {
            let names = several.iter().map(|c| c.code()).collect::<Vec<_>>().join(", ");
            Err(Error::refused(Refusal::CurrencyRequired, format!("is required: balances are available in {names}")))
        }
    }
}

/// The least sum that is paid in a currency.
async fn least_payout(tx: &mut Tx, currency: Currency) -> Result<i64> {
    let programs = program::all(&mut *tx).await?;
    Ok(programs.iter().filter(|p| p.currency == currency).map(|p| p.min_payout_minor).min().unwrap_or(0))
}

/// What happens to a partner's balance in the run: due, carried over (below zero or the minimum), or blocked (not approved,
/// requisites missing or wrong).
fn line_for(found: Partner, currency: Currency, least: i64, due: i64) -> PayoutRunLine {
    let (state, reason) = if due < 0 {
        (LineState::Carried, Some("the balance is below zero".to_owned()))
    } else if found.status != PartnerStatus::Approved {
        (LineState::Blocked, Some("the partner is not approved".to_owned()))
    } else if due < least {
        (LineState::Carried, Some(format!("below the minimum of {}", Money::new(least, currency))))
    } else if let Err(faults) = ready_for_payment(&Payout::of_stored(&found.payout.0), &found.name, currency) {
        let faults: Vec<String> = faults.iter().map(Fault::to_string).collect();
        (LineState::Blocked, Some(format!("requisites: {}", faults.join("; "))))
    } else {
        (LineState::Due, None)
    };
    PayoutRunLine {
        partner_id: found.id,
        amount_minor: due,
        disposition: state.name().to_owned(),
        reason,
        partner_name: found.name,
        partner_email: found.email,
        payout: found.payout,
        standing: None,
        tax_minor: 0,
        state,
        settled_at: None,
        settled_by: None,
        paid_on: None,
        bank_reference: None,
        failed_because: None,
    }
}

/// A run with its lines.
pub async fn load<'a>(on: impl Into<Reader<'a>>, id: PayoutRunId) -> Result<RunWithLines> {
    let mut reader = on.into();
    let run = payout::by_id(reader.again(), id).await?.ok_or_else(|| Error::not_found(id))?;
    let lines = payout::lines(reader, id).await?;
    Ok(RunWithLines { run, lines })
}

/// The word for a commission's state as an accountant reads it.
pub fn state_name(state: CommissionState) -> &'static str {
    match state {
        CommissionState::Pending => "pending",
        CommissionState::Approved => "approved",
        CommissionState::Payable => "payable",
        CommissionState::Paid => "paid",
        CommissionState::Reversed => "reversed",
        CommissionState::Rejected => "rejected",
    }
}
