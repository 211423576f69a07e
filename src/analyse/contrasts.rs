//! Two variants compared: those of one subject block by block, others launch by launch.
//!
//! The two take turns within each block, in random order, so that whatever disturbs a block
//! disturbs both: the log ratio of their quantiles within a block is what is analysed. Blocks of
//! one parent may agree with each other and still not speak for the next parent; therefore the
//! same is asked of launches, and the wider of the two intervals is reported.
//!
//! Variants with different parents never stand in one block. Each launch has a fresh parent of
//! either, so that a launch is a pair: the log ratio of what it says of the two is one observation.
//! Parents differ more than blocks do, and the interval is as much wider.

use std::collections::{BTreeMap, BTreeSet};

use super::cells::{Cell, Pair};
use super::estimate::{
    CONFIDENCE, LAUNCHES, Located, detectable, hodges_lehmann, over_launches, signed_rank_interval,
    signed_rank_needs, signed_rank_p, t_interval, t_p,
};
use super::quantiles::quantile;
use super::values::Values;
use crate::model::quantity::samples_per_block;

/// A ratio of two variants, or why there is none.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Contrast {
    /// The two could be compared.
    Shown(Ratio),
    /// They could not.
    NotShown(Reason),
}

/// How many times as long one variant takes as another, at one quantile.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ratio {
    /// Hodges-Lehmann estimate over the blocks: 2.0 is twice as long.
    pub value: f64,
    /// Its interval, the wider of the one over blocks and the one over launches.
    pub bounds: Bounds,
    /// Probability of a ratio as far from 1 as this if there is no difference: the larger of the
    /// two tests.
    pub p: f64,
    /// Which unit gave the interval.
    pub unit: Unit,
    /// Blocks compared (after neighbours were merged); 0 if launches were.
    pub blocks: usize,
    /// Launches that they came from; with 1, nothing is known of how parents differ.
    pub launches: usize,
    /// The smallest ratio above 1 that this many blocks would find in four of five runs (power
    /// 80 %); none where there is no interval.
    pub smallest_detectable: Option<f64>,
}

/// The interval of a ratio.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bounds {
    /// At the confidence asked for, the ratio lies between these.
    Between {
        /// Lower end.
        low: f64,
        /// Upper end.
        high: f64,
    },
    /// So few blocks, or launches, bound nothing at that confidence.
    Needs {
        /// How many it takes.
        needed: usize,
        /// How many there are.
        count: usize,
    },
}

/// What was counted as one independent observation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// A block: signed-rank interval.
    Block,
    /// A launch: t interval.
    Launch,
    /// A launch in which each of the two has a subject of its own: the wider of the signed-rank and
    /// the t interval.
    LaunchPair,
    /// A run, where results directories are held against each other.
    Run,
    /// A boot, where they are held against each other across a difference of the machine.
    Boot,
}

/// Why a contrast is not shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The two never stand in the same block, nor in the same launch: nothing pairs them.
    NotInOneBlock,
    /// Not even all blocks of one launch together have samples enough for that quantile.
    TooFewSamples {
        /// Samples that the quantile takes, per side.
        needed: usize,
        /// The most that one side of a launch has, where the other side has no fewer.
        count: usize,
    },
    /// A quantile is 0 ns: below the resolution of the clock.
    ZeroTime,
}

/// How many times as long `this` takes as `other` at the quantile `q`, at 95 %: by their blocks
/// where they share any, else by launches.
pub fn compare(this: &Cell, other: &Cell, q: f64) -> Contrast {
    match contrast(this, other, q, CONFIDENCE) {
        Contrast::NotShown(Reason::NotInOneBlock) => launch_pairs(this, other, q),
        contrast => contrast,
    }
}

fn launch_pairs(this: &Cell, other: &Cell, q: f64) -> Contrast {
    match pairs_of_launches(this, other, q) {
        Ok(pairs) => {
            let values: Vec<(f64, f64)> = pairs.into_iter().map(|(_, pair)| pair).collect();
            compare_pairs(&values).unwrap_or(Contrast::NotShown(Reason::NotInOneBlock))
        }
        Err(reason) => Contrast::NotShown(reason),
    }
}

/// A launch, and what it says of either of two variants.
type LaunchSays = (u32, (f64, f64));

/// What a launch says of the two at the quantile `q`, for each launch that says something of both.
fn pairs_of_launches(this: &Cell, other: &Cell, q: f64) -> Result<Vec<LaunchSays>, Reason> {
    let needed = samples_per_block(q);
    let of = |cell: &Cell| -> BTreeMap<u32, f64> {
        let launches = cell.launch_quantiles(q, needed).into_iter();
        launches.filter_map(|(launch, blocks)| Some((launch, launch_value(&blocks)?))).collect()
    };
    let (these, others) = (of(this), of(other));
    let pairs: Vec<LaunchSays> = these
        .iter()
        .filter_map(|(&launch, &value)| Some((launch, (value, *others.get(&launch)?))))
        .collect();
    if pairs.is_empty() {
        let sizes = |cell: &Cell| -> BTreeMap<u32, usize> {
            cell.by_launch().map(|(launch, values)| (launch, values.len())).collect()
        };
        let (these, others) = (sizes(this), sizes(other));
        let smaller = |(launch, &size): (&u32, &usize)| Some(size.min(*others.get(launch)?));
        return Err(match these.iter().filter_map(smaller).max() {
            Some(count) => Reason::TooFewSamples { needed, count },
            None => Reason::NotInOneBlock,
        });
    }
    Ok(pairs)
}

/// The log ratios of `this` and `other` at the quantile `q`, each with its launch and those of a
/// launch together: one for each block that both have, else one for each launch; and which of the
/// two it is.
///
/// # Errors
///
/// Why there are none.
pub fn differences(this: &Cell, other: &Cell, q: f64) -> Result<(Unit, Vec<(u32, f64)>), Reason> {
    match block_differences(this, other, q) {
        Err(Reason::NotInOneBlock) => {
            let pairs = pairs_of_launches(this, other, q)?;
            let log = |(launch, (this, other)): LaunchSays| {
                (this > 0.0 && other > 0.0).then(|| (launch, this.ln() - other.ln()))
            };
            let logs: Option<Vec<_>> = pairs.into_iter().map(log).collect();
            Ok((Unit::LaunchPair, logs.ok_or(Reason::ZeroTime)?))
        }
        blocks => Ok((Unit::Block, blocks?)),
    }
}

/// How many times as much the first of each pair is as the second, where each pair is what one
/// launch says; none without pairs.
pub fn compare_pairs(pairs: &[(f64, f64)]) -> Option<Contrast> {
    if pairs.is_empty() {
        return None;
    }
    if pairs.iter().any(|&(one, other)| one <= 0.0 || other <= 0.0) {
        return Some(Contrast::NotShown(Reason::ZeroTime));
    }
    let logs: Vec<f64> = pairs.iter().map(|(one, other)| one.ln() - other.ln()).collect();
    let interval = over_launches(&logs, false).ok();
    Some(Contrast::Shown(Ratio {
        value: hodges_lehmann(&logs).unwrap_or_default().exp(),
        bounds: match interval {
            Some(Located { low, high, .. }) => Bounds::Between { low: low.exp(), high: high.exp() },
            None => Bounds::Needs { needed: LAUNCHES, count: logs.len() },
        },
        p: signed_rank_p(&logs).max(t_p(&logs).unwrap_or(0.0)),
        unit: Unit::LaunchPair,
        blocks: 0,
        launches: logs.len(),
        smallest_detectable: interval
            .map(|Located { low, high, .. }| detectable((high - low) / 2.0, CONFIDENCE).exp()),
    }))
}

/// What a launch says whose blocks say these: the Hodges-Lehmann estimate, of logs unless one of
/// the numbers is 0; none of no blocks.
pub fn launch_value(blocks: &[f64]) -> Option<f64> {
    if blocks.iter().all(|&block| block > 0.0) {
        let logs: Vec<f64> = blocks.iter().map(|block| block.ln()).collect();
        return hodges_lehmann(&logs).map(f64::exp);
    }
    hodges_lehmann(blocks)
}

/// How many times as long `this` takes as `other` at the quantile `q`, by the blocks that both have.
///
/// Blocks with fewer than `2 / (1 - q)` samples on a side are merged with their neighbours in the
/// launch until there are as many; a rest that is too small joins the last of its launch. Above
/// the median both sides of a block are brought to equal size, since how far a sample quantile of
/// a tail lies off depends on the size.
pub fn contrast(this: &Cell, other: &Cell, q: f64, confidence: f64) -> Contrast {
    match block_differences(this, other, q) {
        Ok(differences) => match ratio(&differences, confidence) {
            Some(ratio) => Contrast::Shown(ratio),
            None => Contrast::NotShown(Reason::ZeroTime),
        },
        Err(reason) => Contrast::NotShown(reason),
    }
}

fn block_differences(this: &Cell, other: &Cell, q: f64) -> Result<Vec<(u32, f64)>, Reason> {
    let pairs = this.paired(other);
    if pairs.is_empty() {
        return Err(Reason::NotInOneBlock);
    }
    let needed = samples_per_block(q);
    let merged = merge(pairs, needed).map_err(|count| Reason::TooFewSamples { needed, count })?;
    let logs: Option<Vec<(u32, f64)>> = merged.into_iter().map(|pair| log_ratio(pair, q)).collect();
    logs.ok_or(Reason::ZeroTime)
}

/// The ratio that log ratios of blocks say, each with its launch; those of one launch stand
/// together. None of no blocks.
pub fn ratio(differences: &[(u32, f64)], confidence: f64) -> Option<Ratio> {
    let all: Vec<f64> = differences.iter().map(|&(_, difference)| difference).collect();
    let launches = per_launch(differences);
    let value = hodges_lehmann(&all)?;
    let over_blocks = signed_rank_interval(&all, confidence);
    let over_launches = t_interval(&launches, confidence);
    let width = |interval: Located| interval.high - interval.low;
    let (interval, unit) = match (over_blocks, over_launches) {
        (Some(blocks), Some(launches)) if width(launches) > width(blocks) => {
            (Some(launches), Unit::Launch)
        }
        (blocks, _) => (blocks, Unit::Block),
    };
    let bounds = match interval {
        // The centre of the launches need not be that of the blocks: the interval holds both.
        Some(interval) => Bounds::Between {
            low: interval.low.min(value).exp(),
            high: interval.high.max(value).exp(),
        },
        None => Bounds::Needs { needed: signed_rank_needs(confidence), count: all.len() },
    };
    Some(Ratio {
        value: value.exp(),
        bounds,
        p: signed_rank_p(&all).max(t_p(&launches).unwrap_or(0.0)),
        unit,
        blocks: all.len(),
        launches: launches.len(),
        smallest_detectable: interval
            .map(|interval| detectable(width(interval) / 2.0, confidence).exp()),
    })
}

/// What each launch says: the Hodges-Lehmann estimate of its blocks, which stand together.
pub fn per_launch(differences: &[(u32, f64)]) -> Vec<f64> {
    differences
        .chunk_by(|one, next| one.0 == next.0)
        .filter_map(|blocks| {
            let blocks: Vec<f64> = blocks.iter().map(|&(_, difference)| difference).collect();
            hodges_lehmann(&blocks)
        })
        .collect()
}

/// Merges neighbouring blocks of a launch until each has `needed` samples on both sides; if no
/// launch has, the most that one has.
fn merge(pairs: Vec<Pair>, needed: usize) -> Result<Vec<Pair>, usize> {
    let mut merged: Vec<Pair> = Vec::new();
    let mut open: Option<Pair> = None;
    let mut most = 0;
    for pair in pairs {
        if let Some(rest) = open.take_if(|open| open.launch != pair.launch) {
            most = most.max(join_last(&mut merged, rest));
        }
        let pair = match open.take() {
            Some(before) => joined(before, &pair),
            None => pair,
        };
        if pair.smaller_side() >= needed {
            merged.push(pair);
        } else {
            open = Some(pair);
        }
    }
    if let Some(rest) = open {
        most = most.max(join_last(&mut merged, rest));
    }
    if merged.is_empty() { Err(most) } else { Ok(merged) }
}

/// Joins what was too small to the last pair of its launch, if there is one; says its size.
fn join_last(merged: &mut Vec<Pair>, rest: Pair) -> usize {
    let size = rest.smaller_side();
    if let Some(last) = merged.pop_if(|last| last.launch == rest.launch) {
        merged.push(joined(last, &rest));
    }
    size
}

/// Two pairs of one launch as one; the values are sorted again only when they are used.
fn joined(mut pair: Pair, next: &Pair) -> Pair {
    pair.this.extend_from(&next.this, 0..next.this.len());
    pair.other.extend_from(&next.other, 0..next.other.len());
    pair
}

impl Pair {
    fn smaller_side(&self) -> usize {
        self.this.len().min(self.other.len())
    }
}

/// The log ratio of the two quantiles; none if one of them is 0.
fn log_ratio(pair: Pair, q: f64) -> Option<(u32, f64)> {
    let Pair { launch, block, mut this, mut other } = pair;
    if q > 0.5 {
        let size = this.len().min(other.len());
        let seed = u64::from(launch) << 32 | u64::from(block);
        this = thinned(this, size, seed);
        other = thinned(other, size, seed);
    }
    let (this, other) = (quantile(&this.sorted(), q)?, quantile(&other.sorted(), q)?);
    // A difference of logs turns its sign exactly when the sides are swapped; the log of a
    // quotient does not, and a tie with 0 would then count as a difference.
    (this > 0.0 && other > 0.0).then(|| (launch, this.ln() - other.ln()))
}

/// Counted values of which there are more than that on both sides are not thinned: how far a tail
/// lies off for want of values is then next to nothing, and they are never written out.
const LARGE: usize = 100_000;

/// A random choice of `size` values, the same for the same seed; all if there are no more.
fn thinned(values: Values, size: usize, seed: u64) -> Values {
    if values.len() <= size {
        return values;
    }
    let is_counted = matches!(values, Values::Counted(_));
    if is_counted && size > LARGE {
        return values;
    }
    let mut state = seed;
    if is_counted && values.len() / 2 > size {
        let mut places = BTreeSet::new();
        while places.len() < size {
            places.insert(below(&mut state, values.len() as u64) as usize);
        }
        return places.into_iter().map(|place| values.get(place)).collect();
    }
    let (mut wanted, mut left) = (size, values.len());
    let mut chosen = Values::new();
    for value in values.iter() {
        // Each is taken with the probability that fills the choice exactly.
        if below(&mut state, left as u64) < wanted as u64 {
            chosen.push(value);
            wanted -= 1;
        }
        left -= 1;
    }
    chosen
}

/// The next number of a generator (SplitMix64), brought below `limit`.
fn below(state: &mut u64, limit: u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut bits = *state;
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^= bits >> 31;
    ((u128::from(bits) * u128::from(limit)) >> 64) as u64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::analyse::fixture::Run;
    use crate::model::interval::Interval;
    use crate::model::row::Role;
    use crate::record::fixture;
    use crate::record::rows::SampleRow;

    /// Two variants with these values, a list for each block; blocks are spread over launches.
    fn cells(blocks: &[(u32, Vec<u64>, Vec<u64>)]) -> crate::analyse::cells::Cells {
        let mut run = Run {
            variants: vec![
                fixture::variant(0, Role::Subject, "empty", "fork"),
                fixture::variant(1, Role::Subject, "empty", "vfork"),
            ],
            ..Run::default()
        };
        for (number, (launch, one, other)) in (0..).zip(blocks) {
            let row = fixture::block(*launch, number);
            let of = |variant, values: &[u64]| -> Vec<SampleRow> {
                values.iter().map(|&ns| fixture::sample(*launch, number, variant, ns)).collect()
            };
            run.blocks.push((row, [of(0, one), of(1, other)].concat(), vec![]));
        }
        run.cells()
    }

    fn contrast_of(blocks: &[(u32, Vec<u64>, Vec<u64>)], q: f64) -> (Contrast, Contrast) {
        let cells = cells(blocks);
        let (one, other) = (cells.cell(0, Interval::Blocked), cells.cell(1, Interval::Blocked));
        (contrast(one, other, q, 0.95), contrast(other, one, q, 0.95))
    }

    fn shown(contrast: Contrast) -> Ratio {
        match contrast {
            Contrast::Shown(ratio) => ratio,
            Contrast::NotShown(reason) => panic!("{reason:?}"),
        }
    }

    #[test]
    fn twice_as_long_is_found_whatever_the_drift() {
        let blocks: Vec<_> = (0..12)
            .map(|block| {
                let base = 1000 + 500 * u64::from(block);
                (1 + block / 4, vec![2 * base; 4], vec![base; 4])
            })
            .collect();
        let ratio = shown(contrast_of(&blocks, 0.5).0);
        assert!((ratio.value - 2.0).abs() < 1e-12);
        assert_eq!((ratio.blocks, ratio.launches), (12, 3));
        let Bounds::Between { low, high } = ratio.bounds else { panic!("{ratio:?}") };
        assert!(low > 1.999 && high < 2.001 && ratio.p <= 2.0 * 0.5f64.powi(12) + 1e-12);
    }

    #[test]
    fn launches_that_disagree_widen_the_interval() {
        // Within a launch every block says the same, but the launches say 1.0, 1.2 and 0.9.
        let blocks: Vec<_> = (0..30)
            .map(|block| {
                let launch = 1 + block / 10;
                let base = [1000, 1200, 900][block as usize / 10];
                (launch, vec![base; 4], vec![1000; 4])
            })
            .collect();
        let ratio = shown(contrast_of(&blocks, 0.5).0);
        let Bounds::Between { low, high } = ratio.bounds else { panic!("{ratio:?}") };
        assert_eq!(ratio.unit, Unit::Launch);
        assert!(low < 0.75 && high > 1.35, "{low} {high}");
        assert!(ratio.p > 0.5);
        assert!(ratio.smallest_detectable.unwrap() > 1.3);
    }

    #[test]
    fn few_blocks_give_a_ratio_but_no_interval() {
        for count in 1..6 {
            let blocks: Vec<_> = (0..count).map(|_| (1, vec![300; 4], vec![100; 4])).collect();
            let ratio = shown(contrast_of(&blocks, 0.5).0);
            assert!((ratio.value - 3.0).abs() < 1e-12);
            let count = count as usize;
            assert_eq!(ratio.bounds, Bounds::Needs { needed: 6, count });
            assert_eq!(ratio.smallest_detectable, None);
            assert_eq!(ratio.p, (2.0 * 0.5f64.powi(count as i32)).min(1.0));
        }
    }

    #[test]
    fn blocks_with_too_few_samples_are_merged_within_their_launch() {
        // Launch 1: 3 + 2 | 5 + the rest of 1; launch 2 has 3 in all and says nothing.
        let sizes = [(1, 3), (1, 2), (1, 5), (1, 1), (2, 1), (2, 2)];
        let blocks: Vec<_> = sizes
            .iter()
            .map(|&(launch, size)| (launch, vec![200; size], vec![100; size + 1]))
            .collect();
        let ratio = shown(contrast_of(&blocks, 0.5).0);
        assert_eq!((ratio.blocks, ratio.launches), (2, 1));

        let (contrast, _) = contrast_of(&blocks, 0.95);
        let needed = samples_per_block(0.95);
        assert_eq!(
            contrast,
            Contrast::NotShown(Reason::TooFewSamples { needed, count: 11 }),
            "of launch 1 all blocks together"
        );
    }

    #[test]
    fn the_samples_a_quantile_takes() {
        assert_eq!([0.5, 0.75, 0.9, 0.95, 0.99].map(samples_per_block), [4, 8, 20, 40, 200]);
    }

    #[test]
    fn what_cannot_be_compared_says_why() {
        let apart = [(1, vec![5; 4], vec![]), (1, vec![], vec![5; 4])];
        assert_eq!(contrast_of(&apart, 0.5).0, Contrast::NotShown(Reason::NotInOneBlock));
        assert_eq!(contrast_of(&[], 0.5).0, Contrast::NotShown(Reason::NotInOneBlock));
        let zero = [(1, vec![0; 4], vec![5; 4])];
        assert_eq!(contrast_of(&zero, 0.5).0, Contrast::NotShown(Reason::ZeroTime));
        assert_eq!(contrast_of(&zero, 0.5).1, Contrast::NotShown(Reason::ZeroTime));
    }

    /// A tail quantile of 40 values lies lower than that of 4,000 values of the same kind.
    #[test]
    fn unequal_sides_of_one_distribution_agree_at_p95() {
        let mut state = 7;
        let mut drawn = |count: usize| -> Vec<u64> {
            (0..count).map(|_| 1_000_000_000 / (1 + below(&mut state, 1_000_000))).collect()
        };
        let blocks: Vec<_> =
            (0..100).map(|block| (1 + block / 10, drawn(40), drawn(2_000))).collect();
        let ratio = shown(contrast_of(&blocks, 0.95).0);
        let Bounds::Between { low, high } = ratio.bounds else { panic!("{ratio:?}") };
        assert!(low < 1.0 && 1.0 < high, "{ratio:?}");
    }

    /// Two variants in parents of their own: never in one block, but in every launch.
    fn apart(launches: &[(Option<u64>, Option<u64>)]) -> crate::analyse::cells::Cells {
        let mut blocks = Vec::new();
        for (launch, (one, other)) in (1..).zip(launches) {
            for _ in 0..2 {
                blocks.extend(one.map(|ns| (launch, vec![ns; 4], vec![])));
                blocks.extend(other.map(|ns| (launch, vec![], vec![ns; 4])));
            }
        }
        cells(&blocks)
    }

    fn compared(cells: &crate::analyse::cells::Cells, q: f64) -> (Contrast, Contrast) {
        let (one, other) = (cells.cell(0, Interval::Blocked), cells.cell(1, Interval::Blocked));
        (compare(one, other, q), compare(other, one, q))
    }

    #[test]
    fn variants_of_different_parents_are_compared_by_launches() {
        let launches: Vec<_> =
            (0..10).map(|n| (Some(2000 + 20 * n), Some(1000 + 9 * (n % 3)))).collect();
        let cells = apart(&launches);
        let (ratio, turned) = compared(&cells, 0.5);
        let (ratio, turned) = (shown(ratio), shown(turned));
        assert_eq!((ratio.unit, ratio.blocks, ratio.launches), (Unit::LaunchPair, 0, 10));
        let Bounds::Between { low, high } = ratio.bounds else { panic!("{ratio:?}") };
        assert!(low < ratio.value && ratio.value < high && low > 1.9 && high < 2.3, "{ratio:?}");
        assert!(ratio.p <= 2.0 * 0.5f64.powi(10) + 1e-12);
        assert!((ratio.value * turned.value - 1.0).abs() < 1e-9);
        assert!(ratio.smallest_detectable.unwrap() < 1.1);
        assert_eq!(shown(contrast_of(&[(1, vec![8; 4], vec![4; 4])], 0.5).0).unit, Unit::Block);
    }

    #[test]
    fn pairs_of_launches_that_say_nothing_say_why() {
        let two = apart(&[(Some(300), Some(100)), (Some(300), Some(100)), (None, Some(100))]);
        let ratio = shown(compared(&two, 0.5).0);
        assert!((ratio.value - 3.0).abs() < 1e-12);
        assert_eq!((ratio.bounds, ratio.launches), (Bounds::Needs { needed: 3, count: 2 }, 2));
        assert_eq!(ratio.smallest_detectable, None);

        let few = Contrast::NotShown(Reason::TooFewSamples { needed: 40, count: 8 });
        assert_eq!(compared(&two, 0.95), (few, few));
        let never = apart(&[(Some(300), None), (None, Some(100))]);
        assert_eq!(compared(&never, 0.5).0, Contrast::NotShown(Reason::NotInOneBlock));
        let zero = apart(&[(Some(0), Some(100)), (Some(5), Some(100))]);
        assert_eq!(compared(&zero, 0.5).1, Contrast::NotShown(Reason::ZeroTime));
    }

    #[test]
    fn thinning_is_a_fair_choice_of_that_size() {
        let values: Values = (0..10).collect();
        let mut taken = [0u32; 10];
        for seed in 0..2_000 {
            let chosen = thinned(values.clone(), 4, seed);
            assert_eq!(chosen.len(), 4);
            assert_eq!(chosen, thinned(values.clone(), 4, seed));
            chosen.iter().for_each(|value| taken[value as usize] += 1);
        }
        // 2,000 x 0.4 with a standard deviation of 22.
        assert!(taken.iter().all(|&times| (690..910).contains(&times)), "{taken:?}");
    }

    #[test]
    fn counted_values_are_thinned_without_being_written_out() {
        let mut values = Values::new();
        values.push_many(1, 1, 3_000_000_000);
        values.push_many(2, 2, 1_000_000_000);
        let chosen = thinned(values.clone(), 4_000, 5);
        assert_eq!(chosen.len(), 4_000);
        let twos = chosen.iter().filter(|&value| value == 2).count();
        assert!((850..1150).contains(&twos), "{twos}");
        assert_eq!(thinned(values.clone(), LARGE + 1, 5), values);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn swapping_the_sides_turns_the_ratio_over(
            blocks in proptest::collection::vec(
                (
                    1..4u32,
                    proptest::collection::vec(1..50u64, 0..60),
                    proptest::collection::vec(1..50u64, 0..60),
                ),
                0..14,
            ),
            q in prop_oneof![Just(0.5), Just(0.9)],
        ) {
            match contrast_of(&blocks, q) {
                (Contrast::Shown(one), Contrast::Shown(other)) => {
                    prop_assert!((one.value * other.value - 1.0).abs() < 1e-9);
                    prop_assert!((one.p - other.p).abs() < 1e-9);
                    prop_assert!((0.0..=1.0).contains(&one.p));
                    prop_assert_eq!((one.unit, one.blocks), (other.unit, other.blocks));
                    match (one.bounds, other.bounds) {
                        (
                            Bounds::Between { low, high },
                            Bounds::Between { low: other_low, high: other_high },
                        ) => {
                            prop_assert!(low <= one.value && one.value <= high);
                            prop_assert!((low * other_high - 1.0).abs() < 1e-9);
                            prop_assert!((high * other_low - 1.0).abs() < 1e-9);
                            prop_assert!(one.smallest_detectable.unwrap() >= 1.0);
                        }
                        (one, other) => prop_assert_eq!(one, other),
                    }
                }
                (one, other) => prop_assert_eq!(one, other),
            }
        }
    }
}
