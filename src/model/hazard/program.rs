//! Hazards of the program itself and of the libraries that it loads.

use crate::model::hazard::{Expected, Hazard, Kind, Reset};

/// They, by number.
pub(super) static ROWS: &[Hazard] = &[Hazard {
    id: "H23",
    name: "mutex",
    kind: Kind::Lock,
    operation: "pthread_mutex_lock and _unlock",
    lock: "a mutex of the program, held for a share of the time (`duty`)",
    reset: Reset::No,
    since: "ever: only the program's own atfork handlers could",
    source: "Python bpo-6721 (logging), zlog #62, logcabin #121, libfaketime",
    advice: "posix_spawn; or exec at once after fork and lock nothing in between",
    steps: &[
        "A thread of the parent holds the mutex.",
        "Another thread forks: the child gets a copy of the memory, with the mutex held, and \
             only the thread that forked.",
        "The child locks the mutex and waits for an owner that does not exist in it.",
    ],
    functions: &["pthread_mutex_lock"],
    forks: 200,
    fork: Expected::Hangs,
    raw: Expected::Hangs,
    vfork: true,
    default: true,
}];
