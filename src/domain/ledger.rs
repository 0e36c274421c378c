//! Double entry: a journal is a set of entries that sums to zero. Entries are added, never changed.
//!
//! A positive entry raises what the account holds. The partner's accounts are what we owe them; `Expense` and `Cash`
//! are the other side.

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
            Account::Expense => AccountKind::Expense,
            Account::Cash => AccountKind::Cash,
            Account::Tax => AccountKind::Tax,
        }
    }

    pub fn partner(self) -> Option<PartnerId> {
        match self {
            Account::Held(p) | Account::Available(p) | Account::InPayment(p) => Some(p),
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
    Expense,
    Cash,
    Tax,
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
    /// A change of a closed month, posted in the open one.
    Adjusted,
    /// Put into a payout run.
    PutInRun,
    Paid,
    /// Part of a payment is the payee's tax: it did not leave to them.
    TaxWithheld,
}

/// A journal ready to be stored: at least two entries, sum zero.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Journal {
    kind: JournalKind,
    currency: Currency,
    entries: Vec<(Account, i64)>,
}

impl Journal {
    /// Moves `minor` (which may be negative) out of one account into another. `None` if there is nothing to move.
    pub fn transfer(kind: JournalKind, currency: Currency, from: Account, to: Account, minor: i64) -> Option<Journal> {
        (minor != 0 && from != to).then(|| Journal { kind, currency, entries: vec![(from, -minor), (to, minor)] })
    }

    pub fn kind(&self) -> JournalKind {
        self.kind
    }

    pub fn currency(&self) -> Currency {
        self.currency
    }

    pub fn entries(&self) -> &[(Account, i64)] {
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
