//! What tax law makes of a run's payments.
//!
//! A line's amount is all that the partner is owed; the tax is a part of it that is sent to the tax office. So the ledger
//! of the partner knows nothing of taxes: what the run pays settles the whole amount. That a part did not leave to the
//! payee is a journal of its own, from `cash` to `tax`, posted when the line is paid.

use crate::domain::document::{Standing, receipt_due, terms_of_payment};
use crate::domain::id::PayoutRunId;
use crate::domain::ledger::{Account, Journal, JournalKind};
use crate::domain::money::{Currency, Money};
use crate::domain::payout_run::LineState;
use crate::domain::requisites::Payout;
use crate::domain::time::start_of_day;
use crate::service::{Context, Error, Result};
use crate::store::ledger::{Because, Posting};
use crate::store::payout::PayoutRunLine;
use crate::store::receipt::Wanted;
use crate::store::{At, Tx, ledger, payout, receipt, tax};
use chrono::{Datelike, NaiveDate};

/// A line that is due, with the tax withheld of it; or blocked, with the reason.
pub async fn by_tax_law(tx: &mut Tx, context: &Context, currency: Currency, mut line: PayoutRunLine) -> Result<PayoutRunLine> {
    let payee = Payout::of_stored(&line.payout.0).payee;
    line.standing = Standing::of(&payee);
    let Some(standing) = line.standing.filter(|_| line.disposition == "due") else { return Ok(line) };
    let paid = match standing {
        Standing::SelfEmployed | Standing::Individual => {
            tax::paid_between(&mut *tx, line.partner_id, standing, this_year(context)).await?
        }
        Standing::Company | Standing::SoleTrader | Standing::Foreign => Default::default(),
    };
    match terms_of_payment(standing, &payee.npd, paid, Money::new(line.amount_minor, currency), context.today()) {
        Ok(tax_minor) => line.tax_minor = tax_minor,
        Err(obstacle) => {
            line.disposition = LineState::Blocked.name().to_owned();
            line.state = LineState::Blocked;
            line.reason = Some(obstacle.to_string());
        }
    }
    Ok(line)
}

/// From the first instant of the merchant's calendar year to that of the next.
fn this_year(context: &Context) -> (At, At) {
    let year = context.today().year();
    let starts = |year| start_of_day(context.zone, NaiveDate::from_ymd_opt(year, 1, 1).unwrap_or(NaiveDate::MAX));
    (starts(year).into(), starts(year + 1).into())
}

/// To be called whenever payments of a run were made or came back: posts the tax of what is paid, and asks for receipts.
/// Nothing changed: nothing happens.
pub async fn payments_changed(tx: &mut Tx, context: &Context, id: PayoutRunId) -> Result<()> {
    let run = payout::by_id(&mut *tx, id).await?.ok_or_else(|| Error::not_found(id))?;
    for line in tax::taxed_lines(&mut *tx, id).await? {
        let has_receipt = line.standing == Some(Standing::SelfEmployed);
        let paid_on = line.day.filter(|_| line.paid_minor >= line.amount_minor);
        let owed = if paid_on.is_some() { line.tax_minor } else { 0 };
        let missing = owed - line.posted_minor;
        if let Some(journal) = Journal::transfer(JournalKind::TaxWithheld, run.currency, Account::Cash, Account::Tax, missing) {
            let because = Because { run: Some(id), note: Some(line.partner_id.to_string()), ..Because::by(&context.actor) };
            ledger::post(tx, &Posting { journal, day: context.today(), because }, context.at()).await?;
        }
        match paid_on {
            _ if !has_receipt => {}
            Some(paid_on) => {
                let wanted = Wanted {
                    run: id,
                    partner: line.partner_id,
                    currency: run.currency,
                    amount_minor: line.amount_minor,
                    paid_on,
                    due_on: receipt_due(paid_on),
                };
                receipt::ask(tx, wanted, context.at()).await?;
            }
            None => receipt::ask_no_more(tx, id, line.partner_id).await?,
        }
    }
    Ok(())
}
