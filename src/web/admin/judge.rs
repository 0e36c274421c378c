//! What a person says of a commission, on the page it stands on: approved, declined with a reason, or given back.

use super::{leads, order};
use crate::domain::commission::CommissionState;
use crate::domain::id::{CommissionId, PartnerId};
use crate::domain::money::Money;
use crate::service::{Context, Error, settle};
use crate::store::commission::{self, Commission};
use crate::store::order as orders;
use crate::web::App;
use crate::web::cabinet::state_class;
use crate::web::error::Problem;
use crate::web::page::form::Fields;
use crate::web::page::{self, Frame, see_other, segment, words};
use crate::web::who::{PageError, Staff};
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};

/// A commission as it is shown, with what may be done with it.
pub(super) struct CommissionView {
    pub id: String,
    pub partner: String,
    pub formula: String,
    pub rule: String,
    pub state: String,
    pub state_class: &'static str,
    pub hold: String,
    pub amount: String,
    pub declined: Option<String>,
    pub can_approve: bool,
    pub can_decline: bool,
    pub can_restore: bool,
}

impl CommissionView {
    pub(super) fn of(
        frame: &Frame,
        context: &Context,
        c: &Commission,
        may_judge: bool,
        name: &impl Fn(PartnerId) -> String,
    ) -> CommissionView {
        let lang = frame.lang;
        let waits = c.needs_approval && c.state == CommissionState::Pending;
        let declined = c.declined_because.is_some();
        let unpaid = matches!(c.state, CommissionState::Pending | CommissionState::Approved);
        CommissionView {
            id: c.id.to_string(),
            partner: name(c.partner_id),
            formula: page::formula::formula(lang, &c.explanation.0, name),
            rule: frame.say("rule-version", [("rule", c.rule_id.to_string().into()), ("version", c.rule_version.into())]),
            state: frame.t(if waits { "state-waits" } else { words::commission_state(c.state) }),
            state_class: state_class(c.state),
            hold: lang.day(context.day(c.hold_until.0)),
            amount: lang.money(Money::new(c.amount_minor, c.currency)),
            declined: c.declined_because.clone(),
            can_approve: may_judge && waits && !declined,
            can_decline: may_judge && unpaid && !declined,
            can_restore: may_judge && declined,
        }
    }
}

/// `POST /admin/commissions/{id}/{act}`: `approve`, `decline` with `reason`, `restore`.
pub async fn judge_commission(
    app: Data<App>,
    request: HttpRequest,
    staff: Staff,
    path: Path<(String, String)>,
    fields: Fields,
) -> Result<HttpResponse, PageError> {
    staff.may_pay()?;
    staff.0.check_csrf(fields.get("csrf"))?;
    let (id, act) = path.into_inner();
    let not_found = |what: &dyn std::fmt::Display| Problem::new(StatusCode::NOT_FOUND, "not-found", what);
    let id: CommissionId = id.parse().map_err(|e| not_found(&e))?;
    let context = app.service.context(&staff.0.email);
    let mut tx = app.service.db.begin().await?;
    let found = commission::by_id(&mut tx, id).await?.ok_or_else(|| not_found(&format!("there is no {id}")))?;
    let number = match found.order_id {
        Some(order) => Some(orders::by_id(&mut tx, order).await?.external_id),
        None => None,
    };
    let done = match act.as_str() {
        "approve" => settle::approve(&mut tx, &context, id).await,
        "decline" => settle::decline(&mut tx, &context, id, fields.get("reason")).await,
        "restore" => settle::restore(&mut tx, &context, id).await,
        other => return Err(not_found(&format!("there is no act '{other}'")).into()),
    };
    match done {
        Ok(_) => {
            tx.commit().await?;
            let place = number.map(|number| format!("/admin/orders/{}", segment(&number)));
            Ok(see_other(place.as_deref().unwrap_or("/admin/leads")))
        }
        Err(Error::Store(error)) => Err(error.into()),
        Err(error) => {
            drop(tx);
            let detail = error.to_string();
            let status = StatusCode::from_u16(Problem::from(error).status).unwrap_or(StatusCode::CONFLICT);
            match number {
                Some(number) => order::shown(&app, &request, staff, &number, status, Some(detail)).await,
                None => leads::shown(&app, &request, staff, status, Some(detail)).await,
            }
        }
    }
}
