//! The accountant's month.

use super::{Body, Page, act, id, listed, view};
use crate::domain::id::{PartnerId, PayoutRunId};
use crate::domain::money::Currency;
use crate::domain::payout_file::{FileFormat, FileRequest, PayoutFile, WrongFileRequest};
use crate::domain::time::Period;
use crate::service::access::Scope;
use crate::service::payout::{self as payouts, PayoutSettings};
use crate::service::{bank_statement, payout_file};
use crate::store::payout;
use crate::web::App;
use crate::web::error::Problem;
use crate::web::who::ApiKey;
use actix_web::http::{StatusCode, header};
use actix_web::web::{Data, Path, Query};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::json;

fn period(text: &str) -> Result<Period, Problem> {
    text.parse().map_err(|e| Problem::field("/period", e))
}

/// Close a month, and all before it.
#[utoipa::path(post, path = "/v1/periods/{period}/close", tag = "Payouts", params(("period" = String, Path)), responses((status = 200, description = "Closed"), (status = 409, body = Problem, description = "type month-not-over")))]
pub async fn close(
    app: Data<App>,
    key: ApiKey,
    request: HttpRequest,
    path: Path<String>,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let month = period(&path)?;
    act(&app, &key, &request, &body, Scope::Admin, async |tx, context| {
        payouts::close(tx, context, month).await?;
        let closing = payout::closing(&mut *tx, &month.to_string()).await?;
        let (at, by) = closing.map(|(at, by)| (view::instant(at), by)).unzip();
        Ok((StatusCode::OK, json!({ "period": month, "closed": true, "closed_at": at, "closed_by": by })))
    })
    .await
}

/// Which month to pay, and in which currency.
#[derive(Debug, Clone, Default, serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BuildInput {
    pub period: Option<String>,
    pub currency: Option<String>,
    /// Pay what is available now, although the month is not closed.
    pub early: Option<bool>,
}

/// Build the run of a month.
#[utoipa::path(post, path = "/v1/payout-runs", tag = "Payouts", request_body = BuildInput, responses((status = 201, description = "Built"), (status = 409, body = Problem, description = "month-not-closed, run-exists, nothing-due"), (status = 422, body = Problem, description = "currency-required, month-in-future")))]
pub async fn build(app: Data<App>, key: ApiKey, request: HttpRequest, body: Body) -> Result<HttpResponse, Problem> {
    key.needs(Scope::Admin)?;
    let input: BuildInput = body.read()?;
    let month = period(input.period.as_deref().ok_or_else(|| Problem::field("/period", "is required"))?)?;
    let currency = match &input.currency {
        None => None,
        Some(text) => Some(text.parse::<Currency>().map_err(|e| Problem::field("/currency", e))?),
    };
    act(&app, &key, &request, &body, Scope::Admin, async |tx, context| {
        let built = payouts::build(tx, context, month, currency, input.early.unwrap_or(false)).await?;
        Ok((StatusCode::CREATED, view::run(&built)))
    })
    .await
}

/// All runs.
#[utoipa::path(get, path = "/v1/payout-runs", tag = "Payouts", params(("limit" = Option<i64>, Query), ("cursor" = Option<String>, Query)), responses((status = 200, description = "A page of runs, without lines")))]
pub async fn list(app: Data<App>, _key: ApiKey, request: HttpRequest, page: Query<Page>) -> Result<HttpResponse, Problem> {
    let limit = page.limit()?;
    let found = payout::list(&app.service.db, page.after()?, limit).await?;
    Ok(listed(&request, limit, found, |r| r.id.0, |r| view::run(&payouts::RunWithLines { run: r.clone(), lines: Vec::new() })))
}

/// One run with its lines.
#[utoipa::path(get, path = "/v1/payout-runs/{id}", tag = "Payouts", params(("id" = String, Path)), responses((status = 200, description = "The run"), (status = 404, body = Problem)))]
pub async fn one(app: Data<App>, _key: ApiKey, path: Path<String>) -> Result<HttpResponse, Problem> {
    let wanted: PayoutRunId = id(&path)?;
    Ok(HttpResponse::Ok().json(view::run(&payouts::load(&app.service.db, wanted).await?)))
}

/// Approve a run.
#[utoipa::path(post, path = "/v1/payout-runs/{id}/approve", tag = "Payouts", params(("id" = String, Path)), responses((status = 200, description = "Approved"), (status = 404, body = Problem), (status = 409, body = Problem, description = "same-person, run-cancelled")))]
pub async fn approve(
    app: Data<App>,
    key: ApiKey,
    request: HttpRequest,
    path: Path<String>,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let wanted: PayoutRunId = id(&path)?;
    act(&app, &key, &request, &body, Scope::Admin, async |tx, context| {
        Ok((StatusCode::OK, view::run(&payouts::approve(tx, context, wanted).await?)))
    })
    .await
}

/// Which file is wanted.
#[derive(Debug, Default, serde::Deserialize)]
pub struct FileWords {
    format: Option<String>,
    delimiter: Option<String>,
    version: Option<String>,
    part: Option<usize>,
    without: Option<String>,
}

impl FileWords {
    pub fn request(&self) -> Result<FileRequest, Problem> {
        let wrong = |e: WrongFileRequest| Problem::field(&format!("/{}", e.parameter()), e);
        let format = self.format.as_deref().unwrap_or("csv");
        let format = FileFormat::of_words(format, self.delimiter.as_deref(), self.version.as_deref(), self.part);
        let without = FileRequest::partners(self.without.as_deref().unwrap_or("")).map_err(wrong)?;
        Ok(FileRequest { format: format.map_err(wrong)?, without })
    }
}

/// A payout file as an answer; the headers tell how many payments are in it, and how many are left out.
pub fn file_answer(name: &str, request: &FileRequest, file: PayoutFile) -> HttpResponse {
    let name = format!("attachment; filename=\"{name}.{}\"", request.format.extension());
    HttpResponse::Ok()
        .content_type(request.format.content_type())
        .insert_header((header::CONTENT_DISPOSITION, name))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header(("x-payments", file.totals.payments.to_string()))
        .insert_header(("x-payments-left-out", file.totals.left_out.len().to_string()))
        .body(file.bytes)
}

/// A file of a run: the same bytes every time.
#[utoipa::path(get, path = "/v1/payout-runs/{id}/export", tag = "Payouts", params(("id" = String, Path), ("format" = Option<String>, Query, description = "csv, xlsx, 1c, pain001, paypal, wise"), ("delimiter" = Option<String>, Query, description = "of csv: semicolon, comma"), ("version" = Option<String>, Query, description = "of pain001: 09, 03"), ("part" = Option<u64>, Query, description = "of paypal and wise, where the payments fill several files"), ("without" = Option<String>, Query, description = "partners to leave out, as par_1,par_7")), responses((status = 200, description = "The file", content_type = "text/csv"), (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn export(app: Data<App>, key: ApiKey, path: Path<String>, words: Query<FileWords>) -> Result<HttpResponse, Problem> {
    let wanted: PayoutRunId = id(&path)?;
    key.needs(Scope::Admin)?;
    let request = words.request()?;
    let mut tx = app.service.db.begin().await?;
    let file = payout_file::export(&mut tx, &app.service.context(&key.actor()), wanted, &request).await?;
    tx.commit().await?;
    Ok(file_answer(&wanted.to_string(), &request, file))
}

/// What the file of each format would hold, what it would leave out and why, and what stands in its way.
#[utoipa::path(get, path = "/v1/payout-runs/{id}/files", tag = "Payouts", params(("id" = String, Path)), responses((status = 200, description = "An item for each format"), (status = 404, body = Problem)))]
pub async fn files(app: Data<App>, key: ApiKey, path: Path<String>) -> Result<HttpResponse, Problem> {
    let wanted: PayoutRunId = id(&path)?;
    key.needs(Scope::Read)?;
    let context = app.service.context(&key.actor());
    let contents = payout_file::contents_of_files(&app.service.db, &context, wanted).await?;
    Ok(HttpResponse::Ok().json(json!({ "data": contents.iter().map(view::file_contents).collect::<Vec<_>>() })))
}

/// What a bank statement says of the run's payments: paid, paid again, of another amount, returned. Nothing is stored.
#[utoipa::path(post, path = "/v1/payout-runs/{id}/statement", tag = "Payouts", request_body(content = Vec<u8>, description = "1CClientBankExchange or camt.053, as the bank gave it"), params(("id" = String, Path)), responses((status = 200, description = "A verdict for each entry, what it would do, and the payments not found"), (status = 404, body = Problem), (status = 409, body = Problem, description = "other-account, other-month"), (status = 422, body = Problem, description = "type statement-unreadable")))]
pub async fn statement(app: Data<App>, key: ApiKey, path: Path<String>, body: Body) -> Result<HttpResponse, Problem> {
    let wanted: PayoutRunId = id(&path)?;
    key.needs(Scope::Read)?;
    let context = app.service.context(&key.actor());
    let told = bank_statement::preview(&app.service.db, &context, wanted, &body.0).await?;
    Ok(HttpResponse::Ok().json(view::statement(&told)))
}

/// Mark the run's payments as a bank statement says: paid, or failed where the money came back. The same file twice changes
/// nothing.
#[utoipa::path(post, path = "/v1/payout-runs/{id}/statement/apply", tag = "Payouts", request_body(content = Vec<u8>, description = "1CClientBankExchange or camt.053, as the bank gave it"), params(("id" = String, Path)), responses((status = 200, description = "A verdict and an outcome for each entry, and the run"), (status = 404, body = Problem), (status = 409, body = Problem, description = "not-approved, run-cancelled, other-account, other-month"), (status = 422, body = Problem, description = "type statement-unreadable")))]
pub async fn apply_statement(
    app: Data<App>,
    key: ApiKey,
    request: HttpRequest,
    path: Path<String>,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let wanted: PayoutRunId = id(&path)?;
    act(&app, &key, &request, &body, Scope::Admin, async |tx, context| {
        let applied = bank_statement::apply(tx, context, wanted, &body.0).await?;
        Ok((StatusCode::OK, view::applied(&applied)))
    })
    .await
}

/// Have the run's next bank file name the payer as it is now, dated on the day it is asked for.
#[utoipa::path(post, path = "/v1/payout-runs/{id}/retake-payer", tag = "Payouts", params(("id" = String, Path)), responses((status = 200, description = "The run"), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub async fn retake_payer(
    app: Data<App>,
    key: ApiKey,
    request: HttpRequest,
    path: Path<String>,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let wanted: PayoutRunId = id(&path)?;
    act(&app, &key, &request, &body, Scope::Admin, async |tx, context| {
        payout_file::retake_payer(tx, context, wanted).await?;
        Ok((StatusCode::OK, view::run(&payouts::load(&mut *tx, wanted).await?)))
    })
    .await
}

/// What was paid.
#[derive(Debug, Clone, Default, serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PaidInput {
    pub bank_reference: Option<String>,
    /// The partners whose lines are paid; without it, all that are due.
    pub lines: Option<Vec<String>>,
}

/// Mark an approved run as paid, or some of its lines.
#[utoipa::path(post, path = "/v1/payout-runs/{id}/paid", tag = "Payouts", request_body = PaidInput, params(("id" = String, Path)), responses((status = 200, description = "Paid"), (status = 404, body = Problem), (status = 409, body = Problem, description = "not-approved, run-cancelled, line-failed"), (status = 422, body = Problem, description = "no-such-line")))]
pub async fn paid(
    app: Data<App>,
    key: ApiKey,
    request: HttpRequest,
    path: Path<String>,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let (wanted, input): (PayoutRunId, PaidInput) = (id(&path)?, body.read_or_empty()?);
    if input.bank_reference.as_deref().is_some_and(|r| r.len() > 200 || r.chars().any(char::is_control)) {
        return Err(Problem::field("/bank_reference", "must be a line of at most 200 characters"));
    }
    let lines = input.lines.as_ref().map(|lines| partners_of(lines)).transpose()?;
    act(&app, &key, &request, &body, Scope::Admin, async |tx, context| {
        let reference = input.bank_reference.as_deref();
        let paid = match &lines {
            None => payouts::mark_paid(tx, context, wanted, reference).await?,
            Some(partners) => payouts::mark_lines_paid(tx, context, wanted, partners, reference).await?,
        };
        Ok((StatusCode::OK, view::run(&paid)))
    })
    .await
}

fn partners_of(lines: &[String]) -> Result<Vec<PartnerId>, Problem> {
    let read = |(at, text): (usize, &String)| text.parse().map_err(|e| Problem::field(&format!("/lines/{at}"), e));
    lines.iter().enumerate().map(read).collect()
}

/// Why.
#[derive(Debug, Clone, Default, serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReasonInput {
    /// A line of at most 500 characters.
    pub reason: Option<String>,
}

impl ReasonInput {
    fn reason(&self) -> &str {
        self.reason.as_deref().unwrap_or_default()
    }
}

/// Mark a payment as failed, before it was marked as paid or after: its money is available again.
#[utoipa::path(post, path = "/v1/payout-runs/{id}/lines/{partner}/failed", tag = "Payouts", request_body = ReasonInput, params(("id" = String, Path), ("partner" = String, Path)), responses((status = 200, description = "The run"), (status = 404, body = Problem), (status = 409, body = Problem, description = "not-approved, run-cancelled"), (status = 422, body = Problem, description = "no-such-line")))]
pub async fn line_failed(
    app: Data<App>,
    key: ApiKey,
    request: HttpRequest,
    path: Path<(String, String)>,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let (wanted, partner): (PayoutRunId, PartnerId) = (id(&path.0)?, id(&path.1)?);
    let input: ReasonInput = body.read_or_empty()?;
    act(&app, &key, &request, &body, Scope::Admin, async |tx, context| {
        Ok((StatusCode::OK, view::run(&payouts::fail_line(tx, context, wanted, partner, input.reason()).await?)))
    })
    .await
}

/// Cancel a run of which nothing is paid: its month may have another run.
#[utoipa::path(post, path = "/v1/payout-runs/{id}/cancel", tag = "Payouts", request_body = ReasonInput, params(("id" = String, Path)), responses((status = 200, description = "Cancelled"), (status = 404, body = Problem), (status = 409, body = Problem, description = "already-paid"), (status = 422, body = Problem)))]
pub async fn cancel(
    app: Data<App>,
    key: ApiKey,
    request: HttpRequest,
    path: Path<String>,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let (wanted, input): (PayoutRunId, ReasonInput) = (id(&path)?, body.read_or_empty()?);
    act(&app, &key, &request, &body, Scope::Admin, async |tx, context| {
        Ok((StatusCode::OK, view::run(&payouts::cancel(tx, context, wanted, input.reason()).await?)))
    })
    .await
}

/// How the merchant pays.
#[utoipa::path(get, path = "/v1/payout-settings", tag = "Payouts", responses((status = 200, body = PayoutSettings)))]
pub async fn settings(app: Data<App>, key: ApiKey) -> Result<HttpResponse, Problem> {
    key.needs(Scope::Read)?;
    Ok(HttpResponse::Ok().json(payouts::settings(&app.service.db).await?))
}

/// Change how the merchant pays.
#[utoipa::path(put, path = "/v1/payout-settings", tag = "Payouts", request_body = PayoutSettings, responses((status = 200, body = PayoutSettings), (status = 422, body = Problem)))]
pub async fn change_settings(app: Data<App>, key: ApiKey, request: HttpRequest, body: Body) -> Result<HttpResponse, Problem> {
    key.needs(Scope::Admin)?;
    let input: PayoutSettings = body.read()?;
    act(&app, &key, &request, &body, Scope::Admin, async |tx, context| {
        Ok((StatusCode::OK, json!(payouts::change_settings(tx, context, input).await?)))
    })
    .await
}
