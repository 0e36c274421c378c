//! Where a span of days is read from: whole months, days, and days that are out of date; and by which cut.

use crate::domain::time::Period;
use chrono::NaiveDate;

/// How finely sums are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cut {
    /// By channel and origin; of credit by customer too. What most people ask for, and few rows.
    Origin,
    /// By everything.
    All,
}

impl Cut {
    pub const ALL: [Cut; 2] = [Cut::Origin, Cut::All];

    pub fn name(self) -> &'static str {
        match self {
            Cut::Origin => "origin",
            Cut::All => "all",
        }
    }
}

/// A span of days, in parts that do not overlap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    pub cut: Cut,
    pub months: Vec<Period>,
    /// Runs of days that are in no month, ends included.
    pub days: Vec<(NaiveDate, NaiveDate)>,
    /// Days of these runs whose sums are out of date.
    pub stale: Vec<NaiveDate>,
}

impl Plan {
    /// `IN ('2026-10', …)`: text that we wrote ourselves.
    pub(super) fn months_in(&self) -> Option<String> {
        let list: Vec<String> = self.months.iter().map(|month| format!("'{month}'")).collect();
        (!list.is_empty()).then(|| format!("IN ({})", list.join(", ")))
    }

    /// `AND column NOT IN (…)` of the days out of date in a run; empty, if there are none.
    pub(super) fn but_stale(&self, column: &str, (from, to): (NaiveDate, NaiveDate)) -> String {
        let list: Vec<String> =
            self.stale.iter().filter(|day| (from..=to).contains(*day)).map(|day| format!("'{day}'")).collect();
        if list.is_empty() { String::new() } else { format!(" AND {column} NOT IN ({})", list.join(", ")) }
    }

    pub(super) fn stale_in(&self) -> Option<String> {
        let list: Vec<String> = self.stale.iter().map(|day| format!("'{day}'")).collect();
        (!list.is_empty()).then(|| format!("IN ({})", list.join(", ")))
    }
}
