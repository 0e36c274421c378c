//! What found no match.

use super::{Body, Page, act, id, listed, view};
use crate::domain::id::MissId;
use crate::service::access::Scope;
use crate::service::miss::AttachInput;
use crate::store::miss;
use crate::web::App;
use crate::web::error::Problem;
use crate::web::who::ApiKey;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, Query};
use actix_web::{HttpRequest, HttpResponse};

/// Unknown codes, mistyped links, refunds without an order, each with the nearest match.
#[utoipa::path(get, path = "/v1/misses", tag = "Misses", params(("limit" = Option<i64>, Query), ("cursor" = Option<String>, Query)), responses((status = 200, description = "A page of misses")))]
pub async fn list(app: Data<App>, _key: ApiKey, request: HttpRequest, page: Query<Page>) -> Result<HttpResponse, Problem> {
    app.mover.move_all().await?;
    let limit = page.limit()?;
    let found = miss::list(&app.service.db, page.after()?, limit).await?;
    Ok(listed(&request, limit, found, |m| m.id.0, view::miss))
}

/// Make an unknown link code an alias of the link that was meant.
#[utoipa::path(post, path = "/v1/misses/{id}/attach", tag = "Misses", request_body = AttachInput, params(("id" = String, Path)), responses((status = 200, description = "Attached; the miss is off the list"), (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn attach(
    app: Data<App>,
    key: ApiKey,
    request: HttpRequest,
    path: Path<String>,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let (known, input): (MissId, AttachInput) = (id(&path)?, body.read()?);
    act(&app, &key, &request, &body, Scope::Write, async |tx, context| {
        let (settled, link) = crate::service::miss::attach(tx, context, known, &input).await?;
        let mut answer = view::miss(&settled);
        answer["link"] = serde_json::json!(link.id);
        Ok((StatusCode::OK, answer))
    })
    .await
}
