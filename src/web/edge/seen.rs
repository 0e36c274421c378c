//! What a request says of its visitor: headers, marks, and the cookie.

use super::EdgeSettings;
use crate::service::spool::{Hit, HitKind};
use crate::web::App;
use actix_web::http::Method;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponseBuilder};
use std::borrow::Cow;
use std::net::IpAddr;
use uuid::Uuid;

const VISITOR_COOKIE: &str = "trb_vid";

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

pub(super) fn asks_for_privacy(headers: &HeaderMap) -> bool {
    static NAME: HeaderName = HeaderName::from_static("sec-gpc");
    headers.get(&NAME).is_some_and(|value| value.as_bytes() == b"1")
}

/// The visitor id that the browser's cookie holds.
pub(super) fn visitor_of_cookie(headers: &HeaderMap) -> Option<Uuid> {
    let cookies = headers.get_all(header::COOKIE).filter_map(|value| value.to_str().ok());
    let value =
        cookies.flat_map(|line| line.split(';')).find_map(|pair| pair.trim().strip_prefix(VISITOR_COOKIE)?.strip_prefix('='))?;
    Uuid::try_parse(value).ok()
}

/// Sets the cookie, or sets it anew so that it lasts from now on.
pub(super) fn set_visitor_cookie(answer: &mut HttpResponseBuilder, settings: &EdgeSettings, visitor: Uuid) {
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
pub(super) struct Seen<'a> {
    pub(super) referrer: Option<Cow<'a, str>>,
    pub(super) user_agent: Option<Cow<'a, str>>,
    language: Option<Cow<'a, str>>,
    ip: Option<String>,
    head: bool,
    prefetch: bool,
}

impl<'a> Seen<'a> {
    pub(super) fn of(app: &App, request: &'a HttpRequest, client: Option<IpAddr>) -> Seen<'a> {
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

    pub(super) fn hit(&self, id: Uuid, at_micros: i64, kind: HitKind) -> Hit<'_> {
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
