//! `recompute`.

use crate::config::Config;
use crate::domain::attribution::Model;
use crate::domain::money::{Currency, Money};
use crate::service::credit::{Asked, Change, Recomputed, Stage, recompute};
use crate::service::rollup;
use crate::store::credit::CreditSum;
use chrono::NaiveDate;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

#[derive(Debug, clap::Args)]
pub struct Recompute {
    /// From the month of this day on [default: that of the first order]
    #[arg(long)]
    from: Option<NaiveDate>,
    /// Up to the month of this day [default: that of the last order]
    #[arg(long)]
    to: Option<NaiveDate>,
    /// Which models, custom:FIRST/MIDDLE/LAST among them [default: all]
    #[arg(long, value_delimiter = ',')]
    models: Vec<Model>,
    /// Print what would change and keep nothing
    #[arg(long)]
    dry_run: bool,
    /// Make everything that reports are added up from anew at once, and not when the service next has time for it
    #[arg(long, conflicts_with = "dry_run")]
    rollups: bool,
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Format {
    Table,
    Json,
}

impl Recompute {
    pub async fn run(self, config: &Config) -> anyhow::Result<ExitCode> {
        if let (Some(from), Some(to)) = (self.from, self.to)
            && from > to
        {
            eprintln!("tributary: --to lies before --from");
            return Ok(ExitCode::from(2));
        }
        let service = super::open(config).await?;
        let mut models = if self.models.is_empty() { Model::ALL.to_vec() } else { self.models };
        let mut seen = std::collections::HashSet::new();
        models.retain(|model| seen.insert(*model));
        let asked = Asked { from: self.from, to: self.to, models, dry_run: self.dry_run };
        let bar = ProgressBar::no_length().with_style(ProgressStyle::with_template("{spinner} {msg}, {elapsed}")?);
        let stop = Arc::new(AtomicBool::new(false));
        let (shown, asked_to_stop) = (bar.clone(), stop.clone());
        let on_stage = Arc::new(move |stage| {
            match stage {
                Stage::Touches(read) => shown.set_message(format!("{read} touches read")),
                Stage::Months(done, of) => shown.set_message(format!("{done} of {of} months")),
            }
            shown.tick();
            if asked_to_stop.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        let interrupt = tokio::spawn(async move {
            if tokio::signal::ctrl_c().await.is_ok() {
                stop.store(true, Ordering::Relaxed);
            }
        });
        let done = recompute(&service, &service.context("command line"), &asked, on_stage).await;
        interrupt.abort();
        bar.finish_and_clear();
        let done = done?;
        // What reports are added up from holds every model; some of them alone are for comparing.
        if self.rollups {
            rollup::rebuild(&service).await?;
        } else if asked.models == Model::ALL && !asked.dry_run && done.interrupted_after.is_none() {
            rollup::mark_all(&service).await?;
        }
        match self.format {
            Format::Table => print(&done, &asked),
            Format::Json => println!("{}", serde_json::to_string_pretty(&answer(&done, &asked))?),
        }
        Ok(if done.interrupted_after.is_some() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    }
}

type Row = (String, Currency, &'static str);

/// The changes of all months together, by model, currency and channel; `None` before: nothing was kept.
fn by_channel(changes: &[Change]) -> BTreeMap<Row, (Option<CreditSum>, CreditSum)> {
    let mut rows: BTreeMap<Row, (Option<CreditSum>, CreditSum)> = BTreeMap::new();
    let add = |to: &mut CreditSum, more: CreditSum| {
        to.orders_millionths += more.orders_millionths;
        to.revenue_minor += more.revenue_minor;
        to.net_revenue_minor += more.net_revenue_minor;
    };
    for change in changes {
        let (before, after) = rows.entry((change.key.model.clone(), change.key.currency, change.key.channel.name())).or_default();
        if let Some(more) = change.before {
            add(before.get_or_insert_default(), more);
        }
        add(after, change.after);
    }
    rows
}

fn print(done: &Recomputed, asked: &Asked) {
    let Some((from, to)) = done.span else {
        println!("there are no orders in these months");
        return;
    };
    if let Some(after) = done.resumed_after {
        println!("goes on after {after}, where it was interrupted");
    }
    let mut rows: Vec<Vec<String>> = Vec::new();
    for ((model, currency, channel), (before, after)) in by_channel(&done.changes) {
        let money = |minor| Money::new(minor, currency).decimal();
        let orders = |millionths: i64| format!("{:.2}", millionths as f64 / 1e6);
        let had = before.unwrap_or_default();
        rows.push(vec![
            model,
            channel.to_owned(),
            before.map_or("—".to_owned(), |b| orders(b.orders_millionths)),
            orders(after.orders_millionths),
            before.map_or("—".to_owned(), |b| money(b.net_revenue_minor)),
            money(after.net_revenue_minor),
            money(after.net_revenue_minor - had.net_revenue_minor),
            currency.to_string(),
        ]);
    }
    let what = if asked.dry_run { "would change (dry run: nothing is kept)" } else { "changed" };
    println!("{from} to {to}: {} months, {} orders, {} models", done.months, done.orders, asked.models.len());
    if rows.is_empty() {
        println!("nothing {what}");
    } else {
        println!("{what}, in the months that differ:");
        let head = ["model", "channel", "orders before", "after", "net revenue before", "after", "difference", ""];
        rows.insert(0, head.map(str::to_owned).to_vec());
        super::print_columns(&rows);
    }
    if let Some(after) = done.interrupted_after {
        println!("interrupted: {after} and the months before it are kept; the same command goes on from there");
    }
}

fn answer(done: &Recomputed, asked: &Asked) -> Value {
    let changes: Vec<Value> = done
        .changes
        .iter()
        .map(|change| {
            let sum = |sum: CreditSum| {
                json!({
                    "orders": sum.orders_millionths as f64 / 1e6,
                    "revenue": Money::new(sum.revenue_minor, change.key.currency),
                    "net_revenue": Money::new(sum.net_revenue_minor, change.key.currency),
                })
            };
            json!({
                "period": change.key.period, "model": change.key.model, "channel": change.key.channel,
                "before": change.before.map(sum), "after": sum(change.after),
            })
        })
        .collect();
    json!({
        "from": done.span.map(|span| span.0), "to": done.span.map(|span| span.1), "months": done.months, "orders": done.orders,
        "models": asked.models, "dry_run": asked.dry_run, "resumed_after": done.resumed_after,
        "interrupted_after": done.interrupted_after, "changes": changes,
    })
}
