//! The control: nothing is made.

use crate::measure::mechanism::{Gap, Mechanism, Memory, Spawner, nowhere};

pub(super) static NONE: Mechanism = Mechanism {
    name: "none",
    about: "the control: makes no process, so that its row is the tool's own cost",
    explain: "The same loop, stamps and calls through the same table, around nothing. What it \
              shows is what every other row contains of forkbench itself.",
    memory: Memory::Nothing,
    gap: Gap::Ours,
    default: true,
    taints: false,
    available: || Ok(()),
    how: nowhere,
    prepare: |_| Ok(Box::new(Nothing)),
};

struct Nothing;

impl Spawner for Nothing {
    fn birth(&mut self) -> isize {
        0
    }

    fn reap(&mut self, _: isize, _: Option<&mut libc::rusage>) -> Result<i32, i32> {
        Ok(0)
    }
}
