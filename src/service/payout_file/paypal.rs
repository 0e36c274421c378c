//! PayPal Payouts Web: rows without a head (developer.paypal.com, payouts-web).

use super::mass_payment::{csv, written};
use crate::domain::money::Money;
use crate::domain::payout_file::{Faults, FileError, Payment, PaymentBatch};

/// Rows a file may have.
pub const MOST_ROWS: usize = 5_000;

const LONGEST_CUSTOMER_ID: usize = 30;
const LONGEST_NOTE: usize = 400;

/// Recipient, amount with a decimal point, currency, our id of the payment, note, wallet.
pub fn render(batch: &PaymentBatch, payments: &[&Payment]) -> Result<Vec<u8>, FileError> {
    let mut faults = Faults::default();
    let rows: Vec<[String; 6]> = payments
        .iter()
        .map(|payment| {
            [
                faults.take(payment, "email", written(payment.payee_email().unwrap_or(""), 254)),
                Money::new(payment.amount_minor, batch.currency).decimal(),
                batch.currency.code().to_owned(),
                faults.take(payment, "id", written(&payment.end_to_end_id, LONGEST_CUSTOMER_ID)),
                faults.take(payment, "purpose", written(&payment.purpose, LONGEST_NOTE)),
                "PAYPAL".to_owned(),
            ]
        })
        .collect();
    faults.done()?;
    csv(rows)
}
