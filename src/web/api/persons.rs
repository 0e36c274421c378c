//! Merges of persons, and their reversal.

use super::{Body, Page, act, id, listed, view};
use crate::domain::id::MergeId;
use crate::service::access::Scope;
use crate::service::stitch::{ReverseInput, reverse as reverse_merge};
use crate::store::person_merge;
use crate::web::App;
use crate::web::error::Problem;
use crate::web::who::ApiKey;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, Query};
use actix_web::{HttpRequest, HttpResponse};

/// Merges of persons: who was kept, who was merged, what was moved and why, and whether a person has reversed it.
#[utoipa::path(get, path = "/v1/person-merges", tag = "Persons", params(("limit" = Option<i64>, Query), ("cursor" = Option<String>, Query)), responses((status = 200, description = "A page of merges, the oldest first")))]
pub async fn merges(app: Data<App>, _key: ApiKey, request: HttpRequest, page: Query<Page>) -> Result<HttpResponse, Problem> {
    app.mover.move_all().await?;
    let limit = page.limit()?;
    let found = person_merge::list(&app.service.db, page.after()?, limit).await?;
    Ok(listed(&request, limit, found, |m| m.id.0, view::person_merge))
}

/// Take a merge back: the same evidence does not make it again. Payable credit that was decided stays.
#[utoipa::path(post, path = "/v1/person-merges/{id}/reverse", tag = "Persons", request_body = ReverseInput, params(("id" = String, Path)), responses((status = 200, description = "Reversed, now or before"), (status = 404, body = Problem), (status = 422, body = Problem)))]
pub async fn reverse(
    app: Data<App>,
    key: ApiKey,
    request: HttpRequest,
    path: Path<String>,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let (merge, input): (MergeId, ReverseInput) = (id(&path)?, body.read()?);
    app.mover.move_all().await?;
    act(&app, &key, &request, &body, Scope::Write, async |tx, context| {
        Ok((StatusCode::OK, view::person_merge(&reverse_merge(tx, context, merge, &input).await?)))
    })
    .await
}
