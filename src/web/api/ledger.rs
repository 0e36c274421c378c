//! The ledger: its entries with all they lead back to, its trial balance, and what is done to balances by hand.

use super::{Body, Page, act, csv_of, id, listed, view, wants_csv};
use crate::domain::id::{EntryId, JournalId, PartnerId};
use crate::domain::ledger::JournalKind;
use crate::domain::money::Money;
use crate::service::access::Scope;
use crate::service::input::Problems;
use crate::service::ledger::{Movement, MovementInput, ReleaseInput, TrialLine, trial_balance as trials};
use crate::service::{Context, Error, Result as ServiceResult, ledger};
use crate::store::ledger_entry::{self, EntryFilter, Place};
use crate::store::{Tx, ledger_chain, partner, withholding};
use crate::web::App;
use crate::web::error::Problem;
use crate::web::who::ApiKey;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, Query};
use actix_web::{HttpRequest, HttpResponse};
use chrono::NaiveDate;
use serde_json::{Value, json};

/// Which entries.
#[derive(Debug, Default, serde::Deserialize)]
pub struct Which {
    partner: Option<String>,
    kind: Option<String>,
    from: Option<String>,
    to: Option<String>,
    limit: Option<i64>,
    cursor: Option<String>,
}

impl Which {
    fn filter(&self) -> Result<EntryFilter, Problem> {
        let mut p = Problems::default();
        let filter = EntryFilter {
            partner: p.parse::<PartnerId>("/partner", &self.partner),
            kind: p.word::<JournalKind>("/kind", &self.kind),
            from: p.parse::<NaiveDate>("/from", &self.from),
            to: p.parse::<NaiveDate>("/to", &self.to),
        };
        p.done()?;
        Ok(filter)
    }
}

/// The entries of the ledger, oldest first: each with its order or lead, commission, rule with its version, payout run, and who
/// acted.
#[utoipa::path(get, path = "/v1/ledger/entries", tag = "Ledger", params(("partner" = Option<String>, Query), ("kind" = Option<String>, Query, description = "earned, reversed, released, adjusted, withheld, withholding_released, written_off, put_in_run, taken_out_of_run, paid, returned, tax_withheld"), ("from" = Option<String>, Query, description = "day, included"), ("to" = Option<String>, Query, description = "day, included"), ("limit" = Option<i64>, Query), ("cursor" = Option<String>, Query)), responses((status = 200, description = "A page of entries"), (status = 422, body = Problem)))]
pub async fn entries(app: Data<App>, _key: ApiKey, request: HttpRequest, query: Query<Which>) -> Result<HttpResponse, Problem> {
    let page = Page { limit: query.limit, cursor: query.cursor.clone() };
    let limit = page.limit()?;
    let after = Place::After(EntryId(page.after()?));
    let found = ledger_entry::entries(&app.service.db, query.filter()?, after, limit).await?;
    Ok(listed(&request, limit, found, |e| e.id.0, view::entry))
}

/// The day asked for.
#[derive(Debug, serde::Deserialize)]
pub struct AtDay {
    at: Option<String>,
}

/// What all accounts of a kind hold together at the end of a day: zero in sum for every currency. With the hash of the
/// ledger's last journal, which stands for the whole ledger: kept elsewhere, it shows later that nothing was taken away.
#[utoipa::path(get, path = "/v1/ledger/trial-balance", tag = "Ledger", params(("at" = Option<String>, Query, description = "2026-10-31; today, if left out")), responses((status = 200, description = "A row for each currency and kind of account"), (status = 422, body = Problem)))]
pub async fn trial_balance(
    app: Data<App>,
    _key: ApiKey,
    request: HttpRequest,
    query: Query<AtDay>,
) -> Result<HttpResponse, Problem> {
    let mut p = Problems::default();
    let asked = p.parse::<NaiveDate>("/at", &query.at);
    p.done()?;
    let day = asked.unwrap_or_else(|| app.service.context("api").today());
    let db = &app.service.db;
    let found = trials(db, day).await?;
    let rows: Vec<Value> = found
        .iter()
        .flat_map(|trial| {
            let row = |line: &TrialLine| {
                json!({ "currency": trial.currency, "account": line.account, "amount": Money::new(line.amount_minor, trial.currency) })
            };
            trial.lines.iter().map(row).collect::<Vec<_>>()
        })
        .collect();
    if wants_csv(&request) {
        return Ok(HttpResponse::Ok().content_type("text/csv; charset=utf-8").body(csv_of(&rows)));
    }
    let sums: Vec<Value> = found.iter().map(|trial| json!(Money::new(trial.sum_minor, trial.currency))).collect();
    let head = ledger_chain::last(db).await?;
    let head = head.map(|(journal, hash)| json!({ "journal": journal, "sha256": hash.to_string() }));
    Ok(HttpResponse::Ok().json(json!({ "at": day, "data": rows, "sums": sums, "head": head })))
}

async fn move_by_hand(
    (app, key, request, path, body): (Data<App>, ApiKey, HttpRequest, Path<String>, Body),
    acted: impl AsyncFnOnce(&mut Tx, &Context, PartnerId, &MovementInput) -> ServiceResult<Movement>,
) -> Result<HttpResponse, Problem> {
    key.needs(Scope::Admin)?;
    let (wanted, input): (PartnerId, MovementInput) = (id(&path)?, body.read()?);
    act(&app, &key, &request, &body, Scope::Admin, async |tx, context| {
        let movement = acted(tx, context, wanted, &input).await?;
        Ok((StatusCode::CREATED, view::movement(&movement)))
    })
    .await
}

/// Correct what a partner is owed, up or down.
#[utoipa::path(post, path = "/v1/partners/{id}/adjustments", tag = "Ledger", request_body = MovementInput, params(("id" = String, Path)), responses((status = 201, description = "Posted"), (status = 403, body = Problem), (status = 404, body = Problem), (status = 422, body = Problem)))]
pub async fn adjust(
    app: Data<App>,
    key: ApiKey,
    request: HttpRequest,
    path: Path<String>,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let parts = (app, key, request, path, body);
    move_by_hand(parts, async |tx, context, id, input| ledger::adjust(tx, context, id, input).await).await
}

/// Keep back a part of what is available; the partner reads the reason.
#[utoipa::path(post, path = "/v1/partners/{id}/withholdings", tag = "Ledger", request_body = MovementInput, params(("id" = String, Path)), responses((status = 201, description = "Kept back"), (status = 403, body = Problem), (status = 404, body = Problem), (status = 422, body = Problem)))]
pub async fn withhold(
    app: Data<App>,
    key: ApiKey,
    request: HttpRequest,
    path: Path<String>,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let parts = (app, key, request, path, body);
    move_by_hand(parts, async |tx, context, id, input| ledger::withhold(tx, context, id, input).await).await
}

/// What was ever kept back of a partner, oldest first.
#[utoipa::path(get, path = "/v1/partners/{id}/withholdings", tag = "Ledger", params(("id" = String, Path)), responses((status = 200, description = "All of them"), (status = 404, body = Problem)))]
pub async fn withholdings(
    app: Data<App>,
    _key: ApiKey,
    request: HttpRequest,
    path: Path<String>,
) -> Result<HttpResponse, Problem> {
    let wanted: PartnerId = id(&path)?;
    let db = &app.service.db;
    partner::by_id(db, wanted).await?.ok_or_else(|| Error::not_found(wanted))?;
    let found = withholding::of_partner(db, wanted).await?;
    Ok(listed(&request, i64::MAX, found, |w| w.id.0, view::withholding))
}

/// Make available again what was kept back.
#[utoipa::path(post, path = "/v1/withholdings/{id}/release", tag = "Ledger", request_body = ReleaseInput, params(("id" = String, Path)), responses((status = 200, description = "Released"), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub async fn release(
    app: Data<App>,
    key: ApiKey,
    request: HttpRequest,
    path: Path<String>,
    body: Body,
) -> Result<HttpResponse, Problem> {
    key.needs(Scope::Admin)?;
    let (wanted, input): (JournalId, ReleaseInput) = (id(&path)?, body.read_or_empty()?);
    act(&app, &key, &request, &body, Scope::Admin, async |tx, context| {
        Ok((StatusCode::OK, view::withholding(&ledger::release_withheld(tx, context, wanted, &input).await?)))
    })
    .await
}

/// Give up what is available: a balance below zero, or an unclaimed one.
#[utoipa::path(post, path = "/v1/partners/{id}/write-offs", tag = "Ledger", request_body = MovementInput, params(("id" = String, Path)), responses((status = 201, description = "Written off"), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn write_off(
    app: Data<App>,
    key: ApiKey,
    request: HttpRequest,
    path: Path<String>,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let parts = (app, key, request, path, body);
    move_by_hand(parts, async |tx, context, id, input| ledger::write_off(tx, context, id, input).await).await
}
