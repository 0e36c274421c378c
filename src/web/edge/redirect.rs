//! The redirect: a link comes from memory, and its click is safe before the answer leaves.

use super::seen::{Seen, asks_for_privacy, new_id, set_visitor_cookie, visitor_of_cookie};
use super::{NO_STORE, too_many};
use crate::domain::link::is_taken_path;
use crate::domain::link_target::Device;
use crate::service::spool::{Hit, HitKind, IfRefused};
use crate::web::{App, qr};
use actix_web::guard::GuardContext;
use actix_web::http::header::{self, HeaderMap, HeaderValue};
use actix_web::http::{Method, StatusCode, Uri};
use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use uuid::Uuid;

/// The host a request was sent to.
pub(in crate::web) fn host(request: &HttpRequest) -> Option<&str> {
    host_in(request.headers(), request.uri())
}

fn host_in<'a>(headers: &'a HeaderMap, uri: &'a Uri) -> Option<&'a str> {
    // HTTP/2 has it in the address.
    let header = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    header.or_else(|| uri.authority().map(|authority| authority.as_str()))
}

/// Whether a request asks for a code on a program's own domain, where links stand without `/r/`.
pub(in crate::web) fn on_link_domain(context: &GuardContext<'_>) -> bool {
    let head = context.head();
    let host = host_in(head.headers(), &head.uri);
    let on_domain = |app: &Data<App>| app.links.snapshot().domains().program_at(host).is_some();
    !is_taken_path(head.uri.path().trim_start_matches('/')) && context.app_data().is_some_and(on_domain)
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
        Some((code, name)) if *request.method() == Method::GET => qr::answer(&app, &request, code, name),
        Some(_) => HttpResponse::NotFound().finish(),
    }
}

/// `GET /{code}` on a program's own domain.
pub async fn on_own_domain(app: Data<App>, request: HttpRequest) -> HttpResponse {
    redirect(&app, &request, request.path().trim_start_matches('/')).await
}

/// Whether the visitor, or the page that sent them, has denied consent.
fn is_denied(request: &HttpRequest) -> bool {
    const DENIED: &str = "consent=denied";
    let query = request.query_string();
    asks_for_privacy(request.headers()) || query.contains(DENIED) && query.split('&').any(|parameter| parameter == DENIED)
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
    let id = new_id();
    let url = request.uri().path_and_query().map_or("", |url| url.as_str());
    let book = app.links.snapshot();
    let host = host(request);
    let Some(link) = book.get(host, &code) else {
        let code: String = code.chars().filter(|c| !c.is_control()).take(100).collect();
        let denied = is_denied(request);
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
    let denied = is_denied(request);
    let visitor = (!denied).then(|| visitor_of_cookie(request.headers()).unwrap_or_else(new_id));
    let mut visitor_text = Uuid::encode_buffer();
    let visitor_text = visitor.map(|visitor| &*visitor.hyphenated().encode_lower(&mut visitor_text));
    let device = || Device::of_user_agent(seen.user_agent.as_deref().unwrap_or_default());
    let country = || seen.country;
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
