//! The ways to make a process: one static row each, with the code that does it.
//!
//! A new mechanism is a file with a row and its name in [`MECHANISMS`]; lists, help, documents and
//! tests walk the table. What a mechanism does *between the stamps* is [`Spawner::birth`] alone.
//! What a child is made to do between birth and exec ([`crate::model::action`]) each expresses in
//! its own way: as steps of its own code, as file actions, as methods of a library.

pub mod brief;
pub mod child;
mod clone3;
mod command;
pub mod external;
mod file_actions;
mod fork;
#[cfg(feature = "independent-loop")]
pub mod independent;
mod none;
mod posix_spawn;
mod stack;
mod steps;
mod thread;
mod vfork;
mod wait;

use std::fmt;
use std::io;

use crate::measure::mechanism::brief::Brief;
use crate::model::action::{Means, Name};
use crate::model::setup::{self, Work};

/// One way to make a process.
pub struct Mechanism {
    /// Its name, as in the column `mechanism`.
    pub name: &'static str,
    /// What it is, in one line.
    pub about: &'static str,
    /// What it is, in full: `forkbench explain NAME`.
    pub explain: &'static str,
    /// What becomes of the parent's memory.
    pub memory: Memory,
    /// Whose code runs between the birth and the exec.
    pub gap: Gap,
    /// Whether it is part of a run that names no mechanism.
    pub default: bool,
    /// Whether it leaves its parent changed for good, so that it needs a subject to itself.
    pub taints: bool,
    /// Whether it can be had here; if not, why.
    pub available: fn() -> Result<(), Refusal>,
    /// By what it does an action between birth and exec; if it cannot, why. Where there is a means,
    /// `prepare` has it.
    pub how: fn(Name) -> Result<Means, String>,
    /// Makes everything that the birth needs; may allocate.
    pub prepare: fn(Brief) -> Result<Box<dyn Spawner>, Refusal>,
}

impl Mechanism {
    /// Whether it can do that work; if not, why.
    pub fn can(&self, work: &Work) -> Result<(), Refusal> {
        let refuse = |reason: String| Err(Refusal { errno: 0, reason });
        if !work.image.execs() && self.gap == Gap::Theirs {
            return refuse(format!("{} always executes an image: it has no `exit`", self.name));
        }
        if !work.image.execs() && work.has_extras() {
            return refuse(
                "image=exit executes nothing, so there is nothing that env-bytes, args-bytes and \
                 path-dirs could cost: leave them out"
                    .to_owned(),
            );
        }
        Ok(())
    }

    /// Whether the parent's pages are copied, and left write-protected.
    pub fn copies_pages(&self) -> bool {
        self.memory == Memory::Copies
    }

    /// Whether each birth leaves a descriptor open in the parent until the child was put away.
    pub fn leaves_descriptor(&self) -> bool {
        self.name.contains("pidfd")
    }

    /// Whether a command belongs to it, as in `extern:./helper`, so that there are many of it.
    pub fn takes_command(&self) -> bool {
        self.memory == Memory::Elsewhere
    }

    /// Whether the image is of no account: no process is made, or no image runs in it.
    pub fn ignores_image(&self) -> bool {
        matches!(self.memory, Memory::Nothing | Memory::Same)
    }
}

/// In code of its own every child can do everything.
fn in_child_code(_: Name) -> Result<Means, String> {
    Ok(Means::ChildCode)
}

/// Where there is no child there is no gap.
fn nowhere(_: Name) -> Result<Means, String> {
    Err("no process is made in which anything could be done before an exec".to_owned())
}

/// What becomes of the parent's memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Memory {
    /// Its page tables are copied, page by page.
    Copies,
    /// The child shares it until the exec; the caller is suspended meanwhile.
    Shares,
    /// The new thread lives in it.
    Same,
    /// There is no child.
    Nothing,
    /// Another program makes the child: what becomes of that program's memory is not known.
    Elsewhere,
}

/// Whose code runs between the birth and the exec.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gap {
    /// [`child`]: it stamps its birth and may end without an exec.
    Ours,
    /// The libc's, or nobody's: there is no stamp of the birth.
    Theirs,
}

/// Why something is not to be had here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The errno, or 0 where none was involved.
    pub errno: i32,
    /// Why, and what to do.
    pub reason: String,
}

impl Refusal {
    /// A refusal with the errno of the libc call just made.
    pub(in crate::measure) fn last(reason: &str) -> Refusal {
        Refusal { errno: last_errno(), reason: reason.to_owned() }
    }

    /// A refusal with the errno of that error.
    pub(in crate::measure) fn of(error: &io::Error, reason: impl Into<String>) -> Refusal {
        Refusal { errno: error.raw_os_error().unwrap_or(0), reason: reason.into() }
    }
}

/// The errno of the libc call just made.
pub(in crate::measure) fn last_errno() -> i32 {
    io::Error::last_os_error().raw_os_error().unwrap_or(0)
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)?;
        if self.errno != 0 {
            write!(f, " ({})", std::io::Error::from_raw_os_error(self.errno))?;
        }
        Ok(())
    }
}

/// A mechanism made ready for one image.
pub trait Spawner {
    /// Makes the process: the only thing between the first two stamps. Returns what [`Self::reap`]
    /// needs, or `-errno`.
    fn birth(&mut self) -> isize;

    /// Waits until the child is gone and returns its wait status; on failure the errno. Fills in
    /// the child's resource usage where it is asked for.
    fn reap(&mut self, child: isize, usage: Option<&mut libc::rusage>) -> Result<i32, i32>;

    /// Puts away what the birth left behind, after the last stamp.
    fn tidy(&mut self) {}

    /// Makes ready what the birth reads from the process itself, at the start of a turn and outside
    /// all intervals. May not allocate.
    fn begin_turn(&mut self) {}

    /// Puts it back as it was, at the end of the turn.
    fn end_turn(&mut self) {}

    /// Takes a turn of `count` spawns by a loop of its own; None: it has none.
    #[cfg(feature = "independent-loop")]
    fn turn(&mut self, _count: u32) -> Option<Result<&[independent::Spawn], i32>> {
        None
    }
}

/// Every mechanism, in the order in which they are listed.
pub static MECHANISMS: &[&Mechanism] = &[
    &none::NONE,
    &fork::FORK,
    &fork::UNDERSCORE_FORK,
    &vfork::VFORK,
    &posix_spawn::POSIX_SPAWN,
    &clone3::CLONE3,
    &clone3::CLONE3_VM,
    &clone3::CLONE3_PIDFD,
    &clone3::CLONE3_CGROUP,
    &posix_spawn::PIDFD_SPAWN,
    &command::COMMAND,
    &thread::THREAD,
    &external::EXTERN,
    #[cfg(feature = "independent-loop")]
    &independent::C_FORK,
    #[cfg(feature = "independent-loop")]
    &independent::C_VFORK,
    #[cfg(feature = "independent-loop")]
    &independent::C_POSIX_SPAWN,
];

/// The mechanism of that name, or of that name and command: `extern:./helper` is `extern`.
pub fn find(name: &str) -> Option<&'static Mechanism> {
    if setup::helper(name).is_some() {
        return Some(&external::EXTERN);
    }
    MECHANISMS.iter().find(|mechanism| mechanism.name == name).copied()
}

#[cfg(test)]
mod tests;
