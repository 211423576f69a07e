//! The registry of workloads: what a turn does, and which numbers tell what it costs.
//!
//! This is the half that needs no process: names, what belongs to which workload, and the columns
//! that a report gives it. The half that measures is `measure::workload`. A new workload is a
//! value of [`Workload`], a row here and a file there.

use crate::model::knob;
use crate::model::setup::{Setup, Workload};

/// What a turn can do.
#[derive(Debug)]
pub struct WorkloadRow {
    /// Which one it is; its word is its name.
    pub workload: Workload,
    /// What it does, in one line.
    pub about: &'static str,
    /// What it does, in full: `forkbench explain NAME`.
    pub explain: &'static str,
    /// Knobs that mean nothing in workloads that do not name them.
    pub knobs: &'static [&'static str],
    /// What a report shows of it, from left to right; none: the intervals of a spawn.
    pub columns: &'static [Column],
}

/// One column of a report.
#[derive(Debug)]
pub struct Column {
    /// Its heading, at most two lines.
    pub heading: &'static str,
    /// What stands in it, in one line.
    pub about: &'static str,
    /// Where it comes from. Quantities are given as text, see [`crate::model::quantity`].
    pub of: Of,
    /// Of the one column that tells the point of the workload: the verb of the sentence that a
    /// report makes of it, between the name of a row and its figure. Rows are compared by it.
    pub main: Option<&'static str>,
    /// A counted fact, given as text, that takes the column its sense where it is not 0: the word
    /// in front of its dot then stands in place of the figure.
    pub unless: Option<&'static str>,
}

impl Column {
    /// A column that is not the main one and always has its sense.
    pub const fn of(heading: &'static str, about: &'static str, of: Of) -> Column {
        Column { heading, about, of, main: None, unless: None }
    }

    /// The same as the main column of its workload.
    pub const fn main(self, verb: &'static str) -> Column {
        Column { main: Some(verb), ..self }
    }

    /// What stands in place of the figure where it has lost its sense: `saturated`.
    pub fn word(&self) -> &'static str {
        self.unless.and_then(|count| Some(count.split_once('.')?.0)).unwrap_or_default()
    }

    /// The same where that counted fact is 0.
    pub const fn unless(self, count: &'static str) -> Column {
        Column { unless: Some(count), ..self }
    }
}

impl WorkloadRow {
    /// Place and verb of the main column; none where a report shows the intervals of a spawn.
    pub fn main(&self) -> Option<(usize, &'static str)> {
        self.columns.iter().enumerate().find_map(|(place, column)| Some((place, column.main?)))
    }
}

/// Where the number in a column comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    /// A quantity.
    Quantity(&'static str),
    /// A length or size for each thing: the one quantity divided by the other.
    Each(&'static str, &'static str),
    /// Things per second: the one quantity divided by the other, which is a length.
    PerSecond(&'static str, &'static str),
}

impl Of {
    /// What the number is made of: `rewrite.p50/pages.parent@work`.
    pub fn text(self) -> String {
        match self {
            Of::Quantity(text) => text.to_owned(),
            Of::Each(one, other) | Of::PerSecond(one, other) => format!("{one}/{other}"),
        }
    }
}

/// Every workload, in the order in which they are listed.
pub static WORKLOADS: &[WorkloadRow] = &[
    WorkloadRow {
        workload: Workload::Spawn,
        about: "spawn a child and wait for it, again and again",
        explain: "Each sample makes one process and waits until it is gone. What the call costs, \
                  what the child takes to its image and to its end, and what the parent then pays \
                  to write its memory again.",
        knobs: &[],
        columns: &[],
    },
    WorkloadRow {
        workload: Workload::Cow,
        about: "write memory that a fork has left to be copied, page by page",
        explain: "The parent spawns, and then writes its memory while the child lives and shares \
                  it (`child=alive`: the kernel copies each page), or after it has gone \
                  (`child=gone`: it only makes each page writable again). The mechanism `none` \
                  never forked: what the writing itself takes. `written` says how many of the \
                  pages, `write-order` in which order, `writer` by whom: with `writer=child` it \
                  is the child that writes. The writing is the interval `rewrite`; writing the \
                  same pages once more is `rewritten_ns`. The pages written, the faults taken, \
                  the memory that became private, the page tables of both and the huge pages that \
                  are left are readings of the counting blocks.",
        knobs: &["child", "written", "write-order", "writer"],
        columns: &[
            Column::of(
                "caller\nblocked",
                "how long the call blocked its caller, median",
                Of::Quantity("blocked.p50"),
            ),
            Column::of(
                "writing\np50",
                "how long the writing took, median",
                Of::Quantity("rewrite.p50"),
            ),
            Column::of(
                "pages\nwritten",
                "how many pages were written",
                Of::Quantity("pages.parent@work"),
            ),
            Column::of(
                "per\npage",
                "the writing divided by the pages",
                Of::Each("rewrite.p50", "pages.parent@work"),
            )
            .main("writes a page in"),
            Column::of(
                "written\nbefore",
                "a second write of the same pages, divided by them",
                Of::Each("rewritten_ns.p50", "pages.parent@work"),
            ),
            Column::of(
                "faults\nin it",
                "page faults of the parent while it wrote",
                Of::Quantity("minor_faults.parent@work"),
            ),
            Column::of(
                "memory\nmore",
                "memory of the parent that became private meanwhile: what was copied",
                Of::Quantity("private_dirty_bytes.parent@work"),
            ),
            Column::of(
                "huge\nleft",
                "bytes in transparent huge pages after it",
                Of::Quantity("anon_huge_bytes.parent@work"),
            ),
        ],
    },
    WorkloadRow {
        workload: Workload::Pipeline,
        about: "make pipelines: a | b | c, and a > file",
        explain: "Each sample makes the pipes and one process for each of the `stages`, reads what \
                  the last one writes until its end of file, and waits for all of them. `blocked` \
                  lasts until the last of them was made, `reaped` until all are gone; \
                  `first_byte_ns` until the first byte arrives, and `through_ns` from there to the \
                  end of file. With the mechanism `thread` the stages are threads and the pipes \
                  channels.",
        knobs: &["stages", "pipe-bytes", "sink", "pipe-ends"],
        columns: &[
            Column::of(
                "all\nmade",
                "until the last stage was made, median",
                Of::Quantity("blocked.p50"),
            ),
            Column::of(
                "first\nbyte",
                "until the first byte arrives, median",
                Of::Quantity("first_byte_ns.p50"),
            ),
            Column::of(
                "all\nexited",
                "until every stage was waited for, median",
                Of::Quantity("reaped.p50"),
            )
            .main("is made, read and gone in"),
            Column::of(
                "bytes\nper second",
                "from the first byte to the end of file",
                Of::PerSecond("through_bytes.both@work", "through_ns.p50"),
            ),
        ],
    },
    WorkloadRow {
        workload: Workload::Stall,
        about: "spawn beside threads that do one thing over and over, and time each time",
        explain: "The busy threads of the parent (`threads`, `busy`) are bystanders: on other \
                  processors than the spawning thread each repeats one operation and times it: \
                  it touches a new page, maps and unmaps, allocates and frees, reads the clock, \
                  takes a lock. What begins between the call and the end of the child enters a \
                  distribution, `bystander_ns`; of each spawn the longest time that one of them \
                  stood still is kept, and how long all stood frozen. Time in which a thread was \
                  ready to run and had no processor is left out and told apart. The mechanism \
                  `none` makes no process and lasts a millisecond.",
        knobs: &[],
        columns: &[
            Column::of(
                "caller\nblocked",
                "how long the call blocked its caller, median",
                Of::Quantity("blocked.p50"),
            ),
            Column::of(
                "operation\np50",
                "how long an operation of a bystander took, median",
                Of::Quantity("bystander_ns.p50"),
            ),
            Column::of(
                "operation\np99.9",
                "what 999 of 1,000 operations of bystanders did not exceed",
                Of::Quantity("bystander_ns.p99.9"),
            ),
            Column::of(
                "operation\nworst",
                "the longest operation of a bystander in a launch",
                Of::Quantity("bystander_ns.max"),
            ),
            Column::of(
                "stands\nstill",
                "the longest that a bystander stood still during a spawn, median",
                Of::Quantity("longest_ns.p50"),
            )
            .main("stops another thread for"),
            Column::of(
                "all\nfrozen",
                "how long all bystanders stood frozen during a spawn, added up, median",
                Of::Quantity("frozen_ns.p50"),
            ),
        ],
    },
    WorkloadRow {
        workload: Workload::Throughput,
        about: "do a batch of jobs as fast as can be, or as they arrive",
        explain: "Each sample is a batch of `jobs`. A job is what the image noop does: stamp the \
                  clock, write 24 bytes to the mailbox, end. `dispatch` says how it gets to what \
                  does it: a process made by the mechanism, one made by a fork server, a worker \
                  that waits for jobs, a thread. In a closed loop (`load=closed`) the next job \
                  begins as soon as there is room for it: jobs per second is the capacity. In an \
                  open loop jobs arrive at fixed instants, and `response_ns` is counted from the \
                  instant at which a job was to begin, so that waiting counts; past capacity the \
                  backlog grows as long as jobs arrive, its percentiles say nothing but how long \
                  that was, and the batch counts as saturated. Jobs that fail for want of \
                  processes or descriptors are counted (`failed_eagain`, `failed_emfile`).",
        knobs: &["dispatch", "in-flight", "spawners", "spawner-kind", "jobs", "load"],
        columns: &[
            Column::of(
                "jobs\nper s",
                "jobs done divided by the length of the batch",
                Of::PerSecond("jobs.parent@work", "batch_ns.p50"),
            )
            .main("does"),
            Column::of(
                "CPU\nper job",
                "CPU time of all that take part, divided by the jobs done",
                Of::Each("batch_cpu_ns.p50", "jobs.parent@work"),
            ),
            Column::of(
                "response\np50",
                "from the instant at which a job was to begin until its end is known, median",
                Of::Quantity("response_ns.p50"),
            )
            .unless("saturated.parent@work"),
            Column::of("p99", "the same, 99 of 100 are no longer", Of::Quantity("response_ns.p99"))
                .unless("saturated.parent@work"),
            Column::of(
                "p99.9",
                "the same, 999 of 1000 are no longer",
                Of::Quantity("response_ns.p99.9"),
            )
            .unless("saturated.parent@work"),
            Column::of(
                "service\np50",
                "from the beginning of a job until its end is known, in an open loop, median",
                Of::Quantity("service_ns.p50"),
            ),
            Column::of(
                "job\np50",
                "from the beginning of a job until its end is known, in a closed loop, median",
                Of::Quantity("job_ns.p50"),
            ),
            Column::of("p99", "the same, 99 of 100 are no longer", Of::Quantity("job_ns.p99")),
            Column::of(
                "p99.9",
                "the same, 999 of 1000 are no longer",
                Of::Quantity("job_ns.p99.9"),
            ),
        ],
    },
    WorkloadRow {
        workload: Workload::Gap,
        about: "spawn children that do something between birth and exec",
        explain: "As `spawn`, and the child is made to do what `actions` says before it executes \
                  its image: each mechanism in its own way (an attribute, a file action, code of \
                  its own), or not at all. In count blocks the image reports what it has become, \
                  and the parent compares that with what was asked: the reading `proved` is 1 or \
                  0. What the actions add is told against the same mechanism with `actions=none`.",
        knobs: &["actions", "nofile"],
        columns: &[
            Column::of(
                "caller\nblocked",
                "how long the call blocked its caller, median",
                Of::Quantity("blocked.p50"),
            ),
            Column::of(
                "until\nreaped",
                "from the call to the end, median",
                Of::Quantity("reaped.p50"),
            )
            .main("takes"),
            Column::of(
                "proved",
                "1: the image has reported that it is what was asked for",
                Of::Quantity("proved.child@work"),
            ),
        ],
    },
    WorkloadRow {
        workload: Workload::Hazard,
        about: "make children beside threads that hold a lock, and see which of them hang",
        explain: "Each sample is a batch of `forks` births. The threads of the parent (`threads`, \
                  `busy=hold`) do what `hazard` is about, over and over; each child does it once \
                  more and ends. Before each birth the forking thread pauses for a random time. A \
                  child that does not end is looked at, twice: it is proven to hang for ever, or \
                  it makes no progress and is told apart. An image that is executed \
                  (posix_spawn) does not do it: it begins with memory of its own.",
        knobs: &["hazard", "forks", "duty"],
        columns: &[
            Column::of("births", "processes that were made", Of::Quantity("forks.child@work")),
            Column::of(
                "hung",
                "children that did not end by themselves",
                Of::Quantity("hung.child@work"),
            )
            .main("leaves children hanging:"),
            Column::of(
                "proven",
                "of those, proven to hang for ever",
                Of::Quantity("proven.child@work"),
            ),
            Column::of(
                "not\nproven",
                "of those, not proven: they made no progress",
                Of::Quantity("unproven.child@work"),
            ),
            Column::of(
                "crashed",
                "children that a signal ended, or that found something wrong",
                Of::Quantity("broken.child@work"),
            ),
        ],
    },
];

/// The row of a workload.
pub fn row(workload: Workload) -> &'static WorkloadRow {
    WORKLOADS.iter().find(|row| row.workload == workload).expect("every workload has a row")
}

/// The row of the workload of that name.
pub fn find(name: &str) -> Option<&'static WorkloadRow> {
    WORKLOADS.iter().find(|row| row.workload.word() == name)
}

/// Why no work can be what `setup` asks for: a knob is set that means nothing in its workload.
pub fn misplaced(setup: &Setup) -> Option<String> {
    let own = row(setup.work.workload);
    let default = Setup::default();
    WORKLOADS.iter().flat_map(|row| row.knobs).find_map(|name| {
        let knob = knob::find(name)?;
        let is_set = (knob.get)(setup) != (knob.get)(&default);
        if !is_set || own.knobs.contains(name) {
            return None;
        }
        let users: Vec<&str> = WORKLOADS
            .iter()
            .filter(|row| row.knobs.contains(name))
            .map(|row| row.workload.word())
            .collect();
        Some(format!(
            "{name}={} means nothing in workload={}: leave it out, or use workload={}",
            (knob.get)(setup),
            own.workload.word(),
            users.join(" or ")
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::quantity::Quantity;

    #[test]
    fn every_workload_has_one_row_whose_words_exist() {
        assert_eq!(WORKLOADS.len(), Workload::ALL.len());
        for &workload in Workload::ALL {
            let row = row(workload);
            assert!(row.about.len() <= 90 && row.explain.len() > row.about.len());
            assert!(row.knobs.iter().all(|name| knob::find(name).is_some()), "{:?}", row.knobs);
            let mains = row.columns.iter().filter(|column| column.main.is_some()).count();
            assert_eq!(mains, usize::from(!row.columns.is_empty()), "{workload:?}");
            for column in row.columns {
                assert!(column.heading.lines().count() <= 2 && !column.about.is_empty());
                let texts = match column.of {
                    Of::Quantity(text) => vec![text],
                    Of::Each(one, other) | Of::PerSecond(one, other) => vec![one, other],
                };
                for text in texts.into_iter().chain(column.unless) {
                    let quantity: Quantity = text.parse().unwrap();
                    assert_eq!(quantity.to_string(), text);
                }
            }
        }
    }

    #[test]
    fn a_knob_of_another_workload_is_named_with_its_own() {
        let mut setup = Setup::default();
        assert_eq!(misplaced(&setup), None);
        (knob::find("child").unwrap().set)(&mut setup, "gone").unwrap();
        let why = misplaced(&setup).unwrap();
        assert!(why.contains("child=gone") && why.contains("workload=cow"), "{why}");
        setup.work.workload = Workload::Cow;
        assert_eq!(misplaced(&setup), None);
    }
}
