//! Marks what a statement says of a run: payments that left as paid, those that came back as failed. What is marked already
//! is known again by its day, so the same file twice changes nothing.

use super::compare::{Comparison, with_run};
use crate::domain::bank_statement::{StatementEntry, Verdict};
use crate::domain::id::{PartnerId, PayoutRunId};
use crate::domain::payout_run::{LineState, RunState};
use crate::service::payout::{Payments, RunWithLines, load, settle};
use crate::service::{Context, Error, Refusal, Result};
use crate::store::payout::{PayoutRunLine, Settled};
use crate::store::{Reader, Tx, audit};
use sha2::{Digest, Sha256};
use std::collections::HashMap;

/// What an entry of a statement did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    MarkedPaid,
    MarkedFailed,
    /// It was marked before.
    Known,
    /// A person has to look at it: another amount, paid twice, or of a line that says otherwise.
    Left,
    /// It speaks of no payment of the run.
    Foreign,
}

impl Outcome {
    pub fn word(self) -> &'static str {
        match self {
            Outcome::MarkedPaid => "marked_paid",
            Outcome::MarkedFailed => "marked_failed",
            Outcome::Known => "known",
            Outcome::Left => "left",
            Outcome::Foreign => "foreign",
        }
    }
}

/// A statement with what each of its entries did, or would do.
#[derive(Debug, Clone)]
pub struct Applied {
    pub comparison: Comparison,
    pub outcomes: Vec<Outcome>,
    pub run: RunWithLines,
}

/// What [`apply`] would do. Nothing is stored.
///
/// Errors: as of [`super::compare`].
pub async fn preview<'a>(on: impl Into<Reader<'a>>, context: &Context, id: PayoutRunId, bytes: &[u8]) -> Result<Applied> {
    let mut reader = on.into();
    let run = load(reader.again(), id).await?;
    let comparison = with_run(reader, context, &run, bytes).await?;
    let (outcomes, _) = outcomes(&comparison, &run.lines);
    Ok(Applied { comparison, outcomes, run })
}

/// Marks the payments of a run as a statement says: paid on the day and with the reference it gives, or failed where the money
/// came back.
///
/// Errors: as of [`super::compare`]; the run is not approved, or cancelled.
pub async fn apply(tx: &mut Tx, context: &Context, id: PayoutRunId, bytes: &[u8]) -> Result<Applied> {
    let loaded = load(&mut *tx, id).await?;
    let comparison = with_run(Reader::from(&mut *tx), context, &loaded, bytes).await?;
    match loaded.run.state {
        RunState::Approved | RunState::PartlyPaid | RunState::Paid => {}
        RunState::Built => return Err(Error::refused(Refusal::NotApproved, "the run is built, it must be approved first")),
        RunState::Cancelled => return Err(Error::refused(Refusal::RunCancelled, "the run is cancelled")),
    }
    let (outcomes, payments) = outcomes(&comparison, &loaded.lines);
    if payments.paid.is_empty() && payments.failed.is_empty() {
        return Ok(Applied { comparison, outcomes, run: loaded });
    }
    let detail = serde_json::json!({
        "sha256": hex::encode(Sha256::digest(bytes)), "paid": payments.paid.len(), "failed": payments.failed.len(),
    });
    audit::record(tx, &context.actor, "payout_run.statement", &id.to_string(), &detail, context.at()).await?;
    let run = settle(tx, context, &loaded, &payments, None).await?;
    Ok(Applied { comparison, outcomes, run })
}

/// What each entry does to the lines as they stand. What left counts before what came back, whatever the order in the file.
fn outcomes(comparison: &Comparison, lines: &[PayoutRunLine]) -> (Vec<Outcome>, Payments) {
    let lines: HashMap<PartnerId, &PayoutRunLine> = lines.iter().map(|line| (line.partner_id, line)).collect();
    let mut states: HashMap<PartnerId, LineState> = lines.iter().map(|(partner, line)| (*partner, line.state)).collect();
    let entries: Vec<(&StatementEntry, Verdict)> =
        comparison.statement.entries.iter().zip(comparison.found.verdicts.iter().copied()).collect();
    let mut outcomes = vec![Outcome::Foreign; entries.len()];
    let mut payments = Payments::default();
    for ((entry, verdict), outcome) in entries.iter().zip(&mut outcomes) {
        let Some(line) = verdict.partner().and_then(|partner| lines.get(&partner)) else { continue };
        *outcome = match (verdict, line.state) {
            (Verdict::Paid(partner), LineState::Due) => {
                states.insert(*partner, LineState::Paid);
                let bank_reference = entry.bank_reference.clone().or_else(|| entry.document_number.clone());
                payments.paid.push(Settled { paid_on: Some(entry.date), bank_reference, ..Settled::of(*partner) });
                Outcome::MarkedPaid
            }
            (Verdict::Paid(_), LineState::Paid) if line.paid_on.is_none_or(|day| day == entry.date) => Outcome::Known,
            (Verdict::Paid(_), LineState::Failed) if line.paid_on == Some(entry.date) => Outcome::Known,
            _ => Outcome::Left,
        };
    }
    for ((entry, verdict), outcome) in entries.iter().zip(&mut outcomes) {
        let Verdict::Returned(partner) = verdict else { continue };
        let Some(line) = lines.get(partner).filter(|line| line.net_minor() == entry.amount.minor()) else { continue };
        *outcome = match states.get(partner) {
            Some(LineState::Due | LineState::Paid) => {
                states.insert(*partner, LineState::Failed);
                let because = format!("the bank returned it on {}", entry.date);
                payments.failed.push(Settled { failed_because: Some(because), ..Settled::of(line.partner_id) });
                Outcome::MarkedFailed
            }
            Some(LineState::Failed) => Outcome::Known,
            _ => Outcome::Left,
        };
    }
    (outcomes, payments)
}
