//! One view model and its renderings. Sees numbers, never a mechanism, a tape or a process.

pub mod palette;
pub mod units;
