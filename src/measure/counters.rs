//! Counting around spawns: perf events, and getrusage beside them.
//!
//! Each event is opened twice, once for this thread alone and once with `inherit`, which adds what
//! its children counted when they have gone; the difference is the child's. (An inherited event
//! cannot be in a group, so each is read by itself.) Kernel mode is included: that is where a fork
//! happens. Where the kernel refuses that, nothing is counted rather than the wrong thing.
//!
//! # Safety
//!
//! getrusage and read fill locals.
#![allow(unsafe_code)]

use std::io;
use std::os::fd::AsRawFd;

use perf_event::events::{Event, Hardware, Software};
use perf_event::{Builder, Counter};

use crate::measure::reading;
use crate::model::row::Scope;

/// The events of one subject.
#[derive(Debug, Default)]
pub struct Counters {
    events: Vec<Pair>,
}

/// One event for the thread alone, and with its children.
#[derive(Debug)]
struct Pair {
    reading: u32,
    own: Counter,
    both: Counter,
}

/// A count: whose, of what, how much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count {
    /// The number of the reading.
    pub reading: u32,
    /// Whose events.
    pub scope: Scope,
    /// How many.
    pub value: u64,
}

/// Where the counters stood at a moment.
#[derive(Clone, Debug, Default)]
pub struct Standing {
    events: Vec<(u64, u64)>,
    usage: (u64, u64),
}

impl Counters {
    /// Opens every event that this machine has. The error is why the page faults cannot be counted;
    /// hardware events that are missing are not an error.
    pub fn open() -> (Counters, Option<io::Error>) {
        let mut counters = Counters::default();
        let mut refused = None;
        let software = [
            ("minor_faults", Software::PAGE_FAULTS_MIN),
            ("major_faults", Software::PAGE_FAULTS_MAJ),
            ("context_switches", Software::CONTEXT_SWITCHES),
            ("migrations", Software::CPU_MIGRATIONS),
            ("task_clock_ns", Software::TASK_CLOCK),
        ];
        for (name, event) in software {
            match Pair::open(name, event) {
                Ok(pair) => counters.events.push(pair),
                Err(error) => refused = refused.or(Some(error)),
            }
        }
        for (name, event) in
            [("cycles", Hardware::CPU_CYCLES), ("instructions", Hardware::INSTRUCTIONS)]
        {
            counters.events.extend(Pair::open(name, event));
        }
        (counters, refused)
    }

    /// Where the counters stand before a spawn. Reads into `standing`, which keeps its memory.
    pub fn begin(&mut self, standing: &mut Standing) {
        // Written once before anything is read, so that writing it later is no fault.
        standing.events.clear();
        standing.events.resize(self.events.len(), (0, 0));
        standing.usage = (0, 0);
        std::hint::black_box(&mut *standing);
        self.read_events(standing);
        standing.usage = thread_faults();
    }

    /// Where they stand after it. What is read is kept on the stack until the page faults have been
    /// read both ways: after a fork the first write to the heap is itself a fault.
    pub fn end(&mut self, standing: &mut Standing) {
        let usage = thread_faults();
        self.read_events(standing);
        standing.usage = usage;
    }

    fn read_events(&mut self, standing: &mut Standing) {
        // The minor faults are the first event, and are read before anything is written here.
        standing.events.resize(self.events.len(), (0, 0));
        for (pair, standing) in self.events.iter_mut().zip(&mut standing.events) {
            *standing = (value(&pair.own), value(&pair.both));
        }
    }

    /// What was counted between two standings. `child` is the resource usage of the child, where
    /// there was one.
    pub fn counts(
        &self,
        before: &Standing,
        after: &Standing,
        child: Option<&libc::rusage>,
        into: &mut Vec<Count>,
    ) {
        into.clear();
        for ((pair, before), after) in self.events.iter().zip(&before.events).zip(&after.events) {
            let own = after.0 - before.0;
            // The two are read one after the other, so that a clock may differ by the time between.
            let child_value = (after.1 - before.1).saturating_sub(own);
            into.push(Count { reading: pair.reading, scope: Scope::Parent, value: own });
            if child.is_some() {
                into.push(Count { reading: pair.reading, scope: Scope::Child, value: child_value });
            }
        }
        let names = ["rusage_minor_faults", "rusage_major_faults"].map(reading::number);
        let own = [after.usage.0 - before.usage.0, after.usage.1 - before.usage.1];
        for (reading, value) in names.into_iter().zip(own) {
            into.push(Count { reading, scope: Scope::Parent, value });
        }
        if let Some(child) = child {
            for (reading, value) in names.into_iter().zip([child.ru_minflt, child.ru_majflt]) {
                into.push(Count { reading, scope: Scope::Child, value: value as u64 });
            }
        }
    }
}

impl Pair {
    fn open<E: Event + Clone>(name: &str, event: E) -> io::Result<Pair> {
        let open = |inherit: bool| -> io::Result<Counter> {
            let mut counter = Builder::new(event.clone())
                .exclude_kernel(false)
                .exclude_hv(false)
                .inherit(inherit)
                .build()?;
            counter.enable()?;
            Ok(counter)
        };
        Ok(Pair { reading: reading::number(name), own: open(false)?, both: open(true)? })
    }
}

/// The value of a counter, read to the stack: `Counter::read` writes to the heap first, and the
/// page fault of that would be counted.
fn value(counter: &Counter) -> u64 {
    // The count comes first, whatever else the read format asks for.
    let mut words = [0_u64; 8];
    // SAFETY: the kernel writes at most the length of the buffer, which lives through the call.
    let read =
        unsafe { libc::read(counter.as_raw_fd(), words.as_mut_ptr().cast(), size_of_val(&words)) };
    if read >= 8 { words[0] } else { 0 }
}

/// Minor and major faults of the calling thread so far.
fn thread_faults() -> (u64, u64) {
    // SAFETY: a rusage may be all zeroes and lives through the call.
    unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        libc::getrusage(libc::RUSAGE_THREAD, &mut usage);
        (usage.ru_minflt as u64, usage.ru_majflt as u64)
    }
}

/// The counters of a counting block, with room for what they count.
#[derive(Debug)]
pub struct Counting {
    counters: Counters,
    /// The errno with which perf events were refused.
    pub refused: Option<i32>,
    before: Standing,
    after: Standing,
    counts: Vec<Count>,
}

impl Counting {
    /// Opens every event that this machine has.
    pub fn open() -> Counting {
        let (counters, refused) = Counters::open();
        Counting {
            counters,
            refused: refused.map(|error| error.raw_os_error().unwrap_or(0)),
            before: Standing::default(),
            after: Standing::default(),
            counts: Vec::with_capacity(64),
        }
    }

    /// Begins to count.
    pub fn begin(&mut self) {
        self.counters.begin(&mut self.before);
    }

    /// Counts no further. `child`: the usage of the child that was reaped meanwhile, if there was
    /// one.
    pub fn end(&mut self, child: Option<&libc::rusage>) {
        self.counters.end(&mut self.after);
        self.counters.counts(&self.before, &self.after, child, &mut self.counts);
    }

    /// What was counted between the last beginning and the last end.
    pub fn counts(&self) -> &[Count] {
        &self.counts
    }
}
