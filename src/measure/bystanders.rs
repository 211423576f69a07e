//! Bystanders: busy threads that time each of their operations while a window is open.
//!
//! The spawner opens a window before a spawn and closes it when the child is gone; both times it
//! waits until every thread has seen it. An operation belongs to the window in which it began. A
//! thread neither locks nor allocates: it counts in memory of its own, which the spawner reads and
//! clears while no window is open. That memory is a shared mapping, so that a fork does not
//! write-protect it: counting must not freeze where the operation did not.
//!
//! # Safety
//!
//! Maps memory that is kept for ever and holds nothing but atomics.
#![allow(unsafe_code)]

use std::io;
use std::ptr;
use std::slice;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use hdrhistogram::Histogram;

use crate::measure::chores::Chore;
use crate::measure::clock;

/// The window that is open, by its number, or [`CLOSED`].
static WINDOW: AtomicU32 = AtomicU32::new(CLOSED);

const CLOSED: u32 = 0;

/// A thread that stands still for longer is frozen, in nanoseconds. A thread beside which nothing
/// was spawned hardly ever stands still for so long; METHODOLOGY.md has the figures.
pub const FROZEN_NS: u64 = 100_000;

/// After a stretch that is longer the kernel is asked whether the thread was ready to run and
/// waited for a processor, in nanoseconds.
const LOOK_NS: u64 = 10_000;

/// How long the spawner looks without a pause whether its threads have seen the window.
const PATIENCE_NS: u64 = 100_000;

/// How often it looks after that: threads that share a processor come one after another.
const STEP: Duration = Duration::from_micros(50);

/// The significant digits of a distribution of lengths, of which [`HALF`] follows: buckets are at
/// most 1/16 of their length wide.
const DIGITS: u8 = 1;
/// Buckets in each power of two.
const HALF: u64 = 16;
/// Lengths from here on, 69 s, are counted as the longest.
const LIMIT_NS: u64 = 1 << 36;
/// Buckets of all lengths below that.
pub const BUCKETS: usize = bucket_of(LIMIT_NS - 1) + 1;

/// The bucket that a length below [`LIMIT_NS`] falls in: those of an HdrHistogram of one digit.
const fn bucket_of(length_ns: u64) -> usize {
    let shift = (length_ns | HALF).ilog2() - HALF.ilog2();
    (shift as u64 * HALF + (length_ns >> shift)) as usize
}

/// The smallest length of a bucket.
const fn low_of(bucket: usize) -> u64 {
    let bucket = bucket as u64;
    if bucket < 2 * HALF { bucket } else { (HALF + bucket % HALF) << (bucket / HALF - 1) }
}

/// A distribution of the lengths of operations, empty, with room for all that can come.
pub fn lengths() -> Histogram<u64> {
    Histogram::new_with_bounds(1, LIMIT_NS - 1, DIGITS).expect("bounds that hdrhistogram takes")
}

/// What one bystander says of a window. Written by its thread alone while a window is open that it
/// has seen, and by the spawner alone while it has seen that none is.
#[derive(Debug)]
#[repr(C, align(128))]
struct Slot {
    /// The window that it has seen last.
    seen: AtomicU32,
    /// Whether the kernel tells how long it waited for a processor.
    tells_waiting: AtomicU32,
    frozen_ns: AtomicU64,
    longest_ns: AtomicU64,
    waited_ns: AtomicU64,
    counts: [AtomicU64; BUCKETS],
}

/// What all bystanders together say of a window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Operations that began in it.
    pub operations: u64,
    /// The time that threads stood still in stretches longer than [`FROZEN_NS`], in nanoseconds.
    pub frozen_ns: u64,
    /// The longest stretch of one thread, an operation or the time between two, in nanoseconds.
    pub longest_ns: u64,
    /// The time that threads were ready to run and had no processor, which counts in none of the
    /// others, in nanoseconds. None: the kernel does not tell (CONFIG_SCHED_INFO), and it does.
    pub waited_ns: Option<u64>,
}

/// The bystanders of a subject.
#[derive(Debug)]
pub struct Bystanders {
    slots: &'static [Slot],
    /// The number of the last window.
    window: u32,
}

impl Bystanders {
    /// Room for so many threads, which are to be started with their places.
    ///
    /// # Errors
    ///
    /// Where there is no memory.
    pub fn new(count: u32) -> io::Result<Bystanders> {
        // SAFETY: a new shared mapping, kept for ever and large enough; slots of zeroes are valid.
        let slots = unsafe {
            let base = libc::mmap(
                ptr::null_mut(),
                count as usize * size_of::<Slot>(),
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_SHARED | libc::MAP_ANONYMOUS | libc::MAP_POPULATE,
                -1,
                0,
            );
            if base == libc::MAP_FAILED {
                return Err(io::Error::last_os_error());
            }
            slice::from_raw_parts(base.cast::<Slot>(), count as usize)
        };
        Ok(Bystanders { slots, window: CLOSED })
    }

    /// The place of one thread: what it is to be started with.
    pub fn place(&self, number: u32) -> *mut libc::c_void {
        ptr::from_ref(&self.slots[number as usize]).cast_mut().cast()
    }

    /// Opens a window, and waits until every thread times its operations. The gate is to be open.
    pub fn open(&mut self) {
        self.window = self.window.wrapping_add(1).max(CLOSED + 1);
        self.show(self.window);
    }

    /// Closes the window, waits until every operation that began in it has ended, adds the lengths
    /// of all to `lengths`, and tells the rest.
    pub fn close(&mut self, lengths: &mut Histogram<u64>) -> Seen {
        self.show(CLOSED);
        let mut seen = Seen::default();
        for slot in self.slots {
            for (bucket, count) in slot.counts.iter().enumerate() {
                let count = take(count);
                if count > 0 {
                    lengths.saturating_record_n(low_of(bucket), count);
                    seen.operations += count;
                }
            }
            seen.frozen_ns += take(&slot.frozen_ns);
            seen.longest_ns = seen.longest_ns.max(take(&slot.longest_ns));
            let waited = take(&slot.waited_ns);
            if slot.tells_waiting.load(Ordering::Relaxed) != 0 {
                *seen.waited_ns.get_or_insert(0) += waited;
            }
        }
        seen
    }

    /// Shows the threads that this window is open now, and waits until all have seen it.
    fn show(&self, window: u32) {
        WINDOW.store(window, Ordering::Release);
        let begin = clock::now();
        for slot in self.slots {
            while slot.seen.load(Ordering::Acquire) != window {
                if clock::now() - begin > PATIENCE_NS {
                    thread::sleep(STEP);
                }
            }
        }
    }
}

fn take(count: &AtomicU64) -> u64 {
    let value = count.load(Ordering::Relaxed);
    count.store(0, Ordering::Relaxed);
    value
}

/// Adds to what only the calling thread writes.
fn add(count: &AtomicU64, value: u64) {
    count.store(count.load(Ordering::Relaxed) + value, Ordering::Relaxed);
}

/// What a bystander's own thread keeps.
pub(super) struct Watch {
    slot: &'static Slot,
    /// The window that it has seen last.
    window: u32,
    /// When it last was not frozen: the end of an operation, or the last look at the clock.
    last: u64,
    /// How long it had waited for a processor, when it last asked, in nanoseconds.
    waited: u64,
    /// What tells that; -1 before it has been opened, or where there is none.
    schedstat: i32,
}

impl Watch {
    /// Of the calling thread, whose place [`Bystanders::place`] gave. None for a null pointer.
    pub(super) fn of(place: *mut libc::c_void) -> Option<Watch> {
        // SAFETY: null, or a slot, which is kept for ever.
        let slot = unsafe { place.cast::<Slot>().as_ref() }?;
        Some(Watch { slot, window: CLOSED, last: 0, waited: 0, schedstat: -1 })
    }

    /// One operation, timed, if a window is open; else a piece of work.
    pub(super) fn step(&mut self, chore: &mut impl Chore) {
        let window = WINDOW.load(Ordering::Acquire);
        if window != self.window {
            self.window = window;
            if window != CLOSED {
                self.enter();
            }
            self.slot.seen.store(window, Ordering::Release);
            // Threads that share a processor come to see it at once, and not a time slice apart.
            thread::yield_now();
        }
        if window == CLOSED {
            return chore.piece();
        }
        chore.restore();
        let mut begin = clock::now();
        while begin - self.last > LOOK_NS {
            self.stood(begin - self.last);
            self.last = begin;
            begin = clock::now();
        }
        chore.operation();
        let end = clock::now();
        self.last = end;
        let length = self.stood(end - begin);
        add(&self.slot.counts[bucket_of(length.min(LIMIT_NS - 1))], 1);
    }

    fn enter(&mut self) {
        if self.schedstat < 0 {
            // SAFETY: a C string; the result is a new descriptor or -1.
            self.schedstat = unsafe {
                let flags = libc::O_RDONLY | libc::O_CLOEXEC;
                libc::open(c"/proc/thread-self/schedstat".as_ptr(), flags)
            };
        }
        let waited = self.ask();
        self.slot.tells_waiting.store(waited.is_some().into(), Ordering::Relaxed);
        self.waited = waited.unwrap_or(0);
        self.last = clock::now();
    }

    /// Notes a stretch of so many nanoseconds, and returns it without what of it the thread was
    /// ready to run and had no processor.
    fn stood(&mut self, stretch: u64) -> u64 {
        let mut length = stretch;
        if stretch > LOOK_NS {
            let waited = self.ask().unwrap_or(0).saturating_sub(self.waited);
            self.waited += waited;
            add(&self.slot.waited_ns, waited);
            length = stretch.saturating_sub(waited);
            if length > FROZEN_NS {
                add(&self.slot.frozen_ns, length);
            }
        }
        if length > self.slot.longest_ns.load(Ordering::Relaxed) {
            self.slot.longest_ns.store(length, Ordering::Relaxed);
        }
        length
    }

    /// How long the calling thread has waited for a processor since it started, in nanoseconds: the
    /// second number of its schedstat.
    fn ask(&self) -> Option<u64> {
        let mut text = [0_u8; 64];
        // SAFETY: writes at most the length of the buffer; a bad descriptor is an error.
        let read = unsafe { libc::pread(self.schedstat, text.as_mut_ptr().cast(), text.len(), 0) };
        waited_in(&text[..usize::try_from(read).ok()?])
    }
}

/// The second of the three numbers of a schedstat (Documentation/scheduler/sched-stats.rst).
fn waited_in(text: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(text).ok()?;
    text.split_ascii_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::chores::{Clock, Fault};

    #[test]
    fn buckets_are_those_of_an_hdrhistogram() {
        let lengths = lengths();
        for bucket in 0..BUCKETS {
            let low = low_of(bucket);
            assert_eq!((bucket_of(low), lengths.lowest_equivalent(low)), (bucket, low));
            let high = lengths.highest_equivalent(low);
            assert_eq!(bucket_of(high), bucket);
            assert_eq!(high + 1, low_of(bucket + 1));
        }
        assert_eq!(low_of(BUCKETS), LIMIT_NS);
    }

    #[test]
    fn the_kernel_tells_the_wait_as_the_second_number() {
        assert_eq!(waited_in(b"123 45 6\n"), Some(45));
        for text in [&b""[..], b"1", b"1 x 2", b"\xff 1 2"] {
            assert_eq!(waited_in(text), None);
        }
    }

    fn work<C: Chore>(place: usize, done: &AtomicU32) {
        let mut watch = Watch::of(place as *mut libc::c_void).unwrap();
        let mut chore = C::new().unwrap();
        while done.load(Ordering::Relaxed) == 0 {
            watch.step(&mut chore);
        }
    }

    /// Ends the threads of a test, also where an assertion fails: they would be waited for, for ever.
    struct End<'a>(&'a AtomicU32);

    impl Drop for End<'_> {
        fn drop(&mut self) {
            self.0.store(1, Ordering::Relaxed);
        }
    }

    /// The only test of this process that opens windows.
    #[test]
    fn operations_are_counted_in_windows_and_only_there() {
        let mut bystanders = Bystanders::new(2).unwrap();
        let places = [bystanders.place(0) as usize, bystanders.place(1) as usize];
        let done = AtomicU32::new(0);
        thread::scope(|scope| {
            scope.spawn(|| work::<Clock>(places[0], &done));
            scope.spawn(|| work::<Fault>(places[1], &done));
            let _end = End(&done);
            let mut all = lengths();
            for _ in 0..3 {
                bystanders.open();
                thread::sleep(Duration::from_millis(2));
                let before = all.len();
                let seen = bystanders.close(&mut all);
                // Each thread does one operation after it has seen the window, however slow it is.
                assert!(seen.operations >= 2, "{seen:?}");
                assert_eq!(all.len() - before, seen.operations);
                assert!(seen.longest_ns > 0, "{seen:?}");
                thread::sleep(Duration::from_millis(2));
                let counted = |slot: &Slot| {
                    slot.counts.iter().map(|count| count.load(Ordering::Relaxed)).sum::<u64>()
                };
                assert_eq!(bystanders.slots.iter().map(counted).sum::<u64>(), 0);
            }
        });
        assert!(Watch::of(ptr::null_mut()).is_none());
    }
}
