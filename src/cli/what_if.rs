//! `what-if`.

use crate::config::Config;
use crate::domain::channel::Channel;
use crate::domain::id::PartnerId;
use crate::domain::money::{Currency, Money};
use crate::domain::program::CreditPolicy;
use crate::service::export::Table;
use crate::service::import::ImportError;
use crate::service::report::partner_names;
use crate::service::what_if::{Beside, Question, ask, read_rate_card};
use anyhow::Context as _;
use chrono::NaiveDate;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

/// What another policy, window or rate card would have paid, beside what was decided: by partner, and by the channel of
/// the touch or code that wins. Nothing is changed.
///
/// Approved orders are decided again as of the time they were placed. Where the same partner is owed, the rules frozen
/// with the decision reckon the commission; else those in force when the order was placed; with --rules, only the file's.
#[derive(Debug, clap::Args)]
#[command(group(clap::ArgGroup::new("asked").required(true).multiple(true)))]
pub struct WhatIf {
    /// The policy of every program: promo_then_last_click, last_click_then_promo, last_touch, first_click
    #[arg(long, group = "asked", value_parser = policy)]
    policy: Option<CreditPolicy>,
    /// Days that a click counts in every program
    #[arg(long, group = "asked", value_name = "DAYS", value_parser = clap::value_parser!(i64).range(0..=3650))]
    window: Option<i64>,
    /// Days that an impression counts in every program; 0: never
    #[arg(long, group = "asked", value_name = "DAYS", value_parser = clap::value_parser!(i64).range(0..=3650))]
    view_window: Option<i64>,
    /// A rate card in place of all commission rules: CSV with a heading, or a JSON array of objects. Columns:
    /// program (id or name; the only one, if left out), partner (id, external id or e-mail), group, product, category,
    /// customer (any, new, returning), on (order), percent or fixed, priority, starts_at, ends_at
    #[arg(long, group = "asked", value_name = "FILE")]
    rules: Option<PathBuf>,
    /// First day of the orders, in the merchant's time zone
    #[arg(long)]
    from: Option<NaiveDate>,
    /// Last day
    #[arg(long)]
    to: Option<NaiveDate>,
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Format {
    Table,
    Csv,
    Json,
}

fn policy(name: &str) -> Result<CreditPolicy, String> {
    let names = CreditPolicy::ALL.map(CreditPolicy::name).join(", ");
    CreditPolicy::named(name).ok_or_else(|| format!("there are {names}"))
}

/// A line of the answer.
struct Line {
    by: &'static str,
    key: String,
    currency: Currency,
    beside: Beside,
}

impl WhatIf {
    pub async fn run(self, config: &Config) -> anyhow::Result<ExitCode> {
        let service = super::open(config).await?;
        let rate_card = match &self.rules {
            None => None,
            Some(file) => {
                let name = file.display().to_string();
                let text = std::fs::read_to_string(file).with_context(|| name.clone())?;
                match read_rate_card(&service, &text).await {
                    Ok(rules) => Some(rules),
                    Err(ImportError::Refused(problems)) => {
                        for problem in problems {
                            eprintln!("{name}:{}: {}: {}", problem.line, problem.column, problem.detail);
                        }
                        return Ok(ExitCode::FAILURE);
                    }
                    Err(ImportError::Service(error)) => return Err(error.into()),
                }
            }
        };
        let question = Question {
            from: self.from,
            to: self.to,
            policy: self.policy,
            click_window_days: self.window,
            view_window_days: self.view_window,
            rate_card,
        };
        let style = ProgressStyle::with_template("{spinner} {pos} orders, {per_sec}, {elapsed}")?;
        let bar = ProgressBar::no_length().with_style(style);
        let answer = ask(&service, &question, |orders| bar.set_position(orders)).await;
        bar.finish_and_clear();
        let answer = answer?;
        let names = partner_names(&service.db).await?;
        let mut lines: Vec<Line> = Vec::new();
        for ((currency, partner), beside) in &answer.partners {
            lines.push(Line { by: "partner", key: partner_key(*partner, &names), currency: *currency, beside: *beside });
        }
        for ((currency, channel), beside) in &answer.channels {
            let key = channel.map_or("nobody", Channel::name).to_owned();
            lines.push(Line { by: "channel", key, currency: *currency, beside: *beside });
        }
        for (currency, beside) in &answer.totals {
            lines.push(Line { by: "total", key: String::new(), currency: *currency, beside: *beside });
        }
        match self.format {
            Format::Csv => std::io::stdout().write_all(&csv(&lines))?,
            Format::Json => {
                let of = |by: &str| -> Vec<Value> { lines.iter().filter(|l| l.by == by).map(json_line).collect() };
                let answer = json!({
                    "orders": answer.orders, "other_partner": answer.other_partner,
                    "partners": of("partner"), "channels": of("channel"), "totals": of("total"),
                });
                println!("{}", serde_json::to_string_pretty(&answer)?);
            }
            Format::Table => {
                println!(
                    "{} orders, {} of them to another partner than decided, or to none",
                    answer.orders, answer.other_partner
                );
                for by in ["partner", "channel"] {
                    println!();
                    print_table(&lines, by);
                }
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn partner_key(partner: Option<PartnerId>, names: &HashMap<String, String>) -> String {
    match partner {
        None => "nobody".to_owned(),
        Some(id) => match names.get(&id.to_string()) {
            Some(name) => format!("{name} ({id})"),
            None => id.to_string(),
        },
    }
}

const FIGURES: [&str; 5] = ["orders decided", "orders what-if", "commission decided", "commission what-if", "difference"];

fn figures(line: &Line) -> [String; 5] {
    let money = |minor| Money::new(minor, line.currency).decimal();
    let Beside { decided, what_if } = line.beside;
    [
        decided.orders.to_string(),
        what_if.orders.to_string(),
        money(decided.commission_minor),
        money(what_if.commission_minor),
        money(line.beside.difference_minor()),
    ]
}

fn print_table(lines: &[Line], by: &str) {
    let mut rows = vec![[by, "currency"].into_iter().chain(FIGURES).map(str::to_owned).collect::<Vec<_>>()];
    for line in lines.iter().filter(|line| line.by == by || line.by == "total") {
        let key = if line.by == "total" { "total".to_owned() } else { line.key.clone() };
        rows.push([key, line.currency.to_string()].into_iter().chain(figures(line)).collect());
    }
    super::print_columns(&rows);
}

fn csv(lines: &[Line]) -> Vec<u8> {
    let head = FIGURES.map(|name| name.replace([' ', '-'], "_"));
    let mut table = Table::new(&["by", "key", "currency"].into_iter().chain(head.iter().map(String::as_str)).collect::<Vec<_>>());
    for line in lines {
        let (currency, figures) = (line.currency.to_string(), figures(line));
        let cells = [line.by, &line.key, &currency];
        table.row(&cells.into_iter().chain(figures.iter().map(String::as_str)).collect::<Vec<_>>());
    }
    table.csv()
}

fn json_line(line: &Line) -> Value {
    let money = |minor| Money::new(minor, line.currency);
    let Beside { decided, what_if } = line.beside;
    let mut value = json!({
        "currency": line.currency,
        "decided": { "orders": decided.orders, "commission": money(decided.commission_minor) },
        "what_if": { "orders": what_if.orders, "commission": money(what_if.commission_minor) },
        "difference": money(line.beside.difference_minor()),
    });
    if line.by != "total" {
        value[line.by] = json!(line.key);
    }
    value
}
