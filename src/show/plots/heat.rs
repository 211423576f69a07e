//! What each mechanism costs in each parent: a cell for each pair, the warmer the farther from the
//! best of its row.

use super::canvas::{self, Canvas, Drawn, Error, FAINT, GRID, INK, MARGIN, Page, Side, WIDTH};
use crate::show::heat::{Heat, Warm};
use crate::show::palette;

/// Height of a row in pixels.
const ROW: i32 = 38;

/// Widest and narrowest that a cell is.
const WIDEST: i32 = 104;

/// Widest that the labels of the rows are.
const LABELS: i32 = 230;

/// Widest that the names of the columns are, where they run upwards.
const NAMES: i32 = 130;

/// Draws it.
pub(super) fn draw(heat: &Heat, source: &str) -> Drawn {
    let page = Page { title: &heat.title, subtitle: heat.subtitle.clone(), source };
    let labels = heat.rows.iter().map(|(label, _)| canvas::width_of(label, 13)).max().unwrap_or(0);
    let left = MARGIN + labels.min(LABELS) + 12;
    let cell = ((WIDTH - MARGIN - left) / heat.columns.len().max(1) as i32).min(WIDEST);
    let names = heat.columns.iter().map(|(name, _)| canvas::width_of(name, 12)).max().unwrap_or(0);
    // Names that do not fit beside each other run upwards.
    let is_upright = names > cell - 6;
    let head = if is_upright { names.min(NAMES) + 26 } else { 40 };
    let top = page.top() + head;
    let bottom = top + ROW * heat.rows.len() as i32;
    canvas::page(&page, bottom + 52, |canvas| {
        for ((name, mechanism), column) in heat.columns.iter().zip(0..) {
            let x = left + cell * column + cell / 2;
            let look = palette::look(mechanism);
            canvas.group(name, "", || {
                canvas.mark((x, top - 14), look.mark, canvas::rgb(&look))?;
                if is_upright {
                    let shown = canvas::fit(name, 12, NAMES);
                    canvas.upright((x, top - 24), 12, INK, Side::Right, &shown)
                } else {
                    let shown = canvas::fit(name, 12, cell - 6);
                    canvas.text((x, top - 30), 12, INK, Side::Middle, &shown)
                }
            })?;
        }
        for ((label, cells), row) in heat.rows.iter().zip(0..) {
            let y = top + ROW * row;
            canvas.group(label, "", || {
                let shown = canvas::fit(label, 13, LABELS);
                canvas.text((left - 12, y + ROW / 2), 13, INK, Side::Left, &shown)
            })?;
            for (warm, column) in cells.iter().zip(0..) {
                let x = left + cell * column;
                if let Some(warm) = warm {
                    draw_cell(canvas, warm, [(x, y), (x + cell, y + ROW)])?;
                }
            }
        }
        for line in 0..=heat.rows.len() as i32 {
            let right = left + cell * heat.columns.len() as i32;
            let y = top + ROW * line;
            canvas.line(vec![(left, y), (right, y)], GRID, 1)?;
        }
        Ok(())
    })
}

fn draw_cell(canvas: &Canvas<'_>, warm: &Warm, [from, to]: [(i32, i32); 2]) -> Result<(), Error> {
    let (width, middle) = (to.0 - from.0, i32::midpoint(from.0, to.0));
    let size = if width < 62 { 10 } else { 12 };
    canvas.group(&warm.about, "", || {
        // The paler it is, the more of the page is seen through: text on it is read on any page.
        canvas.bar([from, to], canvas::HEAT, canvas::WARMEST * warm.warmth)?;
        let text = |text: &str, y: i32, colour| {
            let shown = canvas::fit(text, size, width - 2);
            canvas.text((middle, from.1 + y), size, colour, Side::Middle, &shown)
        };
        if warm.times.is_empty() {
            return text(&warm.text, ROW / 2, FAINT);
        }
        text(&warm.text, 12, INK)?;
        text(&warm.times, 27, INK)
    })
}
