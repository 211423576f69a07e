//! A length by percentile: the tail gets as much room as the middle.

use super::canvas::{self, Axis, Drawn, Frame, MARGIN, Page, Point, WIDTH};
use crate::show::distribution::Step;
use crate::show::palette;
use crate::show::scale::Scale;
use crate::show::units;
use crate::show::view::{Curve, Tail};

/// Shares that are marked on the axis and on each curve, with their labels.
const PERCENTILES: [(f64, &str); 7] = [
    (0.0, "fastest"),
    (0.5, "50%"),
    (0.9, "90%"),
    (0.99, "99%"),
    (0.999, "99.9%"),
    (0.9999, "99.99%"),
    (0.99999, "99.999%"),
];

/// A tick that lies nearer to the fastest than this share of the axis has no label.
const NEAREST: f64 = 0.07;

/// Draws it; none without samples.
pub(super) fn draw(tail: &Tail, source: &str) -> Option<Drawn> {
    let curves = &tail.curves;
    let values = curves.iter().flat_map(|curve| &curve.steps).map(|step| step.nanoseconds);
    let scale = Scale::of(values)?;
    let most = curves.iter().map(|curve| curve.samples).max()?;
    // A single sample would leave the axis without a length.
    let decades = (most.max(10) as f64).log10();

    let page = Page { title: &tail.title, subtitle: tail.subtitle.clone(), source };
    let top = page.top();
    let height = (top + 444).max(top + 130 + 20 * curves.len() as i32);
    let frame = Frame { from: (108, top), to: (WIDTH - 250, height - 92) };
    let place = |share: f64, nanoseconds: f64| {
        frame.at(left_over(share) / decades, scale.share(nanoseconds))
    };
    Some(canvas::page(&page, height, |canvas| {
        let x = Axis {
            title: format!("share of the {} that took no longer", tail.of),
            ticks: PERCENTILES
                .into_iter()
                .map(|(share, label)| (left_over(share) / decades, label.to_owned()))
                // Where there are many decades the median has no room beside the fastest.
                .filter(|(place, _)| *place <= 1.0 && (*place == 0.0 || *place > NEAREST))
                .collect(),
        };
        let y = Axis {
            title: format!("{}, log scale", tail.y_title),
            ticks: scale.ticks().into_iter().map(|t| (scale.share(t), units::tick(t))).collect(),
        };
        frame.draw(canvas, &x, &y)?;

        let mut ends: Vec<(Point, &Curve)> = Vec::new();
        for curve in curves {
            let look = palette::look(&curve.mechanism);
            let colour = canvas::rgb(&look);
            // Beyond its last sample a curve knows nothing.
            let last = 1.0 - 1.0 / curve.samples as f64;
            let mut points = Vec::new();
            let mut from = 0.0;
            for step in &curve.steps {
                points.push(place(from, step.nanoseconds));
                from = step.share.min(last);
                points.push(place(from, step.nanoseconds));
            }
            points.dedup();
            if let Some(end) = points.last() {
                ends.push((*end, curve));
            }
            canvas.group(&curve.name, look.dashes, || canvas.line(points, colour, 2))?;
            for (share, label) in PERCENTILES.into_iter().filter(|(share, _)| *share <= last) {
                if let Some(value) = value_at(&curve.steps, share) {
                    let title = format!("{} {label}: {}", curve.name, units::duration(value));
                    canvas.group(&title, "", || {
                        canvas.mark(place(share, value), look.mark, colour)
                    })?;
                }
            }
        }

        ends.sort_by_key(|((_, y), _)| *y);
        let wanted: Vec<i32> = ends.iter().map(|((_, y), _)| *y).collect();
        let bottom = height - MARGIN - 40;
        for ((end, curve), y) in ends.iter().zip(canvas::keep_apart(&wanted, 20, top, bottom)) {
            let x = frame.to.0 + 22;
            canvas.line(vec![*end, (frame.to.0, end.1), (x - 4, y)], canvas::GRID, 1)?;
            let samples = units::count(curve.samples);
            let name = format!("{} (n={samples})", curve.name);
            canvas::key(canvas, (x, y), &palette::look(&curve.mechanism), &name)?;
        }
        Ok(())
    }))
}

/// How many decades of the samples a share leaves behind: 1 at 90 %, 2 at 99 %.
fn left_over(share: f64) -> f64 {
    -(1.0 - share).log10()
}

/// The value that so large a share does not exceed.
fn value_at(steps: &[Step], share: f64) -> Option<f64> {
    steps.iter().find(|step| step.share >= share).map(|step| step.nanoseconds)
}
