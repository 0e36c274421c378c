//! A number that triggers change whenever something of a kind changes, so that memory can be held against the store.

use super::{Result, Tx};
use crate::run;

/// Of programs, partners, commission rules and closed months. Drawn at random with each change, so that what was rolled back
/// never comes again.
pub async fn of_terms(tx: &mut Tx) -> Result<i64> {
    Ok(run!(tx, |c| sqlx::query_scalar("SELECT revision FROM terms_revision").fetch_one(c).await)?)
}
