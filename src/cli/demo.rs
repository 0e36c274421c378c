//! `demo`.

use crate::clock::Clock;
use crate::config::Config;
use crate::domain::time::start_of_day;
use crate::service::{Tributary, demo};
use crate::web::server::{Start, start};
use anyhow::Context as _;
use chrono::{NaiveDate, TimeDelta};
use indicatif::{ProgressBar, ProgressStyle};
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
pub struct Demo {
    /// Print address, key and logins as one line of JSON first
    #[arg(long)]
    json: bool,
    /// The day the sample stands at: it ends within the seven days before [default: today]
    #[arg(long)]
    as_of: Option<NaiveDate>,
}

impl Demo {
    pub async fn run(self, config: &Config) -> anyhow::Result<ExitCode> {
        // The sample has a store of its own; an address from the environment is for `serve`.
        let folder = config.data_dir.clone().unwrap_or_else(|| PathBuf::from("data/demo"));
        let url = format!("sqlite://{}", folder.join("tributary.db").display());
        let service = Tributary::open(&url, Some(demo::ZONE), Clock::system()).await?;
        let mut context = service.context("demo");
        if let Some(day) = self.as_of {
            let end = start_of_day(demo::ZONE, day.succ_opt().context("the day is too late")?) - TimeDelta::seconds(1);
            anyhow::ensure!(end <= context.now + TimeDelta::days(1), "--as-of lies in the future");
            context.now = end.min(context.now);
        }
        let bar = ProgressBar::no_length().with_style(ProgressStyle::with_template("{spinner} {msg}: {pos} rows, {elapsed}")?);
        let fill = demo::fill(&service, &context, |name, rows| {
            bar.set_message(name.to_owned());
            bar.set_position(rows);
        });
        fill.await.context("the sample was not taken in")?;
        bar.finish_and_clear();
        let logins = demo::make_logins(&service, &service.context("demo")).await?;
        let settings = Start { spool_path: folder.join("spool.db"), ..super::serve::settings(config) };
        let running = start(service, settings).await?;
        let url = running.app.public_url.clone();
        if self.json {
            let line = serde_json::json!({
                "url": url,
                "api_key": logins.api_key,
                "admin": { "email": demo::ADMIN_EMAIL, "password": logins.admin_password },
                "partner": { "email": demo::PARTNER_EMAIL, "password": logins.partner_password },
            });
            println!("{line}");
        } else {
            println!("Tributary with its sample (synthesised journeys on real orders) runs at {url}");
            println!("  console  {url}/admin    {} / {}", demo::ADMIN_EMAIL, logins.admin_password);
            println!("  cabinet  {url}/cabinet  {} / {}", demo::PARTNER_EMAIL, logins.partner_password);
            println!("  API key  {}", logins.api_key);
            println!(
                "Stop with Ctrl+C. Go on with it: tributary serve --database-url sqlite://{}",
                folder.join("tributary.db").display()
            );
        }
        std::io::stdout().flush()?;
        super::serve::until_stopped(running).await
    }
}
