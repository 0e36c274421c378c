//! What today's rules and lists say of a touch that is stored.

use crate::domain::channel::{ChannelRule, Evidence, classify};
use crate::domain::click_marks::ClickMarks;
use crate::domain::id::{LinkId, PartnerId};
use crate::domain::landing::Landing;
use crate::domain::partner::PartnerKind;
use crate::domain::template::UtmField;
use crate::domain::touch::{Mark, Touch};
use crate::service::catalog::channel_rules;
use crate::service::enrich::Enricher;
use crate::service::linkbook::utm_query;
use crate::store::replay::{Change, Enriched, StoredTouch};
use crate::store::{self, Db, link, partner, program};
use std::borrow::Cow;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

/// Links read at a time.
const PAGE: i64 = 5_000;

/// Enriches stored touches.
pub(super) struct Again {
    pub(super) rules: Vec<ChannelRule>,
    own_hosts: Vec<String>,
    partner_kinds: HashMap<PartnerId, PartnerKind>,
    /// The UTM of links that have any.
    link_utm: HashMap<LinkId, Arc<[UtmField]>>,
    enricher: Enricher,
}

impl Again {
    /// Reads the rules and all they hang on.
    pub(super) async fn read(db: &Db) -> store::Result<Again> {
        let own_hosts = program::all(db).await?.into_iter().flat_map(|program| program.destination_hosts).collect();
        let mut link_utm = HashMap::new();
        let mut after = LinkId(0);
        loop {
            let links = link::book(db, -1, after, PAGE).await?;
            let Some(last) = links.last() else { break };
            after = last.id;
            link_utm.extend(links.iter().filter(|link| !link.utm.is_empty()).map(|link| {
                let partner = link.partner_id.map(|partner| partner.to_string()).unwrap_or_default();
                (link.id, UtmField::all_of(&link.utm, &partner))
            }));
        }
        Ok(Again {
            rules: channel_rules(db).await?,
            own_hosts,
            partner_kinds: partner::kinds(db).await?,
            link_utm,
            enricher: Enricher::default(),
        })
    }

    /// How a touch is enriched now, if that is otherwise. Touches come in order of time, each once.
    pub(super) fn change(&mut self, stored: StoredTouch, clicks: &mut ClickMarks) -> Option<Change> {
        let StoredTouch { mut touch, origin_id } = stored;
        let before = Enriched { channel: touch.channel, origin_id, mark: touch.mark, device: touch.device };
        let (mark, reason) = self.mark(&touch, clicks);
        // How many seconds or clicks a mark was about depends on what else was remembered; the mark says the same.
        let counts = matches!(mark, Some(Mark::Duplicate | Mark::Burst));
        let reworded = mark == touch.mark && reason != touch.mark_reason && !counts;
        if mark != touch.mark || reworded {
            (touch.mark, touch.mark_reason) = (mark, reason);
        }
        touch.device = touch.user_agent.as_deref().map(|user_agent| self.enricher.user_agent(user_agent).client.device);
        let origin_differs = !touch.channel_given && self.classify(&mut touch);
        let differs = reworded
            || origin_differs
            || touch.channel != before.channel
            || touch.mark != before.mark
            || touch.device != before.device;
        differs.then_some(Change { before, origin_differs, touch })
    }

    /// Classifies the touch; answers whether source, medium, campaign, content or term are others.
    fn classify(&self, touch: &mut Touch) -> bool {
        let url = touch.url.take();
        let through = touch.link_id.and_then(|link| self.link_utm.get(&link)).map(|fields| {
            let query = url.as_deref().and_then(|url| url.split_once('?')).map_or("", |(_, query)| query);
            utm_query(fields, query, &touch.id.to_string())
        });
        let mut landing = Landing::of(url.as_deref().unwrap_or_default());
        if let Some(utm) = through.as_deref().filter(|utm| !utm.is_empty()) {
            landing.utm.fill_from(Landing::of_query(utm).utm);
        }
        let found = classify(Evidence {
            rules: &self.rules,
            partner_kind: touch.partner_id.and_then(|partner| self.partner_kinds.get(&partner).copied()),
            landing: &landing,
            referrer: touch.referrer.as_deref(),
            own_hosts: &self.own_hosts,
        });
        touch.channel = found.channel;
        let mut differs = false;
        for (now, stored) in [found.source, found.medium, found.campaign, found.content, found.term].into_iter().zip([
            &mut touch.source,
            &mut touch.medium,
            &mut touch.campaign,
            &mut touch.content,
            &mut touch.term,
        ]) {
            if now.as_deref() != stored.as_deref() {
                *stored = now.map(Cow::into_owned);
                differs = true;
            }
        }
        touch.url = url;
        differs
    }

    /// The mark of a touch. What was told by headers, which are not kept, stays, and so does a machine without a user agent
    /// and a burst of an address that has been shortened since.
    pub(super) fn mark(&mut self, touch: &Touch, clicks: &mut ClickMarks) -> (Option<Mark>, Option<String>) {
        let stays = || (touch.mark, touch.mark_reason.clone());
        if matches!(touch.mark, Some(Mark::Head | Mark::Prefetch)) {
            return stays();
        }
        match &touch.user_agent {
            Some(user_agent) => {
                if let Some(reason) = &self.enricher.user_agent(user_agent).bot_reason {
                    return (Some(Mark::Bot), Some(reason.clone()));
                }
            }
            None if touch.mark == Some(Mark::Bot) => return stays(),
            None => {}
        }
        let has_address = || touch.ip.as_deref().is_some_and(|ip| ip.parse::<IpAddr>().is_ok());
        match clicks.next(touch) {
            Some((mark, reason)) => (Some(mark), Some(reason)),
            None if touch.mark == Some(Mark::Burst) && !has_address() => stays(),
            None => (None, None),
        }
    }
}
