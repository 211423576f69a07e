//! Results as other tools read them: one file for each format.
//!
//! An export goes by the rules of its reader. It holds the subjects of a run: controls, twins and
//! references answer questions that those tools do not ask. What an export has no place for is
//! said, never dropped in silence. Names come from files and are written so that no reader takes
//! them for anything but text.

pub mod go;
pub mod hyperfine;
pub mod markdown;
pub mod percentiles;
pub mod smaller;
pub mod verdict;

use crate::analyse::cells::Cells;
use crate::model::knob::KNOBS;
use crate::model::row::Role;
use crate::model::setup::Setup;
use crate::record::archive;
use crate::record::rows::VariantRow;

/// What an export has left out of a run, each in a sentence.
pub type Left = Vec<String>;

/// Which variants an export leaves out, since they are no subjects.
fn others<'a>(variants: impl Iterator<Item = (&'a str, Role)>) -> Left {
    let names: Vec<String> = variants
        .filter(|(_, role)| *role != Role::Subject)
        .map(|(label, role)| match format!("({})", role.word()) {
            role if label.ends_with(&role) => label.to_owned(),
            role => format!("{label} {role}"),
        })
        .collect();
    match names.as_slice() {
        [] => Left::new(),
        names => vec![format!("only the subjects of the run, not {}", names.join(", "))],
    }
}

/// That times are rounded, where they come from an archive that has them so.
fn rounded(cells: &Cells) -> Option<String> {
    let archive = cells.archive.as_ref().filter(|archive| !archive.exact)?;
    let share = 2 * archive::FINENESS;
    let by = &archive.version;
    Some(format!("the directory was archived by forkbench {by}: each time is right to 1/{share}"))
}

/// The knobs of a variant that are not default, and its mechanism, by name: from its whole setup,
/// else as its row has them.
fn knobs(row: &VariantRow, setup: Option<&Setup>) -> Vec<(String, String)> {
    let mut knobs = vec![("mechanism".to_owned(), row.mechanism.clone())];
    match setup {
        Some(setup) => {
            let default = Setup::default();
            let others = KNOBS.iter().filter(|knob| !TOLD.contains(&knob.name));
            knobs.extend(
                others
                    .map(|knob| (knob.name.to_owned(), (knob.get)(setup), (knob.get)(&default)))
                    .filter(|(_, value, default)| value != default)
                    .map(|(name, value, _)| (name, value)),
            );
        }
        None => knobs.extend(
            row.settings
                .split(';')
                .filter_map(|setting| setting.split_once('='))
                .filter(|(name, _)| !TOLD.contains(name))
                .map(|(name, value)| (name.to_owned(), value.to_owned())),
        ),
    }
    knobs
}

/// Knobs that are told in another place.
const TOLD: [&str; 2] = ["mechanism", "workload"];

/// A text in which these characters, control characters and the percent sign are written as in a
/// URL, so that different texts stay different.
fn encoded(text: &str, is_special: impl Fn(char) -> bool) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        if character == '%' || character.is_control() || is_special(character) {
            let mut bytes = [0; 4];
            for byte in character.encode_utf8(&mut bytes).bytes() {
                out += &format!("%{byte:02X}");
            }
        } else {
            out.push(character);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::fixture;

    #[test]
    fn what_is_special_is_written_as_in_a_url() {
        let is_special = |c: char| c == ' ' || c == '/';
        assert_eq!(encoded("a b/ü%\n", is_special), "a%20b%2Fü%25%0A");
    }

    #[test]
    fn knobs_come_from_the_setup_and_else_from_the_row() {
        let row = fixture::variant(0, Role::Subject, "rss=1GiB", "fork");
        let pairs = [("mechanism", "fork"), ("rss", "1GiB")];
        let expected = pairs.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(knobs(&row, None), expected);
        let mut setup = Setup::default();
        for (name, value) in [("rss", "1G"), ("mechanism", "fork"), ("workload", "cow")] {
            (crate::model::knob::find(name).unwrap().set)(&mut setup, value).unwrap();
        }
        assert_eq!(knobs(&row, Some(&setup)), expected);
    }

    #[test]
    fn those_that_are_no_subjects_are_named() {
        let variants = [("fork", Role::Subject), ("none", Role::Control)];
        assert_eq!(
            others(variants.into_iter()),
            ["only the subjects of the run, not none (control)"]
        );
        assert!(others(variants[..1].iter().copied()).is_empty());
    }
}
