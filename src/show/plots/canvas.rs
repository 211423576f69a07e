//! What all pictures share: the page with title and caption, axes, marks, labels that keep apart.
//!
//! plotters draws into a string. It knows neither dashes nor titles for hovering, so a group is
//! drawn between two marker texts, which become the `<g>` element once the picture is finished.

use std::io;

use plotters::backend::SVGBackend;
use plotters::coord::Shift;
use plotters::drawing::{DrawingArea, DrawingAreaErrorKind, IntoDrawingArea};
use plotters::element::{Circle, Drawable, PathElement, PointCollection, Polygon, Rectangle, Text};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, FontStyle, FontTransform, IntoFont, RGBColor, ShapeStyle, WHITE};

use crate::show::palette::{Look, Mark};
use crate::show::text;

/// Why something could not be drawn.
pub(super) type Error = DrawingAreaErrorKind<io::Error>;

/// A finished picture.
pub(super) type Drawn = Result<String, Error>;

/// Width of every picture in pixels.
pub(super) const WIDTH: i32 = 960;

/// Colour of text.
pub(super) const INK: RGBColor = RGBColor(34, 34, 34);
/// Colour of what is said besides.
pub(super) const FAINT: RGBColor = RGBColor(96, 96, 96);
/// Colour of the grid.
pub(super) const GRID: RGBColor = RGBColor(222, 222, 222);

/// Space between the edge of the page and everything else.
pub(super) const MARGIN: i32 = 24;

/// Opens and closes the markers of a group: characters that no label keeps.
const OPEN: char = '\u{e000}';
const CLOSE: char = '\u{e001}';

/// Opens the marker of the title, whose height in pixels follows: who writes it beside the picture
/// leaves it out of there.
const TITLE: char = '\u{e002}';

/// A pixel on the page.
pub(super) type Point = (i32, i32);

/// A page that is being drawn on.
pub(super) struct Canvas<'a> {
    area: DrawingArea<SVGBackend<'a>, Shift>,
}

/// What stands around a picture.
pub(super) struct Page<'a> {
    /// The finding.
    pub(super) title: &'a str,
    /// What is drawn.
    pub(super) subtitle: String,
    /// Where the figures come from.
    pub(super) source: &'a str,
}

impl Page<'_> {
    /// The lines of the title.
    fn title_lines(&self) -> Vec<String> {
        let mut lines = text::wrap(&text::shorten(self.title, 164), 84, "", "");
        lines.truncate(2);
        lines
    }

    /// The lines of the subtitle.
    fn subtitle_lines(&self) -> Vec<String> {
        let mut lines = text::wrap(&text::shorten(&self.subtitle, 250), 136, "", "");
        lines.truncate(2);
        lines
    }

    /// Where the plot begins, below the title.
    pub(super) fn top(&self) -> i32 {
        let titles = self.title_lines().len() as i32 * TITLE_LINE;
        MARGIN + titles + self.subtitle_lines().len() as i32 * SUBTITLE_LINE + 16
    }
}

/// Height of a line of the title in pixels.
const TITLE_LINE: i32 = 24;

/// Height of a line of the subtitle in pixels.
const SUBTITLE_LINE: i32 = 17;

/// Draws a page of that height in pixels, and on it what `draw` draws.
pub(super) fn page(
    page: &Page<'_>,
    height: i32,
    draw: impl FnOnce(&Canvas<'_>) -> Result<(), Error>,
) -> Drawn {
    let mut svg = String::new();
    {
        let backend = SVGBackend::with_string(&mut svg, (WIDTH as u32, height as u32));
        let canvas = Canvas { area: backend.into_drawing_area() };
        canvas.area.fill(&WHITE)?;
        let mut y = MARGIN;
        let titles = page.title_lines();
        canvas.marker(format!("{TITLE}{}", MARGIN + titles.len() as i32 * TITLE_LINE - 10))?;
        for line in titles {
            canvas.bold((MARGIN, y), 18, &line)?;
            y += TITLE_LINE;
        }
        canvas.marker(CLOSE.to_string())?;
        for line in page.subtitle_lines() {
            canvas.text((MARGIN, y + 4), 13, FAINT, Side::Right, &line)?;
            y += SUBTITLE_LINE;
        }
        let caption = format!("forkbench, {}", page.source);
        canvas.text((MARGIN, height - MARGIN), 11, FAINT, Side::Right, &caption)?;
        draw(&canvas)?;
        canvas.area.present()?;
    }
    Ok(finish(&svg, page.title))
}

/// On which side of its point a text stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    /// To the right of it: the text begins there.
    Right,
    /// To the left of it: the text ends there.
    Left,
    /// Around it.
    Middle,
}

impl Canvas<'_> {
    /// Writes a text whose middle line runs through `at`.
    pub(super) fn text(
        &self,
        at: Point,
        size: i32,
        colour: RGBColor,
        side: Side,
        text: &str,
    ) -> Result<(), Error> {
        let horizontal = match side {
            Side::Right => HPos::Left,
            Side::Left => HPos::Right,
            Side::Middle => HPos::Center,
        };
        let font = ("sans-serif", pixels(size)).into_font().color(&colour);
        self.draw(&Text::new(clean(text), at, font.pos(Pos::new(horizontal, VPos::Center))))
    }

    /// Writes a text in bold that begins at `at`.
    fn bold(&self, at: Point, size: i32, text: &str) -> Result<(), Error> {
        let font = ("sans-serif", pixels(size), FontStyle::Bold).into_font().color(&INK);
        self.draw(&Text::new(clean(text), at, font.pos(Pos::new(HPos::Left, VPos::Center))))
    }

    /// Writes a text that runs upwards, centred at `at`.
    fn upright(&self, at: Point, size: i32, text: &str) -> Result<(), Error> {
        let font = ("sans-serif", pixels(size)).into_font().transform(FontTransform::Rotate270);
        let font = font.color(&FAINT).pos(Pos::new(HPos::Center, VPos::Center));
        self.draw(&Text::new(clean(text), at, font))
    }

    /// Draws a line through these points.
    pub(super) fn line(
        &self,
        points: Vec<Point>,
        colour: RGBColor,
        width: u32,
    ) -> Result<(), Error> {
        self.draw(&PathElement::new(points, colour.stroke_width(width)))
    }

    /// Fills a rectangle.
    pub(super) fn bar(
        &self,
        corners: [Point; 2],
        colour: RGBColor,
        opacity: f64,
    ) -> Result<(), Error> {
        self.draw(&Rectangle::new(corners, colour.mix(opacity).filled()))
    }

    /// Fills what these points enclose.
    pub(super) fn area(
        &self,
        outline: Vec<Point>,
        colour: RGBColor,
        opacity: f64,
    ) -> Result<(), Error> {
        self.draw(&Polygon::new(outline, colour.mix(opacity).filled()))
    }

    /// Draws a wide ring around a point, through which what is below it is seen.
    pub(super) fn ring(&self, at: Point, colour: RGBColor) -> Result<(), Error> {
        self.draw(&Circle::new(at, 8, colour.stroke_width(2)))
    }

    /// Draws a mark around a point.
    pub(super) fn mark(&self, at: Point, mark: Mark, colour: RGBColor) -> Result<(), Error> {
        const REACH: i32 = 5;
        let (x, y) = at;
        match mark {
            Mark::Disc => self.draw(&Circle::new(at, REACH, colour.filled())),
            Mark::Circle => {
                self.draw(&Circle::new(at, REACH, WHITE.filled()))?;
                self.draw(&Circle::new(at, REACH, colour.stroke_width(2)))
            }
            Mark::Square => self.bar([(x - 4, y - 4), (x + 5, y + 5)], colour, 1.0),
            Mark::Triangle => {
                let corners = vec![(x - 5, y + 5), (x + 5, y + 5), (x, y - 5)];
                self.draw(&Polygon::new(corners, ShapeStyle::from(&colour).filled()))
            }
            Mark::Cross => {
                self.line(vec![(x - 4, y - 4), (x + 4, y + 4)], colour, 2)?;
                self.line(vec![(x - 4, y + 4), (x + 4, y - 4)], colour, 2)
            }
        }
    }

    /// Draws a group: all of it shows `title` under the pointer, and its lines are dashed so.
    pub(super) fn group(
        &self,
        title: &str,
        dashes: &str,
        draw: impl FnOnce() -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.marker(format!("{OPEN}{dashes}{OPEN}{}", clean(title)))?;
        draw()?;
        self.marker(CLOSE.to_string())
    }

    fn marker(&self, text: String) -> Result<(), Error> {
        self.draw(&Text::new(text, (0, 0), ("sans-serif", 1).into_font().color(&INK)))
    }

    fn draw<E>(&self, element: &E) -> Result<(), Error>
    where
        for<'e> &'e E: PointCollection<'e, Point>,
        for<'b> E: Drawable<SVGBackend<'b>>,
    {
        self.area.draw(element)
    }
}

/// A direction in which values are drawn.
pub(super) struct Axis {
    /// What it shows, with its unit.
    pub(super) title: String,
    /// Values to mark, as shares of the axis, with their labels.
    pub(super) ticks: Vec<(f64, String)>,
}

/// The rectangle that values are drawn in.
#[derive(Clone, Copy)]
pub(super) struct Frame {
    /// Upper left corner.
    pub(super) from: Point,
    /// Lower right corner.
    pub(super) to: Point,
}

impl Frame {
    /// The pixel of a share of both axes, each between 0 and 1; upwards rises.
    pub(super) fn at(&self, x: f64, y: f64) -> Point {
        let (left, top) = self.from;
        let (right, bottom) = self.to;
        (
            left + (x * f64::from(right - left)).round() as i32,
            bottom - (y * f64::from(bottom - top)).round() as i32,
        )
    }

    /// Draws the axes, and a grid at their ticks.
    pub(super) fn draw(&self, canvas: &Canvas<'_>, x: &Axis, y: &Axis) -> Result<(), Error> {
        let (left, top) = self.from;
        let (right, bottom) = self.to;
        for (share, label) in &x.ticks {
            let (at, _) = self.at(*share, 0.0);
            canvas.line(vec![(at, top), (at, bottom)], GRID, 1)?;
            canvas.text((at, bottom + 16), 13, INK, Side::Middle, label)?;
        }
        for (share, label) in &y.ticks {
            let (_, at) = self.at(0.0, *share);
            canvas.line(vec![(left, at), (right, at)], GRID, 1)?;
            canvas.text((left - 10, at), 13, INK, Side::Left, label)?;
        }
        canvas.line(vec![(left, top), (left, bottom), (right, bottom)], FAINT, 1)?;
        canvas.text(((left + right) / 2, bottom + 40), 13, FAINT, Side::Middle, &x.title)?;
        if !y.title.is_empty() {
            canvas.upright((MARGIN + 4, (top + bottom) / 2), 13, &y.title)?;
        }
        Ok(())
    }
}

/// Draws the key of a curve: its line, its mark and its name, from `at` to the right.
pub(super) fn key(
    canvas: &Canvas<'_>,
    (x, y): Point,
    look: &Look,
    name: &str,
) -> Result<(), Error> {
    let colour = rgb(look);
    canvas.group(name, look.dashes, || canvas.line(vec![(x, y), (x + 34, y)], colour, 2))?;
    canvas.mark((x + 17, y), look.mark, colour)?;
    // What does not fit beside the plot is cut; the whole name shows under the pointer.
    canvas.group(name, "", || {
        canvas.text((x + 42, y), 13, INK, Side::Right, &text::shorten(name, 23))
    })
}

/// Heights near `wanted`, which must rise, that are at least `apart` and not above `top`.
pub(super) fn keep_apart(wanted: &[i32], apart: i32, top: i32, bottom: i32) -> Vec<i32> {
    let mut heights: Vec<i32> = Vec::new();
    for &height in wanted {
        let least = heights.last().map_or(top, |last| last + apart);
        heights.push(height.max(least));
    }
    // Those that were pushed out below move up again, and push others.
    let mut most = bottom;
    for height in heights.iter_mut().rev() {
        *height = (*height).min(most);
        most = *height - apart;
    }
    heights
}

/// A size of text in pixels, as plotters takes it: it divides by 1.24 what it writes.
fn pixels(size: i32) -> f64 {
    f64::from(size) * 1.24
}

/// The colour of a look.
pub(super) fn rgb(look: &Look) -> RGBColor {
    let (red, green, blue) = look.colour;
    RGBColor(red, green, blue)
}

/// Text without what an SVG may not hold or the markers need.
fn clean(text: &str) -> String {
    text.chars()
        .map(|c| {
            if c.is_control() || [OPEN, CLOSE, TITLE, '\u{fffe}', '\u{ffff}'].contains(&c) {
                ' '
            } else {
                c
            }
        })
        .collect()
}

/// Turns markers into groups, and names the whole picture for those who cannot see it.
fn finish(svg: &str, title: &str) -> String {
    let mut finished = String::with_capacity(svg.len());
    let mut lines = svg.lines();
    while let Some(line) = lines.next() {
        if !line.starts_with("<text ") {
            finished.push_str(line);
            finished.push('\n');
            if line.starts_with("<svg ") {
                finished.push_str(&format!("<title>{}</title>\n", escape(&clean(title))));
            }
            continue;
        }
        // plotters writes a text in three lines: its tag, its content, its end.
        let content = lines.next().unwrap_or_default();
        let end = lines.next().unwrap_or_default();
        if let Some(group) = content.strip_prefix(OPEN) {
            let (dashes, title) = group.split_once(OPEN).unwrap_or(("", group));
            let dashes = match dashes {
                "" => String::new(),
                dashes => format!(" stroke-dasharray=\"{dashes}\""),
            };
            finished.push_str(&format!("<g{dashes}><title>{title}</title>\n"));
        } else if let Some(height) = content.strip_prefix(TITLE) {
            finished.push_str(&format!("<g class=\"heading\" data-height=\"{height}\">\n"));
        } else if content.starts_with(CLOSE) {
            finished.push_str("</g>\n");
        } else {
            finished.push_str(&format!("{line}{content}{end}\n"));
        }
    }
    finished
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn labels_keep_apart() {
        assert_eq!(keep_apart(&[10, 12, 50], 18, 0, 100), [10, 28, 50]);
        assert_eq!(keep_apart(&[90, 95, 99], 18, 0, 100), [64, 82, 100]);
        assert_eq!(keep_apart(&[-5], 18, 0, 100), [0]);
    }

    proptest! {
        #[test]
        fn labels_that_fit_keep_apart_within_the_frame(
            mut wanted in prop::collection::vec(0..1000i32, 1..40)
        ) {
            wanted.sort_unstable();
            let heights = keep_apart(&wanted, 18, 0, 1000);
            prop_assert!(heights.is_sorted_by(|a, b| a + 18 <= *b), "{heights:?}");
            prop_assert!(heights[0] >= 0 && *heights.last().unwrap() <= 1000);
        }
    }
}
