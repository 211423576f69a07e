//! A thread that makes the births of a hazard in which it is the birth that may not return, so that
//! the subject's first thread can watch it.
//!
//! # Safety
//!
//! A spawner is handed to one thread, and used by that one only.
#![allow(unsafe_code)]

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::thread;
use std::time::Duration;

use crate::measure::clock;
use crate::measure::hazard::{Course, Partner, chain, eventually};
use crate::measure::mechanism::{Refusal, Spawner};

/// How long a birth may take before it is looked at, in nanoseconds.
const PATIENCE_NS: u64 = 3_000_000;

/// What lies between two looks.
const WAITS_MS: [u64; 5] = [20, 50, 100, 200, 400];

/// The thread.
pub(super) struct Forker {
    partner: Partner,
    child: Arc<AtomicI64>,
}

/// A birth that was watched.
#[derive(Debug)]
pub(super) struct Watched {
    /// What the birth returned; None: it has not returned, though all was done that it may.
    pub child: Option<isize>,
    /// If it did not return by itself.
    pub stuck: Option<Stuck>,
    /// Whether the threads came to where they were to wait, and went on again.
    pub in_order: bool,
}

/// A birth that did not return by itself.
#[derive(Debug)]
pub(super) struct Stuck {
    /// The thread.
    pub tid: i32,
    /// Whether it is proven that it would not have.
    pub proven: bool,
    /// How that is known, in a line.
    pub evidence: String,
}

/// A spawner on its way to the one thread that uses it.
struct Handed(Box<dyn Spawner>);

// SAFETY: a spawner has pointers, and nothing that is bound to the thread that made it.
unsafe impl Send for Handed {}

impl Forker {
    /// Starts it.
    pub(super) fn start(spawner: Box<dyn Spawner>) -> Result<Forker, Refusal> {
        let child = Arc::new(AtomicI64::new(0));
        let result = Arc::clone(&child);
        let mut spawner = Handed(spawner);
        let partner = Partner::start("the one that makes the child", move || {
            let spawner = &mut spawner;
            result.store(spawner.0.birth() as i64, Ordering::Release);
            spawner.0.tidy();
        })?;
        Ok(Forker { partner, child })
    }

    /// One birth, while the threads of the course are where a fork waits for them.
    pub(super) fn birth(&self, course: &dyn Course, progress: &dyn Fn()) -> Watched {
        let is_set = course.set(progress);
        self.partner.order();
        let looks = self.look(progress);
        // Before the threads go on.
        let waits = looks.map(|stood| (stood, chain(&self.partner, &course.partners())));
        let begin = clock::now();
        let is_released = course.release(progress);
        let has_returned = eventually(progress, || !self.partner.is_busy());
        let after_us = (clock::now() - begin) / 1_000;
        let stuck = waits.map(|(stood, chain)| {
            let returned = if has_returned { "it returned" } else { "it did not return" };
            let looked = if stood { "did not move" } else { "moved" };
            Stuck {
                tid: self.partner.tid(),
                proven: stood && has_returned && is_set,
                evidence: format!(
                    "the call that makes the child did not return, and its thread {looked} between \
                     two looks: {chain}. When {}, {returned}, after {after_us} us",
                    course.remedy(),
                ),
            }
        });
        let child = has_returned.then(|| self.child.load(Ordering::Acquire) as isize);
        Watched { child, stuck, in_order: is_set && is_released }
    }

    /// Looks at a birth until it does not move, but not for ever; whether it then waits for a lock
    /// that nobody gives back. None: it has returned.
    fn look(&self, progress: &dyn Fn()) -> Option<bool> {
        let begin = clock::now();
        while clock::now() - begin < PATIENCE_NS {
            if !self.partner.is_busy() {
                return None;
            }
            thread::sleep(Duration::from_micros(20));
        }
        let mut first = self.partner.look();
        for wait in WAITS_MS {
            progress();
            thread::sleep(Duration::from_millis(wait));
            let second = self.partner.look();
            if !self.partner.is_busy() {
                return None;
            }
            if first == second && second.lock().is_some() {
                return Some(true);
            }
            first = second;
        }
        Some(false)
    }
}
