//! `payouts`.

use crate::config::Config;
use crate::domain::id::PartnerId;
use crate::domain::money::{Currency, Money};
use crate::domain::payout_file::{FileFormat, FileRequest};
use crate::domain::payout_run::RunState;
use crate::domain::time::Period;
use crate::service::Tributary;
use crate::service::bank_statement::{self, Applied, Comparison};
use crate::service::payout::{self as service, PayoutSettings, RunWithLines};
use crate::service::payout_file;
use crate::store::{Tx, payout};
use anyhow::Context as _;
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
    /// Hold a bank statement (1C or camt.053) against the run
    Statement {
        #[command(flatten)]
        of: Of,
        file: PathBuf,
        /// Mark what it says: paid, or failed where the money came back
        #[arg(long)]
        apply: bool,
    },
    /// Mark the run as paid
    Paid {
        #[command(flatten)]
        of: Of,
        #[arg(long)]
        bank_reference: Option<String>,
        /// Only the lines of these partners, as par_1,par_7
        #[arg(long, value_delimiter = ',')]
        lines: Vec<PartnerId>,
    },
    /// Mark the payment to a partner as failed, before it was marked as paid or after
    Failed {
        #[command(flatten)]
        of: Of,
        #[arg(long)]
        partner: PartnerId,
        #[arg(long)]
        reason: String,
    },
    /// Cancel the run, of which nothing is paid; its month may have another
    Cancel {
        #[command(flatten)]
        of: Of,
        #[arg(long)]
        reason: String,
    },
    /// Whether another person than built a run has to approve it; without a word, says it
    SecondApprover { required: Option<Switch> },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Switch {
    On,
    Off,
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
        runs.retain(|run| self.currency.is_none_or(|c| c == run.currency) && run.state != RunState::Cancelled);
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
            Payouts::Paid { of, bank_reference, lines } => {
                let id = of.find(&mut tx).await?;
                let reference = bank_reference.as_deref();
                print(&match lines.as_slice() {
                    [] => service::mark_paid(&mut tx, &context, id, reference).await?,
                    lines => service::mark_lines_paid(&mut tx, &context, id, lines, reference).await?,
                });
            }
            Payouts::Failed { of, partner, reason } => {
                let id = of.find(&mut tx).await?;
                print(&service::fail_line(&mut tx, &context, id, partner, &reason).await?);
            }
            Payouts::Cancel { of, reason } => {
                let id = of.find(&mut tx).await?;
                print(&service::cancel(&mut tx, &context, id, &reason).await?);
            }
            Payouts::SecondApprover { required } => {
                let settings = match required {
                    None => service::settings(&mut tx).await?,
                    Some(required) => {
                        let wanted = PayoutSettings { second_approver: required == Switch::On };
                        service::change_settings(&mut tx, &context, wanted).await?
                    }
                };
                println!("second approver: {}", if settings.second_approver { "on" } else { "off" });
            }
            Payouts::Statement { of, file, apply } => {
                let id = of.find(&mut tx).await?;
                let bytes = std::fs::read(&file).with_context(|| format!("{} cannot be read", file.display()))?;
                let told = match apply {
                    true => bank_statement::apply(&mut tx, &context, id, &bytes).await?,
                    false => bank_statement::preview(&mut tx, &context, id, &bytes).await?,
                };
                print_statement(&told, apply);
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

/// What each entry that speaks of the run says; applied, also what it did.
fn print_statement(told: &Applied, applied: bool) {
    let Comparison { statement, found } = &told.comparison;
    let entries = statement.entries.iter().zip(&found.verdicts).zip(&told.outcomes);
    let rows: Vec<Vec<String>> = entries
        .filter_map(|((entry, verdict), outcome)| {
            let partner = verdict.partner()?.to_string();
            let mut row = vec![entry.date.to_string(), partner, entry.amount.to_string(), verdict.word().to_owned()];
            row.extend(applied.then(|| outcome.word().to_owned()));
            Some(row)
        })
        .collect();
    super::print_columns(&rows);
    for partner in &found.not_found {
        println!("not found: {partner}");
    }
    if applied {
        println!("{}: {}", told.run.run.id, told.run.run.state.name());
    }
}

fn print(loaded: &RunWithLines) {
    let run = &loaded.run;
    println!("{} of {}: {}, total {}", run.id, run.period, run.state.name(), Money::new(run.total_minor, run.currency));
    let rows: Vec<Vec<String>> = loaded
        .lines
        .iter()
        .map(|l| {
            let amount = Money::new(l.amount_minor, run.currency).decimal();
            let why = l.failed_because.clone().or_else(|| l.reason.clone()).unwrap_or_default();
            vec![l.partner_name.clone(), amount, l.state.name().to_owned(), why]
        })
        .collect();
    super::print_columns(&rows);
}
