//! What stands in a document, as plain data; the pages draw it.

use super::Standing;
use crate::domain::ledger::JournalKind;
use crate::domain::money::Currency;
use crate::domain::time::Period;
use chrono::NaiveDate;

/// What kind of paper it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DocumentKind {
    /// Opening and closing balance of a month and every movement between them.
    Statement,
    /// That the month's services were rendered, and what they come to.
    Act,
}

impl DocumentKind {
    pub const ALL: [DocumentKind; 2] = [DocumentKind::Statement, DocumentKind::Act];

    pub fn name(self) -> &'static str {
        match self {
            DocumentKind::Statement => "statement",
            DocumentKind::Act => "act",
        }
    }
}

/// The text is no kind of document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("must be statement or act")]
pub struct NotADocumentKind;

impl std::str::FromStr for DocumentKind {
    type Err = NotADocumentKind;
    fn from_str(text: &str) -> Result<DocumentKind, NotADocumentKind> {
        DocumentKind::ALL.into_iter().find(|kind| kind.name() == text).ok_or(NotADocumentKind)
    }
}

/// The languages a document is drawn in; both say the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DocumentLanguage {
    Ru,
    En,
}

impl DocumentLanguage {
    pub const ALL: [DocumentLanguage; 2] = [DocumentLanguage::Ru, DocumentLanguage::En];
}

/// Counted from 1 without gaps within a kind and a year: `A-2026-17`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DocumentNumber {
    pub kind: DocumentKind,
    pub year: i32,
    pub number: i64,
}

impl std::fmt::Display for DocumentNumber {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let letter = match self.kind {
            DocumentKind::Statement => 'S',
            DocumentKind::Act => 'A',
        };
        write!(f, "{letter}-{}-{}", self.year, self.number)
    }
}

/// A month's sums in minor units: `closing = opening + earned − reversed + adjusted − paid = held + available + in_payment`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Sums {
    pub opening_minor: i64,
    pub earned_minor: i64,
    pub reversed_minor: i64,
    pub adjusted_minor: i64,
    pub paid_minor: i64,
    pub closing_minor: i64,
    pub held_minor: i64,
    pub available_minor: i64,
    pub in_payment_minor: i64,
    /// Of what was paid, withheld as the payee's tax.
    pub tax_minor: i64,
}

impl Sums {
    /// What the month's services come to: earned, less what was taken back of it, with what changed of earlier months.
    pub fn services_minor(&self) -> i64 {
        self.earned_minor - self.reversed_minor + self.adjusted_minor
    }

    pub fn debit_minor(&self) -> i64 {
        self.reversed_minor + self.paid_minor
    }
}

/// One of the two who sign.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Party {
    pub name: String,
    pub standing: Option<Standing>,
    pub inn: Option<String>,
    pub kpp: Option<String>,
    pub ogrn: Option<String>,
    pub address: Option<String>,
    pub account: Option<String>,
    pub bank: Option<String>,
    /// Who signs, with post and name.
    pub signatory: Option<String>,
}

/// A movement of the month.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContentLine {
    pub day: NaiveDate,
    pub kind: JournalKind,
    /// The order's external id, or the payout run.
    pub of: Option<String>,
    pub amount_minor: i64,
}

/// All of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    pub number: DocumentNumber,
    /// The last of the month.
    pub day: NaiveDate,
    pub period: Period,
    pub currency: Currency,
    pub merchant: Party,
    pub payee: Party,
    pub contract: Option<(String, Option<NaiveDate>)>,
    pub sums: Sums,
    pub lines: Vec<ContentLine>,
}

impl Content {
    /// What the document is about, in minor units: a statement's closing balance, an act's services.
    pub fn amount_minor(&self) -> i64 {
        match self.number.kind {
            DocumentKind::Statement => self.sums.closing_minor,
            DocumentKind::Act => self.sums.services_minor(),
        }
    }

    /// How many different orders stand behind the movements of a kind.
    pub fn orders(&self, kind: JournalKind) -> i64 {
        let of_kind = self.lines.iter().filter(|line| line.kind == kind);
        let orders: std::collections::BTreeSet<&str> = of_kind.filter_map(|line| line.of.as_deref()).collect();
        orders.len() as i64
    }
}
