//! Exchange rates: taken in from files and the API, and applied to what is reported. A rate that is stored again says the
//! same thing or corrects it; what it said before stays in the audit log.

mod file;
#[cfg(test)]
mod tests;

use super::import::{ImportError, ImportProblem};
use super::input::{DecimalInput, Problems};
use super::{Context, Error, Result};
use crate::domain::exchange_rate::{
    Conversion, ExchangeRate, LONGEST_NEW_YEAR_GAP_DAYS, MOST_UNITS, NoRate, RateSource, RateTable, RateValue,
};
use crate::domain::money::Currency;
use crate::store::{Reader, Tx, audit, exchange_rate};
use chrono::{NaiveDate, TimeDelta};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// How far ahead of today a rate may lie: central banks publish that of the next working day.
const MOST_DAYS_AHEAD: i64 = 14;

/// Since when there are rates.
const FIRST_YEAR: i32 = 1992;

/// A rate as it is sent: what `units` of `from` are worth in `to`.
#[derive(Debug, Clone, Default, serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RateInput {
    /// The day it is for.
    pub date: Option<String>,
    /// `manual` (default), `cbr` (to RUB), `ecb` (from EUR).
    pub source: Option<String>,
    pub from: Option<String>,
    pub to: Option<String>,
    /// 1, if left out.
    pub units: Option<i64>,
    /// A decimal above zero.
    pub rate: Option<DecimalInput>,
}

/// What became of rates that were stored.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StoredRates {
    pub new: usize,
    /// They were known with another value.
    pub changed: usize,
    pub known: usize,
}

/// What became of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedRates {
    pub source: RateSource,
    pub from: NaiveDate,
    pub to: NaiveDate,
    pub stored: StoredRates,
    /// Currencies that no amount can be in: abolished ones, metals.
    pub ignored: Vec<String>,
}

/// Checks rates as they are sent; pointers are `{at}/0/date` …, or `/date` where `at` is none and there is one.
pub fn check_rates(context: &Context, inputs: &[RateInput], one: bool) -> Result<Vec<ExchangeRate>> {
    let mut p = Problems::default();
    let mut rates: Vec<ExchangeRate> = Vec::with_capacity(inputs.len());
    for (index, input) in inputs.iter().enumerate() {
        let field = |name: &str| if one { format!("/{name}") } else { format!("/{index}/{name}") };
        let Some(rate) = check_rate(&mut p, context, input, field) else { continue };
        let twin = rates.iter().find(|known| same_place(known, &rate));
        if twin.is_some_and(|known| *known != rate) {
            p.add(&field("rate"), "another rate of the same source, day and currencies stands before");
        } else if twin.is_none() {
            rates.push(rate);
        }
    }
    p.done()?;
    Ok(rates)
}

fn check_rate(p: &mut Problems, context: &Context, input: &RateInput, field: impl Fn(&str) -> String) -> Option<ExchangeRate> {
    let date = input.date.as_deref().map(str::trim).filter(|text| !text.is_empty());
    let date = p.required(&field("date"), date);
    let day = date.and_then(|text| p.take(&field("date"), text.parse().map_err(|_| "must be a day like 2026-11-22")));
    let day = day.and_then(|day| p.take(&field("date"), checked_day(context, day)));
    let source = p.word(&field("source"), &input.source).unwrap_or(RateSource::Manual);
    let mut currency = |name: &str, given: &Option<String>| {
        let given = given.clone().filter(|text| !text.trim().is_empty());
        let given = p.required(&field(name), given)?;
        p.take(&field(name), given.trim().parse::<Currency>())
    };
    let (from, to) = (currency("from", &input.from), currency("to", &input.to));
    let units = match input.units {
        None => Some(1),
        given => p.number(&field("units"), given, 1, MOST_UNITS),
    };
    let value = p.required(&field("rate"), input.rate.as_ref());
    let value = value.and_then(|given| p.take(&field("rate"), RateValue::parse(given.text.trim())));
    let (from, to) = (from?, to?);
    if from == to {
        p.add(&field("to"), "must be another currency than from");
        return None;
    }
    match (source, source.base()) {
        (RateSource::Cbr, Some(base)) if to != base => {
            p.add(&field("to"), format!("must be {base}: cbr says what is worth how many"))
        }
        (RateSource::Ecb, Some(base)) if from != base => {
            p.add(&field("from"), format!("must be {base}: ecb says what one is worth"))
        }
        _ => {}
    }
    Some(ExchangeRate { source, day: day?, from, units: units?, to, value: value? })
}

/// A day that a rate may be for.
fn checked_day(context: &Context, day: NaiveDate) -> std::result::Result<NaiveDate, String> {
    if chrono::Datelike::year(&day) < FIRST_YEAR {
        return Err(format!("is before {FIRST_YEAR}"));
    }
    if day > context.today() + TimeDelta::days(MOST_DAYS_AHEAD) {
        return Err(format!("lies more than {MOST_DAYS_AHEAD} days ahead"));
    }
    Ok(day)
}

fn same_place(a: &ExchangeRate, b: &ExchangeRate) -> bool {
    (a.source, a.day, a.from, a.to) == (b.source, b.day, b.from, b.to)
}

/// Stores rates, once by source, day and currencies; another value takes the place of the one before, and both are in the
/// audit log.
pub async fn store_rates(tx: &mut Tx, context: &Context, rates: &[ExchangeRate]) -> Result<StoredRates> {
    let days = || rates.iter().map(|rate| rate.day);
    let Some((first, last)) = days().min().zip(days().max()) else { return Ok(StoredRates::default()) };
    let place = |rate: &ExchangeRate| (rate.source, rate.day, rate.from, rate.to);
    let known: HashMap<_, ExchangeRate> =
        exchange_rate::between(&mut *tx, first, last).await?.into_iter().map(|s| (place(&s.rate), s.rate)).collect();
    let mut done = StoredRates::default();
    let mut to_store = Vec::new();
    let mut new: BTreeMap<RateSource, (NaiveDate, NaiveDate, usize)> = BTreeMap::new();
    for rate in rates {
        match known.get(&place(rate)) {
            Some(before) if before == rate => {
                done.known += 1;
                continue;
            }
            Some(before) => {
                done.changed += 1;
                let subject = format!("{} {}/{} {}", rate.source.name(), rate.from, rate.to, rate.day);
                let detail = serde_json::json!({ "before": before.to_string(), "after": rate.to_string() });
                audit::record(tx, &context.actor, "exchange_rate.change", &subject, &detail, context.at()).await?;
            }
            None => {
                done.new += 1;
                let (from, to, count) = new.entry(rate.source).or_insert((rate.day, rate.day, 0));
                (*from, *to, *count) = ((*from).min(rate.day), (*to).max(rate.day), *count + 1);
            }
        }
        to_store.push(*rate);
    }
    for (source, (from, to, count)) in new {
        let detail = serde_json::json!({ "rates": count, "from": from, "to": to });
        audit::record(tx, &context.actor, "exchange_rate.save", source.name(), &detail, context.at()).await?;
    }
    exchange_rate::put(tx, &to_store, context.at()).await?;
    Ok(done)
}

/// Takes in a file of the Bank of Russia or the ECB, XML or CSV: all of it or nothing. `day` is for a file that says none.
pub async fn import_rates(
    tx: &mut Tx,
    context: &Context,
    bytes: &[u8],
    day: Option<NaiveDate>,
) -> std::result::Result<ImportedRates, ImportError> {
    let read = file::read(bytes, day).map_err(ImportError::Refused)?;
    let mut problems = Vec::new();
    let mut seen: HashMap<(RateSource, NaiveDate, Currency, Currency), ExchangeRate> = HashMap::new();
    for (line, rate) in &read.rates {
        let mut wrong =
            |column: &str, detail: String| problems.push(ImportProblem { line: *line, column: column.to_owned(), detail });
        if let Err(detail) = checked_day(context, rate.day) {
            wrong("date", detail);
        }
        let twin = seen.insert((rate.source, rate.day, rate.from, rate.to), *rate);
        if twin.is_some_and(|twin| twin != *rate) {
            let other = if rate.to == Currency::RUB { rate.from } else { rate.to };
            wrong("currency", format!("{other} has two rates on {}", rate.day));
        }
    }
    if !problems.is_empty() {
        problems.truncate(20);
        return Err(ImportError::Refused(problems));
    }
    let mut rates: Vec<ExchangeRate> = seen.into_values().collect();
    rates.sort_by_key(|rate| (rate.day, rate.from, rate.to));
    let (Some(first), Some(last)) = (rates.first(), rates.last()) else {
        let detail = "there is no rate in it".to_owned();
        return Err(ImportError::Refused(vec![ImportProblem { line: 1, column: "file".to_owned(), detail }]));
    };
    let stored = store_rates(tx, context, &rates).await?;
    Ok(ImportedRates { source: first.source, from: first.day, to: last.day, stored, ignored: read.ignored.into_iter().collect() })
}

/// Converts what a report or list shows, each amount by the rate of its own day, and remembers what there was no rate for.
#[derive(Debug, Default)]
pub struct Converter {
    table: RateTable,
    known: HashMap<(Currency, Currency, NaiveDate), Option<Conversion>>,
    missing: BTreeSet<NoRate>,
}

impl Converter {
    /// One for the days of a span, ends included.
    pub async fn load<'a>(on: impl Into<Reader<'a>>, from: NaiveDate, to: NaiveDate) -> Result<Converter> {
        // No rate is older, and both databases know that year.
        let first = NaiveDate::from_ymd_opt(FIRST_YEAR, 1, 1).unwrap_or_default();
        let earliest = from.max(first) - TimeDelta::days(LONGEST_NEW_YEAR_GAP_DAYS);
        let stored = exchange_rate::between(on, earliest, to).await?;
        Ok(Converter { table: RateTable::new(stored.into_iter().map(|s| s.rate)), ..Converter::default() })
    }

    /// Amounts in another currency, with the rate they were converted by. `None`: there is no rate, which
    /// [`Converter::done`] tells.
    pub fn convert<const N: usize>(
        &mut self,
        minors: [i64; N],
        from: Currency,
        to: Currency,
        day: NaiveDate,
    ) -> Result<Option<([i64; N], &Conversion)>> {
        let table = &self.table;
        let missing = &mut self.missing;
        let found = self
            .known
            .entry((from, to, day))
            .or_insert_with(|| table.conversion(from, to, day).map_err(|none| missing.insert(none)).ok());
        let Some(conversion) = found.as_ref() else { return Ok(None) };
        let mut converted = minors;
        for minor in &mut converted {
            *minor = conversion.of(*minor).map_err(|e| Error::field("/currency", e))?;
        }
        Ok(Some((converted, conversion)))
    }

    /// Refuses the whole if a rate was missing.
    pub fn done(self) -> Result<()> {
        if self.missing.is_empty() { Ok(()) } else { Err(Error::NoRate(self.missing.into_iter().collect())) }
    }
}
