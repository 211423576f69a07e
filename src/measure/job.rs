//! The whole job of a subject: what the harness writes to its standard input, as TOML.

use serde::{Deserialize, Serialize};

use crate::measure::tape::PROTOCOL;
use crate::measure::workload;
use crate::model::row::BlockKind;
use crate::model::setup::{Shape, Work};

/// Everything that a subject is to do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Job {
    /// [`PROTOCOL`] of the harness.
    pub protocol: u32,
    /// The seed of the run.
    pub seed: u64,
    /// The launch that this subject belongs to.
    pub launch: u32,
    /// The processor that the spawning thread is pinned to; absent: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu: Option<u32>,
    /// Every processor that the run may use.
    pub cpus: Vec<u32>,
    /// The path of the image `noop`; `dynamic` lies beside it.
    pub noop: String,
    /// The directory of the empty directories that `path-dirs` searches in vain; empty: there are
    /// none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub search: String,
    /// Bytes of the buffer that is written to scrub the caches before a cold sample.
    pub scrub_bytes: u64,
    /// Whether the bill after a fork is never asked for: memory is made writable again in the way
    /// that is cheaper and not told.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub without_bill: bool,
    /// What the subject looks like.
    pub shape: Shape,
    /// What takes turns in it.
    #[serde(rename = "variant")]
    pub variants: Vec<JobVariant>,
    /// Its blocks in order.
    #[serde(rename = "block")]
    pub blocks: Vec<JobBlock>,
}

/// One variant of a job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JobVariant {
    /// Its number in the run.
    pub variant: u32,
    /// Settling spawns at the start of its turn in round 0 of a block. In a timed block the caches
    /// are scrubbed just before the first of them.
    pub settle_first: u32,
    /// Settling spawns at the start of its later turns.
    pub settle: u32,
    /// Samples after them in each turn of a timed block.
    pub samples: u32,
    /// Samples in each turn of a counting block.
    pub counts: u32,
    /// What each of its turns does.
    pub work: Work,
}

/// One block of a job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JobBlock {
    /// Its number in the launch.
    pub block: u32,
    /// What it is for.
    pub kind: BlockKind,
    /// How many rounds it has.
    pub rounds: u32,
    /// A turn takes no further sample after this long, in nanoseconds, but at least one.
    pub turn_ns: u64,
}

/// The name of one of the empty directories that `path-dirs` searches in vain. All are of one
/// length: the bytes of a path are copied by every exec.
pub fn searched_directory(number: u32) -> String {
    format!("{number:04}")
}

/// Why a job cannot be done.
#[derive(Debug, thiserror::Error)]
pub enum BadJob {
    /// It is not a job.
    #[error("standard input holds no job: {0}")]
    Text(#[from] Box<toml::de::Error>),
    /// It comes from another version.
    #[error("the job has protocol {0} and this forkbench {PROTOCOL}: use one version for both")]
    Protocol(u32),
}

impl Job {
    /// Reads a job.
    pub fn parse(text: &str) -> Result<Job, BadJob> {
        let job: Job = toml::from_str(text).map_err(Box::new)?;
        if job.protocol != PROTOCOL {
            return Err(BadJob::Protocol(job.protocol));
        }
        Ok(job)
    }

    /// Writes it.
    pub fn to_text(&self) -> String {
        toml::to_string(self).expect("a job is plain data")
    }

    /// The largest number of frames that one block of it can write.
    pub fn most_frames(&self) -> u64 {
        self.blocks.iter().map(|block| self.frames_of(block)).max().unwrap_or(0) + SHAPE_FRAMES
    }

    fn frames_of(&self, block: &JobBlock) -> u64 {
        let in_turns = |settle: u32, variant: &JobVariant| {
            let own = workload::find(variant.work.workload).frames;
            let (samples, each) = match block.kind {
                BlockKind::Count => (variant.counts, FRAMES_PER_COUNTED_SPAWN),
                // A sample, and an event if it went wrong.
                _ => (variant.samples, 2),
            };
            2 * u64::from(settle) + u64::from(samples) * (each + own(&variant.work).sample)
        };
        let turns = |variant: &JobVariant| {
            in_turns(variant.settle_first, variant)
                + u64::from(block.rounds.saturating_sub(1)) * in_turns(variant.settle, variant)
        };
        let at_end = |variant: &JobVariant| {
            (workload::find(variant.work.workload).frames)(&variant.work).block
        };
        // One more event when a variant is given up.
        self.variants.iter().map(|variant| turns(variant) + at_end(variant) + 1).sum()
    }
}

/// Frames for what is seen of a shape, and for the end of a block.
const SHAPE_FRAMES: u64 = 128;

/// A sample, an event, and every reading for parent and child, around the spawn and the rewriting.
const FRAMES_PER_COUNTED_SPAWN: u64 = 2 + 2 * 2 * 16;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::setup::{Between, Image, Page};
    use crate::model::units::Size;

    #[test]
    fn a_job_survives_its_text() {
        let job = Job {
            protocol: PROTOCOL,
            seed: u64::from(u32::MAX) * 3,
            launch: 2,
            cpu: Some(1),
            cpus: vec![0, 1],
            noop: "/tmp/noop".to_owned(),
            search: "/tmp/search".to_owned(),
            scrub_bytes: 1 << 20,
            without_bill: false,
            shape: Shape { rss: Size::from_bytes(1 << 30), page: Page::Thp, ..Shape::default() },
            variants: vec![JobVariant {
                variant: 4,
                settle_first: 3,
                settle: 3,
                samples: 8,
                counts: 2,
                work: Work {
                    image: Image::Command(vec!["/bin/true".into(), "a b".into()]),
                    between: Between::Idle(30),
                    ..Work::default()
                },
            }],
            blocks: vec![JobBlock { block: 0, kind: BlockKind::Warmup, rounds: 1, turn_ns: 5 }],
        };
        assert_eq!(Job::parse(&job.to_text()).unwrap(), job);
    }

    #[test]
    fn what_is_no_job_is_refused() {
        assert!(matches!(Job::parse("x"), Err(BadJob::Text(_))));
        let error = Job::parse("protocol = 2\n").unwrap_err().to_string();
        assert!(error.contains("standard input"), "{error}");
    }
}
