//! Small runs for tests, written to disk and read back.

use std::path::Path;

use super::cells::Cells;
use crate::model::knob;
use crate::model::order::Rng;
use crate::model::row::{Role, Scope};
use crate::model::scenario::Scenario;
use crate::model::scenario::parse::parse;
use crate::model::setup::Setup;
use crate::record::append::{Block, Writer};
use crate::record::fixture;
use crate::record::rows::{
    BlockRow, EventRow, HistogramRow, LaunchRow, ReadingRow, SampleRow, VariantRow,
};

/// A run to be written.
#[derive(Default)]
pub(super) struct Run {
    pub(super) variants: Vec<VariantRow>,
    pub(super) launches: Vec<LaunchRow>,
    pub(super) blocks: Vec<(BlockRow, Vec<SampleRow>, Vec<ReadingRow>)>,
    pub(super) histograms: Vec<HistogramRow>,
    pub(super) events: Vec<EventRow>,
    pub(super) vs: Option<&'static str>,
    pub(super) scenarios: Vec<Scenario>,
}

impl Run {
    /// What reading it back gives.
    pub(super) fn cells(&self) -> Cells {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("run");
        self.write(&path);
        Cells::read(&path).unwrap()
    }

    /// Writes it into that directory.
    pub(super) fn write(&self, path: &Path) {
        let mut writer = Writer::create(path, &self.variants).unwrap();
        let mut plan = toml::Table::new();
        plan.extend(self.vs.map(|vs| ("vs".to_string(), vs.into())));
        let scenarios = toml::Value::try_from(&self.scenarios).unwrap();
        plan.insert("scenarios".to_string(), scenarios);
        writer.plan(&plan).unwrap();
        self.launches.iter().for_each(|row| writer.launch(row).unwrap());
        writer.events(&self.events).unwrap();
        for (row, samples, readings) in &self.blocks {
            let of_block =
                |bucket: &&HistogramRow| (bucket.launch, bucket.block) == (row.launch, row.block);
            let histograms: Vec<HistogramRow> =
                self.histograms.iter().filter(of_block).cloned().collect();
            let histograms = &histograms;
            writer.block(Block { row, samples, readings, histograms, events: &[] }).unwrap();
        }
    }
}

/// A scenario from its text, named `sweep`.
pub(super) fn scenario(text: &str) -> Scenario {
    parse("sweep", "sweep.toml", &format!("about = \"a test\"\n{text}")).unwrap()
}

/// Every setup of a scenario measured: `blocked_ns` of each variant in each block is what `time`
/// says of setup, launch and block, give or take 1 %. Page tables are 40 KiB and 8 bytes a page.
pub(super) fn simulated(
    scenario: Scenario,
    launches: u32,
    blocks: u32,
    mut time: impl FnMut(&Setup, u32, u32) -> f64,
) -> Run {
    let setups = scenario.expand().unwrap();
    let mut run = Run { scenarios: vec![scenario], ..Run::default() };
    let mut parents: Vec<&Setup> = Vec::new();
    for (number, setup) in (0..).zip(&setups) {
        run.variants.push(variant_of(number, Role::Subject, setup));
        if parents.iter().all(|known| known.parent != setup.parent) {
            parents.push(setup);
        }
    }
    for launch in 1..=launches {
        for (place, parent) in (0..).zip(&parents) {
            for turn in 0..blocks {
                let block = turn * parents.len() as u32 + place;
                let mut samples = Vec::new();
                for (variant, setup) in (0..).zip(&setups) {
                    if setup.parent == parent.parent {
                        let centre = time(setup, launch, turn);
                        samples.extend([0.99, 1.0, 1.0, 1.01].map(|noise| {
                            fixture::sample(launch, block, variant, (centre * noise) as u64)
                        }));
                    }
                }
                let tables = ReadingRow {
                    variant: None,
                    reading: "vm_pte_bytes".to_string(),
                    at: "setup".to_string(),
                    spawns: 0,
                    value: 40_960 + parent.parent.shape.rss.bytes() / 512,
                    ..fixture::faults(launch, block, 0, Scope::Parent, 0, 0)
                };
                let readings = if turn == 0 { vec![tables] } else { vec![] };
                run.blocks.push((fixture::block(launch, block), samples, readings));
            }
        }
    }
    run
}

/// The row of a setup, as the scenario `sweep` asks for it.
pub(super) fn variant_of(number: u32, role: Role, setup: &Setup) -> VariantRow {
    let (shape, mechanism) = (knob::shape_label(setup), &setup.work.mechanism);
    let row = fixture::variant(number, role, &shape, mechanism);
    VariantRow { settings: knob::settings(setup), scenario: "sweep".to_string(), ..row }
}

/// Numbers that scatter about 1: e to the power of normal ones.
pub(super) struct Noise(Rng);

impl Noise {
    /// The same seed, the same numbers.
    pub(super) fn new(seed: u64) -> Noise {
        Noise(Rng::new(seed, &[]))
    }

    /// The next one, with that standard deviation of its log.
    pub(super) fn around_1(&mut self, deviation: f64) -> f64 {
        // The sum of twelve uniform numbers has a variance of 1 and is as good as normal.
        let sum: f64 = (0..12).map(|_| self.0.below(1 << 32) as f64 / (1u64 << 32) as f64).sum();
        ((sum - 6.0) * deviation).exp()
    }
}
