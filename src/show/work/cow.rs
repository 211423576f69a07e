//! What writing memory costs after a fork: over the share of the pages written, and by what they
//! are and in which order.

use super::{Ground, Told, Work, rows, values};
use crate::analyse::columns::Unit;
use crate::model::quantity::Measure;
use crate::model::workload::Of;
use crate::show::lines::{self, Line, Plan, Point};
use crate::show::plots::Topic;
use crate::show::units;
use crate::show::view::Section;

const WRITING: Of = Of::Quantity("rewrite.p50");
const PER_PAGE: Of = Of::Each("rewrite.p50", "pages.parent@work");

/// Fewer shares than this are no axis.
const LEAST: usize = 3;

/// The pictures: over the share of the pages where that was varied, else in rows.
pub(super) fn all(ground: Ground<'_>) -> Vec<Work> {
    let (along, others): (Vec<&Section>, Vec<&Section>) = ground
        .sections
        .iter()
        .copied()
        .partition(|section| values(&ground.rows(section), "written") >= LEAST);
    let mut works: Vec<Work> =
        along.into_iter().filter_map(|section| over_share(ground, section)).collect();
    let rest = Ground { sections: &others, ..ground };
    let extra = rows::Extra { has_control: true, ..rows::Extra::default() };
    works.extend(rows::of(rest, Topic::Cow, "cow", &extra));
    works
}

fn over_share(ground: Ground<'_>, section: &Section) -> Option<Work> {
    let told = ground.rows(section);
    let mut lines: Vec<Line> = Vec::new();
    for one in &told {
        let (Some(point), name) = (point(one), name(one)) else { continue };
        lines::add(&mut lines, name, &one.row.mechanism, point);
    }
    for line in &mut lines {
        line.points.sort_by(|a, b| a.x.total_cmp(&b.x));
        // The cost of a page, where most of them were written.
        if let Some(last) = line.points.last() {
            let own =
                |one: &&Told<'_>| name(one) == line.name && one.number("written") == Some(last.x);
            let each = told.iter().find(own).and_then(|one| one.figure(PER_PAGE));
            if let Some((each, _)) = each {
                line.about[0] = format!("{} a page", units::duration(each));
            }
        }
    }
    lines.sort_by(|a, b| highest(b).total_cmp(&highest(a)));
    let told_figures = lines.iter().map(|line| format!("{}: {}", line.name, line.about[0]));
    let told_figures = told_figures.collect();
    let plan = Plan {
        stem: ground.stem("cow-written", section),
        title: title(&told),
        subtitle: format!(
            "How long the parent takes to write a share of its pages, median with its 95 % interval. {}.",
            section.caption
        ),
        x_title: "share of the pages written".to_owned(),
        y_title: "the writing takes, p50".to_owned(),
        unit: Unit::Of(Measure::Nanoseconds),
        lines,
        words: Vec::new(),
    };
    Some(Work::Chart { topic: Topic::Cow, chart: plan.laid()?, told: told_figures })
}

fn point(one: &Told<'_>) -> Option<Point> {
    let (value, bounds) = one.figure(WRITING)?;
    let x = one.number("written")?;
    let each = one
        .figure(PER_PAGE)
        .map_or(String::new(), |(each, _)| format!(", {} a page", units::duration(each)));
    let share = share(x);
    let text = format!("{}, {share} of the pages: {}{each}", name(one), units::duration(value));
    Some(Point { x, label: share, value, bounds, text })
}

fn share(percent: f64) -> String {
    format!("{} %", (percent * 1e3).round() / 1e3)
}

fn highest(line: &Line) -> f64 {
    line.points.iter().map(|point| point.value).fold(0.0, f64::max)
}

/// Who writes what, and whether it is still shared: `fork, child alive`.
fn name(one: &Told<'_>) -> String {
    let mut name = match one.row.mechanism.as_str() {
        "none" => "none, never forked".to_owned(),
        mechanism => format!("{mechanism}, child {}", one.knob("child")),
    };
    if one.knob("writer") == "child" {
        name += ", it writes";
    }
    if one.knob("write-order") == "random" {
        name += ", random";
    }
    name
}

/// What a page costs in each case, where most of them were written.
fn title(told: &[Told<'_>]) -> String {
    let each = |is: &dyn Fn(&Told<'_>) -> bool| -> Option<f64> {
        let own = told.iter().filter(|one| is(one) && one.knob("writer") == "parent");
        let most = own.max_by(|a, b| {
            let share = |one: &Told<'_>| one.number("written").unwrap_or(0.0);
            share(a).total_cmp(&share(b))
        });
        Some(most?.figure(PER_PAGE)?.0)
    };
    let of_child = |state: &'static str| {
        move |one: &Told<'_>| one.row.mechanism == "fork" && one.knob("child") == state
    };
    let cases = [
        ("while the child of a fork lives", each(&of_child("alive"))),
        ("after it has gone", each(&of_child("gone"))),
        ("without a fork", each(&|one| one.row.mechanism == "none")),
    ];
    let told: Vec<String> = cases
        .into_iter()
        .filter_map(|(case, each)| Some(format!("{} {case}", units::duration(each?))))
        .collect();
    match told.as_slice() {
        [] => "What writing memory costs, by the share of the pages written".to_owned(),
        cases => format!("Writing a page takes {}", cases.join(", ")),
    }
}
