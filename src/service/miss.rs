//! What found no match, settled by a person.

use super::{Context, Error, Result};
use crate::domain::id::{LinkId, MissId};
use crate::domain::text::LinkCode;
use crate::store::link::Link;
use crate::store::miss::Miss;
use crate::store::{Tx, audit, link, miss};

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
/// Clicks from now on are the link's. Those of the past are counted in the miss; where they are kept one by one, this is
/// the place to turn them into touches: the code's key and its link are known here.
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
    let detail = serde_json::json!({ "link": link.id, "code": link.code, "alias": key, "clicks": found.count });
    audit::record(tx, &context.actor, "miss.attach", &id.to_string(), &detail, context.at()).await?;
    let settled = miss::by_id(&mut *tx, id).await?.ok_or_else(|| Error::not_found(id))?;
    Ok((settled, link))
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
