//! `forkbench archive`: what is said of an archive is what is said of the run, and what cannot be said
//! of it is refused.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::bench::{Bench, Said, contents, finish};
use crate::directories::{Made, made};

fn archive(bench: &Bench, arguments: &[&str]) -> Said {
    finish(bench.forkbench([&["archive"][..], arguments].concat()))
}

fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// A run that was measured here, small and with everything that a run leaves.
fn measured(bench: &Bench, name: &str) {
    fs::write(
        bench.path("scenario.toml"),
        "about = 'a test'\nrss = ['0', '1M', '2M']\nmechanism = ['fork', 'vfork', 'posix_spawn']\n\
         [[claim]]\nname = 'no affair of seconds'\nvalue = 'blocked.p50'\n\
         at = { mechanism = 'fork', rss = '1M' }\nat-most = '5s'\n",
    )
    .unwrap();
    let sampling = ["--launches", "3", "--blocks", "2", "--time", "2s", "--quiet", "--out", name];
    let arguments = [&["run", "scenario.toml"][..], &sampling].concat();
    finish(bench.forkbench(arguments)).expect(0, &[]);
}

#[test]
fn an_exact_archive_is_shown_compared_checked_and_exported_as_the_run_is() {
    let bench = Bench::new();
    // Names of one length, so that lines are broken at the same places.
    measured(&bench, "results-1");
    archive(&bench, &["results-1", "-o", "results-2", "--exact"]).expect(0, &[]);
    let of = |name: &str, arguments: &[&str]| {
        let arguments: Vec<String> =
            arguments.iter().map(|argument| argument.replace("DIR", name)).collect();
        let said = finish(bench.forkbench(arguments));
        (said.code, said.stdout.replace(name, "DIR"))
    };
    for arguments in [
        &["show", "DIR"][..],
        &["show", "DIR", "--vs", "vfork", "--format", "csv"],
        &["show", "DIR", "--format", "json"],
        &["show", "DIR", "--format", "md"],
        &["show", "DIR", "--format", "gobench"],
        &["show", "DIR", "--format", "hgrm"],
        &["show", "DIR", "--format", "smaller-is-better"],
        &["check", "DIR", "--allow-debug-build"],
        &["check", "DIR", "--allow-debug-build", "--format", "json"],
    ] {
        let run = of("results-1", arguments);
        assert_eq!(of("results-2", arguments), run, "{arguments:?}");
        assert_eq!(run.0, Some(0), "{arguments:?}");
    }
    let compared =
        finish(bench.forkbench(["compare", "results-1", "results-2", "--format", "json"]));
    compared.expect(0, &[]);
    let compared: Value = serde_json::from_str(&compared.stdout).unwrap();
    for row in compared["rows"].as_array().unwrap() {
        assert_eq!(row["ratio"], 1.0, "{row}");
    }
    let page = |directory: &str, name: &str| {
        finish(bench.forkbench(["report", directory, "-o", name, "--force"])).expect(0, &[]);
        fs::read_to_string(bench.path(name)).unwrap().replace(directory, "DIR")
    };
    let page_of_run = page("results-1", "page.md");
    let page_of_archive = page("results-2", "page.md");
    let told = " They were archived without loss.";
    assert!(page_of_archive.contains(told) && !page_of_run.contains(told));
    assert_eq!(page_of_archive.replace(told, ""), page_of_run);
}

#[test]
fn a_rounded_archive_says_the_same_to_a_thousandth_in_less_room() {
    let bench = Bench::new();
    Made { samples: 200, ..made() }.write(&bench, "run");
    let said = archive(&bench, &["run", "-o", "small"]);
    said.expect(0, &[]);
    assert!(said.stdout.starts_with("small: 16,000 samples, "), "{said:?}");
    let records = |name: &str| -> Vec<Value> {
        let said = finish(bench.forkbench(["show", name, "--format", "json"]));
        said.expect(0, &[]);
        let json: Value = serde_json::from_str(&said.stdout).unwrap();
        json["rows"].as_array().unwrap().clone()
    };
    let (run, small) = (records("run"), records("small"));
    assert_eq!(run.len(), small.len());
    for (run, small) in run.iter().zip(&small) {
        for (name, value) in run.as_object().unwrap() {
            let other = &small[name];
            let near = match (value.as_f64(), other.as_f64()) {
                // A tie between two blocks may break, and p with it.
                (Some(_), Some(_)) if name.contains("_p") && !name.contains("p50") => true,
                (Some(value), Some(other)) => (value - other).abs() <= 1.1e-3 * value.abs(),
                _ => value == other,
            };
            assert!(near || !name.ends_with("_ns"), "{name}: {value} {other}");
        }
    }
    let size = |name: &str| -> usize {
        contents(&bench.path(name)).iter().map(|(_, content)| content.len()).sum()
    };
    assert!(size("small") * 10 < size("run"), "{} {}", size("small"), size("run"));
    let exported = finish(bench.forkbench(["show", "small", "--format", "gobench"]));
    exported.expect(0, &["gobench: the directory was archived", "right to 1/2048"]);
    assert_eq!(
        names(&bench.path("small")),
        [
            "archive.toml",
            "blocks.csv.gz",
            "cells.csv.gz",
            "environment.toml",
            "events.csv.gz",
            "histograms.csv.gz",
            "launches.csv.gz",
            "plan.toml",
            "readings.csv.gz",
            "variants.csv.gz",
        ]
    );
}

#[test]
fn what_takes_single_samples_is_refused() {
    let bench = Bench::new();
    made().write(&bench, "run");
    archive(&bench, &["run", "-o", "kept"]).expect(0, &[]);
    let before = contents(&bench.path("kept"));
    let why = ["kept: this directory is archived", "use the directory that it was made from"];
    finish(bench.forkbench(["show", "kept", "--format", "hyperfine"])).expect(2, &why);
    let export = ["show", "kept", "--export", "hyperfine-blocked=times.json"];
    finish(bench.forkbench(export)).expect(2, &why);
    assert!(!bench.path("times.json").exists());
    archive(&bench, &["kept", "-o", "twice"]).expect(2, &["kept is archived already"]);
    assert!(!bench.path("twice").exists());

    assert_eq!(contents(&bench.path("kept")), before);
}

#[test]
fn an_archive_or_a_compressed_run_is_not_gone_on_with() {
    let bench = Bench::new();
    measured(&bench, "run");
    archive(&bench, &["run", "-o", "kept"]).expect(0, &[]);
    finish(bench.forkbench(["run", "--resume", "kept"]))
        .expect(2, &["kept: this directory is archived", "no run can go on in it"]);
    let plain = fs::read(bench.path("run/launches.csv")).unwrap();
    fs::copy(bench.path("kept/launches.csv.gz"), bench.path("run/launches.csv.gz")).unwrap();
    fs::remove_file(bench.path("run/launches.csv")).unwrap();
    finish(bench.forkbench(["show", "run"])).expect(0, &[]);
    finish(bench.forkbench(["run", "--resume", "run"]))
        .expect(2, &["run/launches.csv.gz: it is compressed", "gunzip"]);
    fs::write(bench.path("run/launches.csv"), plain).unwrap();
    finish(bench.forkbench(["run", "--resume", "run"])).expect(0, &[]);
}

#[test]
fn an_archive_has_its_place_or_nothing_is_written() {
    let bench = Bench::new();
    made().write(&bench, "run");
    made().write(&bench, "other/run");
    made().write(&bench, "second");
    fs::create_dir(bench.path("mine")).unwrap();
    fs::write(bench.path("mine/thesis.txt"), "years of work").unwrap();
    archive(&bench, &["run", "-o", "kept"]).expect(0, &[]);
    let before = names(&bench.path(""));
    for (arguments, text) in [
        (&["run", "-o", "kept"][..], "--output kept: it exists"),
        (&["run", "-o", "mine", "--force"], "mine: it exists and is no archive"),
        (&["run", "-o", "run", "--force"], "run: it exists and is no archive"),
        (&["run", "-o", "mine/thesis.txt", "--force"], "is no archive"),
        (&["run", "-o", ".."], "names no directory"),
        (&["run", "other/run", "-o", "all"], "two directories are named run"),
        (&["run", "run/", "-o", "all"], "is the same directory as run"),
        (&["run", "nowhere", "-o", "all"], "nowhere is no directory"),
        (&["run"], "--output"),
    ] {
        archive(&bench, arguments).expect(2, &[text]);
    }
    assert_eq!(names(&bench.path("")), before);
    assert_eq!(contents(&bench.path("mine")).len(), 1);

    let first = contents(&bench.path("kept"));
    archive(&bench, &["run", "-o", "kept", "--force"]).expect(0, &[]);
    assert_eq!(contents(&bench.path("kept")), first, "the same run makes the same bytes");
    archive(&bench, &["run", "second", "-o", "all"]).expect(0, &[]);
    assert_eq!(names(&bench.path("all")), ["run", "second"]);
    archive(&bench, &["second", "-o", "mine/thesis.txt/below"]).expect(1, &["was not archived"]);
    assert_eq!(names(&bench.path("mine")), ["thesis.txt"]);
}

#[test]
fn a_check_is_judged_again_from_its_archive_with_its_confirmation() {
    let bench = Bench::new();
    let check = ["check", "--base", "mechanism=vfork", "--cand", "mechanism=fork", "--rss", "4M"];
    let sampling = ["--launches", "4", "--blocks", "4", "--time", "2s", "--quiet", "--out", "run"];
    let more = ["--confirm", "--allow-debug-build"];
    let said = finish(bench.forkbench([&check[..], &sampling, &more].concat()));
    assert_eq!(said.code, Some(3), "{said:#?}");
    for (name, exact) in [("exact", &["--exact"][..]), ("rounded", &[])] {
        archive(&bench, &[&["run", "-o", name], exact].concat()).expect(0, &[]);
        assert!(bench.path(name).join("confirm/cells.csv.gz").is_file());
        let verdict = |name: &str| -> Value {
            let said = finish(bench.forkbench(["check", name, "--allow-debug-build"]));
            assert_eq!(said.code, Some(3), "{said:#?}");
            let text = fs::read_to_string(bench.path(name).join("verdict.json")).unwrap();
            serde_json::from_str(&text.replace(name, "DIR")).unwrap()
        };
        let (one, other) = (verdict("run"), verdict(name));
        if name == "exact" {
            assert_eq!(one, other);
        }
        assert_eq!(one["rows"][0]["verdict"], other["rows"][0]["verdict"]);
    }
}
