//! What a person does to a partner's balance by hand: correct it, keep back a part of it, release that again, write off
//! what will not be paid. Each has a reason, which the partner reads, and a line in the audit log with before and after.

use crate::domain::id::{JournalId, OrderId, PartnerId};
use crate::domain::ledger::{Account, Journal, JournalKind};
use crate::domain::money::{Currency, Money, MoneyError};
use crate::domain::time::FAR_DAY;
use crate::service::input::{DecimalInput, Problems};
use crate::service::{Context, Error, Result, settle};
use crate::store::ledger::{Balance, Because, Posting};
use crate::store::withholding::{self, Withholding};
use crate::store::{Tx, audit, ledger, order, partner};
use serde_json::{Value, json};

/// A movement of a partner's balance as it is asked for.
#[derive(Debug, Clone, Default, serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MovementInput {
    /// A correction may be below zero; of a write-off, all that is available, if left out.
    pub amount: Option<DecimalInput>,
    pub currency: Option<String>,
    /// The partner reads it.
    pub reason: Option<String>,
    /// The order it is about, by its external id.
    pub order: Option<String>,
    /// What was available when this was asked for: refused if that has changed.
    #[serde(skip)]
    pub available_was: Option<i64>,
}

/// A movement that was posted.
#[derive(Debug, Clone)]
pub struct Movement {
    pub journal: JournalId,
    pub kind: JournalKind,
    pub partner: PartnerId,
    pub currency: Currency,
    /// What it adds to the available balance.
    pub amount_minor: i64,
    pub reason: String,
    pub order: Option<String>,
    pub before: Balance,
    pub after: Balance,
}

/// What was asked for, checked, with the balance as it stands.
struct Asked {
    currency: Currency,
    amount_minor: Option<i64>,
    reason: String,
    order: Option<(OrderId, String)>,
    before: Balance,
}

/// The reason of an act: one line the partner reads.
const LONGEST_REASON: usize = 500;

async fn check(tx: &mut Tx, context: &Context, id: PartnerId, input: &MovementInput) -> Result<Asked> {
    partner::by_id(&mut *tx, id).await?.ok_or_else(|| Error::not_found(id))?;
    let mut p = Problems::default();
    let currency = p.parse::<Currency>("/currency", &input.currency);
    if input.currency.as_deref().is_none_or(|text| text.trim().is_empty()) {
        p.add("/currency", "is required");
    }
    let mut amount_minor = None;
    if let (Some(amount), Some(currency)) = (&input.amount, currency) {
        if amount.currency.as_deref().is_some_and(|code| code != currency.code()) {
            p.add("/amount", format!("must be in {currency}"));
        } else {
            amount_minor = p.take::<Money, MoneyError>("/amount", Money::parse(&amount.text, currency)).map(Money::minor);
        }
    }
    if amount_minor == Some(0) {
        p.add("/amount", "must not be zero");
    }
    let reason = p.line("/reason", &input.reason, LONGEST_REASON);
    if input.reason.as_deref().is_none_or(|text| text.trim().is_empty()) {
        p.add("/reason", "is required");
    }
    let order = match p.line("/order", &input.order, 200) {
        None => None,
        Some(number) => match order::by_external_id(&mut *tx, &number).await? {
            None => {
                p.add("/order", format!("there is no order '{number}'"));
                None
            }
            Some(found) if currency.is_some_and(|currency| currency != found.amounts.currency) => {
                p.add("/order", format!("is in {}", found.amounts.currency));
                None
            }
            Some(found) => Some((found.id, number)),
        },
    };
    let (currency, reason) = p.all(currency.zip(reason))?;
    settle::release(tx, context).await?;
    let before = balance(tx, id, currency).await?;
    if input.available_was.is_some_and(|was| was != before.available_minor) {
        let now = Money::new(before.available_minor, currency);
        return Err(Error::conflict(format!("the balance has changed meanwhile: {now} is available")));
    }
    Ok(Asked { currency, amount_minor, reason, order, before })
}

/// What a partner's accounts hold in a currency now.
pub async fn balance(tx: &mut Tx, id: PartnerId, currency: Currency) -> Result<Balance> {
    let all = ledger::balances(tx, Some(id), FAR_DAY).await?;
    Ok(all.into_iter().find(|(_, c, _)| *c == currency).map_or(Balance::default(), |(.., balance)| balance))
}

/// A balance as the audit log has it.
fn told(balance: Balance, currency: Currency) -> Value {
    let money = |minor| Money::new(minor, currency);
    json!({
        "held": money(balance.held_minor), "available": money(balance.available_minor), "in_payment": money(balance.in_payment_minor),
        "withheld": money(balance.withheld_minor), "written_off": money(balance.written_off_minor),
    })
}

/// Posts what `asked` stands for: `amount_minor` out of one account into the other.
async fn post(
    tx: &mut Tx,
    context: &Context,
    (act, kind): (&str, JournalKind),
    partner: PartnerId,
    asked: Asked,
    (from, to, amount_minor): (Account, Account, i64),
    takes_back: Option<JournalId>,
) -> Result<Movement> {
    let Asked { currency, reason, order, before, .. } = asked;
    let too_large = || Error::field("/amount", "is too large");
    let journal = Journal::transfer(kind, currency, from, to, amount_minor).ok_or_else(too_large)?;
    let mut after = before;
    for (account, minor) in journal.entries() {
        let place = match account {
            Account::Held(_) => &mut after.held_minor,
            Account::Available(_) => &mut after.available_minor,
            Account::InPayment(_) => &mut after.in_payment_minor,
            Account::Withheld(_) => &mut after.withheld_minor,
            Account::WrittenOff(_) => &mut after.written_off_minor,
            Account::Expense | Account::Cash | Account::Tax => continue,
        };
        *place = place.checked_add(*minor).ok_or_else(too_large)?;
    }
    let number = order.as_ref().map(|(_, number)| number.clone());
    let detail = json!({
        "amount": Money::new(amount_minor, currency), "reason": reason, "order": number,
        "before": told(before, currency), "after": told(after, currency),
    });
    let line = audit::record_line(tx, &context.actor, act, &partner.to_string(), &detail, context.at()).await?;
    let because = Because {
        order: order.map(|(id, _)| id),
        note: Some(reason.clone()),
        act: Some(line),
        takes_back,
        ..Because::by(&context.actor)
    };
    let journal = ledger::post(tx, &Posting { journal, day: context.today(), because }, context.at()).await?;
    let amount_minor = after.available_minor - before.available_minor;
    Ok(Movement { journal, kind, partner, currency, amount_minor, reason, order: number, before, after })
}

/// Corrects what a partner is owed, up or down; the available balance may fall below zero, and is carried so.
///
/// Errors: no such partner or order, no amount or zero, no reason.
pub async fn adjust(tx: &mut Tx, context: &Context, id: PartnerId, input: &MovementInput) -> Result<Movement> {
    let asked = check(tx, context, id, input).await?;
    let amount = asked.amount_minor.ok_or_else(|| Error::field("/amount", "is required"))?;
    let way = (Account::Expense, Account::Available(id), amount);
    post(tx, context, ("ledger.adjust", JournalKind::Adjusted), id, asked, way, None).await
}

/// Keeps back a part of what is available: it is still owed, and in no run until it is released.
///
/// Errors: as of [`adjust`]; below zero, or more than is available.
pub async fn withhold(tx: &mut Tx, context: &Context, id: PartnerId, input: &MovementInput) -> Result<Movement> {
    let asked = check(tx, context, id, input).await?;
    let amount = asked.amount_minor.ok_or_else(|| Error::field("/amount", "is required"))?;
    if amount < 0 {
        return Err(Error::field("/amount", "must be more than zero"));
    }
    not_more_than_available(&asked, amount)?;
    let way = (Account::Available(id), Account::Withheld(id), amount);
    post(tx, context, ("ledger.withhold", JournalKind::Withheld), id, asked, way, None).await
}

fn not_more_than_available(asked: &Asked, amount: i64) -> Result<()> {
    let available = asked.before.available_minor;
    if amount <= available {
        return Ok(());
    }
    Err(Error::field("/amount", format!("is more than is available ({})", Money::new(available, asked.currency))))
}

/// Why something that was kept back is released.
#[derive(Debug, Clone, Default, serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReleaseInput {
    pub reason: Option<String>,
}

/// Makes available again what was kept back, all of it. Known: nothing happens.
///
/// Errors: there is no such withholding.
pub async fn release_withheld(tx: &mut Tx, context: &Context, id: JournalId, input: &ReleaseInput) -> Result<Withholding> {
    let find = async |tx: &mut Tx| -> Result<Withholding> {
        withholding::by_id(tx, id).await?.ok_or_else(|| Error::not_found(format!("withholding {id}")))
    };
    let known = find(&mut *tx).await?;
    if known.released_at.is_some() {
        return Ok(known);
    }
    let mut p = Problems::default();
    let reason = p.line("/reason", &input.reason, LONGEST_REASON).unwrap_or_else(|| known.reason.clone());
    p.done()?;
    let (partner, currency) = (known.partner_id, known.currency);
    let before = balance(tx, partner, currency).await?;
    let order = known.order_id.zip(known.order_external_id.clone());
    let asked = Asked { currency, amount_minor: None, reason, order, before };
    let way = (Account::Withheld(partner), Account::Available(partner), known.amount_minor);
    let of = ("ledger.release_withheld", JournalKind::WithholdingReleased);
    post(tx, context, of, partner, asked, way, Some(id)).await?;
    find(tx).await
}

/// Gives up a balance: one below zero by the merchant, an unclaimed one by the partner.
///
/// Errors: as of [`adjust`]; nothing is available; more than there is, below zero or above.
pub async fn write_off(tx: &mut Tx, context: &Context, id: PartnerId, input: &MovementInput) -> Result<Movement> {
    let asked = check(tx, context, id, input).await?;
    let available = asked.before.available_minor;
    if available == 0 {
        return Err(Error::conflict(format!("no balance in {} is available to write off", asked.currency)));
    }
    let amount = asked.amount_minor.unwrap_or(available.checked_abs().unwrap_or(i64::MAX));
    if amount < 0 {
        return Err(Error::field("/amount", "must be more than zero: what is given up, of a balance below zero too"));
    }
    if amount.unsigned_abs() > available.unsigned_abs() {
        let there = Money::new(available, asked.currency);
        return Err(Error::field("/amount", format!("is more than there is to write off ({there})")));
    }
    // What is available comes nearer to zero.
    let taken = if available > 0 { amount } else { -amount };
    let way = (Account::Available(id), Account::WrittenOff(id), taken);
    post(tx, context, ("ledger.write_off", JournalKind::WrittenOff), id, asked, way, None).await
}
