//! Claims held against results: what each is found to be.

use super::cells::Cells;
use super::contrasts::{Bounds, Contrast, Ratio, Reason, contrast};
use super::estimate::{
    CONFIDENCE, LAUNCHES, Located, median, over_launches, over_launches_in_proportion,
};
use super::fits::Sweep;
use super::launches::Told;
use super::laws::{Growth, Law, PTE_BYTES, page_tables};
use super::places::{Places, Stop};
use super::quantiles::{Figure, Quantile};
use crate::model::claim::{Claim, Estimate, Per, Place, Verdict};
use crate::model::knob;
use crate::model::quantity::{Percentile, Quantity};
use crate::model::scenario::Published;
use crate::model::setup::Setup;

/// A claim, and what the results say of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// Name of the scenario that claims it, or of the budget.
    pub scenario: String,
    /// The claim.
    pub claim: Claim,
    /// The estimate; none if there is none.
    pub measured: Option<Measured>,
    /// What is found.
    pub verdict: Verdict,
    /// Why there is no estimate, or none with an interval; empty if there is one.
    pub why: String,
}

/// An estimate with its 95 % interval, in the unit of the estimate (see `Estimate::measure`).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measured {
    /// The estimate.
    pub value: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// For a slope: the share of the variance of the medians that the line explains.
    pub r2: Option<f64>,
    /// Launches it rests on.
    pub launches: usize,
}

/// A figure that was published, beside the one measured here.
#[derive(Clone, Debug, PartialEq)]
pub struct Compared {
    /// Name of the scenario.
    pub scenario: String,
    /// What was published.
    pub published: Published,
    /// The same quantity here, in its own unit with its interval; none if it was not measured.
    pub here: Option<Figure>,
    /// Whether `here` is what a law of this run says, the place itself not having been measured.
    pub by_law: bool,
    /// Why it was not measured, or how the law got there; empty if it was measured.
    pub why: String,
}

impl Finding {
    /// Every claim of every scenario of the run, in their order.
    pub fn all(cells: &Cells) -> Vec<Finding> {
        let mut findings = Vec::new();
        for scenario in &cells.scenarios {
            let places = Places::of(cells, scenario);
            for claim in &scenario.claims {
                let measured = match &scenario.unmet {
                    Some(why) => Err(why.clone()),
                    None => Bench { cells, places: &places }.measure(&claim.estimate),
                };
                findings.push(Finding::of(&scenario.name, claim, measured));
            }
        }
        findings
    }

    /// The claims of a budget, of all that a run has measured: a place means any variant of it.
    /// `budget` is the name of the budget.
    pub fn of_budget(cells: &Cells, budget: &str, claims: &[Claim]) -> Vec<Finding> {
        let find = |claim: &Claim| {
            let places = Places::of_run(cells, claim.estimate.axis());
            let measured = Bench { cells, places: &places }.measure(&claim.estimate);
            Finding::of(budget, claim, measured)
        };
        claims.iter().map(find).collect()
    }

    fn of(scenario: &str, claim: &Claim, measured: Result<Measured, String>) -> Finding {
        let (measured, mut why) = match measured {
            Ok(measured) => (Some(measured), String::new()),
            Err(why) => (None, why),
        };
        let verdict = measured.map_or(Verdict::NotShown, |measured| {
            let verdict = Verdict::of(measured.low, measured.high, claim.at_least, claim.at_most);
            let Some(least) = claim.r2_at_least else { return verdict };
            match measured.r2 {
                Some(r2) if r2 >= least => verdict,
                Some(r2) => {
                    why = format!(
                        "the line explains R2 = {r2:.3} of the variance of the medians, and \
                         {least} is claimed (R2 has no interval)"
                    );
                    Verdict::Fails
                }
                None => {
                    why = "R2 takes three points: two are always on a line".to_owned();
                    Verdict::NotShown
                }
            }
        });
        Finding { scenario: scenario.to_owned(), claim: claim.clone(), measured, verdict, why }
    }
}

/// What the estimates of one scenario are made from.
struct Bench<'a> {
    cells: &'a Cells,
    places: &'a Places,
}

impl Bench<'_> {
    /// The estimate, or why there is none.
    fn measure(&self, estimate: &Estimate) -> Result<Measured, String> {
        match estimate {
            Estimate::Value { of, at } => {
                let told = self.told(of, at)?;
                Ok(measured(over(&told.values(), told.exact)?, told.launches.len()))
            }
            Estimate::Ratio { of, at, to_of, to } => {
                self.ratio((of, self.places.one(at)?), (to_of, self.places.one(to)?))
            }
            Estimate::Difference { of, at, to } => {
                let (this, other) = (self.told(of, at)?, self.told(of, to)?);
                let pairs = common(&this, &other)?;
                let differences: Vec<f64> = pairs.iter().map(|(one, other)| one - other).collect();
                let exact = this.exact && other.exact;
                Ok(measured(over_launches(&differences, exact)?, differences.len()))
            }
            Estimate::Slope { of, at, over, per } => self.slope(of, at, over, *per),
            Estimate::Spread { of, at, over } => self.spread(of, at, over),
            Estimate::Crossover { of, at, to, over } => self.crossover(of, at, to, over),
        }
    }

    fn told(&self, of: &Quantity, at: &Place) -> Result<Told, String> {
        Told::of(self.cells, self.places.one(at)?, of)
    }

    /// One quantity of one variant / another of another.
    fn ratio(
        &self,
        (of, this): (&Quantity, usize),
        (to_of, other): (&Quantity, usize),
    ) -> Result<Measured, String> {
        // The largest of a block is no quantile that the next block would have as well.
        if let Some(percentile) = of.percentile().filter(|&p| of == to_of && p != Percentile::MAX)
            && let (Some(one), Some(next)) =
                (self.cells.cell_of(this, of), self.cells.cell_of(other, of))
        {
            match contrast(one, next, percentile.share(), CONFIDENCE) {
                Contrast::Shown(ratio) => return by_blocks(ratio),
                Contrast::NotShown(Reason::ZeroTime) => {
                    return Err(format!("{of} is 0 ns, which is less than the clock can tell"));
                }
                // By launches there may be samples enough; if not, it says so.
                Contrast::NotShown(Reason::NotInOneBlock | Reason::TooFewSamples { .. }) => {}
            }
        }
        let (these, others) =
            (Told::of(self.cells, this, of)?, Told::of(self.cells, other, to_of)?);
        let pairs = common(&these, &others)?;
        if pairs.iter().any(|&(_, other)| other == 0.0) {
            return Err(format!("{to_of} of {} is 0", self.cells.variants[other].label));
        }
        let ratios: Vec<f64> = pairs.iter().map(|(one, other)| one / other).collect();
        Ok(measured(over(&ratios, these.exact && others.exact)?, ratios.len()))
    }

    /// What is told at each point of an axis.
    fn sweep(&self, of: &Quantity, at: &Place, over: &str) -> Result<Vec<(Stop, Told)>, String> {
        let stops = self.places.along(at, over)?;
        if stops.len() < 2 {
            let only = stops.first().map(|stop| stop.label.clone()).unwrap_or_default();
            return Err(format!("{at} has one point along {over}, {only}"));
        }
        stops
            .into_iter()
            .map(|stop| {
                let told = Told::of(self.cells, stop.index, of)?;
                Ok((stop, told))
            })
            .collect()
    }

    fn slope(&self, of: &Quantity, at: &Place, over: &str, per: Per) -> Result<Measured, String> {
        let sweep = self.sweep(of, at, over)?;
        let points = sweep
            .iter()
            .map(|(stop, told)| {
                let x = match per {
                    Per::Pte => page_tables(self.cells, stop.index)
                        .map(|bytes| bytes / PTE_BYTES)
                        .ok_or_else(|| format!("VmPTE was not read at {over}={}", stop.label)),
                    _ => stop.x.ok_or_else(|| format!("{over}={} is no number", stop.label)),
                };
                Ok((x?, told))
            })
            .collect::<Result<Vec<(f64, &Told)>, String>>()?;
        let fitted = Sweep::fit(&points)?;
        let Located { value, low, high } = fitted.slope()?;
        Ok(Measured {
            value: value * per.size(),
            low: low * per.size(),
            high: high * per.size(),
            r2: (points.len() > 2).then_some(fitted.r2),
            launches: fitted.lines.len(),
        })
    }

    /// Largest / smallest. Which two these are is chosen by the same launches, which makes it larger
    /// than it is, never smaller: a series is not called flat by that.
    fn spread(&self, of: &Quantity, at: &Place, over: &str) -> Result<Measured, String> {
        let sweep = self.sweep(of, at, over)?;
        let middle = |(_, told): &&(Stop, Told)| median(&told.values()).unwrap_or_default();
        let by_middle =
            |one: &&(Stop, Told), other: &&(Stop, Told)| middle(one).total_cmp(&middle(other));
        let largest = sweep.iter().max_by(by_middle);
        let smallest = sweep.iter().min_by(by_middle);
        let (Some((largest, _)), Some((smallest, _))) = (largest, smallest) else {
            return Err(format!("{over} has no points"));
        };
        self.ratio((of, largest.index), (of, smallest.index))
    }

    /// Where two series are equal: in each launch, on a straight line between the two neighbouring
    /// points at which their difference has opposite signs.
    fn crossover(
        &self,
        of: &Quantity,
        at: &Place,
        to: &Place,
        over: &str,
    ) -> Result<Measured, String> {
        let (these, others) = (self.sweep(of, at, over)?, self.sweep(of, to, over)?);
        let mut points: Vec<(f64, Vec<(u32, f64)>)> = Vec::new();
        let mut labels: Vec<&str> = Vec::new();
        for (stop, this) in &these {
            let Some((_, other)) = others.iter().find(|(other, _)| other.label == stop.label)
            else {
                continue;
            };
            let Some(x) = stop.x else {
                return Err(format!("{over}={} is no number", stop.label));
            };
            let differences = this.launches.iter().filter_map(|(number, launch)| {
                Some((*number, launch.value - other.launches.get(number)?.value))
            });
            points.push((x, differences.collect()));
            labels.push(&stop.label);
        }
        let (Some(first), Some(last)) = (labels.first(), labels.last()) else {
            return Err(format!("the two have no value of {over} in common"));
        };
        let launches = points[0].1.iter().map(|&(number, _)| number);
        let (mut crossings, mut apart) = (Vec::new(), Vec::new());
        for launch in launches {
            let differences: Option<Vec<(f64, f64)>> = points
                .iter()
                .map(|(x, all)| Some((*x, all.iter().find(|(number, _)| *number == launch)?.1)))
                .collect();
            let Some(differences) = differences else { continue };
            match crossing(&differences) {
                Ok(x) => crossings.push(x),
                Err(sign) => apart.push(sign),
            }
        }
        if !apart.is_empty() {
            let all = crossings.len() + apart.len();
            let above = apart.iter().filter(|sign| **sign > 0.0).count();
            let larger = if 2 * above >= apart.len() { at } else { to };
            return Err(if crossings.is_empty() && (above == 0 || above == apart.len()) {
                format!("{larger} is the larger at every point from {first} to {last}")
            } else {
                format!(
                    "in {} of {all} launches the two do not cross between {first} and {last}",
                    apart.len()
                )
            });
        }
        let exact = these.iter().chain(&others).all(|(_, told)| told.exact);
        let Located { value, low, high } = over_launches(&crossings, exact)?;
        let (first, last) = (points[0].0, points[points.len() - 1].0);
        // Every launch crosses between the outermost points, and so does their centre.
        let located = Located { value, low: low.max(first), high: high.min(last) };
        Ok(measured(located, crossings.len()))
    }
}

/// Where differences along an axis change their sign; the sign that they keep if they do not. Of
/// several places, which only noise about one can make, the middle one.
fn crossing(differences: &[(f64, f64)]) -> Result<f64, f64> {
    let mut places = Vec::new();
    for pair in differences.windows(2) {
        let [(x, one), (next_x, next)] = [pair[0], pair[1]];
        if (one < 0.0) != (next < 0.0) {
            places.push(x + (next_x - x) * (one / (one - next)));
        }
    }
    let ends = (differences[0].1, differences[differences.len() - 1].1);
    match median(&places) {
        Some(place) if (ends.0 < 0.0) != (ends.1 < 0.0) => Ok(place),
        _ => {
            let sum: f64 = differences.iter().map(|(_, difference)| difference.signum()).sum();
            Err(sum)
        }
    }
}

fn over(numbers: &[f64], exact: bool) -> Result<Located, String> {
    if exact || numbers.contains(&0.0) {
        return over_launches(numbers, exact);
    }
    over_launches_in_proportion(numbers)
}

fn common(this: &Told, other: &Told) -> Result<Vec<(f64, f64)>, String> {
    let pairs = this.pairs(other);
    if pairs.is_empty() {
        return Err("no launch measured both".to_owned());
    }
    Ok(pairs)
}

fn measured(located: Located, launches: usize) -> Measured {
    let Located { value, low, high } = located;
    Measured { value, low, high, r2: None, launches }
}

/// A ratio by blocks as a finding: it speaks for parents only if it has seen several.
fn by_blocks(ratio: Ratio) -> Result<Measured, String> {
    if ratio.launches < LAUNCHES {
        return Err(format!("it takes {LAUNCHES} launches, and there are {}", ratio.launches));
    }
    match ratio.bounds {
        Bounds::Between { low, high } => {
            Ok(measured(Located { value: ratio.value, low, high }, ratio.launches))
        }
        Bounds::Needs { needed, count } => {
            Err(format!("it takes {needed} blocks in which both took turns, and there are {count}"))
        }
    }
}

impl Compared {
    /// Every published figure of every scenario of the run, in their order. `laws` are those of the
    /// same run: where a place was not measured, the law of its series speaks for it.
    pub fn all(cells: &Cells, laws: &[Law]) -> Vec<Compared> {
        let mut compared = Vec::new();
        for scenario in &cells.scenarios {
            let places = Places::of(cells, scenario);
            for published in &scenario.published {
                let found = places.one(&published.at);
                let here = found.and_then(|index| figure(cells, index, &published.quantity));
                let (here, by_law, why) = match here {
                    Ok(figure) => (Some(figure), false, String::new()),
                    Err(why) => match by_law(cells, laws, &scenario.name, published) {
                        Some((figure, how)) => (Some(figure), true, how),
                        None => (None, false, why),
                    },
                };
                compared.push(Compared {
                    scenario: scenario.name.clone(),
                    published: published.clone(),
                    here,
                    by_law,
                    why,
                });
            }
        }
        compared
    }
}

/// A quantity of a variant: a quantile of all its samples, or what most spawns read.
fn figure(cells: &Cells, index: usize, quantity: &Quantity) -> Result<Figure, String> {
    let told = Told::of(cells, index, quantity);
    if let (Some(cell), Some(percentile)) = (cells.cell_of(index, quantity), quantity.percentile())
        && cell.count() > 0
        && percentile != Percentile::MAX
    {
        return Ok(Figure::of(&cell.pooled(), percentile.share(), CONFIDENCE));
    }
    let told = told?;
    let Located { value, low, high } = over(&told.values(), told.exact)?;
    Ok(Figure::Known(Quantile { value, low, high }))
}

/// What the law says whose series has the settings, but for the knob of its axis; and that it does.
fn by_law(
    cells: &Cells,
    laws: &[Law],
    scenario: &str,
    published: &Published,
) -> Option<(Figure, String)> {
    let place = &published.at;
    let mut fitting = laws.iter().filter(|law| {
        let others = place.0.iter().filter(|setting| setting.knob != law.axis).cloned();
        let others = Place(others.collect());
        let setup = law.points.first().and_then(|point| {
            let index = cells.variants.iter().position(|row| row.variant == point.variant)?;
            cells.setups[index].as_ref()
        });
        law.scenario == scenario
            && law.quantity == published.quantity
            && matches!(law.growth, Growth::Linear | Growth::Flat)
            && place.0.iter().any(|setting| setting.knob == law.axis)
            && setup.is_some_and(|setup| others.holds(setup))
    });
    let (law, None) = (fitting.next()?, fitting.next()) else { return None };
    let knob = knob::find(&law.axis)?;
    let setting = place.0.iter().find(|setting| setting.knob == law.axis)?;
    let mut setup = Setup::default();
    (knob.set)(&mut setup, &setting.value).ok()?;
    let predicted = law.predict(knob::number(knob, &setup)?)?;
    let (first, last) = (&law.points.first()?.label, &law.points.last()?.label);
    let how = if predicted.extrapolated { "extrapolated" } else { "interpolated" };
    let figure = Quantile { value: predicted.value, low: predicted.low, high: predicted.high };
    let why = format!(
        "not measured; {how} by the law of {} over {} {first} to {last}",
        law.series, law.axis
    );
    Some((Figure::Known(figure), why))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyse::fixture::{Noise, Run, scenario, simulated};
    use crate::analyse::summary::Summary;
    use crate::model::row::{EventKind, Role, Scope};
    use crate::record::fixture;
    use crate::record::rows::EventRow;

    /// fork takes 50 us and 17 us per MiB, posix_spawn 100 us, vfork 40 us and twice that in 1 GiB.
    fn run(claims: &str, launches: u32) -> Run {
        let text = format!(
            "rss = [\"0\", \"64M\", \"256M\", \"1G\"]\n\
             mechanism = [\"fork\", \"posix_spawn\", \"vfork\"]\n{claims}"
        );
        let mut noise = Noise::new(11);
        let mut parent = (0, 0, 1.0);
        simulated(scenario(&text), launches, 3, |setup, launch, _| {
            let bytes = setup.parent.shape.rss.bytes();
            let mib = bytes as f64 / f64::from(1 << 20);
            if (parent.0, parent.1) != (launch, bytes) {
                parent = (launch, bytes, noise.around_1(0.05));
            }
            let time = match setup.work.mechanism.as_str() {
                "fork" => 50e3 + 17e3 * mib,
                "posix_spawn" => 100e3,
                _ => 40e3 * (1.0 + mib / 1024.0),
            };
            time * parent.2 * noise.around_1(0.02)
        })
    }

    fn findings(claims: &str) -> Vec<Finding> {
        Finding::all(&run(claims, 10).cells())
    }

    fn claim(name: &str, rest: &str) -> String {
        format!("[[claim]]\nname = \"{name}\"\n{rest}\n")
    }

    fn check(rest: &str, verdict: Verdict, truth: f64) -> Finding {
        let finding = findings(&claim("c", rest)).remove(0);
        assert_eq!(finding.verdict, verdict, "{rest}: {finding:?}");
        let measured = finding.measured.unwrap();
        assert!((measured.value / truth - 1.0).abs() < 0.15, "{rest}: {measured:?}");
        assert!(measured.low <= measured.value && measured.value <= measured.high);
        finding
    }

    const SLOPE: &str = "slope = \"blocked.p50\"\nat = { mechanism = \"fork\" }\nover = \"rss\"";

    #[test]
    fn a_slope_holds_fails_or_is_unclear() {
        use Verdict::{Fails, Holds, Unclear};
        let slope = |bounds: &str| format!("{SLOPE}\n{bounds}");
        let holds = check(&slope("at-least = \"15us\"\nat-most = \"19us\""), Holds, 17e3);
        assert_eq!(holds.why, "");
        assert!(holds.measured.unwrap().r2.unwrap() > 0.99);
        check(&slope("at-most = \"15us\""), Fails, 17e3);
        check(&slope("at-least = \"20us\""), Fails, 17e3);
        check(&slope("at-most = \"17us\""), Unclear, 17e3);
        // 256 entries a MiB.
        let entries = slope("per = \"PTE\"\nat-least = \"60ns\"\nat-most = \"75ns\"");
        check(&entries, Holds, 17e3 / 256.0);
    }

    #[test]
    fn a_line_that_explains_too_little_fails_whatever_its_slope() {
        let finding = check(
            &format!("{SLOPE}\nat-least = \"15us\"\nr2-at-least = 1.0"),
            Verdict::Fails,
            17e3,
        );
        assert!(finding.why.contains("R2 = 0.99"), "{}", finding.why);
        check(&format!("{SLOPE}\nr2-at-least = 0.98"), Verdict::Holds, 17e3);
    }

    #[test]
    fn lengths_that_are_no_interval_are_claimed_like_intervals() {
        let text = format!(
            "mechanism = [\"fork\", \"vfork\"]\n{}{}{}",
            claim(
                "times as long",
                "ratio = \"bystander_ns.p50\"\nat = { mechanism = \"fork\" }\n\
                 to = { mechanism = \"vfork\" }\nat-least = 9",
            ),
            claim(
                "the worst is about as long as the call",
                "ratio = \"bystander_ns.max\"\nto-quantity = \"blocked.p50\"\n\
                 at = { mechanism = \"fork\" }\nto = { mechanism = \"fork\" }\n\
                 at-least = 0.5\nat-most = 3",
            ),
            claim(
                "the worst",
                "value = \"bystander_ns.max\"\nat = { mechanism = \"fork\" }\nat-most = \"5us\"",
            ),
        );
        let mut noise = Noise::new(5);
        let mut run = simulated(scenario(&text), 6, 3, |_, _, _| 10e3);
        for launch in 1..=6 {
            for block in 0..3 {
                for (variant, length) in [(0, 1000.0), (1, 100.0)] {
                    let middle = (length * noise.around_1(0.05)) as u64;
                    let worst = 12 * middle;
                    run.histograms.extend([
                        fixture::bucket(
                            launch,
                            block,
                            variant,
                            (middle - 2, middle + 2),
                            5_000_000,
                        ),
                        fixture::bucket(launch, block, variant, (worst, worst + 9), 3),
                    ]);
                }
            }
        }
        let findings = Finding::all(&run.cells());
        let told: Vec<(Verdict, f64)> = findings
            .iter()
            .map(|finding| (finding.verdict, finding.measured.unwrap().value.round()))
            .collect();
        assert_eq!(told[0], (Verdict::Holds, 10.0), "{findings:?}");
        assert_eq!(told[1], (Verdict::Holds, 1.0), "{findings:?}");
        assert_eq!(told[2].0, Verdict::Fails, "{findings:?}");
    }

    #[test]
    fn ratios_within_a_parent_and_across_parents() {
        let ratio = |at: &str, to: &str, bound: &str| {
            format!("ratio = \"blocked.p50\"\nat = {{ {at} }}\nto = {{ {to} }}\n{bound}")
        };
        let fork = "mechanism = \"fork\", rss = \"1G\"";
        let spawn = "mechanism = \"posix_spawn\", rss = \"1G\"";
        let inside = check(&ratio(fork, spawn, "at-least = 150"), Verdict::Holds, 174.6);
        let small = "mechanism = \"posix_spawn\", rss = \"0\"";
        let across = check(&ratio(fork, small, "at-least = 150"), Verdict::Holds, 174.6);
        // What differs between parents is in the one and not in the other.
        let width = |finding: &Finding| {
            let measured = finding.measured.unwrap();
            measured.high / measured.low
        };
        assert!(width(&across) > width(&inside));
        assert_eq!(across.measured.unwrap().launches, 10);
        check(&ratio(fork, small, "at-most = 100"), Verdict::Fails, 174.6);

        let two = "ratio = \"reaped.p50\"\nto-quantity = \"blocked.p50\"\nat-most = 3";
        let same = format!("{two}\nat = {{ {fork} }}\nto = {{ {fork} }}");
        check(&same, Verdict::Holds, 2.0);
    }

    #[test]
    fn values_differences_and_spreads() {
        let at = "{ mechanism = \"fork\", rss = \"64M\" }";
        let value = format!("value = \"blocked.p50\"\nat = {at}\nat-most = \"2ms\"");
        check(&value, Verdict::Holds, 1.138e6);
        let to = "{ mechanism = \"fork\", rss = \"0\" }";
        let difference =
            format!("difference = \"blocked.p50\"\nat = {at}\nto = {to}\nat-least = \"1ms\"");
        check(&difference, Verdict::Holds, 1.088e6);
        let spread = |mechanism: &str| {
            format!(
                "flat = \"blocked.p50\"\nat = {{ mechanism = \"{mechanism}\" }}\nover = \"rss\""
            )
        };
        check(&spread("posix_spawn"), Verdict::Holds, 1.0);
        check(&spread("vfork"), Verdict::Fails, 2.0);
    }

    #[test]
    fn where_two_series_cross() {
        let crossover = |at: &str, to: &str| {
            claim(
                "c",
                &format!(
                    "crossover = \"blocked.p50\"\nat = {{ mechanism = \"{at}\" }}\n\
                     to = {{ mechanism = \"{to}\" }}\nover = \"rss\"\nat-most = \"64M\""
                ),
            )
        };
        let finding = findings(&crossover("fork", "posix_spawn")).remove(0);
        assert_eq!(finding.verdict, Verdict::Holds, "{finding:?}");
        // 50 us + 17 us per MiB is 100 us at 2.94 MiB; to interpolate ratios would give 14.
        let mib = finding.measured.unwrap().value / f64::from(1 << 20);
        assert!((2.5..3.4).contains(&mib), "{mib}");

        let finding = findings(&crossover("posix_spawn", "vfork")).remove(0);
        assert_eq!((finding.verdict, finding.measured), (Verdict::NotShown, None));
        assert_eq!(
            finding.why,
            "mechanism=posix_spawn is the larger at every point from 0 to 1GiB"
        );
        assert_eq!(crossing(&[(0.0, -1.0), (2.0, 0.0), (3.0, 5.0)]), Ok(2.0));
        assert!(crossing(&[(0.0, 1.0), (2.0, -1.0), (3.0, 5.0)]).is_err());
        assert_eq!(crossing(&[(0.0, -1.0), (2.0, 1.0), (4.0, -1.0), (6.0, 1.0)]), Ok(3.0));
    }

    #[test]
    fn what_is_not_shown_says_why() {
        let why = |rest: &str| {
            let finding = findings(&claim("c", rest)).remove(0);
            assert_eq!((finding.verdict, finding.measured), (Verdict::NotShown, None), "{rest}");
            finding.why
        };
        let value =
            |at: &str| format!("value = \"blocked.p50\"\nat = {{ {at} }}\nat-most = \"1s\"");
        let missing = why(&value("mechanism = \"fork\", rss = \"4G\""));
        assert!(
            missing.contains("mechanism=fork rss=4GiB") && missing.contains("its rss is 0, 64MiB"),
            "{missing}"
        );
        assert_eq!(
            why(&value("mechanism = \"fork\"")),
            "mechanism=fork matches 4 variants; say which rss"
        );
        let several = why("flat = \"blocked.p50\"\nat = { }\nover = \"rss\"");
        assert_eq!(several, "rss=0 matches 3 variants; say which mechanism");
        let one = why("flat = \"blocked.p50\"\nat = { mechanism = \"fork\" }\nover = \"page\"");
        assert!(one.contains("matches 4 variants") && one.contains("say which rss"), "{one}");
        let axis = why("flat = \"blocked.p50\"\nat = { mechanism = \"fork\" }\nover = \"parent\"");
        assert_eq!(axis, "sweep has no axis `parent`");
        let born = why(
            "value = \"born.p50\"\nat = { mechanism = \"fork\", rss = \"0\" }\nat-most = \"1s\"",
        );
        assert!(born.contains("has no born_ns"), "{born}");
        let tail = why(
            "value = \"blocked.p99\"\nat = { mechanism = \"fork\", rss = \"0\" }\nat-most = \"1s\"",
        );
        assert!(tail.contains("takes 200 samples in one launch") && tail.contains("12"), "{tail}");
        let faults = why(
            "value = \"minor_faults.child\"\nat = { mechanism = \"fork\", rss = \"0\" }\nat-most = 1",
        );
        assert!(faults.contains("minor_faults.child was not read"), "{faults}");
    }

    #[test]
    fn too_few_launches_show_nothing_of_times() {
        let at = "at = { mechanism = \"fork\", rss = \"0\" }";
        let text = [
            claim("value", &format!("value = \"blocked.p50\"\n{at}\nat-most = \"1s\"")),
            claim(
                "ratio",
                &format!(
                    "ratio = \"blocked.p50\"\n{at}\nat-most = 9\n\
                     to = {{ mechanism = \"vfork\", rss = \"0\" }}"
                ),
            ),
            claim(
                "tables",
                &format!("value = \"vm_pte_bytes.parent@setup\"\n{at}\nat-most = \"1M\""),
            ),
        ];
        let verdicts = |launches| {
            let findings = Finding::all(&run(&text.concat(), launches).cells());
            findings.iter().map(|finding| finding.verdict).collect::<Vec<Verdict>>()
        };
        use Verdict::{Holds, NotShown};
        assert_eq!(verdicts(2), [NotShown, NotShown, Holds]);
        assert_eq!(verdicts(3), [Holds, Holds, Holds]);
    }

    #[test]
    fn a_variant_without_samples_says_what_happened_to_it() {
        let text = claim(
            "c",
            "value = \"blocked.p50\"\nat = { mechanism = \"fork\", rss = \"1G\" }\nat-most = \"1s\"",
        );
        let mut run = run(&text, 3);
        let fork = run.variants.iter().find(|row| row.label == "rss=1GiB fork").unwrap().variant;
        for (_, samples, _) in &mut run.blocks {
            samples.retain(|sample| sample.variant != fork);
        }
        run.events.push(EventRow {
            variant: Some(fork),
            event: EventKind::Refused,
            evidence: "Cannot allocate memory".to_string(),
            ..fixture::stuck(1, 1)
        });
        let finding = Finding::all(&run.cells()).remove(0);
        assert_eq!(finding.why, "rss=1GiB fork: not measured: Cannot allocate memory");
    }

    #[test]
    fn counts_are_exact_and_their_differences_too() {
        let at = |mechanism| format!("{{ mechanism = \"{mechanism}\", rss = \"0\" }}");
        let (fork, vfork) = (at("fork"), at("vfork"));
        let text = [
            claim("value", &format!("value = \"minor_faults.child\"\nat = {fork}\nat-most = 20")),
            claim("most", &format!("value = \"minor_faults.child\"\nat = {fork}\nat-most = 19")),
            claim(
                "less",
                &format!(
                    "difference = \"minor_faults.child\"\nat = {fork}\nto = {vfork}\nat-least = 17"
                ),
            ),
            claim(
                "times",
                &format!(
                    "ratio = \"minor_faults.child\"\nat = {vfork}\nto = {fork}\nat-most = 0.15"
                ),
            ),
            claim(
                "none",
                &format!("ratio = \"minor_faults.child\"\nat = {fork}\nto = {vfork}\nat-least = 1"),
            ),
        ];
        let mut run = run(&text.concat(), 3);
        for (launch, faults, few) in [(1, 20, 3), (2, 20, 3), (3, 19, 0)] {
            let (fork, vfork) = (0, 2);
            let of = |variant, each: u64| {
                let row = fixture::faults(launch, 0, variant, Scope::Child, each * 4, 4);
                [row, fixture::faults(launch, 0, variant, Scope::Child, 40, 1)]
            };
            let block = run.blocks.iter_mut().find(|(row, ..)| row.launch == launch).unwrap();
            block.2.extend([of(fork, faults), of(vfork, few)].concat());
        }
        let found = Finding::all(&run.cells());
        let found: Vec<_> = found
            .iter()
            .map(|found| (found.verdict, found.measured.map(|m| (m.value, m.low, m.high))))
            .collect();
        use Verdict::{Holds, NotShown, Unclear};
        let expected = [
            (Holds, Some((20.0, 19.0, 20.0))),
            (Unclear, Some((20.0, 19.0, 20.0))),
            (Holds, Some((17.0, 17.0, 19.0))),
            (Holds, Some((0.15, 0.0, 0.15))),
            (NotShown, None),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn published_figures_stand_beside_what_was_measured_or_what_the_law_says() {
        let published = |rss: &str, mechanism: &str, quantity: &str| {
            format!(
                "[[published]]\nquantity = \"{quantity}\"\nvalue = \"{}\"\n\
                 at = {{ mechanism = \"{mechanism}\", rss = \"{rss}\" }}\n",
                if quantity.contains("pte") { "2M" } else { "1ms" }
            )
        };
        let text = [
            published("1G", "fork", "blocked.p50"),
            published("8G", "fork", "blocked.p50"),
            published("512M", "fork", "reaped.p50"),
            published("1G", "fork", "vm_pte_bytes.parent@setup"),
            published("8G", "fork", "blocked.p95"),
            published("8G", "spoon", "blocked.p50"),
        ];
        let summary = Summary::of(&run(&text.concat(), 10).cells(), None);
        let known: Vec<Option<(f64, f64, f64, bool)>> = summary
            .published
            .iter()
            .map(|compared| {
                let figure = compared.here?.known()?;
                Some((figure.low, figure.value, figure.high, compared.by_law))
            })
            .collect();
        let near = |place: usize, truth: f64, by_law: bool| {
            let (low, value, high, law) = known[place].unwrap();
            assert!((value / truth - 1.0).abs() < 0.1 && law == by_law, "{place}: {known:?}");
            assert!(low <= value && value <= high);
            low < truth && truth < high
        };
        near(0, 17.458e6, false);
        assert!(near(1, 139.3e6, true) && near(2, 17.508e6, true));
        let tables = f64::from(40_960 + (2 << 20));
        assert_eq!(known[3], Some((tables, tables, tables, false)));
        assert_eq!(known[4..], [None, None]);
        let why: Vec<&str> = summary.published.iter().map(|c| c.why.as_str()).collect();
        assert_eq!((why[0], why[3]), ("", ""));
        assert_eq!(why[1], "not measured; extrapolated by the law of fork over rss 0 to 1GiB");
        assert!(why[2].contains("interpolated") && why[4].contains("rss=8GiB"), "{why:?}");
        assert!(why[5].starts_with("no variant of this run has mechanism=spoon"), "{}", why[5]);
    }

    #[test]
    fn the_empty_parent_that_every_run_carries_and_the_control_can_be_named() {
        let text = "rss = \"1G\"\nmechanism = [\"fork\", \"posix_spawn\"]\n".to_owned()
            + &claim(
                "c",
                "ratio = \"blocked.p50\"\nat = { mechanism = \"fork\" }\nto = { mechanism = \"fork\", rss = \"0\" }\nat-least = 100",
            )
            + &claim(
                "d",
                "value = \"blocked.p50\"\nat = { mechanism = \"none\" }\nat-most = \"1us\"",
            );
        let asked = scenario(&text);
        let mut all = asked.clone();
        all.base.clear();
        let list = |knob: &str, values: &[&str]| {
            let values: Vec<String> = values.iter().map(|value| value.to_string()).collect();
            crate::model::scenario::Axis::list(knob, &values)
        };
        all.axes =
            vec![list("rss", &["1G", "0"]), list("mechanism", &["fork", "posix_spawn", "none"])];
        let mut run = simulated(all, 3, 3, |setup, _, _| {
            match (setup.work.mechanism.as_str(), setup.parent.shape.rss.bytes()) {
                ("none", _) => 100.0,
                ("fork", 1..) => 20e6,
                _ => 50e3,
            }
        });
        run.scenarios = vec![asked];
        for row in &mut run.variants {
            row.role = match (row.mechanism.as_str(), row.shape.as_str()) {
                ("none", _) => Role::Control,
                (_, "empty") => Role::Reference,
                _ => Role::Subject,
            };
        }
        let findings = Finding::all(&run.cells());
        let verdicts: Vec<(Verdict, &str)> =
            findings.iter().map(|finding| (finding.verdict, finding.why.as_str())).collect();
        assert_eq!(verdicts, [(Verdict::Holds, ""), (Verdict::Holds, "")]);
    }
}
