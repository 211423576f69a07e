//! What works on this machine, found out by doing it.
//!
//! Each row of [`PROBES`] tries one thing in a throwaway way and says whether it works, works in
//! part, or is refused, and then by whom and what to do. Nothing is left behind: children are
//! reaped, mappings unmapped, files and control groups removed, and settings put back. This module
//! must not measure, and must not decide what a run does about a refusal.
//!
//! # Safety
//!
//! This module calls the kernel past libc. Its rules:
//!
//! * The child of a raw `clone3` runs on a copy of the parent's memory, in which any lock may be
//!   held for ever. It makes one raw system call, `exit_group`, and nothing else.
//! * Structures passed to the kernel are `repr(C)` and live until the call returns.
//! * Mappings are made by the `Mapping` type alone, which unmaps what it mapped.
#![allow(unsafe_code)]

use std::ffi::CStr;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::personality::{self, Persona};
use nix::sys::wait::{Id, WaitPidFlag, waitid, waitpid};
use nix::unistd::Pid;
use perf_event::events::{Event, Hardware, Software};
use serde::Serialize;

use super::environment::{Cgroups, Root, hugetlb_pools};
use crate::model::units::Size;

/// What a probe found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "answer", rename_all = "lowercase")]
pub enum Answer {
    /// It works.
    Works {
        /// What more there is to say of it; may be empty.
        detail: String,
    },
    /// It works, but not all of it, or not as one may expect.
    Limited {
        /// What is missing.
        why: String,
        /// What to do about it.
        advice: String,
    },
    /// It does not work.
    Refused {
        /// The error of the call that was refused, by name, where a call was: `EPERM`.
        errno: Option<String>,
        /// Who refuses it, as far as can be told.
        why: String,
        /// What to do about it.
        advice: String,
    },
}

/// One thing that may or may not work here.
pub struct Probe {
    /// Its name.
    pub name: &'static str,
    /// What needs it.
    pub about: &'static str,
    /// Tries it.
    pub run: fn(&Root) -> Answer,
}

/// Everything that is tried, in the order it is shown.
pub static PROBES: &[Probe] = &[
    Probe { name: "clone3", about: "mechanism clone3", run: try_clone3 },
    Probe {
        name: "clone3 CLEAR_SIGHAND",
        about: "mechanism clone3-vm and those made from it",
        run: try_clear_sighand,
    },
    Probe { name: "clone3 PIDFD", about: "mechanism clone3-pidfd", run: try_clone_pidfd },
    Probe { name: "clone3 INTO_CGROUP", about: "mechanism clone3-cgroup", run: try_into_cgroup },
    Probe {
        name: "pidfd_open",
        about: "waiting for a process without its number",
        run: try_pidfd_open,
    },
    Probe { name: "_Fork", about: "mechanism _fork", run: try_underscore_fork },
    Probe { name: "pidfd_spawn", about: "mechanism pidfd_spawn", run: try_pidfd_spawn },
    Probe {
        name: "perf software",
        about: "page faults, switches, migrations",
        run: try_perf_software,
    },
    Probe { name: "perf hardware", about: "cycles, instructions", run: try_perf_hardware },
    Probe { name: "no ASLR", about: "count blocks, and pairs of subjects", run: try_no_aslr },
    Probe { name: "pinning", about: "the spawner's CPU", run: try_pinning },
    Probe {
        name: "POPULATE_WRITE",
        about: "filling and rewriting the parent fast",
        run: try_populate,
    },
    Probe { name: "THP", about: "--page thp", run: try_thp },
    Probe { name: "mTHP", about: "transparent huge pages of middle sizes", run: try_mthp },
    Probe { name: "hugetlb", about: "huge pages from a pool", run: try_hugetlb },
    Probe { name: "memfd", about: "the tape between tool and subject", run: try_memfd },
    Probe {
        name: "exec from a file",
        about: "the image, as a file of its own",
        run: try_exec_directories,
    },
    Probe { name: "/proc of a child", about: "autopsy of what hangs", run: try_proc_of_child },
];

// ---- births ----

fn try_clone3(root: &Root) -> Answer {
    match clone3_and_reap(&mut CloneArguments::default()) {
        Ok(_) => works(""),
        Err(errno) => clone3_refused(root, errno, (5, 3)),
    }
}

fn try_clear_sighand(root: &Root) -> Answer {
    let mut arguments = CloneArguments { flags: CLONE_CLEAR_SIGHAND, ..CloneArguments::default() };
    match clone3_and_reap(&mut arguments) {
        Ok(_) => works(""),
        Err(errno) => clone3_refused(root, errno, (5, 5)),
    }
}

fn try_clone_pidfd(root: &Root) -> Answer {
    let mut descriptor: libc::c_int = -1;
    let mut arguments = CloneArguments {
        flags: libc::CLONE_PIDFD as u64,
        pidfd: &raw mut descriptor as u64,
        ..CloneArguments::default()
    };
    let born = clone3_and_reap(&mut arguments);
    if descriptor >= 0 {
        // SAFETY: the kernel has just made this descriptor for us, and nothing else knows it.
        drop(unsafe { OwnedFd::from_raw_fd(descriptor) });
    }
    match born {
        Ok(_) if descriptor >= 0 => works(""),
        Ok(_) => refused(None, "the kernel made a child but no descriptor".into(), "report this"),
        Err(errno) => clone3_refused(root, errno, (5, 3)),
    }
}

fn try_into_cgroup(root: &Root) -> Answer {
    let groups = Cgroups::find(root);
    let Some(own) = groups.unified_directory() else {
        return refused(
            None,
            "no cgroup v2 hierarchy is mounted".into(),
            "mount -t cgroup2 none /sys/fs/cgroup/unified (or boot with the unified hierarchy)",
        );
    };
    let own = root.path(own);
    let group = match ProbeGroup::create(&own) {
        Ok(group) => group,
        Err(error) => {
            return refused(
                errno_of(&error),
                format!("no group can be made in {}", own.display()),
                "run as root, or in a delegated group: systemd-run --user --scope -p Delegate=yes",
            );
        }
    };
    let directory = match File::open(&group.0) {
        Ok(directory) => directory,
        Err(error) => {
            return refused(errno_of(&error), "the group cannot be opened".into(), "run as root");
        }
    };
    let mut arguments = CloneArguments {
        flags: CLONE_INTO_CGROUP,
        cgroup: directory.as_raw_fd() as u64,
        ..CloneArguments::default()
    };
    match clone3_and_reap(&mut arguments) {
        Ok(membership) if membership.contains(&group.name()) => {
            works(&format!("in {}", own.display()))
        }
        Ok(membership) => refused(
            None,
            format!("the child was born in {}, not in the group asked for", membership.trim()),
            "report this",
        ),
        Err(Errno::EACCES | Errno::EPERM) => refused(
            Some(Errno::EACCES),
            format!("a child may not be put into a group below {}", own.display()),
            "run as root, or in a delegated group: systemd-run --user --scope -p Delegate=yes",
        ),
        Err(errno) => clone3_refused(root, errno, (5, 7)),
    }
}

/// A control group for one probe, removed when dropped.
struct ProbeGroup(PathBuf);

impl ProbeGroup {
    fn create(parent: &Path) -> io::Result<ProbeGroup> {
        let path = parent.join(format!("forkbench-probe-{}", throwaway_name()));
        fs::create_dir(&path)?;
        Ok(ProbeGroup(path))
    }

    fn name(&self) -> String {
        self.0.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }
}

impl Drop for ProbeGroup {
    fn drop(&mut self) {
        // A group stays busy for a moment after its last process was reaped.
        for _ in 0..100 {
            match fs::remove_dir(&self.0) {
                Err(error) if error.raw_os_error() == Some(libc::EBUSY) => {
                    std::thread::sleep(Duration::from_millis(1));
                }
                _ => return,
            }
        }
    }
}

/// `struct clone_args` of `linux/sched.h`, as of Linux 5.7; older kernels accept the longer form as
/// long as what they do not know is zero.
#[repr(C)]
struct CloneArguments {
    flags: u64,
    pidfd: u64,
    child_tid: u64,
    parent_tid: u64,
    exit_signal: u64,
    stack: u64,
    stack_size: u64,
    tls: u64,
    set_tid: u64,
    set_tid_size: u64,
    cgroup: u64,
}

impl Default for CloneArguments {
    fn default() -> CloneArguments {
        CloneArguments {
            flags: 0,
            pidfd: 0,
            child_tid: 0,
            parent_tid: 0,
            exit_signal: libc::SIGCHLD as u64,
            stack: 0,
            stack_size: 0,
            tls: 0,
            set_tid: 0,
            set_tid_size: 0,
            cgroup: 0,
        }
    }
}

// These do not fit the `c_int` that the libc crate gives such flags.
const CLONE_CLEAR_SIGHAND: u64 = 0x1_0000_0000;
const CLONE_INTO_CGROUP: u64 = 0x2_0000_0000;

/// Makes a child that exits at once, and reaps it. Returns the control groups it was in.
fn clone3_and_reap(arguments: &mut CloneArguments) -> Result<String, Errno> {
    let size = size_of::<CloneArguments>();
    // SAFETY: `arguments` is a valid clone_args of that size, and a pidfd in it points to an
    // integer that its caller owns. No CLONE_VM: the child has its own copy of this stack.
    let result =
        Errno::result(unsafe { libc::syscall(libc::SYS_clone3, &raw mut *arguments, size) })?;
    if result == 0 {
        loop {
            // SAFETY: this is the child. The call is async-signal-safe and does not return.
            unsafe { libc::syscall(libc::SYS_exit_group, 0) };
        }
    }
    let child = Pid::from_raw(result as libc::pid_t);
    // While it is a zombie, its groups can still be read without a race.
    let zombie = retry(|| waitid(Id::Pid(child), WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT));
    let groups = fs::read_to_string(format!("/proc/{child}/cgroup")).unwrap_or_default();
    retry(|| waitpid(child, None))?;
    zombie.map(|_| groups)
}

/// Says who refused a clone3 that the kernel knows since `since`.
fn clone3_refused(root: &Root, errno: Errno, since: (u32, u32)) -> Answer {
    let release = root.text("/proc/sys/kernel/osrelease").unwrap_or_default();
    let is_known = kernel_version(&release).is_some_and(|version| version >= since);
    let is_filtered = seccomp_is_on();
    match errno {
        Errno::ENOSYS | Errno::EINVAL if !is_known => refused(
            Some(errno),
            format!("the kernel is {release}; this came with {}.{}", since.0, since.1),
            "use a newer kernel, or leave these mechanisms out",
        ),
        Errno::ENOSYS | Errno::EPERM if is_filtered => refused(
            Some(errno),
            "a seccomp filter answers in the kernel's place (a container's default policy?)".into(),
            "docker run --security-opt seccomp=unconfined, or a newer container runtime",
        ),
        Errno::ENOSYS => refused(
            Some(errno),
            format!(
                "kernel {release} has the call, yet something answers that it has not (gVisor?)"
            ),
            "measure outside of this sandbox, or leave these mechanisms out",
        ),
        Errno::EPERM => refused(
            Some(errno),
            "a security module forbids it".into(),
            "look into the audit log; measure as root or outside of the sandbox",
        ),
        Errno::EAGAIN => refused(
            Some(errno),
            "no more processes: RLIMIT_NPROC, pids.max of the control group, or kernel.pid_max"
                .into(),
            PROCESS_ADVICE,
        ),
        _ => refused(Some(errno), errno.desc().to_owned(), "leave these mechanisms out"),
    }
}

/// What to do where no more processes or threads can be made.
const PROCESS_ADVICE: &str = "ulimit -u, docker --pids-limit, or end other processes";

fn seccomp_is_on() -> bool {
    // Filters belong to threads: the main thread's status may not be ours.
    let status = fs::read_to_string("/proc/thread-self/status").unwrap_or_default();
    status.lines().any(|line| line.starts_with("Seccomp:") && !line.ends_with('0'))
}

/// The first two numbers of a kernel's release: (6, 18) of `6.18.44-generic`.
fn kernel_version(release: &str) -> Option<(u32, u32)> {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit());
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

fn try_pidfd_open(root: &Root) -> Answer {
    // SAFETY: takes two integers.
    let result = unsafe { libc::syscall(libc::SYS_pidfd_open, libc::getpid(), 0) };
    match Errno::result(result) {
        Ok(descriptor) => {
            // SAFETY: the kernel has just made this descriptor for us.
            drop(unsafe { OwnedFd::from_raw_fd(descriptor as libc::c_int) });
            works("")
        }
        Err(errno) => clone3_refused(root, errno, (5, 3)),
    }
}

fn try_underscore_fork(_: &Root) -> Answer {
    library_call(c"_Fork", "2.34")
}

fn try_pidfd_spawn(_: &Root) -> Answer {
    library_call(c"pidfd_spawn", "2.39")
}

fn library_call(symbol: &CStr, since: &str) -> Answer {
    let libc = match glibc_version() {
        Some(version) => format!("glibc {version}"),
        None => "this C library".to_owned(),
    };
    if find_symbol(symbol).is_null() {
        let why = format!("{libc} has no {}; glibc has it since {since}", symbol.to_string_lossy());
        return refused(None, why, "use a newer glibc, or leave this mechanism out");
    }
    works(&libc)
}

// ---- counters ----

fn try_perf_software(root: &Root) -> Answer {
    const PAGES: usize = 16;
    let count = |kernel: bool| {
        count_events(Software::PAGE_FAULTS, kernel, || {
            if let Ok(fresh) = Mapping::anonymous(PAGES * page_size(), 0) {
                fresh.touch(page_size());
            }
        })
    };
    match count(true) {
        Ok(faults) if faults >= PAGES as u64 => works("user and kernel"),
        Ok(faults) => refused(
            None,
            format!("{faults} page faults were counted where {PAGES} or more were made"),
            "do not trust counters here; faults are taken from getrusage",
        ),
        Err(error) => match count(false) {
            Ok(_) => Answer::Limited {
                why: format!(
                    "only faults taken in user mode are counted ({}; kernel.perf_event_paranoid is \
                     {}); faults are taken from getrusage instead",
                    error_words(&error),
                    paranoid_words(root)
                ),
                advice:
                    "sysctl kernel.perf_event_paranoid=1, or setcap cap_perfmon+ep on the program"
                        .to_owned(),
            },
            Err(error) => perf_refused(root, &error),
        },
    }
}

fn try_perf_hardware(root: &Root) -> Answer {
    let spin = || {
        (0..100_000_u32).for_each(|number| {
            std::hint::black_box(number);
        });
    };
    match count_events(Hardware::INSTRUCTIONS, true, spin) {
        Ok(0) => refused(
            None,
            "the counter can be opened but does not count (a virtual machine without a PMU)".into(),
            "have the hypervisor pass its performance counters through, or do without",
        ),
        Ok(_) => works("user and kernel"),
        Err(error) => match count_events(Hardware::INSTRUCTIONS, false, spin) {
            Ok(_) => Answer::Limited {
                why: format!(
                    "only user mode is counted ({}; kernel.perf_event_paranoid is {})",
                    error_words(&error),
                    paranoid_words(root)
                ),
                advice: PERF_ADVICE.to_owned(),
            },
            Err(error) => perf_refused(root, &error),
        },
    }
}

/// How to be allowed what kernel.perf_event_paranoid forbids.
const PERF_ADVICE: &str =
    "sysctl kernel.perf_event_paranoid=1, or setcap cap_perfmon+ep on the program";

/// Counts the events of this thread during `work`.
fn count_events(event: impl Event, with_kernel: bool, work: impl FnOnce()) -> io::Result<u64> {
    let mut counter =
        perf_event::Builder::new(event).exclude_kernel(!with_kernel).exclude_hv(true).build()?;
    counter.enable()?;
    work();
    counter.disable()?;
    counter.read()
}

fn perf_refused(root: &Root, error: &io::Error) -> Answer {
    let paranoid = paranoid_words(root);
    let (why, advice) = match error.raw_os_error() {
        Some(libc::ENOENT | libc::EOPNOTSUPP | libc::ENODEV) => (
            "this machine has no such counter (usual in a virtual machine)".to_owned(),
            "have the hypervisor pass its performance counters through, or do without",
        ),
        Some(libc::ENOSYS | libc::EPERM | libc::EACCES) if seccomp_is_on() => (
            format!(
                "a seccomp filter hides the call, or kernel.perf_event_paranoid ({paranoid}) \
                 forbids it"
            ),
            "docker run --cap-add PERFMON --security-opt seccomp=unconfined",
        ),
        Some(libc::ENOSYS) => {
            ("the kernel was built without perf events".to_owned(), "use another kernel")
        }
        Some(libc::EPERM | libc::EACCES) => {
            (format!("kernel.perf_event_paranoid ({paranoid}) forbids it"), PERF_ADVICE)
        }
        Some(libc::EMFILE) => ("too many files are open".to_owned(), "ulimit -n 1024"),
        _ => (error.to_string(), "do without: page faults are also told by getrusage"),
    };
    refused(errno_of(error), why, advice)
}

fn paranoid_words(root: &Root) -> String {
    root.text("/proc/sys/kernel/perf_event_paranoid").unwrap_or_else(|| "not to be read".to_owned())
}

// ---- the parent's surroundings ----

fn try_no_aslr(_: &Root) -> Answer {
    let outcome = personality::get().and_then(|before| {
        let answer = personality::set(before | Persona::ADDR_NO_RANDOMIZE);
        personality::set(before)?;
        answer
    });
    match outcome {
        Ok(_) => works(""),
        Err(errno) => refused(
            Some(errno),
            "personality(ADDR_NO_RANDOMIZE) is refused (a container's seccomp policy?)".into(),
            "docker run --security-opt seccomp=unconfined; counts vary more from launch to launch",
        ),
    }
}

fn try_pinning(root: &Root) -> Answer {
    let allowed = super::environment::allowed_cpus(root);
    let Some(&cpu) = allowed.last() else {
        return refused(None, "the CPUs this process may use cannot be read".into(), "mount /proc");
    };
    // In a thread of its own, since a thread's CPUs end with it.
    let pin = std::thread::Builder::new().spawn(move || {
        let mut set = nix::sched::CpuSet::new();
        set.set(cpu)?;
        nix::sched::sched_setaffinity(Pid::from_raw(0), &set)
    });
    let pin = match pin {
        Ok(pin) => pin,
        Err(error) => {
            return refused(
                errno_of(&error),
                "no thread can be made to try it in (RLIMIT_NPROC, pids.max)".into(),
                PROCESS_ADVICE,
            );
        }
    };
    match pin.join().unwrap_or(Err(Errno::EFAULT)) {
        Ok(()) => works(&format!("{} CPUs", allowed.len())),
        Err(errno) => refused(
            Some(errno),
            format!("a thread cannot be put on CPU {cpu}"),
            "expect more spread: the scheduler moves parent and child",
        ),
    }
}

fn try_populate(root: &Root) -> Answer {
    let page = match Mapping::anonymous(page_size(), 0) {
        Ok(page) => page,
        Err(errno) => return refused(Some(errno), "no memory could be mapped".into(), "free some"),
    };
    match page.advise(libc::MADV_POPULATE_WRITE) {
        Ok(()) => works(""),
        Err(errno) => refused(
            Some(errno),
            format!(
                "the kernel is {}; this came with 5.14",
                root.text("/proc/sys/kernel/osrelease").unwrap_or_default()
            ),
            "nothing: a byte is written to each page instead, which is slower",
        ),
    }
}

fn try_thp(root: &Root) -> Answer {
    let directory = Path::new("/sys/kernel/mm/transparent_hugepage");
    let Some(mode) = root.chosen(directory.join("enabled")) else {
        return refused(
            None,
            "the kernel was built without transparent huge pages".into(),
            "use another kernel",
        );
    };
    if mode == "never" {
        return refused(
            None,
            "transparent huge pages are switched off (never)".into(),
            "echo madvise > /sys/kernel/mm/transparent_hugepage/enabled",
        );
    }
    let huge = root.number(directory.join("hpage_pmd_size")).unwrap_or(2 << 20) as usize;
    // Twice the size holds one aligned huge page wherever the mapping begins.
    let mapping = match Mapping::anonymous(2 * huge, 0) {
        Ok(mapping) => mapping,
        Err(errno) => return refused(Some(errno), "no memory could be mapped".into(), "free some"),
    };
    if let Err(errno) = mapping.advise(libc::MADV_HUGEPAGE) {
        return refused(
            Some(errno),
            "madvise(MADV_HUGEPAGE) is refused".into(),
            "use another kernel",
        );
    }
    mapping.touch(page_size());
    match mapping.anonymous_huge_kibibytes() {
        Some(0) => Answer::Limited {
            why: format!("{mode}, but the kernel gave small pages (memory in too small pieces?)"),
            advice: "echo 1 > /proc/sys/vm/compact_memory, or free memory".to_owned(),
        },
        Some(_) => works(&format!("{mode}, {:#} pages", Size::from_bytes(huge as u64))),
        None => Answer::Limited {
            why: format!("{mode}, but /proc/self/smaps does not tell whether it worked"),
            advice: "mount /proc with smaps, or do not trust --page thp here".to_owned(),
        },
    }
}

fn try_mthp(root: &Root) -> Answer {
    let directory = Path::new("/sys/kernel/mm/transparent_hugepage");
    let mut sizes: Vec<(u64, String)> = root
        .names(directory)
        .into_iter()
        .filter_map(|name| {
            let size: u64 = name.strip_prefix("hugepages-")?.strip_suffix("kB")?.parse().ok()?;
            Some((size, root.chosen(directory.join(&name).join("enabled"))?))
        })
        .collect();
    sizes.sort();
    let names = |sizes: &[(u64, String)]| {
        let names = sizes.iter().map(|(size, _)| format!("{size}K"));
        names.collect::<Vec<_>>().join(" ")
    };
    if sizes.is_empty() {
        return refused(
            None,
            "the kernel knows no middle sizes; they came with 6.8".into(),
            "use a newer kernel",
        );
    }
    // The size of a whole huge page is THP proper.
    let whole = root.number(directory.join("hpage_pmd_size")).unwrap_or(2 << 20) >> 10;
    sizes.retain(|(size, _)| *size < whole);
    let on: Vec<_> = sizes.iter().filter(|(_, mode)| mode != "never").cloned().collect();
    if on.is_empty() {
        return Answer::Limited {
            why: format!("all middle sizes are switched off: {}", names(&sizes)),
            advice: "echo madvise > /sys/kernel/mm/transparent_hugepage/hugepages-64kB/enabled"
                .to_owned(),
        };
    }
    works(&names(&on))
}

fn try_hugetlb(root: &Root) -> Answer {
    let pools = hugetlb_pools(root);
    let counts: Vec<String> = pools
        .iter()
        .map(|pool| format!("{}: {} free of {}", pool.page, pool.free, pool.total))
        .collect();
    let Some(smallest) = pools.first() else {
        return refused(None, "the kernel was built without hugetlb".into(), "use another kernel");
    };
    // Mapping reserves the page; touching it is left out, since a limit would answer with SIGBUS.
    let shift = smallest.page.bytes().trailing_zeros() as libc::c_int;
    let flags = libc::MAP_HUGETLB | (shift << libc::MAP_HUGE_SHIFT);
    match Mapping::anonymous(smallest.page.bytes() as usize, flags) {
        Ok(_) => works(&counts.join(", ")),
        Err(errno) => refused(
            Some(errno),
            format!("the pools are empty ({})", counts.join(", ")),
            "sysctl vm.nr_hugepages=N (of the default size), as root",
        ),
    }
}

fn try_memfd(root: &Root) -> Answer {
    let flags = nix::sys::memfd::MFdFlags::MFD_CLOEXEC;
    let made = nix::sys::memfd::memfd_create(c"forkbench-probe", flags)
        .and_then(|file| nix::unistd::ftruncate(&file, page_size() as libc::off_t));
    match made {
        Ok(()) if root.number("/proc/sys/vm/memfd_noexec").unwrap_or(0) > 0 => Answer::Limited {
            why: "it cannot be exec'd (vm.memfd_noexec)".to_owned(),
            advice: "nothing, as long as one directory allows exec (see below)".to_owned(),
        },
        Ok(()) => works(""),
        Err(errno) => refused(
            Some(errno),
            "memory files are refused: there is no tape without them".into(),
            "sysctl vm.memfd_noexec=1 at most; a kernel with CONFIG_MEMFD_CREATE",
        ),
    }
}

fn try_exec_directories(_: &Root) -> Answer {
    let temporary = std::env::temp_dir();
    let mut directories = vec![temporary.clone(), "/var/tmp".into(), "/dev/shm".into()];
    directories.extend(std::env::current_dir());
    directories.sort();
    directories.dedup();
    // The first is the one that would be used.
    directories.sort_by_key(|directory| *directory != temporary);
    let tried: Vec<(PathBuf, io::Result<()>)> =
        directories.into_iter().map(|directory| (directory.clone(), exec_in(&directory))).collect();
    let good: Vec<String> = tried
        .iter()
        .filter(|(_, outcome)| outcome.is_ok())
        .map(|(directory, _)| directory.display().to_string())
        .collect();
    let bad: Vec<String> = tried
        .iter()
        .filter_map(|(directory, outcome)| {
            let error = outcome.as_ref().err()?;
            Some(format!("{} ({})", directory.display(), error_words(error)))
        })
        .collect();
    match &tried[0].1 {
        Ok(()) => works(&good.join(", ")),
        Err(error) if error.raw_os_error() == Some(libc::EAGAIN) => {
            refused(Some(Errno::EAGAIN), "no child can be made to try it".into(), PROCESS_ADVICE)
        }
        Err(error) if good.is_empty() => refused(
            errno_of(error),
            format!("no directory allows it: {}", bad.join(", ")),
            "name a directory on a mount without noexec in TMPDIR; else the image runs from a \
             memfd, which costs about a fifth more",
        ),
        Err(_) => Answer::Limited {
            why: format!("not in {}; but in {}", bad.join(", "), good.join(", ")),
            advice: "set TMPDIR to a directory that allows it".to_owned(),
        },
    }
}

/// Runs a script from a new file in that directory.
fn exec_in(directory: &Path) -> io::Result<()> {
    let path = directory.join(format!(".forkbench-probe-{}", throwaway_name()));
    let outcome = (|| {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o700).open(&path)?;
        file.write_all(b"#!/bin/sh\nexit 7\n")?;
        drop(file);
        run_to_status_7(&path)
    })();
    match fs::remove_file(&path) {
        Err(error) if outcome.is_ok() => Err(error),
        _ => outcome,
    }
}

fn run_to_status_7(path: &Path) -> io::Result<()> {
    for _ in 0..100 {
        let status = Command::new(path).stdin(Stdio::null()).stdout(Stdio::null()).status();
        match status {
            // Another thread's child may still hold our file open for writing, for a moment.
            Err(error) if error.raw_os_error() == Some(libc::ETXTBSY) => {
                std::thread::sleep(Duration::from_millis(1));
            }
            Ok(status) if status.code() == Some(7) => return Ok(()),
            Ok(status) => return Err(io::Error::other(format!("it ended with {status}"))),
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::from_raw_os_error(libc::ETXTBSY))
}

fn try_proc_of_child(root: &Root) -> Answer {
    // `cat` waits for its standard input, which ends when this process lets go of it.
    let child = Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::null()).spawn();
    let mut child = match child {
        Ok(child) => child,
        Err(error) => {
            return refused(
                errno_of(&error),
                "cat cannot be started to be looked at".into(),
                "install coreutils; end other processes, if there are too many",
            );
        }
    };
    let closed: Vec<String> = ["stat", "syscall", "wchan", "maps", "smaps"]
        .into_iter()
        .filter_map(|name| {
            let error = fs::read(format!("/proc/{}/{name}", child.id())).err()?;
            Some(format!("{name} ({})", error_words(&error)))
        })
        .collect();
    drop(child.stdin.take());
    // It has ended by itself; there is nothing to do about a failure to reap it.
    let _ = child.wait();
    let scope = match root.number("/proc/sys/kernel/yama/ptrace_scope") {
        Some(scope) => format!("ptrace scope {scope}"),
        None => "no ptrace scope".to_owned(),
    };
    if closed.is_empty() {
        return works(&scope);
    }
    Answer::Limited {
        why: format!("these cannot be read: {}; {scope}", closed.join(", ")),
        advice: "run as root or with CAP_SYS_PTRACE; autopsies say less without them".to_owned(),
    }
}

// ---- facts that only a call tells ----

/// The version of glibc at run time; nothing with another C library.
pub fn glibc_version() -> Option<String> {
    let address = find_symbol(c"gnu_get_libc_version");
    if address.is_null() {
        return None;
    }
    // SAFETY: glibc declares the function of this name as `const char *(void)`.
    let version: extern "C" fn() -> *const libc::c_char = unsafe { std::mem::transmute(address) };
    // SAFETY: it returns a string that lives as long as the program.
    let text = unsafe { CStr::from_ptr(version()) };
    Some(text.to_string_lossy().into_owned())
}

fn find_symbol(name: &CStr) -> *mut libc::c_void {
    // SAFETY: the name ends with a null, and RTLD_DEFAULT needs no handle.
    unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) }
}

/// The hypervisor's signature (`KVMKVMKVM`), as the processor tells it to a guest.
#[cfg(target_arch = "x86_64")]
pub fn hypervisor_signature() -> Option<String> {
    // Safe since Rust 1.94 or so, unsafe before.
    #[allow(unused_unsafe)]
    // SAFETY: every x86_64 processor has CPUID; a guest's has this leaf.
    let leaf = unsafe { std::arch::x86_64::__cpuid(0x4000_0000) };
    let bytes: Vec<u8> =
        [leaf.ebx, leaf.ecx, leaf.edx].into_iter().flat_map(u32::to_le_bytes).collect();
    let text = String::from_utf8(bytes).ok()?;
    let text = text.trim_matches(|c: char| c == '\0' || c == ' ').to_owned();
    (!text.is_empty() && text.chars().all(|c| c.is_ascii_graphic() || c == ' ')).then_some(text)
}

/// Other processors have no such instruction.
#[cfg(not(target_arch = "x86_64"))]
pub fn hypervisor_signature() -> Option<String> {
    None
}

/// Reads CLOCK_MONOTONIC by entering the kernel, past the vDSO.
pub fn read_clock_by_system_call() {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the kernel writes one timespec to `time`. A refusal leaves it as it is.
    unsafe {
        libc::syscall(libc::SYS_clock_gettime, libc::CLOCK_MONOTONIC, &raw mut time);
    }
    std::hint::black_box(time.tv_nsec);
}

// ---- tools ----

/// Private anonymous memory, unmapped when dropped.
struct Mapping {
    start: *mut libc::c_void,
    length: usize,
}

impl Mapping {
    /// Maps `length` bytes with `flags` besides MAP_PRIVATE and MAP_ANONYMOUS. MAP_FIXED must not
    /// be among them.
    fn anonymous(length: usize, flags: libc::c_int) -> Result<Mapping, Errno> {
        // SAFETY: without MAP_FIXED the kernel chooses a place where nothing is.
        let start = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                length,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | flags,
                -1,
                0,
            )
        };
        if start == libc::MAP_FAILED { Err(Errno::last()) } else { Ok(Mapping { start, length }) }
    }

    fn advise(&self, advice: libc::c_int) -> Result<(), Errno> {
        // SAFETY: the range is this mapping, which holds nothing that anyone refers to; the advices
        // used here change how it is backed, not who owns it.
        Errno::result(unsafe { libc::madvise(self.start, self.length, advice) }).map(drop)
    }

    /// Writes a byte in every `step` bytes.
    fn touch(&self, step: usize) {
        for offset in (0..self.length).step_by(step) {
            // SAFETY: the offset lies inside the mapping, which is writable and ours alone.
            unsafe { self.start.cast::<u8>().add(offset).write_volatile(1) };
        }
    }

    /// How much of it stands in huge pages, by `/proc/self/smaps`.
    fn anonymous_huge_kibibytes(&self) -> Option<u64> {
        let smaps = fs::read_to_string("/proc/self/smaps").ok()?;
        let address = self.start as u64;
        let mut inside = false;
        for line in smaps.lines() {
            if let Some((first, last)) = mapping_range(line) {
                // The kernel may have joined the mapping to a neighbour.
                inside = first <= address && address < last;
            } else if inside && let Some(value) = line.strip_prefix("AnonHugePages:") {
                return value.trim().strip_suffix(" kB")?.trim().parse().ok();
            }
        }
        None
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: the range was mapped by `anonymous`, and no reference into it was ever made.
        unsafe { libc::munmap(self.start, self.length) };
    }
}

/// The addresses at the head of an entry of smaps.
fn mapping_range(line: &str) -> Option<(u64, u64)> {
    let (first, last) = line.split_once(' ')?.0.split_once('-')?;
    Some((u64::from_str_radix(first, 16).ok()?, u64::from_str_radix(last, 16).ok()?))
}

fn page_size() -> usize {
    // SAFETY: takes an integer, returns an integer.
    unsafe { libc::sysconf(libc::_SC_PAGESIZE) as usize }
}

/// A name that no other probe of this or another process uses at this time.
fn throwaway_name() -> String {
    use std::sync::atomic::{AtomicU32, Ordering};
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

fn retry<T>(mut call: impl FnMut() -> Result<T, Errno>) -> Result<T, Errno> {
    loop {
        match call() {
            Err(Errno::EINTR) => {}
            outcome => return outcome,
        }
    }
}

fn works(detail: &str) -> Answer {
    Answer::Works { detail: detail.to_owned() }
}

fn refused(errno: Option<Errno>, why: String, advice: &str) -> Answer {
    let errno = errno.map(|errno| format!("{errno:?}"));
    Answer::Refused { errno, why, advice: advice.to_owned() }
}

fn errno_of(error: &io::Error) -> Option<Errno> {
    error.raw_os_error().map(Errno::from_raw)
}

/// `EACCES` where the error has a number, else its text.
fn error_words(error: &io::Error) -> String {
    errno_of(error).map_or_else(|| error.to_string(), |errno| format!("{errno:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs a probe in a thread in which a system call answers `errno`, as a container's policy has
    /// it. A filter belongs to its thread, and ends with it.
    fn run_filtered(call: libc::c_long, errno: Errno, probe: fn(&Root) -> Answer) -> Answer {
        let statement =
            |code: u32, k: u32| libc::sock_filter { code: code as u16, jt: 0, jf: 0, k };
        let refusal = libc::SECCOMP_RET_ERRNO | errno as u32;
        let program = [
            // The number of the call stands first in `struct seccomp_data`.
            statement(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0),
            libc::sock_filter {
                code: (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16,
                jt: 0,
                jf: 1,
                k: call as u32,
            },
            statement(libc::BPF_RET | libc::BPF_K, refusal),
            statement(libc::BPF_RET | libc::BPF_K, libc::SECCOMP_RET_ALLOW),
        ];
        let filtered = std::thread::spawn(move || {
            let mut program = program;
            let filter =
                libc::sock_fprog { len: program.len() as u16, filter: program.as_mut_ptr() };
            // SAFETY: both calls concern this thread alone; the kernel copies the program.
            let result = unsafe {
                libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
                libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const filter)
            };
            assert_eq!(result, 0, "a filter can be set");
            probe(&Root::live())
        });
        filtered.join().expect("the probe does not panic")
    }

    fn refusal(answer: &Answer) -> (Option<&str>, &str) {
        match answer {
            Answer::Refused { errno, why, .. } => (errno.as_deref(), why),
            _ => panic!("{answer:?} is no refusal"),
        }
    }

    #[test]
    fn every_probe_has_a_name_of_its_own_and_answers() {
        for (place, probe) in PROBES.iter().enumerate() {
            assert!(PROBES[..place].iter().all(|earlier| earlier.name != probe.name));
            let text = match (probe.run)(&Root::live()) {
                Answer::Works { .. } => continue,
                Answer::Limited { why, advice } | Answer::Refused { why, advice, .. } => {
                    [why, advice]
                }
            };
            assert!(text.iter().all(|text| !text.is_empty()), "{}: {text:?}", probe.name);
        }
    }

    #[test]
    fn nothing_is_left_behind() {
        for probe in PROBES {
            (probe.run)(&Root::live());
        }
        let mine = format!("forkbench-probe-{}-", std::process::id());
        let groups = Cgroups::find(&Root::live());
        let mut directories = vec![
            std::env::temp_dir(),
            PathBuf::from("/var/tmp"),
            PathBuf::from("/dev/shm"),
            std::env::current_dir().expect("a directory"),
        ];
        directories.extend(groups.unified_directory().map(Path::to_owned));
        // Other tests run the same probes at the same time: what is theirs goes away.
        for directory in directories {
            let left = || {
                let entries = fs::read_dir(&directory).into_iter().flatten().flatten();
                entries.filter(|e| e.file_name().to_string_lossy().contains(&mine)).count()
            };
            let is_clean = (0..200).any(|_| {
                let clean = left() == 0;
                if !clean {
                    std::thread::sleep(Duration::from_millis(10));
                }
                clean
            });
            assert!(is_clean, "in {}", directory.display());
        }
        let persona = personality::get().expect("it can be read");
        assert!(!persona.contains(Persona::ADDR_NO_RANDOMIZE));
    }

    #[test]
    fn a_filter_that_refuses_clone3_is_told_from_an_old_kernel() {
        for errno in [Errno::ENOSYS, Errno::EPERM] {
            let answer = run_filtered(libc::SYS_clone3, errno, try_clone3);
            let (name, why) = refusal(&answer);
            assert_eq!(name, Some(format!("{errno:?}").as_str()));
            assert!(why.contains("seccomp filter"), "{why}");
        }
        let answer = clone3_refused(&Root::live(), Errno::ENOSYS, (999, 0));
        assert!(refusal(&answer).1.contains("this came with 999.0"), "{answer:?}");
        let answer = run_filtered(libc::SYS_clone3, Errno::EAGAIN, try_clone3);
        assert!(refusal(&answer).1.contains("RLIMIT_NPROC"), "{answer:?}");
    }

    #[test]
    fn a_filter_that_refuses_perf_events_is_named() {
        for errno in [Errno::ENOSYS, Errno::EPERM, Errno::EACCES] {
            let answer = run_filtered(libc::SYS_perf_event_open, errno, try_perf_software);
            let (name, why) = refusal(&answer);
            assert_eq!(name, Some(format!("{errno:?}").as_str()));
            assert!(why.contains("seccomp filter"), "{why}");
        }
    }

    #[test]
    fn other_refusals_are_reported_with_their_errno() {
        for (call, probe) in [
            (libc::SYS_madvise, try_populate as fn(&Root) -> Answer),
            (libc::SYS_memfd_create, try_memfd),
            (libc::SYS_personality, try_no_aslr),
            (libc::SYS_sched_setaffinity, try_pinning),
            (libc::SYS_pidfd_open, try_pidfd_open),
        ] {
            let answer = run_filtered(call, Errno::EPERM, probe);
            assert_eq!(refusal(&answer).0, Some("EPERM"), "{answer:?}");
        }
    }

    #[test]
    fn a_child_is_born_into_the_group_it_was_sent_to() {
        let groups = Cgroups::find(&Root::live());
        let Some(own) = groups.unified_directory() else { return };
        let Ok(group) = ProbeGroup::create(own) else { return };
        let directory = File::open(&group.0).expect("it can be opened");
        let mut arguments = CloneArguments {
            flags: CLONE_INTO_CGROUP,
            cgroup: directory.as_raw_fd() as u64,
            ..CloneArguments::default()
        };
        let membership = clone3_and_reap(&mut arguments).expect("a child is born");
        assert!(membership.contains(&group.name()), "{membership}");
        let elsewhere = clone3_and_reap(&mut CloneArguments::default()).expect("a child is born");
        assert!(!elsewhere.contains(&group.name()), "{elsewhere}");
        let path = group.0.clone();
        drop(group);
        assert!(!path.exists());
    }

    #[test]
    fn a_directory_without_exec_is_seen() {
        let missing = Path::new("/nonexistent");
        assert_eq!(exec_in(missing).expect_err("no such place").raw_os_error(), Some(libc::ENOENT));
        let proc = exec_in(Path::new("/proc")).expect_err("nothing can be made there");
        assert!(proc.raw_os_error().is_some());
        let directory = tempfile::tempdir().expect("a directory");
        assert_eq!(exec_in(directory.path()).map_err(|e| e.to_string()), Ok(()));
        assert_eq!(fs::read_dir(directory.path()).expect("it is read").count(), 0);
    }

    #[test]
    fn texts_of_the_kernel_are_read() {
        assert_eq!(kernel_version("6.18.44-generic"), Some((6, 18)));
        assert_eq!(kernel_version("5.3"), Some((5, 3)));
        assert_eq!(kernel_version("linux"), None);
        assert!(kernel_version("10.0.1") > kernel_version("6.18"));
        assert_eq!(
            mapping_range("7f00-7fff rw-p 00000000 00:00 0  [heap]"),
            Some((0x7f00, 0x7fff))
        );
        assert_eq!(mapping_range("AnonHugePages:      2048 kB"), None);
    }

    #[test]
    fn middle_sizes_are_those_below_a_whole_huge_page() {
        let directory = tempfile::tempdir().expect("a directory");
        let thp = directory.path().join("sys/kernel/mm/transparent_hugepage");
        let write = |name: &str, text: &str| {
            let path = thp.join(name);
            fs::create_dir_all(path.parent().expect("it has one")).expect("a directory");
            fs::write(path, text).expect("a file");
        };
        let root = Root::under(directory.path());
        assert!(refusal(&try_mthp(&root)).1.contains("6.8"));
        write("hpage_pmd_size", "2097152\n");
        write("hugepages-64kB/enabled", "always madvise [never]\n");
        write("hugepages-2048kB/enabled", "always [inherit] madvise never\n");
        assert!(matches!(try_mthp(&root), Answer::Limited { .. }), "{:?}", try_mthp(&root));
        write("hugepages-16kB/enabled", "always [madvise] never\n");
        assert_eq!(try_mthp(&root), works("16K"));
    }

    #[test]
    fn the_c_library_is_asked() {
        let version = glibc_version();
        #[cfg(target_env = "gnu")]
        assert!(version.as_deref().and_then(kernel_version) >= Some((2, 17)), "{version:?}");
        #[cfg(not(target_env = "gnu"))]
        assert_eq!(version, None);
        assert!(find_symbol(c"no_such_function_anywhere").is_null());
    }
}
