//! The programs of FORMAT.md that load results say what forkbench says.
//!
//! They take Python with the packages of `requirements.txt`, and R. `.ci/run` installs both; where
//! they are missing the test says so and that is all.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use tempfile::TempDir;

use crate::commands::{copy_files, forkbench};
use crate::documents::{named, root};

/// Executes the statements of a file by DuckDB, and prints the last result as CSV.
const DUCKDB: &str = "
import csv, duckdb, sys
database = duckdb.connect()
for statement in database.extract_statements(open(sys.argv[1]).read()):
    result = database.execute(statement)
writer = csv.writer(sys.stdout)
writer.writerow([column[0] for column in result.description])
writer.writerows(result.fetchall())
";

/// Two runs, and the first once more, compressed.
static FLEET: LazyLock<Fleet> = LazyLock::new(Fleet::measure);

struct Fleet {
    place: TempDir,
    /// What forkbench says, by directory and label.
    expected: BTreeMap<(String, String), Figures>,
}

/// What one of the programs, or forkbench, says of a variant, as it is printed.
#[derive(Clone, Debug, Default)]
struct Figures {
    n: String,
    p50: String,
    /// What the run says of it; empty where forkbench says nothing, as of a twin.
    run: String,
    /// Its ratio to posix_spawn; empty where forkbench compares with nothing.
    ratio: String,
}

impl Fleet {
    fn measure() -> Fleet {
        let place = tempfile::tempdir().unwrap();
        let (results, names) = (place.path().join("results"), ["one", "two"]);
        for name in names {
            let out = format!("results/{name}");
            let words = ["run", "--rss", "0,1M", "--mechanism", "fork,vfork,posix_spawn"];
            let short =
                ["--time", "4s", "--launches", "3", "--blocks", "3", "--quiet", "--out", &out];
            let output = forkbench(place.path(), &[&words[..], &short[..]].concat(), Stdio::null());
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        }
        let mut expected = BTreeMap::new();
        for name in names {
            let directory = format!("results/{name}");
            let shown = ["show", &directory, "--format", "csv"];
            for row in rows(&forkbench(place.path(), &shown, Stdio::null()).stdout) {
                if row["interval"] != "blocked" {
                    continue;
                }
                let figures = Figures {
                    n: row["n"].clone(),
                    p50: row["p50_ns"].clone(),
                    run: String::new(),
                    ratio: row["ratio_p50"].clone(),
                };
                expected.insert((directory.clone(), row["label"].clone()), figures);
            }
        }
        let compared = ["compare", "results/one", "results/two", "--format", "csv"];
        for row in rows(&forkbench(place.path(), &compared, Stdio::null()).stdout) {
            if row["quantity"] == "blocked.p50" {
                let key = (row["directory"].clone(), row["label"].clone());
                expected.get_mut(&key).unwrap().run = row["value_ns"].clone();
            }
        }
        copy_files(&results.join("one"), &results.join("three"));
        let packed =
            ["samples", "blocks", "variants"].map(|name| format!("results/three/{name}.csv"));
        let gzip = Command::new("gzip").args(&packed).current_dir(place.path()).status().unwrap();
        assert!(gzip.success());
        let again: Vec<_> = expected
            .iter()
            .filter(|((directory, _), _)| directory == "results/one")
            .map(|((_, label), figures)| {
                (("results/three".to_owned(), label.clone()), figures.clone())
            })
            .collect();
        expected.extend(again);
        Fleet { place, expected }
    }

    /// Writes a program of FORMAT.md beside the results.
    fn program(&self, name: &str) -> PathBuf {
        let path = self.place.path().join(name);
        fs::write(&path, named("FORMAT.md", name)).unwrap();
        path
    }

    /// That a table is what forkbench says of the variants of some directories.
    fn is_said_by(&self, table: &[u8], of: impl Fn(&(String, String)) -> bool) {
        let mut said = BTreeMap::new();
        for row in rows(table) {
            let figures = Figures {
                n: row["n"].clone(),
                p50: row["p50_ns"].clone(),
                run: row["run_ns"].clone(),
                ratio: row["ratio_p50"].clone(),
            };
            said.insert((row["directory"].clone(), row["label"].clone()), figures);
        }
        let expected = self.expected.iter().filter(|(key, _)| of(key));
        let expected: BTreeMap<&(String, String), &Figures> = expected.collect();
        assert!(said.keys().eq(expected.keys().copied()), "{:?}", said.keys());
        let (mut runs, mut ratios) = (0, 0);
        for (key, expected) in expected {
            let said = &said[key];
            assert_eq!(said.n, expected.n, "{key:?}");
            assert!(is_rounded(&said.p50, &expected.p50), "{key:?}: {said:?}, {expected:?}");
            for (said, expected, count) in
                [(&said.run, &expected.run, &mut runs), (&said.ratio, &expected.ratio, &mut ratios)]
            {
                if !expected.is_empty() {
                    assert!(is_rounded(said, expected), "{key:?}: {said}, and not {expected}");
                    *count += 1;
                }
            }
        }
        assert!(runs >= 12 && ratios >= 8, "{runs} runs and {ratios} ratios were compared");
    }
}

#[test]
fn a_fleet_in_duckdb_says_what_forkbench_says() {
    let Some(python) = python("duckdb") else { return };
    FLEET.is_said_by(&duckdb(&python, FLEET.place.path(), &FLEET.program("fleet.sql")), all);
}

#[test]
fn a_fleet_of_archives_in_duckdb_says_what_forkbench_says() {
    let Some(python) = python("duckdb") else { return };
    let place = FLEET.place.path();
    let archived = ["results/one", "results/two", "-o", "archived/results", "--exact"];
    fs::create_dir_all(place.join("archived/results")).unwrap();
    let output = forkbench(place, &[&["archive"], &archived[..]].concat(), Stdio::null());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    // The macros, the table of archives, and what is made of it.
    let (all, table) = (named("FORMAT.md", "fleet.sql"), named("FORMAT.md", "fleet-archives.sql"));
    let (macros, rest) = all.split_once("CREATE TABLE spawns").unwrap();
    let (_, rest) = rest.split_once(";\n").unwrap();
    let path = place.join("archived/all.sql");
    fs::write(&path, [macros, &table, rest].join("\n")).unwrap();
    let only = |(directory, _): &(String, String)| directory != "results/three";
    FLEET.is_said_by(&duckdb(&python, &place.join("archived"), &path), only);
}

#[test]
fn machines_are_told_apart_in_duckdb() {
    let Some(python) = python("duckdb") else { return };
    let all = named("FORMAT.md", "fleet.sql") + &named("FORMAT.md", "fleet-machines.sql");
    let path = FLEET.place.path().join("both.sql");
    fs::write(&path, all).unwrap();
    let table = rows(&duckdb(&python, FLEET.place.path(), &path));
    assert!(!table.is_empty());
    for row in table {
        assert_eq!((row["fingerprint"].len(), row["directories"].as_str()), (64, "3"));
    }
}

#[test]
fn a_fleet_in_pandas_says_what_forkbench_says() {
    let Some(python) = python("pandas") else { return };
    let mut program = Command::new(python);
    let program = program.arg(FLEET.program("fleet.py")).current_dir(&FLEET.place);
    FLEET.is_said_by(&printed(program), all);
}

#[test]
fn a_fleet_in_r_says_what_forkbench_says() {
    if !exists("Rscript", &["--version"]) {
        println!("skipped: there is no Rscript (Debian: r-base-core)");
        return;
    }
    let mut program = Command::new("Rscript");
    let table = printed(program.arg(FLEET.program("fleet.R")).current_dir(&FLEET.place));
    FLEET.is_said_by(&table, all);
}

#[test]
fn a_run_in_plain_python_and_in_duckdb_says_what_forkbench_says() {
    let expected: BTreeMap<&str, &str> = FLEET
        .expected
        .iter()
        .filter(|((directory, _), _)| directory == "results/one")
        .map(|((_, label), figures)| (label.as_str(), figures.p50.as_str()))
        .collect();
    if exists("python3", &["--version"]) {
        let mut program = Command::new("python3");
        program.arg(FLEET.program("medians.py")).arg("results/one").current_dir(&FLEET.place);
        let text = String::from_utf8(printed(&mut program)).unwrap();
        assert_eq!(text.lines().count(), expected.len(), "{text}");
        for line in text.lines() {
            let (label, p50) = line.split(" ns ").next().unwrap().rsplit_once(' ').unwrap();
            assert!(is_rounded(expected[label.trim()], p50), "{line}");
        }
    } else {
        println!("skipped: there is no python3");
    }
    let Some(python) = python("duckdb") else { return };
    let one = FLEET.place.path().join("results/one");
    let table = rows(&duckdb(&python, &one, &FLEET.program("medians.sql")));
    assert_eq!(table.len(), expected.len());
    for row in table {
        assert!(is_rounded(&row["blocked_ns"], expected[row["label"].as_str()]), "{row:?}");
    }
    // Where perf events are refused there are none, but the query must be one.
    duckdb(&python, &one, &FLEET.program("faults.sql"));
}

/// Whether `short` is that number with fewer decimals, or it but for the last bits of a sum.
fn is_rounded(number: &str, short: &str) -> bool {
    let decimals = short.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    let half = 0.5 * 0.1f64.powi(decimals as i32);
    let value = |text: &str| -> f64 { text.parse().unwrap_or_else(|_| panic!("{text:?}")) };
    (value(number) - value(short)).abs() <= half.max(1e-12 * value(short)) * 1.000_001
}

/// Of all directories.
fn all(_: &(String, String)) -> bool {
    true
}

/// A Python that has this package: that of `FORKBENCH_PYTHON`, of `.ci/run`, or the usual one.
fn python(package: &str) -> Option<PathBuf> {
    let own = std::env::var_os("FORKBENCH_PYTHON").map(PathBuf::from);
    let places = [own, Some(root().join("target/readme/bin/python3")), Some("python3".into())];
    let import = format!("import {package}");
    let found = places.into_iter().flatten().find(|python| exists(python, &["-c", &import]));
    if found.is_none() {
        println!("skipped: no Python has {package} (tests/readme/requirements.txt)");
    }
    found
}

fn exists(program: impl AsRef<std::ffi::OsStr>, arguments: &[&str]) -> bool {
    let mut command = Command::new(program);
    command.args(arguments).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

fn duckdb(python: &Path, place: &Path, program: &Path) -> Vec<u8> {
    printed(Command::new(python).args(["-c", DUCKDB]).arg(program).current_dir(place))
}

fn printed(program: &mut Command) -> Vec<u8> {
    let output = program.stdin(Stdio::null()).output().unwrap();
    assert!(
        output.status.success(),
        "{program:?} ended with {}:\n{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    output.stdout
}

fn rows(csv: &[u8]) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_reader(csv);
    reader.deserialize().map(Result::unwrap).collect()
}
