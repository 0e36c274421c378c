//! Promo codes, and the check a shop makes at its checkout.

use super::{Body, Page, act, id, listed, view};
use crate::domain::id::{ProgramId, PromoCodeId};
use crate::domain::money::{Currency, Money, RatePpm};
use crate::domain::promo::{Discount, PromoValidity, promo_key};
use crate::service::access::Scope;
use crate::service::catalog::{PromoCodeInput, save_promo_code};
use crate::service::input::{DecimalInput, Problems};
use crate::service::{Error, decide};
use crate::store::promo::PromoCode;
use crate::store::{program, promo};
use crate::web::App;
use crate::web::error::Problem;
use crate::web::who::ApiKey;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, Query};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Value, json};
use std::collections::HashMap;

async fn currencies(app: &App) -> Result<HashMap<ProgramId, Currency>, Problem> {
    Ok(program::all(&app.service.db).await?.into_iter().map(|p| (p.id, p.currency)).collect())
}

fn shown(promo: &PromoCode, currencies: &HashMap<ProgramId, Currency>) -> Value {
    view::promo_code(promo, currencies.get(&promo.program_id).copied().unwrap_or(Currency::RUB))
}

/// Make a promo code.
#[utoipa::path(post, path = "/v1/promo-codes", tag = "Promo codes", request_body = PromoCodeInput, responses((status = 201, description = "Made"), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn create(app: Data<App>, key: ApiKey, request: HttpRequest, body: Body) -> Result<HttpResponse, Problem> {
    let input: PromoCodeInput = body.read()?;
    let currencies = currencies(&app).await?;
    act(&app, &key, &request, &body, Scope::Write, async |tx, context| {
        Ok((StatusCode::CREATED, shown(&save_promo_code(tx, context, None, &input).await?, &currencies)))
    })
    .await
}

/// Change a promo code: not its code and program.
#[utoipa::path(patch, path = "/v1/promo-codes/{id}", tag = "Promo codes", request_body = PromoCodeInput, params(("id" = String, Path)), responses((status = 200, description = "Changed"), (status = 404, body = Problem), (status = 422, body = Problem)))]
pub async fn change(
    app: Data<App>,
    key: ApiKey,
    request: HttpRequest,
    path: Path<String>,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let (known, input): (PromoCodeId, PromoCodeInput) = (id(&path)?, body.read()?);
    let currencies = currencies(&app).await?;
    act(&app, &key, &request, &body, Scope::Write, async |tx, context| {
        Ok((StatusCode::OK, shown(&save_promo_code(tx, context, Some(known), &input).await?, &currencies)))
    })
    .await
}

/// One promo code.
#[utoipa::path(get, path = "/v1/promo-codes/{id}", tag = "Promo codes", params(("id" = String, Path)), responses((status = 200, description = "The promo code"), (status = 404, body = Problem)))]
pub async fn one(app: Data<App>, _key: ApiKey, path: Path<String>) -> Result<HttpResponse, Problem> {
    let wanted: PromoCodeId = id(&path)?;
    let found = promo::by_id(&app.service.db, wanted).await?.ok_or_else(|| Error::not_found(wanted))?;
    Ok(HttpResponse::Ok().json(shown(&found, &currencies(&app).await?)))
}

/// All promo codes.
#[utoipa::path(get, path = "/v1/promo-codes", tag = "Promo codes", params(("limit" = Option<i64>, Query), ("cursor" = Option<String>, Query)), responses((status = 200, description = "A page of promo codes")))]
pub async fn list(app: Data<App>, _key: ApiKey, request: HttpRequest, page: Query<Page>) -> Result<HttpResponse, Problem> {
    let limit = page.limit()?;
    let found = promo::list(&app.service.db, None, page.after()?, limit).await?;
    let currencies = currencies(&app).await?;
    Ok(listed(&request, limit, found, |p| p.id.0, |p| shown(p, &currencies)))
}

/// What a checkout asks.
#[derive(Debug, Clone, Default, serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckInput {
    pub code: Option<String>,
    pub total: Option<DecimalInput>,
    /// The customer's id in the shop.
    #[schema(value_type = Option<String>)]
    pub customer: Option<Value>,
}

/// Whether a code holds now, and what it takes off.
#[utoipa::path(post, path = "/v1/promo-codes/check", tag = "Promo codes", request_body = CheckInput, responses((status = 200, description = "`{valid, reason, discount}`")))]
pub async fn check(app: Data<App>, key: ApiKey, body: Body) -> Result<HttpResponse, Problem> {
    key.needs(Scope::Read)?;
    let input: CheckInput = body.read()?;
    let code = input.code.as_deref().ok_or_else(|| Problem::field("/code", "is required"))?;
    let db = &app.service.db;
    let Some(found) = promo::by_key(db, &promo_key(code)).await? else {
        return Ok(HttpResponse::Ok().json(json!({ "valid": false, "reason": "promo_unknown", "discount": null })));
    };
    let program = program::by_id(db, found.program_id).await?.ok_or_else(|| Error::not_found(found.program_id))?;
    let mut problems = Problems::default();
    let total = problems.amount("/total", &input.total, Some(program.currency));
    problems.done()?;
    let used = promo::uses(db, found.id, None).await?;
    let reason = match decide::limits(&found).validity(app.service.clock.now(), used) {
        PromoValidity::Valid => None,
        PromoValidity::NotStarted => Some("promo_not_started"),
        PromoValidity::Expired => Some("promo_expired"),
        PromoValidity::Exhausted => Some("promo_exhausted"),
    };
    let discount = match (found.discount_ppm.and_then(RatePpm::from_ppm), found.discount_minor) {
        (Some(rate), _) => Some(Discount::Percent(rate)),
        (None, Some(minor)) => Some(Discount::Amount(Money::new(minor, program.currency))),
        (None, None) => None,
    };
    let off = match (reason, discount, total) {
        (None, Some(discount), Some(total)) => discount.off(Money::new(total, program.currency)),
        (None, None, Some(_)) => Some(Money::zero(program.currency)),
        _ => None,
    };
    Ok(HttpResponse::Ok()
        .json(json!({ "valid": reason.is_none(), "reason": reason, "discount": off, "partner": found.partner_id })))
}
