//! How the merchant pays: what only the owner may change.

use crate::service::access::Role;
use crate::service::payout::{self, PayoutSettings};
use crate::web::App;
use crate::web::page::form::Fields;
use crate::web::page::{Frame, answer, see_other};
use crate::web::who::{PageError, Staff};
use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

const PATH: &str = "/admin/payout-settings";

#[derive(Template)]
#[template(path = "admin/payout_settings.html")]
struct SettingsPage {
    frame: Frame,
    here: &'static str,
    settings: PayoutSettings,
    may_change: bool,
}

/// `GET /admin/payout-settings`.
pub async fn payout_settings(app: Data<App>, request: HttpRequest, staff: Staff) -> Result<HttpResponse, PageError> {
    let may_change = staff.0.role == Role::Owner;
    let settings = payout::settings(&app.service.db).await?;
    let frame = Frame::of(&app, &request, Some(staff.0)).await;
    Ok(answer(StatusCode::OK, &SettingsPage { frame, here: "payouts", settings, may_change }))
}

/// `POST /admin/payout-settings`.
pub async fn change_payout_settings(app: Data<App>, staff: Staff, fields: Fields) -> Result<HttpResponse, PageError> {
    if staff.0.role != Role::Owner {
        return Err(PageError::Forbidden);
    }
    staff.0.check_csrf(fields.get("csrf"))?;
    let context = app.service.context(&staff.0.email);
    let mut tx = app.service.db.begin().await?;
    let wanted = PayoutSettings { second_approver: fields.is_ticked("second_approver") };
    payout::change_settings(&mut tx, &context, wanted).await?;
    tx.commit().await?;
    Ok(see_other(PATH))
}
