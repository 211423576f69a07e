//! What a run will do, resolved to numbers: it is stored in `plan.toml`, and a resumed run does the
//! same plan.
//!
//! The budget comes first: a pilot measures what each spawn costs, and the plan says what the time
//! buys. The figures behind the constants are in METHODOLOGY.md.

use serde::{Deserialize, Serialize};

use crate::drive::images::Images;
use crate::drive::roster::{Entry, Roster};
use crate::measure::job::{Job, JobBlock, JobVariant};
use crate::measure::mechanism;
use crate::measure::tape::PROTOCOL;
use crate::measure::workload;
use crate::model::gate::{FEWEST, Gate};
use crate::model::interval::Interval;
use crate::model::knob;
use crate::model::order::Rng;
use crate::model::quantity::{Quantity, samples_per_block};
use crate::model::row::BlockKind;
use crate::model::scenario::Scenario;
use crate::model::setup::{Parent, Rewrite};
use crate::record::read::PLAN_SCHEMA;

/// A launch is a unit of inference: fewer than ten are too few.
const FEWEST_LAUNCHES: u32 = 10;
const MOST_LAUNCHES: u32 = 20;
/// After so many launches, and then after each so many more, the precision is looked at.
const LOOK: u32 = 5;
/// Sides with a subject each are compared launch by launch: fewer pairs are too few, and more are
/// worth more than blocks.
const FEWEST_PAIRS: u32 = 20;
/// The most launches of a check, where the tails need them and the budget has room.
const MOST_OF_CHECK: u32 = 60;
/// The fewest blocks of a launch of a check that is no pair, where the budget has room.
const CHECK_BLOCKS: u32 = 3;
/// The most blocks of each side in a launch that is a pair.
const PAIR_BLOCKS: u32 = 5;
/// Blocks in all launches together.
const BLOCKS: u32 = 100;
/// How long a block should last, unless one round takes longer.
const BLOCK_NS: u64 = 75_000_000;
/// Settling spawns at the start of each turn.
const SETTLE: u32 = 3;
/// Settling spawns in each block, where the memory is rewritten after each spawn: then each starts
/// from the state that the rewriting leaves, and a settling spawn before it would change nothing
/// but the time that it takes. One in a block still gives the cold figure.
const SETTLE_REWRITTEN: u32 = 1;
/// Settling spawns at the start of each turn of a variant whose samples are long: what the caches
/// hold is of little account to it, but its first sample may find memory that another wrote.
const SETTLE_LONG: u32 = 1;
/// A sample that takes longer is long, in nanoseconds.
const LONG_NS: u64 = 5_000_000;
/// A median takes 2 / (1 - 0.5) samples in a block, and turns taken often even out a neighbour's
/// noise: so a block has at least so many rounds, where the budget allows six launches of them.
const FEWEST_ROUNDS: u32 = 4;
/// A slow parent gets fewer launches rather than fewer rounds, down to these: the fewest whose
/// medians have an interval at 95 %.
const SLOW_LAUNCHES: u32 = 6;
/// p95 is judged only with 2 / (1 - 0.95) samples in a block.
const SAMPLES_PER_BLOCK: u32 = 40;
/// The share of the budget that setting up may take, where there is a choice.
const SETUP_SHARE: f64 = 0.2;
/// What a launch costs beside what is planned: two processes, their keepers, looking at /proc.
const PROCESS_NS: u64 = 60_000_000;
/// What a whole experiment is expected to take, in nanoseconds: nobody has tried.
const WHOLE_NS: u64 = 1_000_000_000;
/// Partial blocks are numbered from here, so that the block itself can be run again.
pub const PARTIAL: u32 = 1_000_000;

/// What the user asked of the sampling.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Wishes {
    /// The budget for the whole run, in nanoseconds.
    pub time_ns: u64,
    /// Stop when the half-width of every ratio of blocked p50 is at most this share.
    pub precision: f64,
    /// A fixed number of launches.
    pub launches: Option<u32>,
    /// A fixed number of timed blocks of each parent in each launch.
    pub blocks: Option<u32>,
    /// The seed of every random choice; below 2^63.
    pub seed: u64,
    /// How long nothing may move before a subject counts as stuck, in nanoseconds.
    pub stall_ns: u64,
}

/// A run, resolved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// Schema of this file.
    pub schema: String,
    /// What ratios are against: a label, or the name of a mechanism.
    pub vs: String,
    /// What was asked of the sampling.
    pub wishes: Wishes,
    /// The launches that the budget buys; fewer if precision comes first.
    pub launches: u32,
    /// Timed blocks of each parent in each launch.
    pub blocks: u32,
    /// How long a launch should take, in nanoseconds.
    pub launch_ns: u64,
    /// The processor of the spawning threads.
    pub cpu: u32,
    /// All processors of the run.
    pub cpus: Vec<u32>,
    /// Bytes of the buffer whose writing scrubs the caches.
    pub scrub_bytes: u64,
    /// The scenarios as they were resolved.
    pub scenarios: Vec<Scenario>,
    /// The parents, each a subject of every launch.
    pub parents: Vec<PlannedParent>,
    /// Every variant of the run.
    pub entries: Vec<Entry>,
    /// What is held against each other; none of a run that is no check.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gate: Option<Gate>,
}

/// One parent of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlannedParent {
    /// Its canonical label.
    pub label: String,
    /// What it is.
    pub parent: Parent,
    /// Rounds in each of its timed blocks.
    pub rounds: u32,
    /// Rounds of its warm-up; 0: each of its samples is a whole experiment, without warm-up.
    pub warmup_rounds: u32,
    /// A turn of its warm-up takes no further sample after this long, in nanoseconds.
    pub warmup_turn_ns: u64,
    /// What takes turns in it.
    pub variants: Vec<PlannedVariant>,
}

/// How often a variant is sampled.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlannedVariant {
    /// Its number in the run.
    pub variant: u32,
    /// Settling spawns of its turn in round 0 of a block.
    pub settle_first: u32,
    /// Settling spawns of its later turns.
    pub settle: u32,
    /// Samples per turn.
    pub samples: u32,
    /// Samples per turn of the counting block.
    pub counts: u32,
    /// What a sample took in the pilot, with the restoring of the memory, in nanoseconds.
    pub cost_ns: u64,
}

/// What the pilot found out about one parent.
#[derive(Clone, Debug, Default)]
pub struct Pilot {
    /// How long its setup took, in nanoseconds.
    pub setup_ns: u64,
    /// Nanoseconds per sample of each of its variants, in the order of the parent's variants.
    pub costs: Vec<u64>,
}

/// Whether each sample of it is a whole experiment, in a subject of its own.
pub fn is_whole(entry: &Entry) -> bool {
    workload::find(entry.setup.work.workload).whole
}

/// Which variants share a subject: those with equal parents, but a mechanism that leaves its parent
/// changed has one to itself, and so has a whole experiment.
pub fn parents(roster: &Roster) -> Vec<(Parent, Vec<u32>)> {
    let mut parents: Vec<(Parent, Option<String>, Vec<u32>)> = Vec::new();
    for entry in roster.entries.iter().filter(|entry| entry.refused.is_none()) {
        let name = &entry.setup.work.mechanism;
        let taints = mechanism::find(name).is_some_and(|mechanism| mechanism.taints);
        let work = &entry.setup.work;
        let taints = taints || (workload::find(work.workload).taints)(work);
        let alone = if is_whole(entry) {
            Some(format!("variant {}", entry.row.variant))
        } else {
            taints.then(|| format!("{} {name}", work.workload.word()))
        };
        let parent = &entry.setup.parent;
        match parents.iter_mut().find(|(p, a, _)| p == parent && *a == alone) {
            Some((_, _, variants)) => variants.push(entry.row.variant),
            None => parents.push((parent.clone(), alone, vec![entry.row.variant])),
        }
    }
    parents.into_iter().map(|(parent, _, variants)| (parent, variants)).collect()
}

/// What goes into a plan beside the pilots.
pub struct Ground {
    /// The processor of the spawning threads.
    pub cpu: u32,
    /// All processors of the run.
    pub cpus: Vec<u32>,
    /// Bytes of the buffer whose writing scrubs the caches.
    pub scrub_bytes: u64,
}

impl Plan {
    /// Resolves a run. `spent_ns` is what the pilots took of the budget.
    pub fn new(
        roster: Roster,
        scenarios: Vec<Scenario>,
        wishes: Wishes,
        ground: Ground,
        pilots: &[Pilot],
        spent_ns: u64,
    ) -> Plan {
        let budget = wishes.time_ns.saturating_sub(spent_ns).max(1);
        let counts = roster.gate.as_ref().is_none_or(counts);
        let pairs = roster.gate.as_ref().is_some_and(|gate| has_pairs(gate, &roster.entries));
        let mut fewest_rounds = FEWEST_ROUNDS;
        let (planned, fixed_ns, round_ns) = loop {
            let (planned, fixed_ns, round_ns) =
                plan_parents(&roster, pilots, fewest_rounds, counts);
            let needed = u64::from(SLOW_LAUNCHES) * (fixed_ns + round_ns);
            if needed <= budget || fewest_rounds == 1 {
                break (planned, fixed_ns, round_ns);
            }
            fewest_rounds /= 2;
        };
        let affordable = (budget as f64 / (fixed_ns + round_ns).max(1) as f64) as u32;
        let wanted = (SETUP_SHARE * budget as f64 / fixed_ns.max(1) as f64) as u32;
        let (fewest, most) =
            if pairs { (FEWEST_PAIRS, MOST_OF_CHECK) } else { (FEWEST_LAUNCHES, MOST_LAUNCHES) };
        // Parents differ more than blocks do: where launches are the pairs, the budget goes there.
        let wanted = match pairs {
            true => (budget as f64 / (fixed_ns + 2 * round_ns).max(1) as f64) as u32,
            // The launches of a check go on until it is precise; the first are not to be short.
            false if roster.gate.is_some() => affordable / CHECK_BLOCKS,
            false => wanted,
        };
        let launches =
            wishes.launches.unwrap_or_else(|| wanted.clamp(fewest, most).min(affordable).max(1));
        let whole = planned.iter().all(PlannedParent::is_whole);
        let launches = if whole { wishes.launches.unwrap_or(1) } else { launches };
        // Fewer launches if the precision is reached: the blocks are dealt to the fewest.
        let dealt = launches.min(fewest);
        let launch_budget = budget / u64::from(launches);
        let blocks = wishes.blocks.unwrap_or_else(|| {
            let affordable = launch_budget.saturating_sub(fixed_ns) / round_ns.max(1);
            let most = match (whole, pairs) {
                (true, _) => 1,
                (false, true) => PAIR_BLOCKS,
                (false, false) => BLOCKS.div_ceil(dealt),
            };
            (affordable as u32).clamp(1, most)
        });
        let gate = roster.gate.map(|gate| affordable_gate(gate, &planned, launches, blocks, pairs));
        Plan {
            schema: PLAN_SCHEMA.to_owned(),
            vs: roster.vs,
            wishes,
            launches,
            blocks,
            launch_ns: fixed_ns + u64::from(blocks) * round_ns,
            cpu: ground.cpu,
            cpus: ground.cpus,
            scrub_bytes: ground.scrub_bytes,
            scenarios,
            parents: planned,
            entries: roster.entries,
            gate,
        }
    }

    /// Whether sides that are held against each other have a subject each.
    pub fn has_pairs(&self) -> bool {
        self.gate.as_ref().is_some_and(|gate| has_pairs(gate, &self.entries))
    }

    /// Whether it may be looked at after so many launches if the results are precise enough.
    pub fn is_look(&self, done: u32) -> bool {
        let fewest = if self.has_pairs() { FEWEST_PAIRS } else { FEWEST_LAUNCHES };
        self.wishes.launches.is_none() && done >= fewest && done.is_multiple_of(LOOK)
    }

    /// The largest number of launches that the wishes allow.
    pub fn most_launches(&self) -> u32 {
        match self.wishes.launches {
            Some(launches) => launches,
            None if self.launches < FEWEST_LAUNCHES => self.launches,
            None if self.gate.is_some() => self.launches.max(MOST_OF_CHECK),
            None => self.launches.max(MOST_LAUNCHES),
        }
    }

    /// The blocks of one parent's timed subject in a launch: the warm-up, then the timed ones.
    /// Numbers are unique in the launch over all parents.
    pub fn timed_blocks(&self, parent: usize) -> Vec<JobBlock> {
        let parents = self.parents.len() as u32;
        let planned = &self.parents[parent];
        let mut blocks = Vec::with_capacity(1 + self.blocks as usize);
        if !planned.is_whole() {
            blocks.push(JobBlock {
                block: parent as u32,
                kind: BlockKind::Warmup,
                rounds: planned.warmup_rounds,
                turn_ns: planned.warmup_turn_ns,
            });
        }
        blocks.extend((0..self.blocks).map(|i| JobBlock {
            block: parents * (1 + i) + parent as u32,
            kind: BlockKind::Time,
            rounds: planned.rounds,
            turn_ns: NO_LIMIT,
        }));
        blocks
    }

    /// The counting block of one parent in a launch; none: there is nothing that it could count.
    pub fn count_block(&self, parent: usize) -> Option<JobBlock> {
        let parents = self.parents.len() as u32;
        let counts = self.gate.as_ref().is_none_or(counts);
        (counts && !self.parents[parent].is_whole()).then(|| JobBlock {
            block: parents * (1 + self.blocks) + parent as u32,
            kind: BlockKind::Count,
            rounds: 1,
            turn_ns: NO_LIMIT,
        })
    }

    /// The job of one parent's subject.
    pub fn job(&self, launch: u32, parent: usize, images: &Images, blocks: Vec<JobBlock>) -> Job {
        let planned = &self.parents[parent];
        let variants = planned.variants.iter().map(|variant| JobVariant {
            variant: variant.variant,
            settle_first: variant.settle_first,
            settle: variant.settle,
            samples: variant.samples,
            counts: variant.counts,
            work: self.entries[variant.variant as usize].setup.work.clone(),
        });
        Job {
            protocol: PROTOCOL,
            seed: self.wishes.seed,
            launch,
            cpu: Some(self.cpu),
            cpus: self.cpus.clone(),
            noop: images.noop().to_string_lossy().into_owned(),
            search: images.search().to_string_lossy().into_owned(),
            scrub_bytes: self.scrub_bytes,
            without_bill: self.gate.as_ref().is_some_and(|gate| !has_bill(gate)),
            shape: planned.parent.shape.clone(),
            variants: variants.collect(),
            blocks,
        }
    }

    /// The parents in the order in which a launch starts them, and bytes of padding for the
    /// environment of all of them.
    pub fn shuffled(&self, launch: u32) -> (Vec<usize>, usize) {
        let mut rng = Rng::new(self.wishes.seed, &[u64::from(launch), u64::MAX]);
        let mut order: Vec<usize> = (0..self.parents.len()).collect();
        rng.shuffle(&mut order);
        (order, rng.below(4096) as usize)
    }
}

/// A turn without a limit; what TOML can hold.
const NO_LIMIT: u64 = i64::MAX as u64;

/// The job of a pilot: each variant a few times, no longer than it takes to know.
pub fn pilot_job(
    roster: &Roster,
    parent: &Parent,
    variants: &[u32],
    ground: &Ground,
    images: &Images,
    block: u32,
) -> Job {
    Job {
        protocol: PROTOCOL,
        seed: 0,
        launch: 0,
        cpu: Some(ground.cpu),
        cpus: ground.cpus.clone(),
        noop: images.noop().to_string_lossy().into_owned(),
        search: images.search().to_string_lossy().into_owned(),
        scrub_bytes: 0,
        without_bill: roster.gate.as_ref().is_some_and(|gate| !has_bill(gate)),
        shape: parent.shape.clone(),
        variants: variants
            .iter()
            .map(|&variant| JobVariant {
                variant,
                settle_first: 0,
                settle: 0,
                samples: 5,
                counts: 0,
                work: roster.entries[variant as usize].setup.work.clone(),
            })
            .collect(),
        blocks: vec![JobBlock { block, kind: BlockKind::Warmup, rounds: 1, turn_ns: 20_000_000 }],
    }
}

/// Whether a gate judges anything that only the counting blocks tell.
fn counts(gate: &Gate) -> bool {
    gate.margins.iter().any(|margin| matches!(margin.of, Quantity::Count { .. }))
}

/// Whether a gate judges what the parent pays after a fork.
fn has_bill(gate: &Gate) -> bool {
    let is_bill = |of: &Quantity| matches!(of, Quantity::Time { interval: Interval::Rewrite, .. });
    gate.margins.iter().any(|margin| is_bill(&margin.of))
}

/// Whether sides of a gate have parents of their own.
fn has_pairs(gate: &Gate, entries: &[Entry]) -> bool {
    let parent = |variant: u32| &entries[variant as usize].setup.parent;
    gate.comparisons.iter().any(|comparison| {
        let others = [Some(comparison.cand), comparison.second_base];
        others.into_iter().flatten().any(|other| parent(other) != parent(comparison.base))
    })
}

/// The gate without the quantiles that so many blocks cannot tell; those that were asked for by
/// name stay, and will say what they lack.
fn affordable_gate(
    mut gate: Gate,
    parents: &[PlannedParent],
    launches: u32,
    blocks: u32,
    pairs: bool,
) -> Gate {
    let compared: Vec<u32> = gate.comparisons.iter().flat_map(|c| [c.base, c.cand]).collect();
    let planned = parents.iter().flat_map(|parent| {
        let of = |variant: &PlannedVariant| (variant.variant, parent.rounds * variant.samples);
        parent.variants.iter().map(of)
    });
    let per_block = planned.filter(|(variant, _)| compared.contains(variant));
    let per_launch = per_block.map(|(_, samples)| samples * blocks).min().unwrap_or(0);
    let is_affordable = |of: &Quantity| {
        // A median is what a check is about: where it cannot be told, that is to be said of it.
        let tail = of.percentile().filter(|percentile| percentile.share() > 0.5);
        let Some(percentile) = tail else { return true };
        if !matches!(of, Quantity::Time { .. }) {
            return true;
        }
        let needed = samples_per_block(percentile.share()) as u32;
        let merged = (per_launch / needed).min(blocks);
        (if pairs { merged.min(1) } else { merged } * launches) as usize >= FEWEST
    };
    let (kept, out): (Vec<_>, Vec<_>) =
        gate.margins.into_iter().partition(|margin| margin.asked || is_affordable(&margin.of));
    gate.margins = kept;
    gate.left_out = out.into_iter().map(|margin| margin.of).collect();
    gate
}

/// Every parent with at least so many rounds in a block; what a launch takes without its timed
/// blocks, and what one timed block of each parent takes, in nanoseconds.
fn plan_parents(
    roster: &Roster,
    pilots: &[Pilot],
    fewest_rounds: u32,
    counts: bool,
) -> (Vec<PlannedParent>, u64, u64) {
    let mut fixed_ns = 0;
    let mut blocks_ns = 0;
    let mut planned = Vec::new();
    for ((parent, variants), pilot) in parents(roster).into_iter().zip(pilots) {
        let parent = PlannedParent::new(roster, parent, &variants, pilot, fewest_rounds);
        fixed_ns += pilot.setup_ns + PROCESS_NS + parent.warmup_ns();
        if counts {
            fixed_ns += pilot.setup_ns + PROCESS_NS + parent.count_ns();
        }
        blocks_ns += parent.block_ns();
        planned.push(parent);
    }
    (planned, fixed_ns, blocks_ns)
}

impl PlannedParent {
    fn new(
        roster: &Roster,
        parent: Parent,
        variants: &[u32],
        pilot: &Pilot,
        fewest_rounds: u32,
    ) -> PlannedParent {
        if let [variant] = variants
            && is_whole(&roster.entries[*variant as usize])
        {
            return PlannedParent::whole(parent, *variant);
        }
        let cost = |i: usize| pilot.costs.get(i).copied().unwrap_or(1_000_000).max(100);
        let dearest = (0..variants.len()).map(cost).max().unwrap_or(1);
        let mut planned: Vec<PlannedVariant> = variants
            .iter()
            .enumerate()
            .map(|(i, &variant)| {
                let rewritten = is_rewritten(&roster.entries[variant as usize]);
                let dear = dearest / (2 * cost(i));
                let (settle_first, settle, samples) = if rewritten {
                    // A check judges no cold figure, and each such sample costs as much as one.
                    let settle = if roster.gate.is_some() { 0 } else { SETTLE_REWRITTEN };
                    (settle, 0, (20_000_000 / cost(i)).clamp(1, 8))
                } else if cost(i) > LONG_NS {
                    (SETTLE_LONG, SETTLE_LONG, (20_000_000 / cost(i)).clamp(1, 4))
                } else {
                    let most = u64::from(SAMPLES_PER_BLOCK / fewest_rounds);
                    (SETTLE, SETTLE, dear.clamp(8, most))
                };
                PlannedVariant {
                    variant,
                    settle_first,
                    settle,
                    samples: samples as u32,
                    counts: (50_000_000 / cost(i)).clamp(1, 10) as u32,
                    cost_ns: cost(i),
                }
            })
            .collect();
        let mut this = PlannedParent {
            label: shape_label(&parent),
            parent,
            rounds: 1,
            warmup_rounds: 1,
            warmup_turn_ns: 50_000_000,
            variants: Vec::new(),
        };
        this.variants.clone_from(&planned);
        this.rounds =
            (BLOCK_NS / this.block_ns().max(1)).clamp(u64::from(fewest_rounds), 50) as u32;
        for variant in &mut planned {
            if variant.settle == SETTLE {
                variant.samples = variant.samples.max(SAMPLES_PER_BLOCK.div_ceil(this.rounds));
            }
        }
        this.variants = planned;
        // Twenty samples, or one round where a round is long.
        let fewest = this.variants.iter().map(|v| v.samples).min().unwrap_or(1).max(1);
        let round_ns = this.block_ns() / u64::from(this.rounds);
        this.warmup_rounds = if round_ns > BLOCK_NS { 1 } else { 20_u32.div_ceil(fewest) };
        this
    }

    /// The parent of a whole experiment: one sample in each block, and nothing else.
    fn whole(parent: Parent, variant: u32) -> PlannedParent {
        PlannedParent {
            label: shape_label(&parent),
            parent,
            rounds: 1,
            warmup_rounds: 0,
            warmup_turn_ns: 0,
            variants: vec![PlannedVariant {
                variant,
                settle_first: 0,
                settle: 0,
                samples: 1,
                counts: 0,
                cost_ns: WHOLE_NS,
            }],
        }
    }

    /// Whether each of its samples is a whole experiment.
    pub fn is_whole(&self) -> bool {
        self.warmup_rounds == 0
    }

    /// How long a timed block takes, as far as the pilot can tell.
    fn block_ns(&self) -> u64 {
        // Scrubbing a buffer before each turn of round 0 takes about 2 ms.
        let per_turn = 2_000_000;
        let spawns = |v: &PlannedVariant| {
            u64::from(v.settle_first)
                + u64::from(self.rounds - 1) * u64::from(v.settle)
                + u64::from(self.rounds) * u64::from(v.samples)
        };
        self.variants.iter().map(|v| spawns(v) * v.cost_ns + per_turn).sum()
    }

    fn warmup_ns(&self) -> u64 {
        let turn = |v: &PlannedVariant| {
            (u64::from(v.samples) * v.cost_ns).min(self.warmup_turn_ns.max(v.cost_ns))
        };
        u64::from(self.warmup_rounds) * self.variants.iter().map(turn).sum::<u64>()
    }

    fn count_ns(&self) -> u64 {
        self.variants.iter().map(|v| u64::from(v.settle + v.counts) * v.cost_ns * 3 / 2).sum()
    }
}

/// Whether the parent writes all its memory again after each of its spawns. Where it writes a part,
/// a spawn does not start from where the one before it did until a settling spawn has gone before.
fn is_rewritten(entry: &Entry) -> bool {
    entry.row.copies_pages
        && entry.setup.work.rewrite == Rewrite::ALL
        && entry.setup.parent.shape.is_write_protected_by_fork()
}

fn shape_label(parent: &Parent) -> String {
    let setup = crate::model::setup::Setup {
        parent: parent.clone(),
        ..crate::model::setup::Setup::default()
    };
    knob::shape_label(&setup)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::scenario::Axis;

    fn plan(rss: &str, costs: &[u64], setup_ns: u64, seconds: u64) -> Plan {
        let list = |knob: &str, values: &[&str]| {
            Axis::list(knob, &values.iter().map(|v| v.to_string()).collect::<Vec<_>>())
        };
        let scenario = Scenario {
            name: "t".into(),
            axes: vec![list("rss", &[rss]), list("mechanism", &["fork", "posix_spawn"])],
            ..Scenario::default()
        };
        let roster = Roster::of(std::slice::from_ref(&scenario), None).unwrap();
        let wishes = Wishes {
            time_ns: seconds * 1_000_000_000,
            precision: 0.01,
            launches: None,
            blocks: None,
            seed: 1,
            stall_ns: 1,
        };
        let pilots: Vec<Pilot> = parents(&roster)
            .iter()
            .map(|(parent, variants)| {
                let empty = *parent == Parent::default();
                let costs = if empty { vec![200_000; variants.len()] } else { costs.to_vec() };
                Pilot { setup_ns, costs }
            })
            .collect();
        let ground = Ground { cpu: 1, cpus: vec![0, 1], scrub_bytes: 1 << 25 };
        Plan::new(roster, vec![scenario], wishes, ground, &pilots, 0)
    }

    #[test]
    fn a_plan_keeps_to_its_budget() {
        let plan = plan("1G", &[210_000_000, 110_000, 110_000, 100], 350_000_000, 60);
        assert_eq!(plan.launches, 10);
        assert_eq!((plan.parents[0].rounds, plan.parents[0].warmup_rounds), (4, 1));
        assert!(plan.launch_ns * u64::from(plan.launches) <= 60_000_000_000, "{plan:?}");
        let fork = &plan.parents[0].variants[0];
        assert_eq!((fork.settle_first, fork.settle, fork.samples), (1, 0, 1));
        assert_eq!(plan.parents[0].variants[1].samples * plan.parents[0].rounds, 40);
    }

    #[test]
    fn a_cheap_plan_has_a_hundred_blocks_of_75_ms() {
        let plan = plan("0", &[200_000, 110_000, 110_000, 100], 1_000_000, 60);
        assert_eq!(plan.blocks, 10);
        let parent = &plan.parents[0];
        assert!(parent.rounds > 1 && parent.block_ns() < 150_000_000, "{parent:?}");
        for variant in &parent.variants {
            assert!(variant.samples * parent.rounds >= SAMPLES_PER_BLOCK);
        }
    }

    #[test]
    fn a_small_budget_buys_few_launches_but_at_least_one_block() {
        let plan = plan("1G", &[210_000_000, 110_000, 110_000, 100], 350_000_000, 1);
        assert_eq!((plan.launches, plan.blocks), (1, 1));
        assert_eq!(plan.most_launches(), 1);
    }

    #[test]
    fn block_numbers_are_unique_in_a_launch() {
        let plan = plan("1M", &[200_000, 110_000, 110_000, 100], 1_000_000, 60);
        let mut numbers: Vec<u32> = (0..plan.parents.len())
            .flat_map(|p| {
                let timed = plan.timed_blocks(p).into_iter().map(|b| b.block);
                timed.chain(plan.count_block(p).map(|block| block.block))
            })
            .collect();
        let all = numbers.len();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), all);
    }

    #[test]
    fn a_plan_survives_its_file() {
        let plan = plan("1M", &[200_000, 110_000, 110_000, 100], 1_000_000, 60);
        let text = toml::to_string(&plan).unwrap();
        assert_eq!(toml::from_str::<Plan>(&text).unwrap(), plan);
    }
}
