//! How often each length occurred, both by logarithm: an outline for each mechanism.

use super::canvas::{self, Axis, Canvas, Drawn, Error, FAINT, Frame, Page, Point, Side, WIDTH};
use crate::show::histogram::{Histogram, Outline};
use crate::show::palette;

/// Height of an entry of the legend in pixels.
const ENTRY: i32 = 58;

/// The dashes of a length that others are held against.
const BESIDE: &str = "2 4";

/// Height of the strip below the axis's top in which the longest are marked, and of a mark in it.
const MARKED: i32 = 14;

/// Draws it.
pub(super) fn draw(histogram: &Histogram, source: &str) -> Drawn {
    let page = Page { title: &histogram.title, subtitle: histogram.subtitle.clone(), source };
    let strip = MARKED * histogram.outlines.len() as i32 + 8;
    let top = page.top() + strip;
    let entries = histogram.outlines.len() as i32;
    let height = (top + 424).max(page.top() + 130 + ENTRY * entries);
    let frame = Frame { from: (108, top), to: (WIDTH - 260, height - 92) };
    canvas::page(&page, height, |canvas| {
        let x = Axis { title: histogram.x_title.clone(), ticks: histogram.x_ticks.clone() };
        let y = Axis { title: histogram.y_title.clone(), ticks: histogram.y_ticks.clone() };
        frame.draw(canvas, &x, &y)?;
        for outline in &histogram.outlines {
            draw_outline(canvas, outline, &frame)?;
        }
        for (outline, row) in histogram.outlines.iter().zip(0..) {
            draw_marks(canvas, outline, &frame, page.top() + MARKED / 2 + MARKED * row)?;
            let (x, y) = (frame.to.0 + 22, page.top() + 10 + ENTRY * row);
            canvas::key(canvas, (x, y), &palette::look(&outline.mechanism), &outline.name)?;
            for (text, line) in outline.about.iter().zip(1..) {
                canvas.text((x + 42, y + 16 * line), 11, FAINT, Side::Right, text)?;
            }
        }
        canvas.text(
            (frame.from.0 - 10, page.top() + strip / 2 - 4),
            11,
            FAINT,
            Side::Left,
            "call to longest",
        )
    })
}

fn draw_outline(canvas: &Canvas<'_>, outline: &Outline, frame: &Frame) -> Result<(), Error> {
    let look = palette::look(&outline.mechanism);
    let points: Vec<Point> = outline.corners.iter().map(|(x, y)| frame.at(*x, *y)).collect();
    if points.is_empty() {
        return Ok(());
    }
    let colour = canvas::rgb(&look);
    let title = format!("{}: {}, {}", outline.name, outline.about[0], outline.about[1]);
    canvas.group(&title, look.dashes, || canvas.line(points, colour, 2))
}

/// Above the plot, in a line of their own: where the longest lies, and what it is held against.
fn draw_marks(canvas: &Canvas<'_>, outline: &Outline, frame: &Frame, y: i32) -> Result<(), Error> {
    let look = palette::look(&outline.mechanism);
    let colour = canvas::rgb(&look);
    let (share, text) = &outline.worst;
    let worst = frame.at(*share, 0.0).0;
    if let Some((share, text)) = &outline.beside {
        let at = frame.at(*share, 0.0).0;
        canvas.line(vec![(at.min(worst), y), (at.max(worst), y)], colour, 1)?;
        canvas.group(text, "", || canvas.line(vec![(at, y - 6), (at, y + 6)], colour, 3))?;
        canvas.group(text, BESIDE, || {
            canvas.line(vec![(at, frame.from.1), (at, frame.to.1)], colour, 1)
        })?;
    }
    canvas.group(text, "", || canvas.mark((worst, y), look.mark, colour))
}
