//! Pipelines: every byte arrives, every stage is waited for, and a leaked end is found.

use std::fs;
use std::time::Duration;

use crate::bench::{Bench, Row, median, refused};

const PATIENCE: Duration = Duration::from_secs(20);
const MECHANISMS: &str = "fork,vfork,posix_spawn,clone3,clone3-vm,clone3-pidfd,thread";

/// The values that were noted, each once.
fn values(bench: &Bench, reading: &str, wanted: &[(&str, &str)]) -> Vec<u64> {
    let noted = bench.noted(reading, wanted).into_iter();
    let mut values: Vec<u64> = noted.map(|noted| noted.value).collect();
    values.sort_unstable();
    values.dedup();
    values
}

#[test]
fn every_byte_arrives_and_every_stage_is_waited_for() {
    let bench = Bench::new();
    let said = bench.run(&[
        "--workload",
        "pipeline",
        "--mechanism",
        MECHANISMS,
        "--stages",
        "1,2,5,16",
        "--pipe-bytes",
        "200000",
    ]);
    said.expect(0, &[]);
    for mechanism in MECHANISMS.split(',') {
        let of = [("mechanism", mechanism), ("workload", "pipeline")];
        if bench.variants(&of).is_empty() || bench.timed(&of).is_empty() {
            // clone3 is not everywhere.
            assert!(mechanism.starts_with("clone3"), "{mechanism} was not measured");
            continue;
        }
        assert_eq!(values(&bench, "through_bytes", &of), [200_000], "{mechanism}");
        assert!(values(&bench, "first_byte_ns", &of).len() > 1, "{mechanism}");
        for row in bench.timed(&of) {
            let at = |column: &str| row[column].parse::<u64>().unwrap();
            assert!(at("blocked_ns") <= at("reaped_ns"), "{row:?}");
        }
    }
    assert_eq!(values(&bench, "eof_missing", &[("workload", "pipeline")]), [0]);
    assert!(bench.rows("events.csv").is_empty(), "{:?}", bench.rows("events.csv"));
    bench.assert_nothing_left(PATIENCE);
}

#[test]
fn more_stages_take_longer() {
    let bench = Bench::new();
    let stages = ["--workload", "pipeline", "--mechanism", "posix_spawn", "--stages", "1,16"];
    bench.run(&stages).expect(0, &[]);
    let reaped = |settings: &str| {
        let numbers: Vec<String> = bench
            .rows("variants.csv")
            .into_iter()
            .filter(|row| row["role"] == "subject" && row["settings"].contains(settings))
            .map(|row| row["label"].clone())
            .collect();
        median(&bench.timed(&[("label", &numbers[0])]), "reaped_ns")
    };
    assert!(reaped("stages=16") > 2 * reaped("stages=1"));
}

#[test]
fn the_last_stage_writes_a_file_itself() {
    let bench = Bench::new();
    let file = ["--workload", "pipeline", "--sink", "file", "--stages", "1,3"];
    bench.run(&[&file[..], &["--mechanism", "fork,posix_spawn"]].concat()).expect(0, &[]);
    let of = [("workload", "pipeline")];
    assert_eq!(values(&bench, "through_bytes", &of), [64 << 10]);
    assert!(bench.noted("first_byte_ns", &of).is_empty(), "nothing is read");
    assert!(bench.rows("events.csv").is_empty());
    bench.assert_nothing_left(PATIENCE);
}

#[test]
fn programs_of_the_user_are_stages() {
    let bench = Bench::new();
    let cat = ["/bin/cat", "/usr/bin/cat"].into_iter().find(|path| fs::metadata(path).is_ok());
    let Some(cat) = cat else { return println!("skipped: there is no cat here") };
    bench.run(&["--workload", "pipeline", "--image", cat]).expect(0, &[]);
    assert_eq!(values(&bench, "through_bytes", &[("workload", "pipeline")]), [64 << 10]);
}

#[test]
fn ends_that_were_leaked_are_found_and_the_stages_ended() {
    let bench = Bench::new();
    let said = bench.run(&[
        "--workload",
        "pipeline",
        "--pipe-ends",
        "closed,leaked",
        "--mechanism",
        "fork,posix_spawn",
    ]);
    said.expect(0, &[]);
    for row in bench.rows("variants.csv") {
        if row["workload"] != "pipeline" || row["role"] == "reference" {
            continue;
        }
        let leaked = row["settings"].contains("leaked");
        let missing = values(&bench, "eof_missing", &[("label", &row["label"])]);
        assert_eq!(missing, [u64::from(leaked)], "{}", row["label"]);
        let events = bench.rows_with("events.csv", &[("variant", &row["variant"])]);
        let proven: Vec<&Row> =
            events.iter().filter(|event| event["event"] == "hung-proven").collect();
        assert_eq!(!proven.is_empty(), leaked, "{events:?}");
        for event in proven {
            assert!(event["evidence"].contains("as descriptor"), "{event:?}");
            assert_ne!(event["pid"], "");
        }
    }
    bench.assert_nothing_left(PATIENCE);
}

#[test]
fn a_stage_that_dies_is_an_event() {
    let bench = Bench::new();
    // It reads nothing, so that its writer is killed by SIGPIPE.
    let dying = bench.script("dying", "kill -9 $$");
    bench.run(&["--workload", "pipeline", "--pipe-bytes", "1M", "--image", &dying]);
    let events = bench.rows("events.csv");
    let signals = ["killed by signal 9", "killed by signal 13"];
    let crashed = |event: &&Row| signals.iter().any(|s| event["evidence"].contains(s));
    assert!(events.iter().filter(crashed).count() > 0, "{events:?}");
    bench.assert_nothing_left(PATIENCE);
}

#[test]
fn what_no_pipeline_can_be_is_refused() {
    let bench = Bench::new();
    for (arguments, texts) in [
        (&["--stages", "4"][..], &["stages=4", "workload=pipeline"][..]),
        (&["--workload", "pipeline", "--stages", "17"], &["`17`", "1 to 16"]),
        (&["--workload", "pipeline", "--pipe-bytes", "0"], &["pipe-bytes", "from 1"]),
        (&["--workload", "pipeline", "--image", "exit"], &["image=exit"]),
        (
            &["--workload", "pipeline", "--mechanism", "thread", "--sink", "file"],
            &["channels", "sink=file"],
        ),
        (&["--workload", "pipeline", "--pipe-ends", "leaked", "--stages", "1"], &["stages of 2"]),
    ] {
        refused(&bench, arguments, texts);
    }
}
