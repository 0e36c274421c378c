//! Group commit: a transaction commits without waiting for the disk and lets the next one begin; whoever committed then
//! waits until the disk has it, together with all others who wait.

use super::{Error, Result};
use sqlx::PgPool;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::Mutex;

/// Where commits lie before the disk has them.
#[derive(Debug)]
pub enum Log {
    /// SQLite's write-ahead log.
    File(PathBuf),
    Postgres(PgPool),
}

/// The commits of a store, by number.
#[derive(Debug)]
pub struct GroupSync {
    log: Log,
    committed: AtomicU64,
    /// The last that the disk is known to have.
    synced: Mutex<u64>,
}

impl GroupSync {
    pub fn new(log: Log) -> GroupSync {
        GroupSync { log, committed: AtomicU64::new(0), synced: Mutex::new(0) }
    }

    /// Numbers what was just committed. To be called after the commit.
    pub fn committed(&self) -> u64 {
        self.committed.fetch_add(1, Ordering::AcqRel) + 1
    }

    /// Waits until the disk has a commit. While one syncs the others wait, and the next one syncs for all who came meanwhile.
    ///
    /// Errors: the log cannot be synced; then what was committed may be lost when the machine stops.
    pub async fn wait(&self, number: u64) -> Result<()> {
        let mut synced = self.synced.lock().await;
        if *synced >= number {
            return Ok(());
        }
        let until = self.committed.load(Ordering::Acquire);
        self.log.sync(*synced == 0).await?;
        *synced = until;
        Ok(())
    }
}

impl Log {
    /// `first`: nothing was synced yet, so the file itself may be new to its folder.
    async fn sync(&self, first: bool) -> Result<()> {
        match self {
            Log::File(path) => {
                let path = path.clone();
                let done = tokio::task::spawn_blocking(move || {
                    if first && let Some(folder) = path.parent() {
                        std::fs::File::open(folder)?.sync_all()?;
                    }
                    // Opened anew: SQLite may have made the file again, and closing it drops no lock, for those are on others.
                    match std::fs::File::open(&path) {
                        Ok(file) => file.sync_data(),
                        // Folded into the store, which was synced for it, by whoever closed it last.
                        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
                        Err(error) => Err(error),
                    }
                });
                done.await.map_err(|error| Error::NotSynced(error.to_string()))?.map_err(|e| Error::NotSynced(e.to_string()))
            }
            // A commit of its own, the least that PostgreSQL syncs its log for; all earlier commits lie before it.
            Log::Postgres(pool) => {
                sqlx::query("SELECT pg_logical_emit_message(TRUE, 'tributary', '')").execute(pool).await?;
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_sync_is_for_all_who_committed_before_it() {
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("store");
        std::fs::create_dir(&store).unwrap();
        std::fs::write(store.join("wal"), "commits").unwrap();
        let sync = GroupSync::new(Log::File(store.join("wal")));
        let (first, second) = (sync.committed(), sync.committed());
        sync.wait(second).await.unwrap();
        // From here on nothing can be synced any more.
        std::fs::remove_dir_all(&store).unwrap();
        std::fs::write(&store, "no folder").unwrap();
        sync.wait(first).await.unwrap();
        let third = sync.committed();
        assert!(matches!(sync.wait(third).await, Err(Error::NotSynced(_))));
        assert!(matches!(sync.wait(third).await, Err(Error::NotSynced(_))), "a failed sync is no sync");
    }
}
