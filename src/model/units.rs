//! Units as people write them: sizes, counts, durations and percentages, read and printed.
//!
//! This module owns what a number on the command line or in a scenario means. It must not know which
//! knob a number is for: limits that belong to one knob stand with the knob. All reading is exact:
//! no binary floating point stands between the text and an integer.
//!
//! Sizes are read here and not by `bytesize`, for which `1G` is 1,000,000,000 bytes.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use thiserror::Error;

/// Why a text is not the quantity it was given for: what was given, what is wrong, what to do.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{given:?} is not {wanted}: {wrong}; {advice}")]
pub struct UnitError {
    /// The text as it was given.
    pub given: String,
    /// What it should have been: `a size`.
    pub wanted: &'static str,
    /// What is wrong with it.
    pub wrong: String,
    /// What is allowed, and an example of it.
    pub advice: String,
}

/// What a size may look like, for error messages.
const SIZE_ADVICE: &str =
    "give bytes, or a number with K, M, G or T (powers of 1024), e.g. 4K, 256M or 1GiB";

/// What a count may look like, for error messages.
const COUNT_ADVICE: &str =
    "give a whole number without separators, or one with k or M (powers of 1000), e.g. 8 or 10k";

/// What a duration may look like, for error messages.
const DURATION_ADVICE: &str =
    "give numbers with ns, us, ms, s, m, h or d, at most 7 days in all, e.g. 500ms or 2m 30s";

/// What a percentage may look like, for error messages.
const TIME_ADVICE: &str = "give a number with ns, us, ms or s, e.g. 16ms or 0.35us";
const PERCENTAGE_ADVICE: &str = "give a number from 0 to 100 with a percent sign, e.g. 1% or 2.5%";

/// The longest duration that [`parse_duration`] accepts. A longer one is a slip of the unit: to
/// humantime `1M` is a month.
pub const LONGEST_DURATION: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// A number of bytes.
///
/// Read from `4096`, `4K`, `4Ki`, `4KiB` (case does not matter, a fraction is exact: `1.5G` is
/// 1536 MiB); K, M, G and T are powers of 1024. Decimal units spelled out (`4KB`) are refused rather
/// than guessed at. Printed as `4KiB`; the alternate form `{:#}` puts a space before the unit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Size(u64);

impl Size {
    /// No bytes at all.
    pub const ZERO: Size = Size(0);

    /// The size of that many bytes.
    pub const fn from_bytes(bytes: u64) -> Size {
        Size(bytes)
    }

    /// How many bytes it is.
    pub const fn bytes(self) -> u64 {
        self.0
    }

    /// Reads a size that must be a whole number of pages of `page` bytes.
    ///
    /// # Errors
    /// When the text is no size, or is not a multiple of the page.
    pub fn parse_in_pages(text: &str, page: Size) -> Result<Size, UnitError> {
        let size: Size = text.parse()?;
        if page.0 == 0 || size.0.is_multiple_of(page.0) {
            return Ok(size);
        }
        Err(UnitError {
            given: text.to_owned(),
            wanted: "a whole number of pages",
            wrong: format!("a page is {page:#}"),
            advice: format!(
                "give a multiple of {page:#}, e.g. {}",
                page.to_string().trim_end_matches("iB")
            ),
        })
    }
}

impl FromStr for Size {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Size, UnitError> {
        let error = |wrong: String| unit_error(text, "a size", wrong, SIZE_ADVICE);
        let (number, unit) = Decimal::split(text).map_err(&error)?;
        let shift = match unit.to_ascii_lowercase().as_str() {
            "" | "b" => 0,
            "k" | "ki" | "kib" => 10,
            "m" | "mi" | "mib" => 20,
            "g" | "gi" | "gib" => 30,
            "t" | "ti" | "tib" => 40,
            "kb" | "mb" | "gb" | "tb" => {
                let binary = unit[..1].to_ascii_uppercase();
                return Err(error(format!(
                    "{unit} may mean a power of 1000 or of 1024 (write {binary} or {binary}iB for \
                     the power of 1024)"
                )));
            }
            _ => return Err(error(format!("there is no unit {unit:?}"))),
        };
        number.times(1 << shift, "bytes").map(Size).map_err(error)
    }
}

impl fmt::Display for Size {
    /// The largest unit in which it is a whole number: `1GiB`, `1536MiB`, `4097B`, and `0`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return formatter.write_str("0");
        }
        let space = if formatter.alternate() { " " } else { "" };
        let (shift, unit) = [(40, "TiB"), (30, "GiB"), (20, "MiB"), (10, "KiB")]
            .into_iter()
            .find(|(shift, _)| self.0.trailing_zeros() >= *shift)
            .unwrap_or((0, "B"));
        write!(formatter, "{}{space}{unit}", self.0 >> shift)
    }
}

/// Reads a count of things: `8`, `10k` (10,000), `1.5M`. Printed in full, as any integer.
///
/// # Errors
/// When it is not a whole number from 0 to 2^64 - 1. `10,000` is refused: a comma parts the values
/// of a list.
pub fn parse_count(text: &str) -> Result<u64, UnitError> {
    let error = |wrong: String| unit_error(text, "a count", wrong, COUNT_ADVICE);
    let (number, unit) = Decimal::split(text).map_err(&error)?;
    let scale = match unit {
        "" => 1,
        "k" | "K" => 1_000,
        "M" => 1_000_000,
        _ => return Err(error(format!("there is no unit {unit:?}"))),
    };
    number.times(scale, "things").map_err(error)
}

/// Reads a length of time: `60s`, `500ms`, `2m 30s`, `1.5s`, `0`. [`print_duration`] is its inverse.
///
/// # Errors
/// When it is no length of time, has no unit, is finer than a nanosecond, or is longer than
/// [`LONGEST_DURATION`].
pub fn parse_duration(text: &str) -> Result<Duration, UnitError> {
    let error = |wrong: String| unit_error(text, "a duration", wrong, DURATION_ADVICE);
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return Err(error("it is empty".to_owned()));
    }
    if trimmed.starts_with('-') {
        return Err(error("it is negative".to_owned()));
    }
    // humantime 2.4 panics where a sum of seconds reaches 2^64 exactly. No shorter text can.
    let longest_number = trimmed.split(|c: char| !c.is_ascii_digit()).map(str::len).max();
    if trimmed.len() > 64 || longest_number > Some(9) {
        return Err(error("it has too many digits".to_owned()));
    }
    let duration = humantime::parse_duration(trimmed).map_err(|why| {
        error(match why {
            humantime::DurationError::UnknownUnit { unit, .. } if unit.is_empty() => {
                "it has no unit".to_owned()
            }
            humantime::DurationError::UnknownUnit { unit, .. } => {
                format!("there is no unit {unit:?}")
            }
            humantime::DurationError::NumberOverflow => {
                "it is too long, or finer than a nanosecond".to_owned()
            }
            _ => "it is not numbers with units".to_owned(),
        })
    })?;
    if duration > LONGEST_DURATION {
        return Err(error(format!("it is {} days", duration.as_secs() / 86_400)));
    }
    Ok(duration)
}

/// Prints a length of time without loss and without spaces, as [`parse_duration`] reads it:
/// `60s` becomes `1m`, 1500 ms `1s500ms`.
pub fn print_duration(duration: Duration) -> String {
    humantime::format_duration(duration).to_string().replace(' ', "")
}

/// Reads a length of time as a figure, in nanoseconds: `16ms`, `0.35us`, `3.5 ns`. Unlike
/// [`parse_duration`] it may be finer than a nanosecond, since what is estimated may be.
///
/// # Errors
/// When it is no number with one of the units ns, us, ms and s.
pub fn parse_time(text: &str) -> Result<f64, UnitError> {
    let error = |wrong: String| unit_error(text, "a time", wrong, TIME_ADVICE);
    let (number, unit) = Decimal::split(text).map_err(&error)?;
    let scale = match unit {
        "ns" => 1.0,
        "us" | "\u{b5}s" | "\u{3bc}s" => 1e3,
        "ms" => 1e6,
        "s" => 1e9,
        "" => return Err(error("it has no unit".to_owned())),
        _ => return Err(error(format!("there is no unit {unit:?}"))),
    };
    let digits = format!("{}.{}0", number.whole, number.fraction);
    match digits.parse::<f64>().map(|number| number * scale) {
        Ok(time) if time.is_finite() => Ok(time),
        _ => Err(error("it is too long".to_owned())),
    }
}

/// Reads a percentage as a share of one: `1%` is 0.01. [`print_percentage`] is its inverse.
///
/// # Errors
/// When there is no percent sign (a bare `1` may mean the whole or a hundredth of it), or the number
/// does not lie from 0 to 100.
pub fn parse_percentage(text: &str) -> Result<f64, UnitError> {
    let error = |wrong: String| unit_error(text, "a percentage", wrong, PERCENTAGE_ADVICE);
    let (number, unit) = Decimal::split(text).map_err(&error)?;
    match unit {
        "%" => {}
        "" => return Err(error("it has no percent sign".to_owned())),
        _ => return Err(error(format!("there is no unit {unit:?}"))),
    }
    let share = number.hundredth();
    if share > 1.0 {
        return Err(error("it is more than the whole".to_owned()));
    }
    Ok(share)
}

/// Prints a share of one as a percentage, with as many digits as [`parse_percentage`] needs to read
/// the same share again: 0.025 is `2.5%`.
pub fn print_percentage(share: f64) -> String {
    // The shortest digits of the share name it exactly; moving their point by two keeps that, where
    // a multiplication by 100 would round (0.07 * 100 = 7.000000000000001).
    let digits = share.to_string();
    let (whole, fraction) = digits.split_once('.').unwrap_or((&digits, ""));
    let (moved, rest) = fraction.split_at(fraction.len().min(2));
    let whole = format!("{whole}{moved:0<2}");
    let whole = whole.trim_start_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    if rest.is_empty() { format!("{whole}%") } else { format!("{whole}.{rest}%") }
}

/// A decimal number as it was written: the digits before and behind its point.
struct Decimal<'a> {
    whole: &'a str,
    fraction: &'a str,
}

impl Decimal<'_> {
    /// Parts a text into its number and what stands after it.
    fn split(text: &str) -> Result<(Decimal<'_>, &str), String> {
        let trimmed = text.trim();
        if trimmed.is_empty() {
            return Err("it is empty".to_owned());
        }
        if trimmed.starts_with('-') {
            return Err("it is negative".to_owned());
        }
        let is_number = |c: char| c.is_ascii_digit() || c == '.';
        let (number, unit) =
            trimmed.split_at(trimmed.find(|c| !is_number(c)).unwrap_or(trimmed.len()));
        let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
        if whole.is_empty() {
            return Err("it does not begin with a digit".to_owned());
        }
        if fraction.is_empty() || fraction.contains('.') {
            return Err(format!("{number:?} is not a number"));
        }
        if unit.starts_with([',', '_', '\'']) {
            return Err("its digits are parted".to_owned());
        }
        Ok((Decimal { whole, fraction: fraction.trim_end_matches('0') }, unit.trim_start()))
    }

    /// The number times `scale`, a whole number of `things`.
    fn times(&self, scale: u64, things: &str) -> Result<u64, String> {
        let too_large = || format!("it is more than 2^64 - 1 {things}");
        let whole: u64 = self.whole.parse().map_err(|_| too_large())?;
        // 18 places of a number below 1, times at most 2^40, fit 128 bits with room to spare.
        let places = self.fraction.len() as u32;
        if places > 18 {
            return Err(format!("it is not a whole number of {things}"));
        }
        let fraction: u128 = format!("0{}", self.fraction).parse().map_err(|_| too_large())?;
        let scaled = fraction * u128::from(scale);
        if !scaled.is_multiple_of(10_u128.pow(places)) {
            return Err(format!("it is not a whole number of {things}"));
        }
        let fraction = (scaled / 10_u128.pow(places)) as u64;
        whole.checked_mul(scale).and_then(|w| w.checked_add(fraction)).ok_or_else(too_large)
    }

    /// The number divided by 100, to the nearest share that a double can hold.
    fn hundredth(&self) -> f64 {
        let digits = format!("{}.{}0e-2", self.whole, self.fraction);
        digits.parse().unwrap_or(f64::INFINITY)
    }
}

fn unit_error(given: &str, wanted: &'static str, wrong: String, advice: &str) -> UnitError {
    UnitError { given: given.to_owned(), wanted, wrong, advice: advice.to_owned() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PAGE: Size = Size::from_bytes(4096);

    fn size_error(text: &str) -> String {
        text.parse::<Size>().expect_err(text).to_string()
    }

    #[test]
    fn sizes_are_powers_of_1024() {
        for (text, bytes) in [
            ("0", 0),
            ("0G", 0),
            ("4096", 4096),
            ("4096B", 4096),
            ("4k", 4096),
            ("4Ki", 4096),
            ("4 KiB", 4096),
            (" 1G ", 1 << 30),
            ("1gib", 1 << 30),
            ("1.5G", 3 << 29),
            ("0.5K", 512),
            ("1.000M", 1 << 20),
            ("2T", 2 << 40),
            ("18446744073709551615", u64::MAX),
        ] {
            assert_eq!(text.parse(), Ok(Size::from_bytes(bytes)), "{text}");
        }
    }

    #[test]
    fn sizes_print_in_the_largest_whole_unit() {
        for (bytes, text) in [
            (0, "0"),
            (1 << 30, "1GiB"),
            (256 << 20, "256MiB"),
            (4096, "4KiB"),
            (3 << 29, "1536MiB"),
            (4097, "4097B"),
            (20 << 30, "20GiB"),
        ] {
            assert_eq!(Size::from_bytes(bytes).to_string(), text);
        }
        assert_eq!(format!("{:#}", Size::from_bytes(2 << 20)), "2 MiB");
    }

    #[test]
    fn a_refused_size_is_told_what_was_given_what_is_wrong_and_what_to_do() {
        assert_eq!(
            size_error("1X"),
            "\"1X\" is not a size: there is no unit \"X\"; give bytes, or a number with K, M, G or T \
             (powers of 1024), e.g. 4K, 256M or 1GiB"
        );
        for (text, wrong) in [
            ("", "it is empty"),
            ("  ", "it is empty"),
            ("-1", "it is negative"),
            ("NaN", "it does not begin with a digit"),
            ("inf", "it does not begin with a digit"),
            (".5G", "it does not begin with a digit"),
            ("G", "it does not begin with a digit"),
            ("1.G", "\"1.\" is not a number"),
            ("1.2.3", "\"1.2.3\" is not a number"),
            ("1e9", "there is no unit \"e9\""),
            ("1,000", "its digits are parted"),
            ("0.3K", "it is not a whole number of bytes"),
            ("0.0000000000000000000000001T", "it is not a whole number of bytes"),
            ("16777216T", "it is more than 2^64 - 1 bytes"),
            ("18446744073709551616", "it is more than 2^64 - 1 bytes"),
            (
                "1GB",
                "GB may mean a power of 1000 or of 1024 (write G or GiB for the power of 1024)",
            ),
        ] {
            let error = size_error(text);
            assert!(error.contains(&format!("{text:?} is not a size: {wrong}; give")), "{error}");
        }
    }

    #[test]
    fn pages_are_whole() {
        assert_eq!(Size::parse_in_pages("8K", PAGE), Ok(Size::from_bytes(8192)));
        assert_eq!(Size::parse_in_pages("0", PAGE), Ok(Size::ZERO));
        for text in ["0.5K", "1K", "4097"] {
            assert_eq!(
                Size::parse_in_pages(text, PAGE).expect_err(text).to_string(),
                format!(
                    "{text:?} is not a whole number of pages: a page is 4 KiB; give a multiple of \
                     4 KiB, e.g. 4K"
                )
            );
        }
    }

    #[test]
    fn counts() {
        for (text, count) in
            [("0", 0), ("8", 8), ("10k", 10_000), ("10K", 10_000), ("1.5M", 1_500_000), ("2.0", 2)]
        {
            assert_eq!(parse_count(text), Ok(count), "{text}");
        }
        for text in ["", "-1", "1.5", "10,000", "10_000", "1m", "1G", "99999999999999999999", "k"] {
            let error = parse_count(text).expect_err(text).to_string();
            assert!(error.contains("is not a count: "), "{error}");
            assert!(error.contains("e.g. 8 or 10k"), "{error}");
        }
    }

    #[test]
    fn durations() {
        for (text, duration) in [
            ("0", Duration::ZERO),
            ("60s", Duration::from_secs(60)),
            ("500ms", Duration::from_millis(500)),
            (" 2m 30s ", Duration::from_secs(150)),
            ("1.5s", Duration::from_millis(1500)),
            ("7d", LONGEST_DURATION),
        ] {
            assert_eq!(parse_duration(text), Ok(duration), "{text}");
        }
        for (text, wrong) in [
            ("", "it is empty"),
            ("-1s", "it is negative"),
            ("60", "it has no unit"),
            ("60x", "there is no unit \"x\""),
            ("s", "it is not numbers with units"),
            ("1M", "it is 30 days"),
            ("8d", "it is 8 days"),
            ("0.5ns", "it is too long, or finer than a nanosecond"),
            ("18446744073709551615s1000000000ns", "it has too many digits"),
        ] {
            let error = parse_duration(text).expect_err(text).to_string();
            assert!(error.contains(&format!("is not a duration: {wrong}; give")), "{error}");
        }
        assert_eq!(print_duration(Duration::from_millis(61_500)), "1m1s500ms");
        assert_eq!(print_duration(Duration::ZERO), "0s");
    }

    #[test]
    fn times_are_figures() {
        for (text, nanoseconds) in
            [("16ms", 16e6), ("0.35us", 350.0), ("3.5 ns", 3.5), ("2s", 2e9), ("0ns", 0.0)]
        {
            assert_eq!(parse_time(text), Ok(nanoseconds), "{text}");
        }
        for text in ["", "5", "-1ms", "5m", "1e3ms", "ms"] {
            let error = parse_time(text).expect_err(text).to_string();
            assert!(error.contains("is not a time: ") && error.contains("16ms"), "{error}");
        }
    }

    #[test]
    fn percentages() {
        for (text, share) in
            [("0%", 0.0), ("1%", 0.01), ("2.5 %", 0.025), ("100%", 1.0), ("7%", 0.07)]
        {
            assert_eq!(parse_percentage(text), Ok(share), "{text}");
        }
        for text in ["", "1", "%", "-1%", "101%", "NaN%", "1%%", "1e3%"] {
            let error = parse_percentage(text).expect_err(text).to_string();
            assert!(error.contains("is not a percentage: "), "{error}");
            assert!(error.contains("e.g. 1% or 2.5%"), "{error}");
        }
        for (share, text) in
            [(0.0, "0%"), (0.01, "1%"), (0.025, "2.5%"), (0.07, "7%"), (0.5, "50%"), (1.0, "100%")]
        {
            assert_eq!(print_percentage(share), text);
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,40}", numeric in "[-0-9.,kKMGTiBnsumhdwy% ]{0,40}") {
            for text in [text, numeric] {
                let _ = text.parse::<Size>();
                let _ = Size::parse_in_pages(&text, PAGE);
                let _ = parse_count(&text);
                let _ = parse_duration(&text);
                let _ = parse_percentage(&text);
                let _ = parse_time(&text);
            }
        }

        #[test]
        fn sizes_survive_printing(bytes: u64, shift in 0_u32..64) {
            for size in [Size::from_bytes(bytes), Size::from_bytes(bytes >> shift << shift)] {
                prop_assert_eq!(size.to_string().parse(), Ok(size));
                prop_assert_eq!(format!("{size:#}").parse(), Ok(size));
            }
        }

        #[test]
        fn counts_survive_printing(count: u64) {
            prop_assert_eq!(parse_count(&count.to_string()), Ok(count));
        }

        #[test]
        fn durations_survive_printing(nanoseconds in 0..=LONGEST_DURATION.as_nanos() as u64) {
            let duration = Duration::from_nanos(nanoseconds);
            prop_assert_eq!(parse_duration(&print_duration(duration)), Ok(duration));
        }

        #[test]
        fn percentages_survive_printing(share in 0.0..=1.0) {
            prop_assert_eq!(parse_percentage(&print_percentage(share)), Ok(share));
        }
    }
}
