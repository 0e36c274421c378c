//! What a request says of its visitor: headers, marks, and the cookie.

use super::EdgeSettings;
use crate::domain::link_target::Country;
use crate::service::spool::{Hit, HitKind};
use crate::web::App;
use actix_web::http::Method;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponseBuilder};
use std::borrow::Cow;
use std::net::IpAddr;
use uuid::timestamp::context::ContextV7;
use uuid::{Timestamp, Uuid};

const VISITOR_COOKIE: &str = "trb_vid";

/// A header as text: borrowed where it is UTF-8, with replacement characters where it is not.
fn text(headers: &HeaderMap, name: impl header::AsHeaderName) -> Option<Cow<'_, str>> {
    let header = headers.get(name).filter(|header| !header.is_empty())?;
    Some(String::from_utf8_lossy(header.as_bytes()))
}

thread_local! {
    /// What keeps the ids of a thread in order; one for all threads would be a lock that all of them meet at. Those of
    /// several threads are in order by the quarter of a microsecond, so that the store's index grows at its end.
    static ORDER: ContextV7 = ContextV7::new().with_additional_precision();
}

/// A new UUIDv7. Ids of one thread are in the order of their making.
pub(super) fn new_id() -> Uuid {
    ORDER.with(|order| Uuid::new_v7(Timestamp::now(order)))
}

/// An address as text. IPv4 is written by hand: the formatter takes ten times as long.
fn address_text(address: IpAddr) -> String {
    let IpAddr::V4(v4) = address else { return address.to_string() };
    let mut text = String::with_capacity(15);
    for (index, octet) in v4.octets().into_iter().enumerate() {
        if index > 0 {
            text.push('.');
        }
        if octet >= 100 {
            text.push(char::from(b'0' + octet / 100));
        }
        if octet >= 10 {
            text.push(char::from(b'0' + octet / 10 % 10));
        }
        text.push(char::from(b'0' + octet % 10));
    }
    text
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
    pub(super) country: Option<Country>,
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
            ip: client.filter(|_| app.edge.keeps_addresses).map(address_text),
            country: app.edge.country(request),
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
            country: self.country,
            head: self.head,
            prefetch: self.prefetch,
            ..Hit::new(id, at_micros, kind)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_written_as_the_formatter_writes_them() {
        for text in ["0.0.0.0", "7.10.99.100", "203.0.113.255", "255.255.255.255", "192.168.1.20", "2001:db8::1"] {
            assert_eq!(address_text(text.parse().unwrap()), text);
        }
    }

    #[test]
    fn ids_of_a_thread_are_in_the_order_of_their_making() {
        let ids: Vec<Uuid> = (0..10_000).map(|_| new_id()).collect();
        assert!(ids.is_sorted_by(|one, next| one < next));
        assert_eq!(ids[0].get_version_num(), 7);
    }
}
