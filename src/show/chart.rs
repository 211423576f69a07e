//! The picture of a law before it is drawn: points, lines and marks as shares of two axes.
//!
//! Owns where values lie on the axes, and which ticks mark them. Where an axis spans decades it is
//! logarithmic, and 0, which no logarithm has, stands apart behind a break.

use crate::analyse::findings::Compared;
use crate::analyse::laws::{Growth, Law};
use crate::model::claim::Counted;
use crate::model::knob;
use crate::model::quantity::Measure;
use crate::model::setup::Setup;
use crate::model::units::Size;
use crate::show::scale::Scale;
use crate::show::units;

/// The picture of the laws of one axis.
#[derive(Clone, Debug, PartialEq)]
pub struct Chart {
    /// What its file is called, without an ending: `law-rss`.
    pub stem: String,
    /// The finding.
    pub title: String,
    /// What is drawn.
    pub subtitle: String,
    /// What the horizontal axis shows.
    pub x_title: String,
    /// Its ticks, as shares.
    pub x_ticks: Vec<(f64, String)>,
    /// Where it is broken between 0 and the rest, as a share.
    pub x_break: Option<f64>,
    /// What the vertical axis shows.
    pub y_title: String,
    /// Its ticks, as shares.
    pub y_ticks: Vec<(f64, String)>,
    /// One for each series.
    pub series: Vec<Series>,
    /// Figures that were published.
    pub published: Vec<Mark>,
    /// What is said where a figure would make no sense.
    pub words: Vec<Word>,
}

/// A word in a picture, at its upper edge.
#[derive(Clone, Debug, PartialEq)]
pub struct Word {
    /// Where it stands.
    pub x: f64,
    /// The word.
    pub word: String,
    /// What it is about.
    pub text: String,
}

/// One series of a chart.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// Its name.
    pub name: String,
    /// Name of its mechanism, which decides its colour.
    pub mechanism: String,
    /// The law, as a formula; without a line, its growth in words.
    pub equation: String,
    /// On how much it rests.
    pub evidence: String,
    /// Its medians.
    pub points: Vec<Mark>,
    /// The line and its band: x, and of y the line, the lower and the upper end.
    pub line: Vec<[f64; 4]>,
}

/// A figure with its interval, as shares of the axes.
#[derive(Clone, Debug, PartialEq)]
pub struct Mark {
    /// Name of the mechanism.
    pub mechanism: String,
    /// Where it lies.
    pub x: f64,
    /// The figure.
    pub y: f64,
    /// Its interval or range; none if it has none.
    pub bounds: Option<(f64, f64)>,
    /// The interval of where it lies, where that is measured too.
    pub across: Option<(f64, f64)>,
    /// The same in words.
    pub text: String,
}

/// An axis spans decades if its largest value is this many times the smallest.
pub(super) const DECADES: f64 = 20.0;

/// The share of a broken axis that 0 has to itself.
const BROKEN: f64 = 0.09;

/// Where a line is looked at between its ends.
const STEPS: u32 = 20;

/// Labels of ticks keep at least this share of the axis between them.
const APART: f64 = 0.085;

/// A direction in which values lie.
#[derive(Clone, Copy, Debug)]
pub(super) enum Direction {
    /// From 0 to this.
    Even(f64),
    /// By logarithm, after a share that 0 has to itself.
    Decades {
        /// The least above 0.
        low: f64,
        /// The largest.
        high: f64,
        /// The share that 0 has.
        apart: f64,
    },
}

impl Direction {
    /// For values of an axis; 0 keeps a place.
    pub(super) fn of(values: impl Iterator<Item = f64> + Clone) -> Option<Direction> {
        let high = values.clone().fold(0.0, f64::max);
        let low = values.clone().filter(|value| *value > 0.0).fold(f64::INFINITY, f64::min);
        if high <= 0.0 {
            return None;
        }
        let has_zero = values.clone().any(|value| value == 0.0);
        Some(if high / low >= DECADES {
            let apart = if has_zero { BROKEN } else { 0.0 };
            Direction::Decades { low, high, apart }
        } else {
            Direction::Even(high)
        })
    }

    /// Where a value lies.
    pub(super) fn share(self, value: f64) -> f64 {
        match self {
            Direction::Even(high) => value / high,
            Direction::Decades { low, high, apart } if value > 0.0 => {
                // A little room on the left of the smallest, which would lie on the axis.
                let from = apart + 0.03;
                from + (1.0 - from) * (value / low).ln() / (high / low).ln()
            }
            Direction::Decades { .. } => 0.0,
        }
    }

    /// Whether it is logarithmic.
    pub(super) fn is_log(self) -> bool {
        matches!(self, Direction::Decades { .. })
    }

    /// Values between its ends, evenly as they are seen.
    fn steps(self) -> Vec<f64> {
        let shares = (0..=STEPS).map(|step| f64::from(step) / f64::from(STEPS));
        match self {
            Direction::Even(high) => shares.map(|share| share * high).collect(),
            Direction::Decades { low, high, .. } => {
                shares.map(|share| low * (high / low).powf(share)).collect()
            }
        }
    }
}

impl Chart {
    /// The chart of these laws, which share an axis; none without two points. `titled` puts the
    /// name of the scenario into that of the file.
    pub fn of(
        laws: &[&Law],
        published: &[&Compared],
        title: String,
        titled: bool,
    ) -> Option<Chart> {
        let first = laws.first()?;
        let axis = knob::find(&first.axis)?;
        let theirs: Vec<(f64, &Compared)> =
            published.iter().filter_map(|one| Some((place_on(one, &first.axis)?, *one))).collect();
        let places = laws.iter().flat_map(|law| &law.points).map(|point| point.x);
        let places: Vec<f64> = places.chain(theirs.iter().map(|(x, _)| *x)).collect();
        let across = Direction::of(places.iter().copied())?;
        let measured = laws.iter().flat_map(|law| &law.points).flat_map(|point| {
            let (low, high) = point.bounds.unwrap_or((point.value, point.value));
            [low, point.value, high]
        });
        let heights: Vec<f64> = measured
            .chain(theirs.iter().flat_map(|(_, one)| [one.published.low, one.published.high]))
            .filter(|value| *value > 0.0)
            .collect();
        let scale = Scale::of(heights.iter().copied())?;
        let highest = heights.iter().copied().fold(0.0, f64::max);
        let lowest = heights.iter().copied().fold(f64::INFINITY, f64::min);
        let top = highest * 1.08;
        let is_log = highest / lowest >= DECADES;
        let up = |value: f64| if is_log { scale.share(value.max(1e-9)) } else { value / top };

        let x_ticks = ticks(laws, &theirs, across);
        let series = laws.iter().map(|law| series(law, across, up)).collect();
        let marks = theirs.iter().map(|(x, one)| mark(one, across.share(*x), up)).collect();
        let scenario = if titled { format!("{}-", first.scenario) } else { String::new() };
        let (of, what) = match first.name().as_str() {
            "blocked" => (String::new(), "caller blocked, p50".to_owned()),
            name => (format!("-{name}"), first.quantity.to_string()),
        };
        Some(Chart {
            stem: format!("law-{scenario}{}{of}", first.axis).replace('/', "-"),
            title,
            subtitle: subtitle(laws, !theirs.is_empty()),
            x_title: format!(
                "{}: {}{}",
                axis.name,
                axis.about,
                if across.is_log() { ", log scale" } else { "" }
            ),
            x_ticks,
            x_break: match across {
                Direction::Decades { apart, .. } if apart > 0.0 => Some(apart / 2.0 + 0.015),
                _ => None,
            },
            y_title: format!("{what}{}", if is_log { ", log scale" } else { "" }),
            y_ticks: if is_log {
                scale.ticks().into_iter().map(|t| (scale.share(t), units::tick(t))).collect()
            } else {
                even_ticks(top).into_iter().map(|t| (t / top, units::tick(t))).collect()
            },
            series,
            published: marks,
            words: Vec::new(),
        })
    }
}

fn subtitle(laws: &[&Law], has_published: bool) -> String {
    let mut text = "Points: medians of fresh parents with their 95 % intervals".to_owned();
    if laws.iter().any(|law| law.fit.is_some()) {
        text += "; lines: fitted to the medians, with the 95 % band for a new parent";
    }
    if has_published {
        text += "; rings: published, on other machines";
    }
    text + "."
}

/// The formula, and on what it rests.
fn series(law: &Law, across: Direction, up: impl Fn(f64) -> f64) -> Series {
    let slope = law.fit.as_ref().and_then(|fit| fit.slopes.first());
    let equation = match (&law.fit, slope) {
        // A slope that nobody can tell from none is no law, nor is a line where the points bend.
        (Some(fit), _) if law.growth == Growth::Flat => {
            format!("does not grow: {}", units::duration(fit.intercept))
        }
        (Some(fit), Some(slope)) if law.growth != Growth::Bent => {
            let each = units::counted(Counted::For(Measure::Nanoseconds, slope.per), slope.value);
            let sign = if slope.value < 0.0 { " " } else { " + " };
            format!("{}{sign}{each}", units::duration(fit.intercept))
        }
        _ => match law.growth {
            Growth::Bent => "grows, not along a line",
            Growth::Falls => "falls",
            Growth::Flat => "does not grow",
            Growth::Linear | Growth::Unknown => "no line",
        }
        .to_owned(),
    };
    let evidence = law.fit.as_ref().map_or_else(
        || units::plural(law.points.len() as u64, "point", "points"),
        |fit| {
            let launches = units::plural(fit.launches as u64, "launch", "launches");
            match law.growth {
                Growth::Flat | Growth::Bent => launches,
                _ => format!("R2 {}, {launches}", units::r2(fit.r2)),
            }
        },
    );
    let points = law.points.iter().map(|point| Mark {
        mechanism: law.mechanism.clone(),
        x: across.share(point.x),
        y: up(point.value),
        bounds: point.bounds.map(|(low, high)| (up(low), up(high))),
        across: None,
        text: format!(
            "{} {}={}: {}",
            law.series,
            law.axis,
            point.label,
            units::duration(point.value)
        ),
    });
    let ends = law.points.first().zip(law.points.last()).map(|(first, last)| (first.x, last.x));
    let line = across
        .steps()
        .into_iter()
        .filter(|x| ends.is_some_and(|(first, last)| (first..=last * 1.000_001).contains(x)))
        .filter_map(|x| {
            let predicted = law.predict(x)?;
            let [value, low, high] = [predicted.value, predicted.low, predicted.high].map(&up);
            Some([across.share(x), value, low, high])
        })
        .collect();
    Series {
        name: law.series.clone(),
        mechanism: law.mechanism.clone(),
        equation,
        evidence,
        points: points.collect(),
        line,
    }
}

fn mark(one: &Compared, x: f64, up: impl Fn(f64) -> f64) -> Mark {
    let theirs = &one.published;
    let middle = (theirs.low + theirs.high) / 2.0;
    let mechanism = theirs.at.0.iter().find(|setting| setting.knob == "mechanism");
    Mark {
        mechanism: mechanism.map(|setting| setting.value.clone()).unwrap_or_default(),
        x,
        y: up(middle),
        bounds: (theirs.low < theirs.high).then(|| (up(theirs.low), up(theirs.high))),
        across: None,
        text: format!("published: {} {}", theirs.at, units::duration(middle)),
    }
}

/// Where a published figure lies on an axis: only where the source says.
fn place_on(one: &Compared, axis: &str) -> Option<f64> {
    let setting = one.published.at.0.iter().find(|setting| setting.knob == axis)?;
    let knob = knob::find(axis)?;
    let mut setup = Setup::default();
    (knob.set)(&mut setup, &setting.value).ok()?;
    knob::number(knob, &setup)
}

/// The values that were measured, here or elsewhere, as far as their labels keep apart.
fn ticks(laws: &[&Law], theirs: &[(f64, &Compared)], across: Direction) -> Vec<(f64, String)> {
    let axis = laws.first().map_or("", |law| law.axis.as_str());
    let elsewhere = theirs.iter().filter_map(|(x, one)| {
        let setting = one.published.at.0.iter().find(|setting| setting.knob == axis)?;
        Some((*x, spaced(&setting.value)))
    });
    let points = laws.iter().flat_map(|law| &law.points).map(|p| (p.x, spaced(&p.label)));
    labelled(points.chain(elsewhere).collect(), across)
}

/// Values with their labels, as far as these keep apart.
pub(super) fn labelled(mut points: Vec<(f64, String)>, across: Direction) -> Vec<(f64, String)> {
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    points.dedup_by(|a, b| a.0 == b.0);
    let mut points = points.into_iter().map(|(x, label)| (across.share(x), label));
    let Some(first) = points.next() else { return Vec::new() };
    // Both ends are always told: the law is known from there to there.
    let last = points.next_back();
    let is_apart = |one: f64, other: f64| (one - other).abs() > APART;
    let mut kept = vec![first];
    for (share, label) in points {
        let is_free = kept.iter().map(|(at, _)| *at).chain(last.iter().map(|(at, _)| *at));
        if is_free.into_iter().all(|at| is_apart(at, share)) {
            kept.push((share, label));
        }
    }
    kept.extend(last);
    kept
}

/// `1 GiB` for `1GiB`, `10,000` for `10000`.
fn spaced(label: &str) -> String {
    if let Ok(count) = label.parse::<u64>() {
        return units::count(count);
    }
    label.parse::<Size>().map_or_else(|_| label.to_owned(), |size| format!("{size:#}"))
}

/// Round values from 0 to `top`, about five.
pub(super) fn even_ticks(top: f64) -> Vec<f64> {
    let rough = top / 5.0;
    let decade = 10f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|step| step * decade)
        .find(|step| *step >= rough)
        .unwrap_or(rough);
    (0..=(top / step) as u32).map(|i| f64::from(i) * step).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decades_are_logarithmic_and_zero_stands_apart() {
        let values = [0.0, 1.0, 10.0, 100.0];
        let across = Direction::of(values.into_iter()).unwrap();
        assert_eq!(across.share(0.0), 0.0);
        assert!(across.share(1.0) > BROKEN);
        assert!((across.share(100.0) - 1.0).abs() < 1e-9);
        let steps = [(1.0, 10.0), (10.0, 100.0)].map(|(a, b)| across.share(b) - across.share(a));
        assert!((steps[0] - steps[1]).abs() < 1e-9);
    }

    #[test]
    fn less_than_that_is_even_and_starts_at_zero() {
        let across = Direction::of([0.0, 1.0, 4.0].into_iter()).unwrap();
        assert_eq!([0.0, 1.0, 4.0].map(|value| across.share(value)), [0.0, 0.25, 1.0]);
        assert!(Direction::of([0.0, 0.0].into_iter()).is_none());
        assert_eq!(even_ticks(11.0), [0.0, 5.0, 10.0]);
    }
}
