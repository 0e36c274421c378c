//! Exchange rates.

use super::{Body, Page, act, listed, view};
use crate::domain::exchange_rate::RateSource;
use crate::domain::money::Currency;
use crate::domain::time::{FAR_DAY, FIRST_DAY};
use crate::service::access::Scope;
use crate::service::exchange_rate::{RateInput, check_rates, store_rates};
use crate::store::exchange_rate::{self, StoredRate};
use crate::web::App;
use crate::web::error::Problem;
use crate::web::who::ApiKey;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Query};
use actix_web::{HttpRequest, HttpResponse};
use chrono::NaiveDate;
use serde_json::{Value, json};

/// One rate, or a list of them.
enum Sent {
    Many(Vec<RateInput>),
    One(Box<RateInput>),
}

fn shown(stored: &StoredRate) -> Value {
    let rate = &stored.rate;
    json!({
        "date": rate.day, "source": rate.source, "from": rate.from, "units": rate.units, "to": rate.to,
        "rate": rate.value.to_string(), "stored_at": view::instant(stored.stored_at),
    })
}

/// Store exchange rates, one or a list, all or nothing: once by source, day and currencies. Another value takes the place of
/// the one before; both are in the audit log.
#[utoipa::path(post, path = "/v1/exchange-rates", tag = "Exchange rates", request_body = Vec<RateInput>, responses((status = 200, description = "Known or changed: `{new, changed, known}`"), (status = 201, description = "Some are new"), (status = 422, body = Problem)))]
pub async fn store(app: Data<App>, key: ApiKey, request: HttpRequest, body: Body) -> Result<HttpResponse, Problem> {
    // The shape is read first, so that what is wrong within is named.
    let sent = match body.read::<Value>()? {
        Value::Array(_) => Sent::Many(body.read()?),
        _ => Sent::One(body.read()?),
    };
    act(&app, &key, &request, &body, Scope::Write, async |tx, context| {
        let (inputs, one) = match sent {
            Sent::Many(inputs) => (inputs, false),
            Sent::One(input) => (vec![*input], true),
        };
        let rates = check_rates(context, &inputs, one)?;
        let done = store_rates(tx, context, &rates).await?;
        let status = if done.new > 0 { StatusCode::CREATED } else { StatusCode::OK };
        Ok((status, json!({ "new": done.new, "changed": done.changed, "known": done.known })))
    })
    .await
}

/// Which rates are listed.
#[derive(Debug, Clone, Default, serde::Deserialize)]
pub struct RateFilter {
    from: Option<String>,
    to: Option<String>,
    source: Option<String>,
    currency: Option<String>,
}

/// Exchange rates, in the order in which they were stored.
#[utoipa::path(get, path = "/v1/exchange-rates", tag = "Exchange rates", params(("from" = Option<String>, Query, description = "First day"), ("to" = Option<String>, Query, description = "Last day"), ("source" = Option<String>, Query, description = "`manual`, `cbr`, `ecb`"), ("currency" = Option<String>, Query, description = "On either side"), ("limit" = Option<i64>, Query), ("cursor" = Option<String>, Query)), responses((status = 200, description = "A page of rates"), (status = 422, body = Problem)))]
pub async fn list(
    app: Data<App>,
    _key: ApiKey,
    request: HttpRequest,
    page: Query<Page>,
    filter: Query<RateFilter>,
) -> Result<HttpResponse, Problem> {
    fn given<T>(
        pointer: &str,
        text: &Option<String>,
        read: impl Fn(&str) -> Option<T>,
        what: &str,
    ) -> Result<Option<T>, Problem> {
        let text = text.as_deref().map(str::trim).filter(|text| !text.is_empty());
        text.map(|text| read(text).ok_or_else(|| Problem::field(pointer, what))).transpose()
    }
    let day = |text: &str| text.parse::<NaiveDate>().ok().filter(|d| (FIRST_DAY..=FAR_DAY).contains(d));
    let days = (
        given("/from", &filter.from, day, "must be a day like 2026-11-22")?.unwrap_or(FIRST_DAY),
        given("/to", &filter.to, day, "must be a day like 2026-11-22")?.unwrap_or(FAR_DAY),
    );
    let named = |text: &str| RateSource::ALL.into_iter().find(|source| source.name() == text);
    let source = given("/source", &filter.source, named, "must be manual, cbr or ecb")?;
    let currency = given("/currency", &filter.currency, |text| text.parse::<Currency>().ok(), "must be a code like EUR")?;
    let limit = page.limit()?;
    let found = exchange_rate::list(&app.service.db, days, source, currency, (page.after()?, limit)).await?;
    Ok(listed(&request, limit, found, |s| s.id, shown))
}
