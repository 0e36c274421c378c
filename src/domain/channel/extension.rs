//! What GA4's table does not know: Russian sources, and how Russian marketers name mediums. Kept apart from GA4's own
//! table, which it adds to and never contradicts: it only speaks where that says `paid_other` or nothing.

use super::Channel;
use super::ga4::{Category, Facts};
use super::source::{self, Kind};
use std::collections::HashMap;
use std::sync::LazyLock;

const SOURCES_CSV: &str = include_str!("../data/extension_sources.csv");
const MEDIUMS_CSV: &str = include_str!("../data/extension_mediums.csv");

fn kind_named(name: &str) -> Option<Kind> {
    Some(match name {
        "social" => Kind::Social,
        "search" => Kind::Search,
        "messenger" => Kind::Messenger,
        "shopping" => Kind::Shopping,
        "video" => Kind::Video,
        "ai_assistant" => Kind::AiAssistant,
        "affiliate" => Kind::Affiliate,
        _ => return None,
    })
}

static SOURCES: LazyLock<HashMap<&'static str, Kind>> = LazyLock::new(|| {
    SOURCES_CSV
        .lines()
        .skip(1)
        .filter_map(|line| line.rsplit_once(','))
        .filter_map(|(name, kind)| Some((name, kind_named(kind)?)))
        .collect()
});

static MEDIUMS: LazyLock<HashMap<&'static str, Channel>> = LazyLock::new(|| {
    MEDIUMS_CSV
        .lines()
        .skip(1)
        .filter_map(|line| line.rsplit_once(','))
        .filter_map(|(medium, channel)| Some((medium, channel.parse().ok()?)))
        .collect()
});

/// What kind of place a UTM source names: by the short names people write, else by the name or host of our referrer list.
pub fn kind_of(source: &str) -> Option<Kind> {
    SOURCES.get(source).copied().or_else(|| source::of_name(source.strip_prefix("www.").unwrap_or(source)))
}

/// The kind as a category of GA4's rules, for a source that Google does not list.
pub fn category_of(kind: Kind) -> Option<Category> {
    match kind {
        Kind::Search => Some(Category::Search),
        Kind::Social => Some(Category::Social),
        Kind::Shopping => Some(Category::Shopping),
        Kind::Video => Some(Category::Video),
        Kind::Messenger
        | Kind::AiAssistant
        | Kind::Email
        | Kind::PaidSearch
        | Kind::PaidSocial
        | Kind::Display
        | Kind::Affiliate
        | Kind::Referral
        | Kind::Payment => None,
    }
}

/// One line of the table.
pub struct ExtensionRule {
    pub name: &'static str,
    pub when: &'static str,
    /// What the documentation says of the channel.
    pub gives: &'static str,
    decide: fn(&Facts<'_>, Option<Kind>) -> Option<Channel>,
}

/// The rules in their order.
pub static TABLE: &[ExtensionRule] = &[
    ExtensionRule {
        name: "affiliate network",
        when: "source is an affiliate network of ours and medium is `cpa`, `cps`, `cpl`, `cpo` or nothing GA4 knows",
        gives: "affiliate",
        decide: |f, kind| {
            let fits = !f.paid || matches!(f.medium, "cpa" | "cps" | "cpl" | "cpo");
            (kind == Some(Kind::Affiliate) && fits).then_some(Channel::Affiliate)
        },
    },
    ExtensionRule {
        name: "advertising in a messenger",
        when: "source is a messenger of ours and medium is PAID",
        gives: "paid_social",
        decide: |f, kind| (kind == Some(Kind::Messenger) && f.paid).then_some(Channel::PaidSocial),
    },
    ExtensionRule {
        name: "medium of our list",
        when: "medium is on our list",
        gives: "as the list says",
        decide: |f, _| if f.paid { None } else { MEDIUMS.get(f.medium).copied() },
    },
    ExtensionRule {
        name: "medium begins with email",
        when: "medium begins with `email` or `e-mail`",
        gives: "email",
        decide: |f, _| (f.medium.starts_with("email") || f.medium.starts_with("e-mail")).then_some(Channel::Email),
    },
    ExtensionRule {
        name: "medium contains sms or push",
        when: "medium contains `sms` or `push`",
        gives: "sms, push",
        decide: |f, _| match f.medium {
            medium if medium.contains("sms") => Some(Channel::Sms),
            medium if medium.contains("push") => Some(Channel::Push),
            _ => None,
        },
    },
    ExtensionRule {
        name: "messenger",
        when: "source is a messenger of ours",
        gives: "messenger",
        decide: |f, kind| (kind == Some(Kind::Messenger) && !f.paid).then_some(Channel::Messenger),
    },
    ExtensionRule {
        name: "AI assistant",
        when: "source is an AI assistant of ours",
        gives: "ai_assistant",
        decide: |f, kind| (kind == Some(Kind::AiAssistant) && !f.paid).then_some(Channel::AiAssistant),
    },
    ExtensionRule {
        name: "mail service",
        when: "source is a mail service of ours",
        gives: "email",
        decide: |f, kind| (kind == Some(Kind::Email) && !f.paid).then_some(Channel::Email),
    },
];

/// The first rule that holds, with the channel it gives.
pub fn decide(facts: &Facts<'_>, kind: Option<Kind>) -> Option<(Channel, &'static str)> {
    TABLE.iter().find_map(|rule| Some(((rule.decide)(facts, kind)?, rule.name)))
}

/// The mediums of our list, for the documentation.
pub fn mediums() -> impl Iterator<Item = (&'static str, &'static str)> {
    MEDIUMS_CSV.lines().skip(1).filter_map(|line| line.rsplit_once(','))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_of_the_lists_is_read_once() {
        assert_eq!(SOURCES.len(), SOURCES_CSV.lines().count() - 1);
        assert_eq!(MEDIUMS.len(), MEDIUMS_CSV.lines().count() - 1);
        for name in SOURCES.keys().chain(MEDIUMS.keys()) {
            assert_eq!(**name, name.to_lowercase());
        }
    }

    #[test]
    fn no_row_repeats_or_contradicts_ga4() {
        for source in SOURCES.keys() {
            assert_eq!(super::super::ga4::category_of(source), None, "{source}");
        }
        for medium in MEDIUMS.keys() {
            let ga4 = super::super::ga4::decide(&Facts::new("", medium, "", None));
            assert!(ga4.is_none_or(|rule| rule.channel == Channel::PaidOther), "{medium}");
        }
    }
}
