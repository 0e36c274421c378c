//! Journals posted by the thousand: a month's releases, a run's payments. The chain goes through them as if each had been
//! posted for itself.

use super::codec::text_of;
use super::ledger::{Because, chained_entries, chained_journal};
use super::{At, Backend, Error, Result, Tx, ledger_chain};
use crate::domain::id::JournalId;
use crate::domain::ledger::Journal;
use crate::domain::ledger::chain::{ChainHash, ChainedEntry};
use chrono::NaiveDate;
use sqlx::{PgConnection, QueryBuilder, Sqlite, SqliteConnection};

/// A journal with its day and what it leads back to.
#[derive(Debug, Clone)]
pub struct Posting {
    pub journal: Journal,
    pub day: NaiveDate,
    pub because: Because,
}

/// Journals in one statement: far below the parameters that SQLite takes.
const AT_ONCE: usize = 1_000;

/// A posting as it is stored.
struct Row<'a> {
    id: JournalId,
    of: &'a Posting,
    entries: [ChainedEntry; 2],
    hash: ChainHash,
}

/// Posts many journals in their order, in two statements for every thousand.
pub async fn post_all(tx: &mut Tx, postings: &[Posting], now: At) -> Result<()> {
    for chunk in postings.chunks(AT_ONCE) {
        let mut head = ledger_chain::head(tx).await?;
        let ids = next_ids(tx, chunk.len()).await?;
        let rows: Vec<Row<'_>> = chunk
            .iter()
            .zip(ids)
            .map(|(posting, id)| {
                let entries = chained_entries(&posting.journal, posting.day);
                head = chained_journal(&posting.journal, posting.day, &posting.because, now, &entries).hash(head);
                Row { id, of: posting, entries, hash: head }
            })
            .collect();
        match tx.on() {
            Backend::Sqlite(c) => insert_into_sqlite(c, &rows, now).await?,
            Backend::Postgres(c) => insert_into_postgres(c, &rows, now).await?,
        }
        tx.ledger_head = Some(head);
    }
    Ok(())
}

/// The ids of the next journals. One transaction at a time writes, so nobody else takes them.
async fn next_ids(tx: &mut Tx, count: usize) -> Result<Vec<JournalId>> {
    let count = count as i64;
    let ids: Vec<i64> = match tx.on() {
        Backend::Sqlite(c) => {
            let last: i64 = sqlx::query_scalar("SELECT COALESCE(MAX(id), 0) FROM journals").fetch_one(c).await?;
            (last + 1..=last + count).collect()
        }
        Backend::Postgres(c) => {
            sqlx::query_scalar("SELECT NEXTVAL(PG_GET_SERIAL_SEQUENCE('journals', 'id')) FROM GENERATE_SERIES(1, $1)")
                .bind(count)
                .fetch_all(c)
                .await?
        }
    };
    Ok(ids.into_iter().map(JournalId).collect())
}

async fn insert_into_sqlite(c: &mut SqliteConnection, rows: &[Row<'_>], now: At) -> Result<()> {
    let mut journals = QueryBuilder::<Sqlite>::new(
        "INSERT INTO journals (id, kind, currency, at, day, order_id, commission_id, payout_run_id, note, actor, audit_id, takes_back, hash) ",
    );
    journals.push_values(rows, |mut values, row| {
        let (journal, because) = (&row.of.journal, &row.of.because);
        values
            .push_bind(row.id)
            .push_bind(journal.kind())
            .push_bind(journal.currency())
            .push_bind(now)
            .push_bind(row.of.day)
            .push_bind(because.order)
            .push_bind(because.commission)
            .push_bind(because.run)
            .push_bind(because.note.as_deref())
            .push_bind(because.actor.as_deref())
            .push_bind(because.act)
            .push_bind(because.takes_back)
            .push_bind(row.hash.as_bytes());
    });
    journals.build().execute(&mut *c).await?;
    let mut entries =
        QueryBuilder::<Sqlite>::new("INSERT INTO ledger_entries (journal_id, account, partner_id, currency, amount_minor, day) ");
    entries.push_values(entries_of(rows), |mut values, (id, entry)| {
        values
            .push_bind(id)
            .push_bind(entry.account)
            .push_bind(entry.partner)
            .push_bind(entry.currency)
            .push_bind(entry.amount_minor)
            .push_bind(entry.day);
    });
    entries.build().execute(c).await?;
    Ok(())
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
