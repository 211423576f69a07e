//! The mappings that `vmas` adds: none of them can merge with a neighbour.
//!
//! # Safety
//!
//! Maps memory that is kept until the subject ends, and writes within it; nothing else holds a
//! reference into it.
#![allow(unsafe_code)]

use std::io;
use std::ops::Range;
use std::ptr;

use crate::measure::mechanism::Refusal;
use crate::measure::memory::{MADV_POPULATE_WRITE, page_size};
use crate::model::setup::{Rewrite, VmaContents};

/// Mappings of one page each, side by side.
#[derive(Debug)]
pub struct Areas {
    base: *mut u8,
    count: usize,
    contents: VmaContents,
}

impl Areas {
    /// Maps `count` of them, at least one.
    ///
    /// # Errors
    ///
    /// How many could be mapped, and the limit, vm.max_map_count.
    pub fn map(count: u32, contents: VmaContents) -> Result<Areas, Refusal> {
        // Without access at first: the kernel merges new memory with what is mapped beside it, and
        // its parts would then share the anon_vma of that for ever.
        // SAFETY: a new mapping, kept for ever.
        let base = unsafe {
            libc::mmap(
                ptr::null_mut(),
                count as usize * page_size(),
                libc::PROT_NONE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE,
                -1,
                0,
            )
        };
        if base == libc::MAP_FAILED {
            return Err(refuse(0, count));
        }
        let areas = Areas { base: base.cast(), count: count as usize, contents };
        match contents {
            VmaContents::Clean => areas.part_clean(),
            VmaContents::Dirty => areas.part_dirty(),
        }
        .map_err(|made| refuse(made, count))?;
        Ok(areas)
    }

    /// All but the first and the last become read-only and read-write in turn. The two ends keep
    /// the others from what is mapped beside them.
    fn part_clean(&self) -> Result<(), usize> {
        for i in 1..self.count.saturating_sub(1) {
            let writable = if i % 2 == 0 { libc::PROT_WRITE } else { 0 };
            // SAFETY: a page of the mapping, which nobody has touched.
            if unsafe { libc::mprotect(self.page(i), page_size(), libc::PROT_READ | writable) } != 0
            {
                return Err(i);
            }
        }
        Ok(())
    }

    /// All become read-write, and neighbours differ in what the kernel was told of their use,
    /// MADV_RANDOM and MADV_SEQUENTIAL, which is of no account to anonymous memory but keeps them
    /// apart, and apart from all that is mapped beside them. They differ before they are written:
    /// so each gets an anon_vma of its own, as mappings far from one another have (measured: 4,900
    /// more in the slab for 5,000; if access alone differs, all of them share one).
    fn part_dirty(&self) -> Result<(), usize> {
        let all = self.count * page_size();
        // SAFETY: the whole of the mapping, which nobody has touched.
        let failed = unsafe {
            libc::madvise(self.page(0), all, libc::MADV_RANDOM) != 0
                || libc::mprotect(self.page(0), all, libc::PROT_READ | libc::PROT_WRITE) != 0
        };
        if failed {
            return Err(0);
        }
        for i in (1..self.count).step_by(2) {
            // SAFETY: a page of the mapping, which nobody has touched.
            if unsafe { libc::madvise(self.page(i), page_size(), libc::MADV_SEQUENTIAL) } != 0 {
                return Err(i);
            }
        }
        self.touch(self.count);
        Ok(())
    }

    /// The addresses that they take up.
    pub fn addresses(&self) -> Range<usize> {
        let base = self.base as usize;
        base..base + self.count * page_size()
    }

    /// Whether each of them holds a page that was written.
    pub fn are_dirty(&self) -> bool {
        self.contents == VmaContents::Dirty
    }

    /// Makes the pages of a share of them, the first ones, writable again without writing them.
    pub fn repopulate(&self, share: Rewrite) {
        let count = self.part(share);
        // SAFETY: within the mapping, all of which is writable if it is dirty.
        let failed =
            unsafe { libc::madvise(self.page(0), count * page_size(), MADV_POPULATE_WRITE) };
        if failed != 0 && io::Error::last_os_error().raw_os_error() == Some(libc::EINVAL) {
            // The kernel lacks the call.
            self.touch(count);
        }
    }

    /// Writes one byte of each of a share of them, the first ones.
    pub fn rewrite(&self, share: Rewrite) {
        self.touch(self.part(share));
    }

    fn part(&self, share: Rewrite) -> usize {
        if !self.are_dirty() {
            return 0;
        }
        (self.count as u64 * u64::from(share.0.min(1000)) / 1000) as usize
    }

    fn touch(&self, count: usize) {
        for i in 0..count {
            // SAFETY: a page of the mapping that is writable; the write must happen, hence volatile.
            unsafe { self.page(i).cast::<u8>().write_volatile(1) };
        }
    }

    fn page(&self, i: usize) -> *mut libc::c_void {
        // Within the mapping: `i` is below the count.
        self.base.wrapping_add(i * page_size()).cast()
    }
}

fn refuse(made: usize, count: u32) -> Refusal {
    let limit = std::fs::read_to_string("/proc/sys/vm/max_map_count").unwrap_or_default();
    let needed = u64::from(count) + 200;
    Refusal::last(&format!(
        "only {made} of vmas={count} could be mapped; vm.max_map_count is {}: raise it to at \
         least {needed} (`sysctl vm.max_map_count={needed}`)",
        limit.trim(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lines of /proc/self/maps within these addresses, and beyond their ends.
    fn lines(of: &Range<usize>) -> (usize, usize) {
        let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
        let mut found = (0, 0);
        for line in maps.lines() {
            let (begin, rest) = line.split_once('-').unwrap();
            let end = rest.split(' ').next().unwrap();
            let [begin, end] = [begin, end].map(|text| usize::from_str_radix(text, 16).unwrap());
            if begin < of.end && end > of.start {
                found.0 += 1;
                found.1 += usize::from(begin < of.start || end > of.end);
            }
        }
        found
    }

    /// A subject has one of these. Here several lie one below the other, so an even number must come
    /// after an odd one: it ends with the other advice.
    #[test]
    fn there_are_as_many_as_were_asked_for() {
        for count in [7, 2, 200] {
            let areas = Areas::map(count, VmaContents::Dirty).unwrap();
            assert_eq!(lines(&areas.addresses()), (count as usize, 0), "{count} dirty");
            areas.repopulate(Rewrite::ALL);
            areas.rewrite(Rewrite::ALL);
            assert_eq!(areas.part(Rewrite(500)), count as usize / 2);
        }
        let areas = Areas::map(200, VmaContents::Clean).unwrap();
        assert_eq!(lines(&areas.addresses()).0, 200);
        assert_eq!(areas.part(Rewrite::ALL), 0);
    }
}
