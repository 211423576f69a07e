//! A picture of many figures on one axis before it is drawn: a row for each, by what it belongs to.
//!
//! Owns where figures lie on their axis, which may be even, logarithmic, or both on two sides of 0,
//! and which ticks mark it. What the figures are is for those who make such a picture.

use crate::analyse::columns::Unit;
use crate::model::quantity::Measure;
use crate::show::plots::Topic;
use crate::show::units;

/// Figures on one axis.
#[derive(Clone, Debug, PartialEq)]
pub struct Dots {
    /// Which question it answers.
    pub topic: Topic,
    /// What its file is called, without an ending.
    pub stem: String,
    /// The finding.
    pub title: String,
    /// What is drawn.
    pub subtitle: String,
    /// What the axis shows.
    pub x_title: String,
    /// Its ticks, as shares.
    pub x_ticks: Vec<(f64, String)>,
    /// What all are compared with, as a share; none where nothing is.
    pub line: Option<f64>,
    /// The signs that need a word.
    pub keys: Vec<Key>,
    /// The rows, by what they belong to.
    pub groups: Vec<Group>,
    /// The figures that matter, in words.
    pub told: Vec<String>,
}

/// What a sign means.
#[derive(Clone, Debug, PartialEq)]
pub struct Key {
    /// The sign.
    pub sign: Sign,
    /// The mechanism whose look it has; empty of a sign that all share.
    pub mechanism: String,
    /// What it means.
    pub name: String,
}

/// Rows that belong together.
#[derive(Clone, Debug, PartialEq)]
pub struct Group<R = Row> {
    /// What they have in common; empty if that needs no word.
    pub title: String,
    /// What else is to be said of them.
    pub note: String,
    /// The rows.
    pub rows: Vec<R>,
}

/// A row.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// What its figures are of.
    pub name: String,
    /// Its figures.
    pub dots: Vec<Dot>,
    /// What is said at its end.
    pub note: String,
    /// The two shares that a line joins.
    pub link: Option<(f64, f64)>,
}

/// A figure, as shares of the axis.
#[derive(Clone, Debug, PartialEq)]
pub struct Dot {
    /// What it is drawn as.
    pub sign: Sign,
    /// The mechanism whose look it has.
    pub mechanism: String,
    /// In which line of its row it lies, from the upper one on.
    pub lane: usize,
    /// The figure.
    pub x: f64,
    /// Its interval or range; none if it has none.
    pub bounds: Option<(f64, f64)>,
    /// The same in words.
    pub text: String,
}

/// What a figure is drawn as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sign {
    /// The mark of its mechanism.
    Own,
    /// A stroke: the far end of what the mark is the middle of.
    End,
    /// A ring: from elsewhere.
    Ring,
    /// A letter.
    Letter(String),
}

/// What figures are counted in.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scaled {
    /// In that unit.
    In(Unit),
    /// In times: 1 is in the middle of what matters, and half lies as far from it as twice.
    Times,
}

/// Figures before they are laid on an axis.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// What the file is called, without an ending.
    pub stem: String,
    /// The finding.
    pub title: String,
    /// What is drawn.
    pub subtitle: String,
    /// What the axis shows.
    pub x_title: String,
    /// The signs that need a word.
    pub keys: Vec<Key>,
    /// The rows.
    pub groups: Vec<Group<Asked>>,
    /// The figures that matter, in words.
    pub told: Vec<String>,
}

/// A row before it is laid on an axis.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// What its figures are of.
    pub name: String,
    /// Its figures.
    pub figures: Vec<Figure>,
    /// What is said at its end.
    pub note: String,
    /// Whether a line joins the first figure and the last.
    pub is_linked: bool,
}

/// A figure before it is laid on an axis.
#[derive(Clone, Debug)]
pub struct Figure {
    /// What it is drawn as.
    pub sign: Sign,
    /// The mechanism whose look it has.
    pub mechanism: String,
    /// In which line of its row it lies.
    pub lane: usize,
    /// The figure.
    pub value: f64,
    /// Its interval or range.
    pub bounds: Option<(f64, f64)>,
    /// The same in words.
    pub text: String,
}

/// How values lie on an axis.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Reach {
    /// Evenly, with a tick at each step.
    Even { low: f64, high: f64, step: f64 },
    /// By logarithm.
    Decades { low: f64, high: f64 },
    /// By logarithm on both sides of 0, and evenly within `near` of it.
    Signed { near: f64, low: f64, high: f64 },
}

/// A logarithmic axis is worth its difficulty if the largest value is so many times the smallest.
const DECADES: f64 = 20.0;

/// Times that all lie this close to 1 are told apart on an even axis.
const CLOSE: f64 = 1.6;

/// What an axis keeps free at either end, as a share: room for half a mark.
const EDGE: f64 = 0.015;

/// Below this many nanoseconds a sum of two medians says nothing.
const NEAR: f64 = 1000.0;

impl Plan {
    /// Lays the figures on an axis; none where there is no figure.
    pub fn laid(self, topic: Topic, scaled: Scaled) -> Option<Dots> {
        let figures = || self.groups.iter().flat_map(|g| &g.rows).flat_map(|row| &row.figures);
        let values = || {
            figures().flat_map(|one| {
                let (low, high) = one.bounds.unwrap_or((one.value, one.value));
                [low, one.value, high]
            })
        };
        let reach = Reach::of(values, scaled)?;
        let is_log = !matches!(reach, Reach::Even { .. });
        let share = |value: f64| EDGE + (1.0 - 2.0 * EDGE) * reach.share(value);
        let dot = |one: Figure| Dot {
            sign: one.sign,
            mechanism: one.mechanism,
            lane: one.lane,
            x: share(one.value),
            bounds: one.bounds.map(|(low, high)| (share(low), share(high))),
            text: one.text,
        };
        let row = |asked: Asked| {
            let dots: Vec<Dot> = asked.figures.into_iter().map(dot).collect();
            let ends = dots.first().zip(dots.last()).map(|(first, last)| (first.x, last.x));
            let link = ends.filter(|_| asked.is_linked && dots.len() > 1);
            Row { name: asked.name, dots, note: asked.note, link }
        };
        let compared = match (scaled, reach) {
            (Scaled::Times, _) => Some(1.0),
            (_, Reach::Signed { .. }) => Some(0.0),
            _ => None,
        };
        let log = if is_log { ", log scale" } else { "" };
        Some(Dots {
            topic,
            stem: self.stem,
            title: self.title,
            subtitle: self.subtitle,
            x_title: format!("{}{log}", self.x_title),
            x_ticks: reach
                .ticks()
                .into_iter()
                .map(|tick| (share(tick), label(scaled, tick)))
                .collect(),
            line: compared.map(share),
            keys: self.keys,
            groups: self
                .groups
                .into_iter()
                .map(|group| Group {
                    title: group.title,
                    note: group.note,
                    rows: group.rows.into_iter().map(row).collect(),
                })
                .collect(),
            told: self.told,
        })
    }
}

impl Dots {
    /// What is drawn and the figures that matter, for those who do not see it.
    pub fn about(&self) -> String {
        told(&self.subtitle, &self.told)
    }
}

/// What is drawn, and after it the figures that matter.
pub(super) fn told(subtitle: &str, figures: &[String]) -> String {
    if figures.is_empty() {
        return subtitle.to_owned();
    }
    format!("{subtitle} {}.", figures.join("; "))
}

impl Reach {
    fn of<I: Iterator<Item = f64>>(values: impl Fn() -> I, scaled: Scaled) -> Option<Reach> {
        let (low, high) =
            values().filter(|value| value.is_finite()).fold(None, |ends, value| {
                let (low, high): (f64, f64) = ends.unwrap_or((value, value));
                Some((low.min(value), high.max(value)))
            })?;
        if scaled == Scaled::Times {
            let (low, high) = (low.min(1.0), high.max(1.0));
            if low <= 0.0 || (low > 1.0 / CLOSE && high < CLOSE) {
                return Some(Reach::even(low, high));
            }
            return Some(Reach::decades(low, high));
        }
        if low < 0.0 {
            return Some(match low.abs().max(high) {
                most if most <= NEAR => Reach::even(low, high.max(0.0)),
                most => {
                    let end = |value: f64| value.signum() * value.abs().max(NEAR);
                    // An axis of which one side is empty would waste it.
                    let low = if low.abs() > most / 1e6 { end(low) } else { -NEAR };
                    Reach::Signed { near: NEAR, low, high: end(high.max(0.0)) }
                }
            });
        }
        let least = values().filter(|value| *value > 0.0).fold(f64::INFINITY, f64::min);
        if low > 0.0 && high / least >= DECADES {
            return Some(Reach::decades(low, high));
        }
        Some(Reach::even(0.0, if high > 0.0 { high } else { 1.0 }))
    }

    /// From one round value to another.
    fn even(low: f64, high: f64) -> Reach {
        // An axis needs a length.
        let high = if high > low { high } else { low + 0.1 * low.abs().max(1e-3) };
        let step = step((high - low) / 5.0);
        let first = (low / step + 1e-9).floor() * step;
        Reach::Even { low: first, high: (high / step - 1e-9).ceil() * step, step }
    }

    /// From one step of a decade to another.
    fn decades(low: f64, high: f64) -> Reach {
        let (first, last) = (floor(low), ceil(high));
        Reach::Decades { low: first, high: if last > first { last } else { first * 10.0 } }
    }

    /// Where a value lies, from 0 to 1; what lies beyond an end, at the end.
    fn share(self, value: f64) -> f64 {
        let share = match self {
            Reach::Even { low, high, .. } => (value - low) / (high - low),
            Reach::Decades { low, high } => (value.max(low) / low).ln() / (high / low).ln(),
            Reach::Signed { near, low, high } => {
                let bent = |value: f64| match value.abs() / near {
                    small if small <= 1.0 => value / near,
                    large => value.signum() * (1.0 + large.log10()),
                };
                (bent(value) - bent(low)) / (bent(high) - bent(low))
            }
        };
        share.clamp(0.0, 1.0)
    }

    /// Round values to mark, upwards.
    fn ticks(self) -> Vec<f64> {
        match self {
            Reach::Even { low, high, step } => {
                let count = ((high - low) / step).round() as u32;
                (0..=count).map(|i| low + f64::from(i) * step).collect()
            }
            Reach::Decades { low, high } => {
                let marked: &[f64] = match (high / low).log10() {
                    ..0.8 => &[1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.0],
                    ..2.5 => &STEPS,
                    _ => &[1.0],
                };
                let every = if (high / low).log10() > 8.5 { 2 } else { 1 };
                let from = low.log10().floor() as i32;
                let to = high.log10().ceil() as i32;
                (from..=to)
                    .filter(|decade| decade.rem_euclid(every) == 0)
                    .flat_map(|decade| marked.iter().map(move |one| one * 10f64.powi(decade)))
                    .filter(|tick| (low * 0.999..=high * 1.001).contains(tick))
                    .collect()
            }
            Reach::Signed { near, low, high } => {
                let sides = (0..12).map(|decade| near * 10f64.powi(decade));
                let below = sides.clone().map(|tick| -tick).filter(|tick| *tick >= low * 1.001);
                let above = sides.filter(|tick| *tick <= high * 1.001);
                let mut ticks: Vec<f64> = below.chain([0.0]).chain(above).collect();
                ticks.sort_by(f64::total_cmp);
                ticks
            }
        }
    }
}

/// The steps of a decade at which an axis may end.
const STEPS: [f64; 3] = [1.0, 2.0, 5.0];

/// The round step that is not smaller than this.
fn step(rough: f64) -> f64 {
    let decade = 10f64.powf(rough.log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0].into_iter().map(|step| step * decade);
    steps.into_iter().find(|step| *step >= rough * 0.999).unwrap_or(rough)
}

/// The largest step of a decade that is not above a value, which is above 0.
fn floor(value: f64) -> f64 {
    let decade = 10f64.powf(value.log10().floor());
    let steps = STEPS.into_iter().rev().map(|step| step * decade);
    steps.into_iter().find(|step| *step <= value * 1.000_001).unwrap_or(decade)
}

/// The smallest step of a decade that is not below a value, which is above 0.
fn ceil(value: f64) -> f64 {
    let decade = 10f64.powf(value.log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0].into_iter().map(|step| step * decade);
    steps.into_iter().find(|step| *step >= value * 0.999_999).unwrap_or(decade * 10.0)
}

/// The label of a tick.
pub(super) fn label(scaled: Scaled, value: f64) -> String {
    // What adding up steps leaves of 0 and of the last digits.
    let value = if value.abs() < 1e-12 { 0.0 } else { (value * 1e9).round() / 1e9 };
    match scaled {
        Scaled::Times => format!("{value}x"),
        Scaled::In(Unit::Of(Measure::Nanoseconds)) if value < 0.0 => {
            format!("-{}", units::tick(-value))
        }
        Scaled::In(Unit::Of(Measure::Nanoseconds)) if value == 0.0 => "0".to_owned(),
        Scaled::In(Unit::Of(Measure::Nanoseconds)) => units::tick(value),
        Scaled::In(Unit::PerSecond(Measure::Things)) if value.fract() == 0.0 && value >= 0.0 => {
            format!("{}/s", units::count(value as u64))
        }
        Scaled::In(unit) => units::figure(unit, value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIME: Scaled = Scaled::In(Unit::Of(Measure::Nanoseconds));

    fn reach(values: &[f64], scaled: Scaled) -> Reach {
        Reach::of(|| values.iter().copied(), scaled).unwrap()
    }

    fn labels(values: &[f64], scaled: Scaled) -> Vec<String> {
        reach(values, scaled).ticks().into_iter().map(|tick| label(scaled, tick)).collect()
    }

    #[test]
    fn decades_are_logarithmic_and_less_starts_at_zero() {
        assert_eq!(reach(&[60.0, 4e6], TIME), Reach::Decades { low: 50.0, high: 5e6 });
        assert_eq!(labels(&[60.0, 4e6], TIME), ["100 ns", "1 us", "10 us", "100 us", "1 ms"]);
        assert_eq!(labels(&[3000.0, 9000.0], TIME), ["0", "2 us", "4 us", "6 us", "8 us", "10 us"]);
        let rate = Scaled::In(Unit::PerSecond(Measure::Things));
        assert_eq!(
            labels(&[7e3, 5e5], rate),
            ["5,000/s", "10,000/s", "20,000/s", "50,000/s", "100,000/s", "200,000/s", "500,000/s"]
        );
    }

    #[test]
    fn times_lie_around_one() {
        assert_eq!(
            labels(&[0.97, 1.04], Scaled::Times),
            ["0.96x", "0.98x", "1x", "1.02x", "1.04x"]
        );
        assert_eq!(labels(&[0.12, 3.0], Scaled::Times), ["0.1x", "0.2x", "0.5x", "1x", "2x", "5x"]);
        let reach = reach(&[0.5, 2.0], Scaled::Times);
        assert!((reach.share(1.0) - 0.5).abs() < 1e-9);
    }

    #[test]
    fn what_is_added_may_be_less_than_nothing() {
        let values = [-1500.0, 40.0, 70_000.0];
        assert_eq!(labels(&values, TIME), ["-1 us", "0", "1 us", "10 us"]);
        let reach = reach(&values, TIME);
        let shares = [-1500.0, -1000.0, 0.0, 1000.0, 10_000.0, 70_000.0].map(|v| reach.share(v));
        assert!(shares.is_sorted_by(|a, b| a < b), "{shares:?}");
        assert_eq!((shares[0], shares[5]), (0.0, 1.0));
        assert_eq!(labels(&[-300.0, 400.0], TIME), ["-400 ns", "-200 ns", "0", "200 ns", "400 ns"]);
    }

    #[test]
    fn odd_values_make_no_odd_axis() {
        assert!(Reach::of(|| [f64::NAN].into_iter(), TIME).is_none());
        assert!(Reach::of(std::iter::empty::<f64>, TIME).is_none());
        for values in [vec![0.0], vec![7.0], vec![-7.0], vec![0.0, 1e9], vec![1e-3, 1e12]] {
            for scaled in [TIME, Scaled::Times] {
                let reach = reach(&values, scaled);
                for value in &values {
                    let share = reach.share(*value);
                    assert!((0.0..=1.0).contains(&share), "{values:?}: {share}");
                }
                assert!((1..20).contains(&reach.ticks().len()), "{values:?} {reach:?}");
            }
        }
    }
}
