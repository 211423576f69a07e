//! Makes the directory of an interrupted run safe to append to, and says what it holds.
//!
//! Cuts off torn last lines and the rows of a block whose commit mark was never written: those
//! rows would come to life when the block is run again under the same number. Nothing else is
//! ever removed.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use super::error::{RecordError, Result};
use super::read::{Recorded, check_header, complete_length, open};
use super::rows::{FILES, HistogramRow, ReadingRow, Row, SampleRow};

/// What an interrupted run has safely on disk.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Committed {
    /// The committed blocks, as (launch, block).
    pub blocks: BTreeSet<(u32, u32)>,
    /// Bytes that were cut off: torn lines and rows of the block that was being written.
    pub bytes_cut: u64,
}

/// Cuts off what is unfinished. The caller must hold the directory's lock.
///
/// # Errors
///
/// If a file is missing, foreign or garbled, cannot be cut, or has rows of an uncommitted block
/// in front of others, where no writer of ours leaves them.
pub(super) fn repair(directory: &Path) -> Result<Committed> {
    let recorded = Recorded::open(directory)?;
    let blocks: BTreeSet<(u32, u32)> =
        recorded.blocks().iter().map(|row| (row.launch, row.block)).collect();
    let mut bytes_cut = 0;
    for csv_file in FILES {
        let path = directory.join(csv_file.name);
        let mut file = open(&path)?;
        let (complete, _) = complete_length(&mut file)
            .map_err(|source| RecordError::system(&path, "read", source))?;
        let mut left = complete;
        check_header(&path, csv_file, &mut file, &mut left)?;
        let by_block = [SampleRow::FILE, ReadingRow::FILE, HistogramRow::FILE];
        let keep = if by_block.contains(&csv_file) {
            committed_length(&path, file, complete - left, left, &blocks)?
        } else {
            complete
        };
        bytes_cut += cut(&path, keep)?;
    }
    Ok(Committed { blocks, bytes_cut })
}

/// Length of a file up to the end of its last row that counts.
fn committed_length(
    path: &Path,
    file: File,
    header: u64,
    rows: u64,
    committed: &BTreeSet<(u32, u32)>,
) -> Result<u64> {
    let mut reader = BufReader::with_capacity(1 << 18, file).take(rows);
    let mut line = Vec::new();
    let mut number = 1;
    let mut end = header;
    let mut kept = header;
    let mut uncommitted = None;
    loop {
        line.clear();
        let length = reader
            .read_until(b'\n', &mut line)
            .map_err(|source| RecordError::system(path, "read", source))?;
        if length == 0 {
            return Ok(kept);
        }
        number += 1;
        end += length as u64;
        let (launch, block) =
            block_of(&line).map_err(|reason| RecordError::garbled(path, number, reason))?;
        if block.is_some_and(|block| !committed.contains(&(launch, block))) {
            uncommitted.get_or_insert(number);
        } else if let Some(number) = uncommitted {
            let reason = "this row is of a block that is not in blocks.csv, yet rows follow it \
                          that count";
            return Err(RecordError::garbled(path, number, reason));
        } else {
            kept = end;
        }
    }
}

/// The first two cells of a row: its launch, and its block if it has one.
fn block_of(line: &[u8]) -> std::result::Result<(u32, Option<u32>), &'static str> {
    let mut cells = line.splitn(3, |&byte| byte == b',').map(|cell| str::from_utf8(cell).ok());
    let mut cell = || cells.next().flatten();
    let launch = cell().and_then(|text| text.parse().ok()).ok_or("`launch` is not a number")?;
    match cell() {
        Some("") => Ok((launch, None)),
        Some(text) => text.parse().map(|b| (launch, Some(b))).or(Err("`block` is not a number")),
        None => Err("there is no `block`"),
    }
}

/// Shortens a file, and says by how many bytes.
fn cut(path: &Path, length: u64) -> Result<u64> {
    let refused = |source| RecordError::system(path, "shorten", source);
    let file = File::options().write(true).open(path).map_err(refused)?;
    let before = file.metadata().map_err(refused)?.len();
    if before > length {
        file.set_len(length).map_err(refused)?;
    }
    Ok(before.saturating_sub(length))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write;

    use tempfile::TempDir;

    use super::*;
    use crate::model::row::{Role, Scope};
    use crate::record::append::{Block, Writer};
    use crate::record::fixture;

    fn append(writer: &mut Writer, block: u32) {
        let samples = [fixture::sample(1, block, 0, 40_000), fixture::sample(1, block, 0, 50_000)];
        writer
            .block(Block {
                row: &fixture::block(1, block),
                samples: &samples,
                readings: &[fixture::faults(1, block, 0, Scope::Child, 60, 3)],
                histograms: &[],
                events: &[fixture::stuck(1, block)],
            })
            .unwrap();
    }

    fn run_of(blocks: u32) -> TempDir {
        let directory = tempfile::tempdir().unwrap();
        let variants = [fixture::variant(0, Role::Subject, "empty", "fork")];
        let mut writer = Writer::create(directory.path(), &variants).unwrap();
        (1..=blocks).for_each(|block| append(&mut writer, block));
        directory
    }

    fn contents(directory: &Path) -> Vec<String> {
        FILES.iter().map(|file| fs::read_to_string(directory.join(file.name)).unwrap()).collect()
    }

    /// Wherever the writer of the second block died: the first is safe, and running the second
    /// again gives what a run without a death gives.
    #[test]
    fn a_run_that_died_at_any_byte_of_a_block_is_resumed_as_if_it_had_not() {
        let (one, two) = (contents(run_of(1).path()), contents(run_of(2).path()));
        // The order in which a block is written, as indices into FILES; events stay.
        let written: Vec<usize> = vec![3, 4, 2];
        for (step, &dying) in written.iter().enumerate() {
            for cut in one[dying].len()..two[dying].len() {
                let run = run_of(1);
                for (index, file) in FILES.iter().enumerate() {
                    let text = match written.iter().position(|&other| other == index) {
                        Some(before) if before < step => two[index].as_str(),
                        Some(at) if at == step => &two[index][..cut],
                        _ => one[index].as_str(),
                    };
                    fs::write(run.path().join(file.name), text).unwrap();
                }
                let (mut writer, committed) = Writer::resume(run.path()).unwrap();
                assert_eq!(committed.blocks, BTreeSet::from([(1, 1)]));
                assert_eq!(writer.committed(), 1);
                assert_eq!(contents(run.path()), one, "cut {} at {cut}", FILES[dying].name);
                append(&mut writer, 2);
                assert_eq!(contents(run.path()), two);
            }
        }
    }

    #[test]
    fn what_counts_without_a_mark_is_kept() {
        let run = run_of(1);
        let (mut writer, _) = Writer::resume(run.path()).unwrap();
        writer.events(&[fixture::stuck(1, 9)]).unwrap();
        writer.launch(&fixture::launch(1, 0, "empty")).unwrap();
        let outside = crate::record::rows::ReadingRow {
            block: None,
            ..fixture::faults(1, 0, 0, Scope::Parent, 1, 1)
        };
        writer.readings(&[outside]).unwrap();
        drop(writer);
        let before = contents(run.path());
        let (_, committed) = Writer::resume(run.path()).unwrap();
        assert_eq!(committed.bytes_cut, 0);
        assert_eq!(contents(run.path()), before);
    }

    #[test]
    fn uncommitted_rows_in_front_of_others_are_refused() {
        let run = run_of(2);
        let path = run.path().join("samples.csv");
        let text = fs::read_to_string(&path).unwrap();
        let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
        lines.insert(1, "7,7,1,0,3,measure,0,1,2,,,3,,4,0,0,0\n");
        fs::write(&path, lines.concat()).unwrap();
        let error = Writer::resume(run.path()).unwrap_err().to_string();
        assert!(error.contains("samples.csv:2: this row is of a block"), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), lines.concat());
    }

    #[test]
    fn no_results_directory_is_not_resumed() {
        let directory = tempfile::tempdir().unwrap();
        let error = Writer::resume(directory.path()).unwrap_err();
        assert!(matches!(error, RecordError::Missing { .. }), "{error}");
        let run = run_of(1);
        let mut file = File::options().append(true).open(run.path().join("readings.csv")).unwrap();
        file.write_all(b"one,two\n").unwrap();
        let error = Writer::resume(run.path()).unwrap_err().to_string();
        assert!(error.contains("readings.csv:3: `launch` is not a number"), "{error}");
    }
}
