//! Receipts of the self-employed: which are missing, and what came of the others.

use crate::domain::document::ReceiptState;
use crate::domain::id::{PartnerId, ReceiptId};
use crate::domain::money::Money;
use crate::domain::requisites::Payout;
use crate::service::documents::{ReceiptInput, annul_receipt, receive_receipt, remind_of_receipt};
use crate::service::input::DecimalInput;
use crate::service::{Context, Error};
use crate::store::receipt::{Filter, Receipt};
use crate::store::{partner, receipt};
use crate::web::App;
use crate::web::error::Problem;
use crate::web::page::form::Fields;
use crate::web::page::{Frame, answer, see_other, words};
use crate::web::who::{PageError, Staff};
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use chrono::Datelike;

/// Receipts on a page.
const MOST: i64 = 100;

#[derive(Template)]
#[template(path = "admin/receipts.html")]
struct ReceiptsPage {
    frame: Frame,
    here: &'static str,
    may_pay: bool,
    filters: Vec<(&'static str, String, bool)>,
    partner: String,
    problem: Option<(String, String)>,
    rows: Vec<ReceiptView>,
    more: Option<String>,
    next: i64,
    state: String,
}

/// A receipt in a list.
pub struct ReceiptView {
    pub id: String,
    pub partner: String,
    pub status_checked: Option<String>,
    pub paid: String,
    pub run: String,
    pub amount: String,
    /// As it is typed into a field.
    pub amount_text: String,
    pub state: String,
    pub state_class: &'static str,
    pub is_missing: bool,
    pub due: String,
    pub is_overdue: bool,
    pub number: Option<String>,
    pub link: Option<String>,
    pub date: Option<String>,
    pub annulled_because: Option<String>,
    pub reminded: Option<String>,
    pub today: String,
}

impl ReceiptView {
    pub fn of(frame: &Frame, context: &Context, r: &Receipt, partner: String, status_checked: Option<String>) -> ReceiptView {
        let lang = frame.lang;
        let amount = Money::new(r.amount_minor, r.currency);
        let is_missing = r.state.is_missing();
        ReceiptView {
            id: r.id.to_string(),
            partner,
            status_checked,
            paid: lang.day(r.paid_on),
            run: r.payout_run_id.to_string(),
            amount: lang.money(amount),
            amount_text: amount.decimal(),
            state: frame.t(words::receipt_state(r.state)),
            state_class: match r.state {
                ReceiptState::Asked => "held",
                ReceiptState::Received => "paid",
                ReceiptState::Annulled => "reversed",
            },
            is_missing,
            due: frame.say("receipt-due", [("day", lang.day(r.due_on).into())]),
            is_overdue: is_missing && r.due_on < context.today(),
            number: r.number.clone(),
            link: r.link.clone(),
            date: r.issued_on.map(|day| lang.day(day)),
            annulled_because: r.annulled_because.clone(),
            reminded: r.reminded_at.map(|at| {
                let count = ("count", r.reminders.into());
                let shown = ("shown", lang.whole(r.reminders).into());
                frame.say("receipt-reminded", [count, shown, ("day", lang.day(context.day(at.0)).into())])
            }),
            today: context.today().to_string(),
        }
    }
}

/// `GET /admin/receipts`.
pub async fn receipts(app: Data<App>, request: HttpRequest, staff: Staff) -> Result<HttpResponse, PageError> {
    let fields = Fields::of_query(&request);
    shown(&app, &request, staff, &fields, StatusCode::OK, None).await
}

async fn shown(
    app: &App,
    request: &HttpRequest,
    staff: Staff,
    fields: &Fields,
    status: StatusCode,
    problem: Option<String>,
) -> Result<HttpResponse, PageError> {
    let db = &app.service.db;
    let context = app.service.context(&staff.0.email);
    let state = match fields.get("state") {
        known @ ("received" | "all") => known,
        _ => "missing",
    };
    let back = format!("/admin/receipts?state={state}");
    let frame = Frame::with_way_back(app, request, Some(staff.0), &back).await;
    let partner_text = fields.get("partner").to_owned();
    let missing = match state {
        "received" => Some(false),
        "all" => None,
        _ => Some(true),
    };
    let filter = Filter { partner: partner_text.parse::<PartnerId>().ok(), missing };
    let after = fields.get("after").parse().unwrap_or(0);
    let found = receipt::list(db, filter, after, MOST).await?;
    let mut rows = Vec::with_capacity(found.len());
    for r in &found {
        let owner = partner::by_id(db, r.partner_id).await?.ok_or_else(|| Error::not_found(r.partner_id))?;
        rows.push(ReceiptView::of(&frame, &context, r, owner.name.clone(), status_checked(&frame, &context, &owner)));
    }
    let page = ReceiptsPage {
        here: "documents",
        may_pay: frame.user.as_ref().is_some_and(|user| user.role.may_pay()),
        filters: [("missing", "receipts-missing"), ("received", "receipts-received"), ("all", "receipts-all")]
            .map(|(name, key)| (name, frame.t(key), name == state))
            .to_vec(),
        problem: problem.map(|detail| (frame.t("problem-receipt"), detail)),
        next: found.last().map_or(0, |r| r.id.0),
        more: (found.len() as i64 == MOST).then(|| frame.t("receipts-more")),
        partner: partner_text,
        rows,
        state: state.to_owned(),
        frame,
    };
    Ok(answer(status, &page))
}

/// When the tax service last confirmed the status; a reminder to look again, if that was not in this month.
fn status_checked(frame: &Frame, context: &Context, owner: &partner::Partner) -> Option<String> {
    let today = context.today();
    match Payout::of_stored(&owner.payout.0).payee.npd.checked_on {
        Some(day) if (day.year(), day.month()) == (today.year(), today.month()) => None,
        Some(day) => Some(frame.say("receipt-status-checked", [("day", frame.lang.day(day).into())])),
        None => Some(frame.t("receipt-status-unchecked")),
    }
}

/// `POST /admin/receipts/{id}`: received, annulled or reminded of, by the button.
pub async fn change_receipt(
    app: Data<App>,
    request: HttpRequest,
    staff: Staff,
    id: Path<String>,
    fields: Fields,
) -> Result<HttpResponse, PageError> {
    staff.may_pay()?;
    staff.0.check_csrf(fields.get("csrf"))?;
    let id: ReceiptId = id.parse().map_err(|e| Problem::new(StatusCode::NOT_FOUND, "not-found", e))?;
    let context = app.service.context(&staff.0.email);
    let mut tx = app.service.db.begin().await?;
    let done = match fields.get("act") {
        "received" => receive_receipt(&mut tx, &context, id, None, &input_of(&fields)).await,
        "annul" => annul_receipt(&mut tx, &context, id, fields.get("reason")).await,
        "reminded" => remind_of_receipt(&mut tx, &context, id).await,
        _ => return Err(Problem::field("/act", "must be received, annul or reminded").into()),
    };
    match done {
        Ok(_) => {
            tx.commit().await?;
            let state = match fields.get("state") {
                known @ ("received" | "all") => known,
                _ => "missing",
            };
            Ok(see_other(&format!("/admin/receipts?state={state}")))
        }
        Err(Error::Store(error)) => Err(error.into()),
        Err(error @ Error::NotFound { .. }) => Err(error.into()),
        Err(error) => {
            drop(tx);
            let detail = error.to_string();
            let status = StatusCode::from_u16(Problem::from(error).status).unwrap_or(StatusCode::CONFLICT);
            shown(&app, &request, staff, &fields, status, Some(detail)).await
        }
    }
}

/// A receipt as a form sends it.
pub fn input_of(fields: &Fields) -> ReceiptInput {
    let given = |name: &str| Some(fields.get(name).to_owned()).filter(|text| !text.is_empty());
    ReceiptInput {
        number: given("number"),
        link: given("link"),
        date: given("date"),
        amount: given("amount").map(|text| DecimalInput::from(text.replace(['\u{a0}', ' '], "").replace(',', ".").as_str())),
    }
}
