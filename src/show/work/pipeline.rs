//! What a pipeline costs: until its first byte against its stages, else its whole life in rows.

use super::{Ground, Work, rows, values};
use crate::analyse::columns::Unit;
use crate::model::quantity::Measure;
use crate::model::workload::Of;
use crate::show::lines::{Line, Plan, Point};
use crate::show::plots::Topic;
use crate::show::units;
use crate::show::view::Section;

/// Where the two lengths of a pipeline come from, and what they are.
const LENGTHS: [(&str, Of, &str); 2] = [
    ("first-byte", Of::Quantity("first_byte_ns.p50"), "the first byte arrives after"),
    ("all-gone", Of::Quantity("reaped.p50"), "all stages are gone after"),
];

const BYTES: Of = Of::PerSecond("through_bytes.both@work", "through_ns.p50");

/// The pictures.
pub(super) fn all(ground: Ground<'_>) -> Vec<Work> {
    let mut works = Vec::new();
    let mut others: Vec<&Section> = Vec::new();
    for section in ground.sections {
        if values(&ground.rows(section), "stages") > 1 {
            works.extend(LENGTHS.iter().filter_map(|length| along(ground, section, length)));
        } else {
            others.push(section);
        }
    }
    let rest = Ground { sections: &others, ..ground };
    let extra = rows::Extra { note: Some((BYTES, "then")), ..rows::Extra::default() };
    works.extend(rows::of(rest, Topic::Pipeline, "pipeline", &extra));
    works
}

fn along(
    ground: Ground<'_>,
    section: &Section,
    (stem, of, about): &(&str, Of, &str),
) -> Option<Work> {
    let rows = ground.rows(section);
    let mut lines: Vec<Line> = Vec::new();
    for one in rows.iter().filter(|one| !one.is_control()) {
        let (Some((value, bounds)), Some(x)) = (one.figure(*of), one.number("stages")) else {
            continue;
        };
        let words = one.row.name.split(' ').filter(|word| !word.starts_with("stages="));
        let name = words.collect::<Vec<&str>>().join(" ");
        let text = format!("{name}, {x} stages: {about} {}", units::duration(value));
        let point = Point { x, label: x.to_string(), value, bounds, text };
        match lines.iter_mut().find(|line| line.name == name) {
            Some(line) => line.points.push(point),
            None => lines.push(Line {
                name,
                mechanism: one.row.mechanism.clone(),
                about: Default::default(),
                points: vec![point],
            }),
        }
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
    let title = match lines.as_slice() {
        [first, .., last] => format!(
            "Of {} stages {about} {} with {}, {} with {}",
            first.points.last()?.label,
            units::duration(end(first)),
            first.name,
            units::duration(end(last)),
            last.name
        ),
        _ => format!("How long until {about}, by the stages of a pipeline"),
    };
    let told = lines.iter().map(|line| format!("{}: {}", line.name, line.about.join(", ")));
    let told = told.collect();
    let plan = Plan {
        stem: ground.stem(&format!("pipeline-{stem}"), section),
        title,
        subtitle: format!(
            "From the start of a pipeline until {}, medians with 95 % intervals. {}.",
            about.trim_end_matches(" after"),
            section.caption
        ),
        x_title: "stages of the pipeline".to_owned(),
        y_title: format!("{about}, p50").replacen(" after", "", 1),
        unit: Unit::Of(Measure::Nanoseconds),
        lines,
        words: Vec::new(),
    };
    Some(Work::Chart { topic: Topic::Pipeline, chart: plan.laid()?, told })
}
