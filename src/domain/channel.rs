//! Source of a touch → channel, by one ordered table; the first rule that matches decides.
//!
//! The UTM part is GA4's default channel group (Google Analytics help, answer 9756891), read top to bottom.

use super::landing::Landing;
use super::partner::PartnerKind;
use regex::Regex;
use std::collections::HashMap;
use std::sync::LazyLock;

macro_rules! channels {
    ($($variant:ident = $name:literal),* $(,)?) => {
        /// Where a touch came from, one name out of the channel list.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        pub enum Channel { $(#[serde(rename = $name)] $variant),* }

        impl Channel {
            pub const ALL: &'static [Channel] = &[$(Channel::$variant),*];

            pub fn name(self) -> &'static str {
                match self { $(Channel::$variant => $name),* }
            }
        }
    };
}

channels! {
    Affiliate = "affiliate",
    ReferralProgram = "referral_program",
    Offline = "offline",
    PaidSearch = "paid_search",
    PaidSocial = "paid_social",
    PaidShopping = "paid_shopping",
    PaidVideo = "paid_video",
    PaidOther = "paid_other",
    Display = "display",
    CrossNetwork = "cross_network",
    Email = "email",
    Sms = "sms",
    Push = "push",
    Audio = "audio",
    OrganicSearch = "organic_search",
    OrganicSocial = "organic_social",
    OrganicVideo = "organic_video",
    OrganicShopping = "organic_shopping",
    Messenger = "messenger",
    AiAssistant = "ai_assistant",
    Referral = "referral",
    Direct = "direct",
    Unassigned = "unassigned",
}

impl std::fmt::Display for Channel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// The text names no channel.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a channel")]
pub struct UnknownChannel(String);

impl std::str::FromStr for Channel {
    type Err = UnknownChannel;
    fn from_str(text: &str) -> Result<Self, UnknownChannel> {
        let wanted = text.trim().to_lowercase();
        Channel::ALL.iter().copied().find(|c| c.name() == wanted).ok_or_else(|| UnknownChannel(text.chars().take(60).collect()))
    }
}

impl From<PartnerKind> for Channel {
    fn from(kind: PartnerKind) -> Channel {
        match kind {
            PartnerKind::Affiliate | PartnerKind::Reseller => Channel::Affiliate,
            PartnerKind::Referrer => Channel::ReferralProgram,
            PartnerKind::Offline => Channel::Offline,
        }
    }
}

/// A channel with what lies beneath it and the rule that decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Classified {
    pub channel: Channel,
    pub source: Option<String>,
    pub medium: Option<String>,
    pub campaign: Option<String>,
    pub rule: &'static str,
}

impl Classified {
    /// From the shop's own pages or from a payment provider's: no new touch.
    pub fn comes_from_within(&self) -> bool {
        matches!(self.rule, OWN_HOST | PAYMENT_PROVIDER)
    }
}

const OWN_HOST: &str = "own host";
const PAYMENT_PROVIDER: &str = "payment provider";

/// What a touch came with. `own_hosts` are the shop's own: a referrer among them says nothing.
#[derive(Debug, Clone, Copy)]
pub struct Evidence<'a> {
    pub partner_kind: Option<PartnerKind>,
    pub landing: &'a Landing,
    pub referrer: Option<&'a str>,
    pub own_hosts: &'a [String],
}

/// Ad click ids that prove a paid click: parameter, channel, source, medium.
const PAID_CLICK_IDS: &[(&str, Channel, &str, &str)] = &[
    ("gclid", Channel::PaidSearch, "google", "cpc"),
    ("wbraid", Channel::PaidSearch, "google", "cpc"),
    ("gbraid", Channel::PaidSearch, "google", "cpc"),
    ("msclkid", Channel::PaidSearch, "bing", "cpc"),
    ("yclid", Channel::PaidSearch, "yandex", "cpc"),
    ("ymclid", Channel::PaidShopping, "yandex_market", "cpc"),
    ("rb_clickid", Channel::PaidSocial, "vk", "cpc"),
    ("ttclid", Channel::PaidSocial, "tiktok", "paid_social"),
    ("twclid", Channel::PaidSocial, "x", "paid_social"),
    ("li_fat_id", Channel::PaidSocial, "linkedin", "paid_social"),
    ("rdt_cid", Channel::PaidSocial, "reddit", "paid_social"),
    ("epik", Channel::PaidSocial, "pinterest", "paid_social"),
    ("ScCid", Channel::PaidSocial, "snapchat", "paid_social"),
    ("sccid", Channel::PaidSocial, "snapchat", "paid_social"),
    ("qclid", Channel::PaidSocial, "quora", "paid_social"),
    ("spclid", Channel::Audio, "spotify", "audio"),
    ("dclid", Channel::Display, "google", "display"),
    ("tblci", Channel::Display, "taboola", "display"),
    ("ob_click_id", Channel::Display, "outbrain", "display"),
    ("vmcid", Channel::Display, "yahoo", "display"),
    ("_kx", Channel::Email, "klaviyo", "email"),
    ("mc_cid", Channel::Email, "mailchimp", "email"),
    ("admitad_uid", Channel::Affiliate, "admitad", "affiliate"),
    ("tagtag_uid", Channel::Affiliate, "admitad", "affiliate"),
    ("irclickid", Channel::Affiliate, "impact", "affiliate"),
    ("irclid", Channel::Affiliate, "impact", "affiliate"),
    ("cjevent", Channel::Affiliate, "cj", "affiliate"),
    ("awc", Channel::Affiliate, "awin", "affiliate"),
    ("zanpid", Channel::Affiliate, "awin", "affiliate"),
    ("sscid", Channel::Affiliate, "shareasale", "affiliate"),
    ("ranSiteID", Channel::Affiliate, "rakuten", "affiliate"),
    ("tduid", Channel::Affiliate, "tradedoubler", "affiliate"),
];

/// Classifies one touch.
pub fn classify(evidence: Evidence<'_>) -> Classified {
    let landing = evidence.landing;
    let (source, medium, campaign) = (landing.grouped("source"), landing.grouped("medium"), landing.grouped("campaign"));
    let with =
        |channel, rule| Classified { channel, source: source.clone(), medium: medium.clone(), campaign: campaign.clone(), rule };
    if let Some(kind) = evidence.partner_kind {
        return with(kind.into(), "partner");
    }
    if medium.as_deref() == Some("affiliate") {
        return with(Channel::Affiliate, "utm_medium=affiliate");
    }
    let paid = PAID_CLICK_IDS.iter().find(|(name, ..)| landing.click_ids.contains_key(*name));
    if source.is_some() || medium.is_some() || campaign.is_some() {
        let source = source.or_else(|| paid.map(|p| p.2.to_owned()));
        let medium = medium.or_else(|| paid.map(|p| p.3.to_owned()));
        let (channel, rule) =
            ga4_channel(source.as_deref().unwrap_or(""), medium.as_deref().unwrap_or(""), campaign.as_deref().unwrap_or(""));
        return Classified { channel, source, medium, campaign, rule };
    }
    if let Some((_, channel, source, medium)) = paid {
        return Classified {
            channel: *channel,
            source: Some((*source).to_owned()),
            medium: Some((*medium).to_owned()),
            campaign: None,
            rule: "ad click id",
        };
    }
    match evidence.referrer.and_then(|text| url::Url::parse(text.trim()).ok()) {
        Some(url) => by_referrer(&url, evidence.own_hosts),
        None => direct(),
    }
}

fn direct() -> Classified {
    Classified { channel: Channel::Direct, source: None, medium: None, campaign: None, rule: "nothing known" }
}

fn by_referrer(url: &url::Url, own_hosts: &[String]) -> Classified {
    let Some(host) = url.host_str().filter(|h| !h.is_empty()) else { return direct() };
    if super::text::host_allowed(host, own_hosts) {
        return Classified { rule: OWN_HOST, ..direct() };
    }
    let bare = host.strip_prefix("www.").unwrap_or(host);
    let (channel, source, medium, rule) = match known_source(bare) {
        Some(KnownSource { kind: "payment", .. }) => return Classified { rule: PAYMENT_PROVIDER, ..direct() },
        Some(known) => {
            let (channel, medium) = match known.kind {
                "search" => (Channel::OrganicSearch, "organic"),
                "social" => (Channel::OrganicSocial, "social"),
                "video" => (Channel::OrganicVideo, "video"),
                "shopping" => (Channel::OrganicShopping, "shopping"),
                "messenger" => (Channel::Messenger, "messenger"),
                "ai_assistant" => (Channel::AiAssistant, "ai"),
                "email" => (Channel::Email, "email"),
                "paid_search" => (Channel::PaidSearch, "cpc"),
                _ => (Channel::Referral, "referral"),
            };
            (channel, known.name.to_lowercase(), medium, "referrer list")
        }
        None => (Channel::Referral, bare.to_owned(), "referral", "any other referrer"),
    };
    Classified { channel, source: Some(source), medium: Some(medium.to_owned()), campaign: None, rule }
}

#[derive(Debug, Clone, Copy)]
struct KnownSource {
    kind: &'static str,
    name: &'static str,
}

static SOURCES: LazyLock<HashMap<&'static str, KnownSource>> = LazyLock::new(|| {
    include_str!("data/referrer_sources.csv")
        .lines()
        .skip(1)
        .filter_map(|line| {
            let mut fields = line.splitn(3, ',');
            let (host, kind, name) = (fields.next()?, fields.next()?, fields.next()?);
            Some((host, KnownSource { kind, name: name.trim_matches('"') }))
        })
        .collect()
});

/// The listed source nearest to a host: `m.vk.com`, then `vk.com`; `google.co.uk` by `google.{}`.
fn known_source(host: &str) -> Option<KnownSource> {
    let mut rest = host;
    loop {
        if let Some(found) = SOURCES.get(rest) {
            return Some(*found);
        }
        let (label, tail) = rest.split_once('.')?;
        let country_ending = tail.len() <= 6 && tail.split('.').all(|part| (2..=3).contains(&part.len()));
        if country_ending && let Some(found) = SOURCES.get(format!("{label}.{{}}").as_str()) {
            return Some(*found);
        }
        rest = tail;
    }
}

static CATEGORIES: LazyLock<HashMap<&'static str, &'static str>> = LazyLock::new(|| {
    include_str!("data/ga4_source_categories.csv")
        .lines()
        .skip(1)
        .filter_map(|line| line.rsplit_once(','))
        .map(|(source, category)| (source.trim_matches('"'), category.trim_start_matches("SOURCE_CATEGORY_")))
        .collect()
});
static PAID: LazyLock<Regex> = LazyLock::new(|| Regex::new("^(.*cp.*|ppc|retargeting|paid.*)$").expect("GA4's own pattern"));
static SHOP: LazyLock<Regex> = LazyLock::new(|| Regex::new("^(.*(([^a-df-z]|^)shop|shopping).*)$").expect("GA4's own pattern"));

/// GA4's default channel group for lower-cased source, medium and campaign, with the name of the rule.
fn ga4_channel(source: &str, medium: &str, campaign: &str) -> (Channel, &'static str) {
    let category = CATEGORIES.get(source).copied().unwrap_or("");
    let paid = PAID.is_match(medium);
    let shop = SHOP.is_match(campaign);
    let is = |values: &[&str]| values.contains(&medium);
    if source == "(direct)" && is(&["(none)", "(not set)"]) {
        (Channel::Direct, "GA4 direct")
    } else if campaign.contains("cross-network") {
        (Channel::CrossNetwork, "GA4 cross-network")
    } else if (category == "SHOPPING" || shop) && paid {
        (Channel::PaidShopping, "GA4 paid shopping")
    } else if category == "SEARCH" && paid {
        (Channel::PaidSearch, "GA4 paid search")
    } else if category == "SOCIAL" && paid {
        (Channel::PaidSocial, "GA4 paid social")
    } else if category == "VIDEO" && paid {
        (Channel::PaidVideo, "GA4 paid video")
    } else if is(&["display", "banner", "expandable", "interstitial", "cpm"]) {
        (Channel::Display, "GA4 display")
    } else if paid {
        (Channel::PaidOther, "GA4 paid other")
    } else if category == "SHOPPING" || shop {
        (Channel::OrganicShopping, "GA4 organic shopping")
    } else if category == "SOCIAL" || is(&["social", "social-network", "social-media", "sm", "social network", "social media"]) {
        (Channel::OrganicSocial, "GA4 organic social")
    } else if category == "VIDEO" || medium.contains("video") {
        (Channel::OrganicVideo, "GA4 organic video")
    } else if category == "SEARCH" || medium == "organic" {
        (Channel::OrganicSearch, "GA4 organic search")
    } else if is(&["referral", "app", "link"]) {
        (Channel::Referral, "GA4 referral")
    } else if [source, medium].iter().any(|v| ["email", "e-mail", "e_mail", "e mail"].contains(v)) {
        (Channel::Email, "GA4 email")
    } else if medium == "affiliate" {
        (Channel::Affiliate, "GA4 affiliates")
    } else if medium == "audio" {
        (Channel::Audio, "GA4 audio")
    } else if source == "sms" || medium == "sms" {
        (Channel::Sms, "GA4 SMS")
    } else if medium.ends_with("push") || medium.contains("mobile") || medium.contains("notification") || source == "firebase" {
        (Channel::Push, "GA4 push")
    } else {
        (Channel::Unassigned, "UTM that matches nothing")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn channel(url: &str, referrer: &str) -> Channel {
        let landing = Landing::of(url);
        let own = vec!["shop.example".to_owned()];
        let referrer = (!referrer.is_empty()).then_some(referrer);
        classify(Evidence { partner_kind: None, landing: &landing, referrer, own_hosts: &own }).channel
    }

    #[test]
    fn utm_before_click_id_before_referrer_before_direct() {
        for (url, referrer, expected) in [
            ("https://shop.example/?utm_source=google&utm_medium=cpc&utm_campaign=brand", "", Channel::PaidSearch),
            ("https://shop.example/?utm_source=Facebook&utm_medium=PAID_SOCIAL", "", Channel::PaidSocial),
            ("https://shop.example/?utm_source=google&gclid=x", "", Channel::PaidSearch),
            ("https://shop.example/?utm_source=google", "", Channel::OrganicSearch),
            ("https://shop.example/?utm_source=newsletter&utm_medium=email", "https://vk.com/", Channel::Email),
            ("https://shop.example/?utm_source=newsletter", "", Channel::Unassigned),
            ("https://shop.example/?utm_source=x1&utm_medium=affiliate", "", Channel::Affiliate),
            ("https://shop.example/?utm_source=google&utm_medium=cpc&utm_campaign=shopping-xmas", "", Channel::PaidShopping),
            ("https://shop.example/?utm_source=google&utm_medium=cpc&utm_campaign=workshop", "", Channel::PaidSearch),
            ("https://shop.example/?yclid=1", "https://yandex.ru/", Channel::PaidSearch),
            ("https://shop.example/?ysclid=1", "https://yandex.ru/", Channel::OrganicSearch),
            ("https://shop.example/?fbclid=1", "https://l.facebook.com/", Channel::OrganicSocial),
            ("https://shop.example/", "https://www.google.co.uk/", Channel::OrganicSearch),
            ("https://shop.example/", "https://away.vk.com/away.php", Channel::OrganicSocial),
            ("https://shop.example/", "https://t.me/somebody", Channel::Messenger),
            ("https://shop.example/", "https://chatgpt.com/", Channel::AiAssistant),
            ("https://shop.example/", "https://www.avito.ru/", Channel::OrganicShopping),
            ("https://shop.example/", "https://blog.example/post", Channel::Referral),
            ("https://shop.example/", "https://www.shop.example/cart", Channel::Direct),
            ("https://shop.example/", "https://yookassa.ru/payments/1", Channel::Direct),
            ("https://shop.example/", "", Channel::Direct),
            ("https://shop.example/", "not a url", Channel::Direct),
        ] {
            assert_eq!(channel(url, referrer), expected, "{url} from '{referrer}'");
        }
    }

    #[test]
    fn a_partner_link_is_its_partners_whatever_the_utm_say() {
        let landing = Landing::of("?utm_source=google&utm_medium=cpc");
        let by =
            |kind| classify(Evidence { partner_kind: Some(kind), landing: &landing, referrer: None, own_hosts: &[] }).channel;
        assert_eq!(by(PartnerKind::Affiliate), Channel::Affiliate);
        assert_eq!(by(PartnerKind::Referrer), Channel::ReferralProgram);
        assert_eq!(by(PartnerKind::Offline), Channel::Offline);
    }
}
