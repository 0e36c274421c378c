//! The merchant's own channel rules: one list, replaced whole, for its order decides.

use crate::domain::channel::ChannelRule;
use crate::service::input::Problems;
use crate::service::{Context, Error, Result};
use crate::store::{self, Reader, Tx, audit, settings};
use sha2::{Digest, Sha256};
use std::collections::HashSet;

/// Rules at most.
const MOST_RULES: usize = 200;

/// The setting that holds them, as JSON.
const SETTING: &str = "channel_rules";

/// The rules in the order in which they are asked.
pub async fn channel_rules<'a>(on: impl Into<Reader<'a>>) -> store::Result<Vec<ChannelRule>> {
    match settings::get(on, SETTING).await? {
        Some(text) => serde_json::from_str(&text).map_err(|e| store::Error::Unreadable(format!("{SETTING}: {e}"))),
        None => Ok(Vec::new()),
    }
}

/// Puts `rules` in place of those there were. Touches that are stored stay as they are.
pub async fn replace_channel_rules(tx: &mut Tx, context: &Context, rules: &[ChannelRule]) -> Result<()> {
    let mut p = Problems::default();
    if rules.len() > MOST_RULES {
        p.add("/rules", format!("holds more than {MOST_RULES} rules"));
    }
    let mut names = HashSet::new();
    for (index, rule) in rules.iter().enumerate() {
        if !names.insert(rule.name()) {
            p.add(&format!("/rules/{index}/name"), "names a rule above it");
        }
    }
    p.all(Some(()))?;
    let before = channel_rules(&mut *tx).await?;
    let text = serde_json::to_string(rules).map_err(|e| store::Error::Unreadable(e.to_string()))?;
    settings::set(tx, SETTING, &text).await?;
    settings::terms_changed(tx).await?;
    let detail = serde_json::json!({ "before": before, "after": rules });
    audit::record(tx, &context.actor, "channel_rules.replace", SETTING, &detail, context.at()).await?;
    Ok(())
}

/// What a list of rules is told apart from others by.
pub fn version_of(rules: &[ChannelRule]) -> String {
    let mut digest = Sha256::new();
    for rule in rules {
        digest.update(serde_json::to_vec(rule).unwrap_or_default());
        digest.update([0]);
    }
    hex::encode(&digest.finalize()[..8])
}

/// [`replace_channel_rules`] for somebody who has `seen` a version of the list: a conflict if it is another by now.
pub async fn replace_channel_rules_seen(tx: &mut Tx, context: &Context, seen: &str, rules: &[ChannelRule]) -> Result<()> {
    if version_of(&channel_rules(&mut *tx).await?) != seen {
        return Err(Error::conflict("the channel rules have been changed meanwhile"));
    }
    replace_channel_rules(tx, context, rules).await
}
