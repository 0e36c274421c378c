//! `report`.

use crate::config::Config;
use crate::domain::money::Money;
use crate::domain::time::Period;
use crate::service::export::{Cell, Sheet, workbook};
use crate::service::report::{self, Of, ReportInput};
use crate::service::{Error, ad_marking, cohorts};
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Debug, clap::Subcommand)]
pub enum Report {
    /// What each channel returned, by analytic credit
    Channels(Asked),
    /// What each partner brought, by payable credit
    Partners(Asked),
    /// Customers by the month of their first order: orders, revenue, retention and LTV of each month after it
    Cohorts(Asked),
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
    from: Option<String>,
    /// Last day [default: today]
    #[arg(long)]
    to: Option<String>,
    /// [default: last_non_direct]
    #[arg(long)]
    model: Option<String>,
    /// A second model, whose figures stand beside
    #[arg(long, value_name = "MODEL")]
    other_model: Option<String>,
    /// channel, source, medium, campaign, content, term, partner, link, promo_code, country, device, customer, day, week, month;
    /// several parted by commas [default: channel]
    #[arg(long)]
    group_by: Option<String>,
    /// Like channel:is:email, source:is_not:google, campaign:contains:sale; several times, if need be
    #[arg(long, value_name = "FILTER")]
    filter: Vec<String>,
    /// Another span beside: prev, year, or two days like 2026-09-01..2026-09-30
    #[arg(long, value_name = "SPAN")]
    compare: Option<String>,
    #[arg(long)]
    currency: Option<String>,
    /// Convert amounts in other currencies, each by the rate of its day
    #[arg(long)]
    convert: bool,
    /// Gross profit in percent of net revenue, for ROMI
    #[arg(long, value_name = "PERCENT")]
    margin: Option<String>,
    /// Count discounts as a cost
    #[arg(long)]
    discount_is_cost: bool,
    /// How many days before an order a click still counts [default: 90]
    #[arg(long, value_name = "DAYS")]
    click_window: Option<String>,
    /// The same of an impression [default: 1]
    #[arg(long, value_name = "DAYS")]
    view_window: Option<String>,
    /// After how many days time_decay halves a touch [default: 7]
    #[arg(long, value_name = "DAYS")]
    half_life: Option<String>,
    /// conversion: a touch before several orders counts for each by that much less
    #[arg(long)]
    split: Option<String>,
    #[arg(long, value_enum, default_value = "table")]
    format: SheetFormat,
    /// Where to write [default: standard output]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Format {
    Table,
    Csv,
    Json,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum SheetFormat {
    Table,
    Csv,
    Json,
    Xlsx,
}

impl Report {
    pub async fn run(self, config: &Config) -> anyhow::Result<ExitCode> {
        let (asked, of) = match self {
            Report::Channels(asked) => (asked, Of::Channels),
            Report::Partners(asked) => (asked, Of::Partners),
            Report::Cohorts(asked) => return asked.cohorts(config).await,
            Report::AdMarking(asked) => return asked.run(config).await,
        };
        let service = super::open(config).await?;
        let question = match asked.input().check(service.context("report").today()) {
            Ok(question) => question,
            Err(error) => return refused(error),
        };
        let answer = report::answer(&service, question, of).await?;
        if matches!(asked.format, SheetFormat::Table) {
            print_table(&answer.report);
            return Ok(ExitCode::SUCCESS);
        }
        let names = report::partner_names(&service.db).await?;
        asked.write(&answer.sheet(), || answer.json(&names))
    }
}

impl Asked {
    fn input(&self) -> ReportInput {
        let yes = |ticked: bool| ticked.then(|| "true".to_owned());
        ReportInput {
            from: self.from.clone(),
            to: self.to.clone(),
            model: self.model.clone(),
            other_model: self.other_model.clone(),
            group_by: self.group_by.clone(),
            filters: self.filter.clone(),
            compare: self.compare.clone(),
            currency: self.currency.clone(),
            convert: yes(self.convert),
            margin: self.margin.clone(),
            discount_is_cost: yes(self.discount_is_cost),
            click_window_days: self.click_window.clone(),
            view_window_days: self.view_window.clone(),
            half_life_days: self.half_life.clone(),
            split: self.split.clone(),
        }
    }

    /// Writes a sheet, or what it is as JSON.
    fn write(&self, sheet: &Sheet, json: impl FnOnce() -> serde_json::Value) -> anyhow::Result<ExitCode> {
        let bytes = match self.format {
            SheetFormat::Csv => sheet.table().csv(),
            SheetFormat::Json => format!("{}\n", serde_json::to_string_pretty(&json())?).into_bytes(),
            SheetFormat::Xlsx => workbook(std::slice::from_ref(sheet))?,
            SheetFormat::Table => {
                let text = |row: &Vec<Cell>| row.iter().map(Cell::text).collect::<Vec<_>>();
                let rows: Vec<Vec<String>> = std::iter::once(sheet.head.clone()).chain(sheet.rows.iter().map(text)).collect();
                super::print_columns(&rows);
                return Ok(ExitCode::SUCCESS);
            }
        };
        match &self.out {
            Some(path) => std::fs::write(path, bytes)?,
            None => std::io::stdout().write_all(&bytes)?,
        }
        Ok(ExitCode::SUCCESS)
    }

    async fn cohorts(self, config: &Config) -> anyhow::Result<ExitCode> {
        let service = super::open(config).await?;
        let asked = match cohorts::Asked::of(&self.input(), service.context("report").today()) {
            Ok(asked) => asked,
            Err(error) => return refused(error),
        };
        let report = cohorts::report(&service, asked).await?;
        self.write(&report.sheet(), || report.json())
    }
}

/// Tells what of a question cannot be answered: wrong usage.
fn refused(error: Error) -> anyhow::Result<ExitCode> {
    let Error::Invalid(fields) = error else { return Err(error.into()) };
    for field in fields {
        eprintln!("tributary: --{} {}", field.pointer.trim_start_matches('/').replace('_', "-"), field.detail);
    }
    Ok(ExitCode::from(2))
}

fn print_table(report: &report::Report) {
    let mut rows: Vec<Vec<String>> = Vec::new();
    let mut head: Vec<String> = report.question.group_by.iter().map(|d| d.name().to_owned()).collect();
    head.extend(
        ["clicks", "not counted", "visitors", "orders", "new", "net revenue", "cost", "commission", "ROI %"].map(str::to_owned),
    );
    rows.push(head);
    let line = |keys: Vec<String>, sums: &report::Sums| {
        let f = report.figures(sums);
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
    if let Some(percent) = report.visitors_error {
        println!("visitors are estimated, within {percent} % in 19 of 20 cases");
    }
    for other in &report.other_currencies {
        println!("not in it: {} orders over {}, ad cost {}", other.orders, other.revenue, other.ad_cost);
    }
}
