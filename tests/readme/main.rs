//! The documents agree with the program: every command that they show is run and succeeds, every
//! screen is what its command prints, every program that reads results is run, every table names
//! what the registries hold, every link leads somewhere.

use std::collections::BTreeSet;
use std::process::Stdio;

use serde::de::DeserializeOwned;

use forkbench::measure::mechanism::MECHANISMS;
use forkbench::measure::reading::{PLACES, READINGS};
use forkbench::model::interval::Interval;
use forkbench::model::knob::KNOBS;
use forkbench::model::row::{BlockKind, EventKind, Outcome, Phase, Role, Scope};
use forkbench::model::scenario::parse::{KINDS, parse};
use forkbench::record::rows::all_files;
use forkbench::show::formats::FORMATS;
use forkbench::show::warning::WORDS;

use commands::forkbench;
use documents::{
    DOCUMENTS, anchors, blocks, first_cells, quoted, read, root, section, study, table,
    without_blocks,
};

mod commands;
mod documents;
mod loading;
mod screens;

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
    assert_eq!(first_cells(&read("SCENARIOS.md"), "knob"), knobs);
}

#[test]
fn the_columns_of_the_csv_format_are_described_in_their_order() {
    let sample = ["show", "tests/data/exports", "--format", "csv"];
    let output = forkbench(root(), &sample, Stdio::null());
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
    let described = read("FORMAT.md");
    for format in &FORMATS {
        let names = [format!("`{}`", format.name), format!("`--format {}`", format.name)];
        assert!(names.iter().any(|name| described.contains(name)), "no {}", format.name);
    }
}

#[test]
fn every_link_leads_somewhere() {
    let mut links = 0;
    for document in DOCUMENTS {
        let text = without_blocks(&read(document));
        for (_, rest) in text.match_indices("](").map(|(at, _)| text.split_at(at + 2)) {
            let target = rest.split(')').next().unwrap();
            // What the reference study leaves is there as a whole, or not at all.
            let is_study = ["results/reference/", "reports/process-creation"]
                .iter()
                .any(|place| target.starts_with(place));
            if target.starts_with("http") || (is_study && study().is_none()) {
                continue;
            }
            let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
            let path = if path.is_empty() { document } else { path };
            assert!(root().join(path).exists(), "{document}: there is no {path}");
            assert!(
                anchor.is_empty() || anchors(&read(path)).iter().any(|known| known == anchor),
                "{document}: {target} leads nowhere"
            );
            links += 1;
        }
    }
    assert!(links >= 60, "only {links} links were found");
}

#[test]
fn contents_name_every_section() {
    for document in ["METHODOLOGY.md", "TUTORIAL.md"] {
        let text = without_blocks(&read(document));
        let listed: Vec<&str> = text
            .lines()
            .filter(|line| line.starts_with(|c: char| c.is_ascii_digit()) && line.ends_with(')'))
            .filter_map(|line| line.split("](#").nth(1))
            .map(|anchor| anchor.trim_end_matches(')'))
            .collect();
        let sections: Vec<&str> = text.lines().filter(|line| line.starts_with("## ")).collect();
        assert_eq!(listed, anchors(&sections.join("\n")), "{document}");
    }
}

/// Intervals begin at the first bar, and end where the stamp stands that ends them: `blocked` and
/// `reaped` at a bar of the parent's line, `born` and `image` at the letter of the child's stamp.
#[test]
fn time_lines_are_exact() {
    let places = |line: &str, sign: char| -> Vec<usize> {
        line.chars().enumerate().filter(|(_, c)| *c == sign).map(|(at, _)| at).collect()
    };
    let mut lines_of_time = 0;
    for block in blocks("METHODOLOGY.md").iter().filter(|block| block.text.starts_with("parent ")) {
        let line = |name: &str| block.text.lines().find(|line| line.starts_with(name));
        let bars = places(line("parent").unwrap(), '|');
        for interval in Interval::ALL {
            // `image` is also who is drawn: its interval is the line with a bracket.
            let drawn = block
                .text
                .lines()
                .find(|line| line.starts_with(interval.word()) && line.contains('['));
            let Some(drawn) = drawn else { continue };
            let (begin, end) = (places(drawn, '[')[0], places(drawn, ']')[0]);
            assert_eq!(begin, bars[0], "{}: {drawn}", block.place);
            let at_stamp = |who: &str, sign: char| -> bool {
                let of = block.text.lines().filter(|line| line.starts_with(who));
                of.flat_map(|line| places(line, sign)).any(|at| at == end)
            };
            let is_right = match interval {
                Interval::Born => at_stamp("child", 'B') || at_stamp("thread", 'B'),
                Interval::Image => at_stamp("image", 'I'),
                Interval::Reaped => bars.last() == Some(&end),
                _ => bars.contains(&end),
            };
            assert!(is_right, "{}: {drawn}", block.place);
        }
        lines_of_time += 1;
    }
    assert!(lines_of_time >= 5, "only {lines_of_time} time lines were found");
}

/// All words of a closed list, which serde tells when it is given another one.
fn words_of<T: DeserializeOwned + std::fmt::Debug>() -> Vec<String> {
    let error = serde_json::from_str::<T>("\"no such word\"").unwrap_err().to_string();
    let (_, expected) = error.split_once("expected").unwrap();
    quoted(expected)
}
