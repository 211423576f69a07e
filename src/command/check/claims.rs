//! Whether what a run claims of itself holds, from its files alone.

use std::io::Write;
use std::path::PathBuf;

use super::{Args, keep, last_line, release_build, worst};
use crate::command::exit::Exit;
use crate::command::export::Found;
use crate::show::exports::verdict::Report;
use crate::show::finding::Tally;
use crate::show::source;
use crate::show::terminal::{self, Screen};
use crate::show::verdict::Document;
use crate::show::view::View;
use crate::show::warning::Warning;

/// Checks the claims of results directories.
pub(super) fn run(
    args: &Args,
    directories: &[PathBuf],
    found: &mut Vec<Found>,
) -> anyhow::Result<Exit> {
    let mut total = Tally::default();
    let mut exits = Vec::new();
    for (position, directory) in directories.iter().enumerate() {
        let view = source::read(directory, None)?;
        let reason = not_judged(args, &view);
        let tally = view.tally();
        let exit = if reason.is_some() { Exit::Nothing } else { judged(tally, args.strict) };
        let document = Document::new(&view, args.strict, exit.code(), reason.as_deref());
        let json = keep(&document, directory)?;
        let headline = format!("{tally} (exit {})", exit.code());
        let machine = source::machine(directory)?;
        let report = Report::of_claims(&view, &headline, reason.as_deref(), machine);
        found.push(Found { report, json });
        if args.format == "table" {
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
    last_line(args, &format!("forkbench: {total} (exit {})", exit.code()))?;
    Ok(exit)
}

/// Why a directory cannot be judged; none if it can.
fn not_judged(args: &Args, view: &View) -> Option<String> {
    if !view.has_samples() {
        return Some("nothing was measured: see its events.csv and launches.csv".to_owned());
    }
    let is_release = !view.warnings.contains(&Warning::NotReleaseBuild);
    if let Some(why) = release_build(args, is_release) {
        return Some(why);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_shown_fails_only_if_that_is_asked_for() {
        let tally = Tally { holds: 3, not_shown: 1, ..Tally::default() };
        assert_eq!((judged(tally, false), judged(tally, true)), (Exit::Fine, Exit::Inconclusive));
        let tally = Tally { fails: 1, ..tally };
        assert_eq!(judged(tally, true), Exit::Regression);
    }
}
