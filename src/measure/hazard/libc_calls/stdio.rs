//! Streams of stdio.
//!
//! # Safety
//!
//! A stream is closed once, or lives as long as the process.
#![allow(unsafe_code)]

use std::hint::black_box;
use std::ptr;

use crate::measure::hazard::Hazard;
use crate::measure::hazard::libc_calls::{Shared, always, same, same_slow, unavailable};
use crate::measure::mechanism::Refusal;

/// The row of a stream that all write.
pub(super) static STDIO: Hazard = Hazard {
    name: "stdio",
    available: always,
    arm: |_| {
        let stream = nowhere()?;
        // SAFETY: the stream is never closed.
        Ok(same(move || unsafe {
            // Else the compiler makes an fwrite of it.
            let line = black_box(c"a line of a log that all threads write\n".as_ptr());
            libc::fputs(line, stream.get());
        }))
    },
};

/// The row of streams that come and go.
pub(super) static FOPEN: Hazard =
    Hazard { name: "fopen", available: always, arm: |_| Ok(same_slow(open_and_close)) };

/// The row of flushing all of them.
pub(super) static FFLUSH: Hazard = Hazard {
    name: "fflush",
    available: always,
    arm: |_| {
        nowhere()?;
        // SAFETY: flushes what the process has.
        Ok(same(|| unsafe {
            libc::fflush(ptr::null_mut());
        }))
    },
};

/// The row of processes at the other end of a pipe.
pub(super) static POPEN: Hazard =
    Hazard { name: "popen", available: always, arm: |_| Ok(same_slow(popen)) };

/// How many streams are open at once. The libc puts a new one at the head of its list, and looks
/// for one that is to be closed from there.
const STREAMS: usize = 32;

/// Opens some streams, and closes them, the oldest first.
fn open_and_close() {
    // SAFETY: strings that end; each is closed once, if it was opened.
    unsafe {
        let streams = [(); STREAMS].map(|()| libc::fopen(c"/dev/null".as_ptr(), c"r".as_ptr()));
        for stream in streams {
            if !stream.is_null() {
                libc::fclose(stream);
            }
        }
    }
}

/// Starts a shell that does nothing, and waits for its end.
fn popen() {
    // SAFETY: closed once, if it was opened.
    unsafe {
        let stream = libc::popen(c":".as_ptr(), c"r".as_ptr());
        if !stream.is_null() {
            libc::pclose(stream);
        }
    }
}

/// A stream whose lines go nowhere.
fn nowhere() -> Result<Shared<libc::FILE>, Refusal> {
    // SAFETY: two strings that end.
    let stream = unsafe { libc::fopen(c"/dev/null".as_ptr(), c"w".as_ptr()) };
    if stream.is_null() {
        return Err(unavailable("/dev/null cannot be opened".to_owned()));
    }
    Ok(Shared(stream))
}
