//! The recipes of `scripts/ci`, which users copy: they run, they say in words how a check ended, and
//! every command in them is one.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::bench::{Bench, Said, finish, skip};

fn recipe(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("scripts/ci").join(name)
}

/// The shell recipe with that program in place of forkbench.
fn shell(bench: &Bench, program: &str, arguments: &[&str]) -> Said {
    let mut command = Command::new("sh");
    command.arg(recipe("check.sh")).args(arguments);
    command.env("FORKBENCH", program).current_dir(bench.path("."));
    finish(command)
}

#[test]
fn the_shell_recipe_says_every_exit_code_in_words() {
    let bench = Bench::new();
    for (code, words) in [
        (0, "no regression"),
        (1, "failed at run time"),
        (2, "wrong usage"),
        (3, "REGRESSED"),
        (4, "INCONCLUSIVE"),
        (5, "NOT COMPARABLE"),
        (130, "interrupted"),
        (139, "should not"),
    ] {
        let program = bench.executable("stub", format!("#!/bin/sh\necho \"$@\"\nexit {code}\n"));
        for (mode, flags) in [
            ("sides", "check --base a=b --confirm --strict --out "),
            ("directories", "check --base a=b --strict --export md=forkbench-results/comment.md"),
        ] {
            let said = shell(&bench, program.to_str().unwrap(), &[mode, "--base", "a=b"]);
            said.expect(code, &[words, &format!("(exit {code})")]);
            assert!(said.stdout.starts_with(flags), "{said:?}");
        }
    }
    shell(&bench, "./no-such-program", &["sides"]).expect(127, &["install it"]);
    shell(&bench, "true", &[]).expect(2, &["usage: check.sh sides"]);
    shell(&bench, "true", &["other"]).expect(2, &["usage: check.sh sides"]);
}

#[test]
fn the_shell_recipe_runs_a_check_and_keeps_what_it_found() {
    let bench = Bench::new();
    let program = bench.forkbench(["--version"]).get_program().to_str().unwrap().to_owned();
    let said = shell(
        &bench,
        &program,
        &[
            "sides",
            "--base",
            "mechanism=vfork",
            "--cand",
            "mechanism=vfork",
            "--allow-debug-build",
            "--launches",
            "1",
            "--blocks",
            "13",
            "--time",
            "2s",
            "--quiet",
        ],
    );
    // What this says of a busy machine with such a budget is open; that it says something is not.
    let code = said.code.unwrap();
    assert!([0, 3, 4].contains(&code), "{said:?}");
    let comment = fs::read_to_string(bench.path("forkbench-results/comment.md")).unwrap();
    let last = said.stdout.lines().last().unwrap();
    let headline = last.strip_prefix("forkbench: ").unwrap();
    assert!(comment.starts_with(&format!("### forkbench: {headline}\n")), "{comment}");
    assert!(comment.contains("| vfork blocked.p50 |"), "{comment}");
    let junit = fs::read_to_string(bench.path("forkbench-results/junit.xml")).unwrap();
    let directory = fs::read_dir(bench.path("forkbench-results"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.is_dir())
        .unwrap();
    let verdict = fs::read_to_string(directory.join("verdict.json")).unwrap();
    let verdict: Value = serde_json::from_str(&verdict).unwrap();
    assert_eq!(verdict["exit_code"], code);
    let rows = verdict["rows"].as_array().unwrap();
    assert_eq!(junit.matches("<testcase ").count(), rows.len());
    let regressed = rows.iter().filter(|row| row["verdict"] == "REGRESSED").count();
    assert_eq!(junit.matches("<failure ").count(), regressed);
}

/// Each line of the workflow that calls forkbench, as words; what the workflow fills in stands for
/// one word.
fn commands(text: &str) -> Vec<Vec<String>> {
    let lines = text.lines().map(str::trim).filter(|line| line.starts_with("forkbench "));
    lines
        .filter(|line| !line.contains(" came to "))
        .map(|line| {
            let mut line = line.to_owned();
            while let Some(start) = line.find("${{") {
                let end = line[start..].find("}}").unwrap() + start + 2;
                line.replace_range(start..end, "1");
            }
            line.split_whitespace().skip(1).map(str::to_owned).collect()
        })
        .collect()
}

#[test]
fn every_command_of_the_workflow_is_one() {
    let bench = Bench::new();
    let text = fs::read_to_string(recipe("github-actions.yml")).unwrap();
    let commands = commands(&text);
    assert_eq!(commands.len(), 3);
    for mut command in commands {
        // Flags and values are read before help is printed, and nothing is run.
        command.push("--help".to_owned());
        finish(bench.forkbench(&command)).expect(0, &[]);
    }
    // A pull request may name its branch as it likes: no expression of its may stand in a script.
    assert!(!text.contains("head_ref") && !text.contains("pull_request.title"));
}

#[test]
fn the_workflow_is_yaml() {
    let text = fs::read_to_string(recipe("github-actions.yml")).unwrap();
    assert!(!text.contains('\t'));
    let script = "import sys, yaml\nd = yaml.safe_load(sys.stdin)\nprint(','.join(d['jobs']))";
    let mut command = Command::new("python3");
    let input = fs::File::open(recipe("github-actions.yml")).unwrap();
    let output = command.args(["-c", script]).stdin(Stdio::from(input)).output();
    match output {
        Ok(output) if output.status.success() => {
            let jobs = String::from_utf8(output.stdout).unwrap();
            assert_eq!(jobs.trim(), "sides,measure,directories");
        }
        Ok(output) if String::from_utf8_lossy(&output.stderr).contains("No module named") => {
            skip("python3 has no yaml");
        }
        Ok(output) => panic!("{}", String::from_utf8_lossy(&output.stderr)),
        Err(_) => skip("python3 is not installed"),
    }
}
