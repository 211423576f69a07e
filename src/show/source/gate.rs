//! What the gate of a results directory finds, for `check`, for `validate` and for a page alike.
//!
//! Owns where the confirmation of a check lies. Judges nothing itself: [`Judgement`] does.

use std::path::Path;

use crate::analyse::cells::Cells;
use crate::analyse::environments::{DEBUG_BUILD, is_release_build};
use crate::analyse::judgement::{Judgement, tails_disturbed};
use crate::model::waiver::Waivers;
use crate::record::error::Result;
use crate::record::read;
use crate::show::judgement::Gated;

/// Where what is REGRESSED was measured once more, inside the results directory.
pub const CONFIRMATION: &str = "confirm";

/// What the gate of a results directory finds, and what it rests on.
#[derive(Clone, Debug)]
pub struct Found {
    /// The rows, with their verdicts.
    pub gated: Gated,
    /// The content of `environment.toml`; empty where that cannot be read.
    pub environment: toml::Table,
    /// Why tails cannot be judged; none if they can.
    pub tails_disturbed: Option<String>,
}

/// What the gate of a results directory finds, with what its confirmation says and what waivers let
/// pass; none if it has no gate.
///
/// # Errors
///
/// When a file of it is missing, foreign or garbled.
pub fn judge(directory: &Path, strict: bool, waivers: &Waivers) -> Result<Option<Found>> {
    of_cells(directory, &Cells::read(directory)?, strict, waivers)
}

/// The same of a directory whose samples have been reduced already.
fn of_cells(
    directory: &Path,
    cells: &Cells,
    strict: bool,
    waivers: &Waivers,
) -> Result<Option<Found>> {
    let Some(mut found) = alone(directory, cells, strict, waivers) else { return Ok(None) };
    let again = directory.join(CONFIRMATION);
    if again.is_dir()
        && let Some(again) = alone(&again, &Cells::read(&again)?, strict, waivers)
    {
        found.gated.confirm(&again.gated);
    }
    Ok(Some(found))
}

/// The same for a page, which lets nothing pass and takes nothing from a debug build.
///
/// # Errors
///
/// When a file of its confirmation is missing, foreign or garbled.
pub(in crate::show) fn for_page(directory: &Path, cells: &Cells) -> Result<Option<Gated>> {
    let Some(found) = of_cells(directory, cells, false, &Waivers::none())? else { return Ok(None) };
    let mut gated = found.gated;
    if !is_release_build(&found.environment) {
        gated.refuse(DEBUG_BUILD);
    }
    Ok(Some(gated))
}

/// What it finds without its confirmation.
fn alone(directory: &Path, cells: &Cells, strict: bool, waivers: &Waivers) -> Option<Found> {
    let gate = cells.gate.clone()?;
    let environment = read::environment(directory).unwrap_or_default();
    let tails_disturbed = tails_disturbed(cells, &environment);
    let judgement = Judgement::sparing(cells, &gate, tails_disturbed.as_deref(), waivers);
    let left_out = gate.left_out.iter().map(ToString::to_string).collect();
    let source = directory.display().to_string();
    let mut gated = Gated::new(source, &judgement, &cells.variants, left_out, strict);
    gated.waive(waivers);
    gated.family =
        gated.rows.iter().filter(|row| row.ratio.is_some() && row.waived.is_none()).count();
    Some(Found { gated, environment, tails_disturbed })
}
