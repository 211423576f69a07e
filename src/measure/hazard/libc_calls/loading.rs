//! Shared objects: finding them, loading them, and what is called at the end of the process.
//!
//! # Safety
//!
//! Loads libraries of the libc's own, which do nothing when they are loaded; what is registered for
//! the end of the process is a function that does nothing.
#![allow(unsafe_code)]

use std::ffi::{CStr, c_int, c_void};
use std::hint::black_box;
use std::ptr;

use crate::measure::hazard::Hazard;
use crate::measure::hazard::libc_calls::{always, apart, function, has, same, unavailable};
use crate::measure::mechanism::Refusal;

/// The row of dl_iterate_phdr.
pub(super) static DL_ITERATE_PHDR: Hazard =
    Hazard { name: "dl_iterate_phdr", available: always, arm: |_| Ok(same(iterate)) };

/// The row of a library that only the child loads.
pub(super) static DLOPEN_NEW: Hazard = Hazard {
    name: "dlopen-new",
    available: always,
    arm: |_| {
        let library = not_loaded()?;
        Ok(apart(iterate, move || open(library)))
    },
};

/// The row of a library that is loaded.
pub(super) static DLOPEN: Hazard = Hazard {
    name: "dlopen",
    available: || if can_open(LOADED) { Ok(()) } else { Err(unavailable(no_library())) },
    arm: |_| Ok(same(|| open(LOADED))),
};

type Registered = unsafe extern "C" fn(*mut c_void);

/// The row of exit.
pub(super) static EXIT: Hazard = Hazard {
    name: "exit",
    available: || has(c"__cxa_atexit").and_then(|()| has(c"__cxa_finalize")),
    arm: |_| {
        // atexit() itself would need more memory with each call. __cxa_atexit is what it calls, and
        // __cxa_finalize, which dlclose calls, gives the place back.
        // SAFETY: as the ABI of C++ declares them.
        let (register, finalize): (
            unsafe extern "C" fn(Registered, *mut c_void, *const c_void) -> c_int,
            unsafe extern "C" fn(*const c_void),
        ) = unsafe { (function(c"__cxa_atexit")?, function(c"__cxa_finalize")?) };
        let hold = move || {
            let library = (&raw const OWNER).cast();
            // SAFETY: the function does nothing; no library has this address for a handle.
            unsafe {
                register(nothing, ptr::null_mut(), library);
                finalize(library);
            }
        };
        // SAFETY: the end of the process, with all that this brings about.
        Ok(apart(hold, || unsafe { libc::exit(0) }))
    },
};

/// Its address stands for a library.
static OWNER: u8 = 0;

unsafe extern "C" fn nothing(_: *mut c_void) {}

/// A library that every process has that has this libc.
const LOADED: &CStr = c"libc.so.6";

/// Libraries that come with glibc and that hardly a program loads.
const RARE: [&CStr; 4] =
    [c"libBrokenLocale.so.1", c"libanl.so.1", c"libutil.so.1", c"libthread_db.so.1"];

/// Looks at every library that is loaded.
fn iterate() {
    // SAFETY: the function only counts, in a number that lives through the call.
    unsafe {
        let mut count = 0_usize;
        libc::dl_iterate_phdr(Some(count_one), (&raw mut count).cast());
        black_box(count);
    }
}

unsafe extern "C" fn count_one(_: *mut libc::dl_phdr_info, _: usize, count: *mut c_void) -> c_int {
    // SAFETY: what `iterate` handed over.
    unsafe { *count.cast::<usize>() += 1 };
    0
}

/// Loads a library, or finds it loaded, and lets go of it.
fn open(library: &CStr) {
    // SAFETY: a library of the libc's; closed once, if it was opened.
    unsafe {
        let handle = libc::dlopen(library.as_ptr(), libc::RTLD_NOW);
        if !handle.is_null() {
            libc::dlclose(handle);
        }
    }
}

/// Whether a library can be loaded.
fn can_open(library: &CStr) -> bool {
    // SAFETY: as in `open`.
    unsafe {
        let handle = libc::dlopen(library.as_ptr(), libc::RTLD_NOW);
        !handle.is_null() && libc::dlclose(handle) == 0
    }
}

/// A library that can be loaded, and is not.
fn not_loaded() -> Result<&'static CStr, Refusal> {
    let is_loaded = |library: &CStr| {
        let flags = libc::RTLD_NOW | libc::RTLD_NOLOAD;
        // SAFETY: finds it only if it is loaded; closed once.
        unsafe {
            let handle = libc::dlopen(library.as_ptr(), flags);
            !handle.is_null() && libc::dlclose(handle) == 0
        }
    };
    RARE.into_iter()
        .find(|library| !is_loaded(library) && can_open(library) && !is_loaded(library))
        .ok_or_else(|| unavailable(no_library()))
}

fn no_library() -> String {
    "no library of glibc's own can be loaded".to_owned()
}
