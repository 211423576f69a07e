//! The memory of a parent: the ballast that `rss` asks for, writing it again, and the buffer whose
//! writing scrubs the caches.
//!
//! # Safety
//!
//! Maps memory and writes within it; nothing else holds a reference into a mapping.
#![allow(unsafe_code)]

use std::io;
use std::ptr;
use std::sync::OnceLock;

use crate::measure::clock;
use crate::model::setup::{Page, Rewrite};

// include/uapi/asm-generic/mman-common.h, Linux 5.14; not yet in every libc crate.
pub(super) const MADV_POPULATE_WRITE: i32 = 23;

/// What one call populates: between calls the subject can say that it is alive.
const STEP: usize = 1 << 30;

/// The alignment that lets the kernel use a huge page everywhere.
const HUGE: usize = 2 << 20;

/// A mapping that is unmapped when dropped.
#[derive(Debug)]
struct Mapping {
    base: *mut u8,
    bytes: usize,
}

impl Mapping {
    fn new(bytes: usize, sharing: i32) -> io::Result<Mapping> {
        // SAFETY: a new anonymous mapping.
        let base = unsafe {
            libc::mmap(
                ptr::null_mut(),
                bytes,
                libc::PROT_READ | libc::PROT_WRITE,
                sharing | libc::MAP_ANONYMOUS,
                -1,
                0,
            )
        };
        if base == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        Ok(Mapping { base: base.cast(), bytes })
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: made in `new`; nothing else points into it.
        unsafe { libc::munmap(self.base.cast(), self.bytes) };
    }
}

/// The private anonymous memory that `rss` asks for, all of it written.
#[derive(Debug)]
pub struct Ballast {
    mapping: Mapping,
    /// Where the part that is used begins: huge pages need it aligned.
    offset: usize,
    bytes: usize,
}

impl Ballast {
    /// Maps and writes `bytes` (a multiple of the page). `alive` is called between steps.
    pub fn new(bytes: usize, page: Page, alive: impl Fn()) -> io::Result<Ballast> {
        // Aligned whatever the page, so that 4k and thp differ in nothing else.
        let mapping = Mapping::new(bytes + 2 * HUGE, libc::MAP_PRIVATE)?;
        let page_bytes = page_size();
        let offset = page_bytes + mapping.base.wrapping_add(page_bytes).align_offset(HUGE);
        let ballast = Ballast { mapping, offset, bytes };
        ballast.close_ends()?;
        let advice = match page {
            Page::Base => libc::MADV_NOHUGEPAGE,
            Page::Multi(_) | Page::Hugetlb | Page::Thp => libc::MADV_HUGEPAGE,
        };
        // SAFETY: within the mapping, which is ours.
        let failed = unsafe { libc::madvise(ballast.start().cast(), bytes, advice) };
        // A kernel without transparent huge pages answers EINVAL: then 4k is what it has.
        if failed != 0 && page == Page::Thp {
            return Err(io::Error::last_os_error());
        }
        let mut done = 0;
        while done < bytes {
            let step = STEP.min(bytes - done);
            ballast.populate(done, step)?;
            done += step;
            alive();
        }
        Ok(ballast)
    }

    /// Takes away all access before and behind the part that is used: the kernel would merge what
    /// is mapped next to it, such as the stack of a thread, and smaps would show that as its own.
    fn close_ends(&self) -> io::Result<()> {
        let end = self.offset + self.bytes;
        for (from, to) in [(0, self.offset), (end, self.mapping.bytes)] {
            // SAFETY: within the mapping, and no part of it that is ever touched.
            let failed = unsafe {
                libc::mprotect(self.mapping.base.add(from).cast(), to - from, libc::PROT_NONE)
            };
            if failed != 0 {
                return Err(io::Error::last_os_error());
            }
        }
        Ok(())
    }

    /// The first address.
    pub fn address(&self) -> usize {
        self.start() as usize
    }

    /// The length in bytes.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Makes a share of it, from its start, writable again without writing it: MADV_POPULATE_WRITE.
    pub fn repopulate(&self, share: Rewrite) {
        // A failure here means that the kernel lacks the call: then `populate` writes bytes, and
        // that cannot fail.
        let _ = self.populate(0, self.part(share));
    }

    /// Writes one byte of every page of a share of it; how long that took, in nanoseconds.
    pub fn rewrite(&self, share: Rewrite) -> u64 {
        let begin = clock::now();
        self.touch(0, self.part(share));
        clock::now() - begin
    }

    fn part(&self, share: Rewrite) -> usize {
        let thousandths = u128::from(share.0.min(1000));
        let bytes = (self.bytes as u128 * thousandths / 1000) as usize;
        bytes / page_size() * page_size()
    }

    fn populate(&self, from: usize, bytes: usize) -> io::Result<()> {
        if bytes == 0 {
            return Ok(());
        }
        // SAFETY: within the mapping.
        let failed =
            unsafe { libc::madvise(self.start().add(from).cast(), bytes, MADV_POPULATE_WRITE) };
        if failed == 0 {
            return Ok(());
        }
        match io::Error::last_os_error() {
            error if error.raw_os_error() == Some(libc::EINVAL) => {
                self.touch(from, bytes);
                Ok(())
            }
            error => Err(error),
        }
    }

    fn touch(&self, from: usize, bytes: usize) {
        for offset in (from..from + bytes).step_by(page_size()) {
            // SAFETY: within the mapping; the write must happen, hence volatile.
            unsafe { self.start().add(offset).write_volatile(1) };
        }
    }

    fn start(&self) -> *mut u8 {
        // SAFETY: the offset is less than the slack that the mapping was given.
        unsafe { self.mapping.base.add(self.offset) }
    }
}

/// A buffer whose writing pushes everything else out of the caches. Shared memory, since a fork
/// does not copy the page tables of that.
#[derive(Debug)]
pub struct Scrub(Mapping);

impl Scrub {
    /// Maps and writes a buffer of `bytes`.
    pub fn new(bytes: usize) -> io::Result<Scrub> {
        let scrub = Scrub(Mapping::new(bytes.max(page_size()), libc::MAP_SHARED)?);
        scrub.run(bytes);
        Ok(scrub)
    }

    /// Writes the first `bytes` of the buffer, a word per cache line.
    pub fn run(&self, bytes: usize) {
        for offset in (0..bytes.min(self.0.bytes)).step_by(64) {
            // SAFETY: within the mapping; the write must happen, hence volatile.
            unsafe { self.0.base.add(offset).cast::<u64>().write_volatile(offset as u64) };
        }
    }
}

/// The base page in bytes.
pub fn page_size() -> usize {
    static PAGE: OnceLock<usize> = OnceLock::new();
    // SAFETY: asks for a number.
    *PAGE.get_or_init(|| unsafe { libc::sysconf(libc::_SC_PAGESIZE) } as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_of_the_ballast_is_written_and_a_share_is_whole_pages() {
        let ballast = Ballast::new(8 * page_size(), Page::Base, || ()).unwrap();
        assert_eq!(ballast.address() % HUGE, 0);
        assert_eq!(ballast.part(Rewrite::ALL), 8 * page_size());
        assert_eq!(ballast.part(Rewrite(130)), page_size());
        assert_eq!(ballast.part(Rewrite::NONE), 0);
        assert!(ballast.rewrite(Rewrite::ALL) > 0);
        ballast.repopulate(Rewrite(500));
        // SAFETY: the first byte of the mapping, which `rewrite` has written.
        assert_eq!(unsafe { ballast.start().read_volatile() }, 1);
    }
}
