//! The clone3 system call, with and without shared memory.
//!
//! # Safety
//!
//! See [`child::birth`]: the child runs on its copy of the stack, or, when it shares memory, on a
//! stack of its own while its parent is suspended.
#![allow(unsafe_code)]

use std::fs::File;
use std::os::fd::AsRawFd;
use std::sync::{Arc, OnceLock};

use crate::measure::cgroup;
use crate::measure::mechanism::brief::Brief;
use crate::measure::mechanism::stack::Stack;
use crate::measure::mechanism::{
    Gap, Mechanism, Memory, Refusal, Spawner, child, in_child_code, wait,
};
use crate::measure::raw;
use crate::model::action::{Action, Means, Name};

pub(super) static CLONE3: Mechanism = Mechanism {
    name: "clone3",
    about: "clone3(2) without flags: what fork does in the kernel, without the libc's part",
    explain: "A raw fork: the page tables are copied, no atfork handler runs and no lock of the \
              libc is protected. The difference to `fork` is the libc's part.",
    memory: Memory::Copies,
    gap: Gap::Ours,
    default: true,
    taints: false,
    available,
    how: in_child_code,
    prepare: |brief| Ok(Box::new(Clone3::new(brief, 0)?)),
};

pub(super) static CLONE3_VM: Mechanism = Mechanism {
    name: "clone3-vm",
    about: "clone3(2) with CLONE_VM, CLONE_VFORK and CLONE_CLEAR_SIGHAND: a modern vfork",
    explain: "What glibc's posix_spawn does in the kernel since 2.38: the child shares the \
              parent's memory, its signal handlers are reset by the kernel instead of one system \
              call each, and the caller is suspended until the exec.",
    memory: Memory::Shares,
    gap: Gap::Ours,
    default: true,
    taints: false,
    available,
    how: in_child_code,
    prepare: |brief| Ok(Box::new(Clone3::new(brief, SHARING)?)),
};

pub(super) static CLONE3_PIDFD: Mechanism = Mechanism {
    name: "clone3-pidfd",
    about: "clone3-vm with CLONE_PIDFD: the parent gets a descriptor for the child",
    explain: "As clone3-vm, and the kernel also makes a pidfd, by which the child is then waited \
              for (waitid with P_PIDFD). Closing that descriptor is outside the intervals.",
    memory: Memory::Shares,
    gap: Gap::Ours,
    default: false,
    taints: false,
    available,
    how: in_child_code,
    prepare: |brief| Ok(Box::new(Clone3::new(brief, SHARING | libc::CLONE_PIDFD as u64)?)),
};

pub(super) static CLONE3_CGROUP: Mechanism = Mechanism {
    name: "clone3-cgroup",
    about: "clone3-vm with CLONE_INTO_CGROUP: the child is born in a cgroup that is named",
    explain: "As clone3-vm, and the child is placed by a descriptor of a cgroup v2 directory. The \
              cgroup named is the one the parent is in, so that nothing on the machine is \
              changed: what it shows is the price of asking.",
    memory: Memory::Shares,
    gap: Gap::Ours,
    default: false,
    taints: false,
    available: || available().and_then(|()| own_cgroup().map(|_| ())),
    how: |name| if name == Name::Cgroup { Ok(Means::Attribute) } else { in_child_code(name) },
    prepare: |brief| Ok(Box::new(Clone3::into_cgroup(brief)?)),
};

const SHARING: u64 = libc::CLONE_VM as u64 | libc::CLONE_VFORK as u64 | CLONE_CLEAR_SIGHAND;

// include/uapi/linux/sched.h; too wide for the type that libc gives to the others.
const CLONE_CLEAR_SIGHAND: u64 = 0x1_0000_0000;
const CLONE_INTO_CGROUP: u64 = 0x2_0000_0000;

/// An empty call fails with EINVAL where clone3 exists.
fn available() -> Result<(), Refusal> {
    // SAFETY: a size of 0 is refused before anything is read.
    let result = unsafe { raw::syscall4(libc::SYS_clone3, [0; 4]) };
    match -result as i32 {
        libc::EINVAL => Ok(()),
        errno => Err(Refusal {
            errno,
            reason: "clone3 is not to be had: the kernel is older than 5.3, or a seccomp filter \
                     (container) forbids it"
                .to_owned(),
        }),
    }
}

/// `struct clone_args` of include/uapi/linux/sched.h, version 2 (Linux 5.7).
#[repr(C)]
#[derive(Debug, Default)]
struct CloneArgs {
    flags: u64,
    pidfd: u64,
    child_tid: u64,
    parent_tid: u64,
    exit_signal: u64,
    stack: u64,
    stack_size: u64,
    tls: u64,
    set_tid: u64,
    set_tid_size: u64,
    cgroup: u64,
}

struct Clone3 {
    brief: Brief,
    arguments: Box<CloneArgs>,
    /// Where the kernel writes the pidfd; -1 while there is none.
    pidfd: Box<i32>,
    _stack: Option<Arc<Stack>>,
}

impl Clone3 {
    fn new(brief: Brief, flags: u64) -> Result<Clone3, Refusal> {
        let mut pidfd = Box::new(-1);
        let mut arguments = Box::new(CloneArgs {
            flags,
            exit_signal: libc::SIGCHLD as u64,
            ..CloneArgs::default()
        });
        if flags & libc::CLONE_PIDFD as u64 != 0 {
            arguments.pidfd = &raw mut *pidfd as u64;
        }
        let stack = if flags & libc::CLONE_VM as u64 != 0 { Some(brief.stack()?) } else { None };
        if let Some(stack) = &stack {
            (arguments.stack, arguments.stack_size) = stack.range();
        }
        Ok(Clone3 { brief, arguments, pidfd, _stack: stack })
    }

    fn into_cgroup(mut brief: Brief) -> Result<Clone3, Refusal> {
        let given = brief.actions().iter().find_map(|action| match action {
            Action::Cgroup { directory, .. } => Some(*directory),
            _ => None,
        });
        brief.relieve(|action| matches!(action, Action::Cgroup { .. }));
        let mut clone3 = Clone3::new(brief, SHARING | CLONE_INTO_CGROUP)?;
        let directory = match given {
            Some(directory) => directory,
            None => own_cgroup()?.as_raw_fd(),
        };
        clone3.arguments.cgroup = directory as u64;
        Ok(clone3)
    }
}

impl Spawner for Clone3 {
    fn birth(&mut self) -> isize {
        // SAFETY: the arguments live in boxes of this value; a child that shares memory has a
        // stack of its own, set by the kernel, and its parent is suspended (CLONE_VFORK).
        unsafe {
            child::birth(
                libc::SYS_clone3 as usize,
                &raw const *self.arguments as usize,
                size_of::<CloneArgs>(),
                0,
                self.brief.orders(),
            )
        }
    }

    fn reap(&mut self, child: isize, usage: Option<&mut libc::rusage>) -> Result<i32, i32> {
        match *self.pidfd {
            -1 => wait::pid(child, usage),
            pidfd => wait::pidfd(pidfd, usage),
        }
    }

    fn tidy(&mut self) {
        if *self.pidfd != -1 {
            // SAFETY: the descriptor was made by this birth and is closed once.
            unsafe { libc::close(*self.pidfd) };
            *self.pidfd = -1;
        }
    }
}

/// The cgroup that this process is in, opened once as a place to be born in.
fn own_cgroup() -> Result<&'static File, Refusal> {
    static OWN: OnceLock<File> = OnceLock::new();
    if let Some(own) = OWN.get() {
        return Ok(own);
    }
    let directory = cgroup::own()?;
    // To be born there takes the right to move a process there, even for one that is there.
    cgroup::procs(&directory)?;
    let own = cgroup::open(&directory)?;
    Ok(OWN.get_or_init(|| own))
}
