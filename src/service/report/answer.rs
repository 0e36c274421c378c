//! An answer with what stands beside it, another model or another span, as JSON and as a sheet: the same for the API, the
//! command line and the files.

use super::compare::{Changes, Span, changes};
use super::{Asked, Dimension, Figures, Question, Report, Sums, channels, conversion_json, partners};
use crate::domain::attribution::Model;
use crate::domain::money::Money;
use crate::service::export::{Cell, Sheet};
use crate::service::{Error, Result, Tributary};
use serde_json::{Map, Value, json};
use std::collections::HashMap;

type Keys = Vec<Option<String>>;

/// What a report is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of {
    Channels,
    Partners,
}

impl Of {
    fn name(self) -> &'static str {
        match self {
            Of::Channels => "channels",
            Of::Partners => "partners",
        }
    }

    async fn report(self, service: &Tributary, question: Question) -> Result<Report> {
        match self {
            Of::Channels => channels(service, question).await,
            Of::Partners => partners(service, question).await,
        }
    }
}

/// A report, and what stands beside it: rows by their keys, and totals.
#[derive(Debug, Clone)]
pub struct Answer {
    pub of: Of,
    pub report: Report,
    pub other_model: Option<(Model, HashMap<Keys, Sums>, Sums)>,
    pub compared: Option<(Span, HashMap<Keys, Sums>, Sums)>,
}

fn beside(report: Report) -> (HashMap<Keys, Sums>, Sums) {
    (report.rows.into_iter().collect(), report.totals)
}

/// Answers what is asked. Rows that only the other model or span has are there too, with nothing in them.
pub async fn answer(service: &Tributary, asked: Asked, of: Of) -> Result<Answer> {
    let by_time = asked.question.group_by.iter().any(|dimension: &Dimension| dimension.is_of_time());
    if asked.compare.is_some() && by_time {
        return Err(Error::field("/cmp", "cannot be had where rows are days, weeks or months"));
    }
    let mut report = of.report(service, asked.question).await?;
    let same = Question { currency: Some(report.currency), ..report.question.clone() };
    let other_model = match asked.other_model.filter(|_| of == Of::Channels) {
        Some(model) => {
            let (rows, totals) = beside(of.report(service, Question { model, ..same.clone() }).await?);
            Some((model, rows, totals))
        }
        None => None,
    };
    let compared = match asked.compare {
        Some(span) => {
            let question = Question { from: span.from, to: span.to, ..same };
            let (rows, totals) = beside(of.report(service, question).await?);
            Some((span, rows, totals))
        }
        None => None,
    };
    let there: Vec<Keys> = report.rows.iter().map(|(keys, _)| keys.clone()).collect();
    let elsewhere =
        other_model.iter().flat_map(|(_, rows, _)| rows.keys()).chain(compared.iter().flat_map(|(_, rows, _)| rows.keys()));
    let mut missing: Vec<Keys> = elsewhere.filter(|keys| !there.contains(keys)).cloned().collect();
    missing.sort();
    missing.dedup();
    report.rows.extend(missing.into_iter().map(|keys| (keys, Sums::default())));
    Ok(Answer { of, report, other_model, compared })
}

impl Answer {
    /// The changes of a row (`None`: of the totals) against the other span.
    pub fn changes(&self, keys: Option<&Keys>, sums: &Sums) -> Option<Changes> {
        let (span, rows, totals) = self.compared.as_ref()?;
        let none = Sums::default();
        let before = keys.map_or(totals, |keys| rows.get(keys).unwrap_or(&none));
        let question = &self.report.question;
        let now = Span { from: question.from, to: question.to };
        Some(changes((sums, now), (before, *span), question.counting, self.report.currency.decimals()))
    }

    fn row(&self, keys: Option<&Keys>, sums: &Sums, names: &HashMap<String, String>) -> Value {
        let report = &self.report;
        let mut fields = Map::new();
        for (dimension, key) in report.question.group_by.iter().zip(keys.into_iter().flatten()) {
            fields.insert(dimension.name().to_owned(), json!(key));
            if *dimension == Dimension::Partner {
                fields.insert("name".to_owned(), json!(key.as_ref().and_then(|key| names.get(key))));
            }
        }
        if let Value::Object(figures) = json!(report.figures(sums)) {
            fields.extend(figures);
        }
        if let Some(lines) = keys.and_then(|keys| report.converted.get(keys)) {
            fields.insert("converted".to_owned(), lines.iter().map(|line| line.json(report.currency)).collect());
        }
        let none = Sums::default();
        if let Some((_, rows, totals)) = &self.other_model {
            let other = keys.map_or(totals, |keys| rows.get(keys).unwrap_or(&none));
            fields.insert("other_model".to_owned(), json!(report.figures(other)));
        }
        if let Some((_, rows, totals)) = &self.compared {
            let before = keys.map_or(totals, |keys| rows.get(keys).unwrap_or(&none));
            fields.insert("before".to_owned(), json!(report.figures(before)));
            fields.insert("changes".to_owned(), json!(self.changes(keys, sums)));
        }
        Value::Object(fields)
    }

    /// `{from, to, model, currency, data: [rows], totals, …}`; `names` are those of partners.
    pub fn json(&self, names: &HashMap<String, String>) -> Value {
        let report = &self.report;
        let data: Vec<Value> = report.rows.iter().map(|(keys, sums)| self.row(Some(keys), sums, names)).collect();
        json!({
            "from": report.question.from,
            "to": report.question.to,
            "model": report.question.model,
            "other_model": self.other_model.as_ref().map(|(model, ..)| model),
            "compared_with": self.compared.as_ref().map(|(span, ..)| span),
            "filters": report.question.filters.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "currency": report.currency,
            "visitors_error_percent": report.visitors_error,
            "data": data,
            "totals": self.row(None, &report.totals, names),
            "other_currencies": report.other_currencies,
            "rates": report.conversions().into_iter().map(conversion_json).collect::<Vec<_>>(),
        })
    }

    /// Rows under their head, totals last.
    pub fn sheet(&self) -> Sheet {
        let report = &self.report;
        let mut head: Vec<String> = report.question.group_by.iter().map(|dimension| dimension.name().to_owned()).collect();
        head.extend(COLUMNS.map(str::to_owned));
        head.push("currency".to_owned());
        if report.question.convert {
            head.push("rates".to_owned());
        }
        if self.other_model.is_some() {
            head.extend(["orders", "net_revenue", "roi"].map(|name| format!("other_model_{name}")));
        }
        if self.compared.is_some() {
            head.extend(["clicks", "orders", "net_revenue", "roi"].map(|name| format!("before_{name}")));
            head.extend(["clicks", "orders", "cr", "net_revenue", "aov", "roi"].map(|name| format!("change_{name}")));
            head.extend(["orders", "net_revenue", "roi"].map(|name| format!("verdict_{name}")));
        }
        let mut rows: Vec<Vec<Cell>> = report.rows.iter().map(|(keys, sums)| self.cells(Some(keys), sums)).collect();
        rows.push(self.cells(None, &report.totals));
        Sheet { name: self.of.name().to_owned(), head, rows, has_totals: true }
    }

    fn cells(&self, keys: Option<&Keys>, sums: &Sums) -> Vec<Cell> {
        let report = &self.report;
        let mut cells: Vec<Cell> = match keys {
            Some(keys) => keys.iter().map(|key| Cell::of(key.clone(), Cell::Text)).collect(),
            None => {
                let width = report.question.group_by.len();
                (0..width).map(|place| if place == 0 { Cell::Text("total".to_owned()) } else { Cell::Empty }).collect()
            }
        };
        cells.extend(figure_cells(&report.figures(sums)));
        cells.push(Cell::Text(report.currency.code().to_owned()));
        if report.question.convert {
            cells.push(keys.map_or(Cell::Empty, |keys| Cell::Text(report.rates_of(keys))));
        }
        let none = Sums::default();
        if let Some((_, rows, totals)) = &self.other_model {
            let other = report.figures(keys.map_or(totals, |keys| rows.get(keys).unwrap_or(&none)));
            cells.extend([Cell::Number(other.orders), Cell::Money(other.net_revenue), Cell::of(other.roi, Cell::Number)]);
        }
        if let (Some((_, rows, totals)), Some(changes)) = (&self.compared, self.changes(keys, sums)) {
            let before = report.figures(keys.map_or(totals, |keys| rows.get(keys).unwrap_or(&none)));
            cells.extend([
                Cell::Whole(before.clicks),
                Cell::Number(before.orders),
                Cell::Money(before.net_revenue),
                Cell::of(before.roi, Cell::Number),
            ]);
            let told = [changes.clicks, changes.orders, changes.cr, changes.net_revenue, changes.aov, changes.roi];
            cells.extend(told.map(|change| Cell::of(change.change, Cell::Number)));
            let verdicts = [changes.orders, changes.net_revenue, changes.roi].map(|change| json!(change.verdict));
            cells.extend(verdicts.map(|verdict| Cell::of(verdict.as_str().map(str::to_owned), Cell::Text)));
        }
        cells
    }
}

const COLUMNS: [&str; 28] = [
    "clicks",
    "clicks_not_counted",
    "visitors",
    "impressions",
    "leads",
    "orders",
    "new_customers",
    "revenue",
    "refunds",
    "net_revenue",
    "discount",
    "ad_cost",
    "commission",
    "cost",
    "cr",
    "aov",
    "cpc",
    "cpl",
    "cpo",
    "cac",
    "drr",
    "roas",
    "roi",
    "gross_profit",
    "romi",
    "platform_impressions",
    "platform_clicks",
    "platform_clicks_difference",
];

fn figure_cells(f: &Figures) -> [Cell; 28] {
    let money = |money: Option<Money>| Cell::of(money, Cell::Money);
    let number = |number: Option<f64>| Cell::of(number, Cell::Number);
    [
        Cell::Whole(f.clicks),
        Cell::Whole(f.clicks_not_counted),
        Cell::Whole(f.visitors),
        Cell::Whole(f.impressions),
        Cell::Number(f.leads),
        Cell::Number(f.orders),
        Cell::Number(f.new_customers),
        Cell::Money(f.revenue),
        Cell::Money(f.refunds),
        Cell::Money(f.net_revenue),
        Cell::Money(f.discount),
        Cell::Money(f.ad_cost),
        Cell::Money(f.commission),
        Cell::Money(f.cost),
        number(f.cr),
        money(f.aov),
        money(f.cpc),
        money(f.cpl),
        money(f.cpo),
        money(f.cac),
        number(f.drr),
        number(f.roas),
        number(f.roi),
        money(f.gross_profit),
        number(f.romi),
        Cell::Whole(f.platform_impressions),
        Cell::Whole(f.platform_clicks),
        Cell::of(f.platform_clicks_difference, Cell::Whole),
    ]
}
