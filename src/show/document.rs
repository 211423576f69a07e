//! A page before it is written: headings, sentences, tables, figures, commands, as plain text.
//!
//! Owns what a page may consist of. Whoever makes a page decides nothing about markup, and whoever
//! writes one (the modules below) decides nothing about its words: every string in here is text
//! that may come from a file, and each writer escapes all of it.

pub mod html;
pub mod markdown;

/// A whole page.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Document {
    /// Its heading.
    pub title: String,
    /// The answer, in one sentence or two.
    pub answer: String,
    /// The picture that shows the answer.
    pub picture: Option<Figure>,
    /// What stands below, in its order.
    pub parts: Vec<Part>,
    /// The command that makes this page again, as it is typed.
    pub command: String,
    /// Who made it, in a line at the end.
    pub made_by: String,
}

/// A part of a page, under a heading of its own.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Part {
    /// What links lead to: letters, digits and hyphens, unique on the page.
    pub id: String,
    /// Its heading.
    pub title: String,
    /// What stands in it.
    pub blocks: Vec<Block>,
    /// Parts of it.
    pub parts: Vec<Part>,
    /// Whether it is evidence that a reader opens when wanted, and not read on the way.
    pub is_folded: bool,
}

/// One piece of a part.
#[derive(Clone, Debug, PartialEq)]
pub enum Block {
    /// A paragraph.
    Text(String),
    /// What to know before trusting what stands around it.
    Warning(String),
    /// Short sentences, each an entry.
    List(Vec<String>),
    /// Names and what they are.
    Facts(Vec<(String, String)>),
    /// A table.
    Table(Table),
    /// A picture.
    Figure(Figure),
    /// What is typed in a shell: a line each.
    Commands(Vec<String>),
    /// A paragraph to be pasted elsewhere.
    Quote(String),
}

/// A table. Every line has as many cells as there are columns, or is a heading of its own.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// What it shows; empty where the text before says it.
    pub caption: String,
    /// The columns.
    pub columns: Vec<Column>,
    /// The lines.
    pub lines: Vec<Line>,
    /// What abbreviations in it mean, a sentence each.
    pub notes: Vec<String>,
}

/// A column of a table.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Column {
    /// What stands above it.
    pub title: String,
    /// What stands in it, in one line; empty where the title says it all.
    pub about: String,
    /// Whether figures stand in it, which end at one edge.
    pub is_figures: bool,
}

/// A line of a table.
#[derive(Clone, Debug, PartialEq)]
pub enum Line {
    /// Stands above the lines that belong together.
    Group(String),
    /// Cells.
    Cells {
        /// The mechanism it is about, which decides its colour and mark; none of another.
        mechanism: Option<String>,
        /// A cell for each column.
        cells: Vec<Entry>,
    },
}

/// What stands in a cell.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Entry {
    /// The text.
    pub text: String,
    /// How it is meant; the text says the same.
    pub tone: Tone,
}

/// How something is meant, beside what it says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tone {
    /// As any other.
    #[default]
    Plain,
    /// It holds.
    Good,
    /// It fails.
    Bad,
    /// Nobody can say.
    Unsure,
    /// Said besides.
    Faint,
}

/// A picture on a page.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Figure {
    /// Name of its file beside a page of markdown, unique on the page: `rss-law-rss.svg`.
    pub name: String,
    /// What it shows, as a finding.
    pub title: String,
    /// The same for those who do not see it: what is drawn, and the figures that matter.
    pub alt: String,
    /// Where it comes from: the results directory, and the command that draws it.
    pub caption: String,
    /// The picture: a whole `<svg>` element without scripts, links or fonts of its own.
    pub svg: String,
}

impl Document {
    /// All figures, that of the answer first.
    pub fn figures(&self) -> Vec<&Figure> {
        let mut figures: Vec<&Figure> = self.picture.iter().collect();
        self.parts.iter().for_each(|part| part.add_figures(&mut figures));
        figures
    }
}

impl Part {
    /// A part without parts of its own, that is read on the way.
    pub fn new(id: impl Into<String>, title: impl Into<String>, blocks: Vec<Block>) -> Part {
        Part { id: id.into(), title: title.into(), blocks, ..Part::default() }
    }

    fn add_figures<'a>(&'a self, figures: &mut Vec<&'a Figure>) {
        figures.extend(self.blocks.iter().filter_map(|block| match block {
            Block::Figure(figure) => Some(figure),
            _ => None,
        }));
        self.parts.iter().for_each(|part| part.add_figures(figures));
    }
}

impl Table {
    /// Leaves out the columns in which nothing stands, save the first, which names the lines.
    pub fn drop_empty_columns(&mut self) {
        let is_empty = |place: usize| {
            self.lines.iter().all(|line| match line {
                Line::Group(_) => true,
                Line::Cells { cells, .. } => cells.get(place).is_none_or(|one| one.text.is_empty()),
            })
        };
        let kept: Vec<bool> =
            (0..self.columns.len()).map(|place| place == 0 || !is_empty(place)).collect();
        let mut of_columns = kept.iter();
        self.columns.retain(|_| *of_columns.next().unwrap_or(&true));
        for line in &mut self.lines {
            if let Line::Cells { cells, .. } = line {
                let mut of_cells = kept.iter();
                cells.retain(|_| *of_cells.next().unwrap_or(&true));
            }
        }
    }
}

impl Line {
    /// A line of plain text.
    pub fn plain(cells: impl IntoIterator<Item = String>) -> Line {
        Line::Cells { mechanism: None, cells: cells.into_iter().map(Entry::plain).collect() }
    }
}

impl Entry {
    /// Text as any other.
    pub fn plain(text: impl Into<String>) -> Entry {
        Entry { text: text.into(), tone: Tone::Plain }
    }
}

impl Column {
    /// A column of figures.
    pub fn figures(title: impl Into<String>, about: impl Into<String>) -> Column {
        Column { title: title.into(), about: about.into(), is_figures: true }
    }

    /// A column of text.
    pub fn text(title: impl Into<String>) -> Column {
        Column { title: title.into(), ..Column::default() }
    }
}
