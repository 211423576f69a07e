//! A thread, for reference: what people use instead of a process.
//!
//! # Safety
//!
//! The thread touches only the mailbox, which lives for ever, and is joined before the next one.
#![allow(unsafe_code)]

use std::mem::MaybeUninit;
use std::ptr;
use std::sync::atomic::Ordering;

use crate::measure::mechanism::brief::Brief;
use crate::measure::mechanism::child::Mailbox;
use crate::measure::mechanism::{Gap, Mechanism, Memory, Refusal, Spawner, nowhere};
use crate::measure::raw;

pub(super) static THREAD: Mechanism = Mechanism {
    name: "thread",
    about: "pthread_create and pthread_join, for reference",
    explain: "No process: a thread that stamps its birth and ends. It runs in a subject of its \
              own, since a process that has once had a second thread forks by a third more slowly \
              ever after (glibc then takes its locks).",
    memory: Memory::Same,
    gap: Gap::Ours,
    default: false,
    taints: true,
    available: || Ok(()),
    how: nowhere,
    prepare: |brief| {
        if !brief.actions().is_empty() {
            return Err(Refusal {
                errno: 0,
                reason: "a thread executes no image: nothing comes before it".to_owned(),
            });
        }
        Ok(Box::new(Thread { brief, thread: MaybeUninit::uninit() }))
    },
};

struct Thread {
    brief: Brief,
    thread: MaybeUninit<libc::pthread_t>,
}

extern "C" fn begin(mailbox: *mut libc::c_void) -> *mut libc::c_void {
    let born = raw::monotonic_ns();
    // SAFETY: the argument is the mailbox, which lives for ever.
    let mailbox = unsafe { &*mailbox.cast::<Mailbox>() };
    mailbox.born_ns.store(born, Ordering::Relaxed);
    ptr::null_mut()
}

impl Spawner for Thread {
    fn birth(&mut self) -> isize {
        let mailbox = ptr::from_ref(self.brief.mailbox()).cast_mut().cast();
        // SAFETY: default attributes; the argument lives for ever.
        let failed =
            unsafe { libc::pthread_create(self.thread.as_mut_ptr(), ptr::null(), begin, mailbox) };
        -(failed as isize)
    }

    fn reap(&mut self, _: isize, _: Option<&mut libc::rusage>) -> Result<i32, i32> {
        // SAFETY: a successful birth has set the thread, and it is joined once.
        let failed = unsafe { libc::pthread_join(self.thread.assume_init(), ptr::null_mut()) };
        if failed == 0 { Ok(0) } else { Err(failed) }
    }
}
