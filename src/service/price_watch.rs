//! Prices that were seen at resellers: recorded, judged by the price list in force, and told of while one is too low.

use super::catalog::find_partner;
use super::input::{DecimalInput, Problems};
use super::{Context, Error, Result};
use crate::domain::partner::PartnerKind;
use crate::domain::price_watch::{SeenPrice, dumpings};
use crate::domain::text::{line, web_address};
use crate::store::seen_price::PriceOf;
use crate::store::{Tx, notice, price_list, seen_price};

/// The longest address of a price, in bytes: it is part of an index.
const LONGEST_URL: usize = 1_500;

/// A price as it was seen.
#[derive(Debug, Clone, Default, serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SeenPriceInput {
    /// When it was seen.
    pub at: Option<String>,
    /// A reseller with a price list: id, external id or e-mail address.
    pub partner: Option<String>,
    pub sku: Option<String>,
    /// In the currency of the price list.
    pub price: Option<DecimalInput>,
    /// Where it was seen. Prices at one address follow one another.
    pub url: Option<String>,
}

/// Records a price, once by partner, SKU, instant and address; the same again with another price corrects it. Answers whose
/// price of what it is, to be [`review`]ed, and whether it is new. `pointer` is where the input stands in the body.
pub async fn record(tx: &mut Tx, context: &Context, pointer: &str, input: &SeenPriceInput) -> Result<(PriceOf, bool)> {
    let mut p = Problems::default();
    let at = match &input.at {
        None => p.required("/at", None),
        text => p.past_instant("/at", text, context.now),
    };
    if input.at.as_deref().is_some_and(|text| text.trim().is_empty()) {
        p.add("/at", "is required");
    }
    let sku = p.required("/sku", input.sku.as_deref());
    let sku = sku.and_then(|sku| p.take("/sku", line(sku, 200)));
    let partner = find_partner(tx, &mut p, &input.partner).await?;
    if partner.is_none() && input.partner.as_deref().is_none_or(|text| text.trim().is_empty()) {
        p.add("/partner", "is required");
    }
    let list = match &partner {
        None => None,
        Some(partner) if partner.kind != PartnerKind::Reseller => {
            p.add("/partner", format!("{} is no reseller", partner.id));
            None
        }
        Some(partner) => {
            let name = price_list::name_of(&mut *tx, partner.id).await?;
            if name.is_none() {
                p.add("/partner", format!("{} has no price list", partner.id));
            }
            name
        }
    };
    let currency = match &list {
        None => None,
        Some(name) => price_list::versions(&mut *tx, name).await?.first().map(|v| v.currency),
    };
    if input.price.is_none() {
        p.add("/price", "is required");
    }
    let price_minor = p.amount("/price", &input.price, currency);
    let given = input.url.as_deref().map(str::trim).filter(|url| !url.is_empty());
    let url = given.and_then(|url| p.take("/url", web_address(url))).map(String::from).unwrap_or_default();
    if url.len() > LONGEST_URL {
        p.add("/url", format!("is longer than {LONGEST_URL} characters"));
    }
    let all = at.zip(sku).zip(partner).zip(list).zip(currency).zip(price_minor);
    let found = p.all(all).map_err(|error| below(pointer, error))?;
    let (((((at, sku), partner), list), currency), price_minor) = found;
    let day = context.day(at);
    let minimum_minor = price_list::minimum(&mut *tx, &list, &sku, day).await?;
    let of = PriceOf { partner_id: partner.id, sku };
    let is_new = seen_price::put(tx, &of, day, &SeenPrice { at, url, currency, price_minor, minimum_minor }).await?;
    Ok((of, is_new))
}

/// The same error, of an input that stands at `pointer`.
fn below(pointer: &str, error: Error) -> Error {
    match error {
        Error::Invalid(mut fields) => {
            for field in &mut fields {
                field.pointer.insert_str(0, pointer);
            }
            Error::Invalid(fields)
        }
        other => other,
    }
}

/// Brings the notices of a price to what was seen of it, in whatever order that arrived.
pub async fn review(tx: &mut Tx, of: &PriceOf) -> Result<()> {
    let spans = dumpings(seen_price::of(&mut *tx, of).await?);
    Ok(notice::put_dumpings(tx, of, &spans).await?)
}
