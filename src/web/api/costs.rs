//! Advertising costs.

use super::{Body, act};
use crate::domain::money::Money;
use crate::service::access::Scope;
use crate::service::catalog::{CostInput, replace_cost};
use crate::web::App;
use crate::web::error::Problem;
use crate::web::who::ApiKey;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Value, json};

/// Store costs; same day and keys: replaced. All or nothing.
#[utoipa::path(post, path = "/v1/costs", tag = "Costs", request_body = Vec<CostInput>, responses((status = 200, description = "Stored"), (status = 422, body = Problem)))]
pub async fn replace(app: Data<App>, key: ApiKey, request: HttpRequest, body: Body) -> Result<HttpResponse, Problem> {
    let inputs: Vec<CostInput> = body.read()?;
    act(&app, &key, &request, &body, Scope::Write, async |tx, _| {
        let mut data: Vec<Value> = Vec::with_capacity(inputs.len());
        for (index, input) in inputs.iter().enumerate() {
            let c = replace_cost(tx, &format!("/{index}"), input).await?;
            data.push(json!({
                "id": c.id, "date": c.day, "source": c.source, "medium": c.medium, "campaign": c.campaign, "channel": c.channel,
                "amount": Money::new(c.amount_minor, c.currency), "impressions": c.impressions, "clicks": c.clicks,
            }));
        }
        Ok((StatusCode::OK, json!({ "data": data })))
    })
    .await
}
