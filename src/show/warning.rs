//! What a reader should know before trusting the numbers: one enum, one text each.
//!
//! Owns the words that `forkbench explain` knows for warnings. Decides nothing about thresholds of
//! the statistics: what [`summary::Warning`] found is put into words here, and the few that only
//! the facts of a run show are added. Prints nothing.

use std::fmt;

use crate::analyse::contrasts::{Bounds, Contrast};
use crate::analyse::quantiles::Figure;
use crate::analyse::summary::{self, Summary, VariantSummary};
use crate::model::interval::Interval;
use crate::model::row::{Outcome, Role, Scope};
use crate::model::setup::Workload;
use crate::show::units;

/// What a reader should know before trusting the rest. Values are finished; the text says what
/// happened, what it may mean, and what helps.
#[derive(Clone, Debug, PartialEq)]
pub enum Warning {
    /// No block was finished.
    NothingMeasured,
    /// A debug build made these results.
    NotReleaseBuild,
    /// Parents did not do their whole job, or not in the shape that was asked for.
    Parent {
        /// How they ended.
        outcome: Outcome,
        /// Their shape.
        shape: String,
        /// How many ended like this.
        launches: usize,
        /// The evidence of the first of them.
        detail: String,
    },
    /// Spawns of a variant failed.
    VariantFailed {
        /// Label of the variant.
        label: String,
        /// Samples that failed.
        failed: usize,
        /// Evidence of the first failure, if an event tells it.
        evidence: Option<String>,
    },
    /// The two sides of the A/A check differ.
    TwinDiffers {
        /// Label of the original.
        label: String,
        /// Twin / original.
        ratio: f64,
        /// Lower end of its interval.
        low: f64,
        /// Upper end of its interval.
        high: f64,
    },
    /// Fresh parents of one shape lie far apart.
    ParentsDisagree {
        /// Label of the variant with the widest spread.
        label: String,
        /// Its interval.
        interval: Interval,
        /// Largest launch median / smallest.
        spread: f64,
        /// The launch with the largest.
        slowest: u32,
    },
    /// Something else had the processor.
    Contended {
        /// Label of the variant.
        label: String,
        /// Samples flagged.
        part: usize,
        /// All its samples.
        whole: usize,
    },
    /// A median has too few samples for an interval.
    FewSamples {
        /// Label of the variant.
        label: String,
        /// Samples there are.
        count: usize,
        /// Samples it takes.
        needed: usize,
    },
    /// The second half of a launch is not like the first.
    Drift {
        /// Label of the variant.
        label: String,
        /// Its interval.
        interval: Interval,
        /// Second half / first half.
        ratio: f64,
    },
    /// The first block of a launch is not like the others.
    ShortWarmup {
        /// Label of the variant.
        label: String,
        /// Its interval.
        interval: Interval,
        /// First block / others.
        ratio: f64,
    },
    /// All blocks come from one launch.
    OneLaunch,
    /// perf_event was not to be had.
    PerfFallback,
    /// perf_event and getrusage count different numbers of faults.
    FaultsDisagree {
        /// Label of the variant.
        label: String,
        /// Whose faults.
        scope: Scope,
        /// Per spawn, as perf_event counted (its mode).
        perf: u64,
        /// Per spawn, as getrusage counted (its mode).
        rusage: u64,
    },
    /// Children were free to run on any processor and never left their parent's.
    ChildNeverLeft {
        /// Label of the variant.
        label: String,
    },
    /// Forks one after the other of a memory that nothing writes again in between.
    ForkFlattered {
        /// The variant's label.
        label: String,
    },
    /// A helper that does not stamp its own calls.
    PipeIncluded {
        /// The variant's label.
        label: String,
    },
    /// The last line of a file was torn.
    TornLine {
        /// Name of the file.
        file: &'static str,
    },
    /// Rows of blocks that were never finished were left out.
    DroppedRows {
        /// How many.
        rows: usize,
    },
    /// Something about the machine disturbs measurements.
    Machine(Disturbance),
}

/// What `environment.toml` warns of.
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize)]
pub struct Disturbance {
    /// Its stable word: `busy-machine`.
    pub id: String,
    /// What was seen.
    pub text: String,
}

/// What disturbs most, first; a word that is not here comes after them.
static WEIGHTIEST: [&str; 13] = [
    "traced",
    "throttled",
    "stolen-time",
    "one-cpu",
    "cpu-quota",
    "busy-machine",
    "slow-clock",
    "thp-always",
    "numa-balancing",
    "frequency-scaling",
    "shared-cores",
    "swap",
    "strict-overcommit",
];

/// Comes last: it holds for every run on such a machine alike.
const LIGHTEST: &str = "virtual-machine";

/// So many of the first of [`WORDS`] concern every figure.
const WEIGHTY: usize = 9;

/// Whether warnings of that word concern every figure.
pub fn is_weighty(word: &str) -> bool {
    WORDS[..WEIGHTY].contains(&word)
}

/// Every word that a warning can have; the glossary explains each.
pub static WORDS: [&str; 22] = [
    "nothing-measured",
    "not-release-build",
    "misshapen",
    "parent-unsupported",
    "parent-stuck",
    "parent-died",
    "interrupted",
    "variant-failed",
    "twin-differs",
    "parents-disagree",
    "contended",
    "few-samples",
    "drift",
    "short-warm-up",
    "one-launch",
    "perf-fallback",
    "faults-disagree",
    "child-never-left",
    "fork-flattered",
    "pipe-included",
    "torn-line",
    "dropped-rows",
];

impl Warning {
    /// All warnings of a run, weightiest first; those of one word stand together, and those about
    /// the machine last.
    ///
    /// `release_build` is false if a debug build made the results; `never_left` are the variants
    /// whose children were free to leave their parent's processor and never did; `machine` is what
    /// was seen of the machine, in the order in which it was seen.
    pub fn of(
        summary: &Summary,
        release_build: bool,
        never_left: &[u32],
        machine: &[Disturbance],
    ) -> Vec<Warning> {
        let mut warnings = Vec::new();
        if !release_build {
            warnings.push(Warning::NotReleaseBuild);
        }
        for found in &summary.warnings {
            match Warning::from_summary(summary, found) {
                // Launches that ended alike are one warning, not one each.
                Some(Warning::Parent { outcome, shape, detail, .. }) => {
                    let same = warnings.iter_mut().find_map(|known| match known {
                        Warning::Parent { outcome: o, shape: s, launches, .. }
                            if *o == outcome && *s == shape =>
                        {
                            Some(launches)
                        }
                        _ => None,
                    });
                    match same {
                        Some(launches) => *launches += 1,
                        None => {
                            warnings.push(Warning::Parent { outcome, shape, launches: 1, detail });
                        }
                    }
                }
                Some(warning) => warnings.push(warning),
                None => {}
            }
        }
        warnings.extend(summary.variants.iter().filter_map(few_samples));
        warnings.extend(
            never_left.iter().map(|&v| Warning::ChildNeverLeft { label: label(summary, v) }),
        );
        warnings.extend(summary.variants.iter().find_map(flattered));
        warnings.extend(summary.variants.iter().filter_map(pipe_included));
        let order: Vec<String> = warnings.iter().map(|warning| warning.word().to_owned()).collect();
        let place = |warning: &Warning| order.iter().position(|word| word == warning.word());
        warnings
            .sort_by(|a, b| place(a).cmp(&place(b)).then(b.severity().total_cmp(&a.severity())));
        warnings.extend(disturbances(machine));
        warnings
    }

    /// How bad it is beside others of its word: only the order counts.
    fn severity(&self) -> f64 {
        match self {
            Warning::Contended { part, whole, .. } => *part as f64 / *whole as f64,
            Warning::Drift { ratio, .. } | Warning::ShortWarmup { ratio, .. } => ratio.ln().abs(),
            _ => 0.0,
        }
    }

    /// The stable word that `forkbench explain` knows it by.
    pub fn word(&self) -> &str {
        match self {
            Warning::NothingMeasured => "nothing-measured",
            Warning::NotReleaseBuild => "not-release-build",
            Warning::Parent { outcome, .. } => match outcome {
                Outcome::Misshapen => "misshapen",
                Outcome::Unsupported => "parent-unsupported",
                Outcome::Stuck => "parent-stuck",
                Outcome::Died | Outcome::Done => "parent-died",
                Outcome::Interrupted => "interrupted",
            },
            Warning::VariantFailed { .. } => "variant-failed",
            Warning::TwinDiffers { .. } => "twin-differs",
            Warning::ParentsDisagree { .. } => "parents-disagree",
            Warning::Contended { .. } => "contended",
            Warning::FewSamples { .. } => "few-samples",
            Warning::Drift { .. } => "drift",
            Warning::ShortWarmup { .. } => "short-warm-up",
            Warning::OneLaunch => "one-launch",
            Warning::PerfFallback => "perf-fallback",
            Warning::FaultsDisagree { .. } => "faults-disagree",
            Warning::ChildNeverLeft { .. } => "child-never-left",
            Warning::ForkFlattered { .. } => "fork-flattered",
            Warning::PipeIncluded { .. } => "pipe-included",
            Warning::TornLine { .. } => "torn-line",
            Warning::DroppedRows { .. } => "dropped-rows",
            Warning::Machine(disturbance) => &disturbance.id,
        }
    }

    /// The warning with its numbers and names; none if it points at something that is not there.
    fn from_summary(summary: &Summary, found: &summary::Warning) -> Option<Warning> {
        Some(match *found {
            summary::Warning::NothingMeasured => Warning::NothingMeasured,
            summary::Warning::Launch(index) => {
                let launch = summary.launches.get(index)?;
                Warning::Parent {
                    outcome: launch.outcome,
                    shape: launch.shape.clone(),
                    launches: 1,
                    detail: launch.detail.clone(),
                }
            }
            summary::Warning::Failed { variant, failed } => Warning::VariantFailed {
                label: label(summary, variant),
                failed,
                evidence: summary
                    .events
                    .iter()
                    .find(|event| event.variant == Some(variant))
                    .map(|event| event.evidence.clone()),
            },
            summary::Warning::TwinDiffers(index) => {
                let twin = summary.twins.get(index)?;
                let Contrast::Shown(ratio) = twin.ratio else { return None };
                let Bounds::Between { low, high } = ratio.bounds else { return None };
                let label = label(summary, twin.original);
                Warning::TwinDiffers { label, ratio: ratio.value, low, high }
            }
            summary::Warning::ParentsDisagree { variant, interval, spread, slowest } => {
                let label = label(summary, variant);
                Warning::ParentsDisagree { label, interval, spread, slowest }
            }
            summary::Warning::Contended { variant, share } => Warning::Contended {
                label: label(summary, variant),
                part: share.part,
                whole: share.whole,
            },
            summary::Warning::Drift { variant, interval, ratio } => {
                Warning::Drift { label: label(summary, variant), interval, ratio }
            }
            summary::Warning::ShortWarmup { variant, interval, ratio } => {
                Warning::ShortWarmup { label: label(summary, variant), interval, ratio }
            }
            summary::Warning::FaultsFromRusage => Warning::PerfFallback,
            summary::Warning::CountsDisagree { variant, scope, perf, rusage } => {
                Warning::FaultsDisagree { label: label(summary, variant), scope, perf, rusage }
            }
            summary::Warning::OneLaunch => Warning::OneLaunch,
            summary::Warning::TornLine { file } => Warning::TornLine { file },
            summary::Warning::Uncommitted { rows } => Warning::DroppedRows { rows },
        })
    }
}

impl fmt::Display for Warning {
    /// One sentence: what happened, what it may mean, what helps.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Warning::NothingMeasured => f.write_str("no timed block was finished"),
            Warning::NotReleaseBuild => {
                f.write_str("a debug build made these results: build with --release")
            }
            Warning::Parent { outcome, shape, launches, detail } => {
                let parents = units::plural(*launches as u64, "parent", "parents");
                let end = match outcome {
                    Outcome::Misshapen => "did not get the shape asked for",
                    Outcome::Unsupported => "could not be measured here",
                    Outcome::Stuck => "stopped moving: examined, then killed",
                    Outcome::Died | Outcome::Done => "ended before the job was done",
                    Outcome::Interrupted => "lived when the run was interrupted",
                };
                write!(f, "{parents} ({shape}) {end}")?;
                if detail.is_empty() { Ok(()) } else { write!(f, ": {detail}") }
            }
            Warning::VariantFailed { label, failed, evidence } => {
                let spawns = units::plural(*failed as u64, "spawn", "spawns");
                write!(f, "{spawns} of {label} failed, outside all figures")?;
                match evidence {
                    Some(evidence) => write!(f, ": {evidence}"),
                    None => Ok(()),
                }
            }
            Warning::TwinDiffers { label, ratio, low, high } => write!(
                f,
                "{label} differs from itself: {ratio:.3} ({low:.3} to {high:.3}); differences of \
                 that size mean nothing here"
            ),
            Warning::ParentsDisagree { label, interval, spread, slowest } => write!(
                f,
                "{label} ({word}) is {factor} times as slow in one fresh parent (launch {slowest}) \
                 as in another; memory that the hypervisor backs at first touch, or other work on \
                 this machine?",
                word = interval.word(),
                factor = units::factor(*spread),
            ),
            Warning::Contended { label, part, whole } => write!(
                f,
                "something else had the processor in {part} of {whole} samples of {label}",
                part = units::count(*part as u64),
                whole = units::count(*whole as u64),
            ),
            Warning::FewSamples { label, count, needed } => write!(
                f,
                "{label} has {count}, its median needs {needed} for an interval: give it more \
                 --time",
                count = units::plural(*count as u64, "sample", "samples"),
            ),
            Warning::Drift { label, interval, ratio } => write!(
                f,
                "{label} ({word}) in the second half of a launch is {factor} times the first half; \
                 ratios are safe, times are not",
                word = interval.word(),
                factor = units::factor(*ratio),
            ),
            Warning::ShortWarmup { label, interval, ratio } => write!(
                f,
                "{label} ({word}) in the first block of a launch is {factor} times the others",
                word = interval.word(),
                factor = units::factor(*ratio),
            ),
            Warning::OneLaunch => f.write_str(
                "all blocks come from one parent: nothing is known of how parents differ; use \
                 --launches 10",
            ),
            Warning::PerfFallback => f.write_str(
                "perf_event is not to be had here: faults are from getrusage, one more per exec",
            ),
            Warning::FaultsDisagree { label, scope, perf, rusage } => {
                let whose = match scope {
                    Scope::Parent => "the parent",
                    Scope::Child => "the child",
                    Scope::Both => "parent and child",
                };
                write!(
                    f,
                    "{label}, minor faults of {whose} per spawn: perf_event counts {perf}, \
                     getrusage {rusage}",
                    perf = units::count(*perf),
                    rusage = units::count(*rusage),
                )
            }
            Warning::ChildNeverLeft { label } => {
                write!(f, "no child of {label} ran on another processor than its parent's")
            }
            Warning::PipeIncluded { label } => {
                write!(
                    f,
                    "{label} does not stamp its own calls: its figures contain two pipes and the \
                     switches to it and back (extern_round_trip_ns is what these take at least)"
                )
            }
            Warning::ForkFlattered { label } => {
                write!(
                    f,
                    "{label} forks a memory that nothing has written since the fork before: a \
                     server that writes its own pays a quarter to a third more for each, and for \
                     the writing (busy=rewrite shows it)"
                )
            }
            Warning::TornLine { file } => {
                write!(f, "the last line of {file} was torn and has been dropped")
            }
            Warning::DroppedRows { rows } => {
                let rows = units::plural(*rows as u64, "row", "rows");
                write!(f, "left out: {rows} of blocks that were never finished")
            }
            Warning::Machine(disturbance) => f.write_str(&disturbance.text),
        }
    }
}

/// What is to be said of the machine, once each, weightiest first.
fn disturbances(machine: &[Disturbance]) -> Vec<Warning> {
    let weight = |one: &Disturbance| {
        let place = WEIGHTIEST.iter().position(|known| *known == one.id);
        (one.id == LIGHTEST, place.unwrap_or(WEIGHTIEST.len()))
    };
    let mut told: Vec<&Disturbance> = Vec::new();
    // What was seen last was seen of the run itself, and not of the time before it.
    for one in machine.iter().rev().filter(|one| one.id != Warning::NotReleaseBuild.word()) {
        if told.iter().all(|other| other.id != one.id) {
            told.push(one);
        }
    }
    told.reverse();
    told.sort_by_key(|one| weight(one));
    told.into_iter().cloned().map(Warning::Machine).collect()
}

/// That the median of how long the caller is blocked has no interval.
fn few_samples(variant: &VariantSummary) -> Option<Warning> {
    let asked_for = matches!(variant.row.role, Role::Subject | Role::Control);
    match variant.interval(Interval::Blocked)?.p50 {
        Figure::Needs { needed, count } if asked_for && count > 0 => {
            Some(Warning::FewSamples { label: variant.row.label.clone(), count, needed })
        }
        _ => None,
    }
}

/// That a batch of forks is cheaper than the same forks of a server that writes its memory.
fn flattered(variant: &VariantSummary) -> Option<Warning> {
    let row = &variant.row;
    let has = |setting: &str| row.settings.split(';').any(|s| s == setting);
    let of_batches = row.workload == Workload::Throughput.word() && row.copies_pages;
    let elsewhere = has("dispatch=zygote") || has("busy=rewrite");
    (of_batches && has("rewrite=none") && row.shape.contains("rss=") && !elsewhere)
        .then(|| Warning::ForkFlattered { label: row.label.clone() })
}

/// That a helper is timed by the exchange with it.
fn pipe_included(variant: &VariantSummary) -> Option<Warning> {
    let row = &variant.row;
    let stamps = || variant.readings.iter().any(|found| found.reading == "extern_exchange_ns");
    let is_timed = row.role == Role::Subject && variant.samples > 0;
    (row.mechanism.starts_with("extern:") && is_timed && !stamps())
        .then(|| Warning::PipeIncluded { label: row.label.clone() })
}

fn label(summary: &Summary, variant: u32) -> String {
    summary.variant(variant).map_or_else(|| format!("variant {variant}"), |v| v.row.label.clone())
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use super::*;
    use crate::analyse::contrasts::{Ratio, Unit};
    use crate::record::fixture;
    use crate::show::example::{self, FORK, POSIX_SPAWN, Spawn};

    fn every_warning() -> Vec<Warning> {
        let label = || "fork".to_owned();
        let interval = Interval::Blocked;
        let parent = |outcome, launches, detail: &str| Warning::Parent {
            outcome,
            shape: "rss=1GiB".to_owned(),
            launches,
            detail: detail.to_owned(),
        };
        vec![
            Warning::NothingMeasured,
            Warning::NotReleaseBuild,
            parent(Outcome::Misshapen, 3, "rss: asked 1 GiB, seen 512 MiB"),
            parent(Outcome::Unsupported, 1, "no huge pages here"),
            parent(Outcome::Stuck, 1, "state S in futex_wait"),
            parent(Outcome::Died, 2, "signal 9"),
            parent(Outcome::Interrupted, 1, ""),
            Warning::VariantFailed {
                label: label(),
                failed: 1,
                evidence: Some("EAGAIN".to_owned()),
            },
            Warning::VariantFailed { label: label(), failed: 1200, evidence: None },
            Warning::TwinDiffers { label: label(), ratio: 1.02, low: 1.01, high: 1.03 },
            Warning::ParentsDisagree { label: label(), interval, spread: 2.28, slowest: 1 },
            Warning::Contended { label: label(), part: 12, whole: 1040 },
            Warning::FewSamples { label: label(), count: 1, needed: 6 },
            Warning::Drift { label: label(), interval, ratio: 1.08 },
            Warning::ShortWarmup { label: label(), interval, ratio: 1.2 },
            Warning::OneLaunch,
            Warning::PerfFallback,
            Warning::FaultsDisagree { label: label(), scope: Scope::Child, perf: 20, rusage: 30 },
            Warning::ChildNeverLeft { label: label() },
            Warning::ForkFlattered { label: label() },
            Warning::PipeIncluded { label: label() },
            Warning::TornLine { file: "samples.csv" },
            Warning::DroppedRows { rows: 1 },
        ]
    }

    #[test]
    fn every_warning_has_its_text_and_a_word_that_is_explained() {
        let mut told = String::new();
        for warning in every_warning() {
            writeln!(told, "{}: {warning}", warning.word()).unwrap();
            assert!(WORDS.contains(&warning.word()), "{}", warning.word());
        }
        insta::assert_snapshot!("texts", told);
    }

    #[test]
    fn every_word_is_unique_and_belongs_to_a_warning() {
        for (position, word) in WORDS.iter().enumerate() {
            assert!(!WORDS[..position].contains(word), "{word}");
            assert!(every_warning().iter().any(|warning| warning.word() == *word), "{word}");
        }
    }

    #[test]
    fn what_the_summary_found_is_told_with_names() {
        let few = Spawn { count: 3, ..FORK };
        let mut summary = example::summary(&[("rss=1GiB", &[few, POSIX_SPAWN])], "posix_spawn");
        summary.twins[0].ratio = Contrast::Shown(Ratio {
            value: 1.02,
            bounds: Bounds::Between { low: 1.01, high: 1.03 },
            p: 0.001,
            unit: Unit::Block,
            blocks: 100,
            launches: 10,
            smallest_detectable: None,
        });
        for launch in 1..=3 {
            let mut row = fixture::launch(launch, 0, "rss=1GiB");
            row.outcome = if launch < 3 { Outcome::Misshapen } else { Outcome::Died };
            row.detail = format!("evidence {launch}");
            summary.launches.push(row);
        }
        summary.warnings = vec![
            summary::Warning::Launch(0),
            summary::Warning::Launch(1),
            summary::Warning::Launch(2),
            summary::Warning::Launch(7),
            summary::Warning::TwinDiffers(0),
            summary::Warning::Failed { variant: 0, failed: 5 },
        ];
        let parent = |outcome, launches, detail: &str| Warning::Parent {
            outcome,
            shape: "rss=1GiB".to_owned(),
            launches,
            detail: detail.to_owned(),
        };
        let label = |name: &str| name.to_owned();
        assert_eq!(
            Warning::of(&summary, true, &[1], &[]),
            [
                parent(Outcome::Misshapen, 2, "evidence 1"),
                parent(Outcome::Died, 1, "evidence 3"),
                Warning::TwinDiffers {
                    label: label("posix_spawn"),
                    ratio: 1.02,
                    low: 1.01,
                    high: 1.03
                },
                Warning::VariantFailed { label: label("fork"), failed: 5, evidence: None },
                Warning::FewSamples { label: label("fork"), count: 3, needed: 6 },
                Warning::ChildNeverLeft { label: label("posix_spawn") },
            ]
        );
        assert_eq!(Warning::of(&summary, false, &[], &[])[0], Warning::NotReleaseBuild);
    }

    #[test]
    fn warnings_of_one_word_stand_together_and_the_worst_is_first() {
        let mut summary = example::summary(&[("rss=1GiB", &[FORK, POSIX_SPAWN])], "posix_spawn");
        let contended = |variant, part| summary::Warning::Contended {
            variant,
            share: summary::Share { part, whole: 40 },
        };
        let drift = summary::Warning::Drift { variant: 0, interval: Interval::Blocked, ratio: 1.1 };
        summary.warnings = vec![contended(0, 5), drift, contended(1, 20)];
        let told: Vec<String> =
            Warning::of(&summary, true, &[], &[]).iter().map(Warning::to_string).collect();
        assert_eq!(
            told[..2],
            [
                "something else had the processor in 20 of 40 samples of posix_spawn",
                "something else had the processor in 5 of 40 samples of fork"
            ]
        );
        assert_eq!(told.len(), 3);
    }

    #[test]
    fn what_disturbs_most_is_told_first_and_once() {
        let seen = |id: &str, text: &str| Disturbance { id: id.to_owned(), text: text.to_owned() };
        let machine = [
            seen("not-release-build", ""),
            seen("virtual-machine", ""),
            seen("stolen-time", "since its boot"),
            seen("unheard-of", ""),
            seen("one-cpu", ""),
            seen("stolen-time", "meanwhile"),
        ];
        let summary = example::summary(&[], "posix_spawn");
        assert_eq!(
            Warning::of(&summary, true, &[], &machine),
            [
                seen("stolen-time", "meanwhile"),
                seen("one-cpu", ""),
                seen("unheard-of", ""),
                seen("virtual-machine", "")
            ]
            .map(Warning::Machine)
        );
    }
}
