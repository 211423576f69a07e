//! What is measured: every mechanism, the shape that was asked for, directions that must hold.

use std::fs;
use std::time::Duration;

use crate::bench::{Bench, Row, finish, is_subject, median, status};

fn number(row: &Row, column: &str) -> Option<u64> {
    Some(&row[column]).filter(|cell| !cell.is_empty()).map(|cell| cell.parse().unwrap())
}

#[test]
fn every_mechanism_spawns_or_says_why_not() {
    let bench = Bench::new();
    bench.run(&["--rss", "4M", "--mechanism", "all"]).expect(0, &[]);
    let mut measured = Vec::new();
    for variant in bench.rows("variants.csv") {
        let (own, name) = (variant["variant"].as_str(), variant["mechanism"].as_str());
        let samples = bench.rows_with("samples.csv", &[("variant", own)]);
        if samples.is_empty() {
            let events = bench.rows_with("events.csv", &[("variant", own), ("event", "refused")]);
            assert_eq!(events.len(), 1, "{variant:?}: {events:?}");
            assert!(!events[0]["evidence"].is_empty());
            continue;
        }
        measured.push(name.to_owned());
        assert!(samples.len() >= 3, "{variant:?}");
        for sample in &samples {
            let stamp = |column| number(sample, column);
            assert_eq!(sample["status"], "0", "{variant:?}: {sample:?}");
            let (blocked, reaped) = (stamp("blocked_ns").unwrap(), stamp("reaped_ns").unwrap());
            assert!(blocked <= reaped, "{sample:?}");
            let ours = !matches!(name, "none" | "posix_spawn" | "pidfd_spawn" | "command");
            assert_eq!(stamp("born_ns").is_some(), ours, "{name}: {sample:?}");
            let execs = !matches!(name, "none" | "thread");
            assert_eq!(stamp("image_ns").is_some(), execs, "{name}: {sample:?}");
            // Both clocks are one: no stamp lies outside the sample.
            for column in ["born_ns", "image_ns"] {
                assert!(stamp(column).is_none_or(|at| at > 0 && at <= reaped), "{sample:?}");
            }
            if ours && execs {
                assert!(stamp("born_ns") <= stamp("image_ns"), "{sample:?}");
            }
        }
    }
    for name in ["none", "fork", "vfork", "posix_spawn", "command", "thread"] {
        assert!(measured.iter().any(|other| other == name), "{name} was not measured");
    }
}

#[test]
fn every_sample_is_one_execution_of_the_image() {
    let bench = Bench::new();
    let record = bench.path("record");
    let image = bench.script("counted", &format!("echo \"$0\" >> {}", record.display()));
    let mechanisms = "fork,vfork,posix_spawn,clone3-pidfd,command";
    let arguments = ["--mechanism", mechanisms, "--image", &image];
    finish(bench.forkbench(bench.larger(&arguments))).expect(0, &[]);
    let control = bench.variants(&[("mechanism", "none")]);
    let mut samples = bench.rows("samples.csv");
    samples.retain(|row| !control.contains(&row["variant"]));
    assert_eq!(fs::read_to_string(record).unwrap().lines().count(), samples.len());
    assert!(samples.len() > 100);
}

#[test]
fn a_child_may_end_without_an_image() {
    let bench = Bench::new();
    bench.run(&["--mechanism", "fork,vfork", "--image", "exit"]).expect(0, &[]);
    for name in ["fork", "vfork"] {
        let samples = bench.timed(&[("mechanism", name)]);
        assert!(!samples.is_empty(), "{name}");
        assert!(samples.iter().all(|row| row["image_ns"].is_empty() && !row["born_ns"].is_empty()));
    }
}

/// What was read of the shape, in the subject of the first launch.
fn seen(bench: &Bench, reading: &str, at: &str) -> u64 {
    let shape = bench.rows("variants.csv")[0]["shape"].clone();
    // A reading of a shape belongs to the first block of its subject.
    let launches = bench.rows_with("launches.csv", &[("launch", "1"), ("shape", &shape)]);
    assert!(!launches.is_empty());
    let rows =
        bench.rows_with("readings.csv", &[("reading", reading), ("at", at), ("launch", "1")]);
    let block = rows.iter().find(|row| row["block"] == "0").expect("the first parent's warm-up");
    assert_eq!(block["variant"], "");
    assert_eq!(block["scope"], "parent");
    number(block, "value").unwrap()
}

#[test]
fn the_shape_is_what_was_asked_for() {
    let bench = Bench::new();
    let shape =
        ["--rss", "8M", "--threads", "3", "--vmas", "100", "--fds", "50", "--mechanism", "vfork"];
    bench.run(&shape).expect(0, &[]);
    assert_eq!(seen(&bench, "rss_bytes", "asked"), 8 << 20);
    assert_eq!(seen(&bench, "rss_bytes", "setup"), 8 << 20);
    assert_eq!(seen(&bench, "anon_huge_bytes", "setup"), 0, "4k pages were asked for");
    assert_eq!(seen(&bench, "threads", "base"), 1);
    assert_eq!(seen(&bench, "threads", "asked"), 3);
    assert_eq!(seen(&bench, "threads", "setup"), 4);
    let added = |reading| seen(&bench, reading, "setup") - seen(&bench, reading, "base");
    assert_eq!(added("fds"), 50);
    assert!((100..=130).contains(&added("vmas")), "{} mappings", added("vmas"));
    let outcomes = bench.rows("launches.csv");
    assert!(outcomes.iter().all(|row| row["outcome"] == "done"), "{outcomes:?}");
}

#[test]
fn huge_pages_are_there_or_their_lack_is_told() {
    let bench = Bench::new();
    let said = bench.run(&["--rss", "32M", "--page", "thp", "--mechanism", "vfork"]);
    said.expect(0, &[]);
    let (asked, got) =
        (seen(&bench, "anon_huge_bytes", "asked"), seen(&bench, "anon_huge_bytes", "setup"));
    assert_eq!(asked, 32 << 20);
    let misshapen = bench.rows_with("launches.csv", &[("outcome", "misshapen")]);
    if got < asked / 100 * 99 {
        assert!(misshapen[0]["detail"].contains("anon_huge_bytes"), "{misshapen:?}");
        assert!(said.stdout.contains("misshapen"), "{said:?}");
    } else {
        assert!(misshapen.is_empty(), "{misshapen:?}");
        assert_eq!(seen(&bench, "rss_bytes", "setup"), asked);
    }
}

#[test]
fn a_subject_without_threads_never_has_one() {
    let bench = Bench::new();
    let running = bench.start(bench.forkbench(bench.small(&["--rss", "16M", "-q"])));
    let mut looks = 0;
    let subject = bench.subject();
    while is_subject(subject) {
        let threads = status(subject, "Threads");
        // Empty once it has ended.
        if !threads.is_empty() && !status(subject, "State").starts_with('Z') {
            assert_eq!(threads, "1");
            looks += 1;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    running.finish().expect(0, &[]);
    assert!(looks > 3, "only {looks} looks");
    let rows = bench.rows_with("readings.csv", &[("reading", "threads"), ("at", "setup")]);
    assert!(rows.len() >= 4 && rows.iter().all(|row| row["value"] == "1"), "{rows:?}");
}

#[test]
fn directions_that_hold_on_every_machine() {
    let bench = Bench::new();
    let said = bench.run(&["--rss", "256M", "--mechanism", "fork,vfork,posix_spawn"]);
    said.expect(0, &[]);
    let of = |mechanism, role| {
        bench.timed(&[("mechanism", mechanism), ("role", role), ("shape", "rss=256MiB")])
    };
    let blocked = |mechanism, role| median(&of(mechanism, role), "blocked_ns");
    let (fork, spawn) = (blocked("fork", "subject"), blocked("posix_spawn", "subject"));
    assert!(fork >= 5 * spawn, "fork {fork} ns, posix_spawn {spawn} ns");
    // Medians of few samples part where other tests want the same processor; the shortest do not.
    let shortest = |role| {
        let rows = of("posix_spawn", role);
        rows.iter().filter_map(|row| number(row, "blocked_ns")).min().expect("a spawn")
    };
    let (twin, spawn) = (shortest("twin"), shortest("subject"));
    assert!(twin >= spawn / 5 && twin <= spawn * 5, "{twin} ns, its twin {spawn} ns");
    let own = median(&of("none", "control"), "reaped_ns");
    assert!(own < 2_000, "the tool itself costs {own} ns");
    // A fork leaves a bill: writing its memory again faults on every page.
    let bills: Vec<u64> =
        of("fork", "subject").iter().filter_map(|r| number(r, "rewrite_ns")).collect();
    let forks: Vec<u64> =
        of("fork", "subject").iter().filter_map(|r| number(r, "blocked_ns")).collect();
    let shortest = forks.iter().min().expect("a fork");
    assert!(bills.iter().any(|bill| bill > shortest), "{bills:?}, forks {forks:?} ns");
    let pages = 256 << 20 >> 12;
    let fork_number = &bench.variants(&[("mechanism", "fork"), ("role", "subject")])[0];
    for name in ["minor_faults", "rusage_minor_faults"] {
        let rows = bench.rows_with(
            "readings.csv",
            &[("variant", fork_number), ("reading", name), ("scope", "parent"), ("at", "rewrite")],
        );
        for row in &rows {
            let per_spawn = number(row, "value").unwrap() / number(row, "spawns").unwrap();
            assert!(per_spawn >= pages && per_spawn < pages + pages / 20, "{row:?}");
        }
        assert!(!rows.is_empty() || name == "minor_faults");
    }
}
