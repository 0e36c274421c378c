//! `import`.

use crate::config::Config;
use crate::service::exchange_rate::import_rates;
use crate::service::import::{ImportError, ImportKind, import, import_costs, layout_of};
use crate::service::linkbook::LinkBook;
use crate::service::mover::{Mover, Moves};
use crate::service::spool::Spool;
use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressStyle};
use std::collections::HashMap;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
pub struct Import {
    /// What the file holds
    #[arg(value_enum)]
    what: What,
    file: PathBuf,
    /// Check the whole file and store nothing
    #[arg(long)]
    dry_run: bool,
    /// A column that is called otherwise in the file
    #[arg(long = "map", value_name = "OURS=THEIRS")]
    renamed: Vec<String>,
    /// Of costs: what is the same on every line, like source=yandex, medium=cpc, currency=RUB; remembered with the columns
    /// that were mapped, for the next file with the same head
    #[arg(long = "set", value_name = "FIELD=VALUE")]
    fixed: Vec<String>,
    /// Of rates: the day of a table that has none in it
    #[arg(long, value_name = "DAY")]
    date: Option<chrono::NaiveDate>,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum What {
    Touches,
    Orders,
    Refunds,
    Costs,
    Partners,
    Links,
    PromoCodes,
    SeenPrices,
    /// The Bank of Russia's or the ECB's, XML or CSV
    Rates,
}

impl What {
    /// What it is for the import of rows; none: rates are no table of rows.
    fn of_rows(self) -> Option<ImportKind> {
        Some(match self {
            What::Touches => ImportKind::Touches,
            What::Orders => ImportKind::Orders,
            What::Refunds => ImportKind::Refunds,
            What::Costs => ImportKind::Costs,
            What::Partners => ImportKind::Partners,
            What::Links => ImportKind::Links,
            What::PromoCodes => ImportKind::PromoCodes,
            What::SeenPrices => ImportKind::SeenPrices,
            What::Rates => return None,
        })
    }
}

impl Import {
    pub async fn run(self, config: &Config) -> anyhow::Result<ExitCode> {
        let pairs = |given: &[String]| -> Result<HashMap<String, String>, String> {
            let pair = |pair: &String| {
                let (ours, theirs) = pair.split_once('=').ok_or_else(|| pair.clone())?;
                Ok((ours.trim().to_owned(), theirs.trim().to_owned()))
            };
            given.iter().map(pair).collect()
        };
        let (renamed, fixed) = match (pairs(&self.renamed), pairs(&self.fixed)) {
            (Ok(renamed), Ok(fixed)) => (renamed, fixed),
            (Err(pair), _) => {
                eprintln!("tributary: --map takes OURS=THEIRS, not '{pair}'");
                return Ok(ExitCode::from(2));
            }
            (_, Err(pair)) => {
                eprintln!("tributary: --set takes FIELD=VALUE, not '{pair}'");
                return Ok(ExitCode::from(2));
            }
        };
        if !fixed.is_empty() && !matches!(self.what, What::Costs) {
            eprintln!("tributary: --set is for costs");
            return Ok(ExitCode::from(2));
        }
        let name = self.file.display().to_string();
        let Some(kind) = self.what.of_rows() else { return self.rates(config, &name).await };
        if self.date.is_some() {
            eprintln!("tributary: --date is for rates");
            return Ok(ExitCode::from(2));
        }
        let file = std::fs::File::open(&self.file).with_context(|| name.clone())?;
        let service = super::open(config).await?;
        let bar =
            ProgressBar::no_length().with_style(ProgressStyle::with_template("{spinner} {pos} rows, {per_sec}, {elapsed}")?);
        if config.spool_path().exists() {
            // Orders are decided on once: clicks that wait in the spool must be in the store before.
            let spool = Spool::open(&config.spool_path(), 0, None, false)?;
            let links = LinkBook::default();
            links.refresh(&service.db).await?;
            Mover::start(service.clone(), &spool, links, Moves::Disk)?.move_all().await?;
        }
        let mut tx = service.db.begin().await?;
        let context = service.context("command line");
        let done = match (kind, layout_of(&renamed, &fixed)) {
            (ImportKind::Costs, Ok(layout)) => {
                let bytes = std::fs::read(&self.file).with_context(|| name.clone())?;
                import_costs(&mut tx, &context, &bytes, &layout).await
            }
            (ImportKind::Costs, Err(error)) => Err(error),
            (_, _) => import(&mut tx, &context, kind, file, &renamed, |rows| bar.set_position(rows)).await,
        };
        bar.finish_and_clear();
        match done {
            Ok(done) => {
                if !self.dry_run {
                    tx.commit().await?;
                }
                if !done.ignored_columns.is_empty() {
                    eprintln!("{name}: columns ignored: {}", done.ignored_columns.join(", "));
                }
                if let Some(platform) = &done.layout {
                    eprintln!("{name}: read as an export of {platform}");
                }
                let misses = if done.misses > 0 { format!(", {} kept as misses", done.misses) } else { String::new() };
                let stored = if self.dry_run { " (dry run: nothing stored)" } else { "" };
                println!("{name}: {} rows: {} new, {} known{misses}{stored}", done.rows, done.new, done.known);
                Ok(ExitCode::SUCCESS)
            }
            Err(error) => refused(&name, error),
        }
    }

    async fn rates(self, config: &Config, name: &str) -> anyhow::Result<ExitCode> {
        if !self.renamed.is_empty() {
            eprintln!("tributary: rates have no columns to --map");
            return Ok(ExitCode::from(2));
        }
        let bytes = std::fs::read(&self.file).with_context(|| name.to_owned())?;
        let service = super::open(config).await?;
        let mut tx = service.db.begin().await?;
        match import_rates(&mut tx, &service.context("command line"), &bytes, self.date).await {
            Ok(done) => {
                if !self.dry_run {
                    tx.commit().await?;
                }
                if !done.ignored.is_empty() {
                    eprintln!("{name}: no currencies, ignored: {}", done.ignored.join(", "));
                }
                let stored = if self.dry_run { " (dry run: nothing stored)" } else { "" };
                let (source, counts) = (done.source.name(), done.stored);
                println!(
                    "{name}: rates of {source}, {} to {}: {} new, {} changed, {} known{stored}",
                    done.from, done.to, counts.new, counts.changed, counts.known
                );
                Ok(ExitCode::SUCCESS)
            }
            Err(error) => refused(name, error),
        }
    }
}

/// Tells why a file was not taken in.
fn refused(name: &str, error: ImportError) -> anyhow::Result<ExitCode> {
    match error {
        ImportError::Refused(problems) => {
            for problem in problems {
                eprintln!("{name}:{}: {}: {}", problem.line, problem.column, problem.detail);
            }
            eprintln!("{name}: nothing was stored");
            Ok(ExitCode::FAILURE)
        }
        ImportError::Service(error) => Err(error.into()),
    }
}
