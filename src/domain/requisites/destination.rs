//! Where money is sent, with nothing missing; and what is missing.

use super::{
    Account, Bik, CorrespondentAccount, Fault, Field, ForeignAccount, Iban, Inn, PayeeKind, Payout, RequisiteError,
    RussianAccount, Swift,
};
use crate::domain::link_target::Country;
use crate::domain::money::Currency;
use crate::domain::partner::PayoutMethod;
use crate::domain::text::Email;

/// All that a payment by its method needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    /// Nothing: a person pays by hand.
    Manual,
    BankRu {
        name: String,
        kind: PayeeKind,
        /// An individual need not tell it to be paid.
        inn: Option<Inn>,
        bik: Bik,
        account: RussianAccount,
        /// Belongs to the BIK; banks find it by that.
        correspondent_account: Option<CorrespondentAccount>,
        bank_name: Option<String>,
    },
    Sepa {
        name: String,
        iban: Iban,
        swift: Option<Swift>,
    },
    Swift {
        name: String,
        address: String,
        country: Country,
        account: AccountAbroad,
        swift: Swift,
    },
    Paypal {
        email: Email,
    },
    Wise {
        name: String,
        recipient: WiseRecipient,
    },
}

/// The account of a payment by SWIFT.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccountAbroad {
    Iban(Iban),
    Other(ForeignAccount),
    Russian(RussianAccount),
}

/// How Wise finds the payee.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WiseRecipient {
    Id(String),
    Email(Email),
}

/// What a payment by the payout's method needs and the payout does not have. What is given and wrong is not missing: see
/// [`Payout::faults`].
pub fn missing(payout: &Payout) -> Vec<Fault> {
    let is_wrong = |field| payout.faults().iter().any(|fault| fault.field == field);
    let given_and_wrong =
        |fault: &Fault| is_wrong(fault.field) || matches!(fault.error, RequisiteError::MissingAndSoIs(other) if is_wrong(other));
    let absent = assemble(payout, "").err().unwrap_or_default();
    absent.into_iter().filter(|fault| !given_and_wrong(fault)).collect()
}

/// Everything in its place, or what is wrong and what is missing. A fault in what the method does not use (an IBAN beside a
/// PayPal address) is no obstacle, one in what the documents need (a tax number) is; a payout by hand needs nothing.
///
/// `partner_name` stands in where the payee has no name of its own; `currency` is that of the run: a Russian account takes
/// only its own.
pub fn ready_for_payment(payout: &Payout, partner_name: &str, currency: Currency) -> Result<Destination, Vec<Fault>> {
    let wrong = payout.faults().iter().filter(|fault| uses(payout.method, fault.field)).cloned();
    let mut faults: Vec<Fault> = wrong.chain(missing(payout)).collect();
    let assembled = assemble(payout, partner_name);
    if let Ok(Destination::BankRu { account, .. }) = &assembled
        && let Some(other) = account.currency().filter(|other| *other != currency)
    {
        let error = RequisiteError::OtherCurrency { account: other, payout: currency };
        faults.push(Fault::new(Field::Account, error));
    }
    if faults.is_empty() { assembled } else { Err(faults) }
}

fn uses(method: PayoutMethod, field: Field) -> bool {
    let of_bank: &[Field] = match method {
        PayoutMethod::Manual => return field == Field::Method,
        PayoutMethod::BankRu => &[Field::Bik, Field::Account, Field::CorrespondentAccount, Field::BankName],
        PayoutMethod::Sepa => &[Field::Iban, Field::Swift],
        PayoutMethod::Swift => &[Field::Account, Field::Iban, Field::Swift],
        PayoutMethod::Paypal => &[Field::Email],
        PayoutMethod::Wise => &[Field::Email, Field::RecipientId],
    };
    match field {
        Field::Method
        | Field::Country
        | Field::Kind
        | Field::Name
        | Field::Inn
        | Field::Kpp
        | Field::Ogrn
        | Field::Address
        | Field::ContractNumber
        | Field::ContractDate
        | Field::NpdSince
        | Field::NpdCheckedOn => true,
        Field::Bik
        | Field::Account
        | Field::CorrespondentAccount
        | Field::BankName
        | Field::Iban
        | Field::Swift
        | Field::Email
        | Field::RecipientId => of_bank.contains(&field),
    }
}

/// The destination, or all that is missing.
fn assemble(payout: &Payout, partner_name: &str) -> Result<Destination, Vec<Fault>> {
    let payee = &payout.payee;
    let mut wanted = Wanted::default();
    let name = || payee.name.clone().unwrap_or_else(|| partner_name.to_owned());
    let destination = match payout.method {
        PayoutMethod::Manual => Some(Destination::Manual),
        PayoutMethod::BankRu => {
            let kind = wanted.one(Field::Kind, payee.known_kind());
            let inn = match kind {
                Some(PayeeKind::Individual) => payee.inn.clone(),
                _ => wanted.one(Field::Inn, payee.inn.clone()),
            };
            let bik = wanted.one(Field::Bik, payout.bik.clone());
            let account = match &payout.account {
                Some(Account::Russian(account)) => Some(account.clone()),
                // Without a BIK it may have been taken for one abroad.
                Some(Account::Foreign(_)) => None,
                None => wanted.one(Field::Account, None),
            };
            let (correspondent_account, bank_name) = (payout.correspondent_account.clone(), payout.bank_name.clone());
            kind.zip(bik).zip(account).map(|((kind, bik), account)| Destination::BankRu {
                name: name(),
                kind,
                inn,
                bik,
                account,
                correspondent_account,
                bank_name,
            })
        }
        PayoutMethod::Sepa => {
            let iban = wanted.one(Field::Iban, payout.iban.clone());
            iban.map(|iban| Destination::Sepa { name: name(), iban, swift: payout.swift.clone() })
        }
        PayoutMethod::Swift => {
            let account = match (&payout.iban, &payout.account) {
                (Some(iban), _) => Some(AccountAbroad::Iban(iban.clone())),
                (None, Some(Account::Foreign(account))) => Some(AccountAbroad::Other(account.clone())),
                (None, Some(Account::Russian(account))) => Some(AccountAbroad::Russian(account.clone())),
                (None, None) => None,
            };
            let account = wanted.either(Field::Iban, Field::Account, account);
            let swift = wanted.one(Field::Swift, payout.swift.clone());
            let address = wanted.one(Field::Address, payee.address.clone());
            let country = wanted.one(Field::Country, payee.country);
            account.zip(swift).zip(address).zip(country).map(|(((account, swift), address), country)| Destination::Swift {
                name: name(),
                address,
                country,
                account,
                swift,
            })
        }
        PayoutMethod::Paypal => wanted.one(Field::Email, payout.email.clone()).map(|email| Destination::Paypal { email }),
        PayoutMethod::Wise => {
            let id = payout.recipient_id.clone().map(WiseRecipient::Id);
            let recipient = id.or_else(|| payout.email.clone().map(WiseRecipient::Email));
            let recipient = wanted.either(Field::Email, Field::RecipientId, recipient);
            recipient.map(|recipient| Destination::Wise { name: name(), recipient })
        }
    };
    match destination {
        Some(destination) if wanted.0.is_empty() => Ok(destination),
        _ => Err(wanted.0),
    }
}

/// Gathers what is missing.
#[derive(Default)]
struct Wanted(Vec<Fault>);

impl Wanted {
    fn one<T>(&mut self, field: Field, value: Option<T>) -> Option<T> {
        if value.is_none() {
            self.0.push(Fault::new(field, RequisiteError::Missing));
        }
        value
    }

    fn either<T>(&mut self, field: Field, other: Field, value: Option<T>) -> Option<T> {
        if value.is_none() {
            self.0.push(Fault::new(field, RequisiteError::MissingAndSoIs(other)));
        }
        value
    }
}
