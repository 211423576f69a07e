//! The rows of a results directory: one struct per CSV file, and the registry of all of them.
//!
//! The order of the fields **is** the order of the columns, and the doc comment of a field is what
//! `explain COLUMN` prints, so that neither can differ from what is written. Columns are public
//! contract: they are only ever added, and a new knob needs none.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::model::row::{BlockKind, EventKind, Outcome, Phase, Role, Scope};

/// A column of a file, as `explain` tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name in the header.
    pub name: &'static str,
    /// What it holds, with its unit and what an empty cell means.
    pub about: &'static str,
}

/// A CSV file of a results directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CsvFile {
    /// Its name in the directory: `samples.csv`.
    pub name: &'static str,
    /// What one row of it stands for.
    pub about: &'static str,
    /// Its columns, in order.
    pub columns: &'static [Column],
}

impl CsvFile {
    /// The first line of the file, with its line break.
    pub fn header(&self) -> String {
        let names: Vec<&str> = self.columns.iter().map(|column| column.name).collect();
        format!("{}\n", names.join(","))
    }
}

/// A struct whose fields are the columns of one CSV file.
pub trait Row: Serialize + DeserializeOwned {
    /// The file that holds such rows.
    const FILE: &'static CsvFile;
}

/// Every CSV file of a results directory, in the order in which a run fills them.
pub static FILES: [&CsvFile; 7] = [
    VariantRow::FILE,
    LaunchRow::FILE,
    BlockRow::FILE,
    SampleRow::FILE,
    ReadingRow::FILE,
    HistogramRow::FILE,
    EventRow::FILE,
];

/// Every CSV file that a directory may have: those of a run, and what an archived one has in place
/// of its samples.
pub fn all_files() -> impl Iterator<Item = &'static CsvFile> {
    FILES.into_iter().chain([CellRow::FILE])
}

/// Every column of that name, with the file it stands in.
pub fn columns_named(name: &str) -> impl Iterator<Item = (&'static CsvFile, &'static Column)> {
    all_files().flat_map(move |file| {
        file.columns.iter().filter(move |column| column.name == name).map(move |c| (file, c))
    })
}

/// Makes of one definition the struct, its documentation, and its entry in the registry.
macro_rules! rows {
    ($(
        $(#[doc = $about:literal])+
        $file:literal => $row:ident {
            $( $(#[doc = $column_about:literal])+ $column:ident: $kind:ty, )+
        }
    )+) => { $(
        $(#[doc = $about])+
        #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
        pub struct $row {
            $( $(#[doc = $column_about])+ pub $column: $kind, )+
        }

        impl Row for $row {
            const FILE: &'static CsvFile = &CsvFile {
                name: $file,
                about: concat!($($about),+).trim_ascii(),
                columns: &[$( Column {
                    name: stringify!($column),
                    about: concat!($($column_about),+).trim_ascii(),
                } ),+],
            };
        }
    )+ };
}

rows! {
    /// One setup of the run.
    "variants.csv" => VariantRow {
        /// Number of the variant, unique in the run; the other files refer to it.
        variant: u32,
        /// Name of the scenario that asked for it.
        scenario: String,
        /// Its short name, unique in the run: `fork`, `rss=1GiB fork`, `cand`.
        label: String,
        /// Why it is in the run: subject, control (`none`), twin (A/A), reference (empty parent).
        role: Role,
        /// Canonical label of the parent's shape: the shape knobs that are not default, or `empty`.
        shape: String,
        /// The way the process is made.
        mechanism: String,
        /// What the child execs.
        image: String,
        /// What a turn does.
        workload: String,
        /// Whether its birth copies the parent's page tables (`true` or `false`).
        copies_pages: bool,
        /// All knobs that are not default: `name=value;name=value`.
        settings: String,
    }

    /// One subject of one launch: a fresh parent process, how it was set up and how it ended.
    "launches.csv" => LaunchRow {
        /// Number of the launch; 0 is the pilot.
        launch: u32,
        /// Number of the subject within the launch.
        subject: u32,
        /// Canonical label of the subject's shape.
        shape: String,
        /// How it ended: done, misshapen, unsupported, stuck, died, interrupted.
        outcome: Outcome,
        /// The evidence for an outcome other than done; else empty.
        detail: String,
        /// When it was started, in ns of CLOCK_MONOTONIC.
        started_ns: u64,
        /// How long it took to take its shape, in ns; empty when it never did.
        setup_ns: Option<u64>,
        /// How long it lived, in ns.
        wall_ns: u64,
        /// Ticks stolen by the hypervisor from all CPUs meanwhile; empty where not to be had.
        steal_ticks: Option<u64>,
    }

    /// One finished block. This row is the commit mark: a block without it did not happen.
    "blocks.csv" => BlockRow {
        /// Number of the launch; 0 is the pilot.
        launch: u32,
        /// Number of the block, unique in its launch; a block belongs to one subject.
        block: u32,
        /// What it was for: time, count, warmup, partial (its subject did not finish it).
        kind: BlockKind,
        /// Order of its first round, as positions of its variants joined by `-`: `0-1` is ABBA.
        coin: String,
        /// Rounds in it; in each, every variant has one turn.
        rounds: u32,
        /// When it began, in ns of CLOCK_MONOTONIC.
        started_ns: u64,
        /// How long it lasted, in ns.
        wall_ns: u64,
        /// Ticks stolen by the hypervisor from all CPUs meanwhile; empty where not to be had.
        steal_ticks: Option<u64>,
    }

    /// One spawn.
    "samples.csv" => SampleRow {
        /// Number of the launch; 0 is the pilot.
        launch: u32,
        /// Number of the block, unique in its launch.
        block: u32,
        /// Number of the round within the block, from 0.
        round: u32,
        /// Number of the turn within the round, from 0.
        turn: u32,
        /// Place of the sample within its turn, from 0; the settling spawns come first.
        pos: u32,
        /// What it counts for: warmup, settle, measure. Statistics are made of measure alone.
        phase: Phase,
        /// The variant that was spawned.
        variant: u32,
        /// When the call was entered, in ns of CLOCK_MONOTONIC; the other stamps count from here.
        start_ns: u64,
        /// Until the call returned in the parent, in ns; empty if it has no such stamp.
        blocked_ns: Option<u64>,
        /// Until the child ran its first instruction of our code, in ns; empty if not stamped.
        born_ns: Option<u64>,
        /// Until the first instruction of the new image, in ns; empty if not stamped.
        image_ns: Option<u64>,
        /// Until the parent had reaped the child, in ns; empty if it never did.
        reaped_ns: Option<u64>,
        /// How long the parent then took to write its memory again, in ns; empty if not measured.
        rewrite_ns: Option<u64>,
        /// CPU time of the calling thread from before the call until after the reaping, in ns.
        blocked_cpu_ns: Option<u64>,
        /// CPU that the caller ran on; empty if not known.
        parent_cpu: Option<u32>,
        /// CPU that the child ran on; empty if not known.
        child_cpu: Option<u32>,
        /// 0 if all went well; else the status of the child, or minus the errno of the call.
        status: i32,
    }

    /// One value of a counted fact, and in how many spawns of the block it was read.
    "readings.csv" => ReadingRow {
        /// Number of the launch; 0 is the pilot.
        launch: u32,
        /// Number of the block; empty if it was read outside any. What was seen of a shape stands
        /// with a block of that subject, its first one for all but `block`.
        block: Option<u32>,
        /// The variant; empty if the reading belongs to the subject (what its shape is).
        variant: Option<u32>,
        /// Name of the reading: `minor_faults`, `rusage_minor_faults`, `rss_bytes`.
        reading: String,
        /// Whose events it counts: parent, child, both.
        scope: Scope,
        /// When it was read: spawn, rewrite; of a shape: base (before it was taken), asked, setup,
        /// block.
        at: String,
        /// Total over these spawns, in the unit of the reading; each of them read value / spawns.
        value: u64,
        /// How many spawns of the block read that value; 0 for what does not belong to a spawn.
        spawns: u64,
    }

    /// One bucket of a distribution that is too long to keep sample by sample.
    "histograms.csv" => HistogramRow {
        /// Number of the launch; 0 is the pilot.
        launch: u32,
        /// Number of the block.
        block: u32,
        /// The variant.
        variant: u32,
        /// Name of the reading that is distributed.
        reading: String,
        /// Smallest value that falls into the bucket, in ns.
        low_ns: u64,
        /// Largest value that falls into the bucket, in ns.
        high_ns: u64,
        /// Values in the bucket.
        count: u64,
    }

    /// Something that went wrong, as a fact by itself: kept even if its block did not commit.
    "events.csv" => EventRow {
        /// Number of the launch; 0 is the pilot.
        launch: u32,
        /// Number of the block; empty if it happened outside any.
        block: Option<u32>,
        /// The variant; empty if it belongs to no single one.
        variant: Option<u32>,
        /// What happened: failed, refused, stuck, hung-proven, hung-unproven, crashed.
        event: EventKind,
        /// Process it happened to; empty if there was none.
        pid: Option<i32>,
        /// Error number of the call that failed; empty if none did.
        errno: Option<i32>,
        /// What was seen, in one line.
        evidence: String,
    }

    /// The times of one interval of one variant in one block of an archived directory, sorted.
    "cells.csv" => CellRow {
        /// Number of the launch; empty where those of all launches stand together.
        launch: Option<u32>,
        /// Number of the block, unique in its launch; empty where those of all blocks stand together.
        block: Option<u32>,
        /// The variant.
        variant: u32,
        /// What the times count for: measure (of one block), settle (cold: the first spawn after the
        /// caches were scrubbed), warmup; empty in a row without times.
        phase: Option<Phase>,
        /// Which interval; empty in a row without times, which says whose block it is.
        interval: Option<String>,
        /// What `values` counts in, in ns: 1, 2 or 5 and zeros.
        unit_ns: u64,
        /// The times, sorted upwards, in `unit_ns`: the first, then what each is above the one before.
        values: String,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::record::fixture;

    /// The contract: scripts read these headers.
    #[test]
    fn the_headers_are_the_published_ones() {
        let headers: String =
            all_files().map(|file| format!("{}: {}", file.name, file.header())).collect();
        assert_eq!(
            headers,
            "\
variants.csv: variant,scenario,label,role,shape,mechanism,image,workload,copies_pages,settings
launches.csv: launch,subject,shape,outcome,detail,started_ns,setup_ns,wall_ns,steal_ticks
blocks.csv: launch,block,kind,coin,rounds,started_ns,wall_ns,steal_ticks
samples.csv: launch,block,round,turn,pos,phase,variant,start_ns,blocked_ns,born_ns,image_ns,\
reaped_ns,rewrite_ns,blocked_cpu_ns,parent_cpu,child_cpu,status
readings.csv: launch,block,variant,reading,scope,at,value,spawns
histograms.csv: launch,block,variant,reading,low_ns,high_ns,count
events.csv: launch,block,variant,event,pid,errno,evidence
cells.csv: launch,block,variant,phase,interval,unit_ns,values
"
        );
    }

    #[test]
    fn every_column_says_what_it_is_on_one_line() {
        for file in all_files() {
            let names: BTreeSet<&str> = file.columns.iter().map(|column| column.name).collect();
            assert_eq!(names.len(), file.columns.len(), "{} repeats a column", file.name);
            for column in file.columns {
                let about = column.about;
                assert!(!about.is_empty() && !about.contains('\n'), "{}", column.name);
                assert!(!about.contains("  ") && about.trim() == about, "{about:?}");
            }
        }
    }

    #[test]
    fn a_column_is_found_in_every_file_that_has_it() {
        let files: Vec<&str> = columns_named("steal_ticks").map(|(file, _)| file.name).collect();
        assert_eq!(files, ["launches.csv", "blocks.csv"]);
        assert_eq!(columns_named("no_such_column").count(), 0);
    }

    #[test]
    fn a_row_is_written_in_the_order_of_its_columns() {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.serialize(fixture::sample(1, 2, 3, 40)).unwrap();
        let text = String::from_utf8(writer.into_inner().unwrap()).unwrap();
        assert_eq!(
            text,
            SampleRow::FILE.header() + "1,2,1,0,3,measure,3,1234567890123,40,,,80,,40,0,0,0\n"
        );
    }
}
