//! The subject: the parent process under test. Reads its job, takes on its shape, spawns.
//!
//! It never prints while it measures, computes no statistic, and allocates nothing inside a block.
//! Without a tape it prints what it measured after each block, a frame a line, so that it can be
//! run by hand: `forkbench __subject < job.toml`.
//!
//! # Safety
//!
//! Sets up its own descriptors, signals and processor before anything else runs.
#![allow(unsafe_code)]

use std::io::{self, Read, Write};
use std::mem;
use std::os::fd::{AsRawFd, IntoRawFd};
use std::path::Path;
use std::process::ExitCode;
use std::ptr;
use std::time::Duration;

use crate::measure::clock;
use crate::measure::counters::Counting;
use crate::measure::hazard;
use crate::measure::image::{MAILBOX, MAILBOX_BYTES};
use crate::measure::job::{Job, JobBlock, JobVariant};
use crate::measure::mechanism::child::{Mailbox, Stage};
use crate::measure::mechanism::{self, Mechanism, Memory, Refusal};
use crate::measure::memory::{Ballast, Scrub};
use crate::measure::reading;
use crate::measure::shape::{self, Become};
use crate::measure::tape::{
    self, BadTape, EVENTS, Frame, KINDS, PHASES, SCOPES, State, Tape, number_of,
};
use crate::measure::workload::{self, Bucket, Ground, Kit, Note, Notes, Task};
use crate::model::order::Order;
use crate::model::row::{BlockKind, EventKind, Phase, Scope};
use crate::model::setup::{Between, ChildCpu, Page, Rewrite, Workload};

/// The exit code of a subject that cannot have its shape or do its work here.
pub const REFUSED: u8 = 10;

/// A variant that fails this often in a row is not tried again in this subject.
const MOST_FAILURES: u32 = 3;

/// The process `forkbench __subject [TAPE]`: `tape` is the descriptor that the harness left.
pub fn main(tape: Option<i32>) -> ExitCode {
    let mut text = String::new();
    let job = match io::stdin().read_to_string(&mut text) {
        Ok(_) => Job::parse(&text).map_err(|error| error.to_string()),
        Err(error) => Err(format!("cannot read the job from standard input: {error}")),
    };
    drop(text);
    let outcome = job.and_then(|job| {
        let tape = tape.map(Tape::open).transpose().map_err(|error| error.to_string())?;
        run(&job, tape)
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            // One write, so that lines of several subjects cannot mix.
            let _ = io::stderr().write_all(format!("subject: {reason}\n").as_bytes());
            ExitCode::from(REFUSED)
        }
    }
}

fn run(job: &Job, tape: Option<Tape>) -> Result<(), String> {
    let cannot = |error: io::Error| format!("cannot set itself up: {error}");
    let mailbox = map_mailbox().map_err(cannot)?;
    let mask = quieten().map_err(cannot)?;
    let sink = match tape {
        Some(tape) => Sink::Tape(tape),
        None => Sink::print(),
    };
    sink.set_state(State::Shaping);
    pin(job.cpu.as_slice()).map_err(|e| format!("cannot run on processor {:?}: {e}", job.cpu))?;
    if let Some(variant) = job.variants.iter().find(|v| v.work.workload == Workload::Hazard) {
        // Before the threads start, which do what it is about; the threads and descriptors of its own
        // are no part of the shape.
        let noop = Path::new(&job.noop);
        hazard::arm(&variant.work, noop).map_err(|refusal| refusal.to_string())?;
    }
    let base = shape::look(None, None).map_err(|e| format!("cannot read /proc: {e}"))?;

    let begin = clock::now();
    let others: Vec<u32> = job.cpus.iter().copied().filter(|cpu| Some(*cpu) != job.cpu).collect();
    let watched = job.variants.iter().any(|variant| variant.work.workload == Workload::Stall);
    let became = shape::become_(&job.shape, &others, watched, || sink.progress())
        .map_err(|refusal| refusal.to_string())?;
    sink.set_setup_ns(clock::now() - begin);

    // Before the tasks are made ready: their descriptors and threads are no part of the shape.
    let seen = shape::look(became.ballast.as_ref(), became.areas.as_ref());
    let seen = seen.map_err(|e| format!("cannot read /proc: {e}"))?;
    let mut subject = Subject::new(job, sink, became, mailbox, mask)?;
    if job.variants.iter().any(|variant| variant.work.helper().is_some()) {
        // Nothing else that is made ready takes as long as a helper that starts a runtime.
        subject.sink.set_setup_ns(clock::now() - begin);
    }
    subject.report_shape(base, seen)?;
    for (done, block) in job.blocks.iter().enumerate() {
        subject.sink.set_state(State::Waiting);
        subject.sink.wait_for_grant(done as u32);
        subject.sink.set_state(State::Running);
        subject.block(block).map_err(|error| error.to_string())?;
    }
    subject.sink.set_state(State::Done);
    Ok(())
}

/// Puts descriptors and signals in order: input and output to /dev/null, no signal handler left,
/// every signal blocked that a user does not send to stop it. Returns the mask to start images with.
pub(in crate::measure) fn quieten() -> io::Result<u64> {
    // SAFETY: plain system calls; the sets and actions are locals that live through them.
    unsafe {
        // Nothing of a run may live on without its keeper, and when memory runs out it is the
        // subject that is to go, not the harness with the results.
        libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
        let _ = std::fs::write("/proc/self/oom_score_adj", "1000");
        let null = libc::open(c"/dev/null".as_ptr(), libc::O_RDWR | libc::O_CLOEXEC);
        if null < 0 || libc::dup2(null, 0) < 0 {
            return Err(io::Error::last_os_error());
        }
        libc::close(null);
        // Rust's runtime installs handlers for stack overflow and ignores SIGPIPE. A child that
        // shares memory must not have a handler, and an image should start as from a shell.
        for signal in 1..=libc::SIGRTMAX() {
            libc::signal(signal, libc::SIG_DFL);
        }
        let mut block: libc::sigset_t = mem::zeroed();
        let mut before: libc::sigset_t = mem::zeroed();
        libc::sigfillset(&mut block);
        for signal in [libc::SIGINT, libc::SIGTERM, libc::SIGQUIT, libc::SIGHUP, libc::SIGTSTP] {
            libc::sigdelset(&mut block, signal);
        }
        libc::sigprocmask(libc::SIG_BLOCK, &block, &mut before);
        // The kernel's mask is the first eight bytes of the libc's.
        Ok((&raw const before).cast::<u64>().read())
    }
}

/// Makes the mailbox: shared memory, mapped here for ever and open at [`MAILBOX`].
pub(in crate::measure) fn map_mailbox() -> io::Result<&'static Mailbox> {
    let memfd = tape::memfd(c"forkbench-mailbox")?;
    let bytes = MAILBOX_BYTES;
    // SAFETY: a fresh memfd of that size, mapped shared and never unmapped; a Mailbox of zeroes is
    // valid, is smaller than it, and all its fields that change are atomics.
    unsafe {
        if libc::ftruncate(memfd.as_raw_fd(), bytes as libc::off_t) != 0 {
            return Err(io::Error::last_os_error());
        }
        let page = libc::mmap(
            ptr::null_mut(),
            bytes,
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_SHARED | libc::MAP_POPULATE,
            memfd.as_raw_fd(),
            0,
        );
        if page == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let descriptor = memfd.into_raw_fd();
        if descriptor == MAILBOX {
            libc::fcntl(MAILBOX, libc::F_SETFD, 0);
        } else {
            if libc::dup2(descriptor, MAILBOX) < 0 {
                return Err(io::Error::last_os_error());
            }
            libc::close(descriptor);
        }
        Ok(&*page.cast::<Mailbox>())
    }
}

/// Puts the calling thread, and with it its future children, on these processors. None: as it is.
pub(in crate::measure) fn pin(cpus: &[u32]) -> io::Result<()> {
    if cpus.is_empty() {
        return Ok(());
    }
    let set = shape::cpu_set(cpus);
    // SAFETY: the set is a local that lives through the call.
    match unsafe { libc::sched_setaffinity(0, size_of_val(&set), &set) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Where frames go.
enum Sink {
    /// To the harness.
    Tape(Tape),
    /// To a person: kept during a block and printed after it.
    Print(Tape, io::Stdout),
}

impl Sink {
    fn print() -> Sink {
        // A tape of its own keeps the loop the same; a person's job is small.
        let (tape, _) = Tape::create(1, 1 << 16).expect("a memfd of 8 MiB");
        Sink::Print(tape, io::stdout())
    }

    fn tape(&self) -> &Tape {
        match self {
            Sink::Tape(tape) | Sink::Print(tape, _) => tape,
        }
    }

    fn push(&self, frame: Frame) -> Result<(), BadTape> {
        self.tape().push(0, frame)
    }

    fn set_state(&self, state: State) {
        self.tape().set_state(state);
        if let Sink::Print(tape, out) = self {
            let mut out = out.lock();
            for frame in tape.take() {
                // A reader that has gone away is no reason to stop in mid-job.
                let _ = writeln!(out, "{frame:?}");
            }
        }
    }

    fn wait_for_grant(&self, done: u32) {
        if let Sink::Tape(tape) = self {
            tape.wait_for_grant(done);
        }
    }

    fn progress(&self) {
        self.tape().progress();
    }

    fn set_setup_ns(&self, length: u64) {
        self.tape().set_setup_ns(length);
    }
}

/// A variant made ready, and how it fares.
struct Slot<'a> {
    plan: &'a JobVariant,
    mechanism: &'static Mechanism,
    task: Box<dyn Task>,
    failures: u32,
    off: bool,
}

struct Subject<'a> {
    job: &'a Job,
    sink: Sink,
    became: Become,
    mailbox: &'static Mailbox,
    scrub: Option<Scrub>,
    slots: Vec<Slot<'a>>,
    /// What a sample says beside its stamps.
    notes: Notes,
    /// Whether the spawner's thread is on its one processor now.
    pinned: bool,
    /// Whether a birth has left memory write-protected that was not made writable again.
    protected: bool,
}

/// Where in a launch a spawn stands.
#[derive(Clone, Copy)]
struct Place {
    block: u32,
    round: u32,
    turn: u32,
    pos: u32,
    phase: Phase,
    /// Whether the memory is to be written by a byte per page, and timed.
    bill: bool,
}

impl<'a> Subject<'a> {
    fn new(
        job: &'a Job,
        sink: Sink,
        became: Become,
        mailbox: &'static Mailbox,
        mask: u64,
    ) -> Result<Subject<'a>, String> {
        let largest = job
            .variants
            .iter()
            .map(|v| match v.work.between {
                Between::Scrub(size) => size.bytes(),
                _ => job.scrub_bytes,
            })
            .max()
            .unwrap_or(0);
        let scrub = match largest {
            0 => None,
            bytes => {
                let scrub = Scrub::new(bytes as usize);
                Some(scrub.map_err(|e| format!("no memory for a buffer of {bytes} bytes: {e}"))?)
            }
        };
        let mut slots = Vec::with_capacity(job.variants.len());
        for plan in &job.variants {
            let slot = Slot::new(job, &became, plan, mailbox, mask)
                .map_err(|refusal| format!("{}: {refusal}", plan.work.mechanism))?;
            slots.push(slot);
        }
        Ok(Subject {
            job,
            sink,
            became,
            mailbox,
            scrub,
            slots,
            notes: Notes::new(),
            pinned: true,
            protected: false,
        })
    }

    /// Says what was asked for and what is seen.
    fn report_shape(&self, base: shape::Seen, seen: shape::Seen) -> Result<(), String> {
        let fail = |error: BadTape| error.to_string();
        for (name, value) in base.facts() {
            self.shape_reading(name, reading::BASE, value).map_err(fail)?;
        }
        for (name, value) in shape::asked(&self.job.shape) {
            self.shape_reading(name, reading::ASKED, value).map_err(fail)?;
        }
        for (name, value) in seen.facts() {
            self.shape_reading(name, reading::SETUP, value).map_err(fail)?;
        }
        Ok(())
    }

    fn look(&self) -> io::Result<shape::Seen> {
        shape::look(self.became.ballast.as_ref(), self.became.areas.as_ref())
    }

    fn shape_reading(&self, name: &str, place: u32, value: u64) -> Result<(), BadTape> {
        let block = self.job.blocks.first().map_or(0, |block| block.block);
        self.reading(None, block, reading::number(name), Scope::Parent, place, value)
    }

    fn reading(
        &self,
        variant: Option<u32>,
        block: u32,
        reading: u32,
        scope: Scope,
        place: u32,
        value: u64,
    ) -> Result<(), BadTape> {
        let scope = number_of(&SCOPES, scope);
        self.sink.push(Frame::Reading(tape::Reading {
            variant,
            block,
            reading,
            scope,
            place,
            value,
        }))
    }

    fn block(&mut self, plan: &JobBlock) -> Result<(), BadTape> {
        let order = Order::of_block(
            self.job.seed,
            self.job.launch,
            plan.block,
            self.slots.len() as u32,
            plan.rounds,
        );
        let mut counting = (plan.kind == BlockKind::Count).then(Counting::open);
        if let Some(refused) = counting.as_ref().and_then(|c| c.refused) {
            self.sink.push(Frame::Event(tape::Event {
                variant: u32::MAX,
                block: plan.block,
                event: number_of(&EVENTS, EventKind::Refused),
                pid: 0,
                errno: refused,
                stage: 0,
                status: 0,
                difference: None,
            }))?;
        }
        self.became.threads.open();
        let started_ns = clock::now();
        for (round, turns) in order.rounds.iter().enumerate() {
            for (turn, &slot) in turns.iter().enumerate() {
                let (round, turn) = (round as u32, turn as u32);
                self.turn(plan, slot as usize, round, turn, counting.as_mut())?;
            }
        }
        let wall_ns = clock::now() - started_ns;
        if let Some(cpu_ns) = self.became.threads.close() {
            let number = reading::number("busy_cpu_ns");
            self.reading(None, plan.block, number, Scope::Parent, reading::BLOCK, cpu_ns)?;
        }
        self.distributions(plan.block)?;
        self.look_again(plan.block)?;
        self.sink.push(Frame::Block(tape::Block {
            block: plan.block,
            kind: number_of(&KINDS, plan.kind),
            rounds: plan.rounds,
            started_ns,
            wall_ns,
        }))
    }

    /// Puts on the tape what the tasks have of a block as a whole.
    fn distributions(&mut self, block: u32) -> Result<(), BadTape> {
        for slot in &mut self.slots {
            let variant = slot.plan.variant;
            let mut done = Ok(());
            slot.task.end_block(&mut |bucket| {
                let Bucket { reading, low_ns, high_ns, count } = bucket;
                let frame = tape::Bucket { variant, block, reading, low_ns, high_ns, count };
                if done.is_ok() {
                    done = self.sink.push(Frame::Bucket(frame));
                }
            });
            done?;
        }
        Ok(())
    }

    /// Huge pages come and go: looks again after a block how many there are.
    fn look_again(&self, block: u32) -> Result<(), BadTape> {
        if self.job.shape.page == Page::Base || self.job.shape.rss.bytes() == 0 {
            return Ok(());
        }
        let ballast = self.became.ballast.as_ref();
        let Ok(seen) = self.look() else { return Ok(()) };
        let exact = ballast.and_then(Ballast::multi_huge_bytes).is_some_and(|(_, exact)| exact);
        for (name, value) in seen.facts() {
            let comes_and_goes = match name {
                "rss_bytes" | "anon_huge_bytes" | "hugetlb_bytes" => true,
                "multi_huge_bytes" => exact,
                _ => false,
            };
            if comes_and_goes {
                let number = reading::number(name);
                self.reading(None, block, number, Scope::Parent, reading::BLOCK, value)?;
            }
        }
        Ok(())
    }

    /// Consecutive samples of one variant: settling spawns first.
    fn turn(
        &mut self,
        block: &JobBlock,
        slot: usize,
        round: u32,
        turn: u32,
        mut counting: Option<&mut Counting>,
    ) -> Result<(), BadTape> {
        let plan = self.slots[slot].plan;
        if self.slots[slot].off {
            return Ok(());
        }
        self.pin_for(plan.work.child_cpu);
        self.unprotect(slot);
        let settle = if round == 0 { plan.settle_first } else { plan.settle };
        let cold = block.kind == BlockKind::Time && round == 0 && settle > 0;
        let (settle, samples) = match block.kind {
            BlockKind::Count => (plan.settle, plan.counts),
            BlockKind::Warmup => (0, plan.samples),
            _ => (settle, plan.samples),
        };
        let phase = match block.kind {
            BlockKind::Warmup => Phase::Warmup,
            _ => Phase::Measure,
        };
        if cold && let Some(scrub) = &self.scrub {
            scrub.run(self.job.scrub_bytes as usize);
        }
        #[cfg(feature = "independent-loop")]
        if counting.is_none()
            && plan.work.rewrite == Rewrite::NONE
            && let Some(taken) = self.slots[slot].task.turn(settle + samples)
        {
            let taken = taken.map(<[_]>::to_vec);
            return self.independent_turn(slot, block.block, [round, turn, settle], phase, taken);
        }
        self.lend(slot, |task, ground| task.begin_turn(ground));
        let begin = clock::now();
        for pos in 0..settle + samples {
            if pos > settle && clock::now() - begin > block.turn_ns {
                break;
            }
            let settling = pos < settle;
            if !settling {
                self.between(plan.work.between);
            }
            let place = Place {
                block: block.block,
                round,
                turn,
                pos,
                phase: if settling { Phase::Settle } else { phase },
                bill: match block.kind {
                    BlockKind::Count => true,
                    BlockKind::Time => !self.job.without_bill && round == 0 && pos == settle,
                    _ => false,
                },
            };
            let counting = if settling { None } else { counting.as_deref_mut() };
            self.sample(slot, place, counting)?;
            if self.slots[slot].off {
                break;
            }
        }
        self.lend(slot, |task, ground| task.end_turn(ground));
        Ok(())
    }

    /// Puts on the tape what the independent loop has measured, `settle` settling spawns first.
    #[cfg(feature = "independent-loop")]
    fn independent_turn(
        &mut self,
        slot: usize,
        block: u32,
        [round, turn, settle]: [u32; 3],
        phase: Phase,
        taken: Result<Vec<mechanism::independent::Spawn>, i32>,
    ) -> Result<(), BadTape> {
        let spawns = match taken {
            Ok(spawns) => spawns,
            Err(errno) => return self.fail(slot, block, 0, errno, Stage::Birth, 0),
        };
        let Slot { plan, mechanism, .. } = &self.slots[slot];
        self.protected |= mechanism.copies_pages();
        for (pos, spawn) in (0..).zip(&spawns) {
            let phase = if pos < settle { Phase::Settle } else { phase };
            self.sink.push(Frame::Sample(tape::Sample {
                variant: plan.variant,
                block,
                round,
                turn,
                pos,
                phase: number_of(&PHASES, phase),
                status: spawn.status,
                start_ns: spawn.called,
                blocked_ns: Some(spawn.returned - spawn.called),
                born_ns: None,
                image_ns: None,
                reaped_ns: Some(spawn.reaped - spawn.called),
                rewrite_ns: None,
                blocked_cpu_ns: 0,
                parent_cpu: current_cpu(),
                child_cpu: None,
            }))?;
        }
        Ok(())
    }

    /// A variant that rewrites all its memory must not start from what one that does not has left.
    fn unprotect(&mut self, slot: usize) {
        if self.protected && self.slots[slot].plan.work.rewrite == Rewrite::ALL {
            self.became.repopulate(Rewrite::ALL);
            self.protected = false;
        }
    }

    fn pin_for(&mut self, child: ChildCpu) {
        let pinned = child == ChildCpu::Same;
        if pinned != self.pinned {
            // The processors were good when the subject started; if one has gone since, the
            // processor that each sample records shows where it ran.
            let _ = pin(if pinned { self.job.cpu.as_slice() } else { &self.job.cpus });
            self.pinned = pinned;
        }
    }

    fn between(&self, action: Between) {
        match action {
            Between::Hot => {}
            Between::Idle(length) => std::thread::sleep(Duration::from_nanos(length)),
            Between::Scrub(size) => {
                if let Some(scrub) = &self.scrub {
                    scrub.run(size.bytes() as usize);
                }
            }
        }
    }

    /// Calls a task where nothing is sampled.
    fn lend<T>(
        &mut self,
        slot: usize,
        call: impl FnOnce(&mut dyn Task, &mut Ground<'_>) -> T,
    ) -> T {
        let mut ground = Ground {
            became: &mut self.became,
            mailbox: self.mailbox,
            counting: None,
            settling: false,
            notes: &mut self.notes,
            progress: &|| self.sink.progress(),
        };
        call(&mut *self.slots[slot].task, &mut ground)
    }

    /// One sample, from the call until the parent is as it was before.
    fn sample(
        &mut self,
        slot: usize,
        place: Place,
        mut counting: Option<&mut Counting>,
    ) -> Result<(), BadTape> {
        let settling = place.phase == Phase::Settle;
        self.mailbox.clear();
        self.notes.clear();
        let mut ground = Ground {
            became: &mut self.became,
            mailbox: self.mailbox,
            counting: counting.as_deref_mut(),
            settling,
            notes: &mut self.notes,
            progress: &|| self.sink.progress(),
        };
        let taken = self.slots[slot].task.sample(&mut ground);
        let plan = self.slots[slot].plan;
        let mut sample = tape::Sample {
            variant: plan.variant,
            block: place.block,
            round: place.round,
            turn: place.turn,
            pos: place.pos,
            phase: number_of(&PHASES, place.phase),
            status: taken.status,
            start_ns: taken.start_ns,
            blocked_ns: taken.blocked_ns,
            born_ns: taken.born_ns,
            image_ns: taken.image_ns,
            reaped_ns: taken.reaped_ns,
            rewrite_ns: taken.rewrite_ns,
            blocked_cpu_ns: taken.cpu_ns,
            parent_cpu: current_cpu(),
            child_cpu: taken.child_cpu,
        };
        if taken.child >= 0 {
            let bill = self.restore(slot, place, counting)?;
            sample.rewrite_ns = sample.rewrite_ns.or(bill);
            self.protected |=
                self.slots[slot].mechanism.copies_pages() && plan.work.rewrite != Rewrite::ALL;
        }
        if !settling {
            for note in self.notes.notes() {
                let Note { reading, scope, at, value } = *note;
                self.reading(Some(plan.variant), place.block, reading, scope, at, value)?;
            }
        }
        self.findings(slot, place.block)?;
        if taken.difference.is_some() {
            self.sink.push(Frame::Event(tape::Event {
                variant: plan.variant,
                block: place.block,
                event: number_of(&EVENTS, EventKind::Failed),
                pid: taken.child.max(0) as u32,
                errno: 0,
                stage: Stage::Proof as i32,
                status: 0,
                difference: taken.difference,
            }))?;
        }
        match taken.failure {
            None => {
                self.slots[slot].failures = 0;
                self.sink.push(Frame::Sample(sample))
            }
            Some((errno, stage)) => {
                // A child that ran and ended badly is a sample with its status; one that never
                // ran its image is none.
                if matches!(stage, Stage::Status | Stage::EndOfFile) || taken.partial {
                    self.sink.push(Frame::Sample(sample))?;
                }
                if taken.partial {
                    self.slots[slot].failures = 0;
                }
                let pid = taken.child.max(0) as u32;
                self.fail(slot, place.block, pid, errno, stage, taken.status)
            }
        }
    }

    /// Puts on the tape what became of children beside what is counted of them.
    fn findings(&mut self, slot: usize, block: u32) -> Result<(), BadTape> {
        let variant = self.slots[slot].plan.variant;
        for finding in self.notes.findings() {
            for piece in tape::Text::pieces(&finding.evidence) {
                self.sink.push(Frame::Text(piece))?;
            }
            self.sink.push(Frame::Event(tape::Event {
                variant,
                block,
                event: number_of(&EVENTS, finding.event),
                pid: finding.pid.max(0) as u32,
                errno: 0,
                stage: 0,
                status: finding.status,
                difference: None,
            }))?;
        }
        Ok(())
    }

    /// Makes the memory writable again that a page-copying birth has left write-protected: by a
    /// byte per page, timed and counted, where the bill is to be shown; else by populating it. A
    /// workload that writes the memory itself also knows how to put it back.
    ///
    /// The control pays a bill too, with its first sample of a block: what the same writing takes
    /// when nothing was forked before it.
    fn restore(
        &mut self,
        slot: usize,
        place: Place,
        counting: Option<&mut Counting>,
    ) -> Result<Option<u64>, BadTape> {
        if self.lend(slot, |task, ground| task.restore(ground)) {
            return Ok(None);
        }
        let Slot { plan, mechanism, .. } = &self.slots[slot];
        let share = plan.work.rewrite;
        if share == Rewrite::NONE {
            return Ok(None);
        }
        let bill = place.bill && plan.work.workload == Workload::Spawn;
        match mechanism.memory {
            Memory::Copies if bill => {}
            Memory::Copies => {
                self.became.repopulate(share);
                return Ok(None);
            }
            Memory::Nothing if bill => {}
            _ => return Ok(None),
        }
        let Some(counting) = counting else { return Ok(self.became.rewrite(share)) };
        counting.begin();
        let length = self.became.rewrite(share);
        counting.end(None);
        if length.is_some() {
            self.notes.counted(counting, reading::REWRITE);
        }
        Ok(length)
    }

    fn fail(
        &mut self,
        slot: usize,
        block: u32,
        pid: u32,
        errno: i32,
        stage: Stage,
        status: i32,
    ) -> Result<(), BadTape> {
        for piece in tape::Text::pieces(self.notes.blamed()) {
            self.sink.push(Frame::Text(piece))?;
        }
        let slot = &mut self.slots[slot];
        // That a pipeline hangs is what there is to find of it: no reason to give it up.
        slot.failures += u32::from(stage != Stage::EndOfFile);
        slot.off = slot.failures >= MOST_FAILURES;
        let event = match stage {
            Stage::EndOfFile if pid > 0 => EventKind::HungProven,
            Stage::EndOfFile => EventKind::HungUnproven,
            _ if libc::WIFSIGNALED(status) => EventKind::Crashed,
            _ => EventKind::Failed,
        };
        let mut frame = tape::Event {
            variant: slot.plan.variant,
            block,
            event: number_of(&EVENTS, event),
            pid,
            errno,
            stage: stage as i32,
            status,
            difference: None,
        };
        self.sink.push(Frame::Event(frame))?;
        if slot.off {
            for piece in tape::Text::pieces(self.notes.blamed()) {
                self.sink.push(Frame::Text(piece))?;
            }
            frame.event = number_of(&EVENTS, EventKind::Refused);
            self.sink.push(Frame::Event(frame))?;
        }
        Ok(())
    }
}

fn current_cpu() -> Option<u32> {
    // SAFETY: asks for a number.
    u32::try_from(unsafe { libc::sched_getcpu() }).ok()
}

impl<'a> Slot<'a> {
    fn new(
        job: &Job,
        became: &Become,
        plan: &'a JobVariant,
        mailbox: &'static Mailbox,
        mask: u64,
    ) -> Result<Slot<'a>, Refusal> {
        let work = &plan.work;
        let mechanism = mechanism::find(&work.mechanism).ok_or_else(|| Refusal {
            errno: 0,
            reason: "there is no such mechanism in this forkbench".to_owned(),
        })?;
        workload::can(&job.shape, work, mechanism)?;
        let kit = Kit { job, became, work, mechanism, mailbox, mask };
        let task = (workload::find(work.workload).prepare)(&kit)?;
        Ok(Slot { plan, mechanism, task, failures: 0, off: false })
    }
}
