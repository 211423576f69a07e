//! Lines through sweeps: how much a quantity grows along an axis, launch by launch.
//!
//! Each launch is fitted by itself, on the quantiles of its blocks, and its slope is one
//! observation; the interval is over launches (see [`over_launches`]). Parents of one shape differ
//! by 5 to 11 % of their value whatever the value is, and sweeps are geometric (0, 64 MiB, 256 MiB,
//! 1 GiB, 4 GiB), so that a plain line through nanoseconds is a line through its largest point
//! alone. The slope here is the weighted median of the slopes of all pairs of observations, with
//! the weight |x_i - x_j| / (s_i s_j), where s is the median of the point over all launches: the
//! generalised rank estimate (Sievers 1983; Naranjo and Hettmansperger 1994), of which Jaeckel's
//! estimate with Wilcoxon scores is the case of equal s, and Hodges-Lehmann the counterpart for a
//! location. The intercept is the median of what remains, with the weight 1 / s.
//!
//! Simulated, 3000 launches of 50 us + 17 us per MiB at those five sizes, parents that differ by
//! 8 % and blocks by 2 %: the slope of one launch has a standard deviation of 8.2 % by least
//! squares, 8.1 % by Jaeckel's weights |x_i - x_j|, 5.3 % by Theil and Sen, and 4.6 % here, without
//! bias (0.1 %); least squares with the same 1 / s^2 have 4.1 %. With one parent in ten twice as
//! slow these become 32, 32, 14, 15 and 16 %, and the estimate over ten launches is off by 2.2,
//! 2.4, 0.8, 1.0 and 8.3 %. Theil and Sen lose on a series that is flat, 9.0 % against 6.1 %, since
//! they give the pair of the two smallest sizes the same voice as that of the outermost.

use std::collections::BTreeSet;

use super::estimate::{Located, hodges_lehmann, median, over_launches};
use super::launches::Told;

/// A straight line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Line {
    /// Value at 0.
    pub(super) intercept: f64,
    /// Growth for each unit of x.
    pub(super) slope: f64,
}

/// One observation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Spot {
    /// Where on the axis.
    pub(super) x: f64,
    /// What was measured.
    pub(super) y: f64,
    /// How far it may be off, up to a factor that all have in common; above 0.
    pub(super) scale: f64,
}

impl Line {
    /// The line through these; none where they have fewer than two distinct x. Takes their number
    /// squared.
    pub(super) fn through(spots: &[Spot]) -> Option<Line> {
        let mut slopes = Vec::with_capacity(spots.len() * spots.len() / 2);
        for (index, one) in spots.iter().enumerate() {
            for other in &spots[index + 1..] {
                let apart = other.x - one.x;
                if apart != 0.0 {
                    let weight = apart.abs() / (one.scale * other.scale);
                    slopes.push(((other.y - one.y) / apart, weight));
                }
            }
        }
        let slope = weighted_median(slopes)?;
        let left = spots.iter().map(|spot| (spot.y - slope * spot.x, 1.0 / spot.scale));
        Some(Line { intercept: weighted_median(left.collect())?, slope })
    }

    /// Its value there.
    pub(super) fn at(self, x: f64) -> f64 {
        self.intercept + self.slope * x
    }
}

/// The value with half of the weight on either side, or the middle of the two that share it; none
/// of no values.
fn weighted_median(mut weighted: Vec<(f64, f64)>) -> Option<f64> {
    weighted
        .sort_unstable_by(|one, other| one.0.total_cmp(&other.0).then(one.1.total_cmp(&other.1)));
    let half = weighted.iter().map(|&(_, weight)| weight).sum::<f64>() / 2.0;
    // Sums of weights are rounded: so much is no difference.
    let slack = half * 1e-12;
    let mut below = 0.0;
    for (index, &(value, weight)) in weighted.iter().enumerate() {
        below += weight;
        if below > half + slack {
            return Some(value);
        }
        if below >= half - slack {
            let next = weighted.get(index + 1).map_or(value, |next| next.0);
            return Some(0.5 * value + 0.5 * next);
        }
    }
    weighted.last().map(|&(value, _)| value)
}

/// Most observations of a launch that a line is laid through: 45,000 pairs, some 5 ms. Where there
/// are more, neighbouring blocks are taken together.
const MOST_SPOTS: usize = 300;

/// Lines through the points of an axis, one for each launch that measured all of them.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Sweep {
    /// Of each point, the median over launches.
    pub(super) medians: Vec<f64>,
    /// The line of each launch.
    pub(super) lines: Vec<Line>,
    /// Intercept and slope over launches.
    pub(super) line: Line,
    /// Share of the variance of the medians that the line explains; 0 if it explains nothing.
    pub(super) r2: f64,
    /// How far a median lies from the line, as a share of the median: the largest.
    pub(super) misfit: f64,
    /// How far a parent lies from the line of its own launch, as a share of the median of its
    /// point: root mean square.
    pub(super) scatter: f64,
    /// Whether every number is exact.
    pub(super) exact: bool,
}

impl Sweep {
    /// Fits the points, each an x and what launches told there.
    ///
    /// # Errors
    ///
    /// Why there is no line, as words.
    pub(super) fn fit(points: &[(f64, &Told)]) -> Result<Sweep, String> {
        let distinct: BTreeSet<u64> = points.iter().map(|(x, _)| (x + 0.0).to_bits()).collect();
        if distinct.len() < 2 {
            return Err(format!("a slope takes two points, and there is {}", distinct.len()));
        }
        let launches: Vec<u32> = points[0]
            .1
            .launches
            .keys()
            .copied()
            .filter(|launch| points.iter().all(|(_, told)| told.launches.contains_key(launch)))
            .collect();
        if launches.is_empty() {
            return Err("no launch measured all of its points".to_owned());
        }
        let value = |point: usize, launch: u32| points[point].1.launches[&launch].value;
        let medians: Vec<f64> = (0..points.len())
            .map(|point| {
                let values: Vec<f64> =
                    launches.iter().map(|&launch| value(point, launch)).collect();
                median(&values).unwrap_or_default()
            })
            .collect();
        let exact = points.iter().all(|(_, told)| told.exact);
        // What is counted does not scatter with its size, and may be 0.
        let even = exact || medians.iter().any(|&median| median <= 0.0);
        let scale = |point: usize| if even { 1.0 } else { medians[point] };
        let most = (MOST_SPOTS / points.len()).max(1);
        let lines: Vec<Line> = launches
            .iter()
            .filter_map(|launch| {
                let mut spots = Vec::new();
                for (point, (x, told)) in points.iter().enumerate() {
                    let blocks = few(&told.launches[launch].blocks, most);
                    spots.extend(blocks.into_iter().map(|y| Spot {
                        x: *x,
                        y,
                        scale: scale(point),
                    }));
                }
                Line::through(&spots)
            })
            .collect();
        let over = |of: fn(&Line) -> f64| {
            hodges_lehmann(&lines.iter().map(of).collect::<Vec<f64>>()).unwrap_or_default()
        };
        let line = Line { intercept: over(|l| l.intercept), slope: over(|l| l.slope) };
        let xs = || points.iter().map(|(x, _)| *x);
        let misfit = xs().zip(&medians).map(|(x, &median)| share(line.at(x) - median, median));
        let misfit = misfit.fold(0.0, |most: f64, misfit| most.max(misfit.abs()));
        let mut squares = 0.0;
        for (line, &launch) in lines.iter().zip(&launches) {
            for (point, x) in xs().enumerate() {
                let apart = value(point, launch) - line.at(x);
                squares += share(apart, medians[point]).powi(2);
            }
        }
        let free = lines.len() * points.len().saturating_sub(2).max(1);
        Ok(Sweep {
            r2: explained(&medians, xs().map(|x| line.at(x))),
            misfit,
            scatter: (squares / free as f64).sqrt(),
            medians,
            lines,
            line,
            exact,
        })
    }

    /// The slope with its interval over launches.
    ///
    /// # Errors
    ///
    /// With too few launches for one, as words.
    pub(super) fn slope(&self) -> Result<Located, String> {
        let slopes: Vec<f64> = self.lines.iter().map(|line| line.slope).collect();
        over_launches(&slopes, self.exact)
    }
}

fn share(part: f64, whole: f64) -> f64 {
    if part == 0.0 { 0.0 } else { part / whole.abs() }
}

/// At most so many numbers: the medians of neighbours.
fn few(numbers: &[f64], most: usize) -> Vec<f64> {
    let together = numbers.len().div_ceil(most).max(1);
    numbers.chunks(together).filter_map(median).collect()
}

/// Share of the variance of these that the fitted ones explain; of a variance of 0, all of it if
/// nothing remains.
fn explained(values: &[f64], fitted: impl Iterator<Item = f64>) -> f64 {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let all: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    let left: f64 = values.iter().zip(fitted).map(|(value, fitted)| (value - fitted).powi(2)).sum();
    if left == 0.0 {
        return 1.0;
    }
    if all > 0.0 { (1.0 - left / all).max(0.0) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::Deserialize;

    use super::*;
    use crate::analyse::fixture::Noise;
    use crate::analyse::launches::Launch;
    use std::collections::BTreeMap;

    /// Made by tests/data/statistics.py from the definitions and scipy.
    const KNOWN: &str = include_str!("../../tests/data/statistics.json");

    #[derive(Deserialize)]
    struct Known {
        lines: Vec<Fitted>,
        shifts: Fitted,
    }

    #[derive(Deserialize)]
    struct Fitted {
        spots: Vec<(f64, f64, f64)>,
        slope: f64,
        intercept: Option<f64>,
    }

    fn spots(of: &[(f64, f64, f64)]) -> Vec<Spot> {
        of.iter().map(|&(x, y, scale)| Spot { x, y, scale }).collect()
    }

    #[test]
    fn lines_have_the_least_dispersion() {
        let known: Known = serde_json::from_str(KNOWN).unwrap();
        assert!(known.lines.len() > 10);
        for fitted in known.lines.iter().chain([&known.shifts]) {
            let line = Line::through(&spots(&fitted.spots)).unwrap();
            let close = |found: f64, known: f64| (found - known).abs() <= 1e-9 * known.abs();
            assert!(close(line.slope, fitted.slope), "{line:?} {}", fitted.slope);
            let intercept = fitted.intercept.unwrap_or(line.intercept);
            assert!(close(line.intercept, intercept), "{line:?} {intercept}");
        }
    }

    #[test]
    fn a_line_takes_two_places() {
        let through = |of: &[(f64, f64, f64)]| Line::through(&spots(of));
        assert_eq!(through(&[]), None);
        assert_eq!(through(&[(1.0, 5.0, 1.0)]), None);
        assert_eq!(through(&[(1.0, 5.0, 1.0), (1.0, 7.0, 1.0)]), None);
        let line = through(&[(1.0, 5.0, 1.0), (3.0, 9.0, 2.0)]).unwrap();
        assert_eq!(line, Line { intercept: 3.0, slope: 2.0 });
        assert_eq!(line.at(10.0), 23.0);
    }

    #[test]
    fn the_middle_of_weights_is_one_value_or_two() {
        assert_eq!(weighted_median(vec![]), None);
        assert_eq!(weighted_median(vec![(7.0, 0.5)]), Some(7.0));
        assert_eq!(weighted_median(vec![(3.0, 1.0), (1.0, 1.0)]), Some(2.0));
        assert_eq!(weighted_median(vec![(3.0, 1.0), (1.0, 1.0), (2.0, 1.0)]), Some(2.0));
        assert_eq!(weighted_median(vec![(3.0, 5.0), (1.0, 1.0), (2.0, 1.0)]), Some(3.0));
        // 0.1 three times is not quite 0.3.
        let tenths = vec![(1.0, 0.1), (2.0, 0.1), (3.0, 0.1), (9.0, 0.3)];
        assert_eq!(weighted_median(tenths), Some(6.0));
    }

    proptest! {
        #[test]
        fn a_line_moves_with_what_it_goes_through(
            given in proptest::collection::vec((0..9u8, -50.0..50.0f64, 0.5..4.0f64), 0..24),
            (tilt, shift, factor) in (-3.0..3.0f64, -9.0..9.0f64, 0.1..5.0f64),
            turned in any::<bool>(),
        ) {
            let given: Vec<Spot> =
                given.iter().map(|&(x, y, scale)| Spot { x: f64::from(x), y, scale }).collect();
            let factor = if turned { -factor } else { factor };
            let mut moved: Vec<Spot> = given
                .iter()
                .map(|spot| Spot { y: factor * spot.y + tilt * spot.x + shift, ..*spot })
                .collect();
            moved.reverse();
            match (Line::through(&given), Line::through(&moved)) {
                (Some(line), Some(moved)) => {
                    prop_assert!((moved.slope - (factor * line.slope + tilt)).abs() < 1e-6);
                    prop_assert!((moved.intercept - (factor * line.intercept + shift)).abs() < 1e-6);
                }
                (line, moved) => prop_assert!(line.is_none() && moved.is_none()),
            }
        }

        #[test]
        fn equal_values_are_flat(
            x in proptest::collection::vec(0..4u8, 0..12),
            y in -9.0..9.0f64,
        ) {
            let spots: Vec<Spot> =
                x.iter().map(|&x| Spot { x: f64::from(x), y, scale: 1.0 }).collect();
            if let Some(line) = Line::through(&spots) {
                prop_assert_eq!(line, Line { intercept: y, slope: 0.0 });
            }
        }
    }

    const MIB: [f64; 5] = [0.0, 64.0, 256.0, 1024.0, 4096.0];

    /// 50 us + 17 us per MiB; parents differ by 8 % and blocks by 2 %.
    fn told(noise: &mut Noise, launches: u32, outlier: Option<(u32, f64)>) -> Vec<Told> {
        let of = |x: f64| {
            let launches = (1..=launches).map(|launch| {
                let slow = if outlier == Some((launch, x)) { 2.0 } else { 1.0 };
                let parent = (50e3 + 17e3 * x) * noise.around_1(0.08) * slow;
                let blocks: Vec<f64> = (0..4).map(|_| parent * noise.around_1(0.02)).collect();
                (launch, Launch { value: median(&blocks).unwrap(), blocks })
            });
            Told { launches: launches.collect(), exact: false }
        };
        MIB.map(of).into()
    }

    fn fit(told: &[Told]) -> Sweep {
        Sweep::fit(&MIB.into_iter().zip(told).collect::<Vec<_>>()).unwrap()
    }

    /// 400 runs of ten launches: from 95 to 99.5 % of the intervals hold the truth, whatever seed.
    #[test]
    fn the_interval_of_a_slope_holds_the_truth_as_often_as_it_says() {
        let mut noise = Noise::new(5);
        let (mut held, mut width) = (0, 0.0);
        for _ in 0..400 {
            let slope = fit(&told(&mut noise, 10, None)).slope().unwrap();
            held += usize::from(slope.low <= 17e3 && 17e3 <= slope.high);
            width += (slope.high - slope.low) / 17e3 / 400.0;
        }
        assert!((372..=398).contains(&held), "{held} of 400 hold, width {width}");
        assert!((0.04..0.10).contains(&width), "{width}");
    }

    #[test]
    fn one_parent_twice_as_slow_does_not_move_the_slope() {
        let mut noise = Noise::new(6);
        let clean = told(&mut noise, 10, None);
        let mut noise = Noise::new(6);
        let slowed = told(&mut noise, 10, Some((3, 4096.0)));
        let (clean, slowed) = (fit(&clean).slope().unwrap(), fit(&slowed).slope().unwrap());
        assert!((slowed.value / clean.value - 1.0).abs() < 0.02, "{clean:?} {slowed:?}");
    }

    #[test]
    fn what_the_medians_say_of_the_line() {
        let mut noise = Noise::new(7);
        let straight = fit(&told(&mut noise, 10, None));
        assert!(straight.r2 > 0.99 && straight.misfit < 0.15, "{straight:?}");
        assert!((0.05..0.12).contains(&straight.scatter), "{}", straight.scatter);
        assert!((45e3..55e3).contains(&straight.line.intercept), "{:?}", straight.line);

        let steps = [1e3, 1e3, 1e3, 90e3, 90e3].map(|y| Told {
            launches: (1..=6).map(|n| (n, Launch { value: y, blocks: vec![y] })).collect(),
            exact: false,
        });
        let bent = fit(&steps);
        assert!(bent.r2 < 0.9 && bent.misfit > 0.25, "{bent:?}");
    }

    #[test]
    fn counts_are_fitted_as_they_are() {
        let counts = [3.0, 16387.0, 65539.0, 262147.0, 1048579.0].map(|y| Told {
            launches: BTreeMap::from([(1, Launch { value: y, blocks: vec![y] })]),
            exact: true,
        });
        let sweep = fit(&counts);
        assert_eq!((sweep.line, sweep.r2), (Line { intercept: 3.0, slope: 256.0 }, 1.0));
        assert_eq!(sweep.slope().unwrap(), Located { value: 256.0, low: 256.0, high: 256.0 });
    }

    #[test]
    fn what_cannot_be_fitted_says_why() {
        let one = |launch| Told {
            launches: BTreeMap::from([(launch, Launch { value: 5.0, blocks: vec![5.0] })]),
            exact: false,
        };
        let (first, second) = (one(1), one(2));
        let why = |points: &[(f64, &Told)]| Sweep::fit(points).unwrap_err();
        assert!(why(&[]).contains("there is 0"));
        assert!(why(&[(1.0, &first), (1.0, &second)]).contains("there is 1"));
        assert!(why(&[(1.0, &first), (2.0, &second)]).contains("no launch"));
        let short = Sweep::fit(&[(1.0, &first), (2.0, &first)]).unwrap().slope().unwrap_err();
        assert!(short.contains("3 launches"), "{short}");
    }

    #[test]
    fn many_blocks_are_taken_together() {
        let many: Vec<f64> = (0..1000).map(f64::from).collect();
        let few = few(&many, 60);
        assert!(few.len() <= 60 && few[0] == 8.0, "{} {}", few.len(), few[0]);
        assert_eq!(super::few(&[4.0, 2.0], 60), [4.0, 2.0]);
    }
}
