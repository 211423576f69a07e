//! Messages for the log of the machine and for an operator, none of which goes anywhere.
//!
//! # Safety
//!
//! Hands strings that end to functions of the libc.
#![allow(unsafe_code)]

use std::ffi::{c_char, c_int, c_long};
use std::hint::black_box;

use crate::measure::hazard::Hazard;
use crate::measure::hazard::libc_calls::{always, function, has, same};

/// The row of syslog.
pub(super) static SYSLOG: Hazard = Hazard {
    name: "syslog",
    available: always,
    arm: |_| {
        // The libc takes its lock first and looks at the mask second (glibc since 2.33), so that a
        // message which the mask leaves out shows the lock, and reaches no log.
        // SAFETY: sets a number of this process.
        unsafe { libc::setlogmask(EMERGENCIES_ONLY) };
        // SAFETY: a format that takes nothing.
        Ok(same(|| unsafe {
            libc::syslog(libc::LOG_USER | libc::LOG_DEBUG, c"forkbench".as_ptr());
        }))
    },
};

/// The row of its mask.
pub(super) static SETLOGMASK: Hazard = Hazard {
    name: "setlogmask",
    available: always,
    arm: |_| {
        // SAFETY: sets a number of this process.
        Ok(same(|| unsafe {
            libc::setlogmask(black_box(EMERGENCIES_ONLY));
        }))
    },
};

type Fmtmsg = unsafe extern "C" fn(
    c_long,
    *const c_char,
    c_int,
    *const c_char,
    *const c_char,
    *const c_char,
) -> c_int;

/// The row of fmtmsg.
pub(super) static FMTMSG: Hazard = Hazard {
    name: "fmtmsg",
    available: || has(c"fmtmsg").and_then(|()| has(c"addseverity")),
    arm: |_| {
        // SAFETY: as <fmtmsg.h> declares it.
        let fmtmsg: Fmtmsg = unsafe { function(c"fmtmsg") }?;
        // SAFETY: likewise.
        let addseverity: unsafe extern "C" fn(c_int, *const c_char) -> c_int =
            unsafe { function(c"addseverity") }?;
        // It looks for a severity among these first.
        for severity in MM_INFO + 1..=MM_INFO + SEVERITIES {
            // SAFETY: a string that ends and lives for ever.
            unsafe { addseverity(severity, c"SEVERITY".as_ptr()) };
        }
        Ok(same(move || {
            let (label, text) = (c"forkbench:hazard".as_ptr(), c"a message".as_ptr());
            // Neither MM_PRINT nor MM_CONSOLE: it looks up the severity, and writes nothing.
            // SAFETY: strings that end.
            unsafe { fmtmsg(MM_NRECOV, label, MM_ERROR, text, text, label) };
        }))
    },
};

/// LOG_MASK(LOG_EMERG).
const EMERGENCIES_ONLY: c_int = 1 << libc::LOG_EMERG;

/// Of <fmtmsg.h>.
const MM_NRECOV: c_long = 0x80;
const MM_ERROR: c_int = 2;
const MM_INFO: c_int = 4;

/// Severities of the program's own.
const SEVERITIES: c_int = 10;
