//! Programs.

use super::{Body, Page, act, id, listed, view};
use crate::domain::id::ProgramId;
use crate::domain::text::{host_of, web_address};
use crate::service::Error;
use crate::service::access::Scope;
use crate::service::catalog::{ProgramInput, save_program};
use crate::store::program;
use crate::web::App;
use crate::web::error::Problem;
use crate::web::who::ApiKey;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, Query};
use actix_web::{HttpRequest, HttpResponse};

/// Make a program.
#[utoipa::path(post, path = "/v1/programs", tag = "Programs", request_body = ProgramInput, responses((status = 201, description = "Made"), (status = 422, body = Problem)))]
pub async fn create(app: Data<App>, key: ApiKey, request: HttpRequest, body: Body) -> Result<HttpResponse, Problem> {
    let input: ProgramInput = body.read()?;
    check_domains(&app, &input)?;
    act(&app, &key, &request, &body, Scope::Write, async |tx, context| {
        Ok((StatusCode::CREATED, view::program(&save_program(tx, context, None, &input).await?)))
    })
    .await
}

/// Change a program.
#[utoipa::path(patch, path = "/v1/programs/{id}", tag = "Programs", request_body = ProgramInput, params(("id" = String, Path)), responses((status = 200, description = "Changed"), (status = 404, body = Problem), (status = 422, body = Problem)))]
pub async fn change(
    app: Data<App>,
    key: ApiKey,
    request: HttpRequest,
    path: Path<String>,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let (known, input): (ProgramId, ProgramInput) = (id(&path)?, body.read()?);
    check_domains(&app, &input)?;
    act(&app, &key, &request, &body, Scope::Write, async |tx, context| {
        Ok((StatusCode::OK, view::program(&save_program(tx, context, Some(known), &input).await?)))
    })
    .await
}

/// One program.
#[utoipa::path(get, path = "/v1/programs/{id}", tag = "Programs", params(("id" = String, Path)), responses((status = 200, description = "The program"), (status = 404, body = Problem)))]
pub async fn one(app: Data<App>, _key: ApiKey, path: Path<String>) -> Result<HttpResponse, Problem> {
    let wanted: ProgramId = id(&path)?;
    let found = program::by_id(&app.service.db, wanted).await?.ok_or_else(|| Error::not_found(wanted))?;
    Ok(HttpResponse::Ok().json(view::program(&found)))
}

/// All programs.
#[utoipa::path(get, path = "/v1/programs", tag = "Programs", params(("limit" = Option<i64>, Query), ("cursor" = Option<String>, Query)), responses((status = 200, description = "A page of programs")))]
pub async fn list(app: Data<App>, _key: ApiKey, request: HttpRequest, page: Query<Page>) -> Result<HttpResponse, Problem> {
    let limit = page.limit()?;
    let found = program::list(&app.service.db, page.after()?, limit).await?;
    Ok(listed(&request, limit, found, |p| p.id.0, view::program))
}

/// The address of this service serves all programs: it cannot be the domain of one.
fn check_domains(app: &App, input: &ProgramInput) -> Result<(), Problem> {
    let own = web_address(&app.public_url).map(|url| host_of(&url)).unwrap_or_default();
    let is_own = |domain: &String| domain.trim().eq_ignore_ascii_case(&own);
    match input.link_domains.iter().flatten().position(is_own) {
        Some(index) => Err(Problem::field(&format!("/link_domains/{index}"), "is the address of this service itself")),
        None => Ok(()),
    }
}
