//! The clone3 system call, with and without shared memory.
//!
//! # Safety
//!
//! See [`child::birth`]: the child runs on its copy of the stack, or, when it shares memory, on a
//! stack of its own while its parent is suspended.
#![allow(unsafe_code)]

use std::fs::{File, OpenOptions};
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;

use crate::measure::mechanism::brief::Brief;
use crate::measure::mechanism::stack::Stack;
use crate::measure::mechanism::{Gap, Mechanism, Memory, Refusal, Spawner, child, wait};
use crate::measure::raw;

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
    _stack: Option<Stack>,
    _cgroup: Option<File>,
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
        let stack = if flags & libc::CLONE_VM as u64 != 0 { Some(Stack::map()?) } else { None };
        if let Some(stack) = &stack {
            (arguments.stack, arguments.stack_size) = stack.range();
        }
        Ok(Clone3 { brief, arguments, pidfd, _stack: stack, _cgroup: None })
    }

    fn into_cgroup(brief: Brief) -> Result<Clone3, Refusal> {
        let cgroup = own_cgroup()?;
        let mut clone3 = Clone3::new(brief, SHARING | CLONE_INTO_CGROUP)?;
        clone3.arguments.cgroup = cgroup.as_raw_fd() as u64;
        clone3._cgroup = Some(cgroup);
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

/// The cgroup v2 directory that this process is in, opened as a place to be born in.
fn own_cgroup() -> Result<File, Refusal> {
    let refuse = |reason: &str| Refusal { errno: 0, reason: reason.to_owned() };
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let mount = mounts
        .lines()
        .find(|line| line.contains(" - cgroup2 "))
        .and_then(|line| line.split(' ').nth(4))
        .ok_or_else(|| refuse("cgroup v2 is not mounted"))?;
    let membership = std::fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let path = membership
        .lines()
        .find_map(|line| line.strip_prefix("0::"))
        .ok_or_else(|| refuse("this process is in no cgroup of version 2"))?;
    let directory = format!("{mount}{}", path.trim_end_matches('/'));
    // To be born there takes the right to move a process there, even for one that is there.
    OpenOptions::new().write(true).open(format!("{directory}/cgroup.procs")).map_err(|error| {
        Refusal {
            errno: error.raw_os_error().unwrap_or(0),
            reason: format!("no process may be put into {directory}; root may, or its owner"),
        }
    })?;
    OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_DIRECTORY | libc::O_PATH)
        .open(&directory)
        .map_err(|error| Refusal {
            errno: error.raw_os_error().unwrap_or(0),
            reason: format!("cannot open the cgroup {directory}"),
        })
}
