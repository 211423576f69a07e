//! The plain workload: spawn, wait for the child, and spawn again.
//!
//! # Safety
//!
//! Makes an empty resource usage, which is plain numbers.
#![allow(unsafe_code)]

mod external;

use std::mem;

use crate::measure::clock;
use crate::measure::mechanism::Spawner;
use crate::measure::mechanism::child::Stage;
use crate::measure::reading;
use crate::measure::workload::{Frames, Ground, Kit, Taken, Task, Workload};
use crate::model::setup::{self, Work};

/// The row of it.
pub(super) static SPAWN: Workload = Workload {
    workload: setup::Workload::Spawn,
    can: |_, _, _| Ok(()),
    control: |work| Work { delay_ns: 0, ..work },
    frames: |work| match work.helper() {
        Some(_) => Frames { sample: external::FRAMES, block: 0 },
        None => Frames::default(),
    },
    taints: |_| false,
    whole: false,
    prepare: |kit| {
        if kit.mechanism.takes_command() {
            return Ok(Box::new(external::External::new(kit)?));
        }
        Ok(Box::new(Spawn::new(kit, kit.spawner()?)))
    },
};

/// A mechanism made ready, and what is to be seen of its children.
pub(super) struct Spawn {
    spawner: Box<dyn Spawner>,
    delay_ns: u64,
    judge: Judge,
}

impl Spawn {
    pub(super) fn new(kit: &Kit<'_>, spawner: Box<dyn Spawner>) -> Spawn {
        Spawn { spawner, delay_ns: kit.work.delay_ns, judge: Judge::new(kit) }
    }
}

impl Task for Spawn {
    fn begin_turn(&mut self, _: &mut Ground<'_>) {
        self.spawner.begin_turn();
    }

    fn sample(&mut self, ground: &mut Ground<'_>) -> Taken {
        let mut usage = no_usage();
        let wanted = ground.counting.is_some();
        ground.count();
        let (taken, reaped) = once(&mut *self.spawner, self.delay_ns, wanted.then_some(&mut usage));
        ground.counted(self.judge.has_child.then_some(&usage), reading::SPAWN);
        self.spawner.tidy();
        self.judge.complete(taken, reaped, ground)
    }

    fn end_turn(&mut self, _: &mut Ground<'_>) {
        self.spawner.end_turn();
    }

    #[cfg(feature = "independent-loop")]
    fn turn(
        &mut self,
        count: u32,
    ) -> Option<Result<&[crate::measure::mechanism::independent::Spawn], i32>> {
        self.spawner.turn(count)
    }
}

/// One spawn with its stamps, and how the child ended: its wait status, or the errno of waiting for
/// it. The return is stamped `delay_ns` later than it was. The spawner is still to be tidied.
pub(super) fn once(
    spawner: &mut dyn Spawner,
    delay_ns: u64,
    usage: Option<&mut libc::rusage>,
) -> (Taken, Result<i32, i32>) {
    let cpu_begin = clock::thread_cpu();
    let start = clock::now();
    let child = spawner.birth();
    let mut returned = clock::now();
    if delay_ns > 0 {
        returned = spin(returned + delay_ns);
    }
    let reaped = if child >= 0 { spawner.reap(child, usage) } else { Ok(0) };
    let end = clock::now();
    let taken = Taken {
        start_ns: start,
        blocked_ns: Some(returned - start),
        reaped_ns: Some(end - start),
        cpu_ns: clock::thread_cpu() - cpu_begin,
        child,
        ..Taken::default()
    };
    (taken, reaped)
}

/// Reads the clock until it is that late; what it has read last. No stamp is taken after it, since
/// one more reading would be time that nobody asked for.
#[cold]
#[inline(never)]
fn spin(until: u64) -> u64 {
    loop {
        let now = clock::now();
        if now >= until {
            return now;
        }
    }
}

fn no_usage() -> libc::rusage {
    // SAFETY: a rusage may be all zeroes.
    unsafe { mem::zeroed() }
}

/// What has to be seen of a child that went well.
#[derive(Clone, Copy, Debug)]
pub(super) struct Judge {
    /// Whether there is a child with an end of its own.
    pub(super) has_child: bool,
    /// Whether its image stamps the clock.
    stamps: bool,
}

impl Judge {
    /// Of the children of that work.
    pub(super) fn new(kit: &Kit<'_>) -> Judge {
        let has_child = !kit.mechanism.ignores_image();
        Judge { has_child, stamps: has_child && kit.work.image.stamps() }
    }

    /// Completes a sample with what the child has reported and how it ended.
    pub(super) fn complete(
        self,
        mut taken: Taken,
        reaped: Result<i32, i32>,
        ground: &Ground<'_>,
    ) -> Taken {
        let report = ground.mailbox.read();
        let since = |stamp: Option<u64>| stamp.map(|stamp| stamp.saturating_sub(taken.start_ns));
        taken.status = reaped.unwrap_or(0);
        taken.failure = if taken.child < 0 {
            Some((-taken.child as i32, Stage::Birth))
        } else if let Err(errno) = reaped {
            Some((errno, Stage::Reap))
        } else if let Some(failure) = report.failure {
            Some(failure)
        } else if taken.status != 0 || (self.stamps && report.image_ns.is_none()) {
            Some((0, Stage::Status))
        } else {
            None
        };
        Taken {
            born_ns: since(report.born_ns),
            image_ns: since(report.image_ns),
            child_cpu: report.cpu,
            ..taken
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Never less than asked for; of many, the least beyond it is no more than a reading or two.
    #[test]
    fn a_spin_is_as_long_as_it_is_asked_to_be() {
        let beyond = (0..2_000).map(|_| {
            let until = clock::now() + 3_000;
            spin(until) - until
        });
        let least = beyond.min().expect("there are some");
        assert!(least < 3_000, "{least} ns beyond 3,000");
    }
}
