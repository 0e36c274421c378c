//! An order arrives: once only, attributed, commissioned; and what a refund takes back.

mod queue;
mod together;

pub use queue::OrderQueue;
pub use together::{Sent, record_together};

use super::input::{DecimalInput, Problems};
use super::settle::{Fact, Settling};
use super::terms::Terms;
use super::{Context, Error, Result, decide, settle, stitch};
use crate::domain::money::{Currency, Money};
use crate::domain::order::{NewOrder, OrderAmounts, OrderItem, OrderStatus, ReversalReason};
use crate::domain::person::{Identifier, IdentifierKind, Who};
use crate::domain::promo::promo_key;
use crate::domain::touch::touch_id;
use crate::store::commission::Commission;
use crate::store::decision::StoredDecision;
use crate::store::order::Order;
use crate::store::refund::Refund;
use crate::store::{Reader, Tx, audit, commission, decision, miss, order, person, promo, refund, touch};
use chrono::NaiveDate;
use serde_json::json;
use sqlx::types::Json;
use std::collections::BTreeMap;

/// An order as it is sent.
#[derive(Debug, Clone, Default, serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OrderInput {
    pub external_id: Option<String>,
    /// `pending`, `approved` (default) or `cancelled`.
    pub status: Option<String>,
    /// `chargeback`, of a cancelled order that the bank took back.
    pub reason: Option<String>,
    pub placed_at: Option<String>,
    pub currency: Option<String>,
    /// What the buyer pays: discount taken off, tax and shipping in it.
    pub total: Option<DecimalInput>,
    pub tax: Option<DecimalInput>,
    pub shipping: Option<DecimalInput>,
    pub discount: Option<DecimalInput>,
    pub items: Option<Vec<ItemInput>>,
    pub promo_codes: Option<Vec<String>>,
    pub click_id: Option<String>,
    pub visitor_id: Option<String>,
    pub customer: Option<CustomerInput>,
    pub utm: Option<BTreeMap<String, String>>,
    pub referrer: Option<String>,
    #[schema(value_type = Option<Object>)]
    pub metadata: Option<serde_json::Value>,
}

/// One line; `amount` is the line's total.
#[derive(Debug, Clone, Default, serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ItemInput {
    pub sku: Option<String>,
    pub name: Option<String>,
    pub category: Option<String>,
    pub quantity: Option<i64>,
    pub amount: Option<DecimalInput>,
}

/// Who bought. E-mail and phone are stored as keyed hashes only.
#[derive(Debug, Clone, Default, serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CustomerInput {
    pub id: Option<String>,
    pub email: Option<String>,
    pub phone: Option<String>,
}

impl CustomerInput {
    /// Whose an order or lead of this customer, visitor and click is; e-mail and phone become keyed hashes.
    pub(super) fn who(&self, p: &mut Problems, context: &Context, visitor: &Option<String>, click: &Option<String>) -> Who {
        let email_hash = self.email.as_deref().map(str::trim).filter(|e| !e.is_empty()).and_then(|email| {
            let hash = context.hash_key.email(email);
            if hash.is_none() {
                p.add("/customer/email", "is not an e-mail address");
            }
            hash
        });
        Who {
            customer_id: p.line("/customer/id", &self.id, 200),
            email_hash,
            // A phone that is none is left out: an order is not refused for what a buyer typed into a field nobody checked.
            phone_hash: self.phone.as_deref().and_then(|phone| context.hash_key.phone(phone)),
            visitor_id: p.line("/visitor_id", visitor, 200),
            click_id: p.line("/click_id", click, 200),
        }
    }
}

/// A refund as it is sent.
#[derive(Debug, Clone, Default, serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RefundInput {
    pub refund_id: Option<String>,
    pub amount: Option<DecimalInput>,
    pub items: Option<Vec<ItemInput>>,
    /// Now, if left out.
    pub refunded_at: Option<String>,
    /// `chargeback`, if the bank took it back.
    pub reason: Option<String>,
}

impl OrderInput {
    /// Checks every field; e-mail and phone become hashes.
    pub fn check(&self, context: &Context) -> Result<NewOrder> {
        let mut p = Problems::default();
        let external_id = p.line("/external_id", &self.external_id, 200);
        let external_id = if p.0.is_empty() { p.required("/external_id", external_id) } else { external_id };
        let status = p.word("/status", &self.status).unwrap_or(OrderStatus::Approved);
        let reason = p.word("/reason", &self.reason);
        if reason.is_some() && status != OrderStatus::Cancelled {
            p.add("/reason", "is of cancelled orders only");
        }
        let placed_at = match &self.placed_at {
            None => p.required("/placed_at", None),
            text => p.past_instant("/placed_at", text, context.now),
        };
        let currency: Option<Currency> = match &self.currency {
            None => p.required("/currency", None),
            text => p.parse("/currency", text),
        };
        if self.total.is_none() {
            p.add("/total", "is required");
        }
        let total = p.amount("/total", &self.total, currency);
        let tax = p.amount("/tax", &self.tax, currency).unwrap_or(0);
        let shipping = p.amount("/shipping", &self.shipping, currency).unwrap_or(0);
        let discount = p.amount("/discount", &self.discount, currency).unwrap_or(0);
        let items = check_items(&mut p, self.items.as_deref().unwrap_or_default(), currency);
        let customer = self.customer.clone().unwrap_or_default();
        let mut promo_codes: Vec<String> = Vec::new();
        for (index, code) in self.promo_codes.iter().flatten().enumerate() {
            if let Some(code) = p.line(&format!("/promo_codes/{index}"), &Some(code.clone()), 100)
                && !promo_codes.iter().any(|known| promo_key(known) == promo_key(&code))
            {
                promo_codes.push(code);
            }
        }
        let who = customer.who(&mut p, context, &self.visitor_id, &self.click_id);
        let checked = NewOrder {
            external_id: external_id.unwrap_or_default(),
            status,
            reason,
            placed_at: placed_at.unwrap_or_default(),
            amounts: OrderAmounts {
                currency: currency.unwrap_or(Currency::RUB),
                total_minor: total.unwrap_or(0),
                tax_minor: tax,
                shipping_minor: shipping,
                discount_minor: discount,
                refunded_minor: 0,
                items,
            },
            who,
            promo_codes,
            utm: serde_json::json!(p.utm("/utm", &self.utm)),
            referrer: p.line("/referrer", &self.referrer, 2_000),
            metadata: self.metadata.clone().unwrap_or_else(|| serde_json::json!({})),
        };
        p.done()?;
        Ok(checked)
    }
}

fn check_items(p: &mut Problems, items: &[ItemInput], currency: Option<Currency>) -> Vec<OrderItem> {
    if items.len() > 5_000 {
        p.add("/items", "has more than 5000 lines");
        return Vec::new();
    }
    let mut checked = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        let at = |field: &str| format!("/items/{index}/{field}");
        checked.push(OrderItem {
            sku: p.line(&at("sku"), &item.sku, 200),
            name: p.line(&at("name"), &item.name, 500),
            category: p.line(&at("category"), &item.category, 200),
            quantity: p.number(&at("quantity"), Some(item.quantity.unwrap_or(1)), 0, 1_000_000_000).unwrap_or(1),
            amount_minor: p.amount(&at("amount"), &item.amount, currency).unwrap_or(0),
        });
    }
    checked
}

/// An order as it now stands with what it owes, and whether what came in is new.
#[derive(Debug, Clone)]
pub struct Recorded {
    pub order: Order,
    pub is_new: bool,
    pub decided: Option<StoredDecision>,
    pub commissions: Vec<Commission>,
}

/// Records an order by its external id: a new one, or the replacement of a known one. Refunds stay.
///
/// Errors: another currency than before (conflict), a currency no program has, a total below what was refunded.
pub async fn record(tx: &mut Tx, context: &Context, new: &NewOrder) -> Result<Recorded> {
    let known = order::by_external_id(&mut *tx, &new.external_id).await?;
    let terms = context.terms(tx).await?;
    check_against_known(tx, &terms, new, known.as_ref()).await?;
    let identifiers = identifiers(tx, &new.who).await?;
    let because = format!("order {}", new.external_id);
    let person = match (stitch::join(tx, context, &identifiers, &because).await?, &known) {
        (Some(person), _) => person,
        // Nothing joins it to anybody: it has a person of its own.
        (None, None) => person::insert(tx, context.at()).await?,
        (None, Some(known)) => order::by_id(&mut *tx, known.id).await?.person,
    };
    let day = context.day(new.placed_at);
    let stored = match &known {
        None => order::insert(tx, new, day, person, context.at()).await?,
        Some(known) => {
            order::replace(tx, known.id, new, day, person, context.at()).await?;
            order::by_id(&mut *tx, known.id).await?
        }
    };
    if known.is_some() || !new.promo_codes.is_empty() {
        let mut codes = Vec::new();
        for code in &new.promo_codes {
            match promo::by_key(&mut *tx, &promo_key(code)).await? {
                Some(found) => codes.push(found.id),
                None => miss_promo_code(tx, context, code, &new.external_id).await?,
            }
        }
        promo::set_order_codes(tx, stored.id, &codes).await?;
    }
    let (mut decided, before) = match &known {
        None => (None, Vec::new()),
        Some(known) => (decision::of_order(&mut *tx, known.id).await?, commission::of_order(&mut *tx, known.id).await?),
    };
    if decided.is_none() && stored.status == OrderStatus::Approved {
        decided = Some(decide::decide_now(tx, context, &terms, &stored).await?);
    }
    let fact_day = if known.is_none() { day } else { context.today() };
    let was_cancelled = known.as_ref().is_some_and(|known| known.status == OrderStatus::Cancelled);
    let fact = match new.reason {
        Some(reason) if !was_cancelled => {
            let before = known.as_ref().map_or(stored.amounts.net(), |known| known.amounts.net());
            let detail = json!({ "before": before, "after": Money::zero(before.currency()), "cancelled": true });
            named(tx, context, reason, fact_day, &stored.external_id, &detail).await?
        }
        _ => Fact::on(fact_day),
    };
    let commissions = match &decided {
        Some(decided) => settle::settle_by(tx, Settling::under(terms, context, fact), &stored, decided, before).await?,
        None => before,
    };
    Ok(Recorded { order: stored, is_new: known.is_none(), decided, commissions })
}

async fn check_against_known(tx: &mut Tx, terms: &Terms, new: &NewOrder, known: Option<&Order>) -> Result<()> {
    let currency = new.amounts.currency;
    match known {
        Some(known) if known.amounts.currency != currency => {
            Err(Error::conflict(format!("the order is in {}, it cannot become {currency}", known.amounts.currency)))
        }
        Some(known) if known.amounts.refunded_minor > new.amounts.total_minor => {
            let refunded = Money::new(known.amounts.refunded_minor, currency);
            Err(Error::field("/total", format!("is less than what was refunded already ({refunded})")))
        }
        Some(_) => Ok(()),
        None => {
            if takes_currency(tx, terms, currency).await? {
                Ok(())
            } else {
                Err(Error::field("/currency", format!("no program is in {currency}")))
            }
        }
    }
}

/// Whether orders may come in a currency: a program is in it, or there is none.
async fn takes_currency(tx: &mut Tx, terms: &Terms, currency: Currency) -> Result<bool> {
    let programs = terms.programs(&mut Reader::from(tx)).await?;
    Ok(programs.is_empty() || programs.iter().any(|program| program.currency == currency))
}

/// The identifiers of whose an order or lead is; a click also brings the visitor it was made by.
pub(super) async fn identifiers(tx: &mut Tx, who: &Who) -> Result<Vec<Identifier>> {
    let visitor = match &who.click_id {
        Some(click_id) => touch::by_id(&mut *tx, touch_id(click_id)).await?.and_then(|clicked| clicked.visitor_id),
        None => None,
    };
    Ok(identifiers_with(who, visitor))
}

/// As [`identifiers`], with the visitor who made the click.
fn identifiers_with(who: &Who, clicked_by: Option<String>) -> Vec<Identifier> {
    let kinds = [
        (IdentifierKind::Visitor, &who.visitor_id),
        (IdentifierKind::Customer, &who.customer_id),
        (IdentifierKind::Email, &who.email_hash),
        (IdentifierKind::Phone, &who.phone_hash),
        (IdentifierKind::Visitor, &clicked_by),
    ];
    let named = kinds.into_iter().filter_map(|(kind, value)| Some(Identifier::new(kind, value.clone()?)));
    let mut identifiers: Vec<Identifier> = named.chain(who.click_id.as_deref().map(stitch::click_identifier)).collect();
    identifiers.sort();
    identifiers.dedup();
    identifiers
}

async fn miss_promo_code(tx: &mut Tx, context: &Context, code: &str, external_id: &str) -> Result<()> {
    let keys = promo::all_keys(&mut *tx).await?;
    let nearest = nearest(&promo_key(code), keys.iter().map(String::as_str));
    let detail = format!("on order {external_id}");
    miss::record(tx, "promo_code", code, nearest, &detail, context.at()).await?;
    Ok(())
}

/// The candidate at most two typing errors away, the nearest first.
pub fn nearest<'a>(wanted: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .filter(|c| c.len().abs_diff(wanted.len()) <= 4)
        .map(|c| (strsim::damerau_levenshtein(wanted, c), c))
        .filter(|(distance, c)| *distance <= 2 && *distance < c.chars().count())
        .min()
        .map(|(_, c)| c)
}

/// Records a refund, once by its id. Answers the order as it now stands and whether the refund is new.
///
/// Errors: no such order, more than is left, the same id with another amount (conflict).
pub async fn record_refund(tx: &mut Tx, context: &Context, external_id: &str, input: &RefundInput) -> Result<Recorded> {
    let order =
        order::by_external_id(&mut *tx, external_id).await?.ok_or_else(|| Error::not_found(format!("order '{external_id}'")))?;
    let currency = Some(order.amounts.currency);
    let mut p = Problems::default();
    let refund_id = p.line("/refund_id", &input.refund_id, 200);
    if input.refund_id.as_deref().is_none_or(|t| t.trim().is_empty()) {
        p.add("/refund_id", "is required");
    }
    if input.amount.is_none() {
        p.add("/amount", "is required");
    }
    let amount = p.amount("/amount", &input.amount, currency);
    if amount == Some(0) {
        p.add("/amount", "must be more than zero");
    }
    let refunded_at = match &input.refunded_at {
        None => Some(context.now),
        text => p.past_instant("/refunded_at", text, context.now),
    };
    let items = check_items(&mut p, input.items.as_deref().unwrap_or_default(), currency);
    let reason = p.word("/reason", &input.reason);
    let all = refund_id.zip(amount).zip(refunded_at);
    let ((refund_id, amount_minor), refunded_at) = p.all(all)?;
    if let Some(known) = refund::by_id(&mut *tx, order.id, &refund_id).await? {
        if known.amount_minor != amount_minor {
            return Err(Error::conflict(format!("refund '{refund_id}' is known with another amount")));
        }
        let (decided, commissions) =
            (decision::of_order(&mut *tx, order.id).await?, commission::of_order(&mut *tx, order.id).await?);
        return Ok(Recorded { order, is_new: false, decided, commissions });
    }
    let left = order.amounts.net();
    if amount_minor > left.minor() {
        return Err(Error::field("/amount", format!("is more than is left of the order ({left})")));
    }
    let new = Refund { refund_id, amount_minor, refunded_at: refunded_at.into(), items: Json(items), reason };
    refund::insert(tx, order.id, &new, context.at()).await?;
    let order = order::by_id(&mut *tx, order.id).await?;
    let fact_day = context.day(refunded_at).max(order.day);
    let fact = match reason {
        None => Fact::on(fact_day),
        Some(reason) => {
            let detail = json!({ "before": left, "after": order.amounts.net(), "refund_id": new.refund_id });
            named(tx, context, reason, fact_day, external_id, &detail).await?
        }
    };
    let commissions = settle::settle(tx, context, &order, fact).await?;
    let decided = decision::of_order(&mut *tx, order.id).await?;
    Ok(Recorded { order, is_new: true, decided, commissions })
}

/// Money that went back for a reason with a name: it is in the audit log, and its journals lead there.
async fn named(
    tx: &mut Tx,
    context: &Context,
    reason: ReversalReason,
    day: NaiveDate,
    order: &str,
    detail: &serde_json::Value,
) -> Result<Fact> {
    let act = format!("order.{}", reason.word());
    let line = audit::record_line(tx, &context.actor, &act, order, detail, context.at()).await?;
    Ok(Fact { reason: Some(reason), act: Some(line), ..Fact::on(day) })
}
