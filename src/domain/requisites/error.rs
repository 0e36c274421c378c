//! What can be wrong with a requisite, in words that follow its name: "the INN" + "fails its check digit".

use super::{Field, Holder};
use crate::domain::link_target::NotACountry;
use crate::domain::money::Currency;
use crate::domain::text::TextError;

/// Why a requisite was refused, by itself or beside another one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequisiteError {
    #[error("is missing")]
    Missing,
    #[error("is missing, and so is the {}", .0.label())]
    MissingAndSoIs(Field),
    #[error("holds {0:?}; it is made of digits only")]
    NotADigit(char),
    #[error("has {has} digits; {wanted}")]
    Length { has: usize, wanted: &'static str },
    #[error("is all zeros")]
    AllZeros,
    #[error("fails its check digit: at least one digit is wrong")]
    CheckDigit,

    #[error("is no KPP: four digits, two digits or capital Latin letters, three digits")]
    NotAKpp,
    #[error("begins with {0}; an OGRN begins with 1 or 5, an OGRNIP with 3")]
    OgrnStart(char),
    #[error("begins with {0}; a Russian BIK begins with 0, 1 or 2")]
    BikStart(char),

    #[error("is no Russian account: 20 digits, the sixth of which may be one of the letters A B C E H K M P T X")]
    NotARussianAccount,
    #[error("is the bank's correspondent account, not the payee's")]
    IsCorrespondentAccount,
    #[error("is no correspondent account: it begins with 301")]
    NotACorrespondentAccount,
    #[error("does not go with the BIK {bik}: its control key is wrong")]
    AccountKey { bik: String },
    #[error("ends in {ends_in}, the BIK in {bik_ends_in}: it is another bank's")]
    OtherBank { ends_in: String, bik_ends_in: String },
    #[error("is no account number: up to 34 Latin letters, digits, '-', '/' and '.'")]
    NotAnAccount,
    #[error("is in {account}, the payout in {payout}")]
    OtherCurrency { account: Currency, payout: Currency },

    #[error("begins with {0}, where no IBANs are issued")]
    IbanCountry(String),
    #[error("has {has} characters; one of {country} has {wanted}")]
    IbanLength { country: String, has: usize, wanted: usize },
    #[error("has {found:?} where {country} has {wanted}")]
    IbanStructure { country: String, found: char, wanted: &'static str },
    #[error("fails its check digits: at least one character is wrong")]
    IbanCheckDigits,
    #[error("holds another {}", .0.label())]
    IbanHoldsAnother(Field),

    #[error("is no SWIFT code: four letters, a country, two letters or digits, and three more for a branch")]
    NotASwift,
    #[error("names the country {0}, which there is not")]
    SwiftCountry(String),
    #[error("is for tests only: its eighth character is 0")]
    TestSwift,
    #[error("is of a bank in {swift}, the IBAN of one in {iban}")]
    SwiftOfAnotherCountry { swift: String, iban: String },

    #[error("must be company, sole_trader, self_employed or individual")]
    NotAKind,
    #[error("has {digits} digits; that of {holder} has {wanted}")]
    InnOfAnotherKind { digits: usize, holder: Holder, wanted: usize },
    #[error("must be left out: {0} has none")]
    NoneFor(Holder),
    #[error("has {digits} digits; that of {holder} has {wanted}")]
    OgrnOfAnotherKind { digits: usize, holder: Holder, wanted: usize },
    #[error("begins with {begins}; that of {holder} begins with {wanted}")]
    AccountOfAnotherKind { begins: String, holder: Holder, wanted: String },

    #[error("must be manual, bank_ru, sepa, swift, paypal or wise")]
    NotAMethod,
    #[error("must be a day like 2026-10-31")]
    NotADay,
    #[error("is before 1 January 2019, when the tax on professional income began")]
    BeforeNpd,
    #[error("is before the day since which the tax is paid")]
    CheckedBeforeNpd,
    #[error(transparent)]
    Country(#[from] NotACountry),
    #[error(transparent)]
    Text(#[from] TextError),
}

/// A requisite and what is wrong with it; as a sentence: "the INN fails its check digit …".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the {} {error}", .field.label())]
pub struct Fault {
    pub field: Field,
    #[source]
    pub error: RequisiteError,
}

impl Fault {
    pub fn new(field: Field, error: impl Into<RequisiteError>) -> Fault {
        Fault { field, error: error.into() }
    }
}
