//! What a gate finds: each row of a check judged, from the cells of its run and the gate alone.
//!
//! A row is one quantity of one comparison. Times go through the tests of [`super::gate`]; counts
//! are nearly exact and have a rule of their own. Puts nothing into words but why a row could not
//! be judged.

use std::collections::BTreeMap;

use super::cells::Cells;
use super::contrasts::{Reason, Unit, differences};
use super::estimate::{detectable, signed_rank_needs};
use super::gate::{self, Decided, Tested, Verdict};
use super::summary::mode;
use crate::model::gate::{Comparison, FEWEST, Gate, Margin};
use crate::model::quantity::Quantity;
use crate::model::row::BlockKind;
use crate::model::waiver::Waivers;

/// What a gate finds in a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Judgement {
    /// The level of each test.
    pub alpha: f64,
    /// Every row that can fail the build, in the order of the gate: for each comparison its
    /// quantities, against the base and then against the second base.
    pub rows: Vec<Judged>,
    /// The A/A check: each twin against its base.
    pub twins: Vec<Judged>,
}

/// One row.
#[derive(Clone, Debug, PartialEq)]
pub struct Judged {
    /// What its sides have in common.
    pub name: String,
    /// The label of the side that it is held against.
    pub base: String,
    /// The label of the side that is judged.
    pub cand: String,
    /// What of them.
    pub quantity: Quantity,
    /// How much worse it may be: 0.03.
    pub margin: f64,
    /// The quantity of the base, over all its samples; in nanoseconds, or as it is counted.
    pub base_value: Option<f64>,
    /// The quantity of the candidate.
    pub cand_value: Option<f64>,
    /// How the two compare; none where nothing pairs them.
    pub figures: Option<Figures>,
    /// What is found.
    pub verdict: Verdict,
    /// Why it is found, where the figures alone do not say so; empty where they do.
    pub why: String,
    /// How many blocks, or pairs, more would decide it if all stays as it is; none where it is
    /// decided, or where no number would.
    pub needed: Option<usize>,
}

/// How two sides compare.
#[derive(Clone, Debug, PartialEq)]
pub struct Figures {
    /// Candidate / base.
    pub ratio: f64,
    /// Lower end of its interval; none where so few blocks bound nothing.
    pub low: Option<f64>,
    /// Upper end.
    pub high: Option<f64>,
    /// The confidence of the interval: 1 - 2 alpha, so that what lies wholly below the margin is
    /// OK.
    pub confidence: f64,
    /// What was counted as one observation.
    pub unit: Unit,
    /// How many there are.
    pub units: usize,
    /// The launches that they came from.
    pub launches: usize,
    /// p that it is worse than the margin, corrected for its family.
    pub worse_q: f64,
    /// p that it is not, uncorrected: nobody is failed by it.
    pub fine_p: f64,
    /// p that it is better by more than the margin, corrected for its own family.
    pub better_q: f64,
    /// The smallest slowdown, as a ratio, that would be found worse in four of five such runs.
    pub detects: Option<f64>,
}

impl Judgement {
    /// Judges a run by its gate. `tails_disturbed` says why quantiles above the median cannot be
    /// relied on, if they cannot.
    pub fn of(cells: &Cells, gate: &Gate, tails_disturbed: Option<&str>) -> Judgement {
        Judgement::sparing(cells, gate, tails_disturbed, &Waivers::none())
    }

    /// The same, where waivers let rows pass. Such a row cannot fail the build: it is judged by
    /// itself, and the others are not corrected for it.
    pub fn sparing(
        cells: &Cells,
        gate: &Gate,
        tails_disturbed: Option<&str>,
        waivers: &Waivers,
    ) -> Judgement {
        let rows = gate.comparisons.iter().flat_map(|comparison| {
            let others = [Some(comparison.base), comparison.second_base];
            others.into_iter().flatten().flat_map(move |base| {
                gate.margins.iter().map(move |margin| {
                    Open::of(cells, gate, comparison, margin, base, comparison.cand)
                })
            })
        });
        let mut rows: Vec<Judged> = decide_sparing(rows.collect(), gate, waivers);
        let twins = gate.comparisons.iter().filter_map(|comparison| {
            let twin = comparison.twin?;
            Some(gate.margins.iter().map(move |margin| {
                Open::of(cells, gate, comparison, margin, comparison.base, twin)
            }))
        });
        let twins = decide(twins.flatten().collect(), gate);
        let differs =
            |twin: &Judged| matches!(twin.verdict, Verdict::Regressed | Verdict::Improved);
        if let Some(twin) = twins.iter().find(|twin| differs(twin)) {
            let why = format!(
                "the A/A twin of {} differs from it in {}: nothing here is to be trusted",
                twin.base, twin.quantity
            );
            for row in &mut rows {
                row.doubt(&why);
            }
        }
        if let Some(why) = tails_disturbed {
            for row in rows.iter_mut().filter(|row| row.quantity.is_tail()) {
                row.doubt(why);
            }
        }
        Judgement { alpha: gate.alpha, rows, twins }
    }

    /// The half-width of the widest interval as a share of its margin: at 1 / 3 nearly everything
    /// is decided that can be. None while one is not to be had.
    pub fn widest(&self) -> Option<f64> {
        let mut widest: f64 = 0.0;
        let timed = self.rows.iter().filter(|row| !matches!(row.quantity, Quantity::Count { .. }));
        for row in timed {
            let figures = row.figures.as_ref()?;
            let half_width = (figures.high?.ln() - figures.low?.ln()) / 2.0;
            widest = widest.max(half_width / (1.0 + row.margin).ln());
        }
        Some(widest)
    }
}

/// What the label of a second base ends with.
pub const SECOND_BASE: &str = "second-base";

impl Judged {
    /// A row of which nothing is known yet.
    pub(super) fn new(name: String, base: String, cand: String, margin: Margin) -> Judged {
        Judged {
            name,
            base,
            cand,
            quantity: margin.of,
            margin: margin.share,
            base_value: None,
            cand_value: None,
            figures: None,
            verdict: Verdict::NotComparable,
            why: String::new(),
            needed: None,
        }
    }

    /// Takes on what was decided of it in its company.
    pub(super) fn settle(&mut self, decided: Decided) {
        self.verdict = decided.verdict;
        if let Some(figures) = &mut self.figures {
            (figures.worse_q, figures.better_q) = (decided.worse_q, decided.better_q);
        }
    }

    /// What it is called, as a waiver names it: `posix_spawn blocked.p50`. Against a second base
    /// that is told too.
    pub fn called(&self) -> String {
        let against = if self.base.ends_with(SECOND_BASE) { " vs second-base" } else { "" };
        format!("{} {}{against}", self.name, self.quantity)
    }

    /// Takes a verdict back that cannot be trusted.
    pub fn doubt(&mut self, why: &str) {
        if self.verdict != Verdict::NotComparable {
            self.verdict = Verdict::Inconclusive;
            self.why = why.to_owned();
            self.needed = None;
        }
    }
}

/// The share of the time of blocks that may be stolen before p95 tells of the hypervisor: what is
/// stolen lengthens few samples by much, and these are the tail.
const STOLEN: f64 = 0.02;

/// A tick of the kernel's statistics, in nanoseconds: USER_HZ is 100 everywhere.
const TICK_NS: f64 = 1e7;

/// Why quantiles above the median of a run cannot be relied on: the processors were not there for
/// part of the time. None if they were. `environment` is the content of `environment.toml`.
pub fn tails_disturbed(cells: &Cells, environment: &toml::Table) -> Option<String> {
    let timed = cells.blocks.iter().filter(|block| block.kind == BlockKind::Time);
    let (mut stolen, mut wall) = (0.0, 0.0);
    for block in timed {
        stolen += block.steal_ticks.unwrap_or(0) as f64 * TICK_NS;
        wall += block.wall_ns as f64;
    }
    if wall > 0.0 && stolen / wall > STOLEN {
        return Some(format!(
            "the hypervisor took {:.1} % of the time away (steal), and that is what tails tell",
            100.0 * stolen / wall
        ));
    }
    let delta = environment.get("noise").and_then(|noise| noise.get("delta"));
    let throttled = delta.and_then(|delta| delta.get("throttled_us")?.as_integer()).unwrap_or(0);
    (throttled > 0).then(|| {
        format!(
            "the cgroup was throttled for {:.1} ms (cpu.max), and that is what tails tell",
            throttled as f64 / 1e3
        )
    })
}

/// A row that is not decided yet: what it is corrected for is known only when all are there.
struct Open {
    row: Judged,
    tested: Option<Tested>,
    /// Evidence that it is worse, where a run may stop on that.
    evidence: f64,
}

impl Open {
    fn of(
        cells: &Cells,
        gate: &Gate,
        comparison: &Comparison,
        margin: &Margin,
        base: u32,
        cand: u32,
    ) -> Open {
        let place = |number: u32| cells.variants.iter().position(|row| row.variant == number);
        let label = |place: Option<usize>| {
            place.map_or("unknown".to_owned(), |place| cells.variants[place].label.clone())
        };
        let (base, cand) = (place(base), place(cand));
        let mut open = Open {
            row: Judged::new(comparison.name.clone(), label(base), label(cand), margin.clone()),
            tested: None,
            evidence: 0.0,
        };
        match base.zip(cand) {
            Some((base, cand)) => match &margin.of {
                Quantity::Count { .. } => open.count(cells, base, cand),
                _ => open.time(cells, gate, base, cand),
            },
            None => open.row.why = "the run has no such variant".to_owned(),
        }
        open
    }

    fn time(&mut self, cells: &Cells, gate: &Gate, base: usize, cand: usize) {
        let row = &mut self.row;
        let share = row.quantity.percentile().map_or(0.5, |percentile| percentile.share());
        let cell = |place| cells.cell_of(place, &row.quantity).filter(|cell| cell.count() > 0);
        let (base_cell, cand_cell) = match (cell(base), cell(cand)) {
            (Some(base), Some(cand)) => (base, cand),
            (found, _) => {
                let missing = if found.is_none() { &row.base } else { &row.cand };
                row.why = format!("{missing} has no sample of it: see events.csv");
                return;
            }
        };
        row.base_value = base_cell.quantile(share);
        row.cand_value = cand_cell.quantile(share);
        let (unit, logs) = match differences(cand_cell, base_cell, share) {
            Ok(differences) => differences,
            Err(reason) => {
                row.verdict = Verdict::Inconclusive;
                row.why = match reason {
                    Reason::TooFewSamples { needed, count } => format!(
                        "this quantile takes {needed} samples of each side in a launch, and there \
                         are {count}: give it more time (--time), or leave it out"
                    ),
                    Reason::NotInOneBlock => {
                        row.verdict = Verdict::NotComparable;
                        "nothing pairs the two: they share no launch".to_owned()
                    }
                    Reason::ZeroTime => {
                        "a quantile is 0 ns: below the resolution of the clock".to_owned()
                    }
                };
                return;
            }
        };
        let Some(tested) = gate::test(&logs, row.margin) else { return };
        let confidence = 1.0 - 2.0 * gate.alpha;
        let bounds = gate::bounds(&logs, confidence);
        let bound = (1.0 + row.margin).ln();
        let mut launches: Vec<u32> = logs.iter().map(|(launch, _)| *launch).collect();
        launches.dedup();
        row.figures = Some(Figures {
            ratio: tested.ratio,
            low: bounds.map(|(low, _)| low.exp()),
            high: bounds.map(|(_, high)| high.exp()),
            confidence,
            unit,
            units: logs.len(),
            launches: launches.len(),
            worse_q: tested.worse,
            fine_p: tested.fine,
            better_q: tested.better,
            detects: bounds
                .map(|(low, high)| (bound + detectable((high - low) / 2.0, confidence)).exp()),
        });
        row.verdict = Verdict::Inconclusive;
        if logs.len() < FEWEST {
            let what = if unit == Unit::LaunchPair { "launch pairs" } else { "blocks" };
            row.why = format!("it takes {FEWEST} {what}, and there are {}", logs.len());
            row.needed = Some(FEWEST - logs.len());
            return;
        }
        let above = logs.iter().filter(|(_, log)| *log > bound).count();
        self.evidence = gate::evidence(above, logs.len());
        self.tested = Some(tested);
    }

    /// Counts are nearly exact: worse is what most spawns count more of in every launch, by one
    /// at least and by the margin.
    fn count(&mut self, cells: &Cells, base: usize, cand: usize) {
        let row = &mut self.row;
        let Quantity::Count { reading, scope, at } = &row.quantity else { return };
        let counted = |place: usize| {
            let variant = cells.variants[place].variant;
            cells.readings.iter().find(|one| {
                (one.variant, &one.reading, one.scope, &one.at) == (variant, reading, *scope, at)
            })
        };
        let (base_counts, cand_counts) = match (counted(base), counted(cand)) {
            (Some(base), Some(cand)) => (base, cand),
            (found, _) => {
                let missing = if found.is_none() { &row.base } else { &row.cand };
                row.why = format!("{missing} has no reading of it");
                return;
            }
        };
        let (base_mode, cand_mode) = (mode(base_counts), mode(cand_counts));
        row.base_value = Some(base_mode as f64);
        row.cand_value = Some(cand_mode as f64);
        let most = |values: &BTreeMap<u64, u64>| {
            values.iter().rev().max_by_key(|(_, spawns)| **spawns).map(|(value, _)| *value as f64)
        };
        let pairs: Vec<(f64, f64)> = base_counts
            .launches
            .iter()
            .filter_map(|(launch, values)| {
                Some((most(values)?, most(cand_counts.launches.get(launch)?)?))
            })
            .collect();
        if pairs.is_empty() {
            row.why = "nothing pairs the two: they share no launch".to_owned();
            return;
        }
        let more = |(from, to): (f64, f64)| gate::is_higher(from, to, row.margin);
        let turned = |(from, to): (f64, f64)| (to, from);
        row.verdict = if pairs.iter().all(|&pair| more(pair)) {
            Verdict::Regressed
        } else if pairs.iter().all(|&pair| more(turned(pair))) {
            Verdict::Improved
        } else if pairs.iter().any(|&pair| more(pair)) {
            let higher = pairs.iter().filter(|&&pair| more(pair)).count();
            row.why = format!("it is higher in {higher} of {} launches", pairs.len());
            Verdict::Inconclusive
        } else {
            Verdict::Fine
        };
    }
}

/// Decides the rows that nothing waives together, and each of the others by itself.
fn decide_sparing(rows: Vec<Open>, gate: &Gate, waivers: &Waivers) -> Vec<Judged> {
    let is_spared: Vec<bool> =
        rows.iter().map(|open| waivers.live(&open.row.called()).is_some()).collect();
    let mut places = is_spared.iter();
    let (spared, family): (Vec<Open>, Vec<Open>) =
        rows.into_iter().partition(|_| places.next() == Some(&true));
    let mut family = decide(family, gate).into_iter();
    let mut spared = spared.into_iter().flat_map(|open| decide(vec![open], gate));
    let next = |is_spared: &bool| if *is_spared { spared.next() } else { family.next() };
    is_spared.iter().filter_map(next).collect()
}

/// Decides rows that fail a build together.
fn decide(rows: Vec<Open>, gate: &Gate) -> Vec<Judged> {
    let tested: Vec<Tested> = rows.iter().filter_map(|open| open.tested).collect();
    let mut decided = gate::decide(&tested, gate.alpha);
    if gate.fail_fast {
        // A run that stops as soon as a row is worse may call it so by that evidence alone.
        let evidence: Vec<f64> =
            rows.iter().filter(|open| open.tested.is_some()).map(|open| open.evidence).collect();
        let rejected = gate::rejected_by_evidence(&evidence, gate.alpha);
        for (decided, rejected) in decided.iter_mut().zip(rejected) {
            decided.verdict = match (decided.verdict, rejected) {
                (_, true) => Verdict::Regressed,
                (Verdict::Regressed, false) => Verdict::Inconclusive,
                (verdict, false) => verdict,
            };
        }
    }
    let mut decided = decided.into_iter();
    let close = |open: Open| {
        let mut row = open.row;
        if open.tested.is_none() {
            return row;
        }
        let Some(decided) = decided.next() else { return row };
        row.settle(decided);
        if let (Verdict::Inconclusive, Some(figures)) = (row.verdict, &row.figures) {
            (row.why, row.needed) = undecided(figures, row.margin);
        }
        row
    };
    rows.into_iter().map(close).collect()
}

/// Closer to its margin than a tenth of it, no affordable number of blocks tells on which side a
/// ratio lies.
const TOO_CLOSE: f64 = 0.1;

/// Why a row is undecided, and how many blocks more would decide it.
fn undecided(figures: &Figures, margin: f64) -> (String, Option<usize>) {
    let (Some(low), Some(high)) = (figures.low, figures.high) else {
        let needed = signed_rank_needs(figures.confidence);
        return (
            format!("{} bound nothing at this level: it takes {needed}", figures.units),
            needed.checked_sub(figures.units).filter(|more| *more > 0),
        );
    };
    let bound = (1.0 + margin).ln();
    let distance = (figures.ratio.ln() - bound).abs();
    if distance < TOO_CLOSE * bound {
        return ("the ratio lies at the margin itself".to_owned(), None);
    }
    let half_width = (high.ln() - low.ln()) / 2.0;
    (String::new(), Some(gate::more_units(figures.units, half_width, distance)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyse::fixture::Run;
    use crate::model::gate::{CHECK, Margin};
    use crate::model::row::Role;
    use crate::record::fixture;
    use crate::record::rows::SampleRow;

    const BASE: u64 = 100_000;

    /// A run of 10 launches of 4 blocks: base, cand so many times as long, and the twin.
    fn run(cand: f64, twin: f64, samples: u64) -> Cells {
        let mut run = Run {
            variants: vec![
                fixture::variant(0, Role::Subject, "empty", "vfork"),
                fixture::variant(1, Role::Subject, "empty", "vfork"),
                fixture::variant(2, Role::Twin, "empty", "vfork"),
            ],
            ..Run::default()
        };
        for launch in 1..=10_u32 {
            for block in 0..4_u32 {
                let number = 4 * launch + block;
                let of = |variant: u32, factor: f64| -> Vec<SampleRow> {
                    (0..samples)
                        .map(|i| {
                            // What disturbs a block disturbs all, and no two samples are equal.
                            let ns = BASE + 1_000 * u64::from(number % 7) + 10 * i;
                            let own = u64::from((number * (variant + 3)) % 11) * 20;
                            let ns = ((ns + own) as f64 * factor) as u64;
                            fixture::sample(launch, number, variant, ns)
                        })
                        .collect()
                };
                let all = [of(0, 1.0), of(1, cand), of(2, twin)].concat();
                run.blocks.push((fixture::block(launch, number), all, vec![]));
            }
        }
        run.cells()
    }

    fn gate(twin: bool) -> Gate {
        let margin = |of: &str, share| Margin { of: of.parse().unwrap(), share, asked: false };
        Gate {
            alpha: CHECK,
            fail_fast: false,
            margins: vec![margin("blocked.p50", 0.03), margin("blocked.p95", 0.1)],
            left_out: Vec::new(),
            comparisons: vec![Comparison {
                name: "vfork".to_owned(),
                base: 0,
                cand: 1,
                second_base: None,
                twin: twin.then_some(2),
            }],
        }
    }

    fn verdicts(cells: &Cells, gate: &Gate) -> Vec<&'static str> {
        let judgement = Judgement::of(cells, gate, None);
        judgement.rows.iter().map(|row| row.verdict.word()).collect()
    }

    #[test]
    fn each_margin_is_its_own() {
        assert_eq!(verdicts(&run(1.0, 1.0, 50), &gate(true)), ["OK", "OK"]);
        assert_eq!(verdicts(&run(1.06, 1.0, 50), &gate(true)), ["REGRESSED", "OK"]);
        assert_eq!(verdicts(&run(1.2, 1.0, 50), &gate(true)), ["REGRESSED", "REGRESSED"]);
        assert_eq!(verdicts(&run(0.8, 1.0, 50), &gate(true)), ["IMPROVED", "IMPROVED"]);
    }

    #[test]
    fn the_interval_says_what_the_verdict_says() {
        let judgement = Judgement::of(&run(1.06, 1.0, 50), &gate(true), None);
        let figures = judgement.rows[0].figures.clone().unwrap();
        let (low, high) = (figures.low.unwrap(), figures.high.unwrap());
        assert!(low > 1.03 && low <= figures.ratio && figures.ratio <= high && high < 1.09);
        assert_eq!((figures.units, figures.launches, figures.unit), (40, 10, Unit::Block));
        assert!(figures.worse_q <= CHECK && figures.detects.unwrap() > 1.03);
        assert_eq!(judgement.rows[0].base_value.map(|ns| (ns / 1e4).round()), Some(10.0));
    }

    #[test]
    fn where_the_twin_differs_nothing_is_judged() {
        let cells = run(1.2, 1.2, 50);
        assert_eq!(verdicts(&cells, &gate(true)), ["INCONCLUSIVE", "INCONCLUSIVE"]);
        let judgement = Judgement::of(&cells, &gate(true), None);
        assert!(judgement.rows[0].why.contains("twin"), "{:?}", judgement.rows[0]);
        assert_eq!(verdicts(&cells, &gate(false)), ["REGRESSED", "REGRESSED"]);
    }

    #[test]
    fn disturbed_tails_are_not_judged_and_medians_are() {
        let judgement = Judgement::of(&run(1.2, 1.0, 50), &gate(true), Some("stolen"));
        let told: Vec<_> =
            judgement.rows.iter().map(|row| (row.verdict.word(), row.why.as_str())).collect();
        assert_eq!(told, [("REGRESSED", ""), ("INCONCLUSIVE", "stolen")]);
    }

    #[test]
    fn a_tail_takes_more_samples_than_a_median() {
        // 4 blocks of 8 samples are 32, and p95 takes 40.
        let judgement = Judgement::of(&run(1.2, 1.0, 8), &gate(true), None);
        assert_eq!(judgement.rows[0].verdict, Verdict::Regressed);
        assert_eq!(judgement.rows[1].verdict, Verdict::Inconclusive);
        assert!(judgement.rows[1].why.contains("takes 40 samples"), "{:?}", judgement.rows[1]);
    }

    #[test]
    fn ties_everywhere_decide_nothing_wrong() {
        let mut run = Run {
            variants: vec![
                fixture::variant(0, Role::Subject, "empty", "vfork"),
                fixture::variant(1, Role::Subject, "empty", "vfork"),
            ],
            ..Run::default()
        };
        for launch in 1..=20_u32 {
            let of = |variant| (0..8).map(move |_| fixture::sample(launch, launch, variant, BASE));
            let all = of(0).chain(of(1)).collect();
            run.blocks.push((fixture::block(launch, launch), all, vec![]));
        }
        let judgement = Judgement::of(&run.cells(), &gate(false), None);
        let row = &judgement.rows[0];
        assert_eq!(row.verdict, Verdict::Fine);
        let figures = row.figures.as_ref().unwrap();
        assert_eq!((figures.ratio, figures.low, figures.high), (1.0, Some(1.0), Some(1.0)));
    }

    #[test]
    fn a_side_without_samples_is_not_comparable() {
        let mut gate = gate(false);
        gate.comparisons[0].cand = 7;
        let judgement = Judgement::of(&run(1.0, 1.0, 8), &gate, None);
        assert!(judgement.rows.iter().all(|row| row.verdict == Verdict::NotComparable));
        assert_eq!(judgement.widest(), None);
    }

    #[test]
    fn steal_and_throttling_are_seen() {
        let cells = run(1.0, 1.0, 4);
        assert_eq!(tails_disturbed(&cells, &toml::Table::new()), None);
        let throttled = "[noise.delta]\nthrottled_us = 2500\n".parse().unwrap();
        assert!(tails_disturbed(&cells, &throttled).unwrap().contains("2.5 ms"));
    }
}
