//! The registry of readings: counted facts, and what is seen of a shape.

/// One reading.
#[derive(Debug)]
pub struct ReadingRow {
    /// Its name, as in the column `reading` of `readings.csv`.
    pub name: &'static str,
    /// What it counts, in one line.
    pub about: &'static str,
    /// Where it comes from.
    pub source: Source,
}

/// Where a reading comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// A perf event around each spawn.
    Perf,
    /// getrusage of the calling thread, and wait4 for the child.
    Rusage,
    /// /proc, of the subject.
    Shape,
    /// What a workload counts and times itself, once for each sample.
    Work,
}

/// Every reading. The index is its number on the tape.
pub static READINGS: &[ReadingRow] = &[
    ReadingRow {
        name: "minor_faults",
        about: "page faults served without input or output",
        source: Source::Perf,
    },
    ReadingRow {
        name: "major_faults",
        about: "page faults that waited for input or output",
        source: Source::Perf,
    },
    ReadingRow { name: "context_switches", about: "context switches", source: Source::Perf },
    ReadingRow { name: "migrations", about: "moves to another processor", source: Source::Perf },
    ReadingRow { name: "task_clock_ns", about: "CPU time in nanoseconds", source: Source::Perf },
    ReadingRow { name: "cycles", about: "processor cycles (hardware)", source: Source::Perf },
    ReadingRow {
        name: "instructions",
        about: "instructions executed (hardware)",
        source: Source::Perf,
    },
    ReadingRow {
        name: "rusage_minor_faults",
        about: "ru_minflt: counts the argument page of an exec, and MADV_POPULATE_WRITE",
        source: Source::Rusage,
    },
    ReadingRow { name: "rusage_major_faults", about: "ru_majflt", source: Source::Rusage },
    ReadingRow {
        name: "rss_bytes",
        about: "resident bytes of the memory that `rss` asked for",
        source: Source::Shape,
    },
    ReadingRow {
        name: "anon_huge_bytes",
        about: "bytes of that memory in transparent huge pages",
        source: Source::Shape,
    },
    ReadingRow { name: "vm_rss_bytes", about: "VmRSS of the whole subject", source: Source::Shape },
    ReadingRow {
        name: "vm_pte_bytes",
        about: "VmPTE: page tables of the subject",
        source: Source::Shape,
    },
    ReadingRow { name: "vmas", about: "mappings of the subject", source: Source::Shape },
    ReadingRow {
        name: "vma_rss_bytes",
        about: "resident bytes of the mappings that `vmas` adds",
        source: Source::Shape,
    },
    ReadingRow { name: "fds", about: "open descriptors of the subject", source: Source::Shape },
    ReadingRow {
        name: "highest_fd",
        about: "the largest number of an open descriptor of the subject",
        source: Source::Shape,
    },
    ReadingRow { name: "threads", about: "threads of the subject", source: Source::Shape },
    ReadingRow {
        name: "busy_cpu_ns",
        about: "CPU time of all busy threads during a block, in nanoseconds",
        source: Source::Shape,
    },
    ReadingRow {
        name: "mapped_bytes",
        about: "bytes of the mapping that the memory of `rss` lies in: `spread` times as large",
        source: Source::Shape,
    },
    ReadingRow {
        name: "multi_huge_bytes",
        about: "bytes of that memory in smaller huge pages (mTHP) of the size asked for",
        source: Source::Shape,
    },
    ReadingRow {
        name: "hugetlb_bytes",
        about: "bytes of that memory in pages of the hugetlb pool",
        source: Source::Shape,
    },
    ReadingRow {
        name: "dontfork_bytes",
        about: "bytes of that mapping marked MADV_DONTFORK",
        source: Source::Shape,
    },
    ReadingRow {
        name: "wipeonfork_bytes",
        about: "bytes of that mapping marked MADV_WIPEONFORK",
        source: Source::Shape,
    },
    ReadingRow {
        name: "locked_bytes",
        about: "bytes of that mapping marked as locked",
        source: Source::Shape,
    },
    ReadingRow {
        name: "pages",
        about: "pages that workload=cow has written, each once",
        source: Source::Work,
    },
    ReadingRow {
        name: "rewritten_ns",
        about: "how long it took to write the same pages once more, in nanoseconds",
        source: Source::Work,
    },
    ReadingRow {
        name: "private_dirty_bytes",
        about: "how much of that memory became private while workload=cow wrote it",
        source: Source::Work,
    },
    ReadingRow {
        name: "first_byte_ns",
        about: "from the start of a pipeline to the first byte that comes out, in nanoseconds",
        source: Source::Work,
    },
    ReadingRow {
        name: "through_ns",
        about: "from that byte to the end of file, in nanoseconds",
        source: Source::Work,
    },
    ReadingRow {
        name: "through_bytes",
        about: "bytes that went through a pipeline",
        source: Source::Work,
    },
    ReadingRow {
        name: "eof_missing",
        about: "1 where the end of file of a pipeline never came, else 0",
        source: Source::Work,
    },
    ReadingRow {
        name: "bystander_ns",
        about: "lengths of the operations of all bystanders while a spawn lasted",
        source: Source::Work,
    },
    ReadingRow {
        name: "operations",
        about: "operations of all bystanders that began while a spawn lasted",
        source: Source::Work,
    },
    ReadingRow {
        name: "longest_ns",
        about: "the longest time that a bystander stood still during a spawn, in nanoseconds",
        source: Source::Work,
    },
    ReadingRow {
        name: "frozen_ns",
        about: "time that bystanders stood still for over 100 us at once, added up, in nanoseconds",
        source: Source::Work,
    },
    ReadingRow {
        name: "waited_ns",
        about: "time that bystanders were ready to run and had no processor, in nanoseconds",
        source: Source::Work,
    },
    ReadingRow { name: "jobs", about: "jobs of a batch that were done", source: Source::Work },
    ReadingRow {
        name: "batch_ns",
        about: "from the start of a batch, or the first arrival, to the end of its last job",
        source: Source::Work,
    },
    ReadingRow {
        name: "batch_cpu_ns",
        about: "CPU time in a batch of all that take part, without busy threads",
        source: Source::Work,
    },
    ReadingRow {
        name: "failed_eagain",
        about: "jobs of a batch that failed with EAGAIN: no process or thread was to be had",
        source: Source::Work,
    },
    ReadingRow {
        name: "failed_emfile",
        about: "jobs of a batch that failed with EMFILE: no descriptor was to be had",
        source: Source::Work,
    },
    ReadingRow {
        name: "failed_other",
        about: "jobs of a batch that failed for another reason, or that nobody was left to do",
        source: Source::Work,
    },
    ReadingRow {
        name: "zombies",
        about: "children that had ended after a batch and that nobody had waited for",
        source: Source::Work,
    },
    ReadingRow {
        name: "leaked_descriptors",
        about: "descriptors open after a batch that were not before it",
        source: Source::Work,
    },
    ReadingRow {
        name: "job_ns",
        about: "from the beginning of a job until its end is known, in a closed loop",
        source: Source::Work,
    },
    ReadingRow {
        name: "capacity_ns",
        about: "how long the same jobs took in a closed loop, just before an open one",
        source: Source::Work,
    },
    ReadingRow {
        name: "interval_ns",
        about: "from one arrival of an open loop to the next",
        source: Source::Work,
    },
    ReadingRow {
        name: "least_wait_first_ns",
        about: "the shortest wait of a job for its beginning in the first third of a batch",
        source: Source::Work,
    },
    ReadingRow {
        name: "least_wait_middle_ns",
        about: "the same in the middle third",
        source: Source::Work,
    },
    ReadingRow {
        name: "least_wait_last_ns",
        about: "the same in the last third",
        source: Source::Work,
    },
    ReadingRow {
        name: "saturated",
        about: "1 if the backlog of an open loop grew as long as jobs arrived, else 0",
        source: Source::Work,
    },
    ReadingRow {
        name: "service_ns",
        about: "from the beginning of a job until its end is known, in an open loop",
        source: Source::Work,
    },
    ReadingRow {
        name: "response_ns",
        about: "from the instant at which a job was to begin until its end is known",
        source: Source::Work,
    },
    ReadingRow {
        name: "proved",
        about: "1: the image of workload=gap is what was asked for, as it reports; 0: it is not",
        source: Source::Work,
    },
    ReadingRow {
        name: "means",
        about: "by what the actions were done: 1 attribute, 2 file action, 3 child code, 4 pre_exec",
        source: Source::Work,
    },
    ReadingRow {
        name: "forks",
        about: "processes that workload=hazard has made in a batch",
        source: Source::Work,
    },
    ReadingRow {
        name: "hung",
        about: "children of them that did not end by themselves: proven and unproven",
        source: Source::Work,
    },
    ReadingRow {
        name: "proven",
        about: "children that are proven never to go on",
        source: Source::Work,
    },
    ReadingRow {
        name: "unproven",
        about: "children that made no progress for seconds, without proof that they never would",
        source: Source::Work,
    },
    ReadingRow {
        name: "broken",
        about: "children that a signal ended, or that found something wrong and said so",
        source: Source::Work,
    },
    ReadingRow {
        name: "watched",
        about: "births before which the word of the lock was read, once its address was known",
        source: Source::Work,
    },
    ReadingRow {
        name: "held",
        about: "births of those before which it was not 0: somebody held the lock",
        source: Source::Work,
    },
    ReadingRow {
        name: "pause_ns",
        about: "pauses before births, added up, in nanoseconds, where the lock is one of forkbench's own",
        source: Source::Work,
    },
    ReadingRow {
        name: "held_ns",
        about: "time within those pauses for which the lock was held, in nanoseconds",
        source: Source::Work,
    },
    ReadingRow {
        name: "extern_round_trip_ns",
        about: "an empty exchange with the helper of extern, once in a turn, in nanoseconds",
        source: Source::Work,
    },
    ReadingRow {
        name: "extern_exchange_ns",
        about: "from the request to the last answer of a helper of extern that stamps, in nanoseconds",
        source: Source::Work,
    },
];

/// Where or when a reading was taken: the column `at` of `readings.csv`, by its number on the tape.
pub static PLACES: &[&str] = &["spawn", "rewrite", "base", "asked", "setup", "block", "work"];

/// Around a spawn: call, child's life and reaping.
pub const SPAWN: u32 = 0;
/// Around the writing of the memory after a spawn.
pub const REWRITE: u32 = 1;
/// Before the subject took on its shape.
pub const BASE: u32 = 2;
/// What was asked for: for mappings, descriptors and threads what should come on top of `base`.
pub const ASKED: u32 = 3;
/// When the subject had taken on its shape.
pub const SETUP: u32 = 4;
/// After a block.
pub const BLOCK: u32 = 5;
/// By a workload, of one sample: what it is about, whatever that is.
pub const WORK: u32 = 6;

/// The number of the reading of that name.
///
/// # Panics
///
/// When there is none: names are literals of this crate.
pub fn number(name: &str) -> u32 {
    READINGS
        .iter()
        .position(|row| row.name == name)
        .unwrap_or_else(|| panic!("{name} is no reading")) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique() {
        for (i, row) in READINGS.iter().enumerate() {
            assert_eq!(number(row.name) as usize, i);
            assert!(!row.about.is_empty());
        }
    }
}
