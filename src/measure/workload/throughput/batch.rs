//! One batch of jobs: the loop that begins them and waits for them, and what it has seen.
//!
//! Both loops take a stamp before a job begins and one after its end is known, and nothing else
//! that would cost time. All room is made beforehand.

use crate::measure::clock;
use crate::measure::mechanism::child::Stage;
use crate::measure::workload::throughput::runner::{self, Ended, Runner};

/// Why a job was not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    /// The errno, or 0 where none was involved.
    pub(super) errno: i32,
    /// What was tried.
    pub(super) stage: Stage,
    /// The process that it is about, or 0.
    pub(super) pid: i32,
    /// Its wait status.
    pub(super) status: i32,
    /// Whether what does jobs in this slot is gone for good.
    pub(super) lost: bool,
}

impl Failure {
    /// A system call for a job failed.
    pub(super) fn of(errno: i32, stage: Stage) -> Failure {
        Failure { errno, stage, pid: 0, status: 0, lost: false }
    }
}

/// A batch, with room for the next.
pub(super) struct Batch {
    /// When the job in each slot began, and when it was to begin.
    slots: Vec<(u64, u64)>,
    /// Slots without a job.
    free: Vec<usize>,
    services: Vec<u64>,
    responses: Vec<u64>,
    /// How long each job waited for its beginning, in the order of arrival; those that failed too.
    waits: Vec<u64>,
    failed: Failed,
    first: Option<Failure>,
    begin_ns: u64,
    end_ns: u64,
}

/// Jobs that were not done, by the reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Failed {
    pub(super) eagain: u64,
    pub(super) emfile: u64,
    pub(super) other: u64,
}

impl Batch {
    /// Room for batches of so many jobs, so many of them at once.
    pub(super) fn new(jobs: usize, in_flight: usize) -> Batch {
        Batch {
            slots: vec![(0, 0); in_flight],
            free: Vec::with_capacity(in_flight),
            services: Vec::with_capacity(jobs),
            responses: Vec::with_capacity(jobs),
            waits: Vec::with_capacity(jobs),
            failed: Failed::default(),
            first: None,
            begin_ns: 0,
            end_ns: 0,
        }
    }

    fn clear(&mut self) {
        self.free.clear();
        self.free.extend((0..self.slots.len()).rev());
        self.services.clear();
        self.responses.clear();
        self.waits.clear();
        self.failed = Failed::default();
        self.first = None;
    }

    /// A batch that others have run, to be put together from theirs.
    pub(super) fn begin_of_others(&mut self, begin_ns: u64) {
        self.clear();
        (self.begin_ns, self.end_ns) = (begin_ns, begin_ns);
    }

    /// Adds the part of one of them.
    pub(super) fn add(
        &mut self,
        services: impl Iterator<Item = u64>,
        failed: Failed,
        first: Option<Failure>,
        end_ns: u64,
    ) {
        // No more than there is room for, whatever a helper says.
        let room = self.services.capacity() - self.services.len();
        self.services.extend(services.take(room));
        self.failed.eagain += failed.eagain;
        self.failed.emfile += failed.emfile;
        self.failed.other += failed.other;
        self.first = self.first.or(first);
        self.end_ns = self.end_ns.max(end_ns);
    }

    /// Does `jobs` jobs, each as soon as there is room for it.
    pub(super) fn closed(&mut self, runner: &mut dyn Runner, jobs: u32) {
        self.clear();
        self.begin_ns = clock::now();
        let (mut left, mut running) = (jobs, 0_u32);
        loop {
            if left > 0
                && let Some(slot) = self.free.pop()
            {
                left -= 1;
                let now = clock::now();
                running += u32::from(self.begin(runner, slot, now, now));
            } else if running > 0 {
                if let Some(ended) = runner.end(None) {
                    running -= 1;
                    self.end(ended);
                }
            } else {
                break;
            }
        }
        self.end_ns = clock::now();
        self.failed.other += u64::from(left);
    }

    /// Does `jobs` jobs of which one arrives every `interval_ns`.
    pub(super) fn open(&mut self, runner: &mut dyn Runner, jobs: u32, interval_ns: u64) {
        self.clear();
        self.begin_ns = clock::now() + LEAD_NS;
        let arrival = |begin_ns: u64, job: u32| begin_ns + u64::from(job) * interval_ns;
        let (mut next, mut running) = (0, 0_u32);
        loop {
            let now = clock::now();
            let due = arrival(self.begin_ns, next);
            if next < jobs
                && now >= due
                && let Some(slot) = self.free.pop()
            {
                next += 1;
                self.waits.push(now - due);
                running += u32::from(self.begin(runner, slot, due, now));
            } else if running > 0 {
                let until = (next < jobs && !self.free.is_empty()).then_some(due);
                if let Some(ended) = runner.end(until) {
                    running -= 1;
                    self.end(ended);
                }
            } else if next < jobs && !self.free.is_empty() {
                runner::sleep_until(due);
            } else {
                break;
            }
        }
        self.end_ns = clock::now();
        self.failed.other += u64::from(jobs - next);
    }

    /// Begins a job; whether it has begun.
    fn begin(&mut self, runner: &mut dyn Runner, slot: usize, due: u64, now: u64) -> bool {
        self.slots[slot] = (now, due);
        match runner.begin(slot) {
            Ok(()) => true,
            Err(failure) => {
                self.fail(slot, failure);
                false
            }
        }
    }

    fn end(&mut self, ended: Ended) {
        let now = clock::now();
        let (begun, due) = self.slots[ended.slot];
        match ended.result {
            Ok(()) => {
                self.services.push(now - begun);
                self.responses.push(now - due);
                self.free.push(ended.slot);
            }
            Err(failure) => self.fail(ended.slot, failure),
        }
    }

    /// A job that fails is not tried again.
    fn fail(&mut self, slot: usize, failure: Failure) {
        match failure.errno {
            libc::EAGAIN => self.failed.eagain += 1,
            libc::EMFILE => self.failed.emfile += 1,
            _ => self.failed.other += 1,
        }
        self.first = self.first.or(Some(failure));
        if !failure.lost {
            self.free.push(slot);
        }
    }

    /// Jobs that were done.
    pub(super) fn done(&self) -> u64 {
        self.services.len() as u64
    }

    /// When it began, or the first job arrived.
    pub(super) fn begin_ns(&self) -> u64 {
        self.begin_ns
    }

    /// From there to the end of the last job.
    pub(super) fn length_ns(&self) -> u64 {
        self.end_ns.saturating_sub(self.begin_ns)
    }

    /// When the last job had ended.
    pub(super) fn end_ns(&self) -> u64 {
        self.end_ns
    }

    /// Of each job that was done, from its beginning to when its end was known.
    pub(super) fn services(&self) -> &[u64] {
        &self.services
    }

    /// Of each job that was done, from its arrival to when its end was known.
    pub(super) fn responses(&self) -> &[u64] {
        &self.responses
    }

    /// The first failure of it.
    pub(super) fn first_failure(&self) -> Option<Failure> {
        self.first
    }

    /// Jobs that were not done.
    pub(super) fn all_failed(&self) -> Failed {
        self.failed
    }

    /// Jobs that were not done for that errno: EAGAIN or EMFILE.
    pub(super) fn failed(&self, errno: i32) -> u64 {
        if errno == libc::EAGAIN { self.failed.eagain } else { self.failed.emfile }
    }

    /// Jobs that were not done for another reason.
    pub(super) fn failed_otherwise(&self) -> u64 {
        self.failed.other
    }

    /// The shortest time that a job waited for its beginning, in the first, the middle and the last
    /// third of them.
    pub(super) fn least_waits(&self) -> [u64; 3] {
        let third = self.waits.len() / 3;
        let (first, rest) = self.waits.split_at(third);
        let (middle, last) = rest.split_at(third);
        [first, middle, last].map(|part| part.iter().copied().min().unwrap_or(0))
    }
}

/// From the start of an open loop to its first arrival, so that this is not late.
const LEAD_NS: u64 = 200_000;

/// Whether the backlog of an open loop grew as long as jobs arrived.
///
/// Where the capacity suffices, every third of a batch has some job that hardly waits: a backlog
/// that a disturbance has left is worked off. Past capacity no job of the last third waits less
/// than those before it. With a load of L times the capacity the least wait of the last third is
/// (L - 1) * 2/3 * jobs intervals; a fortieth of the jobs, 5 intervals of 200, is what a load of
/// 1.04 makes. That of the middle third is then half of it: less than a quarter, and it was a
/// disturbance at the end.
pub(super) fn is_saturated([first, middle, last]: [u64; 3], interval_ns: u64, jobs: u32) -> bool {
    let needed = interval_ns.saturating_mul(u64::from(jobs / 40).max(2));
    last >= needed && middle >= last / 4 && first < middle && middle < last
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Does a job in the time that it is told, by the clock.
    struct Timed {
        length_ns: u64,
        /// Jobs that are refused with EAGAIN, from the start.
        refused: u32,
        begun: u64,
    }

    impl Runner for Timed {
        fn begin(&mut self, _: usize) -> Result<(), Failure> {
            if self.refused > 0 {
                self.refused -= 1;
                return Err(Failure::of(libc::EAGAIN, Stage::Birth));
            }
            self.begun = clock::now();
            Ok(())
        }

        fn end(&mut self, _: Option<u64>) -> Option<Ended> {
            while clock::now() - self.begun < self.length_ns {}
            Some(Ended { slot: 0, result: Ok(()) })
        }
    }

    #[test]
    fn jobs_that_are_refused_are_counted_and_the_others_done() {
        let mut batch = Batch::new(10, 1);
        for _ in 0..2 {
            let mut runner = Timed { length_ns: 1000, refused: 3, begun: 0 };
            batch.closed(&mut runner, 10);
            assert_eq!((batch.done(), batch.failed(libc::EAGAIN)), (7, 3));
            assert_eq!((batch.failed(libc::EMFILE), batch.failed_otherwise()), (0, 0));
            assert_eq!(batch.first_failure().unwrap().stage, Stage::Birth);
            assert!(batch.length_ns() >= 7000);
            assert!(batch.services().iter().all(|ns| *ns >= 1000));
        }
    }

    #[test]
    fn waiting_counts_in_an_open_loop_and_a_growing_backlog_is_seen() {
        let mut batch = Batch::new(60, 1);
        // Twice the capacity: the machine can only make it worse.
        let mut runner = Timed { length_ns: 200_000, refused: 0, begun: 0 };
        batch.open(&mut runner, 60, 100_000);
        assert_eq!(batch.done(), 60);
        let (services, responses) = (batch.services(), batch.responses());
        assert!(responses[59] > 10 * 200_000, "{responses:?}");
        assert!(responses.iter().zip(services).all(|(response, service)| response >= service));
        // Each job waits longer than the one before it, whatever holds the machine up meanwhile; by
        // how much more decides whether that counts as saturated, and is up to the machine.
        let waits = batch.least_waits();
        assert!(waits.is_sorted_by(|before, after| before < after), "{waits:?}");
    }

    #[test]
    fn a_backlog_that_is_worked_off_is_no_saturation() {
        assert!(is_saturated([0, 50_000, 100_000], 10_000, 200));
        // A load of 1.02: not told from 1.
        assert!(!is_saturated([0, 13_000, 26_000], 10_000, 200));
        // A stall at the end, one in the middle, and one at the start.
        assert!(!is_saturated([0, 1_000, 500_000], 10_000, 200));
        assert!(!is_saturated([0, 500_000, 400_000], 10_000, 200));
        assert!(!is_saturated([500_000, 400_000, 300_000], 10_000, 200));
        assert!(!is_saturated([0, 0, 0], 10_000, 200));
    }

    #[test]
    fn what_is_lost_for_good_gets_no_further_job() {
        struct Dies(u32);
        impl Runner for Dies {
            fn begin(&mut self, _: usize) -> Result<(), Failure> {
                Ok(())
            }

            fn end(&mut self, _: Option<u64>) -> Option<Ended> {
                self.0 += 1;
                let lost = Failure { lost: true, ..Failure::of(libc::EPIPE, Stage::Reap) };
                Some(Ended { slot: 0, result: if self.0 > 4 { Err(lost) } else { Ok(()) } })
            }
        }
        let mut batch = Batch::new(10, 1);
        batch.closed(&mut Dies(0), 10);
        assert_eq!((batch.done(), batch.failed_otherwise()), (4, 6));
        batch.open(&mut Dies(0), 10, 1000);
        assert_eq!((batch.done(), batch.failed_otherwise()), (4, 6));
    }
}
