//! The documents as the tests read them: fenced blocks, sections, tables, words between backticks.

use std::fs;
use std::path::{Path, PathBuf};

/// Every document of the project, in the order in which a newcomer reads them.
pub(crate) const DOCUMENTS: [&str; 8] = [
    "README.md",
    "TUTORIAL.md",
    "METHODOLOGY.md",
    "SCENARIOS.md",
    "FORMAT.md",
    "BIAS.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
];

/// A fenced block of a document.
pub(crate) struct Block {
    /// Where it stands, for messages.
    pub(crate) place: String,
    /// What follows the fence: `sh`, `toml`, `text`.
    pub(crate) language: String,
    /// What it holds, each line with its end.
    pub(crate) text: String,
    /// Why it is not to be run.
    pub(crate) not_run: Option<String>,
    /// The command whose output it is.
    pub(crate) screen: Option<String>,
}

impl Block {
    /// Its name, where its first line is a comment with one: `# NAME` or `-- NAME`.
    pub(crate) fn name(&self) -> Option<&str> {
        let first = self.text.lines().next()?;
        let name = first.strip_prefix("# ").or(first.strip_prefix("-- "))?;
        let name = name.split(':').next()?;
        (name.contains('.') && !name.contains(' ')).then_some(name)
    }
}

/// The root of the project.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The text of a document.
pub(crate) fn read(document: &str) -> String {
    let path = root().join(document);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The fenced blocks of a document, in order.
pub(crate) fn blocks(document: &str) -> Vec<Block> {
    let text = read(document);
    let mut blocks: Vec<Block> = Vec::new();
    let mut lines = text.lines().enumerate();
    let mut before = "";
    while let Some((number, line)) = lines.next() {
        if let Some(language) = line.strip_prefix("```") {
            let inside: Vec<&str> =
                lines.by_ref().map(|(_, line)| line).take_while(|line| *line != "```").collect();
            blocks.push(Block {
                place: format!("{document}:{}", number + 1),
                language: language.to_owned(),
                text: inside.iter().map(|line| format!("{line}\n")).collect(),
                not_run: comment(before, "not run"),
                screen: comment(before, "screen"),
            });
        }
        before = line;
    }
    blocks
}

/// What stands in `<!-- KIND: .. -->`.
pub(crate) fn comment(line: &str, kind: &str) -> Option<String> {
    let text = line.strip_prefix(&format!("<!-- {kind}:"))?;
    Some(text.trim_end_matches("-->").trim().to_owned())
}

/// The block of a document that has this name.
pub(crate) fn named(document: &str, name: &str) -> String {
    let block = blocks(document).into_iter().find(|block| block.name() == Some(name));
    block.unwrap_or_else(|| panic!("{document} has no block {name}")).text
}

/// A document without its fenced blocks.
pub(crate) fn without_blocks(text: &str) -> String {
    text.split("```").step_by(2).collect()
}

/// What stands between a heading and the next one of its kind.
pub(crate) fn section<'a>(text: &'a str, heading: &str) -> &'a str {
    let (_, rest) =
        text.split_once(heading).unwrap_or_else(|| panic!("there is no heading {heading:?}"));
    rest.split("\n## ").next().unwrap()
}

/// The rows of the first table whose first heading is `title`, cells trimmed.
pub(crate) fn table(text: &str, title: &str) -> Vec<Vec<String>> {
    let start = format!("| {title} |");
    let rows: Vec<Vec<String>> = text
        .lines()
        .skip_while(|line| !line.starts_with(&start))
        .skip(2)
        .take_while(|line| line.starts_with('|'))
        .map(|line| line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect())
        .collect();
    assert!(!rows.is_empty(), "there is no table of {title}");
    rows
}

/// The first cells of a table, each one name between backticks.
pub(crate) fn first_cells(text: &str, title: &str) -> Vec<String> {
    table(text, title).iter().map(|cells| cells[0].trim_matches('`').to_owned()).collect()
}

/// What stands between backticks, outside fenced blocks.
pub(crate) fn quoted(text: &str) -> Vec<String> {
    without_blocks(text).split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// The headings of a text, as anchors.
pub(crate) fn anchors(text: &str) -> Vec<String> {
    let headings = without_blocks(text);
    let headings = headings.lines().filter(|line| line.starts_with('#'));
    headings.map(|line| slug(line.trim_start_matches('#').trim())).collect()
}

/// The anchor of a heading, as the forges make it.
fn slug(heading: &str) -> String {
    heading
        .to_lowercase()
        .chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}

/// Where results are of which the documents tell, and whether this copy of the project has them: a
/// package without its results has not.
pub(crate) fn study() -> Option<PathBuf> {
    let study = root().join("results/reference/main");
    study.is_dir().then_some(study)
}
