//! Tracking links.

use super::link_parts::{TargetInput, check_destination, check_targets, save_aliases, save_targets};
use super::{find_partner, find_program};
use crate::domain::ad_marking::{Erid, erid_of};
use crate::domain::id::{CreativeId, LinkId, ProgramId};
use crate::domain::text::{LinkCode, web_address};
use crate::service::input::{Problems, maybe_null};
use crate::service::{Context, Error, Result, miss};
use crate::store::creative::Creative;
use crate::store::link::Link;
use crate::store::{Tx, creative, link, program};
use sqlx::types::Json;
use std::collections::BTreeMap;

/// A link as it is sent.
#[derive(Debug, Clone, Default, serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LinkInput {
    /// Id or name; may be left out where there is one program.
    pub program: Option<String>,
    /// Id, external id or e-mail address.
    #[serde(default, deserialize_with = "maybe_null")]
    #[schema(value_type = Option<String>)]
    pub partner: Option<Option<String>>,
    /// Made up if left out.
    pub code: Option<String>,
    pub url: Option<String>,
    /// Fields that fill what the visitor does not bring; they may hold macros as `url` may.
    pub utm: Option<BTreeMap<String, String>>,
    #[serde(default, deserialize_with = "maybe_null")]
    #[schema(value_type = Option<String>)]
    pub expires_at: Option<Option<String>>,
    pub paused: Option<bool>,
    /// What the partner shows; its `erid` is carried to the destination.
    #[serde(default, deserialize_with = "maybe_null")]
    #[schema(value_type = Option<String>)]
    pub creative: Option<Option<String>>,
    /// Token of the advertising register, for a link without a creative. Taken from the query of `url`, if that has one.
    #[serde(default, deserialize_with = "maybe_null")]
    #[schema(value_type = Option<String>)]
    pub erid: Option<Option<String>>,
    /// Where it leads when paused or expired; default: the program's.
    #[serde(default, deserialize_with = "maybe_null")]
    #[schema(value_type = Option<String>)]
    pub fallback_url: Option<Option<String>>,
    /// Several destinations; replaces all that were there. `url` is for those whom none fits.
    pub targets: Option<Vec<TargetInput>>,
    /// Further codes, such as misprints; replaces all that were there.
    pub aliases: Option<Vec<String>>,
}

/// Makes a link, or changes `known` (not its code and program).
pub async fn save_link(tx: &mut Tx, context: &Context, known: Option<LinkId>, input: &LinkInput) -> Result<Link> {
    let before = match known {
        Some(id) => Some(link::by_id(&mut *tx, id).await?.ok_or_else(|| Error::not_found(id))?),
        None => None,
    };
    let old = before.as_ref();
    let mut p = Problems::default();
    let program = match old {
        Some(old) => Some(program::by_id(&mut *tx, old.program_id).await?.ok_or_else(|| Error::not_found(old.program_id))?),
        None => find_program(tx, &mut p, &input.program).await?,
    };
    let partner = match &input.partner {
        None => old.and_then(|o| o.partner_id),
        Some(reference) => find_partner(tx, &mut p, reference).await?.map(|found| found.id),
    };
    let code = match (old, &input.code) {
        (Some(old), Some(code)) if *code != old.code => {
            p.add("/code", "cannot be changed");
            None
        }
        (Some(old), _) => p.take("/code", old.code.parse::<LinkCode>()),
        (None, Some(code)) if !code.trim().is_empty() => p.take("/code", code.trim().parse::<LinkCode>()),
        (None, _) => p.take("/code", random_code().parse::<LinkCode>()),
    };
    let hosts = program.as_ref().map(|p| p.destination_hosts.clone()).unwrap_or_default();
    let url = match &input.url {
        Some(url) => p.take("/url", check_destination(url, &hosts)),
        None => old.map(|o| o.url.clone()),
    };
    if url.is_none() && input.url.is_none() {
        p.add("/url", "is required");
    }
    let utm = if input.utm.is_some() { p.utm("/utm", &input.utm) } else { old.map(|o| o.utm.0.clone()).unwrap_or_default() };
    let expires_at = match &input.expires_at {
        None => old.and_then(|o| o.expires_at),
        Some(text) => p.instant("/expires_at", text).map(Into::into),
    };
    let fallback_url = match &input.fallback_url {
        None => old.and_then(|o| o.fallback_url.clone()),
        Some(None) => None,
        Some(Some(url)) => {
            let allowed = p.take("/fallback_url", check_destination(url, &hosts));
            // As the URL parser writes it, for it is sent as it stands.
            allowed.and_then(|url| web_address(&url).ok()).map(String::from)
        }
    };
    let (creative_id, creative_erid) = match &input.creative {
        None => old.map(|o| (o.creative_id, o.creative_erid.clone())).unwrap_or_default(),
        Some(None) => (None, None),
        Some(Some(text)) => match check_creative(tx, &mut p, text, program.as_ref().map(|p| p.id)).await? {
            Some(found) => (Some(found.id), found.erid),
            None => (None, None),
        },
    };
    let given = input.erid.as_ref().map(|erid| p.parse::<Erid>("/erid", erid));
    let erid = match given {
        Some(given) => given.map(|erid| erid.as_str().to_owned()),
        // What the old address had goes with it.
        None => old.filter(|o| input.url.is_none() || erid_in(&o.url) != o.erid).and_then(|o| o.erid.clone()),
    };
    let erid = check_erid(&mut p, url.as_deref(), erid, creative_erid.as_deref());
    let targets = input.targets.as_ref().map(|targets| check_targets(&mut p, targets, &hosts));
    let all = program.zip(code).zip(url);
    let ((program, code), url) = p.all(all)?;
    let saved = Link {
        id: known.unwrap_or(LinkId(0)),
        code: code.as_str().to_owned(),
        program_id: program.id,
        partner_id: partner,
        url,
        utm: Json(utm),
        expires_at,
        paused: input.paused.unwrap_or(old.is_some_and(|o| o.paused)),
        fallback_url,
        created_at: old.map_or(context.at(), |o| o.created_at),
        creative_id,
        erid,
        creative_erid,
    };
    let id = match known {
        Some(id) => {
            link::update(tx, &saved).await?;
            id
        }
        None => {
            if miss::owner_of(tx, &code.key()).await?.is_some() {
                return Err(Error::conflict(format!("the code '{}' is taken", code.as_str())));
            }
            link::insert(tx, &saved, &code.key()).await?
        }
    };
    if let Some(targets) = targets {
        save_targets(tx, context, id, targets).await?;
    }
    if let Some(aliases) = &input.aliases {
        save_aliases(tx, context, id, aliases).await?;
    }
    link::changed(tx, id).await?;
    Ok(Link { id, ..saved })
}

/// The creative of an id, if it is one of the program's.
async fn check_creative(tx: &mut Tx, p: &mut Problems, text: &str, program: Option<ProgramId>) -> Result<Option<Creative>> {
    let Some(id) = p.take("/creative", text.trim().parse::<CreativeId>()) else { return Ok(None) };
    match creative::by_id(&mut *tx, id).await? {
        None => p.add("/creative", format!("there is no creative '{id}'")),
        Some(found) if program.is_some_and(|program| program != found.program_id) => {
            p.add("/creative", format!("belongs to {}", found.program_id));
        }
        Some(found) => return Ok(Some(found)),
    }
    Ok(None)
}

fn erid_in(url: &str) -> Option<String> {
    web_address(url).ok().as_ref().and_then(erid_of)
}

/// The link's own token: the one given, else that of its address. All that are there must be the same.
fn check_erid(p: &mut Problems, url: Option<&str>, given: Option<String>, of_creative: Option<&str>) -> Option<String> {
    let in_url = url.and_then(erid_in);
    let in_url = in_url.and_then(|text| p.take("/url", text.parse::<Erid>())).map(|erid| erid.as_str().to_owned());
    let own = given.or(in_url.clone());
    if in_url.is_some() && in_url != own {
        p.add("/erid", "differs from the erid in url");
    } else if own.is_some() && of_creative.is_some() && own.as_deref() != of_creative {
        p.add("/erid", "differs from the creative's");
    }
    own
}

/// Eight characters that are hard to mistake for one another.
pub fn random_code() -> String {
    const LETTERS: &[u8] = b"abcdefghjkmnpqrstuvwxyz23456789";
    (0..8).map(|_| char::from(LETTERS[rand::random_range(0..LETTERS.len())])).collect()
}
