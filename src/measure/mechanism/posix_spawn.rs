//! posix_spawn and pidfd_spawn of the libc.
//!
//! # Safety
//!
//! Calls into the libc with strings and lists that the brief owns.
#![allow(unsafe_code)]

use std::ffi::{CStr, c_char};

use crate::measure::mechanism::brief::{Brief, Lent};
use crate::measure::mechanism::file_actions::{self, Attributes, FileActions};
use crate::measure::mechanism::{Gap, Mechanism, Memory, Refusal, Spawner, wait};

pub(super) static POSIX_SPAWN: Mechanism = Mechanism {
    name: "posix_spawn",
    about: "posix_spawn(3) of the libc: shares memory in glibc since 2.24",
    explain: "The libc's own code runs in the child, so there is no stamp of the birth and no \
              image `exit`. glibc makes the child with CLONE_VM and CLONE_VFORK on a stack that \
              it maps for each call; before 2.38 the child then resets some 120 signal handlers \
              one by one. The attributes set the signal mask, and what `actions` asks for that is \
              an attribute; the rest of them are file actions. With `path-dirs` it is \
              posix_spawnp.",
    memory: Memory::Shares,
    gap: Gap::Theirs,
    default: true,
    taints: false,
    available: || Ok(()),
    how: file_actions::how,
    prepare: |brief| {
        let attributes = Attributes::new(&brief)?;
        let file_actions = FileActions::new(brief.actions())?;
        let call = if brief.name().is_some() { libc::posix_spawnp } else { libc::posix_spawn };
        Ok(Box::new(PosixSpawn { brief, attributes, file_actions, call, lent: None }))
    },
};

pub(super) static PIDFD_SPAWN: Mechanism = Mechanism {
    name: "pidfd_spawn",
    about: "pidfd_spawn(3): posix_spawn that returns a descriptor for the child",
    explain: "In glibc since 2.39, looked up when the subject starts. The child is waited for by \
              its pidfd; closing that is outside the intervals.",
    memory: Memory::Shares,
    gap: Gap::Theirs,
    default: false,
    taints: false,
    available: || pidfd_spawn(c"pidfd_spawn").map(|_| ()),
    how: file_actions::how,
    prepare: |brief| {
        let name = if brief.name().is_some() { c"pidfd_spawnp" } else { c"pidfd_spawn" };
        let call = pidfd_spawn(name)?;
        let attributes = Attributes::new(&brief)?;
        let file_actions = FileActions::new(brief.actions())?;
        Ok(Box::new(PidfdSpawn { brief, attributes, file_actions, call, lent: None, pidfd: -1 }))
    },
};

struct PosixSpawn {
    brief: Brief,
    attributes: Attributes,
    file_actions: FileActions,
    call: Call,
    lent: Option<Lent>,
}

impl Spawner for PosixSpawn {
    fn birth(&mut self) -> isize {
        let mut pid: libc::pid_t = 0;
        // SAFETY: path, lists and attributes are owned by this value.
        let failed = unsafe {
            (self.call)(
                &mut pid,
                self.brief.program().as_ptr(),
                self.file_actions.as_ptr(),
                self.attributes.as_ptr(),
                self.brief.argv(),
                self.brief.envp(),
            )
        };
        if failed == 0 { pid as isize } else { -(failed as isize) }
    }

    fn reap(&mut self, child: isize, usage: Option<&mut libc::rusage>) -> Result<i32, i32> {
        wait::pid(child, usage)
    }

    fn begin_turn(&mut self) {
        self.lent = self.brief.lend_environment();
    }

    fn end_turn(&mut self) {
        self.lent = None;
    }
}

type Call = unsafe extern "C" fn(
    *mut libc::c_int,
    *const c_char,
    *const libc::posix_spawn_file_actions_t,
    *const libc::posix_spawnattr_t,
    *const *mut c_char,
    *const *mut c_char,
) -> libc::c_int;

fn pidfd_spawn(name: &CStr) -> Result<Call, Refusal> {
    // SAFETY: looks a name up; nothing is run.
    let symbol = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) };
    if symbol.is_null() {
        return Err(Refusal {
            errno: 0,
            reason: "this libc has no pidfd_spawn: glibc has it since 2.39".to_owned(),
        });
    }
    // SAFETY: <spawn.h> of glibc declares both with this type.
    Ok(unsafe { std::mem::transmute::<*mut libc::c_void, Call>(symbol) })
}

struct PidfdSpawn {
    brief: Brief,
    attributes: Attributes,
    file_actions: FileActions,
    call: Call,
    lent: Option<Lent>,
    pidfd: i32,
}

impl Spawner for PidfdSpawn {
    fn birth(&mut self) -> isize {
        // SAFETY: path, lists and attributes are owned by this value.
        let failed = unsafe {
            (self.call)(
                &mut self.pidfd,
                self.brief.program().as_ptr(),
                self.file_actions.as_ptr(),
                self.attributes.as_ptr(),
                self.brief.argv(),
                self.brief.envp(),
            )
        };
        if failed == 0 { 0 } else { -(failed as isize) }
    }

    fn reap(&mut self, _: isize, usage: Option<&mut libc::rusage>) -> Result<i32, i32> {
        wait::pidfd(self.pidfd, usage)
    }

    fn tidy(&mut self) {
        if self.pidfd != -1 {
            // SAFETY: the descriptor was made by this birth and is closed once.
            unsafe { libc::close(self.pidfd) };
            self.pidfd = -1;
        }
    }

    fn begin_turn(&mut self) {
        self.lent = self.brief.lend_environment();
    }

    fn end_turn(&mut self) {
        self.lent = None;
    }
}
