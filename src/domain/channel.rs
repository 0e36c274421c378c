//! Source of a touch → channel, by one ordered table; the first rule that matches decides and is named in the answer.
//!
//! The UTM part is GA4's default channel group; what Russian sources and mediums add to it is a table of its own.

mod click_id;
pub mod documentation;
mod extension;
mod ga4;
mod merchant;
mod referrer;
mod rules;
mod source;

pub use merchant::{ChannelRule, ChannelRuleError, Comparison, Condition, RuleField};

use super::landing::Landing;
use super::partner::PartnerKind;
use std::borrow::Cow;

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

/// A channel with what lies beneath it and the rule that decided. Texts are as reports group them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Classified<'a> {
    pub channel: Channel,
    pub source: Option<Cow<'a, str>>,
    pub medium: Option<Cow<'a, str>>,
    pub campaign: Option<Cow<'a, str>>,
    pub content: Option<Cow<'a, str>>,
    /// Of the UTM, else what was searched for by the referrer.
    pub term: Option<Cow<'a, str>>,
    /// The name of the rule: of our table, of GA4's, of the extension's, or the merchant's own.
    pub rule: Cow<'a, str>,
}

impl Classified<'_> {
    /// From the shop's own pages or from a payment provider's: no new touch.
    pub fn comes_from_within(&self) -> bool {
        self.channel == Channel::Direct && matches!(&*self.rule, rules::OWN_HOST | rules::PAYMENT_PROVIDER)
    }
}

/// What a touch came with.
#[derive(Debug, Clone, Copy)]
pub struct Evidence<'a> {
    /// The merchant's own rules, asked first.
    pub rules: &'a [ChannelRule],
    pub partner_kind: Option<PartnerKind>,
    pub landing: &'a Landing<'a>,
    pub referrer: Option<&'a str>,
    /// The shop's own, with all below them: a referrer among them says nothing.
    pub own_hosts: &'a [String],
}

/// Classifies one touch.
pub fn classify(evidence: Evidence<'_>) -> Classified<'_> {
    rules::decide(evidence)
}

/// The place in [`documentation::table`] of the rule that decides.
pub fn deciding_row(evidence: Evidence<'_>) -> usize {
    rules::deciding_row(evidence)
}

/// Classifies one touch by GA4's default channel group alone, to the letter. Without UTM, source and medium are what GA4
/// takes them from: Google's click ids, then the referrer.
pub fn classify_by_ga4(evidence: Evidence<'_>) -> Classified<'_> {
    rules::decide_by_ga4(evidence)
}

#[cfg(test)]
mod tests;
