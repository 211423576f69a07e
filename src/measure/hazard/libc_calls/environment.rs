//! What belongs to the whole process: its environment, its random numbers.
//!
//! # Safety
//!
//! The environment is changed only through the libc, and nobody else reads it within a block.
#![allow(unsafe_code)]

use std::ffi::{c_double, c_int, c_long};
use std::hint::black_box;

use crate::measure::hazard::Hazard;
use crate::measure::hazard::libc_calls::{always, function, has, same};

/// The row of setenv.
pub(super) static SETENV: Hazard = Hazard {
    name: "setenv",
    available: always,
    arm: |_| {
        // Values that the libc has kept once are not kept twice.
        // SAFETY: strings that end.
        Ok(same(|| unsafe {
            libc::setenv(NAME.as_ptr(), c"1".as_ptr(), 1);
        }))
    },
};

/// The row of putenv.
pub(super) static PUTENV: Hazard = Hazard {
    name: "putenv",
    available: always,
    arm: |_| {
        // SAFETY: the string lives as long as the process, and nobody writes it.
        Ok(same(|| unsafe {
            libc::putenv(c"FORKBENCH_HAZARD=1".as_ptr().cast_mut());
        }))
    },
};

/// The row of reading it.
pub(super) static GETENV: Hazard = Hazard {
    name: "getenv",
    available: always,
    arm: |_| {
        // SAFETY: a string that ends; the result is not read.
        Ok(same(|| unsafe {
            black_box(libc::getenv(NAME.as_ptr()));
        }))
    },
};

/// The row of random.
pub(super) static RANDOM: Hazard = Hazard {
    name: "random",
    available: || has(c"random"),
    arm: |_| {
        // SAFETY: long random(void).
        let random: unsafe extern "C" fn() -> c_long = unsafe { function(c"random") }?;
        // SAFETY: it takes nothing.
        Ok(same(move || unsafe {
            black_box(random());
        }))
    },
};

/// The row of rand.
pub(super) static RAND: Hazard = Hazard {
    name: "rand",
    available: || has(c"rand"),
    arm: |_| {
        // SAFETY: int rand(void).
        let rand: unsafe extern "C" fn() -> c_int = unsafe { function(c"rand") }?;
        // SAFETY: it takes nothing.
        Ok(same(move || unsafe {
            black_box(rand());
        }))
    },
};

/// The row of drand48.
pub(super) static DRAND48: Hazard = Hazard {
    name: "drand48",
    available: || has(c"drand48"),
    arm: |_| {
        // SAFETY: double drand48(void).
        let drand48: unsafe extern "C" fn() -> c_double = unsafe { function(c"drand48") }?;
        // SAFETY: it takes nothing.
        Ok(same(move || unsafe {
            black_box(drand48());
        }))
    },
};

const NAME: &std::ffi::CStr = c"FORKBENCH_HAZARD";
