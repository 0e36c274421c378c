//! A number that triggers change whenever something of a kind changes, so that memory can be held against the store.

use super::{Result, Tx, ledger_chain};
use crate::run;

/// Of programs, partners, commission rules and closed months. Drawn at random with each change, so that what was rolled back
/// never comes again.
///
/// Whoever asks will post: the end of the ledger's chain comes along.
pub async fn of_terms(tx: &mut Tx) -> Result<i64> {
    let (revision, head): (i64, Option<Vec<u8>>) = run!(tx, |c| {
        sqlx::query_as(
            "SELECT revision, (SELECT hash FROM journals WHERE hash IS NOT NULL ORDER BY id DESC LIMIT 1) FROM terms_revision",
        )
        .fetch_one(c)
        .await
    })?;
    ledger_chain::found_head(tx, head.as_deref())?;
    Ok(revision)
}
