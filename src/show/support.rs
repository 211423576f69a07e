//! What can be done between birth and exec, by which mechanism and by what means, and what it adds:
//! a row for each action, a column for each mechanism.
//!
//! Every cell was executed, in count blocks, and proved by its image, or the kernel has refused it;
//! or nothing was executed because the mechanism has no way, and the cell says so.

use crate::analyse::contrasts::{Bounds, Contrast};
use crate::analyse::quantiles::Figure;
use crate::analyse::summary::{Summary, VariantSummary};
use crate::model::action::Means;
use crate::model::interval::Interval;
use crate::model::row::{EventKind, Role};
use crate::model::setup::Workload;
use crate::show::units;

/// The support table of parents of one shape.
#[derive(Clone, Debug, PartialEq)]
pub struct Support {
    /// Canonical label of the shape, with what else all have in common.
    pub place: String,
    /// Names of the mechanisms: the columns.
    pub mechanisms: Vec<String>,
    /// The actions, each with a standing for each mechanism; none where the two were not combined.
    pub rows: Vec<(String, Vec<Option<Standing>>)>,
}

/// How one mechanism stands to one action.
#[derive(Clone, Debug, PartialEq)]
pub enum Standing {
    /// It was done.
    Done {
        /// By what, in a word; none where no count block has told.
        means: Option<Means>,
        /// Whether the image has said so, every time; none where it was not asked.
        proved: Option<bool>,
        /// What it adds to the time that the caller is blocked, and to the time until it has
        /// reaped the child.
        added: [Option<Added>; 2],
    },
    /// The kernel does not let this user do it.
    NotPermitted,
    /// It failed otherwise.
    Failed,
    /// The mechanism has no way, or this machine: nothing was executed. Why.
    NoWay(String),
}

/// What an action adds to an interval, at the median, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Added {
    /// Against the same mechanism without the action.
    pub value: f64,
    /// Its interval; none with too few blocks for one.
    pub bounds: Option<(f64, f64)>,
}

/// The intervals to which something is added.
pub const INTERVALS: [Interval; 2] = [Interval::Blocked, Interval::Reaped];

/// The place among them of the life of the child.
const UNTIL_REAPED: usize = 1;

/// Fewer actions than this are no overview.
const FEW: usize = 4;

/// So many of the dearest actions are named.
const DEAREST: usize = 3;

/// The setting that names the actions.
const ACTIONS: &str = "actions=";

impl Support {
    /// The tables of a run: of each parent in which actions were done.
    pub fn all(summary: &Summary) -> Vec<Support> {
        let mut tables: Vec<Support> = Vec::new();
        for variant in &summary.variants {
            let row = &variant.row;
            if row.workload != Workload::Gap.word() || row.role != Role::Subject {
                continue;
            }
            let settings = row.settings.split(';');
            let Some(action) = settings.clone().find_map(|one| one.strip_prefix(ACTIONS)) else {
                continue;
            };
            let same = |one: &&str| {
                !one.starts_with(ACTIONS)
                    && !one.starts_with("mechanism=")
                    && !one.starts_with("workload=")
            };
            let place = settings.filter(same).collect::<Vec<_>>().join(" ");
            let table = match tables.iter_mut().find(|table| table.place == place) {
                Some(table) => table,
                None => {
                    tables.push(Support { place, mechanisms: Vec::new(), rows: Vec::new() });
                    tables.last_mut().expect("just pushed")
                }
            };
            table.add(action, &row.mechanism, Standing::of(variant, summary));
        }
        tables
    }

    fn add(&mut self, action: &str, mechanism: &str, standing: Standing) {
        let column = match self.mechanisms.iter().position(|name| name == mechanism) {
            Some(column) => column,
            None => {
                self.mechanisms.push(mechanism.to_owned());
                self.rows.iter_mut().for_each(|(_, standings)| standings.push(None));
                self.mechanisms.len() - 1
            }
        };
        let row = match self.rows.iter().position(|(name, _)| name == action) {
            Some(row) => row,
            None => {
                self.rows.push((action.to_owned(), vec![None; self.mechanisms.len()]));
                self.rows.len() - 1
            }
        };
        self.rows[row].1[column] = Some(standing);
    }

    /// Why there is no way, each reason once, with the cells that it is about.
    pub fn reasons(&self) -> Vec<String> {
        let mut reasons: Vec<(&str, Vec<String>)> = Vec::new();
        for (action, standings) in &self.rows {
            for (mechanism, standing) in self.mechanisms.iter().zip(standings) {
                let Some(Standing::NoWay(why)) = standing else { continue };
                let prefix = format!("{action}: ");
                let why = why.strip_prefix(&prefix).unwrap_or(why);
                let cell = format!("{mechanism} {action}");
                match reasons.iter_mut().find(|(other, _)| *other == why) {
                    Some((_, cells)) => cells.push(cell),
                    None => reasons.push((why, vec![cell])),
                }
            }
        }
        reasons.into_iter().map(|(why, cells)| format!("{}: {why}", cells.join(", "))).collect()
    }

    /// Whether it is about actions by themselves: several, each by several mechanisms.
    pub fn is_overview(&self) -> bool {
        self.mechanisms.len() > 1 && self.rows.len() >= FEW
    }

    /// What it says in two sentences: who can do what, and what that adds.
    pub fn answer(&self) -> String {
        let lacks = |place: usize| -> Vec<&str> {
            let has_no_way = |standings: &[Option<Standing>]| {
                matches!(standings[place], Some(Standing::NoWay(_)))
            };
            let rows = self.rows.iter().filter(|(_, standings)| has_no_way(standings));
            rows.map(|(action, _)| action.as_str()).collect()
        };
        let (able, unable): (Vec<usize>, Vec<usize>) =
            (0..self.mechanisms.len()).partition(|&place| lacks(place).is_empty());
        let names: Vec<&str> = able.iter().map(|&place| self.mechanisms[place].as_str()).collect();
        let mut clauses = Vec::new();
        if !names.is_empty() {
            clauses.push(format!("{} can do all", units::list(&names, "and")));
        }
        clauses.extend(unable.iter().map(|&place| {
            let lacks = lacks(place);
            let name = &self.mechanisms[place];
            format!("{name} has no way to do {}: {}", lacks.len(), units::list(&lacks, "and"))
        }));
        let who = format!(
            "Of {} actions between birth and exec, {}.",
            self.rows.len(),
            clauses.join("; ")
        );
        match able.first().and_then(|_| self.added_by(&able)) {
            Some(added) => format!("{who} {added}"),
            None => who,
        }
    }

    /// What the dearest actions add to the life of a child of `vfork` or, where that was not
    /// measured, of the first of these mechanisms, and what the others add at most.
    fn added_by(&self, able: &[usize]) -> Option<String> {
        let place = able.iter().copied().find(|&place| self.mechanisms[place] == "vfork");
        let place = place.or(able.first().copied())?;
        let mut added: Vec<(&str, f64)> = self
            .rows
            .iter()
            .filter_map(|(action, standings)| {
                let added = standings[place].as_ref()?.added(UNTIL_REAPED)?;
                Some((action.as_str(), added.value))
            })
            .collect();
        added.sort_by(|a, b| b.1.total_cmp(&a.1));
        let (dearest, others) = added.split_at(added.len().min(DEAREST));
        let told: Vec<String> = dearest
            .iter()
            .filter(|(_, value)| *value > 0.0)
            .map(|(action, value)| format!("{action} {}", units::duration(*value)))
            .collect();
        let told: Vec<&str> = told.iter().map(String::as_str).collect();
        let rest = others.first().map(|(_, most)| {
            let most = units::duration(most.max(0.0));
            format!("; each of the other {} at most {most}", others.len())
        });
        (!told.is_empty()).then(|| {
            format!(
                "Until a child of {} is reaped, {} come on top{}.",
                self.mechanisms[place],
                units::list(&told, "and"),
                rest.unwrap_or_default()
            )
        })
    }

    /// Whether it has anything that was added to an interval.
    pub fn has_added(&self, interval: usize) -> bool {
        self.standings().any(|standing| standing.added(interval).is_some())
    }

    fn standings(&self) -> impl Iterator<Item = &Standing> {
        self.rows.iter().flat_map(|(_, standings)| standings.iter().flatten())
    }

    /// How many cells were executed and proved, and how many there are.
    pub fn proved(&self) -> (usize, usize) {
        let is_proved = |one: &&Standing| matches!(one, Standing::Done { proved: Some(true), .. });
        (self.standings().filter(is_proved).count(), self.standings().count())
    }
}

impl Standing {
    fn of(variant: &VariantSummary, summary: &Summary) -> Standing {
        let reading = |name: &str| variant.readings.iter().find(|one| one.reading == name);
        let own =
            |event: &&crate::record::rows::EventRow| event.variant == Some(variant.row.variant);
        if variant.samples == 0 && reading("proved").is_none() {
            let mut events = summary.events.iter().filter(own).peekable();
            if events.peek().is_some() {
                let errnos: Vec<Option<i32>> = events.clone().map(|event| event.errno).collect();
                let last = events.find(|event| event.event == EventKind::Refused);
                return match last {
                    Some(event) if event.errno.is_none() => Standing::NoWay(event.evidence.clone()),
                    _ if errnos.iter().any(|errno| is_denied(*errno)) => Standing::NotPermitted,
                    _ => Standing::Failed,
                };
            }
        }
        Standing::Done {
            means: reading("means").and_then(|one| Means::from_number(one.mode)),
            // The mean of ones and zeroes is 1 only where all are.
            proved: reading("proved").map(|one| one.mean >= 1.0),
            added: INTERVALS.map(|interval| added(variant, interval, summary)),
        }
    }

    /// What stands in its cell of the table of means.
    pub fn word(&self) -> String {
        match self {
            Standing::Done { proved: Some(false), .. } => "NOT PROVED".to_owned(),
            Standing::Done { means: Some(means), proved: Some(true), .. } => {
                means.word().to_owned()
            }
            Standing::Done { .. } => "not asked".to_owned(),
            Standing::NotPermitted => "not permitted".to_owned(),
            Standing::Failed => "failed".to_owned(),
            Standing::NoWay(_) => "no way".to_owned(),
        }
    }

    /// What it adds to one of [`INTERVALS`].
    pub fn added(&self, interval: usize) -> Option<Added> {
        match self {
            Standing::Done { added, .. } => added.get(interval).copied().flatten(),
            _ => None,
        }
    }
}

/// EPERM and EACCES of every Linux.
fn is_denied(errno: Option<i32>) -> bool {
    matches!(errno, Some(1 | 13))
}

/// What an action adds: its ratio to the same mechanism without it, which is paired by block, on the
/// median of that.
fn added(variant: &VariantSummary, interval: Interval, summary: &Summary) -> Option<Added> {
    let other = &summary.variants[variant.versus? as usize];
    let is_base = other.row.mechanism == variant.row.mechanism
        && !other.row.settings.split(';').any(|one| one.starts_with(ACTIONS));
    let base = other.interval(interval).filter(|_| is_base)?;
    let (Figure::Known(base), Some(Contrast::Shown(ratio))) =
        (base.p50, variant.interval(interval)?.versus_p50)
    else {
        return None;
    };
    let of = |ratio: f64| base.value * (ratio - 1.0);
    let bounds = match ratio.bounds {
        Bounds::Between { low, high } => Some((of(low), of(high))),
        Bounds::Needs { .. } => None,
    };
    Some(Added { value: of(ratio.value), bounds })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyse::contrasts::{Ratio, Unit};
    use crate::analyse::summary::ReadingSummary;
    use crate::model::row::Scope;
    use crate::record::rows::EventRow;
    use crate::show::example::{self, POSIX_SPAWN, VFORK};
    use crate::show::terminal::{Screen, render};

    /// A parent in which actions were done: vfork without any, with dup2 (proved, half as much
    /// again) and with umask (not permitted), and posix_spawn with umask (no way).
    fn summary() -> Summary {
        let mut summary = example::summary(&[("empty", &[VFORK, POSIX_SPAWN])], "posix_spawn");
        let of = |mechanism: &str| {
            let is = |one: &&VariantSummary| {
                one.row.mechanism == mechanism && one.row.role == Role::Subject
            };
            summary.variants.iter().find(is).unwrap().clone()
        };
        let (vfork, spawn) = (of("vfork"), of("posix_spawn"));
        let mut variants: Vec<VariantSummary> = Vec::new();
        for (mechanism, actions) in
            [(&vfork, ""), (&vfork, ";actions=dup2"), (&vfork, ";actions=umask")]
                .into_iter()
                .chain([(&spawn, ";actions=umask")])
        {
            let mut variant = mechanism.clone();
            variant.row.variant = variants.len() as u32;
            variant.row.workload = "gap".to_owned();
            variant.row.settings = format!("workload=gap;mechanism=x{actions}");
            variant.versus = None;
            variants.push(variant);
        }
        variants[1].versus = Some(0);
        for interval in &mut variants[1].intervals {
            interval.versus_p50 = Some(Contrast::Shown(Ratio {
                value: 1.5,
                bounds: Bounds::Between { low: 1.25, high: 2.0 },
                p: 0.01,
                unit: Unit::Block,
                blocks: 20,
                launches: 5,
                smallest_detectable: None,
            }));
        }
        variants[1].readings = ["proved", "means"]
            .map(|name| ReadingSummary {
                reading: name.to_owned(),
                scope: Scope::Child,
                at: "work".to_owned(),
                mode: if name == "means" { Means::ChildCode as u64 } else { 1 },
                mean: if name == "means" { 3.0 } else { 1.0 },
                spawns: 4,
            })
            .into();
        for (variant, event, errno) in [
            (2, EventKind::Failed, Some(1)),
            (2, EventKind::Refused, Some(1)),
            (3, EventKind::Refused, None),
        ] {
            variants[variant as usize].samples = 0;
            summary.events.push(EventRow {
                launch: 0,
                block: None,
                variant: Some(variant),
                event,
                pid: None,
                errno,
                evidence: "umask: there is no file action for it".to_owned(),
            });
        }
        summary.variants = variants;
        summary
    }

    #[test]
    fn the_answer_tells_who_can_do_what_and_what_comes_on_top() {
        let added = |value: f64| Standing::Done {
            means: Some(Means::ChildCode),
            proved: Some(true),
            added: [None, Some(Added { value, bounds: None })],
        };
        let actions =
            [("dup2", 100.0), ("open", 2e3), ("chdir", 3e3), ("close", 90e3), ("umask", -4.0)];
        let row = |(action, value): (&str, f64)| {
            let other = match action {
                "umask" => Standing::NoWay("there is no file action for it".to_owned()),
                _ => added(value),
            };
            (action.to_owned(), vec![Some(added(value)), Some(other)])
        };
        let table = Support {
            place: String::new(),
            mechanisms: ["vfork", "posix_spawn"].map(String::from).into(),
            rows: actions.map(row).into(),
        };
        assert!(table.is_overview());
        assert_eq!(
            table.answer(),
            "Of 5 actions between birth and exec, vfork can do all; posix_spawn has no way to do \
             1: umask. Until a child of vfork is reaped, close 90.0 us, chdir 3.00 us and open \
             2.00 us come on top; each of the other 2 at most 100 ns."
        );
    }

    #[test]
    fn every_cell_was_done_and_proved_or_says_why_not() {
        let [table] = Support::all(&summary()).try_into().unwrap();
        assert_eq!(
            (&*table.place, &*table.mechanisms),
            ("", ["vfork", "posix_spawn"].map(String::from).as_slice())
        );
        let words: Vec<(&str, Vec<String>)> = table
            .rows
            .iter()
            .map(|(action, standings)| {
                let word =
                    |one: &Option<Standing>| one.as_ref().map_or(String::new(), Standing::word);
                (&**action, standings.iter().map(word).collect())
            })
            .collect();
        assert_eq!(
            words,
            [
                ("dup2", vec!["child code".to_owned(), String::new()]),
                ("umask", vec!["not permitted".to_owned(), "no way".to_owned()]),
            ]
        );
        assert_eq!(table.reasons(), ["posix_spawn umask: there is no file action for it"]);
        assert_eq!(table.proved(), (1, 3));
    }

    #[test]
    fn what_is_added_is_the_ratio_on_what_the_mechanism_takes_without_it() {
        let [table] = Support::all(&summary()).try_into().unwrap();
        let Some(dup2) = &table.rows[0].1[0] else { panic!("{table:?}") };
        let added = dup2.added(0).unwrap();
        assert!((added.value - VFORK.blocked / 2.0).abs() < 1.0, "{added:?}");
        let (low, high) = added.bounds.unwrap();
        assert!((low - VFORK.blocked / 4.0).abs() < 1.0 && (high - VFORK.blocked).abs() < 1.0);
        assert!(table.has_added(0) && table.has_added(1));
        // Against another mechanism it would be no addition.
        let mut other = summary();
        other.variants[0].row.mechanism = "fork".to_owned();
        assert!(!Support::all(&other)[0].has_added(0));
    }

    #[test]
    fn the_screen_has_the_table_at_every_width() {
        let view = example::view(&summary());
        for width in [40, 60, 100] {
            let screen = Screen { width, unicode: true };
            let told = anstream::adapter::strip_str(&render(&view, screen)).to_string();
            for text in ["1 of 3 cells", "not permitted", "no way: posix_spawn umask", "+26.4 13.2"]
            {
                let lines = told.split_whitespace().collect::<Vec<_>>().join(" ");
                assert!(lines.contains(text), "no `{text}` in {told}");
            }
            assert!(told.lines().all(|line| line.chars().count() <= width), "{told}");
        }
    }

    #[test]
    fn a_proof_that_failed_is_never_told_as_done() {
        let mut summary = summary();
        summary.variants[1].readings[0].mean = 0.75;
        let [table] = Support::all(&summary).try_into().unwrap();
        assert_eq!(table.rows[0].1[0].as_ref().unwrap().word(), "NOT PROVED");
        assert_eq!(table.proved(), (0, 3));
    }
}
