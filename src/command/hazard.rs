//! `forkbench hazard`: what can go wrong with a fork in a process that has threads, made to happen.
//!
//! It measures as `forkbench run` does: each hazard with each birth is a variant of workload=hazard
//! with a subject to itself.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use crate::command::exit;
use crate::command::run::{self, Manner, duration};
use crate::command::show;
use crate::drive::library;
use crate::drive::machine;
use crate::drive::plan::Wishes;
use crate::drive::roster::Roster;
use crate::model::hazard::{self, Hazard};
use crate::model::scenario::{Axis, Scenario, Setting};
use crate::record::append::Writer;
use crate::record::rows::VariantRow;

/// Flags of `forkbench hazard`.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  forkbench hazard                             every hazard, by every birth: two minutes at most
  forkbench hazard localtime --verbose         one of them, with the proof
  forkbench hazard mutex --duty 10,50,90 --threads 1,4 --birth fork --forks 1000
  forkbench hazard H02 --birth _fork,clone3 --format csv
  forkbench list hazards
  forkbench explain localtime                  what happens, why, and what to do")]
pub struct Args {
    /// Hazards: names or numbers of `forkbench list hazards` [default: those listed as such]
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// Mechanisms that make the children [default: those that mean something for each]
    #[arg(long, value_name = "NAME[,..]", value_delimiter = ',')]
    birth: Vec<String>,
    /// Threads that hold the lock over and over [default: 2]
    #[arg(long, value_name = "N[,..]", value_delimiter = ',', default_value = "2")]
    threads: Vec<String>,
    /// Processes that each of them is tried with [default: usual, as the hazard needs]
    #[arg(long, value_name = "N", default_value = "usual")]
    forks: String,
    /// Of hazard mutex: percent of the time for which it is held [default: 50]
    #[arg(long, value_name = "PERCENT[,..]", value_delimiter = ',')]
    duty: Vec<String>,
    /// The seed of every random choice [default: a new one]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(0..1 << 63))]
    seed: Option<u64>,
    /// A parent in which nothing moves for so long is examined, killed, and a row of its own
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = duration)]
    stall: Duration,
    /// The results directory [default: results/UTC-hazard]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// The whole evidence of each child that hangs
    #[arg(long)]
    verbose: bool,
    /// No progress on standard error
    #[arg(long, short)]
    quiet: bool,
    /// How to print the results
    #[arg(long, default_value = "table", value_parser = show::format_names())]
    format: String,
}

/// Makes them happen, and prints what was seen.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    for note in machine::recover() {
        run::tell(&note);
    }
    let interrupted = run::catch_signals()?;
    let scenario = scenario(args)?;
    let scenarios = vec![scenario];
    let roster = Roster::of(&scenarios, None).map_err(exit::usage)?;
    let ground = run::ground()?;
    let wishes = Wishes {
        time_ns: 120_000_000_000,
        precision: 0.01,
        launches: Some(1),
        blocks: Some(1),
        seed: args.seed.unwrap_or_else(run::fresh_seed),
        stall_ns: u64::try_from(args.stall.as_nanos()).unwrap_or(u64::MAX),
    };
    let directory = match &args.out {
        Some(directory) => directory.clone(),
        None => Path::new("results").join(format!("{}-hazard", run::utc())),
    };
    let rows: Vec<VariantRow> = roster.entries.iter().map(|entry| entry.row.clone()).collect();
    let writer = Writer::create(&directory, &rows).map_err(exit::usage)?;
    let manner = Manner { quiet: args.quiet, format: &args.format };
    run::measure(&manner, args.stall, writer, &interrupted, |harness| {
        harness.run(roster, scenarios, wishes, ground)
    })
}

/// Each hazard with each of its births is a point; threads and shares of time multiply them.
fn scenario(args: &Args) -> anyhow::Result<Scenario> {
    let mut points = Vec::new();
    for hazard in hazards(args)? {
        let births: Vec<&str> = match args.birth.as_slice() {
            [] => hazard.usual_births(),
            given => given.iter().map(String::as_str).collect(),
        };
        for birth in births {
            points.push(vec![setting("hazard", hazard.name), setting("mechanism", birth)]);
        }
    }
    let mut scenario = Scenario {
        name: "hazard".to_owned(),
        about: "What happens to a child that is forked beside threads?".to_owned(),
        base: vec![
            setting("workload", "hazard"),
            setting("busy", "hold"),
            setting("forks", &args.forks),
        ],
        axes: vec![Axis::list("threads", &args.threads), Axis { name: "birth".to_owned(), points }],
        ..Scenario::default()
    };
    if !args.duty.is_empty() {
        scenario.axes.insert(0, Axis::list("duty", &args.duty));
    }
    library::name_mechanisms(&mut scenario);
    Ok(scenario)
}

/// Those that are named, each once; or the usual ones.
fn hazards(args: &Args) -> anyhow::Result<Vec<&'static Hazard>> {
    let mut hazards: Vec<&'static Hazard> = Vec::new();
    for name in &args.names {
        let found = hazard::find(name).ok_or_else(|| exit::usage_text(hazard::unknown(name)))?;
        if !hazards.iter().any(|other| other.name == found.name) {
            hazards.push(found);
        }
    }
    if hazards.is_empty() {
        hazards.extend(hazard::all().filter(|hazard| hazard.default));
    }
    Ok(hazards)
}

fn setting(knob: &str, value: &str) -> Setting {
    Setting { knob: knob.to_owned(), value: value.to_owned() }
}
