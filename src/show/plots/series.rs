//! The blocks of a run in the order of time: a strip for each variant, its launches one by one.

use super::canvas::{
    self, Canvas, Drawn, Error, FAINT, Frame, GRID, INK, MARGIN, Page, Side, WIDTH,
};
use crate::show::palette;
use crate::show::series::{Series, Strip};

/// Height of a strip in pixels, of what stands above it, and between two.
const STRIP: i32 = 58;
const ABOVE: i32 = 22;
const GAP: i32 = 8;

/// Draws it.
pub(super) fn draw(series: &Series, source: &str) -> Drawn {
    let page = Page { title: &series.title, subtitle: series.subtitle.clone(), source };
    let top = page.top();
    let each = ABOVE + STRIP + GAP;
    let bottom = top + each * series.strips.len() as i32 - GAP;
    let (left, right) = (MARGIN + 62, WIDTH - MARGIN);
    canvas::page(&page, bottom + 92, |canvas| {
        for (strip, row) in series.strips.iter().zip(0..) {
            let from = (left, top + each * row + ABOVE);
            let frame = Frame { from, to: (right, from.1 + STRIP) };
            draw_strip(canvas, &frame, series, strip)?;
        }
        let frame = Frame { from: (left, bottom - STRIP), to: (right, bottom) };
        let begins = series.launches.iter().map(|(begin, _)| *begin);
        let ends = begins.clone().skip(1).chain([1.0]);
        let ticks: Vec<(f64, String)> = begins
            .zip(ends)
            .zip(&series.launches)
            .map(|((begin, end), (_, number))| (f64::midpoint(begin, end), number.to_string()))
            .collect();
        frame.below(canvas, &ticks)?;
        let middle = i32::midpoint(left, right);
        let title = format!("number of the launch: {}", series.x_title);
        canvas.text((middle, bottom + 40), 13, FAINT, Side::Middle, &title)
    })
}

fn draw_strip(
    canvas: &Canvas<'_>,
    frame: &Frame,
    series: &Series,
    strip: &Strip,
) -> Result<(), Error> {
    let look = palette::look(&strip.mechanism);
    let colour = canvas::rgb(&look);
    let y = frame.from.1 - 11;
    let room = frame.to.0 - frame.from.0;
    let note = canvas::fit(&strip.note, 11, room * 2 / 3);
    let name = canvas::fit(&strip.name, 13, room - canvas::width_of(&note, 11) - 40);
    canvas.mark((frame.from.0 + 5, y), look.mark, colour)?;
    canvas.group(&strip.name, "", || {
        canvas.text((frame.from.0 + 18, y), 13, INK, Side::Right, &name)
    })?;
    canvas.text((frame.to.0, y), 11, FAINT, Side::Left, &note)?;
    frame.beside(canvas, &series.y_ticks)?;
    for (begin, _) in &series.launches {
        let (x, _) = frame.at(*begin, 0.0);
        canvas.line(vec![(x, frame.from.1), (x, frame.to.1)], GRID, 1)?;
    }
    for launch in &strip.launches {
        let mut points: Vec<_> = launch.points.iter().map(|(x, y)| frame.at(*x, *y)).collect();
        if let [(x, y)] = points[..] {
            // A launch of one block is a stroke: a point would not be seen.
            points = vec![(x - 2, y), (x + 2, y)];
        }
        canvas.group(&launch.text, "", || canvas.line(points, colour, 2))?;
    }
    Ok(())
}
