//! What became of children that were born beside threads: a row for each hazard, a column for each
//! birth, the proof for the first child that hung, and what to use instead.
//!
//! Owns the sentences and figures of workload=hazard. Which child hangs, and whether that is
//! proven, was decided when it was looked at; rates and intervals come from `analyse`.

use serde::Serialize;

use crate::analyse::hazards::{Counts, Rate, Trial};
use crate::analyse::places;
use crate::analyse::summary::Summary;
use crate::model::hazard::{self, Hazard, Kind, Reset};
use crate::model::row::EventKind;
use crate::record::rows::EventRow;
use crate::show::chart::{Chart, Mark, Series};
use crate::show::units;

/// What a run says of hazards.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Hazards {
    /// The answer in words.
    pub answer: String,
    /// Names of the mechanisms that made children: the columns.
    pub births: Vec<String>,
    /// The hazards, those with several threads or duties in several rows.
    pub rows: Vec<Row>,
    /// The hazards that hung or broke a child, each once.
    pub notes: Vec<Note>,
    /// Why children of some births were not made, each reason once, with the births it is about.
    pub reasons: Vec<String>,
    /// All that is known of each child whose evidence was kept.
    pub evidence: Vec<Evidence>,
    /// The figures, for the formats that machines read.
    pub records: Vec<Record>,
}

/// One hazard, in parents of one shape.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Its number and name: `H06 localtime`.
    pub name: String,
    /// The lock, and in which place of the axes this row is, if there are several.
    pub about: String,
    /// Whether the libc puts the lock right in the child: `yes`, `no` or `-`.
    pub reset: &'static str,
    /// What became of the children of each birth; none where the two were not combined.
    pub cells: Vec<Option<Cell>>,
}

/// What became of the children of one birth.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// They were counted.
    Counted(Counts),
    /// None was made. Why.
    NotRun(String),
}

/// What to know of a hazard that has hung or broken a child.
#[derive(Clone, Debug, PartialEq)]
pub struct Note {
    /// Its number and name.
    pub name: String,
    /// What the first such child was like, which was proven where any was; none where no evidence
    /// was kept.
    pub proof: Option<String>,
    /// The share of the time for which its lock was held, where that was seen, in words.
    pub held: Option<String>,
    /// What to use instead.
    pub advice: String,
}

/// All that is known of one child.
#[derive(Clone, Debug, PartialEq)]
pub struct Evidence {
    /// The variant and the child: `fork hazard=localtime, pid 4711`.
    pub child: String,
    /// What became of it, in words.
    pub event: String,
    /// The evidence, part by part.
    pub parts: Vec<String>,
}

/// A row of the format `hazard-csv`: the columns are a contract.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Record {
    /// Name of the hazard.
    pub hazard: String,
    /// Name of the mechanism.
    pub birth: String,
    /// Threads of the parent that performed it.
    pub threads: u32,
    /// Percent of the time for which the lock was held, as measured; none where nobody could tell.
    pub duty: Option<f64>,
    /// Children that were made; 0 where the birth was refused.
    pub forks: u64,
    /// Those that did not end by themselves.
    pub hung: u64,
    /// Of those, proven never to go on.
    pub proven: u64,
    /// Of those, not proven.
    pub unproven: u64,
    /// Children that a signal ended, or that found something wrong.
    pub crashed: u64,
    /// `hung / forks`; none without forks.
    pub rate: Option<f64>,
    /// Lower end of its exact 95 % interval.
    pub rate_lo: Option<f64>,
    /// Upper end of its exact 95 % interval.
    pub rate_hi: Option<f64>,
}

impl Hazards {
    /// What a run says; nothing if it had no workload=hazard. `libc` is the libc of the run with
    /// its version, if that is known.
    pub fn of(summary: &Summary, libc: Option<&str>) -> Hazards {
        let trials = &summary.hazards;
        if trials.is_empty() {
            return Hazards::default();
        }
        let mut births: Vec<String> = Vec::new();
        for trial in trials {
            if !births.contains(&trial.birth) {
                births.push(trial.birth.clone());
            }
        }
        Hazards {
            answer: answer(trials, libc),
            rows: rows(summary, &births),
            notes: notes(summary),
            reasons: reasons(summary),
            evidence: summary.events.iter().filter_map(|event| evidence(summary, event)).collect(),
            records: trials.iter().map(Record::of).collect(),
            births,
        }
    }

    /// Why its figures can be believed.
    pub fn trust(&self) -> Vec<String> {
        let made: u64 = self.records.iter().map(|record| record.forks).sum();
        vec![format!(
            "{}, their number fixed beforehand; each hazard and birth in a parent of its own; \
             what is proven, and how: forkbench explain proven",
            units::plural(made, "child", "children")
        )]
    }

    /// What to run next, each with what it answers; `path` is the results directory.
    pub fn next(&self, path: &str) -> Vec<(String, &'static str)> {
        let first = self.notes.first().map(|note| &note.name);
        let named = |name: &String| name.rsplit(' ').next().unwrap_or_default().to_owned();
        let first = first.or(self.rows.first().map(|row| &row.name)).map(named);
        let mut next = Vec::new();
        if let Some(name) = first {
            let page = format!("forkbench explain {name}");
            next.push((page, "what happens, why, who was bitten, what to do"));
        }
        if !self.evidence.is_empty() {
            let whole = format!("forkbench show {path} --format evidence");
            next.push((whole, "the whole evidence of each child that was kept"));
        }
        next.push((format!("forkbench show {path} --format hazard-csv"), "every rate"));
        next
    }

    /// Whether there is anything to say.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

impl Record {
    fn of(trial: &Trial) -> Record {
        let counts = trial.counts.unwrap_or_default();
        let rate = trial.counts.map(|counts| counts.rate());
        // Finer than any interval; a file of sixteen digits cannot be read.
        let rounded = |value: f64| (value * 1e6).round() / 1e6;
        Record {
            hazard: trial.hazard.clone(),
            birth: trial.birth.clone(),
            threads: trial.threads,
            duty: counts.share().map(|share| rounded(share.value * 100.0)),
            forks: counts.forks,
            hung: counts.hung,
            proven: counts.proven,
            unproven: counts.unproven,
            crashed: counts.broken,
            rate: rate.map(|rate| rounded(rate.value)),
            rate_lo: rate.map(|rate| rounded(rate.low)),
            rate_hi: rate.map(|rate| rounded(rate.high)),
        }
    }
}

impl Cell {
    /// How many of how many hung, with a mark where that is not all: `125/200`, `3/200 !`.
    pub fn counted(&self) -> String {
        match self {
            Cell::NotRun(_) => "not run".to_owned(),
            Cell::Counted(counts) => {
                let marks = match (counts.unproven > 0, counts.broken > 0) {
                    (false, false) => "",
                    (true, false) => " ?",
                    (false, true) => " !",
                    (true, true) => " ?!",
                };
                format!("{}/{}{marks}", counts.hung, counts.forks)
            }
        }
    }

    /// The interval of the rate: `55-69 %`; nothing where there is none.
    pub fn interval(&self) -> String {
        match self {
            Cell::NotRun(_) => String::new(),
            Cell::Counted(counts) => {
                let rate = counts.rate();
                format!("{}-{} %", short(rate.low * 100.0), short(rate.high * 100.0))
            }
        }
    }
}

/// How many hung under a birth that copies memory, under posix_spawn, and what is proven.
fn answer(trials: &[Trial], libc: Option<&str>) -> String {
    let is_control = |trial: &&Trial| row_of(trial).is_some_and(|row| row.kind == Kind::Control);
    let (controls, subjects): (Vec<&Trial>, Vec<&Trial>) = trials.iter().partition(is_control);
    let on = libc.map_or(String::new(), |libc| format!(" on {libc}"));
    let mut sentences = Vec::new();
    for birth in ["fork", "_fork", "clone3"] {
        let under: Vec<(&Trial, Counts)> = subjects
            .iter()
            .filter(|trial| trial.birth == birth)
            .filter_map(|trial| Some((*trial, trial.counts?)))
            .collect();
        sentences.extend(under_birth(birth, &under, &on));
        // What is said of fork holds of the others, which protect less: the first is enough.
        if !sentences.is_empty() {
            break;
        }
    }
    let spawned = total(subjects.iter().filter(|trial| trial.birth == "posix_spawn"));
    if spawned.forks > 0 {
        let rate = spawned.rate();
        let most = if spawned.hung == 0 {
            format!(" (95 %: at most {})", percent(rate.high))
        } else {
            String::new()
        };
        sentences.push(format!(
            "posix_spawn left {} of {} hanging{most}.",
            units::count(spawned.hung),
            units::plural(spawned.forks, "child", "children"),
        ));
    }
    let all = total(subjects.iter());
    if all.hung > 0 {
        let unproven = match all.unproven {
            0 => String::new(),
            few => format!("; {} made no progress and are not proven", units::count(few)),
        };
        sentences.push(format!(
            "Of {} hung, by whatever birth, {} can never go on, which is proven{unproven}.",
            units::plural(all.hung, "child that", "children that"),
            units::count(all.proven),
        ));
    }
    if all.broken > 0 {
        sentences.push(format!(
            "{} crashed, or found something wrong.",
            units::plural(all.broken, "child", "children")
        ));
    }
    let controls = total(controls.iter());
    if controls.forks > 0 {
        sentences.push(format!(
            "Of {} of controls, which only look as if they hung, {} were taken for proven.",
            units::plural(controls.forks, "child", "children"),
            units::count(controls.proven),
        ));
    }
    if sentences.is_empty() {
        return "No child was made: see why below.".to_owned();
    }
    sentences.join(" ")
}

/// What a birth that copies memory did: of one hazard its rates, of several how many hung.
fn under_birth(birth: &str, under: &[(&Trial, Counts)], on: &str) -> Option<String> {
    if let [(trial, counts)] = under {
        let rate = counts.rate();
        return Some(format!(
            "Under {birth}, {} of {} hung with hazard {}{on}: {}, 95 % interval {}.",
            units::count(counts.hung),
            units::plural(counts.forks, "child", "children"),
            trial.hazard,
            percent(rate.value),
            interval(rate),
        ));
    }
    if let [(first, _), rest @ ..] = under
        && rest.iter().all(|(trial, _)| trial.hazard == first.hazard)
    {
        let shares = || under.iter().map(|(_, counts)| counts.rate().value);
        let hung = shares().filter(|share| *share > 0.0).count();
        return Some(format!(
            "Under {birth}, hazard {} left children hanging in {hung} of {} parents{on}: from {} \
             to {} of them.",
            first.hazard,
            under.len(),
            percent(shares().fold(1.0, f64::min)),
            percent(shares().fold(0.0, f64::max)),
        ));
    }
    let mut hung: Vec<&str> = Vec::new();
    let mut safe: Vec<&str> = Vec::new();
    for (trial, counts) in under {
        let list = if counts.hung > 0 { &mut hung } else { &mut safe };
        if !list.contains(&&*trial.hazard) {
            list.push(&trial.hazard);
        }
    }
    safe.retain(|name| !hung.contains(name));
    let all = hung.len() + safe.len();
    if all == 0 {
        return None;
    }
    let mut text = format!(
        "Under {birth}, {} of {} left children hanging{on}",
        hung.len(),
        units::plural(all as u64, "hazard", "hazards")
    );
    if safe.is_empty() {
        return Some(text + ".");
    }
    let protected: Vec<&str> = safe
        .iter()
        .copied()
        .filter(|name| hazard::find(name).is_some_and(|row| row.reset == Reset::Yes))
        .collect();
    text += &format!("; {} did not", safe.len());
    if !protected.is_empty() {
        let some = match protected.len() {
            count if count == safe.len() => String::new(),
            count => format!("{count} of them "),
        };
        let names = units::list(&protected, "and");
        text += &format!(", {some}protected by the libc, which resets the lock ({names})");
    }
    Some(text + ".")
}

fn total<'a>(trials: impl Iterator<Item = &'a &'a Trial>) -> Counts {
    trials.filter_map(|trial| trial.counts).fold(Counts::default(), |sum, one| Counts {
        forks: sum.forks + one.forks,
        hung: sum.hung + one.hung,
        proven: sum.proven + one.proven,
        unproven: sum.unproven + one.unproven,
        broken: sum.broken + one.broken,
        ..sum
    })
}

fn row_of(trial: &Trial) -> Option<&'static Hazard> {
    hazard::find(&trial.hazard)
}

/// Its number and name; of one that is not in this registry the name alone.
fn name(hazard: &str) -> String {
    hazard::find(hazard).map_or(hazard.to_owned(), |row| format!("{} {hazard}", row.id))
}

fn rows(summary: &Summary, births: &[String]) -> Vec<Row> {
    let trials = &summary.hazards;
    let mut keys: Vec<(&str, u32, u32)> = Vec::new();
    let mut rows: Vec<Row> = Vec::new();
    for trial in trials {
        let key = (&*trial.hazard, trial.threads, trial.duty);
        let place = keys.iter().position(|known| *known == key).unwrap_or_else(|| {
            keys.push(key);
            rows.push(row(trial, trials, births.len()));
            keys.len() - 1
        });
        let column = births.iter().position(|birth| *birth == trial.birth);
        let cell = match trial.counts {
            Some(counts) => Cell::Counted(counts),
            None => Cell::NotRun(why_not(summary, trial)),
        };
        if let Some(column) = column {
            rows[place].cells[column] = Some(cell);
        }
    }
    rows
}

fn row(trial: &Trial, all: &[Trial], births: usize) -> Row {
    let found = row_of(trial);
    Row {
        name: name(&trial.hazard),
        about: match place(trial, all) {
            place if place.is_empty() => found.map_or("", |row| row.lock).to_owned(),
            place => place,
        },
        reset: found.map_or("-", |row| row.reset.word()),
        cells: vec![None; births],
    }
}

/// Where a trial is among those of its hazard, as far as they differ: `threads=4 duty=10%`.
fn place(trial: &Trial, all: &[Trial]) -> String {
    let own = || all.iter().filter(|other| other.hazard == trial.hazard);
    let mut parts = Vec::new();
    if own().any(|other| other.threads != trial.threads) {
        parts.push(format!("threads={}", trial.threads));
    }
    if own().any(|other| other.duty != trial.duty) {
        parts.push(format!("duty={}%", trial.duty));
    }
    parts.join(" ")
}

fn why_not(summary: &Summary, trial: &Trial) -> String {
    let Some(variant) = summary.variant(trial.variant) else { return String::new() };
    places::missing(&variant.row, &summary.events, &summary.launches)
}

fn reasons(summary: &Summary) -> Vec<String> {
    let mut reasons: Vec<(String, Vec<String>)> = Vec::new();
    for trial in summary.hazards.iter().filter(|trial| trial.counts.is_none()) {
        let name = format!("hazard={}", trial.hazard);
        let why = why_not(summary, trial).replace(&name, "it");
        let cell = format!("{} {}", trial.hazard, trial.birth);
        match reasons.iter_mut().find(|(other, _)| *other == why) {
            Some((_, cells)) => cells.push(cell),
            None => reasons.push((why, vec![cell])),
        }
    }
    reasons.into_iter().map(|(why, cells)| format!("{}: {why}", cells.join(", "))).collect()
}

fn notes(summary: &Summary) -> Vec<Note> {
    let mut names: Vec<&str> = Vec::new();
    for trial in &summary.hazards {
        let went_wrong = trial.counts.is_some_and(|counts| counts.hung + counts.broken > 0);
        if went_wrong && !names.contains(&&*trial.hazard) {
            names.push(&trial.hazard);
        }
    }
    names.into_iter().map(|hazard| note(summary, hazard)).collect()
}

fn note(summary: &Summary, hazard: &str) -> Note {
    let own = || summary.hazards.iter().filter(|trial| trial.hazard == hazard);
    let of_kind = |kind: EventKind| {
        own().find_map(|trial| {
            let mut events = summary.events.iter();
            let is_it = |e: &&EventRow| e.variant == Some(trial.variant) && e.event == kind;
            Some((trial, events.find(is_it)?))
        })
    };
    let first = of_kind(EventKind::HungProven)
        .or_else(|| of_kind(EventKind::HungUnproven))
        .or_else(|| of_kind(EventKind::Crashed));
    let shares: Vec<Rate> =
        own().filter_map(|trial| trial.counts.and_then(|counts| counts.share())).collect();
    let held = match shares.as_slice() {
        [] => None,
        shares => {
            let of = |pick: fn(f64, f64) -> f64, from: f64| {
                percent(shares.iter().map(|share| share.value).fold(from, pick))
            };
            let (least, most) = (of(f64::min, 1.0), of(f64::max, 0.0));
            Some(if least == most { least } else { format!("{least} to {most}") })
        }
    };
    Note {
        name: name(hazard),
        proof: first.map(|(trial, event)| {
            let pid = event.pid.map_or(String::new(), |pid| format!(", pid {pid}"));
            format!("{}{pid}: {}", trial.birth, weightiest(&event.evidence))
        }),
        held: held.map(|share| format!("{share} of the time before births")),
        advice: hazard::find(hazard).map_or("", |row| row.advice).to_owned(),
    }
}

/// Of the evidence on a child that is proven to hang what a sceptic asks first: what it waits for,
/// where that lies, who holds it. Of any other evidence all: what it lacks is what matters.
fn weightiest(evidence: &str) -> String {
    const FIRST: [&str; 6] = ["waits ", "the word ", "the thread ", "it lies ", "memory ", "CPU "];
    let mut parts = evidence.split("; ");
    let verdict = parts.next().unwrap_or_default();
    let place = |part: &str| FIRST.iter().position(|first| part.starts_with(first));
    let mut asked: Vec<(usize, &str)> =
        parts.filter_map(|part| Some((place(part)?, part.split(" (").next()?))).collect();
    asked.sort_by_key(|(place, _)| *place);
    let asked: Vec<&str> = asked.into_iter().map(|(_, part)| part).collect();
    if verdict != "proven" || asked.is_empty() {
        return evidence.to_owned();
    }
    format!("{verdict}; {}", asked.join("; "))
}

fn evidence(summary: &Summary, event: &EventRow) -> Option<Evidence> {
    let what = match event.event {
        EventKind::HungProven => "it can never go on, which is proven",
        EventKind::HungUnproven => "it made no progress, and is not proven to hang for ever",
        EventKind::Crashed => "it crashed, or found something wrong",
        _ => return None,
    };
    let variant = summary.variant(event.variant?)?;
    let is_told = summary.hazards.iter().any(|trial| trial.variant == variant.row.variant);
    let pid = event.pid.map_or(String::new(), |pid| format!(", pid {pid}"));
    is_told.then(|| Evidence {
        child: format!("{}{pid}", variant.row.label),
        event: what.to_owned(),
        parts: event.evidence.split("; ").map(str::to_owned).collect(),
    })
}

/// A share in percent, finer where it is small: `62.5 %`, `0.18 %`.
fn percent(share: f64) -> String {
    format!("{} %", number(share * 100.0))
}

fn number(percent: f64) -> String {
    match percent {
        0.0 => "0".to_owned(),
        p if p < 0.995 => format!("{p:.2}"),
        p if p < 9.95 => format!("{p:.1}"),
        p if p < 99.95 => format!("{p:.1}").trim_end_matches(".0").to_owned(),
        _ => "100".to_owned(),
    }
}

/// The same where there is little room.
fn short(percent: f64) -> String {
    match percent {
        p if (9.95..99.5).contains(&p) => format!("{p:.0}"),
        p => number(p),
    }
}

/// An interval in percent: `55.4 to 69.2 %`.
fn interval(rate: Rate) -> String {
    format!("{} to {} %", number(rate.low * 100.0), number(rate.high * 100.0))
}

/// The picture of rates: a line for each hazard.
#[derive(Clone, Debug, PartialEq)]
pub struct RateChart {
    /// The finding.
    pub title: String,
    /// What is drawn.
    pub subtitle: String,
    /// Names of the births, in the order of the columns.
    pub births: Vec<String>,
    /// A line for each row: its name and its rates.
    pub lines: Vec<(String, Vec<BirthRate>)>,
}

impl RateChart {
    /// The figures that matter, in words: the highest rates.
    pub fn told(&self) -> Vec<String> {
        let rates = self.lines.iter().flat_map(|(_, rates)| rates);
        let hung = rates.filter(|one| one.rate.value > 0.0);
        hung.take(12).map(|one| one.text.clone()).collect()
    }
}

/// The rate of one birth.
#[derive(Clone, Debug, PartialEq)]
pub struct BirthRate {
    /// The place of the birth among the columns.
    pub birth: usize,
    /// The rate.
    pub rate: Rate,
    /// The same in words.
    pub text: String,
}

/// More rows than this are not drawn.
const MOST_LINES: usize = 50;

impl Hazards {
    /// The first sentence of the answer without its lists of names.
    fn headline(&self) -> String {
        let sentence = self.answer.split(". ").next().unwrap_or_default();
        let sentence = sentence.trim_end_matches('.');
        match sentence.rsplit_once(" (") {
            Some((before, list)) if list.ends_with(')') => before.to_owned(),
            _ => sentence.to_owned(),
        }
    }

    /// The picture of the rates, the worst under the first birth on top; none without any.
    pub fn rates(&self) -> Option<RateChart> {
        let mut lines: Vec<(String, Vec<BirthRate>)> = Vec::new();
        for row in &self.rows {
            let alone = self.rows.iter().filter(|other| other.name == row.name).count() == 1;
            let name = match row.name.split_once(' ') {
                _ if !alone => format!("{} {}", row.name, row.about),
                _ => row.name.clone(),
            };
            let rates: Vec<BirthRate> = row
                .cells
                .iter()
                .enumerate()
                .filter_map(|(place, cell)| match cell {
                    Some(Cell::Counted(counts)) => {
                        let rate = counts.rate();
                        let birth = &self.births[place];
                        let told = cell.as_ref().map(Cell::counted).unwrap_or_default();
                        let text = format!("{name}, {birth}: {told}, {}", interval(rate));
                        Some(BirthRate { birth: place, rate, text })
                    }
                    _ => None,
                })
                .collect();
            if !rates.is_empty() {
                lines.push((name, rates));
            }
        }
        let worst = |rates: &[BirthRate]| rates.first().map_or(0.0, |one| one.rate.value);
        lines.sort_by(|a, b| worst(&b.1).total_cmp(&worst(&a.1)));
        let left_out = lines.len().saturating_sub(MOST_LINES);
        lines.truncate(MOST_LINES);
        let more = match left_out {
            0 => String::new(),
            more => format!(" {more} more rows are in the table."),
        };
        (!lines.is_empty()).then(|| RateChart {
            title: self.headline(),
            subtitle: format!(
                "Children that hung, of all that were made, with the exact 95 % interval.{more}"
            ),
            births: self.births.clone(),
            lines,
        })
    }
}

/// The picture of the law: the rate against the share of the time for which the lock is held, of
/// each hazard that was run in several places of its axes; none without any.
pub fn law(trials: &[Trial]) -> Option<Chart> {
    let is_varied = |trial: &&Trial| {
        ["fork", "_fork", "clone3"].contains(&&*trial.birth) && !place(trial, trials).is_empty()
    };
    let points: Vec<(&Trial, Rate, Rate)> = trials
        .iter()
        .filter(is_varied)
        .filter_map(|trial| {
            let counts = trial.counts?;
            Some((trial, counts.share()?, counts.rate()))
        })
        .collect();
    if points.len() < 2 {
        return None;
    }
    let agree = points.iter().filter(|(_, share, rate)| rate.holds(share.value)).count();
    let mut births: Vec<&str> = Vec::new();
    for (trial, ..) in &points {
        if !births.contains(&&*trial.birth) {
            births.push(&trial.birth);
        }
    }
    let mark = |(trial, share, rate): &(&Trial, Rate, Rate)| Mark {
        mechanism: trial.birth.clone(),
        x: share.value,
        y: rate.value,
        bounds: Some((rate.low, rate.high)),
        across: Some((share.low, share.high)),
        text: format!(
            "{} {} {}: held {}, hung {}",
            trial.hazard,
            trial.birth,
            place(trial, trials),
            percent(share.value),
            percent(rate.value)
        ),
    };
    let series = births.into_iter().map(|birth| {
        let own: Vec<&(&Trial, Rate, Rate)> =
            points.iter().filter(|(trial, ..)| trial.birth == birth).collect();
        let agree = own.iter().filter(|(_, share, rate)| rate.holds(share.value)).count();
        Series {
            name: birth.to_owned(),
            mechanism: birth.to_owned(),
            equation: units::plural(own.len() as u64, "point", "points"),
            evidence: format!("{agree} within the interval"),
            points: own.into_iter().map(mark).collect(),
            line: Vec::new(),
        }
    });
    let line = Series {
        name: "the law".to_owned(),
        mechanism: "none".to_owned(),
        equation: "rate = share held".to_owned(),
        evidence: String::new(),
        points: Vec::new(),
        line: vec![[0.0; 4], [1.0; 4]],
    };
    let ticks = || (0..=5).map(|i| (f64::from(i) / 5.0, format!("{} %", i * 20))).collect();
    Some(Chart {
        stem: "hazard-law".to_owned(),
        title: format!(
            "A child hangs as often as the lock is held: {agree} of {} points agree",
            points.len()
        ),
        subtitle: "Points: a batch of births each, with the exact 95 % interval of the rate and \
                   that of the share; they agree where the interval of the rate holds the share."
            .to_owned(),
        x_title: "share of the time before births for which the lock was held".to_owned(),
        x_ticks: ticks(),
        x_break: None,
        y_title: "share of children that hung".to_owned(),
        y_ticks: ticks(),
        series: series.chain([line]).collect(),
        published: Vec::new(),
        words: Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::show::example::{self, FORK, POSIX_SPAWN, VFORK};
    use crate::show::formats::{self, Shown};
    use crate::show::plots;
    use crate::show::terminal::{Screen, render};
    use crate::show::view::View;

    fn trial(variant: u32, hazard: &str, birth: &str, counts: Option<Counts>) -> Trial {
        let (hazard, birth) = (hazard.to_owned(), birth.to_owned());
        Trial { variant, hazard, birth, threads: 2, duty: 50, counts }
    }

    fn counts(forks: u64, proven: u64, unproven: u64, broken: u64) -> Option<Counts> {
        Some(Counts {
            forks,
            hung: proven + unproven,
            proven,
            unproven,
            broken,
            ..Counts::default()
        })
    }

    /// localtime hangs under fork, malloc does not, and vfork is refused for one of them.
    fn summary() -> Summary {
        let mut summary = example::summary(
            &[("threads=2 busy=hold", &[FORK, FORK, VFORK, VFORK, POSIX_SPAWN])],
            "posix_spawn",
        );
        for variant in &mut summary.variants {
            variant.row.workload = "hazard".to_owned();
            variant.samples = 1;
        }
        summary.hazards = vec![
            trial(0, "malloc", "fork", counts(2000, 0, 0, 0)),
            trial(2, "malloc", "vfork", None),
            trial(1, "localtime", "fork", counts(200, 120, 5, 2)),
            trial(3, "localtime", "vfork", counts(200, 0, 0, 0)),
            trial(4, "localtime", "posix_spawn", counts(200, 0, 0, 0)),
        ];
        if let Some(counts) = &mut summary.hazards[2].counts {
            (counts.watched, counts.held) = (100, 60);
        }
        let event = |variant, event, pid, evidence: &str| EventRow {
            launch: 1,
            block: Some(1),
            variant: Some(variant),
            event,
            pid,
            errno: None,
            evidence: evidence.to_owned(),
        };
        let long = format!(
            "proven; process 8 state S; waits while the word at 0x7f is 2: it was 2, then 2; it lies \
             in libc.so.6 .bss+0x5e80 (mapping rw-p); the word at +8 is 3, which it does not have \
             (its tasks: [8]); {}the end",
            "memory shared with no other process (kcmp); ".repeat(9)
        );
        summary.variants[2].samples = 0;
        summary.variants[2].intervals.clear();
        summary.events = vec![
            event(1, EventKind::HungUnproven, Some(7), "unproven (spin); state R"),
            event(1, EventKind::HungProven, Some(8), &long),
            event(2, EventKind::Refused, None, "hazard=malloc would be harmed"),
        ];
        summary
    }

    #[test]
    fn the_answer_names_how_many_hung_who_is_protected_and_what_is_proven() {
        let hazards = Hazards::of(&summary(), Some("glibc 2.36"));
        for sentence in [
            "Under fork, 1 of 2 hazards left children hanging on glibc 2.36; 1 did not, protected \
             by the libc, which resets the lock (malloc).",
            "posix_spawn left 0 of 200 children hanging (95 %: at most 1.8 %).",
            "Of 125 children that hung, by whatever birth, 120 can never go on, which is proven; \
             5 made no progress and are not proven.",
            "2 children crashed, or found something wrong.",
        ] {
            assert!(hazards.answer.contains(sentence), "no `{sentence}` in {}", hazards.answer);
        }
    }

    #[test]
    fn of_one_hazard_the_answer_is_its_rate() {
        let mut all = summary();
        all.hazards.retain(|trial| trial.variant == 1);
        let answer = Hazards::of(&all, None).answer;
        let start = "Under fork, 125 of 200 children hung with hazard localtime: 62.5 %, 95 % \
                     interval 55.4 to 69.2 %.";
        assert!(answer.starts_with(start), "{answer}");
        all.hazards.clear();
        assert!(Hazards::of(&all, None).is_empty());
    }

    #[test]
    fn each_hazard_has_a_row_its_first_proof_and_its_advice() {
        let hazards = Hazards::of(&summary(), None);
        assert_eq!(hazards.births, ["fork", "vfork", "posix_spawn"]);
        let [malloc, localtime] = hazards.rows.as_slice() else { panic!("{hazards:?}") };
        assert_eq!((&*malloc.name, malloc.reset), ("H01 malloc", "yes"));
        assert_eq!((&*localtime.name, &*localtime.about), ("H06 localtime", "tzset_lock"));
        let cells = |row: &Row| -> Vec<String> {
            row.cells.iter().map(|one| one.as_ref().map_or(String::new(), Cell::counted)).collect()
        };
        assert_eq!(cells(malloc), ["0/2000", "not run", ""]);
        assert_eq!(cells(localtime), ["125/200 ?!", "0/200", "0/200"]);
        assert_eq!(hazards.reasons, ["malloc vfork: not measured: it would be harmed"]);
        let [note] = hazards.notes.as_slice() else { panic!("{hazards:?}") };
        // What is proven goes before what came first.
        let start = "fork, pid 8: proven; waits while the word at 0x7f is 2: it was 2, then 2; the \
                     word at +8 is 3, which it does not have; it lies in libc.so.6 .bss+0x5e80; memory";
        assert!(note.proof.as_ref().unwrap().starts_with(start), "{note:?}");
        assert_eq!(note.held.as_deref(), Some("60 % of the time before births"));
        assert!(note.advice.contains("format times"));
        assert_eq!(hazards.evidence.len(), 2);
        assert_eq!(hazards.evidence[0].parts, ["unproven (spin)", "state R"]);
    }

    #[test]
    fn the_screen_has_all_of_it_at_every_width() {
        let view = example::view(&summary());
        for width in [40, 60, 100] {
            let screen = Screen { width, unicode: false };
            let text = anstream::adapter::strip_str(&render(&view, screen)).to_string();
            assert!(text.lines().all(|line| line.chars().count() <= width), "{text}");
            let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
            for part in [
                "Under fork, 1 of 2 hazards",
                "125/200 ?!",
                "55-69 %",
                "0-0.18 %",
                "not run: malloc vfork",
                "proof fork, pid 8",
                "instead format times",
                "?: some of them are not proven",
                "forkbench explain localtime",
            ] {
                assert!(flat.contains(part), "no `{part}` in {text}");
            }
            // The generic table would say the same again, and less.
            assert!(!flat.contains("its child can never"), "{text}");
            let proof = text.lines().skip_while(|line| !line.contains("proof")).take(3);
            assert!(proof.last().unwrap().contains("held"), "{text}");
        }
    }

    #[test]
    fn machines_read_the_same_figures() {
        let view = example::view(&summary());
        let of = |view: &View, name: &str| {
            let mut out = Vec::new();
            let screen = Screen { width: 60, unicode: false };
            let shown = Shown { view, directory: Path::new("nowhere"), screen };
            (formats::find(name).unwrap().write)(shown, &mut out).unwrap();
            String::from_utf8(out).unwrap()
        };
        let written = |name: &str| of(&view, name);
        let lines =
            "hazard,birth,threads,duty,forks,hung,proven,unproven,crashed,rate,rate_lo,rate_hi
malloc,fork,2,,2000,0,0,0,0,0.0,0.0,0.001843
malloc,vfork,2,,0,0,0,0,0,,,
localtime,fork,2,60.0,200,125,120,5,2,0.625,0.553949,0.692286
localtime,vfork,2,,200,0,0,0,0,0.0,0.0,0.018275
localtime,posix_spawn,2,,200,0,0,0,0,0.0,0.0,0.018275
";
        assert_eq!(written("hazard-csv"), lines);
        let json: serde_json::Value = serde_json::from_str(&written("json")).unwrap();
        assert_eq!(json["hazards"][2]["rate_lo"], 0.553949);
        let evidence = written("evidence");
        assert!(evidence.contains("pid 7") && evidence.contains("  the end\n"), "{evidence}");
        // A run without hazards has a header and nothing else.
        let none = example::view(&example::first_screen());
        assert_eq!(of(&none, "hazard-csv").lines().count(), 1);
    }

    #[test]
    fn a_sweep_has_a_row_for_each_place_and_a_picture_of_the_law() {
        let mut all = summary();
        let place = |(duty, hung): (u32, u64)| Trial {
            duty,
            counts: Some(Counts {
                forks: 1000,
                hung,
                proven: hung,
                pause_ns: 1000,
                held_ns: u64::from(duty) * 10,
                ..Counts::default()
            }),
            ..trial(0, "mutex", "fork", None)
        };
        all.hazards = [(10, 103), (50, 480), (90, 500)].map(place).to_vec();
        all.events.clear();
        let hazards = Hazards::of(&all, None);
        let places: Vec<&str> = hazards.rows.iter().map(|row| row.about.as_str()).collect();
        assert_eq!(places, ["duty=10%", "duty=50%", "duty=90%"]);
        let start = "Under fork, hazard mutex left children hanging in 3 of 3 parents: from 10.3 % to \
                     50 % of them.";
        assert!(hazards.answer.starts_with(start), "{}", hazards.answer);
        assert_eq!(hazards.records[0].duty, Some(10.0));
        let chart = law(&all.hazards).unwrap();
        assert_eq!(chart.title, "A child hangs as often as the lock is held: 2 of 3 points agree");
        let names: Vec<String> =
            plots::draw(&example::view(&all)).unwrap().into_iter().map(|one| one.name).collect();
        assert_eq!(names, ["hazards.svg", "hazard-law.svg"]);
        // One place has no law.
        assert!(law(&all.hazards[..1]).is_none());
        let pictures = plots::draw(&example::view(&summary())).unwrap();
        assert_eq!(pictures.iter().filter(|one| one.name.starts_with("hazard")).count(), 1);
    }
}
