//! Figures on one axis: a row for each, with its interval, by what it belongs to.

use super::canvas::{
    self, Axis, Canvas, Drawn, Error, FAINT, Frame, GRID, INK, MARGIN, Page, Point, Side, WIDTH,
};
use crate::show::dots::{Dot, Dots, Group, Key, Row, Sign};
use crate::show::palette;
use crate::show::text;

/// Height of a line of figures within a row, in pixels.
const LANE: i32 = 11;

/// The least height of a row in pixels, and what it keeps free.
const ROW: i32 = 21;
const GAP: i32 = 6;

/// Height of the heading of a group in pixels, and the space before it.
const HEADING: i32 = 22;
const BEFORE: i32 = 8;

/// Height of a line of keys in pixels.
const KEYS: i32 = 24;

/// Half the length of the strokes that end an interval, in pixels.
const STROKE: i32 = 3;

/// Width of a character of 13 and of 12 pixels on average, in pixels.
const WIDE: f64 = 7.5;
const NARROW: f64 = 6.8;

/// Draws it.
pub(super) fn draw(dots: &Dots, source: &str) -> Drawn {
    let page = Page { title: &dots.title, subtitle: dots.subtitle.clone(), source };
    let rows = || dots.groups.iter().flat_map(|group| &group.rows);
    let width = |texts: &mut dyn Iterator<Item = &String>, each: f64, most: i32| {
        let longest = texts.map(|text| text.chars().count()).max().unwrap_or(0);
        ((longest as f64 * each) as i32).min(most)
    };
    let names = width(&mut rows().map(|row| &row.name), WIDE, 380).max(60);
    let notes = width(&mut rows().map(|row| &row.note), NARROW, 240);
    let keys = key_lines(&dots.keys);
    let top = page.top() + KEYS * keys.len() as i32;
    let height: i32 = dots.groups.iter().map(group_height).sum();
    let frame = Frame {
        from: (MARGIN + names + 12, top),
        to: (WIDTH - MARGIN - if notes > 0 { notes + 14 } else { 8 }, top + height + 6),
    };
    canvas::page(&page, frame.to.1 + 92, |canvas| {
        for (line, row) in keys.iter().zip(0..) {
            draw_keys(canvas, line, page.top() + 4 + KEYS * row)?;
        }
        let x = Axis { title: dots.x_title.clone(), ticks: apart(&dots.x_ticks, &frame) };
        frame.draw(canvas, &x, &Axis { title: String::new(), ticks: Vec::new() })?;
        if let Some(share) = dots.line {
            let (x, _) = frame.at(share, 0.0);
            canvas.line(vec![(x, frame.from.1), (x, frame.to.1)], FAINT, 1)?;
        }
        let mut y = top + 3;
        for group in &dots.groups {
            if has_heading(group) {
                draw_heading(canvas, group, y + BEFORE)?;
                y += BEFORE + HEADING;
            }
            for row in &group.rows {
                draw_row(canvas, row, &frame, y, names)?;
                y += row_height(row);
            }
        }
        Ok(())
    })
}

fn has_heading<R>(group: &Group<R>) -> bool {
    !group.title.is_empty() || !group.note.is_empty()
}

fn group_height(group: &Group) -> i32 {
    let heading = if has_heading(group) { BEFORE + HEADING } else { 0 };
    heading + group.rows.iter().map(row_height).sum::<i32>()
}

fn row_height(row: &Row) -> i32 {
    let lanes = row.dots.iter().map(|dot| dot.lane as i32 + 1).max().unwrap_or(1);
    ROW.max(LANE * lanes + GAP)
}

/// What the rows below have in common, from edge to edge: no figure lies there.
fn draw_heading(canvas: &Canvas<'_>, group: &Group, y: i32) -> Result<(), Error> {
    let (left, right) = (MARGIN, WIDTH - MARGIN);
    // The axis ends where it begins.
    canvas.bar([(left, y), (right, y + HEADING - 4)], plotters::style::WHITE, 1.0)?;
    canvas.bar([(left, y), (right, y + HEADING - 4)], GRID, 0.55)?;
    let middle = y + (HEADING - 4) / 2;
    let room = (right - left) as usize * 10 / 66 - group.note.chars().count() - 4;
    canvas.group(&group.title, "", || {
        let title = text::shorten(&group.title, room);
        canvas.text((left + 6, middle), 12, INK, Side::Right, &title)
    })?;
    canvas.text((right - 6, middle), 12, INK, Side::Left, &group.note)
}

fn draw_row(
    canvas: &Canvas<'_>,
    row: &Row,
    frame: &Frame,
    y: i32,
    names: i32,
) -> Result<(), Error> {
    let middle = y + row_height(row) / 2;
    let (left, right) = (frame.from.0, frame.to.0);
    let shown = text::shorten(&row.name, (f64::from(names) / WIDE).ceil() as usize);
    canvas
        .group(&row.name, "", || canvas.text((left - 10, middle), 13, INK, Side::Left, &shown))?;
    canvas.line(vec![(left, middle), (right, middle)], GRID, 1)?;
    let at = |share: f64| frame.at(share, 0.0).0;
    if let Some((from, to)) = row.link {
        canvas.line(vec![(at(from), middle), (at(to), middle)], FAINT, 1)?;
    }
    let lanes = row.dots.iter().map(|dot| dot.lane as i32 + 1).max().unwrap_or(1);
    let first = middle - LANE * (lanes - 1) / 2;
    for dot in &row.dots {
        let y = first + LANE * dot.lane as i32;
        canvas.group(&dot.text, "", || draw_dot(canvas, dot, &at, y))?;
    }
    let note = text::shorten(&row.note, 38);
    canvas.text((right + 12, middle), 12, FAINT, Side::Right, &note)
}

fn draw_dot(canvas: &Canvas<'_>, dot: &Dot, at: &impl Fn(f64) -> i32, y: i32) -> Result<(), Error> {
    let look = palette::look(&dot.mechanism);
    let colour = canvas::rgb(&look);
    if let Some((low, high)) = dot.bounds {
        let (low, high) = (at(low), at(high));
        canvas.line(vec![(low, y), (high, y)], colour, 2)?;
        for x in [low, high] {
            canvas.line(vec![(x, y - STROKE), (x, y + STROKE)], colour, 1)?;
        }
    }
    draw_sign(canvas, &dot.sign, &look, (at(dot.x), y))
}

fn draw_sign(
    canvas: &Canvas<'_>,
    sign: &Sign,
    look: &palette::Look,
    (x, y): Point,
) -> Result<(), Error> {
    let colour = canvas::rgb(look);
    match sign {
        Sign::Own => canvas.mark((x, y), look.mark, colour),
        Sign::End => canvas.line(vec![(x, y - 6), (x, y + 6)], colour, 3),
        Sign::Ring => canvas.ring((x, y), colour),
        Sign::Letter(letter) => {
            canvas.bar([(x - 5, y - 5), (x + 5, y + 5)], plotters::style::WHITE, 0.75)?;
            // The colours of mechanisms are for marks: text so small needs more contrast.
            canvas.text((x, y), 11, INK, Side::Middle, letter)
        }
    }
}

/// Keys in lines, each with where it begins.
fn key_lines(keys: &[Key]) -> Vec<Vec<(i32, &Key)>> {
    let mut lines: Vec<Vec<(i32, &Key)>> = Vec::new();
    let mut x = MARGIN;
    for key in keys {
        let width = 42 + (key.name.chars().count() as f64 * WIDE) as i32;
        if lines.is_empty() || x + width > WIDTH - MARGIN {
            lines.push(Vec::new());
            x = MARGIN;
        }
        if let Some(line) = lines.last_mut() {
            line.push((x, key));
        }
        x += width;
    }
    lines
}

fn draw_keys(canvas: &Canvas<'_>, line: &[(i32, &Key)], y: i32) -> Result<(), Error> {
    for (x, key) in line {
        let look = palette::look(if key.mechanism.is_empty() { "none" } else { &key.mechanism });
        draw_sign(canvas, &key.sign, &look, (x + 8, y))?;
        canvas.text((x + 22, y), 13, FAINT, Side::Right, &key.name)?;
    }
    Ok(())
}

/// The ticks whose labels keep apart; the others stay without one.
fn apart(ticks: &[(f64, String)], frame: &Frame) -> Vec<(f64, String)> {
    let mut free = i32::MIN;
    let shown = |(share, label): &(f64, String)| {
        let half = (label.chars().count() as f64 * WIDE / 2.0) as i32;
        let x = frame.at(*share, 0.0).0;
        if x - half < free {
            return (*share, String::new());
        }
        free = x + half + 8;
        (*share, label.clone())
    };
    ticks.iter().map(shown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::show::plots::Topic;

    fn dots(rows: usize, lanes: usize) -> Dots {
        let dot = |lane| Dot {
            sign: Sign::Own,
            mechanism: "fork".to_owned(),
            lane,
            x: 0.4,
            bounds: Some((0.3, 0.5)),
            text: format!("fork lane {lane} <b>"),
        };
        let row = |at| Row {
            name: format!("row {at} {}", "of a name that is too long for any page".repeat(2)),
            dots: (0..lanes).map(dot).collect(),
            note: "0.42x".to_owned(),
            link: Some((0.1, 0.4)),
        };
        Dots {
            topic: Topic::Work,
            stem: "dots".to_owned(),
            title: "A finding".to_owned(),
            subtitle: "What is drawn.".to_owned(),
            x_title: "time".to_owned(),
            x_ticks: vec![(0.0, "1 us".to_owned()), (0.01, "2 us".to_owned())],
            line: Some(0.5),
            keys: vec![Key { sign: Sign::Ring, mechanism: String::new(), name: "x".to_owned() }],
            groups: vec![Group {
                title: "a source <i>".to_owned(),
                note: "HOLDS 1".to_owned(),
                rows: (0..rows).map(row).collect(),
            }],
            told: Vec::new(),
        }
    }

    #[test]
    fn a_row_is_as_high_as_its_figures_and_names_never_reach_into_the_plot() {
        let heights: Vec<i32> =
            [1, 2, 6].map(|lanes| row_height(&dots(1, lanes).groups[0].rows[0])).to_vec();
        assert_eq!(heights, [21, 28, 72]);
        let svg = draw(&dots(3, 2), "made up").unwrap();
        assert!(svg.contains("fork lane 1 &lt;b&gt;") && svg.contains("a source &lt;i&gt;"));
        assert!(svg.contains("0.42x") && svg.contains("HOLDS 1"));
        assert!(!svg.contains(">2 us<"), "it would lie on the other");
    }
}
