//! Findings as they are told: each claim, its estimate, the range claimed, the verdict.
//!
//! Owns their words and the rows that machines read, in `--format json` and in `verdict.json`.
//! Judges nothing: verdicts come finished from [`crate::analyse::findings`].

use std::fmt;

use serde::Serialize;

use crate::analyse::findings::{Compared, Finding};
use crate::model::claim::{Counted, Estimate, Place, Verdict};
use crate::model::quantity::Measure;
use crate::model::scenario::{Scenario, Setting, Source};
use crate::model::waiver::Waivers;
use crate::show::units;

/// A claim and what was found of it.
#[derive(Clone, Debug, PartialEq)]
pub struct FindingRow {
    /// What is found.
    pub verdict: Verdict,
    /// What is claimed, as a sentence.
    pub claim: String,
    /// The estimate with its interval; none if there is none.
    pub measured: Option<String>,
    /// The range: `at most 1.40x`.
    pub claimed: String,
    /// Why there is no estimate; empty if there is one.
    pub why: String,
    /// What the source gives for it.
    pub published: Option<String>,
    /// Why it is claimed, or no longer holds.
    pub because: Option<String>,
    /// The same for machines.
    pub record: FindingRecord,
}

/// A finding for machines to read: a row of `verdict.json`. `value`, `low`, `high`, `at_least` and
/// `at_most` are in `unit`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FindingRecord {
    /// Name of the scenario that claims it, or of the budget.
    pub scenario: String,
    /// What is claimed, as a sentence.
    pub claim: String,
    /// The word for what is estimated: `ratio`.
    pub estimate: &'static str,
    /// The quantity: `blocked.p50`.
    pub quantity: String,
    /// The place, or the variants.
    pub at: String,
    /// The place that it is compared with.
    pub to: Option<String>,
    /// The quantity there, where it is another.
    pub to_quantity: Option<String>,
    /// The axis.
    pub over: Option<String>,
    /// What the figures are counted in: `ns`, `ns/MiB`, `bytes`, `count`, `times`.
    pub unit: String,
    /// The estimate.
    pub value: Option<f64>,
    /// Lower end of its 95 % interval.
    pub low: Option<f64>,
    /// Upper end of it.
    pub high: Option<f64>,
    /// Share of the variance of the medians that the line explains.
    pub r2: Option<f64>,
    /// Launches that the estimate rests on.
    pub launches: Option<usize>,
    /// The least that is claimed.
    pub at_least: Option<f64>,
    /// The most that is claimed.
    pub at_most: Option<f64>,
    /// The least R2 that is claimed.
    pub r2_at_least: Option<f64>,
    /// What the source gives for it.
    pub published: Option<String>,
    /// Why it is claimed, or no longer holds.
    pub because: Option<String>,
    /// `HOLDS`, `FAILS`, `UNCLEAR` or `NOT SHOWN`.
    pub verdict: &'static str,
    /// Why there is no estimate; empty if there is one.
    pub why: String,
    /// Why it may fail for now; none: nothing waives it.
    pub waived: Option<String>,
}

/// How many claims came to what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// Claims that hold.
    pub holds: usize,
    /// Claims that fail.
    pub fails: usize,
    /// Claims of which the interval straddles a bound.
    pub unclear: usize,
    /// Claims without an estimate.
    pub not_shown: usize,
}

/// What was published of a question, beside what was measured here.
#[derive(Clone, Debug, PartialEq)]
pub struct Reproduction {
    /// Where it was published.
    pub source: Source,
    /// Each figure that was published.
    pub figures: Vec<FigureRow>,
}

/// A published figure beside the one measured here.
#[derive(Clone, Debug, PartialEq)]
pub struct FigureRow {
    /// Where it was taken: the settings that come closest.
    pub at: String,
    /// The quantity.
    pub quantity: String,
    /// The figure that was published.
    pub published: String,
    /// The figure measured here with its interval, or that there is none.
    pub here: String,
    /// Why there is none, or how a law got there; empty if it was measured.
    pub why: String,
    /// Here / theirs; empty without a figure.
    pub factor: String,
    /// What else is to be known of it.
    pub note: Option<String>,
    /// The same for machines.
    pub record: FigureRecord,
}

/// A published figure for machines to read, in the unit of its quantity.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FigureRecord {
    /// Name of the scenario.
    pub scenario: String,
    /// Title of the source.
    pub source: String,
    /// The settings that come closest.
    pub at: String,
    /// The quantity.
    pub quantity: String,
    /// What was published, or the lower end of the range.
    pub published_low: f64,
    /// The same, or the upper end.
    pub published_high: f64,
    /// What was measured here.
    pub here: Option<f64>,
    /// Lower end of its interval.
    pub here_low: Option<f64>,
    /// Upper end of it.
    pub here_high: Option<f64>,
    /// Here / the middle of what was published.
    pub factor: Option<f64>,
    /// Whether it is what a law of this run says, the place itself not having been measured.
    pub by_law: bool,
    /// Why it was not measured here, or how the law got there; empty if it was measured.
    pub why: String,
}

/// The verdict on something published, in a reader's words.
pub fn reproduced(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Holds => "reproduced",
        Verdict::Fails => "not reproduced",
        Verdict::Unclear => "unclear",
        Verdict::NotShown => "cannot be shown here",
    }
}

/// Said once, before figures of several machines stand beside each other.
pub const MACHINES_DIFFER: &str = "Machines differ: a figure from another machine is not expected \
                                   to match. What is claimed is shape, range of slope, and ratio.";

impl FindingRow {
    /// A finding, in words.
    pub fn of(finding: &Finding) -> FindingRow {
        let claim = &finding.claim;
        let counted = claim.estimate.measure();
        let r2 = finding.measured.and_then(|measured| measured.r2);
        let measured = finding.measured.map(|m| {
            let figure = units::within(counted, m.value, m.low, m.high);
            r2.map_or_else(|| figure.clone(), |r2| format!("{figure}, R2 {}", units::r2(r2)))
        });
        let range = units::range(counted, claim.at_least, claim.at_most);
        let r2_range = claim.r2_at_least.map(|least| format!("R2 at least {least}"));
        let ranges: Vec<String> = [range, r2_range].into_iter().flatten().collect();
        FindingRow {
            verdict: finding.verdict,
            claim: claim.name.clone(),
            measured,
            claimed: ranges.join(", "),
            why: finding.why.clone(),
            published: claim.published.clone(),
            because: claim.because.clone(),
            record: FindingRecord::of(finding),
        }
    }

    /// Applies waivers: what one names may fail, and says so; where it has expired, too.
    pub fn waive(&mut self, waivers: &Waivers) {
        self.record.waived = waivers.live(&self.claim).map(ToString::to_string);
        if let Some(expired) = waivers.expired(&self.claim) {
            self.note(&expired);
            self.record.why = self.why.clone();
        } else if let Some(waived) = self.record.waived.clone() {
            self.note(&format!("waived: {waived}"));
        }
    }

    fn note(&mut self, text: &str) {
        let space = if self.why.is_empty() { "" } else { "; " };
        self.why += &format!("{space}{text}");
    }

    /// All but the verdict in one sentence; what the source says comes first.
    pub fn told(&self) -> String {
        let published = self.published.as_ref().map(|text| format!("published {text}"));
        let here = match (&self.measured, self.why.as_str()) {
            (Some(measured), "") => measured.clone(),
            (Some(measured), why) => format!("{measured}; {why}"),
            (None, why) => why.to_owned(),
        };
        let here = if published.is_some() && self.measured.is_some() {
            format!("here {here}")
        } else {
            here
        };
        let claimed = (!self.claimed.is_empty()).then(|| format!("claimed {}", self.claimed));
        let parts: Vec<String> = [published, Some(here), claimed].into_iter().flatten().collect();
        format!("{}: {}", self.claim, parts.join("; "))
    }
}

impl FindingRecord {
    fn of(finding: &Finding) -> FindingRecord {
        let claim = &finding.claim;
        let estimate = &claim.estimate;
        let (at, to, to_quantity, over) = match estimate {
            Estimate::Value { at, .. } => (at, None, None, None),
            Estimate::Ratio { at, to, to_of, of } => {
                (at, Some(to), (to_of != of).then(|| to_of.to_string()), None)
            }
            Estimate::Difference { at, to, .. } => (at, Some(to), None, None),
            Estimate::Slope { at, over, .. } | Estimate::Spread { at, over, .. } => {
                (at, None, None, Some(over))
            }
            Estimate::Crossover { at, to, over, .. } => (at, Some(to), None, Some(over)),
        };
        let measured = finding.measured;
        FindingRecord {
            scenario: finding.scenario.clone(),
            claim: claim.name.clone(),
            estimate: estimate.word(),
            quantity: estimate.quantity().to_string(),
            at: at.to_string(),
            to: to.map(ToString::to_string),
            to_quantity,
            over: over.cloned(),
            unit: unit(estimate.measure()),
            value: measured.map(|m| units::rounded(m.value)),
            low: measured.map(|m| units::rounded(m.low)),
            high: measured.map(|m| units::rounded(m.high)),
            r2: measured.and_then(|m| m.r2).map(units::rounded),
            launches: measured.map(|m| m.launches),
            at_least: claim.at_least,
            at_most: claim.at_most,
            r2_at_least: claim.r2_at_least,
            published: claim.published.clone(),
            because: claim.because.clone(),
            verdict: finding.verdict.word(),
            why: finding.why.clone(),
            waived: None,
        }
    }
}

/// The unit of figures for machines.
fn unit(counted: Counted) -> String {
    let of = |measure: Measure| match measure {
        Measure::Nanoseconds => "ns",
        Measure::Bytes => "bytes",
        Measure::Things => "count",
    };
    match counted {
        Counted::As(measure) => of(measure).to_owned(),
        Counted::For(measure, per) => format!("{}/{per}", of(measure)),
        Counted::Times => "times".to_owned(),
        Counted::Size => "bytes".to_owned(),
        Counted::Count => "count".to_owned(),
    }
}

impl Tally {
    /// Of these verdicts.
    pub fn of(verdicts: impl IntoIterator<Item = Verdict>) -> Tally {
        let mut tally = Tally::default();
        for verdict in verdicts {
            match verdict {
                Verdict::Holds => tally.holds += 1,
                Verdict::Fails => tally.fails += 1,
                Verdict::Unclear => tally.unclear += 1,
                Verdict::NotShown => tally.not_shown += 1,
            }
        }
        tally
    }

    /// Both together.
    pub fn and(self, other: Tally) -> Tally {
        Tally {
            holds: self.holds + other.holds,
            fails: self.fails + other.fails,
            unclear: self.unclear + other.unclear,
            not_shown: self.not_shown + other.not_shown,
        }
    }

    /// All of them.
    pub fn all(self) -> usize {
        self.holds + self.fails + self.unclear + self.not_shown
    }

    /// The same in a reader's words: `5 reproduced, 1 not reproduced`.
    pub fn reproduced(self) -> String {
        let parts = [
            (self.holds, Verdict::Holds),
            (self.fails, Verdict::Fails),
            (self.unclear, Verdict::Unclear),
            (self.not_shown, Verdict::NotShown),
        ];
        let parts: Vec<String> = parts
            .into_iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, verdict)| format!("{count} {}", reproduced(verdict)))
            .collect();
        parts.join(", ")
    }
}

impl fmt::Display for Tally {
    /// `HOLDS 5, FAILS 1, UNCLEAR 0, NOT SHOWN 2`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Tally { holds, fails, unclear, not_shown } = self;
        write!(f, "HOLDS {holds}, FAILS {fails}, UNCLEAR {unclear}, NOT SHOWN {not_shown}")
    }
}

impl Reproduction {
    /// What was published of a scenario; none if it reproduces nothing.
    pub fn of(scenario: &Scenario, compared: &[&Compared]) -> Option<Reproduction> {
        let source = scenario.source.clone()?;
        let figures = compared.iter().map(|one| FigureRow::of(one, &source)).collect();
        Some(Reproduction { source, figures })
    }
}

impl FigureRow {
    fn of(compared: &Compared, source: &Source) -> FigureRow {
        let theirs = &compared.published;
        let counted = Counted::As(theirs.quantity.measure());
        let published = if theirs.low == theirs.high {
            units::counted(counted, theirs.low)
        } else {
            units::range(counted, Some(theirs.low), Some(theirs.high)).unwrap_or_default()
        };
        let here = compared.here.and_then(|figure| figure.known());
        let middle = (theirs.low + theirs.high) / 2.0;
        let factor = here.filter(|_| middle > 0.0).map(|here| here.value / middle);
        let why = match (&here, compared.why.as_str()) {
            (None, "") => "too few samples",
            (_, why) => why,
        };
        FigureRow {
            at: named(&theirs.at),
            quantity: theirs.quantity.to_string(),
            published,
            here: here.map_or_else(
                || "not measured".to_owned(),
                |here| {
                    let by_law = if compared.by_law { " by the law" } else { "" };
                    let figure = units::within(counted, here.value, here.low, here.high);
                    format!("{figure}{by_law}")
                },
            ),
            why: why.to_owned(),
            factor: factor.map(units::ratio).unwrap_or_default(),
            note: theirs.note.clone(),
            record: FigureRecord {
                scenario: compared.scenario.clone(),
                source: source.title.clone(),
                at: theirs.at.to_string(),
                quantity: theirs.quantity.to_string(),
                published_low: theirs.low,
                published_high: theirs.high,
                here: here.map(|here| units::rounded(here.value)),
                here_low: here.map(|here| units::rounded(here.low)),
                here_high: here.map(|here| units::rounded(here.high)),
                factor: factor.map(units::rounded),
                by_law: compared.by_law,
                why: why.to_owned(),
            },
        }
    }
}

/// A place, its mechanism by its bare name: `fork rss=1GiB`.
fn named(place: &Place) -> String {
    let part = |setting: &Setting| match setting.knob.as_str() {
        "mechanism" => setting.value.clone(),
        knob => format!("{knob}={}", setting.value),
    };
    let parts: Vec<String> = place.0.iter().map(part).collect();
    if parts.is_empty() { place.to_string() } else { parts.join(" ") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::show::example;

    #[test]
    fn a_finding_tells_its_estimate_and_its_range() {
        let told: Vec<String> =
            example::findings().iter().map(|one| FindingRow::of(one).told()).collect();
        assert_eq!(
            told,
            [
                "fork grows with memory, along a line: 16.9 us per MiB (16.6 to 17.3), R2 0.9998; \
                 claimed 10.0 us per MiB to 30.0 us per MiB, R2 at least 0.99",
                "posix_spawn does not grow: 1.62x (1.55 to 1.70); claimed at most 1.40x",
                "a GiB costs 200 times an empty parent: published 200x; here 203x (188 to 220); \
                 claimed at least 200x",
                "pinned memory is copied in the call: io_uring is not allowed here (EPERM); \
                 claimed at least 5.00x",
            ]
        );
    }

    #[test]
    fn a_tally_counts_every_verdict_once() {
        let verdicts = example::findings().into_iter().map(|one| one.verdict);
        let tally = Tally::of(verdicts);
        assert_eq!(tally.to_string(), "HOLDS 1, FAILS 1, UNCLEAR 1, NOT SHOWN 1");
        assert_eq!(
            tally.reproduced(),
            "1 reproduced, 1 not reproduced, 1 unclear, 1 cannot be shown here"
        );
        assert_eq!(tally.all(), 4);
    }
}
