//! A mutex of the program, held for a share of the time that can be chosen.
//!
//! # Safety
//!
//! The mutex lives as long as the process, unmoved.
#![allow(unsafe_code)]

use std::cell::UnsafeCell;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use crate::measure::clock;
use crate::measure::hazard::{Hazard, Trap};
use crate::model::setup::Work;

/// The row of it.
pub(super) static MUTEX: Hazard =
    Hazard { name: "mutex", available: || Ok(()), arm: |work| Ok(Box::new(Mutex::new(work))) };

/// Held and free together, in nanoseconds: long against what locking itself takes.
const PERIOD_NS: u64 = 200_000;

struct Mutex {
    mutex: UnsafeCell<libc::pthread_mutex_t>,
    hold_ns: u64,
    free_ns: u64,
    /// CLOCK_MONOTONIC when it was taken; 0: it is free.
    since: AtomicU64,
    /// For how long it has been held, before that.
    held: AtomicU64,
    /// Odd while the two above are changed.
    version: AtomicU32,
}

// SAFETY: the mutex is only used through calls of pthread, the rest are atomics.
unsafe impl Sync for Mutex {}
// SAFETY: likewise; it is boxed before it is used and never moved after.
unsafe impl Send for Mutex {}

impl Mutex {
    fn new(work: &Work) -> Mutex {
        let hold_ns = PERIOD_NS * u64::from(work.duty) / 100;
        Mutex {
            mutex: UnsafeCell::new(libc::PTHREAD_MUTEX_INITIALIZER),
            hold_ns,
            free_ns: PERIOD_NS - hold_ns,
            since: AtomicU64::new(0),
            held: AtomicU64::new(0),
            version: AtomicU32::new(0),
        }
    }

    /// Notes that it was taken at `since`, or given back, `held` longer. Only the thread that holds
    /// it calls this.
    fn note(&self, since: u64, held: u64) {
        self.version.fetch_add(1, Ordering::SeqCst);
        self.since.store(since, Ordering::SeqCst);
        self.held.fetch_add(held, Ordering::SeqCst);
        self.version.fetch_add(1, Ordering::SeqCst);
    }
}

impl Trap for Mutex {
    fn hold(&self, _: u32) {
        // SAFETY: initialised, and never destroyed.
        unsafe { libc::pthread_mutex_lock(self.mutex.get()) };
        let since = clock::now();
        self.note(since, 0);
        spin_until(since + self.hold_ns);
        self.note(0, clock::now() - since);
        // SAFETY: locked by this thread just now.
        unsafe { libc::pthread_mutex_unlock(self.mutex.get()) };
        spin_until(clock::now() + self.free_ns);
    }

    fn perform(&self) -> i32 {
        // SAFETY: initialised; that it may never return is what is to be shown.
        unsafe {
            libc::pthread_mutex_lock(self.mutex.get());
            libc::pthread_mutex_unlock(self.mutex.get());
        }
        0
    }

    fn held_ns(&self) -> Option<u64> {
        loop {
            let version = self.version.load(Ordering::SeqCst);
            let (since, held) =
                (self.since.load(Ordering::SeqCst), self.held.load(Ordering::SeqCst));
            if version.is_multiple_of(2) && self.version.load(Ordering::SeqCst) == version {
                let now = if since == 0 { 0 } else { clock::now().saturating_sub(since) };
                return Some(held + now);
            }
            std::hint::spin_loop();
        }
    }
}

fn spin_until(end: u64) {
    while clock::now() < end {
        std::hint::spin_loop();
    }
}
