//! The accountant's month: close, build, approve, paid; `payout_file` exports.

use super::{Context, Error, Result, documents, settle};
use crate::domain::commission::CommissionState;
use crate::domain::id::{PartnerId, PayoutRunId};
use crate::domain::ledger::{Account, Journal, JournalKind};
use crate::domain::money::{Currency, Money};
use crate::domain::partner::PartnerStatus;
use crate::domain::requisites::{Fault, Payout, ready_for_payment};
use crate::domain::time::{FAR_DAY, Period};
use crate::store::ledger::Because;
use crate::store::payout::{PayoutRun, PayoutRunLine};
use crate::store::{Reader, Tx, audit, commission, ledger, partner, payout, program};
use chrono::NaiveDate;

/// Closes a month, and with it all before it. Known: nothing happens.
///
/// Errors: the month is not over.
pub async fn close(tx: &mut Tx, context: &Context, period: Period) -> Result<()> {
    if period.last_day() >= context.today() {
        return Err(Error::conflict(format!("{period} is not over yet")));
    }
    if payout::closing(&mut *tx, &period.to_string()).await?.is_some() {
        return Ok(());
    }
    settle::settle_clicks(tx, context).await?;
    settle::release(tx, context).await?;
    payout::close(tx, &period.to_string(), &context.actor, context.at()).await?;
    audit::record(tx, &context.actor, "period.close", &period.to_string(), &serde_json::json!({}), context.at()).await?;
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
        return Err(Error::conflict(format!("{period} is not closed; close it, or say \"early\": true")));
    }
    if period.first_day() > today {
        return Err(Error::field("/period", "lies in the future"));
    }
    let until = if closed { period.last_day() } else { today };
    let due = due_by(&mut *tx, until).await?;
    let currency = match currency {
        Some(currency) => currency,
        None => only_currency(tx, &due).await?,
    };
    if let Some(known) = payout::of_period(&mut *tx, &period.to_string()).await?.iter().find(|r| r.currency == currency) {
        return Err(Error::conflict(format!("{} is the run of {period} in {currency} already", known.id)));
    }
    let mut lines: Vec<PayoutRunLine> = Vec::new();
    for (id, _, minor) in due.iter().filter(|(_, c, minor)| *c == currency && *minor != 0) {
        let line = line_for(tx, *id, currency, *minor).await?;
        lines.push(documents::by_tax_law(tx, context, currency, line).await?);
    }
    let total: i64 = lines.iter().filter(|l| l.disposition == "due").map(|l| l.amount_minor).sum();
    if total == 0 {
        let why = lines.first().and_then(|l| l.reason.clone()).unwrap_or_else(|| "no balance is available".to_owned());
        return Err(Error::conflict(format!("nothing is due in {currency} for {period}: {why}")));
    }
    let run = payout::insert(tx, &period.to_string(), currency, !closed, total, &context.actor, context.at()).await?;
    for line in &lines {
        payout::insert_line(tx, run, line).await?;
        if line.disposition != "due" {
            continue;
        }
        let (from, to) = (Account::Available(line.partner_id), Account::InPayment(line.partner_id));
        if let Some(journal) = Journal::transfer(JournalKind::PutInRun, currency, from, to, line.amount_minor) {
            let because = Because { run: Some(run), ..Because::default() };
            ledger::post(tx, &journal, today, &because, context.at()).await?;
        }
        commission::put_in_run(tx, run, line.partner_id, currency, until, context.at()).await?;
    }
    let detail =
        serde_json::json!({ "period": period, "currency": currency, "total": Money::new(total, currency), "early": !closed });
    audit::record(tx, &context.actor, "payout_run.build", &run.to_string(), &detail, context.at()).await?;
    load(&mut *tx, run).await
}

/// What was available at the end of a day, less what later runs have taken of it, and never more than is available now;
/// below zero where it is.
pub async fn due_by<'a>(on: impl Into<Reader<'a>>, until: NaiveDate) -> Result<Vec<(PartnerId, Currency, i64)>> {
    let mut reader = on.into();
    let then = ledger::balances(reader.again(), None, until).await?;
    let now = ledger::balances(reader.again(), None, FAR_DAY).await?;
    let taken_since = ledger::put_in_runs_after(reader, until).await?;
    let due = then.into_iter().map(|(id, currency, balance)| {
        let now = now.iter().find(|(p, c, _)| *p == id && *c == currency).map_or(0, |(.., b)| b.available_minor);
        let taken = taken_since.iter().find(|(p, c, _)| *p == id && *c == currency).map_or(0, |(.., minor)| *minor);
        (id, currency, (balance.available_minor - taken).min(now))
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
            Err(Error::field("/currency", format!("is required: balances are available in {names}")))
        }
    }
}

/// What happens to a partner's balance in the run: due, carried over (below zero or the minimum), or blocked (not approved,
/// requisites missing or wrong).
async fn line_for(tx: &mut Tx, id: PartnerId, currency: Currency, due: i64) -> Result<PayoutRunLine> {
    let found = partner::by_id(&mut *tx, id).await?.ok_or_else(|| Error::not_found(id))?;
    let programs = program::all(&mut *tx).await?;
    let least = programs.iter().filter(|p| p.currency == currency).map(|p| p.min_payout_minor).min().unwrap_or(0);
    let (disposition, reason) = if due < 0 {
        ("carried", Some("the balance is below zero".to_owned()))
    } else if found.status != PartnerStatus::Approved {
        ("blocked", Some("the partner is not approved".to_owned()))
    } else if due < least {
        ("carried", Some(format!("below the minimum of {}", Money::new(least, currency))))
    } else if let Err(faults) = ready_for_payment(&Payout::of_stored(&found.payout.0), &found.name, currency) {
        let faults: Vec<String> = faults.iter().map(Fault::to_string).collect();
        ("blocked", Some(format!("requisites: {}", faults.join("; "))))
    } else {
        ("due", None)
    };
    Ok(PayoutRunLine {
        partner_id: id,
        amount_minor: due,
        disposition: disposition.to_owned(),
        reason,
        partner_name: found.name,
        partner_email: found.email,
        payout: found.payout,
        standing: None,
        tax_minor: 0,
    })
}

/// A run with its lines.
pub async fn load<'a>(on: impl Into<Reader<'a>>, id: PayoutRunId) -> Result<RunWithLines> {
    let mut reader = on.into();
    let run = payout::by_id(reader.again(), id).await?.ok_or_else(|| Error::not_found(id))?;
    let lines = payout::lines(reader, id).await?;
    Ok(RunWithLines { run, lines })
}

/// Approves a built run. Known: nothing happens.
pub async fn approve(tx: &mut Tx, context: &Context, id: PayoutRunId) -> Result<RunWithLines> {
    let RunWithLines { run, .. } = load(&mut *tx, id).await?;
    if run.state == "built" {
        payout::approve(tx, id, &context.actor, context.at()).await?;
        audit::record(tx, &context.actor, "payout_run.approve", &id.to_string(), &serde_json::json!({}), context.at()).await?;
    }
    load(&mut *tx, id).await
}

/// Marks an approved run as paid. Known: nothing happens.
///
/// Errors: the run is not approved.
pub async fn mark_paid(tx: &mut Tx, context: &Context, id: PayoutRunId, bank_reference: Option<&str>) -> Result<RunWithLines> {
    let RunWithLines { run, lines } = load(&mut *tx, id).await?;
    match run.state.as_str() {
        "paid" => return load(&mut *tx, id).await,
        "approved" => {}
        state => return Err(Error::conflict(format!("the run is {state}, it must be approved first"))),
    }
    for line in lines.iter().filter(|l| l.disposition == "due") {
        let from = Account::InPayment(line.partner_id);
        if let Some(journal) = Journal::transfer(JournalKind::Paid, run.currency, from, Account::Cash, line.amount_minor) {
            let because = Because { run: Some(id), note: bank_reference.map(str::to_owned), ..Because::default() };
            ledger::post(tx, &journal, context.today(), &because, context.at()).await?;
        }
    }
    payout::mark_paid(tx, id, bank_reference, &context.actor, context.at()).await?;
    commission::run_was_paid(tx, id, context.at()).await?;
    documents::payments_changed(tx, context, id).await?;
    let detail = serde_json::json!({ "bank_reference": bank_reference });
    audit::record(tx, &context.actor, "payout_run.paid", &id.to_string(), &detail, context.at()).await?;
    load(&mut *tx, id).await
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
