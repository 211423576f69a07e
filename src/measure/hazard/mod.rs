//! What the threads of a hazard do, and its child: one static row for each, with the code of it.
//!
//! This is the half that runs; names and stories stand in [`crate::model::hazard`]. A subject is
//! armed with one [`Trap`] before its threads start, and keeps it for ever.
//!
//! What a child does here runs after a fork in a process with threads, where almost nothing is
//! allowed: that is the point. It is reached through the one indirect door of
//! [`crate::measure::mechanism::child`], and no other workload uses it.
//!
//! # Safety
//!
//! Children are made and killed by [`crate::measure::workload`]; this code calls what it says.
#![allow(unsafe_code)]

mod libc_calls;
mod mutex;
mod program;

use std::ffi::c_void;
use std::sync::OnceLock;

use crate::measure::mechanism::Refusal;
use crate::model::hazard as words;
use crate::model::setup::Work;

/// One hazard.
pub struct Hazard {
    /// Its name, as in [`crate::model::hazard`].
    pub name: &'static str,
    /// Whether it can be had here, with this libc and these libraries; if not, why.
    pub available: fn() -> Result<(), Refusal>,
    /// Makes it ready; may allocate.
    pub arm: fn(&Work) -> Result<Box<dyn Trap>, Refusal>,
}

/// Every hazard: those of the libc first.
pub fn all() -> impl Iterator<Item = &'static Hazard> {
    libc_calls::ROWS.iter().chain(program::ROWS).copied()
}

/// What runs in threads and children. It lives as long as its subject.
pub trait Trap: Send + Sync {
    /// What the thread of that number does over and over: some microseconds of it. It must not
    /// wait for anything that the block does not bring about.
    fn hold(&self, thread: u32);

    /// What the child does before it ends; the status that it ends with: 0, or another if it finds
    /// something wrong.
    fn perform(&self) -> i32;

    /// For how long the lock has been held so far, in nanoseconds; None: it is not the trap's own.
    fn held_ns(&self) -> Option<u64> {
        None
    }

    /// Whether the word on which the child waits is not 0 while somebody holds the lock.
    fn has_lock_word(&self) -> bool {
        true
    }
}

/// The row of that name.
pub fn find(name: &str) -> Option<&'static Hazard> {
    all().find(|row| row.name == name)
}

/// Whether a hazard can be had here; if not, why.
///
/// # Errors
///
/// The reason.
pub fn available(name: &str) -> Result<(), Refusal> {
    match find(name) {
        Some(row) => (row.available)(),
        None => Err(Refusal { errno: 0, reason: words::unknown(name) }),
    }
}

static ARMED: OnceLock<Box<dyn Trap>> = OnceLock::new();

/// Makes the hazard of that work the one of this process, for ever.
///
/// # Errors
///
/// Where it is not to be had here, or another is armed.
pub fn arm(work: &Work) -> Result<(), Refusal> {
    let refuse = |reason: String| Refusal { errno: 0, reason };
    let row = find(&work.hazard).ok_or_else(|| refuse(words::unknown(&work.hazard)))?;
    (row.available)()?;
    ARMED
        .set((row.arm)(work)?)
        .map_err(|_| refuse("a subject is armed with one hazard and no more".to_owned()))
}

/// The hazard of this process.
pub fn armed() -> Option<&'static dyn Trap> {
    ARMED.get().map(|trap| &**trap)
}

/// What the child of a hazard is to call: see `Orders` in [`crate::measure::mechanism::child`].
pub extern "C" fn perform(_: *const c_void) -> i32 {
    armed().map_or(0, Trap::perform)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_halves_of_the_registry_have_the_same_hazards() {
        let names: Vec<_> = all().map(|row| row.name).collect();
        let model: Vec<_> = words::all().map(|row| row.name).collect();
        assert_eq!(names, model);
    }
}
