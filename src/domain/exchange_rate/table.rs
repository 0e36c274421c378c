//! Which rate holds on a day.

use super::{Conversion, ExchangeRate, RateSource};
use crate::domain::money::Currency;
use chrono::{Datelike, NaiveDate};
use std::collections::{BTreeMap, HashMap};

/// How many days a rate holds for want of a later one: over week-ends and holidays none are published. The Bank of
/// Russia's rate of Saturday is that of Sunday and Monday too.
pub const LONGEST_GAP_DAYS: i64 = 7;

/// The same for the first half of January, when the Bank of Russia publishes none for up to two weeks.
pub const LONGEST_NEW_YEAR_GAP_DAYS: i64 = 14;

/// There is no rate for a day, nor one shortly before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
#[error("there is no exchange rate from {from} to {to} for {day}, nor of the {} days before it", longest_gap(*.day))]
pub struct NoRate {
    pub from: Currency,
    pub to: Currency,
    pub day: NaiveDate,
}

fn longest_gap(day: NaiveDate) -> i64 {
    let in_new_year = day.month() == 1 && day.day() <= 14;
    if in_new_year { LONGEST_NEW_YEAR_GAP_DAYS } else { LONGEST_GAP_DAYS }
}

/// Rates by source and pair, ready to be asked for days.
#[derive(Debug, Clone, Default)]
pub struct RateTable {
    rates: HashMap<(RateSource, Currency, Currency), BTreeMap<NaiveDate, ExchangeRate>>,
}

impl RateTable {
    pub fn new(rates: impl IntoIterator<Item = ExchangeRate>) -> RateTable {
        let mut table = RateTable::default();
        for rate in rates {
            table.rates.entry((rate.source, rate.from, rate.to)).or_default().insert(rate.day, rate);
        }
        table
    }

    /// How `from` becomes `to` on a day. The first source that can say so is taken: rates set by hand, then the source
    /// whose base is `to`, then that whose base is `from`, then the Bank of Russia, then the ECB. Both rates of a cross
    /// rate are of one source.
    pub fn conversion(&self, from: Currency, to: Currency, day: NaiveDate) -> Result<Conversion, NoRate> {
        if from == to {
            return Ok(Conversion { from, to, day, rates: Vec::new() });
        }
        let mut sources = RateSource::ALL;
        sources.sort_by_key(|source| match (source, source.base()) {
            (RateSource::Manual, _) => 0,
            (_, Some(base)) if base == to => 1,
            (_, Some(base)) if base == from => 2,
            _ => 3,
        });
        let rates = sources.into_iter().find_map(|source| self.of_source(source, from, to, day));
        rates.map(|rates| Conversion { from, to, day, rates }).ok_or(NoRate { from, to, day })
    }

    fn of_source(&self, source: RateSource, from: Currency, to: Currency, day: NaiveDate) -> Option<Vec<ExchangeRate>> {
        if let Some(rate) = self.either_way(source, from, to, day) {
            return Some(vec![rate]);
        }
        let base = source.base().filter(|base| *base != from && *base != to)?;
        Some(vec![self.either_way(source, from, base, day)?, self.either_way(source, base, to, day)?])
    }

    /// The rate of a pair, whichever way it is published; the later one, if both are.
    fn either_way(&self, source: RateSource, from: Currency, to: Currency, day: NaiveDate) -> Option<ExchangeRate> {
        let straight = self.holding(source, from, to, day);
        let inverse = self.holding(source, to, from, day);
        match (straight, inverse) {
            (Some(straight), Some(inverse)) if inverse.day > straight.day => Some(inverse),
            (straight, inverse) => straight.or(inverse),
        }
    }

    /// The rate of a day, or the latest before it that still holds.
    fn holding(&self, source: RateSource, from: Currency, to: Currency, day: NaiveDate) -> Option<ExchangeRate> {
        let (known, rate) = self.rates.get(&(source, from, to))?.range(..=day).next_back()?;
        ((day - *known).num_days() <= longest_gap(day)).then_some(*rate)
    }
}
