//! Groups of results directories against each other: the run, or the boot, is the unit.
//!
//! What a run says of a variant is divided by what it says of a *reference*: another way to make
//! a process, of the same kind, in the same parent, in the same run. That takes out what one run
//! was slower by as a whole, though not all of it, so the margin is never below 5 % and never
//! below the floor that was measured for the machine. Where a difference of the surroundings is
//! the question itself, the reference goes through it too: then nothing is divided, and the unit
//! is the boot, which is what such a difference comes with.
//!
//! Decides what can be compared at all, and says in words why not. Reads no file.

use std::collections::{BTreeMap, BTreeSet};

use super::contrasts::Unit;
use super::environments::{DEBUG_BUILD, Difference, Environment, Topic, differences};
use super::estimate::{Located, detectable, hodges_lehmann};
use super::gate::{self, Tested, Verdict};
use super::groups::{Measured, Results};
use super::judgement::{Figures, Judged, Judgement};
use super::two_samples::{FEWEST, above_p, shift, smallest_p};
use crate::model::gate::Margin;
use crate::model::quantity::Quantity;
use crate::model::row::Role;
use crate::model::setup::Setup;
use crate::record::floor::Floor;

/// No margin between runs is smaller: as far as runs of one program lie apart where it was
/// measured, with some to spare.
pub const LEAST_MARGIN: f64 = 0.05;

/// A reference that differs by more than this says that the machine is not what it was.
const REFERENCE_DIFFERS: f64 = 1.25;

/// References of births that share memory and of those that copy page tables: the barest first,
/// which have the least of the libc and of this program in them.
const SHARING: [&str; 5] = ["vfork", "clone3-vm", "clone3-pidfd", "posix_spawn", "pidfd_spawn"];
const COPYING: [&str; 3] = ["clone3", "_fork", "fork"];

/// Why nothing is judged that cannot be divided, and what helps.
const UNDIVIDED: &str = "undivided, 9 to 84 % of the differences between unchanged runs were called \
    significant where it was tried, divided 2 to 18 %: measure each mechanism beside a barer one of \
    its kind (posix_spawn with vfork, fork with clone3), or name what to divide by (--reference)";

/// What is asked of two groups of directories.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// How things were.
    pub base: &'a [Results],
    /// How they are.
    pub cand: &'a [Results],
    /// What is judged, and how much worse it may be.
    pub margins: &'a [Margin],
    /// The level of each test.
    pub alpha: f64,
    /// The differences that are the question.
    pub across: &'a [Topic],
    /// Labels or mechanisms of the references; empty: the barest.
    pub references: &'a [String],
    /// What is stored of the machines.
    pub floors: &'a [Floor],
    /// Whether debug builds are judged.
    pub allow_debug_build: bool,
}

/// What was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// The rows.
    pub judgement: Judgement,
    /// Why nothing may be judged; none if something may.
    pub refused: Option<String>,
    /// What else a reader should know: a sentence each.
    pub notes: Vec<String>,
}

/// Holds the candidates against the base.
pub fn judge(question: &Question<'_>) -> Found {
    let mut notes = Vec::new();
    let refused = refusal(question, &mut notes);
    let rows = question.rows(&mut notes);
    let judged = refused.is_none() && !rows.is_empty();
    let mut rows: Vec<Judged> = decide(rows, question.alpha, judged);
    let refused = refused.or_else(|| {
        rows.is_empty().then(|| {
            "no variant with the same scenario and setup was measured on both sides, beside one \
             that it can be divided by"
                .to_owned()
        })
    });
    if refused.is_some() {
        for row in &mut rows {
            row.verdict = Verdict::NotComparable;
            row.needed = None;
            // A ratio with its interval would be taken for a judgement.
            row.figures = None;
        }
    } else {
        question.remark(&rows, &mut notes);
    }
    let judgement = Judgement { alpha: question.alpha, rows, twins: Vec::new() };
    Found { judgement, refused, notes }
}

/// Why the sides are not comparable at all; none if they are.
fn refusal(question: &Question<'_>, notes: &mut Vec<String>) -> Option<String> {
    let all = || question.base.iter().chain(question.cand);
    if let Some(one) = all().find(|one| one.eligible == 0) {
        return Some(format!("{}: nothing was measured", one.name));
    }
    if let Some(one) = all().find(|one| one.environment == Environment::default()) {
        return Some(format!(
            "{} has no environment.toml: nobody can say whether it was measured in the same place",
            one.name
        ));
    }
    let debug = all().find(|one| !one.environment.is_release_build());
    if let (Some(one), false) = (debug, question.allow_debug_build) {
        return Some(format!("{}: {DEBUG_BUILD}", one.name));
    }
    let environments: Vec<&Environment> = all().map(|one| &one.environment).collect();
    let found = differences(&environments);
    let bases = question.base.len();
    let undeclared: Vec<&Difference> =
        found.iter().filter(|one| one.refuses && !question.across.contains(&one.topic)).collect();
    if let Some(first) = undeclared.first() {
        let each: Vec<String> = undeclared.iter().map(|one| in_words(one, bases)).collect();
        return Some(format!(
            "the environments differ, and none of that was declared to be the question (--across \
             {}): {}",
            first.topic.word(),
            each.join("; ")
        ));
    }
    for topic in question.across {
        let of_topic = || found.iter().filter(|one| one.topic == *topic && one.refuses);
        let parts = |one: &Difference| {
            let base: BTreeSet<&Option<String>> = one.values[..bases].iter().collect();
            one.values[bases..].iter().all(|value| !base.contains(value))
        };
        if !of_topic().any(parts) {
            let each: Vec<String> = of_topic().map(|one| in_words(one, bases)).collect();
            let seen =
                if each.is_empty() { "it is the same in all".to_owned() } else { each.join("; ") };
            return Some(format!(
                "--across {}: nothing of it parts the sides: {seen}",
                topic.word()
            ));
        }
        notes.extend(of_topic().map(|one| format!("the question: {}", in_words(one, bases))));
    }
    let others = found.iter().filter(|one| !one.refuses && one.topic != Topic::Boot);
    notes.extend(others.map(|one| format!("differs beside that: {}", in_words(one, bases))));
    too_few(question).or_else(|| {
        notes.extend(confounded(question));
        None
    })
}

/// A difference in words, side by side.
fn in_words(difference: &Difference, bases: usize) -> String {
    let side = |values: &[Option<String>]| -> String {
        let said: BTreeSet<&str> =
            values.iter().map(|value| value.as_deref().unwrap_or("not told")).collect();
        said.into_iter().collect::<Vec<_>>().join(" and ")
    };
    let (base, cand) = difference.values.split_at(bases);
    format!("{}: {} (base), {} (cand)", difference.fact, side(base), side(cand))
}

/// Why there are too few runs or boots; none if there are enough.
fn too_few(question: &Question<'_>) -> Option<String> {
    let boots = !question.across.is_empty();
    if boots {
        let all = question.base.iter().chain(question.cand);
        if let Some(one) = all.into_iter().find(|one| one.environment.boot().is_none()) {
            return Some(format!(
                "{} does not tell its boot, which is the unit of --across",
                one.name
            ));
        }
        let ids = |side: &[Results]| -> BTreeSet<Option<String>> {
            side.iter().map(|one| one.environment.boot()).collect()
        };
        if let Some(boot) = ids(question.base).intersection(&ids(question.cand)).next() {
            return Some(format!(
                "the boot {} stands on both sides, and a boot is of one kind: measure both sides \
                 in one run instead (forkbench check --base K=V --cand K=V)",
                boot.clone().unwrap_or_default()
            ));
        }
    }
    let sizes = [question.base, question.cand].map(|side| units(side, boots).len());
    let what = if boots { "boots" } else { "runs" };
    (sizes.iter().any(|&size| size < FEWEST)).then(|| {
        format!(
            "{} {what} of the base and {} of the candidate are described, not judged: it takes \
             {FEWEST} {what} a side, since two stored runs of one program, 30 s apart, differ \
             enough to raise 1 to 33 % false alarms; measure both sides in one run (forkbench \
             check --base K=V --cand K=V), or more {what}",
            sizes[0], sizes[1]
        )
    })
}

/// What beside the question parts the sides, as far as it is known.
fn confounded(question: &Question<'_>) -> Vec<String> {
    let mut notes = Vec::new();
    let boots = |side: &[Results]| -> BTreeSet<Option<String>> {
        side.iter().map(|one| one.environment.boot()).collect()
    };
    let (base, cand) = (boots(question.base), boots(question.cand));
    if question.across.is_empty() && base.is_disjoint(&cand) {
        notes.push(
            "no boot is on both sides: what a boot changes, such as where the kernel lies in \
             memory, counts as a difference of the sides"
                .to_owned(),
        );
    }
    let started = |side: &[Results]| -> Option<(String, String)> {
        let times: Option<BTreeSet<String>> =
            side.iter().map(|one| one.environment.started()).collect();
        let times = times?;
        Some((times.first()?.clone(), times.last()?.clone()))
    };
    if let (Some((first, last)), Some((other_first, other_last))) =
        (started(question.base), started(question.cand))
        && (last < other_first || other_last < first)
    {
        notes.push(
            "one side was measured before the other: what changed with time counts as a difference \
             of the sides; where it was tried, at gaps of up to 20 s, 2 to 18 % of the differences \
             called significant were none, and the margin is what guards against that"
                .to_owned(),
        );
    }
    notes
}

/// The directories of a side by unit: each its own, or those of one boot together.
fn units(side: &[Results], boots: bool) -> Vec<Vec<&Results>> {
    if !boots {
        return side.iter().map(|one| vec![one]).collect();
    }
    let mut by_boot: BTreeMap<Option<String>, Vec<&Results>> = BTreeMap::new();
    for one in side {
        by_boot.entry(one.environment.boot()).or_default().push(one);
    }
    by_boot.into_values().collect()
}

/// A row that is not decided yet.
struct Open {
    row: Judged,
    tested: Option<Tested>,
    /// Why it is not to be trusted, whatever the tests say.
    doubt: Option<String>,
}

/// A variant that is judged, with what it is divided by.
struct Pair<'a> {
    variant: &'a Measured,
    reference: Option<&'a Measured>,
}

impl Question<'_> {
    fn boots(&self) -> bool {
        !self.across.is_empty()
    }

    fn all(&self) -> impl Iterator<Item = &Results> {
        self.base.iter().chain(self.cand)
    }

    /// The rows, in the order of the base: for each variant its quantities.
    fn rows(&self, notes: &mut Vec<String>) -> Vec<Open> {
        let mut pairs: Vec<Pair<'_>> = Vec::new();
        let mut references: Vec<&Measured> = Vec::new();
        let variants = self.subjects();
        for variant in &variants {
            let reference = if self.boots() { None } else { self.reference(variant) };
            if let Some(reference) = reference
                && references.iter().all(|known| known.identity != reference.identity)
            {
                references.push(reference);
            }
            pairs.push(Pair { variant, reference });
        }
        let is_reference =
            |one: &Measured| references.iter().any(|known| known.identity == one.identity);
        pairs.retain(|pair| !is_reference(pair.variant));
        for reference in &references {
            let of: Vec<&str> = pairs
                .iter()
                .filter(|pair| pair.reference.is_some_and(|one| one.identity == reference.identity))
                .map(|pair| pair.variant.row.label.as_str())
                .collect();
            let ratio = self.raw_ratio(reference);
            let told = ratio.map_or("not known".to_owned(), |ratio| format!("{ratio:.3}x"));
            notes.push(format!(
                "{} is what {} {} divided by, and is not judged; undivided its blocked.p50 is {told}",
                reference.row.label,
                of.join(", "),
                if of.len() == 1 { "is" } else { "are" }
            ));
        }
        if !self.boots() && pairs.iter().any(|pair| pair.reference.is_none()) {
            notes.push(UNDIVIDED.to_owned());
        }
        let only_cand: BTreeSet<&str> = self
            .cand
            .iter()
            .flat_map(|one| &one.variants)
            .filter(|one| one.row.role == Role::Subject)
            .filter(|one| self.base.iter().all(|base| base.find(&one.identity).is_none()))
            .map(|one| one.row.label.as_str())
            .collect();
        for label in only_cand {
            notes.push(format!("{label} is not judged: no base has it"));
        }
        let rows = pairs
            .iter()
            .flat_map(|pair| self.margins.iter().map(move |margin| self.row(pair, margin)));
        rows.collect()
    }

    /// Every variant that was asked for in any base, in the order of the first that has it.
    fn subjects(&self) -> Vec<&Measured> {
        let mut found: Vec<&Measured> = Vec::new();
        for one in self.base.iter().flat_map(|one| &one.variants) {
            if one.row.role == Role::Subject
                && found.iter().all(|known| known.identity != one.identity)
            {
                found.push(one);
            }
        }
        found
    }

    /// What a variant is divided by: of the same kind, in the same parent and the same work, and
    /// measured in every directory.
    fn reference(&self, variant: &Measured) -> Option<&Measured> {
        let setup = variant.setup.as_ref()?;
        let is_like = |other: &Setup| {
            let mut like = other.clone();
            like.work.mechanism.clone_from(&setup.work.mechanism);
            like == *setup && other.work.mechanism != setup.work.mechanism
        };
        let copies = variant.row.copies_pages;
        let first = self.base.first()?;
        let candidates: Vec<&Measured> = first
            .variants
            .iter()
            .filter(|one| one.row.role == Role::Subject && one.row.copies_pages == copies)
            .filter(|one| one.row.scenario == variant.row.scenario)
            .filter(|one| one.setup.as_ref().is_some_and(is_like))
            .filter(|one| self.all().all(|directory| is_measured(directory, one)))
            .collect();
        if self.references.is_empty() {
            let barest: &[&str] = if copies { &COPYING } else { &SHARING };
            let place = |one: &Measured| {
                barest.iter().position(|name| *name == one.row.mechanism).unwrap_or(usize::MAX)
            };
            let own = place(variant);
            return candidates
                .into_iter()
                .min_by_key(|one| place(one))
                .filter(|one| place(one) < own);
        }
        let is_named = |one: &&&Measured| {
            self.references.iter().any(|name| *name == one.row.label || *name == one.row.mechanism)
        };
        candidates.iter().find(is_named).copied()
    }

    /// One quantity of one variant.
    fn row(&self, pair: &Pair<'_>, margin: &Margin) -> Open {
        let variant = pair.variant;
        let floor = self.floor(pair, &margin.of);
        let share = match margin.of {
            Quantity::Count { .. } => margin.share,
            _ => margin.share.max(LEAST_MARGIN).max(floor.unwrap_or(0.0)),
        };
        let (base, cand) = ("base".to_owned(), "cand".to_owned());
        let margin = Margin { share, ..margin.clone() };
        let row = Judged::new(variant.row.label.clone(), base, cand, margin.clone());
        let mut open = Open { row, tested: None, doubt: None };
        if let Quantity::Count { .. } = margin.of {
            self.count(variant, &mut open.row);
            return open;
        }
        let row = &mut open.row;
        let raw = |side| self.side(side, variant, None, &margin.of);
        let (base, cand) = match (raw(self.base), raw(self.cand)) {
            (Ok(base), Ok(cand)) => (base, cand),
            (Err(Missing { why, is_short }), _) | (_, Err(Missing { why, is_short })) => {
                if is_short {
                    row.verdict = Verdict::Inconclusive;
                }
                row.why = why;
                return open;
            }
        };
        let centre = |values: &[f64]| hodges_lehmann(values).map(f64::exp);
        (row.base_value, row.cand_value) = (centre(&base), centre(&cand));
        if pair.reference.is_none() && !self.boots() {
            row.why = format!(
                "nothing to divide it by: no barer mechanism that {} was measured in its parent by \
                 every run",
                if variant.row.copies_pages { "copies page tables" } else { "shares memory" },
            );
            return open;
        }
        let divided = |side| self.side(side, variant, pair.reference, &margin.of);
        let (Ok(base), Ok(cand)) = (divided(self.base), divided(self.cand)) else {
            row.why = format!("its reference has no {} in some run", margin.of);
            return open;
        };
        let confidence = 1.0 - 2.0 * self.alpha;
        let bound = (1.0 + row.margin).ln();
        let interval = shift(&cand, &base, confidence);
        let pairs: Vec<f64> =
            cand.iter().flat_map(|one| base.iter().map(move |other| one - other)).collect();
        let Some(ratio) = super::estimate::median(&pairs) else { return open };
        let tested = Tested {
            ratio: ratio.exp(),
            worse: above_p(&cand, &base, bound),
            fine: above_p(&base, &cand, -bound),
            better: above_p(&base, &cand, bound),
        };
        let half = |one: Located| (one.high - one.low) / 2.0;
        row.figures = Some(Figures {
            ratio: tested.ratio,
            low: interval.map(|one| one.low.exp()),
            high: interval.map(|one| one.high.exp()),
            confidence,
            unit: if self.boots() { Unit::Boot } else { Unit::Run },
            units: base.len().min(cand.len()),
            launches: self.all().map(|one| one.launches).sum(),
            worse_q: tested.worse,
            fine_p: tested.fine,
            better_q: tested.better,
            detects: interval.map(|one| (bound + detectable(half(one), confidence)).exp()),
        });
        open.tested = Some(tested);
        open.doubt = pair.reference.and_then(|one| self.doubt(one));
        if margin.of.is_tail()
            && let Some((one, why)) =
                self.all().find_map(|one| Some((one, one.tails_disturbed.as_ref()?)))
        {
            open.doubt = Some(format!("{}: {why}", one.name));
        }
        open
    }

    /// Counts are nearly exact and are not divided: worse is what is higher in every candidate than
    /// in every base, by one at least and by the margin. A run counts what most of its launches do.
    fn count(&self, variant: &Measured, row: &mut Judged) {
        let side = |side: &[Results]| -> Result<Vec<f64>, Missing> {
            side.iter()
                .map(|one| Ok(most_common(told(one, variant, &row.quantity)?.values())))
                .collect()
        };
        let (base, cand) = match (side(self.base), side(self.cand)) {
            (Ok(base), Ok(cand)) => (base, cand),
            (Err(Missing { why, .. }), _) | (_, Err(Missing { why, .. })) => {
                row.why = why;
                return;
            }
        };
        let least = |values: &[f64]| values.iter().copied().fold(f64::INFINITY, f64::min);
        let most = |values: &[f64]| values.iter().copied().fold(0.0, f64::max);
        (row.base_value, row.cand_value) = (Some(most_common(&base)), Some(most_common(&cand)));
        let margin = row.margin;
        let more = |from: f64, to: f64| gate::is_higher(from, to, margin);
        row.verdict = if more(most(&base), least(&cand)) {
            Verdict::Regressed
        } else if more(most(&cand), least(&base)) {
            Verdict::Improved
        } else if more(most(&base), most(&cand)) {
            row.why =
                "it is higher in some candidates than in every base, and not in all".to_owned();
            Verdict::Inconclusive
        } else {
            Verdict::Fine
        };
    }

    /// What each unit of a side says of a variant, on logs, divided by the reference if there is
    /// one.
    fn side(
        &self,
        side: &[Results],
        variant: &Measured,
        reference: Option<&Measured>,
        quantity: &Quantity,
    ) -> Result<Vec<f64>, Missing> {
        let of = |directory: &Results| -> Result<f64, Missing> {
            let launches = told(directory, variant, quantity)?;
            let others = reference.map(|other| told(directory, other, quantity)).transpose()?;
            let logs: Vec<f64> = launches
                .iter()
                .filter_map(|(number, value)| {
                    let other = match &others {
                        Some(others) => *others.get(number)?,
                        None => 1.0,
                    };
                    (*value > 0.0 && other > 0.0).then(|| value.ln() - other.ln())
                })
                .collect();
            hodges_lehmann(&logs).ok_or_else(|| Missing {
                why: format!(
                    "{}: {quantity} is 0 ns, which is less than the clock can tell",
                    directory.name
                ),
                is_short: false,
            })
        };
        let unit = |directories: &Vec<&Results>| -> Result<f64, Missing> {
            let values: Vec<f64> =
                directories.iter().map(|one| of(one)).collect::<Result<_, _>>()?;
            Ok(hodges_lehmann(&values).unwrap_or_default())
        };
        units(side, self.boots()).iter().map(unit).collect()
    }

    /// The floor that is stored for a row, as a share: the largest of the machines.
    fn floor(&self, pair: &Pair<'_>, quantity: &Quantity) -> Option<f64> {
        let row = &pair.variant.row;
        let reference = pair.reference.map(|one| one.row.mechanism.as_str());
        let of = |floor: &Floor| floor.of(&row.mechanism, &row.shape, quantity, reference);
        let log = self.floors.iter().filter_map(of).max_by(f64::total_cmp)?;
        Some(log.exp_m1())
    }

    /// Why what is divided by that is not to be trusted.
    fn doubt(&self, reference: &Measured) -> Option<String> {
        let ratio = self.raw_ratio(reference)?;
        (!(1.0 / REFERENCE_DIFFERS..=REFERENCE_DIFFERS).contains(&ratio)).then(|| {
            format!(
                "{} itself, by which it is divided, is {ratio:.3}x: the machine is not what it was",
                reference.row.label
            )
        })
    }

    /// Candidate / base of the median of a reference, undivided.
    fn raw_ratio(&self, reference: &Measured) -> Option<f64> {
        let quantity = &super::groups::intervals()[0];
        let side = |side| self.side(side, reference, None, quantity).ok();
        let centre = |values: Vec<f64>| hodges_lehmann(&values);
        Some((centre(side(self.cand)?)? - centre(side(self.base)?)?).exp())
    }

    /// What is known of the rows as a whole.
    fn remark(&self, rows: &[Judged], notes: &mut Vec<String>) {
        let family = rows.iter().filter(|row| row.figures.is_some()).count();
        let sizes = [self.base, self.cand].map(|side| units(side, self.boots()).len());
        let least = smallest_p(sizes[0], sizes[1]);
        if family > 0 && least * family as f64 > self.alpha {
            let what = if self.boots() { "boots" } else { "runs" };
            notes.push(format!(
                "{} and {} {what} have no p below {least:.4}, and {family} rows are corrected for \
                 each other: one alone cannot be {}; give more {what}, or judge fewer rows (--on)",
                sizes[0],
                sizes[1],
                Verdict::Regressed.word()
            ));
        }
        if self.floors.is_empty() {
            notes.push(format!(
                "no floor is stored for this machine, so the margins are at least {:.0} %; forkbench \
                 validate measures how far runs of one program lie apart here",
                100.0 * LEAST_MARGIN
            ));
        }
    }
}

/// Why a side says nothing of a quantity.
struct Missing {
    why: String,
    /// Whether there are samples, and too few.
    is_short: bool,
}

/// What the launches of a directory say of a variant.
fn told(
    directory: &Results,
    variant: &Measured,
    quantity: &Quantity,
) -> Result<BTreeMap<u32, f64>, Missing> {
    let missing =
        |why: &str, is_short| Missing { why: format!("{}: {why}", directory.name), is_short };
    let Some(here) = directory.find(&variant.identity) else {
        return Err(missing("it is not in this run", false));
    };
    match here.told.get(quantity) {
        Some(Ok(launches)) => Ok(launches.clone()),
        Some(Err(why)) => Err(missing(why, here.told.values().any(Result::is_ok))),
        None => Err(missing(&format!("{quantity} was not measured"), false)),
    }
}

/// The number that occurs most often, the smallest of several; 0 of none.
fn most_common<'a>(numbers: impl IntoIterator<Item = &'a f64>) -> f64 {
    let mut sorted: Vec<f64> = numbers.into_iter().copied().collect();
    sorted.sort_unstable_by(f64::total_cmp);
    let runs = sorted.chunk_by(|one, next| one == next).rev();
    runs.max_by_key(|run| run.len()).map_or(0.0, |run| run[0])
}

fn is_measured(directory: &Results, variant: &Measured) -> bool {
    let here = directory.find(&variant.identity);
    here.is_some_and(|here| here.told.values().any(Result::is_ok))
}

/// Decides rows that fail a build together.
fn decide(rows: Vec<Open>, alpha: f64, judged: bool) -> Vec<Judged> {
    let tested: Vec<Tested> = rows.iter().filter_map(|open| open.tested).collect();
    let mut decided = gate::decide(&tested, alpha).into_iter();
    let close = |open: Open| {
        let mut row = open.row;
        if open.tested.is_none() || !judged {
            return row;
        }
        let Some(decided) = decided.next() else { return row };
        row.settle(decided);
        if let (Verdict::Inconclusive, Some(figures)) = (row.verdict, &row.figures)
            && let (Some(low), Some(high)) = (figures.low, figures.high)
        {
            let distance = (figures.ratio.ln() - (1.0 + row.margin).ln()).abs();
            let half_width = (high.ln() - low.ln()) / 2.0;
            row.needed =
                (distance > 0.0).then(|| gate::more_units(figures.units, half_width, distance));
        }
        if let Some(why) = &open.doubt {
            row.doubt(why);
        }
        row
    };
    rows.into_iter().map(close).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyse::fixture::{Noise, scenario, simulated};
    use crate::model::gate::usual_margins;
    use crate::model::interval::Interval;
    use crate::record::floor::{FloorRow, SCHEMA};

    /// Facts of one boot of one machine.
    fn environment(kernel: &str, boot: &str) -> Environment {
        Environment::of_text(&format!(
            "[tool]\nbuild_profile = 'release'\nstarted = '2026-11-24T06:00:00Z'\n\
             [kernel]\nrelease = '{kernel}'\nboot_id = '{boot}'\n"
        ))
    }

    /// So many runs of one boot; a time is what `time` says of mechanism and run, give or take 1 %
    /// of each run's own.
    fn runs(
        mechanisms: &str,
        count: u32,
        seed: u64,
        mut time: impl FnMut(&str, u32) -> f64,
    ) -> Vec<Results> {
        let mut noise = Noise::new(seed);
        let one = |run: u32| {
            let scenario = scenario(&format!("mechanism = {mechanisms}"));
            let measured = simulated(scenario, 3, 2, |setup, _, _| {
                time(&setup.work.mechanism, run) * noise.around_1(0.01)
            });
            let mut cells = measured.cells();
            for row in &mut cells.variants {
                row.copies_pages = matches!(row.mechanism.as_str(), "fork" | "clone3");
            }
            let environment = environment("6.18", "boot");
            Results::of(&cells, &[], environment, format!("run-{seed}-{run}"))
        };
        (0..count).map(one).collect()
    }

    const ALL: &str = "[\"vfork\", \"posix_spawn\", \"fork\", \"clone3\"]";

    fn usual(mechanism: &str) -> f64 {
        if matches!(mechanism, "fork" | "clone3") { 200e3 } else { 50e3 }
    }

    /// The usual times, those of one mechanism so many times as long.
    fn slower(mechanism: &'static str, by: f64) -> impl Fn(&str, u32) -> f64 {
        move |one, _| usual(one) * if one == mechanism { by } else { 1.0 }
    }

    fn question<'a>(
        base: &'a [Results],
        cand: &'a [Results],
        margins: &'a [Margin],
    ) -> Question<'a> {
        Question {
            base,
            cand,
            margins,
            alpha: 0.01,
            across: &[],
            references: &[],
            floors: &[],
            allow_debug_build: false,
        }
    }

    fn medians() -> Vec<Margin> {
        let mut margins = usual_margins(&[Interval::Blocked]);
        margins.retain(|margin| !margin.of.is_tail());
        margins
    }

    fn verdicts(found: &Found) -> Vec<(&str, Verdict)> {
        found.judgement.rows.iter().map(|row| (row.name.as_str(), row.verdict)).collect()
    }

    #[test]
    fn each_verdict_has_its_case() {
        let base = runs(ALL, 6, 1, slower("none", 1.0));
        for (by, verdict) in
            [(1.0, Verdict::Fine), (1.25, Verdict::Regressed), (0.8, Verdict::Improved)]
        {
            let cand = runs(ALL, 6, 2, slower("fork", by));
            let found = judge(&question(&base, &cand, &medians()));
            assert_eq!(found.refused, None);
            let expected = [("empty posix_spawn", Verdict::Fine), ("empty fork", verdict)];
            assert_eq!(verdicts(&found), expected, "{found:#?}");
            let figures = found.judgement.rows[1].figures.as_ref().unwrap();
            assert!((figures.ratio / by - 1.0).abs() < 0.03, "{figures:?}");
            assert_eq!((figures.unit, figures.units), (Unit::Run, 6));
            assert!(figures.low.unwrap() < by && by < figures.high.unwrap());
            assert_eq!(found.judgement.rows[1].margin, LEAST_MARGIN);
        }
        let cand = runs(ALL, 6, 3, |one, run| {
            usual(one) * if one == "fork" { 1.0 + 0.02 * f64::from(run) } else { 1.0 }
        });
        let found = judge(&question(&base, &cand, &medians()));
        assert_eq!(found.judgement.rows[1].verdict, Verdict::Inconclusive);
        assert!(found.judgement.rows[1].needed.is_some());
    }

    #[test]
    fn what_all_of_a_run_goes_through_is_divided_out_up_to_a_point() {
        let base = runs(ALL, 5, 1, slower("none", 1.0));
        let whole = |by: f64| runs(ALL, 5, 2, move |one, _| usual(one) * by);
        let cand = whole(1.15);
        let found = judge(&question(&base, &cand, &medians()));
        assert!(verdicts(&found).iter().all(|(_, one)| *one == Verdict::Fine), "{found:#?}");
        assert!(found.notes.iter().any(|note| {
            note.starts_with("empty vfork is what empty posix_spawn is divided by")
                && note.contains("1.1")
        }));
        let cand = whole(1.5);
        let found = judge(&question(&base, &cand, &medians()));
        assert!(verdicts(&found).iter().all(|(_, one)| *one == Verdict::Inconclusive));
        assert!(found.judgement.rows[0].why.contains("the machine is not what it was"));
    }

    #[test]
    fn what_nothing_of_its_kind_stands_beside_is_not_judged() {
        let margins = medians();
        let two = |seed| runs("[\"vfork\", \"fork\"]", 5, seed, slower("none", 1.0));
        let (base, cand) = (two(1), two(2));
        let found = judge(&question(&base, &cand, &margins));
        assert!(verdicts(&found).iter().all(|(_, one)| *one == Verdict::NotComparable));
        assert!(found.judgement.rows[1].why.contains("that copies page tables"), "{found:#?}");
        assert!(found.judgement.rows[0].base_value.is_some());

        let all = |seed| runs(ALL, 5, seed, slower("none", 1.0));
        let (base, cand) = (all(1), all(2));
        let references = ["posix_spawn".to_owned(), "fork".to_owned()];
        let found =
            judge(&Question { references: &references, ..question(&base, &cand, &margins) });
        let expected = [("empty vfork", Verdict::Fine), ("empty clone3", Verdict::Fine)];
        assert_eq!(verdicts(&found), expected);
    }

    #[test]
    fn too_few_runs_and_undeclared_differences_are_refused() {
        let margins = medians();
        let base = runs(ALL, 5, 1, slower("none", 1.0));
        let cand = runs(ALL, 5, 2, slower("fork", 1.3));
        let refused = |base: &[Results], cand: &[Results]| {
            let found = judge(&question(base, cand, &margins));
            assert!(verdicts(&found).iter().all(|(_, one)| *one == Verdict::NotComparable));
            found.refused.unwrap()
        };
        let why = refused(&base[..4], &cand);
        assert!(
            why.starts_with("4 runs of the base and 5 of the candidate are described"),
            "{why}"
        );
        let with = |change: fn(&mut Results)| {
            let mut cand = cand.clone();
            change(&mut cand[3]);
            cand
        };
        let kernel = with(|one| one.environment = environment("6.19", "boot"));
        let why = refused(&base, &kernel);
        assert!(why.contains("--across kernel"), "{why}");
        assert!(why.contains("kernel.release: 6.18 (base), 6.18 and 6.19 (cand)"), "{why}");
        let why = refused(&base, &with(|one| one.environment = Environment::default()));
        assert!(why.contains("has no environment.toml"), "{why}");
        assert!(refused(&base, &with(|one| one.eligible = 0)).contains("nothing was measured"));
        let debug = with(|one| {
            one.environment = Environment::of_text("[tool]\nbuild_profile = 'debug'\n");
        });
        assert!(refused(&base, &debug).contains("--allow-debug-build"));
    }

    #[test]
    fn across_a_difference_the_boot_is_the_unit_and_nothing_is_divided() {
        let margins = medians();
        let side = |kernel: &str, seed: u64, by: f64| {
            let mut side = runs(ALL, 6, seed, move |one, _| usual(one) * by);
            for (place, one) in side.iter_mut().enumerate() {
                // The first two are of one boot.
                let boot = format!("{kernel} {}", place.max(1));
                one.environment = environment(kernel, &boot);
            }
            side
        };
        let (base, cand) = (side("6.18", 1, 1.0), side("6.19", 2, 1.2));
        let across = |base: &[Results], cand: &[Results], topics: &[Topic]| {
            judge(&Question { across: topics, ..question(base, cand, &margins) })
        };
        let found = across(&base, &cand, &[Topic::Kernel]);
        assert_eq!(found.refused, None);
        // The references go through the difference too, so they are judged as well.
        assert_eq!(found.judgement.rows.len(), 4);
        assert!(verdicts(&found).iter().all(|(_, one)| *one == Verdict::Regressed), "{found:#?}");
        let figures = found.judgement.rows[0].figures.as_ref().unwrap();
        assert_eq!((figures.unit, figures.units), (Unit::Boot, 5));

        let why = across(&base[..5], &cand, &[Topic::Kernel]).refused.unwrap();
        assert!(why.starts_with("4 boots of the base and 5 of the candidate"), "{why}");
        let why = across(&base, &cand, &[Topic::Libc]).refused.unwrap();
        assert!(why.contains("--across kernel"), "{why}");
        let why = across(&base, &cand, &[Topic::Kernel, Topic::Libc]).refused.unwrap();
        assert!(why.contains("--across libc: nothing of it parts the sides"), "{why}");
        let same = side("6.18", 3, 1.0);
        let why = across(&base, &same, &[Topic::Kernel]).refused.unwrap();
        assert!(why.contains("nothing of it parts the sides"), "{why}");
        let mut rebooted = cand.clone();
        rebooted[0].environment = environment("6.19", "6.18 1");
        let why = across(&base, &rebooted, &[Topic::Kernel]).refused.unwrap();
        assert!(why.contains("stands on both sides"), "{why}");
    }

    #[test]
    fn no_margin_is_below_the_floor_of_the_machine() {
        let margins = medians();
        let base = runs(ALL, 5, 1, slower("none", 1.0));
        let cand = runs(ALL, 5, 2, slower("fork", 1.2));
        let row = |mechanism: &str, reference: Option<&str>, log_ratio: f64| FloorRow {
            mechanism: mechanism.to_owned(),
            shape: "empty".to_owned(),
            quantity: "blocked.p50".parse().unwrap(),
            reference: reference.map(str::to_owned),
            runs: 20,
            log_ratio,
        };
        let floors = [Floor {
            schema: SCHEMA.to_owned(),
            fingerprint: "ab".to_owned(),
            date: "2026-11-24T06:00:00Z".to_owned(),
            version: "0.1.0".to_owned(),
            rows: vec![
                row("fork", Some("clone3"), 0.3),
                row("posix_spawn", Some("vfork"), 0.01),
                row("posix_spawn", None, 0.9),
            ],
        }];
        let found = judge(&Question { floors: &floors, ..question(&base, &cand, &margins) });
        let margins: Vec<f64> = found.judgement.rows.iter().map(|row| row.margin).collect();
        assert_eq!(margins[0], LEAST_MARGIN);
        assert!((margins[1] - 0.3_f64.exp_m1()).abs() < 1e-12);
        assert_ne!(found.judgement.rows[1].verdict, Verdict::Regressed);
        assert!(found.notes.iter().all(|note| !note.contains("no floor is stored")));
    }

    #[test]
    fn what_one_side_did_not_measure_is_no_pass() {
        let margins = usual_margins(&[Interval::Blocked]);
        let base = runs(ALL, 5, 1, slower("none", 1.0));
        let mut cand = runs(ALL, 5, 2, slower("none", 1.0));
        let fork = |one: &Measured| one.row.mechanism == "fork";
        cand[2].variants.retain(|one| !fork(one));
        let found = judge(&question(&base, &cand, &margins));
        let row = |name: &str, quantity: &str| {
            let is_it = |row: &&Judged| row.name == name && row.quantity.to_string() == quantity;
            found.judgement.rows.iter().find(is_it).unwrap()
        };
        let fork = row("empty fork", "blocked.p50");
        assert_eq!(
            (fork.verdict, fork.why.as_str()),
            (Verdict::NotComparable, "run-2-2: it is not in this run")
        );
        // A tail of so few samples is no verdict either, and no failure to measure.
        assert_eq!(row("empty posix_spawn", "blocked.p95").verdict, Verdict::Inconclusive);
        assert_eq!(row("empty posix_spawn", "blocked.p50").verdict, Verdict::Fine);
    }

    #[test]
    fn counts_are_worse_where_every_candidate_has_more_than_every_base() {
        let quantity: Quantity = "minor_faults.child".parse().unwrap();
        let margins = [Margin { of: quantity.clone(), share: 0.02, asked: true }];
        let side = |seed: u64, counts: [f64; 5]| {
            let mut side = runs("\"vfork\"", 5, seed, slower("none", 1.0));
            for (one, count) in side.iter_mut().zip(counts) {
                let launches = [(1, count), (2, count), (3, count + 1.0)].into_iter().collect();
                one.variants[0].told.insert(quantity.clone(), Ok(launches));
            }
            side
        };
        let base = side(1, [60.0, 60.0, 61.0, 60.0, 60.0]);
        for (counts, verdict) in [
            ([60.0; 5], Verdict::Fine),
            ([61.0; 5], Verdict::Fine),
            ([63.0; 5], Verdict::Regressed),
            ([63.0, 63.0, 60.0, 63.0, 63.0], Verdict::Inconclusive),
            ([50.0; 5], Verdict::Improved),
        ] {
            let cand = side(2, counts);
            let found = judge(&question(&base, &cand, &margins));
            assert_eq!(found.judgement.rows[0].verdict, verdict, "{counts:?}");
        }
    }

    #[test]
    fn ties_everywhere_are_fine_and_nothing_is_not_a_number() {
        let margins = medians();
        let side = |count| {
            let mut side = runs(ALL, count, 1, slower("none", 1.0));
            let variants = side.iter_mut().flat_map(|one| &mut one.variants);
            for launches in variants.flat_map(|one| one.told.values_mut()).flatten() {
                launches.values_mut().for_each(|value| *value = 50e3);
            }
            side
        };
        let (base, cand) = (side(5), side(7));
        let found = judge(&question(&base, &cand, &margins));
        for row in &found.judgement.rows {
            assert_eq!(row.verdict, Verdict::Fine);
            let figures = row.figures.as_ref().unwrap();
            assert_eq!((figures.ratio, figures.low, figures.high), (1.0, Some(1.0), Some(1.0)));
            assert!(figures.detects.unwrap().is_finite());
        }
        assert!(found.notes.iter().any(|note| note.starts_with("no floor is stored")));
    }
}
