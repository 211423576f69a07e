//! How a figure grows along an axis: a line with its interval, or that it does not grow.

use super::cells::Cells;
use crate::model::claim::Per;
use crate::model::interval::Interval;

/// How the median of one interval grows along one axis, for variants that differ in nothing else.
#[derive(Clone, Debug, PartialEq)]
pub struct Law {
    /// Name of the scenario whose axis it is.
    pub scenario: String,
    /// The knob of the axis.
    pub axis: String,
    /// Which interval.
    pub interval: Interval,
    /// Name of the mechanism.
    pub mechanism: String,
    /// What tells these variants from the other series of the axis: `fork`, `fork page=thp`.
    pub series: String,
    /// Its points, by rising `x`.
    pub points: Vec<Point>,
    /// The line; none with fewer than three points, or too few launches.
    pub fit: Option<Fit>,
    /// What kind of growth it is.
    pub growth: Growth,
}

/// One point of an axis.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// Number of the variant.
    pub variant: u32,
    /// The value of the knob: bytes or things.
    pub x: f64,
    /// The same as text: `1GiB`.
    pub label: String,
    /// Median over launches of the launch's value, in nanoseconds.
    pub value: f64,
    /// Its 95 % interval over launches; none with too few launches.
    pub bounds: Option<(f64, f64)>,
    /// VmPTE of the parent in bytes, where it was seen.
    pub vm_pte_bytes: Option<f64>,
}

/// A line through the points.
#[derive(Clone, Debug, PartialEq)]
pub struct Fit {
    /// The slope in each unit that suits the axis, the usual one first: ns per MiB, ns per PTE.
    pub slopes: Vec<Slope>,
    /// Value at 0, in nanoseconds.
    pub intercept: f64,
    /// Share of the variance of the point medians that the line explains.
    pub r2: f64,
    /// Launches, each of which was fitted by itself.
    pub launches: usize,
    /// The line of each launch: (intercept in ns, slope in ns per byte or thing).
    pub lines: Vec<(f64, f64)>,
    /// How far point medians lie from the line, as a share: the largest.
    pub misfit: f64,
    /// How far a parent lies from the line of its own launch, as a share: root mean square.
    pub scatter: f64,
}

/// How much is added for each unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Slope {
    /// The unit.
    pub per: Per,
    /// Nanoseconds for each.
    pub value: f64,
    /// Lower end of the 95 % interval.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// What kind of growth it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Growth {
    /// Along a line.
    Linear,
    /// Not at all, within what a reader would care for.
    Flat,
    /// It grows, but a line does not describe it.
    Bent,
    /// It falls.
    Falls,
    /// There is too little to say.
    Unknown,
}

/// What a law says of a value of its axis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Prediction {
    /// Nanoseconds.
    pub value: f64,
    /// Lower end of the 95 % prediction interval for a new parent.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Whether the value lies beyond what was measured.
    pub extrapolated: bool,
}

impl Law {
    /// The laws of every axis of numbers that has at least two points.
    pub fn all(_cells: &Cells) -> Vec<Law> {
        Vec::new()
    }

    /// What it says of the value `x` of its axis, in bytes or things; none without a line.
    pub fn predict(&self, _x: f64) -> Option<Prediction> {
        None
    }
}
