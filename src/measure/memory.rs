//! The memory of a parent: the ballast that `rss` asks for and what the other knobs say of it,
//! writing it again, and the buffer whose writing scrubs the caches.
//!
//! What is made here is looked at in [`super::shape`]; nothing here judges whether it took.
//!
//! # Safety
//!
//! Maps memory and reads and writes within it; nothing else holds a reference into a mapping.
#![allow(unsafe_code)]

use std::fs;
use std::io;
use std::ops::Range;
use std::os::fd::{AsRawFd, OwnedFd};
use std::ptr;
use std::sync::OnceLock;

use crate::measure::clock;
use crate::measure::mechanism::Refusal;
use crate::measure::mechanism::child::Writes;
use crate::measure::memory::places::Places;
use crate::measure::memory::shuffle::Shuffle;
use crate::measure::tape;
use crate::model::setup::{
    Advice, Contents, HUGE_PAGE, MemoryKind, Page, Rewrite, Shape, TouchOrder, Written,
};

mod folios;
pub mod footprint;
pub mod places;
mod ring;
mod shuffle;

// include/uapi/asm-generic/mman-common.h, Linux 5.14; not yet in every libc crate.
const MADV_POPULATE_READ: i32 = 22;
pub(super) const MADV_POPULATE_WRITE: i32 = 23;
// Linux 5.18.
const MADV_DONTNEED_LOCKED: i32 = 24;

/// What one call populates: between calls the subject can say that it is alive.
const STEP: usize = 1 << 30;

/// After so many pages touched one by one the subject says that it is alive.
const TOUCHES: usize = 1 << 14;

/// The alignment that lets the kernel use a huge page everywhere.
const HUGE: usize = HUGE_PAGE as usize;

/// The seed of the order `random`: the same in every subject, so that parents differ in nothing.
const ORDER_SEED: u64 = 0x666f_726b;

/// A mapping that is unmapped when dropped.
#[derive(Debug)]
struct Mapping {
    base: *mut u8,
    bytes: usize,
}

impl Mapping {
    fn new(bytes: usize, protection: i32, flags: i32) -> io::Result<Mapping> {
        // SAFETY: a new anonymous mapping.
        let base = unsafe {
            libc::mmap(ptr::null_mut(), bytes, protection, flags | libc::MAP_ANONYMOUS, -1, 0)
        };
        if base == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        Ok(Mapping { base: base.cast(), bytes })
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: made in `new`; nothing else points into it.
        unsafe { libc::munmap(self.base.cast(), self.bytes) };
    }
}

/// How a page is touched.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Touch {
    Read,
    Write,
}

/// The memory that `rss` asks for, as the shape wants it.
#[derive(Debug)]
pub struct Ballast {
    /// The reservation around it. No access is allowed to its two ends: what is mapped beside the
    /// ballast, such as the stack of a thread, can neither merge with it nor lend it an anon_vma.
    reserve: Mapping,
    /// Where the ballast begins within the reservation: aligned, whatever the page.
    offset: usize,
    /// Bytes of the ballast's own mapping.
    mapped: usize,
    /// From one touched page to the next.
    stride: usize,
    /// How much of the mapping, from its start, a fork leaves write-protected.
    protected: usize,
    page: Page,
    /// How many mTHP the kernel says it has given while this memory was first touched, in bytes.
    multi_given: Option<u64>,
    /// The ring whose buffers it is, for memory that is pinned.
    _ring: Option<OwnedFd>,
}

impl Ballast {
    /// Maps what `shape` asks for, tells the kernel about it, and touches it. None for `rss=0`.
    /// `alive` is called now and then.
    pub fn new(shape: &Shape, alive: &impl Fn()) -> Result<Option<Ballast>, Refusal> {
        if shape.rss.bytes() == 0 {
            return Ok(None);
        }
        if let Some(reason) = shape.impossible() {
            return Err(Refusal { errno: 0, reason });
        }
        if !(shape.rss.bytes() as usize).is_multiple_of(page_size()) {
            let page = page_size();
            let reason = format!("rss={} is no multiple of the page here, {page} bytes", shape.rss);
            return Err(Refusal { errno: 0, reason });
        }
        let mut ballast = Ballast::map(shape)?;
        ballast.tell(shape)?;
        let given = given_multi(shape.page);
        ballast.fill(shape, alive).map_err(|error| cannot(&error, shape))?;
        ballast.multi_given =
            given_multi(shape.page).zip(given).map(|(after, before)| after - before);
        if shape.memory == MemoryKind::Pinned {
            ballast._ring = Some(ring::pin(ballast.start(), ballast.mapped)?);
        }
        Ok(Some(ballast))
    }

    fn map(shape: &Shape) -> Result<Ballast, Refusal> {
        let refuse = |error: io::Error| cannot(&error, shape);
        let mapped = usize::try_from(shape.mapped_bytes()).unwrap_or(usize::MAX);
        // What the kernel gives a process in one piece, 47 bits of address at most.
        if mapped > 1 << 46 {
            let reason =
                format!("rss={} spread={} takes too many addresses", shape.rss, shape.spread);
            return Err(Refusal { errno: 0, reason });
        }
        let reserving = libc::MAP_PRIVATE | libc::MAP_NORESERVE;
        let reserve =
            Mapping::new(mapped + 2 * HUGE, libc::PROT_NONE, reserving).map_err(refuse)?;
        let page = page_size();
        let offset = page + reserve.base.wrapping_add(page).align_offset(HUGE);
        let stride = page * shape.spread.max(1) as usize;
        let protected = match shape.contents {
            _ if !shape.is_write_protected_by_fork() => 0,
            Contents::OneByte => page,
            _ => mapped,
        };
        let ballast = Ballast {
            reserve,
            offset,
            mapped,
            stride,
            protected,
            page: shape.page,
            multi_given: None,
            _ring: None,
        };

        let file = match shape.memory {
            MemoryKind::Anon | MemoryKind::Shmem | MemoryKind::Pinned => None,
            MemoryKind::File | MemoryKind::FileShared => Some(file(mapped).map_err(refuse)?),
        };
        let mut flags = match shape.memory {
            MemoryKind::Anon | MemoryKind::File | MemoryKind::Pinned => libc::MAP_PRIVATE,
            MemoryKind::Shmem | MemoryKind::FileShared => libc::MAP_SHARED,
        };
        if file.is_none() {
            flags |= libc::MAP_ANONYMOUS;
        }
        if shape.page == Page::Hugetlb {
            // Whatever the default size of the machine is.
            flags |= libc::MAP_HUGETLB | libc::MAP_HUGE_2MB;
        }
        // What is never written is no memory to account for: neither a mapping many times as large
        // as the machine nor its fork is to be refused.
        if shape.spread > 1 || matches!(shape.contents, Contents::Untouched | Contents::Read) {
            flags |= libc::MAP_NORESERVE;
        }
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        let descriptor = file.as_ref().map_or(-1, |file| file.as_raw_fd());
        // SAFETY: replaces a part of the reservation, which is ours and holds nothing.
        let base = unsafe {
            let start = ballast.start().cast();
            libc::mmap(start, mapped, protection, flags | libc::MAP_FIXED, descriptor, 0)
        };
        if base == libc::MAP_FAILED {
            return Err(refuse(io::Error::last_os_error()));
        }
        Ok(ballast)
    }

    /// Tells the kernel about the mapping, before any of it is touched.
    fn tell(&self, shape: &Shape) -> Result<(), Refusal> {
        let advise = |advice| self.advise(0..self.mapped, advice);
        let refuse = |error: io::Error, what: &str| {
            Refusal::of(&error, format!("the kernel refuses {what}"))
        };
        match shape.page {
            // A kernel without transparent huge pages answers EINVAL: then 4k is what it has.
            Page::Base | Page::Multi(_) => drop(advise(libc::MADV_NOHUGEPAGE)),
            Page::Thp => advise(libc::MADV_HUGEPAGE).map_err(|e| refuse(e, "MADV_HUGEPAGE"))?,
            Page::Hugetlb => {}
        }
        match shape.advice {
            Advice::None => Ok(()),
            Advice::Dontfork => advise(libc::MADV_DONTFORK).map_err(|e| refuse(e, "MADV_DONTFORK")),
            Advice::Wipeonfork => {
                advise(libc::MADV_WIPEONFORK).map_err(|e| refuse(e, "MADV_WIPEONFORK"))
            }
            Advice::Mlock => {
                let limit = raise_locked_limit(self.mapped);
                // What is touched stays; locking touches nothing itself, so that `contents` and
                // `spread` hold.
                // SAFETY: within the mapping.
                let failed =
                    unsafe { libc::mlock2(self.start().cast(), self.mapped, libc::MLOCK_ONFAULT) };
                if failed == 0 {
                    return Ok(());
                }
                let needed = self.mapped >> 10;
                Err(Refusal::last(&format!(
                    "advice=mlock needs {needed} KiB of locked memory and the hard limit is \
                     {limit} bytes: raise it (`ulimit -Hl {needed}` as root)"
                )))
            }
        }
    }

    fn fill(&self, shape: &Shape, alive: &impl Fn()) -> io::Result<()> {
        let touch = match shape.contents {
            Contents::Untouched => return Ok(()),
            Contents::Dirty => Touch::Write,
            Contents::Read | Contents::OneByte => Touch::Read,
        };
        let random = shape.order == TouchOrder::Random;
        match shape.page {
            Page::Multi(bytes) => self.grow(bytes as usize, random, alive)?,
            Page::Base | Page::Thp | Page::Hugetlb if random || shape.spread > 1 => {
                let step = shape.page.bytes().map_or(self.stride, |bytes| bytes as usize);
                self.each(step, random, alive, |at| {
                    self.touch(touch, at);
                    Ok(())
                })?;
            }
            Page::Base | Page::Thp | Page::Hugetlb => {
                for from in (0..self.mapped).step_by(STEP) {
                    self.populate(touch, from..self.mapped.min(from + STEP))?;
                    alive();
                }
            }
        }
        if shape.contents == Contents::OneByte {
            self.touch(Touch::Write, 0);
        }
        Ok(())
    }

    /// Writes a page of `bytes` at a time, each while huge pages are allowed to that part of the
    /// mapping alone. The kernel takes the largest page that it may use and that fits: there is no
    /// larger one, whatever others are allowed to this machine. And it cannot put pages together
    /// afterwards (khugepaged), since that looks for 2 MiB to which huge pages are allowed.
    fn grow(&self, bytes: usize, random: bool, alive: &impl Fn()) -> io::Result<()> {
        // The parts merge again only if they have one anon_vma, which the whole is given here.
        self.touch(Touch::Write, 0);
        self.advise(0..self.mapped, libc::MADV_DONTNEED)?;
        self.each(bytes, random, alive, |at| {
            self.advise(at..at + bytes, libc::MADV_HUGEPAGE)?;
            self.touch(Touch::Write, at);
            self.advise(at..at + bytes, libc::MADV_NOHUGEPAGE)
        })
    }

    /// Every `step` bytes of the mapping, by address or at random.
    fn each(
        &self,
        step: usize,
        random: bool,
        alive: &impl Fn(),
        mut see: impl FnMut(usize) -> io::Result<()>,
    ) -> io::Result<()> {
        let count = self.mapped / step;
        let shuffle = Shuffle::new(count as u64, ORDER_SEED);
        for i in 0..count {
            let place = if random { shuffle.place(i as u64) as usize } else { i };
            see(place * step)?;
            if i % TOUCHES == 0 {
                alive();
            }
        }
        Ok(())
    }

    /// The first address.
    pub fn address(&self) -> usize {
        self.start() as usize
    }

    /// The length of its mapping in bytes.
    pub fn bytes(&self) -> usize {
        self.mapped
    }

    /// Bytes of it in transparent huge pages of exactly the size that was asked for, and whether
    /// that was seen page by page; else it is what the kernel's counter for the whole machine says
    /// was given while the memory was touched, an upper bound. None if there is neither.
    pub fn multi_huge_bytes(&self) -> Option<(u64, bool)> {
        let Page::Multi(size) = self.page else { return Some((0, true)) };
        match folios::bytes_of_size(self.address(), self.mapped, size as usize) {
            Some(bytes) => Some((bytes, true)),
            None => self.multi_given.map(|bytes| (bytes.min(self.mapped as u64), false)),
        }
    }

    /// Whether a fork leaves anything of it write-protected.
    pub fn is_protected_by_fork(&self) -> bool {
        self.protected > 0
    }

    /// Makes a share of what a fork has left write-protected, from its start, writable again
    /// without writing it: MADV_POPULATE_WRITE; where pages lie apart, by a byte in each.
    pub fn repopulate(&self, share: Rewrite) {
        let part = self.part(share);
        if self.stride > page_size() {
            self.write(part);
        } else if part > 0 {
            // A failure here means that the kernel lacks the call: then `populate` writes bytes,
            // and that cannot fail.
            let _ = self.populate(Touch::Write, 0..part);
        }
    }

    /// Writes one byte of every page of a share of what a fork leaves write-protected; how long
    /// that took, in nanoseconds.
    pub fn rewrite(&self, share: Rewrite) -> u64 {
        let begin = clock::now();
        self.write(self.part(share));
        clock::now() - begin
    }

    /// The places of a share of its pages, evenly spaced.
    ///
    /// # Errors
    ///
    /// When there is no memory for the list.
    pub fn places(&self, written: Written, order: TouchOrder) -> io::Result<Places> {
        Places::new((self.mapped / self.stride) as u64, written, order)
    }

    /// Writes one byte of each of these pages; how long that took, in nanoseconds.
    pub fn write_places(&self, places: &Places) -> u64 {
        let begin = clock::now();
        for page in places.pages() {
            self.touch(Touch::Write, *page as usize * self.stride);
        }
        clock::now() - begin
    }

    /// What a child is to write, for [`crate::measure::mechanism::child`]: these pages, when told
    /// to by the eventfd `begin`, and to say so by the eventfd `done`. Good as long as the places.
    pub fn writes(&self, places: &Places, begin: i32, done: i32) -> Writes {
        let pages = places.pages();
        Writes {
            base: self.start(),
            pages: pages.as_ptr(),
            count: pages.len(),
            stride: self.stride,
            begin,
            done,
        }
    }

    /// Gives its pages back to the kernel and touches it anew, as when it was made: afterwards
    /// neither a split huge page nor the order of later writes is to be seen. Only for memory whose
    /// pages were written. What cannot be had again is missing, and [`crate::measure::shape::look`]
    /// sees that.
    pub fn refill(&self, shape: &Shape) {
        let locked = shape.advice == Advice::Mlock;
        let advice = if locked { MADV_DONTNEED_LOCKED } else { libc::MADV_DONTNEED };
        let _ = self.advise(0..self.mapped, advice);
        let _ = self.fill(shape, &|| ());
    }

    /// Where a thread may write a byte of each page: the first address, how many, and how far they
    /// lie apart.
    pub(super) fn pages_to_write(&self) -> (usize, usize, usize) {
        (self.start() as usize, self.mapped / self.stride, self.stride)
    }

    fn part(&self, share: Rewrite) -> usize {
        let thousandths = u128::from(share.0.min(1000));
        let bytes = (self.protected as u128 * thousandths / 1000) as usize;
        // The one page of contents=one-byte has no part.
        let fewest = if self.protected == page_size() && thousandths > 0 { page_size() } else { 0 };
        (bytes / self.stride * self.stride).max(fewest)
    }

    fn write(&self, part: usize) {
        for at in (0..part).step_by(self.stride) {
            self.touch(Touch::Write, at);
        }
    }

    fn populate(&self, touch: Touch, part: Range<usize>) -> io::Result<()> {
        let advice = match touch {
            Touch::Read => MADV_POPULATE_READ,
            Touch::Write => MADV_POPULATE_WRITE,
        };
        match self.advise(part.clone(), advice) {
            Err(error) if error.raw_os_error() == Some(libc::EINVAL) => {
                for at in part.step_by(page_size()) {
                    self.touch(touch, at);
                }
                Ok(())
            }
            done => done,
        }
    }

    fn advise(&self, part: Range<usize>, advice: i32) -> io::Result<()> {
        // SAFETY: within the mapping, which is ours.
        match unsafe { libc::madvise(self.start().add(part.start).cast(), part.len(), advice) } {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        }
    }

    fn touch(&self, touch: Touch, at: usize) {
        // SAFETY: within the mapping; the access must happen, hence volatile.
        unsafe {
            let byte = self.start().add(at);
            match touch {
                Touch::Read => drop(byte.read_volatile()),
                Touch::Write => byte.write_volatile(1),
            }
        }
    }

    fn start(&self) -> *mut u8 {
        self.reserve.base.wrapping_add(self.offset)
    }
}

/// What should be seen of the memory that a shape asks for, as readings.
pub fn asked(shape: &Shape) -> Vec<(&'static str, u64)> {
    let rss = shape.rss.bytes();
    let mapped = shape.mapped_bytes();
    let page = shape.page.bytes().unwrap_or(page_size() as u64);
    let written = match shape.contents {
        Contents::Dirty => rss,
        Contents::OneByte => page.min(rss),
        Contents::Read | Contents::Untouched => 0,
    };
    let anonymous = matches!(shape.memory, MemoryKind::Anon | MemoryKind::Pinned);
    let resident = match shape.contents {
        // It maps the zero page, which belongs to nobody.
        Contents::Read | Contents::OneByte if anonymous => written,
        Contents::Untouched => 0,
        _ => rss,
    };
    let only = |is: bool, bytes: u64| if is { bytes } else { 0 };
    let mut facts = vec![
        ("mapped_bytes", mapped),
        ("rss_bytes", only(shape.page != Page::Hugetlb, resident)),
        ("anon_huge_bytes", only(shape.page == Page::Thp, written / HUGE_PAGE * HUGE_PAGE)),
        ("multi_huge_bytes", only(matches!(shape.page, Page::Multi(_)), written)),
        ("hugetlb_bytes", only(shape.page == Page::Hugetlb, written)),
        ("dontfork_bytes", only(shape.advice == Advice::Dontfork, mapped)),
        ("wipeonfork_bytes", only(shape.advice == Advice::Wipeonfork, mapped)),
        ("locked_bytes", only(shape.advice == Advice::Mlock, mapped)),
    ];
    // The zero page is in no count of memory, but it takes its entry in the page tables.
    if anonymous && matches!(shape.contents, Contents::Read | Contents::OneByte) {
        facts.push(("vm_pte_bytes", page_table_bytes(shape)));
    }
    facts
}

/// Bytes of the lowest page tables that map what is touched of a shape, for the base page.
pub fn page_table_bytes(shape: &Shape) -> u64 {
    let page = page_size() as u64;
    let entries = page / 8;
    let touched = shape.rss.bytes() / page;
    touched.min(shape.mapped_bytes() / page / entries) * page
}

/// A file in memory of that many bytes, none of which is there yet.
fn file(bytes: usize) -> io::Result<OwnedFd> {
    let file = tape::memfd(c"forkbench-ballast")?;
    // SAFETY: a descriptor of ours.
    match unsafe { libc::ftruncate(file.as_raw_fd(), bytes as libc::off_t) } {
        0 => Ok(file),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Why the memory of a shape cannot be had, and what to do.
fn cannot(error: &io::Error, shape: &Shape) -> Refusal {
    let mut reason = format!("cannot map and touch rss={}: ask for less", shape.rss);
    if shape.page == Page::Hugetlb {
        let free = free_pool_pages();
        let pages = shape.rss.bytes() / HUGE_PAGE;
        reason = format!(
            "page=hugetlb needs {pages} pages of 2 MiB and {free} are free: raise the pool \
                 (as root, `echo {pages} > /proc/sys/vm/nr_hugepages`)"
        );
    }
    Refusal::of(error, reason)
}

/// Pages of 2 MiB in the hugetlb pool that nobody has and nobody is promised.
pub fn free_pool_pages() -> u64 {
    let number = |name: &str| {
        let path = format!("/sys/kernel/mm/hugepages/hugepages-2048kB/{name}");
        fs::read_to_string(path).ok().and_then(|text| text.trim().parse::<u64>().ok())
    };
    let free = number("free_hugepages").unwrap_or(0);
    free.saturating_sub(number("resv_hugepages").unwrap_or(0))
}

/// Bytes that the kernel has given to whomever in transparent huge pages of this size since it
/// began; none for other pages, and where it does not count.
fn given_multi(page: Page) -> Option<u64> {
    let Page::Multi(bytes) = page else { return None };
    let path = format!(
        "/sys/kernel/mm/transparent_hugepage/hugepages-{}kB/stats/anon_fault_alloc",
        bytes >> 10
    );
    let pages: u64 = fs::read_to_string(path).ok()?.trim().parse().ok()?;
    Some(pages * u64::from(bytes))
}

/// Raises the limit of locked memory by `needed` bytes, where that is allowed, and returns the hard
/// limit that there was.
fn raise_locked_limit(needed: usize) -> u64 {
    // SAFETY: an rlimit lives through the calls.
    unsafe {
        let mut limit: libc::rlimit = std::mem::zeroed();
        libc::getrlimit(libc::RLIMIT_MEMLOCK, &mut limit);
        let hard = limit.rlim_max;
        // A little more: the descriptors of perf lock memory as well.
        let wanted = (needed as u64).saturating_add(64 << 20);
        if limit.rlim_cur < wanted {
            limit.rlim_cur = wanted;
            limit.rlim_max = hard.max(wanted);
            if libc::setrlimit(libc::RLIMIT_MEMLOCK, &limit) != 0 {
                limit.rlim_cur = hard;
                limit.rlim_max = hard;
                // What is locked is refused next, with the hard limit in the reason.
                libc::setrlimit(libc::RLIMIT_MEMLOCK, &limit);
            }
        }
        hard
    }
}

/// A buffer whose writing pushes everything else out of the caches. Shared memory, since a fork
/// does not copy the page tables of that.
#[derive(Debug)]
pub struct Scrub(Mapping);

impl Scrub {
    /// Maps and writes a buffer of `bytes`.
    pub fn new(bytes: usize) -> io::Result<Scrub> {
        let writable = libc::PROT_READ | libc::PROT_WRITE;
        let scrub = Scrub(Mapping::new(bytes.max(page_size()), writable, libc::MAP_SHARED)?);
        scrub.run(bytes);
        Ok(scrub)
    }

    /// Writes the first `bytes` of the buffer, a word per cache line.
    pub fn run(&self, bytes: usize) {
        for offset in (0..bytes.min(self.0.bytes)).step_by(64) {
            // SAFETY: within the mapping; the write must happen, hence volatile.
            unsafe { self.0.base.add(offset).cast::<u64>().write_volatile(offset as u64) };
        }
    }
}

/// The base page in bytes.
pub fn page_size() -> usize {
    static PAGE: OnceLock<usize> = OnceLock::new();
    // SAFETY: asks for a number.
    *PAGE.get_or_init(|| unsafe { libc::sysconf(libc::_SC_PAGESIZE) } as usize)
}

#[cfg(test)]
mod tests;
