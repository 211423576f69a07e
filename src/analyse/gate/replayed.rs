//! A gate on recorded latencies of real forks and spawns, labelled at random: how often it cries
//! wolf, how often it finds what is there, and what simpler rules say of the same data.
//!
//! Every sample of a stream is the same operation (tests/data/streams). A trial cuts blocks out of
//! it, throws a coin for each (ABBA or BAAB), gives one side a factor, and hands both to what `check`
//! judges a run by.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs::File;
use std::io::Read;

use super::Verdict;
use crate::analyse::cells::Cells;
use crate::analyse::estimate::{median, t_p};
use crate::analyse::judgement::{Judged, Judgement};
use crate::analyse::values::Values;
use crate::model::gate::{CHECK, Comparison, Gate, usual_margins};
use crate::model::interval::Interval;
use crate::model::order::Rng;
use crate::model::row::Role;
use crate::record::fixture;

/// Samples of a launch in the files that hold launches.
const LAUNCH: usize = 1_000;

/// How a trial takes its sides from a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Design {
    /// Both take turns within each launch: a launch is so many samples one after another.
    Turns {
        launches: usize,
        blocks: usize,
        /// Samples of a side in a block.
        side: usize,
    },
    /// Each has launches of its own: neighbours are a pair, a coin says which is which.
    Pairs { pairs: usize },
}

/// 10 launches of 10 blocks, as a default check has at least.
const TURNS: Design = Design::Turns { launches: 10, blocks: 10, side: 100 };
/// The same of recorded launches, of which each has samples for half as many.
const SHORT: Design = Design::Turns { launches: 10, blocks: 10, side: 50 };
/// More parents and the same number of blocks.
const MANY: Design = Design::Turns { launches: 20, blocks: 5, side: 100 };

/// The recordings of single launches, and those of many.
const STREAMS: [&str; 4] = ["fork-quiet", "fork-loaded", "posix_spawn-quiet", "posix_spawn-loaded"];
const LAUNCHES: [&str; 4] = [
    "launches-fork-quiet",
    "launches-fork-loaded",
    "launches-posix_spawn-quiet",
    "launches-posix_spawn-loaded",
];

fn stream(name: &str) -> Vec<u32> {
    let path = format!("{}/tests/data/streams/{name}.u32.xz", env!("CARGO_MANIFEST_DIR"));
    let mut bytes = Vec::new();
    let packed = File::open(&path).expect(&path);
    lzma_rust2::XzReader::new(packed, true).read_to_end(&mut bytes).expect(&path);
    bytes.as_chunks::<4>().0.iter().map(|&four| u32::from_le_bytes(four)).collect()
}

/// The values of base and candidate, by launch and block.
type Sides = [BTreeMap<(u32, u32), Values>; 2];

fn sides(stream: &[u32], design: Design, rng: &mut Rng, factor: f64) -> Sides {
    let mut sides = Sides::default();
    // The samples of a block, of which the one at each place is that side's.
    let mut add = |key: (u32, u32), samples: &[u32], side_at: &dyn Fn(usize) -> usize| {
        let mut of = [Values::new(), Values::new()];
        for (place, &ns) in samples.iter().enumerate() {
            match side_at(place) {
                1 => of[1].push((f64::from(ns) * factor).round() as u64),
                side => of[side].push(u64::from(ns)),
            }
        }
        for (side, values) in sides.iter_mut().zip(of) {
            if !values.is_empty() {
                side.insert(key, values);
            }
        }
    };
    match design {
        Design::Turns { launches, blocks, side } => {
            let length = blocks * side * 2;
            let is_whole = stream.len() == 200 * LAUNCH;
            let window = if is_whole { LAUNCH } else { length };
            let mut windows: Vec<&[u32]> = stream.chunks_exact(window).collect();
            rng.shuffle(&mut windows);
            for (launch, window) in (1..).zip(&windows[..launches]) {
                for (block, samples) in (1..).zip(window[..length].chunks_exact(side * 2)) {
                    let turned = rng.below(2) as usize;
                    add((launch, block), samples, &|place| [0, 1, 1, 0][place % 4] ^ turned);
                }
            }
        }
        Design::Pairs { pairs } => {
            let all: Vec<&[u32]> = stream.chunks_exact(LAUNCH).collect();
            let first = rng.below((all.len() - 2 * pairs + 1) as u64) as usize;
            for (launch, pair) in (1..).zip(all[first..][..2 * pairs].chunks_exact(2)) {
                let turned = rng.below(2) as usize;
                for (place, samples) in pair.iter().enumerate() {
                    for (block, samples) in (0..).zip(samples.chunks_exact(LAUNCH / 5)) {
                        add((launch, 5 * place as u32 + block), samples, &|_| place ^ turned);
                    }
                }
            }
        }
    }
    sides
}

/// What `check` finds in one trial: the median, and p95.
fn judged(stream: &[u32], design: Design, seed: u64, factor: f64) -> [Judged; 2] {
    let sides = sides(stream, design, &mut Rng::new(seed, &[]), factor);
    let variants = vec![
        fixture::variant(0, Role::Subject, "empty", "fork"),
        fixture::variant(1, Role::Subject, "empty", "fork"),
    ];
    let gate = Gate {
        alpha: CHECK,
        fail_fast: false,
        margins: usual_margins(&[Interval::Reaped]),
        left_out: Vec::new(),
        comparisons: vec![Comparison {
            name: "fork".to_owned(),
            base: 0,
            cand: 1,
            second_base: None,
            twin: None,
        }],
    };
    let cells = Cells::of_values(variants, Interval::Reaped, sides.into());
    let rows = Judgement::of(&cells, &gate, None).rows;
    rows.try_into().expect("the gate asks for two quantiles")
}

/// How often the trials of one kind came to what, and how far off their estimates were.
#[derive(Default)]
struct Tally {
    trials: usize,
    regressed: [usize; 2],
    fine: [usize; 2],
    improved: [usize; 2],
    /// Medians off the truth by more than a point.
    far_off: usize,
    /// Medians estimated above the truth.
    above: usize,
}

impl Tally {
    fn of(stream: &[u32], design: Design, seeds: std::ops::Range<u64>, factor: f64) -> Tally {
        let mut tally = Tally::default();
        for seed in seeds {
            tally.trials += 1;
            let rows = judged(stream, design, seed, factor);
            for (place, row) in rows.iter().enumerate() {
                let is = |verdict| usize::from(row.verdict == verdict);
                tally.regressed[place] += is(Verdict::Regressed);
                tally.fine[place] += is(Verdict::Fine);
                tally.improved[place] += is(Verdict::Improved);
            }
            let ratio = rows[0].figures.as_ref().expect("there are blocks").ratio;
            tally.far_off += usize::from((ratio - factor).abs() > 0.01);
            tally.above += usize::from(ratio > factor);
        }
        tally
    }

    fn percent(&self, count: usize) -> f64 {
        100.0 * count as f64 / self.trials as f64
    }
}

/// Trials of each recording and design in every run of the tests; [`the_whole_table`] has more.
const FEW: u64 = 40;

#[test]
fn nothing_is_called_worse_and_what_is_the_same_is_called_so() {
    let mut trials = 0;
    for (names, design) in [(STREAMS, TURNS), (LAUNCHES, SHORT)] {
        for name in names {
            let tally = Tally::of(&stream(name), design, 0..FEW, 1.0);
            trials += tally.trials;
            let [regressed, fine] = [tally.regressed, tally.fine];
            // At 1 % two of 40 would be an accident of 1 in 16.
            assert!(regressed.iter().all(|&count| count <= 1), "{name}: {regressed:?} REGRESSED");
            assert!(tally.percent(fine[0]) >= 95.0, "{name}: {fine:?} OK");
            assert!(tally.far_off == 0, "{name}: {} are off by a point", tally.far_off);
            // 40 fair coins lie outside 8 to 32 once in 10,000.
            assert!((8..=32).contains(&tally.above), "{name}: {} above 1", tally.above);
            // What little each recorded launch has is too little for p95 on a loaded machine.
            if design == TURNS || name.ends_with("quiet") {
                assert!(tally.percent(fine[1]) >= 90.0, "{name}: {fine:?} OK");
            }
        }
    }
    assert_eq!(trials, 320);
}

#[test]
fn five_percent_are_found_in_either_direction() {
    for (names, design) in [(STREAMS, TURNS), (LAUNCHES, MANY)] {
        for name in names {
            let stream = stream(name);
            let slower = Tally::of(&stream, design, 0..FEW / 2, 1.05);
            let faster = Tally::of(&stream, design, 0..FEW / 2, 1.0 / 1.05);
            let [up, down] = [slower.regressed[0], faster.improved[0]];
            // Of 20 at 95 %, fewer than 17 are an accident of 1 in 60.
            assert!(up >= 17 && down >= 17, "{name}: {up} slower, {down} faster of {}", FEW / 2);
            assert!(slower.far_off == 0, "{name}: {} are off by a point", slower.far_off);
        }
    }
}

#[test]
fn pairs_of_launches_cry_no_wolf_either() {
    for name in LAUNCHES {
        let stream = stream(name);
        let tally = Tally::of(&stream, Design::Pairs { pairs: 20 }, 0..FEW / 2, 1.0);
        assert!(tally.regressed.iter().all(|&count| count <= 1), "{name}: {:?}", tally.regressed);
        let tally = Tally::of(&stream, Design::Pairs { pairs: 60 }, 0..5, 1.2);
        assert!(tally.percent(tally.regressed[0]) >= 90.0, "{name}: {:?}", tally.regressed);
    }
}

/// All of A, then all of B, by Welch's t: a difference of the means at 5 %.
fn sequential_welch(stream: &[u32], rng: &mut Rng) -> bool {
    let count = 1_000;
    let first = rng.below((stream.len() - 2 * count + 1) as u64) as usize;
    let parts = [0, count].map(|offset| {
        let side = &stream[first + offset..][..count];
        let mean = side.iter().map(|&ns| f64::from(ns)).sum::<f64>() / count as f64;
        let squares: f64 = side.iter().map(|&ns| (f64::from(ns) - mean).powi(2)).sum();
        (mean, squares / (count as f64 - 1.0) / count as f64)
    });
    let [(base, base_error), (candidate, candidate_error)] = parts;
    ((candidate - base) / (base_error + candidate_error).sqrt()).abs() > 1.96
}

/// Ten launches of A, then ten of B, by the t of their medians at 5 %: the unit is right, the order
/// is not. Takes the logs of the medians.
fn launches_in_a_row(medians: &[f64], rng: &mut Rng) -> bool {
    let first = rng.below((medians.len() - 19) as u64) as usize;
    let (one, other) = medians[first..][..20].split_at(10);
    let pairs: Vec<f64> = one.iter().zip(other).map(|(a, b)| b - a).collect();
    t_p(&pairs).expect("ten of each") <= 0.05
}

fn medians(stream: &[u32]) -> Vec<f64> {
    let launches = stream.chunks_exact(LAUNCH);
    let floats = |launch: &[u32]| launch.iter().map(|&ns| f64::from(ns)).collect::<Vec<f64>>();
    launches.map(|launch| median(&floats(launch)).expect("a launch has samples").ln()).collect()
}

#[test]
fn other_rules_cry_wolf_on_the_same_recordings() {
    let share = |rule: &dyn Fn(&mut Rng) -> bool| {
        (0..400).filter(|&seed| rule(&mut Rng::new(seed, &[]))).count() as f64 / 400.0
    };
    let welch = STREAMS.map(|name| {
        let stream = stream(name);
        share(&|rng: &mut Rng| sequential_welch(&stream, rng))
    });
    assert!(welch.iter().all(|&share| share > 0.15), "sequential Welch: {welch:?}");
    let in_a_row = LAUNCHES.map(|name| {
        let medians = medians(&stream(name));
        share(&|rng: &mut Rng| launches_in_a_row(&medians, rng))
    });
    assert!(in_a_row.iter().all(|&share| share > 0.08), "launches in a row: {in_a_row:?}");
}

/// The table of METHODOLOGY.md: 1,000 trials of each.
#[test]
#[ignore = "takes minutes; prints the table of METHODOLOGY.md"]
fn the_whole_table() {
    let rows: Vec<(&str, Design)> = STREAMS
        .iter()
        .flat_map(|&name| [TURNS, MANY].map(|design| (name, design)))
        .chain(LAUNCHES.iter().flat_map(|&name| {
            [SHORT, MANY, Design::Pairs { pairs: 20 }, Design::Pairs { pairs: 60 }]
                .map(|design| (name, design))
        }))
        .collect();
    let row = |&(name, design): &(&str, Design)| {
        let stream = stream(name);
        let of = |factor| Tally::of(&stream, design, 0..1_000, factor);
        let (same, slower, faster) = (of(1.0), of(1.05), of(1.0 / 1.05));
        let (much, tail) = (of(1.1), of(1.2));
        let design = match design {
            Design::Turns { launches, blocks, side } => format!("{launches} x {blocks} x {side}"),
            Design::Pairs { pairs } => format!("{pairs} pairs"),
        };
        format!(
            "| {name} | {design} | {:.1}, {:.1} | {:.1}, {:.1} | {:.1} | {:.1} | {:.1} | {:.1} | \
             {:.1} | {:.0} |",
            same.percent(same.regressed[0]),
            same.percent(same.regressed[1]),
            same.percent(same.fine[0]),
            same.percent(same.fine[1]),
            slower.percent(slower.regressed[0]),
            faster.percent(faster.improved[0]),
            much.percent(much.regressed[0]),
            tail.percent(tail.regressed[1]),
            slower.percent(slower.far_off),
            same.percent(same.above),
        )
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let next = std::sync::atomic::AtomicUsize::new(0);
    let done = std::sync::Mutex::new(BTreeMap::new());
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let place = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    let Some(one) = rows.get(place) else { break };
                    let row = row(one);
                    done.lock().expect("no thread panics").insert(place, row);
                }
            });
        }
    });
    let mut table = "| recording | launches x blocks x side | REGRESSED p50, p95 | OK p50, p95 | \
                     +5 % | -5 % | +10 % | p95 +20 % | off by 1 point | above 1 |\n"
        .to_owned();
    table.push_str("|---|---|---|---|---|---|---|---|---|---|\n");
    for row in done.into_inner().expect("no thread panics").values() {
        writeln!(table, "{row}").expect("a string takes everything");
    }
    println!("{table}");
}
