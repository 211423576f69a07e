//! What becomes of the other threads of a process while one of them spawns.

use std::collections::BTreeMap;

use crate::bench::{Bench, Row, finish, refused, skip};
use crate::threads::{how_many, processors};

fn number(row: &Row, column: &str) -> u64 {
    row[column].parse().unwrap()
}

/// The values of a reading in timed blocks, one for each sample, in order.
fn values(bench: &Bench, mechanism: &str, reading: &str) -> Vec<u64> {
    let timed = bench.rows_with("blocks.csv", &[("kind", "time")]);
    let mut values = Vec::new();
    for noted in bench.noted(reading, &[("mechanism", mechanism), ("role", "subject")]) {
        let row = &noted.row;
        let is_timed = timed
            .iter()
            .any(|block| (&block["launch"], &block["block"]) == (&row["launch"], &row["block"]));
        if is_timed {
            values.extend((0..noted.spawns).map(|_| noted.value));
        }
    }
    values.sort_unstable();
    values
}

#[test]
fn a_bystander_stands_still_for_a_fork_and_not_for_a_vfork() {
    if how_many(&processors()) < 2 {
        return skip("bystanders need a second processor");
    }
    let bench = Bench::new();
    let arguments = ["--workload", "stall", "--rss", "128M", "--threads", "1", "--busy", "fault"];
    let arguments = [&arguments[..], &["--mechanism", "fork,vfork", "--vs", "vfork"]].concat();
    finish(bench.forkbench(bench.larger(&arguments))).expect(0, &[]);
    for mechanism in ["fork", "vfork"] {
        let samples = bench.timed(&[("mechanism", mechanism), ("role", "subject")]).len();
        assert_eq!(values(&bench, mechanism, "longest_ns").len(), samples, "{mechanism}");
        assert_eq!(values(&bench, mechanism, "frozen_ns").len(), samples, "{mechanism}");
    }
    // Where others have the bystander's processor it may sleep through a fork: not through all.
    let of_fork = *values(&bench, "fork", "longest_ns").last().unwrap();
    let of_vfork = values(&bench, "vfork", "longest_ns");
    let of_vfork = of_vfork[of_vfork.len() / 2];
    assert!(of_fork > 3 * of_vfork, "{of_fork} {of_vfork}");
    assert!(values(&bench, "fork", "frozen_ns").iter().any(|frozen| *frozen > 0));

    // Every operation is in the distribution of its block, once.
    type Counts = BTreeMap<(String, String, String), u64>;
    let mut operations = Counts::new();
    let key = |row: &Row| (row["launch"].clone(), row["block"].clone(), row["variant"].clone());
    for row in bench.rows_with("readings.csv", &[("reading", "operations")]) {
        *operations.entry(key(&row)).or_default() += number(&row, "value");
    }
    operations.retain(|_, count| *count > 0);
    let mut counted = Counts::new();
    for row in bench.rows_with("histograms.csv", &[("reading", "bystander_ns")]) {
        assert!(number(&row, "low_ns") <= number(&row, "high_ns"), "{row:?}");
        *counted.entry(key(&row)).or_default() += number(&row, "count");
    }
    assert!(!counted.is_empty());
    assert_eq!(counted, operations);
}

#[test]
fn every_operation_is_timed_by_more_bystanders_than_processors() {
    if how_many(&processors()) < 2 {
        return skip("bystanders need a second processor");
    }
    let bench = Bench::new();
    let kinds = "spin,malloc,fault,mmap,clock,futex";
    let threads = (how_many(&processors()) + 1).to_string();
    let arguments = ["--workload", "stall", "--threads", &threads, "--busy", kinds];
    bench.run(&[&arguments[..], &["--mechanism", "vfork"]].concat()).expect(0, &[]);
    let launches = bench.rows("launches.csv");
    assert!(launches.iter().all(|row| row["outcome"] == "done"), "{launches:?}");
    for kind in kinds.split(',') {
        let wanted = format!("busy={kind};");
        let variants = bench.rows("variants.csv");
        let mut of_kind = variants.iter().filter(|row| row["settings"].contains(&wanted));
        assert!(
            of_kind.all(|row| {
                let wanted = [("variant", row["variant"].as_str()), ("reading", "bystander_ns")];
                !bench.rows_with("histograms.csv", &wanted).is_empty()
            }),
            "{kind}: {variants:?}"
        );
    }
}

#[test]
fn without_bystanders_there_is_nothing_to_watch() {
    let bench = Bench::new();
    let asked = ["--workload", "stall", "--mechanism", "vfork"];
    refused(&bench, &asked, &["watches busy threads", "threads=1 busy=fault"]);
    refused(&bench, &[&asked[..], &["--threads", "2"]].concat(), &["threads=1 busy=fault"]);
}
