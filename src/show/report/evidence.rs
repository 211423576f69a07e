//! The parts of a page that tell of one run: what was found, scenario by scenario, and then the
//! machine, how well it is known, how it was made.

use crate::model::setup::Workload;
use crate::show::chapter::Chapter;
use crate::show::document::{Block, Column, Entry, Line, Part, Table, Tone};
use crate::show::law::LawTable;
use crate::show::matrix::{self, Matrix};
use crate::show::plots::{self, Picture};
use crate::show::tables::{added, hazards, means};
use crate::show::view::{Section, View};
use crate::show::{conclusion, text};

use super::pictures::Gallery;
use super::{Run, machine, methods, quality, reproduce, tables, verdict};

/// More scenarios than this are told by a table, and each by itself where a reader opens it.
const MANY: usize = 3;

/// Characters of an answer in the table of all scenarios; the whole of it stands at the scenario.
const ANSWER: usize = 280;

/// Every part of a run. `id` is what the names of its parts begin with; `index` is its place among
/// the runs of the page.
pub(super) fn parts(run: &Run, index: usize, gallery: &Gallery, id: &str) -> Vec<Part> {
    let mut parts = found(run, index, gallery, id);
    parts.push(machine::part(&run.environment, format!("{id}machine")));
    parts.extend(measurement(run, id));
    parts
}

/// What was found, and nothing of how it was measured.
fn found(run: &Run, index: usize, gallery: &Gallery, id: &str) -> Vec<Part> {
    let mut parts: Vec<Part> =
        quality::caution(&run.view, format!("{id}caution")).into_iter().collect();
    if let Some(gated) = &run.gated {
        parts.push(verdict::part(gated, format!("{id}verdict")));
    }
    let scenarios = scenarios(run, index, gallery, id);
    if let [_, _, ..] = run.view.chapters.as_slice() {
        parts.extend(overview(run, id));
        parts.extend(scenarios);
        let is_left = |picture: &Picture| owner(run, picture).is_none();
        parts.extend(gallery.parts(run, index, &is_left, id));
    } else {
        parts.extend(scenarios);
    }
    parts
}

/// How it was measured: quality, warnings, methods, limits, commands.
pub(super) fn measurement(run: &Run, id: &str) -> Vec<Part> {
    let mut parts = vec![quality::part(run, format!("{id}quality"))];
    parts.extend(quality::warnings(&run.view, format!("{id}warnings")));
    parts.push(methods::part(run, format!("{id}methods")));
    parts.push(methods::limits(run, format!("{id}limits")));
    parts.push(reproduce::part(run, format!("{id}again")));
    parts
}

/// What each scenario says: of a single one its parts, of several a part for each.
fn scenarios(run: &Run, index: usize, gallery: &Gallery, id: &str) -> Vec<Part> {
    let view = &run.view;
    match view.chapters.as_slice() {
        [] => {
            let mut parts: Vec<Part> = costs(view, &view.sections, &[], id).into_iter().collect();
            parts.extend(special(view, &view.sections, id));
            parts.extend(gallery.parts(run, index, &|_| true, id));
            parts
        }
        [chapter] => of_chapter(run, chapter, &view.sections, index, gallery, &|_| true, id),
        several => several
            .iter()
            .enumerate()
            .map(|(place, chapter)| {
                let id = format!("{id}scenario-{}-", place + 1);
                let is_own = |picture: &Picture| owner(run, picture) == Some(place);
                let parts =
                    of_chapter(run, chapter, &chapter.sections, index, gallery, &is_own, &id);
                Part {
                    parts,
                    is_folded: several.len() > MANY,
                    ..Part::new(
                        id.trim_end_matches('-'),
                        chapter.title(),
                        vec![Block::Text(answer(view, chapter))],
                    )
                }
            })
            .collect(),
    }
}

/// What one scenario says, in a paragraph.
fn answer(view: &View, chapter: &Chapter) -> String {
    let is_gap = |section: &Section| section.workload == Workload::Gap.word();
    let support = if chapter.sections.iter().any(is_gap) { &view.support[..] } else { &[] };
    conclusion::answer(&chapter.sections, std::slice::from_ref(chapter), support)
}

fn of_chapter(
    run: &Run,
    chapter: &Chapter,
    sections: &[Section],
    index: usize,
    gallery: &Gallery,
    is_own: &dyn Fn(&Picture) -> bool,
    id: &str,
) -> Vec<Part> {
    let mut parts = Vec::new();
    match verdict::published(chapter, format!("{id}published")) {
        Some(published) => {
            parts.push(published);
            parts.extend(verdict::claims(chapter, format!("{id}claims")));
        }
        None => parts.extend(verdict::claims(chapter, format!("{id}claims"))),
    }
    parts.extend(costs(&run.view, sections, &chapter.matrices, id));
    parts.extend(special(&run.view, sections, id));
    parts.extend(laws(&chapter.laws, &chapter.tables, id));
    parts.extend(gallery.parts(run, index, is_own, id));
    parts
}

/// The tables of parents: of many the matrices, and each by itself where a reader opens it.
fn costs(view: &View, sections: &[Section], matrices: &[Matrix], id: &str) -> Option<Part> {
    let mut told: Vec<&Section> = sections.iter().filter(|one| !is_told(view, one)).collect();
    told.retain(|section| section.rows().next().is_some());
    if told.is_empty() {
        return None;
    }
    let title = match told.iter().all(|section| section.workload == Workload::Spawn.word()) {
        true => "What each way to make a process costs",
        false => "What was measured",
    };
    let each = told.iter().map(|section| Block::Table(tables::section(section))).collect();
    let id = format!("{id}costs");
    if told.len() <= matrix::MANY || matrices.is_empty() {
        return Some(Part::new(id, title, each));
    }
    let matrices = matrices.iter().map(|one| Block::Table(tables::matrix(one))).collect();
    let parents = Part::new(format!("{id}-parents"), "Each parent by itself", each);
    let parents = Part { is_folded: true, ..parents };
    Some(Part { parts: vec![parents], ..Part::new(id, title, matrices) })
}

/// The tables that a workload has beside those of its parents: of hazards, and of what can be done
/// between birth and exec.
fn special(view: &View, sections: &[Section], id: &str) -> Vec<Part> {
    let is_any = |workload: Workload| sections.iter().any(|one| one.workload == workload.word());
    let mut parts = Vec::new();
    if is_any(Workload::Hazard) {
        let blocks: Vec<Block> = hazards(view).into_iter().map(Block::Table).collect();
        parts.push(Part::new(format!("{id}hazards"), "Which children hang", blocks));
    }
    if is_any(Workload::Gap) {
        let blocks: Vec<Block> = means(view).into_iter().map(Block::Table).collect();
        let part =
            Part::new(format!("{id}support"), "What can be done between birth and exec", blocks);
        parts.push(part);
        let blocks = added(view).into_iter().map(Block::Table).collect();
        parts.push(Part::new(format!("{id}added"), "What it adds", blocks));
    }
    parts.retain(|part| !part.blocks.is_empty());
    parts
}

/// Whether another table tells all that a table of this section would.
fn is_told(view: &View, section: &Section) -> bool {
    section.workload == Workload::Hazard.word() && !view.hazards.is_empty()
}

/// The tables of the parents of a run, or of many their matrices.
pub(super) fn tables(run: &Run) -> Vec<Block> {
    let of = |sections: &[Section], matrices: &[Matrix]| {
        costs(&run.view, sections, matrices, "").map_or_else(Vec::new, |part| part.blocks)
    };
    // What a workload has a table of its own for is told by that.
    let own: Vec<Block> = special(&run.view, &run.view.sections, "")
        .into_iter()
        .flat_map(|part| part.blocks)
        .collect();
    if !own.is_empty() {
        return own;
    }
    match run.view.chapters.as_slice() {
        [] => of(&run.view.sections, &[]),
        [chapter] => of(&run.view.sections, &chapter.matrices),
        several => several.iter().flat_map(|one| of(&one.sections, &one.matrices)).collect(),
    }
}

/// Laws in words and in tables; none without one.
pub(super) fn laws(sentences: &[String], tables: &[LawTable], id: &str) -> Option<Part> {
    let mut blocks: Vec<Block> = sentences.iter().cloned().map(Block::Text).collect();
    blocks.extend(tables.iter().map(|table| Block::Table(tables::law(table))));
    (!blocks.is_empty()).then(|| Part::new(format!("{id}laws"), "Laws", blocks))
}

/// All scenarios in a table: question, answer, what became of the claims.
fn overview(run: &Run, id: &str) -> Option<Part> {
    let chapters = &run.view.chapters;
    let line = |chapter: &Chapter| {
        let tally = chapter.tally();
        let tone = match (tally.fails, tally.unclear + tally.not_shown, tally.holds) {
            (0, 0, 0) => Tone::Plain,
            (0, 0, _) => Tone::Good,
            (0, ..) => Tone::Unsure,
            _ => Tone::Bad,
        };
        let claims = if tally.all() > 0 { tally.to_string() } else { String::new() };
        let cells = vec![
            Entry::plain(chapter.name.clone()),
            Entry::plain(chapter.about.clone()),
            Entry::plain(text::shorten(&answer(&run.view, chapter), ANSWER)),
            Entry { text: claims, tone },
        ];
        Line::Cells { mechanism: None, cells }
    };
    (chapters.len() > MANY).then(|| {
        let mut table = Table {
            columns: ["scenario", "question", "answer", "claims"].map(Column::text).to_vec(),
            lines: chapters.iter().map(line).collect(),
            ..Table::default()
        };
        table.drop_empty_columns();
        Part::new(format!("{id}scenarios"), "All scenarios", vec![Block::Table(table)])
    })
}

/// The scenario that a picture is about, by its index; none where it is about the whole run.
fn owner(run: &Run, picture: &Picture) -> Option<usize> {
    let view = &run.view;
    let stem = picture.name.strip_suffix(".svg").unwrap_or(&picture.name);
    let by_name = view.chapters.iter().enumerate().filter(|(_, chapter)| {
        // As `Chart::of` and `Work::all` name them.
        let name = chapter.name.replace('/', "-");
        let rest = stem.strip_prefix("law-").unwrap_or(stem).strip_prefix(name.as_str());
        rest.is_some_and(|rest| rest.starts_with('-'))
    });
    if let Some((place, _)) = by_name.max_by_key(|(_, chapter)| chapter.name.len()) {
        return Some(place);
    }
    let places = plots::places(&view.sections);
    let own = view
        .sections
        .iter()
        .zip(&places)
        .filter(|(_, place)| !place.is_empty() && stem.ends_with(place.as_str()));
    // One name may end like another that is longer.
    let (section, _) = own.max_by_key(|(_, place)| place.len())?;
    view.chapters.iter().position(|chapter| {
        let same = |one: &Section| one.shape == section.shape && one.workload == section.workload;
        chapter.sections.iter().any(same)
    })
}
