//! Promo codes.

use super::{find_partner, find_program};
use crate::domain::id::PromoCodeId;
use crate::domain::money::Currency;
use crate::domain::promo::promo_key;
use crate::domain::text;
use crate::service::input::{DecimalInput, Problems, maybe_null};
use crate::service::{Context, Error, Result};
use crate::store::promo::PromoCode;
use crate::store::{Tx, program, promo, settings};

/// A promo code as it is sent.
#[derive(Debug, Clone, Default, serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PromoCodeInput {
    pub code: Option<String>,
    pub program: Option<String>,
    #[serde(default, deserialize_with = "maybe_null")]
    #[schema(value_type = Option<String>)]
    pub partner: Option<Option<String>>,
    pub discount: Option<DiscountInput>,
    #[serde(default, deserialize_with = "maybe_null")]
    #[schema(value_type = Option<String>)]
    pub starts_at: Option<Option<String>>,
    #[serde(default, deserialize_with = "maybe_null")]
    #[schema(value_type = Option<String>)]
    pub ends_at: Option<Option<String>>,
    #[serde(default, deserialize_with = "maybe_null")]
    #[schema(value_type = Option<i64>)]
    pub max_uses: Option<Option<i64>>,
}

/// One of the two.
#[derive(Debug, Clone, Default, serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DiscountInput {
    pub percent: Option<DecimalInput>,
    pub amount: Option<DecimalInput>,
    pub currency: Option<String>,
}

/// Makes a promo code, or changes `known` (not its code and program).
pub async fn save_promo_code(
    tx: &mut Tx,
    context: &Context,
    known: Option<PromoCodeId>,
    input: &PromoCodeInput,
) -> Result<PromoCode> {
    let before = match known {
        Some(id) => Some(promo::by_id(&mut *tx, id).await?.ok_or_else(|| Error::not_found(id))?),
        None => None,
    };
    let old = before.as_ref();
    let mut p = Problems::default();
    let program = match old {
        Some(old) => program::by_id(&mut *tx, old.program_id).await?,
        None => find_program(tx, &mut p, &input.program).await?,
    };
    let code = match (old, &input.code) {
        (Some(old), Some(code)) if promo_key(code) != promo_key(&old.code) => {
            p.add("/code", "cannot be changed");
            None
        }
        (Some(old), _) => Some(old.code.clone()),
        (None, Some(code)) => p.take("/code", text::line(code, 100)),
        (None, None) => p.required("/code", None),
    };
    let partner = match &input.partner {
        None => old.and_then(|o| o.partner_id),
        Some(reference) => find_partner(tx, &mut p, reference).await?.map(|found| found.id),
    };
    let currency = program.as_ref().map(|p| p.currency);
    let (discount_ppm, discount_minor) = match &input.discount {
        None => (old.and_then(|o| o.discount_ppm), old.and_then(|o| o.discount_minor)),
        Some(discount) => {
            if discount.percent.is_some() && discount.amount.is_some() {
                p.add("/discount", "has both percent and amount");
            }
            if discount.currency.as_deref().is_some_and(|c| Some(c) != currency.map(Currency::code)) {
                p.add("/discount/currency", "differs from the program's");
            }
            let percent = p.percent("/discount/percent", &discount.percent).map(|r| r.ppm());
            (percent, p.amount("/discount/amount", &discount.amount, currency))
        }
    };
    let instant = |p: &mut Problems, pointer: &str, given: &Option<Option<String>>, old| match given {
        None => old,
        Some(text) => p.instant(pointer, text).map(Into::into),
    };
    let starts_at = instant(&mut p, "/starts_at", &input.starts_at, old.and_then(|o| o.starts_at));
    let ends_at = instant(&mut p, "/ends_at", &input.ends_at, old.and_then(|o| o.ends_at));
    if starts_at.zip(ends_at).is_some_and(|(start, end)| end <= start) {
        p.add("/ends_at", "must be after starts_at");
    }
    let max_uses = match input.max_uses {
        None => old.and_then(|o| o.max_uses),
        Some(given) => p.number("/max_uses", given, 0, i64::MAX),
    };
    let all = program.zip(code);
    let (program, code) = p.all(all)?;
    let saved = PromoCode {
        id: known.unwrap_or(PromoCodeId(0)),
        code,
        program_id: program.id,
        partner_id: partner,
        discount_ppm,
        discount_minor,
        starts_at,
        ends_at,
        max_uses,
        created_at: old.map_or(context.at(), |o| o.created_at),
    };
    let id = match known {
        Some(id) => {
            promo::update(tx, &saved).await?;
            id
        }
        None => {
            let key = promo_key(&saved.code);
            if promo::by_key(&mut *tx, &key).await?.is_some() {
                return Err(Error::conflict(format!("the code '{}' is taken", saved.code)));
            }
            promo::insert(tx, &saved, &key).await?
        }
    };
    settings::catalog_changed(tx).await?;
    Ok(PromoCode { id, ..saved })
}
