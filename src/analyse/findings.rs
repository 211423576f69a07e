//! Claims held against results: what each is found to be.

use super::cells::Cells;
use super::quantiles::Figure;
use crate::model::claim::{Claim, Verdict};
use crate::model::scenario::Published;

/// A claim, and what the results say of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// Name of the scenario that claims it.
    pub scenario: String,
    /// The claim.
    pub claim: Claim,
    /// The estimate; none if there is none.
    pub measured: Option<Measured>,
    /// What is found.
    pub verdict: Verdict,
    /// Why there is no estimate, or none with an interval; empty if there is one.
    pub why: String,
}

/// An estimate with its 95 % interval, in the unit of the estimate (see `Estimate::measure`).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measured {
    /// The estimate.
    pub value: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// For a slope: the share of the variance of the medians that the line explains.
    pub r2: Option<f64>,
    /// Launches it rests on.
    pub launches: usize,
}

/// A figure that was published, beside the one measured here.
#[derive(Clone, Debug, PartialEq)]
pub struct Compared {
    /// Name of the scenario.
    pub scenario: String,
    /// What was published.
    pub published: Published,
    /// The same quantity here, in its own unit with its interval; none if it was not measured.
    pub here: Option<Figure>,
    /// Whether `here` is what a law of this run says, the place itself not having been measured.
    pub by_law: bool,
    /// Why it was not measured, or how the law got there; empty if it was measured.
    pub why: String,
}

impl Finding {
    /// Every claim of every scenario of the run, in their order.
    pub fn all(_cells: &Cells) -> Vec<Finding> {
        Vec::new()
    }
}

impl Compared {
    /// Every published figure of every scenario of the run, in their order.
    pub fn all(_cells: &Cells) -> Vec<Compared> {
        Vec::new()
    }
}
