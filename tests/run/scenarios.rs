//! Scenarios: files and names on the command line, what is refused, what a plan keeps of them.

use std::fs;

use crate::bench::{Bench, finish, refused};

const SMALL: &str = "\
about = \"a small one\"
rss = [0, \"1M\"]
mechanism = [\"vfork\", \"posix_spawn\"]

[[claim]]
name = \"flat\"
flat = \"blocked.p50\"
at = { mechanism = \"vfork\" }
over = \"rss\"
";

const OTHER: &str = "\
about = \"another one\"
fds = [0, 50]
mechanism = [\"vfork\", \"fork\"]
contrast = { mechanism = \"vfork\" }
";

#[test]
fn a_bad_file_is_told_with_line_column_and_what_is_meant() {
    let bench = Bench::new();
    for (text, wanted) in [
        ("about = 'x'\nmechansim = 'fork'\n", ["bad.toml:2:1", "did you mean `mechanism`"]),
        ("about = 'x'\nrss = []\n", ["bad.toml:2:7", "`rss` is an empty list"]),
        ("about = 'x'\nrss = true\n", ["bad.toml:2:7", "a text or a number"]),
        ("about = 'x'\nfds = [1,\n", ["bad.toml:", "error"]),
        ("about = 'x'\nmechanism = 'frok'\n", ["bad.toml: ", "did you mean `fork`"]),
        ("about = 'x'\nmemory = 'shmem'\npage = 'thp'\nrss = '2M'\n", ["page=thp", "memory=anon"]),
        (
            "about = 'x'\n[[claim]]\nname = 'c'\nvalue = 'blocked.p50'\nat = { rss = '1M' }\nat-most = '1s'\n",
            ["the claim `c`", "measures nothing with rss=1MiB"],
        ),
    ] {
        fs::write(bench.path("bad.toml"), text).unwrap();
        refused(&bench, &["bad.toml"], &wanted);
    }
    refused(&bench, &["rsss"], &["`rsss`", "did you mean `rss`", "list scenarios"]);
    refused(&bench, &["./missing.toml"], &["./missing.toml", "No such file"]);
}

#[test]
fn what_would_be_too_much_is_counted_and_refused() {
    let bench = Bench::new();
    let list: Vec<String> = (1..=100).map(|n| n.to_string()).collect();
    let list = list.join(",");
    let arguments = ["--fds", &list, "--vmas", &list, "--mechanism", "fork"];
    refused(&bench, &arguments, &["multiply to 10000 variants", "--most-variants 10000"]);
    fs::write(bench.path("huge.toml"), "about = 'x'\nrss = '1000T'\n").unwrap();
    refused(&bench, &["huge.toml"], &["rss=1000TiB", "can be had", "ask for less"]);
    let exits = "about = 'x'\nmechanism = 'posix_spawn'\nimage = 'exit'\n";
    fs::write(bench.path("exits.toml"), exits).unwrap();
    refused(&bench, &["exits.toml"], &["nothing can be measured", "posix_spawn", "exit"]);
    let needs = "about = 'x'\n[requires]\ncpus = 1000000\n";
    fs::write(bench.path("needs.toml"), needs).unwrap();
    refused(&bench, &["needs.toml"], &["nothing can be measured", "1000000 processors"]);
}

#[test]
fn scenarios_of_one_run_are_interleaved_and_kept_in_its_plan() {
    let bench = Bench::new();
    fs::write(bench.path("small.toml"), SMALL).unwrap();
    fs::write(bench.path("other.toml"), OTHER).unwrap();
    let needs = "about = 'x'\nmechanism = 'clone3-vm'\n[requires]\nkernel = '99.9'\n";
    fs::write(bench.path("needs.toml"), needs).unwrap();
    let quick = ["--launches", "2", "--blocks", "1", "--seed", "1", "--quiet", "--out", "out"];
    let files = ["run", "small.toml", "other.toml", "needs.toml"];
    finish(bench.forkbench([&files[..], &quick].concat())).expect(0, &[]);

    let variants = bench.rows("variants.csv");
    let of = |scenario: &str| variants.iter().filter(|row| row["scenario"] == scenario).count();
    assert!(of("small") >= 4 && of("other") >= 3, "{variants:?}");
    // Each launch has the parents of both, in whatever order.
    for launch in ["1", "2"] {
        let launches = bench.rows("launches.csv");
        let shapes: Vec<&str> = launches
            .iter()
            .filter(|row| row["launch"] == launch)
            .map(|row| row["shape"].as_str())
            .collect();
        for shape in ["empty", "rss=1MiB", "fds=50"] {
            assert!(shapes.contains(&shape), "{launch}: {shapes:?}");
        }
    }
    let plan: toml::Table =
        fs::read_to_string(bench.out().join("plan.toml")).unwrap().parse().unwrap();
    let scenarios = plan["scenarios"].as_array().unwrap();
    assert_eq!(scenarios.len(), 3);
    assert_eq!(scenarios[0]["claims"].as_array().unwrap().len(), 1);
    // What cannot be measured here is a row that says why.
    let events = bench.rows("events.csv");
    assert!(events.iter().any(|row| row["evidence"].contains("Linux 99.9")), "{events:?}");
}

#[test]
fn a_flag_takes_the_place_of_an_axis() {
    let bench = Bench::new();
    fs::write(bench.path("small.toml"), SMALL).unwrap();
    let flags = ["run", "small.toml", "--rss", "2M", "--mechanism", "vfork", "--out", "out"];
    let quick = ["--launches", "1", "--blocks", "1", "--quiet"];
    finish(bench.forkbench([&flags[..], &quick].concat())).expect(0, &[]);
    let asked: Vec<String> = bench
        .rows("variants.csv")
        .into_iter()
        .filter(|row| row["role"] == "subject")
        .map(|row| format!("{} {}", row["shape"], row["mechanism"]))
        .collect();
    assert_eq!(asked, ["rss=2MiB vfork"]);
}

#[test]
fn every_shipped_scenario_is_listed() {
    let bench = Bench::new();
    let said = finish(bench.forkbench(["list", "scenarios"]));
    said.expect(0, &[]);
    for name in ["rss ", "memory-kinds ", "published/tlpi-28-3 ", "published/redis-latency "] {
        assert!(said.stdout.contains(name), "{name}: {}", said.stdout);
    }
}
