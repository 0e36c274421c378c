//! From the store to plain data: the payments of a run, and what each of them is made of. Everything comes from rows
//! that never change once the run is built, so that a file can be written again.

use super::PaymentParts;
use crate::domain::id::{PartnerId, PayoutRunId};
use crate::domain::ledger::JournalKind;
use crate::domain::partner::PayoutMethod;
use crate::domain::payout_file::{BankHeader, Payer, Payment, PaymentBatch, PaymentPart, Requisites, end_to_end_id, purpose};
use crate::domain::time::Period;
use crate::service::payout::RunWithLines;
use crate::store::payout::{PayoutRun, PayoutRunLine, TakenByRun};
use crate::store::{self, Reader, payout};
use chrono::NaiveDate;

/// Above so many payments a workbook has no sheet for each partner: it would open too slowly to be of use.
pub const MOST_PARTNER_SHEETS: usize = 250;

/// The payments of a run, as files are written from.
pub fn batch(loaded: &RunWithLines, bank: Option<BankHeader>) -> store::Result<PaymentBatch> {
    let run = &loaded.run;
    let period = period(&run.period)?;
    let due = loaded.lines.iter().filter(|line| line.disposition == "due");
    let payer = bank.as_ref().map(|header| &header.payer);
    let payments = due.enumerate().map(|(index, line)| payment(line, run.id, period, index + 1, payer)).collect();
    Ok(PaymentBatch { run: run.id, period, currency: run.currency, built_at: run.built_at.0, bank, payments })
}

/// A line of a run as a payment.
pub fn payment(line: &PayoutRunLine, run: PayoutRunId, period: Period, number: usize, payer: Option<&Payer>) -> Payment {
    let method_text = text(line, "method").unwrap_or("manual").to_owned();
    let method = method_of(&method_text);
    let end_to_end_id = end_to_end_id(run, line.partner_id);
    Payment {
        number,
        partner: line.partner_id,
        partner_name: line.partner_name.clone(),
        partner_email: line.partner_email.clone(),
        amount_minor: line.net_minor(),
        tax_minor: line.tax_minor,
        requisites: requisites(line),
        purpose: purpose(method, period, &end_to_end_id, payer),
        end_to_end_id,
        method,
        method_text,
    }
}

fn period(text: &str) -> store::Result<Period> {
    text.parse().map_err(|e| store::Error::Unreadable(format!("payout_runs.period: {e}")))
}

fn text<'a>(line: &'a PayoutRunLine, name: &str) -> Option<&'a str> {
    line.payout.0.get(name).and_then(|value| value.as_str())
}

/// An unknown method is one that no service or bank carries out.
fn method_of(text: &str) -> PayoutMethod {
    serde_json::from_value(serde_json::Value::String(text.to_lowercase())).unwrap_or(PayoutMethod::Manual)
}

fn requisites(line: &PayoutRunLine) -> Requisites {
    let fields = line.payout.0.as_object().into_iter().flatten();
    let texts = fields.filter(|(name, _)| *name != "method");
    texts.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned()))).collect()
}

/// What the payments of a run are made of; nothing where they are too many to have a sheet each.
pub async fn parts(mut reader: Reader<'_>, run: &PayoutRun, batch: &PaymentBatch) -> store::Result<PaymentParts> {
    let mut parts = PaymentParts::new();
    if batch.payments.len() > MOST_PARTNER_SHEETS {
        return Ok(parts);
    }
    for payment in &batch.payments {
        let mut of_payment = parts_of(reader.again(), run, payment.partner).await?;
        if payment.tax_minor != 0 {
            let day = batch.built_at.date_naive();
            of_payment.push(PaymentPart { day, what: "tax_withheld".to_owned(), order: None, amount_minor: -payment.tax_minor });
        }
        parts.insert(payment.partner, of_payment);
    }
    Ok(parts)
}

/// The movements of a partner's balance that this run took and no earlier one did.
async fn parts_of(mut reader: Reader<'_>, run: &PayoutRun, partner: PartnerId) -> store::Result<Vec<PaymentPart>> {
    let taken = payout::taken_by_runs(reader.again(), partner, run.currency).await?;
    let Some(place) = taken.iter().position(|t| t.payout_run_id == run.id) else { return Ok(Vec::new()) };
    let earlier = taken[..place].iter().map(|t| Ok((t, until(t)?))).collect::<store::Result<Vec<_>>>()?;
    let movements = payout::available_movements(reader, partner, run.currency, until(&taken[place])?, taken[place].journal_id);
    let is_paid = |m: &payout::AvailableMovement| earlier.iter().any(|(t, until)| m.journal_id < t.journal_id && m.day <= *until);
    let parts = movements.await?.into_iter().filter(|m| !is_paid(m)).map(|m| PaymentPart {
        day: m.day,
        what: word(m.kind),
        order: m.order_external_id,
        amount_minor: m.amount_minor,
    });
    Ok(parts.collect())
}

/// The kind of a journal as the ledger writes it.
fn word(kind: JournalKind) -> String {
    match serde_json::to_value(kind) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}

/// The last day whose entries a run took.
fn until(taken: &TakenByRun) -> store::Result<NaiveDate> {
    Ok(if taken.early { taken.day } else { period(&taken.period)?.last_day() })
}
