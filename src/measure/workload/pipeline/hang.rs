//! Whether a pipeline will never end: read from /proc, not guessed from a timeout.
//!
//! # Safety
//!
//! Kills children of ours by their pids.
#![allow(unsafe_code)]

use std::fs;
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

/// A stage that will never see an end of file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Proof {
    /// Its process.
    pub pid: i32,
    /// The descriptor of its own that is a write end of the pipe that it reads.
    pub descriptor: i32,
}

/// The proof that the stages will wait for ever; none: there is no proof.
///
/// Every stage that still lives waits in read(0), twice with time in between, and holds itself a
/// write end of the pipe that it reads. The parent has closed its own write ends, so that only
/// stages hold any: nobody who could write or close one will ever run again. The proof that is
/// returned is that of the first of them.
pub(super) fn examine(children: &[isize]) -> Option<Proof> {
    let proofs = |_| {
        let alive = children.iter().map(|child| *child as i32).filter(|pid| is_alive(*pid));
        alive.map(waits_for_itself).collect::<Option<Vec<Proof>>>()
    };
    let first = proofs(())?;
    thread::sleep(Duration::from_millis(20));
    let second = proofs(())?;
    if first == second { first.first().copied() } else { None }
}

/// Kills them. They have not been reaped, so that their pids are still theirs.
pub(super) fn kill(children: &[isize]) {
    for child in children {
        // SAFETY: a child of ours that was not waited for yet.
        unsafe { libc::kill(*child as i32, libc::SIGKILL) };
    }
}

fn is_alive(pid: i32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat.rsplit_once(") ").and_then(|(_, rest)| rest.chars().next());
    !matches!(state, None | Some('Z' | 'X'))
}

/// The proof that a process waits in read(0) for an end of file that it holds back itself.
fn waits_for_itself(pid: i32) -> Option<Proof> {
    let call = fs::read_to_string(format!("/proc/{pid}/syscall")).ok()?;
    let mut words = call.split_ascii_whitespace();
    if words.next()? != libc::SYS_read.to_string() || words.next()? != "0x0" {
        return None;
    }
    let directory = PathBuf::from(format!("/proc/{pid}/fd"));
    let pipe = fs::read_link(directory.join("0")).ok()?;
    let mut descriptors: Vec<i32> = fs::read_dir(&directory)
        .ok()?
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(|descriptor| *descriptor > 0)
        .collect();
    descriptors.sort_unstable();
    let descriptor = descriptors.into_iter().find(|descriptor| {
        let link = fs::read_link(directory.join(descriptor.to_string()));
        link.is_ok_and(|link| link == pipe) && is_for_writing(pid, *descriptor)
    })?;
    Some(Proof { pid, descriptor })
}

fn is_for_writing(pid: i32, descriptor: i32) -> bool {
    let info = fs::read_to_string(format!("/proc/{pid}/fdinfo/{descriptor}")).unwrap_or_default();
    let flags = info.lines().find_map(|line| line.strip_prefix("flags:"));
    let flags = flags.and_then(|flags| i32::from_str_radix(flags.trim(), 8).ok());
    flags.is_some_and(|flags| flags & libc::O_ACCMODE == libc::O_WRONLY)
}
