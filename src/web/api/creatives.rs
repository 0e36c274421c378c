//! Creatives.

use super::{Body, Page, act, id, listed, view};
use crate::domain::id::CreativeId;
use crate::service::Error;
use crate::service::access::Scope;
use crate::service::catalog::{CreativeInput, save_creative};
use crate::store::creative;
use crate::web::App;
use crate::web::error::Problem;
use crate::web::who::ApiKey;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, Query};
use actix_web::{HttpRequest, HttpResponse};

/// Make a creative.
#[utoipa::path(post, path = "/v1/creatives", tag = "Creatives", request_body = CreativeInput, responses((status = 201, description = "Made"), (status = 422, body = Problem)))]
pub async fn create(app: Data<App>, key: ApiKey, request: HttpRequest, body: Body) -> Result<HttpResponse, Problem> {
    let input: CreativeInput = body.read()?;
    act(&app, &key, &request, &body, Scope::Write, async |tx, context| {
        Ok((StatusCode::CREATED, view::creative(&save_creative(tx, context, None, &input).await?)))
    })
    .await
}

/// Change a creative: not its program.
#[utoipa::path(patch, path = "/v1/creatives/{id}", tag = "Creatives", request_body = CreativeInput, params(("id" = String, Path)), responses((status = 200, description = "Changed"), (status = 404, body = Problem), (status = 422, body = Problem)))]
pub async fn change(
    app: Data<App>,
    key: ApiKey,
    request: HttpRequest,
    path: Path<String>,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let (known, input): (CreativeId, CreativeInput) = (id(&path)?, body.read()?);
    act(&app, &key, &request, &body, Scope::Write, async |tx, context| {
        Ok((StatusCode::OK, view::creative(&save_creative(tx, context, Some(known), &input).await?)))
    })
    .await
}

/// One creative.
#[utoipa::path(get, path = "/v1/creatives/{id}", tag = "Creatives", params(("id" = String, Path)), responses((status = 200, description = "The creative"), (status = 404, body = Problem)))]
pub async fn one(app: Data<App>, _key: ApiKey, path: Path<String>) -> Result<HttpResponse, Problem> {
    let wanted: CreativeId = id(&path)?;
    let found = creative::by_id(&app.service.db, wanted).await?.ok_or_else(|| Error::not_found(wanted))?;
    Ok(HttpResponse::Ok().json(view::creative(&found)))
}

/// All creatives.
#[utoipa::path(get, path = "/v1/creatives", tag = "Creatives", params(("limit" = Option<i64>, Query), ("cursor" = Option<String>, Query)), responses((status = 200, description = "A page of creatives")))]
pub async fn list(app: Data<App>, _key: ApiKey, request: HttpRequest, page: Query<Page>) -> Result<HttpResponse, Problem> {
    let limit = page.limit()?;
    let found = creative::list(&app.service.db, page.after()?, limit).await?;
    Ok(listed(&request, limit, found, |c| c.id.0, view::creative))
}
