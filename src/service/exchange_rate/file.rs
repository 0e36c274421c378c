//! Files of exchange rates: the Bank of Russia's daily XML (`ValCurs`) and its table as CSV, the ECB's `eurofxref` XML and
//! CSV, daily and history. What is not understood is an error that says where.

mod sheet;
mod xml;

use crate::domain::exchange_rate::{ExchangeRate, RateSource, RateValue};
use crate::domain::money::Currency;
use crate::service::import::ImportProblem;
use chrono::NaiveDate;
use std::collections::BTreeSet;

/// What a file says; lines count from 1.
#[derive(Debug, Default)]
pub(super) struct RateFile {
    pub rates: Vec<(u64, ExchangeRate)>,
    /// Codes of currencies that are none (any more).
    pub ignored: BTreeSet<String>,
}

type Problems = Vec<ImportProblem>;

/// After so many problems a file is given up.
const MOST_PROBLEMS: usize = 20;

fn problem(line: u64, column: &str, detail: impl std::fmt::Display) -> ImportProblem {
    ImportProblem { line, column: column.to_owned(), detail: detail.to_string() }
}

/// Reads a file in whichever of the formats it is; `day` is for a table that has no date.
pub(super) fn read(bytes: &[u8], day: Option<NaiveDate>) -> Result<RateFile, Problems> {
    let text = decoded(bytes);
    let start = text.trim_start();
    if start.is_empty() {
        return Err(vec![problem(1, "file", "is empty")]);
    }
    if bytes.starts_with(b"PK") {
        return Err(vec![problem(1, "file", "is a ZIP archive: unpack it first")]);
    }
    if start.starts_with('<') { xml::read(&text) } else { sheet::read(&text, day) }
}

/// UTF-8 where it is that, else what an XML declaration says, else windows-1251.
fn decoded(bytes: &[u8]) -> String {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return text.trim_start_matches('\u{feff}').to_owned();
    }
    let head = bytes.get(..200.min(bytes.len())).unwrap_or_default();
    let head = String::from_utf8_lossy(head);
    let said = head.split("encoding=").nth(1).and_then(|rest| rest.get(1..)).and_then(|rest| rest.split(['"', '\'']).next());
    let encoding = said.and_then(|name| encoding_rs::Encoding::for_label(name.as_bytes()));
    encoding.unwrap_or(encoding_rs::WINDOWS_1251).decode(bytes).0.into_owned()
}

/// A day as either bank writes it: `28.11.2026`, `28/11/2026`, `2026-11-28`, `28 November 2026`.
fn read_day(text: &str) -> Result<NaiveDate, String> {
    let text = text.trim();
    let formats = ["%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y", "%d %B %Y", "%d %b %Y"];
    let found = formats.into_iter().find_map(|format| NaiveDate::parse_from_str(text, format).ok());
    // `%Y` takes two digits too.
    let found = found.filter(|day| (1900..=9998).contains(&chrono::Datelike::year(day)));
    found.ok_or_else(|| format!("'{}' is not a day like 28.11.2026", text.chars().take(40).collect::<String>()))
}

/// A rate of the Bank of Russia: so many roubles for `units` of a currency. `None`: the currency is none.
fn cbr(day: NaiveDate, (code, units, value): (&str, &str, &str), wrong: &mut impl FnMut(&str, String)) -> Option<ExchangeRate> {
    let units = units.trim().replace(['\u{a0}', ' '], "");
    let parsed = units.parse::<i64>().ok().filter(|n| (1..=crate::domain::exchange_rate::MOST_UNITS).contains(n));
    if parsed.is_none() {
        wrong("Nominal", format!("'{units}' is not a number of units from 1 to 1000000"));
    }
    let value = RateValue::parse(&value.trim().replace(['\u{a0}', ' '], "")).map_err(|e| wrong("Value", e.to_string())).ok();
    let from = known(code)?;
    if from == Currency::RUB {
        wrong("CharCode", "is the rouble itself".to_owned());
        return None;
    }
    Some(ExchangeRate { source: RateSource::Cbr, day, from, units: parsed?, to: Currency::RUB, value: value? })
}

/// A rate of the ECB: so much for one euro.
fn ecb(day: NaiveDate, (code, value): (&str, &str), wrong: &mut impl FnMut(&str, String)) -> Option<ExchangeRate> {
    let value = RateValue::parse(value.trim()).map_err(|e| wrong(code, e.to_string())).ok();
    let to = known(code)?;
    if to == Currency::EUR {
        wrong("currency", "is the euro itself".to_owned());
        return None;
    }
    Some(ExchangeRate { source: RateSource::Ecb, day, from: Currency::EUR, units: 1, to, value: value? })
}

fn known(code: &str) -> Option<Currency> {
    code.trim().parse().ok()
}
