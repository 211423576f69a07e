//! Tables of a page about what one question needs: hazards, what is done between birth and exec,
//! what was published.
//!
//! Each is a function from a [`View`](crate::show::view::View) to tables of a
//! [document](crate::show::document): the same figures as the terminal shows, for those who read a
//! page. Where on the page they stand is not decided here.

mod hazards;
mod published;
mod support;

pub use hazards::hazards;
pub use published::published;
pub use support::{added, means};
