//! From results directories to a page that people quote.
//!
//! Owns what such a page says and in which order: the answer, the evidence, the machine, how far it
//! can be trusted, how it was made. Every figure comes finished from a [`View`], from a
//! [comparison] or from a [verdict](Gated); no file is written here.
//!
//! A part of the page is a function from [`Run`]s to a [`Part`], in a
//! file of its own. Of one directory it is `evidence`; of several, `many` in front of them;
//! [`outline`] is a page in an order of somebody's own.

mod answer;
mod evidence;
#[cfg(test)]
mod fixture;
mod machine;
mod many;
mod methods;
pub mod outline;
mod pictures;
mod quality;
mod reproduce;
pub mod source;
pub(super) mod tables;
mod verdict;

use crate::analyse::environments::Environment;
use crate::analyse::summary::Summary;
use crate::record::archive::Archive;
use crate::show::comparison;
use crate::show::document::{Block, Document, Part};
use crate::show::judgement::Gated;
use crate::show::plots::{self, Picture, PlotError};
use crate::show::view::View;

use pictures::Gallery;

/// One results directory, as far as a page tells of it.
#[derive(Clone, Debug)]
pub struct Run {
    /// The way to the directory, as a command takes it.
    pub path: String,
    /// What it shows.
    pub view: View,
    /// What that is made of.
    pub summary: Summary,
    /// Where it was measured.
    pub environment: Environment,
    /// What was kept of it, if it is an archive; none of a directory that has its samples.
    pub archive: Option<Archive>,
    /// What was planned: `plan.toml`; empty of a run that had no plan yet.
    pub plan: toml::Table,
    /// The verdict of a check; none of a run that is none.
    pub gated: Option<Gated>,
    /// Its pictures, in the order in which they are worth a look.
    pub pictures: Vec<Picture>,
}

/// All that one page is made of.
#[derive(Clone, Debug)]
pub struct Report {
    /// The directories, in the order in which they were named.
    pub runs: Vec<Run>,
    /// The directories beside each other; none of a single one, and where no variant was measured
    /// in two of them.
    pub comparison: Option<comparison::View>,
    /// Pictures of all directories together; none of a single one.
    pub together: Vec<Picture>,
    /// The command that makes the page again, as it is typed.
    pub command: String,
}

impl Run {
    /// Draws the pictures of a run.
    ///
    /// # Errors
    ///
    /// If the drawing library refuses.
    pub fn draw(&mut self) -> Result<(), PlotError> {
        self.pictures = match &self.gated {
            Some(gated) => plots::of_gate(gated, &self.view.source)?,
            None => Vec::new(),
        };
        self.pictures.extend(plots::draw(&self.view)?);
        Ok(())
    }
}

/// The page.
pub fn document(report: &Report) -> Document {
    let gallery = Gallery::of(report);
    Document {
        title: answer::title(report),
        answer: answer::answer(report),
        picture: answer::picture(report, &gallery),
        parts: parts(report, &gallery),
        command: report.command.clone(),
        made_by: made_by(),
    }
}

/// Draws what several runs show together: what was published of all of them, and how they lie to
/// each other; nothing of a single one.
///
/// # Errors
///
/// If the drawing library refuses.
pub fn together(
    runs: &[Run],
    comparison: Option<&comparison::View>,
) -> Result<Vec<Picture>, PlotError> {
    if runs.len() < 2 {
        return Ok(Vec::new());
    }
    let views: Vec<&View> = runs.iter().map(|run| &run.view).collect();
    let source = many::sources(&runs.iter().collect::<Vec<&Run>>());
    let mut pictures: Vec<Picture> = plots::published(&views, &source)?.into_iter().collect();
    if let Some(comparison) = comparison {
        pictures.extend(plots::of_comparison(comparison, &source)?);
    }
    Ok(pictures)
}

/// The picture that shows the answer of a run; none of one without pictures.
pub fn picture_of_answer(run: &Run) -> Option<&Picture> {
    pictures::answer(run).map(|place| &run.pictures[place])
}

/// A run in short, without pictures and without how it was measured: what `--format md` prints.
pub fn in_short(view: &View) -> Document {
    let chapters =
        view.chapters.iter().filter(|one| !one.laws.is_empty() || !one.findings.is_empty());
    let tables = view.sections.iter().map(tables::section).map(Block::Table).collect();
    let mut parts = vec![Part::new("costs", "Figures", tables)];
    parts.extend(chapters.enumerate().map(|(place, chapter)| {
        let mut blocks: Vec<Block> = chapter.laws.iter().cloned().map(Block::Text).collect();
        if !chapter.findings.is_empty() {
            blocks.push(Block::Table(tables::findings(&chapter.findings)));
        }
        Part::new(format!("scenario-{}", place + 1), chapter.title(), blocks)
    }));
    let mut list = |id: &str, title: &str, texts: Vec<String>| {
        if !texts.is_empty() {
            parts.push(Part::new(id, title, vec![Block::List(texts)]));
        }
    };
    list("trust", "Trust", view.trust.clone());
    let warnings = view.warnings.iter().map(|warning| format!("{}: {warning}", warning.word()));
    list("warnings", "Warnings", warnings.collect());
    Document {
        title: format!("forkbench: {}", view.source),
        answer: view.conclusion.clone(),
        parts,
        ..Document::default()
    }
}

fn made_by() -> String {
    format!("forkbench {}", env!("CARGO_PKG_VERSION"))
}

fn parts(report: &Report, gallery: &Gallery) -> Vec<Part> {
    if let [run] = report.runs.as_slice() {
        return evidence::parts(run, 0, gallery, "");
    }
    let mut parts: Vec<Part> = report.comparison.iter().flat_map(many::parts).collect();
    if report.comparison.is_none() {
        parts.extend(many::collection(&report.runs));
    }
    parts.extend(many::together(report));
    for (index, run) in report.runs.iter().enumerate() {
        let letter = comparison::letter(index);
        let id = format!("run-{}-", letter.to_lowercase());
        let blocks = vec![Block::Text(answer::of_run(run))];
        let picture = gallery.answer(run, index).map(Block::Figure);
        let part = Part::new(
            id.trim_end_matches('-'),
            format!("{letter}: {}", answer::title_of(run)),
            blocks.into_iter().chain(picture).collect(),
        );
        // Beside each other they are the answer, and each by itself is the evidence of it.
        let is_folded = report.comparison.is_some();
        let own = evidence::parts(run, index, gallery, &id);
        parts.push(Part { parts: own, is_folded, ..part });
    }
    parts
}
