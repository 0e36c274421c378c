//! Hits on their way to the store. The edge appends and waits until the hit is on disk; a mover takes batches on.
//!
//! Natural group commit: everything queued is written as one row and synced, then all of it is answered, and again.

use crate::domain::id::{LinkId, PartnerId, ProgramId};
use crate::domain::partner::PartnerKind;
use crate::domain::touch::TouchKind;
use crate::store::spool::SpoolFile;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

/// What a hit is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HitKind {
    Click,
    Visit,
    Impression,
    Event,
    Lead,
    Identify,
    Order,
    /// A link code nobody knows.
    UnknownLink,
}

impl HitKind {
    /// The kind of touch it becomes, if it does.
    pub fn touch(self) -> Option<TouchKind> {
        match self {
            HitKind::Click => Some(TouchKind::Click),
            HitKind::Visit => Some(TouchKind::Visit),
            HitKind::Impression => Some(TouchKind::Impression),
            HitKind::Event | HitKind::Lead | HitKind::Identify | HitKind::Order | HitKind::UnknownLink => None,
        }
    }
}

/// The link a click went through, as it was then.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct HitLink {
    pub id: LinkId,
    pub program: ProgramId,
    pub partner: Option<PartnerId>,
    pub partner_kind: Option<PartnerKind>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub utm: BTreeMap<String, String>,
}

/// A hit as the edge saw it: raw, so that enrichment can be run again.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct Hit {
    pub id: Uuid,
    pub at_micros: i64,
    pub kind: HitKind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<HitLink>,
    /// The landing URL, or what follows `/r/`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub referrer: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub visitor: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub click: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<serde_json::Value>,
    #[serde(default)]
    pub consent_denied: bool,
    #[serde(default)]
    pub head: bool,
    #[serde(default)]
    pub prefetch: bool,
}

/// The hit is not on disk: the disk is full or broken. It stays in memory and is written with a later batch, if one
/// succeeds before the process ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the spool cannot be written")]
pub struct NotDurable;

type Answer = oneshot::Sender<Result<(), NotDurable>>;

/// What to do with a hit that the disk refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IfRefused {
    /// Nobody will send it again: keep it in memory and write it with a later batch.
    TryAgain,
    /// The sender is told, and sends it again.
    Forget,
}

/// How many hits wait for the disk at most; beyond that the edge is told at once.
const QUEUE: usize = 50_000;
/// How many hits one row of the spool holds at most.
const LARGEST_BATCH: usize = 4_096;

/// The edge's side of the spool. Clones share it.
#[derive(Clone)]
pub struct Spool {
    queue: mpsc::Sender<(Hit, IfRefused, Answer)>,
    file: SpoolFile,
    counts: Arc<Counts>,
}

/// What went through the spool since the start.
#[derive(Debug, Default)]
pub struct Counts {
    pub appended: AtomicU64,
    pub not_durable: AtomicU64,
}

impl Spool {
    /// Opens the file and starts the writer, which ends when the last clone is dropped.
    pub async fn open(path: &Path) -> crate::store::Result<Spool> {
        let file = SpoolFile::open(path).await?;
        let (queue, incoming) = mpsc::channel(QUEUE);
        let counts = Arc::new(Counts::default());
        tokio::spawn(write(file.clone(), incoming, counts.clone()));
        Ok(Spool { queue, file, counts })
    }

    /// Puts a hit on disk. When this answers `Ok`, the hit survives a crash.
    pub async fn append(&self, hit: Hit, if_refused: IfRefused) -> Result<(), NotDurable> {
        let (answer, answered) = oneshot::channel();
        self.queue.try_send((hit, if_refused, answer)).map_err(|_| NotDurable)?;
        answered.await.unwrap_or(Err(NotDurable))
    }

    pub fn file(&self) -> &SpoolFile {
        &self.file
    }

    pub fn counts(&self) -> &Counts {
        &self.counts
    }
}

async fn write(file: SpoolFile, mut incoming: mpsc::Receiver<(Hit, IfRefused, Answer)>, counts: Arc<Counts>) {
    let mut queued: Vec<(Hit, IfRefused, Answer)> = Vec::with_capacity(LARGEST_BATCH);
    // Hits whose batch the disk refused; they were answered as not durable and are tried again.
    let mut owed: Vec<Hit> = Vec::new();
    while incoming.recv_many(&mut queued, LARGEST_BATCH).await > 0 {
        let mut body = Vec::with_capacity((queued.len() + owed.len()) * 400);
        for hit in owed.iter().chain(queued.iter().map(|(hit, ..)| hit)) {
            // Writing our own types to memory does not fail.
            let _ = serde_json::to_writer(&mut body, hit);
            body.push(b'\n');
        }
        let result = match file.append(&body).await {
            Ok(()) => {
                counts.appended.fetch_add((owed.len() + queued.len()) as u64, Ordering::Relaxed);
                owed.clear();
                Ok(())
            }
            Err(error) => {
                tracing::error!(%error, hits = queued.len(), "the spool cannot be written; the hits wait in memory");
                counts.not_durable.fetch_add(queued.len() as u64, Ordering::Relaxed);
                Err(NotDurable)
            }
        };
        for (hit, if_refused, answer) in queued.drain(..) {
            if result.is_err() && if_refused == IfRefused::TryAgain && owed.len() < QUEUE {
                owed.push(hit);
            }
            let _ = answer.send(result);
        }
    }
    file.close().await;
}

/// Reads a batch back. A line that is no hit ends in `Err` with its text.
pub fn read_batch(body: &[u8]) -> Vec<Result<Hit, String>> {
    body.split(|b| *b == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_slice(line).map_err(|e| format!("{e}: {}", String::from_utf8_lossy(line))))
        .collect()
}
