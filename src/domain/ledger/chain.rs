//! The chain of journals: each carries the SHA-256 of itself and of the hash before it, so that a row changed, removed or put
//! in between is found. The form that is hashed is fixed here and in ADR 0015; another one would need another first line.

use super::{AccountKind, JournalKind};
use crate::domain::id::{CommissionId, JournalId, OrderId, PartnerId, PayoutRunId};
use crate::domain::money::Currency;
use chrono::{DateTime, NaiveDate, Utc};
use sha2::{Digest, Sha256};
use std::fmt::{self, Write};

/// The hash of a journal and, through it, of all before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChainHash([u8; 32]);

impl ChainHash {
    /// What the first journal follows.
    pub const START: ChainHash = ChainHash([0; 32]);

    /// `None` if these are not 32 bytes.
    pub fn of_bytes(bytes: &[u8]) -> Option<ChainHash> {
        bytes.try_into().ok().map(ChainHash)
    }

    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for ChainHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

/// A journal with all it carries but its id, which the database gives: the chain keeps the order.
#[derive(Debug, Clone, Copy)]
pub struct ChainedJournal<'a> {
    pub kind: JournalKind,
    pub currency: Currency,
    /// Whole microseconds.
    pub at: DateTime<Utc>,
    pub day: NaiveDate,
    pub order: Option<OrderId>,
    pub commission: Option<CommissionId>,
    pub run: Option<PayoutRunId>,
    pub actor: Option<&'a str>,
    /// The line of the audit log.
    pub act: Option<i64>,
    pub takes_back: Option<JournalId>,
    pub note: Option<&'a str>,
    pub entries: &'a [ChainedEntry],
}

/// An entry with all it carries but its id and its journal's.
#[derive(Debug, Clone, Copy)]
pub struct ChainedEntry {
    pub account: AccountKind,
    pub partner: Option<PartnerId>,
    pub currency: Currency,
    pub day: NaiveDate,
    pub amount_minor: i64,
}

impl ChainedJournal<'_> {
    /// The hash of this journal after the one with hash `before`.
    pub fn hash(&self, before: ChainHash) -> ChainHash {
        ChainHash(Sha256::digest(self.canonical(before)).into())
    }

    /// UTF-8, a field a line, each line ended by a line feed; what is not there is `-`; texts, which may hold anything, come
    /// after their length in bytes.
    pub fn canonical(&self, before: ChainHash) -> String {
        let mut form = String::with_capacity(512);
        let mut line = |name: &str, value: &dyn fmt::Display| {
            // Writing to a string cannot fail.
            let _ = writeln!(form, "{name} {value}");
        };
        line("tributary-journal", &1);
        line("before", &before);
        line("kind", &word(&self.kind));
        line("currency", &self.currency);
        line("at", &self.at.timestamp_micros());
        line("day", &self.day);
        line("order", &OrDash(self.order.map(|id| id.0)));
        line("commission", &OrDash(self.commission.map(|id| id.0)));
        line("run", &OrDash(self.run.map(|id| id.0)));
        line("act", &OrDash(self.act));
        line("takes_back", &OrDash(self.takes_back.map(|id| id.0)));
        line("actor", &OrDash(self.actor.map(Measured)));
        line("note", &OrDash(self.note.map(Measured)));
        for entry in self.entries {
            let (account, partner) = (word(&entry.account), OrDash(entry.partner.map(|id| id.0)));
            line("entry", &format_args!("{account} {partner} {} {} {}", entry.currency, entry.day, entry.amount_minor));
        }
        form
    }
}

/// The word of a value as it is stored.
fn word(value: &impl serde::Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}

struct OrDash<T>(Option<T>);

impl<T: fmt::Display> fmt::Display for OrDash<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(value) => value.fmt(f),
            None => f.write_str("-"),
        }
    }
}

struct Measured<'a>(&'a str);

impl fmt::Display for Measured<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.0.len(), self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries() -> [ChainedEntry; 2] {
        let day = NaiveDate::from_ymd_opt(2026, 11, 22).unwrap();
        let entry =
            |account, partner, amount_minor| ChainedEntry { account, partner, currency: Currency::RUB, day, amount_minor };
        [entry(AccountKind::Expense, None, -1250), entry(AccountKind::Held, Some(PartnerId(7)), 1250)]
    }

    fn journal(entries: &[ChainedEntry]) -> ChainedJournal<'_> {
        ChainedJournal {
            kind: JournalKind::Earned,
            currency: Currency::RUB,
            at: "2026-11-22T12:00:00.000001Z".parse().unwrap(),
            day: NaiveDate::from_ymd_opt(2026, 11, 22).unwrap(),
            order: Some(OrderId(17)),
            commission: Some(CommissionId(4)),
            run: None,
            actor: Some("Анна"),
            act: None,
            takes_back: None,
            note: Some("of\n2026"),
            entries,
        }
    }

    #[test]
    fn the_form_is_the_documented_one() {
        let zeros = "0".repeat(64);
        let form = format!(
            "tributary-journal 1\nbefore {zeros}\nkind earned\ncurrency RUB\nat 1795348800000001\nday 2026-11-22\norder 17\ncommission 4\n\
             run -\nact -\ntakes_back -\nactor 8 Анна\nnote 7 of\n2026\nentry expense - RUB 2026-11-22 -1250\nentry held 7 RUB 2026-11-22 1250\n"
        );
        assert_eq!(journal(&entries()).canonical(ChainHash::START), form);
        let hash = journal(&entries()).hash(ChainHash::START);
        assert_eq!(hash.to_string(), hex::encode(Sha256::digest(form)));
        assert_eq!(ChainHash::of_bytes(hash.as_bytes()), Some(hash));
        assert_eq!(ChainHash::of_bytes(&[0; 31]), None);
    }

    #[test]
    fn any_change_changes_the_hash() {
        let whole = entries();
        let same = journal(&whole);
        let hash = same.hash(ChainHash::START);
        let mut other = whole;
        other[1].amount_minor = 1251;
        let mut elsewhere = whole;
        elsewhere[1].partner = Some(PartnerId(8));
        let (missing, tomorrow) = (&whole[..1], same.day.succ_opt().unwrap());
        let changed = [
            journal(&other),
            journal(&elsewhere),
            journal(missing),
            ChainedJournal { kind: JournalKind::Adjusted, ..same },
            ChainedJournal { currency: "EUR".parse().unwrap(), ..same },
            ChainedJournal { at: same.at + chrono::TimeDelta::microseconds(1), ..same },
            ChainedJournal { day: tomorrow, ..same },
            ChainedJournal { order: None, ..same },
            ChainedJournal { commission: Some(CommissionId(5)), ..same },
            ChainedJournal { run: Some(PayoutRunId(4)), ..same },
            ChainedJournal { actor: None, ..same },
            ChainedJournal { act: Some(1), ..same },
            ChainedJournal { takes_back: Some(JournalId(1)), ..same },
            ChainedJournal { note: Some("of 2026"), ..same },
            ChainedJournal { actor: Some("Анна\nnote 7 of"), note: None, ..same },
        ];
        for journal in changed {
            assert_ne!(journal.hash(ChainHash::START), hash, "{journal:?}");
        }
        assert_ne!(same.hash(hash), hash, "the place in the chain counts");
    }
}
