//! Wise batch payments to e-mail addresses (wise.com/help 2663302, 2721161): every transfer sends its whole amount in
//! the run's currency.

use super::mass_payment::{csv, written};
use crate::domain::money::Money;
use crate::domain::payout_file::{Faults, FileError, Payment, PaymentBatch};

/// Rows a file may have, its head not counted.
pub const MOST_ROWS: usize = 1_000;

const HEAD: [&str; 8] =
    ["name", "recipientEmail", "paymentReference", "amountCurrency", "amount", "sourceCurrency", "targetCurrency", "type"];

/// A row for each payment, below the head.
pub fn render(batch: &PaymentBatch, payments: &[&Payment]) -> Result<Vec<u8>, FileError> {
    let mut faults = Faults::default();
    let mut rows: Vec<[String; 8]> = vec![HEAD.map(str::to_owned)];
    rows.extend(payments.iter().map(|payment| {
        [
            faults.take(payment, "name", written(payment.payee_name(), 140)),
            faults.take(payment, "email", written(payment.payee_email().unwrap_or(""), 254)),
            faults.take(payment, "id", written(&payment.end_to_end_id, 35)),
            "target".to_owned(),
            Money::new(payment.amount_minor, batch.currency).decimal(),
            batch.currency.code().to_owned(),
            batch.currency.code().to_owned(),
            "EMAIL".to_owned(),
        ]
    }));
    faults.done()?;
    csv(rows)
}
