//! Marking of advertisements for the Russian register (ERIR): each creative has a token, the `erid`, which travels to the
//! destination with every click, and a contract whose figures are reported month by month (Federal Law 38-FZ, article 18.1).

use url::Url;

/// The query parameter that carries the token.
pub const ERID: &str = "erid";

/// A token of the advertising register: 1 to 60 Latin letters and digits, in the case it was given in.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Erid(String);

/// The text is no token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an erid has 1 to 60 Latin letters and digits")]
pub struct NotAnErid;

impl Erid {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for Erid {
    type Err = NotAnErid;
    fn from_str(text: &str) -> Result<Erid, NotAnErid> {
        let text = text.trim();
        let fits = (1..=60).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric());
        if fits { Ok(Erid(text.to_owned())) } else { Err(NotAnErid) }
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
            assert_eq!(text.parse::<Erid>(), Err(NotAnErid), "{text}");
        }
    }

    #[test]
    fn only_a_partners_link_where_marking_is_required_can_lack_it() {
        assert!(is_unmarked(true, true, None));
        assert!(!is_unmarked(false, true, None) && !is_unmarked(true, false, None) && !is_unmarked(true, true, Some("x")));
    }
}
