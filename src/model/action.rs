//! What happens between birth and exec: actions with everything that they are done with.

use std::ffi::CString;

/// One thing that a child is made to do, or to be, before it executes its image. Actions are done
/// in the order in which they are given, by whatever its mechanism has for them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// The descriptor `from` gets the number `to` too, and is not closed by an exec there: what
    /// was open at `to` is closed. Where both are one, it is only kept open over the exec.
    Dup2 {
        /// What is doubled.
        from: i32,
        /// The number that it gets.
        to: i32,
    },
    /// A file is opened at the number `to`, as `> file` of a shell does.
    Open {
        /// Its path.
        path: CString,
        /// The flags of open(2).
        flags: i32,
        /// Its mode where the flags create it.
        mode: u32,
        /// The number that it gets.
        to: i32,
    },
    /// A descriptor is closed. One that is not open fails the child, save with posix_spawn.
    Close {
        /// Its number.
        descriptor: i32,
    },
}
