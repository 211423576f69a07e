//! A stack for a child that shares its parent's memory.
//!
//! # Safety
//!
//! Maps memory and hands out its upper end; the mapping lives as long as the [`Stack`].
#![allow(unsafe_code)]

use std::ptr;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use crate::measure::mechanism::Refusal;

/// The child needs a few hundred bytes; a signal frame with AVX-512 state, which cannot occur since
/// signals are blocked, would need 4 KiB.
const BYTES: usize = 64 * 1024;

/// The page below the stack that faults when the stack overflows. 64 KiB: the largest base page.
const GUARD: usize = 64 * 1024;

/// What the ABI expects below the top when a function is entered: a return address on x86_64.
const ENTRY: usize = if cfg!(target_arch = "x86_64") { 8 } else { 0 };

/// A mapped stack with a guard below it.
#[derive(Debug)]
pub(super) struct Stack {
    mapping: *mut libc::c_void,
}

// SAFETY: nothing is done with the mapping but to name its addresses, and to unmap it at the end.
unsafe impl Send for Stack {}
// SAFETY: likewise.
unsafe impl Sync for Stack {}

impl Stack {
    /// The one that all share who make one process at a time: while a child runs on it, its parent
    /// is suspended.
    pub(super) fn shared() -> Result<Arc<Stack>, Refusal> {
        static SHARED: Mutex<Weak<Stack>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(stack) = shared.upgrade() {
            return Ok(stack);
        }
        let stack = Arc::new(Stack::map()?);
        *shared = Arc::downgrade(&stack);
        Ok(stack)
    }

    /// Maps a stack and touches its upper end, so that the child does not fault on it.
    pub(super) fn map() -> Result<Stack, Refusal> {
        // SAFETY: a new private mapping; the guard is the lower part of it.
        unsafe {
            let mapping = libc::mmap(
                ptr::null_mut(),
                GUARD + BYTES,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_STACK,
                -1,
                0,
            );
            if mapping == libc::MAP_FAILED {
                return Err(Refusal::last("no memory for the child's stack"));
            }
            if libc::mprotect(mapping, GUARD, libc::PROT_NONE) != 0 {
                return Err(Refusal::last("cannot protect the end of the child's stack"));
            }
            mapping.cast::<u8>().add(GUARD + BYTES - 16).write_volatile(0);
            Ok(Stack { mapping })
        }
    }

    /// The address that the child's stack pointer starts with.
    pub(super) fn top(&self) -> usize {
        self.mapping as usize + GUARD + BYTES - ENTRY
    }

    /// The lower end and the length that clone3 wants: it sets the stack pointer to their sum.
    pub(super) fn range(&self) -> (u64, u64) {
        ((self.mapping as usize + GUARD) as u64, (BYTES - ENTRY) as u64)
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        // SAFETY: the mapping was made in `map` and no child is left that could run on it.
        unsafe { libc::munmap(self.mapping, GUARD + BYTES) };
    }
}
