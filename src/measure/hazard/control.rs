//! Controls: children that stand still for a while and end by themselves.
//!
//! Each outlives the patience of the workload, so that it is looked at as one that hangs is; and
//! each must be let go. Those that somebody else has to end are ended by the threads of the parent.
//!
//! # Safety
//!
//! Children write only their own memory, and a board in shared memory that lives as long as the
//! subject. Threads send SIGCONT to children that have asked for it there.
#![allow(unsafe_code)]

use std::cell::UnsafeCell;
use std::mem;
use std::ptr;
use std::sync::atomic::{AtomicI32, AtomicU32, AtomicU64, Ordering};

use crate::measure::clock;
use crate::measure::hazard::{Hazard, Trap};
use crate::measure::mechanism::Refusal;
use crate::model::setup::Work;

/// The rows of them, in the order of their words.
pub(super) static ROWS: &[&Hazard] = &[
    &row("nothing", |_| Ok(Box::new(Alone(|| {})))),
    &row("sleeping", |_| Ok(Box::new(Alone(|| sleep(LENGTH_NS))))),
    &row("stopped", |_| Ok(Box::new(Ended::new(By::Signal)?))),
    &row("alarm", |_| Ok(Box::new(Locked::new(wait_under_alarm)))),
    &row("timed", |_| Ok(Box::new(Locked::new(wait_in_pieces)))),
    &row("shared-lock", |_| Ok(Box::new(Ended::new(By::Word)?))),
    &row("pipe", |_| Ok(Box::new(Ended::new(By::Byte)?))),
    &row("back-off", |_| Ok(Box::new(Locked::new(back_off)))),
    &row("spinning", |_| Ok(Box::new(Alone(spin)))),
];

const fn row(name: &'static str, arm: fn(&Work) -> Result<Box<dyn Trap>, Refusal>) -> Hazard {
    Hazard { name, available: || Ok(()), arm }
}

/// For how long a child stands still: more than twenty times the patience of the workload.
const LENGTH_NS: u64 = 60_000_000;

/// What a thread does that has nothing to do: nothing, for so long.
const IDLE_NS: u64 = 1_000_000;

/// A child that ends by itself, and that nobody else has to do with.
struct Alone(fn());

impl Trap for Alone {
    fn hold(&self, _: u32) {
        sleep(IDLE_NS);
    }

    fn perform(&self) -> i32 {
        (self.0)();
        0
    }
}

fn spin() {
    let begin = clock::now();
    while clock::now() - begin < LENGTH_NS {
        std::hint::spin_loop();
    }
}

/// A child that waits for a mutex which nobody gives back, but not for ever.
struct Locked {
    mutex: UnsafeCell<libc::pthread_mutex_t>,
    wait: fn(*mut libc::pthread_mutex_t),
}

// SAFETY: the mutex is only used through calls of pthread.
unsafe impl Sync for Locked {}
// SAFETY: likewise; it is boxed before it is used and never moved after.
unsafe impl Send for Locked {}

impl Locked {
    fn new(wait: fn(*mut libc::pthread_mutex_t)) -> Locked {
        Locked { mutex: UnsafeCell::new(libc::PTHREAD_MUTEX_INITIALIZER), wait }
    }
}

impl Trap for Locked {
    fn hold(&self, _: u32) {
        // SAFETY: initialised; the first thread that comes by takes it for ever.
        unsafe { libc::pthread_mutex_trylock(self.mutex.get()) };
        sleep(IDLE_NS);
    }

    fn perform(&self) -> i32 {
        (self.wait)(self.mutex.get());
        0
    }
}

extern "C" fn exit(_: libc::c_int) {
    // SAFETY: ends the child.
    unsafe { libc::_exit(0) };
}

fn wait_under_alarm(mutex: *mut libc::pthread_mutex_t) {
    // SAFETY: the handler does nothing but end this process, which is a child that was born for
    // this; sets and times live through the calls; the mutex is initialised.
    unsafe {
        let mut action: libc::sigaction = mem::zeroed();
        action.sa_sigaction = exit as extern "C" fn(libc::c_int) as libc::sighandler_t;
        libc::sigaction(libc::SIGALRM, &action, ptr::null_mut());
        let mut timer: libc::itimerval = mem::zeroed();
        timer.it_value.tv_usec = (LENGTH_NS / 1_000) as libc::suseconds_t;
        libc::setitimer(libc::ITIMER_REAL, &timer, ptr::null_mut());
        let mut set: libc::sigset_t = mem::zeroed();
        libc::sigemptyset(&mut set);
        libc::sigaddset(&mut set, libc::SIGALRM);
        libc::sigprocmask(libc::SIG_UNBLOCK, &set, ptr::null_mut());
        libc::pthread_mutex_lock(mutex);
    }
}

fn wait_in_pieces(mutex: *mut libc::pthread_mutex_t) {
    let begin = clock::now();
    while clock::now() - begin < LENGTH_NS {
        let mut end = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: the time lives through the calls; the mutex is initialised.
        unsafe {
            libc::clock_gettime(libc::CLOCK_REALTIME, &mut end);
            end.tv_nsec += 7_000_000;
            if end.tv_nsec >= 1_000_000_000 {
                end.tv_nsec -= 1_000_000_000;
                end.tv_sec += 1;
            }
            libc::pthread_mutex_timedlock(mutex, &end);
        }
    }
}

fn back_off(mutex: *mut libc::pthread_mutex_t) {
    let begin = clock::now();
    // SAFETY: initialised.
    while unsafe { libc::pthread_mutex_trylock(mutex) } != 0 && clock::now() - begin < LENGTH_NS {
        sleep(1_000_000);
    }
}

/// By what a thread of the parent ends the wait of a child.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    /// SIGCONT: it is stopped.
    Signal,
    /// A word in shared memory: it waits for a change of it.
    Word,
    /// A byte: it reads a pipe.
    Byte,
}

/// A child whose wait a thread of the parent ends.
struct Ended {
    by: By,
    /// In shared memory.
    board: &'static [Slot; SLOTS],
    /// Both ends of a pipe.
    pipe: [i32; 2],
}

/// Children that wait at once at most: more than the workload has suspects.
const SLOTS: usize = 64;

/// Where a child says that it waits.
#[derive(Debug)]
struct Slot {
    /// Since when it waits, or when it was last ended; [`FREE`], [`TAKEN`].
    since: AtomicU64,
    pid: AtomicI32,
    /// How often its wait was ended (a futex).
    ended: AtomicU32,
}

const FREE: u64 = 0;
/// A child has it and does not wait yet.
const TAKEN: u64 = 1;

/// A child that is still there after its wait was ended so often was killed. It may be ended more
/// than once, because it says that it waits before it does.
const MOST_ENDS: u32 = 100;

impl Ended {
    fn new(by: By) -> Result<Ended, Refusal> {
        let refuse =
            || Refusal::of(&std::io::Error::last_os_error(), "no memory or pipe for it".to_owned());
        let mut pipe = [-1; 2];
        // SAFETY: a new mapping, zeroed, which is a valid board, and is never unmapped; the array
        // lives through the call.
        let board = unsafe {
            let mapping = libc::mmap(
                ptr::null_mut(),
                size_of::<[Slot; SLOTS]>(),
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_SHARED | libc::MAP_ANONYMOUS,
                -1,
                0,
            );
            if mapping == libc::MAP_FAILED || libc::pipe2(pipe.as_mut_ptr(), libc::O_CLOEXEC) != 0 {
                return Err(refuse());
            }
            &*mapping.cast::<[Slot; SLOTS]>()
        };
        Ok(Ended { by, board, pipe })
    }

    fn end(&self, slot: &Slot) {
        // SAFETY: the child has not been waited for, unless it was killed, and then its slot is
        // soon free; the word lives for ever; one byte is written of a local.
        unsafe {
            match self.by {
                By::Signal => {
                    libc::kill(slot.pid.load(Ordering::Acquire), libc::SIGCONT);
                }
                By::Word => {
                    libc::syscall(libc::SYS_futex, slot.ended.as_ptr(), libc::FUTEX_WAKE, 1);
                }
                By::Byte => {
                    libc::write(self.pipe[1], [0_u8].as_ptr().cast(), 1);
                }
            }
        }
    }
}

impl Trap for Ended {
    fn hold(&self, _: u32) {
        for slot in self.board {
            let since = slot.since.load(Ordering::Acquire);
            let now = clock::now();
            if since > TAKEN && now.saturating_sub(since) >= LENGTH_NS {
                // A byte ends one child, whichever it is; of the others the same one may have to be
                // ended again.
                let ended = slot.ended.fetch_add(1, Ordering::AcqRel) + 1;
                let is_last = self.by == By::Byte || ended == MOST_ENDS;
                let next = if is_last { FREE } else { now };
                let order = Ordering::AcqRel;
                if slot.since.compare_exchange(since, next, order, Ordering::Relaxed).is_ok() {
                    self.end(slot);
                }
            }
        }
        sleep(IDLE_NS);
    }

    fn perform(&self) -> i32 {
        let claim = |slot: &&Slot| {
            let order = Ordering::AcqRel;
            slot.since.compare_exchange(FREE, TAKEN, order, Ordering::Relaxed).is_ok()
        };
        let Some(slot) = self.board.iter().find(claim) else { return 1 };
        // SAFETY: the word and the byte live through the calls; the pid is this child's own.
        unsafe {
            let pid = libc::getpid();
            slot.pid.store(pid, Ordering::Release);
            slot.ended.store(0, Ordering::Release);
            slot.since.store(clock::now(), Ordering::Release);
            match self.by {
                By::Signal => {
                    libc::kill(pid, libc::SIGSTOP);
                }
                By::Word => {
                    let forever = ptr::null::<libc::timespec>();
                    let (call, word) = (libc::SYS_futex, slot.ended.as_ptr());
                    while slot.ended.load(Ordering::Acquire) == 0 {
                        libc::syscall(call, word, libc::FUTEX_WAIT, 0, forever);
                    }
                }
                By::Byte => {
                    let mut byte = 0_u8;
                    while libc::read(self.pipe[0], (&raw mut byte).cast(), 1) != 1 {}
                    // The slot is given back by whoever wrote.
                    return 0;
                }
            }
        }
        slot.since.store(FREE, Ordering::Release);
        0
    }
}

fn sleep(length_ns: u64) {
    let length = libc::timespec { tv_sec: 0, tv_nsec: length_ns as libc::c_long };
    // SAFETY: the time lives through the call; nothing is told of what is left.
    unsafe { libc::nanosleep(&length, ptr::null_mut()) };
}
