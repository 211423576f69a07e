//! What a gate found, in words and rows: the one view of which the terminal, `verdict.json` and
//! every export are renderings.
//!
//! Judges nothing: verdicts come finished from [`crate::analyse::judgement`]. Whether a waiver lets
//! a red row pass, and which exit code that makes, is told here once for all renderings.

use serde::Serialize;

use crate::analyse::contrasts::Unit;
use crate::analyse::gate::Verdict;
use crate::analyse::judgement::{Judged, Judgement};
use crate::model::quantity::{Measure, Quantity};
use crate::model::waiver::Waivers;
use crate::record::rows::VariantRow;
use crate::show::{units, verdict};

/// What a gate found of a run, or of results directories.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Gated {
    /// [`verdict::SCHEMA`].
    pub schema: &'static str,
    /// `gate`: what tells it from a document of claims.
    pub kind: &'static str,
    /// The results directory, or directories, that it was found in.
    pub source: String,
    /// The level of each test.
    pub alpha: f64,
    /// Confidence of every interval.
    pub confidence: f64,
    /// How what fails together is corrected for: `benjamini-hochberg`.
    pub correction: &'static str,
    /// How many rows are corrected for each other.
    pub family: usize,
    /// Whether what is inconclusive counts against it.
    pub strict: bool,
    /// The exit code.
    pub exit_code: u8,
    /// Why nothing could be judged; none if something could.
    pub reason: Option<String>,
    /// How many rows came to what.
    pub counts: Counts,
    /// Every row that can fail the build.
    pub rows: Vec<GateRow>,
    /// The A/A check: each twin against its base. It fails nothing by itself.
    pub twins: Vec<GateRow>,
    /// What was not judged because the budget does not buy it.
    pub left_out: Vec<String>,
    /// What else a reader should know: a sentence each.
    pub notes: Vec<String>,
}

/// How many rows came to what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Worse than the margin.
    pub regressed: usize,
    /// Not worse than the margin.
    pub ok: usize,
    /// Better by more than the margin.
    pub improved: usize,
    /// Neither can be said.
    pub inconclusive: usize,
    /// Nothing to hold against each other.
    pub not_comparable: usize,
    /// Of these, how many a waiver lets pass.
    pub waived: usize,
}

/// One row for machines. Values are in `unit`; every other number is a share or a ratio.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct GateRow {
    /// What it is called, as a waiver names it: `posix_spawn blocked.p50`. Against a second base
    /// that is told too.
    pub row: String,
    /// What its sides have in common.
    pub name: String,
    /// The quantity: `blocked.p50`.
    pub quantity: String,
    /// What the values are counted in: `ns`, `bytes`, `count`.
    pub unit: &'static str,
    /// The label of the side that it is held against.
    pub base: String,
    /// The label of the side that is judged.
    pub cand: String,
    /// Every setting of the base that is not the default.
    pub base_settings: String,
    /// Every setting of the candidate.
    pub cand_settings: String,
    /// The quantity of the base.
    pub base_value: Option<f64>,
    /// The quantity of the candidate.
    pub cand_value: Option<f64>,
    /// Candidate / base, by blocks or pairs.
    pub ratio: Option<f64>,
    /// Lower end of its interval.
    pub ratio_lo: Option<f64>,
    /// Upper end.
    pub ratio_hi: Option<f64>,
    /// How much worse it may be.
    pub margin: f64,
    /// `interleaved`, `launch-pairs`, `runs`, `boots` or `counts`; `none` of what could not be
    /// compared.
    pub design: &'static str,
    /// Blocks, pairs or runs.
    pub n_units: Option<usize>,
    /// Launches that they came from.
    pub launches: Option<usize>,
    /// p that it is worse than the margin, corrected.
    pub q_worse: Option<f64>,
    /// p that it is not.
    pub p_ok: Option<f64>,
    /// p that it is better by more than the margin, corrected.
    pub q_better: Option<f64>,
    /// The smallest slowdown, as a ratio, that would be found worse in four of five such runs.
    pub detects: Option<f64>,
    /// The verdict.
    pub verdict: &'static str,
    /// Why, where the figures alone do not say so; empty where they do.
    pub why: String,
    /// Blocks, pairs or runs more that would decide it.
    pub needed: Option<usize>,
    /// Why it may be red for now; none: nothing waives it.
    pub waived: Option<String>,
}

impl Gated {
    /// The view of a judgement. `variants` tells what the sides are.
    pub fn new(
        source: String,
        judgement: &Judgement,
        variants: &[VariantRow],
        left_out: Vec<String>,
        strict: bool,
    ) -> Gated {
        let rows = |rows: &[Judged]| -> Vec<GateRow> {
            rows.iter().map(|row| GateRow::new(row, variants)).collect()
        };
        let family = judgement.rows.iter().filter(|row| row.figures.is_some()).count();
        let mut gated = Gated {
            schema: verdict::SCHEMA,
            kind: "gate",
            source,
            alpha: judgement.alpha,
            confidence: 1.0 - 2.0 * judgement.alpha,
            correction: "benjamini-hochberg",
            family,
            strict,
            exit_code: 0,
            reason: None,
            counts: Counts::default(),
            rows: rows(&judgement.rows),
            twins: rows(&judgement.twins),
            left_out,
            notes: Vec::new(),
        };
        gated.conclude();
        gated
    }

    /// Counts the rows and says which exit code they make: a row that is worse and not waived
    /// before one that could not be compared, and that before one that is undecided.
    pub fn conclude(&mut self) {
        let mut counts = Counts::default();
        let mut failed = false;
        for row in &self.rows {
            let count = match row.verdict {
                word if word == Verdict::Regressed.word() => &mut counts.regressed,
                word if word == Verdict::Fine.word() => &mut counts.ok,
                word if word == Verdict::Improved.word() => &mut counts.improved,
                word if word == Verdict::Inconclusive.word() => &mut counts.inconclusive,
                _ => &mut counts.not_comparable,
            };
            *count += 1;
            let bad = !row.is(Verdict::Fine) && !row.is(Verdict::Improved);
            if row.waived.is_some() && bad {
                counts.waived += 1;
            } else if row.is(Verdict::Regressed) {
                failed = true;
            }
        }
        let open = |verdict| self.rows.iter().any(|row| row.is(verdict) && row.waived.is_none());
        self.counts = counts;
        self.exit_code = if failed {
            3
        } else if self.reason.is_some() || self.rows.is_empty() || open(Verdict::NotComparable) {
            5
        } else if self.strict && open(Verdict::Inconclusive) {
            4
        } else {
            0
        };
    }

    /// Applies waivers: a row that one names may be red; where it has expired, the row says so.
    pub fn waive(&mut self, waivers: &Waivers) {
        for row in &mut self.rows {
            row.waived = waivers.live(&row.row).map(ToString::to_string);
            if let Some(expired) = waivers.expired(&row.row) {
                let space = if row.why.is_empty() { "" } else { "; " };
                row.why += &format!("{space}{expired}");
            }
        }
        self.conclude();
    }

    /// Whether a row is worse that nothing waives.
    pub fn has_red(&self) -> bool {
        self.rows.iter().any(GateRow::is_red)
    }

    /// Holds what is red to what was measured afresh: it stays red only if it is so again.
    pub fn confirm(&mut self, again: &Gated) {
        for row in self.rows.iter_mut().filter(|row| row.is(Verdict::Regressed)) {
            let Some(second) = again.rows.iter().find(|second| second.row == row.row) else {
                continue;
            };
            let told = format!("{} ({})", second.told_ratio(), second.told_interval());
            if second.is(Verdict::Regressed) {
                row.why = format!("confirmed: measured afresh it is {told}");
            } else {
                row.verdict = Verdict::Inconclusive.word();
                row.why = format!(
                    "it was {} at first, and is not confirmed: measured afresh it is {told}, {}",
                    Verdict::Regressed.word(),
                    second.verdict
                );
            }
        }
        self.conclude();
    }

    /// Says that nothing here may be judged, and why.
    pub fn refuse(&mut self, why: &str) {
        self.reason = Some(why.to_owned());
        for row in &mut self.rows {
            row.verdict = Verdict::NotComparable.word();
            row.needed = None;
        }
        self.conclude();
    }

    /// The last line of a check: `REGRESSED 1, OK 3 (exit 3)`.
    pub fn last_line(&self) -> String {
        let counts = &self.counts;
        let told = [
            (Verdict::Regressed, counts.regressed),
            (Verdict::Improved, counts.improved),
            (Verdict::Inconclusive, counts.inconclusive),
            (Verdict::NotComparable, counts.not_comparable),
            (Verdict::Fine, counts.ok),
        ];
        let mut parts: Vec<String> = told
            .into_iter()
            .filter(|(_, count)| *count > 0)
            .map(|(verdict, count)| format!("{} {count}", verdict.word()))
            .collect();
        if counts.waived > 0 {
            parts.push(format!("waived {}", counts.waived));
        }
        if parts.is_empty() {
            parts.push(Verdict::NotComparable.word().to_owned());
        }
        format!("forkbench: {} (exit {})", parts.join(", "), self.exit_code)
    }
}

impl GateRow {
    fn new(row: &Judged, variants: &[VariantRow]) -> GateRow {
        let settings = |label: &str| {
            let found = variants.iter().find(|variant| variant.label == label);
            found.map(|variant| variant.settings.clone()).unwrap_or_default()
        };
        let figures = row.figures.as_ref();
        GateRow {
            row: row.called(),
            name: row.name.clone(),
            quantity: row.quantity.to_string(),
            unit: match row.quantity.measure() {
                Measure::Nanoseconds => "ns",
                Measure::Bytes => "bytes",
                Measure::Things => "count",
            },
            base: row.base.clone(),
            cand: row.cand.clone(),
            base_settings: settings(&row.base),
            cand_settings: settings(&row.cand),
            base_value: row.base_value,
            cand_value: row.cand_value,
            ratio: figures.map(|figures| figures.ratio),
            ratio_lo: figures.and_then(|figures| figures.low),
            ratio_hi: figures.and_then(|figures| figures.high),
            margin: row.margin,
            design: match figures.map(|figures| figures.unit) {
                Some(Unit::Block | Unit::Launch) => "interleaved",
                Some(Unit::LaunchPair) => "launch-pairs",
                Some(Unit::Run) => "runs",
                Some(Unit::Boot) => "boots",
                None if matches!(row.quantity, Quantity::Count { .. }) => "counts",
                None => "none",
            },
            n_units: figures.map(|figures| figures.units),
            launches: figures.map(|figures| figures.launches),
            q_worse: figures.map(|figures| figures.worse_q),
            p_ok: figures.map(|figures| figures.fine_p),
            q_better: figures.map(|figures| figures.better_q),
            detects: figures.and_then(|figures| figures.detects),
            verdict: row.verdict.word(),
            why: row.why.clone(),
            needed: row.needed,
            waived: None,
        }
    }

    /// Whether it is worse, and nothing waives it.
    pub fn is_red(&self) -> bool {
        self.is(Verdict::Regressed) && self.waived.is_none()
    }

    /// Whether that is its verdict.
    pub fn is(&self, verdict: Verdict) -> bool {
        self.verdict == verdict.word()
    }

    /// A value of it with its unit: `70.1 us`, `12`; empty where there is none.
    pub fn told(&self, value: Option<f64>) -> String {
        match (value, self.unit) {
            (None, _) => String::new(),
            (Some(value), "ns") => units::duration(value),
            (Some(value), _) => units::count(value.max(0.0) as u64),
        }
    }

    /// The ratio: `1.0512x`; empty where there is none.
    pub fn told_ratio(&self) -> String {
        self.ratio.map(|ratio| format!("{ratio:.3}x")).unwrap_or_default()
    }

    /// Its interval: `1.044 to 1.058`; empty where there is none.
    pub fn told_interval(&self) -> String {
        let bounds = self.ratio_lo.zip(self.ratio_hi);
        bounds.map(|(low, high)| format!("{low:.3} to {high:.3}")).unwrap_or_default()
    }

    /// How much worse it may be: `3%`.
    pub fn told_margin(&self) -> String {
        crate::model::units::print_percentage(self.margin)
    }

    /// The slowdown that it would find: `+4.2 %`; empty where that is not known.
    pub fn told_detects(&self) -> String {
        self.detects.map(|ratio| format!("+{:.1} %", (ratio - 1.0) * 100.0)).unwrap_or_default()
    }

    /// Why it is what it is, and what would decide it; empty where nothing need be said.
    pub fn told_why(&self) -> String {
        let mut parts: Vec<String> = Vec::new();
        if !self.why.is_empty() {
            parts.push(self.why.clone());
        }
        if let Some(needed) = self.needed {
            let what = match self.design {
                "launch-pairs" => "launch pairs",
                "runs" => "runs a side",
                "boots" => "boots a side",
                _ => "blocks",
            };
            parts.push(format!("about {} more {what} would tell", units::count(needed as u64)));
        }
        if let Some(waived) = &self.waived {
            parts.push(format!("waived: {waived}"));
        }
        parts.join("; ")
    }
}
