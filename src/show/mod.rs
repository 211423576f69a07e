//! One view model and its renderings. Sees numbers, never a mechanism, a tape or a process.

pub mod chapter;
pub mod chart;
pub mod comparison;
pub mod conclusion;
pub mod distribution;
pub mod document;
pub mod dots;
pub mod exports;
pub mod figures;
pub mod finding;
pub mod forest;
pub mod formats;
pub mod hazards;
pub mod heat;
pub mod histogram;
pub mod judgement;
pub mod law;
pub mod lines;
pub mod matrix;
pub mod palette;
pub mod plots;
pub mod published;
pub mod ranks;
pub mod report;
pub mod scale;
pub mod series;
pub mod shift;
pub mod source;
pub mod support;
pub mod tables;
pub mod terminal;
pub(crate) mod text;
pub mod units;
pub mod validation;
pub mod verdict;
pub mod view;
pub mod warning;
pub mod work;

#[cfg(test)]
mod example;
