//! What a process that makes no progress is doing, and whether it is proven that it never will:
//! read from /proc, twice, for stuck subjects and hung children alike.
//!
//! It only looks: it sends no signal, attaches to nothing and reaps nobody. That a process has not
//! ended in time proves nothing, nor that it waits for a lock twice: what else must hold, and what
//! was tried, stands in METHODOLOGY.md, "When a child is called hung".

mod call;
mod evidence;
mod judge;
mod look;
mod places;
mod sharing;
mod stack;
#[cfg(test)]
mod tests;

pub use evidence::evidence;
pub use judge::{Kind, Verdict, judge};
pub use look::{Look, look, look_at_thread};
