//! How numbers look to a reader: durations, counts, ratios and their intervals.
//! (Sizes print themselves: `model::units::Size`.)
//!
//! Owns nothing but text. Three significant digits at most: more would claim what no run can hold.

use crate::analyse::columns::Unit;
use crate::model::claim::Counted;
use crate::model::quantity::Measure;

/// A duration in nanoseconds with three significant digits: `60.0 ns`, `97.6 us`, `24.4 ms`,
/// `1,234 s`. Zero is `0 ns`.
pub fn duration(nanoseconds: f64) -> String {
    if nanoseconds == 0.0 {
        return "0 ns".to_owned();
    }
    const UNITS: [(&str, f64); 4] = [("ns", 1.0), ("us", 1e3), ("ms", 1e6), ("s", 1e9)];
    for (position, (unit, length)) in UNITS.into_iter().enumerate() {
        let value = nanoseconds / length;
        // 999.6 would be written "1000": it belongs to the next unit.
        if value.abs() < 999.5 || position + 1 == UNITS.len() {
            return format!("{} {unit}", significant(value));
        }
    }
    unreachable!("the last unit takes every value")
}

/// Several durations in the unit of the largest, which is written once at the end:
/// `55.3  24.2  24.3 ms`.
pub fn durations(nanoseconds: &[f64]) -> String {
    let Some(largest) = nanoseconds.iter().copied().reduce(f64::max) else {
        return String::new();
    };
    let (length, unit) = match largest {
        large if large >= 999.5e6 => (1e9, "s"),
        large if large >= 999.5e3 => (1e6, "ms"),
        large if large >= 999.5 => (1e3, "us"),
        _ => (1.0, "ns"),
    };
    let values: Vec<String> = nanoseconds.iter().map(|n| significant(n / length)).collect();
    format!("{} {unit}", values.join("  "))
}

/// A round duration for an axis, without needless zeros: `10 us`, `100 ms`, `2 s`.
pub fn tick(nanoseconds: f64) -> String {
    let (length, unit) = match nanoseconds {
        n if n >= 0.999e9 => (1e9, "s"),
        n if n >= 0.999e6 => (1e6, "ms"),
        n if n >= 0.999e3 => (1e3, "us"),
        _ => (1.0, "ns"),
    };
    let value = nanoseconds / length;
    format!("{} {unit}", thousands((value * 1e3).round() / 1e3))
}

/// A whole number with thousands separators: `262,147`.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A whole number in at most six characters where it is large: `262k`, `4.19M`.
pub fn short_count(number: u64) -> String {
    match number {
        0..100_000 => count(number),
        100_000..999_500 => format!("{}k", (number + 500) / 1000),
        _ => format!("{}M", significant(number as f64 / 1e6)),
    }
}

/// A factor without its sign: `252`, `12.3`, `1.04`, `0.54`, `0.0040`.
pub fn factor(value: f64) -> String {
    format_with(value, factor_decimals(value))
}

/// A ratio: `252x`, `0.54x`.
pub fn ratio(value: f64) -> String {
    format!("{}x", factor(value))
}

/// The interval of a ratio, with the digits that the ratio itself is written with:
/// `0.54-0.55`, `188-465`.
pub fn interval(value: f64, low: f64, high: f64) -> String {
    let decimals = factor_decimals(value);
    format!("{}-{}", format_with(low, decimals), format_with(high, decimals))
}

/// A figure in the unit of its kind: `16.9 us per MiB`, `8.02 MiB`, `1.40x`.
pub fn counted(counted: Counted, value: f64) -> String {
    let (text, unit) = parts(counted, value, value);
    format!("{text}{unit}")
}

/// A figure and its interval, in the unit of the figure: `16.9 us per MiB (16.6 to 17.3)`.
pub fn within(counted: Counted, value: f64, low: f64, high: f64) -> String {
    let (text, unit) = parts(counted, value, reference(value, low, high));
    format!("{text}{unit} ({})", bounds(counted, value, low, high))
}

/// The interval of a figure alone, in the unit and with the digits of the figure: `16.6 to 17.3`.
pub fn bounds(counted: Counted, value: f64, low: f64, high: f64) -> String {
    let reference = reference(value, low, high);
    format!("{} to {}", parts(counted, low, reference).0, parts(counted, high, reference).0)
}

/// A range as a claim gives it: `at most 1.40x`, `10.0 us to 30.0 us`; none without a bound.
pub fn range(counted: Counted, at_least: Option<f64>, at_most: Option<f64>) -> Option<String> {
    let text = |value| self::counted(counted, value);
    match (at_least, at_most) {
        (Some(least), Some(most)) => Some(format!("{} to {}", text(least), text(most))),
        (Some(least), None) => Some(format!("at least {}", text(least))),
        (None, Some(most)) => Some(format!("at most {}", text(most))),
        (None, None) => None,
    }
}

/// The share that a line explains, with four digits, never rounded up to the whole: `0.9998`.
pub fn r2(share: f64) -> String {
    format!("{:.4}", (share * 1e4).floor() / 1e4)
}

/// A figure of a column: `2.11 us`, `65,536`, `0.25`, `1.20 GiB`, `12,300/s`, `98.2 MiB/s`.
pub fn figure(unit: Unit, value: f64) -> String {
    let of = |measure: Measure| match measure {
        Measure::Nanoseconds => duration(value),
        Measure::Bytes => counted(Counted::As(measure), value),
        Measure::Things if value.fract() == 0.0 && value >= 0.0 => count(value as u64),
        Measure::Things => significant(value),
    };
    match unit {
        Unit::Of(measure) => of(measure),
        // Three digits are as many as a rate can hold.
        Unit::PerSecond(Measure::Things) if value >= 99.95 => {
            format!("{}/s", count(three_digits(value)))
        }
        Unit::PerSecond(Measure::Things) => format!("{}/s", significant(value)),
        Unit::PerSecond(measure) => format!("{}/s", of(measure)),
    }
}

/// What a column is counted in, for machines to read: `ns`, `bytes/s`.
pub fn unit(unit: Unit) -> String {
    let word = |measure: Measure| match measure {
        Measure::Nanoseconds => "ns",
        Measure::Bytes => "bytes",
        Measure::Things => "count",
    };
    match unit {
        Unit::Of(measure) => word(measure).to_owned(),
        Unit::PerSecond(measure) => format!("{}/s", word(measure)),
    }
}

/// A number of at least 100 with all but its first three digits made 0.
fn three_digits(value: f64) -> u64 {
    let step = 10f64.powf(value.log10().floor() - 2.0).max(1.0);
    ((value / step).round() * step) as u64
}

/// A number to six significant digits, for machines to read: further ones are but those of its
/// computation.
pub fn rounded(value: f64) -> f64 {
    format!("{value:.5e}").parse().unwrap_or(value)
}

/// What decides unit and digits: the figure, or the width of its interval where that is larger, as
/// it is for what does not grow.
fn reference(value: f64, low: f64, high: f64) -> f64 {
    value.abs().max((high - low).abs() / 2.0)
}

/// A number and its unit, chosen as for `reference`.
fn parts(counted: Counted, value: f64, reference: f64) -> (String, String) {
    match counted {
        Counted::As(measure) => measured(measure, value, reference),
        Counted::For(measure, per) => {
            let (text, unit) = measured(measure, value, reference);
            (text, format!("{unit} per {per}"))
        }
        Counted::Times => (format_with(value, factor_decimals(reference)), "x".to_owned()),
        Counted::Size => measured(Measure::Bytes, value, reference),
        Counted::Count => measured(Measure::Things, value, reference),
    }
}

fn measured(measure: Measure, value: f64, reference: f64) -> (String, String) {
    const TIMES: [(f64, &str); 4] = [(1e9, " s"), (1e6, " ms"), (1e3, " us"), (1.0, " ns")];
    const SIZES: [(f64, &str); 5] = [
        (1024.0 * 1024.0 * 1024.0 * 1024.0, " TiB"),
        (1024.0 * 1024.0 * 1024.0, " GiB"),
        (1024.0 * 1024.0, " MiB"),
        (1024.0, " KiB"),
        (1.0, " bytes"),
    ];
    let scales: &[(f64, &str)] = match measure {
        Measure::Nanoseconds => &TIMES,
        Measure::Bytes => &SIZES,
        Measure::Things => &[(1.0, "")],
    };
    // 999.6 ns would be written "1000": it belongs to the next unit.
    let scale = scales.iter().find(|(size, _)| reference.abs() >= size * 0.9995);
    let (size, unit) = scale.copied().unwrap_or(scales[scales.len() - 1]);
    // What is counted one by one is whole, unless it is a mean.
    let is_whole = size == 1.0
        && measure != Measure::Nanoseconds
        && value.fract() == 0.0
        && reference.fract() == 0.0;
    let decimals = if is_whole { 0 } else { factor_decimals(reference / size) };
    (format_with(value / size, decimals), unit.to_owned())
}

/// A count and its noun: `1 launch`, `5 launches`.
pub fn plural(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", count(number), if number == 1 { one } else { many })
}

/// Names in a sentence: `a`, `a and b`, `a, b and c`.
pub fn list(names: &[&str], last: &str) -> String {
    match names {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [first @ .., end] => format!("{} {last} {end}", first.join(", ")),
    }
}

/// Digits after the point of a factor: three significant digits above 1, two below.
fn factor_decimals(value: f64) -> usize {
    match value.abs() {
        v if v >= 99.95 => 0,
        v if v >= 9.995 => 1,
        v if v >= 0.0995 => 2,
        v if v > 0.0 => (1.0 - v.log10().floor()) as usize,
        _ => 0,
    }
}

fn format_with(value: f64, decimals: usize) -> String {
    if decimals == 0 { thousands(value.round()) } else { format!("{value:.decimals$}") }
}

/// Three significant digits, never an exponent.
fn significant(value: f64) -> String {
    match value.abs() {
        v if v >= 99.95 => thousands(value.round()),
        v if v >= 9.995 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

/// A number with separators in its whole part and only the decimals it needs.
fn thousands(value: f64) -> String {
    let text = value.abs().to_string();
    let (whole, fraction) = text
        .split_once('.')
        .map_or((text.as_str(), None), |(whole, fraction)| (whole, Some(fraction)));
    let sign = if value < 0.0 { "-" } else { "" };
    let whole = whole.parse::<u64>().map_or_else(|_| whole.to_owned(), count);
    fraction
        .map_or_else(|| format!("{sign}{whole}"), |fraction| format!("{sign}{whole}.{fraction}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_three_significant_digits() {
        let cases = [
            (0.0, "0 ns"),
            (60.0, "60.0 ns"),
            (9.999, "10.0 ns"),
            (999.4, "999 ns"),
            (999.6, "1.00 us"),
            (97_600.0, "97.6 us"),
            (127_400.0, "127 us"),
            (24_400_000.0, "24.4 ms"),
            (309e6, "309 ms"),
            (999.96e6, "1.00 s"),
            (1_234e9, "1,234 s"),
        ];
        for (nanoseconds, expected) in cases {
            assert_eq!(duration(nanoseconds), expected, "{nanoseconds}");
        }
        assert_eq!(durations(&[55.3e6, 24.2e6, 0.95e6]), "55.3  24.2  0.95 ms");
        assert_eq!(durations(&[]), "");
    }

    #[test]
    fn ticks_are_short() {
        for (nanoseconds, expected) in
            [(1.0, "1 ns"), (10e3, "10 us"), (1e6, "1 ms"), (2e8, "200 ms"), (1e13, "10,000 s")]
        {
            assert_eq!(tick(nanoseconds), expected);
        }
    }

    #[test]
    fn figures_of_columns_are_in_their_unit() {
        use Measure::{Bytes, Nanoseconds, Things};
        for (unit, value, expected) in [
            (Unit::Of(Nanoseconds), 2106.4, "2.11 us"),
            (Unit::Of(Bytes), 1_288_490_189.0, "1.20 GiB"),
            (Unit::Of(Things), 65_536.0, "65,536"),
            (Unit::Of(Things), 0.251, "0.25"),
            (Unit::PerSecond(Things), 12_345.6, "12,300/s"),
            (Unit::PerSecond(Things), 99.97, "100/s"),
            (Unit::PerSecond(Things), 41.06, "41.1/s"),
            (Unit::PerSecond(Bytes), 103_000_000.0, "98.2 MiB/s"),
        ] {
            assert_eq!(figure(unit, value), expected);
        }
    }

    #[test]
    fn counts_have_separators() {
        for (number, expected) in [
            (0, "0"),
            (999, "999"),
            (1000, "1,000"),
            (262_147, "262,147"),
            (1_000_000, "1,000,000"),
        ] {
            assert_eq!(count(number), expected);
        }
        for (number, expected) in [
            (99_999, "99,999"),
            (262_147, "262k"),
            (999_499, "999k"),
            (999_500, "1.00M"),
            (4_194_307, "4.19M"),
        ] {
            assert_eq!(short_count(number), expected);
        }
        assert_eq!(plural(1, "launch", "launches"), "1 launch");
        assert_eq!(plural(5000, "launch", "launches"), "5,000 launches");
    }

    #[test]
    fn ratios_share_their_digits_with_their_interval() {
        for (value, expected) in [
            (252.3, "252x"),
            (1234.0, "1,234x"),
            (99.96, "100x"),
            (12.34, "12.3x"),
            (1.0, "1.00x"),
            (0.543, "0.54x"),
            (0.0543, "0.054x"),
            (0.00397, "0.0040x"),
            (0.0000216, "0.000022x"),
        ] {
            assert_eq!(ratio(value), expected);
        }
        assert_eq!(interval(252.0, 188.2, 465.1), "188-465");
        assert_eq!(interval(0.543, 0.538, 0.551), "0.54-0.55");
    }

    #[test]
    fn figures_share_their_unit_and_digits_with_their_interval() {
        use crate::model::claim::Per;
        let slope = Counted::For(Measure::Nanoseconds, Per::MiB);
        let time = Counted::As(Measure::Nanoseconds);
        for (kind, (value, low, high), expected) in [
            (slope, (16_900.0, 16_600.0, 17_300.0), "16.9 us per MiB (16.6 to 17.3)"),
            (slope, (0.4, -12.0, 13.0), "0.4 ns per MiB (-12.0 to 13.0)"),
            (time, (999_600.0, 990_000.0, 1_010_000.0), "1.00 ms (0.99 to 1.01)"),
            (time, (24.4e6, 24.1e6, 24.9e6), "24.4 ms (24.1 to 24.9)"),
            (Counted::Times, (12.6, 12.1, 13.0), "12.6x (12.1 to 13.0)"),
            (Counted::Times, (0.543, 0.538, 0.551), "0.54x (0.54 to 0.55)"),
            (Counted::Size, (8.4e6, 8.2e6, 8.6e6), "8.01 MiB (7.82 to 8.20)"),
            (Counted::Count, (262_147.0, 262_147.0, 262_147.0), "262,147 (262,147 to 262,147)"),
            (Counted::As(Measure::Things), (2.5, 2.0, 3.0), "2.50 (2.00 to 3.00)"),
            (Counted::As(Measure::Bytes), (512.0, 512.0, 512.0), "512 bytes (512 to 512)"),
        ] {
            assert_eq!(within(kind, value, low, high), expected);
        }
        assert_eq!(counted(slope, 0.0), "0 ns per MiB");
        assert_eq!(range(Counted::Times, None, Some(1.4)).as_deref(), Some("at most 1.40x"));
        assert_eq!(range(time, Some(1e3), None).as_deref(), Some("at least 1.00 us"));
        assert_eq!(range(time, Some(1e3), Some(2e6)).as_deref(), Some("1.00 us to 2.00 ms"));
        assert_eq!(range(time, None, None), None);
        assert_eq!((r2(0.99999).as_str(), r2(1.0).as_str()), ("0.9999", "1.0000"));
    }

    #[test]
    fn names_make_a_sentence() {
        assert_eq!(list(&[], "and"), "");
        assert_eq!(list(&["a"], "and"), "a");
        assert_eq!(list(&["a", "b"], "or"), "a or b");
        assert_eq!(list(&["a", "b", "c"], "and"), "a, b and c");
    }
}
