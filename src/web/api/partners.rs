//! Partners and their statements.

use super::{Body, Page, act, id, listed, view};
use crate::domain::id::PartnerId;
use crate::domain::money::Money;
use crate::domain::time::Period;
use crate::service::access::Scope;
use crate::service::catalog::{PartnerInput, save_partner};
use crate::service::{Error, statement as statements};
use crate::store::partner;
use crate::web::App;
use crate::web::error::Problem;
use crate::web::who::ApiKey;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, Query};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Value, json};

/// Make a partner.
#[utoipa::path(post, path = "/v1/partners", tag = "Partners", request_body = PartnerInput, responses((status = 201, description = "Made"), (status = 422, body = Problem)))]
pub async fn create(app: Data<App>, key: ApiKey, request: HttpRequest, body: Body) -> Result<HttpResponse, Problem> {
    let input: PartnerInput = body.read()?;
    act(&app, &key, &request, &body, Scope::Write, async |tx, context| {
        Ok((StatusCode::CREATED, view::partner(&save_partner(tx, context, None, &input).await?)))
    })
    .await
}

/// Change a partner.
#[utoipa::path(patch, path = "/v1/partners/{id}", tag = "Partners", request_body = PartnerInput, params(("id" = String, Path)), responses((status = 200, description = "Changed"), (status = 404, body = Problem), (status = 422, body = Problem)))]
pub async fn change(
    app: Data<App>,
    key: ApiKey,
    request: HttpRequest,
    path: Path<String>,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let (known, input): (PartnerId, PartnerInput) = (id(&path)?, body.read()?);
    act(&app, &key, &request, &body, Scope::Write, async |tx, context| {
        Ok((StatusCode::OK, view::partner(&save_partner(tx, context, Some(known), &input).await?)))
    })
    .await
}

/// One partner.
#[utoipa::path(get, path = "/v1/partners/{id}", tag = "Partners", params(("id" = String, Path)), responses((status = 200, description = "The partner"), (status = 404, body = Problem)))]
pub async fn one(app: Data<App>, _key: ApiKey, path: Path<String>) -> Result<HttpResponse, Problem> {
    let wanted: PartnerId = id(&path)?;
    let found = partner::by_id(&app.service.db, wanted).await?.ok_or_else(|| Error::not_found(wanted))?;
    Ok(HttpResponse::Ok().json(view::partner(&found)))
}

/// All partners.
#[utoipa::path(get, path = "/v1/partners", tag = "Partners", params(("limit" = Option<i64>, Query), ("cursor" = Option<String>, Query)), responses((status = 200, description = "A page of partners")))]
pub async fn list(app: Data<App>, _key: ApiKey, request: HttpRequest, page: Query<Page>) -> Result<HttpResponse, Problem> {
    let limit = page.limit()?;
    let found = partner::list(&app.service.db, page.after()?, limit).await?;
    Ok(listed(&request, limit, found, |p| p.id.0, view::partner))
}

/// The month asked for.
#[derive(Debug, serde::Deserialize)]
pub struct Month {
    period: Option<String>,
}

/// What a partner earned, lost and was paid in a month, by currency.
#[utoipa::path(get, path = "/v1/partners/{id}/statement", tag = "Partners", params(("id" = String, Path), ("period" = Option<String>, Query, description = "2026-10; this month, if left out")), responses((status = 200, description = "Statements"), (status = 404, body = Problem)))]
pub async fn statement(app: Data<App>, _key: ApiKey, path: Path<String>, month: Query<Month>) -> Result<HttpResponse, Problem> {
    let wanted: PartnerId = id(&path)?;
    partner::by_id(&app.service.db, wanted).await?.ok_or_else(|| Error::not_found(wanted))?;
    let period = match &month.period {
        None => Period::of(app.service.context("api").today()),
        Some(text) => text.parse::<Period>().map_err(|e| Problem::field("/period", e))?,
    };
    let statements = statements::as_of_now(&app.service, wanted, period).await?;
    let data: Vec<Value> = statements
        .iter()
        .map(|s| {
            let money = |minor| Money::new(minor, s.currency);
            let lines: Vec<Value> = s
                .lines
                .iter()
                .map(|l| {
                    json!({
                        "journal": l.journal_id, "day": l.day, "kind": l.kind, "amount": money(l.amount_minor),
                        "order": l.order_external_id, "commission": l.commission_id, "payout_run": l.payout_run_id, "note": l.note,
                    })
                })
                .collect();
            json!({
                "currency": s.currency,
                "opening": money(s.opening_minor),
                "earned": money(s.earned_minor),
                "reversed": money(s.reversed_minor),
                "adjusted": money(s.adjusted_minor),
                "paid": money(s.paid_minor),
                "closing": money(s.closing.total_minor()),
                "held": money(s.closing.on_hold_minor()),
                "available": money(s.closing.available_minor),
                "in_payment": money(s.closing.in_payment_minor),
                "withheld": money(s.closing.withheld_minor),
                "withholdings": s.withheld.iter().map(view::withholding).collect::<Vec<_>>(),
                "written_off": money(s.written_off_minor),
                "lines": lines,
            })
        })
        .collect();
    Ok(HttpResponse::Ok().json(json!({ "partner": wanted, "period": period, "data": data })))
}
