//! What a partner works with, in their cabinet: the creatives of their programs, and a reseller's price list.

use super::page::{Frame, NONE};
use super::who::PageError;
use crate::domain::ad_marking::CreativeKind;
use crate::domain::id::PartnerId;
use crate::domain::money::Money;
use crate::service::Context;
use crate::store::{Db, creative, price_list};

/// Both are empty for most.
pub(super) struct Materials {
    pub creatives: Vec<CreativeView>,
    pub prices: Option<PricesView>,
}

pub(super) struct CreativeView {
    pub name: String,
    pub kind: String,
    pub erid: Option<String>,
    pub url: Option<String>,
    /// HTML to be copied, or text.
    pub body: Option<String>,
}

pub(super) struct PricesView {
    pub valid_from: String,
    /// SKU, wholesale, recommended, minimum.
    pub rows: Vec<[String; 4]>,
}

pub(super) async fn materials(db: &Db, frame: &Frame, context: &Context, partner: PartnerId) -> Result<Materials, PageError> {
    let creatives = creative::of_partner(db, partner).await?.into_iter().map(|c| CreativeView {
        kind: frame.t(match c.kind {
            CreativeKind::Banner => "creative-banner",
            CreativeKind::Text => "creative-text",
            CreativeKind::Video => "creative-video",
        }),
        name: c.name,
        erid: c.erid,
        url: c.url,
        body: c.html.or(c.text),
    });
    Ok(Materials { creatives: creatives.collect(), prices: prices(db, frame, context, partner).await? })
}

/// The reseller's list as it is in force today.
async fn prices(db: &Db, frame: &Frame, context: &Context, partner: PartnerId) -> Result<Option<PricesView>, PageError> {
    let Some(name) = price_list::name_of(db, partner).await? else { return Ok(None) };
    let today = context.today();
    let Some(list) = price_list::versions(db, &name).await?.into_iter().find(|v| v.valid_from <= today) else { return Ok(None) };
    let lang = frame.lang;
    let money = |minor: Option<i64>| minor.map_or(NONE.to_owned(), |minor| lang.money(Money::new(minor, list.currency)));
    let items = price_list::items(db, list.id).await?;
    let row =
        |i: price_list::PriceListItem| [i.sku, money(i.wholesale_minor), money(i.recommended_minor), money(i.minimum_minor)];
    Ok(Some(PricesView { valid_from: lang.day(list.valid_from), rows: items.into_iter().map(row).collect() }))
}
