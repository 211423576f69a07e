//! A mutex of the program, held for a share of the time that can be chosen.
//!
//! The threads take turns: the one whose turn it is takes and gives back the mutex some times, each
//! for a random time, and spins in between; the others sleep. So the share of time is the one asked
//! for, whatever their number, and nothing of it is in step with the births. It spins, because a
//! thread that wakes up while another forks has to wait until that is over: what sleeps takes no
//! lock during a fork, and the copy would find it held less often than it was when the call began.
//!
//! # Safety
//!
//! The mutex lives as long as the process, unmoved.
#![allow(unsafe_code)]

use std::cell::{Cell, RefCell, UnsafeCell};
use std::ptr;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use crate::measure::clock;
use crate::measure::hazard::{Hazard, Trap};
use crate::model::order::Rng;
use crate::model::setup::Work;

/// The row of it.
pub(super) static MUTEX: Hazard =
    Hazard { name: "mutex", available: || Ok(()), arm: |work| Ok(Box::new(Mutex::new(work))) };

/// Held and free together, on average, in nanoseconds: long against what locking costs.
const PERIOD_NS: u64 = 200_000;

/// How long a turn is, in nanoseconds: long against a fork, so that few see it end.
const TURN_NS: u64 = 20_000_000;

/// Once in so long a thread whose turn it is not looks whether its block is over, in nanoseconds.
const LONGEST_SLEEP_NS: u64 = 300_000_000;

struct Mutex {
    mutex: UnsafeCell<libc::pthread_mutex_t>,
    /// For how long it is held and free, on average.
    hold_ns: u64,
    free_ns: u64,
    /// Threads that have come by so far.
    threads: AtomicU32,
    /// The number of the thread whose turn it is (a futex).
    turn: AtomicU32,
    /// While it is free: for how long it has been held. While it is held: [`HELD`], and when it
    /// was taken (CLOCK_MONOTONIC) less that. One word, so that whoever reads it need not wait.
    meter: AtomicU64,
}

const HELD: u64 = 1 << 63;

thread_local! {
    /// When the turn of this thread ends; 0: it has not begun.
    static END: Cell<u64> = const { Cell::new(0) };
    static TIMES: RefCell<Option<Rng>> = const { RefCell::new(None) };
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
            threads: AtomicU32::new(0),
            turn: AtomicU32::new(0),
            meter: AtomicU64::new(0),
        }
    }

    /// Takes the mutex and gives it back.
    fn hold_for(&self, length: u64) {
        // SAFETY: initialised, never destroyed; unlocked by the thread that locked it.
        unsafe { libc::pthread_mutex_lock(self.mutex.get()) };
        let since = clock::now();
        let before = self.meter.load(Ordering::Relaxed);
        self.meter.store(HELD | (since - before), Ordering::Release);
        spin_until(since + length);
        self.meter.store(before + (clock::now() - since), Ordering::Release);
        // SAFETY: as above.
        unsafe { libc::pthread_mutex_unlock(self.mutex.get()) };
    }

    /// Sleeps while it is the turn of another thread, or a while; whether it is its own then.
    fn await_turn(&self, thread: u32) -> bool {
        let turn = self.turn.load(Ordering::Acquire);
        if turn != thread {
            let end = clock::now() + LONGEST_SLEEP_NS;
            let end = libc::timespec {
                tv_sec: (end / 1_000_000_000) as libc::time_t,
                tv_nsec: (end % 1_000_000_000) as libc::c_long,
            };
            // SAFETY: waits on a word that lives as long as the process; the time lives through
            // the call.
            unsafe {
                libc::syscall(
                    libc::SYS_futex,
                    self.turn.as_ptr(),
                    libc::FUTEX_WAIT_BITSET | libc::FUTEX_PRIVATE_FLAG,
                    turn,
                    &raw const end,
                    ptr::null::<u32>(),
                    bit(thread),
                )
            };
        }
        self.turn.load(Ordering::Acquire) == thread
    }

    fn pass_turn(&self, thread: u32) {
        let next = (thread + 1) % self.threads.load(Ordering::Relaxed);
        if next != thread {
            self.turn.store(next, Ordering::Release);
            // SAFETY: wakes whoever waits on that word for that turn.
            unsafe {
                libc::syscall(
                    libc::SYS_futex,
                    self.turn.as_ptr(),
                    libc::FUTEX_WAKE_BITSET | libc::FUTEX_PRIVATE_FLAG,
                    i32::MAX,
                    ptr::null::<libc::timespec>(),
                    ptr::null::<u32>(),
                    bit(next),
                )
            };
        }
    }
}

impl Trap for Mutex {
    fn hold(&self, thread: u32) {
        self.threads.fetch_max(thread + 1, Ordering::Relaxed);
        if !self.await_turn(thread) {
            return;
        }
        let [hold, free] = TIMES.with_borrow_mut(|times| {
            let times = times.get_or_insert_with(|| Rng::new(u64::from(thread), &[]));
            [self.hold_ns, self.free_ns].map(|mean| times.exponential(mean))
        });
        self.hold_for(hold);
        let now = clock::now();
        spin_until(now + free);
        match END.get() {
            0 => END.set(now + TURN_NS),
            end if now > end => {
                END.set(0);
                self.pass_turn(thread);
            }
            _ => {}
        }
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
        let meter = self.meter.load(Ordering::Acquire);
        Some(match meter & HELD {
            0 => meter,
            _ => clock::now().saturating_sub(meter & !HELD),
        })
    }
}

/// Which waiters on the word of turns are woken: of 32 threads one, of more all with that bit.
fn bit(thread: u32) -> u32 {
    1 << (thread % u32::BITS)
}

fn spin_until(end: u64) {
    while clock::now() < end {
        std::hint::spin_loop();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::thread;

    use super::*;
    use crate::model::setup::Setup;

    /// The share of 100 ms for which threads hold the mutex that are to hold it for `duty` percent.
    fn share(duty: u32, threads: u32) -> f64 {
        let mutex = Arc::new(Mutex::new(&Work { duty, ..Setup::default().work }));
        let begin = clock::now();
        let end = begin + 100_000_000;
        let workers: Vec<_> = (0..threads)
            .map(|number| {
                let mutex = Arc::clone(&mutex);
                thread::spawn(move || {
                    while clock::now() < end {
                        mutex.hold(number);
                    }
                })
            })
            .collect();
        while clock::now() < end {
            thread::yield_now();
        }
        let held = mutex.held_ns().unwrap();
        let share = held as f64 / (clock::now() - begin) as f64;
        workers.into_iter().for_each(|worker| worker.join().unwrap());
        share
    }

    #[test]
    fn the_share_of_time_follows_the_duty_whatever_the_number_of_threads() {
        for threads in [1, 3] {
            // Threads that get no processor hold on, or do not begin: one quiet moment is enough.
            let shares = || (share(10, threads), share(80, threads));
            let follows = |(rarely, mostly): &(f64, f64)| *rarely < 0.4 && *mostly > 0.5;
            let seen: Vec<_> =
                (0..20).map(|_| shares()).take_while(|seen| !follows(seen)).collect();
            assert!(seen.len() < 20, "{threads} threads: {seen:?}");
        }
    }

    #[test]
    fn the_meter_runs_while_the_mutex_is_held_and_stands_still_after() {
        let mutex = Mutex::new(&Setup::default().work);
        assert_eq!(mutex.held_ns(), Some(0));
        mutex.hold_for(1_000_000);
        let held = mutex.held_ns().unwrap();
        assert!(held >= 1_000_000, "{held}");
        assert_eq!(mutex.held_ns(), Some(held));
        mutex.meter.store(HELD | (clock::now() - 5_000_000), Ordering::Relaxed);
        let one = mutex.held_ns().unwrap();
        let other = mutex.held_ns().unwrap();
        assert!(one >= 5_000_000 && other >= one, "{one} {other}");
        assert_eq!(mutex.perform(), 0);
    }

    #[test]
    fn each_thread_wakes_the_next_by_a_bit_of_its_own() {
        assert_eq!((bit(0), bit(31), bit(32)), (1, 1 << 31, 1));
    }
}
