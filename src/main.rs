//! The `forkbench` binary.
use std::process::ExitCode;
fn main() -> ExitCode {
    let mut a = std::env::args().skip(1);
    match a.next().as_deref() {
        Some("__subject") => {
            forkbench::measure::subject::main(a.next().and_then(|t| t.parse().ok()))
        }
        _ => ExitCode::from(2),
    }
}
