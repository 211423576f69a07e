//! Functions of the libc behind locks of its own.
//!
//! A row is a call that threads make over and over, and a child a few times. What it needs is made
//! by `arm`, before the threads start, and lives as long as the process. A call leaves nothing
//! behind: it frees what it allocates, sets the same few names to the same few values, and touches
//! no file that outlives the process.
//!
//! # Safety
//!
//! Looks up functions of the libc by name, and calls them by the signatures that the manual gives.
#![allow(unsafe_code)]

mod environment;
mod loading;
mod locale;
mod logging;
mod memory;
mod shared;
mod stdio;
mod time;
mod users;

use std::ffi::{CStr, c_void};
use std::mem;

use crate::measure::hazard::{Hazard, Trap};
use crate::measure::mechanism::Refusal;

/// The rows of them, in the order of their words.
pub(super) static ROWS: &[&Hazard] = &[
    &memory::MALLOC,
    &memory::MALLOC_SMALL,
    &memory::MALLOC_MMAP,
    &stdio::STDIO,
    &stdio::FFLUSH,
    &stdio::FOPEN,
    &time::LOCALTIME,
    &time::LOCALTIME_STATIC,
    &time::MKTIME,
    &time::GMTIME,
    &time::STRFTIME,
    &environment::SETENV,
    &environment::PUTENV,
    &environment::GETENV,
    &environment::RANDOM,
    &environment::RAND,
    &environment::DRAND48,
    &logging::SYSLOG,
    &logging::SETLOGMASK,
    &users::GETPWNAM,
    &users::GETGRNAM,
    &users::GETSERVBYNAME,
    &users::GETHOSTBYNAME,
    &users::GETPWNAM_R,
    &users::GETADDRINFO,
    &users::GETADDRINFO_IP,
    &loading::DL_ITERATE_PHDR,
    &loading::DLOPEN_NEW,
    &loading::DLOPEN,
    &locale::SETLOCALE,
    &locale::NEWLOCALE,
    &locale::ICONV_OPEN,
    &locale::BINDTEXTDOMAIN,
    &locale::DGETTEXT,
    &stdio::POPEN,
    &loading::EXIT,
    &shared::READDIR,
    &shared::REGEXEC,
    &shared::SEM_OPEN,
    &shared::SEM_CLOSE,
    &shared::SEM_POST,
    &users::GETUTENT,
    &logging::FMTMSG,
];

/// How often a child makes its call.
const REPEATS: u32 = 3;

/// What threads and children call.
struct Calls<H, P> {
    hold: H,
    /// How often a thread makes its call before it looks whether it is to sleep.
    holds: u32,
    perform: P,
    has_lock_word: bool,
}

impl<H, P> Trap for Calls<H, P>
where
    H: Fn() + Send + Sync,
    P: Fn() + Send + Sync,
{
    fn hold(&self, _: u32) {
        for _ in 0..self.holds {
            (self.hold)();
        }
    }

    fn perform(&self) -> i32 {
        for _ in 0..REPEATS {
            (self.perform)();
        }
        0
    }

    fn has_lock_word(&self) -> bool {
        self.has_lock_word
    }
}

/// Threads and children make the same call, of less than a microsecond or so.
fn same(call: impl Fn() + Copy + Send + Sync + 'static) -> Box<dyn Trap> {
    Box::new(Calls { hold: call, holds: 8, perform: call, has_lock_word: true })
}

/// Threads and children make the same call, of some microseconds or more.
fn same_slow(call: impl Fn() + Copy + Send + Sync + 'static) -> Box<dyn Trap> {
    Box::new(Calls { hold: call, holds: 1, perform: call, has_lock_word: true })
}

/// As [`same_slow`], behind a lock for readers and writers: it has no word that is 0 if and only if
/// nobody holds it.
fn same_behind_rwlock(call: impl Fn() + Copy + Send + Sync + 'static) -> Box<dyn Trap> {
    Box::new(Calls { hold: call, holds: 1, perform: call, has_lock_word: false })
}

/// What threads call, and what a child does.
fn apart(
    hold: impl Fn() + Send + Sync + 'static,
    perform: impl Fn() + Send + Sync + 'static,
) -> Box<dyn Trap> {
    Box::new(Calls { hold, holds: 8, perform, has_lock_word: true })
}

/// A thing of the libc's that threads share, and that lives as long as the process.
struct Shared<T>(*mut T);

impl<T> Shared<T> {
    fn get(self) -> *mut T {
        self.0
    }
}

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Shared<T> {}

// SAFETY: it is only handed to functions that lock it themselves.
unsafe impl<T> Send for Shared<T> {}
// SAFETY: likewise.
unsafe impl<T> Sync for Shared<T> {}

/// Every libc has it.
fn always() -> Result<(), Refusal> {
    Ok(())
}

/// A function that not every libc has, or that the crate `libc` does not name.
///
/// # Safety
///
/// `F` is the type of a pointer to a function of that name.
unsafe fn function<F: Copy>(name: &CStr) -> Result<F, Refusal> {
    const { assert!(size_of::<F>() == size_of::<*mut c_void>()) };
    // SAFETY: asks for an address by a name that ends.
    let address = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) };
    if address.is_null() {
        return Err(unavailable(format!("this libc has no {}", name.to_string_lossy())));
    }
    // SAFETY: as the caller says.
    Ok(unsafe { mem::transmute_copy(&address) })
}

/// Whether the libc has a function of that name.
fn has(name: &CStr) -> Result<(), Refusal> {
    // SAFETY: it is not called by this type.
    unsafe { function::<*mut c_void>(name) }.map(drop)
}

/// It cannot be had here.
fn unavailable(reason: String) -> Refusal {
    Refusal { errno: 0, reason: format!("not available: {reason}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::setup::Setup;
    use std::fs;
    use std::thread;

    /// In a thread of its own, since one has a mount namespace of its own; no two at once, since
    /// some change what belongs to the process.
    #[test]
    fn threads_and_children_can_do_it_where_nobody_forks() {
        for row in ROWS {
            if let Err(refusal) = (row.available)() {
                eprintln!("skipped: {}: {refusal}", row.name);
                continue;
            }
            thread::spawn(|| {
                let trap = match (row.arm)(&Setup::default().work) {
                    Ok(trap) => trap,
                    Err(refusal) => return eprintln!("skipped: {}: {refusal}", row.name),
                };
                for _ in 0..3 {
                    trap.hold(0);
                    trap.hold(1);
                }
                // It would end this process.
                if row.name != "exit" {
                    assert_eq!(trap.perform(), 0, "{}", row.name);
                }
            })
            .join()
            .unwrap();
        }
        let left: Vec<_> = fs::read_dir("/dev/shm")
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.file_name())
            .filter(|name| name.to_string_lossy().starts_with("sem.forkbench"))
            .collect();
        assert!(left.is_empty(), "{left:?}");
    }

    #[test]
    fn a_function_that_the_libc_lacks_is_not_available() {
        assert!(has(c"getenv").is_ok());
        let refusal = has(c"gtenv").unwrap_err();
        assert!(refusal.reason.starts_with("not available: "), "{refusal}");
        assert!(refusal.reason.contains("gtenv"), "{refusal}");
    }
}
