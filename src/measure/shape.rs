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
use std::os::fd::{FromRawFd, OwnedFd};
use std::ptr;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::measure::mechanism::Refusal;
use crate::measure::memory::{Ballast, page_size};
use crate::model::setup::{HUGE_PAGE, Page, Shape};
use crate::model::units::Size;

/// What a subject holds on to while it has its shape.
#[derive(Debug)]
pub struct Become {
    /// The memory; none for `rss=0`.
    pub ballast: Option<Ballast>,
    _descriptors: Vec<OwnedFd>,
}

/// Takes on `shape`. Threads are put on `others`, the processors that the spawner does not use.
/// `alive` is called now and then.
pub fn become_(shape: &Shape, others: &[u32], alive: impl Fn()) -> Result<Become, Refusal> {
    let Shape {
        rss,
        memory,
        contents,
        page,
        spread,
        order,
        advice,
        threads,
        busy,
        vmas,
        vma_contents,
        fds,
        fd_layout,
    } = shape;
    let plain = Shape::default();
    if (memory, contents, spread, order, advice, busy, vma_contents, fd_layout)
        != (
            &plain.memory,
            &plain.contents,
            &plain.spread,
            &plain.order,
            &plain.advice,
            &plain.busy,
            &plain.vma_contents,
            &plain.fd_layout,
        )
    {
        return Err(Refusal { errno: 0, reason: "this shape cannot be taken on yet".to_owned() });
    }
    let descriptors = open_descriptors(*fds)?;
    map_areas(*vmas)?;
    alive();
    let ballast = map_ballast(*rss, *page, &alive)?;
    // Threads last: a process that has one takes locks and populates memory more slowly.
    start_threads(*threads, others)?;
    Ok(Become { ballast, _descriptors: descriptors })
}

fn map_ballast(rss: Size, page: Page, alive: &impl Fn()) -> Result<Option<Ballast>, Refusal> {
    let bytes = rss.bytes() as usize;
    if bytes == 0 {
        return Ok(None);
    }
    if !bytes.is_multiple_of(page_size()) {
        return Err(Refusal {
            errno: 0,
            reason: format!("rss={rss} is not a multiple of the page here, {} bytes", page_size()),
        });
    }
    match Ballast::new(bytes, page, alive) {
        Ok(ballast) => Ok(Some(ballast)),
        Err(error) => Err(Refusal {
            errno: error.raw_os_error().unwrap_or(0),
            reason: format!("cannot map and write rss={rss}: ask for less"),
        }),
    }
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

/// Raises the soft limit, and where that is allowed the hard limit, to at least `needed`.
fn raise_descriptor_limit(needed: u64) -> Result<(), Refusal> {
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

/// Maps `count` areas of one page each, so that none can merge with its neighbour: one mapping
/// without access, of which all but the first and the last page become read-only and read-write in
/// turn. The two ends keep the others from what is mapped beside them.
fn map_areas(count: u32) -> Result<(), Refusal> {
    if count == 0 {
        return Ok(());
    }
    let page = page_size();
    let refuse = |made: u32| {
        let limit = std::fs::read_to_string("/proc/sys/vm/max_map_count").unwrap_or_default();
        let needed = u64::from(count) + 200;
        Refusal::last(&format!(
            "only {made} of vmas={count} could be mapped; vm.max_map_count is {}: raise it to at \
             least {needed} (`sysctl vm.max_map_count={needed}`)",
            limit.trim(),
        ))
    };
    // SAFETY: a new mapping, kept for ever; the calls below change parts of it only.
    unsafe {
        let base = libc::mmap(
            ptr::null_mut(),
            count as usize * page,
            libc::PROT_NONE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE,
            -1,
            0,
        );
        if base == libc::MAP_FAILED {
            return Err(refuse(0));
        }
        for i in 1..count.saturating_sub(1) {
            let writable = if i % 2 == 0 { libc::PROT_WRITE } else { 0 };
            let area = base.cast::<u8>().add(i as usize * page).cast();
            if libc::mprotect(area, page, libc::PROT_READ | writable) != 0 {
                return Err(refuse(i));
            }
        }
    }
    Ok(())
}

/// How many threads of the shape have begun to wait.
static PARKED: AtomicU32 = AtomicU32::new(0);

extern "C" fn park(_: *mut libc::c_void) -> *mut libc::c_void {
    PARKED.fetch_add(1, Ordering::Release);
    loop {
        // SAFETY: waits for a signal; all of them are blocked.
        unsafe { libc::pause() };
    }
}

fn start_threads(count: u32, others: &[u32]) -> Result<(), Refusal> {
    if count == 0 {
        return Ok(());
    }
    // SAFETY: attributes are initialised before use and destroyed after; the threads take no
    // argument and never end.
    unsafe {
        let mut attributes: libc::pthread_attr_t = mem::zeroed();
        libc::pthread_attr_init(&mut attributes);
        if !others.is_empty() {
            let set = cpu_set(others);
            libc::pthread_attr_setaffinity_np(&mut attributes, size_of_val(&set), &set);
        }
        let mut failed = 0;
        let mut started = 0;
        while failed == 0 && started < count {
            let mut thread = mem::zeroed();
            failed = libc::pthread_create(&mut thread, &attributes, park, ptr::null_mut());
            started += u32::from(failed == 0);
        }
        libc::pthread_attr_destroy(&mut attributes);
        if failed != 0 {
            return Err(Refusal {
                errno: failed,
                reason: format!(
                    "only {started} of threads={count} could be started: raise RLIMIT_NPROC \
                     (`ulimit -u`), kernel.threads-max, or the pids limit of the cgroup"
                ),
            });
        }
    }
    while PARKED.load(Ordering::Acquire) < count {
        std::thread::yield_now();
    }
    Ok(())
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
    /// Resident bytes of the ballast.
    pub rss_bytes: u64,
    /// Bytes of the ballast in transparent huge pages.
    pub anon_huge_bytes: u64,
    /// VmRSS of the whole.
    pub vm_rss_bytes: u64,
    /// VmPTE.
    pub vm_pte_bytes: u64,
    /// Mappings.
    pub vmas: u64,
    /// Open descriptors.
    pub fds: u64,
    /// Threads.
    pub threads: u64,
}

impl Seen {
    /// Every fact with the name of its reading.
    pub fn facts(&self) -> [(&'static str, u64); 7] {
        let Seen { rss_bytes, anon_huge_bytes, vm_rss_bytes, vm_pte_bytes, vmas, fds, threads } =
            *self;
        [
            ("rss_bytes", rss_bytes),
            ("anon_huge_bytes", anon_huge_bytes),
            ("vm_rss_bytes", vm_rss_bytes),
            ("vm_pte_bytes", vm_pte_bytes),
            ("vmas", vmas),
            ("fds", fds),
            ("threads", threads),
        ]
    }
}

/// What a shape should add to a subject, as readings of the same names.
pub fn asked(shape: &Shape) -> Vec<(&'static str, u64)> {
    let Shape { rss, page, threads, vmas, fds, .. } = shape;
    let mut facts = vec![
        ("rss_bytes", rss.bytes()),
        ("vmas", u64::from(*vmas)),
        ("fds", u64::from(*fds)),
        ("threads", u64::from(*threads)),
    ];
    match page {
        Page::Base => facts.push(("anon_huge_bytes", 0)),
        Page::Thp => facts.push(("anon_huge_bytes", rss.bytes() / HUGE_PAGE * HUGE_PAGE)),
        Page::Multi(_) | Page::Hugetlb => {}
    }
    facts
}

/// Looks at this process. Reads line by line into one buffer: a list of ten thousand mappings must
/// not itself become memory of the subject.
pub fn look(ballast: Option<&Ballast>) -> io::Result<Seen> {
    let mut seen = Seen::default();
    let range = ballast.map_or(0..0, |b| b.address()..b.address() + b.bytes());
    let mut inside = false;
    each_line("/proc/self/smaps", |line| match line.split_once(['-', ':']) {
        Some((begin, rest)) if rest.as_bytes().first().is_some_and(u8::is_ascii_hexdigit) => {
            seen.vmas += 1;
            let end = rest.split(' ').next().unwrap_or_default();
            let address = |text| usize::from_str_radix(text, 16).unwrap_or(0);
            inside = address(begin) < range.end && address(end) > range.start;
        }
        Some(("Rss", value)) if inside => seen.rss_bytes += kib(value),
        Some(("AnonHugePages", value)) if inside => seen.anon_huge_bytes += kib(value),
        _ => {}
    })?;
    each_line("/proc/self/status", |line| match line.split_once(':') {
        Some(("VmRSS", value)) => seen.vm_rss_bytes = kib(value),
        Some(("VmPTE", value)) => seen.vm_pte_bytes = kib(value),
        Some(("Threads", value)) => seen.threads = value.trim().parse().unwrap_or(0),
        _ => {}
    })?;
    // The directory that is being read is one of them.
    seen.fds = std::fs::read_dir("/proc/self/fd")?.count() as u64 - 1;
    Ok(seen)
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

    #[test]
    fn what_was_asked_for_is_what_is_seen() {
        let before = look(None).unwrap();
        let shape = Shape {
            rss: Size::from_bytes(8 << 20),
            vmas: 500,
            fds: 40,
            threads: 2,
            ..Shape::default()
        };
        let became = become_(&shape, &[], || ()).unwrap();
        let after = look(became.ballast.as_ref()).unwrap();
        assert_eq!(after.anon_huge_bytes, 0);
        // Other tests of this process run beside this one and open, map and start things too.
        assert!(after.rss_bytes >= 8 << 20, "{after:?}");
        assert!(after.vmas >= before.vmas + 500, "{before:?} {after:?}");
        assert!(after.fds >= 40 && after.threads >= 3, "{after:?}");
        assert_eq!(asked(&shape).iter().find(|(name, _)| *name == "vmas"), Some(&("vmas", 500)));
    }
}
