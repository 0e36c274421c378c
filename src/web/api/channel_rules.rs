//! The merchant's own channel rules.

use super::{Body, act};
use crate::domain::channel::ChannelRule;
use crate::service::access::Scope;
use crate::service::catalog::{channel_rules, replace_channel_rules};
use crate::web::App;
use crate::web::error::Problem;
use crate::web::who::ApiKey;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use serde_json::json;

/// The whole list, in the order in which rules are asked.
#[derive(Debug, serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChannelRulesInput {
    /// Each `{name, when: [{field, is, value?}], channel, source?, medium?}`.
    #[schema(value_type = Vec<Object>)]
    rules: Vec<ChannelRule>,
}

/// All channel rules.
#[utoipa::path(get, path = "/v1/channel-rules", tag = "Channel rules", responses((status = 200, description = "`{rules: [...]}`, in the order in which they are asked")))]
pub async fn list(app: Data<App>, _key: ApiKey) -> Result<HttpResponse, Problem> {
    Ok(HttpResponse::Ok().json(json!({ "rules": channel_rules(&app.service.db).await? })))
}

/// Put a list in place of the one there is. It holds for what is recorded from now on.
#[utoipa::path(put, path = "/v1/channel-rules", tag = "Channel rules", request_body = ChannelRulesInput, responses((status = 200, description = "`{rules: [...]}`"), (status = 422, body = Problem)))]
pub async fn replace(app: Data<App>, key: ApiKey, request: HttpRequest, body: Body) -> Result<HttpResponse, Problem> {
    let input: ChannelRulesInput = body.read()?;
    act(&app, &key, &request, &body, Scope::Write, async |tx, context| {
        replace_channel_rules(tx, context, &input.rules).await?;
        Ok((StatusCode::OK, json!({ "rules": input.rules })))
    })
    .await
}
