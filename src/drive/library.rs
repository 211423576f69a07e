//! The scenarios that ship inside the binary, and those of the user: found by name or by path.
//!
//! Reads scenario files and checks their names against the registries. A shipped scenario is a
//! file in `scenarios/` and a line in the table below.

use std::fs;
use std::io;
use std::path::Path;

use crate::drive::environment::{Environment, Root};
use crate::drive::roster;
use crate::measure::mechanism::MECHANISMS;
use crate::measure::reading::{PLACES, READINGS, Source};
use crate::model::claim::{Estimate, Place};
use crate::model::quantity::Quantity;
use crate::model::scenario::parse::{BadFile, parse};
use crate::model::scenario::{Axis, BadScenario, Requires, Scenario, Setting};
use crate::model::setup::Setup;
use crate::model::{did_you_mean, nearest, suggestion};

/// A scenario inside the binary.
#[derive(Debug)]
pub struct Shipped {
    /// Its name, which is its path under `scenarios/` without the ending.
    pub name: &'static str,
    /// The text of its file.
    pub text: &'static str,
}

macro_rules! shipped {
    ($($name:literal,)+) => {
        /// Every shipped scenario, in the order in which they are listed.
        pub static SHIPPED: &[Shipped] = &[$(Shipped {
            name: $name,
            text: include_str!(concat!("../../scenarios/", $name, ".toml")),
        },)+];
    };
}

shipped! {
    "rss",
    "page-kinds",
    "memory-kinds",
    "spread",
    "order",
    "sparse-dense",
    "rewrite",
    "cow",
    "cow-order",
    "cow-pages",
    "vmas",
    "fds",
    "fd-high",
    "threads-idle",
    "threads-busy",
    "mechanisms",
    "child-cpu",
    "between",
    "pipeline",
    "pipeline-bytes",
    "pipeline-leak",
    "images",
    "env-size",
    "args-size",
    "path-search",
    "stall",
    "stall-kinds",
    "throughput",
    "throughput-1g",
    "spawners",
    "open-loop",
    "gap",
    "gap-close",
    "gap-walk",
    "gap-blocked",
    "hazard-duty",
    "published/shared-page-tables",
    "published/lazy-pte-copy",
    "published/hjp",
    "published/redis-metal",
    "published/tlpi-28-3",
    "published/posix-spawn-gem",
    "published/redis-latency",
    "published/go-5838",
    "published/node-14917",
    "published/dotnet-33289",
    "published/popen-noshell",
    "published/cpython-35537",
    "published/fork-in-the-road-dirty",
    "published/fork-in-the-road-fragmented",
    "published/aspawn",
    "published/on-demand-fork",
    "published/cow-pte",
    "published/cpython-92301",
    "published/io-uring-spawn",
    "published/clone-clear-sighand",
    "published/mt-dup",
    "published/tatashin-large-process",
    "published/v8-dontfork",
    "published/kobzol-environment",
    "published/large-folios",
    "published/command-fds",
    "published/d-9139",
    "published/zuvloop",
}

/// Why a scenario cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    /// There is none of that name.
    #[error(
        "there is no scenario `{given}`{}; give a name of `forkbench list scenarios`, or the path \
         of a file such as ./{given}.toml", suggestion(*.nearest)
    )]
    Unknown {
        /// What was given.
        given: String,
        /// The nearest name, if one is near.
        nearest: Option<&'static str>,
    },
    /// Its file cannot be read.
    #[error("cannot read the scenario {path}: {error}")]
    Unreadable {
        /// The path.
        path: String,
        /// Why.
        error: io::Error,
    },
    /// Its file is no scenario.
    #[error(transparent)]
    Bad(#[from] BadFile),
    /// It says something that cannot be done.
    #[error("{file}: {why}")]
    Senseless {
        /// The file, or the name.
        file: String,
        /// What.
        why: String,
    },
}

/// The scenarios that a word on the command line means: a name, the name of a folder of them
/// (`published`), or the path of a file, which has a slash in it or ends in `.toml`.
///
/// # Errors
///
/// When there is none, or it is not understood.
pub fn find(word: &str) -> Result<Vec<Scenario>, Unusable> {
    if word.contains('/') && Path::new(word).is_file() || word.ends_with(".toml") {
        let text = fs::read_to_string(word)
            .map_err(|error| Unusable::Unreadable { path: word.to_owned(), error })?;
        let name = Path::new(word).file_stem().unwrap_or_default().to_string_lossy();
        return Ok(vec![read(&name, word, &text)?]);
    }
    let folder = format!("{word}/");
    let meant: Vec<&Shipped> =
        SHIPPED.iter().filter(|s| s.name == word || s.name.starts_with(&folder)).collect();
    if meant.is_empty() {
        let names = SHIPPED.iter().map(|shipped| shipped.name);
        return Err(Unusable::Unknown { given: word.to_owned(), nearest: nearest(word, names) });
    }
    meant.into_iter().map(Shipped::scenario).collect()
}

impl Shipped {
    /// The scenario.
    ///
    /// # Errors
    ///
    /// None, as long as its test passes.
    pub fn scenario(&self) -> Result<Scenario, Unusable> {
        read(self.name, &format!("scenarios/{}.toml", self.name), self.text)
    }
}

fn read(name: &str, file: &str, text: &str) -> Result<Scenario, Unusable> {
    let mut scenario = parse(name, file, text)?;
    name_mechanisms(&mut scenario);
    check(&scenario).map_err(|why| Unusable::Senseless { file: file.to_owned(), why })?;
    Ok(scenario)
}

/// Checks the names that a scenario uses against the registries, and that each place of its claims
/// is one that it measures.
fn check(scenario: &Scenario) -> Result<(), String> {
    let setups = scenario.expand().map_err(|error: BadScenario| error.to_string())?;
    for setup in &setups {
        roster::find(&setup.work.mechanism).map_err(|error| error.to_string())?;
    }
    for claim in &scenario.claims {
        let in_claim = |why: String| format!("the claim `{}`: {why}", claim.name);
        known_reading(claim.estimate.quantity()).map_err(in_claim)?;
        if let Estimate::Ratio { to_of, .. } = &claim.estimate {
            known_reading(to_of).map_err(in_claim)?;
        }
        places(&claim.estimate)
            .into_iter()
            .try_for_each(|(place, one)| known_place(scenario, &setups, place, one))
            .map_err(in_claim)?;
        if let Estimate::Slope { over, .. }
        | Estimate::Spread { over, .. }
        | Estimate::Crossover { over, .. } = &claim.estimate
            && scenario.axes.iter().all(|axis| axis.name != *over)
        {
            let axes: Vec<&str> = scenario.axes.iter().map(|axis| axis.name.as_str()).collect();
            let axes = axes.join(", ");
            return Err(in_claim(format!("`over` names no axis: {over} (they are {axes})")));
        }
    }
    for published in &scenario.published {
        known_reading(&published.quantity)?;
    }
    Ok(())
}

/// The places of an estimate, and whether each must be a single variant.
fn places(estimate: &Estimate) -> Vec<(&Place, bool)> {
    match estimate {
        Estimate::Value { at, .. } => vec![(at, true)],
        Estimate::Ratio { at, to, .. } | Estimate::Difference { at, to, .. } => {
            vec![(at, true), (to, true)]
        }
        Estimate::Slope { at, .. } | Estimate::Spread { at, .. } => vec![(at, false)],
        Estimate::Crossover { at, to, .. } => vec![(at, false), (to, false)],
    }
}

fn known_place(
    scenario: &Scenario,
    setups: &[Setup],
    place: &Place,
    one: bool,
) -> Result<(), String> {
    let chosen: Vec<&Setup> = setups.iter().filter(|setup| place.holds(setup)).collect();
    match chosen.len() {
        // The empty parent that every run carries may be meant.
        0 if setups.iter().any(|setup| {
            let parent = Default::default();
            place.holds(&Setup { parent, work: setup.work.clone() })
        }) =>
        {
            Ok(())
        }
        0 => Err(format!("{} measures nothing with {place}", scenario.name)),
        1 => Ok(()),
        several if one => Err(format!("{place} means {several} variants: say which of them")),
        _ => Ok(()),
    }
}

fn known_reading(quantity: &Quantity) -> Result<(), String> {
    let names = || READINGS.iter().map(|row| row.name);
    let unknown = |reading: &str| {
        let meant = did_you_mean(reading, names());
        format!("there is no reading `{reading}`{meant} (forkbench list readings)")
    };
    match quantity {
        Quantity::Time { .. } => Ok(()),
        Quantity::Length { reading, .. } => {
            let row = READINGS.iter().find(|row| row.name == reading);
            match row.ok_or_else(|| unknown(reading))?.source {
                Source::Work => Ok(()),
                Source::Perf | Source::Rusage | Source::Shape => Err(format!(
                    "{reading} is no length that a workload times in each sample: it has no \
                     percentiles; say whose and when, such as {reading}.parent"
                )),
            }
        }
        Quantity::Count { reading, at, .. } => {
            if !names().any(|name| name == reading) {
                return Err(unknown(reading));
            }
            if !PLACES.contains(&at.as_str()) {
                let places = PLACES.join(", ");
                return Err(format!("a reading is taken at one of {places}; not `{at}`"));
            }
            Ok(())
        }
    }
}

/// Why a machine does not have what a scenario requires; none if it has.
pub fn unmet(requires: &Requires) -> Option<String> {
    if requires.is_nothing() {
        return None;
    }
    let root = Root::live();
    let environment = Environment::look(&root);
    if let Some(wanted) = &requires.kernel {
        let release = environment.kernel.release.clone().unwrap_or_default();
        if !at_least(&release, wanted) {
            return Some(format!("it takes Linux {wanted}, and this is {release}"));
        }
    }
    if let Some(wanted) = &requires.glibc {
        match &environment.libc.version {
            Some(version) if at_least(version, wanted) => {}
            Some(version) => {
                return Some(format!("it takes glibc {wanted}, and this is {version}"));
            }
            None => return Some(format!("it takes glibc {wanted}, and this is another libc")),
        }
    }
    if let Some(wanted) = requires.cpus {
        let cpus = crate::drive::environment::allowed_cpus(&root).len();
        if cpus < wanted as usize {
            return Some(format!("it takes {wanted} processors, and {cpus} are allowed here"));
        }
    }
    if let Some(wanted) = requires.memory()
        && let Some(limit) = crate::drive::environment::memory_limit(&root)
        && limit.size < wanted
    {
        return Some(format!(
            "it takes {wanted:#} of memory, and {} MiB can be had ({})",
            limit.size.bytes() >> 20,
            limit.source
        ));
    }
    if requires.root && !nix::unistd::geteuid().is_root() {
        return Some("it takes root".to_owned());
    }
    None
}

/// Whether a version such as `6.18.44-x` is as new as `6.9`.
fn at_least(version: &str, wanted: &str) -> bool {
    let numbers = |text: &str| -> Vec<u32> {
        text.split(|c: char| !c.is_ascii_digit() && c != '.')
            .next()
            .unwrap_or_default()
            .split('.')
            .map_while(|part| part.parse().ok())
            .collect()
    };
    numbers(version) >= numbers(wanted)
}

/// Puts the names of all mechanisms in the place of the word `all`.
pub fn name_mechanisms(scenario: &mut Scenario) {
    let is_all = |setting: &Setting| setting.knob == "mechanism" && setting.value == "all";
    if scenario.base.iter().any(is_all)
        || scenario.axes.iter().any(|axis| axis.points.iter().flatten().any(is_all))
    {
        scenario.set_axis(Axis::list("mechanism", &mechanisms(true)));
    }
}

/// Every mechanism but those to which a command belongs, or those that a run takes that names none.
pub fn mechanisms(all: bool) -> Vec<String> {
    let wanted = MECHANISMS.iter().filter(|m| (all || m.default) && !m.takes_command());
    wanted.map(|m| m.name.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_file_in_scenarios_is_shipped_and_every_one_is_read() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
        let mut files = BTreeSet::new();
        let mut folders = vec![root.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let name = path.strip_prefix(&root).unwrap().with_extension("");
                    files.insert(name.to_string_lossy().into_owned());
                }
            }
        }
        let shipped: BTreeSet<String> = SHIPPED.iter().map(|s| s.name.to_owned()).collect();
        assert_eq!(files, shipped);
        for shipped in SHIPPED {
            let scenario = shipped.scenario().unwrap_or_else(|error| panic!("{error}"));
            assert!(scenario.combinations() <= 150, "{}", shipped.name);
            assert!(scenario.about.len() <= 100, "{}", shipped.name);
            let is_published = shipped.name.starts_with("published/");
            assert_eq!(scenario.source.is_some(), is_published, "{}", shipped.name);
            assert!(!scenario.claims.is_empty(), "{} claims nothing", shipped.name);
        }
    }

    #[test]
    fn a_name_a_folder_and_a_path_are_found() {
        assert_eq!(find("rss").unwrap()[0].name, "rss");
        let error = find("rsss").unwrap_err().to_string();
        assert!(error.contains("`rsss`; did you mean `rss`?"), "{error}");
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("mine.toml");
        fs::write(&path, "about = 'x'\nfds = [1, 2]\n").unwrap();
        let found = find(path.to_str().unwrap()).unwrap();
        assert_eq!((found[0].name.as_str(), found[0].combinations()), ("mine", 2));
        let error = find("./none.toml").unwrap_err().to_string();
        assert!(error.contains("./none.toml"), "{error}");
    }

    #[test]
    fn names_that_no_registry_has_are_told() {
        let error = |text: &str| read("t", "t.toml", text).unwrap_err().to_string();
        let claim = "about = 'x'\nrss = [0, '1M']\nmechanism = ['fork', 'vfork']\n[[claim]]\nname = 'c'\nat-most = 1\n";
        let frok = error("about = 'x'\nmechanism = ['frok']\n");
        assert!(frok.contains("did you mean `fork`"), "{frok}");
        let fault = error(&format!("{claim}value = 'minor_fault.child'\nat = {{ rss = 0 }}\n"));
        assert!(fault.contains("did you mean `minor_faults`"), "{fault}");
        let timed = claim.replace("at-most = 1", "at-most = '1us'");
        let length = error(&format!("{timed}value = 'task_clok_ns.p50'\nat = {{ rss = 0 }}\n"));
        assert!(length.contains("did you mean `task_clock_ns`"), "{length}");
        let length = error(&format!("{timed}value = 'task_clock_ns.p50'\nat = {{ rss = 0 }}\n"));
        assert!(length.contains("say whose and when, such as task_clock_ns.parent"), "{length}");
        let other = error(&format!(
            "{claim}ratio = 'blocked.p50'\nto-quantity = 'bystandr_ns.max'\n\
             at = {{ rss = 0, mechanism = 'fork' }}\nto = {{ rss = 0, mechanism = 'vfork' }}\n"
        ));
        assert!(other.contains("no reading `bystandr_ns`"), "{other}");
        let many = error(&format!("{claim}value = 'minor_faults.child'\nat = {{ rss = 0 }}\n"));
        assert!(many.contains("rss=0 means 2 variants"), "{many}");
        let none = error(&format!("{claim}value = 'minor_faults.child'\nat = {{ rss = '2M' }}\n"));
        assert!(none.contains("measures nothing with rss=2MiB"), "{none}");
        let axis = error(&format!("{claim}spread = 'blocked.p50'\nat = {{}}\nover = 'fds'\n"));
        assert!(axis.contains("names no axis: fds"), "{axis}");
        let both = error("about = 'x'\nrss = '3M'\npage = 'hugetlb'\n");
        assert!(both.starts_with("t.toml: rss=3MiB"), "{both}");
    }

    #[test]
    fn versions_are_compared_as_numbers() {
        assert!(at_least("6.18.44-fc-v669", "6.9") && at_least("6.9.0", "6.9"));
        assert!(!at_least("6.8.12", "6.9") && !at_least("", "2.38") && at_least("2.38", "2.38"));
    }

    #[test]
    fn what_a_machine_lacks_is_told() {
        assert_eq!(unmet(&Requires::default()), None);
        let kernel = Requires { kernel: Some("99.1".into()), ..Requires::default() };
        assert!(unmet(&kernel).unwrap().contains("Linux 99.1"));
        let cpus = Requires { cpus: Some(1_000_000), ..Requires::default() };
        assert!(unmet(&cpus).unwrap().contains("1000000 processors"));
        let memory = Requires { memory_bytes: Some(1 << 60), ..Requires::default() };
        assert!(unmet(&memory).unwrap().contains("of memory"));
    }
}
