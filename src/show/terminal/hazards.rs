//! What became of children: the table of hazards and births, the proofs, and what to use instead.

use anstyle::Style;

use super::chapters::dimmed;
use super::grid::{self, Column};
use super::{Screen, colour};
use crate::show::hazards::{Cell, Evidence, Hazards, Note};
use crate::show::text;

/// Lines of a proof; the whole of it is for `--verbose`.
const PROOF: usize = 2;

/// The table and the notes below it.
pub(super) fn render(hazards: &Hazards, screen: Screen) -> Vec<Vec<String>> {
    if hazards.is_empty() {
        return Vec::new();
    }
    let mut parts = vec![table(hazards, screen)];
    parts.extend(hazards.notes.iter().map(|one| note(one, screen)));
    parts
}

/// Two lines a row, counts and intervals, as many births beside each other as there is room for.
fn table(hazards: &Hazards, screen: Screen) -> Vec<String> {
    let pairs = |pair: &dyn Fn(usize) -> [String; 2]| -> Vec<String> {
        (0..hazards.rows.len()).flat_map(pair).collect()
    };
    let styled = |texts: Vec<String>, style: Style| -> Vec<(String, Style)> {
        let faint = Style::new().dimmed();
        let style_of = |place| if place % 2 == 0 { style } else { faint };
        texts.into_iter().enumerate().map(|(place, text)| (text, style_of(place))).collect()
    };
    let birth = |place: usize| {
        let name = &hazards.births[place];
        let pair = |row: usize| match &hazards.rows[row].cells[place] {
            Some(cell) => [cell.counted(), cell.interval()],
            None => Default::default(),
        };
        let cells = styled(pairs(&pair), colour(name));
        Column { heading: text::shorten(name, 12), cells, is_text: false, rank: 1 }
    };
    let labels = || {
        let pair = |row: usize| {
            let row = &hazards.rows[row];
            [row.name.clone(), format!("  {}", row.about)]
        };
        let cells = styled(pairs(&pair), Style::new());
        Column { heading: "hazard, lock".to_owned(), cells, is_text: true, rank: 0 }
    };
    let reset = || {
        let pair = |row: usize| [hazards.rows[row].reset.to_owned(), String::new()];
        let cells = styled(pairs(&pair), Style::new());
        Column { heading: "reset".to_owned(), cells, is_text: true, rank: 2 }
    };
    let fits = |from: usize, taken: usize| {
        let columns = [labels(), reset()].into_iter().chain((from..from + taken).map(&birth));
        grid::render(columns.collect(), screen.columns())
    };
    let is_whole = |dropped: &[String]| dropped.iter().all(|name| name == "reset");
    let (mut lines, mut next) = (Vec::new(), 0);
    while next < hazards.births.len() {
        let mut taken = 1;
        while next + taken < hazards.births.len() && is_whole(&fits(next, taken + 1).1) {
            taken += 1;
        }
        if next > 0 {
            lines.push(String::new());
        }
        lines.extend(fits(next, taken).0);
        next += taken;
    }
    lines.extend(dimmed(
        "hung/made, and the exact 95 % interval of the rate; reset: whether fork() of the libc \
         puts the lock right in the child",
        screen,
    ));
    let has = |mark: char| {
        let mut cells = hazards.rows.iter().flat_map(|row| row.cells.iter().flatten());
        cells.any(|cell| matches!(cell, Cell::Counted(_)) && cell.counted().contains(mark))
    };
    if has('?') {
        lines.extend(dimmed("?: some of them are not proven never to go on", screen));
    }
    if has('!') {
        lines.extend(dimmed("!: some crashed, or found something wrong", screen));
    }
    for reason in &hazards.reasons {
        lines.extend(dimmed(&format!("not run: {reason}"), screen));
    }
    lines
}

fn note(note: &Note, screen: Screen) -> Vec<String> {
    let bold = Style::new().bold();
    let mut lines = vec![format!("{bold}{}{bold:#}", text::shorten(&note.name, screen.columns()))];
    let mut tell = |word: &str, what: &str, most: usize| {
        if what.is_empty() {
            return;
        }
        let first = format!(" {word:<8}");
        let mut told = text::wrap(what, screen.columns(), &first, "         ");
        if told.len() > most {
            told.truncate(most);
            let last = text::shorten(&told[most - 1], screen.columns() - 1);
            told[most - 1] = format!("{}~", last.trim_end_matches('~'));
        }
        lines.extend(told);
    };
    tell("proof", note.proof.as_deref().unwrap_or_default(), PROOF);
    tell("held", note.held.as_deref().unwrap_or_default(), usize::MAX);
    tell("instead", &note.advice, usize::MAX);
    lines
}

/// All that is known of each child whose evidence was kept, each line ended.
pub(in crate::show) fn evidence(all: &[Evidence], screen: Screen) -> Vec<String> {
    let bold = Style::new().bold();
    let mut lines = Vec::new();
    for one in all {
        let head = text::shorten(&format!("{}: {}", one.child, one.event), screen.columns());
        lines.push(format!("{bold}{head}{bold:#}"));
        for part in &one.parts {
            lines.extend(text::wrap(part, screen.columns(), "  ", "    "));
        }
        lines.push(String::new());
    }
    lines.pop();
    lines
}
