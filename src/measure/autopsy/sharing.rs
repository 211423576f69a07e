//! Whether a process shares its memory with another: asked of the kernel by kcmp.
//!
//! # Safety
//!
//! Makes one system call, which takes no pointer.
#![allow(unsafe_code)]

use std::fs;
use std::io;

/// KCMP_VM of `linux/kcmp.h`.
const KCMP_VM: libc::c_long = 1;

/// With whom a process shares its memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Sharing {
    /// With no process that /proc shows.
    Nobody,
    /// With these, at least.
    With(Vec<i32>),
    /// The kernel does not say.
    #[default]
    Unknown,
}

/// With whom `pid` shares its memory.
///
/// Every process that /proc shows is compared, not the relatives alone: a relative between two that
/// share may have ended. Those of other users may not be compared, and do not have its memory.
pub(super) fn of(pid: i32) -> Sharing {
    // Where kcmp is not there, or forbidden, it is so for a process and itself.
    if same_memory(pid, pid).is_err() {
        return Sharing::Unknown;
    }
    let Ok(entries) = fs::read_dir("/proc") else { return Sharing::Unknown };
    let others: Vec<i32> = entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|other| *other != pid && same_memory(pid, *other).is_ok_and(|same| same))
        .collect();
    if others.is_empty() { Sharing::Nobody } else { Sharing::With(others) }
}

fn same_memory(one: i32, other: i32) -> io::Result<bool> {
    let (one, other) = (libc::c_long::from(one), libc::c_long::from(other));
    // SAFETY: KCMP_VM takes two process ids, and no pointer.
    let order = unsafe { libc::syscall(libc::SYS_kcmp, one, other, KCMP_VM, 0 as libc::c_long, 0) };
    if order < 0 { Err(io::Error::last_os_error()) } else { Ok(order == 0) }
}
