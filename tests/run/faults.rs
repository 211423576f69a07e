//! Directories that are not what one would wish: each command says something sound of them, or why it
//! does not, and with which exit code.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;

use forkbench::model::row::{EventKind, Outcome, Phase, Role};
use forkbench::record::append::{Block, Writer};
use forkbench::record::rows::{EventRow, LaunchRow, SampleRow, VariantRow};

use crate::bench::{Bench, Said, finish, is_root};
use crate::directories::{Made, add_column, made};

/// What each command ends with.
struct Exits {
    report: i32,
    show: i32,
    compare: i32,
    archive: i32,
}

/// The directory is as good as any.
const FINE: Exits = Exits { report: 0, show: 0, compare: 0, archive: 0 };

/// It says something, and nothing was measured.
const NOTHING: Exits = Exits { report: 5, show: 5, compare: 5, archive: 5 };

/// What was given is no results directory.
const NONE: Exits = Exits { report: 2, show: 2, compare: 2, archive: 2 };

/// It was one, or is that of another version.
const BROKEN: Exits = Exits { report: 2, show: 2, compare: 5, archive: 2 };

/// The system does not let us.
const REFUSED: Exits = Exits { report: 1, show: 1, compare: 5, archive: 1 };

/// Makes a directory of that name.
type Make = fn(&Bench, &str);

/// Each fault, what the commands end with, and what must be told of it where that is not 0.
static FAULTS: [(&str, Make, Exits, &str); 24] = [
    ("whole", |bench, name| drop(made().write(bench, name)), FINE, ""),
    ("one-mechanism", one_mechanism, FINE, ""),
    ("one-sample", one_sample, FINE, ""),
    ("many-scenarios", many_scenarios, FINE, ""),
    ("counters-refused", counters_refused, FINE, ""),
    ("torn", |b, n| append(b, n, "samples.csv", "1,2,3"), FINE, ""),
    ("no-plan", |b, n| remove(b, n, "plan.toml"), FINE, ""),
    ("no-environment", |b, n| remove(b, n, "environment.toml"), FINE, ""),
    ("keys-of-a-newer-one", newer_keys, FINE, ""),
    ("failed-launches", failed_launches, NOTHING, ""),
    ("failed-samples", failed_samples, NOTHING, ""),
    ("no-blocks", no_blocks, NOTHING, ""),
    ("empty", |b, n| fs::create_dir(b.path(n)).unwrap(), NONE, "there is no such file"),
    ("file", |b, n| fs::write(b.path(n), "x").unwrap(), NONE, "is no directory"),
    ("missing", |_, _| (), NONE, "is no directory"),
    (
        "foreign",
        |b, n| replace(b, n, "launches.csv", "name,age\n"),
        NONE,
        "not a file of forkbench",
    ),
    ("no-samples", |b, n| remove(b, n, "samples.csv"), NONE, "samples.csv: there is no such file"),
    ("no-histograms", |b, n| remove(b, n, "histograms.csv"), NONE, "there is no such file"),
    ("newer-columns", newer_columns, BROKEN, "`mood` are not known"),
    ("newer-plan", newer_plan, BROKEN, "forkbench.plan/7"),
    ("garbled", |b, n| append(b, n, "samples.csv", "1,2,x\n"), BROKEN, "was changed or damaged"),
    ("no-toml", |b, n| replace(b, n, "plan.toml", "vs = \n"), BROKEN, "plan.toml:1: "),
    ("damaged-archive", damaged_archive, BROKEN, "cells.csv.gz: it cannot be unpacked"),
    ("newer-archive", newer_archive, BROKEN, "forkbench.archive/7"),
];

#[test]
fn of_every_directory_each_command_says_something_sound_or_why_it_does_not() {
    let bench = Bench::new();
    made().write(&bench, "sound");
    for (name, make, exits, told) in &FAULTS {
        make(&bench, name);
        expect(&bench, name, exits, told, |arguments| finish(bench.forkbench(arguments)));
        // What there is to say, an archive says too.
        let archive = format!("{name}.archive");
        if exits.archive != 2 {
            let again = Exits { archive: 2, ..*exits };
            expect(&bench, &archive, &again, "", |arguments| finish(bench.forkbench(arguments)));
        }
    }
}

#[test]
fn a_directory_that_may_not_be_read_is_told() {
    let bench = Bench::new();
    made().write(&bench, "sound");
    let closed = made().write(&bench, "closed");
    fs::set_permissions(&closed, Permissions::from_mode(0o000)).unwrap();
    expect(&bench, "closed", &REFUSED, "Permission denied", |arguments| {
        let mut command = bench.public_forkbench(&arguments);
        if is_root() {
            command.uid(65_534).gid(65_534);
        }
        finish(command)
    });
    fs::set_permissions(&closed, Permissions::from_mode(0o755)).unwrap();
}

/// Runs every command on that directory.
fn expect(bench: &Bench, name: &str, exits: &Exits, told: &str, run: impl Fn(Vec<&str>) -> Said) {
    // Its pictures go to a folder of its name, which no directory here has.
    let page = format!("page-of-{name}.md");
    let archive = format!("{name}.archive");
    for (code, arguments) in [
        (exits.report, vec!["report", name, "-o", &page]),
        (exits.show, vec!["show", name]),
        (exits.compare, vec!["compare", "sound", name]),
        (exits.archive, vec!["archive", name, "-o", &archive]),
    ] {
        let command = arguments[0];
        let said = run(arguments);
        assert_eq!(said.code, Some(code), "{command} {name}: {said:#?}");
        assert!(!said.stderr.contains("panicked"), "{command} {name}: {said:#?}");
        let page = fs::read_to_string(bench.path(&page)).unwrap_or_default();
        let text = format!("{}{page}", said.stdout);
        assert!(!text.contains("NaN") && !text.contains("inf "), "{command} {name}: {text}");
        if code != 0 && command != "archive" {
            assert!(said.stderr.contains(told), "{command} {name}: {said:#?}");
        }
        match (command, code) {
            ("report", 0 | 5) => assert!(page.len() > 100, "{name}: {page}"),
            ("report", _) => assert!(page.is_empty(), "{name}: {page}"),
            ("archive", 1 | 2) => {
                assert!(name.ends_with(".archive") || !bench.path(&archive).exists())
            }
            ("show", 0 | 5) => assert!(!said.stdout.is_empty(), "{name}"),
            _ => {}
        }
    }
}

fn one_mechanism(bench: &Bench, name: &str) {
    Made { mechanisms: vec!["vfork"], ..made() }.write(bench, name);
}

fn one_sample(bench: &Bench, name: &str) {
    let one = Made { mechanisms: vec!["vfork"], launches: 1, blocks: 1, samples: 1, ..made() };
    one.write(bench, name);
}

fn many_scenarios(bench: &Bench, name: &str) {
    let variants: Vec<VariantRow> = (0..200)
        .map(|number| VariantRow {
            variant: number,
            scenario: format!("scenario-{number}"),
            label: format!("vfork-{number}"),
            role: Role::Subject,
            shape: "empty".to_owned(),
            mechanism: "vfork".to_owned(),
            image: "noop".to_owned(),
            workload: "spawn".to_owned(),
            copies_pages: false,
            settings: "mechanism=vfork".to_owned(),
        })
        .collect();
    let like = made().write(bench, &format!("{name}-like"));
    let row = first_sample(&like);
    let mut writer = Writer::create(&bench.path(name), &variants).unwrap();
    let samples: Vec<SampleRow> = (0..4 * 200)
        .map(|place| SampleRow {
            variant: place % 200,
            blocked_ns: Some(50_000 + u64::from(place)),
            ..row.clone()
        })
        .collect();
    commit(&mut writer, &like, &samples);
    // It has another scenario than the others, so that it has something to be compared with.
    let more = fs::read_to_string(bench.path(name).join("variants.csv")).unwrap();
    let more = more.replacen("scenario-0,vfork-0,", "spawn,vfork-0,", 1);
    fs::write(bench.path(name).join("variants.csv"), more).unwrap();
}

fn counters_refused(bench: &Bench, name: &str) {
    let path = made().write(bench, name);
    let line = "1,,,refused,,1,perf_event_open: Operation not permitted\n";
    assert!(EventKind::Refused != EventKind::Failed);
    append_to(&path.join("events.csv"), line);
}

fn failed_launches(bench: &Bench, name: &str) {
    let like = made().write(bench, &format!("{name}-like"));
    let variants = variants_of(&like);
    let mut writer = Writer::create(&bench.path(name), &variants).unwrap();
    for launch in 1..=3 {
        writer
            .launch(&LaunchRow {
                launch,
                subject: 0,
                shape: "empty".to_owned(),
                outcome: Outcome::Died,
                detail: "killed by signal 9".to_owned(),
                started_ns: 1,
                setup_ns: None,
                wall_ns: 1,
                steal_ticks: None,
            })
            .unwrap();
    }
    let event = EventRow {
        launch: 1,
        block: None,
        variant: Some(0),
        event: EventKind::Crashed,
        pid: Some(1),
        errno: None,
        evidence: "signal 9".to_owned(),
    };
    writer.events(&[event]).unwrap();
}

fn failed_samples(bench: &Bench, name: &str) {
    let path = made().write(bench, name);
    let text = fs::read_to_string(path.join("samples.csv")).unwrap();
    let lines = text.lines().enumerate().map(|(place, line)| match line.strip_suffix(",0") {
        Some(line) if place > 0 => format!("{line},256\n"),
        _ => format!("{line}\n"),
    });
    fs::write(path.join("samples.csv"), lines.collect::<String>()).unwrap();
}

fn no_blocks(bench: &Bench, name: &str) {
    let path = made().write(bench, name);
    let text = fs::read_to_string(path.join("blocks.csv")).unwrap();
    fs::write(path.join("blocks.csv"), format!("{}\n", text.lines().next().unwrap())).unwrap();
}

fn newer_keys(bench: &Bench, name: &str) {
    let path = made().write(bench, name);
    append_to(
        &path.join("plan.toml"),
        "mood = \"good\"\n[[scenarios]]\nname = \"of the future\"\n",
    );
    append_to(&path.join("environment.toml"), "[weather]\nrain = true\n");
}

fn newer_columns(bench: &Bench, name: &str) {
    add_column(&made().write(bench, name).join("samples.csv"));
}

fn newer_plan(bench: &Bench, name: &str) {
    replace(bench, name, "plan.toml", "schema = \"forkbench.plan/7\"\n");
}

fn archived(bench: &Bench, name: &str) {
    let source = format!("{name}-like");
    made().write(bench, &source);
    finish(bench.forkbench(["archive", &source, "-o", name])).expect(0, &[]);
}

fn damaged_archive(bench: &Bench, name: &str) {
    archived(bench, name);
    let path = bench.path(name).join("cells.csv.gz");
    let content = fs::read(&path).unwrap();
    fs::write(&path, &content[..content.len() / 2]).unwrap();
}

fn newer_archive(bench: &Bench, name: &str) {
    archived(bench, name);
    let path = bench.path(name).join("archive.toml");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("forkbench.archive/1", "forkbench.archive/7")).unwrap();
}

fn remove(bench: &Bench, name: &str, file: &str) {
    fs::remove_file(made().write(bench, name).join(file)).unwrap();
}

fn replace(bench: &Bench, name: &str, file: &str, text: &str) {
    fs::write(made().write(bench, name).join(file), text).unwrap();
}

fn append(bench: &Bench, name: &str, file: &str, text: &str) {
    append_to(&made().write(bench, name).join(file), text);
}

fn append_to(path: &Path, text: &str) {
    let before = fs::read_to_string(path).unwrap();
    fs::write(path, before + text).unwrap();
}

fn variants_of(directory: &Path) -> Vec<VariantRow> {
    forkbench::record::read::Recorded::open(directory).unwrap().variants().unwrap()
}

fn first_sample(directory: &Path) -> SampleRow {
    let mut first = None;
    let mut recorded = forkbench::record::read::Recorded::open(directory).unwrap();
    recorded
        .samples(|_, sample| {
            first.get_or_insert_with(|| sample.clone());
            Ok(())
        })
        .unwrap();
    let first = first.unwrap();
    assert_eq!(first.phase, Phase::Measure);
    first
}

/// A block of these samples, with the row of the first block of another run.
fn commit(writer: &mut Writer, like: &Path, samples: &[SampleRow]) {
    let row = &forkbench::record::read::Recorded::open(like).unwrap().blocks()[0].clone();
    writer.block(Block { row, samples, readings: &[], histograms: &[], events: &[] }).unwrap();
}
