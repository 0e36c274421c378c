//! The command line: arguments in, a service called, text out. Exit 0, 1 when it failed, 2 for wrong usage.

mod backup;
mod demo;
mod doctor;
mod explain;
mod import;
mod key;
mod paths;
mod payouts;
mod person;
mod recompute;
mod replay;
mod report;
mod serve;
mod user;
mod what_if;

use crate::clock::Clock;
use crate::config::{Config, Given};
use crate::service::Tributary;
use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Tributary: where customers come from, which partner an order is owed to, and what to pay.
#[derive(Debug, Parser)]
#[command(name = "tributary", version, arg_required_else_help = true)]
struct Cli {
    #[command(flatten)]
    given: Given,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the service
    Serve(serve::Serve),
    /// Run the service on a store filled with the bundled sample
    Demo(demo::Demo),
    /// Bring the store to this version
    Migrate,
    /// Users of console and cabinet
    #[command(subcommand)]
    User(user::User),
    /// API keys
    #[command(subcommand)]
    Key(key::Key),
    /// Take a CSV file in, all or nothing
    Import(import::Import),
    /// The figures of the API, as text
    #[command(subcommand)]
    Report(report::Report),
    /// Enrich stored touches anew: channels by the rules of today, marks by the lists of today
    Replay(replay::Replay),
    /// Why an order is owed to whom
    Explain(explain::Explain),
    /// What another policy, window or rate card would have paid
    WhatIf(what_if::WhatIf),
    /// Models over a path file
    Paths(paths::Paths),
    /// Analytic credit anew, with what changed for each channel
    Recompute(recompute::Recompute),
    /// The accountant's month
    #[command(subcommand)]
    Payouts(payouts::Payouts),
    /// Who is one person, and who is not
    #[command(subcommand)]
    Person(person::Person),
    /// Write the whole store into a file
    Backup(backup::Backup),
    /// Restore a backup into an empty store, of either database
    Restore(backup::Restore),
    /// Prove the invariants of ledger and store
    Doctor,
    /// Print the OpenAPI 3.1 document
    Openapi,
}

/// Reads the arguments and runs the command.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    // Who waits for a command's answer cannot do anything about a statement that took long.
    let usual = match cli.command {
        Command::Serve(_) | Command::Demo(_) => "info,sqlx=warn,actix_server=warn",
        _ => "info,sqlx=error",
    };
    let filter = tracing_subscriber::EnvFilter::try_from_env("TRIBUTARY_LOG").unwrap_or_else(|_| usual.into());
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("tributary: no runtime: {error}");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(run(cli)) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("tributary: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    let mut given = cli.given;
    if let Command::Serve(serve) = &cli.command {
        given.role = serve.role;
        given.no_mover = serve.no_mover.then_some(true);
    }
    let config = given.resolve()?;
    match cli.command {
        Command::Serve(_) => serve::run(&config).await,
        Command::Demo(demo) => demo.run(&config).await,
        Command::Migrate => {
            open(&config).await?;
            println!("the store is at this version");
            Ok(ExitCode::SUCCESS)
        }
        Command::User(user) => user.run(&config).await,
        Command::Key(key) => key.run(&config).await,
        Command::Import(import) => import.run(&config).await,
        Command::Report(report) => report.run(&config).await,
        Command::Replay(replay) => replay.run(&config).await,
        Command::Explain(explain) => explain.run(&config).await,
        Command::WhatIf(what_if) => what_if.run(&config).await,
        Command::Paths(paths) => paths.run(),
        Command::Recompute(recompute) => recompute.run(&config).await,
        Command::Payouts(payouts) => payouts.run(&config).await,
        Command::Person(person) => person.run(&config).await,
        Command::Backup(backup) => backup.run(&config).await,
        Command::Restore(restore) => restore.run(&config).await,
        Command::Doctor => doctor::run(&config).await,
        Command::Openapi => {
            println!("{}", crate::web::openapi::text());
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// Opens the store of the settings.
async fn open(config: &Config) -> anyhow::Result<Tributary> {
    Ok(Tributary::open(&config.database_url, config.time_zone, Clock::system()).await?)
}

/// Reads a secret: from the terminal without showing it, else the first line of standard input.
fn read_secret(prompt: &str) -> anyhow::Result<String> {
    use std::io::IsTerminal;
    if std::io::stdin().is_terminal() {
        return Ok(rpassword::prompt_password(prompt)?);
    }
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

/// Prints a table in columns.
fn print_columns(rows: &[Vec<String>]) {
    // What cannot be written to a closed pipe is not missed.
    let _ = write_columns(std::io::stdout().lock(), rows);
}

/// Writes rows as columns, the first to the left, all others to the right.
fn write_columns(mut out: impl std::io::Write, rows: &[Vec<String>]) -> std::io::Result<()> {
    let width = |column: usize| rows.iter().filter_map(|r| r.get(column)).map(|c| c.chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..rows.first().map_or(0, Vec::len)).map(width).collect();
    for row in rows {
        let cells: Vec<String> = row
            .iter()
            .zip(&widths)
            .enumerate()
            .map(|(index, (cell, width))| if index == 0 { format!("{cell:<width$}") } else { format!("{cell:>width$}") })
            .collect();
        writeln!(out, "{}", cells.join("  ").trim_end())?;
    }
    Ok(())
}
