//! What a bank says has happened on an account, and which payments of a run it speaks of.

use super::id::PartnerId;
use super::money::{Currency, Money};
use super::payout_file::Payment;
use chrono::NaiveDate;
use std::collections::{HashMap, HashSet};

/// A statement of one account, or of several in one file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BankStatement {
    /// Account numbers or IBANs, without spaces.
    pub accounts: Vec<String>,
    pub from: Option<NaiveDate>,
    /// The last day, included.
    pub to: Option<NaiveDate>,
    pub entries: Vec<StatementEntry>,
}

/// Which way the money went, seen from the statement's account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    Incoming,
    Outgoing,
}

/// One booked movement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatementEntry {
    /// The statement's own account.
    pub account: String,
    /// The day it was booked.
    pub date: NaiveDate,
    /// Never below zero.
    pub amount: Money,
    pub direction: Direction,
    /// The number of the payment order.
    pub document_number: Option<String>,
    pub end_to_end_id: Option<String>,
    pub counterparty: Counterparty,
    pub purpose: Option<String>,
    pub bank_reference: Option<String>,
}

/// Who is on the other side of an entry.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counterparty {
    pub name: Option<String>,
    pub inn: Option<String>,
    /// Account number or IBAN, without spaces.
    pub account: Option<String>,
}

/// The statement is not the one that tells of a run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OtherStatement {
    #[error("the statement is of {}, the payer's account is {expected}", found.join(", "))]
    Account { expected: String, found: Vec<String> },
    #[error("the statement ends on {to}, before the payments' date {paid_from}")]
    Period { to: NaiveDate, paid_from: NaiveDate },
}

impl BankStatement {
    /// Whether the statement can tell of payments from one of `accounts`, none of them before `paid_from`.
    pub fn check(&self, accounts: &[String], paid_from: NaiveDate) -> Result<(), OtherStatement> {
        if !self.accounts.iter().any(|account| accounts.contains(account)) {
            return Err(OtherStatement::Account { expected: accounts.join(" or "), found: self.accounts.clone() });
        }
        match self.to {
            Some(to) if to < paid_from => Err(OtherStatement::Period { to, paid_from }),
            Some(_) | None => Ok(()),
        }
    }
}

/// What an entry says of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The payment left the account.
    Paid(PartnerId),
    /// It is the partner's payment, but the bank paid another amount than `due`.
    AmountDiffers { partner: PartnerId, due: Money },
    /// Another entry has paid it already.
    PaidAgain(PartnerId),
    /// The money came back.
    Returned(PartnerId),
    /// It speaks of no payment of the run.
    Unknown,
}

impl Verdict {
    pub fn word(self) -> &'static str {
        match self {
            Verdict::Paid(_) => "paid",
            Verdict::AmountDiffers { .. } => "amount_differs",
            Verdict::PaidAgain(_) => "paid_again",
            Verdict::Returned(_) => "returned",
            Verdict::Unknown => "unknown",
        }
    }

    /// Whose payment it is of.
    pub fn partner(self) -> Option<PartnerId> {
        match self {
            Verdict::Paid(partner)
            | Verdict::PaidAgain(partner)
            | Verdict::Returned(partner)
            | Verdict::AmountDiffers { partner, .. } => Some(partner),
            Verdict::Unknown => None,
        }
    }
}

/// A verdict for each entry, in their order, and the payments of which no entry speaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reconciliation {
    pub verdicts: Vec<Verdict>,
    pub not_found: Vec<PartnerId>,
}

/// Holds the entries of a statement against the payments of a run in one currency.
///
/// An entry's payment is found by the end-to-end id (also where the purpose names it), else by the order's number with
/// the payee's account (or with the amount, where the bank tells no account), else by the payee's account and the
/// amount. What is certain is matched before what is likely, whatever the order of the entries.
pub fn reconcile(entries: &[StatementEntry], payments: &[Payment], currency: Currency) -> Reconciliation {
    let index = Index::of(payments);
    let mut verdicts = vec![Verdict::Unknown; entries.len()];
    let mut paid = vec![false; payments.len()];
    for way in [Way::Id, Way::Number, Way::Account] {
        for (entry, verdict) in entries.iter().zip(&mut verdicts).filter(|(_, v)| **v == Verdict::Unknown) {
            let found = index.find(way, entry, payments, currency, &paid);
            let Some(at) = found else { continue };
            let (partner, due) = (payments[at].partner, Money::new(payments[at].amount_minor, currency));
            *verdict = match entry.direction {
                Direction::Incoming => Verdict::Returned(partner),
                Direction::Outgoing if entry.amount != due => Verdict::AmountDiffers { partner, due },
                Direction::Outgoing if paid[at] => Verdict::PaidAgain(partner),
                Direction::Outgoing => {
                    paid[at] = true;
                    Verdict::Paid(partner)
                }
            };
        }
    }
    let spoken_of: HashSet<PartnerId> = verdicts.iter().filter_map(|verdict| verdict.partner()).collect();
    let not_found = payments.iter().map(|p| p.partner).filter(|partner| !spoken_of.contains(partner)).collect();
    Reconciliation { verdicts, not_found }
}

/// How an entry's payment is found, the surest first.
#[derive(Clone, Copy)]
enum Way {
    Id,
    Number,
    Account,
}

struct Index<'a> {
    by_id: HashMap<&'a str, usize>,
    by_number: HashMap<usize, usize>,
    by_account: HashMap<String, Vec<usize>>,
}

fn payee_account(payment: &Payment) -> Option<String> {
    payment.requisites.compact("iban").or_else(|| payment.requisites.compact("account"))
}

impl Index<'_> {
    fn of(payments: &[Payment]) -> Index<'_> {
        let mut by_account: HashMap<String, Vec<usize>> = HashMap::new();
        for (at, payment) in payments.iter().enumerate() {
            if let Some(account) = payee_account(payment) {
                by_account.entry(account).or_default().push(at);
            }
        }
        Index {
            by_id: payments.iter().enumerate().map(|(at, p)| (p.end_to_end_id.as_str(), at)).collect(),
            by_number: payments.iter().enumerate().map(|(at, p)| (p.number, at)).collect(),
            by_account,
        }
    }

    fn find(&self, way: Way, entry: &StatementEntry, payments: &[Payment], currency: Currency, paid: &[bool]) -> Option<usize> {
        let has_amount = |at: usize| entry.amount == Money::new(payments[at].amount_minor, currency);
        match (way, entry.direction) {
            (Way::Id, _) => {
                let words = |text: &'_ str| -> Option<usize> {
                    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '-';
                    text.split(|c| !is_part(c)).find_map(|word| self.by_id.get(word).copied())
                };
                entry.end_to_end_id.as_deref().and_then(words).or_else(|| entry.purpose.as_deref().and_then(words))
            }
            (Way::Number, Direction::Outgoing) => {
                let number: usize = entry.document_number.as_deref()?.trim().parse().ok()?;
                let at = *self.by_number.get(&number)?;
                let fits = match &entry.counterparty.account {
                    Some(account) => payee_account(&payments[at]).as_ref() == Some(account),
                    None => has_amount(at),
                };
                fits.then_some(at)
            }
            (Way::Account, Direction::Outgoing) => {
                let of_account = self.by_account.get(entry.counterparty.account.as_ref()?)?;
                of_account.iter().copied().find(|at| has_amount(*at) && !paid[*at])
            }
            (Way::Number | Way::Account, Direction::Incoming) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::PayoutRunId;
    use crate::domain::partner::PayoutMethod;
    use crate::domain::payout_file::{Requisites, end_to_end_id};

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn payment(number: usize, amount_minor: i64) -> Payment {
        let partner = PartnerId(number as i64 + 10);
        Payment {
            number,
            end_to_end_id: end_to_end_id(PayoutRunId(3), partner),
            partner,
            partner_name: format!("Partner {number}"),
            partner_email: None,
            amount_minor,
            tax_minor: 0,
            method: PayoutMethod::BankRu,
            method_text: "bank_ru".into(),
            requisites: Requisites::from_iter([("account".to_owned(), format!("4080281010000000000{number}"))]),
            purpose: String::new(),
        }
    }

    fn entry(amount_minor: i64) -> StatementEntry {
        StatementEntry {
            account: "40702810500000001234".into(),
            date: day("2026-12-05"),
            amount: Money::new(amount_minor, Currency::RUB),
            direction: Direction::Outgoing,
            document_number: None,
            end_to_end_id: None,
            counterparty: Counterparty::default(),
            purpose: None,
            bank_reference: None,
        }
    }

    fn account(number: usize) -> Counterparty {
        Counterparty { account: Some(format!("4080281010000000000{number}")), ..Counterparty::default() }
    }

    #[test]
    fn entries_are_matched_by_id_then_number_then_account() {
        let payments = [payment(1, 100), payment(2, 200), payment(3, 300), payment(4, 400)];
        let text = |t: &str| Some(t.to_owned());
        let entries = [
            StatementEntry { counterparty: account(3), ..entry(300) },
            StatementEntry { end_to_end_id: text("PAY3-PAR11"), ..entry(100) },
            StatementEntry { purpose: text("Вознаграждение, выплата PAY3-PAR12. НДС"), ..entry(150) },
            StatementEntry { document_number: text("4"), counterparty: account(4), ..entry(400) },
            StatementEntry { document_number: text("4"), counterparty: account(9), ..entry(400) },
            StatementEntry { purpose: text("PAY3-PAR11"), ..entry(100) },
            StatementEntry { purpose: text("возврат PAY3-PAR11"), direction: Direction::Incoming, ..entry(100) },
            StatementEntry { purpose: text("PAY3-PAR111"), ..entry(100) },
        ];
        let found = reconcile(&entries, &payments, Currency::RUB);
        assert_eq!(
            found.verdicts,
            [
                Verdict::Paid(PartnerId(13)),
                Verdict::Paid(PartnerId(11)),
                Verdict::AmountDiffers { partner: PartnerId(12), due: Money::new(200, Currency::RUB) },
                Verdict::Paid(PartnerId(14)),
                Verdict::Unknown,
                Verdict::PaidAgain(PartnerId(11)),
                Verdict::Returned(PartnerId(11)),
                Verdict::Unknown,
            ]
        );
        assert_eq!(found.not_found, []);
        assert_eq!(reconcile(&entries[..1], &payments, Currency::RUB).not_found, [PartnerId(11), PartnerId(12), PartnerId(14)]);
    }

    #[test]
    fn a_sure_match_goes_before_a_likely_one() {
        // Two payments of one amount to one account; the second entry names the first payment.
        let mut payments = [payment(1, 100), payment(2, 100)];
        payments[1].requisites = payments[0].requisites.clone();
        let entries = [
            StatementEntry { counterparty: account(1), ..entry(100) },
            StatementEntry { counterparty: account(1), end_to_end_id: Some("PAY3-PAR11".into()), ..entry(100) },
        ];
        let found = reconcile(&entries, &payments, Currency::RUB);
        assert_eq!(found.verdicts, [Verdict::Paid(PartnerId(12)), Verdict::Paid(PartnerId(11))]);
    }

    #[test]
    fn another_banks_and_an_earlier_months_statement_are_refused() {
        let statement = BankStatement { accounts: vec!["A".into()], to: Some(day("2026-11-30")), ..BankStatement::default() };
        assert_eq!(statement.check(&["A".into()], day("2026-11-30")), Ok(()));
        assert!(matches!(statement.check(&["B".into()], day("2026-11-30")), Err(OtherStatement::Account { .. })));
        assert!(matches!(statement.check(&["A".into()], day("2026-12-01")), Err(OtherStatement::Period { .. })));
    }
}
