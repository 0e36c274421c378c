//! `doctor`.

use crate::config::Config;
use crate::service::doctor::examine;
use crate::store::ledger_chain;
use std::process::ExitCode;

pub async fn run(config: &Config) -> anyhow::Result<ExitCode> {
    let service = super::open(config).await?;
    let mut whole = true;
    for finding in examine(&service).await? {
        let checked = match (finding.checked, finding.skipped) {
            (0, 0) => String::new(),
            (checked, 0) => format!(" ({checked} checked)"),
            (checked, skipped) => format!(" ({checked} checked, {skipped} skipped: stored by an earlier version)"),
        };
        if finding.broken.is_empty() {
            println!("ok      {}{checked}", finding.what);
            continue;
        }
        whole = false;
        println!("BROKEN  {}{checked}", finding.what);
        for line in finding.broken.iter().take(20) {
            println!("        {line}");
        }
        if finding.broken.len() > 20 {
            println!("        and {} more", finding.broken.len() - 20);
        }
    }
    if let Some((journal, hash)) = ledger_chain::last(&service.db).await? {
        println!("        the ledger ends at {journal}: {hash}");
    }
    Ok(if whole { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
