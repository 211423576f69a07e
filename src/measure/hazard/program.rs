//! Hazards of the program itself and of the libraries that it loads.

use std::hint;

use crate::measure::clock;
use crate::measure::hazard::{
    Hazard, Trap, descriptors, library, locks, mutex, rust, stuck, workers,
};

/// The rows of them, in the order of their words.
pub(super) static ROWS: &[&Hazard] = &[
    &library::JEMALLOC,
    &library::TCMALLOC,
    &mutex::MUTEX,
    &locks::RWLOCK,
    &locks::CONDVAR,
    &locks::STATIC_GUARD,
    &locks::ONCE,
    &workers::POOL,
    &library::OPENMP,
    &library::OPENBLAS,
    &library::OPENSSL,
    &stuck::STUCK_STDIO,
    &stuck::STUCK_ATFORK,
    &descriptors::ETXTBSY,
    &descriptors::PIPE_EOF,
    &workers::TORN,
    &rust::MUTEX,
    &rust::STDOUT,
    &rust::ENVIRONMENT,
    &rust::ALLOCATOR,
];

/// For how long a thread holds a lock, in nanoseconds: long against what locking itself takes.
pub(super) const HELD_NS: u64 = 20_000;

/// For how long it then leaves it.
pub(super) const FREE_NS: u64 = 60_000;

/// A trap of two closures.
pub(super) struct Closures<H, P> {
    hold: H,
    perform: P,
    has_lock_word: bool,
}

/// What threads do is `hold`, what children do is `perform`.
pub(super) fn closures<H, P>(hold: H, perform: P, has_lock_word: bool) -> Box<dyn Trap>
where
    H: Fn(u32) + Send + Sync + 'static,
    P: Fn() -> i32 + Send + Sync + 'static,
{
    Box::new(Closures { hold, perform, has_lock_word })
}

impl<H, P> Trap for Closures<H, P>
where
    H: Fn(u32) + Send + Sync,
    P: Fn() -> i32 + Send + Sync,
{
    fn hold(&self, thread: u32) {
        (self.hold)(thread);
    }

    fn perform(&self) -> i32 {
        (self.perform)()
    }

    fn has_lock_word(&self) -> bool {
        self.has_lock_word
    }
}

/// Does nothing for so long, in nanoseconds.
pub(super) fn spin(length: u64) {
    let end = clock::now() + length;
    while clock::now() < end {
        hint::spin_loop();
    }
}
