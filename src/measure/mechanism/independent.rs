//! The independent C loop of `tests/independent`, linked into test builds only (feature
//! `independent-loop`): proof that forkbench's own loop measures what a plain one does, in the same
//! address space.
//!
//! It takes whole turns, with stamps, waiting and children of its own: forkbench only carries its
//! figures to the tape. Where the turn needs what it cannot do (counting, rewriting) the ordinary
//! loop runs around its births.
//!
//! # Safety
//!
//! Calls C functions with a path that the brief owns and a buffer of the length they are told. The
//! C code keeps nothing that it is given.
#![allow(unsafe_code)]

use std::ffi::{c_char, c_int};

use crate::measure::mechanism::brief::Brief;
use crate::measure::mechanism::{Gap, Mechanism, Memory, Refusal, Spawner, wait};

pub(super) static C_FORK: Mechanism = Mechanism {
    name: "c-fork",
    about: "fork(3) by the independent C loop",
    explain: "In test builds only: what `fork` is compared with.",
    memory: Memory::Copies,
    gap: Gap::Theirs,
    default: false,
    taints: false,
    available: || Ok(()),
    how: |_| Err("the C loop does nothing there".to_owned()),
    prepare: |brief| Ok(Box::new(Independent::new(FORK, brief)?)),
};

pub(super) static C_VFORK: Mechanism = Mechanism {
    name: "c-vfork",
    about: "vfork(2) of the libc by the independent C loop",
    explain: "In test builds only: what `vfork` is compared with.",
    memory: Memory::Shares,
    gap: Gap::Theirs,
    default: false,
    taints: false,
    available: || Ok(()),
    how: |_| Err("the C loop does nothing there".to_owned()),
    prepare: |brief| Ok(Box::new(Independent::new(VFORK, brief)?)),
};

pub(super) static C_POSIX_SPAWN: Mechanism = Mechanism {
    name: "c-posix_spawn",
    about: "posix_spawn(3) without attributes by the independent C loop",
    explain: "In test builds only: what `posix_spawn` is compared with.",
    memory: Memory::Shares,
    gap: Gap::Theirs,
    default: false,
    taints: false,
    available: || Ok(()),
    how: |_| Err("the C loop does nothing there".to_owned()),
    prepare: |brief| Ok(Box::new(Independent::new(POSIX_SPAWN, brief)?)),
};

// The enum of loop.h.
const FORK: c_int = 0;
const VFORK: c_int = 1;
const POSIX_SPAWN: c_int = 2;

/// `struct spawn` of loop.h: CLOCK_MONOTONIC stamps in nanoseconds and a wait status.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct Spawn {
    /// Before the call.
    pub called: u64,
    /// After it has returned.
    pub returned: u64,
    /// After waitpid has returned.
    pub reaped: u64,
    /// The wait status of the child.
    pub status: i32,
    padding: i32,
}

unsafe extern "C" {
    fn independent_birth(mechanism: c_int, path: *const c_char) -> libc::pid_t;
    fn independent_loop(
        mechanism: c_int,
        path: *const c_char,
        count: u32,
        spawns: *mut Spawn,
    ) -> c_int;
}

/// Room for a turn; a longer one fails.
const LONGEST_TURN: usize = 1024;

/// Variables of an environment to which nothing was added.
const PLAIN_ENVIRONMENT: usize = 2;

struct Independent {
    mechanism: c_int,
    brief: Brief,
    spawns: Vec<Spawn>,
}

impl Independent {
    fn new(mechanism: c_int, brief: Brief) -> Result<Independent, Refusal> {
        let plain = brief.environment().count() == PLAIN_ENVIRONMENT;
        let bare = plain && brief.actions().is_empty();
        if brief.name().is_some() || brief.arguments().count() > 1 || !bare {
            return Err(Refusal {
                errno: 0,
                reason: "the C loop executes a path, and gives it no strings and no actions"
                    .to_owned(),
            });
        }
        Ok(Independent { mechanism, brief, spawns: vec![Spawn::default(); LONGEST_TURN] })
    }
}

impl Spawner for Independent {
    fn birth(&mut self) -> isize {
        // SAFETY: the path is a C string that the brief owns.
        unsafe { independent_birth(self.mechanism, self.brief.path().as_ptr()) as isize }
    }

    fn reap(&mut self, child: isize, usage: Option<&mut libc::rusage>) -> Result<i32, i32> {
        wait::pid(child, usage)
    }

    fn turn(&mut self, count: u32) -> Option<Result<&[Spawn], i32>> {
        let Some(spawns) = self.spawns.get_mut(..count as usize) else {
            return Some(Err(libc::ENOBUFS));
        };
        let path = self.brief.path().as_ptr();
        // SAFETY: the path is a C string that the brief owns; the buffer has `count` elements.
        let failed = unsafe { independent_loop(self.mechanism, path, count, spawns.as_mut_ptr()) };
        Some(if failed == 0 { Ok(spawns) } else { Err(failed) })
    }
}
