//! What each launch says of a quantity of a variant, and how two of them compare launch by launch.
//!
//! A launch is a fresh parent, and parents differ more than the samples within one: so a launch
//! says one number, and what is said of a quantity rests on those. Of a length it is the
//! Hodges-Lehmann estimate of the logs of its block quantiles, or the largest of all; of a counted
//! fact, the value that most of its spawns read.

use std::collections::BTreeMap;

use super::cells::{Cell, Cells};
use super::contrasts::launch_value;
use super::places::missing;
use crate::model::quantity::samples_per_block;
use crate::model::quantity::{Measure, Percentile, Quantity};

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
            Quantity::Time { percentile, .. } | Quantity::Length { percentile, .. } => {
                times(cells, index, quantity, *percentile)
            }
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

fn times(
    cells: &Cells,
    index: usize,
    quantity: &Quantity,
    percentile: Percentile,
) -> Result<Told, String> {
    let nothing = Cell::default();
    let cell = cells.cell_of(index, quantity).unwrap_or(&nothing);
    let q = percentile.share();
    let label = &cells.variants[index].label;
    let mut quantiles = cell.launch_quantiles(q, samples_per_block(q));
    if quantiles.is_empty() && percentile == Percentile::MEDIAN {
        // What is sampled once in a block, as the bill is, has few samples in a launch. Their median
        // is as likely above the truth as below it, and the interval over launches holds the rest.
        quantiles = cell.launch_quantiles(q, 1);
    }
    let of_launch = |blocks: &[f64]| match percentile {
        // The worst of a launch is the worst of its blocks.
        Percentile::MAX => blocks.iter().copied().max_by(f64::total_cmp),
        _ => launch_value(blocks),
    };
    let launches: BTreeMap<u32, Launch> = quantiles
        .into_iter()
        .filter_map(|(launch, blocks)| {
            Some((launch, Launch { value: of_launch(&blocks)?, blocks }))
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
        None if others => match quantity {
            Quantity::Time { interval, .. } => format!("{label} has no {}", interval.column()),
            _ => format!("{quantity} was not measured for {label}"),
        },
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyse::fixture::{scenario, simulated};
    use crate::model::row::Scope;
    use crate::record::fixture;

    fn quantity(text: &str) -> Quantity {
        text.parse().unwrap()
    }

    #[test]
    fn a_launch_is_the_centre_of_its_blocks() {
        let scenario = scenario("mechanism = \"fork\"");
        let run = simulated(scenario, 2, 3, |_, launch, block| match (launch, block) {
            (1, 2) => 900e3,
            (1, _) => 100e3,
            _ => 200e3,
        });
        let told = Told::of(&run.cells(), 0, &quantity("blocked.p50")).unwrap();
        // Of 1, 1 and 9 the means of pairs are 1, 1, 1, 3, 3 and 9, by their logs.
        assert!((told.launches[&1].value / 173.2e3 - 1.0).abs() < 1e-3, "{told:?}");
        assert_eq!(told.launches[&1].blocks, [100e3, 100e3, 900e3]);
        assert!((told.launches[&2].value / 200e3 - 1.0).abs() < 1e-9);
        assert!(!told.exact && told.values().len() == 2);
    }

    #[test]
    fn blocks_are_merged_until_a_quantile_has_its_samples() {
        let scenario = scenario("mechanism = \"fork\"");
        let run = simulated(scenario, 1, 11, |_, _, _| 100e3);
        let told = |q: &str| Told::of(&run.cells(), 0, &quantity(q));
        let blocks = |q: &str| told(q).unwrap().launches[&1].blocks.len();
        assert_eq!(
            (blocks("blocked.p50"), blocks("blocked.p90"), blocks("blocked.p95")),
            (11, 2, 1)
        );
        assert_eq!((blocks("blocked.p10"), blocks("blocked.p5")), (2, 1));
        let why = told("blocked.p99").unwrap_err();
        assert_eq!(
            why,
            "blocked.p99 takes 200 samples in one launch, and empty fork has at most 44"
        );
    }

    #[test]
    fn distributions_have_quantiles_and_a_largest_value_in_each_launch() {
        let mut run = simulated(scenario("mechanism = \"fork\""), 3, 2, |_, _, _| 5e3);
        for launch in 1..=3 {
            for block in 0..2 {
                let worst = u64::from(1000 * launch + 100 * block);
                run.histograms.extend([
                    fixture::bucket(launch, block, 0, (100, 102), 9_000_000),
                    fixture::bucket(launch, block, 0, (worst, worst + 2), 20_000),
                ]);
            }
        }
        let told = |q: &str| Told::of(&run.cells(), 0, &quantity(q)).unwrap();
        let close = |found: Vec<f64>, known: [f64; 3]| {
            assert!(found.iter().zip(known).all(|(f, k)| (f - k).abs() < 1e-6 * k), "{found:?}");
        };
        close(told("bystander_ns.p50").values(), [101.0; 3]);
        assert_eq!(told("bystander_ns.max").values(), [1102.0, 2102.0, 3102.0]);
        assert_eq!(told("bystander_ns.max").launches[&1].blocks, [1002.0, 1102.0]);
        let tail = told("bystander_ns.p99.9").launches[&1].blocks.clone();
        assert!((tail[0] - 1001.0).abs() < 1e-6 && (tail[1] - 1101.0).abs() < 1e-6, "{tail:?}");
        assert_eq!(told("blocked.max").values(), [5050.0; 3]);
        let why = Told::of(&run.cells(), 0, &quantity("first_byte_ns.p50")).unwrap_err();
        assert_eq!(why, "first_byte_ns.p50 was not measured for empty fork");
    }

    #[test]
    fn a_quantile_of_nothing_is_nothing() {
        let run = simulated(scenario("mechanism = \"fork\""), 3, 2, |_, _, _| 0.0);
        let told = Told::of(&run.cells(), 0, &quantity("blocked.p50")).unwrap();
        assert_eq!(told.values(), [0.0; 3]);
    }

    #[test]
    fn spawns_agree_on_a_count_or_they_do_not() {
        let of = |values: &[(u64, u64)]| typical(&values.iter().copied().collect());
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[(7, 1)]), Some((7, true)));
        assert_eq!(of(&[(7, 3), (9, 3), (8, 2)]), Some((7, true)));
        assert_eq!(of(&[(700, 1), (750, 1), (900, 1), (990, 1)]), Some((750, false)));

        let mut run = simulated(scenario("mechanism = \"fork\""), 3, 1, |_, _, _| 5e3);
        for (block, each) in run.blocks.iter_mut().zip([900, 910, 870]) {
            let launch = block.0.launch;
            let mut row = fixture::faults(launch, 0, 0, Scope::Child, each, 1);
            row.reading = "cycles".to_owned();
            let mut other = row.clone();
            other.value += 50;
            block.2.extend([row, other]);
        }
        let told = Told::of(&run.cells(), 0, &quantity("cycles.child")).unwrap();
        assert!(!told.exact, "no two spawns took as many cycles");
        assert_eq!(told.values(), [900.0, 910.0, 870.0]);
    }

    #[test]
    fn what_was_seen_of_a_parent_is_a_count_of_its_variants() {
        let run = simulated(
            scenario("mechanism = [\"fork\", \"vfork\"]\nrss = [\"0\", \"1G\"]"),
            2,
            1,
            |_, _, _| 5e3,
        );
        let cells = run.cells();
        let tables = quantity("vm_pte_bytes.parent@setup");
        let of = |index| Told::of(&cells, index, &tables).unwrap().values();
        assert_eq!((of(0), of(3)), (vec![40960.0; 2], vec![40960.0 + 2097152.0; 2]));
        assert!(Told::of(&cells, 0, &quantity("vm_pte_bytes.parent@base")).is_err());
    }
}
