//! Text in lines of a given width. Widths are counted in characters: every label and sentence of
//! ours is of single width.

/// Breaks text at spaces into lines of at most `width` characters, indents included, keeping a
/// number and its unit together. A word longer than a line is broken.
pub(crate) fn wrap(text: &str, width: usize, first: &str, rest: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = first.to_owned();
    let mut is_fresh = true;
    for word in words(text) {
        let mut word = word.as_str();
        loop {
            let used = line.chars().count();
            let gap = usize::from(!is_fresh);
            let length = word.chars().count();
            if used + gap + length <= width {
                if !is_fresh {
                    line.push(' ');
                }
                line.push_str(word);
                is_fresh = false;
                break;
            }
            if is_fresh {
                let room = width.saturating_sub(used).max(1);
                let cut = word.char_indices().nth(room).map_or(word.len(), |(at, _)| at);
                line.push_str(&word[..cut]);
                word = &word[cut..];
            }
            lines.push(std::mem::replace(&mut line, rest.to_owned()));
            is_fresh = true;
        }
    }
    lines.push(line);
    lines
}

/// Puts short texts beside each other, three spaces apart, in as many lines as it takes.
pub(crate) fn row(texts: &[String], width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for text in texts {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 3 + text.chars().count() <= width => {
                line.push_str("   ");
                line.push_str(text);
            }
            _ => lines.push(shorten(text, width)),
        }
    }
    lines
}

/// Cuts text to at most `width` characters; what is cut shows.
pub(crate) fn shorten(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let kept: String = text.chars().take(width.saturating_sub(1)).collect();
    format!("{kept}~")
}

/// Words, a number being one with its unit. Control characters, which a label or an evidence may
/// have brought along, become spaces.
fn words(text: &str) -> Vec<String> {
    const UNITS: [&str; 8] = ["ns", "us", "ms", "s", "KiB", "MiB", "GiB", "TiB"];
    let mut words: Vec<String> = Vec::new();
    for word in text.split(|c: char| c == ' ' || c.is_control()).filter(|word| !word.is_empty()) {
        let unit = word.trim_end_matches([',', '.', ';', ':', ')']);
        match words.last_mut() {
            Some(last) if UNITS.contains(&unit) && last.ends_with(|c: char| c.is_ascii_digit()) => {
                last.push(' ');
                last.push_str(word);
            }
            _ => words.push(word.to_owned()),
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_stay_with_their_units() {
        assert_eq!(
            wrap("it takes 24.4 ms, always", 13, "", "  "),
            ["it takes", "  24.4 ms,", "  always"]
        );
    }

    #[test]
    fn long_words_are_broken() {
        assert_eq!(wrap("abcdefgh ij", 4, "", " "), ["abcd", " efg", " h", " ij"]);
        assert_eq!(shorten("abcdef", 4), "abc~");
        assert_eq!(shorten("abcd", 4), "abcd");
    }

    proptest! {
        #[test]
        fn no_line_is_longer_than_the_width(text in ".{0,200}", width in 1usize..120) {
            for line in wrap(&text, width, "", "") {
                prop_assert!(line.chars().count() <= width, "{line:?}");
            }
        }

        #[test]
        fn no_word_is_lost(text in "[a-z ]{0,200}", width in 20usize..120) {
            let wrapped = wrap(&text, width, "", "").concat();
            prop_assert_eq!(wrapped.replace(' ', ""), text.replace(' ', ""));
        }
    }
}
