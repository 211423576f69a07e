//! What stands first: the question, its answer, and the picture that shows it.

use super::pictures::Gallery;
use super::{Report, Run, verdict};
use crate::show::document::Figure;

/// The heading of the page.
pub(super) fn title(report: &Report) -> String {
    match report.runs.as_slice() {
        [run] => title_of(run),
        runs => format!("forkbench: {} results directories", runs.len()),
    }
}

/// The heading of one run: the question that it asks, where it is but one.
pub(super) fn title_of(run: &Run) -> String {
    match run.view.chapters.as_slice() {
        [chapter] if !chapter.about.is_empty() => chapter.about.clone(),
        _ => format!("forkbench: {}", run.view.source),
    }
}

/// The answer: that of the run, or of the directories beside each other.
pub(super) fn answer(report: &Report) -> String {
    match (&report.comparison, report.runs.as_slice()) {
        (Some(comparison), _) => comparison.headline.clone(),
        (None, [run]) => of_run(run),
        (None, _) => {
            "Each directory answers a question of its own; no variant was measured in two \
                      of them."
                .to_owned()
        }
    }
}

/// What one run answers: its verdict, if it is a check.
pub(super) fn of_run(run: &Run) -> String {
    match &run.gated {
        Some(gated) => verdict::sentence(gated),
        None => run.view.conclusion.clone(),
    }
}

/// The picture that shows the answer.
pub(super) fn picture(report: &Report, gallery: &Gallery) -> Option<Figure> {
    // Several have theirs each at its place.
    match report.runs.as_slice() {
        [run] => gallery.answer(run, 0),
        _ => None,
    }
}
