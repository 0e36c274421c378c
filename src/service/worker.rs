//! The clockwork: jobs that are safe to run at any time and twice.

use super::{Result, Tributary, ledger, rollup, settle};
use crate::store::{Tx, account, missed_hit, partition, settings, touch};
use chrono::{NaiveDate, TimeDelta};
use std::time::{Duration, Instant};

/// How long clicks on unknown codes are kept for a code to be given to a link.
const MISSED_DAYS: i64 = 90;
/// Addresses shortened in one transaction.
const ADDRESSES_AT_ONCE: i64 = 1_000;

/// Roll-ups are made anew for at most one part in this many of the time: a day of very many orders is reckoned whole for each
/// that comes, and whoever asks meanwhile is told right all the same.
const BETWEEN_ADDING_UP: u32 = 30;

/// Releases what has been held long enough, forgets what has expired, makes room for the months to come,
/// and adds up entries.
pub async fn run_once(service: &Tributary) -> Result<()> {
    let context = service.context("clockwork");
    let mut tx = service.db.begin().await?;
    settle::settle_clicks(&mut tx, &context).await?;
    settle::release(&mut tx, &context).await?;
    account::forget(&mut tx, context.at(), (context.now - TimeDelta::days(2)).into()).await?;
    missed_hit::forget(&mut tx, (context.now - TimeDelta::days(MISSED_DAYS)).into()).await?;
    partition::ensure_ahead(&mut tx, context.now).await?;
    tx.commit().await?;
    ledger::sums::sum_up(service).await
}

/// The last day whose addresses have been shortened.
const SHORTENED_TO: &str = "addresses_shortened_to";

/// Has addresses looked at again from a day on: touches of it came in late.
pub async fn shorten_again_from(tx: &mut Tx, day: NaiveDate) -> Result<()> {
    let done: Option<NaiveDate> = settings::get(&mut *tx, SHORTENED_TO).await?.and_then(|day| day.parse().ok());
    if done.is_some_and(|done| done >= day)
        && let Some(before) = day.pred_opt()
    {
        settings::set(tx, SHORTENED_TO, &before.to_string()).await?;
    }
    Ok(())
}

/// Shortens the addresses of touches older than `days` to their network.
pub async fn shorten_addresses(service: &Tributary, days: u32) -> Result<()> {
    let context = service.context("clockwork");
    let last = context.today() - TimeDelta::days(i64::from(days) + 1);
    let done: Option<NaiveDate> = settings::get(&service.db, SHORTENED_TO).await?.and_then(|day| day.parse().ok());
    let first = match done {
        Some(done) => done.succ_opt(),
        None => touch::first_day(&service.db).await?,
    };
    let Some(mut day) = first else { return Ok(()) };
    while day <= last {
        loop {
            let mut tx = service.db.begin().await?;
            let shortened = touch::shorten_addresses(&mut tx, day, ADDRESSES_AT_ONCE).await?;
            if shortened == 0 {
                settings::set(&mut tx, SHORTENED_TO, &day.to_string()).await?;
            }
            tx.commit().await?;
            if shortened == 0 {
                break;
            }
        }
        let Some(next) = day.succ_opt() else { break };
        day = next;
    }
    Ok(())
}

/// Runs the jobs every minute, until the task is dropped.
pub async fn run_forever(service: Tributary, ip_retention_days: u32) {
    let mut add_up_at = Instant::now();
    loop {
        let jobs = async {
            run_once(&service).await?;
            let started = Instant::now();
            if started >= add_up_at {
                rollup::refresh(&service).await?;
                add_up_at = started + started.elapsed() * BETWEEN_ADDING_UP;
            }
            shorten_addresses(&service, ip_retention_days).await
        };
        if let Err(error) = jobs.await {
            tracing::error!(%error, "the jobs of this minute failed; they run again in the next");
        }
        tokio::time::sleep(Duration::from_secs(60)).await;
    }
}
