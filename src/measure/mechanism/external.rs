//! `extern:CMD`: a program of the user's makes the processes, on request.
//!
//! The row, what a command must be, and whether it can do a piece of work. What is said between
//! this program and the other stands in [`protocol`], its process in `helper`; when it is asked,
//! and what becomes of its answers, in [`crate::measure::workload`].

pub(in crate::measure) mod helper;
pub mod protocol;

use std::path::Path;

use crate::measure::mechanism::{Gap, Mechanism, Memory, Refusal};
use crate::measure::program::{Unfit, is_in_path, unfit};
use crate::model::knob;
use crate::model::setup::{Setup, Shape, Work, Workload};

/// The name of the row; a mechanism of a setup is this, a colon and a command.
pub(super) const NAME: &str = "extern";

pub(super) static EXTERN: Mechanism = Mechanism {
    name: NAME,
    about: "a program of yours makes the processes, on request over two pipes",
    explain: "Your own spawner, in any language: CMD (its words, as in a shell) is started once in \
              each parent, before the first block, and from then on makes a process for each line \
              that it reads. The protocol stands in FORMAT.md, examples in C, Python and shell in \
              examples/extern. A helper that stamps the clock around its own call is timed by its \
              own stamps, which must lie within the exchange; one that does not is timed from the \
              request to the answer, which contains two pipes and two switches \
              (`extern_round_trip_ns` is what an empty exchange takes). The helper inherits what \
              the parent has from `prefix`, and the processor of the spawning thread, for all of \
              its threads; with child-cpu=free it may run anywhere. The parent that spawns is the \
              helper: a shape of the parent is refused, and nothing is known of what becomes of \
              the helper's memory, so nothing of it is rewritten. Page faults are not counted. For \
              workload=spawn.",
    memory: Memory::Elsewhere,
    gap: Gap::Theirs,
    default: false,
    taints: false,
    available: || Ok(()),
    how: |_| Err("the helper makes the process: what comes before its exec is its own".to_owned()),
    prepare: |_| Err(Refusal { errno: 0, reason: ONLY_SPAWN.to_owned() }),
};

const ONLY_SPAWN: &str = "extern makes a process for each request: use it with workload=spawn";

/// Whether a helper can do that work in such a parent; if not, why.
pub(in crate::measure) fn can(shape: &Shape, work: &Work) -> Result<(), Refusal> {
    let refuse = |reason: String| Err(Refusal { errno: 0, reason });
    if work.workload != Workload::Spawn {
        return refuse(ONLY_SPAWN.to_owned());
    }
    if work.has_extras() {
        return refuse(
            "a helper gives its child what environment and arguments it likes, and by its path: \
             let it add what env-bytes, args-bytes and path-dirs would"
                .to_owned(),
        );
    }
    if !shape.is_empty() {
        let mut setup = Setup::default();
        setup.parent.shape = shape.clone();
        return refuse(format!(
            "with extern the parent that spawns is the helper, and {} would be the shape of \
             another process: leave it out, and let the helper take on the shape itself",
            knob::shape_label(&setup)
        ));
    }
    match missing(work.helper().unwrap_or_default()) {
        Some(reason) => refuse(reason),
        None => Ok(()),
    }
}

/// Why that command cannot be started here; none: it can, as far as can be seen from outside.
pub fn missing(command: &str) -> Option<String> {
    let Some(words) = shlex::split(command) else {
        return Some(format!("extern:{command}: a quote is not closed"));
    };
    let Some(program) = words.first().filter(|word| !word.is_empty()) else {
        return Some("extern: give the command of a helper, as in extern:./my_helper".to_owned());
    };
    let advice = "give the command of a helper (examples/extern has some)";
    if program.contains('/') {
        let why = match unfit(Path::new(program))? {
            Unfit::Unseen(error) => error.to_string(),
            Unfit::Directory | Unfit::Special => "it is no regular file".to_owned(),
            Unfit::NotExecutable => "it is not executable".to_owned(),
        };
        return Some(format!("extern: {program}: {why}; {advice}"));
    }
    (!is_in_path(program)).then(|| {
        format!("extern: {program}: no directory of PATH has such a program; {advice}, or its path")
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::model::setup::Image;
    use crate::model::units::Size;

    fn work(mechanism: &str) -> Work {
        Work { mechanism: mechanism.to_owned(), ..Work::default() }
    }

    #[test]
    fn a_command_that_is_no_program_is_refused_with_the_reason() {
        let directory = tempfile::tempdir().unwrap();
        let plain = directory.path().join("plain");
        fs::write(&plain, "").unwrap();
        let plain = plain.to_str().unwrap();
        for (command, why) in [
            ("", "give the command"),
            ("  ", "give the command"),
            ("'' x", "give the command"),
            ("'x", "a quote is not closed"),
            ("/there/is/none", "No such file"),
            ("/tmp", "no regular file"),
            (plain, "not executable"),
            ("there-is-no-such-program -x", "no directory of PATH"),
        ] {
            let said = missing(command).unwrap_or_else(|| panic!("{command:?} is taken"));
            assert!(said.contains(why), "{command:?}: {said}");
        }
        for command in ["/bin/sh -c 'exit 0'", "sh x"] {
            assert_eq!(missing(command), None);
        }
    }

    #[test]
    fn what_a_helper_cannot_do_is_refused_and_says_what_to_do() {
        let sh = work("extern:sh x");
        let empty = Shape::default();
        assert_eq!(can(&empty, &sh), Ok(()));
        let large = Shape { rss: Size::from_bytes(1 << 30), threads: 2, ..Shape::default() };
        let other = Work { workload: Workload::Gap, ..sh.clone() };
        let extras = Work { env_bytes: Size::from_bytes(4096), ..sh.clone() };
        for (shape, work, why) in [
            (&large, &sh, "rss=1GiB threads=2"),
            (&empty, &other, "workload=spawn"),
            (&empty, &extras, "env-bytes"),
            (&empty, &work("extern"), "give the command"),
        ] {
            let said = can(shape, work).unwrap_err().reason;
            assert!(said.contains(why), "{said}");
        }
        assert!(EXTERN.can(&Work { image: Image::Exit, ..sh }).is_err());
    }
}
