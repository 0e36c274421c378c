//! Pixel, beacon and snippet.

use super::seen::{Seen, asks_for_privacy, new_id, set_visitor_cookie, visitor_of_cookie};
use super::{EdgeSettings, NO_STORE, too_many};
use crate::service::spool::{Hit, HitKind, IfRefused, NotDurable};
use crate::web::App;
use crate::web::error::Problem;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::rt::time::timeout;
use actix_web::web::{Bytes, Data, Payload};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, ResponseError};
use std::borrow::Cow;
use std::net::IpAddr;
use std::time::Duration;
use uuid::Uuid;

/// A transparent GIF of one pixel.
const PIXEL: &[u8; 43] = b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;";

/// What the pixel and the beacon send.
#[derive(Debug, Default, serde::Deserialize, utoipa::ToSchema)]
pub struct EventInput {
    /// A UUID that the sender chose; the same one again counts once.
    pub id: Option<String>,
    /// `visit` (default), `event`, `lead`, `identify`, `impression`, `order`.
    pub r#type: Option<String>,
    pub url: Option<String>,
    pub r#ref: Option<String>,
    pub visitor: Option<String>,
    pub click: Option<String>,
    /// The code of the link that an `impression` shows: it is counted for the link and its creative.
    pub link: Option<String>,
    pub name: Option<String>,
    #[schema(value_type = Option<Object>)]
    pub value: Option<serde_json::Value>,
    pub customer: Option<String>,
    /// `granted` or `denied`.
    pub consent: Option<String>,
}

fn kind_of(name: Option<&str>) -> Option<HitKind> {
    Some(match name.unwrap_or("visit") {
        "visit" => HitKind::Visit,
        "event" => HitKind::Event,
        "lead" => HitKind::Lead,
        "identify" => HitKind::Identify,
        "impression" => HitKind::Impression,
        "order" => HitKind::Order,
        _ => return None,
    })
}

/// A text of the input without control characters, cut at `longest` characters.
fn clean(text: &Option<String>, longest: usize) -> Option<Cow<'_, str>> {
    let text = text.as_deref().filter(|text| !text.is_empty())?;
    if text.len() <= longest && !text.chars().any(char::is_control) {
        return Some(Cow::Borrowed(text));
    }
    let text: String = text.chars().filter(|c| !c.is_control()).take(longest).collect();
    (!text.is_empty()).then_some(Cow::Owned(text))
}

/// What became of an event: the hit's id, and its visitor, if it has one.
struct Recorded {
    id: Uuid,
    visitor: Option<String>,
}

/// Records an event. The outer error: its type is unknown; the inner: it is not safe.
async fn record(
    app: &App,
    request: &HttpRequest,
    client: Option<IpAddr>,
    input: &EventInput,
    if_refused: IfRefused,
) -> Result<Result<Recorded, NotDurable>, Problem> {
    let kind = kind_of(input.r#type.as_deref()).ok_or_else(|| Problem::field("/type", "is not a known type"))?;
    let seen = Seen::of(app, request, client);
    let denied = asks_for_privacy(request.headers()) || input.consent.as_deref() == Some("denied");
    let visitor = (!denied).then(|| {
        let given = input.visitor.as_deref().map(str::trim);
        let given = given.filter(|text| !text.is_empty() && text.len() <= 100 && !text.chars().any(char::is_control));
        let known = given.map(str::to_owned).or_else(|| visitor_of_cookie(request.headers()).map(|id| id.to_string()));
        known.unwrap_or_else(|| new_id().to_string())
    });
    let id = input.id.as_deref().and_then(|id| Uuid::try_parse(id).ok()).unwrap_or_else(new_id);
    let (url, referrer) = (clean(&input.url, 8_192), clean(&input.r#ref, 8_192));
    let (click, name, customer) = (clean(&input.click, 100), clean(&input.name, 200), clean(&input.customer, 200));
    let value = input.value.as_ref().map(ToString::to_string).filter(|v| v.len() <= 8_192 && !v.contains("\\u0000"));
    let links = app.links.snapshot();
    let shown = input.link.as_deref().filter(|_| kind == HitKind::Impression).and_then(|code| links.get(None, code));
    let utm = shown.map(|link| link.utm_query("", "")).unwrap_or_default();
    let hit = Hit {
        link: shown.map(|link| link.hit_link(None, &utm)),
        visitor: visitor.as_deref(),
        consent_denied: denied,
        url: url.as_deref().or(seen.referrer.as_deref()),
        // The header names the page that has the snippet; where that came from is in the body.
        referrer: referrer.as_deref(),
        click: click.as_deref(),
        name: name.as_deref(),
        customer: customer.as_deref(),
        value: value.as_deref(),
        ..seen.hit(id, app.service.clock.now().timestamp_micros(), kind)
    };
    Ok(app.spool.append(&hit, if_refused).await.map(|()| Recorded { id, visitor }))
}

impl Recorded {
    fn set_cookie(&self, answer: &mut HttpResponseBuilder, settings: &EdgeSettings) {
        // A name that the page gave itself stays with the page.
        if let Some(visitor) = self.visitor.as_deref().and_then(|visitor| Uuid::try_parse(visitor).ok()) {
            set_visitor_cookie(answer, settings, visitor);
        }
    }
}

/// `GET /px.gif`: always the same 43 bytes.
pub async fn pixel(app: Data<App>, request: HttpRequest) -> HttpResponse {
    let mut answer = HttpResponse::Ok();
    answer.insert_header((header::CONTENT_TYPE, HeaderValue::from_static("image/gif")));
    answer.insert_header((header::CACHE_CONTROL, NO_STORE));
    let client = app.edge.client(&request);
    if app.edge.lets_in(client) {
        let input = input_of_query(request.query_string());
        if let Ok(Ok(recorded)) = record(&app, &request, client, &input, IfRefused::TryAgain).await {
            recorded.set_cookie(&mut answer, &app.edge);
        }
    }
    answer.body(Bytes::from_static(PIXEL))
}

fn input_of_query(query: &str) -> EventInput {
    let mut input = EventInput::default();
    for (key, value) in url::form_urlencoded::parse(query.as_bytes()) {
        let value = Some(value.into_owned());
        match key.as_ref() {
            "id" => input.id = value,
            "type" => input.r#type = value,
            "url" => input.url = value,
            "ref" => input.r#ref = value,
            "visitor" => input.visitor = value,
            "click" => input.click = value,
            "link" => input.link = value,
            "name" => input.name = value,
            "value" => input.value = value.map(serde_json::Value::String),
            "customer" => input.customer = value,
            "consent" => input.consent = value,
            _ => {}
        }
    }
    input
}

/// Lets the page that sent it read an answer, also one that refuses: what a page cannot read, it sends again and again.
fn allow_origin(answer: &mut HttpResponse, request: &HttpRequest) {
    let Some(origin) = request.headers().get(header::ORIGIN).cloned() else { return };
    let headers = answer.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
    headers.insert(header::VARY, HeaderValue::from_static("Origin"));
}

/// Lets pages of other origins send JSON.
pub async fn preflight(request: HttpRequest) -> HttpResponse {
    let mut answer = HttpResponse::NoContent()
        .insert_header((header::ACCESS_CONTROL_ALLOW_METHODS, "POST"))
        .insert_header((header::ACCESS_CONTROL_ALLOW_HEADERS, "content-type"))
        .insert_header((header::ACCESS_CONTROL_MAX_AGE, "86400"))
        .finish();
    allow_origin(&mut answer, &request);
    answer
}

/// `POST /e`: JSON, under whatever content type the browser was able to send it.
pub async fn event(app: Data<App>, request: HttpRequest, payload: Payload) -> HttpResponse {
    let mut answer = match take_event(&app, &request, payload).await {
        Ok(answer) => answer,
        Err(problem) => problem.error_response(),
    };
    allow_origin(&mut answer, &request);
    answer
}

/// Bytes of an event's body at most; beacons of browsers hold as many.
const LARGEST_EVENT: usize = 64 << 10;

/// How long it may take to arrive.
const LONGEST_BODY: Duration = Duration::from_secs(10);

async fn take_event(app: &App, request: &HttpRequest, payload: Payload) -> Result<HttpResponse, Problem> {
    let client = app.edge.client(request);
    if !app.edge.lets_in(client) {
        return Ok(too_many());
    }
    let body = timeout(LONGEST_BODY, payload.to_bytes_limited(LARGEST_EVENT))
        .await
        .map_err(|_| Problem::new(StatusCode::REQUEST_TIMEOUT, "too-slow", "the body took longer than 10 seconds"))?
        .map_err(|_| Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", "the body is over 64 KiB"))?
        .map_err(|e| Problem::malformed(format!("the body broke off: {e}")))?;
    let input: EventInput = serde_json::from_slice(&body).map_err(Problem::malformed)?;
    let recorded = record(app, request, client, &input, IfRefused::Forget)
        .await?
        .map_err(|e| Problem::new(StatusCode::SERVICE_UNAVAILABLE, "spool-full", format!("{e}; send it again")))?;
    let mut answer = HttpResponse::Accepted();
    recorded.set_cookie(&mut answer, &app.edge);
    Ok(answer.json(serde_json::json!({ "id": recorded.id, "visitor": recorded.visitor })))
}

/// `GET /t.js`: the snippet.
pub async fn snippet() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/javascript; charset=utf-8")
        .insert_header((header::CACHE_CONTROL, "public, max-age=3600"))
        .insert_header((HeaderName::from_static("x-content-type-options"), "nosniff"))
        .insert_header((header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"))
        .body(include_str!("../assets/t.js"))
}
