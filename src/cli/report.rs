//! `report`.

use crate::config::Config;
use crate::domain::attribution::{HalfLife, Model, Window};
use crate::domain::money::{Currency, Money};
use crate::domain::time::Period;
use crate::service::ad_marking;
use crate::service::credit::CreditOptions;
use crate::service::report::{self, Dimension, Question};
use chrono::{NaiveDate, TimeDelta};
use std::io::Write;
use std::process::ExitCode;

#[derive(Debug, clap::Subcommand)]
pub enum Report {
    /// What each channel returned, by analytic credit
    Channels(Asked),
    /// What each partner brought, by payable credit
    Partners(Asked),
    /// A month's figures for the advertising register, by contract, creative and platform
    AdMarking(AdMarking),
}

#[derive(Debug, clap::Args)]
pub struct AdMarking {
    /// The month, like 2026-10
    #[arg(long)]
    period: Period,
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
}

impl AdMarking {
    async fn run(self, config: &Config) -> anyhow::Result<ExitCode> {
        let report = ad_marking::report(&super::open(config).await?, self.period).await?;
        match self.format {
            Format::Csv => std::io::stdout().write_all(&report.table().csv())?,
            Format::Json => println!("{}", serde_json::to_string_pretty(&report.json())?),
            Format::Table => {
                let head = ["contract", "creative", "erid", "platform", "impressions", "clicks", "commission", "paid"];
                let mut rows = vec![head.map(str::to_owned).to_vec()];
                rows.extend(report.rows.iter().map(ad_marking::AdRow::brief));
                super::print_columns(&rows);
                if report.unmarked_links > 0 {
                    println!("links without the erid that their program requires: {}", report.unmarked_links);
                }
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

#[derive(Debug, clap::Args)]
pub struct Asked {
    /// First day [default: 30 days up to the last]
    #[arg(long)]
    from: Option<NaiveDate>,
    /// Last day [default: today]
    #[arg(long)]
    to: Option<NaiveDate>,
    #[arg(long, default_value = "last_non_direct")]
    model: Model,
    #[arg(long, default_value = "channel", value_delimiter = ',')]
    group_by: Vec<Dimension>,
    #[arg(long)]
    currency: Option<Currency>,
    /// Convert amounts in other currencies, each by the rate of its day
    #[arg(long)]
    convert: bool,
    /// How many days before an order a click still counts
    #[arg(long, value_name = "DAYS", default_value_t = Window::default().click_days, value_parser = clap::value_parser!(i64).range(0..=Window::MOST_DAYS))]
    click_window: i64,
    /// The same of an impression
    #[arg(long, value_name = "DAYS", default_value_t = Window::default().impression_days, value_parser = clap::value_parser!(i64).range(0..=Window::MOST_DAYS))]
    view_window: i64,
    /// After how many days time_decay halves a touch
    #[arg(long, value_name = "DAYS", default_value = "7", value_parser = clap::value_parser!(i64).range(1..=Window::MOST_DAYS))]
    half_life: i64,
    /// conversion: a touch before several orders counts for each by that much less
    #[arg(long, value_enum)]
    split: Option<Split>,
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Split {
    Conversion,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Format {
    Table,
    Csv,
    Json,
}

impl Report {
    pub async fn run(self, config: &Config) -> anyhow::Result<ExitCode> {
        let (asked, of_partners) = match self {
            Report::Channels(asked) => (asked, false),
            Report::Partners(asked) => (asked, true),
            Report::AdMarking(asked) => return asked.run(config).await,
        };
        let service = super::open(config).await?;
        let to = asked.to.unwrap_or_else(|| service.context("report").today());
        let from = asked.from.unwrap_or(to - TimeDelta::days(29));
        let credit = CreditOptions {
            window: Window { click_days: asked.click_window, impression_days: asked.view_window },
            half_life: HalfLife::new(TimeDelta::days(asked.half_life)).unwrap_or_default(),
            split_among_conversions: asked.split == Some(Split::Conversion),
        };
        let question = Question {
            from,
            to,
            model: asked.model,
            group_by: asked.group_by,
            credit,
            currency: asked.currency,
            convert: asked.convert,
        };
        let report =
            if of_partners { report::partners(&service, question).await? } else { report::channels(&service, question).await? };
        match asked.format {
            Format::Csv => std::io::stdout().write_all(&report.table().csv())?,
            Format::Json => {
                let row = |keys: &[Option<String>], sums: &report::Sums| {
                    let mut fields = serde_json::Map::new();
                    for (dimension, key) in report.question.group_by.iter().zip(keys) {
                        fields.insert(dimension.name().to_owned(), serde_json::json!(key));
                    }
                    if let serde_json::Value::Object(figures) = serde_json::json!(sums.figures(report.currency)) {
                        fields.extend(figures);
                    }
                    if let Some(lines) = report.converted.get(keys) {
                        fields.insert("converted".to_owned(), lines.iter().map(|line| line.json(report.currency)).collect());
                    }
                    fields
                };
                let data: Vec<_> = report.rows.iter().map(|(keys, sums)| row(keys, sums)).collect();
                let answer = serde_json::json!({ "data": data, "totals": row(&[], &report.totals), "other_currencies": report.other_currencies });
                println!("{}", serde_json::to_string_pretty(&answer)?);
            }
            Format::Table => print_table(&report),
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn print_table(report: &report::Report) {
    let mut rows: Vec<Vec<String>> = Vec::new();
    let mut head: Vec<String> = report.question.group_by.iter().map(|d| d.name().to_owned()).collect();
    head.extend(
        ["clicks", "not counted", "visitors", "orders", "new", "net revenue", "cost", "commission", "ROI %"].map(str::to_owned),
    );
    rows.push(head);
    let line = |keys: Vec<String>, sums: &report::Sums| {
        let f = sums.figures(report.currency);
        let mut cells = keys;
        cells.extend([f.clicks, f.clicks_not_counted, f.visitors].map(|n| n.to_string()));
        cells.extend([f.orders, f.new_customers].map(|n| format!("{n:.2}")));
        cells.extend([f.net_revenue, f.cost, f.commission].map(Money::decimal));
        cells.push(f.roi.map_or("—".to_owned(), |r| format!("{r:.2}")));
        cells
    };
    for (keys, sums) in &report.rows {
        rows.push(line(keys.iter().map(|k| k.clone().unwrap_or_else(|| "—".to_owned())).collect(), sums));
    }
    let mut total = vec![String::new(); report.question.group_by.len()];
    "total".clone_into(&mut total[0]);
    rows.push(line(total, &report.totals));
    println!("{} to {}, {}, {}", report.question.from, report.question.to, report.question.model, report.currency);
    super::print_columns(&rows);
    for conversion in report.conversions() {
        println!("converted on {}: {conversion}", conversion.day);
    }
    for other in &report.other_currencies {
        println!("not in it: {} orders over {}, ad cost {}", other.orders, other.revenue, other.ad_cost);
    }
}
