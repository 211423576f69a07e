//! The results directory: what its files hold, how they are appended, read and resumed.
//!
//! Owns every byte under `results/<UTC>-<name>/`. Facts only, as integers in the unit that their
//! column names: nothing here computes a rate, a mean or a quantile, or knows what a mechanism is.

pub mod rows;
