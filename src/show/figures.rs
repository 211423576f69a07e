//! Every figure of a run in flat rows, one per variant and interval or column, for machines to read.
//!
//! The order of the fields is the order of the columns of `--format csv` and the names are public
//! contract: they are only ever added.

use serde::Serialize;

use crate::analyse::columns::{ColumnSummary, Entry, Unit};
use crate::analyse::contrasts::{Bounds, Contrast};
use crate::analyse::quantiles::Figure;
use crate::analyse::summary::{IntervalSummary, Summary, VariantSummary};
use crate::model::row::Role;
use crate::model::workload::{self, Column};
use crate::show::units;

/// One interval of one variant, or one column of its workload. What is not available is an empty
/// cell, or null. Times are in nanoseconds, to a tenth; `low` and `high` bound them at the
/// confidence of the summary.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Record {
    /// Its short name, unique in the run.
    pub label: String,
    /// Why it is in the run.
    pub role: Role,
    /// Canonical label of the parent's shape.
    pub shape: String,
    /// The way the process is made.
    pub mechanism: String,
    /// All knobs that are not default.
    pub settings: String,
    /// The word for the interval; of a column of a workload, what it is made of:
    /// `rewrite.p50/pages.parent@work`.
    pub interval: String,
    /// Samples that the statistics are made of.
    pub n: usize,
    /// Shortest sample.
    pub min_ns: Option<u64>,
    /// Median.
    pub p50_ns: Option<f64>,
    /// Lower bound of the median.
    pub p50_low_ns: Option<f64>,
    /// Upper bound of the median.
    pub p50_high_ns: Option<f64>,
    /// 90th percentile.
    pub p90_ns: Option<f64>,
    /// Lower bound of it.
    pub p90_low_ns: Option<f64>,
    /// Upper bound of it.
    pub p90_high_ns: Option<f64>,
    /// 95th percentile.
    pub p95_ns: Option<f64>,
    /// Lower bound of it.
    pub p95_low_ns: Option<f64>,
    /// Upper bound of it.
    pub p95_high_ns: Option<f64>,
    /// 99th percentile.
    pub p99_ns: Option<f64>,
    /// Lower bound of it.
    pub p99_low_ns: Option<f64>,
    /// Upper bound of it.
    pub p99_high_ns: Option<f64>,
    /// Longest sample.
    pub max_ns: Option<u64>,
    /// Median of the first spawns after the caches were scrubbed.
    pub cold_p50_ns: Option<f64>,
    /// Median of the same setup in an empty parent.
    pub if_empty_p50_ns: Option<f64>,
    /// Label of what it is compared with.
    pub versus: Option<String>,
    /// How many times as long, at the median.
    pub ratio_p50: Option<f64>,
    /// Lower bound of it.
    pub ratio_p50_low: Option<f64>,
    /// Upper bound of it.
    pub ratio_p50_high: Option<f64>,
    /// How many times as long, at the 95th percentile.
    pub ratio_p95: Option<f64>,
    /// Lower bound of it.
    pub ratio_p95_low: Option<f64>,
    /// Upper bound of it.
    pub ratio_p95_high: Option<f64>,
    /// Minor faults of the parent per spawn, until it has reaped the child (the commonest number).
    pub parent_minor_faults: Option<u64>,
    /// Minor faults of the parent as it writes its memory again.
    pub rewrite_minor_faults: Option<u64>,
    /// Minor faults of the child per spawn.
    pub child_minor_faults: Option<u64>,
    /// What a turn does.
    pub workload: String,
    /// Of a column of a workload, what its figure is counted in: `ns`, `bytes`, `count`, or one of
    /// them with `/s`.
    pub unit: Option<String>,
    /// The figure of a column.
    pub value: Option<f64>,
    /// Lower bound of it; of the largest value, the smallest that a launch has.
    pub value_low: Option<f64>,
    /// Upper bound of it; of the largest value, the largest that a launch has.
    pub value_high: Option<f64>,
    /// A word in place of a figure that would make no sense: `saturated`.
    pub word: Option<&'static str>,
}

impl Record {
    /// All rows of a run, in the order of its variants.
    pub fn all(summary: &Summary) -> Vec<Record> {
        let of = |variant: &VariantSummary| {
            let intervals = variant.intervals.iter().map(|i| Record::new(summary, variant, i));
            intervals.chain(Record::columns(summary, variant)).collect::<Vec<Record>>()
        };
        summary.variants.iter().flat_map(of).collect()
    }

    /// The columns of the workload of a variant.
    fn columns(summary: &Summary, variant: &VariantSummary) -> Vec<Record> {
        let row = workload::find(&variant.row.workload);
        let columns = row.map_or(&[] as &[_], |row| row.columns);
        let versus = variant.versus.and_then(|number| summary.variant(number));
        let record = |(column, told): (&Column, &ColumnSummary)| {
            let (value, bounds) = match told.entry {
                Entry::Known { value, bounds } => (Some(value), bounds),
                Entry::Needs(_) | Entry::Absent | Entry::Void => (None, None),
            };
            let compared = ratio(told.versus);
            Record {
                n: variant.samples,
                versus: told.versus.and(versus).map(|other| other.row.label.clone()),
                ratio_p50: compared.map(|(value, _)| value),
                ratio_p50_low: compared.and_then(|(_, bounds)| Some(bounds?.0)),
                ratio_p50_high: compared.and_then(|(_, bounds)| Some(bounds?.1)),
                unit: Some(units::unit(Unit::of(column.of))),
                value: value.map(units::rounded),
                value_low: bounds.map(|(low, _)| units::rounded(low)),
                value_high: bounds.map(|(_, high)| units::rounded(high)),
                word: (told.entry == Entry::Void).then(|| column.word()),
                ..Record::blank(variant, column.of.text())
            }
        };
        columns.iter().zip(&variant.columns).map(record).collect()
    }

    /// A row of a variant that says nothing yet.
    fn blank(variant: &VariantSummary, interval: String) -> Record {
        let row = &variant.row;
        Record {
            label: row.label.clone(),
            role: row.role,
            shape: row.shape.clone(),
            mechanism: row.mechanism.clone(),
            settings: row.settings.clone(),
            interval,
            n: 0,
            min_ns: None,
            p50_ns: None,
            p50_low_ns: None,
            p50_high_ns: None,
            p90_ns: None,
            p90_low_ns: None,
            p90_high_ns: None,
            p95_ns: None,
            p95_low_ns: None,
            p95_high_ns: None,
            p99_ns: None,
            p99_low_ns: None,
            p99_high_ns: None,
            max_ns: None,
            cold_p50_ns: None,
            if_empty_p50_ns: None,
            versus: None,
            ratio_p50: None,
            ratio_p50_low: None,
            ratio_p50_high: None,
            ratio_p95: None,
            ratio_p95_low: None,
            ratio_p95_high: None,
            parent_minor_faults: None,
            rewrite_minor_faults: None,
            child_minor_faults: None,
            workload: row.workload.clone(),
            unit: None,
            value: None,
            value_low: None,
            value_high: None,
            word: None,
        }
    }

    fn new(summary: &Summary, variant: &VariantSummary, interval: &IntervalSummary) -> Record {
        let [p50, p90, p95, p99] =
            [interval.p50, interval.p90, interval.p95, interval.p99].map(Figure::known);
        let median = |figure: Option<Figure>| Some(tenths(figure?.known()?.value));
        let versus = variant.versus.and_then(|number| summary.variant(number));
        let [ratio_p50, ratio_p95] = [interval.versus_p50, interval.versus_p95].map(ratio);
        let faults = &variant.faults;
        Record {
            n: interval.count,
            min_ns: interval.min,
            p50_ns: p50.map(|q| tenths(q.value)),
            p50_low_ns: p50.map(|q| tenths(q.low)),
            p50_high_ns: p50.map(|q| tenths(q.high)),
            p90_ns: p90.map(|q| tenths(q.value)),
            p90_low_ns: p90.map(|q| tenths(q.low)),
            p90_high_ns: p90.map(|q| tenths(q.high)),
            p95_ns: p95.map(|q| tenths(q.value)),
            p95_low_ns: p95.map(|q| tenths(q.low)),
            p95_high_ns: p95.map(|q| tenths(q.high)),
            p99_ns: p99.map(|q| tenths(q.value)),
            p99_low_ns: p99.map(|q| tenths(q.low)),
            p99_high_ns: p99.map(|q| tenths(q.high)),
            max_ns: interval.max,
            cold_p50_ns: median(interval.cold_p50),
            if_empty_p50_ns: median(interval.if_empty_p50),
            versus: versus.map(|other| other.row.label.clone()),
            ratio_p50: ratio_p50.map(|(value, _)| value),
            ratio_p50_low: ratio_p50.and_then(|(_, bounds)| Some(bounds?.0)),
            ratio_p50_high: ratio_p50.and_then(|(_, bounds)| Some(bounds?.1)),
            ratio_p95: ratio_p95.map(|(value, _)| value),
            ratio_p95_low: ratio_p95.and_then(|(_, bounds)| Some(bounds?.0)),
            ratio_p95_high: ratio_p95.and_then(|(_, bounds)| Some(bounds?.1)),
            parent_minor_faults: faults.parent.map(|count| count.mode),
            rewrite_minor_faults: faults.rewrite.map(|count| count.mode),
            child_minor_faults: faults.child.map(|count| count.mode),
            ..Record::blank(variant, interval.interval.word().to_owned())
        }
    }
}

/// Nanoseconds to a tenth: a quantile lies between two whole ones, and further digits are but
/// those of its computation.
fn tenths(nanoseconds: f64) -> f64 {
    (nanoseconds * 10.0).round() / 10.0
}

/// A ratio and its bounds, of what could be compared.
fn ratio(contrast: Option<Contrast>) -> Option<(f64, Option<(f64, f64)>)> {
    match contrast? {
        Contrast::NotShown(_) => None,
        Contrast::Shown(ratio) => Some((
            ratio.value,
            match ratio.bounds {
                Bounds::Between { low, high } => Some((low, high)),
                Bounds::Needs { .. } => None,
            },
        )),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn quantiles_carry_no_digits_of_their_computation() {
        assert_eq!(super::tenths(212_830.150_000_000_6), 212_830.2);
        assert_eq!(super::tenths(20.0), 20.0);
    }
}
