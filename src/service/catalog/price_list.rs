//! Wholesale price lists of resellers.

use super::find_partner;
use crate::domain::id::PartnerId;
use crate::domain::money::Currency;
use crate::domain::partner::PartnerKind;
use crate::domain::text;
use crate::service::input::{DecimalInput, Problems};
use crate::service::{Context, Result, price_watch};
use crate::store::price_list::{PriceList, PriceListItem};
use crate::store::{Tx, audit, notice, price_list, seen_price};
use chrono::{Datelike, NaiveDate};
use std::collections::HashSet;

/// A list has at most so many items.
const MOST_ITEMS: usize = 20_000;

/// A version of a price list as it is sent.
#[derive(Debug, Clone, Default, serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PriceListInput {
    /// Required of a new list; cannot be changed.
    pub currency: Option<String>,
    /// The first day it is in force, in the merchant's time zone; default: today.
    pub valid_from: Option<String>,
    pub items: Option<Vec<PriceListItemInput>>,
    /// Resellers that have the list, all of them; left out: as it was. A reseller has one list.
    pub partners: Option<Vec<String>>,
}

/// One SKU; at least one of the prices.
#[derive(Debug, Clone, Default, serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PriceListItemInput {
    pub sku: Option<String>,
    /// What the reseller pays.
    pub wholesale: Option<DecimalInput>,
    /// What buyers should pay.
    pub recommended: Option<DecimalInput>,
    /// The least that buyers may be asked for.
    pub minimum: Option<DecimalInput>,
}

/// A version of a list with all that hangs on it.
#[derive(Debug, Clone)]
pub struct PriceListDetails {
    pub list: PriceList,
    pub items: Vec<PriceListItem>,
    pub partners: Vec<PartnerId>,
}

/// Stores a version of a list: a new one, or in place of that of the same day. What was seen of its partners' prices since
/// that day is judged anew. Answers whether the version is new.
pub async fn put_price_list(
    tx: &mut Tx,
    context: &Context,
    name: &str,
    input: &PriceListInput,
) -> Result<(PriceListDetails, bool)> {
    let mut p = Problems::default();
    let name = p.take("/name", text::line(name, 100));
    let known = match &name {
        Some(name) => price_list::versions(&mut *tx, name).await?,
        None => Vec::new(),
    };
    let old_currency = known.first().map(|v| v.currency);
    let currency = match input.currency.as_deref().map(str::trim).filter(|text| !text.is_empty()) {
        None => p.required("/currency", old_currency),
        Some(text) => p.take("/currency", text.parse::<Currency>()),
    };
    if let (Some(old), Some(new)) = (old_currency, currency)
        && old != new
    {
        p.add("/currency", format!("cannot be changed: the list is in {old}"));
    }
    let valid_from = match input.valid_from.as_deref().map(str::trim).filter(|text| !text.is_empty()) {
        None => Some(context.today()),
        Some(text) => p.take("/valid_from", read_day(text)),
    };
    let items = check_items(&mut p, input.items.as_deref(), currency);
    let partners = match (&input.partners, &name) {
        (Some(given), Some(name)) => Some(check_partners(tx, &mut p, given, name).await?),
        _ => None,
    };
    let all = name.zip(currency).zip(valid_from);
    let ((name, currency), valid_from) = p.all(all)?;
    let before = known.into_iter().find(|v| v.valid_from == valid_from);
    let items_before = match &before {
        Some(before) => price_list::items(&mut *tx, before.id).await?,
        None => Vec::new(),
    };
    let mut list = PriceList { id: 0, name, valid_from, currency, created_at: context.at() };
    list.id = price_list::put(tx, &list).await?;
    price_list::put_items(tx, list.id, &items).await?;
    let partners_before = price_list::partners(&mut *tx, &list.name).await?;
    if let Some(wanted) = &partners {
        for gone in partners_before.iter().filter(|id| !wanted.contains(id)) {
            price_list::unassign(tx, *gone).await?;
            notice::close_dumpings(tx, *gone, context.at()).await?;
        }
        for new in wanted.iter().filter(|id| !partners_before.contains(id)) {
            price_list::assign(tx, *new, &list.name).await?;
        }
    }
    for of in seen_price::judge_anew(tx, &list.name, valid_from).await? {
        price_watch::review(tx, &of).await?;
    }
    let partners = price_list::partners(&mut *tx, &list.name).await?;
    let detail = serde_json::json!({
        "valid_from": valid_from,
        "before": { "items": items_before, "partners": partners_before },
        "after": { "items": items, "partners": partners },
    });
    audit::record(tx, &context.actor, "price_list.put", &list.name, &detail, context.at()).await?;
    let items = price_list::items(&mut *tx, list.id).await?;
    Ok((PriceListDetails { list, items, partners }, before.is_none()))
}

fn read_day(text: &str) -> std::result::Result<NaiveDate, &'static str> {
    let day = text.parse::<NaiveDate>().ok().filter(|day| (1990..=9998).contains(&day.year()));
    day.ok_or("must be a day like 2026-09-01")
}

fn check_items(p: &mut Problems, given: Option<&[PriceListItemInput]>, currency: Option<Currency>) -> Vec<PriceListItem> {
    let given = given.unwrap_or_default();
    if given.is_empty() {
        p.add("/items", "is required");
    }
    if given.len() > MOST_ITEMS {
        p.add("/items", format!("are at most {MOST_ITEMS}"));
        return Vec::new();
    }
    let mut skus = HashSet::new();
    let mut items = Vec::with_capacity(given.len());
    for (index, item) in given.iter().enumerate() {
        let at = |field: &str| format!("/items/{index}/{field}");
        let sku = p.required(&at("sku"), item.sku.as_deref());
        let sku = sku.and_then(|sku| p.take(&at("sku"), text::line(sku, 200)));
        let wholesale_minor = p.amount(&at("wholesale"), &item.wholesale, currency);
        let recommended_minor = p.amount(&at("recommended"), &item.recommended, currency);
        let minimum_minor = p.amount(&at("minimum"), &item.minimum, currency);
        if item.wholesale.is_none() && item.recommended.is_none() && item.minimum.is_none() {
            p.add(&format!("/items/{index}"), "has no price");
        }
        if minimum_minor.zip(recommended_minor).is_some_and(|(minimum, recommended)| minimum > recommended) {
            p.add(&at("minimum"), "is above recommended");
        }
        let Some(sku) = sku else { continue };
        if !skus.insert(sku.clone()) {
            p.add(&at("sku"), format!("'{sku}' stands twice"));
        }
        items.push(PriceListItem { sku, wholesale_minor, recommended_minor, minimum_minor });
    }
    items
}

async fn check_partners(tx: &mut Tx, p: &mut Problems, given: &[String], name: &str) -> Result<Vec<PartnerId>> {
    let mut partners = Vec::new();
    for (index, reference) in given.iter().enumerate() {
        let pointer = format!("/partners/{index}");
        let mut own = Problems::default();
        let found = find_partner(tx, &mut own, &Some(reference.clone())).await?;
        let Some(found) = found else {
            p.add(&pointer, own.0.pop().map_or_else(|| "is empty".to_owned(), |e| e.detail));
            continue;
        };
        if found.kind != PartnerKind::Reseller {
            p.add(&pointer, format!("{} is no reseller", found.id));
        }
        if let Some(other) = price_list::name_of(&mut *tx, found.id).await?
            && other != name
        {
            p.add(&pointer, format!("{} has the price list '{other}'", found.id));
        }
        if !partners.contains(&found.id) {
            partners.push(found.id);
        }
    }
    Ok(partners)
}
