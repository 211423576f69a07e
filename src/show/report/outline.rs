//! A page in an order of somebody's own: a study. An outline says which part shows what of which
//! results directory; every figure on the page comes from there, and none stands in the outline.
//!
//! Owns the words of an outline and its errors. What a word shows is made by the other files of this
//! module, so that a study and the page of one directory cannot disagree.

use std::fmt;
use std::path::PathBuf;

use serde::Deserialize;
use serde::de::{self, Deserializer, SeqAccess, Visitor};

use super::pictures::{self, Gallery};
use super::source::Read;
use super::{Report, Run, answer, evidence, machine, many, methods, quality, reproduce, verdict};
use crate::model::did_you_mean;
use crate::show::document::{Block, Document, Figure, Part};
use crate::show::plots;
use crate::show::published::Published;
use crate::show::tables;
use crate::show::view::View;

/// What is wrong with an outline: what stands there, and what is allowed.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct OutlineError(String);

/// A study, as its file says it.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outline {
    /// The heading of the page.
    title: String,
    /// What the page answers: one paragraph.
    #[serde(default)]
    text: String,
    /// The picture at the top, `DIR:NAME`.
    picture: Option<String>,
    /// The parts of the page.
    #[serde(default, rename = "part")]
    parts: Vec<Planned>,
}

/// A part of a study.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Planned {
    /// Its heading.
    title: String,
    /// Paragraphs, an empty line between them, or a list of paragraphs.
    #[serde(default, deserialize_with = "texts")]
    text: Vec<String>,
    /// The results directories, relative to the working directory.
    #[serde(default, deserialize_with = "texts")]
    from: Vec<String>,
    /// What is shown of them, in this order.
    #[serde(default)]
    show: Vec<String>,
    /// Parts of it.
    #[serde(default, rename = "part")]
    parts: Vec<Planned>,
}

/// One thing that a part can show of its directories.
pub struct Word {
    /// The word.
    pub word: &'static str,
    /// What it shows.
    pub about: &'static str,
    show: fn(&Run, Place<'_>) -> Vec<Block>,
}

/// Where a run stands on the page.
#[derive(Clone, Copy)]
struct Place<'a> {
    gallery: &'a Gallery,
    index: usize,
}

/// The words that show something of one directory; beside them there are `comparison`,
/// `differences`, `all-published` and `picture:NAME`.
pub static WORDS: [Word; 14] = [
    Word {
        word: "answer",
        about: "the answer in a paragraph; of a check its verdict",
        show: |run, _| vec![Block::Text(answer::of_run(run))],
    },
    Word {
        word: "figure",
        about: "the picture of the answer",
        show: |run, place| {
            place.gallery.answer(run, place.index).map(Block::Figure).into_iter().collect()
        },
    },
    Word {
        word: "verdict",
        about: "the rows of a check",
        show: |run, _| {
            let part = run.gated.as_ref().map(|gated| verdict::part(gated, String::new()));
            blocks(part)
        },
    },
    Word {
        word: "claims",
        about: "every claim, with what was found of it",
        show: |run, _| of_chapters(run, |chapter| verdict::claims(chapter, String::new())),
    },
    Word {
        word: "published",
        about: "what was published, and what is measured here",
        show: |run, _| of_chapters(run, |chapter| verdict::published(chapter, String::new())),
    },
    Word {
        word: "table",
        about: "the table of each parent, or of many their matrix",
        show: |run, _| evidence::tables(run),
    },
    Word {
        word: "laws",
        about: "how it grows, in tables; the answer has it in words",
        show: |run, _| of_chapters(run, |chapter| evidence::laws(&[], &chapter.tables, "")),
    },
    Word {
        word: "pictures",
        about: "every picture",
        show: |run, place| {
            let figure = |picture| Block::Figure(place.gallery.figure(run, place.index, picture));
            run.pictures.iter().map(figure).collect()
        },
    },
    Word {
        word: "machine",
        about: "where it was measured",
        show: |run, _| machine::part(&run.environment, String::new()).blocks,
    },
    Word {
        word: "quality",
        about: "how well each variant is known",
        show: |run, _| blocks(Some(quality::part(run, String::new()))),
    },
    Word {
        word: "warnings",
        about: "every warning, with what it means",
        show: |run, _| match quality::every_warning(&run.view) {
            none if none.is_empty() => vec![Block::Text("No warning.".to_owned())],
            some => some,
        },
    },
    Word {
        word: "methods",
        about: "how it was made, in a paragraph",
        show: |run, _| methods::part(run, String::new()).blocks,
    },
    Word {
        word: "limits",
        about: "what the numbers are not",
        show: |run, _| methods::limits(run, String::new()).blocks,
    },
    Word {
        word: "again",
        about: "the commands that measure and show it again",
        show: |run, _| reproduce::part(run, String::new()).blocks,
    },
];

/// What shows several directories of a part at once.
const COMPARISON: &str = "comparison";
const DIFFERENCES: &str = "differences";
const ALL_PUBLISHED: &str = "all-published";
/// What stands before the name of a picture.
const PICTURE: &str = "picture:";

/// The blocks of a part and of those in it.
fn blocks(part: Option<Part>) -> Vec<Block> {
    let Some(part) = part else { return Vec::new() };
    part.blocks.into_iter().chain(part.parts.into_iter().flat_map(|one| one.blocks)).collect()
}

fn of_chapters(
    run: &Run,
    part: impl Fn(&crate::show::chapter::Chapter) -> Option<Part>,
) -> Vec<Block> {
    run.view.chapters.iter().flat_map(|chapter| blocks(part(chapter))).collect()
}

impl Outline {
    /// Reads an outline; `file` is its name in errors.
    ///
    /// # Errors
    ///
    /// If it is no TOML, has a key that is none or lacks one, shows what there is not, or says a
    /// figure itself.
    pub fn parse(file: &str, text: &str) -> Result<Outline, OutlineError> {
        let wrong = |what: String| OutlineError(format!("{file}: {what}"));
        let outline: Outline =
            toml::from_str(text).map_err(|error| wrong(error.to_string().trim_end().to_owned()))?;
        if outline.text.trim().contains("\n\n") {
            return Err(wrong(
                "`text` of the page is one paragraph; put others into parts".to_owned(),
            ));
        }
        if let Some(picture) = &outline.picture {
            of_directory(picture).map_err(wrong)?;
        }
        says_no_figure("the page", std::slice::from_ref(&outline.text)).map_err(wrong)?;
        for part in &outline.parts {
            part.check().map_err(wrong)?;
            for inner in &part.parts {
                inner.check().map_err(wrong)?;
                if !inner.parts.is_empty() {
                    return Err(wrong(format!(
                        "part `{}` stands in a part and has parts itself: one level is all there is",
                        inner.title
                    )));
                }
            }
        }
        Ok(outline)
    }

    /// The directories that it names, each once, in their order.
    pub fn directories(&self) -> Vec<PathBuf> {
        let mut all: Vec<PathBuf> = Vec::new();
        let inner = self.parts.iter().flat_map(|part| std::iter::once(part).chain(&part.parts));
        let named = inner.flat_map(|part| part.from.iter().map(String::as_str));
        let picture = self.picture.iter().filter_map(|text| Some(of_directory(text).ok()?.0));
        for directory in picture.chain(named).map(PathBuf::from) {
            if !all.contains(&directory) {
                all.push(directory);
            }
        }
        all
    }

    /// The page of it. `read` is what was read of [`Outline::directories`], in their order.
    ///
    /// # Errors
    ///
    /// If a picture is named that there is not, or a directory has nothing of what is to be shown.
    pub fn document(&self, read: Read, command: &str) -> Result<Document, OutlineError> {
        let Read { runs, results } = read;
        let report =
            Report { runs, comparison: None, together: Vec::new(), command: command.to_owned() };
        let page = Page { gallery: Gallery::of(&report), report: &report, results: &results };
        let picture = self.picture.as_deref().map(|text| {
            let (directory, name) = of_directory(text).map_err(OutlineError)?;
            let index = page.index(directory);
            page.picture(index, name).map_err(OutlineError)
        });
        let mut parts = Vec::new();
        for (place, part) in self.parts.iter().enumerate() {
            let id = format!("part-{}", place + 1);
            parts.push(page.part(part, &id).map_err(OutlineError)?);
        }
        Ok(Document {
            title: self.title.clone(),
            answer: self.text.trim().replace('\n', " "),
            picture: picture.transpose()?,
            parts,
            command: command.to_owned(),
            made_by: super::made_by(),
        })
    }
}

impl Planned {
    fn check(&self) -> Result<(), String> {
        let title = &self.title;
        says_no_figure(&format!("part `{title}`"), &self.text)?;
        if self.from.is_empty() && !self.show.is_empty() {
            return Err(format!(
                "part `{title}` shows something and names no results directory: give it `from`"
            ));
        }
        for word in &self.show {
            let is_known = word.starts_with(PICTURE) || words().any(|known| known == word);
            if !is_known {
                let all: Vec<&str> = words().collect();
                return Err(format!(
                    "part `{title}` shows `{word}`, which is nothing{}; there are {}, and \
                     {PICTURE}NAME",
                    did_you_mean(word, words()),
                    all.join(", ")
                ));
            }
        }
        Ok(())
    }
}

/// Every word that stands by itself.
pub fn words() -> impl Iterator<Item = &'static str> {
    WORDS.iter().map(|one| one.word).chain([COMPARISON, DIFFERENCES, ALL_PUBLISHED])
}

/// `DIR:NAME` in its two parts.
fn of_directory(text: &str) -> Result<(&str, &str), String> {
    text.rsplit_once(':')
        .filter(|(directory, name)| !directory.is_empty() && !name.is_empty())
        .ok_or_else(|| format!("picture `{text}`: give DIR:NAME, such as results/rss:law-rss.svg"))
}

/// A page of an outline while it is made.
struct Page<'a> {
    report: &'a Report,
    gallery: Gallery,
    results: &'a [crate::analyse::groups::Results],
}

impl Page<'_> {
    fn index(&self, directory: &str) -> usize {
        let is_it = |run: &Run| run.path == directory;
        self.report.runs.iter().position(is_it).expect("every directory was read")
    }

    fn part(&self, planned: &Planned, id: &str) -> Result<Part, String> {
        let mut blocks: Vec<Block> = planned.text.iter().cloned().map(Block::Text).collect();
        let indices: Vec<usize> = planned.from.iter().map(|one| self.index(one)).collect();
        for word in &planned.show {
            blocks.extend(self.shown(&planned.title, word, &indices)?);
        }
        for &index in &indices {
            let run = &self.report.runs[index];
            match reproduce::measured(run) {
                Some(command) => {
                    blocks.push(Block::Text(format!("{} was measured by this:", run.path)));
                    blocks.push(Block::Commands(vec![command]));
                }
                None => blocks.push(Block::Text(format!(
                    "{}: the command that measured it is not told.",
                    run.path
                ))),
            }
        }
        let mut part = Part::new(id, planned.title.clone(), blocks);
        for (place, inner) in planned.parts.iter().enumerate() {
            part.parts.push(self.part(inner, &format!("{id}-{}", place + 1))?);
        }
        Ok(part)
    }

    /// What a word shows of these runs, each figure and table with its command.
    fn shown(&self, title: &str, word: &str, indices: &[usize]) -> Result<Vec<Block>, String> {
        if let Some(name) = word.strip_prefix(PICTURE) {
            return self.pictures(title, name, indices);
        }
        if word == COMPARISON || word == DIFFERENCES {
            return self.beside(title, word, indices);
        }
        if word == ALL_PUBLISHED {
            return self.published(title, indices);
        }
        let found = WORDS.iter().find(|one| one.word == word).expect("checked when read");
        let mut all = Vec::new();
        for &index in indices {
            let run = &self.report.runs[index];
            let blocks = (found.show)(run, Place { gallery: &self.gallery, index });
            let has_table = blocks.iter().any(|block| matches!(block, Block::Table(_)));
            for block in blocks {
                match block {
                    Block::Figure(figure) => all.extend(self.figure(index, figure)),
                    other => all.push(other),
                }
            }
            if has_table {
                all.push(Block::Commands(vec![self.command(word, run)]));
            }
        }
        if all.is_empty() {
            let paths: Vec<&str> =
                indices.iter().map(|&index| self.report.runs[index].path.as_str()).collect();
            return Err(format!(
                "part `{title}` shows `{word}`, and there is none in {}",
                paths.join(", ")
            ));
        }
        Ok(all)
    }

    /// The command that shows a table again.
    fn command(&self, word: &str, run: &Run) -> String {
        match word {
            "verdict" => format!("forkbench check {}", reproduce::quoted(&run.path)),
            "quality" => {
                format!("forkbench report {} -o quality.md", reproduce::quoted(&run.path))
            }
            _ => reproduce::shown(run),
        }
    }

    /// The command that draws a figure of a run again.
    fn drawn(&self, index: usize, figure: &Figure) -> Option<String> {
        let run = &self.report.runs[index];
        let is_it = |picture: &&crate::show::plots::Picture| picture.svg == figure.svg;
        run.pictures.iter().find(is_it).map(|picture| pictures::command(run, picture))
    }

    /// A figure with the command that draws it again, which its caption need not tell too.
    fn figure(&self, index: usize, figure: Figure) -> Vec<Block> {
        let Some(command) = self.drawn(index, &figure) else { return vec![Block::Figure(figure)] };
        let caption = format!("From {}:", self.report.runs[index].path);
        vec![Block::Figure(Figure { caption, ..figure }), Block::Commands(vec![command])]
    }

    /// The picture of that name, of each run that has it.
    fn pictures(&self, title: &str, name: &str, indices: &[usize]) -> Result<Vec<Block>, String> {
        let mut blocks = Vec::new();
        let mut wrong = None;
        for &index in indices {
            match self.picture(index, name) {
                Ok(figure) => blocks.extend(self.figure(index, figure)),
                Err(error) => wrong = Some(error),
            }
        }
        match wrong {
            Some(error) if blocks.is_empty() => Err(format!("part `{title}`: {error}")),
            _ => Ok(blocks),
        }
    }

    fn picture(&self, index: usize, name: &str) -> Result<Figure, String> {
        let run = &self.report.runs[index];
        let picture = find(run, name)?;
        Ok(self.gallery.figure(run, index, picture))
    }

    /// What was published of all directories of a part: one picture and one table.
    fn published(&self, title: &str, indices: &[usize]) -> Result<Vec<Block>, String> {
        let runs: Vec<&Run> = indices.iter().map(|&index| &self.report.runs[index]).collect();
        let views: Vec<&View> = runs.iter().map(|run| &run.view).collect();
        let sources = many::sources(&runs);
        let drawn = plots::published(&views, &sources).map_err(|error| error.to_string())?;
        let fits = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
        let place: String = title.chars().map(fits).collect();
        let figure = drawn.map(|picture| {
            Block::Figure(Figure {
                name: format!("published-{place}.svg"),
                caption: format!("{}. {sources}", picture.title),
                title: picture.title,
                alt: picture.alt,
                svg: picture.svg,
            })
        });
        let table = tables::published(&Published::of(&views)).map(Block::Table);
        let blocks: Vec<Block> = figure.into_iter().chain(table).collect();
        if blocks.is_empty() {
            return Err(format!(
                "part `{title}` shows `{ALL_PUBLISHED}`, and none of its directories reproduces \
                 anything"
            ));
        }
        let command = format!("forkbench report {sources} -o published.md");
        Ok(blocks.into_iter().chain([Block::Commands(vec![command])]).collect())
    }

    /// The directories of a part beside each other.
    fn beside(&self, title: &str, word: &str, indices: &[usize]) -> Result<Vec<Block>, String> {
        let results = indices.iter().filter_map(|&index| self.results.get(index).cloned());
        let results: Vec<_> = results.collect();
        let Some(comparison) = super::source::beside(&results) else {
            return Err(format!(
                "part `{title}` shows `{word}`, and no variant was measured in two of its \
                 directories"
            ));
        };
        let parts = many::parts(&comparison);
        let is_told = |part: &Part| (part.id == "differences") == (word == DIFFERENCES);
        let own = parts.into_iter().filter(is_told).flat_map(|part| blocks(Some(part)));
        let mut all: Vec<Block> = if word == COMPARISON {
            vec![Block::Text(comparison.headline.clone())]
        } else {
            Vec::new()
        };
        all.extend(own);
        let paths: Vec<String> =
            indices.iter().map(|&i| reproduce::quoted(&self.report.runs[i].path)).collect();
        all.push(Block::Commands(vec![format!("forkbench compare {}", paths.join(" "))]));
        Ok(all)
    }
}

/// The picture of that name, with or without its ending, among those of a run.
///
/// # Errors
///
/// Which there are.
pub fn find<'a>(run: &'a Run, name: &str) -> Result<&'a crate::show::plots::Picture, String> {
    let names = || run.pictures.iter().map(|picture| picture.name.as_str());
    let is_it = |known: &str| known == name || known.strip_suffix(".svg") == Some(name);
    run.pictures.iter().find(|picture| is_it(&picture.name)).ok_or_else(|| {
        let there = match names().next() {
            None => "it has none".to_owned(),
            Some(_) => format!("there are {}", names().collect::<Vec<_>>().join(", ")),
        };
        format!("{} has no picture `{name}`{}; {there}", run.path, did_you_mean(name, names()))
    })
}

/// What a number must not have behind it in the text of an outline: figures come from what is shown.
const UNITS: [&str; 16] = [
    "ns",
    "us",
    "µs",
    "μs",
    "ms",
    "s",
    "sec",
    "seconds",
    "microseconds",
    "milliseconds",
    "nanoseconds",
    "x",
    "times",
    "%",
    "percent",
    "per",
];

/// That paragraphs say no figure themselves.
fn says_no_figure(whose: &str, paragraphs: &[String]) -> Result<(), String> {
    match paragraphs.iter().find_map(|text| figure_in(text)) {
        None => Ok(()),
        Some(figure) => Err(format!(
            "the text of {whose} says `{figure}`: figures come from what is shown, so that none can \
             be wrong; say it without, and show the table or the picture"
        )),
    }
}

/// The first number with a unit.
fn figure_in(text: &str) -> Option<String> {
    let is_edge = |c: char| !c.is_alphanumeric() && c != '%';
    let mut words = text.split_whitespace().peekable();
    while let Some(word) = words.next() {
        let bare = word.trim_matches(is_edge);
        let digits = bare.find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | ',')));
        let (number, rest) = bare.split_at(digits.unwrap_or(bare.len()));
        if !number.starts_with(|c: char| c.is_ascii_digit()) {
            continue;
        }
        if UNITS.contains(&rest) && rest != "per" {
            return Some(bare.to_owned());
        }
        let ends = word.ends_with(|c: char| c.is_alphanumeric());
        if let (true, true, Some(next)) = (rest.is_empty(), ends, words.peek()) {
            let next = next.trim_matches(is_edge);
            if UNITS.contains(&next) {
                return Some(format!("{bare} {next}"));
            }
        }
    }
    None
}

/// One text, its paragraphs apart, or a list of texts.
fn texts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    struct Texts;
    impl<'de> Visitor<'de> for Texts {
        type Value = Vec<String>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a text or a list of texts")
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<Vec<String>, E> {
            let paragraphs = text.split("\n\n").map(|one| one.trim().replace('\n', " "));
            Ok(paragraphs.filter(|one| !one.is_empty()).collect())
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<String>, A::Error> {
            let mut all = Vec::new();
            while let Some(text) = list.next_element::<String>()? {
                all.push(text.trim().replace('\n', " "));
            }
            Ok(all)
        }
    }
    deserializer.deserialize_any(Texts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::show::example;
    use crate::show::report::fixture;

    fn wrong(text: &str) -> String {
        Outline::parse("study.toml", text).unwrap_err().to_string()
    }

    fn read(runs: Vec<Run>) -> Read {
        Read { runs, results: Vec::new() }
    }

    #[test]
    fn an_outline_is_a_page_in_its_own_order() {
        let text = "title = 'Why not fork?'\ntext = 'It copies.'\npicture = 'results/run:lanes'\n\
                    [[part]]\ntitle = 'What it costs'\ntext = '''\nOne.\n\nTwo\nlines.\n'''\n\
                    from = 'results/run'\nshow = ['answer', 'table', 'picture:latency.svg']\n\
                    [[part.part]]\ntitle = 'Inner'\nfrom = ['results/run']\nshow = ['methods']\n";
        let outline = Outline::parse("study.toml", text).unwrap();
        assert_eq!(outline.directories(), [PathBuf::from("results/run")]);
        let mut run = fixture::run(&example::first_screen());
        run.environment = fixture::environment("[tool]\ncommand_line = ['f', 'run', '--quiet']\n");
        let page = outline.document(read(vec![run]), "forkbench report --outline x").unwrap();
        assert_eq!((page.title.as_str(), page.answer.as_str()), ("Why not fork?", "It copies."));
        assert_eq!(page.picture.unwrap().name, "lanes.svg");
        let part = &page.parts[0];
        assert_eq!(part.blocks[1], Block::Text("Two lines.".to_owned()));
        let commands: Vec<&str> = part
            .blocks
            .iter()
            .filter_map(|block| match block {
                Block::Commands(lines) => Some(lines[0].as_str()),
                _ => None,
            })
            .collect();
        let expected = [
            "forkbench show results/run",
            "forkbench show results/run --picture latency.svg -o latency.svg",
            "forkbench run",
        ];
        assert_eq!(commands, expected);
        assert!(matches!(part.parts[0].blocks[0], Block::Quote(_)));
    }

    #[test]
    fn what_is_wrong_is_told_with_what_is_allowed() {
        let part = |rest: &str| format!("title = 'a'\n[[part]]\ntitle = 'b'\n{rest}\n");
        for (text, told) in [
            ("", "missing field `title`"),
            ("title = 'a'\nauthor = 'b'", "unknown field `author`, expected one of `title`"),
            ("title = 'a'\ntext = 'b\n\n\n\nc'", "expected"),
            (&part("from = 'x'\nshow = ['tabel']"), "did you mean `table`"),
            (&part("from = 'x'\nshow = ['nothing']"), "there are answer, figure, "),
            (&part("show = ['table']"), "names no results directory"),
            (&part("text = 3"), "a text or a list of texts"),
            (&part("text = 'It takes 24.4 ms.'"), "says `24.4 ms`"),
            (&part("[[part.part]]\ntitle='c'\n[[part.part.part]]\ntitle='d'"), "one level"),
            ("title = 'a'\npicture = 'x'", "give DIR:NAME"),
        ] {
            let error = wrong(text);
            assert!(error.starts_with("study.toml: ") && error.contains(told), "{text}: {error}");
        }
    }

    #[test]
    fn what_is_not_there_is_not_shown_in_silence() {
        let made = |show: &str| {
            let text = format!(
                "title = 'a'\n[[part]]\ntitle = 'b'\nfrom = 'results/run'\nshow = ['{show}']\n"
            );
            let outline = Outline::parse("study.toml", &text).unwrap();
            let runs = vec![fixture::run(&example::first_screen())];
            outline.document(read(runs), "").unwrap_err().to_string()
        };
        assert!(made("claims").contains("there is none in results/run"));
        let error = made("picture:lattency");
        assert!(error.contains("has no picture `lattency`"), "{error}");
        assert!(error.contains("there are forest.svg, "), "{error}");
    }

    #[test]
    fn numbers_with_units_are_figures_and_sizes_of_parents_are_not() {
        for text in ["24.4 ms", "it is 252x", "(95 %)", "12 times the", "0.4%,", "3 µs."] {
            assert!(figure_in(text).is_some(), "{text}");
        }
        for text in ["a parent of 1 GiB", "in 2019, some", "glibc 2.36. s", "8 threads", "x86"] {
            assert_eq!(figure_in(text), None, "{text}");
        }
    }

    #[test]
    fn every_word_is_explained_and_unique() {
        let all: Vec<&str> = words().collect();
        for (place, word) in all.iter().enumerate() {
            assert!(!all[..place].contains(word), "{word}");
        }
        assert!(WORDS.iter().all(|one| !one.about.is_empty()));
    }
}
