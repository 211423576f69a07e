//! JSON as `hyperfine --export-json` writes it, with every sample.
//!
//! The fields are those of hyperfine 1.19: times in seconds, floating point. Samples are written
//! one by one, never gathered as text: a million of them take four bytes each.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

use serde::ser::{Serialize, Serializer};

use super::Left;
use crate::analyse::quantiles::quantile;
use crate::analyse::timeline::{self, Timeline};
use crate::analyse::values::Values;
use crate::model::interval::Interval;
use crate::model::knob;
use crate::model::row::Role;
use crate::model::units::Size;
use crate::show::formats::{Failure, Shown};
use crate::show::units;

/// Writes that interval of each subject.
///
/// # Errors
///
/// If the directory cannot be read, or the writer fails.
pub fn write(shown: Shown<'_>, interval: Interval, out: &mut dyn Write) -> Result<Left, Failure> {
    let lines = timeline::read(shown.directory, interval)?;
    let mut left = super::others(lines.iter().map(|l| (l.variant.label.as_str(), l.variant.role)));
    let subjects: Vec<&Timeline> =
        lines.iter().filter(|line| line.variant.role == Role::Subject).collect();
    for line in &subjects {
        let label = &line.variant.label;
        if line.failed > 0 {
            let samples = units::plural(line.failed as u64, "sample", "samples");
            left.push(format!("{samples} of {label} failed, and have no time"));
        }
        if line.values.is_empty() {
            left.push(format!("{label} has no sample of {}", interval.word()));
        } else if line.unstamped > 0 {
            let samples = units::plural(line.unstamped as u64, "sample", "samples");
            left.push(format!("{samples} of {label} did not stamp {}", interval.word()));
        }
    }
    let measured: Vec<&Timeline> =
        subjects.into_iter().filter(|line| !line.values.is_empty()).collect();
    let parameters = parameters(&measured);
    let results = measured.iter().zip(parameters);
    let results = results.map(|(line, parameters)| Entry::of(line, parameters)).collect();
    serde_json::to_writer_pretty(&mut *out, &Document { results }).map_err(std::io::Error::from)?;
    out.write_all(b"\n")?;
    Ok(left)
}

#[derive(serde::Serialize)]
struct Document<'a> {
    results: Vec<Entry<'a>>,
}

/// The fields in the order in which hyperfine writes them.
#[derive(serde::Serialize)]
struct Entry<'a> {
    command: &'a str,
    mean: f64,
    /// None of a single sample.
    stddev: Option<f64>,
    median: f64,
    /// Not measured: the processor time of the child is not known.
    user: Option<f64>,
    system: Option<f64>,
    min: f64,
    max: f64,
    times: Times<'a>,
    exit_codes: Zeros,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    parameters: BTreeMap<String, String>,
}

impl<'a> Entry<'a> {
    fn of(line: &'a Timeline, parameters: BTreeMap<String, String>) -> Entry<'a> {
        let count = line.values.len() as f64;
        let mean = line.values.iter().map(|value| value as f64).sum::<f64>() / count;
        let squares: f64 = line.values.iter().map(|value| (value as f64 - mean).powi(2)).sum();
        let sorted = line.values.clone().sorted();
        Entry {
            command: &line.variant.label,
            mean: mean / 1e9,
            stddev: (count > 1.0).then(|| (squares / (count - 1.0)).sqrt() / 1e9),
            median: quantile(&sorted, 0.5).unwrap_or_default() / 1e9,
            user: None,
            system: None,
            min: sorted.get(0) as f64 / 1e9,
            max: sorted.get(sorted.len() - 1) as f64 / 1e9,
            times: Times(&line.values),
            exit_codes: Zeros(line.values.len()),
            parameters,
        }
    }
}

/// Samples in seconds, written as they come.
struct Times<'a>(&'a Values);

impl Serialize for Times<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|value| value as f64 / 1e9))
    }
}

/// So many exit codes: only samples that went well are eligible.
struct Zeros(usize);

impl Serialize for Zeros {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(std::iter::repeat_n(0u8, self.0))
    }
}

/// For each of these, the knobs in which they differ: what hyperfine calls parameters. Sizes are
/// bytes, since its scripts take numbers.
fn parameters(lines: &[&Timeline]) -> Vec<BTreeMap<String, String>> {
    let settings: Vec<BTreeMap<String, String>> =
        lines.iter().map(|line| super::knobs(&line.variant, None).into_iter().collect()).collect();
    let names: BTreeSet<&String> = settings.iter().flat_map(BTreeMap::keys).collect();
    let value = |of: &BTreeMap<String, String>, name: &str| {
        let value = of.get(name).cloned().unwrap_or_else(|| default(name));
        match value.parse::<Size>() {
            Ok(size) if knob::is_size(name) => size.bytes().to_string(),
            _ => value,
        }
    };
    let differ = |name: &&String| {
        let mut values = settings.iter().map(|of| value(of, name));
        let first = values.next();
        values.any(|value| Some(value) != first)
    };
    let names: Vec<&String> = names.into_iter().filter(differ).collect();
    settings
        .iter()
        .map(|of| names.iter().map(|name| ((*name).clone(), value(of, name))).collect())
        .collect()
}

fn default(name: &str) -> String {
    knob::find(name).map_or_else(String::new, |knob| (knob.get)(&Default::default()))
}
