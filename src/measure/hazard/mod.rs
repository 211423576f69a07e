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

mod control;
mod descriptors;
mod libc_calls;
mod library;
mod locks;
mod mutex;
mod program;
mod rust;
mod stuck;
mod workers;

use std::ffi::c_void;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

pub use crate::measure::hazard::stuck::{Course, Partner, chain, eventually};
use crate::measure::mechanism::Refusal;
use crate::model::hazard as words;
use crate::model::setup::{Work, Workload};

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
    libc_calls::ROWS.iter().chain(program::ROWS).chain(control::ROWS).copied()
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

    /// How a birth is brought to hang that may itself hang, beside or before its child. None: only
    /// children hang.
    fn course(&self) -> Option<&dyn Course> {
        None
    }

    /// How often something went wrong in a thread so far, each time because of one child.
    fn harms(&self) -> u64 {
        0
    }

    /// What goes wrong in a thread, in words.
    fn harm(&self) -> String {
        String::new()
    }

    /// The proof that a child of that pid, which waits in a read of a pipe, does so for ever.
    fn pipe_proof(&self, _pid: i32) -> Option<String> {
        None
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
    row(name).and_then(|row| (row.available)())
}

/// The row of that name; if there is none, why.
fn row(name: &str) -> Result<&'static Hazard, Refusal> {
    let reason = || match words::find(name) {
        Some(told) => told.only_told(),
        None => words::unknown(name),
    };
    find(name).ok_or_else(|| Refusal { errno: 0, reason: reason() })
}

/// Whether all threads have one arena.
static ONE_ARENA: AtomicBool = AtomicBool::new(false);

/// Gives all threads one arena of malloc, before they start: else the child of one finds another that
/// nobody holds.
fn one_arena() {
    // SAFETY: sets a number of the allocator.
    #[cfg(target_env = "gnu")]
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, 1)
    };
    ONE_ARENA.store(true, Ordering::Relaxed);
}

/// Whether threads are to rest while children are judged: whoever judges allocates too, and would
/// wait for the arena that they fight for (more than 10 s on a machine with eight others at work).
pub fn rests_while_judged() -> bool {
    ONE_ARENA.load(Ordering::Relaxed)
}

static ARMED: OnceLock<Box<dyn Trap>> = OnceLock::new();

/// Where files may be made that are removed with the images.
static DIRECTORY: OnceLock<PathBuf> = OnceLock::new();

/// Makes the hazard of that work the one of this process, for ever. `noop`: the path of the image
/// beside which it may make files.
///
/// # Errors
///
/// Where it is not to be had here, or another is armed.
pub fn arm(work: &Work, noop: &Path) -> Result<(), Refusal> {
    let refuse = |reason: String| Refusal { errno: 0, reason };
    let row = row(&work.hazard)?;
    (row.available)()?;
    DIRECTORY.get_or_init(|| noop.parent().unwrap_or(Path::new(".")).to_owned());
    ARMED
        .set((row.arm)(work)?)
        .map_err(|_| refuse("a subject is armed with one hazard and no more".to_owned()))
}

/// The hazard of this process.
pub fn armed() -> Option<&'static dyn Trap> {
    ARMED.get().map(|trap| &**trap)
}

/// What must stand in the environment of a subject before it starts, for the hazard of that work.
pub fn environment(work: &Work) -> Option<(&'static str, &'static str)> {
    // Built to be there from the start, it has more of each thread's own storage than the loader
    // keeps free for those that come later.
    let is_jemalloc = work.workload == Workload::Hazard && work.hazard == library::JEMALLOC.name;
    is_jemalloc.then_some(("GLIBC_TUNABLES", "glibc.rtld.optional_static_tls=16384"))
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
        let runs = words::all().filter(|row| row.runs());
        let model: Vec<_> = runs.map(|row| row.name).collect();
        assert_eq!(names, model);
    }

    #[test]
    fn what_is_only_told_is_refused_with_where_to_read_of_it() {
        for told in words::all().filter(|row| !row.runs()) {
            let refusal = available(told.name).unwrap_err();
            assert!(refusal.reason.contains(&format!("explain {}", told.name)), "{refusal}");
        }
        assert!(available("localtme").unwrap_err().reason.contains("`localtime`"));
    }
}
