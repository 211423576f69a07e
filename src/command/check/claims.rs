//! Whether what a run claims of itself, or what a budget claims of it, holds: from its files alone.

use std::io::Write;
use std::path::{Path, PathBuf};

use super::{Args, keep, last_line, release_build, worst};
use crate::command::exit::{self, Exit};
use crate::command::export::Found;
use crate::model::claim::Claim;
use crate::model::scenario::parse;
use crate::model::waiver::Waivers;
use crate::show::exports::verdict::Report;
use crate::show::finding::Tally;
use crate::show::source;
use crate::show::terminal::{self, Screen};
use crate::show::verdict::{Claimed, Document};

/// A file of claims.
pub(super) struct Budget {
    /// Its name, as it was given.
    file: String,
    claims: Vec<Claim>,
}

impl Budget {
    /// Reads it.
    ///
    /// # Errors
    ///
    /// Of usage: where it cannot be read, and with its line where it is not understood.
    pub(super) fn read(path: &Path) -> anyhow::Result<Budget> {
        let file = path.display().to_string();
        let text = std::fs::read_to_string(path)
            .map_err(|error| exit::usage_text(format!("{file} cannot be read: {error}")))?;
        let claims = parse::claims(&file, &text).map_err(exit::usage)?;
        Ok(Budget { file, claims })
    }
}

/// Checks results directories by a budget, or else by the claims of their scenarios.
pub(super) fn run(
    args: &Args,
    directories: &[PathBuf],
    budget: Option<&Budget>,
    waivers: &Waivers,
    found: &mut Vec<Found>,
) -> anyhow::Result<Exit> {
    let budget = budget.map(|budget| (budget.file.as_str(), budget.claims.as_slice()));
    let mut total = Tally::default();
    let mut exits = Vec::new();
    for (position, directory) in directories.iter().enumerate() {
        let mut claimed = source::claimed(directory, budget)?;
        claimed.rows_mut().for_each(|row| row.waive(waivers));
        let reason = not_judged(args, &claimed);
        let tally = claimed.tally();
        let exit =
            if reason.is_some() { Exit::Nothing } else { judged(claimed.open(), args.strict) };
        let document = Document::new(&claimed, args.strict, exit.code(), reason.as_deref());
        let json = keep(&document, directory)?;
        let headline = format!("{tally} (exit {})", exit.code());
        let machine = source::machine(directory)?;
        let report = Report::of_claims(&claimed, &headline, reason.as_deref(), machine);
        found.push(Found { report, json });
        if args.format == "table" {
            let space = if position > 0 { "\n" } else { "" };
            let findings = terminal::findings(&claimed, Screen::of_stdout());
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
fn not_judged(args: &Args, claimed: &Claimed) -> Option<String> {
    if !claimed.has_samples {
        return Some("nothing was measured: see its events.csv and launches.csv".to_owned());
    }
    if let Some(why) = release_build(args, claimed.is_release) {
        return Some(why);
    }
    if claimed.tally().all() == 0 {
        return Some(
            "no claims: no scenario of its plan.toml makes one; run a scenario that does, add \
             [[claim]] to yours, or give --claims FILE"
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
