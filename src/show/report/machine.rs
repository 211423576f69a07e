//! Where a run was measured: what `environment.toml` says, in a reader's words.

use crate::analyse::environments::Environment;
use crate::show::comparison::shorten_hash;
use crate::show::document::{Block, Part};
use crate::show::units;

/// The machine of a run, as far as it is told.
pub(super) fn part(environment: &Environment, id: String) -> Part {
    let facts = facts(environment);
    if facts.is_empty() {
        let text = "There is no environment.toml, so nobody can say where this was measured.";
        return Part::new(id, TITLE, vec![Block::Warning(text.to_owned())]);
    }
    Part::new(id, TITLE, vec![Block::Facts(facts)])
}

const TITLE: &str = "The machine";

/// Everything that is known, name by name.
pub(super) fn facts(environment: &Environment) -> Vec<(String, String)> {
    let fact = |key: &str| environment.fact(key);
    let kernel = joined(" ", [fact("kernel.release"), fact("kernel.version")]);
    let libc = joined(" ", [fact("libc.name"), fact("libc.version")]);
    let load = fact("noise.start.load").zip(fact("noise.end.load"));
    let rows = [
        ("processor", processor(environment)),
        ("runs as a guest of", fact("cpu.hypervisor")),
        ("caches", caches(environment)),
        ("kernel", kernel),
        ("libc", libc),
        ("mitigations", mitigations(environment)),
        ("memory", memory(environment)),
        ("transparent huge pages", thp(environment)),
        ("overcommit, address space", limits(environment)),
        ("control group", cgroup(environment)),
        ("clock", clock(environment)),
        ("user", user(environment)),
        ("load before and after", load.map(|(start, end)| format!("{start} and {end}"))),
        ("taken by the hypervisor (steal)", steal(environment)),
        ("waited for (PSI)", pressure(environment)),
        ("throttled by a quota", throttled(environment)),
        ("swap", swap(environment)),
        ("began", fact("tool.started")),
        ("forkbench", build(environment)),
        ("fingerprint", environment.fingerprint().map(|hash| shorten_hash(hash).to_owned())),
    ];
    let known = rows.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    known.filter(|(_, value)| !value.is_empty()).collect()
}

/// The machine in a clause: `Linux 6.18, glibc 2.36, AMD EPYC, 2 CPUs, a guest of KVM`.
pub(super) fn in_short(environment: &Environment) -> Option<String> {
    let fact = |key: &str| environment.fact(key);
    let parts = [
        fact("kernel.release").map(|release| format!("Linux {release}")),
        joined(" ", [fact("libc.name"), fact("libc.version")]),
        fact("cpu.name"),
        environment.number("cpu.logical").map(|count| units::plural(count as u64, "CPU", "CPUs")),
        fact("cpu.hypervisor").map(|name| format!("a guest of {}", hypervisor(&name))),
    ];
    joined(", ", parts)
}

/// What is known by the name that a hypervisor gives itself in CPUID.
fn hypervisor(name: &str) -> &str {
    match name {
        "KVMKVMKVM" => "KVM",
        "Microsoft Hv" => "Hyper-V",
        "VMwareVMware" => "VMware",
        "XenVMMXenVMM" => "Xen",
        other => other,
    }
}

/// The parts that there are; none without any.
fn joined<const N: usize>(between: &str, parts: [Option<String>; N]) -> Option<String> {
    let parts: Vec<String> = parts.into_iter().flatten().filter(|part| !part.is_empty()).collect();
    (!parts.is_empty()).then(|| parts.join(between))
}

fn processor(environment: &Environment) -> Option<String> {
    let fact = |key: &str| environment.fact(key);
    let numbered = |word: &str, key: &str| fact(key).map(|value| format!("{word} {value}"));
    let count = environment.number("cpu.logical").map(|n| units::plural(n as u64, "CPU", "CPUs"));
    let smt = fact("cpu.smt").map(|on| match on.as_str() {
        "true" => "SMT on".to_owned(),
        "false" => "SMT off".to_owned(),
        other => format!("SMT {other}"),
    });
    joined(
        ", ",
        [
            fact("cpu.name"),
            count,
            smt,
            numbered("family", "cpu.family"),
            numbered("model", "cpu.model"),
            numbered("stepping", "cpu.stepping"),
            numbered("microcode", "cpu.microcode"),
            numbered("governor", "cpu.governor"),
            numbered("turbo", "cpu.turbo"),
        ],
    )
}

fn caches(environment: &Environment) -> Option<String> {
    let cache = |name: &str, key: &str| {
        environment.number(key).map(|bytes| format!("{name} {}", size(bytes)))
    };
    joined(
        ", ",
        [
            cache("L1d", "cpu.cache_bytes.l1d"),
            cache("L1i", "cpu.cache_bytes.l1i"),
            cache("L2", "cpu.cache_bytes.l2"),
            cache("L3", "cpu.cache_bytes.l3"),
        ],
    )
}

/// Those that the processor is affected by; what it is not affected by costs nothing.
fn mitigations(environment: &Environment) -> Option<String> {
    let all = environment.table("mitigations");
    if all.is_empty() {
        return None;
    }
    let told: Vec<String> = all
        .iter()
        .filter(|(_, value)| *value != "Not affected")
        .map(|(name, value)| format!("{name}: {value}"))
        .collect();
    let rest = (all.len() - told.len()) as u64;
    let rest =
        (rest > 0).then(|| format!("not affected by {}", units::plural(rest, "other", "others")));
    Some(told.into_iter().chain(rest).collect::<Vec<_>>().join("; "))
}

fn memory(environment: &Environment) -> Option<String> {
    let total = environment.number("memory.total_bytes").map(size);
    let nodes = environment.number("memory.nodes");
    let nodes = nodes.map(|nodes| units::plural(nodes as u64, "NUMA node", "NUMA nodes"));
    let free = environment.number("memory.available_bytes");
    let free = free.map(|bytes| format!("{} available at the start", size(bytes)));
    joined(", ", [total, nodes, free])
}

fn thp(environment: &Environment) -> Option<String> {
    let defrag = environment.fact("memory.thp_defrag").map(|word| format!("defrag {word}"));
    joined(", ", [environment.fact("memory.thp_enabled"), defrag])
}

fn limits(environment: &Environment) -> Option<String> {
    let overcommit =
        environment.fact("limits.overcommit_memory").map(|v| format!("overcommit_memory {v}"));
    let space = environment
        .fact("limits.randomize_va_space")
        .map(|value| format!("randomize_va_space {value}"));
    joined(", ", [overcommit, space])
}

fn cgroup(environment: &Environment) -> Option<String> {
    let version = environment.fact("cgroup.version");
    let cpu = environment.fact("cgroup.cpu_max").map(|value| format!("cpu.max {value}"));
    let memory = environment
        .number("cgroup.memory_max_bytes")
        .map(|bytes| format!("memory.max {}", size(bytes)));
    let limits = joined(", ", [cpu, memory]);
    let limits = limits.or_else(|| version.is_some().then(|| "no limits".to_owned()));
    joined(", ", [version, limits])
}

fn clock(environment: &Environment) -> Option<String> {
    let length = |word: &str, key: &str| {
        environment.number(key).map(|ns| format!("{word} {}", units::duration(ns)))
    };
    joined(
        ", ",
        [
            environment.fact("clock.source"),
            length("resolution", "clock.resolution_ns"),
            length("reading it takes", "clock.read_ns"),
            length("by a system call", "clock.system_call_ns"),
        ],
    )
}

fn user(environment: &Environment) -> Option<String> {
    let user = environment.fact("security.user").map(|user| match user.as_str() {
        "0" => "root".to_owned(),
        _ => "not root".to_owned(),
    });
    let perf = environment
        .fact("security.perf_event_paranoid")
        .map(|value| format!("perf_event_paranoid {value}"));
    let seccomp = environment.fact("security.seccomp").map(|value| format!("seccomp {value}"));
    joined(", ", [user, perf, seccomp])
}

/// The share of all ticks meanwhile.
fn steal(environment: &Environment) -> Option<String> {
    let ticks = environment.number("noise.delta.steal_ticks")?;
    let all = environment.number("noise.delta.total_ticks").filter(|all| *all > 0.0)?;
    Some(percent(ticks / all))
}

/// The share of the run in which somebody waited for each.
fn pressure(environment: &Environment) -> Option<String> {
    let wall = environment.number("noise.delta.uptime_ms").filter(|wall| *wall > 0.0)?;
    let of = |word: &str, key: &str| {
        let micros = environment.number(key)?;
        Some(format!("{word} {}", percent(micros / 1000.0 / wall)))
    };
    joined(
        ", ",
        [
            of("processor", "noise.delta.cpu_pressure_us"),
            of("memory", "noise.delta.memory_pressure_us"),
            of("I/O", "noise.delta.io_pressure_us"),
        ],
    )
}

fn swap(environment: &Environment) -> Option<String> {
    let bytes = environment.number("memory.swap_total_bytes")?;
    Some(if bytes > 0.0 { size(bytes) } else { "none".to_owned() })
}

fn throttled(environment: &Environment) -> Option<String> {
    let micros = environment.number("noise.delta.throttled_us").filter(|micros| *micros > 0.0)?;
    Some(units::duration(micros * 1000.0))
}

fn build(environment: &Environment) -> Option<String> {
    let profile = environment.fact("tool.build_profile").map(|profile| format!("{profile} build"));
    joined(", ", [environment.fact("tool.version"), profile, environment.fact("tool.architecture")])
}

/// A share: `0.32 %`.
pub(super) fn percent(share: f64) -> String {
    match share * 100.0 {
        0.0 => "0 %".to_owned(),
        percent if percent < 0.01 => "under 0.01 %".to_owned(),
        percent if percent < 1.0 => format!("{percent:.2} %"),
        percent => format!("{percent:.1} %"),
    }
}

fn size(bytes: f64) -> String {
    use crate::model::claim::Counted;
    use crate::model::quantity::Measure;
    units::counted(Counted::As(Measure::Bytes), bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(text: &str) -> Environment {
        Environment::of_text(text)
    }

    fn told(environment: &Environment, name: &str) -> Option<String> {
        facts(environment).into_iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    #[test]
    fn what_is_not_told_is_no_fact() {
        assert_eq!(facts(&Environment::default()), []);
        let part = part(&Environment::default(), "machine".to_owned());
        assert!(matches!(&part.blocks[..], [Block::Warning(_)]));
    }

    #[test]
    fn shares_and_limits_are_in_words() {
        let one = environment(
            "[cgroup]\nversion = '2'\n[cpu]\nname = 'A <b>'\nlogical = 2\nsmt = false\n\
             [mitigations]\nmds = 'Not affected'\nspectre_v2 = 'Retpolines'\n\
             [noise.delta]\nsteal_ticks = 30\ntotal_ticks = 1000\nuptime_ms = 60000\n\
             cpu_pressure_us = 600000\nmemory_pressure_us = 0\n",
        );
        assert_eq!(told(&one, "processor").as_deref(), Some("A <b>, 2 CPUs, SMT off"));
        assert_eq!(told(&one, "control group").as_deref(), Some("2, no limits"));
        let mitigations = told(&one, "mitigations");
        assert_eq!(mitigations.as_deref(), Some("spectre_v2: Retpolines; not affected by 1 other"));
        assert_eq!(told(&one, "taken by the hypervisor (steal)").as_deref(), Some("3.0 %"));
        assert_eq!(told(&one, "waited for (PSI)").as_deref(), Some("processor 1.0 %, memory 0 %"));
        assert_eq!(in_short(&one).as_deref(), Some("A <b>, 2 CPUs"));
    }

    #[test]
    fn a_time_of_nothing_is_no_share() {
        let one = environment(
            "[noise.delta]\nsteal_ticks = 0\ntotal_ticks = 0\nuptime_ms = 0\ncpu_pressure_us = 1\n",
        );
        assert_eq!(facts(&one), []);
    }
}
