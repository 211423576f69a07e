//! What one run says, as plain data: all that the first screen of `run` and `show` needs.

use super::contrasts::Contrast;
use super::quantiles::Figure;
use crate::model::interval::Interval;
use crate::model::row::Scope;
use crate::record::rows::{EventRow, LaunchRow, VariantRow};

/// What one run says.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// The label or mechanism that the others are compared with; none if the run has no such.
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
    /// The variant of the same setup in an empty parent; none if the run has none, or if this is it.
    pub empty: Option<u32>,
    /// The variant it is compared with: `--vs`, in the same shape; none if that is itself.
    pub versus: Option<u32>,
    /// Page faults per spawn.
    pub faults: Faults,
    /// Every counted fact of it, in the order of `readings.csv`.
    pub readings: Vec<ReadingSummary>,
    /// Samples whose wall time exceeds their CPU time by a fifth; only for a variant that copies
    /// page tables, where the caller has no reason to wait.
    pub contended: Option<Share>,
    /// Samples of time blocks that failed (a status other than 0), outside all statistics.
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

/// How steady an interval is within a launch; each is none where there are too few blocks to say.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Steadiness {
    /// Second half of a launch / first half, by the medians of their blocks; median over launches.
    pub drift: Option<f64>,
    /// Correlation of the log medians of neighbouring blocks, launch means taken out.
    pub lag1: Option<f64>,
    /// First block of a launch / median of its other blocks; median over launches: far from 1 if
    /// the warm-up was too short.
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
    /// Canonical label of the shape.
    pub shape: String,
    /// Name of the reading: `rss_bytes`.
    pub reading: String,
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
    /// Wall time exceeds CPU time by a fifth in many samples: something else had the CPU.
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
    /// The first block of a launch is not like the others.
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

impl Summary {
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
