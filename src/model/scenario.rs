//! A question as data: a base setup, the axes along which it varies, and what is claimed of it.

pub mod parse;

use serde::{Deserialize, Serialize};

use crate::model::claim::{Claim, Place};
use crate::model::knob::{self, BadValue};
use crate::model::quantity::Quantity;
use crate::model::setup::Setup;
use crate::model::suggestion;
use crate::model::units::Size;
use crate::model::workload;

/// A base setup and axes of points; its expansion is every combination, each setup once.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// Its name, as in the column `scenario` of `variants.csv`.
    pub name: String,
    /// The question it answers, in one line.
    pub about: String,
    /// Settings that hold at every point, as knob and value.
    pub base: Vec<Setting>,
    /// What varies. Axes multiply.
    pub axes: Vec<Axis>,
    /// What ratios are against: the variants with these settings and else the same; empty: as the
    /// run says.
    #[serde(default, skip_serializing_if = "no_place")]
    pub contrast: Place,
    /// What a machine must have.
    #[serde(default, skip_serializing_if = "Requires::is_nothing")]
    pub requires: Requires,
    /// Why the machine of a run does not have that; a plan says so, a file never does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unmet: Option<String>,
    /// How it is sampled, where that is not as usual.
    #[serde(default, skip_serializing_if = "Sampling::is_usual")]
    pub sampling: Sampling,
    /// Where it was published, for a scenario that reproduces something.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
    /// What is claimed of its results.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub claims: Vec<Claim>,
    /// Figures that were published, to be laid over those measured.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub published: Vec<Published>,
}

fn no_place(place: &Place) -> bool {
    place.0.is_empty()
}

/// What a machine must have for a scenario to mean something.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Requires {
    /// The oldest Linux: `6.9`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kernel: Option<String>,
    /// The oldest glibc: `2.38`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub glibc: Option<String>,
    /// The fewest processors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpus: Option<u32>,
    /// The least memory, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_bytes: Option<u64>,
    /// Whether it must be run by root.
    #[serde(default)]
    pub root: bool,
}

impl Requires {
    /// Whether any machine will do.
    pub fn is_nothing(&self) -> bool {
        *self == Requires::default()
    }

    /// The least memory, as a size.
    pub fn memory(&self) -> Option<Size> {
        self.memory_bytes.map(Size::from_bytes)
    }
}

/// How a scenario is sampled, where that is not as usual. A flag of the command comes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sampling {
    /// The budget, in nanoseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_ns: Option<u64>,
    /// Launches of fresh parents.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub launches: Option<u32>,
    /// Timed blocks of each parent in each launch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blocks: Option<u32>,
    /// The half-width of ratios at which it may stop, as a share.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub precision: Option<f64>,
}

impl Sampling {
    /// Whether nothing is said of it.
    pub fn is_usual(&self) -> bool {
        *self == Sampling::default()
    }
}

/// Where something was published.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Its title, or what it is known as.
    pub title: String,
    /// Who wrote it, and where it stands.
    pub by: String,
    /// The year.
    pub year: u32,
    /// What it was measured on.
    pub machine: String,
    /// What a modern kernel makes of it, where that is not what was published, and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finding: Option<String>,
}

/// A figure that was published.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Published {
    /// The settings that come closest to what was measured then.
    pub at: Place,
    /// The quantity that comes closest.
    pub quantity: Quantity,
    /// The figure, in the unit of the quantity; the lower end where a range was given.
    pub low: f64,
    /// The same, or the upper end of the range.
    pub high: f64,
    /// What else is to be known of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// One thing that varies.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Axis {
    /// Its name; for a plain list, the knob's.
    pub name: String,
    /// Its points, in the order in which they are shown.
    pub points: Vec<Vec<Setting>>,
}

/// A knob and the value it is set to, both as text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Setting {
    /// The name of the knob.
    pub knob: String,
    /// Its value.
    pub value: String,
}

impl Setting {
    /// The setting of that knob to that value.
    pub fn new(knob: &str, value: &str) -> Setting {
        Setting { knob: knob.to_owned(), value: value.to_owned() }
    }
}

/// Why a scenario cannot be expanded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadScenario {
    /// A setting names no knob.
    #[error("there is no knob `{name}`{}; see `forkbench list knobs`", suggestion(*.nearest))]
    UnknownKnob {
        /// What was given.
        name: String,
        /// The knob with the nearest name, if one is near.
        nearest: Option<&'static str>,
    },
    /// A knob does not take that value.
    #[error(transparent)]
    Value(#[from] BadValue),
    /// No parent can have that shape.
    #[error("{0}")]
    Impossible(String),
    /// An axis without points.
    #[error("the axis `{0}` is an empty list: give it at least one value, or leave it out")]
    EmptyAxis(String),
}

impl Scenario {
    /// Puts an axis in place of the one of the same name, or adds it at the end. A fixed setting
    /// of the same knob gives way to it.
    pub fn set_axis(&mut self, axis: Axis) {
        self.base.retain(|setting| setting.knob != axis.name);
        match self.axes.iter_mut().find(|old| old.name == axis.name) {
            Some(old) => *old = axis,
            None => self.axes.push(axis),
        }
    }

    /// How many combinations its axes have, before equal setups become one; saturates.
    pub fn combinations(&self) -> u64 {
        self.axes.iter().fold(1, |all, axis| all.saturating_mul(axis.points.len() as u64))
    }

    /// Every combination of points, in the order of the axes (the last varies fastest), without
    /// repetition.
    pub fn expand(&self) -> Result<Vec<Setup>, BadScenario> {
        let mut base = Setup::default();
        apply(&mut base, &self.base)?;
        let mut setups = vec![base];
        for axis in &self.axes {
            if axis.points.is_empty() {
                return Err(BadScenario::EmptyAxis(axis.name.clone()));
            }
            let mut next = Vec::with_capacity(setups.len() * axis.points.len());
            for setup in &setups {
                for point in &axis.points {
                    let mut setup = setup.clone();
                    apply(&mut setup, point)?;
                    next.push(setup);
                }
            }
            setups = next;
        }
        let mut unique: Vec<Setup> = Vec::with_capacity(setups.len());
        for setup in setups {
            if let Some(why) = setup.parent.shape.impossible() {
                return Err(BadScenario::Impossible(why));
            }
            if let Some(why) = workload::misplaced(&setup) {
                return Err(BadScenario::Impossible(why));
            }
            if !unique.contains(&setup) {
                unique.push(setup);
            }
        }
        Ok(unique)
    }
}

impl Axis {
    /// The axis of a plain list: one point per value of the knob of that name.
    pub fn list(knob: &str, values: &[String]) -> Axis {
        let point = |value: &String| vec![Setting::new(knob, value)];
        Axis { name: knob.to_owned(), points: values.iter().map(point).collect() }
    }
}

/// Sets what settings say, one after the other.
///
/// # Errors
///
/// When one names no knob, or its knob does not take the value.
pub fn apply(setup: &mut Setup, settings: &[Setting]) -> Result<(), BadScenario> {
    for setting in settings {
        if let Some(name) = setting.knob.strip_prefix(knob::VARIABLE) {
            knob::set_variable(setup, name, &setting.value)?;
            continue;
        }
        let knob = knob::find(&setting.knob).ok_or_else(|| BadScenario::UnknownKnob {
            name: setting.knob.clone(),
            nearest: crate::model::nearest(&setting.knob, knob::KNOBS.iter().map(|k| k.name)),
        })?;
        (knob.set)(setup, &setting.value)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scenario(axes: Vec<Axis>) -> Scenario {
        Scenario { name: "t".into(), axes, ..Scenario::default() }
    }

    fn list(knob: &str, values: &[&str]) -> Axis {
        Axis::list(knob, &values.iter().map(|v| v.to_string()).collect::<Vec<_>>())
    }

    #[test]
    fn axes_multiply_and_equal_setups_are_one() {
        let axes = vec![list("rss", &["0", "1G", "1024M"]), list("mechanism", &["fork", "vfork"])];
        let setups = scenario(axes).expand().unwrap();
        let labels: Vec<String> = setups
            .iter()
            .map(|s| format!("{} {}", knob::shape_label(s), s.work.mechanism))
            .collect();
        assert_eq!(labels, ["empty fork", "empty vfork", "rss=1GiB fork", "rss=1GiB vfork"]);
    }

    #[test]
    fn a_flag_replaces_the_axis_of_that_name() {
        let mut given = scenario(vec![list("rss", &["0", "1G"])]);
        given.base.push(Setting { knob: "threads".into(), value: "4".into() });
        given.set_axis(list("rss", &["2G"]));
        given.set_axis(list("threads", &["1", "2"]));
        assert_eq!(given.expand().unwrap().len(), 2);
        assert!(given.base.is_empty());
    }

    #[test]
    fn errors_name_the_knob() {
        let error = scenario(vec![list("rs", &["1G"])]).expand().unwrap_err().to_string();
        assert!(error.contains("`rs`") && error.contains("`rss`"), "{error}");
        assert!(scenario(vec![list("rss", &[])]).expand().is_err());
    }
}
