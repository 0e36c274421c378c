//! What of a report was converted, and by which rates: each amount by the rate of its own day, shown line by line.

use super::{Question, Sums};
use crate::domain::exchange_rate::Conversion;
use crate::domain::money::{Currency, Money};
use crate::service::Result;
use crate::service::exchange_rate::Converter;
use crate::service::rollup::{Brings, Brought};
use crate::store::Db;
use crate::store::credit_day::{CreditDay, CreditSums};
use chrono::NaiveDate;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};

/// Amounts of one currency and day in a row, as they are and as they were converted.
#[derive(Debug, Clone)]
pub struct ConvertedLine {
    pub currency: Currency,
    pub day: NaiveDate,
    pub original: Sums,
    pub converted: Sums,
    pub conversion: Conversion,
}

/// By the keys of a row, then by currency and day.
pub(super) type Lines = HashMap<Vec<Option<String>>, BTreeMap<(Currency, NaiveDate), ConvertedLine>>;

/// An order's or cost's amounts in the currency of the report, with those they were converted from.
pub(super) struct InReport<const N: usize> {
    pub minors: [i64; N],
    pub from: Option<([i64; N], Currency, Conversion)>,
}

/// Brings amounts into the currency of a report, if it is to convert.
pub(super) struct Exchange {
    to: Currency,
    converter: Option<Converter>,
    lines: Lines,
    notes: Vec<Note>,
}

/// What of a line of credit was converted.
pub(super) struct Note {
    pub key: CreditDay,
    pub original: CreditSums,
    pub converted: CreditSums,
    pub from: Currency,
    pub conversion: Conversion,
}

impl Brings for Exchange {
    fn bring(&mut self, minors: [i64; 3], currency: Currency, day: NaiveDate) -> Result<Brought> {
        Ok(match self.in_report(minors, currency, day)? {
            Some(brought) => Brought { minors: brought.minors, currency: self.to, from: brought.from },
            None => Brought { minors, currency, from: None },
        })
    }

    fn note(&mut self, key: &CreditDay, original: &CreditSums, converted: &CreditSums, from: Currency, conversion: &Conversion) {
        let (key, conversion) = (key.clone(), conversion.clone());
        self.notes.push(Note { key, original: *original, converted: *converted, from, conversion });
    }
}

impl Exchange {
    pub async fn of(db: &Db, question: &Question, to: Currency) -> Result<Exchange> {
        let converter = match question.convert {
            true => Some(Converter::load(db, question.from, question.to).await?),
            false => None,
        };
        Ok(Exchange { to, converter, lines: Lines::new(), notes: Vec::new() })
    }

    /// `None`: they are in another currency and stay so.
    pub fn in_report<const N: usize>(
        &mut self,
        minors: [i64; N],
        currency: Currency,
        day: NaiveDate,
    ) -> Result<Option<InReport<N>>> {
        if currency == self.to {
            return Ok(Some(InReport { minors, from: None }));
        }
        let Some(converter) = &mut self.converter else { return Ok(None) };
        let brought = match converter.convert(minors, currency, self.to, day)? {
            Some((converted, rate)) => InReport { minors: converted, from: Some((minors, currency, rate.clone())) },
            // The report is refused at its end, with all that is missing.
            None => InReport { minors: [0; N], from: None },
        };
        Ok(Some(brought))
    }

    /// What was noted since it was asked for last.
    pub fn notes(&mut self) -> Vec<Note> {
        std::mem::take(&mut self.notes)
    }

    /// Adds to what of a row was converted.
    pub fn add(&mut self, keys: &[Option<String>], of: (Currency, &Conversion), add: impl FnOnce(&mut Sums, &mut Sums)) {
        let (currency, conversion) = of;
        let row = self.lines.entry(keys.to_vec()).or_default();
        let line = row.entry((currency, conversion.day)).or_insert_with(|| ConvertedLine {
            currency,
            day: conversion.day,
            original: Sums::default(),
            converted: Sums::default(),
            conversion: conversion.clone(),
        });
        add(&mut line.original, &mut line.converted);
    }

    /// The lines of each row; refuses if a rate was missing.
    pub fn done(self) -> Result<HashMap<Vec<Option<String>>, Vec<ConvertedLine>>> {
        if let Some(converter) = self.converter {
            converter.done()?;
        }
        Ok(self.lines.into_iter().map(|(keys, lines)| (keys, lines.into_values().collect())).collect())
    }
}

/// A conversion as it is answered. `rate` is for reading; amounts are reckoned by `rates` as they were published.
pub fn conversion_json(conversion: &Conversion) -> Value {
    let rates = conversion.rates.iter().map(|rate| {
        json!({
            "source": rate.source, "date": rate.day, "from": rate.from, "units": rate.units, "to": rate.to, "rate": rate.value.to_string(),
        })
    });
    json!({
        "from": conversion.from, "to": conversion.to, "rate": conversion.rate(), "date": conversion.rate_day(),
        "source": conversion.source(), "rates": rates.collect::<Vec<_>>(),
    })
}

impl ConvertedLine {
    /// `{date, currency, revenue, net_revenue, ad_cost, commission, converted: {…}, rate}`.
    pub fn json(&self, to: Currency) -> Value {
        let amounts = |sums: &Sums, currency| {
            json!({
                "revenue": Money::new(sums.revenue_minor, currency),
                "net_revenue": Money::new(sums.net_revenue_minor, currency),
                "ad_cost": Money::new(sums.ad_cost_minor, currency),
                "commission": Money::new(sums.commission_minor, currency),
            })
        };
        let mut line = json!({ "date": self.day, "currency": self.currency });
        if let (Value::Object(line), Value::Object(original)) = (&mut line, amounts(&self.original, self.currency)) {
            line.extend(original);
            line.insert("converted".to_owned(), amounts(&self.converted, to));
            line.insert("rate".to_owned(), conversion_json(&self.conversion));
        }
        line
    }
}
