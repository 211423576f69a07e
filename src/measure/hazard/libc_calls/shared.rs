//! Things that threads share: a directory, a pattern, a semaphore.
//!
//! # Safety
//!
//! What is shared lives as long as the process; the libc locks it itself.
#![allow(unsafe_code)]

use std::cell::UnsafeCell;
use std::fs;
use std::hint::black_box;
use std::io;
use std::mem::MaybeUninit;
use std::ptr;

use crate::measure::hazard::Hazard;
use crate::measure::hazard::libc_calls::{Shared, always, same, same_slow, unavailable};
use crate::measure::mechanism::Refusal;

/// The row of readdir.
pub(super) static READDIR: Hazard = Hazard {
    name: "readdir",
    available: always,
    arm: |_| {
        // SAFETY: a string that ends.
        let directory = unsafe { libc::opendir(c"/".as_ptr()) };
        if directory.is_null() {
            return Err(Refusal::last("the directory / cannot be opened"));
        }
        let directory = Shared(directory);
        // SAFETY: it is never closed; the entry, which all threads share, is not read.
        Ok(same(move || unsafe {
            if libc::readdir(directory.get()).is_null() {
                libc::rewinddir(directory.get());
            }
        }))
    },
};

/// The row of regexec.
pub(super) static REGEXEC: Hazard = Hazard {
    name: "regexec",
    available: always,
    arm: |_| {
        let pattern: &'static _ =
            Box::leak(Box::new(UnsafeCell::new(MaybeUninit::<libc::regex_t>::uninit())));
        let pattern = Shared(pattern.get().cast::<libc::regex_t>());
        let text = c"^([a-z]+)@([a-z]+[.])+[a-z]+$".as_ptr();
        // SAFETY: room for a pattern; a string that ends.
        let failed = unsafe { libc::regcomp(pattern.get(), text, libc::REG_EXTENDED) };
        if failed != 0 {
            return Err(unavailable(format!("regcomp fails with {failed}")));
        }
        Ok(same_slow(move || {
            let mut groups = [const { MaybeUninit::<libc::regmatch_t>::uninit() }; 3];
            // SAFETY: compiled, and never freed; no more groups than there is room for.
            black_box(unsafe {
                libc::regexec(
                    pattern.get(),
                    c"somebody@some.where.example".as_ptr(),
                    groups.len(),
                    groups.as_mut_ptr().cast(),
                    0,
                )
            });
        }))
    },
};

/// The row of sem_open.
pub(super) static SEM_OPEN: Hazard = Hazard {
    name: "sem_open",
    available: || {
        if may_mount() {
            return Ok(());
        }
        Err(unavailable(
            "a semaphore with a name is a file, which outlives a process that is killed, so a \
             /dev/shm of the subject's own is needed, and that takes CAP_SYS_ADMIN; see sem_close"
                .to_owned(),
        ))
    },
    arm: |_| {
        own_shm()?;
        let (create, mode, value) = (libc::O_CREAT, 0o600, 1);
        // SAFETY: the arguments that a flag to create asks for.
        let semaphore = unsafe { libc::sem_open(NAME.as_ptr(), create, mode, value) };
        if semaphore == libc::SEM_FAILED {
            return Err(Refusal::last("no semaphore"));
        }
        // So that it is mapped, and unmapped again, each time.
        // SAFETY: opened just now, closed once.
        unsafe { libc::sem_close(semaphore) };
        // SAFETY: strings that end; closed once, if it was opened.
        Ok(same_slow(|| unsafe {
            let semaphore = libc::sem_open(NAME.as_ptr(), 0);
            if semaphore != libc::SEM_FAILED {
                libc::sem_close(semaphore);
            }
        }))
    },
};

/// The row of sem_close.
pub(super) static SEM_CLOSE: Hazard = Hazard {
    name: "sem_close",
    available: always,
    arm: |_| {
        let semaphore = local_semaphore()?;
        // It looks for the semaphore among those that have a name, finds none, and says so.
        // SAFETY: it is never destroyed.
        Ok(same(move || unsafe {
            libc::sem_close(semaphore.get());
        }))
    },
};

/// The row of sem_post.
pub(super) static SEM_POST: Hazard = Hazard {
    name: "sem_post",
    available: always,
    arm: |_| {
        let semaphore = local_semaphore()?;
        // SAFETY: it is never destroyed.
        Ok(same(move || unsafe {
            libc::sem_post(semaphore.get());
            libc::sem_trywait(semaphore.get());
        }))
    },
};

/// In a /dev/shm of the subject's own, so that all have the same.
const NAME: &std::ffi::CStr = c"/forkbench";

/// A semaphore without a name.
fn local_semaphore() -> Result<Shared<libc::sem_t>, Refusal> {
    let semaphore: &'static _ =
        Box::leak(Box::new(UnsafeCell::new(MaybeUninit::<libc::sem_t>::uninit())));
    let semaphore = Shared(semaphore.get().cast::<libc::sem_t>());
    // SAFETY: room for one, which lives as long as the process.
    if unsafe { libc::sem_init(semaphore.get(), 0, 1) } != 0 {
        return Err(Refusal::last("no semaphore"));
    }
    Ok(semaphore)
}

/// Whether this process has CAP_SYS_ADMIN.
fn may_mount() -> bool {
    const SYS_ADMIN: u64 = 1 << 21;
    let status = fs::read_to_string("/proc/thread-self/status").unwrap_or_default();
    status
        .lines()
        .find_map(|line| line.strip_prefix("CapEff:"))
        .and_then(|text| u64::from_str_radix(text.trim(), 16).ok())
        .is_some_and(|effective| effective & SYS_ADMIN != 0)
}

/// Gives this thread, and those that it starts, a /dev/shm that nobody else sees: it ends with them.
fn own_shm() -> Result<(), Refusal> {
    let refuse = |what: &str| Refusal {
        errno: io::Error::last_os_error().raw_os_error().unwrap_or(0),
        reason: format!("not available: {what}; see sem_close"),
    };
    let none = c"none".as_ptr();
    // SAFETY: strings that end.
    unsafe {
        if libc::unshare(libc::CLONE_NEWNS) != 0 {
            return Err(refuse("no mount namespace of the subject's own"));
        }
        let private = libc::MS_REC | libc::MS_PRIVATE;
        if libc::mount(none, c"/".as_ptr(), ptr::null(), private, ptr::null()) != 0 {
            return Err(refuse("its mounts cannot be made private"));
        }
        let (shm, kind, size) = (c"/dev/shm".as_ptr(), c"tmpfs".as_ptr(), c"size=64k".as_ptr());
        let flags = libc::MS_NOSUID | libc::MS_NODEV | libc::MS_NOEXEC;
        if libc::mount(kind, shm, kind, flags, size.cast()) != 0 {
            return Err(refuse("no /dev/shm of the subject's own"));
        }
    }
    Ok(())
}
