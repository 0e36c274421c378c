//! The number in the state register of companies or of sole traders.

use super::RequisiteError;
use super::digits::{digits, shown_as_text};

/// OGRN: 13 digits (a company), first 1 or 5; or OGRNIP: 15 digits (a sole trader), first 3.
///
/// The last digit is the last digit of the number before it mod 11, and mod 13 for a sole trader, whose remainders 10, 11
/// and 12 so end in 0, 1 and 2. Source: Ministry of Finance, order of 30.10.2017 N 165n.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Ogrn(String);

shown_as_text!(Ogrn);

impl Ogrn {
    pub fn is_of_company(&self) -> bool {
        self.0.len() == 13
    }

    pub(super) fn digits(&self) -> usize {
        self.0.len()
    }
}

impl std::str::FromStr for Ogrn {
    type Err = RequisiteError;
    fn from_str(text: &str) -> Result<Ogrn, RequisiteError> {
        let text = digits(text, &[13, 15], "an OGRN has 13 (a company), an OGRNIP 15 (a sole trader)")?;
        let (divisor, first): (u64, &[char]) = if text.len() == 13 { (11, &['1', '5']) } else { (13, &['3']) };
        let number = text.bytes().fold(0_u64, |number, b| number * 10 + u64::from(b - b'0'));
        if let Some(other) = text.chars().next().filter(|c| !first.contains(c)) {
            return Err(RequisiteError::OgrnStart(other));
        }
        if number / 10 % divisor % 10 == number % 10 { Ok(Ogrn(text)) } else { Err(RequisiteError::CheckDigit) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_digit_is_that_of_the_remainder() {
        for typed in ["1027700132195", "1027700229193", "5186633575035", "315594021631645", "322188485365760"] {
            assert!(typed.parse::<Ogrn>().is_ok(), "{typed}");
        }
        for typed in ["1027700132196", "1040307078851", "319176804411152"] {
            assert_eq!(typed.parse::<Ogrn>(), Err(RequisiteError::CheckDigit), "{typed}");
        }
        assert_eq!("2027700132194".parse::<Ogrn>(), Err(RequisiteError::OgrnStart('2')));
        assert_eq!("115594021631645".parse::<Ogrn>(), Err(RequisiteError::OgrnStart('1')));
        assert!(matches!("10277001321951".parse::<Ogrn>(), Err(RequisiteError::Length { has: 14, .. })));
    }

    #[test]
    fn remainders_over_nine_of_a_sole_trader_end_in_their_last_digit() {
        let mut seen = std::collections::BTreeSet::new();
        for before in 31_559_402_163_164_u64..31_559_402_163_164 + 13 {
            let (remainder, right) = (before % 13, format!("{before}{}", before % 13 % 10));
            assert!(right.parse::<Ogrn>().is_ok(), "{right}");
            seen.insert(remainder);
        }
        assert_eq!(seen.len(), 13);
    }
}
