//! A question as it is written: in the API's query, on the command line, in a page's address.

use super::compare::Span;
use super::{Counting, Dimension, Filter, Question};
use crate::domain::attribution::{HalfLife, Model, Window};
use crate::service::Result;
use crate::service::credit::CreditOptions;
use crate::service::input::{DecimalInput, Problems};
use chrono::{Datelike, NaiveDate, TimeDelta};

/// What is asked, every field as text; an empty one is as if left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReportInput {
    /// Days, inclusive.
    pub from: Option<String>,
    pub to: Option<String>,
    pub model: Option<String>,
    /// A second model, whose figures stand beside.
    pub other_model: Option<String>,
    /// Names parted by commas.
    pub group_by: Option<String>,
    /// Each like `channel:is:email`.
    pub filters: Vec<String>,
    /// `prev`, `year`, or two days like `2026-09-01..2026-09-30`: the span that stands beside.
    pub compare: Option<String>,
    pub currency: Option<String>,
    pub convert: Option<String>,
    pub margin: Option<String>,
    pub discount_is_cost: Option<String>,
    pub click_window_days: Option<String>,
    pub view_window_days: Option<String>,
    pub half_life_days: Option<String>,
    pub split: Option<String>,
}

/// A question, and what stands beside its answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
    pub question: Question,
    pub other_model: Option<Model>,
    pub compare: Option<Span>,
}

impl ReportInput {
    /// The question, with what is left out filled in: the last 30 days, `last_non_direct`, by channel.
    pub fn check(&self, today: NaiveDate) -> Result<Asked> {
        let mut p = Problems::default();
        let day = |p: &mut Problems, pointer: &str, text: &Option<String>| {
            let text = given(text)?;
            let day = text.parse::<NaiveDate>().ok().filter(|day| (1970..=9998).contains(&day.year()));
            p.take(pointer, day.ok_or("must be a day like 2026-11-22"))
        };
        let to = day(&mut p, "/to", &self.to).unwrap_or(today);
        let from = day(&mut p, "/from", &self.from).unwrap_or(to - TimeDelta::days(29));
        let model = p.parse("/model", &self.model).unwrap_or(Model::LastNonDirect);
        let other_model = p.parse("/other_model", &self.other_model);
        let mut group_by: Vec<Dimension> = Vec::new();
        for name in self.group_by.as_deref().unwrap_or_default().split(',').map(str::trim).filter(|name| !name.is_empty()) {
            if let Some(dimension) = p.take("/group_by", name.parse())
                && !group_by.contains(&dimension)
            {
                group_by.push(dimension);
            }
        }
        if group_by.is_empty() {
            group_by.push(Dimension::Channel);
        }
        let filters: Vec<Filter> =
            self.filters.iter().filter(|text| !text.trim().is_empty()).filter_map(|text| p.take("/f", text.parse())).collect();
        let compare = given(&self.compare).and_then(|text| p.take("/cmp", Span::read(text, from, to)));
        let margin = given(&self.margin).map(DecimalInput::from);
        let question = Question {
            from,
            to,
            model,
            group_by,
            filters,
            credit: self.credit(&mut p),
            currency: p.parse("/currency", &self.currency),
            convert: yes_or_no(&mut p, "/convert", &self.convert),
            counting: Counting {
                discount_is_cost: yes_or_no(&mut p, "/discount_is_cost", &self.discount_is_cost),
                margin: p.percent("/margin", &margin),
            },
        };
        p.done()?;
        Ok(Asked { question, other_model, compare })
    }

    fn credit(&self, p: &mut Problems) -> CreditOptions {
        let mut days = |pointer: &str, text: &Option<String>, least: i64| {
            let text = given(text)?;
            let days = text.parse().ok().filter(|days| (least..=Window::MOST_DAYS).contains(days));
            p.take(pointer, days.ok_or_else(|| format!("must be a whole number of days from {least} to {}", Window::MOST_DAYS)))
        };
        let usual = Window::default();
        let half_life = days("/half_life_days", &self.half_life_days, 1).map(TimeDelta::days).and_then(HalfLife::new);
        CreditOptions {
            window: Window {
                click_days: days("/click_window_days", &self.click_window_days, 0).unwrap_or(usual.click_days),
                impression_days: days("/view_window_days", &self.view_window_days, 0).unwrap_or(usual.impression_days),
            },
            half_life: half_life.unwrap_or_default(),
            split_among_conversions: match given(&self.split) {
                None | Some("none") => false,
                Some("conversion") => true,
                Some(_) => {
                    p.add("/split", "must be conversion, or left out");
                    false
                }
            },
        }
    }
}

fn given(text: &Option<String>) -> Option<&str> {
    text.as_deref().map(str::trim).filter(|text| !text.is_empty())
}

fn yes_or_no(p: &mut Problems, pointer: &str, text: &Option<String>) -> bool {
    match given(text) {
        None | Some("false" | "0") => false,
        Some("true" | "1") => true,
        Some(_) => {
            p.add(pointer, "must be true or false");
            false
        }
    }
}
