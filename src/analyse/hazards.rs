//! How many children of how many hung: the counts of workload=hazard, and the rates they make.
//!
//! Counts are summed over blocks and launches. The number of births was fixed before any of them,
//! so the interval of a rate is the exact one of Clopper and Pearson (Biometrika 26, 1934): it
//! holds the true rate at least as often as its confidence says, whatever that rate is.

use statrs::function::beta::beta_reg;

use super::cells::Cells;
use super::estimate::CONFIDENCE;
use crate::model::row::Role;
use crate::model::setup::Workload;

/// What became of the children of one variant of workload=hazard.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trial {
    /// The number of the variant.
    pub variant: u32,
    /// Name of the hazard.
    pub hazard: String,
    /// Name of the mechanism that made the children.
    pub birth: String,
    /// Threads of the parent that performed the hazard.
    pub threads: u32,
    /// Percent of the time for which the lock was to be held; means something for hazard=mutex.
    pub duty: u32,
    /// What was counted; none where nothing was.
    pub counts: Option<Counts>,
}

/// What was counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Children that were made.
    pub forks: u64,
    /// Those that did not end by themselves.
    pub hung: u64,
    /// Of those, proven never to go on.
    pub proven: u64,
    /// Of those, not proven.
    pub unproven: u64,
    /// Those that a signal ended, or that found something wrong.
    pub broken: u64,
    /// Births before which the word of the lock was read.
    pub watched: u64,
    /// Of those, births before which somebody held it.
    pub held: u64,
    /// Pauses before births, in nanoseconds, where the lock tells its own time.
    pub pause_ns: u64,
    /// Of that time, what the lock was held for.
    pub held_ns: u64,
}

/// A share with its interval, all between 0 and 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    /// The share.
    pub value: f64,
    /// Lower end of its interval.
    pub low: f64,
    /// Upper end of its interval.
    pub high: f64,
}

impl Trial {
    /// Those of a run, in the order of its variants.
    pub fn all(cells: &Cells) -> Vec<Trial> {
        let is_told = |(row, _): &(&crate::record::rows::VariantRow, _)| {
            row.role == Role::Subject && row.workload == Workload::Hazard.word()
        };
        let variants = cells.variants.iter().zip(&cells.setups).filter(is_told);
        variants
            .filter_map(|(row, setup)| {
                let setup = setup.as_ref()?;
                Some(Trial {
                    variant: row.variant,
                    hazard: setup.work.hazard.clone(),
                    birth: row.mechanism.clone(),
                    threads: setup.parent.shape.threads,
                    duty: setup.work.duty,
                    counts: Counts::of(cells, row.variant),
                })
            })
            .collect()
    }
}

impl Counts {
    fn of(cells: &Cells, variant: u32) -> Option<Counts> {
        let total = |name: &str| {
            let mut readings = cells.readings.iter();
            let found = readings.find(|one| one.variant == variant && one.reading == name);
            found.map(|reading| reading.total)
        };
        let count = |name: &str| total(name).unwrap_or(0);
        let forks = total("forks").filter(|forks| *forks > 0)?;
        Some(Counts {
            forks,
            hung: count("hung"),
            proven: count("proven"),
            unproven: count("unproven"),
            broken: count("broken"),
            watched: count("watched"),
            held: count("held"),
            pause_ns: count("pause_ns"),
            held_ns: count("held_ns"),
        })
    }

    /// The share of children that hung.
    pub fn rate(&self) -> Rate {
        Rate::of(self.hung, self.forks)
    }

    /// The share of time for which the lock was held, which predicts that of children that hang:
    /// as the lock itself tells, else as it was seen before births; none where neither is.
    ///
    /// Pauses are exponential, of which a number is worth half as many looks at random moments
    /// (the square of the mean of their lengths is half the mean of their squares) where each is
    /// wholly in one state, and more where it is not: the interval is not too narrow.
    pub fn share(&self) -> Option<Rate> {
        if self.pause_ns > 0 {
            let share = (self.held_ns as f64 / self.pause_ns as f64).min(1.0);
            let looks = (self.forks as f64 / 2.0).max(1.0);
            return Some(Rate::of_looks(share * looks, looks));
        }
        (self.watched > 0).then(|| Rate::of(self.held, self.watched))
    }
}

impl Rate {
    /// The share `part` of `whole` (more than 0), with its interval.
    pub fn of(part: u64, whole: u64) -> Rate {
        Rate::of_looks(part as f64, whole as f64)
    }

    fn of_looks(part: f64, whole: f64) -> Rate {
        let tail = (1.0 - CONFIDENCE) / 2.0;
        let rest = whole - part;
        Rate {
            value: part / whole,
            low: if part > 0.0 { beta_quantile(part, rest + 1.0, tail) } else { 0.0 },
            high: if rest > 0.0 { beta_quantile(part + 1.0, rest, 1.0 - tail) } else { 1.0 },
        }
    }

    /// Whether the interval holds that share.
    pub fn holds(&self, share: f64) -> bool {
        (self.low..=self.high).contains(&share)
    }
}

/// The quantile `p` of the beta distribution: halving finds it to the last bit, where the library's
/// own search stops early.
fn beta_quantile(a: f64, b: f64, p: f64) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..64 {
        let middle = (low + high) / 2.0;
        if beta_reg(a, b, middle) < p {
            low = middle;
        } else {
            high = middle;
        }
    }
    (low + high) / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyse::fixture::Run;
    use crate::model::row::Scope;
    use crate::record::fixture;
    use crate::record::rows::ReadingRow;

    #[test]
    fn intervals_are_those_of_clopper_and_pearson() {
        // As R's binom.test and scipy's binomtest(..).proportion_ci(method="exact") have them.
        for (part, whole, low, high) in [
            (0, 2000, 0.0, 0.001842742),
            (0, 10, 0.0, 0.3084971),
            (10, 10, 0.6915029, 1.0),
            (1, 10, 0.002528579, 0.4450161),
            (5, 10, 0.1870860, 0.8129140),
            (125, 200, 0.5539486, 0.6922862),
        ] {
            let rate = Rate::of(part, whole);
            assert!((rate.low - low).abs() < 2e-6, "{part}/{whole}: {rate:?}");
            assert!((rate.high - high).abs() < 2e-6, "{part}/{whole}: {rate:?}");
            assert_eq!(rate.value, part as f64 / whole as f64);
        }
    }

    #[test]
    fn counts_are_summed_over_launches_and_blocks() {
        let mut variants = vec![
            fixture::variant(0, Role::Subject, "threads=2 busy=hold", "fork"),
            fixture::variant(1, Role::Subject, "threads=2 busy=hold", "posix_spawn"),
            fixture::variant(2, Role::Control, "empty", "none"),
        ];
        for (variant, settings) in variants.iter_mut().zip([
            "threads=2;busy=hold;workload=hazard;mechanism=fork;hazard=localtime",
            "threads=2;busy=hold;workload=hazard;hazard=localtime",
            "",
        ]) {
            variant.settings = settings.to_owned();
            variant.workload = "hazard".to_owned();
        }
        let reading = |launch, name: &str, value| ReadingRow {
            reading: name.to_owned(),
            at: "work".to_owned(),
            scope: Scope::Child,
            ..fixture::faults(launch, 1, 0, Scope::Child, value, 1)
        };
        let mut run = Run { variants, ..Run::default() };
        for (launch, hung) in [(1, 30), (2, 12)] {
            let readings = vec![
                reading(launch, "forks", 100),
                reading(launch, "hung", hung),
                reading(launch, "proven", hung - 1),
                reading(launch, "unproven", 1),
                reading(launch, "watched", 80),
                reading(launch, "held", 20),
            ];
            run.blocks.push((fixture::block(launch, 1), vec![], readings));
        }
        let [fork, spawn] = Trial::all(&run.cells()).try_into().unwrap();
        assert_eq!((&*fork.hazard, &*fork.birth, fork.threads), ("localtime", "fork", 2));
        let counts = fork.counts.unwrap();
        assert_eq!((counts.forks, counts.hung, counts.proven, counts.unproven), (200, 42, 40, 2));
        assert_eq!(counts.rate().value, 0.21);
        assert_eq!(counts.share().unwrap(), Rate::of(40, 160));
        assert_eq!(spawn.counts, None);
    }

    #[test]
    fn what_the_lock_tells_of_its_time_goes_before_what_was_seen_of_it() {
        let counts = Counts {
            forks: 400,
            watched: 100,
            held: 90,
            pause_ns: 4_000,
            held_ns: 1_000,
            ..Counts::default()
        };
        assert_eq!(counts.share(), Some(Rate::of(50, 200)));
        assert!(counts.share().unwrap().holds(0.25) && !counts.share().unwrap().holds(0.5));
        assert_eq!(Counts::default().share(), None);
    }
}
