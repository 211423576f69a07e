//! Stall: what becomes of the other threads of a process while one of them spawns.

use hdrhistogram::Histogram;

use crate::measure::bystanders::{self, BUCKETS};
use crate::measure::clock;
use crate::measure::mechanism::{Mechanism, Memory, Refusal};
use crate::measure::reading;
use crate::measure::workload::spawn::Spawn;
use crate::measure::workload::{Bucket, Frames, Ground, Kit, Taken, Task, Workload};
use crate::model::row::Scope;
use crate::model::setup::{self, Busy, Shape, Work};

/// The row of it.
pub(super) static STALL: Workload = Workload {
    workload: setup::Workload::Stall,
    can,
    control: |work| work,
    // Operations, the longest, the frozen and the waiting; and the distribution.
    frames: |_| Frames { sample: 4, block: BUCKETS as u64 },
    taints: |_| false,
    whole: false,
    prepare: |kit| Ok(Box::new(Stall::new(kit)?)),
};

/// How long a sample of the control lasts, which makes no process, in nanoseconds: bystanders of
/// the same parent beside a thread that only runs.
const CONTROL_NS: u64 = 1_000_000;

fn can(shape: &Shape, _: &Work, _: &Mechanism) -> Result<(), Refusal> {
    if shape.threads > 0 && shape.busy != Busy::Park {
        return Ok(());
    }
    Err(Refusal {
        errno: 0,
        reason: "workload=stall watches busy threads of the parent, and this one has none: give \
                 it some, such as threads=1 busy=fault"
            .to_owned(),
    })
}

struct Stall {
    spawn: Spawn,
    is_control: bool,
    /// How long operations took, of all bystanders in a block.
    lengths: Histogram<u64>,
    numbers: Numbers,
}

/// The numbers of the readings.
struct Numbers {
    bystander: u32,
    operations: u32,
    longest: u32,
    frozen: u32,
    waited: u32,
}

impl Stall {
    fn new(kit: &Kit<'_>) -> Result<Stall, Refusal> {
        Ok(Stall {
            spawn: Spawn::new(kit, kit.spawner()?),
            is_control: kit.mechanism.memory == Memory::Nothing,
            lengths: bystanders::lengths(),
            numbers: Numbers {
                bystander: reading::number("bystander_ns"),
                operations: reading::number("operations"),
                longest: reading::number("longest_ns"),
                frozen: reading::number("frozen_ns"),
                waited: reading::number("waited_ns"),
            },
        })
    }
}

impl Task for Stall {
    fn begin_turn(&mut self, ground: &mut Ground<'_>) {
        self.spawn.begin_turn(ground);
    }

    fn sample(&mut self, ground: &mut Ground<'_>) -> Taken {
        if ground.settling {
            return self.spawn.sample(ground);
        }
        if let Some(bystanders) = &mut ground.became.threads.bystanders {
            bystanders.open();
        }
        let taken = self.spawn.sample(ground);
        if self.is_control {
            while clock::now() - taken.start_ns < CONTROL_NS {}
        }
        if let Some(bystanders) = &mut ground.became.threads.bystanders {
            let seen = bystanders.close(&mut self.lengths);
            let mut note = |number, value| ground.notes.add(number, Scope::Parent, value);
            note(self.numbers.operations, seen.operations);
            note(self.numbers.longest, seen.longest_ns);
            note(self.numbers.frozen, seen.frozen_ns);
            if let Some(waited) = seen.waited_ns {
                note(self.numbers.waited, waited);
            }
        }
        taken
    }

    fn end_turn(&mut self, ground: &mut Ground<'_>) {
        self.spawn.end_turn(ground);
    }

    fn end_block(&mut self, each: &mut dyn FnMut(Bucket)) {
        Bucket::take_all(self.numbers.bystander, &mut self.lengths, each);
    }
}
