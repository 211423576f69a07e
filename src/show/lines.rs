//! From figures of several series along an axis to their picture: points, and lines that only join
//! what belongs together.
//!
//! Owns how such figures become a [`Chart`]. Lines that are fitted are those of `chart`.

use crate::analyse::columns::Unit;
use crate::show::chart::{self, Chart, Direction, Mark, Series, Word};
use crate::show::dots::{Scaled, label};
use crate::show::scale::Scale;

/// Series before they are laid on axes.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What the file is called, without an ending.
    pub stem: String,
    /// The finding.
    pub title: String,
    /// What is drawn.
    pub subtitle: String,
    /// What the horizontal axis shows.
    pub x_title: String,
    /// What the vertical axis shows.
    pub y_title: String,
    /// What the figures are counted in.
    pub unit: Unit,
    /// The series.
    pub lines: Vec<Line>,
    /// What is said where a figure would make no sense.
    pub words: Vec<Said>,
}

/// A word where a figure would make no sense.
#[derive(Clone, Debug)]
pub struct Said {
    /// Where it stands.
    pub x: f64,
    /// The label of that.
    pub label: String,
    /// The word.
    pub word: String,
    /// What it is about.
    pub text: String,
}

/// A series.
#[derive(Clone, Debug)]
pub struct Line {
    /// Its name.
    pub name: String,
    /// Name of its mechanism, which decides its colour.
    pub mechanism: String,
    /// What stands below its name.
    pub about: [String; 2],
    /// Its figures, from left to right.
    pub points: Vec<Point>,
}

/// Puts a figure into the series of that name, which is made where there is none.
pub fn add(lines: &mut Vec<Line>, name: String, mechanism: &str, point: Point) {
    match lines.iter_mut().find(|line| line.name == name) {
        Some(line) => line.points.push(point),
        None => lines.push(Line {
            name,
            mechanism: mechanism.to_owned(),
            about: Default::default(),
            points: vec![point],
        }),
    }
}

/// A figure of a series.
#[derive(Clone, Debug)]
pub struct Point {
    /// Where it lies.
    pub x: f64,
    /// The label of that.
    pub label: String,
    /// The figure.
    pub value: f64,
    /// Its interval.
    pub bounds: Option<(f64, f64)>,
    /// The same in words.
    pub text: String,
}

impl Plan {
    /// Lays the series on axes; none without two places to lie in.
    pub fn laid(self) -> Option<Chart> {
        let points = || self.lines.iter().flat_map(|line| &line.points);
        let mut places: Vec<f64> =
            points().map(|point| point.x).chain(self.words.iter().map(|one| one.x)).collect();
        places.sort_by(f64::total_cmp);
        places.dedup();
        if places.len() < 2 {
            return None;
        }
        let across = Direction::of(places.iter().copied())?;
        let heights = || {
            let ends = |point: &Point| {
                let (low, high) = point.bounds.unwrap_or((point.value, point.value));
                [low, point.value, high]
            };
            points().flat_map(ends).filter(|value| *value > 0.0 && value.is_finite())
        };
        let scale = Scale::of(heights())?;
        let (lowest, highest) = heights()
            .fold((f64::INFINITY, 0.0_f64), |(low, high), one| (low.min(one), high.max(one)));
        let is_log = highest / lowest >= chart::DECADES;
        let top = highest * 1.08;
        let up = |value: f64| if is_log { scale.share(value.max(1e-9)) } else { value / top };
        let unit = Scaled::In(self.unit);
        let log = |is_log: bool| if is_log { ", log scale" } else { "" };
        let words = self.words.iter().map(|one| (one.x, one.label.clone()));
        let labels = points().map(|point| (point.x, point.label.clone())).chain(words).collect();
        Some(Chart {
            x_title: format!("{}{}", self.x_title, log(across.is_log())),
            x_ticks: chart::labelled(labels, across),
            x_break: None,
            y_title: format!("{}{}", self.y_title, log(is_log)),
            y_ticks: if is_log {
                scale
                    .ticks()
                    .into_iter()
                    .map(|tick| (scale.share(tick), label(unit, tick)))
                    .collect()
            } else {
                let ticks = chart::even_ticks(top).into_iter();
                ticks.map(|tick| (tick / top, label(unit, tick))).collect()
            },
            series: self.lines.into_iter().map(|line| series(line, across, up)).collect(),
            published: Vec::new(),
            words: self
                .words
                .into_iter()
                .map(|one| Word { x: across.share(one.x), word: one.word, text: one.text })
                .collect(),
            stem: self.stem,
            title: self.title,
            subtitle: self.subtitle,
        })
    }
}

fn series(line: Line, across: Direction, up: impl Fn(f64) -> f64) -> Series {
    let mechanism = line.mechanism;
    let mark = |point: &Point| Mark {
        mechanism: mechanism.clone(),
        x: across.share(point.x),
        y: up(point.value),
        bounds: point.bounds.map(|(low, high)| (up(low), up(high))),
        across: None,
        text: point.text.clone(),
    };
    let points: Vec<Mark> = line.points.iter().map(mark).collect();
    let [equation, evidence] = line.about;
    Series {
        name: line.name,
        equation,
        evidence,
        // There is no band: nothing was fitted.
        line: points.iter().map(|point| [point.x, point.y, point.y, point.y]).collect(),
        points,
        mechanism,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::quantity::Measure;

    fn plan(points: &[(f64, f64)]) -> Plan {
        let point = |(x, value): &(f64, f64)| Point {
            x: *x,
            label: format!("{x} %"),
            value: *value,
            bounds: Some((value * 0.9, value * 1.1)),
            text: String::new(),
        };
        Plan {
            stem: "x".to_owned(),
            title: String::new(),
            subtitle: String::new(),
            x_title: "share".to_owned(),
            y_title: "time".to_owned(),
            unit: Unit::Of(Measure::Nanoseconds),
            lines: vec![Line {
                name: "fork".to_owned(),
                mechanism: "fork".to_owned(),
                about: Default::default(),
                points: points.iter().map(point).collect(),
            }],
            words: vec![Said {
                x: 120.0,
                label: "120 %".to_owned(),
                word: "saturated".to_owned(),
                text: String::new(),
            }],
        }
    }

    #[test]
    fn decades_are_logarithmic_in_either_direction() {
        let chart = plan(&[(1.0, 2e6), (100.0, 2e8)]).laid().unwrap();
        assert!(chart.x_title.ends_with("log scale") && chart.y_title.ends_with("log scale"));
        let points = &chart.series[0].points;
        assert!(points[0].x < 0.1 && points[1].y < 1.0 && points[1].bounds.unwrap().1 <= 1.0);
        assert_eq!(chart.series[0].line.len(), 2);
        assert_eq!(chart.words[0].x, 1.0);
        assert_eq!(chart.x_ticks.last(), Some(&(1.0, "120 %".to_owned())));

        let chart = plan(&[(10.0, 2e6), (80.0, 3e6)]).laid().unwrap();
        assert_eq!((&*chart.x_title, &*chart.y_title), ("share", "time"));
        assert_eq!(chart.y_ticks[0], (0.0, "0".to_owned()));
    }

    #[test]
    fn one_place_has_no_line() {
        let one = Plan { words: Vec::new(), ..plan(&[(1.0, 2e6)]) };
        assert_eq!(one.laid(), None);
        assert_eq!(plan(&[]).laid(), None);
    }
}
