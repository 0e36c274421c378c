//! Moves hits from the spool into the store: in order, in batches, each hit with exactly one effect however often it is
//! replayed. What a crash left is moved at the next start. It works on a thread of its own, behind the redirect in
//! priority, so that neither waits for the other.

mod batch;
mod priority;

use super::enrich::Enricher;
use super::linkbook::LinkBook;
use super::spool::disk::{DiskReader, DiskSpool};
use super::spool::redis::{RedisReader, RedisRows, RedisSpool};
use super::spool::{Spool, frame};
use super::{Error, Result, Tributary};
use crate::store::dictionary::Dictionary;
use crate::store::intake::Intake;
use batch::Prepared;
use priority::Priority;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot};

/// Bytes of the spool that one transaction takes.
const BATCH_BYTES: usize = 1_500_000;
/// Entries of each shard of Redis that one transaction takes.
const BATCH_ENTRIES: usize = 1_500;
/// How long somebody who asked waits for what still comes out of Redis.
const ASKED_LIMIT: Duration = Duration::from_secs(2);
/// How long hits gather before they are moved, so that under load transactions are few.
const GATHER: Duration = Duration::from_millis(60);
/// After the store did not answer.
const RETRY: Duration = Duration::from_millis(500);

/// What the mover did since the start, and how far it is.
#[derive(Debug, Default)]
pub struct MoverState {
    pub moved: AtomicU64,
    /// Hits that the store refused and that were set aside.
    pub rejected: AtomicU64,
    /// The microsecond the oldest hit that waits was written in; 0 if none waits.
    pub oldest_micros: AtomicI64,
    /// The last try failed.
    pub failing: AtomicBool,
    /// The disk's arrivals when all that was there was moved last.
    moved_at: AtomicU64,
}

impl MoverState {
    /// Whether nothing came to the disk since all was moved.
    fn has_moved(&self, disk: &DiskSpool) -> bool {
        disk.arrivals() == self.moved_at.load(Ordering::Acquire)
    }

    /// How long the oldest hit has waited, at `now_micros` of the machine's clock.
    pub fn lag(&self, now_micros: i64) -> Duration {
        let oldest = self.oldest_micros.load(Ordering::Relaxed);
        let micros = if oldest == 0 { 0 } else { now_micros.saturating_sub(oldest).max(0) };
        Duration::from_micros(micros.unsigned_abs())
    }
}

/// What a node's mover takes care of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moves {
    /// Nothing: hits wait while the store is looked after.
    Nothing,
    /// The node's own disk.
    Disk,
    /// And what any node put into Redis.
    DiskAndRedis,
}

/// Where rows came from.
enum Source {
    /// They end at this position.
    Disk {
        last: i64,
    },
    Redis(RedisRows),
}

type Asked = oneshot::Sender<std::result::Result<(), String>>;

/// The mover. Clones share it; when the last one goes, it ends.
#[derive(Clone)]
pub struct Mover {
    ask: mpsc::UnboundedSender<Asked>,
    state: Arc<MoverState>,
    /// Where nothing but the disk is moved: the disk.
    only: Option<DiskSpool>,
}

impl Mover {
    /// Starts the thread.
    pub fn start(service: Tributary, spool: &Spool, links: LinkBook, moves: Moves) -> Result<Mover> {
        let (ask, asked) = mpsc::unbounded_channel();
        // Nothing was looked at yet.
        let state = Arc::new(MoverState { moved_at: AtomicU64::new(u64::MAX), ..MoverState::default() });
        let disk = spool.disk().reader();
        let redis = spool.redis().filter(|_| moves == Moves::DiskAndRedis).map(RedisSpool::reader);
        let only = redis.is_none().then(|| spool.disk().clone());
        let mover = Mover { ask, state: state.clone(), only };
        let run = move || {
            let priority = Priority::of_this_thread();
            let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
                Ok(runtime) => runtime,
                Err(error) => return tracing::error!(%error, "the mover cannot start"),
            };
            runtime.block_on(async {
                if moves == Moves::Nothing {
                    return hold(asked).await;
                }
                // Connections belong to the runtime that made them.
                let service = service.with_own_connections();
                let worker = Worker {
                    disk,
                    redis,
                    service,
                    links,
                    state,
                    enricher: Enricher::default(),
                    dictionary: Dictionary::default(),
                    intake: None,
                    prepared: None,
                    priority,
                };
                worker.run(asked).await;
            });
        };
        let thread = std::thread::Builder::new().name("mover".to_owned()).spawn(run);
        thread.map_err(|e| Error::NotMoved(e.to_string()))?;
        Ok(mover)
    }

    /// Moves everything that is in the spool now; what comes meanwhile keeps nobody waiting.
    pub async fn move_all(&self) -> Result<()> {
        if self.only.as_ref().is_some_and(|disk| self.state.has_moved(disk)) {
            return Ok(());
        }
        let (answer, answered) = oneshot::channel();
        self.ask.send(answer).map_err(|_| Error::NotMoved("the mover has ended".to_owned()))?;
        match answered.await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(why)) => Err(Error::NotMoved(why)),
            Err(_) => Err(Error::NotMoved("the mover has ended".to_owned())),
        }
    }

    pub fn state(&self) -> &MoverState {
        &self.state
    }
}

async fn hold(mut asked: mpsc::UnboundedReceiver<Asked>) {
    while let Some(answer) = asked.recv().await {
        let _ = answer.send(Ok(()));
    }
}

struct Worker {
    service: Tributary,
    links: LinkBook,
    disk: DiskReader,
    redis: Option<RedisReader>,
    state: Arc<MoverState>,
    enricher: Enricher,
    dictionary: Dictionary,
    intake: Option<Intake>,
    /// What could not be stored yet.
    prepared: Option<Prepared>,
    priority: Priority,
}

impl Worker {
    async fn run(mut self, mut asked: mpsc::UnboundedReceiver<Asked>) {
        let mut waiting: Vec<Asked> = Vec::new();
        loop {
            let pause = if self.state.failing.load(Ordering::Relaxed) { RETRY } else { GATHER };
            if waiting.is_empty() {
                tokio::select! {
                    one = asked.recv() => match one {
                        Some(one) => waiting.push(one),
                        None => return,
                    },
                    () = tokio::time::sleep(pause) => {}
                }
            }
            while let Ok(one) = asked.try_recv() {
                waiting.push(one);
            }
            let arrivals = self.disk.spool().arrivals();
            let result = self.pass(!waiting.is_empty()).await;
            if result.is_ok() {
                self.state.moved_at.store(arrivals, Ordering::Release);
            }
            self.note_oldest().await;
            self.state.failing.store(result.is_err(), Ordering::Relaxed);
            if let Err(error) = &result {
                tracing::error!(%error, "the spool cannot be moved; it is tried again");
            }
            for one in waiting.drain(..) {
                let _ = one.send(result.as_ref().copied().map_err(ToString::to_string));
            }
        }
    }

    /// Moves what was in the spool when it began.
    async fn pass(&mut self, asked: bool) -> Result<()> {
        self.finish_prepared().await?;
        if let Some((first, end)) = self.disk.span()? {
            self.waits_since(first);
            while let Some(found) = self.disk.read(BATCH_BYTES)? {
                let last = found.last;
                self.prepared = Some(self.prepare(found.rows, Source::Disk { last }));
                self.finish_prepared().await?;
                if last >= end {
                    break;
                }
                self.waits_since(last);
            }
        }
        let began = Instant::now();
        while let Some(redis) = &mut self.redis {
            let found = match redis.read(BATCH_ENTRIES).await {
                Ok(found) => found,
                Err(error) => {
                    tracing::warn!(%error, "hits in Redis cannot be read; it is tried again");
                    break;
                }
            };
            let last = found.iter().all(|rows| rows.records.len() < BATCH_ENTRIES) || began.elapsed() > ASKED_LIMIT;
            for rows in found {
                let framed = rows.records.iter().map(|record| frame::of(record)).collect();
                self.prepared = Some(self.prepare(framed, Source::Redis(rows)));
                self.finish_prepared().await?;
            }
            if last || !asked {
                break;
            }
        }
        Ok(())
    }

    /// Stores what is prepared, if anything is, and acknowledges it.
    async fn finish_prepared(&mut self) -> Result<()> {
        let Some(prepared) = self.prepared.take() else { return Ok(()) };
        if let Err(error) = self.store(&prepared).await {
            self.prepared = Some(prepared);
            return Err(error);
        }
        match prepared.source {
            Source::Disk { last } => self.disk.acknowledge(last),
            Source::Redis(rows) => {
                if let Some(redis) = &mut self.redis
                    && let Err(error) = redis.acknowledge(&rows).await
                {
                    tracing::warn!(%error, "stored hits cannot be taken out of Redis; they are met again and stored once");
                }
            }
        }
        Ok(())
    }

    /// Notes when the oldest hit was written that waits, and follows it with the thread's priority.
    fn waits_since(&mut self, oldest_micros: i64) {
        self.state.oldest_micros.store(oldest_micros, Ordering::Relaxed);
        self.priority.follow(self.state.lag(chrono::Utc::now().timestamp_micros()));
    }

    async fn note_oldest(&mut self) {
        let disk = self.disk.span().ok().flatten().map(|(first, _)| first);
        let redis = match &mut self.redis {
            Some(redis) => redis.oldest_micros().await.ok().flatten(),
            None => None,
        };
        let oldest = [disk, redis].into_iter().flatten().min();
        self.waits_since(oldest.unwrap_or(0));
    }
}
