//! Directories beside each other.

use anstyle::Style;

use super::chapters::{dimmed, heading, no_room};
use super::grid::{self, Column};
use super::{Screen, colour};
use crate::show::comparison::{DifferenceRecord, Line, Table, View};
use crate::show::text;

/// The parts of the screen, one below the other.
pub(super) fn render(view: &View, screen: Screen) -> Vec<Vec<String>> {
    let mut parts = vec![text::wrap(&view.headline, screen.columns(), "", "")];
    parts.push(directories(view, screen));
    parts.extend(view.tables.iter().map(|table| self::table(table, screen)));
    let differences = view.differences.iter().map(DifferenceRecord::sentence);
    let left_out = view.left_out.iter().map(|one| format!("{}: {}", one.label, one.why));
    for (title, lines) in [
        ("differ in", differences.collect::<Vec<_>>()),
        ("not in means", left_out.collect()),
        ("note", view.warnings.clone()),
    ] {
        parts.push(listed(title, &lines, screen));
    }
    parts.retain(|lines| !lines.is_empty());
    parts
}

fn directories(view: &View, screen: Screen) -> Vec<String> {
    let column = |heading: &str, rank: u8, cells: Vec<String>| Column {
        heading: heading.to_owned(),
        cells: cells.into_iter().map(|cell| (cell, Style::new())).collect(),
        is_text: rank < 3,
        rank,
    };
    let of = |cell: fn(&crate::show::comparison::Directory) -> String| -> Vec<String> {
        view.directories.iter().map(cell).collect()
    };
    let mut lines = Vec::new();
    for one in &view.directories {
        // A path may be long, and is what tells one from the other: it is wrapped, never cut.
        let letter = format!("{:<3}", one.letter);
        lines.extend(text::wrap(&one.directory, screen.columns(), &letter, "   "));
    }
    let columns = vec![
        column("", 0, of(|one| one.letter.clone())),
        column("began", 1, of(|one| one.started.clone().unwrap_or_default())),
        column("kernel", 2, of(|one| one.kernel.clone().unwrap_or_default())),
        column("launches", 3, of(|one| one.launches.to_string())),
        column("samples", 4, of(|one| crate::show::units::count(one.samples as u64))),
    ];
    lines.extend(grid::render(columns, screen.columns()).0);
    lines
}

fn table(table: &Table, screen: Screen) -> Vec<String> {
    let column = |heading: &str, rank: u8, is_text: bool, cell: fn(&Line) -> &String| Column {
        heading: heading.to_owned(),
        cells: table.lines.iter().map(|line| (cell(line).clone(), Style::new())).collect(),
        is_text,
        rank,
    };
    let labels = table.lines.iter().map(|line| (line.label.clone(), colour(&line.mechanism)));
    let columns = vec![
        Column { heading: String::new(), cells: labels.collect(), is_text: true, rank: 0 },
        column("", 0, true, |line| &line.letter),
        column("time", 0, false, |line| &line.value),
        column("95 % interval over launches", 2, true, |line| &line.bounds),
        column("of A", 0, false, |line| &line.ratio),
        column("rank", 1, false, |line| &line.rank),
    ];
    let (rows, dropped) = grid::render(columns, screen.columns());
    let mut lines = heading(&table.quantity, screen);
    lines.extend(rows);
    let note = no_room(&dropped, "--format csv");
    lines.extend(note.iter().flat_map(|note| dimmed(note, screen)));
    lines
}

/// Entries under a word in the margin.
fn listed(title: &str, entries: &[String], screen: Screen) -> Vec<String> {
    const MARGIN: usize = 13;
    let mut lines = Vec::new();
    for (place, entry) in entries.iter().enumerate() {
        let first = format!("{:<MARGIN$}", if place == 0 { title } else { "" });
        lines.extend(text::wrap(entry, screen.columns(), &first, &" ".repeat(MARGIN)));
    }
    lines
}
