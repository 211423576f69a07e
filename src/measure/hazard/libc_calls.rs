//! Functions of the libc behind locks of its own.
//!
//! # Safety
//!
//! Calls functions of the libc with memory of the calling thread's own.
#![allow(unsafe_code)]

use std::hint::black_box;
use std::mem::MaybeUninit;

use crate::measure::hazard::{Hazard, Trap};

/// The rows of them, in the order of their words.
pub(super) static ROWS: &[&Hazard] = &[&MALLOC, &LOCALTIME];

/// The row of malloc.
static MALLOC: Hazard = Hazard {
    name: "malloc",
    available: || Ok(()),
    arm: |_| {
        // One arena for all threads: else the child finds one that nobody holds.
        // SAFETY: sets a number of the allocator, before the threads start.
        #[cfg(target_env = "gnu")]
        unsafe {
            libc::mallopt(libc::M_ARENA_MAX, 1)
        };
        Ok(Box::new(Calls { hold: malloc, perform: malloc }))
    },
};

/// The row of localtime_r.
static LOCALTIME: Hazard = Hazard {
    name: "localtime",
    available: || Ok(()),
    arm: |_| Ok(Box::new(Calls { hold: localtime, perform: localtime })),
};

/// How often a child makes its call.
const REPEATS: u32 = 3;

/// A call that threads and children make.
struct Calls {
    hold: fn(),
    perform: fn(),
}

impl Trap for Calls {
    fn hold(&self, _: u32) {
        for _ in 0..8 {
            (self.hold)();
        }
    }

    fn perform(&self) -> i32 {
        for _ in 0..REPEATS {
            (self.perform)();
        }
        0
    }
}

/// A block larger than those that a thread keeps for itself, and smaller than those that are mapped.
fn malloc() {
    // SAFETY: a block of the size asked for, written only if there is one, freed once.
    unsafe {
        let block = black_box(libc::malloc(black_box(6_400)));
        if !block.is_null() {
            block.cast::<u8>().write_volatile(1);
        }
        libc::free(black_box(block));
    }
}

fn localtime() {
    let time: libc::time_t = black_box(1_000_000_000);
    let mut parts = MaybeUninit::<libc::tm>::uninit();
    // SAFETY: both live through the call.
    unsafe { black_box(libc::localtime_r(&time, parts.as_mut_ptr())) };
}
