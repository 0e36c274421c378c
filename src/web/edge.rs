//! Redirect, pixel, events: the hot path. A link comes from memory, a hit is on disk before the answer leaves, and
//! nothing waits for the database.

use super::App;
use super::country::Countries;
use super::error::Problem;
use crate::domain::link::is_taken_path;
use crate::domain::link_target::{Country, Device};
use crate::service::spool::{Hit, HitKind, IfRefused};
use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, SameSite};
use actix_web::guard::GuardContext;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode, Uri};
use actix_web::web::{Bytes, Data, Path};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use governor::clock::DefaultClock;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};
use ipnet::IpNet;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use uuid::Uuid;

const VISITOR_COOKIE: &str = "trb_vid";
const COOKIE_DAYS: i64 = 400;
/// A transparent GIF of one pixel.
const PIXEL: &[u8; 43] = b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;";

/// What the edge was told at start.
pub struct EdgeSettings {
    limiter: Option<RateLimiter<IpAddr, DashMapStateStore<IpAddr>, DefaultClock>>,
    trusted_proxies: Vec<IpNet>,
    secure_cookies: bool,
    countries: Countries,
}

impl EdgeSettings {
    /// `rate`: requests a second and client address, 0 for none.
    pub fn new(rate: u32, trusted_proxies: Vec<IpNet>, secure_cookies: bool, countries: Countries) -> EdgeSettings {
        let limiter = NonZeroU32::new(rate).map(|rate| RateLimiter::dashmap(Quota::per_second(rate)));
        EdgeSettings { limiter, trusted_proxies, secure_cookies, countries }
    }

    /// Whether the client may go on; an IPv6 client is its /64.
    pub(super) fn lets_in(&self, client: Option<IpAddr>) -> bool {
        let (Some(limiter), Some(client)) = (&self.limiter, client) else { return true };
        let key = match client {
            IpAddr::V4(_) => client,
            IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX))),
        };
        limiter.check_key(&key).is_ok()
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

fn text(headers: &HeaderMap, name: impl header::AsHeaderName) -> Option<String> {
    headers.get(name).map(|h| String::from_utf8_lossy(h.as_bytes()).into_owned()).filter(|t| !t.is_empty())
}

fn is_prefetch(headers: &HeaderMap) -> bool {
    ["sec-purpose", "purpose", "x-purpose", "x-moz"]
        .iter()
        .filter_map(|name| text(headers, *name))
        .any(|value| ["prefetch", "preview", "prerender"].iter().any(|word| value.to_ascii_lowercase().contains(word)))
}

/// The visitor and whether consent was denied. No consent: no visitor.
fn visitor(request: &HttpRequest, given: Option<&str>, consent: Option<&str>) -> (Option<String>, bool) {
    let privacy = text(request.headers(), "sec-gpc").as_deref() == Some("1");
    if privacy || consent == Some("denied") {
        return (None, true);
    }
    let from_body =
        given.map(str::trim).filter(|text| !text.is_empty() && text.len() <= 100 && !text.chars().any(char::is_control));
    let from_cookie = request.cookie(VISITOR_COOKIE).and_then(|c| Uuid::try_parse(c.value()).ok());
    let visitor = from_body.map(str::to_owned).or_else(|| from_cookie.map(|id| id.to_string()));
    (Some(visitor.unwrap_or_else(|| Uuid::now_v7().to_string())), false)
}

fn set_visitor_cookie(answer: &mut HttpResponseBuilder, settings: &EdgeSettings, visitor: Option<&String>) {
    // A name that the page gave itself stays with the page.
    if let Some(visitor) = visitor.filter(|v| Uuid::try_parse(v).is_ok()) {
        let cookie = Cookie::build(VISITOR_COOKIE, visitor.clone())
            .path("/")
            .http_only(true)
            .same_site(SameSite::Lax)
            .secure(settings.secure_cookies)
            .max_age(Duration::days(COOKIE_DAYS));
        answer.cookie(cookie.finish());
    }
}

fn new_hit(app: &App, request: &HttpRequest, kind: HitKind) -> Hit {
    let headers = request.headers();
    Hit {
        id: Uuid::now_v7(),
        at_micros: app.service.clock.now().timestamp_micros(),
        kind,
        link: None,
        url: None,
        referrer: text(headers, header::REFERER),
        user_agent: text(headers, header::USER_AGENT),
        language: text(headers, header::ACCEPT_LANGUAGE),
        ip: app.edge.client(request).map(|ip| ip.to_string()),
        visitor: None,
        click: None,
        customer: None,
        name: None,
        value: None,
        consent_denied: false,
        head: request.method() == Method::HEAD,
        prefetch: is_prefetch(headers),
    }
}

pub(super) fn too_many() -> HttpResponse {
    HttpResponse::TooManyRequests()
        .insert_header((header::RETRY_AFTER, "1"))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .finish()
}

fn found(location: &str) -> HttpResponseBuilder {
    let mut answer = HttpResponse::Found();
    match HeaderValue::from_str(location) {
        Ok(location) => answer.insert_header((header::LOCATION, location)),
        Err(_) => answer.status(StatusCode::NOT_FOUND),
    };
    answer.insert_header((header::CACHE_CONTROL, "no-store"));
    answer
}

/// `GET /r/{code}`, and `/{code}` on a program's own domain: 302, 404, 410 or 429, whatever happens behind it.
pub async fn redirect(app: Data<App>, request: HttpRequest, code: Path<String>) -> HttpResponse {
    if !app.edge.lets_in(app.edge.client(&request)) {
        return too_many();
    }
    let book = app.links.snapshot();
    let query = request.query_string();
    let host = host(&request);
    let Some(link) = book.get(host, &code) else {
        let mut hit = new_hit(&app, &request, HitKind::UnknownLink);
        hit.url = Some(code.chars().filter(|c| !c.is_control()).take(100).collect());
        // The answer does not depend on whether the miss was noted.
        let _ = app.spool.append(hit, IfRefused::TryAgain).await;
        return match book.fallback(host) {
            Some(url) => found(url).finish(),
            None => HttpResponse::NotFound().insert_header((header::CACHE_CONTROL, "no-store")).finish(),
        };
    };
    let expired = link.expires_at.is_some_and(|at| at.0 <= app.service.clock.now());
    if link.paused || expired {
        return match link.fallback_url.as_deref() {
            Some(url) => found(url).finish(),
            None => HttpResponse::Gone().insert_header((header::CACHE_CONTROL, "no-store")).finish(),
        };
    }
    let mut hit = new_hit(&app, &request, HitKind::Click);
    let click_id = hit.id.to_string();
    let consent = url::form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == "consent").map(|(_, v)| v.into_owned());
    let (visitor, denied) = visitor(&request, None, consent.as_deref());
    let device = || Device::of_user_agent(hit.user_agent.as_deref().unwrap_or_default());
    let country = || app.edge.country(&request);
    let Some(choice) = link.destinations.choose(visitor.as_deref().unwrap_or(&click_id), device, country) else {
        return match link.fallback_url.as_deref() {
            Some(url) => found(url).finish(),
            None => HttpResponse::NotFound().insert_header((header::CACHE_CONTROL, "no-store")).finish(),
        };
    };
    let location = choice.destination.location(query, &click_id);
    hit.visitor = visitor.clone();
    hit.consent_denied = denied;
    hit.link = Some(link.hit_link(query, &click_id));
    hit.url = Some(if query.is_empty() { format!("/r/{code}") } else { format!("/r/{code}?{query}") });
    // A disk that refuses is logged and counted; the visitor goes on, and the hit is tried again.
    let _ = app.spool.append(hit, IfRefused::TryAgain).await;
    let mut answer = found(&location);
    set_visitor_cookie(&mut answer, &app.edge, visitor.as_ref());
    answer.finish()
}

/// What the pixel and the beacon send.
#[derive(Debug, Default, serde::Deserialize, utoipa::ToSchema)]
pub struct EventInput {
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

/// Makes a hit of an event; `None` if its type is unknown.
fn event_hit(app: &App, request: &HttpRequest, input: EventInput) -> Option<Hit> {
    let kind = match input.r#type.as_deref().unwrap_or("visit") {
        "visit" => HitKind::Visit,
        "event" => HitKind::Event,
        "lead" => HitKind::Lead,
        "identify" => HitKind::Identify,
        "impression" => HitKind::Impression,
        "order" => HitKind::Order,
        _ => return None,
    };
    let clean = |text: Option<String>, longest: usize| {
        let text: String = text?.chars().filter(|c| !c.is_control()).take(longest).collect();
        (!text.is_empty()).then_some(text)
    };
    let mut hit = new_hit(app, request, kind);
    let (visitor, denied) = visitor(request, input.visitor.as_deref(), input.consent.as_deref());
    hit.visitor = visitor;
    hit.consent_denied = denied;
    hit.url = clean(input.url, 8_192).or_else(|| text(request.headers(), header::REFERER));
    // The header names the page that has the snippet; where that came from is in the body.
    hit.referrer = clean(input.r#ref, 8_192);
    hit.click = clean(input.click, 100);
    hit.name = clean(input.name, 200);
    hit.customer = clean(input.customer, 200);
    hit.value = input.value.filter(|v| v.to_string().len() <= 8_192 && !v.to_string().contains("\\u0000"));
    Some(hit)
}

/// `GET /px.gif`: always the same 43 bytes.
pub async fn pixel(app: Data<App>, request: HttpRequest) -> HttpResponse {
    let mut answer = HttpResponse::Ok();
    answer.content_type("image/gif").insert_header((header::CACHE_CONTROL, "no-store"));
    if app.edge.lets_in(app.edge.client(&request)) {
        let mut input = EventInput::default();
        for (key, value) in url::form_urlencoded::parse(request.query_string().as_bytes()) {
            let value = Some(value.into_owned());
            match key.as_ref() {
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
        if let Some(hit) = event_hit(&app, &request, input) {
            let visitor = hit.visitor.clone();
            let _ = app.spool.append(hit, IfRefused::TryAgain).await;
            set_visitor_cookie(&mut answer, &app.edge, visitor.as_ref());
        }
    }
    answer.body(Bytes::from_static(PIXEL))
}

fn allow_origin(answer: &mut HttpResponseBuilder, request: &HttpRequest) {
    if let Some(origin) = request.headers().get(header::ORIGIN) {
        answer.insert_header((header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone()));
        answer.insert_header((header::ACCESS_CONTROL_ALLOW_CREDENTIALS, "true"));
        answer.insert_header((header::VARY, "Origin"));
    }
}

/// Lets pages of other origins send JSON.
pub async fn preflight(request: HttpRequest) -> HttpResponse {
    let mut answer = HttpResponse::NoContent();
    allow_origin(&mut answer, &request);
    answer.insert_header((header::ACCESS_CONTROL_ALLOW_METHODS, "POST"));
    answer.insert_header((header::ACCESS_CONTROL_ALLOW_HEADERS, "content-type"));
    answer.insert_header((header::ACCESS_CONTROL_MAX_AGE, "86400"));
    answer.finish()
}

/// `POST /e`: JSON, under whatever content type the browser was able to send it.
pub async fn event(app: Data<App>, request: HttpRequest, body: super::api::Body) -> Result<HttpResponse, Problem> {
    if !app.edge.lets_in(app.edge.client(&request)) {
        return Ok(too_many());
    }
    let input: EventInput = serde_json::from_slice(&body.0).map_err(Problem::malformed)?;
    let hit = event_hit(&app, &request, input).ok_or_else(|| Problem::field("/type", "is not a known type"))?;
    let (id, visitor) = (hit.id, hit.visitor.clone());
    app.spool
        .append(hit, IfRefused::Forget)
        .await
        .map_err(|e| Problem::new(StatusCode::SERVICE_UNAVAILABLE, "spool-full", format!("{e}; send it again")))?;
    let mut answer = HttpResponse::Accepted();
    allow_origin(&mut answer, &request);
    set_visitor_cookie(&mut answer, &app.edge, visitor.as_ref());
    Ok(answer.json(serde_json::json!({ "id": id, "visitor": visitor })))
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
