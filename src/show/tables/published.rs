//! What was published beside what is measured here.

use crate::model::scenario::Source;
use crate::show::document::{Column, Entry, Line, Table, Tone};
use crate::show::finding::{FigureRow, MACHINES_DIFFER};
use crate::show::published::{Published, Reproduced, verdicts};

/// A line for each figure, below its source; none where nothing was published.
pub fn published(found: &Published) -> Option<Table> {
    let mut lines = Vec::new();
    for work in found.works.iter().filter(|work| !work.figures.is_empty()) {
        lines.push(Line::Group(source(work)));
        lines.extend(work.figures.iter().map(|figure| line(work, figure)));
    }
    if lines.is_empty() {
        return None;
    }
    Some(Table {
        caption: "Published figures and those measured here".to_owned(),
        columns: vec![
            Column::figures("year", ""),
            Column::text("where"),
            Column::text("quantity"),
            Column::figures("published", ""),
            Column::figures("here", "95 % interval"),
            Column::figures("factor", "here / published"),
            Column::text("to be known"),
        ],
        lines,
        notes: vec![MACHINES_DIFFER.to_owned()],
    })
}

fn line(work: &Reproduced, figure: &FigureRow) -> Line {
    let record = &figure.record;
    let mechanism = record.at.split(' ').find_map(|setting| setting.strip_prefix("mechanism="));
    let faint = |text: &str| Entry { text: text.to_owned(), tone: Tone::Faint };
    let known: Vec<&str> = [figure.note.as_deref(), Some(figure.why.as_str())]
        .into_iter()
        .flatten()
        .filter(|text| !text.is_empty())
        .collect();
    let here = match record.here {
        Some(_) => Entry::plain(&figure.here),
        None => faint(&figure.here),
    };
    Line::Cells {
        mechanism: mechanism.map(str::to_owned),
        cells: vec![
            Entry::plain(work.source.year.to_string()),
            Entry::plain(&figure.at),
            Entry::plain(&figure.quantity),
            Entry::plain(&figure.published),
            here,
            Entry::plain(&figure.factor),
            faint(&known.join("; ")),
        ],
    }
}

/// The source of figures, whole: `A fork() in the road, by Baumann and others, 2019; on an Intel`.
fn source(work: &Reproduced) -> String {
    let directory = match &work.directory {
        Some(directory) => format!(" ({directory})"),
        None => format!(" ({})", work.scenario),
    };
    let claims = match verdicts(work.tally()) {
        none if none.is_empty() => String::new(),
        told => format!("; claims: {told}"),
    };
    let Source { title, by, year, machine, .. } = &work.source;
    format!("{title}, by {by}, {year}; on {machine}{directory}{claims}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::show::example;

    #[test]
    fn both_figures_and_their_factor_stand_in_a_line() {
        let view = example::view(&example::published());
        let found = Published::of(&[&view]);
        let table = published(&found).unwrap();
        let Line::Group(source) = &table.lines[0] else { panic!("{:?}", table.lines) };
        assert_eq!(
            source,
            "A fork() in the road, by Baumann and others, HotOS, 2019; on an Intel i7-6850K, \
             Linux 4.15 (rss); claims: HOLDS 1, FAILS 1, UNCLEAR 1, NOT SHOWN 1"
        );
        let Line::Cells { mechanism, cells } = &table.lines[1] else { panic!() };
        assert_eq!(mechanism.as_deref(), Some("fork"));
        let texts: Vec<&str> = cells.iter().map(|cell| cell.text.as_str()).collect();
        assert_eq!(
            texts,
            [
                "2019",
                "fork rss=1GiB",
                "blocked.p50",
                "6.90 ms",
                "24.4 ms (23.9 to 24.9)",
                "3.54x",
                ""
            ]
        );
        for line in table.lines.iter().skip(1) {
            let Line::Cells { cells, .. } = line else { panic!() };
            assert_eq!(cells.len(), table.columns.len());
        }
    }

    #[test]
    fn nothing_published_has_no_table() {
        let found = Published::default();
        assert!(published(&found).is_none());
    }
}
