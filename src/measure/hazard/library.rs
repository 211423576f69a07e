//! Libraries that are loaded where they are installed, and what of them waits for what.
//!
//! forkbench links none of them. A library is loaded into a subject only, and by name; that it is
//! installed is told from the loader's cache and directories, since loading runs its code.
//!
//! # Safety
//!
//! Functions are called with the types that their headers give them; a library is never unloaded.
#![allow(unsafe_code)]

use std::env;
use std::ffi::{CStr, CString, c_char, c_int, c_uint, c_void};
use std::fs;
use std::hint::black_box;
use std::mem;
use std::path::Path;
use std::ptr;
use std::thread;
use std::time::Duration;

use crate::measure::hazard::program::{closures, spin};
use crate::measure::hazard::{Hazard, Trap};
use crate::measure::mechanism::Refusal;

/// A library that was loaded.
pub(super) struct Library(*mut c_void);

impl Library {
    /// Whether the loader would find it; if not, why. Does not load it.
    ///
    /// # Errors
    ///
    /// That it is not installed, or that this build loads nothing.
    pub(super) fn is_installed(name: &str) -> Result<(), Refusal> {
        let refuse = |reason: String| Err(Refusal { errno: 0, reason });
        if cfg!(target_feature = "crt-static") {
            return refuse(format!("not available: a static forkbench cannot load {name}"));
        }
        let cache = fs::read("/etc/ld.so.cache").unwrap_or_default();
        let entry = [b"/", name.as_bytes(), b"\0"].concat();
        let is_cached = cache.windows(entry.len()).any(|window| window == entry);
        let path = env::var("LD_LIBRARY_PATH").unwrap_or_default();
        let searched = path.split(':').filter(|directory| !directory.is_empty());
        let usual = ["/lib64", "/usr/lib64", "/lib", "/usr/lib", "/usr/local/lib"];
        if is_cached || searched.chain(usual).any(|place| Path::new(place).join(name).exists()) {
            return Ok(());
        }
        refuse(format!("not available: {name} is not installed"))
    }

    /// Loads it. Its symbols stand in for none of this program's.
    ///
    /// # Errors
    ///
    /// What the loader says.
    pub(super) fn load(name: &str) -> Result<Library, Refusal> {
        let path = CString::new(name).expect("it has no NUL byte");
        // SAFETY: runs what the library runs when it is loaded, before this subject has threads.
        let handle = unsafe { libc::dlopen(path.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL) };
        if handle.is_null() { Err(last_error(name)) } else { Ok(Library(handle)) }
    }

    /// A function of it.
    ///
    /// # Safety
    ///
    /// `T` must be a pointer to a function of the type that this one has.
    ///
    /// # Errors
    ///
    /// That there is none of that name.
    pub(super) unsafe fn symbol<T: Copy>(&self, name: &CStr) -> Result<T, Refusal> {
        const { assert!(size_of::<T>() == size_of::<*mut c_void>()) };
        // SAFETY: the library stays loaded for ever.
        let address = unsafe { libc::dlsym(self.0, name.as_ptr()) };
        if address.is_null() {
            return Err(last_error(&name.to_string_lossy()));
        }
        // SAFETY: both are of the size of a pointer, and the caller vouches for the type.
        Ok(unsafe { mem::transmute_copy(&address) })
    }
}

fn last_error(what: &str) -> Refusal {
    // SAFETY: a string of the loader's, or null, read before its next call.
    let text = unsafe { libc::dlerror() };
    let said = if text.is_null() {
        what.to_owned()
    } else {
        // SAFETY: not null, and ended by a NUL.
        unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned()
    };
    Refusal { errno: 0, reason: format!("not available: {said}") }
}

/// The allocator jemalloc.
pub(super) static JEMALLOC: Hazard = Hazard {
    name: "jemalloc",
    available: || Library::is_installed(JEMALLOC_NAME),
    arm: |_| {
        // One arena for all threads: else the child finds one that nobody holds.
        // SAFETY: changes the environment before this subject has threads; it is read when the
        // library is loaded.
        unsafe { env::set_var("MALLOC_CONF", "narenas:1,tcache:false") };
        let library = Library::load(JEMALLOC_NAME);
        // SAFETY: likewise.
        unsafe { env::remove_var("MALLOC_CONF") };
        allocator(&library?)
    },
};

const JEMALLOC_NAME: &str = "libjemalloc.so.2";

/// The allocator of gperftools, which is older than the one that is named TCMalloc today.
pub(super) static TCMALLOC: Hazard = Hazard {
    name: "tcmalloc",
    available: || Library::is_installed(TCMALLOC_NAME),
    arm: |_| allocator(&Library::load(TCMALLOC_NAME)?),
};

const TCMALLOC_NAME: &str = "libtcmalloc_minimal.so.4";

/// How often a call is made before the thread looks up.
const REPEATS: u32 = 8;

/// A size for which neither of the two has a list of each thread's own.
const BLOCK: usize = 300_000;

/// The trap of an allocator, by its own functions: forkbench itself goes on with the libc's.
fn allocator(library: &Library) -> Result<Box<dyn Trap>, Refusal> {
    type Malloc = unsafe extern "C" fn(usize) -> *mut c_void;
    type Free = unsafe extern "C" fn(*mut c_void);
    // SAFETY: these are their types.
    let (malloc, free): (Malloc, Free) =
        unsafe { (library.symbol(c"malloc")?, library.symbol(c"free")?) };
    let call = move || {
        for _ in 0..REPEATS {
            // SAFETY: a block of the size asked for, written only if there is one, freed once by
            // the allocator that it is of.
            unsafe {
                let block = black_box(malloc(black_box(BLOCK)));
                if !block.is_null() {
                    block.cast::<u8>().write_volatile(1);
                }
                free(black_box(block));
            }
        }
    };
    let perform = move || {
        call();
        0
    };
    Ok(closures(move |_| call(), perform, false))
}

/// The random numbers of OpenSSL.
pub(super) static OPENSSL: Hazard = Hazard {
    name: "openssl-rand",
    available: || Library::is_installed(OPENSSL_NAME),
    arm: |_| {
        let library = Library::load(OPENSSL_NAME)?;
        type Add = unsafe extern "C" fn(*const c_void, c_int, f64);
        type Bytes = unsafe extern "C" fn(*mut u8, c_int) -> c_int;
        // SAFETY: these are their types.
        let (add, bytes): (Add, Bytes) =
            unsafe { (library.symbol(c"RAND_add")?, library.symbol(c"RAND_bytes")?) };
        let draw = move || {
            let mut drawn = [0_u8; 16];
            // SAFETY: writes so many bytes into it.
            unsafe { bytes(drawn.as_mut_ptr(), drawn.len() as c_int) };
            black_box(drawn);
            0
        };
        // This thread has a generator of its own from now on, which notices a fork, and then asks
        // the one of the whole process for a new seed.
        draw();
        let hold = move |_| {
            let seed = [7_u8; 16];
            // SAFETY: reads so many bytes of it.
            unsafe { add(seed.as_ptr().cast(), seed.len() as c_int, 0.0) };
            spin(REST_NS);
        };
        Ok(closures(hold, draw, false))
    },
};

/// How long a thread rests after a call, which takes a microsecond or two, in nanoseconds.
const REST_NS: u64 = 3_000;

const OPENSSL_NAME: &str = "libcrypto.so.3";

/// A parallel region of OpenMP.
pub(super) static OPENMP: Hazard = Hazard {
    name: "openmp",
    available: || Library::is_installed(OPENMP_NAME),
    arm: |_| {
        let library = Library::load(OPENMP_NAME)?;
        type Body = extern "C" fn(*mut c_void);
        type Parallel = unsafe extern "C" fn(Body, *mut c_void, c_uint, c_uint);
        // SAFETY: this is its type.
        let parallel: Parallel = unsafe { library.symbol(c"GOMP_parallel")? };
        let region = move || {
            // SAFETY: two threads call a function that does nothing.
            unsafe { parallel(nothing, ptr::null_mut(), 2, 0) };
            0
        };
        // The worker of this thread, which will fork, is made by its first region.
        region();
        Ok(closures(|_| idle(), region, false))
    },
};

const OPENMP_NAME: &str = "libgomp.so.1";

extern "C" fn nothing(_: *mut c_void) {}

/// A product of matrices by OpenBLAS.
pub(super) static OPENBLAS: Hazard = Hazard {
    name: "openblas",
    available: || Library::is_installed(OPENBLAS_NAME),
    arm: |_| {
        // It has as many threads as it sees processors when it is loaded.
        let library = on_every_processor(|| Library::load(OPENBLAS_NAME))?;
        // SAFETY: this is its type, save that numbers are passed by address as in Fortran.
        let product: Dgemm = unsafe { library.symbol(c"dgemm_")? };
        let matrix = vec![1.0_f64; ORDER * ORDER];
        let multiply = move || {
            let order = ORDER as c_int;
            let (plain, one, zero) = (b'N' as c_char, 1.0, 0.0);
            let mut result = vec![0.0_f64; ORDER * ORDER];
            // SAFETY: three square matrices of that order; the last one is written.
            unsafe {
                product(
                    &plain,
                    &plain,
                    &order,
                    &order,
                    &order,
                    &one,
                    matrix.as_ptr(),
                    &order,
                    matrix.as_ptr(),
                    &order,
                    &zero,
                    result.as_mut_ptr(),
                    &order,
                );
            }
            i32::from(result[0] != ORDER as f64)
        };
        multiply();
        Ok(closures(|_| idle(), multiply, false))
    },
};

/// Calls it while this thread may run anywhere, and not only where spawners do.
fn on_every_processor<T>(call: impl FnOnce() -> T) -> T {
    // SAFETY: sets are plain data and live through the calls; a bit of each processor that there is
    // not means nothing.
    unsafe {
        let mut before: libc::cpu_set_t = mem::zeroed();
        let all: libc::cpu_set_t = mem::transmute([u8::MAX; size_of::<libc::cpu_set_t>()]);
        let bytes = size_of::<libc::cpu_set_t>();
        let known = libc::sched_getaffinity(0, bytes, &mut before) == 0;
        libc::sched_setaffinity(0, bytes, &all);
        let result = call();
        if known {
            libc::sched_setaffinity(0, bytes, &before);
        }
        result
    }
}

const OPENBLAS_NAME: &str = "libopenblas.so.0";

/// Rows of a matrix: enough that the work is worth a second thread.
const ORDER: usize = 128;

type Dgemm = unsafe extern "C" fn(
    *const c_char,
    *const c_char,
    *const c_int,
    *const c_int,
    *const c_int,
    *const f64,
    *const f64,
    *const c_int,
    *const f64,
    *const c_int,
    *const f64,
    *mut f64,
    *const c_int,
);

/// What threads do where it is not they who make the child hang.
pub(super) fn idle() {
    thread::sleep(Duration::from_micros(200));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_installed_is_named() {
        let refusal = Library::is_installed("libnothing-of-the-kind.so.7").unwrap_err();
        assert!(refusal.reason.contains("libnothing-of-the-kind.so.7 is not installed"));
        let refusal = Library::load("libnothing-of-the-kind.so.7").err().unwrap();
        assert!(refusal.reason.contains("libnothing-of-the-kind.so.7"), "{refusal}");
    }

    #[test]
    fn the_library_of_the_c_runtime_is_found_without_loading() {
        if cfg!(all(target_env = "gnu", not(target_feature = "crt-static"))) {
            Library::is_installed("libc.so.6").unwrap();
            let libc = Library::load("libc.so.6").unwrap();
            // SAFETY: this is its type.
            let getpid: extern "C" fn() -> c_int = unsafe { libc.symbol(c"getpid").unwrap() };
            assert_eq!(getpid() as u32, std::process::id());
            // SAFETY: nothing is called.
            let none = unsafe { libc.symbol::<usize>(c"no_such_function") };
            assert!(none.unwrap_err().reason.contains("no_such_function"));
        }
    }
}
