//! `forkbench archive DIR.. -o DIR`: results in little room, read by the same commands.

use std::ffi::OsString;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;

use crate::analyse::cells::Cells;
use crate::analyse::environments::is_release_build;
use crate::command::compare;
use crate::command::exit::{self, Exit};
use crate::record::archive::{self, FILE};
use crate::record::read;
use crate::show::units;

/// Flags of `forkbench archive`.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  forkbench archive results/20261124T060000Z-spawn -o archive/spawn
  forkbench archive results/2026* -o archive
  forkbench show archive/spawn

What show, report, compare and check say of an archive they say of the original: of each block the
times are kept, each right to 1/2048 or with --exact to the nanosecond, and counted facts as they
are. Lost is what is of single samples: --export hyperfine and --resume need the original.
FORMAT.md has the files.

Exit codes: 0 archived, 1 it cannot be written, 2 wrong usage (nothing was archived), 5 archived, and
in one of the directories nothing was measured.")]
pub struct Args {
    /// Results directories
    #[arg(required = true, value_name = "DIR")]
    directories: Vec<PathBuf>,
    /// The archive; of several directories where to make one of each, by its name
    #[arg(long, short, value_name = "DIR", required = true)]
    output: PathBuf,
    /// Keep each time to the nanosecond, in about twice the room
    #[arg(long)]
    exact: bool,
    /// Write over archives that exist
    #[arg(long)]
    force: bool,
}

/// A directory inside a results directory in which a check has measured once more.
const CONFIRMATION: &str = "confirm";

/// Archives results directories.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    compare::distinct(&args.directories)?;
    let targets = targets(args)?;
    // Nothing is archived before all of it is known to have its place.
    for (source, target) in args.directories.iter().zip(&targets) {
        if source.join(FILE).exists() {
            return Err(exit::usage_text(format!("{} is archived already", source.display())));
        }
        is_free(target, args.force)?;
    }
    let mut exit = Exit::Fine;
    for (source, target) in args.directories.iter().zip(&targets) {
        let made = archive(source, target, args.exact)?;
        for note in &made.notes {
            writeln!(anstream::stderr(), "forkbench: {}: {note}", source.display())?;
        }
        writeln!(
            anstream::stdout(),
            "{}: {}, {} kB in place of {}",
            target.display(),
            units::plural(made.samples as u64, "sample", "samples"),
            units::count(made.size.div_ceil(1000)),
            units::count(made.size_before.div_ceil(1000))
        )?;
        if !made.is_measured {
            exit = Exit::Nothing;
        }
    }
    Ok(exit.into())
}

/// Where the archive of each directory is to be.
fn targets(args: &Args) -> anyhow::Result<Vec<PathBuf>> {
    let [_, _, ..] = &args.directories[..] else { return Ok(vec![args.output.clone()]) };
    let mut targets = Vec::new();
    for directory in &args.directories {
        // `.` and `..` have their names elsewhere.
        let path = directory.canonicalize().unwrap_or_else(|_| directory.clone());
        let name = path.file_name().unwrap_or(path.as_os_str());
        let target = args.output.join(name);
        if targets.contains(&target) {
            return Err(exit::usage_text(format!(
                "two directories are named {}: archive each by itself",
                Path::new(name).display()
            )));
        }
        targets.push(target);
    }
    Ok(targets)
}

/// That an archive can be put there. Only an archive is ever written over.
fn is_free(target: &Path, force: bool) -> anyhow::Result<()> {
    let flag = format!("--output {}", target.display());
    if target.file_name().is_none() {
        return Err(exit::usage_text(format!("{flag}: that names no directory; give its name")));
    }
    if target.symlink_metadata().is_err() {
        return Ok(());
    }
    if !target.join(FILE).is_file() {
        return Err(exit::usage_text(format!(
            "{flag}: it exists and is no archive, and is not written over; give another name"
        )));
    }
    if !force {
        return Err(exit::usage_text(format!(
            "{flag}: it exists; give another name, or --force to write over it"
        )));
    }
    Ok(())
}

/// What became of one directory.
struct Made {
    samples: usize,
    is_measured: bool,
    /// Bytes of its files.
    size: u64,
    /// Bytes of the files of the original.
    size_before: u64,
    /// What there is to say of it.
    notes: Vec<String>,
}

/// Archives one directory: whoever looks at `target` sees what was there before or all of it.
fn archive(source: &Path, target: &Path, exact: bool) -> anyhow::Result<Made> {
    let not_written = || format!("{} was not archived", source.display());
    let _held = archive::hold(source).map_err(exit::unreadable)?;
    let cells = Cells::read(source).map_err(exit::unreadable)?;
    let parent = target.parent().filter(|parent| !parent.as_os_str().is_empty());
    fs::create_dir_all(parent.unwrap_or(Path::new("."))).with_context(not_written)?;
    let beside = beside(target, "new");
    let placed = write(source, &beside, &cells, exact).and_then(|()| place(&beside, target));
    if let Err(error) = placed {
        let _ = fs::remove_dir_all(&beside);
        return Err(error.context(not_written()));
    }
    let mut notes = Vec::new();
    let is_measured = cells.eligible > 0;
    if cells.blocks.is_empty() {
        notes.push("it has no finished block: its launches and events are archived".to_owned());
    } else if !is_measured {
        notes.push("nothing was measured that a statistic is made of".to_owned());
    }
    if !is_release_build(&read::environment(source).unwrap_or_default()) {
        notes.push("a debug build made it: its figures are not to be relied on".to_owned());
    }
    Ok(Made {
        samples: cells.samples,
        is_measured,
        size: size(target)?,
        size_before: size(source)?,
        notes,
    })
}

/// Writes the archive of a directory, and of the confirmation inside it.
fn write(source: &Path, target: &Path, cells: &Cells, exact: bool) -> anyhow::Result<()> {
    archive::write(source, target, &cells.to_archive(exact), cells.rows(exact))?;
    let (again, inside) = (source.join(CONFIRMATION), target.join(CONFIRMATION));
    if again.is_dir() {
        write(&again, &inside, &Cells::read(&again)?, exact)?;
    }
    Ok(())
}

/// Puts a directory in the place of another, or where none is.
fn place(beside: &Path, target: &Path) -> anyhow::Result<()> {
    if target.symlink_metadata().is_err() {
        return Ok(fs::rename(beside, target)?);
    }
    let old = self::beside(target, "old");
    fs::rename(target, &old)?;
    if let Err(error) = fs::rename(beside, target) {
        fs::rename(&old, target)?;
        return Err(error.into());
    }
    Ok(fs::remove_dir_all(&old)?)
}

/// A name beside a directory that nobody else uses.
fn beside(target: &Path, word: &str) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(target.file_name().unwrap_or_default());
    name.push(format!(".{word}.{}", std::process::id()));
    target.with_file_name(name)
}

/// Bytes of all files in a directory.
fn size(directory: &Path) -> io::Result<u64> {
    let mut size = 0;
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let found = entry.metadata()?;
        size += if found.is_dir() { self::size(&entry.path())? } else { found.len() };
    }
    Ok(size)
}
