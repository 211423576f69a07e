//! What is printed where, and exit codes.

use std::process::{Command, Stdio};

use crate::bench::{Bench, Said, finish};

#[test]
fn standard_output_carries_results_only() {
    let bench = Bench::new();
    let csv = bench.run(&["--mechanism", "vfork", "--format", "csv"]);
    csv.expect(0, &["stopped", "results"]);
    let mut reader = csv::Reader::from_reader(csv.stdout.as_bytes());
    let rows: Vec<csv::StringRecord> = reader.records().map(|row| row.unwrap()).collect();
    assert!(rows.iter().any(|row| row.iter().any(|cell| cell == "vfork")), "{csv:?}");
    // What is printed at the end is what the directory shows later.
    let shown = finish(bench.forkbench(["show", "out", "--format", "csv"]));
    shown.expect(0, &[]);
    assert_eq!(shown.stdout, csv.stdout);
    assert_eq!(shown.stderr, "");

    let json = finish(bench.forkbench(["show", "out", "--format", "json"]));
    json.expect(0, &[]);
    serde_json::from_str::<serde_json::Value>(&json.stdout).unwrap();
}

#[test]
fn a_quiet_run_says_nothing_but_its_results() {
    let bench = Bench::new();
    let said = bench.run(&["--mechanism", "vfork", "--quiet"]);
    said.expect(0, &[]);
    assert_eq!(said.stderr, "");
    assert!(said.stdout.contains("vfork") && !said.stdout.contains('\u{1b}'), "{said:?}");
}

/// Runs a command whose standard output is closed before it writes.
fn into_nothing(mut command: Command) -> Said {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    Said {
        code: output.status.code(),
        stdout: String::new(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

#[test]
fn a_reader_who_has_seen_enough_is_no_failure() {
    let bench = Bench::new();
    let run = bench.small(&["--quiet", "--mechanism", "vfork"]);
    let said = into_nothing(bench.forkbench(run));
    said.expect(0, &[]);
    assert_eq!(said.stderr, "");
    for arguments in [
        &["show", "out"][..],
        &["show", "out", "--format", "csv"],
        &["show", "out", "--format", "json"],
        &["list"],
        &["man"],
        &["completions", "bash"],
        &["run", "--help"],
    ] {
        let said = into_nothing(bench.forkbench(arguments));
        assert_eq!((said.code, said.stderr.as_str()), (Some(0), ""), "{arguments:?}");
    }
}

#[test]
fn a_failure_is_one_whoever_reads() {
    let bench = Bench::new();
    let image = "/bin/sh -c 'exit 3'";
    let run = bench.small(&["--mechanism", "fork", "--image", image]);
    into_nothing(bench.forkbench(run)).expect(1, &["no sample of fork"]);
}

#[test]
fn the_control_alone_can_be_measured() {
    let bench = Bench::new();
    bench.run(&["--mechanism", "none"]).expect(0, &[]);
    assert!(!bench.timed(&[("mechanism", "none")]).is_empty());
}

#[test]
fn verifying_keeps_nothing() {
    let bench = Bench::new();
    let said = bench.run(&["--verify", "--rss", "4M", "--mechanism", "fork,vfork"]);
    said.expect(0, &[]);
    assert!(said.stdout.lines().all(|line| line.contains("ok, ")), "{said:?}");
    assert!(!bench.out().exists());
    let image = "/bin/sh -c 'exit 3'";
    let said = bench.run(&["--verify", "--mechanism", "fork", "--image", image]);
    said.expect(1, &[]);
    assert!(said.stdout.contains("FAILED"), "{said:?}");
    bench.assert_nothing_left(std::time::Duration::from_secs(1));
}
