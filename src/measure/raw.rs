//! Raw system calls, without libc: for the child between birth and exec, and where libc has no
//! wrapper.
//!
//! # Safety
//!
//! A system call does whatever its arguments say: every caller vouches for the pointers it passes.
//! All functions are inlined, so that [`super::mechanism::child`] needs no other code page and
//! makes no call.
#![allow(unsafe_code)]

use std::arch::asm;

/// A system call of up to six arguments. Returns what the kernel returns: `-errno` on failure.
///
/// # Safety
///
/// The arguments must be valid for the system call `number`, and the call must not break what the
/// compiler relies on (it must not return twice, nor unmap memory in use).
#[cfg(target_arch = "x86_64")]
#[inline(always)]
pub unsafe fn syscall6(number: libc::c_long, arguments: [usize; 6]) -> isize {
    let result: isize;
    // SAFETY: the kernel keeps all registers but rax, rcx and r11; the caller vouches for the rest.
    unsafe {
        asm!(
            "syscall",
            inlateout("rax") number as isize => result,
            in("rdi") arguments[0],
            in("rsi") arguments[1],
            in("rdx") arguments[2],
            in("r10") arguments[3],
            in("r8") arguments[4],
            in("r9") arguments[5],
            lateout("rcx") _,
            lateout("r11") _,
            options(nostack),
        );
    }
    result
}

/// A system call of up to six arguments. Returns what the kernel returns: `-errno` on failure.
///
/// # Safety
///
/// The arguments must be valid for the system call `number`, and the call must not break what the
/// compiler relies on (it must not return twice, nor unmap memory in use).
#[cfg(target_arch = "aarch64")]
#[inline(always)]
pub unsafe fn syscall6(number: libc::c_long, arguments: [usize; 6]) -> isize {
    let result: isize;
    // SAFETY: the kernel keeps all registers but x0; the caller vouches for the rest.
    unsafe {
        asm!(
            "svc 0",
            in("x8") number,
            inlateout("x0") arguments[0] => result,
            in("x1") arguments[1],
            in("x2") arguments[2],
            in("x3") arguments[3],
            in("x4") arguments[4],
            in("x5") arguments[5],
            options(nostack),
        );
    }
    result
}

/// A system call of up to four arguments.
///
/// # Safety
///
/// As [`syscall6`].
#[inline(always)]
pub unsafe fn syscall4(number: libc::c_long, arguments: [usize; 4]) -> isize {
    let [a, b, c, d] = arguments;
    // SAFETY: passed on from the caller.
    unsafe { syscall6(number, [a, b, c, d, 0, 0]) }
}

/// CLOCK_MONOTONIC in nanoseconds, by the system call: the vDSO's pages would have to be faulted
/// in by a child whose page tables are new.
#[inline(always)]
pub fn monotonic_ns() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    let arguments = [libc::CLOCK_MONOTONIC as usize, std::ptr::from_mut(&mut time) as usize, 0, 0];
    // SAFETY: `time` is a timespec that lives through the call.
    unsafe { syscall4(libc::SYS_clock_gettime, arguments) };
    (time.tv_sec as u64).wrapping_mul(1_000_000_000).wrapping_add(time.tv_nsec as u64)
}
