//! The accountant's month, step by step: each button is a form, and works without a script.

use super::run::{RunCard, card};
use crate::domain::id::PayoutRunId;
use crate::domain::money::Currency;
use crate::domain::time::Period;
use crate::service::payout;
use crate::service::payout_file;
use crate::service::{Error, Refusal, Result as ServiceResult};
use crate::store::Tx;
use crate::web::App;
use crate::web::api::payouts::{FileWords, file_answer};
use crate::web::error::Problem;
use crate::web::page::form::Fields;
use crate::web::page::{Frame, answer, see_other, words};
use crate::web::who::{PageError, Staff};
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, Query};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

#[derive(Template)]
#[template(path = "admin/payouts.html")]
struct PayoutsPage {
    frame: Frame,
    here: &'static str,
    card: RunCard,
    earlier: String,
    later: Option<String>,
    problem: Option<ProblemView>,
}

/// What went wrong: in the reader's language, and as the service said it.
pub(super) struct ProblemView {
    pub words: String,
    pub detail: String,
}

fn path_of(period: &str) -> String {
    format!("/admin/payouts/{period}")
}

pub(super) fn month(text: &str) -> Result<Period, PageError> {
    text.parse().map_err(|e| Problem::new(StatusCode::NOT_FOUND, "not-found", e).into())
}

pub(super) fn run_id(text: &str) -> Result<PayoutRunId, PageError> {
    text.parse().map_err(|e| Problem::new(StatusCode::NOT_FOUND, "not-found", e).into())
}

/// `GET /admin/payouts/{period}`.
pub async fn payouts(
    app: Data<App>,
    request: HttpRequest,
    staff: Staff,
    period: Path<String>,
) -> Result<HttpResponse, PageError> {
    shown(&app, &request, staff, month(&period)?, StatusCode::OK, None).await
}

async fn shown(
    app: &App,
    request: &HttpRequest,
    staff: Staff,
    period: Period,
    status: StatusCode,
    problem: Option<(&'static str, String)>,
) -> Result<HttpResponse, PageError> {
    let context = app.service.context(&staff.0.email);
    let frame = Frame::with_way_back(app, request, Some(staff.0), &path_of(&period.to_string())).await;
    let this_month = Period::of(context.today());
    let page = PayoutsPage {
        here: "payouts",
        card: card(&app.service.db, &context, &frame, period).await?,
        earlier: period.first_day().pred_opt().map_or(period, Period::of).to_string(),
        later: (period < this_month).then(|| period.next().to_string()),
        problem: problem.map(|(key, detail)| ProblemView { words: frame.t(key), detail }),
        frame,
    };
    Ok(answer(status, &page))
}

/// Commits what was done and shows the month again; what was refused is said on the page, with its status.
async fn after<T>(
    done: ServiceResult<T>,
    tx: Tx,
    (app, request, staff): (&App, &HttpRequest, Staff),
    period: Period,
    problem: &'static str,
) -> Result<HttpResponse, PageError> {
    match done {
        Ok(_) => {
            tx.commit().await?;
            Ok(see_other(&path_of(&period.to_string())))
        }
        Err(Error::Store(error)) => Err(error.into()),
        Err(error) => {
            drop(tx);
            let problem = words_of(&error, problem);
            let detail = error.to_string();
            let status = Problem::from(error).status;
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::CONFLICT);
            shown(app, request, staff, period, status, Some((problem, detail))).await
        }
    }
}

/// The words for a refusal; what has none of its own is said by what was tried.
pub(super) fn words_of(error: &Error, tried: &'static str) -> &'static str {
    match error {
        Error::Refused { refusal: Refusal::Conflict, .. } => tried,
        Error::Refused { refusal, .. } => words::refusal(*refusal),
        _ => tried,
    }
}

/// `POST /admin/payouts/{period}/close`.
pub async fn close(
    app: Data<App>,
    request: HttpRequest,
    staff: Staff,
    period: Path<String>,
    fields: Fields,
) -> Result<HttpResponse, PageError> {
    staff.may_pay()?;
    staff.0.check_csrf(fields.get("csrf"))?;
    let period = month(&period)?;
    let context = app.service.context(&staff.0.email);
    let mut tx = app.service.db.begin().await?;
    let done = payout::close(&mut tx, &context, period).await;
    after(done, tx, (&app, &request, staff), period, "problem-close").await
}

/// `POST /admin/payouts/{period}/build`.
pub async fn build(
    app: Data<App>,
    request: HttpRequest,
    staff: Staff,
    period: Path<String>,
    fields: Fields,
) -> Result<HttpResponse, PageError> {
    staff.may_pay()?;
    staff.0.check_csrf(fields.get("csrf"))?;
    let period = month(&period)?;
    let currency: Option<Currency> = match fields.get("currency") {
        "" => None,
        code => Some(code.parse().map_err(Problem::malformed)?),
    };
    let early = fields.is_ticked("early");
    let context = app.service.context(&staff.0.email);
    let mut tx = app.service.db.begin().await?;
    let done = payout::build(&mut tx, &context, period, currency, early).await;
    after(done, tx, (&app, &request, staff), period, "problem-build").await
}

/// `POST /admin/payout-runs/{id}/approve`.
pub async fn approve(
    app: Data<App>,
    request: HttpRequest,
    staff: Staff,
    id: Path<String>,
    fields: Fields,
) -> Result<HttpResponse, PageError> {
    staff.may_pay()?;
    staff.0.check_csrf(fields.get("csrf"))?;
    let id = run_id(&id)?;
    let context = app.service.context(&staff.0.email);
    let mut tx = app.service.db.begin().await?;
    let period = month(&payout::load(&mut tx, id).await?.run.period)?;
    let done = payout::approve(&mut tx, &context, id).await;
    after(done, tx, (&app, &request, staff), period, "problem-approve").await
}

/// `POST /admin/payout-runs/{id}/paid`.
pub async fn paid(
    app: Data<App>,
    request: HttpRequest,
    staff: Staff,
    id: Path<String>,
    fields: Fields,
) -> Result<HttpResponse, PageError> {
    staff.may_pay()?;
    staff.0.check_csrf(fields.get("csrf"))?;
    let id = run_id(&id)?;
    let reference = match crate::domain::text::line(fields.get("bank_reference"), 200) {
        _ if fields.get("bank_reference").is_empty() => None,
        Ok(reference) => Some(reference),
        Err(error) => return Err(Problem::field("/bank_reference", error).into()),
    };
    let context = app.service.context(&staff.0.email);
    let mut tx = app.service.db.begin().await?;
    let period = month(&payout::load(&mut tx, id).await?.run.period)?;
    let done = payout::mark_paid(&mut tx, &context, id, reference.as_deref()).await;
    after(done, tx, (&app, &request, staff), period, "problem-paid").await
}

/// `GET /admin/payout-runs/{id}/export`: a file of the run, the same bytes every time.
pub async fn export(
    app: Data<App>,
    request: HttpRequest,
    staff: Staff,
    id: Path<String>,
    words: Query<FileWords>,
) -> Result<HttpResponse, PageError> {
    staff.may_pay()?;
    let id = run_id(&id)?;
    let wanted = words.request()?;
    let context = app.service.context(&staff.0.email);
    let mut tx = app.service.db.begin().await?;
    let run = payout::load(&mut tx, id).await?.run;
    match payout_file::export(&mut tx, &context, id, &wanted).await {
        Ok(file) => {
            tx.commit().await?;
            Ok(file_answer(&format!("payout-{}-{}", run.period, run.currency), &wanted, file))
        }
        refused => after(refused, tx, (&app, &request, staff), month(&run.period)?, "problem-export").await,
    }
}
