//! Statements and acts of a month: issue them all, open, print.

use crate::domain::document::DocumentKind;
use crate::domain::id::{DocumentId, PartnerId};
use crate::domain::money::Money;
use crate::domain::time::Period;
use crate::service::{Error, documents as service};
use crate::store::document::{Document, Filter};
use crate::store::{document, payout, receipt};
use crate::web::App;
use crate::web::documents::{draw, format_of, issued_page, language_of};
use crate::web::error::Problem;
use crate::web::page::form::Fields;
use crate::web::page::{Frame, answer, see_other, words};
use crate::web::who::{PageError, Staff};
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

/// Documents on a page; the filter finds the others.
const MOST: usize = 200;

#[derive(Template)]
#[template(path = "admin/documents.html")]
struct DocumentsPage {
    frame: Frame,
    here: &'static str,
    period: String,
    month: String,
    earlier: String,
    later: Option<String>,
    partner: String,
    kinds: Vec<(&'static str, String, bool)>,
    is_closed: bool,
    may_pay: bool,
    problem: Option<(String, String)>,
    issued: Option<String>,
    filtered: bool,
    rows: Vec<DocumentView>,
    more: Option<String>,
    missing: Option<String>,
    overdue: Option<String>,
}

/// A document in a list.
pub struct DocumentView {
    pub id: String,
    pub kind: String,
    pub number: String,
    pub payee: String,
    pub partner: String,
    pub month: String,
    pub amount: String,
    pub issued: String,
}

impl DocumentView {
    pub fn of(frame: &Frame, zone: chrono_tz::Tz, d: &Document) -> DocumentView {
        DocumentView {
            id: d.id.to_string(),
            kind: frame.t(words::document_kind(d.kind)),
            number: d.full_number().to_string(),
            payee: d.payee_name.clone(),
            partner: d.partner_id.to_string(),
            month: d.period.parse::<Period>().map_or_else(|_| d.period.clone(), |p| frame.lang.month(p)),
            amount: frame.lang.money(Money::new(d.amount_minor, d.currency)),
            issued: frame.lang.instant(zone, d.issued_at.0),
        }
    }
}

/// `GET /admin/documents`.
pub async fn documents(app: Data<App>, request: HttpRequest, staff: Staff) -> Result<HttpResponse, PageError> {
    let fields = Fields::of_query(&request);
    let this_month = Period::of(app.service.context("page").today());
    let last_month = this_month.first_day().pred_opt().map_or(this_month, Period::of);
    let period = fields.get("period").parse().unwrap_or(last_month);
    shown(&app, &request, staff, period, &fields, StatusCode::OK, None).await
}

async fn shown(
    app: &App,
    request: &HttpRequest,
    staff: Staff,
    period: Period,
    fields: &Fields,
    status: StatusCode,
    problem: Option<(&'static str, String)>,
) -> Result<HttpResponse, PageError> {
    let db = &app.service.db;
    let context = app.service.context(&staff.0.email);
    let this_month = Period::of(context.today());
    let key = period.to_string();
    let frame = Frame::with_way_back(app, request, Some(staff.0), &path_of(&key, "")).await;
    let is_closed = payout::latest_closed(db).await?.is_some_and(|latest| key <= latest);
    let partner = fields.get("partner").to_owned();
    let kind: Option<DocumentKind> = fields.get("kind").parse().ok();
    let id: Option<PartnerId> = partner.parse().ok();
    let filter = Filter { period: Some(key.clone()), partner: id, kind };
    let mut found = document::list(db, &filter, 0, i64::MAX).await?;
    if id.is_none() && !partner.is_empty() {
        let wanted = partner.to_lowercase();
        found.retain(|d| d.payee_name.to_lowercase().contains(&wanted) || d.full_number().to_string().to_lowercase() == wanted);
    }
    let (missing, overdue) = receipt::missing(db, context.today()).await?;
    let page = DocumentsPage {
        here: "documents",
        month: frame.lang.month(period),
        earlier: period.first_day().pred_opt().map_or(period, Period::of).to_string(),
        later: (period < this_month).then(|| period.next().to_string()),
        kinds: DocumentKind::ALL.map(|k| (k.name(), frame.t(words::document_kind(k)), kind == Some(k))).to_vec(),
        is_closed,
        may_pay: frame.user.as_ref().is_some_and(|user| user.role.may_pay()),
        problem: problem.map(|(words, detail)| (frame.t(words), detail)),
        issued: fields.get("issued").parse::<i64>().ok().map(|n| frame.count("count-issued", n)),
        filtered: kind.is_some() || !partner.is_empty(),
        rows: found.iter().take(MOST).map(|d| DocumentView::of(&frame, context.zone, d)).collect(),
        more: (found.len() > MOST).then(|| frame.count("count-more", (found.len() - MOST) as i64)),
        missing: (missing > 0).then(|| frame.count("count-missing", missing)),
        overdue: (overdue > 0).then(|| frame.count("count-overdue", overdue)),
        partner,
        period: key,
        frame,
    };
    Ok(answer(status, &page))
}

fn path_of(period: &str, more: &str) -> String {
    format!("/admin/documents?period={period}{more}")
}

/// `POST /admin/documents/issue`: of all partners of a month.
pub async fn issue(app: Data<App>, request: HttpRequest, staff: Staff, fields: Fields) -> Result<HttpResponse, PageError> {
    staff.may_pay()?;
    staff.0.check_csrf(fields.get("csrf"))?;
    let period: Period = fields.get("period").parse().map_err(|e| Problem::field("/period", e))?;
    match service::issue_month(&app.service, &staff.0.email, period, draw).await {
        Ok(issued) => Ok(see_other(&path_of(&period.to_string(), &format!("&issued={}", issued.documents.len())))),
        Err(Error::Store(error)) => Err(error.into()),
        Err(error) => {
            let words = match &error {
                Error::Invalid(_) => "problem-issue-payer",
                _ => "problem-issue-open",
            };
            let detail = error.to_string();
            let status = StatusCode::from_u16(Problem::from(error).status).unwrap_or(StatusCode::CONFLICT);
            let nothing = Fields::default();
            shown(&app, &request, staff, period, &nothing, status, Some((words, detail))).await
        }
    }
}

/// `GET /admin/documents/{id}`: the page as it was issued.
pub async fn document_page(
    app: Data<App>,
    request: HttpRequest,
    staff: Staff,
    id: Path<String>,
) -> Result<HttpResponse, PageError> {
    staff.may_pay()?;
    let id: DocumentId = id.parse().map_err(|e| Problem::new(StatusCode::NOT_FOUND, "not-found", e))?;
    let query = Fields::of_query(&request);
    let language = language_of(query.get("lang"), staff.0.language)?;
    Ok(issued_page(&app.service.db, id, language, format_of(query.get("format"))?).await?)
}
