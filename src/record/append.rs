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
use super::read;
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
    /// If it is not a results directory, is archived, compressed or damaged, or another process is
    /// writing to it.
    pub fn resume(directory: &Path) -> Result<(Writer, Committed)> {
        read::grows(directory)?;
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

    fn failed(&self, path: PathBuf, cause: io::Error) -> RecordError {
        match cause.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
                let (directory, blocks) = (self.directory.clone(), self.committed);
                RecordError::Full { path, directory, blocks, cause }
            }
            _ => RecordError::System { path, action: "write", cause },
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

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;
    use crate::model::row::Role;
    use crate::record::fixture;
    use crate::record::read::Recorded;

    fn variants() -> Vec<VariantRow> {
        vec![fixture::variant(0, Role::Subject, "empty", "fork")]
    }

    fn append(writer: &mut Writer, block: u32, samples: usize) -> Result<()> {
        let samples: Vec<SampleRow> =
            (0..samples as u64).map(|index| fixture::sample(1, block, 0, 50_000 + index)).collect();
        writer.block(Block {
            row: &fixture::block(1, block),
            samples: &samples,
            readings: &[],
            histograms: &[],
            events: &[],
        })
    }

    fn samples_in(directory: &Path) -> Vec<SampleRow> {
        let mut rows = Vec::new();
        let mut recorded = Recorded::open(directory).unwrap();
        recorded
            .samples(|_, row| {
                rows.push(row.clone());
                Ok(())
            })
            .unwrap();
        assert_eq!(recorded.losses(), &Default::default());
        rows
    }

    #[test]
    fn a_new_directory_has_every_header_and_its_parents_are_made() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("results/run");
        Writer::create(&path, &variants()).unwrap();
        for file in FILES {
            let text = fs::read_to_string(path.join(file.name)).unwrap();
            assert!(text.starts_with(&file.header()), "{}", file.name);
        }
        assert_eq!(Recorded::open(&path).unwrap().variants().unwrap(), variants());
    }

    #[test]
    fn a_directory_in_use_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("thesis.txt"), "years of work").unwrap();
        let error = Writer::create(directory.path(), &variants()).unwrap_err();
        assert!(matches!(error, RecordError::NotEmpty { .. }), "{error}");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn two_writers_do_not_share_a_directory() {
        let directory = tempfile::tempdir().unwrap();
        let first = Writer::create(directory.path(), &variants()).unwrap();
        let error = Writer::resume(directory.path()).unwrap_err();
        assert!(matches!(error, RecordError::Busy { .. }), "{error}");
        drop(first);
        Writer::resume(directory.path()).unwrap();
    }

    #[test]
    fn every_row_is_one_line() {
        let directory = tempfile::tempdir().unwrap();
        let mut writer = Writer::create(directory.path(), &variants()).unwrap();
        writer.events(&[fixture::stuck(1, 2), fixture::stuck(1, 3)]).unwrap();
        let text = fs::read_to_string(directory.path().join("events.csv")).unwrap();
        assert_eq!(text.lines().count(), 3);
        let events = Recorded::open(directory.path()).unwrap().events().unwrap();
        assert_eq!(events[1].evidence, "state S, \"futex\" owner, gone");
    }

    #[test]
    fn toml_is_replaced_as_a_whole() {
        let directory = tempfile::tempdir().unwrap();
        let writer = Writer::create(directory.path(), &variants()).unwrap();
        let files = fs::read_dir(directory.path()).unwrap().count();
        for seed in [7, 8] {
            writer.plan(&toml::Table::from_iter([("seed".to_string(), seed.into())])).unwrap();
        }
        let plan = Recorded::open(directory.path()).unwrap().plan().unwrap();
        assert_eq!(plan["seed"].as_integer(), Some(8));
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), files + 1);
    }

    #[test]
    fn a_full_device_leaves_the_blocks_before_and_no_half_block() {
        let directory = tempfile::tempdir().unwrap();
        let mut writer = Writer::create(directory.path(), &variants()).unwrap();
        append(&mut writer, 1, 10).unwrap();
        let marks = tail_of::<BlockRow>();
        let full = File::options().append(true).open("/dev/full").unwrap();
        let blocks = std::mem::replace(&mut writer.tails[marks].file, full);

        let error = append(&mut writer, 2, 10).unwrap_err();
        assert!(matches!(error, RecordError::Full { blocks: 1, .. }), "{error:?}");
        assert!(error.to_string().contains("the 1 blocks written before are safe"), "{error}");
        assert_eq!(samples_in(directory.path()).len(), 10);

        // Once there is room, the same writer goes on.
        writer.tails[marks].file = blocks;
        append(&mut writer, 2, 10).unwrap();
        assert_eq!(samples_in(directory.path()).len(), 20);
    }

    /// A limit on the size of files makes the kernel write a part and then refuse, as a full disk
    /// does. It holds for a whole process, so the test runs itself in another.
    #[test]
    fn a_half_written_block_is_taken_back() {
        const INSIDE: &str = "FORKBENCH_TEST_HALF_WRITTEN";
        if let Some(directory) = std::env::var_os(INSIDE) {
            let directory = Path::new(&directory);
            let mut writer = Writer::create(directory, &variants()).unwrap();
            append(&mut writer, 1, 100).unwrap();
            let error = append(&mut writer, 2, 1000).unwrap_err();
            assert!(matches!(error, RecordError::Full { blocks: 1, .. }), "{error:?}");
            assert_eq!(samples_in(directory).len(), 100);
            append(&mut writer, 2, 10).unwrap();
            return;
        }
        let directory = tempfile::tempdir().unwrap();
        // The limit is on every file that is written to: what the child says goes through pipes.
        let said = Command::new("sh")
            .args(["-c", "trap '' XFSZ; ulimit -f 40; exec \"$0\" \"$@\""])
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", "record::append::tests::a_half_written_block_is_taken_back"])
            .env(INSIDE, directory.path())
            .output()
            .unwrap();
        assert!(said.status.success(), "{said:?}");
        assert_eq!(samples_in(directory.path()).len(), 110);
    }

    #[test]
    fn a_hundred_thousand_samples_come_back_as_they_went() {
        let directory = tempfile::tempdir().unwrap();
        let mut writer = Writer::create(directory.path(), &variants()).unwrap();
        let mut written = Vec::new();
        let mut noise = 1u64;
        for block in 0..100 {
            let samples: Vec<SampleRow> = (0..1000)
                .map(|index| {
                    noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    let mut row = fixture::sample(1, block, 0, noise >> (index % 64));
                    row.reaped_ns = (index % 3 != 0).then_some(noise);
                    row.born_ns = (index % 2 == 0).then_some(u64::MAX);
                    row.status = (noise >> 32) as i32;
                    row.child_cpu = None;
                    row
                })
                .collect();
            let row = fixture::block(1, block);
            let block =
                Block { row: &row, samples: &samples, readings: &[], histograms: &[], events: &[] };
            writer.block(block).unwrap();
            written.extend(samples);
        }
        assert_eq!(writer.committed(), 100);
        writer.finish().unwrap();
        assert!(samples_in(directory.path()) == written, "samples were lost or changed");
    }
}
