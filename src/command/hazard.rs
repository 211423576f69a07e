//! `forkbench hazard`: what can go wrong with a fork in a process that has threads, made to happen.
//!
//! It measures as `forkbench run` does: each hazard with each birth is a variant of workload=hazard
//! with a subject to itself.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use crate::command::exit;
use crate::command::run::{self, Manner, duration};
use crate::command::show;
use crate::command::symbols;
use crate::drive::library;
use crate::drive::plan::Wishes;
use crate::drive::roster::Roster;
use crate::model::hazard::{self, Hazard};
use crate::model::scenario::{Axis, Scenario, Setting};

/// Flags of `forkbench hazard`.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  forkbench hazard                             every hazard, by every birth: two minutes at most
  forkbench hazard localtime --verbose         one of them, with the proof
  forkbench hazard mutex --duty 10,50,90 --threads 1,4 --birth fork --forks 1000
  forkbench hazard H02 --birth _fork,clone3 --format csv
  forkbench hazard --symbols /usr/sbin/sshd    which of their functions a program imports
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
    /// Complete the plan of an interrupted run in its directory
    #[arg(long, value_name = "DIR", conflicts_with_all = ["names", "birth", "threads", "forks", "duty",
        "seed", "stall", "out"])]
    resume: Option<PathBuf>,
    /// Run nothing: list the functions that lead into hazards and that these files import
    #[arg(long, value_name = "PATH", num_args = 1.., conflicts_with_all = ["names", "birth", "threads",
        "forks", "duty", "seed", "stall", "out", "resume", "verbose"])]
    symbols: Vec<PathBuf>,
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

impl Args {
    fn manner(&self) -> Manner<'_> {
        let mut formats = vec![match self.format.as_str() {
            "csv" => "hazard-csv",
            format => format,
        }];
        if self.verbose && self.format == "table" {
            formats.push("evidence");
        }
        Manner { command: "hazard", quiet: self.quiet, formats, exports: &[] }
    }
}

/// Makes them happen, and prints what was seen.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    if !args.symbols.is_empty() {
        return symbols::run(&args.symbols, &args.format);
    }
    let manner = args.manner();
    let interrupted = run::begin()?;
    if let Some(directory) = &args.resume {
        return run::resume(&manner, directory, &interrupted);
    }
    let scenarios = vec![scenario(args)?];
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
    let writer = run::writer(args.out.as_deref(), "hazard", &roster)?;
    run::measure(&manner, args.stall, writer, &interrupted, |harness| {
        harness.run(roster, scenarios, wishes, ground)
    })
}

/// The hazard whose lock is held for a share of the time that the user says.
const DUTY_OF: &str = "mutex";

/// Each hazard with each of its births is a point; threads and shares of time multiply them.
fn scenario(args: &Args) -> anyhow::Result<Scenario> {
    let hazards = hazards(args)?;
    if args.threads.iter().any(|threads| threads.trim() == "0") {
        return Err(exit::usage_text(
            "--threads 0: it takes a thread that holds a lock to hang a child; give 1 or more",
        ));
    }
    let has_duty = |hazard: &&Hazard| hazard.name == DUTY_OF;
    if let (false, Some(other)) = (args.duty.is_empty(), hazards.iter().find(|h| !has_duty(h))) {
        return Err(exit::usage_text(format!(
            "--duty is of hazard {DUTY_OF} alone, and {} has no time of its own: say `forkbench \
             hazard {DUTY_OF} --duty {}`",
            other.name,
            args.duty.join(",")
        )));
    }
    let mut points = Vec::new();
    for hazard in hazards {
        let births: Vec<&str> = match args.birth.as_slice() {
            [] => hazard.usual_births(),
            given => given.iter().map(String::as_str).collect(),
        };
        for birth in births {
            points
                .push(vec![Setting::new("hazard", hazard.name), Setting::new("mechanism", birth)]);
        }
    }
    let mut scenario = Scenario {
        name: "hazard".to_owned(),
        about: "What happens to a child that is forked beside threads?".to_owned(),
        base: vec![
            Setting::new("workload", "hazard"),
            Setting::new("busy", "hold"),
            Setting::new("forks", &args.forks),
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

/// Those that are named, by name or all of a number, each once; or the usual ones.
fn hazards(args: &Args) -> anyhow::Result<Vec<&'static Hazard>> {
    let mut hazards: Vec<&'static Hazard> = Vec::new();
    for name in &args.names {
        let named = hazard::named(name);
        let Some(first) = named.first() else {
            return Err(exit::usage_text(hazard::unknown(name)));
        };
        if !named.iter().any(|found| found.runs()) {
            return Err(exit::usage_text(first.only_told()));
        }
        for found in named.into_iter().filter(|found| found.runs()) {
            if !hazards.iter().any(|other| other.name == found.name) {
                hazards.push(found);
            }
        }
    }
    if hazards.is_empty() {
        hazards.extend(hazard::all().filter(|hazard| hazard.default));
    }
    Ok(hazards)
}
