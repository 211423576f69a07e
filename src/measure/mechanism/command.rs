//! std::process::Command: what a Rust program that thinks no further uses.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::process::Command;

use crate::measure::mechanism::brief::Brief;
use crate::measure::mechanism::{Gap, Mechanism, Memory, Spawner, wait};

pub(super) static COMMAND: Mechanism = Mechanism {
    name: "command",
    about: "std::process::Command of Rust: allocates, then calls posix_spawn",
    explain: "The standard library's way, with a path and a fixed environment, which makes it \
              call posix_spawn. It builds its lists of strings anew for each spawn, so it \
              allocates between the stamps: that is part of it. It resets the signal mask and \
              SIGPIPE.",
    memory: Memory::Shares,
    gap: Gap::Theirs,
    default: false,
    taints: false,
    available: || Ok(()),
    prepare: |brief| {
        let mut command = Command::new(OsStr::from_bytes(brief.path().as_bytes()));
        command.args(brief.arguments().iter().skip(1).map(|a| OsStr::from_bytes(a.as_bytes())));
        command.env_clear().envs(Brief::environment());
        Ok(Box::new(StdCommand(command)))
    },
};

struct StdCommand(Command);

impl Spawner for StdCommand {
    fn birth(&mut self) -> isize {
        match self.0.spawn() {
            Ok(child) => child.id() as isize,
            Err(error) => -(error.raw_os_error().unwrap_or(libc::EIO) as isize),
        }
    }

    fn reap(&mut self, child: isize, usage: Option<&mut libc::rusage>) -> Result<i32, i32> {
        wait::pid(child, usage)
    }
}
