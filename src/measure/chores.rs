//! Chores: what busy threads do, one type for each kind.
//!
//! A chore is done in pieces of some microseconds, so that its thread soon looks at the gate again,
//! or by single operations, where each of them is timed. It allocates, maps and touches only what
//! is its own thread's; [`Rewrite`] alone writes the memory of the parent.
//!
//! # Safety
//!
//! Touches memory that it has mapped or allocated itself or was told of, and wakes waiters of a word of its own.
#![allow(unsafe_code)]

use std::hint::black_box;
use std::ptr;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use crate::measure::clock;
use crate::measure::hazard::{self, Trap};
use crate::measure::memory::page_size;

/// What a busy thread does, again and again.
pub(super) trait Chore: Sized {
    /// Makes it ready, in its own thread. None: there is no memory for it.
    fn new() -> Option<Self>;

    /// A piece of work of some microseconds.
    fn piece(&mut self);

    /// Before each operation: restores what operations use up. Not timed as a part of one.
    fn restore(&mut self) {}

    /// One operation.
    fn operation(&mut self);
}

/// Runs in user space alone.
pub(super) struct Spin;

impl Chore for Spin {
    fn new() -> Option<Spin> {
        Some(Spin)
    }

    fn piece(&mut self) {
        spin(10_000);
    }

    fn operation(&mut self) {
        spin(100);
    }
}

fn spin(times: u32) {
    for i in 0..times {
        black_box(i);
    }
}

/// Allocates and frees.
pub(super) struct Malloc {
    next: usize,
}

/// Two sizes of which the libc keeps some for a thread alone (up to 1032 bytes in glibc), and two
/// that it keeps for none: for those the lock of an arena is taken.
const SIZES: [usize; 4] = [24, 200, 1_600, 6_400];

impl Chore for Malloc {
    fn new() -> Option<Malloc> {
        Some(Malloc { next: 0 })
    }

    /// More of each size than the libc keeps for a thread alone (7 in glibc).
    fn piece(&mut self) {
        let mut blocks = [ptr::null_mut::<libc::c_void>(); 48];
        for (i, block) in blocks.iter_mut().enumerate() {
            *block = allocate(SIZES[i % SIZES.len()]);
        }
        for block in blocks {
            // SAFETY: a block from above, or null.
            unsafe { libc::free(block) };
        }
    }

    /// One block of the next size: allocated, written, freed.
    fn operation(&mut self) {
        let block = allocate(SIZES[self.next]);
        self.next = (self.next + 1) % SIZES.len();
        // SAFETY: the block from above, or null.
        unsafe { libc::free(block) };
    }
}

/// A block whose first byte has been written, or null.
fn allocate(bytes: usize) -> *mut libc::c_void {
    // SAFETY: a block of the size that is asked for, written only if there is one.
    unsafe {
        let block = libc::malloc(bytes);
        if !block.is_null() {
            block.cast::<u8>().write_volatile(1);
        }
        block
    }
}

/// Touches new pages and gives them back.
pub(super) struct Fault {
    base: *mut u8,
    /// The page that the next operation touches.
    next: usize,
}

/// Pages that are touched and given back in one piece of work.
const PIECE_PAGES: usize = 64;

/// Pages that single operations touch before they are given back. No more than the 33 pages up to
/// which x86 takes what is given back out of its TLB page by page (tlb_single_page_flush_ceiling):
/// else a thread would forget all translations each time, its own stack's too, and stand still
/// there rather than in an operation.
const OPERATION_PAGES: usize = 32;

/// Bytes that are mapped for a moment so that the pages come to lie below all memory that was mapped
/// before, as new mappings do, and not in a gap that its alignment has left. A fork copies mappings
/// by address: those below the memory of the parent are locked before it and until all is copied.
const RESERVE: usize = 16 << 20;

impl Chore for Fault {
    fn new() -> Option<Fault> {
        let bytes = PIECE_PAGES * page_size();
        // SAFETY: a new private mapping: its start is kept for ever, the rest is given back unused.
        let base = unsafe {
            let base = libc::mmap(
                ptr::null_mut(),
                RESERVE,
                libc::PROT_NONE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
                -1,
                0,
            );
            if base == libc::MAP_FAILED {
                return None;
            }
            libc::munmap(base.byte_add(bytes), RESERVE - bytes);
            if libc::mprotect(base, bytes, libc::PROT_READ | libc::PROT_WRITE) != 0 {
                return None;
            }
            base
        };
        Some(Fault { base: base.cast(), next: OPERATION_PAGES })
    }

    fn piece(&mut self) {
        self.give_back(PIECE_PAGES);
        for page in 0..PIECE_PAGES {
            self.touch(page);
        }
        // Its pages are no new ones to an operation.
        self.next = OPERATION_PAGES;
    }

    fn restore(&mut self) {
        if self.next == OPERATION_PAGES {
            self.give_back(OPERATION_PAGES);
            self.next = 0;
        }
    }

    fn operation(&mut self) {
        self.touch(self.next);
        self.next += 1;
    }
}

impl Fault {
    fn touch(&self, page: usize) {
        // SAFETY: within the mapping, which is this thread's alone.
        unsafe { self.base.add(page * page_size()).write_volatile(1) };
    }

    fn give_back(&self, pages: usize) {
        // SAFETY: within the mapping, where nothing is kept.
        unsafe { libc::madvise(self.base.cast(), pages * page_size(), libc::MADV_DONTNEED) };
    }
}

/// Maps four pages and unmaps them, untouched.
pub(super) struct Mmap;

impl Chore for Mmap {
    fn new() -> Option<Mmap> {
        Some(Mmap)
    }

    fn piece(&mut self) {
        for _ in 0..8 {
            self.operation();
        }
    }

    fn operation(&mut self) {
        // SAFETY: a new mapping that nobody touches.
        unsafe {
            let bytes = 4 * page_size();
            let base = libc::mmap(
                ptr::null_mut(),
                bytes,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
                -1,
                0,
            );
            if base != libc::MAP_FAILED {
                libc::munmap(base, bytes);
            }
        }
    }
}

/// Reads the clock.
pub(super) struct Clock;

impl Chore for Clock {
    fn new() -> Option<Clock> {
        Some(Clock)
    }

    fn piece(&mut self) {
        for _ in 0..100 {
            self.operation();
        }
    }

    fn operation(&mut self) {
        black_box(clock::now());
    }
}

/// Takes a lock that nobody else wants, and gives it back as one that others may wait for.
pub(super) struct Futex {
    word: AtomicU32,
}

impl Chore for Futex {
    fn new() -> Option<Futex> {
        Some(Futex { word: AtomicU32::new(0) })
    }

    fn piece(&mut self) {
        for _ in 0..50 {
            self.operation();
        }
    }

    fn operation(&mut self) {
        let _ = self.word.compare_exchange(0, 1, Ordering::Acquire, Ordering::Relaxed);
        self.word.store(0, Ordering::Release);
        let wake = libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG;
        // SAFETY: wakes nobody; the word lives through the call.
        unsafe { libc::syscall(libc::SYS_futex, self.word.as_ptr(), wake, 1) };
    }
}

/// The memory that [`Rewrite`] writes: address, pages, and from one to the next. Set before the
/// first thread starts.
static MEMORY: [AtomicUsize; 3] = [const { AtomicUsize::new(0) }; 3];

/// Says what memory the threads of `busy=rewrite` are to write. It must live as long as they do:
/// until the subject ends.
pub(super) fn tell_of_memory((address, pages, stride): (usize, usize, usize)) {
    for (word, value) in MEMORY.iter().zip([address, pages, stride]) {
        word.store(value, Ordering::Relaxed);
    }
}

/// Threads that hold something, so far.
static HOLDERS: AtomicU32 = AtomicU32::new(0);

/// Does what the hazard of this process is about.
pub(super) struct Hold {
    trap: &'static dyn Trap,
    thread: u32,
}

impl Chore for Hold {
    fn new() -> Option<Hold> {
        let thread = HOLDERS.fetch_add(1, Ordering::Relaxed);
        Some(Hold { trap: hazard::armed()?, thread })
    }

    fn piece(&mut self) {
        self.trap.hold(self.thread);
    }

    fn operation(&mut self) {
        self.trap.hold(self.thread);
    }
}

/// Pages that [`Rewrite`] writes in one piece of work.
const REWRITTEN_PAGES: usize = 64;

/// Writes a byte of every page of the parent's memory, over and over.
pub(super) struct Rewrite {
    address: usize,
    pages: usize,
    stride: usize,
    next: usize,
}

impl Chore for Rewrite {
    fn new() -> Option<Rewrite> {
        let [address, pages, stride] = MEMORY.each_ref().map(|word| word.load(Ordering::Relaxed));
        (pages > 0).then_some(Rewrite { address, pages, stride, next: 0 })
    }

    fn piece(&mut self) {
        (0..REWRITTEN_PAGES).for_each(|_| self.operation());
    }

    /// The next page.
    fn operation(&mut self) {
        let byte = (self.address + self.next * self.stride) as *mut u8;
        // SAFETY: within the memory that was told of, which is mapped writable until the subject
        // ends and holds nothing that anybody reads.
        unsafe { byte.write_volatile(1) };
        self.next = (self.next + 1) % self.pages;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn comes_to_an_end<C: Chore>() {
        let mut chore = C::new().unwrap();
        chore.piece();
        for _ in 0..100 {
            chore.restore();
            chore.operation();
        }
        chore.piece();
    }

    #[test]
    fn every_chore_comes_to_an_end() {
        comes_to_an_end::<Spin>();
        comes_to_an_end::<Malloc>();
        comes_to_an_end::<Fault>();
        comes_to_an_end::<Mmap>();
        comes_to_an_end::<Clock>();
        comes_to_an_end::<Futex>();
        let mut memory = [0_u8; 300];
        tell_of_memory((memory.as_mut_ptr() as usize, 100, 3));
        comes_to_an_end::<Rewrite>();
        assert!((0..300).all(|at| memory[at] == u8::from(at % 3 == 0)));
    }

    #[test]
    fn each_operation_of_fault_touches_a_page_that_is_not_there() {
        let mut chore = Fault::new().unwrap();
        let mut there = [0_u8; PIECE_PAGES];
        for turn in 0..3 * OPERATION_PAGES {
            chore.restore();
            let bytes = PIECE_PAGES * page_size();
            // SAFETY: the chore's mapping, and a vector of a byte for each of its pages.
            let seen = unsafe { libc::mincore(chore.base.cast(), bytes, there.as_mut_ptr()) };
            assert_eq!(seen, 0);
            assert_eq!(there[chore.next] & 1, 0, "operation {turn}");
            chore.operation();
        }
    }
}
