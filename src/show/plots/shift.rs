//! By how much two sides differ at each tenth of their distributions.

use super::canvas::{self, Axis, Drawn, FAINT, Frame, Page, WIDTH};
use crate::show::palette;
use crate::show::shift::ShiftChart;

/// Half the length of the strokes that end an interval, in pixels.
const STROKE: i32 = 4;

/// Draws it.
pub(super) fn draw(chart: &ShiftChart, source: &str) -> Drawn {
    let page = Page { title: &chart.title, subtitle: chart.subtitle.clone(), source };
    let top = page.top();
    let height = top + 404;
    let frame = Frame { from: (116, top), to: (WIDTH - 40, height - 92) };
    let look = palette::look(&chart.mechanism);
    let colour = canvas::rgb(&look);
    canvas::page(&page, height, |canvas| {
        let x = Axis { title: chart.x_title.clone(), ticks: chart.x_ticks.clone() };
        let y = Axis { title: chart.y_title.clone(), ticks: chart.y_ticks.clone() };
        frame.draw(canvas, &x, &y)?;
        let one = frame.at(0.0, chart.one).1;
        canvas.line(vec![(frame.from.0, one), (frame.to.0, one)], FAINT, 2)?;
        let points = chart.points.iter().map(|point| frame.at(point.x, point.y)).collect();
        canvas.group("", look.dashes, || canvas.line(points, colour, 1))?;
        for point in &chart.points {
            let (x, y) = frame.at(point.x, point.y);
            canvas.group(&point.text, "", || {
                if let Some((low, high)) = point.bounds {
                    let [low, high] = [low, high].map(|share| frame.at(point.x, share).1);
                    canvas.line(vec![(x, low), (x, high)], colour, 2)?;
                    for y in [low, high] {
                        canvas.line(vec![(x - STROKE, y), (x + STROKE, y)], colour, 2)?;
                    }
                }
                canvas.mark((x, y), look.mark, colour)
            })?;
        }
        Ok(())
    })
}
