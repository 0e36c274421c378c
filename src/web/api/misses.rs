//! What found no match.

use super::{Page, listed, view};
use crate::store::miss;
use crate::web::App;
use crate::web::error::Problem;
use crate::web::who::ApiKey;
use actix_web::web::{Data, Query};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::json;

/// Unknown codes, mistyped links, refunds without an order, each with the nearest match.
#[utoipa::path(get, path = "/v1/misses", tag = "Misses", params(("limit" = Option<i64>, Query), ("cursor" = Option<String>, Query)), responses((status = 200, description = "A page of misses")))]
pub async fn list(app: Data<App>, _key: ApiKey, request: HttpRequest, page: Query<Page>) -> Result<HttpResponse, Problem> {
    app.mover.move_all().await?;
    let limit = page.limit()?;
    let found = miss::list(&app.service.db, page.after()?, limit).await?;
    Ok(listed(
        &request,
        limit,
        found,
        |m| m.id.0,
        |m| {
            json!({
                "id": m.id, "kind": m.kind, "value": m.value, "nearest": m.nearest, "detail": m.detail, "count": m.count,
                "first_at": view::instant(m.first_at), "last_at": view::instant(m.last_at),
            })
        },
    ))
}
