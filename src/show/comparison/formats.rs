//! How directories beside each other are written: what `compare --format` takes.

use std::io::{self, Write};

use serde::Serialize;

use super::{DifferenceRecord, Directory, LeftOut, MeanRecord, Record, View};
use crate::show::exports::markdown;
use crate::show::terminal::{self, Screen};

/// A way to write the view.
pub struct Format {
    /// Its name: what `--format` takes.
    pub name: &'static str,
    /// What it is, in one line.
    pub about: &'static str,
    /// Writes it. The writer decides whether colour codes pass (only `table` has any).
    ///
    /// Fails if the writer does.
    pub write: fn(&View, Screen, &mut dyn Write) -> io::Result<()>,
}

/// All of them, the default first.
pub static FORMATS: [Format; 4] = [
    Format {
        name: "table",
        about: "for people: a table for each quantity, and in what the environments differ",
        write: |view, screen, out| out.write_all(terminal::comparison(view, screen).as_bytes()),
    },
    Format {
        name: "csv",
        about: "one row per variant, quantity and directory",
        write: |view, _, out| csv(view, out),
    },
    Format {
        name: "json",
        about: "the same, the means and the differences (schema forkbench.comparison/1)",
        write: |view, _, out| json(view, out),
    },
    Format {
        name: "md",
        about: "for a comment on a change: tables in markdown",
        write: |view, _, out| markdown(view, out),
    },
];

/// The format of that name.
pub fn find(name: &str) -> Option<&'static Format> {
    FORMATS.iter().find(|format| format.name == name)
}

fn csv(view: &View, out: &mut dyn Write) -> io::Result<()> {
    let mut writer = csv::Writer::from_writer(out);
    for record in &view.records {
        writer.serialize(record)?;
    }
    writer.flush()
}

/// The name and version of what `json` writes. Fields are only ever added.
const SCHEMA: &str = "forkbench.comparison/1";

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    confidence: f64,
    headline: &'a str,
    directories: &'a [Directory],
    differences: &'a [DifferenceRecord],
    warnings: &'a [String],
    left_out: &'a [LeftOut],
    means: &'a [MeanRecord],
    rows: &'a [Record],
}

fn json(view: &View, out: &mut dyn Write) -> io::Result<()> {
    let document = Document {
        schema: SCHEMA,
        confidence: crate::analyse::estimate::CONFIDENCE,
        headline: &view.headline,
        directories: &view.directories,
        differences: &view.differences,
        warnings: &view.warnings,
        left_out: &view.left_out,
        means: &view.means,
        rows: &view.records,
    };
    serde_json::to_writer_pretty(&mut *out, &document)?;
    out.write_all(b"\n")
}

fn markdown(view: &View, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}\n", markdown::text(&view.headline))?;
    writeln!(out, "| | directory | began | kernel | launches | samples |")?;
    writeln!(out, "|---|---|---|---|---:|---:|")?;
    for one in &view.directories {
        let text = |text: &Option<String>| markdown::text(text.as_deref().unwrap_or_default());
        writeln!(
            out,
            "| {} | {} | {} | {} | {} | {} |",
            one.letter,
            markdown::text(&one.directory),
            text(&one.started),
            text(&one.kernel),
            one.launches,
            one.samples
        )?;
    }
    for table in &view.tables {
        writeln!(out, "\n| {} | | | 95 % over its launches | of A | rank |", table.quantity)?;
        writeln!(out, "|---|---|---:|---|---:|---:|")?;
        for line in &table.lines {
            let cells =
                [&line.label, &line.letter, &line.value, &line.bounds, &line.ratio, &line.rank];
            let cells: Vec<String> = cells.iter().map(|cell| markdown::text(cell)).collect();
            writeln!(out, "| {} |", cells.join(" | "))?;
        }
    }
    let differences = view.differences.iter().map(DifferenceRecord::sentence);
    let left_out = view.left_out.iter().map(|one| format!("{}: {}", one.label, one.why));
    for (title, lines) in [
        ("The environments differ in", differences.collect::<Vec<_>>()),
        ("Not in the means", left_out.collect()),
        ("Note", view.warnings.clone()),
    ] {
        if !lines.is_empty() {
            writeln!(out, "\n{title}:\n")?;
        }
        for line in lines {
            writeln!(out, "- {}", markdown::text(&line))?;
        }
    }
    Ok(())
}
