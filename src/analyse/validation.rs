//! How good a gate is on this machine: what became of many checks of which the truth is known.
//!
//! A series is checks of one kind: of nothing (A/A), or of a slowdown that was made. Numbers in,
//! numbers out: rates with their exact intervals, how far estimates lie off, whether up and down are
//! as frequent as each other.

use statrs::distribution::{Binomial, DiscreteCDF};

use super::estimate::median;
use super::hazards::Rate;

/// One row of one check of which the truth is known.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// The series that it belongs to.
    pub series: String,
    /// What both sides have in common: `vfork`.
    pub name: String,
    /// The quantity: `blocked.p50`.
    pub quantity: String,
    /// How the sides were interleaved: `interleaved`, `launch-pairs`.
    pub design: String,
    /// Whether there is no difference.
    pub is_same: bool,
    /// The ratio that was made; none where it is not known in figures.
    pub truth: Option<f64>,
    /// The verdict's word.
    pub verdict: String,
    /// The ratio that was found, and its interval.
    pub ratio: Option<f64>,
    /// Lower end.
    pub low: Option<f64>,
    /// Upper end.
    pub high: Option<f64>,
    /// Two-sided p that there is no difference.
    pub p: Option<f64>,
    /// How long the check took, in seconds.
    pub seconds: f64,
}

/// What became of one quantity in one series.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// The series.
    pub series: String,
    /// What both sides have in common.
    pub name: String,
    /// The quantity.
    pub quantity: String,
    /// How the sides were interleaved.
    pub design: String,
    /// Whether there is no difference.
    pub is_same: bool,
    /// How many checks.
    pub runs: u64,
    /// The median of the ratios that were made.
    pub truth: Option<f64>,
    /// Share that was called worse.
    pub regressed: Rate,
    /// Share that was called not worse.
    pub fine: Rate,
    /// Share that was called better.
    pub improved: Rate,
    /// Median of the ratios that were found.
    pub ratio: Option<f64>,
    /// The largest distance of a ratio from the truth, as a share.
    pub furthest: Option<f64>,
    /// Median of the half-widths of the intervals, as a share.
    pub half_width: Option<f64>,
    /// How many ratios were found above the truth.
    pub above: u64,
    /// Two-sided p that above and below are as frequent as each other.
    pub symmetry: f64,
    /// Where there is no difference: probability of small p as frequent as here if they are no more
    /// frequent than they may be (one-sided Kolmogorov-Smirnov).
    pub uniformity: Option<f64>,
    /// Median of the time of a check, in seconds.
    pub seconds: f64,
}

/// Fewest p of which it is asked whether they are as they should be.
const FEWEST_P: usize = 10;

/// What became of each quantity of each series, in the order in which they first stand.
pub fn summaries(outcomes: &[Outcome]) -> Vec<Summary> {
    let key = |one: &Outcome| (one.series.clone(), one.name.clone(), one.quantity.clone());
    let mut keys = Vec::new();
    for outcome in outcomes {
        if !keys.contains(&key(outcome)) {
            keys.push(key(outcome));
        }
    }
    keys.iter()
        .filter_map(|of| {
            let group: Vec<&Outcome> = outcomes.iter().filter(|one| key(one) == *of).collect();
            summary(&group)
        })
        .collect()
}

fn summary(group: &[&Outcome]) -> Option<Summary> {
    let first = *group.first()?;
    let runs = group.len() as u64;
    let rate =
        |word: &str| Rate::of(group.iter().filter(|one| one.verdict == word).count() as u64, runs);
    let numbers = |of: &dyn Fn(&Outcome) -> Option<f64>| -> Vec<f64> {
        group.iter().filter_map(|one| of(one)).collect()
    };
    let distances = numbers(&|one| Some(one.ratio? / one.truth? - 1.0));
    let above = distances.iter().filter(|distance| **distance > 0.0).count() as u64;
    let p = numbers(&|one| one.p.filter(|_| first.is_same));
    Some(Summary {
        series: first.series.clone(),
        name: first.name.clone(),
        quantity: first.quantity.clone(),
        design: first.design.clone(),
        is_same: first.is_same,
        runs,
        truth: median(&numbers(&|one| one.truth)),
        regressed: rate("REGRESSED"),
        fine: rate("OK"),
        improved: rate("IMPROVED"),
        ratio: median(&numbers(&|one| one.ratio)),
        furthest: distances.iter().map(|distance| distance.abs()).reduce(f64::max),
        half_width: median(&numbers(&|one| Some((one.high?.ln() - one.low?.ln()) / 2.0))),
        above,
        symmetry: symmetry(above, distances.len() as u64),
        uniformity: (p.len() >= FEWEST_P).then(|| small_p(&p)),
        seconds: median(&numbers(&|one| Some(one.seconds))).unwrap_or_default(),
    })
}

/// Two-sided p that so many of so many lie on one side of the middle.
fn symmetry(above: u64, count: u64) -> f64 {
    let Ok(fair) = Binomial::new(0.5, count) else { return 1.0 };
    (2.0 * fair.cdf(above.min(count - above.min(count)))).min(1.0)
}

/// Probability of small p as frequent as these if they are even (one-sided Kolmogorov-Smirnov, by
/// its limit). The larger of two p is not even but larger: that is no fault.
fn small_p(p: &[f64]) -> f64 {
    let mut sorted = p.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let count = sorted.len() as f64;
    let excess = sorted.iter().zip(1..).map(|(p, place)| f64::from(place) / count - p);
    let largest = excess.fold(0.0, f64::max);
    (-2.0 * count * largest * largest).exp()
}

/// Whether the checks of nothing were called worse more often than the level allows, beyond what
/// chance makes of so few.
pub fn breaks_its_promise(summaries: &[Summary], alpha: f64) -> bool {
    summaries.iter().any(|one| one.is_same && one.regressed.low > alpha)
}

/// The floor that values of whole runs of one thing make: the distance that 95 % of the pairs of runs
/// do not exceed, as a natural logarithm. None of fewer than two values, or of a value that has no
/// logarithm.
pub fn floor(values: &[f64]) -> Option<f64> {
    let mut distances = Vec::new();
    for (place, one) in values.iter().enumerate() {
        distances.extend(values[..place].iter().map(|other| (one.ln() - other.ln()).abs()));
    }
    distances.sort_unstable_by(f64::total_cmp);
    let place = (0.95 * distances.len() as f64).ceil() as usize;
    let floor = *distances.get(place.checked_sub(1)?)?;
    floor.is_finite().then_some(floor)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(series: &str, truth: f64, ratio: f64, verdict: &str, p: f64) -> Outcome {
        Outcome {
            series: series.to_owned(),
            name: "vfork".to_owned(),
            quantity: "blocked.p50".to_owned(),
            design: "interleaved".to_owned(),
            is_same: truth == 1.0,
            truth: Some(truth),
            verdict: verdict.to_owned(),
            ratio: Some(ratio),
            low: Some(ratio / 1.01),
            high: Some(ratio * 1.01),
            p: Some(p),
            seconds: 2.0,
        }
    }

    #[test]
    fn rates_are_counted_by_series() {
        let mut outcomes: Vec<Outcome> = (0..20)
            .map(|n| {
                outcome(
                    "aa",
                    1.0,
                    1.0 + 0.001 * f64::from(n % 2 * 2 - 1),
                    "OK",
                    0.05 * f64::from(n) + 0.02,
                )
            })
            .collect();
        outcomes.push(outcome("+5 %", 1.05, 1.0605, "REGRESSED", 0.0));
        let found = summaries(&outcomes);
        assert_eq!(found.len(), 2);
        let aa = &found[0];
        assert_eq!((aa.runs, aa.fine.value, aa.regressed.value, aa.above), (20, 1.0, 0.0, 10));
        assert!((aa.regressed.high - 0.168).abs() < 0.001, "{:?}", aa.regressed);
        assert!(aa.symmetry > 0.99 && aa.uniformity.unwrap() > 0.5);
        assert!((aa.half_width.unwrap() - 1.01_f64.ln()).abs() < 1e-9);
        let five = &found[1];
        assert!((five.furthest.unwrap() - 0.01).abs() < 1e-9 && five.uniformity.is_none());
        assert!(!breaks_its_promise(&found, 0.01));
    }

    #[test]
    fn a_gate_that_cries_wolf_is_told() {
        let outcomes: Vec<Outcome> = (0..20)
            .map(|n| outcome("aa", 1.0, 1.1, if n < 3 { "REGRESSED" } else { "OK" }, 0.001))
            .collect();
        let found = summaries(&outcomes);
        assert!(breaks_its_promise(&found, 0.01));
        assert!(found[0].symmetry < 0.001 && found[0].uniformity.unwrap() < 0.001);
    }

    #[test]
    fn a_floor_is_what_nearly_all_pairs_keep_to() {
        let found = floor(&[100.0, 102.0, 101.0]).unwrap();
        assert!((found - 1.02_f64.ln()).abs() < 1e-12);
        assert_eq!((floor(&[1.0]), floor(&[]), floor(&[0.0, 1.0])), (None, None, None));
    }

    #[test]
    fn nothing_makes_nothing() {
        assert_eq!(summaries(&[]), []);
        assert_eq!((symmetry(0, 0), symmetry(5, 10)), (1.0, 1.0));
    }
}
