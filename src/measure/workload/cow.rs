//! Copy-on-write: what the parent pays as it writes memory that a fork has left to be copied.

use std::os::fd::{AsFd, AsRawFd};

use nix::sys::eventfd::{EfdFlags, EventFd};

use crate::measure::clock;
use crate::measure::mechanism::brief::Extras;
use crate::measure::mechanism::{Mechanism, Memory, Refusal, Spawner};
use crate::measure::reading;
use crate::measure::workload::spawn::Judge;
use crate::measure::workload::{Frames, Ground, Kit, Taken, Task, Workload};
use crate::model::row::Scope;
use crate::model::setup::{self, ChildState, Rewrite, Shape, Work};

/// The row of it.
pub(super) static COW: Workload = Workload {
    workload: setup::Workload::Cow,
    can,
    control: |work| work,
    // The pages.
    frames: |_| Frames { sample: 1, block: 0 },
    taints: |_| false,
    prepare: |kit| Ok(Box::new(Cow::new(kit)?)),
};

fn can(shape: &Shape, work: &Work, _: &Mechanism) -> Result<(), Refusal> {
    let refuse = |reason: String| Err(Refusal { errno: 0, reason });
    if !shape.is_write_protected_by_fork() {
        return refuse(
            "workload=cow writes memory that a fork write-protects, and this parent has none: \
             give it some, such as rss=256M"
                .to_owned(),
        );
    }
    if work.rewrite == Rewrite::NONE {
        return refuse("workload=cow writes memory: it has no rewrite=none".to_owned());
    }
    Ok(())
}

struct Cow {
    spawner: Box<dyn Spawner>,
    judge: Judge,
    share: Rewrite,
    /// What a child that is to live meanwhile waits for.
    hold: Option<EventFd>,
    /// Whether the writing comes before the reaping.
    alive: bool,
    pages: u32,
}

impl Cow {
    fn new(kit: &Kit<'_>) -> Result<Cow, Refusal> {
        let alive = kit.work.child == ChildState::Alive;
        // A child that has executed its image shares nothing with its parent any more: there is
        // nothing to wait for.
        let hold = (alive && kit.mechanism.memory == Memory::Copies)
            .then(|| EventFd::from_flags(EfdFlags::EFD_CLOEXEC))
            .transpose()
            .map_err(|error| Refusal {
                errno: error as i32,
                reason: "no eventfd for a child to wait for".to_owned(),
            })?;
        let descriptor = hold.as_ref().map(|hold| hold.as_fd().as_raw_fd());
        let spawner = kit.spawner_with(Extras { hold: descriptor, ..kit.extras()? })?;
        Ok(Cow {
            spawner,
            judge: Judge::new(kit),
            share: kit.work.rewrite,
            hold,
            alive,
            pages: reading::number("pages"),
        })
    }

    /// Writes the memory; how long it took, in nanoseconds.
    fn write(&self, ground: &mut Ground<'_>) -> Option<u64> {
        if let Some(counting) = ground.counting.as_deref_mut() {
            counting.begin();
        }
        let length = ground.became.rewrite(self.share);
        if let Some(counting) = ground.counting.as_deref_mut() {
            counting.end(None);
            ground.notes.counted(counting, reading::WORK);
        }
        ground.notes.add(self.pages, Scope::Parent, ground.became.pages(self.share));
        length
    }
}

impl Task for Cow {
    fn begin_turn(&mut self, _: &mut Ground<'_>) {
        self.spawner.begin_turn();
    }

    fn sample(&mut self, ground: &mut Ground<'_>) -> Taken {
        let cpu_begin = clock::thread_cpu();
        let start = clock::now();
        let child = self.spawner.birth();
        let returned = clock::now();
        let mut taken = Taken {
            start_ns: start,
            blocked_ns: Some(returned - start),
            child,
            ..Taken::default()
        };
        if child >= 0 && self.alive {
            taken.rewrite_ns = self.write(ground);
        }
        if let Some(hold) = &self.hold {
            // A write of 1 to an eventfd that stands at 0 cannot fail.
            let _ = hold.write(1);
        }
        let reaped = if child >= 0 { self.spawner.reap(child, None) } else { Ok(0) };
        if !self.alive {
            taken.reaped_ns = Some(clock::now() - start);
            taken.rewrite_ns = self.write(ground);
        }
        taken.cpu_ns = clock::thread_cpu() - cpu_begin;
        self.spawner.tidy();
        self.judge.complete(taken, reaped, ground)
    }

    fn end_turn(&mut self, _: &mut Ground<'_>) {
        self.spawner.end_turn();
    }
}
