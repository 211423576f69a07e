//! What does jobs: one row of the answer to "what people use instead".
//!
//! Every runner does the same job: see [`do_job`], and [`crate::measure::image`], which does it in
//! a process of its own.
//!
//! # Safety
//!
//! System calls with pointers to locals, and threads that touch only what lives for ever or what
//! they own together with this process.
#![allow(unsafe_code)]

use std::collections::VecDeque;
use std::mem;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::ptr;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::measure::clock;
use crate::measure::image::MAILBOX;
use crate::measure::mechanism::child::{Mailbox, Stage};
use crate::measure::mechanism::{Refusal, Spawner, last_errno};
use crate::measure::raw;
use crate::measure::subject;
use crate::measure::workload::throughput::batch::Failure;
use crate::measure::workload::throughput::helper::Helper;

/// What does jobs.
pub(super) trait Runner {
    /// Begins a job in a slot that has none.
    fn begin(&mut self, slot: usize) -> Result<(), Failure>;

    /// Waits until a job has ended; only called while there is one. Where there is `until`
    /// (CLOCK_MONOTONIC, in nanoseconds) no longer than until then, and None is returned: that is
    /// only given while there is a free slot.
    fn end(&mut self, until: Option<u64>) -> Option<Ended>;

    /// Processes that help.
    fn helpers(&mut self) -> &mut [Helper] {
        &mut []
    }

    /// At the start of a turn.
    fn begin_turn(&mut self) {}

    /// At its end.
    fn end_turn(&mut self) {}
}

/// A job that has ended.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ended {
    pub(super) slot: usize,
    pub(super) result: Result<(), Failure>,
}

/// The job where no image does it: the same system calls, in the same order, but for the exec
/// before and the exit after. Returns 0, or the errno.
pub(super) fn do_job() -> i32 {
    let now = raw::monotonic_ns();
    let mut cpu: u32 = 0;
    // SAFETY: `cpu` lives through the call.
    unsafe { raw::syscall4(libc::SYS_getcpu, [ptr::from_mut(&mut cpu) as usize, 0, 0, 0]) };
    let words = [now / 1_000_000_000, now % 1_000_000_000, u64::from(cpu) + 1];
    let bytes = size_of_val(&words);
    // SAFETY: the words live through the call.
    let written = unsafe {
        let at = words.as_ptr() as usize;
        raw::syscall4(libc::SYS_pwrite64, [MAILBOX as usize, at, bytes, 0])
    };
    match written {
        done if done == bytes as isize => 0,
        failed if failed < 0 => -failed as i32,
        _ => libc::EIO,
    }
}

/// Sleeps until CLOCK_MONOTONIC shows so many nanoseconds.
pub(super) fn sleep_until(ns: u64) {
    let time = timespec(ns);
    // SAFETY: the time lives through the call. When a signal ends it early the caller looks again.
    unsafe {
        libc::clock_nanosleep(libc::CLOCK_MONOTONIC, libc::TIMER_ABSTIME, &time, ptr::null_mut())
    };
}

fn timespec(ns: u64) -> libc::timespec {
    libc::timespec {
        tv_sec: (ns / 1_000_000_000) as libc::time_t,
        tv_nsec: (ns % 1_000_000_000) as libc::c_long,
    }
}

/// Waits until one of these can be read, or `until`; whether one can.
pub(super) fn wait_readable(polled: &mut [libc::pollfd], until: Option<u64>) -> bool {
    let left = until.map(|until| timespec(until.saturating_sub(clock::now())));
    let left = left.as_ref().map_or(ptr::null(), ptr::from_ref);
    // SAFETY: the array and the time live through the call.
    let ready = unsafe {
        libc::ppoll(polled.as_mut_ptr(), polled.len() as libc::nfds_t, left, ptr::null())
    };
    ready > 0
}

/// How a child went that was waited for: what it said of itself, else its status.
fn judge(child: isize, reaped: Result<i32, i32>, mailbox: &Mailbox) -> Result<(), Failure> {
    let failure = |errno, stage, status| {
        Err(Failure { errno, stage, pid: child as i32, status, lost: false })
    };
    match reaped {
        Ok(0) => Ok(()),
        Ok(status) => match mailbox.read().failure {
            Some((errno, stage)) => {
                mailbox.stage.store(0, Ordering::Relaxed);
                failure(errno, stage, status)
            }
            None => failure(0, Stage::Status, status),
        },
        Err(errno) => failure(errno, Stage::Reap, 0),
    }
}

/// Makes a process and waits for it.
pub(super) struct Direct {
    spawner: Box<dyn Spawner>,
    mailbox: &'static Mailbox,
    child: isize,
}

// SAFETY: nothing in a spawner belongs to one thread: it owns strings, mappings and descriptors,
// and is used by one thread at a time.
unsafe impl Send for Direct {}

impl Direct {
    pub(super) fn new(spawner: Box<dyn Spawner>, mailbox: &'static Mailbox) -> Direct {
        Direct { spawner, mailbox, child: 0 }
    }
}

impl Runner for Direct {
    #[inline]
    fn begin(&mut self, _: usize) -> Result<(), Failure> {
        self.child = self.spawner.birth();
        if self.child < 0 {
            return Err(Failure::of(-self.child as i32, Stage::Birth));
        }
        Ok(())
    }

    #[inline]
    fn end(&mut self, _: Option<u64>) -> Option<Ended> {
        let reaped = self.spawner.reap(self.child, None);
        self.spawner.tidy();
        Some(Ended { slot: 0, result: judge(self.child, reaped, self.mailbox) })
    }

    fn begin_turn(&mut self) {
        self.spawner.begin_turn();
    }

    fn end_turn(&mut self) {
        self.spawner.end_turn();
    }
}

/// How many ends are taken from the kernel at once.
const EVENTS: usize = 64;

/// Makes processes and waits for all of them at once, by epoll on a pidfd of each.
pub(super) struct Epoll {
    spawner: Box<dyn Spawner>,
    mailbox: &'static Mailbox,
    epoll: OwnedFd,
    /// The child and its pidfd, by slot.
    children: Vec<(isize, i32)>,
    events: [libc::epoll_event; EVENTS],
    /// Of the events, those that are still to be looked at.
    ready: std::ops::Range<usize>,
}

impl Epoll {
    pub(super) fn new(
        spawner: Box<dyn Spawner>,
        mailbox: &'static Mailbox,
        slots: usize,
    ) -> Result<Epoll, Refusal> {
        // SAFETY: returns a new descriptor, owned by nobody else, or -1.
        let epoll = unsafe {
            let epoll = libc::epoll_create1(libc::EPOLL_CLOEXEC);
            if epoll < 0 {
                return Err(Refusal::last("no epoll"));
            }
            OwnedFd::from_raw_fd(epoll)
        };
        let children = vec![(0, -1); slots];
        let events = [libc::epoll_event { events: 0, u64: 0 }; EVENTS];
        Ok(Epoll { spawner, mailbox, epoll, children, events, ready: 0..0 })
    }

    /// Has the end of a child reported as an event of the slot; its pidfd, or the errno.
    fn watch(&self, child: isize, slot: usize) -> Result<i32, i32> {
        // SAFETY: numbers, and an event that lives through the call; a descriptor that cannot be
        // watched is closed again.
        unsafe {
            let pidfd = raw::syscall4(libc::SYS_pidfd_open, [child as usize, 0, 0, 0]);
            if pidfd < 0 {
                return Err(-pidfd as i32);
            }
            let pidfd = pidfd as i32;
            let mut event = libc::epoll_event { events: libc::EPOLLIN as u32, u64: slot as u64 };
            let epoll = self.epoll.as_raw_fd();
            if libc::epoll_ctl(epoll, libc::EPOLL_CTL_ADD, pidfd, &mut event) != 0 {
                let errno = last_errno();
                libc::close(pidfd);
                return Err(errno);
            }
            Ok(pidfd)
        }
    }
}

impl Runner for Epoll {
    fn begin(&mut self, slot: usize) -> Result<(), Failure> {
        let child = self.spawner.birth();
        if child < 0 {
            return Err(Failure::of(-child as i32, Stage::Birth));
        }
        match self.watch(child, slot) {
            Ok(pidfd) => {
                self.children[slot] = (child, pidfd);
                Ok(())
            }
            Err(errno) => {
                // Nobody would tell of its end, so it is waited for at once.
                let _ = self.spawner.reap(child, None);
                Err(Failure::of(errno, Stage::Reap))
            }
        }
    }

    fn end(&mut self, until: Option<u64>) -> Option<Ended> {
        if self.ready.is_empty() {
            let epoll = self.epoll.as_raw_fd();
            if until.is_some() {
                let mut polled = [libc::pollfd { fd: epoll, events: libc::POLLIN, revents: 0 }];
                if !wait_readable(&mut polled, until) {
                    return None;
                }
            }
            // SAFETY: the events are room for as many as the kernel is told.
            let count =
                unsafe { libc::epoll_wait(epoll, self.events.as_mut_ptr(), EVENTS as i32, -1) };
            // A signal ends it early: the caller asks again.
            self.ready = 0..count.max(0) as usize;
        }
        let slot = self.events[self.ready.next()?].u64 as usize;
        let (child, pidfd) = mem::replace(&mut self.children[slot], (0, -1));
        let reaped = self.spawner.reap(child, None);
        // Closing it does not end the watch as long as a child that has not executed its image yet
        // has a copy of it: then the same end is reported again, and taken for that of the next job
        // in this slot. So the watch is ended by name.
        // SAFETY: the descriptor was made for this child, is watched, and is closed once.
        unsafe {
            let epoll = self.epoll.as_raw_fd();
            libc::epoll_ctl(epoll, libc::EPOLL_CTL_DEL, pidfd, ptr::null_mut());
            libc::close(pidfd);
        }
        Some(Ended { slot, result: judge(child, reaped, self.mailbox) })
    }
}

/// Has a small process make each process.
pub(super) struct Zygote([Helper; 1]);

impl Zygote {
    pub(super) fn new(helper: Helper) -> Zygote {
        Zygote([helper])
    }
}

impl Runner for Zygote {
    fn begin(&mut self, _: usize) -> Result<(), Failure> {
        self.0[0].ask_with(MAILBOX)
    }

    fn end(&mut self, _: Option<u64>) -> Option<Ended> {
        Some(Ended { slot: 0, result: self.0[0].answer() })
    }

    fn helpers(&mut self) -> &mut [Helper] {
        &mut self.0
    }
}

/// Has processes that wait for jobs do them.
pub(super) struct Workers {
    helpers: Vec<Helper>,
    /// What is waited for, by slot; -1 where there is no job.
    polled: Vec<libc::pollfd>,
}

impl Workers {
    pub(super) fn new(helpers: Vec<Helper>) -> Workers {
        let polled = vec![libc::pollfd { fd: -1, events: libc::POLLIN, revents: 0 }; helpers.len()];
        Workers { helpers, polled }
    }
}

impl Runner for Workers {
    fn begin(&mut self, slot: usize) -> Result<(), Failure> {
        self.helpers[slot].ask()?;
        self.polled[slot].fd = self.helpers[slot].descriptor();
        Ok(())
    }

    fn end(&mut self, until: Option<u64>) -> Option<Ended> {
        // A single one can be waited for by reading from it.
        let slot = if self.helpers.len() == 1 && until.is_none() {
            0
        } else {
            if !wait_readable(&mut self.polled, until) {
                return None;
            }
            self.polled.iter().position(|polled| polled.fd >= 0 && polled.revents != 0)?
        };
        self.polled[slot].fd = -1;
        Some(Ended { slot, result: self.helpers[slot].answer() })
    }

    fn helpers(&mut self) -> &mut [Helper] {
        &mut self.helpers
    }
}

/// Makes a thread for each job.
pub(super) struct ThreadEach {
    thread: libc::pthread_t,
    /// Where the thread leaves what [`do_job`] returned.
    said: Box<AtomicI32>,
}

impl ThreadEach {
    pub(super) fn new() -> ThreadEach {
        ThreadEach { thread: 0, said: Box::new(AtomicI32::new(0)) }
    }
}

extern "C" fn one_job(said: *mut libc::c_void) -> *mut libc::c_void {
    // SAFETY: the argument is the runner's, which joins this thread before it goes.
    let said = unsafe { &*said.cast::<AtomicI32>() };
    said.store(do_job(), Ordering::Relaxed);
    ptr::null_mut()
}

impl Runner for ThreadEach {
    fn begin(&mut self, _: usize) -> Result<(), Failure> {
        let said = ptr::from_ref(&*self.said).cast_mut().cast();
        // SAFETY: default attributes; the argument outlives the thread, see `one_job`.
        let failed = unsafe { libc::pthread_create(&mut self.thread, ptr::null(), one_job, said) };
        if failed != 0 { Err(Failure::of(failed, Stage::Birth)) } else { Ok(()) }
    }

    fn end(&mut self, _: Option<u64>) -> Option<Ended> {
        // SAFETY: a thread that `begin` has made, joined once.
        let failed = unsafe { libc::pthread_join(self.thread, ptr::null_mut()) };
        let errno = if failed != 0 { failed } else { self.said.load(Ordering::Relaxed) };
        Some(Ended { slot: 0, result: said(errno) })
    }
}

/// What [`do_job`] has returned, as a result.
pub(super) fn said(errno: i32) -> Result<(), Failure> {
    if errno == 0 { Ok(()) } else { Err(Failure::of(errno, Stage::Status)) }
}

/// Has threads that wait for jobs do them.
pub(super) struct Pool(Arc<Shared>);

/// What the threads of a pool share with who dispatches.
struct Shared {
    queues: Mutex<Queues>,
    /// There is a job.
    work: Condvar,
    /// A job has ended.
    done: Condvar,
}

struct Queues {
    /// Slots with a job that nobody has begun.
    jobs: VecDeque<usize>,
    /// Slots whose job has ended, with what [`do_job`] returned.
    ended: VecDeque<(usize, i32)>,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queues> {
        // Nobody panics while the lock is held.
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pool {
    pub(super) fn start(threads: usize, cpus: &[u32]) -> Result<Pool, Refusal> {
        let queues = Queues {
            jobs: VecDeque::with_capacity(threads),
            ended: VecDeque::with_capacity(threads),
        };
        let shared = Arc::new(Shared {
            queues: Mutex::new(queues),
            work: Condvar::new(),
            done: Condvar::new(),
        });
        for _ in 0..threads {
            let (shared, cpus) = (Arc::clone(&shared), cpus.to_vec());
            start_thread(move || serve(&shared, &cpus))?;
        }
        Ok(Pool(shared))
    }
}

/// Starts a thread that lives as long as the subject.
pub(super) fn start_thread(body: impl FnOnce() + Send + 'static) -> Result<(), Refusal> {
    let started = std::thread::Builder::new().spawn(body);
    let refuse = |error| Refusal::of(&error, "no thread that does jobs could be started");
    started.map(drop).map_err(refuse)
}

fn serve(shared: &Shared, cpus: &[u32]) {
    // The processors were good when the subject started.
    let _ = subject::pin(cpus);
    let mut queues = shared.lock();
    loop {
        let Some(slot) = queues.jobs.pop_front() else {
            queues = shared.work.wait(queues).unwrap_or_else(PoisonError::into_inner);
            continue;
        };
        drop(queues);
        let errno = do_job();
        queues = shared.lock();
        queues.ended.push_back((slot, errno));
        shared.done.notify_one();
    }
}

impl Runner for Pool {
    fn begin(&mut self, slot: usize) -> Result<(), Failure> {
        self.0.lock().jobs.push_back(slot);
        self.0.work.notify_one();
        Ok(())
    }

    fn end(&mut self, until: Option<u64>) -> Option<Ended> {
        let mut queues = self.0.lock();
        loop {
            if let Some((slot, errno)) = queues.ended.pop_front() {
                return Some(Ended { slot, result: said(errno) });
            }
            queues = match until {
                None => self.0.done.wait(queues).unwrap_or_else(PoisonError::into_inner),
                Some(until) => {
                    let left = Duration::from_nanos(until.saturating_sub(clock::now()));
                    if left.is_zero() {
                        return None;
                    }
                    let waited = self.0.done.wait_timeout(queues, left);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }
}
