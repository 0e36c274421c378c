//! Journals and entries: added, never changed; balances are sums over them.

use super::codec::text_of;
use super::{At, Backend, Error, Reader, Result, Tx};
use crate::domain::id::*;
use crate::domain::ledger::{Account, AccountKind, Journal, JournalKind};
use crate::domain::money::Currency;
use crate::{exec, read, run};
use chrono::NaiveDate;
use sqlx::{PgConnection, QueryBuilder, Sqlite, SqliteConnection};

/// What a journal leads back to.
#[derive(Debug, Clone, Default)]
pub struct Because {
    pub order: Option<OrderId>,
    pub commission: Option<CommissionId>,
    pub run: Option<PayoutRunId>,
    pub note: Option<String>,
}

/// Posts a journal on a day.
pub async fn post(tx: &mut Tx, journal: &Journal, day: NaiveDate, because: &Because, now: At) -> Result<JournalId> {
    let id: JournalId = run!(tx, |c| {
        sqlx::query_scalar(
            "INSERT INTO journals (kind, currency, at, day, order_id, commission_id, payout_run_id, note) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING id",
        )
        .bind(journal.kind())
        .bind(journal.currency())
        .bind(now)
        .bind(day)
        .bind(because.order)
        .bind(because.commission)
        .bind(because.run)
        .bind(&because.note)
        .fetch_one(c)
        .await
    })?;
    for (account, minor) in journal.entries() {
        exec!(tx, {
            sqlx::query(
                "INSERT INTO ledger_entries (journal_id, account, partner_id, currency, amount_minor, day) VALUES ($1, $2, $3, $4, $5, $6)",
            )
            .bind(id)
            .bind(account.kind())
            .bind(account.partner())
            .bind(journal.currency())
            .bind(*minor)
            .bind(day)
        })?;
    }
    Ok(id)
}

/// A journal with its day and what it leads back to.
#[derive(Debug, Clone)]
pub struct Posting {
    pub journal: Journal,
    pub day: NaiveDate,
    pub because: Because,
}

/// Journals in one statement: far below the parameters that SQLite takes.
const AT_ONCE: usize = 1_000;

/// Posts many journals in their order, in a few statements for every thousand.
pub async fn post_all(tx: &mut Tx, postings: &[Posting], now: At) -> Result<()> {
    for chunk in postings.chunks(AT_ONCE) {
        let ids = next_ids(tx, chunk.len()).await?;
        match tx.on() {
            Backend::Sqlite(c) => insert_into_sqlite(c, &ids, chunk, now).await?,
            Backend::Postgres(c) => insert_into_postgres(c, &ids, chunk, now).await?,
        }
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

async fn insert_into_sqlite(c: &mut SqliteConnection, ids: &[JournalId], postings: &[Posting], now: At) -> Result<()> {
    let mut journals = QueryBuilder::<Sqlite>::new(
        "INSERT INTO journals (id, kind, currency, at, day, order_id, commission_id, payout_run_id, note) ",
    );
    journals.push_values(ids.iter().zip(postings), |mut row, (id, posting)| {
        row.push_bind(*id)
            .push_bind(posting.journal.kind())
            .push_bind(posting.journal.currency())
            .push_bind(now)
            .push_bind(posting.day)
            .push_bind(posting.because.order)
            .push_bind(posting.because.commission)
            .push_bind(posting.because.run)
            .push_bind(posting.because.note.as_deref());
    });
    journals.build().execute(&mut *c).await?;
    let mut entries =
        QueryBuilder::<Sqlite>::new("INSERT INTO ledger_entries (journal_id, account, partner_id, currency, amount_minor, day) ");
    entries.push_values(entries_of(ids, postings), |mut row, (id, posting, account, minor)| {
        row.push_bind(id)
            .push_bind(account.kind())
            .push_bind(account.partner())
            .push_bind(posting.journal.currency())
            .push_bind(minor)
            .push_bind(posting.day);
    });
    entries.build().execute(c).await?;
    Ok(())
}

/// The entries of all journals, in their order.
fn entries_of<'a>(ids: &'a [JournalId], postings: &'a [Posting]) -> impl Iterator<Item = (JournalId, &'a Posting, Account, i64)> {
    ids.iter()
        .zip(postings)
        .flat_map(|(id, posting)| posting.journal.entries().iter().map(move |(account, minor)| (*id, posting, *account, *minor)))
}

/// PostgreSQL reads arrays several times as fast as as many parameters.
async fn insert_into_postgres(c: &mut PgConnection, ids: &[JournalId], postings: &[Posting], now: At) -> Result<()> {
    let text = |value: std::result::Result<String, sqlx::error::BoxDynError>| value.map_err(|e| Error::Unreadable(e.to_string()));
    let mut kinds = Vec::with_capacity(postings.len());
    let mut currencies = Vec::with_capacity(postings.len());
    for posting in postings {
        kinds.push(text(text_of(&posting.journal.kind()))?);
        currencies.push(posting.journal.currency().code());
    }
    sqlx::query(
        "INSERT INTO journals (id, kind, currency, at, day, order_id, commission_id, payout_run_id, note) OVERRIDING SYSTEM VALUE \
         SELECT id, kind, currency, $2, day, order_id, commission_id, payout_run_id, note FROM UNNEST(CAST($1 AS BIGINT[]), \
         CAST($3 AS TEXT[]), CAST($4 AS TEXT[]), CAST($5 AS DATE[]), CAST($6 AS BIGINT[]), CAST($7 AS BIGINT[]), CAST($8 AS BIGINT[]), \
         CAST($9 AS TEXT[])) AS t(id, kind, currency, day, order_id, commission_id, payout_run_id, note)",
    )
    .bind(ids.iter().map(|id| id.0).collect::<Vec<_>>())
    .bind(now)
    .bind(kinds)
    .bind(currencies)
    .bind(postings.iter().map(|p| p.day).collect::<Vec<_>>())
    .bind(postings.iter().map(|p| p.because.order.map(|id| id.0)).collect::<Vec<_>>())
    .bind(postings.iter().map(|p| p.because.commission.map(|id| id.0)).collect::<Vec<_>>())
    .bind(postings.iter().map(|p| p.because.run.map(|id| id.0)).collect::<Vec<_>>())
    .bind(postings.iter().map(|p| p.because.note.clone()).collect::<Vec<_>>())
    .execute(&mut *c)
    .await?;
    let (mut journals, mut accounts, mut partners, mut currencies, mut amounts, mut days) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (id, posting, account, minor) in entries_of(ids, postings) {
        journals.push(id.0);
        accounts.push(text(text_of(&account.kind()))?);
        partners.push(account.partner().map(|id| id.0));
        currencies.push(posting.journal.currency().code());
        amounts.push(minor);
        days.push(posting.day);
    }
    sqlx::query(
        "INSERT INTO ledger_entries (journal_id, account, partner_id, currency, amount_minor, day) \
         SELECT journal_id, account, partner_id, currency, amount_minor, day FROM UNNEST(CAST($1 AS BIGINT[]), CAST($2 AS TEXT[]), \
         CAST($3 AS BIGINT[]), CAST($4 AS TEXT[]), CAST($5 AS BIGINT[]), CAST($6 AS DATE[])) \
         AS t(journal_id, account, partner_id, currency, amount_minor, day)",
    )
    .bind(journals)
    .bind(accounts)
    .bind(partners)
    .bind(currencies)
    .bind(amounts)
    .bind(days)
    .execute(c)
    .await?;
    Ok(())
}

/// What a partner's accounts hold in one currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Balance {
    pub held_minor: i64,
    pub available_minor: i64,
    pub in_payment_minor: i64,
}

impl Balance {
    pub fn total_minor(self) -> i64 {
        self.held_minor + self.available_minor + self.in_payment_minor
    }
}

/// Balances by partner and currency, counting entries up to and including `until`.
pub async fn balances<'a>(
    on: impl Into<Reader<'a>>,
    partner: Option<PartnerId>,
    until: NaiveDate,
) -> Result<Vec<(PartnerId, Currency, Balance)>> {
    let rows: Vec<(PartnerId, Currency, i64, i64, i64)> = read!(on.into(), |c| {
        sqlx::query_as(
            "SELECT partner_id, currency, \
             CAST(COALESCE(SUM(amount_minor) FILTER (WHERE account = 'held'), 0) AS BIGINT), \
             CAST(COALESCE(SUM(amount_minor) FILTER (WHERE account = 'available'), 0) AS BIGINT), \
             CAST(COALESCE(SUM(amount_minor) FILTER (WHERE account = 'in_payment'), 0) AS BIGINT) \
             FROM ledger_entries WHERE partner_id IS NOT NULL AND ($1 = 0 OR partner_id = $1) AND day <= $2 \
             GROUP BY partner_id, currency ORDER BY partner_id, currency",
        )
        .bind(partner.map_or(0, |p| p.0))
        .bind(until)
        .fetch_all(c)
        .await
    })?;
    Ok(rows
        .into_iter()
        .map(|(partner, currency, held_minor, available_minor, in_payment_minor)| {
            (partner, currency, Balance { held_minor, available_minor, in_payment_minor })
        })
        .collect())
}

/// What payout runs took out of `available` after a day, less what they gave back.
pub async fn taken_by_runs_after<'a>(on: impl Into<Reader<'a>>, day: NaiveDate) -> Result<Vec<(PartnerId, Currency, i64)>> {
    Ok(read!(on.into(), |c| {
        sqlx::query_as(
            "SELECT e.partner_id, e.currency, CAST(-SUM(e.amount_minor) AS BIGINT) FROM ledger_entries e \
             JOIN journals j ON j.id = e.journal_id WHERE j.kind IN ('put_in_run', 'taken_out_of_run', 'returned') \
             AND e.account = 'available' AND e.day > $1 \
             GROUP BY e.partner_id, e.currency",
        )
        .bind(day)
        .fetch_all(c)
        .await
    })?)
}

/// A journal as one partner sees it: what it changed in all their accounts together.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct StatementLine {
    pub journal_id: JournalId,
    pub day: NaiveDate,
    pub kind: JournalKind,
    pub currency: Currency,
    pub amount_minor: i64,
    pub order_external_id: Option<String>,
    pub commission_id: Option<CommissionId>,
    pub payout_run_id: Option<PayoutRunId>,
    pub note: Option<String>,
}

/// What changed a partner's total in a span of days. Moves between their own accounts change nothing and are left out.
pub async fn statement_lines<'a>(
    on: impl Into<Reader<'a>>,
    partner: PartnerId,
    from: NaiveDate,
    to: NaiveDate,
) -> Result<Vec<StatementLine>> {
    Ok(read!(on.into(), |c| {
        sqlx::query_as(
            "SELECT j.id AS journal_id, j.day, j.kind, j.currency, CAST(SUM(e.amount_minor) AS BIGINT) AS amount_minor, \
             o.external_id AS order_external_id, j.commission_id, j.payout_run_id, j.note \
             FROM ledger_entries e JOIN journals j ON j.id = e.journal_id LEFT JOIN orders o ON o.id = j.order_id \
             WHERE e.partner_id = $1 AND e.day >= $2 AND e.day <= $3 \
             GROUP BY j.id, j.day, j.kind, j.currency, o.external_id, j.commission_id, j.payout_run_id, j.note \
             HAVING SUM(e.amount_minor) <> 0 ORDER BY j.day, j.id",
        )
        .bind(partner)
        .bind(from)
        .bind(to)
        .fetch_all(c)
        .await
    })?)
}

/// What was paid to a partner in all, by currency.
pub async fn paid_in_all<'a>(on: impl Into<Reader<'a>>, partner: PartnerId) -> Result<Vec<(Currency, i64)>> {
    Ok(read!(on.into(), |c| {
        sqlx::query_as(
            "SELECT e.currency, CAST(-SUM(e.amount_minor) AS BIGINT) FROM ledger_entries e JOIN journals j ON j.id = e.journal_id \
             WHERE e.partner_id = $1 AND j.kind IN ('paid', 'returned') GROUP BY e.currency ORDER BY e.currency",
        )
        .bind(partner)
        .fetch_all(c)
        .await
    })?)
}

/// An entry with its journal.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct EntryRow {
    pub id: EntryId,
    pub journal_id: JournalId,
    pub kind: JournalKind,
    pub day: NaiveDate,
    pub at: At,
    pub account: AccountKind,
    pub partner_id: Option<PartnerId>,
    pub currency: Currency,
    pub amount_minor: i64,
    pub order_external_id: Option<String>,
    pub commission_id: Option<CommissionId>,
    pub payout_run_id: Option<PayoutRunId>,
}

/// Entries oldest first, after `after`.
pub async fn entries<'a>(on: impl Into<Reader<'a>>, partner: Option<PartnerId>, after: i64, limit: i64) -> Result<Vec<EntryRow>> {
    Ok(read!(on.into(), |c| {
        sqlx::query_as(
            "SELECT e.id, e.journal_id, j.kind, e.day, j.at, e.account, e.partner_id, e.currency, e.amount_minor, \
             o.external_id AS order_external_id, j.commission_id, j.payout_run_id \
             FROM ledger_entries e JOIN journals j ON j.id = e.journal_id LEFT JOIN orders o ON o.id = j.order_id \
             WHERE e.id > $1 AND ($3 = 0 OR e.partner_id = $3) ORDER BY e.id LIMIT $2",
        )
        .bind(after)
        .bind(limit)
        .bind(partner.map_or(0, |p| p.0))
        .fetch_all(c)
        .await
    })?)
}
