//! Results directories against each other: what `compare` says of them, what `check` judges, and what
//! both refuse.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use serde_json::Value;

use forkbench::model::row::{BlockKind, Outcome, Phase, Role};
use forkbench::record::append::{Block, Writer};
use forkbench::record::floor::{self, Floor, FloorRow};
use forkbench::record::rows::{BlockRow, LaunchRow, SampleRow, VariantRow};

use crate::bench::{Bench, Said, finish};

/// A results directory as a run might have left it, of known times.
#[derive(Clone)]
pub(crate) struct Made {
    pub(crate) mechanisms: Vec<&'static str>,
    pub(crate) launches: u32,
    pub(crate) blocks: u32,
    /// Samples of each variant in a block.
    pub(crate) samples: u32,
    /// What every time is multiplied by.
    pub(crate) factor: f64,
    /// What the times of this mechanism are multiplied by beside it.
    pub(crate) slower: Option<(&'static str, f64)>,
    /// Lines of `environment.toml`, by table and key.
    pub(crate) facts: Vec<(&'static str, &'static str, String)>,
}

/// The machine of every run that is made.
const FINGERPRINT: &str = "0123456789abcdef";

/// A quiet run of the default build.
pub(crate) fn made() -> Made {
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
    pub(crate) fn with(
        mut self,
        table: &'static str,
        key: &'static str,
        value: impl Into<String>,
    ) -> Made {
        self.facts.retain(|fact| (fact.0, fact.1) != (table, key));
        self.facts.push((table, key, value.into()));
        self
    }

    pub(crate) fn write(&self, bench: &Bench, name: &str) -> PathBuf {
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
                settings: match *mechanism {
                    "posix_spawn" => String::new(),
                    mechanism => format!("mechanism={mechanism}"),
                },
            })
            .collect();
        let mut writer = Writer::create(&path, &variants).unwrap();
        let mut environment = toml::Table::new();
        for (table, key, value) in &self.facts {
            let table = environment.entry(*table).or_insert(toml::Table::new().into());
            table.as_table_mut().unwrap().insert((*key).to_owned(), value.clone().into());
        }
        environment.insert("fingerprint".to_owned(), FINGERPRINT.into());
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
pub(crate) fn add_column(path: &Path) {
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
    assert!(markdown.stdout.contains("| posix_spawn | A | 50.0 us |"), "{markdown:#?}");
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

/// Six runs, a percent apart as a whole and less than that in each mechanism, named `base-0` and so
/// on.
fn side(bench: &Bench, name: &str, of: impl Fn(u32) -> Made) -> Vec<String> {
    let one = |run: u32| {
        let name = format!("{name}-{run}");
        let made = of(run);
        let wobble = ["vfork", "posix_spawn", "fork", "clone3"][run as usize % 4];
        let slower = made.slower.or(Some((wobble, 1.003)));
        Made { factor: made.factor * (1.0 + 0.01 * f64::from(run)), slower, ..made }
            .write(bench, &name);
        name
    };
    (0..6).map(one).collect()
}

/// Checks those of `--base` against those of `--cand`.
fn check(bench: &Bench, base: &[String], cand: &[String], more: &[&str]) -> Said {
    let words = |words: &[String]| words.to_vec();
    let mut arguments = vec!["check".to_owned(), "--base".to_owned()];
    arguments.extend(words(base));
    arguments.push("--cand".to_owned());
    arguments.extend(words(cand));
    arguments.extend(more.iter().map(|word| (*word).to_owned()));
    let mut command = bench.forkbench(arguments);
    command.env("XDG_STATE_HOME", bench.path("state"));
    finish(command)
}

fn verdict(bench: &Bench, directory: &str) -> Value {
    let text = fs::read_to_string(bench.path(directory).join("verdict.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// Each row and its verdict.
fn rows(verdict: &Value) -> Vec<(&str, &str)> {
    let rows = verdict["rows"].as_array().unwrap().iter();
    rows.map(|row| (row["row"].as_str().unwrap(), row["verdict"].as_str().unwrap())).collect()
}

#[test]
fn groups_of_runs_are_judged_and_the_verdict_is_kept_with_the_first_candidate() {
    let bench = Bench::new();
    let base = side(&bench, "base", |_| made());
    let same = side(&bench, "same", |_| Made { factor: 1.1, ..made() });
    let said = check(&bench, &base, &same, &["--strict"]);
    said.expect(0, &[]);
    let found = verdict(&bench, "same-0");
    assert_eq!((&found["exit_code"], &found["kind"]), (&0.into(), &"gate".into()), "{said:#?}");
    assert_eq!(found["counts"]["ok"], 8, "two mechanisms, two intervals, two percentiles");
    let row = &found["rows"][0];
    assert_eq!(
        (&row["design"], &row["n_units"], &row["margin"]),
        (&"runs".into(), &6.into(), &0.05.into())
    );
    assert!(
        (row["ratio"].as_f64().unwrap() - 1.0).abs() < 0.01,
        "what all went through is divided out"
    );

    let slow = side(&bench, "slow", |_| Made { slower: Some(("fork", 1.25)), ..made() });
    let said = check(&bench, &base, &slow, &["--on", "blocked.p50"]);
    said.expect(3, &[]);
    let found = verdict(&bench, "slow-0");
    assert_eq!(
        rows(&found),
        [("posix_spawn blocked.p50", "OK"), ("fork blocked.p50", "REGRESSED")]
    );
    assert!(said.stdout.contains("is what posix_spawn is divided by"), "{said:#?}");
    assert!(said.stdout.contains("no floor is stored for this machine"), "{said:#?}");

    let json =
        check(&bench, &slow, &base, &["--on", "blocked.p50", "--format", "json", "--out", "."]);
    json.expect(0, &["IMPROVED 1"]);
    let printed: Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(printed, verdict(&bench, "."));
}

#[test]
fn fewer_than_five_a_side_are_described_and_not_judged() {
    let bench = Bench::new();
    let base = side(&bench, "base", |_| made());
    let cand = side(&bench, "cand", |_| Made { slower: Some(("fork", 2.0)), ..made() });
    for count in [1, 4] {
        let said = check(&bench, &base[..count], &cand, &[]);
        said.expect(5, &[]);
        let text = said.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.contains("are described, not judged"), "{said:#?}");
        assert!(text.contains("1 to 33 % false alarms"), "{said:#?}");
        assert!(text.contains("by the geometric mean over 4 variants"), "{said:#?}");
        let found = verdict(&bench, "cand-0");
        assert_eq!((&found["exit_code"], &found["counts"]["regressed"]), (&5.into(), &0.into()));
        assert!(rows(&found).iter().all(|(_, verdict)| *verdict == "NOT COMPARABLE"));
    }
}

#[test]
fn a_difference_that_nobody_declared_is_not_comparable_and_a_declared_one_is_judged_by_boots() {
    let bench = Bench::new();
    let of = |kernel: &'static str, factor: f64| {
        move |run: u32| {
            Made { factor, ..made() }.with("kernel", "release", kernel).with(
                "kernel",
                "boot_id",
                format!("{kernel}-{run}"),
            )
        }
    };
    let base = side(&bench, "base", of("6.18", 1.0));
    let cand = side(&bench, "cand", of("6.19", 1.3));
    let refused = check(&bench, &base, &cand, &[]);
    refused.expect(5, &[]);
    let reason = verdict(&bench, "cand-0")["reason"].as_str().unwrap().to_owned();
    assert!(reason.contains("kernel.release: 6.18 (base), 6.19 (cand)"), "{reason}");
    assert!(reason.contains("--across kernel"), "{reason}");

    let judged = check(&bench, &base, &cand, &["--across", "kernel", "--on", "blocked.p50"]);
    judged.expect(3, &[]);
    let found = verdict(&bench, "cand-0");
    assert_eq!(rows(&found).len(), 4, "nothing is a reference across a difference");
    assert_eq!(found["rows"][0]["design"], "boots");
    check(&bench, &base, &cand, &["--across", "libc"]).expect(5, &[]);
    let one_boot = side(&bench, "one", |_| made().with("kernel", "release", "6.19"));
    check(&bench, &base, &one_boot, &["--across", "kernel"]).expect(5, &[]);
    let reason = verdict(&bench, "one-0")["reason"].as_str().unwrap().to_owned();
    assert!(reason.starts_with("6 boots of the base and 1 of the candidate"), "{reason}");
}

#[test]
fn real_runs_are_judged() {
    let bench = Bench::new();
    let run = |out: &str| {
        let sampling = ["--launches", "3", "--blocks", "2", "--time", "1s", "--quiet"];
        let arguments = [&["run", "--out", out, "--mechanism", "vfork,posix_spawn"][..], &sampling];
        finish(bench.forkbench(arguments.concat())).expect(0, &[]);
        out.to_owned()
    };
    let names = |side: &str| (0..5).map(|run| format!("{side}-{run}")).collect::<Vec<_>>();
    let (base, cand) = (names("base"), names("cand"));
    for (one, other) in base.iter().zip(&cand) {
        run(one);
        run(other);
    }
    let said = check(&bench, &base, &cand, &["--on", "blocked.p50", "--allow-debug-build"]);
    // The machine may be busy, and then the two differ or nothing can be said: but they are judged.
    assert!(matches!(said.code, Some(0 | 3)), "{said:#?}");
    let found = verdict(&bench, "cand-0");
    let row = &found["rows"][0];
    assert_eq!((&row["row"], &row["design"]), (&"posix_spawn blocked.p50".into(), &"runs".into()));
    assert_ne!(row["verdict"], "NOT COMPARABLE", "{said:#?}");
}

#[test]
fn four_times_the_samples_take_about_four_times_as_long() {
    let bench = Bench::new();
    let of = |samples: u32| move |_| Made { samples, launches: 2, ..made() };
    let (small, large) = (side(&bench, "small", of(250)), side(&bench, "large", of(1000)));
    let took = |side: &[String]| {
        let once = || {
            let started = Instant::now();
            check(&bench, &side[..3], &side[3..], &[]).expect(5, &[]);
            started.elapsed()
        };
        (0..3).map(|_| once()).min().unwrap().as_secs_f64()
    };
    let (small, large) = (took(&small), took(&large));
    assert!(large < 10.0 * small, "{small:.3} s, and of four times as many {large:.3} s");
}

#[test]
fn what_is_asked_wrongly_of_groups_is_wrong_usage_and_nothing_is_written() {
    let bench = Bench::new();
    let base = side(&bench, "base", |_| made());
    let cand = side(&bench, "cand", |_| made());
    fs::create_dir(bench.path("empty")).unwrap();
    let own = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    for (other, text) in [
        (own(&["base-1", "cand-1"]), "base-1 is the same directory as base-1"),
        (own(&["cand-1", "cand-1/."]), "is the same directory as cand-1"),
        (own(&["nowhere"]), "nowhere is no directory"),
        (own(&["empty"]), "empty/blocks.csv: there is no such file"),
        (own(&["rss=1G"]), "rss=1G is no directory"),
    ] {
        check(&bench, &base, &other, &[]).expect(2, &[text]);
    }
    for (more, text) in [
        (&["--across", "kernal"][..], "did you mean `kernel`"),
        (&["--reference", "system"], "they have clone3, fork, posix_spawn, vfork"),
        (&["--confirm"], "--confirm is for sides that are measured now"),
        (&["--rss", "1G"], "--rss is for sides that are measured now"),
        (&["--on", "blockd"], "did you mean `blocked`"),
    ] {
        check(&bench, &base, &cand, more).expect(2, &[text]);
    }
    let knobs = ["check", "--base", "rss=0", "--cand", "rss=1M", "--across", "kernel"];
    finish(bench.forkbench(knobs)).expect(2, &["--across is for results directories"]);
    assert!(!bench.path("cand-0").join("verdict.json").exists());
}

#[test]
fn a_group_with_a_directory_that_cannot_be_used_is_not_comparable() {
    let bench = Bench::new();
    let base = side(&bench, "base", |_| made());
    let cand = side(&bench, "cand", |_| made().with("tool", "version", "9.8.7"));
    let reason = || verdict(&bench, "cand-0")["reason"].as_str().unwrap().to_owned();
    // A newer one made all of them.
    check(&bench, &base, &cand, &[]).expect(5, &[]);
    assert!(reason().contains("--across build"), "{}", reason());
    let path = bench.path("cand-2").join("samples.csv");
    let whole = fs::read_to_string(&path).unwrap();
    add_column(&path);
    check(&bench, &base, &cand, &[]).expect(5, &[]);
    assert!(reason().contains("cand-2/samples.csv:1: the columns `mood`"), "{}", reason());
    assert!(reason().ends_with("forkbench 9.8.7 made it"), "{}", reason());
    fs::write(&path, whole.replace("measure", "measur")).unwrap();
    check(&bench, &base, &cand, &[]).expect(5, &[]);
    assert!(reason().contains("cand-2/samples.csv:2: "), "{}", reason());

    let debug = side(&bench, "debug", |_| made().with("tool", "build_profile", "debug"));
    check(&bench, &base, &debug, &[]).expect(5, &[]);
    let reason = verdict(&bench, "debug-0")["reason"].as_str().unwrap().to_owned();
    assert!(reason.contains("--allow-debug-build"), "{reason}");
}

#[test]
fn a_side_that_failed_to_measure_is_no_pass() {
    let bench = Bench::new();
    let base = side(&bench, "base", |_| made());
    let cand = side(&bench, "cand", |run| match run {
        4 => Made { mechanisms: vec!["vfork", "posix_spawn", "clone3"], ..made() },
        _ => made(),
    });
    check(&bench, &base, &cand, &["--on", "blocked.p50"]).expect(5, &[]);
    let found = verdict(&bench, "cand-0");
    let expected = [("posix_spawn blocked.p50", "OK"), ("fork blocked.p50", "NOT COMPARABLE")];
    assert_eq!(rows(&found), expected);
    assert_eq!(found["rows"][1]["why"], "cand-4: it is not in this run");

    // One launch of one block, and others of many: each is one run.
    let uneven = side(&bench, "uneven", |run| Made { launches: 1 + run, blocks: 1, ..made() });
    check(&bench, &base, &uneven, &["--on", "blocked.p50"]).expect(0, &[]);
    let nothing = bench.path("uneven-3").join("blocks.csv");
    let text = fs::read_to_string(&nothing).unwrap();
    fs::write(&nothing, format!("{}\n", text.lines().next().unwrap())).unwrap();
    check(&bench, &base, &uneven, &[]).expect(5, &[]);
    let reason = verdict(&bench, "uneven-0")["reason"].as_str().unwrap().to_owned();
    assert_eq!(reason, "uneven-3: nothing was measured");
}

#[test]
fn a_verdict_that_cannot_be_written_is_a_failure() {
    let bench = Bench::new();
    let base = side(&bench, "base", |_| made());
    let cand = side(&bench, "cand", |_| made());
    check(&bench, &base, &cand, &["--out", "nowhere"]).expect(1, &["the verdict is not kept"]);
}

#[test]
fn the_floor_of_the_machine_widens_the_margin() {
    let bench = Bench::new();
    let base = side(&bench, "base", |_| made());
    let cand = side(&bench, "cand", |_| Made { slower: Some(("fork", 1.25)), ..made() });
    let floor = Floor {
        schema: floor::SCHEMA.to_owned(),
        fingerprint: FINGERPRINT.to_owned(),
        date: "2026-11-24T06:00:00Z".to_owned(),
        version: "0.1.0".to_owned(),
        rows: vec![FloorRow {
            mechanism: "fork".to_owned(),
            shape: "empty".to_owned(),
            quantity: "blocked.p50".parse().unwrap(),
            reference: Some("clone3".to_owned()),
            runs: 20,
            log_ratio: 1.4_f64.ln(),
        }],
    };
    let path = bench.path("state").join(format!("forkbench/floor-{FINGERPRINT}.json"));
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, serde_json::to_string(&floor).unwrap()).unwrap();
    check(&bench, &base, &cand, &["--on", "blocked.p50"]).expect(0, &[]);
    let found = verdict(&bench, "cand-0");
    assert_eq!(rows(&found)[1], ("fork blocked.p50", "OK"));
    assert!((found["rows"][1]["margin"].as_f64().unwrap() - 0.4).abs() < 1e-9);
}
