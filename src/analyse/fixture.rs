//! Small runs for tests, written to disk and read back.

use super::cells::Cells;
use crate::model::scenario::Scenario;
use crate::record::append::{Block, Writer};
use crate::record::rows::{BlockRow, EventRow, LaunchRow, ReadingRow, SampleRow, VariantRow};

/// A run to be written.
#[derive(Default)]
pub(super) struct Run {
    pub(super) variants: Vec<VariantRow>,
    pub(super) launches: Vec<LaunchRow>,
    pub(super) blocks: Vec<(BlockRow, Vec<SampleRow>, Vec<ReadingRow>)>,
    pub(super) events: Vec<EventRow>,
    pub(super) vs: Option<&'static str>,
    pub(super) scenarios: Vec<Scenario>,
}

impl Run {
    /// What reading it back gives.
    pub(super) fn cells(&self) -> Cells {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("run");
        let mut writer = Writer::create(&path, &self.variants).unwrap();
        let mut plan = toml::Table::new();
        plan.extend(self.vs.map(|vs| ("vs".to_string(), vs.into())));
        let scenarios = toml::Value::try_from(&self.scenarios).unwrap();
        plan.insert("scenarios".to_string(), scenarios);
        writer.plan(&plan).unwrap();
        self.launches.iter().for_each(|row| writer.launch(row).unwrap());
        writer.events(&self.events).unwrap();
        for (row, samples, readings) in &self.blocks {
            writer.block(Block { row, samples, readings, histograms: &[], events: &[] }).unwrap();
        }
        Cells::read(&path).unwrap()
    }
}
