//! The subcommands: their flags, what they call, what they print.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

pub mod archive;
pub mod check;
pub mod compare;
pub mod complete;
pub mod env;
pub mod exit;
pub mod explain;
mod export;
mod fitness;
pub mod hazard;
pub mod knobs;
pub mod list;
pub mod report;
pub mod run;
pub mod show;
mod symbols;
pub mod validate;

/// Measures what creating a process costs on Linux: in which mechanism, in a parent of any shape.
#[derive(Parser)]
#[command(
    name = "forkbench",
    version,
    propagate_version = true,
    max_term_width = 100,
    after_help = "Examples:
  forkbench run --rss 1G                       what each mechanism costs in a parent of 1 GiB
  forkbench run --rss 0,256M,1G                how that grows
  forkbench run --mechanism fork,vfork --image /bin/true --time 20s
  forkbench show results/20261124T060000Z-spawn
  forkbench check results/20261124T060000Z-rss   whether its claims hold
  forkbench explain blocked

Exit codes: 0 fine, 1 failed at run time, 2 wrong usage (nothing was run), 3 a claim fails, 4 a
claim is unclear or not shown (check --strict), 5 nothing was measured, or nothing is claimed, 130
interrupted (what was finished is kept; see --resume)."
)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Measure, and say what the numbers mean
    Run(Box<run::Args>),
    /// Make happen what can go wrong with a fork beside threads, and prove it
    Hazard(hazard::Args),
    /// Show a results directory again
    Show(show::Args),
    /// Write a page that people quote: HTML or markdown, with pictures
    Report(report::Args),
    /// Put results directories beside each other
    Compare(compare::Args),
    /// Keep results in a tenth of the room, without their samples
    Archive(archive::Args),
    /// Check whether what a run claims of itself holds
    Check(check::Args),
    /// Measure how often a check is wrong on this machine
    Validate(validate::Args),
    /// List knobs, mechanisms, readings, formats
    List(list::Args),
    /// Explain a word: a column, an interval, a mechanism, a knob, a warning
    Explain(explain::Args),
    /// What this machine is, what works here, and what disturbs measurements
    Env(env::Args),
    /// Print a completion script for a shell
    Completions(complete::Args),
    /// Print the manual page
    Man,
}

/// The whole program.
pub fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Run(args) => run::run(&args),
        Command::Hazard(args) => hazard::run(&args),
        Command::Show(args) => show::run(&args),
        Command::Report(args) => report::run(&args),
        Command::Compare(args) => compare::run(&args),
        Command::Archive(args) => archive::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Validate(args) => validate::run(&args),
        Command::List(args) => list::run(&args),
        Command::Explain(args) => explain::run(&args),
        Command::Env(args) => env::run(&args),
        Command::Completions(args) => complete::run(&args, &mut Cli::command()),
        Command::Man => complete::man(&Cli::command()),
    };
    match outcome {
        Ok(code) => code,
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            let exit = exit::of(&error);
            let _ = writeln!(anstream::stderr(), "forkbench: {error:#}");
            exit.into()
        }
    }
}

/// Whether the reader of standard output has gone: `forkbench .. | head` is no failure.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause.downcast_ref::<io::Error>().is_some_and(|e| e.kind() == io::ErrorKind::BrokenPipe)
    })
}
