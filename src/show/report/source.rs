//! From results directories to what a page is made of.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::Run;
use crate::analyse::cells::Cells;
use crate::analyse::environments::Environment;
use crate::analyse::groups::{Comparison, Results};
use crate::analyse::summary::Summary;
use crate::record::error::{RecordError, Result};
use crate::record::read::Recorded;
use crate::show::source::{self, gate};
use crate::show::{comparison, plots};

/// Why a page cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// A results directory cannot be read.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// A picture cannot be drawn.
    #[error(transparent)]
    Draw(#[from] plots::PlotError),
}

/// What was read of results directories.
#[derive(Clone, Debug)]
pub struct Read {
    /// What a page tells of each, with its pictures.
    pub runs: Vec<Run>,
    /// What a comparison needs of each; empty of a single one.
    pub results: Vec<Results>,
}

/// Directories beside each other; none where no variant was measured in two of them.
pub fn beside(results: &[Results]) -> Option<comparison::View> {
    let found = Comparison::of(results);
    found.compares().then(|| comparison::View::new(results, &found))
}

/// Reads results directories, in their order, as many at once as there are processors.
///
/// # Errors
///
/// Of the first directory, in their order, of which a file is missing, foreign or garbled; if a
/// picture cannot be drawn.
pub fn read_all(directories: &[PathBuf]) -> std::result::Result<Read, SourceError> {
    let several = directories.len() > 1;
    let next = AtomicUsize::new(0);
    let work = || {
        let mut read = Vec::new();
        loop {
            let place = next.fetch_add(1, Ordering::Relaxed);
            let Some(directory) = directories.get(place) else { return read };
            read.push((place, read_one(directory, several)));
        }
    };
    let processors = thread::available_parallelism().map_or(1, usize::from);
    let mut read: Vec<_> = thread::scope(|scope| {
        let workers: Vec<_> =
            (0..processors.min(directories.len())).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("reading ends")).collect()
    });
    read.sort_by_key(|(place, _)| *place);
    let mut all = Read { runs: Vec::new(), results: Vec::new() };
    for (_, one) in read {
        let (run, results) = one?;
        all.runs.push(run);
        all.results.extend(results);
    }
    Ok(all)
}

/// What a page tells of one, and what a comparison needs of it if there is one.
fn read_one(
    directory: &Path,
    several: bool,
) -> std::result::Result<(Run, Option<Results>), SourceError> {
    let cells = Cells::read(directory)?;
    let mut run = of_cells(directory, &cells)?;
    run.draw()?;
    let name = directory.display().to_string();
    let results = several.then(|| Results::of(&cells, &[], run.environment.clone(), name));
    Ok((run, results))
}

fn of_cells(directory: &Path, cells: &Cells) -> Result<Run> {
    let summary = Summary::of(cells, None);
    let view = source::of_cells(directory, cells, &summary, &[])?;
    let plan = match Recorded::open(directory)?.plan() {
        Err(RecordError::Missing { .. }) => toml::Table::new(),
        other => other?,
    };
    Ok(Run {
        path: directory.to_string_lossy().into_owned(),
        view,
        summary,
        environment: Environment::read(directory)?,
        archive: cells.archive.clone(),
        plan,
        gated: gate::for_page(directory, cells)?,
        pictures: Vec::new(),
    })
}
