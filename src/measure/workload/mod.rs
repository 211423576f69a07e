//! What a turn does: one static row for each workload, with the code that does it.
//!
//! This is the half that measures; names, knobs and columns stand in [`crate::model::workload`]. A
//! workload takes *samples*: the subject calls [`Task::sample`] for each of them, and puts on the
//! tape what comes back. All stamps are taken in there; around them only calls, never inside. A
//! task allocates in `prepare` and not after it.

mod cow;
mod gap;
mod hazard;
mod pipeline;
mod spawn;
mod stall;
pub mod throughput;

use std::ffi::CString;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use hdrhistogram::Histogram;

use crate::measure::counters::Counting;
use crate::measure::image;
use crate::measure::job::{Job, searched_directory};
use crate::measure::mechanism::brief::{Brief, Extras, Target};
use crate::measure::mechanism::child::{Mailbox, Stage};
#[cfg(feature = "independent-loop")]
use crate::measure::mechanism::independent;
use crate::measure::mechanism::{Mechanism, Refusal, Spawner, external};
use crate::measure::reading;
use crate::measure::shape::Become;
use crate::measure::tape::Difference;
use crate::model::row::{EventKind, Scope};
use crate::model::setup::{self, Busy, Image, Shape, Work};

/// One workload.
pub struct Workload {
    /// Which one.
    pub workload: setup::Workload,
    /// Whether that work can be done in such a parent by its mechanism; if not, why. That the
    /// mechanism can execute the image has been asked for already.
    pub can: fn(&Shape, &Work, &Mechanism) -> Result<(), Refusal>,
    /// What the control `none` does where this work is done: of work in which there is nothing to
    /// spawn, the rest; of a knob that only a child has, its default.
    pub control: fn(Work) -> Work,
    /// The most frames that it writes, beside those that every spawn has.
    pub frames: fn(&Work) -> Frames,
    /// Whether it leaves its subject changed for good, so that it needs one to itself.
    pub taints: fn(&Work) -> bool,
    /// Whether a sample is a whole experiment: each variant has a subject to itself, without pilot,
    /// warm-up, settling and counting, and without a control or a twin beside it.
    pub whole: bool,
    /// Makes everything ready; may allocate.
    pub prepare: fn(&Kit<'_>) -> Result<Box<dyn Task>, Refusal>,
}

/// How many frames a workload writes at most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Frames {
    /// With each sample.
    pub sample: u64,
    /// At the end of each block, for one variant.
    pub block: u64,
}

/// Every workload.
pub static WORKLOADS: &[&Workload] = &[
    &spawn::SPAWN,
    &cow::COW,
    &pipeline::PIPELINE,
    &stall::STALL,
    &throughput::THROUGHPUT,
    &gap::GAP,
    &hazard::HAZARD,
];

/// The workload of that kind.
pub fn find(workload: setup::Workload) -> &'static Workload {
    WORKLOADS.iter().find(|row| row.workload == workload).expect("every workload has a row")
}

/// Whether that work can be done in such a parent; if not, why.
pub fn can(shape: &Shape, work: &Work, mechanism: &Mechanism) -> Result<(), Refusal> {
    mechanism.can(work)?;
    if mechanism.takes_command() {
        external::can(shape, work)?;
    }
    if shape.busy == Busy::Hold && work.workload != setup::Workload::Hazard {
        return Err(Refusal {
            errno: 0,
            reason: "busy=hold does what a hazard is about: use it with workload=hazard".to_owned(),
        });
    }
    let delays = work.workload == setup::Workload::Spawn && !mechanism.takes_command();
    if work.delay_ns > 0 && !delays {
        return Err(Refusal {
            errno: 0,
            reason: "delay is for workload=spawn, where forkbench itself makes the processes: \
                     leave it out"
                .to_owned(),
        });
    }
    (find(work.workload).can)(shape, work, mechanism)
}

/// Bytes of the parent's memory of which there are two while that work is done, at most.
pub fn copied_bytes(shape: &Shape, work: &Work) -> u64 {
    match work.workload {
        setup::Workload::Cow => cow::copied_bytes(shape, work),
        _ => 0,
    }
}

/// A workload made ready.
pub trait Task {
    /// At the start of a turn, outside all intervals. May not allocate.
    fn begin_turn(&mut self, _ground: &mut Ground<'_>) {}

    /// Takes one sample. The ground's counters, where there are any, are to count what it is about.
    fn sample(&mut self, ground: &mut Ground<'_>) -> Taken;

    /// Makes the parent's memory what it was before the sample, and returns true; false: the subject
    /// is to make writable what a page-copying birth has left write-protected.
    fn restore(&mut self, _ground: &mut Ground<'_>) -> bool {
        false
    }

    /// At the end of a turn.
    fn end_turn(&mut self, _ground: &mut Ground<'_>) {}

    /// Hands over the distributions of a block, and forgets them.
    fn end_block(&mut self, _each: &mut dyn FnMut(Bucket)) {}

    /// Takes a turn of `count` spawns by a loop of its own; None: it has none.
    #[cfg(feature = "independent-loop")]
    fn turn(&mut self, _count: u32) -> Option<Result<&[independent::Spawn], i32>> {
        None
    }
}

/// What a task stands on: lent to it for each call.
pub struct Ground<'a> {
    /// What the subject holds on to while it has its shape.
    pub became: &'a mut Become,
    /// Where children and images report.
    pub mailbox: &'static Mailbox,
    /// The counters, in a sample of a counting block.
    pub counting: Option<&'a mut Counting>,
    /// Whether this sample only settles: it is kept, and enters no statistic.
    pub settling: bool,
    /// What is to be said of this sample beside its stamps. Of a settling one it is not kept.
    pub notes: &'a mut Notes,
    /// Says that the subject does something, in a sample that takes long.
    pub progress: &'a dyn Fn(),
}

impl Ground<'_> {
    /// Begins to count, where this sample is counted.
    pub fn count(&mut self) {
        if let Some(counting) = self.counting.as_deref_mut() {
            counting.begin();
        }
    }

    /// Counts no further, and notes what was counted as of `at`, an index of [`reading::PLACES`].
    /// `child`: the usage of the child that was reaped meanwhile, if there was one.
    pub fn counted(&mut self, child: Option<&libc::rusage>, at: u32) {
        if let Some(counting) = self.counting.as_deref_mut() {
            counting.end(child);
            self.notes.counted(counting, at);
        }
    }
}

/// One sample, as its task saw it. Lengths in nanoseconds since `start_ns`; `None` where there is
/// no such stamp.
#[derive(Clone, Copy, Debug, Default)]
pub struct Taken {
    /// CLOCK_MONOTONIC when the call was entered.
    pub start_ns: u64,
    /// See [`crate::model::interval::Interval`].
    pub blocked_ns: Option<u64>,
    /// Likewise.
    pub born_ns: Option<u64>,
    /// Likewise.
    pub image_ns: Option<u64>,
    /// Likewise.
    pub reaped_ns: Option<u64>,
    /// Likewise: a length of its own.
    pub rewrite_ns: Option<u64>,
    /// CPU time of the calling thread over the sample.
    pub cpu_ns: u64,
    /// What the birth returned: the child, or `-errno`; 0 where nothing was made.
    pub child: isize,
    /// The child's wait status.
    pub status: i32,
    /// The processor that the child ran on.
    pub child_cpu: Option<u32>,
    /// The errno and the stage of a failure.
    pub failure: Option<(i32, Stage)>,
    /// Whether what failed is a part of it, and the rest is a sample.
    pub partial: bool,
    /// What the image is not that it was to become.
    pub difference: Option<Difference>,
}

/// One bucket of a distribution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bucket {
    /// An index of [`reading::READINGS`].
    pub reading: u32,
    /// The smallest length in it, in nanoseconds.
    pub low_ns: u64,
    /// The largest.
    pub high_ns: u64,
    /// How many there were.
    pub count: u64,
}

impl Bucket {
    /// Hands over the buckets of a distribution that hold anything, and empties it.
    pub(in crate::measure::workload) fn take_all(
        reading: u32,
        distribution: &mut Histogram<u64>,
        each: &mut dyn FnMut(Bucket),
    ) {
        for value in distribution.iter_recorded() {
            let high_ns = value.value_iterated_to();
            let low_ns = distribution.lowest_equivalent(high_ns);
            each(Bucket { reading, low_ns, high_ns, count: value.count_at_value() });
        }
        distribution.reset();
    }
}

/// The longest reason that is kept of a sample that has failed, in bytes.
pub const BLAME: usize = 560;

/// What is said of a sample beside its stamps: counted facts and lengths.
#[derive(Debug)]
pub struct Notes {
    notes: Vec<Note>,
    findings: Vec<Finding>,
    blame: String,
}

/// What became of one child.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What happened.
    pub event: EventKind,
    /// Its pid.
    pub pid: i32,
    /// Its wait status, or 0.
    pub status: i32,
    /// What is known of it, in a line of at most 4,000 bytes.
    pub evidence: String,
}

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Note {
    /// An index of [`reading::READINGS`].
    pub reading: u32,
    /// Whose it is.
    pub scope: Scope,
    /// An index of [`reading::PLACES`].
    pub at: u32,
    /// The count or the length.
    pub value: u64,
}

impl Notes {
    /// Room for what one sample says.
    pub fn new() -> Notes {
        Notes { notes: Vec::with_capacity(256), findings: Vec::new(), blame: String::new() }
    }

    /// Adds a fact of the work.
    pub fn add(&mut self, reading: u32, scope: Scope, value: u64) {
        self.notes.push(Note { reading, scope, at: reading::WORK, value });
    }

    /// Adds what became of a child. Allocates.
    pub fn find(&mut self, finding: Finding) {
        self.findings.push(finding);
    }

    /// Says in a line why the sample has failed, where an errno and a stage do not tell: its first
    /// [`BLAME`] bytes. Allocates.
    pub fn blame(&mut self, why: &str) {
        self.blame.clear();
        self.blame.extend(why.char_indices().take_while(|(at, _)| *at < BLAME).map(|(_, c)| c));
    }

    /// Why the sample has failed, where more was said than errno and stage.
    pub fn blamed(&self) -> &str {
        &self.blame
    }

    /// Adds what the counters have counted.
    pub fn counted(&mut self, counting: &Counting, at: u32) {
        self.notes.extend(counting.counts().iter().map(|count| Note {
            reading: count.reading,
            scope: count.scope,
            at,
            value: count.value,
        }));
    }

    /// What was said.
    pub fn notes(&self) -> &[Note] {
        &self.notes
    }

    /// What became of children.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.notes.clear();
        self.findings.clear();
        self.blame.clear();
    }
}

impl Default for Notes {
    fn default() -> Notes {
        Notes::new()
    }
}

/// What a task is made ready from.
pub struct Kit<'a> {
    /// The job.
    pub job: &'a Job,
    /// What the subject holds on to while it has its shape.
    pub became: &'a Become,
    /// What each turn does.
    pub work: &'a Work,
    /// How it makes processes.
    pub mechanism: &'static Mechanism,
    /// Where children and images report.
    pub mailbox: &'static Mailbox,
    /// The signal mask to start images with.
    pub mask: u64,
}

impl Kit<'_> {
    /// The mechanism made ready for the image of the work.
    ///
    /// # Errors
    ///
    /// Where something of it is not to be had here.
    pub fn spawner(&self) -> Result<Box<dyn Spawner>, Refusal> {
        self.spawner_with(self.extras()?)
    }

    /// The same with other extras.
    ///
    /// # Errors
    ///
    /// Likewise.
    pub fn spawner_with(&self, extras: Extras) -> Result<Box<dyn Spawner>, Refusal> {
        self.spawner_for(self.target()?, extras)
    }

    /// The same for another image.
    ///
    /// # Errors
    ///
    /// Likewise.
    pub fn spawner_for(&self, target: Target, extras: Extras) -> Result<Box<dyn Spawner>, Refusal> {
        let brief = Brief::new(target, &extras, self.mailbox, self.mask)?;
        (self.mechanism.prepare)(brief)
    }

    /// The image of the work.
    ///
    /// # Errors
    ///
    /// Where it cannot be named.
    pub fn target(&self) -> Result<Target, Refusal> {
        target(&self.work.image, &self.job.noop)
    }

    /// A path in the directory of the images.
    ///
    /// # Errors
    ///
    /// When its path has a NUL byte.
    pub fn beside(&self, name: &str) -> Result<CString, Refusal> {
        beside(&self.job.noop, name)
    }

    /// What the work gives to its images.
    ///
    /// # Errors
    ///
    /// Where the job lacks what the work needs.
    pub fn extras(&self) -> Result<Extras, Refusal> {
        let Kit { job, work, .. } = self;
        let refuse = |reason: &str| Refusal { errno: 0, reason: reason.to_owned() };
        if work.path_dirs > 0 && job.search.is_empty() {
            return Err(refuse("the job names no directory `search` for path-dirs"));
        }
        if job.search.contains([':', '\0']) {
            return Err(refuse(
                "the directory of images has a colon in its name, which PATH cannot hold",
            ));
        }
        let directory = |number| {
            CString::new(format!("{}/{}", job.search, searched_directory(number)))
                .expect("it has no NUL byte")
        };
        Ok(Extras {
            env_bytes: work.env_bytes.bytes() as usize,
            args_bytes: work.args_bytes.bytes() as usize,
            searched: (0..work.path_dirs).map(directory).collect(),
            ..Extras::default()
        })
    }
}

fn beside(noop: &str, name: &str) -> Result<CString, Refusal> {
    let path = Path::new(noop).with_file_name(name);
    CString::new(path.as_os_str().as_bytes())
        .map_err(|_| Refusal { errno: libc::EINVAL, reason: noop.to_owned() })
}

fn target(image: &Image, noop: &str) -> Result<Target, Refusal> {
    let string = |text: &str| {
        CString::new(text).map_err(|_| Refusal {
            errno: libc::EINVAL,
            reason: "a word of the image has a NUL byte in it".to_owned(),
        })
    };
    Ok(match image {
        Image::Exit => Target::Exit,
        Image::Noop | Image::Dynamic => {
            let name = if *image == Image::Noop { image::NOOP } else { image::DYNAMIC };
            Target::Exec(beside(noop, name)?, vec![c"noop".to_owned()])
        }
        Image::Command(words) => {
            let arguments: Vec<CString> =
                words.iter().map(|word| string(word)).collect::<Result<_, _>>()?;
            let path = arguments.first().cloned().unwrap_or_default();
            Target::Exec(path, arguments)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_halves_of_the_registry_have_the_same_workloads() {
        let names: Vec<_> = WORKLOADS.iter().map(|row| row.workload).collect();
        let model: Vec<_> =
            crate::model::workload::WORKLOADS.iter().map(|row| row.workload).collect();
        assert_eq!(names, model);
    }
}
