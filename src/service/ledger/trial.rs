//! The trial balance: what all accounts of a kind hold together.

use crate::domain::ledger::AccountKind;
use crate::domain::money::Currency;
use crate::service::Result;
use crate::store::{Reader, ledger_entry};
use chrono::NaiveDate;

/// The accounts of one currency at the end of a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trial {
    pub currency: Currency,
    /// One for each kind of account.
    pub lines: Vec<TrialLine>,
    /// Zero, or the ledger is broken.
    pub sum_minor: i64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrialLine {
    pub account: AccountKind,
    pub amount_minor: i64,
}

/// The trial balance at the end of a day, by currency.
pub async fn trial_balance<'a>(on: impl Into<Reader<'a>>, day: NaiveDate) -> Result<Vec<Trial>> {
    let found = ledger_entry::trial_balance(on, day).await?;
    let mut currencies: Vec<Currency> = found.iter().map(|(currency, ..)| *currency).collect();
    currencies.dedup();
    let trials = currencies.into_iter().map(|currency| {
        let of = |account| found.iter().find(|(c, a, _)| (*c, *a) == (currency, account)).map_or(0, |(.., minor)| *minor);
        let lines: Vec<TrialLine> =
            AccountKind::ALL.into_iter().map(|account| TrialLine { account, amount_minor: of(account) }).collect();
        let sum_minor = lines.iter().map(|line| line.amount_minor).sum();
        Trial { currency, lines, sum_minor }
    });
    Ok(trials.collect())
}
