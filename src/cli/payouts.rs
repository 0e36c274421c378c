//! `payouts`.

use crate::config::Config;
use crate::domain::money::{Currency, Money};
use crate::domain::payout_file::{FileFormat, FileRequest};
use crate::domain::time::Period;
use crate::service::Tributary;
use crate::service::payout::{self as service, RunWithLines};
use crate::service::{bank_statement, payout_file};
use crate::store::{Tx, payout};
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Debug, clap::Subcommand)]
pub enum Payouts {
    /// Close the month (with --early: leave it open) and build its run
    Build {
        #[command(flatten)]
        of: Of,
        #[arg(long)]
        early: bool,
    },
    /// Approve the run
    Approve {
        #[command(flatten)]
        of: Of,
    },
    /// Write the run's file
    Export {
        #[command(flatten)]
        of: Of,
        #[command(flatten)]
        file: FileWords,
        /// Default: standard output
        #[arg(long)]
        out: Option<PathBuf>,
    },
    /// Hold a bank statement (1C or camt.053) against the run; nothing is stored
    Statement {
        #[command(flatten)]
        of: Of,
        file: PathBuf,
    },
    /// Mark the run as paid
    Paid {
        #[command(flatten)]
        of: Of,
        #[arg(long)]
        bank_reference: Option<String>,
    },
}

/// Which run.
#[derive(Debug, clap::Args)]
pub struct Of {
    /// The month, as 2026-10
    #[arg(long)]
    period: Period,
    #[arg(long)]
    currency: Option<Currency>,
}

/// Which file.
#[derive(Debug, clap::Args)]
pub struct FileWords {
    /// csv, xlsx, 1c, pain001, paypal, wise
    #[arg(long, default_value = "csv")]
    format: String,
    /// Of csv: semicolon (default), comma
    #[arg(long)]
    delimiter: Option<String>,
    /// Of pain001: 09 (default), 03
    #[arg(long)]
    version: Option<String>,
    /// Of paypal and wise, where the payments fill several files: which one, from 1
    #[arg(long)]
    part: Option<usize>,
    /// Partners to leave out, as par_1,par_7
    #[arg(long, default_value = "")]
    without: String,
}

impl FileWords {
    fn request(&self) -> anyhow::Result<FileRequest> {
        let format = FileFormat::of_words(&self.format, self.delimiter.as_deref(), self.version.as_deref(), self.part)?;
        Ok(FileRequest { format, without: FileRequest::partners(&self.without)? })
    }
}

impl Of {
    async fn find(&self, tx: &mut Tx) -> anyhow::Result<crate::domain::id::PayoutRunId> {
        let mut runs = payout::of_period(&mut *tx, &self.period.to_string()).await?;
        runs.retain(|run| self.currency.is_none_or(|c| c == run.currency));
        match runs.as_slice() {
            [run] => Ok(run.id),
            [] => anyhow::bail!("there is no run of {}; build it first", self.period),
            _ => anyhow::bail!("there are runs of {} in several currencies: say --currency", self.period),
        }
    }
}

impl Payouts {
    pub async fn run(self, config: &Config) -> anyhow::Result<ExitCode> {
        let tributary: Tributary = super::open(config).await?;
        let context = tributary.context("command line");
        let mut tx = tributary.db.begin().await?;
        match self {
            Payouts::Build { of, early } => {
                if !early {
                    service::close(&mut tx, &context, of.period).await?;
                }
                print(&service::build(&mut tx, &context, of.period, of.currency, early).await?);
            }
            Payouts::Approve { of } => {
                let id = of.find(&mut tx).await?;
                print(&service::approve(&mut tx, &context, id).await?);
            }
            Payouts::Paid { of, bank_reference } => {
                let id = of.find(&mut tx).await?;
                print(&service::mark_paid(&mut tx, &context, id, bank_reference.as_deref()).await?);
            }
            Payouts::Statement { of, file } => {
                let id = of.find(&mut tx).await?;
                let told = bank_statement::compare(&mut tx, &context, id, &std::fs::read(file)?).await?;
                let entries = told.statement.entries.iter().zip(&told.found.verdicts);
                let rows: Vec<Vec<String>> = entries
                    .filter_map(|(entry, verdict)| {
                        let partner = verdict.partner()?.to_string();
                        Some(vec![entry.date.to_string(), partner, entry.amount.to_string(), verdict.word().to_owned()])
                    })
                    .collect();
                super::print_columns(&rows);
                for partner in &told.found.not_found {
                    println!("not found: {partner}");
                }
            }
            Payouts::Export { of, file, out } => {
                let request = file.request()?;
                let id = of.find(&mut tx).await?;
                let file = payout_file::export(&mut tx, &context, id, &request).await?;
                match out {
                    Some(path) => std::fs::write(path, file.bytes)?,
                    None => std::io::stdout().write_all(&file.bytes)?,
                }
                for left_out in &file.totals.left_out {
                    eprintln!("left out: {left_out}");
                }
            }
        }
        tx.commit().await?;
        Ok(ExitCode::SUCCESS)
    }
}

fn print(loaded: &RunWithLines) {
    let run = &loaded.run;
    println!("{} of {}: {}, total {}", run.id, run.period, run.state, Money::new(run.total_minor, run.currency));
    let rows: Vec<Vec<String>> = loaded
        .lines
        .iter()
        .map(|l| {
            let amount = Money::new(l.amount_minor, run.currency).decimal();
            vec![l.partner_name.clone(), amount, l.disposition.clone(), l.reason.clone().unwrap_or_default()]
        })
        .collect();
    super::print_columns(&rows);
}
