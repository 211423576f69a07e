//! How a figure grows along an axis: a line with its interval, or that it does not grow.

use super::cells::Cells;
use super::estimate::{
    CONFIDENCE, Located, hodges_lehmann, median, over_launches, over_launches_in_proportion,
    t_reach,
};
use super::fits::Sweep;
use super::launches::Told;
use super::places::Places;
use crate::model::claim::{FLAT, Per};
use crate::model::interval::Interval;
use crate::model::knob::{self, KNOBS, Knob};
use crate::model::quantity::{Percentile, Quantity};
use crate::model::row::{Role, Scope};
use crate::model::setup::{Setup, Workload};
use crate::model::workload::{self, Of};

/// How one quantity of time grows along one axis, for variants that differ in nothing else.
#[derive(Clone, Debug, PartialEq)]
pub struct Law {
    /// Name of the scenario whose axis it is.
    pub scenario: String,
    /// The knob of the axis.
    pub axis: String,
    /// Which quantity: the median of an interval as a rule.
    pub quantity: Quantity,
    /// Whether it is the one by which these variants are compared: how long the caller of a spawn
    /// is blocked, or the main column of a workload.
    pub is_main: bool,
    /// Name of the mechanism.
    pub mechanism: String,
    /// What tells these variants from the other series of the axis: `fork`, `fork page=thp`.
    pub series: String,
    /// Its points, by rising `x`.
    pub points: Vec<Point>,
    /// The line; none with fewer than three points, or too few launches.
    pub fit: Option<Fit>,
    /// What kind of growth it is.
    pub growth: Growth,
}

/// One point of an axis.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// Number of the variant.
    pub variant: u32,
    /// The value of the knob: bytes or things.
    pub x: f64,
    /// The same as text: `1GiB`.
    pub label: String,
    /// Median over launches of the launch's value, in nanoseconds.
    pub value: f64,
    /// Its 95 % interval over launches; none with too few launches.
    pub bounds: Option<(f64, f64)>,
    /// VmPTE of the parent in bytes, where it was seen.
    pub vm_pte_bytes: Option<f64>,
}

/// A line through the points.
#[derive(Clone, Debug, PartialEq)]
pub struct Fit {
    /// The slope in each unit that suits the axis, the usual one first: ns per MiB, ns per PTE.
    pub slopes: Vec<Slope>,
    /// Value at 0, in nanoseconds.
    pub intercept: f64,
    /// Share of the variance of the point medians that the line explains.
    pub r2: f64,
    /// Launches, each of which was fitted by itself.
    pub launches: usize,
    /// The line of each launch: (intercept in ns, slope in ns per byte or thing).
    pub lines: Vec<(f64, f64)>,
    /// How far point medians lie from the line, as a share: the largest.
    pub misfit: f64,
    /// How far a parent lies from the line of its own launch, as a share: root mean square.
    pub scatter: f64,
}

/// How much is added for each unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Slope {
    /// The unit.
    pub per: Per,
    /// Nanoseconds for each.
    pub value: f64,
    /// Lower end of the 95 % interval.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// What kind of growth it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Growth {
    /// Along a line.
    Linear,
    /// Not at all, within what a reader would care for.
    Flat,
    /// It grows, but a line does not describe it.
    Bent,
    /// It falls.
    Falls,
    /// There is too little to say.
    Unknown,
}

/// What a law says of a value of its axis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Prediction {
    /// Nanoseconds.
    pub value: f64,
    /// Lower end of the 95 % prediction interval for a new parent.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Whether the value lies beyond what was measured.
    pub extrapolated: bool,
}

/// R2 from which a line describes the medians.
const STRAIGHT: f64 = 0.98;

/// How far the medians may lie from that line, as a share. R2 alone speaks for the largest points:
/// of a sweep from 64 MiB to 4 GiB it is 0.998 even if the smallest lies at three times the line.
const OFF_THE_LINE: f64 = 0.25;

/// A growth along the axis that is sure, and larger than this share, is told however flat.
const SURE_GROWTH: f64 = 0.1;

/// Fewest points for a line: two are always on one.
const FEWEST_POINTS: usize = 3;

impl Law {
    /// The laws of every axis of numbers that has at least two points: of a spawn for the intervals
    /// blocked and reaped, of a workload for the lengths in its columns.
    pub fn all(cells: &Cells) -> Vec<Law> {
        let mut laws = Vec::new();
        for scenario in &cells.scenarios {
            let places = Places::of(cells, scenario);
            for axis in &scenario.axes {
                let Some(knob) = knob::find(&axis.name) else { continue };
                let Some(per) = Per::of_knob(knob.name) else { continue };
                for series in series(cells, &places, knob) {
                    for quantity in quantities(series.workload) {
                        laws.extend(law(cells, &scenario.name, knob, per, &series, quantity));
                    }
                }
            }
        }
        laws
    }

    /// What its quantity is called: `blocked` for the median of an interval, else as in a claim.
    pub fn name(&self) -> String {
        match &self.quantity {
            Quantity::Time { interval, percentile: Percentile::MEDIAN } => {
                interval.word().to_owned()
            }
            quantity => quantity.to_string(),
        }
    }

    /// What it says of the value `x` of its axis, in bytes or things; none without a line.
    ///
    /// The line of each launch says one value. The interval is that of one more launch, by
    /// Student's t over these, and of one more parent in it: the scatter about the lines is added
    /// as a variance. Beyond what was measured the misfit is added to either side, since a bend
    /// goes on.
    pub fn predict(&self, x: f64) -> Option<Prediction> {
        let fit = self.fit.as_ref()?;
        let values: Vec<f64> =
            fit.lines.iter().map(|(intercept, slope)| intercept + slope * x).collect();
        let value = hodges_lehmann(&values)?.max(0.0);
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        let launches = squares / (count - 1.0) * (1.0 + 1.0 / count);
        let reach = t_reach(values.len(), CONFIDENCE)?;
        let (first, last) = (self.points.first()?.x, self.points.last()?.x);
        let extrapolated = x < first || x > last;
        let bend = if extrapolated { fit.misfit * value } else { 0.0 };
        let half = reach * (launches + (fit.scatter * value).powi(2)).sqrt() + bend;
        Some(Prediction { value, low: (value - half).max(0.0), high: value + half, extrapolated })
    }
}

/// The quantities whose growth is told of a workload, the main one first.
fn quantities(workload: Workload) -> Vec<(Quantity, bool)> {
    let median = |interval| Quantity::Time { interval, percentile: Percentile::MEDIAN };
    let row = workload::row(workload);
    let Some((main, _)) = row.main() else {
        return vec![(median(Interval::Blocked), true), (median(Interval::Reaped), false)];
    };
    // What a column divides grows as it is; what is left of it for each thing is hardly a law.
    let of_column = |of: Of| match of {
        Of::Quantity(text) | Of::Each(text, _) => text.parse::<Quantity>().ok(),
        Of::PerSecond(..) => None,
    };
    let main = of_column(row.columns[main].of);
    let all = row.columns.iter().filter_map(|column| of_column(column.of));
    let mut quantities: Vec<(Quantity, bool)> = Vec::new();
    for quantity in main.iter().cloned().chain(all) {
        let is_known = quantities.iter().any(|(known, _)| *known == quantity);
        if quantity.percentile().is_some() && !is_known {
            let is_main = Some(&quantity) == main.as_ref();
            quantities.push((quantity, is_main));
        }
    }
    quantities
}

/// Variants that differ in the value of one knob alone.
struct Series {
    workload: Workload,
    mechanism: String,
    name: String,
    members: Vec<Member>,
}

/// The setup of a variant as the scenario asks for it, and its place in [`Cells::variants`].
type Member = (Setup, usize);

/// The series along a knob, in the order in which the scenario has them. One that several settings
/// lead to, as every image does to a thread, is one, and these settings are no part of its name.
fn series(cells: &Cells, places: &Places, knob: &Knob) -> Vec<Series> {
    let mut all: Vec<(Setup, Vec<Member>)> = Vec::new();
    for (setup, index) in places.own() {
        if cells.variants[index].role != Role::Subject {
            continue;
        }
        let mut others = setup.clone();
        // Its own default is a value that every knob takes.
        let _ = (knob.set)(&mut others, &(knob.get)(&Setup::default()));
        match all.iter_mut().find(|(known, _)| *known == others) {
            Some((_, members)) => members.push((setup.clone(), index)),
            None => all.push((others, vec![(setup.clone(), index)])),
        }
    }
    let differs = |knob: &Knob, setups: &[&Setup]| {
        setups.iter().any(|setup| (knob.get)(setup) != (knob.get)(setups[0]))
    };
    let setups: Vec<&Setup> = all.iter().map(|(setup, _)| setup).collect();
    let vary: Vec<&Knob> =
        KNOBS.iter().filter(|other| other.name != "mechanism" && differs(other, &setups)).collect();
    let mut series: Vec<(Vec<&Setup>, &[Member])> = Vec::new();
    for (setup, members) in &all {
        let same = |known: &[Member]| {
            known.iter().map(|(_, index)| index).eq(members.iter().map(|(_, index)| index))
        };
        match series.iter_mut().find(|(_, known)| same(known)) {
            Some((setups, _)) => setups.push(setup),
            None => series.push((vec![setup], members)),
        }
    }
    series
        .into_iter()
        .map(|(setups, members)| {
            let mechanism = setups[0].work.mechanism.clone();
            let mut name = mechanism.clone();
            for knob in vary.iter().filter(|knob| !differs(knob, &setups)) {
                name.push_str(&format!(" {}={}", knob.name, (knob.get)(setups[0])));
            }
            let workload = setups[0].work.workload;
            Series { workload, mechanism, name, members: members.to_vec() }
        })
        .collect()
}

/// The law of one series; none with fewer than two points that were measured.
fn law(
    cells: &Cells,
    scenario: &str,
    knob: &Knob,
    per: Per,
    series: &Series,
    (quantity, is_main): (Quantity, bool),
) -> Option<Law> {
    let mut measured: Vec<(Point, Told)> = series
        .members
        .iter()
        .filter_map(|(setup, index)| {
            let told = Told::of(cells, *index, &quantity).ok()?;
            let bounds = over_launches_in_proportion(&told.values()).ok();
            let value = median(&told.values())?;
            let point = Point {
                variant: cells.variants[*index].variant,
                x: knob::number(knob, setup)?,
                label: (knob.get)(setup),
                value,
                bounds: bounds.map(|b| (b.low.min(value), b.high.max(value))),
                vm_pte_bytes: page_tables(cells, *index),
            };
            Some((point, told))
        })
        .collect();
    measured.sort_by(|(one, _), (next, _)| one.x.total_cmp(&next.x));
    measured.dedup_by(|(next, _), (one, _)| one.x == next.x);
    if measured.len() < 2 {
        return None;
    }
    let fitted = fit(&measured, per);
    let growth = growth(&measured, fitted.as_ref());
    Some(Law {
        scenario: scenario.to_owned(),
        axis: knob.name.to_owned(),
        quantity,
        is_main,
        mechanism: series.mechanism.clone(),
        series: series.name.clone(),
        fit: fitted,
        growth,
        points: measured.into_iter().map(|(point, _)| point).collect(),
    })
}

/// VmPTE of the parent of a variant, in bytes: what most of its launches saw.
pub(super) fn page_tables(cells: &Cells, index: usize) -> Option<f64> {
    let quantity = Quantity::Count {
        reading: "vm_pte_bytes".to_owned(),
        scope: Scope::Parent,
        at: "setup".to_owned(),
    };
    let values = Told::of(cells, index, &quantity).ok()?.values();
    over_launches(&values, true).ok().map(|located| located.value)
}

/// Bytes of a page-table entry; the same on x86_64, aarch64 and riscv64.
pub(super) const PTE_BYTES: f64 = 8.0;

fn fit(measured: &[(Point, Told)], per: Per) -> Option<Fit> {
    if measured.len() < FEWEST_POINTS {
        return None;
    }
    let points: Vec<(f64, &Told)> = measured.iter().map(|(point, told)| (point.x, told)).collect();
    let sweep = Sweep::fit(&points).ok()?;
    let mut slopes = vec![slope(&sweep, per)?];
    let entries: Option<Vec<(f64, &Told)>> = measured
        .iter()
        .map(|(point, told)| Some((point.vm_pte_bytes? / PTE_BYTES, told)))
        .collect();
    if let (Per::MiB, Some(points)) = (per, entries)
        && let Ok(sweep) = Sweep::fit(&points)
    {
        slopes.extend(slope(&sweep, Per::Pte));
    }
    Some(Fit {
        slopes,
        intercept: sweep.line.intercept,
        r2: sweep.r2,
        launches: sweep.lines.len(),
        lines: sweep.lines.iter().map(|line| (line.intercept, line.slope)).collect(),
        misfit: sweep.misfit,
        scatter: sweep.scatter,
    })
}

fn slope(sweep: &Sweep, per: Per) -> Option<Slope> {
    let Located { value, low, high } = sweep.slope().ok()?;
    let of = |slope: f64| slope * per.size();
    Some(Slope { per, value: of(value), low: of(low), high: of(high) })
}

/// What kind of growth it is. Sure is what a 95 % interval over launches says.
fn growth(measured: &[(Point, Told)], fit: Option<&Fit>) -> Growth {
    let by_value =
        |one: &&(Point, Told), other: &&(Point, Told)| one.0.value.total_cmp(&other.0.value);
    let (Some(least), Some(most)) =
        (measured.iter().min_by(by_value), measured.iter().max_by(by_value))
    else {
        return Growth::Unknown;
    };
    let ratios: Vec<f64> =
        most.1.pairs(&least.1).iter().map(|(most, least)| most / least).collect();
    let Ok(spread) = over_launches_in_proportion(&ratios) else { return Growth::Unknown };
    let rises = fit.is_some_and(|fit| fit.slopes[0].low > 0.0);
    let falls = fit.is_some_and(|fit| fit.slopes[0].high < 0.0);
    let (first, last) = (measured[0].0.x, measured[measured.len() - 1].0.x);
    let over_all = fit.map_or(0.0, |fit| {
        let slope = fit.slopes[0].value / fit.slopes[0].per.size();
        (slope * (last - first)).abs() / least.0.value
    });
    if spread.high <= FLAT && !((rises || falls) && over_all > SURE_GROWTH) {
        return Growth::Flat;
    }
    match fit {
        _ if falls || (spread.low > FLAT && least.0.x > most.0.x) => Growth::Falls,
        Some(fit) if rises && fit.r2 >= STRAIGHT && fit.misfit <= OFF_THE_LINE => Growth::Linear,
        Some(_) if rises || spread.low > FLAT => Growth::Bent,
        _ => Growth::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyse::fixture::{Noise, Run, scenario, simulated};
    use crate::record::rows::VariantRow;

    const SIZES: &str = "rss = [\"0\", \"64M\", \"256M\", \"1G\", \"4G\"]\n";

    /// A sweep in which a spawn takes what `time` says of the MiB of its parent; parents differ by 5 %.
    fn sweep(text: &str, launches: u32, seed: u64, time: impl Fn(&Setup, f64) -> f64) -> Run {
        let mut noise = Noise::new(seed);
        let mut parent = (0, 0, 1.0);
        simulated(scenario(text), launches, 3, |setup, launch, _| {
            let bytes = setup.parent.shape.rss.bytes();
            if (parent.0, parent.1) != (launch, bytes) {
                parent = (launch, bytes, noise.around_1(0.05));
            }
            time(setup, bytes as f64 / f64::from(1 << 20)) * parent.2 * noise.around_1(0.01)
        })
    }

    fn one(launches: u32, time: impl Fn(f64) -> f64) -> Law {
        let text = format!("{SIZES}mechanism = \"fork\"");
        let run = sweep(&text, launches, 3, |_, mib| time(mib));
        let mut laws = Law::all(&run.cells());
        let names: Vec<String> = laws.iter().map(Law::name).collect();
        assert_eq!(names, ["blocked", "reaped"]);
        laws.remove(0)
    }

    #[test]
    fn a_workload_has_laws_of_the_lengths_in_its_columns_along_shares_too() {
        let text = "rss = \"64M\"\nworkload = \"cow\"\nmechanism = \"fork\"\n\
                    written = [\"1/64\", \"25%\", \"50%\", \"all\"]\n";
        let mut run = simulated(scenario(text), 6, 2, |_, _, _| 5e6);
        for row in &mut run.variants {
            row.workload = "cow".to_owned();
        }
        let percent = [1.5625, 25.0, 50.0, 100.0];
        for (block, samples, _) in &mut run.blocks {
            for sample in samples {
                let off = 1.0 + 0.01 * f64::from(block.launch % 3);
                let length = 1e6 * off * percent[sample.variant as usize];
                sample.rewrite_ns = Some(length as u64);
            }
        }
        let laws = Law::all(&run.cells());
        let names: Vec<(String, bool)> = laws.iter().map(|law| (law.name(), law.is_main)).collect();
        assert_eq!(names[..2], [("rewrite".to_owned(), true), ("blocked".to_owned(), false)]);
        let fit = laws[0].fit.as_ref().unwrap();
        assert!((fit.slopes[0].value / 1e6 - 1.0).abs() < 0.03, "{fit:?}");
        assert_eq!((fit.slopes[0].per, laws[0].growth), (Per::Percent, Growth::Linear));
        assert_eq!(laws[0].points[0].x, 1.5625);
        assert_eq!((laws[1].growth, laws[0].series.as_str()), (Growth::Flat, "fork"));
    }

    #[test]
    fn a_fork_grows_along_a_line() {
        let law = one(10, |mib| 50e3 + 17e3 * mib);
        assert_eq!(
            (law.axis.as_str(), law.series.as_str(), law.growth),
            ("rss", "fork", Growth::Linear)
        );
        let labels: Vec<&str> = law.points.iter().map(|point| point.label.as_str()).collect();
        assert_eq!(labels, ["0", "64MiB", "256MiB", "1GiB", "4GiB"]);
        let gib = &law.points[3];
        assert_eq!(
            (gib.x, gib.vm_pte_bytes),
            (f64::from(1 << 30), Some(40_960.0 + f64::from(2 << 20)))
        );
        let (low, high) = gib.bounds.unwrap();
        assert!(low < gib.value && gib.value < high && high / low < 1.2);
        let fit = law.fit.as_ref().unwrap();
        assert_eq!((fit.launches, fit.lines.len()), (10, 10));
        let [mib, pte] = fit.slopes[..] else { panic!("{fit:?}") };
        assert_eq!((mib.per, pte.per), (Per::MiB, Per::Pte));
        for (slope, truth) in [(mib, 17e3), (pte, 17e3 / 256.0)] {
            assert!(slope.low < truth && truth < slope.high, "{slope:?}");
            assert!(slope.high / slope.low < 1.15, "{slope:?}");
        }
    }

    #[test]
    fn growth_of_every_kind_is_told_apart() {
        assert_eq!(one(10, |_| 100e3).growth, Growth::Flat);
        assert_eq!(one(10, |mib| 100e3 * (1.0 + 0.05 * mib / 4096.0)).growth, Growth::Flat);
        assert_eq!(one(10, |mib| 100e3 * (1.0 + 0.3 * mib / 4096.0)).growth, Growth::Linear);
        assert_eq!(one(10, |mib| 50e3 + 17e3 * mib.powf(1.4)).growth, Growth::Bent);
        assert_eq!(one(10, |mib| if mib > 512.0 { 9e6 } else { 90e3 }).growth, Growth::Bent);
        assert_eq!(one(10, |mib| 100e3 * (2.0 - mib / 4096.0)).growth, Growth::Falls);
        assert_eq!(one(2, |mib| 50e3 + 17e3 * mib).growth, Growth::Unknown);
    }

    #[test]
    fn a_line_that_misses_a_small_point_is_bent_though_r2_does_not_see_it() {
        let law = one(10, |mib| (50e3 + 17e3 * mib) * if mib == 64.0 { 3.0 } else { 1.0 });
        let fit = law.fit.as_ref().unwrap();
        assert!(fit.r2 > STRAIGHT && fit.misfit > OFF_THE_LINE, "{fit:?}");
        assert_eq!(law.growth, Growth::Bent);
    }

    #[test]
    fn two_points_are_no_line() {
        let text = "rss = [\"0\", \"1G\"]\nmechanism = \"fork\"";
        let run = sweep(text, 10, 4, |_, mib| 50e3 + 17e3 * mib);
        let law = Law::all(&run.cells()).remove(0);
        assert_eq!((law.fit.clone(), law.growth, law.predict(1.0)), (None, Growth::Unknown, None));
    }

    #[test]
    fn series_are_named_by_what_differs() {
        let text = "rss = [\"0\", \"1G\"]\nmechanism = [\"fork\", \"vfork\"]\n\
                    rewrite = [\"all\", \"none\"]\nfds = [\"0\", \"7\"]";
        let run = sweep(text, 3, 5, |_, mib| 50e3 + mib);
        let laws = Law::all(&run.cells());
        let of = |axis: &str| -> Vec<&str> {
            let laws = laws.iter().filter(|law| law.axis == axis);
            laws.filter(|law| law.is_main).map(|law| law.series.as_str()).collect()
        };
        assert_eq!(of("rss")[..2], ["fork fds=0 rewrite=all", "fork fds=7 rewrite=all"],);
        assert_eq!(of("fds").len(), 4 + 4);
    }

    #[test]
    fn settings_that_lead_to_the_same_variants_are_one_series() {
        let text = "rss = [\"0\", \"1G\"]\nmechanism = [\"fork\", \"thread\"]\n\
                    image = [\"noop\", \"exit\"]";
        let mut run = sweep(text, 3, 5, |_, mib| 50e3 + mib);
        // As a run has it: a thread execs nothing, and is measured once.
        let extra =
            |row: &VariantRow| row.mechanism == "thread" && row.settings.contains("image=exit");
        let left_out: Vec<u32> =
            run.variants.iter().filter(|row| extra(row)).map(|row| row.variant).collect();
        run.variants.retain(|row| !left_out.contains(&row.variant));
        for (_, samples, _) in &mut run.blocks {
            samples.retain(|sample| !left_out.contains(&sample.variant));
        }
        let laws = Law::all(&run.cells());
        let names: Vec<&str> = laws.iter().step_by(2).map(|law| law.series.as_str()).collect();
        assert_eq!(names, ["fork image=noop", "fork image=exit", "thread"]);
    }

    #[test]
    fn what_a_law_predicts() {
        let law = one(10, |mib| 50e3 + 17e3 * mib);
        let gib = f64::from(1 << 30);
        let inside = law.predict(2.0 * gib).unwrap();
        assert!(!inside.extrapolated && (inside.value / 34.87e6 - 1.0).abs() < 0.05, "{inside:?}");
        let beyond = law.predict(20.0 * gib).unwrap();
        assert!(beyond.extrapolated && (beyond.value / 348.2e6 - 1.0).abs() < 0.05, "{beyond:?}");
        let width = |of: Prediction| (of.high - of.low) / of.value;
        assert!(width(beyond) > width(inside) && width(inside) < 0.4, "{inside:?} {beyond:?}");
        assert!(law.predict(0.0).unwrap().low >= 0.0);
        assert_eq!(one(2, |mib| 50e3 + 17e3 * mib).predict(gib), None);
    }

    /// A new parent of 512 MiB, between the points: 200 laws, each of which is asked for one.
    #[test]
    fn a_prediction_holds_the_next_parent_as_often_as_it_says() {
        let mut noise = Noise::new(9);
        let x = f64::from(512 << 20);
        let held = (0..200)
            .filter(|seed| {
                let text = format!("{SIZES}mechanism = \"fork\"");
                let run = sweep(&text, 6, 100 + seed, |_, mib| 50e3 + 17e3 * mib);
                let said = Law::all(&run.cells())[0].predict(x).unwrap();
                let next = (50e3 + 17e3 * 512.0) * noise.around_1(0.05);
                said.low <= next && next <= said.high
            })
            .count();
        assert!((184..=200).contains(&held), "{held}");
    }
}
