//! What a gate found, on a terminal: a row each, the verdict first.

use anstyle::{AnsiColor, Style};

use super::{Screen, ended, grid};
use crate::analyse::gate::Verdict;
use crate::show::judgement::{GateRow, Gated};
use crate::show::text;

/// The rows of a gate, with colour codes, each line ended.
pub fn gated(gated: &Gated, screen: Screen) -> String {
    let width = screen.columns();
    let mut lines = Vec::new();
    for (side, settings) in sides(&gated.rows) {
        lines.extend(text::wrap(&format!("{side:12}{settings}"), width, "", "            "));
    }
    if !gated.rows.is_empty() {
        lines.push(String::new());
        lines.extend(table(gated, width));
    }
    for row in gated.rows.iter().filter(|row| !row.told_why().is_empty()) {
        lines.extend(text::wrap(&format!("{}: {}", row.row, row.told_why()), width, "", "  "));
    }
    let twins: Vec<String> = gated
        .twins
        .iter()
        .filter(|twin| twin.ratio.is_some())
        .map(|twin| {
            format!(
                "{} {} {} ({})",
                twin.name,
                twin.quantity,
                twin.told_ratio(),
                twin.told_interval()
            )
        })
        .collect();
    if !twins.is_empty() {
        let text = format!("A/A twin of the base: {}", twins.join(", "));
        lines.extend(text::wrap(&text, width, "", "  "));
    }
    if !gated.left_out.is_empty() {
        let text = format!(
            "not judged, since the time buys too few samples for it: {} (--time, or --margin to \
             ask for it by name)",
            gated.left_out.join(", ")
        );
        lines.extend(text::wrap(&text, width, "", "  "));
    }
    for note in &gated.notes {
        lines.extend(text::wrap(note, width, "", "  "));
    }
    if let Some(reason) = &gated.reason {
        lines.extend(text::wrap(reason, width, "", "  "));
    }
    ended(lines)
}

/// What each side is, where all rows agree on it.
fn sides(rows: &[GateRow]) -> Vec<(&str, &str)> {
    let mut sides: Vec<(&str, &str)> = Vec::new();
    for row in rows {
        for (label, settings) in [(&row.base, &row.base_settings), (&row.cand, &row.cand_settings)]
        {
            if !sides.iter().any(|(known, _)| known == label) && !settings.is_empty() {
                sides.push((label, settings));
            }
        }
    }
    sides
}

fn table(gated: &Gated, width: usize) -> Vec<String> {
    let plain = Style::new();
    let column = |heading: &str, rank: u8, is_text: bool, cell: &dyn Fn(&GateRow) -> String| {
        let cells = gated.rows.iter().map(|row| (cell(row), plain)).collect();
        grid::Column { heading: heading.to_owned(), cells, is_text, rank }
    };
    let mut verdicts = column("verdict", 0, true, &|row| row.verdict.to_owned());
    for (cell, row) in verdicts.cells.iter_mut().zip(&gated.rows) {
        cell.1 = style(row);
    }
    let interval = format!("{} % interval", (gated.confidence * 100.0).round());
    let columns = vec![
        column("row", 0, true, &|row| row.row.clone()),
        column("base", 3, false, &|row| row.told(row.base_value)),
        column("cand", 2, false, &|row| row.told(row.cand_value)),
        column("ratio", 0, false, &GateRow::told_ratio),
        column(&interval, 1, false, &GateRow::told_interval),
        column("margin", 4, false, &GateRow::told_margin),
        column("detects", 5, false, &GateRow::told_detects),
        verdicts,
    ];
    grid::render(columns, width).0
}

fn style(row: &GateRow) -> Style {
    let colour = if row.waived.is_some() {
        AnsiColor::Yellow
    } else if row.is(Verdict::Regressed) {
        AnsiColor::Red
    } else if row.is(Verdict::Fine) || row.is(Verdict::Improved) {
        AnsiColor::Green
    } else {
        AnsiColor::Yellow
    };
    Style::new().fg_color(Some(colour.into()))
}
