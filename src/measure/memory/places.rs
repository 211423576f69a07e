//! Which pages of the memory are written, and in which order: a list made before anything is
//! measured.
//!
//! # Safety
//!
//! Writes and reads within a mapping of its own.
#![allow(unsafe_code)]

use std::io;
use std::slice;

use super::Mapping;
use super::shuffle::Shuffle;
use crate::model::setup::{TouchOrder, Written};

/// The seed of the order `random`: another than that of the first touch, which would write pages
/// as they lie in memory.
const SEED: u64 = 0x636f_7721;

/// Numbers of pages, none of them twice.
///
/// They lie in shared memory: a fork neither copies the page tables of that nor leaves it
/// write-protected, so that the list is no part of what it is about.
#[derive(Debug)]
pub struct Places {
    list: Mapping,
    count: usize,
}

impl Places {
    /// So many of `pages` pages, evenly spaced over all of them, in that order.
    pub(super) fn new(pages: u64, written: Written, order: TouchOrder) -> io::Result<Places> {
        let count = written.of(pages).min(pages);
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        let list = Mapping::new(count as usize * size_of::<u32>(), protection, libc::MAP_SHARED)?;
        let shuffle = Shuffle::new(count, SEED);
        for i in 0..count {
            let nth = if order == TouchOrder::Random { shuffle.place(i) } else { i };
            let page = u128::from(nth) * u128::from(pages) / u128::from(count);
            // SAFETY: within the list. A parent has fewer than 2^32 pages: `Ballast::map`.
            unsafe { list.base.cast::<u32>().add(i as usize).write(page as u32) };
        }
        Ok(Places { list, count: count as usize })
    }

    /// The pages.
    pub fn pages(&self) -> &[u32] {
        // SAFETY: the whole list, written in `new` and never again.
        unsafe { slice::from_raw_parts(self.list.base.cast(), self.count) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_evenly_spaced_in_either_order() {
        for (share, pages, count) in [
            (Written::ALL, 4096, 4096),
            (Written(Written::WHOLE / 512), 65_536, 128),
            (Written(Written::WHOLE / 3), 1000, 333),
            (Written(1), 7, 1),
        ] {
            let seq = Places::new(pages, share, TouchOrder::Seq).unwrap();
            let random = Places::new(pages, share, TouchOrder::Random).unwrap();
            assert_eq!(seq.pages().len(), count);
            assert!(seq.pages().is_sorted());
            let widest = pages.div_ceil(count as u64);
            assert!(seq.pages().windows(2).all(|two| u64::from(two[1] - two[0]) <= widest));
            let mut sorted = random.pages().to_vec();
            assert!(count < 10 || sorted != seq.pages(), "{count} pages are not shuffled");
            sorted.sort_unstable();
            assert_eq!(sorted, seq.pages());
        }
    }
}
