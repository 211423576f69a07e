//! When a summary warns, and how far a figure must go for that.
//!
//! Warns of what makes the figures mean something else than they seem to, never of noise as such:
//! a difference must be sure, or large enough to change what a reader would conclude.

use super::cells::Cells;
use super::contrasts::{Bounds, Contrast};
use super::estimate::signed_rank_interval;
use super::summary::{
    CONFIDENCE, Count, CountSource, LaunchMedian, PERF_FAULTS, RUSAGE_FAULTS, Totals, TwinSummary,
    VariantSummary, Warning, first_difference, half_difference, log_medians, mode, reading, spread,
};
use crate::model::interval::Interval;
use crate::model::row::{Outcome, Role, Scope};
use crate::record::rows::LaunchRow;

/// How far apart the medians of fresh parents must lie to be called in disagreement. Those of one
/// shape have a coefficient of variation of 11 % on a shared machine, hence a range of 1.4 in ten.
const DISAGREEMENT: f64 = 1.5;

/// Launch medians of fewer samples than this say nothing of the parent.
const SAMPLES_OF_A_LAUNCH: usize = 4;

/// By how much the halves of a launch must surely differ to be called a drift.
const DRIFT: f64 = 0.05;

/// By how much the first block of a launch must surely differ to call the warm-up too short.
const FIRST_BLOCK: f64 = 0.02;

/// Every warning that the facts call for, weightiest first.
pub(super) fn warnings(
    cells: &Cells,
    variants: &[VariantSummary],
    twins: &[TwinSummary],
    totals: &Totals,
) -> Vec<Warning> {
    let mut warnings = Vec::new();
    if totals.measured == 0 {
        warnings.push(Warning::NothingMeasured);
    }
    let ended_badly = |row: &LaunchRow| row.outcome != Outcome::Done;
    warnings.extend(
        cells
            .launches
            .iter()
            .enumerate()
            .filter(|(_, row)| ended_badly(row))
            .map(|(i, _)| Warning::Launch(i)),
    );
    warnings.extend(
        variants.iter().filter(|variant| variant.failed > 0).map(|variant| Warning::Failed {
            variant: variant.row.variant,
            failed: variant.failed,
        }),
    );
    warnings.extend(
        (0..twins.len())
            .filter(|&twin| differs(&twins[twin], twins.len()))
            .map(Warning::TwinDiffers),
    );
    if totals.launches == 1 {
        warnings.push(Warning::OneLaunch);
    }
    warnings.extend(disagreement(variants));
    warnings.extend(variants.iter().filter_map(|variant| {
        let share = variant.contended.filter(|share| share.part * 10 >= share.whole)?;
        Some(Warning::Contended { variant: variant.row.variant, share })
    }));
    for (index, variant) in variants.iter().enumerate() {
        let launches = log_medians(cells.cell(index, Interval::Blocked));
        let (variant, interval) = (variant.row.variant, Interval::Blocked);
        if let Some(ratio) = surely(&launches, half_difference, DRIFT) {
            warnings.push(Warning::Drift { variant, interval, ratio });
        }
        if let Some(ratio) = surely(&launches, first_difference, FIRST_BLOCK) {
            warnings.push(Warning::ShortWarmup { variant, interval, ratio });
        }
    }
    let from_rusage =
        |count: Option<Count>| count.is_some_and(|count| count.source == CountSource::Rusage);
    if variants.iter().any(|v| from_rusage(v.faults.parent) || from_rusage(v.faults.child)) {
        warnings.push(Warning::FaultsFromRusage);
    }
    for variant in variants {
        for scope in [Scope::Parent, Scope::Child] {
            warnings.extend(counts_disagree(cells, variant.row.variant, scope));
        }
    }
    warnings.extend(cells.losses.torn.iter().map(|&file| Warning::TornLine { file }));
    if totals.uncommitted_rows > 0 {
        warnings.push(Warning::Uncommitted { rows: totals.uncommitted_rows });
    }
    warnings
}

/// Whether a twin differs from its original, at the confidence of the summary for all `checks`
/// together.
fn differs(twin: &TwinSummary, checks: usize) -> bool {
    match twin.ratio {
        Contrast::Shown(ratio) => {
            matches!(ratio.bounds, Bounds::Between { .. })
                && ratio.p * checks as f64 <= 1.0 - CONFIDENCE
        }
        Contrast::NotShown(_) => false,
    }
}

/// The variant whose fresh parents lie furthest apart, if that is far.
fn disagreement(variants: &[VariantSummary]) -> Option<Warning> {
    variants
        .iter()
        .filter(|variant| variant.row.role == Role::Subject)
        .filter_map(|variant| {
            let blocked = variant.interval(Interval::Blocked)?;
            let told: Vec<LaunchMedian> = blocked
                .launch_medians
                .iter()
                .filter(|launch| launch.count >= SAMPLES_OF_A_LAUNCH)
                .copied()
                .collect();
            let spread = spread(&told).filter(|&spread| spread >= DISAGREEMENT)?;
            let slowest = told.iter().max_by(|one, other| one.p50.total_cmp(&other.p50))?.launch;
            let (variant, interval) = (variant.row.variant, Interval::Blocked);
            Some((spread, Warning::ParentsDisagree { variant, interval, spread, slowest }))
        })
        .max_by(|(one, _), (other, _)| one.total_cmp(other))
        .map(|(_, warning)| warning)
}

/// A difference within launches as a ratio, if its interval over launches lies wholly beyond
/// `margin` on one side.
fn surely(launches: &[Vec<f64>], of: fn(&[f64]) -> Option<f64>, margin: f64) -> Option<f64> {
    let differences: Vec<f64> = launches.iter().filter_map(|blocks| of(blocks)).collect();
    let located = signed_rank_interval(&differences, CONFIDENCE)?;
    let margin = margin.ln_1p();
    (located.low > margin || located.high < -margin).then(|| located.value.exp())
}

/// Faults at the spawn as perf_event and getrusage have them. Known: getrusage has one more per
/// exec, the page of the arguments.
fn counts_disagree(cells: &Cells, variant: u32, scope: Scope) -> Option<Warning> {
    let perf = mode(reading(cells, variant, PERF_FAULTS, scope, "spawn")?);
    let rusage = mode(reading(cells, variant, RUSAGE_FAULTS, scope, "spawn")?);
    let slack = perf / 50;
    let agree = (perf.saturating_sub(slack)..=perf.saturating_add(slack + 1)).contains(&rusage);
    (!agree).then_some(Warning::CountsDisagree { variant, scope, perf, rusage })
}
