//! CSV for spreadsheets: every payment of the run, and the total as the last row.

use crate::domain::money::Money;
use crate::domain::payout_file::{Delimiter, Payment, PaymentBatch};
use crate::service::export::Table;

/// UTF-8 with BOM; cells that look like formulas are defused.
pub fn render(batch: &PaymentBatch, payments: &[&Payment], delimiter: Delimiter) -> Vec<u8> {
    let (run, period, code) = (batch.run.to_string(), batch.period.to_string(), batch.currency.code());
    let amount = |minor: i64| Money::new(minor, batch.currency).decimal();
    let mut table =
        Table::new(&["payout_run", "period", "partner", "name", "email", "method", "requisites", "amount", "currency"]);
    for payment in payments {
        table.row(&[
            &run,
            &period,
            &payment.partner.to_string(),
            &payment.partner_name,
            payment.partner_email.as_deref().unwrap_or(""),
            &payment.method_text,
            &requisites(payment),
            &amount(payment.amount_minor),
            code,
        ]);
    }
    let total: i64 = payments.iter().map(|p| p.amount_minor).sum();
    table.row(&["total", &period, "", "", "", "", "", &amount(total), code]);
    table.spreadsheet_with(match delimiter {
        Delimiter::Semicolon => b';',
        Delimiter::Comma => b',',
    })
}

/// `account=…, bik=…`, in the order of the alphabet.
pub fn requisites(payment: &Payment) -> String {
    let mut texts: Vec<String> = payment.requisites.iter().map(|(name, value)| format!("{name}={value}")).collect();
    texts.sort();
    texts.join(", ")
}
