//! What a view holds, as tables of a page: `show --format md` and every page show these and no others.
//!
//! Owns the columns and their titles. Figures come finished; a cell says what the terminal says.

use crate::model::claim;
use crate::show::document::{Column, Entry, Line, Table, Tone};
use crate::show::finding::{self, FigureRow, FindingRow};
use crate::show::judgement::{GateRow, Gated};
use crate::show::law::{LawRow, LawTable};
use crate::show::matrix::Matrix;
use crate::show::units;
use crate::show::view::{Cell, Heading, Kind, NotShown, Row, Section, Versus};

/// A column of a table that is made of rows, and what stands in it in each.
struct Of<'a, R> {
    column: Column,
    cell: Box<dyn Fn(&R) -> String + 'a>,
}

impl<'a, R> Of<'a, R> {
    fn new(column: Column, cell: impl Fn(&R) -> String + 'a) -> Of<'a, R> {
        Of { column, cell: Box::new(cell) }
    }
}

/// The table of one parent.
pub(in crate::show) fn section(section: &Section) -> Table {
    let rows: Vec<&Row> = section.rows().collect();
    let mut columns = columns(section);
    columns.retain(|one| rows.iter().any(|row| !(one.cell)(row).is_empty()));
    if columns.is_empty() && rows.iter().any(|row| row.missing.is_some()) {
        // Without a column there is none for the reason.
        columns.push(Of::new(Column::text(""), |_| String::new()));
    }
    let cells = |row: &Row| {
        let mut cells = vec![Entry::plain(row.name.clone())];
        match &row.missing {
            Some(reason) => {
                cells.push(Entry { text: reason.clone(), tone: Tone::Faint });
                cells.resize(columns.len() + 1, Entry::default());
            }
            None => cells.extend(columns.iter().map(|one| Entry::plain((one.cell)(row)))),
        }
        Line::Cells { mechanism: Some(row.mechanism.clone()), cells }
    };
    let mut lines = Vec::new();
    for group in &section.groups {
        if section.groups.len() > 1 {
            lines.push(Line::Group(group.title.to_owned()));
        }
        lines.extend(group.rows.iter().map(cells));
    }
    let texts = rows.iter().filter(|row| row.missing.is_none());
    let texts: Vec<String> =
        texts.flat_map(|row| columns.iter().map(|one| (one.cell)(row))).collect();
    let has = |mark: fn(&str) -> bool| texts.iter().any(|text| mark(text));
    let mut notes = Vec::new();
    if has(|text| text.starts_with("n>=")) {
        notes.push("n>=N: that figure needs N samples.".to_owned());
    }
    if has(|text| text == "apart") {
        notes.push(format!("apart: {}.", NotShown::Apart));
    }
    if has(|text| text == "0 ns") && rows.iter().any(|row| row.versus == ZERO) {
        notes.push(format!("0 ns: {}.", NotShown::ZeroTime));
    }
    let names = Column::text("");
    let columns = std::iter::once(names).chain(columns.into_iter().map(|one| one.column)).collect();
    Table { caption: section.caption.clone(), columns, lines, notes }
}

const ZERO: Versus = Versus::NotShown(NotShown::ZeroTime);

fn columns(section: &Section) -> Vec<Of<'_, Row>> {
    let mut columns: Vec<Of<'_, Row>> = Vec::new();
    if section.columns.is_empty() {
        let time = |title: &str, about: &str, pick: fn(&Row) -> Cell| {
            let write = move |row: &Row| cell(pick(row), units::duration);
            Of::new(Column::figures(title, about), write)
        };
        columns.push(time(
            "caller blocked p50",
            "until the call has returned in the parent, median",
            |row| row.blocked,
        ));
        columns.push(time("cold", "the same right after the caches were scrubbed", |row| row.cold));
        columns.push(time("p90", "caller blocked, 90th percentile", |row| row.blocked_p90));
        columns.push(time(
            "if empty p50",
            "caller blocked, median, in a parent that holds nothing",
            |row| row.empty,
        ));
        columns.push(time(
            "image runs",
            "until the first instruction of the new image runs, median",
            |row| row.image,
        ));
        columns.push(time("reaped", "until the parent has reaped the child, median", |row| {
            row.reaped
        }));
        let about = "what the parent then pays to write its memory again, median";
        columns.push(Of::new(Column::figures("bill after", about), bill));
        let count = |count: Option<u64>| count.map(units::count).unwrap_or_default();
        let about = "minor page faults of the parent for each spawn, the bill included";
        let parent = move |row: &Row| count(row.parent_faults);
        columns.push(Of::new(Column::figures("faults, parent", about), parent));
        let about = "minor page faults of the child for each spawn";
        let child = move |row: &Row| count(row.child_faults);
        columns.push(Of::new(Column::figures("faults, child", about), child));
    }
    for (place, heading) in section.columns.iter().enumerate() {
        let column = Column::figures(one_line(heading.title), heading.about);
        columns.push(Of::new(column, move |row| entry(heading, row, place)));
    }
    if let Some(versus) = section.versus.as_deref() {
        let main = section.columns.iter().find(|column| column.main.is_some());
        let of = main.map_or("caller blocked".to_owned(), |column| one_line(column.title));
        let about = "how many times as much, with the 95 % interval";
        let column = Column::figures(format!("{of}, vs {versus}"), about);
        columns.push(Of::new(column, |row: &Row| compared(row.versus)));
    }
    columns
}

fn one_line(title: &str) -> String {
    title.replace('\n', " ")
}

/// A figure, or the word that stands in its place.
fn cell(cell: Cell, write: impl Fn(f64) -> String) -> String {
    match cell {
        Cell::Known(value) => write(value),
        Cell::Needs(samples) => format!("n>={samples}"),
        Cell::Absent => String::new(),
        Cell::Void(word) => word.to_owned(),
    }
}

/// What writing takes in any case comes on top of nothing.
fn bill(row: &Row) -> String {
    let sign = if row.kind == Kind::Control { "" } else { "+" };
    match row.bill {
        Cell::Known(0.0) => "0".to_owned(),
        bill => cell(bill, |bill| format!("{sign}{}", units::duration(bill))),
    }
}

fn entry(heading: &Heading, row: &Row, place: usize) -> String {
    let entry = row.entries.get(place).copied().unwrap_or(Cell::Absent);
    cell(entry, |value| units::figure(heading.unit, value))
}

fn compared(versus: Versus) -> String {
    match versus {
        Versus::Itself => "1".to_owned(),
        Versus::Times { value, bounds: Some((low, high)) } => {
            format!("{} ({})", units::ratio(value), units::interval(value, low, high))
        }
        Versus::Times { value, bounds: None } => units::ratio(value),
        Versus::NotShown(NotShown::Apart) => "apart".to_owned(),
        Versus::NotShown(NotShown::Needs(samples)) => format!("n>={samples}"),
        Versus::NotShown(NotShown::ZeroTime) => "0 ns".to_owned(),
        Versus::Nothing => String::new(),
    }
}

/// The laws of one axis.
pub(super) fn law(table: &LawTable) -> Table {
    let figures = |title: &str, about: &str, cell: fn(&LawRow) -> String| {
        Of::new(Column::figures(title, about), cell)
    };
    let text = |title: &str, cell: fn(&LawRow) -> String| Of::new(Column::text(title), cell);
    let mut columns = vec![
        text("", |row| row.interval.clone()),
        text("growth", |row| row.growth.to_owned()),
        figures(&table.per, "what each unit of the axis adds", |row| row.slope.clone()),
        figures("95 % interval", "of what each unit adds", |row| row.bounds.clone()),
        figures(&table.other, "the same slope in another unit", |row| row.other.clone()),
        figures("at 0", "where the line meets 0", |row| row.at_zero.clone()),
        figures("R2", "share of the variance of the medians that the line explains", |row| {
            row.r2.clone()
        }),
        figures("points", "places on the axis that were measured", |row| row.points.to_string()),
    ];
    columns.retain(|one| table.rows.iter().any(|row| !(one.cell)(row).is_empty()));
    let line = |row: &LawRow| {
        let name = Entry::plain(row.series.clone());
        let cells = columns.iter().map(|one| Entry::plain((one.cell)(row)));
        let cells = std::iter::once(name).chain(cells).collect();
        Line::Cells { mechanism: Some(row.mechanism.clone()), cells }
    };
    let lines = table.rows.iter().map(line).collect();
    let names = Column::text("");
    Table {
        caption: table.caption.clone(),
        columns: std::iter::once(names).chain(columns.into_iter().map(|one| one.column)).collect(),
        lines,
        notes: table.note.iter().map(|note| format!("{note}.")).collect(),
    }
}

/// One figure of many parents.
pub(super) fn matrix(matrix: &Matrix) -> Table {
    let names = matrix.columns.iter().map(|(name, _)| Column::figures(name.clone(), ""));
    let one = |cell: &Option<Cell>| match cell {
        None => String::new(),
        Some(Cell::Absent) => "-".to_owned(),
        Some(known) => cell_of(matrix, *known),
    };
    let line = |(label, cells): &(String, Vec<Option<Cell>>)| {
        Line::plain(std::iter::once(label.clone()).chain(cells.iter().map(one)))
    };
    let mut notes: Vec<String> =
        matrix.missing.iter().map(|missing| format!("{missing}.")).collect();
    let is_short = |cell: &Option<Cell>| matches!(cell, Some(Cell::Needs(_)));
    if matrix.rows.iter().any(|(_, cells)| cells.iter().any(is_short)) {
        notes.push("n>=N: that figure needs N samples.".to_owned());
    }
    Table {
        caption: matrix.title.clone(),
        columns: std::iter::once(Column::text("")).chain(names).collect(),
        lines: matrix.rows.iter().map(line).collect(),
        notes,
    }
}

fn cell_of(matrix: &Matrix, known: Cell) -> String {
    cell(known, |value| units::figure(matrix.unit, value))
}

/// What was found of claims, the verdict first.
pub(super) fn findings(rows: &[FindingRow]) -> Table {
    let published = rows.iter().any(|row| row.published.is_some());
    let why = |row: &FindingRow| {
        let parts = [Some(row.why.as_str()), row.because.as_deref()];
        let parts: Vec<&str> = parts.into_iter().flatten().filter(|one| !one.is_empty()).collect();
        parts.join("; ")
    };
    let has_why = rows.iter().any(|row| !why(row).is_empty());
    let mut titles = vec!["verdict", "claim", "measured"];
    if published {
        titles.push("published");
    }
    titles.push("claimed");
    if has_why {
        titles.push("why");
    }
    let line = |row: &FindingRow| {
        let verdict = Entry { text: row.verdict.word().to_owned(), tone: tone(row.verdict) };
        let mut texts = vec![row.claim.clone(), row.measured.clone().unwrap_or_default()];
        if published {
            texts.push(row.published.clone().unwrap_or_default());
        }
        texts.push(row.claimed.clone());
        if has_why {
            texts.push(why(row));
        }
        let cells = std::iter::once(verdict).chain(texts.into_iter().map(Entry::plain)).collect();
        Line::Cells { mechanism: None, cells }
    };
    Table {
        columns: titles.into_iter().map(Column::text).collect(),
        lines: rows.iter().map(line).collect(),
        ..Table::default()
    }
}

fn tone(verdict: claim::Verdict) -> Tone {
    match verdict {
        claim::Verdict::Holds => Tone::Good,
        claim::Verdict::Fails => Tone::Bad,
        claim::Verdict::Unclear | claim::Verdict::NotShown => Tone::Unsure,
    }
}

/// What was published beside what was measured here.
pub(super) fn published(rows: &[FigureRow]) -> Table {
    let note = |row: &FigureRow| {
        let parts = [Some(row.why.as_str()), row.note.as_deref()];
        let parts: Vec<&str> = parts.into_iter().flatten().filter(|one| !one.is_empty()).collect();
        parts.join("; ")
    };
    let has_notes = rows.iter().any(|row| !note(row).is_empty());
    let mut columns = vec![
        Column::text("figure"),
        Column::text(""),
        Column::figures("published", ""),
        Column::figures("here", "with the 95 % interval"),
        Column::figures("here/theirs", ""),
    ];
    if has_notes {
        columns.push(Column::text("note"));
    }
    let line = |row: &FigureRow| {
        let cells = [&row.at, &row.quantity, &row.published, &row.here, &row.factor];
        let cells = cells.into_iter().cloned();
        Line::plain(cells.chain(has_notes.then(|| note(row))))
    };
    let lines = rows.iter().map(line).collect();
    let notes = vec![finding::MACHINES_DIFFER.to_owned()];
    Table { caption: String::new(), columns, lines, notes }
}

/// The rows of a check, the verdict first.
pub(super) fn gate(gated: &Gated) -> Table {
    let interval = format!("{} % interval", (gated.confidence * 100.0).round());
    let columns = vec![
        Column::text("verdict"),
        Column::text("row"),
        Column::figures("base", "how things were"),
        Column::figures("cand", "how they are"),
        Column::figures("ratio", "cand / base"),
        Column::figures(interval, "of the ratio"),
        Column::figures("margin", "how much worse it may be"),
        Column::figures("detects", "the slowdown that would be found in four of five such runs"),
    ];
    let line = |row: &GateRow| {
        let texts = [
            row.row.clone(),
            row.told(row.base_value),
            row.told(row.cand_value),
            row.told_ratio(),
            row.told_interval(),
            row.told_margin(),
            row.told_detects(),
        ];
        let verdict = Entry { text: row.verdict.to_owned(), tone: gate_tone(row) };
        let cells = std::iter::once(verdict).chain(texts.into_iter().map(Entry::plain)).collect();
        Line::Cells { mechanism: None, cells }
    };
    Table { columns, lines: gated.rows.iter().map(line).collect(), ..Table::default() }
}

fn gate_tone(row: &GateRow) -> Tone {
    use crate::analyse::gate::Verdict;
    if row.is(Verdict::Fine) || row.is(Verdict::Improved) {
        Tone::Good
    } else if row.is_red() {
        Tone::Bad
    } else {
        Tone::Unsure
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::show::example;

    /// The cells of a table as text, a line each; a group by itself.
    fn texts(table: &Table) -> Vec<Vec<String>> {
        let line = |line: &Line| match line {
            Line::Group(title) => vec![title.clone()],
            Line::Cells { cells, .. } => cells.iter().map(|cell| cell.text.clone()).collect(),
        };
        table.lines.iter().map(line).collect()
    }

    #[test]
    fn every_line_has_a_cell_for_each_column() {
        let mut refused = example::sweep();
        example::refuse(&mut refused, "fork", "EAGAIN");
        for summary in [example::first_screen(), example::cow(), example::sweep(), refused] {
            let view = example::view(&summary);
            let chapters = view.chapters.iter();
            let laws = chapters.clone().flat_map(|chapter| &chapter.tables).map(law);
            let matrices = chapters.clone().flat_map(|chapter| &chapter.matrices).map(matrix);
            let claims = chapters.map(|chapter| findings(&chapter.findings));
            let tables =
                view.sections.iter().map(section).chain(laws).chain(matrices).chain(claims);
            for table in tables {
                for cells in table.lines.iter().filter_map(|line| match line {
                    Line::Cells { cells, .. } => Some(cells),
                    Line::Group(_) => None,
                }) {
                    assert_eq!(cells.len(), table.columns.len(), "{}", table.caption);
                }
            }
        }
    }

    #[test]
    fn a_parent_has_its_groups_and_what_is_not_known_is_said() {
        let view = example::view(&example::first_screen());
        let table = section(&view.sections[0]);
        let lines = texts(&table);
        assert_eq!(lines[0], ["share the parent's memory until exec"]);
        assert_eq!(lines[1][0], "vfork");
        let titles: Vec<&str> = table.columns.iter().map(|one| one.title.as_str()).collect();
        assert!(titles.contains(&"caller blocked, vs posix_spawn"), "{titles:?}");
        let columns = table.columns.iter().skip(1);
        assert!(columns.clone().all(|column| !column.about.is_empty() && column.is_figures));
    }

    #[test]
    fn why_a_row_has_no_figures_stands_in_it() {
        let mut summary = example::first_screen();
        example::refuse(&mut summary, "pidfd_spawn", "glibc is too old");
        let table = section(&example::view(&summary).sections[0]);
        let lines = texts(&table);
        let refused = lines.iter().find(|cells| cells[0] == "pidfd_spawn").unwrap();
        assert_eq!(refused[1], "not measured: glibc is too old");
        assert_eq!(refused.len(), table.columns.len());
    }

    #[test]
    fn verdicts_have_their_tone_and_their_word() {
        let view = example::view(&example::sweep());
        let table = findings(&view.chapters[0].findings);
        let verdicts: Vec<(&str, Tone)> = table
            .lines
            .iter()
            .map(|line| match line {
                Line::Cells { cells, .. } => (cells[0].text.as_str(), cells[0].tone),
                Line::Group(title) => panic!("{title}"),
            })
            .collect();
        let expected = [
            ("HOLDS", Tone::Good),
            ("FAILS", Tone::Bad),
            ("UNCLEAR", Tone::Unsure),
            ("NOT SHOWN", Tone::Unsure),
        ];
        assert_eq!(verdicts, expected);
    }
}
