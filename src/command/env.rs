//! `forkbench env`: what this machine is, what works here, what disturbs it.
//!
//! Looks, tries, and prints; starts no run and changes nothing, but for what a run has left changed
//! that was killed: that it puts back.

use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use clap::ValueEnum;
use serde::Serialize;

use crate::command::fitness;
use crate::drive::environment::{Environment, MemoryLimit, Root, memory_limit};
use crate::drive::machine;
use crate::drive::probe::{Answer, PROBES};
use crate::model::units::Size;

/// How long the machine is watched for what others do on it.
const WATCH: Duration = Duration::from_millis(500);

/// The columns the text may take: as many as the terminal has, within these.
const COLUMNS: std::ops::RangeInclusive<usize> = 60..=100;

/// Flags of `forkbench env`.
#[derive(Clone, Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  forkbench env\n  forkbench env --format json | jq .environment.cpu\n  \
                  forkbench env --gate --strict"
)]
pub struct Args {
    /// Measure for five seconds whether a check would come to a verdict here, now
    #[arg(long)]
    pub gate: bool,
    /// With --gate: end with exit code 4 where it would not
    #[arg(long, requires = "gate")]
    pub strict: bool,
    /// How to print it
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub format: Format,
}

/// What `forkbench env` can print.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Text for people
    Table,
    /// One object: `environment` (as in environment.toml), `abilities` and `memory_limit`
    Json,
}

/// Looks at this machine and prints what was found. The exit code is 0 whatever that is, save with
/// `--strict`.
///
/// # Errors
/// When standard output cannot be written.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    for note in machine::recover() {
        writeln!(anstream::stderr(), "forkbench: {note}").context("standard error")?;
    }
    if args.gate {
        return fitness::run(args.format == Format::Json, args.strict);
    }
    let report = Report::gather(&Root::live());
    let text = match args.format {
        Format::Json => serde_json::to_string_pretty(&report).context("the report as JSON")? + "\n",
        Format::Table => {
            let width = terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
            let (narrowest, widest) = COLUMNS.into_inner();
            report.text(width.unwrap_or(widest).clamp(narrowest, widest))
        }
    };
    // Takes the styles out where they are not wanted: no terminal, NO_COLOR.
    let mut output = anstream::stdout();
    output.write_all(text.as_bytes()).and_then(|()| output.flush()).context("standard output")?;
    Ok(ExitCode::SUCCESS)
}

/// Everything that is printed.
#[derive(Serialize)]
struct Report {
    environment: Environment,
    abilities: Vec<Ability>,
    /// The memory that a parent can have.
    memory_limit: Option<MemoryLimit>,
}

/// One probe, and what it found.
#[derive(Serialize)]
struct Ability {
    name: &'static str,
    about: &'static str,
    #[serde(flatten)]
    answer: Answer,
}

impl Report {
    fn gather(root: &Root) -> Report {
        let mut environment = Environment::look(root);
        // Before the probes, whose own children would be counted.
        std::thread::sleep(WATCH);
        environment.finish(root);
        let abilities = PROBES
            .iter()
            .map(|probe| Ability {
                name: probe.name,
                about: probe.about,
                answer: (probe.run)(root),
            })
            .collect();
        Report { environment, abilities, memory_limit: memory_limit(root) }
    }

    /// The text for people, styled, at most `columns` wide.
    fn text(&self, columns: usize) -> String {
        let mut page = Page { columns, text: String::new() };
        page.title("This machine");
        for (name, facts) in self.machine() {
            page.row(13, &[(name, PLAIN)], &facts);
        }
        page.title("What works here");
        for ability in &self.abilities {
            let (word, style, says, advice) = match &ability.answer {
                Answer::Works { detail } => ("works", GREEN, detail.clone(), None),
                Answer::Limited { why, advice } => ("limited", YELLOW, why.clone(), Some(advice)),
                Answer::Refused { errno, why, advice } => {
                    let errno = errno.as_ref().map(|name| format!("{name}: ")).unwrap_or_default();
                    ("refused", RED, format!("{errno}{why}"), Some(advice))
                }
            };
            let names = [(word, style), (ability.name, PLAIN)];
            let says = if says.is_empty() { String::new() } else { format!(": {says}") };
            page.row(32, &names, &format!("{}{says}", ability.about));
            if let Some(advice) = advice {
                page.row(32, &[], &format!("-> {advice}"));
            }
        }
        page.title("What disturbs measurements here");
        if self.environment.warnings.is_empty() {
            page.row(0, &[], "nothing that can be seen from here");
        }
        for warning in &self.environment.warnings {
            page.row(20, &[(&warning.id, YELLOW)], &warning.text);
            page.row(20, &[], &format!("-> {}", warning.advice));
        }
        page.text += "\nforkbench explain NAME says more about each disturbance.\n";
        page.text
    }

    /// What the machine is, a line each; what is not known is left out.
    fn machine(&self) -> Vec<(&'static str, String)> {
        let environment = &self.environment;
        let (cpu, memory, clock) = (&environment.cpu, &environment.memory, &environment.clock);
        let (limits, cgroup, tool) = (&environment.limits, &environment.cgroup, &environment.tool);
        let meanwhile = environment.noise.delta.clone().unwrap_or_default();
        let caches = cpu.cache_bytes.iter();
        let pools = memory.hugetlb_pages.iter();
        let parent_may_have = self.memory_limit.as_ref();
        let switch = |name: &str, on: Option<bool>| {
            on.map(|on| format!("{name} {}", if on { "on" } else { "off" }))
        };
        let mitigations = |state: &str| {
            let found = environment.mitigations.iter().filter(|(_, text)| text.starts_with(state));
            let names: Vec<&str> = found.map(|(name, _)| name.as_str()).collect();
            (!names.is_empty()).then(|| names.join(" "))
        };
        let lines: Vec<(&'static str, Vec<Option<String>>)> = vec![
            (
                "processor",
                vec![
                    cpu.name.clone().or_else(|| named("implementer", &cpu.vendor)),
                    named("family", &cpu.family),
                    named("model", &cpu.model),
                    named("stepping", &cpu.stepping),
                    named("microcode", &cpu.microcode),
                ],
            ),
            (
                "CPUs",
                vec![
                    cpu.logical.map(|count| format!("{count} online")),
                    named("this process may use", &cpu.allowed),
                    switch("SMT", cpu.smt),
                    named("governor", &cpu.governor),
                    switch("turbo", cpu.turbo),
                ],
            ),
            ("caches", caches.map(|(name, bytes)| Some(cache(name, *bytes))).collect()),
            ("hypervisor", vec![cpu.hypervisor.clone()]),
            (
                "memory",
                vec![
                    memory.total_bytes.map(rounded),
                    memory.swap_total_bytes.map(|bytes| match bytes {
                        0 => "no swap".to_owned(),
                        _ => format!("{} of swap", rounded(bytes)),
                    }),
                    parent_may_have.map(|limit| {
                        let size = rounded(limit.size.bytes());
                        format!("a parent may have {size} ({})", limit.source)
                    }),
                ],
            ),
            (
                "huge pages",
                [named("THP", &memory.thp_enabled), named("defrag", &memory.thp_defrag)]
                    .into_iter()
                    .chain(pools.map(|(size, count)| Some(format!("{count} of {size} in a pool"))))
                    .collect(),
            ),
            (
                "kernel",
                vec![environment.kernel.release.clone(), environment.kernel.version.clone()],
            ),
            ("mitigated", vec![mitigations("Mitigation")]),
            ("vulnerable", vec![mitigations("Vulnerable")]),
            (
                "libc",
                vec![
                    environment
                        .libc
                        .name
                        .clone()
                        .zip(environment.libc.version.clone())
                        .map(|(name, version)| format!("{name} {version}")),
                ],
            ),
            (
                "clock",
                vec![
                    clock.source.clone(),
                    clock.resolution_ns.map(|length| format!("resolution {length} ns")),
                    Some(format!("a reading takes {} ns", clock.read_ns)),
                    Some(format!("{} ns as a system call", clock.system_call_ns)),
                ],
            ),
            (
                "limits",
                vec![
                    named("processes", &limits.processes),
                    named("open files", &limits.open_files),
                    named("mappings", &limits.max_map_count),
                    named("pid_max", &limits.pid_max),
                    named("overcommit_memory", &limits.overcommit_memory),
                    named("randomize_va_space", &limits.randomize_va_space),
                ],
            ),
            (
                "cgroup",
                vec![
                    cgroup.version.clone(),
                    cgroup.memory_max_bytes.map(|bytes| format!("memory.max {}", rounded(bytes))),
                    named("pids.max", &cgroup.pids_max),
                    named("cpu.max", &cgroup.cpu_max),
                ],
            ),
            (
                "meanwhile",
                vec![
                    environment.noise.start.load.map(|load| format!("load {load:.2}")),
                    meanwhile.context_switches.map(|count| format!("{count} context switches")),
                    meanwhile.interrupts.map(|count| format!("{count} interrupts")),
                    meanwhile.steal_ticks.map(|ticks| format!("{ticks} ticks stolen")),
                    Some(format!("in {} ms", WATCH.as_millis())),
                ],
            ),
            (
                "forkbench",
                vec![
                    Some(format!("{} ({} build)", tool.version, tool.build_profile)),
                    Some(format!("fingerprint of this place {:.16}", environment.fingerprint)),
                ],
            ),
        ];
        let known = lines.into_iter().map(|(name, facts)| {
            (name, facts.into_iter().flatten().collect::<Vec<_>>().join(", "))
        });
        known.filter(|(_, facts)| !facts.is_empty()).collect()
    }
}

/// `name value`, where there is a value, in a piece that no line break parts.
fn named(name: &str, value: &Option<impl ToString>) -> Option<String> {
    value.as_ref().map(|value| format!("{name} {}", value.to_string()).replace(' ', "\u{a0}"))
}

/// `l1d` and 32768 as `L1d 32 KiB`.
fn cache(name: &str, bytes: u64) -> String {
    format!("{} {:#}", name.replacen('l', "L", 1), Size::from_bytes(bytes))
}

/// A size to a tenth of its unit.
fn rounded(bytes: u64) -> String {
    bytesize::ByteSize::b(bytes).display().iec().to_string()
}

// Styles of ECMA-48. No word is told by its colour alone.
const PLAIN: &str = "";
const BOLD: &str = "\x1b[1m";
const RED: &str = "\x1b[31m";
const GREEN: &str = "\x1b[32m";
const YELLOW: &str = "\x1b[33m";
const RESET: &str = "\x1b[0m";

/// Text that grows by rows.
struct Page {
    columns: usize,
    text: String,
}

impl Page {
    fn title(&mut self, title: &str) {
        let gap = if self.text.is_empty() { "" } else { "\n" };
        self.text += &format!("{gap}{BOLD}{title}{RESET}\n");
    }

    /// Words with their styles, and from column `indent` on a text, wrapped at its spaces (not at
    /// U+00A0).
    fn row(&mut self, indent: usize, words: &[(&str, &str)], text: &str) {
        // What a word that others follow may take, its gap included.
        const STATUS: usize = 9;
        let mut used = 2;
        self.text += "  ";
        for (place, (word, style)) in words.iter().enumerate() {
            let width = if place + 1 < words.len() { STATUS } else { word.len() };
            let reset = if style.is_empty() { "" } else { RESET };
            self.text += &format!("{style}{word}{reset}{:1$}", "", width - word.len().min(width));
            used += width;
        }
        let indent = indent + 2;
        self.text += &" ".repeat(indent.saturating_sub(used));
        let mut column = indent.max(used);
        for (place, word) in text.split(' ').enumerate() {
            let length = word.chars().count();
            if place > 0 && column + 1 + length > self.columns {
                self.text += &format!("\n{:indent$}", "");
                column = indent;
            } else if place > 0 {
                self.text.push(' ');
                column += 1;
            }
            self.text += &word.replace('\u{a0}', " ");
            column += length;
        }
        self.text.truncate(self.text.trim_end().len());
        self.text.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        let nothing = tempfile::tempdir().expect("a directory");
        Report {
            environment: Environment::look(&Root::under(nothing.path())),
            abilities: vec![
                Ability {
                    name: "clone3",
                    about: "mechanism clone3",
                    answer: Answer::Works { detail: String::new() },
                },
                Ability {
                    name: "perf software",
                    about: "page faults",
                    answer: Answer::Refused {
                        errno: Some("EACCES".to_owned()),
                        why:
                            "a policy forbids it, and says so in a text that is longer than a line"
                                .to_owned(),
                        advice: "lift the policy".to_owned(),
                    },
                },
            ],
            memory_limit: Some(MemoryLimit {
                size: Size::from_bytes(3 << 29),
                source: "MemAvailable in /proc/meminfo".to_owned(),
            }),
        }
    }

    #[test]
    fn the_text_fits_its_columns_and_is_complete_without_styles() {
        for columns in COLUMNS {
            let text = report().text(columns);
            let plain = anstream::adapter::strip_str(&text).to_string();
            let longest = plain.lines().map(|line| line.chars().count()).max();
            assert!(longest <= Some(columns), "{columns}: {longest:?}\n{plain}");
            assert!(!plain.contains('\u{a0}'));
        }
        let plain = anstream::adapter::strip_str(&report().text(85)).to_string();
        for line in [
            "This machine",
            "  memory       a parent may have 1.5 GiB (MemAvailable in /proc/meminfo)",
            "  works    clone3                 mechanism clone3",
            "  refused  perf software          page faults: EACCES: a policy forbids it, and says",
            "                                  so in a text that is longer than a line",
            "                                  -> lift the policy",
            "What disturbs measurements here",
        ] {
            assert!(plain.lines().any(|found| found == line), "{line}\n{plain}");
        }
        assert!(!plain.contains("hypervisor"), "what is not known is left out: {plain}");
        assert!(report().text(100).contains("\u{1b}[31mrefused\u{1b}[0m"));
    }

    #[test]
    fn the_json_holds_the_same() {
        let json = serde_json::to_value(report()).expect("it serialises");
        assert_eq!(json["memory_limit"]["bytes"], 3_u64 << 29);
        assert_eq!(json["abilities"][0]["answer"], "works");
        assert_eq!(json["abilities"][1]["errno"], "EACCES");
        assert_eq!(json["environment"]["tool"]["version"], env!("CARGO_PKG_VERSION"));
    }

    #[test]
    fn this_machine_can_be_described() {
        let report = Report::gather(&Root::live());
        assert_eq!(report.abilities.len(), PROBES.len());
        assert!(report.environment.noise.end.is_some());
        let text = report.text(100);
        assert!(PROBES.iter().all(|probe| text.contains(probe.name)), "{text}");
        assert!(text.contains("  kernel "), "{text}");
    }
}
