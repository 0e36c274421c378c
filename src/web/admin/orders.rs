//! The list of orders, and the way to one by its number.

use crate::domain::id::OrderId;
use crate::domain::money::Money;
use crate::domain::order::OrderStatus;
use crate::service::report;
use crate::store::order;
use crate::web::App;
use crate::web::page::form::Fields;
use crate::web::page::{Frame, NONE, answer, see_other, segment, words};
use crate::web::who::{PageError, Staff};
use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

const ROWS: i64 = 50;

#[derive(Template)]
#[template(path = "admin/orders.html")]
struct OrdersPage {
    frame: Frame,
    here: &'static str,
    only_owed: bool,
    number: String,
    problem: Option<String>,
    orders: Vec<OrderLineView>,
    next: Option<String>,
}

struct OrderLineView {
    number: String,
    href: String,
    placed: String,
    status: String,
    status_class: &'static str,
    total: String,
    refunded: Option<String>,
    partner: String,
    via: Option<String>,
    commission: String,
}

/// The colour of an order's status; the word beside it says the same.
pub(super) fn status_class(status: OrderStatus) -> &'static str {
    match status {
        OrderStatus::Pending => "held",
        OrderStatus::Approved => "paid",
        OrderStatus::Cancelled => "reversed",
    }
}

/// `GET /admin/orders?number=&owed=&before=`.
pub async fn orders(app: Data<App>, request: HttpRequest, staff: Staff) -> Result<HttpResponse, PageError> {
    let db = &app.service.db;
    let query = Fields::of_query(&request);
    let number = query.get("number").to_owned();
    if !number.is_empty() && order::by_external_id(db, &number).await?.is_some() {
        return Ok(see_other(&format!("/admin/orders/{}", segment(&number))));
    }
    let context = app.service.context(&staff.0.email);
    let frame = Frame::of(&app, &request, Some(staff.0)).await;
    let lang = frame.lang;
    let only_owed = query.is_ticked("owed");
    let before = query.get("before").parse::<OrderId>().map_or(i64::MAX, |id| id.0);
    let names = report::partner_names(db).await?;
    let lines = order::lines(db, only_owed, before, ROWS).await?;
    let next = lines.last().filter(|_| lines.len() as i64 == ROWS).map(|last| last.id.to_string());
    let page = OrdersPage {
        here: "orders",
        only_owed,
        problem: (!number.is_empty()).then(|| frame.say("orders-unknown", [("number", number.as_str().into())])),
        number,
        orders: lines
            .into_iter()
            .map(|line| {
                let money = |minor| lang.money(Money::new(minor, line.currency));
                OrderLineView {
                    href: format!("/admin/orders/{}", segment(&line.external_id)),
                    placed: lang.instant(context.zone, line.placed_at.0),
                    status: lang.text(words::order_status(line.status)),
                    status_class: status_class(line.status),
                    total: money(line.total_minor),
                    refunded: (line.refunded_minor != 0)
                        .then(|| lang.with("orders-refunded", &[("amount", money(line.refunded_minor).into())])),
                    partner: line
                        .partner_id
                        .map(|id| id.to_string())
                        .map_or_else(|| NONE.to_owned(), |id| names.get(&id).cloned().unwrap_or(id)),
                    via: line.partner_id.and(line.via).map(|via| lang.text(words::via(via))),
                    commission: line.partner_id.map_or_else(|| NONE.to_owned(), |_| money(line.commission_minor)),
                    number: line.external_id,
                }
            })
            .collect(),
        next,
        frame,
    };
    Ok(answer(if page.problem.is_some() { StatusCode::NOT_FOUND } else { StatusCode::OK }, &page))
}
