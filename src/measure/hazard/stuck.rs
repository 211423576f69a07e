//! Hazards in which it is the parent that is stuck, in fork() itself.
//!
//! Threads of the trap's own bring it about, one step after the other, and end it again: the shape's
//! threads have no part in it. A thread that is told to go on goes on within microseconds, so that
//! whether it was what a fork waited for is shown by letting it go on.
//!
//! # Safety
//!
//! Locks and streams live as long as the process. Whoever is armed with `stuck-atfork` has its
//! handlers for ever, which is why each hazard has a subject to itself.
#![allow(unsafe_code)]

use std::cell::UnsafeCell;
use std::ffi::c_char;
use std::fs;
use std::io;
use std::os::fd::{AsRawFd, IntoRawFd, OwnedFd};
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicUsize, Ordering};
use std::thread::{self, Thread};
use std::time::Duration;

use nix::fcntl::OFlag;

use crate::measure::clock;
use crate::measure::hazard::library::idle;
use crate::measure::hazard::{Hazard, Trap};
use crate::measure::mechanism::Refusal;
use crate::measure::words;

/// What brings it about that a fork does not return, and ends that.
pub trait Course: Sync {
    /// Brings it about, before a birth; `progress` is called meanwhile. False: a thread has not
    /// come to where it is to wait within a second.
    fn set(&self, progress: &dyn Fn()) -> bool;

    /// Ends it, and waits until all is as it was. False: it is not within a second.
    fn release(&self, progress: &dyn Fn()) -> bool;

    /// The threads that have a part in it.
    fn partners(&self) -> Vec<&Partner>;

    /// What ends it, in words.
    fn remedy(&self) -> &'static str;
}

/// A thread that does its piece of work whenever it is told to.
pub struct Partner {
    /// What it does, in words.
    pub name: &'static str,
    thread: Thread,
    state: Arc<PartnerState>,
}

#[derive(Default)]
struct PartnerState {
    ordered: AtomicBool,
    busy: AtomicBool,
    tid: AtomicI32,
    /// Its pthread_t, by which a lock of the libc names its owner.
    itself: AtomicUsize,
}

impl Partner {
    /// Starts it. It lives as long as the process.
    ///
    /// # Errors
    ///
    /// Where the system gives no more threads.
    pub fn start(
        name: &'static str,
        mut work: impl FnMut() + Send + 'static,
    ) -> Result<Partner, Refusal> {
        let state = Arc::<PartnerState>::default();
        let own = Arc::clone(&state);
        let body = move || {
            // SAFETY: asks for numbers.
            let (tid, itself) = unsafe { (libc::gettid(), libc::pthread_self()) };
            own.itself.store(itself as usize, Ordering::Release);
            own.tid.store(tid, Ordering::Release);
            loop {
                while !own.ordered.swap(false, Ordering::AcqRel) {
                    thread::park();
                }
                work();
                own.busy.store(false, Ordering::Release);
            }
        };
        let started = thread::Builder::new().spawn(body);
        let started = started.map_err(|error| Refusal::of(&error, "no thread for a hazard"))?;
        while state.tid.load(Ordering::Acquire) == 0 {
            thread::yield_now();
        }
        Ok(Partner { name, thread: started.thread().clone(), state })
    }

    /// Tells it to work. Not while it does.
    pub fn order(&self) {
        self.state.busy.store(true, Ordering::Release);
        self.state.ordered.store(true, Ordering::Release);
        self.thread.unpark();
    }

    /// Whether it works.
    pub fn is_busy(&self) -> bool {
        self.state.busy.load(Ordering::Acquire)
    }

    /// Its thread id.
    pub fn tid(&self) -> i32 {
        self.state.tid.load(Ordering::Acquire)
    }

    /// Looks at it.
    pub fn look(&self) -> Sight {
        let task = format!("/proc/self/task/{}", self.tid());
        let read = |name: &str| fs::read_to_string(format!("{task}/{name}")).unwrap_or_default();
        let stat = read("stat");
        let state = stat.rsplit_once(") ").and_then(|(_, rest)| rest.chars().next());
        Sight {
            state: state.unwrap_or('?'),
            call: read("syscall").trim_end().to_owned(),
            ran: read("schedstat").trim_end().to_owned(),
        }
    }

    /// Whether a lock whose owner is stored as `word` is held by it.
    fn is_owner(&self, word: u64) -> bool {
        word == self.state.itself.load(Ordering::Acquire) as u64
            || (word as u32) as i32 == self.tid()
    }
}

/// What is seen of a thread of this process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sight {
    state: char,
    /// /proc/PID/task/TID/syscall: the number, its arguments, stack and instruction.
    call: String,
    /// /proc/PID/task/TID/schedstat: it moves whenever the thread has run.
    ran: String,
}

impl Sight {
    fn argument(&self, place: usize) -> Option<u64> {
        let word = self.call.split_ascii_whitespace().nth(1 + place)?;
        u64::from_str_radix(word.strip_prefix("0x")?, 16).ok()
    }

    /// Whether it sleeps in that system call.
    fn is_in(&self, call: libc::c_long) -> bool {
        let number = self.call.split_ascii_whitespace().next();
        self.state == 'S' && number.and_then(|number| number.parse().ok()) == Some(call)
    }

    /// The address of the word on which it waits, if it does so without a time limit and the word
    /// still has the value for which it waits.
    pub fn lock(&self) -> Option<u64> {
        const COMMAND: u64 = 0x7f;
        let waits = [libc::FUTEX_WAIT as u64, libc::FUTEX_WAIT_BITSET as u64];
        let waits = self.is_in(libc::SYS_futex) && waits.contains(&(self.argument(1)? & COMMAND));
        let address = self.argument(0)?;
        let unchanged = words::u32_at(address) == Some(self.argument(2)? as u32);
        (waits && self.argument(3)? == 0 && unchanged).then_some(address)
    }
}

/// Who waits for whom, from a thread on, as far as locks say who holds them.
pub fn chain(first: &Partner, partners: &[&Partner]) -> String {
    /// Where a mutex, and a lock of a stream, name their owner.
    const OWNER: u64 = 8;
    let mut text = String::new();
    let mut at = first;
    // No thread is in it twice.
    for _ in 0..=partners.len() {
        let (sight, tid, name) = (at.look(), at.tid(), at.name);
        let Some(lock) = sight.lock() else {
            let call = sight.call.split_ascii_whitespace().next().unwrap_or("?");
            let what = if sight.is_in(libc::SYS_read) {
                let descriptor = sight.argument(0).unwrap_or(0);
                let link = fs::read_link(format!("/proc/self/fd/{descriptor}")).unwrap_or_default();
                format!("waits in read({descriptor}) of {}", link.display())
            } else {
                format!("is in system call {call}")
            };
            text += &format!("thread {tid} ({name}) {what}");
            break;
        };
        let owner = words::u64_at(lock + OWNER).unwrap_or(0);
        text += &format!("thread {tid} ({name}) waits for the lock at {lock:#x}, ");
        match partners.iter().find(|partner| partner.is_owner(owner)) {
            Some(partner) => {
                text += &format!("which says that its owner is thread {}; ", partner.tid());
                at = partner;
            }
            None => {
                text += "which does not say who holds it";
                break;
            }
        }
    }
    text
}

/// How long a thread may take to come to where it is to be, in nanoseconds.
const PATIENCE_NS: u64 = 1_000_000_000;

/// Waits until it is so, but no longer than a second.
pub fn eventually(progress: &dyn Fn(), so: impl Fn() -> bool) -> bool {
    let begin = clock::now();
    loop {
        if so() {
            return true;
        }
        if clock::now() - begin > PATIENCE_NS {
            return false;
        }
        progress();
        thread::sleep(Duration::from_micros(50));
    }
}

/// A pipe: who reads it waits until it is written to.
struct Latch {
    read: i32,
    write: OwnedFd,
}

impl Latch {
    fn new() -> Result<Latch, Refusal> {
        let (read, write) = nix::unistd::pipe2(OFlag::O_CLOEXEC)
            .map_err(|error| Refusal::of(&io::Error::from(error), "no pipe for a hazard"))?;
        Ok(Latch { read: read.into_raw_fd(), write })
    }

    /// Lets one reader of a line go on.
    fn open(&self) {
        // SAFETY: the string has so many bytes. A pipe that is empty takes them at once.
        unsafe { libc::write(self.write.as_raw_fd(), c"\n".as_ptr().cast(), 1) };
    }
}

/// A thread that reads a stream, and one that flushes all streams.
pub(super) static STUCK_STDIO: Hazard = Hazard {
    name: "stuck-stdio",
    available: || Ok(()),
    arm: |_| {
        let latch = Latch::new()?;
        // SAFETY: an open descriptor, which is the stream's from now on.
        let stream = unsafe { libc::fdopen(latch.read, c"r".as_ptr()) };
        if stream.is_null() {
            return Err(Refusal::last("no stream for a hazard"));
        }
        let stream = Stream(stream);
        let reader = Partner::start("in fgets, with the stream locked", move || stream.read())?;
        let flusher = Partner::start("in fflush(NULL), with the list of streams locked", || {
            // SAFETY: flushes all streams.
            unsafe { libc::fflush(ptr::null_mut()) };
        })?;
        Ok(Box::new(Stdio { latch, reader, flusher }))
    },
};

struct Stream(*mut libc::FILE);

// SAFETY: a stream has a lock of its own, and only one thread reads this one.
unsafe impl Send for Stream {}

impl Stream {
    fn read(&self) {
        let mut line = [0 as c_char; 16];
        // SAFETY: an open stream, and room for so many bytes.
        unsafe { libc::fgets(line.as_mut_ptr(), line.len() as libc::c_int, self.0) };
    }
}

struct Stdio {
    latch: Latch,
    reader: Partner,
    flusher: Partner,
}

impl Trap for Stdio {
    fn hold(&self, _: u32) {
        idle();
    }

    fn perform(&self) -> i32 {
        0
    }

    fn course(&self) -> Option<&dyn Course> {
        Some(self)
    }
}

impl Course for Stdio {
    fn set(&self, progress: &dyn Fn()) -> bool {
        self.reader.order();
        if !eventually(progress, || self.reader.look().is_in(libc::SYS_read)) {
            return false;
        }
        self.flusher.order();
        eventually(progress, || self.flusher.look().lock().is_some())
    }

    fn release(&self, progress: &dyn Fn()) -> bool {
        self.latch.open();
        eventually(progress, || !self.reader.is_busy() && !self.flusher.is_busy())
    }

    fn partners(&self) -> Vec<&Partner> {
        vec![&self.flusher, &self.reader]
    }

    fn remedy(&self) -> &'static str {
        "a line was written to the pipe"
    }
}

/// A handler of pthread_atfork that takes a lock.
pub(super) static STUCK_ATFORK: Hazard = Hazard {
    name: "stuck-atfork",
    available: || Ok(()),
    arm: |_| {
        let latch = Latch::new()?;
        let pipe = latch.read;
        let holder = Partner::start("in a read, with the library's lock held", move || {
            lock();
            let mut line = [0_u8; 1];
            // SAFETY: an open descriptor, and room for a byte.
            unsafe { libc::read(pipe, line.as_mut_ptr().cast(), line.len()) };
            unlock();
        })?;
        // SAFETY: the handlers live for ever.
        match unsafe { libc::pthread_atfork(Some(prepare), Some(after), Some(after)) } {
            0 => Ok(Box::new(Atfork { latch, holder })),
            errno => {
                Err(Refusal { errno, reason: "no more handlers of pthread_atfork".to_owned() })
            }
        }
    },
};

struct SharedMutex(UnsafeCell<libc::pthread_mutex_t>);

// SAFETY: it is only used through calls of pthread.
unsafe impl Sync for SharedMutex {}

static LOCK: SharedMutex = SharedMutex(UnsafeCell::new(libc::PTHREAD_MUTEX_INITIALIZER));

fn lock() {
    // SAFETY: initialised, and never destroyed.
    unsafe { libc::pthread_mutex_lock(LOCK.0.get()) };
}

fn unlock() {
    // SAFETY: locked by this thread.
    unsafe { libc::pthread_mutex_unlock(LOCK.0.get()) };
}

unsafe extern "C" fn prepare() {
    lock();
}

unsafe extern "C" fn after() {
    unlock();
}

struct Atfork {
    latch: Latch,
    holder: Partner,
}

impl Trap for Atfork {
    fn hold(&self, _: u32) {
        idle();
    }

    fn perform(&self) -> i32 {
        0
    }

    fn course(&self) -> Option<&dyn Course> {
        Some(self)
    }
}

impl Course for Atfork {
    fn set(&self, progress: &dyn Fn()) -> bool {
        self.holder.order();
        eventually(progress, || self.holder.look().is_in(libc::SYS_read))
    }

    fn release(&self, progress: &dyn Fn()) -> bool {
        self.latch.open();
        eventually(progress, || !self.holder.is_busy())
    }

    fn partners(&self) -> Vec<&Partner> {
        vec![&self.holder]
    }

    fn remedy(&self) -> &'static str {
        "the holder was let go on"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_of_owners_is_read_from_the_locks() {
        let latch = Latch::new().unwrap();
        let pipe = latch.read;
        let holder = Partner::start("holder", move || {
            lock();
            // SAFETY: an open descriptor, and room for a byte.
            unsafe { libc::read(pipe, [0_u8; 1].as_mut_ptr().cast(), 1) };
            unlock();
        })
        .unwrap();
        let waiter = Partner::start("waiter", || {
            lock();
            unlock();
        })
        .unwrap();
        for _ in 0..3 {
            holder.order();
            assert!(eventually(&|| (), || holder.look().is_in(libc::SYS_read)));
            waiter.order();
            assert!(eventually(&|| (), || waiter.look().lock().is_some()));
            let said = chain(&waiter, &[&holder]);
            let (first, last) = (waiter.tid(), holder.tid());
            assert!(said.contains(&format!("thread {first} (waiter) waits for the lock")));
            assert!(said.contains(&format!("thread {last} (holder) waits in read(")), "{said}");
            assert!(said.ends_with("]"), "{said}");
            latch.open();
            assert!(eventually(&|| (), || !holder.is_busy() && !waiter.is_busy()));
        }
    }
}
