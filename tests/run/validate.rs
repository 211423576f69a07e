//! `forkbench validate`: checks whose truth is known, kept, and gone on with.

use std::fs;
use std::time::{Duration, Instant};

use crate::bench::{Bench, finish, wait_for};

/// The smallest validation that has a check of nothing and one of a slowdown.
const SMALL: [&str; 13] = [
    "validate",
    "--out",
    "out",
    "--quick",
    "--mechanism",
    "vfork",
    "--aa",
    "1",
    "--seeded",
    "1",
    "--time",
    "500ms",
    "--quiet",
];

#[test]
fn a_validation_keeps_each_check_and_tells_the_rates() {
    let bench = Bench::new();
    let said = finish(bench.forkbench(SMALL));
    said.expect(0, &[]);
    for word in ["same, vfork", "+10 %, same, vfork", "blocked.p50", "REGRESSED"] {
        assert!(said.stdout.contains(word), "{said:#?}");
    }
    let report = fs::read_to_string(bench.out().join("validation.md")).unwrap();
    assert_eq!(said.stdout, report);
    let summary = fs::read_to_string(bench.out().join("summary.csv")).unwrap();
    assert_eq!(summary.lines().next().unwrap().split(',').count(), 21);
    let checks = fs::read_to_string(bench.out().join("checks.csv")).unwrap();
    assert!(checks.lines().count() > 2 && !checks.contains("NaN"), "{checks}");
    // Each is a check like any other.
    let again = finish(bench.forkbench(["check", "out/same-vfork/0000", "--allow-debug-build"]));
    assert!(again.stdout.contains("blocked.p50"), "{again:#?}");
    // What is finished is told again, and nothing is measured.
    let begun = Instant::now();
    let resumed = finish(bench.forkbench(["validate", "--resume", "out", "--quiet"]));
    assert_eq!(resumed.stdout, said.stdout);
    assert!(begun.elapsed() < Duration::from_secs(60));
}

#[test]
fn an_interrupted_validation_goes_on_where_it_was() {
    let bench = Bench::new();
    let more = ["validate", "--out", "out", "--quick", "--mechanism", "vfork", "--aa", "3"];
    let running =
        bench.start(bench.forkbench([&more[..], &["--seeded", "0", "--time", "3s"]].concat()));
    let checks = bench.out().join("checks.csv");
    wait_for("the first check", Duration::from_secs(50), || checks.is_file().then_some(()));
    running.signal("INT");
    running.finish().expect(130, &["interrupted", "forkbench validate --resume out"]);
    bench.assert_nothing_left(Duration::from_secs(1));
    let kept = fs::read_to_string(&checks).unwrap();
    finish(bench.forkbench(["validate", "--resume", "out", "--quiet"])).expect(0, &[]);
    let all = fs::read_to_string(&checks).unwrap();
    assert!(all.starts_with(&kept) && all.len() > kept.len(), "{all}");
}

#[test]
fn what_cannot_be_validated_is_refused_before_anything_runs() {
    let bench = Bench::new();
    for (args, word) in [
        (&["validate", "--mechanism", "vfrok", "--quick"][..], "vfrok"),
        (&["validate", "--resume", "nowhere"], "validate.toml"),
        (&["validate", "--design", "moon"], "moon"),
    ] {
        let said = finish(bench.forkbench(args));
        said.expect(2, &[]);
        assert!(said.stderr.contains(word), "{said:#?}");
    }
    fs::create_dir(bench.out()).unwrap();
    fs::write(bench.out().join("mine"), "").unwrap();
    let said = finish(bench.forkbench(SMALL));
    said.expect(2, &[]);
    assert!(said.stderr.contains("--resume"), "{said:#?}");
}

#[test]
fn the_report_is_what_its_checks_say() {
    let bench = Bench::new();
    let project = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let kept = project.join("results/reference/validation");
    fs::create_dir(bench.out()).unwrap();
    for file in ["validate.toml", "checks.csv"] {
        fs::copy(kept.join(file), bench.out().join(file)).unwrap();
    }
    finish(bench.forkbench(["validate", "--resume", "out", "--quiet"])).expect(0, &[]);
    let made = fs::read_to_string(bench.out().join("validation.md")).unwrap();
    let report = fs::read_to_string(project.join("reports/validation.md")).unwrap();
    assert!(report.ends_with(&made), "run: forkbench validate --resume {}", kept.display());
}
