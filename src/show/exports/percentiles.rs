//! Percentile distributions as HdrHistogram prints them (`outputPercentileDistribution`): what its
//! plotter and others read as `.hgrm`.
//!
//! A file holds one distribution, so a run has one file for each variant and length, named after
//! both; as one text they stand below each other, each under a comment that names it. Values are in
//! nanoseconds, with three significant digits.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::Write;

use hdrhistogram::Histogram;

use super::Left;
use crate::analyse::cells::Cells;
use crate::model::interval::Interval;
use crate::model::row::Role;
use crate::show::distribution::{Distributions, Length};
use crate::show::formats::{Failure, Part, Shown};

/// Writes every distribution of every subject, below each other.
///
/// # Errors
///
/// If the directory cannot be read, or the writer fails.
pub fn write(shown: Shown<'_>, out: &mut dyn Write) -> Result<Left, Failure> {
    let (parts, left) = parts(shown)?;
    for (position, part) in parts.iter().enumerate() {
        let space = if position > 0 { "\n" } else { "" };
        write!(out, "{space}# {}\n{}", part.title, part.text)?;
    }
    if parts.is_empty() {
        writeln!(out, "# no samples")?;
    }
    Ok(left)
}

/// A file for every distribution of every subject.
///
/// # Errors
///
/// If the directory cannot be read.
pub fn parts(shown: Shown<'_>) -> Result<(Vec<Part>, Left), Failure> {
    let cells = Cells::read(shown.directory)?;
    let distributions = Distributions::of(&cells);
    let mut left = super::others(cells.variants.iter().map(|row| (row.label.as_str(), row.role)));
    left.extend(super::rounded(&cells));
    let mut parts = Vec::new();
    let mut names: BTreeSet<String> = BTreeSet::new();
    for row in cells.variants.iter().filter(|row| row.role == Role::Subject) {
        let intervals = Interval::ALL.into_iter().map(Length::Interval);
        let readings = distributions.readings(row.variant).map(str::to_owned).map(Length::Reading);
        for length in intervals.chain(readings) {
            let Some(histogram) = distributions.histogram(row.variant, &length) else { continue };
            let column = match &length {
                Length::Interval(interval) => interval.column().to_owned(),
                Length::Reading(reading) => reading.clone(),
            };
            let mut name = format!("{}.{}.hgrm", file_name(&row.label), file_name(&column));
            if !names.insert(name.to_lowercase()) {
                // Labels may differ in what no file name holds; numbers of variants do not repeat.
                name = format!(
                    "{}~{}.{}.hgrm",
                    file_name(&row.label),
                    row.variant,
                    file_name(&column)
                );
                names.insert(name.to_lowercase());
            }
            let title = format!("{}, {column}", row.label).replace(char::is_control, " ");
            parts.push(Part { name, title, text: text(histogram) });
        }
    }
    Ok((parts, left))
}

/// A text as part of a file name: letters, digits and `._=-`, the rest as `_`.
fn file_name(text: &str) -> String {
    let kept = |c: char| if c.is_alphanumeric() || "._=-".contains(c) { c } else { '_' };
    let name: String = text.chars().map(kept).take(100).collect();
    match name.strip_prefix('.') {
        Some(rest) => format!("_{rest}"),
        None => name,
    }
}

/// Points for each halving of the distance to 100 %: what HdrHistogram takes by default.
const TICKS_PER_HALF: u32 = 5;

/// What three significant digits take: the power of two above twice a thousand.
const SUB_BUCKETS: u32 = 2048;

/// A line of a distribution.
struct Step {
    /// The largest value that the bucket stands for.
    value: u64,
    /// The percentile that the line is for.
    percent: f64,
    /// Values up to and in this bucket.
    total: u64,
}

/// The lines, at the percentiles at which HdrHistogram's own iterator stops: ever denser towards
/// 100 %. (That of the crate compares quantiles where HdrHistogram compares percentages, which
/// moves some lines by a bucket.)
fn steps(histogram: &Histogram<u64>) -> Vec<Step> {
    let mut steps = Vec::new();
    let (mut total, mut percent) = (0, 0.0);
    let last = histogram.len();
    for bucket in histogram.iter_recorded() {
        let value = histogram.highest_equivalent(bucket.value_iterated_to());
        total += bucket.count_at_value();
        // A bucket may be the answer to several percentiles, and the last one is to all that follow.
        while 100.0 * total as f64 / last as f64 >= percent {
            steps.push(Step { value, percent, total });
            // Not log2, whose last digit may differ: the lines are to be the same.
            let halvings = ((100.0 / (100.0 - percent)).ln() / 2f64.ln()) as i32;
            let ticks = f64::from(TICKS_PER_HALF) * 2f64.powi(halvings + 1);
            percent += 100.0 / ticks;
            if total == last {
                break;
            }
        }
        if total == last {
            steps.push(Step { value, percent: 100.0, total });
        }
    }
    steps
}

/// A distribution as HdrHistogram prints it, byte for byte.
fn text(histogram: &Histogram<u64>) -> String {
    let mut text = format!(
        "{:>12} {:>14} {:>10} {:>14}\n\n",
        "Value", "Percentile", "TotalCount", "1/(1-Percentile)"
    );
    for step in steps(histogram) {
        let Step { value, percent, total } = step;
        let _ = write!(text, "{:12.3} {:14.12} {total:10}", value as f64, percent / 100.0);
        if percent < 100.0 {
            let _ = write!(text, " {:14.2}", 1.0 / (1.0 - percent / 100.0));
        }
        text.push('\n');
    }
    let _ = write!(
        text,
        "#[Mean    = {:12.3}, StdDeviation   = {:12.3}]\n\
         #[Max     = {:12.3}, Total count    = {:12}]\n\
         #[Buckets = {:12}, SubBuckets     = {:12}]\n",
        histogram.mean(),
        histogram.stdev(),
        histogram.max() as f64,
        histogram.len(),
        histogram.buckets(),
        SUB_BUCKETS
    );
    text
}
