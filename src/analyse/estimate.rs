//! One location from a few numbers, with an interval: Hodges-Lehmann and signed ranks, or t.
//!
//! The numbers are differences that are as likely to be above their centre as below it (log ratios
//! of blocks under a random order), or values of launches. Every function takes finite numbers.

use std::sync::OnceLock;

use statrs::distribution::{ContinuousCDF, Normal, StudentsT};

/// Confidence of every interval that is shown.
pub const CONFIDENCE: f64 = 0.95;

/// An interval and its centre.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Located {
    /// The estimate.
    pub value: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// The median; none of no numbers.
pub fn median(numbers: &[f64]) -> Option<f64> {
    let mut sorted = numbers.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let last = sorted.len().checked_sub(1)?;
    Some(middle(sorted[last / 2], sorted[last.div_ceil(2)]))
}

/// The Hodges-Lehmann estimate: the median of the means of all pairs, each number with itself
/// included; none of no numbers.
pub fn hodges_lehmann(numbers: &[f64]) -> Option<f64> {
    if numbers.is_empty() {
        return None;
    }
    let pairs = PairMeans::of(numbers);
    Some(middle(pairs.nth((pairs.count() - 1) / 2), pairs.nth(pairs.count() / 2)))
}

/// The Hodges-Lehmann estimate with the interval that the signed-rank test does not reject: exact
/// up to 200 numbers, then by the normal approximation. None if there are so few numbers that no
/// interval has that confidence (see [`signed_rank_needs`]).
pub fn signed_rank_interval(numbers: &[f64], confidence: f64) -> Option<Located> {
    let value = hodges_lehmann(numbers)?;
    let pairs = PairMeans::of(numbers);
    let error = (1.0 - confidence) / 2.0;
    // The largest rank sum that is still rejected: a centre with more pairs than that on either
    // side of it is not.
    let (mut low, mut high) = (0, pairs.count() / 2);
    while low < high {
        let middle = low + (high - low) / 2;
        if rank_sum_at_most(numbers.len(), middle) <= error {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    let rejected = low.checked_sub(1)?;
    Some(Located { value, low: pairs.nth(rejected), high: pairs.nth(pairs.count() - 1 - rejected) })
}

/// Fewest numbers for which [`signed_rank_interval`] has an interval: 6 at 95 %.
pub fn signed_rank_needs(confidence: f64) -> usize {
    (1..).find(|&count| 2.0 * 0.5f64.powi(count) <= 1.0 - confidence).unwrap_or(1) as usize
}

/// Two-sided p of the signed-rank test that the centre is 0. It is at most `1 - confidence` exactly
/// where [`signed_rank_interval`] leaves out 0; ties and zeros make it larger, never smaller. Of
/// no numbers it is 1.
pub fn signed_rank_p(numbers: &[f64]) -> f64 {
    let pairs = PairMeans::of(numbers);
    let not_below = pairs.count() - pairs.below(0.0);
    let not_above = pairs.at_most(0.0);
    let tail = rank_sum_at_most(numbers.len(), not_below.min(not_above));
    (2.0 * tail).min(1.0)
}

/// One-sided p of the signed-rank test that the centre is not above `bound`: small where it is. Of
/// no numbers it is 1; ties make it larger, never smaller.
pub fn above_p(numbers: &[f64], bound: f64) -> f64 {
    let pairs = PairMeans::of(numbers);
    rank_sum_at_most(numbers.len(), pairs.at_most(bound))
}

/// The mean with its t interval; none of fewer than two numbers.
pub fn t_interval(numbers: &[f64], confidence: f64) -> Option<Located> {
    let (value, error, student) = t_parts(numbers)?;
    let reach = student.inverse_cdf(0.5 + confidence / 2.0) * error;
    Some(Located { value, low: value - reach, high: value + reach })
}

/// Fewest launches on which an interval is built: Student's t takes two, but with one degree of
/// freedom it reaches 12.7 standard errors and says nothing.
pub const LAUNCHES: usize = 3;

/// What launches say: the Hodges-Lehmann estimate with its 95 % interval, the wider of the
/// signed-rank interval, which takes 6 launches, and Student's t. Counts upon which spawns agree
/// are exact: the value that most launches have, from the smallest to the largest.
///
/// # Errors
///
/// With too few launches for an interval, as words.
pub fn over_launches(numbers: &[f64], exact: bool) -> Result<Located, String> {
    let short = |needed| format!("it takes {needed} launches, and there are {}", numbers.len());
    if exact {
        return most_common(numbers).ok_or_else(|| short(1));
    }
    let student = t_interval(numbers, CONFIDENCE).filter(|_| numbers.len() >= LAUNCHES);
    let (Some(value), Some(student)) = (hodges_lehmann(numbers), student) else {
        return Err(short(LAUNCHES));
    };
    let width = |interval: &Located| interval.high - interval.low;
    let wider = match signed_rank_interval(numbers, CONFIDENCE) {
        Some(ranks) if width(&ranks) > width(&student) => ranks,
        _ => student,
    };
    // The centre of Student's t is the mean: the interval holds both.
    Ok(Located { value, low: wider.low.min(value), high: wider.high.max(value) })
}

/// As [`over_launches`] for lengths of time, which scatter in proportion to themselves: on logs.
///
/// # Errors
///
/// With too few launches for an interval, or where one of the numbers is 0, as words.
pub fn over_launches_in_proportion(numbers: &[f64]) -> Result<Located, String> {
    if numbers.iter().any(|&number| number <= 0.0) {
        return Err("it is 0 ns, which is less than the clock can tell".to_owned());
    }
    let logs: Vec<f64> = numbers.iter().map(|number| number.ln()).collect();
    let Located { value, low, high } = over_launches(&logs, false)?;
    Ok(Located { value: value.exp(), low: low.exp(), high: high.exp() })
}

/// The number that occurs most often, the smallest of several, within smallest and largest.
fn most_common(numbers: &[f64]) -> Option<Located> {
    let mut sorted = numbers.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let runs = sorted.chunk_by(|one, next| one == next).rev();
    let value = runs.max_by_key(|run| run.len())?[0];
    Some(Located { value, low: sorted[0], high: sorted[sorted.len() - 1] })
}

/// How many standard errors Student's t reaches with so many numbers; none with fewer than two.
pub fn t_reach(count: usize, confidence: f64) -> Option<f64> {
    let student = StudentsT::new(0.0, 1.0, count as f64 - 1.0).ok()?;
    Some(student.inverse_cdf(0.5 + confidence / 2.0))
}

/// Two-sided p of the t test that the mean is 0; none of fewer than two numbers.
pub fn t_p(numbers: &[f64]) -> Option<f64> {
    let (mean, error, student) = t_parts(numbers)?;
    Some(if mean == 0.0 {
        1.0
    } else if error == 0.0 {
        0.0
    } else {
        (2.0 * student.sf((mean / error).abs())).min(1.0)
    })
}

/// One-sided p of the t test that the mean is not above `bound`; none of fewer than two numbers.
pub fn t_above_p(numbers: &[f64], bound: f64) -> Option<f64> {
    let (mean, error, student) = t_parts(numbers)?;
    Some(tail_above(mean, error, bound, student))
}

fn tail_above(mean: f64, error: f64, bound: f64, student: StudentsT) -> f64 {
    if mean == bound {
        0.5
    } else if error == 0.0 {
        f64::from(u8::from(mean < bound))
    } else {
        student.sf((mean - bound) / error)
    }
}

/// As [`t_above_p`], for the mean without the fifth of the numbers at either end (rounded down):
/// Yuen's trimmed t with the winsorised variance (Yuen and Dixon 1973, Biometrika 60; Wilcox,
/// Introduction to Robust Estimation, 4.3). One launch in which something else ran then does not
/// silence all others. None of fewer than two numbers.
pub fn trimmed_t_above_p(numbers: &[f64], bound: f64) -> Option<f64> {
    let (mean, error, student) = trimmed_t_parts(numbers)?;
    Some(tail_above(mean, error, bound, student))
}

/// The trimmed mean with its t interval, that of [`trimmed_t_above_p`]; none of fewer than two
/// numbers.
pub fn trimmed_t_interval(numbers: &[f64], confidence: f64) -> Option<Located> {
    let (value, error, student) = trimmed_t_parts(numbers)?;
    let reach = student.inverse_cdf(0.5 + confidence / 2.0) * error;
    Some(Located { value, low: value - reach, high: value + reach })
}

fn trimmed_t_parts(numbers: &[f64]) -> Option<(f64, f64, StudentsT)> {
    let cut = numbers.len() / 5;
    if cut == 0 {
        return t_parts(numbers);
    }
    let mut sorted = numbers.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let kept = sorted.len() - 2 * cut;
    let mean = sorted[cut..cut + kept].iter().sum::<f64>() / kept as f64;
    let (low, high) = (sorted[cut], sorted[cut + kept - 1]);
    for number in &mut sorted {
        *number = number.clamp(low, high);
    }
    let centre = sorted.iter().sum::<f64>() / sorted.len() as f64;
    let squares: f64 = sorted.iter().map(|number| (number - centre).powi(2)).sum();
    let error = (squares / (kept as f64 * (kept as f64 - 1.0))).sqrt();
    Some((mean, error, StudentsT::new(0.0, 1.0, kept as f64 - 1.0).ok()?))
}

/// Mean, its standard error, and the t distribution that belongs to it.
fn t_parts(numbers: &[f64]) -> Option<(f64, f64, StudentsT)> {
    let count = numbers.len() as f64;
    let student = StudentsT::new(0.0, 1.0, count - 1.0).ok()?;
    let mean = numbers.iter().sum::<f64>() / count;
    let squares: f64 = numbers.iter().map(|number| (number - mean).powi(2)).sum();
    Some((mean, (squares / (count - 1.0) / count).sqrt(), student))
}

/// Half-width of an interval -> the distance from no effect that is found with a power of 80 %.
pub fn detectable(half_width: f64, confidence: f64) -> f64 {
    let normal = Normal::standard();
    half_width * (1.0 + normal.inverse_cdf(0.8) / normal.inverse_cdf(0.5 + confidence / 2.0))
}

/// Probability that the rank sum of `count` numbers without a centre but 0 is at most `sum`.
fn rank_sum_at_most(count: usize, sum: usize) -> f64 {
    let largest = count * (count + 1) / 2;
    if sum >= largest {
        return 1.0;
    }
    if count < EXACT.len() {
        let lower_half = EXACT[count].get_or_init(|| exact_lower_half(count));
        return match lower_half.get(sum) {
            Some(&probability) => probability,
            None => 1.0 - lower_half[largest - sum - 1],
        };
    }
    let n = count as f64;
    let (mean, variance) = (n * (n + 1.0) / 4.0, n * (n + 1.0) * (2.0 * n + 1.0) / 24.0);
    Normal::standard().cdf((sum as f64 + 0.5 - mean) / variance.sqrt())
}

/// For each count of numbers up to 200, what [`exact_lower_half`] says: a run asks again and again.
static EXACT: [OnceLock<Vec<f64>>; 201] = [const { OnceLock::new() }; 201];

/// Probability that the rank sum is at most 0, 1, .. up to half of the largest.
fn exact_lower_half(count: usize) -> Vec<f64> {
    let half = count * (count + 1) / 4;
    let mut probability = vec![0.0; half + 1];
    probability[0] = 1.0;
    for rank in 1..=count {
        for sum in (0..=half).rev() {
            let without = probability[sum];
            let with = if sum >= rank { probability[sum - rank] } else { 0.0 };
            probability[sum] = 0.5 * (without + with);
        }
    }
    let mut total = 0.0;
    for entry in &mut probability {
        total += *entry;
        *entry = total;
    }
    probability
}

/// The means of all pairs of some numbers (Walsh averages), never written out: of n numbers there
/// are n (n + 1) / 2.
struct PairMeans {
    sorted: Vec<f64>,
}

impl PairMeans {
    fn of(numbers: &[f64]) -> PairMeans {
        let mut sorted = numbers.to_vec();
        sorted.sort_unstable_by(f64::total_cmp);
        PairMeans { sorted }
    }

    fn count(&self) -> usize {
        self.sorted.len() * (self.sorted.len() + 1) / 2
    }

    fn at_most(&self, limit: f64) -> usize {
        self.while_true(|mean| mean <= limit)
    }

    fn below(&self, limit: f64) -> usize {
        self.while_true(|mean| mean < limit)
    }

    /// How many means satisfy a condition that, as the mean grows, turns false once. Walks along
    /// the edge between the two: the larger the one number of a pair, the smaller the other.
    fn while_true(&self, holds: impl Fn(f64) -> bool) -> usize {
        let mut end = self.sorted.len();
        let mut count = 0;
        for (index, &small) in self.sorted.iter().enumerate() {
            while end > index && !holds(middle(small, self.sorted[end - 1])) {
                end -= 1;
            }
            if end <= index {
                break;
            }
            count += end - index;
        }
        count
    }

    /// The mean at that place, from 0, if they were sorted: found by halving the range of all
    /// floating-point numbers, in which it is one.
    fn nth(&self, place: usize) -> f64 {
        let mut low = order(self.sorted[0]);
        let mut high = order(self.sorted[self.sorted.len() - 1]);
        while low < high {
            let between = low + (high.wrapping_sub(low) as u64 / 2) as i64;
            if self.at_most(number_at(between)) > place {
                high = between;
            } else {
                low = between + 1;
            }
        }
        // Of the two zeros, the positive one.
        number_at(low) + 0.0
    }
}

/// The mean of two numbers; grows with both, also after rounding.
fn middle(one: f64, other: f64) -> f64 {
    0.5 * one + 0.5 * other
}

/// Place of a number in the order of all floating-point numbers.
fn order(number: f64) -> i64 {
    let bits = number.to_bits() as i64;
    bits ^ (((bits >> 63) as u64) >> 1) as i64
}

/// The number at that place: the inverse of [`order`].
fn number_at(place: i64) -> f64 {
    f64::from_bits((place ^ (((place >> 63) as u64) >> 1) as i64) as u64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::Deserialize;

    use super::*;

    /// Made by tests/data/statistics.py from scipy, numpy and exact integers.
    const KNOWN: &str = include_str!("../../tests/data/statistics.json");

    #[derive(Deserialize)]
    struct Known {
        locations: Vec<Location>,
    }

    #[derive(Deserialize)]
    struct Location {
        numbers: Vec<f64>,
        hodges_lehmann: f64,
        interval_95: Option<(f64, f64)>,
        interval_99: Option<(f64, f64)>,
        signed_rank_p: f64,
        t_low: f64,
        t_high: f64,
        t_p: f64,
    }

    fn assert_close(found: f64, known: f64, what: &str) {
        assert!(
            (found - known).abs() <= 1e-9 * (1.0 + known.abs()),
            "{what}: {found}, not {known}"
        );
    }

    #[test]
    fn known_answers() {
        let known: Known = serde_json::from_str(KNOWN).unwrap();
        assert!(known.locations.iter().any(|location| location.numbers.len() > 200));
        for location in known.locations {
            let numbers = &location.numbers;
            let what = format!("of {} numbers", numbers.len());
            assert_close(hodges_lehmann(numbers).unwrap(), location.hodges_lehmann, &what);
            assert_close(signed_rank_p(numbers), location.signed_rank_p, &what);
            if numbers.len() <= 200 {
                for (confidence, known) in
                    [(0.95, location.interval_95), (0.99, location.interval_99)]
                {
                    let found = signed_rank_interval(numbers, confidence);
                    assert_eq!(found.is_some(), known.is_some(), "{what}");
                    if let (Some(found), Some((low, high))) = (found, known) {
                        assert_close(found.low, low, &what);
                        assert_close(found.high, high, &what);
                    }
                }
            }
            let student = t_interval(numbers, 0.95).unwrap();
            assert_close(student.low, location.t_low, &what);
            assert_close(student.high, location.t_high, &what);
            assert_close(t_p(numbers).unwrap(), location.t_p, &what);
        }
    }

    #[test]
    fn one_side_is_half_of_two() {
        let known: Known = serde_json::from_str(KNOWN).unwrap();
        for Location { numbers, .. } in known.locations {
            // Without ties with the bound.
            let bound = hodges_lehmann(&numbers).unwrap() * 0.987 - 0.0123;
            let moved: Vec<f64> = numbers.iter().map(|number| number - bound).collect();
            let turned: Vec<f64> = numbers.iter().map(|number| -number).collect();
            let (above, below) = (above_p(&numbers, bound), above_p(&turned, -bound));
            assert_close((2.0 * above.min(below)).min(1.0), signed_rank_p(&moved), "ranks");
            let (above, below) = (t_above_p(&numbers, bound), t_above_p(&turned, -bound));
            let both = 2.0 * above.unwrap().min(below.unwrap());
            assert_close(both.min(1.0), t_p(&moved).unwrap(), "t");
        }
        assert_eq!((above_p(&[], 0.0), t_above_p(&[1.0], 0.0)), (1.0, None));
        assert_eq!((above_p(&[0.5; 8], 0.5), t_above_p(&[0.5; 8], 0.5)), (1.0, Some(0.5)));
        assert_eq!((above_p(&[0.6; 8], 0.5), t_above_p(&[0.6; 8], 0.5)), (1.0 / 256.0, Some(0.0)));
    }

    /// Of 1 .. 10 and 1000 in place of 10, two go at either end: the mean of 3 .. 8 is 5.5, the
    /// winsorised squares are 2 * 3 * 2.5^2 + 2 * (1.5^2 + 0.5^2) = 42.5, the error
    /// (42.5 / 6 / 5)^(1/2) = 1.190, t = 2.5 / 1.190 = 2.1004 with 5 degrees of freedom: 0.04486.
    #[test]
    fn trimmed_means_do_not_see_the_ends() {
        let numbers: Vec<f64> = (1..=10).map(f64::from).collect();
        let found = trimmed_t_above_p(&numbers, 3.0).unwrap();
        assert!((found - 0.044_861).abs() < 1e-5, "{found}");
        let mut wild = numbers.clone();
        wild[9] = 1000.0;
        assert_eq!(trimmed_t_above_p(&wild, 3.0), Some(found));
        assert!(t_above_p(&wild, 3.0).unwrap() > 0.15);
        let few = &numbers[..4];
        assert_eq!(trimmed_t_above_p(few, 1.0), t_above_p(few, 1.0));
        assert_eq!((trimmed_t_above_p(&[1.0], 0.0), trimmed_t_above_p(&[], 0.0)), (None, None));
        assert_eq!(trimmed_t_above_p(&[0.5; 8], 0.4), Some(0.0));
        // The bound of one tail is that of an interval with twice that error.
        let interval = trimmed_t_interval(&wild, 1.0 - 2.0 * found).unwrap();
        assert!((interval.low - 3.0).abs() < 1e-9 && interval.value == 5.5, "{interval:?}");
    }

    #[test]
    fn nothing_and_next_to_nothing() {
        assert_eq!((median(&[]), hodges_lehmann(&[])), (None, None));
        assert_eq!(signed_rank_interval(&[], 0.95), None);
        assert_eq!((signed_rank_p(&[]), t_p(&[]), t_interval(&[], 0.95)), (1.0, None, None));
        assert_eq!((median(&[3.0]), hodges_lehmann(&[3.0])), (Some(3.0), Some(3.0)));
        assert_eq!((signed_rank_p(&[3.0]), t_p(&[3.0])), (1.0, None));
        assert_eq!(hodges_lehmann(&[1.0, 2.0]), Some(1.5));
        assert_eq!([0.95, 0.99].map(signed_rank_needs), [6, 8]);
    }

    #[test]
    fn equal_numbers_leave_no_doubt_and_zeros_no_effect() {
        let interval = signed_rank_interval(&[0.5; 8], 0.95).unwrap();
        assert_eq!((interval.low, interval.value, interval.high), (0.5, 0.5, 0.5));
        assert_eq!(signed_rank_p(&[0.5; 8]), 2.0 * 0.5f64.powi(8));
        assert_eq!((t_p(&[0.5; 8]), t_p(&[0.0; 8])), (Some(0.0), Some(1.0)));
        assert_eq!(signed_rank_p(&[0.0; 8]), 1.0);
        assert_eq!(signed_rank_p(&[-0.0, 0.0, -0.0]), 1.0);
    }

    /// At the change from the exact distribution to the approximation nothing jumps.
    #[test]
    fn the_approximation_meets_the_exact_distribution() {
        let numbers: Vec<f64> = (0..201).map(|n| f64::from(n * 7919 % 201) - 96.0).collect();
        let (exact, near) = (signed_rank_p(&numbers[..200]), signed_rank_p(&numbers));
        assert!((exact - near).abs() < 0.05, "{exact} {near}");
        let exact = signed_rank_interval(&numbers[..200], 0.95).unwrap();
        let near = signed_rank_interval(&numbers, 0.95).unwrap();
        assert!((exact.low - near.low).abs() < 1.0 && (exact.high - near.high).abs() < 1.0);
    }

    #[test]
    fn detectable_is_beyond_the_half_width() {
        // (1.96 + 0.84) / 1.96
        assert!((detectable(1.0, 0.95) - 1.4294).abs() < 1e-4);
    }

    /// Numbers with ties and zeros among them.
    fn numbers() -> impl Strategy<Value = Vec<f64>> {
        let number = prop_oneof![-1e3..1e3, (-3..3i32).prop_map(f64::from)];
        proptest::collection::vec(number, 0..40)
    }

    proptest! {
        #[test]
        fn pair_means_are_picked_as_if_they_were_written_out(numbers in numbers()) {
            let mut pairs: Vec<f64> = Vec::new();
            for (index, one) in numbers.iter().enumerate() {
                pairs.extend(numbers[index..].iter().map(|other| middle(*one, *other)));
            }
            pairs.sort_unstable_by(f64::total_cmp);
            let found = PairMeans::of(&numbers);
            prop_assert_eq!(found.count(), pairs.len());
            for (place, &pair) in pairs.iter().enumerate() {
                prop_assert_eq!(found.nth(place), pair);
            }
            prop_assert_eq!(found.below(0.0), pairs.iter().filter(|&&pair| pair < 0.0).count());
            prop_assert_eq!(found.at_most(0.0), pairs.iter().filter(|&&pair| pair <= 0.0).count());
        }

        #[test]
        fn the_test_rejects_exactly_what_the_interval_leaves_out(
            numbers in numbers(),
            confidence in prop_oneof![Just(0.9), Just(0.95), Just(0.99)],
        ) {
            if let Some(interval) = signed_rank_interval(&numbers, confidence) {
                let outside = interval.low > 0.0 || interval.high < 0.0;
                let rejected = signed_rank_p(&numbers) <= 1.0 - confidence + 1e-12;
                prop_assert_eq!(outside, rejected, "{:?}", interval);
                prop_assert!(interval.low <= interval.value && interval.value <= interval.high);
            } else {
                prop_assert!(numbers.len() < signed_rank_needs(confidence));
            }
        }

        #[test]
        fn turning_the_signs_turns_everything(numbers in numbers()) {
            let turned: Vec<f64> = numbers.iter().map(|number| -number).collect();
            prop_assert_eq!(hodges_lehmann(&numbers).map(|v| -v), hodges_lehmann(&turned));
            prop_assert_eq!(signed_rank_p(&numbers), signed_rank_p(&turned));
            if let (Some(one), Some(other)) =
                (signed_rank_interval(&numbers, 0.95), signed_rank_interval(&turned, 0.95))
            {
                prop_assert_eq!((one.low, one.high), (-other.high, -other.low));
            }
        }

        #[test]
        fn shifting_and_stretching_go_through(
            numbers in numbers(), shift in -10.0..10.0f64, factor in 0.01..100.0f64,
        ) {
            let moved: Vec<f64> = numbers.iter().map(|number| number * factor + shift).collect();
            if let (Some(one), Some(other)) =
                (signed_rank_interval(&numbers, 0.95), signed_rank_interval(&moved, 0.95))
            {
                for (one, other) in
                    [(one.low, other.low), (one.value, other.value), (one.high, other.high)]
                {
                    let expected: f64 = one * factor + shift;
                    prop_assert!((expected - other).abs() < 1e-6 * (1.0 + factor));
                }
            }
        }

        #[test]
        fn more_confidence_is_a_wider_interval(numbers in numbers()) {
            if let (Some(one), Some(other)) =
                (signed_rank_interval(&numbers, 0.95), signed_rank_interval(&numbers, 0.99))
            {
                prop_assert!(other.low <= one.low && one.high <= other.high);
            }
        }
    }
}
