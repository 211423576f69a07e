//! By how much two sides differ along their distributions before it is drawn: the shift function.
//!
//! Owns where each decile lies, and what is said of its interval: in one run that of the paired
//! blocks, between runs none.

use crate::analyse::shifts::{Decile, Shift};
use crate::show::scale::Ratios;
use crate::show::text;
use crate::show::units;

/// The deciles of two sides.
#[derive(Clone, Debug, PartialEq)]
pub struct ShiftChart {
    /// What its file is called, without an ending: `shift-blocked-posix_spawn`.
    pub stem: String,
    /// The finding.
    pub title: String,
    /// What is drawn, and what its intervals are.
    pub subtitle: String,
    /// Name of the mechanism, which decides the colour.
    pub mechanism: String,
    /// What the horizontal axis shows.
    pub x_title: String,
    /// Its ticks, as shares.
    pub x_ticks: Vec<(f64, String)>,
    /// What the vertical axis shows.
    pub y_title: String,
    /// Its ticks, as shares.
    pub y_ticks: Vec<(f64, String)>,
    /// Where 1 lies, as a share.
    pub one: f64,
    /// The deciles, upwards.
    pub points: Vec<Point>,
    /// The figures that matter, in words.
    pub told: String,
}

/// A decile, as shares of the axes.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// Which decile.
    pub x: f64,
    /// How many times as long the candidate takes.
    pub y: f64,
    /// The interval of that; none where none is known.
    pub bounds: Option<(f64, f64)>,
    /// The same in words.
    pub text: String,
}

/// A scale that is narrower than from 1 / this to this makes much of little.
const NARROWEST: f64 = 1.03;

impl ShiftChart {
    /// The chart of two sides; none without a decile.
    pub fn of(shift: &Shift) -> Option<ShiftChart> {
        let (first, last) = (shift.deciles.first()?, shift.deciles.last()?);
        let values = shift.deciles.iter().flat_map(|one| {
            let (low, high) = one.bounds.unwrap_or((one.ratio, one.ratio));
            [low, one.ratio, high]
        });
        let scale = Ratios::of(values, NARROWEST);
        let point = |one: &Decile| Point {
            x: one.share,
            y: scale.share(one.ratio),
            bounds: one.bounds.map(|(low, high)| (scale.share(low), scale.share(high))),
            text: words(shift, one),
        };
        let has_bounds = shift.deciles.iter().any(|one| one.bounds.is_some());
        let interval = if has_bounds {
            "with the 95 % interval of each by the paired blocks of one run (each holds by itself, \
             not all nine together)"
        } else {
            "of all samples together; no interval: runs of one program differ by more than the \
             samples of one run show"
        };
        let name = |name: &str| -> String {
            name.chars()
                .map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' })
                .take(40)
                .collect()
        };
        Some(ShiftChart {
            stem: format!("shift-{}-{}", name(&shift.of), name(&shift.name)),
            title: title(shift),
            subtitle: format!(
                "{} of {}: deciles of {} over those of {}, {interval}.",
                shift.of, shift.name, shift.cand, shift.base
            ),
            mechanism: shift.mechanism.clone(),
            x_title: "share of the spawns that take no longer".to_owned(),
            x_ticks: shift
                .deciles
                .iter()
                .map(|one| (one.share, format!("{:.0}%", one.share * 100.0)))
                .collect(),
            y_title: format!("times of {}, log scale", text::shorten(&shift.base, 24)),
            y_ticks: scale.ticks(),
            one: scale.share(1.0),
            points: shift.deciles.iter().map(point).collect(),
            told: format!("{}; {}.", words(shift, first), words(shift, last)),
        })
    }
}

fn words(shift: &Shift, one: &Decile) -> String {
    let bounds = match one.bounds {
        Some((low, high)) => format!(" ({low:.3} to {high:.3})"),
        None => String::new(),
    };
    format!(
        "{:.0}%: {} {}, {} {}, {:.3}x{bounds}",
        one.share * 100.0,
        shift.base,
        units::duration(one.base),
        shift.cand,
        units::duration(one.cand),
        one.ratio
    )
}

/// At how many deciles the sides differ, and where most.
fn title(shift: &Shift) -> String {
    let far = |one: &&Decile| one.ratio.ln().abs();
    let most = shift.deciles.iter().max_by(|a, b| far(a).total_cmp(&far(b)));
    let Some(most) = most else { return String::new() };
    let at = format!("{:.3}x at {:.0}%", most.ratio, most.share * 100.0);
    let all = shift.deciles.len();
    let Shift { cand, base, name, of, .. } = shift;
    if shift.deciles.iter().all(|one| one.bounds.is_none()) {
        let share = most.share * 100.0;
        return format!(
            "{of} of {name}: {cand} differs from {base} most at {share:.0}%: {:.3}x",
            most.ratio
        );
    }
    let sides = |test: fn(f64, f64) -> bool| {
        let found = shift.deciles.iter().filter_map(|one| one.bounds);
        found.filter(|(low, high)| test(*low, *high)).count()
    };
    let (slower, faster) = (sides(|low, _| low > 1.0), sides(|_, high| high < 1.0));
    match (slower, faster) {
        (0, 0) => format!(
            "{of} of {name}: no decile of {cand} is told from that of {base}; farthest {at}"
        ),
        (slower, 0) => {
            format!("{of} of {name}: {cand} is slower at {slower} of {all} deciles, most {at}")
        }
        (0, faster) => {
            format!("{of} of {name}: {cand} is faster at {faster} of {all} deciles, most {at}")
        }
        (slower, faster) => format!(
            "{of} of {name}: {cand} is slower at {slower} and faster at {faster} of {all} deciles, \
             most {at}"
        ),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A candidate that is slower in its tail.
    pub(in crate::show) fn shift(has_bounds: bool) -> Shift {
        let decile = |tenth: u32| {
            let share = f64::from(tenth) / 10.0;
            let ratio = if tenth < 6 { 1.001 } else { 1.0 + 0.03 * f64::from(tenth - 5) };
            let base = 60_000.0 + 4000.0 * f64::from(tenth);
            let bounds = has_bounds.then_some((ratio - 0.01, ratio + 0.01));
            Decile { share, base, cand: base * ratio, ratio, bounds }
        };
        Shift {
            name: "posix_spawn".to_owned(),
            mechanism: "posix_spawn".to_owned(),
            base: "base".to_owned(),
            cand: "cand".to_owned(),
            of: "blocked".to_owned(),
            deciles: (1..10).map(decile).collect(),
        }
    }

    #[test]
    fn a_slower_tail_is_the_finding() {
        let chart = ShiftChart::of(&shift(true)).unwrap();
        assert_eq!(
            chart.title,
            "blocked of posix_spawn: cand is slower at 4 of 9 deciles, most 1.120x at 90%"
        );
        assert_eq!(chart.stem, "shift-blocked-posix_spawn");
        assert_eq!(chart.points.len(), 9);
        assert!(chart.points[0].bounds.unwrap().0 < chart.one);
        assert!(chart.points[8].bounds.unwrap().0 > chart.one);
        assert_eq!(chart.points[8].text, "90%: base 96.0 us, cand 108 us, 1.120x (1.110 to 1.130)");
    }

    #[test]
    fn between_runs_no_interval_is_claimed() {
        let chart = ShiftChart::of(&shift(false)).unwrap();
        assert!(chart.subtitle.contains("no interval: runs"), "{}", chart.subtitle);
        assert!(chart.points.iter().all(|point| point.bounds.is_none()));
        assert_eq!(
            chart.title,
            "blocked of posix_spawn: cand differs from base most at 90%: 1.120x"
        );
    }

    #[test]
    fn what_cannot_be_compared_has_no_chart_and_what_is_alike_no_difference() {
        let none = Shift { deciles: Vec::new(), ..shift(true) };
        assert_eq!(ShiftChart::of(&none), None);
        let mut alike = shift(true);
        alike.deciles.truncate(5);
        assert_eq!(
            ShiftChart::of(&alike).unwrap().title,
            "blocked of posix_spawn: no decile of cand is told from that of base; farthest 1.001x \
             at 50%"
        );
    }
}
