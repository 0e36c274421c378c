//! A raw hit becomes a touch: landing, channel, bot, prefetch and HEAD marks.

use super::spool::Hit;
use crate::domain::bot::bot_reason;
use crate::domain::channel::{Evidence, classify};
use crate::domain::landing::Landing;
use crate::domain::touch::{Mark, Touch};
use chrono::DateTime;

/// The longest text kept of a header or URL, in characters.
const LONGEST: usize = 8_192;

fn kept(text: &Option<String>) -> Option<String> {
    let text: String = text.as_deref()?.chars().filter(|c| *c != '\0').take(LONGEST).collect();
    (!text.is_empty()).then_some(text)
}

/// The touch that a hit becomes; `None` if it is none: an event, or a visit that came from the shop's own pages or
/// through a click that is a touch itself.
pub fn touch_of(hit: &Hit, own_hosts: &[String]) -> Option<Touch> {
    let kind = hit.kind.touch()?;
    let mut landing = Landing::of(hit.url.as_deref().unwrap_or_default());
    if let Some(link) = &hit.link {
        for (field, value) in &link.utm {
            landing.utm.entry(field.clone()).or_insert_with(|| value.clone());
        }
    }
    // The click itself is the touch. A later visit of the same browser is one of its own.
    if kind == crate::domain::touch::TouchKind::Visit && landing.trb_click.is_some() {
        return None;
    }
    let partner_kind = hit.link.as_ref().and_then(|l| l.partner_kind);
    let classified = classify(Evidence { partner_kind, landing: &landing, referrer: hit.referrer.as_deref(), own_hosts });
    if kind == crate::domain::touch::TouchKind::Visit && classified.comes_from_within() {
        return None;
    }
    let (mark, mark_reason) = if hit.head {
        (Some(Mark::Head), Some("HEAD request".to_owned()))
    } else if hit.prefetch {
        (Some(Mark::Prefetch), Some("fetched ahead".to_owned()))
    } else {
        match bot_reason(hit.user_agent.as_deref().unwrap_or_default()) {
            Some(reason) => (Some(Mark::Bot), Some(reason)),
            None => (None, None),
        }
    };
    Some(Touch {
        id: hit.id,
        external_id: None,
        at: DateTime::from_timestamp_micros(hit.at_micros)?,
        kind,
        visitor_id: kept(&hit.visitor),
        customer_id: kept(&hit.customer),
        channel: classified.channel,
        source: classified.source,
        medium: classified.medium,
        campaign: classified.campaign,
        content: landing.grouped("content"),
        term: landing.grouped("term"),
        link_id: hit.link.as_ref().map(|l| l.id),
        partner_id: hit.link.as_ref().and_then(|l| l.partner),
        program_id: hit.link.as_ref().map(|l| l.program),
        promo_code_id: None,
        mark,
        mark_reason,
        consent_denied: hit.consent_denied,
        url: kept(&hit.url),
        referrer: kept(&hit.referrer),
        user_agent: kept(&hit.user_agent),
        language: kept(&hit.language),
        ip: kept(&hit.ip),
        click_ids: landing.click_ids,
        subs: landing.subs,
    })
}
