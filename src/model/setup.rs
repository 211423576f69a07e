//! What is measured: a [`Parent`] and the [`Work`] it does. Anything in which two variants can
//! differ is a field here and a row in [`crate::model::knob`].

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::model::action::Actions;
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
    /// Variables that the subject's environment has beside, or in place of, those it inherits.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
    /// The forkbench binary that is the subject; empty: this one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub bin: String,
}

/// What the parent looks like. In files a field that is left out has its default, so that a job
/// written by hand needs only what it is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Shape {
    /// Bytes of memory that are touched, beside what the program itself needs.
    #[serde(with = "as_text")]
    pub rss: Size,
    /// What kind of memory that is.
    pub memory: MemoryKind,
    /// What has been done to it.
    pub contents: Contents,
    /// Its page size.
    #[serde(with = "as_text")]
    pub page: Page,
    /// One page in so many is touched; the mapping is so many times as large as `rss`. At least 1.
    pub spread: u32,
    /// In which order its pages were first touched.
    pub order: TouchOrder,
    /// What the kernel was told about it.
    pub advice: Advice,
    /// Threads beside the one that spawns.
    pub threads: u32,
    /// What those threads do while the others spawn.
    pub busy: Busy,
    /// Mappings added to those the program has, none of which can merge with a neighbour.
    pub vmas: u32,
    /// Whether each of those mappings holds a page.
    pub vma_contents: VmaContents,
    /// Open descriptors added to those the program has.
    pub fds: u32,
    /// How those descriptors lie in the table.
    pub fd_layout: FdLayout,
}

impl Default for Shape {
    fn default() -> Shape {
        Shape {
            rss: Size::ZERO,
            memory: MemoryKind::Anon,
            contents: Contents::Dirty,
            page: Page::Base,
            spread: 1,
            order: TouchOrder::Seq,
            advice: Advice::None,
            threads: 0,
            busy: Busy::Park,
            vmas: 0,
            vma_contents: VmaContents::Clean,
            fds: 0,
            fd_layout: FdLayout::Dense,
        }
    }
}

impl Shape {
    /// The parent as the program starts.
    pub fn is_empty(&self) -> bool {
        *self == Shape::default()
    }

    /// Bytes of the mapping that `rss` is spread over.
    pub fn mapped_bytes(&self) -> u64 {
        self.rss.bytes().saturating_mul(u64::from(self.spread.max(1)))
    }

    /// Whether a page-copying birth leaves pages of it write-protected, which the parent then pays
    /// for again with its next writes.
    pub fn is_write_protected_by_fork(&self) -> bool {
        let private = matches!(self.memory, MemoryKind::Anon | MemoryKind::File);
        let written = matches!(self.contents, Contents::Dirty | Contents::OneByte);
        let copied = !matches!(self.advice, Advice::Dontfork | Advice::Wipeonfork);
        let mappings = self.vmas > 0 && self.vma_contents == VmaContents::Dirty;
        (self.rss.bytes() > 0 && private && written && copied) || mappings
    }

    /// Why no parent can look like this; none if one can.
    pub fn impossible(&self) -> Option<String> {
        let anon = self.memory == MemoryKind::Anon;
        let base = self.page == Page::Base;
        let size = self.page.bytes();
        if !base && !anon {
            return Some(format!(
                "page={} is for memory=anon, not {}: leave one of them out",
                self.page,
                self.memory.word()
            ));
        }
        if !base && self.spread > 1 {
            return Some(format!(
                "page={} with spread={}: one byte would fill the whole large page; spread is for \
                 page=4k",
                self.page, self.spread
            ));
        }
        if let Some(size) = size
            && !self.rss.bytes().is_multiple_of(size)
        {
            let size = Size::from_bytes(size);
            return Some(format!(
                "rss={} is no multiple of page={}, {size:#}: give a multiple",
                self.rss, self.page
            ));
        }
        let pinned = self.memory == MemoryKind::Pinned;
        if pinned && self.contents != Contents::Dirty {
            return Some("memory=pinned is always written: leave `contents` out".to_owned());
        }
        if pinned && self.spread > 1 {
            return Some(format!(
                "memory=pinned holds every page of its mapping, which spread={} rules out",
                self.spread
            ));
        }
        let read = matches!(self.contents, Contents::Read | Contents::OneByte);
        if read && matches!(self.page, Page::Multi(_) | Page::Hugetlb) {
            return Some(format!(
                "contents={} maps the zero page, and page={} has none: use contents=dirty, or \
                 page=4k or thp",
                self.contents.word(),
                self.page
            ));
        }
        if self.page == Page::Hugetlb && self.advice == Advice::Mlock {
            return Some(
                "page=hugetlb is never swapped out and advice=mlock does nothing to it: leave \
                 one of them out"
                    .to_owned(),
            );
        }
        let shared = matches!(self.memory, MemoryKind::Shmem | MemoryKind::FileShared);
        let wipes = (anon || pinned) && self.page != Page::Hugetlb;
        if self.advice == Advice::Wipeonfork && !wipes {
            return Some(
                "advice=wipeonfork is for private anonymous memory (the kernel refuses it \
                 elsewhere): use memory=anon or pinned, and page=4k, thp or a size in KiB"
                    .to_owned(),
            );
        }
        if shared && self.contents == Contents::OneByte {
            return Some(format!(
                "contents=one-byte is for private memory, where one write changes what a fork \
                 copies; memory={} is shared",
                self.memory.word()
            ));
        }
        if self.contents == Contents::Untouched && self.advice == Advice::Mlock {
            return Some(
                "advice=mlock keeps what is touched, and contents=untouched touches nothing"
                    .to_owned(),
            );
        }
        if self.contents == Contents::Untouched && self.order == TouchOrder::Random {
            return Some(
                "order=random is that of the first touch, and contents=untouched touches nothing"
                    .to_owned(),
            );
        }
        if self.busy == Busy::Rewrite && (self.rss.bytes() == 0 || self.contents != Contents::Dirty)
        {
            return Some(
                "busy=rewrite writes the memory that rss asks for: give it some that is dirty, \
                 such as rss=64M"
                    .to_owned(),
            );
        }
        if self.fd_layout == FdLayout::High && self.fds == 0 {
            return Some("fd-layout=high needs the number of the descriptor: --fds N".to_owned());
        }
        None
    }
}

/// An enumeration whose values are words: what a knob of it takes and prints.
macro_rules! words {
    ($(#[$about:meta])* $name:ident { $($(#[$note:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$note])* #[serde(rename = $word)] $variant,)+
        }

        impl $name {
            /// Every value.
            pub const ALL: &[$name] = &[$($name::$variant,)+];

            /// Its word, in files and on the command line.
            pub fn word(self) -> &'static str {
                match self {
                    $($name::$variant => $word,)+
                }
            }
        }
    };
}

words! {
    /// What kind of memory the parent holds.
    MemoryKind {
        /// Private and anonymous, as malloc maps it.
        Anon = "anon",
        /// Shared and anonymous: its page tables are not copied by a fork.
        Shmem = "shmem",
        /// A private mapping of a file in memory.
        File = "file",
        /// A shared mapping of a file in memory.
        FileShared = "file-shared",
        /// Private and anonymous, registered as buffers of an io_uring: a fork copies the pages
        /// themselves.
        Pinned = "pinned",
    }
}

words! {
    /// What has been done to the memory.
    Contents {
        /// Every page was written.
        Dirty = "dirty",
        /// Every page was read: private anonymous memory then maps the zero page everywhere.
        Read = "read",
        /// Every page was read, and then one byte of the first was written.
        OneByte = "one-byte",
        /// Mapped, and never touched.
        Untouched = "untouched",
    }
}

words! {
    /// In which order pages were first touched.
    TouchOrder {
        /// By address.
        Seq = "seq",
        /// At random, so that neighbours in the mapping are none in memory.
        Random = "random",
    }
}

words! {
    /// What the kernel was told about the memory.
    Advice {
        /// Nothing.
        None = "none",
        /// MADV_DONTFORK: the child does not have it.
        Dontfork = "dontfork",
        /// MADV_WIPEONFORK: the child has it empty.
        Wipeonfork = "wipeonfork",
        /// mlock: it stays resident.
        Mlock = "mlock",
    }
}

words! {
    /// What the threads of the parent do while it spawns.
    Busy {
        /// They wait in the kernel.
        Park = "park",
        /// They run, in user space alone.
        Spin = "spin",
        /// They allocate and free.
        Malloc = "malloc",
        /// They touch new pages and give them back.
        Fault = "fault",
        /// They map and unmap.
        Mmap = "mmap",
        /// They read the clock.
        Clock = "clock",
        /// They take and give back a lock that nobody else wants.
        Futex = "futex",
        /// They write the parent's memory, over and over.
        Rewrite = "rewrite",
        /// They do what a hazard is about, over and over.
        Hold = "hold",
    }
}

words! {
    /// Whether the added mappings hold a page each.
    VmaContents {
        /// Never touched.
        Clean = "clean",
        /// Each is writable and has been written.
        Dirty = "dirty",
    }
}

words! {
    /// How the added descriptors lie in the table.
    FdLayout {
        /// As many as `fds`, from the lowest free number.
        Dense = "dense",
        /// One, whose number is `fds`: the table is as large, and empty.
        High = "high",
    }
}

/// The page size asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Page {
    /// The base page, with transparent huge pages switched off (MADV_NOHUGEPAGE).
    #[default]
    Base,
    /// Transparent huge pages of a size below the largest (mTHP), in bytes.
    Multi(u32),
    /// Transparent huge pages (MADV_HUGEPAGE), 2 MiB each on x86_64.
    Thp,
    /// Pages of the hugetlb pool, of the default size, 2 MiB on x86_64.
    Hugetlb,
}

/// Bytes of a huge page, where transparent or of the pool.
pub const HUGE_PAGE: u64 = 2 << 20;

/// Sizes that mTHP has on some machine, in KiB.
const MULTI_KIB: [u32; 8] = [8, 16, 32, 64, 128, 256, 512, 1024];

impl Page {
    /// Its bytes; none for the base page, which the machine decides.
    pub fn bytes(self) -> Option<u64> {
        match self {
            Page::Base => None,
            Page::Multi(bytes) => Some(u64::from(bytes)),
            Page::Thp | Page::Hugetlb => Some(HUGE_PAGE),
        }
    }
}

impl fmt::Display for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Page::Base => f.write_str("4k"),
            Page::Multi(bytes) => write!(f, "{}k", bytes >> 10),
            Page::Thp => f.write_str("thp"),
            Page::Hugetlb => f.write_str("hugetlb"),
        }
    }
}

impl FromStr for Page {
    type Err = String;

    fn from_str(text: &str) -> Result<Page, String> {
        match text {
            "4k" => return Ok(Page::Base),
            "thp" => return Ok(Page::Thp),
            "hugetlb" => return Ok(Page::Hugetlb),
            _ => {}
        }
        let kib = text.strip_suffix(['k', 'K']).and_then(|number| number.parse().ok());
        match kib {
            Some(kib) if MULTI_KIB.contains(&kib) => Ok(Page::Multi(kib << 10)),
            _ => Err("allowed are 4k, 8k, 16k, 32k, 64k, 128k, 256k, 512k, 1024k, thp and \
                      hugetlb"
                .to_owned()),
        }
    }
}

/// What a turn does.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Work {
    /// What a turn does.
    pub workload: Workload,
    /// The name of the mechanism.
    pub mechanism: String,
    /// What the child becomes.
    pub image: Image,
    /// How much of its memory the parent writes again after a spawn that copied its page tables.
    pub rewrite: Rewrite,
    /// What the parent does before each timed sample.
    pub between: Between,
    /// Nanoseconds for which the parent spins before the return of the call is stamped: a slowdown
    /// that is known.
    pub delay_ns: u64,
    /// Where the child may run.
    pub child_cpu: ChildCpu,
    /// Bytes added to the child's environment.
    #[serde(with = "as_text")]
    pub env_bytes: Size,
    /// Bytes added to the child's arguments.
    #[serde(with = "as_text")]
    pub args_bytes: Size,
    /// Directories of PATH that are searched in vain before the image is found; 0: its path is
    /// given and nothing is searched.
    pub path_dirs: u32,
    /// `cow`: whether the child lives while the memory is written.
    pub child: ChildState,
    /// `cow`: how many of the pages are written.
    pub written: Written,
    /// `cow`: in which order.
    pub write_order: TouchOrder,
    /// `cow`: by whom.
    pub writer: Writer,
    /// `pipeline`: how many stages it has; at least 1.
    pub stages: u32,
    /// `pipeline`: bytes that its first stage writes.
    #[serde(with = "as_text")]
    pub pipe_bytes: Size,
    /// `pipeline`: where its last stage writes to.
    pub sink: Sink,
    /// `pipeline`: whether the stages keep ends of pipes that are not theirs.
    pub pipe_ends: PipeEnds,
    /// `throughput`: how a job gets to what does it.
    pub dispatch: Dispatch,
    /// `throughput`: jobs that may be under way at once for each that dispatches. At least 1.
    pub in_flight: u32,
    /// `throughput`: how many dispatch at once. At least 1.
    pub spawners: u32,
    /// `throughput`: what those are.
    pub spawner_kind: SpawnerKind,
    /// `throughput`: jobs of a batch. At least 1.
    pub jobs: u32,
    /// `throughput`: when jobs arrive.
    pub load: Load,
    /// `gap`: what happens between birth and exec.
    #[serde(with = "as_text")]
    pub actions: Actions,
    /// `gap`: the number before which a loop that closes descriptors ends.
    pub nofile: u32,
    /// `hazard`: which, by its name in [`crate::model::hazard`].
    pub hazard: String,
    /// `hazard`: how many processes are born in a batch; 0: as many as are known to show it.
    pub forks: u32,
    /// `hazard`: percent of the time for which the mutex is held, 1 to 99.
    pub duty: u32,
}

impl Default for Work {
    fn default() -> Work {
        Work {
            workload: Workload::Spawn,
            mechanism: "posix_spawn".to_owned(),
            image: Image::Noop,
            rewrite: Rewrite::default(),
            between: Between::Hot,
            delay_ns: 0,
            child_cpu: ChildCpu::Same,
            env_bytes: Size::ZERO,
            args_bytes: Size::ZERO,
            path_dirs: 0,
            child: ChildState::Alive,
            written: Written::ALL,
            write_order: TouchOrder::Seq,
            writer: Writer::Parent,
            stages: 3,
            pipe_bytes: Size::from_bytes(64 << 10),
            sink: Sink::Pipe,
            pipe_ends: PipeEnds::Closed,
            dispatch: Dispatch::Direct,
            in_flight: 1,
            spawners: 1,
            spawner_kind: SpawnerKind::Threads,
            jobs: 200,
            load: Load::Closed,
            actions: Actions::default(),
            nofile: 1024,
            hazard: "mutex".to_owned(),
            forks: 0,
            duty: 50,
        }
    }
}

impl Work {
    /// Whether the exec is given more than it needs, or has to be searched for.
    pub fn has_extras(&self) -> bool {
        self.env_bytes > Size::ZERO || self.args_bytes > Size::ZERO || self.path_dirs > 0
    }

    /// The command of the helper that makes its processes; none: the mechanism is no helper.
    pub fn helper(&self) -> Option<&str> {
        helper(&self.mechanism)
    }

    /// The same without an image, and without what only an image has: of work whose mechanism
    /// executes none.
    pub fn without_image(self) -> Work {
        let Work { image, env_bytes, args_bytes, path_dirs, actions, nofile, .. } = Work::default();
        Work { image, env_bytes, args_bytes, path_dirs, actions, nofile, ..self }
    }
}

/// The command of a helper, where that is the mechanism: `extern:COMMAND`.
pub fn helper(mechanism: &str) -> Option<&str> {
    mechanism.strip_prefix("extern:")
}

words! {
    /// What a turn does. [`crate::model::workload`] says more of each.
    Workload {
        /// Spawns, and waits for the child.
        Spawn = "spawn",
        /// Writes memory that a fork has left to be copied.
        Cow = "cow",
        /// Makes pipelines of several processes.
        Pipeline = "pipeline",
        /// Spawns beside threads that time what they do.
        Stall = "stall",
        /// Does a batch of jobs, each a process or what is used instead.
        Throughput = "throughput",
        /// Spawns children that do something between birth and exec.
        Gap = "gap",
        /// Makes children beside threads that hold a lock.
        Hazard = "hazard",
    }
}

words! {
    /// Where the last stage of a pipeline writes to.
    Sink {
        /// A pipe that the parent reads.
        Pipe = "pipe",
        /// A file.
        File = "file",
    }
}

words! {
    /// What becomes of the ends of pipes that a stage does not need.
    PipeEnds {
        /// They are closed on exec.
        Closed = "closed",
        /// They stay open in every stage: the classical mistake.
        Leaked = "leaked",
    }
}

words! {
    /// Where the child is while its parent writes its memory.
    ChildState {
        /// It lives and shares the memory.
        Alive = "alive",
        /// It is gone.
        Gone = "gone",
    }
}

words! {
    /// Who writes the memory.
    Writer {
        /// The process that forked.
        Parent = "parent",
        /// The process that it made.
        Child = "child",
    }
}

/// A share of the pages of the parent, evenly spaced over them, in parts per thousand million
/// (1 to 1,000,000,000).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Written(pub u32);

impl Written {
    /// Every page.
    pub const ALL: Written = Written(Written::WHOLE);
    /// Parts that make up the whole.
    pub const WHOLE: u32 = 1_000_000_000;

    /// How many of so many pages that are: at least one.
    pub fn of(self, pages: u64) -> u64 {
        let whole = u128::from(Written::WHOLE);
        let parts = u128::from(pages) * u128::from(self.0.min(Written::WHOLE));
        ((parts + whole / 2) / whole).max(1) as u64
    }
}

words! {
    /// How a job gets to what does it.
    Dispatch {
        /// Each dispatcher makes a process by the mechanism and waits for it.
        Direct = "direct",
        /// One thread makes processes and waits for all of them at once, by epoll on pidfds.
        Epoll = "epoll",
        /// A small process that was started beforehand makes the process on request.
        Zygote = "zygote",
        /// Processes that were started beforehand do the jobs themselves.
        Workers = "workers",
        /// A new thread for each job.
        Thread = "thread",
        /// Threads that were started beforehand.
        Pool = "pool",
    }
}

words! {
    /// What dispatches jobs, where there are several.
    SpawnerKind {
        /// Threads of the parent.
        Threads = "threads",
        /// Processes of their own, small ones.
        Processes = "processes",
    }
}

/// When jobs arrive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Load {
    /// The next begins as soon as there is room for it.
    #[default]
    Closed,
    /// At fixed instants, at a share of what the same does in a closed loop just before, in parts
    /// per thousand. At least 1.
    Share(u32),
    /// At fixed instants, so many in a second. At least 1.
    Rate(u32),
}

/// What the child becomes.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Image {
    /// The program shipped inside: static, no libc, stamps the clock at its first instruction.
    Noop,
    /// The same behind the dynamic loader, with no library to load.
    Dynamic,
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

    /// Whether it stamps the clock at its first instruction.
    pub fn stamps(&self) -> bool {
        matches!(self, Image::Noop | Image::Dynamic)
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
    Scrub(#[serde(with = "as_text")] Size),
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

/// Sizes and pages stand in files as text, `1GiB`, `64k`.
mod as_text {
    use std::fmt::Display;
    use std::str::FromStr;

    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<T: Display, S: Serializer>(
        value: &T,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.collect_str(value)
    }

    pub(super) fn deserialize<'de, T, D>(from: D) -> Result<T, D::Error>
    where
        T: FromStr<Err: Display>,
        D: Deserializer<'de>,
    {
        String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_survive_their_text() {
        for page in [Page::Base, Page::Multi(64 << 10), Page::Thp, Page::Hugetlb] {
            assert_eq!(page.to_string().parse(), Ok(page));
        }
        for text in ["", "4K", "5k", "2M", "k", "64", "-1k"] {
            assert!(text.parse::<Page>().unwrap_err().contains("hugetlb"), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_is_told_with_both_knobs() {
        let rss = Size::from_bytes(3 << 20);
        let shape = Shape { rss, ..Shape::default() };
        for (shape, words) in [
            (Shape { page: Page::Hugetlb, ..shape.clone() }, ["rss=3MiB", "page=hugetlb"]),
            (
                Shape { page: Page::Thp, memory: MemoryKind::File, ..shape.clone() },
                ["page=thp", "memory=anon"],
            ),
            (
                Shape { page: Page::Multi(65536), spread: 4, ..shape.clone() },
                ["page=64k", "spread=4"],
            ),
            (
                Shape { memory: MemoryKind::Shmem, advice: Advice::Wipeonfork, ..shape.clone() },
                ["wipeonfork", "memory=anon"],
            ),
            (
                Shape { contents: Contents::Untouched, advice: Advice::Mlock, ..shape.clone() },
                ["untouched", "mlock"],
            ),
            (
                Shape { memory: MemoryKind::Pinned, spread: 2, ..shape.clone() },
                ["memory=pinned", "spread=2"],
            ),
            (
                Shape { page: Page::Multi(65536), contents: Contents::Read, ..shape.clone() },
                ["contents=read", "page=64k"],
            ),
            (
                Shape { contents: Contents::Untouched, order: TouchOrder::Random, ..shape.clone() },
                ["order=random", "untouched"],
            ),
            (Shape { fd_layout: FdLayout::High, ..Shape::default() }, ["fd-layout", "--fds"]),
            (Shape { busy: Busy::Rewrite, ..Shape::default() }, ["busy=rewrite", "rss=64M"]),
        ] {
            let why = shape.impossible().unwrap_or_else(|| panic!("{shape:?}"));
            assert!(words.iter().all(|word| why.contains(word)), "{why}");
        }
        assert_eq!(shape.impossible(), None);
        assert_eq!(Shape::default().impossible(), None);
    }

    #[test]
    fn a_share_of_pages_is_rounded_and_never_none() {
        assert_eq!(Written::ALL.of(65_536), 65_536);
        assert_eq!(Written(Written::WHOLE / 512).of(65_536), 128);
        assert_eq!(Written(2_000_000).of(65_536), 131);
        assert_eq!((Written(1).of(10), Written(u32::MAX).of(10)), (1, 10));
    }

    #[test]
    fn only_private_written_memory_is_write_protected() {
        let dirty = Shape { rss: Size::from_bytes(1 << 20), ..Shape::default() };
        assert!(dirty.is_write_protected_by_fork());
        assert!(!Shape::default().is_write_protected_by_fork());
        let mappings = Shape { vmas: 9, ..Shape::default() };
        assert!(!mappings.is_write_protected_by_fork());
        let mappings = Shape { vma_contents: VmaContents::Dirty, ..mappings };
        assert!(mappings.is_write_protected_by_fork());
        for shape in [
            Shape { memory: MemoryKind::Shmem, ..dirty.clone() },
            Shape { contents: Contents::Read, ..dirty.clone() },
            Shape { advice: Advice::Dontfork, ..dirty.clone() },
        ] {
            assert!(!shape.is_write_protected_by_fork(), "{shape:?}");
        }
    }
}
