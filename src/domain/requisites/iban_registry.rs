//! Where IBANs are issued, and how they look there: SWIFT's IBAN registry (ISO 13616-2).

/// A country of the registry.
pub struct Issuer {
    pub country: &'static str,
    /// What stands after the check digits, in the registry's notation: `4!n` are four digits, `a` capital letters, `c` both.
    pub bban: &'static str,
}

const fn issuer(country: &'static str, bban: &'static str) -> Issuer {
    Issuer { country, bban }
}

/// All of them.
#[rustfmt::skip]
pub const ISSUERS: [Issuer; 89] = [
    issuer("AD", "4!n4!n12!c"), issuer("AE", "3!n16!n"), issuer("AL", "8!n16!c"), issuer("AT", "5!n11!n"),
    issuer("AZ", "4!a20!c"), issuer("BA", "3!n3!n8!n2!n"), issuer("BE", "3!n7!n2!n"), issuer("BG", "4!a4!n2!n8!c"),
    issuer("BH", "4!a14!c"), issuer("BI", "5!n5!n11!n2!n"), issuer("BR", "8!c5!n10!n1!c1!c"), issuer("BY", "4!c4!n16!c"),
    issuer("CH", "5!n12!c"), issuer("CR", "4!n14!n"), issuer("CY", "3!n5!n16!c"), issuer("CZ", "4!n6!n10!n"),
    issuer("DE", "8!n10!n"), issuer("DJ", "5!n5!n11!n2!n"), issuer("DK", "4!n9!n1!n"), issuer("DO", "4!c20!n"),
    issuer("EE", "2!n2!n11!n1!n"), issuer("EG", "4!n4!n17!n"), issuer("ES", "4!n4!n1!n1!n10!n"), issuer("FI", "3!n11!n"),
    issuer("FK", "2!a12!n"), issuer("FO", "4!n9!n1!n"), issuer("FR", "5!n5!n11!c2!n"), issuer("GB", "4!a6!n8!n"),
    issuer("GE", "2!a16!n"), issuer("GI", "4!a15!c"), issuer("GL", "4!n9!n1!n"), issuer("GR", "3!n4!n16!c"),
    issuer("GT", "4!c20!c"), issuer("HN", "4!a20!n"), issuer("HR", "7!n10!n"), issuer("HU", "3!n4!n1!n15!n1!n"),
    issuer("IE", "4!a6!n8!n"), issuer("IL", "3!n3!n13!n"), issuer("IQ", "4!a3!n12!n"), issuer("IS", "4!n2!n6!n10!n"),
    issuer("IT", "1!a5!n5!n12!c"), issuer("JO", "4!a4!n18!c"), issuer("KW", "4!a22!c"), issuer("KZ", "3!n13!c"),
    issuer("LB", "4!n20!c"), issuer("LC", "4!a24!c"), issuer("LI", "5!n12!c"), issuer("LT", "5!n11!n"), issuer("LU", "3!n13!c"),
    issuer("LV", "4!a13!c"), issuer("LY", "3!n3!n15!n"), issuer("MC", "5!n5!n11!c2!n"), issuer("MD", "2!c18!c"),
    issuer("ME", "3!n13!n2!n"), issuer("MK", "3!n10!c2!n"), issuer("MN", "4!n12!n"), issuer("MR", "5!n5!n11!n2!n"),
    issuer("MT", "4!a5!n18!c"), issuer("MU", "4!a2!n2!n12!n3!n3!a"), issuer("NI", "4!a20!n"), issuer("NL", "4!a10!n"),
    issuer("NO", "4!n6!n1!n"), issuer("OM", "3!n16!c"), issuer("PK", "4!a16!c"), issuer("PL", "8!n16!n"),
    issuer("PS", "4!a21!c"), issuer("PT", "4!n4!n11!n2!n"), issuer("QA", "4!a21!c"), issuer("RO", "4!a16!c"),
    issuer("RS", "3!n13!n2!n"), issuer("RU", "9!n5!n15!c"), issuer("SA", "2!n18!c"), issuer("SC", "4!a2!n2!n16!n3!a"),
    issuer("SD", "2!n12!n"), issuer("SE", "3!n16!n1!n"), issuer("SI", "5!n8!n2!n"), issuer("SK", "4!n6!n10!n"),
    issuer("SM", "1!a5!n5!n12!c"), issuer("SO", "4!n3!n12!n"), issuer("ST", "4!n4!n11!n2!n"), issuer("SV", "4!a20!n"),
    issuer("TL", "3!n14!n2!n"), issuer("TN", "2!n3!n13!n2!n"), issuer("TR", "5!n1!n16!c"), issuer("UA", "6!n19!c"),
    issuer("VA", "3!n15!n"), issuer("VG", "4!a16!n"), issuer("XK", "4!n10!n2!n"), issuer("YE", "4!a4!n18!c"),
];

/// Places without IBANs of their own, whose banks issue those of another country but have SWIFT codes of the place.
const WITHIN: [(&str, &[&str]); 3] = [
    ("FI", &["AX"]),
    ("FR", &["BL", "GF", "GP", "MF", "MQ", "NC", "PF", "PM", "RE", "TF", "WF", "YT"]),
    ("GB", &["GG", "IM", "JE"]),
];

impl Issuer {
    pub fn of(country: &str) -> Option<&'static Issuer> {
        ISSUERS.iter().find(|issuer| issuer.country == country)
    }

    /// The parts after the check digits: how many characters, and of which class.
    pub fn parts(&self) -> impl Iterator<Item = (usize, char)> {
        self.bban.split_inclusive(char::is_alphabetic).filter_map(|part| {
            let (length, class) = part.split_once('!')?;
            Some((length.parse().ok()?, class.chars().next()?))
        })
    }

    /// The length of a whole IBAN.
    pub fn length(&self) -> usize {
        4 + self.parts().map(|(length, _)| length).sum::<usize>()
    }
}

/// Whether a bank in `bank_country` may issue the IBANs of `iban_country`.
pub fn issues(bank_country: &str, iban_country: &str) -> bool {
    bank_country == iban_country
        || WITHIN.iter().any(|(country, places)| *country == iban_country && places.contains(&bank_country))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_read_and_no_country_is_there_twice() {
        for pair in ISSUERS.windows(2) {
            assert!(pair[0].country < pair[1].country);
        }
        for issuer in &ISSUERS {
            let again: String = issuer.parts().map(|(length, class)| format!("{length}!{class}")).collect();
            assert_eq!(again, issuer.bban, "{}", issuer.country);
            assert!((15..=34).contains(&issuer.length()), "{}", issuer.country);
            assert!(issuer.parts().all(|(_, class)| "nac".contains(class)), "{}", issuer.country);
            assert!(issuer.country.parse::<crate::domain::link_target::Country>().is_ok(), "{}", issuer.country);
        }
    }

    #[test]
    fn the_lengths_are_the_registrys() {
        for (countries, length) in [
            ("NO", 15),
            ("BE", 16),
            ("DK FI FK FO GL NL SD", 18),
            ("MK SI", 19),
            ("AT BA EE KZ LT LU MN XK", 20),
            ("CH HR LI LV", 21),
            ("BG BH CR DE GB GE IE ME RS VA", 22),
            ("AE GI IL IQ OM SO TL", 23),
            ("AD CZ ES MD PK RO SA SE SK TN VG", 24),
            ("LY PT ST", 25),
            ("IS TR", 26),
            ("BI DJ FR GR IT MC MR SM", 27),
            ("AL AZ BY CY DO GT HN HU LB NI PL SV", 28),
            ("BR EG PS QA UA", 29),
            ("JO KW MU YE", 30),
            ("MT SC", 31),
            ("LC", 32),
            ("RU", 33),
        ] {
            for country in countries.split(' ') {
                assert_eq!(Issuer::of(country).map(Issuer::length), Some(length), "{country}");
            }
        }
    }
}
