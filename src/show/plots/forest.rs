//! Ratios with their intervals below each other, 1 marked; of a check with margins and verdicts.

use super::canvas::{
    self, Axis, Canvas, Drawn, Error, FAINT, Frame, INK, MARGIN, Page, Point, Side, WIDTH,
};
use crate::analyse::gate::Verdict;
use crate::show::forest::{Entry, Forest};
use crate::show::palette::{self, Mark};

/// Height of a row in pixels, and of the heading of a group.
const ROW: i32 = 22;
const HEADING: i32 = 28;

/// Half the length of the strokes that end an interval, in pixels.
const STROKE: i32 = 4;

/// Widest that names and what stands at the end of a row are.
const NAMES: i32 = 270;
const TEXTS: i32 = 300;

/// Opacity of a margin.
const MARGIN_BAND: f64 = 0.16;

/// Draws it.
pub(super) fn draw(forest: &Forest, source: &str) -> Drawn {
    let page = Page { title: &forest.title, subtitle: forest.subtitle.clone(), source };
    let entries = || forest.groups.iter().flat_map(|(_, rows)| rows);
    let names = entries().map(|row| canvas::width_of(&row.name, 13)).max().unwrap_or(0);
    let texts = entries().map(|row| canvas::width_of(&ending(row), 12)).max().unwrap_or(0);
    let height: i32 = forest
        .groups
        .iter()
        .map(|(heading, rows)| {
            let heading = if heading.is_empty() { 0 } else { HEADING };
            heading + ROW * rows.len() as i32
        })
        .sum();
    let top = page.top();
    let bottom = top + height + 8;
    let left = MARGIN + names.clamp(60, NAMES) + 12;
    let right = WIDTH - MARGIN - texts.min(TEXTS) - 12;
    let frame = Frame { from: (left, top), to: (right, bottom) };
    canvas::page(&page, bottom + 92, |canvas| {
        let mut y = top + 4;
        let mut places = Vec::new();
        for (heading, rows) in &forest.groups {
            if !heading.is_empty() {
                y += HEADING;
            }
            for row in rows {
                places.push((row, y + ROW / 2));
                y += ROW;
            }
        }
        // Margins first: they cover nothing.
        for (row, y) in &places {
            if let Some((low, high)) = row.margin {
                let [low, high] = [low, high].map(|share| frame.at(share, 0.0).0);
                let corners = [(low, y - ROW / 2), (high, y + ROW / 2)];
                canvas.bar(corners, FAINT, MARGIN_BAND)?;
            }
        }
        let x = Axis { title: forest.x_title.clone(), ticks: forest.x_ticks.clone() };
        frame.draw(canvas, &x, &Axis { title: String::new(), ticks: Vec::new() })?;
        let one = frame.at(forest.one, 0.0).0;
        canvas.line(vec![(one, top), (one, bottom)], FAINT, 1)?;
        let mut y = top + 4;
        for (heading, rows) in &forest.groups {
            if !heading.is_empty() {
                let shown = canvas::fit(heading, 14, WIDTH - 2 * MARGIN);
                // Lines end at words.
                let end = (MARGIN + canvas::width_of(&shown, 14)).min(right - 1);
                let corners = [(MARGIN, y + 4), (end, y + HEADING)];
                canvas.bar(corners, canvas::PAPER, 1.0)?;
                canvas.bold((MARGIN, y + HEADING / 2 + 2), 13, &shown)?;
                y += HEADING;
            }
            y += ROW * rows.len() as i32;
        }
        for (row, y) in places {
            draw_row(canvas, &frame, row, y)?;
        }
        Ok(())
    })
}

fn draw_row(canvas: &Canvas<'_>, frame: &Frame, row: &Entry, y: i32) -> Result<(), Error> {
    let (colour, mark) = match (&row.mechanism, row.verdict) {
        (Some(mechanism), _) => {
            let look = palette::look(mechanism);
            (canvas::rgb(&look), look.mark)
        }
        (None, Some(verdict)) => (INK, mark_of(verdict)),
        (None, None) => (INK, Mark::Disc),
    };
    let at = |share: f64| -> Point { (frame.at(share, 0.0).0, y) };
    canvas.group(&row.about, "", || {
        let shown = canvas::fit(&row.name, 13, NAMES);
        canvas.text((frame.from.0 - 12, y), 13, INK, Side::Left, &shown)?;
        if let Some((low, high)) = row.bounds {
            let (low, high) = (at(low), at(high));
            canvas.line(vec![low, high], colour, 2)?;
            for (x, y) in [low, high] {
                canvas.line(vec![(x, y - STROKE), (x, y + STROKE)], colour, 2)?;
            }
        }
        if let Some(value) = row.value {
            canvas.mark(at(value), mark, colour)?;
        }
        let shown = canvas::fit(&ending(row), 12, TEXTS);
        canvas.text((frame.to.0 + 12, y), 12, INK, Side::Right, &shown)
    })
}

/// What stands at the end of a row: the verdict is a word, never a colour or a mark alone.
fn ending(row: &Entry) -> String {
    match row.verdict {
        Some(verdict) if row.text.is_empty() => verdict.to_owned(),
        Some(verdict) => format!("{verdict} {}", row.text),
        None => row.text.clone(),
    }
}

fn mark_of(verdict: &str) -> Mark {
    match verdict {
        word if word == Verdict::Regressed.word() => Mark::Square,
        word if word == Verdict::Improved.word() => Mark::Triangle,
        word if word == Verdict::Fine.word() => Mark::Disc,
        word if word == Verdict::Inconclusive.word() => Mark::Circle,
        _ => Mark::Cross,
    }
}
