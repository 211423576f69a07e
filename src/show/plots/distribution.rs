//! How one interval is distributed: the share of spawns that are done by a time.

use super::canvas::{self, Axis, Drawn, Frame, Page, WIDTH};
use crate::model::interval::Interval;
use crate::show::distribution::Length;
use crate::show::palette;
use crate::show::scale::Scale;
use crate::show::units;
use crate::show::view::{Curve, Section};

/// Draws it; none without samples of that interval.
pub(super) fn draw(section: &Section, interval: Interval, source: &str) -> Option<Drawn> {
    let mut curves: Vec<&Curve> =
        section.curves.iter().filter(|c| c.length == Length::Interval(interval)).collect();
    let values = curves.iter().flat_map(|curve| &curve.steps).map(|step| step.nanoseconds);
    let scale = Scale::of(values)?;
    let median = |curve: &Curve| curve.median.unwrap_or(0.0);
    curves.sort_by(|a, b| median(a).total_cmp(&median(b)));

    let title = section.titles.distributions.iter().find(|(titled, _)| *titled == interval);
    let page = Page {
        title: title.map_or(interval.about(), |(_, title)| title),
        subtitle: format!("{}: {}. {}.", interval.word(), interval.about(), section.caption),
        source,
    };
    let top = page.top();
    let height = (top + 444).max(top + 130 + 40 * curves.len() as i32);
    let frame = Frame { from: (92, top), to: (WIDTH - 250, height - 92) };
    Some(canvas::page(&page, height, |canvas| {
        let x = Axis {
            title: match interval {
                Interval::Rewrite => "time it takes, log scale".to_owned(),
                _ => "time since the call, log scale".to_owned(),
            },
            ticks: scale.ticks().into_iter().map(|t| (scale.share(t), units::tick(t))).collect(),
        };
        let y = Axis {
            title: "share of the spawns".to_owned(),
            ticks: (0..=4).map(|i| (f64::from(i) / 4.0, format!("{}%", i * 25))).collect(),
        };
        frame.draw(canvas, &x, &y)?;
        for curve in &curves {
            let look = palette::look(&curve.mechanism);
            let colour = canvas::rgb(&look);
            let mut points = Vec::new();
            let mut share = 0.0;
            for step in &curve.steps {
                let x = scale.share(step.nanoseconds);
                points.push(frame.at(x, share));
                share = step.share;
                points.push(frame.at(x, share));
            }
            points.dedup();
            canvas.group(&curve.name, look.dashes, || canvas.line(points, colour, 2))?;
            if let Some(median) = curve.median {
                let title = format!("{} p50: {}", curve.name, units::duration(median));
                let at = frame.at(scale.share(median), 0.5);
                canvas.group(&title, "", || canvas.mark(at, look.mark, colour))?;
            }
        }
        for (curve, row) in curves.iter().zip(0..) {
            let (x, y) = (frame.to.0 + 22, top + 10 + 40 * row);
            canvas::key(canvas, (x, y), &palette::look(&curve.mechanism), &curve.name)?;
            let samples = units::count(curve.samples);
            let median = match curve.median {
                Some(median) => format!("p50 {}, n={samples}", units::duration(median)),
                None => format!("n={samples}"),
            };
            let shown = canvas::fit(&median, 11, WIDTH - 6 - (x + 42));
            canvas.text((x + 42, y + 16), 11, canvas::FAINT, canvas::Side::Right, &shown)?;
        }
        Ok(())
    }))
}
