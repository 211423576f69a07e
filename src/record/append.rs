//! Writes a results directory, so that every moment leaves it readable.
//!
//! A block is one complete write per file, its commit mark in `blocks.csv` last. Nothing is
//! buffered in this process between calls. Nothing is forced to the device either before
//! [`Writer::finish`]: a sync in the middle of a run disturbs what is measured, and only the death
//! of the whole machine can tell the difference.

use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::slice;

use serde::Serialize;

use super::error::{RecordError, Result};
use super::resume::{Committed, repair};
use super::rows::{
    BlockRow, EventRow, FILES, HistogramRow, LaunchRow, ReadingRow, Row, SampleRow, VariantRow,
};

/// Everything that one block adds to the directory.
#[derive(Clone, Copy, Debug)]
pub struct Block<'a> {
    /// Its row of `blocks.csv`, the commit mark.
    pub row: &'a BlockRow,
    /// Its rows of `samples.csv`.
    pub samples: &'a [SampleRow],
    /// Its rows of `readings.csv`.
    pub readings: &'a [ReadingRow],
    /// Its rows of `histograms.csv`.
    pub histograms: &'a [HistogramRow],
    /// Its rows of `events.csv`.
    pub events: &'a [EventRow],
}

/// A results directory that is being written; no other process can write to it meanwhile.
#[derive(Debug)]
pub struct Writer {
    directory: PathBuf,
    /// All files but the first, `variants.csv`, which never grows; in the order of [`FILES`].
    tails: Vec<Tail>,
    /// Blocks committed so far, those before a resume included.
    committed: usize,
}

impl Writer {
    /// Starts a results directory: makes it and its parents, writes the headers of all files and
    /// the rows of `variants.csv`.
    ///
    /// # Errors
    ///
    /// If the directory exists and is not empty, or cannot be made or written.
    pub fn create(directory: &Path, variants: &[VariantRow]) -> Result<Writer> {
        fs::create_dir_all(directory)
            .map_err(|source| RecordError::system(directory, "create", source))?;
        let mut entries = fs::read_dir(directory)
            .map_err(|source| RecordError::system(directory, "read", source))?;
        if entries.next().is_some() {
            return Err(RecordError::NotEmpty { path: directory.to_path_buf() });
        }
        for file in FILES {
            let path = directory.join(file.name);
            let mut content = file.header().into_bytes();
            if file == VariantRow::FILE {
                content.append(&mut encode(&path, variants)?);
            }
            replace(&path, &content)?;
        }
        Writer::open(directory)
    }

    /// Goes on with a results directory: cuts off what a dead writer left unfinished and says
    /// which blocks are committed.
    ///
    /// # Errors
    ///
    /// If it is not a results directory, is damaged, or another process is writing to it.
    pub fn resume(directory: &Path) -> Result<(Writer, Committed)> {
        // The lock comes first: a repair under a living writer would cut its block in two.
        let mut writer = Writer::open(directory)?;
        let committed = repair(directory)?;
        writer.committed = committed.blocks.len();
        writer.tails.iter_mut().try_for_each(Tail::measure)?;
        Ok((writer, committed))
    }

    /// Replaces `environment.toml` by these values.
    ///
    /// # Errors
    ///
    /// If TOML cannot express them or the file cannot be written.
    pub fn environment(&self, values: &impl Serialize) -> Result<()> {
        self.write_toml("environment.toml", values)
    }

    /// Replaces `plan.toml` by these values.
    ///
    /// # Errors
    ///
    /// If TOML cannot express them or the file cannot be written.
    pub fn plan(&self, values: &impl Serialize) -> Result<()> {
        self.write_toml("plan.toml", values)
    }

    /// Appends a row of `launches.csv`.
    ///
    /// # Errors
    ///
    /// If the file cannot grow; it is then as it was before.
    pub fn launch(&mut self, row: &LaunchRow) -> Result<()> {
        let write = self.encoded(slice::from_ref(row))?;
        self.commit(&[write])
    }

    /// Appends rows of `events.csv` that belong to no block, or to one that will not finish.
    ///
    /// # Errors
    ///
    /// If the file cannot grow; it is then as it was before.
    pub fn events(&mut self, rows: &[EventRow]) -> Result<()> {
        let write = self.encoded(rows)?;
        self.commit(&[write])
    }

    /// Appends rows of `readings.csv` that belong to no block.
    ///
    /// # Errors
    ///
    /// If the file cannot grow; it is then as it was before.
    pub fn readings(&mut self, rows: &[ReadingRow]) -> Result<()> {
        let write = self.encoded(rows)?;
        self.commit(&[write])
    }

    /// Appends a block and commits it.
    ///
    /// # Errors
    ///
    /// If a file cannot grow; all are then as they were before, and the block did not happen.
    pub fn block(&mut self, block: Block<'_>) -> Result<()> {
        let writes = [
            self.encoded(block.samples)?,
            self.encoded(block.readings)?,
            self.encoded(block.histograms)?,
            self.encoded(block.events)?,
            self.encoded(slice::from_ref(block.row))?,
        ];
        self.commit(&writes)?;
        self.committed += 1;
        Ok(())
    }

    /// Forces everything to the device; the last act of a run.
    ///
    /// # Errors
    ///
    /// If the device refuses.
    pub fn finish(self) -> Result<()> {
        self.tails.iter().try_for_each(|tail| {
            tail.file.sync_all().map_err(|source| RecordError::system(&tail.path, "sync", source))
        })
    }

    /// The results directory.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Blocks committed so far, those before a resume included.
    pub fn committed(&self) -> usize {
        self.committed
    }

    fn open(directory: &Path) -> Result<Writer> {
        let tails: Vec<Tail> = FILES
            .into_iter()
            .skip(1)
            .map(|file| Tail::open(directory.join(file.name)))
            .collect::<Result<_>>()?;
        let marks = &tails[tail_of::<BlockRow>()];
        match marks.file.try_lock() {
            Ok(()) => Ok(Writer { directory: directory.to_path_buf(), tails, committed: 0 }),
            Err(TryLockError::WouldBlock) => {
                Err(RecordError::Busy { path: directory.to_path_buf() })
            }
            Err(TryLockError::Error(source)) => {
                Err(RecordError::system(&marks.path, "lock", source))
            }
        }
    }

    /// These rows as they will stand in their file.
    fn encoded<R: Row>(&self, rows: &[R]) -> Result<Write> {
        let tail = tail_of::<R>();
        Ok(Write { tail, bytes: encode(&self.tails[tail].path, rows)? })
    }

    /// Makes these writes in this order, or none of them.
    fn commit(&mut self, writes: &[Write]) -> Result<()> {
        for write in writes {
            let tail = &mut self.tails[write.tail];
            let Err(source) = tail.file.write_all(&write.bytes) else { continue };
            let path = tail.path.clone();
            for write in writes {
                // If even this fails, the rest stays uncommitted: readers and resume drop it.
                let tail = &self.tails[write.tail];
                let _ = tail.file.set_len(tail.length);
            }
            return Err(self.failed(path, source));
        }
        for write in writes {
            self.tails[write.tail].length += write.bytes.len() as u64;
        }
        Ok(())
    }

    fn failed(&self, path: PathBuf, source: io::Error) -> RecordError {
        match source.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
                let (directory, blocks) = (self.directory.clone(), self.committed);
                RecordError::Full { path, directory, blocks, source }
            }
            _ => RecordError::System { path, action: "write", source },
        }
    }

    fn write_toml(&self, name: &str, values: &impl Serialize) -> Result<()> {
        let path = self.directory.join(name);
        let text = toml::to_string(values).map_err(|error| RecordError::Unwritable {
            path: path.clone(),
            reason: error.to_string(),
        })?;
        replace(&path, text.as_bytes())
    }
}

/// Writes a whole file in one step: whoever reads that path sees the old content or the new one.
///
/// # Errors
///
/// If the file, or the one beside it that takes its place, cannot be written.
pub fn replace(path: &Path, content: &[u8]) -> Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(".new");
    let beside = path.with_file_name(name);
    let write = || {
        let mut file = File::create(&beside)?;
        file.write_all(content)?;
        file.sync_all()?;
        fs::rename(&beside, path)
    };
    write().map_err(|source| {
        // A half-written file helps nobody and holds space that may be what was missing.
        let _ = fs::remove_file(&beside);
        RecordError::system(path, "write", source)
    })
}

/// A CSV file that only grows.
#[derive(Debug)]
struct Tail {
    path: PathBuf,
    file: File,
    /// Bytes up to the end of the last complete write.
    length: u64,
}

impl Tail {
    fn open(path: PathBuf) -> Result<Tail> {
        match File::options().append(true).open(&path) {
            Ok(file) => {
                let mut tail = Tail { path, file, length: 0 };
                tail.measure()?;
                Ok(tail)
            }
            Err(source) if source.kind() == ErrorKind::NotFound => {
                Err(RecordError::Missing { path })
            }
            Err(source) => Err(RecordError::system(&path, "open", source)),
        }
    }

    fn measure(&mut self) -> Result<()> {
        let refused = |source| RecordError::system(&self.path, "read", source);
        self.length = self.file.metadata().map_err(refused)?.len();
        Ok(())
    }
}

/// Bytes that are to be appended to one of the tails.
struct Write {
    tail: usize,
    bytes: Vec<u8>,
}

/// Which of a writer's tails holds such rows.
fn tail_of<R: Row>() -> usize {
    FILES[1..].iter().position(|&file| file == R::FILE).expect("every row that grows is listed")
}

/// Rows as CSV, each on one line.
fn encode<R: Row>(path: &Path, rows: &[R]) -> Result<Vec<u8>> {
    let unwritable = |reason: String| RecordError::Unwritable { path: path.to_path_buf(), reason };
    let mut writer = csv::WriterBuilder::new().has_headers(false).from_writer(Vec::new());
    for row in rows {
        writer.serialize(row).map_err(|error| unwritable(error.to_string()))?;
    }
    let mut bytes = writer.into_inner().map_err(|error| unwritable(error.to_string()))?;
    let mut quoted = false;
    for byte in &mut bytes {
        match *byte {
            b'"' => quoted = !quoted,
            // A line break inside a quoted field would make a torn line look complete.
            b'\n' | b'\r' if quoted => *byte = b' ',
            _ => {}
        }
    }
    Ok(bytes)
}
