//! Controls: children that a careless judge would call hung, and that end by themselves.

use crate::model::hazard::{Expected, Hazard, Kind, Reset};

/// They, by number.
pub(super) static ROWS: &[Hazard] = &[
    control(
        "C01",
        "nothing",
        "nothing",
        "none",
        &["What is slow here is the machine: on a busy one even such a child ends late."],
    ),
    control(
        "C02",
        "sleeping",
        "clock_nanosleep for 60 ms",
        "none: it sleeps until a time",
        &["It stands still in a system call, and a timer ends that."],
    ),
    control(
        "C03",
        "stopped",
        "SIGSTOP to itself; a thread of the parent sends SIGCONT 60 ms later",
        "none: it is stopped",
        &["It stands still, and somebody else lets it go on."],
    ),
    control(
        "C04",
        "alarm",
        "pthread_mutex_lock of a mutex that stays held, and an alarm after 60 ms whose handler exits",
        "a mutex that nobody gives back",
        &["It waits for a lock for ever, but the alarm ends the wait."],
    ),
    control(
        "C05",
        "timed",
        "pthread_mutex_timedlock of a mutex that stays held, 7 ms each time, until 60 ms are gone",
        "a mutex that nobody gives back",
        &["Each look finds it in a wait for the same lock, but each wait has an end."],
    ),
    control(
        "C06",
        "shared-lock",
        "futex wait on a word in shared memory that a thread of the parent changes 60 ms later",
        "a word of memory that the parent and its child have in common",
        &["It waits for a lock without an end, whose owner is alive: in the parent."],
    ),
    control(
        "C07",
        "pipe",
        "read of a pipe into which a thread of the parent writes 60 ms later",
        "none: it waits for a byte",
        &["It stands still in a system call, and somebody else ends that."],
    ),
    control(
        "C08",
        "back-off",
        "pthread_mutex_trylock of a mutex that stays held, and 1 ms of sleep, until 60 ms are gone",
        "a mutex that nobody gives back",
        &["Each look finds it asleep, at the same place, and it wakes up in between."],
    ),
    control(
        "C09",
        "spinning",
        "reads the clock until 60 ms are gone",
        "none: it computes",
        &["It is busy, and ends when it is done."],
    ),
];

const fn control(
    id: &'static str,
    name: &'static str,
    operation: &'static str,
    lock: &'static str,
    steps: &'static [&'static str],
) -> Hazard {
    Hazard {
        id,
        name,
        kind: Kind::Control,
        operation,
        lock,
        reset: Reset::NotOurs,
        since: "ever",
        source: "a control of forkbench's own: the child ends by itself, and none may be counted",
        advice: "nothing is wrong with it",
        steps,
        functions: &[],
        forks: 2_000,
        fork: Expected::Safe,
        raw: Expected::Safe,
        vfork: false,
        default: false,
    }
}
