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
use crate::model::setup::Workload;
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
    // Each variant of workload=hazard has a parent to itself, and its batch is the unit.
    let counts_children = |v: &VariantSummary| v.row.workload == Workload::Hazard.word();
    if totals.launches == 1 && !variants.iter().all(counts_children) {
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
/// exec, the page of the arguments, and each further page of strings; and perf_event may have one more in the parent, a page of the
/// stack on which the counters are read, which a birth has write-protected.
fn counts_disagree(cells: &Cells, variant: u32, scope: Scope) -> Option<Warning> {
    let perf = mode(reading(cells, variant, PERF_FAULTS, scope, "spawn")?);
    let rusage = mode(reading(cells, variant, RUSAGE_FAULTS, scope, "spawn")?);
    let slack = perf / 50;
    let stack = u64::from(scope == Scope::Parent);
    let least = perf.saturating_sub(slack + stack);
    let most = perf.saturating_add(slack + 1 + string_pages(cells, variant));
    let agree = (least..=most).contains(&rusage);
    (!agree).then_some(Warning::CountsDisagree { variant, scope, perf, rusage })
}

/// Pages that the strings of a variant's exec fill beyond the first, each of which getrusage counts.
fn string_pages(cells: &Cells, variant: u32) -> u64 {
    let place = cells.variants.iter().position(|row| row.variant == variant);
    let setup = place.and_then(|place| cells.setups.get(place)?.as_ref());
    setup.map_or(0, |setup| {
        (setup.work.env_bytes.bytes() + setup.work.args_bytes.bytes()).div_ceil(4096)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyse::fixture::Run;
    use crate::analyse::summary::{Share, Summary};
    use crate::record::fixture;
    use crate::record::rows::{ReadingRow, SampleRow};

    /// Eight launches of four blocks of fork (0), vfork (1) and its twin (2), whose blocked time
    /// in ns is what `of` says for (launch, block, variant).
    fn run(of: impl Fn(u32, u32, u32) -> u64) -> Run {
        let mut run = Run {
            variants: vec![
                fixture::variant(0, Role::Subject, "empty", "fork"),
                fixture::variant(1, Role::Subject, "empty", "vfork"),
                fixture::variant(2, Role::Twin, "empty", "vfork"),
            ],
            ..Run::default()
        };
        for launch in 1..=8 {
            for block in 0..4 {
                let samples: Vec<SampleRow> = (0..12)
                    .map(|index| (index % 3, of(launch, block, index % 3)))
                    .map(|(variant, ns)| fixture::sample(launch, block, variant, ns))
                    .collect();
                run.blocks.push((fixture::block(launch, block), samples, vec![]));
            }
            run.launches.push(fixture::launch(launch, 0, "empty"));
        }
        run
    }

    /// Scatter of a thousandth that no seed is needed for.
    fn scatter(launch: u32, block: u32, variant: u32) -> u64 {
        u64::from((launch * 31 + block * 17 + variant * 7) % 11) * 10
    }

    fn warnings_of(run: &Run) -> Vec<Warning> {
        Summary::of(&run.cells(), None).warnings
    }

    #[test]
    fn a_quiet_run_has_no_warning() {
        assert_eq!(warnings_of(&run(|l, b, v| 100_000 + scatter(l, b, v))), []);
    }

    #[test]
    fn noise_is_no_warning() {
        let noisy = run(|l, b, v| 100_000 + 200 * scatter(l, b, v));
        assert_eq!(warnings_of(&noisy), []);
    }

    #[test]
    fn subjects_that_ended_badly_and_failed_spawns_are_told() {
        let mut run = run(|l, b, v| 100_000 + scatter(l, b, v));
        run.launches[3].outcome = Outcome::Stuck;
        run.blocks[5].1[0].status = 9;
        let expected = [Warning::Launch(3), Warning::Failed { variant: 0, failed: 1 }];
        assert_eq!(warnings_of(&run), expected);
    }

    #[test]
    fn a_twin_that_differs_is_told() {
        let run = run(|l, b, v| 100_000 + scatter(l, b, v) + if v == 2 { 5_000 } else { 0 });
        assert_eq!(warnings_of(&run), [Warning::TwinDiffers(0), Warning::TwinDiffers(1)]);
    }

    #[test]
    fn parents_that_disagree_are_told_once_by_the_widest() {
        let run = run(|l, b, v| match (l, v) {
            (6, 0) => 230_000,
            (6, _) => 160_000,
            _ => 100_000 + scatter(l, b, v),
        });
        let warnings = warnings_of(&run);
        let [Warning::ParentsDisagree { variant: 0, interval, spread, slowest: 6 }] = warnings[..]
        else {
            panic!("{warnings:?}")
        };
        assert_eq!(interval, Interval::Blocked);
        assert!((spread - 2.3).abs() < 0.01);
    }

    #[test]
    fn contention_in_a_tenth_of_the_samples_is_told() {
        let mut run = run(|l, b, v| 100_000 + scatter(l, b, v));
        let forks = |run: &mut Run, count| {
            let samples = run.blocks.iter_mut().flat_map(|block| &mut block.1);
            for sample in samples.filter(|sample| sample.variant == 0).take(count) {
                sample.blocked_cpu_ns = Some(10_000);
            }
        };
        forks(&mut run, 12);
        assert_eq!(warnings_of(&run), []);
        forks(&mut run, 13);
        let share = Share { part: 13, whole: 128 };
        assert_eq!(warnings_of(&run), [Warning::Contended { variant: 0, share }]);
    }

    #[test]
    fn drift_and_a_slow_first_block_are_told_when_they_are_sure() {
        let drifting = run(|l, b, v| {
            let slower = if v == 0 && b >= 2 { 10_000 } else { 0 };
            100_000 + slower + scatter(l, b, v)
        });
        let warnings = warnings_of(&drifting);
        let [Warning::Drift { variant: 0, ratio, .. }, Warning::ShortWarmup { variant: 0, .. }] =
            warnings[..]
        else {
            panic!("{warnings:?}")
        };
        assert!((ratio - 1.1).abs() < 0.01);

        let cold = run(|l, b, v| {
            let slower = if v == 1 && b == 0 { 6_000 } else { 0 };
            100_000 + slower + scatter(l, b, v)
        });
        let warnings = warnings_of(&cold);
        assert!(
            warnings.iter().any(|warning| matches!(
                warning,
                Warning::ShortWarmup { variant: 1, ratio, .. } if (ratio - 1.06).abs() < 0.01
            )),
            "{warnings:?}"
        );
    }

    #[test]
    fn counts_that_disagree_beyond_the_page_of_the_arguments_are_told() {
        for (perf, rusage, told) in
            [(60, 60, false), (60, 61, false), (60, 64, true), (60, 58, true), (5000, 5090, false)]
        {
            let mut run = run(|l, b, v| 100_000 + scatter(l, b, v));
            let counted = fixture::faults(1, 0, 1, Scope::Child, rusage, 1);
            run.blocks[0].2 = vec![
                fixture::faults(1, 0, 1, Scope::Child, perf, 1),
                ReadingRow { reading: "rusage_minor_faults".to_string(), ..counted },
            ];
            let warning = Warning::CountsDisagree { variant: 1, scope: Scope::Child, perf, rusage };
            let expected: Vec<Warning> = told.then_some(warning).into_iter().collect();
            assert_eq!(warnings_of(&run), expected, "{perf} {rusage}");
        }
    }

    #[test]
    fn what_was_dropped_while_reading_is_told() {
        let mut cells = run(|l, b, v| 100_000 + scatter(l, b, v)).cells();
        cells.losses.torn.push("samples.csv");
        cells.losses.uncommitted_rows = 7;
        let expected =
            [Warning::TornLine { file: "samples.csv" }, Warning::Uncommitted { rows: 7 }];
        assert_eq!(Summary::of(&cells, None).warnings, expected);
    }
}
