//! `forkbench list`: what the registries hold.

use std::io::Write;
use std::process::ExitCode;

use clap::ValueEnum;

use crate::drive::library::SHIPPED;
use crate::measure::mechanism::MECHANISMS;
use crate::measure::reading::READINGS;
use crate::model::action::ACTIONS;
use crate::model::hazard::{self, Hazard, Reset};
use crate::model::interval::Interval;
use crate::model::knob::KNOBS;
use crate::model::setup::Setup;
use crate::model::workload::WORKLOADS;
use crate::show::exports::verdict;
use crate::show::formats::FORMATS;

/// Flags of `forkbench list`.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  forkbench list\n  forkbench list mechanisms")]
pub struct Args {
    /// What to list; everything if left out
    what: Option<What>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum What {
    Knobs,
    Mechanisms,
    Workloads,
    Actions,
    Hazards,
    Scenarios,
    Intervals,
    Readings,
    Formats,
}

/// Prints the registries.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let mut text = String::new();
    for what in What::value_variants() {
        if args.what.is_none_or(|wanted| wanted == *what) {
            if !text.is_empty() {
                text.push('\n');
            }
            text.push_str(&section(*what, args.what.is_none()));
        }
    }
    anstream::stdout().write_all(text.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

fn section(what: What, titled: bool) -> String {
    let (title, rows): (&str, Vec<[String; 2]>) = match what {
        What::Knobs => (
            "Knobs, as flags of run (a list of values compares them)",
            KNOBS
                .iter()
                .map(|knob| {
                    let default = (knob.get)(&Setup::default());
                    let default = match default.as_str() {
                        "" => "none".to_owned(),
                        text => text.to_owned(),
                    };
                    let about = format!("{} [{default}]", knob.about);
                    [format!("--{} {}", knob.name, knob.value), about]
                })
                .collect(),
        ),
        What::Mechanisms => (
            "Mechanisms",
            MECHANISMS
                .iter()
                .map(|mechanism| {
                    let mut about = mechanism.about.to_owned();
                    if let Err(refusal) = (mechanism.available)() {
                        about.push_str(&format!(" (not here: {refusal})"));
                    }
                    let command = if mechanism.takes_command() { ":CMD" } else { "" };
                    [format!("{}{command}", mechanism.name), about]
                })
                .collect(),
        ),
        What::Workloads => (
            "Workloads: what a turn does",
            WORKLOADS
                .iter()
                .map(|row| [row.workload.word().to_owned(), row.about.to_owned()])
                .collect(),
        ),
        What::Actions => (
            "Actions between birth and exec, of workload=gap",
            ACTIONS.iter().map(|row| [row.word.to_owned(), row.about.to_owned()]).collect(),
        ),
        What::Hazards => (
            "Hazards of a fork beside threads, as arguments of hazard (forkbench explain NAME)",
            hazard::all().map(hazard_row).collect(),
        ),
        What::Scenarios => (
            "Scenarios, as arguments of run (published: all of them in that folder)",
            SHIPPED
                .iter()
                .map(|shipped| {
                    let about = shipped.scenario().map(|scenario| scenario.about);
                    [shipped.name.to_owned(), about.unwrap_or_else(|error| error.to_string())]
                })
                .collect(),
        ),
        What::Intervals => (
            "Intervals, from the call on",
            Interval::ALL.iter().map(|i| [i.word().to_owned(), i.about().to_owned()]).collect(),
        ),
        What::Readings => (
            "Readings",
            READINGS.iter().map(|row| [row.name.to_owned(), row.about.to_owned()]).collect(),
        ),
        What::Formats => (
            "Formats",
            FORMATS
                .iter()
                .map(|row| [row.name.to_owned(), row.about.to_owned()])
                .chain(
                    verdict::FORMATS
                        .iter()
                        .map(|row| [row.name.to_owned(), format!("of check: {}", row.about)]),
                )
                .collect(),
        ),
    };
    let width = rows.iter().map(|[name, _]| name.len()).max().unwrap_or(0);
    let lines: String =
        rows.iter().map(|[name, about]| format!("  {name:width$}  {about}\n")).collect();
    if titled { format!("{title}\n{lines}") } else { lines }
}

/// Number and name; kind and lock, who protects it, and whether it is part of a run that names none.
fn hazard_row(hazard: &Hazard) -> [String; 2] {
    let reset = match hazard.reset {
        Reset::Yes => "; reset by fork() of the libc",
        Reset::No => "; reset by nobody",
        Reset::NotOurs => "",
    };
    let usual = match (hazard.default, hazard.forks) {
        (true, _) => "",
        (false, 0) => " (told, not run)",
        (false, _) => " (not by default)",
    };
    let kind = hazard.kind.word();
    [format!("{} {}", hazard.id, hazard.name), format!("{kind}: {}{reset}{usual}", hazard.lock)]
}
