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
