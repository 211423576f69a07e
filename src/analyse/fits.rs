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
