//! Sums of partners' entries, so that a balance need not add up all of them. Made from entries that never change, added and
//! never changed themselves; `doctor` adds up the entries anew.

use super::{Reader, Result, Tx};
use crate::domain::id::{EntryId, PartnerId};
use crate::domain::ledger::AccountKind;
use crate::domain::money::Currency;
use crate::{exec, read};

/// The last entry of a partner that is in their sums; 0 without sums.
pub async fn last_entry<'a>(on: impl Into<Reader<'a>>, partner: PartnerId) -> Result<EntryId> {
    Ok(read!(on.into(), |c| {
        sqlx::query_scalar("SELECT CAST(COALESCE(MAX(last_entry), 0) AS BIGINT) FROM ledger_sums WHERE partner_id = $1")
            .bind(partner)
            .fetch_one(c)
            .await
    })?)
}

/// The ledger's last entry; 0 in an empty one.
pub async fn newest_entry<'a>(on: impl Into<Reader<'a>>) -> Result<EntryId> {
    Ok(read!(on.into(), |c| {
        sqlx::query_scalar("SELECT CAST(COALESCE(MAX(id), 0) AS BIGINT) FROM ledger_entries").fetch_one(c).await
    })?)
}

/// The partners with entries after `after`.
pub async fn partners_after<'a>(on: impl Into<Reader<'a>>, after: EntryId) -> Result<Vec<PartnerId>> {
    Ok(read!(on.into(), |c| {
        sqlx::query_scalar(
            "SELECT DISTINCT partner_id FROM ledger_entries WHERE id > $1 AND partner_id IS NOT NULL ORDER BY partner_id",
        )
        .bind(after)
        .fetch_all(c)
        .await
    })?)
}

/// How many entries of a partner came after `after`, and the last of them; counted up to `most`.
pub async fn tail<'a>(on: impl Into<Reader<'a>>, partner: PartnerId, after: EntryId, most: i64) -> Result<(i64, EntryId)> {
    Ok(read!(on.into(), |c| {
        sqlx::query_as(
            "SELECT COUNT(*), CAST(COALESCE(MAX(id), 0) AS BIGINT) FROM (SELECT id FROM ledger_entries \
             WHERE partner_id = $1 AND id > $2 ORDER BY id LIMIT $3) AS tail",
        )
        .bind(partner)
        .bind(after)
        .bind(most)
        .fetch_one(c)
        .await
    })?)
}

/// Adds the sums of a partner's entries after `after` up to and including `last`.
pub async fn add(tx: &mut Tx, partner: PartnerId, after: EntryId, last: EntryId) -> Result<()> {
    exec!(tx, {
        sqlx::query(
            "INSERT INTO ledger_sums (partner_id, last_entry, currency, account, period, amount_minor) \
             SELECT partner_id, CAST($3 AS BIGINT), currency, account, SUBSTR(CAST(day AS TEXT), 1, 7), CAST(SUM(amount_minor) AS BIGINT) \
             FROM ledger_entries WHERE partner_id = $1 AND id > $2 AND id <= $3 \
             GROUP BY partner_id, currency, account, SUBSTR(CAST(day AS TEXT), 1, 7)",
        )
        .bind(partner)
        .bind(after)
        .bind(last)
    })?;
    Ok(())
}

/// How many sums there are.
pub async fn count<'a>(on: impl Into<Reader<'a>>) -> Result<i64> {
    Ok(read!(on.into(), |c| sqlx::query_scalar("SELECT COUNT(*) FROM ledger_sums").fetch_one(c).await)?)
}

/// Partner, currency, account, month, what is kept, what the entries say.
pub type Difference = (PartnerId, Currency, AccountKind, String, i64, i64);

/// Where a partner's sums are not those of the entries they are made of.
pub async fn differences<'a>(on: impl Into<Reader<'a>>) -> Result<Vec<Difference>> {
    Ok(read!(on.into(), |c| {
        sqlx::query_as(
            "WITH summed AS (SELECT partner_id, MAX(last_entry) AS last_entry FROM ledger_sums GROUP BY partner_id), \
             parts AS (SELECT partner_id, currency, account, period, amount_minor AS kept, 0 AS there FROM ledger_sums UNION ALL \
             SELECT e.partner_id, e.currency, e.account, SUBSTR(CAST(e.day AS TEXT), 1, 7), 0, e.amount_minor FROM summed s \
             JOIN ledger_entries e ON e.partner_id = s.partner_id AND e.id <= s.last_entry) \
             SELECT partner_id, currency, account, period, CAST(SUM(kept) AS BIGINT), CAST(SUM(there) AS BIGINT) FROM parts \
             GROUP BY partner_id, currency, account, period HAVING SUM(kept) <> SUM(there) \
             ORDER BY partner_id, currency, account, period",
        )
        .fetch_all(c)
        .await
    })?)
}
