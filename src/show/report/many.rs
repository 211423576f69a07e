//! Directories beside each other, as parts of a page: tables, ranks, means, and in what the machines
//! differ. Describes, and judges nothing.

use crate::show::comparison::{
    DifferenceRecord, Directory, LeftOut, Line, NOT_JUDGED, Table, View, letter, shorten_hash,
};
use crate::show::document::{self, Block, Column, Figure, Part};
use crate::show::plots::{Picture, Topic};
use crate::show::published::Published;
use crate::show::{tables, units};

use super::reproduce::quoted;
use super::{Report, Run, answer};

/// What each of several directories says, none of which can stand beside another; nothing without
/// any.
pub(super) fn collection(runs: &[Run]) -> Option<Part> {
    let line = |(place, run): (usize, &Run)| {
        let texts = [letter(place), run.path.clone(), answer::title_of(run), answer::of_run(run)];
        document::Line::plain(texts)
    };
    let table = document::Table {
        columns: ["", "directory", "question", "answer"].map(Column::text).to_vec(),
        lines: runs.iter().enumerate().map(line).collect(),
        ..document::Table::default()
    };
    (!runs.is_empty())
        .then(|| Part::new("directories", "The directories", vec![Block::Table(table)]))
}

/// What all directories show together: how they lie to each other, and what was published of them.
pub(super) fn together(report: &Report) -> Vec<Part> {
    let figure = |picture: &Picture| {
        Block::Figure(Figure {
            name: picture.name.clone(),
            title: picture.title.clone(),
            alt: picture.alt.clone(),
            caption: format!("{}. {}", picture.title, report.command),
            svg: picture.svg.clone(),
        })
    };
    let of = |topic: Topic| -> Vec<Block> {
        report.together.iter().filter(|one| one.topic == topic).map(figure).collect()
    };
    let views: Vec<&crate::show::view::View> = report.runs.iter().map(|run| &run.view).collect();
    let table = tables::published(&Published::of(&views)).map(Block::Table);
    let published: Vec<Block> = of(Topic::Published).into_iter().chain(table).collect();
    let parts = [
        Part::new("ranks", "Ranks", of(Topic::Ranks)),
        Part::new("shifts", "Which spawns differ, all or the slow ones?", of(Topic::Shift)),
        Part::new("published-together", "Published, and here", published),
    ];
    parts.into_iter().filter(|part| !part.blocks.is_empty()).collect()
}

/// The directories as a command takes them: those of one folder together where they are many.
pub(super) fn sources(runs: &[&Run]) -> String {
    let paths: Vec<String> = runs.iter().map(|run| quoted(&run.path)).collect();
    let folder = |path: &String| path.rsplit_once('/').map(|(folder, _)| folder.to_owned());
    match paths.first().and_then(folder) {
        Some(first)
            if paths.len() > 3 && paths.iter().all(|p| folder(p).as_ref() == Some(&first)) =>
        {
            format!("{first}/*")
        }
        _ => paths.join(" "),
    }
}

/// The parts of a comparison.
pub(super) fn parts(comparison: &View) -> Vec<Part> {
    let mut parts = vec![directories(comparison)];
    let sentence = Block::Text(format!("{}.", capital(NOT_JUDGED)));
    let mut blocks = vec![sentence];
    blocks.extend(comparison.tables.iter().map(|one| Block::Table(table(one))));
    parts.push(Part::new("beside", "Beside each other", blocks));
    if !comparison.left_out.is_empty() {
        let text = "The geometric means are over the variants that every directory has. These are \
                    not in them:";
        let list =
            comparison.left_out.iter().map(|LeftOut { label, why }| format!("{label}: {why}"));
        let blocks = vec![Block::Text(text.to_owned()), Block::List(list.collect())];
        let part = Part::new("not-in-means", "What the means leave out", blocks);
        parts.push(Part { is_folded: comparison.left_out.len() > 12, ..part });
    }
    parts.push(differences(comparison));
    if !comparison.warnings.is_empty() {
        let warnings = comparison.warnings.iter().cloned().map(Block::Warning).collect();
        parts.push(Part::new("beside-warnings", "What to know of the comparison", warnings));
    }
    parts
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// What each letter stands for.
fn directories(comparison: &View) -> Part {
    let line = |one: &Directory| {
        document::Line::plain([
            one.letter.clone(),
            one.directory.clone(),
            one.started.clone().unwrap_or_default(),
            one.kernel.clone().unwrap_or_default(),
            units::count(one.launches as u64),
            units::count(one.samples as u64),
        ])
    };
    let mut table = document::Table {
        columns: vec![
            Column::text(""),
            Column::text("directory"),
            Column::text("began"),
            Column::text("kernel"),
            Column::figures("launches", ""),
            Column::figures("samples", ""),
        ],
        lines: comparison.directories.iter().map(line).collect(),
        ..document::Table::default()
    };
    table.drop_empty_columns();
    Part::new("directories", "The directories", vec![Block::Table(table)])
}

/// One quantity of every variant. A label stands once, above its directories.
fn table(one: &Table) -> document::Table {
    let mut lines = Vec::new();
    for line in &one.lines {
        let Line { label, mechanism, letter, value, bounds, ratio, rank } = line;
        let texts = [label, letter, value, bounds, ratio, rank];
        let cells = texts.into_iter().cloned().map(document::Entry::plain).collect();
        let mechanism = (!mechanism.is_empty()).then(|| mechanism.clone());
        lines.push(document::Line::Cells { mechanism, cells });
    }
    let mut table = document::Table {
        caption: one.quantity.clone(),
        columns: vec![
            Column::text("variant"),
            Column::text(""),
            Column::figures("time", ""),
            Column::figures("95 % over its launches", "holds for that run alone"),
            Column::figures("of A", "the ratio to the first directory, which has no interval"),
            Column::figures("rank", "1 is the shortest"),
        ],
        lines,
        notes: Vec::new(),
    };
    table.drop_empty_columns();
    table
}

/// In what the machines differ, those facts first across which `check` refuses to compare.
fn differences(comparison: &View) -> Part {
    if comparison.differences.is_empty() {
        let text = "In no fact that is told of them.".to_owned();
        return Part::new("differences", DIFFER, vec![Block::Text(text)]);
    }
    let letters = comparison.directories.iter().map(|one| Column::text(one.letter.clone()));
    let columns = [Column::text("topic"), Column::text("fact")].into_iter().chain(letters);
    let line = |one: &DifferenceRecord| {
        let shown = |value: &Option<String>| match value.as_deref() {
            Some(value) => shorten_hash(value).to_owned(),
            None => "not told".to_owned(),
        };
        let topic = match one.refuses {
            true => one.topic.to_owned(),
            false => format!("{} (told, not refused)", one.topic),
        };
        let values = one.values.iter().map(shown);
        document::Line::plain([topic, one.fact.clone()].into_iter().chain(values))
    };
    let table = document::Table {
        columns: columns.collect(),
        lines: comparison.differences.iter().map(line).collect(),
        notes: vec![
            "Across a topic that is not marked `forkbench check` compares only if --across names \
             it."
            .to_owned(),
        ],
        ..document::Table::default()
    };
    Part::new("differences", DIFFER, vec![Block::Table(table)])
}

const DIFFER: &str = "In what the machines differ";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::show::comparison::{DifferenceRecord, Directory};
    use crate::show::example;
    use crate::show::report::{self, fixture};

    #[test]
    fn what_several_runs_reproduce_stands_in_one_picture_and_one_table() {
        let run = fixture::run(&example::published());
        let runs = vec![run.clone(), Run { path: "results/other run".to_owned(), ..run }];
        let together = report::together(&runs, None).unwrap();
        assert_eq!(together.len(), 1);
        assert!(together[0].svg.contains("results/other run"), "its caption names both");
        assert!(report::together(&runs[..1], None).unwrap().is_empty());
        let command = "forkbench report a b -o c.md".to_owned();
        let report = Report { runs, comparison: None, together, command };
        let [part] = super::together(&report).try_into().unwrap();
        assert_eq!(part.id, "published-together");
        let [Block::Figure(figure), Block::Table(table)] = &part.blocks[..] else {
            panic!("{part:?}")
        };
        assert!(figure.caption.ends_with("forkbench report a b -o c.md"));
        assert_eq!(table.lines.len(), 8);
    }

    #[test]
    fn many_directories_of_one_folder_are_named_by_it() {
        let run = fixture::run(&example::summary(&[], "vfork"));
        let at = |path: &str| Run { path: path.to_owned(), ..run.clone() };
        let runs = ["a/b/1", "a/b/2", "a/b/3", "a/b/4"].map(at);
        assert_eq!(sources(&runs.each_ref()), "a/b/*");
        assert_eq!(sources(&[&runs[0], &runs[1]]), "a/b/1 a/b/2");
        let other = at("c");
        assert_eq!(sources(&[&runs[0], &runs[1], &runs[2], &other]), "a/b/1 a/b/2 a/b/3 c");
    }

    fn directory(letter: &str) -> Directory {
        Directory {
            letter: letter.to_owned(),
            directory: format!("results/{letter}"),
            started: None,
            kernel: Some("6.1".to_owned()),
            launches: 5,
            samples: 1000,
        }
    }

    fn view() -> View {
        let line = |label: &str, letter: &str, rank: &str| Line {
            label: label.to_owned(),
            mechanism: "vfork".to_owned(),
            letter: letter.to_owned(),
            value: "50.0 us".to_owned(),
            bounds: String::new(),
            ratio: String::new(),
            rank: rank.to_owned(),
        };
        View {
            headline: "Shortest first".to_owned(),
            directories: vec![directory("A"), directory("B")],
            tables: vec![Table {
                quantity: "blocked.p50".to_owned(),
                lines: vec![line("vfork", "A", "1"), line("", "B", "2")],
            }],
            differences: vec![DifferenceRecord {
                topic: "kernel",
                fact: "kernel.release".to_owned(),
                values: vec![Some("6.1".to_owned()), None],
                refuses: true,
            }],
            warnings: vec!["measured on 2 different days".to_owned()],
            left_out: vec![LeftOut { label: "fork".to_owned(), why: "not in B".to_owned() }],
            records: Vec::new(),
            means: Vec::new(),
            shifts: Vec::new(),
        }
    }

    #[test]
    fn a_comparison_judges_nothing_and_says_what_it_leaves_out() {
        let parts = parts(&view());
        let ids: Vec<&str> = parts.iter().map(|part| part.id.as_str()).collect();
        assert_eq!(
            ids,
            ["directories", "beside", "not-in-means", "differences", "beside-warnings"]
        );
        let Block::Text(text) = &parts[1].blocks[0] else { panic!("{parts:?}") };
        assert!(text.starts_with("A ratio between runs has no interval"), "{text}");
        let Block::Table(table) = &parts[1].blocks[1] else { panic!("{parts:?}") };
        let titles: Vec<&str> = table.columns.iter().map(|one| one.title.as_str()).collect();
        assert_eq!(titles, ["variant", "", "time", "rank"]);
    }

    #[test]
    fn machines_that_agree_say_so() {
        let alike = View { differences: Vec::new(), ..view() };
        let part = differences(&alike);
        assert!(matches!(&part.blocks[..], [Block::Text(_)]));
    }
}
