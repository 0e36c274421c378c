//! Hits on their way to the store. The edge appends and waits until the hit is safe; the mover reads from a position and
//! acknowledges what is in the store.

pub mod disk;
pub mod frame;
pub mod hit;

pub use hit::{Hit, HitKind, HitLink};

use disk::{DiskReader, DiskSpool};
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

/// The edge's side of the spool. Clones share it.
#[derive(Clone)]
pub struct Spool {
    disk: DiskSpool,
}

thread_local! {
    /// Where a record is written before it goes to the spool.
    static RECORD: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

impl Spool {
    /// Opens the file and starts its writer.
    pub fn open(path: &Path, size_limit: i64) -> crate::store::Result<Spool> {
        Ok(Spool { disk: DiskSpool::open(path, size_limit)? })
    }

    /// Makes a hit safe. When this answers `Ok`, it survives a crash.
    pub async fn append(&self, hit: &Hit<'_>, if_refused: IfRefused) -> Result<(), NotDurable> {
        let appended = RECORD.with_borrow_mut(|record| {
            record.clear();
            hit.write(record);
            self.disk.append_now(record, if_refused)
        })?;
        appended.answered().await
    }

    pub fn disk(&self) -> &DiskSpool {
        &self.disk
    }

    pub fn reader(&self) -> DiskReader {
        self.disk.reader()
    }
}
