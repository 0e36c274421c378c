//! Leads, from forms, calls and CRM stages.

use super::{Body, Page, act, listed, view};
use crate::service::access::Scope;
use crate::service::lead::{LeadInput, record_lead};
use crate::service::{Error, arrival};
use crate::store::{commission, lead};
use crate::web::App;
use crate::web::error::Problem;
use crate::web::who::ApiKey;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, Query};
use actix_web::{HttpRequest, HttpResponse};

/// Record a lead, or a further stage of a known one, by its external id.
#[utoipa::path(post, path = "/v1/leads", tag = "Leads", request_body = LeadInput, responses((status = 201, description = "New"), (status = 200, description = "Known, changed"), (status = 422, body = Problem)))]
pub async fn record(app: Data<App>, key: ApiKey, request: HttpRequest, body: Body) -> Result<HttpResponse, Problem> {
    let input: LeadInput = body.read()?;
    // Clicks that are on disk must be in the store before anything is decided on them.
    app.mover.move_all().await?;
    if let Some(click_id) = input.click_id.as_deref() {
        arrival::wait_for_click(&app.service.db, click_id.trim(), chrono::Utc::now()).await?;
    }
    act(&app, &key, &request, &body, Scope::Write, async |tx, context| {
        let recorded = record_lead(tx, context, &input.check(context)?).await?;
        let status = if recorded.is_new { StatusCode::CREATED } else { StatusCode::OK };
        let commissions = commission::of_lead(&mut *tx, recorded.lead.id).await?;
        Ok((status, view::lead(&recorded.lead, &commissions)))
    })
    .await
}

/// One lead, with its trace.
#[utoipa::path(get, path = "/v1/leads/{external_id}", tag = "Leads", params(("external_id" = String, Path)), responses((status = 200, description = "The lead"), (status = 404, body = Problem)))]
pub async fn one(app: Data<App>, _key: ApiKey, path: Path<String>) -> Result<HttpResponse, Problem> {
    let db = &app.service.db;
    let found = lead::by_external_id(db, &path).await?.ok_or_else(|| Error::not_found(format!("lead '{path}'")))?;
    let commissions = commission::of_lead(db, found.id).await?;
    Ok(HttpResponse::Ok().json(view::lead(&found, &commissions)))
}

/// All leads.
#[utoipa::path(get, path = "/v1/leads", tag = "Leads", params(("limit" = Option<i64>, Query), ("cursor" = Option<String>, Query)), responses((status = 200, description = "A page of leads")))]
pub async fn list(app: Data<App>, _key: ApiKey, request: HttpRequest, page: Query<Page>) -> Result<HttpResponse, Problem> {
    let limit = page.limit()?;
    let db = &app.service.db;
    let mut views = Vec::new();
    for found in lead::list(db, page.after()?, limit).await? {
        let commissions = commission::of_lead(db, found.id).await?;
        views.push((found.id.0, view::lead(&found, &commissions)));
    }
    Ok(listed(&request, limit, views, |v| v.0, |v| v.1.clone()))
}
