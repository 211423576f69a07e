//! A pool whose workers do not exist in the child, and data that a fork copies half changed.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use crate::measure::hazard::Hazard;
use crate::measure::hazard::program::{FREE_NS, HELD_NS, closures, spin};

/// A pool of threads that take jobs from a queue.
pub(super) static POOL: Hazard = Hazard {
    name: "pool",
    available: || Ok(()),
    arm: |_| {
        let ours = Arc::new(Pool::default());
        let theirs = Arc::clone(&ours);
        let perform = move || {
            theirs.hand_in_and_wait();
            0
        };
        // What the child waits on is a count of signals, not a lock.
        Ok(closures(move |_| ours.work(), perform, false))
    },
};

#[derive(Default)]
struct Pool {
    jobs: Mutex<Jobs>,
    handed_in: Condvar,
    done: Condvar,
}

#[derive(Default)]
struct Jobs {
    handed_in: u64,
    done: u64,
}

impl Pool {
    /// A worker: does what is there to do, or waits for it, but not for long.
    fn work(&self) {
        const PATIENCE: Duration = Duration::from_micros(500);
        let jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.handed_in.wait_timeout(jobs, PATIENCE);
        let (mut jobs, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if jobs.done < jobs.handed_in {
            jobs.done += 1;
            self.done.notify_all();
        }
    }

    fn hand_in_and_wait(&self) {
        let mut jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        jobs.handed_in += 1;
        let mine = jobs.handed_in;
        self.handed_in.notify_one();
        while jobs.done < mine {
            jobs = self.done.wait(jobs).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// Two numbers that a thread keeps equal, without a lock.
pub(super) static TORN: Hazard = Hazard {
    name: "torn",
    available: || Ok(()),
    arm: |_| {
        let ours: Arc<[Pair; PAIRS]> = Arc::new(Default::default());
        let theirs = Arc::clone(&ours);
        let hold = move |thread: u32| {
            let pair = &ours[thread as usize % PAIRS];
            pair.first.fetch_add(1, Ordering::SeqCst);
            spin(HELD_NS);
            pair.second.fetch_add(1, Ordering::SeqCst);
            spin(FREE_NS);
        };
        let perform = move || {
            let is_torn = |pair: &Pair| {
                pair.first.load(Ordering::SeqCst) != pair.second.load(Ordering::SeqCst)
            };
            i32::from(theirs.iter().any(is_torn))
        };
        Ok(closures(hold, perform, false))
    },
};

/// Threads that have a pair of their own.
const PAIRS: usize = 32;

#[derive(Default)]
struct Pair {
    first: AtomicU64,
    second: AtomicU64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_is_done_where_there_are_workers() {
        let pool = Arc::new(Pool::default());
        let worker = Arc::clone(&pool);
        // Ends with this process.
        std::thread::spawn(move || {
            loop {
                worker.work();
            }
        });
        for _ in 0..100 {
            pool.hand_in_and_wait();
        }
        let jobs = pool.jobs.lock().unwrap();
        assert_eq!((jobs.handed_in, jobs.done), (100, 100));
    }
}
