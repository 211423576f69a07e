//! Whether readers of pipes will wait for ever: read from /proc, not guessed from a timeout.
//!
//! # Safety
//!
//! Kills children of ours by their pids.
#![allow(unsafe_code)]

use std::fs;
use std::path::PathBuf;
use std::process;
use std::thread;
use std::time::Duration;

/// A stage that will never see an end of file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::measure) struct Proof {
    /// Its process.
    pub pid: i32,
    /// The descriptor of its own that is a write end of the pipe that it reads.
    pub descriptor: i32,
    /// The pipe, as /proc names it.
    pub pipe: String,
}

/// The proof that the stages will wait for ever; none: there is no proof.
///
/// Every stage that still lives waits in read(0), twice with time in between, and holds itself a
/// write end of the pipe that it reads. The parent has closed its own write ends, so that only
/// stages hold any: nobody who could write or close one will ever run again. The proof that is
/// returned is that of the first of them.
pub(in crate::measure) fn examine(children: &[isize]) -> Option<Proof> {
    let proofs = |_| {
        let alive = children.iter().map(|child| *child as i32).filter(|pid| is_alive(*pid));
        alive.map(waits_for_itself).collect::<Option<Vec<Proof>>>()
    };
    let first = proofs(())?;
    thread::sleep(Duration::from_millis(20));
    let second = proofs(())?;
    if first == second { first.into_iter().next() } else { None }
}

/// Kills them. They have not been reaped, so that their pids are still theirs.
pub(in crate::measure) fn kill(children: &[isize]) {
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
pub(in crate::measure) fn waits_for_itself(pid: i32) -> Option<Proof> {
    let call = fs::read_to_string(format!("/proc/{pid}/syscall")).ok()?;
    let mut words = call.split_ascii_whitespace();
    if words.next()? != libc::SYS_read.to_string() || words.next()? != "0x0" {
        return None;
    }
    let directory = PathBuf::from(format!("/proc/{pid}/fd"));
    let pipe = fs::read_link(directory.join("0")).ok()?.to_str()?.to_owned();
    let descriptor = write_ends(pid, &pipe)?.into_iter().find(|descriptor| *descriptor > 0)?;
    Some(Proof { pid, descriptor, pipe })
}

/// This process and those of its children, save `but`, that have a write end of a pipe that this
/// process has made; None: that cannot be read of one of them.
pub(in crate::measure) fn other_holders(but: i32, pipe: &str) -> Option<Vec<i32>> {
    let own = process::id() as i32;
    let mut holders = Vec::new();
    for entry in fs::read_dir("/proc").ok()?.flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<i32>().ok()) else {
            continue;
        };
        let is_ours = pid == own || parent(pid) == Some(own);
        if pid == but || !is_ours || !is_alive(pid) {
            continue;
        }
        match write_ends(pid, pipe) {
            Some(ends) if ends.is_empty() => {}
            Some(_) => holders.push(pid),
            // It has ended meanwhile.
            None if !is_alive(pid) => {}
            None => return None,
        }
    }
    Some(holders)
}

fn parent(pid: i32) -> Option<i32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, rest) = stat.rsplit_once(") ")?;
    rest.split(' ').nth(1)?.parse().ok()
}

/// The descriptors of a process that are write ends of that pipe, from the lowest on.
fn write_ends(pid: i32, pipe: &str) -> Option<Vec<i32>> {
    let directory = PathBuf::from(format!("/proc/{pid}/fd"));
    let mut descriptors: Vec<i32> = fs::read_dir(&directory)
        .ok()?
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .collect();
    descriptors.sort_unstable();
    descriptors.retain(|descriptor| {
        let link = fs::read_link(directory.join(descriptor.to_string()));
        link.is_ok_and(|link| link.to_str() == Some(pipe)) && is_for_writing(pid, *descriptor)
    });
    Some(descriptors)
}

fn is_for_writing(pid: i32, descriptor: i32) -> bool {
    let info = fs::read_to_string(format!("/proc/{pid}/fdinfo/{descriptor}")).unwrap_or_default();
    let flags = info.lines().find_map(|line| line.strip_prefix("flags:"));
    let flags = flags.and_then(|flags| i32::from_str_radix(flags.trim(), 8).ok());
    flags.is_some_and(|flags| flags & libc::O_ACCMODE == libc::O_WRONLY)
}
