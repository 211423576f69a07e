//! The intervals of one sample: where the clock stops.

/// One of the five lengths that a sample can have; all in integer nanoseconds of CLOCK_MONOTONIC.
///
/// The first four start when the call is entered and do **not** nest in a fixed order: the caller
/// of a fork is free before its child runs, the caller of a vfork only after the exec.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Interval {
    /// Until the call has returned in the parent: how long the calling thread was blocked.
    Blocked,
    /// Until the child runs the first instruction of our code.
    Born,
    /// Until the first instruction of the new image runs.
    Image,
    /// Until the parent has reaped the child: the whole life.
    Reaped,
    /// A length of its own: how long the parent takes to write all its memory again afterwards.
    Rewrite,
}

impl Interval {
    /// Every interval, in the order of the columns of `samples.csv`.
    pub const ALL: [Interval; 5] =
        [Interval::Blocked, Interval::Born, Interval::Image, Interval::Reaped, Interval::Rewrite];

    /// The word for it: `blocked`.
    pub fn word(self) -> &'static str {
        match self {
            Interval::Blocked => "blocked",
            Interval::Born => "born",
            Interval::Image => "image",
            Interval::Reaped => "reaped",
            Interval::Rewrite => "rewrite",
        }
    }

    /// The column of `samples.csv` that holds it: `blocked_ns`.
    pub fn column(self) -> &'static str {
        match self {
            Interval::Blocked => "blocked_ns",
            Interval::Born => "born_ns",
            Interval::Image => "image_ns",
            Interval::Reaped => "reaped_ns",
            Interval::Rewrite => "rewrite_ns",
        }
    }

    /// What it is, in one line.
    pub fn about(self) -> &'static str {
        match self {
            Interval::Blocked => "the call has returned: how long the calling thread was blocked",
            Interval::Born => "the child runs its first instruction of our code",
            Interval::Image => "the first instruction of the new image runs",
            Interval::Reaped => "the parent has reaped the child: the whole life",
            Interval::Rewrite => "the parent has written all its memory again: the bill after",
        }
    }

    /// The interval of that word, if there is one.
    pub fn parse(word: &str) -> Option<Interval> {
        Interval::ALL.into_iter().find(|i| i.word() == word || i.column() == word)
    }
}
