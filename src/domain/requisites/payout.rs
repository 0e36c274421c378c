//! How one partner is paid, complete or not.

use super::check::take;
use super::{Account, Bik, CorrespondentAccount, Fault, Field, Iban, Npd, Payee, RequisiteError, Requisites, Swift};
use crate::domain::partner::PayoutMethod;
use crate::domain::text::{self, Email};
use chrono::NaiveDate;
use std::collections::BTreeMap;
use std::str::FromStr;

/// A partner's payout as stored: a flat object of texts, `{"method": "bank_ru", "inn": "…", …}`.
///
/// It reads whatever is there, for older versions took any text: a value that is wrong is left out and named among the
/// [`faults`](Payout::faults), a key that is not known is kept. No method is `manual`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payout {
    pub method: PayoutMethod,
    pub payee: Payee,
    pub bik: Option<Bik>,
    pub account: Option<Account>,
    pub correspondent_account: Option<CorrespondentAccount>,
    pub bank_name: Option<String>,
    pub iban: Option<Iban>,
    pub swift: Option<Swift>,
    pub email: Option<Email>,
    /// How Wise knows the payee.
    pub recipient_id: Option<String>,
    other: BTreeMap<String, String>,
    faults: Vec<Fault>,
}

/// A day as the API writes it.
struct Day(NaiveDate);

impl FromStr for Day {
    type Err = RequisiteError;
    fn from_str(text: &str) -> Result<Day, RequisiteError> {
        text.trim().parse().map(Day).map_err(|_| RequisiteError::NotADay)
    }
}

/// A text for people, at most this long.
struct Line<const LONGEST: usize>(String);

impl<const LONGEST: usize> FromStr for Line<LONGEST> {
    type Err = RequisiteError;
    fn from_str(text: &str) -> Result<Self, RequisiteError> {
        Ok(Line(text::line(text, LONGEST)?))
    }
}

impl Payout {
    /// Reads the stored object; what is no text in it is ignored.
    pub fn of_stored(stored: &serde_json::Value) -> Payout {
        let fields = stored.as_object().into_iter().flatten();
        Payout::read(fields.filter_map(|(key, value)| Some((key.as_str(), value.as_str()?))))
    }

    /// Reads keys and their texts.
    pub fn read<'a>(fields: impl IntoIterator<Item = (&'a str, &'a str)>) -> Payout {
        let fields: BTreeMap<&str, &str> = fields.into_iter().collect();
        let given = |field: Field| fields.get(field.key()).copied();
        let (requisites, mut faults) = Requisites::read(given);
        let f = &mut faults;
        let name = take::<Line<160>>(&given, Field::Name, f);
        let address = take::<Line<300>>(&given, Field::Address, f);
        let contract_number = take::<Line<100>>(&given, Field::ContractNumber, f);
        let contract_date = take::<Day>(&given, Field::ContractDate, f);
        let npd_since = take::<Day>(&given, Field::NpdSince, f);
        let npd_checked_on = take::<Day>(&given, Field::NpdCheckedOn, f);
        let npd = Npd { since: npd_since.map(|d| d.0), checked_on: npd_checked_on.map(|d| d.0) };
        npd.check(f);
        let known = |key: &str| Field::ALL.iter().any(|field| field.key() == key);
        let other = fields.iter().filter(|(key, _)| !known(key)).map(|(key, text)| ((*key).to_owned(), (*text).to_owned()));
        Payout {
            method: take(&given, Field::Method, f).unwrap_or(PayoutMethod::Manual),
            payee: Payee {
                country: requisites.country,
                kind: requisites.kind,
                name: name.map(|n| n.0),
                inn: requisites.inn,
                kpp: requisites.kpp,
                ogrn: requisites.ogrn,
                address: address.map(|a| a.0),
                contract_number: contract_number.map(|n| n.0),
                contract_date: contract_date.map(|d| d.0),
                npd,
            },
            bik: requisites.bik,
            account: requisites.account,
            correspondent_account: requisites.correspondent_account,
            bank_name: take::<Line<160>>(&given, Field::BankName, f).map(|n| n.0),
            iban: requisites.iban,
            swift: requisites.swift,
            email: take(&given, Field::Email, f),
            recipient_id: take::<Line<100>>(&given, Field::RecipientId, f).map(|id| id.0),
            other: other.collect(),
            faults,
        }
    }

    /// What is given and wrong.
    pub fn faults(&self) -> &[Fault] {
        &self.faults
    }

    /// As it is stored: every right value in its one form (no spaces, capital letters), then what is not known.
    pub fn fields(&self) -> Vec<(&str, String)> {
        fn shown<T: ToString>(value: &Option<T>) -> Option<String> {
            value.as_ref().map(T::to_string)
        }
        let payee = &self.payee;
        let value = |field| match field {
            Field::Method => Some(self.method.name().to_owned()),
            Field::Country => payee.country.map(|country| country.as_str().to_owned()),
            Field::Kind => payee.kind.map(|kind| kind.name().to_owned()),
            Field::Name => payee.name.clone(),
            Field::Inn => shown(&payee.inn),
            Field::Kpp => shown(&payee.kpp),
            Field::Ogrn => shown(&payee.ogrn),
            Field::Address => payee.address.clone(),
            Field::ContractNumber => payee.contract_number.clone(),
            Field::ContractDate => shown(&payee.contract_date),
            Field::NpdSince => shown(&payee.npd.since),
            Field::NpdCheckedOn => shown(&payee.npd.checked_on),
            Field::Bik => shown(&self.bik),
            Field::Account => self.account.as_ref().map(|account| account.as_str().to_owned()),
            Field::CorrespondentAccount => shown(&self.correspondent_account),
            Field::BankName => self.bank_name.clone(),
            Field::Iban => shown(&self.iban),
            Field::Swift => shown(&self.swift),
            Field::Email => self.email.as_ref().map(|email| email.as_str().to_owned()),
            Field::RecipientId => self.recipient_id.clone(),
        };
        let known = Field::ALL.into_iter().filter_map(|field| Some((field.key(), value(field)?)));
        known.chain(self.other.iter().map(|(key, text)| (key.as_str(), text.clone()))).collect()
    }
}
