//! Wholesale price lists.

use super::{Body, Page, act, listed, view};
use crate::domain::money::Money;
use crate::service::Error;
use crate::service::access::Scope;
use crate::service::catalog::{PriceListDetails, PriceListInput, put_price_list};
use crate::store::price_list;
use crate::web::App;
use crate::web::error::Problem;
use crate::web::who::ApiKey;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, Query};
use actix_web::{HttpRequest, HttpResponse};
use chrono::NaiveDate;
use serde_json::{Value, json};

fn shown(details: &PriceListDetails) -> Value {
    let list = &details.list;
    let money = |minor: Option<i64>| minor.map(|minor| Money::new(minor, list.currency));
    let items: Vec<Value> = details
        .items
        .iter()
        .map(|i| {
            json!({ "sku": i.sku, "wholesale": money(i.wholesale_minor), "recommended": money(i.recommended_minor), "minimum": money(i.minimum_minor) })
        })
        .collect();
    json!({
        "name": list.name,
        "valid_from": list.valid_from,
        "currency": list.currency,
        "items": items,
        "partners": details.partners,
        "created_at": view::instant(list.created_at),
    })
}

/// Store a version of a price list; the one of the same day is replaced.
#[utoipa::path(put, path = "/v1/price-lists/{name}", tag = "Resellers", request_body = PriceListInput, params(("name" = String, Path)), responses((status = 201, description = "A new version"), (status = 200, description = "Replaced"), (status = 422, body = Problem)))]
pub async fn put(
    app: Data<App>,
    key: ApiKey,
    request: HttpRequest,
    path: Path<String>,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let input: PriceListInput = body.read()?;
    act(&app, &key, &request, &body, Scope::Write, async |tx, context| {
        let (details, is_new) = put_price_list(tx, context, &path, &input).await?;
        Ok((if is_new { StatusCode::CREATED } else { StatusCode::OK }, shown(&details)))
    })
    .await
}

/// When a list is looked at.
#[derive(Debug, Clone, Default, serde::Deserialize)]
pub struct PriceListQuery {
    on: Option<String>,
}

/// The version of a price list that is in force on a day.
#[utoipa::path(get, path = "/v1/price-lists/{name}", tag = "Resellers", params(("name" = String, Path), ("on" = Option<String>, Query, description = "A day; default: today")), responses((status = 200, description = "The version in force"), (status = 404, body = Problem)))]
pub async fn one(
    app: Data<App>,
    _key: ApiKey,
    path: Path<String>,
    query: Query<PriceListQuery>,
) -> Result<HttpResponse, Problem> {
    let day = match query.on.as_deref().filter(|text| !text.is_empty()) {
        None => app.service.context("api").today(),
        Some(text) => text.parse::<NaiveDate>().map_err(|_| Problem::field("/on", "must be a day like 2026-09-01"))?,
    };
    let db = &app.service.db;
    let versions = price_list::versions(db, &path).await?;
    let list = versions.into_iter().find(|v| v.valid_from <= day);
    let list = list.ok_or_else(|| Error::not_found(format!("price list '{path}' in force on {day}")))?;
    let items = price_list::items(db, list.id).await?;
    let partners = price_list::partners(db, &list.name).await?;
    Ok(HttpResponse::Ok().json(shown(&PriceListDetails { list, items, partners })))
}

/// All versions of all price lists, without their items.
#[utoipa::path(get, path = "/v1/price-lists", tag = "Resellers", params(("limit" = Option<i64>, Query), ("cursor" = Option<String>, Query)), responses((status = 200, description = "A page of versions")))]
pub async fn list(app: Data<App>, _key: ApiKey, request: HttpRequest, page: Query<Page>) -> Result<HttpResponse, Problem> {
    let limit = page.limit()?;
    let found = price_list::list(&app.service.db, page.after()?, limit).await?;
    let brief = |v: &price_list::PriceList| json!({ "name": v.name, "valid_from": v.valid_from, "currency": v.currency, "created_at": view::instant(v.created_at) });
    Ok(listed(&request, limit, found, |v| v.id, brief))
}
