//! What disturbs measurements on this machine, judged by its facts, and what to do about it.

use serde::{Deserialize, Serialize};

use super::Environment;
use super::noise::NoiseCounters;
use super::root::parse_cpu_list;

/// The share of a time that the hypervisor may take before it is called a disturbance.
const STOLEN_SHARE: f64 = 0.01;

/// A clock read that takes longer than this (nanoseconds) enters the kernel.
const SLOW_CLOCK_NS: f64 = 150.0;

/// Something about the machine, or this program, that disturbs measurements.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warning {
    /// A stable name, which `forkbench explain` knows.
    pub id: String,
    /// What was seen.
    pub text: String,
    /// What to do about it.
    pub advice: String,
}

/// What disturbs measurements, the worst first.
pub(super) fn disturbances(environment: &Environment) -> Vec<Warning> {
    let mut found = Vec::new();
    let mut warn = |id, text: String, advice| found.push(warning(id, text, advice));
    if environment.tool.build_profile != "release" {
        warn(
            "not-release-build",
            "this is a debug build: its own code is slow and its child makes other calls".into(),
            "build with `cargo build --release`; `check` refuses what a debug build measured",
        );
    }
    if environment.security.traced {
        warn(
            "traced",
            "a debugger or tracer is attached: every birth stops for it".into(),
            "measure without it",
        );
    }
    let allowed = environment.cpu.allowed.as_deref().map(parse_cpu_list).unwrap_or_default();
    if allowed.len() == 1 {
        warn(
            "one-cpu",
            "one CPU for all: the tool, the parent's other threads and the child take turns".into(),
            "give it a second CPU (taskset, cpuset, VM size); rows with busy threads are left out",
        );
    }
    if let Some(quota) = &environment.cgroup.cpu_max {
        warn(
            "cpu-quota",
            format!("the control group may use {} of CPU time in each period", quota_words(quota)),
            "lift the quota (cpu.max, docker --cpus): once it is used up, a sample lasts a period",
        );
    }
    if let Some(load) = environment.noise.start.load
        && !allowed.is_empty()
        && load >= allowed.len() as f64 / 2.0
    {
        warn(
            "busy-machine",
            format!("load {load:.2} on {} CPUs: others want them too", allowed.len()),
            "stop other work, or wait until the load (an average over a minute) has fallen",
        );
    }
    if let (Some(stolen), Some(total)) =
        (environment.noise.start.steal_ticks, environment.noise.start.total_ticks)
        && stolen as f64 > total as f64 * STOLEN_SHARE
    {
        warn(
            "stolen-time",
            format!(
                "the hypervisor took {:.1} % of this machine's CPU time since its boot",
                100.0 * stolen as f64 / total as f64
            ),
            "use a machine with CPUs of its own; blocks carry the ticks stolen from them",
        );
    }
    if let Some(hypervisor) = &environment.cpu.hypervisor {
        warn(
            "virtual-machine",
            format!("a virtual machine ({hypervisor}): page tables and faults cost more here"),
            "compare figures made on this machine only; on bare metal forks cost less",
        );
    }
    let scaling = environment.cpu.governor.as_deref().is_some_and(|name| name != "performance");
    if scaling || environment.cpu.turbo == Some(true) {
        let governor = environment.cpu.governor.as_deref().unwrap_or("unknown");
        let turbo = if environment.cpu.turbo == Some(true) { ", turbo on" } else { "" };
        warn(
            "frequency-scaling",
            format!("the CPU's frequency changes (governor {governor}{turbo})"),
            "cpupower frequency-set -g performance; turn turbo off too",
        );
    }
    if environment.cpu.smt == Some(true) {
        warn(
            "shared-cores",
            "two CPUs share each core (SMT): work on one slows the other".into(),
            "keep the sibling of the measuring CPU idle, or: echo off > \
             /sys/devices/system/cpu/smt/control",
        );
    }
    let memory = &environment.memory;
    if memory.thp_enabled.as_deref() == Some("always") {
        warn(
            "thp-always",
            "transparent huge pages are always on: large programs fork 512 times fewer entries"
                .into(),
            "--page thp measures that; --page 4k, the default, what it would be without them",
        );
    }
    if memory.numa_balancing == Some(true) && memory.nodes.unwrap_or(1) > 1 {
        warn(
            "numa-balancing",
            "NUMA balancing unmaps pages of the parent to see who uses them".into(),
            "sysctl kernel.numa_balancing=0, or bind the run to one node (numactl)",
        );
    }
    if memory.swap_total_bytes.unwrap_or(0) > 0 {
        warn(
            "swap",
            format!(
                "{} of swap: pages of the parent may be written out and fault again",
                rounded_size(memory.swap_total_bytes.unwrap_or(0))
            ),
            "swapoff -a, or keep the parent far below the available memory",
        );
    }
    if environment.limits.overcommit_memory == Some(2) {
        warn(
            "strict-overcommit",
            "memory is counted strictly (vm.overcommit_memory=2): forks may fail".into(),
            "expect ENOMEM from fork and clone3 in a large parent: a result, not a fault here",
        );
    }
    if environment.clock.read_ns > SLOW_CLOCK_NS {
        warn(
            "slow-clock",
            format!(
                "reading the clock takes {:.0} ns (clock source {})",
                environment.clock.read_ns,
                environment.clock.source.as_deref().unwrap_or("unknown")
            ),
            "choose a source the vDSO can read (tsc, arch_sys_counter, kvm-clock)",
        );
    }
    found
}

/// What the noise of a run tells.
pub(super) fn noise_warnings(delta: &NoiseCounters) -> Vec<Warning> {
    let mut found = Vec::new();
    if let (Some(stolen), Some(total)) = (delta.steal_ticks, delta.total_ticks)
        && stolen as f64 > total as f64 * STOLEN_SHARE
    {
        found.push(warning(
            "stolen-time",
            format!(
                "the hypervisor took {:.1} % of the CPU time meanwhile",
                100.0 * stolen as f64 / total as f64
            ),
            "use a machine with CPUs of its own; blocks carry the ticks stolen from them",
        ));
    }
    if let Some(held_us) = delta.throttled_us
        && held_us > 0
    {
        found.push(warning(
            "throttled",
            format!("the CPU quota of the control group was used up for {} ms", held_us / 1000),
            "lift the quota (cpu.max, docker --cpus) or give it more: such samples last a period",
        ));
    }
    found
}

/// `50000 100000` as `50 of 100 ms`.
fn quota_words(quota: &str) -> String {
    let milliseconds = |text: &str| text.parse::<f64>().map(|us| us / 1000.0).unwrap_or(f64::NAN);
    let (time, period) = quota.split_once(' ').unwrap_or((quota, ""));
    format!("{} of {} ms", milliseconds(time), milliseconds(period))
}

/// A size for prose: to a tenth of its unit.
fn rounded_size(bytes: u64) -> String {
    bytesize::ByteSize::b(bytes).display().iec().to_string()
}

fn warning(id: &str, text: String, advice: &str) -> Warning {
    Warning { id: id.to_owned(), text, advice: advice.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::Fixture;
    use super::*;
    use crate::model::glossary::{self, Kind};

    /// The names of the warnings, each of which must be explained.
    fn ids(warnings: &[Warning]) -> Vec<&str> {
        for warning in warnings {
            let entry = glossary::find(&warning.id);
            assert!(entry.is_some_and(|entry| entry.kind == Kind::Warning), "{}", warning.id);
        }
        warnings.iter().map(|warning| warning.id.as_str()).collect()
    }

    /// The warnings of a release build whose clock is fast, wherever the test runs.
    fn warnings_of(fixture: &Fixture) -> Vec<Warning> {
        let mut environment = Environment::look(&fixture.root());
        environment.tool.build_profile = "release".to_owned();
        environment.clock.read_ns = 25.0;
        disturbances(&environment)
    }

    #[test]
    fn a_quiet_guest_is_warned_of_being_one() {
        assert_eq!(ids(&warnings_of(&Fixture::guest())), ["virtual-machine"]);
        assert_eq!(ids(&warnings_of(&Fixture::new(&[]))), [""; 0]);
    }

    #[test]
    fn each_fact_has_its_warning() {
        for (path, text, id) in [
            ("/proc/self/status", "TracerPid:\t7\n", "traced"),
            ("/proc/self/status", "Cpus_allowed_list:\t1\n", "one-cpu"),
            ("/sys/fs/cgroup/user.slice/job/cpu.max", "50000 100000\n", "cpu-quota"),
            ("/proc/loadavg", "1.50 0 0 1/9 9\n", "busy-machine"),
            ("/proc/stat", "cpu  0 0 0 9000 0 0 0 200\n", "stolen-time"),
            ("/sys/devices/system/cpu/cpufreq/boost", "1\n", "frequency-scaling"),
            ("/sys/devices/system/cpu/intel_pstate/no_turbo", "0\n", "frequency-scaling"),
            (
                "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor",
                "powersave\n",
                "frequency-scaling",
            ),
            ("/sys/devices/system/cpu/smt/active", "1\n", "shared-cores"),
            (
                "/sys/kernel/mm/transparent_hugepage/enabled",
                "[always] madvise never\n",
                "thp-always",
            ),
            ("/proc/meminfo", "SwapTotal: 4194304 kB\n", "swap"),
            ("/proc/sys/vm/overcommit_memory", "2\n", "strict-overcommit"),
        ] {
            let fixture = Fixture::guest();
            fixture.write(path, text);
            let warnings = warnings_of(&fixture);
            assert!(ids(&warnings).contains(&id), "{path} {text}: {warnings:?}");
        }
        for (path, text, id) in [
            ("/sys/devices/system/cpu/cpufreq/boost", "0\n", "frequency-scaling"),
            ("/sys/devices/system/cpu/intel_pstate/no_turbo", "1\n", "frequency-scaling"),
            (
                "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor",
                "performance\n",
                "frequency-scaling",
            ),
            ("/proc/sys/kernel/numa_balancing", "1\n", "numa-balancing"),
        ] {
            let fixture = Fixture::guest();
            fixture.write(path, text);
            let warnings = warnings_of(&fixture);
            assert!(!ids(&warnings).contains(&id), "{path} {text}: {warnings:?}");
        }
    }

    #[test]
    fn numa_balancing_disturbs_only_where_there_are_nodes() {
        let fixture = Fixture::guest();
        fixture.write("/proc/sys/kernel/numa_balancing", "1\n");
        fixture.write("/sys/devices/system/node/online", "0-1\n");
        assert!(ids(&warnings_of(&fixture)).contains(&"numa-balancing"));
    }

    #[test]
    fn a_debug_build_and_a_slow_clock_are_warned_of() {
        let mut environment = Environment::look(&Fixture::new(&[]).root());
        environment.tool.build_profile = "debug".to_owned();
        environment.clock.read_ns = 900.0;
        assert_eq!(ids(&disturbances(&environment)), ["not-release-build", "slow-clock"]);
    }

    #[test]
    fn noise_of_the_run_replaces_that_since_boot() {
        let fixture = Fixture::guest();
        fixture.write("/proc/stat", "cpu  0 0 0 9000 0 0 0 200\n");
        let mut environment = Environment::look(&fixture.root());
        let quiet = environment.warnings.len();
        fixture.write("/proc/stat", "cpu  0 0 0 9090 0 0 0 210\n");
        fixture.write("/sys/fs/cgroup/user.slice/job/cpu.stat", "throttled_usec 30000\n");
        environment.finish(&fixture.root());
        let stolen: Vec<_> =
            environment.warnings.iter().filter(|warning| warning.id == "stolen-time").collect();
        assert_eq!(stolen.len(), 1);
        assert_eq!(stolen[0].text, "the hypervisor took 10.0 % of the CPU time meanwhile");
        assert_eq!(environment.warnings.len(), quiet + 1);
        assert!(ids(&environment.warnings).contains(&"throttled"));
    }

    #[test]
    fn quotas_are_put_in_words() {
        assert_eq!(quota_words("50000 100000"), "50 of 100 ms");
        assert_eq!(rounded_size(4 << 30), "4.0 GiB");
    }
}
