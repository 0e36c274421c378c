//! Touches out of a file: classified and marked as they come, stored by the thousand.

use super::Imported;
use super::row::Row;
use crate::domain::bot::bot_reason;
use crate::domain::channel::{Channel, ChannelRule, Evidence, classify};
use crate::domain::click_marks::ClickMarks;
use crate::domain::id::ProgramId;
use crate::domain::landing::Landing;
use crate::domain::link_target::{Country, Device};
use crate::domain::person::{Identifier, IdentifierKind};
use crate::domain::promo::promo_key;
use crate::domain::touch::{Mark, Touch, TouchKind, touch_id};
use crate::service::catalog::{self, channel_rules};
use crate::service::input::Problems;
use crate::service::{Context, Result, stitch, worker};
use crate::store::dictionary::Dictionary;
use crate::store::partner::Partner;
use crate::store::{Tx, link, partner, program, promo, touch};
use chrono::NaiveDate;
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

/// Touches stored in one go.
const AT_ONCE: usize = 1_000;

/// The touches of a file that are not stored yet, and what is looked up more than once for them.
#[derive(Default)]
pub(super) struct Touches {
    waiting: Vec<(Touch, NaiveDate)>,
    memory: Memory,
}

#[derive(Default)]
struct Memory {
    partners: HashMap<String, Partner>,
    programs: HashMap<String, ProgramId>,
    own_hosts: Option<Vec<String>>,
    channel_rules: Option<Vec<ChannelRule>>,
    joined: HashSet<(String, String)>,
    dictionary: Dictionary,
    clicks: ClickMarks,
}

impl Touches {
    /// Takes a row in; it is stored with those that wait.
    pub(super) async fn take(&mut self, tx: &mut Tx, context: &Context, row: &Row<'_>) -> Result<()> {
        let touch = read_touch(tx, context, row, &mut self.memory).await?;
        join(tx, context, &touch, &mut self.memory).await?;
        let day = context.day(touch.at);
        self.waiting.push((touch, day));
        Ok(())
    }

    /// Stores what waits, once it is much.
    pub(super) async fn store_many(&mut self, tx: &mut Tx, done: &mut Imported) -> Result<()> {
        if self.waiting.len() >= AT_ONCE { self.store(tx, done).await } else { Ok(()) }
    }

    /// Stores what waits.
    pub(super) async fn store(&mut self, tx: &mut Tx, done: &mut Imported) -> Result<()> {
        let new = touch::insert(tx, &mut self.memory.dictionary, &self.waiting).await?;
        let days = self.waiting.iter().filter(|(touch, _)| touch.ip.is_some()).map(|(_, day)| *day);
        if let Some(first) = days.min() {
            worker::shorten_again_from(tx, first).await?;
        }
        done.new += new;
        done.known += self.waiting.len() as u64 - new;
        self.waiting.clear();
        Ok(())
    }
}

async fn read_touch(tx: &mut Tx, context: &Context, row: &Row<'_>, memory: &mut Memory) -> Result<Touch> {
    let mut p = Problems::default();
    let id = p.line("/id", &row.get("id"), 200);
    if row.get("id").is_none() {
        p.add("/id", "is required");
    }
    let at = match row.get("at") {
        None => p.required("/at", None),
        text => p.past_instant("/at", &text, context.now),
    };
    let kind: TouchKind = p.word("/kind", &row.get("kind")).unwrap_or(TouchKind::Click);
    let channel: Option<Channel> = p.parse("/channel", &row.get("channel"));
    let country: Option<Country> = p.parse("/country", &row.get("country"));
    let promo = match row.get("promo_code") {
        None => None,
        Some(code) => {
            let found = promo::by_key(&mut *tx, &promo_key(&code)).await?;
            if found.is_none() {
                p.add("/promo_code", format!("there is no promo code '{code}'"));
            }
            found
        }
    };
    let mut partner = find_partner(tx, &mut p, row.get("partner"), memory).await?;
    if let (None, Some(owner)) = (&partner, promo.as_ref().and_then(|m| m.partner_id)) {
        partner = partner::by_id(&mut *tx, owner).await?;
    }
    let program = match (&partner, &promo) {
        (None, None) => None,
        (_, Some(promo)) => Some(promo.program_id),
        (Some(partner), None) => find_program(tx, &mut p, row.get("program"), partner, memory).await?,
    };
    let all = id.zip(at);
    let (id, at) = p.all(all)?;
    let url = row.get("url");
    let referrer = row.get("referrer");
    let landing = Landing::of(url.as_deref().unwrap_or_default());
    let own_hosts = match &memory.own_hosts {
        Some(hosts) => hosts,
        None => memory.own_hosts.insert(program::all(&mut *tx).await?.into_iter().flat_map(|p| p.destination_hosts).collect()),
    };
    let rules = match &memory.channel_rules {
        Some(rules) => rules,
        None => memory.channel_rules.insert(channel_rules(&mut *tx).await?),
    };
    let partner_kind = partner.as_ref().map(|p| p.kind);
    let classified = classify(Evidence { rules, partner_kind, landing: &landing, referrer: referrer.as_deref(), own_hosts });
    let channel_given = channel.is_some();
    let channel = channel.unwrap_or(classified.channel);
    let user_agent = row.get("user_agent");
    let bot = user_agent.as_deref().and_then(bot_reason);
    let is_uuid = uuid::Uuid::try_parse(&id).is_ok();
    let mut touch = Touch {
        external_id: (!is_uuid).then(|| id.clone()),
        visitor_id: row.get("visitor_id"),
        customer_id: row.get("customer_id"),
        channel_given,
        source: classified.source.map(Cow::into_owned),
        medium: classified.medium.map(Cow::into_owned),
        campaign: classified.campaign.map(Cow::into_owned),
        content: classified.content.map(Cow::into_owned),
        term: classified.term.map(Cow::into_owned),
        partner_id: partner.as_ref().map(|p| p.id),
        program_id: program,
        promo_code_id: promo.map(|m| m.id),
        mark: bot.as_ref().map(|_| Mark::Bot),
        mark_reason: bot,
        url,
        referrer,
        device: user_agent.as_deref().map(Device::of_user_agent),
        user_agent,
        ip: row.get("ip"),
        country,
        ..Touch::new(touch_id(&id), at, kind, channel)
    };
    if touch.mark.is_none()
        && let Some((mark, reason)) = memory.clicks.next(&touch)
    {
        (touch.mark, touch.mark_reason) = (Some(mark), Some(reason));
    }
    Ok(touch)
}

async fn find_partner(tx: &mut Tx, p: &mut Problems, reference: Option<String>, memory: &mut Memory) -> Result<Option<Partner>> {
    let Some(reference) = reference else { return Ok(None) };
    if let Some(known) = memory.partners.get(&reference) {
        return Ok(Some(known.clone()));
    }
    let found = catalog::find_partner(tx, p, &Some(reference.clone())).await?;
    if let Some(found) = &found {
        memory.partners.insert(reference, found.clone());
    }
    Ok(found)
}

/// The program a partner's touch belongs to: the one named, the only one, or that of the partner's first link or code.
async fn find_program(
    tx: &mut Tx,
    p: &mut Problems,
    reference: Option<String>,
    partner: &Partner,
    memory: &mut Memory,
) -> Result<Option<ProgramId>> {
    let key = reference.clone().unwrap_or_else(|| partner.id.to_string());
    if let Some(known) = memory.programs.get(&key) {
        return Ok(Some(*known));
    }
    let found = if reference.is_some() || program::list(&mut *tx, 0, 2).await?.len() == 1 {
        catalog::find_program(tx, p, &reference).await?.map(|found| found.id)
    } else {
        let by_link = link::list(&mut *tx, Some(partner.id), 0, 1).await?.first().map(|l| l.program_id);
        match by_link {
            Some(found) => Some(found),
            None => promo::list(&mut *tx, Some(partner.id), 0, 1).await?.first().map(|m| m.program_id),
        }
    };
    match found {
        Some(found) => {
            memory.programs.insert(key, found);
        }
        None if reference.is_none() => p.add("/partner", "is in no program: name it in a column 'program'"),
        None => {}
    }
    Ok(found)
}

async fn join(tx: &mut Tx, context: &Context, touch: &Touch, memory: &mut Memory) -> Result<()> {
    let (Some(visitor), Some(customer)) = (&touch.visitor_id, &touch.customer_id) else { return Ok(()) };
    if memory.joined.insert((visitor.clone(), customer.clone())) {
        let identifiers = [
            Identifier::new(IdentifierKind::Visitor, visitor.clone()),
            Identifier::new(IdentifierKind::Customer, customer.clone()),
        ];
        stitch::join(tx, context, &identifiers, &format!("imported touches of visitor {visitor} as customer {customer}")).await?;
    }
    Ok(())
}
