//! What a touch with this input would become.

use super::Body;
use crate::domain::bot::bot_reason;
use crate::domain::channel::{Evidence, classify as classify_touch};
use crate::domain::landing::Landing;
use crate::web::App;
use crate::web::error::Problem;
use crate::web::who::ApiKey;
use actix_web::HttpResponse;
use actix_web::web::Data;
use serde_json::{Value, json};

/// The evidence of one touch.
#[derive(Debug, Clone, Default, serde::Deserialize, utoipa::ToSchema)]
pub struct ClassifyInput {
    pub url: Option<String>,
    pub referrer: Option<String>,
    pub user_agent: Option<String>,
}

/// Channel, UTM, click ids and bot mark for each item.
#[utoipa::path(post, path = "/v1/classify", tag = "Classify", request_body = Vec<ClassifyInput>, responses((status = 200, description = "`{data: [...]}`"), (status = 422, body = Problem)))]
pub async fn classify(app: Data<App>, _key: ApiKey, body: Body) -> Result<HttpResponse, Problem> {
    let inputs: Vec<ClassifyInput> = body.read()?;
    let book = app.links.snapshot();
    let data: Vec<Value> = inputs
        .iter()
        .map(|input| {
            let landing = Landing::of(input.url.as_deref().unwrap_or_default());
            let evidence = Evidence {
                partner_kind: None,
                landing: &landing,
                referrer: input.referrer.as_deref(),
                own_hosts: &book.own_hosts,
            };
            let found = classify_touch(evidence);
            let bot = input.user_agent.as_deref().and_then(bot_reason);
            json!({
                "channel": found.channel, "source": found.source, "medium": found.medium, "campaign": found.campaign,
                "content": landing.grouped("content"), "term": landing.grouped("term"), "click_ids": landing.click_ids,
                "utm": landing.utm, "rule": found.rule, "bot": bot.is_some(), "bot_reason": bot,
            })
        })
        .collect();
    Ok(HttpResponse::Ok().json(json!({ "data": data })))
}
