//! The samples of a results directory, reduced once to what every statistic starts from.
//!
//! One pass over the files. Of each sample its intervals are kept and nothing else, sorted within
//! their block: any quantile of a block, of a launch or of all is a matter of picking, and blocks
//! can still be merged. Only samples of timed blocks, with phase `measure` and status 0, are
//! *eligible*, that is, may enter a statistic; the cold and the warm-up samples are kept apart.
//! Lengths that a workload times or counts itself are kept in the same form, those of timed blocks;
//! of distributions only the buckets.
//!
//! An archived directory has the same values in place of its samples (`cells/archived.rs`).

mod archived;

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use super::places::setup_of;
use super::quantiles::{quantile, quantile_of_unsorted};
use super::values::Values;
use crate::model::gate::Gate;
use crate::model::interval::Interval;
use crate::model::quantity::Quantity;
use crate::model::row::{BlockKind, Phase, Scope};
use crate::model::scenario::Scenario;
use crate::model::setup::{Setup, Workload};
use crate::record::archive::Archive;
use crate::record::error::{RecordError, Result};
use crate::record::read::{Losses, Recorded};
use crate::record::rows::{
    BlockRow, EventRow, HistogramRow, LaunchRow, ReadingRow, SampleRow, VariantRow,
};

/// Everything that is known of one run, ready for statistics.
#[derive(Clone, Debug)]
pub struct Cells {
    /// The rows of `variants.csv`.
    pub variants: Vec<VariantRow>,
    /// The rows of `launches.csv`.
    pub launches: Vec<LaunchRow>,
    /// The committed blocks.
    pub blocks: Vec<BlockRow>,
    /// The rows of `events.csv`.
    pub events: Vec<EventRow>,
    /// Counted facts of variants, in the order of their first row.
    pub readings: Vec<Reading>,
    /// What was asked and seen of shapes: rows of `readings.csv` without a variant, with the shape
    /// of their block (empty if the block has no sample).
    pub seen: Vec<(String, ReadingRow)>,
    /// For each variant, what its samples say beside their intervals.
    pub facts: Vec<Facts>,
    /// Rows of `samples.csv` in committed blocks.
    pub samples: usize,
    /// Samples that statistics are made of.
    pub eligible: usize,
    /// What was dropped while reading.
    pub losses: Losses,
    /// What `plan.toml` names as the variant to compare with.
    pub vs: Option<String>,
    /// The scenarios as `plan.toml` resolved them; none in a run that had no plan yet.
    pub scenarios: Vec<Scenario>,
    /// The whole setup of each variant: as `plan.toml` has it, else as the column `settings` says;
    /// none where neither can be read.
    pub setups: Vec<Option<Setup>>,
    /// What `plan.toml` holds against each other; none of a run that is no check.
    pub gate: Option<Gate>,
    /// What `archive.toml` says; none of a directory that has its samples.
    pub archive: Option<Archive>,
    /// Rows of `samples.csv` that were dropped since their block was not committed.
    uncommitted_samples: usize,
    /// For each block the place of the variant of its first sample.
    first_variant: Vec<Option<usize>>,
    cells: Vec<[Cell; Interval::ALL.len()]>,
    /// For each variant, its lengths that are no interval.
    lengths: Vec<BTreeMap<String, Cell>>,
}

/// One interval, or another length, of one variant.
#[derive(Clone, Debug, Default)]
pub struct Cell {
    /// The eligible values, block after block, sorted within each.
    values: Values,
    /// Where each block begins, in the order of launch and block.
    segments: Vec<Segment>,
    /// The first spawns after the caches were scrubbed.
    cold: Values,
    /// The warm-up samples, those of the pilot left out.
    warmup: Values,
}

#[derive(Clone, Copy, Debug)]
struct Segment {
    launch: u32,
    block: u32,
    start: usize,
    end: usize,
}

/// What the samples of a variant say beside their intervals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// Samples with a status other than 0, in whatever block.
    pub failed: usize,
    /// Eligible samples.
    pub eligible: usize,
    /// Eligible samples whose wall and CPU time are both known.
    pub clocked: usize,
    /// Those of them whose wall time exceeds the CPU time by more than a fifth.
    pub contended: usize,
    /// Whether a child was ever seen on another processor than its parent, in samples of timed
    /// blocks with phase `measure`; none where no sample tells both.
    pub moved: Option<bool>,
}

/// A counted fact of one variant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The variant.
    pub variant: u32,
    /// Its name: `minor_faults`.
    pub reading: String,
    /// Whose events.
    pub scope: Scope,
    /// When it was read: `spawn`, `rewrite`.
    pub at: String,
    /// Sum over all spawns.
    pub total: u64,
    /// Spawns counted; what belongs to no spawn counts as one.
    pub spawns: u64,
    /// For each launch, in how many spawns each value was read.
    pub launches: BTreeMap<u32, BTreeMap<u64, u64>>,
}

/// One block of one interval of one variant.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BlockQuantiles {
    /// Number of the launch.
    pub launch: u32,
    /// Number of the block.
    pub block: u32,
    /// Eligible samples.
    pub count: usize,
    /// Shortest, in nanoseconds.
    pub min: u64,
    /// Longest.
    pub max: u64,
    /// Median.
    pub p50: f64,
    /// 90th percentile.
    pub p90: f64,
    /// 95th percentile.
    pub p95: f64,
}

impl Cells {
    /// Reads a results directory.
    ///
    /// # Errors
    ///
    /// If a file of it is missing, foreign or garbled.
    pub fn read(directory: &Path) -> Result<Cells> {
        let mut recorded = Recorded::open(directory)?;
        let variants = recorded.variants()?;
        let blocks = recorded.blocks().to_vec();
        let mut reduction = Reduction::new(&variants, &blocks);
        let archive = recorded.archive()?;
        match &archive {
            None => {
                recorded.samples(|block, sample| reduction.add(block, sample))?;
                reduction.close_block();
            }
            Some(archive) => reduction.restore(&mut recorded, archive)?,
        }
        let uncommitted_samples = recorded.losses().uncommitted_rows;
        let mut readings = Readings::new(&blocks, &variants, &reduction.first_variant);
        let mut lengths = Lengths::new(&blocks, &reduction.index_of);
        recorded.readings(|row| {
            lengths.add_reading(&row);
            readings.add(row);
        })?;
        recorded.histograms(|row| lengths.add_bucket(&row))?;
        let lengths = lengths.cells(variants.len());
        let (readings, seen) = (readings.counted, readings.seen);
        let plan = match recorded.plan() {
            Ok(plan) => plan,
            // A run that died before it had a plan still has its facts.
            Err(RecordError::Missing { .. }) => toml::Table::new(),
            Err(error) => return Err(error),
        };
        let vs = plan.get("vs").and_then(|vs| vs.as_str()).map(str::to_string);
        Ok(Cells {
            launches: recorded.launches()?,
            events: recorded.events()?,
            readings,
            seen,
            samples: reduction.samples,
            eligible: reduction.eligible,
            facts: reduction.facts,
            cells: reduction.cells.into_iter().map(|cells| cells.map(Cell::in_order)).collect(),
            lengths,
            losses: recorded.losses().clone(),
            uncommitted_samples,
            archive,
            first_variant: reduction.first_variant,
            setups: setups(&plan, &variants),
            gate: plan.get("gate").and_then(|gate| gate.clone().try_into().ok()),
            variants,
            blocks,
            vs,
            scenarios: scenarios(&plan),
        })
    }

    /// The cells of variants of which these values of one interval are known, by launch and block,
    /// and nothing else.
    #[cfg(test)]
    pub(super) fn of_values(
        variants: Vec<VariantRow>,
        interval: Interval,
        values: Vec<BTreeMap<(u32, u32), Values>>,
    ) -> Cells {
        let cells = values.into_iter().map(|blocks| {
            let mut cells: [Cell; Interval::ALL.len()] = Default::default();
            cells[interval as usize] = Cell::of_blocks(blocks);
            cells
        });
        Cells {
            launches: Vec::new(),
            blocks: Vec::new(),
            events: Vec::new(),
            readings: Vec::new(),
            seen: Vec::new(),
            facts: vec![Facts::default(); variants.len()],
            samples: 0,
            eligible: 0,
            losses: Losses::default(),
            vs: None,
            scenarios: Vec::new(),
            setups: vec![None; variants.len()],
            gate: None,
            archive: None,
            uncommitted_samples: 0,
            first_variant: Vec::new(),
            cells: cells.collect(),
            lengths: vec![BTreeMap::new(); variants.len()],
            variants,
        }
    }

    /// One interval of the variant at that place in [`Cells::variants`].
    ///
    /// # Panics
    ///
    /// If there is no such place.
    pub fn cell(&self, index: usize, interval: Interval) -> &Cell {
        &self.cells[index][interval as usize]
    }

    /// The lengths of that variant that are no interval, by their names.
    ///
    /// # Panics
    ///
    /// If there is no such place.
    pub fn lengths(&self, index: usize) -> &BTreeMap<String, Cell> {
        &self.lengths[index]
    }

    /// What a quantity of time of that variant is a quantile of; none where the variant has no such
    /// length, and of a count.
    ///
    /// # Panics
    ///
    /// If there is no such place.
    pub fn cell_of(&self, index: usize, quantity: &Quantity) -> Option<&Cell> {
        match quantity {
            Quantity::Time { interval, .. } => Some(self.cell(index, *interval)),
            Quantity::Length { reading, .. } => self.lengths[index].get(reading),
            Quantity::Count { .. } => None,
        }
    }

    /// Whether the variant at that place has any eligible sample.
    pub(super) fn has_samples(&self, index: usize) -> bool {
        self.most_samples(index) > 0
    }

    /// How many samples are eligible: of the interval that has the most or, where there is none, of
    /// the length, and else all: of workload=hazard a sample stamps nothing and counts. In a
    /// distribution that is what was recorded, and a sample may record thousands.
    pub(super) fn most_samples(&self, index: usize) -> usize {
        let most = |counts: &mut dyn Iterator<Item = usize>| counts.max().unwrap_or(0);
        let of_intervals = most(&mut self.cells[index].iter().map(Cell::count));
        let of_lengths = || most(&mut self.lengths[index].values().map(Cell::count));
        match of_intervals {
            0 => match of_lengths() {
                0 => self.facts[index].eligible,
                samples => samples,
            },
            samples => samples,
        }
    }
}

/// The scenarios of a plan. One that this version cannot read takes no part in laws and claims; the
/// samples are as good as ever.
fn scenarios(plan: &toml::Table) -> Vec<Scenario> {
    let scenarios = plan.get("scenarios").and_then(toml::Value::as_array);
    scenarios.into_iter().flatten().filter_map(|one| one.clone().try_into().ok()).collect()
}

/// The setups of the variants. The plan has them whole; the column is text that a value with a
/// semicolon makes ambiguous.
fn setups(plan: &toml::Table, variants: &[VariantRow]) -> Vec<Option<Setup>> {
    let entries = plan.get("entries").and_then(toml::Value::as_array);
    let mut planned: HashMap<u32, Setup> = HashMap::new();
    for entry in entries.into_iter().flatten() {
        let number = entry.get("row").and_then(|row| row.get("variant")?.as_integer());
        let number = number.and_then(|number| u32::try_from(number).ok());
        let setup = entry.get("setup").and_then(|setup| setup.clone().try_into().ok());
        planned.extend(number.zip(setup));
    }
    variants
        .iter()
        .map(|row| planned.remove(&row.variant).or_else(|| setup_of(&row.settings)))
        .collect()
}

impl Cell {
    /// The cell of counted values of blocks, by launch and block.
    fn of_blocks(blocks: BTreeMap<(u32, u32), Values>) -> Cell {
        let mut cell = Cell::default();
        for ((launch, block), values) in blocks {
            let start = cell.values.len();
            let values = values.sorted();
            cell.values.extend_from(&values, 0..values.len());
            let end = cell.values.len();
            cell.segments.push(Segment { launch, block, start, end });
        }
        cell
    }

    /// How many values are eligible.
    pub fn count(&self) -> usize {
        self.values.len()
    }

    /// All eligible values, sorted upwards. Costs a sort; keep it while it is needed.
    pub fn pooled(&self) -> Values {
        self.values.clone().sorted()
    }

    /// The quantile `q` of all eligible values, without sorting all of them; none of no
    /// values.
    pub fn quantile(&self, q: f64) -> Option<f64> {
        quantile_of_unsorted(self.values.clone(), q)
    }

    /// The cold values, sorted upwards.
    pub fn cold(&self) -> &Values {
        &self.cold
    }

    /// The warm-up values, sorted upwards.
    pub fn warmup(&self) -> &Values {
        &self.warmup
    }

    /// The blocks that have eligible values, in the order of launch and block.
    pub fn blocks(&self) -> impl Iterator<Item = BlockQuantiles> {
        self.segments.iter().map(|segment| {
            let mut values = Values::new();
            values.extend_from(&self.values, segment.start..segment.end);
            let at = |q| quantile(&values, q).unwrap_or_default();
            BlockQuantiles {
                launch: segment.launch,
                block: segment.block,
                count: values.len(),
                min: values.get(0),
                max: values.get(values.len() - 1),
                p50: at(0.5),
                p90: at(0.9),
                p95: at(0.95),
            }
        })
    }

    /// The eligible values of each launch, sorted upwards, in the order of the launches.
    pub fn by_launch(&self) -> impl Iterator<Item = (u32, Values)> {
        self.segments.chunk_by(|one, next| one.launch == next.launch).map(|segments| {
            let mut values = Values::new();
            for segment in segments {
                values.extend_from(&self.values, segment.start..segment.end);
            }
            (segments[0].launch, values.sorted())
        })
    }

    /// The quantile `q` of each block, by launch. Blocks with fewer than `needed` samples are merged
    /// with their neighbours in the launch until there are as many, a rest that is too small joins
    /// the last; a launch that has fewer in all is left out.
    pub fn launch_quantiles(&self, q: f64, needed: usize) -> Vec<(u32, Vec<f64>)> {
        let launches = self.segments.chunk_by(|one, next| one.launch == next.launch);
        launches
            .filter_map(|segments| {
                let mut merged: Vec<Values> = Vec::new();
                let mut open = Values::new();
                for segment in segments {
                    open.extend_from(&self.values, segment.start..segment.end);
                    if open.len() >= needed {
                        merged.push(std::mem::take(&mut open));
                    }
                }
                merged.last_mut()?.extend_from(&open, 0..open.len());
                let quantiles =
                    merged.into_iter().filter_map(|values| quantile(&values.sorted(), q));
                Some((segments[0].launch, quantiles.collect()))
            })
            .collect()
    }

    /// The values of the blocks that both have, side by side, in the order of launch and block.
    pub fn paired(&self, other: &Cell) -> Vec<Pair> {
        let mut others = other.segments.iter().peekable();
        let mut pairs = Vec::new();
        for segment in &self.segments {
            let key = (segment.launch, segment.block);
            while others.next_if(|other| (other.launch, other.block) < key).is_some() {}
            let Some(opposite) = others.next_if(|other| (other.launch, other.block) == key) else {
                continue;
            };
            let mut pair = Pair {
                launch: segment.launch,
                block: segment.block,
                this: Values::new(),
                other: Values::new(),
            };
            pair.this.extend_from(&self.values, segment.start..segment.end);
            pair.other.extend_from(&other.values, opposite.start..opposite.end);
            pairs.push(pair);
        }
        pairs
    }

    fn in_order(mut self) -> Cell {
        self.segments.sort_by_key(|segment| (segment.launch, segment.block));
        self.cold.sort_from(0);
        self.warmup.sort_from(0);
        self
    }
}

/// One block as two variants have it. Values are sorted upwards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// Number of the launch.
    pub launch: u32,
    /// Number of the block; after a merge, of its first one.
    pub block: u32,
    /// Values of the one.
    pub this: Values,
    /// Values of the other.
    pub other: Values,
}

/// The pass over `samples.csv`.
struct Reduction<'a> {
    blocks: &'a [BlockRow],
    /// Whether the CPU time of a sample is that of its call: of spawns that copy page tables. In a
    /// sample of another workload the caller also waits for children on its own processor.
    copies_pages: Vec<bool>,
    index_of: HashMap<u32, usize>,
    /// The variant of the sample before and its index: turns repeat it.
    last: Option<(u32, usize)>,
    /// The block that is being read, and for each cell where it begins.
    open: Option<usize>,
    starts: Vec<[usize; Interval::ALL.len()]>,
    first_variant: Vec<Option<usize>>,
    cells: Vec<[Cell; Interval::ALL.len()]>,
    facts: Vec<Facts>,
    samples: usize,
    eligible: usize,
}

impl<'a> Reduction<'a> {
    fn new(variants: &[VariantRow], blocks: &'a [BlockRow]) -> Reduction<'a> {
        let index_of = variants.iter().enumerate().map(|(index, row)| (row.variant, index));
        Reduction {
            blocks,
            copies_pages: variants
                .iter()
                .map(|row| row.copies_pages && row.workload == Workload::Spawn.word())
                .collect(),
            index_of: index_of.collect(),
            last: None,
            open: None,
            starts: vec![Default::default(); variants.len()],
            first_variant: vec![None; blocks.len()],
            cells: vec![Default::default(); variants.len()],
            facts: vec![Facts::default(); variants.len()],
            samples: 0,
            eligible: 0,
        }
    }

    fn add(&mut self, block: usize, sample: &SampleRow) -> std::result::Result<(), String> {
        let index = match self.last {
            Some((variant, index)) if variant == sample.variant => index,
            _ => *self.index_of.get(&sample.variant).ok_or_else(|| {
                format!("variant {} does not stand in variants.csv", sample.variant)
            })?,
        };
        self.last = Some((sample.variant, index));
        if self.open != Some(block) {
            self.close_block();
            self.open = Some(block);
            self.first_variant[block] = Some(index);
        }
        self.samples += 1;
        let is_timed = self.blocks[block].kind == BlockKind::Time;
        if let (true, Phase::Measure, Some(parent), Some(child)) =
            (is_timed, sample.phase, sample.parent_cpu, sample.child_cpu)
        {
            *self.facts[index].moved.get_or_insert(false) |= parent != child;
        }
        let lengths = [
            sample.blocked_ns,
            sample.born_ns,
            sample.image_ns,
            sample.reaped_ns,
            sample.rewrite_ns,
        ];
        if sample.status != 0 {
            self.facts[index].failed += 1;
            return Ok(());
        }
        let list: fn(&mut Cell) -> &mut Values = match (self.blocks[block].kind, sample.phase) {
            (BlockKind::Time, Phase::Measure) => {
                self.eligible += 1;
                self.facts[index].eligible += 1;
                self.clock(index, sample);
                |cell| &mut cell.values
            }
            (BlockKind::Time, Phase::Settle) if sample.round == 0 && sample.pos == 0 => {
                |cell| &mut cell.cold
            }
            (BlockKind::Warmup, Phase::Warmup) if sample.launch > 0 => |cell| &mut cell.warmup,
            _ => return Ok(()),
        };
        for (cell, length) in self.cells[index].iter_mut().zip(lengths) {
            if let Some(length) = length {
                list(cell).push(length);
            }
        }
        Ok(())
    }

    /// Counts whether something else had the CPU while the caller was copying page tables.
    fn clock(&mut self, index: usize, sample: &SampleRow) {
        let facts = &mut self.facts[index];
        if let (true, Some(wall), Some(cpu)) =
            (self.copies_pages[index], sample.blocked_ns, sample.blocked_cpu_ns)
        {
            facts.clocked += 1;
            facts.contended += usize::from(u128::from(wall) * 5 > u128::from(cpu) * 6);
        }
    }

    fn close_block(&mut self) {
        let Some(block) = self.open.take() else { return };
        let BlockRow { launch, block, .. } = self.blocks[block];
        for (cells, starts) in self.cells.iter_mut().zip(&mut self.starts) {
            for (cell, start) in cells.iter_mut().zip(starts) {
                let end = cell.values.len();
                if end > *start {
                    cell.values.sort_from(*start);
                    cell.segments.push(Segment { launch, block, start: *start, end });
                    *start = end;
                }
            }
        }
    }
}

/// The pass over `readings.csv` and `histograms.csv` for lengths that are no interval: those of
/// timed blocks.
struct Lengths<'a> {
    kinds: HashMap<(u32, u32), BlockKind>,
    index_of: &'a HashMap<u32, usize>,
    found: HashMap<(usize, String), BTreeMap<(u32, u32), Values>>,
}

impl<'a> Lengths<'a> {
    fn new(blocks: &[BlockRow], index_of: &'a HashMap<u32, usize>) -> Lengths<'a> {
        Lengths { kinds: kinds(blocks), index_of, found: HashMap::new() }
    }

    fn add_reading(&mut self, row: &ReadingRow) {
        if let (Some(block), Some(variant)) = (row.block, row.variant)
            && row.at == WORK
            && row.reading.ends_with("_ns")
        {
            let value = row.value / row.spawns.max(1);
            self.add((row.launch, block), variant, &row.reading, (value, value), row.spawns.max(1));
        }
    }

    fn add_bucket(&mut self, row: &HistogramRow) {
        let place = (row.launch, row.block);
        self.add(place, row.variant, &row.reading, (row.low_ns, row.high_ns), row.count);
    }

    fn add(
        &mut self,
        place: (u32, u32),
        variant: u32,
        reading: &str,
        (low, high): (u64, u64),
        count: u64,
    ) {
        let Some(&index) = self.index_of.get(&variant) else { return };
        if self.kinds.get(&place) != Some(&BlockKind::Time) || count == 0 {
            return;
        }
        let middle = low + high.saturating_sub(low) / 2;
        let blocks = self.found.entry((index, reading.to_owned())).or_default();
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        blocks.entry(place).or_default().push_many(middle, high.max(low), count);
    }

    /// For each of so many variants, what was found.
    fn cells(self, variants: usize) -> Vec<BTreeMap<String, Cell>> {
        let mut cells = vec![BTreeMap::new(); variants];
        for ((index, reading), blocks) in self.found {
            cells[index].insert(reading, Cell::of_blocks(blocks));
        }
        cells
    }
}

/// When a workload reads what its samples are about.
const WORK: &str = "work";

fn kinds(blocks: &[BlockRow]) -> HashMap<(u32, u32), BlockKind> {
    blocks.iter().map(|row| ((row.launch, row.block), row.kind)).collect()
}

/// The pass over `readings.csv`. What was read of a variant in a warm-up, or in a block that did
/// not end, does not count.
struct Readings<'a> {
    kinds: HashMap<(u32, u32), BlockKind>,
    variants: &'a [VariantRow],
    first_variant: HashMap<(u32, u32), usize>,
    place: HashMap<(u32, String, Scope, String), usize>,
    counted: Vec<Reading>,
    seen: Vec<(String, ReadingRow)>,
}

impl<'a> Readings<'a> {
    fn new(
        blocks: &[BlockRow],
        variants: &'a [VariantRow],
        first_variant: &[Option<usize>],
    ) -> Readings<'a> {
        let first_variant = blocks
            .iter()
            .zip(first_variant)
            .filter_map(|(row, &variant)| Some(((row.launch, row.block), variant?)));
        Readings {
            kinds: kinds(blocks),
            variants,
            first_variant: first_variant.collect(),
            place: HashMap::new(),
            counted: Vec::new(),
            seen: Vec::new(),
        }
    }

    fn add(&mut self, row: ReadingRow) {
        let Some(variant) = row.variant else {
            let shape = row
                .block
                .and_then(|block| self.first_variant.get(&(row.launch, block)))
                .map_or_else(String::new, |&variant| self.variants[variant].shape.clone());
            self.seen.push((shape, row));
            return;
        };
        let kind = row.block.and_then(|block| self.kinds.get(&(row.launch, block)));
        if matches!(kind, Some(BlockKind::Warmup | BlockKind::Partial)) {
            return;
        }
        let key = (variant, row.reading.clone(), row.scope, row.at.clone());
        let place = *self.place.entry(key).or_insert_with(|| {
            self.counted.push(Reading {
                variant,
                reading: row.reading,
                scope: row.scope,
                at: row.at,
                total: 0,
                spawns: 0,
                launches: BTreeMap::new(),
            });
            self.counted.len() - 1
        });
        let spawns = row.spawns.max(1);
        let reading = &mut self.counted[place];
        reading.total = reading.total.saturating_add(row.value);
        reading.spawns = reading.spawns.saturating_add(spawns);
        let seen_in = reading.launches.entry(row.launch).or_default();
        let seen_in = seen_in.entry(row.value / spawns).or_default();
        *seen_in = seen_in.saturating_add(spawns);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyse::fixture::Run;
    use crate::model::row::Role;
    use crate::record::fixture;

    fn run() -> Run {
        Run {
            variants: vec![
                fixture::variant(4, Role::Subject, "rss=1GiB", "fork"),
                fixture::variant(9, Role::Subject, "rss=1GiB", "vfork"),
            ],
            ..Run::default()
        }
    }

    #[test]
    fn only_measured_samples_of_timed_blocks_that_went_well_are_eligible() {
        let mut run = run();
        let kinds = [BlockKind::Warmup, BlockKind::Time, BlockKind::Count, BlockKind::Partial];
        for (block, kind) in (0..).zip(kinds) {
            let mut samples = Vec::new();
            for phase in [Phase::Warmup, Phase::Settle, Phase::Measure] {
                for status in [0, 1] {
                    let blocked = 1000 * u64::from(block) + 10 * phase as u64 + status as u64;
                    let sample = fixture::sample(1, block, 4, blocked);
                    samples.push(SampleRow { phase, status, ..sample });
                }
            }
            run.blocks.push((BlockRow { kind, ..fixture::block(1, block) }, samples, vec![]));
        }
        let cells = run.cells();
        let cell = cells.cell(0, Interval::Blocked);
        assert_eq!(cell.pooled().iter().collect::<Vec<u64>>(), [1020]);
        assert_eq!(cell.warmup().iter().collect::<Vec<u64>>(), [0]);
        assert_eq!(cell.cold().len(), 0, "round 1 is not cold");
        assert_eq!((cells.samples, cells.eligible, cells.facts[0].failed), (24, 1, 12));
        assert_eq!(cells.cell(1, Interval::Blocked).count(), 0);
    }

    #[test]
    fn the_cold_sample_is_the_first_of_a_turn_of_round_0_of_a_timed_block() {
        let mut run = run();
        let mut samples = Vec::new();
        for (round, pos, blocked) in [(0, 0, 900), (0, 1, 500), (1, 0, 700)] {
            let sample = fixture::sample(1, 1, 9, blocked);
            samples.push(SampleRow { round, pos, phase: Phase::Settle, ..sample });
        }
        run.blocks.push((fixture::block(1, 1), samples, vec![]));
        let cells = run.cells();
        let cold: Vec<u64> = cells.cell(1, Interval::Blocked).cold().iter().collect();
        assert_eq!(cold, [900]);
        assert_eq!(cells.cell(1, Interval::Reaped).cold().get(0), 1800);
        assert!(cells.cell(1, Interval::Born).cold().is_empty(), "an empty cell is no zero");
    }

    #[test]
    fn the_pilot_is_no_warm_up_of_a_launch() {
        let mut run = run();
        for launch in [0, 1] {
            let sample = fixture::sample(launch, 0, 4, 100 + u64::from(launch));
            let row = BlockRow { kind: BlockKind::Warmup, ..fixture::block(launch, 0) };
            let sample = SampleRow { phase: Phase::Warmup, ..sample };
            run.blocks.push((row, vec![sample], vec![]));
        }
        let warmup = run.cells().cell(0, Interval::Blocked).warmup().clone();
        assert_eq!(warmup.iter().collect::<Vec<u64>>(), [101]);
    }

    #[test]
    fn blocks_and_launches_are_kept_apart_and_in_order() {
        let mut run = run();
        for (launch, block, lengths) in
            [(2, 1, vec![5, 1, 3]), (1, 2, vec![40, 20]), (1, 1, vec![1 << 33, 30])]
        {
            let samples = lengths.iter().map(|&ns| fixture::sample(launch, block, 4, ns)).collect();
            run.blocks.push((fixture::block(launch, block), samples, vec![]));
        }
        let cells = run.cells();
        let cell = cells.cell(0, Interval::Blocked);
        let blocks: Vec<BlockQuantiles> = cell.blocks().collect();
        let places: Vec<(u32, u32)> = blocks.iter().map(|b| (b.launch, b.block)).collect();
        assert_eq!(places, [(1, 1), (1, 2), (2, 1)]);
        assert_eq!((blocks[0].min, blocks[0].max, blocks[0].count), (30, 1 << 33, 2));
        assert_eq!((blocks[1].p50, blocks[1].p90, blocks[2].p95), (30.0, 38.0, 4.8));
        let launches: Vec<(u32, Vec<u64>)> =
            cell.by_launch().map(|(launch, values)| (launch, values.iter().collect())).collect();
        assert_eq!(launches, [(1, vec![20, 30, 40, 1 << 33]), (2, vec![1, 3, 5])]);
    }

    #[test]
    fn wall_time_beyond_cpu_time_by_more_than_a_fifth_is_contended() {
        let mut run = run();
        let mut samples = Vec::new();
        for (variant, wall, cpu) in
            [(4, 120, Some(100)), (4, 121, Some(100)), (4, 900, None), (9, 900, Some(1))]
        {
            let sample = fixture::sample(1, 1, variant, wall);
            samples.push(SampleRow { blocked_cpu_ns: cpu, ..sample });
        }
        run.blocks.push((fixture::block(1, 1), samples, vec![]));
        let facts = run.cells().facts;
        let moved = Some(false);
        assert_eq!(facts[0], Facts { eligible: 3, failed: 0, clocked: 2, contended: 1, moved });
        let waits = Facts { eligible: 1, moved, ..Facts::default() };
        assert_eq!(facts[1], waits, "a vfork waits by its nature");
    }

    #[test]
    fn readings_are_added_up_by_launch_and_shapes_get_their_name() {
        let mut run = run();
        let shape = |block, at: &str, value| ReadingRow {
            variant: None,
            reading: "rss_bytes".to_string(),
            scope: Scope::Parent,
            at: at.to_string(),
            ..fixture::faults(1, block, 0, Scope::Parent, value, 0)
        };
        let readings = vec![
            fixture::faults(1, 1, 4, Scope::Child, 60, 3),
            fixture::faults(1, 1, 4, Scope::Child, 21, 1),
            shape(1, "asked", 1 << 30),
        ];
        run.blocks.push((fixture::block(1, 1), vec![fixture::sample(1, 1, 4, 5)], readings));
        let readings = vec![fixture::faults(2, 1, 4, Scope::Child, 40, 2)];
        run.blocks.push((fixture::block(2, 1), vec![], readings));
        let cells = run.cells();
        assert_eq!(cells.readings.len(), 1);
        let faults = &cells.readings[0];
        assert_eq!((faults.total, faults.spawns), (121, 6));
        assert_eq!(faults.launches[&1], BTreeMap::from([(20, 3), (21, 1)]));
        assert_eq!(faults.launches[&2], BTreeMap::from([(20, 2)]));
        assert_eq!(cells.seen[0].0, "rss=1GiB");
    }

    #[test]
    fn lengths_that_are_no_interval_are_those_of_timed_blocks() {
        let mut run = run();
        let length = |launch, block, value, spawns| ReadingRow {
            reading: "first_byte_ns".to_string(),
            at: "work".to_string(),
            ..fixture::faults(launch, block, 4, Scope::Parent, value, spawns)
        };
        let kinds = [BlockKind::Warmup, BlockKind::Time, BlockKind::Count, BlockKind::Partial];
        for (block, kind) in (0..).zip(kinds) {
            let own = 100 * (1 + u64::from(block));
            let row = BlockRow { kind, ..fixture::block(1, block) };
            run.blocks.push((
                row,
                vec![],
                vec![length(1, block, own * 3, 3), length(1, block, 7, 1)],
            ));
            run.histograms.push(fixture::bucket(1, block, 9, (1000, 1003), 4_000_000_000));
            run.histograms.push(fixture::bucket(1, block, 9, (8, 8), 2));
        }
        run.blocks.push((fixture::block(2, 1), vec![], vec![length(2, 1, 50, 1)]));
        let cells = run.cells();
        let first = &cells.lengths(0)["first_byte_ns"];
        let of_launches: Vec<(u32, Vec<u64>)> =
            first.by_launch().map(|(launch, values)| (launch, values.iter().collect())).collect();
        assert_eq!(of_launches, [(1, vec![7, 200, 200, 200]), (2, vec![50])]);
        let p50 = "first_byte_ns.p50".parse().unwrap();
        assert_eq!(cells.cell_of(0, &p50).map(Cell::count), Some(5));
        assert!(cells.cell_of(1, &p50).is_none());

        let bystander = &cells.lengths(1)["bystander_ns"];
        let pooled = bystander.pooled();
        assert_eq!((pooled.len(), pooled.get(1), pooled.get(2)), (4_000_000_002, 8, 1001));
        assert_eq!(quantile(&pooled, 1.0), Some(1003.0));
        assert!(cells.has_samples(1) && cells.eligible == 0);
        // What is counted is counted wherever a block ended as it should.
        let spawns = cells.readings.iter().map(|reading| reading.spawns).collect::<Vec<u64>>();
        assert_eq!(spawns, [9]);
    }

    #[test]
    fn a_sample_of_an_unknown_variant_is_garbled() {
        let directory = tempfile::tempdir().unwrap();
        let mut writer =
            crate::record::append::Writer::create(directory.path(), &run().variants).unwrap();
        let samples = [fixture::sample(1, 1, 4, 5), fixture::sample(1, 1, 5, 5)];
        writer
            .block(crate::record::append::Block {
                row: &fixture::block(1, 1),
                samples: &samples,
                readings: &[],
                histograms: &[],
                events: &[],
            })
            .unwrap();
        let error = Cells::read(directory.path()).unwrap_err().to_string();
        assert!(error.contains("samples.csv:3: variant 5 does not stand in"), "{error}");
    }
}
