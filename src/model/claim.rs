//! What is said of results, in a form that can be tested: an estimate within a range.
//!
//! A claim of a scenario, a published law and a budget are this one thing; so is its verdict.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::model::knob;
use crate::model::quantity::{Measure, Quantity};
use crate::model::scenario::Setting;
use crate::model::setup::Setup;

/// Largest / smallest that is still called flat, by a claim `flat` unless it says otherwise and by
/// the word for a growth: the spread of posix_spawn over 50 to 500 MB in the best-known table of it
/// is 1.34.
pub const FLAT: f64 = 1.4;

/// An estimate, and the range in which it is said to lie.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Claim {
    /// What is claimed, as a sentence; unique in its scenario.
    pub name: String,
    /// What is estimated.
    #[serde(flatten)]
    pub estimate: Estimate,
    /// The least that it is said to be, in its own unit (see [`Estimate::measure`]).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_least: Option<f64>,
    /// The most that it is said to be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_most: Option<f64>,
    /// For a slope: the least R2 of the medians about the line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub r2_at_least: Option<f64>,
    /// What the source gives for it, as text: `65x`, `12.8 ms per GB`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published: Option<String>,
    /// Why this is claimed, or why it no longer holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub because: Option<String>,
}

/// What a claim estimates.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub enum Estimate {
    /// The quantity at one place.
    Value {
        /// The quantity.
        of: Quantity,
        /// Where.
        at: Place,
    },
    /// The quantity at one place / at another.
    Ratio {
        /// The quantity.
        of: Quantity,
        /// Where.
        at: Place,
        /// The quantity that it is divided by; the same as a rule.
        to_of: Quantity,
        /// Where that is taken.
        to: Place,
    },
    /// The quantity at one place - at another.
    Difference {
        /// The quantity.
        of: Quantity,
        /// Where.
        at: Place,
        /// Where the one that is taken away stands.
        to: Place,
    },
    /// How much the quantity grows for each unit of an axis.
    Slope {
        /// The quantity.
        of: Quantity,
        /// Which variants: all that an axis does not vary.
        at: Place,
        /// The knob of the axis.
        over: String,
        /// The unit.
        per: Per,
    },
    /// Largest / smallest of the quantity along an axis.
    Spread {
        /// The quantity.
        of: Quantity,
        /// Which variants.
        at: Place,
        /// The name of the axis.
        over: String,
    },
    /// The value of an axis at which the quantity is the same at two places.
    Crossover {
        /// The quantity.
        of: Quantity,
        /// Which variants.
        at: Place,
        /// Which others.
        to: Place,
        /// The knob of the axis.
        over: String,
    },
}

/// What an estimate is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted {
    /// As a quantity.
    As(Measure),
    /// As a quantity, for each so many of an axis.
    For(Measure, Per),
    /// A bare number: times as much.
    Times,
    /// As the values of a knob that are sizes.
    Size,
    /// As the values of a knob that are counts.
    Count,
}

impl Estimate {
    /// Its word in a scenario file.
    pub fn word(&self) -> &'static str {
        match self {
            Estimate::Value { .. } => "value",
            Estimate::Ratio { .. } => "ratio",
            Estimate::Difference { .. } => "difference",
            Estimate::Slope { .. } => "slope",
            Estimate::Spread { .. } => "spread",
            Estimate::Crossover { .. } => "crossover",
        }
    }

    /// The quantity it is made of.
    pub fn quantity(&self) -> &Quantity {
        match self {
            Estimate::Value { of, .. }
            | Estimate::Ratio { of, .. }
            | Estimate::Difference { of, .. }
            | Estimate::Slope { of, .. }
            | Estimate::Spread { of, .. }
            | Estimate::Crossover { of, .. } => of,
        }
    }

    /// The axis along which it is taken; none if it is taken at places.
    pub fn axis(&self) -> Option<&str> {
        match self {
            Estimate::Value { .. } | Estimate::Ratio { .. } | Estimate::Difference { .. } => None,
            Estimate::Slope { over, .. }
            | Estimate::Spread { over, .. }
            | Estimate::Crossover { over, .. } => Some(over),
        }
    }

    /// What it is counted in.
    pub fn measure(&self) -> Counted {
        match self {
            Estimate::Value { of, .. } | Estimate::Difference { of, .. } => {
                Counted::As(of.measure())
            }
            Estimate::Slope { of, per, .. } => Counted::For(of.measure(), *per),
            Estimate::Ratio { .. } | Estimate::Spread { .. } => Counted::Times,
            Estimate::Crossover { over, .. } => {
                if knob::is_size(over) {
                    Counted::Size
                } else {
                    Counted::Count
                }
            }
        }
    }
}

/// Which variants: those that have these settings, whatever the others are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Place(
    /// Settings with their values in canonical form.
    pub Vec<Setting>,
);

impl Place {
    /// Whether a setup has all of the settings.
    pub fn holds(&self, setup: &Setup) -> bool {
        self.0.iter().all(|setting| {
            knob::find(&setting.knob).is_some_and(|knob| (knob.get)(setup) == setting.value)
        })
    }
}

impl fmt::Display for Place {
    /// `mechanism=fork rss=1GiB`; `everything` where nothing is set.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("everything");
        }
        for (i, setting) in self.0.iter().enumerate() {
            let space = if i == 0 { "" } else { " " };
            write!(f, "{space}{}={}", setting.knob, setting.value)?;
        }
        Ok(())
    }
}

/// The unit of an axis for which a slope is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Per {
    /// 2^20 bytes of memory.
    MiB,
    /// An entry for which the parent's page tables have room (VmPTE / 8 bytes).
    #[serde(rename = "PTE")]
    Pte,
    /// A mapping.
    #[serde(rename = "VMA")]
    Vma,
    /// A descriptor.
    #[serde(rename = "fd")]
    Fd,
    /// A thread.
    #[serde(rename = "thread")]
    Thread,
    /// 2^10 bytes of environment or arguments.
    KiB,
    /// A directory of PATH.
    #[serde(rename = "directory")]
    Directory,
    /// A stage of a pipeline.
    #[serde(rename = "stage")]
    Stage,
    /// A hundredth of the pages.
    #[serde(rename = "percent")]
    Percent,
    /// A number that a descriptor can have.
    #[serde(rename = "number")]
    Number,
}

impl Per {
    /// Every unit.
    pub const ALL: [Per; 10] = [
        Per::MiB,
        Per::Pte,
        Per::Vma,
        Per::Fd,
        Per::Thread,
        Per::KiB,
        Per::Directory,
        Per::Stage,
        Per::Percent,
        Per::Number,
    ];

    /// Its word: `MiB`.
    pub fn word(self) -> &'static str {
        match self {
            Per::MiB => "MiB",
            Per::Pte => "PTE",
            Per::Vma => "VMA",
            Per::Fd => "fd",
            Per::Thread => "thread",
            Per::KiB => "KiB",
            Per::Directory => "directory",
            Per::Stage => "stage",
            Per::Percent => "percent",
            Per::Number => "number",
        }
    }

    /// The unit in which a slope over that knob is given unless another is named; none if it has
    /// no slope.
    pub fn of_knob(knob: &str) -> Option<Per> {
        Some(match knob {
            "rss" => Per::MiB,
            "vmas" => Per::Vma,
            "fds" => Per::Fd,
            "threads" => Per::Thread,
            "env-bytes" | "args-bytes" => Per::KiB,
            "path-dirs" => Per::Directory,
            "stages" => Per::Stage,
            "written" => Per::Percent,
            "nofile" => Per::Number,
            _ => return None,
        })
    }

    /// Whether a slope over that knob can be given in it.
    pub fn suits(self, knob: &str) -> bool {
        Per::of_knob(knob) == Some(self) || (self == Per::Pte && knob == "rss")
    }

    /// How many of the knob's own unit (bytes, things) make one.
    pub fn size(self) -> f64 {
        match self {
            Per::MiB => f64::from(1 << 20),
            Per::KiB => 1024.0,
            Per::Pte
            | Per::Vma
            | Per::Fd
            | Per::Thread
            | Per::Directory
            | Per::Stage
            | Per::Percent
            | Per::Number => 1.0,
        }
    }
}

impl fmt::Display for Per {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// What results say of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The whole interval lies in the range.
    Holds,
    /// The whole interval lies outside of it.
    Fails,
    /// The interval straddles a bound.
    Unclear,
    /// There is no estimate.
    NotShown,
}

impl Verdict {
    /// Its word, as printed.
    pub fn word(self) -> &'static str {
        match self {
            Verdict::Holds => "HOLDS",
            Verdict::Fails => "FAILS",
            Verdict::Unclear => "UNCLEAR",
            Verdict::NotShown => "NOT SHOWN",
        }
    }

    /// Whether an interval lies within a range: it FAILS if it lies wholly beyond one bound.
    pub fn of(low: f64, high: f64, at_least: Option<f64>, at_most: Option<f64>) -> Verdict {
        let fails =
            at_least.is_some_and(|least| high < least) || at_most.is_some_and(|most| low > most);
        let holds =
            at_least.is_none_or(|least| low >= least) && at_most.is_none_or(|most| high <= most);
        match (fails, holds) {
            (true, _) => Verdict::Fails,
            (false, true) => Verdict::Holds,
            (false, false) => Verdict::Unclear,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_within_beyond_and_across_a_bound() {
        use Verdict::{Fails, Holds, Unclear};
        for (low, high, least, most, verdict) in [
            (1.0, 2.0, Some(1.0), Some(2.0), Holds),
            (1.0, 2.0, None, None, Holds),
            (1.0, 2.0, Some(2.5), None, Fails),
            (1.0, 2.0, None, Some(0.5), Fails),
            (1.0, 2.0, Some(1.5), None, Unclear),
            (1.0, 2.0, None, Some(1.5), Unclear),
            (1.0, 2.0, Some(1.5), Some(0.5), Fails),
        ] {
            assert_eq!(Verdict::of(low, high, least, most), verdict, "{low} {high}");
        }
    }

    #[test]
    fn a_place_holds_where_all_its_settings_do() {
        let setting = |knob: &str, value: &str| Setting { knob: knob.into(), value: value.into() };
        let mut setup = Setup::default();
        setup.work.mechanism = "fork".to_owned();
        assert!(Place::default().holds(&setup));
        let place = Place(vec![setting("mechanism", "fork"), setting("rss", "0")]);
        assert!(place.holds(&setup));
        assert_eq!(place.to_string(), "mechanism=fork rss=0");
        assert!(!Place(vec![setting("rss", "1GiB")]).holds(&setup));
    }

    #[test]
    fn every_unit_has_a_word_that_files_take() {
        for per in Per::ALL {
            let text = toml::Value::try_from(per).unwrap();
            assert_eq!(text.as_str(), Some(per.word()));
        }
        assert!(Per::Pte.suits("rss") && !Per::Pte.suits("fds") && Per::Fd.suits("fds"));
    }
}
