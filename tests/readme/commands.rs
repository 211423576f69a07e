//! Every command of forkbench that a document shows is one, and runs.
//!
//! What is changed about a command before it is run stands in CONTRIBUTING.md, under "Documents".

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use clap::Parser;
use clap::error::ErrorKind;
use tempfile::TempDir;

use forkbench::command::Cli;
use forkbench::drive::library::SHIPPED;
use forkbench::model::units::Size;

use crate::documents::{Block, DOCUMENTS, blocks, quoted, read, root};

#[test]
fn every_command_of_the_documents_is_understood() {
    let mut understood = 0;
    for document in DOCUMENTS {
        let in_blocks = blocks(document);
        let in_blocks = in_blocks.iter().flat_map(|block| {
            block.commands().into_iter().map(|shown| (block.place.clone(), shown.arguments, true))
        });
        // In the text a command may stand for many: a word of it is a place for others, or left out.
        let in_text = quoted(&read(document)).into_iter().filter_map(|text| {
            let arguments = shlex::split(text.strip_prefix("forkbench ")?)?;
            let is_place = |word: &String| {
                word.contains("..") || word.chars().all(|c| c.is_ascii_uppercase() || c == '.')
            };
            let is_filled = !arguments.iter().any(is_place);
            is_filled.then(|| (document.to_owned(), arguments, false))
        });
        for (place, arguments, is_whole) in in_blocks.chain(in_text) {
            // What the parts of forkbench say to each other is no part of its command line.
            if arguments.first().is_some_and(|word| word.starts_with("__")) {
                continue;
            }
            let words = ["forkbench"].into_iter().chain(arguments.iter().map(String::as_str));
            if let Err(error) = Cli::try_parse_from(words) {
                let ends_in_a_flag = arguments.last().is_some_and(|word| word.starts_with("--"));
                let is_known = match error.kind() {
                    ErrorKind::DisplayHelp => true,
                    ErrorKind::MissingRequiredArgument => !is_whole,
                    ErrorKind::InvalidValue => !is_whole && ends_in_a_flag,
                    _ => false,
                };
                assert!(is_known, "{place}: forkbench {arguments:?}:\n{error}");
            }
            understood += 1;
        }
    }
    assert!(understood >= 60, "only {understood} commands were found");
}

#[test]
fn scripts_and_examples_that_are_called_exist() {
    for block in DOCUMENTS.iter().flat_map(|document| blocks(document)) {
        for word in block.text.split_whitespace().map(|word| word.trim_matches('\'')) {
            let is_ours = ["scripts/", "examples/", "tests/"].iter().any(|at| word.starts_with(at));
            if block.language == "sh" && is_ours {
                assert!(root().join(word).exists(), "{}: there is no {word}", block.place);
            }
        }
    }
}

#[test]
fn the_commands_of_the_readme_run() {
    run_commands_of("README.md", 10);
}

#[test]
fn the_commands_of_the_tutorial_run_one_after_the_other() {
    run_commands_of("TUTORIAL.md", 25);
}

#[test]
fn the_commands_of_the_methodology_run() {
    run_commands_of("METHODOLOGY.md", 5);
}

#[test]
fn the_commands_about_scenarios_run() {
    run_commands_of("SCENARIOS.md", 2);
}

#[test]
fn the_commands_about_formats_run() {
    run_commands_of("FORMAT.md", 0);
}

#[test]
fn the_commands_that_take_a_bias_back_run() {
    run_commands_of("BIAS.md", 20);
}

#[test]
fn the_commands_for_contributors_run() {
    run_commands_of("CONTRIBUTING.md", 1);
}

/// Runs them in their order, in a directory of their own, and sees that there are so many.
fn run_commands_of(document: &str, at_least: usize) {
    let place = tempfile::tempdir().unwrap();
    sample_run(&place);
    let mut run = 0;
    for block in blocks(document) {
        if let (Some(name), true) = (block.name(), block.language == "toml") {
            // Sizes as in what is run.
            let text = block.text.replace("rss = \"1G\"", "rss = \"16M\"");
            fs::write(place.path().join(name), text).unwrap();
        }
        if let Some(reason) = &block.not_run {
            assert!(!reason.is_empty(), "{}: why is it not run?", block.place);
            continue;
        }
        for line in block.lines_of_the_shell() {
            run_in_shell(place.path(), &line, &block.place);
            run += 1;
        }
        for shown in block.commands() {
            let out = format!("out-{run}");
            let arguments = shrink(&shown.arguments, place.path(), &out);
            let input = match &shown.input {
                None => Stdio::null(),
                Some(name) => File::open(place.path().join(name)).unwrap().into(),
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
            let file = arguments.iter().position(|word| *word == "-o").map(|at| arguments[at + 1]);
            match file {
                Some(file) => {
                    assert!(place.path().join(file).exists(), "{}: no {file}", block.place)
                }
                None => {
                    assert!(!output.stdout.is_empty(), "{}: {arguments:?} is silent", block.place);
                }
            }
            run += 1;
        }
    }
    assert!(run >= at_least, "only {run} commands were found in {document}");
}

/// A command of forkbench, as a document shows it.
struct Shown {
    arguments: Vec<String>,
    /// The file behind `<`.
    input: Option<String>,
}

impl Block {
    /// The commands of forkbench in a block of `sh`.
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
                "<" => shown.input = Some(words.next().expect("a name behind <")),
                _ => shown.arguments.push(word),
            }
        }
        Some(shown)
    }

    /// The lines of a block of `sh` that look at the process `PID`.
    fn lines_of_the_shell(&self) -> Vec<String> {
        let lines = self.text.lines().filter(|line| self.language == "sh" && line.contains("$PID"));
        lines.map(str::to_owned).collect()
    }
}

fn run_in_shell(place: &Path, line: &str, shown_at: &str) {
    let mut shell = Command::new("sh");
    shell.args(["-c", line]).env("PID", std::process::id().to_string()).current_dir(place);
    let output = shell.output().unwrap();
    assert!(output.status.success(), "{shown_at}: {line}: {output:?}");
    assert!(!output.stdout.is_empty(), "{shown_at}: {line} prints nothing");
}

/// A command that asks for a tour of the machine, made short.
fn shrink(arguments: &[String], place: &Path, out: &str) -> Vec<String> {
    let is = |command: &str| arguments.first().is_some_and(|word| word == command);
    let has = |flag: &str| arguments.iter().any(|word| word == flag);
    let measures = is("run") && !has("--resume");
    let of_directories =
        arguments.windows(2).any(|pair| pair[0] == "--base" && is_results(&pair[1]));
    let checks = is("check") && has("--cand") && !of_directories;
    let makes_hazards = is("hazard") && !has("--resume") && !has("--symbols");
    let mut shrunk: Vec<String> = Vec::new();
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--time" | "--launches" | "--blocks" if measures || checks => {
                words.next();
            }
            // So short a check decides nothing, which is no failure.
            "--strict" if checks => {}
            "--forks" | "--birth" if makes_hazards => {
                words.next();
            }
            "--out" => shrunk.extend(["--out".to_owned(), words.next().expect("a DIR").clone()]),
            "--rss" => {
                let sizes = words.next().expect("a value of --rss").split(',').map(|size| {
                    let bytes = size.parse::<Size>().unwrap().bytes() / 64;
                    (bytes / 4096 * 4096).to_string()
                });
                shrunk.extend(["--rss".to_owned(), sizes.collect::<Vec<_>>().join(",")]);
            }
            path if is_results(path) => {
                // One that a command above has made, else the sample; the second is another one.
                let other = shrunk.iter().any(|word| word == SAMPLE);
                let path = match place.join(path).exists() {
                    true => path,
                    false if other => AGAIN,
                    false => SAMPLE,
                };
                shrunk.push(path.to_owned());
            }
            "check" => {
                shrunk.push(word.clone());
                shrunk.extend(cfg!(debug_assertions).then(|| "--allow-debug-build".to_owned()));
            }
            _ => shrunk.push(word.clone()),
        }
    }
    let mut more: Vec<&str> = Vec::new();
    if measures || checks || makes_hazards {
        more.extend(if has("--out") { vec![] } else { vec!["--out", out] });
    }
    if measures {
        more.extend(["--time", "1s"]);
        // A scenario may ask for more memory than a test should take.
        let first = arguments.get(1).map_or("", String::as_str);
        let scenario = SHIPPED.iter().find(|one| one.name == first);
        let has_memory = scenario.is_some_and(|one| one.text.contains("\nrss = "));
        more.extend(if has_memory && !has("--rss") { vec!["--rss", "16M"] } else { vec![] });
    }
    if measures || checks {
        more.extend(["--launches", "1", "--blocks", "1"]);
    }
    if makes_hazards {
        if arguments.get(1).is_none_or(|word| word.starts_with("--")) {
            more.push("mutex");
        }
        more.extend(["--forks", "5", "--birth", "fork,posix_spawn"]);
    }
    if is("validate") {
        more.extend(["--aa", "1", "--seeded", "0", "--time", "1s", "--out", out]);
    }
    shrunk.extend(more.into_iter().map(str::to_owned));
    shrunk
}

fn is_results(word: &str) -> bool {
    word.starts_with("results/")
}

/// A small run with a claim, for the commands that show, check or resume one.
const SAMPLE: &str = "sample";
/// A copy of it, which is as good as another run of it.
const AGAIN: &str = "again";

/// Makes the sample and its copy, and what the commands of checks compare.
fn sample_run(place: &TempDir) {
    let scenario = "about = 'a sample'\nrss = ['0', '1M']\n\
                    mechanism = ['fork', 'vfork', 'posix_spawn']\n\
                    [[claim]]\nname = 'a fork is no affair of seconds'\nvalue = 'blocked.p50'\n\
                    at = { mechanism = 'fork', rss = '1M' }\nat-most = '5s'\n";
    fs::write(place.path().join("sample.toml"), scenario).unwrap();
    let short = ["--time", "1s", "--launches", "1", "--blocks", "1", "--quiet", "--out", SAMPLE];
    let arguments = [&["run", "sample.toml"], &short[..]].concat();
    let output = forkbench(place.path(), &arguments, Stdio::null());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let helper = root().join("examples/extern/spawn_server.sh");
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
    copy_files(&place.path().join(SAMPLE), &place.path().join(AGAIN));
}

/// Copies the files of a directory, not those of directories in it.
pub(crate) fn copy_files(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_file() {
            fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

/// Runs forkbench in that directory.
pub(crate) fn forkbench(place: &Path, arguments: &[&str], input: Stdio) -> Output {
    Command::new(env!("CARGO_BIN_EXE_forkbench"))
        .args(arguments)
        .current_dir(place)
        .stdin(input)
        .output()
        .unwrap()
}
