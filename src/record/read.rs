//! Reads a results directory, finished or not, in one pass and bounded memory.
//!
//! Drops what a dead or living writer left unfinished (a torn last line, rows of a block without
//! its commit mark), counts what it dropped, and refuses whatever cannot be forkbench's.
//! `samples.csv` has a parser of its own, because it has millions of rows of integers; the other
//! files go through the csv crate. Where a file is not there and the same with `.gz` at its end is,
//! that is read.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{BufReader, ErrorKind, Read, Seek, SeekFrom};
use std::mem::replace;
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;

use super::archive::{self, Archive};
use super::error::{RecordError, Result};
use super::rows::{
    BlockRow, CellRow, CsvFile, EventRow, FILES, HistogramRow, LaunchRow, ReadingRow, Row,
    SampleRow, VariantRow,
};
use crate::model::row::Phase;

/// A results directory opened for reading.
#[derive(Debug)]
pub struct Recorded {
    directory: PathBuf,
    blocks: Vec<BlockRow>,
    committed: HashMap<(u32, u32), usize>,
    losses: Losses,
}

/// What was dropped while reading.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Losses {
    /// Files whose last line was torn.
    pub torn: Vec<&'static str>,
    /// Rows of blocks that have no row in `blocks.csv`.
    pub uncommitted_rows: usize,
}

impl Recorded {
    /// Opens a directory and reads which of its blocks are committed.
    ///
    /// # Errors
    ///
    /// If `blocks.csv` is missing, foreign or garbled, or names a block twice.
    pub fn open(directory: &Path) -> Result<Recorded> {
        let mut recorded = Recorded {
            directory: directory.to_path_buf(),
            blocks: Vec::new(),
            committed: HashMap::new(),
            losses: Losses::default(),
        };
        let blocks: Vec<BlockRow> = recorded.table()?;
        for (index, block) in blocks.iter().enumerate() {
            if recorded.committed.insert((block.launch, block.block), index).is_some() {
                let reason =
                    format!("block {} of launch {} stands here twice", block.block, block.launch);
                let path = directory.join(BlockRow::FILE.name);
                return Err(RecordError::garbled(&path, index as u64 + 2, reason));
            }
        }
        recorded.blocks = blocks;
        Ok(recorded)
    }

    /// The directory.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The committed blocks, in the order in which they were committed.
    pub fn blocks(&self) -> &[BlockRow] {
        &self.blocks
    }

    /// What was dropped by the calls so far.
    pub fn losses(&self) -> &Losses {
        &self.losses
    }

    /// The rows of `variants.csv`.
    ///
    /// # Errors
    ///
    /// If the file is missing, foreign or garbled.
    pub fn variants(&mut self) -> Result<Vec<VariantRow>> {
        self.table()
    }

    /// The rows of `launches.csv`.
    ///
    /// # Errors
    ///
    /// If the file is missing, foreign or garbled.
    pub fn launches(&mut self) -> Result<Vec<LaunchRow>> {
        self.table()
    }

    /// The rows of `events.csv`, those of uncommitted blocks included.
    ///
    /// # Errors
    ///
    /// If the file is missing, foreign or garbled.
    pub fn events(&mut self) -> Result<Vec<EventRow>> {
        self.table()
    }

    /// Hands each row of `readings.csv` to `each`, those outside any block included.
    ///
    /// # Errors
    ///
    /// If the file is missing, foreign or garbled.
    pub fn readings(&mut self, mut each: impl FnMut(ReadingRow)) -> Result<()> {
        self.rows(|recorded, row: ReadingRow| {
            if row.block.is_none_or(|block| recorded.keeps(row.launch, block)) {
                each(row);
            }
            Ok(())
        })
    }

    /// Hands each row of `histograms.csv` to `each`.
    ///
    /// # Errors
    ///
    /// If the file is missing, foreign or garbled.
    pub fn histograms(&mut self, mut each: impl FnMut(HistogramRow)) -> Result<()> {
        self.rows(|recorded, row: HistogramRow| {
            if recorded.keeps(row.launch, row.block) {
                each(row);
            }
            Ok(())
        })
    }

    /// Hands each row of `samples.csv` to `each`, with the index of its block in
    /// [`Recorded::blocks`]. The rows of a block stand together and come together.
    ///
    /// # Errors
    ///
    /// If the file is missing, foreign or garbled, the directory is archived, or `each` says that a
    /// row cannot be.
    pub fn samples(
        &mut self,
        mut each: impl FnMut(usize, &SampleRow) -> std::result::Result<(), String>,
    ) -> Result<()> {
        if self.archive()?.is_some() {
            let wanted = "nothing can be told of single samples";
            return Err(RecordError::Archived { path: self.directory.clone(), wanted });
        }
        let (path, mut file, mut left) = self.complete_part(SampleRow::FILE)?;
        check_header(&path, SampleRow::FILE, &mut file, &mut left)?;
        let mut line = 2;
        let mut current = None;
        let mut seen = vec![false; self.blocks.len()];
        let mut buffer = vec![0; CHUNK];
        let mut held = 0;
        while left > 0 || held > 0 {
            let wanted = (buffer.len() - held).min(usize::try_from(left).unwrap_or(usize::MAX));
            file.read_exact(&mut buffer[held..held + wanted])
                .map_err(|source| RecordError::system(&path, "read", source))?;
            left -= wanted as u64;
            held += wanted;
            let Some(end) = buffer[..held].iter().rposition(|&byte| byte == b'\n') else {
                return Err(RecordError::garbled(&path, line, "the line has no end"));
            };
            let mut fields = Fields { rest: &buffer[..=end] };
            while !fields.rest.is_empty() {
                let row = fields.sample().map_err(|r| RecordError::garbled(&path, line, r))?;
                let key = (row.launch, row.block);
                let index = match current {
                    Some((current, index)) if current == key => index,
                    _ => {
                        let index = self.committed.get(&key).copied();
                        if index.is_some_and(|index| replace(&mut seen[index], true)) {
                            let reason = "rows of this block stand further up, apart from these";
                            return Err(RecordError::garbled(&path, line, reason));
                        }
                        current = Some((key, index));
                        index
                    }
                };
                match index {
                    Some(index) => {
                        each(index, &row).map_err(|r| RecordError::garbled(&path, line, r))?;
                    }
                    None => self.losses.uncommitted_rows += 1,
                }
                line += 1;
            }
            buffer.copy_within(end + 1..held, 0);
            held -= end + 1;
        }
        Ok(())
    }

    /// What `archive.toml` says; none of a directory that has its samples.
    ///
    /// # Errors
    ///
    /// If the file is not TOML, or not what it must be.
    pub fn archive(&self) -> Result<Option<Archive>> {
        if found(&self.directory, SampleRow::FILE).is_some() {
            return Ok(None);
        }
        let table = match toml(&self.directory, archive::FILE) {
            Err(RecordError::Missing { .. }) => return Ok(None),
            other => other?,
        };
        let path = self.directory.join(archive::FILE);
        match table.get("schema").and_then(toml::Value::as_str) {
            Some(archive::SCHEMA) => table
                .try_into()
                .map(Some)
                .map_err(|error: toml::de::Error| RecordError::garbled(&path, 1, error.message())),
            other => Err(RecordError::Schema {
                path,
                found: other.unwrap_or_default().chars().take(40).collect(),
                known: archive::SCHEMA,
            }),
        }
    }

    /// Takes on what was dropped of the samples when the archive was made.
    pub fn inherit(&mut self, archive: &Archive) {
        self.losses.uncommitted_rows += archive.uncommitted_rows;
        if archive.torn {
            self.losses.torn.push(SampleRow::FILE.name);
        }
    }

    /// Hands each row of `cells.csv` of an archived directory to `each`, with the index of its block
    /// in [`Recorded::blocks`]; none for a row of no single block.
    ///
    /// # Errors
    ///
    /// If the file is missing, foreign or garbled, a row is of a block that was not committed, or
    /// `each` says that a row cannot be.
    pub fn cells(
        &mut self,
        mut each: impl FnMut(Option<usize>, CellRow) -> std::result::Result<(), String>,
    ) -> Result<()> {
        self.rows(|recorded, row: CellRow| {
            let index = match (row.launch, row.block) {
                (Some(launch), Some(block)) => {
                    let index = recorded.committed.get(&(launch, block)).copied();
                    let missing =
                        || format!("block {block} of launch {launch} does not stand in blocks.csv");
                    Some(index.ok_or_else(missing)?)
                }
                _ => None,
            };
            each(index, row)
        })
    }

    /// What `environment.toml` says.
    ///
    /// # Errors
    ///
    /// If the file is missing or is not TOML.
    pub fn environment(&self) -> Result<toml::Table> {
        environment(&self.directory)
    }

    /// What `plan.toml` says.
    ///
    /// # Errors
    ///
    /// If the file is missing, is not TOML, or has a schema that is not known.
    pub fn plan(&self) -> Result<toml::Table> {
        let plan = toml(&self.directory, "plan.toml")?;
        match plan.get("schema").and_then(toml::Value::as_str) {
            Some(schema) if schema != PLAN_SCHEMA => Err(RecordError::Schema {
                path: self.directory.join("plan.toml"),
                found: schema.chars().take(40).collect(),
                known: PLAN_SCHEMA,
            }),
            _ => Ok(plan),
        }
    }

    fn keeps(&mut self, launch: u32, block: u32) -> bool {
        let keeps = self.committed.contains_key(&(launch, block));
        self.losses.uncommitted_rows += usize::from(!keeps);
        keeps
    }

    fn table<R: Row>(&mut self) -> Result<Vec<R>> {
        let mut rows = Vec::new();
        self.rows(|_, row| {
            rows.push(row);
            Ok(())
        })?;
        Ok(rows)
    }

    fn rows<R: Row>(
        &mut self,
        mut each: impl FnMut(&mut Recorded, R) -> std::result::Result<(), String>,
    ) -> Result<()> {
        let (path, mut file, mut left) = self.complete_part(R::FILE)?;
        check_header(&path, R::FILE, &mut file, &mut left)?;
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .from_reader(BufReader::new(file).take(left));
        for (index, row) in reader.deserialize().enumerate() {
            let row = row.map_err(|error: csv::Error| match error.into_kind() {
                csv::ErrorKind::Io(source) => RecordError::system(&path, "read", source),
                // Rows are lines, and the header is line 1.
                csv::ErrorKind::Deserialize { err, .. } => {
                    RecordError::garbled(&path, index as u64 + 2, explain::<R>(&err))
                }
                csv::ErrorKind::UnequalLengths { len, .. } => RecordError::garbled(
                    &path,
                    index as u64 + 2,
                    format!("{len} cells where the header has {}", R::FILE.columns.len()),
                ),
                other => RecordError::garbled(&path, index as u64 + 2, format!("{other:?}")),
            })?;
            each(self, row)
                .map_err(|reason| RecordError::garbled(&path, index as u64 + 2, reason))?;
        }
        Ok(())
    }

    /// Opens a file and measures its part up to the last line break; what follows is torn.
    fn complete_part(
        &mut self,
        csv_file: &'static CsvFile,
    ) -> Result<(PathBuf, Box<dyn Read>, u64)> {
        let (complete, torn) = match found(&self.directory, csv_file) {
            Some(path) if is_compressed(&path) => {
                let mut unpacked = MultiGzDecoder::new(BufReader::new(open(&path)?));
                complete_length_of_stream(&mut unpacked).map_err(|cause| damaged(&path, &cause))?
            }
            _ => {
                let path = self.directory.join(csv_file.name);
                complete_length(&mut open(&path)?)
                    .map_err(|source| RecordError::system(&path, "read", source))?
            }
        };
        if torn && !self.losses.torn.contains(&csv_file.name) {
            self.losses.torn.push(csv_file.name);
        }
        let (path, reader) = unpacked(&self.directory, csv_file)?;
        Ok((path, reader, complete))
    }
}

/// What the name of a compressed file ends with.
pub const COMPRESSED: &str = ".gz";

/// Where a file of a directory is, plain or compressed; none where it is not.
fn found(directory: &Path, csv_file: &CsvFile) -> Option<PathBuf> {
    let names = [csv_file.name.to_owned(), format!("{}{COMPRESSED}", csv_file.name)];
    // What may not be looked at is there as far as anyone can say: reading it tells what is wrong.
    let is_there = |path: &PathBuf| path.try_exists().unwrap_or(true);
    names.into_iter().map(|name| directory.join(name)).find(is_there)
}

fn is_compressed(path: &Path) -> bool {
    path.as_os_str().as_encoded_bytes().ends_with(COMPRESSED.as_bytes())
}

/// The bytes of a file of a directory, whether it is compressed or not, and its path.
fn unpacked(directory: &Path, csv_file: &CsvFile) -> Result<(PathBuf, Box<dyn Read>)> {
    let path = found(directory, csv_file).unwrap_or_else(|| directory.join(csv_file.name));
    let file = open(&path)?;
    let reader: Box<dyn Read> = if is_compressed(&path) {
        Box::new(MultiGzDecoder::new(BufReader::new(file)))
    } else {
        Box::new(file)
    };
    Ok((path, reader))
}

/// All bytes of a file of a directory, unpacked.
///
/// # Errors
///
/// If it is missing, or cannot be read or unpacked.
pub(super) fn content(directory: &Path, csv_file: &CsvFile) -> Result<Vec<u8>> {
    let (path, mut reader) = unpacked(directory, csv_file)?;
    let mut content = Vec::new();
    reader.read_to_end(&mut content).map_err(|cause| match is_compressed(&path) {
        true => damaged(&path, &cause),
        false => RecordError::system(&path, "read", cause),
    })?;
    Ok(content)
}

fn damaged(path: &Path, cause: &std::io::Error) -> RecordError {
    RecordError::Damaged { path: path.to_path_buf(), reason: cause.to_string() }
}

/// That a run can go on in a directory: that it is neither archived nor compressed.
pub(super) fn grows(directory: &Path) -> Result<()> {
    if directory.join(archive::FILE).exists() {
        let (path, wanted) = (directory.to_path_buf(), "no run can go on in it");
        return Err(RecordError::Archived { path, wanted });
    }
    let compressed = FILES.into_iter().filter_map(|file| found(directory, file));
    match compressed.into_iter().find(|path| is_compressed(path)) {
        Some(path) => Err(RecordError::Compressed { path }),
        None => Ok(()),
    }
}

/// What `environment.toml` of a directory says, whatever else is there.
///
/// # Errors
///
/// If the file is missing or is not TOML.
pub fn environment(directory: &Path) -> Result<toml::Table> {
    toml(directory, "environment.toml")
}

fn toml(directory: &Path, name: &str) -> Result<toml::Table> {
    let path = directory.join(name);
    let text = fs::read_to_string(&path).map_err(|source| unreadable(&path, source))?;
    text.parse().map_err(|error: toml::de::Error| {
        let before = error.span().map_or(0, |span| span.start);
        let line = 1 + text.bytes().take(before).filter(|&byte| byte == b'\n').count();
        RecordError::garbled(&path, line as u64, error.message())
    })
}

/// The name and version of what `plan.toml` holds.
pub const PLAN_SCHEMA: &str = "forkbench.plan/1";

/// Bytes of `samples.csv` that are looked at together; far more than a line.
const CHUNK: usize = 1 << 20;

/// Opens a file for reading.
pub(super) fn open(path: &Path) -> Result<File> {
    File::open(path).map_err(|source| unreadable(path, source))
}

fn unreadable(path: &Path, source: std::io::Error) -> RecordError {
    match source.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => {
            RecordError::Missing { path: path.to_path_buf() }
        }
        _ => RecordError::system(path, "read", source),
    }
}

/// Length of a file up to and with its last line break, and whether anything follows it. Leaves
/// the file at its start.
pub(super) fn complete_length(file: &mut File) -> std::io::Result<(u64, bool)> {
    let length = file.seek(SeekFrom::End(0))?;
    let mut buffer = [0; 4096];
    let mut end = length;
    let mut complete = 0;
    while end > 0 {
        let start = end.saturating_sub(buffer.len() as u64);
        let part = &mut buffer[..(end - start) as usize];
        file.seek(SeekFrom::Start(start))?;
        file.read_exact(part)?;
        if let Some(at) = part.iter().rposition(|&byte| byte == b'\n') {
            complete = start + at as u64 + 1;
            break;
        }
        end = start;
    }
    file.rewind()?;
    Ok((complete, complete < length))
}

/// The same of what can only be read once.
fn complete_length_of_stream(stream: &mut impl Read) -> std::io::Result<(u64, bool)> {
    let mut buffer = vec![0; 1 << 16];
    let (mut length, mut complete) = (0, 0);
    loop {
        let part = match stream.read(&mut buffer) {
            Ok(0) => return Ok((complete, complete < length)),
            Ok(part) => part,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if let Some(at) = buffer[..part].iter().rposition(|&byte| byte == b'\n') {
            complete = length + at as u64 + 1;
        }
        length += part as u64;
    }
}

/// Reads the header, at the start of the file, and takes its length off `left`.
pub(super) fn check_header(
    path: &Path,
    csv_file: &CsvFile,
    file: &mut impl Read,
    left: &mut u64,
) -> Result<()> {
    let expected = csv_file.header();
    let mut start = Vec::new();
    let mut read_on = |start: &mut Vec<u8>| {
        let room = (expected.len() as u64).min(*left - start.len() as u64);
        let read = file.by_ref().take(room).read_to_end(start);
        read.map_err(|source| RecordError::system(path, "read", source))
    };
    read_on(&mut start)?;
    if start == expected.as_bytes() {
        *left -= expected.len() as u64;
        return Ok(());
    }
    // As many columns again, so that those of a newer version can be named.
    read_on(&mut start)?;
    let first = start.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let found = String::from_utf8_lossy(first).trim_end().to_string();
    let expected = expected.trim_end().to_string();
    let names: Vec<&str> = found.split(',').collect();
    if csv_file.columns.iter().all(|column| names.contains(&column.name)) {
        let unknown: Vec<&str> = names
            .into_iter()
            .filter(|name| csv_file.columns.iter().all(|column| column.name != *name))
            .collect();
        if !unknown.is_empty() {
            return Err(RecordError::Newer {
                path: path.to_path_buf(),
                columns: unknown.join(","),
            });
        }
    }
    let found = found.chars().take(expected.len()).collect();
    Err(RecordError::Foreign { path: path.to_path_buf(), expected, found })
}

/// What is wrong with a row, naming the column where that is known.
fn explain<R: Row>(error: &csv::DeserializeError) -> String {
    let place = error.field().and_then(|field| usize::try_from(field).ok());
    match place.and_then(|place| R::FILE.columns.get(place)) {
        Some(column) => format!("`{}`: {}", column.name, error.kind()),
        None => error.kind().to_string(),
    }
}

/// The cells of complete lines, taken from the front.
struct Fields<'a> {
    rest: &'a [u8],
}

impl Fields<'_> {
    fn sample(&mut self) -> std::result::Result<SampleRow, String> {
        Ok(SampleRow {
            launch: self.small("launch")?,
            block: self.small("block")?,
            round: self.small("round")?,
            turn: self.small("turn")?,
            pos: self.small("pos")?,
            phase: self.phase()?,
            variant: self.small("variant")?,
            start_ns: self.number("start_ns", b',')?.ok_or("`start_ns` is empty")?,
            blocked_ns: self.number("blocked_ns", b',')?,
            born_ns: self.number("born_ns", b',')?,
            image_ns: self.number("image_ns", b',')?,
            reaped_ns: self.number("reaped_ns", b',')?,
            rewrite_ns: self.number("rewrite_ns", b',')?,
            blocked_cpu_ns: self.number("blocked_cpu_ns", b',')?,
            parent_cpu: self.optional_small("parent_cpu")?,
            child_cpu: self.optional_small("child_cpu")?,
            status: self.status()?,
        })
    }

    /// The next cell as a number; none if it is empty.
    #[inline]
    fn number(&mut self, column: &str, end: u8) -> std::result::Result<Option<u64>, String> {
        let mut value: u64 = 0;
        for (index, &byte) in self.rest.iter().enumerate() {
            let digit = byte.wrapping_sub(b'0');
            if digit < 10 {
                value = value
                    .checked_mul(10)
                    .and_then(|tens| tens.checked_add(u64::from(digit)))
                    .ok_or_else(|| format!("`{column}` does not fit 64 bits"))?;
            } else if byte == end {
                self.rest = &self.rest[index + 1..];
                return Ok((index > 0).then_some(value));
            } else {
                return Err(unexpected(column, byte));
            }
        }
        Err(format!("the line ends before `{column}`"))
    }

    #[inline]
    fn small(&mut self, column: &str) -> std::result::Result<u32, String> {
        self.optional_small(column)?.ok_or_else(|| format!("`{column}` is empty"))
    }

    #[inline]
    fn optional_small(&mut self, column: &str) -> std::result::Result<Option<u32>, String> {
        self.number(column, b',')?
            .map(|value| {
                u32::try_from(value).map_err(|_| format!("`{column}` does not fit 32 bits"))
            })
            .transpose()
    }

    fn phase(&mut self) -> std::result::Result<Phase, String> {
        let phases: [(&[u8], Phase); 3] = [
            (b"measure,", Phase::Measure),
            (b"settle,", Phase::Settle),
            (b"warmup,", Phase::Warmup),
        ];
        for (word, phase) in phases {
            if let Some(rest) = self.rest.strip_prefix(word) {
                self.rest = rest;
                return Ok(phase);
            }
        }
        Err("`phase` is none of warmup, settle, measure".to_string())
    }

    fn status(&mut self) -> std::result::Result<i32, String> {
        let negative = self.rest.first() == Some(&b'-');
        self.rest = &self.rest[usize::from(negative)..];
        let size = self.number("status", b'\n')?.ok_or("`status` is empty")?;
        let value = i64::try_from(size).ok().map(|size| if negative { -size } else { size });
        value
            .and_then(|value| i32::try_from(value).ok())
            .ok_or_else(|| "`status` does not fit 32 bits".to_string())
    }
}

#[cold]
fn unexpected(column: &str, byte: u8) -> String {
    match byte {
        b'\n' => format!("the line ends in `{column}`"),
        b',' => format!("there are more cells after `{column}` than the header has"),
        _ => format!("`{}` in `{column}`, which is a number", byte.escape_ascii()),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use proptest::prelude::*;
    use tempfile::TempDir;

    use super::*;
    use crate::model::row::Role;
    use crate::record::append::{Block, Writer};
    use crate::record::fixture;
    use crate::record::rows::FILES;

    /// A run of two blocks of three samples.
    fn run() -> TempDir {
        let directory = tempfile::tempdir().unwrap();
        let variants = [fixture::variant(0, Role::Subject, "empty", "fork")];
        let mut writer = Writer::create(directory.path(), &variants).unwrap();
        for block in 1..=2 {
            let samples: Vec<SampleRow> =
                (0..3).map(|index| fixture::sample(1, block, 0, 40_000 + index)).collect();
            writer
                .block(Block {
                    row: &fixture::block(1, block),
                    samples: &samples,
                    readings: &[fixture::faults(
                        1,
                        block,
                        0,
                        crate::model::row::Scope::Child,
                        60,
                        3,
                    )],
                    histograms: &[],
                    events: &[fixture::stuck(1, block)],
                })
                .unwrap();
        }
        writer.launch(&fixture::launch(1, 0, "empty")).unwrap();
        directory
    }

    fn append(run: &TempDir, file: &str, text: &str) {
        let mut file = File::options().append(true).open(run.path().join(file)).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }

    /// Everything that can be read, with what was dropped.
    fn read_all(directory: &Path) -> Result<(usize, usize, usize, Losses)> {
        let mut recorded = Recorded::open(directory)?;
        let (mut samples, mut readings) = (0, 0);
        recorded.variants()?;
        recorded.launches()?;
        recorded.samples(|_, _| {
            samples += 1;
            Ok(())
        })?;
        recorded.readings(|_| readings += 1)?;
        recorded.histograms(|_| {})?;
        let events = recorded.events()?.len();
        Ok((samples, readings, events, recorded.losses().clone()))
    }

    #[test]
    fn a_whole_run_is_read_without_loss() {
        assert_eq!(read_all(run().path()).unwrap(), (6, 2, 2, Losses::default()));
    }

    #[test]
    fn a_torn_last_line_is_dropped_and_told() {
        for (file, torn) in [
            ("samples.csv", "1,2,1,0,3,measure,0,12345"),
            ("samples.csv", "1,2"),
            ("readings.csv", "1,2,0,minor_fa"),
            ("events.csv", "1,2,,stuck,4711,,\"state S, "),
            ("launches.csv", "2,0,empty,do"),
            ("blocks.csv", "1,3,time"),
        ] {
            let run = run();
            append(&run, file, torn);
            let expected = Losses { torn: vec![file], uncommitted_rows: 0 };
            assert_eq!(read_all(run.path()).unwrap(), (6, 2, 2, expected), "{file}: {torn}");
        }
    }

    #[test]
    fn rows_of_a_block_without_its_mark_are_dropped_and_counted_but_events_stay() {
        let run = run();
        let row = "1,3,1,0,3,measure,0,1,2,,,3,,4,0,0,0\n";
        append(&run, "samples.csv", &row.repeat(2));
        append(&run, "readings.csv", "1,3,0,minor_faults,child,spawn,60,3\n");
        append(&run, "readings.csv", "1,,,rss_bytes,parent,asked,4096,0\n");
        append(&run, "events.csv", "1,3,,stuck,,,in futex\n");
        let expected = Losses { torn: vec![], uncommitted_rows: 3 };
        assert_eq!(read_all(run.path()).unwrap(), (6, 3, 3, expected));
    }

    fn compress(directory: &Path, file: &str) -> PathBuf {
        let (plain, packed) = (directory.join(file), directory.join(format!("{file}.gz")));
        let content = fs::read(&plain).unwrap();
        let file = File::create(&packed).unwrap();
        let mut out = flate2::write::GzEncoder::new(file, flate2::Compression::default());
        out.write_all(&content).unwrap();
        out.finish().unwrap();
        fs::remove_file(&plain).unwrap();
        packed
    }

    #[test]
    fn compressed_files_are_read_as_they_are_and_torn_ones_too() {
        for file in FILES {
            let run = run();
            compress(run.path(), file.name);
            assert_eq!(
                read_all(run.path()).unwrap(),
                (6, 2, 2, Losses::default()),
                "{}",
                file.name
            );
        }
        let torn = run();
        append(&torn, "samples.csv", "1,2,1,0");
        let packed = compress(torn.path(), "samples.csv");
        let expected = Losses { torn: vec!["samples.csv"], uncommitted_rows: 0 };
        assert_eq!(read_all(torn.path()).unwrap(), (6, 2, 2, expected));
        let content = fs::read(&packed).unwrap();
        for length in [0, 5, content.len() / 2, content.len() - 3] {
            fs::write(&packed, &content[..length]).unwrap();
            let error = read_all(torn.path()).unwrap_err();
            let is_told =
                matches!(error, RecordError::Damaged { .. } | RecordError::Foreign { .. });
            assert!(is_told, "{length}: {error:?}");
        }
    }

    #[test]
    fn an_archive_that_is_none_is_told() {
        let run = run();
        fs::remove_file(run.path().join("samples.csv")).unwrap();
        for (text, told) in [
            ("schema = 1\n", "its schema is ``"),
            ("schema = \"forkbench.archive/9\"\n", "its schema is `forkbench.archive/9`"),
            ("schema = \"forkbench.archive/1\"\n", "archive.toml:1: missing field"),
        ] {
            fs::write(run.path().join("archive.toml"), text).unwrap();
            let error = read_all(run.path()).unwrap_err().to_string();
            assert!(error.contains(told), "{error}");
        }
    }

    #[test]
    fn a_missing_file_is_named() {
        for file in FILES {
            let run = run();
            fs::remove_file(run.path().join(file.name)).unwrap();
            let error = read_all(run.path()).unwrap_err();
            assert!(matches!(error, RecordError::Missing { .. }), "{error:?}");
            assert!(error.to_string().contains(file.name), "{error}");
        }
        let error = read_all(Path::new("/proc/self/cmdline")).unwrap_err();
        assert!(matches!(error, RecordError::Missing { .. }), "{error:?}");
    }

    #[test]
    fn a_foreign_file_is_refused() {
        for content in ["", "name,count\na,1\n", "launch", "\u{0}\u{1}\n", "launch,block\n1,2\n"] {
            let run = run();
            fs::write(run.path().join("samples.csv"), content).unwrap();
            let error = read_all(run.path()).unwrap_err();
            assert!(matches!(error, RecordError::Foreign { .. }), "{content:?}: {error:?}");
            assert!(
                error.to_string().contains("samples.csv:1: not a file of forkbench"),
                "{error}"
            );
        }
    }

    #[test]
    fn unknown_columns_mean_a_newer_version() {
        for file in FILES {
            let run = run();
            let header = file.header().trim_end().to_string() + ",mood,weather\n";
            fs::write(run.path().join(file.name), header).unwrap();
            let error = read_all(run.path()).unwrap_err();
            assert!(matches!(error, RecordError::Newer { .. }), "{error:?}");
            assert!(error.to_string().contains("`mood,weather` are not known"), "{error}");
        }
    }

    #[test]
    fn a_garbled_line_is_named_with_its_column() {
        for (file, line, told) in [
            ("samples.csv", "1,2,1,0,3,measure,0,x", "samples.csv:8: `x` in `start_ns`"),
            ("samples.csv", "1,2,1,0,3,dinner,0,1,,,,,,,,,0", "samples.csv:8: `phase` is none of"),
            ("samples.csv", "1,2", "samples.csv:8: the line ends in `block`"),
            ("samples.csv", "1,2,1,0,3,measure,0,1,,,,,,,,,0,9", "more cells after `status`"),
            ("samples.csv", "1,2,1,0,3,measure,0,1,,,,,,,,,", "`status` is empty"),
            ("samples.csv", "4294967296,2,", "`launch` does not fit 32 bits"),
            ("samples.csv", "1,2,1,0,3,measure,0,18446744073709551616,", "does not fit 64 bits"),
            ("samples.csv", "1,2,1,0,3,measure,0,1,,,,,,,,,-2147483649", "`status` does not fit"),
            (
                "readings.csv",
                "1,2,0,minor_faults,cousin,spawn,1,1",
                "readings.csv:4: unknown variant `cousin`",
            ),
            ("readings.csv", "1,2,0", "readings.csv:4: 3 cells where the header has 8"),
            ("blocks.csv", "1,2,time,0-1,2,3,4,5", "blocks.csv:4: block 2 of launch 1 stands"),
            ("launches.csv", "1,0,empty,done,,-1,,3,", "launches.csv:3: `started_ns`"),
        ] {
            let run = run();
            append(&run, file, &format!("{line}\n"));
            let error = read_all(run.path()).unwrap_err();
            assert!(matches!(error, RecordError::Garbled { .. }), "{line}: {error:?}");
            assert!(error.to_string().contains(told), "{line}: {error}");
        }
    }

    #[test]
    fn rows_of_one_block_in_two_places_are_refused() {
        let run = run();
        append(&run, "samples.csv", "1,1,1,0,3,measure,0,1,2,,,3,,4,0,0,0\n");
        let error = read_all(run.path()).unwrap_err().to_string();
        assert!(error.contains("samples.csv:8: rows of this block stand further up"), "{error}");
    }

    #[test]
    fn toml_errors_name_their_line() {
        let run = run();
        fs::write(run.path().join("plan.toml"), "seed = 1\nvs = \n").unwrap();
        let error = Recorded::open(run.path()).unwrap().plan().unwrap_err().to_string();
        assert!(error.contains("plan.toml:2: "), "{error}");
    }

    /// The parser of its own and the csv crate must read the same.
    #[test]
    fn every_phase_and_status_is_read_as_serde_reads_it() {
        for phase in [Phase::Warmup, Phase::Settle, Phase::Measure] {
            for status in [0, 1, -11, i32::MAX, i32::MIN] {
                let row = SampleRow { phase, status, ..fixture::sample(1, 2, 3, 4) };
                let mut writer = csv::WriterBuilder::new().has_headers(false).from_writer(vec![]);
                writer.serialize(&row).unwrap();
                let text = writer.into_inner().unwrap();
                let mut fields = Fields { rest: &text };
                assert_eq!(fields.sample().unwrap(), row);
                assert!(fields.rest.is_empty());
            }
        }
    }

    #[test]
    fn lines_are_found_across_the_edges_of_chunks() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("text");
        for length in [0, 1, 4095, 4096, 4097, 10_000] {
            fs::write(&path, [b"a\n".as_slice(), &vec![b'x'; length]].concat()).unwrap();
            let found = complete_length(&mut File::open(&path).unwrap()).unwrap();
            assert_eq!(found, (2, length > 0));
        }
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_make_a_reader_panic(
            file in 0..FILES.len(),
            keep_header: bool,
            bytes in proptest::collection::vec(any::<u8>(), 0..400),
        ) {
            let run = run();
            let header = if keep_header { FILES[file].header() } else { String::new() };
            fs::write(run.path().join(FILES[file].name), [header.as_bytes(), &bytes].concat())
                .unwrap();
            let _ = read_all(run.path());
        }

        #[test]
        fn almost_right_samples_never_make_a_reader_panic(
            text in "[0-9,\\-\nmeasuretlwp\"]{0,300}",
        ) {
            let run = run();
            append(&run, "samples.csv", &text);
            let _ = read_all(run.path());
        }
    }
}
