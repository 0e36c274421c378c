//! What hangs on a link: where it may lead, its several destinations, its further codes.

use crate::domain::id::{LinkId, TargetId};
use crate::domain::link_target::{Country, Device};
use crate::domain::text::{LinkCode, host_allowed, host_of, web_address};
use crate::service::input::Problems;
use crate::service::{Context, Error, Result, miss};
use crate::store::link::TargetRow;
use crate::store::{Tx, audit, link};

/// A link has at most so many targets, and so many aliases.
const MOST: usize = 100;

/// One of a link's several destinations, as it is sent.
#[derive(Debug, Clone, Default, serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TargetInput {
    /// As it is answered; not read: a target is known by its address, device and country.
    pub id: Option<String>,
    pub url: Option<String>,
    /// Its share among the targets that fit a visitor as well: 0 (none) to 1000000; default 1.
    pub weight: Option<i64>,
    /// `mobile`, `tablet` or `desktop`; left out: any.
    pub device: Option<String>,
    /// Two letters (ISO 3166); left out: any.
    pub country: Option<String>,
}

/// A destination may hold macros like `{sub1}`, but not in its host. Kept as written.
pub(super) fn check_destination(url: &str, hosts: &[String]) -> std::result::Result<String, String> {
    let parsed = web_address(url).map_err(|e| e.to_string())?;
    if parsed.host_str().is_some_and(|h| h.contains(['{', '}']))
        || url.split("//").nth(1).is_some_and(|rest| rest.split(['/', '?', '#']).next().unwrap_or("").contains('{'))
    {
        return Err("must not have a macro in its host".to_owned());
    }
    let host = host_of(&parsed);
    if !hosts.is_empty() && !host_allowed(&host, hosts) {
        return Err(format!("{host} is not among the program's destination hosts"));
    }
    Ok(url.trim().to_owned())
}

/// Targets that are right, without ids yet.
pub(super) fn check_targets(p: &mut Problems, targets: &[TargetInput], hosts: &[String]) -> Vec<TargetRow> {
    if targets.len() > MOST {
        p.add("/targets", format!("are at most {MOST}"));
    }
    let mut checked = Vec::new();
    for (index, target) in targets.iter().enumerate().take(MOST) {
        let at = |field: &str| format!("/targets/{index}/{field}");
        let given = p.required(&at("url"), target.url.as_deref());
        let url = given.and_then(|url| p.take(&at("url"), check_destination(url, hosts)));
        let weight = p.number(&at("weight"), Some(target.weight.unwrap_or(1)), 0, 1_000_000);
        let device: Option<Device> = p.word(&at("device"), &target.device);
        let country: Option<Country> = p.parse(&at("country"), &target.country);
        if let Some((url, weight)) = url.zip(weight) {
            checked.push(TargetRow { id: TargetId(0), link_id: LinkId(0), url, weight, device, country });
        }
    }
    checked
}

/// Makes a link's targets those given. One that is there already keeps its id: clicks name it.
pub(super) async fn save_targets(tx: &mut Tx, context: &Context, id: LinkId, wanted: Vec<TargetRow>) -> Result<()> {
    let mut old = link::targets(&mut *tx, id, id).await?;
    for target in wanted {
        let same = |o: &TargetRow| o.url == target.url && o.device == target.device && o.country == target.country;
        match old.iter().position(same).map(|index| old.remove(index)) {
            Some(known) if known.weight == target.weight => {}
            Some(known) => link::weigh_target(tx, known.id, target.weight).await?,
            None => {
                link::insert_target(tx, &TargetRow { link_id: id, ..target }).await?;
            }
        }
    }
    for gone in old {
        link::remove_target(tx, gone.id, context.at()).await?;
    }
    Ok(())
}

/// Makes a link's aliases those given. A misprint that was attached may hold what no code of one's own may.
pub(super) async fn save_aliases(tx: &mut Tx, context: &Context, id: LinkId, wanted: &[String]) -> Result<()> {
    let before: Vec<String> = link::aliases(&mut *tx, id, id).await?.into_iter().map(|alias| alias.code_key).collect();
    let mut p = Problems::default();
    if wanted.len() > MOST {
        p.add("/aliases", format!("are at most {MOST}"));
    }
    let mut after = Vec::new();
    for (index, text) in wanted.iter().enumerate().take(MOST) {
        let key = text.trim().to_ascii_lowercase();
        if before.contains(&key) || p.take(&format!("/aliases/{index}"), key.parse::<LinkCode>()).is_some() {
            after.push(key);
        }
    }
    p.done()?;
    after.sort();
    after.dedup();
    if after == before {
        return Ok(());
    }
    for gone in before.iter().filter(|key| !after.contains(key)) {
        link::delete_alias(tx, gone).await?;
    }
    for key in &after {
        if link::by_code_key(&mut *tx, key).await?.is_some_and(|own| own.id == id) {
            return Err(Error::field("/aliases", format!("'{key}' is the link's own code")));
        }
        miss::add_alias(tx, context, key, id).await?;
    }
    let detail = serde_json::json!({ "before": before, "after": after });
    Ok(audit::record(tx, &context.actor, "link.aliases", &id.to_string(), &detail, context.at()).await?)
}
