//! A kernel that refuses: system calls that a filter forbids, and perf events for a user without
//! rights.
//!
//! # Safety
//!
//! Installs a filter in a process between its fork and its exec, by two system calls.
#![allow(unsafe_code)]

use std::fs;
use std::os::unix::process::CommandExt;
use std::process::Command;

use crate::bench::{Bench, finish, is_root, skip};

/// Makes a system call of a command, and of all that it starts, fail with `errno`.
fn forbid(command: &mut Command, call: libc::c_long, errno: i32) {
    let instruction = |code, jt, jf, k| libc::sock_filter { code, jt, jf, k };
    let program = [
        // The number of the system call; if it is that one, the errno, else leave.
        instruction((libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16, 0, 0, 0),
        instruction((libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16, 0, 1, call as u32),
        instruction(libc::BPF_RET as u16, 0, 0, libc::SECCOMP_RET_ERRNO | errno as u32),
        instruction(libc::BPF_RET as u16, 0, 0, libc::SECCOMP_RET_ALLOW),
    ];
    let install = move || {
        let filter =
            libc::sock_fprog { len: program.len() as u16, filter: program.as_ptr().cast_mut() };
        // SAFETY: the filter lives through the call, which copies it.
        let failed = unsafe {
            libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0
                || libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &filter) != 0
        };
        if failed { Err(std::io::Error::last_os_error()) } else { Ok(()) }
    };
    // SAFETY: only makes system calls.
    unsafe { command.pre_exec(install) };
}

#[test]
fn a_kernel_without_clone3() {
    let bench = Bench::new();
    let mut command = bench.forkbench(bench.small(&["--rss", "4M"]));
    forbid(&mut command, libc::SYS_clone3, libc::ENOSYS);
    let said = finish(command);
    said.expect(0, &[]);
    for name in ["clone3", "clone3-vm"] {
        assert!(bench.timed(&[("mechanism", name)]).is_empty());
        for number in bench.variants(&[("mechanism", name)]) {
            let events = bench.rows_with("events.csv", &[("variant", &number)]);
            assert_eq!(events.len(), 1, "{events:?}");
            assert_eq!(events[0]["event"], "refused");
            assert!(events[0]["evidence"].contains("Function not implemented"), "{events:?}");
        }
    }
    for name in ["fork", "vfork", "posix_spawn", "none"] {
        assert!(!bench.timed(&[("mechanism", name), ("shape", "rss=4MiB")]).is_empty(), "{name}");
    }
    assert!(said.stdout.contains("clone3 is not to be had"), "{said:?}");
}

/// Then not even the libc can make a process, which does not fall back on this errno.
#[test]
fn a_filter_that_forbids_clone3() {
    let bench = Bench::new();
    let mut command = bench.forkbench(bench.small(&["--mechanism", "clone3"]));
    forbid(&mut command, libc::SYS_clone3, libc::EPERM);
    finish(command).expect(2, &["nothing can be measured", "clone3", "not permitted", "seccomp"]);
    assert!(!bench.out().exists());

    let mut command = bench.forkbench(bench.small(&["--mechanism", "fork,clone3-vm"]));
    forbid(&mut command, libc::SYS_clone3, libc::EPERM);
    let said = finish(command);
    if said.code == Some(0) {
        assert!(!bench.timed(&[("mechanism", "fork")]).is_empty());
        assert!(bench.timed(&[("mechanism", "clone3-vm")]).is_empty());
    } else {
        said.expect(1, &["not permitted"]);
    }
}

/// Faults from getrusage, and a word on it wherever they are told.
#[track_caller]
fn assert_fallen_back(bench: &Bench, stdout: &str) {
    let readings = bench.rows("readings.csv");
    let named = |name: &str| readings.iter().filter(|row| row["reading"] == name).count();
    assert!(named("rusage_minor_faults") > 0);
    for name in ["minor_faults", "major_faults", "context_switches", "task_clock_ns", "cycles"] {
        assert_eq!(named(name), 0, "{name} was counted");
    }
    let refused = bench.rows_with("events.csv", &[("event", "refused")]);
    assert_eq!(refused.len(), 1, "{refused:?}");
    assert!(refused[0]["evidence"].contains("perf events are refused"), "{refused:?}");
    assert!(refused[0]["evidence"].contains("getrusage"), "{refused:?}");
    assert!(stdout.contains("perf-fallback"), "{stdout}");
}

#[test]
fn a_filter_that_forbids_perf_events() {
    for errno in [libc::EPERM, libc::ENOSYS] {
        let bench = Bench::new();
        let mut command = bench.forkbench(bench.small(&["--mechanism", "fork,vfork"]));
        forbid(&mut command, libc::SYS_perf_event_open, errno);
        let said = finish(command);
        said.expect(0, &[]);
        assert_fallen_back(&bench, &said.stdout);
    }
}

#[test]
fn a_user_who_may_not_count_the_kernel() {
    let level = fs::read_to_string("/proc/sys/kernel/perf_event_paranoid").unwrap_or_default();
    if level.trim().parse::<i32>().unwrap_or(0) < 2 {
        return skip("kernel.perf_event_paranoid lets everybody count the kernel here");
    }
    let bench = Bench::new();
    let mut command = bench.public_forkbench(&bench.small(&["--mechanism", "fork,vfork"]));
    if is_root() {
        command.uid(65_534).gid(65_534);
    }
    let said = finish(command);
    said.expect(0, &[]);
    assert_fallen_back(&bench, &said.stdout);
}
