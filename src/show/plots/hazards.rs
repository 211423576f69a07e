//! How often children hang: a line for each hazard, a mark for each birth, by logarithm.

use super::canvas::{self, Axis, Canvas, Drawn, Error, FAINT, Frame, INK, Page, Side, WIDTH};
use crate::analyse::hazards::Rate;
use crate::show::hazards::RateChart;
use crate::show::palette;
use crate::show::text;

/// Height of a line in pixels for each birth, and between two lines.
const LANE: i32 = 9;
const GAP: i32 = 8;

/// Half the length of the strokes that end an interval, in pixels.
const STROKE: i32 = 3;

/// The dashes of the interval of a rate that is 0.
const NEVER: &str = "1 4";

/// The least rate that the logarithmic part of the axis shows; 0 stands apart on its left.
const LEAST: f64 = 1e-4;

/// The share of the axis that 0 has to itself.
const ZERO: f64 = 0.08;

/// Draws it.
pub(super) fn draw(chart: &RateChart, source: &str) -> Drawn {
    let page = Page { title: &chart.title, subtitle: chart.subtitle.clone(), source };
    let top = page.top() + 34;
    let line = LANE * chart.births.len() as i32 + GAP;
    let bottom = top + 8 + line * chart.lines.len() as i32;
    let frame = Frame { from: (250, top), to: (WIDTH - 40, bottom) };
    canvas::page(&page, bottom + 92, |canvas| {
        legend(canvas, &chart.births, top - 26)?;
        let tick = |(rate, label): (f64, &str)| (share(rate), label.to_owned());
        let ticks = [(0.0, "0"), (1e-4, "0.01 %"), (1e-3, "0.1 %"), (1e-2, "1 %"), (0.1, "10 %")];
        let x = Axis {
            title: "share of children that hung, log scale".to_owned(),
            ticks: ticks.into_iter().chain([(1.0, "100 %")]).map(tick).collect(),
        };
        frame.draw(canvas, &x, &Axis { title: String::new(), ticks: Vec::new() })?;
        for ((name, rates), row) in chart.lines.iter().zip(0..) {
            let begin = top + 8 + row * line;
            let middle = begin + (line - GAP) / 2;
            canvas.group(name, "", || {
                let shown = text::shorten(name, 32);
                canvas.text((frame.from.0 - 12, middle), 13, INK, Side::Left, &shown)
            })?;
            for one in rates {
                let y = begin + LANE * one.birth as i32 + LANE / 2;
                let look = palette::look(&chart.births[one.birth]);
                // Of those that never hung there are many: their intervals step back.
                let dashes = if one.rate.value > 0.0 { "" } else { NEVER };
                canvas
                    .group(&one.text, dashes, || draw_rate(canvas, &frame, y, &one.rate, &look))?;
            }
        }
        Ok(())
    })
}

fn draw_rate(
    canvas: &Canvas<'_>,
    frame: &Frame,
    y: i32,
    rate: &Rate,
    look: &palette::Look,
) -> Result<(), Error> {
    let colour = canvas::rgb(look);
    let at = |value: f64| frame.at(share(value), 0.0).0;
    let (low, high) = (at(rate.low), at(rate.high));
    canvas.line(vec![(low, y), (high, y)], colour, 1)?;
    for x in [low, high] {
        canvas.line(vec![(x, y - STROKE), (x, y + STROKE)], colour, 1)?;
    }
    canvas.mark((at(rate.value), y), look.mark, colour)
}

fn legend(canvas: &Canvas<'_>, births: &[String], y: i32) -> Result<(), Error> {
    let mut x = 250;
    for birth in births {
        let look = palette::look(birth);
        canvas.mark((x, y), look.mark, canvas::rgb(&look))?;
        canvas.text((x + 12, y), 13, FAINT, Side::Right, birth)?;
        x += 40 + 8 * birth.chars().count() as i32;
    }
    Ok(())
}

/// Where a rate lies on the axis.
fn share(rate: f64) -> f64 {
    if rate <= 0.0 {
        return 0.0;
    }
    let decades = (rate.max(LEAST) / LEAST).log10() / (1.0 / LEAST).log10();
    ZERO + (1.0 - ZERO) * decades
}
