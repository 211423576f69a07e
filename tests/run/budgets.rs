//! `forkbench check DIR --claims FILE`: results held against a budget.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::bench::{Bench, Said, finish};

const AT: &str = "at = { mechanism = 'vfork' }\n";

/// A small run with launches enough for an interval; its scenario claims nothing.
fn measured() -> Bench {
    let bench = Bench::new();
    let run = ["run", "--out", "out", "--launches", "6", "--blocks", "2", "--time", "2s"];
    let rest = ["--seed", "1", "--quiet", "--mechanism", "vfork,posix_spawn"];
    finish(bench.forkbench([&run[..], &rest].concat())).expect(0, &[]);
    bench
}

/// A budget that says this, held against the run.
fn held(bench: &Bench, budget: &str, more: &[&str]) -> Said {
    fs::write(bench.path("budget.toml"), budget).unwrap();
    let check = ["check", "out", "--allow-debug-build", "--claims", "budget.toml"];
    finish(bench.forkbench([&check[..], more].concat()))
}

fn claim(name: &str, rest: &str) -> String {
    format!("[[claim]]\nname = '{name}'\n{rest}\n")
}

fn verdict(bench: &Bench) -> Value {
    let text = fs::read_to_string(bench.out().join("verdict.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

#[test]
fn a_budget_that_is_kept_is_fine_and_one_that_is_not_is_a_failure() {
    let bench = measured();
    let minute = claim("a minute", &format!("value = 'blocked.p50'\n{AT}at-most = '60s'"));
    let said = held(&bench, &minute, &[]);
    said.expect(0, &[]);
    assert!(said.stdout.contains("HOLDS 1, FAILS 0, UNCLEAR 0, NOT SHOWN 0 (exit 0)"), "{said:#?}");

    let nanosecond = claim("a nanosecond", &format!("value = 'blocked.p50'\n{AT}at-most = '1ns'"));
    let said = held(&bench, &(minute + &nanosecond), &["--format", "json"]);
    said.expect(3, &["forkbench: HOLDS 1, FAILS 1"]);
    let verdict = verdict(&bench);
    assert_eq!(serde_json::from_str::<Value>(&said.stdout).unwrap(), verdict);
    assert_eq!((&verdict["exit_code"], &verdict["budget"]), (&3.into(), &"budget.toml".into()));
    assert_eq!(verdict["rows"][1]["scenario"], "budget.toml");
}

#[test]
fn what_the_run_does_not_have_is_not_shown_with_the_reason() {
    let bench = measured();
    let absent = "value = 'blocked.p50'\nat = { mechanism = 'vfork', rss = '1G' }\nat-most = '1s'";
    let several = "value = 'blocked.p50'\nat = { rss = 0 }\nat-most = '1s'";
    let budget = claim("absent", absent) + &claim("several", several);
    let said = held(&bench, &budget, &[]);
    said.expect(0, &[]);
    let why = |row: usize| verdict(&bench)["rows"][row]["why"].as_str().unwrap().to_owned();
    assert_eq!(why(0), "no variant of this run has mechanism=vfork rss=1GiB; its rss is 0");
    assert_eq!(why(1), "rss=0 matches 2 variants; say which mechanism");
    held(&bench, &budget, &["--strict"]).expect(4, &[]);
}

#[test]
fn the_example_is_a_budget_for_the_run_that_it_names() {
    let bench = measured();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/budget.toml");
    held(&bench, &fs::read_to_string(path).unwrap(), &[]);
    let rows = verdict(&bench)["rows"].as_array().unwrap().clone();
    assert_eq!(rows.len(), 3);
    for row in &rows {
        // Where no counter may be opened there is no count; how long things take is not the point.
        assert!(row["verdict"] != "NOT SHOWN" || row["unit"] == "count", "{row}");
    }
    assert!(rows[2]["verdict"] != "FAILS", "{}", rows[2]);
}

#[test]
fn an_axis_and_the_gate_of_a_check_can_be_held_against_a_budget() {
    let bench = Bench::new();
    let check = ["check", "--base", "mechanism=vfork", "--cand", "mechanism=posix_spawn"];
    let rest = ["--out", "out", "--launches", "6", "--blocks", "2", "--seed", "1", "--quiet"];
    finish(bench.forkbench([&check[..], &rest, &["--allow-debug-build"]].concat()));
    let ratio = "ratio = 'blocked.p50'\nat = { mechanism = 'posix_spawn' }\n\
                 to = { mechanism = 'vfork' }\nat-most = 1000";
    let said = held(&bench, &claim("within 1000 times", ratio), &[]);
    said.expect(0, &[]);
    assert!(said.stdout.contains("HOLDS      within 1000 times: "), "{said:#?}");
}

#[test]
fn a_budget_that_is_not_understood_is_wrong_usage_and_says_where() {
    let bench = measured();
    let unknown = claim("a", "valu = 'blocked.p50'");
    for (budget, wanted) in [
        (unknown.as_str(), "budget.toml:3:1: unknown key `valu`; did you mean `value`?"),
        ("", "budget.toml: it claims nothing"),
        ("about = 'x'\n", "budget.toml:1:1: unknown key `about` (allowed are claim)"),
        ("[[claim]]\nname = 'a\n", "budget.toml:2:"),
    ] {
        held(&bench, budget, &[]).expect(2, &[wanted]);
        assert!(!bench.out().join("verdict.json").exists(), "{budget}");
    }
    let check = |arguments: &[&str]| finish(bench.forkbench([&["check"], arguments].concat()));
    check(&["out", "--claims", "nowhere.toml"]).expect(2, &["nowhere.toml cannot be read"]);
    check(&["--claims", "budget.toml"]).expect(2, &[]);
    check(&["nowhere", "--claims", "budget.toml"]).expect(2, &[]);
}

#[test]
fn a_directory_without_samples_is_not_judged() {
    let bench = measured();
    let path = bench.out().join("blocks.csv");
    let header = fs::read_to_string(&path).unwrap().lines().next().unwrap().to_owned();
    fs::write(&path, header + "\n").unwrap();
    let minute = claim("a minute", &format!("value = 'blocked.p50'\n{AT}at-most = '60s'"));
    held(&bench, &minute, &[]).expect(5, &["nothing was measured"]);
}
