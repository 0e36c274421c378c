//! Advertising costs.

use super::{Body, Page, act, listed, wants_csv};
use crate::domain::money::{Currency, Money};
use crate::domain::time::{FAR_DAY, FIRST_DAY};
use crate::service::access::Scope;
use crate::service::catalog::{CostInput, replace_cost};
use crate::service::exchange_rate::Converter;
use crate::service::report::{conversion_json, default_currency};
use crate::store::cost::{self, Cost};
use crate::web::App;
use crate::web::error::Problem;
use crate::web::who::ApiKey;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Query};
use actix_web::{HttpRequest, HttpResponse};
use chrono::NaiveDate;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};

fn shown(c: &Cost) -> Value {
    json!({
        "id": c.id, "date": c.day, "source": c.source, "medium": c.medium, "campaign": c.campaign, "channel": c.channel,
        "amount": Money::new(c.amount_minor, c.currency), "impressions": c.impressions, "clicks": c.clicks,
    })
}

/// Store costs; same day and keys: replaced. All or nothing.
#[utoipa::path(post, path = "/v1/costs", tag = "Costs", request_body = Vec<CostInput>, responses((status = 200, description = "Stored"), (status = 422, body = Problem)))]
pub async fn replace(app: Data<App>, key: ApiKey, request: HttpRequest, body: Body) -> Result<HttpResponse, Problem> {
    let inputs: Vec<CostInput> = body.read()?;
    act(&app, &key, &request, &body, Scope::Write, async |tx, _| {
        let mut data: Vec<Value> = Vec::with_capacity(inputs.len());
        for (index, input) in inputs.iter().enumerate() {
            data.push(shown(&replace_cost(tx, &format!("/{index}"), input).await?));
        }
        Ok((StatusCode::OK, json!({ "data": data })))
    })
    .await
}

/// Which costs are listed, and whether they are converted.
#[derive(Debug, Clone, Default, serde::Deserialize)]
pub struct CostFilter {
    from: Option<String>,
    to: Option<String>,
    convert: Option<String>,
    currency: Option<String>,
}

/// Costs of a span of days, each in its own currency. `totals` has a sum for each currency, never one of several; with
/// `convert=true` each cost says what it is in `currency` and by which rate, and `total` is the sum of that.
#[utoipa::path(get, path = "/v1/costs", tag = "Costs", params(("from" = Option<String>, Query, description = "First day"), ("to" = Option<String>, Query, description = "Last day"), ("convert" = Option<bool>, Query), ("currency" = Option<String>, Query, description = "Into which"), ("limit" = Option<i64>, Query), ("cursor" = Option<String>, Query)), responses((status = 200, description = "A page of costs, with the totals of all"), (status = 422, description = "A field, or a rate that is missing, with currency and day", body = Problem)))]
pub async fn list(
    app: Data<App>,
    _key: ApiKey,
    request: HttpRequest,
    page: Query<Page>,
    filter: Query<CostFilter>,
) -> Result<HttpResponse, Problem> {
    let db = &app.service.db;
    let day = |pointer: &str, text: &Option<String>, usual: NaiveDate| match text.as_deref().filter(|t| !t.is_empty()) {
        None => Ok(usual),
        Some(text) => {
            let day = text.parse::<NaiveDate>().ok().filter(|d| (FIRST_DAY..=FAR_DAY).contains(d));
            day.ok_or_else(|| Problem::field(pointer, "must be a day like 2026-11-22"))
        }
    };
    let (from, to) = (day("/from", &filter.from, FIRST_DAY)?, day("/to", &filter.to, FAR_DAY)?);
    let converts = match filter.convert.as_deref().unwrap_or_default() {
        "" | "false" => false,
        "true" => true,
        _ => return Err(Problem::field("/convert", "must be true or false")),
    };
    let currency = match filter.currency.as_deref().filter(|t| !t.is_empty()) {
        Some(text) => text.parse::<Currency>().map_err(|e| Problem::field("/currency", e))?,
        None => default_currency(db).await?,
    };
    let (limit, after) = (page.limit()?, page.after()?);
    let mut all = cost::between(db, from, to).await?;
    all.sort_by_key(|c| c.id);
    let mut totals: BTreeMap<Currency, i64> = BTreeMap::new();
    for c in &all {
        *totals.entry(c.currency).or_default() += c.amount_minor;
    }
    let mut converted: HashMap<i64, Value> = HashMap::new();
    let mut total = None;
    if converts {
        let mut converter = Converter::load(db, from, to).await?;
        let mut sum: i64 = 0;
        for c in &all {
            if let Some(([minor], rate)) = converter.convert([c.amount_minor], c.currency, currency, c.day)? {
                sum += minor;
                let rate = (c.currency != currency).then(|| conversion_json(rate));
                converted.insert(c.id.0, json!({ "amount": Money::new(minor, currency), "rate": rate }));
            }
        }
        converter.done()?;
        total = Some(Money::new(sum, currency));
    }
    let view = |c: &Cost| {
        let mut line = shown(c);
        if let Some(converted) = converted.get(&c.id.0) {
            line["converted"] = converted.clone();
        }
        line
    };
    let found: Vec<Cost> = all.into_iter().filter(|c| c.id.0 > after).take(usize::try_from(limit).unwrap_or(0)).collect();
    if wants_csv(&request) {
        return Ok(listed(&request, limit, found, |c| c.id.0, view));
    }
    let next = (found.len() as i64 == limit).then(|| found.last().map(|c| c.id.0.to_string())).flatten();
    let totals: Vec<Money> = totals.into_iter().map(|(currency, minor)| Money::new(minor, currency)).collect();
    let mut answer = json!({ "data": found.iter().map(view).collect::<Vec<_>>(), "next_cursor": next, "totals": totals });
    if let Some(total) = total {
        answer["total"] = json!(total);
    }
    Ok(HttpResponse::Ok().json(answer))
}
