//! What each scenario says: laws, matrices, findings, and what was published of it.

use anstyle::{AnsiColor, Style};

use super::grid::{self, Column};
use super::{Screen, colour};
use crate::model::claim::Verdict;
use crate::show::chapter::Chapter;
use crate::show::finding::{self, FindingRow, Reproduction, Tally};
use crate::show::law::{Applied, LawTable};
use crate::show::matrix::Matrix;
use crate::show::text;
use crate::show::units;
use crate::show::view::Cell;

/// The tables of the laws of a scenario; nothing without one.
pub(super) fn laws(chapter: &Chapter, screen: Screen) -> Vec<String> {
    let mut lines = Vec::new();
    for table in &chapter.tables {
        if !lines.is_empty() {
            lines.push(String::new());
        }
        lines.extend(law(table, screen));
    }
    lines
}

fn law(table: &LawTable, screen: Screen) -> Vec<String> {
    let mut previous = "";
    let mut names = Vec::new();
    for row in &table.rows {
        // A name stands once, before its intervals.
        let name = if row.series == previous { String::new() } else { row.series.clone() };
        names.push((name, colour(&row.mechanism)));
        previous = &row.series;
    }
    let column = |heading: &str, rank: u8, cell: fn(&crate::show::law::LawRow) -> String| Column {
        heading: heading.to_owned(),
        cells: table.rows.iter().map(|row| (cell(row), Style::new())).collect(),
        is_text: false,
        rank,
    };
    let text = |column: Column| Column { is_text: true, ..column };
    let columns = vec![
        Column { heading: String::new(), cells: names, is_text: true, rank: 0 },
        text(column("", 0, |row| row.interval.clone())),
        text(column("growth", 2, |row| row.growth.to_owned())),
        column(&table.per, 0, |row| row.slope.clone()),
        column("95 % interval", 1, |row| row.bounds.clone()),
        column(&table.other, 4, |row| row.other.clone()),
        column("at 0", 5, |row| row.at_zero.clone()),
        column("R2", 3, |row| row.r2.clone()),
        column("points", 6, |row| row.points.to_string()),
    ];
    let (rows, dropped) = grid::render(columns, screen.columns());
    let mut lines = heading(&table.caption, screen);
    lines.extend(rows);
    let mut notes: Vec<String> = table.note.iter().cloned().collect();
    notes.extend(no_room(&dropped, "--format json"));
    lines.extend(dimmed(&notes.join("; "), screen));
    lines
}

/// The matrices of a scenario; nothing where its parents have tables.
pub(super) fn matrices(chapter: &Chapter, screen: Screen) -> Vec<String> {
    let mut lines = Vec::new();
    for matrix in &chapter.matrices {
        if !lines.is_empty() {
            lines.push(String::new());
        }
        lines.extend(self::matrix(matrix, screen));
    }
    lines
}

/// As many columns beside each other as there is room for, the others below them.
fn matrix(matrix: &Matrix, screen: Screen) -> Vec<String> {
    let mut lines = heading(&matrix.title, screen);
    let mut is_short = false;
    let labels = || matrix.rows.iter().map(|(label, _)| (label.clone(), Style::new())).collect();
    let column = |place: usize| {
        let (name, mechanism) = &matrix.columns[place];
        let cells = matrix.rows.iter().map(|(_, cells)| match cells[place] {
            None => (String::new(), Style::new()),
            Some(Cell::Known(value)) => (units::figure(matrix.unit, value), colour(mechanism)),
            Some(Cell::Needs(samples)) => (format!("n>={samples}"), Style::new()),
            Some(Cell::Absent) => ("-".to_owned(), Style::new()),
            Some(Cell::Void(word)) => (word.to_owned(), Style::new()),
        });
        let heading = text::shorten(name, screen.columns() / 3);
        Column { heading, cells: cells.collect(), is_text: false, rank: 1 }
    };
    let mut next = 0;
    while next < matrix.columns.len() {
        let mut taken = 1;
        let fits = |taken: usize| {
            let first = Column { heading: String::new(), cells: labels(), is_text: true, rank: 0 };
            let columns = std::iter::once(first).chain((next..next + taken).map(&column));
            let (lines, dropped) = grid::render(columns.collect(), screen.columns());
            (lines, dropped.is_empty())
        };
        while next + taken < matrix.columns.len() && fits(taken + 1).1 {
            taken += 1;
        }
        lines.extend(fits(taken).0);
        next += taken;
    }
    for (_, cells) in &matrix.rows {
        is_short |= cells.iter().any(|cell| matches!(cell, Some(Cell::Needs(_))));
    }
    let mut notes = matrix.missing.clone();
    if is_short {
        notes.push("n>=N: that figure needs N samples".to_owned());
    }
    lines.extend(dimmed(&notes.join("; "), screen));
    lines
}

/// Columns that the verdict of a finding has.
const VERDICT: usize = 11;

/// Findings, each with its verdict in the margin; nothing without a claim.
pub(super) fn findings(rows: &[FindingRow], screen: Screen) -> Vec<String> {
    let told = |row: &FindingRow| {
        let mut lines = beside(row.verdict.word(), row.verdict, &row.told(), VERDICT, screen);
        lines.extend(because(row, VERDICT, screen));
        lines
    };
    rows.iter().flat_map(told).collect()
}

/// Columns that a verdict in a reader's words has.
const REPRODUCED: usize = 23;

/// What was published, source by source: figures, claims, and what a modern kernel makes of it.
pub(super) fn reproduction(
    chapter: &Chapter,
    reproduction: &Reproduction,
    screen: Screen,
) -> Vec<String> {
    let source = &reproduction.source;
    let mut lines = heading(&format!("{} ({}, {})", source.title, source.by, source.year), screen);
    lines.extend(text::wrap(
        &format!("measured on {}", source.machine),
        screen.columns(),
        " ",
        " ",
    ));
    lines.extend(figures(reproduction, screen));
    for row in &chapter.findings {
        let word = finding::reproduced(row.verdict);
        // On a narrow screen the verdict would leave no room beside it.
        let margin = if screen.columns() < 70 { 2 } else { REPRODUCED };
        if margin < REPRODUCED {
            let style = style(row.verdict);
            lines.push(format!(" {style}{word}{style:#}"));
            lines.extend(beside("", row.verdict, &row.told(), margin, screen));
        } else {
            lines.extend(beside(&format!(" {word}"), row.verdict, &row.told(), margin, screen));
        }
        lines.extend(because(row, margin, screen));
    }
    if let Some(finding) = &source.finding {
        lines.extend(text::wrap(&format!("finding: {finding}"), screen.columns(), " ", " "));
    }
    lines
}

fn figures(reproduction: &Reproduction, screen: Screen) -> Vec<String> {
    if reproduction.figures.is_empty() {
        return Vec::new();
    }
    let figures = &reproduction.figures;
    let column = |heading: &str, cell: fn(&finding::FigureRow) -> &str| Column {
        heading: heading.to_owned(),
        cells: figures.iter().map(|row| (cell(row).to_owned(), Style::new())).collect(),
        is_text: heading != "here/theirs",
        rank: 0,
    };
    // A row that does not fit is told in lines of its own, not without its half.
    let columns = vec![
        column("figure", |row| &row.at),
        column("", |row| &row.quantity),
        column("published", |row| &row.published),
        column("here", |row| &row.here),
        column("here/theirs", |row| &row.factor),
    ];
    let needed: usize = columns
        .iter()
        .map(|column| {
            let cells = column.cells.iter().map(|(cell, _)| cell.chars().count());
            cells.chain([column.heading.len()]).max().unwrap_or(0) + 2
        })
        .sum();
    let widest_name = figures.iter().map(|row| row.at.chars().count()).max().unwrap_or(0);
    let mut lines = Vec::new();
    if needed <= screen.columns() && widest_name <= screen.columns() / 3 {
        lines = grid::render(columns, screen.columns()).0;
    } else {
        for row in figures {
            let factor = match row.factor.as_str() {
                "" => String::new(),
                factor => format!(", {factor} of that"),
            };
            let text = format!(
                "{} {}: published {}, here {}{factor}",
                row.at, row.quantity, row.published, row.here
            );
            lines.extend(text::wrap(&text, screen.columns(), " ", "   "));
        }
    }
    for row in figures {
        let notes: Vec<&str> = [row.why.as_str(), row.note.as_deref().unwrap_or_default()].into();
        let notes: Vec<&str> = notes.into_iter().filter(|note| !note.is_empty()).collect();
        if !notes.is_empty() {
            lines.extend(dimmed(&format!("{}: {}", row.at, notes.join("; ")), screen));
        }
    }
    lines
}

/// How many sources, and what became of what they claim.
pub(super) fn tally(chapters: &[Chapter], screen: Screen) -> Vec<String> {
    let sources: Vec<&Chapter> =
        chapters.iter().filter(|chapter| chapter.reproduction.is_some()).collect();
    let all = sources.iter().fold(Tally::default(), |all, chapter| all.and(chapter.tally()));
    let count = |number: usize, one, many| units::plural(number as u64, one, many);
    let text = format!(
        "{}, {}: {}",
        count(sources.len(), "source", "sources"),
        count(all.all(), "claim", "claims"),
        all.reproduced()
    );
    text::wrap(text.trim_end_matches(": "), screen.columns(), "", "")
}

/// What the laws say of the values that were asked about.
pub(super) fn applied(applied: &[Applied], several: bool, screen: Screen) -> Vec<String> {
    let mut lines = Vec::new();
    for one in applied {
        if !lines.is_empty() {
            lines.push(String::new());
        }
        let Applied { axis, at, measured: [low, high], .. } = one;
        let scenario = if several { format!("{}: ", one.scenario) } else { String::new() };
        let kind = one.rows.iter().find_map(|row| row.kind);
        let place = match kind {
            Some("extrapolated") => {
                format!(": extrapolated, beyond what was measured, {low} to {high}")
            }
            Some(_) => format!(": interpolated, within what was measured, {low} to {high}"),
            None => format!("; measured were {low} to {high}"),
        };
        lines.extend(heading(&format!("{scenario}{axis}={at}{place}"), screen));
        let longest = |of: fn(&crate::show::law::AppliedRow) -> &str| {
            one.rows.iter().map(|row| of(row).chars().count()).max().unwrap_or(0)
        };
        let names = longest(|row| &row.series).min(screen.columns() / 3);
        let intervals = longest(|row| &row.interval);
        for row in &one.rows {
            let style = colour(&row.mechanism);
            let name = text::shorten(&row.series, names);
            let start = format!(" {name:<names$}  {:<intervals$}  ", row.interval);
            let indent = " ".repeat(start.chars().count());
            let text = match row.kind {
                Some(kind) => format!("{} {kind}", row.text),
                None => row.text.clone(),
            };
            let mut wrapped = text::wrap(&text, screen.columns(), &indent, &indent);
            if let Some(first) = wrapped.first_mut() {
                let coloured =
                    format!(" {style}{name:<names$}{style:#}  {:<intervals$}  ", row.interval);
                first.replace_range(..indent.len(), &coloured);
            }
            lines.extend(wrapped);
        }
    }
    let dim = "The interval is where 95 % of new parents lie if the law holds there.";
    lines.extend(dimmed(dim, screen));
    lines
}

/// The name of a scenario and its question.
pub(super) fn title(chapter: &Chapter, screen: Screen) -> Vec<String> {
    heading(&chapter.title(), screen)
}

pub(super) fn heading(text: &str, screen: Screen) -> Vec<String> {
    let bold = Style::new().bold();
    let lines = text::wrap(text, screen.columns(), "", "");
    lines.into_iter().map(|line| format!("{bold}{line}{bold:#}")).collect()
}

pub(super) fn dimmed(text: &str, screen: Screen) -> Vec<String> {
    let dim = Style::new().dimmed();
    let lines = text::wrap(text, screen.columns(), " ", " ");
    let lines = lines.into_iter().filter(|line| !line.trim().is_empty());
    lines.map(|line| format!("{dim}{line}{dim:#}")).collect()
}

pub(super) fn no_room(dropped: &[String], instead: &str) -> Option<String> {
    let names: Vec<&str> = dropped.iter().map(String::as_str).collect();
    let names = units::list(&names, "and");
    (!names.is_empty()).then(|| format!("no room for {names}: widen the terminal, or {instead}"))
}

/// A word in the margin, in the colour of the verdict, and the text beside it.
fn beside(word: &str, verdict: Verdict, text: &str, margin: usize, screen: Screen) -> Vec<String> {
    let indent = " ".repeat(margin);
    let mut lines = text::wrap(text, screen.columns(), &indent, &indent);
    let style = style(verdict);
    if let Some(first) = lines.first_mut() {
        first.replace_range(..margin, &format!("{style}{word:<margin$}{style:#}"));
    }
    lines
}

/// Why it is claimed, below a claim that does not simply hold.
fn because(row: &FindingRow, margin: usize, screen: Screen) -> Vec<String> {
    let Some(because) = row.because.as_ref().filter(|_| row.verdict != Verdict::Holds) else {
        return Vec::new();
    };
    let indent = " ".repeat(margin);
    let dim = Style::new().dimmed();
    let lines = text::wrap(because, screen.columns(), &indent, &indent);
    lines.into_iter().map(|line| format!("{dim}{line}{dim:#}")).collect()
}

/// Repeats what the word says.
fn style(verdict: Verdict) -> Style {
    match verdict {
        Verdict::Holds => AnsiColor::Green.on_default().bold(),
        Verdict::Fails => AnsiColor::Red.on_default().bold(),
        Verdict::Unclear | Verdict::NotShown => AnsiColor::Yellow.on_default().bold(),
    }
}
