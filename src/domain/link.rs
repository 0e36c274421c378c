//! A link's codes: where they stand, and which one was meant by a misprint.

use super::id::ProgramId;
use std::borrow::Cow;
use std::collections::HashMap;

/// First parts of paths that a host answers by itself, or that browsers and crawlers ask of any host.
const TAKEN_PATHS: [&str; 22] = [
    "admin",
    "apple-touch-icon.png",
    "apply",
    "assets",
    "cabinet",
    "docs",
    "e",
    "favicon.ico",
    "healthz",
    "in",
    "language",
    "metrics",
    "openapi.json",
    "px.gif",
    "r",
    "readyz",
    "refer",
    "robots.txt",
    "signin",
    "signout",
    "t.js",
    "v1",
];

/// Whether a code cannot stand by itself on a program's domain; it stands under `/r/` there.
pub fn is_taken_path(code: &str) -> bool {
    TAKEN_PATHS.iter().any(|taken| code.eq_ignore_ascii_case(taken))
}

/// The address people are given: on the program's domain, if it has one.
pub fn short_url(public_url: &str, domain: Option<&str>, code: &str) -> String {
    match domain {
        Some(domain) if is_taken_path(code) => format!("https://{domain}/r/{code}"),
        Some(domain) => format!("https://{domain}/{code}"),
        None => format!("{public_url}/r/{code}"),
    }
}

/// What a code may be spelt with, lower-cased.
const LETTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789-_.";

/// The known code that is one typing error away from a lower-cased text: a character too many, missing, wrong, or two
/// changed over. Of several the first by spelling. None for texts of up to three characters: they resemble too much.
///
/// Tries what might have been meant, some hundred texts, instead of every code there is.
pub fn nearest_code<'a>(wanted: &str, known: impl Fn(&str) -> Option<&'a str>) -> Option<&'a str> {
    let letters: Vec<char> = wanted.chars().collect();
    if letters.len() <= 3 || letters.len() > 65 {
        return None;
    }
    let mut best: Option<&'a str> = None;
    let mut text = String::with_capacity(wanted.len() + 1);
    let mut try_one = |changed: &mut dyn Iterator<Item = char>| {
        text.clear();
        text.extend(changed);
        if text != wanted
            && let Some(found) = known(&text)
            && best.is_none_or(|best| found < best)
        {
            best = Some(found);
        }
    };
    for at in 0..=letters.len() {
        let (before, after) = letters.split_at(at);
        let before = || before.iter().copied();
        for letter in LETTERS.iter().map(|b| char::from(*b)) {
            try_one(&mut before().chain([letter]).chain(after.iter().copied()));
            if let [_, rest @ ..] = after {
                try_one(&mut before().chain([letter]).chain(rest.iter().copied()));
            }
        }
        if let [_, rest @ ..] = after {
            try_one(&mut before().chain(rest.iter().copied()));
        }
        if let [first, second, rest @ ..] = after {
            try_one(&mut before().chain([*second, *first]).chain(rest.iter().copied()));
        }
    }
    best
}

/// The program a host belongs to, and its first host: what the link book knows of custom domains.
#[derive(Debug, Default)]
pub struct Domains {
    program_of: HashMap<String, ProgramId>,
    first_of: HashMap<ProgramId, String>,
}

impl Domains {
    pub fn new<'a>(programs: impl IntoIterator<Item = (ProgramId, &'a [String])>) -> Domains {
        let mut domains = Domains::default();
        for (program, hosts) in programs {
            if let Some(first) = hosts.first() {
                domains.first_of.insert(program, first.clone());
            }
            domains.program_of.extend(hosts.iter().map(|host| (host.clone(), program)));
        }
        domains
    }

    /// The program whose domain a `Host` header names, in any case, with or without the port.
    pub fn program_at(&self, host: Option<&str>) -> Option<ProgramId> {
        let host = host.filter(|_| !self.program_of.is_empty())?;
        let found = |host: &str| self.program_of.get(host).copied();
        found(host).or_else(|| {
            let capital = host.bytes().any(|b| b.is_ascii_uppercase());
            let lower = if capital { Cow::Owned(host.to_ascii_lowercase()) } else { Cow::Borrowed(host) };
            let name =
                lower.rsplit_once(':').filter(|(_, port)| port.bytes().all(|b| b.is_ascii_digit())).map_or(&*lower, |(n, _)| n);
            found(&lower).or_else(|| found(name.trim_end_matches('.')))
        })
    }

    pub fn first_of(&self, program: ProgramId) -> Option<&str> {
        self.first_of.get(&program).map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    #[test]
    fn short_urls_stand_on_the_programs_domain_unless_the_path_is_taken() {
        assert_eq!(short_url("http://t.example", None, "Anna"), "http://t.example/r/Anna");
        assert_eq!(short_url("http://t.example", Some("go.brand.example"), "Anna"), "https://go.brand.example/Anna");
        assert_eq!(short_url("http://t.example", Some("go.brand.example"), "Admin"), "https://go.brand.example/r/Admin");
    }

    #[test]
    fn a_host_header_finds_its_program() {
        let hosts = ["go.brand.example".to_owned(), "b.example:8443".to_owned()];
        let domains = Domains::new([(ProgramId(1), &hosts[..]), (ProgramId(2), &[])]);
        for host in ["go.brand.example", "GO.brand.example:443", "go.brand.example.", "b.example:8443"] {
            assert_eq!(domains.program_at(Some(host)), Some(ProgramId(1)), "{host}");
        }
        for host in [None, Some("b.example"), Some("x.go.brand.example"), Some("")] {
            assert_eq!(domains.program_at(host), None, "{host:?}");
        }
        assert_eq!((domains.first_of(ProgramId(1)), domains.first_of(ProgramId(2))), (Some("go.brand.example"), None));
    }

    #[test]
    fn a_misprint_finds_the_code_it_was_meant_to_be() {
        let codes = BTreeSet::from(["anna", "winter-sale"]);
        let nearest = |wanted: &str| nearest_code(wanted, |code| codes.get(code).copied());
        for wanted in ["annaa", "aanna", "anan", "аnna", "anna,"] {
            assert_eq!(nearest(wanted), Some("anna"), "{wanted}");
        }
        assert_eq!(nearest("wintersale"), Some("winter-sale"));
        // Three characters resemble too much, two errors are too many, and the code itself is no misprint.
        for wanted in ["ana", "", "anaan", "anna", "winersal"] {
            assert_eq!(nearest(wanted), None, "{wanted}");
        }
    }

    proptest! {
        #[test]
        fn the_nearest_code_is_one_typing_error_away(codes in prop::collection::btree_set("[ab.]{2,6}", 0..12), wanted in "[abя]{2,6}") {
            let found = nearest_code(&wanted, |code| codes.get(code).map(String::as_str));
            let expected = codes.iter().find(|code| strsim::osa_distance(code, &wanted) == 1);
            prop_assert_eq!(found, expected.map(String::as_str).filter(|_| wanted.chars().count() > 3));
        }
    }
}
