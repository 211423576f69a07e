//! Languages, alphabets, translations.
//!
//! # Safety
//!
//! Hands strings that end to functions of the libc; what is opened is closed once.
#![allow(unsafe_code)]

use std::ffi::{CStr, c_char};
use std::hint::black_box;
use std::ptr;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::measure::hazard::Hazard;
use crate::measure::hazard::libc_calls::{
    always, function, has, same, same_behind_rwlock, same_slow,
};

/// The row of setlocale.
pub(super) static SETLOCALE: Hazard = Hazard {
    name: "setlocale",
    available: always,
    arm: |_| {
        // Two, since nothing is done where nothing would change. If this machine has only the
        // second, the libc looks for the first all the same, and in vain.
        // SAFETY: strings that end.
        Ok(same_behind_rwlock(|| unsafe {
            libc::setlocale(libc::LC_ALL, c"C.UTF-8".as_ptr());
            libc::setlocale(libc::LC_ALL, c"C".as_ptr());
        }))
    },
};

/// The row of newlocale.
pub(super) static NEWLOCALE: Hazard = Hazard {
    name: "newlocale",
    available: always,
    arm: |_| {
        // SAFETY: a string that ends; freed once, if there is one.
        Ok(same_behind_rwlock(|| unsafe {
            let name = c"C.UTF-8".as_ptr();
            let locale = libc::newlocale(libc::LC_ALL_MASK, name, ptr::null_mut());
            if !locale.is_null() {
                libc::freelocale(locale);
            }
        }))
    },
};

/// The row of iconv_open.
pub(super) static ICONV_OPEN: Hazard = Hazard {
    name: "iconv_open",
    available: always,
    arm: |_| {
        // Modules, which the libc loads while it holds its lock, and lets go of once three others
        // were closed. If this machine has none, it looks for them all the same, and in vain.
        static TURN: AtomicUsize = AtomicUsize::new(0);
        // SAFETY: strings that end; closed once, if it was opened.
        Ok(same_slow(|| unsafe {
            let alphabet = ALPHABETS[TURN.fetch_add(1, Ordering::Relaxed) % ALPHABETS.len()];
            let conversion = libc::iconv_open(alphabet.as_ptr(), c"UTF-8".as_ptr());
            if conversion as isize != -1 {
                libc::iconv_close(conversion);
            }
        }))
    },
};

/// The row of bindtextdomain.
pub(super) static BINDTEXTDOMAIN: Hazard = Hazard {
    name: "bindtextdomain",
    available: || has(c"bindtextdomain"),
    arm: |_| {
        // SAFETY: char *bindtextdomain(const char *, const char *).
        let bindtextdomain: unsafe extern "C" fn(*const c_char, *const c_char) -> *mut c_char =
            unsafe { function(c"bindtextdomain") }?;
        // A list in the order of names, in which the libc looks from the front.
        for number in 0..DOMAINS {
            let domain = format!("forkbench-{number:03}\0");
            // SAFETY: strings that end, of which the libc makes copies.
            unsafe { bindtextdomain(domain.as_ptr().cast(), c"/nonexistent".as_ptr()) };
        }
        // A name that the libc has is not kept twice.
        // SAFETY: strings that end.
        Ok(same_behind_rwlock(move || unsafe {
            black_box(bindtextdomain(c"forkbench-zzz".as_ptr(), c"/nonexistent".as_ptr()));
        }))
    },
};

const ALPHABETS: [&CStr; 6] =
    [c"ISO-8859-2", c"ISO-8859-5", c"ISO-8859-7", c"ISO-8859-9", c"ISO-8859-15", c"KOI8-R"];

/// Domains of the program and its plug-ins. With a few, the lock is held so shortly that many a
/// child catches it between two of its words: that child does not sleep, but spins for ever.
const DOMAINS: u32 = 300;

/// The row of dgettext.
pub(super) static DGETTEXT: Hazard = Hazard {
    name: "dgettext",
    available: || has(c"dgettext"),
    arm: |_| {
        // SAFETY: char *dgettext(const char *, const char *).
        let dgettext: unsafe extern "C" fn(*const c_char, *const c_char) -> *mut c_char =
            unsafe { function(c"dgettext") }?;
        // SAFETY: strings that end.
        Ok(same(move || unsafe {
            black_box(dgettext(c"forkbench".as_ptr(), c"a message".as_ptr()));
        }))
    },
};
