//! The `forkbench` binary.
fn main() {}
