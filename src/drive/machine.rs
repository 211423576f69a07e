//! Settings of the whole machine that a parent needs: the pool of hugetlb pages, and which smaller
//! transparent huge pages (mTHP) are given.
//!
//! They are changed only while a run that needs them goes on, by a process of their own, the
//! [`steward`], which writes down what it found before it changes it and puts it back. A parent
//! whose settings cannot be had is refused with what to do; nothing here ends a run.

use std::path::PathBuf;

use crate::drive::environment::Root;
use crate::model::setup::{Contents, HUGE_PAGE, Page, Parent};

mod journal;
pub mod steward;

pub use journal::recover;
use steward::{Asked, Steward};

/// The pool of pages of 2 MiB.
const POOL: &str = "/sys/kernel/mm/hugepages/hugepages-2048kB";
/// How pages of each smaller size are given stands below this, in `hugepages-NkB/enabled`.
const TRANSPARENT: &str = "/sys/kernel/mm/transparent_hugepage";
/// The pool is filled from whole free blocks of memory, which the kernel makes as it goes: what it
/// could not at first, it often can when asked again.
const TRIES: u32 = 3;

/// The settings of a run.
pub struct Machine {
    binary: PathBuf,
    root: Root,
    steward: Option<Steward>,
    /// Pages that were added to the pool.
    raised: u64,
}

impl Machine {
    /// Changes nothing yet. `binary` is this program.
    pub fn new(binary: PathBuf) -> Machine {
        Machine { binary, root: Root::live(), steward: None, raised: 0 }
    }

    /// Bytes of memory that lie in the pool because of this run.
    pub fn held_bytes(&self) -> u64 {
        self.raised * HUGE_PAGE
    }

    /// Makes the machine such that these parents can live side by side, each with the bytes of it
    /// that are copied meanwhile. `spare` is the memory that they leave: what this run has put into
    /// the pool beyond it is taken out again.
    ///
    /// # Errors
    ///
    /// What is missing, and what to do.
    pub fn prepare(&mut self, parents: &[(&Parent, u64)], spare: u64) -> Result<(), String> {
        let needs = Needs::of(parents);
        if needs == Needs::default() && self.raised == 0 {
            return Ok(());
        }
        if self.steward.is_none() {
            self.steward = Some(Steward::start(&self.binary)?);
        }
        for kib in &needs.sizes {
            self.give(*kib)?;
        }
        self.fill_pool(needs.pages, spare)
    }

    /// Puts back what was changed, and says what could not be.
    pub fn put_back(&mut self) -> Vec<String> {
        self.raised = 0;
        self.steward.take().map(Steward::end).unwrap_or_default()
    }

    /// Lets transparent huge pages of this size be given to memory that asks for them.
    fn give(&mut self, kib: u32) -> Result<(), String> {
        let path = format!("{TRANSPARENT}/hugepages-{kib}kB/enabled");
        let Some(mode) = self.root.chosen(&path) else {
            return Err(format!(
                "page={kib}k: this kernel gives anonymous memory no pages of {kib} KiB (there is \
                 no {path}; the first that has it is Linux 6.8, and the smallest size is 16k): \
                 use another size, 4k or thp"
            ));
        };
        let given = match mode.as_str() {
            "always" | "madvise" => true,
            "inherit" => {
                let whole = self.root.chosen(format!("{TRANSPARENT}/enabled"));
                whole.is_some_and(|mode| mode != "never")
            }
            _ => false,
        };
        if given {
            return Ok(());
        }
        let refused = |why: String| {
            format!(
                "page={kib}k needs {path} to be `madvise` and it is `{mode}`: {why}; run as root, \
                 or let root do it (`echo madvise > {path}`)"
            )
        };
        match self.set(&path, "madvise") {
            Ok(is) if is == "madvise" => Ok(()),
            Ok(is) => Err(refused(format!("the kernel made it `{is}`"))),
            Err(why) => Err(refused(why)),
        }
    }

    /// Sees to so many free pages in the pool.
    fn fill_pool(&mut self, pages: u64, spare: u64) -> Result<(), String> {
        let path = format!("{POOL}/nr_hugepages");
        let Some(mut all) = self.root.number(&path) else {
            return match pages {
                0 => Ok(()),
                _ => Err(format!(
                    "page=hugetlb: this kernel has no pool of pages of 2 MiB (there is no {POOL}): \
                     use another page"
                )),
            };
        };
        let free = self.free_pages();
        if free >= pages {
            let idle = (free - pages).min(self.raised);
            let excess = (idle * HUGE_PAGE).saturating_sub(spare).div_ceil(HUGE_PAGE);
            if excess > 0 && self.set(&path, &(all - excess).to_string()).is_ok() {
                self.raised -= excess;
            }
            return Ok(());
        }
        let mut refused = None;
        for _ in 0..TRIES {
            let missing = pages.saturating_sub(self.free_pages());
            if missing == 0 {
                return Ok(());
            }
            match self.set(&path, &(all + missing).to_string()) {
                Ok(is) => {
                    let is = is.parse().unwrap_or(all);
                    self.raised += u64::saturating_sub(is, all);
                    all = is;
                }
                Err(why) => refused = Some(why),
            }
        }
        let free = self.free_pages();
        if free >= pages {
            return Ok(());
        }
        let why = match refused {
            Some(why) => format!("{why}; run as root, or let root do it"),
            None => "free memory is too fragmented, or there is too little; ask for less, or fill \
                     the pool soon after a boot"
                .to_owned(),
        };
        Err(format!(
            "page=hugetlb needs {pages} free pages of 2 MiB and {free} could be had: {why} (`echo \
             {} > /proc/sys/vm/nr_hugepages`)",
            all + pages - free
        ))
    }

    fn free_pages(&self) -> u64 {
        let number = |name| self.root.number(format!("{POOL}/{name}")).unwrap_or(0);
        number("free_hugepages").saturating_sub(number("resv_hugepages"))
    }

    /// Sets one file, and returns what stands in it then.
    fn set(&mut self, path: &str, value: &str) -> Result<String, String> {
        let Some(steward) = &mut self.steward else { return Err("nobody can".to_owned()) };
        match steward.set(path, value)? {
            Asked::Is(value) => Ok(value),
            Asked::Refused(why) => Err(why),
        }
    }
}

/// What some parents need.
#[derive(Debug, Default, PartialEq, Eq)]
struct Needs {
    /// Pages of the pool, in all.
    pages: u64,
    /// Sizes of transparent huge pages below the largest, in KiB.
    sizes: Vec<u32>,
}

impl Needs {
    fn of(parents: &[(&Parent, u64)]) -> Needs {
        let mut needs = Needs::default();
        for (parent, copied) in parents {
            let shape = &parent.shape;
            match shape.page {
                Page::Base | Page::Thp => {}
                Page::Hugetlb => {
                    needs.pages += shape.rss.bytes().div_ceil(HUGE_PAGE);
                    needs.pages += copied.div_ceil(HUGE_PAGE);
                }
                Page::Multi(bytes) => {
                    let kib = bytes >> 10;
                    let touched = shape.contents != Contents::Untouched && shape.rss.bytes() > 0;
                    if touched && !needs.sizes.contains(&kib) {
                        needs.sizes.push(kib);
                    }
                }
            }
        }
        needs
    }
}

/// Whether a file is one that a run may change.
fn is_known(path: &str) -> bool {
    if path == format!("{POOL}/nr_hugepages") {
        return true;
    }
    let size = path
        .strip_prefix(TRANSPARENT)
        .and_then(|rest| rest.strip_prefix("/hugepages-"))
        .and_then(|rest| rest.strip_suffix("kB/enabled"));
    size.is_some_and(|size| !size.is_empty() && size.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::setup::Shape;
    use crate::model::units::Size;

    #[test]
    fn needs_are_those_of_all_who_live_at_once() {
        let parent = |page, mib: u64| Parent {
            shape: Shape { page, rss: Size::from_bytes(mib << 20), ..Shape::default() },
            ..Parent::default()
        };
        let parents = [
            parent(Page::Base, 64),
            parent(Page::Hugetlb, 8),
            parent(Page::Hugetlb, 64),
            parent(Page::Multi(64 << 10), 1),
            parent(Page::Multi(64 << 10), 2),
            parent(Page::Multi(16 << 10), 0),
        ];
        // Of one parent so many bytes are copied.
        let copied = |parent: &Parent| if parent == &parents[1] { 3 * HUGE_PAGE } else { 0 };
        let needs = Needs::of(&parents.iter().map(|p| (p, copied(p))).collect::<Vec<_>>());
        assert_eq!(needs, Needs { pages: 39, sizes: vec![64] });
    }

    #[test]
    fn only_what_is_known_is_ever_changed() {
        for path in [
            "/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages",
            "/sys/kernel/mm/transparent_hugepage/hugepages-64kB/enabled",
        ] {
            assert!(is_known(path), "{path}");
        }
        for path in [
            "",
            "/etc/passwd",
            "/sys/kernel/mm/transparent_hugepage/enabled",
            "/sys/kernel/mm/transparent_hugepage/hugepages-/../64kB/enabled",
            "/sys/kernel/mm/transparent_hugepage/hugepages-kB/enabled",
        ] {
            assert!(!is_known(path), "{path}");
        }
    }
}
