//! Receipts of the self-employed.

use super::{Body, Page, act, id, listed, view};
use crate::domain::id::{PartnerId, ReceiptId};
use crate::domain::money::Money;
use crate::service::access::Scope;
use crate::service::documents::{ReceiptInput, annul_receipt, receive_receipt, remind_of_receipt};
use crate::store::receipt::{self, Filter, Receipt};
use crate::web::App;
use crate::web::error::Problem;
use crate::web::who::ApiKey;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, Query};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Value, json};

fn shown(r: &Receipt) -> Value {
    json!({
        "id": r.id,
        "partner": r.partner_id,
        "payout_run": r.payout_run_id,
        "amount": Money::new(r.amount_minor, r.currency),
        "state": r.state,
        "paid_on": r.paid_on,
        "due_on": r.due_on,
        "number": r.number,
        "link": r.link,
        "date": r.issued_on,
        "received_at": r.received_at.map(view::instant),
        "received_by": r.received_by,
        "annulled_at": r.annulled_at.map(view::instant),
        "annulled_because": r.annulled_because,
        "reminders": r.reminders,
        "reminded_at": r.reminded_at.map(view::instant),
    })
}

/// Which receipts.
#[derive(Debug, serde::Deserialize)]
pub struct Wanted {
    partner: Option<String>,
    state: Option<String>,
    limit: Option<i64>,
    cursor: Option<String>,
}

/// Receipts that were asked for when payments were made.
#[utoipa::path(get, path = "/v1/receipts", tag = "Documents", params(("partner" = Option<String>, Query), ("state" = Option<String>, Query, description = "missing, received"), ("limit" = Option<i64>, Query), ("cursor" = Option<String>, Query)), responses((status = 200, description = "A page of receipts")))]
pub async fn list(app: Data<App>, key: ApiKey, request: HttpRequest, query: Query<Wanted>) -> Result<HttpResponse, Problem> {
    key.needs(Scope::Read)?;
    let page = Page { limit: query.limit, cursor: query.cursor.clone() };
    let limit = page.limit()?;
    let partner: Option<PartnerId> =
        query.partner.as_deref().map(|text| text.parse().map_err(|e| Problem::field("/partner", e))).transpose()?;
    let missing = match query.state.as_deref() {
        None => None,
        Some("missing") => Some(true),
        Some("received") => Some(false),
        Some(_) => return Err(Problem::field("/state", "must be missing or received")),
    };
    let found = receipt::list(&app.service.db, Filter { partner, missing }, page.after()?, limit).await?;
    Ok(listed(&request, limit, found, |r| r.id.0, shown))
}

/// Take a receipt in; it is held against the payment.
#[utoipa::path(post, path = "/v1/receipts/{id}/received", tag = "Documents", request_body = ReceiptInput, params(("id" = String, Path)), responses((status = 200, description = "The receipt"), (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn received(
    app: Data<App>,
    key: ApiKey,
    request: HttpRequest,
    path: Path<String>,
    body: Body,
) -> Result<HttpResponse, Problem> {
    key.needs(Scope::Admin)?;
    let (wanted, input): (ReceiptId, ReceiptInput) = (id(&path)?, body.read()?);
    act(&app, &key, &request, &body, Scope::Admin, async |tx, context| {
        Ok((StatusCode::OK, shown(&receive_receipt(tx, context, wanted, None, &input).await?)))
    })
    .await
}

/// Why a receipt counts no more.
#[derive(Debug, Clone, Default, serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AnnulInput {
    pub reason: Option<String>,
}

/// The payee took a receipt back.
#[utoipa::path(post, path = "/v1/receipts/{id}/annul", tag = "Documents", request_body = AnnulInput, params(("id" = String, Path)), responses((status = 200, description = "The receipt"), (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn annul(
    app: Data<App>,
    key: ApiKey,
    request: HttpRequest,
    path: Path<String>,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let (wanted, input): (ReceiptId, AnnulInput) = (id(&path)?, body.read_or_empty()?);
    act(&app, &key, &request, &body, Scope::Admin, async |tx, context| {
        let reason = input.reason.as_deref().unwrap_or("");
        Ok((StatusCode::OK, shown(&annul_receipt(tx, context, wanted, reason).await?)))
    })
    .await
}

/// Note that the partner was reminded.
#[utoipa::path(post, path = "/v1/receipts/{id}/reminded", tag = "Documents", params(("id" = String, Path)), responses((status = 200, description = "The receipt"), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub async fn reminded(
    app: Data<App>,
    key: ApiKey,
    request: HttpRequest,
    path: Path<String>,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let wanted: ReceiptId = id(&path)?;
    act(&app, &key, &request, &body, Scope::Admin, async |tx, context| {
        Ok((StatusCode::OK, shown(&remind_of_receipt(tx, context, wanted).await?)))
    })
    .await
}
