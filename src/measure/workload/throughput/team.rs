//! Several that make processes at once: threads of the parent, or processes of their own.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crate::measure::clock;
use crate::measure::mechanism::Refusal;
use crate::measure::subject;
use crate::measure::workload::throughput::batch::{Batch, Failed, Failure};
use crate::measure::workload::throughput::helper::Helper;
use crate::measure::workload::throughput::runner::{Direct, start_thread};

/// Several that dispatch, each a share of the jobs.
pub(super) trait Team {
    /// Runs a closed batch. It begins before the first of the team is told to, and ends with the
    /// last.
    fn run(&mut self, jobs: u32, batch: &mut Batch);

    /// Processes that help.
    fn helpers(&mut self) -> &mut [Helper] {
        &mut []
    }
}

/// The jobs of one of a team: all have as many, the first ones one more where it does not divide.
fn share(jobs: u32, of: usize, number: usize) -> u32 {
    let of = of as u32;
    jobs / of + u32::from((number as u32) < jobs % of)
}

/// Threads of the parent. They wait while there is no batch.
pub(super) struct Threads {
    members: Vec<Arc<Mutex<Batch>>>,
    gate: Arc<Gate>,
}

/// Where the threads wait for a batch, and who started it for them.
struct Gate {
    state: Mutex<State>,
    moved: Condvar,
}

#[derive(Default)]
struct State {
    /// The number of the batch that is to be run.
    batch: u64,
    jobs: u32,
    /// Threads that have not run their share of it.
    running: usize,
}

impl Gate {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until the state is as it should be.
    fn wait(&self, until: impl Fn(&State) -> bool) -> MutexGuard<'_, State> {
        let wait = |state, moved: &Condvar| moved.wait_while(state, |state| !until(state));
        wait(self.lock(), &self.moved).unwrap_or_else(PoisonError::into_inner)
    }
}

impl Threads {
    /// Starts a thread for each runner, on its processors.
    pub(super) fn start(runners: Vec<(Direct, Vec<u32>)>, jobs: u32) -> Result<Threads, Refusal> {
        let gate = Arc::new(Gate { state: Mutex::new(State::default()), moved: Condvar::new() });
        let of = runners.len();
        let mut members = Vec::with_capacity(of);
        for (number, (runner, cpus)) in runners.into_iter().enumerate() {
            let room = share(jobs, of, 0) as usize;
            let own = Arc::new(Mutex::new(Batch::new(room, 1)));
            members.push(Arc::clone(&own));
            let gate = Arc::clone(&gate);
            start_thread(move || {
                // The processors were good when the subject started.
                let _ = subject::pin(&cpus);
                member(&gate, runner, &own, |jobs| share(jobs, of, number));
            })?;
        }
        Ok(Threads { members, gate })
    }
}

fn member(gate: &Gate, mut runner: Direct, own: &Mutex<Batch>, share: impl Fn(u32) -> u32) {
    let mut done = 0;
    loop {
        let state = gate.wait(|state| state.batch != done);
        done = state.batch;
        let jobs = share(state.jobs);
        drop(state);
        own.lock().unwrap_or_else(PoisonError::into_inner).closed(&mut runner, jobs);
        gate.lock().running -= 1;
        gate.moved.notify_all();
    }
}

impl Team for Threads {
    fn run(&mut self, jobs: u32, batch: &mut Batch) {
        batch.begin_of_others(clock::now());
        let mut state = self.gate.lock();
        state.batch += 1;
        state.jobs = jobs;
        state.running = self.members.len();
        drop(state);
        self.gate.moved.notify_all();
        drop(self.gate.wait(|state| state.running == 0));
        for member in &self.members {
            let own = member.lock().unwrap_or_else(PoisonError::into_inner);
            let (services, failed) = (own.services().iter().copied(), own.all_failed());
            batch.add(services, failed, own.first_failure(), own.end_ns());
        }
    }
}

/// Processes of their own.
pub(super) struct Processes {
    helpers: Vec<Helper>,
    /// Room for the lengths that one of them tells.
    lengths: Vec<u64>,
}

impl Processes {
    pub(super) fn new(helpers: Vec<Helper>, jobs: u32) -> Processes {
        let lengths = Vec::with_capacity(share(jobs, helpers.len(), 0) as usize);
        Processes { helpers, lengths }
    }
}

impl Team for Processes {
    fn run(&mut self, jobs: u32, batch: &mut Batch) {
        batch.begin_of_others(clock::now());
        let of = self.helpers.len();
        let fail = |batch: &mut Batch, failure: Failure, jobs: u32| {
            let failed = Failed { other: u64::from(jobs), ..Failed::default() };
            batch.add(std::iter::empty(), failed, Some(failure), 0);
        };
        for (number, helper) in self.helpers.iter_mut().enumerate() {
            let jobs = share(jobs, of, number);
            if let Err(failure) = helper.ask_for(jobs) {
                fail(batch, failure, jobs);
            }
        }
        for (number, helper) in self.helpers.iter_mut().enumerate() {
            // One that could not be asked has been told of already.
            if helper.is_gone() {
                continue;
            }
            match helper.answer_of(&mut self.lengths) {
                Ok(part) => {
                    let lengths = self.lengths.iter().copied();
                    batch.add(lengths, part.failed, part.first, part.end_ns);
                }
                Err(failure) => fail(batch, failure, share(jobs, of, number)),
            }
        }
    }

    fn helpers(&mut self) -> &mut [Helper] {
        &mut self.helpers
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_make_up_the_whole() {
        for (jobs, of) in [(10, 3), (2, 4), (7, 7), (100, 1)] {
            let all: u32 = (0..of).map(|number| share(jobs, of, number)).sum();
            assert_eq!(all, jobs);
            assert!((0..of).all(|number| share(jobs, of, number) <= share(jobs, of, 0)));
        }
    }
}
