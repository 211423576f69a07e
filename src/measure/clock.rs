//! The clocks of the measuring loop.
//!
//! # Safety
//!
//! Calls clock_gettime with pointers to locals; nothing else.
#![allow(unsafe_code)]

/// CLOCK_MONOTONIC in nanoseconds, through the vDSO: about 40 ns, no system call.
#[inline(always)]
pub fn now() -> u64 {
    read(libc::CLOCK_MONOTONIC)
}

/// The CPU time that the calling thread has used, in nanoseconds. A system call.
#[inline(always)]
pub fn thread_cpu() -> u64 {
    read(libc::CLOCK_THREAD_CPUTIME_ID)
}

/// The CPU time that all threads of this process have used, in nanoseconds. A system call.
pub fn process_cpu() -> u64 {
    read(libc::CLOCK_PROCESS_CPUTIME_ID)
}

/// What that clock shows, in nanoseconds; 0 where there is no such clock, as that of a process that
/// has ended.
pub fn of(clock: libc::clockid_t) -> u64 {
    read(clock)
}

#[inline(always)]
fn read(clock: libc::clockid_t) -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is a timespec that lives through the call. A call that fails leaves it as it is.
    unsafe { libc::clock_gettime(clock, &mut time) };
    (time.tv_sec as u64).wrapping_mul(1_000_000_000).wrapping_add(time.tv_nsec as u64)
}
