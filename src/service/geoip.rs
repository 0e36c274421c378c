//! The country of an address, by a file in MaxMind's format.

use crate::domain::link_target::Country;
use maxminddb::{MaxMindDbError, Reader, path};
use std::net::IpAddr;
use std::path::Path;

/// An open file; it is read whole, once.
pub struct GeoIp(Reader<Vec<u8>>);

impl GeoIp {
    pub fn open(file: &Path) -> Result<GeoIp, MaxMindDbError> {
        Ok(GeoIp(Reader::open_readfile(file)?))
    }

    /// `None` where the file does not say.
    pub fn country(&self, address: IpAddr) -> Option<Country> {
        let found = self.0.lookup(address).ok()?;
        let code: Option<&str> = found.decode_path(&path!["country", "iso_code"]).ok()?;
        code?.parse().ok()
    }
}
