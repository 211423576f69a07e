//! Locks of a C or C++ program: read-write lock, condition variable, static guard, once.
//!
//! # Safety
//!
//! What is waited for lives as long as the process, unmoved; calls are made as their manuals say,
//! save that a once control is made new again by the thread that has just run it.
#![allow(unsafe_code)]

use std::cell::UnsafeCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};

use crate::measure::hazard::Hazard;
use crate::measure::hazard::library::Library;
use crate::measure::hazard::program::{FREE_NS, HELD_NS, closures, spin};

/// A read-write lock.
pub(super) static RWLOCK: Hazard = Hazard {
    name: "rwlock",
    available: || Ok(()),
    arm: |_| {
        let (ours, theirs) = pair(libc::PTHREAD_RWLOCK_INITIALIZER);
        let hold = move |_| {
            // SAFETY: initialised, never destroyed, and unlocked by the thread that locked it.
            unsafe { libc::pthread_rwlock_wrlock(ours.get()) };
            spin(HELD_NS);
            // SAFETY: likewise.
            unsafe { libc::pthread_rwlock_unlock(ours.get()) };
            spin(FREE_NS);
        };
        let perform = move || {
            // SAFETY: initialised; that it may never return is what is to be shown.
            unsafe {
                libc::pthread_rwlock_rdlock(theirs.get());
                libc::pthread_rwlock_unlock(theirs.get());
            }
            0
        };
        // Readers and writers wait on different words.
        Ok(closures(hold, perform, false))
    },
};

/// A condition variable with its mutex.
pub(super) static CONDVAR: Hazard = Hazard {
    name: "condvar",
    available: || Ok(()),
    arm: |_| {
        let both = (libc::PTHREAD_MUTEX_INITIALIZER, libc::PTHREAD_COND_INITIALIZER);
        let (ours, theirs) = pair(both);
        let signal = |both: *mut (libc::pthread_mutex_t, libc::pthread_cond_t), held_ns| {
            // SAFETY: initialised, never destroyed, and unlocked by the thread that locked it.
            unsafe {
                libc::pthread_mutex_lock(&raw mut (*both).0);
                spin(held_ns);
                libc::pthread_cond_broadcast(&raw mut (*both).1);
                libc::pthread_mutex_unlock(&raw mut (*both).0);
            }
        };
        let hold = move |_| {
            signal(ours.get(), HELD_NS);
            spin(FREE_NS);
        };
        let perform = move || {
            signal(theirs.get(), 0);
            0
        };
        Ok(closures(hold, perform, true))
    },
};

/// The guard of a static variable of a C++ function.
pub(super) static STATIC_GUARD: Hazard = Hazard {
    name: "static-guard",
    available: || Library::is_installed(CPP),
    arm: |_| {
        let library = Library::load(CPP)?;
        // SAFETY: these are their types in the C++ ABI.
        let (acquire, abort): (Guard<i32>, Guard<()>) = unsafe {
            (library.symbol(c"__cxa_guard_acquire")?, library.symbol(c"__cxa_guard_abort")?)
        };
        let (ours, theirs) = pair(0_u64);
        let initialise = move |guard: *mut u64, length| {
            // SAFETY: a guard that was zero at first. An initialiser that throws leaves it as if it
            // had never begun, so that the next one begins anew.
            unsafe {
                if acquire(guard) != 0 {
                    spin(length);
                    abort(guard);
                }
            }
        };
        let hold = move |_| {
            initialise(ours.get(), HELD_NS);
            spin(FREE_NS);
        };
        let perform = move || {
            initialise(theirs.get(), 0);
            0
        };
        Ok(closures(hold, perform, true))
    },
};

/// The library of the C++ ABI.
const CPP: &str = "libstdc++.so.6";

type Guard<T> = unsafe extern "C" fn(*mut u64) -> T;

/// pthread_once, which std::call_once calls.
pub(super) static ONCE: Hazard = Hazard {
    name: "once",
    available: || Ok(()),
    arm: |_| {
        let hold = |_| {
            once();
            spin(FREE_NS);
        };
        let perform = || {
            once();
            0
        };
        Ok(closures(hold, perform, false))
    },
};

/// A once control is an int in every libc for Linux, 0 at first.
static CONTROL: AtomicI32 = AtomicI32::new(0);

const _: () = assert!(size_of::<libc::pthread_once_t>() == size_of::<AtomicI32>());

thread_local! {
    static RAN: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

unsafe extern "C" {
    fn pthread_once(control: *mut libc::pthread_once_t, run: extern "C" fn()) -> libc::c_int;
}

/// Runs it once more.
fn once() {
    extern "C" fn initialise() {
        spin(HELD_NS);
        RAN.set(true);
    }
    RAN.set(false);
    // SAFETY: a control that lives for ever; who waits for it looks at it again when it is done.
    unsafe { pthread_once(CONTROL.as_ptr(), initialise) };
    if RAN.get() {
        CONTROL.store(0, Ordering::Release);
    }
}

/// What threads and children use alike, through the calls of its own kind only.
struct Shared<T>(UnsafeCell<T>);

impl<T> Shared<T> {
    fn get(&self) -> *mut T {
        self.0.get()
    }
}

// SAFETY: it is only used through calls that are made for use by several threads.
unsafe impl<T> Sync for Shared<T> {}
// SAFETY: it is shared before it is used, and not moved after.
unsafe impl<T> Send for Shared<T> {}

fn pair<T>(value: T) -> (Arc<Shared<T>>, Arc<Shared<T>>) {
    let shared = Arc::new(Shared(UnsafeCell::new(value)));
    (Arc::clone(&shared), shared)
}
