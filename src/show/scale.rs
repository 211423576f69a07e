//! Logarithmic scales of time and of ratios, for lanes and plots alike.

use crate::show::view::Lane;

/// A logarithmic scale from `low` to `high`, both in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    /// Where it begins.
    pub low: f64,
    /// Where it ends.
    pub high: f64,
}

/// The steps within a decade at which a scale may end, and a short one has ticks.
const STEPS: [f64; 3] = [1.0, 2.0, 5.0];

impl Scale {
    /// The scale that holds all these values, from a round one to a round one; none without any
    /// that is above 0.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Option<Scale> {
        let (least, most) = values
            .into_iter()
            .filter(|value| *value > 0.0 && value.is_finite())
            .fold(None, |range: Option<(f64, f64)>, value| {
                Some(range.map_or((value, value), |(a, b)| (a.min(value), b.max(value))))
            })?;
        let low = steps(&STEPS).rev().find(|step| *step <= least * 1.000_001)?;
        let high = steps(&STEPS).find(|step| *step >= most * 0.999_999)?;
        // A scale needs a length.
        let high = if high > low { high } else { low * 10.0 };
        Some(Scale { low, high })
    }

    /// The scale for these lanes: every bar has a length, and every mark fits.
    pub fn of_lanes(lanes: &[Lane]) -> Option<Scale> {
        let ends = lanes.iter().map(Lane::end);
        // Half of the least: its bar must not be a mere point at the edge.
        let starts = lanes.iter().map(|lane| lane.blocked / 2.0);
        Scale::of(ends.chain(starts))
    }

    /// Where a value lies: 0 at the low end, 1 at the high one, never outside.
    pub fn share(self, nanoseconds: f64) -> f64 {
        let share = (nanoseconds / self.low).ln() / (self.high / self.low).ln();
        share.clamp(0.0, 1.0)
    }

    /// Round values to mark, from low to high: decades; on a short scale 1, 2 and 5 of each; on
    /// one of less than a decade every whole number of it.
    pub fn ticks(self) -> Vec<f64> {
        let marked: &[f64] = match (self.high / self.low).log10() {
            ..0.8 => &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0],
            ..2.5 => &STEPS,
            _ => &[1.0],
        };
        steps(marked).filter(|step| (self.low * 0.999..=self.high * 1.001).contains(step)).collect()
    }
}

/// A logarithmic scale of ratios, on which 1 always lies: half lies as far from it as twice.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ratios {
    /// Where it begins: at most 1.
    pub low: f64,
    /// Where it ends: at least 1, and above `low`.
    pub high: f64,
}

impl Ratios {
    /// The scale that holds all these and 1, with a little room at either end, and is no narrower
    /// than from 1 / `least` to `least`.
    pub fn of(ratios: impl IntoIterator<Item = f64>, least: f64) -> Ratios {
        let usable = ratios.into_iter().filter(|ratio| *ratio > 0.0 && ratio.is_finite());
        let (low, high) = usable.fold((1.0 / least, least), |(low, high), ratio| {
            (f64::min(low, ratio), f64::max(high, ratio))
        });
        let room = (high / low).powf(0.03);
        Ratios { low: low / room, high: high * room }
    }

    /// Where a ratio lies: 0 at the low end, 1 at the high one, never outside.
    pub fn share(self, ratio: f64) -> f64 {
        let share = (ratio / self.low).ln() / (self.high / self.low).ln();
        if share.is_nan() { 0.0 } else { share.clamp(0.0, 1.0) }
    }

    /// Whether a ratio lies on it.
    pub fn holds(self, ratio: f64) -> bool {
        (self.low..=self.high).contains(&ratio)
    }

    /// Round ratios to mark, upwards, 1 among them, with their labels: even steps where it is
    /// short, and decades where it is long.
    pub fn ticks(self) -> Vec<(f64, String)> {
        let width = (self.high / self.low).log10();
        let ticks: Vec<f64> = if width < 0.31 {
            const EVEN: [f64; 9] = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5];
            let length = self.high - self.low;
            let step = EVEN.into_iter().find(|step| length / step <= 9.0).unwrap_or(1.0);
            let (below, above) = ((1.0 - self.low) / step, (self.high - 1.0) / step);
            let places = -(below as i32)..=above as i32;
            places.map(|place| 1.0 + f64::from(place) * step).collect()
        } else {
            let marked: &[f64] = match width {
                ..1.0 => &[1.0, 1.5, 2.0, 3.0, 5.0, 7.0],
                ..2.5 => &STEPS,
                _ => &[1.0],
            };
            let (first, last) = (self.low.log10().floor() as i32, self.high.log10().ceil() as i32);
            (first..=last)
                .flat_map(|decade| marked.iter().map(move |one| one * 10f64.powi(decade)))
                .filter(|tick| self.holds(*tick))
                .collect()
        };
        // Six digits are more than any tick has, and fewer than its computation leaves over.
        let label = |tick: f64| format!("{}x", (tick * 1e6).round() / 1e6);
        ticks.into_iter().map(|tick| (self.share(tick), label(tick))).collect()
    }
}

/// These steps of every decade from 1 ns on, for eleven days.
fn steps(of_decade: &[f64]) -> impl DoubleEndedIterator<Item = f64> {
    (0..15).flat_map(move |decade| of_decade.iter().map(move |step| step * 10f64.powi(decade)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scale_is_round_and_holds_its_values() {
        let scale = Scale::of([52_800.0, 354e6]).unwrap();
        assert_eq!(scale, Scale { low: 50e3, high: 500e6 });
        assert_eq!(scale.ticks(), [1e5, 1e6, 1e7, 1e8]);
        assert_eq!(scale.share(50e3), 0.0);
        assert_eq!(scale.share(500e6), 1.0);
        assert!((scale.share(5e6) - 0.5).abs() < 1e-9);
    }

    #[test]
    fn a_short_scale_has_more_ticks() {
        let scale = Scale::of([52e3, 490e3]).unwrap();
        assert_eq!(scale.ticks(), [50e3, 100e3, 200e3, 500e3]);
        let scale = Scale::of([210e6, 490e6]).unwrap();
        assert_eq!(scale.ticks(), [200e6, 300e6, 400e6, 500e6]);
    }

    #[test]
    fn odd_values_make_no_odd_scale() {
        assert_eq!(Scale::of([]), None);
        assert_eq!(Scale::of([0.0, f64::NAN, f64::INFINITY]), None);
        assert_eq!(Scale::of([100.0]), Some(Scale { low: 100.0, high: 1000.0 }));
        assert_eq!(Scale::of([1e20]), None);
    }

    #[test]
    fn ratios_lie_around_one() {
        let labels = |ratios: &[f64], least: f64| -> Vec<String> {
            let scale = Ratios::of(ratios.iter().copied(), least);
            assert!(scale.low < 1.0 && scale.high > 1.0, "{scale:?}");
            scale.ticks().into_iter().map(|(_, label)| label).collect()
        };
        assert_eq!(
            labels(&[0.97, 1.04], 1.02),
            ["0.97x", "0.98x", "0.99x", "1x", "1.01x", "1.02x", "1.03x", "1.04x"]
        );
        assert_eq!(labels(&[0.54, 315.0], 1.02), ["1x", "10x", "100x"]);
        assert_eq!(labels(&[0.5, 3.0], 1.02), ["0.5x", "0.7x", "1x", "1.5x", "2x", "3x"]);
        assert_eq!(labels(&[], 1.1), ["0.95x", "1x", "1.05x", "1.1x"]);
        let scale = Ratios::of([0.5, 2.0, f64::NAN, 0.0, f64::INFINITY], 1.02);
        assert!((scale.share(1.0) - 0.5).abs() < 1e-9 && scale.holds(0.5) && scale.holds(2.0));
        assert_eq!((scale.share(0.0), scale.share(1e9), scale.share(f64::NAN)), (0.0, 1.0, 0.0));
    }
}
