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

use crate::show::palette::{self, Look, Mark};
use crate::show::text;

/// Why something could not be drawn.
pub(super) type Error = DrawingAreaErrorKind<io::Error>;

/// A finished picture.
pub(super) type Drawn = Result<String, Error>;

/// Width of every picture in pixels.
pub(super) const WIDTH: i32 = 960;

/// Colour of text.
pub(super) const INK: RGBColor = colour(palette::INK);
/// Colour of what is said besides.
pub(super) const FAINT: RGBColor = colour(palette::FAINT);
/// Colour of the grid.
pub(super) const GRID: RGBColor = colour(palette::GRID);
/// Colour of the page.
pub(super) const PAPER: RGBColor = WHITE;
/// What is warm, at most this opaque: the colour of no mechanism.
pub(super) const HEAT: RGBColor = colour(palette::HEAT);
/// The opacity of the warmest: text of the colour of [`INK`] is read on it on any page.
pub(super) const WARMEST: f64 = palette::WARMEST;

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
    /// The results directory that the figures come from, or several, as a command takes them.
    pub(super) source: &'a str,
}

impl Page<'_> {
    /// The lines of the title.
    fn title_lines(&self) -> Vec<String> {
        lines_of(self.title, 76, 3)
    }

    /// The lines of the subtitle.
    fn subtitle_lines(&self) -> Vec<String> {
        lines_of(&self.subtitle, 116, 3)
    }

    /// Where it comes from, and what draws it.
    fn caption(&self) -> String {
        let source = self.source;
        let command = format!("forkbench report {source} -o FILE");
        let both = format!("{source}: {command}");
        let room = WIDTH - 2 * MARGIN;
        // A long name stands in the command, and need not stand there twice.
        if width_of(&both, CAPTION) <= room { both } else { fit(&command, CAPTION, room) }
    }

    /// Where the plot begins, below the title.
    pub(super) fn top(&self) -> i32 {
        let titles = self.title_lines().len() as i32 * TITLE_LINE;
        MARGIN + titles + self.subtitle_lines().len() as i32 * SUBTITLE_LINE + 16
    }
}

/// Text in at most `most` lines of `width` characters; what is cut shows.
fn lines_of(text: &str, width: usize, most: usize) -> Vec<String> {
    let mut lines = text::wrap(text, width, "", "");
    if lines.len() > most {
        lines.truncate(most);
        if let Some(last) = lines.last_mut() {
            *last = text::shorten(&format!("{last}  "), width.min(last.chars().count() + 1));
        }
    }
    lines
}

/// What texts are written in.
const FONT: &str = "sans-serif";

/// Size of the caption in pixels.
const CAPTION: i32 = 11;

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
        canvas.area.fill(&PAPER)?;
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
        let caption = page.caption();
        canvas.text((MARGIN, height - MARGIN), CAPTION, FAINT, Side::Right, &caption)?;
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

impl Side {
    fn anchor(self) -> HPos {
        match self {
            Side::Right => HPos::Left,
            Side::Left => HPos::Right,
            Side::Middle => HPos::Center,
        }
    }
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
        let font = (FONT, pixels(size)).into_font().color(&colour);
        self.draw(&Text::new(clean(text), at, font.pos(Pos::new(side.anchor(), VPos::Center))))
    }

    /// Writes a text in bold that begins at `at`.
    pub(super) fn bold(&self, at: Point, size: i32, text: &str) -> Result<(), Error> {
        let font = (FONT, pixels(size), FontStyle::Bold).into_font().color(&INK);
        self.draw(&Text::new(clean(text), at, font.pos(Pos::new(HPos::Left, VPos::Center))))
    }

    /// Writes a text that runs upwards: on [`Side::Right`] it begins at `at`.
    pub(super) fn upright(
        &self,
        at: Point,
        size: i32,
        colour: RGBColor,
        side: Side,
        text: &str,
    ) -> Result<(), Error> {
        let font = (FONT, pixels(size)).into_font().transform(FontTransform::Rotate270);
        let font = font.color(&colour).pos(Pos::new(side.anchor(), VPos::Center));
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
                self.draw(&Circle::new(at, REACH, PAPER.filled()))?;
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
        self.draw(&Text::new(text, (0, 0), (FONT, 1).into_font().color(&INK)))
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
        for (share, _) in &x.ticks {
            let (at, _) = self.at(*share, 0.0);
            canvas.line(vec![(at, top), (at, bottom)], GRID, 1)?;
        }
        self.below(canvas, &x.ticks)?;
        self.beside(canvas, &y.ticks)?;
        canvas.line(vec![(left, top), (left, bottom), (right, bottom)], FAINT, 1)?;
        let middle = (left + right) / 2;
        let title = fit(&x.title, LABEL, 2 * (middle - MARGIN).min(WIDTH - MARGIN - middle));
        canvas.text((middle, bottom + 40), LABEL, FAINT, Side::Middle, &title)?;
        if !y.title.is_empty() {
            let at = (MARGIN + 4, (top + bottom) / 2);
            let title = fit(&y.title, LABEL, bottom - top + 2 * LABEL);
            canvas.upright(at, LABEL, FAINT, Side::Middle, &title)?;
        }
        Ok(())
    }
}

impl Frame {
    /// Writes the labels of these ticks below, as far as none is over another.
    pub(super) fn below(&self, canvas: &Canvas<'_>, ticks: &[(f64, String)]) -> Result<(), Error> {
        let places: Vec<i32> = ticks.iter().map(|(share, _)| self.at(*share, 0.0).0).collect();
        let reaches: Vec<i32> =
            ticks.iter().map(|(_, label)| width_of(label, LABEL) / 2 + 4).collect();
        let told = that_keep_apart(&places, &reaches);
        for (((_, label), at), _) in ticks.iter().zip(places).zip(told).filter(|(_, told)| *told) {
            canvas.text((at, self.to.1 + 16), LABEL, INK, Side::Middle, label)?;
        }
        Ok(())
    }

    /// Draws a line across at each of these ticks, and writes their labels to the left of it as
    /// far as none is over another.
    pub(super) fn beside(&self, canvas: &Canvas<'_>, ticks: &[(f64, String)]) -> Result<(), Error> {
        let places: Vec<i32> = ticks.iter().map(|(share, _)| self.at(0.0, *share).1).collect();
        let told = that_keep_apart(&places, &vec![LABEL / 2 + 1; places.len()]);
        for (((_, label), at), is_told) in ticks.iter().zip(places).zip(told) {
            canvas.line(vec![(self.from.0, at), (self.to.0, at)], GRID, 1)?;
            if is_told {
                canvas.text((self.from.0 - 10, at), LABEL, INK, Side::Left, label)?;
            }
        }
        Ok(())
    }
}

/// Size of the labels of an axis in pixels.
const LABEL: i32 = 13;

/// Which of the labels at these places, each of which reaches so far to both sides, can be written
/// without any over another: the outermost two before those between them.
fn that_keep_apart(places: &[i32], reaches: &[i32]) -> Vec<bool> {
    let mut order: Vec<usize> = (0..places.len()).collect();
    order.sort_by_key(|&one| places[one]);
    // The last is asked right after the first.
    if order.len() > 2
        && let Some(last) = order.pop()
    {
        order.insert(1, last);
    }
    let mut told = vec![false; places.len()];
    for one in order {
        let is_free =
            |other: usize| (places[one] - places[other]).abs() >= reaches[one] + reaches[other];
        told[one] = (0..places.len()).filter(|&other| told[other]).all(is_free);
    }
    told
}

/// How wide a text is at most, in pixels: fonts differ, and which one draws it nobody knows here.
/// Letters of the widest common sans-serif (DejaVu Sans) are 0.6 of their size on average.
pub(super) fn width_of(text: &str, size: i32) -> i32 {
    // Scripts of East Asia fill a square.
    let tenths: i32 = text.chars().map(|c| if c < '\u{1100}' { 6 } else { 10 }).sum();
    (tenths * size + 9) / 10
}

/// A text cut to that width in pixels; what is cut shows.
pub(super) fn fit(text: &str, size: i32, room: i32) -> String {
    let mut kept = text.to_owned();
    let mut length = text.chars().count();
    while width_of(&kept, size) > room && length > 1 {
        length -= 1;
        kept = text::shorten(text, length);
    }
    kept
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
        let shown = fit(name, LABEL, WIDTH - 6 - (x + 42));
        canvas.text((x + 42, y), LABEL, INK, Side::Right, &shown)
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
    colour(look.colour)
}

const fn colour((red, green, blue): (u8, u8, u8)) -> RGBColor {
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
        if line.starts_with("<svg ") {
            // What all texts have in common is said once.
            let tag = line.trim_end_matches('>');
            let title = escape(&clean(title));
            finished.push_str(&format!("{tag} font-family=\"{FONT}\">\n<title>{title}</title>\n"));
            continue;
        }
        if !line.starts_with("<text ") {
            finished.push_str(&lean(line));
            finished.push('\n');
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
            finished.push_str(&format!("{}{content}{end}\n", lean(line)));
        }
    }
    finished
}

/// A tag without what is so in any case.
fn lean(tag: &str) -> String {
    let needless = [" opacity=\"1\"", " stroke=\"none\"", &format!(" font-family=\"{FONT}\"")];
    let tag = needless.iter().fold(tag.to_owned(), |tag, attribute| tag.replace(attribute, ""));
    // What dividing by 1.24 leaves over.
    tag.replace(".000000000000002\"", "\"")
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// What every text of a picture says and covers at most: left, top, right, bottom.
#[cfg(test)]
pub(super) fn text_boxes(svg: &str) -> Vec<(String, [f64; 4])> {
    let texts = svg.lines().filter(|line| line.starts_with("<text "));
    texts
        .map(|line| {
            let (tag, rest) = line.split_once('>').unwrap();
            let content = rest.strip_suffix("</text>").unwrap();
            let content = content.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
            let value = |name: &str| {
                let from = tag.find(&format!(" {name}=\"")).unwrap() + name.len() + 3;
                tag[from..].split('"').next().unwrap()
            };
            let number = |name: &str| value(name).parse::<f64>().unwrap();
            let (x, y, size) = (number("x"), number("y"), number("font-size"));
            let bold = if tag.contains("font-weight=\"bold\"") { 1.1 } else { 1.0 };
            let length = f64::from(width_of(&content, 100)) / 100.0 * size * bold;
            let before = match value("text-anchor") {
                "start" => 0.0,
                "middle" => length / 2.0,
                _ => length,
            };
            let half = size / 2.0;
            let corners = if tag.contains("rotate(270") {
                // It runs upwards from where it begins.
                [x - half, y + before - length, x + half, y + before]
            } else {
                [x - before, y - half, x - before + length, y + half]
            };
            (content, corners)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ticks_too_close_for_their_labels_have_none_and_the_outermost_have() {
        assert_eq!(that_keep_apart(&[0, 30, 60, 100], &[20; 4]), [true, false, true, true]);
        assert_eq!(that_keep_apart(&[100, 60, 90, 0], &[20; 4]), [true, true, false, true]);
        assert_eq!(that_keep_apart(&[0, 5], &[20; 2]), [true, false]);
        assert_eq!(that_keep_apart(&[], &[]), [false; 0]);
    }

    #[test]
    fn what_does_not_fit_is_cut_and_says_so() {
        assert_eq!(fit("abcdef", 10, 36), "abcdef");
        assert_eq!(fit("abcdef", 10, 24), "abc~");
        assert_eq!(lines_of("one two three four", 8, 2), ["one two", "three~"]);
        assert_eq!(lines_of("one two", 8, 2), ["one two"]);
    }

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
