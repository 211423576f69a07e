//! The main figure of every row of a workload, on one axis.

use super::{Ground, Told, Work};
use crate::analyse::columns::Unit;
use crate::model::workload::Of;
use crate::show::dots::{Asked, Dots, Figure, Group, Key, Plan, Scaled, Sign};
use crate::show::plots::Topic;
use crate::show::units;
use crate::show::view::{Cell, Section, Versus};

/// More rows than this are not drawn.
const MOST: usize = 60;

/// What is drawn or said beside the main figure.
#[derive(Clone, Copy, Default)]
pub(super) struct Extra {
    /// A column whose figure is drawn as a stroke, and what that is.
    pub(super) end: Option<(Of, &'static str)>,
    /// A column whose figure is said at the end of a row, and its name.
    pub(super) note: Option<(Of, &'static str)>,
    /// Whether the control is a row: where it does all but make a process.
    pub(super) has_control: bool,
}

/// The picture; none where no row has a figure.
pub(super) fn of(ground: Ground<'_>, topic: Topic, name: &str, extra: &Extra) -> Option<Work> {
    let heading = ground
        .sections
        .iter()
        .find_map(|section| section.columns.iter().find(|column| column.main.is_some()))?;
    // The control alone answers nothing.
    if ranked(ground).is_empty() {
        return None;
    }
    let (common, places) = ground.places();
    let mut room = MOST;
    let mut left_out = 0;
    let mut groups = Vec::new();
    for (section, place) in ground.sections.iter().zip(places) {
        let mut told = ground.rows(section);
        told.retain(|one| extra.has_control || !one.is_control());
        let shown = told.len().min(room);
        left_out += told.len() - shown;
        room -= shown;
        let told = &told[..shown];
        let asked = |told: &[Told<'_>]| -> Vec<Asked> {
            told.iter().map(|one| row(one, heading.unit, extra)).collect()
        };
        if ground.sections.len() > 1 {
            let title = place.unwrap_or_else(|| common.clone());
            groups.push(Group { title, note: String::new(), rows: asked(told) });
            continue;
        }
        for kind in told.chunk_by(|a, b| a.row.kind == b.row.kind) {
            let title = section.groups.iter().find(|group| group.kind == kind[0].row.kind);
            let title = title.map_or("", |group| group.title).to_owned();
            groups.push(Group { title, note: String::new(), rows: asked(kind) });
        }
    }
    groups.retain(|group| !group.rows.is_empty());
    let more = match left_out {
        0 => String::new(),
        more => format!(" {more} more rows are in the table."),
    };
    let versus = ground.sections.iter().find_map(|section| section.versus.as_ref());
    let compared = versus.map_or(String::new(), |name| format!(" Factors are against {name}."));
    let caption = match ground.sections {
        [section] => section.caption.clone(),
        _ if common.is_empty() => format!("{} parents", ground.sections.len()),
        _ => format!("{} parents, all with {common}", ground.sections.len()),
    };
    let key = |(_, about): (Of, &str)| Key {
        sign: Sign::End,
        mechanism: String::new(),
        name: about.to_owned(),
    };
    let told = figures(ground, heading.unit);
    let plan = Plan {
        stem: format!("{}{name}", ground.prefix),
        title: title(ground, heading.main.unwrap_or_default(), heading.unit),
        subtitle: format!(
            "{}, with its 95 % interval.{compared}{more} {caption}.",
            capital(heading.about)
        ),
        x_title: heading.about.to_owned(),
        keys: extra.end.map(key).into_iter().collect(),
        groups,
        told,
    };
    let dots: Dots = plan.laid(topic, Scaled::In(heading.unit))?;
    Some(Work::Dots(dots))
}

fn row(one: &Told<'_>, unit: Unit, extra: &Extra) -> Asked {
    let name = &one.row.name;
    let mut figures = Vec::new();
    if let Some((value, bounds)) = one.main() {
        let interval = bounds.map_or(String::new(), |(low, high)| {
            format!(" ({} to {})", units::figure(unit, low), units::figure(unit, high))
        });
        figures.push(Figure {
            sign: Sign::Own,
            mechanism: one.row.mechanism.clone(),
            lane: 0,
            value,
            bounds,
            text: format!("{name}: {}{interval}", units::figure(unit, value)),
        });
    }
    if let Some((of, about)) = extra.end
        && let Some((value, _)) = one.figure(of)
    {
        figures.push(Figure {
            sign: Sign::End,
            mechanism: one.row.mechanism.clone(),
            lane: 0,
            value,
            bounds: None,
            text: format!("{name}: {about} {}", units::figure(Unit::of(of), value)),
        });
    }
    let is_linked = figures.len() > 1;
    Asked { name: name.clone(), figures, note: note(one, unit, extra), is_linked }
}

/// The figure, how it compares, and what else is said; or why there is none.
fn note(one: &Told<'_>, unit: Unit, extra: &Extra) -> String {
    let row = one.row;
    let figure = match row.main {
        Cell::Known(value) => units::figure(unit, value),
        Cell::Void(word) => return word.to_owned(),
        Cell::Needs(samples) => return format!("needs {samples} samples"),
        Cell::Absent => return "not measured".to_owned(),
    };
    let times = match row.versus {
        Versus::Times { value, .. } => format!(", {}", units::ratio(value)),
        _ => String::new(),
    };
    let more = extra.note.and_then(|(of, name)| {
        let (value, _) = one.figure(of)?;
        Some(format!("; {name} {}", units::figure(Unit::of(of), value)))
    });
    format!("{figure}{times}{}", more.unwrap_or_default())
}

/// Every row that has a figure, the greatest first, with the place it is in if there are several.
fn ranked<'a>(ground: Ground<'a>) -> Vec<(String, &'a Section, f64)> {
    let (_, places) = ground.places();
    let mut all: Vec<(String, &Section, f64)> = Vec::new();
    for (section, place) in ground.sections.iter().zip(&places) {
        for one in ground.rows(section).iter().filter(|one| !one.is_control()) {
            let Some((value, _)) = one.main() else { continue };
            let name = match place {
                Some(place) if ground.sections.len() > 1 => format!("{} ({place})", one.row.name),
                _ => one.row.name.clone(),
            };
            all.push((name, section, value));
        }
    }
    all.sort_by(|a, b| b.2.total_cmp(&a.2));
    all
}

/// The greatest and the least: `thread dispatch=pool does 512,000/s, fork 8,120/s`.
fn title(ground: Ground<'_>, verb: &str, unit: Unit) -> String {
    let ranked = ranked(ground);
    match ranked.as_slice() {
        [] => "Nothing was measured".to_owned(),
        [(name, _, value)] => format!("{name} {verb} {}", units::figure(unit, *value)),
        [(most, _, high), .., (least, _, low)] => {
            let figure = |value: f64| units::figure(unit, value);
            format!("{most} {verb} {}, {least} {}", figure(*high), figure(*low))
        }
    }
}

/// The figures that a picture is told by to those who do not see it: a dozen at most.
fn figures(ground: Ground<'_>, unit: Unit) -> Vec<String> {
    let ranked = ranked(ground);
    let told = ranked.iter().take(12);
    told.map(|(name, _, value)| format!("{name} {}", units::figure(unit, *value))).collect()
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}
