//! What can be asked of the results: a quantile of an interval, or a counted fact.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::model::interval::Interval;
use crate::model::row::Scope;

/// One number that results hold for a variant.
///
/// As text: `blocked.p50`, `reaped.p95`, or a reading with whose events it counts and when:
/// `minor_faults.child` (around a spawn), `minor_faults.parent@rewrite`,
/// `vm_pte_bytes.parent@setup`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Quantity {
    /// A quantile of an interval, in nanoseconds.
    Time {
        /// Which interval.
        interval: Interval,
        /// Which quantile, in percent: 1 to 99.
        percentile: u8,
    },
    /// What a spawn, or a parent, reads as a rule: the value most spawns have.
    Count {
        /// Name of the reading.
        reading: String,
        /// Whose events.
        scope: Scope,
        /// When it was read: the column `at` of `readings.csv`.
        at: String,
    },
}

/// What a quantity is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// Nanoseconds.
    Nanoseconds,
    /// Bytes.
    Bytes,
    /// Things: faults, mappings.
    Things,
}

impl Quantity {
    /// What it is counted in.
    pub fn measure(&self) -> Measure {
        match self {
            Quantity::Time { .. } => Measure::Nanoseconds,
            Quantity::Count { reading, .. } if reading.ends_with("_ns") => Measure::Nanoseconds,
            Quantity::Count { reading, .. } if reading.ends_with("_bytes") => Measure::Bytes,
            Quantity::Count { .. } => Measure::Things,
        }
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Quantity::Time { interval, percentile } => {
                write!(f, "{}.p{percentile}", interval.word())
            }
            Quantity::Count { reading, scope, at } => {
                write!(f, "{reading}.{}", scope.word())?;
                if at != SPAWN { write!(f, "@{at}") } else { Ok(()) }
            }
        }
    }
}

/// When a reading is taken unless a quantity says otherwise: around a spawn.
const SPAWN: &str = "spawn";

impl FromStr for Quantity {
    type Err = String;

    fn from_str(text: &str) -> Result<Quantity, String> {
        let advice = || {
            format!(
                "`{text}` is no quantity; allowed are an interval with a percentile, such as \
                 blocked.p50 or reaped.p95, and a reading with its scope, such as \
                 minor_faults.child or minor_faults.parent@rewrite"
            )
        };
        let (name, rest) = text.split_once('.').ok_or_else(advice)?;
        if let Some(percentile) = rest.strip_prefix('p').and_then(|p| p.parse::<u8>().ok()) {
            let words = Interval::ALL.map(Interval::word);
            let interval = Interval::ALL.into_iter().find(|i| i.word() == name);
            let interval = interval.ok_or_else(|| {
                let meant = crate::model::did_you_mean(name, words.into_iter());
                format!("`{name}` is no interval (they are {}){meant}", words.join(", "))
            })?;
            if !(1..=99).contains(&percentile) {
                return Err(format!("p{percentile} is no percentile: allowed are p1 to p99"));
            }
            return Ok(Quantity::Time { interval, percentile });
        }
        let (scope, at) = rest.split_once('@').unwrap_or((rest, SPAWN));
        let scope = Scope::ALL.into_iter().find(|s| s.word() == scope).ok_or_else(advice)?;
        let is_word = |word: &str| {
            !word.is_empty() && word.bytes().all(|b| b == b'_' || b.is_ascii_lowercase())
        };
        if !is_word(name) || !is_word(at) {
            return Err(advice());
        }
        Ok(Quantity::Count { reading: name.to_owned(), scope, at: at.to_owned() })
    }
}

impl Serialize for Quantity {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Quantity {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Quantity, D::Error> {
        String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn quantities_survive_their_text() {
        for text in [
            "blocked.p50",
            "rewrite.p99",
            "minor_faults.child",
            "minor_faults.parent@rewrite",
            "vm_pte_bytes.parent@setup",
        ] {
            assert_eq!(text.parse::<Quantity>().unwrap().to_string(), text);
        }
        let bytes: Quantity = "vm_pte_bytes.parent@setup".parse().unwrap();
        assert_eq!(bytes.measure(), Measure::Bytes);
        let faults: Quantity = "minor_faults.child".parse().unwrap();
        assert_eq!(faults.measure(), Measure::Things);
    }

    #[test]
    fn what_is_none_is_told_what_one_looks_like() {
        for text in ["", "blocked", "blocked.", "minor_faults.kid", "x.parent@", ".p50", "A.child"]
        {
            let error = text.parse::<Quantity>().unwrap_err();
            assert!(error.contains("blocked.p50") || error.contains("interval"), "{text}: {error}");
        }
        let error = "bloked.p50".parse::<Quantity>().unwrap_err();
        assert!(error.contains("did you mean `blocked`"), "{error}");
        assert!("blocked.p100".parse::<Quantity>().unwrap_err().contains("p1 to p99"));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,24}", near in "[a-z_.@p0-9]{0,24}") {
            for text in [text, near] {
                if let Ok(quantity) = text.parse::<Quantity>() {
                    prop_assert_eq!(quantity.to_string().parse(), Ok(quantity));
                }
            }
        }
    }
}
