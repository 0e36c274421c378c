//! `import`.

use crate::config::Config;
use crate::service::import::{ImportError, ImportKind, import};
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
}

impl From<What> for ImportKind {
    fn from(what: What) -> ImportKind {
        match what {
            What::Touches => ImportKind::Touches,
            What::Orders => ImportKind::Orders,
            What::Refunds => ImportKind::Refunds,
            What::Costs => ImportKind::Costs,
            What::Partners => ImportKind::Partners,
            What::Links => ImportKind::Links,
            What::PromoCodes => ImportKind::PromoCodes,
            What::SeenPrices => ImportKind::SeenPrices,
        }
    }
}

impl Import {
    pub async fn run(self, config: &Config) -> anyhow::Result<ExitCode> {
        let mut renamed = HashMap::new();
        for pair in &self.renamed {
            let Some((ours, theirs)) = pair.split_once('=') else {
                eprintln!("tributary: --map takes OURS=THEIRS, not '{pair}'");
                return Ok(ExitCode::from(2));
            };
            renamed.insert(ours.trim().to_owned(), theirs.trim().to_owned());
        }
        let name = self.file.display().to_string();
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
        let done = import(&mut tx, &context, self.what.into(), file, &renamed, |rows| bar.set_position(rows)).await;
        bar.finish_and_clear();
        match done {
            Ok(done) => {
                if !self.dry_run {
                    tx.commit().await?;
                }
                if !done.ignored_columns.is_empty() {
                    eprintln!("{name}: columns ignored: {}", done.ignored_columns.join(", "));
                }
                let misses = if done.misses > 0 { format!(", {} kept as misses", done.misses) } else { String::new() };
                let stored = if self.dry_run { " (dry run: nothing stored)" } else { "" };
                println!("{name}: {} rows: {} new, {} known{misses}{stored}", done.rows, done.new, done.known);
                Ok(ExitCode::SUCCESS)
            }
            Err(ImportError::Refused(problems)) => {
                for problem in problems {
                    eprintln!("{name}:{}: {}: {}", problem.line, problem.column, problem.detail);
                }
                eprintln!("{name}: nothing was stored");
                Ok(ExitCode::FAILURE)
            }
            Err(ImportError::Service(error)) => Err(error.into()),
        }
    }
}
