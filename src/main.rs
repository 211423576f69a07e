//! The `forkbench` binary: a table of contents.

use std::ffi::OsString;
use std::process::ExitCode;

use forkbench::command;

fn main() -> ExitCode {
    // The processes of a run, told apart before anything of the command line is set up: a subject
    // must be as small as it can be.
    let mut words = std::env::args_os().skip(1);
    match words.next().as_deref().and_then(|word| word.to_str()) {
        Some("__subject") => {
            let tape = words.next().and_then(|word| word.to_str()?.parse().ok());
            forkbench::measure::subject::main(tape)
        }
        Some("__helper") => forkbench::measure::workload::throughput::helper::main(),
        Some("__keeper") => forkbench::drive::keeper::main(&words.collect::<Vec<OsString>>()),
        Some("__steward") => {
            forkbench::drive::machine::steward::main(&words.collect::<Vec<OsString>>())
        }
        // For scripts/compare-independent: the image as a file of its own.
        #[cfg(feature = "independent-loop")]
        Some("__image") => {
            let path = std::path::PathBuf::from(words.next().unwrap_or_default());
            match forkbench::measure::image::write(&path, &forkbench::measure::image::noop()) {
                Ok(()) => ExitCode::SUCCESS,
                Err(error) => {
                    eprintln!("forkbench: {}: {error}", path.display());
                    ExitCode::FAILURE
                }
            }
        }
        _ => command::main(),
    }
}
