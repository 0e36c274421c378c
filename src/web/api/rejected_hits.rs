//! What the store refused, as received.

use super::{Page, listed, view};
use crate::store::rejected_hit;
use crate::web::App;
use crate::web::error::Problem;
use crate::web::who::ApiKey;
use actix_web::web::{Data, Query};
use actix_web::{HttpRequest, HttpResponse};

/// Hits that the store refused or that were damaged in the spool, each with the reason.
#[utoipa::path(get, path = "/v1/rejected-hits", tag = "Misses", params(("limit" = Option<i64>, Query), ("cursor" = Option<String>, Query)), responses((status = 200, description = "A page of refused hits; what cannot be read of one is under `base64`")))]
pub async fn list(app: Data<App>, _key: ApiKey, request: HttpRequest, page: Query<Page>) -> Result<HttpResponse, Problem> {
    app.mover.move_all().await?;
    let limit = page.limit()?;
    let found = rejected_hit::list(&app.service.db, page.after()?, limit).await?;
    Ok(listed(&request, limit, found, |rejected| rejected.id, view::rejected_hit))
}
