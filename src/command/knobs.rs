//! The flags that the registry of knobs makes: one per knob, each taking a list.

use clap::{Arg, ArgMatches, Command, Error, FromArgMatches};

use crate::model::knob::{KNOBS, Knob};
use crate::model::scenario::Axis;
use crate::model::setup::Setup;

/// What was given for each knob: its name and its values, in the order of the registry.
#[derive(Clone, Debug, Default)]
pub struct KnobFlags {
    /// Only the knobs that were given.
    pub given: Vec<(&'static Knob, Vec<String>)>,
}

impl KnobFlags {
    /// Each as an axis.
    pub fn axes(&self) -> impl Iterator<Item = Axis> {
        self.given.iter().map(|(knob, values)| Axis::list(knob.name, values))
    }
}

impl clap::Args for KnobFlags {
    fn augment_args(command: Command) -> Command {
        KNOBS.iter().fold(command, |command, knob| {
            let default = (knob.get)(&Setup::default());
            let default = match (knob.name, default.as_str()) {
                (_, "") => String::new(),
                ("mechanism", _) => String::new(),
                (_, default) => format!(" [default: {default}]"),
            };
            command.arg(
                Arg::new(knob.name)
                    .long(knob.name)
                    .value_name(format!("{}[,..]", knob.value))
                    .help(format!("{}{default}", capital(knob.about)))
                    .long_help(format!("{}{default}", knob.explain))
                    .help_heading("Knobs (a list of values compares them)")
                    .allow_hyphen_values(true)
                    .num_args(1),
            )
        })
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for KnobFlags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let given = KNOBS.iter().filter_map(|knob| {
            let text = matches.get_one::<String>(knob.name)?;
            Some((knob, split(text)))
        });
        Ok(KnobFlags { given: given.collect() })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// Parts a list at its commas; a comma of a value itself is written `\,`.
fn split(text: &str) -> Vec<String> {
    let mut values = vec![String::new()];
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        let value = values.last_mut().expect("never empty");
        match character {
            '\\' if characters.peek() == Some(&',') => {
                value.push(',');
                characters.next();
            }
            ',' => values.push(String::new()),
            other => value.push(other),
        }
    }
    values
}

fn capital(text: &str) -> String {
    let mut characters = text.chars();
    match characters.next() {
        Some(first) => first.to_uppercase().chain(characters).collect(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_parted_at_commas_that_are_not_escaped() {
        assert_eq!(split("0,256M,1G"), ["0", "256M", "1G"]);
        assert_eq!(split(r"/bin/echo a\,b,exit"), ["/bin/echo a,b", "exit"]);
        assert_eq!(split(""), [""]);
        assert_eq!(split("1,"), ["1", ""]);
    }
}
