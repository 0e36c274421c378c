//! Orders, refunds, and why an order is owed to whom.

use super::credits::{MOST_TOUCHES, credits};
use super::{Body, Page, act, idempotency_key_of, listed, view};
use crate::domain::attribution::Model;
use crate::domain::money::Money;
use crate::service::access::Scope;
use crate::service::credit::{CreditOptions, of_order};
use crate::service::order::{OrderInput, Recorded, RefundInput, record as record_order, record_refund};
use crate::service::{Error, arrival, decide};
use crate::store::order::Order;
use crate::store::{Db, Reader, commission, decision, order, refund as refunds, touch};
use crate::web::App;
use crate::web::error::Problem;
use crate::web::who::ApiKey;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, Query};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Map, Value, json};
use std::collections::HashSet;

async fn shown<'a>(on: impl Into<Reader<'a>>, order: &Order) -> crate::service::Result<Value> {
    let mut reader = on.into();
    let decided = decision::of_order(reader.again(), order.id).await?;
    let commissions = commission::of_order(reader, order.id).await?;
    Ok(view::order(order, decided.as_ref(), &commissions))
}

fn recorded_as(recorded: &Recorded) -> Value {
    view::order(&recorded.order, recorded.decided.as_ref(), &recorded.commissions)
}

fn status(recorded: &Recorded) -> StatusCode {
    if recorded.is_new { StatusCode::CREATED } else { StatusCode::OK }
}

/// Record an order, or replace it, by its external id.
#[utoipa::path(post, path = "/v1/orders", tag = "Orders", request_body = OrderInput, responses((status = 201, description = "New"), (status = 200, description = "Known, replaced"), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn record(app: Data<App>, key: ApiKey, request: HttpRequest, body: Body) -> Result<HttpResponse, Problem> {
    let input: OrderInput = body.read()?;
    key.needs(Scope::Write)?;
    // An answer that is to be remembered is stored with its order, each for itself.
    if idempotency_key_of(&request)?.is_none() {
        let order = input.check(&app.service.context(&key.actor()))?;
        if let Some(recorded) = app.orders.record(&app.service, &app.mover, order, key.actor()).await? {
            return Ok(HttpResponse::build(status(&recorded)).json(recorded_as(&recorded)));
        }
    }
    // Clicks that are on disk must be in the store before anything is decided on them.
    app.mover.move_all().await?;
    if let Some(click_id) = input.click_id.as_deref() {
        arrival::wait_for_click(&app.service.db, click_id.trim(), chrono::Utc::now()).await?;
    }
    act(&app, &key, &request, &body, Scope::Write, async |tx, context| {
        let recorded = record_order(tx, context, &input.check(context)?).await?;
        Ok((status(&recorded), recorded_as(&recorded)))
    })
    .await
}

/// Record a refund, once by its id.
#[utoipa::path(post, path = "/v1/orders/{external_id}/refunds", tag = "Orders", request_body = RefundInput, params(("external_id" = String, Path)), responses((status = 201, description = "New"), (status = 200, description = "Known"), (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn refund(
    app: Data<App>,
    key: ApiKey,
    request: HttpRequest,
    path: Path<String>,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let input: RefundInput = body.read()?;
    act(&app, &key, &request, &body, Scope::Write, async |tx, context| {
        let recorded = record_refund(tx, context, &path, &input).await?;
        Ok((status(&recorded), recorded_as(&recorded)))
    })
    .await
}

async fn find(db: &Db, external_id: &str) -> crate::service::Result<Order> {
    let found = order::by_external_id(db, external_id).await?;
    found.ok_or_else(|| Error::not_found(format!("order '{external_id}'")))
}

/// One order, with its refunds.
#[utoipa::path(get, path = "/v1/orders/{external_id}", tag = "Orders", params(("external_id" = String, Path)), responses((status = 200, description = "The order"), (status = 404, body = Problem)))]
pub async fn one(app: Data<App>, _key: ApiKey, path: Path<String>) -> Result<HttpResponse, Problem> {
    let db = &app.service.db;
    let found = find(db, &path).await?;
    let mut answer = shown(db, &found).await?;
    let list: Vec<Value> = refunds::of_order(db, found.id)
        .await?
        .iter()
        .map(|r| json!({ "refund_id": r.refund_id, "amount": Money::new(r.amount_minor, found.amounts.currency), "refunded_at": view::instant(r.refunded_at), "reason": r.reason }))
        .collect();
    answer["refunds"] = json!(list);
    Ok(HttpResponse::Ok().json(answer))
}

/// All orders.
#[utoipa::path(get, path = "/v1/orders", tag = "Orders", params(("limit" = Option<i64>, Query), ("cursor" = Option<String>, Query)), responses((status = 200, description = "A page of orders")))]
pub async fn list(app: Data<App>, _key: ApiKey, request: HttpRequest, page: Query<Page>) -> Result<HttpResponse, Problem> {
    let limit = page.limit()?;
    let found = order::list(&app.service.db, None, page.after()?, limit).await?;
    let mut views = Vec::with_capacity(found.len());
    for order in found {
        views.push((order.id.0, shown(&app.service.db, &order).await?));
    }
    Ok(listed(&request, limit, views, |v| v.0, |v| v.1.clone()))
}

/// The payable part of an order's attribution: what was decided, with its trace, the rules and terms it was decided by,
/// and what the other policies would have said. Before the order is approved, what would be said as it stands.
pub async fn payable_of(db: &Db, order: &Order) -> crate::service::Result<Value> {
    let decided = decision::of_order(db, order.id).await?;
    let mut payable = view::payable(decided.as_ref());
    let basis = match &decided {
        Some(decided) => {
            payable["trace"] = json!(decided.trace.0);
            payable["other_policies"] = json!(decided.other_policies.0);
            payable["loser"] = json!(decided.loser);
            let rules = decided.rules.0.iter().map(|rule| view::rule(rule, order.amounts.currency));
            payable["rules"] = rules.collect();
            decided.basis.as_ref().map(|basis| basis.0.clone())
        }
        None => {
            // Nothing of it is stored.
            let (decision, basis) = decide::consider(db, order).await?;
            payable["trace"] = json!(decision.trace);
            payable["other_policies"] = json!(decision.other_policies);
            payable["loser"] = json!(decision.loser);
            payable["rules"] = json!([]);
            Some(basis)
        }
    };
    payable["basis"] = json!(basis);
    Ok(payable)
}

/// Why an order is owed to whom: touches, credit by every model, the payable decision with its trace.
#[utoipa::path(get, path = "/v1/orders/{external_id}/attribution", tag = "Orders", params(("external_id" = String, Path)), responses((status = 200, description = "The attribution"), (status = 404, body = Problem)))]
pub async fn attribution(app: Data<App>, _key: ApiKey, path: Path<String>) -> Result<HttpResponse, Problem> {
    app.mover.move_all().await?;
    let db = &app.service.db;
    let found = find(db, &path).await?;
    let touches = touch::of_person(db, found.person).await?;
    let (journey, fits) = of_order(&app.service, &found, &touches).await?;
    let steps = &journey.steps;
    let net = found.amounts.net();
    let mut models = Map::new();
    for model in Model::ALL {
        let credits: Vec<Value> = if steps.is_empty() {
            vec![
                json!({ "touch": null, "channel": "direct", "source": null, "campaign": null, "partner": null, "unobserved": true, "weight": 1.0, "amount": net }),
            ]
        } else {
            // A month with more channels than the model can do has no credit by it.
            let Ok(weights) = journey.weights(model, &fits, CreditOptions::default()) else { continue };
            credits(steps, &weights, net)
        };
        models.insert(model.name().to_owned(), json!(credits));
    }
    let counted: HashSet<&str> = steps.iter().map(|step| step.touch.as_str()).collect();
    let left_out = touches.len().saturating_sub(MOST_TOUCHES);
    let touches: Vec<Value> = touches[left_out..]
        .iter()
        .map(|t| {
            let landing = t.landing();
            json!({
                "id": t.label(), "at": view::instant(t.at), "kind": t.kind, "channel": t.channel, "source": t.source,
                "medium": t.medium, "campaign": t.campaign, "partner": t.partner_id, "link": t.link_id,
                "mark": t.mark, "mark_reason": t.mark_reason, "visitor": t.visitor_id, "click_ids": landing.click_ids, "subs": landing.subs,
                "counts": counted.contains(t.label().as_str()),
            })
        })
        .collect();
    let payable = payable_of(db, &found).await?;
    let commissions: Vec<Value> = commission::of_order(db, found.id).await?.iter().map(view::commission).collect();
    let answer = json!({ "order": found.external_id, "touches": touches, "touches_left_out": left_out, "models": models, "payable": payable, "commissions": commissions });
    Ok(HttpResponse::Ok().json(answer))
}
