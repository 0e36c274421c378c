//! `/v1`: a file per resource. A handler takes checked input, calls one service or reads the store, and answers.

pub mod ad_marking;
pub mod channel_rules;
pub mod classify;
pub mod commission_rules;
pub mod commissions;
pub mod costs;
pub mod creatives;
mod credits;
pub mod documents;
pub mod leads;
pub mod links;
pub mod misses;
pub mod orders;
pub mod partners;
pub mod payer;
pub mod payouts;
pub mod persons;
pub mod price_lists;
pub mod programs;
pub mod promo_codes;
pub mod receipts;
pub mod referrers;
pub mod rejected_hits;
pub mod reports;
pub mod requisites;
pub mod seen_prices;
pub mod view;
pub mod withheld_taxes;

use super::App;
use super::error::Problem;
use super::who::ApiKey;
use crate::service::access::Scope;
use crate::service::{self, Context};
use crate::store::{Tx, account};
use actix_web::dev::Payload;
use actix_web::http::{StatusCode, header};
use actix_web::rt::time::timeout;
use actix_web::{FromRequest, HttpRequest, HttpResponse};
use futures_util::StreamExt;
use serde::de::DeserializeOwned;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

/// The largest body that is read.
const LARGEST_BODY: usize = 5 * 1024 * 1024;

/// The bytes of a body, at most 5 MiB: `413` beyond.
pub struct Body(pub Vec<u8>);

/// How long a body may pause while it is sent.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

impl FromRequest for Body {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Body, Problem>>>>;

    fn from_request(_: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let mut payload = payload.take();
        Box::pin(async move {
            let mut body = Vec::new();
            let too_slow = |_| Problem::new(StatusCode::REQUEST_TIMEOUT, "too-slow", "the body pauses for too long");
            while let Some(chunk) = timeout(LONGEST_PAUSE, payload.next()).await.map_err(too_slow)? {
                let chunk = chunk.map_err(|e| Problem::malformed(format!("the body broke off: {e}")))?;
                if body.len() + chunk.len() > LARGEST_BODY {
                    return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", "the body is over 5 MiB"));
                }
                body.extend_from_slice(&chunk);
            }
            Ok(Body(body))
        })
    }
}

impl Body {
    /// Reads JSON: `400` if it is none, `422` with a pointer if it is another shape than wanted.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        let value: Value =
            serde_json::from_slice(&self.0).map_err(|e| Problem::malformed(format!("the body is not JSON: {e}")))?;
        if holds_nul(&value) {
            return Err(Problem::field("", "a text holds a NUL character"));
        }
        serde_path_to_error::deserialize(value).map_err(|error| {
            let mut pointer: String = error.path().iter().fold(String::new(), |mut pointer, segment| {
                match segment {
                    serde_path_to_error::Segment::Seq { index } => pointer += &format!("/{index}"),
                    serde_path_to_error::Segment::Map { key } => pointer += &format!("/{key}"),
                    serde_path_to_error::Segment::Enum { variant } => pointer += &format!("/{variant}"),
                    serde_path_to_error::Segment::Unknown => {}
                }
                pointer
            });
            let detail = error.inner().to_string();
            if let Some(field) = detail.strip_prefix("unknown field `").and_then(|rest| rest.split('`').next())
                && !pointer.ends_with(&format!("/{field}"))
            {
                pointer += &format!("/{field}");
            }
            Problem::field(&pointer, detail)
        })
    }

    /// As [`Body::read`]; an empty body reads like `{}`.
    pub fn read_or_empty<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        if self.0.iter().all(u8::is_ascii_whitespace) { Body(b"{}".to_vec()).read() } else { self.read() }
    }
}

fn holds_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(holds_nul),
        Value::Object(fields) => fields.iter().any(|(key, value)| key.contains('\0') || holds_nul(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// Runs an act in one transaction and remembers its answer under the request's `Idempotency-Key`, in the same
/// transaction: the act and its answer are stored together or not at all.
pub async fn act<F>(
    app: &App,
    key: &ApiKey,
    request: &HttpRequest,
    body: &Body,
    scope: Scope,
    act: F,
) -> Result<HttpResponse, Problem>
where
    F: AsyncFnOnce(&mut Tx, &Context) -> service::Result<(StatusCode, Value)>,
{
    key.needs(scope)?;
    let idempotency_key = idempotency_key_of(request)?;
    let request_hash = hash_of(request, body);
    let context = app.service.context(&key.actor());
    let mut tx = app.service.db.begin().await?;
    if let Some(idempotency_key) = &idempotency_key
        && let Some(known) = account::answered(&mut tx, key.id, idempotency_key).await?
    {
        return replay(known, &request_hash);
    }
    let (status, answer) = act(&mut tx, &context).await?;
    let answer = answer.to_string();
    if let Some(idempotency_key) = &idempotency_key {
        let status = i64::from(status.as_u16());
        account::remember_answer(&mut tx, key.id, idempotency_key, &request_hash, status, &answer, context.at()).await?;
    }
    tx.commit().await?;
    app.links.refresh(&app.service.db).await?;
    Ok(HttpResponse::build(status).content_type("application/json").body(answer))
}

/// The answer that is remembered under the request's `Idempotency-Key`, for an act that is more than one transaction.
pub async fn replayed(app: &App, key: &ApiKey, request: &HttpRequest, body: &Body) -> Result<Option<HttpResponse>, Problem> {
    let Some(idempotency_key) = idempotency_key_of(request)? else { return Ok(None) };
    let known = account::answered(&app.service.db, key.id, &idempotency_key).await?;
    known.map(|known| replay(known, &hash_of(request, body))).transpose()
}

fn replay((hash, status, answer): (String, i64, String), request_hash: &str) -> Result<HttpResponse, Problem> {
    if hash != request_hash {
        return Err(Problem::field("", "this Idempotency-Key was used with another request"));
    }
    let status = u16::try_from(status).ok().and_then(|s| StatusCode::from_u16(s).ok()).unwrap_or(StatusCode::OK);
    Ok(HttpResponse::build(status).content_type("application/json").insert_header(("idempotent-replay", "true")).body(answer))
}

fn hash_of(request: &HttpRequest, body: &Body) -> String {
    let mut hasher = Sha256::new();
    hasher.update(format!("{} {}\n", request.method(), request.uri()));
    hasher.update(&body.0);
    hex::encode(hasher.finalize())
}

fn idempotency_key_of(request: &HttpRequest) -> Result<Option<String>, Problem> {
    request.headers().get("idempotency-key").map(check_idempotency_key).transpose()
}

fn check_idempotency_key(value: &header::HeaderValue) -> Result<String, Problem> {
    let text = value.to_str().ok().filter(|t| !t.is_empty() && t.len() <= 255);
    text.map(str::to_owned).ok_or_else(|| Problem::malformed("the Idempotency-Key has 1 to 255 ASCII characters"))
}

/// `?limit=&cursor=` of a list; the cursor is the number in the last id.
#[derive(Debug, Clone, Default, serde::Deserialize)]
pub struct Page {
    limit: Option<i64>,
    cursor: Option<String>,
}

impl Page {
    pub fn limit(&self) -> Result<i64, Problem> {
        match self.limit {
            None => Ok(100),
            Some(limit @ 1..=1000) => Ok(limit),
            Some(_) => Err(Problem::field("/limit", "must be from 1 to 1000")),
        }
    }

    pub fn after(&self) -> Result<i64, Problem> {
        match self.cursor.as_deref() {
            None | Some("") => Ok(0),
            Some(cursor) => {
                cursor.parse().ok().filter(|n| *n >= 0).ok_or_else(|| Problem::field("/cursor", "is not a cursor of this list"))
            }
        }
    }
}

/// A list: JSON, or CSV if that is what the client accepts.
pub fn listed<T>(
    request: &HttpRequest,
    limit: i64,
    items: Vec<T>,
    id: impl Fn(&T) -> i64,
    view: impl Fn(&T) -> Value,
) -> HttpResponse {
    let next = (items.len() as i64 == limit).then(|| items.last().map(|last| id(last).to_string())).flatten();
    let data: Vec<Value> = items.iter().map(view).collect();
    if wants_csv(request) {
        let mut answer = HttpResponse::Ok();
        if let Some(next) = next {
            answer.insert_header(("x-next-cursor", next));
        }
        return answer.content_type("text/csv; charset=utf-8").body(csv_of(&data));
    }
    HttpResponse::Ok().json(serde_json::json!({ "data": data, "next_cursor": next }))
}

pub fn wants_csv(request: &HttpRequest) -> bool {
    let accept = request.headers().get(header::ACCEPT).and_then(|h| h.to_str().ok()).unwrap_or_default();
    accept.split(',').any(|part| part.trim().starts_with("text/csv"))
}

/// Objects as CSV: a column for each field of any of them, nested ones as `customer.id`, money as its amount beside
/// `….currency`.
pub fn csv_of(data: &[Value]) -> Vec<u8> {
    let rows: Vec<Vec<(String, String)>> = data.iter().map(|item| flat("", item)).collect();
    let mut head: Vec<&str> = Vec::new();
    for (name, _) in rows.iter().flatten() {
        if !head.contains(&name.as_str()) {
            head.push(name);
        }
    }
    let mut table = crate::service::export::Table::new(&head);
    for row in &rows {
        let cell = |name: &&str| row.iter().find(|(n, _)| n == name).map_or("", |(_, value)| value.as_str());
        table.row(&head.iter().map(cell).collect::<Vec<_>>());
    }
    table.csv()
}

fn flat(prefix: &str, value: &Value) -> Vec<(String, String)> {
    let named = |text: String| vec![(prefix.to_owned(), text)];
    match value {
        Value::Null => named(String::new()),
        Value::String(text) => named(text.clone()),
        Value::Object(fields) => {
            let money = fields.len() == 2 && fields.contains_key("amount") && fields.contains_key("currency");
            fields
                .iter()
                .flat_map(|(key, value)| match (prefix, key.as_str()) {
                    ("", key) => flat(key, value),
                    (prefix, "amount") if money => flat(prefix, value),
                    (prefix, key) => flat(&format!("{prefix}.{key}"), value),
                })
                .collect()
        }
        other => named(other.to_string()),
    }
}

/// Reads a path segment as an id: what is none is not found.
pub fn id<T: std::str::FromStr<Err: std::fmt::Display>>(text: &str) -> Result<T, Problem> {
    text.parse().map_err(|e| Problem::new(StatusCode::NOT_FOUND, "not-found", e))
}

/// Anything else under `/v1`.
pub async fn unknown_route(request: HttpRequest) -> Result<HttpResponse, Problem> {
    Err(Problem::new(StatusCode::NOT_FOUND, "not-found", format!("there is no {} {}", request.method(), request.path())))
}
