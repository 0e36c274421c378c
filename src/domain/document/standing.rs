//! Who a payee is before Russian tax law.

use crate::domain::requisites::{Payee, PayeeKind};

/// Decides what is withheld of a payment and which papers belong to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    Company,
    SoleTrader,
    /// Pays the tax on professional income; may be a citizen of another country of the Eurasian Economic Union.
    SelfEmployed,
    /// A person who is resident in Russia for tax; whoever pays withholds the tax.
    Individual,
    /// Of another country: taxed there, nothing is withheld here.
    Foreign,
}

impl Standing {
    /// `None`: not known, so nothing is withheld and nothing is asked for.
    pub fn of(payee: &Payee) -> Option<Standing> {
        let abroad = payee.country.is_some_and(|country| country.as_str() != "RU");
        match payee.known_kind() {
            Some(PayeeKind::SelfEmployed) => Some(Standing::SelfEmployed),
            _ if abroad => Some(Standing::Foreign),
            Some(PayeeKind::Company) => Some(Standing::Company),
            Some(PayeeKind::SoleTrader) => Some(Standing::SoleTrader),
            Some(PayeeKind::Individual) => Some(Standing::Individual),
            None => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::requisites::Payout;

    #[test]
    fn a_country_abroad_makes_a_payee_foreign_but_for_the_self_employed() {
        for (fields, expected) in [
            (&[("kind", "company")][..], Some(Standing::Company)),
            (&[("inn", "7707083893")], Some(Standing::Company)),
            (&[("kind", "individual"), ("country", "RU")], Some(Standing::Individual)),
            (&[("kind", "individual"), ("country", "DE")], Some(Standing::Foreign)),
            (&[("country", "DE")], Some(Standing::Foreign)),
            (&[("kind", "self_employed"), ("country", "BY")], Some(Standing::SelfEmployed)),
            (&[("kind", "sole_trader")], Some(Standing::SoleTrader)),
            (&[], None),
        ] {
            assert_eq!(Standing::of(&Payout::read(fields.iter().copied()).payee), expected, "{fields:?}");
        }
    }
}
