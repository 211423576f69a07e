//! The results directory: what its files hold, how they are appended, read and resumed.
//!
//! Owns every byte under `results/<UTC>-<name>/`. Facts only, as integers in the unit that their
//! column names: nothing here computes a rate, a mean or a quantile, or knows what a mechanism is.
//!
//! Four rules make a directory safe to read at any moment, and after any death of its writer:
//!
//! * files only grow, and a block is one complete write per file;
//! * a block's row in `blocks.csv` is written last and is its commit mark: without it, the block
//!   did not happen;
//! * every row is one line, so that a last line without its line break is a torn one;
//! * `events.csv`, `launches.csv` and readings without a block are facts by themselves and count
//!   without a commit mark.
//!
//! A directory that is complete may be compressed and archived ([`archive`]): it then holds the times
//! of each block in place of the samples, is read by the same code, and grows no more.

pub mod append;
pub mod archive;
pub mod error;
#[cfg(test)]
pub(crate) mod fixture;
pub mod floor;
pub mod read;
pub mod resume;
pub mod rows;
