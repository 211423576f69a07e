//! Several results directories, each reduced to what its launches say, and how they lie to each
//! other.
//!
//! Variants of two directories are the same if scenario, role and setup are; numbers and labels may
//! differ. A ratio between directories has no interval: what the launches of one run scatter by
//! says nothing of the next run, which differs from it by more. So nothing is judged here.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::cells::Cells;
use super::contrasts::launch_value;
use super::environments::Environment;
use super::estimate::over_launches_in_proportion;
use super::judgement::tails_disturbed;
use super::launches::Told;
use super::shifts::{Shift, pooled_deciles};
use crate::model::interval::Interval;
use crate::model::quantity::{Percentile, Quantity};
use crate::model::row::Role;
use crate::model::setup::Setup;
use crate::record::error::Result;
use crate::record::read::Losses;
use crate::record::rows::VariantRow;

/// What one directory says. Its samples are gone: of ten directories of a million each, only what
/// the launches say stays in memory.
#[derive(Clone, Debug)]
pub struct Results {
    /// The directory as it was named.
    pub name: String,
    /// Where and by what it was made.
    pub environment: Environment,
    /// Its variants, in their order.
    pub variants: Vec<Measured>,
    /// Launches that committed a block.
    pub launches: usize,
    /// Samples that statistics are made of.
    pub eligible: usize,
    /// What was dropped while reading.
    pub losses: Losses,
    /// Why its quantiles above the median cannot be relied on; none if they can.
    pub tails_disturbed: Option<String>,
}

/// One variant of one directory.
#[derive(Clone, Debug)]
pub struct Measured {
    /// Its row of `variants.csv`.
    pub row: VariantRow,
    /// Its setup; none where this version cannot read it.
    pub setup: Option<Setup>,
    /// What makes it the same as one of another directory.
    pub identity: Identity,
    /// Spawns that failed.
    pub failed: usize,
    /// The deciles of how long its callers are blocked, in nanoseconds, of all samples together;
    /// empty where there are too few.
    pub deciles: Vec<f64>,
    /// For each quantity what each launch says, in its unit, by the number of the launch, or why
    /// nothing is said.
    pub told: BTreeMap<Quantity, std::result::Result<BTreeMap<u32, f64>, String>>,
}

/// What makes variants of two directories the same.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Identity {
    scenario: String,
    role: Role,
    /// The setup, or where it cannot be read the text of the column `settings`.
    setup: std::result::Result<Setup, String>,
    /// How many before it in its directory are the same in all of this: the sides of an A/A run.
    repetition: usize,
}

impl Results {
    /// Reads a results directory and reduces it to what is always compared, and to these
    /// quantities.
    ///
    /// # Errors
    ///
    /// If a file of it is missing, foreign, newer or garbled.
    pub fn read(directory: &Path, asked: &[Quantity]) -> Result<Results> {
        let environment = Environment::read(directory)?;
        let cells = Cells::read(directory)?;
        Ok(Results::of(&cells, asked, environment, directory.display().to_string()))
    }

    /// Reads several directories, as many at once as there are processors.
    ///
    /// # Errors
    ///
    /// As [`Results::read`], each in its place.
    pub fn read_all(directories: &[PathBuf], asked: &[Quantity]) -> Vec<Result<Results>> {
        let processors = thread::available_parallelism().map_or(1, usize::from);
        let next = AtomicUsize::new(0);
        let work = || {
            let mut read = Vec::new();
            loop {
                let place = next.fetch_add(1, Ordering::Relaxed);
                let Some(directory) = directories.get(place) else { return read };
                read.push((place, Results::read(directory, asked)));
            }
        };
        let mut read: Vec<(usize, Result<Results>)> = thread::scope(|scope| {
            let workers: Vec<_> =
                (0..processors.min(directories.len())).map(|_| scope.spawn(work)).collect();
            workers.into_iter().flat_map(|worker| worker.join().expect("reading ends")).collect()
        });
        read.sort_by_key(|(place, _)| *place);
        read.into_iter().map(|(_, results)| results).collect()
    }

    /// A results directory that has been reduced to cells already, under that name.
    pub fn of(
        cells: &Cells,
        asked: &[Quantity],
        environment: Environment,
        name: String,
    ) -> Results {
        let mut seen: HashMap<Identity, usize> = HashMap::new();
        let mut variants = Vec::new();
        for (index, row) in cells.variants.iter().enumerate() {
            let setup = cells.setups[index].clone();
            let mut identity = Identity {
                scenario: row.scenario.clone(),
                role: row.role,
                setup: setup.clone().ok_or_else(|| row.settings.clone()),
                repetition: 0,
            };
            let before = seen.entry(identity.clone()).or_default();
            identity.repetition = *before;
            *before += 1;
            variants.push(Measured {
                row: row.clone(),
                setup,
                identity,
                failed: cells.facts[index].failed,
                deciles: pooled_deciles(cells.cell(index, Interval::Blocked)),
                told: told(cells, index, asked),
            });
        }
        let mut launches: Vec<u32> = cells.blocks.iter().map(|block| block.launch).collect();
        launches.sort_unstable();
        launches.dedup();
        Results {
            name,
            tails_disturbed: tails_disturbed(cells, environment.facts()),
            environment,
            variants,
            // The pilot is no launch of the run.
            launches: launches.iter().filter(|&&launch| launch > 0).count(),
            eligible: cells.eligible,
            losses: cells.losses.clone(),
        }
    }

    /// The variant that is the same as one of another directory.
    pub fn find(&self, identity: &Identity) -> Option<&Measured> {
        self.variants.iter().find(|variant| variant.identity == *identity)
    }
}

/// The percentiles that are compared.
fn percentiles() -> [Percentile; 2] {
    [Percentile::MEDIAN, Percentile::P95]
}

/// What every variant is asked for, the lengths that its workload times itself, and what else is
/// asked.
fn told(
    cells: &Cells,
    index: usize,
    asked: &[Quantity],
) -> BTreeMap<Quantity, std::result::Result<BTreeMap<u32, f64>, String>> {
    let mut quantities = intervals();
    for reading in cells.lengths(index).keys() {
        let of = |percentile| Quantity::Length { reading: reading.clone(), percentile };
        quantities.extend(percentiles().map(of));
    }
    quantities.extend_from_slice(asked);
    let of = |quantity: &Quantity| -> std::result::Result<BTreeMap<u32, f64>, String> {
        let told = Told::of(cells, index, quantity)?;
        Ok(told.launches.into_iter().map(|(launch, one)| (launch, one.value)).collect())
    };
    quantities.into_iter().map(|quantity| (quantity.clone(), of(&quantity))).collect()
}

/// How long the caller was blocked and how long the whole life took, at the percentiles that are
/// compared.
pub fn intervals() -> Vec<Quantity> {
    let of = |interval| percentiles().map(|percentile| Quantity::Time { interval, percentile });
    [Interval::Blocked, Interval::Reaped].into_iter().flat_map(of).collect()
}

/// Directories beside each other.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// A row for each variant that any of them has and each quantity that it was measured for.
    pub rows: Vec<Row>,
    /// What the rows of each quantity say together.
    pub means: Vec<Mean>,
    /// Variants that a mean leaves out, each with why.
    pub left_out: Vec<(String, String)>,
    /// By how much the later directories differ from the first along their distributions.
    pub shifts: Vec<Shift>,
}

/// One quantity of one variant, in each directory.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Its row in the first directory that has it.
    pub variant: VariantRow,
    /// What is compared.
    pub quantity: Quantity,
    /// What each directory says, in their order, or why it says nothing.
    pub places: Vec<std::result::Result<Place, String>>,
}

/// What one directory says of one quantity of one variant.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    /// In nanoseconds: the Hodges-Lehmann estimate over launches.
    pub value: f64,
    /// Its 95 % interval over launches, which holds for that run alone; none with fewer than three.
    pub bounds: Option<(f64, f64)>,
    /// The launches that it is made of.
    pub launches: usize,
    /// How many times as long as in the first directory; none where one of the two is 0, or the
    /// first has none.
    pub ratio: Option<f64>,
    /// 1 where it takes the shortest of all directories; equal ones share a rank.
    pub rank: usize,
}

/// What all variants that every directory has say of a quantity.
#[derive(Clone, Debug, PartialEq)]
pub struct Mean {
    /// The quantity.
    pub quantity: Quantity,
    /// How many variants.
    pub variants: usize,
    /// For each directory the geometric mean of the ratios to the first.
    pub ratios: Vec<f64>,
    /// For each directory 1 where it is the smallest; equal ones share a rank.
    pub ranks: Vec<usize>,
}

impl Comparison {
    /// Puts directories beside each other; ratios are to the first.
    pub fn of(directories: &[Results]) -> Comparison {
        // A twin is measured to be compared with its original in the same run.
        let told = |one: &&Measured| one.row.role != Role::Twin;
        let mut joined: Vec<Vec<Option<&Measured>>> = Vec::new();
        let mut known: HashMap<&Identity, usize> = HashMap::new();
        for (place, directory) in directories.iter().enumerate() {
            for variant in directory.variants.iter().filter(told) {
                let row = *known.entry(&variant.identity).or_insert_with(|| {
                    joined.push(vec![None; directories.len()]);
                    joined.len() - 1
                });
                joined[row][place] = Some(variant);
            }
        }
        let mut rows = Vec::new();
        for variants in &joined {
            let some = || variants.iter().flatten();
            let Some(first) = some().next() else { continue };
            let mut quantities = intervals();
            for quantity in some().flat_map(|one| one.told.keys()) {
                if !quantities.contains(quantity) {
                    quantities.push(quantity.clone());
                }
            }
            rows.extend(
                quantities.into_iter().filter_map(|quantity| row(first, variants, quantity)),
            );
        }
        let (means, left_out) = means(directories, &rows);
        Comparison { rows, means, left_out, shifts: Shift::of_directories(directories) }
    }

    /// Whether any variant can be compared with itself in another directory.
    pub fn compares(&self) -> bool {
        self.rows.iter().any(|row| row.places.iter().flatten().count() > 1)
    }
}

/// The row of a quantity; none where no directory has it, though a variant that has nothing at all
/// has the row of its first quantity, which says why.
fn row(first: &Measured, variants: &[Option<&Measured>], quantity: Quantity) -> Option<Row> {
    let said: Vec<std::result::Result<Vec<f64>, String>> = variants
        .iter()
        .map(|variant| match variant {
            None => Err("it is not in this run".to_owned()),
            Some(variant) => match variant.told.get(&quantity) {
                Some(Ok(launches)) => Ok(launches.values().copied().collect()),
                Some(Err(why)) => Err(why.clone()),
                None => Err(format!("{quantity} was not measured")),
            },
        })
        .collect();
    let is_nothing = |one: &Measured| one.told.values().all(std::result::Result::is_err);
    let tells_why = quantity == intervals()[0] && variants.iter().flatten().all(|v| is_nothing(v));
    if said.iter().all(std::result::Result::is_err) && !tells_why {
        return None;
    }
    let value = |launches: &Vec<f64>| launch_value(launches).unwrap_or_default();
    let values: Vec<Option<f64>> = said.iter().map(|one| one.as_ref().ok().map(value)).collect();
    let places = said.into_iter().zip(&values).map(|(launches, value)| {
        let launches = launches?;
        let value = value.unwrap_or_default();
        let shorter = |other: &&Option<f64>| other.is_some_and(|other| other < value);
        Ok(Place {
            value,
            bounds: over_launches_in_proportion(&launches).ok().map(|one| (one.low, one.high)),
            launches: launches.len(),
            ratio: values[0].filter(|&first| first > 0.0 && value > 0.0).map(|first| value / first),
            rank: 1 + values.iter().filter(shorter).count(),
        })
    });
    Some(Row { variant: first.row.clone(), places: places.collect(), quantity })
}

/// The geometric mean of each quantity over the variants that were asked for and that every
/// directory has; and which variants one of them leaves out.
fn means(directories: &[Results], rows: &[Row]) -> (Vec<Mean>, Vec<(String, String)>) {
    let mut means: Vec<(Quantity, Vec<Vec<f64>>)> =
        intervals().into_iter().map(|quantity| (quantity, Vec::new())).collect();
    let mut left_out: Vec<(String, String)> = Vec::new();
    for row in rows {
        let Some((_, ratios)) = means.iter_mut().find(|(quantity, _)| *quantity == row.quantity)
        else {
            continue;
        };
        let all: Option<Vec<f64>> =
            row.places.iter().map(|place| place.as_ref().ok()?.ratio).collect();
        let why = match (row.variant.role, all) {
            (Role::Subject, Some(all)) => {
                ratios.push(all);
                continue;
            }
            (Role::Subject, None) => missing(directories, row),
            (role, _) => match role {
                Role::Control => "the control is the cost of the tool itself".to_owned(),
                _ => "every run carries it beside what was asked for".to_owned(),
            },
        };
        let label = &row.variant.label;
        if left_out.iter().all(|(other, _)| other != label) {
            left_out.push((label.clone(), why));
        }
    }
    let mean = |(quantity, ratios): (Quantity, Vec<Vec<f64>>)| {
        let of = |place: usize| {
            let logs: f64 = ratios.iter().map(|all| all[place].ln()).sum();
            (logs / ratios.len() as f64).exp()
        };
        let means: Vec<f64> = (0..directories.len()).map(of).collect();
        let rank = |one: &f64| 1 + means.iter().filter(|other| *other < one).count();
        Mean {
            quantity,
            variants: ratios.len(),
            ranks: means.iter().map(rank).collect(),
            ratios: means.clone(),
        }
    };
    let some = means.into_iter().filter(|(_, ratios)| !ratios.is_empty());
    (some.map(mean).collect(), left_out)
}

/// Why a row has no ratio in some directory.
fn missing(directories: &[Results], row: &Row) -> String {
    let whys: Vec<String> = directories
        .iter()
        .zip(&row.places)
        .filter_map(|(directory, place)| match place {
            Err(why) => Some(format!("{}: {why}", directory.name)),
            Ok(place) if place.value <= 0.0 => {
                Some(format!("{}: {} is 0 ns", directory.name, row.quantity))
            }
            Ok(_) => None,
        })
        .collect();
    whys.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyse::fixture::{Run, scenario, simulated};
    use crate::record::fixture;

    /// A run of five launches, each time `factor` times as long.
    fn results(name: &str, mechanisms: &str, factor: f64) -> Results {
        let run =
            simulated(scenario(&format!("mechanism = {mechanisms}")), 5, 3, |setup, launch, _| {
                let base = if setup.work.mechanism == "fork" { 200e3 } else { 50e3 };
                base * factor * (1.0 + 0.001 * f64::from(launch))
            });
        of(name, &run)
    }

    fn of(name: &str, run: &Run) -> Results {
        Results::of(&run.cells(), &[], Environment::default(), name.to_owned())
    }

    #[test]
    fn variants_are_joined_by_their_setups_and_ratios_are_to_the_first() {
        let one = results("one", "[\"fork\", \"vfork\"]", 1.0);
        // Its numbers are others, and one of its variants stands nowhere else.
        let other = results("other", "[\"vfork\", \"posix_spawn\", \"fork\"]", 1.1);
        let found = Comparison::of(&[one, other]);
        assert!(found.compares());
        let row = found.rows.iter().find(|row| row.variant.mechanism == "vfork").unwrap();
        assert_eq!(row.quantity.to_string(), "blocked.p50");
        let [first, second] = &row.places[..] else { panic!("{row:?}") };
        let (first, second) = (first.as_ref().unwrap(), second.as_ref().unwrap());
        assert_eq!((first.ratio, first.rank, second.rank), (Some(1.0), 1, 2));
        assert!((second.ratio.unwrap() - 1.1).abs() < 1e-3);
        let (low, high) = second.bounds.unwrap();
        assert!(low < second.value && second.value < high && second.launches == 5);

        let mean = &found.means[0];
        assert_eq!((mean.variants, mean.ranks.clone()), (2, vec![1, 2]));
        assert!((mean.ratios[1] - 1.1).abs() < 1e-3 && mean.ratios[0] == 1.0);
        let expected = ("empty posix_spawn".to_owned(), "one: it is not in this run".to_owned());
        assert_eq!(found.left_out, [expected]);
    }

    #[test]
    fn runs_of_nothing_in_common_are_not_compared() {
        let found =
            Comparison::of(&[results("a", "[\"fork\"]", 1.0), results("b", "[\"vfork\"]", 1.0)]);
        assert!(!found.compares() && found.means.is_empty());
        assert_eq!(found.left_out.len(), 2);
        assert!(!Comparison::of(&[]).compares());
    }

    #[test]
    fn setups_that_stand_in_a_run_twice_are_joined_in_their_order() {
        let of_sides = |times: [f64; 2]| {
            let mut run = simulated(scenario("mechanism = \"vfork\""), 4, 2, |_, _, _| times[0]);
            let mut cand = run.variants[0].clone();
            (cand.variant, cand.label) = (1, "cand".to_owned());
            run.variants.push(cand);
            for block in &mut run.blocks {
                let (launch, number) = (block.0.launch, block.0.block);
                let sample = |_| fixture::sample(launch, number, 1, times[1] as u64);
                block.1.extend((0..4).map(sample));
            }
            of("run", &run)
        };
        let found = Comparison::of(&[of_sides([50e3, 60e3]), of_sides([50e3, 90e3])]);
        let ratio = |label: &str| {
            let row = found.rows.iter().find(|row| row.variant.label == label).unwrap();
            row.places[1].as_ref().unwrap().ratio.unwrap()
        };
        assert!((ratio("empty vfork") - 1.0).abs() < 1e-6 && (ratio("cand") - 1.5).abs() < 1e-6);
    }

    #[test]
    fn what_a_run_did_not_measure_says_why_and_what_is_equal_shares_a_rank() {
        let mut failed = simulated(scenario("mechanism = \"vfork\""), 3, 1, |_, _, _| 50e3);
        for sample in failed.blocks.iter_mut().flat_map(|block| &mut block.1) {
            sample.status = 9;
        }
        let whole = results("whole", "[\"vfork\"]", 1.0);
        let found = Comparison::of(&[whole.clone(), of("failed", &failed), whole]);
        let row = &found.rows[0];
        assert!(row.places[1].as_ref().unwrap_err().starts_with("empty vfork: "), "{row:?}");
        let rank = |place: usize| row.places[place].as_ref().unwrap().rank;
        assert_eq!((rank(0), rank(2)), (1, 1));
        assert!(found.means.is_empty() && found.left_out.len() == 1);
    }

    #[test]
    fn times_of_nothing_have_no_ratio() {
        let zero =
            || of("zero", &simulated(scenario("mechanism = \"vfork\""), 3, 2, |_, _, _| 0.0));
        let found = Comparison::of(&[zero(), zero()]);
        let place = found.rows[0].places[1].as_ref().unwrap();
        assert_eq!((place.value, place.ratio, place.bounds, place.rank), (0.0, None, None, 1));
        assert!(found.means.is_empty());
    }
}
