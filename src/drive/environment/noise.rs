//! What else the machine did while a run lasted: counters, read at its start and at its end.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::cgroup::Cgroups;
use super::root::{Root, keyed};

/// What else the machine did.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Noise {
    /// At the start.
    pub start: NoiseCounters,
    /// At the end.
    #[serde(default)]
    pub end: Option<NoiseCounters>,
    /// From start to end: only what counts up.
    #[serde(default)]
    pub delta: Option<NoiseCounters>,
}

/// Counters of the whole machine since its boot, and its load.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct NoiseCounters {
    /// CLOCK_BOOTTIME, in milliseconds.
    pub uptime_ms: Option<u64>,
    /// Time that the hypervisor gave to others while a processor of ours had work: ticks of 10 ms
    /// (USER_HZ), all processors together.
    pub steal_ticks: Option<u64>,
    /// Time of all processors together, idle or not: ticks.
    pub total_ticks: Option<u64>,
    /// Context switches.
    pub context_switches: Option<u64>,
    /// Interrupts.
    pub interrupts: Option<u64>,
    /// Processes and threads made.
    pub forks: Option<u64>,
    /// Time in which some task waited for a processor: microseconds.
    pub cpu_pressure_us: Option<u64>,
    /// Time in which some task waited for memory: microseconds.
    pub memory_pressure_us: Option<u64>,
    /// Time in which some task waited for a device: microseconds.
    pub io_pressure_us: Option<u64>,
    /// Time in which our control group was held back by its quota: microseconds.
    pub throttled_us: Option<u64>,
    /// Runnable and uninterruptible tasks, averaged over a minute.
    pub load: Option<f64>,
    /// Tasks runnable at this moment, this one included.
    pub runnable: Option<u64>,
}

impl NoiseCounters {
    /// Reads them all.
    pub fn look(root: &Root) -> NoiseCounters {
        let statistics = root.text("/proc/stat").unwrap_or_default();
        let ticks = cpu_ticks(&statistics);
        let pressure = |name: &str| {
            let text = root.text(Path::new("/proc/pressure").join(name))?;
            text.lines()
                .find(|line| line.starts_with("some "))?
                .split_once("total=")?
                .1
                .parse()
                .ok()
        };
        let decimal = |path: &str| -> Option<f64> {
            root.text(path)?.split_whitespace().next()?.parse().ok()
        };
        NoiseCounters {
            uptime_ms: decimal("/proc/uptime").map(|seconds| (seconds * 1000.0) as u64),
            steal_ticks: ticks.get(STEAL_COLUMN).copied(),
            // Time of guests is in user and nice already.
            total_ticks: (!ticks.is_empty()).then(|| ticks.iter().take(STEAL_COLUMN + 1).sum()),
            context_switches: keyed(&statistics, "ctxt"),
            interrupts: keyed(&statistics, "intr"),
            forks: keyed(&statistics, "processes"),
            cpu_pressure_us: pressure("cpu"),
            memory_pressure_us: pressure("memory"),
            io_pressure_us: pressure("io"),
            throttled_us: Cgroups::find(root).throttled_us(),
            load: decimal("/proc/loadavg"),
            runnable: keyed(&statistics, "procs_running"),
        }
    }

    /// What was added since `start`. Load and runnable tasks are states, not counts, and absent.
    pub fn since(&self, start: &NoiseCounters) -> NoiseCounters {
        let added = |field: fn(&NoiseCounters) -> Option<u64>| {
            Some(field(self)?.saturating_sub(field(start)?))
        };
        NoiseCounters {
            uptime_ms: added(|noise| noise.uptime_ms),
            steal_ticks: added(|noise| noise.steal_ticks),
            total_ticks: added(|noise| noise.total_ticks),
            context_switches: added(|noise| noise.context_switches),
            interrupts: added(|noise| noise.interrupts),
            forks: added(|noise| noise.forks),
            cpu_pressure_us: added(|noise| noise.cpu_pressure_us),
            memory_pressure_us: added(|noise| noise.memory_pressure_us),
            io_pressure_us: added(|noise| noise.io_pressure_us),
            throttled_us: added(|noise| noise.throttled_us),
            load: None,
            runnable: None,
        }
    }
}

/// Which column of the line `cpu` in `/proc/stat` is stolen time: after user, nice, system, idle,
/// iowait, irq, softirq (proc_stat(5)).
const STEAL_COLUMN: usize = 7;

/// Ticks that the hypervisor took from all processors since boot; 0 where the kernel does not say.
pub fn steal_ticks(root: &Root) -> u64 {
    let statistics = root.text("/proc/stat").unwrap_or_default();
    cpu_ticks(&statistics).get(STEAL_COLUMN).copied().unwrap_or(0)
}

fn cpu_ticks(statistics: &str) -> Vec<u64> {
    let line = statistics.lines().find_map(|line| line.strip_prefix("cpu ")).unwrap_or("");
    line.split_whitespace().filter_map(|ticks| ticks.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::super::fixture::Fixture;
    use super::*;

    #[test]
    fn counters_are_read_and_subtracted() {
        let guest = Fixture::guest();
        let start = NoiseCounters::look(&guest.root());
        assert_eq!(start.steal_ticks, Some(40));
        assert_eq!(start.total_ticks, Some(10_000), "guest time is not counted twice");
        assert_eq!(start.cpu_pressure_us, Some(7000));
        assert_eq!(start.memory_pressure_us, None);
        assert_eq!(start.uptime_ms, Some(100_500));
        assert_eq!(start.interrupts, Some(900));
        assert_eq!(start.load, Some(0.25));

        guest.write("/proc/stat", "cpu  100 0 50 9900 10 0 0 55 7 0\nctxt 510\n");
        guest.write("/proc/pressure/cpu", "some avg10=1.20 avg60=5.80 avg300=10.86 total=7001\n");
        let delta = NoiseCounters::look(&guest.root()).since(&start);
        assert_eq!(delta.steal_ticks, Some(15));
        assert_eq!(delta.total_ticks, Some(115));
        assert_eq!(delta.context_switches, Some(10));
        assert_eq!(delta.cpu_pressure_us, Some(1));
        assert_eq!(delta.interrupts, None, "what is missing at one end has no difference");
        assert_eq!(delta.load, None);
        assert_eq!(steal_ticks(&guest.root()), 55);
        assert_eq!(steal_ticks(&Fixture::new(&[]).root()), 0);
    }
}
