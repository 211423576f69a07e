//! In what the surroundings of several runs differ, from their `environment.toml`.
//!
//! Owns which facts make results of two directories comparable, and by which topic a user declares
//! that one of them is the question. Facts that are not told on one side are no difference, save
//! where their absence is a fact itself. Judges nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::record::error::{RecordError, Result};
use crate::record::read;

/// What a directory says of where and by what it was made; empty where the run died before it had
/// looked.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Environment(toml::Table);

/// What a difference is about, as `--across` takes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Topic {
    /// The kernel.
    Kernel,
    /// The C library.
    Libc,
    /// The processor, its number, its frequency, and what runs the machine as a guest.
    Cpu,
    /// What the kernel does about the vulnerabilities of the processor.
    Mitigations,
    /// Huge pages, and what else of the memory matters.
    Memory,
    /// What the control group may have.
    Cgroup,
    /// The programs that are executed.
    Image,
    /// forkbench itself: its version, its build, its architecture.
    Build,
    /// The boot, and other facts that are told and never refused.
    Boot,
}

impl Topic {
    /// Those that a user can declare.
    pub const ALL: [Topic; 8] = [
        Topic::Kernel,
        Topic::Libc,
        Topic::Cpu,
        Topic::Mitigations,
        Topic::Memory,
        Topic::Cgroup,
        Topic::Image,
        Topic::Build,
    ];

    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Topic::Kernel => "kernel",
            Topic::Libc => "libc",
            Topic::Cpu => "cpu",
            Topic::Mitigations => "mitigations",
            Topic::Memory => "memory",
            Topic::Cgroup => "cgroup",
            Topic::Image => "image",
            Topic::Build => "build",
            Topic::Boot => "boot",
        }
    }
}

/// One fact of `environment.toml`.
struct Field {
    topic: Topic,
    /// Where it stands: `kernel.release`.
    key: &'static str,
    /// Whether results that differ in it are not comparable.
    refuses: bool,
}

const fn refuses(topic: Topic, key: &'static str) -> Field {
    Field { topic, key, refuses: true }
}

const fn tells(topic: Topic, key: &'static str) -> Field {
    Field { topic, key, refuses: false }
}

/// Every fact that has one value; mitigations and images have one for each name. Those that the
/// fingerprint is made of refuse, and what else surely changes every figure.
static FIELDS: [Field; 34] = [
    refuses(Topic::Kernel, "kernel.release"),
    refuses(Topic::Kernel, "kernel.version"),
    refuses(Topic::Libc, "libc.name"),
    refuses(Topic::Libc, "libc.version"),
    refuses(Topic::Cpu, "cpu.vendor"),
    refuses(Topic::Cpu, "cpu.name"),
    refuses(Topic::Cpu, "cpu.family"),
    refuses(Topic::Cpu, "cpu.model"),
    refuses(Topic::Cpu, "cpu.stepping"),
    refuses(Topic::Cpu, "cpu.microcode"),
    refuses(Topic::Cpu, "cpu.logical"),
    refuses(Topic::Cpu, "cpu.smt"),
    refuses(Topic::Cpu, "cpu.governor"),
    refuses(Topic::Cpu, "cpu.turbo"),
    refuses(Topic::Cpu, "cpu.hypervisor"),
    tells(Topic::Cpu, "cpu.allowed"),
    refuses(Topic::Memory, "memory.thp_enabled"),
    refuses(Topic::Memory, "memory.thp_defrag"),
    tells(Topic::Memory, "memory.numa_balancing"),
    tells(Topic::Memory, "memory.total_bytes"),
    tells(Topic::Memory, "memory.swap_total_bytes"),
    refuses(Topic::Cgroup, "cgroup.cpu_max"),
    tells(Topic::Cgroup, "cgroup.memory_max_bytes"),
    refuses(Topic::Build, "tool.version"),
    refuses(Topic::Build, "tool.build_profile"),
    refuses(Topic::Build, "tool.architecture"),
    tells(Topic::Boot, "kernel.boot_id"),
    tells(Topic::Boot, "clock.source"),
    tells(Topic::Boot, "limits.overcommit_memory"),
    tells(Topic::Boot, "limits.randomize_va_space"),
    tells(Topic::Boot, "security.user"),
    tells(Topic::Boot, "security.perf_event_paranoid"),
    tells(Topic::Boot, "security.seccomp"),
    tells(Topic::Boot, "security.traced"),
];

/// Facts whose absence says something: there is no limit, no governor, no hypervisor.
const ABSENCE_TELLS: [&str; 4] =
    ["cgroup.cpu_max", "cgroup.memory_max_bytes", "cpu.governor", "cpu.hypervisor"];

/// One fact in which environments differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// What it is about.
    pub topic: Topic,
    /// Which fact: `kernel.release`, `mitigations.spectre_v2`, `image noop`.
    pub fact: String,
    /// What each environment says, in their order; none where it does not.
    pub values: Vec<Option<String>>,
    /// Whether results on both sides of it are comparable only if that is declared.
    pub refuses: bool,
}

/// Why the results of a debug build are not judged, and what to do.
pub const DEBUG_BUILD: &str = "a debug build made these results, and its figures are not to be \
    relied on; run it again with a release build, or give --allow-debug-build";

/// Whether a release build made results, as far as their `environment.toml` says.
pub fn is_release_build(environment: &toml::Table) -> bool {
    let profile = environment.get("tool").and_then(|tool| tool.get("build_profile"));
    profile.is_none_or(|profile| profile.as_str() == Some("release"))
}

impl Environment {
    /// Reads that of a results directory.
    ///
    /// # Errors
    ///
    /// If it is no TOML, or cannot be read. That there is none is no error.
    pub fn read(directory: &Path) -> Result<Environment> {
        match read::environment(directory) {
            Err(RecordError::Missing { .. }) => Ok(Environment::default()),
            other => other.map(Environment),
        }
    }

    /// The fact of that name, as text: `kernel.release`, `noise.start.load`.
    pub fn fact(&self, key: &str) -> Option<String> {
        self.value(key).map(text)
    }

    /// The number of that name; none where it is no number that is finite.
    pub fn number(&self, key: &str) -> Option<f64> {
        let value = self.value(key)?;
        let number = value.as_float().or_else(|| value.as_integer().map(|whole| whole as f64));
        number.filter(|number| number.is_finite())
    }

    fn value(&self, key: &str) -> Option<&toml::Value> {
        let mut parts = key.split('.');
        let first = self.0.get(parts.next()?)?;
        parts.try_fold(first, |value, part| value.get(part))
    }

    /// The command that made it, word by word as it was typed; none where it is not told.
    pub fn command_line(&self) -> Option<Vec<&str>> {
        self.value("tool.command_line")?.as_array()?.iter().map(toml::Value::as_str).collect()
    }

    /// Which boot of which machine it was.
    pub fn boot(&self) -> Option<String> {
        self.fact("kernel.boot_id")
    }

    /// The hash over what stays the same on one machine with one kernel.
    pub fn fingerprint(&self) -> Option<&str> {
        self.0.get("fingerprint")?.as_str()
    }

    /// When the run began: RFC 3339, UTC, whose order as text is that of time.
    pub fn started(&self) -> Option<String> {
        self.fact("tool.started")
    }

    /// Whether a release build made it, as far as is told.
    pub fn is_release_build(&self) -> bool {
        is_release_build(&self.0)
    }

    /// The words of what disturbed the run.
    pub fn disturbances(&self) -> impl Iterator<Item = &str> {
        let warnings = self.0.get("warnings").and_then(toml::Value::as_array);
        warnings.into_iter().flatten().filter_map(|warning| warning.get("id")?.as_str())
    }

    /// As it is written.
    #[cfg(test)]
    pub(crate) fn of_text(text: &str) -> Environment {
        Environment(text.parse().unwrap())
    }

    /// Everything that is told.
    pub(super) fn facts(&self) -> &toml::Table {
        &self.0
    }

    /// A table of facts, by their names.
    pub fn table(&self, name: &str) -> BTreeMap<String, String> {
        let table = self.0.get(name).and_then(toml::Value::as_table);
        table.into_iter().flatten().map(|(name, value)| (name.clone(), text(value))).collect()
    }

    /// The hash of each image by its name. Those that are shipped lie in another directory in each
    /// run, and are known by their file names.
    fn images(&self) -> BTreeMap<String, String> {
        let named = |(path, hash): (String, String)| {
            let file = Path::new(&path);
            let directory = file.parent().and_then(Path::file_name).and_then(|name| name.to_str());
            let shipped = directory.is_some_and(|name| name.starts_with("forkbench-"));
            match file.file_name().and_then(|name| name.to_str()) {
                Some(name) if shipped => (name.to_owned(), hash),
                _ => (path, hash),
            }
        };
        self.table("images").into_iter().map(named).collect()
    }
}

/// In what environments differ, those that refuse first.
pub fn differences(environments: &[&Environment]) -> Vec<Difference> {
    let mut found: Vec<Difference> = FIELDS
        .iter()
        .map(|field| Difference {
            topic: field.topic,
            fact: field.key.to_owned(),
            values: environments.iter().map(|one| one.fact(field.key)).collect(),
            refuses: field.refuses,
        })
        .filter(|one| differ(&one.values, ABSENCE_TELLS.contains(&one.fact.as_str())))
        .collect();
    let mut of_tables = |topic: Topic, prefix: &str, tables: Vec<BTreeMap<String, String>>| {
        let names: BTreeSet<&String> = tables.iter().flat_map(BTreeMap::keys).collect();
        for name in names {
            let values: Vec<Option<String>> =
                tables.iter().map(|table| table.get(name).cloned()).collect();
            if differ(&values, false) {
                let fact = format!("{prefix}{name}");
                found.push(Difference { topic, fact, values, refuses: true });
            }
        }
    };
    let mitigations = environments.iter().map(|one| one.table("mitigations")).collect();
    of_tables(Topic::Mitigations, "mitigations.", mitigations);
    let images = environments.iter().map(|one| one.images()).collect();
    of_tables(Topic::Image, "image ", images);
    found.sort_by_key(|one| (!one.refuses, one.topic));
    found
}

/// Whether not all say the same.
fn differ(values: &[Option<String>], absence_tells: bool) -> bool {
    let said: BTreeSet<&Option<String>> =
        values.iter().filter(|value| absence_tells || value.is_some()).collect();
    said.len() > 1
}

fn text(value: &toml::Value) -> String {
    match value {
        toml::Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(text: &str) -> Environment {
        Environment::of_text(text)
    }

    fn told(environments: &[&Environment]) -> Vec<(&'static str, String, bool)> {
        let told = differences(environments).into_iter();
        told.map(|one| (one.topic.word(), one.fact, one.refuses)).collect()
    }

    #[test]
    fn what_is_the_same_or_not_told_is_no_difference() {
        let one = environment("[kernel]\nrelease = '6.1'\n[cpu]\nlogical = 2\n");
        assert_eq!(told(&[&one, &one.clone()]), []);
        assert_eq!(told(&[&one, &Environment::default(), &one]), []);
        assert_eq!(told(&[]), []);
    }

    #[test]
    fn differences_name_their_facts_and_those_that_refuse_come_first() {
        let one = environment(
            "[kernel]\nrelease = '6.1'\nboot_id = 'a'\n[cpu]\nlogical = 2\n\
             [mitigations]\nmds = 'Not affected'\n",
        );
        let other = environment(
            "[kernel]\nrelease = '6.2'\nboot_id = 'b'\n[cpu]\nlogical = 4\n\
             [mitigations]\nmds = 'Vulnerable'\n[cgroup]\ncpu_max = '50000 100000'\n",
        );
        let expected = [
            ("kernel", "kernel.release".to_owned(), true),
            ("cpu", "cpu.logical".to_owned(), true),
            ("mitigations", "mitigations.mds".to_owned(), true),
            ("cgroup", "cgroup.cpu_max".to_owned(), true),
            ("boot", "kernel.boot_id".to_owned(), false),
        ];
        assert_eq!(told(&[&one, &other]), expected);
        let kernel = &differences(&[&one, &other, &one])[0];
        assert_eq!(kernel.values, ["6.1", "6.2", "6.1"].map(|text| Some(text.to_owned())));
    }

    #[test]
    fn shipped_images_are_known_by_their_names_and_others_by_their_paths() {
        let of = |pid: u32, noop: &str, mine: &str| {
            environment(&format!(
                "[images]\n'/tmp/forkbench-{pid:010}/noop' = '{noop}'\n'/opt/mine' = '{mine}'\n"
            ))
        };
        assert_eq!(told(&[&of(1, "aa", "cc"), &of(2, "aa", "cc")]), []);
        let differing = [
            ("image", "image /opt/mine".to_owned(), true),
            ("image", "image noop".to_owned(), true),
        ];
        assert_eq!(told(&[&of(1, "aa", "cc"), &of(2, "bb", "dd")]), differing);
        // What one of them did not run is no difference of what both ran.
        let without = environment("[images]\n'/tmp/forkbench-0000000003/noop' = 'aa'\n");
        assert_eq!(told(&[&of(1, "aa", "cc"), &without]), []);
    }

    #[test]
    fn every_fact_stands_in_a_table_and_every_topic_has_its_word() {
        for (place, field) in FIELDS.iter().enumerate() {
            assert!(field.key.split_once('.').is_some(), "{}", field.key);
            assert!(FIELDS[..place].iter().all(|other| other.key != field.key), "{}", field.key);
        }
        let words: BTreeSet<&str> = Topic::ALL.iter().map(|topic| topic.word()).collect();
        assert_eq!(words.len(), Topic::ALL.len());
        assert!(!Topic::ALL.contains(&Topic::Boot));
    }

    #[test]
    fn facts_are_found_by_their_path_and_numbers_are_finite() {
        let one = environment(
            "[tool]\ncommand_line = ['forkbench', 'run']\n[noise.start]\nload = 0.5\nodd = nan\n\
             ticks = 3\n",
        );
        assert_eq!(one.fact("noise.start.load").as_deref(), Some("0.5"));
        assert_eq!(one.number("noise.start.ticks"), Some(3.0));
        assert_eq!(one.number("noise.start.odd"), None);
        assert_eq!(one.fact("noise.end.load"), None);
        assert_eq!(one.command_line(), Some(vec!["forkbench", "run"]));
        assert_eq!(Environment::default().command_line(), None);
    }

    #[test]
    fn disturbances_and_builds_are_told() {
        let one = environment(
            "[tool]\nbuild_profile = 'debug'\n[[warnings]]\nid = 'one-cpu'\ntext = ''\n",
        );
        assert_eq!(one.disturbances().collect::<Vec<_>>(), ["one-cpu"]);
        assert!(!one.is_release_build() && Environment::default().is_release_build());
    }
}
