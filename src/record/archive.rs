//! Archived results directories: the times of each block, sorted, in place of the samples.
//!
//! Owns what `archive.toml` holds, how a list of times stands in a cell of `cells.csv`, and how such
//! a directory is written. What is kept of a run, `analyse` decides; what else a directory holds is
//! copied as it stands. An archive is written once and never appended to.

use std::fs::{self, File, TryLockError};
use std::io::{self, BufWriter};
use std::path::Path;

use flate2::{Compression, GzBuilder};
use serde::{Deserialize, Serialize};

use super::error::{RecordError, Result};
use super::read::{self, COMPRESSED};
use super::rows::{BlockRow, CellRow, FILES, Row, SampleRow};

/// The file that makes a directory an archived one.
pub const FILE: &str = "archive.toml";

/// The name and version of what it holds.
pub const SCHEMA: &str = "forkbench.archive/1";

/// What was lost when the samples of a run were reduced: in whoever's report it is missed, it is
/// said in these words.
pub const LOST: [&str; 4] = [
    "which times are of one sample",
    "the order of the samples within a block, and when each began",
    "the samples of the pilot and of counted and unfinished blocks, but for how many there were",
    "the processor time and the processors of single samples, but for the counts in here",
];

/// Of how many units the smallest time of a row consists at least, where times are rounded: none is
/// then moved by more than 1 / 2048 of itself, and a ratio of two by less than a thousandth.
pub const FINENESS: u64 = 1024;

/// What `archive.toml` holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Archive {
    /// [`SCHEMA`].
    pub schema: String,
    /// The version of forkbench that reduced the samples.
    pub version: String,
    /// Whether every time is as it was measured; else none is off by more than 1 / 2048.
    pub exact: bool,
    /// Rows of `samples.csv` in committed blocks.
    pub samples: usize,
    /// Samples that statistics are made of.
    pub eligible: usize,
    /// Rows of `samples.csv` that were dropped since their block had no row in `blocks.csv`.
    pub uncommitted_rows: usize,
    /// Whether the last line of `samples.csv` was torn.
    pub torn: bool,
    /// What is not in here: [`LOST`].
    pub lost: Vec<String>,
    /// What the samples of each variant said beside their times, in the order of `variants.csv`.
    pub variants: Vec<VariantFacts>,
}

/// What the samples of one variant said beside their times.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VariantFacts {
    /// The variant.
    pub variant: u32,
    /// Samples with a status other than 0, in whatever block.
    pub failed: usize,
    /// Samples that statistics are made of.
    pub eligible: usize,
    /// Those of them, of spawns that copy page tables, whose wall and CPU time are both known.
    pub clocked: usize,
    /// Those of these whose wall time exceeds the CPU time by more than a fifth.
    pub contended: usize,
    /// Whether a child was ever seen on another processor than its parent; none if that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moved: Option<bool>,
}

/// Holds a directory that is to be archived, as long as what is returned lives.
///
/// # Errors
///
/// If a forkbench is writing to it, or it cannot be locked.
pub fn hold(directory: &Path) -> Result<Option<File>> {
    let path = directory.join(BlockRow::FILE.name);
    let Ok(marks) = File::open(&path) else {
        // Compressed, and so not written to; or not there, which reading it tells.
        return Ok(None);
    };
    match marks.try_lock_shared() {
        Ok(()) => Ok(Some(marks)),
        Err(TryLockError::WouldBlock) => Err(RecordError::Busy { path: directory.to_path_buf() }),
        Err(TryLockError::Error(cause)) => Err(RecordError::system(&path, "lock", cause)),
    }
}

/// The coarsest of 1, 2, 5, 10, 20, .. of which a time has at least [`FINENESS`].
pub fn unit_for(smallest: u64) -> u64 {
    let limit = (smallest / FINENESS).max(1);
    let tens = 10u64.pow(limit.ilog10());
    tens * match limit / tens {
        5.. => 5,
        2.. => 2,
        _ => 1,
    }
}

/// Sorted times as they stand in `values`: each rounded to the next multiple of `unit`, the first in
/// units, then what each is above the one before.
pub fn encode(times: impl Iterator<Item = u64>, unit: u64) -> String {
    let mut text = String::new();
    let mut before = 0;
    for time in times {
        let rounded = time / unit + u64::from(time % unit >= unit.div_ceil(2));
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(&(rounded - before).to_string());
        before = rounded;
    }
    text
}

/// The times that stand in `values`, in nanoseconds, sorted upwards.
///
/// # Errors
///
/// What is wrong with it.
pub fn decode(text: &str, unit: u64) -> std::result::Result<Vec<u64>, String> {
    if unit == 0 {
        return Err("`unit_ns` is 0".to_owned());
    }
    let mut sum: u64 = 0;
    text.split_ascii_whitespace()
        .map(|step| {
            let too_large = || "`values` has a time that does not fit 64 bits".to_owned();
            let step: u64 =
                step.parse().map_err(|_| format!("`{step}` in `values`, which are numbers"))?;
            sum = sum.checked_add(step).ok_or_else(too_large)?;
            // What was rounded up may have been the largest number there is.
            let time = u128::from(sum) * u128::from(unit);
            if time > u128::from(u64::MAX) + u128::from(unit) {
                return Err(too_large());
            }
            Ok(u64::try_from(time).unwrap_or(u64::MAX))
        })
        .collect()
}

/// Writes the archive of `source` into `target`, a directory that is not there yet: the reduced
/// times, and everything but the samples and the pictures as it stands in `source`, tables
/// compressed. What says that it is one comes last.
///
/// # Errors
///
/// If `target` exists, `source` cannot be read, or anything cannot be written; what has been written
/// by then is left for the caller to remove.
pub fn write(
    source: &Path,
    target: &Path,
    archive: &Archive,
    cells: impl Iterator<Item = CellRow>,
) -> Result<()> {
    fs::create_dir(target).map_err(|cause| RecordError::system(target, "create", cause))?;
    for file in FILES.into_iter().filter(|&file| file != SampleRow::FILE) {
        let content = read::content(source, file)?;
        let place = target.join(format!("{}{COMPRESSED}", file.name));
        compressed(&place, |out| out.write_all(&content))
            .map_err(|cause| RecordError::system(&place, "write", cause))?;
    }
    let place = target.join(format!("{}{COMPRESSED}", CellRow::FILE.name));
    compressed(&place, |out| {
        out.write_all(CellRow::FILE.header().as_bytes())?;
        let mut writer = csv::WriterBuilder::new().has_headers(false).from_writer(out);
        for row in cells {
            writer.serialize(row)?;
        }
        writer.flush()
    })
    .map_err(|cause| RecordError::system(&place, "write", cause))?;
    for name in ["environment.toml", "plan.toml", "verdict.json"] {
        let (from, to) = (source.join(name), target.join(name));
        match fs::copy(&from, &to) {
            // A run may have died before it had them.
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => {}
            Err(cause) => return Err(RecordError::system(&from, "copy", cause)),
            Ok(_) => {}
        }
    }
    let place = target.join(FILE);
    let text = toml::to_string(archive).map_err(|error| RecordError::Unwritable {
        path: place.clone(),
        reason: error.to_string(),
    })?;
    super::append::replace(&place, text.as_bytes())
}

/// Writes a file compressed by gzip, the same bytes for the same content.
fn compressed(
    path: &Path,
    write: impl FnOnce(&mut dyn io::Write) -> io::Result<()>,
) -> io::Result<()> {
    let file = BufWriter::new(File::create(path)?);
    let mut out = GzBuilder::new().mtime(0).write(file, Compression::best());
    write(&mut out)?;
    let file = out.finish()?.into_inner().map_err(io::IntoInnerError::into_error)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_unit_is_a_thousandth_in_round_numbers() {
        let units = [0, 1023, 1024, 2047, 2048, 5119, 5120, 10_239, 10_240, 43_217, 1_000_000_000];
        assert_eq!(units.map(unit_for), [1, 1, 1, 1, 2, 2, 5, 5, 10, 20, 500_000]);
        assert_eq!(unit_for(u64::MAX), 10_000_000_000_000_000);
    }

    #[test]
    fn a_list_is_its_first_and_then_differences() {
        let text = encode([43_217, 43_229, 43_231, 60_000].into_iter(), 20);
        assert_eq!(text, "2161 0 1 838");
        assert_eq!(decode(&text, 20).unwrap(), [43_220, 43_220, 43_240, 60_000]);
        assert_eq!(decode("", 1).unwrap(), [0; 0]);
        assert!(decode("1 x", 1).unwrap_err().contains("`x` in `values`"));
        assert!(decode("1 -1", 1).unwrap_err().contains("`-1`"));
        assert!(decode("18446744073709551615 1", 1).unwrap_err().contains("64 bits"));
        assert!(decode("18446744073709551615", 5).unwrap_err().contains("64 bits"));
    }

    proptest! {
        #[test]
        fn no_time_is_moved_by_more_than_a_2048th_and_by_nothing_in_units_of_one(
            mut times in proptest::collection::vec(
                prop_oneof![0..10u64, 0..1_000_000u64, any::<u64>()], 1..40,
            ),
        ) {
            times.sort_unstable();
            let exact = decode(&encode(times.iter().copied(), 1), 1).unwrap();
            prop_assert_eq!(&exact, &times);
            let unit = unit_for(times[0]);
            let rounded = decode(&encode(times.iter().copied(), unit), unit).unwrap();
            prop_assert_eq!(rounded.len(), times.len());
            for (&rounded, &time) in rounded.iter().zip(&times) {
                prop_assert!(u128::from(rounded.abs_diff(time)) * 2048 <= u128::from(time));
            }
        }

        #[test]
        fn arbitrary_text_never_makes_a_reader_panic(text in "[0-9 ,x-]{0,60}", unit: u64) {
            let _ = decode(&text, unit);
        }
    }
}
