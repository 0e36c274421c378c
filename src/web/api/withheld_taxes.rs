//! The tax withheld of individuals' payments: what the accountant reports and sends to the tax office.

use super::{csv_of, wants_csv};
use crate::domain::id::PartnerId;
use crate::domain::money::Money;
use crate::service::access::Scope;
use crate::store::tax::{self, Withheld};
use crate::web::App;
use crate::web::error::Problem;
use crate::web::who::ApiKey;
use actix_web::web::{Data, Query};
use actix_web::{HttpRequest, HttpResponse};
use chrono::{Datelike, NaiveDate};
use serde_json::{Value, json};

/// Which payments.
#[derive(Debug, serde::Deserialize)]
pub struct Wanted {
    year: Option<i32>,
    partner: Option<String>,
}

fn shown(w: &Withheld) -> Value {
    let money = |minor| Money::new(minor, w.currency);
    json!({
        "partner": w.partner_id, "name": w.partner_name, "payout_run": w.payout_run_id, "day": w.day,
        "amount": money(w.amount_minor), "tax": money(w.tax_minor), "net": money(w.amount_minor - w.tax_minor),
    })
}

/// Payments of a calendar year of which the income tax was withheld.
#[utoipa::path(get, path = "/v1/withheld-taxes", tag = "Documents", params(("year" = Option<i32>, Query, description = "this year, if left out"), ("partner" = Option<String>, Query)), responses((status = 200, description = "All payments with a tax, and the tax in all")))]
pub async fn list(app: Data<App>, key: ApiKey, request: HttpRequest, query: Query<Wanted>) -> Result<HttpResponse, Problem> {
    key.needs(Scope::Read)?;
    let year = query.year.unwrap_or_else(|| app.service.context("api").today().year());
    let day = |month, day| NaiveDate::from_ymd_opt(year, month, day).filter(|_| (2000..=9999).contains(&year));
    let (Some(from), Some(to)) = (day(1, 1), day(12, 31)) else {
        return Err(Problem::field("/year", "must be from 2000 to 9999"));
    };
    let partner: Option<PartnerId> =
        query.partner.as_deref().map(|text| text.parse().map_err(|e| Problem::field("/partner", e))).transpose()?;
    let found = tax::between(&app.service.db, partner, from, to).await?;
    let data: Vec<Value> = found.iter().map(shown).collect();
    if wants_csv(&request) {
        return Ok(HttpResponse::Ok().content_type("text/csv; charset=utf-8").body(csv_of(&data)));
    }
    // Withheld in roubles alone.
    let total = found.first().map(|w| Money::new(found.iter().map(|w| w.tax_minor).sum(), w.currency));
    Ok(HttpResponse::Ok().json(json!({ "year": year, "data": data, "total": total })))
}
