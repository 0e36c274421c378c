//! The taxpayer's number.

use super::RequisiteError;
use super::digits::{digits, shown_as_text, values};

/// INN: 10 digits (a company) or 12 (a person, sole traders among them).
///
/// Structure: Federal Tax Service, order of 29.06.2012 N MMV-7-6/435@. The check digit is the sum of the digits before it
/// times the weights below, mod 11 mod 10; 12 digits have two, each over all before it. So the last of the sum's eleven
/// remainders is written like the first, and an error between these two stays unseen.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Inn(String);

shown_as_text!(Inn);

/// The weights of the longest case; a shorter one takes their end.
const WEIGHTS: [u32; 11] = [3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8];

impl Inn {
    pub fn is_of_company(&self) -> bool {
        self.0.len() == 10
    }

    pub(super) fn digits(&self) -> usize {
        self.0.len()
    }
}

/// The check digit after `before`, of 9 to 11 digits.
pub(super) fn check_digit(before: &[u32]) -> u32 {
    let weights = &WEIGHTS[WEIGHTS.len().saturating_sub(before.len())..];
    before.iter().zip(weights).map(|(digit, weight)| digit * weight).sum::<u32>() % 11 % 10
}

impl std::str::FromStr for Inn {
    type Err = RequisiteError;
    fn from_str(text: &str) -> Result<Inn, RequisiteError> {
        let text = digits(text, &[10, 12], "an INN has 10 (a company) or 12 (a person)")?;
        let all = values(&text);
        let first_check = if all.len() == 10 { 9 } else { 10 };
        let right = (first_check..all.len()).all(|place| check_digit(&all[..place]) == all[place]);
        if right { Ok(Inn(text)) } else { Err(RequisiteError::CheckDigit) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_told_from_mistyped_ones_by_their_check_digits() {
        use RequisiteError::{AllZeros, CheckDigit, Length, NotADigit};
        let wanted = "an INN has 10 (a company) or 12 (a person)";
        for (typed, expected) in [
            ("7707083893", Ok("7707083893")),
            (" 7707 083\u{a0}893\n", Ok("7707083893")),
            ("005826107187", Ok("005826107187")),
            ("7707083894", Err(CheckDigit)),
            ("005826107197", Err(CheckDigit)),
            ("005826107188", Err(CheckDigit)),
            ("0000000000", Err(AllZeros)),
            ("000000000000", Err(AllZeros)),
            ("770708389", Err(Length { has: 9, wanted })),
            ("77070838930", Err(Length { has: 11, wanted })),
            ("", Err(Length { has: 0, wanted })),
            ("77O7083893", Err(NotADigit('O'))),
            ("77-07083893", Err(NotADigit('-'))),
            ("٧٧٠٧٠٨٣٨٩٣", Err(NotADigit('٧'))),
        ] {
            assert_eq!(typed.parse::<Inn>().as_ref().map(Inn::as_str), expected.as_ref().copied(), "{typed}");
        }
    }
}
