//! The words that every room shares. No input, no output, no system call.

pub mod interval;
pub mod row;
