//! GA4's default channel group, to the letter: Google Analytics help, answer 9756891. First match wins, case is
//! ignored. A source's category is Google's own list (`data/ga4_source_categories.csv`), an exact match of the source.

use super::Channel;
use std::collections::HashMap;
use std::sync::LazyLock;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Category {
    Search,
    Social,
    Shopping,
    Video,
}

static CATEGORIES: LazyLock<HashMap<String, Category>> = LazyLock::new(|| {
    include_str!("../data/ga4_source_categories.csv")
        .lines()
        .skip(1)
        .filter_map(|line| line.rsplit_once(','))
        .filter_map(|(source, category)| {
            let category = match category.trim_matches('"') {
                "SOURCE_CATEGORY_SEARCH" => Category::Search,
                "SOURCE_CATEGORY_SOCIAL" => Category::Social,
                "SOURCE_CATEGORY_SHOPPING" => Category::Shopping,
                "SOURCE_CATEGORY_VIDEO" => Category::Video,
                _ => return None,
            };
            Some((source.trim_matches('"').to_lowercase(), category))
        })
        .collect()
});

/// The category of a source in lower case, by Google's list.
pub fn category_of(source: &str) -> Option<Category> {
    CATEGORIES.get(source).copied()
}

/// What the rules look at, in lower case; empty where there is nothing.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    pub source: &'a str,
    pub medium: &'a str,
    pub campaign: &'a str,
    pub category: Option<Category>,
    pub paid: bool,
    pub shop: bool,
}

impl<'a> Facts<'a> {
    pub fn new(source: &'a str, medium: &'a str, campaign: &'a str, category: Option<Category>) -> Facts<'a> {
        Facts { source, medium, campaign, category, paid: is_paid(medium), shop: is_shop(campaign) }
    }

    fn is(&self, category: Category) -> bool {
        self.category == Some(category)
    }
}

/// `^(.*cp.*|ppc|retargeting|paid.*)$`
pub fn is_paid(medium: &str) -> bool {
    medium.contains("cp") || matches!(medium, "ppc" | "retargeting") || medium.starts_with("paid")
}

/// `^(.*(([^a-df-z]|^)shop|shopping).*)$`: `shop` after no letter, or after an `e`.
pub fn is_shop(campaign: &str) -> bool {
    let free = |before: Option<char>| !before.is_some_and(|c| c.is_ascii_lowercase() && c != 'e');
    campaign.contains("shopping") || campaign.match_indices("shop").any(|(at, _)| free(campaign[..at].chars().next_back()))
}

const EMAIL: [&str; 4] = ["email", "e-mail", "e_mail", "e mail"];

/// One line of the table.
pub struct Ga4Rule {
    pub name: &'static str,
    pub when: &'static str,
    pub channel: Channel,
    holds: fn(&Facts<'_>) -> bool,
}

macro_rules! table {
    ($($name:literal, $channel:ident, $when:literal, $holds:expr;)*) => {
        /// The rules in their order. What none of them takes is `unassigned`.
        pub static TABLE: &[Ga4Rule] = &[$(Ga4Rule { name: $name, when: $when, channel: Channel::$channel, holds: $holds }),*];
    };
}

table! {
    "GA4 direct", Direct, "source is `(direct)` and medium is `(none)` or `(not set)`",
        |f| f.source == "(direct)" && matches!(f.medium, "(none)" | "(not set)");
    "GA4 cross-network", CrossNetwork, "campaign contains `cross-network`",
        |f| f.campaign.contains("cross-network");
    "GA4 paid shopping", PaidShopping, "source is a shopping site or campaign matches SHOP, and medium is PAID",
        |f| (f.is(Category::Shopping) || f.shop) && f.paid;
    "GA4 paid search", PaidSearch, "source is a search engine and medium is PAID",
        |f| f.is(Category::Search) && f.paid;
    "GA4 paid social", PaidSocial, "source is a social network and medium is PAID",
        |f| f.is(Category::Social) && f.paid;
    "GA4 paid video", PaidVideo, "source is a video site and medium is PAID",
        |f| f.is(Category::Video) && f.paid;
    "GA4 display", Display, "medium is `display`, `banner`, `expandable`, `interstitial` or `cpm`",
        |f| matches!(f.medium, "display" | "banner" | "expandable" | "interstitial" | "cpm");
    "GA4 paid other", PaidOther, "medium is PAID",
        |f| f.paid;
    "GA4 organic shopping", OrganicShopping, "source is a shopping site or campaign matches SHOP",
        |f| f.is(Category::Shopping) || f.shop;
    "GA4 organic social", OrganicSocial,
        "source is a social network, or medium is `social`, `social-network`, `social-media`, `sm`, `social network` or `social media`",
        |f| f.is(Category::Social)
            || matches!(f.medium, "social" | "social-network" | "social-media" | "sm" | "social network" | "social media");
    "GA4 organic video", OrganicVideo, "source is a video site, or medium contains `video`",
        |f| f.is(Category::Video) || f.medium.contains("video");
    "GA4 organic search", OrganicSearch, "source is a search engine, or medium is `organic`",
        |f| f.is(Category::Search) || f.medium == "organic";
    "GA4 referral", Referral, "medium is `referral`, `app` or `link`",
        |f| matches!(f.medium, "referral" | "app" | "link");
    "GA4 email", Email, "source or medium is `email`, `e-mail`, `e_mail` or `e mail`",
        |f| EMAIL.contains(&f.source) || EMAIL.contains(&f.medium);
    "GA4 affiliates", Affiliate, "medium is `affiliate`",
        |f| f.medium == "affiliate";
    "GA4 audio", Audio, "medium is `audio`",
        |f| f.medium == "audio";
    "GA4 SMS", Sms, "source or medium is `sms`",
        |f| f.source == "sms" || f.medium == "sms";
    "GA4 push", Push, "medium ends with `push` or contains `mobile` or `notification`, or source is `firebase`",
        |f| f.medium.ends_with("push")
            || f.medium.contains("mobile")
            || f.medium.contains("notification")
            || f.source == "firebase";
}

/// The first rule that holds; `None`: unassigned.
pub fn decide(facts: &Facts<'_>) -> Option<&'static Ga4Rule> {
    TABLE.iter().find(|rule| (rule.holds)(facts))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paid_and_shop_are_what_googles_patterns_say() {
        for (medium, expected) in
            [("cpc", true), ("recpc", true), ("ppc", true), ("ppcx", false), ("unpaid", false), ("paid_x", true), ("", false)]
        {
            assert_eq!(is_paid(medium), expected, "{medium}");
        }
        let pattern = regex::Regex::new("^(.*(([^a-df-z]|^)shop|shopping).*)$").unwrap();
        for campaign in [
            "shop",
            "eshop",
            "workshop",
            "spring_shop",
            "bishop",
            "shopping",
            "barbershop shop",
            "я shop",
            "яshop",
            "shopper",
            "",
        ] {
            assert_eq!(is_shop(campaign), pattern.is_match(campaign), "{campaign}");
        }
    }

    #[test]
    fn every_category_of_the_list_is_known() {
        let lines = include_str!("../data/ga4_source_categories.csv").lines().skip(1).filter(|line| !line.is_empty());
        assert!(lines.clone().all(|line| line.rsplit_once(',').is_some()));
        let sources: std::collections::HashSet<String> =
            lines.map(|line| line.rsplit_once(',').unwrap().0.trim_matches('"').to_lowercase()).collect();
        assert_eq!(CATEGORIES.len(), sources.len());
        assert_eq!(category_of("google shopping"), Some(Category::Shopping));
        assert_eq!(category_of("hatena"), Some(Category::Social));
    }
}
