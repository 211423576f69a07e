//! A page as one file of HTML that needs nothing else: no network, no font, no script.
//!
//! Owns the markup and the looks of a page. Every text and every attribute is escaped where it is
//! written; only the style sheet and the pictures are markup already, and those who draw pictures
//! have escaped what is in them. The page forbids the browser to load or run anything, so that even
//! a mistake here would show as text and do nothing.

mod picture;
mod theme;

use std::collections::BTreeSet;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::{Block, Document, Entry, Figure, Line, Part, Table, Tone};

/// The looks, colours aside.
const STYLE: &str = include_str!("html/style.css");

/// What a browser may do for the page: apply its own style.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; \
                      base-uri 'none'; form-action 'none'";

/// Pictures that follow each other before the rest of them are folded.
const PICTURES: usize = 4;

/// Lines of a table before it scrolls in a window of its own, under its heading.
const LINES: usize = 40;

/// Entries of the table of contents before it names no parts of parts.
const ENTRIES: usize = 40;

/// The page.
pub fn write(document: &Document) -> String {
    let looks = picture::looks(mechanisms(&document.parts));
    let style = theme::style(&document.figures(), &looks);
    let (answer, rest) = first_sentence(&document.answer);
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="color-scheme" content="light dark";
                meta name="description" content=(document.answer);
                meta name="generator" content=(document.made_by);
                title { (document.title) }
                // Without it a browser asks the server for one, where there is a server.
                link rel="icon" href="data:,";
                style { (PreEscaped(STYLE)) (PreEscaped(style)) }
            }
            body {
                (picture::symbols(&looks))
                header {
                    h1 { (document.title) }
                    p.answer { (answer) }
                    @if !rest.is_empty() { p.rest { (rest) } }
                    @if let Some(picture) = &document.picture { (figure(picture)) }
                }
                @if !document.parts.is_empty() { (contents(&document.parts)) }
                main { @for part in &document.parts { (self::part(part, 2)) } }
                footer {
                    @if !document.command.is_empty() {
                        p { "This page is made by:" }
                        (commands(std::slice::from_ref(&document.command)))
                    }
                    p { (document.made_by) }
                }
            }
        }
    };
    fit(page.into_string())
}

/// The first sentence of a text, and what follows: all of a long answer at once is read by nobody.
fn first_sentence(text: &str) -> (&str, &str) {
    match text.find(". ") {
        Some(end) => (&text[..=end], &text[end + 2..]),
        None => (text, ""),
    }
}

/// The mechanisms that have a line in a table.
fn mechanisms(parts: &[Part]) -> BTreeSet<&str> {
    let mut found = BTreeSet::new();
    for part in parts {
        for block in &part.blocks {
            let Block::Table(table) = block else { continue };
            found.extend(table.lines.iter().filter_map(|line| match line {
                Line::Cells { mechanism, .. } => mechanism.as_deref(),
                Line::Group(_) => None,
            }));
        }
        found.extend(mechanisms(&part.parts));
    }
    found
}

fn contents(parts: &[Part]) -> Markup {
    let entries: usize = parts.iter().map(|part| 1 + part.parts.len()).sum();
    html! {
        nav aria-label="Contents" {
            ol {
                @for part in parts {
                    li {
                        a href={ "#" (part.id) } { (part.title) }
                        @if entries <= ENTRIES && !part.parts.is_empty() {
                            ol {
                                @for one in &part.parts {
                                    li { a href={ "#" (one.id) } { (one.title) } }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn part(part: &Part, level: usize) -> Markup {
    let content = html! {
        (blocks(&part.blocks))
        @for one in &part.parts { (self::part(one, level + 1)) }
    };
    let heading = heading(part, level);
    html! {
        @if part.is_folded {
            details id=(part.id) { summary { (heading) } (content) }
        } @else {
            section id=(part.id) { (heading) (content) }
        }
    }
}

fn heading(part: &Part, level: usize) -> Markup {
    let words = html! {
        (part.title) " "
        a.anchor href={ "#" (part.id) } aria-label={ "Link to: " (part.title) } { "#" }
    };
    html! {
        @match level {
            2 => h2 { (words) },
            3 => h3 { (words) },
            4 => h4 { (words) },
            5 => h5 { (words) },
            _ => h6 { (words) },
        }
    }
}

/// Blocks in their order. Of many pictures in a row only the first few are open.
fn blocks(blocks: &[Block]) -> Markup {
    let is_figure = |block: &Block| matches!(block, Block::Figure(_));
    html! {
        @for row in blocks.chunk_by(|one, next| is_figure(one) && is_figure(next)) {
            @let (open, folded) = row.split_at(row.len().min(PICTURES));
            @for one in open { (block(one)) }
            @if !folded.is_empty() {
                details.more {
                    summary { (folded.len()) " more pictures" }
                    @for one in folded { (block(one)) }
                }
            }
        }
    }
}

fn block(block: &Block) -> Markup {
    match block {
        Block::Text(text) => html! { p { (text) } },
        Block::Warning(text) => html! { p.warning { strong { "Warning: " } (text) } },
        Block::List(entries) => html! { ul { @for one in entries { li { (one) } } } },
        Block::Facts(facts) => html! {
            dl.facts { @for (name, value) in facts { div { dt { (name) } dd { (value) } } } }
        },
        Block::Table(one) => table(one),
        Block::Figure(one) => figure(one),
        Block::Commands(lines) => commands(lines),
        Block::Quote(text) => html! { blockquote { p { (text) } } },
    }
}

/// Each command in a line; the prompt before it is no text, so that it is not copied.
fn commands(lines: &[String]) -> Markup {
    html! {
        pre.commands {
            @for (place, line) in lines.iter().enumerate() {
                @if place > 0 { "\n" }
                code { (line) }
            }
        }
    }
}

fn figure(figure: &Figure) -> Markup {
    // A caption may begin with the finding, for pages that show no title above a picture.
    let source = figure.caption.strip_prefix(&figure.title).unwrap_or(&figure.caption);
    let source = source.trim_start_matches(['.', ' ']);
    html! {
        figure {
            figcaption { (figure.title) }
            div.scroll.on-paper[theme::is_on_paper(&figure.svg)]
                tabindex="0" role="region" aria-label={ "Picture: " (figure.title) }
            {
                (picture::inline(&figure.svg, &figure.alt))
            }
            @if !source.is_empty() { p.source { (source) } }
        }
    }
}

fn table(table: &Table) -> Markup {
    let name = if table.caption.is_empty() { "Table" } else { &table.caption };
    let about: Vec<_> = table.columns.iter().filter(|column| !column.about.is_empty()).collect();
    html! {
        div.table {
            @if !table.caption.is_empty() { p.caption { (table.caption) } }
            div.scroll.long[table.lines.len() > LINES]
                tabindex="0" role="region" aria-label=(name)
            {
                table {
                    thead {
                        tr {
                            @for column in &table.columns {
                                th scope="col" class=[column.is_figures.then_some("n")]
                                    title=[Some(&column.about).filter(|about| !about.is_empty())]
                                { (column.title) }
                            }
                        }
                    }
                    @for lines in
                        table.lines.chunk_by(|_, next| !matches!(next, Line::Group(_)))
                    {
                        tbody { @for one in lines { (line(one, table)) } }
                    }
                }
            }
            @if !about.is_empty() {
                details.columns {
                    summary { "What the columns mean" }
                    dl.facts {
                        @for column in about {
                            div { dt { (column.title) } dd { (column.about) } }
                        }
                    }
                }
            }
            @for note in &table.notes { p.note { (note) } }
        }
    }
}

fn line(line: &Line, table: &Table) -> Markup {
    match line {
        Line::Group(title) => html! {
            tr.group {
                th scope="rowgroup" colspan=(table.columns.len().max(1)) { span { (title) } }
            }
        },
        Line::Cells { mechanism, cells } => {
            // A reason why there are no figures has the place of all of them.
            let is_reason = matches!(cells.as_slice(), [_, reason, rest @ ..]
                if reason.tone == Tone::Faint && rest.iter().all(|cell| cell.text.is_empty()));
            let shown = if is_reason { &cells[..2] } else { cells };
            html! {
                tr {
                    @for (place, cell) in shown.iter().enumerate() {
                        @if place == 0 {
                            th scope="row" {
                                @if let Some(name) = mechanism { (picture::swatch(name)) }
                                (entry(cell))
                            }
                        } @else if is_reason {
                            td colspan=(cells.len() - 1) { (entry(cell)) }
                        } @else {
                            @let is_figures =
                                table.columns.get(place).is_some_and(|column| column.is_figures);
                            td class=[is_figures.then_some("n")] { (entry(cell)) }
                        }
                    }
                }
            }
        }
    }
}

/// A sign says the same as the colour: not everyone sees colours, and paper has none.
fn entry(entry: &Entry) -> Markup {
    let (class, sign) = match entry.tone {
        Tone::Plain => return html! { (entry.text) },
        Tone::Faint => return html! { span.faint { (entry.text) } },
        Tone::Good => ("good", "M2 7l3 3 5-7"),
        Tone::Bad => ("bad", "M2.5 2.5l7 7m0-7l-7 7"),
        Tone::Unsure => ("unsure", "M2 6h8"),
    };
    html! {
        span class=(class) {
            svg.sign viewBox="0 0 12 12" aria-hidden="true" { path d=(sign) {} }
            (entry.text)
        }
    }
}

/// A page without what HTML may not hold, and without what shows a text in another order than it
/// has.
fn fit(page: String) -> String {
    let is_unfit = |c: char| match c {
        '\n' | '\t' => false,
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{fffe}' | '\u{ffff}' => true,
        other => other.is_control(),
    };
    if page.contains(is_unfit) { page.replace(is_unfit, "\u{fffd}") } else { page }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::show::document::Column;

    fn page_with(blocks: Vec<Block>) -> String {
        let parts = vec![Part::new("one", "One", blocks)];
        write(&Document { title: "Title".to_owned(), parts, ..Document::default() })
    }

    fn figure(place: usize) -> Block {
        Block::Figure(Figure { title: format!("picture {place}"), ..Figure::default() })
    }

    fn table(lines: Vec<Line>) -> Block {
        let columns = vec![Column::text("what"), Column::figures("median", "half are less")];
        Block::Table(Table { columns, lines, ..Table::default() })
    }

    #[test]
    fn a_page_forbids_what_it_does_not_need() {
        let page = write(&Document::default());
        assert!(
            page.starts_with("<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\">")
        );
        assert!(page.contains("content=\"default-src 'none'; style-src 'unsafe-inline'"));
        assert!(!page.contains("http://") && !page.contains("https://"));
        assert!(!page.contains("url(") && !page.contains("@import"));
    }

    #[test]
    fn every_text_is_text() {
        let hostile = || "</style><script>alert(1)</script>\" onload=\"alert(2)".to_owned();
        let entry = Entry { text: hostile(), tone: Tone::Bad };
        let line = Line::Cells { mechanism: Some(hostile()), cells: vec![entry; 2] };
        let column = Column { title: hostile(), about: hostile(), is_figures: true };
        let table = Table {
            caption: hostile(),
            columns: vec![column; 2],
            lines: vec![Line::Group(hostile()), line],
            notes: vec![hostile()],
        };
        let figure = Figure {
            name: hostile(),
            title: hostile(),
            alt: hostile(),
            caption: hostile(),
            svg: "<svg viewBox=\"0 0 9 9\"></svg>".to_owned(),
        };
        let blocks = vec![
            Block::Text(hostile()),
            Block::Warning(hostile()),
            Block::List(vec![hostile()]),
            Block::Facts(vec![(hostile(), hostile())]),
            Block::Table(table),
            Block::Figure(figure.clone()),
            Block::Commands(vec![hostile()]),
            Block::Quote(hostile()),
        ];
        let inner = Part::new(hostile(), hostile(), blocks.clone());
        let outer = Part { parts: vec![inner], ..Part::new(hostile(), hostile(), blocks) };
        let page = write(&Document {
            title: hostile(),
            answer: hostile(),
            picture: Some(figure),
            parts: vec![Part { is_folded: true, ..outer.clone() }, outer],
            command: hostile(),
            made_by: hostile(),
        });
        assert!(!page.contains("<script"));
        assert!(!page.contains("\" onload"));
        assert_eq!(page.matches("</style>").count(), 1);
        assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;&quot; onload=&quot;alert(2)"));
    }

    #[test]
    fn characters_that_are_no_text_are_replaced() {
        let page = page_with(vec![Block::Text("a\u{0}b\u{1b}[1mc\u{202e}d\ne".to_owned())]);
        assert!(page.contains("<p>a\u{fffd}b\u{fffd}[1mc\u{fffd}d\ne</p>"), "{page}");
    }

    #[test]
    fn the_first_sentence_of_an_answer_stands_out() {
        let answer = "fork takes 1.5 ms. vfork takes 9 us. Use it.".to_owned();
        let page = write(&Document { answer, ..Document::default() });
        assert!(page.contains(
            "<p class=\"answer\">fork takes 1.5 ms.</p><p class=\"rest\">vfork takes 9 us. Use it.</p>"
        ));
        let page = write(&Document { answer: "Nobody knows.".to_owned(), ..Document::default() });
        assert!(page.contains("<p class=\"answer\">Nobody knows.</p></header>"));
    }

    #[test]
    fn a_caption_does_not_say_the_title_again() {
        let figure = |caption: &str| {
            let (title, caption) = ("A finding".to_owned(), caption.to_owned());
            page_with(vec![Block::Figure(Figure { title, caption, ..Figure::default() })])
        };
        assert!(figure("A finding. its source").contains("<p class=\"source\">its source</p>"));
        assert!(figure("its source").contains("<p class=\"source\">its source</p>"));
        assert!(!figure("A finding.").contains("<p class=\"source\">"));
    }

    #[test]
    fn parts_are_found_in_the_contents() {
        let inner = Part::new("inner", "Inner", Vec::new());
        let folded = Part { is_folded: true, ..Part::new("folded", "Folded", Vec::new()) };
        let outer = Part { parts: vec![inner], ..Part::new("outer", "Outer", Vec::new()) };
        let page = write(&Document { parts: vec![outer, folded], ..Document::default() });
        for (id, title) in [("outer", "Outer"), ("inner", "Inner"), ("folded", "Folded")] {
            assert!(page.contains(&format!("<a href=\"#{id}\">{title}</a>")), "{id}");
            assert_eq!(page.matches(&format!(" id=\"{id}\"")).count(), 1, "{id}");
        }
        assert!(page.contains("<section id=\"outer\"><h2>Outer "));
        assert!(page.contains("<section id=\"inner\"><h3>Inner "));
        assert!(page.contains("<details id=\"folded\"><summary><h2>Folded "));
    }

    #[test]
    fn a_group_begins_a_body_of_its_table() {
        let line = |name: &str| Line::plain([name.to_owned(), "1".to_owned()]);
        let group = |name: &str| Line::Group(name.to_owned());
        let lines = vec![line("a"), group("first"), line("b"), line("c"), group("second")];
        let page = page_with(vec![table(lines)]);
        assert_eq!(page.matches("<tbody>").count(), 3);
        assert!(page.contains(
            "<tbody><tr class=\"group\"><th scope=\"rowgroup\" colspan=\"2\"><span>first</span></th>\
             </tr><tr><th scope=\"row\">b</th><td class=\"n\">1</td></tr>"
        ));
        assert!(page.contains("<dt>median</dt><dd>half are less</dd>"));
    }

    #[test]
    fn a_reason_why_there_are_no_figures_has_their_place() {
        let reason = Entry { text: "it is not supported".to_owned(), tone: Tone::Faint };
        let cells = vec![Entry::plain("a"), reason.clone(), Entry::default()];
        let page = page_with(vec![table(vec![Line::Cells { mechanism: None, cells }])]);
        assert!(page.contains(
            "<td colspan=\"2\"><span class=\"faint\">it is not supported</span></td></tr>"
        ));
        let cells = vec![Entry::plain("a"), reason, Entry::plain("1")];
        let page = page_with(vec![table(vec![Line::Cells { mechanism: None, cells }])]);
        assert!(!page.contains("<td colspan="));
    }

    #[test]
    fn a_tone_has_a_sign_beside_its_colour_and_a_mechanism_a_mark() {
        let entry = Entry { text: "fails".to_owned(), tone: Tone::Bad };
        let line = Line::Cells {
            mechanism: Some("fork".to_owned()),
            cells: vec![Entry::plain("fork"), entry],
        };
        let page = page_with(vec![table(vec![line])]);
        assert!(page.contains("<span class=\"bad\"><svg class=\"sign\""));
        assert!(
            page.contains("<th scope=\"row\"><svg class=\"swatch\" aria-hidden=\"true\"><use ")
        );
        assert_eq!(page.matches("<symbol ").count(), 1);
    }

    #[test]
    fn what_is_long_is_folded_or_scrolls_in_its_place() {
        let few = page_with((0..PICTURES).map(figure).collect());
        assert!(!few.contains("more pictures"));
        let many = page_with((0..PICTURES + 196).map(figure).collect());
        assert!(many.contains("<details class=\"more\"><summary>196 more pictures</summary>"));
        assert_eq!(many.matches("<figure>").count(), PICTURES + 196);

        let line = Line::plain(["a".to_owned(), "1".to_owned()]);
        assert!(!page_with(vec![table(vec![line.clone(); LINES])]).contains("scroll long"));
        assert!(page_with(vec![table(vec![line; LINES + 1])]).contains("scroll long"));
    }

    #[test]
    fn pictures_follow_the_theme() {
        let svg = "<svg viewBox=\"0 0 9 9\"><text fill=\"#222222\">x</text></svg>".to_owned();
        let page = page_with(vec![Block::Figure(Figure { svg, ..Figure::default() })]);
        assert!(page.contains("[fill=\"#222222\"]{fill:var(--222222)}"));
        assert!(page.contains("--222222:#E6E6E6;"));
        assert!(!page.contains("scroll on-paper"));
        let svg = "<svg viewBox=\"0 0 9 9\"><rect fill=\"#440154\"/></svg>".to_owned();
        let page = page_with(vec![Block::Figure(Figure { svg, ..Figure::default() })]);
        assert!(page.contains("scroll on-paper"));
    }
}
