//! A page as markdown, its pictures as files beside it.
//!
//! Owns the way from text to markdown that GitHub and others read alike; see
//! [`text`].

use std::fmt::Write;

use super::{Block, Document, Figure, Line, Part, Table};
use crate::show::exports::markdown::{aligned, text};

/// The page, its pictures being in `folder`, a path relative to the page.
pub fn write(document: &Document, folder: &str) -> String {
    let mut page = format!("# {}\n\n{}\n", text(&document.title), text(&document.answer));
    if let Some(picture) = &document.picture {
        page += &figure(picture, folder);
    }
    for one in &document.parts {
        part(&mut page, one, 2, folder);
    }
    if !document.command.is_empty() || !document.made_by.is_empty() {
        page += "\n---\n";
    }
    if !document.command.is_empty() {
        let _ = write!(page, "\n{}", commands(std::slice::from_ref(&document.command)));
    }
    if !document.made_by.is_empty() {
        let _ = writeln!(page, "\n{}", text(&document.made_by));
    }
    page
}

fn part(page: &mut String, part: &Part, level: usize, folder: &str) {
    if part.is_folded {
        // Between the tags, markdown needs an empty line to be read as such.
        let _ = write!(page, "\n<details>\n<summary>{}</summary>\n", text(&part.title));
    } else {
        let _ = writeln!(page, "\n{} {}", "#".repeat(level.min(6)), text(&part.title));
    }
    for one in &part.blocks {
        page.push_str(&block(one, folder));
    }
    for one in &part.parts {
        self::part(page, one, level + 1, folder);
    }
    if part.is_folded {
        page.push_str("\n</details>\n");
    }
}

fn block(block: &Block, folder: &str) -> String {
    match block {
        Block::Text(plain) => format!("\n{}\n", text(plain)),
        Block::Warning(plain) => format!("\n> **Warning:** {}\n", text(plain)),
        Block::Quote(plain) => format!("\n> {}\n", text(plain)),
        Block::List(entries) => {
            entries.iter().fold("\n".to_owned(), |list, one| list + "- " + &text(one) + "\n")
        }
        Block::Facts(facts) => {
            let rows = facts.iter().map(|(name, value)| vec![name.clone(), value.clone()]);
            format!("\n{}", aligned(&[("", false), ("", false)], rows))
        }
        Block::Table(one) => table(one),
        Block::Figure(one) => figure(one, folder),
        Block::Commands(lines) => format!("\n{}", commands(lines)),
    }
}

/// Commands are no text: nothing in a fence is markup, but a fence ends at one of its own length.
fn commands(lines: &[String]) -> String {
    let longest =
        lines.iter().flat_map(|line| line.split(|c| c != '`')).map(str::len).fold(2, usize::max);
    let fence = "`".repeat(longest + 1);
    let lines: Vec<String> =
        lines.iter().map(|line| line.replace(|c: char| c.is_control(), " ")).collect();
    format!("{fence}console\n{}\n{fence}\n", lines.join("\n"))
}

fn table(table: &Table) -> String {
    let columns: Vec<(&str, bool)> =
        table.columns.iter().map(|column| (column.title.as_str(), column.is_figures)).collect();
    let lines = table.lines.iter().map(|line| match line {
        Line::Group(title) => {
            let mut cells = vec![title.clone()];
            cells.resize(table.columns.len(), String::new());
            cells
        }
        Line::Cells { cells, .. } => cells.iter().map(|cell| cell.text.clone()).collect(),
    });
    let mut out = String::from("\n");
    if !table.caption.is_empty() {
        let _ = write!(out, "**{}**\n\n", text(&table.caption));
    }
    out += &aligned(&columns, lines);
    for note in &table.notes {
        let _ = write!(out, "\n{}\n", text(note));
    }
    out
}

fn figure(figure: &Figure, folder: &str) -> String {
    let path = match folder {
        "" => figure.name.clone(),
        folder => format!("{folder}/{}", figure.name),
    };
    // A path is no text: in angle brackets it ends at a bracket alone.
    let path = path.replace(['<', '>', '\n'], "-");
    format!("\n![{}](<{path}>)\n\n{}\n", text(&figure.alt), text(&figure.caption))
}
