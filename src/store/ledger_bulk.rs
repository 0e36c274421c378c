//! Journals posted by the thousand: a month's releases, a run's payments. The chain goes through them as if each had been
//! posted for itself.

use super::codec::text_of;
use super::ledger::{Because, chained_entries, chained_journal};
use super::rows::{Holds, Rows, Table, next_ids, row};
use super::{At, Backend, Dialect, Error, Result, Tx, ledger_chain};
use crate::domain::id::JournalId;
use crate::domain::ledger::Journal;
use crate::domain::ledger::chain::{ChainHash, ChainedEntry};
use chrono::NaiveDate;
use serde_json::Value;
use sqlx::PgConnection;

/// A journal with its day and what it leads back to.
#[derive(Debug, Clone)]
pub struct Posting {
    pub journal: Journal,
    pub day: NaiveDate,
    pub because: Because,
}

/// Journals stored in one go, and made ready between two looks at whether the database waits.
const AT_ONCE: usize = 1_000;
const STEP: usize = 100;

static JOURNALS: Table = Table {
    name: "journals",
    columns: &[
        ("id", Holds::Number),
        ("kind", Holds::Text),
        ("currency", Holds::Text),
        ("at", Holds::Instant),
        ("day", Holds::Day),
        ("order_id", Holds::Number),
        ("commission_id", Holds::Number),
        ("payout_run_id", Holds::Number),
        ("note", Holds::Text),
        ("actor", Holds::Text),
        ("audit_id", Holds::Number),
        ("takes_back", Holds::Number),
        ("hash", Holds::Bytes),
    ],
};

static ENTRIES: Table = Table {
    name: "ledger_entries",
    columns: &[
        ("journal_id", Holds::Number),
        ("account", Holds::Text),
        ("partner_id", Holds::Number),
        ("currency", Holds::Text),
        ("amount_minor", Holds::Number),
        ("day", Holds::Day),
    ],
};

/// A posting as it is stored.
struct Row<'a> {
    id: JournalId,
    of: &'a Posting,
    entries: [ChainedEntry; 2],
    hash: ChainHash,
}

/// Posts a journal on a day, as the next of the chain.
pub async fn post(tx: &mut Tx, posting: &Posting, now: At) -> Result<JournalId> {
    let [mut ids] = next_ids(tx, [(JOURNALS.name, 1)]).await?;
    let id = ids.next().ok_or_else(|| Error::missing("the next id of journals"))?;
    let mut rows = Rows::new(tx.dialect());
    add(&mut rows, tx, std::slice::from_ref(posting), std::iter::once(id), now).await?;
    rows.store(tx).await?;
    Ok(JournalId(id))
}

/// Posts many journals in their order, some hundreds in a statement; the next are made ready meanwhile.
pub async fn post_all(tx: &mut Tx, postings: &[Posting], now: At) -> Result<()> {
    let [mut ids] = next_ids(tx, [(JOURNALS.name, postings.len())]).await?;
    let dialect = tx.dialect();
    let mut head = ledger_chain::head(tx).await?;
    let mut chunks = postings.chunks(AT_ONCE);
    let mut these = make_ready(dialect, &mut head, chunks.next().unwrap_or_default(), &mut ids, now).await?;
    while !these.chained.is_empty() {
        let next = make_ready(dialect, &mut head, chunks.next().unwrap_or_default(), &mut ids, now);
        let (stored, next) = tokio::join!(these.store(tx, now), next);
        stored?;
        these = next?;
    }
    tx.ledger_head = Some(head);
    Ok(())
}

/// Journals that are made ready to be stored, for SQLite as rows.
struct Ready<'a> {
    chained: Vec<Row<'a>>,
    journals: Vec<Vec<Value>>,
    entries: Vec<Vec<Value>>,
}

/// Makes journals ready, the next of the chain after `head`.
async fn make_ready<'a>(
    dialect: Dialect,
    head: &mut ChainHash,
    postings: &'a [Posting],
    ids: &mut impl Iterator<Item = i64>,
    now: At,
) -> Result<Ready<'a>> {
    let mut ready = Ready { chained: Vec::with_capacity(postings.len()), journals: Vec::new(), entries: Vec::new() };
    for step in postings.chunks(STEP) {
        let rows = chained(head, step, &mut *ids, now);
        if dialect == Dialect::Sqlite {
            ready.journals.append(&mut journal_rows(dialect, &rows, now)?);
            ready.entries.append(&mut entry_rows(dialect, &rows)?);
        }
        ready.chained.extend(rows);
        // The database may have done its part, and wait for the next.
        tokio::task::yield_now().await;
    }
    Ok(ready)
}

impl Ready<'_> {
    async fn store(self, tx: &mut Tx, now: At) -> Result<()> {
        if let Backend::Postgres(c) = tx.on() {
            return insert_into_postgres(c, &self.chained, now).await;
        }
        let mut rows = Rows::new(tx.dialect());
        rows.add(&JOURNALS, self.journals);
        rows.add(&ENTRIES, self.entries);
        rows.store(tx).await
    }
}

/// Adds journals in their order to what is to be stored. Nothing else may be posted before that is.
pub async fn add(rows: &mut Rows, tx: &mut Tx, postings: &[Posting], ids: impl Iterator<Item = i64>, now: At) -> Result<()> {
    let mut head = ledger_chain::head(tx).await?;
    let chained = chained(&mut head, postings, ids, now);
    tx.ledger_head = Some(head);
    add_chained(rows, &chained, now)
}

/// The postings as the next of the chain after `head`, which becomes the last of them.
fn chained<'a>(head: &mut ChainHash, postings: &'a [Posting], ids: impl Iterator<Item = i64>, now: At) -> Vec<Row<'a>> {
    let row = |(posting, id): (&'a Posting, i64)| {
        let entries = chained_entries(&posting.journal, posting.day);
        *head = chained_journal(&posting.journal, posting.day, &posting.because, now, &entries).hash(*head);
        Row { id: JournalId(id), of: posting, entries, hash: *head }
    };
    postings.iter().zip(ids).map(row).collect()
}

fn add_chained(all: &mut Rows, rows: &[Row<'_>], now: At) -> Result<()> {
    let dialect = all.dialect;
    all.add(&JOURNALS, journal_rows(dialect, rows, now)?);
    all.add(&ENTRIES, entry_rows(dialect, rows)?);
    Ok(())
}

fn journal_rows(dialect: Dialect, rows: &[Row<'_>], now: At) -> Result<Vec<Vec<Value>>> {
    let journal = |row: &Row<'_>| {
        let (journal, because) = (&row.of.journal, &row.of.because);
        Ok(row![dialect;
            row.id, journal.kind(), journal.currency(), now, row.of.day, because.order, because.commission, because.run,
            because.note, because.actor, because.act, because.takes_back, *row.hash.as_bytes(),
        ])
    };
    rows.iter().map(journal).collect()
}

fn entry_rows(dialect: Dialect, rows: &[Row<'_>]) -> Result<Vec<Vec<Value>>> {
    let entry = |(id, entry): (JournalId, ChainedEntry)| {
        Ok(row![dialect; id, entry.account, entry.partner, entry.currency, entry.amount_minor, entry.day])
    };
    entries_of(rows).map(entry).collect()
}

fn entries_of(rows: &[Row<'_>]) -> impl Iterator<Item = (JournalId, ChainedEntry)> {
    rows.iter().flat_map(|row| row.entries.map(|entry| (row.id, entry)))
}

fn text(value: &impl serde::Serialize) -> Result<String> {
    text_of(value).map_err(|error| Error::Unreadable(error.to_string()))
}

/// PostgreSQL reads arrays several times as fast as as many parameters.
async fn insert_into_postgres(c: &mut PgConnection, rows: &[Row<'_>], now: At) -> Result<()> {
    let because = || rows.iter().map(|row| &row.of.because);
    sqlx::query(
        "INSERT INTO journals (id, kind, currency, at, day, order_id, commission_id, payout_run_id, note, actor, audit_id, takes_back, hash) \
         OVERRIDING SYSTEM VALUE SELECT id, kind, currency, $2, day, order_id, commission_id, payout_run_id, note, actor, audit_id, \
         takes_back, hash FROM UNNEST(CAST($1 AS BIGINT[]), CAST($3 AS TEXT[]), CAST($4 AS TEXT[]), CAST($5 AS DATE[]), \
         CAST($6 AS BIGINT[]), CAST($7 AS BIGINT[]), CAST($8 AS BIGINT[]), CAST($9 AS TEXT[]), CAST($10 AS TEXT[]), CAST($11 AS BIGINT[]), \
         CAST($12 AS BIGINT[]), CAST($13 AS BYTEA[])) \
         AS t(id, kind, currency, day, order_id, commission_id, payout_run_id, note, actor, audit_id, takes_back, hash)",
    )
    .bind(rows.iter().map(|row| row.id.0).collect::<Vec<_>>())
    .bind(now)
    .bind(rows.iter().map(|row| text(&row.of.journal.kind())).collect::<Result<Vec<_>>>()?)
    .bind(rows.iter().map(|row| row.of.journal.currency().code()).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.of.day).collect::<Vec<_>>())
    .bind(because().map(|b| b.order.map(|id| id.0)).collect::<Vec<_>>())
    .bind(because().map(|b| b.commission.map(|id| id.0)).collect::<Vec<_>>())
    .bind(because().map(|b| b.run.map(|id| id.0)).collect::<Vec<_>>())
    .bind(because().map(|b| b.note.clone()).collect::<Vec<_>>())
    .bind(because().map(|b| b.actor.clone()).collect::<Vec<_>>())
    .bind(because().map(|b| b.act).collect::<Vec<_>>())
    .bind(because().map(|b| b.takes_back.map(|id| id.0)).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.hash.as_bytes().to_vec()).collect::<Vec<_>>())
    .execute(&mut *c)
    .await?;
    sqlx::query(
        "INSERT INTO ledger_entries (journal_id, account, partner_id, currency, amount_minor, day) \
         SELECT journal_id, account, partner_id, currency, amount_minor, day FROM UNNEST(CAST($1 AS BIGINT[]), CAST($2 AS TEXT[]), \
         CAST($3 AS BIGINT[]), CAST($4 AS TEXT[]), CAST($5 AS BIGINT[]), CAST($6 AS DATE[])) \
         AS t(journal_id, account, partner_id, currency, amount_minor, day)",
    )
    .bind(entries_of(rows).map(|(id, _)| id.0).collect::<Vec<_>>())
    .bind(entries_of(rows).map(|(_, entry)| text(&entry.account)).collect::<Result<Vec<_>>>()?)
    .bind(entries_of(rows).map(|(_, entry)| entry.partner.map(|id| id.0)).collect::<Vec<_>>())
    .bind(entries_of(rows).map(|(_, entry)| entry.currency.code()).collect::<Vec<_>>())
    .bind(entries_of(rows).map(|(_, entry)| entry.amount_minor).collect::<Vec<_>>())
    .bind(entries_of(rows).map(|(_, entry)| entry.day).collect::<Vec<_>>())
    .execute(c)
    .await?;
    Ok(())
}
