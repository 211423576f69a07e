//! Descriptors that a child has from its parent and that the parent did not mean for it.
//!
//! # Safety
//!
//! Opens, writes and closes descriptors of its own, and starts a file that it has written itself.
#![allow(unsafe_code)]

use std::ffi::CString;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::ptr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI32, AtomicU64, Ordering};

use crate::measure::hazard::library::idle;
use crate::measure::hazard::program::{HELD_NS, spin};
use crate::measure::hazard::{DIRECTORY, Hazard, Trap};
use crate::measure::image;
use crate::measure::mechanism::Refusal;
use crate::measure::pipes;

/// A program that is written and then started.
pub(super) static ETXTBSY: Hazard = Hazard {
    name: "etxtbsy",
    available: || Ok(()),
    arm: |_| {
        let refuse = |reason: String| Refusal { errno: 0, reason };
        let directory = DIRECTORY.get().ok_or_else(|| refuse("no directory".to_owned()))?;
        let source = directory.join(image::NOOP);
        let program = fs::read(&source).map_err(|error| {
            Refusal::of(&error, format!("cannot read the image {}", source.display()))
        })?;
        let path = directory.join(format!("written-{}", std::process::id()));
        let path = CString::new(path.as_os_str().as_bytes())
            .map_err(|_| refuse("a path with a NUL byte".to_owned()))?;
        Ok(Box::new(Written { writer: Mutex::new(()), path, program, busy: AtomicU64::new(0) }))
    },
};

/// For how long the file is open for writing, in nanoseconds, and how long a child lives with what
/// it has: as a program that writes a file of some size, and a child with something to do before
/// its exec.
const OPEN_NS: u64 = 100_000;

struct Written {
    /// Only one thread at a time makes processes, so that a birth by another is the spawner's.
    writer: Mutex<()>,
    path: CString,
    program: Vec<u8>,
    /// How often it could not be started.
    busy: AtomicU64,
}

impl Written {
    /// Writes the program, closes it, and starts it.
    fn write_and_start(&self) {
        let flags = libc::O_WRONLY | libc::O_CREAT | libc::O_EXCL | libc::O_CLOEXEC;
        let argv = [self.path.as_ptr().cast_mut(), ptr::null_mut()];
        let environment = [ptr::null_mut()];
        // SAFETY: strings and arrays live through the calls; the descriptor and the child are this
        // thread's own. A new file each time: a child has at most one that is open for writing.
        unsafe {
            libc::unlink(self.path.as_ptr());
            let file = libc::open(self.path.as_ptr(), flags, 0o755);
            if file < 0 {
                return;
            }
            libc::write(file, self.program.as_ptr().cast(), self.program.len());
            spin(OPEN_NS);
            libc::close(file);
            let mut pid = 0;
            let failed = libc::posix_spawn(
                &mut pid,
                self.path.as_ptr(),
                ptr::null(),
                ptr::null(),
                argv.as_ptr(),
                environment.as_ptr(),
            );
            match failed {
                0 => {
                    libc::waitpid(pid, ptr::null_mut(), 0);
                }
                libc::ETXTBSY => {
                    self.busy.fetch_add(1, Ordering::Release);
                }
                _ => {}
            }
        }
    }
}

impl Trap for Written {
    fn hold(&self, _: u32) {
        match self.writer.try_lock() {
            Ok(_turn) => self.write_and_start(),
            Err(_) => idle(),
        }
    }

    fn perform(&self) -> i32 {
        spin(OPEN_NS);
        0
    }

    fn harms(&self) -> u64 {
        self.busy.load(Ordering::Acquire)
    }

    fn harm(&self) -> String {
        "a thread wrote a program, closed it and could not start it: ETXTBSY. A child was born \
         while it was open for writing, and had it open still: close-on-exec closes at the exec"
            .to_owned()
    }
}

/// A pipe that a child reads to its end.
pub(super) static PIPE_EOF: Hazard = Hazard {
    name: "pipe-eof",
    available: || Ok(()),
    arm: |_| Ok(Box::new(Inbox { writer: Mutex::new(()), read: AtomicI32::new(NONE) })),
};

const NONE: i32 = -1;

struct Inbox {
    /// One thread at a time.
    writer: Mutex<()>,
    /// The descriptor to read, while there is one.
    read: AtomicI32,
}

impl Inbox {
    /// Makes a pipe, writes to it, closes the end that writes, and later the other.
    fn fill(&self) {
        let mut ends = [NONE; 2];
        // SAFETY: descriptors of this thread's own, and so many bytes of a string.
        unsafe {
            if libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC) != 0 {
                return;
            }
            self.read.store(ends[0], Ordering::SeqCst);
            libc::write(ends[1], c"message".as_ptr().cast(), 7);
            spin(HELD_NS);
            libc::close(ends[1]);
            spin(HELD_NS);
            self.read.store(NONE, Ordering::SeqCst);
            libc::close(ends[0]);
        }
    }
}

impl Trap for Inbox {
    fn hold(&self, _: u32) {
        match self.writer.try_lock() {
            Ok(_turn) => self.fill(),
            Err(_) => idle(),
        }
    }

    fn perform(&self) -> i32 {
        let read = self.read.load(Ordering::SeqCst);
        if read == NONE {
            return 0;
        }
        let mut bytes = [0_u8; 64];
        // SAFETY: descriptors of the child's own, and room for so many bytes.
        unsafe {
            // Where a reader of its standard input reads.
            if libc::dup2(read, 0) == 0 {
                while libc::read(0, bytes.as_mut_ptr().cast(), bytes.len()) > 0 {}
            }
        }
        0
    }

    fn has_lock_word(&self) -> bool {
        false
    }

    fn pipe_proof(&self, pid: i32) -> Option<String> {
        let proof = pipes::waits_for_itself(pid)?;
        let holders = pipes::other_holders(pid, &proof.pipe)?;
        let eternal = holders.iter().all(|holder| {
            pipes::waits_for_itself(*holder).is_some_and(|other| other.pipe == proof.pipe)
        });
        let others = match holders.as_slice() {
            [] => "nobody else has one".to_owned(),
            others => format!("so do {others:?}, which wait likewise"),
        };
        eternal.then(|| {
            format!(
                "proven: it waits in read(0) for the end of {}, and has itself a write end of it, \
                 as descriptor {}; {others}",
                proof.pipe, proof.descriptor
            )
        })
    }
}
