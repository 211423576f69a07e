//! Hazards: what hangs, what does not, and that nothing is left behind.
//!
//! The machine may be loaded: what is asserted is that something hangs at all, never how often.

use std::fs;
use std::time::Duration;

use crate::bench::{Bench, is_root, skip};

/// Names of semaphores that this program made, and left.
fn semaphores() -> Vec<String> {
    let names = fs::read_dir("/dev/shm").into_iter().flatten().flatten();
    let names = names.map(|entry| entry.file_name().to_string_lossy().into_owned());
    names.filter(|name| name.starts_with("sem.forkbench")).collect()
}

/// Tries these hazards by these births, so many times each.
fn hazard(bench: &Bench, hazards: &str, births: &str, forks: &str) {
    let arguments = ["--threads", "2", "--busy", "hold", "--workload", "hazard", "--hazard"];
    let more = [hazards, "--mechanism", births, "--forks", forks];
    let said = bench.run(&[&arguments[..], &more].concat());
    // Whatever it is that a report has to say of it.
    assert!(matches!(said.code, Some(0 | 5)), "{said:#?}");
    bench.assert_nothing_left(Duration::from_secs(1));
    assert_eq!(semaphores(), Vec::<String>::new());
}

/// What a reading says of a birth of a hazard.
#[track_caller]
fn read(bench: &Bench, hazard: &str, birth: &str, reading: &str) -> u64 {
    let mut variants = bench.variants(&[("mechanism", birth)]);
    let with: Vec<_> = bench
        .rows("variants.csv")
        .into_iter()
        .filter(|row| row["settings"].split(';').any(|knob| knob == format!("hazard={hazard}")))
        .map(|row| row["variant"].clone())
        .collect();
    variants.retain(|variant| with.contains(variant));
    let noted: Vec<_> = variants
        .iter()
        .flat_map(|variant| bench.noted(reading, &[("variant", variant)]))
        .map(|noted| noted.value)
        .collect();
    assert_eq!(noted.len(), 1, "{reading} of {birth} hazard={hazard}");
    noted[0]
}

// Hazards of the libc.

#[test]
fn a_lock_that_fork_does_not_know_hangs_children_for_ever_and_it_is_proven() {
    let bench = Bench::new();
    let hazards = "localtime-static,readdir";
    hazard(&bench, hazards, "fork,posix_spawn", "200");
    for name in hazards.split(',') {
        let hung = read(&bench, name, "fork", "hung");
        assert!(hung > 0, "{name}");
        assert!(10 * read(&bench, name, "fork", "proven") >= 9 * hung, "{name}");
        assert_eq!(read(&bench, name, "posix_spawn", "hung"), 0, "{name}");
        for birth in ["fork", "posix_spawn"] {
            assert_eq!(read(&bench, name, birth, "forks"), 200, "{name}");
            assert_eq!(read(&bench, name, birth, "broken"), 0, "{name}");
        }
    }
    assert!(!bench.rows_with("events.csv", &[("event", "hung-proven")]).is_empty());
}

#[test]
fn a_lock_that_fork_puts_right_hangs_only_children_of_a_raw_clone() {
    let bench = Bench::new();
    hazard(&bench, "malloc-mmap", "fork,vfork,posix_spawn", "300");
    for birth in ["fork", "vfork", "posix_spawn"] {
        assert_eq!(read(&bench, "malloc-mmap", birth, "forks"), 300, "{birth}");
        assert_eq!(read(&bench, "malloc-mmap", birth, "hung"), 0, "{birth}");
        assert_eq!(read(&bench, "malloc-mmap", birth, "broken"), 0, "{birth}");
    }
    let bench = Bench::new();
    hazard(&bench, "malloc-mmap", "_fork,clone3", "400");
    // Either: on a loaded machine the threads may stand still for the whole of a batch.
    let raw = ["_fork", "clone3"].map(|birth| read(&bench, "malloc-mmap", birth, "hung"));
    assert!(raw.iter().sum::<u64>() > 0);
}

#[test]
fn a_semaphore_is_not_left_behind() {
    if !is_root() {
        return skip("a semaphore with a name needs a /dev/shm of the subject's own");
    }
    let bench = Bench::new();
    hazard(&bench, "sem_open", "fork", "20");
    assert_eq!(read(&bench, "sem_open", "fork", "forks"), 20);
}

#[test]
fn a_child_that_shares_memory_does_not_exit_for_its_parent() {
    let bench = Bench::new();
    hazard(&bench, "getutent,exit", "vfork", "20");
    assert_eq!(read(&bench, "getutent", "vfork", "hung"), 0);
    let refused = bench.rows_with("events.csv", &[("event", "refused")]);
    assert!(refused.len() == 1 && refused[0]["evidence"].contains("would harm"), "{refused:?}");
}
