//! Quantiles of pooled samples, with intervals that assume no distribution.
//!
//! The interval of a quantile runs from one measured value to another; which ones, the binomial
//! distribution says exactly. It takes the samples as independent, which samples of one parent are
//! not quite: it describes these samples. What the next run will show, the launch medians tell.

use statrs::distribution::{Binomial, DiscreteCDF};

use super::values::Values;

/// A quantile of the samples of one variant: the number, or how many samples it would take.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Figure {
    /// There are samples enough.
    Known(Quantile),
    /// There are too few for an interval at the confidence asked for.
    Needs {
        /// The samples it takes.
        needed: usize,
        /// The samples there are.
        count: usize,
    },
}

/// A sample quantile with its order-statistic interval, all in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quantile {
    /// The quantile itself, interpolated between its two neighbours (Hyndman and Fan, type 7).
    pub value: f64,
    /// Lower end of the interval: a value that was measured.
    pub low: f64,
    /// Upper end of the interval: a value that was measured.
    pub high: f64,
}

impl Figure {
    /// The quantile `q` (0 < q < 1) of sorted values, with its interval at that confidence.
    pub fn of(sorted: &Values, q: f64, confidence: f64) -> Figure {
        let count = sorted.len();
        match (quantile(sorted, q), order_interval(count, q, confidence)) {
            (Some(value), Some((low, high))) => Figure::Known(Quantile {
                value,
                low: sorted.get(low) as f64,
                high: sorted.get(high) as f64,
            }),
            _ => Figure::Needs { needed: samples_needed(q, confidence), count },
        }
    }

    /// The quantile, if there are samples enough.
    pub fn known(self) -> Option<Quantile> {
        match self {
            Figure::Known(quantile) => Some(quantile),
            Figure::Needs { .. } => None,
        }
    }
}

/// The quantile `q` of sorted values, interpolated (Hyndman and Fan, type 7, as numpy and R do by
/// default); 1 is the largest; none of no values.
pub fn quantile(sorted: &Values, q: f64) -> Option<f64> {
    if q >= 1.0 {
        return sorted.max().map(|value| value as f64);
    }
    let last = sorted.len().checked_sub(1)?;
    let place = q * last as f64;
    let below = (place.floor() as usize).min(last);
    let low = sorted.get(below) as f64;
    let high = sorted.get((below + 1).min(last)) as f64;
    Some(low + (place - below as f64) * (high - low))
}

/// The same of values in any order, in less time than it takes to sort them.
pub fn quantile_of_unsorted(mut values: Values, q: f64) -> Option<f64> {
    let last = values.len().checked_sub(1)?;
    values.settle(((q * last as f64).floor() as usize).min(last));
    quantile(&values, q)
}

/// Places (from 0) of the two order statistics of `count` values between which the quantile `q`
/// lies with at least that confidence, whatever the distribution; none if `count` is too small.
///
/// Each end may err with half of what the confidence leaves. Where even the outermost value errs
/// with more, as the largest does for a p95 of 60 values, it gets what it needs and the other end
/// the rest.
pub fn order_interval(count: usize, q: f64, confidence: f64) -> Option<(usize, usize)> {
    if count < samples_needed(q, confidence) {
        return None;
    }
    let below = Binomial::new(q, count as u64).ok()?;
    let error = 1.0 - confidence;
    let (all_above, all_below) = ((1.0 - q).powf(count as f64), q.powf(count as f64));
    let (low_error, high_error) = if all_below > error / 2.0 {
        (error - all_below, all_below)
    } else if all_above > error / 2.0 {
        (all_above, error - all_above)
    } else {
        (error / 2.0, error / 2.0)
    };
    // The value at `place` is above the quantile if at most `place` values are below it.
    let high_places = first(count, |place| below.cdf(place as u64) > low_error);
    let high = first(count - 1, |place| below.sf(place as u64) <= high_error);
    Some((high_places.saturating_sub(1), high))
}

/// Fewest values of which the range, smallest to largest, holds the quantile `q` with that
/// confidence: 6 for a p50 at 95 %, 59 for a p95, 299 for a p99.
pub fn samples_needed(q: f64, confidence: f64) -> usize {
    let error = 1.0 - confidence;
    let (mut all_below, mut all_above, mut count) = (q, 1.0 - q, 1);
    while all_below + all_above > error {
        all_below *= q;
        all_above *= 1.0 - q;
        count += 1;
    }
    count
}

/// The first of 0.. below `end` for which `holds`, or `end`; `holds` never turns false again.
fn first(end: usize, holds: impl Fn(usize) -> bool) -> usize {
    let (mut low, mut high) = (0, end);
    while low < high {
        let middle = low + (high - low) / 2;
        if holds(middle) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    low
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::Deserialize;

    use super::*;

    /// Made by tests/data/statistics.py from scipy and numpy.
    const KNOWN: &str = include_str!("../../tests/data/statistics.json");

    #[derive(Deserialize)]
    struct Known {
        orders: Vec<Order>,
        values: Vec<u64>,
        quantiles: Vec<Value>,
    }

    #[derive(Deserialize)]
    struct Order {
        count: usize,
        q: f64,
        places: Option<(usize, usize)>,
    }

    #[derive(Deserialize)]
    struct Value {
        count: usize,
        q: f64,
        value: f64,
    }

    #[test]
    fn order_intervals_are_those_of_the_binomial_distribution() {
        let known: Known = serde_json::from_str(KNOWN).unwrap();
        assert!(known.orders.len() > 50);
        for Order { count, q, places } in known.orders {
            assert_eq!(order_interval(count, q, 0.95), places, "{count} values, quantile {q}");
        }
    }

    #[test]
    fn quantiles_are_those_of_numpy() {
        let known: Known = serde_json::from_str(KNOWN).unwrap();
        for Value { count, q, value } in known.quantiles {
            let sorted: Values = known.values[..count].iter().copied().collect();
            let found = quantile(&sorted, q).unwrap();
            assert!((found - value).abs() < 1e-6 * value, "{count} values, {q}: {found} {value}");
        }
    }

    #[test]
    fn the_samples_needed_are_computed() {
        let needed = [0.5, 0.9, 0.95, 0.99].map(|q| samples_needed(q, 0.95));
        assert_eq!(needed, [6, 29, 59, 299]);
        assert_eq!(samples_needed(0.5, 0.99), 8);
    }

    #[test]
    fn too_few_values_say_how_many_it_takes() {
        let two: Values = [1, 2].into_iter().collect();
        assert_eq!(Figure::of(&two, 0.5, 0.95), Figure::Needs { needed: 6, count: 2 });
        assert_eq!(Figure::of(&Values::new(), 0.99, 0.95), Figure::Needs { needed: 299, count: 0 });
        assert_eq!(quantile(&Values::new(), 0.5), None);
        let six: Values = (1..=6).collect();
        let figure = Figure::of(&six, 0.5, 0.95).known().unwrap();
        assert_eq!((figure.low, figure.value, figure.high), (1.0, 3.5, 6.0));
    }

    proptest! {
        #[test]
        fn the_interval_has_its_confidence_and_holds_the_quantile(
            values in proptest::collection::vec(0..2000u64, 0..400),
            q in prop_oneof![Just(0.5), Just(0.9), Just(0.95), 0.01..0.99],
        ) {
            let count = values.len();
            let sorted = values.into_iter().collect::<Values>().sorted();
            match Figure::of(&sorted, q, 0.95) {
                Figure::Needs { needed, count: told } => {
                    prop_assert!(told == count && count < needed);
                }
                Figure::Known(figure) => {
                    prop_assert!(figure.low <= figure.value && figure.value <= figure.high);
                    let (low, high) = order_interval(count, q, 0.95).unwrap();
                    let below = Binomial::new(q, count as u64).unwrap();
                    let covered = below.cdf(high as u64) - below.cdf(low as u64);
                    prop_assert!(covered >= 0.95 - 1e-9, "{covered}");
                }
            }
        }
    }
}
