//! The threads that a shape adds: parked ones, and busy ones behind a gate.
//!
//! Several subjects of one launch are alive at once and take turns. Busy threads of a subject that
//! waits for its turn would steal processors from the one that is measured, so they sleep in the
//! kernel at a gate, which their subject opens for each of its blocks and closes after it.
//!
//! # Safety
//!
//! Starts threads that live until the subject ends. They touch the statics of this file, their own
//! stacks, and memory that they have mapped or allocated themselves, or that the shape has.
#![allow(unsafe_code)]

use std::mem;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use crate::measure::bystanders::{Bystanders, Watch};
use crate::measure::chores::{Chore, Clock, Fault, Futex, Hold, Malloc, Mmap, Rewrite, Spin};
use crate::measure::clock;
use crate::measure::mechanism::Refusal;
use crate::measure::shape::cpu_set;
use crate::model::setup::Busy;

/// Threads of the shape that have been started and have reached their place.
static READY: AtomicU32 = AtomicU32::new(0);
/// Whether one of them found no memory for what it should do.
static FAILED: AtomicBool = AtomicBool::new(false);
/// The gate: what busy threads wait on (a futex). [`CLOSED`] or [`OPEN`].
static GATE: AtomicU32 = AtomicU32::new(CLOSED);
/// Busy threads that are through the gate.
static THROUGH: AtomicU32 = AtomicU32::new(0);

const CLOSED: u32 = 0;
const OPEN: u32 = 1;

/// A block begins at the latest so long after its gate was opened, in nanoseconds: with many busy
/// threads on few processors the last may take seconds to get one.
const LONGEST_WAIT_NS: u64 = 1_000_000_000;

/// The threads of a subject.
#[derive(Debug, Default)]
pub struct Threads {
    /// The CPU-time clock of each busy thread; empty if they park.
    clocks: Vec<libc::clockid_t>,
    /// The CPU time of all of them when the gate was opened, in nanoseconds.
    before_ns: u64,
    /// What they time, where they are watched.
    pub bystanders: Option<Bystanders>,
}

impl Threads {
    /// Starts `count` threads on the processors `others`, and waits until each has reached its
    /// place. A busy thread has done its work once by then, so that what it maps and allocates for
    /// good can be seen. If it is `watched` it is ready to time its operations.
    ///
    /// # Errors
    ///
    /// Where there is no processor for busy threads, or the system gives no more threads or memory.
    pub fn start(
        count: u32,
        busy: Busy,
        others: &[u32],
        watched: bool,
    ) -> Result<Threads, Refusal> {
        if count == 0 {
            return Ok(Threads::default());
        }
        let Some(begin) = entry(busy) else { return start(park, count, others, false, None) };
        if others.is_empty() {
            return Err(Refusal {
                errno: 0,
                reason: format!(
                    "busy threads would share the spawner's processor: busy={} needs a second \
                     one, and the run may use only one (taskset, cpuset); give it more, or leave \
                     `busy` out",
                    busy.word()
                ),
            });
        }
        let bystanders = watched.then(|| Bystanders::new(count)).transpose();
        let bystanders = bystanders.map_err(|error| {
            Refusal::of(&error, format!("no memory for what threads={count} time"))
        })?;
        start(begin, count, others, true, bystanders)
    }

    /// Lets busy threads work, and waits until all do so, but no longer than a second. Not inside an
    /// interval.
    pub fn open(&mut self) {
        if self.clocks.is_empty() {
            return;
        }
        self.before_ns = self.cpu_ns();
        GATE.store(OPEN, Ordering::Release);
        // SAFETY: wakes whoever waits on a word that lives for ever.
        unsafe { libc::syscall(libc::SYS_futex, GATE.as_ptr(), WAKE, i32::MAX) };
        let begin = clock::now();
        while (THROUGH.load(Ordering::Acquire) as usize) < self.clocks.len()
            && clock::now() - begin < LONGEST_WAIT_NS
        {
            thread::sleep(STEP);
        }
    }

    /// Puts busy threads to sleep, waits until all do, and returns the CPU time that they have used
    /// since the gate was opened, in nanoseconds. None: there are none.
    pub fn close(&mut self) -> Option<u64> {
        if self.clocks.is_empty() {
            return None;
        }
        GATE.store(CLOSED, Ordering::Release);
        while THROUGH.load(Ordering::Acquire) > 0 {
            thread::sleep(STEP);
        }
        Some(self.cpu_ns().saturating_sub(self.before_ns))
    }

    /// CPU time of all busy threads since they started, in nanoseconds.
    pub(super) fn cpu_ns(&self) -> u64 {
        let one = |clock: &libc::clockid_t| {
            let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
            // SAFETY: `time` lives through the call; the clock is that of a thread that never ends.
            unsafe { libc::clock_gettime(*clock, &mut time) };
            time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
        };
        self.clocks.iter().map(one).sum()
    }
}

const WAIT: i32 = libc::FUTEX_WAIT | libc::FUTEX_PRIVATE_FLAG;
const WAKE: i32 = libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG;

/// How often the spawner looks whether its threads have come or gone.
const STEP: Duration = Duration::from_micros(50);

type Entry = extern "C" fn(*mut libc::c_void) -> *mut libc::c_void;

fn start(
    begin: Entry,
    count: u32,
    others: &[u32],
    busy: bool,
    bystanders: Option<Bystanders>,
) -> Result<Threads, Refusal> {
    let mut clocks = Vec::with_capacity(if busy { count as usize } else { 0 });
    // SAFETY: attributes and sets are initialised before use, attributes destroyed after; the
    // threads never end, so that their clocks stay valid, and their argument is kept for ever.
    unsafe {
        let mut attributes: libc::pthread_attr_t = mem::zeroed();
        libc::pthread_attr_init(&mut attributes);
        if !others.is_empty() {
            let set = cpu_set(others);
            libc::pthread_attr_setaffinity_np(&mut attributes, size_of_val(&set), &set);
        }
        // Threads start with the mask of their creator: no signal is for them.
        let mut all: libc::sigset_t = mem::zeroed();
        let mut before: libc::sigset_t = mem::zeroed();
        libc::sigfillset(&mut all);
        libc::pthread_sigmask(libc::SIG_SETMASK, &all, &mut before);
        let mut failed = 0;
        let mut started = 0;
        while failed == 0 && started < count {
            let mut thread = mem::zeroed();
            let place = bystanders.as_ref().map_or(ptr::null_mut(), |all| all.place(started));
            failed = libc::pthread_create(&mut thread, &attributes, begin, place);
            if failed == 0 {
                started += 1;
                if busy {
                    let mut clock = 0;
                    libc::pthread_getcpuclockid(thread, &mut clock);
                    clocks.push(clock);
                }
            }
        }
        libc::pthread_sigmask(libc::SIG_SETMASK, &before, ptr::null_mut());
        libc::pthread_attr_destroy(&mut attributes);
        if failed != 0 {
            return Err(Refusal {
                errno: failed,
                reason: format!(
                    "only {started} of threads={count} could be started: raise RLIMIT_NPROC \
                     (`ulimit -u`), kernel.threads-max, or the pids limit of the cgroup"
                ),
            });
        }
    }
    while READY.load(Ordering::Acquire) < count {
        thread::yield_now();
    }
    if FAILED.load(Ordering::Acquire) {
        return Err(Refusal {
            errno: libc::ENOMEM,
            reason: format!("no memory for what threads={count} are to do"),
        });
    }
    Ok(Threads { clocks, before_ns: 0, bystanders })
}

/// What a thread runs that does `busy`; None: it parks.
fn entry(busy: Busy) -> Option<Entry> {
    match busy {
        Busy::Park => None,
        Busy::Spin => Some(behind_gate::<Spin>),
        Busy::Malloc => Some(behind_gate::<Malloc>),
        Busy::Fault => Some(behind_gate::<Fault>),
        Busy::Mmap => Some(behind_gate::<Mmap>),
        Busy::Clock => Some(behind_gate::<Clock>),
        Busy::Futex => Some(behind_gate::<Futex>),
        Busy::Rewrite => Some(behind_gate::<Rewrite>),
        Busy::Hold => Some(behind_gate::<Hold>),
    }
}

extern "C" fn park(_: *mut libc::c_void) -> *mut libc::c_void {
    READY.fetch_add(1, Ordering::Release);
    loop {
        // SAFETY: waits for a signal; all of them are blocked.
        unsafe { libc::pause() };
    }
}

/// Works whenever the gate is open. A piece of work takes some microseconds, so that all sleep soon
/// after it is closed. `place` is where a thread that is watched counts, else null.
extern "C" fn behind_gate<C: Chore>(place: *mut libc::c_void) -> *mut libc::c_void {
    let Some(mut chore) = C::new() else {
        FAILED.store(true, Ordering::Release);
        return park(place);
    };
    let mut watch = Watch::of(place);
    chore.piece();
    READY.fetch_add(1, Ordering::Release);
    loop {
        while GATE.load(Ordering::Acquire) == CLOSED {
            // SAFETY: waits on a word that lives for ever, without a time limit.
            unsafe {
                libc::syscall(libc::SYS_futex, GATE.as_ptr(), WAIT, CLOSED, ptr::null::<()>())
            };
        }
        THROUGH.fetch_add(1, Ordering::Release);
        while GATE.load(Ordering::Acquire) == OPEN {
            match &mut watch {
                Some(watch) => watch.step(&mut chore),
                None => chore.piece(),
            }
        }
        THROUGH.fetch_sub(1, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn busy_threads_without_a_processor_are_refused() {
        let refusal = Threads::start(2, Busy::Spin, &[], false).unwrap_err();
        assert!(refusal.reason.contains("spawner's processor"), "{refusal}");
        assert!(refusal.reason.contains("busy=spin"), "{refusal}");
    }

    #[test]
    fn only_parked_threads_have_nothing_to_do() {
        for busy in Busy::ALL {
            assert_eq!(entry(*busy).is_none(), *busy == Busy::Park);
        }
    }

    /// The only test of this process that opens the gate.
    #[test]
    fn threads_work_while_the_gate_is_open_and_only_then() {
        // SAFETY: asks for a number.
        let here = unsafe { libc::sched_getcpu() };
        let mut threads = Threads::start(2, Busy::Fault, &[here as u32], false).unwrap();
        // Between its last count and its sleep a thread runs some instructions more.
        const AT_MOST_NS: u64 = 1_000_000;
        for _ in 0..3 {
            let idle = threads.cpu_ns();
            thread::sleep(Duration::from_millis(20));
            assert!(threads.cpu_ns() - idle < AT_MOST_NS, "not asleep at the gate");
            threads.open();
            thread::sleep(Duration::from_millis(20));
            assert!(threads.close().unwrap() > 0);
        }
        assert_eq!(Threads::default().close(), None);
    }
}
