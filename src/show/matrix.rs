//! One figure of many parents in little room: a row for each parent, a column for each mechanism.

use crate::analyse::columns::Unit;
use crate::model::quantity::Measure;
use crate::show::view::{Cell, Heading, Kind, Row, Section};

/// One figure of each mechanism in each parent.
#[derive(Clone, Debug, PartialEq)]
pub struct Matrix {
    /// What the figures are, and what all parents have in common.
    pub title: String,
    /// What the figures are counted in.
    pub unit: Unit,
    /// The columns: name, and the mechanism that decides the colour.
    pub columns: Vec<(String, String)>,
    /// The rows: what tells the parent from the others, and a cell for each column; none where
    /// the two were not combined.
    pub rows: Vec<(String, Vec<Option<Cell>>)>,
    /// Columns that were not measured anywhere, and why.
    pub missing: Vec<String>,
}

/// More parents than this are told by one matrix.
pub const MANY: usize = 3;

/// More parents than this leave no room for a second matrix.
const FOR_TWO: usize = 16;

impl Matrix {
    /// The matrices of these parents, those of each workload by themselves: of the caller, and of
    /// the whole life where there is room, or of the main column; none for so few that each has its
    /// table.
    pub fn of(sections: &[Section]) -> Vec<Matrix> {
        let mut workloads: Vec<&str> = Vec::new();
        for section in sections {
            if !workloads.contains(&section.workload.as_str()) {
                workloads.push(&section.workload);
            }
        }
        workloads.into_iter().flat_map(|workload| Matrix::of_workload(sections, workload)).collect()
    }

    fn of_workload(sections: &[Section], workload: &str) -> Vec<Matrix> {
        let rows = parents(sections, workload);
        if rows.len() <= MANY {
            return Vec::new();
        }
        let mut matrices: Vec<Matrix> = Matrix::main(sections, workload).into_iter().collect();
        if heading(sections, workload).is_none() && rows.len() <= FOR_TWO {
            let time = Unit::Of(Measure::Nanoseconds);
            matrices.push(Matrix::from(&rows, "Child reaped, p50", time, |row| row.reaped));
        }
        matrices
    }

    /// The matrix of the main figure of a workload, however few the parents are; none of none.
    pub fn main(sections: &[Section], workload: &str) -> Option<Matrix> {
        let rows = parents(sections, workload);
        if rows.is_empty() {
            return None;
        }
        Some(match heading(sections, workload) {
            Some(heading) => {
                let what = format!("{workload}: {}", heading.about);
                Matrix::from(&rows, &what, heading.unit, |row| row.main)
            }
            None => {
                let time = Unit::Of(Measure::Nanoseconds);
                Matrix::from(&rows, "Caller blocked, p50", time, |row| row.blocked)
            }
        })
    }

    fn from(
        parents: &[(&str, Vec<&Row>)],
        what: &str,
        unit: Unit,
        figure: fn(&Row) -> Cell,
    ) -> Matrix {
        let mut columns: Vec<(String, String, Kind)> = Vec::new();
        let mut missing: Vec<String> = Vec::new();
        let all = || parents.iter().flat_map(|(_, rows)| rows);
        for row in all() {
            let is_known = columns.iter().any(|(name, ..)| *name == row.name);
            let is_measured = all().any(|other| other.name == row.name && other.missing.is_none());
            if is_known {
                continue;
            }
            match &row.missing {
                Some(reason) if !is_measured => {
                    let text = format!("{}: {reason}", row.name);
                    if !missing.contains(&text) {
                        missing.push(text);
                    }
                }
                _ => columns.push((row.name.clone(), row.mechanism.clone(), row.kind)),
            }
        }
        columns.sort_by_key(|(.., kind)| *kind);
        let columns: Vec<(String, String)> =
            columns.into_iter().map(|(name, mechanism, _)| (name, mechanism)).collect();
        let shapes: Vec<&str> = parents.iter().map(|(shape, _)| *shape).collect();
        let (common, labels) = stripped(&shapes);
        let cells = |rows: &[&Row]| {
            let cell = |name: &str| rows.iter().find(|row| row.name == name).map(|row| figure(row));
            columns.iter().map(|(name, _)| cell(name)).collect()
        };
        let rows = labels.into_iter().zip(parents).map(|(label, (_, rows))| (label, cells(rows)));
        let common = if common.is_empty() { common } else { format!("; all with {common}") };
        let title = format!("{what}{common}");
        Matrix { title, unit, rows: rows.collect(), columns, missing }
    }
}

/// What is left of a label that has nothing but what all have.
pub(super) const NOTHING_MORE: &str = "nothing more";

/// The parents in which a workload was done, each with its rows but the controls.
fn parents<'a>(sections: &'a [Section], workload: &str) -> Vec<(&'a str, Vec<&'a Row>)> {
    sections
        .iter()
        .filter(|section| section.workload == workload)
        .map(|section| {
            let is_told = |row: &&Row| row.kind != Kind::Control;
            (section.shape.as_str(), section.rows().filter(is_told).collect())
        })
        .filter(|(_, rows): &(&str, Vec<&Row>)| !rows.is_empty())
        .collect()
}

/// The main column of a workload that has columns of its own.
fn heading<'a>(sections: &'a [Section], workload: &str) -> Option<&'a Heading> {
    let own = sections.iter().filter(|section| section.workload == workload);
    own.flat_map(|section| &section.columns).find(|one| one.main.is_some())
}

/// What all labels have in common, and what is left of each.
pub(super) fn stripped(shapes: &[&str]) -> (String, Vec<String>) {
    let in_all = |part: &str| shapes.iter().all(|shape| shape.split(' ').any(|p| p == part));
    let first = shapes.first().copied().unwrap_or_default();
    let common: Vec<&str> = first.split(' ').filter(|part| in_all(part)).collect();
    let labels = shapes.iter().map(|shape| {
        let rest: Vec<&str> = shape.split(' ').filter(|part| !common.contains(part)).collect();
        if rest.is_empty() { NOTHING_MORE.to_owned() } else { rest.join(" ") }
    });
    (common.join(" "), labels.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::show::example;

    #[test]
    fn what_all_parents_have_in_common_is_said_once() {
        let (common, labels) = stripped(&["rss=1GiB threads=8", "rss=2GiB threads=8", "threads=8"]);
        assert_eq!(common, "threads=8");
        assert_eq!(labels, ["rss=1GiB", "rss=2GiB", "nothing more"]);
        assert_eq!(stripped(&["empty", "rss=1GiB"]).1, ["empty", "rss=1GiB"]);
    }

    #[test]
    fn few_parents_keep_their_tables() {
        let view = example::view(&example::sweep());
        assert_eq!(Matrix::of(&view.sections).len(), 2);
        assert!(Matrix::of(&view.sections[..3]).is_empty());
    }

    #[test]
    fn what_was_measured_nowhere_is_no_column() {
        let mut summary = example::sweep();
        example::refuse(&mut summary, "pidfd_spawn", "glibc is too old");
        let view = example::view(&summary);
        let matrix = &Matrix::of(&view.sections)[0];
        let names: Vec<&str> = matrix.columns.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["vfork", "posix_spawn", "fork"]);
        assert_eq!(matrix.missing, ["pidfd_spawn: not measured: glibc is too old"]);
    }
}
