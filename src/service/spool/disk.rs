//! The spool on disk. Natural group commit: everything that came meanwhile is written and synced at once, then all of it
//! is answered, and again. One thread of its own writes; nothing else ever holds the file up.

use super::batch::{Answered, Batch, DURABLE, REFUSED};
use super::frame;
use super::pending::Pending;
use super::salvage::{beside, bring_back};
use super::{IfRefused, NotDurable};
use crate::store::spool::{SpoolReader, SpoolWriter};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Bytes that wait for the disk at most; beyond that the edge is told at once.
const LARGEST_PENDING: usize = 64 << 20;
/// How long moved rows may lie before they are forgotten in a commit of their own.
const IDLE: Duration = Duration::from_millis(200);
/// Between two tries to write what the disk refused.
const RETRY: Duration = Duration::from_millis(500);

/// No generation.
const NONE: u64 = u64::MAX;

/// What went through since the start.
#[derive(Debug, Default)]
pub struct DiskCounts {
    pub appended: AtomicU64,
    pub not_durable: AtomicU64,
    pub commits: AtomicU64,
    /// Files that were set aside because they were damaged.
    pub damaged_files: AtomicU64,
    /// Bytes the rows in the file take, as of the last look.
    pub bytes: AtomicI64,
}

struct Shared {
    path: PathBuf,
    size_limit: i64,
    pending: Mutex<Pending>,
    came: Condvar,
    /// Up to where rows are in the store.
    acknowledged: AtomicI64,
    /// The generation of the file in which a read came upon damage; [`NONE`] if there is none.
    damage_seen: AtomicU64,
    /// Counted up whenever a fresh file takes the place of a damaged one.
    generation: AtomicU64,
    /// Held while files change places, and while a reader opens one.
    places: Mutex<()>,
    closed: AtomicBool,
    counts: DiskCounts,
}

impl Shared {
    fn pending(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something while no file changes its place: one without its log would lose what is in it.
    fn in_place<T>(&self, open: impl FnOnce(&Path) -> T) -> T {
        let _alone = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        open(&self.path)
    }

    fn push(&self, record: &[u8], if_refused: IfRefused) -> Result<Arc<Batch>, NotDurable> {
        let over = self.size_limit > 0 && self.counts.bytes.load(Ordering::Relaxed) > self.size_limit;
        // Reckoned before the lock, for all threads meet there.
        let head = frame::head_of(record);
        let mut pending = self.pending();
        if over || self.closed.load(Ordering::Relaxed) || pending.frames.len() > LARGEST_PENDING {
            drop(pending);
            self.counts.not_durable.fetch_add(1, Ordering::Relaxed);
            return Err(NotDurable);
        }
        let first = pending.ends.is_empty();
        pending.frames.extend_from_slice(&head);
        pending.frames.extend_from_slice(record);
        let end = pending.frames.len();
        pending.ends.push((end, if_refused));
        let batch = pending.batch.clone();
        drop(pending);
        if first {
            self.came.notify_one();
        }
        Ok(batch)
    }
}

/// The spool on disk. Clones share it; the last one that goes ends the thread.
#[derive(Clone)]
pub struct DiskSpool {
    shared: Arc<Shared>,
    _end: Arc<End>,
}

struct End {
    shared: Arc<Shared>,
    thread: Mutex<Option<std::thread::JoinHandle<()>>>,
}

impl Drop for End {
    fn drop(&mut self) {
        self.shared.closed.store(true, Ordering::Release);
        self.shared.came.notify_all();
        let thread = self.thread.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            let _ = thread.join();
        }
    }
}

impl DiskSpool {
    /// Opens the file, setting it aside for a fresh one if it is damaged. `size_limit`: bytes beyond which nothing more is taken, 0 for none.
    pub fn open(path: &Path, size_limit: i64) -> crate::store::Result<DiskSpool> {
        let shared = Arc::new(Shared {
            path: path.to_owned(),
            size_limit,
            pending: Mutex::new(Pending::empty()),
            came: Condvar::new(),
            acknowledged: AtomicI64::new(0),
            damage_seen: AtomicU64::new(NONE),
            generation: AtomicU64::new(0),
            places: Mutex::new(()),
            closed: AtomicBool::new(false),
            counts: DiskCounts::default(),
        });
        let writer = match SpoolWriter::open(path) {
            Err(error) if error.is_damage() => replace_damaged(&shared, 0, &error.to_string())?,
            other => other?,
        };
        let thread = std::thread::Builder::new().name("spool".to_owned()).spawn({
            let shared = shared.clone();
            move || write(&shared, writer)
        });
        let thread = thread.map_err(|e| crate::store::Error::BadUrl(format!("the spool's thread cannot be started: {e}")))?;
        Ok(DiskSpool { _end: Arc::new(End { shared: shared.clone(), thread: Mutex::new(Some(thread)) }), shared })
    }

    /// Puts a record into the next commit. When that is answered with `Ok`, it survives a crash.
    pub fn append(&self, record: &[u8], if_refused: IfRefused) -> Result<Answered, NotDurable> {
        self.shared.push(record, if_refused).map(Answered::of)
    }

    /// Changes whenever something comes into the file: hits, or those that were brought back out of a damaged one.
    pub fn arrivals(&self) -> u64 {
        let DiskCounts { appended, damaged_files, .. } = self.counts();
        appended.load(Ordering::Acquire).wrapping_add(damaged_files.load(Ordering::Acquire))
    }

    pub fn counts(&self) -> &DiskCounts {
        &self.shared.counts
    }

    /// The end that reads, for one thread.
    pub fn reader(&self) -> DiskReader {
        DiskReader { spool: self.clone(), open: None, position: 0 }
    }
}

/// Reads what is in the file, from the oldest on.
pub struct DiskReader {
    spool: DiskSpool,
    /// The open file and its generation.
    open: Option<(SpoolReader, u64)>,
    position: i64,
}

/// Rows read together, and where they end.
pub struct DiskRows {
    pub rows: Vec<Vec<u8>>,
    pub last: i64,
}

impl DiskReader {
    fn file(&mut self) -> crate::store::Result<&SpoolReader> {
        let generation = self.spool.shared.generation.load(Ordering::Acquire);
        if self.open.as_ref().is_none_or(|(_, known)| *known != generation) {
            self.open = None;
            let reader = self.spool.shared.in_place(SpoolReader::open)?;
            self.position = 0;
            self.open = Some((reader, generation));
        }
        match &self.open {
            Some((reader, _)) => Ok(reader),
            None => Err(crate::store::Error::BadUrl("the spool is not open".to_owned())),
        }
    }

    fn told<T>(&mut self, result: crate::store::Result<T>) -> crate::store::Result<T> {
        if let Err(error) = &result
            && error.is_damage()
        {
            let shared = &self.spool.shared;
            let generation = self.open.take().map_or_else(|| shared.generation.load(Ordering::Acquire), |(_, known)| known);
            shared.damage_seen.store(generation, Ordering::Release);
            shared.came.notify_all();
        }
        result
    }

    /// The next rows, some `bytes` of them; `None` if there are none.
    pub fn read(&mut self, bytes: usize) -> crate::store::Result<Option<DiskRows>> {
        let position = self.position;
        let rows = match self.file() {
            Ok(file) if position == 0 => file.read(0, bytes),
            Ok(file) => file.read(position, bytes),
            Err(error) => Err(error),
        };
        let rows = self.told(rows)?;
        let Some(last) = rows.last().map(|row| row.position) else { return Ok(None) };
        Ok(Some(DiskRows { rows: rows.into_iter().map(|row| row.frames).collect(), last }))
    }

    /// All rows up to `last` are in the store: they are not read again, and forgotten soon.
    pub fn acknowledge(&mut self, last: i64) {
        self.position = last;
        self.spool.shared.acknowledged.store(last, Ordering::Release);
    }

    pub fn spool(&self) -> &DiskSpool {
        &self.spool
    }

    /// The positions (microseconds) of the oldest and newest row that wait.
    pub fn span(&mut self) -> crate::store::Result<Option<(i64, i64)>> {
        let position = self.position;
        let span = self.file().and_then(|file| file.span(position));
        self.told(span)
    }
}

/// How much the writer stands back behind those that answer visitors: where there is no idle core, more hits share a commit.
const NICENESS: i32 = 3;

/// The writer's thread.
fn write(shared: &Arc<Shared>, mut file: SpoolWriter) {
    let _ = rustix::process::setpriority_process(Some(rustix::thread::gettid()), NICENESS);
    // What the disk refused; it was answered as not durable and is tried again.
    let mut owed: Option<Pending> = None;
    // Buffers of the commit before last, to be filled again.
    let mut spare: Option<Pending> = None;
    let mut forgotten = 0;
    let mut looked = Instant::now() - RETRY;
    loop {
        let closed = shared.closed.load(Ordering::Acquire);
        let taken = take_pending(shared, if owed.is_some() { RETRY } else { IDLE }, &mut spare);
        if shared.damage_seen.swap(NONE, Ordering::AcqRel) == shared.generation.load(Ordering::Acquire) {
            renew(shared, &mut file, "a read came upon a damaged page");
        }
        // Those that were refused before were counted then.
        let came = taken.as_ref().map_or(0, |taken| taken.ends.len());
        let acknowledged = Some(shared.acknowledged.load(Ordering::Acquire)).filter(|position| *position > forgotten);
        let pending = match (taken, owed.take()) {
            (Some(taken), Some(owed)) => Some(taken.after(owed)),
            (taken, owed) => taken.or(owed),
        };
        if pending.is_none() && acknowledged.is_none() {
            if closed {
                return;
            }
            let _ = file.shrink();
            shared.counts.bytes.store(file.bytes().unwrap_or(0), Ordering::Relaxed);
            continue;
        }
        let mut result = file.append(pending.iter().flat_map(Pending::rows), acknowledged);
        if let Err(error) = &result
            && error.is_damage()
        {
            renew(shared, &mut file, &error.to_string());
            result = file.append(pending.iter().flat_map(Pending::rows), None);
        }
        match (&result, pending) {
            (Ok(()), pending) => {
                forgotten = acknowledged.unwrap_or(forgotten);
                shared.counts.commits.fetch_add(1, Ordering::Relaxed);
                if let Some(pending) = pending {
                    shared.counts.appended.fetch_add(pending.ends.len() as u64, Ordering::Release);
                    pending.batch.answer(DURABLE);
                    spare = Some(pending.emptied());
                }
            }
            (Err(error), Some(pending)) => {
                tracing::error!(%error, hits = pending.ends.len(), "the spool cannot be written; the hits wait in memory");
                if pending.batch.is_waiting() {
                    shared.counts.not_durable.fetch_add(came as u64, Ordering::Relaxed);
                    pending.batch.answer(REFUSED);
                }
                let kept = pending.keep();
                owed = (!kept.ends.is_empty() && kept.frames.len() <= LARGEST_PENDING).then_some(kept);
                if let Some(owed) = &owed {
                    owed.batch.answer(REFUSED);
                }
                if closed {
                    tracing::error!("the service ends with hits that the disk refused");
                    return;
                }
            }
            (Err(error), None) => tracing::warn!(%error, "moved hits cannot be forgotten yet"),
        }
        if looked.elapsed() >= RETRY {
            looked = Instant::now();
            shared.counts.bytes.store(file.bytes().unwrap_or(0), Ordering::Relaxed);
        }
    }
}

/// Waits for hits, at most for `longest`.
fn take_pending(shared: &Shared, longest: Duration, spare: &mut Option<Pending>) -> Option<Pending> {
    let mut pending = shared.pending();
    if pending.ends.is_empty() && !shared.closed.load(Ordering::Acquire) {
        pending = shared.came.wait_timeout(pending, longest).unwrap_or_else(PoisonError::into_inner).0;
    }
    (!pending.ends.is_empty()).then(|| std::mem::replace(&mut *pending, spare.take().unwrap_or_else(Pending::empty)))
}

/// Sets the damaged file aside and goes on with a fresh one.
fn renew(shared: &Arc<Shared>, file: &mut SpoolWriter, why: &str) {
    match replace_damaged(shared, file.last(), why) {
        Ok(fresh) => *file = fresh,
        Err(error) => tracing::error!(%error, "a fresh spool cannot be opened; it is tried again"),
    }
}

/// Renames the file and what belongs to it, opens a fresh one, and brings back every whole record of the damaged one.
fn replace_damaged(shared: &Arc<Shared>, last: i64, why: &str) -> crate::store::Result<SpoolWriter> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_micros());
    let aside = beside(&shared.path, &format!(".damaged-{now}"));
    let fresh = shared.in_place(|path| {
        for ending in ["", "-wal", "-shm"] {
            let _ = std::fs::rename(beside(path, ending), beside(&aside, ending));
        }
        SpoolWriter::open(path)
    })?;
    let mut fresh = fresh.behind(last);
    shared.acknowledged.store(0, Ordering::Release);
    shared.generation.fetch_add(1, Ordering::AcqRel);
    let saved = bring_back(&aside, &mut fresh);
    // Only now: who saw the fresh file before has not seen them.
    shared.counts.damaged_files.fetch_add(1, Ordering::Release);
    tracing::error!(why, aside = %aside.display(), saved, "the spool was damaged: it is set aside, its whole hits are brought back, a fresh one is in use");
    Ok(fresh)
}
