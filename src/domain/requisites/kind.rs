//! Who is paid, and which numbers such a one has.

use super::{Inn, RequisiteError};

/// What a payee is before Russian tax law. A foreign payee is one of these with another country.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PayeeKind {
    Company,
    /// An individual entrepreneur, *индивидуальный предприниматель*.
    SoleTrader,
    /// Pays the tax on professional income, *НПД* (law of 27.11.2018 N 422-FZ); may be a sole trader as well.
    SelfEmployed,
    /// Anybody else; whoever pays withholds the tax.
    Individual,
}

/// Accounts of companies: state-owned ones, others, and non-residents (chart of accounts, Bank of Russia regulation of
/// 24.11.2022 N 809-P).
const OF_COMPANIES: &[&str] = &["405", "406", "407", "40807"];
const OF_SOLE_TRADERS: &[&str] = &["40802"];
/// Current accounts and deposits of residents and non-residents.
const OF_PERSONS: &[&str] = &["40817", "40820", "423", "426"];
const OF_SELF_EMPLOYED: &[&str] = &["40817", "40820", "423", "426", "40802"];

impl PayeeKind {
    pub const ALL: [PayeeKind; 4] = [PayeeKind::Company, PayeeKind::SoleTrader, PayeeKind::SelfEmployed, PayeeKind::Individual];

    pub fn name(self) -> &'static str {
        match self {
            PayeeKind::Company => "company",
            PayeeKind::SoleTrader => "sole_trader",
            PayeeKind::SelfEmployed => "self_employed",
            PayeeKind::Individual => "individual",
        }
    }

    /// How many digits an INN has.
    pub fn inn_digits(self) -> usize {
        match self {
            PayeeKind::Company => 10,
            PayeeKind::SoleTrader | PayeeKind::SelfEmployed | PayeeKind::Individual => 12,
        }
    }

    /// A KPP tells the places of a company's tax registration; persons have none.
    pub fn has_kpp(self) -> bool {
        self == PayeeKind::Company
    }

    /// How many digits an OGRN has; `None`: there is none.
    pub fn ogrn_digits(self) -> Option<usize> {
        match self {
            PayeeKind::Company => Some(13),
            PayeeKind::SoleTrader | PayeeKind::SelfEmployed => Some(15),
            PayeeKind::Individual => None,
        }
    }

    /// What the Russian accounts begin with.
    pub fn account_prefixes(self) -> &'static [&'static str] {
        match self {
            PayeeKind::Company => OF_COMPANIES,
            PayeeKind::SoleTrader => OF_SOLE_TRADERS,
            PayeeKind::SelfEmployed => OF_SELF_EMPLOYED,
            PayeeKind::Individual => OF_PERSONS,
        }
    }
}

impl std::str::FromStr for PayeeKind {
    type Err = RequisiteError;
    fn from_str(text: &str) -> Result<PayeeKind, RequisiteError> {
        let text = text.trim();
        PayeeKind::ALL.into_iter().find(|k| k.name().eq_ignore_ascii_case(text)).ok_or(RequisiteError::NotAKind)
    }
}

/// Whose requisites they are, as far as it is known: by the kind that was given, else by the length of the INN.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holder {
    Kind(PayeeKind),
    /// Not told apart: a sole trader, self-employed, or neither.
    Person,
}

impl Holder {
    pub fn of(kind: Option<PayeeKind>, inn: Option<&Inn>) -> Option<Holder> {
        match (kind, inn) {
            (Some(kind), _) => Some(Holder::Kind(kind)),
            (None, Some(inn)) if inn.is_of_company() => Some(Holder::Kind(PayeeKind::Company)),
            (None, Some(_)) => Some(Holder::Person),
            (None, None) => None,
        }
    }

    /// The kinds it may be.
    pub fn kinds(&self) -> &[PayeeKind] {
        match self {
            Holder::Kind(kind) => std::slice::from_ref(kind),
            Holder::Person => &PayeeKind::ALL[1..],
        }
    }
}

impl std::fmt::Display for Holder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Holder::Kind(PayeeKind::Company) => "a company",
            Holder::Kind(PayeeKind::SoleTrader) => "a sole trader",
            Holder::Kind(PayeeKind::SelfEmployed) => "a self-employed person",
            Holder::Kind(PayeeKind::Individual) => "an individual",
            Holder::Person => "a person, whose INN has 12 digits,",
        })
    }
}
