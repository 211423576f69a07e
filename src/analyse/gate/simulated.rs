//! The tests of a gate on data that is known to hold no difference: how often they cry wolf, and
//! that the classical rules would cry more often on the same data.
//!
//! Each trial draws the latencies of a run of blocks, each block with its coin (ABBA or BAAB), and
//! gives both labels to the same operation. Generators and limits: METHODOLOGY.md.

use super::super::estimate::{hodges_lehmann, median, signed_rank_p};
use super::*;
use crate::model::order::Rng;

/// Trials of each generator.
const TRIALS: u64 = 2_000;

/// The 99.9 % quantile of the binomial distribution of 2,000 trials at 5 %: more is no accident.
const MOST: usize = 131;

/// Rounds of a block: each has both labels twice.
const ROUNDS: usize = 4;

/// What latencies look like.
#[derive(Clone, Copy, Debug)]
enum Kind {
    /// Log-normal, and no more.
    Plain,
    /// One in twenty is from a Pareto tail.
    HeavyTail,
    /// Each is like the one before it (AR(1)).
    Correlated(f64),
    /// They grow by 30 % over the run.
    Drift,
    /// They are a fifth longer from the middle on.
    Step,
    /// One in five belongs to a second mode.
    Bimodal,
    /// The clock ticks in microseconds.
    Ties,
    /// The first of each pair takes 3 % longer.
    Position,
}

const KINDS: [Kind; 9] = [
    Kind::Plain,
    Kind::HeavyTail,
    Kind::Correlated(0.9),
    Kind::Correlated(0.99),
    Kind::Drift,
    Kind::Step,
    Kind::Bimodal,
    Kind::Ties,
    Kind::Position,
];

/// A stream of latencies in microseconds.
struct Stream {
    kind: Kind,
    rng: Rng,
    state: f64,
    drawn: usize,
    all: usize,
}

impl Stream {
    fn new(kind: Kind, trial: u64, all: usize) -> Stream {
        let mut rng = Rng::new(trial, &[kind_number(kind), all as u64]);
        let state = normal(&mut rng);
        Stream { kind, rng, state, drawn: 0, all }
    }

    /// The next; `place` is that in its pair.
    fn next(&mut self, place: usize) -> f64 {
        let part = self.drawn as f64 / self.all as f64;
        self.drawn += 1;
        let mut log = 0.1 * normal(&mut self.rng);
        match self.kind {
            Kind::HeavyTail if self.rng.below(20) == 0 => {
                log += -uniform(&mut self.rng).ln() / 1.2;
            }
            Kind::Correlated(rho) => {
                let fresh = (1.0 - rho * rho).sqrt() * normal(&mut self.rng);
                self.state = rho * self.state + fresh;
                log = 0.1 * self.state;
            }
            Kind::Drift => log += (1.0 + 0.3 * part).ln(),
            Kind::Step if part >= 0.5 => log += 1.2_f64.ln(),
            Kind::Bimodal if self.rng.below(5) == 0 => log += 0.7,
            Kind::Position if place == 0 => log += 1.03_f64.ln(),
            _ => {}
        }
        let length = 30.0 * log.exp();
        if matches!(self.kind, Kind::Ties) { length.round() } else { length }
    }
}

fn kind_number(kind: Kind) -> u64 {
    match kind {
        Kind::Correlated(rho) => (rho * 100.0) as u64,
        Kind::Plain => 1,
        Kind::HeavyTail => 2,
        Kind::Drift => 3,
        Kind::Step => 4,
        Kind::Bimodal => 5,
        Kind::Ties => 6,
        Kind::Position => 7,
    }
}

/// From 0, exclusive, to 1.
fn uniform(rng: &mut Rng) -> f64 {
    1.0 - rng.below(1 << 53) as f64 / (1_u64 << 53) as f64
}

fn normal(rng: &mut Rng) -> f64 {
    (-2.0 * uniform(rng).ln()).sqrt() * (std::f64::consts::TAU * uniform(rng)).cos()
}

/// The log ratios of so many blocks in which both labels stand for one operation, of which the
/// second takes `factor` times as long.
fn run(kind: Kind, trial: u64, blocks: usize, factor: f64) -> Vec<(u32, f64)> {
    let mut coins = Rng::new(trial, &[99]);
    let mut stream = Stream::new(kind, trial, blocks * ROUNDS * 4);
    (0..blocks)
        .map(|_| {
            let turned = coins.below(2) == 1;
            let mut sides = [Vec::new(), Vec::new()];
            for _ in 0..ROUNDS {
                for (place, side) in [0, 1, 1, 0].into_iter().enumerate() {
                    let side = side ^ usize::from(turned);
                    let length = stream.next(place % 2);
                    sides[side].push(if side == 1 { length * factor } else { length });
                }
            }
            let [base, candidate] = sides.map(|side| median(&side).expect("it is not empty").ln());
            (1, candidate - base)
        })
        .collect()
}

fn logs(differences: &[(u32, f64)]) -> Vec<f64> {
    differences.iter().map(|&(_, difference)| difference).collect()
}

fn share(rejected: usize) -> f64 {
    rejected as f64 / TRIALS as f64
}

#[test]
fn no_difference_is_found_as_seldom_as_promised() {
    for kind in KINDS {
        for blocks in [12, 20, 30] {
            let (mut two_sided, mut regressed) = (0, 0);
            for trial in 0..TRIALS {
                let differences = run(kind, trial, blocks, 1.0);
                two_sided += usize::from(signed_rank_p(&logs(&differences)) <= 0.05);
                let tested = test(&differences, 0.0).expect("there are blocks");
                regressed += usize::from(tested.worse <= 0.05);
            }
            assert!(two_sided <= MOST, "{kind:?}, {blocks} blocks: {two_sided} of {TRIALS}");
            assert!(regressed <= MOST, "{kind:?}, {blocks} blocks: {regressed} of {TRIALS}");
        }
    }
}

#[test]
fn beyond_the_margin_there_is_next_to_nothing_and_what_is_there_is_found() {
    for kind in [Kind::Plain, Kind::HeavyTail, Kind::Drift, Kind::Step, Kind::Position] {
        let mut wolves = 0;
        let mut found = 0;
        for trial in 0..400 {
            let of = |factor| {
                let tested = test(&run(kind, trial, 60, factor), 0.03).expect("there are blocks");
                verdicts(&[tested], 0.01)[0]
            };
            wolves += usize::from(of(1.0) == Verdict::Regressed);
            found += usize::from(of(1.10) == Verdict::Regressed);
        }
        assert!(wolves <= 1 && found >= 380, "{kind:?}: {wolves} false, {found} of 400 found");
    }
}

/// All of A, then all of B, by Welch's t: what most tools do.
fn sequential_welch(kind: Kind, trial: u64, count: usize) -> bool {
    let mut stream = Stream::new(kind, trial, 2 * count);
    let sides = [(); 2].map(|()| (0..count).map(|_| stream.next(1)).collect::<Vec<f64>>());
    let parts = sides.map(|side| {
        let mean = side.iter().sum::<f64>() / count as f64;
        let squares: f64 = side.iter().map(|length| (length - mean).powi(2)).sum();
        (mean, squares / (count as f64 - 1.0) / count as f64)
    });
    let [(base, base_error), (candidate, candidate_error)] = parts;
    ((candidate - base) / (base_error + candidate_error).sqrt()).abs() > 1.96
}

/// A, then B, in every round, by the t of the differences.
fn fixed_order(kind: Kind, trial: u64, count: usize) -> bool {
    let mut stream = Stream::new(kind, trial, 2 * count);
    let pairs: Vec<f64> = (0..count).map(|_| stream.next(0).ln() - stream.next(1).ln()).collect();
    signed_rank_p(&pairs) <= 0.05
}

/// A look after every five blocks, until one shows a difference.
fn peeking(kind: Kind, trial: u64, blocks: usize) -> bool {
    let differences = logs(&run(kind, trial, blocks, 1.0));
    (10..=blocks).step_by(5).any(|seen| signed_rank_p(&differences[..seen]) <= 0.05)
}

#[test]
fn the_rules_that_others_use_cry_wolf_on_the_same_data() {
    let count = |rule: &dyn Fn(u64) -> bool| (0..TRIALS).filter(|&trial| rule(trial)).count();
    let welch = count(&|trial| sequential_welch(Kind::Correlated(0.9), trial, 200));
    assert!(share(welch) > 0.15, "sequential Welch: {welch} of {TRIALS}");
    let peeked = count(&|trial| peeking(Kind::Plain, trial, 100));
    assert!(share(peeked) > 0.12, "peeking: {peeked} of {TRIALS}");
    let fixed = count(&|trial| fixed_order(Kind::Position, trial, 200));
    assert!(share(fixed) > 0.50, "fixed order: {fixed} of {TRIALS}");
}

/// Evidence may be looked at after every block.
#[test]
fn evidence_keeps_its_promise_whenever_one_looks() {
    for kind in KINDS {
        let rejected = (0..TRIALS)
            .filter(|&trial| {
                let mut above = 0;
                logs(&run(kind, trial, 100, 1.0)).into_iter().zip(1..).any(|(log, count)| {
                    above += usize::from(log > 0.0);
                    evidence(above, count) >= 20.0
                })
            })
            .count();
        assert!(rejected <= MOST, "{kind:?}: {rejected} of {TRIALS}");
    }
}

/// Of 40 rows some are 8 % slower: of those that are called worse, few may be the others.
#[test]
fn the_false_discovery_rate_is_held() {
    const ROWS: usize = 40;
    const REPETITIONS: u64 = 200;
    for slower in [0, 4, 20] {
        let shares: Vec<f64> = (0..REPETITIONS)
            .map(|repetition| {
                let rows: Vec<Tested> = (0..ROWS)
                    .map(|row| {
                        let factor = if row < slower { 1.08 } else { 1.0 };
                        let trial = repetition * ROWS as u64 + row as u64;
                        test(&run(Kind::Plain, trial, 20, factor), 0.0).expect("blocks")
                    })
                    .collect();
                let found = verdicts(&rows, 0.05);
                let worse = |rows: &[Verdict]| {
                    rows.iter().filter(|verdict| **verdict == Verdict::Regressed).count()
                };
                worse(&found[slower..]) as f64 / worse(&found).max(1) as f64
            })
            .collect();
        let mean = shares.iter().sum::<f64>() / REPETITIONS as f64;
        let squares: f64 = shares.iter().map(|share| (share - mean).powi(2)).sum();
        let error = (squares / (REPETITIONS - 1) as f64 / REPETITIONS as f64).sqrt();
        assert!(mean <= 0.05 + 3.0 * error, "{slower} slower: {mean} +- {error}");
    }
}

#[test]
fn the_estimate_is_where_the_truth_is() {
    let estimates: Vec<f64> = (0..200)
        .map(|trial| logs(&run(Kind::HeavyTail, trial, 60, 1.05)))
        .map(|logs| hodges_lehmann(&logs).expect("blocks").exp())
        .collect();
    let centre = median(&estimates).expect("trials");
    assert!((centre - 1.05).abs() < 0.003, "{centre}");
}
