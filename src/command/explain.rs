//! `forkbench explain WORD`: what a word of the output means.

use std::io::Write;
use std::process::ExitCode;

use crate::command::exit;
use crate::measure::mechanism::{self, MECHANISMS};
use crate::measure::reading::READINGS;
use crate::model::action::{self, ACTIONS};
use crate::model::hazard::{self, Expected, Hazard, Kind, Reset};
use crate::model::knob::{self, KNOBS};
use crate::model::workload::{self, WORKLOADS};
use crate::model::{did_you_mean, glossary};
use crate::record::rows::{all_files, columns_named};
use crate::show::exports::verdict;
use crate::show::formats;
use crate::show::text::wrap;

/// Flags of `forkbench explain`.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  forkbench explain blocked\n  forkbench explain posix_spawn
  forkbench explain samples.csv\n  forkbench explain localtime")]
pub struct Args {
    /// A column, file, interval, mechanism, workload, action, hazard, knob, reading, warning or word
    /// of the output
    #[arg(required = true)]
    word: Vec<String>,
}

/// Prints the explanation of a word; all of them, where it has several meanings.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let word = args.word.join(" ");
    let meanings = meanings(word.trim_start_matches("--"));
    if meanings.is_empty() {
        let near = did_you_mean(&word, words().iter().map(String::as_str));
        return Err(exit::usage_text(format!(
            "`{word}` is no word that forkbench explains{near} See `forkbench list` and FORMAT.md"
        )));
    }
    anstream::stdout().write_all(meanings.join("\n").as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

/// Everything that can be explained.
fn words() -> Vec<String> {
    let mut words: Vec<String> = KNOBS.iter().map(|knob| knob.name.to_owned()).collect();
    words.extend(MECHANISMS.iter().map(|mechanism| mechanism.name.to_owned()));
    words.extend(WORKLOADS.iter().map(|row| row.workload.word().to_owned()));
    words.extend(ACTIONS.iter().map(|row| row.word.to_owned()));
    words.extend(hazard::all().flat_map(|row| [row.name.to_owned(), row.id.to_owned()]));
    words.extend(READINGS.iter().map(|reading| reading.name.to_owned()));
    words.extend(formats::FORMATS.iter().map(|format| format.name.to_owned()));
    words.extend(verdict::FORMATS.iter().map(|format| format.name.to_owned()));
    words.extend(glossary::ENTRIES.iter().map(|entry| entry.word.to_owned()));
    for file in all_files() {
        words.push(file.name.to_owned());
        words.extend(file.columns.iter().map(|column| column.name.to_owned()));
    }
    words
}

fn meanings(word: &str) -> Vec<String> {
    let mut meanings = Vec::new();
    if let Some(mechanism) = mechanism::find(word) {
        let mut text = mechanism.explain.to_owned();
        if let Err(refusal) = (mechanism.available)() {
            text.push_str(&format!(" Not here: {refusal}."));
        }
        meanings.push(entry(word, "mechanism", mechanism.about, &text));
    }
    if let Some(row) = workload::find(word) {
        meanings.push(entry(word, "workload", row.about, row.explain));
    }
    if let Some(row) = action::find(word) {
        let mut text = row.explain.to_owned();
        for mechanism in MECHANISMS.iter().filter(|m| !m.ignores_image()) {
            let how = match (mechanism.how)(row.name) {
                Ok(means) => means.word().to_owned(),
                Err(why) => format!("no way ({why})"),
            };
            text.push_str(&format!(" {}: {how}.", mechanism.name));
        }
        meanings.push(entry(word, "action", row.about, &text));
    }
    meanings.extend(hazard::named(word).into_iter().map(hazard_page));
    if let Some(knob) = knob::find(word) {
        meanings.push(entry(word, "knob", knob.about, knob.explain));
    }
    if let Some(found) = glossary::find(word) {
        meanings.push(entry(word, found.kind.word(), found.short, found.long));
    } else {
        for (file, column) in columns_named(word) {
            meanings.push(entry(word, &format!("column of {}", file.name), column.about, ""));
        }
        if let Some(reading) = READINGS.iter().find(|reading| reading.name == word) {
            meanings.push(entry(word, "reading", reading.about, ""));
        }
    }
    let how = "See FORMAT.md for what it holds, its units, and what is lost.";
    if let Some(format) = formats::find(word) {
        meanings.push(entry(word, "format", format.about, how));
    }
    if let Some(format) = verdict::find(word) {
        meanings.push(entry(word, "format of check", format.about, how));
    }
    if let Some(file) = all_files().find(|file| file.name == word) {
        let mut text = entry(word, "file", file.about, "");
        for column in file.columns {
            text.push_str(&format!("  {:15} {}\n", column.name, column.about));
        }
        meanings.retain(|_| false);
        meanings.push(text);
    }
    meanings
}

/// The story of a hazard: what happens step by step, why, who was bitten, what to do.
fn hazard_page(row: &Hazard) -> String {
    let title = format!("{} {} (hazard, {}): {}", row.id, row.name, row.kind.word(), row.operation);
    let mut text = wrap(&title, 92, "", "  ").join("\n");
    text.push('\n');
    let mut part = |title: &str, lines: Vec<String>| {
        if lines.iter().any(|line| !line.is_empty()) {
            text.push_str(&format!("\n{title}\n"));
            lines.iter().for_each(|line| text.push_str(&format!("{line}\n")));
        }
    };
    let wrapped = |words: &str| wrap(words, 92, "  ", "  ");
    let steps = row
        .steps
        .iter()
        .zip(1..)
        .flat_map(|(step, number)| wrap(step, 92, &format!("  {number}. "), "     "));
    part("What happens", steps.collect());
    part("Why", wrapped(why(row)));
    part("The lock", wrapped(row.lock));
    let reset = match row.reset {
        Reset::Yes => "fork() of the libc puts it right in the child: ",
        Reset::No => "nobody puts it right in the child: ",
        Reset::NotOurs => "",
    };
    part("Protected", wrapped(&format!("{reset}{}", row.since)));
    let known = |birth: &str, expected: Expected| {
        let what = match expected {
            Expected::Hangs if row.kind == Kind::Control => "ends, or hangs, as it is made to",
            Expected::Hangs => "hangs or breaks, sooner or later",
            Expected::Safe => "does neither",
            Expected::Unknown => "nobody has said",
        };
        format!("  {birth:<16} {what}")
    };
    part(
        "The child, on glibc 2.36",
        vec![known("fork", row.fork), known("_fork, clone3", row.raw)],
    );
    part("Who was bitten", wrapped(row.source));
    part("What to do", wrapped(row.advice));
    part("Functions that lead into it", wrapped(&row.functions.join(", ")));
    if row.forks > 0 {
        let name = row.name;
        part("See it happen", vec![format!("  forkbench hazard {name} --verbose")]);
    }
    text
}

/// Why it goes wrong, which all hazards of a kind have in common.
fn why(row: &Hazard) -> &'static str {
    match row.kind {
        Kind::Lock => {
            "A child of fork has the memory of its parent at that moment and only the thread that \
             forked. A lock that another thread held is held in the child for ever: its owner does \
             not exist there."
        }
        Kind::Parent => {
            "Before it makes a child, fork() of the libc takes the locks that it protects and runs \
             the handlers of pthread_atfork. Whoever holds one of them stops the parent itself."
        }
        Kind::Worker => {
            "A child of fork has only the thread that forked. What other threads were to do, nobody \
             does in it."
        }
        Kind::Data => {
            "A child of fork has the memory of its parent at that moment: what another thread was \
             changing is half changed, and stays so."
        }
        Kind::Descriptor => {
            "Until it executes an image, and after it where nothing closes them, a child keeps every \
             descriptor of its parent, those included that another thread has opened a moment ago."
        }
        Kind::Control => "It shows that what only looks like a hang is not taken for one.",
    }
}

fn entry(word: &str, kind: &str, short: &str, long: &str) -> String {
    let mut text = format!("{word} ({kind}): {short}\n");
    if !long.is_empty() {
        text.push('\n');
        for line in wrap(long, 92, "  ", "  ") {
            text.push_str(&line);
            text.push('\n');
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::show::warning;

    #[test]
    fn every_word_is_explained() {
        for word in words() {
            assert!(!meanings(&word).is_empty(), "{word}");
        }
    }

    #[test]
    fn every_column_reading_and_warning_has_an_entry_of_its_own() {
        let columns = all_files().flat_map(|file| file.columns).map(|column| column.name);
        let readings = READINGS.iter().map(|reading| reading.name);
        let warnings = warning::WORDS;
        for word in columns.chain(readings).chain(warnings) {
            assert!(glossary::find(word).is_some(), "{word}");
        }
    }
}
