//! One run: its lines, each paid or failed for itself; the bank's statement read back; cancelling. All of it by forms.

use super::payouts::{ProblemView, month, run_id, words_of};
use super::run::{LineView, counts, history, line_view, run_class};
use crate::domain::id::{PartnerId, PayoutRunId};
use crate::domain::money::Money;
use crate::domain::payout_run::RunState;
use crate::service::bank_statement::{self, Applied, Outcome};
use crate::service::payout::{self, RunWithLines};
use crate::service::{Context, Error, Result as ServiceResult};
use crate::store::Tx;
use crate::web::App;
use crate::web::error::Problem;
use crate::web::page::form::Fields;
use crate::web::page::upload::Upload;
use crate::web::page::{Frame, answer, see_other, words};
use crate::web::who::{PageError, Staff};
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

#[derive(Template)]
#[template(path = "admin/payout_run.html")]
struct RunPage {
    frame: Frame,
    here: &'static str,
    id: String,
    period: String,
    month: String,
    state: String,
    state_class: &'static str,
    total: String,
    counts: Vec<String>,
    history: Vec<String>,
    lines: Vec<LineView>,
    /// Lines can be marked, and a statement read.
    can_be_settled: bool,
    can_be_cancelled: bool,
    statement: Option<StatementView>,
    problem: Option<ProblemView>,
}

/// What a bank statement says, and the file itself for the form that marks it.
struct StatementView {
    rows: Vec<[String; 6]>,
    not_found: Option<String>,
    /// None where there is nothing to mark.
    file: Option<String>,
    to_mark: String,
}

fn path_of(id: PayoutRunId) -> String {
    format!("/admin/payout-runs/{id}")
}

/// What a page says beside the run.
#[derive(Default)]
struct Said {
    statement: Option<StatementView>,
    problem: Option<(&'static str, String)>,
}

/// `GET /admin/payout-runs/{id}`.
pub async fn payout_run(app: Data<App>, request: HttpRequest, staff: Staff, id: Path<String>) -> Result<HttpResponse, PageError> {
    shown(&app, &request, staff, run_id(&id)?, StatusCode::OK, Said::default()).await
}

async fn shown(
    app: &App,
    request: &HttpRequest,
    staff: Staff,
    id: PayoutRunId,
    status: StatusCode,
    said: Said,
) -> Result<HttpResponse, PageError> {
    let context = app.service.context(&staff.0.email);
    let may_pay = staff.0.role.may_pay();
    let frame = Frame::with_way_back(app, request, Some(staff.0), &path_of(id)).await;
    let RunWithLines { run, lines } = payout::load(&app.service.db, id).await?;
    let page = RunPage {
        here: "payouts",
        id: id.to_string(),
        month: frame.lang.month(month(&run.period)?),
        state: frame.t(words::run_state(run.state)),
        state_class: run_class(run.state),
        total: frame.lang.money(Money::new(run.total_minor, run.currency)),
        counts: counts(&frame, &lines),
        history: history(&frame, &context, &run),
        can_be_settled: may_pay && run.state.was_approved(),
        can_be_cancelled: may_pay && matches!(run.state, RunState::Built | RunState::Approved),
        lines: lines.into_iter().map(|line| line_view(&frame, run.currency, line)).collect(),
        statement: said.statement,
        problem: said.problem.map(|(key, detail)| ProblemView { words: frame.t(key), detail }),
        period: run.period,
        frame,
    };
    Ok(answer(status, &page))
}

/// Commits what was done and shows the run again; what was refused is said on the page, with its status.
async fn after<T>(
    done: ServiceResult<T>,
    tx: Tx,
    (app, request, staff): (&App, &HttpRequest, Staff),
    id: PayoutRunId,
    tried: &'static str,
) -> Result<HttpResponse, PageError> {
    match done {
        Ok(_) => {
            tx.commit().await?;
            Ok(see_other(&path_of(id)))
        }
        Err(Error::Store(error)) => Err(error.into()),
        Err(error) => {
            drop(tx);
            refused(error, (app, request, staff), id, tried).await
        }
    }
}

async fn refused(
    error: Error,
    (app, request, staff): (&App, &HttpRequest, Staff),
    id: PayoutRunId,
    tried: &'static str,
) -> Result<HttpResponse, PageError> {
    let problem = Some((words_of(&error, tried), error.to_string()));
    let status = StatusCode::from_u16(Problem::from(error).status).unwrap_or(StatusCode::CONFLICT);
    shown(app, request, staff, id, status, Said { problem, ..Said::default() }).await
}

/// `POST /admin/payout-runs/{id}/lines`: the ticked lines are paid, or have failed.
pub async fn settle_lines(
    app: Data<App>,
    request: HttpRequest,
    staff: Staff,
    id: Path<String>,
    fields: Fields,
) -> Result<HttpResponse, PageError> {
    staff.may_pay()?;
    staff.0.check_csrf(fields.get("csrf"))?;
    let id = run_id(&id)?;
    let partners: Vec<PartnerId> =
        fields.all("line").map(|text| text.parse().map_err(Problem::malformed)).collect::<Result<_, _>>()?;
    let context = app.service.context(&staff.0.email);
    let mut tx = app.service.db.begin().await?;
    let (done, tried) = match fields.get("act") {
        "failed" => (fail(&mut tx, &context, id, &partners, fields.get("reason")).await, "problem-failed"),
        _ => (pay(&mut tx, &context, id, &partners, fields.get("bank_reference")).await, "problem-lines"),
    };
    after(done, tx, (&app, &request, staff), id, tried).await
}

async fn pay(tx: &mut Tx, context: &Context, id: PayoutRunId, partners: &[PartnerId], reference: &str) -> ServiceResult<()> {
    let reference = match reference {
        "" => None,
        text => Some(crate::domain::text::line(text, 200).map_err(|error| Error::field("/bank_reference", error))?),
    };
    payout::mark_lines_paid(tx, context, id, partners, reference.as_deref()).await.map(|_| ())
}

async fn fail(tx: &mut Tx, context: &Context, id: PayoutRunId, partners: &[PartnerId], reason: &str) -> ServiceResult<()> {
    if partners.is_empty() {
        return payout::mark_lines_paid(tx, context, id, partners, None).await.map(|_| ());
    }
    for partner in partners {
        payout::fail_line(tx, context, id, *partner, reason).await?;
    }
    Ok(())
}

/// `POST /admin/payout-runs/{id}/cancel`.
pub async fn cancel(
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
    let done = payout::cancel(&mut tx, &context, id, fields.get("reason")).await;
    after(done, tx, (&app, &request, staff), id, "problem-cancel").await
}

/// `POST /admin/payout-runs/{id}/statement`: what the file says. Nothing is stored.
pub async fn statement(
    app: Data<App>,
    request: HttpRequest,
    staff: Staff,
    id: Path<String>,
    upload: Upload,
) -> Result<HttpResponse, PageError> {
    staff.may_pay()?;
    staff.0.check_csrf(upload.text("csrf"))?;
    let id = run_id(&id)?;
    let context = app.service.context(&staff.0.email);
    let file = upload.bytes("file");
    match bank_statement::preview(&app.service.db, &context, id, file).await {
        Ok(told) => {
            let frame = Frame::with_way_back(&app, &request, Some(staff.0.clone()), &path_of(id)).await;
            let said = Said { statement: Some(statement_view(&frame, &told, file)), ..Said::default() };
            shown(&app, &request, staff, id, StatusCode::OK, said).await
        }
        Err(Error::Store(error)) => Err(error.into()),
        Err(error) => refused(error, (&app, &request, staff), id, "refused-statement").await,
    }
}

/// `POST /admin/payout-runs/{id}/statement/apply`: marks what the file says.
pub async fn apply_statement(
    app: Data<App>,
    request: HttpRequest,
    staff: Staff,
    id: Path<String>,
    upload: Upload,
) -> Result<HttpResponse, PageError> {
    staff.may_pay()?;
    staff.0.check_csrf(upload.text("csrf"))?;
    let id = run_id(&id)?;
    let file = BASE64.decode(upload.text("statement")).map_err(Problem::malformed)?;
    let context = app.service.context(&staff.0.email);
    let mut tx = app.service.db.begin().await?;
    let done = bank_statement::apply(&mut tx, &context, id, &file).await;
    after(done, tx, (&app, &request, staff), id, "refused-statement").await
}

fn statement_view(frame: &Frame, told: &Applied, file: &[u8]) -> StatementView {
    let names = |id: PartnerId| told.run.lines.iter().find(|line| line.partner_id == id).map(|line| line.partner_name.clone());
    let found = &told.comparison.found;
    let entries = told.comparison.statement.entries.iter().zip(&found.verdicts).zip(&told.outcomes);
    let rows = entries.map(|((entry, verdict), outcome)| {
        let who = verdict.partner().and_then(names).or_else(|| entry.counterparty.name.clone()).unwrap_or_default();
        [
            who,
            frame.lang.day(entry.date),
            frame.t(words::statement_verdict(*verdict)),
            frame.t(words::statement_outcome(*outcome)),
            entry.bank_reference.clone().or_else(|| entry.document_number.clone()).unwrap_or_default(),
            frame.lang.money(entry.amount),
        ]
    });
    let to_mark = told.outcomes.iter().filter(|o| matches!(o, Outcome::MarkedPaid | Outcome::MarkedFailed)).count();
    StatementView {
        rows: rows.collect(),
        not_found: (!found.not_found.is_empty()).then(|| frame.count("count-not-found", found.not_found.len() as i64)),
        file: (to_mark > 0).then(|| BASE64.encode(file)),
        to_mark: frame.count("count-to-mark", to_mark as i64),
    }
}
