//! Batches of jobs: every way to do them does them all and leaves nothing behind; limits and deaths
//! in the middle of them; open loops.
//!
//! # Safety
//!
//! Sets limits in a process between its fork and its exec, by one system call each.
#![allow(unsafe_code)]

use std::fs;
use std::os::unix::process::CommandExt;
use std::time::Duration;

use crate::bench::{Bench, children, finish, is_root, refused, signal, skip, wait_for};

/// Runs a few batches with these arguments.
fn run(bench: &Bench, more: &[&str]) {
    let said = bench.run(&[&["--workload", "throughput"], more].concat());
    // Whatever it is that a report has to say of it.
    assert!(matches!(said.code, Some(0 | 5)), "{said:#?}");
}

/// The readings of that name with their value for one sample, of the variant.
fn readings(bench: &Bench, variant: &str, name: &str) -> Vec<u64> {
    let every = bench.rows_with("readings.csv", &[("variant", variant), ("reading", name)]);
    assert!(every.iter().all(|row| row["at"] == "work"));
    bench.noted(name, &[("variant", variant)]).into_iter().map(|noted| noted.value).collect()
}

/// Asserts that each batch of the variant did so many jobs, and that nothing was left of it.
#[track_caller]
fn assert_done(bench: &Bench, variant: &str, jobs: u64) {
    let label = bench.rows_with("variants.csv", &[("variant", variant)])[0]["label"].clone();
    let done = readings(bench, variant, "jobs");
    assert!(!done.is_empty() && done.iter().all(|done| *done == jobs), "{label}: {done:?}");
    for none in ["zombies", "leaked_descriptors", "failed_eagain", "failed_emfile", "failed_other"]
    {
        let values = readings(bench, variant, none);
        assert!(!values.is_empty() && values.iter().all(|v| *v == 0), "{label} {none}: {values:?}");
    }
    for length in ["batch_ns", "batch_cpu_ns"] {
        let values = readings(bench, variant, length);
        assert!(
            !values.is_empty() && values.iter().all(|v| *v > 0),
            "{label} {length}: {values:?}"
        );
    }
}

/// The number of jobs that stand in distributions of that name, of timed blocks.
fn counted(bench: &Bench, variant: &str, reading: &str) -> u64 {
    let rows = bench.rows_with("histograms.csv", &[("variant", variant), ("reading", reading)]);
    rows.iter().map(|row| row["count"].parse::<u64>().unwrap()).sum()
}

#[test]
fn every_way_does_every_job_and_leaves_nothing_behind() {
    for (ways, more) in [
        ("direct", &["--mechanism", "fork,vfork,posix_spawn,clone3-vm,clone3-pidfd"][..]),
        ("zygote", &["--mechanism", "fork,posix_spawn,clone3-pidfd"]),
        ("epoll", &["--mechanism", "fork,posix_spawn,clone3-vm", "--in-flight", "1,8"]),
        ("workers", &["--mechanism", "posix_spawn", "--in-flight", "1,3"]),
        ("thread", &["--mechanism", "thread"]),
        ("pool", &["--mechanism", "thread", "--in-flight", "1,3"]),
    ] {
        let bench = Bench::new();
        run(&bench, &[&["--jobs", "20", "--dispatch", ways], more].concat());
        let variants = bench.variants(&[("workload", "throughput")]);
        assert!(variants.len() >= 3, "{ways}");
        for variant in variants {
            assert_done(&bench, &variant, 20);
            assert!(counted(&bench, &variant, "job_ns") >= 20, "{ways}");
        }
        assert!(bench.rows("events.csv").is_empty(), "{ways}: {:?}", bench.rows("events.csv"));
        bench.assert_nothing_left(Duration::from_secs(1));
    }
}

#[test]
fn several_spawners_share_the_jobs() {
    let bench = Bench::new();
    let kinds = ["--spawners", "1,3", "--spawner-kind", "threads,processes"];
    run(&bench, &[&["--jobs", "20", "--mechanism", "fork,posix_spawn"], &kinds[..]].concat());
    for variant in bench.variants(&[("workload", "throughput")]) {
        assert_done(&bench, &variant, 20);
        assert!(counted(&bench, &variant, "job_ns") >= 20);
    }
    // Spawners that are threads are in a subject of their own: the others have one thread.
    let threads = bench.rows_with("readings.csv", &[("reading", "threads"), ("at", "setup")]);
    assert!(threads.iter().all(|row| row["value"] == "1"), "{threads:?}");
    let launches = bench.rows_with("launches.csv", &[("outcome", "done"), ("launch", "1")]);
    assert_eq!(launches.len(), 2 * 3, "one for each mechanism with threads, one for the rest");
    bench.assert_nothing_left(Duration::from_secs(1));
}

#[test]
fn an_open_loop_counts_waiting_and_sees_when_it_is_too_much() {
    let bench = Bench::new();
    run(&bench, &["--jobs", "60", "--mechanism", "posix_spawn", "--load", "20%,400%"]);
    let of = |load: &str| {
        let settings = format!("load={load}");
        let rows = bench.rows_with("variants.csv", &[("role", "subject")]);
        let row = rows.iter().find(|row| row["settings"].contains(&settings)).unwrap();
        row["variant"].clone()
    };
    let median = |variant: &str, name: &str| {
        let mut values = readings(&bench, variant, name);
        values.sort_unstable();
        values[values.len() / 2]
    };
    let (idle, over) = (of("20%"), of("400%"));
    for variant in [&idle, &over] {
        assert_done(&bench, variant, 60);
        assert_eq!(counted(&bench, variant, "service_ns"), counted(&bench, variant, "response_ns"));
    }
    assert_eq!((median(&idle, "saturated"), median(&over, "saturated")), (0, 1));
    // At four times the capacity the last job waits for three quarters of the batch.
    assert!(median(&over, "least_wait_last_ns") > 3 * median(&over, "least_wait_first_ns"));
    assert!(median(&idle, "interval_ns") > 3 * median(&over, "interval_ns"));
    bench.assert_nothing_left(Duration::from_secs(1));
}

#[test]
fn an_open_loop_of_jobs_at_once_does_all_of_them() {
    for (way, mechanism, in_flight) in [
        ("epoll", "posix_spawn", "4"),
        ("workers", "posix_spawn", "2"),
        ("pool", "thread", "2"),
        ("zygote", "posix_spawn", "1"),
        ("thread", "thread", "1"),
    ] {
        let bench = Bench::new();
        let arguments = ["--dispatch", way, "--mechanism", mechanism, "--in-flight", in_flight];
        run(&bench, &[&["--jobs", "40", "--load", "400/s"], &arguments[..]].concat());
        for variant in bench.variants(&[("role", "subject")]) {
            assert_done(&bench, &variant, 40);
            let lengths = readings(&bench, &variant, "batch_ns");
            // From the first arrival to the last are 39 intervals.
            assert!(lengths.iter().all(|ns| *ns > 39 * 2_500_000), "{way}: {lengths:?}");
        }
    }
}

#[test]
fn what_cannot_be_done_is_told() {
    let bench = Bench::new();
    let way = |more: &[&'static str]| [&["--workload", "throughput"], more].concat();
    refused(&bench, &way(&["--mechanism", "fork", "--dispatch", "pool"]), &["mechanism=thread"]);
    let large = way(&["--mechanism", "fork", "--rss", "1M"]);
    refused(&bench, &large, &["rewrite=none", "a quarter to a third"]);
    refused(&bench, &["--mechanism", "fork", "--jobs", "5"], &["workload=throughput"]);
}

/// Sets a limit of the subject alone: the harness needs more.
fn limited(bench: &Bench, words: &str) -> String {
    bench.script("limited", &format!("{words}\nexec \"$@\""))
}

#[test]
fn descriptors_that_run_out_in_the_middle_are_counted() {
    let bench = Bench::new();
    let prefix = limited(&bench, "ulimit -n 24");
    let work = ["--dispatch", "epoll", "--in-flight", "40", "--mechanism", "posix_spawn"];
    // Children that live long enough for all to be there at once.
    let image = ["--image", "/bin/sleep 0.05", "--jobs", "60", "--prefix", &prefix];
    run(&bench, &[&work[..], &image].concat());
    let variants = bench.variants(&[("role", "subject")]);
    let failed = readings(&bench, &variants[0], "failed_emfile");
    let done = readings(&bench, &variants[0], "jobs");
    assert!(failed.iter().all(|failed| *failed > 0), "{failed:?}");
    assert!(done.iter().all(|done| *done > 0), "{done:?}");
    for none in ["zombies", "leaked_descriptors", "failed_eagain", "failed_other"] {
        assert!(readings(&bench, &variants[0], none).iter().all(|v| *v == 0), "{none}");
    }
    let events = bench.rows_with("events.csv", &[("variant", &variants[0])]);
    assert!(!events.is_empty());
    for event in events {
        assert_eq!(
            (event["event"].as_str(), &event["errno"]),
            ("failed", &libc::EMFILE.to_string())
        );
    }
    bench.assert_nothing_left(Duration::from_secs(1));
}

#[test]
fn processes_that_run_out_in_the_middle_are_counted() {
    if !is_root() {
        return skip("only root can become a user without other processes");
    }
    let bench = Bench::new();
    let work = ["--dispatch", "epoll", "--in-flight", "40", "--mechanism", "vfork,posix_spawn"];
    let image = ["--image", "/bin/sleep 0.05", "--jobs", "60", "--workload", "throughput"];
    let arguments = bench.small(&[&work[..], &image].concat());
    let mut command = bench.public_forkbench(&arguments);
    let user = 1_500_000_000 + std::process::id();
    command.uid(user).gid(user);
    // Harness, keeper, subject, and so many children.
    let limit = libc::rlimit { rlim_cur: 13, rlim_max: 13 };
    let set = move || {
        // SAFETY: the limit lives through the call.
        match unsafe { libc::setrlimit(libc::RLIMIT_NPROC, &limit) } {
            0 => Ok(()),
            _ => Err(std::io::Error::last_os_error()),
        }
    };
    // SAFETY: only makes a system call.
    unsafe { command.pre_exec(set) };
    let said = finish(command);
    assert!(matches!(said.code, Some(0 | 5)), "{said:#?}");
    for variant in bench.variants(&[("role", "subject")]) {
        let failed = readings(&bench, &variant, "failed_eagain");
        let done = readings(&bench, &variant, "jobs");
        assert!(failed.iter().all(|failed| *failed > 0), "{failed:?}");
        assert!(done.iter().all(|done| *done > 0), "{done:?}");
        for none in ["zombies", "leaked_descriptors", "failed_emfile", "failed_other"] {
            assert!(readings(&bench, &variant, none).iter().all(|v| *v == 0), "{none}");
        }
        let events = bench.rows_with("events.csv", &[("variant", &variant)]);
        assert!(!events.is_empty());
        assert!(events.iter().all(|event| event["errno"] == libc::EAGAIN.to_string()));
    }
    bench.assert_nothing_left(Duration::from_secs(1));
}

#[test]
fn a_helper_that_dies_is_an_event_and_no_hang() {
    for (way, mechanism, more) in [
        ("zygote", "posix_spawn", &[][..]),
        ("workers", "posix_spawn", &["--in-flight", "2"]),
        ("direct", "posix_spawn", &["--spawner-kind", "processes", "--spawners", "2"]),
    ] {
        let bench = Bench::new();
        // Long enough to be caught in the middle.
        let work = ["--workload", "throughput", "--dispatch", way, "--mechanism", mechanism];
        let sampling = ["--jobs", "20000", "--launches", "1", "--blocks", "1", "--time", "2s"];
        let arguments = [&["run", "--out", "out"][..], &work, &sampling, more].concat();
        let running = bench.start(bench.forkbench(arguments));
        // Each one as it comes, until there are no more subjects.
        let end = std::time::Instant::now() + Duration::from_secs(30);
        let mut killed = 0;
        while !has_ended(running.pid()) && std::time::Instant::now() < end {
            for helper in bench.processes().into_iter().filter(|pid| is_helper(*pid)) {
                std::thread::sleep(Duration::from_millis(50));
                if is_helper(helper) {
                    signal(helper, "KILL");
                    killed += 1;
                    wait_for("its end", Duration::from_secs(5), || {
                        (!is_helper(helper)).then_some(())
                    });
                }
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        let said = running.finish();
        assert!(said.code.is_some() && killed > 0, "{way}: {said:#?}");
        let events = bench.rows("events.csv");
        let crashed: Vec<_> = events.iter().filter(|event| event["event"] == "crashed").collect();
        assert!(!crashed.is_empty(), "{way}: {events:?}");
        assert_eq!(crashed[0]["evidence"], "the helper was killed by signal 9", "{way}");
        bench.assert_nothing_left(Duration::from_secs(1));
    }
}

/// Whether a process is a helper that lives.
fn is_helper(pid: u32) -> bool {
    let command = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    command.split(|byte| *byte == 0).any(|word| word == b"__helper")
}

/// Whether a child of this process has ended.
fn has_ended(pid: u32) -> bool {
    crate::bench::status(pid, "State").starts_with('Z')
}

#[test]
fn helpers_go_with_their_subject() {
    let bench = Bench::new();
    let work = ["--workload", "throughput", "--dispatch", "workers", "--mechanism", "posix_spawn"];
    let sampling = ["--jobs", "1000000", "--in-flight", "3", "--time", "20s"];
    let arguments = [&["run", "--out", "out"][..], &work, &sampling].concat();
    let running = bench.start(bench.forkbench(arguments));
    let subject = wait_for("a subject with workers", Duration::from_secs(20), || {
        let subject = bench.subject();
        let workers = children(subject).into_iter().filter(|pid| is_helper(*pid)).count();
        (workers >= 3).then_some(subject)
    });
    signal(subject, "KILL");
    running.signal("INT");
    let said = running.finish();
    assert!(said.code.is_some(), "{said:#?}");
    bench.assert_nothing_left(Duration::from_secs(2));
}

#[test]
fn a_thread_that_writes_the_memory_meanwhile_does_so() {
    let bench = Bench::new();
    let parent = ["--rss", "16M", "--threads", "1", "--busy", "rewrite", "--rewrite", "none"];
    let work = ["--jobs", "5", "--mechanism", "fork,posix_spawn"];
    let said = bench.run(&[&["--workload", "throughput"], &parent[..], &work].concat());
    if said.stderr.contains("needs a second") || said.stdout.contains("needs a second") {
        return skip("busy threads need a second processor");
    }
    assert!(matches!(said.code, Some(0 | 5)), "{said:#?}");
    let ran = bench.rows_with("readings.csv", &[("reading", "busy_cpu_ns"), ("at", "block")]);
    assert!(!ran.is_empty() && ran.iter().all(|row| row["value"] != "0"), "{ran:?}");
    refused(&bench, &["--threads", "1", "--busy", "rewrite"], &["busy=rewrite", "rss=64M"]);
}
