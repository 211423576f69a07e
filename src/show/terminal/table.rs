//! The table: one block of rows for each shape, columns that fit the screen.

use anstyle::Style;

use super::{Screen, colour};
use crate::show::text;
use crate::show::units;
use crate::show::view::{Cell, Group, Row, Section, Versus, View};

/// A column beside the name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    Blocked,
    Cold,
    P90,
    Empty,
    Image,
    Reaped,
    Bill,
    ParentFaults,
    ChildFaults,
    Versus,
    Bounds,
}

use Column::{
    Bill, Blocked, Bounds, ChildFaults, Cold, Empty, Image, P90, ParentFaults, Reaped,
    Versus as Ratio,
};

/// All columns, in their order on the screen.
const ALL: [Column; 11] =
    [Blocked, Cold, P90, Empty, Image, Reaped, Bill, ParentFaults, ChildFaults, Ratio, Bounds];

/// What goes first where there is no room.
const LEAST_NEEDED: [Column; 10] =
    [P90, Image, Bounds, ChildFaults, ParentFaults, Reaped, Empty, Cold, Ratio, Bill];

/// Columns that stand under one heading.
const HEADINGS: [(&str, &[Column]); 3] = [
    ("caller blocked", &[Blocked, Cold, P90, Empty]),
    ("faults", &[ParentFaults, ChildFaults]),
    ("blocked, vs", &[Ratio, Bounds]),
];

/// The tables of all sections, their columns in line.
pub(super) fn render(view: &View, screen: Screen) -> Vec<String> {
    let layout = Layout::new(view, screen.columns());
    let mut lines = Vec::new();
    for (position, section) in view.sections.iter().enumerate() {
        if position > 0 {
            lines.push(String::new());
        }
        let bold = Style::new().bold();
        for line in text::wrap(&section.caption, screen.columns(), "", "") {
            lines.push(format!("{bold}{line}{bold:#}"));
        }
        if position == 0 {
            lines.extend(layout.header(screen));
        }
        for group in &section.groups {
            lines.extend(layout.group(group, screen));
        }
    }
    lines.extend(layout.notes(view, screen));
    lines
}

/// Which columns are shown, how wide, how far apart.
struct Layout {
    names: usize,
    columns: Vec<(Column, usize)>,
    dropped: Vec<Column>,
    gap: usize,
    versus: String,
}

impl Layout {
    fn new(view: &View, width: usize) -> Layout {
        let rows: Vec<&Row> = view.sections.iter().flat_map(Section::rows).collect();
        let mut versus: Vec<&str> =
            view.sections.iter().filter_map(|section| section.versus.as_deref()).collect();
        versus.dedup();
        let versus = match versus.as_slice() {
            [] => String::new(),
            [one] => text::shorten(one, width / 4),
            _ => "its own".to_owned(),
        };
        let longest = rows.iter().map(|row| row.name.chars().count()).max().unwrap_or(0);
        let names = longest.min(15.max(width / 4)) + 1;
        let columns = ALL
            .into_iter()
            .filter(|column| rows.iter().any(|row| !cell(*column, row).is_empty()))
            .map(|column| {
                let cells = rows.iter().map(|row| cell(column, row).chars().count());
                (column, cells.chain([heading(column).len()]).max().unwrap_or(0))
            })
            .collect();
        let mut layout = Layout { names, columns, dropped: Vec::new(), gap: 2, versus };
        layout.fit(width);
        layout
    }

    /// Closes up, then leaves columns out, until a line fits.
    fn fit(&mut self, width: usize) {
        self.widen_for_headings();
        if self.width() > width {
            self.gap = 1;
            self.widen_for_headings();
        }
        for column in LEAST_NEEDED {
            if self.width() <= width {
                break;
            }
            if let Some(position) = self.columns.iter().position(|(kept, _)| *kept == column) {
                self.columns.remove(position);
                self.dropped.push(column);
                self.widen_for_headings();
            }
        }
    }

    /// A heading over several columns may be longer than they are: the first of them makes room.
    fn widen_for_headings(&mut self) {
        for (title, under) in HEADINGS {
            let title = title.len().max(if under.contains(&Ratio) { self.versus.len() } else { 0 });
            let span = self.span(under);
            if let Some((_, width)) = self.columns.iter_mut().find(|(c, _)| under.contains(c)) {
                *width += title.saturating_sub(span);
            }
        }
    }

    /// Width of those of the columns that are shown, gaps between them included.
    fn span(&self, under: &[Column]) -> usize {
        let widths =
            self.columns.iter().filter(|(c, _)| under.contains(c)).map(|(_, w)| w + self.gap);
        widths.sum::<usize>().saturating_sub(self.gap)
    }

    fn width(&self) -> usize {
        self.names + self.columns.iter().map(|(_, width)| width + self.gap).sum::<usize>()
    }

    fn header(&self, screen: Screen) -> Vec<String> {
        let mut top = " ".repeat(self.names);
        let mut bottom = top.clone();
        let gap = " ".repeat(self.gap);
        let mut columns = self.columns.as_slice();
        while let Some(&(column, width)) = columns.first() {
            let headed = HEADINGS.iter().find(|(_, under)| under.contains(&column));
            let count = headed.map_or(1, |(_, under)| {
                columns.iter().take_while(|(column, _)| under.contains(column)).count()
            });
            let (these, rest) = columns.split_at(count);
            match headed {
                Some((title, under)) if under.contains(&Ratio) => {
                    let span = self.span(under);
                    top += &format!("{gap}{title:>span$}");
                    bottom += &format!("{gap}{:>span$}", self.versus);
                }
                Some((title, under)) => {
                    top += &format!("{gap}{}", ruled(title, self.span(under), screen));
                    for (column, width) in these {
                        bottom += &format!("{gap}{:>width$}", heading(*column));
                    }
                }
                None => {
                    let above = match column {
                        Image => "image",
                        Bill => "bill",
                        _ => "",
                    };
                    top += &format!("{gap}{above:>width$}");
                    bottom += &format!("{gap}{:>width$}", heading(column));
                }
            }
            columns = rest;
        }
        vec![top, bottom]
    }

    fn group(&self, group: &Group, screen: Screen) -> Vec<String> {
        let mut lines = text::wrap(group.title, screen.columns(), "", "");
        for row in &group.rows {
            lines.extend(self.row(row, screen));
        }
        lines
    }

    fn row(&self, row: &Row, screen: Screen) -> Vec<String> {
        let style = colour(&row.mechanism);
        let indent = " ".repeat(self.names + self.gap);
        let name = text::shorten(&row.name, screen.columns() - 1);
        let is_long = name.chars().count() >= self.names;
        let mut lines = Vec::new();
        let start = if is_long {
            lines.push(format!(" {style}{name}{style:#}"));
            " ".repeat(self.names)
        } else {
            format!(" {style}{name}{style:#}{}", " ".repeat(self.names - 1 - name.chars().count()))
        };
        if let Some(reason) = &row.missing {
            let mut reasons = text::wrap(reason, screen.columns(), &indent, &indent);
            let gap = " ".repeat(self.gap);
            if let Some(first) = reasons.first_mut() {
                first.replace_range(..indent.len(), &format!("{start}{gap}"));
            }
            lines.extend(reasons);
            return lines;
        }
        let mut line = start;
        for (column, width) in &self.columns {
            line += &format!("{:gap$}{:>width$}", "", cell(*column, row), gap = self.gap);
        }
        lines.push(line);
        lines
    }

    /// What the table cannot say by itself.
    fn notes(&self, view: &View, screen: Screen) -> Vec<String> {
        let mut notes = Vec::new();
        let is_shown = |column: Column| self.columns.iter().any(|(shown, _)| *shown == column);
        if is_shown(Cold) {
            notes.push("cold: the first spawn after the caches were scrubbed".to_owned());
        }
        let needs = view.sections.iter().flat_map(Section::rows).any(|row| {
            self.columns.iter().any(|(column, _)| matches!(figure(*column, row), Cell::Needs(_)))
        });
        if needs {
            notes.push("n>=N: that figure needs N samples".to_owned());
        }
        if !self.dropped.is_empty() {
            let names: Vec<&str> =
                ALL.into_iter().filter(|column| self.dropped.contains(column)).map(name).collect();
            notes.push(format!(
                "no room for {}: widen the terminal, or --format csv",
                units::list(&names, "and")
            ));
        }
        let dim = Style::new().dimmed();
        text::wrap(&notes.join("; "), screen.columns(), "", "")
            .into_iter()
            .filter(|line| !line.is_empty())
            .map(|line| format!("{dim}{line}{dim:#}"))
            .collect()
    }
}

/// What stands right above the figures of a column.
fn heading(column: Column) -> &'static str {
    match column {
        Blocked => "p50",
        Cold => "cold",
        P90 => "p90",
        Empty => "if empty",
        Image => "runs",
        Reaped => "reaped",
        Bill => "after",
        ParentFaults => "parent",
        ChildFaults => "child",
        Ratio | Bounds => "",
    }
}

/// What a column is called in a sentence.
fn name(column: Column) -> &'static str {
    match column {
        Blocked => "blocked",
        Cold => "cold",
        P90 => "p90",
        Empty => "if empty",
        Image => "image",
        Reaped => "reaped",
        Bill => "the bill",
        ParentFaults => "faults of the parent",
        ChildFaults => "faults of the child",
        Ratio => "the ratio",
        Bounds => "the interval",
    }
}

fn figure(column: Column, row: &Row) -> Cell {
    match column {
        Blocked => row.blocked,
        Cold => row.cold,
        P90 => row.blocked_p90,
        Empty => row.empty,
        Image => row.image,
        Reaped => row.reaped,
        Bill => row.bill,
        ParentFaults | ChildFaults | Ratio | Bounds => Cell::Absent,
    }
}

/// What a cell says; empty where there is no such thing.
fn cell(column: Column, row: &Row) -> String {
    let count = |number: Option<u64>| number.map(units::count).unwrap_or_default();
    match column {
        ParentFaults => count(row.parent_faults),
        ChildFaults => count(row.child_faults),
        Ratio => match &row.versus {
            Versus::Itself => "1".to_owned(),
            Versus::Times { value, .. } => units::ratio(*value),
            Versus::NotShown(_) | Versus::Nothing => String::new(),
        },
        Bounds => match &row.versus {
            Versus::Times { value, bounds: Some((low, high)) } => {
                units::interval(*value, *low, *high)
            }
            Versus::NotShown(reason) => reason.clone(),
            Versus::Times { bounds: None, .. } | Versus::Itself | Versus::Nothing => String::new(),
        },
        column => match (figure(column, row), column) {
            (Cell::Known(bill), Bill) if bill > 0.0 => format!("+{}", units::duration(bill)),
            (Cell::Known(_), Bill) => "0".to_owned(),
            (Cell::Known(value), _) => units::duration(value),
            (Cell::Needs(samples), _) => format!("n>={samples}"),
            (Cell::Absent, _) => String::new(),
        },
    }
}

/// A heading with a rule to both sides, over the columns it belongs to.
fn ruled(title: &str, span: usize, screen: Screen) -> String {
    let around = span.saturating_sub(title.len());
    let (left, right) = (around.div_ceil(2), around / 2);
    let rule = screen.pick("─", "-");
    let side = |length: usize| rule.repeat(length.saturating_sub(1));
    let pad = |length: usize| " ".repeat(length.min(1));
    format!("{}{}{title}{}{}", side(left), pad(left), pad(right), side(right))
}
