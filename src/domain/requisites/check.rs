//! The requisites of one payee: each is read by itself, then held against the others.

use super::{Account, Bik, CorrespondentAccount, Fault, Field, Holder, Iban, Inn, Kpp, Ogrn, PayeeKind, RequisiteError, Swift};
use crate::domain::link_target::Country;
use std::str::FromStr;

/// What was given and is right by itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Requisites {
    pub country: Option<Country>,
    pub kind: Option<PayeeKind>,
    pub inn: Option<Inn>,
    pub kpp: Option<Kpp>,
    pub ogrn: Option<Ogrn>,
    pub bik: Option<Bik>,
    pub account: Option<Account>,
    pub correspondent_account: Option<CorrespondentAccount>,
    pub iban: Option<Iban>,
    pub swift: Option<Swift>,
}

/// Reads a field if it is given; blank is not given.
pub(super) fn take<'a, T: FromStr<Err: Into<RequisiteError>>>(
    given: &impl Fn(Field) -> Option<&'a str>,
    field: Field,
    faults: &mut Vec<Fault>,
) -> Option<T> {
    let text = given(field).filter(|text| !text.trim().is_empty())?;
    text.parse().map_err(|error| faults.push(Fault::new(field, error))).ok()
}

impl Requisites {
    /// Reads what is given and names what is wrong: with a field by itself, and with two that do not go together.
    ///
    /// An account is taken for a Russian one (20 digits) if a BIK or a correspondent account stands beside it, if the country
    /// is Russia, or if nothing tells of another: no country, IBAN or SWIFT code.
    pub fn read<'a>(given: impl Fn(Field) -> Option<&'a str>) -> (Requisites, Vec<Fault>) {
        let is_given = |field| given(field).is_some_and(|text| !text.trim().is_empty());
        let mut faults = Vec::new();
        let country: Option<Country> = take(&given, Field::Country, &mut faults);
        let at_home = match country {
            Some(country) => country.as_str() == "RU",
            None => !is_given(Field::Iban) && !is_given(Field::Swift),
        };
        let russian = at_home || is_given(Field::Bik) || is_given(Field::CorrespondentAccount);
        let requisites = Requisites {
            country,
            kind: take(&given, Field::Kind, &mut faults),
            inn: take(&given, Field::Inn, &mut faults),
            kpp: take(&given, Field::Kpp, &mut faults),
            ogrn: take(&given, Field::Ogrn, &mut faults),
            bik: take(&given, Field::Bik, &mut faults),
            account: if russian {
                take(&given, Field::Account, &mut faults).map(Account::Russian)
            } else {
                take(&given, Field::Account, &mut faults).map(Account::Foreign)
            },
            correspondent_account: take(&given, Field::CorrespondentAccount, &mut faults),
            iban: take(&given, Field::Iban, &mut faults),
            swift: take(&given, Field::Swift, &mut faults),
        };
        requisites.check_holder(&mut faults);
        requisites.check_bank(&mut faults);
        (requisites, faults)
    }

    /// Whose they are, as far as they tell.
    pub fn holder(&self) -> Option<Holder> {
        Holder::of(self.kind, self.inn.as_ref())
    }

    fn check_holder(&self, faults: &mut Vec<Fault>) {
        let Some(holder) = self.holder() else { return };
        let kinds = holder.kinds();
        if let (Some(inn), Some(kind)) = (&self.inn, self.kind)
            && inn.digits() != kind.inn_digits()
        {
            let error = RequisiteError::InnOfAnotherKind { digits: inn.digits(), holder, wanted: kind.inn_digits() };
            faults.push(Fault::new(Field::Inn, error));
        }
        if self.kpp.is_some() && !kinds.iter().any(|kind| kind.has_kpp()) {
            faults.push(Fault::new(Field::Kpp, RequisiteError::NoneFor(holder)));
        }
        if let Some(ogrn) = &self.ogrn {
            let possible: Vec<usize> = kinds.iter().filter_map(|kind| kind.ogrn_digits()).collect();
            match possible.first() {
                None => faults.push(Fault::new(Field::Ogrn, RequisiteError::NoneFor(holder))),
                Some(wanted) if !possible.contains(&ogrn.digits()) => {
                    let error = RequisiteError::OgrnOfAnotherKind { digits: ogrn.digits(), holder, wanted: *wanted };
                    faults.push(Fault::new(Field::Ogrn, error));
                }
                Some(_) => {}
            }
        }
        if let Some(Account::Russian(account)) = &self.account
            && !account.begins_with_any(&["301"])
            && !kinds.iter().any(|kind| account.begins_with_any(kind.account_prefixes()))
        {
            let mut prefixes: Vec<&str> = kinds.iter().flat_map(|kind| kind.account_prefixes()).copied().collect();
            prefixes.sort();
            prefixes.dedup();
            let (begins, wanted) = (account.purpose().to_owned(), prefixes.join(", "));
            faults.push(Fault::new(Field::Account, RequisiteError::AccountOfAnotherKind { begins, holder, wanted }));
        }
    }

    fn check_bank(&self, faults: &mut Vec<Fault>) {
        let account = match &self.account {
            Some(Account::Russian(account)) => Some(account),
            Some(Account::Foreign(_)) | None => None,
        };
        if let Some(account) = account {
            // N 515's own example of a clearing account begins with 30114; what begins with 30101 is a bank's at the Bank of Russia.
            if account.begins_with_any(&["30101"]) || account.begins_with_any(&["301"]) && self.holder().is_some() {
                faults.push(Fault::new(Field::Account, RequisiteError::IsCorrespondentAccount));
            } else if let Some(bik) = self.bik.as_ref().filter(|bik| !account.goes_with(bik)) {
                faults.push(Fault::new(Field::Account, RequisiteError::AccountKey { bik: bik.to_string() }));
            }
        }
        if let (Some(correspondent), Some(bik)) = (&self.correspondent_account, &self.bik)
            && let Err(error) = correspondent.check_against(bik)
        {
            faults.push(Fault::new(Field::CorrespondentAccount, error));
        }
        let Some(iban) = &self.iban else { return };
        if let Err(error) = iban.check_against(self.bik.as_ref(), account) {
            faults.push(Fault::new(Field::Iban, error));
        }
        if let Some(swift) = self.swift.as_ref().filter(|swift| !iban.may_be_of(swift.country())) {
            let (swift, iban) = (swift.country().to_owned(), iban.country().to_owned());
            faults.push(Fault::new(Field::Swift, RequisiteError::SwiftOfAnotherCountry { swift, iban }));
        }
    }
}
