//! Waiting for a child, by pid or by pidfd.
//!
//! # Safety
//!
//! System calls with pointers to locals, or to a rusage that the caller lends.
#![allow(unsafe_code)]

use std::ptr;

use crate::measure::raw;

/// Waits for the child `pid`; its wait status, or the errno.
pub(super) fn pid(pid: isize, usage: Option<&mut libc::rusage>) -> Result<i32, i32> {
    let usage = usage.map_or(ptr::null_mut(), ptr::from_mut);
    let mut status = 0;
    loop {
        // SAFETY: `status` lives through the call; `usage` is null or a rusage lent by the caller.
        let waited = unsafe { libc::wait4(pid as libc::pid_t, &mut status, 0, usage) };
        if waited as isize == pid {
            return Ok(status);
        }
        match std::io::Error::last_os_error().raw_os_error() {
            Some(libc::EINTR) => {}
            errno => return Err(errno.unwrap_or(0)),
        }
    }
}

/// Waits for the child that `pidfd` stands for; its wait status, or the errno.
pub(super) fn pidfd(pidfd: i32, usage: Option<&mut libc::rusage>) -> Result<i32, i32> {
    let usage = usage.map_or(ptr::null_mut(), ptr::from_mut);
    loop {
        // SAFETY: a siginfo_t may be all zeroes; it lives through the call. libc's waitid has no
        // rusage, so this is the system call, which takes it fifth. `usage` is null or lent.
        let (result, info) = unsafe {
            let mut info: libc::siginfo_t = std::mem::zeroed();
            let arguments = [
                libc::P_PIDFD as usize,
                pidfd as usize,
                ptr::from_mut(&mut info) as usize,
                libc::WEXITED as usize,
                usage as usize,
                0,
            ];
            (raw::syscall6(libc::SYS_waitid, arguments), info)
        };
        match result {
            // SAFETY: after a successful waitid the status member is the valid one.
            0 => return Ok(wait_status(info.si_code, unsafe { info.si_status() })),
            interrupted if interrupted == -(libc::EINTR as isize) => {}
            failed => return Err(-failed as i32),
        }
    }
}

/// The wait status that wait4 would have given.
fn wait_status(code: i32, status: i32) -> i32 {
    match code {
        libc::CLD_EXITED => (status & 0xff) << 8,
        libc::CLD_DUMPED => status | 0x80,
        _ => status,
    }
}
