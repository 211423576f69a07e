//! `forkbench check` and `show --at`: verdicts from the files alone, and their exit codes.

use std::fs;

use serde_json::Value;
use toml::Table;

use crate::bench::{Bench, Said, finish};

/// The mechanism is measured, so this holds of any run.
const HOLDS: &str = "name = 'vfork takes less than a minute'\n\
                     kind = 'value'\nof = 'blocked.p50'\n\
                     at = [{ knob = 'mechanism', value = 'vfork' }]\nat_most = 6e10\n";

/// No process is made in a nanosecond.
const FAILS: &str = "name = 'vfork takes a nanosecond'\n\
                     kind = 'value'\nof = 'blocked.p50'\n\
                     at = [{ knob = 'mechanism', value = 'vfork' }]\nat_most = 1.0\n";

/// No such variant is in the run.
const NOT_SHOWN: &str = "name = 'a gigabyte'\n\
                         kind = 'value'\nof = 'blocked.p50'\n\
                         at = [{ knob = 'mechanism', value = 'vfork' }, { knob = 'rss', value = '1GiB' }]\n\
                         at_most = 1e9\n";

/// A small run with launches enough for an interval, which claims this.
fn claiming(claims: &[&str]) -> Bench {
    let bench = Bench::new();
    let said = finish(bench.forkbench([
        "run",
        "--out",
        "out",
        "--launches",
        "6",
        "--blocks",
        "2",
        "--time",
        "2s",
        "--seed",
        "1",
        "--quiet",
        "--mechanism",
        "vfork",
    ]));
    said.expect(0, &[]);
    seed(&bench, claims);
    bench
}

/// Puts claims into the plan of a run, in place of those it has.
fn seed(bench: &Bench, claims: &[&str]) {
    let path = bench.out().join("plan.toml");
    let mut plan: Table = fs::read_to_string(&path).unwrap().parse().unwrap();
    let scenario = plan["scenarios"].as_array_mut().unwrap()[0].as_table_mut().unwrap();
    let claims = claims.iter().map(|claim| claim.parse::<Table>().unwrap().into()).collect();
    scenario.insert("claims".to_owned(), toml::Value::Array(claims));
    fs::write(&path, plan.to_string()).unwrap();
}

/// Checks the results of a debug build, as the tests make them.
fn check(bench: &Bench, more: &[&str]) -> Said {
    finish(bench.forkbench([&["check", "out", "--allow-debug-build"][..], more].concat()))
}

fn verdict(bench: &Bench) -> Value {
    let text = fs::read_to_string(bench.out().join("verdict.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// What `check` writes agrees with how it ends and with what it prints last.
#[track_caller]
fn assert_ends(bench: &Bench, said: &Said, code: i32, counts: &str) {
    said.expect(code, &[]);
    let last = said.stdout.lines().last().unwrap_or_default();
    assert_eq!(last, format!("forkbench: {counts} (exit {code})"), "{said:#?}");
    let verdict = verdict(bench);
    assert_eq!(verdict["schema"], "forkbench.verdict/1");
    assert_eq!(verdict["exit_code"], code);
}

#[test]
fn a_claim_that_holds_is_fine() {
    let bench = claiming(&[HOLDS]);
    let said = check(&bench, &[]);
    assert_ends(&bench, &said, 0, "HOLDS 1, FAILS 0, UNCLEAR 0, NOT SHOWN 0");
    let row = &verdict(&bench)["rows"][0];
    assert_eq!((&row["verdict"], &row["unit"]), (&"HOLDS".into(), &"ns".into()));
    let bound = |name: &str| row[name].as_f64().unwrap();
    assert!(bound("low") <= bound("value") && bound("value") <= bound("high"), "{row}");
}

#[test]
fn a_claim_that_fails_is_a_failure() {
    let bench = claiming(&[HOLDS, FAILS, NOT_SHOWN]);
    let said = check(&bench, &[]);
    assert_ends(&bench, &said, 3, "HOLDS 1, FAILS 1, UNCLEAR 0, NOT SHOWN 1");
    assert!(said.stdout.contains("FAILS      vfork takes a nanosecond: "), "{said:#?}");
    // A failure is one, however strict.
    check(&bench, &["--strict"]).expect(3, &[]);

    let json = check(&bench, &["--format", "json"]);
    json.expect(3, &["forkbench: HOLDS 1, FAILS 1"]);
    let printed: Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(printed, verdict(&bench));
    // `show` tells the same, and how it ends is its own affair.
    let shown = finish(bench.forkbench(["show", "out"]));
    shown.expect(0, &[]);
    assert!(shown.stdout.contains("FAILS      vfork takes a nanosecond: "), "{shown:#?}");
}

#[test]
fn what_is_not_shown_fails_under_strict_alone() {
    let bench = claiming(&[HOLDS, NOT_SHOWN]);
    assert_ends(&bench, &check(&bench, &[]), 0, "HOLDS 1, FAILS 0, UNCLEAR 0, NOT SHOWN 1");
    let said = check(&bench, &["--strict"]);
    assert_ends(&bench, &said, 4, "HOLDS 1, FAILS 0, UNCLEAR 0, NOT SHOWN 1");
    assert_ne!(verdict(&bench)["rows"][1]["why"], "");
}

#[test]
fn a_run_without_claims_is_not_judged() {
    let bench = claiming(&[]);
    let said = check(&bench, &[]);
    assert_ends(&bench, &said, 5, "HOLDS 0, FAILS 0, UNCLEAR 0, NOT SHOWN 0");
    said.expect(5, &["no claims: "]);
    assert!(verdict(&bench)["reason"].as_str().unwrap().starts_with("no claims"));
}

#[test]
fn results_of_a_debug_build_are_refused() {
    let bench = claiming(&[HOLDS]);
    let path = bench.out().join("environment.toml");
    let environment = fs::read_to_string(&path).unwrap();
    let debug = environment.replace("build_profile = \"release\"", "build_profile = \"debug\"");
    fs::write(&path, debug).unwrap();
    let said = finish(bench.forkbench(["check", "out"]));
    said.expect(5, &["debug build", "--allow-debug-build"]);
}

#[test]
fn a_run_that_measured_nothing_is_not_judged() {
    let bench = claiming(&[HOLDS]);
    let path = bench.out().join("blocks.csv");
    let header = fs::read_to_string(&path).unwrap().lines().next().unwrap().to_owned();
    fs::write(&path, header + "\n").unwrap();
    check(&bench, &[]).expect(5, &["nothing was measured"]);
    assert_eq!(verdict(&bench)["exit_code"], 5);
}

#[test]
fn what_is_no_directory_is_wrong_usage() {
    let bench = Bench::new();
    finish(bench.forkbench(["check", "nowhere"])).expect(2, &["nowhere is no directory"]);
}

#[test]
fn a_verdict_that_cannot_be_written_is_a_failure() {
    let bench = claiming(&[]);
    // A directory of that name stands in the way, of root too.
    fs::create_dir(bench.out().join("verdict.json")).unwrap();
    let said = check(&bench, &[]);
    said.expect(1, &["the verdict is not kept", "verdict.json"]);
}

/// Four small parents in six launches: enough for a law of the caller's time, whatever it is.
fn sweep() -> Bench {
    let bench = Bench::new();
    let said = finish(bench.forkbench([
        "run",
        "--out",
        "out",
        "--launches",
        "6",
        "--blocks",
        "2",
        "--time",
        "5s",
        "--seed",
        "1",
        "--quiet",
        "--mechanism",
        "fork",
        "--rss",
        "0,2M,4M,8M",
    ]));
    said.expect(0, &[]);
    bench
}

#[test]
fn a_law_is_told_drawn_and_applied() {
    let bench = sweep();
    let shown = finish(bench.forkbench(["show", "out"]));
    shown.expect(0, &[]);
    assert!(shown.stdout.contains("Along rss, from 0 to 8MiB: 4 points"), "{shown:#?}");
    assert!(bench.out().join("plots/law-rss.svg").exists());

    let beyond = finish(bench.forkbench(["show", "out", "--at", "rss=1G", "--at", "rss=3M"]));
    beyond.expect(0, &[]);
    assert!(
        beyond.stdout.contains("rss=1GiB") && beyond.stdout.contains("rss=3MiB"),
        "{beyond:#?}"
    );
    let json = finish(bench.forkbench(["show", "out", "--at", "rss=1G", "--format", "json"]));
    let json: Value = serde_json::from_str(&json.stdout).unwrap();
    let row = &json["applied"][0]["rows"][0];
    assert_eq!(row["series"], "fork");
    // A neighbour's noise may bend four small parents, and then there is no line.
    if row["kind"].is_null() {
        assert!(row["text"].as_str().unwrap().starts_with("no line: "), "{row}");
    } else {
        assert_eq!(row["kind"], "extrapolated");
        let bound = |name: &str| row[name].as_f64().unwrap();
        assert!(bound("low_ns") <= bound("value_ns") && bound("value_ns") <= bound("high_ns"));
        let beyond = &beyond.stdout;
        assert!(beyond.contains("extrapolated, beyond what was measured, 0 to 8MiB"), "{beyond}");
        assert!(beyond.contains("interpolated"), "{beyond}");
    }

    finish(bench.forkbench(["show", "out", "--at", "fds=10"]))
        .expect(2, &["fds is no axis", "rss"]);
}

#[test]
fn a_value_that_no_law_can_be_asked_about_is_wrong_usage() {
    let bench = claiming(&[]);
    for (at, text) in [
        ("rs=1G", "did you mean `rss`?"),
        ("rss=much", "rss"),
        ("rss", "KNOB=VALUE"),
        ("mechanism=fork", "words"),
        ("rss=1G", "has no law"),
    ] {
        finish(bench.forkbench(["show", "out", "--at", at])).expect(2, &[text]);
    }
    let csv = ["show", "out", "--at", "rss=1G", "--format", "csv"];
    finish(bench.forkbench(csv)).expect(2, &["--format table or json"]);
}
