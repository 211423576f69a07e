//! `forkbench check`: whether something got worse, or what a run claims of itself does not hold.
//!
//! Owns the flags and which of the three ways of checking they mean: sides that are measured now
//! ([`sides`]), results directories with their claims or their gate (`claims`).

mod claims;
mod directories;
mod margins;
pub mod sides;
mod waivers;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use serde::Serialize;

use crate::analyse::environments::DEBUG_BUILD;
use crate::analyse::environments::Topic;
use crate::command::exit::{self, Exit};
use crate::command::export::{self, Found, VerdictExport};
use crate::command::knobs::KnobFlags;
use crate::command::run::duration;
use crate::model::units;
use crate::model::waiver::Waivers;
use crate::show::exports::verdict::Report;
use crate::show::judgement::Gated;
use crate::show::source;
use crate::show::terminal::{self, Screen};
use crate::show::verdict;

/// Flags of `forkbench check`.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  forkbench check --base image=./old --cand image=./new --confirm --strict
  forkbench check --base mechanism=posix_spawn --cand mechanism=vfork --rss 1G
  forkbench check --mechanism vfork,posix_spawn --base env.LD_BIND_NOW=0 --cand env.LD_BIND_NOW=1
  forkbench check --base bin=/opt/forkbench-musl --cand bin=/opt/forkbench-glibc
  forkbench check results/20261124T060000Z-check     the same verdict again, from the files
  forkbench check results/20261124T060000Z-rss       whether the claims of a scenario hold
  forkbench check results/20261124T060000Z-run --claims budget.toml
                                                     whether a budget of yours is kept

Both sides are measured in one run, interleaved in random order: what disturbs the one disturbs the
other. Where a side needs a parent of its own (prefix, env, bin, a shape), launches are pairs, and
the smallest slowdown that would be found is larger; it is told in every row.

REGRESSED: worse than the margin. OK: not worse than it. INCONCLUSIVE: neither can be said, and how
many blocks more would tell. What was found is written to verdict.json before the command ends.

Exit codes: 0 no regression, 1 failed at run time, 2 wrong usage (nothing was run), 3 REGRESSED, or
a claim FAILS, 4 with --strict: INCONCLUSIVE, or a claim UNCLEAR or NOT SHOWN, 5 NOT COMPARABLE,
nothing was measured, or nothing is claimed, 130 interrupted. Do not call it through make, which
turns every failure into 2.")]
pub struct Args {
    /// Results directories, each judged again by its gate or by the claims of its scenarios
    #[arg(value_name = "DIR", conflicts_with_all = ["base", "cand", "second_base"])]
    directories: Vec<PathBuf>,
    /// Judge the directories by the claims of this file alone, [[claim]] as in a scenario: a budget
    #[arg(long, value_name = "FILE", requires = "directories", conflicts_with = "base")]
    claims: Option<PathBuf>,
    /// How things were: a knob and its value, such as image=./old, one knob each; or results
    /// directories
    #[arg(long, value_name = "K=V|DIR", num_args = 1.., requires = "cand")]
    base: Vec<String>,
    /// How they are now: a knob and its value, such as image=./new; or results directories
    #[arg(long, value_name = "K=V|DIR", num_args = 1.., requires = "base")]
    cand: Vec<String>,
    /// How they were longer ago, such as in the last release: against slow creep
    #[arg(long, value_name = "K=V", num_args = 1.., requires = "base")]
    second_base: Vec<String>,
    /// How much worse a quantity may be [default: p50=3%,p95=10%]
    #[arg(long, value_name = "WHAT=SHARE", value_delimiter = ',')]
    margin: Vec<String>,
    /// What is judged: intervals, or quantities such as minor_faults.child [default: blocked,reaped]
    #[arg(long, value_name = "WHAT", value_delimiter = ',')]
    on: Vec<String>,
    /// Of directories: a difference of the machines that is the question, and not to be refused
    /// (kernel, libc, cpu, mitigations, memory, cgroup, image, build); the unit is then the boot
    #[arg(long, value_name = "TOPIC", value_delimiter = ',', value_parser = directories::topic)]
    across: Vec<Topic>,
    /// Of directories: the variant or mechanism by which the others of its kind are divided
    /// [default: the barest]
    #[arg(long, value_name = "LABEL", value_delimiter = ',')]
    reference: Vec<String>,
    /// How often at most an unchanged system is called REGRESSED, over all rows
    #[arg(long, value_name = "SHARE", default_value = "1%", value_parser = share)]
    alpha: f64,
    /// Rows or claims that may be red until a day: a file of [[waiver]] with row, until and because
    #[arg(long, value_name = "FILE", conflicts_with = "fail_fast")]
    waivers: Option<PathBuf>,
    /// Measure what is REGRESSED once more, afresh, and fail only if it is so again
    #[arg(long)]
    confirm: bool,
    /// End as soon as it is certain that a row is worse
    #[arg(long)]
    fail_fast: bool,
    /// Let what is INCONCLUSIVE, UNCLEAR or NOT SHOWN fail too, with exit code 4
    #[arg(long)]
    strict: bool,
    /// Judge the results of a debug build, whose figures are not to be relied on
    #[arg(long)]
    allow_debug_build: bool,
    /// The budget [default: 60s for each comparison, 120s where much memory is copied]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    time: Option<Duration>,
    /// Exactly so many launches of fresh parents
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    launches: Option<u32>,
    /// Exactly so many timed blocks of each parent in each launch
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    blocks: Option<u32>,
    /// The seed of every random choice [default: a new one]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(0..1 << 63))]
    seed: Option<u64>,
    /// A parent in which nothing moves for so long is examined, killed, and a row of its own
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = duration)]
    stall: Duration,
    /// The results directory [default: results/UTC-check]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Complete an interrupted check in its directory, and judge it
    #[arg(long, value_name = "DIR", conflicts_with_all = ["directories", "base", "out", "time", "launches",
        "blocks", "seed"])]
    resume: Option<PathBuf>,
    /// No progress on standard error
    #[arg(long, short)]
    quiet: bool,
    /// How to print it
    #[arg(long, default_value = "table", value_parser = format_names())]
    format: String,
    /// Write it to a file too: json, junit or md (repeatable)
    #[arg(long, value_name = "FORMAT=FILE", value_parser = VerdictExport::parse)]
    export: Vec<VerdictExport>,
    #[command(flatten)]
    knobs: KnobFlags,
}

fn format_names() -> clap::builder::PossibleValuesParser {
    std::iter::once("table").chain(export::verdict_formats()).collect::<Vec<_>>().into()
}

fn share(text: &str) -> Result<f64, String> {
    let share = units::parse_percentage(text).map_err(|error| error.to_string())?;
    if share <= 0.0 || share > 0.2 {
        return Err(format!("{text} is no level of a test: give more than 0% and at most 20%"));
    }
    Ok(share)
}

/// Checks what the flags say.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    args.export.iter().try_for_each(VerdictExport::check)?;
    let waivers = waivers::read(args.waivers.as_deref())?;
    if let Some(directory) = &args.resume {
        return sides::resume(args, directory, &waivers);
    }
    if !args.directories.is_empty() {
        refuse_of_directories(args)?;
        if !args.knobs.given.is_empty() {
            return Err(exit::usage_text(
                "a results directory is judged as it was measured: leave the knobs out, or give \
                 --base and --cand to measure",
            ));
        }
        return recorded(args, &waivers);
    }
    if args.base.is_empty() {
        return Err(exit::usage_text(
            "nothing to check: give --base and --cand, each with a knob and its value (--base \
             image=./old --cand image=./new), or a results directory",
        ));
    }
    match directories::sides(&args.base, &args.cand)? {
        Some((base, cand)) => directories::run(args, &base, &cand, &waivers),
        None => {
            refuse_of_directories(args)?;
            sides::run(args, &waivers)
        }
    }
}

/// What is said of stored results says nothing of sides that are measured now.
fn refuse_of_directories(args: &Args) -> anyhow::Result<()> {
    let flag = match (args.across.is_empty(), args.reference.is_empty()) {
        (true, true) => return Ok(()),
        (false, _) => "--across",
        (true, false) => "--reference",
    };
    Err(exit::usage_text(format!(
        "{flag} is for results directories against each other (--base DIR.. --cand DIR..); what one \
         run holds is of one machine: leave it out"
    )))
}

/// Judges results directories: by a budget if there is one, and else a check by its gate, and any
/// other by the claims of its scenarios.
fn recorded(args: &Args, waivers: &Waivers) -> anyhow::Result<ExitCode> {
    // Nothing is judged, and no verdict written, before all of it is known to be right.
    let budget = args.claims.as_deref().map(claims::Budget::read).transpose()?;
    for directory in &args.directories {
        exit::results_directory(directory)?;
    }
    let mut found = Vec::new();
    if let Some(budget) = &budget {
        let exit = claims::run(args, &args.directories, Some(budget), waivers, &mut found)?;
        warn_of(waivers, &found)?;
        write_exports(args, &found)?;
        return Ok(exit.into());
    }
    let mut claiming = Vec::new();
    let mut exits = Vec::new();
    for directory in &args.directories {
        match sides::judged(args, directory, waivers)? {
            Some(gated) => exits.push(tell(args, &gated, directory, &mut found)?),
            None => claiming.push(directory.clone()),
        }
    }
    if !claiming.is_empty() {
        exits.push(claims::run(args, &claiming, None, waivers, &mut found)?);
    }
    warn_of(waivers, &found)?;
    write_exports(args, &found)?;
    Ok(worst(&exits).into())
}

fn warn_of(waivers: &Waivers, found: &[Found]) -> anyhow::Result<()> {
    let rows = found.iter().flat_map(|one| &one.report.rows);
    waivers::warn(waivers, &rows.map(|row| row.name.as_str()).collect::<Vec<_>>())
}

/// Of several directories: what is worse comes before what could not be judged, and that before
/// what is undecided.
fn worst(exits: &[Exit]) -> Exit {
    let order = [Exit::Regression, Exit::Nothing, Exit::Inconclusive];
    order.into_iter().find(|exit| exits.contains(exit)).unwrap_or(Exit::Fine)
}

/// Writes what was found into the directory. Where that cannot be done the command fails: whoever
/// reads the file must not find an older one.
fn keep(document: &impl Serialize, directory: &Path) -> anyhow::Result<Vec<u8>> {
    let path = directory.join(verdict::FILE);
    let mut text = serde_json::to_vec_pretty(document)?;
    text.push(b'\n');
    crate::record::append::replace(&path, &text)
        .with_context(|| format!("the verdict is not kept: {}", path.display()))?;
    Ok(text)
}

/// Keeps what a gate found, adds it to what is exported, prints it for people, and says which exit
/// it makes.
fn tell(
    args: &Args,
    gated: &Gated,
    directory: &Path,
    found: &mut Vec<Found>,
) -> anyhow::Result<Exit> {
    tell_of(args, gated, directory, source::machine(directory)?, found)
}

/// The same, of results that were measured on that machine, wherever the verdict is kept.
fn tell_of(
    args: &Args,
    gated: &Gated,
    directory: &Path,
    machine: Vec<(String, String)>,
    found: &mut Vec<Found>,
) -> anyhow::Result<Exit> {
    let json = keep(gated, directory)?;
    found.push(Found { report: Report::of_gate(gated, machine), json });
    if args.format == "table" {
        let screen = Screen::of_stdout();
        write!(anstream::stdout(), "{}", terminal::gated(gated, screen))?;
    }
    last_line(args, &gated.last_line())?;
    Ok(match gated.exit_code {
        0 => Exit::Fine,
        3 => Exit::Regression,
        4 => Exit::Inconclusive,
        _ => Exit::Nothing,
    })
}

/// The last line; where standard output is for a document alone, elsewhere.
fn last_line(args: &Args, text: &str) -> anyhow::Result<()> {
    if args.format == "table" {
        writeln!(anstream::stdout(), "{text}")?;
    } else {
        writeln!(anstream::stderr(), "{text}")?;
    }
    Ok(())
}

/// Prints what was found as a document, if that is asked for, and writes its files. The verdict is
/// kept and told by then, whatever becomes of these.
fn write_exports(args: &Args, found: &[Found]) -> anyhow::Result<()> {
    if args.format != "table" {
        let mut out = anstream::stdout();
        export::write_verdict(&args.format, found, &mut out)?;
    }
    args.export.iter().try_for_each(|export| export.write(found))
}

/// That no debug build made the results, unless that is let pass.
fn release_build(args: &Args, is_release: bool) -> Option<String> {
    (!is_release && !args.allow_debug_build).then(|| DEBUG_BUILD.to_owned())
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
}
