//! How long other threads stand still while one spawns: how often each length occurred, and by what
//! they do.

use super::{Ground, Told, Work, rows};
use crate::model::interval::Interval;
use crate::model::workload::Of;
use crate::show::distribution::Length;
use crate::show::histogram::{Counted, Histogram, Words};
use crate::show::plots::Topic;
use crate::show::units;
use crate::show::view::Section;

const BLOCKED: Of = Of::Quantity("blocked.p50");
const WORST: Of = Of::Quantity("bystander_ns.max");

/// The pictures: of each parent how often each length occurred, and of several their main figures.
pub(super) fn all(ground: Ground<'_>) -> Vec<Work> {
    let extra = rows::Extra {
        end: Some((WORST, "the longest operation in a launch, median of the launches")),
        note: Some((BLOCKED, "call")),
        has_control: true,
    };
    let mut works: Vec<Work> = Vec::new();
    if ground.sections.len() > 1 {
        works.extend(rows::of(ground, Topic::Stall, "stall", &extra));
    }
    let histograms = ground.sections.iter().filter_map(|section| histogram(ground, section));
    works.extend(histograms.map(Work::Histogram));
    works
}

fn histogram(ground: Ground<'_>, section: &Section) -> Option<Histogram> {
    let told = ground.rows(section);
    let all: Vec<Counted> = told.iter().filter_map(|one| counted(ground, one)).collect();
    let figures = told.iter().filter_map(|one| {
        let (value, _) = one.main()?;
        let worst = longest(ground, one)?;
        let (value, worst) = (units::duration(value), units::duration(worst));
        Some(format!("{}: stands still for {value}, longest operation {worst}", one.row.name))
    });
    let words = Words {
        stem: ground.stem("stall-histogram", section),
        title: title(ground, &told),
        subtitle: format!(
            "Operations of other threads by how long they took, for each spawn. Above: strokes for \
             the call (blocked.p50, dotted below), marks for the longest of all. {}.",
            section.caption
        ),
        x_title: "how long an operation of another thread took".to_owned(),
        y_title: "operations per spawn".to_owned(),
        told: figures.collect(),
    };
    Histogram::of(Topic::Stall, all, words)
}

fn counted(ground: Ground<'_>, one: &Told<'_>) -> Option<Counted> {
    let length = Length::Reading("bystander_ns".to_owned());
    let found = ground.distributions.histogram(one.row.variant, &length)?;
    let name = &one.row.name;
    let spawns = one.variant.interval(Interval::Blocked).map_or(one.variant.samples, |i| i.count);
    let worst = found.max() as f64;
    let call = one.figure(BLOCKED).filter(|_| !one.is_control()).map(|(value, _)| value);
    let blocked = call.map_or(String::new(), |call| format!("; call {}", units::duration(call)));
    Some(Counted {
        name: name.clone(),
        mechanism: one.row.mechanism.clone(),
        about: [
            format!("longest {}{blocked}", units::duration(worst)),
            format!(
                "{} operations, {}",
                units::short_count(found.len()),
                units::plural(spawns as u64, "spawn", "spawns")
            ),
        ],
        lengths: found
            .iter_recorded()
            .map(|step| (step.value_iterated_to() as f64, step.count_at_value()))
            .collect(),
        divided_by: spawns as f64,
        worst: format!(
            "{name}: the longest of {} operations took {}",
            units::count(found.len()),
            units::duration(worst)
        ),
        beside: call.map(|call| {
            (
                call,
                format!(
                    "{name}: half of the calls block their caller for {}",
                    units::duration(call)
                ),
            )
        }),
    })
}

/// The longest operation of all, in nanoseconds.
fn longest(ground: Ground<'_>, one: &Told<'_>) -> Option<f64> {
    let length = Length::Reading("bystander_ns".to_owned());
    Some(ground.distributions.histogram(one.row.variant, &length)?.max() as f64)
}

/// What stops another thread longest, and what shortest.
fn title(ground: Ground<'_>, told: &[Told<'_>]) -> String {
    let mut ranked: Vec<(&Told<'_>, f64)> = told
        .iter()
        .filter(|one| !one.is_control())
        .filter_map(|one| Some((one, one.main()?.0)))
        .collect();
    ranked.sort_by(|a, b| b.1.total_cmp(&a.1));
    let lasts = |(one, value): &(&Told<'_>, f64)| {
        let worst = longest(ground, one)
            .map_or(String::new(), |worst| format!(", at worst {}", units::duration(worst)));
        format!("{}{worst}", units::duration(*value))
    };
    match ranked.as_slice() {
        [] => "How long other threads stand still while one spawns".to_owned(),
        [only] => format!("{} stops another thread for {}", only.0.row.name, lasts(only)),
        [first, .., last] => format!(
            "{} stops another thread for {}; {} for {}",
            first.0.row.name,
            lasts(first),
            last.0.row.name,
            lasts(last)
        ),
    }
}
