//! Threads that do something while their parent spawns.
//!
//! # Safety
//!
//! Sets the processors of a process between its fork and its exec, by one system call.
#![allow(unsafe_code)]

use std::os::unix::process::CommandExt;

use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;

use crate::bench::{Bench, finish, skip};

pub(crate) fn processors() -> CpuSet {
    sched_getaffinity(Pid::from_raw(0)).unwrap()
}

pub(crate) fn how_many(processors: &CpuSet) -> usize {
    (0..CpuSet::count()).filter(|cpu| processors.is_set(*cpu).unwrap_or(false)).count()
}

#[test]
fn busy_threads_run_during_the_blocks_of_their_subject() {
    if how_many(&processors()) < 2 {
        return skip("busy threads need a second processor");
    }
    let bench = Bench::new();
    let kinds = ["spin", "malloc", "fault", "mmap"];
    let busy = ["--threads", "4", "--busy", &kinds.join(",")];
    bench.run(&[&["--mechanism", "vfork"][..], &busy].concat()).expect(0, &[]);
    let launches = bench.rows("launches.csv");
    assert!(launches.iter().all(|row| row["outcome"] == "done"), "{launches:?}");
    let ran = bench.rows_with("readings.csv", &[("reading", "busy_cpu_ns"), ("at", "block")]);
    // The empty parent has none; each of the others has one for each of its blocks.
    let mut blocks = 0;
    for block in bench.rows("blocks.csv") {
        let here = |row: &&crate::bench::Row| {
            (&row["launch"], &row["block"]) == (&block["launch"], &block["block"])
        };
        let Some(row) = ran.iter().find(here) else { continue };
        let value: u64 = row["value"].parse().unwrap();
        assert!(value > 0, "{row:?}");
        assert_eq!((row["scope"].as_str(), row["variant"].as_str()), ("parent", ""));
        blocks += 1;
    }
    // The pilot, warm-up, a timed and a counting block of each.
    assert_eq!(blocks, 4 * kinds.len());
}

#[test]
fn parked_threads_have_no_reading() {
    let bench = Bench::new();
    bench.run(&["--mechanism", "vfork", "--threads", "2"]).expect(0, &[]);
    assert!(bench.rows_with("readings.csv", &[("reading", "busy_cpu_ns")]).is_empty());
}

#[test]
fn busy_threads_on_the_only_processor_are_refused() {
    let allowed = processors();
    let first = (0..CpuSet::count()).find(|cpu| allowed.is_set(*cpu).unwrap_or(false)).unwrap();
    let bench = Bench::new();
    let arguments = ["--mechanism", "vfork", "--threads", "2", "--busy", "park,spin"];
    let mut command = bench.forkbench(bench.small(&arguments));
    let pin = move || {
        let mut only = CpuSet::new();
        only.set(first)?;
        Ok(sched_setaffinity(Pid::from_raw(0), &only)?)
    };
    // SAFETY: only makes a system call.
    unsafe { command.pre_exec(pin) };
    let said = finish(command);
    said.expect(0, &[]);
    assert!(said.stdout.contains("busy threads would share"), "{said:?}");
    let spinning: Vec<String> = bench
        .rows("variants.csv")
        .iter()
        .filter(|row| row["settings"].contains("busy=spin"))
        .map(|row| row["variant"].clone())
        .collect();
    assert!(!spinning.is_empty());
    for number in &spinning {
        let events = bench.rows_with("events.csv", &[("variant", number), ("event", "refused")]);
        assert_eq!(events.len(), 1, "{events:?}");
        assert!(events[0]["evidence"].contains("spawner's processor"), "{events:?}");
        assert!(bench.rows_with("samples.csv", &[("variant", number)]).is_empty());
    }
    assert!(!bench.timed(&[("mechanism", "vfork")]).is_empty());
}
