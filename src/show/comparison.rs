//! Directories beside each other: the view of a [`Comparison`], as finished numbers and sentences.
//!
//! Describes and never judges: no word in it says that anything got worse. The names of the fields
//! of [`Record`] are public contract: they are only ever added.

mod formats;

use serde::Serialize;

use crate::analyse::environments::{Difference, differences};
use crate::analyse::groups::{Comparison, Mean, Results};
use crate::model::row::Role;
use crate::show::shift::ShiftChart;
use crate::show::units;

pub use formats::{FORMATS, find};

/// All that any rendering shows of directories beside each other.
#[derive(Clone, Debug, PartialEq)]
pub struct View {
    /// What all variants say together: one paragraph.
    pub headline: String,
    /// The directories, in the order in which they were named.
    pub directories: Vec<Directory>,
    /// A table for each quantity that any variant has.
    pub tables: Vec<Table>,
    /// In what the environments differ.
    pub differences: Vec<DifferenceRecord>,
    /// What to know before trusting the numbers.
    pub warnings: Vec<String>,
    /// Variants that a mean leaves out, each with why.
    pub left_out: Vec<LeftOut>,
    /// Every figure, for the formats that machines read.
    pub records: Vec<Record>,
    /// The geometric means, for the formats that machines read.
    pub means: Vec<MeanRecord>,
    /// By how much the later directories differ from the first along their distributions.
    pub shifts: Vec<ShiftChart>,
}

/// One of the directories.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Directory {
    /// What it is called in the tables: `A`.
    pub letter: String,
    /// The directory as it was named.
    pub directory: String,
    /// When the run began, as far as is told.
    pub started: Option<String>,
    /// The kernel, as far as is told.
    pub kernel: Option<String>,
    /// Launches that committed a block.
    pub launches: usize,
    /// Samples that statistics are made of.
    pub samples: usize,
}

/// One quantity of every variant.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// The quantity: `blocked.p50`.
    pub quantity: String,
    /// A line for each variant and directory, and the means at the end.
    pub lines: Vec<Line>,
}

/// One variant in one directory, as text.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// The variant; empty where it is that of the line above.
    pub label: String,
    /// The mechanism, which decides the colour; empty of a mean.
    pub mechanism: String,
    /// The letter of the directory.
    pub letter: String,
    /// The figure, or why there is none.
    pub value: String,
    /// Its interval.
    pub bounds: String,
    /// How many times as long as in the first directory.
    pub ratio: String,
    /// Its place among the directories.
    pub rank: String,
}

/// One quantity of one variant in one directory. Times are in nanoseconds, to a tenth.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Record {
    /// The scenario that asks for it.
    pub scenario: String,
    /// Its short name in the first directory that has it.
    pub label: String,
    /// Why it is in the runs.
    pub role: Role,
    /// Canonical label of the parent's shape.
    pub shape: String,
    /// The way the process is made.
    pub mechanism: String,
    /// The word for the workload.
    pub workload: String,
    /// All knobs that are not default.
    pub settings: String,
    /// What is compared: `blocked.p50`.
    pub quantity: String,
    /// The directory as it was named.
    pub directory: String,
    /// Launches that the figure is made of.
    pub launches: Option<usize>,
    /// The figure.
    pub value_ns: Option<f64>,
    /// Lower end of its 95 % interval over the launches of its run.
    pub low_ns: Option<f64>,
    /// Upper end of it.
    pub high_ns: Option<f64>,
    /// How many times as long as in the first directory.
    pub ratio: Option<f64>,
    /// Its place among the directories, 1 for the shortest.
    pub rank: Option<usize>,
    /// Why there is no figure; empty where there is one.
    pub why: String,
}

/// The geometric mean of the ratios of all variants that every directory has.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MeanRecord {
    /// The quantity.
    pub quantity: String,
    /// How many variants.
    pub variants: usize,
    /// The directory as it was named.
    pub directory: String,
    /// The mean of the ratios to the first directory.
    pub ratio: f64,
    /// Its place among the directories, 1 for the smallest.
    pub rank: usize,
}

/// A variant that a mean leaves out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LeftOut {
    /// Its label.
    pub label: String,
    /// Why.
    pub why: String,
}

/// One fact in which environments differ.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DifferenceRecord {
    /// What it is about, as `check --across` takes it.
    pub topic: &'static str,
    /// Which fact of `environment.toml`.
    pub fact: String,
    /// What each environment says, in the order of the directories.
    pub values: Vec<Option<String>>,
    /// Whether `check` refuses to compare across it unless it is declared.
    pub refuses: bool,
}

impl DifferenceRecord {
    /// A difference as it is told.
    pub fn of(difference: &Difference) -> DifferenceRecord {
        DifferenceRecord {
            topic: difference.topic.word(),
            fact: difference.fact.clone(),
            values: difference.values.clone(),
            refuses: difference.refuses,
        }
    }

    /// The difference in words, with the letters of those that say the same:
    /// `kernel.release: 6.1 (A, C), 6.2 (B)`.
    pub fn sentence(&self) -> String {
        let mut said: Vec<(&Option<String>, Vec<String>)> = Vec::new();
        for (place, value) in self.values.iter().enumerate() {
            match said.iter_mut().find(|(other, _)| *other == value) {
                Some((_, letters)) => letters.push(letter(place)),
                None => said.push((value, vec![letter(place)])),
            }
        }
        let each = said.iter().map(|(value, letters)| {
            let value = value.as_deref().map_or("not told", shorten_hash);
            format!("{value} ({})", letters.join(", "))
        });
        format!("{}: {}", self.fact, each.collect::<Vec<_>>().join(", "))
    }
}

/// Enough of a hash to tell it from another; what is no hash stays as it is.
pub(super) fn shorten_hash(value: &str) -> &str {
    let is_hash = value.len() == 64 && value.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_hash { &value[..12] } else { value }
}

/// What a directory is called in tables: A to Z, AA, AB.
pub fn letter(place: usize) -> String {
    let last = char::from(b'A' + (place % 26) as u8);
    if place < 26 { last.to_string() } else { format!("{}{last}", letter(place / 26 - 1)) }
}

/// What every comparison of runs is told with.
pub const NOT_JUDGED: &str = "a ratio between runs has no interval: runs of one program differ by \
    more than the launches of one run show; to judge, measure both sides in one run (forkbench \
    check --base K=V --cand K=V) or at least five runs a side (forkbench check --base DIR.. \
    --cand DIR..)";

impl View {
    /// The view of directories and what was found of them.
    pub fn new(directories: &[Results], comparison: &Comparison) -> View {
        let environments: Vec<_> = directories.iter().map(|one| &one.environment).collect();
        let left_out = comparison.left_out.iter().cloned();
        View {
            headline: headline(directories.len(), comparison),
            directories: directories.iter().enumerate().map(|(i, d)| directory(i, d)).collect(),
            tables: tables(comparison),
            differences: differences(&environments).iter().map(DifferenceRecord::of).collect(),
            warnings: warnings(directories, comparison),
            left_out: left_out.map(|(label, why)| LeftOut { label, why }).collect(),
            records: records(directories, comparison),
            means: mean_records(directories, comparison),
            shifts: comparison.shifts.iter().filter_map(ShiftChart::of).collect(),
        }
    }
}

fn directory(place: usize, results: &Results) -> Directory {
    Directory {
        letter: letter(place),
        directory: results.name.clone(),
        started: results.environment.started(),
        kernel: results.environment.fact("kernel.release"),
        launches: results.launches,
        samples: results.eligible,
    }
}

/// The directories by the first mean that there is, the smallest first.
fn headline(directories: usize, comparison: &Comparison) -> String {
    let Some(mean) = comparison.means.first() else {
        let told = match comparison.compares() {
            true => "No variant was measured in all of them",
            false => "Nothing can be compared: no variant was measured in two of them",
        };
        return format!("{told}.");
    };
    let mut order: Vec<usize> = (0..directories).collect();
    order.sort_by(|&one, &other| mean.ratios[one].total_cmp(&mean.ratios[other]));
    let each: Vec<String> = order
        .iter()
        .map(|&place| match place {
            0 => "A".to_owned(),
            _ => format!("{} ({} of A)", letter(place), times(mean.ratios[place])),
        })
        .collect();
    let variants = units::plural(mean.variants as u64, "variant", "variants");
    format!(
        "Shortest {} first, by the geometric mean over {variants}: {}.",
        mean.quantity,
        each.join(", ")
    )
}

/// A ratio near 1 with the digits that tell it from 1.
fn times(ratio: f64) -> String {
    if (0.5..2.0).contains(&ratio) { format!("{ratio:.3}x") } else { units::ratio(ratio) }
}

fn tables(comparison: &Comparison) -> Vec<Table> {
    let mut tables: Vec<Table> = Vec::new();
    for row in &comparison.rows {
        let quantity = row.quantity.to_string();
        let mut lines = Vec::new();
        for (place, said) in row.places.iter().enumerate() {
            let label = if place == 0 { row.variant.label.clone() } else { String::new() };
            let mechanism = row.variant.mechanism.clone();
            let empty =
                Line { label, mechanism, letter: letter(place), ..Line::of_value(String::new()) };
            lines.push(match said {
                Err(why) => Line { value: "-".to_owned(), bounds: why.clone(), ..empty },
                Ok(said) => Line {
                    value: units::duration(said.value),
                    bounds: said
                        .bounds
                        .map(|(low, high)| {
                            format!("{} to {}", units::duration(low), units::duration(high))
                        })
                        .unwrap_or_default(),
                    ratio: said.ratio.filter(|_| place > 0).map(times).unwrap_or_default(),
                    rank: said.rank.to_string(),
                    ..empty
                },
            });
        }
        match tables.iter_mut().find(|table| table.quantity == quantity) {
            Some(table) => table.lines.extend(lines),
            None => tables.push(Table { quantity, lines }),
        }
    }
    for mean in &comparison.means {
        let quantity = mean.quantity.to_string();
        if let Some(table) = tables.iter_mut().find(|table| table.quantity == quantity) {
            table.lines.extend(mean_lines(mean));
        }
    }
    tables
}

impl Line {
    fn of_value(value: String) -> Line {
        let [label, mechanism, letter, bounds, ratio, rank] = Default::default();
        Line { label, mechanism, letter, value, bounds, ratio, rank }
    }
}

fn mean_lines(mean: &Mean) -> impl Iterator<Item = Line> {
    mean.ratios.iter().zip(&mean.ranks).enumerate().map(|(place, (ratio, rank))| Line {
        label: if place == 0 { format!("mean of {}", mean.variants) } else { String::new() },
        letter: letter(place),
        ratio: if place == 0 { String::new() } else { times(*ratio) },
        rank: rank.to_string(),
        ..Line::of_value(String::new())
    })
}

fn warnings(directories: &[Results], comparison: &Comparison) -> Vec<String> {
    let mut warnings = Vec::new();
    let letters = |which: &dyn Fn(&Results) -> bool| -> Vec<String> {
        let some = directories.iter().enumerate().filter(|(_, one)| which(one));
        some.map(|(place, _)| letter(place)).collect()
    };
    let mut warn = |which: &dyn Fn(&Results) -> bool, text: &str| {
        let letters = letters(which);
        if !letters.is_empty() {
            warnings.push(format!("{}: {text}", letters.join(", ")));
        }
    };
    warn(&|one| one.eligible == 0, "nothing was measured");
    warn(
        &|one| !one.environment.is_release_build(),
        "made by a debug build, whose figures are not to be relied on",
    );
    warn(
        &|one| one.environment == Default::default(),
        "there is no environment.toml, so nobody can say where it was measured",
    );
    warn(
        &|one| one.eligible > 0 && one.launches == 1,
        "one launch alone says nothing of how parents differ",
    );
    let mut disturbances: Vec<&str> =
        directories.iter().flat_map(|one| one.environment.disturbances()).collect();
    disturbances.sort_unstable();
    disturbances.dedup();
    for word in disturbances {
        let which = |one: &Results| one.environment.disturbances().any(|other| other == word);
        // What holds for all alike is no difference between them.
        if letters(&which).len() < directories.len() {
            warnings
                .push(format!("{}: {word} (forkbench explain {word})", letters(&which).join(", ")));
        }
    }
    for (place, one) in directories.iter().enumerate() {
        for file in &one.losses.torn {
            warnings
                .push(format!("{}: the last line of {file} was torn and left out", letter(place)));
        }
        if one.losses.uncommitted_rows > 0 {
            let rows = units::plural(one.losses.uncommitted_rows as u64, "row", "rows");
            let letter = letter(place);
            warnings.push(format!("{letter}: {rows} of blocks that did not end were left out"));
        }
        let failed: usize = one.variants.iter().map(|variant| variant.failed).sum();
        if failed > 0 {
            let failed = units::plural(failed as u64, "spawn", "spawns");
            warnings.push(format!("{}: {failed} failed and are left out", letter(place)));
        }
    }
    let mut days: Vec<String> = directories
        .iter()
        .filter_map(|one| Some(one.environment.started()?.get(..10)?.to_owned()))
        .collect();
    days.dedup();
    days.sort_unstable();
    days.dedup();
    if days.len() > 1 {
        warnings.push(format!("measured on {} different days", days.len()));
    }
    let launches: Vec<usize> = directories.iter().map(|one| one.launches).collect();
    if let (Some(least), Some(most)) = (launches.iter().min(), launches.iter().max())
        && most > least
    {
        warnings.push(format!("launches differ, from {least} to {most}: so do the intervals"));
    }
    if comparison.compares() {
        warnings.push(NOT_JUDGED.to_owned());
    }
    warnings
}

fn records(directories: &[Results], comparison: &Comparison) -> Vec<Record> {
    let mut records = Vec::new();
    for row in &comparison.rows {
        for (directory, said) in directories.iter().zip(&row.places) {
            let variant = row.variant.clone();
            let place = said.as_ref().ok();
            let bound = |pick: fn((f64, f64)) -> f64| place.and_then(|p| p.bounds.map(pick));
            records.push(Record {
                scenario: variant.scenario,
                label: variant.label,
                role: variant.role,
                shape: variant.shape,
                mechanism: variant.mechanism,
                workload: variant.workload,
                settings: variant.settings,
                quantity: row.quantity.to_string(),
                directory: directory.name.clone(),
                launches: place.map(|place| place.launches),
                value_ns: place.map(|place| tenth(place.value)),
                low_ns: bound(|(low, _)| low).map(tenth),
                high_ns: bound(|(_, high)| high).map(tenth),
                ratio: place.and_then(|place| place.ratio).map(units::rounded),
                rank: place.map(|place| place.rank),
                why: said.as_ref().err().cloned().unwrap_or_default(),
            });
        }
    }
    records
}

fn mean_records(directories: &[Results], comparison: &Comparison) -> Vec<MeanRecord> {
    let of = |mean: &Mean| -> Vec<MeanRecord> {
        let each = directories.iter().zip(mean.ratios.iter().zip(&mean.ranks));
        let record = |(directory, (ratio, rank)): (&Results, (&f64, &usize))| MeanRecord {
            quantity: mean.quantity.to_string(),
            variants: mean.variants,
            directory: directory.name.clone(),
            ratio: units::rounded(*ratio),
            rank: *rank,
        };
        each.map(record).collect()
    };
    comparison.means.iter().flat_map(of).collect()
}

fn tenth(nanoseconds: f64) -> f64 {
    (nanoseconds * 10.0).round() / 10.0
}
