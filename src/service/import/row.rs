//! A row of each kind of file as what the API takes: the same checks hold for both.

use crate::domain::promo::promo_key;
use crate::domain::text::LinkCode;
use crate::service::catalog::{self, DiscountInput, LinkInput, PartnerInput, PromoCodeInput};
use crate::service::input::{DecimalInput, Problems};
use crate::service::order::{CustomerInput, OrderInput, RefundInput};
use crate::service::price_watch::SeenPriceInput;
use crate::service::{Context, Result};
use crate::store::{Tx, link, partner, promo};
use std::collections::{BTreeMap, HashMap};

pub(super) struct Row<'a> {
    pub columns: &'a HashMap<String, usize>,
    pub record: &'a csv::StringRecord,
}

impl Row<'_> {
    /// A cell, trimmed; an empty one is none.
    pub fn get(&self, column: &str) -> Option<String> {
        let cell = self.columns.get(column).and_then(|index| self.record.get(*index))?.trim();
        (!cell.is_empty()).then(|| cell.to_owned())
    }

    pub fn decimal(&self, column: &str) -> Option<DecimalInput> {
        self.get(column).map(|text| DecimalInput::from(text.as_str()))
    }

    pub fn number(&self, p: &mut Problems, column: &str) -> Option<i64> {
        let text = self.get(column)?;
        p.take(&format!("/{column}"), text.parse::<i64>().map_err(|_| format!("'{text}' is not a whole number")))
    }
}

pub(super) fn read_order(row: &Row<'_>) -> OrderInput {
    let codes = row
        .get("promo_codes")
        .map(|cell| cell.split(['|', ',', ';']).map(|code| code.trim().to_owned()).filter(|c| !c.is_empty()).collect());
    OrderInput {
        external_id: row.get("external_id"),
        status: row.get("status"),
        placed_at: Some(row.get("placed_at").unwrap_or_default()).filter(|t| !t.is_empty()),
        currency: row.get("currency"),
        total: row.decimal("total"),
        tax: row.decimal("tax"),
        shipping: row.decimal("shipping"),
        discount: row.decimal("discount"),
        promo_codes: codes,
        click_id: row.get("click_id"),
        visitor_id: row.get("visitor_id"),
        customer: Some(CustomerInput {
            id: row.get("customer_id"),
            email: row.get("customer_email"),
            phone: row.get("customer_phone"),
        }),
        ..OrderInput::default()
    }
}

pub(super) fn read_refund(row: &Row<'_>) -> RefundInput {
    RefundInput {
        refund_id: row.get("refund_id"),
        amount: row.decimal("amount"),
        items: None,
        refunded_at: row.get("refunded_at"),
        reason: row.get("reason"),
    }
}

pub(super) fn read_seen_price(row: &Row<'_>) -> SeenPriceInput {
    let currency = row.get("currency");
    SeenPriceInput {
        at: row.get("at"),
        partner: row.get("partner"),
        sku: row.get("sku"),
        price: row.get("price").map(|text| DecimalInput { text, currency }),
        url: row.get("url"),
    }
}

pub(super) async fn take_partner(tx: &mut Tx, context: &Context, row: &Row<'_>) -> Result<bool> {
    let external_id = row.get("external_id");
    let known = match &external_id {
        Some(id) => partner::by_reference(&mut *tx, id).await?.filter(|p| p.external_id.as_ref() == Some(id)),
        None => None,
    };
    let payout: BTreeMap<String, serde_json::Value> = row
        .columns
        .keys()
        .filter_map(|column| Some((column.strip_prefix("payout_")?.to_owned(), serde_json::Value::String(row.get(column)?))))
        .collect();
    let input = PartnerInput {
        name: row.get("name"),
        email: row.get("email"),
        external_id,
        kind: row.get("kind"),
        status: row.get("status"),
        group: row.get("group"),
        payout: (!payout.is_empty()).then_some(payout),
        ..PartnerInput::default()
    };
    catalog::save_partner(tx, context, known.as_ref().map(|k| k.id), &input).await?;
    Ok(known.is_none())
}

pub(super) async fn take_link(tx: &mut Tx, context: &Context, row: &Row<'_>) -> Result<bool> {
    let code = row.get("code");
    let known = match code.as_deref().and_then(|c| c.parse::<LinkCode>().ok()) {
        Some(code) => link::by_code_key(&mut *tx, &code.key()).await?,
        None => None,
    };
    let utm: BTreeMap<String, String> = ["source", "medium", "campaign", "content", "term"]
        .into_iter()
        .filter_map(|field| Some((field.to_owned(), row.get(&format!("utm_{field}"))?)))
        .collect();
    let input = LinkInput {
        program: row.get("program"),
        partner: row.get("partner").map(Some),
        code: if known.is_some() { None } else { code },
        url: row.get("url"),
        utm: (!utm.is_empty()).then_some(utm),
        expires_at: row.get("expires_at").map(Some),
        creative: row.get("creative").map(Some),
        erid: row.get("erid").map(Some),
        ..LinkInput::default()
    };
    catalog::save_link(tx, context, known.as_ref().map(|k| k.id), &input).await?;
    Ok(known.is_none())
}

pub(super) async fn take_promo_code(tx: &mut Tx, context: &Context, row: &Row<'_>) -> Result<bool> {
    let mut p = Problems::default();
    let code = row.get("code");
    let known = match &code {
        Some(code) => promo::by_key(&mut *tx, &promo_key(code)).await?,
        None => None,
    };
    let (percent, amount) = (row.decimal("discount_percent"), row.decimal("discount_amount"));
    let discount = (percent.is_some() || amount.is_some()).then_some(DiscountInput { percent, amount, currency: None });
    let input = PromoCodeInput {
        code,
        program: row.get("program"),
        partner: row.get("partner").map(Some),
        discount,
        starts_at: row.get("starts_at").map(Some),
        ends_at: row.get("ends_at").map(Some),
        max_uses: row.number(&mut p, "max_uses").map(Some),
    };
    p.done()?;
    catalog::save_promo_code(tx, context, known.as_ref().map(|k| k.id), &input).await?;
    Ok(known.is_none())
}
