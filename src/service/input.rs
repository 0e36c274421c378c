//! What comes in by API and by file, as it is written; `check` turns it into values that are right.
//!
//! Errors are gathered, each with a JSON pointer; an import names the column of the same field.

use super::{Error, FieldError, Result};
use crate::domain::money::{Currency, Money, RatePpm};
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::BTreeMap;
use std::str::FromStr;

/// How far a clock elsewhere may run ahead of ours.
const CLOCK_SKEW: TimeDelta = TimeDelta::minutes(5);

/// A decimal amount or percentage as text. Read from a string, a number, or `{"amount","currency"}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecimalInput {
    pub text: String,
    pub currency: Option<String>,
}

impl utoipa::PartialSchema for DecimalInput {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        String::schema()
    }
}

impl utoipa::ToSchema for DecimalInput {}

impl From<&str> for DecimalInput {
    fn from(text: &str) -> Self {
        DecimalInput { text: text.trim().to_owned(), currency: None }
    }
}

impl<'de> serde::Deserialize<'de> for DecimalInput {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> std::result::Result<Self, D::Error> {
        #[derive(serde::Deserialize)]
        #[serde(untagged)]
        enum Wire {
            Text(String),
            Number(serde_json::Number),
            Money { amount: String, currency: String },
        }
        let wire = Wire::deserialize(d).map_err(|_| serde::de::Error::custom("must be a decimal like \"1990.00\""))?;
        Ok(match wire {
            Wire::Text(text) => DecimalInput { text, currency: None },
            Wire::Number(number) => DecimalInput { text: number.to_string(), currency: None },
            Wire::Money { amount, currency } => DecimalInput { text: amount, currency: Some(currency) },
        })
    }
}

/// A value that may be left out, be null, or be there.
pub fn maybe_null<'de, T, D>(d: D) -> std::result::Result<Option<Option<T>>, D::Error>
where
    T: serde::Deserialize<'de>,
    D: serde::Deserializer<'de>,
{
    serde::Deserialize::deserialize(d).map(Some)
}

/// Gathers what is wrong with an input.
#[derive(Debug, Default)]
pub struct Problems(pub Vec<FieldError>);

impl Problems {
    pub fn add(&mut self, pointer: &str, detail: impl std::fmt::Display) {
        self.0.push(FieldError { pointer: pointer.to_owned(), detail: detail.to_string() });
    }

    /// The value, or `None` with the error noted.
    pub fn take<T, E: std::fmt::Display>(&mut self, pointer: &str, result: std::result::Result<T, E>) -> Option<T> {
        result.map_err(|e| self.add(pointer, e)).ok()
    }

    pub fn required<T>(&mut self, pointer: &str, value: Option<T>) -> Option<T> {
        if value.is_none() {
            self.add(pointer, "is required");
        }
        value
    }

    /// A text of one line, or none; an empty one counts as none.
    pub fn line(&mut self, pointer: &str, text: &Option<String>, longest: usize) -> Option<String> {
        let text = text.as_deref().map(str::trim).filter(|t| !t.is_empty())?;
        self.take(pointer, crate::domain::text::line(text, longest))
    }

    pub fn parse<T: FromStr<Err: std::fmt::Display>>(&mut self, pointer: &str, text: &Option<String>) -> Option<T> {
        let text = text.as_deref().map(str::trim).filter(|t| !t.is_empty())?;
        self.take(pointer, text.parse())
    }

    /// A word of a closed list, by its serde name.
    pub fn word<T: serde::de::DeserializeOwned>(&mut self, pointer: &str, text: &Option<String>) -> Option<T> {
        let text = text.as_deref().map(str::trim).filter(|t| !t.is_empty())?;
        let value = serde_json::from_value(serde_json::Value::String(text.to_lowercase()));
        self.take(pointer, value.map_err(|e| e.to_string().replace("unknown variant", "unknown value")))
    }

    /// An amount that is not negative, in minor units of `currency`.
    pub fn amount(&mut self, pointer: &str, amount: &Option<DecimalInput>, currency: Option<Currency>) -> Option<i64> {
        let amount = amount.as_ref()?;
        let currency = currency?;
        if amount.currency.as_deref().is_some_and(|c| c != currency.code()) {
            self.add(pointer, format!("must be in {currency}"));
            return None;
        }
        self.take(pointer, Money::parse_not_negative(&amount.text, currency)).map(Money::minor)
    }

    pub fn percent(&mut self, pointer: &str, percent: &Option<DecimalInput>) -> Option<RatePpm> {
        let percent = percent.as_ref()?;
        self.take(pointer, RatePpm::from_percent(&percent.text))
    }

    pub fn number(&mut self, pointer: &str, number: Option<i64>, least: i64, most: i64) -> Option<i64> {
        let number = number?;
        if (least..=most).contains(&number) {
            Some(number)
        } else {
            self.add(pointer, format!("must be from {least} to {most}"));
            None
        }
    }

    pub fn instant(&mut self, pointer: &str, text: &Option<String>) -> Option<DateTime<Utc>> {
        let text = text.as_deref().map(str::trim).filter(|t| !t.is_empty())?;
        let at = DateTime::parse_from_rfc3339(text).map_err(|_| "must be a time like 2026-11-22T10:00:00Z");
        let at = self.take(pointer, at)?.with_timezone(&Utc);
        if !(1970..=9999).contains(&chrono::Datelike::year(&at)) {
            self.add(pointer, "must be between the years 1970 and 9999");
            return None;
        }
        Some(crate::domain::time::whole_micros(at))
    }

    /// An instant that something can have happened at: not in the future, give or take another clock's error, and not
    /// before 2000, which no shop's clock has seen.
    pub fn past_instant(&mut self, pointer: &str, text: &Option<String>, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let at = self.instant(pointer, text)?;
        if at > now + CLOCK_SKEW {
            self.add(pointer, "is in the future");
            return None;
        }
        if chrono::Datelike::year(&at) < 2000 {
            self.add(pointer, "is before the year 2000");
            return None;
        }
        Some(at)
    }

    /// UTM fields under `source`, `medium` … or `utm_source`, `utm_medium` ….
    pub fn utm(&mut self, pointer: &str, utm: &Option<BTreeMap<String, String>>) -> BTreeMap<String, String> {
        let mut fields = BTreeMap::new();
        for (name, value) in utm.iter().flatten() {
            let field = name.strip_prefix("utm_").unwrap_or(name);
            if !["source", "medium", "campaign", "content", "term"].contains(&field) {
                self.add(&format!("{pointer}/{name}"), "is no UTM field");
            } else if let Some(value) = self.line(&format!("{pointer}/{name}"), &Some(value.clone()), 500) {
                fields.insert(field.to_owned(), value);
            }
        }
        fields
    }

    /// `Ok` if nothing was wrong.
    pub fn done(self) -> Result<()> {
        if self.0.is_empty() { Ok(()) } else { Err(Error::Invalid(self.0)) }
    }

    /// Unwraps what [`Problems`] has found to be there; the error otherwise.
    pub fn all<T>(self, value: Option<T>) -> Result<T> {
        match value {
            Some(value) if self.0.is_empty() => Ok(value),
            _ => Err(Error::Invalid(self.0)),
        }
    }
}
