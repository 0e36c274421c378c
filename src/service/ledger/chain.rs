//! The chain of journals: completed for those of earlier versions, and walked by `doctor`.

use crate::domain::id::JournalId;
use crate::domain::ledger::chain::ChainHash;
use crate::service::Result;
use crate::store::{Db, ledger_chain, settings};

/// Set once every journal of an earlier version has its hash: from then on a journal without one is a broken link.
const COMPLETE: &str = "ledger_chained";
/// Journals in one transaction.
const BATCH: i64 = 5_000;

/// Gives the journals of earlier versions their hashes, in order and in batches; goes on where it was interrupted.
pub async fn complete(db: &Db) -> Result<()> {
    if settings::get(db, COMPLETE).await?.is_some() {
        return Ok(());
    }
    let (mut after, mut before) = ledger_chain::last_before_gap(db).await?;
    loop {
        let mut tx = db.begin().await?;
        let page = ledger_chain::page(&mut tx, after, BATCH).await?;
        let mut hashes = Vec::with_capacity(page.len());
        for row in &page {
            let hash = row.hash_after(before);
            if row.hash.is_none() {
                hashes.push((row.id, hash));
            }
            (after, before) = (row.id, row.hash.unwrap_or(hash));
        }
        if page.is_empty() {
            settings::set(&mut tx, COMPLETE, "yes").await?;
        } else {
            ledger_chain::give_hashes(&mut tx, &hashes).await?;
        }
        tx.commit().await?;
        if page.is_empty() {
            return Ok(());
        }
    }
}

/// What a walk along the chain found.
#[derive(Debug, Default)]
pub struct Walk {
    pub journals: u64,
    /// The journals that do not follow the one before them, the first ones first.
    pub broken: Vec<JournalId>,
}

/// Walks the whole chain.
pub async fn walk(db: &Db) -> Result<Walk> {
    let mut found = Walk::default();
    let (mut after, mut before) = (JournalId(0), ChainHash::START);
    loop {
        let page = ledger_chain::page(db, after, BATCH).await?;
        let Some(last) = page.last() else { return Ok(found) };
        after = last.id;
        for row in &page {
            found.journals += 1;
            let hash = row.hash_after(before);
            if row.hash != Some(hash) {
                found.broken.push(row.id);
            }
            before = row.hash.unwrap_or(hash);
        }
    }
}
