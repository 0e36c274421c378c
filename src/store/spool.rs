//! The spool file: a small SQLite database of its own, one row for each group of clicks committed together.

use super::Result;
use super::db::{make_folder_of, sqlite_options, switch_to_wal};
use sqlx::sqlite::{SqlitePool, SqlitePoolOptions};
use std::path::Path;

/// An open spool file. What is appended is on disk when [`SpoolFile::append`] returns.
#[derive(Debug, Clone)]
pub struct SpoolFile {
    pool: SqlitePool,
}

impl SpoolFile {
    pub async fn open(path: &Path) -> Result<SpoolFile> {
        make_folder_of(path)?;
        switch_to_wal(path).await?;
        let options = sqlite_options(path).create_if_missing(true).pragma("wal_autocheckpoint", "500");
        let pool = SqlitePoolOptions::new()
            .max_connections(2)
            .min_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            .connect_with(options)
            .await?;
        sqlx::query("CREATE TABLE IF NOT EXISTS batches (position INTEGER PRIMARY KEY AUTOINCREMENT, body BLOB NOT NULL) STRICT")
            .execute(&pool)
            .await?;
        sqlx::query("CREATE TABLE IF NOT EXISTS rejects (id INTEGER PRIMARY KEY, position INTEGER NOT NULL, body BLOB NOT NULL, why TEXT NOT NULL) STRICT")
            .execute(&pool)
            .await?;
        Ok(SpoolFile { pool })
    }

    /// Appends one batch; it is synced before this returns.
    pub async fn append(&self, body: &[u8]) -> Result<()> {
        sqlx::query("INSERT INTO batches (body) VALUES ($1)").bind(body).execute(&self.pool).await?;
        Ok(())
    }

    /// The oldest batches with their positions.
    pub async fn read(&self, limit: i64) -> Result<Vec<(i64, Vec<u8>)>> {
        Ok(sqlx::query_as("SELECT position, body FROM batches ORDER BY position LIMIT $1")
            .bind(limit)
            .fetch_all(&self.pool)
            .await?)
    }

    /// Where the newest batch lies; 0 if there is none.
    pub async fn last_position(&self) -> Result<i64> {
        Ok(sqlx::query_scalar("SELECT COALESCE(MAX(position), 0) FROM batches").fetch_one(&self.pool).await?)
    }

    /// Forgets all batches up to and including `position`: they are in the store.
    pub async fn acknowledge(&self, position: i64) -> Result<()> {
        sqlx::query("DELETE FROM batches WHERE position <= $1").bind(position).execute(&self.pool).await?;
        Ok(())
    }

    /// Sets aside what cannot be stored, for a person to look at.
    pub async fn reject(&self, position: i64, body: &[u8], why: &str) -> Result<()> {
        sqlx::query("INSERT INTO rejects (position, body, why) VALUES ($1, $2, $3)")
            .bind(position)
            .bind(body)
            .bind(why)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// How many batches wait.
    pub async fn waiting(&self) -> Result<i64> {
        Ok(sqlx::query_scalar("SELECT COUNT(*) FROM batches").fetch_one(&self.pool).await?)
    }

    pub async fn close(&self) {
        self.pool.close().await;
    }
}
