//! Redirect, pixel, events: the hot path. A link comes from memory, a hit is safe before the answer leaves, and
//! nothing waits for the database.

mod event;
mod redirect;
mod seen;

pub use event::{EventInput, event, pixel, preflight, snippet};
pub(super) use redirect::{host, on_link_domain};
pub use redirect::{on_own_domain, under_r};

use super::country::Countries;
use crate::domain::click_marks::client_of;
use crate::domain::link_target::Country;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpRequest, HttpResponse};
use governor::clock::DefaultClock;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};
use ipnet::IpNet;
use std::net::IpAddr;
use std::num::NonZeroU32;

const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

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
        limiter.check_key(&client_of(client)).is_ok()
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
        if !self.countries.are_told() {
            return None;
        }
        let peer = request.peer_addr().map(|peer| peer.ip().to_canonical());
        let trusted = peer.is_some_and(|peer| self.trusted_proxies.iter().any(|net| net.contains(&peer)));
        self.countries.of(request.headers(), trusted, self.client(request))
    }
}

pub(super) fn too_many() -> HttpResponse {
    HttpResponse::TooManyRequests()
        .insert_header((header::RETRY_AFTER, HeaderValue::from_static("1")))
        .insert_header((header::CACHE_CONTROL, NO_STORE))
        .finish()
}
