//! Hazards of programs: a parent that is stuck itself, a worker that is not there, descriptors.

use std::thread;
use std::time::Duration;

use crate::bench::{Bench, finish, skip};
use crate::threads::{how_many, processors};

/// How long a thing that should be there at once may take on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(20);

/// Runs a hazard; false: it cannot be run here.
fn hazard(bench: &Bench, name: &str, births: &str, forks: &str) -> bool {
    if how_many(&processors()) < 2 {
        skip("threads that hold a lock need a second processor");
        return false;
    }
    let arguments = ["hazard", name, "--birth", births, "--forks", forks, "--out", "out"];
    finish(bench.forkbench(arguments)).expect(0, &[]);
    bench.assert_nothing_left(PATIENCE);
    true
}

/// What was counted of a birth.
#[track_caller]
fn count(bench: &Bench, birth: &str, reading: &str) -> u64 {
    let noted = bench.noted(reading, &[("mechanism", birth)]);
    assert!(!noted.is_empty(), "no {reading} of {birth}");
    noted.iter().map(|noted| noted.value * noted.spawns).sum()
}

#[test]
fn a_fork_that_never_returns_is_proven_and_other_births_return() {
    for (name, partner) in
        [("stuck-stdio", "in fflush(NULL)"), ("stuck-atfork", "with the library's lock held")]
    {
        let bench = Bench::new();
        if !hazard(&bench, name, "fork,_fork,clone3,vfork,posix_spawn", "4") {
            return;
        }
        let of_fork = ["forks", "hung", "proven"].map(|reading| count(&bench, "fork", reading));
        assert_eq!(of_fork, [4, 4, 4], "{name}");
        for birth in ["_fork", "clone3", "vfork", "posix_spawn"] {
            let counts = ["forks", "hung"].map(|reading| count(&bench, birth, reading));
            assert_eq!(counts, [4, 0], "{name} {birth}");
        }
        let events = bench.rows_with("events.csv", &[("event", "hung-proven")]);
        assert!(!events.is_empty(), "{name}");
        for event in events {
            let evidence = &event["evidence"];
            assert!(evidence.contains("it returned"), "{evidence}");
            if cfg!(target_env = "gnu") {
                assert!(evidence.contains(partner), "{evidence}");
                assert!(evidence.contains("waits in read("), "{evidence}");
            }
        }
    }
}

#[test]
fn a_parent_that_is_stuck_leaves_nothing_behind_when_the_run_is_stopped() {
    if how_many(&processors()) < 2 {
        return skip("threads that hold a lock need a second processor");
    }
    for signal in ["INT", "KILL"] {
        let bench = Bench::new();
        let arguments =
            ["hazard", "stuck-stdio", "--birth", "fork", "--forks", "10000", "--out", "out"];
        let running = bench.start(bench.forkbench(arguments));
        let subject = bench.subject();
        thread::sleep(Duration::from_millis(300));
        running.signal(signal);
        running.finish();
        bench.assert_nothing_left(PATIENCE);
        assert!(!bench.processes().contains(&subject));
    }
}

#[test]
fn every_child_waits_in_vain_for_a_worker_that_it_does_not_have() {
    let bench = Bench::new();
    if !hazard(&bench, "pool", "fork,vfork,posix_spawn", "4") {
        return;
    }
    assert_eq!(["forks", "hung"].map(|reading| count(&bench, "fork", reading)), [4, 4]);
    assert!(count(&bench, "fork", "proven") > 0);
    // They have the memory, and so the workers, of their parent, or do something else.
    assert_eq!(count(&bench, "vfork", "hung"), 0);
    assert_eq!(count(&bench, "posix_spawn", "hung"), 0);
}

#[test]
fn a_program_that_a_child_has_open_cannot_be_started() {
    let bench = Bench::new();
    if !hazard(&bench, "etxtbsy", "fork,posix_spawn", "1000") {
        return;
    }
    assert!(count(&bench, "fork", "broken") > 0);
    assert_eq!(count(&bench, "fork", "hung") + count(&bench, "posix_spawn", "hung"), 0);
    let events = bench.rows_with("events.csv", &[("event", "crashed")]);
    assert!(events.iter().all(|event| event["evidence"].contains("ETXTBSY")), "{events:?}");
}

#[test]
fn a_child_that_holds_back_its_own_end_of_file_is_proven_to() {
    let bench = Bench::new();
    if !hazard(&bench, "pipe-eof", "fork,posix_spawn", "200") {
        return;
    }
    assert!(count(&bench, "fork", "proven") > 0);
    assert_eq!(count(&bench, "posix_spawn", "hung"), 0);
    let events = bench.rows_with("events.csv", &[("event", "hung-proven")]);
    let own = |text: &String| text.contains("has itself a write end of it");
    assert!(events.iter().all(|event| own(&event["evidence"])), "{events:?}");
}

#[test]
fn data_that_is_half_changed_is_found_so_by_children() {
    let bench = Bench::new();
    if !hazard(&bench, "torn", "fork,posix_spawn", "2000") {
        return;
    }
    assert!(count(&bench, "fork", "broken") > 0);
    assert_eq!(count(&bench, "posix_spawn", "broken"), 0);
}

#[test]
fn what_is_only_told_cannot_be_run() {
    let bench = Bench::new();
    for name in ["cuda", "H34"] {
        let said = finish(bench.forkbench(["hazard", name, "--out", "out"]));
        said.expect(2, &["is told, not run", "forkbench explain"]);
        assert!(!bench.out().exists());
    }
}
