//! Pinning memory: it becomes the registered buffers of an io_uring, which holds its pages for as
//! long as it lives. A device driver (RDMA, VFIO) pins pages the same way.
//!
//! # Safety
//!
//! Two system calls; their arguments are locals, and memory that the caller keeps.
#![allow(unsafe_code)]

use std::fs;
use std::mem;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::ptr;

use crate::measure::mechanism::Refusal;
use crate::measure::memory::raise_locked_limit;

/// The most that one buffer can hold (io_uring/rsrc.c, SZ_1G).
const BUFFER: usize = 1 << 30;

// include/uapi/linux/io_uring.h
const IORING_REGISTER_BUFFERS: libc::c_long = 0;
/// `struct io_uring_params` has 120 bytes, all of them zero here.
type Parameters = [u64; 15];

/// Registers `bytes` from `start` on as buffers of a new ring, and returns the ring.
pub(super) fn pin(start: *mut u8, bytes: usize) -> Result<OwnedFd, Refusal> {
    let limit = raise_locked_limit(bytes);
    let mut parameters: Parameters = [0; 15];
    // SAFETY: the parameters live through the call; the result is a new descriptor or -1.
    let ring = unsafe {
        let ring = libc::syscall(libc::SYS_io_uring_setup, 1_u32, ptr::from_mut(&mut parameters));
        if ring < 0 {
            return Err(refused());
        }
        OwnedFd::from_raw_fd(ring as i32)
    };
    let buffers: Vec<libc::iovec> = (0..bytes)
        .step_by(BUFFER)
        .map(|from| libc::iovec {
            iov_base: start.wrapping_add(from).cast(),
            iov_len: BUFFER.min(bytes - from),
        })
        .collect();
    // SAFETY: the buffers live through the call, and what they name for as long as the ring.
    let failed = unsafe {
        libc::syscall(
            libc::SYS_io_uring_register,
            ring.as_raw_fd(),
            IORING_REGISTER_BUFFERS,
            buffers.as_ptr(),
            buffers.len() as u32,
        )
    };
    if failed < 0 {
        let needed = bytes >> 10;
        return Err(Refusal::last(&format!(
            "memory=pinned: the kernel does not pin {needed} KiB; the hard limit of locked memory \
             is {limit} bytes: raise it (`ulimit -Hl {needed}` as root), or ask for less"
        )));
    }
    Ok(ring)
}

fn refused() -> Refusal {
    let disabled = fs::read_to_string("/proc/sys/kernel/io_uring_disabled").unwrap_or_default();
    match disabled.trim() {
        "1" | "2" => Refusal::last(&format!(
            "memory=pinned needs an io_uring and kernel.io_uring_disabled is {}: allow it \
             (`sysctl kernel.io_uring_disabled=0` as root)",
            disabled.trim()
        )),
        _ => Refusal::last(
            "memory=pinned needs an io_uring, which is refused here: a kernel without it (before \
             5.1, CONFIG_IO_URING), or a seccomp filter as containers have (docker: \
             `--security-opt seccomp=unconfined`)",
        ),
    }
}

const _: () = assert!(mem::size_of::<Parameters>() == 120);
