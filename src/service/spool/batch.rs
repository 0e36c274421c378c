//! What the hits of one commit wait for. The spool's thread wakes one task of each thread that waits; that one wakes the
//! others where they are, so that an answer crosses from core to core once a thread and not once a hit.

use super::NotDurable;
use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// The hits of one commit.
pub struct Batch {
    /// No other batch of the process has it.
    number: u64,
    outcome: AtomicU8,
    leaders: Mutex<Vec<Waker>>,
}

const WAITING: u8 = 0;
pub(super) const DURABLE: u8 = 1;
pub(super) const REFUSED: u8 = 2;

/// Those that wait on one thread behind a leader; `None` once they were woken.
#[derive(Default)]
struct Crowd(Mutex<Option<Vec<Waker>>>);

thread_local! {
    /// The crowd that formed last on this thread, and the number of its batch.
    static LAST: RefCell<(u64, Arc<Crowd>)> = RefCell::default();
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Crowd {
    fn wake(&self) {
        for waker in locked(&self.0).take().into_iter().flatten() {
            waker.wake();
        }
    }
}

impl Batch {
    pub(super) fn new() -> Arc<Batch> {
        static NUMBER: AtomicU64 = AtomicU64::new(1);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        Arc::new(Batch { number, outcome: AtomicU8::new(WAITING), leaders: Mutex::default() })
    }

    pub(super) fn answer(&self, outcome: u8) {
        self.outcome.store(outcome, Ordering::Release);
        let leaders = std::mem::take(&mut *locked(&self.leaders));
        leaders.into_iter().for_each(Waker::wake);
    }

    fn outcome(&self) -> Option<Result<(), NotDurable>> {
        match self.outcome.load(Ordering::Acquire) {
            WAITING => None,
            DURABLE => Some(Ok(())),
            _ => Some(Err(NotDurable)),
        }
    }

    /// Whether nobody was answered yet.
    pub(super) fn is_waiting(&self) -> bool {
        self.outcome().is_none()
    }
}

/// The end of waiting for a commit. To be polled until it is ready, or dropped: others may wait behind it.
pub struct Answered {
    batch: Arc<Batch>,
    place: Place,
}

enum Place {
    Nowhere,
    /// Woken by the spool's thread, at this place among the leaders.
    Leads(Arc<Crowd>, usize),
    /// Woken by the one that leads, at this place of the crowd.
    Follows(Arc<Crowd>, usize),
}

impl Answered {
    pub(super) fn of(batch: Arc<Batch>) -> Answered {
        Answered { batch, place: Place::Nowhere }
    }

    /// Finds a place where there is none yet, and leaves the waker there; `false` if the answer came meanwhile, or the
    /// crowd was woken: then it is to be tried again.
    fn wait(&mut self, waker: &Waker) -> bool {
        match &self.place {
            Place::Nowhere => LAST.with_borrow_mut(|(number, last)| {
                if *number == self.batch.number
                    && let Some(crowd) = &mut *locked(&last.0)
                {
                    crowd.push(waker.clone());
                    self.place = Place::Follows(last.clone(), crowd.len() - 1);
                    return true;
                }
                let mut leaders = locked(&self.batch.leaders);
                // An answer after this look finds the leader.
                if !self.batch.is_waiting() {
                    return false;
                }
                leaders.push(waker.clone());
                let crowd = Arc::new(Crowd(Mutex::new(Some(Vec::with_capacity(64)))));
                self.place = Place::Leads(crowd.clone(), leaders.len() - 1);
                (*number, *last) = (self.batch.number, crowd);
                true
            }),
            Place::Leads(_, index) => locked(&self.batch.leaders).get_mut(*index).map(|known| known.clone_from(waker)).is_some(),
            Place::Follows(crowd, index) => {
                let stays =
                    locked(&crowd.0).as_mut().and_then(|crowd| crowd.get_mut(*index)).map(|known| known.clone_from(waker));
                if stays.is_none() {
                    self.place = Place::Nowhere;
                }
                stays.is_some()
            }
        }
    }

    /// Goes; whoever waited behind is woken, to be answered or to find another leader.
    fn leave(&mut self) {
        if let Place::Leads(crowd, _) = std::mem::replace(&mut self.place, Place::Nowhere) {
            crowd.wake();
        }
    }
}

impl Future for Answered {
    type Output = Result<(), NotDurable>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        loop {
            if let Some(outcome) = self.batch.outcome() {
                self.leave();
                return Poll::Ready(outcome);
            }
            if self.wait(context.waker()) {
                return Poll::Pending;
            }
        }
    }
}

impl Drop for Answered {
    fn drop(&mut self) {
        self.leave();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use tokio::task::JoinSet;
    use tokio::time::timeout;

    async fn all_are_answered(mut waiting: JoinSet<Result<(), NotDurable>>, expected: Result<(), NotDurable>) {
        let joined = async {
            let mut answered = 0;
            while let Some(outcome) = waiting.join_next().await {
                assert_eq!(outcome.unwrap(), expected);
                answered += 1;
            }
            answered
        };
        assert!(timeout(Duration::from_secs(10), joined).await.expect("somebody was left waiting") > 0);
    }

    #[tokio::test]
    async fn all_that_wait_on_one_thread_are_answered_from_another() {
        for outcome in [DURABLE, REFUSED] {
            let batch = Batch::new();
            let mut waiting = JoinSet::new();
            for _ in 0..200 {
                waiting.spawn(Answered::of(batch.clone()));
            }
            tokio::task::yield_now().await;
            let answering = std::thread::spawn({
                let batch = batch.clone();
                move || batch.answer(outcome)
            });
            all_are_answered(waiting, if outcome == DURABLE { Ok(()) } else { Err(NotDurable) }).await;
            answering.join().unwrap();
            assert!(!batch.is_waiting());
        }
    }

    #[tokio::test]
    async fn one_that_leads_and_goes_leaves_nobody_behind() {
        for before in [true, false] {
            let batch = Batch::new();
            let leader = tokio::spawn(Answered::of(batch.clone()));
            tokio::task::yield_now().await;
            let mut waiting = JoinSet::new();
            for _ in 0..3 {
                waiting.spawn(Answered::of(batch.clone()));
            }
            tokio::task::yield_now().await;
            if !before {
                batch.answer(DURABLE);
            }
            leader.abort();
            for _ in 0..3 {
                tokio::task::yield_now().await;
            }
            if before {
                batch.answer(DURABLE);
            }
            all_are_answered(waiting, Ok(())).await;
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn tasks_that_wander_between_threads_are_answered() {
        for _ in 0..50 {
            let batches: Vec<Arc<Batch>> = (0..20).map(|_| Batch::new()).collect();
            let mut waiting = JoinSet::new();
            for number in 0..400 {
                waiting.spawn(Answered::of(batches[number % batches.len()].clone()));
            }
            let answering = tokio::task::spawn_blocking(move || batches.iter().for_each(|batch| batch.answer(DURABLE)));
            all_are_answered(waiting, Ok(())).await;
            answering.await.unwrap();
        }
    }
}
