//! What stands first: the question, its answer, and the picture that shows it.

use super::{Report, Run};
use crate::show::document::Figure;
use crate::show::plots::{Picture, Topic};

/// The heading of the page.
pub(super) fn title(report: &Report) -> String {
    match report.runs.as_slice() {
        [run] => match run.view.chapters.as_slice() {
            [chapter] => chapter.about.clone(),
            _ => format!("forkbench: {}", run.view.source),
        },
        runs => format!("forkbench: {} results directories", runs.len()),
    }
}

/// The answer: that of the run, or of the directories beside each other.
pub(super) fn answer(report: &Report) -> String {
    match (&report.comparison, report.runs.as_slice()) {
        (Some(comparison), _) => comparison.headline.clone(),
        (None, [run, ..]) => run.view.conclusion.clone(),
        (None, []) => String::new(),
    }
}

/// The picture that shows the answer.
pub(super) fn picture(report: &Report) -> Option<Figure> {
    let run = report.runs.first()?;
    let best = [Topic::Law, Topic::Lanes, Topic::Latency, Topic::Hazards];
    best.iter().find_map(|topic| {
        run.pictures.iter().find(|picture| picture.topic == *topic).map(|one| figure(run, one))
    })
}

/// A picture of a run on a page.
pub(super) fn figure(run: &Run, picture: &Picture) -> Figure {
    Figure {
        name: format!("{}-{}", run.view.source, picture.name),
        title: picture.title.clone(),
        alt: picture.alt.clone(),
        caption: format!("{}; forkbench report {}", run.path, run.path),
        svg: picture.svg.clone(),
    }
}
