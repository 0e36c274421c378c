//! Commission rules. A change makes a new version; orders placed before keep the old one.

use super::{Body, Page, act, id, listed, view};
use crate::domain::commission::{Rule, RuleKind};
use crate::domain::id::{ProgramId, RuleId};
use crate::domain::money::{Currency, Money};
use crate::service::access::Scope;
use crate::service::catalog::{RuleInput, RuleOverlap, change_rule, make_rule, rule_overlaps};
use crate::service::rule_test::{RuleTestInput, test_rules};
use crate::service::{Context, Error};
use crate::store::{Reader, program, rule};
use crate::web::App;
use crate::web::error::Problem;
use crate::web::who::ApiKey;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, Query};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Value, json};
use std::collections::HashMap;

async fn shown<'a>(on: impl Into<Reader<'a>>, context: &Context, rule: &Rule) -> crate::service::Result<Value> {
    let mut reader = on.into();
    let program = program::by_id(reader.again(), rule.program).await?.ok_or_else(|| Error::not_found(rule.program))?;
    let mut shown = view::rule(rule, program.currency);
    shown["warnings"] = rule_overlaps(reader, context, rule).await?.iter().map(warning).collect();
    Ok(shown)
}

/// `{rule, wins, because, detail}`: another rule that can hold for the same.
fn warning(overlap: &RuleOverlap) -> Value {
    json!({ "rule": overlap.rule, "wins": overlap.wins, "because": overlap.because, "detail": overlap.detail() })
}

/// Make a rule.
#[utoipa::path(post, path = "/v1/commission-rules", tag = "Commission rules", request_body = RuleInput, responses((status = 201, description = "Made; `warnings` names rules that can hold for the same, and which wins"), (status = 409, description = "Another rule holds for the same at the same time with the same priority", body = Problem), (status = 422, body = Problem)))]
pub async fn create(app: Data<App>, key: ApiKey, request: HttpRequest, body: Body) -> Result<HttpResponse, Problem> {
    let input: RuleInput = body.read()?;
    act(&app, &key, &request, &body, Scope::Write, async |tx, context| {
        let made = make_rule(tx, context, &input).await?;
        Ok((StatusCode::CREATED, shown(&mut *tx, context, &made).await?))
    })
    .await
}

/// Change a rule from now on.
#[utoipa::path(patch, path = "/v1/commission-rules/{id}", tag = "Commission rules", request_body = RuleInput, params(("id" = String, Path)), responses((status = 200, description = "Changed"), (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
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
        Ok((StatusCode::OK, shown(&mut *tx, context, &changed).await?))
    })
    .await
}

/// The newest version of a rule.
#[utoipa::path(get, path = "/v1/commission-rules/{id}", tag = "Commission rules", params(("id" = String, Path)), responses((status = 200, description = "The rule"), (status = 404, body = Problem)))]
pub async fn one(app: Data<App>, _key: ApiKey, path: Path<String>) -> Result<HttpResponse, Problem> {
    let wanted: RuleId = id(&path)?;
    let found = rule::newest(&app.service.db, wanted).await?.ok_or_else(|| Error::not_found(wanted))?;
    Ok(HttpResponse::Ok().json(shown(&app.service.db, &app.service.context("api"), &found).await?))
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

/// Which rule an order would earn by, past or made up: for each line the winner and why the others do not pay, with the
/// formula and its numbers.
#[utoipa::path(post, path = "/v1/commission-rules/test", tag = "Commission rules", request_body = RuleTestInput, responses((status = 200, description = "What the rules say"), (status = 404, body = Problem), (status = 422, body = Problem)))]
pub async fn test(app: Data<App>, key: ApiKey, body: Body) -> Result<HttpResponse, Problem> {
    let input: RuleTestInput = body.read()?;
    let context = app.service.context(&key.name);
    // It reads within a transaction that is dropped.
    let mut tx = app.service.db.begin().await.map_err(Error::from)?;
    let said = test_rules(&mut tx, &context, &input).await?;
    let lines: Vec<Value> = said
        .lines
        .iter()
        .map(|line| {
            let item = line.item.as_ref();
            let won = |kind| line.rules.iter().find(|judged| judged.kind == kind && judged.why_not.is_none()).map(|judged| judged.rule);
            json!({
                "sku": item.and_then(|i| i.sku.as_ref()), "name": item.and_then(|i| i.name.as_ref()),
                "category": item.and_then(|i| i.category.as_ref()), "rule": won(RuleKind::Ordinary), "bonus": won(RuleKind::Bonus),
                "second_tier": won(RuleKind::SecondTier), "rules": line.rules,
            })
        })
        .collect();
    let owed: Vec<Value> = said
        .owed
        .iter()
        .map(|owed| {
            let money = |minor| Money::new(minor, owed.currency);
            json!({
                "rule": owed.rule, "rule_version": owed.rule_version, "kind": owed.kind, "base": money(owed.base_minor),
                "amount": money(owed.owed_minor), "formula": owed.formula(),
            })
        })
        .collect();
    Ok(HttpResponse::Ok().json(json!({
        "partner": said.partner, "program": said.program, "placed_at": view::instant(said.placed_at), "lines": lines,
        "left_out": said.left_out, "commissions": owed, "warnings": said.warnings.iter().map(warning).collect::<Vec<_>>(),
    })))
}
