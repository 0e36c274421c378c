//! What a touch with this input would become.

use super::Body;
use crate::domain::bot::{bot_reason, is_prefetch};
use crate::domain::channel::{Evidence, classify as classify_touch, classify_by_ga4};
use crate::domain::landing::Landing;
use crate::domain::user_agent::Client;
use crate::service::linkbook::Snapshot;
use crate::web::App;
use crate::web::error::Problem;
use crate::web::who::ApiKey;
use actix_web::HttpResponse;
use actix_web::web::{Data, Query};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The evidence of one touch.
#[derive(Debug, Clone, Default, serde::Deserialize, utoipa::ToSchema)]
pub struct ClassifyInput {
    pub url: Option<String>,
    pub referrer: Option<String>,
    pub user_agent: Option<String>,
    /// Headers of the request by name; `Purpose` and its like tell a prefetch. `Referer` and `User-Agent` are read where
    /// the fields above are missing.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
}

/// Which rules answer.
#[derive(Debug, serde::Deserialize)]
pub struct Rules {
    rules: Option<String>,
}

/// Channel, UTM, click ids, bot mark and device for each item.
#[utoipa::path(post, path = "/v1/classify", tag = "Classify", params(("rules" = Option<String>, Query, description = "`ga4`: by GA4's default channel group alone")), request_body = Vec<ClassifyInput>, responses((status = 200, description = "`{data: [...]}`"), (status = 422, body = Problem)))]
pub async fn classify(app: Data<App>, _key: ApiKey, rules: Query<Rules>, body: Body) -> Result<HttpResponse, Problem> {
    let by_ga4 = match rules.rules.as_deref() {
        None | Some("" | "default") => false,
        Some("ga4") => true,
        Some(_) => return Err(Problem::field("/rules", "must be 'ga4' or left out")),
    };
    let inputs: Vec<ClassifyInput> = body.read()?;
    let book = app.links.snapshot();
    let data: Vec<Value> = inputs.iter().map(|input| answer(input, by_ga4, &book)).collect();
    Ok(HttpResponse::Ok().json(json!({ "data": data })))
}

fn answer(input: &ClassifyInput, by_ga4: bool, book: &Snapshot) -> Value {
    let header =
        |wanted: &str| input.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value.as_str());
    let landing = Landing::of(input.url.as_deref().unwrap_or_default());
    let referrer = input.referrer.as_deref().or_else(|| header("referer"));
    let (rules, own_hosts) = (&**book.channel_rules, &**book.own_hosts);
    let evidence = Evidence { rules, partner_kind: None, landing: &landing, referrer, own_hosts };
    let found = if by_ga4 { classify_by_ga4(evidence) } else { classify_touch(evidence) };
    let user_agent = input.user_agent.as_deref().or_else(|| header("user-agent"));
    let fetched_ahead = is_prefetch(input.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    let bot_reason = if fetched_ahead { Some("fetched ahead".to_owned()) } else { user_agent.and_then(bot_reason) };
    let client = user_agent.map(Client::of_user_agent);
    json!({
        "channel": found.channel, "source": found.source, "medium": found.medium, "campaign": found.campaign,
        "content": found.content, "term": found.term, "click_ids": landing.click_ids, "companions": landing.companions,
        "utm": landing.utm, "unreplaced_macros": landing.unreplaced_macros(), "rule": found.rule,
        "bot": bot_reason.is_some(), "bot_reason": bot_reason,
        "device": client.map(|c| c.device), "os": client.and_then(|c| c.os), "browser": client.and_then(|c| c.browser),
    })
}
