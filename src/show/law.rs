//! Laws as they are told: in a sentence, in a table, as a picture, and applied to other values.
//!
//! Owns the words for growth. Fits nothing: lines, intervals and predictions come finished from
//! [`crate::analyse::laws`].

use serde::Serialize;

use crate::analyse::findings::Compared;
use crate::analyse::laws::{Growth, Law, Point};
use crate::model::claim::{Counted, Per};
use crate::model::did_you_mean;
use crate::model::interval::Interval;
use crate::model::knob::{self, Group, Knob};
use crate::model::quantity::{Measure, Quantity};
use crate::model::setup::Setup;
use crate::show::chart::Chart;
use crate::show::units;

/// The laws of one axis of one scenario, as a table.
#[derive(Clone, Debug, PartialEq)]
pub struct LawTable {
    /// What was varied, from where to where, and on how much it rests.
    pub caption: String,
    /// The unit of the slopes: `per MiB`; empty where there is no slope.
    pub per: String,
    /// A second unit for the same slopes: `per PTE`; empty where there is none.
    pub other: String,
    /// One for each series and interval.
    pub rows: Vec<LawRow>,
    /// What the parents' page tables came to, where that was seen.
    pub note: Option<String>,
}

/// The law of one interval of one series. What is not known is an empty text.
#[derive(Clone, Debug, PartialEq)]
pub struct LawRow {
    /// What tells it from the other series.
    pub series: String,
    /// Name of its mechanism, which decides its colour.
    pub mechanism: String,
    /// The word for the interval, or the quantity.
    pub interval: String,
    /// The word for its growth.
    pub growth: &'static str,
    /// What each unit adds.
    pub slope: String,
    /// The interval of that.
    pub bounds: String,
    /// The same for each of the second unit.
    pub other: String,
    /// Where the line meets 0.
    pub at_zero: String,
    /// Share of the variance of the medians that the line explains.
    pub r2: String,
    /// How many points there are.
    pub points: usize,
}

/// A law for machines to read. Times are in nanoseconds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LawRecord {
    /// Name of the scenario.
    pub scenario: String,
    /// The knob of the axis.
    pub axis: String,
    /// The word for the interval, or the quantity.
    pub interval: String,
    /// Name of the mechanism.
    pub mechanism: String,
    /// What tells it from the other series of the axis.
    pub series: String,
    /// The word for its growth.
    pub growth: &'static str,
    /// What each unit adds; empty without a line.
    pub slopes: Vec<SlopeRecord>,
    /// Where the line meets 0.
    pub intercept_ns: Option<f64>,
    /// Share of the variance of the medians that the line explains.
    pub r2: Option<f64>,
    /// How far medians lie from the line, as a share: the largest.
    pub misfit: Option<f64>,
    /// How far a parent lies from the line of its own launch, as a share: root mean square.
    pub scatter: Option<f64>,
    /// Launches that were fitted.
    pub launches: Option<usize>,
    /// The medians that it rests on.
    pub points: Vec<PointRecord>,
}

/// A slope for machines to read.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SlopeRecord {
    /// The unit.
    pub per: &'static str,
    /// Nanoseconds for each.
    pub value_ns: f64,
    /// Lower end of its interval.
    pub low_ns: f64,
    /// Upper end of its interval.
    pub high_ns: f64,
}

/// A point of an axis for machines to read.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PointRecord {
    /// The value of the knob, in bytes or things.
    pub x: f64,
    /// The same as text.
    pub label: String,
    /// Median over launches.
    pub value_ns: f64,
    /// Lower end of its interval.
    pub low_ns: Option<f64>,
    /// Upper end of its interval.
    pub high_ns: Option<f64>,
    /// Page tables of the parent, where they were seen.
    pub vm_pte_bytes: Option<f64>,
}

/// A value of an axis that a law is asked about.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The knob.
    pub knob: &'static Knob,
    /// The value in canonical form.
    pub value: String,
    /// The same as a number, in bytes or things.
    pub x: f64,
}

/// What the laws of one axis say of one value.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Applied {
    /// Name of the scenario.
    pub scenario: String,
    /// The knob.
    pub axis: String,
    /// The value.
    pub at: String,
    /// The smallest and the largest value that was measured.
    pub measured: [String; 2],
    /// What each series says.
    pub rows: Vec<AppliedRow>,
}

/// What one law says of one value. Times are in nanoseconds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AppliedRow {
    /// What tells it from the other series.
    pub series: String,
    /// Name of its mechanism.
    pub mechanism: String,
    /// The word for the interval, or the quantity.
    pub interval: String,
    /// The value that a new parent will have, if the law holds there.
    pub value_ns: Option<f64>,
    /// Lower end of the 95 % prediction interval.
    pub low_ns: Option<f64>,
    /// Upper end of it.
    pub high_ns: Option<f64>,
    /// `extrapolated` or `interpolated`; none without a value.
    pub kind: Option<&'static str>,
    /// The same in words: the figure with its interval, or why there is none.
    pub text: String,
}

/// Series that a sentence names before it counts the rest.
const NAMED: usize = 4;

/// A life that grows more than this many times as fast as the caller's part of it is told.
const HIDDEN: f64 = 3.0;

/// A longer title names but one series of each kind of growth.
const LONGEST_TITLE: usize = 160;

const TIME: Counted = Counted::As(Measure::Nanoseconds);

/// The laws of each axis of each scenario, in the order in which they come.
pub fn by_axis<'a>(laws: &[&'a Law]) -> Vec<Vec<&'a Law>> {
    let mut axes: Vec<Vec<&Law>> = Vec::new();
    for law in laws.iter().filter(|law| law.mechanism != "none") {
        let same =
            |axis: &&mut Vec<&Law>| axis[0].axis == law.axis && axis[0].scenario == law.scenario;
        match axes.iter_mut().find(same) {
            Some(axis) => axis.push(law),
            None => axes.push(vec![law]),
        }
    }
    axes
}

/// What the laws of one axis say of what they are about, and of the whole life of a spawn where
/// that alone grows, or grows much faster than the caller's part; none where nothing can be said.
pub fn sentences(axis: &[&Law]) -> Option<String> {
    let told: Vec<String> = by_main(axis).iter().filter_map(|mains| about(mains, axis)).collect();
    (!told.is_empty()).then(|| told.join(" "))
}

/// The main laws of an axis, those of each quantity by themselves.
fn by_main<'a>(axis: &[&'a Law]) -> Vec<Vec<&'a Law>> {
    let mut all: Vec<Vec<&Law>> = Vec::new();
    for law in axis.iter().copied().filter(|law| law.is_main) {
        match all.iter_mut().find(|known| known[0].quantity == law.quantity) {
            Some(known) => known.push(law),
            None => all.push(vec![law]),
        }
    }
    all
}

fn about(mains: &[&Law], axis: &[&Law]) -> Option<String> {
    let clauses_of_mains = clauses(mains, NAMED)?;
    if !is_blocked(&mains[0].quantity) {
        return Some(format!("Of {}, {clauses_of_mains}.", mains[0].name()));
    }
    let mut told = format!("{clauses_of_mains}.");
    // What the caller does not see of the growth, or sees little of.
    let is_hidden = |whole: &Law| {
        mains.iter().any(|law| {
            let seen = slope(law).unwrap_or(0.0);
            law.series == whole.series
                && match law.growth {
                    Growth::Flat => true,
                    Growth::Linear => slope(whole).is_some_and(|all| all > HIDDEN * seen),
                    Growth::Bent | Growth::Falls | Growth::Unknown => false,
                }
        })
    };
    let hidden: Vec<&Law> = axis
        .iter()
        .copied()
        .filter(|law| is_reaped(&law.quantity) && !law.is_main && is_hidden(law))
        .filter(|law| matches!(law.growth, Growth::Linear | Growth::Bent))
        .collect();
    if let Some(clauses) = clauses(&hidden, NAMED) {
        told.push_str(&format!(" To reaped, {clauses}."));
    }
    Some(told)
}

/// What each unit adds, in nanoseconds.
fn slope(law: &Law) -> Option<f64> {
    Some(law.fit.as_ref()?.slopes.first()?.value)
}

/// The clauses of a sentence, in which so many series are named of each kind of growth.
fn clauses(laws: &[&Law], named: usize) -> Option<String> {
    let of = |growth: Growth| -> Vec<&Law> {
        laws.iter().copied().filter(|law| law.growth == growth).collect()
    };
    let mut lines: Vec<(&Law, Per, f64, f64, f64)> = of(Growth::Linear)
        .into_iter()
        .filter_map(|law| {
            let slope = law.fit.as_ref()?.slopes.first()?;
            Some((law, slope.per, slope.value, slope.low, slope.high))
        })
        .collect();
    lines.sort_by(|a, b| b.2.total_cmp(&a.2));
    let mut clauses = Vec::new();
    let mut parts: Vec<String> = Vec::new();
    for (position, (law, per, value, low, high)) in lines.iter().take(named).enumerate() {
        let series = &law.series;
        parts.push(if position == 0 {
            let counted = Counted::For(Measure::Nanoseconds, *per);
            format!("{series} costs {}", units::within(counted, *value, *low, *high))
        } else {
            format!("{series} {}", units::within(TIME, *value, *low, *high))
        });
    }
    if lines.len() > named {
        parts.push(format!("{} more no more than that", lines.len() - named));
    }
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    if !parts.is_empty() {
        clauses.push(units::list(&parts, "and"));
    }
    let bent = of(Growth::Bent);
    match bent.as_slice() {
        [] => {}
        [law] => clauses.push(format!(
            "{} grows, but not along a line ({})",
            law.series,
            ends(law).unwrap_or_default()
        )),
        several => clauses.push(format!("{} grow, but not along a line", names(several, named))),
    }
    let falls = of(Growth::Falls);
    if !falls.is_empty() {
        let verb = if falls.len() == 1 { "falls" } else { "fall" };
        clauses.push(format!("{} {verb}", names(&falls, named)));
    }
    let flat = of(Growth::Flat);
    if let Some(last) = flat.first().and_then(|law| Some((&law.axis, law.points.last()?))) {
        let verb = if flat.len() == 1 { "does not grow" } else { "do not grow" };
        let (axis, point) = last;
        clauses.push(format!("{} {verb} up to {axis}={}", names(&flat, named), point.label));
    }
    let is_plain = clauses.len() < 3 && lines.len() < 2;
    (!clauses.is_empty()).then(|| clauses.join(if is_plain { ", " } else { "; " }))
}

fn names(laws: &[&Law], named: usize) -> String {
    let mut names: Vec<&str> = laws.iter().take(named).map(|law| law.series.as_str()).collect();
    let more = format!("{} more", laws.len().saturating_sub(named));
    if laws.len() > named {
        names.push(&more);
    }
    units::list(&names, "and")
}

/// From the first point to the last: `57.2 us to 24.4 ms`.
fn ends(law: &Law) -> Option<String> {
    let (first, last) = (law.points.first()?, law.points.last()?);
    Some(format!("{} to {}", units::duration(first.value), units::duration(last.value)))
}

/// The word for a kind of growth.
pub fn word(growth: Growth) -> &'static str {
    match growth {
        Growth::Linear => "linear",
        Growth::Flat => "flat",
        Growth::Bent => "bent",
        Growth::Falls => "falls",
        Growth::Unknown => "unknown",
    }
}

impl LawTable {
    /// The table of one axis; none where no law of it is told.
    pub fn of(axis: &[&Law]) -> Option<LawTable> {
        let mut told: Vec<&Law> = axis.to_vec();
        let order: Vec<&str> = told.iter().map(|law| law.series.as_str()).collect();
        let place = |law: &Law| order.iter().position(|series| *series == law.series);
        told.sort_by_key(|law| (place(law), !law.is_main));
        let first = told.first()?;
        let slopes = told.iter().find_map(|law| law.fit.as_ref()).map(|fit| &fit.slopes);
        let per = |place: usize| {
            let slope = slopes.and_then(|slopes| slopes.get(place));
            slope.map_or_else(String::new, |slope| format!("per {}", slope.per))
        };
        Some(LawTable {
            caption: caption(told.iter().max_by_key(|law| law.points.len()).unwrap_or(first)),
            per: per(0),
            other: per(1),
            rows: told.iter().map(|law| LawRow::of(law)).collect(),
            note: page_tables(&told),
        })
    }
}

/// `Along rss, from 0 to 4GiB: 5 points, 10 launches`.
fn caption(law: &Law) -> String {
    let ends = match law.points.as_slice() {
        [first, .., last] => format!(", from {} to {}", first.label, last.label),
        _ => String::new(),
    };
    let points = units::plural(law.points.len() as u64, "point", "points");
    let launches = law.fit.as_ref().map_or_else(String::new, |fit| {
        format!(", {}", units::plural(fit.launches as u64, "launch", "launches"))
    });
    format!("Along {}{ends}: {points}{launches}", law.axis)
}

/// What the page tables of the largest parent came to; none where all have the same parent.
fn page_tables(laws: &[&Law]) -> Option<String> {
    let is_of_parents =
        |law: &&Law| knob::find(&law.axis).is_some_and(|knob| knob.group == Group::Shape);
    laws.first().filter(|law| is_of_parents(law))?;
    let points = laws.iter().flat_map(|law| &law.points);
    let seen = points.filter_map(|point| Some((point, point.vm_pte_bytes?)));
    let (point, bytes) = seen.max_by(|a, b| a.0.x.total_cmp(&b.0.x))?;
    let size = units::counted(Counted::As(Measure::Bytes), bytes);
    let axis = &laws.first()?.axis;
    Some(format!("page tables (VmPTE) of the parent with {axis}={}: {size}", point.label))
}

impl LawRow {
    fn of(law: &Law) -> LawRow {
        let fit = law.fit.as_ref();
        let slope = fit.and_then(|fit| fit.slopes.first());
        let other = fit.and_then(|fit| fit.slopes.get(1));
        let text = |text: Option<String>| text.unwrap_or_default();
        LawRow {
            series: law.series.clone(),
            mechanism: law.mechanism.clone(),
            interval: law.name(),
            growth: word(law.growth),
            slope: text(slope.map(|s| head(s.value, s.low, s.high))),
            bounds: text(slope.map(|s| units::bounds(TIME, s.value, s.low, s.high))),
            other: text(other.map(|s| head(s.value, s.low, s.high))),
            at_zero: text(fit.map(|fit| units::duration(fit.intercept))),
            r2: text(fit.map(|fit| units::r2(fit.r2))),
            points: law.points.len(),
        }
    }
}

/// A time with the digits that its interval allows for, without the interval.
fn head(value: f64, low: f64, high: f64) -> String {
    let text = units::within(TIME, value, low, high);
    text.split(" (").next().unwrap_or_default().to_owned()
}

impl LawRecord {
    /// A law, for machines to read.
    pub fn of(law: &Law) -> LawRecord {
        let fit = law.fit.as_ref();
        LawRecord {
            scenario: law.scenario.clone(),
            axis: law.axis.clone(),
            interval: law.name(),
            mechanism: law.mechanism.clone(),
            series: law.series.clone(),
            growth: word(law.growth),
            slopes: fit.map_or_else(Vec::new, |fit| {
                let slopes = fit.slopes.iter().map(|slope| SlopeRecord {
                    per: slope.per.word(),
                    value_ns: units::rounded(slope.value),
                    low_ns: units::rounded(slope.low),
                    high_ns: units::rounded(slope.high),
                });
                slopes.collect()
            }),
            intercept_ns: fit.map(|fit| units::rounded(fit.intercept)),
            r2: fit.map(|fit| units::rounded(fit.r2)),
            misfit: fit.map(|fit| units::rounded(fit.misfit)),
            scatter: fit.map(|fit| units::rounded(fit.scatter)),
            launches: fit.map(|fit| fit.launches),
            points: law.points.iter().map(PointRecord::of).collect(),
        }
    }
}

impl PointRecord {
    fn of(point: &Point) -> PointRecord {
        PointRecord {
            x: point.x,
            label: point.label.clone(),
            value_ns: units::rounded(point.value),
            low_ns: point.bounds.map(|(low, _)| units::rounded(low)),
            high_ns: point.bounds.map(|(_, high)| units::rounded(high)),
            vm_pte_bytes: point.vm_pte_bytes,
        }
    }
}

impl Asked {
    /// Reads `rss=20GiB`.
    ///
    /// # Errors
    ///
    /// If there is no such knob, it does not take that value, or the value is no number.
    pub fn parse(text: &str) -> Result<Asked, String> {
        let (name, value) = text
            .split_once('=')
            .ok_or_else(|| format!("`{text}` is not KNOB=VALUE, such as rss=20GiB"))?;
        let knob = knob::find(name).ok_or_else(|| {
            let near = did_you_mean(name, knob::KNOBS.iter().map(|knob| knob.name));
            format!("there is no knob `{name}`{near}")
        })?;
        let mut setup = Setup::default();
        (knob.set)(&mut setup, value).map_err(|error| error.to_string())?;
        let x = knob::number(knob, &setup)
            .ok_or_else(|| format!("the values of {name} are words: no law runs along them"))?;
        Ok(Asked { knob, value: (knob.get)(&setup), x })
    }
}

impl Applied {
    /// What the laws of each axis of that knob say of the value.
    pub fn all(laws: &[&Law], asked: &Asked) -> Vec<Applied> {
        let axes = by_axis(laws).into_iter().filter(|axis| axis[0].axis == asked.knob.name);
        axes.filter_map(|axis| Applied::of(&axis, asked)).collect()
    }

    fn of(axis: &[&Law], asked: &Asked) -> Option<Applied> {
        let points = || axis.iter().flat_map(|law| &law.points);
        let first = points().min_by(|a, b| a.x.total_cmp(&b.x))?;
        let last = points().max_by(|a, b| a.x.total_cmp(&b.x))?;
        Some(Applied {
            scenario: axis[0].scenario.clone(),
            axis: axis[0].axis.clone(),
            at: asked.value.clone(),
            measured: [first.label.clone(), last.label.clone()],
            rows: axis.iter().map(|law| AppliedRow::of(law, asked.x)).collect(),
        })
    }
}

impl AppliedRow {
    fn of(law: &Law, x: f64) -> AppliedRow {
        let is_line = !matches!(law.growth, Growth::Bent | Growth::Falls);
        let prediction = law.predict(x).filter(|_| is_line);
        let text = match prediction {
            Some(p) => units::within(TIME, p.value, p.low.max(0.0), p.high),
            None => format!("no line: {}", why_no_line(law)),
        };
        let kind = |beyond: bool| if beyond { "extrapolated" } else { "interpolated" };
        AppliedRow {
            series: law.series.clone(),
            mechanism: law.mechanism.clone(),
            interval: law.name(),
            value_ns: prediction.map(|p| units::rounded(p.value)),
            low_ns: prediction.map(|p| units::rounded(p.low.max(0.0))),
            high_ns: prediction.map(|p| units::rounded(p.high)),
            kind: prediction.map(|p| kind(p.extrapolated)),
            text,
        }
    }
}

fn why_no_line(law: &Law) -> String {
    match (law.growth, law.points.len()) {
        (Growth::Bent, _) => "it grows, but not along a line".to_owned(),
        (Growth::Falls, _) => "it falls, and what falls does not do so for ever".to_owned(),
        (_, points @ ..3) => {
            let points = units::plural(points as u64, "point", "points");
            format!("it takes three points, and there are {points}").replace("are 1 p", "is 1 p")
        }
        _ => "it takes more launches (--launches 10)".to_owned(),
    }
}

/// The pictures of all laws: one for each axis of each scenario.
pub fn charts(laws: &[&Law], published: &[Compared]) -> Vec<Chart> {
    let axes = by_axis(laws);
    let scenarios: Vec<&str> = axes.iter().map(|axis| axis[0].scenario.as_str()).collect();
    let several = scenarios.iter().any(|scenario| *scenario != scenarios[0]);
    let charts = axes.iter().flat_map(|axis| by_main(axis)).filter_map(|mains| {
        let first = mains[0];
        let quantity = &first.quantity;
        let what = match quantity {
            quantity if is_blocked(quantity) => "How long the caller is blocked".to_owned(),
            quantity => quantity.to_string(),
        };
        let title = clauses(&mains, NAMED)
            .filter(|title| title.chars().count() <= LONGEST_TITLE)
            .or_else(|| clauses(&mains, 1))
            .map(|title| match is_blocked(quantity) {
                true => title,
                false => format!("{}: {title}", first.name()),
            })
            .unwrap_or_else(|| format!("{what}, along {}", first.axis));
        let theirs: Vec<&Compared> = published
            .iter()
            .filter(|one| one.scenario == first.scenario)
            .filter(|one| {
                one.published.quantity == *quantity
                    || is_blocked(quantity) && is_blocked(&one.published.quantity)
            })
            .collect();
        Chart::of(&mains, &theirs, title, several)
    });
    charts.collect()
}

fn is_reaped(quantity: &Quantity) -> bool {
    matches!(quantity, Quantity::Time { interval: Interval::Reaped, .. })
}

fn is_blocked(quantity: &Quantity) -> bool {
    matches!(quantity, Quantity::Time { interval: Interval::Blocked, .. })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyse::laws::Law;
    use crate::show::example;

    #[test]
    fn the_main_quantity_of_a_workload_is_named() {
        let main = Law {
            quantity: "rewrite.p50".parse().unwrap(),
            ..example::law("rss", "fork", Interval::Blocked, Growth::Linear, 57e3, 16_900.0)
        };
        let told = told(std::slice::from_ref(&main));
        let text = told[0].as_deref().unwrap();
        assert!(text.starts_with("Of rewrite, fork costs 16.9 us per MiB"), "{text}");
        let chart = &charts(&[&main], &[])[0];
        assert_eq!(chart.stem, "law-rss-rewrite");
        assert!(chart.y_title.starts_with("rewrite.p50"), "{}", chart.y_title);
    }

    fn reaped() -> Quantity {
        "reaped.p50".parse().unwrap()
    }

    fn told(laws: &[Law]) -> Vec<Option<String>> {
        let laws: Vec<&Law> = laws.iter().collect();
        by_axis(&laws).iter().map(|axis| sentences(axis)).collect()
    }

    #[test]
    fn every_kind_of_growth_has_its_words() {
        use crate::analyse::laws::Growth::{Bent, Falls, Flat, Linear, Unknown};
        let law = |mechanism, growth, slope| {
            example::law("rss", mechanism, Interval::Blocked, growth, 57e3, slope)
        };
        let (fork, posix_spawn) = (law("fork", Linear, 16_900.0), law("posix_spawn", Flat, 0.5));
        let cases: [(Vec<Law>, Option<&str>); 9] = [
            (
                vec![
                    fork.clone(),
                    Law { quantity: reaped(), is_main: false, ..law("fork", Linear, 9e4) },
                ],
                Some(
                    "fork costs 16.9 us per MiB (16.6 to 17.2). To reaped, fork costs 90.0 us per \
                     MiB (88.2 to 91.8).",
                ),
            ),
            (
                vec![fork.clone(), posix_spawn.clone(), law("vfork", Flat, 0.1)],
                Some(
                    "fork costs 16.9 us per MiB (16.6 to 17.2), posix_spawn and vfork do not grow \
                     up to rss=4GiB.",
                ),
            ),
            (
                vec![law("clone3", Linear, 15_000.0), fork.clone(), posix_spawn.clone()],
                Some(
                    "fork costs 16.9 us per MiB (16.6 to 17.2) and clone3 15.0 us (14.7 to 15.3); \
                     posix_spawn does not grow up to rss=4GiB.",
                ),
            ),
            (
                vec![law("fork", Bent, 100.0), posix_spawn.clone()],
                Some(
                    "fork grows, but not along a line (57.0 us to 467 us), posix_spawn does not \
                     grow up to rss=4GiB.",
                ),
            ),
            (
                vec![law("fork", Bent, 100.0), law("_fork", Bent, 100.0)],
                Some("fork and _fork grow, but not along a line."),
            ),
            (vec![law("fork", Falls, -5.0)], Some("fork falls.")),
            (vec![law("fork", Unknown, 1.0)], None),
            (vec![law("none", Flat, 0.0)], None),
            (
                vec![
                    posix_spawn.clone(),
                    Law { quantity: reaped(), is_main: false, ..law("posix_spawn", Linear, 20.0) },
                ],
                Some(
                    "posix_spawn does not grow up to rss=4GiB. To reaped, posix_spawn costs \
                     20.0 ns per MiB (19.6 to 20.4).",
                ),
            ),
        ];
        for (laws, expected) in cases {
            let found = told(&laws).pop().flatten();
            assert_eq!(found.as_deref(), expected);
        }
    }

    #[test]
    fn a_value_is_asked_for_by_a_knob_that_counts() {
        let asked = Asked::parse("rss=20G").unwrap();
        assert_eq!((asked.value.as_str(), asked.x), ("20GiB", 20.0 * 1024f64.powi(3)));
        assert_eq!(Asked::parse("fds=10k").unwrap().x, 10_000.0);
        for (text, part) in [
            ("rss", "KNOB=VALUE"),
            ("rs=1G", "did you mean `rss`?"),
            ("rss=much", "rss"),
            ("mechanism=fork", "words"),
        ] {
            let error = Asked::parse(text).unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
        }
    }

    #[test]
    fn a_series_without_a_line_says_why() {
        let mut two = example::law("rss", "fork", Interval::Blocked, Growth::Unknown, 57e3, 16e3);
        two.points.truncate(2);
        two.fit = None;
        let bent = example::law("rss", "vfork", Interval::Blocked, Growth::Bent, 57e3, 16e3);
        let applied = Applied::all(&[&two, &bent], &Asked::parse("rss=20G").unwrap());
        let texts: Vec<&str> = applied[0].rows.iter().map(|row| row.text.as_str()).collect();
        assert_eq!(
            texts,
            [
                "no line: it takes three points, and there are 2 points",
                "no line: it grows, but not along a line",
            ]
        );
        assert_eq!(applied[0].measured, ["0", "4GiB"]);
        assert!(Applied::all(&[&two], &Asked::parse("fds=1").unwrap()).is_empty());
    }
}
