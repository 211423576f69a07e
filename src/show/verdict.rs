//! `verdict.json`: what `check` found, for machines to read.
//!
//! Owns its schema. Fields are only ever added.

use serde::Serialize;

use crate::show::chapter::Chapter;
use crate::show::finding::{FindingRecord, FindingRow, Tally};
use crate::show::view::View;

/// The name and version of it.
pub const SCHEMA: &str = "forkbench.verdict/1";

/// Name of its file in a results directory.
pub const FILE: &str = "verdict.json";

/// What was found of the claims that were held against a results directory.
#[derive(Clone, Debug, PartialEq)]
pub struct Claimed {
    /// Name of the results directory.
    pub source: String,
    /// The file whose claims these are; none: those of the directory's own scenarios.
    pub budget: Option<String>,
    /// Confidence of every interval.
    pub confidence: f64,
    /// Whether anything was measured.
    pub has_samples: bool,
    /// Whether a release build measured it.
    pub is_release: bool,
    /// One for each scenario, or the budget.
    pub parts: Vec<Part>,
    /// What else a reader should know: a sentence each.
    pub notes: Vec<String>,
}

/// The claims of one scenario, or of a budget.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// Who claims them.
    pub name: String,
    /// The same with the question.
    pub title: String,
    /// What was found of them, in their order.
    pub rows: Vec<FindingRow>,
}

impl Claimed {
    /// What a view says of the claims of its scenarios.
    pub fn of_view(view: &View, is_release: bool) -> Claimed {
        let part = |chapter: &Chapter| Part {
            name: chapter.name.clone(),
            title: chapter.title(),
            rows: chapter.findings.clone(),
        };
        Claimed {
            source: view.source.clone(),
            budget: None,
            confidence: view.confidence,
            has_samples: view.has_samples(),
            is_release,
            parts: view.chapters.iter().map(part).collect(),
            notes: view.warnings.iter().map(|one| format!("{}: {one}", one.word())).collect(),
        }
    }

    /// Every claim, in the order of the plan or of the budget.
    pub fn rows(&self) -> impl Iterator<Item = &FindingRow> {
        self.parts.iter().flat_map(|part| &part.rows)
    }

    /// The same, to be changed.
    pub fn rows_mut(&mut self) -> impl Iterator<Item = &mut FindingRow> {
        self.parts.iter_mut().flat_map(|part| &mut part.rows)
    }

    /// What became of those that nothing waives.
    pub fn open(&self) -> Tally {
        let open = self.rows().filter(|row| row.record.waived.is_none());
        Tally::of(open.map(|row| row.verdict))
    }

    /// What became of them.
    pub fn tally(&self) -> Tally {
        Tally::of(self.rows().map(|row| row.verdict))
    }
}

/// What was found of a results directory.
#[derive(Debug, Serialize)]
pub struct Document<'a> {
    /// [`SCHEMA`].
    pub schema: &'static str,
    /// Name of the results directory.
    pub source: &'a str,
    /// The file whose claims these are; none: those of the plan.
    pub budget: Option<&'a str>,
    /// Confidence of every interval.
    pub confidence: f64,
    /// Whether what is not shown counts against it.
    pub strict: bool,
    /// The exit code of this directory by itself.
    pub exit_code: u8,
    /// Why nothing could be judged; none if something could.
    pub reason: Option<&'a str>,
    /// How many claims came to what.
    pub counts: Tally,
    /// Every claim, in the order of the plan or of the budget.
    pub rows: Vec<&'a FindingRecord>,
}

impl<'a> Document<'a> {
    /// What was found, as a document.
    pub fn new(claimed: &'a Claimed, strict: bool, exit_code: u8, reason: Option<&'a str>) -> Self {
        Document {
            schema: SCHEMA,
            source: &claimed.source,
            budget: claimed.budget.as_deref(),
            confidence: claimed.confidence,
            strict,
            exit_code,
            reason,
            counts: claimed.tally(),
            rows: claimed.rows().map(|row| &row.record).collect(),
        }
    }
}
