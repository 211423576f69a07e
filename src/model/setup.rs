//! What is measured: a [`Parent`] and the [`Work`] it does. Anything in which two variants can
//! differ is a field here and a row in [`crate::model::knob`].

use serde::{Deserialize, Serialize};

use crate::model::units::Size;

/// One thing to measure: a parent of a given shape, and what each of its turns does.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Setup {
    /// What needs a process of its own.
    pub parent: Parent,
    /// What a turn does inside it.
    pub work: Work,
}

/// What needs another process: two setups with equal parents can take turns in one subject.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parent {
    /// What the subject looks like.
    pub shape: Shape,
    /// A command put in front of the subject (`setpriv --no-new-privs`), one string; empty: none.
    pub prefix: String,
}

/// What the parent looks like.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shape {
    /// Bytes of private anonymous memory, all of it written.
    #[serde(with = "size_as_text")]
    pub rss: Size,
    /// The page size of that memory.
    pub page: Page,
    /// Threads beside the one that spawns, all parked.
    pub threads: u32,
    /// Mappings added to those the program has, none of which can merge with a neighbour.
    pub vmas: u32,
    /// Open descriptors added to those the program has, dense from the lowest free number.
    pub fds: u32,
}

impl Shape {
    /// The parent as the program starts.
    pub fn is_empty(&self) -> bool {
        *self == Shape::default()
    }
}

/// The page size asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Page {
    /// The base page, with transparent huge pages switched off (MADV_NOHUGEPAGE).
    #[default]
    #[serde(rename = "4k")]
    Base,
    /// Transparent huge pages (MADV_HUGEPAGE), 2 MiB each on x86_64.
    Thp,
}

/// What a turn does.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Work {
    /// The name of the mechanism.
    pub mechanism: String,
    /// What the child becomes.
    pub image: Image,
    /// How much of its memory the parent writes again after a spawn that copied its page tables.
    pub rewrite: Rewrite,
    /// What the parent does before each timed sample.
    pub between: Between,
    /// Where the child may run.
    pub child_cpu: ChildCpu,
}

impl Default for Work {
    fn default() -> Work {
        Work {
            mechanism: "posix_spawn".to_owned(),
            image: Image::Noop,
            rewrite: Rewrite::default(),
            between: Between::Hot,
            child_cpu: ChildCpu::Same,
        }
    }
}

/// What the child becomes.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Image {
    /// The program shipped inside: static, no libc, stamps the clock at its first instruction.
    Noop,
    /// No exec: the child ends with `_exit(0)`.
    Exit,
    /// A program of the user's with its arguments; the first word is a path.
    Command(Vec<String>),
}

impl Image {
    /// Whether the child calls exec at all.
    pub fn execs(&self) -> bool {
        !matches!(self, Image::Exit)
    }
}

/// The share of its memory that a parent writes again after each page-copying spawn, in parts per
/// thousand (0 to 1000).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Rewrite(pub u32);

impl Rewrite {
    /// The whole memory: the state that a server which writes its memory is in.
    pub const ALL: Rewrite = Rewrite(1000);
    /// Nothing: the figure of the classical loop.
    pub const NONE: Rewrite = Rewrite(0);
}

impl Default for Rewrite {
    fn default() -> Rewrite {
        Rewrite::ALL
    }
}

/// What the parent does before each timed sample.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Between {
    /// Nothing: a hot loop.
    #[default]
    Hot,
    /// It sleeps, for this many nanoseconds.
    Idle(u64),
    /// It writes a buffer of this many bytes, which pushes everything else out of the caches.
    Scrub(#[serde(with = "size_as_text")] Size),
}

/// Where the child may run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ChildCpu {
    /// The spawning thread and its children are pinned to one processor.
    #[default]
    Same,
    /// Nobody is pinned; where the child ran is recorded.
    Free,
}

/// Sizes stand in files as text, `1GiB`.
mod size_as_text {
    use serde::{Deserialize, Deserializer, Serializer};

    use crate::model::units::Size;

    pub(super) fn serialize<S: Serializer>(size: &Size, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(size)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Size, D::Error> {
        String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
    }
}
