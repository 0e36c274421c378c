//! Which shards of a cluster take hits. One that failed rests, so that visitors do not wait for it in turn: a single hit
//! a second tries it again.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// How long a shard rests, in milliseconds.
const REST_MILLIS: u64 = 1_000;

/// The shards, in turn. Times are milliseconds of any clock that does not jump.
pub struct Shards<const N: usize> {
    next: AtomicUsize,
    /// Until when each rests; 0 while it is well.
    rests: [AtomicU64; N],
}

impl<const N: usize> Default for Shards<N> {
    fn default() -> Self {
        Shards { next: AtomicUsize::new(0), rests: std::array::from_fn(|_| AtomicU64::new(0)) }
    }
}

impl<const N: usize> Shards<N> {
    /// The next that takes a hit; `None` while all of them rest.
    pub fn pick(&self, now: u64) -> Option<usize> {
        for _ in 0..N {
            let shard = self.next.fetch_add(1, Ordering::Relaxed) % N;
            let until = self.rests[shard].load(Ordering::Relaxed);
            if until == 0 {
                return Some(shard);
            }
            // Whoever moves the end of the rest on is the one that tries.
            let moved = || self.rests[shard].compare_exchange(until, now + REST_MILLIS, Ordering::Relaxed, Ordering::Relaxed);
            if until <= now && moved().is_ok() {
                return Some(shard);
            }
        }
        None
    }

    pub fn failed(&self, shard: usize, now: u64) {
        self.rests[shard].store(now + REST_MILLIS, Ordering::Relaxed);
    }

    pub fn well(&self, shard: usize) {
        if self.rests[shard].load(Ordering::Relaxed) != 0 {
            self.rests[shard].store(0, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shard_that_failed_rests_and_is_tried_by_one_hit() {
        let shards = Shards::<3>::default();
        assert_eq!([0; 4].map(|_| shards.pick(5)), [Some(0), Some(1), Some(2), Some(0)]);
        shards.failed(1, 10);
        assert_eq!([0; 4].map(|_| shards.pick(20)), [Some(2), Some(0), Some(2), Some(0)]);
        // A second later one hit tries it, and no other until it is known how that went.
        assert_eq!([0; 4].map(|_| shards.pick(1_010)), [Some(1), Some(2), Some(0), Some(2)]);
        shards.well(1);
        assert_eq!([0; 3].map(|_| shards.pick(1_020)), [Some(0), Some(1), Some(2)]);
        for shard in 0..3 {
            shards.failed(shard, 1_030);
        }
        assert_eq!(shards.pick(1_500), None);
        assert!(shards.pick(2_030).is_some());
    }
}
