//! Two groups of numbers that nothing pairs: whether the one lies above the other by more than a
//! bound, by Welch's t and by the exact rank sum, and by how much.
//!
//! The numbers are what runs, or boots, say, on logs: a difference of logs is a ratio. Every
//! function takes finite numbers.

use statrs::distribution::{ContinuousCDF, Normal, StudentsT};

use super::estimate::{Located, median};

/// Fewest numbers on each side for a judgement: with fewer, no pair of groups is so far apart that
/// the rank sum has a p below 0.01 (of four a side it is 1/70, of five 1/252).
pub const FEWEST: usize = 5;

/// One-sided p that the centre of `these` is not above that of `others` by more than `bound`: the
/// larger of Welch's t and the rank sum. 1 where one side has no numbers.
pub fn above_p(these: &[f64], others: &[f64], bound: f64) -> f64 {
    rank_sum_above_p(these, others, bound).max(welch_above_p(these, others, bound).unwrap_or(1.0))
}

/// One-sided p of Welch's t test, in which the two groups need not scatter alike; none with fewer
/// than two numbers on a side.
pub fn welch_above_p(these: &[f64], others: &[f64], bound: f64) -> Option<f64> {
    let Welch { difference, error, student } = Welch::of(these, others)?;
    Some(match student {
        Some(student) => student.sf((difference - bound) / error),
        // No scatter at all: what is not above is not, and a tie is no evidence.
        None => f64::from(u8::from(difference <= bound)),
    })
}

/// One-sided p of the exact rank-sum test (Mann and Whitney), each of `these` less `bound`. Ties
/// count against it: they make it larger, never smaller.
pub fn rank_sum_above_p(these: &[f64], others: &[f64], bound: f64) -> f64 {
    let below = |other: &f64| these.iter().filter(|one| *one - other <= bound).count();
    pairs_at_most(these.len(), others.len(), others.iter().map(below).sum())
}

/// By how much `these` lie above `others`: the median of all differences (Hodges and Lehmann), with
/// the wider of the intervals that Welch's t and the rank sum do not reject. None where there are
/// too few numbers for either.
pub fn shift(these: &[f64], others: &[f64], confidence: f64) -> Option<Located> {
    let mut differences: Vec<f64> =
        these.iter().flat_map(|one| others.iter().map(move |other| one - other)).collect();
    differences.sort_unstable_by(f64::total_cmp);
    let value = median(&differences)?;
    let error = (1.0 - confidence) / 2.0;
    let rejected = (0..differences.len())
        .take_while(|&pairs| pairs_at_most(these.len(), others.len(), pairs) <= error)
        .count();
    let rejected = rejected.checked_sub(1)?;
    let ranks = (differences[rejected], differences[differences.len() - 1 - rejected]);
    let Welch { difference, error, student } = Welch::of(these, others)?;
    let reach = student.map_or(0.0, |t| t.inverse_cdf(0.5 + confidence / 2.0) * error);
    let welch = (difference - reach, difference + reach);
    let (low, high) = if welch.1 - welch.0 > ranks.1 - ranks.0 { welch } else { ranks };
    // The centre of Welch's t is the difference of the means: the interval holds both.
    Some(Located { value, low: low.min(value), high: high.max(value) })
}

/// The smallest p that so many numbers on each side can have.
pub fn smallest_p(these: usize, others: usize) -> f64 {
    pairs_at_most(these, others, 0)
}

/// The parts of Welch's t.
struct Welch {
    /// Difference of the means.
    difference: f64,
    /// Its standard error.
    error: f64,
    /// The t distribution that belongs to it; none where no number differs from another of its
    /// side.
    student: Option<StudentsT>,
}

impl Welch {
    fn of(these: &[f64], others: &[f64]) -> Option<Welch> {
        let (mean, variance, freedom) = parts(these)?;
        let (other_mean, other_variance, other_freedom) = parts(others)?;
        let both = variance + other_variance;
        let student = (both > 0.0).then(|| {
            let degrees = both.powi(2)
                / (variance.powi(2) / freedom + other_variance.powi(2) / other_freedom);
            StudentsT::new(0.0, 1.0, degrees).ok()
        });
        Some(Welch {
            difference: mean - other_mean,
            error: both.sqrt(),
            student: student.flatten(),
        })
    }
}

/// Mean, its variance, and the degrees of freedom of that; none of fewer than two numbers.
fn parts(numbers: &[f64]) -> Option<(f64, f64, f64)> {
    if numbers.len() < 2 {
        return None;
    }
    let count = numbers.len() as f64;
    let mean = numbers.iter().sum::<f64>() / count;
    let squares: f64 = numbers.iter().map(|number| (number - mean).powi(2)).sum();
    // What the rounding of a mean leaves of equal numbers is no scatter.
    let is_flat = numbers.iter().all(|number| *number == numbers[0]);
    let variance = if is_flat { 0.0 } else { squares / (count - 1.0) / count };
    Some((if is_flat { numbers[0] } else { mean }, variance, count - 1.0))
}

/// Up to so many pairs the distribution is computed, beyond it the normal one stands for it.
const EXACT: usize = 2500;

/// Probability that of all pairs of one from each of two groups that do not differ, at most `pairs`
/// have the first above the second.
fn pairs_at_most(these: usize, others: usize, pairs: usize) -> f64 {
    let all = these * others;
    if pairs >= all {
        return 1.0;
    }
    if all > EXACT {
        let (n, m) = (these as f64, others as f64);
        let (mean, variance) = (n * m / 2.0, n * m * (n + m + 1.0) / 12.0);
        return Normal::standard().cdf((pairs as f64 + 0.5 - mean) / variance.sqrt());
    }
    // The largest of all numbers is of either group in proportion to its size; one of the first
    // group is above all of the other.
    let mut of_fewer: Vec<Vec<f64>> = vec![vec![1.0]; others + 1];
    for one in 1..=these {
        let mut row: Vec<Vec<f64>> = vec![vec![1.0]];
        for other in 1..=others {
            let (first, second) = (one as f64, other as f64);
            let mut probability = vec![0.0; one * other + 1];
            for (count, fewer) in of_fewer[other].iter().enumerate() {
                probability[count + other] += first / (first + second) * fewer;
            }
            for (count, fewer) in row[other - 1].iter().enumerate() {
                probability[count] += second / (first + second) * fewer;
            }
            row.push(probability);
        }
        of_fewer = row;
    }
    of_fewer[others].iter().take(pairs + 1).sum::<f64>().min(1.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::Deserialize;

    use super::*;

    /// Made by tests/data/statistics.py from scipy.
    const KNOWN: &str = include_str!("../../tests/data/statistics.json");

    #[derive(Deserialize)]
    struct Known {
        two_samples: Vec<TwoSamples>,
    }

    #[derive(Deserialize)]
    struct TwoSamples {
        these: Vec<f64>,
        others: Vec<f64>,
        bound: f64,
        welch_above_p: f64,
        rank_sum_above_p: f64,
        welch: (f64, f64),
        rank_sum: Option<(f64, f64)>,
        shift: f64,
    }

    #[track_caller]
    fn assert_close(found: f64, known: f64, what: &str) {
        let slack = 1e-9 * (1.0 + known.abs());
        assert!((found - known).abs() <= slack, "{what}: {found}, not {known}");
    }

    #[test]
    fn known_answers() {
        let known: Known = serde_json::from_str(KNOWN).unwrap();
        assert!(known.two_samples.iter().any(|one| one.these.len() * one.others.len() > EXACT));
        for one in known.two_samples {
            let what = format!("{} and {} numbers", one.these.len(), one.others.len());
            let welch = welch_above_p(&one.these, &one.others, one.bound).unwrap();
            assert_close(welch, one.welch_above_p, &what);
            let ranks = rank_sum_above_p(&one.these, &one.others, one.bound);
            assert_close(ranks, one.rank_sum_above_p, &what);
            let shift = shift(&one.these, &one.others, 0.95);
            if one.these.len() * one.others.len() <= EXACT {
                assert_eq!(shift.is_some(), one.rank_sum.is_some(), "{what}");
            }
            if let (Some(shift), Some(ranks)) = (shift, one.rank_sum) {
                let wider =
                    if one.welch.1 - one.welch.0 > ranks.1 - ranks.0 { one.welch } else { ranks };
                assert_close(shift.value, one.shift, &what);
                assert_close(shift.low, wider.0.min(one.shift), &what);
                assert_close(shift.high, wider.1.max(one.shift), &what);
            }
        }
    }

    #[test]
    fn five_a_side_are_the_fewest() {
        assert_close(smallest_p(5, 5), 1.0 / 252.0, "5 and 5");
        assert_close(smallest_p(4, 4), 1.0 / 70.0, "4 and 4");
        assert!(smallest_p(FEWEST, FEWEST) < 0.01 && smallest_p(FEWEST - 1, FEWEST - 1) > 0.01);
    }

    #[test]
    fn ties_and_next_to_nothing_are_no_evidence() {
        let flat = [0.1; 6];
        assert_eq!(above_p(&flat, &flat, 0.0), 1.0);
        assert_eq!(above_p(&[0.3; 6], &flat, 0.05), smallest_p(6, 6));
        assert_eq!(welch_above_p(&[0.3; 6], &flat, 0.05), Some(0.0));
        assert_eq!((above_p(&[], &[], 0.0), above_p(&[1.0], &[0.0], 0.0)), (1.0, 1.0));
        assert_eq!(shift(&[1.0], &[0.0], 0.95), None);
        assert_eq!(shift(&[], &[0.0], 0.95), None);
        let equal = shift(&flat, &flat, 0.95).unwrap();
        assert_eq!((equal.low, equal.value, equal.high), (0.0, 0.0, 0.0));
    }

    #[test]
    fn the_approximation_meets_the_exact_distribution() {
        let exact = pairs_at_most(50, 50, 900);
        let (mean, variance) = (1250.0, 2500.0 * 101.0 / 12.0);
        let normal = Normal::standard().cdf((900.5 - mean) / f64::sqrt(variance));
        assert!((exact / normal - 1.0).abs() < 0.06, "{exact} {normal}");
    }

    /// As many false alarms as a fair test of 5 % has in 2,000 trials, save once in a thousand.
    const MOST_OF_2000: usize = 131;

    /// Runs that scatter in a like manner on both sides, however that is, are seldom told apart.
    #[test]
    fn false_alarms_are_held_whatever_the_scatter_is() {
        use crate::model::order::Rng;
        let mut rng = Rng::new(20_261_124, &[]);
        let mut uniform = move || rng.below(1 << 32) as f64 / (1_u64 << 32) as f64;
        for (n, m) in [(5, 5), (5, 8), (12, 12)] {
            for kind in 0..4 {
                let mut number = || match kind {
                    0 => uniform() + uniform() + uniform() - uniform() - uniform() - uniform(),
                    // Now and then a run is slower by far.
                    1 if uniform() < 0.1 => 3.0 * uniform(),
                    2 if uniform() < 0.5 => 1.0 + 0.1 * uniform(),
                    // Ties.
                    3 => (4.0 * uniform()).floor(),
                    _ => 0.1 * uniform(),
                };
                let mut alarms = 0;
                for _ in 0..2000 {
                    let these: Vec<f64> = (0..n).map(|_| number()).collect();
                    let others: Vec<f64> = (0..m).map(|_| number()).collect();
                    alarms += usize::from(above_p(&these, &others, 0.0) <= 0.05);
                }
                assert!(alarms <= MOST_OF_2000, "{alarms} alarms of {n} and {m}, kind {kind}");
            }
        }
    }

    fn group() -> impl Strategy<Value = Vec<f64>> {
        let numbers = prop_oneof![-0.5..0.5f64, Just(0.0), Just(0.1)];
        proptest::collection::vec(numbers, 0..12)
    }

    proptest! {
        #[test]
        fn swapping_the_groups_turns_the_question(these in group(), others in group()) {
            let turned = |numbers: &[f64]| -> Vec<f64> { numbers.iter().map(|n| -n).collect() };
            let one = above_p(&these, &others, 0.05);
            let other = above_p(&turned(&others), &turned(&these), 0.05);
            prop_assert!((one - other).abs() < 1e-9, "{one} {other}");
            prop_assert!((0.0..=1.0).contains(&one));
        }

        #[test]
        fn a_wider_bound_is_never_more_surely_exceeded(
            these in group(), others in group(), bound in -0.2..0.2f64,
        ) {
            prop_assert!(
                above_p(&these, &others, bound + 0.05) >= above_p(&these, &others, bound) - 1e-12
            );
        }

        #[test]
        fn the_shift_lies_in_its_interval(these in group(), others in group()) {
            if let Some(shift) = shift(&these, &others, 0.95) {
                prop_assert!(shift.low <= shift.value && shift.value <= shift.high);
                prop_assert!([shift.low, shift.value, shift.high].iter().all(|n| n.is_finite()));
            }
        }
    }
}
