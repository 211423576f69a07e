//! Who takes part in a run: the variants that were asked for, and those that every run carries.

pub mod sides;

use serde::{Deserialize, Serialize};

use crate::measure::mechanism::{self, MECHANISMS, Mechanism};
use crate::measure::workload;
use crate::model::gate::Gate;
use crate::model::knob;
use crate::model::nearest;
use crate::model::row::Role;
use crate::model::scenario::{BadScenario, Scenario};
use crate::model::setup::{Parent, Setup};
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
    /// What is held against each other; none of a run that is no check.
    pub gate: Option<Gate>,
}

impl Roster {
    /// Expands scenarios and adds what every run carries: for each shape the control and a twin of
    /// the variant that others are compared with, and all mechanisms in an empty parent.
    ///
    /// `vs` is what the user wants ratios to be against, in place of what the scenarios say.
    ///
    /// # Errors
    ///
    /// When a scenario does not expand, names what is not, or nothing of it can be measured.
    pub fn of(scenarios: &[Scenario], vs: Option<&str>) -> Result<Roster, BadRoster> {
        let mut asked: Vec<Asked> = Vec::new();
        for scenario in scenarios {
            let unmet = &scenario.unmet;
            for mut setup in scenario.expand()? {
                if find(&setup.work.mechanism)?.ignores_image() {
                    setup.work = setup.work.without_image();
                }
                if is_control(&setup) {
                    setup.work = (workload::find(setup.work.workload).control)(setup.work);
                }
                match asked.iter_mut().find(|other| other.setup == setup) {
                    // One scenario that can be measured is enough.
                    Some(other) if unmet.is_none() => other.unmet = None,
                    Some(_) => {}
                    None => asked.push(Asked {
                        scenario: scenario.name.clone(),
                        setup,
                        unmet: unmet.clone(),
                    }),
                }
            }
        }
        let named: Vec<String> = scenarios
            .iter()
            .map(|scenario| versus(scenario, &asked, vs))
            .collect::<Result<_, _>>()?;
        let mut all: Vec<(Asked, Role)> = Vec::new();
        for asked in &asked {
            let role = if is_control(&asked.setup) { Role::Control } else { Role::Subject };
            all.push((asked.clone(), role));
        }
        for (scenario, vs) in scenarios.iter().zip(&named) {
            for asked in asked.iter().filter(|a| a.scenario == scenario.name) {
                company(asked, vs, &mut all);
            }
        }
        for asked in &asked {
            let mut reference = asked.clone();
            reference.setup.parent = Parent::default();
            // What cannot be done in an empty parent has no reference there.
            let Setup { parent, work } = &reference.setup;
            let cannot = mechanism::find(&work.mechanism)
                .is_some_and(|m| workload::can(&parent.shape, work, m).is_err());
            if reference.setup.parent == asked.setup.parent
                || cannot
                || all.iter().any(|(other, _)| other.setup == reference.setup)
            {
                continue;
            }
            let role = if is_control(&asked.setup) { Role::Control } else { Role::Reference };
            all.push((reference, role));
        }
        let entries = label(all)?;
        let mut asked_for = entries.iter().filter(|e| e.row.role == Role::Subject).peekable();
        if asked_for.peek().is_some() && asked_for.clone().all(|entry| entry.refused.is_some()) {
            return Err(BadRoster::Nothing(reasons(asked_for)));
        }
        let vs = named.into_iter().next().unwrap_or_else(|| VERSUS.to_owned());
        Ok(Roster { entries, vs, gate: None })
    }
}

/// Why entries are refused, each reason once with the labels of all that it holds for.
fn reasons<'a>(entries: impl Iterator<Item = &'a Entry>) -> String {
    let mut reasons: Vec<(&str, Vec<&str>)> = Vec::new();
    for entry in entries {
        let why = entry.refused.as_deref().unwrap_or_default();
        match reasons.iter_mut().find(|(reason, _)| *reason == why) {
            Some((_, labels)) => labels.push(&entry.row.label),
            None => reasons.push((why, vec![&entry.row.label])),
        }
    }
    let each = reasons.iter().map(|(why, labels)| format!("{}: {why}", labels.join(", ")));
    each.collect::<Vec<_>>().join("; ")
}

/// A setup that was asked for.
#[derive(Clone)]
struct Asked {
    /// The scenario that asks first.
    scenario: String,
    setup: Setup,
    /// Why this machine does not have what its scenarios require.
    unmet: Option<String>,
}

/// Adds what a setup is to be measured beside: the control of its parent, and a twin.
fn company(asked: &Asked, vs: &str, all: &mut Vec<(Asked, Role)>) {
    if is_control(&asked.setup) || workload::find(asked.setup.work.workload).whole {
        return;
    }
    let beside = |role: Role, all: &[(Asked, Role)]| {
        all.iter().any(|(other, r)| *r == role && other.setup.parent == asked.setup.parent)
    };
    if !beside(Role::Control, all) {
        let setup = control_of(&asked.setup);
        all.push((Asked { setup, ..asked.clone() }, Role::Control));
    }
    // A twin that copies page tables costs as much as all the rest: one in each scenario tells
    // enough.
    let dear = mechanism::find(vs).is_some_and(Mechanism::copies_pages);
    let has_one = all
        .iter()
        .any(|(other, role)| *role == Role::Twin && dear && other.scenario == asked.scenario);
    if asked.setup.work.mechanism == vs && !beside(Role::Twin, all) && !has_one {
        all.push((asked.clone(), Role::Twin));
    }
}

/// Which mechanism the others of a scenario are compared with: as the user says, as it says itself,
/// posix_spawn, or its first.
fn versus(scenario: &Scenario, asked: &[Asked], given: Option<&str>) -> Result<String, BadRoster> {
    let setups = scenario.expand()?;
    let mut names: Vec<&str> = Vec::new();
    for Asked { setup, .. } in asked {
        let usable = !is_control(setup)
            && mechanism::find(&setup.work.mechanism).is_some_and(|m| {
                workload::can(&setup.parent.shape, &setup.work, m).is_ok()
                    && (m.available)().is_ok()
            });
        if usable && !names.contains(&setup.work.mechanism.as_str()) {
            names.push(&setup.work.mechanism);
        }
    }
    let own: Vec<&str> = names
        .iter()
        .copied()
        .filter(|name| setups.iter().any(|setup| setup.work.mechanism == *name))
        .collect();
    let says = scenario.contrast.0.iter().find(|setting| setting.knob == "mechanism");
    match given {
        Some(given) if names.contains(&given) => return Ok(given.to_owned()),
        Some(given) => {
            return Err(BadRoster::UnknownVersus {
                given: given.to_owned(),
                all: if names.is_empty() { "none".to_owned() } else { names.join(", ") },
            });
        }
        None => {}
    }
    Ok(match says {
        Some(says) if own.contains(&says.value.as_str()) => says.value.clone(),
        _ if own.contains(&VERSUS) => VERSUS.to_owned(),
        _ => own.first().copied().unwrap_or(VERSUS).to_owned(),
    })
}

/// The control of a setup: in the same parent, and no process is made.
fn control_of(setup: &Setup) -> Setup {
    let mut work = setup.work.clone().without_image();
    work.mechanism = "none".to_owned();
    let work = (workload::find(work.workload).control)(work);
    Setup { parent: setup.parent.clone(), work }
}

fn is_control(setup: &Setup) -> bool {
    setup.work.mechanism == "none"
}

/// The mechanism of that name.
///
/// # Errors
///
/// When there is none.
pub fn find(name: &str) -> Result<&'static Mechanism, BadRoster> {
    let names = || MECHANISMS.iter().map(|m| m.name);
    mechanism::find(name).ok_or_else(|| BadRoster::UnknownMechanism {
        given: name.to_owned(),
        nearest: nearest(name, names()),
        all: names().collect::<Vec<_>>().join(", "),
    })
}

/// Knobs that only an image has.
const OF_IMAGES: [&str; 6] = ["image", "env-bytes", "args-bytes", "path-dirs", "actions", "nofile"];

/// Gives every variant its number and a label that is short and unique.
fn label(all: Vec<(Asked, Role)>) -> Result<Vec<Entry>, BadRoster> {
    let main_shapes = all
        .iter()
        .filter(|(_, role)| *role == Role::Subject)
        .map(|(asked, _)| knob::shape_label(&asked.setup))
        .fold(Vec::new(), |mut shapes: Vec<String>, shape| {
            if !shapes.contains(&shape) {
                shapes.push(shape);
            }
            shapes
        });
    // The control does other work than the rest where there is nothing that it could do of theirs:
    // what varies is asked for of each kind by itself.
    let varying = |control: bool| -> Vec<&knob::Knob> {
        knob::KNOBS
            .iter()
            .filter(|knob| knob.group == knob::Group::Work && knob.name != "mechanism")
            .filter(|knob| {
                // An image is of no account to the control, whatever the others have.
                let of_account = |setup: &Setup| {
                    !OF_IMAGES.contains(&knob.name)
                        || mechanism::find(&setup.work.mechanism)
                            .is_some_and(|m| !m.ignores_image())
                };
                let mut values = all
                    .iter()
                    .filter(|(asked, role)| {
                        (*role == Role::Control) == control && of_account(&asked.setup)
                    })
                    .map(|(asked, _)| (knob.get)(&asked.setup));
                let first = values.next();
                values.any(|value| Some(value) != first)
            })
            .collect()
    };
    let varying = [varying(false), varying(true)];
    let helpers = helper_names(all.iter().map(|(asked, _)| &asked.setup));
    let mut entries = Vec::with_capacity(all.len());
    for (number, (asked, role)) in all.into_iter().enumerate() {
        let Asked { scenario, setup, unmet } = asked;
        let mechanism = find(&setup.work.mechanism)?;
        let shape = knob::shape_label(&setup);
        let mut label = String::new();
        if main_shapes.len() > 1 || main_shapes.first() != Some(&shape) {
            label = format!("{shape} ");
        }
        let helper = helpers.iter().find(|(mechanism, _)| *mechanism == setup.work.mechanism);
        label.push_str(helper.map_or(&setup.work.mechanism, |(_, name)| name));
        for knob in &varying[usize::from(role == Role::Control)] {
            if OF_IMAGES.contains(&knob.name) && mechanism.ignores_image() {
                continue;
            }
            label.push_str(&format!(" {}={}", knob.name, (knob.get)(&setup)));
        }
        if role == Role::Twin {
            label.push_str(" (twin)");
        }
        entries.push(entry(number as u32, scenario, setup, role, label, unmet)?);
    }
    Ok(entries)
}

/// What stands in labels for each mechanism that is a helper: as little of its command as tells it
/// from the others.
fn helper_names<'a>(setups: impl Iterator<Item = &'a Setup>) -> Vec<(String, String)> {
    let mut commands: Vec<&str> = setups.filter_map(|setup| setup.work.helper()).collect();
    commands.sort_unstable();
    commands.dedup();
    let forms: Vec<[String; 3]> = commands.iter().map(|command| forms(command)).collect();
    let name = |own: &[String; 3]| {
        let unique = (0..own.len() - 1)
            .find(|form| forms.iter().filter(|other| other[*form] == own[*form]).count() == 1);
        format!("extern:{}", own[unique.unwrap_or(own.len() - 1)])
    };
    commands.iter().zip(&forms).map(|(c, own)| (format!("extern:{c}"), name(own))).collect()
}

/// A command by its program, by all its words without directories, and as it is. The program of
/// `python3 -u examples/server.py` is the script.
fn forms(command: &str) -> [String; 3] {
    let words = shlex::split(command).unwrap_or_default();
    let base = |word: &str| word.rsplit('/').next().unwrap_or_default().to_owned();
    let first = words.first().map(String::as_str).unwrap_or_default();
    let is_script = |word: &&String| !word.starts_with('-') && word.contains(['/', '.']);
    let program = match words.iter().skip(1).find(is_script) {
        Some(script) if !first.contains('/') => script,
        _ => first,
    };
    let all = words.iter().map(|word| base(word)).collect::<Vec<_>>().join(" ");
    [base(program), all, command.to_owned()]
}

/// The variant of that number and label. `unmet` is why this machine does not have what it takes.
fn entry(
    number: u32,
    scenario: String,
    setup: Setup,
    role: Role,
    label: String,
    unmet: Option<String>,
) -> Result<Entry, BadRoster> {
    let mechanism = find(&setup.work.mechanism)?;
    let refused = workload::can(&setup.parent.shape, &setup.work, mechanism)
        .and_then(|()| (mechanism.available)());
    Ok(Entry {
        row: VariantRow {
            variant: number,
            scenario,
            label,
            role,
            shape: knob::shape_label(&setup),
            mechanism: setup.work.mechanism.clone(),
            image: (knob::find("image").expect("a knob").get)(&setup),
            workload: setup.work.workload.word().to_owned(),
            copies_pages: mechanism.copies_pages(),
            settings: knob::settings(&setup),
        },
        setup,
        refused: unmet.or(refused.err().map(|refusal| refusal.to_string())),
    })
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
    fn helpers_stand_in_labels_by_as_little_of_their_commands_as_tells_them_apart() {
        let of = |commands: &[&str]| -> Vec<String> {
            let setup = |command: &&str| {
                let mut setup = Setup::default();
                setup.work.mechanism = format!("extern:{command}");
                setup
            };
            let setups: Vec<Setup> = commands.iter().map(setup).collect();
            let names = helper_names(setups.iter());
            let name = |setup: &Setup| names.iter().find(|n| n.0 == setup.work.mechanism);
            setups.iter().map(|setup| name(setup).unwrap().1.clone()).collect()
        };
        assert_eq!(of(&["/x/y/server -v"]), ["extern:server"]);
        assert_eq!(of(&["python3 -u a/s.py", "sh b/s.sh"]), ["extern:s.py", "extern:s.sh"]);
        let twice = of(&["python3 a/s.py one", "python3 a/s.py two", "./s"]);
        assert_eq!(twice, ["extern:python3 s.py one", "extern:python3 s.py two", "extern:s"]);
        assert_eq!(of(&["a/s", "b/s"]), ["extern:a/s", "extern:b/s"]);
        assert_eq!(of(&["sh"]), ["extern:sh"]);
    }

    #[test]
    fn a_control_that_does_other_work_puts_nothing_into_the_labels() {
        let axes = [("workload", &["pipeline"][..]), ("mechanism", &["fork", "vfork"])];
        let labels = labels(&roster(&axes, None).unwrap());
        assert_eq!(labels[..2], ["fork Subject", "vfork Subject"]);
        assert!(labels.contains(&"none Control".to_owned()), "{labels:?}");
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
