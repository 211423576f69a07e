//! `forkbench show DIR`: a results directory again, from its files alone.

use std::path::PathBuf;
use std::process::ExitCode;

use crate::command::exit::{self, Exit};
use crate::show::formats::{self, FORMATS};
use crate::show::source;
use crate::show::terminal::Screen;
use crate::show::view::View;

/// Flags of `forkbench show`.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  forkbench show results/20261124T060000Z-spawn
  forkbench show results/20261124T060000Z-spawn --vs vfork --format csv")]
pub struct Args {
    /// Results directories, each shown by itself
    #[arg(required = true, value_name = "DIR")]
    directories: Vec<PathBuf>,
    /// The variant or mechanism that ratios are against [default: as the run was planned]
    #[arg(long, value_name = "LABEL")]
    vs: Option<String>,
    /// How to print it
    #[arg(long, default_value = "table", value_parser = format_names())]
    format: String,
}

/// Prints results directories.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let mut exit = Exit::Fine;
    for directory in &args.directories {
        if !directory.is_dir() {
            return Err(exit::usage_text(format!(
                "{} is no directory: give one that `forkbench run` has made (under results/)",
                directory.display()
            )));
        }
        let view = source::read(directory, args.vs.as_deref())?;
        if let Some(vs) = &args.vs
            && view.records.iter().all(|row| row.label != *vs && row.mechanism != *vs)
        {
            return Err(exit::usage_text(format!(
                "--vs `{vs}` is no variant of {}",
                directory.display()
            )));
        }
        print(&view, &args.format)?;
        if !has_samples(&view) {
            exit = Exit::Nothing;
        }
    }
    Ok(exit.into())
}

/// Writes a view to standard output in a format of the registry.
pub(super) fn print(view: &View, format: &str) -> anyhow::Result<()> {
    let format = formats::find(format).expect("checked when parsed");
    (format.write)(view, Screen::of_stdout(), &mut anstream::stdout())?;
    Ok(())
}

/// Whether anything was measured: any sample that counts in a statistic.
pub(super) fn has_samples(view: &View) -> bool {
    view.records.iter().any(|record| record.n > 0)
}

/// The names of all formats, for the parser of flags.
pub(super) fn format_names() -> clap::builder::PossibleValuesParser {
    FORMATS.iter().map(|format| format.name).collect::<Vec<_>>().into()
}
