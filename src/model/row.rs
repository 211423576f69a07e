//! The closed vocabularies that stand in the columns of a results directory.

use serde::{Deserialize, Serialize};

/// Which part of a launch a sample belongs to (`samples.csv`, column `phase`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// Before the first block of a launch: kept, never counted in a statistic.
    Warmup,
    /// The settling spawns at the start of a turn. In round 0 of a block the caches are scrubbed
    /// just before the first of them (`pos` 0): that one is the cold figure.
    Settle,
    /// What the statistics are made of.
    Measure,
}

/// Why a variant is in the run (`variants.csv`, column `role`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// It was asked for.
    Subject,
    /// The control `none`: the cost of the tool itself.
    Control,
    /// The same setup as another variant: the two must not differ (A/A).
    Twin,
    /// The same mechanism in an empty parent, for the column "if empty".
    Reference,
}

impl Role {
    /// Its word, as in the column.
    pub fn word(self) -> &'static str {
        match self {
            Role::Subject => "subject",
            Role::Control => "control",
            Role::Twin => "twin",
            Role::Reference => "reference",
        }
    }
}

/// What a block was for (`blocks.csv`, column `kind`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BlockKind {
    /// Timed: the only kind that statistics of time are made of.
    Time,
    /// Counted: perf events and getrusage around each spawn; its times are not statistics.
    Count,
    /// The warm-up of a launch (block 0), and the pilot (launch 0).
    Warmup,
    /// A block that its subject did not finish: kept and shown, never counted.
    Partial,
}

/// How a subject ended (`launches.csv`, column `outcome`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It did its whole job.
    Done,
    /// It did its whole job, but what was seen of its shape is not what was asked for.
    Misshapen,
    /// It could not be given its shape, or a mechanism or image does not work here.
    Unsupported,
    /// Nothing moved on its tape for the stall limit; it was examined and killed.
    Stuck,
    /// It ended before its job was done.
    Died,
    /// The run was interrupted while it lived.
    Interrupted,
}

/// What happened to a child (`events.csv`, column `event`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EventKind {
    /// A spawn failed, or its child ended with a status other than 0.
    Failed,
    /// The mechanism, or what it was asked to do, is not to be had here.
    Refused,
    /// Nothing moved for the stall limit.
    Stuck,
    /// A child that can be proven never to go on.
    HungProven,
    /// A child that makes no progress, without proof that it never will.
    HungUnproven,
    /// A child that was killed by a signal.
    Crashed,
}

/// Whose events a reading counts (`readings.csv`, column `scope`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// The parent alone.
    Parent,
    /// The child alone.
    Child,
    /// Parent and child together.
    Both,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Scope; 3] = [Scope::Parent, Scope::Child, Scope::Both];

    /// Its word, as in the column.
    pub fn word(self) -> &'static str {
        match self {
            Scope::Parent => "parent",
            Scope::Child => "child",
            Scope::Both => "both",
        }
    }
}
