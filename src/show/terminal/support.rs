//! The support table: means, and what they add.

use anstyle::Style;

use super::chapters::{dimmed, heading};
use super::grid::{self, Column};
use super::{Screen, colour};
use crate::show::support::{Added, INTERVALS, Standing, Support};
use crate::show::text;

/// The one table of a run; of many parents those in which a cell was not done and proved, and of the
/// others how many there are.
pub(super) fn render(all: &[Support], screen: Screen) -> Vec<Vec<String>> {
    if let [one] = all {
        return vec![table_of(one, screen)];
    }
    let is_whole = |support: &&Support| {
        let (proved, cells) = support.proved();
        proved == cells
    };
    let (whole, rest): (Vec<&Support>, Vec<&Support>) = all.iter().partition(is_whole);
    let mut parts: Vec<Vec<String>> =
        rest.into_iter().map(|support| table_of(support, screen)).collect();
    if !whole.is_empty() {
        let cells: usize = whole.iter().map(|support| support.proved().0).sum();
        let told = format!("between birth and exec: {cells} cells done and proved by the image");
        parts.push(heading(&told, screen));
    }
    parts
}

/// The table of means, and those of what is added, as many mechanisms beside each other as there is
/// room for.
fn table_of(support: &Support, screen: Screen) -> Vec<String> {
    let (proved, cells) = support.proved();
    let place = match support.place.as_str() {
        "" => String::new(),
        place => format!(" ({place})"),
    };
    let title = format!(
        "what is done between birth and exec, by what means{place}: {proved} of {cells} cells done \
         and proved by the image"
    );
    let mut lines = heading(&title, screen);
    lines.extend(table(support, screen, |standing| standing.word()));
    for reason in support.reasons() {
        lines.extend(dimmed(&format!("no way: {reason}"), screen));
    }
    for (place, interval) in INTERVALS.iter().enumerate().filter(|(i, _)| support.has_added(*i)) {
        lines.push(String::new());
        let title = format!(
            "what it adds to `{}` in us (95 % interval), against the same mechanism without it",
            interval.word()
        );
        lines.extend(heading(&title, screen));
        lines.extend(table(support, screen, |standing| {
            standing.added(place).map_or_else(|| "-".to_owned(), told)
        }));
    }
    lines
}

fn table(support: &Support, screen: Screen, cell: impl Fn(&Standing) -> String) -> Vec<String> {
    let column = |place: usize| {
        let mechanism = &support.mechanisms[place];
        let cells = support.rows.iter().map(|(_, standings)| match &standings[place] {
            Some(standing) => (cell(standing), colour(mechanism)),
            None => (String::new(), Style::new()),
        });
        let heading = text::shorten(mechanism, screen.columns() / 3);
        Column { heading, cells: cells.collect(), is_text: true, rank: 1 }
    };
    let labels = || Column {
        heading: String::new(),
        cells: support.rows.iter().map(|(action, _)| (action.clone(), Style::new())).collect(),
        is_text: true,
        rank: 0,
    };
    let fits = |from: usize, taken: usize| {
        let columns = std::iter::once(labels()).chain((from..from + taken).map(&column));
        grid::render(columns.collect(), screen.columns())
    };
    let (mut lines, mut next) = (Vec::new(), 0);
    while next < support.mechanisms.len() {
        let mut taken = 1;
        while next + taken < support.mechanisms.len() && fits(next, taken + 1).1.is_empty() {
            taken += 1;
        }
        lines.extend(fits(next, taken).0);
        next += taken;
    }
    lines
}

/// In microseconds: `+1.2 0.9 to 1.5`.
fn told(added: Added) -> String {
    let us = |nanoseconds: f64| match nanoseconds / 1000.0 {
        us if us.abs() >= 99.5 => format!("{us:.0}"),
        us => format!("{us:.1}"),
    };
    let value = format!("{}{}", if added.value >= 0.0 { "+" } else { "" }, us(added.value));
    match added.bounds {
        Some((low, high)) => format!("{value} {} to {}", us(low), us(high)),
        None => value,
    }
}
