//! Every mechanism does what happens between birth and exec.
//!
//! # Safety
//!
//! Maps a mailbox, which is never unmapped.
#![allow(unsafe_code)]

use std::io::{Read, pipe};
use std::os::fd::AsRawFd;

use super::*;
use crate::measure::mechanism::brief::{Extras, Target};
use crate::measure::mechanism::child::{Mailbox, Stage};
use crate::model::action::Action;

/// Every mechanism here that makes a process of its own and gives it an image.
fn processes() -> impl Iterator<Item = &'static Mechanism> {
    MECHANISMS.iter().copied().filter(|mechanism| {
        !mechanism.name.starts_with("c-")
            && !mechanism.ignores_image()
            && !mechanism.takes_command()
            && (mechanism.available)().is_ok()
    })
}

/// Spawns a shell with that script after those actions; the wait status, or the failure.
fn shell(mechanism: &Mechanism, script: &str, actions: &[Action]) -> Result<i32, (i32, Stage)> {
    let words = ["sh", "-c", script];
    let words = words.map(|word| std::ffi::CString::new(word).unwrap()).into();
    let mailbox = mailbox();
    let extras = Extras { actions: actions.to_vec(), ..Extras::default() };
    let brief = Brief::new(Target::Exec(c"/bin/sh".into(), words), &extras, mailbox, 0);
    let mut spawner = (mechanism.prepare)(brief.unwrap()).unwrap();
    let child = spawner.birth();
    if child < 0 {
        return Err((-child as i32, Stage::Birth));
    }
    let status = spawner.reap(child, None).unwrap();
    spawner.tidy();
    match mailbox.read().failure {
        Some(failure) => Err(failure),
        None => Ok(status),
    }
}

/// A mailbox that a child which copies its memory shares all the same.
pub(super) fn mailbox() -> &'static Mailbox {
    let flags = libc::MAP_SHARED | libc::MAP_ANONYMOUS;
    let protection = libc::PROT_READ | libc::PROT_WRITE;
    // SAFETY: a new mapping of a page, never unmapped; a mailbox of zeroes is valid.
    unsafe {
        let page = libc::mmap(std::ptr::null_mut(), 4096, protection, flags, -1, 0);
        assert_ne!(page, libc::MAP_FAILED);
        &*page.cast::<Mailbox>()
    }
}

#[test]
fn every_mechanism_doubles_opens_and_closes_descriptors() {
    for mechanism in processes() {
        let (mut reader, writer) = pipe().unwrap();
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("input");
        std::fs::write(&path, "asked\n").unwrap();
        let path = std::ffi::CString::new(path.to_str().unwrap()).unwrap();
        let actions = [
            Action::Dup2 { from: writer.as_raw_fd(), to: 1 },
            Action::Open { path, flags: libc::O_RDONLY, mode: 0, to: 0 },
            Action::Close { descriptor: writer.as_raw_fd() },
            Action::Dup2 { from: 0, to: 9 },
            Action::Close { descriptor: 2 },
        ];
        let script = "read word; echo $word; [ /dev/fd/9 -ef /dev/fd/0 ] && [ ! -e /dev/fd/2 ]";
        assert_eq!(shell(mechanism, script, &actions), Ok(0), "{}", mechanism.name);
        drop(writer);
        let mut said = String::new();
        reader.read_to_string(&mut said).unwrap();
        assert_eq!(said, "asked\n", "{}", mechanism.name);
    }
}

#[test]
fn an_action_that_fails_is_told_with_its_errno() {
    for mechanism in processes() {
        let path = c"/there/is/no/such/file".to_owned();
        let actions = [Action::Open { path, flags: libc::O_RDONLY, mode: 0, to: 0 }];
        let (errno, stage) = shell(mechanism, "exit 0", &actions).unwrap_err();
        let expected = match mechanism.gap {
            Gap::Ours => Stage::Action,
            Gap::Theirs => Stage::Birth,
        };
        assert_eq!((errno, stage), (libc::ENOENT, expected), "{}", mechanism.name);
    }
}
