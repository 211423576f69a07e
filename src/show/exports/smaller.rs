//! JSON as github-action-benchmark takes it for `customSmallerIsBetter`: an array of `name`,
//! `unit`, `value`, `range`, `extra`.
//!
//! Holds what is worse when it grows and nothing else: times and page faults of a spawn, the times
//! that a workload is about, and its main figure unless that is a rate. Names are what a chart is
//! found again by, so they say what is measured and nothing that changes from run to run.

use std::io::Write;

use super::Left;
use crate::model::row::Role;
use crate::model::workload;
use crate::show::figures::Record;
use crate::show::formats::{Failure, Shown};
use crate::show::units;

/// Writes the figures of each subject.
///
/// # Errors
///
/// If the writer fails.
pub fn write(shown: Shown<'_>, out: &mut dyn Write) -> Result<Left, Failure> {
    let records = &shown.view.records;
    let mut left = super::others(each_once(records).into_iter());
    let mut entries = Vec::new();
    let mut rates = Vec::new();
    for record in records.iter().filter(|record| record.role == Role::Subject) {
        match &record.unit {
            None => entries.extend(interval(record)),
            Some(unit) if !grows_worse(record, unit) => {
                let name = format!("{}, {}", record.label, record.interval);
                rates.extend(record.value.map(|_| name));
            }
            Some(unit) => entries.extend(column(record, unit)),
        }
    }
    if !rates.is_empty() {
        left.push(format!("no rates and counts, of which more is not worse: {}", rates.join("; ")));
    }
    serde_json::to_writer_pretty(&mut *out, &entries).map_err(std::io::Error::from)?;
    out.write_all(b"\n")?;
    Ok(left)
}

#[derive(serde::Serialize)]
struct Entry {
    name: String,
    unit: String,
    value: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    range: Option<String>,
    extra: String,
}

/// Label and role of each variant that has a record.
fn each_once(records: &[Record]) -> Vec<(&str, Role)> {
    let mut variants: Vec<(&str, Role)> =
        records.iter().map(|record| (record.label.as_str(), record.role)).collect();
    variants.dedup();
    variants
}

/// Median and 95th percentile of an interval; of the first one also the page faults.
fn interval(record: &Record) -> Vec<Entry> {
    let n = format!("{} samples", record.n);
    let time = |percentile: &str, value: Option<f64>, low: Option<f64>, high: Option<f64>| {
        Some(Entry::new(record, percentile, "ns", value?, low.zip(high), &n))
    };
    let faults = |whose: &str, faults: Option<u64>| {
        let name = format!("{whose} minor faults");
        let about = "per spawn, the commonest number";
        Some(Entry {
            name: name_of(&record.label, &name),
            unit: "faults".to_owned(),
            value: faults? as f64,
            range: None,
            extra: about.to_owned(),
        })
    };
    let is_first = record.interval == "blocked";
    [
        time("p50", record.p50_ns, record.p50_low_ns, record.p50_high_ns),
        time("p95", record.p95_ns, record.p95_low_ns, record.p95_high_ns),
        is_first.then(|| faults("parent", record.parent_minor_faults)).flatten(),
        is_first.then(|| faults("child", record.child_minor_faults)).flatten(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Whether a column of a workload is worse when it grows: a time, or what the workload is about
/// unless that is a rate.
fn grows_worse(record: &Record, unit: &str) -> bool {
    let is_main = || {
        let row = workload::find(&record.workload);
        let main = row.and_then(|row| row.columns.iter().find(|column| column.main.is_some()));
        main.is_some_and(|column| column.of.text() == record.interval)
    };
    !unit.ends_with("/s") && (unit == "ns" || is_main())
}

fn column(record: &Record, unit: &str) -> Option<Entry> {
    // The intervals of the samples have rows of their own.
    let is_told = ["blocked.p50", "reaped.p50"].contains(&record.interval.as_str());
    let value = record.value.filter(|_| !is_told)?;
    let bounds = record.value_low.zip(record.value_high);
    Some(Entry::new(record, "", unit, value, bounds, &format!("{} samples", record.n)))
}

impl Entry {
    fn new(
        record: &Record,
        percentile: &str,
        unit: &str,
        value: f64,
        bounds: Option<(f64, f64)>,
        samples: &str,
    ) -> Entry {
        let what = format!("{} {percentile}", record.interval);
        let interval = bounds.map(|(low, high)| format!("95 % interval {low} to {high} {unit}; "));
        Entry {
            name: name_of(&record.label, what.trim_end()),
            unit: unit.to_owned(),
            value,
            // The reader takes one number: the longer side of the interval.
            range: bounds.map(|(low, high)| {
                format!("± {}", units::rounded((high - value).max(value - low).max(0.0)))
            }),
            extra: format!("{}{samples}", interval.unwrap_or_default()),
        }
    }
}

/// What a chart is named. The reader sets names between backticks in a table.
fn name_of(label: &str, what: &str) -> String {
    super::encoded(&format!("{label}, {what}"), |c| matches!(c, '`' | '|' | '<' | '>'))
}
