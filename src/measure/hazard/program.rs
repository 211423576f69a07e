//! Hazards of the program itself and of the libraries that it loads.

use crate::measure::hazard::{Hazard, mutex};

/// The rows of them, in the order of their words.
pub(super) static ROWS: &[&Hazard] = &[&mutex::MUTEX];
