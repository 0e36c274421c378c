//! The mover's priority, as `nice` counts: behind those that answer visitors while it keeps up, level with them once it
//! falls behind, and ahead of them where that does not help, so that hits wait about a second at most however many come.
//! Where a thread may not take back what it gave up, it gives up little.

use rustix::process::setpriority_process;
use rustix::thread::gettid;
use std::time::Duration;

/// Level with the threads that answer.
const LEVEL: i32 = 0;
const LITTLE_BEHIND: i32 = 1;
const BEHIND: i32 = 5;
const AHEAD: i32 = -5;
/// From this lag on the mover is level.
const FALLS_BEHIND: Duration = Duration::from_millis(300);
/// From this lag on it is ahead.
const FAR_BEHIND: Duration = Duration::from_millis(600);

/// The priority of the thread that made it.
pub(super) struct Priority {
    niceness: i32,
    may_return: bool,
}

impl Priority {
    pub(super) fn of_this_thread() -> Priority {
        let gave_up = set(LITTLE_BEHIND);
        let may_return = gave_up && set(LEVEL);
        let mut priority = Priority { niceness: if gave_up && !may_return { LITTLE_BEHIND } else { LEVEL }, may_return };
        priority.follow(Duration::ZERO);
        priority
    }

    /// Follows how long the oldest hit has waited.
    pub(super) fn follow(&mut self, lag: Duration) {
        let wanted = match lag {
            lag if lag < FALLS_BEHIND => BEHIND,
            lag if lag < FAR_BEHIND => LEVEL,
            _ => AHEAD,
        };
        if self.may_return && wanted != self.niceness && set(wanted) {
            self.niceness = wanted;
        }
    }
}

fn set(niceness: i32) -> bool {
    let done = setpriority_process(Some(gettid()), niceness);
    if let Err(error) = &done {
        tracing::debug!(%error, niceness, "the mover's priority stays as it is");
    }
    done.is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::process::getpriority_process;

    #[test]
    fn a_mover_that_falls_behind_is_level_until_it_has_caught_up() {
        // A thread of its own, for priorities stay.
        let watched = std::thread::spawn(|| {
            let mut priority = Priority::of_this_thread();
            let mut seen = vec![getpriority_process(Some(gettid())).unwrap()];
            for millis in [100, 400, 100] {
                priority.follow(Duration::from_millis(millis));
                seen.push(getpriority_process(Some(gettid())).unwrap());
            }
            // Whether it may go ahead is another right than to return.
            priority.follow(Duration::from_secs(2));
            assert!(getpriority_process(Some(gettid())).unwrap() <= if priority.may_return { LEVEL } else { LITTLE_BEHIND });
            (priority.may_return, seen)
        });
        let (may_return, seen) = watched.join().unwrap();
        assert_eq!(seen, if may_return { [BEHIND, BEHIND, LEVEL, BEHIND] } else { [LITTLE_BEHIND; 4] });
    }
}
