//! `forkbench report DIR..`: a page that answers first and shows the evidence after.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;

use crate::command::compare;
use crate::command::exit::{self, Exit};
use crate::command::export;
use crate::show::document::{Document, html, markdown};
use crate::show::report::{self, Report, source};

/// Flags of `forkbench report`.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  forkbench report results/20261124T060000Z-spawn -o report.html
  forkbench report results/20261124T060000Z-spawn -o report.md
  forkbench report before after -o comparison.html

A page of HTML is one file that needs nothing else. A page of markdown has its pictures in a folder
beside it, named as the page without its ending.

Exit codes: 0 written, 1 it cannot be written, 2 wrong usage (nothing was written), 5 nothing was
measured.")]
pub struct Args {
    /// Results directories: what each says, and beside each other where they measured the same
    #[arg(required = true, value_name = "DIR")]
    directories: Vec<PathBuf>,
    /// The page, FILE.html or FILE.md
    #[arg(long, short, value_name = "FILE", required = true)]
    output: PathBuf,
    /// Write over a file that exists, and over its folder of pictures
    #[arg(long)]
    force: bool,
}

/// What a page is written as.
#[derive(Clone, Copy)]
enum Medium {
    Html,
    Markdown,
}

/// Writes a page.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let medium = medium(&args.output)?;
    is_free(&args.output, args.force)?;
    compare::distinct(&args.directories)?;
    let report = read(args)?;
    write(&report::document(&report), medium, &args.output)?;
    let measured = report.runs.iter().any(|run| run.view.has_samples());
    Ok(if measured { Exit::Fine } else { Exit::Nothing }.into())
}

fn medium(output: &Path) -> anyhow::Result<Medium> {
    match output.extension().and_then(|one| one.to_str()) {
        Some("html" | "htm") => Ok(Medium::Html),
        Some("md") => Ok(Medium::Markdown),
        _ => Err(exit::usage_text(format!(
            "--output {}: the ending says what is written; give FILE.html or FILE.md",
            output.display()
        ))),
    }
}

/// That the place of a page is there and free, before anything is read for it.
fn is_free(output: &Path, force: bool) -> anyhow::Result<()> {
    let flag = format!("--output {}", output.display());
    export::is_placed(&flag, output)?;
    export::is_no_directory(&flag, output)?;
    if output.exists() && !force {
        return Err(exit::usage_text(format!(
            "{flag}: it exists; give another name, or --force to write over it"
        )));
    }
    Ok(())
}

fn read(args: &Args) -> anyhow::Result<Report> {
    let mut runs = Vec::new();
    for directory in &args.directories {
        let mut run = source::read(directory).map_err(exit::unreadable)?;
        run.draw()?;
        runs.push(run);
    }
    let output = args.output.to_string_lossy();
    let words = args.directories.iter().map(|one| one.to_string_lossy());
    let words: Vec<String> = words
        .chain(["-o".into(), output])
        .map(|word| shlex::try_quote(&word).map_or_else(|_| word.to_string(), Into::into))
        .collect();
    let command = format!("forkbench report {}", words.join(" "));
    Ok(Report { runs, comparison: None, command })
}

fn write(document: &Document, medium: Medium, output: &Path) -> anyhow::Result<()> {
    match medium {
        Medium::Html => {
            export::put(output, |out| Ok(out.write_all(html::write(document).as_bytes())?))
        }
        Medium::Markdown => {
            let folder = output.with_extension("");
            if document.figures().is_empty() {
                // No picture, no folder.
            } else if !folder.is_dir() {
                fs::create_dir(&folder)
                    .with_context(|| format!("cannot make {}", folder.display()))?;
            }
            for figure in document.figures() {
                export::put(&folder.join(&figure.name), |out| {
                    Ok(out.write_all(figure.svg.as_bytes())?)
                })?;
            }
            let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
            export::put(output, |out| {
                Ok(out.write_all(markdown::write(document, &name).as_bytes())?)
            })
        }
    }
    .with_context(|| format!("{} was not written", output.display()))
}
