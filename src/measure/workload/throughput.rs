//! Throughput: a batch of jobs as fast as can be, or as they arrive.
//!
//! A sample is a batch. How a job gets to what does it is a `Runner`'s affair; this file says
//! which of them can do what, runs batches, and says of each how many jobs were done, how long it
//! took, how much processor time it cost, what failed, and that nothing was left behind.
//!
//! # Safety
//!
//! Reads the resource usage of this process, waits for children of it that nobody else has waited
//! for, and sets the timer slack of the calling thread.
#![allow(unsafe_code)]

mod batch;
pub mod helper;
mod runner;
mod team;

use std::mem;

use hdrhistogram::Histogram;

use crate::measure::clock;
use crate::measure::mechanism::child::Stage;
use crate::measure::mechanism::{Mechanism, Memory, Refusal};
use crate::measure::reading;
use crate::measure::shape;
use crate::measure::workload::throughput::batch::{Batch, Failure};
use crate::measure::workload::throughput::helper::{Helper, Role};
use crate::measure::workload::throughput::runner::{
    Direct, Epoll, Pool, Runner, ThreadEach, Workers, Zygote,
};
use crate::measure::workload::throughput::team::{Processes, Team, Threads};
use crate::measure::workload::{Bucket, Frames, Ground, Kit, Taken, Task, Workload};
use crate::model::row::Scope;
use crate::model::setup::{
    self, ChildCpu, Dispatch, Image, Load, Rewrite, Shape, SpawnerKind, Work,
};

/// The row of it.
pub(super) static THROUGHPUT: Workload = Workload {
    workload: setup::Workload::Throughput,
    can,
    control: |work| Work {
        dispatch: Dispatch::Direct,
        in_flight: 1,
        spawners: 1,
        spawner_kind: SpawnerKind::Threads,
        load: Load::Closed,
        ..work
    },
    frames: |work| Frames {
        sample: READINGS,
        block: if work.load == Load::Closed { MOST_BUCKETS } else { 2 * MOST_BUCKETS },
    },
    taints: |work| {
        let threads = work.spawners > 1 && work.spawner_kind == SpawnerKind::Threads;
        threads || matches!(work.dispatch, Dispatch::Thread | Dispatch::Pool)
    },
    whole: false,
    prepare: |kit| Ok(Box::new(Throughput::new(kit)?)),
};

/// The most that is said of one sample.
const READINGS: u64 = 16;

/// The longest length that a distribution tells from longer ones: 100 s.
const LONGEST_NS: u64 = 100_000_000_000;

/// Lengths are told apart to two digits, better than 1 %.
const DIGITS: u8 = 2;

/// The buckets of such a distribution: 256, and 128 for each doubling from there to the longest.
const MOST_BUCKETS: u64 = 256 + 128 * 29;

/// The fewest jobs of a batch in which a backlog can be seen to grow.
const FEWEST_OPEN: u32 = 30;

/// Mechanisms whose children are waited for by their pid alone, so that there may be many at once.
const BY_PID: [&str; 7] =
    ["fork", "_fork", "vfork", "posix_spawn", "clone3", "clone3-vm", "clone3-cgroup"];

fn can(shape: &Shape, work: &Work, mechanism: &Mechanism) -> Result<(), Refusal> {
    let refuse = |reason: String| Err(Refusal { errno: 0, reason });
    let (dispatch, name) = (work.dispatch, mechanism.name);
    let word = dispatch.word();
    if shape.is_write_protected_by_fork() && work.rewrite != Rewrite::NONE {
        return refuse(
            "workload=throughput makes one process after the other, and rewrites nothing in \
             between: say so with rewrite=none (a fork is then cheaper by a quarter to a third), \
             and use busy=rewrite for a thread that writes meanwhile"
                .to_owned(),
        );
    }
    let threads = matches!(dispatch, Dispatch::Thread | Dispatch::Pool);
    if threads && mechanism.memory != Memory::Same {
        return refuse(format!("dispatch={word} makes no process: use mechanism=thread with it"));
    }
    if !threads && mechanism.memory == Memory::Same {
        return refuse(format!(
            "mechanism={name} makes no process: use dispatch=thread or pool with it"
        ));
    }
    if mechanism.memory == Memory::Nothing && dispatch != Dispatch::Direct {
        return refuse(format!(
            "mechanism={name} makes nothing: dispatch={word} has no use for it"
        ));
    }
    if dispatch == Dispatch::Workers && name != "posix_spawn" {
        return refuse(format!(
            "dispatch=workers makes its processes before the first job, by posix_spawn, whatever \
             the mechanism: leave mechanism={name} out"
        ));
    }
    if dispatch == Dispatch::Workers && work.image != Image::Noop {
        return refuse("workers do the job of image=noop, and of no other".to_owned());
    }
    if dispatch == Dispatch::Epoll && !BY_PID.contains(&name) {
        return refuse(format!(
            "dispatch=epoll opens a pidfd of each child itself, and {name} can have one child at \
             a time: use {}",
            BY_PID.join(", ")
        ));
    }
    if work.in_flight > 1
        && !matches!(dispatch, Dispatch::Epoll | Dispatch::Workers | Dispatch::Pool)
    {
        return refuse(format!(
            "dispatch={word} has one job at a time: in-flight={} is for epoll, workers and pool",
            work.in_flight
        ));
    }
    let alone = work.spawners == 1 && work.spawner_kind == SpawnerKind::Threads;
    if !alone && dispatch != Dispatch::Direct {
        return refuse(format!("spawners and spawner-kind are for dispatch=direct, not {word}"));
    }
    if !alone && work.load != Load::Closed {
        return refuse("jobs arrive at one dispatcher: an open loop has spawners=1".to_owned());
    }
    if work.spawner_kind == SpawnerKind::Processes && !shape.is_empty() {
        return refuse(
            "spawner-kind=processes are small processes, whatever the parent is: leave its shape \
             out"
            .to_owned(),
        );
    }
    if work.has_extras() && (!alone || dispatch != Dispatch::Direct) {
        return refuse(
            "env-bytes, args-bytes and path-dirs are for dispatch=direct with one spawner"
                .to_owned(),
        );
    }
    if work.load != Load::Closed && work.jobs < FEWEST_OPEN {
        return refuse(format!(
            "an open loop of jobs={} is too short for a backlog to show: give {FEWEST_OPEN} or \
             more",
            work.jobs
        ));
    }
    Ok(())
}

/// What runs a batch.
enum Crew {
    /// This thread, and what does jobs for it.
    Alone(Box<dyn Runner>),
    /// Several that dispatch.
    Team(Box<dyn Team>),
}

impl Crew {
    fn new(kit: &Kit<'_>) -> Result<Crew, Refusal> {
        let Kit { job, work, mailbox, .. } = *kit;
        let free = work.child_cpu == ChildCpu::Free;
        // On which processors what helps is to run: those of the spawning thread.
        let cpus = match job.cpu {
            Some(cpu) if !free => vec![cpu],
            _ => job.cpus.clone(),
        };
        // Likewise for the spawner of that number.
        let each = |number: u32| match job.cpu {
            Some(cpu) if !free && !job.cpus.is_empty() => {
                let first = job.cpus.iter().position(|other| *other == cpu).unwrap_or(0);
                vec![job.cpus[(first + number as usize) % job.cpus.len()]]
            }
            _ => job.cpus.clone(),
        };
        let spawners = work.spawners;
        if work.spawner_kind == SpawnerKind::Processes {
            let helpers = (0..spawners).map(|i| Helper::start(Role::Spawner, kit, &each(i)));
            let helpers = helpers.collect::<Result<_, _>>()?;
            return Ok(Crew::Team(Box::new(Processes::new(helpers, work.jobs))));
        }
        if spawners > 1 {
            let runners = (0..spawners)
                .map(|i| Ok((Direct::new(kit.spawner()?, mailbox), each(i))))
                .collect::<Result<_, Refusal>>()?;
            return Ok(Crew::Team(Box::new(Threads::start(runners, work.jobs)?)));
        }
        let in_flight = work.in_flight as usize;
        Ok(Crew::Alone(match work.dispatch {
            Dispatch::Direct => Box::new(Direct::new(kit.spawner()?, mailbox)),
            Dispatch::Epoll => Box::new(Epoll::new(kit.spawner()?, mailbox, in_flight)?),
            Dispatch::Zygote => Box::new(Zygote::new(Helper::start(Role::Zygote, kit, &cpus)?)),
            Dispatch::Workers => {
                let helpers = (0..in_flight).map(|_| Helper::start(Role::Worker, kit, &cpus));
                Box::new(Workers::new(helpers.collect::<Result<_, _>>()?))
            }
            Dispatch::Thread => Box::new(ThreadEach::new()),
            Dispatch::Pool => Box::new(Pool::start(in_flight, &cpus)?),
        }))
    }

    fn closed(&mut self, jobs: u32, batch: &mut Batch) {
        match self {
            Crew::Alone(runner) => batch.closed(&mut **runner, jobs),
            Crew::Team(team) => team.run(jobs, batch),
        }
    }

    /// What the helpers have to say of themselves, all together.
    fn helpers(&mut self) -> helper::Usage {
        let helpers = match self {
            Crew::Alone(runner) => runner.helpers(),
            Crew::Team(team) => team.helpers(),
        };
        let mut all = helper::Usage::default();
        for helper in helpers {
            // One that has died has nothing to say; its jobs tell.
            if let Ok(usage) = helper.usage() {
                all.cpu_ns += usage.cpu_ns;
                all.zombies += usage.zombies;
                all.descriptors += usage.descriptors;
            }
        }
        all
    }
}

struct Throughput {
    crew: Crew,
    jobs: u32,
    load: Load,
    /// Whether each job leaves a stamp in the mailbox of this process.
    stamps: bool,
    batch: Batch,
    /// Of jobs, or of the services of an open loop.
    services: Histogram<u64>,
    /// Of an open loop.
    responses: Option<Histogram<u64>>,
    numbers: Numbers,
}

/// The readings, by their number.
struct Numbers {
    jobs: u32,
    batch_ns: u32,
    batch_cpu_ns: u32,
    failed_eagain: u32,
    failed_emfile: u32,
    failed_other: u32,
    zombies: u32,
    leaked_descriptors: u32,
    job_ns: u32,
    capacity_ns: u32,
    interval_ns: u32,
    least_wait: [u32; 3],
    saturated: u32,
    service_ns: u32,
    response_ns: u32,
}

impl Throughput {
    fn new(kit: &Kit<'_>) -> Result<Throughput, Refusal> {
        let work = kit.work;
        let distribution = || {
            Histogram::new_with_bounds(1, LONGEST_NS, DIGITS).expect("fixed bounds that are valid")
        };
        let number = reading::number;
        let function =
            matches!(work.dispatch, Dispatch::Workers | Dispatch::Thread | Dispatch::Pool);
        let own = work.spawner_kind == SpawnerKind::Threads;
        let image = work.image.stamps() && kit.mechanism.memory != Memory::Nothing;
        Ok(Throughput {
            crew: Crew::new(kit)?,
            jobs: work.jobs,
            load: work.load,
            stamps: own && (function || image),
            batch: Batch::new(work.jobs as usize, work.in_flight as usize),
            services: distribution(),
            responses: (work.load != Load::Closed).then(distribution),
            numbers: Numbers {
                jobs: number("jobs"),
                batch_ns: number("batch_ns"),
                batch_cpu_ns: number("batch_cpu_ns"),
                failed_eagain: number("failed_eagain"),
                failed_emfile: number("failed_emfile"),
                failed_other: number("failed_other"),
                zombies: number("zombies"),
                leaked_descriptors: number("leaked_descriptors"),
                job_ns: number("job_ns"),
                capacity_ns: number("capacity_ns"),
                interval_ns: number("interval_ns"),
                least_wait: [
                    number("least_wait_first_ns"),
                    number("least_wait_middle_ns"),
                    number("least_wait_last_ns"),
                ],
                saturated: number("saturated"),
                service_ns: number("service_ns"),
                response_ns: number("response_ns"),
            },
        })
    }

    /// From one arrival to the next, in nanoseconds: what the load asks for, by a closed batch
    /// where it is a share of that. None: nothing was done in it.
    fn interval(&mut self, ground: &mut Ground<'_>) -> Option<u64> {
        let interval = match self.load {
            Load::Closed => return None,
            Load::Rate(rate) => 1_000_000_000 / u64::from(rate),
            Load::Share(thousandths) => {
                self.crew.closed(self.jobs, &mut self.batch);
                let (done, length) = (self.batch.done(), self.batch.length_ns());
                ground.notes.add(self.numbers.capacity_ns, Scope::Parent, length);
                let arrivals = u128::from(done) * u128::from(thousandths);
                (u128::from(length) * 1000).checked_div(arrivals)? as u64
            }
        };
        ground.notes.add(self.numbers.interval_ns, Scope::Parent, interval);
        Some(interval)
    }

    /// Keeps the lengths of the batch just done, and says what only an open loop has.
    fn record(&mut self, ground: &mut Ground<'_>, interval: Option<u64>) {
        if !ground.settling {
            self.batch.services().iter().for_each(|ns| self.services.saturating_record(*ns));
            if let Some(responses) = &mut self.responses {
                self.batch.responses().iter().for_each(|ns| responses.saturating_record(*ns));
            }
        }
        let Some(interval) = interval else { return };
        let least = self.batch.least_waits();
        for (reading, wait) in self.numbers.least_wait.into_iter().zip(least) {
            ground.notes.add(reading, Scope::Parent, wait);
        }
        let saturated = batch::is_saturated(least, interval, self.jobs);
        ground.notes.add(self.numbers.saturated, Scope::Parent, u64::from(saturated));
    }

    /// What became of the sample as a whole.
    fn failure(&self, ground: &Ground<'_>) -> (Option<Failure>, bool) {
        let done = self.batch.done();
        match self.batch.first_failure() {
            Some(failure) => (Some(failure), done > 0),
            None if self.stamps && ground.mailbox.read().image_ns.is_none() => (
                Some(Failure { errno: 0, stage: Stage::Status, pid: 0, status: 0, lost: false }),
                false,
            ),
            None => (None, false),
        }
    }
}

impl Task for Throughput {
    fn begin_turn(&mut self, _: &mut Ground<'_>) {
        if let Crew::Alone(runner) = &mut self.crew {
            runner.begin_turn();
        }
        if self.load != Load::Closed {
            // Else the kernel wakes who waits for an arrival 50 us late, to save wake-ups.
            set_timer_slack(1);
        }
    }

    fn sample(&mut self, ground: &mut Ground<'_>) -> Taken {
        let interval = self.interval(ground);
        let before = self.crew.helpers();
        let open_before = open_descriptors();
        let busy_before = ground.became.threads.cpu_ns();
        let cpu_before = process_and_children_cpu();
        let thread_before = clock::thread_cpu();

        match (interval, &mut self.crew) {
            (Some(interval), Crew::Alone(runner)) => {
                self.batch.open(&mut **runner, self.jobs, interval);
            }
            // A share of nothing: the closed batch that showed it is the sample.
            (None, _) if self.load != Load::Closed => {}
            (_, crew) => crew.closed(self.jobs, &mut self.batch),
        }

        let thread_cpu = clock::thread_cpu() - thread_before;
        let cpu_after = process_and_children_cpu();
        let busy = ground.became.threads.cpu_ns() - busy_before;
        let open_after = open_descriptors();
        let after = self.crew.helpers();
        let zombies = zombies() + after.zombies;
        let leaked =
            (open_after + after.descriptors).saturating_sub(open_before + before.descriptors);
        // A helper that has died in between takes its figure with it.
        let helped = after.cpu_ns.saturating_sub(before.cpu_ns);
        let cpu = (cpu_after - cpu_before).saturating_sub(busy) + helped;
        let numbers = &self.numbers;
        for (number, scope, value) in [
            (numbers.jobs, Scope::Parent, self.batch.done()),
            (numbers.batch_ns, Scope::Parent, self.batch.length_ns()),
            (numbers.batch_cpu_ns, Scope::Both, cpu),
            (numbers.failed_eagain, Scope::Parent, self.batch.failed(libc::EAGAIN)),
            (numbers.failed_emfile, Scope::Parent, self.batch.failed(libc::EMFILE)),
            (numbers.failed_other, Scope::Parent, self.batch.failed_otherwise()),
            (numbers.zombies, Scope::Both, zombies),
            (numbers.leaked_descriptors, Scope::Both, leaked),
        ] {
            ground.notes.add(number, scope, value);
        }
        self.record(ground, interval);
        let (failure, partial) = self.failure(ground);
        Taken {
            start_ns: self.batch.begin_ns(),
            cpu_ns: thread_cpu,
            child: failure.map_or(0, |failure| failure.pid as isize),
            status: failure.map_or(0, |failure| failure.status),
            failure: failure.map(|failure| (failure.errno, failure.stage)),
            partial,
            ..Taken::default()
        }
    }

    fn end_turn(&mut self, _: &mut Ground<'_>) {
        if let Crew::Alone(runner) = &mut self.crew {
            runner.end_turn();
        }
        if self.load != Load::Closed {
            set_timer_slack(0);
        }
    }

    fn end_block(&mut self, each: &mut dyn FnMut(Bucket)) {
        let first = match self.load {
            Load::Closed => self.numbers.job_ns,
            _ => self.numbers.service_ns,
        };
        Bucket::take_all(first, &mut self.services, each);
        if let Some(responses) = &mut self.responses {
            Bucket::take_all(self.numbers.response_ns, responses, each);
        }
    }
}

/// How late the kernel may be with the timers of this thread, in nanoseconds; 0: as before.
fn set_timer_slack(ns: libc::c_ulong) {
    // SAFETY: takes a number.
    unsafe { libc::prctl(libc::PR_SET_TIMERSLACK, ns) };
}

/// CPU time of this process, all its threads, and of its children that were waited for.
fn process_and_children_cpu() -> u64 {
    let micros = |time: libc::timeval| time.tv_sec as u64 * 1_000_000 + time.tv_usec as u64;
    // SAFETY: a rusage may be all zeroes, and lives through the call.
    let children = unsafe {
        let mut usage: libc::rusage = mem::zeroed();
        libc::getrusage(libc::RUSAGE_CHILDREN, &mut usage);
        micros(usage.ru_utime) + micros(usage.ru_stime)
    };
    clock::process_cpu() + 1000 * children
}

/// Open descriptors of this process; what cannot be looked at is none.
fn open_descriptors() -> u64 {
    shape::descriptors().map_or(0, |(count, _)| count)
}

/// Waits for children that have ended and that nobody has waited for, and says how many there
/// were. Helpers are their owners' affair.
fn zombies() -> u64 {
    let mut count = 0;
    loop {
        // SAFETY: a siginfo_t may be all zeroes and lives through the calls; after a successful
        // waitid its pid is the child's, or 0 where none has ended.
        let pid = unsafe {
            let mut info: libc::siginfo_t = mem::zeroed();
            let options = libc::WEXITED | libc::WNOHANG | libc::WNOWAIT;
            if libc::waitid(libc::P_ALL, 0, &mut info, options) != 0 {
                return count;
            }
            info.si_pid()
        };
        if pid == 0 || helper::is_one(pid) {
            return count;
        }
        // SAFETY: a child of this process that has ended; no status is wanted.
        unsafe { libc::waitpid(pid, std::ptr::null_mut(), 0) };
        count += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::mechanism;
    use crate::model::units::Size;

    fn refusal(shape: &Shape, work: Work) -> Option<String> {
        let mechanism = mechanism::find(&work.mechanism).unwrap();
        can(shape, &work, mechanism).err().map(|refusal| refusal.reason)
    }

    #[test]
    fn what_cannot_be_done_is_told_with_what_can() {
        let empty = Shape::default();
        let work = Work { workload: setup::Workload::Throughput, ..Work::default() };
        let with = |mechanism: &str, dispatch| Work {
            mechanism: mechanism.to_owned(),
            dispatch,
            ..work.clone()
        };
        for (work, words) in [
            (with("fork", Dispatch::Pool), "mechanism=thread"),
            (with("thread", Dispatch::Direct), "dispatch=thread"),
            (with("fork", Dispatch::Workers), "leave mechanism=fork out"),
            (with("command", Dispatch::Epoll), "posix_spawn"),
            (with("none", Dispatch::Zygote), "makes nothing"),
            (Work { in_flight: 2, ..work.clone() }, "in-flight=2"),
            (Work { spawners: 2, load: Load::Rate(9), ..work.clone() }, "spawners=1"),
            (Work { spawners: 2, ..with("fork", Dispatch::Zygote) }, "dispatch=direct"),
            (Work { jobs: 9, load: Load::Share(500), ..work.clone() }, "jobs=9"),
            (Work { spawners: 2, path_dirs: 1, ..work.clone() }, "path-dirs"),
            (Work { image: Image::Exit, ..with("posix_spawn", Dispatch::Workers) }, "image=noop"),
        ] {
            let why = refusal(&empty, work.clone()).unwrap_or_else(|| panic!("{work:?}"));
            assert!(why.contains(words), "{why}");
        }
        let large = Shape { rss: Size::from_bytes(1 << 20), ..Shape::default() };
        assert!(refusal(&large, work.clone()).unwrap().contains("rewrite=none"));
        let none = Work { rewrite: Rewrite::NONE, ..work.clone() };
        assert_eq!(refusal(&large, none.clone()), None);
        let processes = Work { spawner_kind: SpawnerKind::Processes, ..none };
        assert!(refusal(&large, processes.clone()).unwrap().contains("leave its shape out"));
        assert_eq!(refusal(&empty, processes), None);
        for (mechanism, dispatch) in [
            ("none", Dispatch::Direct),
            ("fork", Dispatch::Epoll),
            ("fork", Dispatch::Zygote),
            ("posix_spawn", Dispatch::Workers),
            ("thread", Dispatch::Thread),
            ("thread", Dispatch::Pool),
        ] {
            assert_eq!(refusal(&empty, with(mechanism, dispatch)), None);
        }
    }

    #[test]
    fn a_distribution_has_no_more_buckets_than_there_is_room_for() {
        let distribution = Histogram::<u64>::new_with_bounds(1, LONGEST_NS, DIGITS).unwrap();
        assert!(distribution.distinct_values() as u64 <= MOST_BUCKETS);
    }

    #[test]
    fn children_that_nobody_waited_for_are_counted() {
        // Other tests of this process have children of their own: only the wait itself is tried.
        assert!(open_descriptors() >= 3);
        assert!(process_and_children_cpu() > 0);
    }
}
