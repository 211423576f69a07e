//! Results directories against each other: what `compare` says of them, and what it refuses.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use forkbench::model::row::{BlockKind, Outcome, Phase, Role};
use forkbench::record::append::{Block, Writer};
use forkbench::record::rows::{BlockRow, LaunchRow, SampleRow, VariantRow};

use crate::bench::{Bench, Said, finish};

/// A results directory as a run might have left it, of known times.
#[derive(Clone)]
struct Made {
    mechanisms: Vec<&'static str>,
    launches: u32,
    blocks: u32,
    /// Samples of each variant in a block.
    samples: u32,
    /// What every time is multiplied by.
    factor: f64,
    /// What the times of this mechanism are multiplied by beside it.
    slower: Option<(&'static str, f64)>,
    /// Lines of `environment.toml`, by table and key.
    facts: Vec<(&'static str, &'static str, String)>,
}

/// A quiet run of the default build.
fn made() -> Made {
    Made {
        mechanisms: vec!["vfork", "posix_spawn", "fork", "clone3"],
        launches: 5,
        blocks: 4,
        samples: 50,
        factor: 1.0,
        slower: None,
        facts: vec![
            ("tool", "version", "0.1.0".to_owned()),
            ("tool", "build_profile", "release".to_owned()),
            ("tool", "started", "2026-11-24T06:00:00Z".to_owned()),
            ("kernel", "release", "6.18".to_owned()),
            ("kernel", "boot_id", "one".to_owned()),
        ],
    }
}

impl Made {
    /// With that fact in place of the one before.
    fn with(mut self, table: &'static str, key: &'static str, value: impl Into<String>) -> Made {
        self.facts.retain(|fact| (fact.0, fact.1) != (table, key));
        self.facts.push((table, key, value.into()));
        self
    }

    fn write(&self, bench: &Bench, name: &str) -> PathBuf {
        let path = bench.path(name);
        let variants: Vec<VariantRow> = (0..)
            .zip(&self.mechanisms)
            .map(|(variant, mechanism)| VariantRow {
                variant,
                scenario: "spawn".to_owned(),
                label: (*mechanism).to_owned(),
                role: Role::Subject,
                shape: "empty".to_owned(),
                mechanism: (*mechanism).to_owned(),
                image: "noop".to_owned(),
                workload: "spawn".to_owned(),
                copies_pages: copies_pages(mechanism),
                settings: format!("mechanism={mechanism}"),
            })
            .collect();
        let mut writer = Writer::create(&path, &variants).unwrap();
        let mut environment = toml::Table::new();
        for (table, key, value) in &self.facts {
            let table = environment.entry(*table).or_insert(toml::Table::new().into());
            table.as_table_mut().unwrap().insert((*key).to_owned(), value.clone().into());
        }
        environment.insert("fingerprint".to_owned(), "0123456789abcdef".into());
        writer.environment(&environment).unwrap();
        writer.plan(&toml::Table::from_iter([("vs".to_owned(), "posix_spawn".into())])).unwrap();
        for launch in 1..=self.launches {
            for block in 1..=self.blocks {
                let samples: Vec<SampleRow> = (0..self.samples)
                    .flat_map(|round| (0..variants.len() as u32).map(move |turn| (round, turn)))
                    .map(|(round, turn)| self.sample(launch, block, round, turn))
                    .collect();
                let row = block_row(launch, block);
                let block = Block {
                    row: &row,
                    samples: &samples,
                    readings: &[],
                    histograms: &[],
                    events: &[],
                };
                writer.block(block).unwrap();
            }
            writer.launch(&launch_row(launch)).unwrap();
        }
        path
    }

    fn sample(&self, launch: u32, block: u32, round: u32, turn: u32) -> SampleRow {
        let mechanism = self.mechanisms[turn as usize];
        let base = if copies_pages(mechanism) { 200_000.0 } else { 50_000.0 };
        let slower = self.slower.filter(|(slow, _)| *slow == mechanism).map_or(1.0, |(_, by)| by);
        // Scatter of 2 % that takes no generator, another in each sample, block and launch.
        let place = (launch * 7919 + block * 104_729 + round * 31 + turn * 17) % 97;
        let noise = 1.0 + 0.0004 * (f64::from(place) - 48.0);
        let blocked = (base * self.factor * slower * noise) as u64;
        SampleRow {
            launch,
            block,
            round,
            turn,
            pos: 3,
            phase: Phase::Measure,
            variant: turn,
            start_ns: 1,
            blocked_ns: Some(blocked),
            born_ns: None,
            image_ns: None,
            reaped_ns: Some(2 * blocked),
            rewrite_ns: None,
            blocked_cpu_ns: Some(blocked),
            parent_cpu: Some(0),
            child_cpu: Some(0),
            status: 0,
        }
    }
}

fn copies_pages(mechanism: &str) -> bool {
    matches!(mechanism, "fork" | "clone3")
}

fn block_row(launch: u32, block: u32) -> BlockRow {
    BlockRow {
        launch,
        block,
        kind: BlockKind::Time,
        coin: "0-1-2-3".to_owned(),
        rounds: 1,
        started_ns: 1,
        wall_ns: 75_000_000,
        steal_ticks: Some(0),
    }
}

fn launch_row(launch: u32) -> LaunchRow {
    LaunchRow {
        launch,
        subject: 0,
        shape: "empty".to_owned(),
        outcome: Outcome::Done,
        detail: String::new(),
        started_ns: 1,
        setup_ns: Some(1),
        wall_ns: 1,
        steal_ticks: Some(0),
    }
}

fn compare(bench: &Bench, arguments: &[&str]) -> Said {
    finish(bench.forkbench([&["compare"][..], arguments].concat()))
}

/// What a file has that a newer forkbench wrote.
fn add_column(path: &Path) {
    let text = fs::read_to_string(path).unwrap();
    let lines = text.lines().enumerate();
    let wider: Vec<String> = lines
        .map(|(place, line)| if place == 0 { format!("{line},mood") } else { format!("{line},1") })
        .collect();
    fs::write(path, wider.join("\n") + "\n").unwrap();
}

#[test]
fn directories_are_put_beside_each_other_in_every_format() {
    let bench = Bench::new();
    made().write(&bench, "one");
    Made { factor: 1.1, ..made() }.with("kernel", "release", "6.19").write(&bench, "two");
    Made { mechanisms: vec!["vfork", "fork"], launches: 6, ..made() }.write(&bench, "three");

    let table = compare(&bench, &["one", "two", "three"]);
    table.expect(0, &[]);
    for part in [
        "geometric mean over 2 variants",
        "1.100x",
        "mean of 2",
        "kernel.release: 6.18 (A, C), 6.19 (B)",
        "posix_spawn: three: it is not in this run",
        "launches differ, from 5 to 6",
        "a ratio between runs has no interval",
    ] {
        // What a line break parts is one sentence.
        let text = table.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.contains(part), "{part:?} is missing: {table:#?}");
    }
    assert!(table.stdout.lines().all(|line| line.chars().count() <= 100), "{table:#?}");

    let json = compare(&bench, &["one", "two", "three", "--format", "json"]);
    json.expect(0, &[]);
    let json: Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(json["schema"], "forkbench.comparison/1");
    let mean = &json["means"][1];
    assert_eq!((&mean["quantity"], &mean["directory"]), (&"blocked.p50".into(), &"two".into()));
    assert!((mean["ratio"].as_f64().unwrap() - 1.1).abs() < 1e-3 && mean["rank"] == 3);
    assert_eq!(json["differences"][0]["topic"], "kernel");
    assert_eq!(json["differences"][0]["refuses"], true);

    let csv = compare(&bench, &["one", "two", "--format", "csv"]);
    csv.expect(0, &[]);
    let mut reader = csv::Reader::from_reader(csv.stdout.as_bytes());
    // Two directories, four variants, two intervals at two percentiles.
    assert_eq!(reader.records().map(Result::unwrap).count(), 2 * 4 * 2 * 2);

    let markdown = compare(&bench, &["one", "two", "--format", "md"]);
    markdown.expect(0, &[]);
    assert!(markdown.stdout.contains("| posix\\_spawn | A | 50.0 us |"), "{markdown:#?}");
}

#[test]
fn what_is_no_results_directory_is_wrong_usage() {
    let bench = Bench::new();
    made().write(&bench, "one");
    fs::create_dir(bench.path("empty")).unwrap();
    let foreign = made().write(&bench, "foreign");
    fs::write(foreign.join("samples.csv"), "name,age\n").unwrap();
    for (other, text) in [
        ("nowhere", "nowhere is no directory"),
        ("empty", "empty/blocks.csv: there is no such file"),
        ("foreign", "foreign/samples.csv:1: not a file of forkbench"),
        ("./one/", "is the same directory as one"),
    ] {
        compare(&bench, &["one", other]).expect(2, &[text]);
    }
    compare(&bench, &["one"]).expect(2, &[]);
}

#[test]
fn what_cannot_be_compared_says_which_file_and_why() {
    let bench = Bench::new();
    made().write(&bench, "one");
    let newer = made().with("tool", "version", "9.8.7").write(&bench, "newer");
    add_column(&newer.join("samples.csv"));
    let plan = made().with("tool", "version", "9.8.7").write(&bench, "plan");
    fs::write(plan.join("plan.toml"), "schema = \"forkbench.plan/7\"\n").unwrap();
    let damaged = made().write(&bench, "damaged");
    let text = fs::read_to_string(damaged.join("blocks.csv")).unwrap();
    fs::write(damaged.join("blocks.csv"), text.replacen("time", "tame", 1)).unwrap();
    let nothing = made().write(&bench, "nothing");
    let text = fs::read_to_string(nothing.join("blocks.csv")).unwrap();
    fs::write(nothing.join("blocks.csv"), format!("{}\n", text.lines().next().unwrap())).unwrap();
    Made { mechanisms: vec!["_fork"], ..made() }.write(&bench, "apart");
    for (other, texts) in [
        ("newer", ["newer/samples.csv:1: the columns `mood`", "forkbench 9.8.7 made it"]),
        ("plan", ["plan/plan.toml: its schema is `forkbench.plan/7`", "forkbench 9.8.7 made it"]),
        ("damaged", ["damaged/blocks.csv:2: ", "tame"]),
        ("nothing", ["nothing can be compared: no variant", ""]),
        ("apart", ["nothing can be compared: no variant", ""]),
    ] {
        compare(&bench, &["one", other]).expect(5, &texts);
    }
}

#[test]
fn torn_lines_debug_builds_and_one_block_are_compared_and_told() {
    let bench = Bench::new();
    made().write(&bench, "one");
    let small = Made { launches: 1, blocks: 1, ..made() }
        .with("tool", "build_profile", "debug")
        .with("tool", "started", "2026-11-26T06:00:00Z")
        .write(&bench, "small");
    let samples = small.join("samples.csv");
    let text = fs::read_to_string(&samples).unwrap();
    fs::write(&samples, text + "1,2,3").unwrap();
    let said = compare(&bench, &["one", "small"]);
    said.expect(0, &[]);
    for part in [
        "B: made by a debug build",
        "B: the last line of samples.csv was torn",
        "B: one launch alone",
        "measured on 2 different days",
    ] {
        assert!(said.stdout.contains(part), "{part:?} is missing: {said:#?}");
    }
}

#[test]
fn real_runs_are_compared() {
    let bench = Bench::new();
    let run = |out: &str| {
        let sampling = ["--launches", "3", "--blocks", "2", "--time", "2s", "--quiet"];
        let arguments = [&["run", "--out", out, "--mechanism", "vfork,posix_spawn"][..], &sampling];
        finish(bench.forkbench(arguments.concat())).expect(0, &[]);
    };
    run("one");
    run("two");
    let said = compare(&bench, &["one", "two", "--format", "json"]);
    said.expect(0, &[]);
    let json: Value = serde_json::from_str(&said.stdout).unwrap();
    assert_eq!(json["means"][0]["variants"], 2);
    let refused: Vec<&Value> =
        json["differences"].as_array().unwrap().iter().filter(|d| d["refuses"] == true).collect();
    assert!(refused.is_empty(), "one machine, one boot, one build: {refused:?}");
}
