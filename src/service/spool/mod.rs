//! Hits on their way to the store. The edge appends and waits until the hit is safe; the mover reads from a position and
//! acknowledges what is in the store.

mod batch;
pub mod disk;
pub mod frame;
pub mod hit;
mod pending;
pub mod redis;
mod salvage;
mod shards;

pub use hit::{Hit, HitKind, HitLink};

use self::redis::RedisSpool;
use disk::DiskSpool;
use std::cell::RefCell;
use std::path::Path;

/// The hit is not safe: the disk is full or broken. One that nobody sends again stays in memory and is written with a
/// later batch, if one succeeds before the process ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the spool cannot be written")]
pub struct NotDurable;

/// What to do with a hit that the disk refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IfRefused {
    /// Nobody will send it again: keep it in memory and write it with a later batch.
    TryAgain,
    /// The sender is told, and sends it again.
    Forget,
}

/// The edge's side of the spool: the disk, or Redis with the disk for when Redis is not there. Clones share it.
#[derive(Clone)]
pub struct Spool {
    disk: DiskSpool,
    redis: Option<RedisSpool>,
    /// Hits go to Redis first.
    to_redis: bool,
}

thread_local! {
    /// Where a record is written before it goes to the spool.
    static RECORD: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

impl Spool {
    /// Opens the file and starts its writer. `redis`: where workers read, and where hits go first if `to_redis`.
    pub fn open(path: &Path, size_limit: i64, redis: Option<RedisSpool>, to_redis: bool) -> crate::store::Result<Spool> {
        Ok(Spool { disk: DiskSpool::open(path, size_limit)?, redis, to_redis })
    }

    /// Makes a hit safe. When this answers `Ok`, it survives a crash.
    pub async fn append(&self, hit: &Hit<'_>, if_refused: IfRefused) -> Result<(), NotDurable> {
        if let Some(redis) = self.redis.as_ref().filter(|redis| self.to_redis && redis.is_up()) {
            let mut record = Vec::with_capacity(400);
            hit.write(&mut record);
            return match redis.append(&record).await {
                Ok(()) => Ok(()),
                Err(NotDurable) => self.disk.append(&record, if_refused)?.await,
            };
        }
        let answered = RECORD.with_borrow_mut(|record| {
            record.clear();
            hit.write(record);
            self.disk.append(record, if_refused)
        })?;
        answered.await
    }

    pub fn disk(&self) -> &DiskSpool {
        &self.disk
    }

    pub fn redis(&self) -> Option<&RedisSpool> {
        self.redis.as_ref()
    }
}
