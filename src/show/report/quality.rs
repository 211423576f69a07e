//! How far the figures of a run can be trusted, variant by variant, and what to know beforehand.

use crate::analyse::quantiles::Figure;
use crate::analyse::summary::{IntervalSummary, Summary, VariantSummary};
use crate::model::glossary;
use crate::model::row::Role;
use crate::show::document::{Block, Column, Line, Part, Table};
use crate::show::units;
use crate::show::view::View;
use crate::show::warning::{self, Warning};

use super::Run;
use super::machine::percent;

/// More lines than this nobody reads: the widest intervals stand for all.
const MOST: usize = 200;

/// More variants than this are evidence that a reader opens when wanted.
const MANY: usize = 24;

/// Warnings of one word that are told before the others are counted.
const ALIKE: usize = 3;

/// How well each variant is known.
pub(super) fn part(run: &Run, id: String) -> Part {
    let Run { view, summary, .. } = run;
    let mut blocks = Vec::new();
    if !view.trust.is_empty() {
        blocks.push(Block::List(view.trust.clone()));
    }
    let rows = rows(summary);
    let is_folded = rows.len() > MANY;
    if !rows.is_empty() {
        let table = Block::Table(table(&rows, tells_lag(run)));
        if is_folded {
            let title = format!("Each of {} variants", units::count(rows.len() as u64));
            let part = Part::new(format!("{id}-variants"), title, vec![table]);
            return Part {
                parts: vec![Part { is_folded, ..part }],
                ..Part::new(id, TITLE, blocks)
            };
        }
        blocks.push(table);
    }
    Part::new(id, TITLE, blocks)
}

const TITLE: &str = "How well it is known";

/// What one interval of one variant says of its own quality.
struct Quality<'a> {
    variant: &'a VariantSummary,
    interval: &'a IntervalSummary,
    /// Half of the interval of the median / the median; none with too few samples.
    half_width: Option<f64>,
}

/// The first interval of each variant that was timed, in the order of the run.
fn rows(summary: &Summary) -> Vec<Quality<'_>> {
    let of = |variant| -> Option<Quality<'_>> {
        let variant: &VariantSummary = variant;
        let interval = variant.intervals.iter().find(|interval| interval.count > 0)?;
        let half_width = match interval.p50 {
            Figure::Known(p50) if p50.value > 0.0 => Some((p50.high - p50.low) / 2.0 / p50.value),
            _ => None,
        };
        Some(Quality { variant, interval, half_width })
    };
    summary.variants.iter().filter_map(of).collect()
}

/// Blocks of a launch from which on neighbours tell something: the mean of the launch is taken out of
/// them, and of two blocks one is then the other with its sign turned.
const NEIGHBOURS: i64 = 6;

/// Whether launches have blocks enough for what neighbours have in common.
fn tells_lag(run: &Run) -> bool {
    let blocks = run.plan.get("blocks").and_then(toml::Value::as_integer);
    blocks.is_none_or(|blocks| blocks >= NEIGHBOURS)
}

fn table(rows: &[Quality<'_>], tells_lag: bool) -> Table {
    let mut told: Vec<&Quality<'_>> = rows.iter().collect();
    let mut notes = Vec::new();
    if told.len() > MOST {
        let width = |one: &Quality<'_>| one.half_width.unwrap_or(f64::INFINITY);
        told.sort_by(|a, b| width(b).total_cmp(&width(a)));
        let rest = units::count((told.len() - MOST) as u64);
        notes.push(format!("{rest} more variants have narrower intervals than these."));
        told.truncate(MOST);
    }
    notes.extend(NOTES.iter().map(|note| (*note).to_owned()));
    let columns = vec![
        Column::text("variant"),
        Column::text("of"),
        Column::figures("samples", "that the median is made of"),
        Column::figures("median", ""),
        Column::figures("half-width", "half of the 95 % interval of the median, as a share of it"),
        Column::figures("launches", "fresh parents"),
        Column::figures("launch spread", "the largest launch median / the smallest"),
        Column::figures("lag-1", "correlation of neighbouring blocks of a launch"),
        Column::figures("drift", "second half of a launch / first half"),
        Column::figures("first block", "first block of a launch / the others"),
        Column::figures("contended", "samples in which something else had the processor"),
    ];
    let line = |one: &&Quality<'_>| {
        let Quality { variant, interval, half_width } = one;
        let steady = &interval.steadiness;
        let factor = |value: Option<f64>| value.map(|v| format!("{v:.3}x")).unwrap_or_default();
        let label = match variant.row.role {
            Role::Subject | Role::Control | Role::Twin => variant.row.label.clone(),
            Role::Reference => format!("{} (reference)", variant.row.label),
        };
        Line::plain([
            label,
            interval.interval.word().to_owned(),
            units::count(interval.count as u64),
            match interval.p50 {
                Figure::Known(p50) => units::duration(p50.value),
                Figure::Needs { needed, .. } => format!("n>={needed}"),
            },
            half_width.map(|share| format!("{:.2} %", share * 100.0)).unwrap_or_default(),
            units::count(interval.launch_medians.len() as u64),
            factor(interval.launch_spread),
            steady.lag1.filter(|_| tells_lag).map(hundredths).unwrap_or_default(),
            factor(steady.drift),
            factor(steady.first_block),
            variant
                .contended
                .filter(|share| share.whole > 0)
                .map(|share| percent(share.part as f64 / share.whole as f64))
                .unwrap_or_default(),
        ])
    };
    let mut table =
        Table { columns, lines: told.iter().map(line).collect(), notes, ..Table::default() };
    table.drop_empty_columns();
    table
}

/// With two digits, and no sign in front of nothing.
fn hundredths(value: f64) -> String {
    format!("{:.2}", (value * 100.0).round() / 100.0 + 0.0)
}

/// What the columns say and do not say.
const NOTES: [&str; 2] = [
    "The half-width describes these samples; what the next run will show, the launch spread tells.",
    "Nothing is left out as an outlier; an empty cell is what too few blocks or launches do not tell.",
];

/// What to know before anything else, of what may make all figures mean something else.
pub(super) fn caution(view: &View, id: String) -> Option<Part> {
    let weighty = view.warnings.iter().filter(|one| warning::is_weighty(one.word()));
    let blocks = told(&weighty.collect::<Vec<_>>());
    (!blocks.is_empty()).then(|| Part::new(id, "Before you trust it", blocks))
}

/// Every other warning with what it means; none of a run without.
pub(super) fn warnings(view: &View, id: String) -> Option<Part> {
    let light = view.warnings.iter().filter(|one| !warning::is_weighty(one.word()));
    let blocks = told(&light.collect::<Vec<_>>());
    (!blocks.is_empty()).then(|| Part::new(id, "Warnings", blocks))
}

/// All warnings, with what they mean.
pub(super) fn every_warning(view: &View) -> Vec<Block> {
    told(&view.warnings.iter().collect::<Vec<_>>())
}

/// Those of one word together, the worst first, and after them what the word means.
fn told(warnings: &[&Warning]) -> Vec<Block> {
    let mut blocks = Vec::new();
    for alike in warnings.chunk_by(|one, next| one.word() == next.word()) {
        let word = alike[0].word();
        let texts = alike.iter().take(ALIKE).map(|one| format!("{word}: {one}"));
        blocks.extend(texts.map(Block::Warning));
        let mut meaning: Vec<String> = Vec::new();
        if alike.len() > ALIKE {
            let more = units::count((alike.len() - ALIKE) as u64);
            meaning.push(format!("{more} more like it."));
        }
        if let Some(entry) = glossary::find(word) {
            meaning.push(format!("{word}: {}", entry.long));
        }
        if !meaning.is_empty() {
            blocks.push(Block::Text(meaning.join(" ")));
        }
    }
    blocks
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyse::summary::Steadiness;
    use crate::model::interval::Interval;
    use crate::show::example;
    use crate::show::report::fixture;

    fn texts(part: &Part) -> Vec<&str> {
        let text = |block: &'_ Block| match block {
            Block::Warning(text) | Block::Text(text) => Some(text.clone()),
            _ => None,
        };
        part.blocks.iter().filter_map(text).map(|text| &*text.leak()).collect()
    }

    #[test]
    fn every_variant_that_was_timed_tells_how_well_it_is_known() {
        let mut summary = example::first_screen();
        summary.variants[1].intervals[0].steadiness =
            Steadiness { lag1: Some(0.314), ..Steadiness::default() };
        let mut run = fixture::run(&summary);
        let part_of = |run: &Run| part(run, "quality".to_owned());
        let titles = |part: &Part| -> Vec<String> {
            let Some(Block::Table(table)) = part.blocks.last() else { panic!("{part:?}") };
            table.columns.iter().map(|one| one.title.clone()).collect()
        };
        run.plan = "blocks = 2".parse().unwrap();
        assert!(!titles(&part_of(&run)).contains(&"lag-1".to_owned()), "two blocks tell nothing");
        run.plan = "blocks = 10".parse().unwrap();
        let part = part_of(&run);
        let Some(Block::Table(table)) = part.blocks.last() else { panic!("{part:?}") };
        assert_eq!(table.lines.len(), summary.variants.len());
        let titles: Vec<&str> = table.columns.iter().map(|one| one.title.as_str()).collect();
        assert!(titles.contains(&"lag-1") && titles.contains(&"half-width"), "{titles:?}");
        assert!(!titles.contains(&"drift"), "no variant has it: {titles:?}");
    }

    #[test]
    fn many_variants_are_folded_and_more_than_anyone_reads_are_counted() {
        let mut summary = example::first_screen();
        let one = summary.variants[1].clone();
        summary.variants.extend((0..300).map(|number| {
            let mut variant = one.clone();
            variant.row.variant = 5000 + number;
            variant
        }));
        // Nobody looks at the pictures of so many.
        let mut run = fixture::run(&example::first_screen());
        (run.view, run.summary) = (example::view(&summary), summary);
        let part = part(&run, "quality".to_owned());
        let folded = &part.parts[0];
        assert!(folded.is_folded);
        let Block::Table(table) = &folded.blocks[0] else { panic!("{folded:?}") };
        assert_eq!(table.lines.len(), MOST);
        assert!(table.notes[0].starts_with("104 more variants"), "{}", table.notes[0]);
    }

    #[test]
    fn what_concerns_every_figure_comes_first_and_each_word_is_explained_once() {
        let mut view = example::view(&example::first_screen());
        let drift =
            |ratio| Warning::Drift { label: "fork".to_owned(), interval: Interval::Blocked, ratio };
        view.warnings = vec![Warning::NotReleaseBuild];
        view.warnings.extend([1.5, 1.4, 1.3, 1.2].map(drift));
        let first = caution(&view, "caution".to_owned()).unwrap();
        assert!(texts(&first)[0].starts_with("not-release-build: "), "{first:?}");
        let rest = warnings(&view, "warnings".to_owned()).unwrap();
        let rest = texts(&rest);
        assert_eq!(rest.len(), ALIKE + 1);
        assert!(rest[ALIKE].starts_with("1 more like it. drift: "), "{}", rest[ALIKE]);
        view.warnings.clear();
        assert!(caution(&view, String::new()).is_none());
        assert!(warnings(&view, String::new()).is_none());
    }
}
