//! The code of a bank in the world.

use super::RequisiteError;
use super::digits::{compact, shown_as_text};
use crate::domain::link_target::Country;

/// BIC (ISO 9362): bank (4 letters), country (2), place (2), and for a branch 3 more.
///
/// The place is as ISO 20022 `pain.001.001.03` takes it: first no 0 or 1, then no O. A second character 0 is a test code.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Swift(String);

shown_as_text!(Swift);

impl Swift {
    /// The two letters of the country.
    pub fn country(&self) -> &str {
        &self.0[4..6]
    }
}

impl std::str::FromStr for Swift {
    type Err = RequisiteError;
    fn from_str(text: &str) -> Result<Swift, RequisiteError> {
        let text = compact(text);
        let fits = matches!(text.len(), 8 | 11)
            && text.bytes().enumerate().all(|(place, b)| match place {
                0..6 => b.is_ascii_uppercase(),
                6 => matches!(b, b'A'..=b'Z' | b'2'..=b'9'),
                7 => b.is_ascii_digit() || b.is_ascii_uppercase() && b != b'O',
                _ => b.is_ascii_digit() || b.is_ascii_uppercase(),
            });
        if !fits {
            return Err(RequisiteError::NotASwift);
        }
        let country = &text[4..6];
        if country.parse::<Country>().is_err() {
            return Err(RequisiteError::SwiftCountry(country.to_owned()));
        }
        if text.as_bytes()[7] == b'0' { Err(RequisiteError::TestSwift) } else { Ok(Swift(text)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_a_bank_a_country_a_place_and_perhaps_a_branch() {
        for typed in ["DEUTDEFF", "deutdeff500", "SABRRUMM", "NEDSZAJJXXX", "DSBACNBXSHA", "UNCRIT2B912", "BOFAUS3N"] {
            assert!(typed.parse::<Swift>().is_ok(), "{typed}");
        }
        for (typed, error) in [
            ("DEUTDEF", RequisiteError::NotASwift),
            ("DEUTDEFF5", RequisiteError::NotASwift),
            ("DEU1DEFF", RequisiteError::NotASwift),
            ("DEUTDE1F", RequisiteError::NotASwift),
            ("DEUTDEFO", RequisiteError::NotASwift),
            ("ДЕУТDEFF", RequisiteError::NotASwift),
            ("", RequisiteError::NotASwift),
            ("DEUTZZFF", RequisiteError::SwiftCountry("ZZ".to_owned())),
            ("DEUTDEF0", RequisiteError::TestSwift),
        ] {
            assert_eq!(typed.parse::<Swift>(), Err(error), "{typed}");
        }
    }
}
