//! Double entry: a journal is a pair of entries that sums to zero. Entries are added, never changed.
//!
//! A positive entry raises what the account holds. `Held`, `Available`, `InPayment` and `Withheld` are what we owe a
//! partner; `WrittenOff`, `Expense` and `Cash` are the other side.

pub mod chain;

use super::id::PartnerId;
use super::money::Currency;

/// An account of the ledger; each exists once a currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Account {
    /// Earned, still in hold.
    Held(PartnerId),
    /// The hold is over; may be below zero after a reversal of what was paid.
    Available(PartnerId),
    /// In a payout run that is not paid yet.
    InPayment(PartnerId),
    /// Kept back by a person until it is released: a check for fraud, a dispute.
    Withheld(PartnerId),
    /// Given up, by us (a balance below zero: negative here) or by the partner (unclaimed: positive here).
    WrittenOff(PartnerId),
    /// What commissions cost the merchant.
    Expense,
    /// Money that left.
    Cash,
    /// Withheld of payments as the payees' tax, for the tax office.
    Tax,
}

impl Account {
    pub fn kind(self) -> AccountKind {
        match self {
            Account::Held(_) => AccountKind::Held,
            Account::Available(_) => AccountKind::Available,
            Account::InPayment(_) => AccountKind::InPayment,
            Account::Withheld(_) => AccountKind::Withheld,
            Account::WrittenOff(_) => AccountKind::WrittenOff,
            Account::Expense => AccountKind::Expense,
            Account::Cash => AccountKind::Cash,
            Account::Tax => AccountKind::Tax,
        }
    }

    pub fn partner(self) -> Option<PartnerId> {
        match self {
            Account::Held(p) | Account::Available(p) | Account::InPayment(p) | Account::Withheld(p) | Account::WrittenOff(p) => {
                Some(p)
            }
            Account::Expense | Account::Cash | Account::Tax => None,
        }
    }
}

/// An account without its partner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountKind {
    Held,
    Available,
    InPayment,
    Withheld,
    WrittenOff,
    Expense,
    Cash,
    Tax,
}

impl AccountKind {
    pub const ALL: [AccountKind; 8] = [
        AccountKind::Held,
        AccountKind::Available,
        AccountKind::InPayment,
        AccountKind::Withheld,
        AccountKind::WrittenOff,
        AccountKind::Expense,
        AccountKind::Cash,
        AccountKind::Tax,
    ];
}

/// What a journal records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JournalKind {
    /// Commission owed for an order.
    Earned,
    /// Commission taken back.
    Reversed,
    /// The hold is over.
    Released,
    /// A change of a closed month posted in the open one, or a correction by a person, who gives a reason.
    Adjusted,
    /// Kept back by a person.
    Withheld,
    /// What was kept back is available again.
    WithholdingReleased,
    WrittenOff,
    /// Put into a payout run.
    PutInRun,
    /// The run was cancelled, or the payment did not go through: available again.
    TakenOutOfRun,
    Paid,
    /// A payment that came back after it was paid: available again.
    Returned,
    /// Part of a payment is the payee's tax: it did not leave to them.
    TaxWithheld,
}

impl JournalKind {
    pub const ALL: [JournalKind; 12] = [
        JournalKind::Earned,
        JournalKind::Reversed,
        JournalKind::Released,
        JournalKind::Adjusted,
        JournalKind::Withheld,
        JournalKind::WithholdingReleased,
        JournalKind::WrittenOff,
        JournalKind::PutInRun,
        JournalKind::TakenOutOfRun,
        JournalKind::Paid,
        JournalKind::Returned,
        JournalKind::TaxWithheld,
    ];
}

/// A journal ready to be stored: two entries, sum zero.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Journal {
    kind: JournalKind,
    currency: Currency,
    entries: [(Account, i64); 2],
}

impl Journal {
    /// Moves `minor` (which may be negative) out of one account into another. `None` if there is nothing to move.
    pub fn transfer(kind: JournalKind, currency: Currency, from: Account, to: Account, minor: i64) -> Option<Journal> {
        let out = minor.checked_neg().filter(|_| minor != 0 && from != to)?;
        Some(Journal { kind, currency, entries: [(from, out), (to, minor)] })
    }

    pub fn kind(&self) -> JournalKind {
        self.kind
    }

    pub fn currency(&self) -> Currency {
        self.currency
    }

    pub fn entries(&self) -> &[(Account, i64); 2] {
        &self.entries
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_journal_sums_to_zero_and_an_empty_one_is_none() {
        let (from, to) = (Account::Expense, Account::Held(PartnerId(1)));
        let journal = Journal::transfer(JournalKind::Earned, Currency::RUB, from, to, 1_250).unwrap();
        assert_eq!(journal.entries().iter().map(|(_, minor)| minor).sum::<i64>(), 0);
        assert_eq!(Journal::transfer(JournalKind::Earned, Currency::RUB, from, to, 0), None);
        assert_eq!(Journal::transfer(JournalKind::Earned, Currency::RUB, to, to, 5), None);
    }
}
