//! The reports.

use super::wants_csv;
use crate::service::cohorts;
use crate::service::export::{Sheet, workbook};
use crate::service::report::{self, Of, ReportInput};
use crate::web::App;
use crate::web::error::Problem;
use crate::web::page::form::Fields;
use crate::web::who::ApiKey;
use actix_web::http::header;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use chrono::NaiveDate;

/// What is asked in a query: `from`, `to` (days, inclusive), `model`, `other_model`, `group_by` (comma-separated), `f` (a filter,
/// several times if need be), `cmp`, `currency`, `convert` (`true`: amounts in other currencies are converted), `margin`,
/// `discount_is_cost`; and of credit `click_window_days`, `view_window_days`, `half_life_days`, `split` (`conversion`).
pub fn input_of(query: &Fields) -> ReportInput {
    let text = |name: &str| Some(query.get(name).to_owned()).filter(|text| !text.is_empty());
    ReportInput {
        from: text("from"),
        to: text("to"),
        model: text("model"),
        other_model: text("other_model"),
        group_by: text("group_by"),
        filters: query.all("f").map(str::to_owned).collect(),
        compare: text("cmp"),
        currency: text("currency"),
        convert: text("convert"),
        margin: text("margin"),
        discount_is_cost: text("discount_is_cost"),
        click_window_days: text("click_window_days"),
        view_window_days: text("view_window_days"),
        half_life_days: text("half_life_days"),
        split: text("split"),
    }
}

async fn answered(app: &App, request: &HttpRequest, of: Of) -> Result<HttpResponse, Problem> {
    let query = Fields::of_query(request);
    let asked = input_of(&query).check(app.service.context("api").today())?;
    app.mover.move_all().await?;
    let answer = report::answer(&app.service, asked, of).await?;
    let names = report::partner_names(&app.service.db).await?;
    let question = &answer.report.question;
    written(request, &query, (question.from, question.to), answer.sheet(), || answer.json(&names))
}

/// An answer in the format that is asked for: JSON, or a sheet as CSV or XLSX.
fn written(
    request: &HttpRequest,
    query: &Fields,
    (from, to): (NaiveDate, NaiveDate),
    sheet: Sheet,
    json: impl FnOnce() -> serde_json::Value,
) -> Result<HttpResponse, Problem> {
    let csv = || HttpResponse::Ok().content_type("text/csv; charset=utf-8").body(sheet.table().csv());
    match query.get("format") {
        "xlsx" => {
            let bytes = workbook(std::slice::from_ref(&sheet)).map_err(|error| Problem::field("/format", error))?;
            let name = format!("attachment; filename=\"{}-{from}-{to}.xlsx\"", sheet.name);
            Ok(HttpResponse::Ok().content_type(XLSX).insert_header((header::CONTENT_DISPOSITION, name)).body(bytes))
        }
        "csv" => Ok(csv()),
        "" if wants_csv(request) => Ok(csv()),
        "" | "json" => Ok(HttpResponse::Ok().json(json())),
        _ => Err(Problem::field("/format", "must be json, csv or xlsx")),
    }
}

const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

/// What each channel returned, by analytic credit.
#[utoipa::path(get, path = "/v1/reports/channels", tag = "Reports", params(("from" = Option<String>, Query), ("to" = Option<String>, Query), ("model" = Option<String>, Query), ("group_by" = Option<String>, Query), ("currency" = Option<String>, Query), ("convert" = Option<bool>, Query, description = "Amounts in other currencies are converted, each by the rate of its day, and shown with it; a missing rate is refused"), ("click_window_days" = Option<i64>, Query), ("view_window_days" = Option<i64>, Query), ("half_life_days" = Option<i64>, Query), ("split" = Option<String>, Query)), responses((status = 200, description = "`{data, totals}`"), (status = 422, description = "A field, or a rate that is missing, with currency and day", body = Problem)))]
pub async fn channels(app: Data<App>, _key: ApiKey, request: HttpRequest) -> Result<HttpResponse, Problem> {
    answered(&app, &request, Of::Channels).await
}

/// What each partner brought, by payable credit.
#[utoipa::path(get, path = "/v1/reports/partners", tag = "Reports", params(("from" = Option<String>, Query), ("to" = Option<String>, Query), ("currency" = Option<String>, Query), ("convert" = Option<bool>, Query, description = "Amounts in other currencies are converted, each by the rate of its day, and shown with it; a missing rate is refused")), responses((status = 200, description = "`{data, totals}`"), (status = 422, body = Problem)))]
pub async fn partners(app: Data<App>, _key: ApiKey, request: HttpRequest) -> Result<HttpResponse, Problem> {
    answered(&app, &request, Of::Partners).await
}

/// Customers by the month of their first order: how many came back in each month after it, what they ordered, and what a
/// customer has brought so far.
#[utoipa::path(get, path = "/v1/reports/cohorts", tag = "Reports", params(("from" = Option<String>, Query, description = "The first month of a first order; the last twelve, if left out"), ("to" = Option<String>, Query, description = "The last day that is looked at"), ("currency" = Option<String>, Query), ("margin" = Option<String>, Query, description = "Gross profit in percent of net revenue: LTV is reckoned by it"), ("format" = Option<String>, Query)), responses((status = 200, description = "`{data: [{cohort, customers, repeat_customers, months: […]}]}`"), (status = 422, body = Problem)))]
pub async fn cohorts(app: Data<App>, _key: ApiKey, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let query = Fields::of_query(&request);
    let asked = cohorts::Asked::of(&input_of(&query), app.service.context("api").today())?;
    let report = cohorts::report(&app.service, asked).await?;
    written(&request, &query, (report.from.first_day(), report.to), report.sheet(), || report.json())
}
