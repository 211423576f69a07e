//! From results directories to what a page is made of.

use std::path::Path;

use super::Run;
use crate::analyse::cells::Cells;
use crate::analyse::environments::Environment;
use crate::analyse::summary::Summary;
use crate::record::error::{RecordError, Result};
use crate::record::read::Recorded;
use crate::show::source;

/// What a page tells of a results directory; its pictures are yet to be drawn.
///
/// # Errors
///
/// If a file of it is missing, foreign or garbled.
pub fn read(directory: &Path) -> Result<Run> {
    let cells = Cells::read(directory)?;
    let summary = Summary::of(&cells, None);
    let view = source::of_cells(directory, &cells, &summary, &[])?;
    let environment = match Environment::read(directory) {
        Err(RecordError::Missing { .. }) => Environment::default(),
        other => other?,
    };
    let plan = match Recorded::open(directory)?.plan() {
        Err(RecordError::Missing { .. }) => toml::Table::new(),
        other => other?,
    };
    Ok(Run {
        path: directory.to_string_lossy().into_owned(),
        view,
        summary,
        environment,
        plan,
        gated: None,
        pictures: Vec::new(),
    })
}
