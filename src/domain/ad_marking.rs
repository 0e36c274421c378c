//! Marking of advertisements for the Russian register (ERIR): each creative has a token, the `erid`, which travels to the
//! destination with every click, and a contract whose figures are reported month by month (Federal Law 38-FZ, article 18.1).

use url::Url;

/// The query parameter that carries the token.
pub const ERID: &str = "erid";

/// A token of the advertising register: 1 to 60 Latin letters and digits, in the case it was given in.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Erid(String);

/// Why a text of ad marking was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AdMarkingError {
    #[error("an erid has 1 to 60 Latin letters and digits")]
    NotAnErid,
    #[error("an INN has 10 digits (a company) or 12 (a person)")]
    NotAnInn,
    #[error("is no INN: its check digit does not fit")]
    WrongCheckDigit,
}

impl Erid {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for Erid {
    type Err = AdMarkingError;
    fn from_str(text: &str) -> Result<Erid, AdMarkingError> {
        let text = text.trim();
        let fits = (1..=60).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric());
        if fits { Ok(Erid(text.to_owned())) } else { Err(AdMarkingError::NotAnErid) }
    }
}

/// The taxpayer's number of an advertiser, with check digits that fit (order of the Federal Tax Service ED-7-14/559).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdvertiserInn(String);

impl AdvertiserInn {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for AdvertiserInn {
    type Err = AdMarkingError;
    fn from_str(text: &str) -> Result<AdvertiserInn, AdMarkingError> {
        const WEIGHTS: [u32; 11] = [3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8];
        let text = text.trim();
        let digits: Vec<u32> = text.chars().filter_map(|c| c.to_digit(10)).collect();
        if digits.len() != text.chars().count() || !matches!(digits.len(), 10 | 12) {
            return Err(AdMarkingError::NotAnInn);
        }
        let fits = |place: usize| {
            let weights = &WEIGHTS[WEIGHTS.len() - place..];
            let sum: u32 = weights.iter().zip(&digits).map(|(weight, digit)| weight * digit).sum();
            digits[place] == sum % 11 % 10
        };
        let right = if digits.len() == 10 { fits(9) } else { fits(10) && fits(11) };
        if right { Ok(AdvertiserInn(text.to_owned())) } else { Err(AdMarkingError::WrongCheckDigit) }
    }
}

/// What a creative is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CreativeKind {
    Banner,
    Text,
    Video,
}

/// The `erid` that an address has of its own; empty if the parameter is there without a value.
pub fn erid_of(url: &Url) -> Option<String> {
    url.query_pairs().find(|(key, _)| key == ERID).map(|(_, value)| value.into_owned())
}

/// Whether a link lacks the mark that its program requires. Links of no partner are the merchant's own.
pub fn is_unmarked(required: bool, has_partner: bool, erid: Option<&str>) -> bool {
    required && has_partner && erid.is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_has_letters_and_digits() {
        assert_eq!(" 2VtzqwQwErTy ".parse::<Erid>().unwrap().as_str(), "2VtzqwQwErTy");
        assert!("a".repeat(60).parse::<Erid>().is_ok());
        for text in ["", " ", "a b", "a&b=c", "токен", "a-b", &"a".repeat(61)] {
            assert_eq!(text.parse::<Erid>(), Err(AdMarkingError::NotAnErid), "{text}");
        }
    }

    #[test]
    fn an_inn_has_check_digits() {
        for text in ["7707083893", "7736050003", "500100732259"] {
            assert!(text.parse::<AdvertiserInn>().is_ok(), "{text}");
        }
        for text in ["7707083894", "500100732258", "500100732269"] {
            assert_eq!(text.parse::<AdvertiserInn>(), Err(AdMarkingError::WrongCheckDigit), "{text}");
        }
        for text in ["", "770708389", "77070838930", "770708389x", "７７０７０８３８９３"] {
            assert_eq!(text.parse::<AdvertiserInn>(), Err(AdMarkingError::NotAnInn), "{text}");
        }
    }

    #[test]
    fn only_a_partners_link_where_marking_is_required_can_lack_it() {
        assert!(is_unmarked(true, true, None));
        assert!(!is_unmarked(false, true, None) && !is_unmarked(true, false, None) && !is_unmarked(true, true, Some("x")));
    }
}
