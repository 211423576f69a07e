//! Pictures within a page: those that were drawn for a file of their own, and the small ones in
//! tables.

use std::collections::BTreeSet;

use maud::{Markup, PreEscaped, html};

use super::theme;
use crate::show::palette::{self, Look, Mark};

/// What the drawing library writes though it means nothing, or the style sheet says it.
const NEEDLESS: [&str; 4] =
    [" opacity=\"1\"", " stroke=\"none\"", " stroke-width=\"1\"", " font-family=\"sans-serif\""];

/// A picture as an element of the page, as wide as its place, without its heading, which stands
/// above it as text.
pub(super) fn inline(svg: &str, alt: &str) -> Markup {
    let (tag, body) = svg.split_once('>').unwrap_or_default();
    let body = body.trim_end();
    let body = body.strip_suffix("</svg>").unwrap_or(body);
    let (body, cut) = without_heading(body);
    html! {
        svg viewBox=[view(tag, cut)] role="img" aria-label=(alt) {
            (PreEscaped(compact(&body)))
        }
    }
}

/// What is seen of a picture whose first `cut` pixels are left out; none if it does not say how
/// large it is.
fn view(tag: &str, cut: u32) -> Option<String> {
    let (_, rest) = tag.split_once("viewBox=\"0 0 ")?;
    let (size, _) = rest.split_once('"')?;
    let (width, height) = size.split_once(' ')?;
    let height = height.parse::<u32>().ok()?.saturating_sub(cut);
    Some(format!("0 {cut} {width} {height}"))
}

/// A picture without its heading, and how many pixels that took from the top.
fn without_heading(body: &str) -> (String, u32) {
    let parts =
        body.split_once("<g class=\"heading\" data-height=\"").and_then(|(before, rest)| {
            let (height, rest) = rest.split_once('"')?;
            let (_, after) = rest.split_once("</g>\n")?;
            Some((format!("{before}{after}"), height.parse().ok()?))
        });
    parts.unwrap_or_else(|| (body.to_owned(), 0))
}

/// The same picture in fewer bytes. Only tags are changed: texts may look like attributes.
fn compact(body: &str) -> String {
    let mut out = String::with_capacity(body.len());
    let mut rest = body;
    while let Some((text, tag)) = rest.split_once('<') {
        let (tag, after) = tag.split_once('>').unwrap_or((tag, ""));
        out.push_str(text);
        out.push('<');
        let mut tag = tag.to_owned();
        for needless in NEEDLESS {
            tag = tag.replace(needless, "");
        }
        out.push_str(&tag);
        out.push('>');
        rest = after;
    }
    out.push_str(rest);
    out
}

/// Each look of these mechanisms once.
pub(super) fn looks(mechanisms: BTreeSet<&str>) -> Vec<Look> {
    let mut looks: Vec<Look> = Vec::new();
    for look in mechanisms.into_iter().map(palette::look) {
        if !looks.contains(&look) {
            looks.push(look);
        }
    }
    looks
}

/// The looks as symbols, which swatches show.
pub(super) fn symbols(looks: &[Look]) -> Markup {
    html! {
        @if !looks.is_empty() {
            svg.looks aria-hidden="true" {
                @for look in looks {
                    symbol id=(id(look)) viewBox="0 0 34 14" {
                        path d="M0 7h34" stroke=(colour(look)) stroke-width="2"
                            stroke-dasharray=[Some(look.dashes).filter(|d| !d.is_empty())] {}
                        (mark(look))
                    }
                }
            }
        }
    }
}

/// The look of a mechanism: its line, and the mark on it.
pub(super) fn swatch(mechanism: &str) -> Markup {
    html! {
        svg.swatch aria-hidden="true" {
            use href={ "#" (id(&palette::look(mechanism))) } {}
        }
    }
}

fn id(look: &Look) -> String {
    let dashes = look.dashes.replace(' ', "-");
    format!("look-{}-{:?}-{dashes}", theme::hex(look.colour), look.mark).to_lowercase()
}

fn colour(look: &Look) -> String {
    theme::variable(look.colour)
}

fn mark(look: &Look) -> Markup {
    let colour = colour(look);
    html! {
        @match look.mark {
            Mark::Disc => circle cx="17" cy="7" r="5" fill=(colour) {},
            Mark::Circle => {
                circle cx="17" cy="7" r="4.5" fill="var(--paper)" stroke=(colour)
                    stroke-width="2" {}
            }
            Mark::Square => path d="M12.5 2.5h9v9h-9z" fill=(colour) {},
            Mark::Triangle => path d="M12 12h10L17 2z" fill=(colour) {},
            Mark::Cross => path d="M13 3l8 8m0-8l-8 8" stroke=(colour) stroke-width="2" {},
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DRAWN: &str = "<svg width=\"960\" height=\"400\" viewBox=\"0 0 960 400\" \
        xmlns=\"http://www.w3.org/2000/svg\">\n<title>a &gt; b</title>\n\
        <rect x=\"0\" y=\"0\" opacity=\"1\" fill=\"#FFFFFF\" stroke=\"none\"/>\n\
        <g class=\"heading\" data-height=\"38\">\n<text y=\"9\">a &gt; b</text>\n</g>\n\
        <g><title>said: opacity=\"1\"</title>\n<circle r=\"5\" opacity=\"1\"/>\n</g>\n</svg>\n";

    #[test]
    fn a_picture_fills_its_place_and_leaves_its_heading_out() {
        let inline = inline(DRAWN, "what is \"drawn\"").into_string();
        assert_eq!(
            inline,
            "<svg viewBox=\"0 38 960 362\" role=\"img\" aria-label=\"what is &quot;drawn&quot;\">\n\
             <title>a &gt; b</title>\n<rect x=\"0\" y=\"0\" fill=\"#FFFFFF\"/>\n\
             <g><title>said: opacity=\"1\"</title>\n<circle r=\"5\"/>\n</g>\n</svg>"
        );
    }

    #[test]
    fn what_is_no_picture_shows_nothing_but_its_alternative() {
        let empty = "<svg role=\"img\" aria-label=\"alt\"></svg>";
        assert_eq!(inline("", "alt").into_string(), empty);
        assert_eq!(inline("no picture", "alt").into_string(), empty);
    }

    #[test]
    fn mechanisms_that_look_alike_share_a_swatch() {
        let looks = looks(BTreeSet::from(["fork", "vfork", "/x a", "/x e"]));
        assert_eq!(palette::look("/x a"), palette::look("/x e"));
        assert_eq!(looks.len(), 3);
        let symbols = symbols(&looks).into_string();
        let swatch = swatch("fork").into_string();
        let id = swatch.split_once("href=\"#").unwrap().1.split_once('"').unwrap().0;
        assert!(symbols.contains(&format!("<symbol id=\"{id}\"")), "{symbols} {swatch}");
    }
}
