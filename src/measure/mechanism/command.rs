//! std::process::Command: what a Rust program that thinks no further uses.
//!
//! # Safety
//!
//! What runs in the child between birth and exec is [`child::perform`], which keeps the rules for a
//! child of a process with threads. Descriptors that are given away are duplicates made for that.
#![allow(unsafe_code)]

use std::ffi::{CStr, OsStr};
use std::fs::File;
use std::io;
use std::os::fd::FromRawFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use crate::measure::mechanism::brief::{Brief, Lent};
use crate::measure::mechanism::child::{self, Step};
use crate::measure::mechanism::{Gap, Mechanism, Memory, Spawner, steps, wait};
use crate::model::action::{Action, Means, Name};

pub(super) static COMMAND: Mechanism = Mechanism {
    name: "command",
    about: "std::process::Command of Rust: allocates, then calls posix_spawn",
    explain: "The standard library's way, with a path and a fixed environment, which makes it \
              call posix_spawn. It builds its lists of strings anew for each spawn, so it \
              allocates between the stamps: that is part of it. It resets the signal mask and \
              SIGPIPE. With `path-dirs` it inherits an environment with that PATH: given one of \
              its own it would fork. An action between birth and exec that it has no method for \
              is done in a `pre_exec` closure, and then it forks instead of calling posix_spawn.",
    memory: Memory::Shares,
    gap: Gap::Theirs,
    default: false,
    taints: false,
    available: || Ok(()),
    how,
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
        let (streams, rest) = brief.actions().split_at(own(brief.actions()));
        let streams = streams.to_vec();
        for action in &streams {
            match action {
                Action::Setgid { group } => command.gid(*group),
                Action::Setuid { user } => command.uid(*user),
                Action::Chdir { path } => command.current_dir(OsStr::from_bytes(path.to_bytes())),
                Action::Setpgid => command.process_group(0),
                _ => &mut command,
            };
        }
        if !rest.is_empty() {
            let rest = Rest(steps::of(rest));
            // SAFETY: the closure makes system calls and nothing else; what its steps point to is
            // owned by the brief, which lives as long as the command.
            unsafe { command.pre_exec(move || rest.perform()) };
        }
        Ok(Box::new(StdCommand { brief, command, streams, lent: None }))
    },
};

fn how(name: Name) -> Result<Means, String> {
    Ok(match name {
        Name::Dup2 | Name::Open | Name::Chdir | Name::Setpgid | Name::Setuid | Name::Setgid => {
            Means::Attribute
        }
        _ => Means::PreExec,
    })
}

/// How many of these actions, from the first, are such as the standard library has a method for.
/// It does them before all others, in an order of its own, and takes descriptors as they are in the
/// caller.
fn own(actions: &[Action]) -> usize {
    let mut replaced = Vec::new();
    let mut last = 0;
    for (done, action) in actions.iter().enumerate() {
        let order = match action {
            Action::Dup2 { .. } | Action::Open { .. } => 0,
            Action::Setgid { .. } => 1,
            Action::Setuid { .. } => 2,
            Action::Chdir { .. } => 3,
            Action::Setpgid => 4,
            _ => return done,
        };
        if order < last {
            return done;
        }
        last = order;
        let to = match action {
            _ if order > 0 => continue,
            Action::Dup2 { from, to } if from != to && !replaced.contains(from) => *to,
            Action::Open { to, .. } => *to,
            _ => return done,
        };
        if !(0..=2).contains(&to) || replaced.contains(&to) {
            return done;
        }
        replaced.push(to);
    }
    actions.len()
}

/// What is done in a `pre_exec` closure.
struct Rest(Box<[Step]>);

// SAFETY: the steps are never changed, and neither is what they point to.
unsafe impl Send for Rest {}
// SAFETY: likewise.
unsafe impl Sync for Rest {}

impl Rest {
    fn perform(&self) -> io::Result<()> {
        // SAFETY: called between birth and exec only; so many steps there are.
        match unsafe { child::perform(self.0.as_ptr(), self.0.len()) } {
            0 => Ok(()),
            failed => Err(io::Error::from_raw_os_error(-failed as i32)),
        }
    }
}

struct StdCommand {
    brief: Brief,
    command: Command,
    /// What becomes of the child's input and outputs.
    streams: Vec<Action>,
    lent: Option<Lent>,
}

impl StdCommand {
    /// Gives the command its streams, as a program does that starts one: it owns them.
    fn lend_streams(&mut self) -> io::Result<()> {
        for action in &self.streams {
            let (stream, to) = match action {
                Action::Dup2 { from, to } => (duplicate(*from)?, *to),
                Action::Open { path, flags, mode, to } => (open(path, *flags, *mode)?, *to),
                _ => continue,
            };
            set_stream(&mut self.command, to, Stdio::from(stream));
        }
        Ok(())
    }

    /// Takes them back, which closes them: the reader of a pipe waits for the last of its writers.
    fn drop_streams(&mut self) {
        for action in &self.streams {
            if let Action::Dup2 { to, .. } | Action::Open { to, .. } = action {
                set_stream(&mut self.command, *to, Stdio::inherit());
            }
        }
    }
}

impl Spawner for StdCommand {
    fn birth(&mut self) -> isize {
        let child = match self.lend_streams() {
            Ok(()) => self.command.spawn(),
            Err(error) => Err(error),
        };
        self.drop_streams();
        match child {
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

fn set_stream(command: &mut Command, number: i32, stream: Stdio) {
    match number {
        0 => command.stdin(stream),
        1 => command.stdout(stream),
        _ => command.stderr(stream),
    };
}

fn duplicate(descriptor: i32) -> io::Result<File> {
    // SAFETY: a system call with numbers.
    owned(unsafe { libc::fcntl(descriptor, libc::F_DUPFD_CLOEXEC, 0) })
}

fn open(path: &CStr, flags: i32, mode: u32) -> io::Result<File> {
    // SAFETY: the path is a C string that lives through the call.
    owned(unsafe { libc::open(path.as_ptr(), flags | libc::O_CLOEXEC, mode) })
}

fn owned(descriptor: i32) -> io::Result<File> {
    if descriptor < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: just made by the caller, owned by nobody else.
    Ok(unsafe { File::from_raw_fd(descriptor) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_comes_first_and_depends_on_nothing_is_left_to_the_standard_library() {
        let dup2 = |from, to| Action::Dup2 { from, to };
        for (actions, expected) in [
            (vec![], 0),
            (vec![dup2(7, 0), dup2(8, 1)], 2),
            (vec![dup2(7, 1), dup2(1, 2)], 1),
            (vec![dup2(7, 1), dup2(8, 1)], 1),
            (vec![dup2(7, 5)], 0),
            (vec![dup2(1, 1)], 0),
            (vec![dup2(7, 1), Action::Setgid { group: 1 }, Action::Setuid { user: 1 }], 3),
            (vec![Action::Setuid { user: 1 }, Action::Setgid { group: 1 }], 1),
            (vec![Action::Setpgid, Action::Setsid], 1),
            (vec![dup2(7, 0), Action::Close { descriptor: 7 }, dup2(8, 1)], 1),
        ] {
            assert_eq!(own(&actions), expected, "{actions:?}");
        }
    }
}
