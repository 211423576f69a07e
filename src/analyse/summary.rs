//! What one run says, as plain data: all that the first screen of `run` and `show` needs.
//!
//! Puts no number into words and leaves out nothing for its looks: what is worth a line is for
//! `show` to decide.

use std::collections::{BTreeMap, BTreeSet};

use super::cells::{BlockQuantiles, Cell, Cells, Reading};
use super::columns::{ColumnSummary, columns};
use super::contrasts::{Contrast, compare, contrast};
use super::estimate::{hodges_lehmann, median};
use super::findings::{Compared, Finding};
use super::hazards::Trial;
use super::laws::Law;
use super::places;
use super::quantiles::{Figure, quantile};
use super::shifts::Shift;
use super::warnings::warnings;
use crate::model::interval::Interval;
use crate::model::knob;
use crate::model::row::{BlockKind, Role, Scope};
use crate::model::scenario::Scenario;
use crate::model::setup::Workload;
use crate::record::rows::{EventRow, LaunchRow, VariantRow};

/// What one run says.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// The label or mechanism that variants are compared with whose scenario names no contrast; none
    /// if the run has no such.
    pub vs: Option<String>,
    /// Confidence of every interval in here: 0.95.
    pub confidence: f64,
    /// One for each row of `variants.csv`, in its order.
    pub variants: Vec<VariantSummary>,
    /// The A/A check: each twin against its original.
    pub twins: Vec<TwinSummary>,
    /// The tool's own cost: the reaped interval of the control, p50; none without a control.
    pub own_cost: Option<Figure>,
    /// What was asked of each parent and what was seen of it.
    pub shapes: Vec<ShapeSummary>,
    /// `launches.csv`, as it stands.
    pub launches: Vec<LaunchRow>,
    /// `events.csv`, as it stands.
    pub events: Vec<EventRow>,
    /// The scenarios as they were planned.
    pub scenarios: Vec<Scenario>,
    /// How each median grows along each axis of numbers.
    pub laws: Vec<Law>,
    /// What is found of each claim.
    pub findings: Vec<Finding>,
    /// Published figures beside those measured here.
    pub published: Vec<Compared>,
    /// What became of the children of workload=hazard.
    pub hazards: Vec<Trial>,
    /// By how much the sides of a check differ along their distributions; empty of a run that is
    /// none.
    pub shifts: Vec<Shift>,
    /// How much there is of everything.
    pub totals: Totals,
    /// What a reader should know before trusting the rest, weightiest first.
    pub warnings: Vec<Warning>,
}

/// What one variant says.
#[derive(Clone, Debug, PartialEq)]
pub struct VariantSummary {
    /// Its row of `variants.csv`.
    pub row: VariantRow,
    /// The intervals that have samples, in the order of [`Interval::ALL`]; those that the
    /// mechanism has no stamp for are absent.
    pub intervals: Vec<IntervalSummary>,
    /// The variant of the same setup in an empty parent; none if there is none, or if this is it.
    pub empty: Option<u32>,
    /// The variant it is compared with: the contrast of its scenario, which may have another parent,
    /// or `--vs`, in the same shape; none if that is itself.
    pub versus: Option<u32>,
    /// What stands in the columns of its workload; empty where that shows the intervals of a spawn.
    pub columns: Vec<ColumnSummary>,
    /// Samples that its statistics are made of: of the interval that has the most or, where there is
    /// none, of the length.
    pub samples: usize,
    /// Page faults per spawn.
    pub faults: Faults,
    /// Every counted fact of it, in the order of `readings.csv`.
    pub readings: Vec<ReadingSummary>,
    /// Samples whose wall time exceeds their CPU time by a fifth; only for a variant that copies
    /// page tables, where the caller has no reason to wait.
    pub contended: Option<Share>,
    /// Samples that failed (a status other than 0), in whatever block; outside all statistics.
    pub failed: usize,
}

/// What one interval of one variant says. Times are in nanoseconds.
#[derive(Clone, Debug, PartialEq)]
pub struct IntervalSummary {
    /// Which interval.
    pub interval: Interval,
    /// Samples that the statistics are made of.
    pub count: usize,
    /// Shortest of them; none where `count` is 0 (then there is only a cold figure).
    pub min: Option<u64>,
    /// Longest of them.
    pub max: Option<u64>,
    /// Median.
    pub p50: Figure,
    /// 90th percentile.
    pub p90: Figure,
    /// 95th percentile.
    pub p95: Figure,
    /// 99th percentile.
    pub p99: Figure,
    /// Median of the cold samples: the first spawn after the caches were scrubbed; none if the
    /// run has no such sample.
    pub cold_p50: Option<Figure>,
    /// Median of the same setup in an empty parent; none if the run has none.
    pub if_empty_p50: Option<Figure>,
    /// How many times as long as [`VariantSummary::versus`], at the median; none without one.
    pub versus_p50: Option<Contrast>,
    /// The same at the 95th percentile.
    pub versus_p95: Option<Contrast>,
    /// The median in each launch, that is in each fresh parent, in the order of the launches.
    pub launch_medians: Vec<LaunchMedian>,
    /// The median of each block, in the order of launch and block, which is that of time.
    pub block_medians: Vec<BlockMedian>,
    /// Largest of the launch medians / smallest; none with fewer than two launches or a zero.
    pub launch_spread: Option<f64>,
    /// How steady it is within a launch.
    pub steadiness: Steadiness,
}

/// The median of one interval of one variant in one launch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LaunchMedian {
    /// Number of the launch.
    pub launch: u32,
    /// Median, in nanoseconds.
    pub p50: f64,
    /// Samples that it is the median of.
    pub count: usize,
}

/// The median of one interval of one variant in one block.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BlockMedian {
    /// Number of the launch.
    pub launch: u32,
    /// Number of the block.
    pub block: u32,
    /// Median, in nanoseconds.
    pub p50: f64,
}

/// How steady an interval is within a launch; each is none where there are too few blocks to say.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Steadiness {
    /// Second half of a launch / first half, by the medians of their blocks; Hodges-Lehmann over
    /// launches.
    pub drift: Option<f64>,
    /// Correlation of the log medians of neighbouring blocks, launch means taken out.
    pub lag1: Option<f64>,
    /// First block of a launch / median of its other blocks, Hodges-Lehmann over launches: far
    /// from 1 if the warm-up was too short.
    pub first_block: Option<f64>,
    /// Median of the warm-up samples / median of the measured ones.
    pub warmup: Option<f64>,
}

/// Page faults per spawn, minor only, as perf_event or getrusage counted them.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Faults {
    /// Minor faults of the parent from the call until it has reaped the child.
    pub parent: Option<Count>,
    /// Minor faults of the parent as it writes its memory again.
    pub rewrite: Option<Count>,
    /// Minor faults of the child.
    pub child: Option<Count>,
}

/// A count per spawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Count {
    /// The value most spawns read (the smallest of several).
    pub mode: u64,
    /// Mean over all spawns.
    pub mean: f64,
    /// Spawns counted.
    pub spawns: u64,
    /// Who counted.
    pub source: CountSource,
}

/// Who counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CountSource {
    /// perf_event.
    Perf,
    /// getrusage, where perf_event is not to be had: one more per exec (the argument page).
    Rusage,
}

/// A counted fact of one variant.
#[derive(Clone, Debug, PartialEq)]
pub struct ReadingSummary {
    /// Its name: `minor_faults`.
    pub reading: String,
    /// Whose events.
    pub scope: Scope,
    /// When it was read: `spawn`, `rewrite`.
    pub at: String,
    /// The value most spawns read (the smallest of several).
    pub mode: u64,
    /// Mean over all spawns.
    pub mean: f64,
    /// Spawns counted.
    pub spawns: u64,
}

/// The A/A check: a twin against its original, which are the same setup.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TwinSummary {
    /// The twin.
    pub twin: u32,
    /// Its original.
    pub original: u32,
    /// The interval compared.
    pub interval: Interval,
    /// Twin / original, at the median.
    pub ratio: Contrast,
}

/// One property of one parent: asked, and seen.
#[derive(Clone, Debug, PartialEq)]
pub struct ShapeSummary {
    /// Number of the launch.
    pub launch: u32,
    /// Canonical label of the shape; empty if the directory does not say whose reading it is.
    pub shape: String,
    /// Name of the reading: `rss_bytes`.
    pub reading: String,
    /// What was seen before it took its shape, which comes on top of what is asked for.
    pub base: Option<u64>,
    /// What was asked for; none if nothing was.
    pub asked: Option<u64>,
    /// What was seen once the parent had taken its shape.
    pub setup: Option<u64>,
    /// Smallest and largest that was seen after its blocks.
    pub blocks: Option<(u64, u64)>,
}

/// So many of so many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// Those that are.
    pub part: usize,
    /// All.
    pub whole: usize,
}

/// How much there is of everything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Rows of `samples.csv` in committed blocks.
    pub samples: usize,
    /// Those of them that statistics are made of.
    pub measured: usize,
    /// Committed blocks that were timed.
    pub time_blocks: usize,
    /// Committed blocks that were counted.
    pub count_blocks: usize,
    /// Launches with at least one committed timed block.
    pub launches: usize,
    /// Rows dropped because their block has no row in `blocks.csv`.
    pub uncommitted_rows: usize,
}

/// What a reader should know before trusting the rest.
#[derive(Clone, Debug, PartialEq)]
pub enum Warning {
    /// No time block was committed: there is nothing to show.
    NothingMeasured,
    /// A subject did not do its whole job, or not in the shape asked for (index into `launches`).
    Launch(usize),
    /// Spawns failed.
    Failed {
        /// The variant.
        variant: u32,
        /// Failed samples.
        failed: usize,
    },
    /// The interval of the A/A check does not contain 1 (index into `twins`): nothing here can be
    /// trusted to its width.
    TwinDiffers(usize),
    /// The medians of fresh parents of one shape lie far apart.
    ParentsDisagree {
        /// The variant with the widest spread.
        variant: u32,
        /// The interval.
        interval: Interval,
        /// Largest launch median / smallest.
        spread: f64,
        /// The launch with the largest.
        slowest: u32,
    },
    /// Wall time exceeds CPU time by a fifth in a tenth of the samples: something else had the CPU.
    Contended {
        /// The variant.
        variant: u32,
        /// Its share.
        share: Share,
    },
    /// The second half of a launch is not like the first.
    Drift {
        /// The variant.
        variant: u32,
        /// The interval.
        interval: Interval,
        /// Second half / first half.
        ratio: f64,
    },
    /// The first block of a launch is not like the others: the warm-up was too short.
    ShortWarmup {
        /// The variant.
        variant: u32,
        /// The interval.
        interval: Interval,
        /// First block / others.
        ratio: f64,
    },
    /// perf_event was not to be had: faults are from getrusage.
    FaultsFromRusage,
    /// perf_event and getrusage disagree on page faults beyond what is known of them.
    CountsDisagree {
        /// The variant.
        variant: u32,
        /// Whose faults.
        scope: Scope,
        /// What most spawns have by perf_event.
        perf: u64,
        /// What most spawns have by getrusage.
        rusage: u64,
    },
    /// All blocks are from one launch: nothing is known of how parents differ.
    OneLaunch,
    /// The last line of a file was torn and has been dropped.
    TornLine {
        /// Name of the file.
        file: &'static str,
    },
    /// Rows were dropped because their block has no row in `blocks.csv`.
    Uncommitted {
        /// Rows dropped.
        rows: usize,
    },
}

pub use super::estimate::CONFIDENCE;

impl Summary {
    /// Says what a run says. `vs` is the label or mechanism to compare with. Without it, a variant
    /// is compared with what its scenario names as the contrast; where that names nothing, with
    /// what the plan names, or else posix_spawn, or else the first variant that was asked for.
    pub fn of(cells: &Cells, vs: Option<&str>) -> Summary {
        let given = vs.is_some();
        let vs = reference_name(cells, vs);
        let versus = |index: usize| {
            let row = &cells.variants[index];
            let by_name = || versus_of(&cells.variants, row, vs.as_deref()?);
            if given { by_name() } else { contrast_of(cells, index).unwrap_or_else(by_name) }
        };
        let twins = twins(cells);
        let mut variants: Vec<VariantSummary> =
            (0..cells.variants.len()).map(|index| variant(cells, index, versus(index))).collect();
        let medians: BTreeMap<(u32, Interval), Figure> = variants
            .iter()
            .flat_map(|variant| {
                variant.intervals.iter().map(|i| ((variant.row.variant, i.interval), i.p50))
            })
            .collect();
        for variant in &mut variants {
            for interval in &mut variant.intervals {
                interval.if_empty_p50 = variant
                    .empty
                    .and_then(|empty| medians.get(&(empty, interval.interval)).copied());
            }
        }
        let own_cost = variants
            .iter()
            .filter(|variant| variant.row.role == Role::Control && is_spawn(&variant.row))
            .find_map(|variant| Some(variant.interval(Interval::Reaped)?.p50));
        let totals = totals(cells);
        let warnings = warnings(cells, &variants, &twins, &totals);
        let laws = Law::all(cells);
        Summary {
            vs,
            confidence: CONFIDENCE,
            variants,
            twins,
            own_cost,
            shapes: shapes(cells),
            scenarios: cells.scenarios.clone(),
            findings: Finding::all(cells),
            published: Compared::all(cells, &laws),
            laws,
            hazards: Trial::all(cells),
            shifts: Shift::of_gate(cells),
            launches: cells.launches.clone(),
            events: cells.events.clone(),
            totals,
            warnings,
        }
    }

    /// The variant of that number.
    pub fn variant(&self, variant: u32) -> Option<&VariantSummary> {
        self.variants.iter().find(|candidate| candidate.row.variant == variant)
    }
}

impl VariantSummary {
    /// What that interval says; none if it has no samples.
    pub fn interval(&self, interval: Interval) -> Option<&IntervalSummary> {
        self.intervals.iter().find(|candidate| candidate.interval == interval)
    }
}

/// Whether a turn spawns and does nothing else: then the control is what the tool costs.
fn is_spawn(row: &VariantRow) -> bool {
    row.workload == Workload::Spawn.word()
}

/// What the others are compared with.
fn reference_name(cells: &Cells, vs: Option<&str>) -> Option<String> {
    if let Some(name) = vs.or(cells.vs.as_deref()) {
        return Some(name.to_string());
    }
    let asked = || cells.variants.iter().filter(|row| row.role == Role::Subject);
    asked()
        .find(|row| row.mechanism == "posix_spawn")
        .or_else(|| asked().next())
        .map(|row| row.mechanism.clone())
}

fn variant(cells: &Cells, index: usize, versus: Option<usize>) -> VariantSummary {
    let row = cells.variants[index].clone();
    let intervals = Interval::ALL
        .into_iter()
        .filter_map(|interval| {
            let other = versus.map(|versus| cells.cell(versus, interval));
            interval_summary(cells.cell(index, interval), interval, other)
        })
        .collect();
    let facts = cells.facts[index];
    VariantSummary {
        intervals,
        empty: empty_of(&cells.variants, &row),
        versus: versus.map(|versus| cells.variants[versus].variant),
        columns: columns(cells, index, versus),
        samples: cells.most_samples(index),
        faults: faults(cells, row.variant),
        readings: cells
            .readings
            .iter()
            .filter(|reading| reading.variant == row.variant)
            .map(|reading| ReadingSummary {
                reading: reading.reading.clone(),
                scope: reading.scope,
                at: reading.at.clone(),
                mode: mode(reading),
                mean: mean(reading),
                spawns: reading.spawns,
            })
            .collect(),
        contended: row
            .copies_pages
            .then_some(Share { part: facts.contended, whole: facts.clocked })
            .filter(|share| share.whole > 0),
        failed: facts.failed,
        row,
    }
}

/// None if the interval has neither measured nor cold samples.
fn interval_summary(
    cell: &Cell,
    interval: Interval,
    other: Option<&Cell>,
) -> Option<IntervalSummary> {
    if cell.count() == 0 && cell.cold().is_empty() {
        return None;
    }
    let launch_medians = launch_medians(cell);
    let pooled = cell.pooled();
    let figure = |q| Figure::of(&pooled, q, CONFIDENCE);
    let against = |q| other.map(|other| compare(cell, other, q));
    Some(IntervalSummary {
        interval,
        count: cell.count(),
        min: (cell.count() > 0).then(|| pooled.get(0)),
        max: cell.count().checked_sub(1).map(|last| pooled.get(last)),
        p50: figure(0.5),
        p90: figure(0.9),
        p95: figure(0.95),
        p99: figure(0.99),
        cold_p50: (!cell.cold().is_empty()).then(|| Figure::of(cell.cold(), 0.5, CONFIDENCE)),
        if_empty_p50: None,
        versus_p50: against(0.5),
        versus_p95: against(0.95),
        launch_spread: spread(&launch_medians),
        launch_medians,
        block_medians: block_medians(cell),
        steadiness: steadiness(cell, quantile(&pooled, 0.5)),
    })
}

fn launch_medians(cell: &Cell) -> Vec<LaunchMedian> {
    cell.by_launch()
        .filter_map(|(launch, values)| {
            let p50 = quantile(&values, 0.5)?;
            Some(LaunchMedian { launch, p50, count: values.len() })
        })
        .collect()
}

fn block_medians(cell: &Cell) -> Vec<BlockMedian> {
    let median = |block: BlockQuantiles| BlockMedian {
        launch: block.launch,
        block: block.block,
        p50: block.p50,
    };
    cell.blocks().map(median).collect()
}

pub(super) fn spread(medians: &[LaunchMedian]) -> Option<f64> {
    let smallest = medians.iter().map(|median| median.p50).min_by(f64::total_cmp)?;
    let largest = medians.iter().map(|median| median.p50).max_by(f64::total_cmp)?;
    (medians.len() > 1 && smallest > 0.0).then(|| largest / smallest)
}

fn steadiness(cell: &Cell, p50: Option<f64>) -> Steadiness {
    let launches = log_medians(cell);
    let over_launches = |of: fn(&[f64]) -> Option<f64>| {
        let logs: Vec<f64> = launches.iter().filter_map(|blocks| of(blocks)).collect();
        hodges_lehmann(&logs).map(f64::exp)
    };
    let warmup = quantile(cell.warmup(), 0.5);
    Steadiness {
        drift: over_launches(half_difference),
        lag1: lag1(&launches),
        first_block: over_launches(first_difference),
        warmup: warmup.zip(p50).filter(|&(_, p50)| p50 > 0.0).map(|(warmup, p50)| warmup / p50),
    }
}

/// The logs of the block medians of each launch. Blocks with a median of 0 have none.
pub(super) fn log_medians(cell: &Cell) -> Vec<Vec<f64>> {
    let blocks: Vec<(u32, f64)> = cell
        .blocks()
        .filter(|block| block.p50 > 0.0)
        .map(|block| (block.launch, block.p50.ln()))
        .collect();
    blocks
        .chunk_by(|one, next| one.0 == next.0)
        .map(|blocks| blocks.iter().map(|&(_, log)| log).collect())
        .collect()
}

/// Second half of a launch against the first; of an odd number of blocks the middle one is in
/// neither.
pub(super) fn half_difference(blocks: &[f64]) -> Option<f64> {
    let half = blocks.len() / 2;
    Some(median(&blocks[blocks.len() - half..])? - median(&blocks[..half])?)
}

/// First block of a launch against the others.
pub(super) fn first_difference(blocks: &[f64]) -> Option<f64> {
    let (first, others) = blocks.split_first()?;
    Some(first - median(others)?)
}

/// Correlation of neighbouring blocks, from at least 8 pairs of them.
fn lag1(launches: &[Vec<f64>]) -> Option<f64> {
    let (mut together, mut alone, mut pairs) = (0.0, 0.0, 0);
    for blocks in launches {
        let mean = blocks.iter().sum::<f64>() / blocks.len() as f64;
        together += blocks.windows(2).map(|two| (two[0] - mean) * (two[1] - mean)).sum::<f64>();
        alone += blocks.iter().map(|block| (block - mean).powi(2)).sum::<f64>();
        pairs += blocks.len() - 1;
    }
    (pairs >= 8 && alone > 0.0).then(|| together / alone)
}

/// The settings of a variant, those left out that its parent's shape or its mechanism are made of.
fn settings_but(row: &VariantRow, left_out: impl Fn(&str) -> bool) -> BTreeSet<&str> {
    row.settings.split(';').filter(|setting| !setting.is_empty() && !left_out(setting)).collect()
}

/// The variant of the same setup in an empty parent, if that is another one.
fn empty_of(variants: &[VariantRow], row: &VariantRow) -> Option<u32> {
    let own: BTreeSet<&str> = row.shape.split(' ').collect();
    let wanted = settings_but(row, |setting| own.contains(setting));
    variants
        .iter()
        .filter(|other| other.shape == "empty" && row.shape != "empty" && other.role != Role::Twin)
        .find(|other| {
            (&other.mechanism, &other.image, &other.workload)
                == (&row.mechanism, &row.image, &row.workload)
                && settings_but(other, |_| false) == wanted
        })
        .map(|other| other.variant)
}

/// Place of the variant that `row` is compared with: named `vs`, in the same shape, and of these
/// the one with the most settings in common.
fn versus_of(variants: &[VariantRow], row: &VariantRow, vs: &str) -> Option<usize> {
    let own = settings_but(row, |_| false);
    let named = |other: &VariantRow| other.label == vs || other.mechanism == vs;
    variants
        .iter()
        .enumerate()
        .filter(|(_, other)| named(other) && other.shape == row.shape && other.role != Role::Twin)
        .max_by_key(|(index, other)| {
            let alike = settings_but(other, |_| false).intersection(&own).count();
            (other.image == row.image, alike, std::cmp::Reverse(*index))
        })
        .filter(|(_, other)| other.variant != row.variant)
        .map(|(index, _)| index)
}

/// Place of the variant that the scenario of a variant names as the contrast: the one with these
/// settings and else the same. None inside if there is no such, or if it is itself; none at all if
/// the scenario names nothing.
fn contrast_of(cells: &Cells, index: usize) -> Option<Option<usize>> {
    let row = &cells.variants[index];
    let scenario = cells.scenarios.iter().find(|scenario| scenario.name == row.scenario)?;
    if scenario.contrast.0.is_empty() {
        return None;
    }
    let mut setup = cells.setups[index].clone()?;
    for setting in &scenario.contrast.0 {
        (knob::find(&setting.knob)?.set)(&mut setup, &setting.value).ok()?;
    }
    let other = places::variant(cells, &setup);
    Some(other.filter(|other| cells.variants[*other].variant != row.variant))
}

fn twins(cells: &Cells) -> Vec<TwinSummary> {
    let variants = &cells.variants;
    let same = |one: &VariantRow, other: &VariantRow| {
        one.role == Role::Subject
            && (&one.shape, &one.mechanism, &one.image, &one.workload, &one.settings)
                == (&other.shape, &other.mechanism, &other.image, &other.workload, &other.settings)
    };
    let mut twins = Vec::new();
    for (index, twin) in variants.iter().enumerate().filter(|(_, row)| row.role == Role::Twin) {
        let Some(original) = variants.iter().position(|row| same(row, twin)) else { continue };
        for interval in [Interval::Blocked, Interval::Reaped] {
            let (this, other) = (cells.cell(index, interval), cells.cell(original, interval));
            if this.count() > 0 && other.count() > 0 {
                twins.push(TwinSummary {
                    twin: twin.variant,
                    original: variants[original].variant,
                    interval,
                    ratio: contrast(this, other, 0.5, CONFIDENCE),
                });
            }
        }
    }
    twins
}

pub(super) const PERF_FAULTS: &str = "minor_faults";
pub(super) const RUSAGE_FAULTS: &str = "rusage_minor_faults";

fn faults(cells: &Cells, variant: u32) -> Faults {
    let count = |scope, at| {
        let counted = |name, source| {
            reading(cells, variant, name, scope, at).map(|reading| Count {
                mode: mode(reading),
                mean: mean(reading),
                spawns: reading.spawns,
                source,
            })
        };
        counted(PERF_FAULTS, CountSource::Perf)
            .or_else(|| counted(RUSAGE_FAULTS, CountSource::Rusage))
    };
    Faults {
        parent: count(Scope::Parent, "spawn"),
        rewrite: count(Scope::Parent, "rewrite"),
        child: count(Scope::Child, "spawn"),
    }
}

pub(super) fn reading<'a>(
    cells: &'a Cells,
    variant: u32,
    name: &str,
    scope: Scope,
    at: &str,
) -> Option<&'a Reading> {
    cells.readings.iter().find(|reading| {
        (reading.variant, reading.reading.as_str(), reading.scope, reading.at.as_str())
            == (variant, name, scope, at)
    })
}

/// The value that most spawns read; of several, the smallest.
pub(super) fn mode(reading: &Reading) -> u64 {
    let mut spawns_of: BTreeMap<u64, u64> = BTreeMap::new();
    for (&value, &spawns) in reading.launches.values().flatten() {
        *spawns_of.entry(value).or_default() += spawns;
    }
    spawns_of.into_iter().rev().max_by_key(|&(_, spawns)| spawns).map_or(0, |(value, _)| value)
}

fn mean(reading: &Reading) -> f64 {
    reading.total as f64 / reading.spawns as f64
}

fn shapes(cells: &Cells) -> Vec<ShapeSummary> {
    let mut shapes: Vec<ShapeSummary> = Vec::new();
    for (shape, row) in &cells.seen {
        let known = shapes.iter().position(|known| {
            (known.launch, &known.shape, &known.reading) == (row.launch, shape, &row.reading)
        });
        let place = known.unwrap_or_else(|| {
            shapes.push(ShapeSummary {
                launch: row.launch,
                shape: shape.clone(),
                reading: row.reading.clone(),
                base: None,
                asked: None,
                setup: None,
                blocks: None,
            });
            shapes.len() - 1
        });
        let known = &mut shapes[place];
        match row.at.as_str() {
            "base" => known.base = Some(row.value),
            "asked" => known.asked = Some(row.value),
            "setup" => known.setup = Some(row.value),
            _ => {
                let (low, high) = known.blocks.unwrap_or((row.value, row.value));
                known.blocks = Some((low.min(row.value), high.max(row.value)));
            }
        }
    }
    shapes
}

fn totals(cells: &Cells) -> Totals {
    let of_kind = |kind| cells.blocks.iter().filter(move |block| block.kind == kind);
    Totals {
        samples: cells.samples,
        measured: cells.eligible,
        time_blocks: of_kind(BlockKind::Time).count(),
        count_blocks: of_kind(BlockKind::Count).count(),
        launches: of_kind(BlockKind::Time)
            .map(|block| block.launch)
            .collect::<BTreeSet<u32>>()
            .len(),
        uncommitted_rows: cells.losses.uncommitted_rows,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyse::contrasts::Unit;
    use crate::analyse::fixture::{Run, scenario, simulated};
    use crate::record::fixture;
    use crate::record::rows::{BlockRow, ReadingRow, SampleRow};

    const FORK: u32 = 0;
    const SPAWN: u32 = 1;
    const NONE: u32 = 2;
    const TWIN: u32 = 3;
    const EMPTY_FORK: u32 = 4;
    const EMPTY_SPAWN: u32 = 5;

    /// Three launches of four blocks: fork takes 2,400 in 1 GiB and 50 in nothing, posix_spawn 100.
    fn run() -> Run {
        let shape = "rss=1GiB";
        let mut run = Run {
            variants: vec![
                fixture::variant(FORK, Role::Subject, shape, "fork"),
                fixture::variant(SPAWN, Role::Subject, shape, "posix_spawn"),
                fixture::variant(NONE, Role::Control, shape, "none"),
                fixture::variant(TWIN, Role::Twin, shape, "posix_spawn"),
                fixture::variant(EMPTY_FORK, Role::Reference, "empty", "fork"),
                fixture::variant(EMPTY_SPAWN, Role::Reference, "empty", "posix_spawn"),
            ],
            ..Run::default()
        };
        for launch in 1..=3 {
            for block in 0..4 {
                let full = [(FORK, 2400), (SPAWN, 100), (NONE, 1), (TWIN, 100)];
                let empty = [(EMPTY_FORK, 50), (EMPTY_SPAWN, 90)];
                for (number, variants) in
                    [(2 * block, full.as_slice()), (2 * block + 1, empty.as_slice())]
                {
                    let mut samples = Vec::new();
                    for &(variant, blocked) in variants {
                        for noise in [0, 1, 0, 1] {
                            let blocked = blocked * 1000 + noise * u64::from(block);
                            samples.push(fixture::sample(launch, number, variant, blocked));
                        }
                    }
                    run.blocks.push((fixture::block(launch, number), samples, vec![]));
                }
            }
            run.launches.push(fixture::launch(launch, 0, shape));
        }
        run
    }

    fn faults(variant: u32, reading: &str, scope: Scope, at: &str, each: u64) -> ReadingRow {
        ReadingRow {
            reading: reading.to_string(),
            at: at.to_string(),
            ..fixture::faults(1, 0, variant, scope, each * 4, 4)
        }
    }

    #[test]
    fn the_first_screen_finds_all_it_needs() {
        let mut run = run();
        run.blocks[0].2 = vec![
            faults(FORK, "minor_faults", Scope::Parent, "spawn", 3),
            faults(FORK, "minor_faults", Scope::Parent, "rewrite", 262_144),
            faults(FORK, "minor_faults", Scope::Child, "spawn", 20),
            fixture::faults(1, 0, FORK, Scope::Child, 21, 1),
            faults(SPAWN, "rusage_minor_faults", Scope::Child, "spawn", 5),
        ];
        let summary = Summary::of(&run.cells(), None);
        assert_eq!(summary.vs.as_deref(), Some("posix_spawn"));
        let fork = summary.variant(FORK).unwrap();
        assert_eq!((fork.empty, fork.versus), (Some(EMPTY_FORK), Some(SPAWN)));

        let blocked = fork.interval(Interval::Blocked).unwrap();
        assert_eq!(blocked.count, 48);
        assert_eq!((blocked.min, blocked.max), (Some(2_400_000), Some(2_400_003)));
        assert_eq!(blocked.p50.known().unwrap().value, 2_400_000.0);
        assert_eq!(blocked.p95, Figure::Needs { needed: 59, count: 48 });
        assert_eq!(blocked.if_empty_p50.unwrap().known().unwrap().value, 50_000.0);
        assert_eq!(blocked.cold_p50, None);
        let launches: Vec<(u32, usize)> =
            blocked.launch_medians.iter().map(|median| (median.launch, median.count)).collect();
        assert_eq!(launches, [(1, 16), (2, 16), (3, 16)]);
        assert_eq!(blocked.launch_spread, Some(1.0));
        let Some(Contrast::Shown(ratio)) = blocked.versus_p50 else { panic!("{blocked:?}") };
        assert!((ratio.value - 24.0).abs() < 0.01);
        assert!(matches!(blocked.versus_p95, Some(Contrast::NotShown(_))));
        assert!(fork.interval(Interval::Born).is_none());

        let mode = |count: Option<Count>| count.map(|count| (count.mode, count.source));
        assert_eq!(mode(fork.faults.parent), Some((3, CountSource::Perf)));
        assert_eq!(mode(fork.faults.rewrite), Some((262_144, CountSource::Perf)));
        assert_eq!(fork.faults.child.unwrap().mean, 20.2);
        let spawn = summary.variant(SPAWN).unwrap();
        assert_eq!(mode(spawn.faults.child), Some((5, CountSource::Rusage)));
        assert_eq!((spawn.versus, spawn.empty), (None, Some(EMPTY_SPAWN)));
        assert_eq!((spawn.contended, fork.contended), (None, Some(Share { part: 0, whole: 48 })));

        assert_eq!(summary.variant(EMPTY_FORK).unwrap().versus, Some(EMPTY_SPAWN));
        assert_eq!(summary.own_cost.unwrap().known().unwrap().value, 2_000.0);
        let twins: Vec<(u32, u32, Interval)> =
            summary.twins.iter().map(|twin| (twin.twin, twin.original, twin.interval)).collect();
        let expected = [Interval::Blocked, Interval::Reaped].map(|i| (TWIN, SPAWN, i));
        assert_eq!(twins, expected);
        assert_eq!(
            summary.totals,
            Totals {
                samples: 288,
                measured: 288,
                time_blocks: 24,
                count_blocks: 0,
                launches: 3,
                uncommitted_rows: 0
            }
        );
        assert_eq!(summary.warnings, [Warning::FaultsFromRusage]);
    }

    #[test]
    fn what_to_compare_with_is_chosen_by_the_caller_then_the_plan() {
        let mut run = run();
        run.vs = Some("fork");
        let cells = run.cells();
        let versus = |vs| Summary::of(&cells, vs).variant(SPAWN).unwrap().versus;
        assert_eq!(versus(None), Some(FORK));
        assert_eq!(versus(Some("none")), Some(NONE));
        assert_eq!(versus(Some("rss=1GiB fork")), Some(FORK), "a label");
        assert_eq!(versus(Some("empty fork")), None, "another shape");
        assert_eq!(versus(Some("spoon")), None);
    }

    #[test]
    fn a_scenario_says_what_its_variants_are_compared_with() {
        let text = "rss = [\"0\", \"1G\"]\nmechanism = [\"fork\", \"vfork\"]\n";
        let run = |contrast: &str| {
            let scenario = scenario(&format!("{text}contrast = {contrast}"));
            let run = simulated(scenario, 4, 3, |setup, launch, _| {
                let large = setup.parent.shape.rss.bytes() > 0;
                let fork = setup.work.mechanism == "fork";
                (if large && fork { 900e3 } else { 90e3 }) + f64::from(launch)
            });
            run.cells()
        };
        let versus = |contrast: &str, vs| {
            let summary = Summary::of(&run(contrast), vs);
            summary.variants.iter().map(|variant| variant.versus).collect::<Vec<Option<u32>>>()
        };
        // In order: fork and vfork in an empty parent, fork and vfork in 1 GiB.
        assert_eq!(versus("{ rss = \"0\" }", None), [None, None, Some(0), Some(1)]);
        assert_eq!(versus("{ mechanism = \"vfork\" }", None), [Some(1), None, Some(3), None]);
        assert_eq!(versus("{ rss = \"0\" }", Some("fork")), [None, Some(0), None, Some(2)]);
        assert_eq!(versus("{ rss = \"7G\" }", None), [None; 4], "there is no such");

        let summary = Summary::of(&run("{ rss = \"0\" }"), None);
        let fork = summary.variants[2].interval(Interval::Blocked).unwrap();
        let Some(Contrast::Shown(ratio)) = fork.versus_p50 else { panic!("{fork:?}") };
        assert!((ratio.value - 10.0).abs() < 0.01);
        assert_eq!((ratio.unit, ratio.launches), (Unit::LaunchPair, 4));
    }

    #[test]
    fn the_same_settings_decide_between_several_of_one_mechanism() {
        let image = |variant, mechanism: &str, shape: &str, image: &str| {
            let mut row = fixture::variant(variant, Role::Subject, shape, mechanism);
            row.image = image.to_string();
            row.settings += &format!(";image={image}");
            row
        };
        let variants = [
            image(0, "fork", "rss=1GiB", "exit"),
            image(1, "fork", "rss=1GiB", "noop"),
            image(2, "posix_spawn", "rss=1GiB", "exit"),
            image(3, "posix_spawn", "rss=1GiB", "noop"),
            image(4, "posix_spawn", "empty", "exit"),
            image(5, "posix_spawn", "empty", "noop"),
        ];
        assert_eq!(versus_of(&variants, &variants[2], "fork"), Some(0));
        assert_eq!(versus_of(&variants, &variants[3], "fork"), Some(1));
        assert_eq!(versus_of(&variants, &variants[5], "fork"), None);
        assert_eq!(versus_of(&variants, &variants[0], "fork"), None, "itself");
        assert_eq!(empty_of(&variants, &variants[3]), Some(5));
        assert_eq!(empty_of(&variants, &variants[5]), None);
        assert_eq!(empty_of(&variants, &variants[0]), None);
    }

    #[test]
    fn shapes_stand_as_asked_and_seen() {
        let mut run = run();
        let seen = |at: &str, value: u64| ReadingRow {
            variant: None,
            ..faults(0, "rss_bytes", Scope::Parent, at, value / 4)
        };
        run.blocks[0].2 = vec![seen("base", 4), seen("asked", 400), seen("setup", 404)];
        run.blocks[2].2 =
            vec![ReadingRow { block: Some(2), ..seen("block", 408) }, seen("block", 396)];
        let shapes = Summary::of(&run.cells(), None).shapes;
        let expected = ShapeSummary {
            launch: 1,
            shape: "rss=1GiB".to_string(),
            reading: "rss_bytes".to_string(),
            base: Some(4),
            asked: Some(400),
            setup: Some(404),
            blocks: Some((396, 408)),
        };
        assert_eq!(shapes, [expected]);
    }

    #[test]
    fn nothing_next_to_nothing_and_only_cold_samples_are_summarised_too() {
        let variants = run().variants;
        let empty = Summary::of(&Run::default().cells(), None);
        assert_eq!((empty.vs, empty.own_cost), (None, None));
        assert_eq!(empty.warnings, [Warning::NothingMeasured]);

        let one = Run {
            variants: variants.clone(),
            blocks: vec![(fixture::block(1, 0), vec![fixture::sample(1, 0, FORK, 7)], vec![])],
            ..Run::default()
        };
        let summary = Summary::of(&one.cells(), None);
        let fork = summary.variant(FORK).unwrap().interval(Interval::Blocked).unwrap().clone();
        assert_eq!(fork.p50, Figure::Needs { needed: 6, count: 1 });
        assert_eq!((fork.min, fork.max, fork.launch_spread), (Some(7), Some(7), None));
        assert_eq!(fork.steadiness, Steadiness::default());
        assert!(matches!(fork.versus_p50, Some(Contrast::NotShown(_))));
        assert_eq!(summary.warnings, [Warning::OneLaunch]);

        let mut cold = one;
        cold.blocks[0].1[0] = SampleRow {
            phase: crate::model::row::Phase::Settle,
            round: 0,
            pos: 0,
            ..fixture::sample(1, 0, FORK, 7)
        };
        let summary = Summary::of(&cold.cells(), None);
        let fork = summary.variant(FORK).unwrap().interval(Interval::Blocked).unwrap();
        assert_eq!((fork.count, fork.min), (0, None));
        assert_eq!(fork.cold_p50, Some(Figure::Needs { needed: 6, count: 1 }));
    }

    #[test]
    fn the_mode_of_several_is_the_smallest() {
        let launches =
            BTreeMap::from([(1, BTreeMap::from([(9, 2), (7, 3)])), (2, BTreeMap::from([(9, 1)]))]);
        let reading = Reading {
            variant: 0,
            reading: String::new(),
            scope: Scope::Child,
            at: String::new(),
            total: 48,
            spawns: 6,
            launches,
        };
        assert_eq!((mode(&reading), mean(&reading)), (7, 8.0));
    }

    #[test]
    fn drift_within_launches_is_measured() {
        let logs = |blocks: &[f64]| blocks.iter().map(|ns| ns.ln()).collect::<Vec<f64>>();
        let halves = half_difference(&logs(&[100.0, 100.0, 777.0, 110.0, 110.0])).unwrap();
        assert!((halves.exp() - 1.1).abs() < 1e-9);
        let first = first_difference(&logs(&[130.0, 100.0, 100.0])).unwrap();
        assert!((first.exp() - 1.3).abs() < 1e-9);
        assert_eq!((half_difference(&[1.0]), first_difference(&[1.0])), (None, None));

        let falling: Vec<f64> = (0..20).map(f64::from).collect();
        let turning: Vec<f64> = (0..20).map(|n| f64::from(n % 2)).collect();
        assert!(lag1(&[falling]).unwrap() > 0.7);
        assert!(lag1(&[turning]).unwrap() < -0.7);
        assert_eq!(
            (lag1(&[vec![1.0; 20]]), lag1(&[vec![1.0, 2.0]]), lag1(&[])),
            (None, None, None)
        );
    }

    #[test]
    fn the_warm_up_is_set_against_what_was_measured() {
        let mut run = run();
        let sample = SampleRow {
            phase: crate::model::row::Phase::Warmup,
            ..fixture::sample(1, 99, SPAWN, 130_000)
        };
        let row = BlockRow { kind: BlockKind::Warmup, ..fixture::block(1, 99) };
        run.blocks.push((row, vec![sample], vec![]));
        let summary = Summary::of(&run.cells(), None);
        let spawn = summary.variant(SPAWN).unwrap().interval(Interval::Blocked).unwrap();
        assert!((spawn.steadiness.warmup.unwrap() - 1.3).abs() < 1e-4);
    }
}
