//! What runs inside a subject, the parent process under test.
//!
//! This room never prints while it measures, never computes a mean, and never allocates inside a
//! block, save in mechanisms whose nature it is (their rows say so).

pub mod areas;
pub mod autopsy;
pub mod bystanders;
pub mod cgroup;
mod chores;
pub mod clock;
pub mod counters;
pub mod hazard;
pub mod image;
pub mod job;
pub mod mechanism;
pub mod memory;
mod pipes;
pub mod program;
pub mod raw;
pub mod reading;
pub mod shape;
pub mod subject;
pub mod tape;
pub mod threads;
mod words;
pub mod workload;
