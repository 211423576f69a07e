//! By how much two sides differ at each tenth of their distributions: the shift function.
//!
//! A difference of medians hides where a change sits: all spawns may take a little longer, or few
//! of them much. Two sides of one run are compared decile by decile as everything in a run is, by
//! the blocks that both have, each decile with its interval. Sides from two runs have no interval:
//! what the launches of one run scatter by says nothing of the next run. Source of the idea:
//! Doksum 1974 (Annals of Statistics 2); Wilcox, Introduction to Robust Estimation, 5.1.

use super::cells::{Cell, Cells};
use super::contrasts::{Bounds, Contrast, compare};
use super::groups::Results;
use super::quantiles::quantile;
use crate::model::quantity::{Percentile, Quantity, samples_per_block};
use crate::model::row::Role;

/// The deciles of two sides.
#[derive(Clone, Debug, PartialEq)]
pub struct Shift {
    /// What both sides have in common.
    pub name: String,
    /// Name of their mechanism, as the candidate has it.
    pub mechanism: String,
    /// Label of the side that it is held against.
    pub base: String,
    /// Label of the other side.
    pub cand: String,
    /// Of what: `blocked`.
    pub of: String,
    /// The deciles that both sides have samples enough for, upwards.
    pub deciles: Vec<Decile>,
}

/// One decile of two sides. Times are in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Decile {
    /// The share of the samples that are no longer: 0.1 to 0.9.
    pub share: f64,
    /// That of all samples of the base.
    pub base: f64,
    /// That of all samples of the candidate.
    pub cand: f64,
    /// Candidate / base: in one run by their blocks or launches, else of the two above.
    pub ratio: f64,
    /// Its 95 % interval; none with too few blocks, and between runs.
    pub bounds: Option<(f64, f64)>,
}

/// More sides than this are not told decile by decile.
const MOST: usize = 6;

/// The shares at which two distributions are compared.
fn shares() -> impl Iterator<Item = f64> {
    (1..10).map(|tenth| f64::from(tenth) / 10.0)
}

impl Shift {
    /// The sides of a check, for each length that it judges; none of a run that is no check.
    pub fn of_gate(cells: &Cells) -> Vec<Shift> {
        let Some(gate) = &cells.gate else { return Vec::new() };
        let mut lengths: Vec<Quantity> = Vec::new();
        for margin in &gate.margins {
            if let Some(median) = median_of(&margin.of)
                && !lengths.contains(&median)
            {
                lengths.push(median);
            }
        }
        let place = |number: u32| cells.variants.iter().position(|row| row.variant == number);
        let mut shifts = Vec::new();
        for length in &lengths {
            for comparison in &gate.comparisons {
                if shifts.len() == MOST {
                    return shifts;
                }
                let sides = place(comparison.base).zip(place(comparison.cand));
                shifts.extend(sides.and_then(|(base, cand)| {
                    let row = |place: usize| &cells.variants[place];
                    Some(Shift {
                        name: comparison.name.clone(),
                        mechanism: row(cand).mechanism.clone(),
                        base: row(base).label.clone(),
                        cand: row(cand).label.clone(),
                        of: name(length),
                        deciles: deciles(
                            cells.cell_of(base, length)?,
                            cells.cell_of(cand, length)?,
                        )?,
                    })
                }));
            }
        }
        shifts
    }

    /// How long callers are blocked in each later directory against the first, for the variants
    /// that both have.
    pub fn of_directories(directories: &[Results]) -> Vec<Shift> {
        let Some((first, others)) = directories.split_first() else { return Vec::new() };
        let mut shifts = Vec::new();
        for other in others {
            for variant in first.variants.iter().filter(|one| one.row.role == Role::Subject) {
                let Some(opposite) = other.find(&variant.identity) else { continue };
                let deciles: Vec<Decile> = shares()
                    .zip(variant.deciles.iter().zip(&opposite.deciles))
                    .filter(|(_, (base, cand))| **base > 0.0 && **cand > 0.0)
                    .map(|(share, (&base, &cand))| Decile {
                        share,
                        base,
                        cand,
                        ratio: cand / base,
                        bounds: None,
                    })
                    .collect();
                if deciles.is_empty() || shifts.len() == MOST {
                    continue;
                }
                shifts.push(Shift {
                    name: variant.row.label.clone(),
                    mechanism: variant.row.mechanism.clone(),
                    base: first.name.clone(),
                    cand: other.name.clone(),
                    of: "blocked".to_owned(),
                    deciles,
                });
            }
        }
        shifts
    }
}

/// The deciles of all values of a cell; none where there are too few for the outermost.
pub(super) fn pooled_deciles(cell: &Cell) -> Vec<f64> {
    let pooled = cell.pooled();
    if pooled.len() < samples_per_block(0.1) {
        return Vec::new();
    }
    shares().filter_map(|share| quantile(&pooled, share)).collect()
}

/// The median of the same length; none of a count.
fn median_of(quantity: &Quantity) -> Option<Quantity> {
    let percentile = Percentile::MEDIAN;
    match quantity {
        Quantity::Time { interval, .. } => Some(Quantity::Time { interval: *interval, percentile }),
        Quantity::Length { reading, .. } => {
            Some(Quantity::Length { reading: reading.clone(), percentile })
        }
        Quantity::Count { .. } => None,
    }
}

/// What a length is called, without its quantile.
fn name(quantity: &Quantity) -> String {
    let text = quantity.to_string();
    text.rsplit_once('.').map_or(text.clone(), |(name, _)| name.to_owned())
}

/// The deciles of two sides of one run; none where nothing pairs them.
fn deciles(base: &Cell, cand: &Cell) -> Option<Vec<Decile>> {
    let (bases, cands) = (base.pooled(), cand.pooled());
    let decile = |share: f64| {
        let Contrast::Shown(ratio) = compare(cand, base, share) else { return None };
        Some(Decile {
            share,
            base: quantile(&bases, share)?,
            cand: quantile(&cands, share)?,
            ratio: ratio.value,
            bounds: match ratio.bounds {
                Bounds::Between { low, high } => Some((low, high)),
                Bounds::Needs { .. } => None,
            },
        })
    };
    let deciles: Vec<Decile> = shares().filter_map(decile).collect();
    (!deciles.is_empty()).then_some(deciles)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyse::environments::Environment;
    use crate::analyse::fixture::{Run, scenario, simulated};
    use crate::model::gate::{Comparison, Gate, usual_margins};
    use crate::model::interval::Interval;
    use crate::record::fixture;

    /// Two sides of ten launches of three blocks of 40 spawns, from 100 us on in steps of 1 us;
    /// the slowest third of the candidate takes half as long again.
    fn sides() -> Run {
        let mut run = simulated(scenario("mechanism = \"vfork\""), 10, 3, |_, _, _| 1.0);
        let mut cand = run.variants[0].clone();
        (cand.variant, cand.label) = (1, "cand".to_owned());
        run.variants.push(cand);
        for (row, samples, _) in &mut run.blocks {
            let length = |place: u64| 100_000 + place * 1000 + u64::from(row.launch);
            let base = (0..40).map(|i| fixture::sample(row.launch, row.block, 0, length(i)));
            let cand = (0..40).map(|i| {
                let slower = if i < 26 { length(i) } else { length(i) * 3 / 2 };
                fixture::sample(row.launch, row.block, 1, slower)
            });
            *samples = base.chain(cand).collect();
        }
        run
    }

    #[test]
    fn a_tail_that_grew_shows_where_it_grew() {
        let mut cells = sides().cells();
        assert_eq!(Shift::of_gate(&cells), []);
        cells.gate = Some(Gate {
            alpha: 0.01,
            fail_fast: false,
            margins: usual_margins(&[Interval::Blocked]),
            left_out: Vec::new(),
            comparisons: vec![Comparison {
                name: "vfork".to_owned(),
                base: 0,
                cand: 1,
                second_base: None,
                twin: None,
            }],
        });
        let shifts = Shift::of_gate(&cells);
        assert_eq!(shifts.len(), 1, "p50 and p95 are of one length");
        let shift = &shifts[0];
        assert_eq!((shift.of.as_str(), shift.cand.as_str()), ("blocked", "cand"));
        let ratios: Vec<f64> =
            shift.deciles.iter().map(|one| (one.ratio * 10.0).round() / 10.0).collect();
        assert_eq!(ratios, [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.5, 1.5, 1.5]);
        for decile in &shift.deciles {
            let (low, high) = decile.bounds.unwrap();
            assert!(low <= decile.ratio && decile.ratio <= high, "{decile:?}");
        }
    }

    #[test]
    fn between_runs_there_are_deciles_and_no_interval() {
        let results = |factor: f64| {
            let mut run =
                simulated(scenario("mechanism = \"vfork\""), 5, 3, |_, _, _| 1e5 * factor);
            for (_, samples, _) in &mut run.blocks {
                *samples = samples.iter().cycle().take(8).cloned().collect();
            }
            Results::of(&run.cells(), &[], Environment::default(), format!("x{factor}"))
        };
        let shifts = Shift::of_directories(&[results(1.0), results(1.2)]);
        assert_eq!(shifts.len(), 1);
        assert_eq!((shifts[0].base.as_str(), shifts[0].cand.as_str()), ("x1", "x1.2"));
        assert_eq!(shifts[0].deciles.len(), 9);
        for decile in &shifts[0].deciles {
            assert!((decile.ratio - 1.2).abs() < 0.01 && decile.bounds.is_none(), "{decile:?}");
        }
        assert_eq!(Shift::of_directories(&[]), []);
        assert_eq!(Shift::of_directories(&[results(1.0)]), []);
    }
}
