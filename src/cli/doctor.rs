//! `doctor`.

use crate::config::Config;
use crate::service::doctor::{Finding, examine_and_tell};
use crate::store::ledger_chain;
use std::process::ExitCode;

pub async fn run(config: &Config) -> anyhow::Result<ExitCode> {
    let service = super::open(config).await?;
    let findings = examine_and_tell(&service, &mut print).await?;
    if let Some((journal, hash)) = ledger_chain::last(&service.db).await? {
        println!("        the ledger ends at {journal}: {hash}");
    }
    let whole = findings.iter().all(|finding| finding.broken.is_empty());
    Ok(if whole { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn print(finding: &Finding) {
    let checked = match (finding.checked, finding.skipped) {
        (0, 0) => String::new(),
        (checked, 0) => format!(" ({checked} checked)"),
        (checked, skipped) => format!(" ({checked} checked, {skipped} skipped: stored by an earlier version)"),
    };
    let verdict = if finding.broken.is_empty() { "ok    " } else { "BROKEN" };
    println!("{verdict}  {}{checked}", finding.what);
    for line in finding.broken.iter().take(20) {
        println!("        {line}");
    }
    if finding.broken.len() > 20 {
        println!("        and {} more", finding.broken.len() - 20);
    }
}
