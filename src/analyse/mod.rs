//! Numbers in, numbers out: what the facts of a results directory say.
//!
//! Reads the directory through `record` and nothing else; never sees a process, a mechanism or a
//! clock, so that any report can be made on another machine. Prints nothing.

pub mod cells;
pub mod columns;
pub mod contrasts;
pub mod directories;
pub mod environments;
pub mod estimate;
pub mod findings;
mod fits;
#[cfg(test)]
mod fixture;
pub mod gate;
pub mod groups;
pub mod hazards;
pub mod judgement;
mod launches;
pub mod laws;
pub mod places;
pub mod quantiles;
pub mod shifts;
pub mod summary;
pub mod timeline;
pub mod two_samples;
pub mod validation;
pub mod values;
mod warnings;
