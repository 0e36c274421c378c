//! One contact of a visitor with a channel. What came with it is immutable once stored; what enrichment made of that can
//! be made anew.

use super::channel::Channel;
use super::id::{LinkId, PartnerId, ProgramId, PromoCodeId};
use super::landing::Landing;
use super::link_target::{Country, Device};
use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// What kind of contact it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TouchKind {
    Click,
    Visit,
    Impression,
    Promo,
    Call,
}

impl TouchKind {
    pub const ALL: [TouchKind; 5] =
        [TouchKind::Click, TouchKind::Visit, TouchKind::Impression, TouchKind::Promo, TouchKind::Call];

    pub fn name(self) -> &'static str {
        match self {
            TouchKind::Click => "click",
            TouchKind::Visit => "visit",
            TouchKind::Impression => "impression",
            TouchKind::Promo => "promo",
            TouchKind::Call => "call",
        }
    }
}

/// Why a touch is kept but does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    Bot,
    Prefetch,
    Head,
    /// The same visitor went through the same link a moment before.
    Duplicate,
    /// One address sends more clicks through one link than people do.
    Burst,
}

impl Mark {
    pub fn name(self) -> &'static str {
        match self {
            Mark::Bot => "bot",
            Mark::Prefetch => "prefetch",
            Mark::Head => "head",
            Mark::Duplicate => "duplicate",
            Mark::Burst => "burst",
        }
    }
}

/// A touch as the store keeps it.
#[derive(Debug, Clone, PartialEq)]
pub struct Touch {
    pub id: Uuid,
    /// The id it had where it was imported from.
    pub external_id: Option<String>,
    pub at: DateTime<Utc>,
    pub kind: TouchKind,
    pub visitor_id: Option<String>,
    pub customer_id: Option<String>,
    pub channel: Channel,
    /// Whoever imported it gave the channel: no rule changes it.
    pub channel_given: bool,
    pub source: Option<String>,
    pub medium: Option<String>,
    pub campaign: Option<String>,
    pub content: Option<String>,
    pub term: Option<String>,
    pub link_id: Option<LinkId>,
    /// Which of the link's destinations was chosen; none: its own.
    pub target_id: Option<i64>,
    pub partner_id: Option<PartnerId>,
    pub program_id: Option<ProgramId>,
    pub promo_code_id: Option<PromoCodeId>,
    pub mark: Option<Mark>,
    pub mark_reason: Option<String>,
    pub consent_denied: bool,
    pub url: Option<String>,
    pub referrer: Option<String>,
    pub user_agent: Option<String>,
    pub language: Option<String>,
    pub ip: Option<String>,
    /// What the user agent says; none without one.
    pub device: Option<Device>,
    pub country: Option<Country>,
}

impl Touch {
    /// A touch of which nothing else is known.
    pub fn new(id: Uuid, at: DateTime<Utc>, kind: TouchKind, channel: Channel) -> Touch {
        Touch {
            id,
            external_id: None,
            at,
            kind,
            visitor_id: None,
            customer_id: None,
            channel,
            channel_given: false,
            source: None,
            medium: None,
            campaign: None,
            content: None,
            term: None,
            link_id: None,
            target_id: None,
            partner_id: None,
            program_id: None,
            promo_code_id: None,
            mark: None,
            mark_reason: None,
            consent_denied: false,
            url: None,
            referrer: None,
            user_agent: None,
            language: None,
            ip: None,
            device: None,
            country: None,
        }
    }

    /// What its address says: UTM, ad click ids, `sub1` … `sub5`.
    pub fn landing(&self) -> Landing<'_> {
        Landing::of(self.url.as_deref().unwrap_or_default())
    }

    /// What people call it: the id it was imported with, else its own.
    pub fn label(&self) -> String {
        label(self.id, self.external_id.as_deref())
    }

    /// Touches are taken in this order: time, then id.
    pub fn order_key(&self) -> (DateTime<Utc>, String) {
        (self.at, self.label())
    }
}

/// See [`Touch::label`].
pub fn label(id: Uuid, external_id: Option<&str>) -> String {
    external_id.map_or_else(|| id.to_string(), str::to_owned)
}

/// The id of a touch that came with an id of another system: a UUID is kept, any other text is hashed to one, so
/// that the same text is always the same touch.
pub fn touch_id(text: &str) -> Uuid {
    Uuid::try_parse(text).unwrap_or_else(|_| {
        let digest = Sha256::digest(text.as_bytes());
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&digest[..16]);
        uuid::Builder::from_custom_bytes(bytes).into_uuid()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_ids_are_stable_and_distinct() {
        assert_eq!(touch_id("c000001"), touch_id("c000001"));
        assert_ne!(touch_id("c000001"), touch_id("c000002"));
        let own = Uuid::from_u128(0x0199_0000_0000_7000_8000_0000_0000_0001);
        assert_eq!(touch_id(&own.to_string()), own);
    }
}
