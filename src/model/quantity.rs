//! What can be asked of the results: a quantile of an interval or of another length, or a counted
//! fact.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::model::interval::Interval;
use crate::model::row::Scope;

/// One number that results hold for a variant.
///
/// As text: `blocked.p50`, `reaped.p95`; of a length that a workload times or counts in buckets,
/// `bystander_ns.p99.9`, `bystander_ns.max`; or a reading with whose events it counts and when:
/// `minor_faults.child` (around a spawn), `minor_faults.parent@rewrite`,
/// `vm_pte_bytes.parent@setup`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Quantity {
    /// A quantile of an interval, in nanoseconds.
    Time {
        /// Which interval.
        interval: Interval,
        /// Which quantile.
        percentile: Percentile,
    },
    /// A quantile of a length that is no interval, in nanoseconds: of the readings of that name at
    /// `work`, one for each sample, or of a distribution in `histograms.csv`.
    Length {
        /// Name of the reading; it ends in `_ns`.
        reading: String,
        /// Which quantile.
        percentile: Percentile,
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

/// A quantile: in percent, with at most one decimal, or the largest value.
///
/// As text: `p50`, `p99.9`, `max`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Percentile(
    /// Tenths of a percent: 1 to 999, and 1000 for the largest.
    u16,
);

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
            Quantity::Time { .. } | Quantity::Length { .. } => Measure::Nanoseconds,
            Quantity::Count { reading, .. } if reading.ends_with("_ns") => Measure::Nanoseconds,
            Quantity::Count { reading, .. } if reading.ends_with("_bytes") => Measure::Bytes,
            Quantity::Count { .. } => Measure::Things,
        }
    }

    /// The quantile that it is; none of a count.
    pub fn percentile(&self) -> Option<Percentile> {
        match self {
            Quantity::Time { percentile, .. } | Quantity::Length { percentile, .. } => {
                Some(*percentile)
            }
            Quantity::Count { .. } => None,
        }
    }
}

impl Quantity {
    /// Whether it is a quantile above the median.
    pub fn is_tail(&self) -> bool {
        self.percentile().is_some_and(|percentile| percentile.share() > 0.5)
    }
}

impl Percentile {
    /// The median.
    pub const MEDIAN: Percentile = Percentile(500);
    /// The 95th percentile.
    pub const P95: Percentile = Percentile(950);
    /// The largest.
    pub const MAX: Percentile = Percentile(1000);

    /// The share of the values that are no larger: 0.5 of the median, 1 of the largest.
    pub fn share(self) -> f64 {
        f64::from(self.0) / 1000.0
    }
}

/// Samples that a block must have per side for a contrast at the quantile `q`: 4 at the median, 40
/// at p95, and as many at p5. The largest of one is that one.
pub fn samples_per_block(q: f64) -> usize {
    if q >= 1.0 {
        return 1;
    }
    // A shade less, so that 2 / (1 - 0.95), which is 40.000000000000036, is 40.
    (2.0 / q.min(1.0 - q) - 1e-6).ceil() as usize
}

impl fmt::Display for Percentile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0 / 10, self.0 % 10) {
            (100, _) => f.write_str("max"),
            (whole, 0) => write!(f, "p{whole}"),
            (whole, tenth) => write!(f, "p{whole}.{tenth}"),
        }
    }
}

impl FromStr for Percentile {
    type Err = String;

    fn from_str(text: &str) -> Result<Percentile, String> {
        let no = || format!("{text} is no percentile: allowed are p1 to p99, p99.9 and max");
        if text == "max" {
            return Ok(Percentile::MAX);
        }
        let number = text.strip_prefix('p').ok_or_else(no)?;
        let (whole, tenth) = number.split_once('.').unwrap_or((number, "0"));
        let digits = |text: &str, most: usize| {
            let good =
                (1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
            if good { text.parse::<u16>().ok() } else { None }
        };
        let (whole, tenth) = digits(whole, 3).zip(digits(tenth, 1)).ok_or_else(no)?;
        let percentile = Percentile(10 * whole + tenth);
        if !(1..1000).contains(&percentile.0) {
            return Err(no());
        }
        Ok(percentile)
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Quantity::Time { interval, percentile } => {
                write!(f, "{}.{percentile}", interval.word())
            }
            Quantity::Length { reading, percentile } => write!(f, "{reading}.{percentile}"),
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
                "`{text}` is no quantity; allowed are an interval, or a reading that ends in _ns, \
                 with a percentile, such as blocked.p50 or bystander_ns.p99.9, and a reading with \
                 its scope, such as minor_faults.child or minor_faults.parent@rewrite"
            )
        };
        let is_word = |word: &str| {
            !word.is_empty() && word.bytes().all(|b| b == b'_' || b.is_ascii_lowercase())
        };
        let (name, rest) = text.split_once('.').ok_or_else(advice)?;
        let is_percentile = rest == "max"
            || rest
                .strip_prefix('p')
                .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
        if is_percentile {
            let percentile = rest.parse()?;
            let interval = Interval::ALL.into_iter().find(|interval| interval.word() == name);
            if let Some(interval) = interval {
                return Ok(Quantity::Time { interval, percentile });
            }
            let is_length = name.ends_with("_ns") && is_word(name);
            if is_length && Interval::ALL.iter().all(|interval| interval.column() != name) {
                return Ok(Quantity::Length { reading: name.to_owned(), percentile });
            }
            let words = Interval::ALL.map(Interval::word);
            let meant = crate::model::did_you_mean(name.trim_end_matches("_ns"), words.into_iter());
            return Err(format!(
                "`{name}` is no interval (they are {}), and no reading that ends in _ns{meant}",
                words.join(", ")
            ));
        }
        let (scope, at) = rest.split_once('@').unwrap_or((rest, SPAWN));
        let scope = Scope::ALL.into_iter().find(|s| s.word() == scope).ok_or_else(advice)?;
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
            "blocked.p99.9",
            "reaped.max",
            "first_byte_ns.p50",
            "bystander_ns.p99.9",
            "bystander_ns.max",
            "minor_faults.child",
            "minor_faults.parent@rewrite",
            "vm_pte_bytes.parent@setup",
        ] {
            assert_eq!(text.parse::<Quantity>().unwrap().to_string(), text);
        }
        let bytes: Quantity = "vm_pte_bytes.parent@setup".parse().unwrap();
        assert_eq!(bytes.measure(), Measure::Bytes);
        let length: Quantity = "bystander_ns.p99.9".parse().unwrap();
        assert_eq!(length.measure(), Measure::Nanoseconds);
        let share = |text: &str| text.parse::<Quantity>().unwrap().percentile().unwrap().share();
        assert_eq!((share("x_ns.p99.9"), share("x_ns.max"), share("born.p5")), (0.999, 1.0, 0.05));
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
        for text in
            ["blocked.p100", "blocked.p0", "blocked.p99.99", "x_ns.p1x", "x_ns.p5.", "x_ns.p1e1"]
        {
            let error = text.parse::<Quantity>().unwrap_err();
            assert!(error.contains("p1 to p99, p99.9 and max"), "{text}: {error}");
        }
        let error = "blocked_ns.p50".parse::<Quantity>().unwrap_err();
        assert!(error.contains("did you mean `blocked`"), "{error}");
        let error = "first_byte.p50".parse::<Quantity>().unwrap_err();
        assert!(error.contains("no reading that ends in _ns"), "{error}");
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
