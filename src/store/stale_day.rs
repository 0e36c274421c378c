//! Days whose roll-ups are out of date. Whoever changes what a roll-up is made of adds a mark in the same transaction
//! (triggers do it for orders and all that belongs to them); whoever makes the roll-up anew takes away the marks he saw
//! before he read, and no others.

use super::{Backend, Db, Dialect, Error, Reader, Result, Tx};
use crate::{exec, read, run};
use chrono::NaiveDate;
use sqlx::QueryBuilder;

/// What of a day is out of date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Stale {
    /// The credit of its orders and leads.
    Credit,
    /// Their credit by the models that need a fit.
    Fitted,
    /// Its touches, and with them the credit of every day that they may count on.
    Touches,
}

impl Stale {
    pub const ALL: [Stale; 3] = [Stale::Credit, Stale::Fitted, Stale::Touches];

    pub fn name(self) -> &'static str {
        match self {
            Stale::Credit => "credit",
            Stale::Fitted => "fitted",
            Stale::Touches => "touches",
        }
    }
}

/// Marks days.
pub async fn mark(tx: &mut Tx, what: Stale, days: impl IntoIterator<Item = NaiveDate>) -> Result<()> {
    let days: Vec<NaiveDate> = days.into_iter().collect();
    for chunk in days.chunks(500) {
        run!(tx, |c| {
            let mut query = QueryBuilder::new("INSERT INTO stale_days (what, day) ");
            query.push_values(chunk, |mut row, day| {
                row.push_bind(what.name()).push_bind(*day);
            });
            query.build().execute(c).await.map(|_| ())
        })?;
    }
    Ok(())
}

/// Marks every day that anything happened on.
pub async fn mark_all(tx: &mut Tx) -> Result<()> {
    let first_day = match tx.dialect() {
        Dialect::Sqlite => "period || '-01'",
        Dialect::Postgres => "CAST(period || '-01' AS DATE)",
    };
    let sql = format!(
        "INSERT INTO stale_days (what, day) SELECT DISTINCT 'credit', day FROM orders UNION SELECT DISTINCT 'credit', day FROM leads \
         UNION SELECT DISTINCT 'credit', day FROM events WHERE kind = 'lead' UNION SELECT DISTINCT 'touches', day FROM touch_days \
         UNION SELECT DISTINCT 'credit', COALESCE(day, {first_day}) FROM commissions WHERE order_id IS NULL AND lead_id IS NULL \
         UNION SELECT DISTINCT 'credit', day FROM credit_days"
    );
    exec!(tx, sqlx::query(sqlx::AssertSqlSafe(sql.clone())))?;
    Ok(())
}

/// The key of PostgreSQL's advisory lock of whoever makes roll-ups anew.
const MAKER_LOCK: i64 = 0x7472_6972;

/// Held by whoever makes roll-ups anew, in this process or another: of two at once, the slower could put what it read earlier over
/// what the other one read later. Ends when it is dropped.
#[derive(Debug)]
pub enum Maker {
    /// Beside SQLite's file, for closing the store's own would drop SQLite's locks on it.
    File(std::fs::File),
    /// A connection that nobody else has, for the lock is the connection's.
    Postgres(Box<sqlx::PgConnection>),
}

/// Waits until nobody else makes roll-ups anew.
pub async fn alone(db: &Db) -> Result<Maker> {
    match db.backend() {
        Backend::Sqlite(_) => {
            let path = db.sqlite_path().map(|path| format!("{}.rollups.lock", path.display())).unwrap_or_default();
            let locked = tokio::task::spawn_blocking(move || {
                let file = std::fs::File::create(&path)?;
                file.lock()?;
                Ok::<_, std::io::Error>(file)
            });
            let locked = locked.await.map_err(|error| Error::Unreadable(error.to_string()))?;
            locked.map(Maker::File).map_err(|error| Error::BadUrl(format!("the lock of roll-ups: {error}")))
        }
        Backend::Postgres(pool) => {
            let mut connection = pool.acquire().await?.detach();
            sqlx::query("SELECT pg_advisory_lock($1)").bind(MAKER_LOCK).execute(&mut connection).await?;
            Ok(Maker::Postgres(Box::new(connection)))
        }
    }
}

/// A mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    pub id: i64,
    pub what: Stale,
    pub day: NaiveDate,
}

/// The days that are marked, each with what once.
pub async fn marked<'a>(on: impl Into<Reader<'a>>) -> Result<Vec<(Stale, NaiveDate)>> {
    let rows: Vec<(String, NaiveDate)> =
        read!(on.into(), |c| sqlx::query_as("SELECT DISTINCT what, day FROM stale_days ORDER BY day, what").fetch_all(c).await)?;
    Ok(rows.into_iter().filter_map(|(what, day)| Some((stale(&what)?, day))).collect())
}

/// The oldest marks, at most so many.
pub async fn marks<'a>(on: impl Into<Reader<'a>>, limit: i64) -> Result<Vec<Mark>> {
    let rows: Vec<(i64, String, NaiveDate)> = read!(on.into(), |c| {
        sqlx::query_as("SELECT id, what, day FROM stale_days ORDER BY id LIMIT $1").bind(limit).fetch_all(c).await
    })?;
    Ok(rows.into_iter().filter_map(|(id, what, day)| Some(Mark { id, what: stale(&what)?, day })).collect())
}

fn stale(name: &str) -> Option<Stale> {
    Stale::ALL.into_iter().find(|what| what.name() == name)
}

/// Takes marks away.
pub async fn remove(tx: &mut Tx, ids: &[i64]) -> Result<()> {
    for chunk in ids.chunks(1_000) {
        run!(tx, |c| {
            let mut query = QueryBuilder::new("DELETE FROM stale_days WHERE id IN (");
            let mut list = query.separated(", ");
            for id in chunk {
                list.push_bind(*id);
            }
            query.push(")");
            query.build().execute(c).await.map(|_| ())
        })?;
    }
    Ok(())
}
