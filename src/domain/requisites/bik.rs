//! The code of a bank within Russia.

use super::RequisiteError;
use super::digits::{digits, shown_as_text, values};

/// BIK: 9 digits. Digits 5 and 6 are the office of the Bank of Russia, 7 to 9 the bank; no check digit.
///
/// Structure: Bank of Russia, regulation of 24.09.2020 N 732-P. The first digit says how the bank takes part in the payment
/// system: 0, 1 or 2.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Bik(String);

shown_as_text!(Bik);

impl Bik {
    /// The last three digits, by which a bank's correspondent account ends too.
    pub fn bank(&self) -> &str {
        &self.0[6..]
    }

    /// Whether it is an office of the Bank of Russia itself, a cash-settlement centre: 000, 001 or 002 at the end.
    pub fn is_of_bank_of_russia(&self) -> bool {
        matches!(self.bank(), "000" | "001" | "002")
    }

    /// What stands before an account at this bank when its key is reckoned.
    pub(super) fn key_of_bank(&self) -> Vec<u32> {
        values(self.bank())
    }

    /// What stands before an account at the Bank of Russia's office when its key is reckoned: 0 and digits 5 and 6.
    pub(super) fn key_of_office(&self) -> Vec<u32> {
        let mut key = vec![0];
        key.extend(values(&self.0[4..6]));
        key
    }
}

impl std::str::FromStr for Bik {
    type Err = RequisiteError;
    fn from_str(text: &str) -> Result<Bik, RequisiteError> {
        let text = digits(text, &[9], "a BIK has 9")?;
        match text.chars().next().filter(|first| !matches!(first, '0' | '1' | '2')) {
            Some(other) => Err(RequisiteError::BikStart(other)),
            None => Ok(Bik(text)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nine_digits_of_which_the_first_is_small() {
        for typed in ["044525225", "004525988", "14 4525 225", "244525225"] {
            assert!(typed.parse::<Bik>().is_ok(), "{typed}");
        }
        assert_eq!("O44525225".parse::<Bik>(), Err(RequisiteError::NotADigit('O')));
        assert_eq!("944525225".parse::<Bik>(), Err(RequisiteError::BikStart('9')));
        assert_eq!("000000000".parse::<Bik>(), Err(RequisiteError::AllZeros));
        assert_eq!("04452522".parse::<Bik>(), Err(RequisiteError::Length { has: 8, wanted: "a BIK has 9" }));
    }
}
