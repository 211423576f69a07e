//! A small table that fits its screen: what is least needed goes first where there is no room.

use anstyle::Style;

use crate::show::text;

/// A column of a small table.
pub(super) struct Column {
    /// What stands above it.
    pub(super) heading: String,
    /// Its cells, from top to bottom, each with its colour.
    pub(super) cells: Vec<(String, Style)>,
    /// Whether it is words, which stand at the left; numbers stand at the right.
    pub(super) is_text: bool,
    /// Columns with the largest number go first; those with 0 never do.
    pub(super) rank: u8,
}

/// Spaces between columns.
const GAP: usize = 2;

/// The lines of the table, headings first, and the headings of what there was no room for. Cells
/// of the first column are cut where it is much too wide.
pub(super) fn render(mut columns: Vec<Column>, width: usize) -> (Vec<String>, Vec<String>) {
    let mut dropped = Vec::new();
    let widths = |columns: &[Column]| -> Vec<usize> {
        let of = |column: &Column| {
            let cells = column.cells.iter().map(|(cell, _)| cell.chars().count());
            cells.chain([column.heading.chars().count()]).max().unwrap_or(0)
        };
        columns.iter().map(of).collect()
    };
    columns.retain(|column| column.cells.iter().any(|(cell, _)| !cell.is_empty()));
    let mut wide = widths(&columns);
    if let Some(first) = wide.first_mut() {
        *first = (*first).min(width / 3);
    }
    let total = |wide: &[usize]| 1 + wide.iter().sum::<usize>() + GAP * wide.len().max(1) - GAP;
    while total(&wide) > width {
        let least = (0..columns.len()).max_by_key(|&place| (columns[place].rank, place));
        let Some(place) = least.filter(|&place| columns[place].rank > 0) else { break };
        dropped.push(columns.remove(place).heading);
        wide.remove(place);
    }
    dropped.reverse();
    // Whatever the names are, no line is wider than the screen.
    let excess = total(&wide).saturating_sub(width);
    if let Some(first) = wide.first_mut() {
        *first = first.saturating_sub(excess).max(1);
    }

    let line = |cells: Vec<(&str, Style)>| -> String {
        let mut line = " ".to_owned();
        for (place, ((cell, style), width)) in cells.into_iter().zip(&wide).enumerate() {
            let gap = if place > 0 { GAP } else { 0 };
            let cell = text::shorten(cell, *width);
            let space = " ".repeat(width - cell.chars().count());
            line += &" ".repeat(gap);
            line += &if columns[place].is_text {
                format!("{style}{cell}{style:#}{space}")
            } else {
                format!("{space}{style}{cell}{style:#}")
            };
        }
        line
    };
    let rows = columns.first().map_or(0, |column| column.cells.len());
    let mut lines = Vec::new();
    if columns.iter().any(|column| !column.heading.is_empty()) {
        let dim = Style::new().dimmed();
        lines.push(line(columns.iter().map(|column| (column.heading.as_str(), dim)).collect()));
    }
    for row in 0..rows {
        let cell = |column: &Column| column.cells[row].1;
        let cells = columns.iter().map(|column| (column.cells[row].0.as_str(), cell(column)));
        lines.push(line(cells.collect()));
    }
    (lines, dropped)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(heading: &str, cell: &str, rank: u8) -> Column {
        let cells = vec![(cell.to_owned(), Style::new())];
        Column { heading: heading.to_owned(), cells, is_text: rank == 0, rank }
    }

    #[test]
    fn what_is_least_needed_goes_first() {
        let columns = || vec![column("", "fork", 0), column("a", "11111", 1), column("b", "22", 2)];
        let (lines, dropped) = render(columns(), 20);
        assert_eq!(dropped, [""; 0]);
        assert_eq!(anstream::adapter::strip_str(&lines[1]).to_string(), " fork  11111  22");
        let (lines, dropped) = render(columns(), 14);
        assert_eq!(dropped, ["b"]);
        assert_eq!(anstream::adapter::strip_str(&lines[1]).to_string(), " fork  11111");
        let (lines, _) = render(columns(), 6);
        assert!(lines.iter().all(|line| anstream::adapter::strip_str(line).to_string().len() <= 6));
    }
}
