//! The rates that a report was converted by.

use super::Report;
use crate::domain::exchange_rate::Conversion;

impl Report {
    /// The rates that a row was converted by, for people to read.
    pub(super) fn rates_of(&self, keys: &[Option<String>]) -> String {
        let lines = self.converted.get(keys).map_or(&[][..], Vec::as_slice);
        lines.iter().map(|line| format!("{}: {}", line.day, line.conversion)).collect::<Vec<_>>().join("; ")
    }

    /// Every rate that was used, once, by day.
    pub fn conversions(&self) -> Vec<&Conversion> {
        let mut all: Vec<&Conversion> = self.converted.values().flatten().map(|line| &line.conversion).collect();
        all.sort_by_key(|conversion| (conversion.from, conversion.day));
        all.dedup();
        all
    }
}
