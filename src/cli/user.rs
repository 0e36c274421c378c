//! `user add`, `user passwd`.

use crate::config::Config;
use crate::service::access::{self, Role};
use std::process::ExitCode;

#[derive(Debug, clap::Subcommand)]
pub enum User {
    /// Make a user; the password comes from standard input or a prompt
    Add {
        #[arg(long)]
        email: String,
        /// owner, marketer, accountant, viewer or partner
        #[arg(long)]
        role: Role,
        /// For the role partner: whose cabinet it is (par_…)
        #[arg(long)]
        partner: Option<crate::domain::id::PartnerId>,
    },
    /// Set a new password; the user's sessions end
    Passwd {
        #[arg(long)]
        email: String,
    },
}

impl User {
    pub async fn run(self, config: &Config) -> anyhow::Result<ExitCode> {
        let service = super::open(config).await?;
        let password = super::read_secret("Password: ")?;
        let context = service.context("command line");
        let mut tx = service.db.begin().await?;
        match self {
            User::Add { email, role, partner } => {
                let id = access::add_user(&mut tx, &context, &email, role, partner, &password).await?;
                tx.commit().await?;
                println!("{id}");
            }
            User::Passwd { email } => {
                access::set_password(&mut tx, &context, &email, &password).await?;
                tx.commit().await?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}
