//! The table of a workload that has columns of its own: the same rows, other columns.

use anstyle::Style;

use super::{Screen, colour, table};
use crate::show::text;
use crate::show::units;
use crate::show::view::{Cell, Heading, Row, Section, Versus};

/// A column beside the name, where it is shown.
struct Column<'a> {
    /// The lines of its heading, the lower one last.
    heading: [String; 2],
    /// Its cell in a row.
    cell: Box<dyn Fn(&Row) -> String + 'a>,
    /// What it is called in a sentence.
    name: String,
    /// What goes first where there is no room has the largest.
    rank: usize,
    width: usize,
}

/// Spaces between columns.
const GAP: usize = 2;

/// The tables of these sections of one workload, their columns in line.
pub(super) fn render(sections: &[Section], screen: Screen) -> Vec<String> {
    let Some(first) = sections.first() else { return Vec::new() };
    let rows: Vec<&Row> = sections.iter().flat_map(Section::rows).collect();
    let longest = rows.iter().map(|row| row.name.chars().count()).max().unwrap_or(0);
    let names = longest.min(15.max(screen.columns() / 4)) + 1;
    let (columns, dropped) = fitting(columns(sections), &rows, names, screen.columns());

    let bold = Style::new().bold();
    let mut lines = Vec::new();
    for (position, section) in sections.iter().enumerate() {
        if position > 0 {
            lines.push(String::new());
        }
        for line in text::wrap(&section.caption, screen.columns(), "", "") {
            lines.push(format!("{bold}{line}{bold:#}"));
        }
        if position == 0 {
            lines.extend([0, 1].map(|line| header(&columns, names, line)));
        }
        for group in &section.groups {
            lines.extend(text::wrap(group.title, screen.columns(), "", ""));
            for row in &group.rows {
                lines.extend(self::row(row, &columns, names, screen));
            }
        }
    }
    lines.extend(notes(&first.columns, &rows, &dropped, screen));
    lines
}

/// All columns: those of the workload, the ratio and its interval.
fn columns(sections: &[Section]) -> Vec<Column<'_>> {
    let Some(section) = sections.first() else { return Vec::new() };
    let mut columns: Vec<Column<'_>> = Vec::new();
    for (place, heading) in section.columns.iter().enumerate() {
        let mut lines = heading.title.lines().rev();
        let lower = lines.next().unwrap_or_default().to_owned();
        let upper = lines.next().unwrap_or_default().to_owned();
        columns.push(Column {
            heading: [upper, lower],
            cell: Box::new(move |row| cell(heading, row.entries.get(place).copied())),
            name: heading.title.replace('\n', " "),
            rank: if heading.main.is_some() { 0 } else { 2 + place },
            width: 0,
        });
    }
    let main = section.columns.iter().find(|heading| heading.main.is_some());
    let title = main.map_or_else(String::new, |heading| heading.title.replace('\n', " "));
    let mut versus: Vec<&str> =
        sections.iter().filter_map(|section| section.versus.as_deref()).collect();
    versus.dedup();
    let versus = match versus.as_slice() {
        [one] => (*one).to_owned(),
        _ => "its own".to_owned(),
    };
    columns.push(Column {
        heading: [format!("{title}, vs"), versus],
        cell: Box::new(|row| match row.versus {
            Versus::Itself => "1".to_owned(),
            Versus::Times { value, bounds: Some((low, high)) } => {
                format!("{} {}", units::ratio(value), units::interval(value, low, high))
            }
            Versus::Times { value, bounds: None } => units::ratio(value),
            Versus::NotShown(_) | Versus::Nothing => String::new(),
        }),
        name: "the ratio".to_owned(),
        rank: 1,
        width: 0,
    });
    columns
}

/// The columns that have anything in them and fit, and the names of those that do not.
fn fitting<'a>(
    mut columns: Vec<Column<'a>>,
    rows: &[&Row],
    names: usize,
    width: usize,
) -> (Vec<Column<'a>>, Vec<String>) {
    columns.retain(|column| rows.iter().any(|row| !(column.cell)(row).is_empty()));
    for column in &mut columns {
        let cells = rows.iter().map(|row| (column.cell)(row).chars().count());
        let headings = column.heading.iter().map(|line| line.chars().count());
        column.width = cells.chain(headings).max().unwrap_or(0);
    }
    let mut dropped = Vec::new();
    let needed = |columns: &[Column<'_>]| {
        names + columns.iter().map(|column| GAP + column.width).sum::<usize>()
    };
    while needed(&columns) > width {
        let last = (0..columns.len()).max_by_key(|&place| columns[place].rank);
        let Some(place) = last.filter(|&place| columns[place].rank > 0) else { break };
        dropped.push(columns.remove(place).name);
    }
    dropped.reverse();
    (columns, dropped)
}

fn header(columns: &[Column<'_>], names: usize, line: usize) -> String {
    let mut text = " ".repeat(names);
    for Column { heading, width, .. } in columns {
        text += &format!("{:GAP$}{:>width$}", "", heading[line]);
    }
    text
}

fn row(row: &Row, columns: &[Column<'_>], names: usize, screen: Screen) -> Vec<String> {
    let style = colour(&row.mechanism);
    let name = text::shorten(&row.name, screen.columns() - 1);
    let mut lines = Vec::new();
    let start = if name.chars().count() >= names {
        lines.push(format!(" {style}{name}{style:#}"));
        " ".repeat(names)
    } else {
        format!(" {style}{name}{style:#}{}", " ".repeat(names - 1 - name.chars().count()))
    };
    if let Some(reason) = &row.missing {
        let indent = " ".repeat(names + GAP);
        let mut reasons = text::wrap(reason, screen.columns(), &indent, &indent);
        if let Some(first) = reasons.first_mut() {
            first.replace_range(..indent.len(), &format!("{start}{:GAP$}", ""));
        }
        lines.extend(reasons);
        return lines;
    }
    let mut line = start;
    for Column { cell, width, .. } in columns {
        line += &format!("{:GAP$}{:>width$}", "", cell(row));
    }
    lines.push(line);
    lines
}

/// What a cell says; empty where there is no such thing.
fn cell(heading: &Heading, cell: Option<Cell>) -> String {
    match cell {
        Some(Cell::Known(value)) => units::figure(heading.unit, value),
        Some(Cell::Needs(samples)) => format!("n>={samples}"),
        Some(Cell::Void(word)) => word.to_owned(),
        Some(Cell::Absent) | None => String::new(),
    }
}

/// What the table cannot say by itself.
fn notes(columns: &[Heading], rows: &[&Row], dropped: &[String], screen: Screen) -> Vec<String> {
    let mut notes = Vec::new();
    let has = |is: fn(&Cell) -> bool| rows.iter().any(|row| row.entries.iter().any(is));
    if has(|cell| matches!(cell, Cell::Needs(_))) {
        notes.push("n>=N: that figure needs N samples".to_owned());
    }
    let mut reasons: Vec<String> = Vec::new();
    for row in rows {
        if let Versus::NotShown(reason) = row.versus {
            let text = format!("{}: {reason}", row.name);
            if !reasons.contains(&text) {
                reasons.push(text);
            }
        }
    }
    notes.extend(reasons);
    notes.extend(
        columns
            .iter()
            .filter(|heading| heading.main.is_some())
            .map(|heading| format!("{}: {}", heading.title.replace('\n', " "), heading.about)),
    );
    if !dropped.is_empty() {
        let names: Vec<&str> = dropped.iter().map(String::as_str).collect();
        notes.push(table::no_room(&names));
    }
    table::small_print(&notes, screen)
}
