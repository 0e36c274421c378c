//! What each channel and partner returned: a question, and the rows that answer it. Rows add up to totals in every cut.

mod answer;
mod compare;
mod converted;
mod dimension;
mod gather;
mod input;
mod rates;
mod sums;

pub use answer::{Answer, Of, answer};
pub use compare::{Change, Changes, Span, Verdict, changes};
pub use converted::{ConvertedLine, conversion_json};
pub use dimension::{Comparison, Dimension, Filter};
pub use input::{Asked, ReportInput};
pub use sums::{Figures, Sums};

use super::credit::CreditOptions;
use super::{Error, Result, Tributary};
use crate::domain::attribution::Model;
use crate::domain::money::{Currency, Money, RatePpm};
use crate::store::{Reader, order, partner, program};
use chrono::NaiveDate;
use gather::Credited;
use std::collections::{BTreeMap, HashMap};

/// What counts as cost and profit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counting {
    /// Discounts are a cost as well.
    pub discount_is_cost: bool,
    /// The share of net revenue that is gross profit: with it ROMI is told beside ROI.
    pub margin: Option<RatePpm>,
}

/// What is asked. Days are inclusive, in the merchant's zone.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    pub from: NaiveDate,
    pub to: NaiveDate,
    pub model: Model,
    pub group_by: Vec<Dimension>,
    pub filters: Vec<Filter>,
    pub credit: CreditOptions,
    /// Amounts in other currencies are told apart, never added. Default: that of the programs, else of the orders.
    pub currency: Option<Currency>,
    /// Amounts in other currencies are converted, each by the rate of its own day, and shown with it.
    pub convert: bool,
    pub counting: Counting,
}

impl Question {
    /// Channels by `last_non_direct`, with everything else as usual.
    pub fn usual(from: NaiveDate, to: NaiveDate) -> Question {
        Question {
            from,
            to,
            model: Model::LastNonDirect,
            group_by: vec![Dimension::Channel],
            filters: Vec::new(),
            credit: CreditOptions::default(),
            currency: None,
            convert: false,
            counting: Counting::default(),
        }
    }
}

/// What was left out because it is in another currency.
#[derive(Debug, Clone, serde::Serialize)]
pub struct OtherCurrency {
    pub currency: Currency,
    pub orders: i64,
    pub revenue: Money,
    pub ad_cost: Money,
}

/// A report: rows by their keys, the totals, and what is in other currencies.
#[derive(Debug, Clone)]
pub struct Report {
    pub question: Question,
    pub currency: Currency,
    /// Best net revenue first.
    pub rows: Vec<(Vec<Option<String>>, Sums)>,
    pub totals: Sums,
    /// By how much numbers of visitors may be off, in percent; none: they are exact.
    pub visitors_error: Option<f64>,
    pub other_currencies: Vec<OtherCurrency>,
    /// What of each row was converted, by its keys.
    pub converted: HashMap<Vec<Option<String>>, Vec<ConvertedLine>>,
}

impl Report {
    /// The figures of a row or of the totals.
    pub fn figures(&self, sums: &Sums) -> Figures {
        sums.figures(self.currency, self.question.counting)
    }
}

/// The currency reports are in if none is asked for.
pub async fn default_currency<'a>(on: impl Into<Reader<'a>>) -> Result<Currency> {
    let mut reader = on.into();
    if let Some(program) = program::list(reader.again(), 0, 1).await?.first() {
        return Ok(program.currency);
    }
    Ok(order::first_currency(reader).await?.unwrap_or(Currency::RUB))
}

/// Orders in millionths, their revenue, and ad cost.
type Others = BTreeMap<Currency, (i64, i64, i64)>;

fn other_currencies(others: Others) -> Vec<OtherCurrency> {
    others
        .into_iter()
        .map(|(currency, (orders, revenue, cost))| OtherCurrency {
            currency,
            orders: orders / 1_000_000,
            revenue: Money::new(revenue, currency),
            ad_cost: Money::new(cost, currency),
        })
        .collect()
}

fn check(question: &Question) -> Result<()> {
    if question.from > question.to {
        return Err(Error::field("/to", "lies before from"));
    }
    if (question.to - question.from).num_days() > 3_700 {
        return Err(Error::field("/to", "is more than ten years after from"));
    }
    Ok(())
}

/// The ROI of channels (or what else is grouped by), by analytic credit.
pub async fn channels(service: &Tributary, question: Question) -> Result<Report> {
    check(&question)?;
    gather::report(service, question, Credited::ByModel).await
}

/// What each partner brought, by payable credit: the orders that are owed to them. The first level is the partner.
pub async fn partners(service: &Tributary, mut question: Question) -> Result<Report> {
    check(&question)?;
    question.group_by.retain(|dimension| !matches!(dimension, Dimension::Partner | Dimension::Channel));
    question.group_by.insert(0, Dimension::Partner);
    gather::report(service, question, Credited::Payable).await
}

/// The names of partners by their ids as text, for reports that show them.
pub async fn partner_names<'a>(on: impl Into<Reader<'a>>) -> Result<HashMap<String, String>> {
    let all = partner::list(on, 0, i64::MAX).await?;
    Ok(all.into_iter().map(|p| (p.id.to_string(), p.name)).collect())
}
