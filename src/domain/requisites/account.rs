//! Bank accounts: the payee's, Russian or abroad, and the correspondent account of a Russian bank.

use super::digits::{compact, shown_as_text};
use super::{Bik, RequisiteError};
use crate::domain::money::Currency;

/// An account at a Russian bank: 20 digits. The first five say what it is for, digits 6 to 8 the currency (810: roubles);
/// the sixth may be a letter, for clearing currencies. The ninth is the control key, which holds only with the bank's BIK.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RussianAccount(String);

/// The letters of the sixth place by their value, 0 to 9 (Bank of Russia, order of 08.09.1997 N 515).
const LETTERS: &str = "ABCEHKMPTX";
/// The same keys on a Russian keyboard.
const CYRILLIC: &str = "АВСЕНКМРТХ";

impl RussianAccount {
    /// Whether it begins with one of `prefixes`.
    pub fn begins_with_any(&self, prefixes: &[&str]) -> bool {
        prefixes.iter().any(|prefix| self.0.starts_with(prefix))
    }

    /// The five digits that say what it is for.
    pub fn purpose(&self) -> &str {
        &self.0[..5]
    }

    /// The currency of digits 6 to 8; `None` for clearing currencies, metals and unknown codes.
    pub fn currency(&self) -> Option<Currency> {
        match &self.0[5..8] {
            "810" => Some(Currency::RUB),
            code => Currency::of_numeric(code.parse().ok()?),
        }
    }

    /// Whether it can be an account at this bank: the digits of the bank, then of the account, times 7, 1, 3, 7, 1, 3 …;
    /// the last digits of the products add up to a multiple of ten (N 515). For an account at an office of the Bank of
    /// Russia, it is the digits of the office.
    pub fn goes_with(&self, bik: &Bik) -> bool {
        self.key_holds(if bik.is_of_bank_of_russia() { bik.key_of_office() } else { bik.key_of_bank() })
    }

    fn key_holds(&self, before: Vec<u32>) -> bool {
        let value = |c: char| c.to_digit(10).or_else(|| LETTERS.find(c).and_then(|place| u32::try_from(place).ok()));
        let digits = before.into_iter().chain(self.0.chars().filter_map(value));
        digits.zip([7, 1, 3].into_iter().cycle()).map(|(digit, weight)| digit * weight % 10).sum::<u32>() % 10 == 0
    }
}

impl std::str::FromStr for RussianAccount {
    type Err = RequisiteError;
    fn from_str(text: &str) -> Result<RussianAccount, RequisiteError> {
        let latin = |(place, c)| match CYRILLIC.chars().position(|cyrillic| cyrillic == c) {
            Some(letter) if place == 5 => LETTERS.chars().nth(letter).unwrap_or(c),
            _ => c,
        };
        let text: String = compact(text).chars().enumerate().map(latin).collect();
        if text.bytes().all(|b| b.is_ascii_digit()) && text.len() != 20 {
            return Err(RequisiteError::Length { has: text.len(), wanted: "a Russian account has 20" });
        }
        let fits = |(place, c): (usize, char)| c.is_ascii_digit() || place == 5 && LETTERS.contains(c);
        if text.len() != 20 || !text.chars().enumerate().all(fits) {
            return Err(RequisiteError::NotARussianAccount);
        }
        if text.bytes().all(|b| b == b'0') { Err(RequisiteError::AllZeros) } else { Ok(RussianAccount(text)) }
    }
}

/// The account of a bank at the Bank of Russia; money to any of its customers passes through it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CorrespondentAccount(RussianAccount);

impl CorrespondentAccount {
    pub fn as_str(&self) -> &str {
        &self.0.0
    }

    /// Errors: the key does not hold with the office's digits of the BIK, or it ends otherwise than the BIK, and so is
    /// another bank's at the same office. A BIK of the office itself proves only the key.
    pub fn check_against(&self, bik: &Bik) -> Result<(), RequisiteError> {
        let ends_in = &self.as_str()[17..];
        if !self.0.key_holds(bik.key_of_office()) {
            Err(RequisiteError::AccountKey { bik: bik.to_string() })
        } else if ends_in != bik.bank() && !bik.is_of_bank_of_russia() {
            Err(RequisiteError::OtherBank { ends_in: ends_in.to_owned(), bik_ends_in: bik.bank().to_owned() })
        } else {
            Ok(())
        }
    }
}

impl std::fmt::Display for CorrespondentAccount {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for CorrespondentAccount {
    type Err = RequisiteError;
    fn from_str(text: &str) -> Result<CorrespondentAccount, RequisiteError> {
        let account: RussianAccount = text.parse()?;
        if account.begins_with_any(&["301"]) {
            Ok(CorrespondentAccount(account))
        } else {
            Err(RequisiteError::NotACorrespondentAccount)
        }
    }
}

/// An account anywhere else, in its bank's own form: ISO 20022 has 34 characters for it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ForeignAccount(String);

shown_as_text!(RussianAccount, ForeignAccount);

impl std::str::FromStr for ForeignAccount {
    type Err = RequisiteError;
    fn from_str(text: &str) -> Result<ForeignAccount, RequisiteError> {
        let text: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        let fits = text.len() <= 34
            && text.bytes().any(|b| b.is_ascii_digit())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-/.".contains(&b));
        if fits { Ok(ForeignAccount(text)) } else { Err(RequisiteError::NotAnAccount) }
    }
}

/// The payee's account.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Account {
    Russian(RussianAccount),
    Foreign(ForeignAccount),
}

impl Account {
    pub fn as_str(&self) -> &str {
        match self {
            Account::Russian(account) => account.as_str(),
            Account::Foreign(account) => account.as_str(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(text: &str) -> RussianAccount {
        text.parse().unwrap()
    }

    fn bik(text: &str) -> Bik {
        text.parse().unwrap()
    }

    #[test]
    fn the_examples_of_the_order_hold() {
        assert!("30101810800000000746".parse::<CorrespondentAccount>().unwrap().check_against(&bik("049805000")).is_ok());
        assert!("30101810800000000746".parse::<CorrespondentAccount>().unwrap().check_against(&bik("049805746")).is_ok());
        assert!(account("40602810700000000025").goes_with(&bik("049805746")));
        assert!(account("30114B84600000000501").goes_with(&bik("044541312")));
        assert_eq!(account("30114в84600000000501").as_str(), "30114B84600000000501");
    }

    #[test]
    fn an_account_of_another_bank_is_seen() {
        assert!(account("40802810113912393669").goes_with(&bik("044525974")));
        assert!(!account("40802810813912393669").goes_with(&bik("044525974")));
        assert!(!account("40702810232583962085").goes_with(&bik("044525225")));
        let correspondent: CorrespondentAccount = "30101810400000000225".parse().unwrap();
        assert_eq!(correspondent.check_against(&bik("044525225")), Ok(()));
        assert!(matches!(correspondent.check_against(&bik("044525974")), Err(RequisiteError::OtherBank { .. })));
        assert!(matches!(correspondent.check_against(&bik("049805746")), Err(RequisiteError::AccountKey { .. })));
        assert_eq!("40702810400000000225".parse::<CorrespondentAccount>(), Err(RequisiteError::NotACorrespondentAccount));
    }

    #[test]
    fn an_account_at_a_cash_settlement_centre_takes_the_digits_of_the_office() {
        let with_key = |key: u32| account(&format!("40702810{key}00000000025"));
        let fits = |bik: &Bik| (0..10).filter(|key| with_key(*key).goes_with(bik)).collect::<Vec<_>>();
        // Both reckon with 0, 8, 0 before the account.
        assert_eq!(fits(&bik("049880001")), fits(&bik("044525080")));
        assert_ne!(fits(&bik("049880001")), fits(&bik("044525001")), "001 is an office, not a bank");
    }

    #[test]
    fn the_form_is_twenty_digits_and_a_letter_in_the_sixth_place_at_most() {
        assert_eq!(account("40702810 9000 0000 0025").as_str(), "40702810900000000025");
        for text in ["4070281090000000002", "407028109000000000255", "", "4070281090000000002A", "40702D10900000000025"] {
            assert!(text.parse::<RussianAccount>().is_err(), "{text}");
        }
        assert_eq!("00000000000000000000".parse::<RussianAccount>(), Err(RequisiteError::AllZeros));
    }

    #[test]
    fn an_account_says_its_currency() {
        for (text, code) in [
            ("40702810900000000025", Some("RUB")),
            ("40702840900000000025", Some("USD")),
            ("40702978900000000025", Some("EUR")),
            ("40702398900000000025", Some("KZT")),
            ("30114B84600000000501", None),
            ("40702000900000000025", None),
        ] {
            assert_eq!(account(text).currency().map(Currency::code), code, "{text}");
        }
    }

    #[test]
    fn a_foreign_account_is_whatever_its_bank_writes() {
        for text in ["1234567", "021000021/123-456", "LB62 0999 0000 0001 0019 0122 9114"] {
            assert!(text.parse::<ForeignAccount>().is_ok(), "{text}");
        }
        for text in ["", "-", "счёт 5", "1;DROP", "12345678901234567890123456789012345"] {
            assert!(text.parse::<ForeignAccount>().is_err(), "{text}");
        }
    }
}
