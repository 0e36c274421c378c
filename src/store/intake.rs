//! The fast way in for touches, many a second: row by row over SQLite's own interface, `COPY` in PostgreSQL. What it
//! stores is what [`super::touch::insert`] stores, and both say how a touch that is there already is met.

use super::stale_day::Stale;
use super::touch::{COLUMNS, TouchRow};
use super::touch_day::{self, KEY, UPSERT};
use super::{Backend, Db, Error, Result, Tx, partition};
use crate::domain::link_target::{Country, Device};
use chrono::NaiveDate;
use rusqlite::params;
use std::path::Path;

/// Where touches are written: a connection of its own for SQLite, the store's for PostgreSQL.
pub enum Intake {
    Sqlite(Box<SqliteIntake>),
    Postgres(Db),
}

impl Intake {
    pub fn open(db: &Db) -> Result<Intake> {
        Ok(match db.sqlite_path() {
            Some(path) => Intake::Sqlite(Box::new(SqliteIntake::open(path)?)),
            None => Intake::Postgres(db.clone()),
        })
    }

    /// Stores rows, each once however often it comes, and counts them by day; all or nothing. SQLite's writing blocks the thread.
    pub async fn store(&mut self, db: &Db, rows: &[TouchRow<'_>]) -> Result<Stored> {
        match self {
            Intake::Sqlite(intake) => {
                let _alone = db.write_alone().await;
                intake.store(rows)?;
                Ok(Stored::All)
            }
            Intake::Postgres(db) => copy(db, rows).await,
        }
    }
}

/// What became of the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stored {
    /// They are in the store.
    All,
    /// Some were there before, so nothing was written: take the slower way, which tells old from new.
    SomeKnown,
}

/// SQLite over its own interface.
pub struct SqliteIntake {
    connection: rusqlite::Connection,
}

impl SqliteIntake {
    fn open(path: &Path) -> Result<SqliteIntake> {
        let connection = rusqlite::Connection::open(path)?;
        connection.busy_timeout(std::time::Duration::from_secs(10))?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "temp_store", "MEMORY")?;
        connection.pragma_update(None, "mmap_size", 268_435_456)?;
        connection.pragma_update(None, "cache_size", -131_072)?;
        connection.pragma_update(None, "wal_autocheckpoint", 8_000)?;
        connection.set_prepared_statement_cache_capacity(8);
        Ok(SqliteIntake { connection })
    }

    fn store(&mut self, rows: &[TouchRow<'_>]) -> Result<()> {
        let transaction = self.connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        let mut new = Vec::with_capacity(rows.len());
        {
            let mut insert = transaction.prepare_cached(&format!(
                "INSERT INTO touches ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, \
                 ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26) ON CONFLICT DO NOTHING"
            ))?;
            let mut last = None;
            for row in rows {
                bind_changes(&mut insert, row, last)?;
                last = Some(row);
                if insert.raw_execute()? > 0 {
                    new.push(*row);
                }
            }
            let mut count = transaction.prepare_cached(&format!(
                "INSERT INTO touch_days ({KEY}, counted, not_counted) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) {UPSERT}"
            ))?;
            let totals = touch_day::totals(new.iter());
            let mut mark = transaction.prepare_cached("INSERT INTO stale_days (what, day) VALUES (?1, ?2)")?;
            for day in touch_day::days_of(&totals) {
                mark.execute(params![Stale::Touches.name(), day.to_string()])?;
            }
            for (key, (counted, not_counted)) in totals {
                count.execute(params![
                    key.day.to_string(),
                    key.kind,
                    key.channel,
                    key.origin_id,
                    key.link_id,
                    key.partner_id,
                    key.country,
                    key.device,
                    counted,
                    not_counted
                ])?;
            }
        }
        transaction.commit()?;
        Ok(())
    }
}

/// Binds a touch to the statement that inserts it; what the row before left there, if it is the same, stays bound.
fn bind_changes(insert: &mut rusqlite::Statement<'_>, row: &TouchRow<'_>, last: Option<&TouchRow<'_>>) -> rusqlite::Result<()> {
    macro_rules! bind {
        ($($column:literal => |$r:ident| $value:expr,)*) => {$(
            let value = { let $r = row; $value };
            if last.map(|$r| $value).as_ref() != Some(&value) {
                insert.raw_bind_parameter($column, value)?;
            }
        )*};
    }
    if last.is_none_or(|last| last.day != row.day) {
        insert.raw_bind_parameter(4, row.day.to_string())?;
    }
    bind! {
        1 => |r| r.touch.id.as_bytes().as_slice(),
        2 => |r| r.touch.external_id.as_deref(),
        3 => |r| r.touch.at.timestamp_micros(),
        5 => |r| r.touch.kind.name(),
        6 => |r| r.touch.visitor_id.as_deref(),
        7 => |r| r.touch.customer_id.as_deref(),
        8 => |r| r.touch.channel.name(),
        9 => |r| r.origin_id,
        10 => |r| r.touch.link_id.map(|id| id.0),
        11 => |r| r.touch.target_id,
        12 => |r| r.touch.partner_id.map(|id| id.0),
        13 => |r| r.touch.program_id.map(|id| id.0),
        14 => |r| r.touch.promo_code_id.map(|id| id.0),
        15 => |r| r.touch.mark.map(|mark| mark.name()),
        16 => |r| r.touch.mark_reason.as_deref(),
        17 => |r| r.touch.consent_denied,
        18 => |r| r.page_id,
        19 => |r| r.query,
        20 => |r| r.referrer_id,
        21 => |r| r.referrer_query,
        22 => |r| r.user_agent_id,
        23 => |r| r.language_id,
        24 => |r| r.touch.ip.as_deref(),
        25 => |r| r.touch.device.map(Device::name),
        26 => |r| r.touch.country.as_ref().map(Country::as_str),
    }
    Ok(())
}

/// One `COPY` in PostgreSQL's binary format (<https://www.postgresql.org/docs/15/sql-copy.html>).
async fn copy(db: &Db, rows: &[TouchRow<'_>]) -> Result<Stored> {
    let mut tx = db.begin_beside().await?;
    partition::ensure(&mut tx, rows.iter().map(|row| row.touch.at)).await?;
    let mut body = Vec::with_capacity(rows.len() * 260 + 32);
    body.extend_from_slice(b"PGCOPY\n\xff\r\n\0");
    body.extend_from_slice(&[0; 8]);
    for row in rows {
        write_row(&mut body, row);
    }
    body.extend_from_slice(&(-1_i16).to_be_bytes());
    match send(&mut tx, &body).await {
        Ok(()) => {}
        Err(error) if error.as_database_error().is_some_and(|e| e.is_unique_violation()) => return Ok(Stored::SomeKnown),
        Err(error) => return Err(error.into()),
    }
    touch_day::count(&mut tx, touch_day::totals(rows.iter())).await?;
    tx.commit().await?;
    Ok(Stored::All)
}

async fn send(tx: &mut Tx, body: &[u8]) -> std::result::Result<(), sqlx::Error> {
    let Backend::Postgres(connection) = tx.on() else { return Ok(()) };
    let mut copy = connection.copy_in_raw(&format!("COPY touches ({COLUMNS}) FROM STDIN (FORMAT BINARY)")).await?;
    copy.send(body).await?;
    copy.finish().await?;
    Ok(())
}

/// Microseconds from 1970 to 2000, where PostgreSQL's time begins.
const EPOCH_2000_MICROS: i64 = 946_684_800_000_000;

fn write_row(out: &mut Vec<u8>, row: &TouchRow<'_>) {
    let t = row.touch;
    out.extend_from_slice(&26_i16.to_be_bytes());
    field(out, Some(t.id.as_bytes()));
    text(out, t.external_id.as_deref());
    field(out, Some(&(t.at.timestamp_micros() - EPOCH_2000_MICROS).to_be_bytes()));
    let days = (row.day - NaiveDate::from_ymd_opt(2000, 1, 1).unwrap_or_default()).num_days() as i32;
    field(out, Some(&days.to_be_bytes()));
    text(out, Some(t.kind.name()));
    text(out, t.visitor_id.as_deref());
    text(out, t.customer_id.as_deref());
    text(out, Some(t.channel.name()));
    number(out, row.origin_id);
    number(out, t.link_id.map(|id| id.0));
    number(out, t.target_id);
    number(out, t.partner_id.map(|id| id.0));
    number(out, t.program_id.map(|id| id.0));
    number(out, t.promo_code_id.map(|id| id.0));
    text(out, t.mark.map(|mark| mark.name()));
    text(out, t.mark_reason.as_deref());
    field(out, Some(&[u8::from(t.consent_denied)]));
    number(out, row.page_id);
    text(out, row.query);
    number(out, row.referrer_id);
    text(out, row.referrer_query);
    number(out, row.user_agent_id);
    number(out, row.language_id);
    text(out, t.ip.as_deref());
    text(out, t.device.map(Device::name));
    text(out, t.country.as_ref().map(Country::as_str));
}

fn field(out: &mut Vec<u8>, value: Option<&[u8]>) {
    match value {
        Some(bytes) => {
            out.extend_from_slice(&(bytes.len() as i32).to_be_bytes());
            out.extend_from_slice(bytes);
        }
        None => out.extend_from_slice(&(-1_i32).to_be_bytes()),
    }
}

fn text(out: &mut Vec<u8>, value: Option<&str>) {
    field(out, value.map(str::as_bytes));
}

fn number(out: &mut Vec<u8>, value: Option<i64>) {
    field(out, value.map(i64::to_be_bytes).as_ref().map(|bytes| bytes.as_slice()));
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Error {
        match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DiskFull) => Error::DiskFull,
            _ => Error::Rusqlite(error),
        }
    }
}
