//! `verdict.json`: what `check` found, for machines to read.
//!
//! Owns its schema. Fields are only ever added.

use serde::Serialize;

use crate::show::finding::{FindingRecord, Tally};
use crate::show::view::View;

/// The name and version of it.
pub const SCHEMA: &str = "forkbench.verdict/1";

/// Name of its file in a results directory.
pub const FILE: &str = "verdict.json";

/// What was found of a results directory.
#[derive(Debug, Serialize)]
pub struct Document<'a> {
    /// [`SCHEMA`].
    pub schema: &'static str,
    /// Name of the results directory.
    pub source: &'a str,
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
    /// Every claim, in the order of the plan.
    pub rows: Vec<&'a FindingRecord>,
}

impl<'a> Document<'a> {
    /// What was found of the directory of a view.
    pub fn new(view: &'a View, strict: bool, exit_code: u8, reason: Option<&'a str>) -> Self {
        let findings = || view.chapters.iter().flat_map(|chapter| &chapter.findings);
        Document {
            schema: SCHEMA,
            source: &view.source,
            confidence: view.confidence,
            strict,
            exit_code,
            reason,
            counts: Tally::of(findings().map(|finding| finding.verdict)),
            rows: findings().map(|finding| &finding.record).collect(),
        }
    }
}
