//! Orders that wait for the store are recorded together: whoever finds the lane free takes all who wait along.

use super::Recorded;
use super::together::{Sent, record_together};
use crate::domain::order::NewOrder;
use crate::service::mover::Mover;
use crate::service::{Result, Tributary};
use crate::store::Db;
use chrono::Utc;
use std::sync::{Arc, Mutex as Lock, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;
use tokio::sync::{Mutex, Notify, oneshot};
use tokio::time::timeout;

/// How many go together at most.
const MOST_TOGETHER: usize = 16;

/// How long whoever has the lane waits for those who were here a moment ago, and will come again: together they are sooner
/// on the disk than in turns. One who is alone waits for nobody.
const GATHER: Duration = Duration::from_millis(1);

/// Orders on their way into the store.
#[derive(Clone, Default)]
pub struct OrderQueue(Arc<Queue>);

#[derive(Default)]
struct Queue {
    orders: Lock<Orders>,
    arrived: Notify,
    /// Held by whoever records, until the disk has it.
    lane: Mutex<()>,
    /// PostgreSQL prepares statements on each connection: these are few, so that theirs are ready.
    store: OnceLock<Db>,
}

#[derive(Default)]
struct Orders {
    waiting: Vec<Waiting>,
    /// How many wait or are being recorded.
    here: usize,
    /// The most of late that were here at once.
    usual: usize,
}

struct Waiting {
    sent: Sent,
    answer: oneshot::Sender<Option<Recorded>>,
}

/// One that is here; gone when dropped.
struct Here<'a>(&'a Queue);

impl Drop for Here<'_> {
    fn drop(&mut self) {
        self.0.orders().here -= 1;
    }
}

impl OrderQueue {
    /// Records a new order together with others that come at the same time. `None` if it has to be recorded for itself:
    /// it is not as plain as [`record_together`] takes them, or something failed of those that went with it.
    ///
    /// Answers when the disk has it.
    pub async fn record(&self, service: &Tributary, mover: &Mover, order: NewOrder, actor: String) -> Result<Option<Recorded>> {
        let (answer, mut answered) = oneshot::channel();
        let queue = &*self.0;
        let _here = queue.enter(Waiting { sent: Sent { order, actor }, answer });
        loop {
            let lane = tokio::select! {
                biased;
                // Dropped without an answer when whoever recorded it was: then it is recorded for itself.
                answer = &mut answered => return Ok(answer.ok().flatten()),
                lane = queue.lane.lock() => lane,
            };
            let together = queue.gather().await;
            if together.is_empty() {
                drop(lane);
                return Ok(answered.await.ok().flatten());
            }
            // Clicks that are on disk must be in the store before anything is decided on them.
            mover.move_all().await?;
            let (sent, answers): (Vec<Sent>, Vec<_>) = together.into_iter().map(|w| (w.sent, w.answer)).unzip();
            let context = service.context("orders");
            let mut tx = queue.store.get_or_init(|| service.db.with_own_connections()).begin().await?;
            let recorded = match record_together(&mut tx, &context, Utc::now(), &sent).await {
                Ok(recorded) if recorded.iter().any(Option::is_some) => recorded,
                Ok(_) => continue,
                Err(error) => {
                    // Each will meet its own error, if it has one.
                    tracing::debug!(%error, "orders cannot be recorded together");
                    continue;
                }
            };
            tx.commit().await?;
            drop(lane);
            for (answer, recorded) in answers.into_iter().zip(recorded) {
                // Who went away meanwhile finds the order recorded.
                let _ = answer.send(recorded);
            }
        }
    }
}

impl Queue {
    fn orders(&self) -> MutexGuard<'_, Orders> {
        self.orders.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn enter(&self, waiting: Waiting) -> Here<'_> {
        let mut orders = self.orders();
        orders.waiting.push(waiting);
        orders.here += 1;
        orders.usual = orders.usual.max(orders.here);
        drop(orders);
        self.arrived.notify_one();
        Here(self)
    }

    /// Takes those who came first, once as many are here as usual.
    async fn gather(&self) -> Vec<Waiting> {
        let all_came = async {
            while !self.orders().all_came() {
                self.arrived.notified().await;
            }
        };
        // Who did not come in time is taken the next time.
        let _ = timeout(GATHER, all_came).await;
        let mut orders = self.orders();
        let count = orders.waiting.len().min(MOST_TOGETHER);
        orders.usual = orders.here.max(orders.usual.saturating_sub(1));
        orders.waiting.drain(..count).collect()
    }
}

impl Orders {
    fn all_came(&self) -> bool {
        self.waiting.len() >= self.usual.min(MOST_TOGETHER)
    }
}
