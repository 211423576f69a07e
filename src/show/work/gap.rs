//! What is added by what is done between birth and exec: a row for each action, a figure for each
//! mechanism.

use super::{Work, plain};
use crate::analyse::columns::Unit;
use crate::analyse::summary::Summary;
use crate::model::quantity::Measure;
use crate::show::dots::{Asked, Figure, Group, Key, Plan, Scaled, Sign};
use crate::show::plots::Topic;
use crate::show::support::{Added, INTERVALS, Support};
use crate::show::units;

/// The pictures: of each parent in which actions were done, and each interval to which they add.
pub(super) fn all(summary: &Summary) -> Vec<Work> {
    let tables = Support::all(summary);
    let mut works = Vec::new();
    for table in &tables {
        for interval in 0..INTERVALS.len() {
            works.extend(picture(table, interval, tables.len() > 1));
        }
    }
    works
}

fn picture(table: &Support, interval: usize, is_placed: bool) -> Option<Work> {
    let word = INTERVALS[interval].word();
    let mut all: Vec<(&str, &str, Added)> = Vec::new();
    let mut rows: Vec<Asked> = Vec::new();
    for (action, standings) in &table.rows {
        let mut figures = Vec::new();
        for (mechanism, standing) in table.mechanisms.iter().zip(standings) {
            let Some(added) = standing.as_ref().and_then(|one| one.added(interval)) else {
                continue;
            };
            all.push((action, mechanism, added));
            figures.push(Figure {
                sign: Sign::Own,
                mechanism: mechanism.clone(),
                lane: figures.len(),
                value: added.value,
                bounds: added.bounds,
                text: format!("{mechanism} {action}: {}", told(added)),
            });
        }
        if !figures.is_empty() {
            rows.push(Asked { name: action.clone(), figures, ..Asked::default() });
        }
    }
    let key = |mechanism: &String| Key {
        sign: Sign::Own,
        mechanism: mechanism.clone(),
        name: mechanism.clone(),
    };
    all.sort_by(|a, b| b.2.value.total_cmp(&a.2.value));
    let figures = all.iter().take(8).map(|(action, mechanism, added)| {
        format!("{action} by {mechanism} {}", self::told(*added))
    });
    let place = if is_placed { format!("-{}", plain(&table.place)) } else { String::new() };
    let within = match table.place.as_str() {
        "" => String::new(),
        place => format!(" With {place}."),
    };
    let plan = Plan {
        stem: format!("gap-{word}{place}"),
        title: title(&all, &table.mechanisms, word),
        subtitle: format!(
            "What an action between birth and exec adds to the time until {}, median with its \
             95 % interval, against the same mechanism without it.{within}",
            until(interval)
        ),
        x_title: format!("added to {word}"),
        keys: table.mechanisms.iter().map(key).collect(),
        groups: vec![Group { title: String::new(), note: String::new(), rows }],
        told: figures.collect(),
    };
    let unit = Scaled::In(Unit::Of(Measure::Nanoseconds));
    Some(Work::Dots(plan.laid(Topic::Gap, unit)?))
}

fn until(interval: usize) -> &'static str {
    match interval {
        0 => "the call returns",
        _ => "the child is reaped",
    }
}

/// `+1.20 us (0.90 us to 1.50 us)`.
pub(in crate::show) fn told(added: Added) -> String {
    let sign = if added.value >= 0.0 { "+" } else { "" };
    let bounds = added.bounds.map_or(String::new(), |(low, high)| {
        format!(" ({} to {})", units::duration(low), units::duration(high))
    });
    format!("{sign}{}{bounds}", units::duration(added.value))
}

/// What half of the actions add at most, by the mechanism where that is least and by that where it
/// is most; and what adds most of all. `all` has the largest first.
fn title(all: &[(&str, &str, Added)], mechanisms: &[String], word: &str) -> String {
    let Some((action, mechanism, most)) = all.first() else { return String::new() };
    let middle = |name: &String| -> Option<f64> {
        let own: Vec<f64> =
            all.iter().filter(|(_, one, _)| one == name).map(|(.., added)| added.value).collect();
        own.get(own.len() / 2).copied()
    };
    let mut middles: Vec<(f64, &str)> =
        mechanisms.iter().filter_map(|name| Some((middle(name)?, name.as_str()))).collect();
    middles.sort_by(|a, b| a.0.total_cmp(&b.0));
    let by = |(value, name): &(f64, &str)| format!("{} by {name}", units::duration(*value));
    let halves = match middles.as_slice() {
        [first, .., last] => format!("{} and {}", by(first), by(last)),
        few => few.iter().map(by).collect(),
    };
    format!(
        "Half of the actions add to {word} at most {halves}; {action} by {mechanism} adds most, {}",
        units::duration(most.value)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::show::support::Standing;

    fn done(value: f64) -> Option<Standing> {
        let added = Some(Added { value, bounds: Some((value - 500.0, value + 500.0)) });
        Some(Standing::Done { means: None, proved: Some(true), added: [added, None] })
    }

    #[test]
    fn an_action_has_a_row_and_each_mechanism_a_line_in_it() {
        let table = Support {
            place: String::new(),
            mechanisms: vec!["fork".to_owned(), "vfork".to_owned()],
            rows: vec![
                ("close-loop".to_owned(), vec![done(-200.0), done(61_000.0)]),
                ("umask".to_owned(), vec![done(100.0), Some(Standing::NotPermitted)]),
                ("cgroup".to_owned(), vec![None, Some(Standing::Failed)]),
            ],
        };
        let Some(Work::Dots(dots)) = picture(&table, 0, false) else { panic!() };
        assert_eq!(
            dots.title,
            "Half of the actions add to blocked at most -200 ns by fork and 61.0 us by vfork; \
             close-loop by vfork adds most, 61.0 us"
        );
        let rows = &dots.groups[0].rows;
        assert_eq!(rows.len(), 2, "nothing was added by what was not done");
        let lanes: Vec<usize> = rows[0].dots.iter().map(|dot| dot.lane).collect();
        assert_eq!(lanes, [0, 1]);
        // Less than nothing lies on the left of nothing.
        assert!(rows[0].dots[0].x < dots.line.unwrap() && rows[0].dots[1].x > 0.9);
        assert!(picture(&table, 1, false).is_none());
    }
}
