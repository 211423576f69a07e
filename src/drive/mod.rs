//! Room `drive`.

pub mod environment;
pub mod probe;
