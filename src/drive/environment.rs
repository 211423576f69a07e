//! The facts of the machine a run is made on, for `environment.toml`, and what disturbs it.
//!
//! This module only looks: it reads `/proc` and `/sys`, times the clock, and changes nothing. What
//! must be tried out to be known (does `clone3` work?) belongs to [`probe`]. A fact
//! that this machine does not tell is an absent key, never an error and never a guess.

mod cgroup;
mod disturbance;
#[cfg(test)]
mod fixture;
mod noise;
mod root;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use nix::time::{ClockId, clock_getres, clock_gettime};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

pub use self::cgroup::Cgroups;
pub use self::disturbance::Warning;
use self::disturbance::{disturbances, noise_warnings};
pub use self::noise::{Noise, NoiseCounters, steal_ticks};
pub use self::root::Root;
use self::root::{labelled, meminfo, parse_cpu_list};
use super::probe;
use crate::model::units::Size;

/// The major version of the facts that [`fingerprint`](Environment::fingerprint) is made of.
const FINGERPRINT_SCHEMA: u32 = 1;

/// Everything that `environment.toml` holds.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Environment {
    /// SHA-256 over the facts that stay the same from boot to boot of one machine with one kernel:
    /// processor, its microcode and number, quota, governor, mitigations, huge pages, kernel, libc.
    /// Results whose fingerprints differ were made in different places.
    pub fingerprint: String,
    /// This program, and how it was called.
    pub tool: Tool,
    /// The kernel.
    pub kernel: Kernel,
    /// The C library, as it is at run time.
    pub libc: Libc,
    /// The processor.
    pub cpu: Cpu,
    /// What the kernel does about each vulnerability of the processor, in its own words.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub mitigations: BTreeMap<String, String>,
    /// Memory and its pages.
    pub memory: Memory,
    /// Limits of the system and of this process.
    pub limits: Limits,
    /// The control group this process is in.
    pub cgroup: Cgroup,
    /// The clock all stamps are taken from.
    pub clock: Clock,
    /// What may hold this process back.
    pub security: Security,
    /// What else the machine did, at the start and at the end.
    pub noise: Noise,
    /// SHA-256 of each image that is exec'd, by its path.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub images: BTreeMap<String, String>,
    /// What disturbs measurements here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Warning>,
}

/// This program, and how it was called.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Tool {
    /// Its version.
    pub version: String,
    /// `release` or `debug`.
    pub build_profile: String,
    /// The architecture it was built for.
    pub architecture: String,
    /// The command line, a word each.
    pub command_line: Vec<String>,
    /// When it began: RFC 3339, UTC.
    pub started: String,
}

/// The kernel.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Kernel {
    /// `uname -r`.
    pub release: Option<String>,
    /// `uname -v`: build number, preemption model, date.
    pub version: Option<String>,
    /// A random identifier of this boot.
    pub boot_id: Option<String>,
}

/// The C library.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Libc {
    /// `glibc`, where it is that.
    pub name: Option<String>,
    /// Its version, asked at run time.
    pub version: Option<String>,
}

/// The processor, in the words of `/proc/cpuinfo`; on aarch64 vendor is the implementer, model the
/// part, and stepping the revision.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Cpu {
    /// Who made it.
    pub vendor: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// Its family.
    pub family: Option<String>,
    /// Its model.
    pub model: Option<String>,
    /// Its stepping.
    pub stepping: Option<String>,
    /// The version of its microcode.
    pub microcode: Option<String>,
    /// How many logical processors are online.
    pub logical: Option<u64>,
    /// Which of them this process may use: `0-1,4`.
    pub allowed: Option<String>,
    /// Whether two logical processors may share one core.
    pub smt: Option<bool>,
    /// How the kernel sets the frequency of processor 0.
    pub governor: Option<String>,
    /// Whether the frequency may rise above the nominal one for a time.
    pub turbo: Option<bool>,
    /// What runs this machine as a guest: its signature, or `unknown`; absent on bare metal.
    pub hypervisor: Option<String>,
    /// Size of the caches of processor 0 in bytes, by name: `l1d`, `l1i`, `l2`, `l3`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub cache_bytes: BTreeMap<String, u64>,
}

/// Memory and its pages.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Memory {
    /// All of it.
    pub total_bytes: Option<u64>,
    /// What can be had without swapping (`MemAvailable`), at the start.
    pub available_bytes: Option<u64>,
    /// Swap space.
    pub swap_total_bytes: Option<u64>,
    /// How many nodes of memory there are.
    pub nodes: Option<u64>,
    /// Whether the kernel moves pages between nodes, for which it unmaps them now and then.
    pub numa_balancing: Option<bool>,
    /// When anonymous memory gets transparent huge pages: `always`, `madvise`, `never`.
    pub thp_enabled: Option<String>,
    /// How hard the kernel tries to find one at a fault.
    pub thp_defrag: Option<String>,
    /// Pages in the pools of huge pages, by the size of a page: `2MiB = 16`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub hugetlb_pages: BTreeMap<String, u64>,
}

/// Limits of the system and of this process. Those that may be absent are the kernel's text, since
/// `unlimited` is a value too.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Limits {
    /// `vm.overcommit_memory`: 0 guesses, 1 always grants, 2 counts strictly (a fork of a large
    /// parent then fails).
    pub overcommit_memory: Option<u64>,
    /// `kernel.randomize_va_space`: 0 off, 1 without the heap, 2 all.
    pub randomize_va_space: Option<u64>,
    /// Mappings a process may have.
    pub max_map_count: Option<u64>,
    /// The largest process identifier, plus one.
    pub pid_max: Option<u64>,
    /// Threads the system may have.
    pub threads_max: Option<u64>,
    /// Processes and threads this user may have (RLIMIT_NPROC, soft).
    pub processes: Option<String>,
    /// Files this process may have open (RLIMIT_NOFILE, soft).
    pub open_files: Option<String>,
    /// Files this process may have open if it asks for them (RLIMIT_NOFILE, hard).
    pub open_files_hard: Option<String>,
}

/// The control group this process is in. A limit is that of the nearest ancestor that sets one.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Cgroup {
    /// `v1`, `v2`, or `hybrid` where both are mounted; absent where neither is.
    pub version: Option<String>,
    /// Memory it may have (v2 `memory.max`, v1 `memory.limit_in_bytes`); absent if unlimited.
    pub memory_max_bytes: Option<u64>,
    /// Processes and threads the group may have (`pids.max`); absent if unlimited.
    pub pids_max: Option<u64>,
    /// Processor time the group may use: microseconds in each period (`50000 100000`), as v2's
    /// `cpu.max` says it; absent if unlimited.
    pub cpu_max: Option<String>,
}

/// CLOCK_MONOTONIC.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Clock {
    /// What the kernel reads it from.
    pub source: Option<String>,
    /// Its resolution, as the kernel says.
    pub resolution_ns: Option<u64>,
    /// What one reading costs, through the vDSO where there is one; measured.
    pub read_ns: f64,
    /// What one reading costs as a system call: the price of entering the kernel; measured.
    pub system_call_ns: f64,
}

/// What may hold this process back.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Security {
    /// The effective user.
    pub user: u32,
    /// `kernel.perf_event_paranoid`: from 2 on, others than root do not see the kernel's events.
    pub perf_event_paranoid: Option<i64>,
    /// `kernel.yama.ptrace_scope`; absent without Yama.
    pub ptrace_scope: Option<u64>,
    /// `off`, `strict` or `filter`.
    pub seccomp: Option<String>,
    /// Whether a debugger or tracer is attached.
    pub traced: bool,
}

impl Environment {
    /// Looks at the machine. Takes some milliseconds, most of them to time the clock.
    pub fn look(root: &Root) -> Environment {
        let mut environment = Environment {
            fingerprint: String::new(),
            tool: Tool::look(),
            kernel: Kernel::look(root),
            libc: Libc::look(),
            cpu: Cpu::look(root),
            mitigations: look_at_mitigations(root),
            memory: Memory::look(root),
            limits: Limits::look(root),
            cgroup: Cgroup::look(root),
            clock: Clock::look(root),
            security: Security::look(root),
            noise: Noise { start: NoiseCounters::look(root), end: None, delta: None },
            images: BTreeMap::new(),
            warnings: Vec::new(),
        };
        environment.fingerprint = environment.take_fingerprint();
        environment.warnings = disturbances(&environment);
        environment
    }

    /// Notes the noise at the end and what it was in between, and warns of it.
    pub fn finish(&mut self, root: &Root) {
        let end = NoiseCounters::look(root);
        let delta = end.since(&self.noise.start);
        for warning in noise_warnings(&delta) {
            // What was true of the whole time since boot is less than what was true of this run.
            self.warnings.retain(|earlier| earlier.id != warning.id);
            self.warnings.push(warning);
        }
        self.noise.end = Some(end);
        self.noise.delta = Some(delta);
    }

    /// Notes the hash of an image that will be exec'd.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn add_image(&mut self, path: &Path) -> io::Result<()> {
        self.images.insert(path.to_string_lossy().into_owned(), file_sha256(path)?);
        Ok(())
    }

    /// The text of `environment.toml`.
    ///
    /// # Errors
    /// When a number is beyond what TOML can hold (2^63 - 1).
    pub fn to_toml(&self) -> Result<String, toml::ser::Error> {
        toml::to_string(self)
    }

    /// The hash over what stays the same. Never the megahertz of this moment, the free memory or a
    /// name of the host: these would part one machine into many.
    fn take_fingerprint(&self) -> String {
        let mut facts = BTreeMap::new();
        facts.insert("schema".to_owned(), FINGERPRINT_SCHEMA.to_string());
        let categories = [
            ("kernel", &self.kernel.release),
            ("libc", &self.libc.version),
            ("cpu.vendor", &self.cpu.vendor),
            ("cpu.name", &self.cpu.name),
            ("cpu.family", &self.cpu.family),
            ("cpu.model", &self.cpu.model),
            ("cpu.stepping", &self.cpu.stepping),
            ("cpu.microcode", &self.cpu.microcode),
            ("cpu.governor", &self.cpu.governor),
            ("cgroup.cpu_max", &self.cgroup.cpu_max),
            ("memory.thp_enabled", &self.memory.thp_enabled),
            ("memory.thp_defrag", &self.memory.thp_defrag),
        ];
        for (name, value) in categories {
            facts.insert(name.to_owned(), value.clone().unwrap_or_default());
        }
        let logical = self.cpu.logical.map(|count| count.to_string()).unwrap_or_default();
        facts.insert("cpu.logical".to_owned(), logical);
        for (name, value) in &self.mitigations {
            facts.insert(format!("mitigation.{name}"), value.clone());
        }
        let mut hasher = Sha256::new();
        for (name, value) in facts {
            hasher.update(format!("{name}={value}\n"));
        }
        hexadecimal(&hasher.finalize())
    }
}

impl Tool {
    fn look() -> Tool {
        Tool {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            build_profile: if cfg!(debug_assertions) { "debug" } else { "release" }.to_owned(),
            architecture: std::env::consts::ARCH.to_owned(),
            command_line: std::env::args_os().map(|a| a.to_string_lossy().into_owned()).collect(),
            started: humantime::format_rfc3339_seconds(SystemTime::now()).to_string(),
        }
    }
}

impl Kernel {
    fn look(root: &Root) -> Kernel {
        Kernel {
            release: root.text("/proc/sys/kernel/osrelease"),
            version: root.text("/proc/sys/kernel/version"),
            boot_id: root.text("/proc/sys/kernel/random/boot_id"),
        }
    }
}

impl Libc {
    fn look() -> Libc {
        let version = probe::glibc_version();
        Libc { name: version.is_some().then(|| "glibc".to_owned()), version }
    }
}

impl Cpu {
    fn look(root: &Root) -> Cpu {
        let info = root.text("/proc/cpuinfo").unwrap_or_default();
        let first_of = |names: &[&str]| names.iter().find_map(|name| labelled(&info, name));
        let online = root.text("/sys/devices/system/cpu/online").map(|list| parse_cpu_list(&list));
        let is_guest = first_of(&["flags"])
            .is_some_and(|flags| flags.split_whitespace().any(|flag| flag == "hypervisor"));
        // Two drivers, two files, opposite senses.
        let turbo = match root.number("/sys/devices/system/cpu/intel_pstate/no_turbo") {
            Some(off) => Some(off == 0),
            None => root.number("/sys/devices/system/cpu/cpufreq/boost").map(|on| on != 0),
        };
        Cpu {
            vendor: first_of(&["vendor_id", "CPU implementer"]),
            name: first_of(&["model name"]),
            family: first_of(&["cpu family", "CPU architecture"]),
            model: first_of(&["model", "CPU part"]),
            stepping: first_of(&["stepping", "CPU revision"]),
            microcode: first_of(&["microcode"]),
            logical: online.map(|list| list.len() as u64),
            allowed: root.line("/proc/self/status", "Cpus_allowed_list"),
            smt: root.number("/sys/devices/system/cpu/smt/active").map(|active| active != 0),
            governor: root.text("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
            turbo,
            hypervisor: look_for_hypervisor(root, is_guest),
            cache_bytes: look_at_caches(root),
        }
    }
}

fn look_for_hypervisor(root: &Root, is_guest: bool) -> Option<String> {
    let said = root
        .text("/sys/hypervisor/type")
        .or_else(|| root.text("/proc/device-tree/hypervisor/compatible"));
    match said {
        Some(name) => Some(name.trim_end_matches('\0').to_owned()),
        None if is_guest => {
            Some(probe::hypervisor_signature().unwrap_or_else(|| "unknown".to_owned()))
        }
        None => None,
    }
}

fn look_at_caches(root: &Root) -> BTreeMap<String, u64> {
    let directory = Path::new("/sys/devices/system/cpu/cpu0/cache");
    let mut caches = BTreeMap::new();
    for index in root.names(directory) {
        let file = |name: &str| root.text(directory.join(&index).join(name));
        let (Some(level), Some(kind), Some(size)) = (file("level"), file("type"), file("size"))
        else {
            continue;
        };
        let letter = match kind.as_str() {
            "Data" => "d",
            "Instruction" => "i",
            _ => "",
        };
        if let Ok(size) = size.parse::<Size>() {
            caches.insert(format!("l{level}{letter}"), size.bytes());
        }
    }
    caches
}

fn look_at_mitigations(root: &Root) -> BTreeMap<String, String> {
    let directory = Path::new("/sys/devices/system/cpu/vulnerabilities");
    let entries = root.names(directory).into_iter();
    entries.filter_map(|name| Some((name.clone(), root.text(directory.join(name))?))).collect()
}

impl Memory {
    fn look(root: &Root) -> Memory {
        let info = root.text("/proc/meminfo").unwrap_or_default();
        let thp = Path::new("/sys/kernel/mm/transparent_hugepage");
        let nodes = root.text("/sys/devices/system/node/online");
        Memory {
            total_bytes: meminfo(&info, "MemTotal"),
            available_bytes: meminfo(&info, "MemAvailable"),
            swap_total_bytes: meminfo(&info, "SwapTotal"),
            nodes: nodes.map(|list| parse_cpu_list(&list).len() as u64),
            numa_balancing: root.number("/proc/sys/kernel/numa_balancing").map(|on| on != 0),
            thp_enabled: root.chosen(thp.join("enabled")),
            thp_defrag: root.chosen(thp.join("defrag")),
            hugetlb_pages: hugetlb_pools(root)
                .into_iter()
                .map(|p| (p.page.to_string(), p.total))
                .collect(),
        }
    }
}

/// One pool of huge pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HugetlbPool {
    /// The size of a page.
    pub page: Size,
    /// Pages in the pool.
    pub total: u64,
    /// Pages in the pool that are free.
    pub free: u64,
}

/// The pools of huge pages that the kernel knows, the smallest page first.
pub fn hugetlb_pools(root: &Root) -> Vec<HugetlbPool> {
    let directory = Path::new("/sys/kernel/mm/hugepages");
    let mut pools: Vec<HugetlbPool> = root
        .names(directory)
        .into_iter()
        .filter_map(|name| {
            let kibibytes: u64 =
                name.strip_prefix("hugepages-")?.strip_suffix("kB")?.parse().ok()?;
            let file = |file: &str| root.number(directory.join(&name).join(file)).unwrap_or(0);
            Some(HugetlbPool {
                page: Size::from_bytes(kibibytes << 10),
                total: file("nr_hugepages"),
                free: file("free_hugepages"),
            })
        })
        .collect();
    pools.sort_by_key(|pool| pool.page);
    pools
}

impl Limits {
    fn look(root: &Root) -> Limits {
        let own = root.text("/proc/self/limits").unwrap_or_default();
        let limit = |name: &str, column: usize| {
            let rest = own.lines().find_map(|line| line.strip_prefix(name))?;
            rest.split_whitespace().nth(column).map(str::to_owned)
        };
        Limits {
            overcommit_memory: root.number("/proc/sys/vm/overcommit_memory"),
            randomize_va_space: root.number("/proc/sys/kernel/randomize_va_space"),
            max_map_count: root.number("/proc/sys/vm/max_map_count"),
            pid_max: root.number("/proc/sys/kernel/pid_max"),
            threads_max: root.number("/proc/sys/kernel/threads-max"),
            processes: limit("Max processes", 0),
            open_files: limit("Max open files", 0),
            open_files_hard: limit("Max open files", 1),
        }
    }
}

impl Cgroup {
    fn look(root: &Root) -> Cgroup {
        let groups = Cgroups::find(root);
        Cgroup {
            version: groups.version().map(str::to_owned),
            memory_max_bytes: groups.memory_max(),
            pids_max: groups.pids_max(),
            cpu_max: groups.cpu_max(),
        }
    }
}

impl Clock {
    fn look(root: &Root) -> Clock {
        let directory = Path::new("/sys/devices/system/clocksource/clocksource0");
        let resolution = clock_getres(ClockId::CLOCK_MONOTONIC).ok().map(Duration::from);
        Clock {
            source: root.text(directory.join("current_clocksource")),
            resolution_ns: resolution.map(|length| length.as_nanos() as u64),
            read_ns: cost_ns(|| {
                std::hint::black_box(clock_gettime(ClockId::CLOCK_MONOTONIC).ok());
            }),
            system_call_ns: cost_ns(probe::read_clock_by_system_call),
        }
    }
}

/// What one call costs, back to back: the best of ten batches, in nanoseconds to a tenth.
fn cost_ns(call: impl Fn()) -> f64 {
    const BATCH: u32 = 1000;
    let batch = || {
        let start = Instant::now();
        (0..BATCH).for_each(|_| call());
        start.elapsed()
    };
    let best = (0..10).map(|_| batch()).min().unwrap_or_default();
    (best.as_nanos() as f64 * 10.0 / f64::from(BATCH)).round() / 10.0
}

impl Security {
    fn look(root: &Root) -> Security {
        let status = root.text("/proc/self/status").unwrap_or_default();
        let seccomp = match labelled(&status, "Seccomp").as_deref() {
            Some("0") => Some("off"),
            Some("1") => Some("strict"),
            Some("2") => Some("filter"),
            _ => None,
        };
        Security {
            user: nix::unistd::geteuid().as_raw(),
            perf_event_paranoid: root
                .text("/proc/sys/kernel/perf_event_paranoid")
                .and_then(|text| text.parse().ok()),
            ptrace_scope: root.number("/proc/sys/kernel/yama/ptrace_scope"),
            seccomp: seccomp.map(str::to_owned),
            traced: labelled(&status, "TracerPid").is_some_and(|pid| pid != "0"),
        }
    }
}

/// How much memory may still be had, and what says so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MemoryLimit {
    /// That much; in JSON, bytes.
    #[serde(rename = "bytes", serialize_with = "as_bytes")]
    pub size: Size,
    /// The limit that binds: `MemAvailable`, or the file of a control group.
    pub source: String,
}

fn as_bytes<S: serde::Serializer>(size: &Size, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(size.bytes())
}

/// The smaller of the available memory and what the control group leaves; nothing where the machine
/// tells neither.
pub fn memory_limit(root: &Root) -> Option<MemoryLimit> {
    let machine = mem_available(root)
        .map(|size| MemoryLimit { size, source: "MemAvailable in /proc/meminfo".to_owned() });
    let group = Cgroups::find(root).memory_headroom().map(|(bytes, file)| MemoryLimit {
        size: Size::from_bytes(bytes),
        source: format!("the control group's limit, {}", file.display()),
    });
    machine.into_iter().chain(group).min_by_key(|limit| limit.size)
}

/// `MemAvailable`: what can be had without swapping.
pub fn mem_available(root: &Root) -> Option<Size> {
    meminfo(&root.text("/proc/meminfo")?, "MemAvailable").map(Size::from_bytes)
}

/// The processors this process may use, in order; empty where the machine does not tell.
pub fn allowed_cpus(root: &Root) -> Vec<usize> {
    let list = root.line("/proc/self/status", "Cpus_allowed_list");
    list.as_deref().map(parse_cpu_list).unwrap_or_default()
}

/// SHA-256 of a file, in hexadecimal.
///
/// # Errors
/// When it cannot be read.
pub fn file_sha256(path: &Path) -> io::Result<String> {
    let mut hasher = Sha256::new();
    let mut file = File::open(path)?;
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer)? {
            0 => break,
            length => hasher.update(&buffer[..length]),
        }
    }
    Ok(hexadecimal(&hasher.finalize()))
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::fixture::Fixture;
    use super::*;

    #[test]
    fn the_facts_of_a_machine_are_read() {
        let environment = Environment::look(&Fixture::guest().root());
        let cpu = &environment.cpu;
        assert_eq!(cpu.vendor.as_deref(), Some("AuthenticAMD"));
        assert_eq!(cpu.name.as_deref(), Some("AMD EPYC"));
        assert_eq!(cpu.model.as_deref(), Some("17"));
        assert_eq!(cpu.logical, Some(2));
        assert_eq!(cpu.allowed.as_deref(), Some("0-1,3"));
        assert!(cpu.hypervisor.is_some());
        assert_eq!(cpu.cache_bytes["l1d"], 32 << 10);
        assert_eq!(cpu.cache_bytes["l3"], 32 << 20);
        assert_eq!(environment.mitigations["retbleed"], "Mitigation: untrained");
        assert_eq!(environment.memory.total_bytes, Some(24_684_084 * 1024));
        assert_eq!(environment.memory.thp_enabled.as_deref(), Some("madvise"));
        assert_eq!(environment.memory.hugetlb_pages["2MiB"], 16);
        assert_eq!(environment.limits.processes.as_deref(), Some("192730"));
        assert_eq!(environment.limits.open_files_hard.as_deref(), Some("unlimited"));
        assert_eq!(environment.cgroup.version.as_deref(), Some("v2"));
        assert_eq!(environment.cgroup.memory_max_bytes, Some(8 << 30));
        assert_eq!(environment.cgroup.pids_max, Some(500));
        assert_eq!(environment.cgroup.cpu_max, None);
        assert_eq!(environment.security.seccomp.as_deref(), Some("filter"));
        assert_eq!(environment.security.perf_event_paranoid, Some(-1));
        assert_eq!(environment.noise.start.steal_ticks, Some(40));
        assert!(environment.clock.read_ns > 0.0);
    }

    #[test]
    fn a_machine_that_tells_nothing_has_no_facts_and_is_no_error() {
        let environment = Environment::look(&Fixture::new(&[]).root());
        assert_eq!(environment.kernel.release, None);
        let text = environment.to_toml().expect("it serialises");
        let table: toml::Table = text.parse().expect("it is TOML");
        assert!(table["kernel"].as_table().is_some_and(toml::Table::is_empty), "{text}");
        assert!(!table.contains_key("mitigations"), "{text}");
    }

    #[test]
    fn a_processor_of_the_other_architecture_is_read() {
        let fixture = Fixture::new(&[(
            "/proc/cpuinfo",
            "processor\t: 0\nFeatures\t: fp asimd\nCPU implementer\t: 0x41\n\
             CPU architecture: 8\nCPU part\t: 0xd0c\nCPU revision\t: 1\n",
        )]);
        let cpu = Cpu::look(&fixture.root());
        assert_eq!(cpu.vendor.as_deref(), Some("0x41"));
        assert_eq!(cpu.family.as_deref(), Some("8"));
        assert_eq!(cpu.model.as_deref(), Some("0xd0c"));
        assert_eq!(cpu.stepping.as_deref(), Some("1"));
        assert_eq!(cpu.hypervisor, None);
    }

    #[test]
    fn what_is_written_can_be_read_again() {
        let root = Fixture::guest();
        let mut environment = Environment::look(&root.root());
        environment.finish(&root.root());
        let text = environment.to_toml().expect("it serialises");
        let again: Environment = toml::from_str(&text).expect("it is read");
        assert_eq!(again.to_toml().expect("it serialises again"), text);
        assert_eq!(again.noise.delta.and_then(|noise| noise.steal_ticks), Some(0));
    }

    #[test]
    fn this_machine_can_be_written_down() {
        let environment = Environment::look(&Root::live());
        let text = environment.to_toml().expect("it serialises");
        assert!(environment.kernel.boot_id.is_some_and(|id| text.contains(&id)));
        assert!(!allowed_cpus(&Root::live()).is_empty());
        let limit = memory_limit(&Root::live()).expect("Linux tells");
        assert!(limit.size.bytes() > 0, "{limit:?}");
    }

    #[test]
    fn the_fingerprint_is_that_of_what_stays() {
        let fingerprint = |fixture: &Fixture| Environment::look(&fixture.root()).fingerprint;
        let guest = Fixture::guest();
        let before = fingerprint(&guest);
        assert_eq!(before.len(), 64);
        for (path, text) in [
            ("/proc/meminfo", "MemAvailable: 1 kB\n"),
            ("/proc/loadavg", "9.0 9.0 9.0 1/99 1\n"),
            ("/proc/sys/kernel/random/boot_id", "another\n"),
            ("/proc/sys/kernel/hostname", "another\n"),
        ] {
            guest.write(path, text);
            assert_eq!(fingerprint(&guest), before, "{path} must not count");
        }
        for (path, text) in [
            ("/proc/sys/kernel/osrelease", "6.18.45\n"),
            ("/sys/devices/system/cpu/online", "0-3\n"),
            ("/sys/kernel/mm/transparent_hugepage/enabled", "[always] madvise never\n"),
            ("/sys/devices/system/cpu/vulnerabilities/retbleed", "Vulnerable\n"),
            ("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "powersave\n"),
            ("/sys/fs/cgroup/user.slice/job/cpu.max", "50000 100000\n"),
            ("/proc/cpuinfo", "microcode : 0x2\n"),
        ] {
            let changed = Fixture::guest();
            changed.write(path, text);
            assert_ne!(fingerprint(&changed), before, "{path} must count");
        }
    }

    #[test]
    fn the_tighter_of_machine_and_control_group_limits_memory() {
        let guest = Fixture::guest();
        // 8 GiB, of which 3 are used, of those 1 by file pages that lie unused.
        let limit = memory_limit(&guest.root()).expect("it tells");
        assert_eq!(limit.size, Size::from_bytes(6 << 30));
        assert_eq!(limit.source, "the control group's limit, /sys/fs/cgroup/user.slice/memory.max");
        guest.write("/proc/meminfo", "MemAvailable: 1048576 kB\n");
        let limit = memory_limit(&guest.root()).expect("it tells");
        assert_eq!(limit.size, Size::from_bytes(1 << 30));
        assert_eq!(limit.source, "MemAvailable in /proc/meminfo");
        assert_eq!(memory_limit(&Fixture::new(&[]).root()), None);
    }

    #[test]
    fn hashes_are_those_of_sha256sum() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("abc");
        std::fs::write(&path, "abc").expect("a file");
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(file_sha256(&path).expect("it is read"), expected);
        let mut environment = Environment::look(&Fixture::new(&[]).root());
        environment.add_image(&path).expect("it is read");
        assert_eq!(environment.images.values().next().map(String::as_str), Some(expected));
        assert!(environment.add_image(&directory.path().join("none")).is_err());
    }
}
