//! `forkbench compare DIR DIR..`: results directories beside each other; describes, judges nothing.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::analyse::environments::Environment;
use crate::analyse::groups::{Comparison, Results};
use crate::command::exit::{self, Exit};
use crate::model::quantity::Quantity;
use crate::record::error::RecordError;
use crate::show::comparison::{self, FORMATS, View};
use crate::show::terminal::Screen;

/// Flags of `forkbench compare`.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  forkbench compare results/20261124T060000Z-spawn results/20261125T060000Z-spawn
  forkbench compare --format md before after

Variants of two directories are the same if scenario, role and setup are. Ratios are to the first
directory and have no interval: runs differ by more than the launches of one run show. To judge,
see forkbench check --help.

Exit codes: 0 compared, 2 no results directory, 5 nothing can be compared.")]
pub struct Args {
    /// Results directories; ratios are to the first
    #[arg(required = true, num_args = 2.., value_name = "DIR")]
    directories: Vec<PathBuf>,
    /// How to print it
    #[arg(long, default_value = "table", value_parser = format_names())]
    format: String,
}

/// Prints directories beside each other.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    distinct(&args.directories)?;
    let results = match read(&args.directories, &[])? {
        Ok(results) => results,
        Err(why) => {
            writeln!(anstream::stderr(), "forkbench: nothing can be compared: {why}")?;
            return Ok(Exit::Nothing.into());
        }
    };
    let found = Comparison::of(&results);
    let view = View::new(&results, &found);
    let format = comparison::find(&args.format).expect("checked when parsed");
    (format.write)(&view, Screen::of_stdout(), &mut anstream::stdout())?;
    if found.compares() {
        return Ok(Exit::Fine.into());
    }
    writeln!(
        anstream::stderr(),
        "forkbench: nothing can be compared: no variant with the same scenario, role and setup was \
         measured in two of the directories"
    )?;
    Ok(Exit::Nothing.into())
}

/// That no directory is named twice.
///
/// # Errors
///
/// Of usage, if one is, by whatever path, or is none.
pub(super) fn distinct(directories: &[PathBuf]) -> anyhow::Result<()> {
    let mut seen: Vec<(PathBuf, &Path)> = Vec::new();
    for directory in directories {
        exit::results_directory(directory)?;
        let canonical = directory.canonicalize().unwrap_or_else(|_| directory.clone());
        if let Some((_, before)) = seen.iter().find(|(other, _)| *other == canonical) {
            return Err(exit::usage_text(format!(
                "{} is the same directory as {}: a run cannot be compared with itself",
                directory.display(),
                before.display()
            )));
        }
        seen.push((canonical, directory));
    }
    Ok(())
}

/// Reads results directories, with these quantities beside those that are always compared, or says
/// why one of them cannot be used.
///
/// # Errors
///
/// Of usage, if what was named is no results directory at all.
pub(super) fn read(
    directories: &[PathBuf],
    asked: &[Quantity],
) -> anyhow::Result<Result<Vec<Results>, String>> {
    let mut all = Vec::new();
    for (directory, read) in directories.iter().zip(Results::read_all(directories, asked)) {
        match read {
            Ok(results) => all.push(results),
            Err(error @ (RecordError::Missing { .. } | RecordError::Foreign { .. })) => {
                return Err(exit::usage(error));
            }
            Err(error @ (RecordError::Newer { .. } | RecordError::Schema { .. })) => {
                let environment = Environment::read(directory).ok();
                let version = environment.and_then(|environment| environment.fact("tool.version"));
                let by = version.map(|version| format!("; forkbench {version} made it"));
                return Ok(Err(format!("{error}{}", by.unwrap_or_default())));
            }
            Err(error) => return Ok(Err(error.to_string())),
        }
    }
    Ok(Ok(all))
}

/// The names of all formats, for the parser of flags.
fn format_names() -> clap::builder::PossibleValuesParser {
    FORMATS.iter().map(|format| format.name).collect::<Vec<_>>().into()
}
