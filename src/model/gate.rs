//! What a gate asks: which variants are held against each other, in which quantities, and by how
//! much the one may be worse. It stands in `plan.toml` as `[gate]`, so that a run is judged from
//! its files alone, again and the same.

use serde::{Deserialize, Serialize};

use crate::model::interval::Interval;
use crate::model::quantity::{Percentile, Quantity};
use crate::model::scenario::Setting;

/// The level of `check`: how often at most an unchanged row is called worse than its margin.
pub const CHECK: f64 = 0.01;

/// The level of `compare`, which only describes.
pub const COMPARE: f64 = 0.05;

/// Fewest blocks, or launch pairs, with which anything is judged.
pub const FEWEST: usize = 13;

/// Everything that a gate asks of one run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Gate {
    /// The level of each test: 0.01.
    pub alpha: f64,
    /// Whether the run may stop as soon as a row is worse, by evidence that may be looked at.
    #[serde(default)]
    pub fail_fast: bool,
    /// What is judged of each comparison, and how much worse it may be.
    pub margins: Vec<Margin>,
    /// What the budget does not buy, and nobody asked for by name: it is not judged.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<Quantity>,
    /// Which variants are held against each other.
    pub comparisons: Vec<Comparison>,
}

/// How much worse a quantity may be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Margin {
    /// Of what.
    pub of: Quantity,
    /// The share: 0.03 is 3 %.
    pub share: f64,
    /// Whether it was asked for by name.
    #[serde(default)]
    pub asked: bool,
}

/// Variants that are held against each other, by their numbers in the run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comparison {
    /// What both sides have in common, in short; unique in the run.
    pub name: String,
    /// How things were.
    pub base: u32,
    /// How they are.
    pub cand: u32,
    /// How they were longer ago: against slow creep.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub second_base: Option<u32>,
    /// The same as the base (A/A): where these two differ, nothing is judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub twin: Option<u32>,
}

/// In which settings the sides of a comparison differ.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sides {
    /// How things were.
    pub base: Vec<Setting>,
    /// How they are.
    pub cand: Vec<Setting>,
    /// How they were longer ago.
    pub second_base: Option<Vec<Setting>>,
}

/// The margin of a quantile unless another is given: 3 % of a median, 10 % of p90 and above.
pub fn usual_margin(percentile: Percentile) -> f64 {
    if percentile.share() < 0.9 { 0.03 } else { 0.1 }
}

/// What is judged of these intervals unless something else is asked for: their p50 and p95.
pub fn usual_margins(intervals: &[Interval]) -> Vec<Margin> {
    let quantiles = [Percentile::MEDIAN, Percentile::P95];
    let of = |percentile| {
        intervals.iter().map(move |&interval| Margin {
            of: Quantity::Time { interval, percentile },
            share: usual_margin(percentile),
            asked: false,
        })
    };
    quantiles.into_iter().flat_map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_come_first_and_tails_may_vary_more() {
        let margins = usual_margins(&[Interval::Blocked, Interval::Reaped]);
        let told: Vec<String> =
            margins.iter().map(|margin| format!("{} {}", margin.of, margin.share)).collect();
        assert_eq!(
            told,
            ["blocked.p50 0.03", "reaped.p50 0.03", "blocked.p95 0.1", "reaped.p95 0.1"]
        );
    }

    #[test]
    fn a_gate_survives_its_file() {
        let gate = Gate {
            alpha: CHECK,
            fail_fast: false,
            margins: usual_margins(&[Interval::Reaped]),
            left_out: Vec::new(),
            comparisons: vec![Comparison {
                name: "vfork".to_owned(),
                base: 0,
                cand: 1,
                second_base: None,
                twin: Some(2),
            }],
        };
        let text = toml::to_string(&gate).unwrap();
        assert_eq!(toml::from_str::<Gate>(&text).unwrap(), gate);
    }
}
