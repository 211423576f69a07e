//! Runs for the tests of pages: made up, with every picture of them.

use crate::analyse::environments::Environment;
use crate::analyse::summary::Summary;
use crate::show::example;

use super::Run;

/// A run of that summary, with its pictures.
pub(super) fn run(summary: &Summary) -> Run {
    let mut run = Run {
        path: "results/run".to_owned(),
        view: example::view_with_curves(summary),
        summary: summary.clone(),
        environment: Environment::default(),
        archive: None,
        plan: toml::Table::new(),
        gated: None,
        pictures: Vec::new(),
    };
    run.draw().unwrap();
    run
}

/// An environment of that text.
pub(super) fn environment(text: &str) -> Environment {
    Environment::of_text(text)
}
