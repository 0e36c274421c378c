//! Customers by the month of their first order: retention, orders, revenue and LTV of each month after it.

use super::export::{Cell, Sheet};
use super::input::Problems;
use super::report::{ReportInput, default_currency};
use super::{Result, Tributary};
use crate::domain::cohort::{Cohort, CohortMonth, CohortOrder, cohorts};
use crate::domain::figures;
use crate::domain::money::{Currency, Money, RatePpm, divide_half_even};
use crate::domain::time::Period;
use crate::store::journey;
use chrono::{Months, NaiveDate};
use serde_json::{Value, json};

/// What is asked.
#[derive(Debug, Clone, Copy)]
pub struct Asked {
    /// The first month of a first order.
    pub from: Period,
    /// The last day looked at.
    pub to: NaiveDate,
    pub currency: Option<Currency>,
    /// With it, LTV is of gross profit.
    pub margin: Option<RatePpm>,
}

impl Asked {
    /// What is asked of cohorts; without a first month, the last twelve. What they do not look at is refused, not passed over.
    pub fn of(input: &ReportInput, today: NaiveDate) -> Result<Asked> {
        let question = input.check(today)?.question;
        let mut p = Problems::default();
        for (pointer, is_given) in [
            ("/model", input.model.is_some()),
            ("/other_model", input.other_model.is_some()),
            ("/group_by", input.group_by.is_some()),
            ("/f", !input.filters.is_empty()),
            ("/cmp", input.compare.is_some()),
            ("/convert", question.convert),
            ("/discount_is_cost", question.counting.discount_is_cost),
        ] {
            if is_given {
                p.add(pointer, "is nothing that cohorts look at");
            }
        }
        if input.from.is_some() && question.from > question.to {
            p.add("/to", "lies before from");
        }
        p.done()?;
        let a_year = question.to.checked_sub_months(Months::new(11)).unwrap_or(question.to);
        let first = if input.from.is_some() { question.from } else { a_year };
        Ok(Asked { from: Period::of(first), to: question.to, currency: question.currency, margin: question.counting.margin })
    }
}

/// The answer.
#[derive(Debug, Clone)]
pub struct Report {
    pub from: Period,
    pub to: NaiveDate,
    pub currency: Currency,
    pub margin: Option<RatePpm>,
    pub cohorts: Vec<Cohort>,
    /// Orders in other currencies, which are in none of it.
    pub other_orders: u64,
}

/// Reckons cohorts from all approved orders.
pub async fn report(service: &Tributary, asked: Asked) -> Result<Report> {
    let currency = match asked.currency {
        Some(currency) => currency,
        None => default_currency(&service.db).await?,
    };
    let all = journey::orders(&service.db).await?;
    let ours = |order: &&journey::CreditOrder| order.currency == currency;
    let orders: Vec<CohortOrder<_>> = all
        .iter()
        .filter(ours)
        .map(|order| CohortOrder {
            person: order.person,
            day: order.day,
            revenue_minor: order.total_minor,
            net_revenue_minor: order.total_minor - order.refunded_minor,
        })
        .collect();
    let other_orders = (all.len() - orders.len()) as u64;
    let cohorts = cohorts(&orders, asked.from, asked.to);
    Ok(Report { from: asked.from, to: asked.to, currency, margin: asked.margin, cohorts, other_orders })
}

impl Report {
    fn money(&self, minor: i64) -> Money {
        Money::new(minor, self.currency)
    }

    /// What a customer of a cohort has brought by the end of a month, counted from the first order.
    pub fn ltv(&self, cohort: &Cohort, month: usize) -> Option<Money> {
        let net = cohort.net_revenue_to(month);
        let worth = self.margin.map_or(net, |margin| margin.of(net));
        divide_half_even(i128::from(worth), i128::from(cohort.customers)).map(|minor| self.money(minor))
    }

    fn month(&self, cohort: &Cohort, number: usize, month: &CohortMonth) -> Value {
        json!({
            "month": number,
            "customers": month.customers,
            "retention": figures::percent(month.customers as f64, cohort.customers as f64),
            "orders": month.orders,
            "revenue": self.money(month.revenue_minor),
            "net_revenue": self.money(month.net_revenue_minor),
            "ltv": self.ltv(cohort, number),
        })
    }

    /// `{from, to, currency, data: [{cohort, customers, repeat_customers, repeat_rate, months: [{month, customers, retention,
    /// orders, revenue, net_revenue, ltv}]}], other_orders}`.
    pub fn json(&self) -> Value {
        let cohort = |cohort: &Cohort| {
            let months = cohort.months.iter().enumerate().map(|(number, month)| self.month(cohort, number, month));
            json!({
                "cohort": cohort.month,
                "customers": cohort.customers,
                "repeat_customers": cohort.repeat_customers,
                "repeat_rate": figures::percent(cohort.repeat_customers as f64, cohort.customers as f64),
                "months": months.collect::<Vec<_>>(),
            })
        };
        json!({
            "from": self.from,
            "to": self.to,
            "currency": self.currency,
            "data": self.cohorts.iter().map(cohort).collect::<Vec<_>>(),
            "other_orders": self.other_orders,
        })
    }

    /// A row for each cohort and month.
    pub fn sheet(&self) -> Sheet {
        let head = [
            "cohort",
            "month",
            "cohort_customers",
            "customers",
            "retention",
            "orders",
            "revenue",
            "net_revenue",
            "ltv",
            "currency",
        ];
        let mut rows = Vec::new();
        for cohort in &self.cohorts {
            for (number, month) in cohort.months.iter().enumerate() {
                rows.push(vec![
                    Cell::Text(cohort.month.to_string()),
                    Cell::Whole(number as i64),
                    Cell::Whole(cohort.customers),
                    Cell::Whole(month.customers),
                    Cell::of(figures::percent(month.customers as f64, cohort.customers as f64), Cell::Number),
                    Cell::Whole(month.orders),
                    Cell::Money(self.money(month.revenue_minor)),
                    Cell::Money(self.money(month.net_revenue_minor)),
                    Cell::of(self.ltv(cohort, number), Cell::Money),
                    Cell::Text(self.currency.code().to_owned()),
                ]);
            }
        }
        Sheet { name: "cohorts".to_owned(), head: head.map(str::to_owned).to_vec(), rows, has_totals: false }
    }
}
