//! The country a request comes from: what a trusted proxy says, else what the address table says.

use crate::domain::link_target::Country;
use crate::service::geoip::GeoIp;
use actix_web::http::header::{HeaderMap, HeaderName};
use std::net::IpAddr;
use std::path::PathBuf;

/// What a node knows about countries.
#[derive(Default)]
pub struct Countries {
    header: Option<HeaderName>,
    table: Option<GeoIp>,
}

impl Countries {
    /// `header`: set by trusted proxies; `table`: a file in MaxMind's format, read now.
    pub fn new(header: Option<&str>, table: Option<&PathBuf>) -> anyhow::Result<Countries> {
        let name = |text: &str| {
            HeaderName::from_bytes(text.as_bytes()).map_err(|_| anyhow::anyhow!("country-header: '{text}' is no header's name"))
        };
        let open = |file: &PathBuf| {
            GeoIp::open(file).map_err(|e| anyhow::anyhow!("geoip-database: {} cannot be read: {e}", file.display()))
        };
        Ok(Countries { header: header.map(name).transpose()?, table: table.map(open).transpose()? })
    }

    /// Whether anything tells this node.
    pub fn are_told(&self) -> bool {
        self.header.is_some() || self.table.is_some()
    }

    /// The country of a client. The header counts only if the peer that sent it is trusted.
    pub fn of(&self, headers: &HeaderMap, peer_trusted: bool, client: Option<IpAddr>) -> Option<Country> {
        let said = self.header.as_ref().filter(|_| peer_trusted).and_then(|name| headers.get(name));
        let said = said.and_then(|value| value.to_str().ok()).and_then(|text| text.parse().ok());
        said.or_else(|| self.table.as_ref()?.country(client?))
    }
}
