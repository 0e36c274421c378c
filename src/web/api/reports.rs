//! The reports.

use super::wants_csv;
use crate::domain::attribution::{HalfLife, Model, Window};
use crate::domain::money::Currency;
use crate::service::credit::CreditOptions;
use crate::service::report::{self, Dimension, Question, Report};
use crate::web::App;
use crate::web::error::Problem;
use crate::web::who::ApiKey;
use actix_web::web::{Data, Query};
use actix_web::{HttpRequest, HttpResponse};
use chrono::{NaiveDate, TimeDelta};
use serde_json::{Map, Value, json};

/// What is asked: `from`, `to` (days, inclusive), `model`, `group_by` (comma-separated), `currency`, `convert`
/// (`true`: amounts in other currencies are converted);
/// and of credit `click_window_days`, `view_window_days`, `half_life_days`, `split` (`conversion`).
#[derive(Debug, Clone, Default, serde::Deserialize)]
pub struct ReportQuery {
    pub from: Option<String>,
    pub to: Option<String>,
    pub model: Option<String>,
    pub group_by: Option<String>,
    pub currency: Option<String>,
    pub convert: Option<String>,
    pub click_window_days: Option<String>,
    pub view_window_days: Option<String>,
    pub half_life_days: Option<String>,
    pub split: Option<String>,
}

impl ReportQuery {
    /// The question, with what is left out filled in: the last 30 days, `last_non_direct`, by channel.
    pub fn question(&self, today: NaiveDate) -> Result<Question, Problem> {
        let day = |pointer: &str, text: &Option<String>| match text.as_deref().filter(|t| !t.is_empty()) {
            None => Ok(None),
            Some(text) => {
                let day = text.parse::<NaiveDate>().ok().filter(|d| (1970..=9998).contains(&chrono::Datelike::year(d)));
                day.map(Some).ok_or_else(|| Problem::field(pointer, "must be a day like 2026-11-22"))
            }
        };
        let to = day("/to", &self.to)?.unwrap_or(today);
        let from = day("/from", &self.from)?.unwrap_or(to - TimeDelta::days(29));
        let model = match self.model.as_deref().filter(|t| !t.is_empty()) {
            None => Model::LastNonDirect,
            Some(text) => text.parse().map_err(|e| Problem::field("/model", e))?,
        };
        let mut group_by = Vec::new();
        for name in self.group_by.as_deref().unwrap_or("channel").split(',').map(str::trim).filter(|n| !n.is_empty()) {
            let dimension: Dimension = name.parse().map_err(|e| Problem::field("/group_by", e))?;
            if !group_by.contains(&dimension) {
                group_by.push(dimension);
            }
        }
        if group_by.is_empty() {
            group_by.push(Dimension::Channel);
        }
        let currency = match self.currency.as_deref().filter(|t| !t.is_empty()) {
            None => None,
            Some(text) => Some(text.parse::<Currency>().map_err(|e| Problem::field("/currency", e))?),
        };
        let convert = converts(&self.convert)?;
        Ok(Question { from, to, model, group_by, credit: self.credit()?, currency, convert })
    }

    fn credit(&self) -> Result<CreditOptions, Problem> {
        fn days(pointer: &str, text: &Option<String>, least: i64) -> Result<Option<i64>, Problem> {
            let Some(text) = text.as_deref().map(str::trim).filter(|t| !t.is_empty()) else { return Ok(None) };
            let days = text.parse().ok().filter(|days| (least..=Window::MOST_DAYS).contains(days));
            let refusal =
                || Problem::field(pointer, format!("must be a whole number of days from {least} to {}", Window::MOST_DAYS));
            days.map(Some).ok_or_else(refusal)
        }
        let usual = Window::default();
        let half_life = days("/half_life_days", &self.half_life_days, 1)?.map(TimeDelta::days).and_then(HalfLife::new);
        Ok(CreditOptions {
            window: Window {
                click_days: days("/click_window_days", &self.click_window_days, 0)?.unwrap_or(usual.click_days),
                impression_days: days("/view_window_days", &self.view_window_days, 0)?.unwrap_or(usual.impression_days),
            },
            half_life: half_life.unwrap_or_default(),
            split_among_conversions: match self.split.as_deref().unwrap_or_default() {
                "" | "none" => false,
                "conversion" => true,
                _ => return Err(Problem::field("/split", "must be conversion, or left out")),
            },
        })
    }
}

/// Whether amounts are to be converted.
pub fn converts(text: &Option<String>) -> Result<bool, Problem> {
    match text.as_deref().unwrap_or_default() {
        "" | "false" => Ok(false),
        "true" => Ok(true),
        _ => Err(Problem::field("/convert", "must be true or false")),
    }
}

fn answer(
    request: &HttpRequest,
    report: &Report,
    partner_names: bool,
    names: &std::collections::HashMap<String, String>,
) -> HttpResponse {
    if wants_csv(request) {
        return HttpResponse::Ok().content_type("text/csv; charset=utf-8").body(report.table().csv());
    }
    let row = |keys: &[Option<String>], sums: &report::Sums| {
        let mut fields = Map::new();
        for (dimension, key) in report.question.group_by.iter().zip(keys) {
            fields.insert(dimension.name().to_owned(), json!(key));
            if partner_names && *dimension == Dimension::Partner {
                fields.insert("name".to_owned(), json!(key.as_ref().and_then(|k| names.get(k))));
            }
        }
        if let Value::Object(figures) = json!(sums.figures(report.currency)) {
            fields.extend(figures);
        }
        if let Some(lines) = report.converted.get(keys) {
            fields.insert("converted".to_owned(), lines.iter().map(|line| line.json(report.currency)).collect());
        }
        Value::Object(fields)
    };
    let data: Vec<Value> = report.rows.iter().map(|(keys, sums)| row(keys, sums)).collect();
    HttpResponse::Ok().json(json!({
        "from": report.question.from,
        "to": report.question.to,
        "model": report.question.model,
        "currency": report.currency,
        "data": data,
        "totals": row(&[], &report.totals),
        "other_currencies": report.other_currencies,
        "rates": report.conversions().into_iter().map(report::conversion_json).collect::<Vec<_>>(),
    }))
}

/// What each channel returned, by analytic credit.
#[utoipa::path(get, path = "/v1/reports/channels", tag = "Reports", params(("from" = Option<String>, Query), ("to" = Option<String>, Query), ("model" = Option<String>, Query), ("group_by" = Option<String>, Query), ("currency" = Option<String>, Query), ("convert" = Option<bool>, Query, description = "Amounts in other currencies are converted, each by the rate of its day, and shown with it; a missing rate is refused"), ("click_window_days" = Option<i64>, Query), ("view_window_days" = Option<i64>, Query), ("half_life_days" = Option<i64>, Query), ("split" = Option<String>, Query)), responses((status = 200, description = "`{data, totals}`"), (status = 422, description = "A field, or a rate that is missing, with currency and day", body = Problem)))]
pub async fn channels(
    app: Data<App>,
    _key: ApiKey,
    request: HttpRequest,
    query: Query<ReportQuery>,
) -> Result<HttpResponse, Problem> {
    let question = query.question(app.service.context("api").today())?;
    app.mover.move_all().await?;
    let names = report::partner_names(&app.service.db).await?;
    Ok(answer(&request, &report::channels(&app.service, question).await?, false, &names))
}

/// What each partner brought, by payable credit.
#[utoipa::path(get, path = "/v1/reports/partners", tag = "Reports", params(("from" = Option<String>, Query), ("to" = Option<String>, Query), ("currency" = Option<String>, Query), ("convert" = Option<bool>, Query, description = "Amounts in other currencies are converted, each by the rate of its day, and shown with it; a missing rate is refused")), responses((status = 200, description = "`{data, totals}`"), (status = 422, body = Problem)))]
pub async fn partners(
    app: Data<App>,
    _key: ApiKey,
    request: HttpRequest,
    query: Query<ReportQuery>,
) -> Result<HttpResponse, Problem> {
    let question = query.question(app.service.context("api").today())?;
    app.mover.move_all().await?;
    let names = report::partner_names(&app.service.db).await?;
    Ok(answer(&request, &report::partners(&app.service, question).await?, true, &names))
}
