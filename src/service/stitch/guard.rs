//! How many customers an identifier may be tied to before it joins nothing: a shop's own phone, a browser at a counter.

use super::regroup::{Around, Cause};
use crate::service::{Context, Error, Result};
use crate::store::{self, Reader, Tx, audit, person, settings};
use serde_json::json;

/// The setting that holds it.
const SETTING: &str = "most_customers_of_an_identifier";
/// What holds unless somebody says otherwise: a household shares a tablet, a shop's staff does not fit.
const DEFAULT: i64 = 5;

/// The most customers that an identifier joins.
pub async fn most_customers<'a>(on: impl Into<Reader<'a>>) -> store::Result<i64> {
    Ok(settings::get(on, SETTING).await?.and_then(|text| text.parse().ok()).unwrap_or(DEFAULT))
}

/// Sets it, and regroups the persons of all identifiers for which that makes a difference. Answers how many those are.
///
/// Errors: not from 1 to 1000.
pub async fn set_most_customers(tx: &mut Tx, context: &Context, most: i64) -> Result<u64> {
    if !(1..=1_000).contains(&most) {
        return Err(Error::field("/most_customers", "must be from 1 to 1000"));
    }
    let before = most_customers(&mut *tx).await?;
    let detail = json!({ "before": before, "after": most });
    audit::record(tx, &context.actor, "person.most_customers", SETTING, &detail, context.at()).await?;
    change(tx, context, before, most).await
}

/// Sets a store that has no such setting to the default, and parts the persons that an older version joined by what is
/// shared.
pub async fn start_guard(tx: &mut Tx, context: &Context) -> Result<()> {
    if settings::get(&mut *tx, SETTING).await?.is_none() {
        change(tx, context, i64::MAX, DEFAULT).await?;
    }
    Ok(())
}

async fn change(tx: &mut Tx, context: &Context, before: i64, after: i64) -> Result<u64> {
    settings::set(tx, SETTING, &after.to_string()).await?;
    let mut changed = person::tied_to_more_than(&mut *tx, before.min(after)).await?;
    changed.retain(|row| row.kind.is_shared(row.customers, before) != row.kind.is_shared(row.customers, after));
    let ids: Vec<i64> = changed.iter().map(|row| row.id).collect();
    let mut around = Around::default();
    around.reach(&mut *tx, changed.iter().map(|row| row.person_id)).await?;
    let because = format!("an identifier of more than {after} customers joins nothing");
    around.reckon_by_evidence(tx, context, &ids, Cause { because: &because, evidence: None }).await?;
    Ok(ids.len() as u64)
}
