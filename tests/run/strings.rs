//! What an exec is given, how the image is found, and what mappings and descriptors cost.
//!
//! Costs are asserted by direction, with samples of both sides from one run.

use std::fs;

use crate::bench::{Bench, finish, median};

/// Mechanisms that execute an image and are to be had on every machine that runs this suite.
const EXECUTE: &str = "fork,_fork,vfork,posix_spawn,clone3,clone3-vm,clone3-pidfd,command";

/// Asserts that every one of [`EXECUTE`] and, where it is to be had, pidfd_spawn has samples of the
/// image and no failure.
#[track_caller]
fn assert_all_succeed(bench: &Bench) {
    let names: Vec<&str> = EXECUTE.split(',').collect();
    for name in names {
        assert!(!bench.timed(&[("mechanism", name)]).is_empty(), "{name}");
    }
    let events = bench.rows("events.csv");
    let failed: Vec<_> = events.iter().filter(|row| row["event"] == "failed").collect();
    assert!(failed.is_empty(), "{failed:?}");
}

#[test]
fn environment_and_arguments_have_exactly_the_bytes_asked_for() {
    // The whole environment and arguments that an image has otherwise, with their NULs.
    let environment = "PATH=/usr/local/bin:/usr/bin:/bin LC_ALL=C ".len();
    for (env, args) in [(8, 1), (1_234, 567), (70_000, 300)] {
        let bench = Bench::new();
        let path = bench.path("sized");
        let arguments = format!("/bin/sh {} ", path.display()).len();
        let image = bench.script(
            "sized",
            &format!(
                "e=$(cat /proc/$$/environ | wc -c); a=$(cat /proc/$$/cmdline | wc -c)\n\
                 [ $e = {} ] && [ $a = {} ]",
                environment + env,
                arguments + args,
            ),
        );
        let (env, args) = (env.to_string(), args.to_string());
        let strings = ["--env-bytes", &env, "--args-bytes", &args];
        let said =
            bench.run(&[&["--mechanism", EXECUTE, "--image", &image][..], &strings].concat());
        said.expect(0, &[]);
        assert_all_succeed(&bench);
    }
}

/// The libc has it since glibc 2.39; where it is not to be had, fork alone is looked at.
#[test]
fn strings_reach_an_image_that_was_searched_for() {
    let bench = Bench::new();
    let count = "PATH=/usr/bin:/bin; [ $(cat /proc/$$/environ | wc -c) -gt 5000 ]";
    let image = bench.script("sized", count);
    let mechanisms = ["--mechanism", "fork,pidfd_spawn", "--image", &image];
    bench
        .run(&[&mechanisms[..], &["--env-bytes", "5000", "--path-dirs", "2"]].concat())
        .expect(0, &[]);
    assert!(!bench.timed(&[("mechanism", "fork")]).is_empty());
    let failed = bench.rows_with("events.csv", &[("event", "failed")]);
    assert!(failed.is_empty(), "{failed:?}");
}

#[test]
fn what_the_kernel_does_not_take_is_told_with_its_limit() {
    let bench = Bench::new();
    let said = bench.run(&["--mechanism", "fork,vfork,posix_spawn,command", "--env-bytes", "6M"]);
    said.expect(1, &["no sample of fork"]);
    for number in bench.variants(&[("role", "subject")]) {
        let events = bench.rows_with("events.csv", &[("variant", &number), ("event", "failed")]);
        assert!(events.len() >= 3, "{events:?}");
        for event in events {
            assert_eq!(event["errno"], libc::E2BIG.to_string(), "{event:?}");
            assert!(event["evidence"].contains("a quarter of the stack limit"), "{event:?}");
        }
    }
}

#[test]
fn an_exit_takes_no_strings() {
    for knob in [["--env-bytes", "1K"], ["--args-bytes", "1K"], ["--path-dirs", "3"]] {
        let bench = Bench::new();
        let mut arguments = vec!["--mechanism", "fork", "--image", "noop,exit"];
        arguments.extend(knob);
        let said = bench.run(&arguments);
        said.expect(0, &[]);
        assert!(said.stdout.contains("image=exit executes nothing"), "{said:?}");
        let events = bench.rows_with("events.csv", &[("event", "refused"), ("launch", "0")]);
        assert_eq!(events.len(), 1, "{events:?}");
        // The control has no image, and so no strings: it is one row.
        assert_eq!(bench.variants(&[("mechanism", "none")]).len(), 1);
    }
}

#[test]
fn an_image_is_found_behind_directories_that_lack_it() {
    for image in ["noop", "/bin/true"] {
        let bench = Bench::new();
        let said = bench.run(&["--mechanism", EXECUTE, "--path-dirs", "0,3", "--image", image]);
        said.expect(0, &[]);
        assert_all_succeed(&bench);
        for name in EXECUTE.split(',') {
            assert_eq!(bench.variants(&[("mechanism", name), ("role", "subject")]).len(), 2);
        }
        bench.assert_nothing_left(std::time::Duration::from_secs(1));
    }
}

/// The PATH that is searched is the image's own too: N directories of one length, and its own.
#[test]
fn the_path_that_was_searched_is_handed_down() {
    let bench = Bench::new();
    let place = bench.path("paths");
    let image = bench.script("told", &format!("echo \"$0 $PATH\" >> {}", place.display()));
    let said = bench.run(&["--mechanism", EXECUTE, "--path-dirs", "3", "--image", &image]);
    said.expect(0, &[]);
    let text = fs::read_to_string(&place).unwrap();
    for line in text.lines() {
        let (program, path) = line.split_once(' ').unwrap();
        assert!(program.ends_with("/told"), "{line}");
        let directories: Vec<&str> = path.split(':').collect();
        assert_eq!(directories.len(), 4, "{line}");
        assert!(directories[..3].iter().all(|d| d.len() == directories[0].len()), "{line}");
        assert!(directories[2].ends_with("/search/0002"), "{line}");
        assert_eq!(directories[3], bench.path("").to_str().unwrap().trim_end_matches('/'));
    }
}

#[test]
fn an_image_that_is_nowhere_is_not_found() {
    let bench = Bench::new();
    fs::create_dir(bench.path("gone")).unwrap();
    let directory = bench.path("gone").display().to_string();
    let image = bench.script("gone/vanishing", &format!("/bin/rm -r {directory}"));
    let mechanisms = "fork,vfork,posix_spawn,clone3-vm,command";
    bench.run(&["--mechanism", mechanisms, "--path-dirs", "3", "--image", &image]);
    for name in mechanisms.split(',') {
        let number = &bench.variants(&[("mechanism", name), ("role", "subject")])[0];
        let events = bench.rows_with("events.csv", &[("variant", number), ("event", "failed")]);
        assert!(events.len() >= 3, "{name}: {events:?}");
        for event in events {
            assert_eq!(event["errno"], libc::ENOENT.to_string(), "{event:?}");
        }
    }
}

/// The median of `column` of the variants with this setting, over that of those with the other.
#[track_caller]
fn ratio(bench: &Bench, mechanism: &str, dear: &str, cheap: &str, column: &str) -> f64 {
    let of = |setting: &str| {
        let rows =
            bench.rows_with("variants.csv", &[("mechanism", mechanism), ("role", "subject")]);
        let has = |settings: &str| settings.split(';').any(|one| one == setting);
        let names = |settings: &str| settings.contains(setting.split('=').next().unwrap());
        let wanted = rows.iter().find(|row| {
            // A default does not stand in the settings.
            has(&row["settings"]) || (!names(&row["settings"]) && setting.ends_with("=-"))
        });
        let number = wanted.unwrap_or_else(|| panic!("no {setting}"))["variant"].clone();
        median(&bench.timed(&[("variant", &number)]), column) as f64
    };
    of(dear) / of(cheap)
}

#[test]
fn dirty_mappings_cost_a_fork_more_and_are_paid_for_again() {
    let bench = Bench::new();
    // Each parent is measured by itself: several blocks, by turns, so that what else runs meets both.
    let more = ["--vmas", "5000", "--vma-contents", "clean,dirty", "--mechanism", "fork"];
    finish(bench.forkbench(bench.of_blocks("4", &more))).expect(0, &[]);
    let dearer = ratio(&bench, "fork", "vma-contents=dirty", "vma-contents=-", "blocked_ns");
    assert!(dearer > 1.5, "{dearer}");
    let dirty = bench.rows("variants.csv");
    let dirty = dirty.iter().find(|row| row["settings"].contains("vma-contents=dirty")).unwrap();
    let bills = bench.rows_with("samples.csv", &[("variant", &dirty["variant"])]);
    assert!(bills.iter().any(|row| !row["rewrite_ns"].is_empty()));
    let counted = bench.rows_with(
        "readings.csv",
        &[("variant", &dirty["variant"]), ("at", "rewrite"), ("reading", "minor_faults")],
    );
    if let Some(row) = counted.first() {
        let (value, spawns): (u64, u64) =
            (row["value"].parse().unwrap(), row["spawns"].parse().unwrap());
        assert!(value / spawns >= 5000, "{row:?}");
    }
    let bytes = |at| bench.rows_with("readings.csv", &[("reading", "vma_rss_bytes"), ("at", at)]);
    assert_eq!(
        bytes("asked").iter().map(|row| &row["value"]).max(),
        bytes("setup").iter().map(|row| &row["value"]).max()
    );
    let outcomes = bench.rows("launches.csv");
    assert!(outcomes.iter().all(|row| row["outcome"] == "done"), "{outcomes:?}");
}

#[test]
fn one_high_descriptor_is_cheaper_than_as_many() {
    let bench = Bench::new();
    bench
        .run(&["--fds", "5000", "--fd-layout", "dense,high", "--mechanism", "fork"])
        .expect(0, &[]);
    let dearer = ratio(&bench, "fork", "fd-layout=-", "fd-layout=high", "reaped_ns");
    assert!(dearer > 1.2, "{dearer}");
    let seen = bench.rows_with("readings.csv", &[("reading", "highest_fd"), ("at", "asked")]);
    assert!(!seen.is_empty() && seen.iter().all(|row| row["value"] == "5000"), "{seen:?}");
    let outcomes = bench.rows("launches.csv");
    assert!(outcomes.iter().all(|row| row["outcome"] == "done"), "{outcomes:?}");
}

#[test]
fn long_environments_and_long_searches_cost_more() {
    let bench = Bench::new();
    bench.run(&["--env-bytes", "0,512K", "--mechanism", "posix_spawn"]).expect(0, &[]);
    let dearer = ratio(&bench, "posix_spawn", "env-bytes=512KiB", "env-bytes=-", "reaped_ns");
    assert!(dearer > 2.0, "{dearer}");
    let bench = Bench::new();
    bench.run(&["--path-dirs", "0,20", "--mechanism", "posix_spawn,vfork"]).expect(0, &[]);
    for name in ["posix_spawn", "vfork"] {
        let dearer = ratio(&bench, name, "path-dirs=20", "path-dirs=-", "reaped_ns");
        assert!(dearer > 1.03, "{name}: {dearer}");
    }
}
