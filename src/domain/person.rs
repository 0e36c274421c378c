//! The identifiers that join touches and orders into persons, their keyed hashes, and the rules of joining
//! ([`union`]).

mod email;
mod phone;
pub mod union;

use hmac::Mac;

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

impl IdentifierKind {
    fn strength(self) -> u8 {
        match self {
            IdentifierKind::Customer => 0,
            IdentifierKind::Email => 1,
            IdentifierKind::Phone => 2,
            IdentifierKind::Visitor => 3,
            IdentifierKind::Click => 4,
        }
    }

    /// Its name outside.
    pub fn name(self) -> &'static str {
        match self {
            IdentifierKind::Click => "click",
            IdentifierKind::Visitor => "visitor",
            IdentifierKind::Customer => "customer",
            IdentifierKind::Email => "email",
            IdentifierKind::Phone => "phone",
        }
    }

    /// Whether it stands for a customer where orders are counted: not a browser, and not a click.
    pub fn is_of_customer(self) -> bool {
        matches!(self, IdentifierKind::Customer | IdentifierKind::Email | IdentifierKind::Phone)
    }

    /// Whether an identifier tied to `customers` is shared, so that it joins nothing. A customer id stands for one customer.
    pub fn is_shared(self, customers: i64, most_customers: i64) -> bool {
        self != IdentifierKind::Customer && customers > most_customers
    }
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

    /// What sorts first tells best who somebody is: customer, e-mail, phone, visitor, click; then by value.
    pub fn strength(&self) -> (u8, &str) {
        (self.kind.strength(), &self.value)
    }
}

/// What an order or a lead says of whose it is. E-mail and phone are keyed hashes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Who {
    pub customer_id: Option<String>,
    pub email_hash: Option<String>,
    pub phone_hash: Option<String>,
    pub visitor_id: Option<String>,
    pub click_id: Option<String>,
}

/// The secret under which e-mail addresses and phones are hashed.
#[derive(Clone)]
pub struct HashKey(pub [u8; 32]);

impl HashKey {
    fn hash(&self, what: &str, text: &str) -> String {
        let mut mac = super::signature::keyed(&self.0);
        mac.update(what.as_bytes());
        mac.update(b":");
        mac.update(text.as_bytes());
        hex::encode(mac.finalize().into_bytes())
    }

    /// The hash of an e-mail address in its normalised form (plus-tags and dots stay). `None` if it is no address.
    pub fn email(&self, email: &str) -> Option<String> {
        Some(self.hash("email", &email::normalised(email)?))
    }

    /// The hash of a phone number in the digits of E.164 (Russian `8…` is `+7…`). `None` if it is no number.
    pub fn phone(&self, phone: &str) -> Option<String> {
        Some(self.hash("phone", &phone::e164(phone)?))
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
