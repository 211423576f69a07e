//! `forkbench explain WORD`: what a word of the output means.

use std::io::Write;
use std::process::ExitCode;

use crate::command::exit;
use crate::measure::mechanism::{self, MECHANISMS};
use crate::measure::reading::READINGS;
use crate::model::action::{self, ACTIONS};
use crate::model::knob::{self, KNOBS};
use crate::model::workload::{self, WORKLOADS};
use crate::model::{did_you_mean, glossary};
use crate::record::rows::{FILES, columns_named};
use crate::show::text::wrap;

/// Flags of `forkbench explain`.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  forkbench explain blocked\n  forkbench explain posix_spawn
  forkbench explain samples.csv")]
pub struct Args {
    /// A column, file, interval, mechanism, workload, action, knob, reading, warning or word of the output
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
    words.extend(READINGS.iter().map(|reading| reading.name.to_owned()));
    words.extend(glossary::ENTRIES.iter().map(|entry| entry.word.to_owned()));
    for file in FILES {
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
    if let Some(file) = FILES.iter().find(|file| file.name == word) {
        let mut text = entry(word, "file", file.about, "");
        for column in file.columns {
            text.push_str(&format!("  {:15} {}\n", column.name, column.about));
        }
        meanings.retain(|_| false);
        meanings.push(text);
    }
    meanings
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
        let columns = FILES.iter().flat_map(|file| file.columns).map(|column| column.name);
        let readings = READINGS.iter().map(|reading| reading.name);
        let warnings = warning::WORDS;
        for word in columns.chain(readings).chain(warnings) {
            assert!(glossary::find(word).is_some(), "{word}");
        }
    }
}
