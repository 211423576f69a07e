//! What a pipeline costs: until its first byte against its stages, else its whole life in rows.

use super::{Ground, Work, rows, values};
use crate::analyse::columns::Unit;
use crate::model::quantity::Measure;
use crate::model::workload::Of;
use crate::show::lines::{self, Line, Plan, Point};
use crate::show::plots::Topic;
use crate::show::units;
use crate::show::view::Section;

const FIRST: Of = Of::Quantity("first_byte_ns.p50");
const GONE: Of = Of::Quantity("reaped.p50");
const BYTES: Of = Of::PerSecond("through_bytes.both@work", "through_ns.p50");

/// The pictures.
pub(super) fn all(ground: Ground<'_>) -> Vec<Work> {
    let mut works = Vec::new();
    let mut others: Vec<&Section> = Vec::new();
    for section in ground.sections {
        if values(&ground.rows(section), "stages") > 1 {
            works.extend(first_byte(ground, section));
        } else {
            others.push(section);
        }
    }
    let rest = Ground { sections: &others, ..ground };
    let extra = rows::Extra { note: Some((BYTES, "then")), ..rows::Extra::default() };
    works.extend(rows::of(rest, Topic::Pipeline, "pipeline", &extra));
    works
}

/// How long until the first byte; how long until all are gone is told by the law of the stages.
fn first_byte(ground: Ground<'_>, section: &Section) -> Option<Work> {
    let rows = ground.rows(section);
    let mut lines: Vec<Line> = Vec::new();
    // Until all are gone, where there are most stages.
    let mut gone: Vec<(String, f64, f64)> = Vec::new();
    for one in rows.iter().filter(|one| !one.is_control()) {
        let (Some((value, bounds)), Some(x)) = (one.figure(FIRST), one.number("stages")) else {
            continue;
        };
        let words = one.row.name.split(' ').filter(|word| !word.starts_with("stages="));
        let name = words.collect::<Vec<&str>>().join(" ");
        gone.extend(one.figure(GONE).map(|(gone, _)| (name.clone(), x, gone)));
        let text = format!("{name}, {x} stages: the first byte after {}", units::duration(value));
        let point = Point { x, label: x.to_string(), value, bounds, text };
        lines::add(&mut lines, name, &one.row.mechanism, point);
    }
    for line in &mut lines {
        line.points.sort_by(|a, b| a.x.total_cmp(&b.x));
        if let [first, .., last] = line.points.as_slice() {
            let at = |point: &Point| {
                format!("{} with {} stages", units::duration(point.value), point.label)
            };
            line.about = [at(first), at(last)];
        }
    }
    let end = |line: &Line| line.points.last().map_or(0.0, |point| point.value);
    lines.sort_by(|a, b| end(b).total_cmp(&end(a)));
    let told = lines.iter().map(|line| format!("{}: {}", line.name, line.about.join(", ")));
    let told = told.collect();
    let plan = Plan {
        stem: ground.stem("pipeline-first-byte", section),
        title: title(&lines, &gone),
        subtitle: format!(
            "From the start of a pipeline until its first byte arrives, medians with 95 % \
             intervals. {}.",
            section.caption
        ),
        x_title: "stages of the pipeline".to_owned(),
        y_title: "the first byte arrives, p50".to_owned(),
        unit: Unit::Of(Measure::Nanoseconds),
        lines,
        words: Vec::new(),
    };
    Some(Work::Chart { topic: Topic::Pipeline, chart: plan.laid()?, told })
}

/// The slowest and the fastest, where there are most stages.
fn title(lines: &[Line], gone: &[(String, f64, f64)]) -> String {
    let ([first, .., last], Some(most)) = (lines, lines.iter().find_map(|one| one.points.last()))
    else {
        return "How long until the first byte arrives, by the stages of a pipeline".to_owned();
    };
    let lasts = |line: &Line| units::duration(line.points.last().map_or(0.0, |point| point.value));
    let gone = |line: &Line| {
        let own = gone.iter().find(|(name, x, _)| *name == line.name && *x == most.x);
        own.map(|(.., gone)| units::duration(*gone))
    };
    let all = match (gone(first), gone(last)) {
        (Some(first), Some(last)) => format!("; all are gone after {first} and {last}"),
        _ => String::new(),
    };
    format!(
        "The first byte of {} stages arrives after {} with {} and {} with {}{all}",
        most.label,
        lasts(first),
        first.name,
        lasts(last),
        last.name
    )
}
