//! Commission rules. A change makes a new version; orders placed before keep the old one.

use super::{Body, Page, act, id, listed, view};
use crate::domain::commission::Rule;
use crate::domain::id::{ProgramId, RuleId};
use crate::domain::money::Currency;
use crate::service::Error;
use crate::service::access::Scope;
use crate::service::catalog::{RuleInput, change_rule, make_rule};
use crate::store::{Reader, program, rule};
use crate::web::App;
use crate::web::error::Problem;
use crate::web::who::ApiKey;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, Query};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::Value;
use std::collections::HashMap;

async fn shown<'a>(on: impl Into<Reader<'a>>, rule: &Rule) -> crate::service::Result<Value> {
    let program = program::by_id(on, rule.program).await?.ok_or_else(|| Error::not_found(rule.program))?;
    Ok(view::rule(rule, program.currency))
}

/// Make a rule.
#[utoipa::path(post, path = "/v1/commission-rules", tag = "Commission rules", request_body = RuleInput, responses((status = 201, description = "Made"), (status = 422, body = Problem)))]
pub async fn create(app: Data<App>, key: ApiKey, request: HttpRequest, body: Body) -> Result<HttpResponse, Problem> {
    let input: RuleInput = body.read()?;
    act(&app, &key, &request, &body, Scope::Write, async |tx, context| {
        let made = make_rule(tx, context, &input).await?;
        Ok((StatusCode::CREATED, shown(&mut *tx, &made).await?))
    })
    .await
}

/// Change a rule from now on.
#[utoipa::path(patch, path = "/v1/commission-rules/{id}", tag = "Commission rules", request_body = RuleInput, params(("id" = String, Path)), responses((status = 200, description = "Changed"), (status = 404, body = Problem), (status = 422, body = Problem)))]
pub async fn change(
    app: Data<App>,
    key: ApiKey,
    request: HttpRequest,
    path: Path<String>,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let (known, input): (RuleId, RuleInput) = (id(&path)?, body.read()?);
    act(&app, &key, &request, &body, Scope::Write, async |tx, context| {
        let changed = change_rule(tx, context, known, &input).await?;
        Ok((StatusCode::OK, shown(&mut *tx, &changed).await?))
    })
    .await
}

/// The newest version of a rule.
#[utoipa::path(get, path = "/v1/commission-rules/{id}", tag = "Commission rules", params(("id" = String, Path)), responses((status = 200, description = "The rule"), (status = 404, body = Problem)))]
pub async fn one(app: Data<App>, _key: ApiKey, path: Path<String>) -> Result<HttpResponse, Problem> {
    let wanted: RuleId = id(&path)?;
    let found = rule::newest(&app.service.db, wanted).await?.ok_or_else(|| Error::not_found(wanted))?;
    Ok(HttpResponse::Ok().json(shown(&app.service.db, &found).await?))
}

/// All rules, each in its newest version.
#[utoipa::path(get, path = "/v1/commission-rules", tag = "Commission rules", params(("limit" = Option<i64>, Query), ("cursor" = Option<String>, Query)), responses((status = 200, description = "A page of rules")))]
pub async fn list(app: Data<App>, _key: ApiKey, request: HttpRequest, page: Query<Page>) -> Result<HttpResponse, Problem> {
    let limit = page.limit()?;
    let found = rule::list(&app.service.db, page.after()?, limit).await?;
    let currencies: HashMap<ProgramId, Currency> =
        program::all(&app.service.db).await?.into_iter().map(|p| (p.id, p.currency)).collect();
    let currency = |r: &Rule| currencies.get(&r.program).copied().unwrap_or(Currency::RUB);
    Ok(listed(&request, limit, found, |r| r.id.0, |r| view::rule(r, currency(r))))
}
