//! Samples of `extern:CMD`: each is an exchange with the helper.
//!
//! A helper that stamps the clock around its calls is timed by its own stamps, after it was checked
//! that they lie within the exchange; else by those of the exchange. Whatever it says, a sample of
//! an image that stamps the clock is one only with that stamp, and within the exchange; of another
//! image only if the helper has waited for a child meanwhile. What is no sample is a failure, with
//! what was wrong.
//!
//! The helper has the processor of the spawning thread to itself: the thread that asks steps aside
//! to another one for the turn, where there is one. With both pinned to one, the image ran before
//! the call had returned in 38 to 50 % of spawns, against 1 to 2 %, and blocked had two modes.

use std::fmt::Write;

use crate::measure::clock;
use crate::measure::mechanism::Refusal;
use crate::measure::mechanism::brief::{Brief, Extras};
use crate::measure::mechanism::child::Stage;
use crate::measure::mechanism::external::helper::{Helper, Lost};
use crate::measure::mechanism::external::protocol::{Answer, SPAWN};
use crate::measure::reading;
use crate::measure::subject;
use crate::measure::workload::{Ground, Kit, Taken, Task};
use crate::model::row::Scope;
use crate::model::setup::{Between, ChildCpu};

/// Frames that a sample writes beside those of every spawn: two readings, and what went wrong in
/// pieces.
pub(super) const FRAMES: u64 = 8;

/// A helper, or why there is none.
pub(super) struct External {
    helper: Result<Helper, Lost>,
    /// Whether the image stamps the clock, and can report it.
    stamps: bool,
    /// Whether the round trip was not measured yet in this turn.
    is_fresh: bool,
    round_trip: u32,
    exchange: u32,
    /// Where the thread that asks is otherwise.
    home: Vec<u32>,
    /// Where it asks from; empty: where it is.
    aside: Vec<u32>,
}

/// What went wrong with a sample.
struct Trouble {
    errno: i32,
    stage: Stage,
    why: Option<String>,
}

impl Trouble {
    fn of(stage: Stage, why: impl Into<String>) -> Trouble {
        Trouble { errno: 0, stage, why: Some(why.into()) }
    }
}

/// What an exchange came to, in nanoseconds by CLOCK_MONOTONIC.
struct Exchange {
    pid: i32,
    status: i32,
    /// When the call was entered, when it had returned, and when the child was reaped.
    times: [u64; 3],
    /// From the request to the last answer.
    length: u64,
}

impl External {
    /// Starts the helper. That it cannot be started is seen in its samples: others in the same
    /// parent are not to suffer from it.
    pub(super) fn new(kit: &Kit<'_>) -> Result<External, Refusal> {
        let brief = Brief::new(kit.target()?, &Extras::default(), kit.mailbox, kit.mask)?;
        let own = kit.job.cpu.as_slice();
        let cpus = match kit.work.child_cpu {
            ChildCpu::Same => own,
            ChildCpu::Free => &kit.job.cpus,
        };
        let command = kit.work.helper().unwrap_or_default();
        let helper = Helper::start(command, &brief, cpus, own);
        let ready = helper.as_ref().map(Helper::ready).unwrap_or_default();
        // What scrubs the caches must be where the helper is.
        let stays = kit.work.child_cpu == ChildCpu::Free
            || matches!(kit.work.between, Between::Scrub(_))
            || own.is_empty();
        let others = kit.job.cpus.iter().copied().filter(|cpu| !own.contains(cpu));
        let aside = if stays { Vec::new() } else { others.collect() };
        Ok(External {
            helper,
            stamps: kit.work.image.stamps() && !ready.no_mailbox,
            is_fresh: true,
            round_trip: reading::number("extern_round_trip_ns"),
            exchange: reading::number("extern_exchange_ns"),
            home: own.to_vec(),
            aside,
        })
    }

    /// Keeps in mind that there is no helper any more.
    fn lose(&mut self, lost: Lost, taken: &mut Taken) -> Trouble {
        // The process that the event is about, as that of a child is in others.
        taken.child = lost.pid as isize;
        taken.status = lost.status;
        let why = lost.why.clone();
        self.helper = Err(Lost { why: format!("there is no helper any more: {why}"), ..lost });
        Trouble::of(Stage::Helper, why)
    }

    fn take(&mut self, taken: &mut Taken, ground: &mut Ground<'_>) -> Result<(), Trouble> {
        let helper = match &mut self.helper {
            Ok(helper) => helper,
            Err(lost) => {
                (taken.child, taken.status) = (lost.pid as isize, lost.status);
                return Err(Trouble::of(Stage::Helper, lost.why.clone()));
            }
        };
        let seen = if self.stamps { None } else { helper.faults_of_children() };
        let cpu = helper.cpu();
        let done = exchange(helper);
        taken.cpu_ns = helper.cpu().saturating_sub(cpu);
        let done = match done {
            Ok(Ok(done)) => done,
            Ok(Err(errno)) => {
                taken.child = -(errno as isize);
                return Err(Trouble { errno, stage: Stage::Birth, why: None });
            }
            Err(lost) => return Err(self.lose(lost, taken)),
        };
        let [start, returned, reaped] = done.times;
        let report = ground.mailbox.read();
        *taken = Taken {
            start_ns: start,
            blocked_ns: Some(returned - start),
            reaped_ns: Some(reaped - start),
            child: done.pid as isize,
            status: done.status,
            child_cpu: report.cpu,
            ..*taken
        };
        if done.status != 0 {
            return Err(Trouble { errno: 0, stage: Stage::Status, why: None });
        }
        match report.image_ns {
            Some(stamp) if !(start..=reaped).contains(&stamp) => {
                return Err(Trouble::of(
                    Stage::Helper,
                    "the image started before the helper says it made it, or after it says that it \
                     had ended",
                ));
            }
            None if self.stamps => {
                return Err(Trouble::of(
                    Stage::Helper,
                    "the image reported no stamp: the helper must spawn the image it was told, with \
                     its descriptor 3 as the child's (or say `ready no-mailbox`)",
                ));
            }
            _ => {}
        }
        if seen.is_some() && seen == helper.faults_of_children() {
            return Err(Trouble::of(
                Stage::Helper,
                "the helper has waited for no child meanwhile: where the image does not report, it \
                 must itself wait for the child that it made",
            ));
        }
        taken.image_ns = report.image_ns.map(|stamp| stamp - start);
        if !ground.settling {
            if helper.ready().stamps {
                ground.notes.add(self.exchange, Scope::Both, done.length);
            }
            // After a sample and not before it: the helper would be the warmer for it.
            if std::mem::take(&mut self.is_fresh) {
                match helper.ping() {
                    Ok(length) => ground.notes.add(self.round_trip, Scope::Both, length),
                    Err(lost) => {
                        // The sample was whole; the next one tells that there is no helper.
                        self.helper = Err(lost);
                    }
                }
            }
        }
        Ok(())
    }
}

/// Asks for a process; inside, the errno with which the helper could not make one.
fn exchange(helper: &mut Helper) -> Result<Result<Exchange, i32>, Lost> {
    helper.expect_silence()?;
    let asked = clock::now();
    helper.tell(SPAWN)?;
    let (line, answered) = helper.wait()?;
    let stamps = helper.ready().stamps;
    let (pid, spawned) = match helper.take(line)? {
        Answer::Spawned { pid, stamps } => (pid, stamps),
        Answer::Failed { errno } => return Ok(Err(errno)),
        other => return Err(helper.astray("spawned", other)),
    };
    let (line, end) = helper.wait()?;
    let (status, reaped) = match helper.take(line)? {
        Answer::Reaped { status, stamp } => (status, stamp),
        other => return Err(helper.astray("reaped", other)),
    };
    let times = match (stamps, spawned, reaped) {
        (false, None, None) => [asked, answered, end],
        (true, Some((begin, returned)), Some(reaped)) => [begin, returned, reaped],
        (true, ..) => return Err(helper.lose("the helper said `ready stamps`, and left one out")),
        (false, ..) => return Err(helper.lose("the helper stamps, and did not say `ready stamps`")),
    };
    let [begin, returned, reaped] = times;
    let in_order = asked <= begin && begin <= returned && returned <= reaped && reaped <= end;
    if stamps && in_order && answered < reaped {
        return Err(helper.lose(
            "the helper stamps, and answered before its last stamp: both answers come after it",
        ));
    }
    if stamps && !in_order {
        let mut why =
            "the stamps of the helper are not within the exchange, in their order: ".to_owned();
        let _ = write!(
            why,
            "asked {asked}, stamps {begin} {returned} {reaped}, answers {answered} {end} \
             (CLOCK_MONOTONIC in nanoseconds)"
        );
        return Err(helper.lose(&why));
    }
    Ok(Ok(Exchange { pid, status, times, length: end - asked }))
}

impl Task for External {
    fn begin_turn(&mut self, _: &mut Ground<'_>) {
        self.is_fresh = true;
        if !self.aside.is_empty() {
            // One that has gone since the subject started is seen in the figures alone.
            let _ = subject::pin(&self.aside);
        }
    }

    fn sample(&mut self, ground: &mut Ground<'_>) -> Taken {
        let mut taken = Taken { start_ns: clock::now(), ..Taken::default() };
        if let Err(trouble) = self.take(&mut taken, ground) {
            taken.failure = Some((trouble.errno, trouble.stage));
            if let Some(why) = &trouble.why {
                ground.notes.blame(why);
            }
        }
        taken
    }

    fn end_turn(&mut self, _: &mut Ground<'_>) {
        if !self.aside.is_empty() {
            let _ = subject::pin(&self.home);
        }
    }
}
