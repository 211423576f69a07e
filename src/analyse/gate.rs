//! Whether something got worse by more than a margin: the tests of a gate, and its verdicts.
//!
//! A row is the log ratios of candidate and base, one for each block, each with its launch. Three
//! one-sided questions are asked of it: is it above the margin, is it below it, is it below the
//! margin on the other side. Each is answered twice, by the signed ranks of the blocks and by
//! a trimmed t over what the launches say, and the larger p counts: blocks of one parent may agree
//! with each other and still not speak for the next parent. The t is trimmed since one launch
//! that something else disturbed would else hide what all others say (METHODOLOGY.md).
//!
//! Of many rows that can fail one build, the false discovery rate is held (Benjamini and Hochberg);
//! exactly those that can fail it are corrected for. Sources: Benjamini and Hochberg 1995 (JRSS B
//! 57); Wang and Ramdas 2022 (JRSS B 84) for e-values.

use statrs::function::beta::{beta_reg, ln_beta};

use super::contrasts::per_launch;
use super::estimate::{
    above_p, hodges_lehmann, signed_rank_interval, trimmed_t_above_p, trimmed_t_interval,
};

/// What is said of one row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It got worse by more than the margin.
    Regressed,
    /// It did not get worse by as much as the margin.
    Fine,
    /// It got better by more than the margin.
    Improved,
    /// Neither can be said.
    Inconclusive,
    /// There is nothing to hold against each other, or it must not be.
    NotComparable,
}

impl Verdict {
    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Verdict::Regressed => "REGRESSED",
            Verdict::Fine => "OK",
            Verdict::Improved => "IMPROVED",
            Verdict::Inconclusive => "INCONCLUSIVE",
            Verdict::NotComparable => "NOT COMPARABLE",
        }
    }
}

/// What the three tests say of one row, before it is corrected for its company.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tested {
    /// The estimate of the ratio.
    pub ratio: f64,
    /// p that it is above 1 + margin.
    pub worse: f64,
    /// p that it is below 1 + margin.
    pub fine: f64,
    /// p that it is below 1 / (1 + margin).
    pub better: f64,
}

/// Tests log ratios of blocks, each with its launch (those of one launch stand together), against
/// a margin such as 0.03. None of no blocks.
pub fn test(differences: &[(u32, f64)], margin: f64) -> Option<Tested> {
    let blocks: Vec<f64> = differences.iter().map(|&(_, difference)| difference).collect();
    let launches = per_launch(differences);
    let bound = (1.0 + margin).ln();
    // Both have to agree that it is above; one launch has no t.
    let above = |numbers: &[f64], launches: &[f64], bound: f64| {
        above_p(numbers, bound).max(trimmed_t_above_p(launches, bound).unwrap_or(0.0))
    };
    let turned = |numbers: &[f64]| -> Vec<f64> { numbers.iter().map(|number| -number).collect() };
    let (turned_blocks, turned_launches) = (turned(&blocks), turned(&launches));
    Some(Tested {
        ratio: hodges_lehmann(&blocks)?.exp(),
        worse: above(&blocks, &launches, bound),
        fine: above(&turned_blocks, &turned_launches, -bound),
        better: above(&turned_blocks, &turned_launches, bound),
    })
}

/// Between what the mean log ratio lies, at that confidence: the interval that holds both the
/// signed-rank interval of the blocks and the trimmed t interval of the launches, as both tests have to agree.
/// None of too few blocks.
pub fn bounds(differences: &[(u32, f64)], confidence: f64) -> Option<(f64, f64)> {
    let blocks: Vec<f64> = differences.iter().map(|&(_, difference)| difference).collect();
    let blocks = signed_rank_interval(&blocks, confidence)?;
    Some(match trimmed_t_interval(&per_launch(differences), confidence) {
        Some(launches) => (blocks.low.min(launches.low), blocks.high.max(launches.high)),
        None => (blocks.low, blocks.high),
    })
}

/// What is said of a row in the company of those that fail a build with it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Decided {
    /// The verdict.
    pub verdict: Verdict,
    /// p that it is worse, corrected.
    pub worse_q: f64,
    /// p that it is better, corrected.
    pub better_q: f64,
}

/// Decides rows that fail a build together, in their order, at the level `alpha`. Those that got
/// worse and those that got better are each a family of their own.
pub fn decide(rows: &[Tested], alpha: f64) -> Vec<Decided> {
    let adjusted = |p: fn(&Tested) -> f64| adjust(&rows.iter().map(p).collect::<Vec<_>>());
    let (worse, better) = (adjusted(|row| row.worse), adjusted(|row| row.better));
    rows.iter()
        .zip(worse.into_iter().zip(better))
        .map(|(row, (worse_q, better_q))| {
            let verdict = if worse_q <= alpha {
                Verdict::Regressed
            } else if better_q <= alpha {
                Verdict::Improved
            } else if row.fine <= alpha {
                Verdict::Fine
            } else {
                Verdict::Inconclusive
            };
            Decided { verdict, worse_q, better_q }
        })
        .collect()
}

/// The verdicts alone, in which most tests are interested.
#[cfg(test)]
fn verdicts(rows: &[Tested], alpha: f64) -> Vec<Verdict> {
    decide(rows, alpha).into_iter().map(|decided| decided.verdict).collect()
}

/// Whether a count is higher by as much as is told: they are nearly exact, so that is by one at
/// least and by the margin.
pub fn is_higher(from: f64, to: f64, margin: f64) -> bool {
    to - from >= 1.0 && to - from >= margin * from
}

/// p values adjusted so that rejecting those up to a level holds the false discovery rate at it
/// (Benjamini and Hochberg), in their order.
pub fn adjust(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|&one, &other| p[one].total_cmp(&p[other]));
    let mut adjusted = vec![1.0_f64; p.len()];
    let mut least = 1.0_f64;
    for (rank, &place) in order.iter().enumerate().rev() {
        // Of n times p by n a rounding may leave less than p.
        least = least.min((p[place] * p.len() as f64 / (rank + 1) as f64).max(p[place]));
        adjusted[place] = least;
    }
    adjusted
}

/// Fewest blocks with which one row of so many can be rejected at `alpha`: the smallest p of the
/// signed ranks is 2^-blocks.
pub fn fewest_blocks(rows: usize, alpha: f64) -> usize {
    (rows.max(1) as f64 / alpha).log2().ceil().max(1.0) as usize
}

/// Evidence that may be looked at after every block: how much more likely it has become that more
/// than half of all blocks lie above the margin than that half do. At or above 1 / alpha it rejects,
/// whenever one looks (Ville's inequality).
///
/// `above` of `count` blocks lie above the margin. The mixture is Beta(1/2, 1/2) over the
/// probabilities above one half.
pub fn evidence(above: usize, count: usize) -> f64 {
    let (a, b) = (above as f64 + 0.5, (count - above.min(count)) as f64 + 0.5);
    // Half of the mixture lies above one half.
    let upper = 1.0 - beta_reg(a, b, 0.5);
    let log = ln_beta(a, b) - ln_beta(0.5, 0.5) + (count as f64 + 1.0) * 2.0_f64.ln();
    log.exp() * upper
}

/// Which of several rows their evidence rejects at `alpha`, however they depend on each other
/// (e-BH), in their order.
pub fn rejected_by_evidence(evidence: &[f64], alpha: f64) -> Vec<bool> {
    let mut sorted = evidence.to_vec();
    sorted.sort_unstable_by(|one, other| other.total_cmp(one));
    let rows = evidence.len() as f64;
    let threshold = sorted
        .iter()
        .enumerate()
        .rev()
        .find(|&(place, &value)| value >= rows / (alpha * (place + 1) as f64))
        .map(|(_, &value)| value);
    evidence.iter().map(|&value| threshold.is_some_and(|least| value >= least)).collect()
}

/// How many blocks in all bring a half-width of a ratio down to `wanted`, if the rest stays as it
/// is.
pub fn blocks_for(blocks: usize, half_width: f64, wanted: f64) -> usize {
    (blocks as f64 * (half_width / wanted).powi(2)).ceil() as usize
}

/// How many blocks, pairs or runs more bring a half-width down to `wanted`; at least one.
pub fn more_units(units: usize, half_width: f64, wanted: f64) -> usize {
    blocks_for(units, half_width, wanted).saturating_sub(units).max(1)
}

#[cfg(test)]
mod replayed;
#[cfg(test)]
mod simulated;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn launches(ratios: &[f64]) -> Vec<(u32, f64)> {
        let blocks = |(launch, ratio): (u32, f64)| {
            (0..10).map(move |block| (launch, ratio.ln() + 0.001 * f64::from(block % 5 - 2)))
        };
        (1..).zip(ratios.iter().copied()).flat_map(blocks).collect()
    }

    fn verdict(ratios: &[f64]) -> Verdict {
        verdicts(&[test(&launches(ratios), 0.03).unwrap()], 0.01)[0]
    }

    #[test]
    fn each_verdict_has_its_case() {
        assert_eq!(verdict(&[1.051, 1.049, 1.052, 1.05, 1.048]), Verdict::Regressed);
        assert_eq!(verdict(&[1.001, 0.999, 1.002, 1.0, 0.998]), Verdict::Fine);
        assert_eq!(verdict(&[0.951, 0.949, 0.952, 0.95, 0.948]), Verdict::Improved);
        assert_eq!(verdict(&[1.02, 1.04, 1.03, 1.05, 1.01]), Verdict::Inconclusive);
        // Its blocks agree, its launches do not.
        assert_eq!(verdict(&[1.4, 1.05, 0.9, 1.3, 1.06]), Verdict::Inconclusive);
    }

    #[test]
    fn what_is_nearly_nothing_is_never_judged() {
        assert_eq!(test(&[], 0.03), None);
        let one = test(&[(1, 0.5)], 0.03).unwrap();
        assert_eq!(verdicts(&[one], 0.01), [Verdict::Inconclusive]);
        let ties = vec![(1, 1.03_f64.ln()); 40];
        assert_eq!(verdicts(&[test(&ties, 0.03).unwrap()], 0.01), [Verdict::Inconclusive]);
        assert_eq!(verdicts(&[], 0.01), []);
    }

    /// As scipy.stats.false_discovery_control (1.15) has it.
    #[test]
    fn adjusted_as_known() {
        let adjusted = adjust(&[0.01, 0.04, 0.03, 0.5, 0.002]);
        for (found, known) in adjusted.iter().zip([0.025, 0.05, 0.05, 0.5, 0.01]) {
            assert!((found - known).abs() < 1e-12, "{adjusted:?}");
        }
        assert_eq!(adjust(&[]), [] as [f64; 0]);
    }

    #[test]
    fn evidence_is_the_integral_that_it_says() {
        for (above, count) in [(0, 0), (3, 5), (10, 10), (2, 20), (55, 80)] {
            // By the substitution p = sin^2, in which the mixture is flat.
            let steps = 200_000;
            let (low, high) = (std::f64::consts::FRAC_PI_4, std::f64::consts::FRAC_PI_2);
            let width = (high - low) / f64::from(steps);
            let sum: f64 = (0..steps)
                .map(|step| {
                    let p = (low + (f64::from(step) + 0.5) * width).sin().powi(2);
                    (2.0 * p).powi(above) * (2.0 - 2.0 * p).powi(count - above)
                })
                .sum();
            let known = sum * width / (high - low);
            let found = evidence(above as usize, count as usize);
            assert!((found / known - 1.0).abs() < 1e-6, "{above} of {count}: {found}, {known}");
        }
        assert!((evidence(0, 0) - 1.0).abs() < 1e-12);
        assert!(evidence(12, 12) > 100.0 && evidence(6, 12) < 1.0);
    }

    /// No average over all sequences exceeds 1: else it would not be evidence.
    #[test]
    fn evidence_is_fair() {
        for count in 0..12_usize {
            let all = 1_u32 << count;
            let sum: f64 = (0..all).map(|bits| evidence(bits.count_ones() as usize, count)).sum();
            assert!((sum / f64::from(all) - 1.0).abs() < 1e-9, "{count}");
        }
    }

    #[test]
    fn evidence_of_many_rows() {
        let of = |evidence: &[f64]| rejected_by_evidence(evidence, 0.05);
        assert_eq!(of(&[20.0]), [true]);
        assert_eq!(of(&[39.0, 1.0]), [false, false]);
        assert_eq!(of(&[40.0, 1.0, 41.0, 0.1]), [true, false, true, false]);
        assert_eq!(of(&[]), [] as [bool; 0]);
    }

    #[test]
    fn the_fewest_blocks_that_can_say_anything() {
        assert_eq!([fewest_blocks(1, 0.01), fewest_blocks(80, 0.01)], [7, 13]);
        assert_eq!(blocks_for(100, 0.02, 0.01), 400);
    }

    proptest! {
        #[test]
        fn swapping_the_sides_turns_the_verdict(
            blocks in proptest::collection::vec((1..6u32, -0.2..0.2f64), 0..60),
        ) {
            let mut blocks = blocks;
            blocks.sort_by_key(|block| block.0);
            let turned: Vec<_> = blocks.iter().map(|&(launch, log)| (launch, -log)).collect();
            let (one, other) = (test(&blocks, 0.03), test(&turned, 0.03));
            if let (Some(one), Some(other)) = (one, other) {
                prop_assert!((one.worse - other.better).abs() < 1e-9);
                prop_assert!((one.ratio * other.ratio - 1.0).abs() < 1e-9);
            }
        }

        #[test]
        fn a_wider_margin_never_makes_it_worse(
            blocks in proptest::collection::vec(-0.2..0.2f64, 1..60), margin in 0.0..0.1f64,
        ) {
            let blocks: Vec<_> = blocks.into_iter().map(|log| (1, log)).collect();
            let (narrow, wide) = (test(&blocks, margin).unwrap(), test(&blocks, 0.12).unwrap());
            prop_assert!(wide.worse >= narrow.worse && wide.fine <= narrow.fine);
        }

        #[test]
        fn adjusting_never_makes_smaller_and_keeps_the_order(
            p in proptest::collection::vec(0.0..1.0f64, 0..40),
        ) {
            let adjusted = adjust(&p);
            for (i, &one) in p.iter().enumerate() {
                prop_assert!(adjusted[i] >= one && adjusted[i] <= 1.0);
                for (j, &other) in p.iter().enumerate() {
                    prop_assert!(one > other || adjusted[i] <= adjusted[j]);
                }
            }
        }
    }
}
