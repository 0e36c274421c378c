//! The files of a payout run: a function for each format, from plain data to bytes. The same data gives the same bytes.

mod client_bank;
mod csv;
mod export;
mod load;
mod mass_payment;
mod pain001;
mod paypal;
mod sepa_text;
mod wise;
mod xlsx;

pub use export::{FileContents, contents_of_files, export, export_again, fitting_files, retake_payer};
pub use load::{MOST_PARTNER_SHEETS, batch};

use crate::domain::id::PartnerId;
use crate::domain::payout_file::{
    FileError, FileFormat, FileRequest, Payer, PaymentBatch, PaymentPart, PayoutFile, Totals, lacks_of_payer, select,
};
use std::collections::BTreeMap;

/// What each payment is made of; partners that are not in it have no sheet of their own.
pub type PaymentParts = BTreeMap<PartnerId, Vec<PaymentPart>>;

/// Writes a file of a run.
///
/// Errors: the payer's requisites lack something, a text cannot be written in the format, no payment fits, or the
/// payments fill several files and none of them is named.
pub fn render(batch: &PaymentBatch, parts: &PaymentParts, request: &FileRequest) -> Result<PayoutFile, FileError> {
    let selection = select(batch, request);
    if selection.payments.is_empty() {
        return Err(FileError::Empty(selection.left_out));
    }
    let mut payments = selection.payments;
    let fitting_minor: i64 = payments.iter().map(|p| p.amount_minor).sum();
    if request.format.names_payer() {
        let nobody = Payer::default();
        let payer = batch.bank.as_ref().map_or(&nobody, |header| &header.payer);
        let lacks = lacks_of_payer(payer, request.format, &payments);
        if !lacks.is_empty() {
            return Err(FileError::Payer(lacks));
        }
    }
    let bytes = match request.format {
        FileFormat::Csv(delimiter) => csv::render(batch, &payments, delimiter),
        FileFormat::Xlsx => xlsx::render(batch, &payments, parts)?,
        FileFormat::ClientBank => client_bank::render(batch, &payments)?,
        FileFormat::Pain001(version) => pain001::render(batch, &payments, version)?,
        FileFormat::Paypal { part } => {
            payments = mass_payment::part_of(payments, part, paypal::MOST_ROWS)?;
            paypal::render(batch, &payments)?
        }
        FileFormat::Wise { part } => {
            payments = mass_payment::part_of(payments, part, wise::MOST_ROWS)?;
            wise::render(batch, &payments)?
        }
    };
    let total_minor: i64 = payments.iter().map(|p| p.amount_minor).sum();
    let totals = Totals {
        payments: payments.len(),
        total_minor,
        in_other_parts_minor: fitting_minor - total_minor,
        left_out: selection.left_out,
    };
    Ok(PayoutFile { bytes, totals })
}

/// How many files the payments that fit a format fill: none where none fits.
pub fn parts_of(batch: &PaymentBatch, format: FileFormat) -> usize {
    let rows = select(batch, &format.into()).payments.len();
    match format {
        FileFormat::Paypal { .. } => rows.div_ceil(paypal::MOST_ROWS),
        FileFormat::Wise { .. } => rows.div_ceil(wise::MOST_ROWS),
        FileFormat::Csv(_) | FileFormat::Xlsx | FileFormat::ClientBank | FileFormat::Pain001(_) => rows.min(1),
    }
}

#[cfg(test)]
mod tests;
