//! The monthly figures for the advertising register.

use super::wants_csv;
use crate::domain::time::Period;
use crate::service::ad_marking;
use crate::web::App;
use crate::web::error::Problem;
use crate::web::who::ApiKey;
use actix_web::web::{Data, Query};
use actix_web::{HttpRequest, HttpResponse};

/// Which month is asked for.
#[derive(Debug, Clone, Default, serde::Deserialize)]
pub struct AdMarkingQuery {
    pub period: Option<String>,
}

/// Figures of a month by contract, creative and platform, for the advertising register.
#[utoipa::path(get, path = "/v1/reports/ad-marking", tag = "Reports", params(("period" = String, Query, description = "A month: 2026-10")), responses((status = 200, description = "`{data, totals, unmarked_links}`"), (status = 422, body = Problem)))]
pub async fn report(
    app: Data<App>,
    _key: ApiKey,
    request: HttpRequest,
    query: Query<AdMarkingQuery>,
) -> Result<HttpResponse, Problem> {
    let text = query.period.as_deref().ok_or_else(|| Problem::field("/period", "is required: a month like 2026-10"))?;
    let period: Period = text.parse().map_err(|e| Problem::field("/period", e))?;
    app.mover.move_all().await?;
    let report = ad_marking::report(&app.service, period).await?;
    if wants_csv(&request) {
        return Ok(HttpResponse::Ok().content_type("text/csv; charset=utf-8").body(report.table().csv()));
    }
    Ok(HttpResponse::Ok().json(report.json()))
}
