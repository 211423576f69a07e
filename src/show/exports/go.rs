//! The text of Go benchmarks, as `go test -bench` prints it and benchstat reads it.
//!
//! One line for each launch of each variant, since launches are what is independent: lines of
//! blocks would let benchstat find differences where there are none. A launch says its median. The
//! format is that of golang.org/design/14313-benchmark-format; names and values hold no spaces.

use std::collections::BTreeMap;
use std::io::Write;

use super::Left;
use crate::analyse::cells::Cells;
use crate::analyse::columns::Unit;
use crate::analyse::quantiles::quantile;
use crate::analyse::summary::Summary;
use crate::model::interval::Interval;
use crate::model::quantity::Measure;
use crate::model::row::Role;
use crate::model::workload::{self, Of};
use crate::record::read::Recorded;
use crate::show::formats::{Failure, Shown};
use crate::show::{source, units};

/// Writes a line for each launch of each subject.
///
/// # Errors
///
/// If the directory cannot be read, or the writer fails.
pub fn write(shown: Shown<'_>, out: &mut dyn Write) -> Result<Left, Failure> {
    let cells = Cells::read(shown.directory)?;
    let summary = Summary::of(&cells, None);
    let environment = source::environment(&Recorded::open(shown.directory)?)?;
    let mut left = super::others(cells.variants.iter().map(|row| (row.label.as_str(), row.role)));
    left.extend(super::rounded(&cells));
    header(&environment, out)?;

    let text = |path: [&str; 2]| environment.get(path[0])?.get(path[1])?.as_integer();
    let cpus = text(["cpu", "logical"]).unwrap_or(1);
    let names = names(&cells, cpus);
    let mut scenario = None;
    for (index, row) in cells.variants.iter().enumerate() {
        let Some(name) = names.get(&index) else { continue };
        let mut lines = intervals(&cells, index);
        if let Some(variant) = summary.variant(row.variant)
            && let Some(workload) = workload::find(&row.workload)
        {
            for (column, told) in workload.columns.iter().zip(&variant.columns) {
                if !is_interval(column.of) {
                    let unit = unit(column.of);
                    let figure = |value: &f64| vec![(units::rounded(*value), unit.clone())];
                    lines.extend(told.launches.iter().map(|value| (1, figure(value))));
                }
            }
        }
        if lines.is_empty() {
            left.push(format!("{} has no time", row.label));
            continue;
        }
        if scenario.replace(&row.scenario) != Some(&row.scenario) {
            writeln!(out, "pkg: forkbench/{}", value(&row.scenario))?;
        }
        for (count, figures) in lines {
            write!(out, "{name}\t{count}")?;
            for (value, unit) in figures {
                write!(out, "\t{value} {unit}")?;
            }
            writeln!(out)?;
        }
    }
    Ok(left)
}

/// The lines that say where the results come from. benchstat sets results beside each other that
/// agree in all of them.
fn header(environment: &toml::Table, out: &mut dyn Write) -> Result<(), Failure> {
    let text = |path: [&str; 2]| environment.get(path[0])?.get(path[1])?.as_str();
    let goarch = text(["tool", "architecture"]).map(|architecture| match architecture {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    });
    writeln!(out, "goos: linux")?;
    for (key, text) in [
        ("goarch", goarch.map(str::to_owned)),
        ("cpu", text(["cpu", "name"]).map(str::to_owned)),
        ("kernel", text(["kernel", "release"]).map(str::to_owned)),
        ("libc", source::libc(environment)),
    ] {
        if let Some(text) = text {
            writeln!(out, "{key}: {}", value(&text))?;
        }
    }
    for interval in Interval::ALL {
        writeln!(out, "Unit {} better=lower", unit_of(interval))?;
    }
    Ok(())
}

/// A value of one line.
fn value(text: &str) -> String {
    text.replace(char::is_control, " ").trim().to_owned()
}

/// For each subject, what its lines begin with: no two are alike.
fn names(cells: &Cells, cpus: i64) -> BTreeMap<usize, String> {
    let is_special = |c: char| c.is_whitespace() || c == '/';
    let subjects = cells.variants.iter().enumerate().filter(|(_, row)| row.role == Role::Subject);
    let mut names: BTreeMap<usize, String> = subjects
        .map(|(index, row)| {
            // What follows `Benchmark` must not be a lower-case letter.
            let word = super::encoded(&row.workload, is_special);
            let mut letters = word.chars();
            let first = letters.next().map_or('R', |first| first.to_ascii_uppercase());
            let mut name = format!("Benchmark{first}{}", letters.as_str());
            for (knob, value) in super::knobs(row, cells.setups[index].as_ref()) {
                name += &format!("/{knob}={}", super::encoded(&value, is_special));
            }
            (index, name)
        })
        .collect();
    let mut often: BTreeMap<String, usize> = BTreeMap::new();
    for name in names.values() {
        *often.entry(name.clone()).or_default() += 1;
    }
    for (index, name) in &mut names {
        if often[name.as_str()] > 1 {
            let label = &cells.variants[*index].label;
            *name += &format!("/label={}", super::encoded(label, is_special));
        }
        // Go's own tool puts the number of processors at the end; without it a name that ends in a
        // number would be taken for one that has it.
        *name += &format!("-{cpus}");
    }
    names
}

/// A line as it follows its name: how many samples, and figures with their units.
type Line = (usize, Vec<(f64, String)>);

/// The medians of each launch, the whole life of the child first: what Go calls an operation.
fn intervals(cells: &Cells, index: usize) -> Vec<Line> {
    let mut launches: BTreeMap<u32, Line> = BTreeMap::new();
    let order =
        [Interval::Reaped, Interval::Blocked, Interval::Born, Interval::Image, Interval::Rewrite];
    for interval in order {
        for (launch, values) in cells.cell(index, interval).by_launch() {
            let Some(median) = quantile(&values, 0.5) else { continue };
            let line = launches.entry(launch).or_insert_with(|| (values.len(), Vec::new()));
            line.1.push((median, unit_of(interval).to_owned()));
        }
    }
    launches.into_values().collect()
}

fn unit_of(interval: Interval) -> &'static str {
    match interval {
        Interval::Blocked => "blocked-ns/op",
        Interval::Born => "born-ns/op",
        Interval::Image => "image-ns/op",
        Interval::Reaped => "ns/op",
        Interval::Rewrite => "rewrite-ns/op",
    }
}

/// Whether a column is the median of an interval, which has a unit of its own.
fn is_interval(of: Of) -> bool {
    let Of::Quantity(text) = of else { return false };
    text.strip_suffix(".p50").is_some_and(|word| Interval::parse(word).is_some())
}

/// The unit of a column: what it is made of, and what benchstat knows how to scale.
fn unit(of: Of) -> String {
    let text = of.text().replace('/', "-per-");
    let scaled = |measure: Measure| match measure {
        Measure::Nanoseconds => "-ns",
        Measure::Bytes => "-B",
        Measure::Things => "",
    };
    match Unit::of(of) {
        Unit::Of(measure) => format!("{text}{}/op", scaled(measure)),
        Unit::PerSecond(measure) => format!("{text}{}/s", scaled(measure)),
    }
}
