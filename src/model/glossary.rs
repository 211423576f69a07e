//! The registry behind `forkbench explain`: what each word of the output and of the files means.
//!
//! It owns the words of the contract, the columns, what may stand in them, warnings, exit codes,
//! and the terms of the kernel that the output leans on. Knobs, mechanisms and renderings have
//! registries with explanations of their own. Nothing here is read by the program itself.

mod entries;

pub use self::entries::ENTRIES;

/// What sort of word an entry explains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A word of forkbench's own.
    Word,
    /// Where the clock stops.
    Interval,
    /// A file of a results directory.
    File,
    /// A column of a file.
    Column,
    /// Why a variant is in the run.
    Role,
    /// What a sample counts for.
    Phase,
    /// What a block was for.
    BlockKind,
    /// How a subject ended.
    Outcome,
    /// What happened to a child.
    Event,
    /// Whose events a reading counts.
    Scope,
    /// A counted fact.
    Reading,
    /// What became of a claim, or of a row that was checked.
    Verdict,
    /// A warning.
    Warning,
    /// What the program ends with.
    ExitCode,
    /// A term of the kernel.
    Term,
}

impl Kind {
    /// The words for it: `block kind`.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Word => "word",
            Kind::Interval => "interval",
            Kind::File => "file",
            Kind::Column => "column",
            Kind::Role => "role",
            Kind::Phase => "phase",
            Kind::BlockKind => "block kind",
            Kind::Outcome => "outcome",
            Kind::Event => "event",
            Kind::Scope => "scope",
            Kind::Reading => "reading",
            Kind::Verdict => "verdict",
            Kind::Warning => "warning",
            Kind::ExitCode => "exit code",
            Kind::Term => "term",
        }
    }
}

/// One word and what it means.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// The word.
    pub word: &'static str,
    /// Other words for the same: the column of an interval, a spelled-out form.
    pub also: &'static [&'static str],
    /// What sort of word it is; the weightiest, where it is several.
    pub kind: Kind,
    /// The meaning in one line of at most 90 characters.
    pub short: &'static str,
    /// The meaning in full: unit, where it stands, how it is measured, what it does not tell.
    pub long: &'static str,
}

/// The entry of a word. Upper and lower case are the same.
pub fn find(word: &str) -> Option<&'static Entry> {
    ENTRIES.iter().find(|entry| entry.words().any(|known| known.eq_ignore_ascii_case(word)))
}

impl Entry {
    /// The word and the others for the same.
    pub fn words(&self) -> impl Iterator<Item = &'static str> {
        std::iter::once(self.word).chain(self.also.iter().copied())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde::Serialize;

    use super::*;
    use crate::model::interval::Interval;
    use crate::model::row::{BlockKind, EventKind, Outcome, Phase, Role, Scope};

    /// The word under which a value stands in its column.
    fn written(value: impl Serialize) -> String {
        let json = serde_json::to_value(value).expect("it serialises");
        json.as_str().expect("it is a word").to_owned()
    }

    fn assert_explained(word: &str, kinds: &[Kind]) {
        let entry = find(word).unwrap_or_else(|| panic!("`{word}` is not explained"));
        assert!(kinds.contains(&entry.kind), "`{word}` is explained as a {}", entry.kind.word());
    }

    #[test]
    fn no_word_is_explained_twice() {
        let mut seen = BTreeSet::new();
        for word in ENTRIES.iter().flat_map(Entry::words) {
            assert!(seen.insert(word.to_ascii_lowercase()), "{word}");
        }
    }

    #[test]
    fn every_entry_is_well_formed() {
        for entry in ENTRIES {
            let Entry { word, short, long, .. } = entry;
            assert!(!short.is_empty() && short.chars().count() <= 90, "{word}: {short}");
            assert!(!short.ends_with('.'), "{word}: {short} is a phrase");
            assert!(long.ends_with('.'), "{word}: {long}");
            for text in [word, short, long] {
                assert!(!text.contains("  ") && !text.contains('\n'), "{word}: {text:?}");
                assert_eq!(text.trim(), *text, "{word}");
            }
        }
    }

    #[test]
    fn every_interval_is_explained_by_word_and_column() {
        for interval in Interval::ALL {
            assert_explained(interval.word(), &[Kind::Interval]);
            assert_explained(interval.column(), &[Kind::Interval]);
        }
    }

    #[test]
    fn every_value_of_the_closed_columns_is_explained() {
        for phase in [Phase::Warmup, Phase::Settle, Phase::Measure] {
            assert_explained(&written(phase), &[Kind::Phase]);
        }
        for role in [Role::Subject, Role::Control, Role::Twin, Role::Reference] {
            assert_explained(&written(role), &[Kind::Role, Kind::Word]);
        }
        for kind in [BlockKind::Time, BlockKind::Count, BlockKind::Warmup, BlockKind::Partial] {
            assert_explained(&written(kind), &[Kind::BlockKind, Kind::Phase]);
        }
        for outcome in [
            Outcome::Done,
            Outcome::Misshapen,
            Outcome::Unsupported,
            Outcome::Stuck,
            Outcome::Died,
            Outcome::Interrupted,
        ] {
            assert_explained(&written(outcome), &[Kind::Outcome]);
        }
        for event in [
            EventKind::Failed,
            EventKind::Refused,
            EventKind::Stuck,
            EventKind::HungProven,
            EventKind::HungUnproven,
            EventKind::Crashed,
        ] {
            assert_explained(&written(event), &[Kind::Event, Kind::Outcome]);
        }
        for scope in [Scope::Parent, Scope::Child, Scope::Both] {
            assert_explained(&written(scope), &[Kind::Scope, Kind::Word]);
        }
    }

    #[test]
    fn every_exit_code_and_verdict_is_explained() {
        for code in ["0", "1", "2", "3", "4", "5", "130"] {
            assert_explained(code, &[Kind::ExitCode]);
            assert_explained(&format!("exit {code}"), &[Kind::ExitCode]);
        }
        for word in [
            "HOLDS",
            "FAILS",
            "UNCLEAR",
            "NOT SHOWN",
            "REGRESSED",
            "OK",
            "IMPROVED",
            "INCONCLUSIVE",
        ] {
            assert_explained(word, &[Kind::Verdict]);
        }
    }

    #[test]
    fn case_does_not_matter_and_unknown_words_are_not_found() {
        assert_eq!(find("vma").map(|entry| entry.word), Some("VMA"));
        assert_eq!(find("regressed").map(|entry| entry.word), Some("REGRESSED"));
        assert!(find("no such word").is_none());
        assert!(find("").is_none());
    }
}
