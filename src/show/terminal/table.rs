//! The table: one block of rows for each shape, columns that fit the screen.

use anstyle::Style;

use super::{Screen, colour};
use crate::show::text;
use crate::show::units;
use crate::show::view::{Cell, Group, Kind, NotShown, Row, Section, Versus, View};

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
    [P90, Image, ChildFaults, ParentFaults, Bounds, Reaped, Empty, Cold, Ratio, Bill];

/// Where a group of columns begins, most wanted first: what room is left sets them apart.
const BEGINNINGS: [Column; 4] = [Ratio, ParentFaults, Image, Bill];

/// Columns that stand under one heading.
const HEADINGS: [(&str, &[Column]); 3] = [
    ("caller blocked", &[Blocked, Cold, P90, Empty]),
    ("faults", &[ParentFaults, ChildFaults]),
    ("blocked, vs", &[Ratio, Bounds]),
];

/// The tables of these sections of a view, their columns in line.
pub(super) fn render(view: &View, sections: &[Section], screen: Screen) -> Vec<String> {
    let layout = Layout::new(sections, screen.columns());
    let mut lines = Vec::new();
    for (position, section) in sections.iter().enumerate() {
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
    lines.extend(layout.notes(view, sections, screen));
    lines
}

/// Which columns are shown, how wide, how far apart.
struct Layout {
    names: usize,
    columns: Vec<Place>,
    dropped: Vec<Column>,
    room: Room,
    versus: String,
}

/// A column where it is shown.
#[derive(Clone, Copy)]
struct Place {
    column: Column,
    /// Spaces in front of it.
    gap: usize,
    width: usize,
}

/// How much room is given to a column.
#[derive(Clone, Copy)]
struct Room {
    /// Spaces between columns.
    gap: usize,
    /// Whether headings and large counts are cut short.
    is_tight: bool,
}

/// How a table is closed up before a column is left out.
const ROOMS: [Room; 3] = [
    Room { gap: 2, is_tight: false },
    Room { gap: 1, is_tight: false },
    Room { gap: 1, is_tight: true },
];

impl Layout {
    /// The roomiest that fits, with as many columns as fit.
    fn new(sections: &[Section], width: usize) -> Layout {
        let rows: Vec<&Row> = sections.iter().flat_map(Section::rows).collect();
        let mut versus: Vec<&str> =
            sections.iter().filter_map(|section| section.versus.as_deref()).collect();
        versus.dedup();
        let versus = match versus.as_slice() {
            [] => String::new(),
            [one] => text::shorten(one, width / 4),
            _ => "its own".to_owned(),
        };
        let longest = rows.iter().map(|row| row.name.chars().count()).max().unwrap_or(0);
        let names = longest.min(15.max(width / 4)) + 1;
        let is_filled =
            |column: &Column| rows.iter().any(|row| !cell(*column, row, ROOMS[0]).is_empty());
        let present: Vec<Column> = ALL.into_iter().filter(is_filled).collect();
        let expendable: Vec<Column> =
            LEAST_NEEDED.into_iter().filter(|column| present.contains(column)).collect();

        let attempt = |dropped: &[Column], room: Room| {
            let kept = present.iter().copied().filter(|column| !dropped.contains(column));
            let place = |column: Column| {
                let cells = rows.iter().map(|row| cell(column, row, room).chars().count());
                let widest = cells.chain([heading(column, room).len()]).max().unwrap_or(0);
                Place { column, gap: room.gap, width: widest }
            };
            let mut layout = Layout {
                names,
                columns: kept.map(place).collect(),
                dropped: dropped.to_vec(),
                room,
                versus: versus.clone(),
            };
            layout.widen_for_headings();
            layout
        };
        let mut attempts = (0..=expendable.len())
            .flat_map(|count| ROOMS.map(|room| (count, room)))
            .map(|(count, room)| attempt(&expendable[..count], room));
        let mut layout = attempts
            .find(|layout| layout.width() <= width)
            .unwrap_or_else(|| attempt(&expendable, ROOMS[2]));
        layout.set_apart(width);
        layout
    }

    /// A heading over several columns may be longer than they are: the first of them makes room.
    fn widen_for_headings(&mut self) {
        for (title, under) in HEADINGS {
            let title = title.len().max(if under.contains(&Ratio) { self.versus.len() } else { 0 });
            let span = self.span(under);
            if let Some(place) = self.columns.iter_mut().find(|p| under.contains(&p.column)) {
                place.width += title.saturating_sub(span);
            }
        }
    }

    /// Puts one more space in front of each group of columns, as far as there is room.
    fn set_apart(&mut self, width: usize) {
        let left = width.saturating_sub(self.width());
        let beginnings = BEGINNINGS.into_iter().filter(|_| self.room.gap == 1);
        for column in beginnings.take(left) {
            if let Some(place) = self.columns.iter_mut().find(|place| place.column == column) {
                place.gap += 1;
            }
        }
    }

    /// Width of those of the columns that are shown, gaps between them included.
    fn span(&self, under: &[Column]) -> usize {
        let mut places = self.columns.iter().filter(|place| under.contains(&place.column));
        let first = places.next().map_or(0, |place| place.width);
        first + places.map(|place| place.gap + place.width).sum::<usize>()
    }

    fn width(&self) -> usize {
        self.names + self.columns.iter().map(|place| place.gap + place.width).sum::<usize>()
    }

    fn header(&self, screen: Screen) -> Vec<String> {
        let mut top = " ".repeat(self.names);
        let mut bottom = top.clone();
        let mut places = self.columns.as_slice();
        while let Some(&Place { column, gap, width }) = places.first() {
            let headed = HEADINGS.iter().find(|(_, under)| under.contains(&column));
            let count = headed.map_or(1, |(_, under)| {
                places.iter().take_while(|place| under.contains(&place.column)).count()
            });
            let (these, rest) = places.split_at(count);
            let space = " ".repeat(gap);
            match headed {
                Some((title, under)) if under.contains(&Ratio) => {
                    let span = self.span(under);
                    top += &format!("{space}{title:>span$}");
                    bottom += &format!("{space}{:>span$}", self.versus);
                }
                Some((title, under)) => {
                    top += &format!("{space}{}", ruled(title, self.span(under), screen));
                    for Place { column, gap, width } in these {
                        bottom += &format!("{:gap$}{:>width$}", "", heading(*column, self.room));
                    }
                }
                None => {
                    let above = match column {
                        Image => "image",
                        Bill => "bill",
                        _ => "",
                    };
                    top += &format!("{space}{above:>width$}");
                    bottom += &format!("{space}{:>width$}", heading(column, self.room));
                }
            }
            places = rest;
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
        let indent = " ".repeat(self.names + self.room.gap);
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
            let gap = " ".repeat(self.room.gap);
            if let Some(first) = reasons.first_mut() {
                first.replace_range(..indent.len(), &format!("{start}{gap}"));
            }
            lines.extend(reasons);
            return lines;
        }
        let mut line = start;
        for Place { column, gap, width } in &self.columns {
            line += &format!("{:gap$}{:>width$}", "", cell(*column, row, self.room));
        }
        lines.push(line);
        lines
    }

    /// What the table cannot say by itself.
    fn notes(&self, view: &View, sections: &[Section], screen: Screen) -> Vec<String> {
        let mut notes = Vec::new();
        let is_shown = |column: Column| self.columns.iter().any(|place| place.column == column);
        let rows = || sections.iter().flat_map(Section::rows);
        if is_shown(Cold) {
            notes.push("cold: the first spawn after the caches were scrubbed".to_owned());
        }
        let is_short_of = |row: &Row| {
            let figures = self.columns.iter().map(|place| figure(place.column, row));
            figures.into_iter().any(|figure| matches!(figure, Cell::Needs(_)))
        };
        if rows().any(is_short_of) {
            notes.push("n>=N: that figure needs N samples".to_owned());
        }
        if is_shown(Ratio) {
            let mut reasons: Vec<NotShown> = Vec::new();
            for row in rows() {
                match row.versus {
                    Versus::NotShown(reason) if !reasons.contains(&reason) => reasons.push(reason),
                    _ => {}
                }
            }
            notes.extend(reasons.into_iter().map(|reason| format!("{}: {reason}", mark(reason))));
        }
        if view.faults_from_rusage && (is_shown(ParentFaults) || is_shown(ChildFaults)) {
            notes.push("faults (getrusage): one more per exec".to_owned());
        }
        if !self.dropped.is_empty() {
            let names: Vec<&str> =
                ALL.into_iter().filter(|column| self.dropped.contains(column)).map(name).collect();
            notes.push(no_room(&names));
        }
        small_print(&notes, screen)
    }
}

/// The note on columns of these names that had to be left out.
pub(super) fn no_room(names: &[&str]) -> String {
    format!("no room for {}: widen the terminal, or --format csv", units::list(names, "and"))
}

/// The notes below a table, dimmed; no line where there are none.
pub(super) fn small_print(notes: &[String], screen: Screen) -> Vec<String> {
    let dim = Style::new().dimmed();
    text::wrap(&notes.join("; "), screen.columns(), "", "")
        .into_iter()
        .filter(|line| !line.is_empty())
        .map(|line| format!("{dim}{line}{dim:#}"))
        .collect()
}

/// What stands right above the figures of a column.
fn heading(column: Column, room: Room) -> &'static str {
    match column {
        Blocked => "p50",
        Cold => "cold",
        P90 => "p90",
        Empty if room.is_tight => "empty",
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
fn cell(column: Column, row: &Row, room: Room) -> String {
    let write = if room.is_tight { units::short_count } else { units::count };
    let count = |number: Option<u64>| number.map(write).unwrap_or_default();
    match column {
        ParentFaults => count(row.parent_faults),
        ChildFaults => count(row.child_faults),
        Ratio => match row.versus {
            Versus::Itself => "1".to_owned(),
            Versus::Times { value, .. } => units::ratio(value),
            Versus::NotShown(reason) => mark(reason),
            Versus::Nothing => String::new(),
        },
        Bounds => match row.versus {
            Versus::Times { value, bounds: Some((low, high)) } => units::interval(value, low, high),
            _ => String::new(),
        },
        column => match (figure(column, row), column) {
            (Cell::Known(0.0), Bill) => "0".to_owned(),
            // What writing takes in any case comes on top of nothing.
            (Cell::Known(bill), Bill) if row.kind != Kind::Control => {
                format!("+{}", units::duration(bill))
            }
            (Cell::Known(value), _) => units::duration(value),
            (Cell::Needs(samples), _) => format!("n>={samples}"),
            (Cell::Absent, _) => String::new(),
            (Cell::Void(word), _) => word.to_owned(),
        },
    }
}

/// What stands where a ratio would.
fn mark(reason: NotShown) -> String {
    match reason {
        NotShown::Apart => "apart".to_owned(),
        NotShown::Needs(samples) => format!("n>={samples}"),
        NotShown::ZeroTime => "0 ns".to_owned(),
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
