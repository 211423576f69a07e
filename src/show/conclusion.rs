//! The answer of a run in words.
//!
//! Owns the sentences at the top of every rendering and the titles of the pictures. Each clause is
//! said only if the figures behind it are there, and a comparison is called one only as far as its
//! interval allows. Computes no statistic.

use crate::analyse::columns::Unit;
use crate::model::claim::Verdict;
use crate::model::interval::Interval;
use crate::model::units::Size;
use crate::show::chapter::Chapter;
use crate::show::distribution::Length;
use crate::show::finding::{FindingRow, Tally};
use crate::show::support::Support;
use crate::show::units;
use crate::show::view::{Cell, Curve, Kind, Row, Section, Titles, Versus};

/// Ratios of medians closer to 1 than this are called the same: the twins of a loaded machine
/// differ by as much.
const SAME: f64 = 1.1;

/// A parent's shape matters to a mechanism whose median differs by more than this.
const GROWN: f64 = 1.25;

/// A mechanism that stops its caller longer than this many times another is worth replacing.
const WORTH_IT: f64 = 1.2;

/// A bill is hardly more than what writing takes in any case if it is less than this many times it.
const ANYWAY: f64 = 1.1;

/// What writing takes in any case is told if it is more than this share of a bill.
const WORTH_A_WORD: f64 = 0.05;

/// The paragraph: the laws, if there are any; what stops its caller how long, what it costs
/// afterwards, whether that depends on the parent, and what to use instead. Of several scenarios
/// it tells what became of their claims, and of a few of them the laws.
pub fn answer(sections: &[Section], chapters: &[Chapter], support: &[Support]) -> String {
    let told: Vec<&Section> =
        sections.iter().filter(|section| subject(section).is_some()).collect();
    let mut sentences = Vec::new();
    if chapters.len() > 1 && !told.is_empty() {
        sentences.push(overview(chapters));
        if chapters.len() <= MANY {
            sentences.extend(
                chapters
                    .iter()
                    .filter(|c| !c.laws.is_empty())
                    .map(|chapter| format!("{}: {}", chapter.name, chapter.laws.join(" "))),
            );
        }
    } else {
        // That nothing grows is said after what was found.
        let (growing, level): (Vec<&Chapter>, Vec<&Chapter>) =
            chapters.iter().partition(|chapter| chapter.grows);
        sentences.extend(growing.iter().flat_map(|chapter| chapter.laws.clone()));
        let (spawns, works): (Vec<&Section>, Vec<&Section>) =
            told.iter().copied().partition(|section| section.columns.is_empty());
        sentences.extend(match spawns.as_slice() {
            [] if works.is_empty() => vec![nothing(sections)],
            [] => Vec::new(),
            [section] => one_shape(section),
            several => several_shapes(several),
        });
        match support {
            // What has no way is no failure, and is told as what it is.
            [one] if one.is_overview() && spawns.is_empty() => {
                sentences.push(one.answer());
                sentences.extend(chapters.iter().filter_map(claims));
                return sentences.join(" ");
            }
            _ => sentences.extend(self::works(&works)),
        }
        sentences.extend(level.iter().flat_map(|chapter| chapter.laws.clone()));
        sentences.extend(chapters.iter().filter_map(claims));
    }
    sentences.extend(not_measured(sections));
    sentences.join(" ")
}

/// More scenarios than this leave no room for their laws in one paragraph.
pub const MANY: usize = 3;

/// How many scenarios, and what became of their claims.
fn overview(chapters: &[Chapter]) -> String {
    let scenarios = units::plural(chapters.len() as u64, "scenario", "scenarios");
    let findings = || chapters.iter().flat_map(|chapter| &chapter.findings);
    let tally = Tally::of(findings().map(|finding| finding.verdict));
    if tally.all() == 0 {
        return format!("{scenarios}, which claim nothing.");
    }
    let claims = units::plural(tally.all() as u64, "claim", "claims");
    let failed = findings().find(|finding| finding.verdict == Verdict::Fails);
    format!("{scenarios} with {claims}: {}.", counts(tally, failed))
}

/// What became of the claims of a scenario; none if it has none.
fn claims(chapter: &Chapter) -> Option<String> {
    let tally = chapter.tally();
    let failed = chapter.findings.iter().find(|finding| finding.verdict == Verdict::Fails);
    match tally.all() {
        0 => None,
        all => Some(format!(
            "Of {}, {}.",
            units::plural(all as u64, "claim", "claims"),
            counts(tally, failed)
        )),
    }
}

/// `5 hold, 1 fails ("fork is flat") and 2 cannot be shown`: the first that fails is named.
fn counts(tally: Tally, failed: Option<&FindingRow>) -> String {
    let named = failed.map(|finding| format!("\"{}\"", finding.claim)).unwrap_or_default();
    let named = match tally.fails {
        0 => String::new(),
        1 => format!(" ({named})"),
        _ => format!(" (among them {named})"),
    };
    let parts: Vec<String> = [
        (tally.holds, "holds", "hold"),
        (tally.fails, "fails", "fail"),
        (tally.unclear, "is unclear", "are unclear"),
        (tally.not_shown, "cannot be shown", "cannot be shown"),
    ]
    .into_iter()
    .filter(|(count, ..)| *count > 0)
    .map(|(count, one, many)| {
        let named = if one == "fails" { named.as_str() } else { "" };
        format!("{}{named}", units::plural(count as u64, one, many))
    })
    .collect();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    units::list(&parts, "and")
}

/// Index of the section where the answer is plainest: where its subject costs most.
pub fn plainest(sections: &[Section]) -> usize {
    let cost = |section: &Section| subject(section).and_then(|row| row.main.known()).unwrap_or(0.0);
    (0..sections.len())
        .max_by(|&a, &b| cost(&sections[a]).total_cmp(&cost(&sections[b])))
        .unwrap_or(0)
}

/// The row that the answer is about: what copies page tables if anything does (`fork` before
/// others of its kind), else what the others are compared with, else the slowest.
pub fn subject(section: &Section) -> Option<&Row> {
    if !section.columns.is_empty() {
        return ranked(section).into_iter().next();
    }
    let slowest = |rows: &mut dyn Iterator<Item = &'_ Row>| -> Option<u32> {
        rows.max_by(|a, b| blocked(a).total_cmp(&blocked(b))).map(|row| row.variant)
    };
    let copying = |row: &&Row| row.kind == Kind::Copies;
    let found = slowest(&mut processes(section).filter(copying).filter(|r| r.mechanism == "fork"))
        .or_else(|| slowest(&mut processes(section).filter(copying)))
        .or_else(|| slowest(&mut processes(section).filter(|row| row.versus == Versus::Itself)))
        .or_else(|| slowest(&mut processes(section)))?;
    processes(section).find(|row| row.variant == found)
}

/// The titles of the pictures of a section; none of a workload that has columns of its own.
pub fn titles(section: &Section) -> Titles {
    if !section.columns.is_empty() {
        return Titles::default();
    }
    let Some(row) = subject(section) else { return Titles::default() };
    let place = place(section);
    let call = format!("{} stops its caller for {} in {place}", row.name, length(row));
    let compared = match (&row.versus, partner(section, row)) {
        (Versus::Times { .. }, Some(other)) => format!(", {}", relation(row, other)),
        _ => String::new(),
    };
    let bill = match bill(row) {
        Some(bill) => format!(", and charges it {} afterwards", units::duration(bill)),
        None => String::new(),
    };
    let distributions = Interval::ALL
        .into_iter()
        .filter_map(|interval| Some((interval, halves_of(section, interval)?)))
        .collect();
    Titles { latency: format!("{call}{compared}"), distributions, lanes: format!("{call}{bill}") }
}

/// What half of the spawns have behind them when: the slowest, what it is compared with, and the
/// fastest.
fn halves_of(section: &Section, interval: Interval) -> Option<String> {
    let is_told = |name: &str| processes(section).any(|row| row.name == name);
    let mut medians: Vec<(&str, f64)> = section
        .curves
        .iter()
        .filter(|curve| curve.length == Length::Interval(interval) && is_told(&curve.name))
        .filter_map(|curve| Some((curve.name.as_str(), curve.median?)))
        .collect();
    medians.sort_by(|a, b| b.1.total_cmp(&a.1));
    let (slowest, fastest) = (medians.first()?.0, medians.last()?.0);
    medians.retain(|(name, _)| {
        *name == slowest || *name == fastest || Some(*name) == section.versus.as_deref()
    });
    let what = match interval {
        Interval::Blocked => "Half of the calls return within",
        Interval::Born => "Half of the children run within",
        Interval::Image => "Half of the new images run within",
        Interval::Reaped => "Half of the children are reaped within",
        Interval::Rewrite => "Half of the parents have written their memory again within",
    };
    Some(format!("{what} {}", medians_of(&medians)))
}

/// The medians of the slowest and the fastest of curves, and the longest of all values.
pub fn halves(what: &str, curves: &[Curve]) -> String {
    let mut medians: Vec<(&str, f64)> =
        curves.iter().filter_map(|curve| Some((curve.name.as_str(), curve.median?))).collect();
    medians.sort_by(|a, b| b.1.total_cmp(&a.1));
    if let [first, .., last] = medians[..] {
        medians = vec![first, last];
    }
    let last = |curve: &Curve| curve.steps.last().map_or(0.0, |step| step.nanoseconds);
    let longest = curves.iter().max_by(|a, b| last(a).total_cmp(&last(b)));
    match (medians.as_slice(), longest) {
        ([], _) | (_, None) => what.to_owned(),
        (medians, Some(longest)) => format!(
            "{what}: half within {}; the longest {} ({})",
            medians_of(medians),
            units::duration(last(longest)),
            longest.name
        ),
    }
}

fn medians_of(medians: &[(&str, f64)]) -> String {
    let told: Vec<String> = medians
        .iter()
        .map(|(name, median)| format!("{} ({name})", units::duration(*median)))
        .collect();
    let told: Vec<&str> = told.iter().map(String::as_str).collect();
    units::list(&told, "and")
}

/// More parents than this are told by the one where the answer is plainest.
const PARENTS: usize = 2;

/// More rows than this are counted.
const ROWS: usize = 5;

/// What workloads with columns of their own say: of each parent a sentence, of many that of the
/// plainest.
fn works(sections: &[&Section]) -> Vec<String> {
    let dearest = |section: &&&Section| subject(section).and_then(|row| row.main.known());
    let told: Vec<&Section> = match sections {
        few if few.len() <= PARENTS => few.to_vec(),
        many => many
            .iter()
            .max_by(|a, b| dearest(a).unwrap_or(0.0).total_cmp(&dearest(b).unwrap_or(0.0)))
            .into_iter()
            .copied()
            .collect(),
    };
    let place = |section: &Section| match sections.len() {
        1 => String::new(),
        _ => format!("In {}: ", place(section)),
    };
    told.into_iter()
        .filter_map(|section| Some(format!("{}{}.", place(section), work(section)?)))
        .collect()
}

/// What a workload says in one parent, from what costs most to what costs least: `fork writes a
/// page in 2.11 us, 267 times as long as none; posix_spawn in 7.93 ns`. Of many rows it names the
/// one at each end and what they are compared with.
fn work(section: &Section) -> Option<String> {
    if let Some(responses) = responses(section) {
        return Some(responses);
    }
    let rows = ranked(section);
    let column = section.columns.iter().find(|column| column.main.is_some())?;
    let dearest = *rows.first()?;
    let verb = column.main?;
    let is_rate = matches!(column.unit, Unit::PerSecond(_));
    let as_much = if is_rate { "many" } else { "long" };
    let value = |row: &Row| units::figure(column.unit, row.main.known().unwrap_or(0.0));
    let partner =
        |row: &Row| partner(section, row).filter(|_| matches!(row.versus, Versus::Times { .. }));
    // Where nobody can tell the dearest from what all are compared with, that one is told.
    let first = match partner(dearest) {
        Some(other) if is_unresolved(dearest) && other.kind != Kind::Control => other,
        _ => dearest,
    };
    let others: Vec<&Row> =
        rows.iter().copied().filter(|row| row.variant != first.variant).collect();
    let compared = partner(first).map_or_else(String::new, |other| {
        let relation = relation(first, other);
        format!(", {}", relation.replacen("as long", &format!("as {as_much}"), 1))
    });
    let mut clauses = vec![format!("{} {verb} {}{compared}", first.name, value(first))];
    if others.len() < ROWS {
        clauses.extend(others.iter().map(|row| format!("{} {}", row.name, value(row))));
    } else {
        let other = partner(first);
        clauses.extend(other.map(|row| format!("{} {}", row.name, value(row))));
        let last = others.last().filter(|last| other.is_none_or(|o| o.variant != last.variant));
        let most = if is_rate { "most" } else { "least" };
        clauses.extend(last.map(|last| {
            format!("the {most} of {} rows is {} of {}", rows.len(), value(last), last.name)
        }));
    }
    let controls =
        || section.rows().filter(|row| row.kind == Kind::Control && row.main.known().is_some());
    let control = controls().find(|row| row.work == first.work).or_else(|| controls().next());
    if let Some(control) = control {
        clauses.push(format!("without any ({}) {}", control.name, value(control)));
    }
    for row in section.rows() {
        if let Cell::Void(word) = row.main {
            clauses.push(format!("{} is {word}", row.name));
        }
    }
    Some(clauses.join("; "))
}

/// Where jobs arrive when they will, how many are done is given, and how long each waits is the
/// answer: of each mechanism the median of its responses at each load. None elsewhere.
fn responses(section: &Section) -> Option<String> {
    let place = section.columns.iter().position(|column| column.title.starts_with("response"))?;
    let load = |row: &Row| {
        let setting = row.work.split(';').find(|one| one.starts_with("load="))?;
        setting["load=".len()..].trim_end_matches('%').parse::<f64>().ok()
    };
    let mut rows: Vec<(&Row, f64)> = section
        .rows()
        .filter(|row| row.kind != Kind::Control)
        .filter_map(|row| Some((row, load(row)?)))
        .collect();
    rows.sort_by(|a, b| a.0.mechanism.cmp(&b.0.mechanism).then(a.1.total_cmp(&b.1)));
    let unit = section.columns[place].unit;
    let clauses: Vec<String> = rows
        .chunk_by(|a, b| a.0.mechanism == b.0.mechanism)
        .filter_map(|same| {
            let told: Vec<String> = same
                .iter()
                .filter_map(|(row, load)| match row.entries.get(place)? {
                    Cell::Known(value) => {
                        Some(format!("within {} at {load} %", units::figure(unit, *value)))
                    }
                    Cell::Void(word) => Some(format!("is {word} at {load} %")),
                    Cell::Needs(_) | Cell::Absent => None,
                })
                .collect();
            let told: Vec<&str> = told.iter().map(String::as_str).collect();
            let first = same.first()?;
            (!told.is_empty()).then(|| {
                format!(
                    "{} answers half of its jobs {}",
                    first.0.mechanism,
                    units::list(&told, "and")
                )
            })
        })
        .collect();
    (!clauses.is_empty()).then(|| format!("By the load that arrives, {}", clauses.join("; ")))
}

/// Whether the interval of its ratio holds 1.
fn is_unresolved(row: &Row) -> bool {
    matches!(row.versus, Versus::Times { bounds: Some((low, high)), .. } if low <= 1.0 && 1.0 <= high)
}

/// The rows of a workload that have a figure in its main column, but the control: what costs most
/// first, which of rates is the lowest.
fn ranked(section: &Section) -> Vec<&Row> {
    let main = section.columns.iter().find(|column| column.main.is_some());
    let is_rate = main.is_some_and(|column| matches!(column.unit, Unit::PerSecond(_)));
    let figure = |row: &Row| row.main.known().unwrap_or(0.0);
    let mut rows: Vec<&Row> = section
        .rows()
        .filter(|row| row.kind != Kind::Control && row.main.known().is_some())
        .collect();
    rows.sort_by(|a, b| {
        let order = figure(b).total_cmp(&figure(a));
        if is_rate { order.reverse() } else { order }
    });
    rows
}

fn nothing(sections: &[Section]) -> String {
    let rows = || sections.iter().flat_map(Section::rows);
    let failed = rows().find_map(|row| Some((&row.name, row.missing.as_ref()?)));
    let thread = rows().find(|row| row.kind == Kind::Thread && row.blocked.known().is_some());
    let control = rows().find(|row| row.kind == Kind::Control && row.blocked.known().is_some());
    let few = rows().find(|row| row.kind != Kind::Control && row.samples > 0);
    match (failed, thread, few, control) {
        (Some((name, reason)), ..) => {
            format!("No way of making a process was measured. {name}: {reason}.")
        }
        (None, Some(row), ..) => {
            format!("Making a thread stops its caller for {}; no process was made.", length(row))
        }
        (None, None, Some(row), _) => format!(
            "Too few samples to answer: {} has {}. Give the run more time.",
            row.name,
            units::plural(row.samples as u64, "sample", "samples"),
        ),
        (None, None, None, Some(row)) => format!(
            "Only the control was measured, which makes no process: the tool itself costs {}.",
            length(row)
        ),
        (None, None, None, None) => "Nothing was measured.".to_owned(),
    }
}

fn one_shape(section: &Section) -> Vec<String> {
    let Some(row) = subject(section) else { return Vec::new() };
    if let Some(sentence) = by_work(section) {
        return vec![sentence];
    }
    let mut sentences = Vec::new();
    let other = partner(section, row);
    match other {
        Some(other) => {
            let relation = relation(row, other);
            sentences.push(format!(
                "{} stops its caller for {}, {relation}{}.",
                row.name,
                length(row),
                bill_clause(section, row, "it")
            ));
            sentences.push(format!("{}{}.", with_empty(section, other), advice(section, row)));
            if row.kind == Kind::Shares && row.empty.known().is_some() && !section.is_empty_parent()
            {
                let empty = empty_length(row);
                sentences.push(format!("In an empty parent {} takes {empty}.", row.name));
            }
        }
        None => {
            let others = processes(section).count() - 1;
            let verb = if others == 0 { "alone has figures: it stops" } else { "stops" };
            let here = match (section.is_empty_parent(), row.empty.known()) {
                (false, Some(_)) => format!(" here and {} in an empty parent", empty_length(row)),
                _ => String::new(),
            };
            sentences.push(format!(
                "{} {verb} its caller for {}{here}{}.",
                row.name,
                length(row),
                bill_clause(section, row, "it")
            ));
            if let Some(fastest) = fastest(section, row) {
                sentences.push(format!(
                    "{} stops its caller for {}.",
                    fastest.name,
                    length(fastest)
                ));
            }
        }
    }
    sentences
}

/// What is told where every mechanism did several kinds of work, such as executing several
/// programs: how the whole life of a child differs between these, by what the others are compared
/// with or by `posix_spawn`. None where the rows differ in their mechanism alone.
fn by_work(section: &Section) -> Option<String> {
    let mut works: Vec<&str> = processes(section).map(|row| row.work.as_str()).collect();
    works.sort_unstable();
    works.dedup();
    let mut mechanisms: Vec<&str> = processes(section).map(|row| row.mechanism.as_str()).collect();
    mechanisms.sort_unstable();
    mechanisms.dedup();
    let is_whole = processes(section).count() == works.len() * mechanisms.len();
    if works.len() < 2 || !is_whole {
        return None;
    }
    let reaped = |row: &Row| row.reaped.known();
    let told = |mechanism: &str| -> Option<String> {
        let mut rows: Vec<&Row> =
            processes(section).filter(|row| row.mechanism == mechanism).collect();
        rows.sort_by(|a, b| reaped(a).unwrap_or(0.0).total_cmp(&reaped(b).unwrap_or(0.0)));
        let (least, most) = (*rows.first()?, *rows.last()?);
        let (low, high) = (reaped(least)?, reaped(most)?);
        let work = |row: &Row| row.name.replacen(mechanism, "", 1).trim().to_owned();
        let mut calls: Vec<&Row> = rows.clone();
        calls.sort_by(|a, b| blocked(a).total_cmp(&blocked(b)));
        let calls = range(calls.first()?, calls.last()?);
        Some(format!(
            "{mechanism} has reaped its child after {} with {} and after {} with {}, {} times as \
             long; its caller is stopped for {calls}",
            units::duration(low),
            work(least),
            units::duration(high),
            work(most),
            units::factor(high / low)
        ))
    };
    let first = ["posix_spawn", section.versus.as_deref().unwrap_or_default(), mechanisms[0]];
    let first = first.into_iter().find(|name| mechanisms.contains(name))?;
    let mut sentence = told(first)?;
    if first != "fork" && mechanisms.contains(&"fork") {
        sentence += &format!(". {}", told("fork")?);
    }
    Some(sentence + ".")
}

fn several_shapes(sections: &[&Section]) -> Vec<String> {
    let mut ends: Vec<(&Section, &Row)> =
        sections.iter().filter_map(|section| Some((*section, subject(section)?))).collect();
    // The same mechanism everywhere, or its growth would be the difference of two mechanisms.
    let Some(name) = ends
        .iter()
        .max_by(|a, b| blocked(a.1).total_cmp(&blocked(b.1)))
        .map(|(_, row)| row.name.clone())
    else {
        return Vec::new();
    };
    ends.retain(|(_, row)| row.name == name);
    ends.sort_by(|a, b| blocked(a.1).total_cmp(&blocked(b.1)));
    let [(low_section, low), .., (high_section, high)] = ends.as_slice() else {
        return ends.first().map_or_else(Vec::new, |(section, _)| one_shape(section));
    };

    let growth = blocked(high) / blocked(low);
    let other = partner(high_section, high);
    let relation = other.map(|other| relation(high, other));
    let bill = |caller: &str| bill_clause(high_section, high, caller);
    let mut sentences = Vec::new();
    if growth < GROWN {
        let parents =
            if ends.len() == 2 { "both".to_owned() } else { format!("all {}", ends.len()) };
        let relation = relation.map(|relation| format!(", {relation}")).unwrap_or_default();
        let range = range(low, high);
        sentences.push(format!(
            "{name} stops its caller for {range} in {parents} parents{relation}{}.",
            bill("it")
        ));
    } else {
        let grown = format!(
            "{name} stops its caller for {} in {} and for {} in {}, {} times as long",
            length(low),
            place(low_section),
            length(high),
            place(high_section),
            units::factor(growth)
        );
        match relation {
            Some(relation) => {
                sentences.push(format!("{grown}."));
                sentences.push(format!("There it takes {relation}{}.", bill("its caller")));
            }
            None => sentences.push(format!("{grown}{}.", bill("it"))),
        }
    }
    if let Some(other) = other {
        let mut same: Vec<&Row> = sections
            .iter()
            .flat_map(|section| processes(section).filter(|row| row.name == other.name))
            .collect();
        same.sort_by(|a, b| blocked(a).total_cmp(&blocked(b)));
        let advice = advice(high_section, high);
        match same.as_slice() {
            [least, .., most] => {
                let growth = blocked(most) / blocked(least);
                let spread = if growth < GROWN {
                    "hardly depends on the parent".to_owned()
                } else {
                    format!("differs by a factor of {} between them", units::factor(growth))
                };
                let range = range(least, most);
                sentences.push(format!("{} takes {range} and {spread}{advice}.", other.name));
            }
            _ => sentences.push(format!("{} takes {}{advice}.", other.name, length(other))),
        }
    }
    sentences
}

/// What the answer needed and does not have.
fn not_measured(sections: &[Section]) -> Option<String> {
    // With nothing at all, the first sentence has said so.
    sections.iter().find(|section| subject(section).is_some())?;
    let mut names: Vec<&str> = sections
        .iter()
        .flat_map(Section::rows)
        .filter(|row| row.missing.is_some())
        .filter(|row| ["fork", "posix_spawn", "vfork"].contains(&row.mechanism.as_str()))
        .map(|row| row.name.as_str())
        .collect();
    names.sort_unstable();
    names.dedup();
    let verb = if names.len() == 1 { "was" } else { "were" };
    let place = if sections.len() > 1 { " in every parent" } else { "" };
    (!names.is_empty())
        .then(|| format!("{} {verb} not measured{place}.", units::list(&names, "and")))
}

/// The row that `row` is told against: what it is compared with or, if it is that itself, the
/// fastest of those that are compared with it.
fn partner<'a>(section: &'a Section, row: &Row) -> Option<&'a Row> {
    let compared = processes(section).find(|other| Some(other.variant) == row.versus_variant);
    compared.or_else(|| {
        processes(section)
            .filter(|other| other.versus_variant == Some(row.variant))
            .min_by(|a, b| main(a).total_cmp(&main(b)))
    })
}

/// How long `row` takes beside `other`: `252 times as long as posix_spawn`.
fn relation(row: &Row, other: &Row) -> String {
    let (times, inverted) = match (&row.versus, &other.versus) {
        (times @ Versus::Times { .. }, _) => (times, false),
        (_, times) => (times, true),
    };
    match *times {
        Versus::Times { value, bounds } => {
            let turn = |ratio: f64| if inverted { 1.0 / ratio } else { ratio };
            let value = turn(value);
            let factor = units::factor(value);
            match bounds.map(|(low, high)| (turn(low), turn(high))) {
                Some((a, b)) if a.min(b) <= 1.0 && 1.0 <= a.max(b) && a.max(b) / a.min(b) < 2.0 => {
                    format!("as long as {} as far as this run can tell", other.name)
                }
                Some((a, b)) if a.min(b) <= 1.0 && 1.0 <= a.max(b) => format!(
                    "anything from {} to {} times as long as {}",
                    units::factor(a.min(b)),
                    units::factor(a.max(b)),
                    other.name
                ),
                Some(_) if factor == "1.00" => format!("as long as {}", other.name),
                Some(_) => format!("{factor} times as long as {}", other.name),
                None => format!("about {factor} times as long as {}", other.name),
            }
        }
        _ => format!(
            "by the medians {} times as long as {}",
            units::factor(main(row) / main(other)),
            other.name
        ),
    }
}

/// The bill after the call, or why it is not known. `caller` is who pays it.
fn bill_clause(section: &Section, row: &Row, caller: &str) -> String {
    match bill(row) {
        Some(bill) if bill < ANYWAY * base(section) => format!(
            "; writing its memory again then takes {}, hardly more than without it",
            units::duration(bill)
        ),
        Some(bill) => {
            let base = base(section);
            let of_which = if base > WORTH_A_WORD * bill {
                format!(" ({} of which it takes in any case)", units::duration(base))
            } else {
                String::new()
            };
            format!(
                ", and then charges {caller} another {} of page faults as it writes its memory \
                 again{of_which}",
                units::duration(bill)
            )
        }
        None if row.kind == Kind::Copies && row.work.split(';').any(|s| s == "rewrite=none") => {
            "; its bill afterwards was not measured (rewrite none)".to_owned()
        }
        None => String::new(),
    }
}

/// What writing the same memory takes when nothing was forked; 0 if that is not known.
fn base(section: &Section) -> f64 {
    let mut controls = section.rows().filter(|row| row.kind == Kind::Control);
    controls.find_map(bill).unwrap_or(0.0)
}

/// `posix_spawn takes 97.6 us here and 94.5 us in an empty parent`.
fn with_empty(section: &Section, row: &Row) -> String {
    let here = format!("{} takes {}", row.name, length(row));
    match row.empty.known() {
        Some(empty) if !section.is_empty_parent() && empty > 0.0 => {
            let growth = blocked(row) / empty;
            if growth > GROWN {
                let factor = units::factor(growth);
                format!("{here} here, {factor} times the {} of an empty parent", empty_length(row))
            } else {
                format!("{here} here and {} in an empty parent", empty_length(row))
            }
        }
        _ => here,
    }
}

/// What to use instead of `row`, if anything is worth it: nothing is recommended that was not
/// measured doing the same work.
fn advice(section: &Section, row: &Row) -> String {
    let Some(best) = fastest(section, row) else { return String::new() };
    if !is_longer(section, row, best) {
        return String::new();
    }
    let other = partner(section, row).filter(|other| {
        other.kind == Kind::Shares && other.work == row.work && is_longer(section, row, other)
    });
    match other {
        Some(other) if other.variant == best.variant => ": use it".to_owned(),
        Some(other) if blocked(other) / blocked(best) > SAME => {
            format!(": use it, or {}", best.name)
        }
        Some(_) => ": use it".to_owned(),
        None => format!("; use {}, which takes {}", best.name, length(best)),
    }
}

/// The fastest of those that share their parent's memory and do the same work.
fn fastest<'a>(section: &'a Section, row: &Row) -> Option<&'a Row> {
    processes(section)
        .filter(|other| other.kind == Kind::Shares)
        .filter(|other| other.variant != row.variant && other.work == row.work)
        .min_by(|a, b| blocked(a).total_cmp(&blocked(b)))
}

/// Whether `row` costs its caller so much more than `other` that it is worth replacing, the bill
/// afterwards included.
fn is_longer(section: &Section, row: &Row, other: &Row) -> bool {
    let bill = bill(row).map_or(0.0, |bill| (bill - base(section)).max(0.0));
    let interval_allows = match row.versus {
        Versus::Times { bounds: Some((low, _)), .. }
            if row.versus_variant == Some(other.variant) =>
        {
            low > 1.0 || bill > 0.0
        }
        _ => true,
    };
    interval_allows && blocked(row) + bill > WORTH_IT * blocked(other)
}

/// Rows that make processes, or do what the workload is about, and have a median.
fn processes(section: &Section) -> impl Iterator<Item = &Row> {
    // A workload compares ways of doing the same, whatever they make.
    let any = !section.columns.is_empty();
    section.rows().filter(move |row| {
        row.kind != Kind::Control && (any || row.kind != Kind::Thread) && row.main.known().is_some()
    })
}

/// Where a section was measured: `a parent of 1 GiB`.
fn place(section: &Section) -> String {
    if section.is_empty_parent() {
        return "an empty parent".to_owned();
    }
    let (sizes, others): (Vec<&str>, Vec<&str>) =
        section.shape.split(' ').partition(|part| part.starts_with("rss="));
    let others = others.join(" ");
    match sizes.first().and_then(|size| size.strip_prefix("rss=")?.parse::<Size>().ok()) {
        Some(size) if others.is_empty() => format!("a parent of {size:#}"),
        Some(size) => format!("a parent of {size:#} ({others})"),
        None => format!("a parent with {}", section.shape),
    }
}

fn bill(row: &Row) -> Option<f64> {
    row.bill.known().filter(|&bill| bill > 0.0)
}

fn main(row: &Row) -> f64 {
    row.main.known().unwrap_or(0.0)
}

fn blocked(row: &Row) -> f64 {
    row.blocked.known().unwrap_or(0.0)
}

fn length(row: &Row) -> String {
    units::duration(blocked(row))
}

/// From the one to the other, said once if they look the same.
fn range(low: &Row, high: &Row) -> String {
    let (low, high) = (length(low), length(high));
    if low == high { low } else { format!("{low} to {high}") }
}

fn empty_length(row: &Row) -> String {
    units::duration(row.empty.known().unwrap_or(0.0))
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use super::*;
    use crate::analyse::contrasts::Contrast;
    use crate::analyse::summary::Summary;
    use crate::show::example::{self, FORK, NONE, NOT_SHOWN, POSIX_SPAWN, Spawn, VFORK, times};

    const SHAPE: &str = "rss=1GiB";

    fn of(spawns: &[Spawn], versus: &str) -> Summary {
        example::summary(&[(SHAPE, spawns)], versus)
    }

    /// The run of the design with another ratio between fork and posix_spawn.
    fn with_ratio(contrast: Contrast) -> Summary {
        let mut summary = of(&[FORK, VFORK, POSIX_SPAWN], "posix_spawn");
        for interval in &mut summary.variants[0].intervals {
            interval.versus_p50 = Some(contrast);
        }
        summary
    }

    fn at(size: &str, blocked: f64) -> (String, [Spawn; 2]) {
        let rewrite = Some(blocked * 12.0);
        let fork = Spawn { blocked, rewrite, ..FORK };
        (format!("rss={size}"), [fork, POSIX_SPAWN])
    }

    #[test]
    fn every_kind_of_run_has_its_answer() {
        let scaled =
            |spawn: &Spawn, by: f64| Spawn { blocked: spawn.blocked * by, ..spawn.clone() };
        let mut cases: Vec<(&str, Summary)> = vec![
            ("all", of(&[NONE, FORK, VFORK, POSIX_SPAWN], "posix_spawn")),
            ("without posix_spawn", of(&[FORK, VFORK], "vfork")),
            ("no page tables copied", of(&[NONE, VFORK, POSIX_SPAWN], "posix_spawn")),
            ("fork alone", of(&[NONE, FORK], "fork")),
            ("posix_spawn alone", of(&[POSIX_SPAWN], "posix_spawn")),
            ("compared with fork", of(&[FORK, VFORK, POSIX_SPAWN], "fork")),
            ("the control alone", of(&[NONE], "posix_spawn")),
            ("nothing", example::summary(&[], "posix_spawn")),
            ("posix_spawn grows", of(&[FORK, scaled(&POSIX_SPAWN, 20.0), VFORK], "posix_spawn")),
            ("few samples", of(&[Spawn { count: 3, ..FORK }], "posix_spawn")),
            ("few samples of fork", of(&[Spawn { count: 3, ..FORK }, POSIX_SPAWN], "posix_spawn")),
            ("no interval of the ratio", with_ratio(NOT_SHOWN)),
            ("an interval around 1", with_ratio(times(1.02, 0.97, 1.08))),
            ("a wide interval around 1", with_ratio(times(1.5, 0.3, 7.0))),
            ("bill not measured", {
                let mut summary =
                    of(&[Spawn { rewrite: None, ..FORK }, POSIX_SPAWN], "posix_spawn");
                summary.variants[0].row.settings += ";rewrite=none";
                summary.variants[1].row.settings += ";rewrite=none";
                summary
            }),
            ("writing takes a share of the bill in any case", {
                let none = Spawn { rewrite: Some(50e6), ..NONE };
                of(&[none, FORK, VFORK, POSIX_SPAWN], "posix_spawn")
            }),
            ("writing takes the bill in any case", {
                let none = Spawn { rewrite: Some(300e6), ..NONE };
                of(&[none, FORK, VFORK, POSIX_SPAWN], "posix_spawn")
            }),
            ("other work is not advised", {
                let mut summary = of(&[FORK, VFORK], "posix_spawn");
                summary.variants[1].row.settings += ";image=exit";
                summary
            }),
            ("an empty parent", {
                let spawns = [FORK, VFORK, POSIX_SPAWN].map(|spawn| example::empty(&spawn));
                example::summary(&[("empty", &spawns)], "posix_spawn")
            }),
            ("a thread alone", of(&[Spawn { mechanism: "thread", ..VFORK }], "posix_spawn")),
        ];
        let mut unmeasured = of(&[FORK, VFORK], "posix_spawn");
        example::refuse(&mut unmeasured, "posix_spawn", "EPERM: seccomp");
        cases.push(("posix_spawn refused", unmeasured));
        let mut refused = of(&[NONE], "posix_spawn");
        example::refuse(&mut refused, "fork", "EAGAIN: RLIMIT_NPROC is 10");
        cases.push(("all refused", refused));

        let grown = [at("0", 57e3), at("256MiB", 6.1e6), at("1GiB", 24.4e6)];
        let parents: Vec<(&str, &[Spawn])> =
            grown.iter().map(|(shape, spawns)| (shape.as_str(), spawns.as_slice())).collect();
        cases.push(("three shapes", example::summary(&parents, "posix_spawn")));
        let flat = [("fds=1", [VFORK]), ("fds=2", [scaled(&VFORK, 1.1)])];
        let parents: Vec<(&str, &[Spawn])> =
            flat.iter().map(|(shape, spawns)| (*shape, spawns.as_slice())).collect();
        cases.push(("two shapes, flat, one mechanism", example::summary(&parents, "vfork")));
        let few = Spawn { count: 2, ..FORK };
        cases.push((
            "two shapes, one of them without figures",
            example::summary(
                &[("rss=1GiB", &[FORK, POSIX_SPAWN]), ("rss=2GiB", &[few])],
                "posix_spawn",
            ),
        ));

        let mut told = String::new();
        for (name, summary) in &cases {
            writeln!(told, "{name}\n    {}", example::view(summary).conclusion).unwrap();
        }
        insta::assert_snapshot!("answers", told);
    }

    #[test]
    fn several_programs_are_told_by_the_life_of_their_child() {
        let mut summary = of(&[POSIX_SPAWN, POSIX_SPAWN, FORK, FORK], "posix_spawn");
        for (place, variant) in summary.variants.iter_mut().enumerate() {
            let image = if place % 2 == 0 { "noop" } else { "true" };
            variant.row.variant = place as u32;
            variant.row.label = format!("{} image={image}", variant.row.mechanism);
            variant.row.settings = format!("image={image};mechanism={}", variant.row.mechanism);
            variant.versus = None;
        }
        let view = example::view(&summary);
        assert!(
            view.conclusion
                .starts_with("posix_spawn has reaped its child after 157 us with image="),
            "{}",
            view.conclusion
        );
        assert!(view.conclusion.contains(". fork has reaped its child after 45.5 ms with image="));
    }

    #[test]
    fn titles_state_the_finding() {
        let view = example::view_with_curves(&of(&[NONE, FORK, VFORK, POSIX_SPAWN], "posix_spawn"));
        let titles = &view.sections[0].titles;
        assert_eq!(
            titles.latency,
            "fork stops its caller for 24.4 ms in a parent of 1 GiB, 250 times as long as \
             posix_spawn"
        );
        assert_eq!(
            titles.lanes,
            "fork stops its caller for 24.4 ms in a parent of 1 GiB, and charges it 309 ms \
             afterwards"
        );
        let reaped =
            titles.distributions.iter().find(|(interval, _)| *interval == Interval::Reaped);
        assert_eq!(
            reaped.unwrap().1,
            "Half of the children are reaped within 45.5 ms (fork), 157 us (posix_spawn) and \
             112 us (vfork)"
        );
    }
}
