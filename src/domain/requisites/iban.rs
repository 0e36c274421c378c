//! International account numbers.

use super::digits::{compact, shown_as_text};
use super::iban_registry::{Issuer, issues};
use super::{Bik, Field, RequisiteError, RussianAccount};

/// IBAN (ISO 13616): country, two check digits, and the country's own account number, of the length and with letters and
/// digits where the registry has them. In capital letters without spaces.
///
/// Check digits: ISO 7064 MOD 97-10 over the number with its first four characters moved to the end, A being 10 and Z 35.
/// They lie between 02 and 98; 00, 01 and 99 would pass the sum, but are never issued.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Iban(String);

shown_as_text!(Iban);

impl Iban {
    /// The two letters of the country.
    pub fn country(&self) -> &str {
        &self.0[..2]
    }

    /// Whether a bank in this country may have issued it.
    pub fn may_be_of(&self, bank_country: &str) -> bool {
        issues(bank_country, self.country())
    }

    /// A Russian one is the BIK and the account in one.
    ///
    /// Errors: it holds another BIK or account than these.
    pub(super) fn check_against(&self, bik: Option<&Bik>, account: Option<&RussianAccount>) -> Result<(), RequisiteError> {
        if self.country() != "RU" {
            return Ok(());
        }
        let (holds_bik, holds_account) = (&self.0[4..13], &self.0[13..]);
        if bik.is_some_and(|bik| bik.as_str() != holds_bik) {
            Err(RequisiteError::IbanHoldsAnother(Field::Bik))
        } else if account.is_some_and(|account| account.as_str() != holds_account) {
            Err(RequisiteError::IbanHoldsAnother(Field::Account))
        } else {
            Ok(())
        }
    }
}

/// The remainder by 97 of a text as ISO 7064 reads it.
pub(super) fn remainder(text: &str) -> u32 {
    text.chars().filter_map(|c| c.to_digit(36)).fold(0, |rest, value| {
        let shift = if value < 10 { 10 } else { 100 };
        (rest * shift + value) % 97
    })
}

impl std::str::FromStr for Iban {
    type Err = RequisiteError;
    fn from_str(text: &str) -> Result<Iban, RequisiteError> {
        let text = compact(text);
        let country: String = text.chars().take(2).collect();
        let issuer = Issuer::of(&country).ok_or_else(|| RequisiteError::IbanCountry(country.clone()))?;
        let has = text.chars().count();
        if has != issuer.length() {
            return Err(RequisiteError::IbanLength { country, has, wanted: issuer.length() });
        }
        let classes = issuer.parts().flat_map(|(length, class)| std::iter::repeat_n(class, length));
        for (found, class) in text.chars().skip(2).zip("nn".chars().chain(classes)) {
            let (fits, wanted) = match class {
                'n' => (found.is_ascii_digit(), "a digit"),
                'a' => (found.is_ascii_uppercase(), "a letter"),
                _ => (found.is_ascii_digit() || found.is_ascii_uppercase(), "a letter or a digit"),
            };
            if !fits {
                return Err(RequisiteError::IbanStructure { country, found, wanted });
            }
        }
        let (head, account) = text.split_at(4);
        let check_digits = &head[2..];
        let right = remainder(&format!("{account}{head}")) == 1 && !matches!(check_digits, "00" | "01" | "99");
        if right { Ok(Iban(text)) } else { Err(RequisiteError::IbanCheckDigits) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_registrys_examples_are_taken() {
        for typed in [
            "DE89370400440532013000",
            "DE02120300000000202051",
            "GB29NWBK60161331926819",
            "FR1420041010050500013M02606",
            "BE68539007547034",
            "NO9386011117947",
            "MT84MALT011000012345MTLCAST001S",
            "LC55HEMM000100010012001200023015",
            "KZ86125KZT5004100100",
            "BY13NBRB3600900000002Z00AB00",
            "UA213223130000026007233566001",
            "BR1800360305000010009795493C1",
            "MU17BOMM0101101030300200000MUR",
            "RU0304452522540817810538091310419",
            "gb29 nwbk 6016 1331 9268 19",
        ] {
            assert!(typed.parse::<Iban>().is_ok(), "{typed}: {:?}", typed.parse::<Iban>());
        }
    }

    #[test]
    fn each_fault_is_named() {
        let refused = |typed: &str| typed.parse::<Iban>().unwrap_err();
        assert_eq!(refused("DE88370400440532013000"), RequisiteError::IbanCheckDigits);
        assert_eq!(refused("US89370400440532013000"), RequisiteError::IbanCountry("US".to_owned()));
        assert_eq!(refused(""), RequisiteError::IbanCountry(String::new()));
        assert_eq!(
            refused("DE8937040044053201300"),
            RequisiteError::IbanLength { country: "DE".to_owned(), has: 21, wanted: 22 }
        );
        let structure =
            |country: &str, found, wanted| RequisiteError::IbanStructure { country: country.to_owned(), found, wanted };
        assert_eq!(refused("DE8937040044053201300A"), structure("DE", 'A', "a digit"));
        assert_eq!(refused("GB29NW1K60161331926819"), structure("GB", '1', "a letter"));
        assert_eq!(refused("FR142004101005050001-M02606"), structure("FR", '-', "a letter or a digit"));
        assert_eq!(refused("GB2ЯNWBK60161331926819"), structure("GB", 'Я', "a digit"));
    }

    #[test]
    fn check_digits_that_are_never_issued_are_refused_though_the_sum_holds() {
        for (never, issued) in [("00", "97"), ("01", "98"), ("99", "02")] {
            let account = (0..1000).map(|n| format!("3704004405320{n:05}"));
            let fits = |account: &String| remainder(&format!("{account}DE{never}")) == 1;
            let account = account.into_iter().find(fits).unwrap();
            assert_eq!(format!("DE{never}{account}").parse::<Iban>(), Err(RequisiteError::IbanCheckDigits));
            assert!(format!("DE{issued}{account}").parse::<Iban>().is_ok());
        }
    }

    #[test]
    fn an_island_has_its_own_bank_codes_but_its_countrys_ibans() {
        let british: Iban = "GB29NWBK60161331926819".parse().unwrap();
        assert!(british.may_be_of("GB") && british.may_be_of("JE") && !british.may_be_of("IE"));
        let irish: Iban = "IE29AIBK93115212345678".parse().unwrap();
        assert!(!irish.may_be_of("GB"));
    }
}
