//! Hazards of the libc: functions behind locks that the program does not see.

use crate::model::hazard::{Expected, Hazard, Kind, Reset};

/// They, by number.
pub(super) static ROWS: &[Hazard] = &[
    Hazard {
        id: "H01",
        name: "malloc",
        kind: Kind::Lock,
        operation: "malloc and free of blocks that no thread keeps for itself",
        lock: "the lock of an arena of malloc",
        reset: Reset::Yes,
        since: "glibc has always reset it in fork(); the order against stdio since 2.24",
        source: "glibc BZ19431",
        advice: "fork() is safe here; _Fork, clone and clone3 are not: allocate nothing after them",
        steps: &[
            "A thread of the parent is inside malloc and holds the lock of an arena.",
            "Another thread forks. fork() of the libc takes every lock of malloc first, and so \
             waits for that thread; a raw clone does not.",
            "The child of the raw clone has the lock in the state held, and no thread that would \
             release it. Its next malloc waits for ever.",
        ],
        functions: &["malloc", "calloc", "realloc", "free", "posix_memalign", "aligned_alloc"],
        forks: 200,
        fork: Expected::Safe,
        raw: Expected::Hangs,
        vfork: true,
        default: true,
    },
    Hazard {
        id: "H06",
        name: "localtime",
        kind: Kind::Lock,
        operation: "localtime_r",
        lock: "tzset_lock",
        reset: Reset::No,
        since: "every glibc so far",
        source: "lxc PR 1318, rocksdb PR 10652",
        advice: "format times before the fork, or in the new image; a logger must not write in the \
                 child",
        steps: &[
            "A thread of the parent converts a time, for a line of its log, and holds tzset_lock.",
            "Another thread forks. No handler of the libc takes that lock.",
            "The child logs too: its localtime_r waits for a lock that nobody will release.",
        ],
        functions: &["localtime", "localtime_r", "gmtime", "gmtime_r", "mktime", "strftime"],
        forks: 200,
        fork: Expected::Hangs,
        raw: Expected::Hangs,
        vfork: true,
        default: true,
    },
];
