//! Who takes part in a check: for each point the sides that are held against each other, a twin of
//! the base, and the control.

use super::{BadRoster, Entry, Roster, control_of, entry, find, helper_names, is_control};
use crate::measure::mechanism::Mechanism;
use crate::model::gate::{Comparison, Gate, Margin, Sides};
use crate::model::knob::{self, KNOBS};
use crate::model::row::Role;
use crate::model::scenario::{BadScenario, Scenario, apply};
use crate::model::setup::Setup;

/// The scenario of a check, as the column `scenario` has it.
pub const CHECK: &str = "check";

impl Roster {
    /// The variants of a check: for each setup of the scenario, which is what the sides have in
    /// common, that setup with what each side says. Equal sides are two variants all the same.
    ///
    /// # Errors
    ///
    /// When the scenario or a side does not expand, names what is not, or cannot be measured.
    pub fn of_sides(
        scenario: &Scenario,
        sides: &Sides,
        alpha: f64,
        margins: Vec<Margin>,
    ) -> Result<Roster, BadRoster> {
        let points = points(scenario, sides)?;
        let names = names(&points);
        let mut entries = Vec::new();
        let mut comparisons = Vec::new();
        let mut controlled = Vec::new();
        for (point, name) in points.iter().zip(&names) {
            let label = |side: &str| match points.len() {
                1 => side.to_owned(),
                _ => format!("{name} {side}"),
            };
            let mut add = |setup: &Setup, role: Role, label: String| {
                let number = entries.len() as u32;
                entries.push(entry(number, CHECK.to_owned(), setup.clone(), role, label, None)?);
                Ok::<u32, BadRoster>(number)
            };
            let base = add(&point.base, Role::Subject, label("base"))?;
            let cand = add(&point.cand, Role::Subject, label("cand"))?;
            let second = point.second_base.as_ref();
            let second_base =
                second.map(|setup| add(setup, Role::Subject, label("second-base"))).transpose()?;
            let twin = (!is_dear(&point.base)?)
                .then(|| add(&point.base, Role::Twin, label("base (twin)")))
                .transpose()?;
            let name = name.clone();
            comparisons.push(Comparison { name, base, cand, second_base, twin });
            if is_control(&point.base) || controlled.contains(&point.base.parent) {
                continue;
            }
            controlled.push(point.base.parent.clone());
            add(&control_of(&point.base), Role::Control, label("none"))?;
        }
        if let Some(Entry { row, refused: Some(why), .. }) =
            entries.iter().find(|entry| entry.row.role == Role::Subject && entry.refused.is_some())
        {
            return Err(BadRoster::Nothing(format!("{}: {why}", row.label)));
        }
        let vs = entries[0].row.label.clone();
        let gate = Gate { alpha, fail_fast: false, margins, left_out: Vec::new(), comparisons };
        Ok(Roster { entries, vs, gate: Some(gate) })
    }
}

/// Setups that are held against each other.
#[derive(Clone, PartialEq)]
struct Point {
    base: Setup,
    cand: Setup,
    second_base: Option<Setup>,
}

fn points(scenario: &Scenario, sides: &Sides) -> Result<Vec<Point>, BadRoster> {
    let mut points = Vec::new();
    for common in scenario.expand()? {
        let with = |settings| -> Result<Setup, BadRoster> {
            let mut setup = common.clone();
            apply(&mut setup, settings)?;
            let wrong = setup.parent.shape.impossible();
            if let Some(why) = wrong.or_else(|| crate::model::workload::misplaced(&setup)) {
                return Err(BadScenario::Impossible(why).into());
            }
            if find(&setup.work.mechanism)?.ignores_image() {
                setup.work = setup.work.without_image();
            }
            Ok(setup)
        };
        let second_base = sides.second_base.as_deref().map(with).transpose()?;
        let point = Point { base: with(&sides.base)?, cand: with(&sides.cand)?, second_base };
        // Where a side sets what the points differ in, they are one.
        if !points.contains(&point) {
            points.push(point);
        }
    }
    Ok(points)
}

/// What the sides of each point have in common and the points do not; of a single one the
/// mechanism, where both sides have the same, and else what a turn does.
fn names(points: &[Point]) -> Vec<String> {
    let common = |point: &Point, knob: &knob::Knob| {
        let value = (knob.get)(&point.base);
        (value == (knob.get)(&point.cand)).then_some(value)
    };
    let varies = |knob: &&knob::Knob| {
        let mut values = points.iter().map(|point| common(point, knob));
        let first = values.next();
        values.any(|value| Some(value) != first)
    };
    let helpers = helper_names(points.iter().flat_map(|point| [&point.base, &point.cand]));
    let short = |mechanism: String| match helpers.iter().find(|(long, _)| *long == mechanism) {
        Some((_, name)) => name.clone(),
        None => mechanism,
    };
    let varying: Vec<&knob::Knob> = KNOBS.iter().filter(varies).collect();
    let name = |point: &Point| {
        let mut words = Vec::new();
        for knob in &varying {
            match common(point, knob) {
                Some(value) if knob.name == "mechanism" => words.push(short(value)),
                Some(value) => words.push(format!("{}={value}", knob.name)),
                None => {}
            }
        }
        if words.is_empty() {
            let (base, cand) = (&point.base.work, &point.cand.work);
            let same = base.mechanism == cand.mechanism;
            let word = if same { base.mechanism.clone() } else { base.workload.word().to_owned() };
            words.push(short(word));
        }
        words.join(" ")
    };
    points.iter().map(name).collect()
}

/// Whether a spawn costs so much that a twin would take the budget from the sides: the memory is
/// written again after each.
fn is_dear(setup: &Setup) -> Result<bool, BadRoster> {
    let copies = Mechanism::copies_pages(find(&setup.work.mechanism)?);
    Ok(copies && setup.parent.shape.is_write_protected_by_fork())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::scenario::{Axis, Setting};

    fn settings(settings: &[(&str, &str)]) -> Vec<Setting> {
        let of = |(knob, value): &(&str, &str)| Setting {
            knob: (*knob).to_owned(),
            value: (*value).to_owned(),
        };
        settings.iter().map(of).collect()
    }

    fn roster(axes: Vec<Axis>, base: &[(&str, &str)], cand: &[(&str, &str)]) -> Roster {
        let scenario = Scenario {
            name: CHECK.to_owned(),
            base: settings(&[("mechanism", "posix_spawn")]),
            axes,
            ..Scenario::default()
        };
        let sides = Sides { base: settings(base), cand: settings(cand), second_base: None };
        Roster::of_sides(&scenario, &sides, 0.01, Vec::new()).unwrap()
    }

    fn told(roster: &Roster) -> Vec<String> {
        let entry = |e: &Entry| format!("{}: {} ({:?})", e.row.label, e.row.settings, e.row.role);
        roster.entries.iter().map(entry).collect()
    }

    #[test]
    fn equal_sides_stay_two() {
        let roster = roster(Vec::new(), &[], &[]);
        assert_eq!(
            told(&roster),
            [
                "base:  (Subject)",
                "cand:  (Subject)",
                "base (twin):  (Twin)",
                "none: mechanism=none (Control)"
            ]
        );
        let gate = roster.gate.unwrap();
        let comparison = &gate.comparisons[0];
        assert_eq!(comparison.name, "posix_spawn");
        assert_eq!((comparison.base, comparison.cand, comparison.twin), (0, 1, Some(2)));
    }

    #[test]
    fn points_are_told_by_what_they_differ_in() {
        let axes = vec![
            Axis::list("rss", &["0".to_owned(), "1M".to_owned()]),
            Axis::list("mechanism", &["fork".to_owned(), "vfork".to_owned()]),
        ];
        let roster = roster(axes, &[("image", "noop")], &[("image", "dynamic")]);
        let names: Vec<String> =
            roster.gate.unwrap().comparisons.into_iter().map(|c| c.name).collect();
        assert_eq!(names, ["rss=0 fork", "rss=0 vfork", "rss=1MiB fork", "rss=1MiB vfork"]);
        let labels: Vec<&str> = roster.entries.iter().map(|e| e.row.label.as_str()).collect();
        assert!(labels.contains(&"rss=1MiB vfork cand"), "{labels:?}");
        // A fork of memory that is written again after each is dear enough without a twin.
        assert!(!labels.contains(&"rss=1MiB fork base (twin)"), "{labels:?}");
    }

    #[test]
    fn a_side_comes_before_what_is_common() {
        let axes = vec![Axis::list("mechanism", &["fork".to_owned(), "vfork".to_owned()])];
        let roster = roster(axes, &[("mechanism", "vfork")], &[("mechanism", "clone3-vm")]);
        let gate = roster.gate.unwrap();
        assert_eq!(gate.comparisons.len(), 1);
        assert_eq!(gate.comparisons[0].name, "spawn");
    }
}
