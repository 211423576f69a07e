//! What a mechanism is given to spawn: an image with its strings, and the child's orders.
//!
//! # Safety
//!
//! Owns everything that the pointers in [`Orders`] point to, and never moves it: strings and lists
//! live on the heap and are not changed after `new`.
#![allow(unsafe_code)]

use std::ffi::{CString, c_char};
use std::ptr;
use std::sync::atomic::Ordering;

use crate::measure::mechanism::child::{Ending, Mailbox, Orders, Stage};

/// What the child becomes, resolved to a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// It executes the path with these arguments (the first is the program's own name).
    Exec(CString, Vec<CString>),
    /// It ends with `_exit(0)`.
    Exit,
}

/// The environment of every image: small and fixed, since its bytes are copied by every exec.
const ENVIRONMENT: [&std::ffi::CStr; 2] = [c"PATH=/usr/local/bin:/usr/bin:/bin", c"LC_ALL=C"];

/// A target made ready: strings, lists of pointers, orders.
#[derive(Debug)]
pub struct Brief {
    orders: Box<Orders>,
    mailbox: &'static Mailbox,
    strings: (CString, Vec<CString>),
    argv: Box<[*const c_char]>,
    envp: Box<[*const c_char]>,
}

impl Brief {
    /// Makes a target ready. `mask` is the signal mask that the image is to start with.
    pub fn new(target: Target, mailbox: &'static Mailbox, mask: u64) -> Brief {
        let (ending, path, arguments) = match target {
            Target::Exec(path, arguments) => (Ending::Exec, path, arguments),
            Target::Exit => (Ending::Exit, CString::default(), Vec::new()),
        };
        let null_ended = |strings: &mut dyn Iterator<Item = *const c_char>| {
            strings.chain([ptr::null()]).collect::<Box<[_]>>()
        };
        let argv = null_ended(&mut arguments.iter().map(|a| a.as_ptr()));
        let envp = null_ended(&mut ENVIRONMENT.iter().map(|e| e.as_ptr()));
        let orders = Box::new(Orders {
            path: path.as_ptr(),
            argv: argv.as_ptr(),
            envp: envp.as_ptr(),
            ending,
            mask,
            mailbox,
        });
        Brief { orders, mailbox, strings: (path, arguments), argv, envp }
    }

    /// The orders, for the child.
    pub fn orders(&self) -> *const Orders {
        &raw const *self.orders
    }

    /// Where the child and its image report.
    pub fn mailbox(&self) -> &'static Mailbox {
        self.mailbox
    }

    /// The path of the image.
    pub fn path(&self) -> &CString {
        &self.strings.0
    }

    /// The arguments of the image, with its own name first.
    pub fn arguments(&self) -> &[CString] {
        &self.strings.1
    }

    /// The arguments as a null-ended list, of the type that libc wants.
    pub fn argv(&self) -> *const *mut c_char {
        self.argv.as_ptr().cast()
    }

    /// The environment as a null-ended list, of the type that libc wants.
    pub fn envp(&self) -> *const *mut c_char {
        self.envp.as_ptr().cast()
    }

    /// The environment as text.
    pub fn environment() -> impl Iterator<Item = (&'static str, &'static str)> {
        ENVIRONMENT.iter().filter_map(|entry| entry.to_str().ok()?.split_once('='))
    }

    /// The signal mask that the image is to start with, as libc holds it.
    pub fn signal_mask(&self) -> libc::sigset_t {
        // SAFETY: a sigset_t is plain bits; glibc and musl keep the kernel's mask in the first
        // eight bytes, in the same order.
        unsafe {
            let mut set: libc::sigset_t = std::mem::zeroed();
            (&raw mut set).cast::<u64>().write(self.orders.mask);
            set
        }
    }
}

/// What a child and its image have reported.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// CLOCK_MONOTONIC nanoseconds when the child began, if it stamped that.
    pub born_ns: Option<u64>,
    /// CLOCK_MONOTONIC nanoseconds at the image's first instruction, if it stamped that.
    pub image_ns: Option<u64>,
    /// The processor that the image, or a child without image, ran on, if it said so.
    pub cpu: Option<u32>,
    /// The errno and the stage of a failure.
    pub failure: Option<(i32, Stage)>,
}

impl Mailbox {
    /// Empties the mailbox: before each birth.
    pub fn clear(&self) {
        for word in [
            &self.image_seconds,
            &self.image_nanoseconds,
            &self.image_cpu,
            &self.born_ns,
            &self.child_cpu,
        ] {
            word.store(0, Ordering::Relaxed);
        }
        self.errno.store(0, Ordering::Relaxed);
        self.stage.store(0, Ordering::Relaxed);
    }

    /// What it holds: after the child has been reaped.
    pub fn read(&self) -> Report {
        let written = |value: u64| (value != 0).then_some(value);
        let image = self.image_seconds.load(Ordering::Relaxed) * 1_000_000_000
            + self.image_nanoseconds.load(Ordering::Relaxed);
        let cpu = written(self.image_cpu.load(Ordering::Relaxed))
            .or(written(self.child_cpu.load(Ordering::Relaxed)));
        let stage = Stage::from_number(self.stage.load(Ordering::Relaxed));
        Report {
            born_ns: written(self.born_ns.load(Ordering::Relaxed)),
            image_ns: written(image),
            cpu: cpu.and_then(|cpu| u32::try_from(cpu - 1).ok()),
            failure: stage.map(|stage| (self.errno.load(Ordering::Relaxed), stage)),
        }
    }
}
