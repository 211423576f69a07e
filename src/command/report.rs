//! `forkbench report DIR..`: a page that answers first and shows the evidence after.
//!
//! Owns the checks of where a page goes and the files that it consists of. `forkbench show -o` is the
//! same.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;

use crate::command::compare;
use crate::command::exit::{self, Exit};
use crate::command::export;
use crate::show::document::{Document, html, markdown};
use crate::show::report::outline::{self, Outline};
use crate::show::report::source::{self, Read, SourceError};
use crate::show::report::{self, Report, Run};

/// Flags of `forkbench report`.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  forkbench report results/20261124T060000Z-spawn -o report.html
  forkbench report results/20261124T060000Z-spawn -o report.md
  forkbench report before after -o comparison.html
  forkbench report --outline study.toml -o study.md
  forkbench report results/20261124T060000Z-spawn --pictures

A page of HTML is one file that needs nothing else. A page of markdown has its pictures in a folder
beside it, named as the page without its ending. FILE.svg is the picture of the answer alone, or
that of --picture. Nothing goes to standard output: forkbench show --format md prints.

Several directories stand beside each other where they measured the same, and else each by itself.

An outline is a page in an order of your own: `title`, `text`, `picture`, and [[part]]s with `title`,
`text`, `from` (results directories) and `show`: answer, figure, verdict, claims, published, table,
laws, pictures, machine, quality, warnings, methods, limits, again, comparison, differences,
all-published, or
picture:NAME. Its text says no figures: they come from what is shown. See FORMAT.md.

Exit codes: 0 written, 1 it cannot be read or written, 2 wrong usage (nothing was written), 5 nothing
was measured (the page says so).")]
pub struct Args {
    /// Results directories: what each says, and beside each other where they measured the same
    #[arg(required_unless_present = "outline", value_name = "DIR", conflicts_with = "outline")]
    directories: Vec<PathBuf>,
    /// Make the page that this file plans
    #[arg(long, value_name = "FILE.toml")]
    outline: Option<PathBuf>,
    /// The page, FILE.html or FILE.md; or FILE.svg, a picture
    #[arg(long, short, value_name = "FILE", required_unless_present = "pictures")]
    output: Option<PathBuf>,
    /// Write over a file that exists, and over its folder of pictures
    #[arg(long)]
    force: bool,
    /// The picture that FILE.svg is to be, by its name [default: that of the answer]
    #[arg(long, value_name = "NAME", requires = "output", conflicts_with = "outline")]
    picture: Option<String>,
    /// Name the pictures that there are, and write nothing
    #[arg(long, conflicts_with_all = ["output", "force", "outline"])]
    pictures: bool,
}

/// What a page is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Medium {
    Html,
    Markdown,
    Picture,
}

/// A page that is asked for.
pub(super) struct Asked<'a> {
    /// The subcommand, as it is typed.
    pub command: &'static str,
    /// Where it goes.
    pub output: &'a Path,
    /// Whether what is there may be written over.
    pub force: bool,
    /// The picture, of one that is asked for by its name.
    pub picture: Option<&'a str>,
}

/// Writes a page.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    if args.pictures {
        return pictures(&args.directories);
    }
    let output = args.output.as_deref().context("the parser asks for it")?;
    let asked =
        Asked { command: "report", output, force: args.force, picture: args.picture.as_deref() };
    match &args.outline {
        Some(file) => of_outline(&asked, file),
        None => write(&asked, &args.directories),
    }
}

/// Writes the page of these directories.
///
/// # Errors
///
/// Of usage, before anything is read or written; if it cannot be read or written.
pub(super) fn write(asked: &Asked<'_>, directories: &[PathBuf]) -> anyhow::Result<ExitCode> {
    let medium = medium(asked)?;
    if medium == Medium::Picture && directories.len() > 1 {
        return Err(exit::usage_text(
            "a picture is of one results directory: give one, or a page (FILE.html, FILE.md)",
        ));
    }
    is_free(asked, medium)?;
    survive_limits()?;
    compare::distinct(directories)?;
    let Read { runs, results } = read(directories)?;
    let exit = exit_of(&runs);
    if medium == Medium::Picture {
        return write_picture(asked, &runs[0]).map(|()| exit.into());
    }
    let words = directories.iter().map(|one| one.to_string_lossy().into_owned());
    let command = command(asked, words);
    let comparison = if runs.len() > 1 { source::beside(&results) } else { None };
    let together = report::together(&runs, comparison.as_ref())?;
    let report = Report { runs, comparison, together, command };
    put(&report::document(&report), medium, asked.output)?;
    Ok(exit.into())
}

/// Writes the page that an outline plans.
fn of_outline(asked: &Asked<'_>, file: &Path) -> anyhow::Result<ExitCode> {
    let medium = medium(asked)?;
    if medium == Medium::Picture {
        return Err(exit::usage_text("an outline is a page: give FILE.html or FILE.md"));
    }
    is_free(asked, medium)?;
    survive_limits()?;
    let name = file.display().to_string();
    let text = fs::read_to_string(file)
        .map_err(|error| exit::usage_text(format!("--outline {name}: {error}")))?;
    let outline = Outline::parse(&name, &text).map_err(exit::usage)?;
    let directories = outline.directories();
    compare::distinct(&directories)?;
    let read = read(&directories)?;
    let exit = if directories.is_empty() { Exit::Fine } else { exit_of(&read.runs) };
    let command = command(asked, ["--outline".to_owned(), name].into_iter());
    let document = outline.document(read, &command).map_err(exit::usage)?;
    put(&document, medium, asked.output)?;
    Ok(exit.into())
}

/// Prints the names of the pictures that there are of each directory, and what they show.
fn pictures(directories: &[PathBuf]) -> anyhow::Result<ExitCode> {
    compare::distinct(directories)?;
    let mut out = anstream::stdout();
    for run in read(directories)?.runs {
        if directories.len() > 1 {
            writeln!(out, "{}", run.path)?;
        }
        let width = run.pictures.iter().map(|one| one.name.len()).max().unwrap_or(0);
        for picture in &run.pictures {
            writeln!(out, "  {:width$}  {}", picture.name, picture.title)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn read(directories: &[PathBuf]) -> anyhow::Result<Read> {
    source::read_all(directories).map_err(|error| match error {
        SourceError::Record(error) => exit::unreadable(error),
        other => other.into(),
    })
}

fn exit_of(runs: &[Run]) -> Exit {
    let measured = runs.iter().any(|run| run.view.has_samples());
    if measured { Exit::Fine } else { Exit::Nothing }
}

/// The command that makes the page again, as it was typed.
fn command(asked: &Asked<'_>, words: impl Iterator<Item = String>) -> String {
    let output = asked.output.to_string_lossy().into_owned();
    let words: Vec<String> = words
        .chain(["-o".to_owned(), output])
        .map(|word| shlex::try_quote(&word).map_or_else(|_| word.clone(), Into::into))
        .collect();
    format!("forkbench {} {}", asked.command, words.join(" "))
}

fn medium(asked: &Asked<'_>) -> anyhow::Result<Medium> {
    let output = asked.output;
    if output == Path::new("-") {
        return Err(exit::usage_text(
            "-o -: a page goes to a file; forkbench show DIR --format md prints",
        ));
    }
    let medium = match output.extension().and_then(|one| one.to_str()) {
        Some("html" | "htm") => Medium::Html,
        Some("md") => Medium::Markdown,
        Some("svg") => Medium::Picture,
        _ => {
            return Err(exit::usage_text(format!(
                "-o {}: the ending says what is written; give FILE.html, FILE.md or FILE.svg",
                output.display()
            )));
        }
    };
    if asked.picture.is_some() && medium != Medium::Picture {
        return Err(exit::usage_text(format!(
            "--picture is for FILE.svg, and {} is a page, which holds all pictures",
            output.display()
        )));
    }
    Ok(medium)
}

/// That the place of a page is there and free, before anything is read for it.
fn is_free(asked: &Asked<'_>, medium: Medium) -> anyhow::Result<()> {
    let output = asked.output;
    let flag = format!("-o {}", output.display());
    export::is_placed(&flag, output)?;
    export::is_no_directory(&flag, output)?;
    if fs::metadata(output).is_ok_and(|found| found.is_file()) && !asked.force {
        return Err(exit::usage_text(format!(
            "{flag}: it exists; give another name, or --force to write over it"
        )));
    }
    if medium != Medium::Markdown {
        return Ok(());
    }
    let folder = folder(output);
    let shown = folder.display();
    if folder.exists() && !folder.is_dir() {
        return Err(exit::usage_text(format!(
            "{flag}: its pictures go to the folder {shown}, and that is no folder; give another name"
        )));
    }
    // Facts are never written among, whatever is forced.
    if ["blocks.csv", "blocks.csv.gz"].iter().any(|name| folder.join(name).exists()) {
        return Err(exit::usage_text(format!(
            "{flag}: its pictures go to the folder {shown}, and that is a results directory; give \
             another name"
        )));
    }
    let is_used = fs::read_dir(&folder).is_ok_and(|mut entries| entries.next().is_some());
    if is_used && !asked.force {
        return Err(exit::usage_text(format!(
            "{flag}: its pictures go to the folder {shown}, and there are files in it; give another \
             name, or --force to write among them"
        )));
    }
    Ok(())
}

/// Where the pictures of a page of markdown go.
fn folder(output: &Path) -> PathBuf {
    output.with_extension("")
}

/// Lets a limit on the size of files be an error of writing, which leaves nothing behind, and not a
/// death in the middle of it.
fn survive_limits() -> anyhow::Result<()> {
    signal_hook::flag::register(libc::SIGXFSZ, Arc::default())?;
    Ok(())
}

fn put(document: &Document, medium: Medium, output: &Path) -> anyhow::Result<()> {
    match medium {
        Medium::Html => {
            export::put(output, |out| Ok(out.write_all(html::write(document).as_bytes())?))
        }
        Medium::Markdown => put_markdown(document, output),
        Medium::Picture => unreachable!("a picture is no page"),
    }
    .with_context(|| format!("{} was not written", output.display()))
}

/// The pictures first: a page never names one that is not there.
fn put_markdown(document: &Document, output: &Path) -> anyhow::Result<()> {
    let folder = folder(output);
    let is_new = !folder.exists();
    let written = put_figures(document, &folder).and_then(|()| {
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        export::put(output, |out| Ok(out.write_all(markdown::write(document, &name).as_bytes())?))
    });
    if written.is_err() && is_new {
        // Nothing stood there before, and half a page is of no use.
        let _ = fs::remove_dir_all(&folder);
    }
    written
}

fn put_figures(document: &Document, folder: &Path) -> anyhow::Result<()> {
    let figures = document.figures();
    if !figures.is_empty() && !folder.is_dir() {
        fs::create_dir(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    for figure in figures {
        export::put(&folder.join(&figure.name), |out| Ok(out.write_all(figure.svg.as_bytes())?))?;
    }
    Ok(())
}

fn write_picture(asked: &Asked<'_>, run: &Run) -> anyhow::Result<()> {
    let picture = match asked.picture {
        Some(name) => outline::find(run, name).map_err(exit::usage_text)?,
        None => report::picture_of_answer(run).ok_or_else(|| {
            anyhow::anyhow!("{}: there is nothing to draw", run.path).context(Exit::Nothing)
        })?,
    };
    export::put(asked.output, |out| Ok(out.write_all(picture.svg.as_bytes())?))
        .with_context(|| format!("{} was not written", asked.output.display()))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Program {
        #[command(flatten)]
        args: Args,
    }

    #[test]
    fn the_help_names_every_word_of_an_outline() {
        let help = <Program as clap::CommandFactory>::command().render_long_help().to_string();
        let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
        let _ = Program::parse_from(["forkbench", "a", "-o", "b.md"]).args;
        for word in outline::words() {
            assert!(help.contains(&format!(" {word},")), "{word}");
        }
    }

    #[test]
    fn the_command_of_a_page_is_what_was_typed() {
        let asked = Asked {
            command: "report",
            output: Path::new("out dir/a.md"),
            force: true,
            picture: None,
        };
        let words = ["results/a".to_owned(), "b c".to_owned()];
        let expected = "forkbench report results/a 'b c' -o 'out dir/a.md'";
        assert_eq!(command(&asked, words.into_iter()), expected);
    }
}
