//! vfork, by the raw system call.
//!
//! # Safety
//!
//! The libc's vfork returns twice on one stack, which no Rust function survives. Here the child
//! switches to a stack of its own before it runs anything; see [`child::birth`].
#![allow(unsafe_code)]

use std::sync::Arc;

use crate::measure::mechanism::brief::Brief;
use crate::measure::mechanism::stack::Stack;
use crate::measure::mechanism::{Gap, Mechanism, Memory, Spawner, child, in_child_code, wait};

pub(super) static VFORK: Mechanism = Mechanism {
    name: "vfork",
    about: "vfork(2): the child borrows the parent's memory until it executes an image",
    explain: "The system call itself, since the libc's wrapper cannot be called from Rust. The \
              calling thread is suspended until the child has called exec or _exit; no page table \
              is copied. The child runs on a stack of its own. On aarch64, which has no vfork, \
              clone with CLONE_VM and CLONE_VFORK, which is the same in the kernel.",
    memory: Memory::Shares,
    gap: Gap::Ours,
    default: true,
    taints: false,
    available: || Ok(()),
    how: in_child_code,
    prepare: |brief| {
        let stack = brief.stack()?;
        Ok(Box::new(Vfork { brief, stack }))
    },
};

struct Vfork {
    brief: Brief,
    stack: Arc<Stack>,
}

#[cfg(target_arch = "x86_64")]
const CALL: (libc::c_long, usize) = (libc::SYS_vfork, 0);

#[cfg(target_arch = "aarch64")]
const CALL: (libc::c_long, usize) =
    (libc::SYS_clone, (libc::CLONE_VM | libc::CLONE_VFORK | libc::SIGCHLD) as usize);

impl Spawner for Vfork {
    fn birth(&mut self) -> isize {
        let (number, flags) = CALL;
        // SAFETY: the orders are complete, the stack is used by this child only, and the kernel
        // suspends this thread until the child is gone from this memory.
        unsafe { child::birth(number as usize, flags, 0, self.stack.top(), self.brief.orders()) }
    }

    fn reap(&mut self, child: isize, usage: Option<&mut libc::rusage>) -> Result<i32, i32> {
        wait::pid(child, usage)
    }
}
