//! Runs a plan: pilots, launches, blocks; writes what comes off the tapes.
//!
//! It never prints; what a person may want to know goes to [`Progress`]. Whatever ends a subject
//! (a refusal, a death, a stall, an interruption) becomes a row, with the frames written so far.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sched::{CpuSet, sched_setaffinity};
use nix::unistd::Pid;

use crate::drive::autopsy;
use crate::drive::environment::{self, Root};
use crate::drive::images::Images;
use crate::drive::machine::Machine;
use crate::drive::plan::{self, Ground, PARTIAL, Pilot, Plan, Wishes, parents, pilot_job};
use crate::drive::process::{Ending, Patience, Start, Subject, Trouble};
use crate::drive::roster::{Entry, Roster};
use crate::measure::job::{Job, JobBlock};
use crate::measure::mechanism::child::Stage;
use crate::measure::memory::page_table_bytes;
use crate::measure::reading::{PLACES, READINGS, Source, WORK};
use crate::measure::tape::{
    Bucket, Difference, EVENTS, Event, Frame, KINDS, PHASES, Reading, SCOPES, Sample,
};
use crate::measure::workload;
use crate::model::action::ACTIONS;
use crate::model::order::Order;
use crate::model::row::{BlockKind, EventKind, Outcome, Role};
use crate::model::scenario::Scenario;
use crate::model::setup::{Advice, Busy, Contents, MemoryKind, Parent, VmaContents};
use crate::record::append::{Block, Writer};
use crate::record::resume::Committed;
use crate::record::rows::{BlockRow, EventRow, HistogramRow, LaunchRow, ReadingRow, SampleRow};

/// What a run says of itself while it goes on.
#[derive(Debug)]
pub enum Progress<'a> {
    /// A pilot begins, of the parent of this label.
    Pilot(&'a str),
    /// The plan stands.
    Planned(&'a Plan),
    /// A launch begins.
    Launch {
        /// Its number, from 1.
        launch: u32,
        /// How many are planned.
        of: u32,
    },
    /// A part of all launches is done, from 0 to 1.
    Done(f64),
    /// Something that a person should know at once.
    Note(String),
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finish {
    /// The plan was carried out.
    Complete {
        /// Why it stopped when it did.
        reason: String,
        /// How many subjects were lost on the way, with their blocks.
        lost: u32,
    },
    /// It was interrupted; what was finished is on disk.
    Interrupted,
    /// It could not go on: why.
    Failed(String),
}

/// A run failed because a row could not be written, or a process not be started.
pub type Result<T> = anyhow::Result<T>;

/// Everything that a run needs around it.
pub struct Harness<'a> {
    binary: PathBuf,
    machine: Machine,
    images: Images,
    writer: Writer,
    stall: Duration,
    began: Instant,
    interrupted: &'a dyn Fn() -> bool,
    progress: &'a mut dyn FnMut(Progress),
    /// Why a plan needs no launch after so many, from what is on disk.
    enough: &'a dyn Fn(&Plan, u32) -> Option<String>,
    perf_refused: bool,
    losses: u32,
    /// Blocks whose numbers a partial one must not take, as (launch, block).
    partial: BTreeSet<(u32, u32)>,
}

/// After so many subjects that were lost, a run gives up.
const MOST_LOSSES: u32 = 3;

/// What a harness reports to, and asks.
pub struct Listeners<'a> {
    /// Whether the user wants the run to end.
    pub interrupted: &'a dyn Fn() -> bool,
    /// What it says of itself.
    pub progress: &'a mut dyn FnMut(Progress),
    /// Why the results of so many launches are enough; none while they are not.
    pub enough: &'a dyn Fn(&Plan, u32) -> Option<String>,
}

/// Why a subject was given up.
struct Loss {
    outcome: Outcome,
    detail: String,
}

/// A subject with what is needed to write about it.
struct Live {
    subject: Subject,
    launch: u32,
    number: u32,
    label: String,
    started_ns: u64,
    steal: Option<u64>,
    misshapen: Vec<String>,
    job: Job,
    next_block: usize,
}

impl<'a> Harness<'a> {
    /// Makes ready what a run needs; the results directory is open in `writer`.
    ///
    /// # Errors
    ///
    /// When no directory allows the execution of an image.
    pub fn new(writer: Writer, stall: Duration, listeners: Listeners<'a>) -> Result<Harness<'a>> {
        let here = writer.directory().to_path_buf();
        let binary = std::env::current_exe()?;
        Ok(Harness {
            machine: Machine::new(binary.clone()),
            binary,
            images: Images::make(&here)?,
            writer,
            stall,
            began: Instant::now(),
            interrupted: listeners.interrupted,
            progress: listeners.progress,
            enough: listeners.enough,
            perf_refused: false,
            losses: 0,
            partial: BTreeSet::new(),
        })
    }

    /// The path of the image `noop` in this run.
    pub fn noop(&self) -> PathBuf {
        self.images.noop()
    }

    /// The results directory.
    pub fn writer(&mut self) -> &mut Writer {
        &mut self.writer
    }

    /// A new run: pilots, the plan, and its launches.
    pub fn run(
        &mut self,
        roster: Roster,
        scenarios: Vec<Scenario>,
        wishes: Wishes,
        ground: Ground,
    ) -> Result<Finish> {
        let finish = self.pilot_and_measure(roster, scenarios, wishes, ground);
        self.put_back();
        finish
    }

    fn pilot_and_measure(
        &mut self,
        mut roster: Roster,
        scenarios: Vec<Scenario>,
        wishes: Wishes,
        ground: Ground,
    ) -> Result<Finish> {
        self.keep_off(ground.cpu, &ground.cpus);
        self.make_searched(&roster.entries)?;
        for entry in &roster.entries {
            if let Some(why) = &entry.refused {
                self.event(0, Some(entry.row.variant), EventKind::Refused, None, why)?;
            }
        }
        let mut pilots = Vec::new();
        let mut lost = String::new();
        for (number, (parent, variants)) in parents(&roster).into_iter().enumerate() {
            if variants.iter().all(|variant| plan::is_whole(&roster.entries[*variant as usize])) {
                pilots.push(Pilot::default());
                continue;
            }
            let copied = copied_bytes(&roster.entries, variants.iter().copied());
            let pilot = match self.make_ready(&[(&parent, copied)]) {
                Ok(()) => self.pilot(&roster, &parent, &variants, &ground, number as u32)?,
                Err(detail) => Err(Loss { outcome: Outcome::Unsupported, detail }),
            };
            match pilot {
                Ok(pilot) => pilots.push(pilot),
                Err(loss) if loss.outcome == Outcome::Interrupted => {
                    return Ok(Finish::Interrupted);
                }
                Err(loss) => {
                    for variant in variants {
                        let refused = &mut roster.entries[variant as usize].refused;
                        *refused = Some(loss.detail.clone());
                        let why = loss.detail.clone();
                        self.event(0, Some(variant), EventKind::Refused, None, &why)?;
                    }
                    lost = loss.detail;
                }
            }
        }
        // Where nothing but the control was asked for, the control is what counts.
        let subjects = roster.entries.iter().filter(|entry| entry.row.role == Role::Subject);
        let mut asked: Vec<&Entry> = subjects.collect();
        if asked.is_empty() {
            asked.extend(&roster.entries);
        }
        if asked.iter().all(|entry| entry.refused.is_some()) {
            return Ok(Finish::Failed(lost));
        }
        let spent = u64::try_from(self.began.elapsed().as_nanos()).unwrap_or(u64::MAX);
        let plan = Plan::new(roster, scenarios, wishes, ground, &pilots, spent);
        self.writer.plan(&plan)?;
        (self.progress)(Progress::Planned(&plan));
        self.launches(&plan, &BTreeSet::new())
    }

    /// An interrupted run: the blocks of its plan that are not on disk.
    pub fn resume(&mut self, plan: &Plan, committed: &Committed) -> Result<Finish> {
        self.keep_off(plan.cpu, &plan.cpus);
        self.make_searched(&plan.entries)?;
        self.partial = committed.blocks.clone();
        (self.progress)(Progress::Planned(plan));
        let finish = self.launches(plan, &committed.blocks);
        self.put_back();
        finish
    }

    /// Puts back what was changed of the machine.
    fn put_back(&mut self) {
        for left in self.machine.put_back() {
            (self.progress)(Progress::Note(left));
        }
    }

    /// Makes the machine ready for parents that live side by side, each with the bytes of it that
    /// are copied meanwhile; else why it is not.
    fn make_ready(&mut self, parents: &[(&Parent, u64)]) -> std::result::Result<(), String> {
        let needed: u64 =
            parents.iter().map(|(parent, copied)| needed_bytes(parent, *copied)).sum();
        let spare = self.memory().saturating_sub(needed);
        self.machine.prepare(parents, spare)
    }

    /// The memory that parents may take together.
    fn memory(&self) -> u64 {
        environment::memory_limit(&Root::live()).map_or(u64::MAX, |limit| {
            limit.size.bytes().saturating_add(self.machine.held_bytes()) / 10 * 9
        })
    }

    /// Makes the directories that the variants search in vain.
    fn make_searched(&self, entries: &[Entry]) -> Result<()> {
        let most = entries.iter().map(|entry| entry.setup.work.path_dirs).max().unwrap_or(0);
        Ok(self.images.make_searched(most)?)
    }

    /// Puts this process on the processors that the spawners do not use, where there are others.
    fn keep_off(&self, cpu: u32, cpus: &[u32]) {
        let mut set = CpuSet::new();
        for other in cpus.iter().filter(|other| **other != cpu) {
            let _ = set.set(*other as usize);
        }
        if cpus.len() > 1 {
            // Where it is refused the harness disturbs a little more; it is idle during a block.
            let _ = sched_setaffinity(Pid::from_raw(0), &set);
        }
    }

    fn pilot(
        &mut self,
        roster: &Roster,
        parent: &Parent,
        variants: &[u32],
        ground: &Ground,
        number: u32,
    ) -> Result<std::result::Result<Pilot, Loss>> {
        let job = pilot_job(roster, parent, variants, ground, &self.images, number);
        let label = roster.entries[variants[0] as usize].row.shape.clone();
        (self.progress)(Progress::Pilot(&label));
        let start = self.start(parent, 0, false);
        let live = match self.launch_subject(0, number, label, job, start)? {
            Ok(live) => live,
            Err(loss) => return Ok(Err(loss)),
        };
        let mut costs = vec![Vec::new(); variants.len()];
        let live = match self.block(live, |frames| note_costs(frames, variants, &mut costs))? {
            Ok(live) => live,
            Err(loss) => return Ok(Err(loss)),
        };
        let setup_ns = live.subject.setup_ns().unwrap_or(0);
        self.finish(live)?;
        let costs = costs.into_iter().map(|mut costs: Vec<u64>| {
            costs.sort_unstable();
            // The lower median: the first sample of all is cold. A variant that always failed
            // costs next to nothing.
            costs.get(costs.len().saturating_sub(1) / 2).copied().unwrap_or(1_000)
        });
        Ok(Ok(Pilot { setup_ns, costs: costs.collect() }))
    }

    fn start(&self, parent: &Parent, padding: usize, fixed_addresses: bool) -> Start {
        Start {
            prefix: shlex::split(&parent.prefix).unwrap_or_default(),
            fixed_addresses,
            padding,
            directory: Some(self.images.directory().into()),
            env: parent.env.iter().map(|(name, value)| format!("{name}={value}").into()).collect(),
            binary: (!parent.bin.is_empty()).then(|| PathBuf::from(&parent.bin)),
        }
    }

    fn launches(&mut self, plan: &Plan, committed: &BTreeSet<(u32, u32)>) -> Result<Finish> {
        let budget = Duration::from_nanos(plan.wishes.time_ns);
        let begun = Instant::now();
        let most = plan.most_launches();
        // What a run that is resumed has begun beyond its plan is finished, and no more begun: what
        // it spent before is not known.
        let resumed = committed.last().map(|(launch, _)| plan.launches.max(*launch));
        for launch in 1..=most {
            if let Some(reason) = self.enough(plan, launch - 1, budget, begun, resumed) {
                return Ok(Finish::Complete { reason, lost: self.losses });
            }
            (self.progress)(Progress::Launch { launch, of: most.min(plan.launches.max(launch)) });
            if let Some(finish) = self.launch(plan, launch, committed)? {
                return Ok(finish);
            }
        }
        Ok(Finish::Complete { reason: format!("after all {most} launches"), lost: self.losses })
    }

    /// Why no further launch is needed after `done` of them. A resumed run makes `resumed` of them.
    fn enough(
        &self,
        plan: &Plan,
        done: u32,
        budget: Duration,
        begun: Instant,
        resumed: Option<u32>,
    ) -> Option<String> {
        if done == 0 {
            return None;
        }
        if let Some(reason) = (self.enough)(plan, done) {
            return Some(format!("after {done} launches: {reason}"));
        }
        if plan.wishes.launches.is_some() {
            return None;
        }
        // Those that the budget was found to buy are made even if it was a little too hopeful.
        if done < resumed.unwrap_or(plan.launches) {
            return None;
        }
        if resumed.is_some() {
            return Some(format!("after all {done} launches"));
        }
        let mean = begun.elapsed() / done;
        (self.began.elapsed() + mean > budget)
            .then(|| format!("after {done} launches: the time is up"))
    }

    fn launch(
        &mut self,
        plan: &Plan,
        launch: u32,
        committed: &BTreeSet<(u32, u32)>,
    ) -> Result<Option<Finish>> {
        let (order, padding) = plan.shuffled(launch);
        let missing = |block: &JobBlock| !committed.contains(&(launch, block.block));
        let mut number = 0;
        for group in self.groups(plan, order) {
            let parents: Vec<_> =
                group.iter().map(|i| (&plan.parents[*i].parent, copied_in(plan, *i))).collect();
            if let Err(why) = self.make_ready(&parents) {
                // The subject that lacks it says so, in its row.
                (self.progress)(Progress::Note(why));
            }
            let mut lives = Vec::new();
            for &parent in &group {
                let blocks = plan.timed_blocks(parent);
                if blocks.iter().all(|b| !missing(b)) {
                    continue;
                }
                let blocks = rewarm(blocks, &missing);
                let start = self.start(&plan.parents[parent].parent, padding, plan.has_pairs());
                let job = plan.job(launch, parent, &self.images, blocks);
                let label = plan.parents[parent].label.clone();
                match self.launch_subject(launch, number, label, job, start)? {
                    Ok(live) => lives.push(live),
                    Err(loss) => {
                        if let Some(finish) = self.lose(&loss) {
                            return Ok(Some(finish));
                        }
                    }
                }
                number += 1;
            }
            if let Some(finish) = self.take_turns(plan, launch, lives)? {
                return Ok(Some(finish));
            }
            for &parent in &group {
                let Some(block) = plan.count_block(parent).filter(|block| missing(block)) else {
                    continue;
                };
                // The same padding in the same launch of every run: counts are to be repeatable.
                let padding = (launch as usize * 64) % 4096;
                let start = self.start(&plan.parents[parent].parent, padding, true);
                let job = plan.job(launch, parent, &self.images, vec![block]);
                let label = plan.parents[parent].label.clone();
                let counted = match self.launch_subject(launch, number, label, job, start)? {
                    Ok(live) => match self.block(live, |_| ())? {
                        Ok(live) => {
                            self.finish(live)?;
                            Ok(())
                        }
                        Err(loss) => Err(loss),
                    },
                    Err(loss) => Err(loss),
                };
                number += 1;
                if let Err(loss) = counted
                    && let Some(finish) = self.lose(&loss)
                {
                    return Ok(Some(finish));
                }
            }
        }
        Ok(None)
    }

    /// Lets the subjects of a launch run a block each, by turns, until all are done.
    fn take_turns(
        &mut self,
        plan: &Plan,
        launch: u32,
        mut lives: Vec<Live>,
    ) -> Result<Option<Finish>> {
        let all: usize = lives.iter().map(|live| live.job.blocks.len()).sum();
        let mut done = 0;
        while !lives.is_empty() {
            let mut still = Vec::new();
            for live in lives {
                match self.block(live, |_| ())? {
                    Ok(live) if live.next_block == live.job.blocks.len() => self.finish(live)?,
                    Ok(live) => still.push(live),
                    Err(loss) => {
                        if let Some(finish) = self.lose(&loss) {
                            return Ok(Some(finish));
                        }
                    }
                }
                done += 1;
                let part = f64::from(launch - 1) + 0.8 * f64::from(done) / all.max(1) as f64;
                (self.progress)(Progress::Done(part / f64::from(plan.launches.max(launch))));
            }
            lives = still;
        }
        Ok(None)
    }

    /// Which parents can live side by side: as many as fit into memory, in their order.
    fn groups(&self, plan: &Plan, order: Vec<usize>) -> Vec<Vec<usize>> {
        let limit = self.memory();
        let mut groups: Vec<Vec<usize>> = Vec::new();
        let mut used = u64::MAX;
        for parent in order {
            let needed = needed_bytes(&plan.parents[parent].parent, copied_in(plan, parent));
            match groups.last_mut() {
                Some(group)
                    if used.saturating_add(needed) <= limit
                        && !plan.parents[parent].is_whole()
                        && !plan.parents[group[0]].is_whole() =>
                {
                    group.push(parent);
                    used += needed;
                }
                _ => {
                    groups.push(vec![parent]);
                    used = needed;
                }
            }
        }
        groups
    }

    /// Starts a subject and waits until it has its shape.
    fn launch_subject(
        &mut self,
        launch: u32,
        number: u32,
        label: String,
        job: Job,
        start: Start,
    ) -> Result<std::result::Result<Live, Loss>> {
        let started_ns = monotonic_ns();
        let steal = steal_ticks();
        let subject = Subject::start(&self.binary, &job, &start).map_err(|error| {
            let again = error.kind() == std::io::ErrorKind::WouldBlock;
            let advice = "; raise the limit of processes (`ulimit -u`, pids.max of the cgroup)";
            let advice = if again { advice } else { "" };
            anyhow::anyhow!("cannot start a subject: {error}{advice}")
        })?;
        let mut live = Live {
            subject,
            launch,
            number,
            label,
            started_ns,
            steal,
            misshapen: Vec::new(),
            job,
            next_block: 0,
        };
        let patience = Patience { stall: self.stall, interrupted: self.interrupted };
        match live.subject.wait_until_idle(patience) {
            Ok(()) => Ok(Ok(live)),
            Err(trouble) => Ok(Err(self.give_up(live, trouble)?)),
        }
    }

    /// Runs the next block of a subject and writes it. `see` gets the frames before.
    fn block(
        &mut self,
        mut live: Live,
        see: impl FnOnce(&[Frame]),
    ) -> Result<std::result::Result<Live, Loss>> {
        let steal = steal_ticks();
        let patience = Patience { stall: self.stall, interrupted: self.interrupted };
        let outcome = live.subject.run_block(patience);
        let frames = live.subject.take();
        see(&frames);
        let whole = frames.iter().any(|frame| matches!(frame, Frame::Block(_)));
        let steal = steal.zip(steal_ticks()).map(|(before, after)| after - before);
        if whole {
            self.write_block(&mut live, &frames, steal)?;
            live.next_block += 1;
        }
        match outcome {
            Ok(()) => Ok(Ok(live)),
            Err(trouble) => {
                if !whole {
                    self.write_partial(&mut live, &frames)?;
                }
                Ok(Err(self.give_up(live, trouble)?))
            }
        }
    }

    fn write_block(&mut self, live: &mut Live, frames: &[Frame], steal: Option<u64>) -> Result<()> {
        let Some(end) = frames.iter().find_map(|frame| match frame {
            Frame::Block(block) => Some(*block),
            _ => None,
        }) else {
            return Ok(());
        };
        let order = Order::of_block(
            live.job.seed,
            live.launch,
            end.block,
            live.job.variants.len() as u32,
            end.rounds,
        );
        let row = BlockRow {
            launch: live.launch,
            block: end.block,
            kind: KINDS[end.kind as usize],
            coin: order.coin(),
            rounds: end.rounds,
            started_ns: end.started_ns,
            wall_ns: end.wall_ns,
            steal_ticks: steal,
        };
        live.misshapen.extend(idle_threads(&live.job, frames, end.wall_ns));
        self.write(live, frames, row)
    }

    /// Writes what a subject managed of a block before it was lost.
    fn write_partial(&mut self, live: &mut Live, frames: &[Frame]) -> Result<()> {
        let Some(block) = live.job.blocks.get(live.next_block) else { return Ok(()) };
        if frames.is_empty() {
            return Ok(());
        }
        // The same block may be lost again when the run is resumed.
        let mut number = block.block + PARTIAL;
        while !self.partial.insert((live.launch, number)) {
            number += PARTIAL;
        }
        let row = BlockRow {
            launch: live.launch,
            block: number,
            kind: BlockKind::Partial,
            coin: String::new(),
            rounds: 0,
            started_ns: first_start(frames),
            wall_ns: 0,
            steal_ticks: None,
        };
        self.write(live, frames, row)
    }

    fn write(&mut self, live: &mut Live, frames: &[Frame], row: BlockRow) -> Result<()> {
        let mut samples = Vec::new();
        let mut readings = Vec::new();
        let mut histograms = Vec::new();
        let mut events = Vec::new();
        // Evidence in pieces, ahead of its event.
        let mut text = Vec::new();
        for frame in frames {
            match frame {
                Frame::Sample(sample) => samples.push(sample_row(live.launch, row.block, sample)),
                Frame::Reading(reading) => readings.push(*reading),
                Frame::Event(event) if event.variant == u32::MAX => {
                    // Said once for the run; the readings show it in every block.
                    if !self.perf_refused {
                        events.push(event_row(live.launch, row.block, event));
                    }
                    self.perf_refused = true;
                }
                Frame::Event(event) => {
                    let mut row = event_row(live.launch, row.block, event);
                    if !text.is_empty() {
                        row.evidence = String::from_utf8_lossy(&text).replace(['\n', '\r'], " ");
                        if row.event == EventKind::Refused {
                            row.evidence.push_str(GIVEN_UP);
                        }
                        text.clear();
                    }
                    events.push(row);
                }
                Frame::Text(piece) => text.extend_from_slice(piece.content()),
                Frame::Bucket(bucket) => {
                    histograms.push(histogram_row(live.launch, row.block, bucket));
                }
                Frame::Block(_) => {}
            }
        }
        live.misshapen.extend(misshapen(&readings, live.job.variants.len() as u64));
        let readings = reading_rows(live.launch, row.block, &readings);
        Ok(self.writer.block(Block {
            row: &row,
            samples: &samples,
            readings: &readings,
            histograms: &histograms,
            events: &events,
        })?)
    }

    /// Ends a subject that has done its job, and writes its row.
    fn finish(&mut self, live: Live) -> Result<()> {
        let outcome = if live.misshapen.is_empty() { Outcome::Done } else { Outcome::Misshapen };
        let detail = live.misshapen.join("; ");
        self.end(live, outcome, &detail)
    }

    /// Writes the rows of a subject that is lost, with the evidence, and ends it.
    fn give_up(&mut self, live: Live, trouble: Trouble) -> Result<Loss> {
        let (outcome, detail) = match trouble {
            Trouble::Interrupted => (Outcome::Interrupted, "the run was interrupted".to_owned()),
            Trouble::Stuck => {
                let pid = live.subject.pid;
                let evidence = pid.map_or("its process is not known".to_owned(), autopsy::examine);
                let block = live.job.blocks.get(live.next_block);
                self.writer.events(&[EventRow {
                    launch: live.launch,
                    block: block.map(|block| block.block),
                    variant: None,
                    event: EventKind::Stuck,
                    pid: pid.map(Pid::as_raw),
                    errno: None,
                    evidence: evidence.clone(),
                }])?;
                (
                    Outcome::Stuck,
                    format!("nothing moved for {:?} and it was killed: {evidence}", self.stall),
                )
            }
            Trouble::Ended(ending, error) if ending.is_refusal() => {
                let reason = error.strip_prefix("subject: ").unwrap_or(&error).to_owned();
                (Outcome::Unsupported, reason)
            }
            Trouble::Ended(ending, error) => {
                let how = match ending {
                    Ending::Exit(code) => format!("the subject exited with code {code}"),
                    Ending::Signal(9) => "the subject was killed by SIGKILL: by the kernel for \
                                          want of memory (see `dmesg`), or by somebody"
                        .to_owned(),
                    Ending::Signal(signal) => format!("the subject was killed by signal {signal}"),
                    Ending::Unstarted => "the subject could not be started".to_owned(),
                    Ending::Unknown => "the subject's keeper was killed".to_owned(),
                };
                let said =
                    if error.is_empty() { String::new() } else { format!("; it said: {error}") };
                (Outcome::Died, how + &said)
            }
        };
        self.end(live, outcome, &detail)?;
        Ok(Loss { outcome, detail })
    }

    fn end(&mut self, live: Live, outcome: Outcome, detail: &str) -> Result<()> {
        let setup_ns = live.subject.setup_ns();
        live.subject.finish();
        let row = LaunchRow {
            launch: live.launch,
            subject: live.number,
            shape: live.label,
            outcome,
            detail: detail.replace(['\n', '\r'], " "),
            started_ns: live.started_ns,
            setup_ns,
            wall_ns: monotonic_ns() - live.started_ns,
            steal_ticks: live.steal.zip(steal_ticks()).map(|(before, after)| after - before),
        };
        Ok(self.writer.launch(&row)?)
    }

    /// Counts a loss; after too many, or when the user wants it, the run is over.
    fn lose(&mut self, loss: &Loss) -> Option<Finish> {
        if loss.outcome == Outcome::Interrupted {
            return Some(Finish::Interrupted);
        }
        self.losses += 1;
        (self.progress)(Progress::Note(format!("a subject was lost: {}", loss.detail)));
        (self.losses >= MOST_LOSSES).then(|| {
            Finish::Failed(format!(
                "{} subjects were lost, the last one: {}",
                self.losses, loss.detail
            ))
        })
    }

    fn event(
        &mut self,
        launch: u32,
        variant: Option<u32>,
        event: EventKind,
        errno: Option<i32>,
        evidence: &str,
    ) -> Result<()> {
        Ok(self.writer.events(&[EventRow {
            launch,
            block: None,
            variant,
            event,
            pid: None,
            errno,
            evidence: evidence.to_owned(),
        }])?)
    }
}

/// The blocks that are missing, with a warm-up before them: a subject that goes on where another
/// was interrupted is a fresh process.
fn rewarm(blocks: Vec<JobBlock>, missing: &impl Fn(&JobBlock) -> bool) -> Vec<JobBlock> {
    let mut warmup = blocks[0].clone();
    if warmup.kind != BlockKind::Warmup {
        return blocks.into_iter().filter(missing).collect();
    }
    if !missing(&warmup) {
        // The number of a block is on disk already; this one only repeats it.
        warmup.block += plan::PARTIAL / 2;
        while !missing(&warmup) {
            warmup.block += 1000;
        }
    }
    let rest = blocks.into_iter().skip(1).filter(|block| missing(block));
    std::iter::once(warmup).chain(rest).collect()
}

/// Bytes of one planned parent that are copied while its variants take turns, at most.
fn copied_in(plan: &Plan, parent: usize) -> u64 {
    let variants = plan.parents[parent].variants.iter().map(|variant| variant.variant);
    copied_bytes(&plan.entries, variants)
}

fn copied_bytes(entries: &[Entry], variants: impl Iterator<Item = u32>) -> u64 {
    let setups = variants.map(|variant| &entries[variant as usize].setup);
    setups.map(|s| workload::copied_bytes(&s.parent.shape, &s.work)).max().unwrap_or(0)
}

/// Memory that a parent needs, with its page tables twice and the program, and `copied` bytes of
/// which there are two.
pub fn needed_bytes(parent: &Parent, copied: u64) -> u64 {
    let shape = &parent.shape;
    let rss = shape.rss.bytes();
    let written = matches!(shape.contents, Contents::Dirty | Contents::OneByte);
    let memory = match shape.memory {
        MemoryKind::Anon if shape.contents != Contents::Dirty => 0,
        _ if shape.contents == Contents::Untouched => 0,
        // What is written privately, and the page of the file that it was copied from.
        MemoryKind::File if written => 2 * rss,
        // A fork copies the pages themselves.
        MemoryKind::Pinned if shape.advice == Advice::None || shape.advice == Advice::Mlock => {
            2 * rss
        }
        _ => rss,
    };
    memory
        + copied
        + 2 * page_table_bytes(shape)
        + (64 << 20)
        + u64::from(shape.threads) * (32 << 10)
        + u64::from(shape.vmas) * if shape.vma_contents == VmaContents::Dirty { 5120 } else { 512 }
        + u64::from(shape.fds) * 512
}

fn note_costs(frames: &[Frame], variants: &[u32], costs: &mut [Vec<u64>]) {
    let samples: Vec<&Sample> = frames
        .iter()
        .filter_map(|frame| match frame {
            Frame::Sample(sample) => Some(sample),
            _ => None,
        })
        .collect();
    let end = frames.iter().find_map(|frame| match frame {
        Frame::Block(block) => Some(block.started_ns + block.wall_ns),
        _ => None,
    });
    // From one call to the next: the sample, its restoring, and the tool's own work.
    let starts = samples.iter().map(|s| s.start_ns).skip(1).chain(end);
    for (sample, next) in samples.iter().zip(starts) {
        if let Some(i) = variants.iter().position(|variant| *variant == sample.variant) {
            costs[i].push(next.saturating_sub(sample.start_ns));
        }
    }
}

fn first_start(frames: &[Frame]) -> u64 {
    frames
        .iter()
        .find_map(|frame| match frame {
            Frame::Sample(sample) => Some(sample.start_ns),
            _ => None,
        })
        .unwrap_or(0)
}

fn sample_row(launch: u32, block: u32, sample: &Sample) -> SampleRow {
    SampleRow {
        launch,
        block,
        round: sample.round,
        turn: sample.turn,
        pos: sample.pos,
        phase: PHASES[sample.phase as usize],
        variant: sample.variant,
        start_ns: sample.start_ns,
        blocked_ns: sample.blocked_ns,
        born_ns: sample.born_ns,
        image_ns: sample.image_ns,
        reaped_ns: sample.reaped_ns,
        rewrite_ns: sample.rewrite_ns,
        blocked_cpu_ns: Some(sample.blocked_cpu_ns),
        parent_cpu: sample.parent_cpu,
        child_cpu: sample.child_cpu,
        status: sample.status,
    }
}

fn event_row(launch: u32, block: u32, event: &Event) -> EventRow {
    let some = |number: i32| (number != 0).then_some(number);
    let (variant, evidence) = if event.variant == u32::MAX {
        let error = std::io::Error::from_raw_os_error(event.errno);
        (None, format!("perf events are refused ({error}): faults come from getrusage alone"))
    } else {
        (Some(event.variant), evidence(event))
    };
    EventRow {
        launch,
        block: Some(block),
        variant,
        event: EVENTS[event.event as usize],
        pid: some(event.pid as i32),
        errno: some(event.errno),
        evidence,
    }
}

fn evidence(event: &Event) -> String {
    if let Some(Difference { action, asked, found }) = event.difference {
        let word = ACTIONS.get(action as usize).map_or("?", |row| row.word);
        return format!(
            "{word} is not proved: {} was asked for, the image reports {}",
            asked as i64, found as i64
        );
    }
    let stage = Stage::from_number(event.stage);
    let word = stage.map_or("?", Stage::word);
    let who = if stage == Some(Stage::Helper) { "helper" } else { "child" };
    let mut text = match (event.errno, event.status) {
        (descriptor, _) if stage == Some(Stage::EndOfFile) => return no_end_of_file(descriptor),
        (0, 0) if who == "helper" => "the helper has ended by itself".to_owned(),
        (0, 0) => "the image reported no stamp".to_owned(),
        (0, status) if libc_signalled(status) => {
            format!("the {who} was killed by signal {}", status & 0x7f)
        }
        (0, status) => format!("the {who} exited with status {}", status >> 8 & 0xff),
        (errno, _) => format!("{word}: {}", std::io::Error::from_raw_os_error(errno)),
    };
    if event.errno == Errno::E2BIG as i32 {
        text.push_str(
            "; environment and arguments with their pointers may take a quarter of the stack \
             limit (`ulimit -s`) and 6 MiB at most",
        );
    }
    if EVENTS[event.event as usize] == EventKind::Refused {
        text.push_str(GIVEN_UP);
    }
    text
}

/// How the evidence ends on a variant that is given up.
const GIVEN_UP: &str = "; it failed three times in a row and is not tried again in this subject";

/// What is known of a pipeline whose end of file never came. Whoever is left was killed by then.
fn no_end_of_file(descriptor: i32) -> String {
    if descriptor == 0 {
        return "the end of file did not come within 100 ms of the last byte; there is no proof \
                that it never would"
            .to_owned();
    }
    format!(
        "the end of file never comes: this stage waits in read(0) on a pipe whose write end it \
         holds itself, as descriptor {descriptor}, and only such stages hold one; make pipes with \
         O_CLOEXEC"
    )
}

fn libc_signalled(status: i32) -> bool {
    status & 0x7f != 0
}

fn histogram_row(launch: u32, block: u32, bucket: &Bucket) -> HistogramRow {
    HistogramRow {
        launch,
        block,
        variant: bucket.variant,
        reading: READINGS[bucket.reading as usize].name.to_owned(),
        low_ns: bucket.low_ns,
        high_ns: bucket.high_ns,
        count: bucket.count,
    }
}

/// One row per distinct value: `spawns` of them read it, and `value` is their total.
fn reading_rows(launch: u32, block: u32, readings: &[Reading]) -> Vec<ReadingRow> {
    let mut counted: BTreeMap<(Option<u32>, u32, u32, u32, u64), u64> = BTreeMap::new();
    for r in readings {
        *counted.entry((r.variant, r.reading, r.scope, r.place, r.value)).or_default() += 1;
    }
    counted
        .into_iter()
        .map(|((variant, reading, scope, place, value), spawns)| {
            let row = &READINGS[reading as usize];
            // What is seen of a shape in the middle of a workload belongs to its sample.
            let of_spawns = row.source != Source::Shape || place == WORK;
            ReadingRow {
                launch,
                block: Some(block),
                variant,
                reading: row.name.to_owned(),
                scope: SCOPES[scope as usize],
                at: PLACES[place as usize].to_owned(),
                value: if of_spawns { value.saturating_mul(spawns) } else { value },
                spawns: if of_spawns { spawns } else { 0 },
            }
        })
        .collect()
}

/// Where what was seen of a shape is not what was asked for, in a subject of so many variants.
fn misshapen(readings: &[Reading], variants: u64) -> Vec<String> {
    let value = |name: &str, place: &str| {
        readings
            .iter()
            .find(|r| {
                READINGS[r.reading as usize].name == name && PLACES[r.place as usize] == place
            })
            .map(|r| r.value)
    };
    let mut wrong = Vec::new();
    // What may come on top of what was asked for: the ballast's own mappings, each thread's stack
    // with its guard, and its arena or buffer, and the strings and the list of pages of each variant;
    // descriptors of the counters, and those by which a variant and its child agree.
    let slack = |name: &str| match name {
        "vmas" => 16 + 4 * value("threads", "asked").unwrap_or(0) + 2 * variants,
        "fds" => 8 + 3 * variants,
        _ => 0,
    };
    let exact = [
        "mapped_bytes",
        "rss_bytes",
        "dontfork_bytes",
        "wipeonfork_bytes",
        "locked_bytes",
        "vmas",
        "fds",
        "threads",
    ];
    for name in exact {
        let (Some(asked), Some(seen)) = (value(name, "asked"), value(name, "setup")) else {
            continue;
        };
        let on_top = ["vmas", "fds", "threads"].contains(&name);
        let base = if on_top { value(name, "base").unwrap_or(0) } else { 0 };
        let added = seen.saturating_sub(base);
        if added < asked || added > asked + slack(name) {
            wrong.push(format!("{name}: {asked} asked for, {added} seen"));
        }
    }
    for name in ["highest_fd", "vma_rss_bytes"] {
        if let (Some(asked), Some(seen)) = (value(name, "asked"), value(name, "setup"))
            && asked != seen
        {
            wrong.push(format!("{name}: {asked} asked for, {seen} seen"));
        }
    }
    // What the memory should have brought; the rest of the subject has some of its own.
    if let (Some(asked), Some(seen)) =
        (value("vm_pte_bytes", "asked"), value("vm_pte_bytes", "setup"))
    {
        let added = seen.saturating_sub(value("vm_pte_bytes", "base").unwrap_or(0));
        if added < asked {
            wrong.push(format!("vm_pte_bytes: {asked} asked for, {added} seen"));
        }
    }
    // Of pages that several entries map the kernel now and then copies a part when the memory is
    // written after a fork, instead of finding that nobody else has them: about 3 in 100,000.
    let at_least = |name: &str, place: &str| match (name, place) {
        ("multi_huge_bytes", "block") => 95,
        _ => 99,
    };
    for name in ["anon_huge_bytes", "multi_huge_bytes", "hugetlb_bytes"] {
        for place in ["setup", "block"] {
            if let (Some(asked), Some(seen)) = (value(name, "asked"), value(name, place))
                && (seen < asked / 100 * at_least(name, place) || (asked == 0 && seen > 0))
            {
                wrong.push(format!("{name}: {asked} asked for, {seen} seen ({place})"));
            }
        }
    }
    wrong
}

/// Where threads that should have been busy during a block of `wall_ns` were not. Threads in user
/// space must have had a tenth of what their processors offer; those that map or fault wait for the
/// lock of the memory while a fork holds it, which can be always: they must have run at all.
fn idle_threads(job: &Job, frames: &[Frame], wall_ns: u64) -> Option<String> {
    let ran = frames.iter().find_map(|frame| match frame {
        Frame::Reading(r) if READINGS[r.reading as usize].name == "busy_cpu_ns" => Some(r.value),
        _ => None,
    })?;
    let others = job.cpus.iter().filter(|cpu| Some(**cpu) != job.cpu).count() as u64;
    let offered = wall_ns * u64::from(job.shape.threads).min(others);
    let needed = match job.shape.busy {
        Busy::Park => 0,
        Busy::Spin | Busy::Malloc | Busy::Clock | Busy::Futex => offered / 10,
        Busy::Fault | Busy::Mmap | Busy::Rewrite => 1,
        // They may sleep while they hold what they hold.
        Busy::Hold => 0,
    };
    (ran < needed).then(|| {
        format!("busy_cpu_ns: {ran} in a block in which {offered} were to be had, {needed} needed")
    })
}

fn steal_ticks() -> Option<u64> {
    Some(environment::steal_ticks(&Root::live()))
}

fn monotonic_ns() -> u64 {
    crate::measure::clock::now()
}
