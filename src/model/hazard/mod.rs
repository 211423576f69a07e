//! The registry of hazards: what can go wrong with a fork in a process that has threads.
//!
//! This is the half that needs no process: names, the lock, who protects it, who was bitten, what to
//! do. The half that runs is `measure::hazard`. A new hazard is a row here and a row there.

mod control;
mod libc;
mod program;

use crate::model::did_you_mean;

/// One hazard.
#[derive(Debug)]
pub struct Hazard {
    /// Its number in the catalogue: `H06`. Several operations behind one lock have one number.
    pub id: &'static str,
    /// Its name, one word: what the column `hazard` and the flag take.
    pub name: &'static str,
    /// What goes wrong.
    pub kind: Kind,
    /// What the other threads do over and over, and the child once more.
    pub operation: &'static str,
    /// The lock, or what stands in its place.
    pub lock: &'static str,
    /// Whether a fork puts it right in the child.
    pub reset: Reset,
    /// Since when it is as it is.
    pub since: &'static str,
    /// Where it is reported: issues, incidents.
    pub source: &'static str,
    /// What to use instead.
    pub advice: &'static str,
    /// What happens, step by step.
    pub steps: &'static [&'static str],
    /// Functions of a libc or library, by the names of their symbols, that lead into it.
    pub functions: &'static [&'static str],
    /// How many births show it where it is expected to hang; fixed beforehand, so that the
    /// interval of the rate is exact. 0: it cannot be made to happen here, and is only told.
    pub forks: u32,
    /// What is known of the child of a `fork`, on glibc 2.36.
    pub fork: Expected,
    /// What is known of the child of a raw birth that copies memory: `_fork`, `clone3`.
    pub raw: Expected,
    /// Whether a child that shares the memory of its parent (`vfork`) can do it without harm to
    /// the parent.
    pub vfork: bool,
    /// Whether it is part of a run that names no hazard.
    pub default: bool,
}

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The child waits for a lock whose owner does not exist in it.
    Lock,
    /// The parent itself is stuck in fork().
    Parent,
    /// The child waits for a thread that does not exist in it.
    Worker,
    /// The child finds data half changed: it crashes, or is wrong.
    Data,
    /// A descriptor that the child keeps.
    Descriptor,
    /// Nothing: a child that a careless judge would call hung.
    Control,
}

impl Kind {
    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Lock => "lock",
            Kind::Parent => "parent",
            Kind::Worker => "worker",
            Kind::Data => "data",
            Kind::Descriptor => "descriptor",
            Kind::Control => "control",
        }
    }
}

/// Whether a fork puts a lock right in the child.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reset {
    /// fork() of the libc does.
    Yes,
    /// Nobody does.
    No,
    /// There is no lock of the libc in it.
    NotOurs,
}

impl Reset {
    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Reset::Yes => "yes",
            Reset::No => "no",
            Reset::NotOurs => "-",
        }
    }
}

/// What is known of a child.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// It hangs, or breaks, sooner or later.
    Hangs,
    /// It never does.
    Safe,
    /// Nobody has said.
    Unknown,
}

/// Births that are shown to be safe get so many.
const SAFE_FORKS: u32 = 2_000;

/// Births whose child does nothing of the kind, or ends by itself, get so many.
const SHARING_FORKS: u32 = 200;

impl Hazard {
    /// Whether it can be made to happen; else there are only its words.
    pub fn runs(&self) -> bool {
        self.forks > 0
    }

    /// What to say to whoever wants to run one that is only told.
    pub fn only_told(&self) -> String {
        let name = self.name;
        format!("hazard `{name}` is told, not run: see `forkbench explain {name}`")
    }

    /// What is known of a birth by that mechanism.
    pub fn expected(&self, mechanism: &str) -> Expected {
        match mechanism {
            "fork" => self.fork,
            "_fork" | "clone3" => self.raw,
            // Until its exec a child has every descriptor, however it is born.
            _ if self.kind == Kind::Descriptor && self.vfork => Expected::Hangs,
            _ => Expected::Safe,
        }
    }

    /// How many births by that mechanism are made, unless the user says.
    pub fn usual_forks(&self, mechanism: &str) -> u32 {
        match (mechanism, self.expected(mechanism)) {
            ("fork", Expected::Safe) => SAFE_FORKS,
            (_, Expected::Safe) => SHARING_FORKS,
            _ => self.forks,
        }
    }

    /// The mechanisms by which it is born where none is named.
    pub fn usual_births(&self) -> Vec<&'static str> {
        let mut births = vec!["fork", "_fork", "clone3"];
        if self.vfork {
            births.push("vfork");
        }
        births.push("posix_spawn");
        births
    }
}

/// Every hazard: those of the libc first, by number.
pub fn all() -> impl Iterator<Item = &'static Hazard> {
    libc::ROWS.iter().chain(program::ROWS).chain(control::ROWS)
}

/// The hazard of that name or number; of a number that several have, the first.
pub fn find(name: &str) -> Option<&'static Hazard> {
    all()
        .find(|hazard| hazard.name == name)
        .or_else(|| all().find(|hazard| hazard.id.eq_ignore_ascii_case(name)))
}

/// The hazard of that name, or all of that number.
pub fn named(name: &str) -> Vec<&'static Hazard> {
    match all().find(|hazard| hazard.name == name) {
        Some(hazard) => vec![hazard],
        None => all().filter(|hazard| hazard.id.eq_ignore_ascii_case(name)).collect(),
    }
}

/// What to say of a name that no hazard has.
pub fn unknown(name: &str) -> String {
    let near = did_you_mean(name, all().map(|hazard| hazard.name));
    format!("there is no hazard `{name}`{near}; see `forkbench list hazards`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_hazard_tells_its_story() {
        for rows in [libc::ROWS, program::ROWS, control::ROWS] {
            assert!(rows.is_sorted_by_key(|hazard| hazard.id));
        }
        let mut names: Vec<_> = all().map(|hazard| hazard.name).collect();
        names.sort_unstable();
        assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "{names:?}");
        for hazard in all() {
            assert!(hazard.name.len() <= 16 && !hazard.name.contains([' ', ',', '=']));
            for text in [hazard.operation, hazard.lock, hazard.since, hazard.advice] {
                assert!(!text.is_empty() && !text.contains('\n'), "{}", hazard.name);
            }
            assert!(hazard.kind == Kind::Control || hazard.steps.len() >= 2, "{}", hazard.name);
            assert!(hazard.forks <= 20_000, "{}", hazard.name);
            assert!(hazard.runs() || !hazard.default, "{}", hazard.name);
            assert_eq!(find(hazard.name).unwrap().name, hazard.name);
            assert!(named(hazard.id).iter().any(|other| other.name == hazard.name));
            assert_eq!(named(hazard.name).len(), 1);
            assert_eq!(find(&hazard.id.to_lowercase()).unwrap().id, hazard.id);
        }
        assert!(unknown("localtme").contains("`localtime`"), "{}", unknown("localtme"));
    }
}
