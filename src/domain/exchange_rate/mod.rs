//! Dated exchange rates: exact decimals, and conversion that rounds once.
//!
//! A rate says what so many units of one currency are worth in another on one day, as a source published it: the Bank of
//! Russia in roubles for 1, 10, 100 … units, the ECB in units of each currency for one euro. Nothing here is a float.

mod table;
#[cfg(test)]
mod tests;

pub use table::{LONGEST_GAP_DAYS, LONGEST_NEW_YEAR_GAP_DAYS, NoRate, RateTable};

use super::money::{Currency, divide_half_even};
use chrono::NaiveDate;

/// Who published a rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RateSource {
    /// Set by hand, as two parties agreed on it: comes before all others.
    Manual,
    /// The Bank of Russia: so many roubles.
    Cbr,
    /// The European Central Bank: so much for one euro.
    Ecb,
}

impl RateSource {
    pub const ALL: [RateSource; 3] = [RateSource::Manual, RateSource::Cbr, RateSource::Ecb];

    pub fn name(self) -> &'static str {
        match self {
            RateSource::Manual => "manual",
            RateSource::Cbr => "cbr",
            RateSource::Ecb => "ecb",
        }
    }

    /// The currency that all rates of the source are of; cross rates go through it.
    pub fn base(self) -> Option<Currency> {
        match self {
            RateSource::Manual => None,
            RateSource::Cbr => Some(Currency::RUB),
            RateSource::Ecb => Some(Currency::EUR),
        }
    }
}

/// A decimal above zero: `numerator / 10^scale`, without zeros at its end, so that equal values are equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RateValue {
    numerator: i64,
    scale: u32,
}

/// The text is no rate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a rate above zero like 81.2573, with at most 15 digits, 12 of them after the point")]
pub struct WrongRate(String);

impl RateValue {
    const MOST_DIGITS: usize = 15;
    const MOST_DECIMALS: usize = 12;

    /// Reads `81.2573` or `81,2573`.
    pub fn parse(text: &str) -> Result<RateValue, WrongRate> {
        let wrong = || WrongRate(text.chars().take(40).collect());
        let (whole, fraction) = match text.split_once(['.', ',']) {
            Some((_, "")) => return Err(wrong()),
            Some(parts) => parts,
            None => (text, ""),
        };
        let fraction = fraction.trim_end_matches('0');
        let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || !digits(whole) || !digits(fraction) || fraction.len() > Self::MOST_DECIMALS {
            return Err(wrong());
        }
        let all = format!("{whole}{fraction}");
        let significant = all.trim_start_matches('0');
        if significant.is_empty() || significant.len() > Self::MOST_DIGITS {
            return Err(wrong());
        }
        let numerator = significant.parse().map_err(|_| wrong())?;
        Ok(RateValue { numerator, scale: fraction.len() as u32 })
    }

    /// From what was stored.
    pub fn new(numerator: i64, scale: i64) -> Option<RateValue> {
        let scale = u32::try_from(scale).ok().filter(|s| *s as usize <= Self::MOST_DECIMALS)?;
        (numerator > 0).then_some(RateValue { numerator, scale })
    }

    pub fn numerator(self) -> i64 {
        self.numerator
    }

    pub fn scale(self) -> u32 {
        self.scale
    }
}

impl std::fmt::Display for RateValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let scale = self.scale as usize;
        let digits = format!("{:0width$}", self.numerator, width = scale + 1);
        let (whole, fraction) = digits.split_at(digits.len() - scale);
        f.write_str(whole)?;
        if fraction.is_empty() { Ok(()) } else { write!(f, ".{fraction}") }
    }
}

/// The most units that a rate is for.
pub const MOST_UNITS: i64 = 1_000_000;

/// What `units` of `from` were worth in `to` on a day: `value`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExchangeRate {
    pub source: RateSource,
    pub day: NaiveDate,
    pub from: Currency,
    /// 1 to [`MOST_UNITS`].
    pub units: i64,
    pub to: Currency,
    pub value: RateValue,
}

/// `100 JPY = 58.1234 RUB`.
impl std::fmt::Display for ExchangeRate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} = {} {}", self.units, self.from, self.value, self.to)
    }
}

/// An amount too large to be converted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the amount is too large to convert")]
pub struct TooLarge;

/// How amounts of one currency become those of another on a day: by no rate (the same currency), by one, or by two
/// through the currency that both are published in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conversion {
    pub from: Currency,
    pub to: Currency,
    /// The day it is for.
    pub day: NaiveDate,
    /// The rates as published, each of `day` or the latest before it.
    pub rates: Vec<ExchangeRate>,
}

impl Conversion {
    /// What an amount is in the other currency, in whole minor units; halves go to the even neighbour. With two rates
    /// it is rounded once, at the end.
    pub fn of(&self, minor: i64) -> Result<i64, TooLarge> {
        let (numerator, denominator) = self.fraction(self.from.decimals(), self.to.decimals()).ok_or(TooLarge)?;
        let product = i128::from(minor).checked_mul(numerator).ok_or(TooLarge)?;
        divide_half_even(product, denominator).ok_or(TooLarge)
    }

    /// What one unit is worth, to at most ten decimals, for people to read; amounts are reckoned by the rates themselves.
    pub fn rate(&self) -> String {
        const DECIMALS: u32 = 10;
        let rounded = self.fraction(0, DECIMALS).and_then(|(n, d)| divide_half_even(n, d));
        let numerator = rounded.and_then(|n| RateValue::new(n, i64::from(DECIMALS)));
        let text = numerator.map(|value| value.to_string()).unwrap_or_default();
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    }

    /// The day of the oldest rate in it; that of the conversion where there is none.
    pub fn rate_day(&self) -> NaiveDate {
        self.rates.iter().map(|rate| rate.day).min().unwrap_or(self.day)
    }

    pub fn source(&self) -> Option<RateSource> {
        self.rates.first().map(|rate| rate.source)
    }

    /// One of `from`, counted with `from_decimals`, in units of `to` with `to_decimals`: numerator and denominator.
    fn fraction(&self, from_decimals: u32, to_decimals: u32) -> Option<(i128, i128)> {
        let power = |exponent: u32| 10_i128.checked_pow(exponent);
        let (mut numerator, mut denominator) = (power(to_decimals)?, power(from_decimals)?);
        let mut at = self.from;
        for rate in &self.rates {
            let value = i128::from(rate.value.numerator);
            let units = i128::from(rate.units).checked_mul(power(rate.value.scale)?)?;
            let (by, over) = if rate.from == at { (value, units) } else { (units, value) };
            at = if rate.from == at { rate.to } else { rate.from };
            numerator = numerator.checked_mul(by)?;
            denominator = denominator.checked_mul(over)?;
            let common = greatest_common(numerator, denominator);
            (numerator, denominator) = (numerator / common, denominator / common);
        }
        Some((numerator, denominator))
    }
}

/// `1 USD = 81.2573 RUB (cbr, 2026-11-28)`; of a cross rate, its parts.
impl std::fmt::Display for Conversion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (index, rate) in self.rates.iter().enumerate() {
            write!(f, "{}{rate} ({}, {})", if index > 0 { ", " } else { "" }, rate.source.name(), rate.day)?;
        }
        Ok(())
    }
}

fn greatest_common(mut a: i128, mut b: i128) -> i128 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a.max(1)
}
