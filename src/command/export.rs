//! `--export FORMAT=PATH`: results in files, in as many formats as are asked for.
//!
//! A file that was asked for and could not be written is a failure, whatever else went well. It is
//! written beside its place and then put there, so that no reader finds half of it.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::command::exit;
use crate::show::exports::Left;
use crate::show::exports::verdict::{self, Report};
use crate::show::formats::{self, FORMATS, Format, Shown};

/// A file that is asked for.
#[derive(Clone)]
pub(super) struct Export {
    format: &'static Format,
    path: PathBuf,
}

impl Export {
    /// From `FORMAT=PATH`.
    ///
    /// # Errors
    ///
    /// What is allowed.
    pub(super) fn parse(text: &str) -> Result<Export, String> {
        let names = || FORMATS.iter().map(|format| format.name).collect::<Vec<_>>().join(", ");
        let (name, path) =
            text.split_once('=').filter(|(_, path)| !path.is_empty()).ok_or_else(|| {
                format!("give FORMAT=PATH, such as md=results.md; FORMAT is {}", names())
            })?;
        let format = formats::find(name)
            .ok_or_else(|| format!("`{name}` is no format: there are {}", names()))?;
        Ok(Export { format, path: PathBuf::from(path) })
    }

    /// That its place is there, before anything is measured for it.
    ///
    /// # Errors
    ///
    /// Of usage, if there is no such directory.
    pub(super) fn check(&self) -> anyhow::Result<()> {
        let name = self.format.name;
        let flag = flag(name, &self.path);
        is_placed(&flag, &self.path)?;
        match self.format.parts {
            None => is_no_directory(&flag, &self.path),
            Some(_) if self.path.exists() && !self.path.is_dir() => Err(exit::usage_text(format!(
                "--export {name}={}: {name} has several files; give a directory",
                self.path.display()
            ))),
            Some(_) => Ok(()),
        }
    }

    /// Writes it.
    ///
    /// # Errors
    ///
    /// If it cannot be written, or the results cannot be read.
    pub(super) fn write(&self, shown: Shown<'_>) -> anyhow::Result<()> {
        let left = self.write_all(shown).with_context(|| {
            format!("--export {}={} was not written", self.format.name, self.path.display())
        })?;
        tell(self.format, &left)
    }

    fn write_all(&self, shown: Shown<'_>) -> anyhow::Result<Left> {
        let Some(parts) = self.format.parts else {
            return put(&self.path, |out| Ok((self.format.write)(shown, out)?));
        };
        let (parts, left) = parts(shown)?;
        if !self.path.is_dir() {
            fs::create_dir(&self.path)?;
        }
        for part in parts {
            put(&self.path.join(&part.name), |out| Ok(out.write_all(part.text.as_bytes())?))
                .with_context(|| part.name.clone())?;
        }
        Ok(left)
    }
}

/// A file of what a check finds that is asked for.
#[derive(Clone)]
pub(super) struct VerdictExport {
    name: String,
    path: PathBuf,
}

/// What a check has found of one directory.
pub(super) struct Found {
    /// For the formats of other tools.
    pub report: Report,
    /// The same as `verdict.json` has it.
    pub json: Vec<u8>,
}

impl VerdictExport {
    /// From `FORMAT=PATH`.
    ///
    /// # Errors
    ///
    /// What is allowed.
    pub(super) fn parse(text: &str) -> Result<VerdictExport, String> {
        let names = verdict_formats().join(", ");
        match text.split_once('=') {
            Some((name, path)) if verdict_formats().contains(&name) && !path.is_empty() => {
                Ok(VerdictExport { name: name.to_owned(), path: PathBuf::from(path) })
            }
            _ => Err(format!("give FORMAT=FILE, such as md=comment.md; FORMAT is {names}")),
        }
    }

    /// That its place is there, before anything is measured for it.
    ///
    /// # Errors
    ///
    /// Of usage, if there is no such directory.
    pub(super) fn check(&self) -> anyhow::Result<()> {
        let flag = flag(&self.name, &self.path);
        is_placed(&flag, &self.path)?;
        is_no_directory(&flag, &self.path)
    }

    /// Writes it.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub(super) fn write(&self, found: &[Found]) -> anyhow::Result<()> {
        put(&self.path, |out| write_verdict(&self.name, found, out)).with_context(|| {
            format!("--export {}={} was not written", self.name, self.path.display())
        })
    }
}

/// The formats of what a check finds that are documents: `json`, and those of other tools.
pub(super) fn verdict_formats() -> Vec<&'static str> {
    std::iter::once("json").chain(verdict::FORMATS.iter().map(|format| format.name)).collect()
}

/// Writes what was found in a format of [`verdict_formats`].
pub(super) fn write_verdict(
    name: &str,
    found: &[Found],
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    match verdict::find(name) {
        Some(format) => {
            let reports: Vec<Report> = found.iter().map(|one| one.report.clone()).collect();
            Ok((format.write)(&reports, out)?)
        }
        None => Ok(found.iter().try_for_each(|one| out.write_all(&one.json))?),
    }
}

/// A flag as it was typed.
fn flag(name: &str, path: &Path) -> String {
    format!("--export {name}={}", path.display())
}

/// That the directory of a file that is asked for by `flag`, as it was typed, is there.
///
/// # Errors
///
/// Of usage, if it is not.
pub(super) fn is_placed(flag: &str, path: &Path) -> anyhow::Result<()> {
    let parent = parent(path);
    if parent.is_dir() {
        return Ok(());
    }
    let parent = parent.display();
    Err(exit::usage_text(format!("{flag}: there is no directory {parent}; make it first")))
}

/// That a file that is asked for by `flag`, as it was typed, is no directory.
///
/// # Errors
///
/// Of usage, if it is one.
pub(super) fn is_no_directory(flag: &str, path: &Path) -> anyhow::Result<()> {
    if !path.is_dir() {
        return Ok(());
    }
    Err(exit::usage_text(format!("{flag}: that is a directory; give a file")))
}

/// Tells what a format has left out.
pub(super) fn tell(format: &Format, left: &Left) -> anyhow::Result<()> {
    for sentence in left {
        writeln!(anstream::stderr(), "forkbench: {}: {sentence}", format.name)?;
    }
    Ok(())
}

/// Writes a file beside its place, without colour codes, and puts it there when it is whole. What
/// is no plain file, a device or a pipe, is written as it is.
///
/// # Errors
///
/// If any of that fails; then what stood there before still stands there.
pub(super) fn put<T>(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    if fs::metadata(path).is_ok_and(|found| !found.is_file()) {
        return fill(path, write);
    }
    // A link is followed: what it names is replaced, not the link.
    let path = &fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    let name = path.file_name().ok_or_else(|| io::Error::from(io::ErrorKind::InvalidFilename))?;
    let mut beside = OsString::from(".");
    beside.push(name);
    beside.push(format!(".{}", std::process::id()));
    let beside = parent(path).join(beside);
    let written = fill(&beside, write).and_then(|told| {
        fs::rename(&beside, path)?;
        Ok(told)
    });
    if written.is_err() {
        let _ = fs::remove_file(&beside);
    }
    written
}

fn fill<T>(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let file: Box<dyn Write> = Box::new(BufWriter::new(File::create(path)?));
    let mut out = anstream::StripStream::new(file);
    let told = write(&mut out)?;
    out.flush()?;
    Ok(told)
}

fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}
