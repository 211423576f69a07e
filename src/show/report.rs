//! From results directories to a page that people quote.
//!
//! Owns what such a page says and in which order: the answer, the evidence, the machine, how far it
//! can be trusted, how it was made. Every figure comes finished from a [`View`] or from a
//! [comparison](crate::show::comparison); no file is written here.
//!
//! A part of the page is a function from [`Run`]s to a [`Part`](crate::show::document::Part), in a
//! file of its own, and a line in [`document`].

mod answer;
pub mod source;

use crate::analyse::environments::Environment;
use crate::analyse::summary::Summary;
use crate::show::comparison;
use crate::show::document::Document;
use crate::show::judgement::Gated;
use crate::show::plots::{self, Picture, PlotError};
use crate::show::view::View;

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
        self.pictures = plots::draw(&self.view)?;
        Ok(())
    }
}

/// The page.
pub fn document(report: &Report) -> Document {
    Document {
        title: answer::title(report),
        answer: answer::answer(report),
        picture: answer::picture(report),
        parts: Vec::new(),
        command: report.command.clone(),
        made_by: format!("forkbench {}", env!("CARGO_PKG_VERSION")),
    }
}
