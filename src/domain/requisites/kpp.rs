//! The code of the reason for a tax registration.

use super::RequisiteError;
use super::digits::{compact, shown_as_text};

/// KPP: the tax office (4 digits), the reason (2 digits or capital Latin letters), a number (3 digits). No check digit.
///
/// Structure: Federal Tax Service, order of 29.06.2012 N MMV-7-6/435@.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Kpp(String);

shown_as_text!(Kpp);

impl std::str::FromStr for Kpp {
    type Err = RequisiteError;
    fn from_str(text: &str) -> Result<Kpp, RequisiteError> {
        let text = compact(text);
        let fits = text.len() == 9
            && text.bytes().enumerate().all(|(place, b)| b.is_ascii_digit() || (4..6).contains(&place) && b.is_ascii_uppercase());
        match fits {
            true if text.bytes().all(|b| b == b'0') => Err(RequisiteError::AllZeros),
            true => Ok(Kpp(text)),
            false => Err(RequisiteError::NotAKpp),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_reason_may_have_letters() {
        for typed in ["773601001", "7736AZ001", "77360a001", " 7736 01 001"] {
            assert!(typed.parse::<Kpp>().is_ok(), "{typed}");
        }
        for typed in ["", "77360100", "7736010011", "773A01001", "77360100A", "7736АБ001", "000000000"] {
            assert!(typed.parse::<Kpp>().is_err(), "{typed}");
        }
    }
}
