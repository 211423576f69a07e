//! Ratios with their intervals below each other before they are drawn: a row each, 1 marked.
//!
//! Owns which rows are shown, in which order, and where they lie. Of a check each row has the band
//! of its margin and its verdict; of a run nothing is judged.

use crate::analyse::gate::Verdict;
use crate::show::judgement::{GateRow, Gated};
use crate::show::scale::Ratios;
use crate::show::units;
use crate::show::view::{Kind, Row, Section, Versus};

/// Ratios below each other.
#[derive(Clone, Debug, PartialEq)]
pub struct Forest {
    /// What its file is called, without an ending: `forest`.
    pub stem: String,
    /// The finding.
    pub title: String,
    /// What is drawn.
    pub subtitle: String,
    /// What the axis shows.
    pub x_title: String,
    /// Its ticks, as shares.
    pub x_ticks: Vec<(f64, String)>,
    /// Where 1 lies, as a share.
    pub one: f64,
    /// Rows that belong together, each group under its heading.
    pub groups: Vec<(String, Vec<Entry>)>,
    /// The figures that matter, in words.
    pub told: String,
}

/// A row.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// What it is called.
    pub name: String,
    /// The mechanism, which decides colour and mark; none where it is no mechanism's.
    pub mechanism: Option<String>,
    /// Where its ratio lies, as a share; none where there is none.
    pub value: Option<f64>,
    /// Where its interval lies; none without one.
    pub bounds: Option<(f64, f64)>,
    /// Where its margin begins and ends; none where nothing is judged.
    pub margin: Option<(f64, f64)>,
    /// What is said of it; none where nothing is judged.
    pub verdict: Option<&'static str>,
    /// The ratio and its interval in words, or why there is none.
    pub text: String,
    /// The same with what it is of.
    pub about: String,
}

/// More rows than this are not read in one picture.
const ROWS: usize = 60;

/// A scale that is narrower than from 1 / this to this makes much of little.
const NARROWEST: f64 = 1.02;

/// A row before it is laid on the scale.
#[derive(Clone, Debug, Default, PartialEq)]
struct Plain {
    name: String,
    mechanism: Option<String>,
    ratio: Option<f64>,
    bounds: Option<(f64, f64)>,
    margin: Option<(f64, f64)>,
    verdict: Option<&'static str>,
    text: String,
}

impl Forest {
    /// The rows of these sections against the reference of each; none without a ratio.
    pub fn of_sections(sections: &[Section]) -> Option<Forest> {
        let groups: Vec<(String, Vec<Plain>)> = sections
            .iter()
            .filter_map(|section| {
                let rows: Vec<Plain> = section.rows().filter_map(plain).collect();
                let versus = section.versus.as_deref()?;
                // A row that is compared in another parent has no row to be compared with here.
                rows.iter().any(|row| row.ratio.is_some()).then_some(())?;
                let place = if section.shape == "empty" { "empty parent" } else { &section.shape };
                Some((format!("{place}, against {versus}"), rows))
            })
            .collect();
        let ratios = || {
            let of = |(heading, rows): &(String, Vec<Plain>)| {
                let place = heading.rsplit_once(", against ").map_or("", |(place, _)| place);
                // What makes no process is there for reference, and no finding.
                let is_process = |row: &&Plain| row.mechanism.as_deref() != Some("thread");
                let found = rows.iter().filter(|row| row.bounds.is_some()).filter(is_process);
                found.map(|row| (row.clone(), place.to_owned())).collect::<Vec<_>>()
            };
            groups.iter().flat_map(of)
        };
        let extreme = |sign: f64| {
            ratios().max_by(|(a, _), (b, _)| {
                let ratio = |row: &Plain| sign * row.ratio.unwrap_or(1.0).ln();
                ratio(a).total_cmp(&ratio(b))
            })
        };
        let references: Vec<&str> = groups
            .iter()
            .filter_map(|(heading, _)| Some(heading.rsplit_once(", against ")?.1))
            .collect();
        let versus = match references.split_first()? {
            (first, others) if others.iter().all(|other| other == first) => (*first).to_owned(),
            _ => "the reference of each".to_owned(),
        };
        let tell = |(row, place): &(Plain, String)| format!("{} in {place} {}", row.name, row.text);
        let (most, least) = (extreme(1.0), extreme(-1.0));
        let several = sections.len() > 1;
        let what =
            match sections.iter().find_map(|one| one.columns.iter().find(|c| c.main.is_some())) {
                Some(column) => column.about.to_owned(),
                None => "caller blocked, p50".to_owned(),
            };
        let title = match (&most, &least) {
            (Some(most), Some(least)) if most != least => {
                let (most, least) = (short(most, several), short(least, several));
                format!("Against {versus}: {most}, {least}")
            }
            (Some(one), _) => format!("Against {versus}: {}", short(one, several)),
            (None, _) => format!("How each compares with {versus}: no ratio has an interval yet"),
        };
        let told = [most, least].iter().flatten().map(tell).collect::<Vec<_>>();
        let told = if told.is_empty() { String::new() } else { format!("{}.", told.join("; ")) };
        Forest::laid(
            "forest",
            title,
            format!("Ratio of each to its reference ({what}), with its 95 % interval"),
            groups,
            told,
        )
    }

    /// The rows of a check, each with its margin and its verdict; none where there is no row.
    pub fn of_gate(gated: &Gated) -> Option<Forest> {
        let confidence = (gated.confidence * 100.0).round();
        let mut rows: Vec<&GateRow> = gated.rows.iter().collect();
        // Where there is no room for all, what is red is seen.
        if rows.len() > ROWS {
            rows.sort_by_key(|row| weight(row));
        }
        let mut groups = vec![(String::new(), rows.into_iter().map(judged).collect::<Vec<_>>())];
        let twins: Vec<Plain> =
            gated.twins.iter().filter(|one| one.ratio.is_some()).map(twin).collect();
        if !twins.is_empty() {
            groups.push(("A/A check: the base against its twin".to_owned(), twins));
        }
        let told: Vec<String> = gated
            .rows
            .iter()
            .take(8)
            .map(|row| format!("{}: {} {}", row.row, row.verdict, row.told_ratio()))
            .collect();
        Forest::laid(
            "forest-check",
            title_of(gated),
            format!(
                "Ratio of the candidate to its base with its {confidence} % interval; shaded: what \
                 the margin allows; a ratio above 1 is slower"
            ),
            groups,
            format!("{}.", told.join("; ")),
        )
    }

    /// Lays rows on a scale; none without a ratio.
    fn laid(
        stem: &str,
        title: String,
        mut subtitle: String,
        mut groups: Vec<(String, Vec<Plain>)>,
        told: String,
    ) -> Option<Forest> {
        let left = keep(&mut groups, ROWS);
        if left > 0 {
            subtitle += &format!("; {} left out", units::plural(left as u64, "row is", "rows are"));
        }
        let all = || groups.iter().flat_map(|(_, rows)| rows);
        all().any(|row| row.ratio.is_some() || row.verdict.is_some()).then_some(())?;
        let values = all().flat_map(|row| {
            let ends = [row.bounds, row.margin].into_iter().flatten();
            row.ratio.into_iter().chain(ends.flat_map(|(low, high)| [low, high]))
        });
        let scale = Ratios::of(values, NARROWEST);
        let entry = |row: Plain| {
            let both = |(low, high)| (scale.share(low), scale.share(high));
            Entry {
                about: match row.verdict {
                    Some(verdict) => format!("{}: {verdict}, {}", row.name, row.text),
                    None => format!("{}: {}", row.name, row.text),
                },
                value: row.ratio.map(|ratio| scale.share(ratio)),
                bounds: row.bounds.map(both),
                margin: row.margin.map(both),
                name: row.name,
                mechanism: row.mechanism,
                verdict: row.verdict,
                text: row.text,
            }
        };
        let lay = |(heading, rows): (String, Vec<Plain>)| {
            (heading, rows.into_iter().map(entry).collect())
        };
        Some(Forest {
            stem: stem.to_owned(),
            title,
            subtitle: format!("{subtitle}."),
            x_title: "ratio, log scale".to_owned(),
            x_ticks: scale.ticks(),
            one: scale.share(1.0),
            groups: groups.into_iter().map(lay).collect(),
            told,
        })
    }
}

/// `fork 252x`, and of several parents where.
fn short((row, place): &(Plain, String), several: bool) -> String {
    let place = if several { format!(" in {place}") } else { String::new() };
    let ratio = row.ratio.map(units::ratio).unwrap_or_default();
    format!("{}{place} {ratio}", row.name)
}

/// Leaves at most so many rows, from the first on, and says how many that drops.
fn keep(groups: &mut Vec<(String, Vec<Plain>)>, most: usize) -> usize {
    let (mut room, mut left) = (most, 0);
    for (_, rows) in groups.iter_mut() {
        let kept = rows.len().min(room);
        left += rows.len() - kept;
        rows.truncate(kept);
        room -= kept;
    }
    groups.retain(|(_, rows)| !rows.is_empty());
    left
}

/// A row of a run; none of one that has no part in comparisons.
fn plain(row: &Row) -> Option<Plain> {
    if row.kind == Kind::Control {
        return None;
    }
    let (ratio, bounds, text) = match row.versus {
        Versus::Itself => (Some(1.0), None, "1, the reference".to_owned()),
        Versus::Times { value, bounds } => {
            let interval = bounds.map_or_else(
                || ", too few blocks for an interval".to_owned(),
                |(low, high)| format!(" ({})", units::interval(value, low, high)),
            );
            (Some(value), bounds, format!("{}{interval}", units::ratio(value)))
        }
        Versus::NotShown(_) | Versus::Nothing => return None,
    };
    Some(Plain {
        name: row.name.clone(),
        mechanism: Some(row.mechanism.clone()),
        ratio: ratio.filter(|ratio| *ratio > 0.0 && ratio.is_finite()),
        bounds,
        text,
        ..Plain::default()
    })
}

fn judged(row: &GateRow) -> Plain {
    let margin = 1.0 + row.margin;
    let text = match (row.ratio, row.base_value.zip(row.cand_value)) {
        (Some(_), _) if row.told_interval().is_empty() => row.told_ratio(),
        (Some(_), _) => format!("{} ({})", row.told_ratio(), row.told_interval()),
        (None, Some(_)) => {
            format!("{} to {}", row.told(row.base_value), row.told(row.cand_value))
        }
        (None, None) => String::new(),
    };
    Plain {
        name: row.row.clone(),
        mechanism: None,
        ratio: row.ratio,
        bounds: row.ratio_lo.zip(row.ratio_hi),
        margin: Some((1.0 / margin, margin)),
        verdict: Some(row.verdict),
        text: if row.waived.is_some() { format!("waived; {text}") } else { text },
    }
}

fn twin(row: &GateRow) -> Plain {
    let judged = judged(row);
    Plain { verdict: None, name: format!("{} {}", row.name, row.quantity), ..judged }
}

/// What is worse comes first.
fn weight(row: &GateRow) -> usize {
    let order = [
        Verdict::Regressed,
        Verdict::NotComparable,
        Verdict::Inconclusive,
        Verdict::Improved,
        Verdict::Fine,
    ];
    order.iter().position(|verdict| row.is(*verdict)).unwrap_or(order.len())
}

/// What the check found: the worst row that got worse, or how many came to what.
fn title_of(gated: &Gated) -> String {
    if let Some(reason) = &gated.reason {
        return format!("Nothing is judged: {reason}");
    }
    let red = gated.rows.iter().filter(|row| row.is(Verdict::Regressed));
    let ratio = |row: &GateRow| row.ratio.unwrap_or(f64::INFINITY);
    let worst = red.max_by(|a, b| ratio(a).total_cmp(&ratio(b)));
    let rows = units::plural(gated.rows.len() as u64, "row", "rows");
    if let Some(worst) = worst {
        let plain = judged(worst);
        let of = if gated.counts.regressed == 1 { "it is" } else { "the worst is" };
        let (red, margin) = (gated.counts.regressed, worst.told_margin());
        return format!(
            "{red} of {rows} REGRESSED: {of} {}, {}, where the margin is {margin}",
            worst.row, plain.text
        );
    }
    let counts = &gated.counts;
    let told: Vec<String> = [
        (counts.ok, Verdict::Fine),
        (counts.improved, Verdict::Improved),
        (counts.inconclusive, Verdict::Inconclusive),
        (counts.not_comparable, Verdict::NotComparable),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, verdict)| format!("{count} {}", verdict.word()))
    .collect();
    format!("No row got worse than its margin allows: of {rows}, {}", told.join(", "))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::show::example::{self, FORK, NONE, POSIX_SPAWN, Spawn, VFORK};

    fn gate_row(row: &str, ratio: f64, verdict: Verdict) -> GateRow {
        GateRow {
            row: row.to_owned(),
            unit: "ns",
            ratio: Some(ratio),
            ratio_lo: Some(ratio - 0.007),
            ratio_hi: Some(ratio + 0.007),
            margin: 0.03,
            verdict: verdict.word(),
            ..GateRow::default()
        }
    }

    pub(in crate::show) fn gated() -> Gated {
        let mut gated = Gated {
            source: "20260723T101500Z-check".to_owned(),
            confidence: 0.98,
            rows: vec![
                gate_row("posix_spawn blocked.p50", 1.051, Verdict::Regressed),
                gate_row("posix_spawn reaped.p50", 1.004, Verdict::Fine),
                gate_row("posix_spawn blocked.p95", 1.03, Verdict::Inconclusive),
                GateRow {
                    row: "posix_spawn minor_faults.parent".to_owned(),
                    unit: "count",
                    base_value: Some(12.0),
                    cand_value: Some(12.0),
                    margin: 0.02,
                    verdict: Verdict::Fine.word(),
                    ..GateRow::default()
                },
            ],
            twins: vec![GateRow {
                name: "posix_spawn".to_owned(),
                quantity: "blocked.p50".to_owned(),
                ..gate_row("", 1.001, Verdict::Fine)
            }],
            ..Gated::default()
        };
        gated.conclude();
        gated
    }

    #[test]
    fn each_row_lies_where_its_ratio_is_and_the_reference_at_one() {
        let view = example::view(&example::first_screen());
        let forest = Forest::of_sections(&view.sections).unwrap();
        assert_eq!(forest.title, "Against posix_spawn: fork 250x, vfork 0.54x");
        let (heading, rows) = &forest.groups[0];
        assert_eq!(heading, "rss=1GiB, against posix_spawn");
        let names: Vec<&str> = rows.iter().map(|row| row.name.as_str()).collect();
        assert_eq!(names, ["vfork", "posix_spawn", "fork"], "the control is not compared");
        assert_eq!(rows[1].value, Some(forest.one));
        assert!(rows[0].value < Some(forest.one) && rows[2].value > Some(0.9));
        assert_eq!(rows[2].text, "250x (245-258)");
        let (low, high) = rows[2].bounds.unwrap();
        assert!(low < rows[2].value.unwrap() && rows[2].value.unwrap() < high);
    }

    #[test]
    fn without_a_ratio_there_is_no_picture() {
        let summary = example::summary(&[("rss=1GiB", &[NONE, FORK, VFORK])], "posix_spawn");
        assert_eq!(Forest::of_sections(&example::view(&summary).sections), None);
        assert_eq!(Forest::of_sections(&[]), None);
        assert_eq!(Forest::of_gate(&Gated::default()), None);
    }

    #[test]
    fn a_check_shows_margins_and_verdicts() {
        let forest = Forest::of_gate(&gated()).unwrap();
        assert_eq!(
            forest.title,
            "1 of 4 rows REGRESSED: it is posix_spawn blocked.p50, 1.051x (1.044 to 1.058), where \
             the margin is 3%"
        );
        let rows = &forest.groups[0].1;
        let (low, high) = rows[0].margin.unwrap();
        assert!(low < forest.one && forest.one < high && high < rows[0].value.unwrap());
        assert_eq!(rows[0].verdict, Some("REGRESSED"));
        assert_eq!((rows[3].value, rows[3].text.as_str()), (None, "12 to 12"));
        assert_eq!(forest.groups[1].1[0].name, "posix_spawn blocked.p50");

        let mut fine = gated();
        fine.rows.remove(0);
        fine.conclude();
        assert_eq!(
            Forest::of_gate(&fine).unwrap().title,
            "No row got worse than its margin allows: of 3 rows, 2 OK, 1 INCONCLUSIVE"
        );
        fine.refuse("the kernels differ");
        let title = Forest::of_gate(&fine).unwrap().title;
        assert_eq!(title, "Nothing is judged: the kernels differ");
    }

    #[test]
    fn of_very_many_rows_the_red_ones_are_shown_and_the_rest_is_told() {
        let mut all = gated();
        let fine = (0..99).map(|i| gate_row(&format!("row {i}"), 1.0, Verdict::Fine));
        all.rows = fine.chain([gate_row("red", 1.2, Verdict::Regressed)]).collect();
        all.twins.clear();
        all.conclude();
        let forest = Forest::of_gate(&all).unwrap();
        assert_eq!((forest.groups[0].1.len(), forest.groups[0].1[0].name.as_str()), (60, "red"));
        assert!(forest.subtitle.ends_with("; 40 rows are left out."), "{}", forest.subtitle);

        let shapes: Vec<String> = (0..200).map(|fds| format!("fds={fds}")).collect();
        let spawns: [Spawn; 2] = [VFORK, POSIX_SPAWN];
        let parents: Vec<(&str, &[_])> =
            shapes.iter().map(|shape| (shape.as_str(), spawns.as_slice())).collect();
        let view = example::view(&example::summary(&parents, "posix_spawn"));
        let forest = Forest::of_sections(&view.sections).unwrap();
        assert_eq!(forest.groups.len(), 30);
        assert!(forest.subtitle.contains("340 rows are left out"), "{}", forest.subtitle);
    }
}
