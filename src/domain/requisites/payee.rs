//! Who a payout goes to, as contracts, acts and tax reports name them.

use super::{Fault, Field, Holder, Inn, Kpp, Ogrn, PayeeKind, RequisiteError};
use crate::domain::link_target::Country;
use chrono::NaiveDate;

/// What a self-employed person may earn in a calendar year, in kopecks: 2.4 million roubles from all customers together
/// (law of 27.11.2018 N 422-FZ, article 4, part 2, point 8).
pub const NPD_YEARLY_LIMIT_MINOR: i64 = 240_000_000;

/// The tax on professional income began on 1 January 2019 (N 422-FZ).
const NPD_BEGAN: NaiveDate = match NaiveDate::from_ymd_opt(2019, 1, 1) {
    Some(day) => day,
    None => NaiveDate::MIN,
};

/// The status of a self-employed payee.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Npd {
    /// Since when the tax on professional income is paid.
    pub since: Option<NaiveDate>,
    /// When the tax service last confirmed it.
    pub checked_on: Option<NaiveDate>,
}

impl Npd {
    pub(super) fn check(&self, faults: &mut Vec<Fault>) {
        if self.since.is_some_and(|since| since < NPD_BEGAN) {
            faults.push(Fault::new(Field::NpdSince, RequisiteError::BeforeNpd));
        }
        if let (Some(since), Some(checked_on)) = (self.since, self.checked_on)
            && checked_on < since
        {
            faults.push(Fault::new(Field::NpdCheckedOn, RequisiteError::CheckedBeforeNpd));
        }
    }
}

/// The part of a payout that is the same for all methods. What is missing may come later.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Payee {
    pub country: Option<Country>,
    /// As given; [`Payee::known_kind`] knows more.
    pub kind: Option<PayeeKind>,
    /// The name in the contract, where it is not the partner's.
    pub name: Option<String>,
    pub inn: Option<Inn>,
    pub kpp: Option<Kpp>,
    pub ogrn: Option<Ogrn>,
    pub address: Option<String>,
    pub contract_number: Option<String>,
    pub contract_date: Option<NaiveDate>,
    pub npd: Npd,
}

impl Payee {
    /// The kind that was given, or a company if the INN is one's.
    pub fn known_kind(&self) -> Option<PayeeKind> {
        match Holder::of(self.kind, self.inn.as_ref()) {
            Some(Holder::Kind(kind)) => Some(kind),
            Some(Holder::Person) | None => None,
        }
    }
}
