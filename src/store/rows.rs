//! New rows of several tables, stored by one statement however many there are: the same text of SQL for any number of
//! them, and one turn with the database.

use super::codec::json_rows_of;
use super::{At, Backend, Dialect, Error, Result, Tx};
use chrono::NaiveDate;
use serde_json::Value;
use sqlx::types::Json;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    Number,
    Text,
    Truth,
    Instant,
    Day,
    Json,
    Bytes,
}

/// A table, and the columns that its new rows fill.
#[derive(Debug)]
pub struct Table {
    pub name: &'static str,
    pub columns: &'static [(&'static str, Holds)],
}

/// A value of a row, as JSON carries it to the database.
pub trait Cell {
    fn cell(&self, dialect: Dialect) -> Result<Value>;
}

impl<T: Cell + ?Sized> Cell for &T {
    fn cell(&self, dialect: Dialect) -> Result<Value> {
        (*self).cell(dialect)
    }
}

impl<T: Cell> Cell for Option<T> {
    fn cell(&self, dialect: Dialect) -> Result<Value> {
        self.as_ref().map_or(Ok(Value::Null), |value| value.cell(dialect))
    }
}

impl Cell for i64 {
    fn cell(&self, _: Dialect) -> Result<Value> {
        Ok((*self).into())
    }
}

impl Cell for bool {
    fn cell(&self, _: Dialect) -> Result<Value> {
        Ok((*self).into())
    }
}

impl Cell for str {
    fn cell(&self, _: Dialect) -> Result<Value> {
        Ok(self.into())
    }
}

impl Cell for String {
    fn cell(&self, _: Dialect) -> Result<Value> {
        Ok(self.as_str().into())
    }
}

impl Cell for NaiveDate {
    fn cell(&self, _: Dialect) -> Result<Value> {
        Ok(self.to_string().into())
    }
}

impl Cell for At {
    fn cell(&self, dialect: Dialect) -> Result<Value> {
        Ok(match dialect {
            Dialect::Sqlite => self.0.timestamp_micros().into(),
            Dialect::Postgres => self.0.to_rfc3339_opts(chrono::SecondsFormat::Micros, true).into(),
        })
    }
}

impl<T: serde::Serialize> Cell for Json<T> {
    fn cell(&self, dialect: Dialect) -> Result<Value> {
        let unreadable = |error: serde_json::Error| Error::Unreadable(error.to_string());
        match dialect {
            Dialect::Sqlite => Ok(serde_json::to_string(&self.0).map_err(unreadable)?.into()),
            Dialect::Postgres => serde_json::to_value(&self.0).map_err(unreadable),
        }
    }
}

impl Cell for [u8] {
    fn cell(&self, _: Dialect) -> Result<Value> {
        Ok(hex::encode(self).into())
    }
}

/// A row: its cells in the order of the table's columns.
macro_rules! row {
    ($dialect:expr; $($cell:expr),* $(,)?) => {
        vec![$($crate::store::rows::Cell::cell(&$cell, $dialect)?),*]
    };
}
pub(crate) use row;

/// New rows, by table.
#[derive(Debug)]
pub struct Rows {
    pub dialect: Dialect,
    tables: Vec<(&'static Table, Vec<Vec<Value>>)>,
}

impl Rows {
    pub fn new(dialect: Dialect) -> Rows {
        Rows { dialect, tables: Vec::new() }
    }

    /// Adds rows of a table, each table once: those that others refer to come first.
    pub fn add(&mut self, table: &'static Table, rows: Vec<Vec<Value>>) {
        if !rows.is_empty() {
            self.tables.push((table, rows));
        }
    }

    /// Stores them all.
    pub async fn store(mut self, tx: &mut Tx) -> Result<()> {
        if self.dialect == Dialect::Sqlite && self.tables.iter().any(|(_, rows)| rows.len() >= MANY) {
            for (table, rows) in std::mem::take(&mut self.tables) {
                if rows.len() >= MANY {
                    std::mem::replace(&mut self, Rows::new(Dialect::Sqlite)).store_as_json(tx).await?;
                }
                let rows = store_as_parameters(tx, table, rows).await?;
                self.add(table, rows);
            }
        }
        self.store_as_json(tx).await
    }

    async fn store_as_json(self, tx: &mut Tx) -> Result<()> {
        if self.tables.is_empty() {
            return Ok(());
        }
        let inserts: Vec<String> =
            (1..).zip(&self.tables).map(|(number, (table, _))| table.insert(self.dialect, number)).collect();
        let rows: Vec<String> = self
            .tables
            .iter()
            .map(|(_, rows)| serde_json::to_string(rows).map_err(|error| Error::Unreadable(error.to_string())))
            .collect::<Result<_>>()?;
        match tx.on() {
            Backend::Sqlite(c) => {
                let mut query = sqlx::query(sqlx::AssertSqlSafe(inserts.join("; ")));
                for rows in rows {
                    query = query.bind(rows);
                }
                query.execute(c).await?;
            }
            Backend::Postgres(c) => {
                let parts: Vec<String> = (1..).zip(&inserts).map(|(n, insert)| format!("r{n} AS ({insert})")).collect();
                let sql = format!("WITH {} SELECT 1", parts.join(", "));
                let mut query = sqlx::query(sqlx::AssertSqlSafe(sql));
                for rows in rows {
                    query = query.bind(rows);
                }
                query.execute(c).await?;
            }
        }
        Ok(())
    }
}

/// So many rows of one table SQLite takes as parameters, which it reads faster than JSON, and of very many so many in a
/// statement; below the number of parameters that it takes.
const MANY: usize = 250;
const VERY_MANY: usize = 1_000;

/// Stores rows in equal portions; answers what is left.
async fn store_as_parameters(tx: &mut Tx, table: &Table, mut rows: Vec<Vec<Value>>) -> Result<Vec<Vec<Value>>> {
    let Backend::Sqlite(connection) = tx.on() else { return Ok(rows) };
    if rows.len() < MANY {
        return Ok(rows);
    }
    let portion = if rows.len() >= VERY_MANY { VERY_MANY } else { MANY };
    let sql = table.insert_many(portion);
    let rest = rows.split_off(rows.len() - rows.len() % portion);
    let mut rows = rows.into_iter();
    while rows.len() > 0 {
        let mut query = sqlx::query(sqlx::AssertSqlSafe(sql.clone()));
        for cell in rows.by_ref().take(portion).flatten() {
            query = match cell {
                Value::Null => query.bind(None::<i64>),
                Value::Bool(truth) => query.bind(truth),
                Value::Number(number) => query.bind(number.as_i64()),
                Value::String(text) => query.bind(text),
                other => query.bind(other.to_string()),
            };
        }
        query.execute(&mut *connection).await?;
    }
    Ok(rest)
}

impl Table {
    /// The statement that inserts so many rows into SQLite.
    fn insert_many(&self, count: usize) -> String {
        let names: Vec<&str> = self.columns.iter().map(|(name, _)| *name).collect();
        let cell = |(_, holds): &(&str, Holds)| if *holds == Holds::Bytes { "unhex(?)" } else { "?" };
        let row = format!("({})", self.columns.iter().map(cell).collect::<Vec<_>>().join(", "));
        format!("INSERT INTO {} ({}) VALUES {}", self.name, names.join(", "), vec![row; count].join(", "))
    }

    /// The statement that inserts the rows of parameter `number`.
    fn insert(&self, dialect: Dialect, number: usize) -> String {
        let names: Vec<&str> = self.columns.iter().map(|(name, _)| *name).collect();
        let cells: Vec<String> = self.columns.iter().enumerate().map(|(place, (_, holds))| holds.read(dialect, place)).collect();
        let given = if dialect == Dialect::Postgres { "OVERRIDING SYSTEM VALUE " } else { "" };
        let rows = json_rows_of(dialect, number);
        format!("INSERT INTO {} ({}) {given}SELECT {} FROM {rows}", self.name, names.join(", "), cells.join(", "))
    }
}

impl Holds {
    /// How the database reads a cell.
    fn read(self, dialect: Dialect, place: usize) -> String {
        let text = format!("v.value->>{place}");
        let cast = |to: &str| format!("CAST({text} AS {to})");
        match (dialect, self) {
            (Dialect::Sqlite, Holds::Bytes) => format!("unhex({text})"),
            // JSON's numbers and texts are SQLite's own, and `true` is 1.
            (Dialect::Sqlite, _) | (Dialect::Postgres, Holds::Text) => text,
            (Dialect::Postgres, Holds::Number) => cast("BIGINT"),
            (Dialect::Postgres, Holds::Truth) => cast("BOOLEAN"),
            (Dialect::Postgres, Holds::Instant) => cast("TIMESTAMPTZ"),
            (Dialect::Postgres, Holds::Day) => cast("DATE"),
            // No column holds JSON's own null.
            (Dialect::Postgres, Holds::Json) => format!("NULLIF(v.value->{place}, 'null')"),
            (Dialect::Postgres, Holds::Bytes) => format!("DECODE({text}, 'hex')"),
        }
    }
}

/// The next ids of tables, as many of each as are wanted. One transaction at a time writes, so nobody else takes them.
pub async fn next_ids<const N: usize>(tx: &mut Tx, wanted: [(&'static str, usize); N]) -> Result<[std::vec::IntoIter<i64>; N]> {
    let dialect = tx.dialect();
    let part = |(place, (table, _)): (i64, (&str, usize))| match dialect {
        Dialect::Sqlite => format!("SELECT {place}, COALESCE(MAX(id), 0) FROM {table}"),
        Dialect::Postgres => {
            let number = place + 1;
            format!("SELECT CAST({place} AS BIGINT), NEXTVAL('{table}_id_seq') FROM GENERATE_SERIES(1, ${number})")
        }
    };
    let sql = (0..).zip(wanted).map(part).collect::<Vec<_>>().join(" UNION ALL ");
    let rows: Vec<(i64, i64)> = match tx.on() {
        Backend::Sqlite(c) => sqlx::query_as(sqlx::AssertSqlSafe(sql)).fetch_all(c).await?,
        Backend::Postgres(c) => {
            let mut query = sqlx::query_as(sqlx::AssertSqlSafe(sql));
            for (_, count) in wanted {
                query = query.bind(count as i64);
            }
            query.fetch_all(c).await?
        }
    };
    let mut ids = [const { Vec::new() }; N];
    for (place, id) in rows {
        let Some((ids, (_, count))) = usize::try_from(place).ok().and_then(|place| ids.get_mut(place).zip(wanted.get(place)))
        else {
            continue;
        };
        match dialect {
            // The last there is.
            Dialect::Sqlite => ids.extend((id + 1..).take(*count)),
            Dialect::Postgres => ids.push(id),
        }
    }
    match ids.iter().zip(wanted).find(|(ids, (_, count))| ids.len() != *count) {
        Some((_, (table, _))) => Err(Error::missing(&format!("the next id of {table}"))),
        None => Ok(ids.map(Vec::into_iter)),
    }
}
