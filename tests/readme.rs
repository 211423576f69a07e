//! The documents agree with the program: every command that they show is run and succeeds, every
//! table names what the registries hold, every link leads somewhere.
//!
//! What is changed about a command before it is run stands in CONTRIBUTING.md, under "Documents".

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde::de::DeserializeOwned;
use tempfile::TempDir;

use forkbench::measure::mechanism::MECHANISMS;
use forkbench::measure::reading::{PLACES, READINGS};
use forkbench::model::interval::Interval;
use forkbench::model::knob::KNOBS;
use forkbench::model::row::{BlockKind, EventKind, Outcome, Phase, Role, Scope};
use forkbench::model::scenario::parse::{KINDS, parse};
use forkbench::model::units::Size;
use forkbench::record::rows::all_files;
use forkbench::show::formats::FORMATS;
use forkbench::show::warning::WORDS;

const DOCUMENTS: [&str; 7] = [
    "README.md",
    "SCENARIOS.md",
    "METHODOLOGY.md",
    "FORMAT.md",
    "BIAS.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
];

#[test]
fn every_command_of_the_documents_is_run_and_succeeds() {
    let place = tempfile::tempdir().unwrap();
    let sample = sample_run(&place);
    let mut run = 0;
    for block in DOCUMENTS.iter().flat_map(|document| blocks(document)) {
        if let Some(reason) = &block.not_run {
            assert!(!reason.is_empty(), "{}: why is it not run?", block.place);
            continue;
        }
        for shown in block.commands() {
            let out = format!("out-{run}");
            let arguments = shrink(&shown.arguments, &sample, &out);
            let input = match &shown.input {
                None => Stdio::null(),
                Some(text) => {
                    let path = place.path().join("input");
                    fs::write(&path, text).unwrap();
                    File::open(path).unwrap().into()
                }
            };
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            let output = forkbench(place.path(), &arguments, input);
            assert!(
                output.status.success(),
                "{}: forkbench {arguments:?} ended with {}:\n{}",
                block.place,
                output.status,
                String::from_utf8_lossy(&output.stderr)
            );
            assert!(!output.stdout.is_empty(), "{}: {arguments:?} prints nothing", block.place);
            run += 1;
        }
    }
    assert!(run >= 15, "only {run} commands were found");
}

#[test]
fn the_readme_opens_with_its_two_commands() {
    let blocks = blocks("README.md");
    assert_eq!(blocks[0].language, "sh");
    assert_eq!(blocks[0].text, "cargo run --release -- run --rss 1G\ncargo test\n");
}

#[test]
fn the_screen_in_the_readme_is_a_whole_one() {
    let screen = blocks("README.md").into_iter().find(|block| block.language == "text").unwrap();
    for part in ["fork", "blocked, vs", "trust ", "next "] {
        assert!(screen.text.contains(part), "{part:?} is missing from the screen");
    }
    assert!(screen.text.lines().all(|line| line.chars().count() <= 100));
}

#[test]
fn every_file_and_column_is_described_in_its_order() {
    let format = read("FORMAT.md");
    for file in all_files() {
        let section = section(&format, &format!("## {}\n", file.name));
        let columns: Vec<&str> = file.columns.iter().map(|column| column.name).collect();
        assert_eq!(first_cells(section, "column"), columns, "{}", file.name);
    }
}

#[test]
fn the_scenario_that_is_shown_is_one_and_its_keys_are_described() {
    let scenario = blocks("SCENARIOS.md").into_iter().find(|block| block.language == "toml");
    let text = scenario.expect("a scenario").text;
    let scenario = parse("shown", "SCENARIOS.md", &text).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!((scenario.axes.len(), scenario.claims.len()), (3, 2));
    let described: BTreeSet<String> =
        table(&read("SCENARIOS.md"), "key").iter().flat_map(|cells| quoted(&cells[0])).collect();
    for key in text.lines().filter_map(|line| line.strip_prefix('[')) {
        let key = key.trim_start_matches('[').split(']').next().unwrap();
        let key = key.split('.').next().unwrap();
        assert!(described.iter().any(|known| known.contains(key)), "{key} is not described");
    }
    let mut estimates: Vec<String> = first_cells(&read("SCENARIOS.md"), "estimate");
    estimates.sort();
    let mut kinds = KINDS.map(str::to_owned);
    kinds.sort();
    assert_eq!(estimates, kinds);
}

#[test]
fn every_closed_list_of_words_is_complete() {
    let format = read("FORMAT.md");
    for (file, column, words) in [
        ("variants.csv", "role", words_of::<Role>()),
        ("launches.csv", "outcome", words_of::<Outcome>()),
        ("blocks.csv", "kind", words_of::<BlockKind>()),
        ("samples.csv", "phase", words_of::<Phase>()),
        ("readings.csv", "scope", words_of::<Scope>()),
        ("events.csv", "event", words_of::<EventKind>()),
    ] {
        let section = section(&format, &format!("## {file}\n"));
        let row = table(section, "column")
            .into_iter()
            .find(|cells| cells[0] == format!("`{column}`"))
            .unwrap();
        assert_eq!(quoted(&row[1]), words, "{file}: {column}");
    }
}

#[test]
fn readings_mechanisms_knobs_warnings_and_stamps_are_those_of_the_registries() {
    let format = read("FORMAT.md");
    let readings: Vec<&str> = READINGS.iter().map(|reading| reading.name).collect();
    assert_eq!(first_cells(&format, "reading"), readings);
    assert_eq!(first_cells(&format, "at"), PLACES);

    let methodology = read("METHODOLOGY.md");
    let mechanisms: Vec<&str> = MECHANISMS.iter().map(|mechanism| mechanism.name).collect();
    assert_eq!(first_cells(&methodology, "mechanism"), mechanisms);
    let warnings: BTreeSet<String> =
        table(&methodology, "word").iter().flat_map(|cells| quoted(&cells[0])).collect();
    let words: BTreeSet<String> = WORDS.iter().map(|word| (*word).to_owned()).collect();
    assert_eq!(warnings, words);
    let stamps: Vec<String> =
        table(&methodology, "stamp").iter().flat_map(|cells| quoted(&cells[1])).collect();
    for interval in Interval::ALL {
        assert!(stamps.iter().any(|column| column == interval.column()), "{interval:?}");
    }

    let knobs: Vec<String> = KNOBS.iter().map(|knob| format!("--{}", knob.name)).collect();
    assert_eq!(first_cells(&read("README.md"), "knob"), knobs);
}

#[test]
fn the_columns_of_the_csv_format_are_described_in_their_order() {
    let place = tempfile::tempdir().unwrap();
    let sample = sample_run(&place);
    let output = forkbench(place.path(), &["show", &sample, "--format", "csv"], Stdio::null());
    let text = String::from_utf8(output.stdout).unwrap();
    let header: Vec<&str> = text.lines().next().unwrap().split(',').collect();
    let format = read("FORMAT.md");
    let section = section(&format, "## What `--format csv` prints\n");
    assert_eq!(first_cells(section, "column"), header);
}

#[test]
fn every_flag_format_and_subcommand_that_is_named_exists() {
    let place = tempfile::tempdir().unwrap();
    let help = |arguments: &[&str]| -> String {
        let output = forkbench(place.path(), arguments, Stdio::null());
        assert!(output.status.success(), "{arguments:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let top = help(&["--help"]);
    let commands: Vec<&str> = section(&top, "Commands:\n")
        .lines()
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split_whitespace().next())
        .filter(|command| *command != "help")
        .collect();
    let readme = read("README.md");
    for command in &commands {
        assert!(readme.contains(&format!("forkbench {command}")), "README has no {command}");
    }
    let helps: String = commands.iter().map(|command| help(&[command, "--help"])).collect();
    // `--flag` between backticks, whatever stands behind it there.
    let own = ["--release", "--path"];
    for document in DOCUMENTS {
        let text = read(document);
        for flag in quoted(&text).iter().filter(|text| text.starts_with("--")) {
            let flag = flag.split([' ', '=']).next().unwrap();
            assert!(helps.contains(flag) || own.contains(&flag), "{document}: no {flag}");
        }
        for named in quoted(&text).iter().filter_map(|text| text.strip_prefix("forkbench ")) {
            let command = named.split(' ').next().unwrap();
            assert!(commands.contains(&command), "{document}: no forkbench {command}");
        }
    }
    for format in &FORMATS {
        assert!(readme.contains(&format!("`{}`", format.name)), "README has no {}", format.name);
    }
}

#[test]
fn every_link_leads_somewhere() {
    let mut links = 0;
    for document in DOCUMENTS {
        let text = without_blocks(&read(document));
        for (_, rest) in text.match_indices("](").map(|(at, _)| text.split_at(at + 2)) {
            let target = rest.split(')').next().unwrap();
            if target.starts_with("http") {
                continue;
            }
            let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
            let path = if path.is_empty() { document } else { path };
            let headings: Vec<String> = without_blocks(&read(path))
                .lines()
                .filter(|line| line.starts_with('#'))
                .map(|line| slug(line.trim_start_matches('#').trim()))
                .collect();
            assert!(
                anchor.is_empty() || headings.iter().any(|heading| heading == anchor),
                "{document}: {target} leads nowhere"
            );
            links += 1;
        }
    }
    assert!(links >= 20, "only {links} links were found");
}

/// A fenced block of a document.
struct Block {
    /// Where it stands, for messages.
    place: String,
    language: String,
    text: String,
    /// The blocks of TOML before it in the document.
    inputs: Vec<String>,
    /// Why it is not to be run.
    not_run: Option<String>,
}

/// A command of forkbench, as a document shows it.
struct Shown {
    arguments: Vec<String>,
    input: Option<String>,
}

impl Block {
    fn commands(&self) -> Vec<Shown> {
        if self.language != "sh" {
            return Vec::new();
        }
        let joined = self.text.replace("\\\n", " ");
        joined.lines().filter_map(|line| self.command(line)).collect()
    }

    fn command(&self, line: &str) -> Option<Shown> {
        let words = shlex::split(line).unwrap_or_else(|| panic!("{}: {line}", self.place));
        let first = match words.first()?.as_str() {
            "forkbench" => 1,
            "cargo" if words.get(1).is_some_and(|word| word == "run") => {
                words.iter().position(|word| word == "--").expect("arguments behind --") + 1
            }
            _ => return None,
        };
        let mut shown = Shown { arguments: Vec::new(), input: None };
        let mut words = words.into_iter().skip(first);
        while let Some(word) = words.next() {
            match word.as_str() {
                "|" | ">" => break,
                "<" => {
                    let title = format!("# {}", words.next().expect("a name behind <"));
                    let input = self.inputs.iter().rev().find(|text| text.starts_with(&title));
                    shown.input = Some(input.expect("a block of that name above").clone());
                }
                _ => shown.arguments.push(word),
            }
        }
        Some(shown)
    }
}

/// A command that asks for a tour of the machine, made short.
fn shrink(arguments: &[String], sample: &str, out: &str) -> Vec<String> {
    let is_run = arguments.first().is_some_and(|word| word == "run");
    let resumes = arguments.iter().any(|word| word == "--resume");
    let is_hazard = arguments.first().is_some_and(|word| word == "hazard");
    let makes_hazards = is_hazard && !resumes && arguments.iter().all(|word| word != "--symbols");
    let is_check = arguments.first().is_some_and(|word| word == "check");
    let measures = is_check
        && arguments.iter().any(|word| word == "--cand")
        && !arguments.iter().any(|word| word.starts_with("results/"));
    let mut shrunk = Vec::new();
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--time" | "--launches" | "--blocks" | "--out" if is_run => {
                words.next();
            }
            // So short a check decides nothing, which is no failure.
            "--strict" if measures => {}
            "--time" | "--launches" | "--blocks" | "--out" if measures => {
                words.next();
            }
            "--forks" | "--birth" | "--out" if makes_hazards => {
                words.next();
            }
            "--rss" => {
                let sizes = words.next().expect("a value of --rss").split(',').map(|size| {
                    let bytes = size.parse::<Size>().unwrap().bytes() / 64;
                    (bytes / 4096 * 4096).to_string()
                });
                shrunk.extend(["--rss".to_owned(), sizes.collect::<Vec<_>>().join(",")]);
            }
            // The second run of a comparison is another one.
            path if path.starts_with("results/") && shrunk.iter().any(|word| word == sample) => {
                shrunk.push(AGAIN.to_owned());
            }
            path if path.starts_with("results/") => shrunk.push(sample.to_owned()),
            "check" => {
                let allow = cfg!(debug_assertions).then(|| "--allow-debug-build".to_owned());
                shrunk.push(word.clone());
                shrunk.extend(allow);
            }
            _ => shrunk.push(word.clone()),
        }
    }
    if is_run && !resumes {
        let short = ["--time", "1s", "--launches", "1", "--blocks", "1", "--out", out];
        shrunk.extend(short.map(str::to_owned));
    }
    if measures {
        let short = ["--launches", "1", "--blocks", "1", "--out", out];
        shrunk.extend(short.map(str::to_owned));
    }
    if makes_hazards {
        if arguments.get(1).is_none_or(|word| word.starts_with("--")) {
            shrunk.push("mutex".to_owned());
        }
        let short = ["--forks", "5", "--birth", "fork,posix_spawn", "--out", out];
        shrunk.extend(short.map(str::to_owned));
    }
    shrunk
}

/// A copy of the small run, which is as good as another run of it.
const AGAIN: &str = "again";

/// A small run with a claim, for the commands that show, check or resume one, and a copy of it.
fn sample_run(place: &TempDir) -> String {
    let scenario = "about = 'a sample'\nrss = ['0', '1M']\n\
                    mechanism = ['fork', 'vfork', 'posix_spawn']\n\
                    [[claim]]\nname = 'a fork is no affair of seconds'\nvalue = 'blocked.p50'\n\
                    at = { mechanism = 'fork', rss = '1M' }\nat-most = '5s'\n";
    fs::write(place.path().join("sample.toml"), scenario).unwrap();
    let arguments = [
        "run",
        "sample.toml",
        "--time",
        "1s",
        "--launches",
        "1",
        "--blocks",
        "1",
        "--quiet",
        "--out",
        "sample",
    ];
    let output = forkbench(place.path(), &arguments, Stdio::null());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    // What the commands of checks compare.
    let helper = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/extern/spawn_server.sh");
    for (from, to) in [
        (Path::new("/bin/true"), "old"),
        (Path::new("/bin/true"), "new"),
        (&helper, "old-spawner"),
        (&helper, "new-spawner"),
    ] {
        let to = place.path().join(to);
        fs::copy(from, &to).unwrap();
        fs::set_permissions(&to, fs::Permissions::from_mode(0o755)).unwrap();
    }
    fs::create_dir(place.path().join(AGAIN)).unwrap();
    for entry in fs::read_dir(place.path().join("sample")).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_file() {
            fs::copy(entry.path(), place.path().join(AGAIN).join(entry.file_name())).unwrap();
        }
    }
    "sample".to_owned()
}

fn forkbench(place: &Path, arguments: &[&str], input: Stdio) -> Output {
    Command::new(env!("CARGO_BIN_EXE_forkbench"))
        .args(arguments)
        .current_dir(place)
        .stdin(input)
        .output()
        .unwrap()
}

fn read(document: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(document);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The fenced blocks of a document, in order.
fn blocks(document: &str) -> Vec<Block> {
    let text = read(document);
    let mut blocks: Vec<Block> = Vec::new();
    let mut lines = text.lines().enumerate();
    let mut before = "";
    while let Some((number, line)) = lines.next() {
        if let Some(language) = line.strip_prefix("```") {
            let inside: Vec<&str> =
                lines.by_ref().map(|(_, line)| line).take_while(|line| *line != "```").collect();
            let inputs = blocks.iter().filter(|block| block.language == "toml");
            let reason = before.strip_prefix("<!-- not run:");
            blocks.push(Block {
                place: format!("{document}:{}", number + 1),
                language: language.to_owned(),
                text: inside.iter().map(|line| format!("{line}\n")).collect(),
                inputs: inputs.map(|block| block.text.clone()).collect(),
                not_run: reason.map(|text| text.trim_end_matches("-->").trim().to_owned()),
            });
        }
        before = line;
    }
    blocks
}

fn without_blocks(text: &str) -> String {
    text.split("```").step_by(2).collect()
}

/// What stands between a heading and the next one of its kind.
fn section<'a>(text: &'a str, heading: &str) -> &'a str {
    let (_, rest) =
        text.split_once(heading).unwrap_or_else(|| panic!("there is no heading {heading:?}"));
    rest.split("\n## ").next().unwrap()
}

/// The rows of the first table whose first heading is `title`, cells trimmed.
fn table(text: &str, title: &str) -> Vec<Vec<String>> {
    let start = format!("| {title} |");
    let rows: Vec<Vec<String>> = text
        .lines()
        .skip_while(|line| !line.starts_with(&start))
        .skip(2)
        .take_while(|line| line.starts_with('|'))
        .map(|line| line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect())
        .collect();
    assert!(!rows.is_empty(), "there is no table of {title}");
    rows
}

/// The first cells of a table, each one name between backticks.
fn first_cells(text: &str, title: &str) -> Vec<String> {
    table(text, title).iter().map(|cells| cells[0].trim_matches('`').to_owned()).collect()
}

/// What stands between backticks, outside fenced blocks.
fn quoted(text: &str) -> Vec<String> {
    without_blocks(text).split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// All words of a closed list, which serde tells when it is given another one.
fn words_of<T: DeserializeOwned + std::fmt::Debug>() -> Vec<String> {
    let error = serde_json::from_str::<T>("\"no such word\"").unwrap_err().to_string();
    let (_, expected) = error.split_once("expected").unwrap();
    quoted(expected)
}

/// The anchor of a heading, as the forges make it.
fn slug(heading: &str) -> String {
    heading
        .to_lowercase()
        .chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}
