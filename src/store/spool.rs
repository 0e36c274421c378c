//! The spool's own file: an SQLite database of one table, rows of frames in the order of their arrival. It is synced at
//! every commit, and never locked by anything the store does. Blocking: it belongs to threads of its own.

use super::Result;
use super::db::make_folder_of;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, TransactionBehavior, params};
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// What a row of the file holds at most, so that it lies in one page in one piece; a single larger frame has a row to itself.
pub const ROW_BYTES: usize = 4_000;

/// A row: where it lies, and its frames. A position is the microsecond it was written in, or the next free one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpoolRow {
    pub position: i64,
    pub frames: Vec<u8>,
}

fn connect(path: &Path) -> Result<Connection> {
    make_folder_of(path)?;
    let connection = Connection::open(path)?;
    connection.busy_timeout(Duration::from_secs(10))?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "wal_autocheckpoint", 500)?;
    connection.pragma_update(None, "journal_size_limit", 67_108_864)?;
    Ok(connection)
}

/// The end that writes: there is one in a process.
#[derive(Debug)]
pub struct SpoolWriter {
    connection: Connection,
    /// The newest position ever given or acknowledged: what comes next lies behind it, also when the rows are gone and
    /// the clock has jumped back.
    last: i64,
}

impl SpoolWriter {
    /// Opens or makes the file.
    pub fn open(path: &Path) -> Result<SpoolWriter> {
        let connection = connect(path)?;
        connection
            .execute_batch("CREATE TABLE IF NOT EXISTS batches (position INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT")?;
        Ok(SpoolWriter { connection, last: 0 })
    }

    /// Gives positions behind `last` only: those of a file that this one takes the place of.
    pub fn behind(self, last: i64) -> SpoolWriter {
        SpoolWriter { last: self.last.max(last), ..self }
    }

    /// The newest position given or acknowledged so far.
    pub fn last(&self) -> i64 {
        self.last
    }

    /// Appends rows and forgets those up to `acknowledged`, in one commit, synced when this returns.
    pub fn append<'a>(&mut self, rows: impl Iterator<Item = &'a [u8]>, acknowledged: Option<i64>) -> Result<()> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut last = self.last.max(acknowledged.unwrap_or(0));
        {
            let mut insert = transaction.prepare_cached(
                "INSERT INTO batches (position, body) VALUES (MAX(?1, (SELECT COALESCE(MAX(position), 0) + 1 FROM batches)), ?2)",
            )?;
            let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_micros() as i64);
            for row in rows {
                insert.execute(params![now.max(last + 1), row])?;
                last = transaction.last_insert_rowid();
            }
            if let Some(position) = acknowledged {
                transaction.prepare_cached("DELETE FROM batches WHERE position <= ?1")?.execute([position])?;
            }
        }
        transaction.commit()?;
        self.last = last;
        Ok(())
    }

    /// Gives the room of moved rows back to the disk, if it is much and nothing waits.
    pub fn shrink(&mut self) -> Result<()> {
        let pages: i64 = self.connection.query_row("SELECT page_count FROM pragma_page_count", [], |r| r.get(0))?;
        let free: i64 = self.connection.query_row("SELECT freelist_count FROM pragma_freelist_count", [], |r| r.get(0))?;
        if free > 25_000 && free * 10 > pages * 9 {
            self.connection.execute_batch("VACUUM")?;
        }
        Ok(())
    }

    /// Bytes that rows take in the file.
    pub fn bytes(&self) -> Result<i64> {
        Ok(self.connection.query_row(
            "SELECT (page_count - freelist_count) * page_size FROM pragma_page_count, pragma_freelist_count, pragma_page_size",
            [],
            |r| r.get(0),
        )?)
    }
}

/// Hands over the rows of a damaged file that do not lie in one piece, as far as it still gives them: from its beginning
/// to the damage, and from its end back to it. The file stays as it is.
pub fn scattered_rows(path: &Path, mut take: impl FnMut(Vec<u8>)) -> Result<()> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    let mut reached = 0;
    let mut walk = |order: &str, reached: &mut i64| -> Result<()> {
        let mut statement = connection.prepare(&format!(
            "SELECT position, body FROM batches WHERE position > ?1 AND LENGTH(body) > ?2 ORDER BY position {order}"
        ))?;
        let mut rows = statement.query(params![*reached, ROW_BYTES as i64])?;
        let after = *reached;
        while let Some(row) = rows.next()? {
            *reached = after.max(row.get(0)?);
            take(row.get(1)?);
        }
        Ok(())
    };
    match walk("ASC", &mut reached) {
        Ok(()) => Ok(()),
        Err(_) => walk("DESC", &mut reached),
    }
}

/// The end that reads; it holds nobody up.
#[derive(Debug)]
pub struct SpoolReader {
    connection: Connection,
}

impl SpoolReader {
    pub fn open(path: &Path) -> Result<SpoolReader> {
        let connection = connect(path)?;
        connection.pragma_update(None, "query_only", true)?;
        Ok(SpoolReader { connection })
    }

    /// The oldest rows after a position, some `bytes` of them.
    pub fn read(&self, after: i64, bytes: usize) -> Result<Vec<SpoolRow>> {
        let mut statement =
            self.connection.prepare_cached("SELECT position, body FROM batches WHERE position > ?1 ORDER BY position")?;
        let mut found = statement.query([after])?;
        let (mut rows, mut size) = (Vec::new(), 0);
        while size < bytes
            && let Some(row) = found.next()?
        {
            let frames: Vec<u8> = row.get(1)?;
            size += frames.len();
            rows.push(SpoolRow { position: row.get(0)?, frames });
        }
        Ok(rows)
    }

    /// The first and last position after `after`, if there is any.
    pub fn span(&self, after: i64) -> Result<Option<(i64, i64)>> {
        let mut statement =
            self.connection.prepare_cached("SELECT MIN(position), MAX(position) FROM batches WHERE position > ?1")?;
        let (first, last): (Option<i64>, Option<i64>) = statement.query_row([after], |r| Ok((r.get(0)?, r.get(1)?)))?;
        Ok(first.zip(last))
    }
}
