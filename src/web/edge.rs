//! Redirect, pixel, events: the hot path. A link comes from memory, a hit is on disk before the answer leaves, and
//! nothing waits for the database.

use super::App;
use super::country::Countries;
use super::error::Problem;
use crate::domain::click_marks::network;
use crate::domain::link::is_taken_path;
use crate::domain::link_target::{Country, Device};
use crate::service::spool::{Hit, HitKind, IfRefused, NotDurable};
use actix_web::guard::GuardContext;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode, Uri};
use actix_web::web::{Bytes, Data, Payload};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, ResponseError};
use governor::clock::DefaultClock;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};
use ipnet::IpNet;
use std::borrow::Cow;
use std::net::IpAddr;
use std::num::NonZeroU32;
use uuid::Uuid;

const VISITOR_COOKIE: &str = "trb_vid";
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
/// A transparent GIF of one pixel.
const PIXEL: &[u8; 43] = b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;";

/// What the edge was told at start.
pub struct EdgeSettings {
    limiter: Option<RateLimiter<IpAddr, DashMapStateStore<IpAddr>, DefaultClock>>,
    trusted_proxies: Vec<IpNet>,
    secure_cookies: bool,
    /// Whether client addresses are stored.
    keeps_addresses: bool,
    countries: Countries,
}

impl EdgeSettings {
    /// `rate`: requests a second and client address, 0 for none.
    pub fn new(
        rate: u32,
        trusted_proxies: Vec<IpNet>,
        secure_cookies: bool,
        keeps_addresses: bool,
        countries: Countries,
    ) -> EdgeSettings {
        let limiter = NonZeroU32::new(rate).map(|rate| RateLimiter::dashmap(Quota::per_second(rate)));
        EdgeSettings { limiter, trusted_proxies, secure_cookies, keeps_addresses, countries }
    }

    /// Whether the client may go on; an IPv6 client is its /64.
    pub(super) fn lets_in(&self, client: Option<IpAddr>) -> bool {
        let (Some(limiter), Some(client)) = (&self.limiter, client) else { return true };
        limiter.check_key(&network(client)).is_ok()
    }

    /// Forgets clients that have not been seen lately.
    pub fn tidy(&self) {
        if let Some(limiter) = &self.limiter {
            limiter.retain_recent();
        }
    }

    /// The address of the client: the peer's, or what trusted proxies say of it.
    pub(super) fn client(&self, request: &HttpRequest) -> Option<IpAddr> {
        let peer = request.peer_addr()?.ip().to_canonical();
        let trusted = |ip: &IpAddr| self.trusted_proxies.iter().any(|net| net.contains(ip));
        if !trusted(&peer) {
            return Some(peer);
        }
        let hops = request.headers().get_all("x-forwarded-for").filter_map(|h| h.to_str().ok()).collect::<Vec<_>>().join(",");
        let mut client = peer;
        for hop in hops.rsplit(',').map(str::trim).filter(|h| !h.is_empty()) {
            let Ok(ip) = hop.parse::<IpAddr>() else { break };
            client = ip.to_canonical();
            if !trusted(&client) {
                break;
            }
        }
        Some(client)
    }

    /// Where a client is, as far as this node can tell.
    fn country(&self, request: &HttpRequest) -> Option<Country> {
        let peer = request.peer_addr().map(|peer| peer.ip().to_canonical());
        let trusted = peer.is_some_and(|peer| self.trusted_proxies.iter().any(|net| net.contains(&peer)));
        self.countries.of(request.headers(), trusted, self.client(request))
    }
}

/// The host a request was sent to.
pub(super) fn host(request: &HttpRequest) -> Option<&str> {
    host_in(request.headers(), request.uri())
}

fn host_in<'a>(headers: &'a HeaderMap, uri: &'a Uri) -> Option<&'a str> {
    // HTTP/2 has it in the address.
    let header = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    header.or_else(|| uri.authority().map(|authority| authority.as_str()))
}

/// Whether a request asks for a code on a program's own domain, where links stand without `/r/`.
pub(super) fn on_link_domain(context: &GuardContext<'_>) -> bool {
    let head = context.head();
    let host = host_in(head.headers(), &head.uri);
    let on_domain = |app: &Data<App>| app.links.snapshot().domains().program_at(host).is_some();
    !is_taken_path(head.uri.path().trim_start_matches('/')) && context.app_data().is_some_and(on_domain)
}

/// A header as text: borrowed where it is UTF-8, with replacement characters where it is not.
fn text(headers: &HeaderMap, name: impl header::AsHeaderName) -> Option<Cow<'_, str>> {
    let header = headers.get(name).filter(|header| !header.is_empty())?;
    Some(match header.to_str() {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => String::from_utf8_lossy(header.as_bytes()),
    })
}

fn is_prefetch(headers: &HeaderMap) -> bool {
    static NAMES: [HeaderName; 4] = [
        HeaderName::from_static("sec-purpose"),
        HeaderName::from_static("purpose"),
        HeaderName::from_static("x-purpose"),
        HeaderName::from_static("x-moz"),
    ];
    NAMES.iter().filter_map(|name| headers.get(name)).any(|value| {
        let value = value.as_bytes().to_ascii_lowercase();
        let value = String::from_utf8_lossy(&value);
        ["prefetch", "preview", "prerender"].iter().any(|word| value.contains(word))
    })
}

fn asks_for_privacy(headers: &HeaderMap) -> bool {
    static NAME: HeaderName = HeaderName::from_static("sec-gpc");
    headers.get(&NAME).is_some_and(|value| value.as_bytes() == b"1")
}

/// The visitor id that the browser's cookie holds.
fn visitor_of_cookie(headers: &HeaderMap) -> Option<Uuid> {
    let cookies = headers.get_all(header::COOKIE).filter_map(|value| value.to_str().ok());
    let value =
        cookies.flat_map(|line| line.split(';')).find_map(|pair| pair.trim().strip_prefix(VISITOR_COOKIE)?.strip_prefix('='))?;
    Uuid::try_parse(value).ok()
}

/// Sets the cookie, or sets it anew so that it lasts from now on.
fn set_visitor_cookie(answer: &mut HttpResponseBuilder, settings: &EdgeSettings, visitor: Uuid) {
    let mut cookie = String::with_capacity(120);
    cookie.push_str(VISITOR_COOKIE);
    cookie.push('=');
    cookie.push_str(visitor.hyphenated().encode_lower(&mut Uuid::encode_buffer()));
    cookie.push_str("; HttpOnly; SameSite=Lax; Path=/; Max-Age=34560000");
    if settings.secure_cookies {
        cookie.push_str("; Secure");
    }
    if let Ok(value) = HeaderValue::from_maybe_shared(Bytes::from(cookie)) {
        answer.insert_header((header::SET_COOKIE, value));
    }
}

/// What every hit has of its request; it lends its texts to the hit.
struct Seen<'a> {
    referrer: Option<Cow<'a, str>>,
    user_agent: Option<Cow<'a, str>>,
    language: Option<Cow<'a, str>>,
    ip: Option<String>,
    head: bool,
    prefetch: bool,
}

impl<'a> Seen<'a> {
    fn of(app: &App, request: &'a HttpRequest, client: Option<IpAddr>) -> Seen<'a> {
        let headers = request.headers();
        Seen {
            referrer: text(headers, header::REFERER),
            user_agent: text(headers, header::USER_AGENT),
            language: text(headers, header::ACCEPT_LANGUAGE),
            ip: client.filter(|_| app.edge.keeps_addresses).map(|ip| ip.to_string()),
            head: request.method() == Method::HEAD,
            prefetch: is_prefetch(headers),
        }
    }

    fn hit(&self, id: Uuid, at_micros: i64, kind: HitKind) -> Hit<'_> {
        Hit {
            referrer: self.referrer.as_deref(),
            user_agent: self.user_agent.as_deref(),
            language: self.language.as_deref(),
            ip: self.ip.as_deref(),
            head: self.head,
            prefetch: self.prefetch,
            ..Hit::new(id, at_micros, kind)
        }
    }
}

pub(super) fn too_many() -> HttpResponse {
    HttpResponse::TooManyRequests()
        .insert_header((header::RETRY_AFTER, HeaderValue::from_static("1")))
        .insert_header((header::CACHE_CONTROL, NO_STORE))
        .finish()
}

/// A redirect; 404 where the address cannot stand in a header.
fn found(location: String) -> HttpResponseBuilder {
    let mut answer = HttpResponse::Found();
    match HeaderValue::from_maybe_shared(Bytes::from(location)) {
        Ok(location) => answer.insert_header((header::LOCATION, location)),
        Err(_) => answer.status(StatusCode::NOT_FOUND),
    };
    answer.insert_header((header::CACHE_CONTROL, NO_STORE));
    answer
}

fn found_or(fallback: Option<&str>, status: StatusCode) -> HttpResponse {
    match fallback {
        Some(url) => found(url.to_owned()).finish(),
        None => HttpResponse::build(status).insert_header((header::CACHE_CONTROL, NO_STORE)).finish(),
    }
}

/// `GET /r/…`: the redirect, or the link's QR code. Found by its beginning alone, for patterns take time.
pub async fn under_r(app: Data<App>, request: HttpRequest) -> HttpResponse {
    let rest = request.path().strip_prefix("/r/").unwrap_or_default();
    match rest.split_once('/') {
        None => redirect(&app, &request, rest).await,
        Some((code, name)) if *request.method() == Method::GET => super::qr::answer(&app, &request, code, name),
        Some(_) => HttpResponse::NotFound().finish(),
    }
}

/// `GET /{code}` on a program's own domain.
pub async fn on_own_domain(app: Data<App>, request: HttpRequest) -> HttpResponse {
    redirect(&app, &request, request.path().trim_start_matches('/')).await
}

/// 302, 404, 410 or 429, whatever happens behind it.
async fn redirect(app: &App, request: &HttpRequest, raw_code: &str) -> HttpResponse {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return HttpResponse::MethodNotAllowed().insert_header((header::ALLOW, "GET, HEAD")).finish();
    }
    let client = app.edge.client(request);
    if !app.edge.lets_in(client) {
        return too_many();
    }
    let code = percent_encoding::percent_decode_str(raw_code).decode_utf8_lossy();
    let seen = Seen::of(app, request, client);
    let now = app.service.clock.now();
    let id = Uuid::now_v7();
    let url = request.uri().path_and_query().map_or("", |url| url.as_str());
    let book = app.links.snapshot();
    let host = host(request);
    let Some(link) = book.get(host, &code) else {
        let code: String = code.chars().filter(|c| !c.is_control()).take(100).collect();
        let denied = asks_for_privacy(request.headers()) || request.query_string().contains("consent=denied");
        let visitor = visitor_of_cookie(request.headers()).filter(|_| !denied).map(|visitor| visitor.to_string());
        let hit = Hit {
            url: Some(url),
            name: Some(&code),
            visitor: visitor.as_deref(),
            consent_denied: denied,
            ..seen.hit(id, now.timestamp_micros(), HitKind::UnknownLink)
        };
        // The answer does not depend on whether the miss was noted.
        let _ = app.spool.append(&hit, IfRefused::TryAgain).await;
        return found_or(book.fallback(host), StatusCode::NOT_FOUND);
    };
    if link.paused || link.expires_at.is_some_and(|at| at.0 <= now) {
        return found_or(link.fallback_url.as_deref(), StatusCode::GONE);
    }
    let query = request.query_string();
    let mut click_id = Uuid::encode_buffer();
    let click_id = id.hyphenated().encode_lower(&mut click_id);
    let denied = asks_for_privacy(request.headers()) || query.contains("consent=denied");
    let visitor = (!denied).then(|| visitor_of_cookie(request.headers()).unwrap_or_else(Uuid::now_v7));
    let mut visitor_text = Uuid::encode_buffer();
    let visitor_text = visitor.map(|visitor| &*visitor.hyphenated().encode_lower(&mut visitor_text));
    let device = || Device::of_user_agent(seen.user_agent.as_deref().unwrap_or_default());
    let country = || app.edge.country(request);
    let Some(choice) = link.destinations.choose(visitor_text.unwrap_or(click_id), device, country) else {
        return found_or(link.fallback_url.as_deref(), StatusCode::NOT_FOUND);
    };
    let location = choice.destination.location(query, click_id);
    let utm = link.utm_query(query, click_id);
    let hit = Hit {
        link: Some(link.hit_link(choice.target.map(|target| target.0), &utm)),
        url: Some(url),
        consent_denied: denied,
        visitor: visitor_text,
        ..seen.hit(id, now.timestamp_micros(), HitKind::Click)
    };
    // A disk that refuses is logged and counted; the visitor goes on, and the hit is tried again.
    let _ = app.spool.append(&hit, IfRefused::TryAgain).await;
    let mut answer = found(location);
    if let Some(visitor) = visitor {
        set_visitor_cookie(&mut answer, &app.edge, visitor);
    }
    answer.finish()
}

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
        known.unwrap_or_else(|| Uuid::now_v7().to_string())
    });
    let id = input.id.as_deref().and_then(|id| Uuid::try_parse(id).ok()).unwrap_or_else(Uuid::now_v7);
    let (url, referrer) = (clean(&input.url, 8_192), clean(&input.r#ref, 8_192));
    let (click, name, customer) = (clean(&input.click, 100), clean(&input.name, 200), clean(&input.customer, 200));
    let value = input.value.as_ref().map(ToString::to_string).filter(|v| v.len() <= 8_192 && !v.contains("\\u0000"));
    let hit = Hit {
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

async fn take_event(app: &App, request: &HttpRequest, payload: Payload) -> Result<HttpResponse, Problem> {
    let client = app.edge.client(request);
    if !app.edge.lets_in(client) {
        return Ok(too_many());
    }
    let body = payload
        .to_bytes_limited(LARGEST_EVENT)
        .await
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
        .body(include_str!("assets/t.js"))
}
