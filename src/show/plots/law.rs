//! How figures grow along an axis: medians, the line through them, what was published.

use super::canvas::{
    self, Axis, Canvas, Drawn, Error, FAINT, Frame, INK, Page, Point, Side, WIDTH,
};
use crate::show::chart::{self, Chart, Series};
use crate::show::palette::{self, Look};

/// Opacity of a band.
const BAND: f64 = 0.13;

/// Half the length of the strokes that end an interval, in pixels.
const STROKE: i32 = 4;

/// Height of an entry of the legend in pixels.
const ENTRY: i32 = 58;

/// Draws it.
pub(super) fn draw(chart: &Chart, source: &str) -> Drawn {
    let page = Page { title: &chart.title, subtitle: chart.subtitle.clone(), source };
    let top = page.top();
    let entries = chart.series.len() as i32;
    let height = (top + 444).max(top + 130 + ENTRY * entries);
    let frame = Frame { from: (108, top), to: (WIDTH - 260, height - 92) };
    canvas::page(&page, height, |canvas| {
        let x = Axis { title: chart.x_title.clone(), ticks: chart.x_ticks.clone() };
        let y = Axis { title: chart.y_title.clone(), ticks: chart.y_ticks.clone() };
        frame.draw(canvas, &x, &y)?;
        if let Some(share) = chart.x_break {
            draw_break(canvas, frame.at(share, 0.0))?;
        }
        let looks = looks(&chart.series);
        let all = || chart.series.iter().zip(&looks);
        // Bands first: none covers a line or a point.
        for (series, look) in all() {
            draw_band(canvas, &frame, series, look)?;
        }
        for (series, look) in all() {
            draw_line(canvas, &frame, series, look)?;
        }
        for mark in &chart.published {
            draw_ring(canvas, &frame, mark)?;
        }
        for (series, look) in all() {
            draw_points(canvas, &frame, series, look)?;
        }
        for word in &chart.words {
            let (x, y) = frame.at(word.x, 1.0);
            // What stands at the right edge must not reach into the keys.
            let (x, side) = if word.x > 0.85 { (x - 6, Side::Left) } else { (x, Side::Middle) };
            canvas
                .group(&word.text, "", || canvas.text((x, y + 12), 13, FAINT, side, &word.word))?;
        }
        for ((series, look), row) in all().zip(0..) {
            let (x, y) = (frame.to.0 + 22, top + 10 + ENTRY * row);
            canvas::key(canvas, (x, y), look, &series.name)?;
            for (text, line) in [&series.equation, &series.evidence].into_iter().zip(1..) {
                // Below the key, not beside it: a formula is long.
                let shown = canvas::fit(text, 11, WIDTH - 6 - x);
                canvas.text((x, y + 16 * line), 11, FAINT, Side::Right, &shown)?;
            }
        }
        if !chart.published.is_empty() {
            let (x, y) = (frame.to.0 + 22, top + 10 + ENTRY * entries);
            canvas.ring((x + 17, y), INK)?;
            canvas.text((x + 42, y), 13, INK, Side::Right, "published")?;
        }
        Ok(())
    })
}

/// The looks of series: those of one mechanism differ in dashes and mark.
fn looks(series: &[Series]) -> Vec<Look> {
    let place = |(at, one): (usize, &Series)| {
        let before = series[..at].iter().filter(|other| other.mechanism == one.mechanism).count();
        palette::nth(&one.mechanism, before)
    };
    series.iter().enumerate().map(place).collect()
}

fn draw_band(
    canvas: &Canvas<'_>,
    frame: &Frame,
    series: &Series,
    look: &Look,
) -> Result<(), Error> {
    if series.line.len() < 2 {
        return Ok(());
    }
    let upper = series.line.iter().map(|[x, _, _, high]| within(frame, *x, *high));
    let lower = series.line.iter().rev().map(|[x, _, low, _]| within(frame, *x, *low));
    let outline: Vec<Point> = upper.chain(lower).collect();
    let colour = canvas::rgb(look);
    let is_flat = series.line.iter().all(|[_, value, low, high]| low == value && value == high);
    if is_flat {
        return Ok(());
    }
    let title = format!("{}: 95 % of new parents", series.name);
    canvas.group(&title, "", || canvas.area(outline, colour, BAND))
}

fn draw_line(
    canvas: &Canvas<'_>,
    frame: &Frame,
    series: &Series,
    look: &Look,
) -> Result<(), Error> {
    let colour = canvas::rgb(look);
    // Without a formula nothing is drawn between the points: nothing is known there.
    if series.line.len() < 2 {
        return Ok(());
    }
    let points = series.line.iter().map(|[x, y, ..]| within(frame, *x, *y)).collect();
    let title = format!("{}: {}", series.name, series.equation);
    canvas.group(&title, look.dashes, || canvas.line(points, colour, 2))
}

fn draw_points(
    canvas: &Canvas<'_>,
    frame: &Frame,
    series: &Series,
    look: &Look,
) -> Result<(), Error> {
    let colour = canvas::rgb(look);
    for point in &series.points {
        let at = within(frame, point.x, point.y);
        canvas.group(&point.text, "", || {
            draw_bounds(canvas, frame, point, colour)?;
            canvas.mark(at, look.mark, colour)
        })?;
    }
    Ok(())
}

fn draw_ring(canvas: &Canvas<'_>, frame: &Frame, mark: &chart::Mark) -> Result<(), Error> {
    let colour = canvas::rgb(&palette::look(&mark.mechanism));
    canvas.group(&mark.text, "", || {
        draw_bounds(canvas, frame, mark, colour)?;
        canvas.ring(within(frame, mark.x, mark.y), colour)
    })
}

/// An interval, with a stroke at each end; and that of where the point lies, if it has one.
fn draw_bounds(
    canvas: &Canvas<'_>,
    frame: &Frame,
    mark: &chart::Mark,
    colour: plotters::style::RGBColor,
) -> Result<(), Error> {
    if let Some((low, high)) = mark.across {
        let [(left, y), (right, _)] = [low, high].map(|share| within(frame, share, mark.y));
        canvas.line(vec![(left, y), (right, y)], colour, 1)?;
        for x in [left, right] {
            canvas.line(vec![(x, y - STROKE), (x, y + STROKE)], colour, 1)?;
        }
    }
    let Some((low, high)) = mark.bounds else { return Ok(()) };
    let [(x, bottom), (_, top)] = [low, high].map(|share| within(frame, mark.x, share));
    canvas.line(vec![(x, bottom), (x, top)], colour, 1)?;
    for y in [bottom, top] {
        canvas.line(vec![(x - STROKE, y), (x + STROKE, y)], colour, 1)?;
    }
    Ok(())
}

/// Two strokes across an axis: it does not run through here.
fn draw_break(canvas: &Canvas<'_>, (x, y): Point) -> Result<(), Error> {
    canvas.bar([(x - 3, y - 2), (x + 3, y + 2)], canvas::PAPER, 1.0)?;
    for shift in [-3, 3] {
        canvas.line(vec![(x + shift - 3, y + 6), (x + shift + 3, y - 6)], FAINT, 1)?;
    }
    Ok(())
}

/// The pixel of two shares; what lies outside of the frame is drawn at its edge.
fn within(frame: &Frame, x: f64, y: f64) -> Point {
    frame.at(x.clamp(0.0, 1.0), y.clamp(0.0, 1.0))
}
