//! `key add`.

use crate::config::Config;
use crate::service::access::{self, Scope};
use std::process::ExitCode;

#[derive(Debug, clap::Subcommand)]
pub enum Key {
    /// Make an API key and print it, once
    Add {
        #[arg(long)]
        name: String,
        /// read, write or admin
        #[arg(long)]
        scope: Scope,
    },
}

impl Key {
    pub async fn run(self, config: &Config) -> anyhow::Result<ExitCode> {
        let Key::Add { name, scope } = self;
        let service = super::open(config).await?;
        let mut tx = service.db.begin().await?;
        let key = access::add_key(&mut tx, &service.context("command line"), &name, scope).await?;
        tx.commit().await?;
        println!("{key}");
        Ok(ExitCode::SUCCESS)
    }
}
