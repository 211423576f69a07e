//! `forkbench check --base DIR.. --cand DIR..`: results directories in two groups.
//!
//! Owns which words of `--base` and `--cand` are directories, and what is printed of groups that are
//! described and not judged.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::{Args, margins, tell_of, waivers, write_exports};
use crate::analyse::directories::{Question, judge};
use crate::analyse::environments::Topic;
use crate::analyse::groups::{Comparison, Results};
use crate::analyse::judgement::Judgement;
use crate::command::compare;
use crate::command::exit;
use crate::model::row::Role;
use crate::model::setup::{Setup, Workload};
use crate::model::waiver::Waivers;
use crate::record::floor;
use crate::show::comparison::View;
use crate::show::judgement::Gated;
use crate::show::source;
use crate::show::terminal::{self, Screen};

/// The directories that `--base` and `--cand` name; none where they are knobs with their values.
///
/// # Errors
///
/// Of usage, where some are the one and some the other.
pub(super) fn sides(
    base: &[String],
    cand: &[String],
) -> anyhow::Result<Option<(Vec<PathBuf>, Vec<PathBuf>)>> {
    let is_directory = |word: &&String| !word.contains('=') || Path::new(word.as_str()).is_dir();
    let all = || base.iter().chain(cand);
    let Some(directory) = all().find(is_directory) else { return Ok(None) };
    if let Some(knob) = all().find(|word| !is_directory(word)) {
        return Err(exit::usage_text(format!(
            "{directory} is no knob with its value, and {knob} is no directory: give results \
             directories on both sides, or knobs such as image=./new on both"
        )));
    }
    let paths = |words: &[String]| words.iter().map(PathBuf::from).collect();
    Ok(Some((paths(base), paths(cand))))
}

/// Judges the candidates against the base, as far as they can be, and tells.
pub(super) fn run(
    args: &Args,
    base: &[PathBuf],
    cand: &[PathBuf],
    waivers: &Waivers,
) -> anyhow::Result<ExitCode> {
    refuse_flags(args)?;
    let directories = [base, cand].concat();
    compare::distinct(&directories)?;
    let listed = |side: &[PathBuf]| -> String {
        let names: Vec<String> = side.iter().map(|path| path.display().to_string()).collect();
        names.join(" ")
    };
    let source = format!("base: {}; cand: {}", listed(base), listed(cand));
    let first = cand[0].as_path();
    let out = args.out.as_deref().unwrap_or(first);
    let on = margins::margins(Workload::Spawn, &args.on, &args.margin).map_err(exit::usage_text)?;
    let asked: Vec<_> = on.iter().map(|margin| margin.of.clone()).collect();
    let results = match compare::read(&directories, &asked)? {
        Ok(results) => results,
        Err(why) => {
            let nothing = Judgement { alpha: args.alpha, rows: Vec::new(), twins: Vec::new() };
            let mut gated = Gated::new(source, &nothing, &[], Vec::new(), args.strict);
            gated.refuse(&why);
            return conclude(args, &gated, out, first);
        }
    };
    check_references(args, &results)?;
    let margins =
        margins::margins(workload(&results), &args.on, &args.margin).map_err(exit::usage_text)?;
    let fingerprints: BTreeSet<&str> =
        results.iter().filter_map(|one| one.environment.fingerprint()).collect();
    let mut floors = Vec::new();
    for fingerprint in fingerprints {
        floors.extend(floor::read(fingerprint)?);
    }
    let (base, cand) = results.split_at(base.len());
    let found = judge(&Question {
        base,
        cand,
        margins: &margins,
        alpha: args.alpha,
        across: &args.across,
        references: &args.reference,
        floors: &floors,
        allow_debug_build: args.allow_debug_build,
    });
    let mut gated = Gated::new(source, &found.judgement, &[], Vec::new(), args.strict);
    gated.notes = found.notes;
    gated.waive(waivers);
    waivers::warn(waivers, &gated.rows.iter().map(|row| row.row.as_str()).collect::<Vec<_>>())?;
    if let Some(why) = &found.refused {
        gated.refuse(why);
        if args.format == "table" {
            let view = View::new(&results, &Comparison::of(&results));
            let described = terminal::comparison(&view, Screen::of_stdout());
            writeln!(anstream::stdout(), "{described}")?;
        }
    }
    conclude(args, &gated, out, first)
}

/// Keeps and tells what was found, with the machine of a candidate, as far as it is told.
fn conclude(args: &Args, gated: &Gated, out: &Path, candidate: &Path) -> anyhow::Result<ExitCode> {
    let machine = source::machine(candidate).unwrap_or_default();
    let mut found = Vec::new();
    let exit = tell_of(args, gated, out, machine, &mut found)?;
    write_exports(args, &found)?;
    Ok(exit.into())
}

/// What says how to measure says nothing of what was measured.
fn refuse_flags(args: &Args) -> anyhow::Result<()> {
    let given = [
        ("--confirm", args.confirm),
        ("--fail-fast", args.fail_fast),
        ("--second-base", !args.second_base.is_empty()),
        ("--time", args.time.is_some()),
        ("--launches", args.launches.is_some()),
        ("--blocks", args.blocks.is_some()),
        ("--seed", args.seed.is_some()),
    ];
    let knob = args.knobs.given.first().map(|(knob, _)| format!("--{}", knob.name));
    let flag = given.iter().find(|(_, given)| *given).map(|(flag, _)| (*flag).to_owned());
    match flag.or(knob) {
        None => Ok(()),
        Some(flag) => Err(exit::usage_text(format!(
            "{flag} is for sides that are measured now; results directories are judged as they \
             were measured: leave it out"
        ))),
    }
}

/// A reference that is named must be somewhere.
fn check_references(args: &Args, results: &[Results]) -> anyhow::Result<()> {
    let subjects = || {
        let all = results.iter().flat_map(|one| &one.variants);
        all.filter(|one| one.row.role == Role::Subject).map(|one| &one.row)
    };
    let is_named =
        |name: &&String| subjects().any(|row| row.label == **name || row.mechanism == **name);
    let Some(unknown) = args.reference.iter().find(|name| !is_named(name)) else { return Ok(()) };
    let all: BTreeSet<&str> = subjects().map(|row| row.label.as_str()).collect();
    let all: Vec<&str> = all.into_iter().collect();
    Err(exit::usage_text(format!(
        "--reference `{unknown}` is no variant of these runs; they have {}",
        all.join(", ")
    )))
}

/// What most runs do decides what is judged of them: that of the first variant.
fn workload(results: &[Results]) -> Workload {
    let setups = results.iter().flat_map(|one| &one.variants).filter_map(|one| one.setup.as_ref());
    setups.map(|setup: &Setup| setup.work.workload).next().unwrap_or(Workload::Spawn)
}

/// A topic of `--across`.
pub(super) fn topic(text: &str) -> Result<Topic, String> {
    Topic::ALL.into_iter().find(|topic| topic.word() == text).ok_or_else(|| {
        let words = Topic::ALL.map(Topic::word);
        format!(
            "there is no such difference{}; they are {}",
            crate::model::did_you_mean(text, words.into_iter()),
            words.join(", ")
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn words_without_a_value_are_directories_and_both_are_wrong_usage() {
        let sides = |base: &[&str], cand: &[&str]| sides(&words(base), &words(cand));
        assert!(sides(&["image=./old"], &["image=./new"]).unwrap().is_none());
        let (base, cand) = sides(&["a", "b"], &["c"]).unwrap().unwrap();
        assert_eq!((base.len(), cand.len()), (2, 1));
        assert!(sides(&["a"], &["image=./new"]).is_err());
        assert!(sides(&["a", "rss=1G"], &["c"]).is_err());
    }

    #[test]
    fn a_directory_may_have_an_equals_sign_in_its_name() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("rss=1G");
        std::fs::create_dir(&path).unwrap();
        let path = path.to_string_lossy().into_owned();
        let one = std::slice::from_ref(&path);
        assert!(super::sides(one, one).unwrap().is_some());
    }

    #[test]
    fn topics_are_known_by_their_words() {
        assert_eq!(topic("kernel"), Ok(Topic::Kernel));
        assert!(topic("kernal").unwrap_err().contains("did you mean `kernel`"));
    }
}
