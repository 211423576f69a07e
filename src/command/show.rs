//! `forkbench show DIR`: a results directory again, from its files alone.

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::command::exit::{self, Exit};
use crate::command::export::{self, Export};
use crate::command::report::{self, Asked as Page};
use crate::show::formats::{self, FORMATS, Shown};
use crate::show::law::Asked;
use crate::show::source;
use crate::show::terminal::Screen;
use crate::show::view::View;

/// Flags of `forkbench show`.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  forkbench show results/20261124T060000Z-spawn
  forkbench show results/20261124T060000Z-spawn --vs vfork --format csv
  forkbench show results/20261124T060000Z-rss --at rss=20GiB
  forkbench show results/20261124T060000Z-spawn --export md=spawn.md --export hgrm=spawn
  forkbench show results/20261124T060000Z-spawn -o report.html

With -o it writes a page, as forkbench report does, or the picture of the answer (FILE.svg).")]
pub struct Args {
    /// Results directories, each shown by itself
    #[arg(required = true, value_name = "DIR")]
    directories: Vec<PathBuf>,
    /// The variant or mechanism that ratios are against [default: as the run was planned]
    #[arg(long, value_name = "LABEL")]
    vs: Option<String>,
    /// What the law says of a value of its axis, measured or not, such as rss=20GiB (repeatable)
    #[arg(long, value_name = "KNOB=VALUE", value_parser = Asked::parse)]
    at: Vec<Asked>,
    /// How to print it
    #[arg(long, default_value = "table", value_parser = format_names())]
    format: String,
    /// Write it to a file too, or to a directory of files (hgrm); see `list formats` (repeatable)
    #[arg(long, value_name = "FORMAT=PATH", value_parser = Export::parse)]
    export: Vec<Export>,
    /// Write a page instead of printing, FILE.html or FILE.md, or a picture, FILE.svg
    #[arg(long, short, value_name = "FILE",
        conflicts_with_all = ["vs", "at", "format", "export"])]
    output: Option<PathBuf>,
    /// The picture that FILE.svg is to be, by its name [default: that of the answer]
    #[arg(long, value_name = "NAME", requires = "output")]
    picture: Option<String>,
    /// Write over a file that exists
    #[arg(long, requires = "output")]
    force: bool,
}

/// Prints results directories.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    if let Some(output) = &args.output {
        let (force, picture) = (args.force, args.picture.as_deref());
        let page = Page { command: "show", output, force, picture };
        return report::write(&page, &args.directories);
    }
    if !args.at.is_empty() && args.format == "csv" {
        return Err(exit::usage_text("--at needs --format table or json: no row of csv tells it"));
    }
    if args.directories.len() > 1 && !args.export.is_empty() {
        return Err(exit::usage_text("--export takes one results directory: show each by itself"));
    }
    args.export.iter().try_for_each(Export::check)?;
    let mut exit = Exit::Fine;
    for directory in &args.directories {
        exit::results_directory(directory)?;
        let view =
            source::read_at(directory, args.vs.as_deref(), &args.at).map_err(exit::unreadable)?;
        if let Some(vs) = &args.vs
            && view.records.iter().all(|row| row.label != *vs && row.mechanism != *vs)
        {
            return Err(exit::usage_text(format!(
                "--vs `{vs}` is no variant of {}",
                directory.display()
            )));
        }
        check_axes(&args.at, &view, directory)?;
        let shown = Shown { view: &view, directory, screen: Screen::of_stdout() };
        args.export.iter().try_for_each(|export| export.write(shown))?;
        print(shown, &args.format)?;
        if !has_samples(&view) {
            exit = Exit::Nothing;
        }
    }
    Ok(exit.into())
}

/// A law is asked about a knob that the run varied.
fn check_axes(asked: &[Asked], view: &View, directory: &Path) -> anyhow::Result<()> {
    let axes = view.axes();
    let Some(foreign) = asked.iter().find(|asked| !axes.contains(&asked.knob.name)) else {
        return Ok(());
    };
    let name = foreign.knob.name;
    let directory = directory.display();
    Err(exit::usage_text(if axes.is_empty() {
        format!(
            "--at {name}={}: {directory} has no law: it varies no knob that counts; make a run \
             that does, such as `forkbench run --rss 0,256M,1G`",
            foreign.value
        )
    } else {
        format!(
            "--at {name}={}: {name} is no axis of {directory}; its laws run along {}",
            foreign.value,
            axes.join(", ")
        )
    }))
}

/// Writes a view to standard output in a format of the registry.
pub(super) fn print(shown: Shown<'_>, format: &str) -> anyhow::Result<()> {
    let format = formats::find(format).expect("checked when parsed");
    // Every number of a large run would be a system call.
    let mut out = BufWriter::new(anstream::stdout().lock());
    let left = (format.write)(shown, &mut out)?;
    out.flush()?;
    export::tell(format, &left)
}

/// Whether anything was measured: any sample that counts in a statistic.
pub(super) fn has_samples(view: &View) -> bool {
    view.has_samples()
}

/// The names of all formats, for the parser of flags.
pub(super) fn format_names() -> clap::builder::PossibleValuesParser {
    FORMATS.iter().map(|format| format.name).collect::<Vec<_>>().into()
}
