//! Who takes part in a run: the variants that were asked for, and those that every run carries.

use serde::{Deserialize, Serialize};

use crate::measure::mechanism::{self, MECHANISMS, Mechanism};
use crate::model::knob;
use crate::model::nearest;
use crate::model::row::Role;
use crate::model::scenario::{BadScenario, Scenario};
use crate::model::setup::{Image, Parent, Setup};
use crate::record::rows::VariantRow;

/// One variant: its row, and what it does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Its row of `variants.csv`.
    pub row: VariantRow,
    /// Its setup.
    pub setup: Setup,
    /// Why it cannot be measured here; it is then in no plan, and a row says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
}

/// Why there is nothing to run.
#[derive(Debug, thiserror::Error)]
pub enum BadRoster {
    /// The scenario does not expand.
    #[error(transparent)]
    Scenario(#[from] BadScenario),
    /// An unknown mechanism.
    #[error("there is no mechanism `{given}`{} allowed are {all}", suggestion(.nearest))]
    UnknownMechanism {
        /// What was given.
        given: String,
        /// The nearest name, if one is near.
        nearest: Option<&'static str>,
        /// All names.
        all: String,
    },
    /// `--vs` names nothing in the run.
    #[error("--vs `{given}` is no variant of this run; allowed are {all}")]
    UnknownVersus {
        /// What was given.
        given: String,
        /// What there is.
        all: String,
    },
    /// Nothing that was asked for can be had.
    #[error("nothing can be measured: {0}")]
    Nothing(String),
}

fn suggestion(nearest: &Option<&'static str>) -> String {
    nearest.map_or(";".to_owned(), |name| format!(" (did you mean `{name}`?);"))
}

/// The mechanism with which others are compared unless the user says otherwise.
const VERSUS: &str = "posix_spawn";

/// The variants of a run and the one that others are compared with.
#[derive(Clone, Debug, PartialEq)]
pub struct Roster {
    /// Every variant; its number is its place.
    pub entries: Vec<Entry>,
    /// What ratios are against: a label or the name of a mechanism.
    pub vs: String,
}

impl Roster {
    /// Expands scenarios and adds what every run carries: for each shape the control and a twin of
    /// the variant that others are compared with, and all mechanisms in an empty parent.
    pub fn of(scenarios: &[Scenario], vs: Option<&str>) -> Result<Roster, BadRoster> {
        let mut asked: Vec<(String, Setup)> = Vec::new();
        for scenario in scenarios {
            for mut setup in scenario.expand()? {
                if find(&setup.work.mechanism)?.ignores_image() {
                    setup.work.image = Image::Noop;
                }
                if asked.iter().all(|(_, other)| *other != setup) {
                    asked.push((scenario.name.clone(), setup));
                }
            }
        }
        let vs = versus(&asked, vs)?;
        let mut all: Vec<(String, Role, Setup)> = Vec::new();
        for (scenario, setup) in &asked {
            let role = if is_control(setup) { Role::Control } else { Role::Subject };
            all.push((scenario.clone(), role, setup.clone()));
        }
        for (scenario, setup) in &asked {
            if is_control(setup) {
                continue;
            }
            let mut control = setup.clone();
            control.work.mechanism = "none".to_owned();
            control.work.image = Image::Noop;
            let has_control =
                all.iter().any(|(_, role, s)| *role == Role::Control && s.parent == setup.parent);
            if !has_control {
                all.push((scenario.clone(), Role::Control, control));
            }
            let has_twin =
                all.iter().any(|(_, role, s)| *role == Role::Twin && s.parent == setup.parent);
            if setup.work.mechanism == vs && !has_twin {
                all.push((scenario.clone(), Role::Twin, setup.clone()));
            }
        }
        for (scenario, setup) in &asked {
            let mut reference = setup.clone();
            reference.parent = Parent::default();
            if reference.parent == setup.parent || all.iter().any(|(_, _, s)| *s == reference) {
                continue;
            }
            let role = if is_control(setup) { Role::Control } else { Role::Reference };
            all.push((scenario.clone(), role, reference));
        }
        let entries = label(all)?;
        let refusals: Vec<String> = entries
            .iter()
            .filter(|e| e.row.role == Role::Subject)
            .map(|e| e.refused.as_ref().map(|why| format!("{}: {why}", e.row.label)))
            .collect::<Option<_>>()
            .unwrap_or_default();
        if !refusals.is_empty() {
            return Err(BadRoster::Nothing(refusals.join("; ")));
        }
        Ok(Roster { entries, vs })
    }
}

/// Which variant the others are compared with: as given, or posix_spawn, or the first.
fn versus(asked: &[(String, Setup)], given: Option<&str>) -> Result<String, BadRoster> {
    let mut names: Vec<&str> = Vec::new();
    for (_, setup) in asked {
        let usable = !is_control(setup)
            && mechanism::find(&setup.work.mechanism)
                .is_some_and(|m| m.can(&setup.work.image).is_ok() && (m.available)().is_ok());
        if usable && !names.contains(&setup.work.mechanism.as_str()) {
            names.push(&setup.work.mechanism);
        }
    }
    match given {
        Some(given) if names.contains(&given) => Ok(given.to_owned()),
        Some(given) => Err(BadRoster::UnknownVersus {
            given: given.to_owned(),
            all: if names.is_empty() { "none".to_owned() } else { names.join(", ") },
        }),
        None if names.contains(&VERSUS) => Ok(VERSUS.to_owned()),
        None => Ok(names.first().copied().unwrap_or(VERSUS).to_owned()),
    }
}

fn is_control(setup: &Setup) -> bool {
    setup.work.mechanism == "none"
}

fn find(name: &str) -> Result<&'static Mechanism, BadRoster> {
    let names = || MECHANISMS.iter().map(|m| m.name);
    mechanism::find(name).ok_or_else(|| BadRoster::UnknownMechanism {
        given: name.to_owned(),
        nearest: nearest(name, names()),
        all: names().collect::<Vec<_>>().join(", "),
    })
}

/// Gives every variant its number and a label that is short and unique.
fn label(all: Vec<(String, Role, Setup)>) -> Result<Vec<Entry>, BadRoster> {
    let main_shapes = all
        .iter()
        .filter(|(_, role, _)| *role == Role::Subject)
        .map(|(_, _, setup)| knob::shape_label(setup))
        .fold(Vec::new(), |mut shapes: Vec<String>, shape| {
            if !shapes.contains(&shape) {
                shapes.push(shape);
            }
            shapes
        });
    let varying: Vec<&knob::Knob> = knob::KNOBS
        .iter()
        .filter(|knob| knob.group == knob::Group::Work && knob.name != "mechanism")
        .filter(|knob| {
            // An image is of no account to the control, whatever the others have.
            let of_account = |setup: &Setup| {
                knob.name != "image"
                    || mechanism::find(&setup.work.mechanism).is_some_and(|m| !m.ignores_image())
            };
            let mut values = all
                .iter()
                .filter(|(_, _, setup)| of_account(setup))
                .map(|(_, _, setup)| (knob.get)(setup));
            let first = values.next();
            values.any(|value| Some(value) != first)
        })
        .collect();
    let mut entries = Vec::with_capacity(all.len());
    for (number, (scenario, role, setup)) in all.into_iter().enumerate() {
        let mechanism = find(&setup.work.mechanism)?;
        let shape = knob::shape_label(&setup);
        let mut label = String::new();
        if main_shapes.len() > 1 || main_shapes.first() != Some(&shape) {
            label = format!("{shape} ");
        }
        label.push_str(&setup.work.mechanism);
        for knob in &varying {
            if knob.name == "image" && mechanism.ignores_image() {
                continue;
            }
            label.push_str(&format!(" {}={}", knob.name, (knob.get)(&setup)));
        }
        if role == Role::Twin {
            label.push_str(" (twin)");
        }
        let refused = mechanism.can(&setup.work.image).and_then(|()| (mechanism.available)());
        entries.push(Entry {
            row: VariantRow {
                variant: number as u32,
                scenario,
                label,
                role,
                shape,
                mechanism: setup.work.mechanism.clone(),
                image: (knob::find("image").expect("a knob").get)(&setup),
                workload: "spawn".to_owned(),
                copies_pages: mechanism.copies_pages(),
                settings: knob::settings(&setup),
            },
            setup,
            refused: refused.err().map(|refusal| refusal.to_string()),
        });
    }
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::scenario::Axis;

    fn roster(axes: &[(&str, &[&str])], vs: Option<&str>) -> Result<Roster, BadRoster> {
        let axes = axes
            .iter()
            .map(|(knob, values)| {
                Axis::list(knob, &values.iter().map(|v| v.to_string()).collect::<Vec<_>>())
            })
            .collect();
        let scenario = Scenario { name: "t".into(), axes, ..Scenario::default() };
        Roster::of(&[scenario], vs)
    }

    fn labels(roster: &Roster) -> Vec<String> {
        roster.entries.iter().map(|e| format!("{} {:?}", e.row.label, e.row.role)).collect()
    }

    #[test]
    fn every_run_carries_control_twin_and_empty_parent() {
        let roster = roster(&[("rss", &["1G"]), ("mechanism", &["fork", "posix_spawn"])], None);
        let roster = roster.unwrap();
        assert_eq!(roster.vs, "posix_spawn");
        assert_eq!(
            labels(&roster),
            [
                "fork Subject",
                "posix_spawn Subject",
                "none Control",
                "posix_spawn (twin) Twin",
                "empty fork Reference",
                "empty posix_spawn Reference",
            ]
        );
    }

    #[test]
    fn an_empty_parent_that_was_asked_for_is_its_own_reference() {
        let roster = roster(&[("rss", &["0", "1G"]), ("mechanism", &["none", "vfork"])], None);
        let roster = roster.unwrap();
        assert_eq!(roster.vs, "vfork");
        assert!(roster.entries.iter().all(|e| e.row.role != Role::Reference));
        assert!(labels(&roster).contains(&"rss=1GiB vfork (twin) Twin".to_owned()));
    }

    #[test]
    fn what_varies_stands_in_the_label() {
        let roster =
            roster(&[("image", &["noop", "exit"]), ("mechanism", &["none", "fork"])], None);
        let roster = roster.unwrap();
        let labels = labels(&roster);
        assert!(labels.contains(&"fork image=exit Subject".to_owned()), "{labels:?}");
        assert_eq!(labels.iter().filter(|l| l.starts_with("none")).count(), 1, "{labels:?}");
    }

    #[test]
    fn bad_names_are_told_with_the_nearest() {
        let error = roster(&[("mechanism", &["frok"])], None).unwrap_err().to_string();
        assert!(error.contains("`frok`") && error.contains("`fork`"), "{error}");
        let error = roster(&[("mechanism", &["fork"])], Some("x")).unwrap_err().to_string();
        assert!(error.contains("`x`") && error.contains("fork"), "{error}");
        let only = roster(&[("image", &["exit"]), ("mechanism", &["posix_spawn"])], None);
        assert!(matches!(only, Err(BadRoster::Nothing(_))));
    }
}
