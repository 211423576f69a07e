//! Hazard: children born beside threads that hold a lock, and what becomes of them.
//!
//! A sample is a batch of births. A child that has not ended after [`PATIENCE_NS`] is a suspect: it
//! lives on while others are born, and suspects are judged together, by looking at each several
//! times ([`crate::measure::autopsy`]). What hangs is killed once it was judged; nothing of a batch
//! outlives it.
//!
//! # Safety
//!
//! Waits for children of its own, by their pids, and kills them.
#![allow(unsafe_code)]

mod forker;

use std::mem;
use std::ptr;
use std::thread;
use std::time::Duration;

use crate::measure::autopsy::{self, Kind, Look, Verdict};
use crate::measure::clock;
use crate::measure::hazard::{self, Trap};
use crate::measure::mechanism::brief::{Brief, Extras, Target};
use crate::measure::mechanism::child::Stage;
use crate::measure::mechanism::{Gap, Mechanism, Memory, Refusal, Spawner};
use crate::measure::reading;
use crate::measure::words as memory_words;
use crate::measure::workload::hazard::forker::Forker;
use crate::measure::workload::{Finding, Frames, Ground, Kit, Taken, Task, Workload};
use crate::model::hazard as words;
use crate::model::order::Rng;
use crate::model::row::{EventKind, Scope};
use crate::model::setup::{self, Busy, Shape, Work};

/// The row of it.
pub(super) static HAZARD: Workload = Workload {
    workload: setup::Workload::Hazard,
    can,
    control: |work| work,
    frames: |_| Frames { sample: READINGS + MOST_FINDINGS * FINDING_FRAMES, block: 0 },
    taints: |_| true,
    whole: true,
    prepare: |kit| Ok(Box::new(Births::new(kit)?)),
};

/// The most that is counted of one batch.
const READINGS: u64 = 16;

/// Events of a batch at most, each with its evidence of at most 4,000 bytes.
const MOST_FINDINGS: u64 = 3 + 2 * 9 + 2;
const FINDING_FRAMES: u64 = 1 + 4_096 / 112 + 1;

/// Mechanisms whose children are waited for by their pid alone, so that there may be many at once.
const BIRTHS: [&str; 6] = ["fork", "_fork", "clone3", "vfork", "clone3-vm", "posix_spawn"];

/// The mean of the pause before a birth: an exponential one, so that a birth falls on any moment
/// of what the threads do alike.
const PAUSE_NS: u64 = 100_000;

/// Between two looks at the clock in a pause lies less, unless somebody else had the processor.
const LONGEST_STEP_NS: u64 = 20_000;

/// Between the look at the clock and that at the lock lies less, unless likewise.
const MOST_APART_NS: u64 = 1_000;

/// Threads that hold the lock, at most. More than there are processors do not run at once, and the
/// starting of tens of thousands lasts longer than all births.
const MOST_THREADS: u32 = 1_000;

/// How long a child may take before it is a suspect, in nanoseconds.
const PATIENCE_NS: u64 = 3_000_000;

/// Suspects that live at once at most.
const MOST_SUSPECTS: usize = 64;

/// What lies between two looks at suspects. Whoever is proven to hang is out after the first; who
/// has made no progress in any, or ends in none, is not proven after the last.
const WAITS_MS: [u64; 6] = [30, 60, 120, 250, 500, 1_000];

/// Suspects that are judged at once, each by itself, as long as no word is known to watch.
const EARLY: u32 = 3;

/// Children whose evidence is kept, of each kind that hangs without proof, and of those proven.
const UNPROVEN_KEPT: u32 = 2;
const PROVEN_KEPT: u32 = 3;

fn can(shape: &Shape, work: &Work, mechanism: &Mechanism) -> Result<(), Refusal> {
    let refuse = |reason: String| Err(Refusal { errno: 0, reason });
    if shape.threads == 0 || shape.busy != Busy::Hold {
        return refuse(
            "workload=hazard is about threads that hold a lock: give the parent some, with \
             threads=2 busy=hold"
                .to_owned(),
        );
    }
    if shape.threads > MOST_THREADS {
        return refuse(format!(
            "workload=hazard takes at most {MOST_THREADS} threads, and {} were asked for: more \
             than run at once hold no lock more often",
            shape.threads
        ));
    }
    let Some(row) = words::find(&work.hazard) else { return refuse(words::unknown(&work.hazard)) };
    let name = mechanism.name;
    if !BIRTHS.contains(&name) {
        return refuse(format!(
            "a hazard is born by one of {}, and mechanism={name} is none of them",
            BIRTHS.join(", ")
        ));
    }
    if mechanism.memory == Memory::Shares && mechanism.gap == Gap::Ours && !row.vfork {
        return refuse(format!(
            "a child of {name} shares the memory of its parent, which hazard={} would harm",
            row.name
        ));
    }
    if mechanism.gap == Gap::Theirs && !work.image.execs() {
        return refuse(format!("{name} always executes an image: it has no `exit`"));
    }
    hazard::available(&work.hazard)
}

struct Births {
    maker: Maker,
    trap: &'static dyn Trap,
    /// How many.
    forks: u32,
    /// Whether a child has memory of its own.
    copied: bool,
    /// Whether a child does what the hazard is about, and not an image.
    performs: bool,
    pauses: Rng,
    /// The address of the word on which a child was found to wait.
    word: Option<u64>,
    suspects: Vec<i32>,
    numbers: Numbers,
}

/// Who makes the children.
enum Maker {
    /// The subject's first thread.
    Here(Box<dyn Spawner>),
    /// A thread that it watches.
    Apart(Forker),
}

/// The numbers of the readings.
struct Numbers {
    forks: u32,
    hung: u32,
    proven: u32,
    unproven: u32,
    broken: u32,
    watched: u32,
    held: u32,
    pause: u32,
    held_ns: u32,
}

/// What is counted of a batch.
#[derive(Default)]
struct Counts {
    forks: u64,
    proven: u64,
    /// By [`Kind`], in the order in which they were first seen.
    unproven: Vec<(Kind, u32)>,
    broken: u64,
    watched: u64,
    held: u64,
    pause_ns: u64,
    held_ns: u64,
}

impl Births {
    fn new(kit: &Kit<'_>) -> Result<Births, Refusal> {
        let trap = hazard::armed().ok_or_else(|| Refusal {
            errno: 0,
            reason: "the subject was not armed with a hazard".to_owned(),
        })?;
        let row = words::find(&kit.work.hazard).expect("it is armed");
        let performs = kit.mechanism.gap == Gap::Ours;
        let spawner = if performs {
            let extras = Extras { perform: Some(hazard::perform), alone: true, ..kit.extras()? };
            // With every signal blocked: whatever it waits for, no signal ends the wait.
            (kit.mechanism.prepare)(Brief::new(Target::Exit, &extras, kit.mailbox, u64::MAX)?)?
        } else {
            kit.spawner()?
        };
        let forks = match kit.work.forks {
            0 => row.usual_forks(kit.mechanism.name),
            forks => forks,
        };
        let maker = match trap.course() {
            Some(_) => Maker::Apart(Forker::start(spawner)?),
            None => Maker::Here(spawner),
        };
        Ok(Births {
            maker,
            trap,
            forks,
            copied: kit.mechanism.copies_pages(),
            performs,
            pauses: Rng::new(kit.job.seed, &[u64::from(kit.job.launch), u64::from(forks)]),
            word: None,
            suspects: Vec::with_capacity(MOST_SUSPECTS),
            numbers: Numbers {
                forks: reading::number("forks"),
                hung: reading::number("hung"),
                proven: reading::number("proven"),
                unproven: reading::number("unproven"),
                broken: reading::number("broken"),
                watched: reading::number("watched"),
                held: reading::number("held"),
                pause: reading::number("pause_ns"),
                held_ns: reading::number("held_ns"),
            },
        })
    }

    /// Waits for a random time, and counts for how much of it the lock was held.
    ///
    /// Time in which this thread had no processor is no part of it: in it no birth could fall, so
    /// that it must count for nothing.
    fn pause(&mut self, counts: &mut Counts) {
        let mut rest = self.pauses.exponential(PAUSE_NS);
        let mut now = clock::now();
        let mut held = self.trap.held_ns();
        while rest > 0 {
            let before = std::mem::replace(&mut now, clock::now());
            let held_before = std::mem::replace(&mut held, self.trap.held_ns());
            let step = now - before;
            let gained = match (held_before, held) {
                (Some(before), Some(after)) => Some(after.saturating_sub(before)),
                _ => None,
            };
            // The processor may also have been taken between the two clocks of one look.
            if step > LONGEST_STEP_NS || gained > Some(step + MOST_APART_NS) {
                continue;
            }
            rest = rest.saturating_sub(step);
            if let Some(gained) = gained {
                counts.pause_ns += step;
                counts.held_ns += gained;
            }
        }
    }

    /// Looks whether somebody holds the lock just now.
    fn watch(&self, counts: &mut Counts) {
        let Some(address) = self.word else { return };
        if let Some(value) = memory_words::u32_at(address) {
            counts.watched += 1;
            counts.held += u64::from(value != 0);
        }
    }

    /// Makes one child, and waits for a moment.
    fn birth(&mut self, counts: &mut Counts, ground: &mut Ground<'_>) -> Result<(), (i32, Stage)> {
        ground.mailbox.clear();
        self.watch(counts);
        let child = match &mut self.maker {
            Maker::Here(spawner) => spawner.birth(),
            Maker::Apart(_) => self.watched(counts, ground)?,
        };
        if child < 0 {
            return Err((-child as i32, Stage::Birth));
        }
        counts.forks += 1;
        let child = child as i32;
        match await_end(child, PATIENCE_NS) {
            Some(status) => {
                if let Some(failure) = ground.mailbox.read().failure {
                    return Err(failure);
                }
                self.ended(child, status, counts, ground);
            }
            None => self.suspects.push(child),
        }
        if let Maker::Here(spawner) = &mut self.maker {
            spawner.tidy();
        }
        Ok(())
    }

    /// Makes one child where it is the birth that may not return; what it returned.
    fn watched(
        &mut self,
        counts: &mut Counts,
        ground: &mut Ground<'_>,
    ) -> Result<isize, (i32, Stage)> {
        let (Maker::Apart(forker), Some(course)) = (&self.maker, self.trap.course()) else {
            return Err((libc::EINVAL, Stage::Birth));
        };
        let watched = forker.birth(course, ground.progress);
        if let Some(stuck) = watched.stuck {
            let (event, kept) = if stuck.proven {
                counts.proven += 1;
                (EventKind::HungProven, counts.proven <= u64::from(PROVEN_KEPT))
            } else {
                (EventKind::HungUnproven, counts.not_proven(Kind::Other) <= UNPROVEN_KEPT)
            };
            if kept {
                let (pid, evidence) = (stuck.tid, stuck.evidence);
                ground.notes.find(Finding { event, pid, status: 0, evidence });
            }
        }
        match watched.child {
            Some(child) if watched.in_order || child < 0 => Ok(child),
            Some(child) => {
                kill(child as i32);
                Err((libc::ETIMEDOUT, Stage::Helper))
            }
            None => Err((libc::ETIMEDOUT, Stage::Birth)),
        }
    }

    /// Counts a child that has ended by itself.
    fn ended(&self, child: i32, status: i32, counts: &mut Counts, ground: &mut Ground<'_>) {
        if status == 0 {
            return;
        }
        counts.broken += 1;
        if counts.broken <= u64::from(UNPROVEN_KEPT) {
            let evidence = if libc::WIFSIGNALED(status) {
                let signal = libc::WTERMSIG(status);
                format!("the child was ended by signal {signal} ({})", signal_name(signal))
            } else {
                let status = libc::WEXITSTATUS(status);
                format!("the child found something wrong and ended with status {status}")
            };
            let event = EventKind::Crashed;
            ground.notes.find(Finding { event, pid: child, status, evidence });
        }
    }

    /// Counts what has gone wrong in threads since `before`, because of a child each time.
    fn harmed(&self, before: &mut u64, counts: &mut Counts, ground: &mut Ground<'_>) {
        let now = self.trap.harms();
        if now == *before {
            return;
        }
        counts.broken += now - *before;
        *before = now;
        if counts.broken <= u64::from(UNPROVEN_KEPT) {
            let (event, evidence) = (EventKind::Crashed, self.trap.harm());
            ground.notes.find(Finding { event, pid: 0, status: 0, evidence });
        }
    }

    /// Lets go of suspects that have ended: they were slow and no more.
    fn reap(&mut self, counts: &mut Counts, ground: &mut Ground<'_>) {
        let mut place = 0;
        while let Some(&pid) = self.suspects.get(place) {
            match await_end(pid, 0) {
                Some(status) => {
                    self.suspects.swap_remove(place);
                    self.ended(pid, status, counts, ground);
                }
                None => place += 1,
            }
        }
    }

    /// Looks at the suspects until each of them has ended or is judged, and kills those that hang.
    fn judge(&mut self, counts: &mut Counts, ground: &mut Ground<'_>) {
        if self.suspects.is_empty() {
            return;
        }
        if hazard::rests_while_judged() {
            ground.became.threads.close();
            self.judge_all(counts, ground);
            ground.became.threads.open();
        } else {
            self.judge_all(counts, ground);
        }
    }

    fn judge_all(&mut self, counts: &mut Counts, ground: &mut Ground<'_>) {
        thread::sleep(Duration::from_millis(WAITS_MS[0]));
        let mut suspects: Vec<(i32, Look)> =
            self.suspects.drain(..).map(|pid| (pid, autopsy::look(pid))).collect();
        for (round, wait) in WAITS_MS.into_iter().enumerate() {
            thread::sleep(Duration::from_millis(wait));
            let is_last = round + 1 == WAITS_MS.len();
            let mut rest = Vec::new();
            for (pid, first) in suspects {
                (ground.progress)();
                let second = autopsy::look(pid);
                let mut verdict = autopsy::judge(&first, &second, self.copied);
                let by_pipe = match verdict {
                    Verdict::Unproven(Kind::Pipe) => self.trap.pipe_proof(pid),
                    _ => None,
                };
                if by_pipe.is_some() {
                    verdict = Verdict::Proven;
                }
                match verdict {
                    // Looked at once more than it lived.
                    Verdict::Ended => match await_end(pid, 0) {
                        Some(status) => self.ended(pid, status, counts, ground),
                        None => rest.push((pid, second)),
                    },
                    Verdict::Proven => {
                        let has_word = by_pipe.is_none() && self.trap.has_lock_word();
                        if self.word.is_none() && self.performs && has_word {
                            self.word = second.futex();
                        }
                        counts.proven += 1;
                        if counts.proven <= u64::from(PROVEN_KEPT) {
                            let evidence = by_pipe.unwrap_or_else(|| {
                                autopsy::evidence(pid, &first, &second, verdict)
                            });
                            let event = EventKind::HungProven;
                            ground.notes.find(Finding { event, pid, status: 0, evidence });
                        }
                        kill(pid);
                    }
                    Verdict::Moving | Verdict::Unproven(_) if !is_last => rest.push((pid, second)),
                    Verdict::Moving | Verdict::Unproven(_) => {
                        let kind = match verdict {
                            Verdict::Unproven(kind) => kind,
                            _ => Kind::Other,
                        };
                        if counts.not_proven(kind) <= UNPROVEN_KEPT {
                            let evidence = autopsy::evidence(pid, &first, &second, verdict);
                            let event = EventKind::HungUnproven;
                            ground.notes.find(Finding { event, pid, status: 0, evidence });
                        }
                        kill(pid);
                    }
                }
            }
            suspects = rest;
            if suspects.is_empty() {
                return;
            }
        }
        // They ended at the very last.
        for (pid, _) in suspects {
            kill(pid);
        }
    }
}

impl Counts {
    /// Counts a child that hangs without proof; how many of its kind there are now.
    fn not_proven(&mut self, kind: Kind) -> u32 {
        let place = self.unproven.iter().position(|(other, _)| *other == kind);
        let place = place.unwrap_or_else(|| {
            self.unproven.push((kind, 0));
            self.unproven.len() - 1
        });
        self.unproven[place].1 += 1;
        self.unproven[place].1
    }
}

impl Task for Births {
    fn sample(&mut self, ground: &mut Ground<'_>) -> Taken {
        let mut counts = Counts::default();
        let cpu_begin = clock::thread_cpu();
        let start_ns = clock::now();
        let mut failure = None;
        let mut early = EARLY;
        let mut harms = self.trap.harms();
        for _ in 0..self.forks {
            (ground.progress)();
            self.pause(&mut counts);
            if let Err(why) = self.birth(&mut counts, ground) {
                failure = Some(why);
                break;
            }
            self.harmed(&mut harms, &mut counts, ground);
            self.reap(&mut counts, ground);
            // The first one at once: it tells which word to watch.
            let is_early = early > 0
                && self.word.is_none()
                && self.trap.has_lock_word()
                && !self.suspects.is_empty();
            if self.suspects.len() == MOST_SUSPECTS || is_early {
                early -= u32::from(is_early);
                self.judge(&mut counts, ground);
            }
        }
        self.judge(&mut counts, ground);
        self.harmed(&mut harms, &mut counts, ground);
        let unproven: u64 = counts.unproven.iter().map(|(_, count)| u64::from(*count)).sum();
        let mut note = |number, value| ground.notes.add(number, Scope::Child, value);
        note(self.numbers.forks, counts.forks);
        note(self.numbers.hung, counts.proven + unproven);
        note(self.numbers.proven, counts.proven);
        note(self.numbers.unproven, unproven);
        note(self.numbers.broken, counts.broken);
        if counts.watched > 0 {
            note(self.numbers.watched, counts.watched);
            note(self.numbers.held, counts.held);
        }
        if counts.pause_ns > 0 {
            note(self.numbers.pause, counts.pause_ns);
            note(self.numbers.held_ns, counts.held_ns);
        }
        Taken {
            start_ns,
            cpu_ns: clock::thread_cpu() - cpu_begin,
            failure,
            partial: counts.forks > 0,
            ..Taken::default()
        }
    }
}

/// Waits for a child no longer than that; its wait status.
///
/// SIGCHLD is blocked in a subject, and so can be waited for.
fn await_end(pid: i32, patience_ns: u64) -> Option<i32> {
    let begin = clock::now();
    loop {
        let mut status = 0;
        // SAFETY: a child of ours that was not waited for yet; the status lives through the call.
        if unsafe { libc::waitpid(pid, &mut status, libc::WNOHANG) } == pid {
            return Some(status);
        }
        let rest = patience_ns.checked_sub(clock::now() - begin).filter(|rest| *rest > 0)?;
        let timeout = libc::timespec { tv_sec: 0, tv_nsec: rest as libc::c_long };
        // SAFETY: set and time live through the call; nothing is told of the signal.
        unsafe {
            let mut set: libc::sigset_t = mem::zeroed();
            libc::sigemptyset(&mut set);
            libc::sigaddset(&mut set, libc::SIGCHLD);
            libc::sigtimedwait(&set, ptr::null_mut(), &timeout);
        }
    }
}

/// Kills a child and waits for its end.
fn kill(pid: i32) {
    // SAFETY: a child of ours that was not waited for yet, so that the pid is still its own.
    unsafe {
        libc::kill(pid, libc::SIGKILL);
        libc::waitpid(pid, ptr::null_mut(), 0);
    }
}

/// Its name, `SIGSEGV`.
fn signal_name(signal: i32) -> String {
    nix::sys::signal::Signal::try_from(signal)
        .map_or_else(|_| format!("signal {signal}"), |signal| signal.as_str().to_owned())
}
