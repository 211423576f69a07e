//! A run as a short page of markdown: the answer, a table for each parent, what was found, what to
//! trust.
//!
//! Owns the one way in which text becomes markdown ([`text`]). Labels, evidence and whatever else
//! comes from a file is never markup, on GitHub and elsewhere: no emphasis, link, mention, tag or
//! further cell.

use std::fmt::Write;

use crate::show::view::View;
use crate::show::{document, report};

/// The page of a run, in short: `forkbench report` makes the whole one.
pub fn run(view: &View) -> String {
    document::markdown::write(&report::in_short(view), "")
}

/// A table, its cells being text; the first column names the row, the others hold figures.
pub(in crate::show) fn table(heading: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let columns: Vec<(&str, bool)> =
        heading.iter().enumerate().map(|(place, title)| (*title, place > 0)).collect();
    aligned(&columns, rows)
}

/// The same of columns that hold figures, which end at one edge, or text.
pub(in crate::show) fn aligned(
    columns: &[(&str, bool)],
    rows: impl Iterator<Item = Vec<String>>,
) -> String {
    let line = |cells: &mut dyn Iterator<Item = String>| {
        let cells: Vec<String> = cells.collect();
        format!("| {} |\n", cells.join(" | "))
    };
    let mut table = line(&mut columns.iter().map(|(title, _)| text(title)));
    let rule = |is_figures: bool| if is_figures { "---:" } else { ":---" };
    table += &line(&mut columns.iter().map(|(_, is_figures)| rule(*is_figures).to_owned()));
    for cells in rows {
        table += &line(&mut cells.iter().map(|cell| text(cell)));
    }
    table
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
        assert!(run(&example::view(&example::sweep())).contains("| FAILS | "));
    }
}
