//! What stands in the columns that a workload has of its own: figures, and how the main one
//! compares.
//!
//! A figure is made of all samples; its interval is that of the quantile or, where two quantities
//! are divided or a launch says but one number, that of the launches.

use super::cells::Cells;
use super::contrasts::{Contrast, Reason, compare, compare_pairs};
use super::estimate::{CONFIDENCE, Located, median, over_launches, over_launches_in_proportion};
use super::launches::Told;
use super::quantiles::Figure;
use crate::model::quantity::{Measure, Percentile, Quantity};
use crate::model::setup::Workload;
use crate::model::workload::{self, Of};

/// What stands in one column of one variant.
#[derive(Clone, Debug, PartialEq)]
pub struct ColumnSummary {
    /// The figure.
    pub entry: Entry,
    /// The number of each launch, in the order of the launches; none where it has none.
    pub launches: Vec<f64>,
    /// How it compares with the variant that this one is compared with; only of the main column.
    pub versus: Option<Contrast>,
}

/// A figure of a column, in the unit of the column.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Entry {
    /// It is known.
    Known {
        /// The figure.
        value: f64,
        /// Its 95 % interval; of the largest value, the smallest and the largest that a launch has.
        /// None with too few launches.
        bounds: Option<(f64, f64)>,
    },
    /// There are too few samples; so many are needed.
    Needs(usize),
    /// What would take it its sense was counted.
    Void,
    /// There is no such thing.
    Absent,
}

/// What a column is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// As a quantity.
    Of(Measure),
    /// As a quantity, per second.
    PerSecond(Measure),
}

impl Unit {
    /// Of a column that comes from there.
    pub fn of(of: Of) -> Unit {
        let measure = |text: &str| quantity(text).map_or(Measure::Things, |one| one.measure());
        match of {
            Of::Quantity(text) | Of::Each(text, _) => Unit::Of(measure(text)),
            Of::PerSecond(text, _) => Unit::PerSecond(measure(text)),
        }
    }
}

/// The columns of the variant at that place in [`Cells::variants`], in the order in which its
/// workload has them; none where that is not known or shows the intervals of a spawn.
pub(super) fn columns(cells: &Cells, index: usize, versus: Option<usize>) -> Vec<ColumnSummary> {
    let Some(row) = workload::find(&cells.variants[index].workload) else { return Vec::new() };
    if row.workload == Workload::Spawn {
        return Vec::new();
    }
    let main = row.main().map(|(place, _)| place);
    row.columns
        .iter()
        .enumerate()
        .map(|(place, column)| {
            let is_void =
                |index| column.unless.is_some_and(|count| is_counted(cells, index, count));
            if is_void(index) {
                return ColumnSummary { entry: Entry::Void, launches: Vec::new(), versus: None };
            }
            let other = versus.filter(|&other| {
                Some(place) == main
                    && !is_void(other)
                    && cells.has_samples(index)
                    && cells.has_samples(other)
            });
            ColumnSummary {
                entry: entry(cells, index, column.of),
                launches: launches(cells, index, column.of)
                    .map(|launches| launches.into_iter().map(|(_, value)| value).collect())
                    .unwrap_or_default(),
                versus: other.map(|other| contrast(cells, index, other, column.of)),
            }
        })
        .collect()
}

/// A quantity of the registry: its test parses each.
fn quantity(text: &str) -> Option<Quantity> {
    text.parse().ok()
}

/// Whether at least half of the launches have counted something.
fn is_counted(cells: &Cells, index: usize, count: &str) -> bool {
    let told = quantity(count).and_then(|count| Told::of(cells, index, &count).ok());
    told.and_then(|told| median(&told.values())).is_some_and(|value| value > 0.0)
}

/// What one launch says of a column, by the number of the launch.
fn launches(cells: &Cells, index: usize, of: Of) -> Option<Vec<(u32, f64)>> {
    let told = |text: &str| Told::of(cells, index, &quantity(text)?).ok();
    Some(match of {
        Of::Quantity(text) => {
            told(text)?.launches.into_iter().map(|(number, one)| (number, one.value)).collect()
        }
        Of::Each(one, other) | Of::PerSecond(one, other) => {
            let (one, other) = (told(one)?, told(other)?);
            let scale = scale(of);
            let quotient = |(number, one): (u32, f64)| {
                let other = other.launches.get(&number)?.value;
                (other > 0.0).then(|| (number, scale * one / other))
            };
            let ones = one.launches.iter().map(|(&number, launch)| (number, launch.value));
            ones.filter_map(quotient).collect()
        }
    })
}

/// Nanoseconds of a second, in a rate.
fn scale(of: Of) -> f64 {
    if matches!(of, Of::PerSecond(..)) { 1e9 } else { 1.0 }
}

fn entry(cells: &Cells, index: usize, of: Of) -> Entry {
    let figure = |text| quantity(text).map_or(Entry::Absent, |one| figure(cells, index, &one));
    match of {
        Of::Quantity(text) => figure(text),
        Of::Each(one, other) | Of::PerSecond(one, other) => match (figure(one), figure(other)) {
            (Entry::Known { value: one, .. }, Entry::Known { value: other, .. }) if other > 0.0 => {
                let value = scale(of) * one / other;
                let values: Vec<f64> = launches(cells, index, of)
                    .into_iter()
                    .flatten()
                    .map(|(_, value)| value)
                    .collect();
                let bounds = over_launches_in_proportion(&values).ok();
                Entry::Known { value, bounds: bounds.map(|located| around(value, located)) }
            }
            (Entry::Needs(one), Entry::Needs(other)) => Entry::Needs(one.max(other)),
            (Entry::Needs(needed), _) | (_, Entry::Needs(needed)) => Entry::Needs(needed),
            _ => Entry::Absent,
        },
    }
}

/// A quantity: a quantile of all samples, or what launches say.
fn figure(cells: &Cells, index: usize, quantity: &Quantity) -> Entry {
    let is_max = quantity.percentile() == Some(Percentile::MAX);
    if let (Some(cell), Some(percentile)) = (cells.cell_of(index, quantity), quantity.percentile())
        && !is_max
    {
        return match Figure::of(&cell.pooled(), percentile.share(), CONFIDENCE) {
            Figure::Known(one) => {
                Entry::Known { value: one.value, bounds: Some((one.low, one.high)) }
            }
            Figure::Needs { count: 0, .. } => Entry::Absent,
            Figure::Needs { needed, .. } => Entry::Needs(needed),
        };
    }
    let Ok(told) = Told::of(cells, index, quantity) else { return Entry::Absent };
    let values = told.values();
    if is_max {
        let least = values.iter().copied().fold(f64::INFINITY, f64::min);
        let most = values.iter().copied().fold(0.0, f64::max);
        return median(&values).map_or(Entry::Absent, |value| Entry::Known {
            value,
            bounds: (values.len() > 1).then_some((least, most)),
        });
    }
    match over_launches(&values, told.exact) {
        Ok(located) => {
            Entry::Known { value: located.value, bounds: Some((located.low, located.high)) }
        }
        Err(_) => {
            median(&values).map_or(Entry::Absent, |value| Entry::Known { value, bounds: None })
        }
    }
}

/// An interval that holds the value: its centre is that of launches, and the value that of samples.
fn around(value: f64, located: Located) -> (f64, f64) {
    (located.low.min(value), located.high.max(value))
}

fn contrast(cells: &Cells, index: usize, other: usize, of: Of) -> Contrast {
    let one = match of {
        Of::Quantity(text) => quantity(text).filter(|q| q.percentile() != Some(Percentile::MAX)),
        Of::Each(..) | Of::PerSecond(..) => None,
    };
    if let Some(quantity) = one
        && let (Some(this), Some(that)) =
            (cells.cell_of(index, &quantity), cells.cell_of(other, &quantity))
        && let Some(percentile) = quantity.percentile()
    {
        return compare(this, that, percentile.share());
    }
    let (Some(these), Some(others)) = (launches(cells, index, of), launches(cells, other, of))
    else {
        return Contrast::NotShown(Reason::NotInOneBlock);
    };
    let pairs: Vec<(f64, f64)> = these
        .iter()
        .filter_map(|&(launch, value)| {
            Some((value, others.iter().find(|(number, _)| *number == launch)?.1))
        })
        .collect();
    compare_pairs(&pairs).unwrap_or(Contrast::NotShown(Reason::NotInOneBlock))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyse::contrasts::{Bounds, Ratio, Unit as Observed};
    use crate::analyse::fixture::{Run, scenario, simulated};
    use crate::model::row::Scope;
    use crate::record::fixture;
    use crate::record::rows::ReadingRow;

    /// Two ways to write 1,000 pages: 2 ms after a fork, 8 us without; in one launch 3 ms.
    fn run() -> Run {
        let text = "rss = \"64M\"\nworkload = \"cow\"\nmechanism = [\"fork\", \"vfork\"]\n";
        let mut run = simulated(scenario(text), 5, 2, |_, _, _| 50e3);
        for row in &mut run.variants {
            row.workload = "cow".to_owned();
        }
        for (block, samples, readings) in &mut run.blocks {
            for sample in samples.iter_mut() {
                let slow = if block.launch == 3 { 3_000_000 } else { 2_000_000 };
                sample.rewrite_ns = Some(if sample.variant == 0 { slow } else { 8_000 });
            }
            readings.extend([0, 1].map(|variant| ReadingRow {
                reading: "pages".to_owned(),
                at: "work".to_owned(),
                ..fixture::faults(block.launch, block.block, variant, Scope::Parent, 4_000, 4)
            }));
        }
        run
    }

    #[test]
    fn a_length_is_divided_by_what_it_is_spread_over() {
        let cells = run().cells();
        let found = columns(&cells, 0, Some(1));
        let of = workload::row(Workload::Cow).columns;
        let place = |of_it: Of| of.iter().position(|column| column.of == of_it).unwrap();
        let value = |of_it: Of| match found[place(of_it)].entry {
            Entry::Known { value, .. } => value,
            ref other => panic!("{of_it:?}: {other:?}"),
        };
        let each = place(Of::Each("rewrite.p50", "pages.parent@work"));
        assert_eq!(value(Of::Quantity("rewrite.p50")), 2e6);
        assert_eq!(value(Of::Quantity("pages.parent@work")), 1000.0);
        assert_eq!(value(of[each].of), 2000.0);
        let faults = place(Of::Quantity("minor_faults.parent@work"));
        assert_eq!(found[faults].entry, Entry::Absent, "no fault was counted");
        let launches: Vec<f64> = found[each].launches.iter().map(|value| value.round()).collect();
        assert_eq!(launches, [2000.0, 2000.0, 3000.0, 2000.0, 2000.0]);
        let Entry::Known { bounds: Some((low, high)), .. } = found[each].entry else { panic!() };
        assert!(low < 2000.0 && high > 2000.0);
        let compared = found.iter().filter(|column| column.versus.is_some()).count();
        assert_eq!(compared, 1, "the main column alone");
        let Some(Contrast::Shown(Ratio { value, bounds, unit, .. })) = found[each].versus else {
            panic!("{found:?}")
        };
        assert!((value / 250.0 - 1.0).abs() < 1e-9 && unit == Observed::LaunchPair);
        assert!(matches!(bounds, Bounds::Between { low, high } if low < 250.0 && 250.0 < high));
        assert_eq!(columns(&cells, 1, None)[each].versus, None);
    }

    #[test]
    fn rates_are_per_second_and_the_largest_has_the_range_of_its_launches() {
        let mut run = run();
        for launch in 1..=5 {
            for block in 0..2 {
                let worst = u64::from(1_000 * launch);
                run.histograms.push(fixture::bucket(launch, block, 0, (worst, worst), 7));
            }
        }
        let cells = run.cells();
        let of = |of| entry(&cells, 0, of);
        let Entry::Known { value, .. } = of(Of::PerSecond("pages.parent@work", "rewrite.p50"))
        else {
            panic!()
        };
        assert_eq!(value, 500_000.0);
        assert_eq!(
            of(Of::Quantity("bystander_ns.max")),
            Entry::Known { value: 3000.0, bounds: Some((1000.0, 5000.0)) }
        );
        assert_eq!(of(Of::Quantity("bystander_ns.p99.9")), Entry::Needs(2995));
        assert_eq!(of(Of::Quantity("first_byte_ns.p50")), Entry::Absent);
        assert_eq!(
            Unit::of(Of::PerSecond("x_bytes.both@work", "y_ns.p50")),
            Unit::PerSecond(Measure::Bytes)
        );
        assert_eq!(Unit::of(Of::Each("rewrite.p50", "x.both")), Unit::Of(Measure::Nanoseconds));
    }

    #[test]
    fn what_takes_a_figure_its_sense_is_counted_in_half_of_the_launches() {
        let mut run = run();
        for (block, _, readings) in &mut run.blocks {
            for (variant, launches) in [(0, 3), (1, 2)] {
                let value = u64::from(block.launch <= launches);
                readings.push(ReadingRow {
                    reading: "saturated".to_owned(),
                    at: "work".to_owned(),
                    ..fixture::faults(block.launch, block.block, variant, Scope::Parent, value, 1)
                });
            }
        }
        let cells = run.cells();
        let is = |index| is_counted(&cells, index, "saturated.parent@work");
        assert_eq!((is(0), is(1)), (true, false));
        assert!(!is_counted(&cells, 0, "sated.parent@work"));
    }
}
