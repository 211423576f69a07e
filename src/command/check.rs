//! `forkbench check DIR..`: whether what a run claims of itself holds, from its files alone.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::command::exit::{self, Exit};
use crate::show::finding::Tally;
use crate::show::source;
use crate::show::terminal::{self, Screen};
use crate::show::verdict::{self, Document};
use crate::show::view::View;
use crate::show::warning::Warning;

/// Flags of `forkbench check`.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  forkbench check results/20261124T060000Z-rss
  forkbench check --strict --format json results/20261124T060000Z-rss

The claims are those of the scenarios in plan.toml of the directory. What is found is also written
to verdict.json there.

Exit codes: 0 no claim fails, 3 a claim FAILS, 4 with --strict: a claim is UNCLEAR or NOT SHOWN,
5 nothing was measured, or nothing is claimed.")]
pub struct Args {
    /// Results directories, each checked by itself
    #[arg(required = true, value_name = "DIR")]
    directories: Vec<PathBuf>,
    /// Let what is UNCLEAR or NOT SHOWN fail too, with exit code 4
    #[arg(long)]
    strict: bool,
    /// Judge the results of a debug build, whose figures are not to be relied on
    #[arg(long)]
    allow_debug_build: bool,
    /// How to print it
    #[arg(long, default_value = "table", value_parser = ["table", "json"])]
    format: String,
}

/// Checks results directories.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let mut total = Tally::default();
    let mut exits = Vec::new();
    for (position, directory) in args.directories.iter().enumerate() {
        exit::results_directory(directory)?;
        let view = source::read(directory, None)?;
        let reason = not_judged(args, &view);
        let tally = view.tally();
        let exit = if reason.is_some() { Exit::Nothing } else { judged(tally, args.strict) };
        let document = Document::new(&view, args.strict, exit.code(), reason.as_deref());
        keep(&document, directory)?;
        if args.format == "json" {
            let mut out = anstream::stdout();
            serde_json::to_writer_pretty(&mut out, &document)?;
            out.write_all(b"\n")?;
        } else {
            let space = if position > 0 { "\n" } else { "" };
            let findings = terminal::findings(&view, Screen::of_stdout());
            write!(anstream::stdout(), "{space}{findings}")?;
        }
        if let Some(reason) = &reason {
            writeln!(anstream::stderr(), "forkbench: {}: {reason}", directory.display())?;
        } else {
            total = total.and(tally);
        }
        exits.push(exit);
    }
    let exit = worst(&exits);
    let last = format!("forkbench: {total} (exit {})", exit.code());
    // With json, standard output is for it alone.
    if args.format == "json" {
        writeln!(anstream::stderr(), "{last}")?;
    } else {
        writeln!(anstream::stdout(), "{last}")?;
    }
    Ok(exit.into())
}

/// Why a directory cannot be judged; none if it can.
fn not_judged(args: &Args, view: &View) -> Option<String> {
    if !view.has_samples() {
        return Some("nothing was measured: see its events.csv and launches.csv".to_owned());
    }
    if view.warnings.contains(&Warning::NotReleaseBuild) && !args.allow_debug_build {
        return Some(
            "a debug build made these results, and its figures are not to be relied on; run it \
             again with a release build, or give --allow-debug-build"
                .to_owned(),
        );
    }
    if view.tally().all() == 0 {
        return Some(
            "no claims: no scenario of its plan.toml makes one; run a scenario that does, or add \
             [[claim]] to yours"
                .to_owned(),
        );
    }
    None
}

fn judged(tally: Tally, strict: bool) -> Exit {
    if tally.fails > 0 {
        Exit::Regression
    } else if strict && tally.unclear + tally.not_shown > 0 {
        Exit::Inconclusive
    } else {
        Exit::Fine
    }
}

/// Of several directories: a claim that fails comes before what could not be judged, and that
/// before what is unclear.
fn worst(exits: &[Exit]) -> Exit {
    let order = [Exit::Regression, Exit::Nothing, Exit::Inconclusive];
    order.into_iter().find(|exit| exits.contains(exit)).unwrap_or(Exit::Fine)
}

/// Writes what was found into the directory. Where it cannot be written, the verdict is as good as
/// ever: that is a warning.
fn keep(document: &Document<'_>, directory: &Path) -> anyhow::Result<()> {
    let path = directory.join(verdict::FILE);
    let mut text = serde_json::to_vec_pretty(document)?;
    text.push(b'\n');
    if let Err(error) = std::fs::write(&path, text) {
        let path = path.display();
        writeln!(anstream::stderr(), "forkbench: warning: {path} was not written: {error}")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_outweighs_what_could_not_be_judged() {
        use Exit::{Fine, Inconclusive, Nothing, Regression};
        assert_eq!(worst(&[Fine, Nothing, Regression]), Regression);
        assert_eq!(worst(&[Inconclusive, Nothing]), Nothing);
        assert_eq!(worst(&[Inconclusive, Fine]), Inconclusive);
        assert_eq!(worst(&[Fine]), Fine);
    }

    #[test]
    fn what_is_not_shown_fails_only_if_that_is_asked_for() {
        let tally = Tally { holds: 3, not_shown: 1, ..Tally::default() };
        assert_eq!((judged(tally, false), judged(tally, true)), (Exit::Fine, Exit::Inconclusive));
        let tally = Tally { fails: 1, ..tally };
        assert_eq!(judged(tally, true), Exit::Regression);
    }
}
