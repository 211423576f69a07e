//! fork and _Fork of the libc.
//!
//! # Safety
//!
//! The child of a fork enters [`child::child`] at once and never comes back.
#![allow(unsafe_code)]

use crate::measure::mechanism::brief::Brief;
use crate::measure::mechanism::{
    Gap, Mechanism, Memory, Refusal, Spawner, child, in_child_code, wait,
};

pub(super) static FORK: Mechanism = Mechanism {
    name: "fork",
    about: "fork(3) of the libc: copies the page tables, runs the atfork handlers",
    explain: "The libc's fork: atfork handlers run, and if the parent ever had a second thread \
              the locks of malloc and stdio are taken; then the kernel copies the page tables of \
              all written memory and write-protects it on both sides. The child restores its \
              signal mask and calls exec, which frees the copy again.",
    memory: Memory::Copies,
    gap: Gap::Ours,
    default: true,
    taints: false,
    available: || Ok(()),
    how: in_child_code,
    prepare: |brief| Ok(Box::new(Fork { brief, call: libc::fork })),
};

pub(super) static UNDERSCORE_FORK: Mechanism = Mechanism {
    name: "_fork",
    about: "_Fork(3): fork without atfork handlers and without the libc's locks",
    explain: "The async-signal-safe fork of POSIX 2024, in glibc since 2.34. It copies memory as \
              fork does, but runs no atfork handler and protects no lock of the libc: a child that \
              allocates may hang for ever.",
    memory: Memory::Copies,
    gap: Gap::Ours,
    default: false,
    taints: false,
    available: || underscore_fork().map(|_| ()),
    how: in_child_code,
    prepare: |brief| Ok(Box::new(Fork { brief, call: underscore_fork()? })),
};

type Call = unsafe extern "C" fn() -> libc::pid_t;

/// `_Fork` of the running libc; looked up by name, since an older one does not have it.
fn underscore_fork() -> Result<Call, Refusal> {
    // SAFETY: looks a name up; nothing is run.
    let symbol = unsafe { libc::dlsym(libc::RTLD_DEFAULT, c"_Fork".as_ptr()) };
    if symbol.is_null() {
        return Err(Refusal {
            errno: 0,
            reason: "this libc has no _Fork: glibc has it since 2.34".to_owned(),
        });
    }
    // SAFETY: POSIX declares `pid_t _Fork(void)`.
    Ok(unsafe { std::mem::transmute::<*mut libc::c_void, Call>(symbol) })
}

struct Fork {
    brief: Brief,
    call: Call,
}

impl Spawner for Fork {
    fn birth(&mut self) -> isize {
        // SAFETY: the child goes straight into `child`, which keeps the rules for a child of a
        // process with threads; the orders were complete before.
        unsafe {
            match (self.call)() {
                0 => child::child(self.brief.orders()),
                -1 => -(*libc::__errno_location() as isize),
                pid => pid as isize,
            }
        }
    }

    fn reap(&mut self, child: isize, usage: Option<&mut libc::rusage>) -> Result<i32, i32> {
        wait::pid(child, usage)
    }
}
