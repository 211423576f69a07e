//! Exports, from end to end: what the formats of other tools hold, and what their readers make of
//! it where one is installed.
//!
//! `tests/data/exports` is a small run, made up, with labels that would be markup and no times of
//! their own in one variant. What is printed of it is compared with what was printed before.

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::bench::{Bench, Said, finish, skip};

/// The run that does not change.
fn fixed() -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/exports");
    path.to_str().unwrap().to_owned()
}

fn exported(bench: &Bench, format: &str) -> Said {
    let said = finish(bench.forkbench(["show", &fixed(), "--format", format]));
    said.expect(0, &[]);
    said
}

#[test]
fn what_is_printed_of_a_fixed_run_stays_the_same() {
    let bench = Bench::new();
    for format in ["md", "hyperfine", "gobench", "smaller-is-better", "hgrm"] {
        insta::assert_snapshot!(format!("export_{format}"), exported(&bench, format).stdout);
    }
}

#[test]
fn what_a_format_has_no_place_for_is_said() {
    let bench = Bench::new();
    exported(&bench, "hyperfine").expect(
        0,
        &[
            "not rss=1GiB none (control)",
            "1 sample of rss=1GiB vfork failed",
            "fork /x y has no sample of reaped",
        ],
    );
    assert_eq!(exported(&bench, "md").stderr, "");
}

#[test]
fn hyperfine_has_every_sample_in_its_order() {
    let bench = Bench::new();
    let said = exported(&bench, "hyperfine-blocked");
    let json: Value = serde_json::from_str(&said.stdout).unwrap();
    let results = json["results"].as_array().unwrap();
    let labels: Vec<&str> = results.iter().map(|one| one["command"].as_str().unwrap()).collect();
    assert_eq!(
        labels,
        ["rss=1GiB fork", "a|b <i>`*c*` @you, \"d\"", "rss=1GiB vfork", "fork /x y"]
    );
    for result in results {
        let times: Vec<f64> =
            result["times"].as_array().unwrap().iter().map(|t| t.as_f64().unwrap()).collect();
        let of = |name: &str| result[name].as_f64().unwrap();
        assert_eq!(result["exit_codes"].as_array().unwrap().len(), times.len());
        assert!(of("min") <= of("median") && of("median") <= of("max"));
        let mean = times.iter().sum::<f64>() / times.len() as f64;
        assert!((of("mean") / mean - 1.0).abs() < 1e-9);
        assert_eq!(result["parameters"].as_object().unwrap().len(), 3);
    }
    assert_eq!(
        results[3]["times"].to_string(),
        "[0.00005701,0.000057011,0.00005702,0.000057021,0.00005703,0.000057031]"
    );
    assert_eq!(results[0]["parameters"]["rss"], "1073741824");
}

#[test]
fn benchstat_reads_the_go_benchmarks() {
    let bench = Bench::new();
    let path = bench.path("go.txt");
    fs::write(&path, exported(&bench, "gobench").stdout).unwrap();
    let mut command = Command::new("benchstat");
    let Ok(output) = command.arg(&path).stdin(Stdio::null()).output() else {
        return skip("benchstat is not installed");
    };
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{text}");
    for part in ["blocked-sec/op", "pkg: forkbench/spawn", "Spawn/mechanism=fork/rss=1GiB-2"] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

/// golang.org/design/14313-benchmark-format: a name that begins with `Benchmark` and then no
/// lower-case letter, an iteration count, then pairs of value and unit, between spaces.
#[test]
fn every_line_of_the_go_benchmarks_follows_the_grammar() {
    let bench = Bench::new();
    let mut lines = 0;
    for line in exported(&bench, "gobench").stdout.lines() {
        if let Some(rest) = line.strip_prefix("Unit ") {
            assert!(rest.split(' ').count() == 2 && rest.ends_with(" better=lower"), "{line}");
        } else if let Some(rest) = line.strip_prefix("Benchmark") {
            lines += 1;
            assert!(!rest.starts_with(|c: char| c.is_lowercase()), "{line}");
            let fields: Vec<&str> = line.split_whitespace().collect();
            assert!(fields.len() >= 4 && fields.len().is_multiple_of(2), "{line}");
            assert!(fields[0].ends_with("-2") && fields[1].parse::<u64>().unwrap() > 0, "{line}");
            for pair in fields[2..].chunks(2) {
                assert!(pair[0].parse::<f64>().unwrap().is_finite(), "{line}");
                assert!(pair[1].ends_with("ns/op"), "{line}");
            }
        } else {
            let (key, value) = line.split_once(": ").unwrap();
            assert!(key.chars().all(|c| c.is_ascii_lowercase()) && !value.is_empty(), "{line}");
        }
    }
    // Three launches of each of four subjects.
    assert_eq!(lines, 12);
}

#[test]
fn smaller_is_better_has_what_its_reader_takes() {
    let bench = Bench::new();
    let json: Value = serde_json::from_str(&exported(&bench, "smaller-is-better").stdout).unwrap();
    let entries = json.as_array().unwrap();
    let mut names: Vec<&str> = entries.iter().map(|one| one["name"].as_str().unwrap()).collect();
    for entry in entries {
        assert!(entry["value"].as_f64().unwrap().is_finite() && entry["unit"].is_string());
        let range = entry["range"].as_str();
        assert!(range.is_none_or(|r| r.strip_prefix("± ").unwrap().parse::<f64>().is_ok()));
    }
    assert!(names.iter().all(|name| !name.contains(['|', '`', '<', '>'])));
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count, "a chart is found again by its name");
}

#[test]
fn files_are_written_beside_what_is_printed() {
    let bench = Bench::new();
    let path = |name: &str| bench.path(name);
    let said = finish(bench.forkbench([
        "show",
        &fixed(),
        "--export",
        "md=page.md",
        "--export",
        "hyperfine=h.json",
        "--export",
        "hgrm=hists",
    ]));
    said.expect(0, &[]);
    assert!(said.stdout.contains("caller blocked"), "{said:?}");
    for (name, format) in [("page.md", "md"), ("h.json", "hyperfine")] {
        assert_eq!(fs::read_to_string(path(name)).unwrap(), exported(&bench, format).stdout);
    }
    let mut names: Vec<String> = fs::read_dir(path("hists"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names.len(), 5 + 4 + 3 + 1, "{names:?}");
    assert!(names.contains(&"a_b__i___c____you___d_.blocked_ns.hgrm".to_owned()), "{names:?}");
    for name in names {
        let text = fs::read_to_string(path("hists").join(name)).unwrap();
        assert!(text.starts_with("       Value     Percentile TotalCount"), "{text}");
    }
    let left: Vec<_> =
        fs::read_dir(bench.path(".")).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().starts_with('.')), "{left:?}");
}

#[test]
fn a_run_writes_what_is_asked_for() {
    let bench = Bench::new();
    let said = bench.run(&["--mechanism", "vfork", "--export", "gobench=go.txt", "--quiet"]);
    said.expect(0, &[]);
    let shown = finish(bench.forkbench(["show", "out", "--format", "gobench"]));
    assert_eq!(fs::read_to_string(bench.path("go.txt")).unwrap(), shown.stdout);
}

#[test]
fn an_export_that_is_not_written_is_a_failure() {
    let bench = Bench::new();
    let show = |export: &str| finish(bench.forkbench(["show", &fixed(), "--export", export]));
    show("hyperfine=/dev/full").expect(1, &["--export hyperfine=/dev/full was not written"]);
    // What stood there before still does.
    fs::write(bench.path("page.md"), "before").unwrap();
    show("md=page.md").expect(0, &[]);
    assert!(fs::read_to_string(bench.path("page.md")).unwrap().starts_with("# forkbench"));

    for (export, text) in [
        ("md=nowhere/page.md", "there is no directory nowhere"),
        ("md", "FORMAT=PATH"),
        ("md=", "FORMAT=PATH"),
        ("pdf=page.pdf", "`pdf` is no format"),
        ("md=.", "that is a directory"),
        ("hgrm=page.md", "give a directory"),
    ] {
        show(export).expect(2, &[text]);
    }
    // Nothing is measured for a file that has no place.
    let run = bench.small(&["--mechanism", "vfork", "--export", "md=nowhere/page.md"]);
    finish(bench.forkbench(run)).expect(2, &["there is no directory nowhere"]);
    assert!(!bench.out().exists());
}

/// A run of 300,000 samples, which as text alone are more than is allowed for memory.
#[test]
fn many_samples_take_little_memory() {
    let bench = Bench::new();
    let directory = bench.path("large");
    fs::create_dir(&directory).unwrap();
    for name in
        ["variants.csv", "launches.csv", "readings.csv", "histograms.csv", "environment.toml"]
    {
        fs::copy(PathBuf::from(fixed()).join(name), directory.join(name)).unwrap();
    }
    let first_line = |name: &str| {
        let text = fs::read_to_string(PathBuf::from(fixed()).join(name)).unwrap();
        text.lines().next().unwrap().to_owned() + "\n"
    };
    fs::write(directory.join("events.csv"), first_line("events.csv")).unwrap();
    let mut blocks = first_line("blocks.csv");
    let file = fs::File::create(directory.join("samples.csv")).unwrap();
    let mut samples = std::io::BufWriter::new(file);
    samples.write_all(first_line("samples.csv").as_bytes()).unwrap();
    for block in 1..=300u64 {
        blocks += &format!("1,{block},time,0,2,1,1,\n");
        for round in 0..1000u64 {
            let reaped = 100_000 + (block * 7919 + round * 104_729) % 20_011;
            writeln!(
                samples,
                "1,{block},{round},0,0,measure,2,5,{},,,{reaped},,,0,0,0",
                reaped / 2
            )
            .unwrap();
        }
    }
    samples.into_inner().unwrap();
    fs::write(directory.join("blocks.csv"), blocks).unwrap();

    // 150 MB of address space are all it gets.
    let program = bench.forkbench(["--version"]).get_program().to_owned();
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -v 150000; exec \"$0\" show large --export hyperfine=h.json"]);
    finish({
        command.arg(program).current_dir(bench.path("."));
        command
    })
    .expect(0, &[]);
    let text = fs::read_to_string(bench.path("h.json")).unwrap();
    let json: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(json["results"][0]["times"].as_array().unwrap().len(), 300_000);
}

#[test]
fn a_check_of_claims_is_junit_and_a_comment_too() {
    let bench = Bench::new();
    let said = bench.run(&["--mechanism", "vfork", "--quiet"]);
    said.expect(0, &[]);
    let check = |more: &[&str]| {
        finish(bench.forkbench([&["check", "out", "--allow-debug-build"][..], more].concat()))
    };
    // A run that claims nothing is no success to any reader.
    let junit = check(&["--format", "junit", "--export", "md=comment.md"]);
    junit.expect(5, &["no claims"]);
    assert!(junit.stdout.contains("errors=\"1\"") && junit.stdout.contains("NOT COMPARABLE"));
    let comment = fs::read_to_string(bench.path("comment.md")).unwrap();
    assert!(comment.starts_with("### forkbench: ") && comment.contains("no claims"), "{comment}");
    assert_eq!(check(&["--format", "md"]).stdout, comment);

    check(&["--export", "junit=/dev/full"])
        .expect(1, &["--export junit=/dev/full was not written"]);
    check(&["--export", "csv=x.csv"]).expect(2, &["FORMAT is json, junit, md"]);
    check(&["--export", "md=nowhere/x.md"]).expect(2, &["there is no directory nowhere"]);
    if Command::new("xmllint").arg("--version").output().is_err() {
        return skip("xmllint is not installed");
    }
    fs::write(bench.path("junit.xml"), junit.stdout).unwrap();
    let mut lint = Command::new("xmllint");
    lint.arg("--noout").arg(bench.path("junit.xml"));
    finish(lint).expect(0, &[]);
}
