//! One interval of every variant, sample by sample in the order in which they were measured.
//!
//! [`super::cells`] sorts what it keeps; whoever wants the samples in their order takes this pass.
//! It holds one number for each sample of that interval and nothing else.

use std::collections::HashMap;
use std::path::Path;

use super::values::Values;
use crate::model::interval::Interval;
use crate::model::row::{BlockKind, Phase};
use crate::record::error::Result;
use crate::record::read::Recorded;
use crate::record::rows::{SampleRow, VariantRow};

/// One interval of one variant.
#[derive(Clone, Debug, PartialEq)]
pub struct Timeline {
    /// The variant.
    pub variant: VariantRow,
    /// Its eligible samples in nanoseconds, in the order of `samples.csv`: those of timed blocks,
    /// with phase `measure` and status 0, that stamped the interval.
    pub values: Values,
    /// Samples that would be eligible and went wrong: their status is not 0.
    pub failed: usize,
    /// Eligible samples that did not stamp the interval.
    pub unstamped: usize,
}

/// That interval of every variant of a results directory, in the order of its variants.
///
/// # Errors
///
/// If a file of it is missing, foreign or garbled.
pub fn read(directory: &Path, interval: Interval) -> Result<Vec<Timeline>> {
    let mut recorded = Recorded::open(directory)?;
    let mut lines: Vec<Timeline> = recorded
        .variants()?
        .into_iter()
        .map(|variant| Timeline { variant, values: Values::new(), failed: 0, unstamped: 0 })
        .collect();
    let index_of: HashMap<u32, usize> =
        lines.iter().enumerate().map(|(index, line)| (line.variant.variant, index)).collect();
    let timed: Vec<bool> =
        recorded.blocks().iter().map(|block| block.kind == BlockKind::Time).collect();
    let mut last = None;
    recorded.samples(|block, sample| {
        let index = match last {
            Some((variant, index)) if variant == sample.variant => index,
            _ => *index_of.get(&sample.variant).ok_or_else(|| {
                format!("variant {} does not stand in variants.csv", sample.variant)
            })?,
        };
        last = Some((sample.variant, index));
        if timed[block] && sample.phase == Phase::Measure {
            let line = &mut lines[index];
            match length(sample, interval) {
                _ if sample.status != 0 => line.failed += 1,
                Some(length) => line.values.push(length),
                None => line.unstamped += 1,
            }
        }
        Ok(())
    })?;
    Ok(lines)
}

fn length(sample: &SampleRow, interval: Interval) -> Option<u64> {
    match interval {
        Interval::Blocked => sample.blocked_ns,
        Interval::Born => sample.born_ns,
        Interval::Image => sample.image_ns,
        Interval::Reaped => sample.reaped_ns,
        Interval::Rewrite => sample.rewrite_ns,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyse::cells::Cells;
    use crate::model::row::Role;
    use crate::record::append::{Block, Writer};
    use crate::record::fixture;
    use crate::record::rows::BlockRow;

    #[test]
    fn the_eligible_samples_come_in_their_order() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("run");
        let variants = [
            fixture::variant(4, Role::Subject, "empty", "fork"),
            fixture::variant(9, Role::Subject, "empty", "vfork"),
        ];
        let mut writer = Writer::create(&path, &variants).unwrap();
        let kinds = [BlockKind::Warmup, BlockKind::Time, BlockKind::Count, BlockKind::Partial];
        for (block, kind) in (0..).zip(kinds) {
            let mut samples = Vec::new();
            for (phase, status, blocked) in [
                (Phase::Settle, 0, 1),
                (Phase::Measure, 0, 30),
                (Phase::Measure, 0, 20),
                (Phase::Measure, 7, 10),
            ] {
                let sample = fixture::sample(1, block, 9, blocked);
                samples.push(SampleRow { phase, status, ..sample });
            }
            samples.push(fixture::sample(1, block, 4, 40));
            let row = &BlockRow { kind, ..fixture::block(1, block) };
            writer
                .block(Block {
                    row,
                    samples: &samples,
                    readings: &[],
                    histograms: &[],
                    events: &[],
                })
                .unwrap();
        }
        writer.launch(&fixture::launch(1, 0, "empty")).unwrap();
        drop(writer);

        let lines = read(&path, Interval::Blocked).unwrap();
        let values: Vec<Vec<u64>> = lines.iter().map(|line| line.values.iter().collect()).collect();
        assert_eq!(values, [vec![40], vec![30, 20]]);
        assert_eq!((lines[0].failed, lines[1].failed, lines[1].unstamped), (0, 1, 0));
        // What is eligible here is what is eligible for every statistic.
        let cells = Cells::read(&path).unwrap();
        for (index, line) in lines.iter().enumerate() {
            assert_eq!(cells.cell(index, Interval::Blocked).count(), line.values.len());
        }
        assert_eq!(read(&path, Interval::Image).unwrap()[1].unstamped, 2);
        assert_eq!(read(&path, Interval::Reaped).unwrap()[1].values.get(0), 60);
    }
}
