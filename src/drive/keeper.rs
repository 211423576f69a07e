//! The keeper: a process between the harness and one subject, so that nothing outlives a run.
//!
//! It is a subreaper: whatever the subject leaves behind becomes its child. When the subject has
//! ended, or the harness's end of the keeper's standard input is closed (also by the death of the
//! harness), it kills every descendant, waits for each, and only then ends itself. A parent-death
//! signal alone would let grandchildren live on.
//!
//! Standard input: the length of the job and a newline, the job, then nothing until it is closed.
//! Standard output: `pid N`, then `exit CODE` or `signal N`.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, Write};
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::process::{Child, Command, ExitCode, Stdio};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::personality::{self, Persona};
use nix::sys::prctl;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{Pid, getpid, setsid};

use crate::measure::cgroup;

/// How the keeper is told to start its subject: hidden arguments of `forkbench __keeper`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Orders {
    /// Start the subject without randomisation of its address space.
    pub fixed_addresses: bool,
    /// A directory to remove when the harness has died.
    pub directory: Option<OsString>,
    /// Variables of the subject's environment, each `NAME=VALUE`.
    pub env: Vec<OsString>,
    /// The subject's command line.
    pub command: Vec<OsString>,
}

impl Orders {
    /// As arguments.
    pub fn to_arguments(&self) -> Vec<OsString> {
        let fixed = if self.fixed_addresses { "fixed" } else { "random" };
        let directory = self.directory.clone().unwrap_or_default();
        let mut arguments = vec![fixed.into(), directory, self.env.len().to_string().into()];
        arguments.extend(self.env.iter().chain(&self.command).cloned());
        arguments
    }

    /// From arguments.
    pub fn from_arguments(arguments: &[OsString]) -> Option<Orders> {
        let [fixed, directory, variables, rest @ ..] = arguments else { return None };
        let (env, command) = rest.split_at_checked(variables.to_str()?.parse().ok()?)?;
        if command.is_empty() {
            return None;
        }
        Some(Orders {
            fixed_addresses: fixed == "fixed",
            directory: (!directory.is_empty()).then(|| directory.clone()),
            env: env.to_vec(),
            command: command.to_vec(),
        })
    }
}

/// The process `forkbench __keeper`.
pub fn main(arguments: &[OsString]) -> ExitCode {
    let Some(orders) = Orders::from_arguments(arguments) else { return ExitCode::from(2) };
    match keep(&orders) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = io::stderr().write_all(format!("keeper: {error}\n").as_bytes());
            ExitCode::FAILURE
        }
    }
}

fn keep(orders: &Orders) -> io::Result<()> {
    prctl::set_child_subreaper(true)?;
    // A ^C at the terminal is for the harness alone, which then ends this process in order.
    setsid()?;
    if orders.fixed_addresses {
        let persona = personality::get()?;
        personality::set(persona | Persona::ADDR_NO_RANDOMIZE)?;
    }
    let mut input = BufReader::new(io::stdin().lock());
    let mut length = String::new();
    input.read_line(&mut length)?;
    let length = length.trim().parse().map_err(|_| io::Error::other("no job"))?;
    let mut job = vec![0; length];
    input.read_exact(&mut job)?;

    // A file and not a pipe: a command in front of the subject may never read it.
    let mut stdin = File::from(memfd_create(c"forkbench-job", MFdFlags::MFD_CLOEXEC)?);
    stdin.write_all(&job)?;
    stdin.rewind()?;

    let (program, arguments) = orders.command.split_first().expect("checked when parsed");
    let variables = orders.env.iter().map(|variable| {
        let bytes = variable.as_bytes();
        let equals = bytes.iter().position(|byte| *byte == b'=').unwrap_or(bytes.len());
        let value = bytes.get(equals + 1..).unwrap_or_default();
        (OsStr::from_bytes(&bytes[..equals]), OsStr::from_bytes(value))
    });
    let mut subject = Command::new(program)
        .args(arguments)
        .envs(variables)
        .stdin(stdin)
        .stdout(Stdio::null())
        .spawn()
        .map_err(|e| io::Error::other(format!("cannot start {}: {e}", program.display())))?;
    say(&format!("pid {}", subject.id()));
    let orphaned = wait(&mut subject)?;
    if orphaned {
        subject.kill()?;
    }
    let status = subject.wait()?;
    kill_descendants();
    cgroup::remove_left();
    if orphaned && let Some(directory) = &orders.directory {
        // Best effort: there is nobody left to tell.
        let _ = std::fs::remove_dir_all(directory);
    }
    let ending = match (status.code(), std::os::unix::process::ExitStatusExt::signal(&status)) {
        (Some(code), _) => format!("exit {code}"),
        (None, signal) => format!("signal {}", signal.unwrap_or(0)),
    };
    say(&ending);
    Ok(())
}

/// Waits until the subject has ended (false) or the harness has gone (true).
fn wait(subject: &mut Child) -> io::Result<bool> {
    // Nobody writes to standard input any more, so it becomes ready only by being closed. A child's
    // end is not to be had from poll without a pidfd, hence the short timeout; it runs on another
    // processor than the spawner where there is one, and costs 20 us per second.
    let stdin = io::stdin();
    loop {
        if subject.try_wait()?.is_some() {
            return Ok(false);
        }
        let mut descriptors = [PollFd::new(stdin.as_fd(), PollFlags::POLLIN)];
        match poll(&mut descriptors, PollTimeout::from(20_u8)) {
            Ok(0) | Err(Errno::EINTR) => {}
            Ok(_) => return Ok(true),
            Err(error) => return Err(error.into()),
        }
    }
}

/// Kills every child of this process until there is none. The children of the killed become its
/// own, since it is a subreaper.
fn kill_descendants() {
    loop {
        for child in children_of(getpid()) {
            // A child of ours cannot be somebody else by now: it is not reaped before it is killed.
            let _ = kill(child, Signal::SIGKILL);
        }
        match waitpid(None, None) {
            Ok(WaitStatus::Exited(..) | WaitStatus::Signaled(..)) | Err(Errno::EINTR) | Ok(_) => {}
            Err(_) => return,
        }
    }
}

/// The children of a process, from /proc.
pub(super) fn children_of(parent: Pid) -> Vec<Pid> {
    let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
    let parent = parent.to_string();
    entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok())
        .filter(|pid| {
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            // The name, in parentheses, may hold spaces and parentheses.
            let after_name = stat.rsplit_once(") ").map_or("", |(_, rest)| rest);
            after_name.split(' ').nth(1) == Some(parent.as_str())
        })
        .map(Pid::from_raw)
        .collect()
}

fn say(line: &str) {
    // If the harness has gone there is nobody to tell.
    let _ = io::stdout().write_all(format!("{line}\n").as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_survive_their_arguments() {
        for directory in [None, Some(OsString::from("/tmp/x y"))] {
            let orders = Orders {
                fixed_addresses: directory.is_some(),
                directory,
                env: vec!["A=x y".into()],
                command: vec!["a".into(), "b c".into()],
            };
            assert_eq!(Orders::from_arguments(&orders.to_arguments()), Some(orders));
        }
        assert_eq!(Orders::from_arguments(&["fixed".into(), "".into(), "0".into()]), None);
        assert_eq!(Orders::from_arguments(&["fixed".into(), "".into(), "7".into()]), None);
    }
}
