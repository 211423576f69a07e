//! How results directories lie to each other: the geometric means with their ranks, and every
//! variant that a mean is made of.
//!
//! Reads the [view of a comparison](crate::show::comparison), whose ratios are to the first
//! directory. Judges nothing: a ratio between runs has no interval.

use crate::model::row::Role;
use crate::show::comparison::{MeanRecord, Record, View};
use crate::show::dots::{Asked, Dots, Figure, Group, Key, Plan, Scaled, Sign};
use crate::show::plots::Topic;
use crate::show::units;

/// More variants than this are not drawn.
const VARIANTS: usize = 40;

/// Of more directories than this only the means are drawn.
const DIRECTORIES: usize = 8;

/// A picture for each quantity that has a mean.
pub fn dots(view: &View) -> Vec<Dots> {
    let mut quantities: Vec<&str> = Vec::new();
    for mean in &view.means {
        if !quantities.contains(&&*mean.quantity) {
            quantities.push(&mean.quantity);
        }
    }
    quantities.into_iter().filter_map(|quantity| of(view, quantity)).collect()
}

/// What the means leave out, in words: each reason once, with the variants that it is about.
pub fn left_out(view: &View) -> Vec<String> {
    let mut reasons: Vec<(&str, Vec<&str>)> = Vec::new();
    for one in &view.left_out {
        match reasons.iter_mut().find(|(why, _)| *why == one.why) {
            Some((_, labels)) => labels.push(&one.label),
            None => reasons.push((&one.why, vec![&one.label])),
        }
    }
    reasons.into_iter().map(|(why, labels)| format!("{}: {why}", labels.join(", "))).collect()
}

fn of(view: &View, quantity: &str) -> Option<Dots> {
    let means: Vec<(&str, &MeanRecord)> = view
        .directories
        .iter()
        .filter_map(|directory| {
            let is_own = |mean: &&MeanRecord| {
                mean.quantity == quantity && mean.directory == directory.directory
            };
            Some((directory.letter.as_str(), view.means.iter().find(is_own)?))
        })
        .collect();
    let (_, first) = means.first()?;
    let variants = first.variants;
    let mean = |(letter, mean): &(&str, &MeanRecord)| Asked {
        name: format!("{letter}: {}", last_of(&mean.directory)),
        figures: vec![Figure {
            sign: Sign::Letter((*letter).to_owned()),
            mechanism: String::new(),
            lane: 0,
            value: mean.ratio,
            bounds: None,
            text: format!("{}: {}", mean.directory, units::ratio(mean.ratio)),
        }],
        note: format!("{}, rank {}", times(mean.ratio), mean.rank),
        is_linked: false,
    };
    let mut groups = vec![Group {
        title: format!(
            "geometric mean of the ratios of {} that all have",
            units::plural(variants as u64, "variant", "variants")
        ),
        note: String::new(),
        rows: means.iter().map(mean).collect(),
    }];
    let rows = variants_of(view, quantity);
    let all = rows.len();
    if view.directories.len() <= DIRECTORIES {
        let rows: Vec<Asked> = rows.into_iter().take(VARIANTS).collect();
        let title = "each variant, the most changed first".to_owned();
        groups.push(Group { title, note: String::new(), rows });
    }
    let drawn = groups.get(1).map_or(0, |group| group.rows.len());
    let more = match all - drawn {
        0 => String::new(),
        more => format!(" {more} more variants are in the table."),
    };
    let left = match view.left_out.len() {
        0 => String::new(),
        few => format!(" The mean leaves out {few}, which not all have or which are no subjects."),
    };
    let mut told: Vec<String> = means
        .iter()
        .map(|(letter, mean)| {
            format!("{letter} ({}): {}, rank {}", mean.directory, times(mean.ratio), mean.rank)
        })
        .collect();
    told.extend(left_out(view).into_iter().take(3).map(|why| format!("left out: {why}")));
    let plan = Plan {
        stem: format!("ranks-{}", quantity.replace('.', "-")),
        title: title(&means, quantity, variants),
        subtitle: format!(
            "How many times as long as in A. A ratio between runs has no interval.{more}{left}"
        ),
        x_title: format!("{quantity}, times that of A"),
        keys: Vec::<Key>::new(),
        told,
        groups,
    };
    plan.laid(Topic::Ranks, Scaled::Times)
}

/// A row for each variant that several directories have, a letter in a line of its own for each.
fn variants_of(view: &View, quantity: &str) -> Vec<Asked> {
    let letter = |record: &Record| {
        let own = view.directories.iter().find(|one| one.directory == record.directory);
        own.map_or(String::new(), |one| one.letter.clone())
    };
    let mut rows: Vec<(f64, Asked)> = Vec::new();
    // The records of one variant follow each other.
    let own: Vec<&Record> = view.records.iter().filter(|one| one.quantity == quantity).collect();
    let count = view.directories.len().max(1);
    for records in own.chunks(count) {
        // What every run carries beside what was asked for has no part in the mean.
        if records[0].role != Role::Subject {
            continue;
        }
        let known: Vec<(&Record, f64)> =
            records.iter().filter_map(|one| Some((*one, one.ratio?))).collect();
        // The first is 1 by itself.
        let others: Vec<&(&Record, f64)> = known
            .iter()
            .filter(|(one, _)| one.directory != view.directories[0].directory)
            .collect();
        if others.is_empty() {
            continue;
        }
        let figure = |(lane, (one, ratio)): (usize, &&(&Record, f64))| Figure {
            sign: Sign::Letter(letter(one)),
            mechanism: one.mechanism.clone(),
            lane,
            value: *ratio,
            bounds: None,
            text: format!(
                "{}, {}: {} ({})",
                one.label,
                one.directory,
                times(*ratio),
                one.value_ns.map(units::duration).unwrap_or_default()
            ),
        };
        let far = others.iter().map(|(_, ratio)| ratio.ln().abs()).fold(0.0, f64::max);
        let notes: Vec<String> = others.iter().map(|(_, ratio)| times(*ratio)).collect();
        rows.push((
            far,
            Asked {
                name: records[0].label.clone(),
                figures: others.iter().enumerate().map(figure).collect(),
                note: notes.join(", "),
                is_linked: false,
            },
        ));
    }
    rows.sort_by(|a, b| b.0.total_cmp(&a.0));
    rows.into_iter().map(|(_, row)| row).collect()
}

/// Who is shortest, who longest, and by how much.
fn title(means: &[(&str, &MeanRecord)], quantity: &str, variants: usize) -> String {
    let by = |pick: fn(f64, f64) -> bool| {
        means.iter().fold(None, |best: Option<&(&str, &MeanRecord)>, one| match best {
            Some(best) if !pick(one.1.ratio, best.1.ratio) => Some(best),
            _ => Some(one),
        })
    };
    let variants = units::plural(variants as u64, "variant", "variants");
    match (by(|a, b| a < b), by(|a, b| a > b)) {
        (Some((short, least)), Some((long, most))) if short != long => format!(
            "{quantity} is shortest in {short} and {} as long in {long}, by the geometric mean \
             over {variants}",
            times(most.ratio / least.ratio)
        ),
        _ => format!("{quantity} is the same in all, by the geometric mean over {variants}"),
    }
}

/// A ratio near 1 with the digits that tell it from 1.
fn times(ratio: f64) -> String {
    if (0.5..2.0).contains(&ratio) { format!("{ratio:.3}x") } else { units::ratio(ratio) }
}

/// The last part of the way to a directory: what tells it from others as a rule.
fn last_of(directory: &str) -> &str {
    directory.trim_end_matches('/').rsplit('/').next().unwrap_or(directory)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::show::comparison::{Directory, LeftOut};

    fn view(directories: usize) -> View {
        let name = |place: usize| format!("results/run-{place}");
        let directory = |place: usize| Directory {
            letter: crate::show::comparison::letter(place),
            directory: name(place),
            started: None,
            kernel: None,
            launches: 5,
            samples: 1000,
        };
        let mean = |place: usize| MeanRecord {
            quantity: "blocked.p50".to_owned(),
            variants: 2,
            directory: name(place),
            ratio: 1.0 + place as f64 / 10.0,
            rank: place + 1,
        };
        let record = |label: &str, role: Role, place: usize, ratio: Option<f64>| Record {
            scenario: "run".to_owned(),
            label: label.to_owned(),
            role,
            shape: "empty".to_owned(),
            mechanism: "fork".to_owned(),
            workload: "spawn".to_owned(),
            settings: String::new(),
            quantity: "blocked.p50".to_owned(),
            directory: name(place),
            launches: Some(5),
            value_ns: Some(50e3),
            low_ns: None,
            high_ns: None,
            ratio,
            rank: Some(1),
            why: String::new(),
        };
        let records = [("fork", Role::Subject, 1.05), ("vfork", Role::Subject, 1.4)]
            .into_iter()
            .chain([("none", Role::Control, 9.0)])
            .flat_map(|(label, role, ratio)| {
                (0..directories).map(move |place| {
                    record(label, role, place, Some(if place == 0 { 1.0 } else { ratio }))
                })
            });
        View {
            headline: String::new(),
            directories: (0..directories).map(directory).collect(),
            tables: Vec::new(),
            differences: Vec::new(),
            warnings: Vec::new(),
            left_out: ["a", "b"]
                .map(|label| LeftOut { label: label.to_owned(), why: "not in B".to_owned() })
                .into(),
            records: records.collect(),
            means: (0..directories).map(mean).collect(),
            shifts: Vec::new(),
        }
    }

    #[test]
    fn means_have_their_ranks_and_variants_a_letter_for_each_directory() {
        let [dots] = dots(&view(3)).try_into().unwrap();
        assert_eq!(
            dots.title,
            "blocked.p50 is shortest in A and 1.200x as long in C, by the geometric mean over 2 \
             variants"
        );
        let [means, variants] = &dots.groups[..] else { panic!("{:?}", dots.groups) };
        assert_eq!((&*means.rows[1].name, &*means.rows[1].note), ("B: run-1", "1.100x, rank 2"));
        // The most changed first, and the control has no part in it.
        let names: Vec<&str> = variants.rows.iter().map(|row| row.name.as_str()).collect();
        assert_eq!(names, ["vfork", "fork"]);
        let letters: Vec<&Sign> = variants.rows[0].dots.iter().map(|dot| &dot.sign).collect();
        assert_eq!(letters, [&Sign::Letter("B".to_owned()), &Sign::Letter("C".to_owned())]);
        assert!(dots.about().contains("left out: a, b: not in B"), "{}", dots.about());
        assert!(dots.line.is_some());
    }

    #[test]
    fn of_many_directories_only_the_means_are_drawn() {
        let [dots] = dots(&view(9)).try_into().unwrap();
        assert_eq!(dots.groups.len(), 1);
        assert!(dots.subtitle.contains("2 more variants are in the table"), "{}", dots.subtitle);
        assert!(super::dots(&View { means: Vec::new(), ..view(2) }).is_empty());
    }
}
