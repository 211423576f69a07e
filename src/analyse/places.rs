//! Which variants a place on the axes of a scenario means.
//!
//! A scenario is expanded as it was when the run was planned, and each of its setups is looked for
//! among the variants of the run by its equal: scenarios share variants, and the column `scenario`
//! names only the first that asked. A twin is never meant. Where no setup of the scenario itself
//! has the settings, the controls of its parents are asked, and then the same work in an empty
//! parent, which every run carries.

use super::cells::Cells;
use crate::model::claim::Place;
use crate::model::knob::{self, KNOBS};
use crate::model::row::{EventKind, Outcome, Role};
use crate::model::scenario::{Axis, Scenario, Setting};
use crate::model::setup::{Image, Parent, Setup};
use crate::record::rows::{EventRow, LaunchRow, VariantRow};

/// The variants of one scenario.
pub(super) struct Places {
    candidates: Vec<Candidate>,
    scenario: Scenario,
}

/// A variant, as something of the scenario.
#[derive(Clone, Debug, PartialEq)]
struct Candidate {
    /// The setup as the scenario asks for it.
    setup: Setup,
    /// Place of the variant in [`Cells::variants`].
    index: usize,
    rank: Rank,
}

/// What a variant is to a scenario; of two, the first is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    /// The scenario asks for it.
    Own,
    /// The control in one of its parents.
    Control,
    /// The same work in an empty parent.
    Reference,
}

/// One point of an axis, with the variant that stands there.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Stop {
    /// The value of the knob in bytes or things; none where it is no number.
    pub(super) x: Option<f64>,
    /// The value as text, or the settings of the point.
    pub(super) label: String,
    /// Place of the variant in [`Cells::variants`].
    pub(super) index: usize,
}

impl Places {
    pub(super) fn of(cells: &Cells, scenario: &Scenario) -> Places {
        let mut places = Places { candidates: Vec::new(), scenario: scenario.clone() };
        // A plan holds what was expanded once; one of a version with other knobs may not expand.
        let asked = scenario.expand().unwrap_or_default();
        for setup in &asked {
            places.add(cells, setup.clone(), Rank::Own);
        }
        for setup in &asked {
            let mut control = setup.clone();
            control.work.mechanism = "none".to_owned();
            places.add(cells, control, Rank::Control);
        }
        for setup in &asked {
            places.add(
                cells,
                Setup { parent: Parent::default(), ..setup.clone() },
                Rank::Reference,
            );
        }
        places
    }

    /// The variants of a whole run, whichever of its scenarios asked for them. `axis` is the name
    /// of an axis along which they are looked for.
    pub(super) fn of_run(cells: &Cells, axis: Option<&str>) -> Places {
        let has_it =
            |one: &&Scenario| one.axes.iter().any(|known| Some(known.name.as_str()) == axis);
        let scenario = cells.scenarios.iter().find(has_it).or(cells.scenarios.first());
        let mut places =
            Places { candidates: Vec::new(), scenario: scenario.cloned().unwrap_or_default() };
        for (index, (row, setup)) in cells.variants.iter().zip(&cells.setups).enumerate() {
            let rank = match row.role {
                Role::Subject => Rank::Own,
                Role::Control => Rank::Control,
                Role::Reference => Rank::Reference,
                Role::Twin => continue,
            };
            let Some(setup) = setup.clone() else { continue };
            places.candidates.push(Candidate { setup, index, rank });
        }
        places
    }

    fn add(&mut self, cells: &Cells, setup: Setup, rank: Rank) {
        let index = match rank {
            Rank::Control => control(cells, &setup),
            Rank::Own | Rank::Reference => variant(cells, &setup),
        };
        let Some(index) = index else { return };
        if self.candidates.iter().all(|known| known.setup != setup) {
            self.candidates.push(Candidate { setup, index, rank });
        }
    }

    /// The variants that the scenario asks for, as it asks for them.
    pub(super) fn own(&self) -> impl Iterator<Item = (&Setup, usize)> {
        let own = self.candidates.iter().filter(|candidate| candidate.rank == Rank::Own);
        own.map(|candidate| (&candidate.setup, candidate.index))
    }

    /// The one variant that a place means.
    ///
    /// # Errors
    ///
    /// That there is none, or several, as words that name the place.
    pub(super) fn one(&self, place: &Place) -> Result<usize, String> {
        the_one(&self.matches(place)?, &place.to_string())
    }

    /// The variants that a place means along an axis: the points of the scenario's axis of that
    /// name, or the values of the knob.
    ///
    /// # Errors
    ///
    /// That there are none, or several at one point, as words.
    pub(super) fn along(&self, place: &Place, over: &str) -> Result<Vec<Stop>, String> {
        let matches = self.matches(place)?;
        let axis = self.scenario.axes.iter().find(|axis| axis.name == over);
        let knob = knob::find(over);
        if let (None, Some(axis)) = (knob, axis) {
            let stop = |point: &Vec<Setting>| {
                // Its setups, and not all that have its settings: a point may set less than another.
                let mut only = self.scenario.clone();
                only.set_axis(Axis { name: over.to_owned(), points: vec![point.clone()] });
                let setups = only.expand().unwrap_or_default();
                let of_point = |candidate: &&Candidate| setups.contains(&candidate.setup);
                let here: Vec<&Candidate> = matches.iter().copied().filter(of_point).collect();
                stop_of_point(&here, place, point)
            };
            return axis.points.iter().map(stop).collect();
        }
        let Some(knob) = knob else {
            return Err(format!("{} has no axis `{over}`", self.scenario.name));
        };
        let mut values: Vec<String> = Vec::new();
        for value in matches.iter().map(|candidate| (knob.get)(&candidate.setup)) {
            if !values.contains(&value) {
                values.push(value);
            }
        }
        let mut stops = values
            .into_iter()
            .map(|value| {
                let here: Vec<&Candidate> = matches
                    .iter()
                    .copied()
                    .filter(|candidate| (knob.get)(&candidate.setup) == value)
                    .collect();
                let mut at = place.clone();
                at.0.retain(|setting| setting.knob != over);
                at.0.push(Setting { knob: over.to_owned(), value: value.clone() });
                Ok(Stop {
                    x: here.first().and_then(|candidate| knob::number(knob, &candidate.setup)),
                    label: value,
                    index: the_one(&here, &at.to_string())?,
                })
            })
            .collect::<Result<Vec<Stop>, String>>()?;
        let order = |stop: &Stop| stop.x.unwrap_or_default();
        stops.sort_by(|one, next| order(one).total_cmp(&order(next)));
        Ok(stops)
    }

    /// The candidates that have the settings, of the first rank that has any.
    fn matches(&self, place: &Place) -> Result<Vec<&Candidate>, String> {
        for rank in [Rank::Own, Rank::Control, Rank::Reference] {
            let found: Vec<&Candidate> = self
                .candidates
                .iter()
                .filter(|candidate| candidate.rank == rank && place.holds(&candidate.setup))
                .collect();
            if !found.is_empty() {
                return Ok(found);
            }
        }
        Err(format!("no variant of this run has {place}{}", self.what_there_is(place)))
    }

    /// For the first setting that no variant has: the values that there are.
    fn what_there_is(&self, place: &Place) -> String {
        for setting in &place.0 {
            let Some(knob) = knob::find(&setting.knob) else { continue };
            let mut values: Vec<String> = Vec::new();
            for candidate in &self.candidates {
                let value = (knob.get)(&candidate.setup);
                if !values.contains(&value) {
                    values.push(value);
                }
            }
            if !values.is_empty() && !values.contains(&setting.value) {
                return format!("; its {} is {}", setting.knob, values.join(", "));
            }
        }
        String::new()
    }
}

fn stop_of_point(here: &[&Candidate], place: &Place, point: &[Setting]) -> Result<Stop, String> {
    let settings = Place(point.iter().map(canonical).collect());
    let at = Place(place.0.iter().chain(&settings.0).cloned().collect()).to_string();
    if here.is_empty() {
        return Err(format!("no variant of this run has {at}"));
    }
    Ok(Stop { x: None, label: settings.to_string(), index: the_one(here, &at)? })
}

/// The setting as the knob itself prints it: a flag gives it as it was typed.
fn canonical(setting: &Setting) -> Setting {
    let value = knob::find(&setting.knob).and_then(|knob| {
        let mut setup = Setup::default();
        (knob.set)(&mut setup, &setting.value).ok()?;
        Some((knob.get)(&setup))
    });
    Setting { value: value.unwrap_or_else(|| setting.value.clone()), ..setting.clone() }
}

/// The variant of all these; of several, an error says what would tell them apart.
fn the_one(candidates: &[&Candidate], place: &str) -> Result<usize, String> {
    let mut indices: Vec<usize> = candidates.iter().map(|candidate| candidate.index).collect();
    indices.sort_unstable();
    indices.dedup();
    match indices[..] {
        [] => Err(format!("no variant of this run has {place}")),
        [index] => Ok(index),
        _ => {
            let differ = KNOBS.iter().filter(|knob| {
                let mut values = candidates.iter().map(|candidate| (knob.get)(&candidate.setup));
                let first = values.next();
                values.any(|value| Some(value) != first)
            });
            let names: Vec<&str> = differ.map(|knob| knob.name).collect();
            let (count, which) = (indices.len(), names.join(" and "));
            Err(format!("{place} matches {count} variants; say which {which}"))
        }
    }
}

/// Place of the variant of that setup. A mechanism that execs nothing, such as the control, has the
/// default image whatever the scenario names.
pub(super) fn variant(cells: &Cells, setup: &Setup) -> Option<usize> {
    let find = |setup: &Setup| {
        cells
            .variants
            .iter()
            .zip(&cells.setups)
            .position(|(row, known)| row.role != Role::Twin && known.as_ref() == Some(setup))
    };
    find(setup).or_else(|| {
        let mut imageless = setup.clone();
        imageless.work.image = Image::Noop;
        find(&imageless)
    })
}

/// Place of the control in the parent of that setup.
fn control(cells: &Cells, setup: &Setup) -> Option<usize> {
    cells.variants.iter().zip(&cells.setups).position(|(row, known)| {
        row.role == Role::Control && known.as_ref().is_some_and(|k| k.parent == setup.parent)
    })
}

/// Why a variant without samples has none: what happened to it, or to its parent.
pub fn missing(row: &VariantRow, events: &[EventRow], launches: &[LaunchRow]) -> String {
    let event = events.iter().find(|event| event.variant == Some(row.variant));
    let launch = launches.iter().find(|launch| {
        launch.shape == row.shape && !matches!(launch.outcome, Outcome::Done | Outcome::Misshapen)
    });
    let told = |what: &str, evidence: &str| {
        if evidence.is_empty() { what.to_owned() } else { format!("{what}: {evidence}") }
    };
    match (event, launch) {
        (Some(event), _) => {
            let what = match event.event {
                EventKind::Refused => "not measured",
                EventKind::Failed => "failed",
                EventKind::Stuck => "stuck",
                EventKind::HungProven => "its child can never go on",
                EventKind::HungUnproven => "its child makes no progress",
                EventKind::Crashed => "its child crashed",
            };
            told(what, &event.evidence)
        }
        (None, Some(launch)) => {
            let what = match launch.outcome {
                Outcome::Unsupported => "not measured",
                Outcome::Stuck => "its parent got stuck",
                Outcome::Interrupted => "interrupted",
                Outcome::Died | Outcome::Done | Outcome::Misshapen => "its parent died",
            };
            told(what, &launch.detail)
        }
        (None, None) => "not measured".to_owned(),
    }
}

/// The setup that the column `settings` of `variants.csv` stands for; none if it is not sure. A
/// value may hold a semicolon (a command line may): a new setting begins where the name of a knob
/// follows that comes later in the registry, in whose order they were written, and the whole must
/// print as it was read.
pub(super) fn setup_of(settings: &str) -> Option<Setup> {
    let mut setup = Setup::default();
    let mut parts: Vec<(usize, String)> = Vec::new();
    for part in settings.split(';') {
        let (name, value) = part.split_once('=').unwrap_or_default();
        let number = KNOBS.iter().position(|knob| knob.name == name);
        match (number, parts.last_mut()) {
            (Some(number), last) if last.as_ref().is_none_or(|last| last.0 < number) => {
                parts.push((number, value.to_owned()));
            }
            (_, Some((_, value))) => {
                value.push(';');
                value.push_str(part);
            }
            (_, None) if part.is_empty() => {}
            (_, None) => return None,
        }
    }
    for (number, value) in &parts {
        (KNOBS[*number].set)(&mut setup, value).ok()?;
    }
    (knob::settings(&setup) == settings).then_some(setup)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::analyse::fixture::{Run, scenario, simulated, variant_of};

    fn place(settings: &[(&str, &str)]) -> Place {
        let setting = |&(knob, value): &(&str, &str)| Setting {
            knob: knob.to_owned(),
            value: value.to_owned(),
        };
        Place(settings.iter().map(setting).collect())
    }

    fn run(text: &str) -> (Cells, Scenario) {
        let scenario = scenario(text);
        (simulated(scenario.clone(), 1, 1, |_, _, _| 5e3).cells(), scenario)
    }

    #[test]
    fn points_that_set_several_knobs_are_found_by_the_name_of_their_axis() {
        let (cells, scenario) = run("mechanism = [\"fork\", \"vfork\"]\nrss = \"2M\"\n\
             [[axis.parent]]\npage = \"thp\"\n[[axis.parent]]\npage = \"4k\"\nspread = 512\n");
        let places = Places::of(&cells, &scenario);
        let stops = places.along(&place(&[("mechanism", "vfork")]), "parent").unwrap();
        let told: Vec<(Option<f64>, &str, &str)> = stops
            .iter()
            .map(|stop| (stop.x, stop.label.as_str(), cells.variants[stop.index].shape.as_str()))
            .collect();
        assert_eq!(
            told,
            [
                (None, "page=thp", "rss=2MiB page=thp"),
                (None, "page=4k spread=512", "rss=2MiB spread=512"),
            ]
        );
        let error = places.along(&Place::default(), "parent").unwrap_err();
        assert_eq!(error, "page=thp matches 2 variants; say which mechanism");
    }

    #[test]
    fn values_of_a_knob_are_sorted_and_a_flag_may_write_them_as_it_likes() {
        let (cells, mut scenario) = run("mechanism = \"fork\"\nrss = [\"1G\", \"0\", \"64M\"]\n");
        scenario.axes[0].points[0][0].value = "1024M".to_owned();
        let places = Places::of(&cells, &scenario);
        let stops = places.along(&Place::default(), "rss").unwrap();
        let told: Vec<(Option<f64>, &str)> =
            stops.iter().map(|stop| (stop.x, stop.label.as_str())).collect();
        let mib = f64::from(1 << 20);
        let expected =
            [(Some(0.0), "0"), (Some(64.0 * mib), "64MiB"), (Some(1024.0 * mib), "1GiB")];
        assert_eq!(told, expected);
    }

    #[test]
    fn a_variant_that_another_scenario_asked_for_first_is_found_and_a_twin_never_is() {
        let first = scenario("mechanism = [\"fork\", \"vfork\"]");
        let mut second = scenario("mechanism = \"fork\"\nimage = [\"noop\", \"exit\"]");
        second.name = "second".to_owned();
        let setups = first.expand().unwrap();
        let exit = second.expand().unwrap().remove(1);
        let variants = vec![
            variant_of(0, Role::Twin, &setups[0]),
            variant_of(1, Role::Subject, &setups[0]),
            variant_of(2, Role::Subject, &setups[1]),
            variant_of(3, Role::Subject, &exit),
        ];
        let cells =
            Run { variants, scenarios: vec![first, second.clone()], ..Run::default() }.cells();
        let places = Places::of(&cells, &second);
        assert_eq!(places.one(&place(&[("image", "noop")])), Ok(1));
        assert_eq!(places.one(&place(&[("image", "exit")])), Ok(3));
        let error = places.one(&place(&[("mechanism", "vfork")])).unwrap_err();
        assert_eq!(error, "no variant of this run has mechanism=vfork; its mechanism is fork");
        assert!(
            places.one(&place(&[("mechanism", "fork")])).unwrap_err().contains("say which image")
        );
    }

    #[test]
    fn the_control_has_no_image_whatever_the_scenario_says() {
        let asked = scenario("mechanism = [\"fork\", \"none\"]\nimage = \"exit\"");
        let setups = asked.expand().unwrap();
        let mut control = setups[1].clone();
        control.work.image = Image::Noop;
        let variants =
            vec![variant_of(0, Role::Subject, &setups[0]), variant_of(1, Role::Control, &control)];
        let cells = Run { variants, ..Run::default() }.cells();
        let places = Places::of(&cells, &asked);
        assert_eq!(places.one(&place(&[("mechanism", "none"), ("image", "exit")])), Ok(1));
    }

    #[test]
    fn settings_are_read_back_even_with_a_semicolon_in_a_command() {
        let mut setup = Setup::default();
        setup.parent.shape.threads = 3;
        setup.parent.prefix = "sh -c 'echo a;rss=1GiB;exec \"$@\"' --".to_owned();
        setup.work.mechanism = "fork".to_owned();
        setup.work.image =
            Image::Command(vec!["/bin/sh".to_owned(), "-c".to_owned(), "a;b=c".to_owned()]);
        let text = knob::settings(&setup);
        assert!(text.contains(";rss=1GiB;exec"), "{text}");
        assert_eq!(setup_of(&text), Some(setup));
        assert_eq!(setup_of(""), Some(Setup::default()));
        assert_eq!(
            (setup_of("spoon=1"), setup_of("rss=many"), setup_of("fds=0")),
            (None, None, None)
        );
    }

    #[test]
    fn a_plan_says_what_the_column_cannot() {
        // What follows the semicolon is a setting, or a part of the prefix.
        let mut setup = Setup::default();
        setup.parent.prefix = "env A=1;image=exit".to_owned();
        let row = variant_of(4, Role::Subject, &setup);
        assert_ne!(setup_of(&row.settings), Some(setup.clone()));
        let directory = tempfile::tempdir().unwrap();
        let writer =
            crate::record::append::Writer::create(directory.path(), std::slice::from_ref(&row))
                .unwrap();
        let mut entry = toml::Table::new();
        entry.insert("row".to_owned(), toml::Value::try_from(&row).unwrap());
        entry.insert("setup".to_owned(), toml::Value::try_from(&setup).unwrap());
        let entries = toml::Value::Array(vec![toml::Value::Table(entry)]);
        writer.plan(&toml::Table::from_iter([("entries".to_owned(), entries)])).unwrap();
        let cells = Cells::read(directory.path()).unwrap();
        assert_eq!(cells.setups, [Some(setup.clone())]);
        assert_eq!(variant(&cells, &setup), Some(0));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[a-z=;0-9 ]{0,40}", near in "(rss=1GiB;)?(image=[a-z/;=']{0,9})?") {
            for text in [text, near] {
                if let Some(setup) = setup_of(&text) {
                    prop_assert_eq!(knob::settings(&setup), text);
                }
            }
        }
    }
}
