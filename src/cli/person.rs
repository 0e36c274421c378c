//! `person merges`, `person split`, `person guard`.

use crate::config::Config;
use crate::domain::id::MergeId;
use crate::service::stitch::{ReverseInput, most_customers, reverse, set_most_customers};
use crate::store::person_merge;
use std::process::ExitCode;

#[derive(Debug, clap::Subcommand)]
pub enum Person {
    /// Merges of persons, the newest last
    Merges,
    /// Take a merge back; payable credit that was decided stays
    Split {
        merge: MergeId,
        /// Why the merge was wrong
        #[arg(long)]
        reason: String,
    },
    /// How many customers an identifier may be tied to before it joins nothing
    Guard {
        /// The new number; without it, the one that holds is printed
        #[arg(long)]
        customers: Option<i64>,
    },
}

impl Person {
    pub async fn run(self, config: &Config) -> anyhow::Result<ExitCode> {
        let service = super::open(config).await?;
        let context = service.context("command line");
        let mut tx = service.db.begin().await?;
        match self {
            Person::Merges => {
                let head = ["merge", "at", "kept", "merged", "moved", "because", "reversed"];
                let mut rows = vec![head.map(str::to_owned).to_vec()];
                let mut after = 0;
                loop {
                    let page = person_merge::list(&mut tx, after, 1_000).await?;
                    let Some(last) = page.last() else { break };
                    after = last.id.0;
                    rows.extend(page.iter().map(|m| {
                        let reversed = m.reversed_because.clone().unwrap_or_default();
                        let (kept, merged) = (m.kept_person_id.to_string(), m.merged_person_id.to_string());
                        let moved = m.identifiers.0.len().to_string();
                        vec![m.id.to_string(), m.at.0.to_rfc3339(), kept, merged, moved, m.because.clone(), reversed]
                    }));
                }
                super::print_columns(&rows);
            }
            Person::Split { merge, reason } => {
                let done = reverse(&mut tx, &context, merge, &ReverseInput { reason: Some(reason) }).await?;
                tx.commit().await?;
                println!("{} of {} and {} is reversed", done.id, done.kept_person_id, done.merged_person_id);
            }
            Person::Guard { customers: None } => println!("{}", most_customers(&mut tx).await?),
            Person::Guard { customers: Some(customers) } => {
                let concerned = set_most_customers(&mut tx, &context, customers).await?;
                tx.commit().await?;
                println!("an identifier of more than {customers} customers joins nothing; identifiers concerned: {concerned}");
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}
