//! `replay`.

use crate::config::Config;
use crate::service::replay::{Asked, Replayed, replay};
use chrono::NaiveDate;
use indicatif::{ProgressBar, ProgressStyle};
use std::ops::ControlFlow;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

#[derive(Debug, clap::Args)]
pub struct Replay {
    /// First day [default: the first with touches]
    #[arg(long)]
    from: Option<NaiveDate>,
    /// Last day [default: the last with touches]
    #[arg(long)]
    to: Option<NaiveDate>,
    /// Tell what would change, and change nothing
    #[arg(long)]
    dry_run: bool,
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Format {
    Table,
    Json,
}

impl Replay {
    pub async fn run(self, config: &Config) -> anyhow::Result<ExitCode> {
        if let (Some(from), Some(to)) = (self.from, self.to)
            && from > to
        {
            eprintln!("tributary: --from must not be after --to");
            return Ok(ExitCode::from(2));
        }
        let service = super::open(config).await?;
        let bar = ProgressBar::no_length()
            .with_style(ProgressStyle::with_template("{msg} {bar:40} {pos} of {len} touches, {per_sec}, {eta} to go")?);
        let stop = Arc::new(AtomicBool::new(false));
        let asked_to_stop = stop.clone();
        tokio::spawn(async move {
            if tokio::signal::ctrl_c().await.is_ok() {
                asked_to_stop.store(true, Ordering::Relaxed);
            }
        });
        let asked = Asked { from: self.from, to: self.to, dry_run: self.dry_run };
        let replayed = replay(&service, &service.context("command line"), asked, |position| {
            bar.set_length(position.all);
            bar.set_position(position.done);
            bar.set_message(position.day.to_string());
            if stop.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })
        .await?;
        bar.finish_and_clear();
        if let Some(day) = replayed.resumed_after {
            eprintln!("an interrupted run went on after {day}");
        }
        match self.format {
            Format::Table => print_table(&replayed, self.dry_run),
            Format::Json => println!("{}", serde_json::to_string_pretty(&json(&replayed, self.dry_run))?),
        }
        if let Some(day) = replayed.stopped_after {
            let after = day.map(|day| format!(" after {day}")).unwrap_or_default();
            eprintln!("stopped{after}; the same command goes on from there");
            return Ok(ExitCode::FAILURE);
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn print_table(replayed: &Replayed, dry_run: bool) {
    let Some((from, to)) = replayed.span else {
        println!("there are no touches");
        return;
    };
    let summary = &replayed.summary;
    let written = if dry_run { " (dry run: nothing stored)" } else { "" };
    println!("{from} to {to}: {} touches, {} enriched otherwise{written}", summary.touches, summary.changed);
    let mut rows = vec![vec!["what".to_owned(), "touches".to_owned()]];
    for (before, others) in &summary.channels {
        rows.extend(others.iter().map(|(now, touches)| vec![format!("{before} → {now}"), touches.to_string()]));
    }
    for (what, touches) in
        [("source, medium, campaign, content or term", summary.origins), ("another reason of a mark", summary.reasons)]
    {
        if touches > 0 {
            rows.push(vec![what.to_owned(), touches.to_string()]);
        }
    }
    for (mark, changes) in &summary.marks {
        for (what, touches) in [("marked", changes.set), ("no longer marked", changes.taken_off)] {
            if touches > 0 {
                rows.push(vec![format!("{what} {}", mark.name()), touches.to_string()]);
            }
        }
    }
    if rows.len() > 1 {
        super::print_columns(&rows);
    }
    if summary.costs > 0 {
        println!("{} ad costs in another channel", summary.costs);
    }
}

fn json(replayed: &Replayed, dry_run: bool) -> serde_json::Value {
    let summary = &replayed.summary;
    let channels = summary.channels.iter().flat_map(|(from, others)| {
        others.iter().map(move |(to, touches)| serde_json::json!({ "from": from, "to": to, "touches": touches }))
    });
    serde_json::json!({
        "from": replayed.span.map(|(from, _)| from),
        "to": replayed.span.map(|(_, to)| to),
        "dry_run": dry_run,
        "finished": replayed.stopped_after.is_none(),
        "resumed_after": replayed.resumed_after,
        "touches": summary.touches,
        "changed": summary.changed,
        "channels": channels.collect::<Vec<_>>(),
        "origins": summary.origins,
        "marks": summary.marks,
        "reasons": summary.reasons,
        "costs": summary.costs,
    })
}
