//! Locks of Rust's standard library, and what lies beneath its allocator.
//!
//! # Safety
//!
//! Changes the environment while nothing but this code reads it.
#![allow(unsafe_code)]

use std::env;
use std::hint::black_box;
use std::sync::{Arc, Mutex, PoisonError};

use crate::measure::hazard::program::{FREE_NS, HELD_NS, closures, spin};
use crate::measure::hazard::{Hazard, one_arena};

/// A mutex of the standard library.
pub(super) static MUTEX: Hazard = Hazard {
    name: "rust-mutex",
    available: || Ok(()),
    arm: |_| {
        let ours = Arc::new(Mutex::new(0_u64));
        let theirs = Arc::clone(&ours);
        let hold = move |_| {
            let mut count = ours.lock().unwrap_or_else(PoisonError::into_inner);
            *count += 1;
            spin(HELD_NS);
            drop(count);
            spin(FREE_NS);
        };
        let perform = move || {
            *theirs.lock().unwrap_or_else(PoisonError::into_inner) += 1;
            0
        };
        Ok(closures(hold, perform, true))
    },
};

/// The lock of standard output.
pub(super) static STDOUT: Hazard = Hazard {
    name: "rust-println",
    available: || Ok(()),
    arm: |_| {
        // A subject's standard output is /dev/null: each line is a system call, under the lock.
        Ok(closures(|_| print_and_rest(), print_and_end, true))
    },
};

/// The lock of the environment.
pub(super) static ENVIRONMENT: Hazard = Hazard {
    name: "rust-env",
    available: || Ok(()),
    arm: |_| Ok(closures(|_| set_and_rest(), read_variable, false)),
};

/// The allocator, which is that of the libc.
pub(super) static ALLOCATOR: Hazard = Hazard {
    name: "rust-alloc",
    available: || Ok(()),
    arm: |_| {
        one_arena();
        Ok(closures(|_| allocate(), allocate_and_end, true))
    },
};

/// How often a call is made before the thread looks up.
const REPEATS: u32 = 8;

#[allow(clippy::print_stdout, reason = "it is what the hazard is about; the output is /dev/null")]
fn print_lines() {
    for number in 0..REPEATS {
        println!("line {number}");
    }
}

fn print_and_rest() {
    print_lines();
    spin(REST_NS);
}

fn print_and_end() -> i32 {
    print_lines();
    0
}

/// How long a thread rests after some lines, or variables, which take a microsecond or two, in
/// nanoseconds.
const REST_NS: u64 = 5_000;

const VARIABLE: &str = "FORKBENCH_HAZARD";

fn set_and_rest() {
    for _ in 0..REPEATS {
        // SAFETY: whoever reads the environment meanwhile does so under the lock of the standard
        // library, as the children do; the spawner has a copy of its own.
        unsafe { env::set_var(VARIABLE, "1") };
    }
    spin(REST_NS);
}

fn read_variable() -> i32 {
    for _ in 0..REPEATS {
        black_box(env::var_os(VARIABLE));
    }
    0
}

fn allocate() {
    for _ in 0..REPEATS {
        // Larger than what a thread keeps for itself, smaller than what is mapped.
        black_box(Vec::<u8>::with_capacity(black_box(6_400)));
    }
}

fn allocate_and_end() -> i32 {
    allocate();
    0
}
