//! What became of children that were born beside threads.

use crate::analyse::hazards::Counts;
use crate::show::document::{Column, Entry, Line, Table, Tone};
use crate::show::hazards::Cell;
use crate::show::view::View;

/// A line for each hazard, a column for each birth; none of a run without workload=hazard.
pub fn hazards(view: &View) -> Option<Table> {
    let hazards = &view.hazards;
    if hazards.is_empty() {
        return None;
    }
    let births = hazards.births.iter().map(|birth| Column::figures(birth, "hung / made, 95 %"));
    let columns = [
        Column::text("hazard"),
        Column::text("lock or place"),
        Column { about: "the libc puts it right in the child".to_owned(), ..Column::text("reset") },
    ];
    let line = |row: &crate::show::hazards::Row| {
        let head = [row.name.as_str(), row.about.as_str(), row.reset].map(Entry::plain);
        let cells = row.cells.iter().map(|cell| cell.as_ref().map_or_else(Entry::default, entry));
        Line::Cells { mechanism: None, cells: head.into_iter().chain(cells).collect() }
    };
    let is_any = |which: fn(&Counts) -> bool| {
        let cells = hazards.rows.iter().flat_map(|row| row.cells.iter().flatten());
        cells.into_iter().any(|cell| matches!(cell, Cell::Counted(counts) if which(counts)))
    };
    let mut notes = vec![
        "Intervals are the exact ones of Clopper and Pearson, of the share that hung.".to_owned(),
    ];
    if is_any(|counts| counts.unproven > 0) {
        notes.push("?: some made no progress and are not proven to hang for ever.".to_owned());
    }
    if is_any(|counts| counts.broken > 0) {
        notes.push("!: some crashed, or found something wrong.".to_owned());
    }
    notes.extend(hazards.reasons.iter().map(|reason| format!("not run: {reason}")));
    Some(Table {
        caption: "Children that hung, of all that were made".to_owned(),
        columns: columns.into_iter().chain(births).collect(),
        lines: hazards.rows.iter().map(line).collect(),
        notes,
    })
}

fn entry(cell: &Cell) -> Entry {
    match cell {
        Cell::NotRun(_) => Entry { text: cell.counted(), tone: Tone::Faint },
        Cell::Counted(counts) => {
            let tone = match () {
                () if counts.hung + counts.broken == 0 => Tone::Good,
                () if counts.unproven == counts.hung && counts.broken == 0 => Tone::Unsure,
                () => Tone::Bad,
            };
            Entry { text: format!("{}, {}", cell.counted(), cell.interval()), tone }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyse::hazards::Trial;
    use crate::show::example::{self, FORK, POSIX_SPAWN};

    #[test]
    fn each_birth_has_a_column_and_each_interval_stands_beside_its_count() {
        let mut summary = example::summary(&[("threads=2", &[FORK, POSIX_SPAWN])], "posix_spawn");
        let trial = |variant, birth: &str, hung, unproven| Trial {
            variant,
            hazard: "localtime".to_owned(),
            birth: birth.to_owned(),
            threads: 2,
            duty: 50,
            counts: Some(Counts { forks: 200, hung, unproven, ..Counts::default() }),
        };
        summary.hazards = vec![trial(0, "fork", 125, 5), trial(1, "posix_spawn", 0, 0)];
        for variant in &mut summary.variants {
            variant.row.workload = "hazard".to_owned();
        }
        let table = hazards(&example::view(&summary)).unwrap();
        let titles: Vec<&str> = table.columns.iter().map(|one| one.title.as_str()).collect();
        assert_eq!(titles, ["hazard", "lock or place", "reset", "fork", "posix_spawn"]);
        let [Line::Cells { cells, .. }] = &table.lines[..] else { panic!("{:?}", table.lines) };
        assert_eq!((&*cells[3].text, cells[3].tone), ("125/200 ?, 55-69 %", Tone::Bad));
        assert_eq!((&*cells[4].text, cells[4].tone), ("0/200, 0-1.8 %", Tone::Good));
        assert!(table.notes.iter().any(|note| note.starts_with("?:")));
        assert!(hazards(&example::view(&example::sweep())).is_none());
    }
}
