//! A run as a page of markdown: the answer, a table for each parent, what was found, what to trust.
//!
//! Owns the one way in which text becomes markdown ([`text`]). Labels, evidence and whatever else
//! comes from a file is never markup, on GitHub and elsewhere: no emphasis, link, mention, tag or
//! further cell.

use std::fmt::Write;

use crate::show::units;
use crate::show::view::{Cell, Heading, Kind, NotShown, Row, Section, Versus, View};

/// The page of a run.
pub fn run(view: &View) -> String {
    let mut page = format!("# forkbench: {}\n\n{}\n", text(&view.source), text(&view.conclusion));
    for section in &view.sections {
        let _ = write!(page, "\n**{}**\n\n", text(&section.caption));
        page += &section_table(section);
    }
    for chapter in &view.chapters {
        if chapter.laws.is_empty() && chapter.findings.is_empty() {
            continue;
        }
        let _ = write!(page, "\n## {}: {}\n\n", text(&chapter.name), text(&chapter.about));
        for law in &chapter.laws {
            let _ = writeln!(page, "- {}", text(law));
        }
        for finding in &chapter.findings {
            let _ = writeln!(page, "- {}: {}", finding.verdict.word(), text(&finding.told()));
        }
    }
    page += &list("Trust", view.trust.iter().cloned());
    let warnings = view.warnings.iter().map(|warning| format!("{}: {warning}", warning.word()));
    page += &list("Warnings", warnings);
    page
}

/// A table, its cells being text.
pub(in crate::show) fn table(heading: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let line = |cells: &mut dyn Iterator<Item = String>| {
        let cells: Vec<String> = cells.collect();
        format!("| {} |\n", cells.join(" | "))
    };
    let mut table = line(&mut heading.iter().map(|title| text(title)));
    // The first column names the row, the others hold figures.
    let rule = |place: usize| if place == 0 { ":---" } else { "---:" };
    table += &line(&mut (0..heading.len()).map(|place| rule(place).to_owned()));
    for cells in rows {
        table += &line(&mut cells.iter().map(|cell| text(cell)));
    }
    table
}

/// A heading and a list of texts; nothing without any.
pub(super) fn list(title: &str, texts: impl Iterator<Item = String>) -> String {
    let lines: String = texts.map(|one| format!("- {}\n", text(&one))).collect();
    if lines.is_empty() { lines } else { format!("\n## {title}\n\n{lines}") }
}

/// A text as markdown that shows as just that text, on one line. What could be markup is written as
/// a character reference, which no markdown reader takes for anything but the character.
pub fn text(plain: &str) -> String {
    let mut out = String::with_capacity(plain.len());
    let mut before = ' ';
    let mut rest = plain.chars().peekable();
    while let Some(character) = rest.next() {
        let next = rest.peek().copied().unwrap_or(' ');
        let touches = before.is_alphanumeric() || next.is_alphanumeric();
        let is_plain = match character {
            c if c.is_alphanumeric() => true,
            ' ' | ',' | ';' | '/' | '=' | '%' | '?' | '\'' | '"' | '(' | ')' => true,
            // By themselves they are lists and rules.
            '-' | '+' => touches,
            '_' => before.is_alphanumeric() && next.is_alphanumeric(),
            // At the start of a line it is a quotation.
            '>' => before.is_alphanumeric(),
            // `www.` is a link, `1. ` at the start of a line a list.
            '.' => !matches!(before, 'w' | 'W') && (next != ' ' || !is_number(&out)),
            // `http:` is a link, `:name:` a picture.
            ':' => next == ' ' || (before.is_ascii_digit() && next.is_ascii_digit()),
            _ => false,
        };
        if character.is_control() {
            out.push(' ');
        } else if is_plain {
            out.push(character);
        } else {
            let _ = write!(out, "&#{};", u32::from(character));
        }
        before = character;
    }
    out
}

fn is_number(text: &str) -> bool {
    text.chars().all(|character| character.is_ascii_digit())
}

/// The title of a column, and what stands in it in a row.
type Column<'a> = (String, Box<dyn Fn(&Row) -> String + 'a>);

fn section_table(section: &Section) -> String {
    let versus = section.versus.as_deref().unwrap_or_default();
    let main = section.columns.iter().find(|column| column.main.is_some());
    let of = main.map_or("caller blocked".to_owned(), |column| one_line(column.title));
    let ratio = format!("{of}, vs {versus}");
    let mut columns: Vec<Column<'_>> = Vec::new();
    if section.columns.is_empty() {
        let time = |title: &str, cell: fn(&Row) -> Cell| -> Column<'_> {
            let write = move |row: &Row| self::cell(cell(row), units::duration);
            (title.to_owned(), Box::new(write))
        };
        columns.push(time("caller blocked p50", |row| row.blocked));
        columns.push(time("cold", |row| row.cold));
        columns.push(time("p90", |row| row.blocked_p90));
        columns.push(time("if empty p50", |row| row.empty));
        columns.push(time("image runs", |row| row.image));
        columns.push(time("reaped", |row| row.reaped));
        columns.push(("bill after".to_owned(), Box::new(bill)));
        let count = |count: Option<u64>| count.map(units::count).unwrap_or_default();
        columns.push(("faults, parent".to_owned(), Box::new(move |r| count(r.parent_faults))));
        columns.push(("faults, child".to_owned(), Box::new(move |r| count(r.child_faults))));
    }
    for (place, heading) in section.columns.iter().enumerate() {
        columns.push((one_line(heading.title), Box::new(move |row| entry(heading, row, place))));
    }
    if !versus.is_empty() {
        columns.push((ratio, Box::new(|row| compared(row.versus))));
    }
    let rows: Vec<&Row> = section.rows().collect();
    columns.retain(|(_, cell)| rows.iter().any(|row| !cell(row).is_empty()));
    let mut heading = vec![""];
    heading.extend(columns.iter().map(|(title, _)| title.as_str()));
    let cells = |row: &&Row| {
        let mut cells = vec![row.name.clone()];
        match &row.missing {
            Some(reason) => {
                cells.push(reason.clone());
                cells.resize(columns.len() + 1, String::new());
                // Without a column there is none for the reason.
                cells.truncate((columns.len() + 1).max(2));
            }
            None => cells.extend(columns.iter().map(|(_, cell)| cell(row))),
        }
        cells
    };
    if columns.is_empty() {
        heading.push("");
    }
    table(&heading, rows.iter().map(cells))
}

fn one_line(title: &str) -> String {
    title.replace('\n', " ")
}

fn cell(cell: Cell, write: impl Fn(f64) -> String) -> String {
    match cell {
        Cell::Known(value) => write(value),
        Cell::Needs(samples) => format!("n>={samples}"),
        Cell::Absent => String::new(),
        Cell::Void(word) => word.to_owned(),
    }
}

/// What writing takes in any case comes on top of nothing.
fn bill(row: &Row) -> String {
    let sign = if row.kind == Kind::Control { "" } else { "+" };
    match row.bill {
        Cell::Known(0.0) => "0".to_owned(),
        bill => cell(bill, |bill| format!("{sign}{}", units::duration(bill))),
    }
}

fn entry(heading: &Heading, row: &Row, place: usize) -> String {
    let entry = row.entries.get(place).copied().unwrap_or(Cell::Absent);
    cell(entry, |value| units::figure(heading.unit, value))
}

fn compared(versus: Versus) -> String {
    match versus {
        Versus::Itself => "1".to_owned(),
        Versus::Times { value, bounds: Some((low, high)) } => {
            format!("{} ({})", units::ratio(value), units::interval(value, low, high))
        }
        Versus::Times { value, bounds: None } => units::ratio(value),
        Versus::NotShown(NotShown::Apart) => "apart".to_owned(),
        Versus::NotShown(NotShown::Needs(samples)) => format!("n>={samples}"),
        Versus::NotShown(NotShown::ZeroTime) => "0 ns".to_owned(),
        Versus::Nothing => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::show::example;

    #[test]
    fn names_never_become_markup() {
        for (plain, shown) in [
            ("rss=1GiB posix_spawn", "rss=1GiB posix_spawn"),
            ("a|b", "a&#124;b"),
            ("<img src=x>", "&#60;img src=x>"),
            ("`*_~[x](y)\\", "&#96;&#42;&#95;&#126;&#91;x&#93;(y)&#92;"),
            ("@someone #12 :tada:", "&#64;someone &#35;12 &#58;tada:"),
            ("https://x www.x.org", "https&#58;//x www&#46;x.org"),
            ("&lt;", "&#38;lt;"),
            ("- a\nb", "&#45; a b"),
            ("1. a", "1&#46; a"),
            ("_fork", "&#95;fork"),
            ("> n>=29 -- +", "&#62; n>=29 &#45;&#45; &#43;"),
            ("24.4 ms (24.1 to 24.9): yes, +3 %", "24.4 ms (24.1 to 24.9): yes, +3 %"),
            ("$x$ {y}!", "&#36;x&#36; &#123;y&#125;&#33;"),
        ] {
            assert_eq!(text(plain), shown, "{plain}");
        }
    }

    #[test]
    fn a_page_has_the_answer_and_a_table_for_each_parent() {
        let mut summary = example::first_screen();
        summary.variants[1].row.label = "a | b".to_owned();
        let page = run(&example::view(&summary));
        insta::assert_snapshot!("markdown", page);
        let rows: Vec<&str> = page.lines().filter(|line| line.starts_with('|')).collect();
        let cells = |row: &str| row.matches('|').count();
        assert!(rows.len() > 3 && rows.iter().all(|row| cells(row) == cells(rows[0])), "{page}");

        let page = run(&example::view(&example::cow()));
        assert!(page.contains("| per page |") && page.contains("265x"), "{page}");
        assert!(run(&example::view(&example::sweep())).contains("- FAILS: "));
    }
}
