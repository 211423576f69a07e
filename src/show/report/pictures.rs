//! Where pictures stand on a page: each under the question that it answers, and no more of them than
//! a page can hold.

use std::collections::BTreeSet;

use crate::show::chart::Chart;
use crate::show::document::{Block, Figure, Part};
use crate::show::plots::{self, Picture, Topic};
use crate::show::units;

use super::{Report, Run};

/// The bytes of all pictures of a page: with more it would be slow to open. What answers most comes
/// first.
const MOST: usize = 1_300_000;

/// The questions that pictures answer, in the order in which they are asked: what links lead to,
/// and whether pictures of it are evidence that a reader opens when wanted. Topics that are not here
/// come after them.
type Question = (fn(Topic) -> bool, &'static str, &'static str, bool);

const QUESTIONS: [Question; 16] = [
    (|topic| topic == Topic::Law, "question-1", "How does it grow?", false),
    (|topic| topic == Topic::Heat, "question-heat", "What does each cost in each parent?", false),
    (
        |topic| topic == Topic::Forest,
        "question-ratios",
        "How many times as long does each take?",
        false,
    ),
    (
        |topic| topic == Topic::Shift,
        "question-shift",
        "Which spawns differ, all or the slow ones?",
        false,
    ),
    (|topic| topic == Topic::Lanes, "question-2", "Where does the time of a spawn go?", false),
    (|topic| topic == Topic::Hazards, "question-3", "How often does a child hang?", false),
    (|topic| topic == Topic::Cow, "question-cow", "What does writing memory cost then?", false),
    (
        |topic| topic == Topic::Stall,
        "question-stall",
        "How long do other threads stand still?",
        false,
    ),
    (
        |topic| topic == Topic::Gap,
        "question-gap",
        "What does each action between birth and exec add?",
        false,
    ),
    (
        |topic| topic == Topic::Throughput,
        "question-throughput",
        "How many jobs a second, and how long does each take?",
        false,
    ),
    (
        |topic| topic == Topic::Pipeline,
        "question-pipeline",
        "When does a pipeline begin to deliver?",
        false,
    ),
    (|topic| topic == Topic::Work, "question-work", "What does each way cost?", false),
    (|topic| topic == Topic::Published, "question-published", "Is it what was published?", false),
    (|topic| topic == Topic::Latency, "question-4", "How long does it take at the worst?", true),
    (
        |topic| matches!(topic, Topic::Distribution(_)),
        "question-5",
        "How are the times distributed?",
        true,
    ),
    (|topic| topic == Topic::Series, "question-steady", "Was it steady all the time?", true),
];

/// What stands above pictures of which no question is known.
const OTHERS: &str = "More pictures";

/// Which topics show the answer of a run, the plainest first; without one of them it is the first
/// picture that there is.
const ANSWERS: [Topic; 9] = [
    Topic::Cow,
    Topic::Stall,
    Topic::Gap,
    Topic::Throughput,
    Topic::Pipeline,
    Topic::Law,
    Topic::Lanes,
    Topic::Latency,
    Topic::Hazards,
];

/// The pictures of a page.
pub(super) struct Gallery {
    /// Which of each run have room on the page, by the index of the run and of the picture.
    kept: BTreeSet<(usize, usize)>,
    /// Which of each run shows its answer.
    answers: Vec<Option<usize>>,
    /// What the names of the files of each run begin with.
    prefixes: Vec<String>,
}

impl Gallery {
    /// Chooses among the pictures of all runs.
    pub(super) fn of(report: &Report) -> Gallery {
        let answers: Vec<Option<usize>> = report.runs.iter().map(answer).collect();
        let mut order: Vec<(usize, usize, usize)> = Vec::new();
        for (run, of_run) in report.runs.iter().enumerate() {
            for (place, picture) in of_run.pictures.iter().enumerate() {
                let is_answer = answers[run] == Some(place);
                let rank = if is_answer { 0 } else { 1 + rank(picture.topic) };
                order.push((rank, run, place));
            }
        }
        order.sort_unstable();
        let mut room = MOST;
        let mut kept = BTreeSet::new();
        for (rank, run, place) in order {
            let size = report.runs[run].pictures[place].svg.len();
            // The answer is shown in any case.
            if size <= room || rank == 0 && run == 0 {
                kept.insert((run, place));
                room = room.saturating_sub(size);
            }
        }
        Gallery { kept, answers, prefixes: prefixes(&report.runs) }
    }

    /// The picture that shows the answer of a run.
    pub(super) fn answer(&self, run: &Run, index: usize) -> Option<Figure> {
        let place = self.answers[index].filter(|place| self.kept.contains(&(index, *place)))?;
        Some(self.figure(run, index, &run.pictures[place]))
    }

    /// A picture on the page.
    pub(super) fn figure(&self, run: &Run, index: usize, picture: &Picture) -> Figure {
        Figure {
            name: format!("{}{}", self.prefixes[index], file_name(&picture.name)),
            title: picture.title.clone(),
            alt: picture.alt.clone(),
            caption: format!("{}. {}: {}", picture.title, run.path, command(run, picture)),
            svg: picture.svg.clone(),
        }
    }

    /// A part for each question of which there is a picture among these, that of the answer left
    /// out, which stands at the top.
    pub(super) fn parts(
        &self,
        run: &Run,
        index: usize,
        is_of: &dyn Fn(&Picture) -> bool,
        id: &str,
    ) -> Vec<Part> {
        let own: Vec<(usize, &Picture)> =
            run.pictures.iter().enumerate().filter(|(_, picture)| is_of(picture)).collect();
        let of = |asks: &dyn Fn(Topic) -> bool| -> (Vec<Block>, Vec<&str>) {
            let (mut blocks, mut without) = (Vec::new(), Vec::new());
            for (place, picture) in own.iter().filter(|(_, picture)| asks(picture.topic)) {
                if self.answers[index] == Some(*place) {
                    continue;
                }
                match self.kept.contains(&(index, *place)) {
                    true => blocks.push(Block::Figure(self.figure(run, index, picture))),
                    false => without.push(picture.name.as_str()),
                }
            }
            (blocks, without)
        };
        let mut parts = Vec::new();
        let mut add =
            |word: String, title: &str, is_folded: bool, found: (Vec<Block>, Vec<&str>)| {
                let (mut blocks, without) = found;
                blocks.extend(left_out(run, &without));
                if !blocks.is_empty() {
                    let part = Part::new(format!("{id}{word}"), title, blocks);
                    parts.push(Part { is_folded, ..part });
                }
            };
        for (asks, word, title, is_folded) in &QUESTIONS {
            add((*word).to_owned(), title, *is_folded, of(asks));
        }
        let is_other = |topic: Topic| QUESTIONS.iter().all(|(asks, ..)| !asks(topic));
        add("pictures".to_owned(), OTHERS, false, of(&is_other));
        parts
    }
}

/// That some pictures have no room, and how to see them.
fn left_out(run: &Run, names: &[&str]) -> Option<Block> {
    let first = names.first()?;
    let pictures = units::plural(names.len() as u64, "more picture has", "more pictures have");
    Some(Block::Text(format!(
        "{pictures} no room on this page; forkbench report {} --pictures names all, and forkbench \
         show {} --picture {first} -o {first} draws one.",
        super::reproduce::quoted(&run.path),
        super::reproduce::quoted(&run.path),
    )))
}

/// The command that draws a picture by itself.
pub(super) fn command(run: &Run, picture: &Picture) -> String {
    let name = super::reproduce::quoted(&picture.name);
    format!("{} --picture {name} -o {name}", super::reproduce::shown(run))
}

/// The picture that shows the answer of a run, by its place among them.
pub(super) fn answer(run: &Run) -> Option<usize> {
    let of = |topic: &Topic| run.pictures.iter().position(|picture| picture.topic == *topic);
    // Of several parents, the lanes are those of the one where the answer is plainest.
    let featured = || {
        let places = plots::places(&run.view.sections);
        let name = format!("lanes{}.svg", places.get(run.view.featured)?);
        run.pictures.iter().position(|picture| picture.name == name)
    };
    // Two points make a line and no law.
    let law = || {
        let is_worth = |chart: &Chart| chart.series.iter().any(|one| one.points.len() > 2);
        let mut charts = run.view.charts.iter().filter(|chart| is_worth(chart));
        charts.find_map(|chart| {
            let name = format!("{}.svg", chart.stem);
            run.pictures.iter().position(|one| one.topic == Topic::Law && one.name == name)
        })
    };
    // Of a check, the answer is its verdict.
    let verdict = || {
        let is_it = |one: &Picture| one.name == "forest-check.svg";
        run.gated.as_ref().and_then(|_| run.pictures.iter().position(is_it))
    };
    if let Some(place) = verdict() {
        return Some(place);
    }
    let best = ANSWERS.iter().find_map(|topic| match topic {
        Topic::Law => law(),
        Topic::Lanes => featured().or_else(|| of(topic)),
        topic => of(topic),
    });
    best.or_else(|| (!run.pictures.is_empty()).then_some(0))
}

fn rank(topic: Topic) -> usize {
    // What nobody has ranked yet comes before the evidence that is folded.
    let unknown = QUESTIONS.iter().position(|(.., is_folded)| *is_folded);
    let known = QUESTIONS.iter().position(|(asks, ..)| asks(topic));
    match (known, unknown) {
        (Some(place), _) => 2 * place,
        (None, Some(folded)) => 2 * folded - 1,
        (None, None) => 2 * QUESTIONS.len(),
    }
}

/// What the names of the files of each run begin with: nothing of a single one, the names of the
/// directories of several, and their letters where two have the same.
fn prefixes(runs: &[Run]) -> Vec<String> {
    if runs.len() < 2 {
        return vec![String::new(); runs.len()];
    }
    let names: Vec<String> = runs.iter().map(|run| file_name(&run.view.source)).collect();
    let prefix = |(place, name): (usize, &String)| {
        let is_shared = names.iter().filter(|other| *other == name).count() > 1;
        let letter = crate::show::comparison::letter(place);
        if is_shared { format!("{letter}-{name}-") } else { format!("{name}-") }
    };
    names.iter().enumerate().map(prefix).collect()
}

/// A name that any file system and any link takes.
fn file_name(name: &str) -> String {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    let name: String = name.chars().map(|c| if fits(c) { c } else { '-' }).collect();
    name.trim_start_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::show::example::{self, FORK, POSIX_SPAWN, VFORK};
    use crate::show::report::fixture;

    fn report(runs: Vec<Run>) -> Report {
        Report { runs, comparison: None, together: Vec::new(), command: String::new() }
    }

    fn figures(parts: &[Part]) -> Vec<String> {
        let of = |part: &Part| -> Vec<String> {
            let figure = |block: &Block| match block {
                Block::Figure(figure) => Some(figure.name.clone()),
                _ => None,
            };
            part.blocks.iter().filter_map(figure).collect()
        };
        parts.iter().flat_map(of).collect()
    }

    #[test]
    fn every_picture_stands_under_its_question_and_that_of_the_answer_at_the_top() {
        let mut run = fixture::run(&example::first_screen());
        // Whoever adds a topic adds no question at once.
        let unknown = Picture { topic: Topic::Hazards, ..run.pictures[0].clone() };
        run.pictures.push(Picture { name: "new.svg".to_owned(), ..unknown });
        let report = report(vec![run]);
        let gallery = Gallery::of(&report);
        let run = &report.runs[0];
        assert_eq!(gallery.answer(run, 0).unwrap().name, "lanes.svg");
        let parts = gallery.parts(run, 0, &|_| true, "");
        let mut names = figures(&parts);
        names.push("lanes.svg".to_owned());
        names.sort_unstable();
        let mut all: Vec<String> = run.pictures.iter().map(|one| one.name.clone()).collect();
        all.sort_unstable();
        assert_eq!(names, all);
    }

    #[test]
    fn what_has_no_room_is_named_and_the_answer_stays() {
        let mut run = fixture::run(&example::first_screen());
        for picture in &mut run.pictures {
            picture.svg = " ".repeat(MOST / 2);
        }
        let count = run.pictures.len();
        let report = report(vec![run]);
        let gallery = Gallery::of(&report);
        assert!(gallery.answer(&report.runs[0], 0).is_some());
        let parts = gallery.parts(&report.runs[0], 0, &|_| true, "");
        assert_eq!(figures(&parts).len(), 1);
        let texts: Vec<&str> = parts
            .iter()
            .flat_map(|part| &part.blocks)
            .filter_map(|block| match block {
                Block::Text(text) => Some(text.as_str()),
                _ => None,
            })
            .collect();
        assert!(
            texts[0].contains("no room on this page; forkbench report results/run"),
            "{texts:?}"
        );
        assert!(count > 3);
    }

    #[test]
    fn files_of_several_runs_differ_in_their_names() {
        let one = fixture::run(&example::summary(&[("rss=1GiB", &[FORK, VFORK])], "vfork"));
        let mut other = one.clone();
        other.view.source = "a <b>/é".to_owned();
        let report = report(vec![one.clone(), other, one]);
        let gallery = Gallery::of(&report);
        let names: Vec<String> =
            (0..3).map(|place| gallery.answer(&report.runs[place], place).unwrap().name).collect();
        assert_eq!(
            names,
            [
                "A-20260723T101500Z-run-lanes.svg",
                "a--b----lanes.svg",
                "C-20260723T101500Z-run-lanes.svg"
            ]
        );
    }

    #[test]
    fn the_lanes_of_many_parents_are_those_of_the_plainest() {
        let spawns = [FORK, POSIX_SPAWN];
        let empty = [example::empty(&FORK), example::empty(&POSIX_SPAWN)];
        let run = fixture::run(&example::summary(
            &[("empty", &empty), ("rss=1GiB", &spawns)],
            "posix_spawn",
        ));
        let place = answer(&run).unwrap();
        let shape = &run.view.sections[run.view.featured].shape;
        assert_eq!(run.pictures[place].name, format!("lanes-{}.svg", shape.replace('=', "-")));
    }
}
