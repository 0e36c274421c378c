//! Who approves a run, and whether it has to be another person than who built it. A key of the API is a person too.

use super::{RunWithLines, load};
use crate::domain::id::PayoutRunId;
use crate::domain::payout_run::RunState;
use crate::service::{Context, Error, Refusal, Result};
use crate::store::{self, Reader, Tx, audit, payout, settings as stored};

/// How the merchant pays.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PayoutSettings {
    /// A run is approved by another person, or key, than built it.
    pub second_approver: bool,
}

/// The setting that holds them, as JSON.
const SETTING: &str = "payout";

pub async fn settings<'a>(on: impl Into<Reader<'a>>) -> store::Result<PayoutSettings> {
    let text = stored::get(on, SETTING).await?;
    let read = |text: &str| serde_json::from_str(text).map_err(|e| store::Error::Unreadable(format!("{SETTING}: {e}")));
    text.as_deref().map_or(Ok(PayoutSettings::default()), read)
}

/// Puts settings in place of those there are. Known: nothing happens.
pub async fn change_settings(tx: &mut Tx, context: &Context, after: PayoutSettings) -> Result<PayoutSettings> {
    let before = settings(&mut *tx).await?;
    if before == after {
        return Ok(after);
    }
    let text = serde_json::to_string(&after).map_err(|e| store::Error::Unreadable(e.to_string()))?;
    stored::set(tx, SETTING, &text).await?;
    let detail = serde_json::json!({ "before": before, "after": after });
    audit::record(tx, &context.actor, "payout_settings.change", SETTING, &detail, context.at()).await?;
    Ok(after)
}

/// Approves a built run. Known: nothing happens.
///
/// Errors: two persons are required and this one built the run; the run is cancelled.
pub async fn approve(tx: &mut Tx, context: &Context, id: PayoutRunId) -> Result<RunWithLines> {
    let loaded = load(&mut *tx, id).await?;
    match loaded.run.state {
        RunState::Approved | RunState::PartlyPaid | RunState::Paid => return Ok(loaded),
        RunState::Cancelled => return Err(Error::refused(Refusal::RunCancelled, "the run is cancelled")),
        RunState::Built => {}
    }
    let second = settings(&mut *tx).await?.second_approver;
    if second && loaded.run.built_by == context.actor {
        let detail = format!("{} built the run; another person has to approve it", context.actor);
        return Err(Error::refused(Refusal::SamePerson, detail));
    }
    payout::approve(tx, id, &context.actor, context.at()).await?;
    let detail = serde_json::json!({
        "before": RunState::Built, "after": RunState::Approved, "built_by": loaded.run.built_by, "second_approver": second,
    });
    audit::record(tx, &context.actor, "payout_run.approve", &id.to_string(), &detail, context.at()).await?;
    load(&mut *tx, id).await
}
