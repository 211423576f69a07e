//! Taking on a shape, and looking whether it took.
//!
//! Both walk every field of [`Shape`] by name, without `..`, so that the compiler names the places
//! that a new knob still lacks.
//!
//! # Safety
//!
//! Maps memory, opens descriptors and starts threads, and keeps them until the subject ends.
#![allow(unsafe_code)]

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::mem;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use nix::dir::Dir;
use nix::fcntl::OFlag;
use nix::sys::stat::Mode;

use crate::measure::areas::Areas;
use crate::measure::chores;
use crate::measure::clock;
use crate::measure::mechanism::Refusal;
use crate::measure::memory::{self, Ballast, page_size};
use crate::measure::threads::Threads;
use crate::model::setup::{FdLayout, Rewrite, Shape, VmaContents};

/// What a subject holds on to while it has its shape.
#[derive(Debug)]
pub struct Become {
    /// The memory; none for `rss=0`.
    pub ballast: Option<Ballast>,
    /// The mappings; none for `vmas=0`.
    pub areas: Option<Areas>,
    /// The threads.
    pub threads: Threads,
    _descriptors: Vec<OwnedFd>,
}

impl Become {
    /// Makes a share of what was written, in memory and mappings, writable again without writing
    /// it.
    pub fn repopulate(&self, share: Rewrite) {
        if let Some(ballast) = &self.ballast {
            ballast.repopulate(share);
        }
        if let Some(areas) = &self.areas {
            areas.repopulate(share);
        }
    }

    /// Writes one byte of every page of a share of it; how long that took, in nanoseconds. None:
    /// there is nothing to write.
    pub fn rewrite(&self, share: Rewrite) -> Option<u64> {
        // Where a fork leaves nothing write-protected there is no bill, and nothing may be written:
        // memory that was only read would be other memory afterwards.
        let ballast = self.ballast.as_ref().filter(|ballast| ballast.is_protected_by_fork());
        let areas = self.areas.as_ref().filter(|areas| areas.are_dirty());
        if ballast.is_none() && areas.is_none() {
            return None;
        }
        let begin = clock::now();
        if let Some(ballast) = ballast {
            ballast.rewrite(share);
        }
        if let Some(areas) = areas {
            areas.rewrite(share);
        }
        Some(clock::now() - begin)
    }
}

/// Takes on `shape`. Threads are put on `others`, the processors that the spawner does not use.
/// Where they are `watched`, busy threads are ready to time their operations. `alive` is called now
/// and then.
pub fn become_(
    shape: &Shape,
    others: &[u32],
    watched: bool,
    alive: impl Fn(),
) -> Result<Become, Refusal> {
    let Shape {
        // What the memory is: all of it is read in `Ballast::new`.
        rss: _,
        memory: _,
        contents: _,
        page: _,
        spread: _,
        order: _,
        advice: _,
        threads,
        busy,
        vmas,
        vma_contents,
        fds,
        fd_layout,
    } = shape;
    let descriptors = match fd_layout {
        FdLayout::Dense => open_descriptors(*fds)?,
        FdLayout::High => open_high_descriptor(*fds)?,
    };
    let areas = if *vmas > 0 { Some(Areas::map(*vmas, *vma_contents)?) } else { None };
    alive();
    let ballast = Ballast::new(shape, &alive)?;
    // Threads last: a process that has one takes locks and populates memory more slowly.
    if let Some(ballast) = &ballast {
        chores::tell_of_memory(ballast.pages_to_write());
    }
    let threads = Threads::start(*threads, *busy, others, watched)?;
    Ok(Become { ballast, areas, threads, _descriptors: descriptors })
}

fn open_descriptors(count: u32) -> Result<Vec<OwnedFd>, Refusal> {
    let mut descriptors = Vec::new();
    if count == 0 {
        return Ok(descriptors);
    }
    raise_descriptor_limit(u64::from(count) + 64)?;
    descriptors.reserve_exact(count as usize);
    for _ in 0..count {
        // SAFETY: a C string; the result is a new descriptor or -1.
        let descriptor =
            unsafe { libc::open(c"/dev/null".as_ptr(), libc::O_RDONLY | libc::O_CLOEXEC) };
        if descriptor < 0 {
            return Err(Refusal::last(&format!(
                "only {} of fds={count} could be opened",
                descriptors.len()
            )));
        }
        // SAFETY: just opened, owned by nobody else.
        descriptors.push(unsafe { OwnedFd::from_raw_fd(descriptor) });
    }
    Ok(descriptors)
}

/// One descriptor, of that number.
fn open_high_descriptor(number: u32) -> Result<Vec<OwnedFd>, Refusal> {
    raise_descriptor_limit(u64::from(number) + 1)?;
    // SAFETY: a C string and numbers; each result is a new descriptor or -1, owned by nobody else.
    unsafe {
        let null = libc::open(c"/dev/null".as_ptr(), libc::O_RDONLY | libc::O_CLOEXEC);
        if null < 0 {
            return Err(Refusal::last("cannot open /dev/null"));
        }
        let null = OwnedFd::from_raw_fd(null);
        let high = libc::fcntl(null.as_raw_fd(), libc::F_DUPFD_CLOEXEC, number);
        if high < 0 {
            return Err(Refusal::last(&format!("there can be no descriptor fds={number}")));
        }
        let high = OwnedFd::from_raw_fd(high);
        if i32::try_from(number) != Ok(high.as_raw_fd()) {
            return Err(Refusal {
                errno: 0,
                reason: format!(
                    "the descriptor fds={number} is one that the subject has already: ask for a \
                     higher one"
                ),
            });
        }
        Ok(vec![high])
    }
}

/// Raises the soft limit, and where that is allowed the hard limit, to at least `needed`.
pub(super) fn raise_descriptor_limit(needed: u64) -> Result<(), Refusal> {
    // SAFETY: an rlimit lives through both calls.
    unsafe {
        let mut limit: libc::rlimit = mem::zeroed();
        libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit);
        if limit.rlim_cur >= needed {
            return Ok(());
        }
        let hard = limit.rlim_max;
        limit.rlim_cur = needed;
        limit.rlim_max = hard.max(needed);
        if libc::setrlimit(libc::RLIMIT_NOFILE, &limit) == 0 {
            return Ok(());
        }
        Err(Refusal::last(&format!(
            "{needed} descriptors are needed and the hard limit is {hard}: raise it (`ulimit -Hn \
             {needed}` as root; fs.nr_open is the ceiling)"
        )))
    }
}

/// A set of processors as the kernel wants it.
pub(super) fn cpu_set(cpus: &[u32]) -> libc::cpu_set_t {
    // SAFETY: a cpu_set_t is plain bits; CPU_SET writes within it, and ignores what is too large.
    unsafe {
        let mut set: libc::cpu_set_t = mem::zeroed();
        for &cpu in cpus {
            if (cpu as usize) < 8 * size_of::<libc::cpu_set_t>() {
                libc::CPU_SET(cpu as usize, &mut set);
            }
        }
        set
    }
}

/// What was seen of a subject, by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Bytes of the ballast's mapping.
    pub mapped_bytes: u64,
    /// Resident bytes of the ballast.
    pub rss_bytes: u64,
    /// Bytes of the ballast in transparent huge pages that a page-table entry of the middle level
    /// maps: 2 MiB on x86_64.
    pub anon_huge_bytes: u64,
    /// Bytes of the ballast in smaller huge pages (mTHP) of the size that was asked for.
    pub multi_huge_bytes: u64,
    /// Bytes of the ballast in pages of the hugetlb pool.
    pub hugetlb_bytes: u64,
    /// Bytes of the ballast that the kernel marks as not to be forked.
    pub dontfork_bytes: u64,
    /// Bytes of the ballast that the kernel marks as to be wiped on fork.
    pub wipeonfork_bytes: u64,
    /// Bytes of the ballast that the kernel marks as locked.
    pub locked_bytes: u64,
    /// VmRSS of the whole.
    pub vm_rss_bytes: u64,
    /// VmPTE.
    pub vm_pte_bytes: u64,
    /// Mappings.
    pub vmas: u64,
    /// Resident bytes of the mappings that `vmas` adds.
    pub vma_rss_bytes: u64,
    /// Open descriptors.
    pub fds: u64,
    /// The largest number of one.
    pub highest_fd: u64,
    /// Threads.
    pub threads: u64,
}

impl Seen {
    /// Every fact with the name of its reading.
    pub fn facts(&self) -> Vec<(&'static str, u64)> {
        let Seen {
            mapped_bytes,
            rss_bytes,
            anon_huge_bytes,
            multi_huge_bytes,
            hugetlb_bytes,
            dontfork_bytes,
            wipeonfork_bytes,
            locked_bytes,
            vm_rss_bytes,
            vm_pte_bytes,
            vmas,
            vma_rss_bytes,
            fds,
            highest_fd,
            threads,
        } = *self;
        vec![
            ("mapped_bytes", mapped_bytes),
            ("rss_bytes", rss_bytes),
            ("anon_huge_bytes", anon_huge_bytes),
            ("multi_huge_bytes", multi_huge_bytes),
            ("hugetlb_bytes", hugetlb_bytes),
            ("dontfork_bytes", dontfork_bytes),
            ("wipeonfork_bytes", wipeonfork_bytes),
            ("locked_bytes", locked_bytes),
            ("vm_rss_bytes", vm_rss_bytes),
            ("vm_pte_bytes", vm_pte_bytes),
            ("vmas", vmas),
            ("vma_rss_bytes", vma_rss_bytes),
            ("fds", fds),
            ("highest_fd", highest_fd),
            ("threads", threads),
        ]
    }
}

/// What a shape should add to a subject, as readings of the same names.
pub fn asked(shape: &Shape) -> Vec<(&'static str, u64)> {
    let Shape {
        rss: _,
        memory: _,
        contents: _,
        page: _,
        spread: _,
        order: _,
        advice: _,
        threads,
        busy: _,
        vmas,
        vma_contents,
        fds,
        fd_layout,
    } = shape;
    let mut facts = memory::asked(shape);
    facts.extend([("vmas", u64::from(*vmas)), ("threads", u64::from(*threads))]);
    facts.push(match vma_contents {
        VmaContents::Clean => ("vma_rss_bytes", 0),
        VmaContents::Dirty => ("vma_rss_bytes", u64::from(*vmas) * page_size() as u64),
    });
    match fd_layout {
        FdLayout::Dense => facts.push(("fds", u64::from(*fds))),
        FdLayout::High => facts.extend([("fds", 1), ("highest_fd", u64::from(*fds))]),
    }
    facts
}

/// Looks at this process. Reads line by line into one buffer: a list of ten thousand mappings must
/// not itself become memory of the subject.
pub fn look(ballast: Option<&Ballast>, areas: Option<&Areas>) -> io::Result<Seen> {
    let mut seen = Seen::default();
    let range = ballast.map_or(0..0, |b| b.address()..b.address() + b.bytes());
    let area = areas.map_or(0..0, Areas::addresses);
    let mut inside = false;
    let mut inside_area = false;
    let mut size = 0;
    each_line("/proc/self/smaps", |line| match line.split_once(['-', ':']) {
        Some((begin, rest)) if rest.as_bytes().first().is_some_and(u8::is_ascii_hexdigit) => {
            seen.vmas += 1;
            let end = rest.split(' ').next().unwrap_or_default();
            let address = |text| usize::from_str_radix(text, 16).unwrap_or(0);
            inside = address(begin) < range.end && address(end) > range.start;
            inside_area = address(begin) < area.end && address(end) > area.start;
        }
        Some(("Size", value)) if inside => {
            size = kib(value);
            seen.mapped_bytes += size;
        }
        Some(("Rss", value)) if inside => seen.rss_bytes += kib(value),
        Some(("Rss", value)) if inside_area => seen.vma_rss_bytes += kib(value),
        // Memory of a file can lie in huge pages too, where the machine is set so.
        Some(("AnonHugePages" | "ShmemPmdMapped" | "FilePmdMapped", value)) if inside => {
            seen.anon_huge_bytes += kib(value);
        }
        Some(("Private_Hugetlb" | "Shared_Hugetlb", value)) if inside => {
            seen.hugetlb_bytes += kib(value);
        }
        // The last line of each mapping.
        Some(("VmFlags", flags)) if inside => {
            for flag in flags.split_ascii_whitespace() {
                match flag {
                    "dc" => seen.dontfork_bytes += size,
                    "wf" => seen.wipeonfork_bytes += size,
                    "lo" => seen.locked_bytes += size,
                    _ => {}
                }
            }
        }
        _ => {}
    })?;
    each_line("/proc/self/status", |line| match line.split_once(':') {
        Some(("VmRSS", value)) => seen.vm_rss_bytes = kib(value),
        Some(("VmPTE", value)) => seen.vm_pte_bytes = kib(value),
        Some(("Threads", value)) => seen.threads = value.trim().parse().unwrap_or(0),
        _ => {}
    })?;
    let multi = ballast.and_then(Ballast::multi_huge_bytes);
    seen.multi_huge_bytes = multi.map_or(0, |(bytes, _)| bytes);
    (seen.fds, seen.highest_fd) = descriptors()?;
    Ok(seen)
}

/// How many descriptors are open, and the largest number of one; without that of the directory that
/// is read for it, which is known by its number: whether any other is still open cannot be asked
/// for, where other threads open and close theirs.
pub(super) fn descriptors() -> io::Result<(u64, u64)> {
    let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
    let mut directory = Dir::open("/proc/self/fd", flags, Mode::empty())?;
    let itself = directory.as_raw_fd() as u64;
    let (mut count, mut highest) = (0, 0);
    for entry in directory.iter() {
        // Not numbers: the directory and the one above it.
        let number = entry?.file_name().to_str().ok().and_then(|name| name.parse().ok());
        if let Some(number) = number.filter(|&number: &u64| number != itself) {
            count += 1;
            highest = highest.max(number);
        }
    }
    Ok((count, highest))
}

fn each_line(path: &str, mut see: impl FnMut(&str)) -> io::Result<()> {
    let mut reader = BufReader::new(File::open(path)?);
    let mut line = String::with_capacity(256);
    while reader.read_line(&mut line)? > 0 {
        see(line.trim_end());
        line.clear();
    }
    Ok(())
}

fn kib(text: &str) -> u64 {
    text.trim().trim_end_matches("kB").trim_end().parse::<u64>().unwrap_or(0) * 1024
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::units::Size;

    #[test]
    fn what_was_asked_for_is_what_is_seen() {
        let before = look(None, None).unwrap();
        let shape = Shape {
            rss: Size::from_bytes(8 << 20),
            vmas: 500,
            fds: 40,
            threads: 2,
            ..Shape::default()
        };
        let became = become_(&shape, &[], false, || ()).unwrap();
        let after = look(became.ballast.as_ref(), became.areas.as_ref()).unwrap();
        assert_eq!(after.anon_huge_bytes, 0);
        // Other tests of this process run beside this one and open, map and start things too.
        assert!(after.rss_bytes >= 8 << 20, "{after:?}");
        assert!(after.vmas >= before.vmas + 500, "{before:?} {after:?}");
        assert!(after.fds >= 40 && after.threads >= 3, "{after:?}");
        assert_eq!(asked(&shape).iter().find(|(name, _)| *name == "vmas"), Some(&("vmas", 500)));
    }

    #[test]
    fn descriptors_are_counted_while_other_threads_open_and_close_theirs() {
        let stop = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                        drop(File::open("/dev/null").unwrap());
                    }
                });
            }
            let counted: io::Result<Vec<_>> = (0..2_000).map(|_| descriptors()).collect();
            stop.store(true, std::sync::atomic::Ordering::Relaxed);
            assert!(counted.unwrap().iter().all(|(count, highest)| *count >= 3 && *highest >= 2));
        });
    }
}
