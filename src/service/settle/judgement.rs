//! What a person says of a commission: approved, declined with a reason, or given back.

use super::{Due, Fact, Origin, Settling, settle};
use crate::domain::commission::CommissionState;
use crate::domain::id::CommissionId;
use crate::domain::money::Money;
use crate::service::{Context, Error, Result};
use crate::store::commission::Commission;
use crate::store::{Tx, audit, commission, lead, order};
use serde_json::json;

async fn find(tx: &mut Tx, id: CommissionId) -> Result<Commission> {
    commission::by_id(&mut *tx, id).await?.ok_or_else(|| Error::not_found(id))
}

/// Approves a commission that waits for it: it is released as soon as its hold is over. Known: nothing happens.
///
/// Errors: it was declined, or owes nothing any more.
pub async fn approve(tx: &mut Tx, context: &Context, id: CommissionId) -> Result<Commission> {
    let found = find(tx, id).await?;
    match found.state {
        CommissionState::Rejected => return Err(Error::conflict("the commission was declined; restore it first")),
        CommissionState::Reversed => return Err(Error::conflict("the commission owes nothing any more")),
        _ if !found.needs_approval => return Ok(found),
        _ => {}
    }
    let approved = Commission { needs_approval: false, judged_by: Some(context.actor.clone()), ..found };
    commission::update(tx, &approved, context.at()).await?;
    let detail = json!({ "before": "waits for approval", "after": "approved", "amount": Money::new(approved.amount_minor, approved.currency) });
    audit::record(tx, &context.actor, "commission.approve", &id.to_string(), &detail, context.at()).await?;
    super::release(tx, context).await?;
    find(tx, id).await
}

/// Declines a commission before it is in a payout run; the partner reads the reason.
///
/// Errors: it is in a run or paid; no reason.
pub async fn decline(tx: &mut Tx, context: &Context, id: CommissionId, reason: &str) -> Result<Commission> {
    let reason = reason.trim();
    if reason.is_empty() || reason.chars().count() > 500 || reason.chars().any(char::is_control) {
        return Err(Error::field("/reason", "must be a text of one line, at most 500 characters"));
    }
    let found = find(tx, id).await?;
    if matches!(found.state, CommissionState::Payable | CommissionState::Paid) {
        return Err(Error::conflict("the commission is in a payout run already"));
    }
    if found.declined_because.as_deref() == Some(reason) {
        return Ok(found);
    }
    let (judged_by, because) = (Some(context.actor.clone()), Some(reason.to_owned()));
    judge(tx, context, Commission { judged_by, declined_because: because, ..found }).await?;
    let detail = json!({ "before": null, "after": reason });
    audit::record(tx, &context.actor, "commission.decline", &id.to_string(), &detail, context.at()).await?;
    find(tx, id).await
}

/// Takes a decline back: the commission owes again what its order's state owes, and starts in hold.
///
/// Errors: it was not declined.
pub async fn restore(tx: &mut Tx, context: &Context, id: CommissionId) -> Result<Commission> {
    let found = find(tx, id).await?;
    let Some(before) = found.declined_because.clone() else {
        return Err(Error::conflict("the commission was not declined"));
    };
    judge(tx, context, Commission { judged_by: Some(context.actor.clone()), declined_because: None, ..found }).await?;
    let detail = json!({ "before": before, "after": null });
    audit::record(tx, &context.actor, "commission.restore", &id.to_string(), &detail, context.at()).await?;
    find(tx, id).await
}

/// Stores what was said and settles whatever depends on it.
async fn judge(tx: &mut Tx, context: &Context, said: Commission) -> Result<()> {
    commission::update(tx, &said, context.at()).await?;
    if let Some(order) = said.order_id {
        let order = order::by_id(&mut *tx, order).await?;
        settle(tx, context, &order, Fact::on(context.today())).await?;
        return Ok(());
    }
    if let Some(id) = said.lead_id {
        let lead = lead::by_id(&mut *tx, id).await?.ok_or_else(|| Error::not_found(id))?;
        super::settle_lead(tx, context, &lead, Fact::on(context.today())).await?;
        return Ok(());
    }
    if said.declined_because.is_some() {
        let explanation = said.explanation.0.clone().declined();
        let due = Due { partner: said.partner_id, program: said.program_id, explanation };
        let origin = Origin::new(said.period.clone(), said.currency, said.hold_until.0);
        let mut settling = Settling::begin(tx, context, Fact::on(context.today())).await?;
        settling.bring(tx, Some(&said), &due, &origin).await?;
        return settling.finish(tx).await;
    }
    super::volume::settle_again(tx, context, &said).await
}
