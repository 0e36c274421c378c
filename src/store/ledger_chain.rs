//! The chain of journals: its end, its rows in order, and the hashes that journals of earlier versions are given once.

use super::{At, Dialect, Error, Reader, Result, Tx};
use crate::domain::id::*;
use crate::domain::ledger::chain::{ChainHash, ChainedEntry, ChainedJournal};
use crate::domain::ledger::{AccountKind, JournalKind};
use crate::domain::money::Currency;
use crate::{exec, read};
use chrono::NaiveDate;
use std::collections::BTreeMap;

/// The hash that the next journal follows. Asked of the store once a transaction: one writes at a time.
pub async fn head(tx: &mut Tx) -> Result<ChainHash> {
    if let Some(head) = tx.ledger_head {
        return Ok(head);
    }
    let head = last(&mut *tx).await?.map_or(ChainHash::START, |(_, hash)| hash);
    tx.ledger_head = Some(head);
    Ok(head)
}

/// Another read has found the hash of the last journal, if there is one.
pub(super) fn found_head(tx: &mut Tx, last: Option<&[u8]>) -> Result<()> {
    if tx.ledger_head.is_none() {
        tx.ledger_head = Some(last.map(hash_of).transpose()?.unwrap_or(ChainHash::START));
    }
    Ok(())
}

/// The last journal of the chain.
pub async fn last<'a>(on: impl Into<Reader<'a>>) -> Result<Option<(JournalId, ChainHash)>> {
    let row: Option<(JournalId, Vec<u8>)> = read!(on.into(), |c| {
        sqlx::query_as("SELECT id, hash FROM journals WHERE hash IS NOT NULL ORDER BY id DESC LIMIT 1").fetch_optional(c).await
    })?;
    row.map(|(id, hash)| Ok((id, hash_of(&hash)?))).transpose()
}

fn hash_of(bytes: &[u8]) -> Result<ChainHash> {
    ChainHash::of_bytes(bytes).ok_or_else(|| Error::Unreadable("journals.hash".to_owned()))
}

/// A journal as it stands in the store.
#[derive(Debug)]
pub struct ChainRow {
    pub id: JournalId,
    pub hash: Option<ChainHash>,
    row: JournalRow,
    entries: Vec<ChainedEntry>,
}

#[derive(Debug, sqlx::FromRow)]
struct JournalRow {
    id: JournalId,
    kind: JournalKind,
    currency: Currency,
    at: At,
    day: NaiveDate,
    order_id: Option<OrderId>,
    commission_id: Option<CommissionId>,
    payout_run_id: Option<PayoutRunId>,
    note: Option<String>,
    actor: Option<String>,
    audit_id: Option<i64>,
    takes_back: Option<JournalId>,
    hash: Option<Vec<u8>>,
}

impl ChainRow {
    /// What its hash must be after the one before it.
    pub fn hash_after(&self, before: ChainHash) -> ChainHash {
        let row = &self.row;
        let journal = ChainedJournal {
            kind: row.kind,
            currency: row.currency,
            at: row.at.0,
            day: row.day,
            order: row.order_id,
            commission: row.commission_id,
            run: row.payout_run_id,
            actor: row.actor.as_deref(),
            act: row.audit_id,
            takes_back: row.takes_back,
            note: row.note.as_deref(),
            entries: &self.entries,
        };
        journal.hash(before)
    }
}

type EntryColumns = (JournalId, AccountKind, Option<PartnerId>, Currency, NaiveDate, i64);

/// The journals after `after`, at most `limit`, each with its entries, in the order they were posted.
pub async fn page<'a>(on: impl Into<Reader<'a>>, after: JournalId, limit: i64) -> Result<Vec<ChainRow>> {
    let mut reader = on.into();
    let journals: Vec<JournalRow> = read!(reader.again(), |c| {
        sqlx::query_as(
            "SELECT id, kind, currency, at, day, order_id, commission_id, payout_run_id, note, actor, audit_id, takes_back, hash \
             FROM journals WHERE id > $1 ORDER BY id LIMIT $2",
        )
        .bind(after)
        .bind(limit)
        .fetch_all(c)
        .await
    })?;
    let Some(last) = journals.last().map(|journal| journal.id) else { return Ok(Vec::new()) };
    let rows: Vec<EntryColumns> = read!(reader, |c| {
        sqlx::query_as(
            "SELECT journal_id, account, partner_id, currency, day, amount_minor FROM ledger_entries \
             WHERE journal_id > $1 AND journal_id <= $2 ORDER BY journal_id, id",
        )
        .bind(after)
        .bind(last)
        .fetch_all(c)
        .await
    })?;
    let mut entries: BTreeMap<i64, Vec<ChainedEntry>> = BTreeMap::new();
    for (journal, account, partner, currency, day, amount_minor) in rows {
        entries.entry(journal.0).or_default().push(ChainedEntry { account, partner, currency, day, amount_minor });
    }
    let row = |row: JournalRow| {
        let entries = entries.remove(&row.id.0).unwrap_or_default();
        let hash = row.hash.as_deref().map(hash_of).transpose()?;
        Ok(ChainRow { id: row.id, hash, row, entries })
    };
    journals.into_iter().map(row).collect()
}

/// Gives journals that have none their hash; the database lets each have one once.
pub async fn give_hashes(tx: &mut Tx, hashes: &[(JournalId, ChainHash)]) -> Result<()> {
    let rows: Vec<(i64, String)> = hashes.iter().map(|(id, hash)| (id.0, hash.to_string())).collect();
    let text = serde_json::to_string(&rows).map_err(|e| Error::Unreadable(e.to_string()))?;
    let sql = match tx.dialect() {
        Dialect::Sqlite => {
            "UPDATE journals SET hash = unhex(json_extract(v.value, '$[1]')) FROM json_each($1) v \
             WHERE journals.id = json_extract(v.value, '$[0]')"
        }
        Dialect::Postgres => {
            "UPDATE journals SET hash = DECODE(v->>1, 'hex') FROM jsonb_array_elements(CAST($1 AS JSONB)) v \
             WHERE journals.id = CAST(v->>0 AS BIGINT)"
        }
    };
    exec!(tx, sqlx::query(sql).bind(text.clone()))?;
    tx.ledger_head = None;
    Ok(())
}

/// The last journal before the first that has no hash, with its own.
pub async fn last_before_gap<'a>(on: impl Into<Reader<'a>>) -> Result<(JournalId, ChainHash)> {
    let row: Option<(JournalId, Vec<u8>)> = read!(on.into(), |c| {
        sqlx::query_as(
            "SELECT id, hash FROM journals WHERE hash IS NOT NULL \
             AND id < COALESCE((SELECT id FROM journals WHERE hash IS NULL ORDER BY id LIMIT 1), 9223372036854775807) \
             ORDER BY id DESC LIMIT 1",
        )
        .fetch_optional(c)
        .await
    })?;
    row.map_or(Ok((JournalId(0), ChainHash::START)), |(id, hash)| Ok((id, hash_of(&hash)?)))
}

/// Acts of the audit log that moved money by hand and whose journal is not there.
pub async fn acts_without_journal<'a>(on: impl Into<Reader<'a>>) -> Result<Vec<(i64, String, String)>> {
    Ok(read!(on.into(), |c| {
        sqlx::query_as(
            "SELECT a.id, a.act, a.subject FROM audit_log a WHERE a.act LIKE 'ledger.%' \
             AND NOT EXISTS (SELECT 1 FROM journals j WHERE j.audit_id = a.id) ORDER BY a.id",
        )
        .fetch_all(c)
        .await
    })?)
}
