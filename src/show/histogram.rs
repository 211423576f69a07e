//! A picture of how often each length occurred, both by logarithm, before it is drawn.
//!
//! Owns the bins and where they lie. What is counted, and for what, is for those who make one.

use crate::show::dots::told;
use crate::show::plots::Topic;
use crate::show::scale::Scale;
use crate::show::units;

/// How often each length occurred.
#[derive(Clone, Debug, PartialEq)]
pub struct Histogram {
    /// Which question it answers.
    pub topic: Topic,
    /// What its file is called, without an ending.
    pub stem: String,
    /// The finding.
    pub title: String,
    /// What is drawn.
    pub subtitle: String,
    /// What the horizontal axis shows.
    pub x_title: String,
    /// Its ticks, as shares.
    pub x_ticks: Vec<(f64, String)>,
    /// What the vertical axis shows.
    pub y_title: String,
    /// Its ticks, as shares.
    pub y_ticks: Vec<(f64, String)>,
    /// One for each that is counted by itself.
    pub outlines: Vec<Outline>,
    /// The figures that matter, in words.
    pub told: Vec<String>,
}

/// The counts of one.
#[derive(Clone, Debug, PartialEq)]
pub struct Outline {
    /// Its name.
    pub name: String,
    /// Name of its mechanism, which decides its colour.
    pub mechanism: String,
    /// What stands below its name.
    pub about: [String; 2],
    /// The corners of its outline, as shares: at the foot first and last.
    pub corners: Vec<(f64, f64)>,
    /// The longest of all, as a share of the horizontal axis, and in words.
    pub worst: (f64, String),
    /// A length to hold it against, as a share, and in words.
    pub beside: Option<(f64, String)>,
}

/// What is counted of one.
#[derive(Clone, Debug)]
pub struct Counted {
    /// Its name.
    pub name: String,
    /// Name of its mechanism.
    pub mechanism: String,
    /// What stands below its name.
    pub about: [String; 2],
    /// Lengths in nanoseconds, and how often each occurred.
    pub lengths: Vec<(f64, u64)>,
    /// By what the counts are divided.
    pub divided_by: f64,
    /// The longest, in words.
    pub worst: String,
    /// A length in nanoseconds to hold it against, and in words.
    pub beside: Option<(f64, String)>,
}

/// What stands around it.
#[derive(Clone, Debug, Default)]
pub struct Words {
    /// What its file is called, without an ending.
    pub stem: String,
    /// The finding.
    pub title: String,
    /// What is drawn.
    pub subtitle: String,
    /// What the horizontal axis shows.
    pub x_title: String,
    /// What the vertical axis shows.
    pub y_title: String,
    /// The figures that matter, in words.
    pub told: Vec<String>,
}

/// Bins in each decade.
const BINS: f64 = 8.0;

impl Histogram {
    /// Sorts lengths into bins, equally wide by logarithm; none without a length above 0.
    pub fn of(topic: Topic, all: Vec<Counted>, words: Words) -> Option<Histogram> {
        let lengths = || all.iter().flat_map(|one| &one.lengths).map(|(length, _)| *length);
        let besides = || all.iter().filter_map(|one| Some(one.beside.as_ref()?.0));
        let across = Scale::of(lengths().chain(besides()))?;
        let binned: Vec<Vec<f64>> = all.iter().map(|one| bins(one, across)).collect();
        let heights = || binned.iter().flatten().copied().filter(|height| *height > 0.0);
        let (least, most) = heights().fold((f64::INFINITY, 0.0_f64), |(least, most), height| {
            (least.min(height), most.max(height))
        });
        if most <= 0.0 {
            return None;
        }
        let (low, high) = (least.log10().floor() as i32, most.log10().ceil() as i32);
        // The foot: what occurred once must stand above it.
        let low = low - i32::from(least <= 10f64.powi(low) * 1.5);
        let up = |height: f64| match height {
            none if none <= 0.0 => 0.0,
            height => (height.log10() - f64::from(low)) / f64::from((high - low).max(1)),
        };
        let every = if high - low > 8 { 2 } else { 1 };
        let y_ticks = (low..=high)
            .filter(|decade| decade.rem_euclid(every) == 0)
            .map(|decade| (up(10f64.powi(decade)), power(decade)))
            .collect();
        let outline = |(one, bins): (Counted, &Vec<f64>)| {
            let longest = one.lengths.iter().map(|(length, _)| *length).fold(0.0, f64::max);
            Outline {
                corners: corners(bins, &up),
                worst: (across.share(longest), one.worst),
                beside: one.beside.map(|(length, text)| (across.share(length), text)),
                name: one.name,
                mechanism: one.mechanism,
                about: one.about,
            }
        };
        let ticks = across.ticks().into_iter();
        Some(Histogram {
            topic,
            stem: words.stem,
            title: words.title,
            subtitle: words.subtitle,
            x_title: format!("{}, log scale", words.x_title),
            x_ticks: ticks.map(|tick| (across.share(tick), units::tick(tick))).collect(),
            y_title: format!("{}, log scale", words.y_title),
            y_ticks,
            outlines: all.into_iter().zip(&binned).map(outline).collect(),
            told: words.told,
        })
    }

    /// What is drawn and the figures that matter, for those who do not see it.
    pub fn about(&self) -> String {
        told(&self.subtitle, &self.told)
    }
}

/// How often a length fell into each bin.
fn bins(one: &Counted, across: Scale) -> Vec<f64> {
    let count = ((across.high / across.low).log10() * BINS).round().max(1.0) as usize;
    let mut bins = vec![0.0; count];
    for (length, times) in &one.lengths {
        let bin = (across.share(*length) * count as f64) as usize;
        bins[bin.min(count - 1)] += *times as f64 / one.divided_by.max(1.0);
    }
    bins
}

/// The outline of bins from the first that is not empty to the last.
fn corners(bins: &[f64], up: &impl Fn(f64) -> f64) -> Vec<(f64, f64)> {
    let is_full = |height: &f64| *height > 0.0;
    let (Some(first), Some(last)) = (bins.iter().position(is_full), bins.iter().rposition(is_full))
    else {
        return Vec::new();
    };
    let edge = |bin: usize| bin as f64 / bins.len() as f64;
    let mut corners = vec![(edge(first), 0.0)];
    for (bin, height) in bins.iter().enumerate().take(last + 1).skip(first) {
        let height = up(*height);
        corners.extend([(edge(bin), height), (edge(bin + 1), height)]);
    }
    corners.push((edge(last + 1), 0.0));
    corners
}

/// A power of ten: `1,000`, `0.001`.
fn power(decade: i32) -> String {
    match decade {
        0.. => units::short_count(10u64.saturating_pow(decade as u32)),
        _ => format!("{:.*}", decade.unsigned_abs() as usize, 10f64.powi(decade)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(lengths: &[(f64, u64)]) -> Counted {
        Counted {
            name: "fork".to_owned(),
            mechanism: "fork".to_owned(),
            about: Default::default(),
            lengths: lengths.to_vec(),
            divided_by: 10.0,
            worst: String::new(),
            beside: Some((2e6, "blocked".to_owned())),
        }
    }

    fn histogram(lengths: &[(f64, u64)]) -> Option<Histogram> {
        Histogram::of(Topic::Stall, vec![counted(lengths)], Words::default())
    }

    #[test]
    fn every_length_falls_into_a_bin_and_what_occurred_once_is_seen() {
        let found = histogram(&[(100.0, 1_000_000), (150.0, 500), (1e6, 1)]).unwrap();
        let outline = &found.outlines[0];
        let heights: Vec<f64> = outline.corners.iter().map(|(_, height)| *height).collect();
        assert_eq!((heights[0], *heights.last().unwrap()), (0.0, 0.0));
        // Half of the axis is empty: the outline runs along its foot there.
        assert!(heights[1..heights.len() - 1].contains(&0.0));
        let last = heights[heights.len() - 2];
        assert!(last > 0.02 && last < 0.3, "{heights:?}");
        assert!(outline.corners.iter().all(|(x, y)| (0.0..=1.0).contains(x) && *y <= 1.0));
        assert!(outline.worst.0 > 0.8 && outline.beside.as_ref().unwrap().0 > outline.worst.0);
        let labels: Vec<&str> = found.y_ticks.iter().map(|(_, label)| label.as_str()).collect();
        assert_eq!(labels, ["0.01", "0.1", "1", "10", "100", "1,000", "10,000", "100k"]);
    }

    #[test]
    fn nothing_has_no_histogram() {
        assert_eq!(Histogram::of(Topic::Stall, Vec::new(), Words::default()), None);
        let empty = Counted { beside: None, ..counted(&[]) };
        assert_eq!(Histogram::of(Topic::Stall, vec![empty], Words::default()), None);
        assert!(histogram(&[(5.0, 1)]).is_some());
    }
}
