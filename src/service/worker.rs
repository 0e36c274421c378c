//! The clockwork: jobs that are safe to run at any time and twice.

use super::{Result, Tributary, settle};
use crate::store::account;
use chrono::TimeDelta;
use std::time::Duration;

/// Releases what has been held long enough and forgets what has expired.
pub async fn run_once(service: &Tributary) -> Result<()> {
    let context = service.context("clockwork");
    let mut tx = service.db.begin().await?;
    settle::release(&mut tx, &context).await?;
    account::forget(&mut tx, context.at(), (context.now - TimeDelta::days(2)).into()).await?;
    tx.commit().await?;
    Ok(())
}

/// Runs the jobs every minute, until the task is dropped.
pub async fn run_forever(service: Tributary) {
    loop {
        if let Err(error) = run_once(&service).await {
            tracing::error!(%error, "the jobs of this minute failed; they run again in the next");
        }
        tokio::time::sleep(Duration::from_secs(60)).await;
    }
}
