//! Commissions: the list, and what a person says of one.

use super::{Body, Page, act, id, listed, view};
use crate::domain::id::{CommissionId, PartnerId};
use crate::service::access::Scope;
use crate::service::{Context, Error, settle};
use crate::store::commission::Commission;
use crate::store::{Tx, commission};
use crate::web::App;
use crate::web::error::Problem;
use crate::web::who::ApiKey;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, Query};
use actix_web::{HttpRequest, HttpResponse};

/// Why a commission is declined; the partner reads it.
#[derive(Debug, Default, serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeclineInput {
    pub reason: String,
}

/// Of whom.
#[derive(Debug, serde::Deserialize)]
pub struct Of {
    partner: Option<String>,
}

/// All commissions, the newest first.
#[utoipa::path(get, path = "/v1/commissions", tag = "Commissions", params(("partner" = Option<String>, Query), ("limit" = Option<i64>, Query), ("cursor" = Option<String>, Query)), responses((status = 200, description = "A page of commissions")))]
pub async fn list(
    app: Data<App>,
    _key: ApiKey,
    request: HttpRequest,
    page: Query<Page>,
    of: Query<Of>,
) -> Result<HttpResponse, Problem> {
    let partner: Option<PartnerId> = of.partner.as_deref().map(id).transpose()?;
    let limit = page.limit()?;
    let before = match page.after()? {
        0 => i64::MAX,
        before => before,
    };
    let found = commission::list(&app.service.db, partner, before, limit).await?;
    Ok(listed(&request, limit, found, |c| c.id.0, view::commission))
}

/// One commission.
#[utoipa::path(get, path = "/v1/commissions/{id}", tag = "Commissions", params(("id" = String, Path)), responses((status = 200, description = "The commission"), (status = 404, body = Problem)))]
pub async fn one(app: Data<App>, _key: ApiKey, path: Path<String>) -> Result<HttpResponse, Problem> {
    let wanted: CommissionId = id(&path)?;
    let found = commission::by_id(&app.service.db, wanted).await?.ok_or_else(|| Error::not_found(wanted))?;
    Ok(HttpResponse::Ok().json(view::commission(&found)))
}

async fn judge(
    (app, key, request, path, body): (Data<App>, ApiKey, HttpRequest, Path<String>, Body),
    said: impl AsyncFnOnce(&mut Tx, &Context, CommissionId) -> crate::service::Result<Commission>,
) -> Result<HttpResponse, Problem> {
    let wanted: CommissionId = id(&path)?;
    act(&app, &key, &request, &body, Scope::Admin, async |tx, context| {
        let judged = said(tx, context, wanted).await?;
        Ok((StatusCode::OK, view::commission(&judged)))
    })
    .await
}

/// Approve a commission that waits for it.
#[utoipa::path(post, path = "/v1/commissions/{id}/approve", tag = "Commissions", params(("id" = String, Path)), responses((status = 200, description = "Approved"), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub async fn approve(
    app: Data<App>,
    key: ApiKey,
    request: HttpRequest,
    path: Path<String>,
    body: Body,
) -> Result<HttpResponse, Problem> {
    judge((app, key, request, path, body), async |tx, context, id| settle::approve(tx, context, id).await).await
}

/// Decline a commission, with a reason that the partner reads.
#[utoipa::path(post, path = "/v1/commissions/{id}/decline", tag = "Commissions", request_body = DeclineInput, params(("id" = String, Path)), responses((status = 200, description = "Declined"), (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn decline(
    app: Data<App>,
    key: ApiKey,
    request: HttpRequest,
    path: Path<String>,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let input: DeclineInput = body.read()?;
    judge((app, key, request, path, body), async |tx, context, id| settle::decline(tx, context, id, &input.reason).await).await
}

/// Take a decline back.
#[utoipa::path(post, path = "/v1/commissions/{id}/restore", tag = "Commissions", params(("id" = String, Path)), responses((status = 200, description = "Owed again"), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub async fn restore(
    app: Data<App>,
    key: ApiKey,
    request: HttpRequest,
    path: Path<String>,
    body: Body,
) -> Result<HttpResponse, Problem> {
    judge((app, key, request, path, body), async |tx, context, id| settle::restore(tx, context, id).await).await
}
