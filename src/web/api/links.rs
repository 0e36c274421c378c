//! Tracking links.

use super::{Body, Page, act, id, listed, view};
use crate::domain::id::LinkId;
use crate::service::Error;
use crate::service::access::Scope;
use crate::service::catalog::{LinkInput, save_link};
use crate::store::link::Link;
use crate::store::{self, Reader, link};
use crate::web::App;
use crate::web::error::Problem;
use crate::web::who::ApiKey;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, Query};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::Value;

/// Make a link.
#[utoipa::path(post, path = "/v1/links", tag = "Links", request_body = LinkInput, responses((status = 201, description = "Made"), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn create(app: Data<App>, key: ApiKey, request: HttpRequest, body: Body) -> Result<HttpResponse, Problem> {
    let input: LinkInput = body.read()?;
    act(&app, &key, &request, &body, Scope::Write, async |tx, context| {
        let saved = save_link(tx, context, None, &input).await?;
        Ok((StatusCode::CREATED, viewed(&app, tx, saved).await?))
    })
    .await
}

/// Change a link: not its code and program.
#[utoipa::path(patch, path = "/v1/links/{id}", tag = "Links", request_body = LinkInput, params(("id" = String, Path)), responses((status = 200, description = "Changed"), (status = 404, body = Problem), (status = 422, body = Problem)))]
pub async fn change(
    app: Data<App>,
    key: ApiKey,
    request: HttpRequest,
    path: Path<String>,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let (known, input): (LinkId, LinkInput) = (id(&path)?, body.read()?);
    act(&app, &key, &request, &body, Scope::Write, async |tx, context| {
        let saved = save_link(tx, context, Some(known), &input).await?;
        Ok((StatusCode::OK, viewed(&app, tx, saved).await?))
    })
    .await
}

/// One link.
#[utoipa::path(get, path = "/v1/links/{id}", tag = "Links", params(("id" = String, Path)), responses((status = 200, description = "The link"), (status = 404, body = Problem)))]
pub async fn one(app: Data<App>, _key: ApiKey, path: Path<String>) -> Result<HttpResponse, Problem> {
    let wanted: LinkId = id(&path)?;
    let found = link::by_id(&app.service.db, wanted).await?.ok_or_else(|| Error::not_found(wanted))?;
    Ok(HttpResponse::Ok().json(viewed(&app, &app.service.db, found).await?))
}

/// Which links are listed.
#[derive(Debug, Clone, Copy, Default, serde::Deserialize)]
pub struct LinkFilter {
    /// Only those of partners that lack the `erid` their program requires.
    unmarked: Option<bool>,
}

/// All links.
#[utoipa::path(get, path = "/v1/links", tag = "Links", params(("unmarked" = Option<bool>, Query, description = "true: only links of partners without the erid that their program requires"), ("limit" = Option<i64>, Query), ("cursor" = Option<String>, Query)), responses((status = 200, description = "A page of links")))]
pub async fn list(
    app: Data<App>,
    _key: ApiKey,
    request: HttpRequest,
    page: Query<Page>,
    filter: Query<LinkFilter>,
) -> Result<HttpResponse, Problem> {
    let limit = page.limit()?;
    let found = match filter.unmarked {
        Some(true) => link::unmarked(&app.service.db, page.after()?, limit).await?,
        Some(false) | None => link::list(&app.service.db, None, page.after()?, limit).await?,
    };
    let found = link::details(&app.service.db, found).await?;
    Ok(listed(&request, limit, found, |l| l.link.id.0, |l| view::link(l, &app.public_url)))
}

async fn viewed<'a>(app: &App, on: impl Into<Reader<'a>>, link: Link) -> store::Result<Value> {
    let details = link::details(on, vec![link]).await?;
    Ok(details.first().map(|details| view::link(details, &app.public_url)).unwrap_or_default())
}
