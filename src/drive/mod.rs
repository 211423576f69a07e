//! What runs around a subject: roster, plan, harness, keeper, autopsy, environment.
//!
//! This room starts processes and writes rows; it never prints and never computes a statistic.

pub mod autopsy;
pub mod environment;
pub mod harness;
pub mod images;
pub mod keeper;
pub mod library;
pub mod machine;
pub mod plan;
pub mod probe;
pub mod process;
pub mod roster;
