//! Leads, the newest first: which stages each has reached, whom it is owed to and what that earned.

use super::judge::CommissionView;
use super::orders::status_class;
use crate::domain::id::{LeadId, PartnerId};
use crate::service::report;
use crate::store::{commission, lead};
use crate::web::App;
use crate::web::page::form::Fields;
use crate::web::page::{Frame, NONE, answer, words};
use crate::web::who::{PageError, Staff};
use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

const ROWS: i64 = 50;

#[derive(Template)]
#[template(path = "admin/leads.html")]
struct LeadsPage {
    frame: Frame,
    here: &'static str,
    problem: Option<String>,
    leads: Vec<LeadView>,
    next: Option<String>,
}

struct LeadView {
    number: String,
    at: String,
    stages: Vec<(String, String)>,
    status: String,
    status_class: &'static str,
    partner: String,
    why: String,
    commissions: Vec<CommissionView>,
}

/// `GET /admin/leads?before=`.
pub async fn leads(app: Data<App>, request: HttpRequest, staff: Staff) -> Result<HttpResponse, PageError> {
    shown(&app, &request, staff, StatusCode::OK, None).await
}

/// The list; what was refused is said above it, with its status.
pub(super) async fn shown(
    app: &App,
    request: &HttpRequest,
    staff: Staff,
    status: StatusCode,
    problem: Option<String>,
) -> Result<HttpResponse, PageError> {
    let db = &app.service.db;
    let context = app.service.context(&staff.0.email);
    let may_judge = staff.0.role.may_pay();
    let frame = match &problem {
        None => Frame::of(app, request, Some(staff.0)).await,
        Some(_) => Frame::with_way_back(app, request, Some(staff.0), "/admin/leads").await,
    };
    let lang = frame.lang;
    let names = report::partner_names(db).await?;
    let name = |id: PartnerId| names.get(&id.to_string()).cloned().unwrap_or_else(|| id.to_string());
    let before = Fields::of_query(request).get("before").parse::<LeadId>().map_or(i64::MAX, |id| id.0);
    let found = lead::latest(db, before, ROWS).await?;
    let next = found.last().filter(|_| found.len() as i64 == ROWS).map(|last| last.id.to_string());
    let mut views = Vec::with_capacity(found.len());
    for l in found {
        let commissions = commission::of_lead(db, l.id).await?;
        let decided = l.decision.as_ref().map(|decision| &decision.0);
        views.push(LeadView {
            at: lang.instant(context.zone, l.at.0),
            stages: l.stages.0.iter().map(|s| (s.stage.clone(), lang.instant(context.zone, s.at))).collect(),
            status: frame.t(words::order_status(l.status)),
            status_class: status_class(l.status),
            partner: decided.and_then(|d| d.owed_to).map_or_else(|| NONE.to_owned(), |(partner, _)| name(partner)),
            why: decided.map_or_else(String::new, |d| frame.t(words::reason(d.reason))),
            commissions: commissions.iter().map(|c| CommissionView::of(&frame, &context, c, may_judge, &name)).collect(),
            number: l.external_id,
        });
    }
    let page = LeadsPage { here: "leads", problem, leads: views, next, frame };
    Ok(answer(status, &page))
}
