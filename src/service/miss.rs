//! What found no match, settled by a person.

use super::catalog::channel_rules;
use super::enrich::Enricher;
use super::linkbook::utm_query;
use super::spool::{Hit, HitKind, HitLink};
use super::{Context, Error, Result};
use crate::domain::id::{LinkId, MissId};
use crate::domain::template::UtmField;
use crate::domain::text::LinkCode;
use crate::store::dictionary::Dictionary;
use crate::store::link::Link;
use crate::store::miss::Miss;
use crate::store::{Tx, audit, link, miss, missed_hit, partner, touch};

/// What a miss is attached to, as it is sent.
#[derive(Debug, Clone, Default, serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AttachInput {
    /// Id or code of the link that was meant.
    pub link: Option<String>,
}

/// Makes the unknown code of a miss an alias of the link that was meant, and takes the miss off the list. Doing it again
/// changes nothing.
///
/// Clicks from now on are the link's, and so are those of the past: they become its touches, as of when they came. Orders
/// that were decided meanwhile stay as they are.
///
/// Errors: no such miss or link, a miss of another kind, a code that belongs to another link (conflict).
pub async fn attach(tx: &mut Tx, context: &Context, id: MissId, input: &AttachInput) -> Result<(Miss, Link)> {
    let found = miss::by_id(&mut *tx, id).await?.ok_or_else(|| Error::not_found(id))?;
    if found.kind != "link" {
        return Err(Error::conflict(format!("{id} is no unknown link code: only those are attached to a link")));
    }
    let link = find_link(tx, &input.link).await?;
    let key = found.value.to_ascii_lowercase();
    add_alias(tx, context, &key, link.id).await?;
    miss::resolve(tx, "link", &key, context.at()).await?;
    link::changed(tx, link.id).await?;
    let clicks = bring_home(tx, context, &key, &link).await?;
    let detail = serde_json::json!({ "link": link.id, "code": link.code, "alias": key, "clicks": clicks });
    audit::record(tx, &context.actor, "miss.attach", &id.to_string(), &detail, context.at()).await?;
    let settled = miss::by_id(&mut *tx, id).await?.ok_or_else(|| Error::not_found(id))?;
    Ok((settled, link))
}

/// Past clicks taken at a time.
const PAGE: i64 = 500;

/// Makes touches of a link of the clicks on what was an unknown code; answers how many.
async fn bring_home(tx: &mut Tx, context: &Context, code_key: &str, link: &Link) -> Result<u64> {
    let partner = match link.partner_id {
        Some(id) => partner::by_id(&mut *tx, id).await?,
        None => None,
    };
    let (mut enricher, mut dictionary) = (Enricher::default(), Dictionary::default());
    let rules = channel_rules(&mut *tx).await?;
    let mut brought = 0;
    loop {
        let records = missed_hit::take(tx, code_key, PAGE).await?;
        if records.is_empty() {
            return Ok(brought);
        }
        let mut touches = Vec::new();
        for record in &records {
            let Ok(hit) = Hit::read(record) else { continue };
            let fields = UtmField::all_of(&link.utm, &link.partner_id.map(|id| id.to_string()).unwrap_or_default());
            let query = hit.url.and_then(|url| url.split_once('?')).map_or("", |(_, query)| query);
            let utm = utm_query(&fields, query, &hit.id.to_string());
            let through = HitLink {
                id: link.id,
                program: link.program_id,
                partner: link.partner_id,
                partner_kind: partner.as_ref().map(|partner| partner.kind),
                target: None,
                utm: &utm,
            };
            let click = Hit { kind: HitKind::Click, link: Some(through), name: None, ..hit.clone() };
            touches.extend(enricher.touch_of(&click, &rules, &[]).map(|touch| {
                let day = context.day(touch.at);
                (touch, day)
            }));
        }
        brought += touch::insert(tx, &mut dictionary, &touches).await?;
    }
}

/// Gives a link a further code, lower-cased. One that it has already stays; one of another link is a conflict.
pub(super) async fn add_alias(tx: &mut Tx, context: &Context, key: &str, link: LinkId) -> Result<()> {
    if let Some(owner) = owner_of(tx, key).await? {
        return if owner == link { Ok(()) } else { Err(Error::conflict(format!("the code '{key}' belongs to {owner}"))) };
    }
    Ok(link::insert_alias(tx, key, link, context.at()).await?)
}

/// The link that has a code, as its own or as an alias.
pub(super) async fn owner_of(tx: &mut Tx, key: &str) -> Result<Option<LinkId>> {
    match link::by_code_key(&mut *tx, key).await? {
        Some(link) => Ok(Some(link.id)),
        None => Ok(link::by_alias(&mut *tx, key).await?),
    }
}

async fn find_link(tx: &mut Tx, reference: &Option<String>) -> Result<Link> {
    let Some(reference) = reference.as_deref().map(str::trim).filter(|r| !r.is_empty()) else {
        return Err(Error::field("/link", "is required"));
    };
    let by_id = match reference.parse::<LinkId>() {
        Ok(id) => link::by_id(&mut *tx, id).await?,
        Err(_) => None,
    };
    let found = match (by_id, reference.parse::<LinkCode>()) {
        (Some(link), _) => Some(link),
        (None, Ok(code)) => link::by_code_key(&mut *tx, &code.key()).await?,
        (None, Err(_)) => None,
    };
    found.ok_or_else(|| Error::field("/link", format!("there is no link '{reference}'")))
}
