//! The colours of pictures in both themes.
//!
//! Pictures are drawn on white. On dark paper their greys are turned over and the colours of
//! mechanisms become lighter where they must. A picture with other colours, as a heat map has,
//! keeps white paper: what is written on its fields was chosen for them.

use std::collections::BTreeSet;
use std::fmt::Write;

use crate::show::document::Figure;
use crate::show::palette::{self, Look};

/// Red, green and blue.
type Colour = (u8, u8, u8);

/// Dark paper; the style sheet has the same.
const PAPER: Colour = (24, 24, 24);

/// The least contrast of a colour with its paper: WCAG 2.2, 1.4.3, for text of any size.
const CONTRAST: f64 = 4.5;

/// Levels of grey on white paper, and what becomes of them on dark paper: black, text, text beside,
/// grid, paper. Between them it is a straight line.
const GREYS: [(f64, f64); 5] =
    [(0.0, 245.0), (34.0, 230.0), (96.0, 173.0), (222.0, 58.0), (255.0, 24.0)];

/// The part of the style sheet that gives these pictures and looks their colours.
pub(super) fn style(figures: &[&Figure], looks: &[Look]) -> String {
    let mut used: BTreeSet<Colour> = looks.iter().map(|look| look.colour).collect();
    for figure in figures.iter().filter(|figure| !is_on_paper(&figure.svg)) {
        used.extend(colours(&figure.svg));
    }
    let (mut light, mut dark, mut rules) = (String::new(), String::new(), String::new());
    for colour in used {
        let name = hex(colour);
        let _ = write!(light, "--{name}:#{name};");
        let _ = write!(dark, "--{name}:#{};", hex(on_dark(colour)));
        for paint in ["fill", "stroke"] {
            let _ = writeln!(rules, "[{paint}=\"#{name}\"]{{{paint}:var(--{name})}}");
        }
    }
    format!(
        ":root,.on-paper{{{light}}}\n\
         @media screen and (prefers-color-scheme:dark){{:root{{{dark}}}}}\n{rules}"
    )
}

/// Whether a picture needs white paper below it.
pub(super) fn is_on_paper(svg: &str) -> bool {
    let is_known = |colour: &Colour| is_grey(*colour) || palette::HUES.contains(colour);
    !colours(svg).iter().all(is_known)
}

/// A colour as six digits.
pub(super) fn hex((red, green, blue): Colour) -> String {
    format!("{red:02X}{green:02X}{blue:02X}")
}

/// A colour of a mechanism as the theme has it.
pub(super) fn variable(colour: Colour) -> String {
    format!("var(--{})", hex(colour))
}

/// The colours that a picture fills and strokes with.
fn colours(svg: &str) -> BTreeSet<Colour> {
    let digits = svg.split("=\"#").skip(1).filter_map(|rest| rest.get(..6));
    digits
        .filter_map(|digits| {
            let value = u32::from_str_radix(digits, 16).ok()?;
            let [_, red, green, blue] = value.to_be_bytes();
            Some((red, green, blue))
        })
        .collect()
}

fn is_grey((red, green, blue): Colour) -> bool {
    red == green && green == blue
}

/// The colour on dark paper.
fn on_dark(colour: Colour) -> Colour {
    if is_grey(colour) {
        let level = turned_over(f64::from(colour.0)).round() as u8;
        return (level, level, level);
    }
    let (red, green, blue) = colour;
    let lighter = |share: f64| {
        let [red, green, blue] = [red, green, blue].map(|part| {
            let part = f64::from(part);
            (part + share * (255.0 - part)).round() as u8
        });
        (red, green, blue)
    };
    let shares = (0..20).map(|step| f64::from(step) / 20.0);
    shares.map(lighter).find(|one| contrast(*one, PAPER) >= CONTRAST).unwrap_or((255, 255, 255))
}

fn turned_over(level: f64) -> f64 {
    let pair = GREYS.windows(2).find(|pair| level <= pair[1].0);
    pair.map_or(f64::from(PAPER.0), |pair| {
        let [(from, first), (to, second)] = [pair[0], pair[1]];
        first + (level - from) / (to - from) * (second - first)
    })
}

/// Contrast as WCAG 2.2 defines it, from 1 to 21.
fn contrast(one: Colour, other: Colour) -> f64 {
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

fn luminance((red, green, blue): Colour) -> f64 {
    let linear = |part: u8| {
        let share = f64::from(part) / 255.0;
        if share <= 0.04045 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mechanism_can_be_read_on_dark_paper_and_keeps_a_colour_of_its_own() {
        let dark: BTreeSet<Colour> = palette::HUES.into_iter().map(on_dark).collect();
        assert_eq!(dark.len(), palette::HUES.len());
        for colour in dark {
            assert!(contrast(colour, PAPER) >= CONTRAST, "{colour:?}");
        }
    }

    #[test]
    fn contrast_is_that_of_the_standard() {
        assert!((contrast((0, 0, 0), (255, 255, 255)) - 21.0).abs() < 1e-9);
        // The grey that is known for just reaching it on white.
        let known = contrast((118, 118, 118), (255, 255, 255));
        assert!((4.5..4.6).contains(&known), "{known}");
    }

    #[test]
    fn greys_are_turned_over_and_what_is_written_in_them_can_be_read() {
        assert_eq!(on_dark((255, 255, 255)), PAPER);
        assert_eq!(on_dark((0, 0, 0)), (245, 245, 245));
        for level in 0..=120 {
            assert!(contrast(on_dark((level, level, level)), PAPER) >= CONTRAST, "{level}");
        }
    }

    #[test]
    fn a_picture_of_other_colours_keeps_its_paper() {
        assert!(!is_on_paper("<rect fill=\"#FFFFFF\"/><path stroke=\"#D55E00\"/>"));
        assert!(is_on_paper("<rect fill=\"#FFFFFF\"/><rect fill=\"#440154\"/>"));
        let figure = Figure { svg: "<rect fill=\"#787878\"/>".to_owned(), ..Figure::default() };
        assert!(style(&[&figure], &[]).contains("[fill=\"#787878\"]{fill:var(--787878)}"));
    }
}
