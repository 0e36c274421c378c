//! Receipts of the self-employed: asked for when a run is paid, received from the accountant or the partner, annulled.

use crate::domain::document::{GivenReceipt, ReceiptState};
use crate::domain::id::{PartnerId, ReceiptId};
use crate::domain::money::Money;
use crate::domain::requisites::Payout;
use crate::domain::text;
use crate::service::input::{DecimalInput, Problems};
use crate::service::{Context, Error, Result};
use crate::store::receipt::Receipt;
use crate::store::{self, Tx, audit, partner, receipt};
use chrono::NaiveDate;

/// A receipt as it is sent.
#[derive(Debug, Clone, Default, serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReceiptInput {
    /// Of the receipt; may be left out where the link holds it.
    pub number: Option<String>,
    /// Its address at the tax service, `https://lknpd.nalog.ru/api/v1/receipt/…`.
    pub link: Option<String>,
    /// The receipt's day; today, if left out.
    pub date: Option<String>,
    /// What the receipt is over; it must be what was paid.
    pub amount: Option<DecimalInput>,
}

async fn load(tx: &mut Tx, id: ReceiptId, of: Option<PartnerId>) -> Result<Receipt> {
    let found = receipt::by_id(&mut *tx, id).await?;
    // Another partner's is as if it were not there.
    found.filter(|r| of.is_none_or(|partner| partner == r.partner_id)).ok_or_else(|| Error::not_found(id))
}

/// Takes a receipt in. `of` is the partner who gives it, where it is not the merchant who does. The same once more: nothing
/// happens.
///
/// Errors: it does not fit the payment; another one is there already; its number belongs to another payment.
pub async fn receive_receipt(
    tx: &mut Tx,
    context: &Context,
    id: ReceiptId,
    of: Option<PartnerId>,
    input: &ReceiptInput,
) -> Result<Receipt> {
    let before = load(tx, id, of).await?;
    let mut p = Problems::default();
    let date: Option<NaiveDate> = p.parse("/date", &input.date);
    let amount = p.required("/amount", input.amount.clone());
    let amount = p.amount("/amount", &amount, Some(before.currency));
    p.done()?;
    let owner = partner::by_id(&mut *tx, before.partner_id).await?.ok_or_else(|| Error::not_found(before.partner_id))?;
    let payee = Payout::of_stored(&owner.payout.0).payee;
    let given = GivenReceipt::check(
        input.number.as_deref().unwrap_or(""),
        input.link.as_deref().unwrap_or(""),
        date.unwrap_or_else(|| context.today()),
        Money::new(amount.unwrap_or_default(), before.currency),
        (Money::new(before.amount_minor, before.currency), before.paid_on, payee.inn.as_ref()),
        context.today(),
    )
    .map_err(|e| Error::field(e.pointer(), &e))?;
    match before.state {
        ReceiptState::Received if before.number.as_deref() == Some(given.number.as_str()) => return Ok(before),
        ReceiptState::Received => {
            let known = before.number.unwrap_or_default();
            return Err(Error::conflict(format!("{id} has the receipt {known} already; annul it first")));
        }
        ReceiptState::Annulled if before.number.as_deref() == Some(given.number.as_str()) => {
            return Err(Error::field("/number", "is of the receipt that was annulled"));
        }
        ReceiptState::Annulled | ReceiptState::Asked => {}
    }
    match receipt::receive(tx, id, &given, &context.actor, context.at()).await {
        Err(store::Error::Taken { .. }) => {
            return Err(Error::field("/number", "is of the receipt for another payment"));
        }
        done => done?,
    }
    let detail = serde_json::json!({
        "before": before.state, "after": ReceiptState::Received, "number": given.number, "link": given.link, "date": given.date,
        "partner": before.partner_id, "payout_run": before.payout_run_id,
    });
    audit::record(tx, &context.actor, "receipt.receive", &id.to_string(), &detail, context.at()).await?;
    load(tx, id, None).await
}

/// The payee has taken a receipt back. Known: nothing happens.
///
/// Errors: none was received; there is no reason.
pub async fn annul_receipt(tx: &mut Tx, context: &Context, id: ReceiptId, because: &str) -> Result<Receipt> {
    let before = load(tx, id, None).await?;
    match before.state {
        ReceiptState::Annulled => return Ok(before),
        ReceiptState::Asked => return Err(Error::conflict(format!("{id} was not received yet"))),
        ReceiptState::Received => {}
    }
    let because = text::line(because, 300).map_err(|e| Error::field("/reason", e))?;
    receipt::annul(tx, id, &because, context.at()).await?;
    let detail = serde_json::json!({ "before": before.state, "after": ReceiptState::Annulled, "number": before.number, "reason": because });
    audit::record(tx, &context.actor, "receipt.annul", &id.to_string(), &detail, context.at()).await?;
    load(tx, id, None).await
}

/// Notes that the partner was reminded. Errors: the receipt is there.
pub async fn remind_of_receipt(tx: &mut Tx, context: &Context, id: ReceiptId) -> Result<Receipt> {
    let before = load(tx, id, None).await?;
    if !before.state.is_missing() {
        return Err(Error::conflict(format!("{id} was received")));
    }
    receipt::remind(tx, id, context.at()).await?;
    let detail = serde_json::json!({ "partner": before.partner_id, "reminders": before.reminders + 1 });
    audit::record(tx, &context.actor, "receipt.remind", &id.to_string(), &detail, context.at()).await?;
    load(tx, id, None).await
}
