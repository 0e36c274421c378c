//! Two drivers behind one face: pools, transactions, and the connection a read uses.

use super::group_sync::{GroupSync, Log};
use super::{Error, Result};
use crate::domain::ledger::chain::ChainHash;
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Connection as _, Postgres, Sqlite, Transaction};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::{Mutex, OwnedMutexGuard};

/// One of the two drivers.
#[derive(Debug, Clone)]
pub enum Backend<S, P> {
    Sqlite(S),
    Postgres(P),
}

/// For the few places where the dialects truly differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    Sqlite,
    Postgres,
}

/// Many readers that cannot write, one writer.
#[derive(Debug, Clone)]
pub struct SqlitePools {
    readers: SqlitePool,
    writer: SqlitePool,
    path: PathBuf,
}

/// The store.
#[derive(Debug, Clone)]
pub struct Db {
    backend: Backend<SqlitePools, PgPool>,
    /// Held while anybody of this process writes, so that writers take turns instead of finding the store busy.
    turn: Arc<Mutex<()>>,
    /// SQLite's writer has the room of [`Tx::for_many`].
    has_room: Arc<AtomicBool>,
    sync: Arc<GroupSync>,
}

/// Begins a transaction of PostgreSQL that commits without waiting for the disk, and takes the advisory lock that lets one
/// transaction write at a time, as SQLite does by itself.
const BEGIN_ON_POSTGRES: &str = "BEGIN; SET LOCAL synchronous_commit TO OFF; SELECT pg_advisory_xact_lock(1953655138) /* trib */";

impl Db {
    /// Opens `sqlite://path/to/file.db` (made with its folder if it is not there) or `postgres://…`, and brings the
    /// tables to this version.
    pub async fn open(url: &str) -> Result<Db> {
        let db = Db::connect(url).await?;
        match &db.backend {
            Backend::Sqlite(pools) => {
                let _alone = migration_lock(&pools.path).await?;
                sqlx::migrate!("migrations/sqlite").run(&pools.writer).await?;
            }
            Backend::Postgres(pool) => sqlx::migrate!("migrations/postgres").run(pool).await?,
        }
        Ok(db)
    }

    fn new(backend: Backend<SqlitePools, PgPool>, log: Log) -> Db {
        Db { backend, turn: Arc::default(), has_room: Arc::default(), sync: Arc::new(GroupSync::new(log)) }
    }

    async fn connect(url: &str) -> Result<Db> {
        if let Some(path) = url.strip_prefix("sqlite://").or_else(|| url.strip_prefix("sqlite:")) {
            let path = PathBuf::from(path.split('?').next().unwrap_or(path));
            make_folder_of(&path)?;
            switch_to_wal(&path).await?;
            let writer = SqlitePoolOptions::new()
                .max_connections(1)
                .min_connections(1)
                .idle_timeout(None)
                .max_lifetime(None)
                .acquire_timeout(Duration::from_secs(120))
                .test_before_acquire(false)
                // SQLite ends a transaction by itself when the disk is full; such a connection has lost count.
                .before_acquire(|connection, _| Box::pin(async move { Ok(!connection.is_in_transaction()) }))
                // Commits are synced together, after the next writer has had its turn.
                // Folding the log into the file is the mover's work, which has more to fold and nobody waiting.
                .connect_with(
                    sqlite_options(&path)
                        .create_if_missing(true)
                        .synchronous(SqliteSynchronous::Normal)
                        .pragma("wal_autocheckpoint", "12000"),
                )
                .await?;
            let readers = SqlitePoolOptions::new()
                .max_connections(8)
                .acquire_timeout(Duration::from_secs(30))
                .test_before_acquire(false)
                .connect_lazy_with(sqlite_options(&path).pragma("query_only", "ON"));
            let log = Log::File(PathBuf::from(format!("{}-wal", path.display())));
            return Ok(Db::new(Backend::Sqlite(SqlitePools { readers, writer, path }), log));
        }
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            let options = PgConnectOptions::from_str(url)
                .map_err(|e| Error::BadUrl(format!("the database address is not readable: {e}")))?
                .application_name("tributary")
                .options([("timezone", "UTC"), ("lock_timeout", "60000"), ("idle_in_transaction_session_timeout", "120000")]);
            let cores = std::thread::available_parallelism().map_or(2, |n| n.get() as u32);
            let pool = PgPoolOptions::new()
                .max_connections((4 * cores).min(20))
                .acquire_timeout(Duration::from_secs(30))
                .test_before_acquire(false)
                .before_acquire(|connection, rested| Box::pin(async move { answers(connection, rested.idle_for).await }))
                .connect_with(options)
                .await?;
            let log = Log::Postgres(pool.clone());
            return Ok(Db::new(Backend::Postgres(pool), log));
        }
        Err(Error::BadUrl("the database address must start with sqlite:// or postgres://".to_owned()))
    }

    /// The same store; PostgreSQL's connections are its own and made when they are needed.
    pub fn with_own_connections(&self) -> Db {
        match &self.backend {
            Backend::Sqlite(_) => self.clone(),
            Backend::Postgres(pool) => {
                let options = (*pool.connect_options()).clone();
                let own = PgPoolOptions::new().max_connections(2).acquire_timeout(Duration::from_secs(10));
                let own = own.connect_lazy_with(options);
                let sync = Arc::new(GroupSync::new(Log::Postgres(own.clone())));
                Db { backend: Backend::Postgres(own), sync, ..self.clone() }
            }
        }
    }

    /// The same store, for one who reads all there is: SQLite's readers of every request have room for little of a large file.
    pub fn with_room_to_read(&self) -> Db {
        let Backend::Sqlite(pools) = &self.backend else { return self.clone() };
        let options = sqlite_options(&pools.path).pragma("query_only", "ON").pragma("cache_size", "-131072");
        let readers = SqlitePoolOptions::new().max_connections(2).test_before_acquire(false).connect_lazy_with(options);
        Db { backend: Backend::Sqlite(SqlitePools { readers, ..pools.clone() }), ..self.clone() }
    }

    pub(super) fn backend(&self) -> &Backend<SqlitePools, PgPool> {
        &self.backend
    }

    pub fn dialect(&self) -> Dialect {
        match &self.backend {
            Backend::Sqlite(_) => Dialect::Sqlite,
            Backend::Postgres(_) => Dialect::Postgres,
        }
    }

    /// The file of an SQLite store.
    pub fn sqlite_path(&self) -> Option<&Path> {
        match &self.backend {
            Backend::Sqlite(pools) => Some(&pools.path),
            Backend::Postgres(_) => None,
        }
    }

    /// Starts a writing transaction; there is one at a time.
    pub async fn begin(&self) -> Result<Tx> {
        let turn = self.turn.clone().lock_owned().await;
        let tx = match &self.backend {
            Backend::Sqlite(pools) => Backend::Sqlite(pools.writer.begin_with("BEGIN IMMEDIATE").await?),
            Backend::Postgres(pool) => Backend::Postgres(pool.begin_with(BEGIN_ON_POSTGRES).await?),
        };
        let mut tx = Tx { tx, ledger_head: None, has_room: self.has_room.clone(), turn: Some((turn, self.sync.clone())) };
        if self.has_room.swap(false, Ordering::AcqRel) {
            tx.set_room("PRAGMA cache_size = -2000; PRAGMA mmap_size = 268435456").await?;
        }
        Ok(tx)
    }

    /// Starts a transaction for what nobody else writes or reads to decide by: in PostgreSQL it does not wait for the one writer.
    pub async fn begin_beside(&self) -> Result<Tx> {
        match &self.backend {
            Backend::Sqlite(_) => self.begin().await,
            Backend::Postgres(pool) => {
                let tx = Backend::Postgres(pool.begin().await?);
                Ok(Tx { tx, ledger_head: None, has_room: self.has_room.clone(), turn: None })
            }
        }
    }

    /// Waits for SQLite's writers of this process; the file is the caller's to write until the answer is dropped.
    pub(super) async fn write_alone(&self) -> Option<OwnedMutexGuard<()>> {
        match &self.backend {
            Backend::Sqlite(_) => Some(self.turn.clone().lock_owned().await),
            Backend::Postgres(_) => None,
        }
    }

    /// Whether the store answers.
    pub async fn ping(&self) -> Result<()> {
        crate::read!(self, |c| sqlx::query("SELECT 1").execute(c).await.map(|_| ()))?;
        Ok(())
    }

    /// Ends all connections; SQLite's write-ahead log is folded into the file.
    pub async fn close(&self) {
        match &self.backend {
            Backend::Sqlite(pools) => {
                pools.readers.close().await;
                pools.writer.close().await;
            }
            Backend::Postgres(pool) => pool.close().await,
        }
    }
}

/// Whether a connection is still good. One that was used a moment ago is taken for good without being asked.
async fn answers(connection: &mut PgConnection, idle_for: Duration) -> std::result::Result<bool, sqlx::Error> {
    if idle_for < Duration::from_millis(500) {
        return Ok(true);
    }
    Ok(connection.ping().await.is_ok())
}

/// Held while SQLite's tables are made: two commands started at once must not both make them. PostgreSQL has a lock of
/// its own for that. A file beside the store's, for closing the store's own would drop SQLite's locks on it.
async fn migration_lock(path: &Path) -> Result<std::fs::File> {
    let lock_path = PathBuf::from(format!("{}.lock", path.display()));
    let locked = tokio::task::spawn_blocking(move || {
        let file = std::fs::File::create(&lock_path)?;
        file.lock()?;
        Ok::<_, std::io::Error>(file)
    });
    let locked = locked.await.map_err(|e| Error::BadUrl(e.to_string()))?;
    locked.map_err(|e| Error::BadUrl(format!("{}.lock cannot be locked: {e}", path.display())))
}

/// Puts a file into WAL mode by one connection alone: the switch wants the file for itself and does not wait, so a pool
/// that opened two connections on a new file could find it locked.
pub(super) async fn switch_to_wal(path: &Path) -> Result<()> {
    let _alone = migration_lock(path).await?;
    let connection = SqliteConnection::connect_with(&sqlite_options(path).create_if_missing(true)).await?;
    connection.close().await?;
    Ok(())
}

pub(super) fn make_folder_of(path: &Path) -> Result<()> {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => std::fs::create_dir_all(folder)
            .map_err(|e| Error::BadUrl(format!("the folder {} cannot be made: {e}", folder.display()))),
        _ => Ok(()),
    }
}

pub(super) fn sqlite_options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(Duration::from_secs(10))
        .foreign_keys(true)
        .statement_cache_capacity(400)
        .pragma("temp_store", "MEMORY")
        .pragma("mmap_size", "268435456")
        .pragma("journal_size_limit", "67108864")
}

/// A writing transaction. Dropped without [`Tx::commit`], nothing of it stays.
#[derive(Debug)]
pub struct Tx {
    tx: Backend<Transaction<'static, Sqlite>, Transaction<'static, Postgres>>,
    /// The hash of the ledger's last journal, once it was read: nobody else writes meanwhile.
    pub(super) ledger_head: Option<ChainHash>,
    /// Of the store.
    has_room: Arc<AtomicBool>,
    /// Given back after the transaction has ended; then its commit is synced with others'. None: it is synced by itself.
    turn: Option<(OwnedMutexGuard<()>, Arc<GroupSync>)>,
}

impl Tx {
    pub fn on(&mut self) -> Backend<&mut SqliteConnection, &mut PgConnection> {
        match &mut self.tx {
            Backend::Sqlite(tx) => Backend::Sqlite(&mut *tx),
            Backend::Postgres(tx) => Backend::Postgres(&mut *tx),
        }
    }

    pub fn dialect(&self) -> Dialect {
        match &self.tx {
            Backend::Sqlite(_) => Dialect::Sqlite,
            Backend::Postgres(_) => Dialect::Postgres,
        }
    }

    /// Makes room for a transaction that changes very many rows: SQLite would else write each page that many of them share
    /// again and again. Pages in that room are not mapped as well. The next transaction gives the room back.
    pub async fn for_many(&mut self) -> Result<()> {
        if !self.has_room.swap(true, Ordering::AcqRel) {
            self.set_room("PRAGMA mmap_size = 0; PRAGMA cache_size = -262144").await?;
        }
        Ok(())
    }

    async fn set_room(&mut self, pragmas: &'static str) -> Result<()> {
        if let Backend::Sqlite(connection) = self.on() {
            sqlx::query(pragmas).execute(connection).await?;
        }
        Ok(())
    }

    /// Answers when the disk has it.
    pub async fn commit(self) -> Result<()> {
        match self.tx {
            Backend::Sqlite(tx) => tx.commit().await?,
            Backend::Postgres(tx) => tx.commit().await?,
        }
        let Some((turn, sync)) = self.turn else { return Ok(()) };
        let number = sync.committed();
        drop(turn);
        sync.wait(number).await
    }
}

/// What a read may go through: the store at large, or a transaction that depends on it.
pub enum Reader<'a> {
    Db(&'a Db),
    Tx(&'a mut Tx),
}

impl<'a> From<&'a Db> for Reader<'a> {
    fn from(db: &'a Db) -> Self {
        Reader::Db(db)
    }
}

impl<'a> From<&'a mut Tx> for Reader<'a> {
    fn from(tx: &'a mut Tx) -> Self {
        Reader::Tx(tx)
    }
}

impl<'a> Reader<'a> {
    /// The same reader for a shorter while, to read twice through one.
    pub fn again(&mut self) -> Reader<'_> {
        match self {
            Reader::Db(db) => Reader::Db(db),
            Reader::Tx(tx) => Reader::Tx(tx),
        }
    }

    pub async fn connect(self) -> Result<Connection<'a>> {
        Ok(match self {
            Reader::Db(db) => match &db.backend {
                Backend::Sqlite(pools) => Connection::SqlitePooled(pools.readers.acquire().await?),
                Backend::Postgres(pool) => Connection::PostgresPooled(pool.acquire().await?),
            },
            Reader::Tx(tx) => match tx.on() {
                Backend::Sqlite(c) => Connection::Sqlite(c),
                Backend::Postgres(c) => Connection::Postgres(c),
            },
        })
    }
}

/// A connection that a read borrowed.
pub enum Connection<'a> {
    SqlitePooled(PoolConnection<Sqlite>),
    PostgresPooled(PoolConnection<Postgres>),
    Sqlite(&'a mut SqliteConnection),
    Postgres(&'a mut PgConnection),
}

impl Connection<'_> {
    pub fn dialect(&self) -> Dialect {
        match self {
            Connection::SqlitePooled(_) | Connection::Sqlite(_) => Dialect::Sqlite,
            Connection::PostgresPooled(_) | Connection::Postgres(_) => Dialect::Postgres,
        }
    }

    pub fn on(&mut self) -> Backend<&mut SqliteConnection, &mut PgConnection> {
        match self {
            Connection::SqlitePooled(c) => Backend::Sqlite(&mut *c),
            Connection::PostgresPooled(c) => Backend::Postgres(&mut *c),
            Connection::Sqlite(c) => Backend::Sqlite(c),
            Connection::Postgres(c) => Backend::Postgres(c),
        }
    }
}
