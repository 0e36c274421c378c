//! SQL and nothing else: values in, values out, for SQLite and PostgreSQL alike.

pub mod account;
pub mod ad_marking;
pub mod audit;
pub mod codec;
pub mod commission;
pub mod commission_volume;
pub mod cost;
pub mod creative;
pub mod credit;
pub mod credit_day;
pub mod db;
pub mod decision;
pub mod dictionary;
pub mod document;
pub mod dump;
pub mod event;
pub mod evidence;
pub mod exchange_rate;
mod group_sync;
pub mod intake;
pub mod journey;
pub mod lead;
pub mod ledger;
pub mod ledger_bulk;
pub mod ledger_chain;
pub mod ledger_entry;
pub mod ledger_sum;
pub mod link;
pub mod miss;
pub mod missed_hit;
pub mod notice;
pub mod order;
pub mod partition;
pub mod partner;
pub mod payout;
pub mod person;
pub mod person_merge;
pub mod price_list;
pub mod program;
pub mod promo;
pub mod proof;
pub mod receipt;
pub mod referrer;
pub mod refund;
pub mod rejected_hit;
pub mod replay;
pub mod report;
pub mod revision;
pub mod rollup;
pub mod rows;
pub mod rule;
pub mod seen_price;
pub mod settings;
pub mod spool;
pub mod stale_day;
pub mod tax;
pub mod touch;
pub mod touch_day;
pub mod visitor_sketch;
pub mod withholding;

pub use codec::At;
pub use db::{Backend, Connection, Db, Dialect, Reader, Tx};

/// What can go wrong below the business.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{what} is taken")]
    Taken { what: &'static str },
    #[error("the disk of the store is full")]
    DiskFull,
    #[error("the store holds something unreadable: {0}")]
    Unreadable(String),
    #[error("{0}")]
    BadUrl(String),
    #[error("the store's migration failed: {0}")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    #[error("the store cannot be synced to the disk: {0}")]
    NotSynced(String),
    #[error("the store did not answer: {0}")]
    Sqlx(sqlx::Error),
    #[error("the store did not answer: {0}")]
    Rusqlite(rusqlite::Error),
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Error {
        let code = error.as_database_error().and_then(|e| e.code()).map(|c| c.into_owned());
        match code.as_deref() {
            // SQLITE_FULL; PostgreSQL's disk_full.
            Some("13" | "53100") => Error::DiskFull,
            _ => Error::Sqlx(error),
        }
    }
}

impl Error {
    fn code(&self) -> Option<String> {
        match self {
            Error::Sqlx(error) => error.as_database_error().and_then(|e| e.code()).map(|c| c.into_owned()),
            Error::Rusqlite(rusqlite::Error::SqliteFailure(error, _)) => Some(error.extended_code.to_string()),
            _ => None,
        }
    }

    /// Whether the database refuses these very values, so that trying again is useless.
    pub fn is_refusal(&self) -> bool {
        match self.code() {
            // SQLSTATE: data exception, integrity violation, limit exceeded.
            Some(state) if state.len() == 5 => ["22", "23", "54"].iter().any(|class| state.starts_with(class)),
            // SQLITE_TOOBIG, _CONSTRAINT, _MISMATCH, whatever their extension.
            Some(code) => code.parse::<u32>().is_ok_and(|c| (18..=20).contains(&(c & 0xff))),
            None => false,
        }
    }

    /// Whether the file itself is damaged: SQLITE_CORRUPT, SQLITE_NOTADB.
    pub fn is_damage(&self) -> bool {
        self.code().and_then(|c| c.parse::<u32>().ok()).is_some_and(|c| matches!(c & 0xff, 11 | 26))
    }

    /// Whether somebody else held the store for too long.
    pub fn is_busy(&self) -> bool {
        matches!(self.code().as_deref(), Some("55P03" | "5"))
    }
}

/// What every function of this room answers.
pub type Result<T> = std::result::Result<T, Error>;

/// Turns a broken unique index into [`Error::Taken`].
pub(crate) fn taken<T>(result: std::result::Result<T, sqlx::Error>, what: &'static str) -> Result<T> {
    result.map_err(|error| {
        if error.as_database_error().is_some_and(|e| e.is_unique_violation()) { Error::Taken { what } } else { error.into() }
    })
}

/// Runs the same text on whichever driver is open; the body is compiled once per driver.
#[macro_export]
macro_rules! run {
    ($on:expr, |$c:ident| $body:expr) => {
        match $on.on() {
            $crate::store::Backend::Sqlite($c) => $body,
            $crate::store::Backend::Postgres($c) => $body,
        }
    };
}

/// [`run!`] for a statement without an answer: how many rows it touched.
#[macro_export]
macro_rules! exec {
    ($on:expr, $query:expr) => {
        $crate::run!($on, |c| $query.execute(c).await.map(|done| done.rows_affected()))
    };
}

/// [`run!`] for reads: takes a `&Db` or a `&mut Tx`.
#[macro_export]
macro_rules! read {
    ($on:expr, |$c:ident| $body:expr) => {{
        let mut connection = $crate::store::Reader::from($on).connect().await?;
        $crate::run!(connection, |$c| $body)
    }};
}
