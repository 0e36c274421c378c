//! Sums of partners' entries, made by the clockwork.

use crate::domain::id::EntryId;
use crate::service::{Result, Tributary};
use crate::store::{ledger_sum, settings};

/// Entries of a partner that are added up one by one before sums are made of them.
pub const TAIL: i64 = 1_000;
/// Entries in one transaction.
const BATCH: i64 = 50_000;
/// The newest entry when sums were last made.
const SUMMED_TO: &str = "ledger_summed_to";

/// Makes sums for partners with many entries that are in none. Safe to run at any time and twice.
pub async fn sum_up(service: &Tributary) -> Result<()> {
    let db = &service.db;
    let newest = ledger_sum::newest_entry(db).await?;
    let looked_at = settings::get(db, SUMMED_TO).await?.and_then(|id| id.parse().ok()).map_or(EntryId(0), EntryId);
    if newest.0 - looked_at.0 < TAIL {
        return Ok(());
    }
    for partner in ledger_sum::partners_after(db, looked_at).await? {
        loop {
            let mut tx = db.begin().await?;
            let after = ledger_sum::last_entry(&mut tx, partner).await?;
            let (count, last) = ledger_sum::tail(&mut tx, partner, after, BATCH).await?;
            if count < TAIL {
                break;
            }
            ledger_sum::add(&mut tx, partner, after, last).await?;
            tx.commit().await?;
        }
    }
    let mut tx = db.begin().await?;
    settings::set(&mut tx, SUMMED_TO, &newest.0.to_string()).await?;
    tx.commit().await?;
    Ok(())
}
