//! What each launch says of a quantity of a variant, and how two of them compare launch by launch.
//!
//! A launch is a fresh parent, and parents differ more than the samples within one: so a launch
//! says one number, and what is said of a quantity rests on those. Of an interval it is the
//! Hodges-Lehmann estimate of the logs of its block quantiles; of a counted fact, the value that
//! most of its spawns read.

use std::collections::BTreeMap;

use super::cells::Cells;
use super::contrasts::{launch_value, samples_per_block};
use super::places::missing;
use crate::model::quantity::{Measure, Quantity};

/// What each launch says of a quantity of one variant.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Told {
    /// By the number of the launch; at least one.
    pub(super) launches: BTreeMap<u32, Launch>,
    /// Whether it is a count that spawns agree upon: then the numbers scatter by nothing but what
    /// they show, and one launch will do.
    pub(super) exact: bool,
}

/// What one launch says.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Launch {
    /// Its number, in the unit of the quantity.
    pub(super) value: f64,
    /// The same of each of its blocks; of a count, that number alone.
    pub(super) blocks: Vec<f64>,
}

impl Told {
    /// What the variant at that place in [`Cells::variants`] is told to be.
    ///
    /// # Errors
    ///
    /// Why nothing is told, as words.
    pub(super) fn of(cells: &Cells, index: usize, quantity: &Quantity) -> Result<Told, String> {
        match quantity {
            Quantity::Time { .. } => times(cells, index, quantity),
            Quantity::Count { .. } => counts(cells, index, quantity),
        }
    }

    /// The number of each launch.
    pub(super) fn values(&self) -> Vec<f64> {
        self.launches.values().map(|launch| launch.value).collect()
    }

    /// The numbers of the launches that both have, this one's first.
    pub(super) fn pairs(&self, other: &Told) -> Vec<(f64, f64)> {
        let pair = |(number, launch): (&u32, &Launch)| {
            Some((launch.value, other.launches.get(number)?.value))
        };
        self.launches.iter().filter_map(pair).collect()
    }
}

fn times(cells: &Cells, index: usize, quantity: &Quantity) -> Result<Told, String> {
    let Quantity::Time { interval, percentile } = quantity else { unreachable!("a time") };
    let cell = cells.cell(index, *interval);
    let q = f64::from(*percentile) / 100.0;
    let label = &cells.variants[index].label;
    let launches: BTreeMap<u32, Launch> = cell
        .launch_quantiles(q, samples_per_block(q))
        .into_iter()
        .filter_map(|(launch, blocks)| {
            Some((launch, Launch { value: launch_value(&blocks)?, blocks }))
        })
        .collect();
    if !launches.is_empty() {
        return Ok(Told { launches, exact: false });
    }
    let others = cells.has_samples(index);
    Err(match cell.by_launch().map(|(_, values)| values.len()).max() {
        Some(most) => format!(
            "{quantity} takes {} samples in one launch, and {label} has at most {most}",
            samples_per_block(q)
        ),
        None if others => format!("{label} has no {}", interval.column()),
        None => why_not(cells, index),
    })
}

fn counts(cells: &Cells, index: usize, quantity: &Quantity) -> Result<Told, String> {
    let Quantity::Count { reading, scope, at } = quantity else { unreachable!("a count") };
    let row = &cells.variants[index];
    let counted = cells.readings.iter().find(|counted| {
        (counted.variant, &counted.reading, counted.scope, &counted.at)
            == (row.variant, reading, *scope, at)
    });
    let mut seen: BTreeMap<u32, BTreeMap<u64, u64>> = BTreeMap::new();
    for (shape, seen_row) in &cells.seen {
        // The pilot is no launch of the run.
        if (shape, &seen_row.reading, seen_row.scope, &seen_row.at)
            == (&row.shape, reading, *scope, at)
            && seen_row.launch > 0
        {
            *seen.entry(seen_row.launch).or_default().entry(seen_row.value).or_default() += 1;
        }
    }
    let by_launch = counted.map_or(&seen, |counted| &counted.launches);
    let mut exact = quantity.measure() != Measure::Nanoseconds;
    let launches: BTreeMap<u32, Launch> = by_launch
        .iter()
        .filter_map(|(&launch, spawns_of)| {
            let (value, agreed) = typical(spawns_of)?;
            exact &= agreed;
            let value = value as f64;
            Some((launch, Launch { value, blocks: vec![value] }))
        })
        .collect();
    if !launches.is_empty() {
        return Ok(Told { launches, exact });
    }
    Err(if cells.has_samples(index) {
        format!("{quantity} was not read for {}", row.label)
    } else {
        why_not(cells, index)
    })
}

/// The value that most spawns read, the smallest of several, and whether spawns agree upon one at
/// all: where no two read the same, it is their lower median. None of no spawns.
pub(super) fn typical(spawns_of: &BTreeMap<u64, u64>) -> Option<(u64, bool)> {
    let (&mode, &most) = spawns_of.iter().rev().max_by_key(|&(_, spawns)| spawns)?;
    if most > 1 || spawns_of.len() == 1 {
        return Some((mode, true));
    }
    spawns_of.keys().nth((spawns_of.len() - 1) / 2).map(|&value| (value, false))
}

fn why_not(cells: &Cells, index: usize) -> String {
    let row = &cells.variants[index];
    format!("{}: {}", row.label, missing(row, &cells.events, &cells.launches))
}
