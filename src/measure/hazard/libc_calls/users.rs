//! Users, groups, services, hosts, sessions: what the files of the machine say of them.
//!
//! # Safety
//!
//! Hands strings that end to functions of the libc. Results that all threads share are not read.
#![allow(unsafe_code)]

use std::ffi::{c_char, c_void};
use std::fs;
use std::hint::black_box;
use std::mem::MaybeUninit;
use std::ptr;

use crate::measure::hazard::Hazard;
use crate::measure::hazard::libc_calls::{always, function, has, same, same_slow, unavailable};
use crate::measure::mechanism::Refusal;

/// The row of getpwnam.
pub(super) static GETPWNAM: Hazard = Hazard {
    name: "getpwnam",
    available: always,
    arm: |_| {
        // SAFETY: a string that ends.
        Ok(same_slow(|| unsafe {
            black_box(libc::getpwnam(c"root".as_ptr()));
        }))
    },
};

/// The row of getgrnam.
pub(super) static GETGRNAM: Hazard = Hazard {
    name: "getgrnam",
    available: always,
    arm: |_| {
        // SAFETY: a string that ends.
        Ok(same_slow(|| unsafe {
            black_box(libc::getgrnam(c"root".as_ptr()));
        }))
    },
};

/// The row of getservbyname.
pub(super) static GETSERVBYNAME: Hazard = Hazard {
    name: "getservbyname",
    available: always,
    arm: |_| {
        // SAFETY: strings that end.
        Ok(same_slow(|| unsafe {
            black_box(libc::getservbyname(c"http".as_ptr(), c"tcp".as_ptr()));
        }))
    },
};

/// The row of gethostbyname.
pub(super) static GETHOSTBYNAME: Hazard = Hazard {
    name: "gethostbyname",
    available: || has(c"gethostbyname").and_then(|()| has_localhost()),
    arm: |_| {
        // SAFETY: struct hostent *gethostbyname(const char *).
        let gethostbyname: unsafe extern "C" fn(*const c_char) -> *mut c_void =
            unsafe { function(c"gethostbyname") }?;
        // SAFETY: a string that ends.
        Ok(same_slow(move || unsafe {
            black_box(gethostbyname(c"localhost".as_ptr()));
        }))
    },
};

/// The row of getpwnam_r.
pub(super) static GETPWNAM_R: Hazard = Hazard {
    name: "getpwnam_r",
    available: always,
    arm: |_| {
        Ok(same_slow(|| {
            let mut entry = MaybeUninit::<libc::passwd>::uninit();
            let mut text = [0; 1_024];
            let mut found = ptr::null_mut();
            // SAFETY: writes no more than the text has room for.
            unsafe {
                libc::getpwnam_r(
                    c"root".as_ptr(),
                    entry.as_mut_ptr(),
                    text.as_mut_ptr(),
                    text.len(),
                    &mut found,
                )
            };
            black_box(found);
        }))
    },
};

/// The row of getaddrinfo.
pub(super) static GETADDRINFO: Hazard = Hazard {
    name: "getaddrinfo",
    available: has_localhost,
    arm: |_| {
        Ok(same_slow(|| {
            let mut found = ptr::null_mut();
            // SAFETY: a string that ends; what was found is freed once.
            unsafe {
                if libc::getaddrinfo(c"localhost".as_ptr(), ptr::null(), ptr::null(), &mut found)
                    == 0
                {
                    libc::freeaddrinfo(found);
                }
            }
        }))
    },
};

/// The row of getaddrinfo where there is nothing to look up.
pub(super) static GETADDRINFO_IP: Hazard = Hazard {
    name: "getaddrinfo-ip",
    available: always,
    arm: |_| {
        Ok(same_slow(|| {
            // SAFETY: numbers and pointers that may be null.
            let mut hints: libc::addrinfo = unsafe { MaybeUninit::zeroed().assume_init() };
            hints.ai_flags = libc::AI_NUMERICHOST;
            let mut found = ptr::null_mut();
            // SAFETY: a string that ends; what was found is freed once.
            unsafe {
                if libc::getaddrinfo(c"127.0.0.1".as_ptr(), ptr::null(), &hints, &mut found) == 0 {
                    libc::freeaddrinfo(found);
                }
            }
        }))
    },
};

/// The row of getutent.
pub(super) static GETUTENT: Hazard = Hazard {
    name: "getutent",
    available: || has(c"setutent").and_then(|()| has(c"getutent")),
    arm: |_| {
        // SAFETY: void setutent(void), struct utmp *getutent(void).
        let (setutent, getutent): (unsafe extern "C" fn(), unsafe extern "C" fn() -> *mut c_void) =
            unsafe { (function(c"setutent")?, function(c"getutent")?) };
        // SAFETY: they take nothing.
        Ok(same(move || unsafe {
            setutent();
            black_box(getutent());
        }))
    },
};

/// Whether a file names localhost, so that no server is asked.
fn has_localhost() -> Result<(), Refusal> {
    let hosts = fs::read_to_string("/etc/hosts").unwrap_or_default();
    let is_there = hosts.lines().any(|line| {
        let names = line.split('#').next().unwrap_or_default();
        names.split_whitespace().skip(1).any(|name| name == "localhost")
    });
    if is_there {
        Ok(())
    } else {
        Err(unavailable(
            "/etc/hosts does not name localhost, so that a server would be asked".into(),
        ))
    }
}
