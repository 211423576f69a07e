//! Times and what people call them.
//!
//! # Safety
//!
//! All that is handed over lives through the call.
#![allow(unsafe_code)]

use std::hint::black_box;
use std::mem::MaybeUninit;

use crate::measure::hazard::Hazard;
use crate::measure::hazard::libc_calls::{always, same};

/// The row of localtime_r.
pub(super) static LOCALTIME: Hazard = Hazard {
    name: "localtime",
    available: always,
    arm: |_| {
        Ok(same(|| {
            let mut parts = MaybeUninit::<libc::tm>::uninit();
            // SAFETY: both live through the call.
            unsafe { black_box(libc::localtime_r(&black_box(WHEN), parts.as_mut_ptr())) };
        }))
    },
};

/// The row of localtime, which also looks whether the file of the time zone is another.
pub(super) static LOCALTIME_STATIC: Hazard = Hazard {
    name: "localtime-static",
    available: always,
    arm: |_| {
        // SAFETY: the time lives through the call; the result, which all threads share, is not read.
        Ok(same(|| unsafe {
            black_box(libc::localtime(&black_box(WHEN)));
        }))
    },
};

/// The row of mktime.
pub(super) static MKTIME: Hazard = Hazard {
    name: "mktime",
    available: always,
    arm: |_| {
        Ok(same(|| {
            let mut parts = noon();
            // SAFETY: it lives through the call.
            unsafe { black_box(libc::mktime(&mut parts)) };
        }))
    },
};

/// The row of gmtime_r.
pub(super) static GMTIME: Hazard = Hazard {
    name: "gmtime",
    available: always,
    arm: |_| {
        Ok(same(|| {
            let mut parts = MaybeUninit::<libc::tm>::uninit();
            // SAFETY: both live through the call.
            unsafe { black_box(libc::gmtime_r(&black_box(WHEN), parts.as_mut_ptr())) };
        }))
    },
};

/// The row of strftime.
pub(super) static STRFTIME: Hazard = Hazard {
    name: "strftime",
    available: always,
    arm: |_| {
        Ok(same(|| {
            let parts = noon();
            let mut text = [0; 64];
            let format = c"%Y-%m-%d %H:%M:%S %Z".as_ptr();
            // SAFETY: writes no more than the text has room for.
            unsafe { black_box(libc::strftime(text.as_mut_ptr(), text.len(), format, &parts)) };
        }))
    },
};

/// A second of 2001.
const WHEN: libc::time_t = 1_000_000_000;

/// Noon of a day in 2001.
fn noon() -> libc::tm {
    // SAFETY: numbers and a pointer that may be null.
    let mut parts: libc::tm = unsafe { MaybeUninit::zeroed().assume_init() };
    (parts.tm_year, parts.tm_mon, parts.tm_mday, parts.tm_hour) = (101, 8, 9, 12);
    black_box(parts)
}
