//! Many parents and many mechanisms in one picture before it is drawn: what each pair costs, and
//! how far that is from the best of its parent.
//!
//! Owns which rows are shown, the texts of the cells, and how warm each is. The warmth repeats the
//! ratio that stands in the cell, and tells nothing by itself.

use crate::analyse::columns::Unit;
use crate::show::matrix::Matrix;
use crate::show::units;
use crate::show::view::{Cell, Section};

/// A figure of each mechanism in each parent.
#[derive(Clone, Debug, PartialEq)]
pub struct Heat {
    /// What its file is called, without an ending: `heat`.
    pub stem: String,
    /// The finding.
    pub title: String,
    /// What is drawn.
    pub subtitle: String,
    /// The columns: name, and the mechanism that decides the mark.
    pub columns: Vec<(String, String)>,
    /// The rows: what tells the parent from the others, and a cell for each column.
    pub rows: Vec<(String, Vec<Option<Warm>>)>,
    /// The figures that matter, in words.
    pub told: String,
}

/// A cell.
#[derive(Clone, Debug, PartialEq)]
pub struct Warm {
    /// The figure: `24.4 ms`, or a word where there is none.
    pub text: String,
    /// How many times the best of its row: `252x`; empty where there is none.
    pub times: String,
    /// How far that is: 0 of the best, 1 of the farthest of all.
    pub warmth: f64,
    /// The same in words.
    pub about: String,
}

/// More parents than this are not read in one picture.
const ROWS: usize = 24;

/// The mechanism that makes no process, and is there for reference.
const THREAD: &str = "thread";

/// More mechanisms than this have no room beside each other.
const COLUMNS: usize = 13;

/// At least this ratio is as warm as can be: what differs by little stays pale.
const WARMEST: f64 = 3.0;

/// More parents than this have no pictures of their own, but for the one where the answer is
/// plainest.
pub const MOST: usize = 16;

impl Heat {
    /// One for each workload that was done in several parents by several mechanisms.
    pub fn of(sections: &[Section]) -> Vec<Heat> {
        let mut workloads: Vec<&str> = Vec::new();
        for section in sections {
            if !workloads.contains(&section.workload.as_str()) {
                workloads.push(&section.workload);
            }
        }
        let several = workloads.len() > 1;
        workloads
            .into_iter()
            .filter_map(|workload| {
                let matrix = Matrix::main(sections, workload)?;
                let stem = if several { format!("heat-{workload}") } else { "heat".to_owned() };
                Heat::from(&matrix, stem, sections.len() > MOST)
            })
            .collect()
    }

    fn from(matrix: &Matrix, stem: String, is_alone: bool) -> Option<Heat> {
        if matrix.rows.len() < 2 || matrix.columns.len() < 2 {
            return None;
        }
        let is_rate = matches!(matrix.unit, Unit::PerSecond(_));
        // What makes no process is no way to make one, and the best of none.
        let is_process = |column: usize| matrix.columns[column].1 != THREAD;
        // For each row how many times the best each figure is.
        let ratios: Vec<Vec<Option<f64>>> = matrix
            .rows
            .iter()
            .map(|(_, cells)| {
                let figure = |(column, cell): (usize, &Option<Cell>)| {
                    positive(*cell).filter(|_| is_process(column))
                };
                let figures: Vec<Option<f64>> = cells.iter().enumerate().map(figure).collect();
                ratios(&figures, is_rate)
            })
            .collect();
        let farthest = (0..ratios.len())
            .flat_map(|row| (0..matrix.columns.len()).map(move |column| (row, column)))
            .filter_map(|(row, column)| Some((row, column, ratios[row][column]?)))
            .max_by(|a, b| a.2.total_cmp(&b.2))?;
        let warmest = farthest.2.max(WARMEST).ln();

        let kept = spread(matrix.rows.len(), ROWS);
        let columns = matrix.columns.len().min(COLUMNS);
        let rows = kept
            .iter()
            .map(|&row| {
                let (label, cells) = &matrix.rows[row];
                let cell = |column: usize| {
                    let cell = cells[column]?;
                    let place = format!("{} with {label}", matrix.columns[column].0);
                    Some(warm(matrix, cell, ratios[row][column], warmest, &place))
                };
                (label.clone(), (0..columns).map(cell).collect())
            })
            .collect();

        let mut notes = vec![format!(
            "{}. In each cell the figure, and how many times {} it is: the warmer the farther",
            matrix.title,
            if is_rate { "lower than the best of its row" } else { "the best of its row" }
        )];
        let rest = |all: usize, shown: usize, one: &str, many: &str| {
            let left = (all - shown) as u64;
            (left > 0).then(|| format!("{} left out", units::plural(left, one, many)))
        };
        notes.extend(rest(matrix.rows.len(), kept.len(), "parent is", "parents are"));
        notes.extend(rest(matrix.columns.len(), columns, "mechanism is", "mechanisms are"));
        if is_alone {
            let text = "of so many parents only the one where the answer is plainest has pictures \
                        of its own";
            notes.push(text.to_owned());
        }
        let (row, column, ratio) = farthest;
        let name = |column: usize| &matrix.columns[column].0;
        let farthest =
            format!("{} {} with {}", name(column), units::ratio(ratio), matrix.rows[row].0);
        Some(Heat {
            stem,
            title: title(matrix, &ratios, &farthest),
            subtitle: format!("{}.", notes.join("; ")),
            columns: matrix.columns[..columns].to_vec(),
            rows,
            told: format!("Farthest from the best of its parent: {farthest}."),
        })
    }
}

/// A figure that may be divided by.
fn positive(cell: Option<Cell>) -> Option<f64> {
    cell.and_then(Cell::known).filter(|value| *value > 0.0 && value.is_finite())
}

fn ratios(row: &[Option<f64>], is_rate: bool) -> Vec<Option<f64>> {
    let known = || row.iter().flatten().copied();
    // With a single figure there is nothing that it could be far from.
    let best = if is_rate { known().reduce(f64::max) } else { known().reduce(f64::min) };
    let best = best.filter(|_| known().count() > 1);
    let ratio = |value: f64| best.map(|best| if is_rate { best / value } else { value / best });
    row.iter().map(|value| value.and_then(ratio)).collect()
}

/// So many of the places from 0 on, evenly, the first and the last among them.
fn spread(count: usize, most: usize) -> Vec<usize> {
    if count <= most {
        return (0..count).collect();
    }
    (0..most).map(|place| place * (count - 1) / (most - 1)).collect()
}

fn warm(matrix: &Matrix, cell: Cell, ratio: Option<f64>, warmest: f64, place: &str) -> Warm {
    let text = match cell {
        Cell::Known(value) => units::figure(matrix.unit, value),
        Cell::Needs(samples) => format!("n>={samples}"),
        Cell::Absent => "-".to_owned(),
        Cell::Void(word) => word.to_owned(),
    };
    let times = ratio.map(units::ratio).unwrap_or_default();
    let about = match ratio {
        Some(1.0) => format!("{place}: {text}, the best of its row"),
        Some(_) => format!("{place}: {text}, {times} the best of its row"),
        None => format!("{place}: {text}"),
    };
    Warm {
        text,
        times,
        warmth: ratio.map_or(0.0, |ratio| (ratio.ln() / warmest).clamp(0.0, 1.0)),
        about,
    }
}

/// Who is best in how many parents, and who is farthest from it.
fn title(matrix: &Matrix, ratios: &[Vec<Option<f64>>], farthest: &str) -> String {
    let told: Vec<&Vec<Option<f64>>> =
        ratios.iter().filter(|row| row.iter().flatten().count() > 1).collect();
    let wins = |column: usize| told.iter().filter(|row| row[column] == Some(1.0)).count();
    let best = (0..matrix.columns.len()).rev().max_by_key(|&column| wins(column)).unwrap_or(0);
    let name = &matrix.columns[best].0;
    let parents = match told.len() {
        2 if wins(best) == 2 => "both parents".to_owned(),
        all if wins(best) == all => format!("all {all} parents"),
        all => format!("{} of {all} parents", wins(best)),
    };
    format!("{name} is the best in {parents}; farthest from the best is {farthest}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::show::example::{self, FORK, POSIX_SPAWN, Spawn, VFORK};

    #[test]
    fn each_cell_has_its_figure_and_its_ratio() {
        let view = example::view(&example::sweep());
        let heats = Heat::of(&view.sections);
        assert_eq!(heats.len(), 1);
        let heat = &heats[0];
        assert_eq!(
            heat.title,
            "vfork is the best in all 5 parents; farthest from the best is fork 1,312x with \
             rss=4GiB"
        );
        assert_eq!(heat.columns[0].0, "vfork");
        let (label, cells) = &heat.rows[4];
        assert_eq!(label, "rss=4GiB");
        let fork = cells[2].as_ref().unwrap();
        assert_eq!((fork.text.as_str(), fork.times.as_str()), ("69.3 ms", "1,312x"));
        assert_eq!(fork.warmth, 1.0);
        let vfork = cells[0].as_ref().unwrap();
        assert_eq!((vfork.warmth, vfork.times.as_str()), (0.0, "1.00x"));
        assert_eq!(vfork.about, "vfork with rss=4GiB: 52.8 us, the best of its row");
    }

    #[test]
    fn one_parent_or_one_mechanism_has_none() {
        let view = example::view(&example::first_screen());
        assert!(Heat::of(&view.sections).is_empty());
        let parents: [(&str, &[_]); 2] = [("empty", &[VFORK]), ("rss=1GiB", &[VFORK])];
        assert!(Heat::of(&example::view(&example::summary(&parents, "vfork")).sections).is_empty());
        assert!(Heat::of(&[]).is_empty());
    }

    #[test]
    fn of_very_many_parents_some_are_shown_and_the_rest_is_told() {
        let shapes: Vec<String> = (0..200).map(|fds| format!("fds={fds}")).collect();
        let spawns = [FORK, VFORK, POSIX_SPAWN];
        let parents: Vec<(&str, &[_])> =
            shapes.iter().map(|shape| (shape.as_str(), spawns.as_slice())).collect();
        let view = example::view(&example::summary(&parents, "posix_spawn"));
        let heat = &Heat::of(&view.sections)[0];
        assert_eq!(heat.rows.len(), ROWS);
        assert_eq!((heat.rows[0].0.as_str(), heat.rows[23].0.as_str()), ("fds=0", "fds=199"));
        assert!(heat.subtitle.contains("176 parents are left out"), "{}", heat.subtitle);
    }

    #[test]
    fn what_makes_no_process_is_not_the_best_way_to_make_one() {
        let thread = Spawn { mechanism: "thread", blocked: 7000.0, ..VFORK };
        let spawns = [VFORK, FORK, thread];
        let parents: [(&str, &[Spawn]); 2] = [("empty", &spawns), ("rss=1GiB", &spawns)];
        let view = example::view(&example::summary(&parents, "vfork"));
        let heat = &Heat::of(&view.sections)[0];
        assert!(heat.title.starts_with("vfork is the best in both parents"), "{}", heat.title);
        let last = heat.rows[0].1.last().unwrap().as_ref().unwrap();
        assert_eq!((last.text.as_str(), last.times.as_str(), last.warmth), ("7.00 us", "", 0.0));
    }

    #[test]
    fn the_higher_a_rate_the_better() {
        assert_eq!(ratios(&[Some(10.0), None, Some(40.0)], true), [Some(4.0), None, Some(1.0)]);
        assert_eq!(ratios(&[Some(10.0), Some(40.0)], false), [Some(1.0), Some(4.0)]);
        assert_eq!(ratios(&[Some(10.0), None], false), [None, None]);
    }
}
