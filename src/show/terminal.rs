//! The first screen: the answer, a table for each shape, lanes, trust, warnings, what to run next.
//!
//! Owns layout alone: every figure and sentence comes finished from the [`View`]. No line is wider
//! than the screen. The text holds colour codes; print it through `anstream`, which takes them out
//! where they are not wanted. Colour repeats what words and marks say, and tells nothing by itself.

mod chapters;
mod columns;
mod comparison;
mod grid;
mod hazards;
mod judgement;
mod lanes;
mod spark;
mod support;
mod table;

use std::slice;

pub use judgement::gated;

use anstyle::{AnsiColor, Style};

use crate::model::setup::Workload;
use crate::show::chapter::Chapter;
use crate::show::verdict::Claimed;
use crate::show::view::{Section, View};
use crate::show::warning::Warning;
use crate::show::{conclusion, finding, matrix, palette, text};

/// The widest that a screen is used; longer lines are hard to read.
pub const WIDEST: usize = 100;

/// The narrowest that a screen is laid out for; on a narrower one lines will break.
pub const NARROWEST: usize = 40;

/// What a screen can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Screen {
    /// Columns.
    pub width: usize,
    /// Whether it can draw blocks and lines, or only ASCII.
    pub unicode: bool,
}

impl Screen {
    /// What standard output can show: its width if it is a terminal, and [`WIDEST`] if it is not;
    /// UTF-8 if the locale says so.
    pub fn of_stdout() -> Screen {
        let width = terminal_size::terminal_size().map_or(WIDEST, |(width, _)| width.0.into());
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
            .into_iter()
            .filter_map(|name| std::env::var(name).ok())
            .find(|value| !value.is_empty());
        Screen { width, unicode: locale.is_some_and(|locale| is_utf8(&locale)) }
    }

    /// The columns that are used.
    fn columns(self) -> usize {
        self.width.clamp(NARROWEST, WIDEST)
    }

    /// The one for UTF-8, or the one for ASCII.
    fn pick<'a>(self, unicode: &'a str, ascii: &'a str) -> &'a str {
        if self.unicode { unicode } else { ascii }
    }
}

/// The screen of a run, with colour codes, each line ended. Where values were asked about, it is
/// what the laws say of them, and nothing else.
pub fn render(view: &View, screen: Screen) -> String {
    if !view.applied.is_empty() {
        return ended(chapters::applied(&view.applied, view.chapters.len() > 1, screen));
    }
    let mut parts = vec![text::wrap(&view.conclusion, screen.columns(), "", "")];
    // Of many parents, or of several questions, the table or the lanes of the one parent where the
    // answer is plainest stand for all; the others are told in little room.
    parts.extend(support::render(&view.support, screen));
    parts.extend(hazards::render(&view.hazards, screen));
    let is_one = view.chapters.len() < 2;
    if view.chapters.len() <= conclusion::MANY {
        let mut tables = 0;
        if is_one {
            for chapter in &view.chapters {
                parts.push(chapters::matrices(chapter, screen));
            }
            let shown = match view.sections.get(view.featured) {
                Some(featured) if view.sections.len() > matrix::MANY => slice::from_ref(featured),
                _ => &view.sections,
            };
            if !shown.iter().all(|section| is_told(view, section)) {
                tables = shown.len();
                parts.extend(self::tables(view, shown, screen));
            }
        }
        let featured = view.sections.get(view.featured);
        if let Some(section) = featured.filter(|section| !is_told(view, section)) {
            // Right below its own table, the parent need not be named again.
            parts.push(lanes::render(section, tables != 1, screen));
        }
    }
    for chapter in &view.chapters {
        parts.push(self::chapter(view, chapter, screen));
    }
    if view.chapters.iter().any(|chapter| chapter.reproduction.is_some()) {
        let mut lines = text::wrap(finding::MACHINES_DIFFER, screen.columns(), "", "");
        lines.extend(chapters::tally(&view.chapters, screen));
        parts.push(lines);
    }
    parts.push(below(view, screen));
    parts.retain(|lines| !lines.is_empty());
    ended(parts.join(&String::new()))
}

/// What was found of every claim, with colour codes, each line ended; for `check`.
pub fn findings(claimed: &Claimed, screen: Screen) -> String {
    let mut lines = text::wrap(&claimed.source, screen.columns(), "", "");
    for part in claimed.parts.iter().filter(|part| !part.rows.is_empty()) {
        if claimed.parts.len() > 1 {
            lines.extend(chapters::heading(&part.title, screen));
        }
        lines.extend(chapters::findings(&part.rows, screen));
    }
    ended(lines)
}

/// Directories beside each other, with colour codes, each line ended; for `compare`.
pub fn comparison(view: &crate::show::comparison::View, screen: Screen) -> String {
    ended(comparison::render(view, screen).join(&String::new()))
}

/// More variants of a parent than this are told by the support table alone, if there is one.
const MOST_ROWS: usize = 12;

/// All that is known of each child that hung or crashed and whose evidence was kept, with colour
/// codes, each line ended; nothing if there is none.
pub fn evidence(view: &View, screen: Screen) -> String {
    match view.hazards.evidence.as_slice() {
        [] => "no child hung or crashed, so there is no evidence\n".to_owned(),
        all => ended(hazards::evidence(all, screen)),
    }
}

/// Whether a table of its workload's own tells all that a table of this section would.
fn is_told(view: &View, section: &Section) -> bool {
    if section.workload == Workload::Hazard.word() {
        return !view.hazards.is_empty();
    }
    let is_gap = section.workload == Workload::Gap.word();
    is_gap && !view.support.is_empty() && section.rows().count() > MOST_ROWS
}

/// The tables of these sections, those of each workload in line.
fn tables(view: &View, sections: &[Section], screen: Screen) -> Vec<Vec<String>> {
    sections
        .chunk_by(|one, next| one.workload == next.workload)
        .map(|sections| match sections[0].columns.is_empty() {
            true => table::render(view, sections, screen),
            false => columns::render(sections, screen),
        })
        .collect()
}

/// What one scenario says beyond the tables: of several, its question and its laws in words; of
/// one, the table of its laws; and its findings.
fn chapter(view: &View, chapter: &Chapter, screen: Screen) -> Vec<String> {
    let mut parts: Vec<Vec<String>> = Vec::new();
    if view.chapters.len() > 1 {
        let mut lines = chapters::title(chapter, screen);
        if view.chapters.len() > conclusion::MANY && !chapter.laws.is_empty() {
            lines.extend(text::wrap(&chapter.laws.join(" "), screen.columns(), " ", " "));
        }
        parts.push(lines);
    }
    let is_short = view.chapters.len() <= conclusion::MANY;
    if is_short && view.chapters.len() > 1 {
        if chapter.matrices.is_empty() {
            parts.extend(tables(view, &chapter.sections, screen));
        } else {
            parts.push(chapters::matrices(chapter, screen));
        }
    }
    if is_short {
        parts.push(chapters::laws(chapter, screen));
    } else if chapter.laws.is_empty() && chapter.findings.is_empty() {
        let text =
            "no law and no claim: its figures are told by --format csv, or by a run of its own";
        parts.push(text::wrap(text, screen.columns(), " ", " "));
    }
    match &chapter.reproduction {
        Some(reproduction) => parts.push(chapters::reproduction(chapter, reproduction, screen)),
        None => parts.push(chapters::findings(&chapter.findings, screen)),
    }
    parts.retain(|lines| !lines.is_empty());
    // Below a title stands what belongs to it.
    if is_short { parts.join(&String::new()) } else { parts.concat() }
}

/// What stands below all tables.
fn below(view: &View, screen: Screen) -> Vec<String> {
    let mut lines = Vec::new();
    for line in &view.trust {
        lines.extend(entry("trust", Style::new(), line, screen));
    }
    lines.extend(view.spark.as_ref().and_then(|spark| spark::render(spark, screen)));
    lines.extend(warnings(view, screen));
    lines.extend(next(view, screen));
    lines
}

/// The lines as one text.
fn ended(lines: Vec<String>) -> String {
    let mut text = lines.iter().map(|line| line.trim_end()).collect::<Vec<_>>().join("\n");
    text.push('\n');
    text
}

/// Columns in front of an entry: its kind.
const MARGIN: usize = 9;

/// A line under the table: its kind in the margin, the text beside it.
fn entry(kind: &str, style: Style, text: &str, screen: Screen) -> Vec<String> {
    let margin = " ".repeat(MARGIN);
    let mut lines = text::wrap(text, screen.columns(), &margin, &margin);
    if let Some(first) = lines.first_mut() {
        first.replace_range(..MARGIN, &format!("{style}{kind:<MARGIN$}{style:#}"));
    }
    lines
}

/// How many warnings about the machine are shown; `forkbench env` knows the others.
const DISTURBANCES: usize = 3;

/// The warnings: of each word the worst, and of the machine the weightiest.
fn warnings(view: &View, screen: Screen) -> Vec<String> {
    let yellow = AnsiColor::Yellow.on_default().bold();
    let is_of_machine = |warning: &&Warning| matches!(warning, Warning::Machine(_));
    let (machine, run): (Vec<&Warning>, Vec<&Warning>) =
        view.warnings.iter().partition(is_of_machine);
    let mut texts: Vec<String> = Vec::new();
    for alike in run.chunk_by(|one, next| one.word() == next.word()) {
        let more = match alike.len() - 1 {
            0 => String::new(),
            more => format!("; {more} more like it (--format json)"),
        };
        texts.push(format!("{}: {}{more}", alike[0].word(), alike[0]));
    }
    let shown = machine.iter().take(DISTURBANCES);
    texts.extend(shown.map(|warning| format!("{}: {warning}", warning.word())));
    if machine.len() > DISTURBANCES {
        let more = machine.len() - DISTURBANCES;
        texts.push(format!("and {more} more about this machine: forkbench env"));
    }
    texts.iter().flat_map(|text| entry("warning", yellow, text, screen)).collect()
}

/// What to run next: commands in one column, and why in another where there is room.
fn next(view: &View, screen: Screen) -> Vec<String> {
    let longest = view.next.iter().map(|next| next.command.chars().count()).max().unwrap_or(0);
    let reasons = view.next.iter().map(|next| next.why.chars().count()).max().unwrap_or(0);
    let bold = Style::new().bold();
    let beside = MARGIN + longest + 3 + reasons <= screen.columns();
    let mut lines = Vec::new();
    for next in &view.next {
        if beside {
            let command = format!("{bold}{:<longest$}{bold:#}", next.command);
            lines.push(format!("{:<MARGIN$}{command}   {}", "next", next.why));
        } else {
            lines.extend(entry("next", Style::new(), &next.command, screen));
            lines.extend(entry("", Style::new(), &next.why, screen));
        }
    }
    lines
}

/// The colour of a mechanism.
fn colour(mechanism: &str) -> Style {
    let colour = match palette::look(mechanism).ansi {
        1 => AnsiColor::Red,
        2 => AnsiColor::Green,
        3 => AnsiColor::Yellow,
        4 => AnsiColor::Blue,
        5 => AnsiColor::Magenta,
        6 => AnsiColor::Cyan,
        // White is invisible on a light screen: the colour of text is left as it is.
        _ => return Style::new(),
    };
    colour.on_default()
}

fn is_utf8(locale: &str) -> bool {
    let locale = locale.to_ascii_lowercase();
    locale.contains("utf-8") || locale.contains("utf8")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::analyse::columns::{ColumnSummary, Entry};
    use crate::analyse::contrasts::{Contrast, Reason};
    use crate::analyse::summary;
    use crate::model::workload;
    use crate::show::example::{self, FORK, NONE, POSIX_SPAWN, Spawn, VFORK};
    use crate::show::law::{Applied, AppliedRow};
    use crate::show::warning::Disturbance;

    const SCREEN: Screen = Screen { width: 100, unicode: true };

    fn plain(view: &View, screen: Screen) -> String {
        anstream::adapter::strip_str(&render(view, screen)).to_string()
    }

    fn claimed(view: &View) -> Claimed {
        Claimed::of_view(view, true)
    }

    #[test]
    fn first_screen_at_every_width() {
        let view = example::view(&example::first_screen());
        insta::assert_snapshot!("100_columns", plain(&view, SCREEN));
        insta::assert_snapshot!("80_columns", plain(&view, Screen { width: 80, ..SCREEN }));
        insta::assert_snapshot!("60_columns", plain(&view, Screen { width: 60, ..SCREEN }));
        insta::assert_snapshot!("40_columns", plain(&view, Screen { width: 40, ..SCREEN }));
    }

    #[test]
    fn ascii_alone_where_the_locale_knows_no_more() {
        let view = example::view(&example::first_screen());
        let screen = plain(&view, Screen { unicode: false, ..SCREEN });
        assert!(screen.is_ascii(), "{screen}");
        insta::assert_snapshot!("ascii", screen);
    }

    #[test]
    fn blocks_in_the_order_of_time_where_there_is_room() {
        let view = example::view(&example::with_blocks(example::first_screen()));
        let line = |width: usize, unicode: bool| {
            let screen = plain(&view, Screen { width, unicode });
            screen.lines().find(|line| line.starts_with("blocks")).map(str::to_owned)
        };
        assert_eq!(
            line(100, true).unwrap(),
            "blocks   fork, 24.2 ms to 56.5 ms  ██████████│▁▁▁▁▁▁▁▁▁▁│▁▁▁▁▁▁▁▁▁▁│▁▁▁▁▁▁▁▁▁▁│\
             ▁▁▁▁▁▁▁▁▁▁"
        );
        assert!(line(80, false).unwrap().is_ascii());
        assert_eq!(line(40, true), None);
    }

    #[test]
    fn several_shapes_and_a_row_without_figures() {
        let empty = [&FORK, &VFORK, &POSIX_SPAWN].map(example::empty);
        let mut summary = example::summary(
            &[("empty", &empty), ("rss=1GiB", &[NONE, FORK, VFORK, POSIX_SPAWN])],
            "posix_spawn",
        );
        example::refuse(
            &mut summary,
            "pidfd_spawn",
            "glibc 2.36 has no pidfd_spawn (it came with 2.39), and there is nothing to call instead",
        );
        insta::assert_snapshot!("several_shapes", plain(&example::view(&summary), SCREEN));
    }

    #[test]
    fn a_workload_has_columns_and_sentences_of_its_own() {
        let mut summary = example::cow();
        let view = example::view(&summary);
        insta::assert_snapshot!("workload_100_columns", plain(&view, SCREEN));
        let narrow = plain(&view, Screen { width: 50, ..SCREEN });
        insta::assert_snapshot!("workload_50_columns", narrow);
        assert!(narrow.lines().all(|line| line.chars().count() <= 50), "{narrow}");
        // A figure that is none is a word, and too few samples are told.
        let main = workload::row(Workload::Cow).main().unwrap().0;
        summary.variants[0].columns[main] =
            ColumnSummary { entry: Entry::Void, launches: Vec::new(), versus: None };
        summary.variants[1].columns[main].entry = Entry::Needs(299);
        let told = plain(&example::view(&summary), SCREEN);
        assert!(told.contains("n>=299") && !told.contains("2.11 us"), "{told}");
        example::refuse(&mut summary, "pidfd_spawn", "glibc has none");
        let told = plain(&example::view(&summary), SCREEN);
        assert!(!told.contains("stops its caller"), "{told}");
    }

    #[test]
    fn few_samples_and_long_names() {
        let few = Spawn { count: 4, ..FORK };
        let long = Spawn { mechanism: "extern:/opt/somewhere/python3 -m spawner", ..VFORK };
        let summary = example::summary(&[("rss=1GiB fds=10000", &[few, long])], "posix_spawn");
        insta::assert_snapshot!("few_samples", plain(&example::view(&summary), SCREEN));
    }

    #[test]
    fn ratios_and_counts_that_need_a_word() {
        let wide = Spawn { mechanism: "clone3-cgroup", ..VFORK };
        let spawns = [NONE, FORK, wide, Spawn { mechanism: "thread", ..VFORK }, POSIX_SPAWN];
        let mut summary = example::summary(&[("rss=1GiB", &spawns)], "posix_spawn");
        for (variant, reason) in
            [(1, Reason::TooFewSamples { needed: 4, count: 2 }), (3, Reason::NotInOneBlock)]
        {
            for interval in &mut summary.variants[variant].intervals {
                interval.versus_p50 = Some(Contrast::NotShown(reason));
            }
        }
        summary.warnings = vec![summary::Warning::FaultsFromRusage];
        insta::assert_snapshot!("reasons", plain(&example::view(&summary), SCREEN));
    }

    #[test]
    fn warnings_leave_room_for_the_rest() {
        let mut view = example::view(&example::first_screen());
        let contended =
            |label: &str| Warning::Contended { label: label.to_owned(), part: 9, whole: 11 };
        view.warnings = vec![Warning::OneLaunch, contended("fork"), contended("clone3")];
        view.warnings.extend((0..5).map(|number| {
            let (id, text) = (format!("word-{number}"), format!("text {number}"));
            Warning::Machine(Disturbance { id, text })
        }));
        let told = warnings(&view, SCREEN);
        let told: Vec<String> =
            told.iter().map(|line| anstream::adapter::strip_str(line).to_string()).collect();
        assert_eq!(
            told,
            [
                "warning  one-launch: all blocks come from one parent: nothing is known of how \
                 parents differ; use",
                "         --launches 10",
                "warning  contended: something else had the processor in 9 of 11 samples of fork; \
                 1 more like it",
                "         (--format json)",
                "warning  word-0: text 0",
                "warning  word-1: text 1",
                "warning  word-2: text 2",
                "warning  and 2 more about this machine: forkbench env",
            ]
        );
    }

    #[test]
    fn a_sweep_with_its_law_at_every_width() {
        let view = example::view(&example::sweep());
        insta::assert_snapshot!("sweep_100_columns", plain(&view, SCREEN));
        insta::assert_snapshot!("sweep_80_columns", plain(&view, Screen { width: 80, ..SCREEN }));
        insta::assert_snapshot!("sweep_60_columns", plain(&view, Screen { width: 60, ..SCREEN }));
        insta::assert_snapshot!("sweep_40_columns", plain(&view, Screen { width: 40, ..SCREEN }));
        let screen = plain(&view, Screen { unicode: false, ..SCREEN });
        assert!(screen.is_ascii(), "{screen}");
    }

    #[test]
    fn what_was_published_stands_beside_what_was_measured() {
        let view = example::view(&example::published());
        insta::assert_snapshot!("published_100_columns", plain(&view, SCREEN));
        insta::assert_snapshot!(
            "published_50_columns",
            plain(&view, Screen { width: 50, ..SCREEN })
        );
    }

    /// The sweep four times over, under other names, the second of them published.
    fn many_scenarios() -> summary::Summary {
        let mut summary = example::published();
        for number in 1..4 {
            let name = format!("rss-{number}");
            let mut scenario = summary.scenarios[0].clone();
            scenario.name = name.clone();
            scenario.source = scenario.source.filter(|_| number == 2);
            summary.scenarios.push(scenario);
            let laws = summary.laws[..3].to_vec();
            summary.laws.extend(laws.into_iter().map(|mut law| {
                law.scenario = name.clone();
                law
            }));
            let findings = summary.findings[..4].to_vec();
            summary.findings.extend(findings.into_iter().map(|mut finding| {
                finding.scenario = name.clone();
                finding
            }));
        }
        summary
    }

    #[test]
    fn many_scenarios_are_told_one_by_one() {
        let view = example::view(&many_scenarios());
        insta::assert_snapshot!("many_scenarios", plain(&view, SCREEN));
    }

    #[test]
    fn a_few_scenarios_have_their_tables() {
        let mut summary = example::sweep();
        let mut other = summary.scenarios[0].clone();
        other.name = "mechanisms".to_owned();
        other.about = "What does each mechanism cost in an empty parent?".to_owned();
        summary.scenarios.push(other);
        // The rows of the first parent are the other question's.
        for (position, variant) in summary.variants.iter_mut().enumerate() {
            variant.row.scenario = if position < 3 { "mechanisms" } else { "rss" }.to_owned();
            if position < 3 {
                variant.row.label += " env-bytes=0";
            }
        }
        insta::assert_snapshot!("few_scenarios", plain(&example::view(&summary), SCREEN));
    }

    #[test]
    fn what_check_prints() {
        let view = example::view(&example::sweep());
        let told =
            |screen| anstream::adapter::strip_str(&findings(&claimed(&view), screen)).to_string();
        insta::assert_snapshot!("findings_100_columns", told(SCREEN));
        insta::assert_snapshot!("findings_60_columns", told(Screen { width: 60, ..SCREEN }));
        let view = example::view(&many_scenarios());
        assert_eq!(findings(&claimed(&view), SCREEN).matches("HOLDS").count(), 4);
    }

    #[test]
    fn a_value_that_was_asked_about_is_the_whole_answer() {
        let mut view = example::view(&example::sweep());
        let row = |series: &str, kind: Option<&'static str>, text: &str| AppliedRow {
            series: series.to_owned(),
            mechanism: series.to_owned(),
            interval: "blocked".to_owned(),
            value_ns: None,
            low_ns: None,
            high_ns: None,
            kind,
            text: text.to_owned(),
        };
        view.applied = vec![Applied {
            scenario: "rss".to_owned(),
            axis: "rss".to_owned(),
            at: "20GiB".to_owned(),
            measured: ["0".to_owned(), "4GiB".to_owned()],
            rows: vec![
                row("fork", Some("extrapolated"), "346 ms (330 to 362)"),
                row("vfork", None, "no line: it takes three points, and there are 2 points"),
            ],
        }];
        insta::assert_snapshot!("applied", plain(&view, SCREEN));
        insta::assert_snapshot!("applied_40", plain(&view, Screen { width: 40, ..SCREEN }));
    }

    #[test]
    fn nothing_at_all() {
        let summary = example::summary(&[], "posix_spawn");
        insta::assert_snapshot!("nothing", plain(&example::view(&summary), SCREEN));
    }

    #[test]
    fn colour_tells_nothing_that_text_does_not() {
        let view = example::view(&example::first_screen());
        let coloured = render(&view, SCREEN);
        assert!(coloured.contains("\u{1b}[31m"), "fork is red");
        assert!(!plain(&view, SCREEN).contains('\u{1b}'));
    }

    #[test]
    fn locales_are_understood() {
        for (locale, expected) in
            [("C", false), ("POSIX", false), ("en_US.UTF-8", true), ("C.utf8", true), ("", false)]
        {
            assert_eq!(is_utf8(locale), expected, "{locale}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn no_line_is_wider_than_the_screen(
            width in 0usize..130,
            unicode in any::<bool>(),
            name in "[a-z0-9=/. <>~-]{1,60}",
            shape in "[a-z]{1,8}=[0-9]{1,30}",
            blocked in 1.0..1e11,
            count in 0usize..400,
        ) {
            // The example takes names that live as long as the program.
            let name: &'static str = name.leak();
            let odd = Spawn { mechanism: name, blocked, count, copies: count % 2 == 0, ..FORK };
            let spawns = [NONE, FORK, odd, POSIX_SPAWN];
            let mut summary =
                example::summary(&[(shape.as_str(), &spawns), ("empty", &spawns)], "posix_spawn");
            example::refuse(&mut summary, "system", name);
            let screen = Screen { width, unicode };
            for line in plain(&example::view(&summary), screen).lines() {
                prop_assert!(line.chars().count() <= screen.columns(), "{line:?} at {width}");
            }
        }

        #[test]
        fn no_line_of_laws_and_findings_is_wider_than_the_screen(
            width in 0usize..130,
            unicode in any::<bool>(),
            name in "[a-z0-9=/. <>~-]{1,60}",
            place in "[a-z]{1,8}=[0-9]{1,40}",
            figure in 1e-3..1e13f64,
            is_many in any::<bool>(),
        ) {
            let mut summary = if is_many { many_scenarios() } else { example::published() };
            for law in &mut summary.laws {
                law.series = format!("{name} {}", law.series);
                law.points[4].label = place.clone();
                if let Some(fit) = &mut law.fit {
                    fit.intercept = -figure;
                    fit.slopes[0].value = figure;
                }
            }
            for finding in &mut summary.findings {
                finding.claim.name = name.clone();
                finding.claim.because = Some(place.clone());
                if let Some(measured) = &mut finding.measured {
                    measured.value = figure;
                }
            }
            for (position, variant) in summary.variants.iter_mut().enumerate() {
                variant.row.shape = format!("{place}{}", position / 3);
                variant.row.label = format!("{} {name}{}", variant.row.shape, position % 3);
            }
            summary.published[0].published.at.0[0].value = name.clone();
            summary.published[1].why = place;
            let screen = Screen { width, unicode };
            let view = example::view(&summary);
            let both = plain(&view, screen)
                + &anstream::adapter::strip_str(&findings(&claimed(&view), screen)).to_string();
            for line in both.lines() {
                prop_assert!(line.chars().count() <= screen.columns(), "{line:?} at {width}");
            }
        }
    }
}
