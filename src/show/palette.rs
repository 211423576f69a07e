//! The look of a mechanism: the same colour everywhere, and a second cue beside it.
//!
//! Colours are those of Okabe and Ito ("Color Universal Design", 2008), told apart under every
//! common colour blindness, two of them darker than theirs, so that a thin line is seen on a white
//! page as well as on a dark one. What has no hue takes the colour of text, which pages turn with
//! their theme. A dash pattern and a mark tell mechanisms apart without any colour.

/// The look of one mechanism.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Look {
    /// Red, green and blue.
    pub colour: (u8, u8, u8),
    /// The nearest of the eight colours that every terminal has: 1 red to 7 white.
    pub ansi: u8,
    /// Lengths of strokes and gaps, as SVG's `stroke-dasharray` takes them; empty is solid.
    pub dashes: &'static str,
    /// The mark on its line.
    pub mark: Mark,
}

/// A mark on a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// A filled circle.
    Disc,
    /// An open circle.
    Circle,
    /// A triangle that stands on its side.
    Triangle,
    /// A filled square.
    Square,
    /// A diagonal cross.
    Cross,
}

/// Colour of text in a picture, on white; pages turn it with their theme.
pub const INK: (u8, u8, u8) = (34, 34, 34);
/// Colour of what is said besides.
pub const FAINT: (u8, u8, u8) = (96, 96, 96);
/// Colour of a grid.
pub const GRID: (u8, u8, u8) = (222, 222, 222);
/// What is far from the best: the colour of no mechanism.
pub const HEAT: (u8, u8, u8) = (178, 34, 84);
/// How opaque what is farthest is at most: text of the page's own colour is read on it.
pub const WARMEST: f64 = 0.55;
const ORANGE: (u8, u8, u8) = (204, 132, 0);
const SKY: (u8, u8, u8) = (58, 154, 214);
const GREEN: (u8, u8, u8) = (0, 158, 115);
const BLUE: (u8, u8, u8) = (0, 114, 178);
const VERMILION: (u8, u8, u8) = (213, 94, 0);
const PURPLE: (u8, u8, u8) = (204, 121, 167);

/// Every colour of a look, and of what is warm, that is no grey.
pub const HUES: [(u8, u8, u8); 7] = [ORANGE, SKY, GREEN, BLUE, VERMILION, PURPLE, HEAT];

const SOLID: &str = "";
const LONG: &str = "9 4";
const SHORT: &str = "3 3";
const MIXED: &str = "9 3 2 3";

/// The look of the mechanism of that name. Names that are not known share a few looks.
pub fn look(mechanism: &str) -> Look {
    let (colour, ansi, dashes, mark) = match mechanism {
        "none" => (FAINT, 7, SHORT, Mark::Cross),
        "fork" => (VERMILION, 1, SOLID, Mark::Disc),
        "_fork" => (VERMILION, 1, LONG, Mark::Circle),
        "clone3" => (PURPLE, 5, MIXED, Mark::Square),
        "vfork" => (BLUE, 4, SOLID, Mark::Triangle),
        "posix_spawn" => (GREEN, 2, LONG, Mark::Square),
        "pidfd_spawn" => (GREEN, 2, SHORT, Mark::Circle),
        "clone3-vm" => (SKY, 6, SHORT, Mark::Circle),
        "clone3-pidfd" => (SKY, 6, MIXED, Mark::Cross),
        "clone3-cgroup" => (SKY, 6, LONG, Mark::Square),
        "command" => (ORANGE, 3, SOLID, Mark::Square),
        "popen" => (ORANGE, 3, LONG, Mark::Triangle),
        "system" => (ORANGE, 3, SHORT, Mark::Cross),
        "thread" => (INK, 7, SHORT, Mark::Triangle),
        other => {
            let sum: usize = other.bytes().map(usize::from).sum();
            [
                (INK, 7, SOLID, Mark::Cross),
                (INK, 7, LONG, Mark::Circle),
                (FAINT, 7, SOLID, Mark::Square),
                (FAINT, 7, MIXED, Mark::Disc),
            ][sum % 4]
        }
    };
    Look { colour, ansi, dashes, mark }
}

/// The look of the series of that place among those of one mechanism, from 0 on: all have its
/// colour, and each has dashes and a mark of its own.
pub fn nth(mechanism: &str, place: usize) -> Look {
    const DASHES: [&str; 4] = [SOLID, LONG, SHORT, MIXED];
    const MARKS: [Mark; 5] = [Mark::Disc, Mark::Circle, Mark::Triangle, Mark::Square, Mark::Cross];
    let first = look(mechanism);
    let dashes = DASHES.iter().position(|dashes| *dashes == first.dashes).unwrap_or(0) + place;
    let mark = MARKS.iter().position(|mark| *mark == first.mark).unwrap_or(0) + place;
    Look { dashes: DASHES[dashes % DASHES.len()], mark: MARKS[mark % MARKS.len()], ..first }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Relative luminance, as WCAG 2.1 defines it.
    fn luminance((red, green, blue): (u8, u8, u8)) -> f64 {
        let linear = |part: u8| {
            let share = f64::from(part) / 255.0;
            if share <= 0.04045 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)
    }

    fn contrast(one: (u8, u8, u8), other: (u8, u8, u8)) -> f64 {
        let (one, other) = (luminance(one), luminance(other));
        (one.max(other) + 0.05) / (one.min(other) + 0.05)
    }

    /// A graphic takes 3 and text 4.5 (WCAG 2.1, 1.4.11 and 1.4.3).
    #[test]
    fn every_hue_is_seen_on_white_and_on_a_dark_page() {
        for hue in [ORANGE, SKY, GREEN, BLUE, VERMILION, PURPLE] {
            let (light, dark) = (contrast(hue, (255, 255, 255)), contrast(hue, (24, 26, 30)));
            assert!(light >= 2.95 && dark >= 2.95, "{hue:?}: {light} {dark}");
        }
        assert!(contrast(INK, (255, 255, 255)) > 4.5 && contrast(FAINT, (255, 255, 255)) > 4.5);
        let warm = |heat: (u8, u8, u8), page: (u8, u8, u8)| {
            let mix = |one: u8, page: u8| {
                (f64::from(one) * WARMEST + f64::from(page) * (1.0 - WARMEST)) as u8
            };
            (mix(heat.0, page.0), mix(heat.1, page.1), mix(heat.2, page.2))
        };
        assert!(contrast(INK, warm(HEAT, (255, 255, 255))) > 4.5);
        // On a dark page hues are lighter, and so is text.
        for heat in [HEAT, (210, 120, 150)] {
            assert!(contrast((230, 230, 230), warm(heat, (24, 24, 24))) > 4.5, "{heat:?}");
        }
    }

    #[test]
    fn series_of_one_mechanism_share_its_colour_and_nothing_else() {
        assert_eq!(nth("fork", 0), look("fork"));
        let looks: Vec<Look> = (0..4).map(|place| nth("posix_spawn", place)).collect();
        for (i, one) in looks.iter().enumerate() {
            assert_eq!(one.colour, look("posix_spawn").colour);
            for other in &looks[..i] {
                assert!(one.dashes != other.dashes && one.mark != other.mark, "{one:?}");
            }
        }
    }

    #[test]
    fn known_mechanisms_are_told_apart_by_colour_and_without_it() {
        let names = [
            "none",
            "fork",
            "_fork",
            "clone3",
            "vfork",
            "posix_spawn",
            "pidfd_spawn",
            "clone3-vm",
            "clone3-pidfd",
            "clone3-cgroup",
            "command",
            "popen",
            "system",
            "thread",
        ];
        for (i, one) in names.iter().enumerate() {
            for other in &names[..i] {
                let (a, b) = (look(one), look(other));
                assert_ne!((a.colour, a.dashes), (b.colour, b.dashes), "{one} {other}");
                assert_ne!((a.colour, a.mark), (b.colour, b.mark), "{one} {other}");
            }
        }
        // The mechanisms of a default run differ in dashes and mark together, colour aside.
        let default = ["fork", "vfork", "posix_spawn", "clone3", "clone3-vm"];
        for (i, one) in default.iter().enumerate() {
            for other in &default[..i] {
                let (a, b) = (look(one), look(other));
                assert_ne!((a.dashes, a.mark), (b.dashes, b.mark), "{one} {other}");
            }
        }
    }
}
