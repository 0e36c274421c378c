//! What a payout file is written from: a run's payments and who pays them, as plain data. Which payment fits which
//! file, and what stands in the way of one, is said here; `service/payout_file` turns it into bytes.

mod fit;
mod request;

pub use fit::{LeftOut, Misfit, Selection, has_shape, lacks_of_payer, select};
pub use request::{Delimiter, FileFormat, FileRequest, PainVersion, WrongFileRequest};

use super::id::{PartnerId, PayoutRunId};
use super::money::Currency;
use super::partner::PayoutMethod;
use super::time::Period;
use crate::domain::requisites::compact;
use chrono::{DateTime, FixedOffset, NaiveDate, Utc};
use std::collections::BTreeMap;

/// Everything the files of a run are written from. The same batch gives the same bytes.
#[derive(Debug, Clone)]
pub struct PaymentBatch {
    pub run: PayoutRunId,
    pub period: Period,
    pub currency: Currency,
    /// When the run was built.
    pub built_at: DateTime<Utc>,
    /// There where the format is one that a bank executes.
    pub bank: Option<BankHeader>,
    /// In the order of the run's lines.
    pub payments: Vec<Payment>,
}

/// Who pays, and when the bank's file was first asked for: kept with the run, so that later files are the same.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct BankHeader {
    pub payer: Payer,
    /// In the merchant's zone; its day is the date of the payments.
    pub created_at: DateTime<FixedOffset>,
}

impl BankHeader {
    pub fn value_date(&self) -> NaiveDate {
        self.created_at.date_naive()
    }
}

/// The merchant's own requisites. A field that a format needs and that is not there is named when its file is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct Payer {
    pub name: Option<String>,
    /// The name in Latin letters, for banks that take no others.
    pub name_latin: Option<String>,
    pub inn: Option<String>,
    pub kpp: Option<String>,
    pub ogrn: Option<String>,
    /// 20 characters, in Russia; elsewhere the number of an account without an IBAN.
    pub account: Option<String>,
    pub bik: Option<String>,
    pub correspondent_account: Option<String>,
    pub bank_name: Option<String>,
    pub bank_city: Option<String>,
    pub iban: Option<String>,
    pub bic: Option<String>,
    /// Two letters of ISO 3166-1.
    pub country: Option<String>,
    pub address: Option<String>,
    /// Who signs documents, with post and name.
    pub signatory: Option<String>,
    /// The purpose of Russian payment orders, with `{month}` and `{id}`; [`DEFAULT_PURPOSE`] where there is none.
    pub purpose: Option<String>,
}

/// What Russian payment orders are for, where the payer says nothing else.
pub const DEFAULT_PURPOSE: &str = "Вознаграждение партнёра за {month}, выплата {id}. НДС не облагается";

/// One payment of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    /// Its place among the payments of the run, from 1: the number of a payment order.
    pub number: usize,
    /// As [`end_to_end_id`].
    pub end_to_end_id: String,
    pub partner: PartnerId,
    /// The partner's name in Tributary.
    pub partner_name: String,
    pub partner_email: Option<String>,
    /// What is sent.
    pub amount_minor: i64,
    /// What the payee was owed besides, and is sent to the tax office.
    pub tax_minor: i64,
    pub method: PayoutMethod,
    /// The method as the partner's record has it.
    pub method_text: String,
    pub requisites: Requisites,
    pub purpose: String,
}

impl Payment {
    /// Whose account it is: the requisites' name, or else the partner's.
    pub fn payee_name(&self) -> &str {
        self.requisites.get("name").unwrap_or(&self.partner_name)
    }

    /// The requisites' address, or else the partner's.
    pub fn payee_email(&self) -> Option<&str> {
        self.requisites.get("email").or(self.partner_email.as_deref())
    }
}

/// A partner's requisites by name: `name, inn, kpp, account, bik, correspondent_account, bank_name, iban, swift, email,
/// address, country`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Requisites(BTreeMap<String, String>);

impl Requisites {
    /// The text, trimmed; `None` if it is empty or not there.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|text| text.trim()).filter(|text| !text.is_empty())
    }

    /// [`Requisites::get`] in capitals and without spaces, as IBANs and account numbers are sent.
    pub fn compact(&self, name: &str) -> Option<String> {
        self.get(name).map(compact)
    }

    /// Everything, as it is kept.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, text)| (name.as_str(), text.as_str()))
    }
}

impl FromIterator<(String, String)> for Requisites {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(fields: I) -> Requisites {
        Requisites(fields.into_iter().collect())
    }
}

/// What a payment is known by to banks, and in statements: `PAY3-PAR17`. Letters, digits and `-` go through every system.
pub fn end_to_end_id(run: PayoutRunId, partner: PartnerId) -> String {
    format!("PAY{}-PAR{}", run.0, partner.0)
}

/// What a payment is for. Bank transfers inside Russia say it in Russian; all others in letters that every bank takes.
pub fn purpose(method: PayoutMethod, period: Period, end_to_end_id: &str, payer: Option<&Payer>) -> String {
    match method {
        PayoutMethod::BankRu => payer
            .and_then(|p| p.purpose.as_deref())
            .unwrap_or(DEFAULT_PURPOSE)
            .replace("{month}", &russian_month(period))
            .replace("{id}", end_to_end_id),
        PayoutMethod::Manual | PayoutMethod::Sepa | PayoutMethod::Swift | PayoutMethod::Paypal | PayoutMethod::Wise => {
            format!("Commission {period} {end_to_end_id}")
        }
    }
}

fn russian_month(period: Period) -> String {
    const NAMES: [&str; 12] =
        ["январь", "февраль", "март", "апрель", "май", "июнь", "июль", "август", "сентябрь", "октябрь", "ноябрь", "декабрь"];
    use chrono::Datelike;
    let day = period.first_day();
    format!("{} {}", NAMES[day.month0() as usize], day.year())
}

/// One movement of a partner's balance that a payment is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentPart {
    pub day: NaiveDate,
    /// What moved it, in one word of the ledger: `released`, `reversed` …
    pub what: String,
    /// The order's external id.
    pub order: Option<String>,
    pub amount_minor: i64,
}

/// Why a file was not written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    #[error("the payer's {} missing or malformed: set them with PUT /v1/payer", join(.0))]
    Payer(Vec<&'static str>),
    #[error("the payer's {field} {problem}")]
    PayerText { field: &'static str, problem: TextProblem },
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Payments(Vec<PaymentError>),
    #[error("no payment of this run fits the file{}", .0.first().map_or(String::new(), |l| format!(": {l}")))]
    Empty(Vec<LeftOut>),
    #[error("the payments fill {parts} files of at most {most_rows}: ask for each of them, part=1 to part={parts}")]
    Parts { parts: usize, most_rows: usize },
    #[error("the payments fill {parts} files, there is no part {part}")]
    NoSuchPart { part: usize, parts: usize },
    #[error("the file could not be written: {0}")]
    Unwritable(String),
}

fn join(fields: &[&'static str]) -> String {
    format!("{} {}", fields.join(", "), if fields.len() == 1 { "is" } else { "are" })
}

/// A text of a payment that the format cannot take.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{partner} ({name}): the {field} {problem}")]
pub struct PaymentError {
    pub partner: PartnerId,
    pub name: String,
    pub field: &'static str,
    pub problem: TextProblem,
}

/// What is wrong with a text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TextProblem {
    #[error("holds {}, which {set} does not have", shown(*.character))]
    Character { character: char, set: &'static str },
    #[error("is longer than {0} characters")]
    TooLong(usize),
    #[error("would be read as a formula")]
    Formula,
}

/// A character as a person can find it: itself, if it shows, and its code.
fn shown(character: char) -> String {
    let code = u32::from(character);
    if character.is_control() || character.is_whitespace() {
        format!("U+{code:04X}")
    } else {
        format!("'{character}' (U+{code:04X})")
    }
}

/// Gathers the faults of all payments, so that they are mended in one go.
#[derive(Debug, Default)]
pub struct Faults(Vec<PaymentError>);

impl Faults {
    /// The text as the format writes it, or nothing with the fault noted.
    pub fn take<T: Default>(&mut self, payment: &Payment, field: &'static str, written: Result<T, TextProblem>) -> T {
        written.unwrap_or_else(|problem| {
            let (partner, name) = (payment.partner, payment.partner_name.clone());
            self.0.push(PaymentError { partner, name, field, problem });
            T::default()
        })
    }

    pub fn done(self) -> Result<(), FileError> {
        if self.0.is_empty() { Ok(()) } else { Err(FileError::Payments(self.0)) }
    }
}

/// What a file holds, and what it does not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Totals {
    pub payments: usize,
    pub total_minor: i64,
    /// Of the same format, in the other parts.
    pub in_other_parts_minor: i64,
    pub left_out: Vec<LeftOut>,
}

impl Totals {
    pub fn left_out_minor(&self) -> i64 {
        self.left_out.iter().map(|l| l.amount_minor).sum()
    }
}

/// A file as it is handed out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PayoutFile {
    pub bytes: Vec<u8>,
    pub totals: Totals,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_purpose_is_in_the_words_of_the_method() {
        let period: Period = "2026-10".parse().unwrap();
        let id = end_to_end_id(PayoutRunId(3), PartnerId(17));
        let own = Payer { purpose: Some("По договору {id}, {month}, в т.ч. НДС 20%".into()), ..Payer::default() };
        for (method, payer, expected) in [
            (PayoutMethod::BankRu, None, "Вознаграждение партнёра за октябрь 2026, выплата PAY3-PAR17. НДС не облагается"),
            (PayoutMethod::BankRu, Some(&own), "По договору PAY3-PAR17, октябрь 2026, в т.ч. НДС 20%"),
            (PayoutMethod::Sepa, Some(&own), "Commission 2026-10 PAY3-PAR17"),
        ] {
            assert_eq!(purpose(method, period, &id, payer), expected);
        }
    }

    #[test]
    fn an_invisible_character_is_named_by_its_code() {
        let problem = TextProblem::Character { character: '\u{200b}', set: "windows-1251" };
        assert_eq!(problem.to_string(), "holds '\u{200b}' (U+200B), which windows-1251 does not have");
        let problem = TextProblem::Character { character: '\n', set: "windows-1251" };
        assert_eq!(problem.to_string(), "holds U+000A, which windows-1251 does not have");
    }
}
