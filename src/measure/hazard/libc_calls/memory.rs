//! Blocks of malloc.
//!
//! # Safety
//!
//! A block is used only if there is one, and freed once.
#![allow(unsafe_code)]

use std::hint::black_box;

use crate::measure::hazard::libc_calls::{always, same, same_slow};
use crate::measure::hazard::{Hazard, one_arena};

/// The row of blocks that are larger than those that a thread keeps for itself.
pub(super) static MALLOC: Hazard = Hazard {
    name: "malloc",
    available: always,
    arm: |_| {
        one_arena();
        Ok(same(|| take_and_free([6_400])))
    },
};

/// The row of small blocks.
pub(super) static MALLOC_SMALL: Hazard = Hazard {
    name: "malloc-small",
    available: always,
    arm: |_| {
        one_arena();
        // A thread keeps seven of a size.
        Ok(same(|| take_and_free([64; 16])))
    },
};

/// The row of blocks that are mapped one by one.
pub(super) static MALLOC_MMAP: Hazard = Hazard {
    name: "malloc-mmap",
    available: always,
    arm: |_| {
        one_arena();
        // Else the first that is freed makes the limit grow, and the next is not mapped.
        // SAFETY: sets a number of the allocator, before the threads start.
        #[cfg(target_env = "gnu")]
        unsafe {
            libc::mallopt(libc::M_MMAP_THRESHOLD, 128 * 1024)
        };
        Ok(same_slow(|| take_and_free([1 << 20])))
    },
};

/// Allocates blocks of those sizes, and frees them.
fn take_and_free<const N: usize>(sizes: [usize; N]) {
    // SAFETY: each is a block of the size asked for, written only if there is one, freed once.
    unsafe {
        let blocks = sizes.map(|size| {
            let block = black_box(libc::malloc(black_box(size)));
            if !block.is_null() {
                block.cast::<u8>().write_volatile(1);
            }
            block
        });
        for block in blocks {
            libc::free(black_box(block));
        }
    }
}
