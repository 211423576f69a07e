//! What can be done between birth and exec, by which mechanism, by what means, and what it adds.

use crate::show::document::{Column, Entry, Line, Table, Tone};
use crate::show::support::{INTERVALS, Standing, Support};
use crate::show::view::View;
use crate::show::work::told;

/// By what means each mechanism does each action, or why it does not: a table for each parent.
pub fn means(view: &View) -> Vec<Table> {
    let table = |support: &Support| {
        let (proved, cells) = support.proved();
        let mut notes: Vec<String> =
            support.reasons().into_iter().map(|why| format!("no way: {why}")).collect();
        notes.push(
            "Every cell was executed, and its image has reported what it became, or the reason \
             stands here."
                .to_owned(),
        );
        Table {
            caption: format!(
                "What is done between birth and exec, by what means{}: {proved} of {cells} cells \
                 done and proved by the image",
                place(support)
            ),
            columns: columns(support, ""),
            lines: lines(support, |standing| Entry { text: standing.word(), tone: tone(standing) }),
            notes,
        }
    };
    view.support.iter().map(table).collect()
}

/// What each action adds to the caller and to the whole life: a table for each parent and interval
/// that has any.
pub fn added(view: &View) -> Vec<Table> {
    let mut tables = Vec::new();
    for support in &view.support {
        for (at, interval) in INTERVALS.iter().enumerate().filter(|(at, _)| support.has_added(*at))
        {
            tables.push(Table {
                caption: format!(
                    "What it adds to `{}`{}, median with its 95 % interval, against the same \
                     mechanism without it",
                    interval.word(),
                    place(support)
                ),
                columns: columns(support, "added"),
                lines: lines(support, |standing| match standing.added(at) {
                    Some(added) => Entry::plain(told(added)),
                    None => Entry { text: "-".to_owned(), tone: Tone::Faint },
                }),
                notes: Vec::new(),
            });
        }
    }
    tables
}

fn place(support: &Support) -> String {
    match support.place.as_str() {
        "" => String::new(),
        place => format!(" ({place})"),
    }
}

fn columns(support: &Support, about: &str) -> Vec<Column> {
    let column = |mechanism: &String| Column {
        title: mechanism.clone(),
        about: about.to_owned(),
        is_figures: !about.is_empty(),
    };
    let first = Column::text("action");
    std::iter::once(first).chain(support.mechanisms.iter().map(column)).collect()
}

fn lines(support: &Support, entry: impl Fn(&Standing) -> Entry) -> Vec<Line> {
    let line = |(action, standings): &(String, Vec<Option<Standing>>)| {
        let cells = standings.iter().map(|one| one.as_ref().map_or_else(Entry::default, &entry));
        let cells = std::iter::once(Entry::plain(action)).chain(cells).collect();
        Line::Cells { mechanism: None, cells }
    };
    support.rows.iter().map(line).collect()
}

fn tone(standing: &Standing) -> Tone {
    match standing {
        Standing::Done { proved: Some(true), .. } => Tone::Good,
        Standing::Done { proved: Some(false), .. } | Standing::Failed => Tone::Bad,
        Standing::Done { proved: None, .. } => Tone::Unsure,
        Standing::NotPermitted | Standing::NoWay(_) => Tone::Faint,
    }
}
