//! How the samples of each variant and length are distributed, in bounded memory.
//!
//! Owns the way from a million samples to the few hundred points a picture needs. Judges nothing.

use std::collections::BTreeMap;

use hdrhistogram::Histogram;

use crate::analyse::cells::{Cell, Cells};
use crate::model::interval::Interval;

/// The distributions of a run: of the samples that its statistics are made of.
#[derive(Clone, Debug, Default)]
pub struct Distributions(BTreeMap<(u32, Length), Histogram<u64>>);

/// What is distributed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Length {
    /// An interval of a spawn.
    Interval(Interval),
    /// The length of that name, which a workload times or counts.
    Reading(String),
}

/// A point of a distribution.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// Share of the samples that do not exceed the value, 0 to 1.
    pub share: f64,
    /// The value in nanoseconds.
    pub nanoseconds: f64,
}

impl Distributions {
    /// The distributions of every variant and length that has samples.
    pub fn of(cells: &Cells) -> Distributions {
        let mut distributions = Distributions::default();
        for (index, variant) in cells.variants.iter().enumerate() {
            let mut add = |length: Length, cell: &Cell| {
                for (value, count) in cell.pooled().runs() {
                    distributions.add_many(variant.variant, &length, value, count as u64);
                }
            };
            for interval in Interval::ALL {
                add(Length::Interval(interval), cells.cell(index, interval));
            }
            for (reading, cell) in cells.lengths(index) {
                add(Length::Reading(reading.clone()), cell);
            }
        }
        distributions
    }

    /// Adds one sample, in nanoseconds.
    pub fn add(&mut self, variant: u32, interval: Interval, nanoseconds: u64) {
        self.add_many(variant, &Length::Interval(interval), nanoseconds, 1);
    }

    /// Adds that many samples of one length, in nanoseconds.
    pub fn add_many(&mut self, variant: u32, length: &Length, nanoseconds: u64, count: u64) {
        self.0
            .entry((variant, length.clone()))
            .or_insert_with(histogram)
            .record_n(nanoseconds, count)
            .expect("a histogram that grows takes every length");
    }

    /// Samples of that variant and length.
    pub fn samples(&self, variant: u32, length: &Length) -> u64 {
        self.0.get(&(variant, length.clone())).map_or(0, Histogram::len)
    }

    /// The distribution of that variant and length; none without samples.
    pub fn histogram(&self, variant: u32, length: &Length) -> Option<&Histogram<u64>> {
        self.0.get(&(variant, length.clone()))
    }

    /// The lengths of that variant that are no interval, by their names.
    pub fn readings(&self, variant: u32) -> impl Iterator<Item = &str> {
        self.0.keys().filter_map(move |(own, length)| match length {
            Length::Reading(reading) if *own == variant => Some(reading.as_str()),
            _ => None,
        })
    }

    /// The distribution of that variant and length in a few hundred points at most, the smallest
    /// and the largest value among them; none without samples. Both coordinates rise.
    pub fn steps(&self, variant: u32, length: &Length) -> Option<Vec<Step>> {
        let histogram = self.0.get(&(variant, length.clone()))?;
        let mut steps: Vec<Step> = Vec::new();
        for share in shares(histogram.len()) {
            // Quantile 0 would be the upper end of the lowest bucket.
            let value =
                if share == 0.0 { histogram.min() } else { histogram.value_at_quantile(share) };
            let nanoseconds = value as f64;
            match steps.last_mut() {
                Some(last) if last.nanoseconds >= nanoseconds => last.share = share,
                _ => steps.push(Step { share, nanoseconds }),
            }
        }
        Some(steps)
    }
}

/// Where a distribution of so many samples is looked at: evenly, and above 99 % evenly in the
/// logarithm of what is left, as far as single samples.
fn shares(samples: u64) -> impl Iterator<Item = f64> {
    const EVEN: u32 = 200;
    const PER_DECADE: u32 = 30;
    let even = (0..EVEN - 1).map(|i| f64::from(i) / f64::from(EVEN));
    let decades = (samples as f64 / 100.0).log10().max(0.0);
    let tail = (0..=(decades * f64::from(PER_DECADE)) as u32)
        .map(|i| 1.0 - 0.01 * 10f64.powf(-f64::from(i) / f64::from(PER_DECADE)));
    even.chain(tail).chain([1.0])
}

/// Three significant digits from a nanosecond up, growing with what is recorded.
fn histogram() -> Histogram<u64> {
    Histogram::new(3).expect("3 is a number of digits that hdrhistogram takes")
}

#[cfg(test)]
mod tests {
    use super::*;

    const BLOCKED: Length = Length::Interval(Interval::Blocked);

    #[test]
    fn buckets_of_many_millions_are_added_as_they_are() {
        let mut distributions = Distributions::default();
        let length = Length::Reading("bystander_ns".to_owned());
        distributions.add_many(7, &length, 100, 3_000_000_000);
        distributions.add_many(7, &length, 100_000, 3_000);
        assert_eq!(distributions.samples(7, &length), 3_000_003_000);
        let steps = distributions.steps(7, &length).unwrap();
        assert_eq!(steps.len(), 2, "{steps:?}");
        assert!(steps[0].share > 0.99999 && steps[1].nanoseconds >= 100_000.0);
        assert_eq!(distributions.readings(7).collect::<Vec<_>>(), ["bystander_ns"]);
    }

    #[test]
    fn a_million_samples_become_a_few_hundred_rising_points() {
        let mut distributions = Distributions::default();
        for blocked in 1..=1_000_000 {
            distributions.add(7, Interval::Blocked, blocked);
        }
        let steps = distributions.steps(7, &BLOCKED).unwrap();
        assert!((200..400).contains(&steps.len()), "{}", steps.len());
        assert!(steps.is_sorted_by(|a, b| a.share < b.share && a.nanoseconds < b.nanoseconds));
        assert_eq!(steps[0], Step { share: 0.0, nanoseconds: 1.0 });
        assert_eq!(steps.last().unwrap().share, 1.0);
        for step in &steps {
            // What is uniform has its quantiles where its shares are; three digits are kept.
            assert!((step.nanoseconds / 1e6 - step.share).abs() <= 0.001, "{step:?}");
        }
        assert_eq!(distributions.samples(7, &BLOCKED), 1_000_000);
        assert_eq!(distributions.steps(7, &Length::Interval(Interval::Image)), None);
    }

    #[test]
    fn one_sample_is_one_point() {
        let mut distributions = Distributions::default();
        distributions.add(7, Interval::Blocked, 42);
        let steps = distributions.steps(7, &BLOCKED).unwrap();
        assert_eq!(steps, [Step { share: 1.0, nanoseconds: 42.0 }]);
    }
}
