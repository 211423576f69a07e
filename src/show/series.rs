//! The blocks of a run in the order of time before they are drawn: what drifts, what was not warm
//! yet, which launch was disturbed.
//!
//! Owns where each block lies. Each variant is drawn against its own median, so that one that takes
//! milliseconds and one that takes microseconds are read on one scale.

use crate::analyse::estimate;
use crate::analyse::summary::{BlockMedian, IntervalSummary, VariantSummary};
use crate::model::interval::Interval;
use crate::show::scale::Ratios;
use crate::show::units;

/// The blocks of the variants of one parent.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// The finding.
    pub title: String,
    /// What is drawn.
    pub subtitle: String,
    /// What the horizontal axis shows.
    pub x_title: String,
    /// Where launches begin, as shares of the horizontal axis, each with its number.
    pub launches: Vec<(f64, u32)>,
    /// Ticks of every strip, as shares of its height.
    pub y_ticks: Vec<(f64, String)>,
    /// One for each variant.
    pub strips: Vec<Strip>,
    /// The figures that matter, in words.
    pub told: String,
}

/// The blocks of one variant.
#[derive(Clone, Debug, PartialEq)]
pub struct Strip {
    /// Its name.
    pub name: String,
    /// Name of its mechanism.
    pub mechanism: String,
    /// Its median and how steady it is, in words.
    pub note: String,
    /// Its launches in their order.
    pub launches: Vec<Launch>,
}

/// The blocks of one variant in one launch.
#[derive(Clone, Debug, PartialEq)]
pub struct Launch {
    /// The same in words.
    pub text: String,
    /// Where each block lies, as shares of both axes.
    pub points: Vec<(f64, f64)>,
}

/// The blocks of one variant in little room: a line of a terminal.
#[derive(Clone, Debug, PartialEq)]
pub struct Spark {
    /// Its name.
    pub name: String,
    /// The medians of its blocks in nanoseconds, launch after launch.
    pub launches: Vec<Vec<f64>>,
    /// The shortest of them.
    pub low: f64,
    /// The longest of them.
    pub high: f64,
}

impl Spark {
    /// The blocks of an interval; none with fewer than two.
    pub fn of(name: &str, interval: &IntervalSummary) -> Option<Spark> {
        let launches: Vec<Vec<f64>> = interval
            .block_medians
            .chunk_by(|one, next| one.launch == next.launch)
            .map(|blocks| blocks.iter().map(|block| block.p50).collect())
            .collect();
        let all = || launches.iter().flatten().copied();
        let (low, high) = (all().reduce(f64::min)?, all().reduce(f64::max)?);
        (all().count() > 1).then(|| Spark { name: name.to_owned(), launches, low, high })
    }

    /// How high each block stands, from 0 to 1, in at most `room` places, launch after launch:
    /// neighbours share a place where there is no room for each. None where there is not even
    /// room for every launch.
    pub fn heights(&self, room: usize) -> Option<Vec<Vec<f64>>> {
        let each = room / self.launches.len().max(1);
        if each == 0 {
            return None;
        }
        // What differs by less than a tenth is not worth the whole height.
        let middle = (self.low * self.high).sqrt();
        let reach = (self.high / self.low).ln().max(NARROWEST.ln());
        let height = |value: f64| match middle > 0.0 && value > 0.0 {
            true => (0.5 + (value / middle).ln() / reach).clamp(0.0, 1.0),
            false => 0.0,
        };
        let of_launch = |blocks: &Vec<f64>| {
            let places = blocks.len().div_ceil(blocks.len().div_ceil(each));
            let merged = (0..places).map(|place| {
                let (from, to) =
                    (place * blocks.len() / places, (place + 1) * blocks.len() / places);
                height(estimate::median(&blocks[from..to]).unwrap_or_default())
            });
            merged.collect()
        };
        Some(self.launches.iter().map(of_launch).collect())
    }
}

/// More variants than this are not read below each other.
const STRIPS: usize = 14;

/// More blocks than this, of a few hundred pixels, are drawn in groups of neighbours.
const POINTS: usize = 400;

/// Launches of fewer blocks than this say nothing of how neighbours resemble each other.
const ENOUGH: usize = 5;

/// What differs less than from 1 / this to this is steady, and looks so.
const NARROWEST: f64 = 1.1;

/// What lies farther off than this times is drawn at the edge: else nothing else would be seen.
const WIDEST: f64 = 4.0;

impl Series {
    /// Of these variants, each with the name of its row, how long the caller is blocked; none with
    /// fewer than two blocks.
    pub fn of(rows: &[(String, &VariantSummary)], caption: &str) -> Option<Series> {
        let known: Vec<(&String, &VariantSummary, &IntervalSummary, f64)> = rows
            .iter()
            .filter_map(|(name, variant)| {
                let interval = variant.interval(Interval::Blocked)?;
                let median = interval.p50.known()?.value;
                (median > 0.0 && !interval.block_medians.is_empty())
                    .then_some((name, *variant, interval, median))
            })
            .collect();
        let shown = &known[..known.len().min(STRIPS)];
        let key = |block: &BlockMedian| (block.launch, block.block);
        let mut keys: Vec<(u32, u32)> =
            shown.iter().flat_map(|(_, _, one, _)| one.block_medians.iter().map(key)).collect();
        keys.sort_unstable();
        keys.dedup();
        if keys.len() < 2 {
            return None;
        }
        let across = |place: f64| (place + 0.5) / keys.len() as f64;
        let place = |key: (u32, u32)| keys.binary_search(&key).unwrap_or(0) as f64;

        let ratios = || {
            shown.iter().flat_map(|(_, _, one, median)| {
                one.block_medians.iter().map(move |block| block.p50 / median)
            })
        };
        let is_near = |ratio: &f64| (1.0 / WIDEST..=WIDEST).contains(ratio);
        let beyond = ratios().filter(|ratio| !is_near(ratio)).count();
        let scale = Ratios::of(ratios().filter(is_near), NARROWEST);
        let each = keys.len().div_ceil(POINTS);

        let strips = shown.iter().map(|(name, variant, interval, median)| Strip {
            name: (*name).clone(),
            mechanism: variant.row.mechanism.clone(),
            note: note(interval, *median),
            launches: interval
                .block_medians
                .chunk_by(|one, next| one.launch == next.launch)
                .map(|blocks| {
                    launch(name, blocks, each, *median, |key, ratio| {
                        (across(place(key)), scale.share(ratio))
                    })
                })
                .collect(),
        });
        let begins = keys.chunk_by(|one, next| one.0 == next.0);
        let launches = begins
            .scan(0, |place, blocks| {
                let begin = *place;
                *place += blocks.len();
                Some((begin as f64 / keys.len() as f64, blocks[0].0))
            })
            .collect::<Vec<_>>();

        let mut subtitle = format!(
            "Each block against the median of its row, in the order of time; a line is one fresh \
             parent. {caption}"
        );
        if each > 1 {
            subtitle += &format!("; a point is the median of {each} neighbouring blocks");
        }
        if beyond > 0 {
            let blocks = units::plural(beyond as u64, "block", "blocks");
            subtitle += &format!("; {blocks} beyond {WIDEST}x at the edge");
        }
        if known.len() > shown.len() {
            let left = (known.len() - shown.len()) as u64;
            subtitle += &format!("; {} left out", units::plural(left, "row is", "rows are"));
        }
        let told = shown
            .iter()
            .take(8)
            .map(|(name, _, one, median)| format!("{name}: {}", note(one, *median)));
        let told = format!("{}.", told.collect::<Vec<_>>().join("; "));
        let blocks = units::plural(keys.len() as u64, "block", "blocks");
        let parents = units::plural(launches.len() as u64, "fresh parent", "fresh parents");
        Some(Series {
            title: title(shown),
            subtitle: format!("{subtitle}."),
            x_title: format!("{blocks} in {parents}, in the order of time"),
            launches,
            y_ticks: scale.ticks(),
            strips: strips.collect(),
            told,
        })
    }
}

fn launch(
    name: &str,
    blocks: &[BlockMedian],
    each: usize,
    median: f64,
    at: impl Fn((u32, u32), f64) -> (f64, f64),
) -> Launch {
    let point = |blocks: &[BlockMedian]| {
        let middle = &blocks[blocks.len() / 2];
        at((middle.launch, middle.block), middle_of(blocks) / median)
    };
    let (number, value) = (blocks[0].launch, middle_of(blocks));
    let count = units::plural(blocks.len() as u64, "block", "blocks");
    Launch {
        text: format!(
            "{name}, launch {number}: {} in {count}, {:.3}x its median",
            units::duration(value),
            value / median
        ),
        points: blocks.chunks(each).map(point).collect(),
    }
}

/// The median of the medians of blocks.
fn middle_of(blocks: &[BlockMedian]) -> f64 {
    let medians: Vec<f64> = blocks.iter().map(|block| block.p50).collect();
    estimate::median(&medians).unwrap_or_default()
}

/// `p50 24.4 ms; 2nd half 1.003x; first block 1.02x`.
fn note(interval: &IntervalSummary, median: f64) -> String {
    let steady = &interval.steadiness;
    let launches = interval.block_medians.chunk_by(|one, next| one.launch == next.launch).count();
    let mut parts = vec![format!("p50 {}", units::duration(median))];
    parts.extend(steady.drift.map(|drift| format!("2nd half {drift:.3}x")));
    // Of two blocks the first is the first half, and their correlation is -1/2 whatever they are.
    if interval.block_medians.len() >= ENOUGH * launches {
        parts.extend(steady.first_block.map(|first| format!("first block {first:.3}x")));
        parts.extend(steady.lag1.map(|lag1| format!("lag-1 {lag1:.2}")));
    }
    parts.join("; ")
}

/// Which block of which row strays farthest from the median of its row.
fn title(shown: &[(&String, &VariantSummary, &IntervalSummary, f64)]) -> String {
    let all = || {
        shown.iter().flat_map(|(name, _, one, median)| {
            one.block_medians.iter().map(move |block| (*name, block.launch, block.p50 / median))
        })
    };
    let far = |ratio: f64| if ratio > 0.0 { ratio.ln().abs() } else { f64::INFINITY };
    let farthest = all().max_by(|a, b| far(a.2).total_cmp(&far(b.2)));
    let blocks = units::plural(all().count() as u64, "block", "blocks");
    match farthest {
        Some((name, launch, ratio)) if far(ratio) > NARROWEST.ln() => {
            let beyond = all().filter(|one| far(one.2) > NARROWEST.ln()).count();
            format!(
                "{} of {blocks} lie beyond a tenth of the median of their row; farthest {name}, \
                 {ratio:.2}x in launch {launch}",
                units::count(beyond as u64)
            )
        }
        Some((name, launch, ratio)) => format!(
            "Steady: all {blocks} lie within a tenth of the median of their row; farthest {name}, \
             {ratio:.3}x in launch {launch}"
        ),
        None => "Blocks in the order of time".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::show::example::{self, FORK, VFORK};

    fn series(count: u32, of: impl Fn(u32, u32) -> f64) -> Option<Series> {
        let mut summary = example::summary(&[("rss=1GiB", &[FORK, VFORK])], "vfork");
        for variant in &mut summary.variants {
            for interval in &mut variant.intervals {
                let median = interval.p50.known().unwrap().value;
                interval.block_medians = (1..=4)
                    .flat_map(|launch| (0..count).map(move |block| (launch, block)))
                    .map(|(launch, block)| BlockMedian {
                        launch,
                        block,
                        p50: median * of(launch, block),
                    })
                    .collect();
            }
        }
        let rows: Vec<(String, &VariantSummary)> =
            summary.variants.iter().map(|one| (one.row.mechanism.clone(), one)).collect();
        Series::of(&rows, "Parent 1 GiB")
    }

    #[test]
    fn a_disturbed_launch_is_the_finding() {
        let found = series(5, |launch, _| if launch == 2 { 2.0 } else { 1.0 }).unwrap();
        assert_eq!(
            found.title,
            "10 of 40 blocks lie beyond a tenth of the median of their row; farthest vfork, 2.00x \
             in launch 2"
        );
        assert_eq!(found.x_title, "20 blocks in 4 fresh parents, in the order of time");
        assert_eq!(found.launches, [(0.0, 1), (0.25, 2), (0.5, 3), (0.75, 4)]);
        let strip = &found.strips[0];
        assert_eq!(strip.launches.len(), 4);
        assert_eq!(
            strip.launches[1].text,
            "fork, launch 2: 48.8 ms in 5 blocks, 2.000x its median"
        );
        let heights: Vec<f64> = strip.launches.iter().map(|one| one.points[0].1).collect();
        assert!(heights[1] > 0.9 && heights[0] == heights[2], "{heights:?}");
    }

    #[test]
    fn steady_blocks_look_steady_and_far_ones_are_told() {
        let found = series(5, |_, block| 1.0 + 0.001 * f64::from(block)).unwrap();
        assert!(found.title.starts_with("Steady: all 40 blocks"), "{}", found.title);
        let points = found.strips[0].launches.iter().flat_map(|one| &one.points);
        assert!(points.into_iter().all(|(_, y)| (0.4..0.6).contains(y)));
        let far = series(5, |launch, block| if (launch, block) == (1, 0) { 50.0 } else { 1.0 });
        assert!(far.unwrap().subtitle.contains("; 2 blocks beyond 4x at the edge"));
    }

    #[test]
    fn a_spark_takes_no_more_room_than_there_is() {
        let spark = |count: usize| Spark {
            name: "fork".to_owned(),
            launches: vec![vec![1.0; count], vec![2.0; count], vec![1.0; count]],
            low: 1.0,
            high: 2.0,
        };
        let heights = spark(20).heights(30).unwrap();
        assert_eq!(heights.iter().map(Vec::len).collect::<Vec<_>>(), [10, 10, 10]);
        assert!(heights[0][0] < 0.01 && heights[1][9] > 0.99, "{heights:?}");
        assert_eq!(spark(2).heights(30).unwrap()[2].len(), 2);
        assert_eq!(spark(7).heights(12).unwrap()[0].len(), 4);
        assert_eq!(spark(7).heights(2), None);
        let nothing = Spark { low: 0.0, high: 0.0, launches: vec![vec![0.0, 0.0]], ..spark(1) };
        assert_eq!(nothing.heights(9), Some(vec![vec![0.0, 0.0]]));
        let steady = Spark { low: 1.0, high: 1.01, launches: vec![vec![1.0, 1.01]], ..spark(1) };
        assert!(steady.heights(9).unwrap()[0].iter().all(|one| (0.4..0.6).contains(one)));
    }

    #[test]
    fn very_many_blocks_are_grouped_and_one_is_no_series() {
        let found = series(1000, |_, _| 1.0).unwrap();
        let points: usize = found.strips[0].launches.iter().map(|one| one.points.len()).sum();
        assert!(points <= POINTS + 4, "{points}");
        assert!(found.subtitle.contains("a point is the median of 10 neighbouring blocks"));
        assert_eq!(series(0, |_, _| 1.0), None);
    }
}
