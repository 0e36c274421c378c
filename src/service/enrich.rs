//! A raw hit becomes a touch: landing, channel, marks.

use super::spool::Hit;
use crate::domain::bot::bot_reason;
use crate::domain::channel::{ChannelRule, Evidence, classify};
use crate::domain::click_marks::ClickMarks;
use crate::domain::landing::Landing;
use crate::domain::touch::{Mark, Touch, TouchKind};
use crate::domain::user_agent::Client;
use chrono::DateTime;
use hashbrown::HashMap;
use std::borrow::Cow;

/// The longest text kept of a header or URL, in bytes.
const LONGEST: usize = 8_192;
/// User agents whose verdict is remembered at most.
const MOST_REMEMBERED: usize = 50_000;

/// What a user agent says.
#[derive(Debug, Clone)]
pub struct KnownUserAgent {
    /// Why it is a machine's; `None` for a browser.
    pub bot_reason: Option<String>,
    pub client: Client,
}

/// Makes touches of hits, and remembers what helps with the next one.
#[derive(Default)]
pub struct Enricher {
    user_agents: HashMap<String, KnownUserAgent>,
    clicks: ClickMarks,
}

impl Enricher {
    /// The touch that a hit becomes; `None` if it is none: an event, or a visit that came from the shop's own pages or
    /// through a click that is a touch itself.
    pub fn touch_of(&mut self, hit: &Hit<'_>, rules: &[ChannelRule], own_hosts: &[String]) -> Option<Touch> {
        let kind = hit.kind.touch()?;
        let mut landing = Landing::of(hit.url.unwrap_or_default());
        if let Some(link) = hit.link.filter(|link| !link.utm.is_empty()) {
            landing.utm.fill_from(Landing::of_query(link.utm).utm);
        }
        // The click itself is the touch. A later visit of the same browser is one of its own.
        if kind == TouchKind::Visit && landing.trb_click.is_some() {
            return None;
        }
        let partner_kind = hit.link.and_then(|link| link.partner_kind);
        let classified = classify(Evidence { rules, partner_kind, landing: &landing, referrer: hit.referrer, own_hosts });
        if kind == TouchKind::Visit && classified.comes_from_within() {
            return None;
        }
        let mut touch = Touch {
            visitor_id: kept(hit.visitor),
            customer_id: kept(hit.customer),
            source: classified.source.map(Cow::into_owned),
            medium: classified.medium.map(Cow::into_owned),
            campaign: classified.campaign.map(Cow::into_owned),
            content: classified.content.map(Cow::into_owned),
            term: classified.term.map(Cow::into_owned),
            link_id: hit.link.map(|link| link.id),
            target_id: hit.link.and_then(|link| link.target),
            partner_id: hit.link.and_then(|link| link.partner),
            program_id: hit.link.map(|link| link.program),
            consent_denied: hit.consent_denied,
            url: kept(hit.url),
            referrer: kept(hit.referrer),
            user_agent: kept(hit.user_agent),
            language: kept(hit.language),
            ip: kept(hit.ip),
            device: hit.user_agent.filter(|text| !text.is_empty()).map(|user_agent| self.user_agent(user_agent).client.device),
            country: hit.country,
            ..Touch::new(hit.id, DateTime::from_timestamp_micros(hit.at_micros)?, kind, classified.channel)
        };
        (touch.mark, touch.mark_reason) = match self.mark(hit, &touch) {
            Some((mark, reason)) => (Some(mark), Some(reason)),
            None => (None, None),
        };
        Some(touch)
    }

    fn mark(&mut self, hit: &Hit<'_>, touch: &Touch) -> Option<(Mark, String)> {
        if hit.head {
            return Some((Mark::Head, "HEAD request".to_owned()));
        }
        if hit.prefetch {
            return Some((Mark::Prefetch, "fetched ahead".to_owned()));
        }
        let user_agent = hit.user_agent.unwrap_or_default();
        if let Some(reason) = &self.user_agent(user_agent).bot_reason {
            return Some((Mark::Bot, reason.clone()));
        }
        self.clicks.next(touch)
    }

    /// What `user_agent` says, looked up or found out.
    pub fn user_agent(&mut self, user_agent: &str) -> &KnownUserAgent {
        if self.user_agents.len() >= MOST_REMEMBERED {
            self.user_agents.clear();
        }
        let find_out = || KnownUserAgent { bot_reason: bot_reason(user_agent), client: Client::of_user_agent(user_agent) };
        self.user_agents.entry_ref(user_agent).or_insert_with(find_out)
    }
}

/// A text as the store keeps it: no NUL, which PostgreSQL refuses, and not longer than [`LONGEST`].
fn kept(text: Option<&str>) -> Option<String> {
    let text = text.filter(|text| !text.is_empty())?;
    if text.len() <= LONGEST && !text.contains('\0') {
        return Some(text.to_owned());
    }
    let text: String = text[..text.floor_char_boundary(LONGEST)].chars().filter(|c| *c != '\0').collect();
    (!text.is_empty()).then_some(text)
}
