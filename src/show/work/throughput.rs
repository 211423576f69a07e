//! How many jobs a second: by the way in which they are done, by how many spawn at once, and how
//! long each takes that arrives when it will.

use super::{Ground, Told, Work, rows, values};
use crate::analyse::columns::Unit;
use crate::model::quantity::Measure;
use crate::model::workload::Of;
use crate::show::lines::{self, Line, Plan, Point, Said};
use crate::show::plots::Topic;
use crate::show::units;
use crate::show::view::{Cell, Section, Versus};

const RATE: Of = Of::PerSecond("jobs.parent@work", "batch_ns.p50");

/// The responses that are drawn: their names and where they come from.
const RESPONSES: [(&str, Of); 3] = [
    ("p50", Of::Quantity("response_ns.p50")),
    ("p99", Of::Quantity("response_ns.p99")),
    ("p99.9", Of::Quantity("response_ns.p99.9")),
];

/// The pictures: responses against the load where that was varied, jobs against spawners where
/// these were, else the rates in rows.
pub(super) fn all(ground: Ground<'_>) -> Vec<Work> {
    let mut works = Vec::new();
    let mut others: Vec<&Section> = Vec::new();
    for section in ground.sections {
        let told = ground.rows(section);
        let found = if values(&told, "load") > 1 {
            open_loop(ground, section)
        } else if values(&told, "spawners") > 1 {
            spawners(ground, section)
        } else {
            None
        };
        match found {
            Some(work) => works.push(work),
            None => others.push(section),
        }
    }
    let rest = Ground { sections: &others, ..ground };
    works.extend(rows::of(rest, Topic::Throughput, "throughput", &rows::Extra::default()));
    works
}

/// What a load is a number of, and which: a share of the capacity in percent, or jobs a second.
fn load(one: &Told<'_>) -> Option<(bool, f64)> {
    let text = one.knob("load");
    let number = |text: &str| text.parse::<f64>().ok();
    match (text.strip_suffix('%'), text.strip_suffix("/s")) {
        (Some(share), _) => Some((true, number(share)?)),
        (_, Some(rate)) => Some((false, number(rate)?)),
        _ => None,
    }
}

/// The name of a row without one of its settings.
fn without(name: &str, knob: &str) -> String {
    let words = name
        .split(' ')
        .filter(|word| word.strip_prefix(knob).is_none_or(|rest| !rest.starts_with('=')));
    words.collect::<Vec<&str>>().join(" ")
}

fn open_loop(ground: Ground<'_>, section: &Section) -> Option<Work> {
    let rows = ground.rows(section);
    let told: Vec<(&Told<'_>, f64)> = rows
        .iter()
        .filter(|one| !one.is_control())
        .filter_map(|one| Some((one, load(one)?)))
        .filter(|(_, (is_share, _))| Some(*is_share) == rows.iter().find_map(load).map(|l| l.0))
        .map(|(one, (_, x))| (one, x))
        .collect();
    let is_share = rows.iter().find_map(load)?.0;
    let at = |x: f64| if is_share { format!("{x} %") } else { format!("{x}/s") };
    let mut lines: Vec<Line> = Vec::new();
    for (percentile, of) in RESPONSES {
        for (one, x) in &told {
            let Some((value, bounds)) = one.figure(of) else { continue };
            let base = without(&one.row.name, "load");
            let name = format!("{base} {percentile}");
            let text = format!("{name}, load {}: {}", at(*x), units::duration(value));
            let point = Point { x: *x, label: at(*x), value, bounds, text };
            lines::add(&mut lines, name, &one.row.mechanism, point);
        }
    }
    for line in &mut lines {
        line.points.sort_by(|a, b| a.x.total_cmp(&b.x));
        if let (Some(first), Some(last)) = (line.points.first(), line.points.last()) {
            let (from, to) = (units::duration(first.value), units::duration(last.value));
            line.about = [format!("{from} at {}", first.label), format!("{to} at {}", last.label)];
        }
    }
    // Each mechanism by itself, the median first: the order of the keys.
    lines.sort_by_key(|line| {
        let base = line.name.rsplit_once(' ').map_or("", |(base, _)| base);
        told.iter().position(|(one, _)| without(&one.row.name, "load") == base)
    });
    let mut words: Vec<Said> = Vec::new();
    for (one, x) in &told {
        let response = ground_cell(section, one, RESPONSES[0].1);
        let Some(Cell::Void(word)) = response else { continue };
        let base = without(&one.row.name, "load");
        match words.iter_mut().find(|one| one.x == *x) {
            Some(one) => one.text = format!("{base}, {}", one.text),
            None => {
                let why = "the backlog grows as long as jobs arrive, so that no percentile has a \
                           sense";
                words.push(Said {
                    x: *x,
                    label: at(*x),
                    word: word.to_owned(),
                    text: format!("{base}: {word} at {}: {why}", at(*x)),
                });
            }
        }
    }
    let mut figures: Vec<String> =
        lines.iter().map(|line| format!("{}: {}", line.name, line.about.join(", "))).collect();
    figures.extend(words.iter().map(|one| one.text.clone()));
    let plan = Plan {
        stem: ground.stem("open-loop", section),
        title: open_title(&told, &words, is_share),
        subtitle: format!(
            "Responses of jobs that arrive at fixed instants, counted from the instant at which \
             each was to begin, with 95 % intervals. {}.",
            section.caption
        ),
        x_title: match is_share {
            true => "load: jobs that arrive, in percent of the capacity".to_owned(),
            false => "load: jobs that arrive in a second".to_owned(),
        },
        y_title: "response".to_owned(),
        unit: Unit::Of(Measure::Nanoseconds),
        lines,
        words,
    };
    Some(Work::Chart { topic: Topic::Throughput, chart: plan.laid()?, told: figures })
}

/// What stands in the column of a row that comes from there.
fn ground_cell(section: &Section, one: &Told<'_>, of: Of) -> Option<Cell> {
    let columns = crate::model::workload::find(&section.workload)?.columns;
    let place = columns.iter().position(|column| column.of == of)?;
    one.row.entries.get(place).copied()
}

/// The median and the 99th percentile where the load is least and where it is most and still has
/// its sense.
fn open_title(told: &[(&Told<'_>, f64)], words: &[Said], is_share: bool) -> String {
    let subject = told
        .iter()
        .find(|(one, _)| one.row.versus == Versus::Itself)
        .or(told.first())
        .map(|(one, _)| without(&one.row.name, "load"));
    let Some(subject) = subject else { return "How long jobs take that arrive".to_owned() };
    let mut own: Vec<(f64, f64, Option<f64>)> = told
        .iter()
        .filter(|(one, _)| without(&one.row.name, "load") == subject)
        .filter_map(|(one, x)| {
            let p99 = one.figure(RESPONSES[1].1).map(|(value, _)| value);
            Some((*x, one.figure(RESPONSES[0].1)?.0, p99))
        })
        .collect();
    own.sort_by(|a, b| a.0.total_cmp(&b.0));
    let unit = if is_share { " % of the capacity" } else { " jobs a second" };
    let at = |x: f64, unit: &str| format!("at {x}{unit}");
    let lasts = |(_, p50, p99): &(f64, f64, Option<f64>)| match p99 {
        Some(p99) => format!("{} (p99 {})", units::duration(*p50), units::duration(*p99)),
        None => units::duration(*p50),
    };
    let saturated = words.first().map(|one| format!("; {} at {}", one.word, one.label));
    let saturated = saturated.unwrap_or_default();
    match own.as_slice() {
        [] => format!("{subject} answers no load in a time that has a sense{saturated}"),
        [only] => {
            format!("{subject} answers within {} {}{saturated}", lasts(only), at(only.0, unit))
        }
        [first, .., last] => format!(
            "{subject} answers half of the jobs within {} {} and {} at {}{}{saturated}",
            lasts(first),
            at(first.0, unit),
            lasts(last),
            last.0,
            if is_share { " %" } else { "" },
        ),
    }
}

fn spawners(ground: Ground<'_>, section: &Section) -> Option<Work> {
    let rows = ground.rows(section);
    let unit = Unit::PerSecond(Measure::Things);
    let mut lines: Vec<Line> = Vec::new();
    for one in rows.iter().filter(|one| !one.is_control()) {
        let (Some((value, bounds)), Some(x)) = (one.figure(RATE), one.number("spawners")) else {
            continue;
        };
        let name = format!("{}, {}", one.row.mechanism, one.knob("spawner-kind"));
        let text = format!("{name}, {x} at once: {}", units::figure(unit, value));
        let point = Point { x, label: x.to_string(), value, bounds, text };
        lines::add(&mut lines, name, &one.row.mechanism, point);
    }
    // Of each series, which spawners against which, and how many times as many jobs.
    let mut gains: Vec<(String, f64)> = Vec::new();
    for line in &mut lines {
        line.points.sort_by(|a, b| a.x.total_cmp(&b.x));
        if let [first, .., last] = line.points.as_slice()
            && first.value > 0.0
        {
            let gain = last.value / first.value;
            line.about = [
                format!("{} with {}", units::figure(unit, first.value), first.label),
                format!("{} with {}", units::figure(unit, last.value), last.label),
            ];
            let what = format!("{}, {} against {}", line.name, last.label, first.label);
            gains.push((what, gain));
        }
    }
    gains.sort_by(|a, b| b.1.total_cmp(&a.1));
    let title = match gains.as_slice() {
        [] => "Jobs a second against how many spawn at once".to_owned(),
        [(what, gain)] => format!("{} the jobs: {what}", units::ratio(*gain)),
        [(most, high), .., (least, low)] => format!(
            "Of several that spawn at once, the most do {} the jobs ({most}), the fewest {} ({least})",
            units::ratio(*high),
            units::ratio(*low)
        ),
    };
    let told = lines.iter().map(|line| format!("{}: {}", line.name, line.about.join(", ")));
    let plan = Plan {
        stem: ground.stem("spawners", section),
        title,
        subtitle: format!(
            "Jobs a second against how many spawn at once, as threads of one parent or as \
             processes, with 95 % intervals. {}.",
            section.caption
        ),
        x_title: "spawners: how many spawn at once".to_owned(),
        y_title: "jobs a second".to_owned(),
        unit,
        words: Vec::new(),
        lines: lines.clone(),
    };
    Some(Work::Chart { topic: Topic::Throughput, chart: plan.laid()?, told: told.collect() })
}
