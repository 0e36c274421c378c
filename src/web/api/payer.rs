//! The merchant's own requisites, as the bank's files name them.

use super::{Body, act};
use crate::service::access::Scope;
use crate::service::payer::{PayerInput, payer, replace_payer};
use crate::web::App;
use crate::web::error::Problem;
use crate::web::who::ApiKey;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use serde_json::json;

/// Who pays; every field is null where none is set.
#[utoipa::path(get, path = "/v1/payer", tag = "Payouts", responses((status = 200, description = "The payer")))]
pub async fn one(app: Data<App>, key: ApiKey) -> Result<HttpResponse, Problem> {
    key.needs(Scope::Read)?;
    Ok(HttpResponse::Ok().json(payer(&app.service.db).await?.unwrap_or_default()))
}

/// Put a payer in place of the one there is. Runs whose bank files were asked for keep theirs.
#[utoipa::path(put, path = "/v1/payer", tag = "Payouts", request_body = PayerInput, responses((status = 200, description = "The payer"), (status = 422, body = Problem)))]
pub async fn replace(app: Data<App>, key: ApiKey, request: HttpRequest, body: Body) -> Result<HttpResponse, Problem> {
    key.needs(Scope::Admin)?;
    let input: PayerInput = body.read()?;
    act(&app, &key, &request, &body, Scope::Admin, async |tx, context| {
        Ok((StatusCode::OK, json!(replace_payer(tx, context, &input).await?)))
    })
    .await
}
