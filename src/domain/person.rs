//! The identifiers that join touches and orders into persons, and their keyed hashes.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// What kind of thing tells two visits to be of one person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IdentifierKind {
    Click,
    Visitor,
    Customer,
    Email,
    Phone,
}

/// One identifier; e-mail and phone are keyed hashes, never clear text.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Identifier {
    pub kind: IdentifierKind,
    pub value: String,
}

impl Identifier {
    pub fn new(kind: IdentifierKind, value: impl Into<String>) -> Identifier {
        Identifier { kind, value: value.into() }
    }
}

/// The secret under which e-mail addresses and phones are hashed.
#[derive(Clone)]
pub struct HashKey(pub [u8; 32]);

impl HashKey {
    fn hash(&self, what: &str, text: &str) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes a key of any length");
        mac.update(what.as_bytes());
        mac.update(b":");
        mac.update(text.as_bytes());
        hex::encode(mac.finalize().into_bytes())
    }

    /// The hash of an e-mail address: trimmed and lower-cased, plus-tags and dots kept. `None` if there is no `@`.
    pub fn email(&self, email: &str) -> Option<String> {
        let email = email.trim().to_lowercase();
        email.contains('@').then(|| self.hash("email", &email))
    }

    /// The hash of a phone number in E.164 digits; Russian `8…` is `+7…`. `None` if it has under 7 or over 15 digits.
    pub fn phone(&self, phone: &str) -> Option<String> {
        let international = phone.trim_start().starts_with('+');
        let digits: String = phone.chars().filter(char::is_ascii_digit).collect();
        if !(7..=15).contains(&digits.len()) {
            return None;
        }
        let digits = match digits.strip_prefix('8') {
            Some(rest) if !international && digits.len() == 11 => format!("7{rest}"),
            _ if !international && digits.len() == 10 => format!("7{digits}"),
            _ => digits,
        };
        Some(self.hash("phone", &digits))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_person_hashes_the_same_however_they_type() {
        let key = HashKey([7; 32]);
        assert_eq!(key.email(" Anna@Shop.Example"), key.email("anna@shop.example"));
        assert_ne!(key.email("anna+a@shop.example"), key.email("anna@shop.example"));
        assert_eq!(key.phone("8 (912) 345-67-89"), key.phone("+7 912 345 67 89"));
        assert_eq!(key.phone("9123456789"), key.phone("+79123456789"));
        assert_ne!(key.phone("+44 20 7946 0018"), key.phone("+7 20 7946 0018"));
        assert_eq!(key.phone("12"), None);
        assert_ne!(key.email("a@b.c"), HashKey([8; 32]).email("a@b.c"));
    }
}
