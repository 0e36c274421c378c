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

pub use export::{FileContents, contents_of_files, export, export_again, fitting_files, header, retake_payer};
pub use load::{MOST_PARTNER_SHEETS, batch, parts};

use crate::domain::id::{PartnerId, PayoutRunId};
use crate::domain::money::Currency;
use crate::domain::partner::PayoutMethod;
use crate::domain::payout_file::{
    BankHeader, FileError, FileFormat, FileRequest, PainVersion, Payer, PaymentBatch, PaymentPart, PayoutFile, Totals,
    lacks_of_payer, select,
};
use crate::domain::time::Period;
use crate::store::payout::PayoutRunLine;
use chrono::DateTime;
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

/// Why a line could not be paid by the file of its method, if it is put in a run as it stands. A run keeps names and
/// requisites as they are when it is built, so this is the time to ask.
pub fn obstacle(line: &PayoutRunLine, period: Period, currency: Currency) -> Option<String> {
    let payment = load::payment(line, PayoutRunId(0), period, 1, None);
    let format = match payment.method {
        PayoutMethod::Manual => return None,
        PayoutMethod::BankRu => FileFormat::ClientBank,
        PayoutMethod::Sepa | PayoutMethod::Swift => FileFormat::Pain001(PainVersion::V09),
        PayoutMethod::Paypal => FileFormat::Paypal { part: None },
        PayoutMethod::Wise => FileFormat::Wise { part: None },
    };
    let bank = Some(BankHeader { payer: specimen_payer(), created_at: DateTime::UNIX_EPOCH.fixed_offset() });
    let run = PayoutRunId(0);
    let batch = PaymentBatch { run, period, currency, built_at: DateTime::UNIX_EPOCH, bank, payments: vec![payment] };
    match render(&batch, &PaymentParts::new(), &format.into()) {
        Ok(_) => None,
        Err(FileError::Empty(left_out)) => left_out.first().map(|l| l.why.to_string()),
        Err(FileError::Payments(faults)) => faults.first().map(|f| format!("the {} {}", f.field, f.problem)),
        Err(other) => Some(other.to_string()),
    }
}

/// A payer who lacks nothing, so that only the payee can be at fault.
fn specimen_payer() -> Payer {
    let text = |text: &str| Some(text.to_owned());
    Payer {
        name: text("Payer"),
        inn: text("0000000000"),
        account: text("00000000000000000000"),
        bik: text("000000000"),
        correspondent_account: text("00000000000000000000"),
        bank_name: text("Bank"),
        iban: text("XX00X"),
        ..Payer::default()
    }
}

#[cfg(test)]
mod tests;
