//! std::process::Command: what a Rust program that thinks no further uses.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::process::Command;

use crate::measure::mechanism::brief::{Brief, Lent};
use crate::measure::mechanism::{Gap, Mechanism, Memory, Spawner, wait};

pub(super) static COMMAND: Mechanism = Mechanism {
    name: "command",
    about: "std::process::Command of Rust: allocates, then calls posix_spawn",
    explain: "The standard library's way, with a path and a fixed environment, which makes it \
              call posix_spawn. It builds its lists of strings anew for each spawn, so it \
              allocates between the stamps: that is part of it. It resets the signal mask and \
              SIGPIPE. With `path-dirs` it inherits an environment with that PATH: given one of \
              its own it would fork.",
    memory: Memory::Shares,
    gap: Gap::Theirs,
    default: false,
    taints: false,
    available: || Ok(()),
    prepare: |brief| {
        let mut command = Command::new(OsStr::from_bytes(brief.program().to_bytes()));
        command.args(brief.arguments().skip(1).map(|a| OsStr::from_bytes(a.to_bytes())));
        if brief.name().is_none() {
            command.env_clear().envs(brief.environment());
        } else if let Some(first) = brief.arguments().next() {
            // With an environment of its own it would fork, and search along the child's PATH: so
            // it inherits the one that is lent to this process.
            command.arg0(OsStr::from_bytes(first.to_bytes()));
        }
        Ok(Box::new(StdCommand { brief, command, lent: None }))
    },
};

struct StdCommand {
    brief: Brief,
    command: Command,
    lent: Option<Lent>,
}

impl Spawner for StdCommand {
    fn birth(&mut self) -> isize {
        match self.command.spawn() {
            Ok(child) => child.id() as isize,
            Err(error) => -(error.raw_os_error().unwrap_or(libc::EIO) as isize),
        }
    }

    fn reap(&mut self, child: isize, usage: Option<&mut libc::rusage>) -> Result<i32, i32> {
        wait::pid(child, usage)
    }

    fn begin_turn(&mut self) {
        self.lent = self.brief.lend_environment();
    }

    fn end_turn(&mut self) {
        self.lent = None;
    }
}
